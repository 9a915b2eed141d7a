//! What merely follows from the state: whether it rings, whether the camera is open, what the service shows. Computed anew after each
//! action and compared with what was done last, so that no way out of a state can forget to switch something off.

use super::action::RingerMode;
use super::audio_route::AudioRouteKind;
use super::calls::Call;
use super::effect::{AudioUse, CallService, ClientCommand, Effect};
use super::reducer::App;
use super::state::CallPhase;
use super::system_calls::Wanted;
use crate::media::video::ThermalState;
use crate::signaling::message::CallId;

/// What the client was told last; the defaults are those that a client begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ClientLevels {
    microphone: bool,
    camera: bool,
    /// The call that is on hold.
    held: Option<CallId>,
    low_data: bool,
    thermal: ThermalState,
}

impl Default for ClientLevels {
    fn default() -> Self {
        Self { microphone: true, camera: true, held: None, low_data: false, thermal: ThermalState::Nominal }
    }
}

/// What the system was told last; the defaults are those of an app without a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Levels {
    audio: Option<AudioUse>,
    service: Option<CallService>,
    ring: bool,
    vibrate: bool,
    ringback: bool,
    silent: bool,
    proximity: bool,
    keep_screen_on: bool,
    show_when_locked: bool,
}

impl App {
    /// Brings client, system and the system's calls to where the state is.
    pub(super) fn settle(&mut self) {
        self.follow_client();
        self.follow_push();
        self.follow_system();
        let effects = self.system_calls.follow(wanted(self), self.last_end);
        for effect in effects {
            self.push(Effect::SystemCall(effect));
        }
        if self.call.as_ref().is_some_and(Call::uses_devices) {
            self.routes.set_video(self.shows_video());
            if let Some(route) = self.routes.take_selection() {
                self.push(Effect::SelectAudioRoute(route));
            }
        }
    }

    fn shows_video(&self) -> bool {
        let remote = |call: &Call| call.connected.is_some() && call.remote_video;
        self.camera.is_wanted() || self.call.as_ref().is_some_and(remote)
    }

    /// Whether the camera is to be open, as far as the app has a say in it.
    fn camera_is_on(&self) -> bool {
        let allowed = self.permissions().camera.is_granted();
        self.camera.is_on(allowed, self.visibility, self.hold.is_held())
    }

    /// Before a call begins, too, so that it begins as it is to be.
    pub(super) fn follow_client(&mut self) {
        if !self.session.is_logged_in() {
            return;
        }
        let before = self.client_levels;
        let mut now = ClientLevels { low_data: self.network.sends_less(), thermal: self.thermal, ..before };
        if self.call.is_some() {
            now.microphone = self.microphone && !self.hold.is_held();
            now.camera = self.camera_is_on();
        }
        let held = |call: &&Call| call.is_accepted() && self.hold.is_held();
        now.held = self.call.as_ref().filter(held).and_then(|call| call.id);
        self.client_levels = now;
        self.tell_hold(before.held, now.held);
        if now.low_data != before.low_data {
            self.command(ClientCommand::SetLowData(now.low_data));
        }
        if now.thermal != before.thermal {
            self.command(ClientCommand::SetThermalState(now.thermal));
        }
        if now.microphone != before.microphone {
            self.command(ClientCommand::SetMicrophone(now.microphone));
        }
        // The client takes a camera that failed for one that is on.
        let reopen = now.camera && self.camera.take_reopen();
        if reopen && before.camera {
            self.command(ClientCommand::SetCamera(false));
        }
        if reopen || now.camera != before.camera {
            self.command(ClientCommand::SetCamera(now.camera));
        }
    }

    /// Before a call is accepted the client knows no hold, and what is not to be heard is switched off.
    fn tell_hold(&mut self, before: Option<CallId>, now: Option<CallId>) {
        if before == now {
            return;
        }
        let known = self.call.as_ref().and_then(|call| call.id);
        if let Some(call) = before.filter(|call| known == Some(*call)) {
            self.command(ClientCommand::SetHeld { call, on: false });
        }
        if let Some(call) = now {
            self.command(ClientCommand::SetHeld { call, on: true });
        }
    }

    fn follow_system(&mut self) {
        let now = self.levels();
        let before = std::mem::replace(&mut self.levels, now.clone());
        // What begins with a call comes before what it is heard by, and ends after it.
        let switches = [
            (before.ring, now.ring, Effect::Ring as fn(bool) -> Effect),
            (before.vibrate, now.vibrate, Effect::Vibrate),
            (before.silent, now.silent, Effect::SilenceSpeaker),
            (before.proximity, now.proximity, Effect::Proximity),
            (before.keep_screen_on, now.keep_screen_on, Effect::KeepScreenOn),
            (before.show_when_locked, now.show_when_locked, Effect::ShowWhenLocked),
        ];
        for (before, now, effect) in switches {
            if before != now {
                self.push(effect(now));
            }
        }
        if before.ringback && !now.ringback {
            self.push(Effect::Ringback(false));
        }
        if before.service != now.service {
            self.push(Effect::CallService(now.service));
        }
        if before.audio != now.audio {
            self.push(Effect::AudioSession(now.audio));
        }
        if !before.ringback && now.ringback {
            self.push(Effect::Ringback(true));
        }
    }

    fn levels(&self) -> Levels {
        let announced = self.announced.as_ref().filter(|announced| !announced.refused);
        let call = self.call.as_ref().filter(|call| call.phase != CallPhase::Ending);
        let used = call.filter(|call| call.uses_devices());
        let held = used.is_some() && self.hold.is_held();
        let video = self.shows_video();
        let rings_aloud = announced.is_some_and(|announced| announced.rings() && !announced.silenced)
            || call.is_some_and(|call| call.rings() && !call.silenced);
        let rings_aloud = rings_aloud && !self.config.system_rings;
        let at_ear = self.routes.current().is_some_and(|route| route.kind == AudioRouteKind::Earpiece);
        Levels {
            audio: used.map(|_| AudioUse { video }),
            service: self.service(),
            ring: rings_aloud && self.ringer == RingerMode::Normal,
            vibrate: rings_aloud && self.ringer != RingerMode::Silent,
            ringback: used.is_some_and(|call| call.phase == CallPhase::RingingRemotely) && !held,
            silent: held,
            proximity: used.is_some() && at_ear && !held,
            keep_screen_on: used.is_some() && video && !at_ear && self.visibility.is_foreground(),
            show_when_locked: announced.is_some() || call.is_some(),
        }
    }

    fn service(&self) -> Option<CallService> {
        if let Some(announced) = self.announced.as_ref().filter(|announced| !announced.refused) {
            let with = announced.from.clone();
            let ringing = announced.rings();
            return Some(CallService { ringing, with, since_ms: None, camera: false, microphone: false });
        }
        let call = self.call.as_ref().filter(|call| call.phase != CallPhase::Ending)?;
        let used = call.uses_devices();
        Some(CallService {
            ringing: !used,
            with: call.with.clone(),
            since_ms: call.connected.map(|(_, since_ms)| since_ms),
            camera: used && self.camera.is_wanted() && self.permissions().camera.is_granted(),
            microphone: used,
        })
    }
}

/// The call of the moment, as the system's calls are to see it; none once it is being ended.
fn wanted(app: &App) -> Option<Wanted> {
    if let Some(announced) = app.announced.as_ref().filter(|announced| !announced.refused) {
        let (id, with) = (announced.id, Some(announced.from.clone()));
        let answered = announced.answered.is_some();
        return Some(Wanted { id, with, outgoing: false, phase: CallPhase::Ringing, muted: false, answered });
    }
    let call = app.call.as_ref().filter(|call| call.phase != CallPhase::Ending)?;
    let (with, outgoing, phase) = (Some(call.with.clone()), call.outgoing, call.phase);
    let (muted, answered) = (!app.microphone, call.answered);
    Some(Wanted { id: call.system_id?, with, outgoing, phase, muted, answered })
}
