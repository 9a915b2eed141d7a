//! What the app is told.

use crate::call::Call;
use crate::client::Inner;
use crate::devices::{CameraSettings, FacingMode};
use crate::error::ChamadaError;
use crate::messages::{FileEvent, TextEvent};
use crate::push::PushPlatform;
use crate::quality::DirectionQuality;
use crate::stats::CallStats;
use crate::verification::{RememberedPerson, Verification};
use chamada::call as core;
use chamada::client::ClientEvent;
use chamada::signaling::SignalingEvent;
use chamada::signaling::message::MediaState as CoreMedia;
use std::sync::{Arc, Weak};

/// Something that happened. The first is `LoggedIn`, the last `Closed`.
#[derive(uniffi::Enum)]
#[allow(
    clippy::large_enum_variant,
    reason = "at the border to Kotlin and Swift each event is written out anyway; there is no box there"
)]
pub enum Event {
    /// Logged in, for the first time or again.
    LoggedIn {
        /// The name that one has, which may be another than the wanted one.
        name: String,
        /// Whether the server took a lost session up again.
        resumed: bool,
    },
    /// One's name is another now.
    Renamed {
        /// The name that was asked for.
        wanted: String,
        /// The name that one has.
        name: String,
    },
    /// Who is logged in, each once, oneself included.
    Users {
        /// Their names.
        names: Vec<String>,
    },
    /// Who is not logged in, but can be called all the same: the server rings a device of theirs by push. Told when it changes, before
    /// `Users`.
    Away {
        /// Their names.
        names: Vec<String>,
    },
    /// What the server keeps from now on, so that this device rings while the app is closed.
    PushRegistered {
        /// How it is reached; none: it is not any more.
        platform: Option<PushPlatform>,
    },
    /// A line of the public chat; one's own come back too.
    Chat {
        /// Who said it, if the server knows.
        from: Option<String>,
        /// What was said; not to be shown as markup.
        text: String,
        /// Milliseconds since 1970, by the sender's clock.
        sent_ms: u64,
    },
    /// The server refused something that has nothing to do with a call.
    Refused {
        /// `TOO_FAST`, or `INVALID_ARGUMENT` for all else, with the server's words.
        why: ChamadaError,
    },
    /// The server is lost and will be tried again. A call that is connected goes on.
    Reconnecting {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// Wait before it, in milliseconds.
        after_ms: u64,
        /// Why the last one ended.
        why: ChamadaError,
    },
    /// The client is logged out for good; nothing follows.
    Closed {
        /// None after a logout.
        why: Option<ChamadaError>,
    },
    /// Somebody calls: show it, and answer by `accept` or `decline`.
    IncomingCall {
        /// Who calls.
        from: String,
        /// The call.
        call: Arc<Call>,
    },
    /// Somebody calls while a call goes on: show it, and answer by `hold_and_accept`, `end_and_accept` or `decline`. Only with
    /// `Config.call_waiting`.
    CallWaiting {
        /// Who calls.
        from: String,
        /// The call.
        call: Arc<Call>,
    },
    /// State, person or media of the call changed: the whole picture.
    CallChanged {
        /// How it is now.
        now: CallSnapshot,
    },
    /// The call is accepted, and no path between the two networks was found yet. The search goes on; told again when more is known.
    NoPathYet {
        /// Why, as far as this side can know.
        why: NoPath,
        /// What candidates this side has.
        local: Vec<CandidateType>,
        /// What candidates the other side told.
        remote: Vec<CandidateType>,
    },
    /// Sound or video of the other side is missing while the call goes on, or comes after it was missing.
    MediaMissing {
        /// What is missing.
        kind: MediaKind,
        /// Why; none where it comes now, or is not to be expected any more.
        why: Option<MissingMedia>,
    },
    /// A call is over and its devices are released. Another one that there is, is in front from now on: it rings, or stays on hold until
    /// `Call.set_held` takes it up.
    CallEnded {
        /// Who was at the other end.
        with: String,
        /// Its identifier.
        call_id: String,
        /// Why it is over. Not an error: every call ends.
        reason: EndReason,
    },
    /// Once a second in a connected call, and once more right before its end.
    Measured {
        /// What was measured.
        stats: CallStats,
    },
    /// How good the call is changed. Both directions of a call count as good until this is told.
    QualityChanged {
        /// What this side sends.
        sent: DirectionQuality,
        /// What the other side sends.
        received: DirectionQuality,
    },
    /// A camera was opened, at the start of a call or by a flip.
    CameraOpened {
        /// Which, and how.
        settings: CameraSettings,
    },
    /// A device cannot be used, be it that it is refused, busy or gone or that it does not answer. The call goes on without it, and
    /// switching it on tries it again.
    DeviceFailed {
        /// Which one.
        device: DeviceKind,
        /// Why, as the app's device said it, or `NOT_READABLE`.
        why: ChamadaError,
    },
    /// How far the check of the other end is changed: two people compare the words and say what they found by `Call.confirm_verification`.
    /// Told again for a connection that takes another's place within a call.
    VerificationChanged {
        /// The words, and what is known.
        verification: Verification,
    },
    /// Both people said that the words are the same: all that is to be kept of this person, in the place of what was, for the
    /// `Config.remembered` of the next client.
    Remember {
        /// Who.
        person: RememberedPerson,
    },
    /// The screen of this call is shared no more, and the camera is sent again. Not told where the app stopped it or the call ended.
    ScreenShareEnded {
        /// Why its pictures were not taken: `INVALID_ARGUMENT` where they are too large. None where the source ended it.
        why: Option<ChamadaError>,
    },
    /// The other side pressed a key of its phone (DTMF): told when the tone begins.
    DtmfReceived {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        tone: String,
    },
    /// A message of the other side on the call's data channel.
    DataReceived {
        /// Its bytes.
        data: Vec<u8>,
    },
    /// Of the private text of the call.
    Text {
        /// What changed.
        event: TextEvent,
    },
    /// Of a file of the call.
    File {
        /// What happened.
        event: FileEvent,
    },
    /// Of the private text of the call on hold behind another one.
    TextBehind {
        /// Which call.
        call_id: String,
        /// What changed.
        event: TextEvent,
    },
    /// Of a file of the call on hold behind another one.
    FileBehind {
        /// Which call.
        call_id: String,
        /// What happened.
        event: FileEvent,
    },
}

/// Why there is no path to the other side, as far as one side can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum NoPath {
    /// This device has no address that a call could use.
    NoNetworkHere,
    /// Only relays may be used, and none has answered.
    NoRelayHere,
    /// The other side has told no address.
    NothingFromThere,
    /// Nothing gets through between the networks, and neither side has a relay that would get around them.
    NoRelay,
    /// Nothing gets through between the networks, not by a relay either.
    Unanswered,
}

/// A type of ICE candidate (RFC 8445 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum CandidateType {
    /// An address of the device itself.
    Host,
    /// The address of its NAT, as a STUN server saw it.
    ServerReflexive,
    /// An address at a TURN server.
    Relay,
}

fn candidate_types(types: core::CandidateTypes) -> Vec<CandidateType> {
    let all = [
        (types.host, CandidateType::Host),
        (types.srflx, CandidateType::ServerReflexive),
        (types.relay, CandidateType::Relay),
    ];
    all.into_iter().filter_map(|(is_there, candidate)| is_there.then_some(candidate)).collect()
}

/// Sound or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Video.
    Video,
}

/// Why sound or video of the other side is missing in a call that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MissingMedia {
    /// The two sides have no codec for it in common.
    NoCommonCodec,
    /// It was agreed on, the other side says that it sends, and no packet comes.
    NoPackets,
    /// Packets come, of which nothing can be decoded.
    NotDecodable,
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DeviceKind {
    /// A camera. Black is sent without it.
    Camera,
    /// The microphone. Silence is sent without it.
    Microphone,
    /// The speaker, or whatever sound is heard by.
    Speaker,
}

impl From<chamada::client::DeviceKind> for DeviceKind {
    fn from(device: chamada::client::DeviceKind) -> Self {
        match device {
            chamada::client::DeviceKind::Camera => Self::Camera,
            chamada::client::DeviceKind::Microphone => Self::Microphone,
            chamada::client::DeviceKind::Speaker => Self::Speaker,
        }
    }
}

/// The whole picture of the call at one moment.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CallSnapshot {
    /// Where it stands.
    pub state: CallState,
    /// The person at the other end, unless idle.
    pub with: Option<String>,
    /// Its identifier, unless idle.
    pub call_id: Option<String>,
    /// What this side sends, or will send again after a hold.
    pub local: MediaState,
    /// What the other side says it sends, and whether it has put the call on hold.
    pub remote: MediaState,
    /// The second call, which waits or is on hold.
    pub other: Option<OtherCall>,
}

/// The call behind the one in front.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct OtherCall {
    /// Its identifier.
    pub call_id: String,
    /// The person at the other end.
    pub with: String,
    /// `RINGING_LOCALLY`: it waits. In all other states it is on hold.
    pub state: CallState,
    /// What the other side says it sends, and whether it has put the call on hold.
    pub remote: MediaState,
}

/// What one side sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct MediaState {
    /// Whether its microphone is on.
    pub audio: bool,
    /// Whether its camera is on.
    pub video: bool,
    /// Which way its camera looks, where that is known.
    pub facing: Option<FacingMode>,
    /// Whether the picture is its screen and not a camera.
    pub screen: bool,
    /// Whether it has put the call on hold: it neither sends nor plays anything.
    pub held: bool,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum CallState {
    /// No call.
    Idle,
    /// We call: the offer is being made or is on its way.
    Calling,
    /// We call, and it rings there.
    RingingRemotely,
    /// We call somebody who is away, and the server rings a device of theirs by push.
    RingingByPush,
    /// Somebody calls us, and nobody has answered yet.
    RingingLocally,
    /// Accepted by both; the path is being found.
    Connecting,
    /// Sound and pictures flow.
    Connected,
    /// They flowed and stopped; being repaired.
    Reconnecting,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum EndReason {
    /// This side hung up.
    HungUpLocally,
    /// The other side hung up.
    HungUpRemotely,
    /// This side declined.
    DeclinedLocally,
    /// The other side declined.
    DeclinedRemotely,
    /// The other side is in another call.
    Busy,
    /// Nobody answered in time.
    Timeout,
    /// This side gave up before the other answered.
    CancelledLocally,
    /// The caller gave up before this side answered.
    CancelledRemotely,
    /// Nobody of that name is there, or they left before answering.
    Unreachable,
    /// No path between the two networks was found.
    NoPath,
    /// The connection was lost for good, or could not be made for another reason than the networks.
    ConnectionFailed,
    /// The two sides could not agree on how to talk.
    NegotiationFailed,
    /// The two sides have no codec in common.
    NoCommonCodec,
    /// The other side could not prove that it is who the call's descriptions say: the DTLS handshake failed.
    HandshakeFailed,
    /// This side could not use its camera or microphone.
    MediaFailedLocally,
    /// The other side could not use its camera or microphone.
    MediaFailedRemotely,
    /// Another device of this person took the call.
    AnsweredElsewhere,
}

impl Event {
    /// None for what only concerns the library, which is logged.
    pub(crate) fn from_core(event: ClientEvent, client: &Weak<Inner>) -> Option<Self> {
        Some(match event {
            ClientEvent::Signaling(event) => return Self::from_signaling(event),
            ClientEvent::Call(core::CallEvent::Incoming { from, call }) => {
                let call = Arc::new(Call::new(Weak::clone(client), call, from.clone()));
                Self::IncomingCall { from, call }
            }
            ClientEvent::Call(core::CallEvent::Waiting { from, call }) => {
                let call = Arc::new(Call::new(Weak::clone(client), call, from.clone()));
                Self::CallWaiting { from, call }
            }
            ClientEvent::Call(core::CallEvent::Changed(now)) => Self::CallChanged { now: now.into() },
            ClientEvent::Call(core::CallEvent::Ended { with, call, reason }) => {
                Self::CallEnded { with, call_id: call.to_string(), reason: reason.into() }
            }
            ClientEvent::Call(core::CallEvent::NoPathYet(search)) => Self::NoPathYet {
                why: search.why().into(),
                local: candidate_types(search.local),
                remote: candidate_types(search.remote),
            },
            ClientEvent::Missing { kind, why } => Self::MediaMissing { kind: kind.into(), why: why.map(Into::into) },
            ClientEvent::Stats(stats) => Self::Measured { stats: (*stats).into() },
            ClientEvent::Quality(quality) => {
                Self::QualityChanged { sent: quality.sent.into(), received: quality.received.into() }
            }
            ClientEvent::Camera(settings) => Self::CameraOpened { settings: settings.into() },
            ClientEvent::DeviceFailed { device, why } => Self::DeviceFailed { device: device.into(), why: why.into() },
            ClientEvent::ScreenShareEnded { why } => Self::ScreenShareEnded { why: why.map(Into::into) },
            ClientEvent::Dtmf(tone) => Self::DtmfReceived { tone: tone.to_string() },
            ClientEvent::Data(data) => Self::DataReceived { data: data.into() },
            ClientEvent::Verification(verification) => Self::VerificationChanged { verification: verification.into() },
            ClientEvent::Remember(person) => Self::Remember { person: person.into() },
            ClientEvent::Text(event) => Self::Text { event: event.into() },
            ClientEvent::File(event) => Self::File { event: event.into() },
            ClientEvent::Behind { call, event } => match *event {
                ClientEvent::Text(event) => Self::TextBehind { call_id: call.to_string(), event: event.into() },
                ClientEvent::File(event) => Self::FileBehind { call_id: call.to_string(), event: event.into() },
                _ => return None,
            },
        })
    }

    fn from_signaling(event: SignalingEvent) -> Option<Self> {
        Some(match event {
            SignalingEvent::LoggedIn { name, resumed, .. } => Self::LoggedIn { name, resumed },
            SignalingEvent::Renamed { wanted, name } => Self::Renamed { wanted, name },
            SignalingEvent::Users(names) => Self::Users { names },
            SignalingEvent::Away(names) => Self::Away { names },
            SignalingEvent::PushRegistered(platform) => {
                Self::PushRegistered { platform: platform.and_then(PushPlatform::from_core) }
            }
            SignalingEvent::Chat { from, text, date, .. } => Self::Chat { from, text, sent_ms: date },
            SignalingEvent::Refused(error) => Self::Refused { why: error.into() },
            SignalingEvent::Reconnecting { attempt, after, why } => {
                let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                Self::Reconnecting { attempt, after_ms, why: why.into() }
            }
            SignalingEvent::Closed { why } => Self::Closed { why: why.map(Into::into) },
            SignalingEvent::Malformed { total } => {
                log::warn!("the server sent {total} frames that cannot be read");
                return None;
            }
            SignalingEvent::Dropped { kind } => {
                log::warn!("a '{kind}' message waited too long for the server and was dropped");
                return None;
            }
            // The call engine's own, and what the next call takes.
            SignalingEvent::Call(_) | SignalingEvent::IceServers(_) => return None,
        })
    }
}

impl From<core::CallSnapshot> for CallSnapshot {
    fn from(from: core::CallSnapshot) -> Self {
        let core::CallSnapshot { state, with, call, local, remote, other } = from;
        let call_id = call.map(|call| call.to_string());
        let other = other.map(|other| OtherCall {
            call_id: other.call.to_string(),
            with: other.with,
            state: other.state.into(),
            remote: other.remote.into(),
        });
        Self { state: state.into(), with, call_id, local: local.into(), remote: remote.into(), other }
    }
}

impl From<CoreMedia> for MediaState {
    fn from(CoreMedia { audio, video, facing, screen, held }: CoreMedia) -> Self {
        Self { audio, video, facing: facing.map(Into::into), screen, held }
    }
}

same_cases!(core::CallState => CallState {
    Idle, Calling, RingingRemotely, RingingByPush, RingingLocally, Connecting, Connected, Reconnecting,
});
same_cases!(core::EndReason => EndReason {
    HungUpLocally, HungUpRemotely, DeclinedLocally, DeclinedRemotely, Busy, Timeout, CancelledLocally, CancelledRemotely, Unreachable,
    NoPath, ConnectionFailed, NegotiationFailed, NoCommonCodec, HandshakeFailed, MediaFailedLocally, MediaFailedRemotely,
    AnsweredElsewhere,
});
same_cases!(core::NoPath => NoPath { NoNetworkHere, NoRelayHere, NothingFromThere, NoRelay, Unanswered });
same_cases!(chamada::client::MediaKind => MediaKind { Audio, Video });
same_cases!(chamada::client::MissingMedia => MissingMedia { NoCommonCodec, NoPackets, NotDecodable });
