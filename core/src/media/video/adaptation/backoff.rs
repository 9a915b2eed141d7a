//! Waits longer before a step up that did not last is tried again.

use std::time::{Duration, Instant};

/// Doubles a wait each time a rise is taken back soon, up to a most.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    /// A fall this soon after a rise takes it back.
    relapse: Duration,
    relapses: u32,
    risen_at: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(first: Duration, most: Duration, relapse: Duration) -> Self {
        Self { first, most, relapse, relapses: 0, risen_at: None }
    }

    /// How long what allows a rise has to last.
    pub(super) fn wait(&self) -> Duration {
        self.first.saturating_mul(1_u32 << self.relapses.min(16)).min(self.most)
    }

    /// Whether the last rise lasted, or there was none.
    pub(super) fn is_rested(&self) -> bool {
        self.relapses == 0
    }

    pub(super) fn rose(&mut self, now: Instant) {
        self.risen_at = Some(now);
    }

    pub(super) fn fell(&mut self, now: Instant) {
        let relapse = self.risen_at.take().is_some_and(|at| now.saturating_duration_since(at) < self.relapse);
        self.relapses = if relapse { self.relapses.saturating_add(1) } else { 0 };
    }
}

/// Since when a condition has held without a break.
#[derive(Debug, Default)]
pub(super) struct Held(Option<Instant>);

impl Held {
    /// For how long it has held, if it holds.
    pub(super) fn update(&mut self, now: Instant, holds: bool) -> Option<Duration> {
        let since = if holds { *self.0.get_or_insert(now) } else { return self.0.take().and(None) };
        Some(now.saturating_duration_since(since))
    }

    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_that_is_taken_back_soon_doubles_the_wait_and_one_that_lasts_ends_that() {
        let second = Duration::from_secs(1);
        let (mut backoff, start) = (Backoff::new(4 * second, 60 * second, 10 * second), Instant::now());
        let mut now = start;
        for wait in [4, 8, 16, 32, 60, 60] {
            assert_eq!(backoff.wait(), wait * second);
            backoff.rose(now);
            now += 10 * second - Duration::from_millis(1);
            backoff.fell(now);
        }
        backoff.rose(now);
        backoff.fell(now + 10 * second);
        assert_eq!(backoff.wait(), 4 * second);
        backoff.fell(now + 11 * second);
        assert!(backoff.is_rested(), "a fall without a rise before takes nothing back");
    }

    #[test]
    fn a_break_starts_the_time_anew() {
        let (mut held, start) = (Held::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(held.update(at(0), true), Some(Duration::ZERO));
        assert_eq!(held.update(at(900), true), Some(Duration::from_millis(900)));
        assert_eq!(held.update(at(950), false), None);
        assert_eq!(held.update(at(1000), true), Some(Duration::ZERO));
    }
}
