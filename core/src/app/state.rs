//! What is to be seen. No screen computes: each value is drawn as it stands.

use super::audio_route::AudioRouteKind;
use super::banner::Banner;
use super::text::{Message, TextKey};
use crate::security::Word;
use crate::signaling::message::CallId;

/// All that the screens show, but for chat, history and measurements, which [`super::App`] hands out apart: they are long, or change
/// each second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppState {
    /// Which screen.
    pub screen: Screen,
    /// For the screen to log in.
    pub sign_in: SignInView,
    /// One's name at the server; none while logged out.
    pub me: Option<String>,
    /// Whether the server is reached right now.
    pub online: bool,
    /// Whether the server in use is the demonstration's.
    pub demo: bool,
    /// The part of the home screen in front.
    pub tab: Tab,
    /// For the list of people.
    pub people: PeopleView,
    /// Calls that were missed since the person looked.
    pub missed_calls: u32,
    /// Lines of chat since the person looked.
    pub unread_chat: u32,
    /// The call that rings or goes on. It is there, too, while the person looks at people or chat.
    pub call: Option<CallView>,
    /// What is told, the most important first.
    pub banners: Vec<Banner>,
    /// What is lost on purpose.
    pub outages: Vec<OutagePart>,
}

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    /// Who is there.
    #[default]
    People,
    /// The calls that were.
    Recents,
    /// The public chat.
    Chat,
}

/// A part of the network that the menu of faults can take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OutagePart {
    /// The way to the server.
    Server,
    /// The packets of calls.
    Calls,
}

/// For the screen to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInView {
    /// What to begin the field with.
    pub server: String,
    /// What to begin the field with.
    pub name: String,
    /// Logging in goes on: the buttons do nothing.
    pub busy: bool,
    /// Whether the demonstration can be offered.
    pub demo: bool,
}

/// For the list of people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleView {
    /// What is looked for.
    pub search: String,
    /// Everybody else who is there and fits.
    pub people: Vec<PersonView>,
    /// What to say where nobody is to be shown.
    pub empty: Option<Message>,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The name.
    pub name: String,
    /// What stands for a picture.
    pub initial: String,
    /// Not logged in, but a call rings a device of theirs by push.
    pub away: bool,
    /// Nothing of theirs is heard here.
    pub blocked: bool,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallPhase {
    /// It rings here.
    Ringing,
    /// This side calls.
    Calling,
    /// This side calls, and it rings there.
    RingingRemotely,
    /// This side calls somebody who is away, and the server rings a device of theirs by push.
    RingingByPush,
    /// Accepted; the path is being found.
    Connecting,
    /// Sound and pictures flow.
    Connected,
    /// They flowed and stopped; being repaired.
    Reconnecting,
    /// It is being ended.
    Ending,
}

/// A call as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    /// The name of the call towards the system's calls; none before the client has named one that is placed.
    pub id: Option<CallId>,
    /// Who is at the other end; empty if a push did not say.
    pub with: String,
    /// What stands for a picture of them.
    pub initial: String,
    /// Whether this side called.
    pub outgoing: bool,
    /// Whether it began with video.
    pub video: bool,
    /// Where it stands.
    pub phase: CallPhase,
    /// The one line that says so; none while all is well, and [`CallView::since_ms`] is shown.
    pub status: Option<Message>,
    /// What is to be told of its quality; none while it is good.
    pub quality: Option<Message>,
    /// What is known of the other end; none before it was connected.
    pub verification: Option<VerificationView>,
    /// The keys of a phone; none before the call was connected.
    pub keypad: Option<KeypadView>,
    /// Private text; none where the other side is not known to take it. Its lines are [`super::App::private_text`].
    pub private_text: Option<PrivateTextView>,
    /// When it was connected first, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// It rings here, and nobody answered yet: the buttons to answer are shown.
    pub can_answer: bool,
    /// Whether the person's microphone is on, or will be after a hold.
    pub microphone_on: bool,
    /// Whether the person's camera is on, or will be after a hold.
    pub camera_on: bool,
    /// Whether the button for the other camera does something.
    pub can_flip: bool,
    /// Whether the own picture is shown.
    pub shows_preview: bool,
    /// Whether it is shown as in a looking glass.
    pub mirrors_preview: bool,
    /// Whether the other side's picture is shown, and not what stands for it.
    pub shows_remote: bool,
    /// On hold: nothing is heard or sent.
    pub held: bool,
    /// On hold because somebody else has the sound.
    pub sound_elsewhere: bool,
    /// Whether a small picture over other apps makes sense.
    pub can_shrink: bool,
    /// The routes for sound; a choice is offered if there are several.
    pub audio_routes: Vec<AudioRouteView>,
    /// Whether measurements are shown.
    pub shows_statistics: bool,
    /// The network is metered, so that pictures are sent small; the person can lift that.
    pub low_data: bool,
    /// The person lifted it.
    pub full_quality: bool,
}

/// The keys of a phone (DTMF) as they are drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeypadView {
    /// Whether they are shown.
    pub open: bool,
    /// What was pressed here lately.
    pub sent: String,
    /// What was pressed at the other side lately.
    pub received: String,
}

/// Private text in a call ([`crate::text`]) as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateTextView {
    /// What it is called.
    pub title: Message,
    /// Who sees it.
    pub hint: Message,
    /// Whether it is shown.
    pub open: bool,
    /// Lines that came while it was not shown.
    pub unread: u32,
    /// That the other side writes; none if it does not.
    pub typing: Option<Message>,
    /// Longest text, in Unicode scalar values.
    pub max_chars: usize,
}

/// The check of the other end ([`crate::security`]) as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationView {
    /// What the check is called.
    pub title: TextKey,
    /// Four pictures with names to say aloud; empty where there is nothing to compare.
    pub words: Vec<Word>,
    /// What is known.
    pub message: Message,
    /// What that means.
    pub trust: Trust,
    /// Whether the person is asked if the words are the same ([`super::UserAction::ConfirmVerification`]).
    pub can_answer: bool,
    /// What stands on the button for yes.
    pub same: TextKey,
    /// What stands on the button for no.
    pub different: TextKey,
}

/// Whether somebody may be between the two ends of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// It is not known.
    Unknown,
    /// Nobody is.
    Verified,
    /// Somebody may be.
    Doubtful,
}

/// A route for sound as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioRouteView {
    /// For [`super::UserAction::ChooseAudioRoute`].
    pub id: String,
    /// For its symbol.
    pub kind: AudioRouteKind,
    /// The device's own name, to be shown in place of the label.
    pub name: Option<String>,
    /// What it is called without a name.
    pub label: TextKey,
    /// Whether it is in use.
    pub selected: bool,
}
