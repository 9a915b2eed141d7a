//! Which rung of the ladder a bitrate carries: rather a smaller picture than a smeared one.

use super::backoff::{Backoff, Held};
use super::ladder::Ladder;
use std::time::{Duration, Instant};

/// A bitrate too low for the rung is believed after this time,
const FALL_AFTER: Duration = Duration::from_secs(1);
/// or at once below this part of what keeps the rung.
const FALL_AT_ONCE: f64 = 0.6;
/// A rung above is taken from this part of what it needs on,
const RISE_FROM: f64 = 1.25;
/// when that has lasted so long: each change costs a keyframe.
const RISE_AFTER: Duration = Duration::from_secs(4);
/// The same from this part on: there is no doubt, and a picture too small cannot use what the path carries.
const RISE_SOON_FROM: f64 = 2.0 * RISE_FROM;
const RISE_SOON_AFTER: Duration = Duration::from_secs(1);
/// The same in the first time of a stream, while the estimate finds its level.
const START: Duration = Duration::from_secs(5);
const RISE_AT_START_AFTER: Duration = Duration::from_millis(500);
/// The longest wait after rises that did not last, and what not to last means.
const RISE_AFTER_AT_MOST: Duration = Duration::from_secs(60);
const RELAPSE: Duration = Duration::from_secs(10);
/// Where a keyframe is due anyway, a fall waits for nothing and a rise for this long.
const RISE_WITH_KEYFRAME_AFTER: Duration = Duration::from_millis(500);

/// Follows the bitrate with hysteresis.
#[derive(Debug)]
pub(super) struct RateLimit {
    rung: usize,
    since: Instant,
    low: Held,
    high: Held,
    very_high: Held,
    backoff: Backoff,
}

impl RateLimit {
    /// Begins with the rung that the bitrate carries now.
    pub(super) fn new(ladder: &Ladder, bitrate_bps: u32, fps: f64, now: Instant) -> Self {
        let mut limit = Self {
            rung: 0,
            since: now,
            low: Held::default(),
            high: Held::default(),
            very_high: Held::default(),
            backoff: Backoff::new(RISE_AFTER, RISE_AFTER_AT_MOST, RELAPSE),
        };
        limit.begin_on(ladder, bitrate_bps, fps);
        limit
    }

    /// Another ladder: the rung that the bitrate carries now.
    pub(super) fn begin_on(&mut self, ladder: &Ladder, bitrate_bps: u32, fps: f64) {
        self.rung = first(ladder, 0, |index| f64::from(bitrate_bps) >= ladder.needs(index, fps).0);
        self.clear();
    }

    /// The rung for this bitrate. `keyframe_due`: a keyframe is going to be made anyway. `may_rise`: pictures are good enough
    /// as they are to be worth more pixels.
    pub(super) fn follow(
        &mut self,
        ladder: &Ladder,
        bitrate_bps: u32,
        fps: f64,
        (keyframe_due, may_rise): (bool, bool),
        now: Instant,
    ) -> usize {
        let bitrate = f64::from(bitrate_bps);
        let keep = ladder.needs(self.rung, fps).1;
        let low = self.low.update(now, bitrate < keep && self.rung < ladder.last());
        if bitrate < FALL_AT_ONCE * keep && self.rung < ladder.last() {
            self.fall(first(ladder, self.rung + 1, |index| bitrate >= ladder.needs(index, fps).0), now);
        } else if low.is_some_and(|time| time >= FALL_AFTER || keyframe_due) {
            self.fall(first(ladder, self.rung + 1, |index| bitrate >= ladder.needs(index, fps).1), now);
        } else if self.rung > 0 && self.rises(ladder, bitrate, fps, keyframe_due, may_rise, now) {
            let reached = (0..self.rung).find(|index| bitrate >= RISE_FROM * ladder.needs(*index, fps).0);
            self.rung = reached.unwrap_or(self.rung - 1);
            self.backoff.rose(now);
            self.clear();
        }
        self.rung
    }

    fn rises(
        &mut self,
        ladder: &Ladder,
        bitrate: f64,
        fps: f64,
        keyframe_due: bool,
        may_rise: bool,
        now: Instant,
    ) -> bool {
        let enter = ladder.needs(self.rung - 1, fps).0;
        let high = self.high.update(now, may_rise && bitrate >= RISE_FROM * enter);
        let very_high = self.very_high.update(now, may_rise && bitrate >= RISE_SOON_FROM * enter);
        let rested = self.backoff.is_rested();
        let starting = now.saturating_duration_since(self.since) < START;
        high.is_some_and(|time| {
            time >= self.backoff.wait()
                || rested && starting && time >= RISE_AT_START_AFTER
                || rested && keyframe_due && time >= RISE_WITH_KEYFRAME_AFTER
        }) || rested && very_high.is_some_and(|time| time >= RISE_SOON_AFTER)
    }

    fn fall(&mut self, rung: usize, now: Instant) {
        self.rung = rung;
        self.backoff.fell(now);
        self.clear();
    }

    fn clear(&mut self) {
        self.low.clear();
        self.high.clear();
        self.very_high.clear();
    }
}

/// The best rung from this one down that does, or the lowest one.
fn first(ladder: &Ladder, from: usize, does: impl Fn(usize) -> bool) -> usize {
    (from..ladder.last()).find(|index| does(*index)).unwrap_or(ladder.last())
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
