//! VP8 by libvpx.

use super::codec::{
    CodecError, EncodedFrame, EncoderConfig, MAX_DECODED_PIXELS, VIDEO_CLOCK_RATE, VideoCodec, VideoDecoder,
    VideoEncoder,
};
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
/// A keyframe may take so many percent of a picture's share of the bitrate until its budget is told: at 30 frames per second
/// 150 ms worth of it; and whatever its budget is, at least so many.
const MAX_INTRA_PERCENT: u32 = 450;
const MIN_INTRA_PERCENT: u32 = 300;
/// The coarsest quantiser, 0 to 63; at so few pixels, where no smaller size is left, a coarser one.
const MAX_QUANTIZER: c_uint = 56;
const SMALL: u32 = 320 * 180;
const MAX_QUANTIZER_OF_SMALL: c_uint = 60;
/// Two pictures are told to be no further apart than a picture lasts, and a quarter, for a camera slower than thought; in quarters.
const LONGEST_GAP: i64 = 5;
/// Frames per second that make sense to libvpx.
const FPS: (f64, f64) = (1.0, 240.0);
/// Bits per second that make sense to libvpx.
const MIN_BITRATE: u32 = 10_000;

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

/// Realtime, constant bitrate, no look-ahead, keyframes only on demand.
pub(super) struct Vp8Encoder {
    context: Context,
    settings: Settings,
    width: u32,
    height: u32,
    /// The largest size that may be asked for.
    largest: (u32, u32),
    /// The pace that it was told, in pictures per second.
    fps: f64,
    /// How long a picture lasts, in ticks of [`VIDEO_CLOCK_RATE`].
    duration: c_ulong,
    /// The last picture's time, and its time as libvpx was told it, in ticks.
    clock: Option<(Instant, i64)>,
}

impl Vp8Encoder {
    pub(super) fn new(config: EncoderConfig, largest: (u32, u32)) -> Result<Self, CodecError> {
        let EncoderConfig { width, height, .. } = config;
        let largest = (largest.0.max(width), largest.1.max(height));
        if width == 0 || height == 0 || largest.0 > MAX_DIMENSION || largest.1 > MAX_DIMENSION {
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
        settings.rc_target_bitrate = kilobits(config.bitrate_bps);
        settings.rc_min_quantizer = 2;
        settings.rc_max_quantizer = max_quantizer((width, height));
        // libvpx keeps account without end of what it made too much, as where the coarsest quantiser is too fine for a slow path, and would
        // go on for seconds with half of a bitrate that has risen. The gate before the encoder has settled that account already.
        settings.rc_undershoot_pct = 20;
        settings.rc_overshoot_pct = 15;
        // Milliseconds of the bitrate. What the encoder may borrow stands in the pacer.
        settings.rc_buf_initial_sz = 300;
        settings.rc_buf_optimal_sz = 400;
        settings.rc_buf_sz = 600;
        // A picture that libvpx leaves out is missed more than the queue that it would have made: what the path cannot take is skipped at
        // the gate.
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
        let duration = ticks_per_frame(config.fps);
        let mut encoder = Self {
            context,
            settings: Settings(settings),
            width,
            height,
            largest,
            fps: config.fps,
            duration,
            clock: None,
        };
        let partitions = c_int::from(settings.g_threads > 1);
        encoder.control(vp8e_enc_control_id::VP8E_SET_CPUUSED, CPU_USED)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_STATIC_THRESHOLD, 1)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_NOISE_SENSITIVITY, 0)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_TOKEN_PARTITIONS, partitions)?;
        encoder.control(vp8e_enc_control_id::VP8E_SET_MAX_INTRA_BITRATE_PCT, MAX_INTRA_PERCENT as c_int)?;
        Ok(encoder)
    }

    /// Changes what libvpx takes from picture to picture.
    fn change(&mut self, change: impl FnOnce(&mut vpx_codec_enc_cfg_t)) -> Result<(), CodecError> {
        let old = self.settings.0;
        change(&mut self.settings.0);
        // SAFETY: the context is initialised; the configuration is that of the start but for values that may change.
        let code = unsafe { vpx_codec_enc_config_set(&mut *self.context.0, &self.settings.0) };
        if code == VPX_CODEC_OK {
            return Ok(());
        }
        self.settings.0 = old;
        Err(encode(self.context.detail(code)))
    }

    fn control(&mut self, id: vp8e_enc_control_id, value: c_int) -> Result<(), CodecError> {
        // SAFETY: the context is initialised, and each control used here takes one argument of the size of an int.
        let code = unsafe { vpx_codec_control_(&mut *self.context.0, id as c_int, value) };
        if code == VPX_CODEC_OK { Ok(()) } else { Err(setup(format!("{id:?}: {}", self.context.detail(code)))) }
    }

    /// Strictly increasing, whatever the camera's clock does. libvpx takes the time between two pictures for their pace, and gives each
    /// picture the bits of that time: after a pause, in which nothing was sent as the path was full, the next picture would fill it again,
    /// and where a clock has gone back pictures would have no bits until it is where it was.
    fn timestamp(&mut self, at: Instant) -> i64 {
        let Some((before, last)) = self.clock else {
            self.clock = Some((at, 0));
            return 0;
        };
        let usual = i64::try_from(self.duration).unwrap_or(i64::MAX);
        let ticks = match at.checked_duration_since(before).map(|since| since.as_nanos()) {
            Some(nanos @ 1..) => {
                i64::try_from(nanos * u128::from(VIDEO_CLOCK_RATE) / 1_000_000_000).unwrap_or(i64::MAX)
            }
            _ => usual,
        };
        let next = last.saturating_add(ticks.clamp(1, (usual / 4 * LONGEST_GAP).max(1)));
        self.clock = Some((at, next));
        next
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

fn max_quantizer((width, height): (u32, u32)) -> c_uint {
    if width * height <= SMALL { MAX_QUANTIZER_OF_SMALL } else { MAX_QUANTIZER }
}

fn kilobits(bps: u32) -> c_uint {
    bps.max(MIN_BITRATE).div_ceil(1000)
}

fn ticks_per_frame(fps: f64) -> c_ulong {
    let fps = if fps.is_finite() { fps.clamp(FPS.0, FPS.1) } else { 30.0 };
    (f64::from(VIDEO_CLOCK_RATE) / fps) as c_ulong
}

impl VideoEncoder for Vp8Encoder {
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        let (width, height) = (self.width, self.height);
        if (frame.width(), frame.height()) != (width, height) {
            let (got_width, got_height) = (frame.width(), frame.height());
            return Err(encode(format!("made for {width}×{height}, got {got_width}×{got_height}")));
        }
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
        let timestamp = self.timestamp(frame.captured_at());
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

    fn set_bitrate(&mut self, bps: u32) -> Result<(), CodecError> {
        self.change(|settings| settings.rc_target_bitrate = kilobits(bps))
    }

    fn set_fps(&mut self, fps: f64) -> Result<(), CodecError> {
        (self.fps, self.duration) = (fps, ticks_per_frame(fps));
        Ok(())
    }

    fn set_size(&mut self, width: u32, height: u32) -> Result<bool, CodecError> {
        if width == 0 || height == 0 || width > self.largest.0 || height > self.largest.1 {
            return Ok(false);
        }
        // libvpx could change its size, but would hold quantisers near the mean of all pictures before, and with it the bitrate for
        // seconds far below what a path that became faster carries. The first picture of a size is a keyframe anyway.
        let bitrate_bps = self.settings.0.rc_target_bitrate.saturating_mul(1000);
        let next = Self::new(EncoderConfig { width, height, fps: self.fps, bitrate_bps }, self.largest)?;
        *self = Self { clock: self.clock, ..next };
        Ok(true)
    }

    fn set_keyframe_budget(&mut self, bytes: u32) -> Result<(), CodecError> {
        // Of what one picture has at the bitrate and the pace of now.
        let seconds = self.duration as f64 / f64::from(VIDEO_CLOCK_RATE);
        let per_picture = f64::from(self.settings.0.rc_target_bitrate) * 125.0 * seconds;
        let percent = (f64::from(bytes) * 100.0 / per_picture.max(1.0)).clamp(f64::from(MIN_INTRA_PERCENT), 10_000.0);
        self.control(vp8e_enc_control_id::VP8E_SET_MAX_INTRA_BITRATE_PCT, percent as c_int)
    }

    fn quantizer(&mut self) -> Option<u32> {
        let mut quantizer: c_int = 0;
        // SAFETY: the context is initialised, and this control writes one int: the index that the frame's header has.
        let code = unsafe {
            let id = vp8e_enc_control_id::VP8E_GET_LAST_QUANTIZER as c_int;
            vpx_codec_control_(&mut *self.context.0, id, &raw mut quantizer)
        };
        (code == VPX_CODEC_OK).then_some(quantizer).and_then(|quantizer| u32::try_from(quantizer).ok())
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
