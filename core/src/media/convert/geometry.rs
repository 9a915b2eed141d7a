//! Turning and mirroring.

use super::Size;
use crate::media::frame::{FrameError, FramePool, Rotation, VideoFrame};

/// Columns and rows that are turned at a time, so that both sides stay in the cache.
const TILE: usize = 32;

impl VideoFrame {
    /// Width and height once it stands upright, in pixels.
    pub fn upright_size(&self) -> (u32, u32) {
        match self.rotation() {
            Rotation::None | Rotation::Cw180 => (self.width(), self.height()),
            Rotation::Cw90 | Rotation::Cw270 => (self.height(), self.width()),
        }
    }

    /// The picture turned upright: the same one (no copy) if it stands upright already.
    ///
    /// # Errors
    /// None that a frame from a [`FramePool`] can cause.
    pub fn rotated(&self, pool: &FramePool) -> Result<Self, FrameError> {
        if self.rotation() == Rotation::None {
            return Ok(self.clone());
        }
        let (width, height) = self.upright_size();
        let mut buffer = pool.take(width, height)?;
        let size = Size::new(self.width(), self.height());
        let (y, u, v) = buffer.planes_mut();
        turn(self.y(), size.width, size.height, self.rotation(), y);
        turn(self.u(), size.chroma_width, size.chroma_height, self.rotation(), u);
        turn(self.v(), size.chroma_width, size.chroma_height, self.rotation(), v);
        Ok(buffer.freeze(Rotation::None, self.captured_at()).mirrored(self.mirror()))
    }

    /// The picture with left and right exchanged in its pixels, as its viewer sees them once it stands upright. The mirror
    /// mark is taken off.
    ///
    /// # Errors
    /// None that a frame from a [`FramePool`] can cause.
    pub fn mirrored_pixels(&self, pool: &FramePool) -> Result<Self, FrameError> {
        let upright = self.rotated(pool)?;
        let mut buffer = pool.take(upright.width(), upright.height())?;
        let (y, u, v) = buffer.planes_mut();
        mirror(upright.y(), upright.stride_y(), y);
        mirror(upright.u(), upright.stride_uv(), u);
        mirror(upright.v(), upright.stride_uv(), v);
        Ok(buffer.freeze(Rotation::None, self.captured_at()))
    }
}

/// Turns a plane of `width`×`height` without padding.
fn turn(from: &[u8], width: usize, height: usize, rotation: Rotation, to: &mut [u8]) {
    match rotation {
        Rotation::None => to.copy_from_slice(from),
        Rotation::Cw180 => {
            for (from, to) in from.iter().rev().zip(to) {
                *to = *from;
            }
        }
        Rotation::Cw90 | Rotation::Cw270 => {
            for top in (0..height).step_by(TILE) {
                for left in (0..width).step_by(TILE) {
                    for x in left..(left + TILE).min(width) {
                        for y in top..(top + TILE).min(height) {
                            let (row, column) =
                                if rotation == Rotation::Cw90 { (x, height - 1 - y) } else { (width - 1 - x, y) };
                            to[row * height + column] = from[y * width + x];
                        }
                    }
                }
            }
        }
    }
}

fn mirror(from: &[u8], width: usize, to: &mut [u8]) {
    for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        for (from, to) in from.iter().rev().zip(to) {
            *to = *from;
        }
    }
}
