//! Apple's own codecs: VideoToolbox, H.264.
//!
//! **Compiled, not run**: there was no Apple device to run this on. It was type-checked, and each call held against Apple's
//! documentation of VideoToolbox, Core Media and Core Video; what works on Linux alike (byte streams, pixel layouts, pictures
//! under way) is in modules of its own and tested there.
//!
//! Both directions are made synchronous: the encoder is told to complete each picture, and the decoder decodes on the calling
//! thread. So a callback always runs while the call that caused it is waiting, and what it leaves behind is there afterwards.

mod decoder;
mod encoder;

use super::layout::PlaneMut;
use crate::media::frame::Plane;
use crate::media::video::codec::{CodecError, EncoderConfig, VideoCodec, VideoDecoder, VideoEncoder};
use objc2_core_foundation::{CFDictionary, CFNumber, CFRetained, CFString};
use objc2_core_video::{
    CVPixelBuffer, CVPixelBufferGetBaseAddressOfPlane, CVPixelBufferGetBytesPerRowOfPlane,
    CVPixelBufferGetHeightOfPlane, CVPixelBufferGetPixelFormatType, CVPixelBufferGetPlaneCount,
    CVPixelBufferLockBaseAddress, CVPixelBufferLockFlags, CVPixelBufferUnlockBaseAddress,
    kCVPixelBufferPixelFormatTypeKey, kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

type OSStatus = i32;

fn setup(detail: impl ToString) -> CodecError {
    CodecError::Setup { codec: VideoCodec::H264, detail: detail.to_string() }
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
        VideoCodec::H264 => Ok(Box::new(encoder::Encoder::new(config)?)),
        VideoCodec::Vp8 => Err(CodecError::NotBuilt(codec)),
    }
}

/// The system's decoder.
///
/// # Errors
/// [`CodecError::NotBuilt`] for VP8.
pub(super) fn decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
    match codec {
        VideoCodec::H264 => Ok(Box::new(decoder::Decoder::new())),
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

/// Two planes in limited range, which is what our pictures are.
fn nv12_attributes() -> CFRetained<CFDictionary<CFString, CFNumber>> {
    let format = CFNumber::new_i32(kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange.cast_signed());
    // SAFETY: a constant of the framework.
    let key = unsafe { kCVPixelBufferPixelFormatTypeKey };
    CFDictionary::from_slices(&[key], &[&format])
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
