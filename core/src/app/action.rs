//! What goes into the app: what the person does, what the system tells, what the client tells, and the time.

use super::audio_route::AudioRoute;
use super::banner::Recovery;
use super::camera::{CameraTrouble, Visibility};
use super::client_news::ClientNews;
use super::hold::AudioInterruption;
use super::network::Network;
use super::permissions::Permissions;
use super::state::{OutagePart, Tab};
use crate::media::video::ThermalState;
use crate::signaling::message::{CallId, PushRegister, PushedCall};
use std::fmt;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Action {
    /// The person did something.
    User(UserAction),
    /// The system tells something.
    System(SystemAction),
    /// The client tells something.
    Client {
        /// The session that it belongs to, as [`super::ClientCommand::Connect`] named it; what an earlier one tells is ignored.
        session: u64,
        /// What.
        news: ClientNews,
    },
    /// The time of [`super::App::next_wake`] has come.
    Tick,
}

/// Says who this is, where the server lets in only who shows one (a JWT, RFC 7519). Never written to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// A login that is kept on the device, where only this app can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSignIn {
    /// The server's address as it was typed.
    pub server: String,
    /// The name.
    pub name: String,
    /// The token, if one was shown.
    pub token: Option<Token>,
    /// Whether to log in at the next start: not after a logout.
    pub stay: bool,
}

/// What the person does.
#[derive(Debug, Clone, PartialEq)]
pub enum UserAction {
    /// Log in.
    SignIn {
        /// The server's address as it was typed.
        server: String,
        /// The name as it was typed.
        name: String,
        /// The token, if there is one.
        token: Option<Token>,
    },
    /// Try it without a server: one inside the app, with somebody synthetic to be called.
    StartDemo {
        /// The name as it was typed; may be empty.
        name: String,
    },
    /// Log out, which ends a call.
    SignOut,
    /// Look at this part of the home screen.
    ShowTab(Tab),
    /// Look for people.
    Search(String),
    /// Call somebody.
    Call {
        /// Who.
        to: String,
        /// Whether with the camera.
        video: bool,
    },
    /// Take the call that rings.
    Accept {
        /// Whether with the camera.
        video: bool,
    },
    /// Refuse the call that rings.
    Decline,
    /// End the call, whatever its state.
    HangUp,
    /// Microphone on or off.
    SetMicrophone(bool),
    /// Camera on or off.
    SetCamera(bool),
    /// The camera on the other side.
    FlipCamera,
    /// Put the call on hold, or take it up again.
    SetHold(bool),
    /// This route for sound, of those that are offered.
    ChooseAudioRoute(String),
    /// Take a photo of what the other side sends.
    TakePhoto,
    /// Show or hide what is measured.
    ShowStatistics(bool),
    /// Send full quality on a metered network, or less again.
    SetFullQuality(bool),
    /// Say something in the chat.
    Say(String),
    /// Hear nothing of somebody any more, or hear of them again.
    SetBlocked {
        /// Who. A call of theirs that rings is refused.
        name: String,
        /// Whether nothing is to be heard of them.
        block: bool,
    },
    /// Say whether the other person sees the same words, compared by voice ([`super::VerificationView`]).
    ConfirmVerification {
        /// Whether they are the same.
        same: bool,
    },
    /// Show or hide the keys of a phone.
    ShowKeypad(bool),
    /// Press a key of a phone: `0` to `9`, `*`, `#`.
    PressKey(char),
    /// Show or hide the private text of the call.
    ShowPrivateText(bool),
    /// Write to the other person of the call alone.
    SendPrivateText(String),
    /// Writing a private text, or not any more. To be said with each change of what is typed.
    SetTyping(bool),
    /// Forget the calls that were.
    ClearHistory,
    /// A button of a banner.
    Recover {
        /// Which banner.
        banner: u64,
        /// Which button.
        recovery: Recovery,
    },
    /// Take a part of the network away on purpose, or give it back: the menu of faults.
    SetOutage {
        /// Which part.
        part: OutagePart,
        /// Whether it is away.
        on: bool,
    },
    /// Let the demonstration's peer call.
    BeCalled,
}

/// What the system tells.
#[derive(Debug, Clone, PartialEq)]
pub enum SystemAction {
    /// The app begins, with what it kept.
    Started {
        /// The last login.
        saved: Option<SavedSignIn>,
        /// The history, as [`super::Effect::SaveHistory`] had it.
        history: Option<String>,
        /// Who is blocked, as [`super::Effect::SaveBlocked`] had it.
        blocked: Option<String>,
        /// Whose devices were checked, as [`super::Effect::SaveRemembered`] had it.
        remembered: Option<String>,
        /// How permissions stand.
        permissions: Permissions,
    },
    /// How permissions stand now; to be told when the app comes to the foreground, too.
    PermissionsChanged(Permissions),
    /// The person answered a question, or nobody could be asked.
    PermissionsAnswered {
        /// The question's number, of [`super::Effect::AskPermissions`].
        request: u64,
        /// How permissions stand now.
        permissions: Permissions,
    },
    /// Whether the device has a camera at all.
    CamerasChanged {
        /// There is one.
        available: bool,
    },
    /// The app came to the foreground or left it.
    VisibilityChanged(Visibility),
    /// The default network is this now; none if there is none.
    NetworkChanged(Option<Network>),
    /// How hot the device is.
    ThermalStateChanged(ThermalState),
    /// How the device rings.
    RingerModeChanged(RingerMode),
    /// Which routes there are for sound, and which is in use.
    AudioRoutesChanged {
        /// All of them.
        routes: Vec<AudioRoute>,
        /// The identifier of the one in use.
        current: Option<String>,
    },
    /// Somebody else wants the sound, or gives it back.
    AudioInterrupted(AudioInterruption),
    /// The system's camera gives no pictures any more, or (none) gives them again.
    CameraTrouble(Option<CameraTrouble>),
    /// Memory is short.
    LowMemory,
    /// The system's calls (CallKit, Telecom) tell something of this call. What the app itself asked for is not told.
    Call {
        /// Which, as [`super::SystemCallEffect`] named it.
        call: CallId,
        /// What.
        news: SystemCallNews,
    },
    /// The system's calls forgot everything (`providerDidReset`).
    CallsReset,
    /// A push came, as [`super::read_push`] read it.
    PushReceived(Option<PushedCall>),
    /// The system's push service reaches this device so from now on, or (none) not any more. Told at each start, too.
    PushRegistrationChanged(Option<PushRegister>),
    /// What became of a photo.
    PhotoSaved(PhotoOutcome),
}

/// How the device rings: its switch or its sound settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RingerMode {
    /// Aloud.
    #[default]
    Normal,
    /// By vibration alone.
    Vibrate,
    /// Not at all, as where the person is not to be disturbed.
    Silent,
}

/// What the system's calls tell of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SystemCallNews {
    /// They have it, with its sound.
    Taken,
    /// They do not let it be.
    Refused,
    /// Answered on the system's screen, a headset, a watch or in a car.
    Answered {
        /// Whether with the camera.
        video: bool,
    },
    /// Ended there: refused if it was not answered.
    Ended,
    /// Muted there, or not any more.
    Muted(bool),
    /// On hold for another call, or taken up again.
    Held(bool),
    /// The person wants it to ring no more, and did not refuse it.
    Silenced,
}

/// What became of a photo that was to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoOutcome {
    /// It is among the person's.
    Saved,
    /// The system does not allow it.
    NotAllowed,
    /// It did not work.
    Failed,
}
