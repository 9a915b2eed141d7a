//! How long a packet has to wait so that most of its successors arrive in time.

use crate::media::capture::SAMPLE_RATE;
use std::collections::VecDeque;
use std::time::Duration;

/// Samples in a millisecond.
pub(super) const MS: i64 = SAMPLE_RATE as i64 / 1000;

const MIN_TARGET: i64 = 20 * MS;
const MAX_TARGET: i64 = 600 * MS;
/// What a call starts with, until arrivals have been seen.
const START_DELAY: i64 = 30 * MS;
/// Added to the measured delay: speakers do not pull on the dot.
const MARGIN: i64 = 10 * MS;
/// The fastest packet of this time is what delays are measured against.
const WINDOW: i64 = 3000 * MS;
/// Most arrivals remembered in that time.
const WINDOW_PACKETS: usize = 1024;
/// A packet slower than this does not tell about jitter: the sender or the network stood still, and delays count anew from here.
const STANDSTILL: i64 = MAX_TARGET;
/// When the fastest packet of the window is slower by this than that before, the path has become longer.
const PATH_CHANGE: i64 = 30 * MS;

const BUCKET: i64 = 10 * MS;
const BUCKETS: usize = (MAX_TARGET / BUCKET) as usize;
/// Of so much time the slowest packet counts: a hole of half a second in the sound is one event and not 25 slow packets.
const INTERVAL: i64 = 500 * MS;
/// The share of intervals in which no packet shall be late. One hole touches two intervals, which is not enough to change the target.
const QUANTILE: f64 = 0.85;
/// Weight that the past keeps with each interval: what was is forgotten after 13 s.
const FORGET: f64 = 0.93;
/// A delay up to this is waited for as soon as it is seen, and until it has shown whether it comes back.
const AT_ONCE: i64 = 120 * MS;

/// The time of an [`std::time::Instant`] since some epoch, in samples.
pub(super) fn in_samples(time: Duration) -> i64 {
    i64::try_from(time.as_micros().saturating_mul(u128::from(SAMPLE_RATE)) / 1_000_000).unwrap_or(i64::MAX / 4)
}

/// Learns from arrivals. All times and delays in samples.
///
/// A packet's *transit* is when it arrived less its timestamp. Only differences of transits mean anything: a packet's *delay* is
/// how much slower it was than the fastest packet of the last three seconds. The target is a high quantile of a histogram, which forgets, of the
/// longest delays in each half second. As the fastest packet moves with the clocks of both sides, drift needs no treatment of its own.
#[derive(Debug)]
pub(super) struct DelayEstimator {
    /// (arrival, transit), transits rising: the front is the smallest in the window.
    fastest: VecDeque<(i64, i64)>,
    histogram: [f64; BUCKETS],
    /// Intervals in the histogram.
    seen: u32,
    interval: Option<Interval>,
    /// The longest delay of the interval before, no more than [`AT_ONCE`].
    before: i64,
    newest: i64,
}

#[derive(Debug)]
struct Interval {
    start: i64,
    longest: i64,
    /// The longest, no more than [`AT_ONCE`].
    at_once: i64,
}

impl DelayEstimator {
    pub(super) fn new() -> Self {
        let mut histogram = [0.0; BUCKETS];
        histogram[(START_DELAY / BUCKET) as usize - 1] = 1.0;
        Self { fastest: VecDeque::new(), histogram, seen: 0, interval: None, before: 0, newest: 0 }
    }

    /// Forgets the timeline but not how much the network jitters.
    pub(super) fn restart(&mut self) {
        self.fastest.clear();
        self.newest = 0;
    }

    /// A packet with `timestamp` came at `arrival`. Tells by how much the path became longer: all delays are less by that from here on.
    pub(super) fn arrived(&mut self, arrival: i64, timestamp: i64) -> i64 {
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
        let mut longer = 0;
        while self.fastest.len() > 1 && self.fastest.front().is_some_and(|&(at, _)| arrival - at > WINDOW) {
            let gone = self.fastest.pop_front().map_or(0, |(_, fastest)| fastest);
            let rise = self.fastest.front().map_or(0, |&(_, fastest)| fastest - gone);
            if rise >= PATH_CHANGE {
                self.shift(rise);
                longer += rise;
            }
        }
        let fastest = self.fastest.front().map_or(transit, |&(_, fastest)| fastest);
        self.newest = (transit - fastest).max(0);
        self.learn(arrival, self.newest);
        longer
    }

    fn learn(&mut self, arrival: i64, delay: i64) {
        let at_once = if delay <= AT_ONCE { delay } else { 0 };
        match &mut self.interval {
            Some(interval) if (0..INTERVAL).contains(&(arrival - interval.start)) => {
                interval.longest = interval.longest.max(delay);
                interval.at_once = interval.at_once.max(at_once);
            }
            other => {
                let over = other.replace(Interval { start: arrival, longest: delay, at_once });
                self.before = over.as_ref().map_or(0, |interval| interval.at_once);
                if let Some(interval) = over {
                    self.count(interval.longest);
                }
            }
        }
    }

    fn count(&mut self, delay: i64) {
        self.seen = self.seen.saturating_add(1);
        // A plain average at first, so that what we began with does not outlive the first seconds.
        let keep = FORGET.min(1.0 - 1.0 / (f64::from(self.seen) + 1.0));
        for weight in &mut self.histogram {
            *weight *= keep;
        }
        self.histogram[usize::try_from(delay / BUCKET).unwrap_or(BUCKETS).min(BUCKETS - 1)] += 1.0 - keep;
    }

    /// The path has become longer by `rise`: what counted as slow by so much was on time.
    fn shift(&mut self, rise: i64) {
        let by = usize::try_from(rise / BUCKET).unwrap_or(BUCKETS).min(BUCKETS - 1);
        let on_time: f64 = self.histogram[..=by].iter().sum();
        self.histogram.copy_within(by.., 0);
        self.histogram[BUCKETS - by..].fill(0.0);
        self.histogram[0] = on_time;
        if let Some(interval) = &mut self.interval {
            interval.longest = (interval.longest - rise).max(0);
            interval.at_once = (interval.at_once - rise).max(0);
        }
        self.before = (self.before - rise).max(0);
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
        let at_once = self.interval.as_ref().map_or(0, |interval| interval.at_once).max(self.before);
        (quantile.max(at_once) + MARGIN).clamp(MIN_TARGET, MAX_TARGET)
    }

    /// How much slower than the fastest the newest packet was.
    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    /// How long a packet with `timestamp` would have waited by `now`, had it been as fast as the fastest.
    pub(super) fn waited(&self, now: i64, timestamp: i64) -> Option<i64> {
        self.fastest.front().map(|&(_, transit)| now - transit - timestamp)
    }

    /// The longest target there can be.
    pub(super) const MAX: i64 = MAX_TARGET;
}
