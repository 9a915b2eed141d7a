//! H.264 to pictures.

use super::super::annexb::{ParameterSets, to_avcc};
use super::super::sps::{PictureSize, picture_size};
use super::{Locked, OSStatus, Slot, done, nv12_attributes, setup};
use crate::media::frame::{FramePool, PixelFormat, RawFrame, Rotation, VideoFrame};
use crate::media::video::codec::{CodecError, VideoCodec, VideoDecoder};
use crate::media::video::depacketize::has_idr;
use objc2_core_foundation::CFRetained;
use objc2_core_media::{
    CMBlockBuffer, CMFormatDescription, CMSampleBuffer, CMSampleTimingInfo, CMTime,
    CMVideoFormatDescriptionCreateFromH264ParameterSets, kCMBlockBufferAssureMemoryNowFlag, kCMTimeInvalid,
};
use objc2_core_video::{CVImageBuffer, CVPixelBufferGetHeight, CVPixelBufferGetWidth, CVPixelBufferLockFlags};
use objc2_video_toolbox::{
    VTDecodeFrameFlags, VTDecodeInfoFlags, VTDecompressionOutputCallbackRecord, VTDecompressionSession,
};
use std::ffi::c_void;
use std::ptr::{NonNull, null, null_mut};
use std::time::Instant;

fn decode(detail: impl ToString) -> CodecError {
    CodecError::Decode { codec: VideoCodec::H264, detail: detail.to_string() }
}

/// Starts with a keyframe, and after damage with the next; made anew for new parameter sets.
pub(super) struct Decoder {
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
    pub(super) fn new() -> Self {
        Self { sets: ParameterSets::default(), running: None }
    }

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
