//! The end of calls: by the remote peer or by an error of the server, and the messages and events about it.

use super::engine::CallEngine;
use super::state::Call;
use super::types::{CallEvent, CallState, EndReason, Output, PeerAction};
use crate::signaling::message::{ErrorCode, ErrorMessage, HangUp, HangUpReason, Message};

impl CallEngine {
    /// Ends the call. `tell` is the reason to send to the remote peer, if it is to be told.
    pub(super) fn end(&mut self, reason: EndReason, tell: Option<HangUpReason>) {
        // While the first offer is being created, the remote peer does not know of the call.
        let invited =
            self.call.as_ref().is_some_and(|call| !call.is_calling() || call.offer_answer.is_awaiting_answer());
        if let Some(reason) = tell.filter(|_| invited) {
            self.send(|name, target, call| Message::HangUp(HangUp { name, target, reason: Some(reason), call }));
        }
        self.act(PeerAction::Close);
        if let Some(call) = self.call.take() {
            self.history.record_ended(call.with.clone(), Some(call.id), call.session, reason.to_wire());
            self.push_output(Output::Event(CallEvent::Ended { with: call.with, call: call.app_id, reason }));
        }
        self.emit_change();
    }

    pub(super) fn on_hang_up(&mut self, hang_up: &HangUp) {
        let (name, id) = (hang_up.name.as_deref(), hang_up.call);
        if let Some(call) = self.matching_call(name, id) {
            let reason = end_reason_for(call, hang_up.reason);
            return self.end(reason, None);
        }
        // The hang-up may have arrived before the call's offer, which then must not ring.
        if let (Some(from), Some(id)) = (name, id)
            && self.history.end_reason(id).is_none()
        {
            self.history.record_cancelled(from, id);
        }
    }

    /// The server reported an error about a message of the call.
    pub(super) fn on_server_error(&mut self, error: &ErrorMessage) {
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
            ErrorCode::NoSuchUser | ErrorCode::NotLoggedIn | ErrorCode::Blocked => {
                self.end(EndReason::Unreachable, None);
            }
            _ => self.end(EndReason::NegotiationFailed, Some(HangUpReason::NegotiationFailed)),
        }
    }
}

/// The end reason for a hang-up of the remote peer in this state. Old peers send no reason.
fn end_reason_for(call: &Call, reason: Option<HangUpReason>) -> EndReason {
    match (call.state, reason) {
        (_, Some(HangUpReason::MediaError)) => EndReason::MediaFailedRemotely,
        (_, Some(HangUpReason::Failed)) => call.connection_failure(),
        (_, Some(HangUpReason::NegotiationFailed)) => EndReason::NegotiationFailed,
        (_, Some(HangUpReason::NoCommonCodec)) => EndReason::NoCommonCodec,
        (_, Some(HangUpReason::HandshakeFailed)) => EndReason::HandshakeFailed,
        (CallState::RingingLocally, Some(HangUpReason::Elsewhere)) => EndReason::AnsweredElsewhere,
        (
            CallState::RingingLocally | CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush,
            Some(HangUpReason::Timeout),
        ) => EndReason::Timeout,
        (CallState::RingingLocally, _) => EndReason::CancelledRemotely,
        (CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush, Some(HangUpReason::Busy)) => {
            EndReason::Busy
        }
        (CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush, _) => EndReason::DeclinedRemotely,
        _ => EndReason::HungUpRemotely,
    }
}
