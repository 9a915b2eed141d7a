//! What the one-way delay is on a path most of the time, so that jitter is not taken for a queue.

use std::collections::VecDeque;

/// The least delay of each time of this length is remembered, for so many of them: ten seconds. Microseconds.
const STEP: i64 = 150_000;
const STEPS: usize = 64;
/// Fewer than these say nothing yet.
const ENOUGH: usize = 16;
/// The lower quartile of them is what is usual: a queue that a call makes for a few seconds is not.
const QUARTILE: usize = 4;
/// No more than this above the least delay of all, in ms: a queue of our own that stays must not become usual.
const AT_MOST: f64 = 30.0;

/// Learns from packets in the order of their arrival.
///
/// A radio link that delays packets by up to 60 ms and keeps their order holds all of a while back together. The least delay of a tenth of
/// a second is then hardly ever that of the path, and stays above it as long as the jitter lasts, whatever is sent.
#[derive(Debug, Default)]
pub(super) struct UsualDelay {
    /// (begin, least delay) of each time, the last one unfinished.
    least: VecDeque<(i64, i64)>,
    usual: Option<i64>,
}

impl UsualDelay {
    /// A packet that was sent then had this delay; both in microseconds.
    pub(super) fn add(&mut self, sent_at: i64, delay: i64) {
        if let Some((begin, least)) = self.least.back_mut()
            && sent_at - *begin < STEP
        {
            *least = (*least).min(delay);
            return;
        }
        let mut finished: Vec<_> = self.least.iter().map(|(_, least)| *least).collect();
        finished.sort_unstable();
        self.usual = finished.get(finished.len() / QUARTILE).copied().filter(|_| finished.len() >= ENOUGH);
        if self.least.len() == STEPS {
            self.least.pop_front();
        }
        self.least.push_back((sent_at, delay));
    }

    /// By how much what is usual is above this delay, in ms.
    pub(super) fn above_ms(&self, base: i64) -> f64 {
        self.usual.map_or(0.0, |usual| ((usual - base) as f64 / 1e3).clamp(0.0, AT_MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets each 10 ms for so many seconds, with delays in ms by their number.
    fn after(seconds: i64, delay: impl Fn(i64) -> i64) -> UsualDelay {
        let mut usual = UsualDelay::default();
        (0..seconds * 100).for_each(|n| usual.add(n * 10_000, delay(n) * 1_000));
        usual
    }

    #[test]
    fn jitter_that_lasts_is_usual_and_an_even_path_has_none() {
        assert_eq!(after(10, |n| if n % 500 == 0 { 20 } else { 40 }).above_ms(20_000), 20.0);
        assert_eq!(after(10, |_| 20).above_ms(20_000), 0.0);
    }

    #[test]
    fn a_queue_of_some_seconds_is_not_usual_and_one_that_stays_only_up_to_a_bound() {
        assert_eq!(after(10, |n| if n < 400 { 20 } else { 220 }).above_ms(20_000), 0.0);
        assert_eq!(after(60, |_| 220).above_ms(20_000), AT_MOST);
    }

    #[test]
    fn the_first_seconds_say_nothing() {
        assert_eq!(after(2, |_| 60).above_ms(20_000), 0.0);
        assert_eq!(UsualDelay::default().above_ms(0), 0.0);
    }
}
