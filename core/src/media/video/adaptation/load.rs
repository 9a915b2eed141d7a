//! A device that is too slow, or too hot, sheds before it stutters.

use super::backoff::{Backoff, Held};
use super::settings::ThermalState;
use std::time::{Duration, Instant};

/// Between looks at the load.
const CHECK: Duration = Duration::from_secs(5);
/// Part of the time between two pictures that encoding one may take, in two looks in a row.
const TOO_MUCH: f64 = 0.85;
const LOOKS: u32 = 2;
/// Below this part for so long, more is tried.
const LITTLE: f64 = 0.42;
const RISE_AFTER: Duration = Duration::from_secs(10);
const RISE_AFTER_AT_MOST: Duration = Duration::from_secs(240);
/// A rung that is too much again within this time was tried too early.
const RELAPSE: Duration = Duration::from_secs(30);
/// Weight of a picture in the smoothed load.
const WEIGHT: f64 = 1.0 / 16.0;
/// One picture counts for so much at most: a thread that had to wait says little of the encoder.
const MOST: f64 = 4.0;

/// Follows encode time and temperature.
#[derive(Debug)]
pub(super) struct LoadLimit {
    load: f64,
    checked_at: Instant,
    overloaded: u32,
    little: Held,
    rung: usize,
    backoff: Backoff,
}

impl LoadLimit {
    pub(super) fn new(now: Instant) -> Self {
        let backoff = Backoff::new(RISE_AFTER, RISE_AFTER_AT_MOST, RELAPSE);
        Self { load: 0.0, checked_at: now, overloaded: 0, little: Held::default(), rung: 0, backoff }
    }

    /// Another ladder: its rungs are others.
    pub(super) fn forget(&mut self) {
        self.rung = 0;
        self.clear();
    }

    /// A picture took so long to turn, scale and compress; pictures come at this pace.
    pub(super) fn encoded(&mut self, took: Duration, fps: f64) {
        let load = (took.as_secs_f64() * fps.clamp(1.0, 240.0)).min(MOST);
        self.load += WEIGHT * (load - self.load);
    }

    /// The best rung allowed. `used`: the one that pictures are sent at; `last`: the lowest there is.
    pub(super) fn follow(&mut self, thermal: ThermalState, (used, last): (usize, usize), now: Instant) -> usize {
        if now.saturating_duration_since(self.checked_at) >= CHECK {
            self.checked_at = now;
            self.overloaded = if self.load > TOO_MUCH { self.overloaded + 1 } else { 0 };
            if self.overloaded >= LOOKS && used < last {
                self.rung = used + 1;
                self.backoff.fell(now);
                self.clear();
            }
        }
        let little = self.little.update(now, self.load < LITTLE && thermal == ThermalState::Nominal && self.rung > 0);
        if little.is_some_and(|time| time >= self.backoff.wait()) {
            self.rung -= 1;
            self.backoff.rose(now);
            self.clear();
        }
        self.rung.max(cooler(thermal, last))
    }

    fn clear(&mut self) {
        self.overloaded = 0;
        self.little.clear();
    }
}

/// The best rung that a temperature allows.
fn cooler(thermal: ThermalState, last: usize) -> usize {
    match thermal {
        ThermalState::Nominal | ThermalState::Fair => 0,
        ThermalState::Serious => (last / 2).max(1).min(last),
        ThermalState::Critical => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Run {
        limit: LoadLimit,
        now: Instant,
        thermal: ThermalState,
    }

    impl Run {
        fn new() -> Self {
            let now = Instant::now();
            Self { limit: LoadLimit::new(now), now, thermal: ThermalState::Nominal }
        }

        /// So many seconds of pictures that take this part of their time; the rung then.
        fn seconds(&mut self, seconds: f64, load: f64) -> usize {
            let mut rung = self.limit.rung;
            for _ in 0..(seconds * 30.0).round() as u32 {
                self.now += Duration::from_secs(1) / 30;
                self.limit.encoded(Duration::from_secs_f64(load / 30.0), 30.0);
                rung = self.limit.follow(self.thermal, (rung, 4), self.now);
            }
            rung
        }
    }

    #[test]
    fn two_looks_at_too_high_a_load_leave_the_rung() {
        for (load, rung) in [(0.84, 0), (0.87, 1)] {
            let mut run = Run::new();
            assert_eq!(run.seconds(9.9, load), 0);
            assert_eq!(run.seconds(0.2, load), rung);
            assert_eq!(run.seconds(9.5, load), rung);
            assert_eq!(run.seconds(0.6, load), 2 * rung);
        }
    }

    #[test]
    fn one_look_is_not_enough() {
        let mut run = Run::new();
        for _ in 0..6 {
            assert_eq!(run.seconds(5.0, 1.0), 0);
            assert_eq!(run.seconds(5.0, 0.5), 0);
        }
    }

    #[test]
    fn a_low_load_leads_back_and_after_relapses_ever_later() {
        let mut run = Run::new();
        run.seconds(11.0, 1.0);
        for wait in [10.0, 20.0, 40.0, 80.0, 160.0, 240.0, 240.0] {
            run.seconds(1.0, 0.1);
            assert_eq!(run.seconds(wait - 1.5, 0.1), 1, "{wait} s");
            assert_eq!(run.seconds(2.5, 0.1), 0, "{wait} s");
            assert_eq!(run.seconds(16.0, 1.0), 1);
        }
        let mut middling = Run::new();
        middling.seconds(11.0, 1.0);
        assert_eq!(middling.seconds(300.0, 0.43), 1);
    }

    #[test]
    fn a_hot_device_sheds_by_its_state_and_takes_nothing_back_while_it_is_warm() {
        let mut run = Run::new();
        for (thermal, rung) in [(ThermalState::Fair, 0), (ThermalState::Serious, 2), (ThermalState::Critical, 4)] {
            run.thermal = thermal;
            assert_eq!(run.seconds(1.0, 0.1), rung);
        }
        run.thermal = ThermalState::Nominal;
        assert_eq!(run.seconds(1.0, 0.1), 0);
        run.seconds(12.0, 1.0);
        run.thermal = ThermalState::Fair;
        assert_eq!(run.seconds(60.0, 0.1), 1);
    }

    #[test]
    fn absurd_times_do_no_harm() {
        let mut limit = LoadLimit::new(Instant::now());
        limit.encoded(Duration::MAX, f64::NAN);
        limit.encoded(Duration::MAX, f64::INFINITY);
        assert!(limit.load.is_finite());
    }
}
