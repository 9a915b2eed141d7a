//! How late packets come that were overtaken, not lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Late packets that are remembered, and how long.
const SAMPLES: usize = 64;
const MEMORY: Duration = Duration::from_secs(60);
/// Most that a request waits for a packet that may only be late.
const MAX_TOLERANCE: Duration = Duration::from_millis(10);

/// Learns how long to wait before a missing packet counts as lost.
#[derive(Default)]
pub(super) struct ReorderTolerance {
    samples: VecDeque<(Instant, Duration)>,
    tolerance: Duration,
}

impl ReorderTolerance {
    /// A packet came so long after the gap that it left was seen.
    pub(super) fn learn(&mut self, now: Instant, late: Duration) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, late));
        self.settle();
    }

    /// The 95th percentile of what was seen in the last minute, at most 10 ms; zero where packets keep their order.
    pub(super) fn get(&mut self, now: Instant) -> Duration {
        let old = |at: Instant| now.saturating_duration_since(at) > MEMORY;
        if self.samples.front().is_some_and(|s| old(s.0)) {
            while self.samples.front().is_some_and(|s| old(s.0)) {
                self.samples.pop_front();
            }
            self.settle();
        }
        self.tolerance
    }

    fn settle(&mut self) {
        let mut times: Vec<Duration> = self.samples.iter().map(|s| s.1).collect();
        times.sort_unstable();
        let at = (times.len() * 95).div_ceil(100).saturating_sub(1);
        self.tolerance = times.get(at).copied().unwrap_or_default().min(MAX_TOLERANCE);
    }
}
