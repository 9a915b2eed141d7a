//! Traffic of others over the same link.

use super::link::{Fate, Link, MILLI, SECOND};
use super::random::cbrt;

const SEGMENT: u32 = 1500;

/// Who else uses the path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cross {
    /// Packets at an even rate.
    Constant { from: u64, to: u64, bps: u64 },
    /// One download without an end: loss-based, CUBIC (RFC 9438).
    LongTcp { from: u64, to: u64 },
    /// Downloads of `bytes`, a new one `every` microseconds.
    ShortTcp { from: u64, to: u64, bytes: u64, every: u64 },
}

/// One of them at work.
pub(super) struct Flow {
    kind: Cross,
    /// From the far end back, without a queue.
    return_delay: u64,
    next: u64,
    window: f64,
    slow_start: bool,
    peak: f64,
    since: u64,
    in_flight: u32,
    left: u64,
    /// When an acknowledgement, or the news of a loss, comes: (time, when it was sent, lost).
    news: std::collections::BinaryHeap<std::cmp::Reverse<(u64, u64, bool)>>,
    /// What was sent before does not count as a second loss.
    reduced_at: u64,
    pub(super) delivered_bytes: u64,
}

impl Flow {
    pub(super) fn new(kind: Cross, return_delay: u64) -> Self {
        let next = match kind {
            Cross::Constant { from, .. } | Cross::LongTcp { from, .. } | Cross::ShortTcp { from, .. } => from,
        };
        let mut flow = Self {
            kind,
            return_delay,
            next,
            window: 10.0,
            slow_start: true,
            peak: 0.0,
            since: 0,
            in_flight: 0,
            left: 0,
            news: std::collections::BinaryHeap::new(),
            reduced_at: 0,
            delivered_bytes: 0,
        };
        flow.begin(next);
        flow
    }

    fn begin(&mut self, now: u64) {
        self.window = 10.0;
        self.slow_start = true;
        self.since = now;
        self.reduced_at = now;
        self.left = if let Cross::ShortTcp { bytes, .. } = self.kind { bytes } else { u64::MAX };
    }

    pub(super) fn next_wake(&self) -> u64 {
        let news = self.news.peek().map_or(u64::MAX, |news| news.0.0);
        news.min(self.next)
    }

    pub(super) fn wake(&mut self, now: u64, link: &mut Link) {
        match self.kind {
            Cross::Constant { to, bps, .. } => {
                while self.next <= now && self.next < to {
                    link.send(now, SEGMENT);
                    self.next += u64::from(SEGMENT) * 8 * SECOND / bps.max(1);
                }
                if self.next >= to {
                    self.next = u64::MAX;
                }
            }
            Cross::LongTcp { to, .. } => {
                self.hear(now);
                if now < to {
                    self.fill(now, link);
                }
                self.next = u64::MAX;
            }
            Cross::ShortTcp { to, every, .. } => {
                self.hear(now);
                if self.next <= now {
                    self.begin(now);
                    self.next = if now + every < to { now + every } else { u64::MAX };
                }
                self.fill(now, link);
            }
        }
    }

    fn hear(&mut self, now: u64) {
        while self.news.peek().is_some_and(|news| news.0.0 <= now) {
            let Some(std::cmp::Reverse((_, sent, lost))) = self.news.pop() else { break };
            self.in_flight = self.in_flight.saturating_sub(1);
            if !lost {
                self.delivered_bytes += u64::from(SEGMENT);
                if self.slow_start {
                    self.window += 1.0;
                } else {
                    let seconds = (now - self.since) as f64 / SECOND as f64;
                    let back = cbrt(self.peak * 0.3 / 0.4);
                    let off = seconds - back;
                    let aim = 0.4 * off * off * off + self.peak;
                    self.window += ((aim - self.window) / self.window).clamp(0.01, 0.5);
                }
            } else if sent >= self.reduced_at {
                self.peak = self.window;
                self.window = (self.window * 0.7).max(2.0);
                self.slow_start = false;
                self.since = now;
                self.reduced_at = now;
            }
        }
    }

    fn fill(&mut self, now: u64, link: &mut Link) {
        while self.in_flight < self.window as u32 && self.left > 0 {
            self.left = self.left.saturating_sub(u64::from(SEGMENT));
            self.in_flight += 1;
            match link.send(now, SEGMENT) {
                Fate::Arrives { at, .. } => {
                    self.news.push(std::cmp::Reverse((at + self.return_delay, now, false)));
                }
                // Told by the packets after it: about one round trip later.
                Fate::Lost | Fate::QueueFull => {
                    let told = now + link.waiting(now) + link.path().at(now).delay + self.return_delay + 10 * MILLI;
                    self.news.push(std::cmp::Reverse((told, now, true)));
                }
            }
        }
    }
}
