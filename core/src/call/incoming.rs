//! What the other side says: offers, answers, candidates.

use super::engine::CallEngine;
use super::exchange::{Heard, Negotiation};
use super::state::SdpSession;
use super::types::{CONNECT_TIMEOUT, CallState, EndReason, PeerAction};
use crate::signaling::message::{
    CallId, Description, HangUp, HangUpReason, Message, NewIceCandidate, SdpType, SessionDescription,
};
use std::time::Instant;

impl CallEngine {
    pub(super) fn on_offer(&mut self, now: Instant, offer: Description) {
        let Description { name: Some(from), sdp, call: id, .. } = offer else {
            return log::debug!("an offer of nobody was left out");
        };
        if sdp.kind != SdpType::Offer || from.is_empty() || self.me.as_ref() == Some(&from) {
            return log::debug!("an offer that is none, of nobody, or our own, was left out");
        }
        let session = SdpSession::of(&sdp);
        if self.is_over(&from, id, session) {
            return;
        }
        // Learns the other side's new name, if it has one.
        let known = id.is_some() && self.call_of(Some(&from), id).is_some();
        let Some(call) = &mut self.call else { return self.ring(now, from, id, sdp) };
        if call.with != from {
            return self.say_over(from, id, HangUpReason::Busy);
        }
        if call.is_calling() {
            return self.on_glare(now, id, session, sdp);
        }
        if known || (id.is_none() && call.is_of_session(session)) {
            match call.state {
                CallState::RingingHere => self.on_offer_again(sdp),
                _ => self.on_renegotiation(sdp),
            }
            return;
        }
        if id.is_some() && id == call.rival {
            return log::debug!("an offer of the call that gave way was left out");
        }
        // The other side lost the call without a word and calls anew. An old page would take a hang-up for the new call.
        let (reason, tell) = match call.state {
            CallState::RingingHere => (EndReason::CancelledThere, None),
            _ => (EndReason::HungUpThere, id.map(|_| HangUpReason::Ended)),
        };
        self.end(reason, tell);
        self.ring(now, from, id, sdp);
    }

    /// Whether an offer belongs to a call that is over. Whoever names it is told so: they have missed the hang-up.
    fn is_over(&mut self, from: &str, id: Option<CallId>, session: Option<SdpSession>) -> bool {
        let Some(id) = id else {
            // A hang-up without a call's name would hit whatever call an old page has by now.
            return session.is_some_and(|session| self.strays.is_session_over(from, session));
        };
        if let Some(reason) = self.strays.why_ended(id) {
            self.say_over(from.to_owned(), Some(id), reason);
            return true;
        }
        self.strays.is_cancelled(from, id)
    }

    /// What rings here is offered once more: by an old page with another track, or because the caller thinks that it was lost.
    fn on_offer_again(&mut self, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        let lost = call.offer.replace(offer.clone()) == Some(offer);
        if lost {
            self.say_ringing();
        }
    }

    /// Both called each other.
    fn on_glare(&mut self, now: Instant, id: Option<CallId>, session: Option<SdpSession>, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        if !call.negotiation.waits_for_answer() {
            // Ours has not been sent: nobody knows of it.
            return self.take_theirs(now, id, offer);
        }
        let Some(theirs) = id else { return self.call_again(session) };
        // Somebody whose phone rang for us has no call of their own, unless they have lost ours.
        let lost_ours = call.state == CallState::RingingThere && theirs != call.id;
        if call.polite || lost_ours {
            return self.take_theirs(now, id, offer);
        }
        log::debug!("both called; the other side gives way");
        if call.rival.replace(theirs) == id && theirs != call.id {
            // It says so again: ours may have been lost.
            self.repeat_description();
        }
    }

    /// Gives our own call up for the other side's, on a peer connection of its own. No ringing: our user wanted this call.
    fn take_theirs(&mut self, now: Instant, id: Option<CallId>, offer: SessionDescription) {
        self.act(PeerAction::Close);
        let Some(call) = &mut self.call else { return };
        let (ours, sent) = (call.id, call.negotiation.waits_for_answer());
        call.negotiation = Negotiation::default();
        if let Some(id) = id.filter(|id| *id != ours) {
            call.id = id;
            call.names_calls = true;
            let with = call.with.clone();
            for candidate in self.strays.take_early(&with, id) {
                // Nothing is handed back before the offer is with a peer connection.
                call.negotiation.candidate_there(candidate);
            }
            // Late messages of the call that was given up are none of this one's, here and there.
            self.strays.ended(with.clone(), Some(ours), None, HangUpReason::Cancelled);
            if sent {
                self.say_over(with, Some(ours), HangUpReason::Cancelled);
            }
        }
        self.answer_call(now, offer);
    }

    /// An old page that offers while our offer is on its way is beyond agreement: it throws its peer connection away, or takes
    /// its offer back without answering ours. Hung up, it starts afresh, and answers our offer when it comes again.
    fn call_again(&mut self, session: Option<SdpSession>) {
        let Some(call) = &mut self.call else { return };
        if session.is_none() && std::mem::replace(&mut call.called_again, true) {
            return;
        }
        // Candidates that waited were of the call that it gives up, and so is another offer of it.
        call.negotiation.forget_candidates_there();
        if session.is_some() {
            let with = call.with.clone();
            self.strays.ended(with, None, session, HangUpReason::Cancelled);
        }
        self.send(|name, target, call| {
            Message::HangUp(HangUp { name, target, reason: Some(HangUpReason::Cancelled), call })
        });
        self.repeat_description();
    }

    pub(super) fn on_answer(&mut self, now: Instant, answer: Description) {
        let Description { name: Some(from), sdp, call: id, .. } = answer else {
            return log::debug!("an answer of nobody was left out");
        };
        if sdp.kind != SdpType::Answer || self.me.as_ref() == Some(&from) {
            return log::debug!("an answer that is none, or our own, was left out");
        }
        let Some(call) = self.call_of(Some(&from), id) else {
            // Somebody takes a call that we do not have, and must not wait for it.
            let why = id.and_then(|id| self.strays.why_ended(id)).unwrap_or(HangUpReason::Ended);
            return if self.call.as_ref().is_none_or(|call| id.is_some() || call.with != from) {
                self.say_over(from, id, why);
            };
        };
        if call.negotiation.hear(&sdp) != Heard::New {
            return log::debug!("an answer that came twice was left out");
        }
        if !call.negotiation.take_answer() {
            let behind = call.negotiation.was_replaced();
            if behind && call.state == CallState::Reconnecting {
                self.restart_ice(now);
            }
            return log::debug!("an answer to nothing was left out");
        }
        call.session = SdpSession::of(&sdp);
        if call.state == CallState::Connected {
            // A restart for a new network is agreed on; if its path does not come about, the connection says so.
            (call.restart_at, call.new_network) = (None, false);
        }
        let first = call.is_calling();
        if first {
            call.state = CallState::Connecting;
            call.deadline = now.checked_add(CONNECT_TIMEOUT);
        }
        let waited = call.negotiation.described_there();
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
            // Old peers do not say who they are: the candidate belongs to the call there is, unless that is with somebody who does.
            (Some(call), None) => message.call.map_or(!call.names_calls, |id| id == call.id),
            (Some(_), Some(name)) => self.call_of(Some(name), message.call).is_some(),
            (None, _) => false,
        };
        if !ours {
            if let (Some(from), Some(id)) = (message.name, message.call) {
                self.strays.early(from, id, candidate);
            }
            return;
        }
        let Some(call) = &mut self.call else { return };
        if let Some(candidate) = call.negotiation.candidate_there(candidate) {
            self.act(PeerAction::AddCandidate(candidate));
        }
    }
}
