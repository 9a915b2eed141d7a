//! A path whose rate swings, such as a crowded Wi-Fi: what it carried at its lows, of late. A probe that meets a high finds what lasts for a part of
//! a second, and what was sent at that rate is in the queue, or lost, when the next low comes.

use std::collections::VecDeque;

/// Cuts within this time of one another, in microseconds, are one fall.
const SAME_FALL: i64 = 1_000_000;
/// A fall to less than this part of the rate before it counts,
const DEEP: f64 = 0.6;
/// if its cuts took no longer than this, in microseconds: what lasts is another flow, or a path that became slower.
const SHORT: i64 = 1_000_000;
/// So many falls within this time, in microseconds, make a path that swings.
const FALLS: usize = 3;
const OF_LATE: i64 = 30_000_000;
/// Probes then raise the rate up to this multiple of the middle low, in any case up to this many bits per second: below there is more to win than to
/// lose.
const ABOVE_LOWS: f64 = 1.7;
const LEAST: f64 = 600_000.0;
/// Falls that are remembered.
const KEPT: usize = 32;

/// The falls of the rate.
#[derive(Debug, Default)]
pub(super) struct Swings {
    falls: VecDeque<Fall>,
}

/// A row of cuts. Rates in bits per second, times in microseconds.
#[derive(Debug)]
struct Fall {
    from: f64,
    to: f64,
    begun: i64,
    ended: i64,
}

impl Fall {
    fn is_swing(&self, now: i64) -> bool {
        now - self.ended < OF_LATE && self.ended - self.begun <= SHORT && self.to < DEEP * self.from
    }
}

impl Swings {
    /// The rate was cut, from this one to that one.
    pub(super) fn cut(&mut self, now: i64, from: f64, to: f64) {
        match self.falls.back_mut() {
            Some(last) if now - last.ended < SAME_FALL => {
                (last.from, last.to, last.ended) = (last.from.max(from), last.to.min(to), now);
            }
            _ => {
                if self.falls.len() == KEPT {
                    self.falls.pop_front();
                }
                self.falls.push_back(Fall { from, to, begun: now, ended: now });
            }
        }
    }

    /// No probe is to raise the rate above this, if the path swings.
    pub(super) fn bound(&self, now: i64) -> Option<f64> {
        let mut lows: Vec<f64> = self.falls.iter().filter(|fall| fall.is_swing(now)).map(|fall| fall.to).collect();
        if lows.len() < FALLS {
            return None;
        }
        lows.sort_by(f64::total_cmp);
        Some((ABOVE_LOWS * lows[lows.len() / 2]).max(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn three_short_deep_falls_in_half_a_minute_bound_what_a_probe_may_find() {
        let mut swings = Swings::default();
        for (second, low) in [(0, 400e3), (5, 600e3), (10, 500e3)] {
            assert_eq!(swings.bound(second * SECOND), None);
            swings.cut(second * SECOND, 2e6, low + 300e3);
            swings.cut(second * SECOND + 300_000, low + 300e3, low);
        }
        assert_eq!(swings.bound(11 * SECOND), Some(ABOVE_LOWS * 500e3));
        assert_eq!(swings.bound(31 * SECOND), None, "the first one is long ago");
    }

    #[test]
    fn a_path_that_carried_next_to_nothing_is_asked_for_more_all_the_same() {
        let mut swings = Swings::default();
        (0..3).for_each(|n| swings.cut(n * 5 * SECOND, 1e6, 40e3));
        assert_eq!(swings.bound(15 * SECOND), Some(LEAST));
    }

    #[test]
    fn a_path_that_became_slower_and_small_cuts_are_no_swings() {
        let (mut lasting, mut small) = (Swings::default(), Swings::default());
        for second in 0..5 {
            for step in 0..4 {
                lasting.cut(second * 5 * SECOND + step * 400_000, 2e6, 500e3);
            }
            small.cut(second * 5 * SECOND, 1e6, 700e3);
        }
        assert_eq!((lasting.bound(21 * SECOND), small.bound(21 * SECOND)), (None, None));
    }

    #[test]
    fn of_very_many_falls_the_newest_are_kept() {
        let mut swings = Swings::default();
        (0..1_000).for_each(|n| swings.cut(n * 2 * SECOND, 2e6, 500e3));
        assert_eq!(swings.falls.len(), KEPT);
    }
}
