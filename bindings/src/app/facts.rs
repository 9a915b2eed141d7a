//! What the system is like, as Kotlin and Swift tell it.

use super::call_view::AppAudioRouteKind;
use chamada::app as core;

/// A login that is kept, where only the app can read it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppSavedSignIn {
    /// The server's address as it was typed.
    pub server: String,
    /// The name.
    pub name: String,
    /// The token, if one was shown; never written to a log.
    pub token: Option<String>,
    /// Whether to log in at the next start.
    pub stay: bool,
}

impl std::fmt::Debug for AppSavedSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppSavedSignIn").field("server", &self.server).field("name", &self.name).finish_non_exhaustive()
    }
}

/// How things stand with what the system guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct AppPermissions {
    /// Cameras.
    pub camera: AppPermissionStatus,
    /// The microphone.
    pub microphone: AppPermissionStatus,
    /// Telling of calls while the app is not in front.
    pub notifications: AppPermissionStatus,
    /// Showing a call over a locked screen.
    pub full_screen_intent: AppPermissionStatus,
}

/// How things stand with one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppPermissionStatus {
    /// The system asks the person if the app does: not asked yet, or (on Android) refused once.
    Undecided,
    /// Allowed, or nothing that this system guards.
    Granted,
    /// Refused, so that mostly the system's settings alone can change it.
    Denied,
}

/// Whether the app is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppVisibility {
    /// It is.
    Foreground,
    /// It is not.
    Background,
    /// A small picture over other apps is, and the system lets the camera run for it.
    PictureInPicture,
}

/// A network, as the system describes it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppNetwork {
    /// The system's name for it: Android's network handle, the names of the interfaces in use on iOS.
    pub id: String,
    /// This device's addresses in it; none where the system does not say.
    pub addresses: Vec<String>,
    /// Whether it costs money, or is to be spared for another reason.
    pub metered: bool,
}

/// How the device rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppRingerMode {
    /// Aloud.
    Normal,
    /// By vibration alone.
    Vibrate,
    /// Not at all.
    Silent,
}

/// A route for sound.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppAudioRoute {
    /// The system's name for it while it is there.
    pub id: String,
    /// What it is.
    pub kind: AppAudioRouteKind,
    /// The device's own name where it has one.
    pub name: Option<String>,
}

/// What the system says about the app's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppAudioInterruption {
    /// Somebody else sounds for a while; the system gives it back by itself.
    Began,
    /// It is ours again.
    Ended,
    /// Somebody else took it for good.
    Lost,
    /// The system's media services died and came back.
    ServicesReset,
}

/// Why the system's camera gives no pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppCameraTrouble {
    /// Another app has it, or took it.
    InUse,
    /// The person, or whoever administers the device, does not allow it.
    NotAllowed,
    /// There is none, or not this one any more.
    Gone,
    /// It is there and does not work.
    Broken,
    /// The system paused it and will give it back.
    Paused,
    /// The device is too hot for it.
    Hot,
}

/// What the system's calls tell of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppSystemCallNews {
    /// They have it, with its sound.
    Taken,
    /// They do not let it be.
    Refused,
    /// Answered on the system's screen, a headset, a watch or in a car.
    Answered {
        /// Whether with the camera.
        video: bool,
    },
    /// Ended there.
    Ended,
    /// Muted there, or not any more.
    Muted {
        /// Whether.
        muted: bool,
    },
    /// On hold for another call, or taken up again.
    Held {
        /// Whether.
        held: bool,
    },
    /// The person wants it to ring no more, and did not refuse it.
    Silenced,
}

/// What became of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppPhotoOutcome {
    /// It is among the person's.
    Saved,
    /// The system does not allow it.
    NotAllowed,
    /// It did not work.
    Failed,
}

same_cases!(AppPermissionStatus => core::PermissionStatus { Undecided, Granted, Denied });
same_fields!(AppPermissions => core::Permissions { camera, microphone, notifications, full_screen_intent });
same_fields!(AppNetwork => core::Network { id, addresses, metered });
same_cases!(AppRingerMode => core::RingerMode { Normal, Vibrate, Silent });
same_cases!(AppAudioInterruption => core::AudioInterruption { Began, Ended, Lost, ServicesReset });
same_cases!(AppCameraTrouble => core::CameraTrouble { InUse, NotAllowed, Gone, Broken, Paused, Hot });
same_cases!(AppPhotoOutcome => core::PhotoOutcome { Saved, NotAllowed, Failed });

impl From<AppAudioRoute> for core::AudioRoute {
    fn from(AppAudioRoute { id, kind, name }: AppAudioRoute) -> Self {
        Self { id, kind: kind.into(), name }
    }
}

impl From<AppSavedSignIn> for core::SavedSignIn {
    fn from(AppSavedSignIn { server, name, token, stay }: AppSavedSignIn) -> Self {
        Self { server, name, token: token.map(core::Token), stay }
    }
}

impl From<core::SavedSignIn> for AppSavedSignIn {
    fn from(core::SavedSignIn { server, name, token, stay }: core::SavedSignIn) -> Self {
        Self { server, name, token: token.map(|token| token.0), stay }
    }
}

impl From<AppVisibility> for core::Visibility {
    fn from(visibility: AppVisibility) -> Self {
        match visibility {
            AppVisibility::Foreground => Self::Foreground,
            AppVisibility::Background => Self::Background { camera_allowed: false },
            AppVisibility::PictureInPicture => Self::Background { camera_allowed: true },
        }
    }
}

impl From<AppSystemCallNews> for core::SystemCallNews {
    fn from(news: AppSystemCallNews) -> Self {
        match news {
            AppSystemCallNews::Taken => Self::Taken,
            AppSystemCallNews::Refused => Self::Refused,
            AppSystemCallNews::Answered { video } => Self::Answered { video },
            AppSystemCallNews::Ended => Self::Ended,
            AppSystemCallNews::Muted { muted } => Self::Muted(muted),
            AppSystemCallNews::Held { held } => Self::Held(held),
            AppSystemCallNews::Silenced => Self::Silenced,
        }
    }
}
