//! Whether another flow keeps the queue of the path long, whatever we send: then its length says nothing of our own rate.

use std::collections::VecDeque;

/// A queue of this length all through so long in spite of cuts is another flow's. Ms, microseconds.
const QUEUE: f64 = 50.0;
const AFTER: i64 = 2_000_000;
/// One that gets shorter by so much meanwhile is ours, and empties. Ms.
const SHORTER: f64 = 30.0;
/// It leaves us no more than this part of what arrived before; of a queue of our own making all arrives that the path carries. That is
/// forgotten within about this time, in microseconds.
const PART: f64 = 0.75;
const MEMORY: f64 = 8e6;
/// It is gone when the queue was seen below this so many times in that time.
const GONE: f64 = 25.0;
const SIGHTINGS: usize = 4;
const WINDOW: i64 = 2_500_000;

/// Whether another flow keeps the queue full.
#[derive(Debug, Default)]
pub(super) struct CompetingFlow {
    /// Since when, and the greatest length since then.
    long_since: Option<(i64, f64)>,
    short: VecDeque<i64>,
    /// Most that arrived of late, in bits per second, and when it was looked at.
    most: f64,
    at: Option<i64>,
    seen: bool,
}

impl CompetingFlow {
    pub(super) fn add(&mut self, now: i64, queue_ms: f64, acked: Option<f64>) {
        let since = self.at.replace(now).map_or(0, |at| (now - at).max(0)) as f64;
        self.most *= (-since / MEMORY).exp();
        if let Some(acked) = acked {
            self.most = self.most.max(acked);
        }
        let less = acked.is_some_and(|acked| acked < PART * self.most);
        if !self.seen {
            if queue_ms <= QUEUE || !less {
                self.long_since = None;
                return;
            }
            let (since, most) = self.long_since.get_or_insert((now, queue_ms));
            *most = most.max(queue_ms);
            if queue_ms < *most - SHORTER {
                (*since, *most) = (now, queue_ms);
            } else if now - *since > AFTER {
                (self.seen, self.long_since) = (true, None);
                self.short.clear();
            }
            return;
        }
        if queue_ms < GONE {
            self.short.push_back(now);
        }
        while self.short.front().is_some_and(|at| now - at > WINDOW) {
            self.short.pop_front();
        }
        // Each feedback is a sighting; they come in rows, so that a row counts for a part.
        self.seen = self.short.len() < SIGHTINGS * 5;
    }

    pub(super) fn is_seen(&self) -> bool {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feedback each 50 ms for so many seconds, of this queue by the time since `from`, and of this rate.
    fn feed(flow: &mut CompetingFlow, from: i64, seconds: f64, queue_ms: impl Fn(f64) -> f64, acked: f64) -> i64 {
        let count = (seconds * 20.0) as i64;
        for n in 0..count {
            flow.add(from + n * 50_000, queue_ms(n as f64 * 0.05), Some(acked));
        }
        from + count * 50_000
    }

    #[test]
    fn a_queue_that_stays_while_less_arrives_is_another_flows_until_it_is_gone() {
        let mut flow = CompetingFlow::default();
        let at = feed(&mut flow, 0, 5.0, |_| 0.0, 2e6);
        let at = feed(&mut flow, at, 1.9, |_| 80.0, 1e6);
        assert!(!flow.is_seen(), "not yet");
        let at = feed(&mut flow, at, 0.3, |_| 80.0, 1e6);
        assert!(flow.is_seen());
        let at = feed(&mut flow, at, 30.0, |time| 60.0 + 40.0 * (time % 1.0), 1e6);
        assert!(flow.is_seen());
        feed(&mut flow, at, 1.1, |_| 10.0, 1e6);
        assert!(!flow.is_seen());
    }

    #[test]
    fn a_queue_is_our_own_if_all_arrives_as_before_or_if_it_empties() {
        let mut flow = CompetingFlow::default();
        let at = feed(&mut flow, 0, 5.0, |_| 0.0, 1e6);
        let at = feed(&mut flow, at, 10.0, |_| 100.0, 0.9e6);
        assert!(!flow.is_seen(), "all arrives that the path carries");
        let at = feed(&mut flow, at, 0.5, |time| 1_000.0 * time, 0.2e6);
        feed(&mut flow, at, 10.0, |time| 500.0 - 45.0 * time, 0.2e6);
        assert!(!flow.is_seen(), "it empties");
    }
}
