//! H.264 constrained baseline by openh264.

use super::codec::{
    CodecError, EncodedFrame, EncoderConfig, MAX_DECODED_PIXELS, VideoCodec, VideoDecoder, VideoEncoder,
};
use super::depacketize::has_idr;
use super::rate_control::Quantizers;
use super::rate_controlled::{QuantizedEncoder, RateControlled};
use crate::media::frame::{FrameError, FramePool, MAX_DIMENSION, PixelFormat, Plane, RawFrame, Rotation, VideoFrame};
use openh264::encoder::{
    BitRate, Complexity, Encoder, FrameRate, FrameType, IntraFramePeriod, Profile, RateControlMode, SpsPpsStrategy,
    UsageType,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp, decoder::Decoder};
use openh264_sys2::{ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, ENCODER_OPTION_TRACE_LEVEL, SEncParamExt, WELS_LOG_QUIET};
use std::time::Instant;

/// Frames per second that openh264 can work with.
const MAX_FPS: f64 = 60.0;
/// Smallest width and height that openh264 encodes, in pixels.
const MIN_DIMENSION: u32 = 16;
/// Longest and shorter side that openh264 encodes, in pixels.
const MAX_SIDES: (u32, u32) = (3840, 2160);

fn setup(detail: impl Into<String>) -> CodecError {
    CodecError::Setup { codec: VideoCodec::H264, detail: detail.into() }
}

fn encode(detail: impl Into<String>) -> CodecError {
    CodecError::Encode { codec: VideoCodec::H264, detail: detail.into() }
}

fn decode(detail: impl Into<String>) -> CodecError {
    CodecError::Decode { codec: VideoCodec::H264, detail: detail.into() }
}

/// Low complexity, one slice a picture, no B pictures, keyframes on demand and for new scenes.
///
/// The quantiser of each picture is ours. openh264's own rate control leaves out every second picture after a keyframe and takes no
/// quantiser above 36 for the first one, however little it may have.
///
/// # Errors
/// [`CodecError::Setup`] where openh264 refuses.
pub(super) fn encoder(config: EncoderConfig) -> Result<impl VideoEncoder, CodecError> {
    RateControlled::new(H264Encoder::new, config)
}

struct H264Encoder {
    encoder: Encoder,
    /// As configured; what is encoded is even.
    width: u32,
    height: u32,
    /// openh264 is set up with the first picture; before, it takes no options.
    first: Option<Instant>,
    /// As openh264 was told.
    told_quantizer: i32,
}

impl H264Encoder {
    fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let EncoderConfig { width, height, .. } = config;
        if !is_possible(width, height) {
            return Err(setup(FrameError::Size { width, height }.to_string()));
        }
        let encoder = open(config)?;
        Ok(Self { encoder, width, height, first: None, told_quantizer: Self::FIRST_QUANTIZER })
    }

    /// Before the first picture of a size there is nothing to be told.
    fn set_quantizer(&mut self, quantizer: i32) -> Result<(), CodecError> {
        if self.first.is_none() || quantizer == self.told_quantizer {
            return Ok(());
        }
        let mut params = SEncParamExt::default();
        let all = (&raw mut params).cast();
        // SAFETY: both options take a structure of this type, which is written and read during the calls. Nothing is changed that would
        // set openh264 up anew or that the wrapper relies on (size and layers).
        let code = unsafe {
            let raw = self.encoder.raw_api();
            match raw.get_option(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, all) {
                0 => {
                    params.sSpatialLayers[0].iDLayerQp = quantizer;
                    raw.set_option(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, (&raw mut params).cast())
                }
                code => code,
            }
        };
        if code != 0 {
            return Err(encode(format!("quantizer {quantizer} is refused: {code}")));
        }
        self.told_quantizer = quantizer;
        Ok(())
    }
}

impl QuantizedEncoder for H264Encoder {
    const CODEC: VideoCodec = VideoCodec::H264;
    /// Source: `GOM_MIN_QP_MODE` of openh264; the step size doubles with every six (H.264 sections 7.4.3 and 8.5.9).
    const QUANTIZERS: Quantizers = Quantizers { range: 12..=51, step: |quantizer| f64::from(quantizer) / 6.0 };
    /// openh264 takes no other before its first picture. Source: `SVC_QUALITY_BASE_QP` of openh264.
    const FIRST_QUANTIZER: i32 = 26;

    fn encode(
        &mut self,
        frame: &VideoFrame,
        keyframe: bool,
        quantizer: i32,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        self.set_quantizer(quantizer)?;
        if keyframe && self.first.is_some() {
            self.encoder.force_intra_frame();
        }
        let captured_at = frame.captured_at();
        let since = captured_at.saturating_duration_since(*self.first.get_or_insert(captured_at));
        let time = Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 2));
        let stream = self.encoder.encode_at(&EvenPart(frame), time).map_err(|error| encode(error.to_string()))?;
        let keyframe = match stream.frame_type() {
            FrameType::IDR => true,
            FrameType::P | FrameType::I | FrameType::IPMixed => false,
            FrameType::Skip => return Ok(None),
            FrameType::Invalid => return Err(encode("the encoder is not ready")),
        };
        // A copy, since the memory is openh264's own and written again with the next picture.
        let data = stream.to_vec();
        if data.is_empty() {
            return Ok(None);
        }
        let (width, height) = (self.width & !1, self.height & !1);
        Ok(Some(EncodedFrame { codec: VideoCodec::H264, data: data.into(), keyframe, width, height, captured_at }))
    }

    /// openh264 starts anew with another size, whether it is told by an option or made anew: a few milliseconds either way.
    fn set_size(&mut self, config: EncoderConfig) -> Result<bool, CodecError> {
        if !is_possible(config.width, config.height) {
            return Ok(false);
        }
        *self = Self::new(config)?;
        Ok(true)
    }
}

fn is_possible(width: u32, height: u32) -> bool {
    let too_large = width.max(height) > MAX_SIDES.0 || width.min(height) > MAX_SIDES.1;
    !too_large && width >= MIN_DIMENSION && height >= MIN_DIMENSION
}

fn open(config: EncoderConfig) -> Result<Encoder, CodecError> {
    let settings = openh264::encoder::EncoderConfig::new()
        // What the level that the decoder is told follows from.
        .bitrate(BitRate::from_bps(config.bitrate_bps))
        .max_frame_rate(FrameRate::from_hz(config.fps.min(MAX_FPS) as f32))
        .usage_type(UsageType::CameraVideoRealTime)
        .rate_control_mode(RateControlMode::Off)
        .adaptive_quantization(false)
        .complexity(Complexity::Low)
        .profile(Profile::Baseline)
        .sps_pps_strategy(SpsPpsStrategy::ConstantId)
        .num_threads(1)
        .skip_frames(false)
        .scene_change_detect(false)
        .intra_frame_period(IntraFramePeriod::from_num_frames(0));
    let mut encoder =
        Encoder::with_api_config(OpenH264API::from_source(), settings).map_err(|error| setup(error.to_string()))?;
    // The wrapper does so only after openh264 has written its opinion of the configuration to standard error.
    let mut level = WELS_LOG_QUIET;
    // SAFETY: this option takes an int, which is read during the call, and may be set before anything else.
    let code = unsafe { encoder.raw_api().set_option(ENCODER_OPTION_TRACE_LEVEL, (&raw mut level).cast()) };
    if code == 0 { Ok(encoder) } else { Err(setup(format!("the log cannot be turned off: {code}"))) }
}

/// The even part of a picture, without copying it.
struct EvenPart<'a>(&'a VideoFrame);

impl YUVSource for EvenPart<'_> {
    fn dimensions(&self) -> (usize, usize) {
        ((self.0.width() & !1) as usize, (self.0.height() & !1) as usize)
    }
    fn strides(&self) -> (usize, usize, usize) {
        (self.0.stride_y(), self.0.stride_uv(), self.0.stride_uv())
    }
    fn y(&self) -> &[u8] {
        self.0.y()
    }
    fn u(&self) -> &[u8] {
        self.0.u()
    }
    fn v(&self) -> &[u8] {
        self.0.v()
    }
}

/// Decodes from the first keyframe on, and after damage from the next.
pub(super) struct H264Decoder {
    decoder: Decoder,
    /// Nothing but a keyframe can be decoded.
    needs_keyframe: bool,
}

impl H264Decoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self { decoder: decoder()?, needs_keyframe: true })
    }

    fn decode_keyframe_or_next(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        match self.decoder.decode(data).map_err(|error| decode(error.to_string()))? {
            Some(yuv) => copy_out(&yuv, pool).map(Some),
            None => Ok(None),
        }
    }
}

fn decoder() -> Result<Decoder, CodecError> {
    Decoder::new().map_err(|error| setup(error.to_string()))
}

impl VideoDecoder for H264Decoder {
    fn decode(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        if data.is_empty() || i32::try_from(data.len()).is_err() {
            return Err(decode(format!("a frame of {} bytes", data.len())));
        }
        if self.needs_keyframe && !has_idr(data) {
            return Ok(None);
        }
        let result = self.decode_keyframe_or_next(data, pool);
        if result.is_err() {
            // What an error leaves in the references must not be built upon.
            self.decoder = decoder()?;
        }
        self.needs_keyframe = result.is_err();
        result
    }
}

/// Copies once: the memory is openh264's own and a reference for pictures to come.
fn copy_out(yuv: &impl YUVSource, pool: &FramePool) -> Result<VideoFrame, CodecError> {
    let (width, height) = yuv.dimensions();
    let (width, height) = (u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX));
    if width > MAX_DIMENSION || height > MAX_DIMENSION || width * height > MAX_DECODED_PIXELS {
        return Err(decode(FrameError::Size { width, height }.to_string()));
    }
    let (luma, blue, red) = yuv.strides();
    let raw = RawFrame {
        format: PixelFormat::I420,
        planes: [
            Plane { data: yuv.y(), stride: luma },
            Plane { data: yuv.u(), stride: blue },
            Plane { data: yuv.v(), stride: red },
        ],
        width,
        height,
        rotation: Rotation::None,
        captured_at: Instant::now(),
    };
    pool.copy_from(&raw).map_err(|error| decode(error.to_string()))
}
