//! What the system tells.

use super::action::{PhotoOutcome, SystemAction, SystemCallNews};
use super::banner::{self, Notice, Recovery, Retry, Topic};
use super::blocked::Blocked;
use super::calls::Call;
use super::camera::{CameraTrouble, Visibility};
use super::effect::{ClientCommand, Effect};
use super::history::CallHistory;
use super::hold::AudioInterruption;
use super::network::Network;
use super::permissions::PermissionStatus;
use super::reducer::{App, Now, Session};
use super::remembered::Remembered;
use super::state::Tab;
use super::text::TextKey;
use super::thermal;
use crate::media::video::ThermalState;
use crate::signaling::message::CallId;

impl App {
    pub(super) fn on_system(&mut self, now: Now, action: SystemAction) {
        match action {
            SystemAction::Started { saved, history, blocked, remembered, permissions } => {
                self.permissions = permissions;
                self.saved = saved;
                if let Some(json) = history {
                    self.history = CallHistory::restored(&json);
                }
                if let Some(json) = blocked {
                    self.blocked = Blocked::restored(&json);
                }
                if let Some(json) = remembered {
                    self.remembered = Remembered::restored(&json);
                }
                self.connect_as_saved();
            }
            SystemAction::PermissionsChanged(permissions) => self.permissions = permissions,
            SystemAction::PermissionsAnswered { request, permissions } => {
                self.permissions = permissions;
                if let Some(question) = self.question.take_if(|question| question.request == request) {
                    self.proceed(now, question.purpose);
                }
            }
            SystemAction::CamerasChanged { available } => self.has_camera = available,
            SystemAction::VisibilityChanged(visibility) => self.visibility_changed(visibility),
            SystemAction::NetworkChanged(network) => self.network_changed(network),
            SystemAction::ThermalStateChanged(state) => self.thermal_state_changed(state),
            SystemAction::RingerModeChanged(mode) => self.ringer = mode,
            SystemAction::AudioRoutesChanged { routes, current } => self.routes.changed(routes, current),
            SystemAction::AudioInterrupted(news) => self.audio_interrupted(news),
            SystemAction::CameraTrouble(trouble) => self.camera_trouble(trouble),
            SystemAction::LowMemory => {
                if self.session.is_logged_in() {
                    self.command(ClientCommand::TrimMemory);
                }
            }
            SystemAction::Call { call, news } => self.on_system_call(now, call, news),
            SystemAction::CallsReset => {
                self.system_calls.reset();
                self.hold.set_managed(false);
                self.hang_up(now);
            }
            SystemAction::PushReceived(push) => self.push_received(now, push),
            SystemAction::PushRegistrationChanged(device) => self.push_registration_changed(device),
            SystemAction::PhotoSaved(outcome) => self.photo_saved(now, outcome),
        }
    }

    fn visibility_changed(&mut self, visibility: Visibility) {
        let came = visibility.is_foreground() && !self.visibility.is_foreground();
        self.visibility = visibility;
        if !came {
            return;
        }
        if self.session.is_logged_in() {
            // The device may have slept: a connection that is dead is noticed by looking at it.
            self.command(ClientCommand::CheckServer);
        } else {
            self.connect_as_saved();
        }
        if self.call.as_ref().is_some_and(Call::uses_devices) && self.hold.is_taken() && !self.hold.is_managed() {
            // What the system refused while nobody saw the call, it may allow now.
            self.push(Effect::ReclaimAudio);
        }
        if self.tab == Tab::Recents {
            self.saw_missed();
        }
    }

    fn network_changed(&mut self, network: Option<Network>) {
        let was_spared = self.network.sends_less();
        if self.network.changed(network) {
            match self.session {
                Session::Online(_) | Session::Reconnecting(_) => self.command(ClientCommand::NetworkChanged),
                // It could not be reached from where the device was.
                Session::None if self.banners.says(TextKey::LoginUnreachable) => self.connect_as_saved(),
                Session::None | Session::Starting(_) | Session::Connecting(_) => {}
            }
        }
        if !self.network.sends_less() {
            self.banners.clear(Topic::Network);
        } else if !was_spared {
            self.mention_metered();
        }
    }

    /// In a call with a picture of one's own, that it is small on this network.
    pub(super) fn mention_metered(&mut self) {
        if self.call.as_ref().is_some_and(Call::uses_devices) && self.network.sends_less() && self.camera.is_wanted() {
            let notice = Notice::new(TextKey::NetworkMetered, &[Recovery::FullQuality, Recovery::Dismiss]);
            self.tell(Topic::Network, notice, None);
        }
    }

    fn thermal_state_changed(&mut self, state: ThermalState) {
        let was_hot = thermal::is_hot(std::mem::replace(&mut self.thermal, state));
        if !thermal::is_hot(state) {
            self.banners.clear(Topic::Thermal);
        } else if !was_hot {
            self.mention_heat();
        }
    }

    /// In a call, that its pictures are smaller for the heat.
    pub(super) fn mention_heat(&mut self) {
        if self.call.is_some() && thermal::is_hot(self.thermal) {
            self.tell(Topic::Thermal, Notice::new(TextKey::MediaHot, &[Recovery::Dismiss]), None);
        }
    }

    fn audio_interrupted(&mut self, news: AudioInterruption) {
        if !self.call.as_ref().is_some_and(Call::uses_devices) {
            return;
        }
        let was_interrupted = self.hold.is_interrupted();
        self.hold.interruption(news);
        let is_over = was_interrupted && news == AudioInterruption::Ended;
        if (is_over || news == AudioInterruption::ServicesReset) && !self.hold.is_held() {
            // CallKit activates a session once: what an alarm took, nobody gives back. Where asking for it is told as its end, too, it is
            // asked for once.
            self.push(Effect::ReclaimAudio);
        }
    }

    fn camera_trouble(&mut self, trouble: Option<CameraTrouble>) {
        match trouble {
            None => self.banners.clear(Topic::Camera),
            Some(trouble) if self.call.is_some() && self.camera.is_wanted() => {
                self.tell(Topic::Camera, banner::of_camera_trouble(trouble), Some(Retry::Camera));
            }
            Some(_) => {}
        }
    }

    fn on_system_call(&mut self, now: Now, id: CallId, news: SystemCallNews) {
        let is_announced = self.announced.as_ref().is_some_and(|announced| announced.id == id);
        let is_call = self.call.as_ref().is_some_and(|call| call.system_id == Some(id));
        if !is_announced && !is_call {
            return;
        }
        match news {
            SystemCallNews::Taken => self.hold.set_managed(true),
            SystemCallNews::Refused => {
                self.system_calls.ended_there(id);
                let outgoing = self.call.as_ref().is_some_and(|call| call.outgoing);
                // Refused, it rings nowhere: the person is not to be disturbed, or is in a call of another app.
                self.hang_up(now);
                if outgoing {
                    self.tell_call(TextKey::RefusedBySystem);
                }
            }
            SystemCallNews::Answered { video } => {
                self.system_calls.answered_there(id);
                self.answer(now, video, true);
            }
            SystemCallNews::Ended => {
                self.system_calls.ended_there(id);
                self.hang_up(now);
            }
            SystemCallNews::Muted(muted) => {
                if is_call {
                    self.system_calls.muted_there(id, muted);
                    self.microphone = !muted;
                }
            }
            SystemCallNews::Held(held) => self.hold.set_on_hold(held),
            SystemCallNews::Silenced => {
                if let Some(announced) = &mut self.announced {
                    announced.silenced = true;
                }
                if let Some(call) = &mut self.call {
                    call.silenced = true;
                }
            }
        }
    }

    fn photo_saved(&mut self, now: Now, outcome: PhotoOutcome) {
        match outcome {
            PhotoOutcome::Saved => self.banners.mention(now.at, Topic::Other, TextKey::PhotoTaken),
            PhotoOutcome::NotAllowed => {
                let notice = Notice::new(TextKey::ErrorNoPhotoPermission, &[Recovery::OpenSettings, Recovery::Dismiss]);
                self.tell(Topic::Other, notice, None);
            }
            PhotoOutcome::Failed => {
                let notice = Notice::new(TextKey::PhotoNotSaved, &[Recovery::TryAgain, Recovery::Dismiss]);
                self.tell(Topic::Other, notice, Some(Retry::Photo));
            }
        }
    }

    /// What keeps the person from hearing of calls, once nothing is asked any more.
    pub(super) fn hint_permissions(&mut self) {
        let permissions = self.permissions();
        let ways = [Recovery::OpenSettings, Recovery::Dismiss];
        // The system's own calls need no notifications.
        if permissions.notifications == PermissionStatus::Denied && !self.config.system_rings {
            self.tell(Topic::Permission, Notice::new(TextKey::ErrorNoNotificationPermission, &ways), None);
        } else if permissions.full_screen_intent == PermissionStatus::Denied {
            let retry = Some(Retry::FullScreenSettings);
            self.tell(Topic::Permission, Notice::new(TextKey::ErrorNoFullScreenPermission, &ways), retry);
        }
    }
}
