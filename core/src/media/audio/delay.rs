//! How long a packet has to wait so that most of its successors arrive in time.

use crate::media::capture::SAMPLE_RATE;
use std::collections::VecDeque;
use std::time::Duration;

/// Samples in a millisecond.
pub(super) const MS: i64 = SAMPLE_RATE as i64 / 1000;

const MIN_TARGET: i64 = 20 * MS;
const MAX_TARGET: i64 = 200 * MS;
/// What a call starts with, until arrivals have been seen.
const START_DELAY: i64 = 30 * MS;
/// Added to the measured delay: speakers do not pull on the dot.
const MARGIN: i64 = 10 * MS;
/// The fastest packet of this time is what delays are measured against.
const WINDOW: i64 = 3000 * MS;
/// Most arrivals remembered in that time.
const WINDOW_PACKETS: usize = 1024;
/// A packet slower than this does not tell about jitter: the sender or the network stood still, and delays count anew from here.
const STANDSTILL: i64 = 1000 * MS;

const BUCKET: i64 = 5 * MS;
const BUCKETS: usize = 60;
/// The share of packets that shall arrive in time.
const QUANTILE: f64 = 0.97;
/// Weight that the past keeps with each packet: at 20 ms a packet, two seconds for a third.
const FORGET: f64 = 0.99;

/// The time of an [`std::time::Instant`] since some epoch, in samples.
pub(super) fn in_samples(time: Duration) -> i64 {
    i64::try_from(time.as_micros().saturating_mul(u128::from(SAMPLE_RATE)) / 1_000_000).unwrap_or(i64::MAX / 4)
}

/// Learns from arrivals. All times and delays in samples.
///
/// A packet's *transit* is when it arrived less its timestamp. Only differences of transits mean anything: a packet's *delay* is
/// how much slower it was than the fastest packet of the last three seconds. The target is a high quantile of a histogram of
/// delays that forgets. As the fastest packet moves with the clocks of both sides, drift needs no treatment of its own.
#[derive(Debug)]
pub(super) struct DelayEstimator {
    /// (arrival, transit), transits rising: the front is the smallest in the window.
    fastest: VecDeque<(i64, i64)>,
    histogram: [f64; BUCKETS],
    seen: u32,
}

impl DelayEstimator {
    pub(super) fn new() -> Self {
        let mut histogram = [0.0; BUCKETS];
        histogram[(START_DELAY / BUCKET) as usize - 1] = 1.0;
        Self { fastest: VecDeque::new(), histogram, seen: 0 }
    }

    /// Forgets the timeline but not how much the network jitters.
    pub(super) fn restart(&mut self) {
        self.fastest.clear();
    }

    /// A packet with `timestamp` came at `arrival`.
    pub(super) fn arrived(&mut self, arrival: i64, timestamp: i64) {
        let transit = arrival - timestamp;
        if self.fastest.front().is_some_and(|&(_, fastest)| transit - fastest > STANDSTILL) {
            self.fastest.clear();
        }
        while self.fastest.back().is_some_and(|&(_, slower)| slower >= transit) {
            self.fastest.pop_back();
        }
        if self.fastest.len() < WINDOW_PACKETS {
            self.fastest.push_back((arrival, transit));
        }
        while self.fastest.len() > 1 && self.fastest.front().is_some_and(|&(at, _)| arrival - at > WINDOW) {
            self.fastest.pop_front();
        }
        let fastest = self.fastest.front().map_or(transit, |&(_, fastest)| fastest);
        self.learn((transit - fastest).max(0));
    }

    fn learn(&mut self, delay: i64) {
        self.seen = self.seen.saturating_add(1);
        // A plain average at first, so that what we began with does not outlive the first second.
        let keep = FORGET.min(1.0 - 1.0 / (f64::from(self.seen) + 1.0));
        for weight in &mut self.histogram {
            *weight *= keep;
        }
        self.histogram[usize::try_from(delay / BUCKET).unwrap_or(BUCKETS).min(BUCKETS - 1)] += 1.0 - keep;
    }

    /// How long the fastest packet should wait before it is played.
    pub(super) fn target(&self) -> i64 {
        let total: f64 = self.histogram.iter().sum();
        let mut sum = 0.0;
        let mut bucket = 0;
        while bucket < BUCKETS - 1 {
            sum += self.histogram[bucket];
            if sum >= QUANTILE * total {
                break;
            }
            bucket += 1;
        }
        // The fastest packets tell of no jitter at all: their bucket counts as zero, not as its upper edge.
        let quantile = if bucket == 0 { 0 } else { (bucket as i64 + 1) * BUCKET };
        (quantile + MARGIN).clamp(MIN_TARGET, MAX_TARGET)
    }

    /// How long a packet with `timestamp` would have waited by `now`, had it been as fast as the fastest.
    pub(super) fn waited(&self, now: i64, timestamp: i64) -> Option<i64> {
        self.fastest.front().map(|&(_, transit)| now - transit - timestamp)
    }

    /// The longest target there can be.
    pub(super) const MAX: i64 = MAX_TARGET;
}
