//! I420 to what screens, encoders of the system and picture files take.

use super::{MATRIX, RANGE, Size, needed};
use crate::media::frame::{FrameError, VideoFrame};
use yuv::YuvPlanarImage;

impl VideoFrame {
    /// Writes it as NV12: `y`, and interleaved U V in `uv` at half width and height (rounded up). Strides are in bytes; the last
    /// row may be short; padding is left as it was. Rotation and mirror are not applied.
    ///
    /// # Errors
    /// [`FrameError::Stride`] or [`FrameError::TooShort`] if the destination has no room.
    pub fn write_nv12(&self, y: &mut [u8], stride_y: usize, uv: &mut [u8], stride_uv: usize) -> Result<(), FrameError> {
        let size = Size::new(self.width(), self.height());
        room(0, y, stride_y, size.width, size.height)?;
        room(1, uv, stride_uv, 2 * size.chroma_width, size.chroma_height)?;
        for (from, to) in self.y().chunks_exact(size.width).zip(y.chunks_mut(stride_y)) {
            to[..size.width].copy_from_slice(from);
        }
        let chroma = self.u().chunks_exact(size.chroma_width).zip(self.v().chunks_exact(size.chroma_width));
        for ((u, v), to) in chroma.zip(uv.chunks_mut(stride_uv)) {
            for ((u, v), pair) in u.iter().zip(v).zip(to.chunks_exact_mut(2)) {
                pair[0] = *u;
                pair[1] = *v;
            }
        }
        Ok(())
    }

    /// Writes it as BGRA, alpha 255. `stride` is in bytes; the last row must be whole. Rotation and mirror are not applied.
    ///
    /// # Errors
    /// [`FrameError::Stride`] or [`FrameError::TooShort`] if the destination has no room.
    pub fn write_bgra(&self, bgra: &mut [u8], stride: usize) -> Result<(), FrameError> {
        let row = 4 * self.width() as usize;
        let need = needed(0, stride, row, self.height() as usize)?.saturating_add(stride - row);
        if bgra.len() < need {
            return Err(FrameError::TooShort { plane: 0, have: bgra.len(), need });
        }
        let stride = u32::try_from(stride).map_err(|_| FrameError::Stride { plane: 0, stride, row })?;
        yuv::yuv420_to_bgra(&self.planar(), &mut bgra[..need], stride, RANGE, MATRIX).map_err(|_| self.impossible())
    }

    /// It as BGRA without padding, alpha 255. Rotation and mirror are not applied.
    ///
    /// # Errors
    /// None that a frame from a [`crate::media::frame::FramePool`] can cause.
    pub fn to_bgra8(&self) -> Result<Vec<u8>, FrameError> {
        let row = 4 * self.width() as usize;
        let mut bgra = vec![0; row * self.height() as usize];
        self.write_bgra(&mut bgra, row)?;
        Ok(bgra)
    }

    /// It as RGB, three bytes a pixel without padding. Rotation and mirror are not applied.
    ///
    /// # Errors
    /// None that a frame from a [`crate::media::frame::FramePool`] can cause.
    pub fn to_rgb8(&self) -> Result<Vec<u8>, FrameError> {
        let row = 3 * self.width();
        let mut rgb = vec![0; row as usize * self.height() as usize];
        yuv::yuv420_to_rgb(&self.planar(), &mut rgb, row, RANGE, MATRIX).map_err(|_| self.impossible())?;
        Ok(rgb)
    }

    fn planar(&self) -> YuvPlanarImage<'_, u8> {
        YuvPlanarImage {
            y_plane: self.y(),
            y_stride: self.stride_y() as u32,
            u_plane: self.u(),
            u_stride: self.stride_uv() as u32,
            v_plane: self.v(),
            v_stride: self.stride_uv() as u32,
            width: self.width(),
            height: self.height(),
        }
    }

    fn impossible(&self) -> FrameError {
        FrameError::Size { width: self.width(), height: self.height() }
    }
}

fn room(plane: usize, data: &[u8], stride: usize, row: usize, rows: usize) -> Result<(), FrameError> {
    let need = needed(plane, stride, row, rows)?;
    if data.len() < need {
        return Err(FrameError::TooShort { plane, have: data.len(), need });
    }
    Ok(())
}
