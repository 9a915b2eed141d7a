//! Follows a peer to which a NAT on the way has given another address.
//!
//! A NAT that forgets or changes its mapping lets what the peer sends come from elsewhere, and loses what is sent to where the peer was. The
//! peer notices nothing for a while, and the crate stays with the pair that it has selected until silence makes somebody restart ICE, seconds
//! later. But the peer's next consent check (RFC 7675) comes from the new address, too. What the crate answers has its password, so it is
//! the peer's; then a check of our own goes there, and its answer shows that the peer gets what is sent there (RFC 8445 section 7.2.5.2:
//! a peer-reflexive candidate; RFC 9000 section 9.3 does likewise). Once media comes from there and nothing from where it came before,
//! media goes there. The crate goes on with the address that it has selected: it is changed for the other one at the socket, both ways.
//!
//! A peer that takes another of its candidates without a restart, as browsers do when a network goes, is followed by the same rule.

use super::handshake::attribute;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, Setter, TransactionId};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing may come from where it came before while media comes from elsewhere: ten packets of sound.
const SILENCE: Duration = Duration::from_millis(200);
/// Between two checks of one address.
const PACE: Duration = Duration::from_millis(200);
/// How long the answer to a check says where the peer is.
const FRESH: Duration = Duration::from_secs(5);
/// Most addresses that are looked at. A peer has one, or some candidates that it keeps ready.
const MAX_ADDRESSES: usize = 4;

// STUN attributes (RFC 8489 section 18.3, RFC 8445 section 16.1).
const USERNAME: u16 = 0x0006;
const PRIORITY: u16 = 0x0024;
const CONTROLLED: u16 = 0x8029;
const CONTROLLING: u16 = 0x802a;
/// What a check has besides its integrity.
const KEPT: [u16; 4] = [USERNAME, PRIORITY, CONTROLLED, CONTROLLING];

/// The password of the other side's ICE agent, as its newest description has it.
#[derive(Debug, Clone, Default)]
pub(super) struct RemotePassword(Arc<Mutex<String>>);

impl RemotePassword {
    pub(super) fn set(&self, password: &str) {
        password.clone_into(&mut lock(&self.0));
    }
}

/// One socket's peer.
#[derive(Debug, Default)]
pub(super) struct Rebinding {
    password: RemotePassword,
    peer: Mutex<Peer>,
}

#[derive(Debug, Default)]
struct Peer {
    /// Where the crate takes it to be: where media goes.
    selected: Option<SocketAddr>,
    /// Where it is, if that is elsewhere.
    moved: Option<SocketAddr>,
    /// When something came from where it is.
    heard: Option<Instant>,
    /// The newest check that the crate sent.
    check: Vec<u8>,
    others: VecDeque<Other>,
}

/// Another address from which checks with the right password came.
#[derive(Debug)]
struct Other {
    address: SocketAddr,
    asked: Instant,
    transaction: TransactionId,
    answered: Option<Instant>,
}

/// A datagram that has to be sent there.
pub(super) type Check = (SocketAddr, Vec<u8>);

impl Rebinding {
    pub(super) fn new(password: RemotePassword) -> Self {
        Self { password, peer: Mutex::default() }
    }

    /// Where a datagram goes that the crate sends there.
    pub(super) fn destination(&self, to: SocketAddr) -> SocketAddr {
        let peer = lock(&self.peer);
        peer.moved.filter(|_| peer.selected == Some(to)).unwrap_or(to)
    }

    /// The crate has sent a datagram; what has to be sent besides.
    pub(super) fn sent(&self, now: Instant, to: SocketAddr, datagram: &[u8]) -> Option<Check> {
        match datagram {
            _ if is_media(datagram) => lock(&self.peer).select(now, to),
            [0x00, 0x01, ..] if attribute(datagram, USERNAME).is_some() => lock(&self.peer).check = datagram.to_vec(),
            [0x01, 0x01, ..] => return self.look_at(now, to),
            _ => {}
        }
        None
    }

    /// From whom the crate is to have a datagram that came from there; from nobody if it was an answer to a check of this side's own.
    pub(super) fn received(&self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        let mut peer = lock(&self.peer);
        let Some(selected) = peer.selected else { return Some(from) };
        if from == peer.moved.unwrap_or(selected) {
            peer.heard = Some(now);
            return Some(selected);
        }
        if matches!(datagram, [0x01, 0x01, ..])
            && let Some(other) = peer.others.iter_mut().find(|other| other.is_answer(from, datagram))
        {
            if is_authentic(datagram, &lock(&self.password.0)) {
                other.answered = Some(now);
            }
            return None;
        }
        if is_media(datagram) && peer.is_silent(now) && peer.may_be_at(now, from) {
            log::info!("the other side's address changed on the way");
            peer.moved = Some(from).filter(|from| *from != selected);
            peer.heard = Some(now);
            return Some(selected);
        }
        Some(from)
    }

    /// The crate has answered a check from there.
    fn look_at(&self, now: Instant, address: SocketAddr) -> Option<Check> {
        let mut peer = lock(&self.peer);
        let selected = peer.selected?;
        if [Some(selected), peer.moved].contains(&Some(address)) {
            return None;
        }
        let known = peer.others.iter_mut().find(|other| other.address == address);
        if known.is_some_and(|other| now.saturating_duration_since(other.asked) < PACE || other.is_fresh(now)) {
            return None;
        }
        let (transaction, check) = another(&peer.check, &lock(&self.password.0))?;
        peer.others.retain(|other| other.address != address);
        if peer.others.len() >= MAX_ADDRESSES {
            peer.others.pop_front();
        }
        peer.others.push_back(Other { address, asked: now, transaction, answered: None });
        Some((address, check))
    }
}

impl Peer {
    fn select(&mut self, now: Instant, to: SocketAddr) {
        if self.selected != Some(to) {
            *self = Self {
                selected: Some(to),
                heard: Some(now),
                check: std::mem::take(&mut self.check),
                ..Self::default()
            };
        }
    }

    fn is_silent(&self, now: Instant) -> bool {
        self.heard.is_none_or(|heard| now.saturating_duration_since(heard) >= SILENCE)
    }

    /// Where the crate has selected it to be, checks have shown that it gets what is sent.
    fn may_be_at(&self, now: Instant, address: SocketAddr) -> bool {
        self.selected == Some(address)
            || self.others.iter().any(|other| other.address == address && other.is_fresh(now))
    }
}

impl Other {
    fn is_answer(&self, from: SocketAddr, datagram: &[u8]) -> bool {
        self.address == from && datagram.get(8..20) == Some(&self.transaction.0[..])
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.answered.is_some_and(|at| now.saturating_duration_since(at) < FRESH)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// RTP and RTCP (RFC 7983).
fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, ..])
}

/// The same check with another transaction, which nobody knows who does not get it.
fn another(check: &[u8], password: &str) -> Option<(TransactionId, Vec<u8>)> {
    let crypto = rtc::crypto::default_provider().ok()?;
    let transaction = TransactionId::new();
    let mut setters: Vec<Box<dyn Setter + '_>> = vec![Box::new(BINDING_REQUEST), Box::new(transaction)];
    let mut read = Message::new();
    read.unmarshal_binary(check).ok()?;
    for kept in read.attributes.0.into_iter().filter(|attribute| KEPT.contains(&attribute.typ.0)) {
        setters.push(Box::new(kept));
    }
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto.crypto());
    setters.push(Box::new(integrity));
    setters.push(Box::new(FINGERPRINT));
    let mut message = Message::new();
    message.build(&setters).ok()?;
    let raw = std::mem::take(&mut message.raw);
    Some((transaction, raw))
}

/// Whether who wrote it has the password (RFC 8445 section 7.2.5.1).
fn is_authentic(datagram: &[u8], password: &str) -> bool {
    let mut message = Message::new();
    message.unmarshal_binary(datagram).is_ok()
        && rtc::crypto::default_provider()
            .is_ok_and(|crypto| MessageIntegrity::check(&mut message, password.as_bytes(), crypto.crypto()).is_ok())
}

#[cfg(test)]
#[path = "rebinding_tests.rs"]
mod tests;
