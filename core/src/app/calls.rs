//! The call of the moment: how it begins, is answered and ends.

use super::banner::{self, Notice, Recovery, Retry, Topic};
use super::client_news::CommandKind;
use super::effect::{ClientCommand, Effect, SettingsPage, SystemEndReason};
use super::failure::Failure;
use super::history::{self, HistoryEntry, HistoryKind};
use super::keypad::Keypad;
use super::permissions::{Admission, CameraAdmission, PermissionStatus};
use super::private_text::PrivateText;
use super::reducer::{App, END_TIMEOUT, Now, Question};
use super::state::{CallPhase, Tab};
use super::system_calls::{self, Announced, PUSH_TIMEOUT};
use super::text::TextKey;
use super::verification::CallCheck;
use crate::call::EndReason;
use crate::client::CallQuality;
use crate::facing::FacingMode;
use crate::signaling::message::CallId;
use std::time::Instant;

/// A call that the client knows, or is about to.
#[derive(Debug)]
pub(super) struct Call {
    /// The client's name for it; none while one that is placed has none yet.
    pub(super) id: Option<CallId>,
    /// The name towards the system's calls: the one of a push that had none of its own stays.
    pub(super) system_id: Option<CallId>,
    pub(super) with: String,
    pub(super) outgoing: bool,
    pub(super) video: bool,
    pub(super) phase: CallPhase,
    pub(super) began_ms: u64,
    pub(super) connected: Option<(Instant, u64)>,
    pub(super) remote_microphone: bool,
    pub(super) remote_video: bool,
    pub(super) remote_held: bool,
    pub(super) facing: Option<FacingMode>,
    pub(super) can_flip: bool,
    pub(super) quality: CallQuality,
    pub(super) keypad: Keypad,
    pub(super) private: PrivateText,
    /// None before it was connected.
    pub(super) check: Option<CallCheck>,
    /// Answered here, and not heard of yet.
    pub(super) answered: bool,
    pub(super) silenced: bool,
    /// Since when it is being ended.
    pub(super) ending: Option<Instant>,
}

/// What follows when the person has answered the system's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Place {
        to: String,
        video: bool,
    },
    Answer {
        video: bool,
        by_system: bool,
    },
    Camera,
    /// Nothing hangs on it.
    ToBeCalled,
}

impl Call {
    pub(super) fn new(now: Now, with: String, outgoing: bool, video: bool, id: Option<CallId>) -> Self {
        Self {
            id,
            system_id: id,
            with,
            outgoing,
            video,
            phase: if outgoing { CallPhase::Calling } else { CallPhase::Ringing },
            began_ms: now.unix_ms,
            connected: None,
            remote_microphone: true,
            remote_video: true,
            remote_held: false,
            facing: None,
            can_flip: true,
            quality: CallQuality::default(),
            keypad: Keypad::default(),
            private: PrivateText::default(),
            check: None,
            answered: false,
            silenced: false,
            ending: None,
        }
    }

    /// It waits for an answer here.
    pub(super) fn rings(&self) -> bool {
        self.phase == CallPhase::Ringing && !self.answered
    }

    /// Both have said yes.
    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.phase, CallPhase::Connecting | CallPhase::Connected | CallPhase::Reconnecting)
    }

    /// Sound and camera are in use: not while it only rings here, nor once it is being ended.
    pub(super) fn uses_devices(&self) -> bool {
        match self.phase {
            CallPhase::Ringing => self.answered,
            CallPhase::Ending => false,
            _ => true,
        }
    }
}

impl App {
    /// Does something with the call that goes on, if the client knows it.
    pub(super) fn in_call(&mut self, command: impl FnOnce(CallId) -> ClientCommand) {
        if let Some(id) = self.call.as_ref().filter(|call| call.uses_devices()).and_then(|call| call.id) {
            self.command(command(id));
        }
    }

    /// Calls somebody, after asking for what is not allowed yet.
    pub(super) fn place(&mut self, now: Now, to: String, video: bool) {
        if !self.session.is_logged_in() {
            return self.tell_call(TextKey::RefusedNotLoggedIn);
        }
        if self.me.as_ref() == Some(&to) {
            return self.tell_call(TextKey::RefusedSelfCall);
        }
        if self.has_call() {
            return self.tell_call(TextKey::RefusedInCall);
        }
        self.banners.clear(Topic::Call);
        self.prepare(now, Purpose::Place { to, video });
    }

    fn has_call(&self) -> bool {
        self.call.is_some() || self.announced.as_ref().is_some_and(|announced| !announced.refused)
    }

    /// Takes the call that rings, after asking for what is not allowed yet.
    pub(super) fn answer(&mut self, now: Now, video: bool, by_system: bool) {
        if let Some(announced) = self.announced.as_mut().filter(|announced| announced.rings()) {
            // The client is to know the call first.
            announced.answered = Some(video);
        } else if self.call.as_ref().is_some_and(Call::rings) {
            self.prepare(now, Purpose::Answer { video, by_system });
        }
    }

    /// Asks, unless nobody is there to be asked or nothing is missing.
    fn prepare(&mut self, now: Now, purpose: Purpose) {
        let wants_camera = match purpose {
            Purpose::Place { video, .. } | Purpose::Answer { video, .. } => video && self.has_camera,
            Purpose::Camera | Purpose::ToBeCalled => false,
        };
        let missing = self.permissions().missing_for_call(wants_camera);
        if missing.is_empty() || !self.visibility.is_foreground() {
            self.proceed(now, purpose);
        } else {
            self.ask(missing, purpose);
        }
    }

    /// Goes on with what waited for the person's answer.
    pub(super) fn proceed(&mut self, now: Now, purpose: Purpose) {
        match purpose {
            Purpose::Place { to, video } => self.begin(now, to, video),
            Purpose::Answer { video, by_system } => self.take_call(now, video, by_system),
            Purpose::Camera => match self.permissions().camera {
                PermissionStatus::Granted => self.camera_again(),
                PermissionStatus::Denied => self.push(Effect::OpenSettings(SettingsPage::App)),
                PermissionStatus::Undecided => {}
            },
            Purpose::ToBeCalled => self.hint_permissions(),
        }
    }

    /// Settles microphone and camera. Returns whether the call can go on, and with the camera.
    fn admit(&mut self, video: bool, retry: Retry) -> Option<bool> {
        let admission = self.permissions().admission(video, self.has_camera || self.demo);
        let camera = match admission {
            Admission::Stop { in_settings } => {
                self.tell(Topic::Call, banner::of_microphone_refused(in_settings), Some(retry));
                return None;
            }
            Admission::Go(camera) => camera,
        };
        self.banners.clear(Topic::Camera);
        match camera {
            CameraAdmission::Allowed | CameraAdmission::NotWanted => {}
            CameraAdmission::NotAllowed { in_settings } => {
                self.tell(Topic::Camera, banner::of_camera_refused(in_settings), Some(Retry::Camera));
            }
            CameraAdmission::Absent => {
                self.tell(Topic::Camera, Notice::new(TextKey::ErrorNoCamera, &[Recovery::Dismiss]), None);
            }
        }
        let camera = camera == CameraAdmission::Allowed;
        self.camera.set(camera);
        self.microphone = true;
        Some(camera)
    }

    fn begin(&mut self, now: Now, to: String, video: bool) {
        // While the person was asked, somebody else may have called, or the session ended.
        if !self.session.is_logged_in() || self.has_call() {
            return;
        }
        let retry = Retry::Call { to: to.clone(), video };
        if self.admit(video, retry).is_some() {
            self.call = Some(Call::new(now, to.clone(), true, video, None));
            self.hold.reset();
            self.follow_client();
            self.command(ClientCommand::Call { to });
        }
    }

    fn take_call(&mut self, now: Now, video: bool, by_system: bool) {
        let Some(id) = self.call.as_ref().filter(|call| call.rings()).and_then(|call| call.id) else { return };
        if self.admit(video, Retry::Accept { video }).is_none() {
            // The system's screen shows it as answered already, and on a locked phone nobody can be asked.
            if by_system {
                self.decline(now);
            }
            return;
        }
        if let Some(call) = &mut self.call {
            call.answered = true;
            call.video = video;
        }
        self.follow_client();
        self.command(ClientCommand::Accept(id));
    }

    /// The client told of a call that rings.
    pub(super) fn incoming(&mut self, now: Now, from: String, id: CallId) {
        if self.call.as_ref().is_some_and(|call| call.id == Some(id)) {
            return;
        }
        if self.system_calls.is_over(id) {
            // Taken back by a push, or waited for too long: the client is not to ring on by itself.
            return self.command(ClientCommand::Decline(id));
        }
        if self.call.as_ref().is_some_and(|call| call.id.is_some()) {
            // The client has one call at a time, so this is not to happen; two that ring would be worse than one that is refused.
            return self.command(ClientCommand::Decline(id));
        }
        // A call that is being placed has lost against this one.
        let mut call = Call::new(now, from, false, true, Some(id));
        let announced = self.announced.take();
        let announced = announced.filter(|announced| announced.id == id);
        if let Some(announced) = &announced {
            (call.system_id, call.began_ms, call.silenced) =
                (Some(announced.id), announced.since_ms, announced.silenced);
        }
        self.call = Some(call);
        self.question = None;
        match announced {
            Some(announced) if announced.refused => self.decline(now),
            // Answered on a locked screen, mostly: nobody can be asked.
            Some(Announced { answered: Some(video), .. }) => {
                self.prepare(now, Purpose::Answer { video, by_system: true })
            }
            _ => {}
        }
    }

    pub(super) fn decline(&mut self, now: Now) {
        if let Some(announced) = self.announced.as_mut().filter(|announced| !announced.refused) {
            announced.refused = true;
            self.last_end = SystemEndReason::Rejected;
        } else if let Some(call) = self.call.as_mut().filter(|call| call.rings()) {
            self.last_end = SystemEndReason::Rejected;
            call.phase = CallPhase::Ending;
            call.ending = Some(now.at);
            if let Some(id) = call.id {
                self.command(ClientCommand::Decline(id));
            }
        }
    }

    /// Ends the call, whatever its state.
    pub(super) fn hang_up(&mut self, now: Now) {
        let announced = self.announced.as_ref().is_some_and(|announced| !announced.refused);
        if announced || self.call.as_ref().is_some_and(Call::rings) {
            return self.decline(now);
        }
        if let Some(call) = self.call.as_mut().filter(|call| call.ending.is_none()) {
            self.last_end = SystemEndReason::Local;
            call.phase = CallPhase::Ending;
            call.ending = Some(now.at);
            let id = call.id;
            self.command(ClientCommand::HangUp(id));
        }
    }

    /// The call is over: into the history, and told. `told` says whether the person is to hear why.
    pub(super) fn call_is_over(&mut self, now: Now, reason: EndReason, told: bool) {
        let Some(call) = self.call.take() else { return };
        let id = call.id.or(call.system_id).unwrap_or_else(|| self.system_calls.make_id());
        self.system_calls.record_over(id);
        let kind = history::kind(call.outgoing, call.connected.is_some(), reason);
        let missed = kind == HistoryKind::Missed;
        let seconds = call.connected.map_or(0, |(since, _)| now.at.saturating_duration_since(since).as_secs());
        let (with, began_ms, video) = (call.with, call.began_ms, call.video);
        self.last_end = system_calls::end_reason(reason, call.outgoing, missed);
        if let Some(notice) = banner::of_end(reason, &with, call.outgoing, missed).filter(|_| told) {
            self.tell(Topic::Call, notice, Some(Retry::Call { to: with.clone(), video }));
        }
        if missed && told {
            self.missed_call(id, with.clone(), began_ms);
        }
        self.history.add(HistoryEntry { id, with, kind, began_ms, seconds, video });
        self.save_history();
        self.reset_call();
    }

    /// What one call brought is not the next one's.
    fn reset_call(&mut self) {
        for topic in Topic::OF_A_CALL {
            self.banners.clear(topic);
        }
        if self.banners.says(TextKey::ServerLostInCall) {
            self.tell(Topic::Server, Notice::new(TextKey::ServerLost, &[Recovery::Dismiss]), None);
        }
        self.camera.set(false);
        self.microphone = true;
        self.hold.reset();
        self.routes.reset();
        self.statistics.clear();
        self.shows_statistics = false;
        if matches!(self.question, Some(Question { purpose: Purpose::Answer { .. } | Purpose::Camera, .. })) {
            self.question = None;
        }
    }

    fn missed_call(&mut self, call: CallId, from: String, at_ms: u64) {
        if !(self.visibility.is_foreground() && self.tab == Tab::Recents) {
            self.missed = self.missed.saturating_add(1);
        }
        if !self.visibility.is_foreground() {
            self.push(Effect::NotifyMissedCall { call, from, at_ms });
        }
    }

    /// The call that a push told of does not come: it was missed, unless it was refused or answered here.
    pub(super) fn drop_announced(&mut self, now: Now, missed: bool) {
        let Some(announced) = self.announced.take() else { return };
        self.hold.reset();
        if announced.refused {
            // It is refused when the client knows it, however late.
            self.system_calls.record_over(announced.id);
            return;
        }
        let (id, from, began_ms) = (announced.id, announced.from, announced.since_ms);
        self.last_end = match (missed, announced.answered) {
            (true, None) => SystemEndReason::Missed,
            (true, Some(_)) => SystemEndReason::Remote,
            (false, _) => SystemEndReason::Failed,
        };
        if !missed {
            return;
        }
        let unheard = announced.answered.is_none();
        if let Some(notice) = banner::of_end(EndReason::CancelledRemotely, &from, false, unheard) {
            self.tell(Topic::Call, notice, Some(Retry::Call { to: from.clone(), video: true }));
        }
        if unheard {
            self.missed_call(id, from.clone(), began_ms);
        }
        let kind = if unheard { HistoryKind::Missed } else { HistoryKind::Incoming };
        self.history.add(HistoryEntry { id, with: from, kind, began_ms, seconds: 0, video: true });
        self.save_history();
        self.banners.expire(now.at);
    }

    pub(super) fn expire_announced(&mut self, now: Now) {
        let since = self.announced.as_ref().map(|announced| announced.since);
        if since.is_some_and(|since| now.at.saturating_duration_since(since) >= PUSH_TIMEOUT) {
            self.drop_announced(now, true);
        }
    }

    /// A client that never says that the call is over does not keep it on the screen.
    pub(super) fn expire_ending(&mut self, now: Now) {
        let since = self.call.as_ref().and_then(|call| call.ending);
        if since.is_some_and(|since| now.at.saturating_duration_since(since) >= END_TIMEOUT) {
            self.call_is_over(now, EndReason::HungUpLocally, false);
        }
    }

    /// The client could not do what a call needs.
    pub(super) fn call_command_failed(&mut self, now: Now, command: CommandKind, why: Failure) {
        let Some(call) = &mut self.call else { return };
        let retry = match command {
            CommandKind::Call if call.outgoing && call.id.is_none() => {
                let retry = Retry::Call { to: call.with.clone(), video: call.video };
                // Nobody was called: nothing for the history.
                self.call = None;
                self.reset_call();
                Some(retry)
            }
            CommandKind::Accept if call.answered => {
                call.answered = false;
                None
            }
            CommandKind::End if call.ending.is_some() => {
                return self.call_is_over(now, EndReason::HungUpLocally, false);
            }
            _ => return,
        };
        self.tell(Topic::Call, banner::of_refusal(why), retry);
    }
}
