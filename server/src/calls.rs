//! Who is in a call with whom, as far as offers, answers and hang-ups tell: that is where a hang-up without a target goes.
//!
//! Only what somebody does changes what their own hang-up means, so that no stranger can take it away; and since an old page that loses
//! its call says nothing, a call that only one side still believes in is none.

use crate::hub::State;

/// One person's calls; all numbers are of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ties {
    /// Whom they have sent an offer that was not answered.
    calling: Option<u64>,
    /// Who sent them one, the first of several.
    called_by: Option<u64>,
    /// The other side of their last answered call.
    peer: Option<u64>,
}

impl Ties {
    fn each(&mut self) -> [&mut Option<u64>; 3] {
        [&mut self.calling, &mut self.called_by, &mut self.peer]
    }

    fn cut(&mut self, other: u64) {
        for tie in self.each() {
            tie.take_if(|number| *number == other);
        }
    }

    /// The other side goes on under another number.
    pub(crate) fn renumber(&mut self, old: u64, new: u64) {
        for number in self.each().into_iter().flatten() {
            if *number == old {
                *number = new;
            }
        }
    }
}

impl State {
    fn ties(&self, number: u64) -> Ties {
        self.sessions.get(&number).map_or_else(Ties::default, |session| session.ties)
    }

    fn change_ties(&mut self, number: u64, change: impl FnOnce(&mut Ties)) {
        if let Some(session) = self.sessions.get_mut(&number) {
            change(&mut session.ties);
        }
    }

    /// Learns from a message that goes from one person to another.
    pub(crate) fn note_call(&mut self, from: u64, to: u64, kind: &str) {
        match kind {
            // Inside a call it renegotiates.
            "video-offer" if self.ties(from).peer == Some(to) && self.ties(to).peer == Some(from) => {}
            "video-offer" => {
                self.change_ties(from, |ties| ties.calling = Some(to));
                self.change_ties(to, |ties| {
                    ties.called_by.get_or_insert(from);
                });
            }
            "video-answer" if self.ties(to).calling == Some(from) => {
                for (one, other) in [(from, to), (to, from)] {
                    self.change_ties(one, |ties| *ties = Ties { peer: Some(other), ..Ties::default() });
                }
            }
            "hang-up" => {
                self.change_ties(from, |ties| ties.cut(to));
                self.change_ties(to, |ties| ties.cut(from));
            }
            _ => {}
        }
    }

    /// Whom a hang-up of theirs without a target means.
    pub(crate) fn other_side(&self, number: u64) -> Option<u64> {
        let Ties { calling, called_by, peer } = self.ties(number);
        let peer = peer.filter(|peer| self.ties(*peer).peer == Some(number));
        let caller = called_by.filter(|caller| self.ties(*caller).calling == Some(number));
        calling.or(peer).or(caller)
    }
}
