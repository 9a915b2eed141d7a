//! A second call: told of while one goes on, and then one of the two in front and the other behind it, waiting or on hold.
//!
//! The rules for one call know nothing of the other. What concerns the call behind is dealt with while the two have changed places.

use super::engine::CallEngine;
use super::types::{CallError, CallState, Command, EndReason, OtherCall, PeerId};
use crate::signaling::message::{CallId, HangUpReason, MediaState, Message};
use std::time::Instant;

impl CallEngine {
    /// Whether somebody who calls during a call is told of ([`super::CallEvent::Waiting`]) and not refused as busy, and whether somebody can be
    /// called while a call is on hold. Off unless the app has a place for a second call.
    pub fn set_call_waiting(&mut self, on: bool) {
        self.call_waiting = on;
    }

    /// Executes a command of the app in this call, whether it is in front or not.
    ///
    /// # Errors
    /// [`CallError::NoCall`] if it is over; else as [`CallEngine::command`].
    pub fn command_in(&mut self, now: Instant, call: CallId, command: Command) -> Result<(), CallError> {
        if self.call.as_ref().is_some_and(|front| front.app_id == call) {
            return self.command(now, command);
        }
        let state = self.behind.as_ref().filter(|behind| behind.app_id == call).ok_or(CallError::NoCall)?.state;
        let waits = state == CallState::RingingLocally;
        match command {
            Command::HoldAndAccept { .. } | Command::EndAndAccept { .. } | Command::Accept { .. } if waits => {
                self.command(now, command)
            }
            Command::SetHeld(false) | Command::Swap if !waits => self.command(now, Command::Swap),
            // Behind another one it is on hold already.
            Command::SetHeld(true) if !waits => Ok(()),
            Command::Decline | Command::HangUp | Command::SetScreen(_) => {
                let mut result = Ok(());
                self.in_behind(|engine| result = engine.command_in_front(now, command));
                self.emit_change();
                result
            }
            _ => Err(CallError::WrongState(state)),
        }
    }

    /// Whether this call was accepted, so that it can be put on hold and a screen be shared in it.
    ///
    /// # Errors
    /// [`CallError::NoCall`] if it is over, [`CallError::WrongState`] if it was not accepted yet.
    pub fn check_accepted(&self, call: CallId) -> Result<(), CallError> {
        let mut calls = [&self.call, &self.behind].into_iter().flatten();
        calls.find(|one| one.app_id == call).ok_or(CallError::NoCall)?.check_answered()
    }

    /// Whether this call goes on, in front or behind.
    pub fn has_call(&self, call: CallId) -> bool {
        [&self.call, &self.behind].into_iter().flatten().any(|one| one.app_id == call)
    }

    /// The peer connection of this call.
    pub fn peer_of(&self, call: CallId) -> Option<PeerId> {
        [&self.call, &self.behind].into_iter().flatten().find(|one| one.app_id == call)?.peer
    }

    /// The identifier, the person and their media of the call that has this peer connection.
    pub fn call_of(&self, peer: PeerId) -> Option<(CallId, &str, MediaState)> {
        let call = [&self.call, &self.behind].into_iter().flatten().find(|call| call.peer == Some(peer))?;
        Some((call.app_id, &call.with, call.remote))
    }

    /// Does something with the call behind, in the place of the one in front.
    pub(super) fn in_behind(&mut self, act: impl FnOnce(&mut Self)) {
        if self.behind.is_none() {
            return;
        }
        self.change_places();
        act(self);
        self.change_places();
        self.settle();
    }

    /// Does something with each call.
    pub(super) fn in_each(&mut self, act: impl Fn(&mut Self)) {
        self.in_behind(&act);
        act(self);
        self.settle();
    }

    /// Does something with the call behind if `is_it`, else with the one in front.
    pub(super) fn in_either(&mut self, is_behind: bool, act: impl FnOnce(&mut Self)) {
        if is_behind {
            self.in_behind(act);
        } else {
            act(self);
            self.settle();
        }
    }

    fn change_places(&mut self) {
        std::mem::swap(&mut self.call, &mut self.behind);
        self.swapped = !self.swapped;
    }

    /// The call that is left comes to the front: it rings on, or stays on hold until somebody takes it up.
    pub(super) fn settle(&mut self) {
        if !self.swapped && self.call.is_none() {
            self.call = self.behind.take();
        }
    }

    /// Whether this message is about the call behind.
    pub(super) fn is_for_behind(&self, message: &Message) -> bool {
        let (Some(front), Some(behind)) = (&self.call, &self.behind) else { return false };
        let (name, call) = match message {
            Message::Error(error) => (error.target.as_deref(), error.call),
            message => message.of_call(),
        };
        match (name, call) {
            (_, Some(call)) if call == front.id => false,
            (_, Some(call)) if call == behind.id => true,
            (Some(name), _) => name != front.with && name == behind.with,
            // A candidate of an old peer has neither: it is of the call whose other side sends no identifiers.
            (None, None) => {
                matches!(message, Message::NewIceCandidate(_)) && front.sends_call_ids && !behind.sends_call_ids
            }
            (None, Some(_)) => false,
        }
    }

    /// Whether somebody who calls now can wait.
    pub(super) fn can_wait(&self) -> bool {
        let accepted = self.call.as_ref().is_some_and(|call| call.is_answered());
        self.call_waiting && !self.swapped && self.behind.is_none() && accepted
    }

    /// Whether somebody can be called beside the call that goes on.
    pub(super) fn can_place_second(&self, to: &str) -> bool {
        self.can_wait() && self.call.as_ref().is_some_and(|call| call.local.held && call.with != to)
    }

    /// Begins what `begin` begins, behind the call that goes on.
    pub(super) fn begin_behind(&mut self, begin: impl FnOnce(&mut Self)) {
        self.change_places();
        begin(self);
        self.change_places();
    }

    /// The call in front makes room for the next one.
    pub(super) fn move_front_behind(&mut self) {
        self.behind = self.call.take();
    }

    pub(super) fn waits(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.state == CallState::RingingLocally)
    }

    /// The call that waits goes to the front, and what was there on hold behind it.
    pub(super) fn hold_and_accept(&mut self, now: Instant, media: MediaState) -> Result<(), CallError> {
        if self.waits() {
            self.set_held(now, true)?;
            std::mem::swap(&mut self.call, &mut self.behind);
        }
        // The other one may have ended just now.
        self.accept(now, media)
    }

    /// The call that waits takes the place of the one that goes on, which ends.
    pub(super) fn end_and_accept(&mut self, now: Instant, media: MediaState) -> Result<(), CallError> {
        if self.waits() {
            self.end(EndReason::HungUpLocally, Some(HangUpReason::Ended));
            self.settle();
        }
        self.accept(now, media)
    }

    /// The call in front goes behind, on hold, and the one there is taken up.
    pub(super) fn swap(&mut self, now: Instant) -> Result<(), CallError> {
        let front = self.call.as_ref().ok_or(CallError::NoCall)?.state;
        let behind = self.behind.as_ref().ok_or(CallError::NoOtherCall)?;
        if behind.state == CallState::RingingLocally {
            return Err(CallError::WrongState(behind.state));
        }
        if !matches!(front, CallState::Connecting | CallState::Connected | CallState::Reconnecting) {
            return Err(CallError::WrongState(front));
        }
        self.set_held(now, true)?;
        std::mem::swap(&mut self.call, &mut self.behind);
        self.set_held(now, false)
    }

    /// The call behind, as the app is told.
    pub(super) fn other(&self) -> Option<OtherCall> {
        let (front, behind) = self.in_their_places();
        front.as_ref()?;
        behind.as_ref().map(|call| OtherCall {
            call: call.app_id,
            with: call.with.clone(),
            state: call.state,
            remote: call.remote,
        })
    }

    /// The two calls as they are but for the moment in which they have changed places.
    pub(super) fn in_their_places(&self) -> (&Option<super::state::Call>, &Option<super::state::Call>) {
        if self.swapped { (&self.behind, &self.call) } else { (&self.call, &self.behind) }
    }
}
