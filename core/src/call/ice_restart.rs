//! The state of the connection, and its repair by ICE restarts (RFC 8445 section 2.4).

use super::engine::CallEngine;
use super::types::{CallState, ConnectionState, EndReason, REPAIR_TIMEOUT, RESTART_AFTER, RESTART_EVERY};
use crate::signaling::message::HangUpReason;
use std::time::Instant;

impl CallEngine {
    pub(super) fn on_connection(&mut self, now: Instant, connection: ConnectionState) {
        let Some(call) = &mut self.call else { return };
        match (call.state, connection) {
            (CallState::Connecting | CallState::Reconnecting, ConnectionState::Connected) => {
                call.state = CallState::Connected;
                (call.deadline, call.restart_at, call.new_network) = (None, None, false);
                call.offer_answer.on_connected();
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

    pub(super) fn on_handshake_failed(&mut self) {
        if self.call.as_ref().is_some_and(|call| call.is_answered()) {
            log::warn!("the DTLS handshake failed");
            self.end(EndReason::HandshakeFailed, Some(HangUpReason::HandshakeFailed));
        }
    }

    /// Restarts ICE if this side is responsible for it and the server is reachable, and schedules the next attempt.
    pub(super) fn restart_ice(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        if !call.restarts_ice() {
            call.restart_at = None;
            return;
        }
        call.restart_at = now.checked_add(RESTART_EVERY);
        if self.online {
            // An offer without an answer may have been lost, or have candidates of a network that is gone. A new one replaces
            // it, which JSEP allows in have-local-offer.
            call.offer_answer.request_offer(true);
            self.negotiate();
        }
    }
}
