//! Local descriptions and candidates, renegotiation, and repeating what may have been lost.

use super::engine::CallEngine;
use super::offer_answer::{Received, Step};
use super::state::{Certificates, IceUsers};
use super::types::{CallState, EndReason, PeerAction, RESTART_CHECKS};
use crate::signaling::message::{Description, IceCandidate, Message, NewIceCandidate, SdpType, SessionDescription};
use std::time::Instant;

impl CallEngine {
    /// Starts the peer connection's next operation, if none is pending, and adds the candidates that waited for it.
    pub(super) fn negotiate(&mut self) {
        let Some(call) = &mut self.call else { return };
        match call.offer_answer.next_step() {
            Some(Step::Offer { ice_restart }) => self.act(PeerAction::Offer { ice_restart }),
            Some(Step::Answer { offer, rollback }) => {
                let waited = call.offer_answer.on_remote_description();
                self.act(PeerAction::Answer { offer, rollback });
                for candidate in waited {
                    self.act(PeerAction::AddCandidate(candidate));
                }
            }
            None => {}
        }
    }

    /// A remote offer within the current call: perfect negotiation (W3C WebRTC section 10.7).
    pub(super) fn on_renegotiation(&mut self, now: Instant, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        match call.offer_answer.receive(&offer) {
            Received::New => {}
            // The answer may have been lost. While it is still being created there is nothing to repeat.
            Received::Duplicate => return self.repeat_answer(),
            Received::Superseded => return log::debug!("ignored a superseded offer"),
        }
        if call.offer_answer.collides() && !call.polite {
            log::debug!("offer collision: the remote peer is the polite one");
            if call.offer_answer.is_awaiting_answer() {
                // It gives way once it has this side's offer, which may have been lost with a connection to the server.
                self.repeat_description();
            }
            return;
        }
        let certificates = Certificates::of(&offer);
        let other_peer = call.certificates.exclude(&certificates) || call.gives_up_transport(&offer);
        // A first offer cannot be rolled back and answered: its connection has taken the offerer's part (RFC 8842 section 5.3).
        if other_peer || (call.offer_answer.collides() && !call.offer_answer.is_negotiated()) {
            call.reconnect(now, RESTART_CHECKS);
            call.await_checks(now);
            return self.answer_on_new_peer(offer);
        }
        if call.certificates.is_empty() {
            call.certificates = certificates;
        }
        call.ice_users = IceUsers::of(&offer);
        call.await_checks(now);
        call.offer_answer.accept_offer(offer);
        self.negotiate();
    }

    pub(super) fn on_local_description(&mut self, sdp: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        if call.offer_answer.on_local_description(&sdp) {
            let answer = sdp.kind == SdpType::Answer;
            if answer {
                call.on_answered(&sdp);
            }
            let waited = call.offer_answer.on_description_sent(sdp.clone());
            call.sent_online = self.online;
            self.send_description(sdp);
            for candidate in waited {
                if let Some(call) = &mut self.call {
                    call.offer_answer.on_candidate_sent(candidate.clone());
                }
                self.send_candidate(candidate);
            }
            if answer {
                self.send_media_state();
            }
        }
        self.negotiate();
    }

    pub(super) fn on_answer_applied(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        call.offer_answer.on_answer_applied();
        if call.state == CallState::Connecting && call.new_network {
            // The candidates of the first offer were those of a network that is gone.
            return self.restart_ice(now);
        }
        self.negotiate();
    }

    /// Sends the last local description again, and the candidates that were sent after it.
    pub(super) fn repeat_description(&mut self) {
        if let Some(description) = self.call.as_ref().and_then(|call| call.offer_answer.sent_description()) {
            self.send_description(description);
            self.repeat_candidates();
        }
    }

    /// Sends the candidates again that were sent after the last local description.
    pub(super) fn repeat_candidates(&mut self) {
        let candidates = self.call.as_ref().map(|call| call.offer_answer.sent_candidates()).unwrap_or_default();
        for candidate in candidates {
            self.send_candidate(candidate);
        }
    }

    fn repeat_answer(&mut self) {
        let last = self.call.as_ref().and_then(|call| call.offer_answer.sent_description());
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
        if call.offer_answer.on_local_candidate(&candidate) {
            self.send_candidate(candidate);
        }
    }

    /// Old pages fail on the end-of-candidates message, so it is sent only to peers that send call identifiers.
    fn send_candidate(&mut self, candidate: Option<IceCandidate>) {
        if candidate.is_none() && !self.call.as_ref().is_some_and(|call| call.sends_call_ids) {
            return;
        }
        self.send(|name, target, call| Message::NewIceCandidate(NewIceCandidate { name, target, candidate, call }));
    }

    /// `reason` is why the call ends, if that was its first negotiation.
    pub(super) fn on_negotiation_failed(&mut self, reason: EndReason, why: &str) {
        let Some(call) = &mut self.call else { return };
        let own_offer = call.offer_answer.on_operation_failed();
        // The reason may quote descriptions, which must not be logged above debug.
        log::debug!("offer_answer: {why}");
        let goes_on = matches!(call.state, CallState::Connected | CallState::Reconnecting);
        if goes_on || call.offer_answer.is_negotiated() {
            // A connection that cannot even offer is not brought back by another restart.
            call.peer_unusable |= own_offer && call.state == CallState::Reconnecting;
            log::warn!("a renegotiation failed, the call goes on");
            return self.negotiate();
        }
        log::warn!("the call cannot be negotiated");
        self.end(reason, Some(reason.to_wire()));
    }
}
