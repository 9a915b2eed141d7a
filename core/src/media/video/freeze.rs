//! How evenly pictures are shown: freezes as W3C's webrtc-stats defines them, and pictures per second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pictures over whose durations the average is taken.
const WINDOW: usize = 30;
/// Fewer durations make no average.
const ENOUGH: usize = 5;
/// A freeze is at least this much longer than the average.
const MARGIN: Duration = Duration::from_millis(150);
/// The rate is that of so long a time.
const RATE_WINDOW: Duration = Duration::from_secs(1);
/// After a pause of this length the rate is measured anew.
const RATE_PAUSE: Duration = Duration::from_secs(2);
/// Most times that are remembered for the rate.
const MAX_TIMES: usize = 256;

/// Counts freezes: a picture that stood for more than three times the average of the last 30, and more than 150 ms longer.
#[derive(Debug, Default)]
pub(super) struct FreezeMeter {
    durations: VecDeque<Duration>,
    last: Option<Instant>,
    count: u64,
    total: Duration,
}

impl FreezeMeter {
    /// A picture was shown.
    pub(super) fn shown(&mut self, now: Instant) {
        let Some(last) = self.last.replace(now) else { return };
        let duration = now.saturating_duration_since(last);
        if self.durations.len() >= ENOUGH {
            let average = self.durations.iter().sum::<Duration>() / self.durations.len() as u32;
            if duration > (3 * average).max(average + MARGIN) {
                self.count += 1;
                self.total += duration;
            }
        }
        if self.durations.len() == WINDOW {
            self.durations.pop_front();
        }
        self.durations.push_back(duration);
    }

    /// `freezeCount`.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// `totalFreezesDuration`.
    pub(super) fn total(&self) -> Duration {
        self.total
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
            assert_eq!((meter.count(), meter.total()), (0, Duration::ZERO));
        }
    }

    #[test]
    fn a_gap_of_more_than_the_average_and_150_ms_is_a_freeze() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        show(&mut meter, &mut at, 40, 30);
        show(&mut meter, &mut at, 1, 180);
        assert_eq!(meter.count(), 0, "180 ms are not more than 30 + 150");
        show(&mut meter, &mut at, 40, 30);
        show(&mut meter, &mut at, 1, 181);
        assert_eq!((meter.count(), meter.total()), (1, Duration::from_millis(181)));
    }

    #[test]
    fn a_slow_stream_freezes_only_after_three_times_its_average() {
        let (mut meter, mut at) = (FreezeMeter::default(), Instant::now());
        show(&mut meter, &mut at, 40, 200);
        show(&mut meter, &mut at, 1, 600);
        assert_eq!(meter.count(), 0);
        show(&mut meter, &mut at, 40, 200);
        show(&mut meter, &mut at, 1, 601);
        assert_eq!(meter.count(), 1);
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
