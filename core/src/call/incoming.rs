//! Offers, answers and candidates of the remote peer.

use super::engine::CallEngine;
use super::offer_answer::{OfferAnswer, Received};
use super::state::{Certificates, SdpSession};
use super::types::{CONNECT_TIMEOUT, CallState, EndReason, PeerAction, RESTART_CHECKS};
use crate::signaling::message::{
    CallId, Description, HangUp, HangUpReason, Message, NewIceCandidate, SdpType, SessionDescription,
};
use std::time::Instant;

impl CallEngine {
    pub(super) fn on_offer(&mut self, now: Instant, offer: Description) {
        let Description { name: Some(from), sdp, call: id, .. } = offer else {
            return log::debug!("ignored an offer without a sender");
        };
        if sdp.kind != SdpType::Offer || from.is_empty() || self.me.as_ref() == Some(&from) {
            return log::debug!("ignored an offer of the wrong type, without a sender, or of this user");
        }
        let session = SdpSession::of(&sdp);
        if self.reject_if_ended(&from, id, session) {
            return;
        }
        // Also takes over the remote user's new name, if it has one.
        let known = id.is_some() && self.matching_call(Some(&from), id).is_some();
        let Some(call) = &mut self.call else { return self.ring(now, from, id, sdp) };
        if call.with != from && self.can_wait() {
            return self.ring(now, from, id, sdp);
        }
        let Some(call) = &mut self.call else { return };
        if call.with != from {
            return self.send_hang_up(from, id, HangUpReason::Busy);
        }
        if call.is_calling() {
            return self.on_glare(now, id, session, sdp);
        }
        if known || (id.is_none() && call.is_of_session(session)) {
            match call.state {
                CallState::RingingLocally => self.on_repeated_offer(sdp),
                _ => self.on_renegotiation(now, sdp),
            }
            return;
        }
        if id.is_some() && id == call.colliding_call {
            return log::debug!("ignored an offer of the call that lost the glare");
        }
        // The remote peer lost the call without a hang-up and calls again. An old page would take a hang-up for the new call's.
        let (reason, tell) = match call.state {
            CallState::RingingLocally => (EndReason::CancelledRemotely, None),
            _ => (EndReason::HungUpRemotely, id.map(|_| HangUpReason::Ended)),
        };
        self.end(reason, tell);
        self.ring(now, from, id, sdp);
    }

    /// Whether an offer belongs to a call that ended. If it has the call identifier, the sender missed the hang-up and gets it again.
    fn reject_if_ended(&mut self, from: &str, id: Option<CallId>, session: Option<SdpSession>) -> bool {
        let Some(id) = id else {
            // A hang-up without a call identifier would end whatever call an old page has by now.
            return session.is_some_and(|session| self.history.is_session_ended(from, session));
        };
        if let Some(reason) = self.history.end_reason(id) {
            self.send_hang_up(from.to_owned(), Some(id), reason);
            return true;
        }
        self.history.is_cancelled(from, id)
    }

    /// The ringing call is offered again: by an old page with another track, or because the caller assumes that the offer was lost.
    fn on_repeated_offer(&mut self, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        let lost = call.offer.replace(offer.clone()) == Some(offer);
        if lost {
            self.send_ringing();
        }
    }

    /// Glare: both users called each other.
    fn on_glare(&mut self, now: Instant, id: Option<CallId>, session: Option<SdpSession>, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        if !call.offer_answer.is_awaiting_answer() {
            // The local offer has not been sent: the remote peer does not know of it.
            return self.yield_to_incoming(now, id, offer);
        }
        let Some(theirs) = id else { return self.restart_old_peer(session) };
        // A peer that already rings for the local call has no call of its own, unless it lost the local one.
        let lost_ours = call.state == CallState::RingingRemotely && theirs != call.id;
        if call.polite || lost_ours {
            return self.yield_to_incoming(now, id, offer);
        }
        log::debug!("glare: the remote peer is the polite one");
        if call.colliding_call.replace(theirs) == id && theirs != call.id {
            // The remote peer repeats its offer: the local one may have been lost.
            self.repeat_description();
        }
    }

    /// Gives up the local call and answers the remote one on a new peer connection. It does not ring: the user wanted this call.
    fn yield_to_incoming(&mut self, now: Instant, id: Option<CallId>, offer: SessionDescription) {
        self.act(PeerAction::Close);
        let Some(call) = &mut self.call else { return };
        let (ours, sent) = (call.id, call.offer_answer.is_awaiting_answer());
        call.offer_answer = OfferAnswer::default();
        if let Some(id) = id.filter(|id| *id != ours) {
            call.id = id;
            call.sends_call_ids = true;
            let with = call.with.clone();
            for candidate in self.history.take_candidates(&with, id) {
                // Nothing is handed back before the offer is with a peer connection.
                call.offer_answer.on_remote_candidate(candidate);
            }
            // Late messages of the call that was given up must not affect this one, at either peer.
            self.history.record_ended(with.clone(), Some(ours), None, HangUpReason::Cancelled);
            if sent {
                self.send_hang_up(with, Some(ours), HangUpReason::Cancelled);
            }
        }
        self.answer_call(now, offer);
    }

    /// Glare with an old page, which cannot resolve it: it drops its peer connection, or rolls back its offer without answering
    /// the local one. A hang-up resets it, and then it answers the repeated local offer.
    fn restart_old_peer(&mut self, session: Option<SdpSession>) {
        let Some(call) = &mut self.call else { return };
        if session.is_none() && std::mem::replace(&mut call.old_peer_restarted, true) {
            return;
        }
        // Queued candidates, and further offers of that session, belong to the call that the page gives up.
        call.offer_answer.clear_remote_candidates();
        if session.is_some() {
            let with = call.with.clone();
            self.history.record_ended(with, None, session, HangUpReason::Cancelled);
        }
        self.send(|name, target, call| {
            Message::HangUp(HangUp { name, target, reason: Some(HangUpReason::Cancelled), call })
        });
        self.repeat_description();
    }

    pub(super) fn on_answer(&mut self, now: Instant, answer: Description) {
        let Description { name: Some(from), sdp, call: id, .. } = answer else {
            return log::debug!("ignored an answer without a sender");
        };
        if sdp.kind != SdpType::Answer || self.me.as_ref() == Some(&from) {
            return log::debug!("ignored an answer of the wrong type or of this user");
        }
        let Some(call) = self.matching_call(Some(&from), id) else {
            // The sender accepted a call that does not exist here, and must not wait for it.
            let why = id.and_then(|id| self.history.end_reason(id)).unwrap_or(HangUpReason::Ended);
            return if self.call.as_ref().is_none_or(|call| id.is_some() || call.with != from) {
                self.send_hang_up(from, id, why);
            };
        };
        if call.offer_answer.receive(&sdp) != Received::New {
            return log::debug!("ignored a duplicate answer");
        }
        if !call.offer_answer.accept_answer() {
            let replaced = call.offer_answer.take_replaced_offer();
            if replaced && call.state == CallState::Reconnecting {
                self.restart_ice(now);
            }
            return log::debug!("ignored an answer without an offer");
        }
        let certificates = Certificates::of(&sdp);
        if call.certificates.exclude(&certificates) || call.gives_up_transport(&sdp) {
            // DTLS does not change its peer: a page that was reloaded, or has given its transport up, needs a new connection on this side, too.
            call.reconnect(now, RESTART_CHECKS);
            call.await_checks(now);
            return self.offer_on_new_peer();
        }
        call.recognize(&sdp);
        call.on_answered(&sdp);
        call.session = SdpSession::of(&sdp);
        if call.state == CallState::Connected {
            // The ICE restart for a new network is negotiated; if it fails, the connection state changes.
            (call.restart_at, call.new_network) = (None, false);
        }
        call.await_checks(now);
        let first = call.is_calling();
        if first {
            call.state = CallState::Connecting;
            call.deadline = now.checked_add(CONNECT_TIMEOUT);
        }
        let waited = call.offer_answer.on_remote_description();
        self.act(PeerAction::ApplyAnswer(sdp));
        for candidate in waited {
            self.act(PeerAction::AddCandidate(candidate));
        }
        if first {
            self.send_media_state();
        }
    }

    pub(super) fn on_candidate(&mut self, message: NewIceCandidate) {
        let candidate = message.candidate.filter(|candidate| !candidate.is_end());
        let ours = match (&self.call, &message.name) {
            // Candidates of old peers have neither sender nor call: they belong to the current call, unless its peer sends call identifiers.
            (Some(call), None) => message.call.is_none() && !call.sends_call_ids,
            (Some(_), Some(name)) => self.matching_call(Some(name), message.call).is_some(),
            (None, _) => false,
        };
        if !ours {
            if let (Some(from), Some(id)) = (message.name, message.call) {
                self.history.buffer_candidate(from, id, candidate);
            }
            return;
        }
        let Some(call) = &mut self.call else { return };
        if let Some(candidate) = call.offer_answer.on_remote_candidate(candidate) {
            self.act(PeerAction::AddCandidate(candidate));
        }
    }
}
