//! The sizes and frame rates that a camera's pictures may be sent in, from the best one down, and the bitrates they need.

use super::settings::{DegradationPreference, VideoBounds};

/// Sides above this are never encoded, in pixels: the longer and the shorter (H.264 level 5.2).
const MAX_SIDES: (u32, u32) = (3840, 2160);
/// The shorter side is never made smaller than this, in pixels.
const MIN_SIDE: u32 = 90;
/// No smaller size is needed below one of so many pixels.
const SMALLEST: u32 = 320 * 180;
/// Shares of each side, in 32nds.
const SHARES: [u32; 9] = [32, 24, 16, 12, 8, 6, 4, 3, 2];
/// Pictures per second where the size gives way no further.
const SLOW_FPS: f64 = 15.0;
/// Pictures per second where the size does not give way at all.
const FPS_STEPS: [f64; 4] = [15.0, 10.0, 7.0, 5.0];
/// Luma pixels per second, the bitrate from which they are sent, and that down to which they are kept, in bits per second:
/// 320×180 at 15 frames per second; 480×270, 640×360, 960×540 and 1280×720 at 30. Source of the former: libwebrtc's limits
/// per resolution; about two thirds of it for the latter, so that an estimate that wavers changes nothing.
const NEEDS: [(f64, f64, f64); 5] = [
    (864_000.0, 90_000.0, 60_000.0),
    (3_888_000.0, 180_000.0, 120_000.0),
    (6_912_000.0, 300_000.0, 200_000.0),
    (15_552_000.0, 500_000.0, 350_000.0),
    (27_648_000.0, 900_000.0, 600_000.0),
];

/// A size and the most pictures per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rung {
    pub(super) size: (u32, u32),
    /// Infinite where every picture of the camera is sent.
    pub(super) fps: f64,
}

/// From the best rung down; never empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    /// The best rung is below what the camera gives and the application allows.
    cut: bool,
}

impl Ladder {
    /// For upright pictures of this size.
    pub(super) fn new(camera: (u32, u32), bounds: &VideoBounds, preference: DegradationPreference) -> Self {
        let allowed = fit(camera, (bounds.max_width, bounds.max_height));
        let top = fit(allowed, MAX_SIDES);
        let max_fps = if bounds.max_fps >= 1.0 { bounds.max_fps } else { 1.0 };
        let mut rungs = vec![Rung { size: top, fps: max_fps }];
        if preference == DegradationPreference::MaintainResolution {
            rungs.extend(FPS_STEPS.iter().filter(|fps| **fps < max_fps).map(|fps| Rung { size: top, fps: *fps }));
            return Self { rungs, cut: top != allowed };
        }
        for share in &SHARES[1..] {
            let last = rungs.last().map_or(top, |rung| rung.size);
            let size = (part(top.0, *share), part(top.1, *share));
            if last.0.saturating_mul(last.1) <= SMALLEST || size.0.min(size.1) < MIN_SIDE {
                break;
            }
            rungs.push(Rung { size, fps: max_fps });
        }
        // The smallest size is worth its pace while that can be paid for; only then the pace gives way, too.
        let last =
            rungs.last().copied().filter(|last| preference == DegradationPreference::Balanced && last.fps > SLOW_FPS);
        rungs.extend(last.map(|last| Rung { fps: SLOW_FPS, ..last }));
        Self { rungs, cut: top != allowed }
    }

    /// The index of the lowest rung.
    pub(super) fn last(&self) -> usize {
        self.rungs.len().saturating_sub(1)
    }

    /// Whether even the best rung is below what the camera gives and the application allows.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The rung, or the lowest one.
    pub(super) fn rung(&self, index: usize) -> Rung {
        let rung = self.rungs.get(index).or(self.rungs.last());
        rung.copied().unwrap_or(Rung { size: (2, 2), fps: f64::INFINITY })
    }

    /// The bitrates from which a rung is taken and down to which it is kept, with a camera of this pace.
    pub(super) fn needs(&self, index: usize, camera_fps: f64) -> (f64, f64) {
        let Rung { size: (width, height), fps } = self.rung(index);
        needs(f64::from(width) * f64::from(height) * camera_fps.min(fps).max(1.0))
    }
}

/// By straight lines between the rows, and in proportion outside of them.
fn needs(pixels_per_second: f64) -> (f64, f64) {
    let next = NEEDS.iter().position(|(pixels, ..)| *pixels >= pixels_per_second);
    match next {
        Some(0) | None => {
            let (pixels, enter, keep) = if next.is_some() { NEEDS[0] } else { NEEDS[NEEDS.len() - 1] };
            (enter * pixels_per_second / pixels, keep * pixels_per_second / pixels)
        }
        Some(next) => {
            let ((from, enter_from, keep_from), (to, enter_to, keep_to)) = (NEEDS[next - 1], NEEDS[next]);
            let part = (pixels_per_second - from) / (to - from);
            (enter_from + part * (enter_to - enter_from), keep_from + part * (keep_to - keep_from))
        }
    }
}

/// Even, as chroma has half the pixels.
fn part(side: u32, share: u32) -> u32 {
    ((u64::from(side) * u64::from(share) / 32) as u32 & !1).max(2)
}

/// The largest size of these proportions within both bounds, whichever way up; the same one if it is within them.
fn fit((width, height): (u32, u32), (one, other): (u32, u32)) -> (u32, u32) {
    let (long, short) = (one.max(other).max(2), one.min(other).max(2));
    let (longer, shorter) = (width.max(height).max(1), width.min(height).max(1));
    if longer <= long && shorter <= short {
        return (width, height);
    }
    let share = (f64::from(long) / f64::from(longer)).min(f64::from(short) / f64::from(shorter));
    let side = |side: u32| ((f64::from(side) * share).round() as u32 & !1).max(2);
    (side(width), side(height))
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
