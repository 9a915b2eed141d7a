//! Pictures: what cameras give, what encoders take, what decoders give and renderers take.
//!
//! Inside the core every picture is I420 in a pooled buffer. Whatever a camera gives ([`RawFrame`]) is brought there by one
//! pass over its pixels, copy and conversion in one, and goes back to the pool when the last holder lets go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// Largest width or height accepted, in pixels.
pub const MAX_DIMENSION: u32 = 8192;

/// How a camera lays out its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Three planes: Y, then U and V at half width and half height.
    I420,
    /// Two planes: Y, then interleaved U V at half width and half height.
    Nv12,
    /// Two planes: Y, then interleaved V U at half width and half height.
    Nv21,
    /// One plane: blue, green, red, alpha; one byte each.
    Bgra,
}

/// How far a picture must be turned clockwise to stand upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// Upright already.
    #[default]
    None,
    /// 90° clockwise.
    Cw90,
    /// Upside down.
    Cw180,
    /// 270° clockwise.
    Cw270,
}

impl Rotation {
    /// In degrees.
    pub fn degrees(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Cw90 => 90,
            Self::Cw180 => 180,
            Self::Cw270 => 270,
        }
    }
}

/// One plane of a picture: bytes and the distance from one row to the next, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The bytes; the last row may be shorter than `stride`.
    pub data: &'a [u8],
    /// From one row to the next, in bytes.
    pub stride: usize,
}

/// A picture lent by a camera for the time of one call.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'a> {
    /// Layout of `planes`.
    pub format: PixelFormat,
    /// As many as `format` has; the rest is ignored.
    pub planes: [Plane<'a>; 3],
    /// In pixels, before rotation.
    pub width: u32,
    /// In pixels, before rotation.
    pub height: u32,
    /// How far to turn it.
    pub rotation: Rotation,
    /// When it was captured.
    pub captured_at: Instant,
}

/// What is wrong with a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Zero, odd where the format needs even, or larger than [`MAX_DIMENSION`].
    #[error("impossible picture size {width}×{height}")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A row does not fit into the stride.
    #[error("plane {plane}: a stride of {stride} bytes is too short for rows of {row} bytes")]
    Stride {
        /// Index of the plane.
        plane: usize,
        /// As given.
        stride: usize,
        /// Needed.
        row: usize,
    },
    /// A plane has fewer bytes than its size says.
    #[error("plane {plane}: {have} bytes given, {need} needed")]
    TooShort {
        /// Index of the plane.
        plane: usize,
        /// As given.
        have: usize,
        /// Needed.
        need: usize,
    },
}

/// The pools there are, so that all can be trimmed.
static ALL_POOLS: Mutex<Vec<Weak<PoolShared>>> = Mutex::new(Vec::new());

/// Memory for pictures, used again and again.
#[derive(Debug, Clone)]
pub struct FramePool {
    shared: Arc<PoolShared>,
}

#[derive(Debug)]
struct PoolShared {
    free: Mutex<Vec<Vec<u8>>>,
    keep: usize,
}

impl PoolShared {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FramePool {
    /// A pool that keeps at most `keep` buffers that nobody uses.
    pub fn new(keep: usize) -> Self {
        let shared = Arc::new(PoolShared { free: Mutex::new(Vec::with_capacity(keep)), keep });
        let mut pools = ALL_POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&shared));
        Self { shared }
    }

    /// Gives the memory that nobody uses, of every pool of the process, back to the system; how many bytes. Pictures that
    /// follow take new memory: for systems that are short of it.
    pub fn trim_all() -> usize {
        let pools: Vec<_> =
            ALL_POOLS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        let free = pools.iter().map(|pool| std::mem::take(&mut *pool.lock()));
        free.flatten().map(|buffer| buffer.capacity()).sum()
    }

    /// A buffer for an I420 picture of this size, with contents left from before.
    ///
    /// # Errors
    /// [`FrameError::Size`] for a size of zero or over [`MAX_DIMENSION`].
    pub fn take(&self, width: u32, height: u32) -> Result<FrameBuffer, FrameError> {
        if width == 0 || height == 0 || width > MAX_DIMENSION || height > MAX_DIMENSION {
            return Err(FrameError::Size { width, height });
        }
        let layout = Layout::new(width, height);
        let mut data = self.shared.lock().pop().unwrap_or_default();
        data.resize(layout.bytes(), 0);
        Ok(FrameBuffer { data, layout, home: Arc::downgrade(&self.shared) })
    }
}

impl Default for FramePool {
    /// Keeps four: one at the camera, one at the encoder, two on their way.
    fn default() -> Self {
        Self::new(4)
    }
}

/// Sizes of an I420 picture without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    width: u32,
    height: u32,
}

impl Layout {
    fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
    fn chroma_width(self) -> usize {
        (self.width as usize).div_ceil(2)
    }
    fn chroma_height(self) -> usize {
        (self.height as usize).div_ceil(2)
    }
    fn luma_bytes(self) -> usize {
        self.width as usize * self.height as usize
    }
    fn chroma_bytes(self) -> usize {
        self.chroma_width() * self.chroma_height()
    }
    fn bytes(self) -> usize {
        self.luma_bytes() + 2 * self.chroma_bytes()
    }
}

/// An I420 picture that is being written.
#[derive(Debug)]
pub struct FrameBuffer {
    data: Vec<u8>,
    layout: Layout,
    home: Weak<PoolShared>,
}

impl FrameBuffer {
    /// Y, U and V, without padding between rows: strides are [`VideoFrame::stride_y`] and [`VideoFrame::stride_uv`].
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let (y, rest) = self.data.split_at_mut(self.layout.luma_bytes());
        let (u, v) = rest.split_at_mut(self.layout.chroma_bytes());
        (y, u, v)
    }

    /// In pixels.
    pub fn width(&self) -> u32 {
        self.layout.width
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        self.layout.height
    }

    /// Makes it a picture that can be shared.
    pub fn freeze(self, rotation: Rotation, captured_at: Instant) -> VideoFrame {
        VideoFrame { buffer: Arc::new(self), rotation, mirror: false, captured_at }
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        if let Some(pool) = self.home.upgrade() {
            let mut free = pool.lock();
            if free.len() < pool.keep {
                free.push(std::mem::take(&mut self.data));
            }
        }
    }
}

/// An I420 picture that is shared and no longer written (BT.601, limited range).
#[derive(Debug, Clone)]
pub struct VideoFrame {
    buffer: Arc<FrameBuffer>,
    rotation: Rotation,
    mirror: bool,
    captured_at: Instant,
}

impl VideoFrame {
    /// In pixels, before rotation.
    pub fn width(&self) -> u32 {
        self.buffer.layout.width
    }

    /// In pixels, before rotation.
    pub fn height(&self) -> u32 {
        self.buffer.layout.height
    }

    /// Luma, `height` rows of [`VideoFrame::stride_y`] bytes.
    pub fn y(&self) -> &[u8] {
        &self.buffer.data[..self.buffer.layout.luma_bytes()]
    }

    /// Blue difference, half the height (rounded up) of [`VideoFrame::stride_uv`] bytes.
    pub fn u(&self) -> &[u8] {
        let from = self.buffer.layout.luma_bytes();
        &self.buffer.data[from..from + self.buffer.layout.chroma_bytes()]
    }

    /// Red difference, like [`VideoFrame::u`].
    pub fn v(&self) -> &[u8] {
        &self.buffer.data[self.buffer.layout.luma_bytes() + self.buffer.layout.chroma_bytes()..]
    }

    /// Bytes from one luma row to the next.
    pub fn stride_y(&self) -> usize {
        self.buffer.layout.width as usize
    }

    /// Bytes from one chroma row to the next.
    pub fn stride_uv(&self) -> usize {
        self.buffer.layout.chroma_width()
    }

    /// How far the renderer must turn it.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// Whether the renderer should show it mirrored (the preview of a front camera).
    pub fn mirror(&self) -> bool {
        self.mirror
    }

    /// The same picture, to be shown mirrored or not.
    #[must_use]
    pub fn mirrored(mut self, mirror: bool) -> Self {
        self.mirror = mirror;
        self
    }

    /// The same picture at another time, at which it still stands.
    pub(crate) fn recaptured(mut self, at: Instant) -> Self {
        self.captured_at = at;
        self
    }

    /// When it was captured; for a received picture, when it was decoded.
    pub fn captured_at(&self) -> Instant {
        self.captured_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_everyone_let_go_of_lends_its_memory_to_the_next() {
        let pool = FramePool::new(2);
        let first = pool.take(64, 48).unwrap().freeze(Rotation::None, Instant::now());
        let address = first.y().as_ptr();
        let copy = first.clone();
        drop(first);
        assert_ne!(pool.take(64, 48).unwrap().planes_mut().0.as_ptr(), address, "a holder is left");
        drop(copy);
        assert_eq!(pool.take(64, 48).unwrap().planes_mut().0.as_ptr(), address);
    }

    #[test]
    fn odd_sizes_round_chroma_up_and_impossible_ones_are_refused() {
        let pool = FramePool::default();
        let frame = pool.take(5, 3).unwrap().freeze(Rotation::None, Instant::now());
        assert_eq!((frame.y().len(), frame.u().len(), frame.v().len()), (15, 6, 6));
        assert_eq!(pool.take(0, 3).unwrap_err(), FrameError::Size { width: 0, height: 3 });
        assert!(pool.take(MAX_DIMENSION + 1, 2).is_err());
    }

    #[test]
    fn a_pool_keeps_no_more_than_it_may_and_frames_outlive_it() {
        let pool = FramePool::new(1);
        let frames: Vec<_> = (0..3).map(|_| pool.take(8, 8).unwrap().freeze(Rotation::None, Instant::now())).collect();
        drop(frames);
        assert_eq!(pool.shared.free.lock().unwrap().len(), 1);
        let last = pool.take(8, 8).unwrap().freeze(Rotation::Cw90, Instant::now());
        drop(pool);
        assert_eq!((last.y().len(), last.rotation().degrees()), (64, 90));
    }

    #[test]
    fn memory_of_a_larger_frame_gives_a_smaller_one_planes_of_its_own_size() {
        let pool = FramePool::new(1);
        drop(pool.take(640, 480).unwrap());
        let small = pool.take(7, 5).unwrap().freeze(Rotation::None, Instant::now());
        assert_eq!((small.y().len(), small.u().len(), small.v().len()), (35, 12, 12));
        assert_eq!((small.stride_y(), small.stride_uv()), (7, 4));
    }

    #[test]
    fn the_mirror_mark_belongs_to_one_holder_and_not_to_the_pixels() {
        let frame = FramePool::default().take(2, 2).unwrap().freeze(Rotation::None, Instant::now());
        let preview = frame.clone().mirrored(true);
        assert!(preview.mirror() && !frame.mirror());
        assert_eq!(preview.y().as_ptr(), frame.y().as_ptr());
    }
}
