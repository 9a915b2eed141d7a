//! Android's own codecs: MediaCodec, VP8 and H.264, from API level 26 on.
//!
//! **Compiled, not run**: there was no Android device to run this on. It was type-checked, and each call held against the NDK's
//! headers and the documentation of `android.media.MediaCodec` and `MediaFormat`; what works on Linux alike (pixel layouts, byte
//! streams, the queue of pictures under way) is in functions of its own and tested there.
//!
//! The codec is used in synchronous mode on the calling thread: a buffer in, then a bounded wait for a buffer out. A codec
//! that gives its output only with the next picture's input is served too; it costs one picture of delay.

#[allow(unsafe_code, reason = "MediaCodec is reached by the NDK's C interface only")]
mod ndk;

use super::annexb::{ParameterSets, keep_parameter_sets, with_parameter_sets};
use super::layout::BufferLayout;
use super::pending::Pending;
use super::sps::{PictureSize, picture_size};
use super::vp8_header::keyframe_size;
use crate::media::frame::{FrameError, FramePool, MAX_DIMENSION, VideoFrame};
use crate::media::video::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec, VideoDecoder, VideoEncoder};
use crate::media::video::depacketize::has_idr;
use bytes::Bytes;
use ndk::{Codec, Failure, Format, Output};
use std::borrow::Cow;
use std::ffi::CStr;
use std::time::{Duration, Instant};

/// How long one picture may take in the encoder or the decoder before the call goes on without it.
const WAIT: Duration = Duration::from_millis(50);
/// Pictures in a row that the encoder may skip to keep its bitrate; with more it hangs.
const MAX_PENDING: usize = 30;
/// Two planes first: hardware likes them, and Qualcomm's has nothing else.
const COLOR_FORMATS: [i32; 2] = [21, 19];
/// Bits per second that encoders can work with.
const BITRATE: (u32, u32) = (10_000, 100_000_000);

/// Keys of `android.media.MediaFormat` and their values.
mod key {
    use std::ffi::CStr;

    pub(super) const MIME: &CStr = c"mime";
    pub(super) const WIDTH: &CStr = c"width";
    pub(super) const HEIGHT: &CStr = c"height";
    pub(super) const COLOR_FORMAT: &CStr = c"color-format";
    pub(super) const STRIDE: &CStr = c"stride";
    pub(super) const SLICE_HEIGHT: &CStr = c"slice-height";
    pub(super) const IMAGE_DATA: &CStr = c"image-data";
    pub(super) const BITRATE: &CStr = c"bitrate";
    pub(super) const BITRATE_MODE: &CStr = c"bitrate-mode";
    pub(super) const FRAME_RATE: &CStr = c"frame-rate";
    /// Seconds between keyframes.
    pub(super) const I_FRAME_INTERVAL: &CStr = c"i-frame-interval";
    /// 0: real time.
    pub(super) const PRIORITY: &CStr = c"priority";
    /// Encoder: pictures that may be queued before the first comes out.
    pub(super) const LATENCY: &CStr = c"latency";
    /// Decoder: holds back nothing that it need not (API level 30, ignored before).
    pub(super) const LOW_LATENCY: &CStr = c"low-latency";
    pub(super) const MAX_INPUT_SIZE: &CStr = c"max-input-size";
    pub(super) const PROFILE: &CStr = c"profile";
    pub(super) const LEVEL: &CStr = c"level";
    /// Of a running encoder.
    pub(super) const VIDEO_BITRATE: &CStr = c"video-bitrate";
    /// Of a running encoder.
    pub(super) const REQUEST_SYNC: &CStr = c"request-sync";
    pub(super) const CSD: [&CStr; 2] = [c"csd-0", c"csd-1"];

    /// `BITRATE_MODE_CBR`.
    pub(super) const CONSTANT_BITRATE: i32 = 2;
    /// `AVCProfileBaseline`.
    pub(super) const BASELINE: i32 = 1;
    /// `AVCLevel31`: 1280×720 at 30 frames per second.
    pub(super) const LEVEL_3_1: i32 = 0x200;
    /// `AVCLevel4`: 1920×1080 at 30 frames per second.
    pub(super) const LEVEL_4: i32 = 0x800;
}

fn mime(codec: VideoCodec) -> &'static CStr {
    match codec {
        VideoCodec::Vp8 => c"video/x-vnd.on2.vp8",
        VideoCodec::H264 => c"video/avc",
    }
}

/// The system's encoder.
///
/// # Errors
/// [`CodecError::Setup`] if the system has none for this codec and size, or none to spare.
pub(super) fn encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
    Ok(Box::new(Encoder::new(codec, config)?))
}

/// The system's decoder.
///
/// # Errors
/// [`CodecError::Setup`] if the system has none for this codec.
pub(super) fn decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
    let created = Codec::decoder(mime(codec)).map_err(|failure| setup(codec, failure))?;
    let sets = ParameterSets::default();
    Ok(Box::new(Decoder { codec, created: Some(created), running: None, sets, queued: 0 }))
}

fn setup(codec: VideoCodec, detail: impl ToString) -> CodecError {
    CodecError::Setup { codec, detail: detail.to_string() }
}

/// Constant bitrate, real time, keyframes only on demand.
struct Encoder {
    codec: VideoCodec,
    running: Codec,
    layout: BufferLayout,
    /// As configured.
    width: u32,
    height: u32,
    /// The upper left part of it that is encoded.
    encoded: (u32, u32),
    pending: Pending,
    /// Asked for and not passed on yet.
    keyframe: bool,
    sets: ParameterSets,
    /// Of a picture that comes in parts.
    part: Vec<u8>,
}

impl Encoder {
    fn new(codec: VideoCodec, config: EncoderConfig) -> Result<Self, CodecError> {
        let EncoderConfig { width, height, .. } = config;
        if width < 2 || height < 2 || width > MAX_DIMENSION || height > MAX_DIMENSION {
            return Err(setup(codec, FrameError::Size { width, height }));
        }
        let (running, layout, encoded) = start_encoder(codec, config).map_err(|failure| setup(codec, failure))?;
        let (pending, sets) = (Pending::new(MAX_PENDING), ParameterSets::default());
        let part = Vec::new();
        Ok(Self { codec, running, layout, width, height, encoded, pending, keyframe: false, sets, part })
    }

    fn failed(&self, detail: impl ToString) -> CodecError {
        CodecError::Encode { codec: self.codec, detail: detail.to_string() }
    }

    fn queue(&mut self, frame: &VideoFrame) -> Result<(), CodecError> {
        if self.keyframe {
            let request = Format::new().map(|format| format.with(key::REQUEST_SYNC, 0));
            request.and_then(|request| self.running.set(&request)).map_err(|failure| self.failed(failure))?;
        }
        // Without a free buffer the encoder is behind, and this picture is skipped.
        let Some(index) = self.running.input(WAIT).map_err(|failure| self.failed(failure))? else {
            self.pending.leave_out();
            return Ok(());
        };
        let (layout, encoded) = (self.layout, self.encoded);
        let written = self.running.input_bytes(index).map(|buffer| layout.write(frame, encoded, buffer));
        let size = written.map_err(|failure| self.failed(failure))?.map_err(|error| self.failed(error))?;
        let time = self.pending.push(frame.captured_at());
        self.running.queue(index, size, time).map_err(|failure| self.failed(failure))?;
        self.keyframe = false;
        Ok(())
    }

    /// The next picture that is ready, waiting at most so long for it.
    fn receive(&mut self, wait: Duration) -> Result<Option<EncodedFrame>, CodecError> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.running.output(left).map_err(|failure| self.failed(failure))? {
                Output::Nothing => return Ok(None),
                Output::FormatChanged => self.learn_format()?,
                Output::Buffer(index, info) => {
                    let part = &mut self.part;
                    let copied = self.running.output_bytes(index, info).map(|bytes| part.extend_from_slice(bytes));
                    copied.and_then(|()| self.running.release(index)).map_err(|failure| self.failed(failure))?;
                    if info.is_partial() {
                        continue;
                    }
                    let data = std::mem::take(&mut self.part);
                    if let Some(frame) = self.finish(data, info.is_config(), info.time_us) {
                        return Ok(Some(frame));
                    }
                }
            }
        }
    }

    /// Parameter sets come before the first picture, in a buffer of their own, in the format, or with the picture.
    fn learn_format(&mut self) -> Result<(), CodecError> {
        let format = self.running.output_format().map_err(|failure| self.failed(failure))?;
        if self.codec == VideoCodec::H264 {
            key::CSD.iter().filter_map(|key| format.bytes(key)).for_each(|set| {
                self.sets.update(&set);
            });
        }
        Ok(())
    }

    fn finish(&mut self, data: Vec<u8>, config: bool, time: i64) -> Option<EncodedFrame> {
        let (data, keyframe) = match self.codec {
            VideoCodec::Vp8 => (Bytes::from(data), None),
            VideoCodec::H264 => {
                self.sets.update(&data);
                let keyframe = has_idr(&data);
                (keep_parameter_sets(data, &self.sets), Some(keyframe))
            }
        };
        let keyframe = keyframe.unwrap_or_else(|| data.first().is_some_and(|first| first & 1 == 0));
        // Some put the first picture behind the parameter sets and call it all configuration.
        if data.is_empty() || config && !keyframe {
            return None;
        }
        let captured_at = self.pending.finish(time)?;
        let (width, height) = self.encoded;
        Some(EncodedFrame { codec: self.codec, data, keyframe, width, height, captured_at })
    }
}

impl VideoEncoder for Encoder {
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        if (frame.width(), frame.height()) != (self.width, self.height) {
            let (width, height) = (frame.width(), frame.height());
            return Err(self.failed(format!("made for {}×{}, got {width}×{height}", self.width, self.height)));
        }
        self.keyframe |= keyframe;
        // What was too late last time goes out now in place of this picture: so the encoder catches up.
        if let Some(late) = self.receive(Duration::ZERO)? {
            return Ok(Some(late));
        }
        if self.pending.is_stuck() {
            return Err(self.failed(format!("nothing came out for {MAX_PENDING} pictures")));
        }
        self.queue(frame)?;
        self.receive(WAIT)
    }

    fn set_bitrate(&mut self, bps: u32) -> Result<(), CodecError> {
        let format = Format::new().map(|format| format.with(key::VIDEO_BITRATE, possible_bitrate(bps)));
        format.and_then(|format| self.running.set(&format)).map_err(|failure| self.failed(failure))
    }

    /// MediaCodec has no such parameter: a running encoder reads the pace from the pictures' times.
    fn set_fps(&mut self, _: f64) -> Result<(), CodecError> {
        Ok(())
    }
}

fn possible_bitrate(bps: u32) -> i32 {
    bps.clamp(BITRATE.0, BITRATE.1).cast_signed()
}

/// An encoder that runs, where the pixels go, and the size of what it encodes.
type Started = (Codec, BufferLayout, (u32, u32));

/// An encoder of even size or, if it does not say how its input is padded, of whole macroblocks, which leave nothing to pad.
fn start_encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Started, Failure> {
    let even = (config.width & !1, config.height & !1);
    let (mut created, color) = start_encoder_of(codec, config, even)?;
    if let Some(layout) = stated_layout(&mut created, color, even) {
        return Ok((created, layout, even));
    }
    let whole = (config.width & !15, config.height & !15);
    if whole != even {
        // Hardware may have one of its encoders only.
        drop(created);
        created = start_encoder_of(codec, config, whole)?.0;
    }
    let layout = BufferLayout::of_color_format(color, whole.0 as usize, whole.1 as usize);
    let layout = layout.filter(|_| whole.0 > 0 && whole.1 > 0).ok_or(Failure::Null("layout of its input"))?;
    Ok((created, layout, whole))
}

/// Tries the formats of input that there may be, first with the profile that the answer promises, then with the encoder's own
/// choice, which by Android's compatibility definition is baseline too.
fn start_encoder_of(codec: VideoCodec, config: EncoderConfig, size: (u32, u32)) -> Result<(Codec, i32), Failure> {
    let profiles: &[bool] = if codec == VideoCodec::H264 { &[true, false] } else { &[false] };
    let mut last = Failure::Null("encoder");
    for (color, profile) in profiles.iter().flat_map(|profile| COLOR_FORMATS.map(|color| (color, *profile))) {
        // A codec that refused a format is in no state to be asked again.
        let mut created = Codec::encoder(mime(codec))?;
        match created.start(&encoder_format(codec, config, size, color, profile)?, true) {
            Ok(()) => return Ok((created, color)),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

fn encoder_format(
    codec: VideoCodec,
    config: EncoderConfig,
    (width, height): (u32, u32),
    color: i32,
    profile: bool,
) -> Result<Format, Failure> {
    let fps = if config.fps.is_finite() { config.fps.round().clamp(1.0, 240.0) as i32 } else { 30 };
    let format = Format::new()?
        .with_text(key::MIME, mime(codec))
        .with(key::WIDTH, width.cast_signed())
        .with(key::HEIGHT, height.cast_signed())
        .with(key::COLOR_FORMAT, color)
        .with(key::BITRATE, possible_bitrate(config.bitrate_bps))
        .with(key::BITRATE_MODE, key::CONSTANT_BITRATE)
        .with(key::FRAME_RATE, fps)
        .with(key::I_FRAME_INTERVAL, 3600)
        .with(key::PRIORITY, 0)
        .with(key::LATENCY, 1);
    if !profile {
        return Ok(format);
    }
    let level = if width * height > 1280 * 720 { key::LEVEL_4 } else { key::LEVEL_3_1 };
    Ok(format.with(key::PROFILE, key::BASELINE).with(key::LEVEL, level))
}

/// As a running encoder says; before API level 28 it says nothing.
fn stated_layout(codec: &mut Codec, color: i32, (width, height): (u32, u32)) -> Option<BufferLayout> {
    let format = codec.input_format()?;
    let color = format.get(key::COLOR_FORMAT).unwrap_or(color);
    let stated = format.count(key::STRIDE).is_some() && format.count(key::SLICE_HEIGHT).is_some();
    stated.then(|| padded_layout(&format, color, width as usize, height as usize)).flatten()
}

fn padded_layout(format: &Format, color: i32, width: usize, height: usize) -> Option<BufferLayout> {
    let stride = format.count(key::STRIDE).unwrap_or(width).max(width);
    let rows = format.count(key::SLICE_HEIGHT).unwrap_or(height).max(height);
    BufferLayout::of_color_format(color, stride, rows)
        .or_else(|| BufferLayout::of_image_data(&format.bytes(key::IMAGE_DATA)?))
}

/// Starts with a keyframe, and after damage with the next; made anew for each size.
struct Decoder {
    codec: VideoCodec,
    /// Made and not set up yet.
    created: Option<Codec>,
    /// `None` before the first keyframe and after an error.
    running: Option<Running>,
    sets: ParameterSets,
    queued: i64,
}

struct Running {
    codec: Codec,
    size: PictureSize,
    layout: Option<BufferLayout>,
}

impl Decoder {
    fn failed(&self, detail: impl ToString) -> CodecError {
        CodecError::Decode { codec: self.codec, detail: detail.to_string() }
    }

    /// The size that a keyframe announces; `None` for other pictures.
    fn announced(&mut self, data: &[u8]) -> Result<Option<PictureSize>, CodecError> {
        match self.codec {
            VideoCodec::Vp8 => keyframe_size(data).map_err(|error| self.failed(error)),
            VideoCodec::H264 => {
                self.sets.update(data);
                if !has_idr(data) || !self.sets.complete() {
                    return Ok(None);
                }
                let size = picture_size(&self.sets.sps);
                size.map(Some).ok_or_else(|| self.failed("a sequence parameter set of nonsense"))
            }
        }
    }

    fn decode_frame(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        let announced = self.announced(data)?;
        if let Some(size) = announced {
            size.check().map_err(|error| self.failed(error))?;
            if self.running.as_ref().is_none_or(|running| running.size != size) {
                self.running = None;
                let created = self.created.take().map_or_else(|| Codec::decoder(mime(self.codec)), Ok);
                let running = created.and_then(|created| Running::start(created, self.codec, size));
                self.running = Some(running.map_err(|failure| setup(self.codec, failure))?);
            }
        }
        let (codec, time) = (self.codec, self.queued);
        let Some(running) = &mut self.running else { return Ok(None) };
        self.queued += 1;
        // Sets that came in an access unit of their own stand before the picture now.
        let whole = if codec == VideoCodec::H264 && announced.is_some() {
            with_parameter_sets(data, &self.sets)
        } else {
            Cow::Borrowed(data)
        };
        running.decode(&whole, time, pool).map_err(|detail| CodecError::Decode { codec, detail })
    }
}

impl VideoDecoder for Decoder {
    fn decode(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        let result = self.decode_frame(data, pool);
        if result.is_err() {
            // What an error leaves in the references must not be built upon.
            self.running = None;
        }
        result
    }
}

impl Running {
    fn start(mut codec: Codec, kind: VideoCodec, size: PictureSize) -> Result<Self, Failure> {
        let bytes = size.width * size.height / 2 * 3;
        let format = Format::new()?
            .with_text(key::MIME, mime(kind))
            .with(key::WIDTH, size.width.cast_signed())
            .with(key::HEIGHT, size.height.cast_signed())
            .with(key::COLOR_FORMAT, COLOR_FORMATS[0])
            .with(key::MAX_INPUT_SIZE, bytes.max(64 * 1024).cast_signed())
            .with(key::PRIORITY, 0)
            .with(key::LOW_LATENCY, 1);
        codec.start(&format, false)?;
        Ok(Self { codec, size, layout: None })
    }

    fn decode(&mut self, data: &[u8], time: i64, pool: &FramePool) -> Result<Option<VideoFrame>, String> {
        let words = |failure: Failure| failure.to_string();
        let index = self.codec.input(WAIT).map_err(words)?.ok_or("the decoder takes nothing more")?;
        let buffer = self.codec.input_bytes(index).map_err(words)?;
        let have = buffer.len();
        let place = buffer.get_mut(..data.len());
        place.ok_or_else(|| format!("{} bytes for a buffer of {have}", data.len()))?.copy_from_slice(data);
        // The time has only to grow: the picture is stamped when it comes out.
        self.codec.queue(index, data.len(), time * 1000).map_err(words)?;
        let (mut newest, mut deadline) = (None, Instant::now() + WAIT);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.codec.output(left).map_err(words)? {
                Output::Nothing => return Ok(newest),
                Output::FormatChanged => self.layout = None,
                Output::Buffer(index, info) => {
                    let layout = self.output_layout()?;
                    let bytes = self.codec.output_bytes(index, info).map_err(words)?;
                    if !bytes.is_empty() {
                        let (width, height) = (self.size.width, self.size.height);
                        newest = Some(layout.read(bytes, (width, height), pool).map_err(|error| error.to_string())?);
                        // Take what else is there, since an older picture is of no use, but wait for no more.
                        deadline = Instant::now();
                    }
                    self.codec.release(index).map_err(words)?;
                }
            }
        }
    }

    fn output_layout(&mut self) -> Result<BufferLayout, String> {
        if let Some(layout) = self.layout {
            return Ok(layout);
        }
        let format = self.codec.output_format().map_err(|failure| failure.to_string())?;
        let color = format.get(key::COLOR_FORMAT).unwrap_or(COLOR_FORMATS[0]);
        // Width and height are those of the buffer, which may be larger than what is to be seen.
        let width = format.count(key::WIDTH).unwrap_or(0).max(self.size.width as usize);
        let height = format.count(key::HEIGHT).unwrap_or(0).max(self.size.height as usize);
        let layout = padded_layout(&format, color, width, height);
        self.layout = layout;
        layout.ok_or_else(|| format!("pictures in color format {color:#x}"))
    }
}
