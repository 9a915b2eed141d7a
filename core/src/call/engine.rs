//! The engine: its inputs and outputs, and the commands of the app.

use super::history::CallHistory;
use super::offer_answer::push_bounded;
use super::state::{Call, MAX_DEFERRED, SdpSession};
use super::types::{
    CONNECT_TIMEOUT, CallError, CallEvent, CallSnapshot, CallState, Command, EndReason, MEDIA_STATE_GAP, Output,
    PeerAction, PeerId, PeerReport, RING_TIMEOUT,
};
use crate::signaling::message::{
    CallId, CallPushed, CallRinging, HangUp, HangUpReason, MediaState, MediaStateMessage, Message, SessionDescription,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One person's calls: one, or two of which one waits or is on hold. See the [module](super) for the rules.
pub struct CallEngine {
    /// The local user's name, after the first login.
    pub(super) me: Option<String>,
    /// Whether the server is reachable.
    pub(super) online: bool,
    /// The call in front.
    pub(super) call: Option<Call>,
    /// The one behind it, which waits or is on hold.
    pub(super) behind: Option<Call>,
    /// Whether the two have changed places, for as long as something of the call behind is dealt with.
    pub(super) swapped: bool,
    pub(super) call_waiting: bool,
    pub(super) history: CallHistory,
    pub(super) ring_timeout: Duration,
    /// Who is not in the user list, but can be rung by push.
    away: Vec<String>,
    peers: u64,
    new_id: Box<dyn FnMut() -> CallId + Send>,
    outputs: VecDeque<Output>,
    last_snapshot: Option<CallSnapshot>,
}

impl Default for CallEngine {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether `me` is the polite peer of perfect negotiation: the one whose name is smaller, compared as UTF-8 bytes.
pub fn is_polite(me: &str, other: &str) -> bool {
    me.as_bytes() < other.as_bytes()
}

impl CallEngine {
    /// An engine that is idle and not logged in.
    pub fn new() -> Self {
        Self::with(RING_TIMEOUT, CallId::random)
    }

    /// An engine with this ringing timeout, whose call identifiers are made by `new_id`.
    pub fn with(ring_timeout: Duration, new_id: impl FnMut() -> CallId + Send + 'static) -> Self {
        Self {
            me: None,
            online: false,
            call: None,
            behind: None,
            swapped: false,
            call_waiting: false,
            history: CallHistory::default(),
            ring_timeout,
            away: Vec::new(),
            peers: 0,
            new_id: Box::new(new_id),
            outputs: VecDeque::new(),
            last_snapshot: None,
        }
    }

    /// Logged in, for the first time or again. Messages that may have been lost with the last connection are sent again.
    pub fn logged_in(&mut self, now: Instant, name: &str) {
        self.me = Some(name.to_owned());
        self.online = true;
        self.in_each(|engine| engine.resend_unconfirmed(now));
        self.emit_change();
    }

    /// The server assigned another name. Before the login there is nobody to announce it to.
    pub fn renamed(&mut self, name: &str) {
        self.me = Some(name.to_owned());
        if self.online {
            self.in_each(|engine| engine.announce_name());
        }
        self.emit_change();
    }

    /// The server is not reachable. The call goes on; the signaling client sends messages when the server is back.
    pub fn signaling_lost(&mut self, _: Instant) {
        self.online = false;
    }

    /// This device has another network: ICE is restarted as soon as the server can be told, without waiting until the old path is
    /// known to be dead, and by this side whoever called. A call that is not answered yet is restarted when it is.
    pub fn network_changed(&mut self, now: Instant) {
        self.in_each(|engine| engine.restart_on_new_network(now));
        self.emit_change();
    }

    fn restart_on_new_network(&mut self, now: Instant) {
        let Some(call) = self.call.as_mut().filter(|call| call.peer.is_some()) else { return };
        call.new_network = true;
        (call.restarts, call.restart_at) = (0, call.restart_at.map(|_| now));
        if self.online && call.offer_answer.is_negotiated() {
            self.restart_ice(now);
        }
    }

    /// This message cannot be sent at all, because it is too long, say. A call that cannot begin without it is over.
    pub fn not_sent(&mut self, _: Instant, message: &Message) {
        let call = message.of_call().1;
        let is_behind = call.is_some() && self.behind.as_ref().map(|behind| behind.id) == call;
        self.in_either(is_behind, |engine| engine.on_not_sent(message));
        self.emit_change();
    }

    fn on_not_sent(&mut self, message: &Message) {
        if let Message::VideoOffer(description) | Message::VideoAnswer(description) = message
            && let Some(call) = &self.call
            && description.call == Some(call.id)
            && !matches!(call.state, CallState::Connected | CallState::Reconnecting)
        {
            log::warn!("a description of the call could not be sent");
            self.end(EndReason::NegotiationFailed, Some(HangUpReason::NegotiationFailed));
        }
    }

    /// Executes a command of the app.
    ///
    /// # Errors
    /// [`CallError`] with the reason for the refusal; the call, if there is one, goes on.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<(), CallError> {
        let result = match command {
            Command::Decline if self.waits() => {
                let mut result = Ok(());
                self.in_behind(|engine| result = engine.decline());
                result
            }
            Command::SetMicrophone(on) => self.set_media_of_each(now, |media| media.audio = on),
            Command::SetCamera(on) => self.set_media_of_each(now, |media| media.video = on),
            Command::SetFacing(facing) => self.set_media_of_each(now, |media| media.facing = Some(facing)),
            Command::HoldAndAccept { media } => self.hold_and_accept(now, media),
            Command::EndAndAccept { media } => self.end_and_accept(now, media),
            Command::Swap => self.swap(now),
            command => self.command_in_front(now, command),
        };
        self.settle();
        self.emit_change();
        result
    }

    /// One that concerns a single call.
    pub(super) fn command_in_front(&mut self, now: Instant, command: Command) -> Result<(), CallError> {
        match command {
            Command::Call { to, media } => self.place(now, to, media),
            Command::Accept { media } => self.accept(now, media),
            Command::Decline => self.decline(),
            Command::HangUp => self.hang_up(),
            Command::SetHeld(on) => self.set_held(now, on),
            Command::SetScreen(on) => self.set_screen(now, on),
            _ => Err(self.call.as_ref().map_or(CallError::NoCall, |call| CallError::WrongState(call.state))),
        }
    }

    /// Camera and microphone are those of the person, in whichever call.
    fn set_media_of_each(&mut self, now: Instant, change: impl Fn(&mut MediaState)) -> Result<(), CallError> {
        self.in_behind(|engine| drop(engine.set_media(now, &change)));
        self.set_media(now, &change)
    }

    /// A message was received from the server. Those that are not about calls are ignored.
    pub fn message(&mut self, now: Instant, message: Message) {
        let is_behind = self.is_for_behind(&message);
        self.in_either(is_behind, |engine| engine.on_message(now, message));
        self.emit_change();
    }

    fn on_message(&mut self, now: Instant, message: Message) {
        if let Some(call) = &mut self.call
            && call.defers(self.me.as_deref(), &message)
        {
            return push_bounded(&mut call.deferred, message, MAX_DEFERRED);
        }
        match message {
            Message::VideoOffer(offer) => self.on_offer(now, offer),
            Message::VideoAnswer(answer) => self.on_answer(now, answer),
            Message::NewIceCandidate(candidate) => self.on_candidate(candidate),
            Message::HangUp(hang_up) => self.on_hang_up(&hang_up),
            Message::CallRinging(ringing) => self.on_ringing(&ringing),
            Message::CallPushed(pushed) => self.on_pushed(&pushed),
            Message::MediaState(state) => self.on_media_state(&state),
            Message::Error(error) => self.on_server_error(&error),
            _ => {}
        }
    }

    /// Who is not in the user list, but can be rung by push; to be told before the user list that goes with it.
    pub fn away(&mut self, names: &[String]) {
        self.away = names.to_vec();
    }

    /// The user list changed. A user who left it cannot answer any more, unless the server rings them by push; an answered call does not
    /// need the server. A user who returns may have missed messages.
    pub fn users(&mut self, now: Instant, users: &[String]) {
        self.in_each(|engine| engine.on_users(now, users));
        self.emit_change();
    }

    fn on_users(&mut self, now: Instant, users: &[String]) {
        let Some(call) = &mut self.call else { return };
        let was_offline = std::mem::replace(&mut call.peer_offline, !users.contains(&call.with));
        for message in std::mem::take(&mut call.deferred) {
            let Some(call) = &self.call else { return };
            // While the remote user's name is still there, it is somebody else's.
            let is_theirs = message
                .of_call()
                .0
                .is_some_and(|name| name == call.with || (call.peer_offline && users.iter().any(|user| user == name)));
            if is_theirs {
                self.on_message(now, message);
            }
        }
        let Some(call) = &mut self.call else { return };
        // Who was rung by push is handed the offer by the server.
        let pushed = call.state == CallState::RingingByPush
            || (call.state == CallState::Calling && self.away.contains(&call.with));
        if was_offline && !call.peer_offline && !pushed {
            self.resend_unconfirmed(now);
        } else if call.peer_offline {
            let id = call.id;
            if call.is_calling() && pushed {
                log::debug!("the callee is not here, but can be rung by push");
            } else if call.is_calling() {
                self.end(EndReason::Unreachable, None);
            } else if call.state == CallState::RingingLocally {
                self.end(EndReason::CancelledRemotely, None);
                // A caller who returns repeats the offer, and then it rings again.
                self.history.remove_ended(id);
            }
        }
    }

    /// A report of a peer connection. Reports of earlier peer connections are dropped.
    pub fn report(&mut self, now: Instant, peer: PeerId, report: PeerReport) {
        let is_behind = self.behind.as_ref().is_some_and(|behind| behind.peer == Some(peer));
        self.in_either(is_behind, |engine| engine.on_report(now, peer, report));
        self.emit_change();
    }

    fn on_report(&mut self, now: Instant, peer: PeerId, report: PeerReport) {
        if self.call.as_ref().and_then(|call| call.peer) != Some(peer) {
            return;
        }
        match report {
            PeerReport::LocalDescription(description) => self.on_local_description(description),
            PeerReport::AnswerApplied => self.on_answer_applied(now),
            PeerReport::NegotiationFailed(why) => self.on_negotiation_failed(EndReason::NegotiationFailed, &why),
            PeerReport::NoCommonCodec => self.on_negotiation_failed(EndReason::NoCommonCodec, "no common codec"),
            PeerReport::NoPath(search) => self.on_no_path(search),
            PeerReport::HandshakeFailed => self.on_handshake_failed(),
            PeerReport::Candidate(candidate) => self.on_local_candidate(candidate),
            PeerReport::Connection(state) => self.on_connection(now, state),
            PeerReport::MediaFailed(why) => {
                log::warn!("camera or microphone: {why}");
                self.end(EndReason::MediaFailedLocally, Some(HangUpReason::MediaError));
            }
        }
    }

    /// Handles timeouts that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.in_each(|engine| engine.on_timeout(now));
        self.emit_change();
    }

    fn on_timeout(&mut self, now: Instant) {
        let Some(call) = &self.call else { return };
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let (deadline, restart_at) = (call.deadline, call.restart_at);
        if due(call.tell_media_at) {
            self.tell_media(now);
        }
        let Some(call) = &self.call else { return };
        if due(deadline) {
            if call.is_answered() {
                let reason = call.connection_failure();
                self.end(reason, Some(HangUpReason::Failed));
            } else {
                self.end(EndReason::Timeout, Some(HangUpReason::Timeout));
            }
        } else if due(restart_at) {
            self.restart_ice(now);
        }
    }

    /// The next output; `None` when there are no more.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The peer connection of the call in front.
    pub fn peer(&self) -> Option<PeerId> {
        self.call.as_ref()?.peer
    }

    /// When to call [`CallEngine::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let calls = [&self.call, &self.behind].into_iter().flatten();
        calls.flat_map(|call| [call.deadline, call.restart_at, call.tell_media_at]).flatten().min()
    }

    /// The call's identifier in messages.
    #[cfg(test)]
    pub(super) fn call_in_messages(&self) -> Option<CallId> {
        self.call.as_ref().map(|call| call.id)
    }

    /// The state of the call.
    pub fn snapshot(&self) -> CallSnapshot {
        let (front, behind) = self.in_their_places();
        match front.as_ref().or(behind.as_ref()) {
            Some(call) => CallSnapshot {
                state: call.state,
                with: Some(call.with.clone()),
                call: Some(call.app_id),
                local: call.local,
                remote: call.remote,
                other: self.other(),
            },
            None => CallSnapshot {
                state: CallState::Idle,
                with: None,
                call: None,
                local: MediaState::default(),
                remote: MediaState::default(),
                other: None,
            },
        }
    }

    fn place(&mut self, now: Instant, to: String, media: MediaState) -> Result<(), CallError> {
        if let Some(call) = self.call.as_ref().filter(|_| !self.can_place_second(&to)) {
            return Err(CallError::InCall { with: call.with.clone() });
        }
        let me = match &self.me {
            Some(me) if *me == to => return Err(CallError::SelfCall),
            Some(me) if self.online => me,
            _ => return Err(CallError::NotLoggedIn),
        };
        if to.is_empty() {
            // An old server would send the offer to everyone.
            return Err(CallError::Nobody);
        }
        let id = (self.new_id)();
        let me = me.clone();
        self.move_front_behind();
        let mut call = Call::new(id, &me, to, CallState::Calling, now.checked_add(self.ring_timeout));
        call.offerer = true;
        call.local = media;
        call.offer_answer.request_offer(false);
        self.call = Some(call);
        self.create_peer(true, media, None);
        self.negotiate();
        Ok(())
    }

    pub(super) fn accept(&mut self, now: Instant, media: MediaState) -> Result<(), CallError> {
        if let Some(call) = self.call.as_ref().filter(|_| self.waits()) {
            return Err(CallError::InCall { with: call.with.clone() });
        }
        let call = self.call_in(CallState::RingingLocally)?;
        let Some(offer) = call.offer.take() else { return Err(CallError::WrongState(call.state)) };
        call.local = media;
        self.answer_call(now, offer);
        Ok(())
    }

    /// Answers the call's first offer on a new peer connection.
    pub(super) fn answer_call(&mut self, now: Instant, offer: SessionDescription) {
        let Some(call) = &mut self.call else { return };
        call.state = CallState::Connecting;
        call.offerer = false;
        call.deadline = Some(now + CONNECT_TIMEOUT);
        let media = call.local;
        self.create_peer(false, media, None);
        if let Some(call) = &mut self.call {
            call.session = SdpSession::of(&offer);
            call.recognize(&offer);
            call.offer_answer.receive(&offer);
            call.offer_answer.accept_offer(offer);
        }
        self.negotiate();
    }

    fn decline(&mut self) -> Result<(), CallError> {
        self.call_in(CallState::RingingLocally)?;
        self.end(EndReason::DeclinedLocally, Some(HangUpReason::Declined));
        Ok(())
    }

    fn hang_up(&mut self) -> Result<(), CallError> {
        let (reason, wire) = match self.call.as_ref().ok_or(CallError::NoCall)?.state {
            CallState::RingingLocally => (EndReason::DeclinedLocally, HangUpReason::Declined),
            CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush => {
                (EndReason::CancelledLocally, HangUpReason::Cancelled)
            }
            _ => (EndReason::HungUpLocally, HangUpReason::Ended),
        };
        self.end(reason, Some(wire));
        Ok(())
    }

    fn set_media(&mut self, now: Instant, change: impl FnOnce(&mut MediaState)) -> Result<(), CallError> {
        let call = self.call.as_mut().ok_or(CallError::NoCall)?;
        let before = call.local;
        change(&mut call.local);
        let (media, told) = (call.local, call.media_told);
        let devices = |media: MediaState| (media.audio, media.video, media.screen, media.held);
        if devices(media) != devices(before) && call.peer.is_some() {
            self.act(PeerAction::SetMedia(media));
        }
        if media.sent() == before.sent() {
            return Ok(());
        }
        // Somebody who presses a button as fast as they can must not use up what the server takes of them.
        match told.and_then(|told| told.checked_add(MEDIA_STATE_GAP)).filter(|next| *next > now) {
            Some(next) => {
                if let Some(call) = &mut self.call {
                    call.tell_media_at = Some(next);
                }
            }
            None => self.tell_media(now),
        }
        Ok(())
    }

    /// A call can be put on hold once it is accepted.
    pub(super) fn set_held(&mut self, now: Instant, on: bool) -> Result<(), CallError> {
        self.call.as_ref().ok_or(CallError::NoCall)?.check_answered()?;
        self.set_media(now, |media| media.held = on)
    }

    /// So can a screen be shared in it.
    fn set_screen(&mut self, now: Instant, on: bool) -> Result<(), CallError> {
        self.call.as_ref().ok_or(CallError::NoCall)?.check_answered()?;
        self.set_media(now, |media| media.screen = on)
    }

    /// Tells the other side of a change.
    fn tell_media(&mut self, now: Instant) {
        if let Some(call) = &mut self.call {
            (call.media_told, call.tell_media_at) = (Some(now), None);
        }
        self.send_media_state();
    }

    fn call_in(&mut self, state: CallState) -> Result<&mut Call, CallError> {
        let call = self.call.as_mut().ok_or(CallError::NoCall)?;
        if call.state == state { Ok(call) } else { Err(CallError::WrongState(call.state)) }
    }

    /// Starts an incoming call, behind the one that goes on, if there is one.
    pub(super) fn ring(&mut self, now: Instant, from: String, call: Option<CallId>, offer: SessionDescription) {
        self.settle();
        if self.in_their_places().0.as_ref().is_some_and(|front| !front.is_answered()) {
            // Whoever else called before it came is still to be answered.
            return self.send_hang_up(from, call, HangUpReason::Busy);
        }
        if self.call.is_some() {
            self.begin_behind(|engine| engine.ring_here(now, from, call, offer));
        } else {
            self.ring_here(now, from, call, offer);
        }
    }

    fn ring_here(&mut self, now: Instant, from: String, call: Option<CallId>, offer: SessionDescription) {
        let id = call.unwrap_or_else(|| (self.new_id)());
        let deadline = now.checked_add(self.ring_timeout);
        let me = self.me.as_deref().unwrap_or_default();
        let mut ringing = Call::new(id, me, from.clone(), CallState::RingingLocally, deadline);
        ringing.sends_call_ids = call.is_some();
        ringing.session = SdpSession::of(&offer);
        ringing.offer = Some(offer);
        for candidate in self.history.take_candidates(&from, id) {
            // These are queued until the offer is given to a peer connection.
            ringing.offer_answer.on_remote_candidate(candidate);
        }
        self.call = Some(ringing);
        self.send_ringing();
        // Before the change of state, so that the app knows the call when it shows the state.
        let event = match self.behind {
            Some(_) => CallEvent::Waiting { from, call: id },
            None => CallEvent::Incoming { from, call: id },
        };
        self.outputs.push_back(Output::Event(event));
        self.emit_change();
    }

    pub(super) fn send_ringing(&mut self) {
        self.send(|me, target, call| Message::CallRinging(CallRinging { name: me, target, call }));
    }

    fn on_ringing(&mut self, ringing: &CallRinging) {
        match self.matching_call(ringing.name.as_deref(), ringing.call) {
            Some(call) if matches!(call.state, CallState::Calling | CallState::RingingByPush) => {
                call.state = CallState::RingingRemotely;
            }
            Some(_) => {}
            None => self.send_hang_up_if_ended(ringing.name.clone(), ringing.call),
        }
    }

    /// Nobody is there, but a device is rung: whoever is called comes into the user list when it has woken up.
    fn on_pushed(&mut self, pushed: &CallPushed) {
        let Some(call) = &mut self.call else { return };
        let about_it = match pushed.call {
            Some(id) => id == call.id,
            None => pushed.target.as_deref() == Some(call.with.as_str()),
        };
        if about_it && call.state == CallState::Calling {
            call.state = CallState::RingingByPush;
        }
    }

    fn on_media_state(&mut self, message: &MediaStateMessage) {
        match self.matching_call(message.name.as_deref(), message.call) {
            // Whoever holds sends nothing, whatever else they say; and whoever sends no picture, no screen either.
            Some(call) => {
                let state = message.state;
                call.remote = MediaState { screen: state.screen && state.video, ..state }.sent();
            }
            // The remote peer missed the hang-up: its first message after a new login shows that it still has the call.
            None => self.send_hang_up_if_ended(message.name.clone(), message.call),
        }
    }

    /// The current call, if a message with this sender and call identifier belongs to it. That of another sender than the remote user
    /// does only when nobody has the remote user's name any more: it is the new one. A call identifier also shows that the peer sends them.
    pub(super) fn matching_call(&mut self, name: Option<&str>, id: Option<CallId>) -> Option<&mut Call> {
        let (call, name) = (self.call.as_mut()?, name?);
        let known = match id {
            Some(id) => id == call.id && (name == call.with || (call.peer_offline && self.me.as_deref() != Some(name))),
            None => name == call.with,
        };
        if !known {
            return None;
        }
        if name != call.with {
            log::debug!("the remote user has another name now");
            name.clone_into(&mut call.with);
            call.peer_offline = false;
        }
        call.sends_call_ids |= id.is_some();
        Some(call)
    }

    /// Sends `hang-up` about a call other than the current one: to a peer that missed its end, or to refuse it.
    pub(super) fn send_hang_up(&mut self, to: String, call: Option<CallId>, reason: HangUpReason) {
        let hang_up = HangUp { name: self.me.clone(), target: Some(to), reason: Some(reason), call };
        self.outputs.push_back(Output::Send(Message::HangUp(hang_up)));
    }

    fn send_hang_up_if_ended(&mut self, to: Option<String>, call: Option<CallId>) {
        if let (Some(to), Some(reason)) = (to, call.and_then(|call| self.history.end_reason(call))) {
            self.send_hang_up(to, call, reason);
        }
    }

    /// Announces a new local name: any message of the call makes the remote peer use it as the target.
    fn announce_name(&mut self) {
        match self.call.as_ref().map(|call| call.state) {
            Some(CallState::RingingLocally) => self.send_ringing(),
            Some(_) => self.send_media_state(),
            None => {}
        }
    }

    /// The server or the remote user is reachable again: repeats what may not have arrived.
    fn resend_unconfirmed(&mut self, now: Instant) {
        let Some(call) = &self.call else { return };
        if call.sent_online {
            if call.is_calling() || (call.state == CallState::Connecting && !call.offerer) {
                self.repeat_description();
            } else if call.state == CallState::Connecting {
                self.repeat_candidates();
            }
        }
        let restart = |call: &Call| {
            call.state == CallState::Reconnecting || (call.new_network && call.offer_answer.is_negotiated())
        };
        if self.call.as_ref().is_some_and(restart) {
            self.restart_ice(now);
        }
        self.announce_name();
    }

    /// Sends the local media state, once the call is answered.
    pub(super) fn send_media_state(&mut self) {
        let Some(call) = &self.call else { return };
        if !call.is_answered() {
            return;
        }
        let state = call.local.sent();
        self.send(|name, target, call| Message::MediaState(MediaStateMessage { name, target, call, state }));
    }

    /// Sends a message of the call, made from the local name, the remote name and the call identifier.
    pub(super) fn send(&mut self, make: impl FnOnce(Option<String>, Option<String>, Option<CallId>) -> Message) {
        if let Some(call) = &self.call {
            let message = make(self.me.clone(), Some(call.with.clone()), Some(call.id));
            self.outputs.push_back(Output::Send(message));
        }
    }

    pub(super) fn push_output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Requests an action of the call's peer connection.
    pub(super) fn act(&mut self, action: PeerAction) {
        if let Some(peer) = self.call.as_ref().and_then(|call| call.peer) {
            self.outputs.push_back(Output::Peer { peer, action });
        }
    }

    /// `keeps_ice_of` is the local description of the connection in whose place it comes, if the remote peer takes no other ICE credentials.
    pub(super) fn create_peer(&mut self, offerer: bool, media: MediaState, keeps_ice_of: Option<SessionDescription>) {
        self.peers += 1;
        let peer = PeerId(self.peers);
        if let Some(call) = &mut self.call {
            call.peer = Some(peer);
            self.outputs.push_back(Output::Peer { peer, action: PeerAction::Create { offerer, media, keeps_ice_of } });
        }
    }

    /// Emits [`CallEvent::Changed`] if the snapshot differs from the last one.
    pub(super) fn emit_change(&mut self) {
        let now = self.snapshot();
        let idle_from_the_start = self.last_snapshot.is_none() && now.state == CallState::Idle;
        if self.last_snapshot.as_ref() != Some(&now) && !idle_from_the_start {
            self.last_snapshot = Some(now.clone());
            self.outputs.push_back(Output::Event(CallEvent::Changed(now)));
        }
    }
}
