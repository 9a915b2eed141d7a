//! How fast files are sent beside a call: sound and pictures go first.
//!
//! The congestion controller of the call measures what queues on the way, by the packets of sound and pictures; those of files are not numbered, but stand in the same
//! queues. Files are a scavenger (as LEDBAT, RFC 6817): they speed up while the queue is short and media has all that it wants, and make
//! room long before the controller would take anything from media. The values below are ours, not that RFC's.

use super::frame::MAX_CHUNK;
use std::time::{Duration, Instant};

/// What the call says of its path.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PathLoad {
    /// How long packets wait in queues on the way.
    pub queue: Duration,
    /// Part of the packets of media that is lost, before repair, 0 to 1.
    pub loss: f64,
    /// Media would send more if the path carried it.
    pub media_waits: bool,
    /// What the path is reckoned to carry of media, in bits per second.
    pub target_bps: u32,
}

/// Where a transfer starts, in bytes per second.
const START: f64 = 64_000.0;
/// Never below, so that a file comes through at all; or this part of what the path carries of media.
const LEAST: f64 = 4_000.0;
const LEAST_PART: f64 = 0.1;
/// Faster than any path of a call.
const MOST: f64 = 250_000_000.0;
/// A queue up to this is none that files have made.
const SHORT: Duration = Duration::from_millis(10);
/// From this on files are in the way.
const LONG: Duration = Duration::from_millis(25);
/// Loss of media that counts as a queue that is full, where one is seen, and without one.
const LOSS_IN_QUEUE: f64 = 0.02;
const LOSS: f64 = 0.1;
/// Between two changes up, and two down.
const UP_EVERY: Duration = Duration::from_millis(100);
const DOWN_EVERY: Duration = Duration::from_millis(200);
/// Factors: until the path has once said no; after that; where files are in the way; where media wants more.
const FAST: f64 = 1.5;
const SLOW: f64 = 1.06;
const BACK: f64 = 0.7;
const GIVE_WAY: f64 = 0.85;
/// A rate that is not used grows no further.
const USED: f64 = 0.7;
/// What may leave at once: this long at the present rate, and one chunk at least.
const BURST: Duration = Duration::from_millis(10);
/// What may be on its way: this long at the present rate, within these bounds in bytes.
const ON_THE_WAY: f64 = 0.3;
const LEAST_ON_THE_WAY: f64 = 32_768.0;
const LEAST_CHUNK: f64 = 1_024.0;

/// The rate of this side's files, all together.
#[derive(Debug)]
pub struct Pace {
    rate: f64,
    tokens: f64,
    filled: Option<Instant>,
    /// Until the path has said no for the first time.
    is_fast: bool,
    changed: Option<Instant>,
    lowered: Option<Instant>,
    /// Bytes that left since the last change.
    used: f64,
    /// The queue at the look before: one long wait alone is no queue.
    before: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rate: START,
            tokens: 0.0,
            filled: None,
            is_fast: true,
            changed: None,
            lowered: None,
            used: 0.0,
            before: Duration::ZERO,
        }
    }
}

impl Pace {
    /// Another connection may have another path.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Bytes per second.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// What may be sent and not yet written there.
    pub(super) fn on_the_way(&self) -> u64 {
        (self.rate * ON_THE_WAY).max(LEAST_ON_THE_WAY) as u64
    }

    /// Bytes of a file in one chunk: a slow path is not filled by one for long.
    pub(super) fn chunk(&self) -> usize {
        ((self.rate * BURST.as_secs_f64()).max(LEAST_CHUNK) as usize).min(MAX_CHUNK)
    }

    /// When the next chunk may leave.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let missing = self.chunk() as f64 - self.tokens;
        match self.filled {
            Some(at) if missing > 0.0 => at + Duration::from_secs_f64(missing / self.rate),
            _ => now,
        }
    }

    /// So many bytes leave, if they may.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) -> bool {
        let most = (self.rate * BURST.as_secs_f64()).max(self.chunk() as f64);
        let passed = self.filled.replace(now).map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.tokens = (self.tokens + passed * self.rate).min(most);
        if self.tokens + 0.5 < self.chunk() as f64 {
            return false;
        }
        self.tokens -= bytes as f64;
        self.used += bytes as f64;
        true
    }

    /// What the path says, several times a second while files are sent.
    pub fn observe(&mut self, now: Instant, load: &PathLoad) {
        let changed = *self.changed.get_or_insert(now);
        let since = |at: Option<Instant>| at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let least = (f64::from(load.target_bps) / 8.0 * LEAST_PART).max(LEAST);
        let queue = std::mem::replace(&mut self.before, load.queue).min(load.queue);
        let is_full = queue >= LONG || load.loss >= LOSS || (load.loss >= LOSS_IN_QUEUE && queue > SHORT / 2);
        let passed = now.saturating_duration_since(changed);
        if is_full || load.media_waits {
            if since(self.lowered) >= DOWN_EVERY {
                self.is_fast &= !is_full;
                self.rate = (self.rate * if is_full { BACK } else { GIVE_WAY }).max(least);
                self.lowered = Some(now);
                self.begin(now);
            }
        } else if passed >= UP_EVERY {
            if self.used >= USED * self.rate * passed.as_secs_f64() && queue <= SHORT {
                self.rate = (self.rate * if self.is_fast { FAST } else { SLOW }).min(MOST);
            }
            self.begin(now);
        }
    }

    fn begin(&mut self, now: Instant) {
        self.changed = Some(now);
        self.used = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends all that it may for so long on a path with this load; bytes per second.
    fn sends(pace: &mut Pace, now: &mut Instant, ms: u64, load: &PathLoad) -> f64 {
        let mut sent = 0;
        for _ in 0..ms {
            *now += Duration::from_millis(1);
            while pace.take(*now, pace.chunk()) {
                sent += pace.chunk();
            }
            pace.observe(*now, load);
        }
        sent as f64 / (ms as f64 / 1e3)
    }

    fn load(queue_ms: u64, media_waits: bool) -> PathLoad {
        PathLoad { queue: Duration::from_millis(queue_ms), loss: 0.0, media_waits, target_bps: 1_000_000 }
    }

    #[test]
    fn an_empty_path_is_used_after_two_seconds() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        sends(&mut pace, &mut now, 2_000, &load(0, false));
        assert!(pace.rate() > 25_000_000.0, "{}", pace.rate());
        assert!(sends(&mut pace, &mut now, 1_000, &load(15, false)) > 25_000_000.0);
    }

    #[test]
    fn a_queue_takes_the_rate_down_at_once_and_it_grows_slowly_after() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        sends(&mut pace, &mut now, 1_000, &load(0, false));
        sends(&mut pace, &mut now, 1, &load(30, false));
        let before = pace.rate();
        sends(&mut pace, &mut now, 450, &load(30, false));
        assert!(pace.rate() < 0.36 * before, "{} of {before}", pace.rate());
        let low = pace.rate();
        sends(&mut pace, &mut now, 1_000, &load(0, false));
        assert!((1.5 * low..1.9 * low).contains(&pace.rate()), "{} of {low}", pace.rate());
    }

    #[test]
    fn while_media_waits_files_get_the_least_and_the_least_is_a_tenth() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        sends(&mut pace, &mut now, 20_000, &load(5, true));
        let sent = sends(&mut pace, &mut now, 5_000, &load(5, true));
        assert!((12_000.0..13_500.0).contains(&sent), "{sent} bytes a second beside a megabit");
        // And then they have the path again.
        sends(&mut pace, &mut now, 1_500, &load(0, false));
        assert!(pace.rate() > 500_000.0, "{}", pace.rate());
    }

    #[test]
    fn a_rate_that_nobody_uses_does_not_grow() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..1_000 {
            now += Duration::from_millis(10);
            pace.observe(now, &load(0, false));
        }
        assert_eq!(pace.rate(), START);
    }

    #[test]
    fn a_slow_path_gets_small_chunks() {
        let mut pace = Pace { rate: 12_500.0, ..Pace::default() };
        assert_eq!(pace.chunk(), 1_024);
        pace.rate = 30_000_000.0;
        assert_eq!(pace.chunk(), MAX_CHUNK);
    }
}
