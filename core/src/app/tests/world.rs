//! An app with a client, a system and a time that are not real, and what must hold after each action.

use crate::app::{
    Action, App, AppConfig, CallPhase, CallService, ClientCommand, ClientNews, CommandKind, Effect, Failure, Now,
    PermissionStatus, Permissions, Recovery, ServerPush, SystemAction, SystemCallEffect, SystemCallNews, TextKey,
    Token, UserAction,
};
use crate::call::{CallSnapshot, CallState, EndReason};
use crate::security::RememberedPerson;
use crate::signaling::message::{CallId, MediaState, PushPlatform, PushedCall, PushedKind};
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

pub(super) const ME: &str = "ana";
pub(super) const PEER: &str = "bia";

pub(super) const GRANTED: Permissions = Permissions {
    camera: PermissionStatus::Granted,
    microphone: PermissionStatus::Granted,
    notifications: PermissionStatus::Granted,
    full_screen_intent: PermissionStatus::Granted,
};

/// A call as a client has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClientCall {
    pub(super) id: CallId,
    pub(super) with: String,
    pub(super) state: CallState,
}

/// How a server can ring devices.
pub(super) fn server_push() -> ServerPush {
    ServerPush { platforms: vec![PushPlatform::Fcm, PushPlatform::Apns], application_server_key: None }
}

fn client_command(effect: &Effect) -> Option<&ClientCommand> {
    match effect {
        Effect::Client(command) => Some(command),
        _ => None,
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) app: App,
    pub(super) now: Now,
    /// What the last action had done.
    pub(super) effects: Vec<Effect>,
    /// The question that is open, if one is.
    pub(super) question: Option<u64>,
    pub(super) permissions: Permissions,
    // The client.
    pub(super) session: Option<u64>,
    pub(super) call: Option<ClientCall>,
    pub(super) microphone: bool,
    pub(super) camera: bool,
    /// News on its way to the app.
    pub(super) news: VecDeque<(u64, ClientNews)>,
    /// What the next command that can fail does.
    pub(super) fails: Option<Failure>,
    // The system.
    pub(super) reported: Option<CallId>,
    pub(super) ring: bool,
    pub(super) vibrate: bool,
    pub(super) ringback: bool,
    pub(super) silent: bool,
    pub(super) proximity: bool,
    pub(super) screen_on: bool,
    pub(super) over_lock: bool,
    pub(super) audio: bool,
    pub(super) service: Option<CallService>,
    /// Of whom the client hears nothing.
    pub(super) blocked: BTreeSet<String>,
    /// Whom the client knows.
    pub(super) remembered: Vec<RememberedPerson>,
}

impl World {
    /// An app that has begun, with everything allowed.
    pub(super) fn new(config: AppConfig) -> Self {
        let mut world = Self {
            app: App::new(config),
            now: Now { at: Instant::now(), unix_ms: 1_800_000_000_000 },
            effects: Vec::new(),
            question: None,
            permissions: GRANTED,
            session: None,
            call: None,
            microphone: true,
            camera: true,
            news: VecDeque::new(),
            fails: None,
            reported: None,
            ring: false,
            vibrate: false,
            ringback: false,
            silent: false,
            proximity: false,
            screen_on: false,
            over_lock: false,
            audio: false,
            service: None,
            blocked: BTreeSet::new(),
            remembered: Vec::new(),
        };
        world.system(SystemAction::Started {
            saved: None,
            history: None,
            blocked: None,
            remembered: None,
            permissions: GRANTED,
        });
        world
    }

    /// One that is logged in, with [`PEER`] there.
    pub(super) fn online() -> Self {
        let mut world = Self::new(AppConfig { demo: true, ..AppConfig::default() });
        world.sign_in();
        world.deliver();
        let session = world.session.unwrap();
        world.news.push_back((session, ClientNews::Users(vec![ME.to_owned(), PEER.to_owned()])));
        world.deliver();
        world
    }

    /// One that is logged in by a token, which alone lets a device be rung by push.
    pub(super) fn online_with_token() -> Self {
        let mut world = Self::new(AppConfig::default());
        let (server, name) = ("wss://call.example.org".to_owned(), ME.to_owned());
        world.user(UserAction::SignIn { server, name, token: Some(Token("token".to_owned())) });
        world.deliver();
        world
    }

    pub(super) fn sign_in(&mut self) {
        let (server, name) = ("wss://call.example.org".to_owned(), ME.to_owned());
        self.user(UserAction::SignIn { server, name, token: None });
    }

    /// One in a call with [`PEER`], placed here.
    pub(super) fn connected() -> Self {
        let mut world = Self::online();
        world.user(UserAction::Call { to: PEER.to_owned(), video: true });
        world.deliver();
        for state in [CallState::RingingRemotely, CallState::Connecting, CallState::Connected] {
            world.peer(state);
            world.deliver();
        }
        assert_eq!(world.phase(), Some(CallPhase::Connected));
        world
    }

    /// One where [`PEER`] calls.
    pub(super) fn ringing() -> Self {
        let mut world = Self::online();
        world.rings(PEER);
        world.deliver();
        world
    }

    pub(super) fn user(&mut self, action: UserAction) {
        self.act(Action::User(action));
    }

    pub(super) fn system(&mut self, action: SystemAction) {
        self.act(Action::System(action));
    }

    pub(super) fn client(&mut self, news: ClientNews) {
        let session = self.session.unwrap_or_default();
        self.act(Action::Client { session, news });
    }

    /// Lets so much time pass, with a tick where the app wants one.
    pub(super) fn wait(&mut self, time: Duration) {
        self.now.at += time;
        self.now.unix_ms += time.as_millis() as u64;
        self.act(Action::Tick);
    }

    /// All news that is on its way.
    pub(super) fn deliver(&mut self) {
        while self.deliver_one() {}
    }

    pub(super) fn deliver_one(&mut self) -> bool {
        let next = self.news.pop_front();
        let is_news = next.is_some();
        if let Some((session, news)) = next {
            self.act(Action::Client { session, news });
        }
        is_news
    }

    /// A push about this call comes, sent just now.
    pub(super) fn pushed(&mut self, kind: PushedKind, call: CallId) {
        let (from, room, sent) = (PEER.to_owned(), String::new(), self.now.unix_ms);
        self.system(SystemAction::PushReceived(Some(PushedCall { kind, call, from, room, sent })));
    }

    /// The person answers the system's question.
    pub(super) fn answer(&mut self, permissions: Permissions) {
        self.permissions = permissions;
        let request = self.question.take().unwrap_or_default();
        self.system(SystemAction::PermissionsAnswered { request, permissions });
    }

    /// Presses the button of the banner that says this.
    pub(super) fn recover(&mut self, key: TextKey, recovery: Recovery) {
        let banners = &self.app.state().banners;
        let banner = banners.iter().find(|banner| banner.message.key == key).unwrap_or_else(|| panic!("{banners:?}"));
        self.user(UserAction::Recover { banner: banner.id, recovery });
    }

    pub(super) fn phase(&self) -> Option<CallPhase> {
        self.app.state().call.as_ref().map(|call| call.phase)
    }

    pub(super) fn told(&self) -> Vec<TextKey> {
        self.app.state().banners.iter().map(|banner| banner.message.key).collect()
    }

    pub(super) fn commands(&self) -> Vec<&ClientCommand> {
        self.effects.iter().filter_map(client_command).collect()
    }

    /// Somebody calls, if the client is free.
    pub(super) fn rings(&mut self, from: &str) {
        // Nobody reaches who is not logged in.
        let free = self.call.is_none() && self.app.state().me.is_some();
        let Some(session) = self.session.filter(|_| free) else { return };
        let id = CallId::random();
        self.call = Some(ClientCall { id, with: from.to_owned(), state: CallState::RingingLocally });
        self.news.push_back((session, ClientNews::Incoming { from: from.to_owned(), call: id }));
        self.tell_call();
    }

    /// The call is this far at the other end.
    pub(super) fn peer(&mut self, state: CallState) {
        if let Some(call) = &mut self.call {
            call.state = state;
            self.tell_call();
        }
    }

    pub(super) fn ends(&mut self, reason: EndReason) {
        if let (Some(session), Some(ClientCall { id: call, with, .. })) = (self.session, self.call.take()) {
            self.news.push_back((session, ClientNews::CallEnded { with, call, reason }));
        }
    }

    fn tell_call(&mut self) {
        let Some((session, ClientCall { id, with, state })) = self.session.zip(self.call.clone()) else { return };
        let local = MediaState { audio: self.microphone, video: self.camera, facing: None, ..MediaState::default() };
        let remote = MediaState::default();
        let snapshot = CallSnapshot { state, with: Some(with), call: Some(id), local, remote, other: None };
        self.news.push_back((session, ClientNews::CallChanged(snapshot)));
    }

    fn act(&mut self, action: Action) {
        match &action {
            // Where there was none, there is no session after it.
            Action::Client { news: ClientNews::ConnectFailed(_), .. } if self.app.state().me.is_none() => {
                (self.session, self.call) = (None, None);
            }
            // The system takes what it ended off its own screen.
            Action::System(SystemAction::Call { call, news: SystemCallNews::Refused | SystemCallNews::Ended }) => {
                self.reported = self.reported.filter(|reported| reported != call);
            }
            Action::System(SystemAction::CallsReset) => self.reported = None,
            _ => {}
        }
        self.effects = self.app.handle(self.now, action);
        for effect in self.effects.clone() {
            self.carry_out(effect);
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Client(command) => self.command(command),
            Effect::SystemCall(effect) => self.system_call(effect),
            Effect::AskPermissions { request, permissions } => {
                assert!(!permissions.is_empty(), "a question about nothing");
                self.question = Some(request);
            }
            Effect::Ring(on) => self.ring = on,
            Effect::Vibrate(on) => self.vibrate = on,
            Effect::Ringback(on) => self.ringback = on,
            Effect::SilenceSpeaker(on) => self.silent = on,
            Effect::Proximity(on) => self.proximity = on,
            Effect::KeepScreenOn(on) => self.screen_on = on,
            Effect::ShowWhenLocked(on) => self.over_lock = on,
            Effect::AudioSession(audio) => self.audio = audio.is_some(),
            Effect::CallService(service) => self.service = service,
            _ => {}
        }
    }

    fn command(&mut self, command: ClientCommand) {
        let begins = matches!(command, ClientCommand::StartDemo { .. } | ClientCommand::Connect { .. });
        // A client that is gone does nothing.
        if self.session.is_none() && !begins {
            return;
        }
        let news = match command {
            ClientCommand::SetBlocked { name, block } => {
                if block {
                    self.blocked.insert(name)
                } else {
                    self.blocked.remove(&name)
                };
                return;
            }
            ClientCommand::StartDemo { session } => {
                self.session = Some(session);
                match self.fails.take() {
                    Some(why) => ClientNews::ConnectFailed(why),
                    None => ClientNews::DemoStarted { server: "ws://127.0.0.1:9".to_owned() },
                }
            }
            ClientCommand::Connect { session, name, remembered, .. } => {
                self.session = Some(session);
                self.remembered = remembered;
                (self.microphone, self.camera) = (true, true);
                match self.fails.take() {
                    Some(why) => ClientNews::ConnectFailed(why),
                    None => ClientNews::LoggedIn { name, push: Some(server_push()) },
                }
            }
            ClientCommand::Logout { session } => {
                if self.session == Some(session) {
                    (self.session, self.call) = (None, None);
                }
                return;
            }
            ClientCommand::Call { to } => match (self.fails.take(), &self.call) {
                (Some(why), _) => ClientNews::CommandFailed { command: CommandKind::Call, why },
                (None, Some(_)) => ClientNews::CommandFailed { command: CommandKind::Call, why: Failure::InCall },
                (None, None) => {
                    let id = CallId::random();
                    self.call = Some(ClientCall { id, with: to, state: CallState::Calling });
                    self.news.extend(self.session.map(|session| (session, ClientNews::CallPlaced(id))));
                    return self.tell_call();
                }
            },
            ClientCommand::Accept(id) => match &self.call {
                Some(call) if call.id == id && self.fails.take().is_none() => return self.peer(CallState::Connecting),
                _ => ClientNews::CommandFailed { command: CommandKind::Accept, why: Failure::WrongState },
            },
            ClientCommand::Decline(id) => return self.end(Some(id), EndReason::DeclinedLocally),
            ClientCommand::HangUp(id) => return self.end(id, EndReason::HungUpLocally),
            ClientCommand::SetMicrophone(on) => return self.microphone = on,
            ClientCommand::SetCamera(on) => {
                self.camera = on;
                match self.fails.take().filter(|_| on) {
                    Some(why) => ClientNews::CommandFailed { command: CommandKind::SetCamera, why },
                    None => return,
                }
            }
            _ => return,
        };
        self.news.extend(self.session.map(|session| (session, news)));
    }

    fn end(&mut self, id: Option<CallId>, reason: EndReason) {
        if self.call.as_ref().is_some_and(|call| id.is_none_or(|id| id == call.id)) {
            return self.ends(reason);
        }
        let news = ClientNews::CommandFailed { command: CommandKind::End, why: Failure::WrongState };
        self.news.extend(self.session.map(|session| (session, news)));
    }

    fn system_call(&mut self, effect: SystemCallEffect) {
        match effect {
            SystemCallEffect::Incoming { call, .. } | SystemCallEffect::Outgoing { call, .. } => {
                // A push that has no call to show is over in the same breath, and shown beside another for no longer.
                let over = SystemCallEffect::Ended { call, reason: crate::app::SystemEndReason::Failed };
                let passing = self.effects.contains(&Effect::SystemCall(over));
                assert!(self.reported.is_none() || self.reported == Some(call) || passing, "two calls at once");
                if !passing {
                    self.reported = Some(call);
                }
            }
            SystemCallEffect::Ended { call, .. } => {
                if self.reported == Some(call) {
                    self.reported = None;
                }
            }
            SystemCallEffect::Renamed { call, .. }
            | SystemCallEffect::Answered(call)
            | SystemCallEffect::Connecting(call)
            | SystemCallEffect::Connected(call)
            | SystemCallEffect::Muted { call, .. }
            | SystemCallEffect::RequestHold { call, .. } => {
                assert_eq!(self.reported, Some(call), "a call that the system does not have");
            }
        }
    }
}
