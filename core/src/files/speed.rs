//! How fast a file gets on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time that speed is measured over.
const WINDOW: Duration = Duration::from_secs(2);
/// Between two of the marks that it is measured by.
const STEP: Duration = Duration::from_millis(100);
/// How often progress is told.
const TELL: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Speed {
    marks: VecDeque<(Instant, u64)>,
    told: Option<Instant>,
}

impl Speed {
    /// So many bytes are through now. Whether that is to be told.
    pub(super) fn at(&mut self, now: Instant, bytes: u64) -> bool {
        let newest = self.marks.back().map(|(at, _)| *at);
        if newest.is_none_or(|at| now.saturating_duration_since(at) >= STEP) {
            self.marks.push_back((now, bytes));
        }
        while self.marks.len() > 2
            && self.marks.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW)
        {
            self.marks.pop_front();
        }
        let due = self.told.is_none_or(|at| now.saturating_duration_since(at) >= TELL);
        if due {
            self.told = Some(now);
        }
        due
    }

    /// Begins anew, after a pause or on another connection.
    pub(super) fn restart(&mut self) {
        self.marks.clear();
    }

    pub(super) fn bytes_per_second(&self, now: Instant, bytes: u64) -> u64 {
        let Some((since, before)) = self.marks.front() else { return 0 };
        let seconds = now.saturating_duration_since(*since).as_secs_f64();
        if seconds < 0.001 { 0 } else { (bytes.saturating_sub(*before) as f64 / seconds) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_that_of_the_last_two_seconds_and_told_four_times_a_second() {
        let (mut speed, start) = (Speed::default(), Instant::now());
        let mut told = 0;
        let at = |n: u64| start + Duration::from_millis(10 * n);
        for n in 0..=1_000 {
            // A megabyte a second, and two from the fifth second on.
            let bytes = if n <= 500 { n * 10_000 } else { 5_000_000 + (n - 500) * 20_000 };
            told += u32::from(speed.at(at(n), bytes));
        }
        assert_eq!(told, 41);
        let now = speed.bytes_per_second(at(1_000), 15_000_000);
        assert!((1_990_000..=2_010_000).contains(&now), "{now}");
        assert!(speed.marks.len() < 30);
    }
}
