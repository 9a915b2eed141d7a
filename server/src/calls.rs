//! Who is in a call with whom, derived from offers, answers and hang-ups: a hang-up without a target goes to that peer.
//!
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
    pub(crate) fn note_call(&mut self, from: u64, to: u64, kind: &str) {
        match kind {
            // A renegotiation.
            "video-offer" if self.call_peers(from).peer == Some(to) && self.call_peers(to).peer == Some(from) => {}
            "video-offer" => {
                self.update_call_peers(from, |peers| peers.calling = Some(to));
                self.update_call_peers(to, |peers| {
                    peers.called_by.get_or_insert(from);
                });
            }
            "video-answer" if self.call_peers(to).calling == Some(from) => {
                for (one, other) in [(from, to), (to, from)] {
                    self.update_call_peers(one, |peers| {
                        *peers = CallPeers { peer: Some(other), ..CallPeers::default() }
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

    /// The target of a hang-up of this session that names none.
    pub(crate) fn other_side(&self, number: u64) -> Option<u64> {
        let CallPeers { calling, called_by, peer } = self.call_peers(number);
        let peer = peer.filter(|peer| self.call_peers(*peer).peer == Some(number));
        let caller = called_by.filter(|caller| self.call_peers(*caller).calling == Some(number));
        calling.or(peer).or(caller)
    }
}
