//! One direction of a path: what happens to a packet, and when it arrives. Without clock and sockets, so that it is tested in
//! virtual time; [`relay`](super::relay) does to real packets what this says.

use super::scenario::Leg;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// How long one entry of the log is.
pub(crate) const BUCKET: Duration = Duration::from_millis(100);

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// It arrives at this time.
    Arrives(Duration),
    /// It is lost on the way, as on a radio.
    Lost,
    /// The queue was full, or the policer had no tokens.
    Dropped,
}

/// What happened during 100 ms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bucket {
    /// Bytes that were offered.
    pub(crate) bytes_in: u64,
    /// Bytes that left the bottleneck.
    pub(crate) bytes_out: u64,
    /// Packets that the queue or the policer dropped.
    pub(crate) dropped: u32,
    /// Packets that the path lost.
    pub(crate) lost: u32,
    /// Packets that the queue took.
    pub(crate) queued: u32,
    /// How long these waited, in all.
    pub(crate) waited: Duration,
    /// The longest wait.
    pub(crate) longest_wait: Duration,
}

/// One direction of a path. Times are since its making.
pub(crate) struct Shaper {
    legs: Vec<Leg>,
    random: StdRng,
    /// When the schedule of the legs began; before, the first leg holds and nothing is logged.
    began: Option<Duration>,
    in_burst: bool,
    /// When the link has sent all that it was given.
    idle_at: Duration,
    last_arrival: Duration,
    tokens: f64,
    filled_at: Duration,
    log: Vec<Bucket>,
}

impl Shaper {
    /// A direction with these legs, of which there is at least one; the same seed loses the same packets.
    pub(crate) fn new(legs: Vec<Leg>, seed: u64) -> Self {
        let tokens = legs.first().and_then(|leg| leg.policer_bytes).map_or(0.0, f64::from);
        Self {
            legs,
            random: StdRng::seed_from_u64(seed),
            began: None,
            in_burst: false,
            idle_at: Duration::ZERO,
            last_arrival: Duration::ZERO,
            tokens,
            filled_at: Duration::ZERO,
            log: Vec::new(),
        }
    }

    /// The call is connected: the schedule and the log begin.
    pub(crate) fn begin(&mut self, now: Duration) {
        self.began = Some(now);
    }

    /// What has happened since the beginning.
    pub(crate) fn log(&self) -> &[Bucket] {
        &self.log
    }

    /// A packet of so many bytes comes to the bottleneck. `now` never goes back.
    pub(crate) fn offer(&mut self, now: Duration, bytes: usize) -> Verdict {
        let leg = self.leg_at(now);
        if let Some(bucket) = self.bucket(now) {
            bucket.bytes_in += bytes as u64;
        }
        if self.loses(&leg) {
            if let Some(bucket) = self.bucket(now) {
                bucket.lost += 1;
            }
            return Verdict::Lost;
        }
        let left = match leg.policer_bytes {
            Some(depth) => self.police(now, bytes, f64::from(leg.kbps) * 125.0, f64::from(depth)),
            None => self.queue(now, bytes, leg.queue_ms),
        };
        let Some(left) = left else {
            if let Some(bucket) = self.bucket(now) {
                bucket.dropped += 1;
            }
            return Verdict::Dropped;
        };
        if let Some(bucket) = self.bucket(left) {
            bucket.bytes_out += bytes as u64;
        }
        let more = if leg.jitter_ms > 0.0 { self.random.random_range(0.0..leg.jitter_ms) } else { 0.0 };
        self.last_arrival = self.last_arrival.max(left + ms(leg.delay_ms + more));
        Verdict::Arrives(self.last_arrival)
    }

    /// When a packet leaves the queue, if the queue takes it.
    fn queue(&mut self, now: Duration, bytes: usize, limit_ms: f64) -> Option<Duration> {
        let wait = self.idle_at.saturating_sub(now);
        if wait > ms(limit_ms) {
            return None;
        }
        if let Some(bucket) = self.bucket(now) {
            bucket.queued += 1;
            bucket.waited += wait;
            bucket.longest_wait = bucket.longest_wait.max(wait);
        }
        self.idle_at = self.sent_at(self.idle_at.max(now), bytes);
        Some(self.idle_at)
    }

    /// When a packet passes the policer, which is at once, if there are tokens for it.
    fn police(&mut self, now: Duration, bytes: usize, bytes_per_second: f64, depth: f64) -> Option<Duration> {
        let since = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + since * bytes_per_second).min(depth);
        self.filled_at = now;
        let left = self.tokens - bytes as f64;
        if left < 0.0 {
            return None;
        }
        self.tokens = left;
        if let Some(bucket) = self.bucket(now) {
            bucket.queued += 1;
        }
        Some(now)
    }

    /// Gilbert's model of two states where losses come in bursts.
    fn loses(&mut self, leg: &Leg) -> bool {
        if leg.loss <= 0.0 || leg.loss >= 1.0 {
            self.in_burst = false;
            return leg.loss >= 1.0;
        }
        let chance = if leg.mean_burst <= 1.0 {
            leg.loss
        } else if self.in_burst {
            1.0 - 1.0 / leg.mean_burst
        } else {
            // So that the share of time in the state of loss is `loss`.
            (leg.loss / leg.mean_burst / (1.0 - leg.loss)).min(1.0)
        };
        self.in_burst = self.random.random_bool(chance);
        self.in_burst
    }

    /// When the link, busy with this packet from `start` on, has sent it: capacity may change meanwhile.
    fn sent_at(&self, start: Duration, bytes: usize) -> Duration {
        let mut bits = bytes as f64 * 8.0;
        let mut at = start;
        loop {
            let bits_per_second = f64::from(self.leg_at(at).kbps.max(1)) * 1000.0;
            let needs = Duration::from_secs_f64(bits / bits_per_second);
            match self.next_change(at) {
                Some(change) if change < at + needs => {
                    bits -= (change - at).as_secs_f64() * bits_per_second;
                    at = change;
                }
                _ => return at + needs,
            }
        }
    }

    fn leg_at(&self, now: Duration) -> Leg {
        let at = self.began.map_or(Duration::ZERO, |began| now.saturating_sub(began));
        let begun = self.legs.iter().rev().find(|leg| ms(leg.from_s * 1e3) <= at);
        begun.or(self.legs.first()).copied().unwrap_or(Leg::PLAIN)
    }

    fn next_change(&self, at: Duration) -> Option<Duration> {
        let began = self.began?;
        self.legs.iter().map(|leg| began + ms(leg.from_s * 1e3)).find(|change| *change > at)
    }

    fn bucket(&mut self, at: Duration) -> Option<&mut Bucket> {
        let since = at.checked_sub(self.began?)?;
        let index = usize::try_from(since.as_millis() / BUCKET.as_millis()).ok()?;
        if self.log.len() <= index {
            self.log.resize(index + 1, Bucket::default());
        }
        self.log.get_mut(index)
    }
}

fn ms(ms: f64) -> Duration {
    Duration::from_nanos((ms.max(0.0) * 1e6).round() as u64)
}

#[cfg(test)]
#[path = "shaper_tests.rs"]
mod tests;
