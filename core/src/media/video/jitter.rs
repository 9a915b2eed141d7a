//! How late pictures become ready, compared with the fastest: the jitter estimate that the playout delay follows.

use std::collections::VecDeque;

/// Pictures that the estimate looks back on: ten seconds at 30 per second,
const WINDOW: usize = 300;
/// or the later half of a stream that is younger, and at least so many: what a slow start taught is soon out of sight.
const LEAST_WINDOW: usize = 60;
/// The part of the pictures that the playout delay is meant to cover.
const QUANTILE: f64 = 0.97;
/// Variation up to one refresh of a 60 Hz display is not visible and not worth a delay; up to twice that the delay is phased in.
const NOT_WORTH_A_DELAY: i64 = 16_000;
/// How much of the distance to the quantile the delay moves with each picture, up and down.
const RISE: f64 = 0.1;
const FALL: f64 = 0.004;
/// The first pictures of a stream wait for keyframes, decoders and a bitrate that begins low: what they teach is forgotten as fast as it
/// is learnt.
const WARM_UP: usize = 120;
/// So many pictures in a row that the delay may never cover, and that do not catch up: the path has changed, what was learnt is void.
const MAX_BEYOND: u32 = 30;
/// Pictures that became ready together after an outage have delays that fall by more than this from one to the next.
const CATCHING_UP: i64 = 10_000;

/// Follows the delays of one stream's pictures: the time at which a picture is ready minus its capture time by the RTP clock. All
/// values are microseconds against an arbitrary but fixed origin; only differences mean something.
#[derive(Debug, Default)]
pub(super) struct JitterEstimator {
    /// The last delays in the order of their coming, and the same in the order of their size.
    recent: VecDeque<i64>,
    sorted: Vec<i64>,
    delay: Option<f64>,
    seen: usize,
    /// The delay of the last picture, while pictures are later than the delay may cover or held up by such a one.
    outage: Option<i64>,
    beyond: u32,
}

impl JitterEstimator {
    /// Takes the delay of one picture. `limit`: how far the playout delay may be above the least delay.
    pub(super) fn add(&mut self, delay: i64, limit: i64) {
        let Some(before) = self.delay else {
            // A stream's first picture is a keyframe, which is larger and slower than others: it is shown at once and is no measure.
            self.delay = Some(delay as f64);
            return;
        };
        self.seen = self.seen.saturating_add(1);
        if self.is_outage(delay, limit, before as i64) {
            if self.beyond >= MAX_BEYOND {
                *self = Self { delay: Some(delay as f64), ..Self::default() };
            }
            return;
        }
        self.remember(delay);
        let (least, target) = self.target();
        let share = if target > before || self.seen < WARM_UP { RISE } else { FALL };
        let delay = before + (target - before) * share;
        self.delay = Some(delay.clamp(least, least + limit.max(0) as f64));
    }

    /// The delay at which pictures are to be shown; `None` before the first.
    pub(super) fn delay(&self) -> Option<i64> {
        self.delay.map(|delay| delay as i64)
    }

    /// The least delay of late: that of a picture which nothing held up.
    pub(super) fn least(&self) -> Option<i64> {
        self.sorted.first().copied().or(self.delay())
    }

    /// Whether this picture is later than any delay could cover, or comes behind such a one: it tells of an outage and not of jitter.
    fn is_outage(&mut self, delay: i64, limit: i64, before: i64) -> bool {
        let least = self.sorted.first().copied().unwrap_or(delay).min(delay);
        let in_time = delay <= before.max(least.saturating_add(NOT_WORTH_A_DELAY));
        if in_time || self.outage.is_none() && delay <= least.saturating_add(limit) {
            (self.outage, self.beyond) = (None, 0);
            return false;
        }
        let catches_up = self.outage.is_some_and(|last| delay < last.saturating_sub(CATCHING_UP));
        self.beyond += u32::from(!catches_up);
        self.outage = Some(delay);
        true
    }

    fn remember(&mut self, delay: i64) {
        let window = (self.seen / 2).clamp(LEAST_WINDOW, WINDOW);
        while self.recent.len() >= window
            && let Some(oldest) = self.recent.pop_front()
        {
            let at = self.sorted.partition_point(|other| *other < oldest);
            self.sorted.remove(at);
        }
        self.recent.push_back(delay);
        let at = self.sorted.partition_point(|other| *other < delay);
        self.sorted.insert(at, delay);
    }

    /// The least delay, and the one that shows nearly all pictures in time.
    fn target(&self) -> (f64, f64) {
        let Some(&least) = self.sorted.first() else { return (0.0, 0.0) };
        // Rounded down: a single late picture among few is chance.
        let index = ((self.sorted.len() - 1) as f64 * QUANTILE) as usize;
        let spread = self.sorted.get(index).map_or(0, |delay| delay.saturating_sub(least));
        let held = spread.saturating_sub(NOT_WORTH_A_DELAY).saturating_mul(2).clamp(0, spread.max(0));
        (least as f64, least as f64 + held as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: i64 = 220_000;

    fn estimator(delays: impl IntoIterator<Item = i64>) -> JitterEstimator {
        let mut estimator = JitterEstimator::default();
        delays.into_iter().for_each(|delay| estimator.add(delay, LIMIT));
        estimator
    }

    /// Above the least delay, in ms.
    fn held(estimator: &JitterEstimator) -> f64 {
        (estimator.delay().unwrap() - estimator.least().unwrap()) as f64 / 1e3
    }

    #[test]
    fn a_path_without_visible_jitter_gets_no_delay() {
        let estimator = estimator((0..300).map(|n| 1_000_000 + n * 7_919 % 16_000));
        assert!(held(&estimator) < 2.0, "{}", held(&estimator));
    }

    #[test]
    fn jitter_is_covered_within_a_second_and_forgotten_slowly() {
        let mut estimator = estimator((0..40).map(|n| n * 7_919 % 60_000));
        assert!((50.0..=60.0).contains(&held(&estimator)), "{}", held(&estimator));
        (0..600).for_each(|n| estimator.add(n * 7_919 % 60_000, LIMIT));
        (0..400).for_each(|_| estimator.add(0, LIMIT));
        assert!((20.0..55.0).contains(&held(&estimator)), "{}", held(&estimator));
        (0..1000).for_each(|_| estimator.add(0, LIMIT));
        assert!(held(&estimator) < 2.0, "{}", held(&estimator));
    }

    #[test]
    fn a_slow_start_is_forgotten_within_seconds() {
        let slow = [300_000, 250_000, 40_000].into_iter();
        let once = estimator(slow.chain((0..60).map(|_| 5_000)));
        assert!(held(&once) < 4.0, "{}", held(&once));
        // Half a second of late pictures, as a bitrate that begins low has them.
        let low = estimator((0..15).map(|n| 160_000 - n * 10_000).chain((0..100).map(|_| 5_000)));
        assert!(held(&low) < 4.0, "{}", held(&low));
    }

    #[test]
    fn the_delay_is_bounded_and_what_no_delay_could_cover_does_not_raise_it() {
        let many = estimator((0..300).map(|n| if n % 4 == 0 { 200_000 } else { 0 }));
        assert!((190.0..=200.0).contains(&held(&many)), "{}", held(&many));
    }

    #[test]
    fn the_pictures_that_an_outage_held_up_are_not_taken_for_jitter() {
        // 1.5 s without a packet, then all 45 pictures at once.
        let held_up = |n: i64| if (100..145).contains(&n) { 1_500_000 - (n - 100) * 33_333 } else { 0 };
        let outage = estimator((0..300).map(held_up));
        assert!(held(&outage) < 1.0, "{}", held(&outage));
        assert_eq!(outage.sorted.last(), Some(&0));
    }

    #[test]
    fn a_path_that_became_longer_for_good_is_learnt_within_a_second() {
        let estimator = estimator((0..300).map(|n| if n < 200 { 0 } else { 500_000 }));
        assert_eq!((estimator.delay(), estimator.least()), (Some(500_000), Some(500_000)));
    }

    #[test]
    fn absurd_delays_neither_overflow_nor_panic() {
        let mut estimator = JitterEstimator::default();
        for n in 0..2_000 {
            estimator.add([i64::MAX, i64::MIN, 0, -1, 1 << 62][n % 5], [LIMIT, i64::MAX, 0, -5][n % 4]);
            assert!(estimator.recent.len() <= WINDOW && estimator.sorted.len() == estimator.recent.len());
        }
    }
}
