//! Paces ICE's connectivity checks (RFC 8445 section 14).
//!
//! The crate checks every pair every 50 ms, however many there are, and whom it checks is the other side's to say: a long list of
//! candidates would make a hose of this device. Here all destinations that have not answered yet share one rate, each with its turn.
//! What is held back is lost, as on any network; the agent sends the next one in its own time.

use super::handshake::attribute;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two checks of one connection: 500 a second at most. A phone with two networks and a peer with the same have some 20 pairs,
/// which are all checked as often as the agent wants.
const PACE: Duration = Duration::from_millis(2);
/// A destination that was not checked for so long takes no part any more.
const FORGOTTEN: Duration = Duration::from_secs(5);
/// Most destinations at a time. Those beyond are not checked.
const MAX_DESTINATIONS: usize = 512;

// STUN attributes (RFC 8489 section 18.3, RFC 8656 section 18) and indications of TURN.
const USERNAME: u16 = 0x0006;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA_ATTRIBUTE: u16 = 0x0013;
const SEND: u8 = 0x16;
const DATA: u8 = 0x17;

/// The checks of one connection.
#[derive(Debug, Default)]
pub(super) struct Checks(Mutex<HashMap<Destination, Turn>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Destination {
    from: SocketAddr,
    to: SocketAddr,
    /// Whom a relay sends it to, as STUN writes it; empty without one.
    beyond: Vec<u8>,
}

#[derive(Debug)]
struct Turn {
    last: Instant,
    answered: bool,
}

impl Checks {
    /// Whether a datagram may leave now. All but checks may.
    pub(super) fn admit(&self, now: Instant, from: SocketAddr, to: SocketAddr, datagram: &[u8]) -> bool {
        let Some(beyond) = checked(datagram) else { return true };
        let destination = Destination { from, to, beyond };
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| now.saturating_duration_since(turn.last) < FORGOTTEN);
        let is_full = turns.len() >= MAX_DESTINATIONS;
        let open = turns.values().filter(|turn| !turn.answered).count();
        match turns.get_mut(&destination) {
            Some(turn) if turn.answered => {
                turn.last = now;
                true
            }
            Some(turn) => {
                let share = PACE.saturating_mul(u32::try_from(open).unwrap_or(u32::MAX));
                let due = now.saturating_duration_since(turn.last) >= share;
                if due {
                    turn.last = now;
                }
                due
            }
            None if is_full => false,
            None => {
                turns.insert(destination, Turn { last: now, answered: false });
                true
            }
        }
    }

    /// A datagram came from there.
    pub(super) fn received(&self, at: SocketAddr, from: SocketAddr, datagram: &[u8]) {
        let Some(beyond) = answered(datagram) else { return };
        let destination = Destination { from: at, to: from, beyond };
        if let Some(turn) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&destination) {
            turn.answered = true;
        }
    }
}

/// Whom a relay is to send this check to, empty without a relay; `None` if it is no check. A check is a STUN Binding request with a
/// user name, which those to a STUN server have not.
fn checked(datagram: &[u8]) -> Option<Vec<u8>> {
    match datagram {
        [0x00, 0x01, ..] => attribute(datagram, USERNAME).map(|_| Vec::new()),
        _ => beyond(datagram, SEND, |data| checked(data).is_some()),
    }
}

/// Who has answered a check, likewise.
fn answered(datagram: &[u8]) -> Option<Vec<u8>> {
    match datagram {
        [0x01, 0x01, ..] => Some(Vec::new()),
        _ => beyond(datagram, DATA, |data| answered(data).is_some()),
    }
}

/// The peer of what a relay carries in an indication of this type or in ChannelData (RFC 8656 sections 11 and 12), if its data is so.
fn beyond(datagram: &[u8], indication: u8, so: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    match datagram {
        [0x00, typ, _, _, _, _, _, _, transaction @ ..] if *typ == indication => {
            attribute(datagram, DATA_ATTRIBUTE).filter(|data| so(data))?;
            let mut peer = attribute(datagram, XOR_PEER_ADDRESS)?.to_vec();
            // Of an IPv6 address all but the first four bytes are mixed with the transaction's identifier (RFC 8489 section 14.2).
            for (byte, mixed) in peer.iter_mut().skip(8).zip(transaction) {
                *byte ^= mixed;
            }
            Some(peer)
        }
        [number @ 0x40..=0x4f, low, _, _, data @ ..] if so(data) => Some(vec![*number, *low]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    fn stun(typ: [u8; 2], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = [&typ[..], &[0; 18]].concat();
        for (kind, value) in attributes {
            message.extend(kind.to_be_bytes());
            message.extend((value.len() as u16).to_be_bytes());
            message.extend(*value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        message
    }

    fn check() -> Vec<u8> {
        stun([0, 1], &[(USERNAME, b"them:us")])
    }

    /// How many checks leave in three seconds, for which the agent would send one to each of so many every 50 ms.
    fn sent(checks: &Checks, destinations: u16) -> Vec<usize> {
        let start = Instant::now();
        let mut sent = vec![0; destinations.into()];
        for round in 0..60 {
            let now = start + Duration::from_millis(50 * round);
            for (n, sent) in sent.iter_mut().enumerate() {
                *sent += usize::from(checks.admit(now, at(1), at(1_000 + n as u16), &check()));
            }
        }
        sent
    }

    #[test]
    fn few_destinations_are_checked_as_often_as_the_agent_wants() {
        assert_eq!(sent(&Checks::default(), 20), [60; 20]);
    }

    #[test]
    fn many_share_one_rate_and_each_has_its_turn() {
        let sent = sent(&Checks::default(), 200);
        assert!(sent.iter().all(|sent| (5..=8).contains(sent)), "{sent:?}");
        let all: usize = sent.iter().sum();
        assert!((1_000..=1_800).contains(&all), "{all} in three seconds");
    }

    #[test]
    fn there_is_an_end_to_those_that_are_checked() {
        let sent = sent(&Checks::default(), 2_000);
        assert_eq!(sent.iter().filter(|sent| **sent > 0).count(), MAX_DESTINATIONS);
    }

    #[test]
    fn who_answers_is_checked_freely_by_a_relay_too() {
        let success = stun([1, 1], &[]);
        let peer = [0, 1, 7, 7, 1, 2, 3, 4];
        let relayed = |typ, data: &[u8]| stun([0, typ], &[(XOR_PEER_ADDRESS, &peer), (DATA_ATTRIBUTE, data)]);
        let channel = |data: &[u8]| [&[0x40, 1, 0, 0][..], data].concat();
        let ways = [
            (check(), success.clone()),
            (relayed(SEND, &check()), relayed(DATA, &success)),
            (channel(&check()), channel(&success)),
        ];
        for (check, answer) in ways {
            let (checks, now) = (Checks::default(), Instant::now());
            (0..100).for_each(|n| assert!(checks.admit(now, at(1), at(2_000 + n), &check)));
            assert!(!checks.admit(now, at(1), at(2_000), &check), "it has had its turn");
            checks.received(at(1), at(2_000), &answer);
            assert!(checks.admit(now, at(1), at(2_000), &check));
        }
    }

    #[test]
    fn an_ipv6_peer_behind_a_relay_is_one_destination_whatever_the_transaction() {
        let request = |transaction: u8| {
            let mut address = [0_u8; 20];
            address[..4].copy_from_slice(&[0, 2, 7, 7]);
            address[8..].fill(transaction);
            let mut message = stun([0, SEND], &[(XOR_PEER_ADDRESS, &address), (DATA_ATTRIBUTE, &check())]);
            message[8..20].fill(transaction);
            message
        };
        assert_eq!(checked(&request(5)), checked(&request(9)));
        assert!(checked(&request(5)).is_some());
    }

    #[test]
    fn media_handshakes_and_questions_to_servers_are_not_held_back() {
        let (checks, now) = (Checks::default(), Instant::now());
        for other in [vec![0x80, 96], vec![22, 254, 253], stun([0, 1], &[]), stun([0, 3], &[(USERNAME, b"u")]), vec![]]
        {
            assert!((0..1_000).all(|_| checks.admit(now, at(1), at(2), &other)));
        }
    }
}
