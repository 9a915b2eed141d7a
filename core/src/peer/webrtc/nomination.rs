//! Holds nominations back until the other side can take them.
//!
//! Of the agents it is the controlling one that nominates a pair, with a check that has USE-CANDIDATE (RFC 8445 section 8.1.1); it does so once, and
//! takes the answer for the other side's agreement. Where the other side restarts ICE with an offer while this one controls, checks reach it before
//! the answer does. Firefox then answers them without knowing the pair, forgets the nomination, and checks on for good, while its media goes where
//! it went before, which is a socket that is no more. A check of its own needs the user name and the password of the answer: from then on it may
//! hear what is nominated. The crate repeats a nomination until it is answered, so that holding one back is losing it.

use super::handshake::{attribute, unwrapped};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// STUN attributes (RFC 8489 section 18.3, RFC 8445 section 16.1).
const USERNAME: u16 = 0x0006;
const USE_CANDIDATE: u16 = 0x0025;

/// Whether nominations may leave. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Nominations(Arc<Mutex<Option<String>>>);

impl Nominations {
    /// None leaves before a check comes from the agent with this user name fragment.
    pub(super) fn hold(&self, remote_ufrag: &str) {
        *self.lock() = Some(format!(":{remote_ufrag}"));
    }

    /// They leave again: the agent has this side's description.
    pub(super) fn release(&self) {
        *self.lock() = None;
    }

    /// Whether a datagram may leave.
    pub(super) fn admit(&self, datagram: &[u8]) -> bool {
        let nominates = |check| attribute(check, USE_CANDIDATE).is_some();
        // In this order media never meets the lock.
        !check(datagram).is_some_and(nominates) || self.lock().is_none()
    }

    /// A datagram has come.
    pub(super) fn received(&self, datagram: &[u8]) {
        let Some(check) = check(datagram) else { return };
        let mut held = self.lock();
        // The receiver's fragment first, then the sender's (RFC 8445 section 7.2.2).
        let (name, awaited) = (attribute(check, USERNAME).unwrap_or_default(), held.as_deref().unwrap_or_default());
        if name.ends_with(awaited.as_bytes()) {
            *held = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Binding request, in the wrapping of a relay too.
fn check(datagram: &[u8]) -> Option<&[u8]> {
    Some(unwrapped(datagram)).filter(|inner| matches!(inner, [0x00, 0x01, ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Binding request with a user name, and USE-CANDIDATE if it nominates.
    fn check(name: &[u8; 8], nominates: bool) -> Vec<u8> {
        let nomination: &[u8] = if nominates { &[0, 0x25, 0, 0] } else { &[] };
        [&[0, 1][..], &[0; 18], &[0, 6, 0, 8], name, nomination].concat()
    }

    #[test]
    fn a_nomination_waits_for_a_check_of_the_new_agent_and_nothing_else_waits() {
        let nominations = Nominations::default();
        let nomination = check(b"them:us!", true);
        assert!(nominations.admit(&nomination), "nothing is held");
        nominations.hold("them");
        assert!(!nominations.admit(&nomination));
        for other in [check(b"them:us!", false), vec![0x80, 96], vec![22, 254, 253], vec![]] {
            assert!(nominations.admit(&other));
        }
        nominations.received(&check(b"us!:thm!", false));
        assert!(!nominations.admit(&nomination), "of the generation before");
        nominations.received(&check(b"us!:them", false));
        assert!(nominations.admit(&nomination));
    }

    #[test]
    fn what_a_relay_carries_is_looked_at_too() {
        let wrapped = |check: &[u8]| [&[0x40, 1, 0, 36][..], check].concat();
        let nominations = Nominations::default();
        nominations.hold("them");
        assert!(!nominations.admit(&wrapped(&check(b"them:us!", true))));
        nominations.received(&wrapped(&check(b"us!:them", false)));
        assert!(nominations.admit(&wrapped(&check(b"them:us!", true))));
    }
}
