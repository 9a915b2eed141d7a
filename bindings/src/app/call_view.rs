//! A call as it is drawn.

use super::state::AppMessage;
use crate::verification::VerificationWord;
use chamada::app as core;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppCallPhase {
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
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct AppCallView {
    /// The UUID by which the system's calls know it; none before one that is placed has one.
    pub id: Option<String>,
    /// Who is at the other end; empty if a push did not say.
    pub with: String,
    /// What stands for a picture of them.
    pub initial: String,
    /// Whether this side called.
    pub outgoing: bool,
    /// Whether it began with video.
    pub video: bool,
    /// Where it stands.
    pub phase: AppCallPhase,
    /// The one line that says so; none while all is well, and `since_ms` is shown.
    pub status: Option<AppMessage>,
    /// What is to be told of its quality; none while it is good.
    pub quality: Option<AppMessage>,
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
    pub audio_routes: Vec<AppAudioRouteView>,
    /// Whether measurements are shown.
    pub shows_statistics: bool,
    /// The network is metered, so that pictures are sent small; the person can lift that.
    pub low_data: bool,
    /// The person lifted it.
    pub full_quality: bool,
    /// What is known of the other end; none before it was connected.
    #[uniffi(default = None)]
    pub verification: Option<AppVerification>,
    /// The keys of a phone; none before the call was connected.
    #[uniffi(default = None)]
    pub keypad: Option<AppKeypad>,
    /// Private text; none where the other side is not known to take it. Its lines are in `AppUpdate.private_text`.
    #[uniffi(default = None)]
    pub private_text: Option<AppPrivateText>,
}

/// Private text in a call, which goes between the two devices alone, as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppPrivateText {
    /// What it is called.
    pub title: AppMessage,
    /// Who sees it.
    pub hint: AppMessage,
    /// Whether it is shown.
    pub open: bool,
    /// Lines that came while it was not shown.
    pub unread: u32,
    /// That the other side writes; none if it does not.
    pub typing: Option<AppMessage>,
    /// Longest text, in Unicode scalar values.
    pub max_chars: u32,
}

/// The keys of a phone (DTMF) as they are drawn.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppKeypad {
    /// Whether they are shown.
    pub open: bool,
    /// What was pressed here lately.
    pub sent: String,
    /// What was pressed at the other side lately.
    pub received: String,
}

/// The check of the other end as it is drawn.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct AppVerification {
    /// What the check is called: a key of docs/texts.json.
    pub title: String,
    /// Four pictures with names to say aloud; empty where there is nothing to compare.
    pub words: Vec<VerificationWord>,
    /// What is known.
    pub message: AppMessage,
    /// What that means.
    pub trust: AppTrust,
    /// Whether the person is asked if the words are the same (`AppAction.ConfirmVerification`): two buttons are shown.
    pub can_answer: bool,
    /// What stands on the button for yes: a key of docs/texts.json.
    pub same: String,
    /// What stands on the button for no: a key of docs/texts.json.
    pub different: String,
}

/// Whether somebody may be between the two ends of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppTrust {
    /// It is not known.
    Unknown,
    /// Nobody is.
    Verified,
    /// Somebody may be.
    Doubtful,
}

/// A route for sound as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppAudioRouteView {
    /// For `AppAction.ChooseAudioRoute`.
    pub id: String,
    /// For its symbol.
    pub kind: AppAudioRouteKind,
    /// The device's own name, to be shown in place of the label.
    pub name: Option<String>,
    /// What it is called without a name: a key of docs/texts.json.
    pub label: String,
    /// Whether it is in use.
    pub selected: bool,
}

/// Kinds of route that people tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AppAudioRouteKind {
    /// The phone's own earpiece, held at the ear.
    Earpiece,
    /// The phone's loudspeaker.
    Speaker,
    /// Headphones with a wire, USB included.
    Wired,
    /// A headset by Bluetooth.
    Bluetooth,
    /// A car.
    Car,
    /// Anything else.
    Other,
}

same_cases!(core::CallPhase => AppCallPhase {
    Ringing, Calling, RingingRemotely, RingingByPush, Connecting, Connected, Reconnecting, Ending,
});
same_fields!(core::KeypadView => AppKeypad { open, sent, received });
same_cases!(core::Trust => AppTrust { Unknown, Verified, Doubtful });
same_cases!(core::AudioRouteKind => AppAudioRouteKind { Earpiece, Speaker, Wired, Bluetooth, Car, Other });
same_cases!(AppAudioRouteKind => core::AudioRouteKind { Earpiece, Speaker, Wired, Bluetooth, Car, Other });

impl From<&core::CallView> for AppCallView {
    fn from(call: &core::CallView) -> Self {
        Self {
            id: call.id.map(|id| id.to_string()),
            with: call.with.clone(),
            initial: call.initial.clone(),
            outgoing: call.outgoing,
            video: call.video,
            phase: call.phase.into(),
            status: call.status.as_ref().map(Into::into),
            quality: call.quality.as_ref().map(Into::into),
            keypad: call.keypad.clone().map(Into::into),
            private_text: call.private_text.as_ref().map(Into::into),
            verification: call.verification.as_ref().map(Into::into),
            since_ms: call.since_ms,
            can_answer: call.can_answer,
            microphone_on: call.microphone_on,
            camera_on: call.camera_on,
            can_flip: call.can_flip,
            shows_preview: call.shows_preview,
            mirrors_preview: call.mirrors_preview,
            shows_remote: call.shows_remote,
            held: call.held,
            sound_elsewhere: call.sound_elsewhere,
            can_shrink: call.can_shrink,
            audio_routes: call.audio_routes.iter().map(Into::into).collect(),
            shows_statistics: call.shows_statistics,
            low_data: call.low_data,
            full_quality: call.full_quality,
        }
    }
}

impl From<&core::PrivateTextView> for AppPrivateText {
    fn from(view: &core::PrivateTextView) -> Self {
        let core::PrivateTextView { title, hint, open, unread, typing, max_chars } = view;
        let (title, hint, typing) = (title.into(), hint.into(), typing.as_ref().map(Into::into));
        let max_chars = u32::try_from(*max_chars).unwrap_or(u32::MAX);
        Self { title, hint, open: *open, unread: *unread, typing, max_chars }
    }
}

impl From<&core::VerificationView> for AppVerification {
    fn from(view: &core::VerificationView) -> Self {
        let key = |key: core::TextKey| key.as_str().to_owned();
        Self {
            title: key(view.title),
            words: view.words.iter().copied().map(Into::into).collect(),
            message: (&view.message).into(),
            trust: view.trust.into(),
            can_answer: view.can_answer,
            same: key(view.same),
            different: key(view.different),
        }
    }
}

impl From<&core::AudioRouteView> for AppAudioRouteView {
    fn from(core::AudioRouteView { id, kind, name, label, selected }: &core::AudioRouteView) -> Self {
        let label = label.as_str().to_owned();
        Self { id: id.clone(), kind: (*kind).into(), name: name.clone(), label, selected: *selected }
    }
}
