//! Apple's own codecs: VideoToolbox, H.264.
//!
//! **Compiled, not run**: there was no Apple device to run this on. It was type-checked, and each call held against Apple's
//! documentation of VideoToolbox, Core Media and Core Video; what works on Linux alike (byte streams, pixel layouts, pictures
//! under way) is in modules of its own and tested there.
//!
//! Both directions are made synchronous: the encoder is told to complete each picture, and the decoder decodes on the calling
//! thread. So a callback always runs while the call that caused it is waiting, and what it leaves behind is there afterwards.

use super::annexb::{ParameterSets, from_avcc, to_avcc, with_parameter_sets};
use super::layout::{PlaneMut, write_nv12};
use super::pending::Pending;
use super::sps::{PictureSize, picture_size};
use crate::media::frame::{FrameError, FramePool, MAX_DIMENSION, PixelFormat, Plane, RawFrame, Rotation, VideoFrame};
use crate::media::video::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec, VideoDecoder, VideoEncoder};
use crate::media::video::depacketize::has_idr;
use objc2_core_foundation::{CFArray, CFBoolean, CFDictionary, CFNumber, CFRetained, CFString, CFType};
use objc2_core_media::{
    CMBlockBuffer, CMFormatDescription, CMSampleBuffer, CMSampleTimingInfo, CMTime,
    CMVideoFormatDescriptionCreateFromH264ParameterSets, CMVideoFormatDescriptionGetH264ParameterSetAtIndex,
    kCMBlockBufferAssureMemoryNowFlag, kCMTimeInvalid, kCMVideoCodecType_H264,
};
use objc2_core_video::{
    CVImageBuffer, CVPixelBuffer, CVPixelBufferGetBaseAddressOfPlane, CVPixelBufferGetBytesPerRowOfPlane,
    CVPixelBufferGetHeight, CVPixelBufferGetHeightOfPlane, CVPixelBufferGetPixelFormatType, CVPixelBufferGetPlaneCount,
    CVPixelBufferGetWidth, CVPixelBufferLockBaseAddress, CVPixelBufferLockFlags, CVPixelBufferPool,
    CVPixelBufferUnlockBaseAddress, kCVPixelBufferPixelFormatTypeKey, kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
};
use objc2_video_toolbox::{
    VTCompressionSession, VTDecodeFrameFlags, VTDecodeInfoFlags, VTDecompressionOutputCallbackRecord,
    VTDecompressionSession, VTEncodeInfoFlags, VTSessionSetProperty, kVTCompressionPropertyKey_AllowFrameReordering,
    kVTCompressionPropertyKey_AverageBitRate, kVTCompressionPropertyKey_DataRateLimits,
    kVTCompressionPropertyKey_ExpectedFrameRate, kVTCompressionPropertyKey_MaxKeyFrameInterval,
    kVTCompressionPropertyKey_MaxKeyFrameIntervalDuration, kVTCompressionPropertyKey_ProfileLevel,
    kVTCompressionPropertyKey_RealTime, kVTEncodeFrameOptionKey_ForceKeyFrame,
    kVTProfileLevel_H264_ConstrainedBaseline_AutoLevel,
};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Ticks per second of the times that are given to the codecs.
const TIMESCALE: i32 = 1_000_000;
/// Longest time without a keyframe that nobody asked for, in pictures and in seconds.
const KEYFRAME_INTERVAL: (i32, f64) = (7200, 240.0);
/// Bits per second that the encoder can work with.
const BITRATE: (u32, u32) = (10_000, 100_000_000);
/// What a second may have at most, against the target.
const PEAK: f64 = 1.5;

type OSStatus = i32;

fn setup(detail: impl ToString) -> CodecError {
    CodecError::Setup { codec: VideoCodec::H264, detail: detail.to_string() }
}

fn encode(detail: impl ToString) -> CodecError {
    CodecError::Encode { codec: VideoCodec::H264, detail: detail.to_string() }
}

fn decode(detail: impl ToString) -> CodecError {
    CodecError::Decode { codec: VideoCodec::H264, detail: detail.to_string() }
}

fn done(what: &str, status: OSStatus) -> Result<(), String> {
    if status == 0 { Ok(()) } else { Err(format!("{what}: OSStatus {status}")) }
}

/// The system's encoder.
///
/// # Errors
/// [`CodecError::NotBuilt`] for VP8, [`CodecError::Setup`] if the system refuses the configuration.
pub(super) fn encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
    match codec {
        VideoCodec::H264 => Ok(Box::new(Encoder::new(config)?)),
        VideoCodec::Vp8 => Err(CodecError::NotBuilt(codec)),
    }
}

/// The system's decoder.
///
/// # Errors
/// [`CodecError::NotBuilt`] for VP8.
pub(super) fn decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
    match codec {
        VideoCodec::H264 => Ok(Box::new(Decoder { sets: ParameterSets::default(), running: None })),
        VideoCodec::Vp8 => Err(CodecError::NotBuilt(codec)),
    }
}

/// Where a callback leaves what it was given. Boxed by its owner, so that the address stays.
struct Slot<T>(Mutex<Option<Result<T, OSStatus>>>);

impl<T> Slot<T> {
    fn new() -> Box<Self> {
        Box::new(Self(Mutex::new(None)))
    }

    fn context(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn put(&self, output: Result<T, OSStatus>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
    }

    fn take(&self) -> Option<Result<T, OSStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What VideoToolbox made of one picture.
struct Compressed {
    time: i64,
    /// With start codes.
    data: Vec<u8>,
    sets: ParameterSets,
}

/// Real time, constrained baseline, no reordering, keyframes only on demand.
struct Encoder {
    session: CFRetained<VTCompressionSession>,
    output: Box<Slot<Compressed>>,
    /// As configured; what is encoded is even.
    width: u32,
    height: u32,
    pending: Pending,
}

// SAFETY: VideoToolbox binds no session to a thread; it has only to be used by one at a time, which `&mut` sees to.
unsafe impl Send for Encoder {}

impl Encoder {
    fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let EncoderConfig { width, height, .. } = config;
        if width < 2 || height < 2 || width > MAX_DIMENSION || height > MAX_DIMENSION {
            return Err(setup(FrameError::Size { width, height }));
        }
        let output = Slot::new();
        let session = compression_session(width & !1, height & !1, output.context()).map_err(setup)?;
        // From here on, dropping the encoder ends the session.
        let mut encoder = Self { session, output, width, height, pending: Pending::new(1) };
        encoder.configure(config).map_err(setup)?;
        Ok(encoder)
    }

    fn configure(&mut self, config: EncoderConfig) -> Result<(), String> {
        // SAFETY: constants of the framework, there since iOS 15 and macOS 12 at the latest.
        let (real_time, reorder, profile_key, profile, interval, seconds) = unsafe {
            (
                kVTCompressionPropertyKey_RealTime,
                kVTCompressionPropertyKey_AllowFrameReordering,
                kVTCompressionPropertyKey_ProfileLevel,
                kVTProfileLevel_H264_ConstrainedBaseline_AutoLevel,
                kVTCompressionPropertyKey_MaxKeyFrameInterval,
                kVTCompressionPropertyKey_MaxKeyFrameIntervalDuration,
            )
        };
        self.set(real_time, CFBoolean::new(true))?;
        self.set(reorder, CFBoolean::new(false))?;
        self.set(profile_key, profile)?;
        self.prefer(interval, &CFNumber::new_i32(KEYFRAME_INTERVAL.0));
        self.prefer(seconds, &CFNumber::new_f64(KEYFRAME_INTERVAL.1));
        self.expect_fps(config.fps);
        self.aim_at(config.bitrate_bps)?;
        // SAFETY: a live session.
        done("the encoder cannot start", unsafe { self.session.prepare_to_encode_frames() })
    }

    fn set(&mut self, key: &CFString, value: &CFType) -> Result<(), String> {
        // SAFETY: a compression session is what these keys are for, and the callers give values of the type that Apple names.
        done(&key.to_string(), unsafe { VTSessionSetProperty(&self.session, key, Some(value)) })
    }

    /// Sets what not every encoder has.
    fn prefer(&mut self, key: &CFString, value: &CFType) {
        if let Err(error) = self.set(key, value) {
            log::debug!("VideoToolbox goes without: {error}");
        }
    }

    fn expect_fps(&mut self, fps: f64) {
        if fps.is_finite() && fps >= 1.0 {
            // SAFETY: a constant of the framework.
            let key = unsafe { kVTCompressionPropertyKey_ExpectedFrameRate };
            self.prefer(key, &CFNumber::new_f64(fps));
        }
    }

    fn aim_at(&mut self, bps: u32) -> Result<(), String> {
        // SAFETY: constants of the framework.
        let (average, limits) =
            unsafe { (kVTCompressionPropertyKey_AverageBitRate, kVTCompressionPropertyKey_DataRateLimits) };
        let bps = bps.clamp(BITRATE.0, BITRATE.1);
        self.set(average, &CFNumber::new_i64(i64::from(bps)))?;
        let bytes = CFNumber::new_i64((f64::from(bps) / 8.0 * PEAK) as i64);
        self.prefer(limits, &CFArray::from_objects(&[&*bytes, &*CFNumber::new_f64(1.0)]));
        Ok(())
    }

    fn encode_frame(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<Compressed>, String> {
        let image = self.fill(frame)?;
        let time = self.pending.push(frame.captured_at());
        // SAFETY: plain arithmetic on numbers; a constant of the framework.
        let (time, no_duration) = unsafe { (CMTime::new(time, TIMESCALE), kCMTimeInvalid) };
        // SAFETY: a constant of the framework.
        let force = unsafe { kVTEncodeFrameOptionKey_ForceKeyFrame };
        let options = CFDictionary::from_slices(&[force], &[CFBoolean::new(true)]);
        let options = keyframe.then(|| options.as_opaque());
        // SAFETY: a live session and picture, both kept by it as long as it needs them; times increase from call to call; the
        // options are of the type that Apple names. No reference comes back by the null pointers.
        let status = unsafe { self.session.encode_frame(&image, time, no_duration, options, null_mut(), null_mut()) };
        done("the encoder refuses a picture", status)?;
        // SAFETY: a live session. Returns when the callback has been called for this picture.
        done("the encoder does not finish", unsafe { self.session.complete_frames(time) })?;
        match self.output.take() {
            Some(Ok(compressed)) => Ok(Some(compressed)),
            Some(Err(0)) | None => Ok(None),
            Some(Err(status)) => Err(format!("the encoder fails: OSStatus {status}")),
        }
    }

    /// Copies a picture into memory that the encoder can work on.
    fn fill(&mut self, frame: &VideoFrame) -> Result<CFRetained<CVPixelBuffer>, String> {
        // SAFETY: a live session.
        let pool = unsafe { self.session.pixel_buffer_pool() }.ok_or("the encoder has no memory for pictures")?;
        let mut image = null_mut();
        // SAFETY: a live pool, and room for one address.
        let status = unsafe { CVPixelBufferPool::create_pixel_buffer(None, &pool, NonNull::from(&mut image)) };
        done("the encoder gives no memory for a picture", status)?;
        let image = NonNull::new(image).ok_or("the encoder gives no memory for a picture")?;
        // SAFETY: a new picture, whose one reference is ours.
        let image = unsafe { CFRetained::from_raw(image) };
        let even = (self.width & !1, self.height & !1);
        let mut locked = Locked::new(&image, CVPixelBufferLockFlags::empty())?;
        let [luma, chroma] = locked.planes_mut()?;
        write_nv12(frame, even, luma, chroma).map_err(|error| error.to_string())?;
        drop(locked);
        Ok(image)
    }
}

impl VideoEncoder for Encoder {
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        if (frame.width(), frame.height()) != (self.width, self.height) {
            let (width, height) = (frame.width(), frame.height());
            return Err(encode(format!("made for {}×{}, got {width}×{height}", self.width, self.height)));
        }
        let Some(Compressed { time, data, sets }) = self.encode_frame(frame, keyframe).map_err(encode)? else {
            return Ok(None);
        };
        let captured_at = self.pending.finish(time).unwrap_or(frame.captured_at());
        let keyframe = has_idr(&data);
        let data = with_parameter_sets(&data, &sets);
        let (width, height) = (self.width & !1, self.height & !1);
        let codec = VideoCodec::H264;
        Ok((!data.is_empty()).then_some(EncodedFrame { codec, data, keyframe, width, height, captured_at }))
    }

    fn set_bitrate(&mut self, bps: u32) -> Result<(), CodecError> {
        self.aim_at(bps).map_err(encode)
    }

    fn set_fps(&mut self, fps: f64) -> Result<(), CodecError> {
        self.expect_fps(fps);
        Ok(())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: a live session and a constant of the framework. No picture is under way afterwards, so that the callback
        // runs no more and the slot may go.
        unsafe {
            self.session.complete_frames(kCMTimeInvalid);
            self.session.invalidate();
        }
    }
}

fn compression_session(
    width: u32,
    height: u32,
    context: *mut c_void,
) -> Result<CFRetained<VTCompressionSession>, String> {
    let attributes = nv12_attributes();
    let (width, height) = (width.cast_signed(), height.cast_signed());
    let mut session = null_mut();
    // SAFETY: the callback has the type that VideoToolbox calls; the context is a slot that its owner keeps until the session
    // is invalidated; there is room for one address.
    let status = unsafe {
        VTCompressionSession::create(
            None,
            width,
            height,
            kCMVideoCodecType_H264,
            None,
            Some(attributes.as_opaque()),
            None,
            Some(compressed),
            context,
            NonNull::from(&mut session),
        )
    };
    done("no encoder", status)?;
    let session = NonNull::new(session).ok_or("no encoder")?;
    // SAFETY: a new session, whose one reference is ours.
    Ok(unsafe { CFRetained::from_raw(session) })
}

/// Two planes in limited range, which is what our pictures are.
fn nv12_attributes() -> CFRetained<CFDictionary<CFString, CFNumber>> {
    let format = CFNumber::new_i32(kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange.cast_signed());
    // SAFETY: a constant of the framework.
    let key = unsafe { kCVPixelBufferPixelFormatTypeKey };
    CFDictionary::from_slices(&[key], &[&format])
}

/// `VTCompressionOutputCallback`: nothing unwinds out of it.
unsafe extern "C-unwind" fn compressed(
    context: *mut c_void,
    _frame: *mut c_void,
    status: OSStatus,
    _flags: VTEncodeInfoFlags,
    sample: *mut CMSampleBuffer,
) {
    // SAFETY: the context that the session was made with, a slot that lives as long as the session does.
    let Some(slot) = (unsafe { context.cast::<Slot<Compressed>>().as_ref() }) else { return };
    // SAFETY: null, or a sample that lives during this call.
    let sample = unsafe { sample.as_ref() };
    // Without a sample and without an error the picture was dropped: status 0.
    let output = catch_unwind(AssertUnwindSafe(|| sample.filter(|_| status == 0).and_then(copy_sample)));
    slot.put(output.ok().flatten().ok_or(status));
}

fn copy_sample(sample: &CMSampleBuffer) -> Option<Compressed> {
    // SAFETY: a live sample.
    let (buffer, format, time) =
        unsafe { (sample.data_buffer()?, sample.format_description()?, sample.presentation_time_stamp()) };
    // SAFETY: a live buffer.
    let mut avcc = vec![0; unsafe { buffer.data_length() }];
    // SAFETY: exactly as many bytes as there is room for.
    let status = unsafe { buffer.copy_data_bytes(0, avcc.len(), NonNull::from(avcc.as_mut_slice()).cast()) };
    done("the encoder's output", status).ok()?;
    let (mut sets, mut length_bytes) = (ParameterSets::default(), 4);
    for (index, set) in [&mut sets.sps, &mut sets.pps].into_iter().enumerate() {
        let (mut data, mut size) = (null(), 0);
        // SAFETY: a live description of H.264; there is room for each answer.
        let status = unsafe {
            let length_bytes = &raw mut length_bytes;
            CMVideoFormatDescriptionGetH264ParameterSetAtIndex(
                &format,
                index,
                &mut data,
                &mut size,
                null_mut(),
                length_bytes,
            )
        };
        done("the encoder's parameter sets", status).ok().filter(|()| !data.is_null())?;
        // SAFETY: not null; the description owns so many bytes there as long as it lives.
        set.extend_from_slice(unsafe { std::slice::from_raw_parts(data, size) });
    }
    let data = from_avcc(&avcc, usize::try_from(length_bytes).ok()?)?;
    // The time was given in this scale and comes back as it was.
    let CMTime { value, timescale, .. } = time;
    (timescale == TIMESCALE).then_some(Compressed { time: value, data, sets })
}

/// A picture whose memory may be touched as long as this lives.
struct Locked<'a> {
    image: &'a CVPixelBuffer,
    flags: CVPixelBufferLockFlags,
}

impl<'a> Locked<'a> {
    fn new(image: &'a CVPixelBuffer, flags: CVPixelBufferLockFlags) -> Result<Self, String> {
        // SAFETY: a live picture, unlocked again with the same flags.
        done("the picture's memory", unsafe { CVPixelBufferLockBaseAddress(image, flags) })?;
        let locked = Self { image, flags };
        let format = CVPixelBufferGetPixelFormatType(image);
        if format != kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange || CVPixelBufferGetPlaneCount(image) != 2 {
            return Err(format!("a picture in format {format:#x}"));
        }
        Ok(locked)
    }

    /// Address, length and stride of a plane, whole rows.
    fn plane(&self, index: usize) -> Result<(NonNull<u8>, usize, usize), String> {
        let base = NonNull::new(CVPixelBufferGetBaseAddressOfPlane(self.image, index).cast::<u8>());
        let stride = CVPixelBufferGetBytesPerRowOfPlane(self.image, index);
        let bytes = stride.checked_mul(CVPixelBufferGetHeightOfPlane(self.image, index));
        base.zip(bytes).map(|(base, bytes)| (base, bytes, stride)).ok_or_else(|| format!("no plane {index}"))
    }

    fn planes(&self) -> Result<[Plane<'_>; 2], String> {
        let plane = |(base, bytes, stride): (NonNull<u8>, usize, usize)| {
            // SAFETY: Core Video has so many bytes there while the picture is locked, and nobody writes them then.
            Plane { data: unsafe { std::slice::from_raw_parts(base.as_ptr(), bytes) }, stride }
        };
        Ok([plane(self.plane(0)?), plane(self.plane(1)?)])
    }

    fn planes_mut(&mut self) -> Result<[PlaneMut<'_>; 2], String> {
        let (luma, chroma) = (self.plane(0)?, self.plane(1)?);
        if luma.0.addr().get().abs_diff(chroma.0.addr().get()) < luma.1.min(chroma.1) {
            return Err("planes that overlap".to_owned());
        }
        let plane = |(base, bytes, stride): (NonNull<u8>, usize, usize)| {
            // SAFETY: Core Video has so many bytes there while the picture is locked; it is ours alone, and its planes do not
            // overlap.
            PlaneMut { data: unsafe { std::slice::from_raw_parts_mut(base.as_ptr(), bytes) }, stride }
        };
        Ok([plane(luma), plane(chroma)])
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: locked with the same flags. There is nothing to do about a failure.
        unsafe { CVPixelBufferUnlockBaseAddress(self.image, self.flags) };
    }
}

/// Starts with a keyframe, and after damage with the next; made anew for new parameter sets.
struct Decoder {
    sets: ParameterSets,
    /// `None` before the first keyframe and after an error.
    running: Option<Running>,
}

struct Running {
    session: CFRetained<VTDecompressionSession>,
    format: CFRetained<CMFormatDescription>,
    output: Box<Slot<CFRetained<CVImageBuffer>>>,
    time: i64,
}

// SAFETY: VideoToolbox binds no session to a thread, and the callback runs only while the decoder waits in a call; all has only
// to be used by one thread at a time, which `&mut` sees to.
unsafe impl Send for Running {}

impl Decoder {
    fn decode_frame(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        let changed = self.sets.update(data);
        if has_idr(data) && self.sets.complete() && (changed || self.running.is_none()) {
            let size = picture_size(&self.sets.sps).ok_or_else(|| decode("a sequence parameter set of nonsense"))?;
            size.check().map_err(decode)?;
            self.running = None;
            self.running = Some(Running::start(&self.sets).map_err(setup)?);
        }
        let Some(running) = &mut self.running else { return Ok(None) };
        let avcc = to_avcc(data);
        if avcc.is_empty() {
            return Ok(None);
        }
        let Some(image) = running.decode(&avcc).map_err(decode)? else { return Ok(None) };
        copy_out(&image, pool).map(Some).map_err(decode)
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
    fn start(sets: &ParameterSets) -> Result<Self, String> {
        let format = format_description(sets)?;
        let output = Slot::new();
        let callback = VTDecompressionOutputCallbackRecord {
            decompressionOutputCallback: Some(decompressed),
            decompressionOutputRefCon: output.context(),
        };
        let attributes = nv12_attributes();
        let mut session = null_mut();
        // SAFETY: the callback has the type that VideoToolbox calls, and its record is copied; the context is a slot that lives
        // until the session is invalidated; there is room for one address.
        let status = unsafe {
            let attributes = Some(attributes.as_opaque());
            VTDecompressionSession::create(None, &format, None, attributes, &callback, NonNull::from(&mut session))
        };
        done("no decoder", status)?;
        let session = NonNull::new(session).ok_or("no decoder")?;
        // SAFETY: a new session, whose one reference is ours.
        let session = unsafe { CFRetained::from_raw(session) };
        Ok(Self { session, format, output, time: 0 })
    }

    fn decode(&mut self, avcc: &[u8]) -> Result<Option<CFRetained<CVImageBuffer>>, String> {
        let sample = self.sample(avcc)?;
        self.time += 1;
        let mut info = VTDecodeInfoFlags::empty();
        // SAFETY: a live session and sample. Without the flag for asynchronous work it returns after the callback.
        let status = unsafe { self.session.decode_frame(&sample, VTDecodeFrameFlags::empty(), null_mut(), &mut info) };
        let output = self.output.take();
        done("the decoder refuses a picture", status)?;
        match output {
            Some(Ok(image)) => Ok(Some(image)),
            Some(Err(0)) | None => Ok(None),
            Some(Err(status)) => Err(format!("the decoder fails: OSStatus {status}")),
        }
    }

    /// A copy of the bytes in Core Media's own memory, with a time that grows.
    fn sample(&self, avcc: &[u8]) -> Result<CFRetained<CMSampleBuffer>, String> {
        let mut block = null_mut();
        // SAFETY: without memory given, it allocates as much as asked for, at once; there is room for one address.
        let status = unsafe {
            CMBlockBuffer::create_with_memory_block(
                None,
                null_mut(),
                avcc.len(),
                None,
                null(),
                0,
                avcc.len(),
                kCMBlockBufferAssureMemoryNowFlag,
                NonNull::from(&mut block),
            )
        };
        done("no memory for a picture", status)?;
        let block = NonNull::new(block).ok_or("no memory for a picture")?;
        // SAFETY: a new buffer, whose one reference is ours.
        let block = unsafe { CFRetained::from_raw(block) };
        // SAFETY: exactly as many bytes as the buffer has; they are only read.
        let status = unsafe { CMBlockBuffer::replace_data_bytes(NonNull::from(avcc).cast(), &block, 0, avcc.len()) };
        done("no memory for a picture", status)?;
        // SAFETY: plain arithmetic on numbers; a constant of the framework.
        let (time, invalid) = unsafe { (CMTime::new(self.time, 30), kCMTimeInvalid) };
        let timing = CMSampleTimingInfo { duration: invalid, presentationTimeStamp: time, decodeTimeStamp: invalid };
        let (size, mut sample) = (avcc.len(), null_mut());
        // SAFETY: one sample with one timing and one size, which are copied; there is room for one address.
        let status = unsafe {
            let out = NonNull::from(&mut sample);
            CMSampleBuffer::create_ready(None, Some(&block), Some(&self.format), 1, 1, &timing, 1, &size, out)
        };
        done("no sample for a picture", status)?;
        let sample = NonNull::new(sample).ok_or("no sample for a picture")?;
        // SAFETY: a new sample, whose one reference is ours.
        Ok(unsafe { CFRetained::from_raw(sample) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: a live session. Nothing is under way afterwards, so that the callback runs no more and the slot may go.
        unsafe {
            self.session.wait_for_asynchronous_frames();
            self.session.invalidate();
        }
    }
}

fn format_description(sets: &ParameterSets) -> Result<CFRetained<CMFormatDescription>, String> {
    let mut pointers = [NonNull::from(sets.sps.as_slice()).cast::<u8>(), NonNull::from(sets.pps.as_slice()).cast()];
    let mut sizes = [sets.sps.len(), sets.pps.len()];
    let mut format = null();
    // SAFETY: two addresses with as many bytes as the two sizes say, all of which are copied; there is room for one address.
    let status = unsafe {
        CMVideoFormatDescriptionCreateFromH264ParameterSets(
            None,
            2,
            NonNull::from(&mut pointers).cast(),
            NonNull::from(&mut sizes).cast(),
            4,
            NonNull::from(&mut format),
        )
    };
    done("parameter sets that VideoToolbox does not take", status)?;
    let format = NonNull::new(format.cast_mut()).ok_or("no description of the format")?;
    // SAFETY: a new description, whose one reference is ours.
    Ok(unsafe { CFRetained::from_raw(format) })
}

/// `VTDecompressionOutputCallback`: nothing unwinds out of it.
unsafe extern "C-unwind" fn decompressed(
    context: *mut c_void,
    _frame: *mut c_void,
    status: OSStatus,
    _flags: VTDecodeInfoFlags,
    image: *mut CVImageBuffer,
    _time: CMTime,
    _duration: CMTime,
) {
    // SAFETY: the context that the session was made with, a slot that lives as long as the session does.
    let Some(slot) = (unsafe { context.cast::<Slot<CFRetained<CVImageBuffer>>>().as_ref() }) else { return };
    // SAFETY: a picture that lives during this call, and longer by the reference that is added.
    let image = NonNull::new(image).map(|image| unsafe { CFRetained::retain(image) });
    slot.put(image.filter(|_| status == 0).ok_or(status));
}

fn copy_out(image: &CVImageBuffer, pool: &FramePool) -> Result<VideoFrame, String> {
    let locked = Locked::new(image, CVPixelBufferLockFlags::ReadOnly)?;
    let [luma, chroma] = locked.planes()?;
    let dimension = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let size = PictureSize {
        width: dimension(CVPixelBufferGetWidth(image)),
        height: dimension(CVPixelBufferGetHeight(image)),
    };
    size.check().map_err(|error| error.to_string())?;
    let raw = RawFrame {
        format: PixelFormat::Nv12,
        planes: [luma, chroma, chroma],
        width: size.width,
        height: size.height,
        rotation: Rotation::None,
        captured_at: Instant::now(),
    };
    pool.copy_from(&raw).map_err(|error| error.to_string())
}
