//! Pictures out.

use crate::error::{ChamadaError, ErrorKind};
use chamada::media::frame::VideoFrame;
use chamada::media::photo::{PhotoError, PhotoFormat, encode_photo};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A picture that is to be shown: I420 (BT.601, limited range) in pooled memory of its own. Whoever has shown it releases it,
/// by `release` or by letting go of the object, so that its memory serves the next one.
#[derive(uniffi::Object)]
pub struct Frame {
    picture: Mutex<Option<Held>>,
}

struct Held {
    picture: VideoFrame,
    _one_of: Option<HeldGuard>,
}

/// Where a picture's bytes are and how to show them. Addresses are good until the frame is released or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct FrameLayout {
    /// In pixels, before rotation.
    pub width: u32,
    /// In pixels, before rotation.
    pub height: u32,
    /// How far to turn it clockwise to stand upright: 0, 90, 180 or 270.
    pub rotation_degrees: u32,
    /// Whether to show it mirrored, after rotation: the preview of a front camera.
    pub mirror: bool,
    /// Address of luma: `height` rows.
    pub y: u64,
    /// Address of blue difference: half as many rows, rounded up.
    pub u: u64,
    /// Address of red difference: as many rows as `u`.
    pub v: u64,
    /// Bytes from one luma row to the next.
    pub y_stride: u32,
    /// Bytes from one row of `u` or `v` to the next.
    pub uv_stride: u32,
    /// Nanoseconds since it was captured or, for a received picture, decoded.
    pub age_ns: u64,
}

#[uniffi::export]
impl Frame {
    /// Where its bytes are and how to show them.
    ///
    /// # Errors
    /// `CLOSED` after `release`.
    pub fn layout(&self) -> Result<FrameLayout, ChamadaError> {
        self.with(|picture| FrameLayout {
            width: picture.width(),
            height: picture.height(),
            rotation_degrees: picture.rotation().degrees(),
            mirror: picture.mirror(),
            y: picture.y().as_ptr() as u64,
            u: picture.u().as_ptr() as u64,
            v: picture.v().as_ptr() as u64,
            y_stride: picture.stride_y() as u32,
            uv_stride: picture.stride_uv() as u32,
            age_ns: u64::try_from(picture.captured_at().elapsed().as_nanos()).unwrap_or(u64::MAX),
        })
    }

    /// The picture, upright, as the bytes of a JPEG or PNG file. Takes some milliseconds.
    ///
    /// # Errors
    /// `CLOSED` after `release`.
    pub fn photo(&self, kind: PhotoKind) -> Result<Vec<u8>, ChamadaError> {
        // Not under the lock: somebody may want to release it meanwhile.
        let picture = self.with(VideoFrame::clone)?;
        Ok(encode_photo(&picture, kind.into())?)
    }

    /// Gives its memory back. A second time does nothing.
    pub fn release(&self) {
        *self.picture.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Frame {
    /// A frame that counts among those that a renderer holds.
    pub(crate) fn held(picture: VideoFrame, guard: HeldGuard) -> Self {
        Self { picture: Mutex::new(Some(Held { picture, _one_of: Some(guard) })) }
    }

    /// A frame that the app asked for.
    pub(crate) fn of(picture: VideoFrame) -> Self {
        Self { picture: Mutex::new(Some(Held { picture, _one_of: None })) }
    }

    fn with<T>(&self, look: impl FnOnce(&VideoFrame) -> T) -> Result<T, ChamadaError> {
        let held = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|held| look(&held.picture)).ok_or_else(|| ChamadaError::closed("frame"))
    }
}

/// How a photo is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PhotoKind {
    /// Smaller, with a little loss.
    Jpeg,
    /// Without loss.
    Png,
}

same_cases!(PhotoKind => PhotoFormat { Jpeg, Png });

impl From<PhotoError> for ChamadaError {
    fn from(error: PhotoError) -> Self {
        Self::new(ErrorKind::Internal, error)
    }
}

/// Counts frames that were handed over and are not released.
#[derive(Clone, Default)]
pub(crate) struct HeldCount(Arc<AtomicUsize>);

pub(crate) struct HeldGuard(Arc<AtomicUsize>);

impl HeldCount {
    /// One more, unless there are `most` already.
    pub(crate) fn take(&self, most: usize) -> Option<HeldGuard> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| (held < most).then_some(held + 1))
            .ok()
            .map(|_| HeldGuard(Arc::clone(&self.0)))
    }
}

impl Drop for HeldGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
