//! H.264 constrained baseline by openh264.

use super::codec::{
    CodecError, EncodedFrame, EncoderConfig, MAX_DECODED_PIXELS, VideoCodec, VideoDecoder, VideoEncoder,
};
use super::depacketize::has_idr;
use crate::media::frame::{FrameError, FramePool, MAX_DIMENSION, PixelFormat, Plane, RawFrame, Rotation, VideoFrame};
use openh264::encoder::{
    BitRate, Complexity, Encoder, FrameRate, FrameType, IntraFramePeriod, Profile, QpRange, RateControlMode,
    SpsPpsStrategy, UsageType,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp, decoder::Decoder};
use openh264_sys2::{
    ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE, ENCODER_OPTION_GET_STATISTICS,
    ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_TRACE_LEVEL, LAYER_NUM, SBitrateInfo, SEncoderStatistics,
    SPATIAL_LAYER_0, SPATIAL_LAYER_ALL, WELS_LOG_QUIET,
};
use std::ffi::c_int;
use std::time::Instant;

/// Bits per second that openh264 can work with.
const BITRATE: (u32, u32) = (10_000, 100_000_000);
/// Frames per second that openh264 can work with.
const FPS: (f64, f64) = (1.0, 60.0);
/// Smallest width and height that openh264 encodes, in pixels.
const MIN_DIMENSION: u32 = 16;
/// openh264 takes no quantiser below this one, and none above 42 unless it is told both ends.
const QUANTIZERS: (u8, u8) = (12, 51);
/// openh264 leaves out pictures, up to half of them, once more than the highest bitrate that it was told came of the last five seconds: a
/// scene cut is enough where that is the bitrate itself. It is told so many times the bitrate, so that only its buffer counts.
const HEADROOM: u32 = 4;
/// openh264 gives a keyframe as many bits as so many pictures have at the bitrate of the time.
const KEYFRAME_PICTURES: f64 = 4.0;
/// A keyframe of more than so many times its budget is made again of a softer picture, and of still softer ones: openh264 takes no
/// coarser quantiser than 40 for a keyframe, whatever its budget. Each softness lasts so many pictures.
const TOO_LARGE: f64 = 1.1;
const SOFTER: [u32; 3] = [2, 3, 5];
const SOFT_FOR: u32 = 4;
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

/// Low complexity, one slice a picture, no B pictures, keyframes only on demand.
pub(super) struct H264Encoder {
    encoder: Encoder,
    /// As configured; what is encoded is even.
    width: u32,
    height: u32,
    /// As asked for.
    bitrate: u32,
    /// As openh264 was told, which differs while a keyframe is made.
    told_bitrate: u32,
    /// The highest bitrate that openh264 was told.
    told_most: u32,
    fps: f64,
    /// Bytes that a keyframe may have, if a budget was told.
    keyframe_budget: Option<u32>,
    /// Which of the softer pictures is encoded, and for how many more.
    soft: Option<(usize, u32)>,
    pool: FramePool,
    /// openh264 is set up with the first picture; before, it takes no options.
    first: Option<Instant>,
}

impl H264Encoder {
    pub(super) fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let EncoderConfig { width, height, .. } = config;
        if !is_possible(width, height) {
            return Err(setup(FrameError::Size { width, height }.to_string()));
        }
        let (bitrate, fps) = (config.bitrate_bps.clamp(BITRATE.0, BITRATE.1), possible_fps(config.fps));
        let encoder = encoder(bitrate, fps)?;
        let (told_bitrate, told_most, keyframe_budget) = (bitrate, bitrate, None);
        let pool = FramePool::default();
        Ok(Self {
            encoder,
            width,
            height,
            bitrate,
            told_bitrate,
            told_most,
            fps,
            keyframe_budget,
            soft: None,
            pool,
            first: None,
        })
    }

    fn set_option<T>(&mut self, id: ENCODER_OPTION, value: &mut T) -> Result<(), CodecError> {
        // SAFETY: the callers pair each option with the type that openh264's interface names for it; it is read during the
        // call. The options used change none of what the wrapper relies on (size and layers).
        let code = unsafe { self.encoder.raw_api().set_option(id, std::ptr::from_mut(value).cast()) };
        if code == 0 { Ok(()) } else { Err(encode(format!("option {id} is refused: {code}"))) }
    }

    /// The bitrate at which openh264 makes a keyframe within its budget.
    fn keyframe_bitrate(&self) -> u32 {
        let within = |bytes| f64::from(bytes) * 8.0 * self.fps / KEYFRAME_PICTURES;
        self.keyframe_budget.map_or(self.bitrate, |bytes| (within(bytes) as u32).clamp(BITRATE.0, self.bitrate))
    }

    fn tell_bitrate(&mut self, bps: u32) -> Result<(), CodecError> {
        self.tell_most(bps)?;
        self.set_layer_bitrate(ENCODER_OPTION_BITRATE, SPATIAL_LAYER_ALL, bps)?;
        self.told_bitrate = bps;
        Ok(())
    }

    /// Leaves room above this bitrate. openh264 tells the decoder a higher level if need be, so this changes seldom and never down.
    fn tell_most(&mut self, bps: u32) -> Result<(), CodecError> {
        if bps > self.told_most / 2 {
            let most = bps.saturating_mul(HEADROOM).min(BITRATE.1);
            self.set_layer_bitrate(ENCODER_OPTION_MAX_BITRATE, SPATIAL_LAYER_0, most)?;
            self.told_most = most;
        }
        Ok(())
    }

    fn encode_once(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        let captured_at = frame.captured_at();
        // The first picture is a keyframe anyway, and there is nothing yet that could be told so.
        let bitrate = if keyframe || self.first.is_none() { self.keyframe_bitrate() } else { self.bitrate };
        if bitrate != self.told_bitrate {
            if self.first.is_none() { self.make_anew(bitrate)? } else { self.tell_bitrate(bitrate)? }
        }
        if self.first.is_some() {
            self.tell_most(bitrate)?;
        }
        if keyframe && self.first.is_some() {
            self.encoder.force_intra_frame();
        }
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

    /// After a keyframe of a softer picture, those that follow get back to the full one step by step: all at once would be as large as
    /// the keyframe was not to be.
    fn still_soft(&mut self, frame: &VideoFrame) -> Option<VideoFrame> {
        let (step, left) = self.soft?;
        self.soft = match (step, left) {
            (0, 0 | 1) => None,
            (step, 0 | 1) => Some((step - 1, SOFT_FOR)),
            (step, left) => Some((step, left - 1)),
        };
        self.softened(frame, SOFTER.get(step).copied()?)
    }

    /// The picture without what is smaller than so many pixels.
    fn softened(&self, frame: &VideoFrame, divisor: u32) -> Option<VideoFrame> {
        let (width, height) = (self.width / divisor, self.height / divisor);
        let small = frame.scaled(&self.pool, width, height).ok()?;
        small.scaled(&self.pool, self.width, self.height).ok()
    }

    /// Before the first picture openh264 takes no options: it is made anew instead, which costs next to nothing then.
    fn make_anew(&mut self, bps: u32) -> Result<(), CodecError> {
        (self.encoder, self.told_bitrate, self.told_most) = (encoder(bps, self.fps)?, bps, bps);
        Ok(())
    }

    fn set_layer_bitrate(&mut self, id: ENCODER_OPTION, layer: LAYER_NUM, bps: u32) -> Result<(), CodecError> {
        let bitrate = c_int::try_from(bps).unwrap_or(c_int::MAX);
        self.set_option(id, &mut SBitrateInfo { iLayer: layer, iBitrate: bitrate })
    }
}

fn is_possible(width: u32, height: u32) -> bool {
    let too_large = width.max(height) > MAX_SIDES.0 || width.min(height) > MAX_SIDES.1;
    !too_large && width >= MIN_DIMENSION && height >= MIN_DIMENSION
}

fn possible_fps(fps: f64) -> f64 {
    if fps.is_finite() { fps.clamp(FPS.0, FPS.1) } else { 30.0 }
}

fn encoder(bitrate: u32, fps: f64) -> Result<Encoder, CodecError> {
    let config = openh264::encoder::EncoderConfig::new()
        .bitrate(BitRate::from_bps(bitrate))
        .max_frame_rate(FrameRate::from_hz(fps as f32))
        .usage_type(UsageType::CameraVideoRealTime)
        .rate_control_mode(RateControlMode::Bitrate)
        .complexity(Complexity::Low)
        .profile(Profile::Baseline)
        .sps_pps_strategy(SpsPpsStrategy::ConstantId)
        .num_threads(1)
        .qp(QpRange::new(QUANTIZERS.0, QUANTIZERS.1))
        // A picture that cannot be paid for is left out here rather than held up on its way.
        .skip_frames(true)
        // Scene cuts would bring keyframes that nobody asked for.
        .scene_change_detect(false)
        .intra_frame_period(IntraFramePeriod::from_num_frames(0));
    let mut encoder =
        Encoder::with_api_config(OpenH264API::from_source(), config).map_err(|error| setup(error.to_string()))?;
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

impl VideoEncoder for H264Encoder {
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        if (frame.width(), frame.height()) != (self.width, self.height) {
            let (width, height) = (frame.width(), frame.height());
            return Err(encode(format!("made for {}×{}, got {width}×{height}", self.width, self.height)));
        }
        if !keyframe && let Some(softer) = self.still_soft(frame) {
            return self.encode_once(&softer, false);
        }
        let Some(mut encoded) = self.encode_once(frame, keyframe)? else { return Ok(None) };
        let most = self.keyframe_budget.map(|bytes| TOO_LARGE * f64::from(bytes));
        for (step, divisor) in SOFTER.into_iter().enumerate() {
            if !encoded.keyframe || most.is_none_or(|most| encoded.data.len() as f64 <= most) {
                break;
            }
            let Some(softer) = self.softened(frame, divisor) else { break };
            self.make_anew(self.keyframe_bitrate())?;
            self.first = None;
            let Some(smaller) = self.encode_once(&softer, true)? else { break };
            (encoded, self.soft) = (smaller, Some((step, SOFT_FOR)));
        }
        Ok(Some(encoded))
    }

    fn set_bitrate(&mut self, bps: u32) -> Result<(), CodecError> {
        // openh264 is told with the next picture, for which it may be another one.
        self.bitrate = bps.clamp(BITRATE.0, BITRATE.1);
        Ok(())
    }

    fn set_fps(&mut self, fps: f64) -> Result<(), CodecError> {
        let fps = possible_fps(fps);
        if self.first.is_none() {
            self.encoder = encoder(self.told_bitrate, fps)?;
        } else {
            self.set_option(ENCODER_OPTION_FRAME_RATE, &mut (fps as f32))?;
        }
        self.fps = fps;
        Ok(())
    }

    /// openh264 starts anew with another size, whether it is told by an option or made anew: a few milliseconds either way.
    fn set_size(&mut self, width: u32, height: u32) -> Result<bool, CodecError> {
        if !is_possible(width, height) {
            return Ok(false);
        }
        self.make_anew(self.bitrate)?;
        (self.width, self.height, self.first) = (width, height, None);
        Ok(true)
    }

    fn set_keyframe_budget(&mut self, bytes: u32) -> Result<(), CodecError> {
        self.keyframe_budget = Some(bytes);
        Ok(())
    }

    fn quantizer(&mut self) -> Option<u32> {
        self.first?;
        let mut statistics = SEncoderStatistics::default();
        // SAFETY: this option writes a structure of this type, and only into it.
        let code = unsafe {
            let raw = self.encoder.raw_api();
            raw.get_option(ENCODER_OPTION_GET_STATISTICS, (&raw mut statistics).cast())
        };
        (code == 0).then_some(statistics.uiAverageFrameQP)
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
