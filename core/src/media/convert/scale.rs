//! Other sizes: each new pixel is the average of the area that it covers in the old picture.

use super::Size;
use crate::media::frame::{FrameBuffer, FrameError, FramePool, VideoFrame};
use std::ops::Range;

/// The sum of a pixel's weights.
const ONE: u32 = 256;
/// Luma and chroma of black.
const BLACK: (u8, u8) = (16, 128);

impl VideoFrame {
    /// The picture in another size; its proportions may change. Rotation and mirror are kept as marks.
    ///
    /// # Errors
    /// [`FrameError::Size`] for a size of zero or over [`crate::media::frame::MAX_DIMENSION`].
    pub fn scaled(&self, pool: &FramePool, width: u32, height: u32) -> Result<Self, FrameError> {
        if (width, height) == (self.width(), self.height()) {
            return Ok(self.clone());
        }
        let mut buffer = pool.take(width, height)?;
        self.scale_into(&mut buffer, Area { left: 0, top: 0, width: width as usize, height: height as usize });
        Ok(buffer.freeze(self.rotation(), self.captured_at()).mirrored(self.mirror()))
    }

    /// The picture in another size with its own proportions, centred between black bars. Rotation and mirror are kept as marks.
    ///
    /// # Errors
    /// [`FrameError::Size`] for a size of zero or over [`crate::media::frame::MAX_DIMENSION`].
    pub fn letterboxed(&self, pool: &FramePool, width: u32, height: u32) -> Result<Self, FrameError> {
        if (width, height) == (self.width(), self.height()) {
            return Ok(self.clone());
        }
        let mut buffer = pool.take(width, height)?;
        let (y, u, v) = buffer.planes_mut();
        y.fill(BLACK.0);
        u.fill(BLACK.1);
        v.fill(BLACK.1);
        self.scale_into(&mut buffer, fitted((self.width(), self.height()), (width, height)));
        Ok(buffer.freeze(self.rotation(), self.captured_at()).mirrored(self.mirror()))
    }

    fn scale_into(&self, buffer: &mut FrameBuffer, area: Area) {
        let (from, to) = (Size::new(self.width(), self.height()), Size::of(buffer));
        let chroma = Area {
            left: area.left / 2,
            top: area.top / 2,
            width: area.width.div_ceil(2).min(to.chroma_width - area.left / 2),
            height: area.height.div_ceil(2).min(to.chroma_height - area.top / 2),
        };
        let (y, u, v) = buffer.planes_mut();
        scale_plane(self.y(), (from.width, from.height), y, to.width, area);
        scale_plane(self.u(), (from.chroma_width, from.chroma_height), u, to.chroma_width, chroma);
        scale_plane(self.v(), (from.chroma_width, from.chroma_height), v, to.chroma_width, chroma);
    }
}

/// Where in the new picture the old one goes, in pixels.
#[derive(Clone, Copy)]
struct Area {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// The largest area of the same proportions, centred at even pixels so that chroma falls into place.
fn fitted(from: (u32, u32), to: (u32, u32)) -> Area {
    let (from_width, from_height) = (u64::from(from.0), u64::from(from.1));
    let (to_width, to_height) = (u64::from(to.0), u64::from(to.1));
    let (width, height) = if from_width * to_height >= from_height * to_width {
        (to_width, (from_height * to_width / from_width).max(1))
    } else {
        ((from_width * to_height / from_height).max(1), to_height)
    };
    let (left, top) = (((to_width - width) / 2) & !1, ((to_height - height) / 2) & !1);
    Area { left: left as usize, top: top as usize, width: width as usize, height: height as usize }
}

/// Which old pixels a new one covers along one axis, and how much of each.
struct Taps {
    first: usize,
    /// Where its weights lie among those of all.
    weights: Range<usize>,
}

/// The taps of all new pixels, and their weights in one piece, which is quicker to walk than many small ones.
fn taps(from: usize, to: usize) -> (Vec<Taps>, Vec<u32>) {
    let mut all = Vec::with_capacity(from + to);
    let taps = (0..to)
        .map(|index| {
            // Positions in units of 1/to of an old pixel.
            let (start, end) = (index * from, (index + 1) * from);
            let (first, last) = (start / to, (end - 1) / to);
            let begin = all.len();
            let (mut left, mut covered) = (ONE, 0);
            for pixel in first..=last {
                covered += ((pixel + 1) * to).min(end) - (pixel * to).max(start);
                // Rounding the running sum makes all weights add up to exactly one.
                let rest = ONE - (covered * ONE as usize / (end - start)) as u32;
                all.push(left - rest);
                left = rest;
            }
            Taps { first, weights: begin..all.len() }
        })
        .collect();
    (taps, all)
}

fn scale_plane(from: &[u8], (width, height): (usize, usize), to: &mut [u8], stride: usize, area: Area) {
    let (columns, column_weights) = taps(width, area.width);
    let (rows, row_weights) = taps(height, area.height);
    let mut sums = vec![0u32; width];
    for (taps, to) in rows.iter().zip(to.chunks_exact_mut(stride).skip(area.top)) {
        sums.fill(0);
        for (row, weight) in from.chunks_exact(width).skip(taps.first).zip(&row_weights[taps.weights.clone()]) {
            for (sum, pixel) in sums.iter_mut().zip(row) {
                *sum += weight * u32::from(*pixel);
            }
        }
        for (pixel, taps) in to[area.left..].iter_mut().zip(&columns) {
            let mut sum = ONE * ONE / 2;
            for (part, weight) in sums[taps.first..].iter().zip(&column_weights[taps.weights.clone()]) {
                sum += part * weight;
            }
            *pixel = (sum / (ONE * ONE)) as u8;
        }
    }
}
