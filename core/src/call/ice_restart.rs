//! The state of the connection, and its repair: by ICE restarts (RFC 8445 section 2.4), or by a new peer connection where no restart
//! can help.

use super::engine::CallEngine;
use super::path_search::PathSearch;
use super::state::{IceUsers, SdpSession};
use super::types::{
    CallEvent, CallState, ConnectionState, EndReason, FIRST_RESTART_WAIT, MAX_REPLACEMENTS, MAX_RESTART_WAIT, Output,
    PeerAction, REPAIR_TIMEOUT, RESTART_CHECKS,
};
use crate::signaling::message::{HangUpReason, SessionDescription};
use std::time::{Duration, Instant};

impl CallEngine {
    pub(super) fn on_connection(&mut self, now: Instant, connection: ConnectionState) {
        let Some(call) = &mut self.call else { return };
        call.peer_unusable |= connection == ConnectionState::Closed;
        match (call.state, connection) {
            (CallState::Connecting | CallState::Reconnecting, ConnectionState::Connected) => {
                call.state = CallState::Connected;
                (call.deadline, call.restart_at, call.new_network, call.restarts) = (None, None, false, 0);
                call.offer_answer.on_connected();
            }
            (CallState::Connecting, ConnectionState::Failed) => {
                let reason = call.connection_failure();
                self.end(reason, Some(HangUpReason::Failed));
            }
            (CallState::Connecting, ConnectionState::Closed) => {
                self.end(EndReason::ConnectionFailed, Some(HangUpReason::Failed));
            }
            (CallState::Connected, ConnectionState::Connecting) => {
                // One of the two sides restarts ICE.
                call.reconnect(now, RESTART_CHECKS);
            }
            (CallState::Connected, ConnectionState::Disconnected | ConnectionState::Closed) => {
                call.reconnect(now, call.restart_after());
            }
            (CallState::Connected | CallState::Reconnecting, ConnectionState::Failed) => {
                call.reconnect(now, Duration::ZERO);
                if call.offerer || call.new_network {
                    self.restart_ice(now);
                } else {
                    call.restart_at = now.checked_add(call.restart_after());
                }
            }
            (CallState::Reconnecting, ConnectionState::Closed) => {
                let soon = now.checked_add(call.restart_after());
                call.restart_at = call.restart_at.into_iter().chain(soon).min();
            }
            _ => {}
        }
    }

    /// A connection that was there once is repaired for as long as any, whatever its search says.
    pub(super) fn on_no_path(&mut self, search: PathSearch) {
        let Some(call) = self.call.as_mut().filter(|call| call.state == CallState::Connecting) else { return };
        if call.path_search.replace(search) == Some(search) {
            return;
        }
        log::info!("no path was found yet: {search}");
        if search.is_over {
            self.end(EndReason::NoPath, Some(HangUpReason::Failed));
        } else {
            self.push_output(Output::Event(CallEvent::NoPathYet(search)));
        }
    }

    pub(super) fn on_handshake_failed(&mut self) {
        if self.call.as_ref().is_some_and(|call| call.is_answered()) {
            log::warn!("the DTLS handshake failed");
            self.end(EndReason::HandshakeFailed, Some(HangUpReason::HandshakeFailed));
        }
    }

    /// Restarts ICE if the server is reachable, or makes a new peer connection where that cannot help, and schedules the
    /// next attempt.
    pub(super) fn restart_ice(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        call.restart_at = now.checked_add(restart_wait(call.restarts));
        if !self.online {
            return;
        }
        call.restarts = call.restarts.saturating_add(1);
        if call.peer_unusable && call.state == CallState::Reconnecting {
            return self.offer_on_new_peer();
        }
        // An offer without an answer may have been lost, or have candidates of a network that is gone. A new one replaces
        // it, which JSEP allows in have-local-offer.
        call.offer_answer.request_offer(true);
        self.negotiate();
    }

    /// Offers on a new peer connection within the call. The remote peer sees by its certificate that it is a new one.
    pub(super) fn offer_on_new_peer(&mut self) {
        if self.replace_peer(true, None)
            && let Some(call) = &mut self.call
        {
            call.offer_answer.request_offer(false);
            self.negotiate();
        }
    }

    /// Answers the offer of a remote peer that has a new peer connection, on a new one of this side's.
    pub(super) fn answer_on_new_peer(&mut self, offer: SessionDescription) {
        // Firefox makes another transport with the old credentials, and refuses an answer with others as a restart that it has not asked for
        // (RFC 8839 section 4.4).
        let old = self.call.as_ref().filter(|call| call.ice_users.go_on_in(&IceUsers::of(&offer)));
        let keeps_ice_of = old.and_then(|call| call.offer_answer.agreed_description());
        if self.replace_peer(false, keeps_ice_of)
            && let Some(call) = &mut self.call
        {
            call.session = SdpSession::of(&offer);
            call.recognize(&offer);
            call.offer_answer.accept_offer(offer);
            self.negotiate();
        }
    }

    /// Closes the peer connection and creates another one. A remote peer that wants one too often loses the call.
    fn replace_peer(&mut self, offerer: bool, keeps_ice_of: Option<SessionDescription>) -> bool {
        let Some(call) = &mut self.call else { return false };
        call.replacements = call.replacements.saturating_add(1);
        if call.replacements > MAX_REPLACEMENTS {
            log::warn!("the call got too many peer connections");
            self.end(EndReason::ConnectionFailed, Some(HangUpReason::Failed));
            return false;
        }
        log::info!("the call gets a new peer connection");
        call.offer_answer = call.offer_answer.for_new_peer();
        (call.certificates, call.ice_users, call.bundle_owner) = Default::default();
        call.peer_unusable = false;
        let media = call.local;
        self.act(PeerAction::Close);
        self.create_peer(offerer, media, keeps_ice_of);
        true
    }
}

impl super::state::Call {
    /// The connection is lost or restarts. If nothing brings it back, the next attempt is made after `wait`.
    pub(super) fn reconnect(&mut self, now: Instant, wait: Duration) {
        if self.state == CallState::Connected {
            self.state = CallState::Reconnecting;
            self.deadline = now.checked_add(REPAIR_TIMEOUT);
            self.restart_at = now.checked_add(wait);
        }
    }

    /// The descriptions of a restart have been exchanged: its checks get their time before the next attempt.
    pub(super) fn await_checks(&mut self, now: Instant) {
        if let Some(at) = &mut self.restart_at
            && let Some(checked) = now.checked_add(RESTART_CHECKS)
        {
            *at = checked.max(*at);
        }
    }
}

/// How long a restart may take that has so many before it.
fn restart_wait(before: u32) -> Duration {
    (0..before.min(16)).fold(FIRST_RESTART_WAIT, |wait, _| (wait * 3 / 2).min(MAX_RESTART_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_become_rarer_up_to_a_bound() {
        let waits: Vec<u128> = (0..6).map(|before| restart_wait(before).as_millis()).collect();
        assert_eq!(waits, [2_000, 3_000, 4_500, 6_750, 8_000, 8_000]);
        assert_eq!(restart_wait(u32::MAX), MAX_RESTART_WAIT);
    }
}
