//! What the offerer does with ICE checks that come before the candidates that they are from, and before its own are answered.
//!
//! The answerer checks this side before its answer and its candidates are here. The crate takes such a check for one from a peer-reflexive candidate
//! (RFC 8445 section 7.3.1.3), and waits with the nomination of that for a better one, though it is the host candidate that is about to be named.
//! So the offerer's agent does not see checks from addresses that nobody has named, until shortly after the answer; the other side repeats them.
//!
//! And it nominates a pair that has answered when it next looks what there is to do, up to 50 ms later, or when it next sees a check on that pair
//! (section 8.1.1 leaves the time open). So it sees the last one again as soon as its own is answered. To answer a check twice does no harm: requests
//! are sent twice on any network.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long candidates may come after their answer. Who is behind a NAT that gives each destination another address is never named: its checks count
/// from then on, before a pair with them may be nominated at all.
const NAMED_WITHIN: Duration = Duration::from_millis(50);
/// How long after the answer a pair may be nominated: as long as pairs are checked.
const NOMINATED_WITHIN: Duration = Duration::from_secs(10);
/// Most addresses whose last check is kept, and the longest one, in bytes. The user name is the longest part of it, with some 40.
const MAX_KEPT: usize = 64;
const MAX_CHECK: usize = 512;

/// The checks that have come since the offer. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct EarlyChecks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Whether there is anything to do: media and later checks never meet the lock.
    active: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The addresses that the answerer has named.
    named: HashSet<SocketAddr>,
    /// The last check from each address.
    last: HashMap<SocketAddr, Vec<u8>>,
    /// When the answer was applied.
    answered: Option<Instant>,
}

/// What the agent is to see of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It.
    Now,
    /// Not yet: it is lost, and comes again.
    Later,
    /// It, and this earlier check from the same address after it.
    WithCheck(Vec<u8>),
}

impl EarlyChecks {
    /// An offer with new ICE credentials was made.
    pub(super) fn offered(&self) {
        *self.lock() = State::default();
        self.0.active.store(true, Ordering::Release);
    }

    /// The answer is about to be applied.
    pub(super) fn answered(&self, now: Instant) {
        self.lock().answered = Some(now);
    }

    /// There is nothing to do: this side answers.
    pub(super) fn release(&self) {
        self.0.active.store(false, Ordering::Release);
    }

    /// The other side has named this candidate.
    pub(super) fn named(&self, candidate: &str) {
        if self.0.active.load(Ordering::Acquire)
            && let Some(address) = address(candidate)
        {
            self.lock().named.insert(address);
        }
    }

    /// A datagram has come from there.
    pub(super) fn received(&self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Seen {
        let check = match datagram {
            [0x00, 0x01, ..] => true,
            [0x01, 0x01, ..] => false,
            _ => return Seen::Now,
        };
        if !self.0.active.load(Ordering::Acquire) {
            return Seen::Now;
        }
        let mut state = self.lock();
        let since = state.answered.map(|at| now.saturating_duration_since(at));
        if since.is_some_and(|since| since >= NOMINATED_WITHIN) {
            self.release();
            return Seen::Now;
        }
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        if !check {
            return state.last.remove(&from).map_or(Seen::Now, Seen::WithCheck);
        }
        if datagram.len() <= MAX_CHECK && (state.last.len() < MAX_KEPT || state.last.contains_key(&from)) {
            state.last.insert(from, datagram.to_vec());
        }
        let waits = since.is_none_or(|since| since < NAMED_WITHIN) && !state.named.contains(&from);
        if waits { Seen::Later } else { Seen::Now }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address and port of a candidate (RFC 8839 section 5.1).
fn address(candidate: &str) -> Option<SocketAddr> {
    let mut words = candidate.split_ascii_whitespace().skip(4);
    Some(SocketAddr::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: [u8; 20] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const ANSWER: [u8; 20] = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn checks_from_an_address_wait_until_it_is_named_or_the_answer_is_old() {
        let (early, now) = (EarlyChecks::default(), Instant::now());
        let (named, unnamed) = (at("10.0.0.1:4000"), at("10.0.0.1:4001"));
        early.offered();
        assert_eq!(early.received(now, named, &CHECK), Seen::Later, "before the answer");
        assert_eq!(early.received(now, unnamed, &[0x80, 96]), Seen::Now, "only checks wait");
        early.answered(now);
        early.named("candidate:1 1 udp 2130706431 10.0.0.1 4000 typ host");
        assert_eq!(early.received(now, named, &CHECK), Seen::Now);
        assert_eq!(
            early.received(now, at("[::ffff:10.0.0.1]:4000"), &CHECK),
            Seen::Now,
            "of a socket of both families"
        );
        assert_eq!(early.received(now, unnamed, &CHECK), Seen::Later);
        assert_eq!(early.received(now + NAMED_WITHIN, unnamed, &CHECK), Seen::Now, "behind a symmetric NAT");
    }

    #[test]
    fn the_last_check_is_seen_again_once_when_that_address_has_answered() {
        let (early, now) = (EarlyChecks::default(), Instant::now());
        let (one, other) = (at("10.0.0.1:4000"), at("10.0.0.2:4000"));
        early.offered();
        let latest = [&CHECK[..], &[7]].concat();
        early.received(now, one, &CHECK);
        early.received(now, one, &latest);
        early.answered(now);
        assert_eq!(early.received(now, other, &ANSWER), Seen::Now, "it has not checked");
        assert_eq!(early.received(now, one, &ANSWER), Seen::WithCheck(latest));
        assert_eq!(early.received(now, one, &ANSWER), Seen::Now);
        early.received(now, one, &CHECK);
        assert_eq!(early.received(now + NOMINATED_WITHIN, one, &ANSWER), Seen::Now, "long over");
    }

    #[test]
    fn who_answers_waits_for_nothing_and_a_restart_waits_anew() {
        let (early, now) = (EarlyChecks::default(), Instant::now());
        let address = at("10.0.0.1:4000");
        assert_eq!(early.received(now, address, &CHECK), Seen::Now);
        early.offered();
        early.answered(now);
        early.named("candidate:1 1 udp 1 10.0.0.1 4000 typ host");
        early.offered();
        assert_eq!(early.received(now, address, &CHECK), Seen::Later, "that was the network before");
        early.release();
        assert_eq!(early.received(now, address, &CHECK), Seen::Now);
    }

    #[test]
    fn a_flood_from_many_addresses_is_not_kept() {
        let (early, now) = (EarlyChecks::default(), Instant::now());
        early.offered();
        for port in 1..=2_000 {
            early.received(now, SocketAddr::from(([10, 0, 0, 1], port)), &CHECK);
        }
        early.received(now, at("10.0.0.1:1"), &[&CHECK[..], &[0; MAX_CHECK]].concat());
        let kept: Vec<usize> = early.lock().last.values().map(Vec::len).collect();
        assert_eq!(kept, [CHECK.len(); MAX_KEPT]);
    }

    #[test]
    fn candidates_without_an_address_name_none() {
        for rest in ["", "x.local 4000 typ host", "10.0.0.1 99999 typ host"] {
            let text = format!("candidate:1 1 udp 1 {rest}");
            assert_eq!(address(&text), None, "{text}");
        }
    }
}
