//! The engine's face: inputs, outputs, and the commands of the app.

use super::state::{Call, SdpSession};
use super::strays::Strays;
use super::types::{
    CONNECT_TIMEOUT, CallError, CallEvent, CallSnapshot, CallState, Command, EndReason, Output, PeerAction, PeerId,
    PeerReport, RING_TIMEOUT,
};
use crate::signaling::message::{
    CallId, CallRinging, HangUp, HangUpReason, MediaState, MediaStateMessage, Message, SessionDescription,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One person's calls, one at a time. See the [module](super) for the rules.
pub struct CallEngine {
    /// Our name, once there was a login.
    pub(super) me: Option<String>,
    /// Whether the server can be reached.
    pub(super) online: bool,
    pub(super) call: Option<Call>,
    pub(super) strays: Strays,
    pub(super) ring_timeout: Duration,
    peers: u64,
    new_id: Box<dyn FnMut() -> CallId + Send>,
    outputs: VecDeque<Output>,
    told: Option<CallSnapshot>,
}

impl Default for CallEngine {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of two gives way when both offer at once: the one whose name is smaller, compared as UTF-8 bytes.
pub fn is_polite(me: &str, other: &str) -> bool {
    me.as_bytes() < other.as_bytes()
}

impl CallEngine {
    /// An engine without a call, not logged in.
    pub fn new() -> Self {
        Self::with(RING_TIMEOUT, CallId::random)
    }

    /// An engine whose calls ring for this long, and whose calls are named by `new_id`.
    pub fn with(ring_timeout: Duration, new_id: impl FnMut() -> CallId + Send + 'static) -> Self {
        Self {
            me: None,
            online: false,
            call: None,
            strays: Strays::default(),
            ring_timeout,
            peers: 0,
            new_id: Box::new(new_id),
            outputs: VecDeque::new(),
            told: None,
        }
    }

    /// Logged in, for the first time or again. What may have been lost with the last connection is said again.
    pub fn logged_in(&mut self, now: Instant, name: &str) {
        self.me = Some(name.to_owned());
        self.online = true;
        self.say_again(now);
        self.tell_change();
    }

    /// The server gave us another name. Before the login is done there is nobody to tell yet.
    pub fn renamed(&mut self, name: &str) {
        self.me = Some(name.to_owned());
        if self.online {
            self.introduce();
        }
        self.tell_change();
    }

    /// The server is out of reach. The call goes on; what is said now is sent when the server is back.
    pub fn signaling_lost(&mut self, _: Instant) {
        self.online = false;
    }

    /// This device has another network: ICE is restarted as soon as the server can be told, without waiting until the old path is
    /// known to be dead, and by this side whoever called.
    pub fn network_changed(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        if !matches!(call.state, CallState::Connected | CallState::Reconnecting) {
            return;
        }
        call.new_network = true;
        if self.online {
            self.restart_ice(now);
        }
        self.tell_change();
    }

    /// This message cannot be sent at all, because it is too long, say. A call that cannot begin without it is over.
    pub fn not_sent(&mut self, _: Instant, message: &Message) {
        if let Message::VideoOffer(description) | Message::VideoAnswer(description) = message
            && let Some(call) = &self.call
            && description.call == Some(call.id)
            && !matches!(call.state, CallState::Connected | CallState::Reconnecting)
        {
            log::warn!("a description of the call could not be sent");
            self.end(EndReason::NegotiationFailed, Some(HangUpReason::Failed));
        }
        self.tell_change();
    }

    /// The app wants something.
    ///
    /// # Errors
    /// [`CallError`] says why it is not done; the call, if there is one, goes on.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<(), CallError> {
        let result = match command {
            Command::Call { to, media } => self.place(now, to, media),
            Command::Accept { media } => self.accept(now, media),
            Command::Decline => self.decline(),
            Command::HangUp => self.hang_up(),
            Command::SetMicrophone(on) => self.set_media(|media| media.audio = on),
            Command::SetCamera(on) => self.set_media(|media| media.video = on),
            Command::SetFacing(facing) => self.set_media(|media| media.facing = Some(facing)),
        };
        self.tell_change();
        result
    }

    /// A message came from the server. Those that are not the engine's are left alone.
    pub fn message(&mut self, now: Instant, message: Message) {
        match message {
            Message::VideoOffer(offer) => self.on_offer(now, offer),
            Message::VideoAnswer(answer) => self.on_answer(now, answer),
            Message::NewIceCandidate(candidate) => self.on_candidate(candidate),
            Message::HangUp(hang_up) => self.on_hang_up(&hang_up),
            Message::CallRinging(ringing) => self.on_ringing(&ringing),
            Message::MediaState(state) => self.on_media_state(&state),
            Message::Error(error) => self.on_refused(&error),
            _ => {}
        }
        self.tell_change();
    }

    /// The user list changed. Whoever left it cannot answer any more; a call that is answered needs no server. Who comes back to the
    /// list may not have heard what was said meanwhile.
    pub fn users(&mut self, now: Instant, users: &[String]) {
        let Some(call) = &mut self.call else { return };
        let was_away = std::mem::replace(&mut call.away, !users.contains(&call.with));
        if was_away && !call.away {
            self.say_again(now);
        } else if call.away {
            let id = call.id;
            if call.is_calling() {
                self.end(EndReason::Unreachable, None);
            } else if call.state == CallState::RingingHere {
                self.end(EndReason::CancelledThere, None);
                // A caller who comes back says it again, and then it rings again.
                self.strays.forget(id);
            }
        }
        self.tell_change();
    }

    /// A peer connection reports. Reports of any but the call's own are dropped.
    pub fn report(&mut self, now: Instant, peer: PeerId, report: PeerReport) {
        if self.call.as_ref().and_then(|call| call.peer) != Some(peer) {
            return;
        }
        match report {
            PeerReport::LocalDescription(description) => self.on_local_description(description),
            PeerReport::AnswerApplied => self.on_answer_applied(),
            PeerReport::NegotiationFailed(why) => self.on_negotiation_failed(&why),
            PeerReport::Candidate(candidate) => self.on_local_candidate(candidate),
            PeerReport::Connection(state) => self.on_connection(now, state),
            PeerReport::MediaFailed(why) => {
                log::warn!("camera or microphone: {why}");
                self.end(EndReason::MediaFailedHere, Some(HangUpReason::MediaError));
            }
        }
        self.tell_change();
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(call) = &self.call else { return };
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(call.deadline) {
            if call.is_answered() {
                self.end(EndReason::ConnectionFailed, Some(HangUpReason::Failed));
            } else {
                self.end(EndReason::Timeout, Some(HangUpReason::Timeout));
            }
        } else if due(call.restart_at) {
            self.restart_ice(now);
        }
        self.tell_change();
    }

    /// What to do next, until there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`CallEngine::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let call = self.call.as_ref()?;
        call.deadline.into_iter().chain(call.restart_at).min()
    }

    /// What messages call the call.
    #[cfg(test)]
    pub(super) fn call_in_messages(&self) -> Option<CallId> {
        self.call.as_ref().map(|call| call.id)
    }

    /// Where the call stands.
    pub fn snapshot(&self) -> CallSnapshot {
        match &self.call {
            Some(call) => CallSnapshot {
                state: call.state,
                with: Some(call.with.clone()),
                call: Some(call.known_as),
                local: call.local,
                remote: call.remote,
            },
            None => CallSnapshot {
                state: CallState::Idle,
                with: None,
                call: None,
                local: MediaState::default(),
                remote: MediaState::default(),
            },
        }
    }

    fn place(&mut self, now: Instant, to: String, media: MediaState) -> Result<(), CallError> {
        if let Some(call) = &self.call {
            return Err(CallError::InCall { with: call.with.clone() });
        }
        let me = match &self.me {
            Some(me) if *me == to => return Err(CallError::SelfCall),
            Some(me) if self.online => me,
            _ => return Err(CallError::NotLoggedIn),
        };
        if to.is_empty() {
            // An old server would pass the offer on to everyone.
            return Err(CallError::Nobody);
        }
        let id = (self.new_id)();
        let mut call = Call::new(id, me, to, CallState::Calling, now.checked_add(self.ring_timeout));
        call.offerer = true;
        call.local = media;
        call.negotiation.want_offer(false);
        self.call = Some(call);
        self.create_peer(true, media);
        self.negotiate();
        Ok(())
    }

    fn accept(&mut self, now: Instant, media: MediaState) -> Result<(), CallError> {
        let call = self.call_in(CallState::RingingHere)?;
        let Some(offer) = call.offer.take() else { return Err(CallError::WrongState(call.state)) };
        call.local = media;
        self.answer_call(now, offer);
        Ok(())
    }

    /// Answers the call's first offer on a peer connection of its own.
    pub(super) fn answer_call(&mut self, now: Instant, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        call.state = CallState::Connecting;
        call.offerer = false;
        call.deadline = Some(now + CONNECT_TIMEOUT);
        let media = call.local;
        self.create_peer(false, media);
        if let Some(call) = &mut self.call {
            call.session = SdpSession::of(&offer);
            call.negotiation.hear(&offer);
            call.negotiation.take_offer(offer);
        }
        self.negotiate();
    }

    fn decline(&mut self) -> Result<(), CallError> {
        self.call_in(CallState::RingingHere)?;
        self.end(EndReason::DeclinedHere, Some(HangUpReason::Declined));
        Ok(())
    }

    fn hang_up(&mut self) -> Result<(), CallError> {
        let (reason, wire) = match self.call.as_ref().ok_or(CallError::NoCall)?.state {
            CallState::RingingHere => (EndReason::DeclinedHere, HangUpReason::Declined),
            CallState::Calling | CallState::RingingThere => (EndReason::CancelledHere, HangUpReason::Cancelled),
            _ => (EndReason::HungUpHere, HangUpReason::Ended),
        };
        self.end(reason, Some(wire));
        Ok(())
    }

    fn set_media(&mut self, change: impl FnOnce(&mut MediaState)) -> Result<(), CallError> {
        let call = self.call.as_mut().ok_or(CallError::NoCall)?;
        let before = call.local;
        change(&mut call.local);
        if call.local == before {
            return Ok(());
        }
        let (media, devices) = (call.local, call.local.audio != before.audio || call.local.video != before.video);
        if devices && call.peer.is_some() {
            self.act(PeerAction::SetMedia(media));
        }
        self.send_media_state();
        Ok(())
    }

    fn call_in(&mut self, state: CallState) -> Result<&mut Call, CallError> {
        let call = self.call.as_mut().ok_or(CallError::NoCall)?;
        if call.state == state { Ok(call) } else { Err(CallError::WrongState(call.state)) }
    }

    /// Somebody calls: it rings here.
    pub(super) fn ring(&mut self, now: Instant, from: String, call: Option<CallId>, offer: SessionDescription) {
        let id = call.unwrap_or_else(|| (self.new_id)());
        let deadline = now.checked_add(self.ring_timeout);
        let me = self.me.as_deref().unwrap_or_default();
        let mut ringing = Call::new(id, me, from.clone(), CallState::RingingHere, deadline);
        ringing.names_calls = call.is_some();
        ringing.session = SdpSession::of(&offer);
        ringing.offer = Some(offer);
        for candidate in self.strays.take_early(&from, id) {
            // Nothing is handed back before the offer is with a peer connection.
            ringing.negotiation.candidate_there(candidate);
        }
        self.call = Some(ringing);
        self.say_ringing();
        // Before the change of state, so that an app which shows the state has the call that it is about.
        self.outputs.push_back(Output::Event(CallEvent::Incoming { from, call: id }));
        self.tell_change();
    }

    pub(super) fn say_ringing(&mut self) {
        self.send(|me, target, call| Message::CallRinging(CallRinging { name: me, target, call }));
    }

    fn on_ringing(&mut self, ringing: &CallRinging) {
        match self.call_of(ringing.name.as_deref(), ringing.call) {
            Some(call) if call.state == CallState::Calling => call.state = CallState::RingingThere,
            Some(_) => {}
            None => self.say_over_if_ended(ringing.name.clone(), ringing.call),
        }
    }

    fn on_media_state(&mut self, message: &MediaStateMessage) {
        match self.call_of(message.name.as_deref(), message.call) {
            Some(call) => call.remote = message.state,
            // They missed our hang-up: their first word after a new login says that they hold the call still.
            None => self.say_over_if_ended(message.name.clone(), message.call),
        }
    }

    /// The call that a message of this name, about this call, belongs to. A message that names its call shows that its sender can.
    /// Only the two of us know the call's identifier: who knows it is the other side, even under a new name.
    pub(super) fn call_of(&mut self, name: Option<&str>, id: Option<CallId>) -> Option<&mut Call> {
        let (call, name) = (self.call.as_mut()?, name?);
        let known = match id {
            Some(id) => id == call.id && self.me.as_deref() != Some(name),
            None => name == call.with,
        };
        if !known {
            return None;
        }
        if name != call.with {
            log::debug!("the other side has another name now");
            name.clone_into(&mut call.with);
        }
        call.names_calls |= id.is_some();
        Some(call)
    }

    /// Tells somebody that a call is over which they still speak of: the hang-up must have been lost.
    pub(super) fn say_over(&mut self, to: String, call: Option<CallId>, reason: HangUpReason) {
        let hang_up = HangUp { name: self.me.clone(), target: Some(to), reason: Some(reason), call };
        self.outputs.push_back(Output::Send(Message::HangUp(hang_up)));
    }

    fn say_over_if_ended(&mut self, to: Option<String>, call: Option<CallId>) {
        if let (Some(to), Some(reason)) = (to, call.and_then(|call| self.strays.why_ended(call))) {
            self.say_over(to, call, reason);
        }
    }

    /// After a change of name: whatever names the call teaches the other side whom to write to.
    fn introduce(&mut self) {
        match self.call.as_ref().map(|call| call.state) {
            Some(CallState::RingingHere) => self.say_ringing(),
            Some(_) => self.send_media_state(),
            None => {}
        }
    }

    /// The server is back: what was on its way when it was lost may not have arrived.
    fn say_again(&mut self, now: Instant) {
        let Some(call) = &self.call else { return };
        if call.said_online {
            if call.is_calling() || (call.state == CallState::Connecting && !call.offerer) {
                self.repeat_description();
            } else if call.state == CallState::Connecting {
                self.repeat_candidates();
            }
        }
        if self.call.as_ref().is_some_and(|call| call.state == CallState::Reconnecting || call.new_network) {
            self.restart_ice(now);
        }
        self.introduce();
    }

    /// Tells the other side what is on here, once the call is answered.
    pub(super) fn send_media_state(&mut self) {
        let Some(call) = &self.call else { return };
        if !call.is_answered() {
            return;
        }
        let state = call.local;
        self.send(|name, target, call| Message::MediaState(MediaStateMessage { name, target, call, state }));
    }

    /// Sends a message of the call: made from our name, the other's, and the call's.
    pub(super) fn send(&mut self, make: impl FnOnce(Option<String>, Option<String>, Option<CallId>) -> Message) {
        if let Some(call) = &self.call {
            let message = make(self.me.clone(), Some(call.with.clone()), Some(call.id));
            self.outputs.push_back(Output::Send(message));
        }
    }

    pub(super) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Does something with the call's peer connection.
    pub(super) fn act(&mut self, action: PeerAction) {
        if let Some(peer) = self.call.as_ref().and_then(|call| call.peer) {
            self.outputs.push_back(Output::Peer { peer, action });
        }
    }

    pub(super) fn create_peer(&mut self, offerer: bool, media: MediaState) {
        self.peers += 1;
        let peer = PeerId(self.peers);
        if let Some(call) = &mut self.call {
            call.peer = Some(peer);
            self.outputs.push_back(Output::Peer { peer, action: PeerAction::Create { offerer, media } });
        }
    }

    /// Tells the app where the call stands, if that changed.
    pub(super) fn tell_change(&mut self) {
        let now = self.snapshot();
        let idle_from_the_start = self.told.is_none() && now.state == CallState::Idle;
        if self.told.as_ref() != Some(&now) && !idle_from_the_start {
            self.told = Some(now.clone());
            self.outputs.push_back(Output::Event(CallEvent::Changed(now)));
        }
    }
}
