//! What the client tells.

use super::banner::{self, Notice, Recovery, Retry, Topic};
use super::calls::{Call, Purpose};
use super::client_news::{ClientNews, CommandKind, ServerPush};
use super::effect::{ClientCommand, Effect};
use super::failure::Failure;
use super::reducer::{App, Now, Session};
use super::state::{CallPhase, Tab};
use super::text::{Message, TextKey};
use crate::call::{CallSnapshot, CallState, EndReason};
use crate::client::{DeviceKind, MediaKind, MissingMedia};
use crate::signaling::message::CallId;

impl App {
    pub(super) fn on_client(&mut self, now: Now, news: ClientNews) {
        let before_login = matches!(
            news,
            ClientNews::DemoStarted { .. }
                | ClientNews::ConnectFailed(_)
                | ClientNews::LoggedIn { .. }
                | ClientNews::Closed(_)
        );
        if !before_login && !self.session.is_logged_in() {
            return;
        }
        match news {
            ClientNews::DemoStarted { server } => {
                if let Session::Starting(session) = self.session {
                    self.demo_started(session, server);
                }
            }
            ClientNews::ConnectFailed(why) => self.connect_failed(now, why),
            ClientNews::LoggedIn { name, push } => self.logged_in(now, name, push),
            ClientNews::Renamed { wanted, name } => self.renamed(now, wanted, name),
            ClientNews::Away(names) => self.away = names,
            ClientNews::Users(names) => {
                self.chat.people(&names, self.me.as_deref(), now.unix_ms);
                self.names = names;
            }
            ClientNews::Chat { from, text, sent_ms } => {
                let own = from.is_some() && from == self.me;
                self.chat.said(from, text, own, sent_ms);
                if !own && self.tab != Tab::Chat {
                    self.unread = self.unread.saturating_add(1);
                }
            }
            ClientNews::Refused(why) => self.tell(Topic::Other, banner::of_refusal(why), None),
            ClientNews::Reconnecting => self.reconnecting(),
            ClientNews::Closed(why) => self.closed(now, why),
            ClientNews::Incoming { from, call } => self.incoming(now, from, call),
            ClientNews::CallPlaced(id) => self.placed(id),
            ClientNews::CallChanged(snapshot) => self.call_changed(now, snapshot),
            ClientNews::NoPathYet(why) => {
                if let Some(call) = self.call.as_ref().filter(|call| call.phase == CallPhase::Connecting) {
                    let notice = banner::of_path(why, &call.with);
                    self.tell(Topic::Path, notice, None);
                }
            }
            ClientNews::Missing { kind, why } => self.missing(kind, why),
            ClientNews::CallEnded { with, call, reason } => self.call_ended(now, &with, call, reason),
            ClientNews::CommandFailed { command, why } => self.command_failed(now, command, why),
            ClientNews::CameraOpened(facing) => {
                if let Some(call) = &mut self.call {
                    call.facing = facing;
                }
            }
            ClientNews::PhotoTaken(jpeg) => self.push(Effect::SavePhoto(jpeg)),
            ClientNews::Measured { call, lines } => {
                if self.call.as_ref().is_some_and(|known| known.id == call) {
                    self.statistics = lines;
                }
            }
            ClientNews::Quality(quality) => {
                if let Some(call) = &mut self.call {
                    call.quality = quality;
                }
            }
            ClientNews::Verification(verification) => self.verification_changed(verification),
            ClientNews::Remember(person) => self.remember(person),
            ClientNews::Dtmf(tone) => self.heard_tone(tone),
            ClientNews::Text(event) => self.on_text(now, event),
            ClientNews::TextTaken { line, text } => self.text_taken(line, text),
            ClientNews::DeviceFailed { device, why } => self.device_failed(device, why),
        }
    }

    fn connect_failed(&mut self, now: Now, why: Failure) {
        if self.session.is_logged_in() {
            return;
        }
        let retry = if self.demo { Retry::Demo } else { Retry::SignIn };
        // A call that a push told of rings on: the network may come back in its time.
        self.session = Session::None;
        self.demo = false;
        self.banners.expire(now.at);
        self.tell(Topic::Server, banner::of_login(why), Some(retry));
    }

    fn logged_in(&mut self, now: Now, name: String, push: Option<ServerPush>) {
        let (Session::Connecting(session) | Session::Online(session) | Session::Reconnecting(session)) = self.session
        else {
            return;
        };
        let first = !self.session.is_logged_in();
        let was_lost = matches!(self.session, Session::Reconnecting(_));
        self.session = Session::Online(session);
        self.me = Some(name);
        self.banners.clear(Topic::Server);
        if was_lost {
            self.banners.mention(now.at, Topic::Server, TextKey::ServerBack);
        }
        if !first {
            return;
        }
        self.keep_sign_in();
        self.block_all();
        self.ask_for_push(push);
        let missing = self.permissions().missing_to_be_called();
        if missing.is_empty() || !self.visibility.is_foreground() || self.question.is_some() {
            self.hint_permissions();
        } else {
            self.ask(missing, Purpose::ToBeCalled);
        }
    }

    fn renamed(&mut self, now: Now, wanted: String, name: String) {
        let message =
            Message { key: TextKey::ChatRenamed, arguments: vec![("wanted", wanted), ("name", name.clone())] };
        self.chat.event(message.clone(), now.unix_ms);
        self.tell(Topic::Other, Notice::new(message, &[Recovery::Dismiss]), None);
        self.me = Some(name);
    }

    fn reconnecting(&mut self) {
        let Some(session) = self.session.id().filter(|_| self.session.is_logged_in()) else { return };
        let was_online = self.session == Session::Online(session);
        self.session = Session::Reconnecting(session);
        if was_online {
            let key = if self.call.is_some() { TextKey::ServerLostInCall } else { TextKey::ServerLost };
            self.tell(Topic::Server, Notice::new(key, &[Recovery::Dismiss]), None);
        }
    }

    fn closed(&mut self, now: Now, why: Option<Failure>) {
        let retry = if self.demo { Retry::Demo } else { Retry::SignIn };
        self.leave(now, EndReason::ConnectionFailed);
        if let Some(why) = why {
            self.tell(Topic::Server, banner::of_login(why), Some(retry));
        }
    }

    fn placed(&mut self, id: CallId) {
        if let Some(call) = self.call.as_mut().filter(|call| call.outgoing && call.id.is_none()) {
            (call.id, call.system_id) = (Some(id), Some(id));
        } else if self.call.as_ref().is_none_or(|call| call.id != Some(id)) && !self.system_calls.is_over(id) {
            // It was given up before it had a name.
            self.command(ClientCommand::HangUp(Some(id)));
        }
    }

    fn call_changed(&mut self, now: Now, snapshot: CallSnapshot) {
        let CallSnapshot { state, with: Some(with), call: Some(id), remote, local, .. } = snapshot else { return };
        let phase = match state {
            CallState::Idle => return,
            CallState::Calling => CallPhase::Calling,
            CallState::RingingRemotely => CallPhase::RingingRemotely,
            CallState::RingingByPush => CallPhase::RingingByPush,
            CallState::RingingLocally => CallPhase::Ringing,
            CallState::Connecting => CallPhase::Connecting,
            CallState::Connected => CallPhase::Connected,
            CallState::Reconnecting => CallPhase::Reconnecting,
        };
        if let Some(call) = self.call.as_mut().filter(|call| call.outgoing && call.id.is_none() && call.with == with) {
            // The client's news may be faster than its answer.
            (call.id, call.system_id) = (Some(id), Some(id));
        }
        let Some(call) = self.call.as_mut().filter(|call| call.id == Some(id)) else {
            // A call that nobody sees is not to go on. One that rings here is told on its own.
            if phase != CallPhase::Ringing && !self.system_calls.is_over(id) {
                self.command(ClientCommand::HangUp(Some(id)));
            }
            return;
        };
        call.with = with;
        (call.remote_microphone, call.remote_video, call.remote_held) = (remote.audio, remote.video, remote.held);
        call.facing = local.facing.or(call.facing);
        if call.ending.is_none() {
            call.phase = phase;
        }
        if phase != CallPhase::Connected {
            return;
        }
        let first = call.connected.is_none();
        call.connected.get_or_insert((now.at, now.unix_ms));
        self.banners.clear(Topic::Path);
        if first {
            self.mention_metered();
            self.mention_heat();
        }
    }

    /// What of the other side does not come.
    fn missing(&mut self, kind: MediaKind, why: Option<MissingMedia>) {
        let topic = match kind {
            MediaKind::Audio => Topic::RemoteAudio,
            MediaKind::Video => Topic::RemoteVideo,
        };
        match (why, self.call.as_ref().filter(|call| call.uses_devices())) {
            (Some(why), Some(call)) => {
                let notice = banner::of_missing(kind, why, &call.with);
                self.tell(topic, notice, None);
            }
            _ => self.banners.clear(topic),
        }
    }

    fn call_ended(&mut self, now: Now, with: &str, id: CallId, reason: EndReason) {
        let is_call = |call: &Call| call.id == Some(id) || (call.id.is_none() && call.with == with);
        if self.call.as_ref().is_some_and(is_call) {
            if let Some(call) = &mut self.call {
                call.id = Some(id);
            }
            return self.call_is_over(now, reason, true);
        }
        if self.announced.as_ref().is_some_and(|announced| announced.id == id) {
            self.drop_announced(now, reason != EndReason::AnsweredElsewhere);
        }
        self.system_calls.record_over(id);
    }

    fn command_failed(&mut self, now: Now, command: CommandKind, why: Failure) {
        match command {
            CommandKind::Call | CommandKind::Accept | CommandKind::End => self.call_command_failed(now, command, why),
            CommandKind::SetCamera => self.device_failed(DeviceKind::Camera, why),
            CommandKind::FlipCamera => {
                if let Some(call) = self.call.as_mut().filter(|_| why == Failure::Overconstrained) {
                    call.can_flip = false;
                }
                self.refused_in_call(why);
            }
            CommandKind::TakePhoto => self.refused_in_call(why),
            // The call is over, which is told.
            CommandKind::SetHeld => {}
            // The session is over, which is told anyway.
            CommandKind::Other if why == Failure::NotLoggedIn => {}
            CommandKind::Other => self.tell(Topic::Other, banner::of_refusal(why), None),
        }
    }

    /// It may have ended while the person pressed the button: its end is told anyway.
    fn refused_in_call(&mut self, why: Failure) {
        if self.call.is_some() {
            self.tell(Topic::Other, banner::of_refusal(why), None);
        }
    }

    fn device_failed(&mut self, device: DeviceKind, why: Failure) {
        if self.call.is_none() {
            return;
        }
        let (topic, notice) = banner::of_device(device, why);
        let retry = match device {
            DeviceKind::Camera => {
                self.camera.failed();
                Retry::Camera
            }
            DeviceKind::Microphone | DeviceKind::Speaker => Retry::Microphone,
        };
        self.tell(topic, notice, Some(retry));
    }
}
