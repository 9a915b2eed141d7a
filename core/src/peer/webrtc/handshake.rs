//! Repeats the datagrams of a DTLS handshake that may have been lost.
//!
//! The crate repeats a flight after a whole second (RFC 6347 section 4.2.4.1), and not at all once a part of the next flight or a
//! repetition of the one before has come: its timer ends with that and is not set again, so that a loss of a few percent
//! keeps a call from connecting now and then. Here a flight is repeated, as it was sent, until the handshake goes on. That is
//! what a network may do at any time: the other side takes each record once (section 4.1.2.6).

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Between two repetitions. A round trip through a relay may take as long as the first; what is sent in vain is 2 KB.
pub(super) const GAPS: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
];
/// Most datagrams that are kept of a flight, which has three.
const MAX_DATAGRAMS: usize = 12;

/// The handshake on one socket.
#[derive(Debug, Default)]
pub(super) struct Handshake(Mutex<Flight>);

#[derive(Debug, Default)]
struct Flight {
    number: u64,
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    /// Something of the handshake came since the last datagram left: what leaves next is another flight.
    answered: bool,
}

impl Handshake {
    /// A datagram leaves. The flight that it begins, if it begins one.
    pub(super) fn sent(&self, to: SocketAddr, datagram: &[u8]) -> Option<u64> {
        if !is_handshake(datagram) {
            return None;
        }
        let mut flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut flight.answered) {
            flight.datagrams.clear();
        }
        if flight.datagrams.len() >= MAX_DATAGRAMS {
            return None;
        }
        flight.datagrams.push((to, datagram.to_vec()));
        if flight.datagrams.len() > 1 {
            return None;
        }
        flight.number = flight.number.wrapping_add(1);
        Some(flight.number)
    }

    /// A datagram arrived.
    pub(super) fn received(&self, datagram: &[u8]) {
        let (answer, over) = (is_handshake(datagram), is_protected(datagram));
        if answer || over {
            let mut flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            flight.answered |= answer;
            if over {
                // Who sends this has seen the last flight.
                flight.datagrams.clear();
            }
        }
    }

    /// What is to be repeated of a flight: nothing once the handshake has gone on.
    pub(super) fn due(&self, number: u64) -> Vec<(SocketAddr, Vec<u8>)> {
        let flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if flight.number == number { flight.datagrams.clone() } else { Vec::new() }
    }
}

/// Records `change_cipher_spec` and `handshake` (RFC 6347 section 4.1; RFC 7983).
fn is_handshake(datagram: &[u8]) -> bool {
    matches!(unwrapped(datagram).first(), Some(20 | 22))
}

/// Application data, or media (RFC 7983).
fn is_protected(datagram: &[u8]) -> bool {
    matches!(unwrapped(datagram).first(), Some(23 | 128..=191))
}

/// What a relay carries in ChannelData or in an indication (RFC 8656 sections 11 and 12), and anything else as it is.
pub(super) fn unwrapped(datagram: &[u8]) -> &[u8] {
    match datagram {
        [0x40..=0x4f, _, _, _, data @ ..] => data,
        // Send and Data indications.
        [0x00, 0x16 | 0x17, ..] => attribute(datagram, 0x0013).unwrap_or(datagram),
        _ => datagram,
    }
}

/// The value of a STUN message's attribute of this type (RFC 8489 section 14).
pub(super) fn attribute(message: &[u8], typ: u16) -> Option<&[u8]> {
    let mut attributes = message.get(20..)?;
    loop {
        let (&[t0, t1, l0, l1], rest) = attributes.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if u16::from_be_bytes([t0, t1]) == typ {
            return rest.get(..length);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: [u8; 3] = [22, 254, 253];
    const CHANGE: [u8; 3] = [20, 254, 253];
    const DATA: [u8; 3] = [23, 254, 253];

    fn to() -> SocketAddr {
        "10.0.0.1:9".parse().unwrap()
    }

    #[test]
    fn a_flight_is_repeated_until_the_next_one_leaves() {
        let handshake = Handshake::default();
        let first = handshake.sent(to(), &HELLO).unwrap();
        assert_eq!(handshake.sent(to(), &CHANGE), None, "it belongs to the same flight");
        assert_eq!(handshake.due(first).len(), 2);
        handshake.received(&HELLO);
        assert_eq!(handshake.due(first).len(), 2, "a part of an answer is no progress yet");
        let second = handshake.sent(to(), &CHANGE).unwrap();
        assert!(handshake.due(first).is_empty());
        assert_eq!(handshake.due(second), [(to(), CHANGE.to_vec())]);
        handshake.received(&DATA);
        assert!(handshake.due(second).is_empty());
    }

    #[test]
    fn media_ends_the_repetition_and_checks_do_not() {
        let handshake = Handshake::default();
        let flight = handshake.sent(to(), &HELLO).unwrap();
        handshake.received(&[0x01, 0x01, 0, 0]);
        assert_eq!(handshake.due(flight).len(), 1);
        handshake.received(&[0x80, 96]);
        assert!(handshake.due(flight).is_empty());
        assert_eq!(handshake.sent(to(), &[0x80, 96]), None);
    }

    #[test]
    fn what_a_relay_carries_is_seen_in_its_wrapping() {
        let channel = [&[0x40, 0x01, 0, 3][..], &HELLO, &[0]].concat();
        // A peer address first, padded, as the order of attributes is free.
        let indication =
            [&[0, 0x16, 0, 16][..], &[0; 16], &[0, 0x12, 0, 3, 1, 2, 3, 0], &[0, 0x13, 0, 3], &HELLO, &[0]].concat();
        for wrapped in [channel, indication] {
            assert!(Handshake::default().sent(to(), &wrapped).is_some());
        }
        for other in [
            &[0x00, 0x16][..],
            &[0; 20],
            &[0, 0x17, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x13, 0, 9],
            &[],
        ] {
            assert!(Handshake::default().sent(to(), other).is_none());
        }
    }

    #[test]
    fn who_sends_the_same_flight_again_and_again_fills_no_memory() {
        let handshake = Handshake::default();
        let flight = handshake.sent(to(), &HELLO).unwrap();
        (0..100).for_each(|_| assert!(handshake.sent(to(), &HELLO).is_none()));
        assert_eq!(handshake.due(flight).len(), MAX_DATAGRAMS);
    }
}
