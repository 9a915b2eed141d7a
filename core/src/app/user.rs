//! What the person does.

use super::action::{SavedSignIn, Token, UserAction};
use super::banner::{Notice, Recovery, Retry, Topic};
use super::calls::Purpose;
use super::chat;
use super::effect::{ClientCommand, Effect, Field, SettingsPage};
use super::name::{self, BadInput};
use super::permissions::Permission;
use super::reducer::{App, Now, Session};
use super::state::Tab;
use super::text::TextKey;
use crate::call::EndReason;

/// What somebody who tries it out is called.
const DEMO_NAME: &str = "demo";

impl App {
    pub(super) fn on_user(&mut self, now: Now, action: UserAction) {
        match action {
            UserAction::SignIn { server, name, token } => self.sign_in(&server, &name, token),
            UserAction::StartDemo { name } => self.start_demo(name),
            UserAction::SignOut => self.sign_out(now),
            UserAction::ShowTab(tab) => self.show_tab(tab),
            UserAction::Search(text) => self.search = text,
            UserAction::Call { to, video } => self.place(now, to, video),
            UserAction::Accept { video } => self.answer(now, video, false),
            UserAction::Decline => self.decline(now),
            UserAction::HangUp => self.hang_up(now),
            UserAction::SetMicrophone(on) => self.microphone = on || self.call.is_none(),
            UserAction::SetCamera(on) => self.set_camera(on),
            UserAction::FlipCamera => self.in_call(ClientCommand::FlipCamera),
            UserAction::SetHold(on) => self.set_hold(on),
            UserAction::ChooseAudioRoute(id) => self.routes.choose(&id),
            UserAction::TakePhoto => self.in_call(ClientCommand::TakePhoto),
            UserAction::ShowStatistics(on) => self.shows_statistics = on && self.call.is_some(),
            UserAction::SetFullQuality(on) => self.set_full_quality(on),
            UserAction::Say(text) => self.say(&text),
            UserAction::SetBlocked { name, block } => self.set_blocked(now, name, block),
            UserAction::ConfirmVerification { same } => self.confirm_verification(same),
            UserAction::ShowKeypad(on) => self.show_keypad(on),
            UserAction::PressKey(key) => self.press_key(key),
            UserAction::ShowPrivateText(on) => self.show_private_text(on),
            UserAction::SendPrivateText(text) => self.send_private_text(now, &text),
            UserAction::SetTyping(on) => self.tell_typing(on),
            UserAction::ClearHistory => {
                self.history.clear();
                self.missed = 0;
                self.save_history();
            }
            UserAction::Recover { banner, recovery } => {
                if let Some(retry) = self.banners.take(banner, recovery) {
                    self.recover(now, recovery, retry);
                }
            }
            UserAction::SetOutage { part, on } => {
                if self.session.is_logged_in() {
                    if on {
                        self.outages.insert(part)
                    } else {
                        self.outages.remove(&part)
                    };
                    self.command(ClientCommand::SetOutage { part, on });
                }
            }
            UserAction::BeCalled => {
                if let Some(to) = self.me.clone().filter(|_| self.demo) {
                    self.command(ClientCommand::DemoCall { to });
                }
            }
        }
    }

    fn sign_in(&mut self, server: &str, name: &str, token: Option<Token>) {
        if self.session != Session::None {
            return;
        }
        match name::address(server, name) {
            Ok(address) => {
                self.address = Some((address, token));
                self.connect();
            }
            Err(BadInput::Name) => {
                self.tell(Topic::Server, Notice::new(TextKey::LoginBadName, &[Recovery::ChangeName]), None);
            }
            Err(BadInput::Address) => {
                self.tell(Topic::Server, Notice::new(TextKey::LoginBadAddress, &[Recovery::ChangeAddress]), None);
            }
        }
    }

    fn new_session(&mut self) -> u64 {
        self.sessions = self.sessions.wrapping_add(1);
        self.banners.clear_all();
        self.client_levels = Default::default();
        self.new_push_session();
        self.sessions
    }

    /// Logs in where it was tried last.
    pub(super) fn connect(&mut self) {
        let Some((address, token)) = self.address.clone().filter(|_| self.session == Session::None) else { return };
        self.demo = false;
        let session = self.new_session();
        self.session = Session::Connecting(session);
        let remembered = self.remembered.at(&address.server);
        let (server, name, allow_insecure) = (address.server, address.name, address.allow_insecure);
        let demo = false;
        self.command(ClientCommand::Connect { session, server, name, token, remembered, allow_insecure, demo });
    }

    /// Logs in as at the last start, if the person has not logged out since.
    pub(super) fn connect_as_saved(&mut self) {
        let Some(saved) = self.saved.clone().filter(|saved| saved.stay) else { return };
        if self.session == Session::None
            && let Ok(address) = name::address(&saved.server, &saved.name)
        {
            self.address = Some((address, saved.token));
            self.connect();
        }
    }

    fn start_demo(&mut self, name: String) {
        if self.session == Session::None && self.config.demo {
            self.demo_name = name;
            self.demo = true;
            let session = self.new_session();
            self.session = Session::Starting(session);
            self.command(ClientCommand::StartDemo { session });
        }
    }

    pub(super) fn demo_started(&mut self, session: u64, server: String) {
        let address = name::address(&server, &self.demo_name).or_else(|_| name::address(&server, DEMO_NAME));
        if let Ok(address) = address {
            self.session = Session::Connecting(session);
            let (server, name, allow_insecure) = (address.server, address.name, address.allow_insecure);
            let (token, remembered, demo) = (None, Vec::new(), true);
            self.command(ClientCommand::Connect { session, server, name, token, remembered, allow_insecure, demo });
        }
    }

    fn sign_out(&mut self, now: Now) {
        let Some(session) = self.session.id() else { return };
        self.unregister_push();
        self.command(ClientCommand::Logout { session });
        if let Some(saved) = self.saved.as_mut().filter(|saved| saved.stay && !self.demo) {
            (saved.stay, saved.token) = (false, None);
            let saved = saved.clone();
            self.push(Effect::SaveSignIn(saved));
        }
        self.leave(now, EndReason::HungUpLocally);
    }

    /// The session is over, whoever ended it, and with it a call: the system is not to show one that nobody can end any more.
    pub(super) fn leave(&mut self, now: Now, reason: EndReason) {
        self.call_is_over(now, reason, false);
        self.drop_announced(now, false);
        self.session = Session::None;
        self.question = None;
        self.me = None;
        self.demo = false;
        self.names.clear();
        self.away.clear();
        self.search.clear();
        self.tab = Tab::default();
        self.chat.clear();
        self.unread = 0;
        self.outages.clear();
        self.banners.clear_all();
    }

    /// The server let this person in: this login is the one to keep.
    pub(super) fn keep_sign_in(&mut self) {
        let Some((address, token)) = self.address.clone().filter(|_| !self.demo) else { return };
        let saved = SavedSignIn { server: address.server, name: address.name, token, stay: true };
        if self.saved.as_ref() != Some(&saved) {
            self.saved = Some(saved.clone());
            self.push(Effect::SaveSignIn(saved));
        }
    }

    fn show_tab(&mut self, tab: Tab) {
        self.tab = tab;
        match tab {
            Tab::People => {}
            Tab::Recents => self.saw_missed(),
            Tab::Chat => self.unread = 0,
        }
    }

    pub(super) fn saw_missed(&mut self) {
        if std::mem::take(&mut self.missed) > 0 {
            self.push(Effect::ClearMissedCalls);
        }
    }

    fn say(&mut self, typed: &str) {
        if self.session.is_logged_in()
            && let Some(text) = chat::outgoing(typed)
        {
            self.command(ClientCommand::Say(text));
        }
    }

    fn set_full_quality(&mut self, on: bool) {
        self.network.lift(on);
        self.banners.clear(Topic::Network);
    }

    fn recover(&mut self, now: Now, recovery: Recovery, retry: Option<Retry>) {
        match (recovery, retry) {
            (Recovery::TryAgain, Some(Retry::SignIn)) => self.connect(),
            (Recovery::TryAgain, Some(Retry::Demo)) => self.start_demo(self.demo_name.clone()),
            (Recovery::TryAgain | Recovery::CallAgain, Some(Retry::Call { to, video })) => self.place(now, to, video),
            (Recovery::TryAgain, Some(Retry::Accept { video })) => self.answer(now, video, false),
            (Recovery::TryAgain, Some(Retry::Microphone)) => self.reopen_microphone(),
            (Recovery::TryAgain, Some(Retry::Photo)) => self.in_call(ClientCommand::TakePhoto),
            (Recovery::CameraAgain, _) => self.camera_again(),
            (Recovery::Allow, _) => self.ask(vec![Permission::Camera], Purpose::Camera),
            (Recovery::WithoutCamera, Some(Retry::Call { to, .. })) => self.place(now, to, false),
            (Recovery::WithoutCamera, _) => self.set_camera(false),
            (Recovery::OpenSettings, Some(Retry::FullScreenSettings)) => {
                self.push(Effect::OpenSettings(SettingsPage::FullScreenIntent));
            }
            (Recovery::OpenSettings, _) => self.push(Effect::OpenSettings(SettingsPage::App)),
            (Recovery::ChangeName, _) => self.push(Effect::Focus(Field::Name)),
            (Recovery::ChangeAddress, _) => self.push(Effect::Focus(Field::Server)),
            (Recovery::Write, _) => {
                self.show_tab(Tab::Chat);
                self.push(Effect::Focus(Field::Chat));
            }
            (Recovery::FullQuality, _) => self.set_full_quality(true),
            (Recovery::Dismiss | Recovery::TryAgain | Recovery::CallAgain, _) => {}
        }
    }
}
