//! Pictures to H.264.

use super::super::annexb::{ParameterSets, from_avcc, keep_parameter_sets};
use super::super::layout::write_nv12;
use super::super::pending::Pending;
use super::{Locked, OSStatus, Slot, done, nv12_attributes, setup};
use crate::media::frame::{FrameError, MAX_DIMENSION, VideoFrame};
use crate::media::video::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec, VideoEncoder};
use crate::media::video::depacketize::has_idr;
use objc2_core_foundation::{CFArray, CFBoolean, CFDictionary, CFNumber, CFRetained, CFString, CFType};
use objc2_core_media::{
    CMSampleBuffer, CMTime, CMVideoFormatDescriptionGetH264ParameterSetAtIndex, kCMTimeInvalid, kCMVideoCodecType_H264,
};
use objc2_core_video::{CVPixelBuffer, CVPixelBufferLockFlags, CVPixelBufferPool};
use objc2_video_toolbox::{
    VTCompressionSession, VTEncodeInfoFlags, VTSessionSetProperty, kVTCompressionPropertyKey_AllowFrameReordering,
    kVTCompressionPropertyKey_AverageBitRate, kVTCompressionPropertyKey_DataRateLimits,
    kVTCompressionPropertyKey_ExpectedFrameRate, kVTCompressionPropertyKey_MaxKeyFrameInterval,
    kVTCompressionPropertyKey_MaxKeyFrameIntervalDuration, kVTCompressionPropertyKey_ProfileLevel,
    kVTCompressionPropertyKey_RealTime, kVTEncodeFrameOptionKey_ForceKeyFrame,
    kVTProfileLevel_H264_ConstrainedBaseline_AutoLevel,
};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};

/// Ticks per second of the times that are given to the codecs.
const TIMESCALE: i32 = 1_000_000;
/// Longest time without a keyframe that nobody asked for, in pictures and in seconds.
const KEYFRAME_INTERVAL: (i32, f64) = (7200, 240.0);
/// Bits per second that the encoder can work with.
const BITRATE: (u32, u32) = (10_000, 100_000_000);
/// What a second may have at most, against the target.
const PEAK: f64 = 1.5;

fn encode(detail: impl ToString) -> CodecError {
    CodecError::Encode { codec: VideoCodec::H264, detail: detail.to_string() }
}

/// What VideoToolbox made of one picture.
struct Compressed {
    time: i64,
    /// With start codes.
    data: Vec<u8>,
    sets: ParameterSets,
}

/// Real time, constrained baseline, no reordering, keyframes only on demand.
pub(super) struct Encoder {
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
    pub(super) fn new(config: EncoderConfig) -> Result<Self, CodecError> {
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
        let data = keep_parameter_sets(data, &sets);
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
