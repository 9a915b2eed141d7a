//! Offer and answer on this side, the state of the connection, and its repair.

use super::engine::{CallEngine, is_polite};
use super::types::{CallState, ConnectionState, EndReason, PeerAction, REPAIR_TIMEOUT, RESTART_AFTER, RESTART_EVERY};
use crate::signaling::message::{
    Description, HangUpReason, IceCandidate, Message, NewIceCandidate, SdpType, SessionDescription,
};
use std::time::Instant;

impl CallEngine {
    /// Hands an offer of the other side's to the peer connection, and what waited for it.
    pub(super) fn answer(&mut self, offer: SessionDescription, rollback: bool) {
        let Some(call) = &mut self.call else { return };
        let waited = call.negotiation.described_there();
        self.act(PeerAction::Answer { offer, rollback });
        for candidate in waited {
            self.act(PeerAction::AddCandidate(candidate));
        }
    }

    /// The other side offers in the call that is going on: perfect negotiation.
    pub(super) fn on_renegotiation(&mut self, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        let collides = call.negotiation.collides();
        if collides {
            if !self.me.as_ref().is_some_and(|me| is_polite(me, &call.with)) {
                return log::debug!("both offered; the other side gives way");
            }
            // One that is still being made comes before the answer, and is not sent.
            call.negotiation.discard_offer = call.negotiation.making_offer;
            call.negotiation.offer_out = false;
        }
        self.answer(offer, collides);
    }

    pub(super) fn on_local_description(&mut self, sdp: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        let negotiation = &mut call.negotiation;
        let offer = sdp.kind == SdpType::Offer;
        if offer {
            negotiation.making_offer = false;
            if std::mem::take(&mut negotiation.discard_offer) {
                return;
            }
            negotiation.offer_out = true;
        }
        let waited = negotiation.described_here();
        self.send(|name, target, call| {
            let description = Description { name, target, sdp, call };
            if offer { Message::VideoOffer(description) } else { Message::VideoAnswer(description) }
        });
        for candidate in waited {
            self.send_candidate(candidate);
        }
        if !offer {
            self.send_media_state();
        }
    }

    pub(super) fn on_local_candidate(&mut self, candidate: Option<IceCandidate>) {
        let Some(call) = &mut self.call else { return };
        if let Some(candidate) = call.negotiation.candidate_here(candidate) {
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
        if matches!(call.state, CallState::Connected | CallState::Reconnecting) {
            log::warn!("a renegotiation failed, the call goes on: {why}");
            call.negotiation.making_offer = false;
            call.negotiation.discard_offer = false;
            call.negotiation.offer_out = false;
            return;
        }
        log::warn!("the call cannot be negotiated: {why}");
        self.end(EndReason::NegotiationFailed, Some(HangUpReason::Failed));
    }

    pub(super) fn on_connection(&mut self, now: Instant, connection: ConnectionState) {
        let Some(call) = &mut self.call else { return };
        match (call.state, connection) {
            (CallState::Connecting | CallState::Reconnecting, ConnectionState::Connected) => {
                call.state = CallState::Connected;
                (call.deadline, call.restart_at) = (None, None);
            }
            (CallState::Connecting, ConnectionState::Failed) => {
                self.end(EndReason::ConnectionFailed, Some(HangUpReason::Failed));
            }
            (CallState::Connected, ConnectionState::Disconnected) => {
                call.state = CallState::Reconnecting;
                call.deadline = Some(now + REPAIR_TIMEOUT);
                call.restart_at = call.offerer.then_some(now + RESTART_AFTER);
            }
            (CallState::Connected | CallState::Reconnecting, ConnectionState::Failed) => {
                call.state = CallState::Reconnecting;
                call.deadline = call.deadline.or(Some(now + REPAIR_TIMEOUT));
                self.restart_ice(now);
            }
            _ => {}
        }
    }

    /// Restarts ICE, if it is this side's to do and the other can be told; tries again later in any case.
    pub(super) fn restart_ice(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        if !call.offerer {
            call.restart_at = None;
            return;
        }
        call.restart_at = Some(now + RESTART_EVERY);
        // An offer that nobody answered may have been lost: a new one takes its place (JSEP allows it in have-local-offer).
        if self.online && !call.negotiation.making_offer {
            call.negotiation.making_offer = true;
            call.negotiation.offer_out = false;
            self.act(PeerAction::Offer { ice_restart: true });
        }
    }
}
