//! When pictures are protected by forward error correction, and how much of it there is (RFC 8854 section 5).
//!
//! It costs up to a quarter of what is sent, whether something is lost or not, so it is for paths on which the second try of a retransmission
//! comes too late to be shown in time; on all others retransmission is better.

use super::LONG_RTT;
use std::time::Duration;

/// Pictures are protected above this part of packets lost. Below, retransmissions that fail are rarer than those that protection makes
/// so rare that nobody waits for them.
const LOSS: f64 = 0.03;
/// For so long, in microseconds, the path has to be one where it is worth its price, or one where it is not.
const ON_AFTER: i64 = 2_000_000;
const OFF_AFTER: i64 = 10_000_000;
/// So many packets of a picture have one repair packet.
const PROTECTED_BY_ONE: usize = 5;

/// Repair packets for a picture of so many packets.
pub(crate) fn repair_packets(of_picture: usize) -> usize {
    of_picture.div_ceil(PROTECTED_BY_ONE)
}

/// Turns forward error correction on and off.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    on: bool,
    /// Since when it ought to be the other way.
    since: Option<i64>,
}

impl Protection {
    /// `loss`: part of all packets lost of late, before any repair; `least_rtt`: without queues, which protection would make longer.
    pub(crate) fn update(&mut self, now: i64, loss: f64, least_rtt: Duration) {
        let wanted = least_rtt >= LONG_RTT && loss > LOSS;
        if wanted == self.on {
            self.since = None;
        } else if now - *self.since.get_or_insert(now) >= if self.on { OFF_AFTER } else { ON_AFTER } {
            (self.on, self.since) = (wanted, None);
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Duration = LONG_RTT;

    /// Whether it is on after so many seconds of this.
    fn after(protection: &mut Protection, from: i64, seconds: f64, loss: f64, rtt: Duration) -> bool {
        let until = from + (seconds * 1e6) as i64;
        (from..=until).step_by(50_000).for_each(|now| protection.update(now, loss, rtt));
        protection.is_on()
    }

    #[test]
    fn it_is_for_long_round_trips_with_loss_alone() {
        for (loss, rtt, on) in [
            (0.031, FAR, true),
            (0.030, FAR, false),
            (0.3, FAR - Duration::from_millis(1), false),
            (0.0, Duration::from_secs(2), false),
        ] {
            assert_eq!(after(&mut Protection::default(), 0, 60.0, loss, rtt), on, "{loss} {rtt:?}");
        }
    }

    #[test]
    fn it_comes_after_two_seconds_and_stays_for_ten() {
        let mut protection = Protection::default();
        assert!(!after(&mut protection, 0, 1.95, 0.05, FAR));
        assert!(after(&mut protection, 2_000_000, 0.0, 0.05, FAR));
        assert!(after(&mut protection, 2_050_000, 9.95, 0.0, FAR));
        assert!(after(&mut protection, 12_000_000, 0.0, 0.05, FAR), "loss is back in time");
        assert!(after(&mut protection, 12_050_000, 9.95, 0.0, FAR));
        assert!(!after(&mut protection, 22_050_000, 0.0, 0.0, FAR));
    }

    #[test]
    fn each_five_packets_of_a_picture_and_the_rest_have_one() {
        assert_eq!([0, 1, 5, 6, 10, 11].map(repair_packets), [0, 1, 1, 2, 2, 3]);
    }
}
