//! Who is in a call with whom, derived from offers, answers and hang-ups: a hang-up without a target goes to that peer.
//!
//! Messages of a call pass only between two that have one, or an offer: see [`State::may_pass`].
//! Only a session's own messages change where its hang-up goes, so that no stranger can redirect it. An old page that loses its call sends
//! nothing, so a call counts only if both sessions still have it.
//!
//! A person with several devices is called on all of them; the first that answers has the call, and the others hear `elsewhere`.

use crate::hub::State;
use chamada::signaling::message::{CallId, HangUp, HangUpReason, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A session, and the call with it as far as that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    session: u64,
    call: Option<CallId>,
}

/// The devices of one person that an offer has gone to and that have not turned it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Calling {
    sessions: Vec<u64>,
    call: Option<CallId>,
}

/// The sessions that one session calls, is called by, or is in a call with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallPeers {
    /// Whom it sent an offer which was not answered.
    calling: Option<Calling>,
    /// The session that sent it such an offer, the first of several.
    called_by: Option<Box<Link>>,
    /// The peer of its last answered call.
    peer: Option<Link>,
    /// The peer of the answered call before that, which is on hold: of those alone that name their calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Box<Link>>,
    /// Whether its own offer or answer in the call that it makes or has named the call with `call`.
    names_calls: bool,
}

impl CallPeers {
    /// A call with `other` is over: the one that is named, or each. Of two that crossed, one goes on.
    fn remove(&mut self, other: u64, call: Option<CallId>) {
        let is_another = |link: Option<CallId>| matches!((link, call), (Some(one), Some(ended)) if one != ended);
        let ends = |link: &Link| link.session == other && !is_another(link.call);
        self.peer.take_if(|link| ends(link));
        for link in [&mut self.called_by, &mut self.held] {
            link.take_if(|link| ends(link));
        }
        if self.peer.is_none() {
            self.peer = self.held.take().map(|held| *held);
        }
        self.calling.take_if(|calling| {
            if !is_another(calling.call) {
                calling.sessions.retain(|session| *session != other);
            }
            calling.sessions.is_empty()
        });
    }

    /// A session has another number now.
    pub(crate) fn renumber(&mut self, old: u64, new: u64) {
        let boxed = [&mut self.called_by, &mut self.held].into_iter().flatten().map(|link| &mut link.session);
        let links = self.peer.iter_mut().map(|link| &mut link.session).chain(boxed);
        let called = self.calling.iter_mut().flat_map(|calling| &mut calling.sessions);
        for session in links.chain(called).filter(|session| **session == old) {
            *session = new;
        }
    }

    fn is_calling(&self, other: u64) -> bool {
        self.calling.as_ref().is_some_and(|calling| calling.sessions.contains(&other))
    }

    fn is_peer(&self, other: u64) -> bool {
        self.peer.iter().chain(self.held.as_deref()).any(|link| link.session == other)
    }

    fn has_none(&self) -> bool {
        self.calling.is_none() && self.called_by.is_none() && self.peer.is_none()
    }
}

impl State {
    fn call_peers(&self, number: u64) -> CallPeers {
        self.sessions.get(&number).map_or_else(CallPeers::default, |session| session.call_peers.clone())
    }

    /// Changes what a session of this node has; that of another one is told by its own.
    fn update_call_peers(&mut self, number: u64, change: impl FnOnce(&mut CallPeers)) {
        let Some(session) = self.sessions.get_mut(&number).filter(|session| session.remote.is_none()) else { return };
        let before = session.call_peers.clone();
        change(&mut session.call_peers);
        if session.call_peers != before {
            self.announce(number);
        }
    }

    /// What an offer, or the like, from `from` to a device on another node led to: it was refused there. `true`: nobody else has got it, so
    /// the caller has to hear of it.
    pub(crate) fn note_refusal(&mut self, from: u64, by: u64, call: Option<CallId>) -> bool {
        if !self.is_local(from) || !self.is_calling(from, by) {
            return self.is_local(from);
        }
        self.update_call_peers(from, |peers| peers.remove(by, call));
        let is_over = self.call_peers(from).calling.is_none();
        if is_over {
            // Nor does it ring where its callee sleeps.
            self.end_ring_between(from, by, call, "refused");
        }
        is_over
    }

    /// An offer outside a call has gone to these devices of one person.
    pub(crate) fn note_offer(&mut self, from: u64, to: Vec<u64>, call: Option<CallId>) {
        for session in &to {
            self.update_call_peers(*session, |peers| {
                peers.called_by.get_or_insert_with(|| Box::new(Link { session: from, call }));
            });
        }
        self.update_call_peers(from, |peers| {
            peers.calling = Some(Calling { sessions: to, call });
            // With an answered call beside it, that one's word counts until it is over.
            peers.names_calls = call.is_some() && (peers.peer.is_none() || peers.names_calls);
        });
    }

    /// An offer that waited for somebody has gone to one more of their devices.
    pub(crate) fn note_further_offer(&mut self, from: u64, to: u64, call: Option<CallId>) {
        let mut devices = match self.call_peers(from).calling {
            Some(calling) if calling.call == call => calling.sessions,
            _ => Vec::new(),
        };
        devices.retain(|session| self.sessions.contains_key(session) && *session != to);
        devices.push(to);
        self.note_offer(from, devices, call);
    }

    /// An answer has gone to the caller: the two are in a call now, and no other device of the callee rings any more.
    pub(crate) fn note_answer(&mut self, from: u64, to: u64, call: Option<CallId>) {
        let CallPeers { calling: Some(calling), names_calls, .. } = self.call_peers(to) else { return };
        if !calling.sessions.contains(&from) {
            return;
        }
        self.answered_elsewhere(to, from);
        self.end_ring_between(to, from, None, "answered");
        for (one, other, names_calls) in [(from, to, call.is_some()), (to, from, names_calls)] {
            self.update_call_peers(one, |peers| {
                let peer = Some(Link { session: other, call: calling.call });
                // An old page has one call at a time, and says nothing of one that it has lost.
                let held = peers.peer.filter(|held| names_calls && held.call.is_some() && held.session != other);
                let held = held.map(Box::new);
                *peers = CallPeers { peer, held, names_calls, ..CallPeers::default() };
            });
        }
    }

    pub(crate) fn note_hang_up(&mut self, from: u64, to: u64, call: Option<CallId>) {
        if self.is_calling(to, from) {
            self.answered_elsewhere(to, from);
        }
        self.end_ring_between(from, to, call, "ended");
        self.update_call_peers(from, |peers| peers.remove(to, call));
        self.update_call_peers(to, |peers| peers.remove(from, call));
    }

    /// One device of somebody who is called on several turns the call down for itself alone. `false`: it is the last one, so the caller has to
    /// hear of it.
    pub(crate) fn leave_to_others(&mut self, device: u64, caller: u64, call: Option<CallId>) -> bool {
        let Some(calling) = self.call_peers(caller).calling else { return false };
        let is_other = |session: &u64| *session != device && self.sessions.contains_key(session);
        if !calling.sessions.contains(&device) || !calling.sessions.iter().any(is_other) {
            return false;
        }
        self.update_call_peers(device, |peers| peers.remove(caller, call));
        self.update_call_peers(caller, |peers| peers.remove(device, call));
        true
    }

    /// Tells the other devices that ring with this one that they need not any more.
    fn answered_elsewhere(&mut self, caller: u64, device: u64) {
        if !self.is_local(caller) {
            return;
        }
        let peers = self.call_peers(caller);
        let Some(calling) = peers.calling else { return };
        let name = self.sessions.get(&caller).and_then(|session| session.name.clone());
        for other in calling.sessions.into_iter().filter(|session| *session != device) {
            self.update_call_peers(other, |peers| peers.remove(caller, calling.call));
            self.update_call_peers(caller, |peers| peers.remove(other, calling.call));
            let target = self.sessions.get(&other).and_then(|session| session.name.as_deref().map(str::to_owned));
            let hang_up = HangUp {
                name: name.as_deref().map(str::to_owned),
                target,
                reason: Some(HangUpReason::Elsewhere),
                call: calling.call,
            };
            self.tell(other, &Message::HangUp(hang_up));
        }
    }

    /// Whether the two are in an answered call with each other, and both still have it.
    pub(crate) fn are_in_call(&self, one: u64, other: u64) -> bool {
        self.call_peers(one).is_peer(other) && self.has_as_peer(other, one)
    }

    /// Whether `one` has the other as its peer, as far as is known here: somebody on another node who calls, and has been answered, has not said so
    /// yet.
    fn has_as_peer(&self, one: u64, other: u64) -> bool {
        let peers = self.call_peers(one);
        peers.is_peer(other) || (!self.is_local(one) && peers.is_calling(other))
    }

    /// Whether `caller` has an open offer to the other.
    pub(crate) fn is_calling(&self, caller: u64, other: u64) -> bool {
        self.call_peers(caller).is_calling(other)
    }

    /// Whether there is a call or an open offer between the two, as at least one of them sees it.
    fn have_call(&self, one: u64, other: u64) -> bool {
        let has = |one, other| self.call_peers(one).is_calling(other) || self.call_peers(one).is_peer(other);
        has(one, other) || has(other, one)
    }

    /// Whether the two may have a call that this server does not know: both came with a token of a server's earlier life, and neither has
    /// another call.
    fn may_have_old_call(&self, one: u64, other: u64) -> bool {
        let is_from_before = |number| {
            let session = self.sessions.get(&number);
            session.is_some_and(|session| session.has_foreign_token && session.call_peers.has_none())
        };
        is_from_before(one) && is_from_before(other)
    }

    /// Whether a message may go from one to the other, other than an offer: strangers' messages of calls end at the server. `named`: it has
    /// the field `call`.
    pub(crate) fn may_pass(&self, from: u64, to: u64, kind: &str, named: bool) -> bool {
        let receiver = self.call_peers(to);
        // New peers recognise by its name whether a message is of their call.
        let old_call = named && self.may_have_old_call(from, to);
        match kind {
            // Only a callee answers and rings.
            "video-answer" | "call-ringing" => receiver.is_calling(from) || self.are_in_call(from, to) || old_call,
            "new-ice-candidate" | "media-state" => self.have_call(from, to) || old_call,
            "hang-up" => {
                // Who names calls names them when they end; an old page in a call ends it at any hang-up, so it gets only its peer's.
                let unnamed = !named && self.are_in_call(from, to) && self.call_peers(from).names_calls;
                let other_peer =
                    receiver.peer.filter(|peer| peer.session != from && self.are_in_call(to, peer.session));
                let foreign = other_peer.is_some() && !receiver.names_calls && !receiver.is_calling(from);
                (self.have_call(from, to) && !unnamed && !foreign) || old_call
            }
            _ => true,
        }
    }

    /// Ends the calls of a session that is gone, in its name.
    pub(crate) fn hang_up_for(&mut self, number: u64) {
        if let Some(held) = self.call_peers(number).held
            && let Some(name) = self.sessions.get(&held.session).and_then(|session| session.name.as_deref())
        {
            let hang_up = json!({"type": "hang-up", "reason": "ended", "call": call_text(held.call), "target": name});
            self.act_for(number, hang_up);
        }
        let CallPeers { peer, calling, .. } = self.call_peers(number);
        let call = peer.map_or_else(|| calling.and_then(|calling| calling.call), |peer| peer.call);
        self.act_for(number, json!({"type": "hang-up", "reason": "ended", "call": call_text(call)}));
    }

    fn act_for(&mut self, number: u64, hang_up: Value) {
        let Value::Object(hang_up) = hang_up else { return };
        if let Err(error) = self.act(number, hang_up) {
            tracing::debug!(connection = number, code = ?error.code, "its peer was not hung up");
        }
    }

    /// Whether this session is in a call, or one is being set up.
    pub(crate) fn has_call(&self, number: u64) -> bool {
        self.sessions.contains_key(&number) && !self.other_side(number).is_empty()
    }

    /// Those a hang-up of this session goes to that names no target.
    pub(crate) fn other_side(&self, number: u64) -> Vec<u64> {
        let CallPeers { calling, called_by, peer, .. } = self.call_peers(number);
        if let Some(calling) = calling {
            return calling.sessions;
        }
        let peer = peer.filter(|peer| self.has_as_peer(peer.session, number));
        let caller = called_by.filter(|caller| self.call_peers(caller.session).is_calling(number));
        let caller = caller.map(|link| link.session);
        peer.map(|link| link.session).or(caller).into_iter().collect()
    }
}

fn call_text(call: Option<CallId>) -> Option<String> {
    call.map(|CallId(call)| call.to_string())
}
