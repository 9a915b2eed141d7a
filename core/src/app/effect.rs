//! What comes out of the app besides its state: what is to be done, in this order.

use super::action::{SavedSignIn, Token};
use super::client_news::ServerPush;
use super::permissions::Permission;
use super::state::OutagePart;
use crate::media::dtmf::DtmfTone;
use crate::media::video::ThermalState;
use crate::security::RememberedPerson;
use crate::signaling::message::{CallId, PushRegister};

/// Something to be done. Those with a value (`Ring(true)`) say how it is to be from now on.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The client is to do this.
    Client(ClientCommand),
    /// The system's calls are to be told this.
    SystemCall(SystemCallEffect),
    /// Ask the person for these; [`super::SystemAction::PermissionsAnswered`] tells the answer, also where nobody can be asked.
    AskPermissions {
        /// Goes into the answer.
        request: u64,
        /// What for.
        permissions: Vec<Permission>,
    },
    /// Open the system's settings.
    OpenSettings(SettingsPage),
    /// Put the cursor there.
    Focus(Field),
    /// The call is kept alive while the app is not in front, and shown by a notification, as this says; none: not any more. Android's
    /// foreground service; iOS has nothing to do.
    CallService(Option<CallService>),
    /// The call's audio session: focus, mode and category; none: it is given back.
    AudioSession(Option<AudioUse>),
    /// Ask for the sound that somebody else took, and set up what the system forgot.
    ReclaimAudio,
    /// Send sound this way.
    SelectAudioRoute(String),
    /// The ringtone, where the system's calls do not ring themselves.
    Ring(bool),
    /// Vibrate as for a call.
    Vibrate(bool),
    /// The tone that says that it rings at the other end.
    Ringback(bool),
    /// What the other side says is not to be heard.
    SilenceSpeaker(bool),
    /// Switch the screen off at the ear.
    Proximity(bool),
    /// The screen does not go dark by itself.
    KeepScreenOn(bool),
    /// The app is shown over a locked screen.
    ShowWhenLocked(bool),
    /// Tell of a call that was missed, by a notification.
    NotifyMissedCall {
        /// Names the notification.
        call: CallId,
        /// Who called.
        from: String,
        /// When, in milliseconds since 1970.
        at_ms: u64,
    },
    /// The server can ring this device: ask the system's push service for what reaches it, which
    /// [`super::SystemAction::PushRegistrationChanged`] tells.
    RequestPushToken(ServerPush),
    /// The person has seen what was missed.
    ClearMissedCalls,
    /// Put the bytes of a JPEG file among the person's photos; [`super::SystemAction::PhotoSaved`] tells what became of it.
    SavePhoto(Vec<u8>),
    /// Keep the login, where only this app can read it.
    SaveSignIn(SavedSignIn),
    /// Keep the history: JSON to be given back at the next start.
    SaveHistory(String),
    /// Keep who is blocked: JSON to be given back at the next start.
    SaveBlocked(String),
    /// Keep whose devices were checked, where only this app can read it and no backup takes it along: JSON to be given back at the next
    /// start.
    SaveRemembered(String),
}

/// A page of the system's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingsPage {
    /// This app's.
    App,
    /// Whether this app may show calls over a locked screen.
    FullScreenIntent,
}

/// Where people write something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The server's address.
    Server,
    /// The name.
    Name,
    /// The chat.
    Chat,
}

/// What the service for a call shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallService {
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

/// What a call's sound is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioUse {
    /// Pictures are shown along with it.
    pub video: bool,
}

/// What the client is to do. Commands are begun in this order; none waits for the end of another.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientCommand {
    /// Log in. [`super::ClientNews::LoggedIn`] or [`super::ClientNews::ConnectFailed`] answers.
    Connect {
        /// Names the session from now on.
        session: u64,
        /// The server's address.
        server: String,
        /// The name.
        name: String,
        /// The token.
        token: Option<Token>,
        /// The people there whose devices were checked.
        remembered: Vec<RememberedPerson>,
        /// Whether it may be reached without encryption.
        allow_insecure: bool,
        /// With devices that are not real.
        demo: bool,
    },
    /// Start the demonstration's server; [`super::ClientNews::DemoStarted`] or [`super::ClientNews::ConnectFailed`] answers.
    StartDemo {
        /// Names the session from now on.
        session: u64,
    },
    /// End this session, one that is being made too, and what belongs to it.
    Logout {
        /// Which.
        session: u64,
    },
    /// Call somebody; [`super::ClientNews::CallPlaced`] answers.
    Call {
        /// Who.
        to: String,
    },
    /// Take a call.
    Accept(CallId),
    /// Refuse a call.
    Decline(CallId),
    /// End a call; none: the one that is being placed.
    HangUp(Option<CallId>),
    /// Microphone on or off.
    SetMicrophone(bool),
    /// Camera on or off.
    SetCamera(bool),
    /// Put a call on hold, or take it up again.
    SetHeld {
        /// Which call.
        call: CallId,
        /// Whether on hold.
        on: bool,
    },
    /// The camera on the other side; [`super::ClientNews::CameraOpened`] answers.
    FlipCamera(CallId),
    /// Take a photo of what the other side sends; [`super::ClientNews::PhotoTaken`] answers.
    TakePhoto(CallId),
    /// Send this tone (DTMF).
    SendDtmf {
        /// In which call.
        call: CallId,
        /// Which.
        tone: DtmfTone,
    },
    /// Send this private text; [`super::ClientNews::TextTaken`] answers.
    SendText {
        /// In which call.
        call: CallId,
        /// Which line of it.
        line: u64,
        /// What it says.
        text: String,
    },
    /// Somebody writes here, or stopped.
    SetTyping {
        /// In which call.
        call: CallId,
        /// Whether.
        on: bool,
    },
    /// The person has compared the words.
    ConfirmVerification {
        /// In which call.
        call: CallId,
        /// Whether they are the same.
        same: bool,
    },
    /// Say something in the chat.
    Say(String),
    /// Nothing of this person is wanted, or it is again.
    SetBlocked {
        /// Who.
        name: String,
        /// Whether nothing is wanted.
        block: bool,
    },
    /// Send pictures of at most 360p, or of any size again.
    SetLowData(bool),
    /// How hot the device is.
    SetThermalState(ThermalState),
    /// The device has another network.
    NetworkChanged,
    /// Look whether the server is still there.
    CheckServer,
    /// The server is to ring this device so while it is not connected, or (none) not any more.
    RegisterPush(Option<Box<PushRegister>>),
    /// Give back memory that is idle.
    TrimMemory,
    /// Take a part of the network away.
    SetOutage {
        /// Which part.
        part: OutagePart,
        /// Whether it is away.
        on: bool,
    },
    /// Let the demonstration's peer call.
    DemoCall {
        /// This person.
        to: String,
    },
}

/// What the system's calls (CallKit, Telecom) are to be told. At most one call is theirs at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemCallEffect {
    /// It rings here.
    Incoming {
        /// Names it from now on.
        call: CallId,
        /// Who calls; none if a push did not say.
        from: Option<String>,
    },
    /// This side calls.
    Outgoing {
        /// Names it from now on.
        call: CallId,
        /// Who is called.
        to: String,
    },
    /// Who calls turned out to be another.
    Renamed {
        /// Which.
        call: CallId,
        /// Who calls.
        from: String,
    },
    /// Answered in the app: the system is to know before sound begins.
    Answered(CallId),
    /// The path is being found.
    Connecting(CallId),
    /// Sound and pictures flow.
    Connected(CallId),
    /// Muted in the app, or not any more.
    Muted {
        /// Which.
        call: CallId,
        /// Whether.
        muted: bool,
    },
    /// The person wants it on hold, or taken up again; [`super::SystemCallNews::Held`] tells that it is.
    RequestHold {
        /// Which.
        call: CallId,
        /// Whether on hold.
        held: bool,
    },
    /// It is over.
    Ended {
        /// Which.
        call: CallId,
        /// Why.
        reason: SystemEndReason,
    },
}

/// Why a call ended, in the terms of the systems' calls: `CXCallEndedReason` of iOS, `DisconnectCause` of Android.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SystemEndReason {
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
