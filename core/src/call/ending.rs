//! How calls end: by the other side, by the server's refusal, and what everybody is told.

use super::engine::CallEngine;
use super::types::{CallEvent, CallState, EndReason, Output, PeerAction};
use crate::signaling::message::{ErrorCode, ErrorMessage, HangUp, HangUpReason, Message};

impl CallEngine {
    /// Ends the call. `tell` is what the other side hears, if it has to hear.
    pub(super) fn end(&mut self, reason: EndReason, tell: Option<HangUpReason>) {
        // Nobody was invited yet while the first offer is still being made.
        let invited = self.call.as_ref().is_some_and(|call| !call.is_calling() || call.negotiation.waits_for_answer());
        if let Some(reason) = tell.filter(|_| invited) {
            self.send(|name, target, call| Message::HangUp(HangUp { name, target, reason: Some(reason), call }));
        }
        self.act(PeerAction::Close);
        if let Some(call) = self.call.take() {
            self.strays.ended(call.with.clone(), Some(call.id), call.session, reason.to_wire());
            self.put(Output::Event(CallEvent::Ended { with: call.with, call: call.known_as, reason }));
        }
        self.tell_change();
    }

    pub(super) fn on_hang_up(&mut self, hang_up: &HangUp) {
        let (name, id) = (hang_up.name.as_deref(), hang_up.call);
        if let Some(call) = self.call_of(name, id) {
            let reason = why_they_hung_up(call.state, hang_up.reason);
            return self.end(reason, None);
        }
        // It may have overtaken the offer of its call, which then must not ring.
        if let (Some(from), Some(id)) = (name, id)
            && self.strays.why_ended(id).is_none()
        {
            self.strays.cancelled(from, id);
        }
    }

    /// The server refused a message of the call.
    pub(super) fn on_refused(&mut self, error: &ErrorMessage) {
        let Some(call) = &self.call else { return };
        let about_it = match error.call {
            Some(id) => id == call.id,
            None => error.target.as_deref() == Some(call.with.as_str()),
        };
        let decisive = match (error.regarding.as_deref(), call.state) {
            (Some("video-offer"), _) => call.is_calling(),
            (Some("video-answer"), CallState::Connecting) => !call.offerer,
            _ => false,
        };
        if !about_it || !decisive {
            return;
        }
        match error.code {
            ErrorCode::NoSuchUser | ErrorCode::NotLoggedIn => self.end(EndReason::Unreachable, None),
            _ => self.end(EndReason::NegotiationFailed, Some(HangUpReason::Failed)),
        }
    }
}

/// What the other side's hang-up means in this state. Old peers give no reason.
fn why_they_hung_up(state: CallState, reason: Option<HangUpReason>) -> EndReason {
    match (state, reason) {
        (_, Some(HangUpReason::MediaError)) => EndReason::MediaFailedThere,
        (_, Some(HangUpReason::Failed)) => EndReason::ConnectionFailed,
        (CallState::RingingHere, Some(HangUpReason::Elsewhere)) => EndReason::AnsweredElsewhere,
        (CallState::RingingHere | CallState::Calling | CallState::RingingThere, Some(HangUpReason::Timeout)) => {
            EndReason::Timeout
        }
        (CallState::RingingHere, _) => EndReason::CancelledThere,
        (CallState::Calling | CallState::RingingThere, Some(HangUpReason::Busy)) => EndReason::Busy,
        (CallState::Calling | CallState::RingingThere, _) => EndReason::DeclinedThere,
        _ => EndReason::HungUpThere,
    }
}
