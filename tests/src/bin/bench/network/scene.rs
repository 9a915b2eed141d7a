//! Pictures and sound that a call sends: hard to compress, so that the path and not the content is what limits it, and the same
//! on every machine.
//!
//! Moving and standing edges, slow gradients, fine detail that scrolls, and noise on all of it, as a cheap camera has in a dark
//! room. At equal quantiser it takes about as many bits as ffmpeg's `testsrc2` with `noise=alls=6:allf=t`, the usual stand-in.

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

pub(crate) const WIDTH: usize = 1280;
pub(crate) const HEIGHT: usize = 720;
/// Eight seconds: what moves is where it began after them, so that the loop has no cut.
const FRAMES: usize = 240;
/// Standard deviation of the noise, in steps of 8-bit luma.
const NOISE: f64 = 3.5;
const NOISE_TABLE: usize = 1 << 14;
const TONE_RATE: u32 = 48_000;

/// Writes the pictures as YUV4MPEG2, unless a file of that size is there.
pub(crate) fn write_video(path: &Path) -> Result<()> {
    let header = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg\n");
    let size = header.len() + FRAMES * (6 + WIDTH * HEIGHT * 3 / 2);
    if std::fs::metadata(path).is_ok_and(|file| file.len() == size as u64) {
        return Ok(());
    }
    let at = || path.display().to_string();
    let mut out = BufWriter::new(File::create(path).with_context(at)?);
    out.write_all(header.as_bytes())?;
    let noise = noise();
    let mut random = StdRng::seed_from_u64(1);
    for frame in 0..FRAMES {
        out.write_all(b"FRAME\n")?;
        for mut plane in picture(frame) {
            for row in plane.chunks_mut(ROW) {
                let start = random.random_range(0..NOISE_TABLE - row.len());
                for (pixel, noise) in row.iter_mut().zip(&noise[start..]) {
                    *pixel = pixel.saturating_add_signed(*noise);
                }
            }
            out.write_all(&plane)?;
        }
    }
    out.flush().with_context(at)
}

/// Noise is taken anew for each run of so many pixels: a row of chroma.
const ROW: usize = WIDTH / 2;

/// Normally distributed numbers, by the sum of twelve uniform ones.
fn noise() -> Vec<i8> {
    let mut random = StdRng::seed_from_u64(2);
    let mut normal = || (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0;
    (0..NOISE_TABLE).map(|_| (normal() * NOISE).round() as i8).collect()
}

/// Luma and the two chroma planes of one picture, without noise.
fn picture(frame: usize) -> [Vec<u8>; 3] {
    let (mut luma, mut cb, mut cr) = (Vec::new(), Vec::new(), Vec::new());
    for y in 0..HEIGHT {
        luma.extend((0..WIDTH).map(|x| pixel(x, y, frame)[0]));
        if y % 2 == 0 {
            for x in (0..WIDTH).step_by(2) {
                let [_, blue, red] = pixel(x, y, frame);
                cb.push(blue);
                cr.push(red);
            }
        }
    }
    [luma, cb, cr]
}

/// Luma, Cb and Cr of eight bars.
const BARS: [[u8; 3]; 8] = [
    [235, 128, 128],
    [210, 16, 146],
    [170, 166, 16],
    [145, 54, 34],
    [106, 202, 222],
    [81, 90, 240],
    [41, 240, 110],
    [60, 128, 128],
];

fn pixel(x: usize, y: usize, frame: usize) -> [u8; 3] {
    // Two blocks that move on straight ways and turn at the edges, over all.
    for (number, size) in [(0, 180), (1, 120)] {
        let left = sweep(frame * (8 + number * 8) + number * 300, WIDTH - size);
        let top = sweep(frame * (4 + number * 8) + number * 200, HEIGHT - size);
        if (left..left + size).contains(&x) && (top..top + size).contains(&y) {
            let light = ((x - left) / 12 + (y - top) / 12).is_multiple_of(2);
            return [if light { 220 } else { 30 }, 90 + 60 * number as u8, 160];
        }
    }
    match y * 6 / HEIGHT {
        // Bars that stand.
        0 | 1 => BARS[x * 8 / WIDTH],
        // A gradient that scrolls slowly.
        2 => [((x + frame * 16) % 512 / 2) as u8, (y % 128 + 64) as u8, 128],
        // Fine stripes that scroll, slanted.
        3 => [if (x + y + frame * 2) % 16 < 8 { 70 } else { 180 }, 120, ((x / 5) % 128 + 64) as u8],
        // Rings about a centre, ever finer.
        4 => {
            let (dx, dy) = (x.abs_diff(WIDTH / 2), y.abs_diff(HEIGHT * 3 / 4));
            let phase = ((dx * dx + dy * dy) / 64 + frame * 4) % 256;
            [if phase < 128 { phase + 60 } else { 315 - phase } as u8, 128, 100]
        }
        // A checkerboard, the brightness of which goes up and down.
        _ => [if (x / 40 + y / 40).is_multiple_of(2) { 40 + sweep(frame * 2, 120) as u8 } else { 200 }, 140, 110],
    }
}

/// There and back between 0 and `most`, one further for each step; in whole periods per loop only roughly.
fn sweep(step: usize, most: usize) -> usize {
    let at = step % (2 * most);
    if at < most { at } else { 2 * most - at }
}

/// Writes a sound that is never silent as 16-bit mono WAV, eight seconds: three tones whose loudness goes up and down.
pub(crate) fn write_audio(path: &Path) -> Result<()> {
    let count = TONE_RATE * 8;
    let mut out = Vec::with_capacity(44 + count as usize * 2);
    let bytes = count * 2;
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    for field in [1u16, 1] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(&TONE_RATE.to_le_bytes());
    out.extend_from_slice(&(TONE_RATE * 2).to_le_bytes());
    for field in [2u16, 16] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&bytes.to_le_bytes());
    for n in 0..count {
        let at = f64::from(n) / f64::from(TONE_RATE);
        let wave = |hertz: f64| (at * hertz * std::f64::consts::TAU).sin();
        let loud = 0.6 + 0.4 * wave(3.0);
        let sample = (wave(220.0) + 0.5 * wave(440.0) + 0.3 * wave(1250.0)) * loud * 9000.0;
        out.extend_from_slice(&(sample as i16).to_le_bytes());
    }
    std::fs::write(path, out).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_their_size_and_are_the_same_each_time() {
        let [luma, cb, cr] = picture(3);
        assert_eq!((luma.len(), cb.len(), cr.len()), (WIDTH * HEIGHT, WIDTH * HEIGHT / 4, WIDTH * HEIGHT / 4));
        assert_eq!(picture(3), picture(3));
        assert_ne!(picture(3)[0], picture(4)[0]);
    }

    #[test]
    fn noise_is_as_strong_as_asked() {
        let noise = noise();
        let variance = noise.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>() / noise.len() as f64;
        assert!((variance.sqrt() - NOISE).abs() < 0.2, "{}", variance.sqrt());
    }
}
