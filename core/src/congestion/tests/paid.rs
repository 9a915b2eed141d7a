//! Whether what leaves the pacer was paid for: a second account, kept from outside by what is released.

use std::time::Duration;

use super::link::SECOND;
use crate::congestion::pacer::{BURST, MAX_LATENESS};
use crate::congestion::{Class, ProbeId};

/// Bits of a packet that may leave with the last of the credit, and one more for times that are rounded.
const PACKETS: f64 = 2.0 * 1_500.0 * 8.0;
/// Most debt that a probe leaves behind, as time at the pace.
const PROBE_DEBT: Duration = Duration::from_millis(250);

/// Bits that may leave by now.
pub(super) struct Paid {
    bits: f64,
    pace: f64,
    at: u64,
    sounds_waiting: i64,
}

impl Paid {
    pub(super) fn new(at: u64, pace_bps: u32) -> Self {
        Self { bits: 0.0, pace: f64::from(pace_bps), at, sounds_waiting: 0 }
    }

    pub(super) fn set_pace(&mut self, now: u64, pace_bps: u32) {
        self.advance(now);
        self.pace = f64::from(pace_bps.max(30_000));
    }

    pub(super) fn sound_came(&mut self) {
        self.sounds_waiting += 1;
    }

    /// A packet leaves. Says what is wrong with that.
    pub(super) fn leaves(&mut self, now: u64, class: Class, bytes: u32, probe: Option<ProbeId>) -> Option<String> {
        self.advance(now);
        if class == Class::Audio {
            self.sounds_waiting -= 1;
            return None;
        }
        let burst = self.pace * BURST.as_secs_f64() + PACKETS;
        let wrong = probe.is_none() && self.bits < -burst;
        let debt = (self.pace * PROBE_DEBT.as_secs_f64()).max(PACKETS);
        let before = self.bits;
        self.bits -= f64::from(bytes) * 8.0;
        if probe.is_some() {
            self.bits = self.bits.max(-debt);
        }
        wrong.then(|| format!("{now} µs: {class:?} leaves with {before:.0} bits at a pace of {:.0}", self.pace))
    }

    /// After all has left that may by now: sound never waits.
    pub(super) fn done(&self, now: u64) -> Option<String> {
        (self.sounds_waiting != 0).then(|| format!("{now} µs: {} packets of sound wait", self.sounds_waiting))
    }

    fn advance(&mut self, now: u64) {
        let passed = (now - self.at) as f64 / SECOND as f64;
        self.at = now;
        self.bits = (self.bits + self.pace * passed).min(self.pace * MAX_LATENESS.as_secs_f64());
    }
}
