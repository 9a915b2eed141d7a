//! What the two cameras see. The still part is drawn once; each picture adds what moves.

use super::draw::{Colour, ellipse, rectangle, text};
use super::font;
use crate::facing::FacingMode;
use crate::media::frame::{FrameBuffer, FrameError, FramePool, Rotation, VideoFrame};
use std::time::Instant;

const MICROS_PER_DAY: u64 = 86_400_000_000;

pub(super) struct Scene {
    still: VideoFrame,
    facing: FacingMode,
    /// Pixels a dot of the small letters.
    dot: usize,
}

impl Scene {
    pub(super) fn new(facing: FacingMode, width: u32, height: u32, pool: &FramePool) -> Result<Self, FrameError> {
        let mut buffer = pool.take(width, height)?;
        let dot = (width as usize / 240).min(height as usize / 120).max(1);
        if facing == FacingMode::User {
            portrait(&mut buffer);
        } else {
            landscape(&mut buffer);
        }
        let name = if facing == FacingMode::User { "FRONT" } else { "REAR" };
        let edge = dot.div_ceil(2);
        text(&mut buffer, (5 * dot + edge, 4 * dot + edge), 3 * dot, name, Colour::BLACK);
        text(&mut buffer, (5 * dot, 4 * dot), 3 * dot, name, Colour::WHITE);
        Ok(Self { still: buffer.freeze(Rotation::None, Instant::now()), facing, dot })
    }

    pub(super) fn width(&self) -> u32 {
        self.still.width()
    }

    pub(super) fn height(&self) -> u32 {
        self.still.height()
    }

    /// The whole picture but for its marker. `micros` since 1970 in UTC.
    pub(super) fn draw(&self, buffer: &mut FrameBuffer, number: u32, micros: u64) {
        let (y, u, v) = buffer.planes_mut();
        y.copy_from_slice(self.still.y());
        u.copy_from_slice(self.still.u());
        v.copy_from_slice(self.still.v());
        self.draw_motion(buffer, micros);
        self.draw_clock(buffer, number, micros);
    }

    /// A ball that bounces before the person, a balloon that drifts over the land: both by the time, not by the frame.
    fn draw_motion(&self, buffer: &mut FrameBuffer, micros: u64) {
        let (width, height) = (f64::from(buffer.width()), f64::from(buffer.height()));
        let swing = |period: f64| (((micros % MICROS_PER_DAY) as f64 / 1e6) / period * std::f64::consts::TAU).sin();
        if self.facing == FacingMode::User {
            let radius = height * 0.07;
            let centre = (width * (0.5 + 0.4 * swing(5.0)), height * (0.66 - 0.3 * swing(1.7).abs()));
            ellipse(buffer, centre, (radius, radius), Colour::rgb(214, 40, 40));
            let shine = (centre.0 - radius * 0.3, centre.1 - radius * 0.3);
            ellipse(buffer, shine, (radius * 0.3, radius * 0.3), Colour::rgb(255, 190, 180));
        } else {
            let centre = (width * (0.5 + 0.42 * swing(7.0)), height * (0.3 + 0.06 * swing(2.3)));
            ellipse(buffer, centre, (height * 0.08, height * 0.1), Colour::rgb(250, 200, 30));
            let basket = (centre.0 - height * 0.02, centre.1 + height * 0.12);
            let from = (basket.0.max(0.0) as usize, basket.1.max(0.0) as usize);
            let to = (from.0 + (height * 0.04) as usize, from.1 + (height * 0.035) as usize);
            rectangle(buffer, from, to, Colour::rgb(110, 70, 30));
        }
    }

    fn draw_clock(&self, buffer: &mut FrameBuffer, number: u32, micros: u64) {
        let millis = micros % MICROS_PER_DAY / 1000;
        let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
        let (seconds, millis) = (millis / 1000 % 60, millis % 1000);
        let lines = [format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"), format!("#{number}")];
        let advance = (font::WIDTH + 1) * self.dot;
        let size = (lines[0].len() * advance + 3 * self.dot, 20 * self.dot);
        let left = (buffer.width() as usize).saturating_sub(size.0 + 3 * self.dot);
        let top = 3 * self.dot;
        rectangle(buffer, (left, top), (left + size.0, top + size.1), Colour(30, 128, 128));
        for (index, line) in lines.iter().enumerate() {
            let top = top + (2 + 9 * index) * self.dot;
            text(buffer, (left + 2 * self.dot, top), self.dot, line, Colour::WHITE);
        }
    }
}

/// From one colour at the top to another at the bottom of rows `top..bottom`, given as shares of the height.
fn gradient(buffer: &mut FrameBuffer, (top, bottom): (f64, f64), from: [u8; 3], to: [u8; 3]) {
    let (width, height) = (buffer.width() as usize, f64::from(buffer.height()));
    let (first, last) = ((height * top) as usize, (height * bottom) as usize);
    for row in (first & !1..last).step_by(2) {
        let share = (row - (first & !1)) as f64 / (last - first) as f64;
        let mix = |index: usize| (f64::from(from[index]) * (1.0 - share) + f64::from(to[index]) * share) as u8;
        rectangle(buffer, (0, row), (width, row + 2), Colour::rgb(mix(0), mix(1), mix(2)));
    }
}

/// A person before a warm wall.
fn portrait(buffer: &mut FrameBuffer) {
    let (width, height) = (f64::from(buffer.width()), f64::from(buffer.height()));
    gradient(buffer, (0.0, 1.0), [255, 196, 120], [196, 84, 60]);
    let mut part = |x: f64, y: f64, rx: f64, ry: f64, (r, g, b): (u8, u8, u8)| {
        let centre = (width * 0.5 + height * x, height * y);
        ellipse(buffer, centre, (height * rx, height * ry), Colour::rgb(r, g, b));
    };
    part(0.0, 0.92, 0.34, 0.32, (86, 40, 88));
    part(0.0, 0.36, 0.19, 0.24, (60, 32, 20));
    part(0.0, 0.60, 0.07, 0.12, (196, 140, 104));
    part(0.0, 0.42, 0.15, 0.2, (224, 168, 130));
    for side in [-1.0, 1.0] {
        part(side * 0.06, 0.39, 0.02, 0.02, (40, 24, 20));
        part(side * 0.09, 0.47, 0.025, 0.018, (236, 140, 120));
    }
    part(0.0, 0.52, 0.05, 0.02, (170, 50, 60));
}

/// Mountains and meadow under a cool sky.
fn landscape(buffer: &mut FrameBuffer) {
    let (width, height) = (f64::from(buffer.width()), f64::from(buffer.height()));
    gradient(buffer, (0.0, 0.6), [40, 110, 190], [190, 225, 245]);
    for (peak, top, slope, (r, g, b)) in
        [(0.25, 0.28, 1.1, (96, 122, 150)), (0.7, 0.22, 0.9, (80, 106, 136)), (0.48, 0.4, 1.3, (62, 92, 112))]
    {
        for row in ((height * top) as usize & !1..(height * 0.62) as usize).step_by(2) {
            let half = (row as f64 - height * top) / slope;
            let (left, right) = ((width * peak - half).max(0.0) as usize, (width * peak + half).max(0.0) as usize);
            let snow = (row as f64) < height * (top + 0.06);
            let colour = if snow { Colour::rgb(240, 246, 250) } else { Colour::rgb(r, g, b) };
            rectangle(buffer, (left, row), (right, row + 2), colour);
        }
    }
    gradient(buffer, (0.6, 1.0), [70, 150, 90], [20, 84, 60]);
}
