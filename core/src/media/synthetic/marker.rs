//! A machine-readable mark in a picture: which frame it is, when it was taken and by which camera.
//!
//! Fifteen bytes as 20 × 6 cells, black for 0 and white for 1, over the whole width and the lowest quarter of the picture:
//! frame number (4), microseconds since 1970 (7), facing (1) and a CRC-24 (3) over the rest, all big-endian, row by row from the left.
//! Cells are placed by shares of the picture's size, so that the mark survives scaling; the smallest (at 160×120) are 8×5 pixels.
//! Only the middle of each cell is read, and black and white are told apart by the darkest and the brightest cell there is, which
//! survives strong compression.

use super::draw::{Colour, rectangle};
use crate::facing::FacingMode;
use crate::media::frame::{FrameBuffer, VideoFrame};

const COLUMNS: usize = 20;
const ROWS: usize = 6;
const BYTES: usize = COLUMNS * ROWS / 8;
/// The share of the height that a row of cells has is one in so many.
const ROWS_PER_HEIGHT: usize = 24;
/// Less than this between the darkest and the brightest cell is no mark.
const MIN_CONTRAST: u32 = 64;
const DARK: Colour = Colour(24, 128, 128);
const BRIGHT: Colour = Colour(226, 128, 128);

/// What the mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Counts the pictures of a camera since it was opened; wraps at 2³².
    pub number: u32,
    /// When it was taken, in microseconds since 1970 (UTC); only the lower 56 bits are written, enough until the year 4253.
    pub captured_us: u64,
    /// Which way the camera looks.
    pub facing: FacingMode,
}

impl Marker {
    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..4].copy_from_slice(&self.number.to_be_bytes());
        bytes[4..11].copy_from_slice(&self.captured_us.to_be_bytes()[1..]);
        bytes[11] = match self.facing {
            FacingMode::User => 0,
            FacingMode::Environment => 1,
            FacingMode::Left => 2,
            FacingMode::Right => 3,
        };
        let check = crc24(&bytes[..12]).to_be_bytes();
        bytes[12..].copy_from_slice(&check[1..]);
        bytes
    }

    fn from_bytes(bytes: [u8; BYTES]) -> Option<Self> {
        let [n0, n1, n2, n3, t0, t1, t2, t3, t4, t5, t6, facing, c0, c1, c2] = bytes;
        if crc24(&bytes[..12]) != u32::from_be_bytes([0, c0, c1, c2]) {
            return None;
        }
        let facing = match facing {
            0 => FacingMode::User,
            1 => FacingMode::Environment,
            2 => FacingMode::Left,
            3 => FacingMode::Right,
            _ => return None,
        };
        Some(Self {
            number: u32::from_be_bytes([n0, n1, n2, n3]),
            captured_us: u64::from_be_bytes([0, t0, t1, t2, t3, t4, t5, t6]),
            facing,
        })
    }
}

/// CRC-24 with the polynomial and the start of RFC 9580, section 6.1.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 16, |crc, _| {
            (crc << 1 ^ if crc & 0x0080_0000 == 0 { 0 } else { 0x0086_4cfb }) & 0x00ff_ffff
        })
    })
}

/// Edges of a cell in pixels: left, top, right, bottom.
fn cell(width: usize, height: usize, column: usize, row: usize) -> (usize, usize, usize, usize) {
    let top = |row| height * (ROWS_PER_HEIGHT - ROWS + row) / ROWS_PER_HEIGHT;
    (width * column / COLUMNS, top(row), width * (column + 1) / COLUMNS, top(row + 1))
}

/// Draws the mark over the lowest quarter of the picture.
pub fn write(buffer: &mut FrameBuffer, marker: Marker) {
    let (width, height) = (buffer.width() as usize, buffer.height() as usize);
    let bytes = marker.to_bytes();
    for index in 0..COLUMNS * ROWS {
        let bit = bytes[index / 8] >> (7 - index % 8) & 1;
        let (left, top, right, bottom) = cell(width, height, index % COLUMNS, index / COLUMNS);
        rectangle(buffer, (left, top), (right, bottom), if bit == 1 { BRIGHT } else { DARK });
    }
}

/// Reads the mark of a picture as it lies in memory (rotation and mirror are not looked at); `None` if there is none or it is
/// damaged.
pub fn read(frame: &VideoFrame) -> Option<Marker> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    if width < 2 * COLUMNS || height < 2 * ROWS_PER_HEIGHT {
        return None;
    }
    let mut cells = [0; COLUMNS * ROWS];
    for (index, value) in cells.iter_mut().enumerate() {
        let (left, top, right, bottom) = cell(width, height, index % COLUMNS, index / COLUMNS);
        let (inset_x, inset_y) = ((right - left) / 4, (bottom - top) / 4);
        let columns = left + inset_x..right - inset_x;
        let rows = frame.y().chunks_exact(width).take(bottom - inset_y).skip(top + inset_y);
        let (sum, count) = rows.fold((0, 0), |(sum, count), row| {
            let row = &row[columns.clone()];
            (sum + row.iter().map(|y| u32::from(*y)).sum::<u32>(), count + row.len() as u32)
        });
        *value = sum.checked_div(count)?;
    }
    let (dark, bright) = (*cells.iter().min()?, *cells.iter().max()?);
    if bright - dark < MIN_CONTRAST {
        return None;
    }
    let mut bytes = [0u8; BYTES];
    for (index, value) in cells.into_iter().enumerate() {
        bytes[index / 8] |= u8::from(2 * value > dark + bright) << (7 - index % 8);
    }
    Marker::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{FramePool, Rotation};
    use proptest::prelude::*;
    use std::time::Instant;

    const MARKER: Marker =
        Marker { number: 0x89ab_cdef, captured_us: 1_795_530_000_123_456, facing: FacingMode::Environment };

    /// A grey picture with this mark, put through `damage` (pixels and width).
    fn marked(width: u32, height: u32, marker: Marker, damage: impl FnOnce(&mut [u8], usize)) -> VideoFrame {
        let mut buffer = FramePool::default().take(width, height).unwrap();
        buffer.planes_mut().0.fill(110);
        write(&mut buffer, marker);
        damage(buffer.planes_mut().0, width as usize);
        buffer.freeze(Rotation::None, Instant::now())
    }

    /// Each pixel the average of the square of this radius around it.
    fn blur(pixels: &mut [u8], width: usize, radius: usize) {
        let before = pixels.to_vec();
        let height = pixels.len() / width;
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = (index % width, index / width);
            let rows = y.saturating_sub(radius)..(y + radius + 1).min(height);
            let columns = x.saturating_sub(radius)..(x + radius + 1).min(width);
            let count = rows.len() * columns.len();
            let sum: usize =
                rows.flat_map(|row| &before[row * width..][columns.clone()]).map(|pixel| usize::from(*pixel)).sum();
            *pixel = (sum / count) as u8;
        }
    }

    #[test]
    fn the_checksum_is_the_published_crc_24() {
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }

    #[test]
    fn a_picture_without_a_mark_gives_none() {
        for luma in [0, 16, 128, 255] {
            let frame = marked(320, 240, MARKER, |pixels, _| pixels.fill(luma));
            assert_eq!(read(&frame), None);
        }
        let tiny = FramePool::default().take(1, 1).unwrap().freeze(Rotation::None, Instant::now());
        assert_eq!(read(&tiny), None);
    }

    #[test]
    fn it_survives_being_scaled_down_and_up() {
        let pool = FramePool::default();
        let large = marked(1280, 720, MARKER, |_, _| ());
        for (width, height) in [(160, 120), (320, 180), (321, 243), (640, 360), (1920, 1080)] {
            let scaled = large.scaled(&pool, width, height).unwrap();
            assert_eq!(read(&scaled), Some(MARKER), "{width}×{height}");
            assert_eq!(read(&scaled.scaled(&pool, 1280, 720).unwrap()), Some(MARKER), "{width}×{height} and back");
        }
    }

    #[test]
    fn it_survives_blur_and_lost_contrast() {
        for (width, height, radius) in [(160, 120, 1), (640, 480, 4), (1280, 720, 7)] {
            let frame = marked(width, height, MARKER, |pixels, width| {
                blur(pixels, width, radius);
                pixels.iter_mut().for_each(|pixel| *pixel = 60 + *pixel / 2);
            });
            assert_eq!(read(&frame), Some(MARKER), "{width}×{height}");
        }
    }

    #[test]
    fn one_cell_read_wrongly_spoils_the_checksum() {
        for index in 0..COLUMNS * ROWS {
            let frame = marked(160, 120, MARKER, |pixels, width| {
                let (left, top, right, bottom) = cell(160, 120, index % COLUMNS, index / COLUMNS);
                for row in pixels.chunks_exact_mut(width).take(bottom).skip(top) {
                    row[left..right].iter_mut().for_each(|pixel| *pixel = 250 - *pixel);
                }
            });
            assert_eq!(read(&frame), None, "cell {index}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_mark_is_read_through_noise(
            number: u32, captured_us in 0u64..1 << 56, side in 0usize..4, width in 160u32..400, height in 120u32..400, seed: u64,
        ) {
            let facing = [FacingMode::User, FacingMode::Environment, FacingMode::Left, FacingMode::Right][side];
            let marker = Marker { number, captured_us, facing };
            let frame = marked(width, height, marker, |pixels, _| noise(pixels, seed, 60));
            prop_assert_eq!(read(&frame), Some(marker));
        }

        #[test]
        fn random_pictures_have_no_mark(seed: u64, width in 1u32..300, height in 1u32..300) {
            let frame = marked(width, height, MARKER, |pixels, _| {
                pixels.fill(128);
                noise(pixels, seed, 127);
            });
            prop_assert_eq!(read(&frame), None);
        }
    }

    /// Adds up to `strength` to each pixel or takes it away.
    fn noise(pixels: &mut [u8], mut seed: u64, strength: u8) {
        for pixel in pixels {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let change = (seed >> 33) % (2 * u64::from(strength) + 1);
            *pixel = (i64::from(*pixel) + change as i64 - i64::from(strength)).clamp(0, 255) as u8;
        }
    }
}
