//! Simple shapes into I420, clipped to the picture.

use super::font;
use crate::media::frame::FrameBuffer;

/// A colour as BT.601 limited range Y, U, V.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

impl Colour {
    pub(super) const WHITE: Self = Self(235, 128, 128);
    pub(super) const BLACK: Self = Self(16, 128, 128);

    /// From red, green and blue, each 0 to 255 (ITU-R BT.601 in fixed point).
    pub(super) fn rgb(red: u8, green: u8, blue: u8) -> Self {
        let (r, g, b) = (i32::from(red), i32::from(green), i32::from(blue));
        let part = |sum: i32, offset: i32| (((sum + 128) >> 8) + offset).clamp(0, 255) as u8;
        Self(
            part(66 * r + 129 * g + 25 * b, 16),
            part(-38 * r - 74 * g + 112 * b, 128),
            part(112 * r - 94 * g - 18 * b, 128),
        )
    }
}

/// Fills columns `left..right` of rows `top..bottom`.
pub(super) fn rectangle(
    buffer: &mut FrameBuffer,
    (left, top): (usize, usize),
    (right, bottom): (usize, usize),
    Colour(luma, blue, red): Colour,
) {
    let (width, height) = (buffer.width() as usize, buffer.height() as usize);
    let (right, bottom) = (right.min(width), bottom.min(height));
    if left >= right || top >= bottom {
        return;
    }
    let half = width.div_ceil(2);
    let (y, u, v) = buffer.planes_mut();
    for row in y.chunks_exact_mut(width).take(bottom).skip(top) {
        row[left..right].fill(luma);
    }
    for (plane, value) in [(u, blue), (v, red)] {
        for row in plane.chunks_exact_mut(half).take(bottom.div_ceil(2)).skip(top / 2) {
            row[left / 2..right.div_ceil(2)].fill(value);
        }
    }
}

/// Fills an ellipse. All in pixels; the centre may lie outside of the picture.
pub(super) fn ellipse(buffer: &mut FrameBuffer, centre: (f64, f64), radii: (f64, f64), colour: Colour) {
    let top = (centre.1 - radii.1).max(0.0) as usize;
    let bottom = (centre.1 + radii.1).clamp(0.0, f64::from(buffer.height())) as usize;
    // Two rows at a time, so that a chroma row is written once.
    for row in (top & !1..bottom).step_by(2) {
        let height = (row as f64 + 1.0 - centre.1) / radii.1;
        let half = radii.0 * (1.0 - height * height).max(0.0).sqrt();
        let (left, right) = ((centre.0 - half).max(0.0) as usize, (centre.0 + half).max(0.0) as usize);
        rectangle(buffer, (left, row), (right, row + 2), colour);
    }
}

/// Writes text, each dot of its letters `dot` pixels wide and high.
pub(super) fn text(buffer: &mut FrameBuffer, (left, top): (usize, usize), dot: usize, text: &str, colour: Colour) {
    for (index, letter) in text.chars().enumerate() {
        let left = left + index * (font::WIDTH + 1) * dot;
        for (row, dots) in font::rows(letter).into_iter().enumerate() {
            let top = top + row * dot;
            for column in (0..font::WIDTH).filter(|column| dots >> (font::WIDTH - 1 - column) & 1 == 1) {
                let left = left + column * dot;
                rectangle(buffer, (left, top), (left + dot, top + dot), colour);
            }
        }
    }
}
