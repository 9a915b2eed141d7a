//! What is left to Kotlin and Swift to be done.

use super::facts::AppSavedSignIn;
use crate::push::PushPlatform;
use chamada::app as core;

/// Something to be done. Those with a value (`Ring(on: true)`) say how it is to be from now on.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum AppEffect {
    /// Tell the system's calls (CallKit, Telecom).
    SystemCall {
        /// What.
        told: AppSystemCall,
    },
    /// Ask the person for these; `AppAction.PermissionsAnswered` tells the answer, also where nobody can be asked.
    AskPermissions {
        /// Goes into the answer.
        request: u64,
        /// What for.
        permissions: Vec<AppPermission>,
    },
    /// Open the system's settings.
    OpenSettings {
        /// Which page.
        page: AppSettingsPage,
    },
    /// Put the cursor there.
    Focus {
        /// Where.
        field: AppField,
    },
    /// The call is kept alive while the app is not in front, and shown by a notification; none: not any more. Android's foreground
    /// service; iOS has nothing to do.
    CallService {
        /// What it shows.
        service: Option<AppCallService>,
    },
    /// The call's audio session: focus, mode and category.
    StartAudio {
        /// Pictures are shown along with it.
        video: bool,
    },
    /// It is given back.
    StopAudio,
    /// Ask for the sound that somebody else took, and set up what the system forgot.
    ReclaimAudio,
    /// Send sound this way.
    SelectAudioRoute {
        /// Of the routes that were told.
        id: String,
    },
    /// The ringtone.
    Ring {
        /// Whether it sounds.
        on: bool,
    },
    /// Vibrate as for a call.
    Vibrate {
        /// Whether.
        on: bool,
    },
    /// The tone that says that it rings at the other end.
    Ringback {
        /// Whether it sounds.
        on: bool,
    },
    /// What the other side says is not to be heard.
    SilenceSpeaker {
        /// Whether.
        on: bool,
    },
    /// Switch the screen off at the ear.
    Proximity {
        /// Whether.
        on: bool,
    },
    /// The screen does not go dark by itself.
    KeepScreenOn {
        /// Whether.
        on: bool,
    },
    /// The app is shown over a locked screen.
    ShowWhenLocked {
        /// Whether.
        on: bool,
    },
    /// Tell of a call that was missed, by a notification.
    NotifyMissedCall {
        /// Names the notification.
        call: String,
        /// Who called.
        from: String,
        /// When, in milliseconds since 1970.
        at_ms: u64,
    },
    /// The server can ring this device: ask the system's push service for what reaches it, and tell
    /// `AppAction.PushRegistrationChanged`.
    RequestPushToken {
        /// What the server can send pushes by.
        platforms: Vec<PushPlatform>,
        /// The server's VAPID public key (RFC 8292), which UnifiedPush needs: base64url.
        application_server_key: Option<String>,
    },
    /// The person has seen what was missed.
    ClearMissedCalls,
    /// Put the bytes of a JPEG file among the person's photos; `AppAction.PhotoSaved` tells what became of it.
    SavePhoto {
        /// The bytes.
        jpeg: Vec<u8>,
    },
    /// Keep the login, where only this app can read it.
    SaveSignIn {
        /// The login.
        saved: AppSavedSignIn,
    },
    /// Keep who is blocked for the next start.
    SaveBlocked {
        /// To be given back as it is.
        json: String,
    },
    /// Keep whose devices were checked for the next start, where only this app can read it and no backup takes it along.
    SaveRemembered {
        /// To be given back as it is.
        json: String,
    },
    /// Keep the history for the next start.
    SaveHistory {
        /// To be given back as it is.
        json: String,
    },
}

/// What the system guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppPermission {
    /// Cameras.
    Camera,
    /// The microphone.
    Microphone,
    /// Telling of calls while the app is not in front.
    Notifications,
    /// Showing a call over a locked screen; it is never asked for by a dialog.
    FullScreenIntent,
}

/// A page of the system's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppSettingsPage {
    /// This app's.
    App,
    /// Whether this app may show calls over a locked screen.
    FullScreenIntent,
}

/// Where people write something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppField {
    /// The server's address.
    Server,
    /// The name.
    Name,
    /// The chat.
    Chat,
}

/// What the service for a call shows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppCallService {
    /// It rings here; else it goes on.
    pub ringing: bool,
    /// Who is at the other end.
    pub with: String,
    /// When it was connected first, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Whether the camera is in use, which Android wants to know of a service.
    pub camera: bool,
    /// Whether the microphone is.
    pub microphone: bool,
}

/// What the system's calls are to be told. At most one call is theirs at a time.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum AppSystemCall {
    /// It rings here.
    Incoming {
        /// A UUID, which names it from now on.
        call: String,
        /// Who calls; none if a push did not say.
        from: Option<String>,
    },
    /// This side calls.
    Outgoing {
        /// A UUID, which names it from now on.
        call: String,
        /// Who is called.
        to: String,
    },
    /// Who calls turned out to be another.
    Renamed {
        /// Which.
        call: String,
        /// Who calls.
        from: String,
    },
    /// Answered in the app: the system is to know before sound begins.
    Answered {
        /// Which.
        call: String,
    },
    /// The path is being found.
    Connecting {
        /// Which.
        call: String,
    },
    /// Sound and pictures flow.
    Connected {
        /// Which.
        call: String,
    },
    /// Muted in the app, or not any more.
    Muted {
        /// Which.
        call: String,
        /// Whether.
        muted: bool,
    },
    /// The person wants it on hold, or taken up again; the system tells when it is.
    RequestHold {
        /// Which.
        call: String,
        /// Whether on hold.
        held: bool,
    },
    /// It is over.
    Ended {
        /// Which.
        call: String,
        /// Why.
        reason: AppSystemEnd,
    },
}

/// Why a call ended, in the terms of `CXCallEndedReason` and `DisconnectCause`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppSystemEnd {
    /// This side hung up.
    Local,
    /// This side refused it.
    Rejected,
    /// The other side hung up.
    Remote,
    /// This side did not answer in time.
    Missed,
    /// The other side did not answer.
    Unanswered,
    /// The other side refused or is in another call.
    Busy,
    /// Answered on another device of this person.
    AnsweredElsewhere,
    /// It could not go on.
    Failed,
}

same_cases!(core::Permission => AppPermission { Camera, Microphone, Notifications, FullScreenIntent });
same_cases!(core::SettingsPage => AppSettingsPage { App, FullScreenIntent });
same_cases!(core::Field => AppField { Server, Name, Chat });
same_fields!(core::CallService => AppCallService { ringing, with, since_ms, camera, microphone });
same_cases!(core::SystemEndReason => AppSystemEnd {
    Local, Rejected, Remote, Missed, Unanswered, Busy, AnsweredElsewhere, Failed,
});

impl AppEffect {
    /// None for what is done in here.
    pub(super) fn from_core(effect: core::Effect) -> Option<Self> {
        use core::Effect as E;
        Some(match effect {
            E::Client(_) => return None,
            E::SystemCall(told) => Self::SystemCall { told: told.into() },
            E::AskPermissions { request, permissions } => {
                Self::AskPermissions { request, permissions: permissions.into_iter().map(Into::into).collect() }
            }
            E::OpenSettings(page) => Self::OpenSettings { page: page.into() },
            E::Focus(field) => Self::Focus { field: field.into() },
            E::CallService(service) => Self::CallService { service: service.map(Into::into) },
            E::AudioSession(Some(core::AudioUse { video })) => Self::StartAudio { video },
            E::AudioSession(None) => Self::StopAudio,
            E::ReclaimAudio => Self::ReclaimAudio,
            E::SelectAudioRoute(id) => Self::SelectAudioRoute { id },
            E::Ring(on) => Self::Ring { on },
            E::Vibrate(on) => Self::Vibrate { on },
            E::Ringback(on) => Self::Ringback { on },
            E::SilenceSpeaker(on) => Self::SilenceSpeaker { on },
            E::Proximity(on) => Self::Proximity { on },
            E::KeepScreenOn(on) => Self::KeepScreenOn { on },
            E::ShowWhenLocked(on) => Self::ShowWhenLocked { on },
            E::NotifyMissedCall { call, from, at_ms } => Self::NotifyMissedCall { call: call.to_string(), from, at_ms },
            E::RequestPushToken(core::ServerPush { platforms, application_server_key }) => Self::RequestPushToken {
                platforms: platforms.into_iter().filter_map(PushPlatform::from_core).collect(),
                application_server_key,
            },
            E::ClearMissedCalls => Self::ClearMissedCalls,
            E::SavePhoto(jpeg) => Self::SavePhoto { jpeg },
            E::SaveSignIn(saved) => Self::SaveSignIn { saved: saved.into() },
            E::SaveBlocked(json) => Self::SaveBlocked { json },
            E::SaveRemembered(json) => Self::SaveRemembered { json },
            E::SaveHistory(json) => Self::SaveHistory { json },
        })
    }
}

impl From<core::SystemCallEffect> for AppSystemCall {
    fn from(effect: core::SystemCallEffect) -> Self {
        use core::SystemCallEffect as E;
        match effect {
            E::Incoming { call, from } => Self::Incoming { call: call.to_string(), from },
            E::Outgoing { call, to } => Self::Outgoing { call: call.to_string(), to },
            E::Renamed { call, from } => Self::Renamed { call: call.to_string(), from },
            E::Answered(call) => Self::Answered { call: call.to_string() },
            E::Connecting(call) => Self::Connecting { call: call.to_string() },
            E::Connected(call) => Self::Connected { call: call.to_string() },
            E::Muted { call, muted } => Self::Muted { call: call.to_string(), muted },
            E::RequestHold { call, held } => Self::RequestHold { call: call.to_string(), held },
            E::Ended { call, reason } => Self::Ended { call: call.to_string(), reason: reason.into() },
        }
    }
}
