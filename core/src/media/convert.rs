//! Pixels in and out: whatever a camera lends becomes pooled I420 in one pass, and I420 becomes what screens and files want.
//!
//! All colour is BT.601 in limited range, which is what WebRTC endpoints assume of VP8 and of H.264 without colour
//! information. Odd sizes are accepted everywhere: chroma planes are rounded up.

mod geometry;
mod output;
mod scale;

use super::frame::{FrameBuffer, FrameError, FramePool, PixelFormat, Plane, RawFrame, VideoFrame};
use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

const RANGE: YuvRange = YuvRange::Limited;
const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;

impl FramePool {
    /// Copies a lent picture into pooled memory and brings it to I420, both in one pass.
    ///
    /// The last row of each plane may be shorter than its stride. Nothing is read beyond what the size needs.
    ///
    /// # Errors
    /// [`FrameError::Size`] for zero or more than [`super::frame::MAX_DIMENSION`], [`FrameError::Stride`] if a row does not fit
    /// its stride, [`FrameError::TooShort`] if a plane ends too early.
    pub fn copy_from(&self, raw: &RawFrame<'_>) -> Result<VideoFrame, FrameError> {
        let mut buffer = self.take(raw.width, raw.height)?;
        let size = Size::of(&buffer);
        let [first, second, third] = raw.planes;
        match raw.format {
            PixelFormat::I420 => {
                let luma = Rows::checked(0, first, size.width, size.height)?;
                let blue = Rows::checked(1, second, size.chroma_width, size.chroma_height)?;
                let red = Rows::checked(2, third, size.chroma_width, size.chroma_height)?;
                let (y, u, v) = buffer.planes_mut();
                luma.copy_to(y);
                blue.copy_to(u);
                red.copy_to(v);
            }
            PixelFormat::Nv12 | PixelFormat::Nv21 => {
                let luma = Rows::checked(0, first, size.width, size.height)?;
                let chroma = Rows::checked(1, second, 2 * size.chroma_width, size.chroma_height)?;
                let (y, u, v) = buffer.planes_mut();
                luma.copy_to(y);
                if raw.format == PixelFormat::Nv12 {
                    chroma.deinterleave(u, v);
                } else {
                    chroma.deinterleave(v, u);
                }
            }
            PixelFormat::Bgra => {
                let pixels = Rows::checked(0, first, 4 * size.width, size.height)?;
                pixels.bgra_to(&mut buffer, size)?;
            }
        }
        Ok(buffer.freeze(raw.rotation, raw.captured_at))
    }
}

/// Sizes of the planes of an I420 picture.
#[derive(Clone, Copy)]
struct Size {
    width: usize,
    height: usize,
    chroma_width: usize,
    chroma_height: usize,
}

impl Size {
    fn of(buffer: &FrameBuffer) -> Self {
        Self::new(buffer.width(), buffer.height())
    }

    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, chroma_width: width.div_ceil(2), chroma_height: height.div_ceil(2) }
    }
}

/// How many bytes a plane of `rows` rows needs at least; the last row may be short.
fn needed(plane: usize, stride: usize, row: usize, rows: usize) -> Result<usize, FrameError> {
    if stride < row {
        return Err(FrameError::Stride { plane, stride, row });
    }
    // A product that overflows is more than any memory has.
    Ok(stride.checked_mul(rows.saturating_sub(1)).and_then(|whole| whole.checked_add(row)).unwrap_or(usize::MAX))
}

/// A plane that is known to have all its rows.
struct Rows<'a> {
    data: &'a [u8],
    stride: usize,
    row: usize,
    rows: usize,
}

impl<'a> Rows<'a> {
    fn checked(index: usize, plane: Plane<'a>, row: usize, rows: usize) -> Result<Self, FrameError> {
        let need = needed(index, plane.stride, row, rows)?;
        if plane.data.len() < need {
            return Err(FrameError::TooShort { plane: index, have: plane.data.len(), need });
        }
        Ok(Self { data: &plane.data[..need], stride: plane.stride, row, rows })
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        let row = self.row;
        self.data.chunks(self.stride).map(move |chunk| &chunk[..row])
    }

    /// To a plane without padding.
    fn copy_to(&self, to: &mut [u8]) {
        if self.stride == self.row {
            to.copy_from_slice(self.data);
        } else {
            for (from, to) in self.iter().zip(to.chunks_exact_mut(self.row)) {
                to.copy_from_slice(from);
            }
        }
    }

    /// To two planes without padding.
    fn deinterleave(&self, even: &mut [u8], odd: &mut [u8]) {
        let half = self.row / 2;
        for ((from, even), odd) in self.iter().zip(even.chunks_exact_mut(half)).zip(odd.chunks_exact_mut(half)) {
            for ((pair, even), odd) in from.chunks_exact(2).zip(even).zip(odd) {
                *even = pair[0];
                *odd = pair[1];
            }
        }
    }

    fn bgra_to(&self, buffer: &mut FrameBuffer, size: Size) -> Result<(), FrameError> {
        let (y, u, v) = buffer.planes_mut();
        // The library walks whole strides, two rows at a time, and would silently leave out a short last row: those rows that
        // have no whole stride (or a stride that it cannot count) go by way of a small copy.
        let whole = match u32::try_from(self.stride) {
            Ok(_) if self.data.len() == self.stride * self.rows => self.rows,
            Ok(_) => (self.rows - 1) & !1,
            Err(_) => 0,
        };
        if whole > 0 {
            let luma = &mut y[..whole * size.width];
            let chroma = whole.div_ceil(2) * size.chroma_width;
            bgra_rows(self.data, self.stride, whole, luma, &mut u[..chroma], &mut v[..chroma], size)?;
        }
        let mut pair = Vec::with_capacity(2 * self.row);
        for from in (whole..self.rows).step_by(2) {
            let rows = (self.rows - from).min(2);
            pair.clear();
            for row in from..from + rows {
                pair.extend_from_slice(&self.data[row * self.stride..][..self.row]);
            }
            let luma = &mut y[from * size.width..][..rows * size.width];
            let chroma = from / 2 * size.chroma_width;
            let (u, v) = (&mut u[chroma..][..size.chroma_width], &mut v[chroma..][..size.chroma_width]);
            bgra_rows(&pair, self.row, rows, luma, u, v, size)?;
        }
        Ok(())
    }
}

fn bgra_rows(
    bgra: &[u8],
    stride: usize,
    rows: usize,
    y: &mut [u8],
    u: &mut [u8],
    v: &mut [u8],
    size: Size,
) -> Result<(), FrameError> {
    let (width, height) = (size.width as u32, rows as u32);
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: size.chroma_width as u32,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: size.chroma_width as u32,
        width,
        height,
    };
    yuv::bgra_to_yuv420(&mut image, bgra, stride as u32, RANGE, MATRIX, YuvConversionMode::Balanced)
        .map_err(|_| FrameError::Size { width, height: size.height as u32 })
}

#[cfg(test)]
mod tests;
