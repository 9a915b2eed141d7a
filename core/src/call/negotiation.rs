//! Offer and answer on this side, the state of the connection, and its repair.

use super::engine::CallEngine;
use super::exchange::{Heard, Step};
use super::types::{CallState, ConnectionState, EndReason, PeerAction, REPAIR_TIMEOUT, RESTART_AFTER, RESTART_EVERY};
use crate::signaling::message::{
    Description, HangUpReason, IceCandidate, Message, NewIceCandidate, SdpType, SessionDescription,
};
use std::time::Instant;

impl CallEngine {
    /// Asks the peer connection for the next description, if it is free, and hands it what waited for that.
    pub(super) fn negotiate(&mut self) {
        let Some(call) = &mut self.call else { return };
        match call.negotiation.next_step() {
            Some(Step::Offer { ice_restart }) => self.act(PeerAction::Offer { ice_restart }),
            Some(Step::Answer { offer, rollback }) => {
                let waited = call.negotiation.described_there();
                self.act(PeerAction::Answer { offer, rollback });
                for candidate in waited {
                    self.act(PeerAction::AddCandidate(candidate));
                }
            }
            None => {}
        }
    }

    /// The other side offers in the call that is going on: perfect negotiation.
    pub(super) fn on_renegotiation(&mut self, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        match call.negotiation.hear(&offer) {
            Heard::New => {}
            // Our answer may have been lost. If it is still being made, there is none to repeat.
            Heard::Repeated => return self.repeat_answer(),
            Heard::Stale => return log::debug!("an offer that was left behind was left out"),
        }
        if call.negotiation.collides() && !call.polite {
            return log::debug!("both offered; the other side gives way");
        }
        call.negotiation.take_offer(offer);
        self.negotiate();
    }

    pub(super) fn on_local_description(&mut self, sdp: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        if call.negotiation.described_here(&sdp) {
            let answer = sdp.kind == SdpType::Answer;
            let waited = call.negotiation.said(sdp.clone());
            call.said_online = self.online;
            self.send_description(sdp);
            for candidate in waited {
                if let Some(call) = &mut self.call {
                    call.negotiation.candidate_said(candidate.clone());
                }
                self.send_candidate(candidate);
            }
            if answer {
                self.send_media_state();
            }
        }
        self.negotiate();
    }

    pub(super) fn on_answer_applied(&mut self) {
        if let Some(call) = &mut self.call {
            call.negotiation.applied();
        }
        self.negotiate();
    }

    /// Sends our last description again, and the candidates that followed it.
    pub(super) fn repeat_description(&mut self) {
        if let Some(description) = self.call.as_ref().and_then(|call| call.negotiation.last_said()) {
            self.send_description(description);
            self.repeat_candidates();
        }
    }

    /// Sends the candidates again that followed our last description.
    pub(super) fn repeat_candidates(&mut self) {
        let candidates = self.call.as_ref().map(|call| call.negotiation.candidates_said()).unwrap_or_default();
        for candidate in candidates {
            self.send_candidate(candidate);
        }
    }

    fn repeat_answer(&mut self) {
        let last = self.call.as_ref().and_then(|call| call.negotiation.last_said());
        if last.is_some_and(|description| description.kind == SdpType::Answer) {
            self.repeat_description();
        }
    }

    fn send_description(&mut self, sdp: SessionDescription) {
        self.send(|name, target, call| {
            let offer = sdp.kind == SdpType::Offer;
            let description = Description { name, target, sdp, call };
            if offer { Message::VideoOffer(description) } else { Message::VideoAnswer(description) }
        });
    }

    pub(super) fn on_local_candidate(&mut self, candidate: Option<IceCandidate>) {
        let Some(call) = &mut self.call else { return };
        if call.negotiation.candidate_here(&candidate) {
            self.send_candidate(candidate);
        }
    }

    /// Old pages choke on the end of candidates, so only those hear of it that name calls.
    fn send_candidate(&mut self, candidate: Option<IceCandidate>) {
        if candidate.is_none() && !self.call.as_ref().is_some_and(|call| call.names_calls) {
            return;
        }
        self.send(|name, target, call| Message::NewIceCandidate(NewIceCandidate { name, target, candidate, call }));
    }

    pub(super) fn on_negotiation_failed(&mut self, why: &str) {
        let Some(call) = &mut self.call else { return };
        call.negotiation.failed();
        // The reason may quote descriptions, so that it is not for every log.
        log::debug!("negotiation: {why}");
        let goes_on = matches!(call.state, CallState::Connected | CallState::Reconnecting);
        if goes_on || call.negotiation.is_agreed() {
            log::warn!("a renegotiation failed, the call goes on");
            return self.negotiate();
        }
        log::warn!("the call cannot be negotiated");
        self.end(EndReason::NegotiationFailed, Some(HangUpReason::Failed));
    }

    pub(super) fn on_connection(&mut self, now: Instant, connection: ConnectionState) {
        let Some(call) = &mut self.call else { return };
        match (call.state, connection) {
            (CallState::Connecting | CallState::Reconnecting, ConnectionState::Connected) => {
                call.state = CallState::Connected;
                (call.deadline, call.restart_at, call.new_network) = (None, None, false);
                call.negotiation.repaired();
            }
            (CallState::Connecting, ConnectionState::Failed) => {
                self.end(EndReason::ConnectionFailed, Some(HangUpReason::Failed));
            }
            (CallState::Connected, ConnectionState::Disconnected) => {
                call.state = CallState::Reconnecting;
                call.deadline = now.checked_add(REPAIR_TIMEOUT);
                call.restart_at = if call.restarts_ice() { now.checked_add(RESTART_AFTER) } else { None };
            }
            (CallState::Connected | CallState::Reconnecting, ConnectionState::Failed) => {
                call.state = CallState::Reconnecting;
                call.deadline = call.deadline.or(now.checked_add(REPAIR_TIMEOUT));
                self.restart_ice(now);
            }
            _ => {}
        }
    }

    /// Restarts ICE, if it is this side's to do and the other can be told; tries again later in any case.
    pub(super) fn restart_ice(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        if !call.restarts_ice() {
            call.restart_at = None;
            return;
        }
        call.restart_at = now.checked_add(RESTART_EVERY);
        if self.online {
            // An offer that nobody answered may have been lost, or tell of a network that is gone: a new one takes its
            // place (JSEP allows it in have-local-offer).
            call.negotiation.want_offer(true);
            self.negotiate();
        }
    }
}
