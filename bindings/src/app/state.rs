//! What is to be seen, as it crosses to Kotlin and Swift.

use super::call_view::AppCallView;
use chamada::app as core;
use std::collections::HashMap;

/// All that the screens show, but for chat, history and measurements.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct AppState {
    /// Which screen.
    pub screen: AppScreen,
    /// What to begin the field for the server's address with.
    pub server: String,
    /// What to begin the field for the name with.
    pub name: String,
    /// Logging in goes on: the buttons do nothing.
    pub signing_in: bool,
    /// Whether the demonstration can be offered.
    pub has_demo: bool,
    /// One's name at the server; none while logged out.
    pub me: Option<String>,
    /// Whether the server is reached right now.
    pub online: bool,
    /// Whether the server in use is the demonstration's.
    pub demo: bool,
    /// The part of the home screen in front.
    pub tab: AppTab,
    /// What is looked for among people.
    pub search: String,
    /// Everybody else who is there and fits.
    pub people: Vec<AppPerson>,
    /// What to say where nobody is to be shown.
    pub nobody: Option<AppMessage>,
    /// Calls that were missed since the person looked.
    pub missed_calls: u32,
    /// Lines of chat since the person looked.
    pub unread_chat: u32,
    /// The call that rings or goes on.
    pub call: Option<AppCallView>,
    /// What is told, the most important first.
    pub banners: Vec<AppBanner>,
    /// What is lost on purpose.
    pub outages: Vec<AppOutage>,
}

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppScreen {
    /// To log in.
    SignIn,
    /// People, calls and chat.
    Home,
    /// A call rings here.
    Incoming,
    /// A call goes on, or rings there.
    InCall,
}

/// A part of the home screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppTab {
    /// Who is there.
    People,
    /// The calls that were.
    Recents,
    /// The public chat.
    Chat,
}

/// A part of the network that the menu of faults can take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppOutage {
    /// The way to the server.
    Server,
    /// The packets of calls.
    Calls,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppPerson {
    /// The name.
    pub name: String,
    /// What stands for a picture.
    pub initial: String,
    /// Not logged in, but a call rings a device of theirs by push.
    pub away: bool,
    /// Nothing of theirs is heard here.
    pub blocked: bool,
}

/// A text before it is put into a language.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppMessage {
    /// A key of docs/texts.json.
    pub key: String,
    /// What goes into its gaps, as it is.
    pub arguments: HashMap<String, String>,
}

/// Something that people are told.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppBanner {
    /// For `AppAction.Recover`.
    pub id: u64,
    /// What it is about.
    pub topic: AppTopic,
    /// What is told.
    pub message: AppMessage,
    /// The ways forward, the best one first.
    pub buttons: Vec<AppButton>,
}

/// What a banner is about: of each there is one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppTopic {
    /// Logging in, and the connection to the server.
    Server,
    /// A call that did not begin, or how one ended.
    Call,
    /// Somebody who may be between the two ends of a call.
    Verification,
    /// A call that is accepted and finds no path yet.
    Path,
    /// Sound of the other side that does not come.
    RemoteAudio,
    /// Video of the other side that does not come.
    RemoteVideo,
    /// The microphone or the speaker.
    Audio,
    /// The camera.
    Camera,
    /// How hot the device is.
    Thermal,
    /// A permission that helps to be called.
    Permission,
    /// The network.
    Network,
    /// Anything else.
    Other,
}

/// A way forward.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppButton {
    /// For `AppAction.Recover`.
    pub recovery: AppRecovery,
    /// What stands on it: a key of docs/texts.json.
    pub label: String,
}

/// What a button of a banner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppRecovery {
    /// The same again.
    TryAgain,
    /// Change the name.
    ChangeName,
    /// Change the server's address.
    ChangeAddress,
    /// Let the system ask for what is not allowed.
    Allow,
    /// The system's settings of this app.
    OpenSettings,
    /// Open the camera again.
    CameraAgain,
    /// Go on, or begin, without the camera.
    WithoutCamera,
    /// Call the same person again.
    CallAgain,
    /// Say it in the chat.
    Write,
    /// Send full quality although the network is metered.
    FullQuality,
    /// It was read.
    Dismiss,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppChatLine {
    /// Different from all others while the app runs.
    pub id: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Who said it; none for what happened, and where the server does not know.
    pub from: Option<String>,
    /// What was said: to be shown as it is, never as markup; none for what happened.
    pub text: Option<String>,
    /// What happened; none for what was said.
    pub event: Option<AppMessage>,
    /// Whether this person said it.
    pub own: bool,
}

/// A line of the private text of a call.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppPrivateLine {
    /// Different from all others of the call.
    pub id: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What it says: to be shown as it is, never as markup.
    pub text: String,
    /// Whether this person wrote it.
    pub own: bool,
    /// What became of what this person wrote: a key of docs/texts.json; none for what the other side wrote.
    pub delivery: Option<String>,
}

/// One call that was.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppHistoryEntry {
    /// The call's UUID.
    pub id: String,
    /// Who was at the other end.
    pub with: String,
    /// What stands for a picture of them.
    pub initial: String,
    /// Who called whom.
    pub kind: AppHistoryKind,
    /// When it began, in milliseconds since 1970.
    pub began_ms: u64,
    /// How long it was connected, in seconds; 0 if it never was.
    pub seconds: u64,
    /// Whether it began with video.
    pub video: bool,
}

/// What kind of call it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppHistoryKind {
    /// This person called.
    Outgoing,
    /// This person was called, and answered, refused, or answered elsewhere.
    Incoming,
    /// This person was called and did not hear of it in time.
    Missed,
}

/// What is measured: a label, and numbers that read the same in every language.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppStatisticsLine {
    /// What it is about: a key of docs/texts.json.
    pub label: String,
    /// How much.
    pub value: String,
}

same_cases!(core::Screen => AppScreen { SignIn, Home, Incoming, InCall });
same_cases!(core::Tab => AppTab { People, Recents, Chat });
same_cases!(AppTab => core::Tab { People, Recents, Chat });
same_cases!(core::OutagePart => AppOutage { Server, Calls });
same_cases!(AppOutage => core::OutagePart { Server, Calls });
same_fields!(core::PersonView => AppPerson { name, initial, away, blocked });
same_cases!(core::Topic => AppTopic {
    Server, Call, Verification, Path, RemoteAudio, RemoteVideo, Audio, Camera, Thermal, Permission, Network, Other,
});
same_cases!(core::Recovery => AppRecovery {
    TryAgain, ChangeName, ChangeAddress, Allow, OpenSettings, CameraAgain, WithoutCamera, CallAgain, Write, FullQuality, Dismiss,
});
same_cases!(AppRecovery => core::Recovery {
    TryAgain, ChangeName, ChangeAddress, Allow, OpenSettings, CameraAgain, WithoutCamera, CallAgain, Write, FullQuality, Dismiss,
});
same_cases!(core::HistoryKind => AppHistoryKind { Outgoing, Incoming, Missed });

impl From<&core::Message> for AppMessage {
    fn from(core::Message { key, arguments }: &core::Message) -> Self {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { key: key.as_str().to_owned(), arguments }
    }
}

impl From<&core::Banner> for AppBanner {
    fn from(core::Banner { id, topic, message, recoveries }: &core::Banner) -> Self {
        let button = |recovery: &core::Recovery| AppButton {
            recovery: (*recovery).into(),
            label: recovery.label().as_str().to_owned(),
        };
        let buttons = recoveries.iter().map(button).collect();
        Self { id: *id, topic: (*topic).into(), message: message.into(), buttons }
    }
}

impl From<&core::AppState> for AppState {
    fn from(state: &core::AppState) -> Self {
        Self {
            screen: state.screen.into(),
            server: state.sign_in.server.clone(),
            name: state.sign_in.name.clone(),
            signing_in: state.sign_in.busy,
            has_demo: state.sign_in.demo,
            me: state.me.clone(),
            online: state.online,
            demo: state.demo,
            tab: state.tab.into(),
            search: state.people.search.clone(),
            people: state.people.people.iter().cloned().map(Into::into).collect(),
            nobody: state.people.empty.as_ref().map(Into::into),
            missed_calls: state.missed_calls,
            unread_chat: state.unread_chat,
            call: state.call.as_ref().map(Into::into),
            banners: state.banners.iter().map(Into::into).collect(),
            outages: state.outages.iter().map(|part| (*part).into()).collect(),
        }
    }
}

impl From<&core::ChatLine> for AppChatLine {
    fn from(core::ChatLine { id, at_ms, content }: &core::ChatLine) -> Self {
        let (id, at_ms) = (*id, *at_ms);
        match content {
            core::ChatContent::Said { from, text, own } => {
                Self { id, at_ms, from: from.clone(), text: Some(text.clone()), event: None, own: *own }
            }
            core::ChatContent::Event(event) => {
                Self { id, at_ms, from: None, text: None, event: Some(event.into()), own: false }
            }
        }
    }
}

impl From<&core::PrivateLine> for AppPrivateLine {
    fn from(core::PrivateLine { id, at_ms, text, delivery }: &core::PrivateLine) -> Self {
        let label = delivery.map(|delivery| delivery.label().as_str().to_owned());
        Self { id: *id, at_ms: *at_ms, text: text.clone(), own: delivery.is_some(), delivery: label }
    }
}

impl From<&core::HistoryEntry> for AppHistoryEntry {
    fn from(entry: &core::HistoryEntry) -> Self {
        let core::HistoryEntry { id, with, kind, began_ms, seconds, video } = entry;
        let (id, with, initial, kind) = (id.to_string(), with.clone(), entry.initial(), (*kind).into());
        Self { id, with, initial, kind, began_ms: *began_ms, seconds: *seconds, video: *video }
    }
}

impl From<&core::StatisticsLine> for AppStatisticsLine {
    fn from(core::StatisticsLine { label, value }: &core::StatisticsLine) -> Self {
        Self { label: label.as_str().to_owned(), value: value.clone() }
    }
}
