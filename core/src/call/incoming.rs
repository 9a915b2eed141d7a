//! What the other side says: offers, answers, candidates.

use super::engine::{CallEngine, is_polite};
use super::state::Negotiation;
use super::types::{CONNECT_TIMEOUT, CallState, EndReason, Output, PeerAction};
use crate::signaling::message::{
    CallId, Description, HangUp, HangUpReason, Message, NewIceCandidate, SdpType, SessionDescription,
};
use std::time::Instant;

impl CallEngine {
    pub(super) fn on_offer(&mut self, now: Instant, offer: Description) {
        let Description { name: Some(from), sdp, call: id, .. } = offer else {
            return log::debug!("an offer of nobody was left out");
        };
        if sdp.kind != SdpType::Offer || self.me.as_ref() == Some(&from) {
            return log::debug!("an offer that is none, or our own, was left out");
        }
        if id.is_some_and(|id| self.strays.is_ended(id)) {
            return log::debug!("an offer of a call that is over was left out");
        }
        let Some(call) = &mut self.call else { return self.ring(now, from, id, sdp) };
        if call.with != from {
            return self.say_busy(from, id);
        }
        let this_call = id.is_none_or(|id| id == call.id);
        match call.state {
            CallState::RingingHere if this_call => call.offer = Some(sdp),
            CallState::RingingHere => {
                self.end(EndReason::CancelledThere, None);
                self.ring(now, from, id, sdp);
            }
            CallState::Calling | CallState::RingingThere => self.on_glare(now, id, sdp),
            _ if this_call => self.on_renegotiation(sdp),
            _ => {
                // The other side lost the call without a word and calls anew.
                self.end(EndReason::HungUpThere, None);
                self.ring(now, from, id, sdp);
            }
        }
    }

    /// A third person: their call is refused, ours goes on.
    fn say_busy(&mut self, from: String, call: Option<CallId>) {
        let hang_up = HangUp { name: self.me.clone(), target: Some(from), reason: Some(HangUpReason::Busy), call };
        self.put(Output::Send(Message::HangUp(hang_up)));
    }

    /// Both called each other. The polite side takes the other's call, on a peer connection of its own.
    fn on_glare(&mut self, now: Instant, id: Option<CallId>, offer: SessionDescription) {
        let Some(call) = &self.call else { return };
        if !self.me.as_ref().is_some_and(|me| is_polite(me, &call.with)) {
            return log::debug!("both called; the other side gives way");
        }
        self.act(PeerAction::Close);
        let Some(call) = &mut self.call else { return };
        if let Some(id) = id {
            // Late messages of the call that was given up are none of this one's.
            self.strays.ended(call.id);
            call.id = id;
            call.names_calls = true;
        }
        call.negotiation = Negotiation::default();
        let early = self.strays.take_early(&call.with, call.id);
        for candidate in early {
            // Nothing is handed back before the offer is with a peer connection.
            call.negotiation.candidate_there(candidate);
        }
        self.answer_call(now, offer);
    }

    pub(super) fn on_answer(&mut self, now: Instant, answer: Description) {
        let Some(call) = self.call_of(answer.name.as_deref(), answer.call) else {
            return log::debug!("an answer of a stranger or of another call was left out");
        };
        if answer.sdp.kind != SdpType::Answer || !call.negotiation.offer_out {
            return log::debug!("an answer to nothing was left out");
        }
        call.negotiation.offer_out = false;
        let first = matches!(call.state, CallState::Calling | CallState::RingingThere);
        if first {
            call.state = CallState::Connecting;
            call.deadline = Some(now + CONNECT_TIMEOUT);
        }
        let waited = call.negotiation.described_there();
        self.act(PeerAction::ApplyAnswer(answer.sdp));
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
            // Old peers do not say who they are: the candidate belongs to the call there is.
            (Some(call), None) => message.call.is_none_or(|id| id == call.id),
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
