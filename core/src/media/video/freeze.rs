//! How evenly pictures are shown: freezes as W3C's webrtc-stats defines them, and pictures per second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pictures over whose durations the average is taken.
const WINDOW: usize = 30;
/// Fewer durations make no average; a picture that stands for this long is frozen all the same.
const ENOUGH: usize = 5;
const LONG: Duration = Duration::from_secs(1);
/// A freeze is at least this much longer than the average.
const MARGIN: Duration = Duration::from_millis(150);
/// The rate is that of so long a time.
const RATE_WINDOW: Duration = Duration::from_secs(1);
/// After a pause of this length the rate is measured anew.
const RATE_PAUSE: Duration = Duration::from_secs(2);
/// Most times that are remembered for the rate.
const MAX_TIMES: usize = 256;

/// Counts freezes: a picture that stood for more than three times the average of the last 30, and more than 150 ms longer. One that
/// still stands counts from then on, whether or not another one ever comes.
#[derive(Debug, Default)]
pub(super) struct FreezeMeter {
    durations: VecDeque<Duration>,
    last: Option<Instant>,
    /// Whether the other side said that it sends no pictures for now.
    unexpected: bool,
    count: u64,
    total: Duration,
}

impl FreezeMeter {
    /// A picture was shown.
    pub(super) fn shown(&mut self, now: Instant) {
        self.settle(now);
        // One that was on its way when the camera went off.
        if self.unexpected {
            return;
        }
        let Some(last) = self.last.replace(now) else { return };
        if self.durations.len() == WINDOW {
            self.durations.pop_front();
        }
        self.durations.push_back(now.saturating_duration_since(last));
    }

    /// Whether pictures are to come at all: a camera that is off, or takes its time to open again, is no freeze. What stands after the
    /// first new picture can be one.
    pub(super) fn set_expected(&mut self, now: Instant, expected: bool) {
        if expected != self.unexpected {
            return;
        }
        self.settle(now);
        self.last = None;
        self.unexpected = !expected;
    }

    /// `freezeCount`.
    pub(super) fn count(&self, now: Instant) -> u64 {
        self.count + u64::from(self.lasting(now).is_some())
    }

    /// `totalFreezesDuration`.
    pub(super) fn total(&self, now: Instant) -> Duration {
        self.total + self.lasting(now).unwrap_or_default()
    }

    /// How long the picture shown last has stood, if that is a freeze.
    fn lasting(&self, now: Instant) -> Option<Duration> {
        let stood = now.saturating_duration_since(self.last?);
        let limit = if self.durations.len() < ENOUGH {
            LONG
        } else {
            let average = self.durations.iter().sum::<Duration>() / self.durations.len() as u32;
            (3 * average).max(average + MARGIN)
        };
        (stood > limit).then_some(stood)
    }

    /// Adds the freeze that ends now, if there is one.
    fn settle(&mut self, now: Instant) {
        if let Some(stood) = self.lasting(now) {
            self.count += 1;
            self.total += stood;
        }
    }
}

/// Measures pictures per second over the last second or so.
#[derive(Debug, Default)]
pub(super) struct RateMeter {
    times: VecDeque<Instant>,
}

impl RateMeter {
    pub(super) fn add(&mut self, at: Instant) {
        // A camera's clock that goes back begins anew, too.
        if self.times.back().is_some_and(|last| at.checked_duration_since(*last).is_none_or(|gap| gap >= RATE_PAUSE)) {
            self.times.clear();
        }
        self.times.push_back(at);
        while self.times.len() > MAX_TIMES
            || self.times.front().is_some_and(|first| at.duration_since(*first) > RATE_WINDOW && self.times.len() > 2)
        {
            self.times.pop_front();
        }
    }

    /// Per second, once there were enough of them to tell.
    pub(super) fn steady(&self) -> Option<f64> {
        let last = self.times.back().filter(|_| self.times.len() > ENOUGH)?;
        Some(self.per_second(*last)).filter(|rate| *rate > 0.0)
    }

    /// Per second; 0 when there was none for a second or more.
    pub(super) fn per_second(&self, now: Instant) -> f64 {
        let (Some(first), Some(last)) = (self.times.front(), self.times.back()) else { return 0.0 };
        let span = last.duration_since(*first).as_secs_f64();
        if span <= 0.0 || now.saturating_duration_since(*last) > RATE_WINDOW {
            return 0.0;
        }
        (self.times.len() - 1) as f64 / span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(meter: &mut FreezeMeter, at: &mut Instant, pictures: usize, ms: u64) {
        for _ in 0..pictures {
            *at += Duration::from_millis(ms);
            meter.shown(*at);
        }
    }

    #[test]
    fn an_even_stream_never_freezes_whatever_its_pace() {
        for ms in [8, 33, 100, 1000] {
            let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
            show(&mut meter, &mut at, 100, ms);
            assert_eq!((meter.count(at), meter.total(at)), (0, Duration::ZERO));
        }
    }

    #[test]
    fn a_gap_of_more_than_the_average_and_150_ms_is_a_freeze() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        show(&mut meter, &mut at, 40, 30);
        show(&mut meter, &mut at, 1, 180);
        assert_eq!(meter.count(at), 0, "180 ms are not more than 30 + 150");
        show(&mut meter, &mut at, 40, 30);
        show(&mut meter, &mut at, 1, 181);
        assert_eq!((meter.count(at), meter.total(at)), (1, Duration::from_millis(181)));
    }

    #[test]
    fn a_slow_stream_freezes_only_after_three_times_its_average() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        show(&mut meter, &mut at, 40, 200);
        show(&mut meter, &mut at, 1, 600);
        assert_eq!(meter.count(at), 0);
        show(&mut meter, &mut at, 40, 200);
        show(&mut meter, &mut at, 1, 601);
        assert_eq!(meter.count(at), 1);
    }

    #[test]
    fn a_freeze_counts_while_it_lasts_and_if_no_picture_ever_comes_again() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        show(&mut meter, &mut at, 40, 30);
        let after = |ms| at + Duration::from_millis(ms);
        assert_eq!((meter.count(after(180)), meter.total(after(180))), (0, Duration::ZERO));
        for ms in [181, 1_000, 25_000] {
            assert_eq!((meter.count(after(ms)), meter.total(after(ms))), (1, Duration::from_millis(ms)));
        }
        meter.shown(after(25_000));
        assert_eq!((meter.count(after(25_100)), meter.total(after(25_100))), (1, Duration::from_secs(25)), "not twice");
    }

    #[test]
    fn a_call_that_stops_after_its_first_pictures_is_frozen() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        assert_eq!(meter.count(at + Duration::from_secs(60)), 0, "nothing was ever shown");
        show(&mut meter, &mut at, 3, 30);
        let later = at + Duration::from_secs(60);
        assert_eq!((meter.count(later), meter.total(later)), (1, Duration::from_secs(60)));
    }

    #[test]
    fn a_camera_that_was_switched_off_is_no_freeze() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        show(&mut meter, &mut at, 40, 30);
        meter.set_expected(at, true);
        meter.set_expected(at + Duration::from_millis(500), false);
        at += Duration::from_secs(60);
        meter.shown(at);
        assert_eq!(
            (meter.count(at), meter.total(at)),
            (1, Duration::from_millis(500)),
            "what stood before stays counted"
        );
        at += Duration::from_secs(60);
        meter.set_expected(at, true);
        at += Duration::from_secs(2);
        assert_eq!(meter.count(at), 1, "the camera may take its time");
        meter.shown(at);
        assert_eq!(meter.count(at + Duration::from_millis(180)), 1);
        assert_eq!(
            meter.total(at + Duration::from_millis(1_000)),
            Duration::from_millis(1_500),
            "now one is waited for"
        );
    }

    #[test]
    fn the_rate_is_that_of_the_last_second_and_falls_to_zero() {
        let (mut meter, mut at) = (RateMeter::default(), Instant::now());
        assert_eq!(meter.per_second(at), 0.0);
        for ms in [vec![10; 300], vec![50; 60]].concat() {
            at += Duration::from_millis(ms);
            meter.add(at);
        }
        assert!((meter.per_second(at) - 20.0).abs() < 0.01, "{}", meter.per_second(at));
        assert_eq!(meter.per_second(at + Duration::from_secs(2)), 0.0);
    }
}
