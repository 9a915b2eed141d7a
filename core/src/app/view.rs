//! From what the app remembers to what is drawn.

use super::audio_route::AudioRouteKind;
use super::calls::Call;
use super::hold::Hold;
use super::name::initial;
use super::quality;
use super::reducer::{App, Session};
use super::state::{AppState, AudioRouteView, CallPhase, CallView, PeopleView, PersonView, Screen, SignInView, Tab};
use super::system_calls::Announced;
use super::text::{Message, TextKey};

/// Before there is anything to see.
pub(super) fn empty() -> AppState {
    AppState {
        screen: Screen::SignIn,
        sign_in: SignInView { server: String::new(), name: String::new(), busy: false, demo: false },
        me: None,
        online: false,
        demo: false,
        tab: Tab::default(),
        people: PeopleView::default(),
        missed_calls: 0,
        unread_chat: 0,
        call: None,
        banners: Vec::new(),
        outages: Vec::new(),
    }
}

impl App {
    pub(super) fn view(&self) -> AppState {
        let call = self.announced_view().or_else(|| self.call.as_ref().map(|call| self.call_view(call)));
        let screen = match &call {
            Some(call) if call.phase == CallPhase::Ringing => Screen::Incoming,
            Some(_) => Screen::InCall,
            None if self.session.is_logged_in() => Screen::Home,
            None => Screen::SignIn,
        };
        AppState {
            screen,
            sign_in: self.sign_in_view(),
            me: self.me.clone(),
            online: matches!(self.session, Session::Online(_)),
            demo: self.demo,
            tab: self.tab,
            people: self.people_view(),
            missed_calls: self.missed,
            unread_chat: self.unread,
            call,
            banners: self.banners.all().cloned().collect(),
            outages: self.outages.iter().copied().collect(),
        }
    }

    fn sign_in_view(&self) -> SignInView {
        let tried = self.address.as_ref().map(|(address, _)| (address.server.clone(), address.name.clone()));
        let saved = self.saved.as_ref().map(|saved| (saved.server.clone(), saved.name.clone()));
        let (server, name) = tried.or(saved).unwrap_or_default();
        let busy = matches!(self.session, Session::Starting(_) | Session::Connecting(_));
        SignInView { server, name, busy, demo: self.config.demo }
    }

    fn people_view(&self) -> PeopleView {
        let wanted = self.search.trim().to_lowercase();
        let here = || self.names.iter().filter(|name| Some(*name) != self.me.as_ref()).map(|name| (name, false));
        let others = || here().chain(self.away.iter().map(|name| (name, true)));
        let fits = |(name, _): &(&String, bool)| wanted.is_empty() || name.to_lowercase().contains(&wanted);
        let person = |(name, away): (&String, bool)| PersonView {
            name: name.clone(),
            initial: initial(name),
            away,
            blocked: self.blocked.contains(name),
        };
        let people: Vec<_> = others().filter(fits).map(person).collect();
        let empty = match (people.is_empty(), others().next().is_some()) {
            (false, _) => None,
            (true, true) => Some(TextKey::PeopleNoMatch.into()),
            (true, false) => Some(TextKey::PeopleNobody.into()),
        };
        PeopleView { search: self.search.clone(), people, empty }
    }

    fn announced_view(&self) -> Option<CallView> {
        let announced = self.announced.as_ref().filter(|announced| !announced.refused)?;
        let Announced { id, from, answered, .. } = announced;
        let with = from.clone();
        let ringing = answered.is_none();
        let phase = if ringing { CallPhase::Ringing } else { CallPhase::Connecting };
        let status = if ringing { TextKey::CallRingingHere } else { TextKey::CallConnecting };
        Some(CallView {
            id: Some(*id),
            initial: initial(&with),
            with,
            outgoing: false,
            video: answered.unwrap_or(true),
            phase,
            status: Some(status.into()),
            quality: None,
            verification: None,
            keypad: None,
            private_text: None,
            since_ms: None,
            can_answer: ringing,
            microphone_on: true,
            camera_on: false,
            can_flip: false,
            shows_preview: false,
            mirrors_preview: false,
            shows_remote: false,
            held: false,
            sound_elsewhere: false,
            can_shrink: false,
            audio_routes: Vec::new(),
            shows_statistics: false,
            low_data: false,
            full_quality: false,
        })
    }

    fn call_view(&self, call: &Call) -> CallView {
        let used = call.uses_devices();
        let held = used && self.hold.is_held();
        let goes_on = matches!(call.phase, CallPhase::Connected | CallPhase::Reconnecting);
        // Answered and not heard of yet, it is no longer one to be answered.
        let phase = if call.phase == CallPhase::Ringing && call.answered { CallPhase::Connecting } else { call.phase };
        let status = status(call, phase, &self.hold);
        let quality =
            quality::message(call.quality, &call.with).filter(|_| call.phase == CallPhase::Connected && !held);
        let camera_on = used && self.camera.is_wanted();
        CallView {
            id: call.system_id,
            with: call.with.clone(),
            initial: initial(&call.with),
            outgoing: call.outgoing,
            video: call.video,
            phase,
            status,
            quality,
            keypad: goes_on.then(|| call.keypad.view()),
            private_text: call.private.view(&call.with, call.phase == CallPhase::Connected).filter(|_| goes_on),
            verification: call.check.filter(|_| used).map(|check| check.view(&call.with)),
            since_ms: call.connected.map(|(_, since_ms)| since_ms),
            can_answer: call.rings(),
            microphone_on: self.microphone,
            camera_on,
            can_flip: camera_on && call.can_flip && !held,
            shows_preview: camera_on && !held,
            mirrors_preview: call.facing.is_some_and(crate::FacingMode::mirrors_preview),
            shows_remote: goes_on && call.remote_video && !held,
            held,
            sound_elsewhere: used && self.hold.is_taken(),
            can_shrink: goes_on,
            audio_routes: if used { self.route_views() } else { Vec::new() },
            shows_statistics: self.shows_statistics,
            low_data: self.network.is_metered(),
            full_quality: self.network.is_lifted(),
        }
    }

    fn route_views(&self) -> Vec<AudioRouteView> {
        let current = self.routes.current().map(|route| route.id.as_str());
        let view = |route: &super::AudioRoute| AudioRouteView {
            id: route.id.clone(),
            kind: route.kind,
            name: route.name.clone(),
            label: route_label(route.kind),
            selected: current == Some(route.id.as_str()),
        };
        self.routes.routes().iter().map(view).collect()
    }
}

/// The one line that says where the call stands; none while all is well.
fn status(call: &Call, phase: CallPhase, hold: &Hold) -> Option<Message> {
    if call.uses_devices() && hold.is_held() {
        let elsewhere = hold.is_taken() && !hold.is_managed();
        return Some(if elsewhere { TextKey::CallSoundElsewhere.into() } else { TextKey::CallOnHold.into() });
    }
    Some(match phase {
        CallPhase::Ringing => TextKey::CallRingingHere.into(),
        CallPhase::Calling => TextKey::CallCalling.into(),
        CallPhase::RingingRemotely => TextKey::CallRingingThere.into(),
        CallPhase::RingingByPush => TextKey::CallRingingByPush.into(),
        CallPhase::Connecting => TextKey::CallConnecting.into(),
        CallPhase::Reconnecting => TextKey::CallReconnecting.into(),
        CallPhase::Ending => TextKey::CallEnding.into(),
        CallPhase::Connected if call.remote_held => Message::about(TextKey::CallHeldThere, &call.with),
        CallPhase::Connected if !call.remote_video => Message::about(TextKey::CallCameraOffThere, &call.with),
        CallPhase::Connected if !call.remote_microphone => Message::about(TextKey::CallMutedThere, &call.with),
        CallPhase::Connected => return None,
    })
}

fn route_label(kind: AudioRouteKind) -> TextKey {
    match kind {
        AudioRouteKind::Earpiece => TextKey::RouteEarpiece,
        AudioRouteKind::Speaker => TextKey::RouteSpeaker,
        AudioRouteKind::Wired => TextKey::RouteWired,
        AudioRouteKind::Bluetooth => TextKey::RouteBluetooth,
        AudioRouteKind::Car => TextKey::RouteCar,
        AudioRouteKind::Other => TextKey::RouteOther,
    }
}
