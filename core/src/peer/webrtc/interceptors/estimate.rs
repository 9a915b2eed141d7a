//! The crate's GCC with an ear on it: each change of the target that matters becomes an event.

use super::super::events::Events;
use crate::peer::{BitrateBounds, PeerEvent};
use rtc::interceptor::{BandwidthEstimator, EstimatorStats, Gcc, PacketReport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Least time between two events.
const INTERVAL: Duration = Duration::from_millis(100);
/// Least change, as a part of the value told last.
const CHANGE: f64 = 0.05;

/// The estimator.
pub(in super::super) struct Estimator {
    gcc: Gcc,
    events: Events,
    /// In bits per second, for statistics.
    current: Arc<AtomicU32>,
    told: f64,
    told_at: Option<Instant>,
}

impl Estimator {
    pub(in super::super) fn new(bounds: BitrateBounds, events: Events, current: Arc<AtomicU32>) -> Self {
        let gcc = Gcc::new(f64::from(bounds.start), f64::from(bounds.min), f64::from(bounds.max));
        current.store(bounds.start, Ordering::Relaxed);
        Self { gcc, events, current, told: f64::from(bounds.start), told_at: None }
    }

    fn publish(&mut self, now: Instant) {
        let target = self.gcc.target_bitrate();
        // A float cast saturates, and the bounds are those of a u32 anyway.
        let bps = target as u32;
        self.current.store(bps, Ordering::Relaxed);
        let soon = self.told_at.is_some_and(|at| now.saturating_duration_since(at) < INTERVAL);
        if soon || (target - self.told).abs() < self.told * CHANGE {
            return;
        }
        self.told = target;
        self.told_at = Some(now);
        self.events.emit(PeerEvent::Estimate(bps));
    }
}

impl BandwidthEstimator for Estimator {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        self.gcc.on_reports(now, reports);
        self.publish(now);
    }

    fn target_bitrate(&self) -> f64 {
        self.gcc.target_bitrate()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.gcc.handle_timeout(now);
        self.publish(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.gcc.poll_timeout()
    }

    fn stats(&self) -> EstimatorStats {
        self.gcc.stats()
    }
}
