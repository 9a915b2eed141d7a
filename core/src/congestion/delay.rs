//! Whether a queue grows on the way: inter-arrival groups, trendline and adaptive threshold (draft-ietf-rmcat-gcc-02, sections 5.2
//! to 5.4), and how long the queue is.

use super::usual::UsualDelay;
use std::collections::VecDeque;

/// Packets sent within this time are one group, in microseconds.
const GROUP: i64 = 5_000;
/// A burst that a radio held back is one group too, if it arrived this densely and is no longer than this.
const BURST_GAP: i64 = 5_000;
const BURST_AT_MOST: i64 = 100_000;
/// So many groups in a row that arrived before their predecessors mean that the receiver's clock began anew.
const MAX_BACKWARDS: u32 = 3;
/// After so long without packets nothing of before is comparable.
const SILENCE: i64 = 2_000_000;
/// A step of the receiver's clock of more than this is a new clock.
const CLOCK_STEP: i64 = 3_000_000;

/// Groups over which the slope is taken.
const WINDOW: usize = 20;
/// Weight of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// The slope is weighted by the number of groups, up to this, and by this gain.
const MAX_GROUPS: u32 = 60;
const GAIN: f64 = 4.0;
/// The threshold, in ms: where it starts, its bounds, how fast it follows upwards and downwards, and from which distance on it does not.
const THRESHOLD: f64 = 12.5;
const THRESHOLD_BOUNDS: (f64, f64) = (6.0, 600.0);
const FOLLOW_UP: f64 = 0.0087;
const FOLLOW_DOWN: f64 = 0.039;
const FOLLOW_WITHIN: f64 = 15.0;
/// The slope has to be too steep for this long, in ms.
const OVERUSE_AFTER: f64 = 10.0;

/// The queue is the least delay of the last packets, of those that came within this time but of so many at least, above the least of
/// ten seconds: on a path that became slow ten packets take long. Microseconds.
const LEAST_OF: usize = 10;
const LEAST_OF_SLOW: usize = 3;
const LEAST_WITHIN: i64 = 100_000;
/// Jitter that keeps the order of packets delays some of them together: what a queue is without it shows the least of this time.
pub(super) const SETTLED: i64 = 300_000;
pub(super) const SOON: i64 = 150_000;
const SETTLED_AT_MOST: usize = 200;
const BASE_WINDOW: i64 = 10_000_000;
/// A queue that another flow keeps long never empties: it is seen above the least of so many times of this length. Microseconds.
const LONG_BASE_STEP: i64 = 2_000_000;
const LONG_BASE_STEPS: usize = 15;

/// What the slope of the delay says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    #[default]
    Normal,
    /// A queue grows.
    Over,
    /// A queue empties.
    Under,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrival: i64,
    last_arrival: i64,
}

/// Learns from packets in the order of their arrival.
#[derive(Debug)]
pub(super) struct DelayEstimator {
    current: Option<Group>,
    previous: Option<Group>,
    backwards: u32,
    trend: Trendline,
    /// (arrived, one-way delay) of the last packets, and (sent, delay) with delays rising: the front is the least.
    last: VecDeque<(i64, i64)>,
    base: VecDeque<(i64, i64)>,
    /// (begin, least delay) of each of the last times.
    long_base: VecDeque<(i64, i64)>,
    usual: UsualDelay,
    last_sent: Option<i64>,
}

impl DelayEstimator {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            previous: None,
            backwards: 0,
            trend: Trendline::new(),
            last: VecDeque::new(),
            base: VecDeque::new(),
            long_base: VecDeque::with_capacity(LONG_BASE_STEPS),
            usual: UsualDelay::default(),
            last_sent: None,
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.trend.usage
    }

    /// How long packets wait on the way, in ms, above the least of the last ten seconds.
    pub(super) fn queue_ms(&self) -> f64 {
        self.least().zip(self.base.front()).map_or(0.0, |(least, (_, base))| (least - base).max(0) as f64 / 1e3)
    }

    /// The same by the least of a longer time, at most [`SETTLED`]: jitter is no queue, and a queue shows later.
    pub(super) fn settled_queue_ms(&self, within: i64) -> f64 {
        let Some(&(newest, _)) = self.last.back() else {
            return 0.0;
        };
        let recent = |(index, (at, _)): &(usize, &(i64, i64))| *index < LEAST_OF || newest - at <= within;
        let least = self.last.iter().rev().enumerate().filter(recent).map(|(_, (_, delay))| *delay).min();
        least.zip(self.base.front()).map_or(0.0, |(least, (_, base))| (least - base).max(0) as f64 / 1e3)
    }

    /// What such a queue is on this path anyway: jitter that delays all packets of a while together looks like one.
    pub(super) fn usual_queue_ms(&self) -> f64 {
        self.base.front().map_or(0.0, |(_, base)| self.usual.above_ms(*base))
    }

    /// The same above the least of half a minute.
    pub(super) fn standing_queue_ms(&self) -> f64 {
        let base = self.long_base.iter().map(|(_, least)| *least).min();
        self.least().zip(base).map_or(0.0, |(least, base)| (least - base).max(0) as f64 / 1e3)
    }

    fn least(&self) -> Option<i64> {
        let (newest, _) = *self.last.back()?;
        let recent = |(index, (at, _)): &(usize, &(i64, i64))| *index < LEAST_OF_SLOW || newest - at <= LEAST_WITHIN;
        self.last.iter().rev().take(LEAST_OF).enumerate().filter(recent).map(|(_, (_, delay))| *delay).min()
    }

    /// A packet was sent and arrived, each by its own clock, in microseconds.
    pub(super) fn arrived(&mut self, now: i64, sent_at: i64, arrived_at: i64) {
        let delay = arrived_at - sent_at;
        let step = self.last.back().is_some_and(|(_, last)| (delay - last).abs() > CLOCK_STEP);
        if step || self.last_sent.is_some_and(|last| sent_at - last > SILENCE) {
            *self = Self::new();
        }
        self.last_sent = Some(self.last_sent.map_or(sent_at, |last| last.max(sent_at)));
        while self.last.len() >= SETTLED_AT_MOST
            || self.last.len() > LEAST_OF && self.last.front().is_some_and(|(at, _)| (arrived_at - at).abs() > SETTLED)
        {
            self.last.pop_front();
        }
        self.last.push_back((arrived_at, delay));
        while self.base.back().is_some_and(|&(_, other)| other >= delay) {
            self.base.pop_back();
        }
        self.base.push_back((sent_at, delay));
        while self.base.len() > 1 && self.base.front().is_some_and(|&(at, _)| sent_at - at > BASE_WINDOW) {
            self.base.pop_front();
        }
        match self.long_base.back_mut() {
            Some((begin, least)) if sent_at - *begin < LONG_BASE_STEP => *least = (*least).min(delay),
            _ => {
                if self.long_base.len() == LONG_BASE_STEPS {
                    self.long_base.pop_front();
                }
                self.long_base.push_back((sent_at, delay));
            }
        }
        self.usual.add(sent_at, delay);
        self.group(now, sent_at, arrived_at);
    }

    fn group(&mut self, now: i64, sent_at: i64, arrived_at: i64) {
        let Some(group) = &mut self.current else {
            self.current = Some(Group::new(sent_at, arrived_at));
            return;
        };
        if sent_at < group.first_sent {
            return;
        }
        if group.takes(sent_at, arrived_at) {
            group.last_sent = group.last_sent.max(sent_at);
            group.last_arrival = group.last_arrival.max(arrived_at);
            return;
        }
        let finished = *group;
        self.current = Some(Group::new(sent_at, arrived_at));
        if let Some(previous) = self.previous.replace(finished) {
            let sent = finished.last_sent - previous.last_sent;
            let arrived = finished.last_arrival - previous.last_arrival;
            if arrived < 0 {
                self.backwards += 1;
                if self.backwards >= MAX_BACKWARDS {
                    *self = Self::new();
                }
                return;
            }
            self.backwards = 0;
            self.trend.add(now, sent as f64 / 1e3, arrived as f64 / 1e3, finished.last_arrival as f64 / 1e3);
        }
    }
}

impl Group {
    fn new(sent_at: i64, arrived_at: i64) -> Self {
        Self { first_sent: sent_at, last_sent: sent_at, first_arrival: arrived_at, last_arrival: arrived_at }
    }

    fn takes(&self, sent_at: i64, arrived_at: i64) -> bool {
        let (sent, arrived) = (sent_at - self.last_sent, arrived_at - self.last_arrival);
        let burst = arrived <= BURST_GAP && arrived - sent < 0 && arrived_at - self.first_arrival < BURST_AT_MOST;
        sent_at - self.first_sent <= GROUP || burst
    }
}

/// The slope of the smoothed delay, and the threshold that it is held against. Times in ms.
#[derive(Debug)]
struct Trendline {
    groups: u32,
    delay: f64,
    smoothed: f64,
    /// (arrival since the first, smoothed delay)
    points: VecDeque<(f64, f64)>,
    first_arrival: Option<f64>,
    slope: f64,
    threshold: f64,
    updated: Option<i64>,
    over_for: Option<f64>,
    over_groups: u32,
    usage: Usage,
}

impl Trendline {
    fn new() -> Self {
        Self {
            groups: 0,
            delay: 0.0,
            smoothed: 0.0,
            points: VecDeque::with_capacity(WINDOW),
            first_arrival: None,
            slope: 0.0,
            threshold: THRESHOLD,
            updated: None,
            over_for: None,
            over_groups: 0,
            usage: Usage::Normal,
        }
    }

    fn add(&mut self, now: i64, sent: f64, arrived: f64, arrival: f64) {
        self.groups = self.groups.saturating_add(1);
        self.delay += arrived - sent;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let first = *self.first_arrival.get_or_insert(arrival);
        if self.points.len() == WINDOW {
            self.points.pop_front();
        }
        self.points.push_back((arrival - first, self.smoothed));
        let before = self.slope;
        if self.points.len() == WINDOW
            && let Some(slope) = slope(&self.points)
        {
            self.slope = slope;
        }
        self.detect(now, sent, before);
    }

    fn detect(&mut self, now: i64, sent: f64, before: f64) {
        if self.groups < 2 {
            return;
        }
        let modified = f64::from(self.groups.min(MAX_GROUPS)) * self.slope * GAIN;
        if modified > self.threshold {
            let over = self.over_for.map_or(sent / 2.0, |over| over + sent);
            self.over_for = Some(over);
            self.over_groups += 1;
            if over > OVERUSE_AFTER && self.over_groups > 1 && self.slope >= before {
                self.over_for = Some(0.0);
                self.over_groups = 0;
                self.usage = Usage::Over;
            }
        } else {
            (self.over_for, self.over_groups) = (None, 0);
            self.usage = if modified < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.adapt(now, modified.abs());
    }

    fn adapt(&mut self, now: i64, modified: f64) {
        let since = self.updated.replace(now).map_or(0.0, |at| ((now - at) as f64 / 1e3).clamp(0.0, 100.0));
        if modified > self.threshold + FOLLOW_WITHIN {
            return;
        }
        let gain = if modified > self.threshold { FOLLOW_UP } else { FOLLOW_DOWN };
        self.threshold += gain * (modified - self.threshold) * since;
        self.threshold = self.threshold.clamp(THRESHOLD_BOUNDS.0, THRESHOLD_BOUNDS.1);
    }
}

/// Of the line through the points by least squares; `None` where they all have one time.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let (above, below) = points
        .iter()
        .fold((0.0, 0.0), |sum, point| (sum.0 + (point.0 - x) * (point.1 - y), sum.1 + (point.0 - x) * (point.0 - x)));
    (below > 0.0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets each 10 ms, each delayed by so many microseconds.
    fn feed(estimator: &mut DelayEstimator, from: i64, delays: impl Iterator<Item = i64>) -> (i64, bool) {
        let (mut at, mut over) = (from, false);
        for delay in delays {
            estimator.arrived(at, at, at + 20_000 + delay);
            over |= estimator.usage() == Usage::Over;
            at += 10_000;
        }
        (at, over)
    }

    #[test]
    fn an_even_path_is_normal_and_has_no_queue() {
        let mut estimator = DelayEstimator::new();
        let (_, over) = feed(&mut estimator, 0, std::iter::repeat_n(0, 300));
        assert!(!over);
        assert_eq!(estimator.queue_ms(), 0.0);
    }

    #[test]
    fn a_growing_queue_is_seen_soon() {
        let mut estimator = DelayEstimator::new();
        let (at, _) = feed(&mut estimator, 0, std::iter::repeat_n(0, 100));
        // One millisecond more with each packet: a tenth too fast.
        let (_, over) = feed(&mut estimator, at, (0..40).map(|n| n * 1000));
        assert!(over);
        assert!((estimator.queue_ms() - 30.0).abs() < 1.5, "{}", estimator.queue_ms());
    }

    #[test]
    fn a_queue_that_empties_is_underuse() {
        let mut estimator = DelayEstimator::new();
        let (at, _) = feed(&mut estimator, 0, std::iter::repeat_n(200_000, 100));
        feed(&mut estimator, at, (0..60).map(|n| 200_000 - n * 3000));
        assert_eq!(estimator.usage(), Usage::Under);
    }

    #[test]
    fn a_standing_queue_is_seen_by_its_length_alone() {
        let mut estimator = DelayEstimator::new();
        let (at, _) = feed(&mut estimator, 0, std::iter::repeat_n(0, 100));
        let (at, _) = feed(&mut estimator, at, (0..100).map(|n| n * 500));
        feed(&mut estimator, at, std::iter::repeat_n(50_000, 200));
        assert!((estimator.queue_ms() - 50.0).abs() < 0.1);
        assert_ne!(estimator.usage(), Usage::Over);
    }

    #[test]
    fn a_path_that_became_slow_shows_its_queue_with_the_third_packet() {
        let mut estimator = DelayEstimator::new();
        let (at, _) = feed(&mut estimator, 0, std::iter::repeat_n(0, 100));
        // From 10 ms for each packet to 60.
        for n in 1..=4 {
            estimator.arrived(at + n * 10_000, at + n * 10_000, at + 20_000 + n * 60_000);
        }
        assert!((estimator.queue_ms() - 100.0).abs() < 0.1, "{}", estimator.queue_ms());
    }

    #[test]
    fn packets_that_jitter_delays_together_are_no_settled_queue() {
        let mut estimator = DelayEstimator::new();
        // Every 25th packet comes at once: one each quarter of a second.
        feed(&mut estimator, 0, (0..118).map(|n| if n % 25 == 0 { 0 } else { 40_000 }));
        assert!((estimator.queue_ms() - 40.0).abs() < 0.1);
        assert_eq!(estimator.settled_queue_ms(SETTLED), 0.0);
        let (_, over) = feed(&mut estimator, 1_180_000, std::iter::repeat_n(40_000, 40));
        assert!(!over);
        assert!((estimator.settled_queue_ms(SETTLED) - 40.0).abs() < 0.1, "a queue, then");
    }

    #[test]
    fn a_queue_that_never_empties_is_seen_above_the_least_of_half_a_minute() {
        let mut estimator = DelayEstimator::new();
        let (at, _) = feed(&mut estimator, 0, std::iter::repeat_n(0, 100));
        let (at, _) = feed(&mut estimator, at, std::iter::repeat_n(50_000, 1_500));
        assert_eq!(estimator.queue_ms(), 0.0);
        assert!((estimator.standing_queue_ms() - 50.0).abs() < 0.1);
        feed(&mut estimator, at, std::iter::repeat_n(50_000, 1_700));
        assert_eq!(estimator.standing_queue_ms(), 0.0, "another path, then");
    }

    #[test]
    fn a_receiver_with_a_new_clock_starts_the_estimate_anew_and_is_no_queue() {
        let mut estimator = DelayEstimator::new();
        let (at, _) = feed(&mut estimator, 0, std::iter::repeat_n(0, 100));
        let (_, over) = feed(&mut estimator, at, std::iter::repeat_n(9_000_000, 100));
        assert!(!over);
        assert_eq!(estimator.queue_ms(), 0.0);
    }

    #[test]
    fn arrivals_of_any_kind_give_numbers() {
        let mut estimator = DelayEstimator::new();
        for n in 0..2_000_i64 {
            let noise = (n * 7_919 % 1_013) * (n % 5_000) - 900_000;
            estimator.arrived(n * 1000, n * 1000, noise);
            assert!(estimator.queue_ms().is_finite() && estimator.trend.threshold.is_finite());
        }
    }
}
