//! One direction of a path: events, not ticks. What happens to a packet is known when it is handed over.

use std::collections::VecDeque;

use super::random::Random;

pub(super) const MILLI: u64 = 1_000;
pub(super) const SECOND: u64 = 1_000_000;

/// What the path is like from one moment on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Microseconds since the start.
    pub(super) from: u64,
    pub(super) capacity_bps: u64,
    /// One way, without the queue.
    pub(super) delay: u64,
    /// What fits into the queue (drop-tail), as time at the capacity.
    pub(super) queue: u64,
    /// Share lost at random, before the queue.
    pub(super) loss: f64,
    /// Mean number of packets lost in a row (Gilbert); 1: each by itself.
    pub(super) burst: f64,
    /// Added to the delay, evenly from nothing up to this.
    pub(super) jitter: u64,
    /// Whether jitter leaves the order as it was.
    pub(super) ordered: bool,
    /// Share that comes `reorder_by` later than it would have, overtaken by others.
    pub(super) reorder: f64,
    pub(super) reorder_by: (u64, u64),
    /// Share that comes twice.
    pub(super) duplicate: f64,
    /// Token bucket: bits per second and bytes. What does not fit is lost.
    pub(super) policer: Option<(u64, u64)>,
    /// Nothing gets through.
    pub(super) outage: bool,
}

/// A path's conditions over time; each step holds until the next.
#[derive(Debug, Clone)]
pub(super) struct Path(pub(super) Vec<Step>);

impl Path {
    /// A clean one with a queue of 300 ms.
    pub(super) fn new(kbps: u64, delay_ms: u64) -> Self {
        Self(vec![Step {
            from: 0,
            capacity_bps: kbps * 1000,
            delay: delay_ms * MILLI,
            queue: 300 * MILLI,
            loss: 0.0,
            burst: 1.0,
            jitter: 0,
            ordered: true,
            reorder: 0.0,
            reorder_by: (5 * MILLI, 20 * MILLI),
            duplicate: 0.0,
            policer: None,
            outage: false,
        }])
    }

    /// The same with every step so far changed.
    pub(super) fn with(mut self, change: impl Fn(&mut Step)) -> Self {
        self.0.iter_mut().for_each(change);
        self
    }

    /// From `from_ms` on as now, but for `change`.
    pub(super) fn then(mut self, from_ms: u64, change: impl FnOnce(&mut Step)) -> Self {
        let mut step = *self.0.last().expect("a path has a step");
        step.from = from_ms * MILLI;
        change(&mut step);
        self.0.push(step);
        self
    }

    pub(super) fn at(&self, now: u64) -> &Step {
        let after = self.0.partition_point(|step| step.from <= now);
        &self.0[after.saturating_sub(1)]
    }

    /// Bits that the path could have carried from `from` to `to`.
    pub(super) fn carries(&self, from: u64, to: u64) -> f64 {
        let ends = self.0.iter().skip(1).map(|step| step.from).chain([u64::MAX]);
        self.0
            .iter()
            .zip(ends)
            .map(|(step, end)| {
                let span = end.min(to).saturating_sub(step.from.max(from));
                if step.outage { 0.0 } else { usable(step) * span as f64 / SECOND as f64 }
            })
            .sum()
    }
}

fn usable(step: &Step) -> f64 {
    step.policer.map_or(step.capacity_bps, |(rate, _)| rate.min(step.capacity_bps)) as f64
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waited so long in the queue, and comes then.
    Arrives {
        at: u64,
        waited: u64,
        twice: bool,
    },
    Lost,
    QueueFull,
}

pub(super) struct Link {
    path: Path,
    random: Random,
    /// When the last packet accepted has left, in nanoseconds, so that no rate is rounded.
    free_at: u64,
    queue: VecDeque<(u64, u32)>,
    queued: u64,
    last_arrival: u64,
    in_burst: bool,
    tokens: f64,
    tokens_at: u64,
}

impl Link {
    pub(super) fn new(path: Path, random: Random) -> Self {
        let tokens = path.0[0].policer.map_or(0.0, |(_, bytes)| bytes as f64);
        Self {
            path,
            random,
            free_at: 0,
            queue: VecDeque::new(),
            queued: 0,
            last_arrival: 0,
            in_burst: false,
            tokens,
            tokens_at: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How long a packet that came now would wait.
    pub(super) fn waiting(&self, now: u64) -> u64 {
        (self.free_at / 1000).saturating_sub(now)
    }

    /// Hands over a packet. `now` never goes back.
    pub(super) fn send(&mut self, now: u64, bytes: u32) -> Fate {
        let step = *self.path.at(now);
        while self.queue.front().is_some_and(|(leaves, _)| *leaves <= now * 1000) {
            let left = self.queue.pop_front().map_or(0, |(_, bytes)| bytes);
            self.queued -= u64::from(left);
        }
        if step.outage || self.loses(&step) || self.polices(now, &step, bytes) {
            return Fate::Lost;
        }
        if self.queued * 8 * SECOND > step.queue * step.capacity_bps {
            return Fate::QueueFull;
        }
        let starts = self.free_at.max(now * 1000);
        let leaves = self.transmit(starts, bytes);
        self.free_at = leaves;
        self.queue.push_back((leaves, bytes));
        self.queued += u64::from(bytes);
        let mut at = leaves / 1000 + step.delay;
        if step.jitter > 0 {
            at += self.random.between(0, step.jitter + 1);
        }
        if self.random.chance(step.reorder) {
            at += self.random.between(step.reorder_by.0, step.reorder_by.1 + 1);
        } else if step.ordered {
            at = at.max(self.last_arrival);
            self.last_arrival = at;
        }
        Fate::Arrives { at, waited: starts / 1000 - now, twice: self.random.chance(step.duplicate) }
    }

    fn loses(&mut self, step: &Step) -> bool {
        if step.loss <= 0.0 {
            return false;
        }
        if step.burst <= 1.0 {
            return self.random.chance(step.loss);
        }
        let change =
            if self.in_burst { 1.0 / step.burst } else { step.loss / step.burst / (1.0 - step.loss).max(0.001) };
        if self.random.chance(change) {
            self.in_burst = !self.in_burst;
        }
        self.in_burst
    }

    fn polices(&mut self, now: u64, step: &Step, bytes: u32) -> bool {
        let Some((rate, bucket)) = step.policer else { return false };
        let earned = rate as f64 / 8.0 * (now - self.tokens_at) as f64 / SECOND as f64;
        self.tokens = (self.tokens + earned).min(bucket as f64);
        self.tokens_at = now;
        if self.tokens < f64::from(bytes) {
            return true;
        }
        self.tokens -= f64::from(bytes);
        false
    }

    /// When `bytes` whose sending starts at `from` have left, through all changes of the capacity. Nanoseconds.
    fn transmit(&self, from: u64, bytes: u32) -> u64 {
        let mut bits = u128::from(bytes) * 8 * 1_000_000_000;
        let mut now = from;
        let mut next = self.path.0.partition_point(|step| step.from * 1000 <= now);
        loop {
            let rate = u128::from(self.path.0[next.saturating_sub(1)].capacity_bps.max(1));
            let ends = self.path.0.get(next).map_or(u64::MAX, |step| step.from * 1000);
            let needs = bits.div_ceil(rate);
            if needs <= u128::from(ends - now) {
                return now + needs as u64;
            }
            bits -= u128::from(ends - now) * rate;
            now = ends;
            next += 1;
        }
    }
}
