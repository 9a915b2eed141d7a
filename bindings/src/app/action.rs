//! What Kotlin and Swift tell the app.

use super::facts::{
    AppAudioInterruption, AppAudioRoute, AppCameraTrouble, AppNetwork, AppPermissions, AppPhotoOutcome, AppRingerMode,
    AppSavedSignIn, AppSystemCallNews, AppVisibility,
};
use super::state::{AppOutage, AppRecovery, AppTab};
use crate::push::PushRegistration;
use crate::quality::ThermalState;
use chamada::app::{self as core, Action, SystemAction as S, UserAction as U};
use chamada::signaling::message::CallId;

/// What the person does, and what the system tells.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum AppAction {
    /// The app begins, with what it kept: the first action.
    Started {
        /// The last login.
        saved: Option<AppSavedSignIn>,
        /// The history, as `AppEffect.SaveHistory` had it.
        history: Option<String>,
        /// How permissions stand.
        permissions: AppPermissions,
        /// Who is blocked, as `AppEffect.SaveBlocked` had it.
        #[uniffi(default = None)]
        blocked: Option<String>,
        /// Whose devices were checked, as `AppEffect.SaveRemembered` had it.
        #[uniffi(default = None)]
        remembered: Option<String>,
    },
    /// The person logs in.
    SignIn {
        /// The server's address as it was typed.
        server: String,
        /// The name as it was typed.
        name: String,
        /// A token (JWT), where the server wants one.
        token: Option<String>,
    },
    /// The person tries it without a server.
    StartDemo {
        /// The name as it was typed; may be empty.
        name: String,
    },
    /// The person logs out.
    SignOut,
    /// The person looks at this part of the home screen.
    ShowTab {
        /// Which.
        tab: AppTab,
    },
    /// The person looks for people.
    Search {
        /// What was typed.
        text: String,
    },
    /// The person calls somebody.
    Call {
        /// Who.
        to: String,
        /// Whether with the camera.
        video: bool,
    },
    /// The person takes the call that rings.
    Accept {
        /// Whether with the camera.
        video: bool,
    },
    /// The person refuses the call that rings.
    Decline,
    /// The person ends the call, whatever its state.
    HangUp,
    /// Microphone on or off.
    SetMicrophone {
        /// Whether on.
        on: bool,
    },
    /// Camera on or off.
    SetCamera {
        /// Whether on.
        on: bool,
    },
    /// The camera on the other side.
    FlipCamera,
    /// The person puts the call on hold, or takes it up again.
    SetHold {
        /// Whether on hold.
        on: bool,
    },
    /// The person chose a route for sound.
    ChooseAudioRoute {
        /// Which.
        id: String,
    },
    /// The person takes a photo of what the other side sends.
    TakePhoto,
    /// Measurements are shown or hidden.
    ShowStatistics {
        /// Whether shown.
        on: bool,
    },
    /// Full quality on a metered network, or less again.
    SetFullQuality {
        /// Whether full.
        on: bool,
    },
    /// The person says something in the chat.
    Say {
        /// What was typed.
        text: String,
    },
    /// The person wants to hear nothing of somebody any more, or to hear of them again. A call of theirs that rings is refused.
    SetBlocked {
        /// Who.
        name: String,
        /// Whether nothing is to be heard of them.
        block: bool,
    },
    /// The person has compared the words of the call with the other person's, by voice.
    ConfirmVerification {
        /// Whether they are the same.
        same: bool,
    },
    /// The keys of a phone are shown or hidden.
    ShowKeypad {
        /// Whether shown.
        on: bool,
    },
    /// The person presses a key of a phone.
    PressKey {
        /// `0` to `9`, `*`, `#`; what is none does nothing.
        key: String,
    },
    /// The private text of the call is shown or hidden.
    ShowPrivateText {
        /// Whether shown.
        on: bool,
    },
    /// The person writes to the other person of the call alone.
    SendPrivateText {
        /// What was typed.
        text: String,
    },
    /// The person is writing a private text, or not any more. To be said with each change of what is typed.
    SetTyping {
        /// Whether.
        on: bool,
    },
    /// The calls that were are to be forgotten.
    ClearHistory,
    /// A button of a banner.
    Recover {
        /// The banner's `id`.
        banner: u64,
        /// The button's.
        recovery: AppRecovery,
    },
    /// The menu of faults takes a part of the network away, or gives it back.
    SetOutage {
        /// Which part.
        part: AppOutage,
        /// Whether it is away.
        on: bool,
    },
    /// The menu of faults lets the demonstration's peer call.
    BeCalled,
    /// How permissions stand now; to be told when the app comes to the foreground, too.
    PermissionsChanged {
        /// All of them.
        permissions: AppPermissions,
    },
    /// The person answered a question, or nobody could be asked.
    PermissionsAnswered {
        /// The question's, of `AppEffect.AskPermissions`.
        request: u64,
        /// All of them, as they stand now.
        permissions: AppPermissions,
    },
    /// Whether the device has a camera at all.
    CamerasChanged {
        /// There is one.
        available: bool,
    },
    /// The app came to the foreground or left it.
    VisibilityChanged {
        /// Where it is.
        visibility: AppVisibility,
    },
    /// The default network; none if there is none.
    NetworkChanged {
        /// What it is.
        network: Option<AppNetwork>,
    },
    /// How hot the device is.
    ThermalStateChanged {
        /// How hot.
        state: ThermalState,
    },
    /// How the device rings.
    RingerModeChanged {
        /// How.
        mode: AppRingerMode,
    },
    /// Which routes there are for sound, and which is in use.
    AudioRoutesChanged {
        /// All of them.
        routes: Vec<AppAudioRoute>,
        /// The `id` of the one in use.
        current: Option<String>,
    },
    /// Somebody else wants the sound, or gives it back.
    AudioInterrupted {
        /// What happened.
        interruption: AppAudioInterruption,
    },
    /// The system's camera gives no pictures any more, or (none) gives them again.
    CameraTrouble {
        /// Why.
        trouble: Option<AppCameraTrouble>,
    },
    /// Memory is short.
    LowMemory,
    /// The system's calls tell something of this call. What the app itself asked for is not told.
    SystemCall {
        /// The UUID that `AppSystemCall` named.
        call: String,
        /// What.
        news: AppSystemCallNews,
    },
    /// The system's calls forgot everything (`providerDidReset`).
    SystemCallsReset,
    /// A push came. It tells of a call, takes one back, or is one that nobody understands.
    PushReceived {
        /// What it carries, as JSON: FCM's data, UnifiedPush's message, PushKit's dictionary.
        json: String,
    },
    /// The system's push service reaches this device so from now on, or (none) not any more. To be told at each start, too.
    PushRegistrationChanged {
        /// How.
        registration: Option<PushRegistration>,
    },
    /// What became of a photo.
    PhotoSaved {
        /// What.
        outcome: AppPhotoOutcome,
    },
}

/// UUIDs are compared as such: not every system writes them in small letters.
fn call_id(call: &str) -> Option<CallId> {
    call.parse().ok().map(CallId)
}

impl AppAction {
    /// None for what is told of a call that can be none of ours.
    pub(super) fn into_core(self) -> Option<Action> {
        let action = match self {
            Self::SignIn { server, name, token } => U::SignIn { server, name, token: token.map(core::Token) },
            Self::StartDemo { name } => U::StartDemo { name },
            Self::SignOut => U::SignOut,
            Self::ShowTab { tab } => U::ShowTab(tab.into()),
            Self::Search { text } => U::Search(text),
            Self::Call { to, video } => U::Call { to, video },
            Self::Accept { video } => U::Accept { video },
            Self::Decline => U::Decline,
            Self::HangUp => U::HangUp,
            Self::SetMicrophone { on } => U::SetMicrophone(on),
            Self::SetCamera { on } => U::SetCamera(on),
            Self::FlipCamera => U::FlipCamera,
            Self::SetHold { on } => U::SetHold(on),
            Self::ChooseAudioRoute { id } => U::ChooseAudioRoute(id),
            Self::TakePhoto => U::TakePhoto,
            Self::ShowStatistics { on } => U::ShowStatistics(on),
            Self::SetFullQuality { on } => U::SetFullQuality(on),
            Self::Say { text } => U::Say(text),
            Self::SetBlocked { name, block } => U::SetBlocked { name, block },
            Self::ConfirmVerification { same } => U::ConfirmVerification { same },
            Self::ShowKeypad { on } => U::ShowKeypad(on),
            Self::PressKey { key } => U::PressKey(key.chars().next()?),
            Self::ShowPrivateText { on } => U::ShowPrivateText(on),
            Self::SendPrivateText { text } => U::SendPrivateText(text),
            Self::SetTyping { on } => U::SetTyping(on),
            Self::ClearHistory => U::ClearHistory,
            Self::Recover { banner, recovery } => U::Recover { banner, recovery: recovery.into() },
            Self::SetOutage { part, on } => U::SetOutage { part: part.into(), on },
            Self::BeCalled => U::BeCalled,
            system => return system.into_system().map(Action::System),
        };
        Some(Action::User(action))
    }

    fn into_system(self) -> Option<S> {
        Some(match self {
            Self::Started { saved, history, permissions, blocked, remembered } => {
                let (saved, permissions) = (saved.map(Into::into), permissions.into());
                S::Started { saved, history, blocked, remembered, permissions }
            }
            Self::PermissionsChanged { permissions } => S::PermissionsChanged(permissions.into()),
            Self::PermissionsAnswered { request, permissions } => {
                S::PermissionsAnswered { request, permissions: permissions.into() }
            }
            Self::CamerasChanged { available } => S::CamerasChanged { available },
            Self::VisibilityChanged { visibility } => S::VisibilityChanged(visibility.into()),
            Self::NetworkChanged { network } => S::NetworkChanged(network.map(Into::into)),
            Self::ThermalStateChanged { state } => S::ThermalStateChanged(state.into()),
            Self::RingerModeChanged { mode } => S::RingerModeChanged(mode.into()),
            Self::AudioRoutesChanged { routes, current } => {
                S::AudioRoutesChanged { routes: routes.into_iter().map(Into::into).collect(), current }
            }
            Self::AudioInterrupted { interruption } => S::AudioInterrupted(interruption.into()),
            Self::CameraTrouble { trouble } => S::CameraTrouble(trouble.map(Into::into)),
            Self::LowMemory => S::LowMemory,
            Self::SystemCall { call, news } => S::Call { call: call_id(&call)?, news: news.into() },
            Self::SystemCallsReset => S::CallsReset,
            Self::PushReceived { json } => S::PushReceived(core::read_push(&json)),
            Self::PushRegistrationChanged { registration } => S::PushRegistrationChanged(registration.map(Into::into)),
            Self::PhotoSaved { outcome } => S::PhotoSaved(outcome.into()),
            _ => return None,
        })
    }
}
