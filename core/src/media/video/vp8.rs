//! VP8 by libvpx.

use super::codec::{
    CodecError, EncodedFrame, EncoderConfig, MAX_DECODED_PIXELS, VIDEO_CLOCK_RATE, VideoCodec, VideoDecoder,
    VideoEncoder,
};
use super::rate_control::Quantizers;
use super::rate_controlled::{QuantizedEncoder, RateControlled};
use crate::media::frame::{FrameError, FramePool, MAX_DIMENSION, PixelFormat, Plane, RawFrame, Rotation, VideoFrame};
use bytes::Bytes;
use std::ffi::{CStr, c_int, c_uint, c_ulong};
use std::mem::MaybeUninit;
use std::time::Instant;
use vpx_sys::*;

/// Speed against quality: at −8 a 720p picture takes about 5.5 ms of one core, for 0.05 dB less than at −6.
const CPU_USED: c_int = -8;
/// Pictures of more pixels than this are encoded by two threads, if there are this many cores. libvpx's threads wait for each
/// other by spinning: where other work has the cores, two threads took 350 ms for a 720p picture and one took 11.
const ONE_THREAD: u32 = 1920 * 1088;
const CORES: usize = 4;
/// AC step sizes of libvpx's quantisers 0 to 63, which are every second or third of RFC 6386's 0 to 127, by those (section 14.1).
const STEPS: [(u8, u16); 64] = [
    (0, 4),
    (1, 5),
    (2, 6),
    (3, 7),
    (4, 8),
    (5, 9),
    (7, 11),
    (8, 12),
    (9, 13),
    (10, 14),
    (12, 16),
    (13, 17),
    (15, 19),
    (17, 21),
    (18, 22),
    (19, 23),
    (20, 24),
    (21, 25),
    (23, 27),
    (24, 28),
    (25, 29),
    (26, 30),
    (27, 31),
    (28, 32),
    (29, 33),
    (30, 34),
    (31, 35),
    (33, 37),
    (35, 39),
    (37, 41),
    (39, 43),
    (41, 45),
    (43, 47),
    (45, 49),
    (47, 51),
    (49, 53),
    (51, 55),
    (53, 57),
    (55, 60),
    (57, 64),
    (59, 68),
    (61, 72),
    (64, 78),
    (67, 84),
    (70, 90),
    (73, 96),
    (76, 102),
    (79, 108),
    (82, 114),
    (85, 122),
    (88, 131),
    (91, 140),
    (94, 149),
    (97, 158),
    (100, 167),
    (103, 177),
    (106, 189),
    (109, 201),
    (112, 213),
    (115, 225),
    (118, 239),
    (121, 254),
    (124, 269),
    (127, 284),
];

/// An initialised libvpx codec of either direction; freed when dropped.
struct Context(Box<vpx_codec_ctx_t>);

// SAFETY: libvpx binds no context to a thread; it has only to be used by one at a time, which `&mut` sees to.
unsafe impl Send for Context {}

impl Context {
    fn detail(&mut self, code: vpx_codec_err_t) -> String {
        // SAFETY: the context is initialised; both functions give static strings, strings of the context, or null.
        let (name, detail) = unsafe { (vpx_codec_err_to_string(code), vpx_codec_error_detail(&mut *self.0)) };
        let text = |text: *const std::ffi::c_char| {
            // SAFETY: not null, and terminated by zero as all of libvpx's strings are.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        };
        match (text(name), text(detail)) {
            (Some(name), Some(detail)) => format!("{name}: {detail}"),
            (Some(name), None) => name,
            _ => format!("code {code:?}"),
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: initialised by `vpx_codec_*_init_ver`, destroyed once.
        unsafe { vpx_codec_destroy(&mut *self.0) };
    }
}

fn setup(detail: impl Into<String>) -> CodecError {
    CodecError::Setup { codec: VideoCodec::Vp8, detail: detail.into() }
}

fn encode(detail: impl Into<String>) -> CodecError {
    CodecError::Encode { codec: VideoCodec::Vp8, detail: detail.into() }
}

fn decode(detail: impl Into<String>) -> CodecError {
    CodecError::Decode { codec: VideoCodec::Vp8, detail: detail.into() }
}

/// The configuration of an encoder.
struct Settings(vpx_codec_enc_cfg_t);

// SAFETY: its pointers are for two-pass encoding and stay null.
unsafe impl Send for Settings {}

/// Realtime, no look-ahead, keyframes on demand and for new scenes; the quantiser of each picture is ours: libvpx's own rate control takes
/// seconds to use a bitrate that has risen, and more than it has after one that has fallen.
///
/// # Errors
/// [`CodecError::Setup`] where libvpx refuses.
pub(super) fn encoder(config: EncoderConfig) -> Result<impl VideoEncoder, CodecError> {
    RateControlled::new(Vp8Encoder::new, config)
}

struct Vp8Encoder {
    context: Context,
    settings: Settings,
    width: u32,
    height: u32,
    /// How long a picture lasts, in ticks of [`VIDEO_CLOCK_RATE`].
    duration: c_ulong,
    /// The time of the next picture as libvpx is told it: in equal steps, since no bits follow from it.
    timestamp: i64,
}

impl Vp8Encoder {
    fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let EncoderConfig { width, height, .. } = config;
        if !is_possible(width, height) {
            return Err(setup(FrameError::Size { width, height }.to_string()));
        }
        let mut settings = MaybeUninit::<vpx_codec_enc_cfg_t>::zeroed();
        // SAFETY: a valid interface and room for a configuration; 0 is the only usage there is.
        let code = unsafe { vpx_codec_enc_config_default(vpx_codec_vp8_cx(), settings.as_mut_ptr(), 0) };
        if code != VPX_CODEC_OK {
            return Err(setup(format!("no defaults: {code:?}")));
        }
        // SAFETY: all of it was zeroed, and libvpx filled it in.
        let mut settings = unsafe { settings.assume_init() };
        (settings.g_w, settings.g_h) = (width, height);
        settings.g_timebase.num = 1;
        settings.g_timebase.den = VIDEO_CLOCK_RATE as c_int;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        settings.g_threads = if width * height > ONE_THREAD && cores >= CORES { 2 } else { 1 };
        settings.g_lag_in_frames = 0;
        settings.g_pass = vpx_enc_pass::VPX_RC_ONE_PASS;
        // What error resilience buys in compression lost is of no use here: after a loss nothing is decoded before a keyframe.
        settings.g_error_resilient = 0;
        settings.kf_mode = vpx_kf_mode::VPX_KF_DISABLED;
        settings.rc_end_usage = vpx_rc_mode::VPX_CBR;
        settings.rc_target_bitrate = config.bitrate_bps.div_ceil(1000);
        (settings.rc_min_quantizer, settings.rc_max_quantizer) = told(Self::FIRST_QUANTIZER);
        settings.rc_dropframe_thresh = 0;
        settings.rc_resize_allowed = 0;
        let mut context = Box::new(MaybeUninit::<vpx_codec_ctx_t>::zeroed());
        // SAFETY: zeroed memory of the right size, a valid interface and configuration, the version of these bindings.
        let code = unsafe {
            let version = VPX_ENCODER_ABI_VERSION as c_int;
            vpx_codec_enc_init_ver(context.as_mut_ptr(), vpx_codec_vp8_cx(), &settings, 0, version)
        };
        if code != VPX_CODEC_OK {
            return Err(setup(format!("{code:?}")));
        }
        // SAFETY: libvpx initialised it.
        let context = Context(unsafe { context.assume_init() });
        // A cast of a float saturates.
        let duration = (f64::from(VIDEO_CLOCK_RATE) / config.fps) as c_ulong;
        let mut encoder = Self { context, settings: Settings(settings), width, height, duration, timestamp: 0 };
        let partitions = c_int::from(settings.g_threads > 1);
        encoder.control(vp8e_enc_control_id::VP8E_SET_CPUUSED, CPU_USED)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_STATIC_THRESHOLD, 1)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_NOISE_SENSITIVITY, 0)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_TOKEN_PARTITIONS, partitions)?;
        Ok(encoder)
    }

    fn set_quantizer(&mut self, quantizer: i32) -> Result<(), CodecError> {
        let bounds = told(quantizer);
        if (self.settings.0.rc_min_quantizer, self.settings.0.rc_max_quantizer) == bounds {
            return Ok(());
        }
        (self.settings.0.rc_min_quantizer, self.settings.0.rc_max_quantizer) = bounds;
        // SAFETY: the context is initialised; the configuration is that of the start but for values that may change.
        let code = unsafe { vpx_codec_enc_config_set(&mut *self.context.0, &self.settings.0) };
        if code == VPX_CODEC_OK { Ok(()) } else { Err(encode(self.context.detail(code))) }
    }

    fn control(&mut self, id: vp8e_enc_control_id, value: c_int) -> Result<(), CodecError> {
        // SAFETY: the context is initialised, and each control used here takes one argument of the size of an int.
        let code = unsafe { vpx_codec_control_(&mut *self.context.0, id as c_int, value) };
        if code == VPX_CODEC_OK { Ok(()) } else { Err(setup(format!("{id:?}: {}", self.context.detail(code)))) }
    }

    /// The packets of the last picture; libvpx gives one.
    fn take_output(&mut self) -> (Option<Bytes>, bool) {
        let mut iterator: vpx_codec_iter_t = std::ptr::null();
        let (mut data, mut keyframe) = (None, false);
        loop {
            // SAFETY: the context is initialised and the iterator is its own.
            let packet = unsafe { vpx_codec_get_cx_data(&mut *self.context.0, &mut iterator) };
            // SAFETY: null or a packet that lives until the next call of the encoder.
            let Some(packet) = (unsafe { packet.as_ref() }) else { return (data, keyframe) };
            if packet.kind == vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                // SAFETY: the kind says which part of the union is there.
                let frame = unsafe { packet.data.frame };
                // SAFETY: libvpx owns so many bytes there until its next call.
                let bytes = unsafe { std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz as usize) };
                // A copy, since the memory is libvpx's own and written again with the next picture.
                data = Some(Bytes::copy_from_slice(bytes));
                keyframe |= frame.flags & VPX_FRAME_IS_KEY != 0;
            }
        }
    }
}

fn is_possible(width: u32, height: u32) -> bool {
    (1..=MAX_DIMENSION).contains(&width) && (1..=MAX_DIMENSION).contains(&height)
}

/// Both bounds of libvpx, which is left no choice.
fn told(quantizer: i32) -> (c_uint, c_uint) {
    let quantizer = c_uint::try_from(quantizer).unwrap_or(0);
    (quantizer, quantizer)
}

fn step(quantizer: i32) -> (u8, u16) {
    usize::try_from(quantizer).ok().and_then(|at| STEPS.get(at)).copied().unwrap_or(STEPS[STEPS.len() - 1])
}

impl QuantizedEncoder for Vp8Encoder {
    const CODEC: VideoCodec = VideoCodec::Vp8;
    /// At 63 libvpx would leave out coefficients by a bitrate of its own.
    const QUANTIZERS: Quantizers = Quantizers { range: 2..=62, step: |quantizer| f64::from(step(quantizer).1).log2() };
    const FIRST_QUANTIZER: i32 = 24;

    fn encode(
        &mut self,
        frame: &VideoFrame,
        keyframe: bool,
        quantizer: i32,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        self.set_quantizer(quantizer)?;
        let (width, height) = (self.width, self.height);
        let mut image = MaybeUninit::<vpx_image_t>::zeroed();
        // SAFETY: room for an image description; the memory is not looked at here. libvpx only reads pictures to encode.
        let wrapped = unsafe {
            let data = frame.y().as_ptr().cast_mut();
            vpx_img_wrap(image.as_mut_ptr(), vpx_img_fmt::VPX_IMG_FMT_I420, width, height, 1, data)
        };
        if wrapped.is_null() {
            return Err(encode("the picture cannot be described to libvpx"));
        }
        // SAFETY: zeroed, then filled in by libvpx.
        let mut image = unsafe { image.assume_init() };
        image.planes = [
            frame.y().as_ptr().cast_mut(),
            frame.u().as_ptr().cast_mut(),
            frame.v().as_ptr().cast_mut(),
            std::ptr::null_mut(),
        ];
        let (luma, chroma) = (frame.stride_y() as c_int, frame.stride_uv() as c_int);
        image.stride = [luma, chroma, chroma, 0];
        let timestamp = self.timestamp;
        self.timestamp = timestamp.saturating_add(i64::try_from(self.duration).unwrap_or(i64::MAX));
        let flags = if keyframe { i64::from(VPX_EFLAG_FORCE_KF) } else { 0 };
        // SAFETY: the planes have height, or half of it rounded up, whole rows of the strides given, by the frame's own layout;
        // they live until the end of this function, and without lag libvpx keeps no reference to them.
        let code = unsafe {
            let context = &mut *self.context.0;
            vpx_codec_encode(context, &image, timestamp, self.duration, flags, c_ulong::from(VPX_DL_REALTIME))
        };
        if code != VPX_CODEC_OK {
            return Err(encode(self.context.detail(code)));
        }
        let (data, keyframe) = self.take_output();
        let captured_at = frame.captured_at();
        Ok(data.filter(|data| !data.is_empty()).map(|data| EncodedFrame {
            codec: VideoCodec::Vp8,
            data,
            keyframe,
            width,
            height,
            captured_at,
        }))
    }

    /// By an encoder that is made anew: libvpx takes no size beyond that of its start, and the first picture of a size is a keyframe either way.
    fn set_size(&mut self, config: EncoderConfig) -> Result<bool, CodecError> {
        if !is_possible(config.width, config.height) {
            return Ok(false);
        }
        *self = Self::new(config)?;
        Ok(true)
    }

    fn in_stream(quantizer: i32) -> i32 {
        i32::from(step(quantizer).0)
    }
}

/// Decodes from the first keyframe on, and after damage from the next.
pub(super) struct Vp8Decoder {
    context: Context,
    /// Nothing but a keyframe can be decoded.
    needs_keyframe: bool,
}

impl Vp8Decoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self { context: Self::context()?, needs_keyframe: true })
    }

    fn context() -> Result<Context, CodecError> {
        let settings = vpx_codec_dec_cfg_t { threads: 1, w: 0, h: 0 };
        let mut context = Box::new(MaybeUninit::<vpx_codec_ctx_t>::zeroed());
        // SAFETY: zeroed memory of the right size, a valid interface and configuration, the version of these bindings.
        let code = unsafe {
            let version = VPX_DECODER_ABI_VERSION as c_int;
            vpx_codec_dec_init_ver(context.as_mut_ptr(), vpx_codec_vp8_dx(), &settings, 0, version)
        };
        if code != VPX_CODEC_OK {
            return Err(setup(format!("{code:?}")));
        }
        // SAFETY: libvpx initialised it.
        Ok(Context(unsafe { context.assume_init() }))
    }

    fn decode_keyframe_or_next(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        let size = c_uint::try_from(data.len()).map_err(|_| decode("more than 4 GB"))?;
        // SAFETY: the context is initialised; so many bytes can be read, and libvpx keeps no reference to them.
        let code = unsafe { vpx_codec_decode(&mut *self.context.0, data.as_ptr(), size, std::ptr::null_mut(), 0) };
        if code != VPX_CODEC_OK {
            return Err(decode(self.context.detail(code)));
        }
        let mut corrupted: c_int = 0;
        // SAFETY: the context is initialised, and this control writes one int.
        let code = unsafe {
            let id = vp8_dec_control_id::VP8D_GET_FRAME_CORRUPTED as c_int;
            vpx_codec_control_(&mut *self.context.0, id, &raw mut corrupted)
        };
        if code != VPX_CODEC_OK || corrupted != 0 {
            return Err(decode("the frame is damaged or builds on a damaged one"));
        }
        let mut iterator: vpx_codec_iter_t = std::ptr::null();
        // SAFETY: the context is initialised and the iterator is its own.
        let image = unsafe { vpx_codec_get_frame(&mut *self.context.0, &mut iterator) };
        // SAFETY: null or a picture that lives until the next call of the decoder.
        let Some(image) = (unsafe { image.as_ref() }) else { return Ok(None) };
        copy_out(image, pool).map(Some)
    }
}

impl VideoDecoder for Vp8Decoder {
    fn decode(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        match keyframe_size(data)? {
            Some((width, height)) if width * height > MAX_DECODED_PIXELS => {
                self.needs_keyframe = true;
                return Err(decode(format!("{width}×{height} is too large")));
            }
            Some(_) => {}
            None if self.needs_keyframe => return Ok(None),
            None => {}
        }
        let result = self.decode_keyframe_or_next(data, pool);
        if result.is_err() {
            // What an error leaves in the references must not be built upon.
            self.context = Self::context()?;
        }
        self.needs_keyframe = result.is_err();
        result
    }
}

/// Width and height in pixels if the frame is a keyframe (RFC 6386 section 9.1).
fn keyframe_size(data: &[u8]) -> Result<Option<(u32, u32)>, CodecError> {
    let first = *data.first().ok_or_else(|| decode("empty frame"))?;
    if first & 1 != 0 {
        return Ok(None);
    }
    let [w0, w1, h0, h1] = *data.get(6..10).and_then(|size| size.first_chunk()).ok_or_else(|| decode("short frame"))?;
    let size = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    let (width, height) = (size(w0, w1), size(h0, h1));
    if width == 0 || height == 0 || width > MAX_DIMENSION || height > MAX_DIMENSION {
        return Err(decode(FrameError::Size { width, height }.to_string()));
    }
    Ok(Some((width, height)))
}

/// Copies once: the memory is libvpx's own and a reference for pictures to come.
fn copy_out(image: &vpx_image_t, pool: &FramePool) -> Result<VideoFrame, CodecError> {
    let (width, height) = (image.d_w, image.d_h);
    if image.fmt != vpx_img_fmt::VPX_IMG_FMT_I420 || width > MAX_DIMENSION || height > MAX_DIMENSION {
        return Err(decode(format!("a picture of {width}×{height} in {:?}", image.fmt)));
    }
    let plane = |index: usize, row: u32, rows: u32| -> Result<Plane<'_>, CodecError> {
        let stride = usize::try_from(image.stride[index]).map_err(|_| decode("a picture that is upside down"))?;
        let (row, rows) = (row as usize, rows as usize);
        if image.planes[index].is_null() || stride < row || rows == 0 {
            return Err(decode("a plane is missing"));
        }
        // SAFETY: not null; libvpx has `rows` rows there, `stride` bytes apart, of at least `row` bytes, until its next call.
        let data = unsafe { std::slice::from_raw_parts(image.planes[index], stride * (rows - 1) + row) };
        Ok(Plane { data, stride })
    };
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let raw = RawFrame {
        format: PixelFormat::I420,
        planes: [plane(0, width, height)?, plane(1, half_width, half_height)?, plane(2, half_width, half_height)?],
        width,
        height,
        rotation: Rotation::None,
        captured_at: Instant::now(),
    };
    pool.copy_from(&raw).map_err(|error| decode(error.to_string()))
}
