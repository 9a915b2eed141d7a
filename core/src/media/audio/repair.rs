//! How much longer to wait so that a lost packet can still be repaired by those after it.

use super::delay::MS;

/// Weight of one packet in the smoothed loss.
const WEIGHT: f64 = 0.01;
/// Above this share of loss we wait. One lost packet alone does not get there.
const WAIT_FROM: f64 = 0.012;
/// Above this share the copies are likely to be lost as well, and we wait for the in-band FEC of copies too.
const LOSSY: f64 = 0.04;
/// How long a reason to wait stays one: switching to and fro would be heard more than the delay.
const HOLD: i64 = 10_000 * MS;

/// Learns from sequence numbers how much is lost, and from packets how far back they repair. Times are RTP timestamps, made 64 bits wide.
#[derive(Debug, Default)]
pub(super) struct RepairWait {
    loss: f64,
    /// Until when to wait for copies, and for in-band FEC of copies.
    until: Option<i64>,
    lossy_until: Option<i64>,
    /// How far back copies (RFC 2198) reach, and when that was seen.
    reach: i64,
    reach_seen: i64,
    /// Length of the last packet.
    packet: i64,
}

impl RepairWait {
    /// A packet of so many samples came.
    pub(super) fn packet(&mut self, timestamp: i64, samples: i64) {
        self.packet = samples;
        if self.loss > WAIT_FROM {
            self.until = Some(timestamp + HOLD);
        }
        if self.loss > LOSSY {
            self.lossy_until = Some(timestamp + HOLD);
        }
        if timestamp - self.reach_seen > HOLD {
            self.reach = 0;
        }
        self.until = self.until.filter(|&until| until > timestamp);
        self.lossy_until = self.lossy_until.filter(|&until| until > timestamp);
    }

    /// A packet carried a copy of what was sent `offset` samples before it.
    pub(super) fn copy(&mut self, timestamp: i64, offset: i64) {
        if offset >= self.reach {
            (self.reach, self.reach_seen) = (offset, timestamp);
        }
    }

    /// Whether a packet that should have come was lost.
    pub(super) fn settled(&mut self, lost: bool) {
        self.loss += (f64::from(u8::from(lost)) - self.loss) * WEIGHT;
    }

    /// Another stream's timestamps have nothing to do with those so far.
    pub(super) fn restart(&mut self, timestamp: i64) {
        self.until = self.until.map(|_| timestamp + HOLD);
        self.lossy_until = self.lossy_until.map(|_| timestamp + HOLD);
        self.reach = 0;
        self.reach_seen = timestamp;
    }

    /// Samples to wait longer.
    pub(super) fn samples(&self) -> i64 {
        match (self.until, self.lossy_until) {
            (None, _) => 0,
            (Some(_), Some(_)) if self.reach > 0 => self.reach + self.packet,
            // Without copies in-band FEC is in the very next packet.
            (Some(_), _) => self.reach.max(self.packet),
        }
    }
}
