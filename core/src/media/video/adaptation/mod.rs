//! In which size and at which pace a camera's pictures are sent: what bitrate, quantiser, encode time, temperature and the
//! application allow, changed no more often than it has to be, as each change of size costs a keyframe.
//!
//! Sans-IO: it is told pictures, bitrates and the time. A [`Ladder`] has the choices for one camera; three limits each name the
//! best rung that they allow, and the lowest of these is used.

mod backoff;
mod ladder;
mod load;
mod quality;
mod rate;
mod settings;
mod thinning;

pub(super) use quality::QuantizerRange;
pub use settings::{DegradationPreference, QualityLimitation, ThermalState, UnknownPreference, VideoBounds};

use ladder::Ladder;
use load::LoadLimit;
use quality::QualityLimit;
use rate::RateLimit;
use std::time::{Duration, Instant};
use thinning::Thinning;

/// What the application wants.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Wishes {
    pub(super) preference: DegradationPreference,
    pub(super) bounds: VideoBounds,
    pub(super) thermal: ThermalState,
}

/// A picture and what there is for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    /// Of the camera's picture, upright.
    pub(super) size: (u32, u32),
    /// Pictures per second that the camera gives.
    pub(super) fps: f64,
    pub(super) captured_at: Instant,
    /// What the path carries.
    pub(super) bitrate_bps: u32,
    /// A keyframe is going to be made anyway.
    pub(super) keyframe_due: bool,
    pub(super) quantizers: QuantizerRange,
    pub(super) wishes: Wishes,
}

/// How to send it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    pub(super) size: (u32, u32),
    /// Pictures per second that are sent.
    pub(super) fps: f64,
    pub(super) limited_by: QualityLimitation,
    /// Whether this picture is sent at all.
    pub(super) taken: bool,
}

/// Joins the limits.
#[derive(Debug, Default)]
pub(super) struct Adaptation {
    current: Option<Current>,
    thinning: Thinning,
}

#[derive(Debug)]
struct Current {
    camera: (u32, u32),
    wishes: Wishes,
    ladder: Ladder,
    rate: RateLimit,
    quality: QualityLimit,
    load: LoadLimit,
    rung: usize,
    fps: f64,
}

impl Adaptation {
    /// Decides for one picture.
    pub(super) fn decide(&mut self, input: &Input, now: Instant) -> Decision {
        let fps = if input.fps.is_finite() { input.fps.max(1.0) } else { 30.0 };
        let bitrate = input.bitrate_bps.min(input.wishes.bounds.max_bitrate_bps);
        let current = self.current.get_or_insert_with(|| Current::new(input, bitrate, fps, now));
        if (current.camera, current.wishes.preference, current.wishes.bounds)
            != (input.size, input.wishes.preference, input.wishes.bounds)
        {
            current.change_ladder(input, bitrate, fps, now);
        }
        current.wishes = input.wishes;
        let limited_by = current.follow(input, bitrate, fps, now);
        let rung = current.ladder.rung(current.rung);
        current.fps = fps.min(rung.fps);
        Decision {
            size: rung.size,
            fps: current.fps,
            limited_by,
            taken: self.thinning.takes(input.captured_at, fps, rung.fps),
        }
    }

    /// A picture took so long and so many bytes, and this quantiser if the codec tells.
    pub(super) fn encoded(&mut self, took: Duration, quantizer: Option<u32>, bytes: usize) {
        if let Some(current) = &mut self.current {
            current.quality.encoded(quantizer, bytes);
            current.load.encoded(took, current.fps);
        }
    }

    /// The encoder's rate control left a picture out.
    pub(super) fn left_out(&mut self, took: Duration) {
        if let Some(current) = &mut self.current {
            current.quality.left_out();
            current.load.encoded(took, current.fps);
        }
    }

    /// A keyframe took more than twice its budget.
    pub(super) fn keyframe_was_too_large(&mut self) {
        if let Some(current) = &mut self.current {
            current.quality.keyframe_was_too_large();
        }
    }
}

impl Current {
    fn new(input: &Input, bitrate: u32, fps: f64, now: Instant) -> Self {
        let Input { size, wishes, .. } = *input;
        let ladder = Ladder::new(size, &wishes.bounds, wishes.preference);
        let rate = RateLimit::new(&ladder, bitrate, fps, now);
        let (quality, load) = (QualityLimit::new(now), LoadLimit::new(now));
        Self { camera: size, wishes, ladder, rate, quality, load, rung: 0, fps }
    }

    fn change_ladder(&mut self, input: &Input, bitrate: u32, fps: f64, now: Instant) {
        self.camera = input.size;
        self.ladder = Ladder::new(input.size, &input.wishes.bounds, input.wishes.preference);
        self.rate.begin_on(&self.ladder, bitrate, fps);
        self.quality.forget(now);
        self.load.forget();
    }

    /// Sets the rung and says what keeps it down.
    fn follow(&mut self, input: &Input, bitrate: u32, fps: f64, now: Instant) -> QualityLimitation {
        let places = (self.rung, self.ladder.last());
        let quality = self.quality.follow(input.quantizers, places, bitrate, input.keyframe_due, now);
        let load = self.load.follow(input.wishes.thermal, places, now);
        let may = (input.keyframe_due, self.quality.may_rise());
        let rate = self.rate.follow(&self.ladder, bitrate, fps, may, now);
        let rung = rate.max(quality).max(load).min(self.ladder.last());
        if rung != self.rung {
            self.quality.clear_window(now);
        }
        self.rung = rung;
        if rung == 0 && self.ladder.is_cut() {
            QualityLimitation::Other
        } else if rung == 0 {
            QualityLimitation::None
        } else if rate.max(quality) >= rung {
            QualityLimitation::Bandwidth
        } else {
            QualityLimitation::Cpu
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
