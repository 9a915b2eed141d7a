//! How much of the path what is sent again may take.

use std::time::{Duration, Instant};

/// What may be sent again at once, as time at the rate of the budget.
const DEPTH: Duration = Duration::from_millis(200);
/// Bits of the largest packet that is usual: one of them fits the narrowest budget.
const PACKET: u64 = 1_500 * 8;

/// A token bucket that gives retransmissions half of the target: less freezes the picture at high loss, more starves new
/// pictures. Shared by the streams of a connection.
pub struct RetransmissionBudget {
    rate_bps: u64,
    bits: u64,
    now: Instant,
}

impl RetransmissionBudget {
    /// A full one. `target_bps` is what the path carries, everything that is sent together.
    pub fn new(now: Instant, target_bps: u32) -> Self {
        let mut budget = Self { rate_bps: 0, bits: 0, now };
        budget.set_target(now, target_bps);
        budget.bits = budget.depth();
        budget
    }

    /// Follows the target, in bits per second.
    pub fn set_target(&mut self, now: Instant, target_bps: u32) {
        self.advance(now);
        self.rate_bps = u64::from(target_bps.max(2) / 2);
        self.bits = self.bits.min(self.depth());
    }

    /// Takes so many bytes out, if they are in there.
    pub fn take(&mut self, now: Instant, bytes: u32) -> bool {
        self.advance(now);
        let bits = Self::bits_of(bytes);
        let enough = bits <= self.bits;
        if enough {
            self.bits -= bits;
        }
        enough
    }

    /// When so many bytes will be in there, if nothing else is taken.
    pub fn ready(&self, bytes: u32) -> Instant {
        let lacking = Self::bits_of(bytes).saturating_sub(self.bits);
        // At most 12,000 bits. The rate is never zero.
        self.now + Duration::from_nanos((lacking * 1_000_000_000).div_ceil(self.rate_bps))
    }

    /// How long so many bytes take.
    pub fn time_for(&self, bytes: u64) -> Duration {
        let lacking = bytes.saturating_mul(8).saturating_sub(self.bits);
        Duration::from_nanos(lacking.saturating_mul(1_000_000_000) / self.rate_bps)
    }

    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.now);
        let bits = u128::from(self.rate_bps) * passed.as_nanos() / 1_000_000_000;
        let bits = u64::try_from(bits).unwrap_or(u64::MAX);
        // Time that has not yet paid a whole bit is kept for the next call.
        if bits > 0 {
            self.now = now;
            self.bits = self.bits.saturating_add(bits).min(self.depth());
        }
    }

    fn depth(&self) -> u64 {
        (self.rate_bps * DEPTH.as_millis() as u64 / 1_000).max(PACKET)
    }

    fn bits_of(bytes: u32) -> u64 {
        (u64::from(bytes) * 8).min(PACKET)
    }
}
