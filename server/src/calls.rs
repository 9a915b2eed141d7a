//! Who is in a call with whom, derived from offers, answers and hang-ups: a hang-up without a target goes to that peer.
//!
//! Messages of a call pass only between two that have one, or an offer: see [`State::may_pass`].
//! Only a session's own messages change where its hang-up goes, so that no stranger can redirect it. An old page that loses its call sends
//! nothing, so a call counts only if both sessions still have it.

use crate::hub::State;

/// The sessions that one session calls, is called by, or is in a call with; all are session numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CallPeers {
    /// The session that it sent an offer which was not answered.
    calling: Option<u64>,
    /// The session that sent it such an offer, the first of several.
    called_by: Option<u64>,
    /// The peer of its last answered call.
    peer: Option<u64>,
    /// Whether its own offer or answer in the call that it makes or has named the call with `call`.
    names_calls: bool,
}

impl CallPeers {
    fn each(&mut self) -> [&mut Option<u64>; 3] {
        [&mut self.calling, &mut self.called_by, &mut self.peer]
    }

    fn remove(&mut self, other: u64) {
        for peer in self.each() {
            peer.take_if(|number| *number == other);
        }
    }

    /// A session has another number now.
    pub(crate) fn renumber(&mut self, old: u64, new: u64) {
        for number in self.each().into_iter().flatten() {
            if *number == old {
                *number = new;
            }
        }
    }
}

impl State {
    fn call_peers(&self, number: u64) -> CallPeers {
        self.sessions.get(&number).map_or_else(CallPeers::default, |session| session.call_peers)
    }

    fn update_call_peers(&mut self, number: u64, change: impl FnOnce(&mut CallPeers)) {
        if let Some(session) = self.sessions.get_mut(&number) {
            change(&mut session.call_peers);
        }
    }

    /// Updates the peers from a message that is relayed.
    pub(crate) fn note_call(&mut self, from: u64, to: u64, kind: &str, named: bool) {
        match kind {
            // A renegotiation.
            "video-offer" if self.are_in_call(from, to) => {}
            "video-offer" => {
                self.update_call_peers(from, |peers| {
                    peers.calling = Some(to);
                    // With an answered call beside it, that one's word counts until it is over.
                    peers.names_calls = named && (peers.peer.is_none() || peers.names_calls);
                });
                self.update_call_peers(to, |peers| {
                    peers.called_by.get_or_insert(from);
                });
            }
            "video-answer" if self.call_peers(to).calling == Some(from) => {
                let callers = self.call_peers(to).names_calls;
                for (one, other, names_calls) in [(from, to, named), (to, from, callers)] {
                    self.update_call_peers(one, |peers| {
                        *peers = CallPeers { peer: Some(other), names_calls, ..CallPeers::default() }
                    });
                }
            }
            "hang-up" => {
                self.update_call_peers(from, |peers| peers.remove(to));
                self.update_call_peers(to, |peers| peers.remove(from));
            }
            _ => {}
        }
    }

    /// Whether the two are in an answered call with each other, and both still have it.
    pub(crate) fn are_in_call(&self, one: u64, other: u64) -> bool {
        self.call_peers(one).peer == Some(other) && self.call_peers(other).peer == Some(one)
    }

    /// Whether `caller` has an open offer to the other.
    pub(crate) fn is_calling(&self, caller: u64, other: u64) -> bool {
        self.call_peers(caller).calling == Some(other)
    }

    /// Whether there is a call or an open offer between the two, as at least one of them sees it.
    pub(crate) fn have_call(&self, one: u64, other: u64) -> bool {
        let has = |one: u64, other| {
            let CallPeers { calling, peer, .. } = self.call_peers(one);
            calling == Some(other) || peer == Some(other)
        };
        has(one, other) || has(other, one)
    }

    /// Whether a message may go from one to the other, other than an offer: strangers' messages of calls end at the server. `named`: it has
    /// the field `call`.
    pub(crate) fn may_pass(&self, from: u64, to: u64, kind: &str, named: bool) -> bool {
        let receiver = self.call_peers(to);
        match kind {
            "video-answer" => receiver.calling == Some(from) || self.are_in_call(from, to),
            // Only a callee rings.
            "call-ringing" => receiver.calling == Some(from) || self.are_in_call(from, to),
            "new-ice-candidate" | "media-state" => self.have_call(from, to),
            "hang-up" => {
                // Who names calls names them when they end; an old page in a call ends it at any hang-up, so it gets only its peer's.
                let unnamed = !named && self.are_in_call(from, to) && self.call_peers(from).names_calls;
                let in_other_call = receiver.peer.is_some_and(|peer| peer != from && self.are_in_call(to, peer));
                let foreign = in_other_call && !receiver.names_calls && receiver.calling != Some(from);
                self.have_call(from, to) && !unnamed && !foreign
            }
            _ => true,
        }
    }

    /// The target of a hang-up of this session that names none.
    pub(crate) fn other_side(&self, number: u64) -> Option<u64> {
        let CallPeers { calling, called_by, peer, .. } = self.call_peers(number);
        let peer = peer.filter(|peer| self.call_peers(*peer).peer == Some(number));
        let caller = called_by.filter(|caller| self.call_peers(*caller).calling == Some(number));
        calling.or(peer).or(caller)
    }
}
