//! Has the crate's driver look again for what it has to send by way of a relay.
//!
//! In each round the driver first asks its TURN client for what is to be sent, and then hands it what the connection sends through
//! the relay. That leaves in the next round, when something else has woken the driver: a flight of the handshake waited 200 ms for
//! it, and of each picture the last packet did. So while something is relayed, each round is followed by another one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::Id;

/// How long after the last datagram to a relay nothing is taken to be relayed any more. Checks come more often.
const ACTIVE: Duration = Duration::from_secs(1);
/// Longest pause then, for what the other round did not see because something else came in between.
const LONGEST: Duration = Duration::from_millis(5);

/// What one connection relays.
#[derive(Debug)]
pub(super) struct Relaying {
    start: Instant,
    /// When the last datagram to a relay left, in ms since `start`; 0 before the first.
    last: AtomicU64,
    /// Whether this is the second round.
    again: AtomicBool,
    /// The task that polls the sockets; others sleep as long as they want to.
    driver: OnceLock<Id>,
}

impl Default for Relaying {
    fn default() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0), again: AtomicBool::new(false), driver: OnceLock::new() }
    }
}

impl Relaying {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The driver polls a socket.
    pub(super) fn polled(&self) {
        if self.driver.get().is_none()
            && let Some(task) = tokio::task::try_id()
        {
            self.driver.get_or_init(|| task);
        }
    }

    /// A datagram leaves.
    pub(super) fn sent(&self, datagram: &[u8]) {
        if is_for_relay(datagram) {
            self.last.store(self.now().max(1), Ordering::Relaxed);
        }
    }

    /// How long to sleep instead of `wanted`.
    pub(super) fn pause(&self, wanted: Duration) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        let is_driver = self.driver.get().is_some_and(|driver| tokio::task::try_id() == Some(*driver));
        if !is_driver || last == 0 || self.now().saturating_sub(last) > ACTIVE.as_millis() as u64 {
            return wanted;
        }
        if self.again.fetch_xor(true, Ordering::Relaxed) { wanted.min(LONGEST) } else { Duration::ZERO }
    }
}

/// ChannelData, and STUN's Allocate, CreatePermission, ChannelBind and Send (RFC 8656 sections 12.4 and 17).
fn is_for_relay(datagram: &[u8]) -> bool {
    matches!(datagram, [0x40..=0x4f, ..] | [0x00, 0x03 | 0x08 | 0x09 | 0x16, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn while_something_is_relayed_the_driver_looks_twice_and_others_sleep_as_they_want() {
        let relaying = std::sync::Arc::new(Relaying::default());
        let driver = std::sync::Arc::clone(&relaying);
        tokio::spawn(async move {
            driver.polled();
            driver.sent(&[0x00, 0x01, 0, 0]);
            driver.sent(&[0x80, 96]);
            assert_eq!(driver.pause(WANTED), WANTED, "nothing is relayed");
            driver.sent(&[0x40, 0x00, 0, 0]);
            assert_eq!([driver.pause(WANTED), driver.pause(WANTED)], [Duration::ZERO, LONGEST]);
            assert_eq!(driver.pause(WANTED), Duration::ZERO);
            assert_eq!(driver.pause(Duration::from_millis(1)), Duration::from_millis(1));
        })
        .await
        .unwrap();
        tokio::spawn(async move { assert_eq!(relaying.pause(WANTED), WANTED) }).await.unwrap();
    }
}
