//! What the client tells, as far as the app decides something by it.

use super::failure::Failure;
use super::statistics::{self, StatisticsLine};
use crate::call::{CallEvent, CallSnapshot, EndReason, NoPath};
use crate::client::{CallQuality, ClientEvent, DeviceKind, MediaKind, MissingMedia, Verification};
use crate::facing::FacingMode;
use crate::media::dtmf::DtmfTone;
use crate::security::RememberedPerson;
use crate::signaling::SignalingEvent;
use crate::signaling::message::{CallId, PushInfo, PushPlatform};
use crate::text::{TextEvent, TextId};

/// What a client tells, and the answers to commands.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientNews {
    /// The demonstration's server runs, at this address.
    DemoStarted {
        /// Where.
        server: String,
    },
    /// [`super::ClientCommand::Connect`] or [`super::ClientCommand::StartDemo`] failed: there is no session.
    ConnectFailed(Failure),
    /// [`super::ClientCommand::Call`] began this call.
    CallPlaced(CallId),
    /// A command was not carried out.
    CommandFailed {
        /// Which kind of command.
        command: CommandKind,
        /// Why.
        why: Failure,
    },
    /// The camera in use looks this way.
    CameraOpened(Option<FacingMode>),
    /// A photo was taken: the bytes of a JPEG file.
    PhotoTaken(Vec<u8>),
    /// Logged in, for the first time or again.
    LoggedIn {
        /// The name that one has.
        name: String,
        /// How the server can ring this device while it is not connected, if it can.
        push: Option<ServerPush>,
    },
    /// One's name is another now.
    Renamed {
        /// The name that was asked for.
        wanted: String,
        /// The name that one has.
        name: String,
    },
    /// Who is logged in, oneself included.
    Users(Vec<String>),
    /// Who is not logged in, but can be called; told before [`Self::Users`].
    Away(Vec<String>),
    /// A line of the chat.
    Chat {
        /// Who said it.
        from: Option<String>,
        /// What was said.
        text: String,
        /// Milliseconds since 1970, by the sender's clock.
        sent_ms: u64,
    },
    /// The server refused something that has nothing to do with a call.
    Refused(Failure),
    /// The server is lost and will be tried again.
    Reconnecting,
    /// The session is over; none after a logout.
    Closed(Option<Failure>),
    /// Somebody calls.
    Incoming {
        /// Who.
        from: String,
        /// The call.
        call: CallId,
    },
    /// The call changed.
    CallChanged(CallSnapshot),
    /// The call is accepted, and no path to the other side was found yet.
    NoPathYet(NoPath),
    /// Sound or video of the other side does not come, or (none) comes now.
    Missing {
        /// Which.
        kind: MediaKind,
        /// Why.
        why: Option<MissingMedia>,
    },
    /// The call is over.
    CallEnded {
        /// Who was at the other end.
        with: String,
        /// The call.
        call: CallId,
        /// Why.
        reason: EndReason,
    },
    /// What was measured.
    Measured {
        /// In which call.
        call: Option<CallId>,
        /// As lines of text.
        lines: Vec<StatisticsLine>,
    },
    /// How good the call is changed.
    Quality(CallQuality),
    /// The other side pressed a key of its phone.
    Dtmf(DtmfTone),
    /// Something happened in the private text of the call.
    Text(TextEvent),
    /// What became of [`super::ClientCommand::SendText`].
    TextTaken {
        /// Which line.
        line: u64,
        /// What the client calls it; none if it did not take it.
        text: Option<TextId>,
    },
    /// How far the check of the other end is changed.
    Verification(Verification),
    /// All that is to be remembered of this person, whose device was checked.
    Remember(RememberedPerson),
    /// A device cannot be used; the call goes on without it.
    DeviceFailed {
        /// Which one.
        device: DeviceKind,
        /// Why.
        why: Failure,
    },
}

/// How a server can ring devices that are not connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPush {
    /// What a device can register for.
    pub platforms: Vec<PushPlatform>,
    /// The server's VAPID public key (RFC 8292), which a subscription by Web Push or UnifiedPush needs: a point of P-256, uncompressed, in
    /// base64url.
    pub application_server_key: Option<String>,
}

impl From<&PushInfo> for ServerPush {
    fn from(PushInfo { platforms, application_server_key }: &PushInfo) -> Self {
        Self { platforms: platforms.clone(), application_server_key: application_server_key.clone() }
    }
}

/// Kinds of command that can fail in a way that the app has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// [`super::ClientCommand::Call`].
    Call,
    /// [`super::ClientCommand::Accept`].
    Accept,
    /// [`super::ClientCommand::Decline`] or [`super::ClientCommand::HangUp`].
    End,
    /// [`super::ClientCommand::SetCamera`].
    SetCamera,
    /// [`super::ClientCommand::SetHeld`].
    SetHeld,
    /// [`super::ClientCommand::FlipCamera`].
    FlipCamera,
    /// [`super::ClientCommand::TakePhoto`].
    TakePhoto,
    /// Any other.
    Other,
}

impl ClientNews {
    /// None for what only concerns the library.
    pub fn from_event(event: &ClientEvent) -> Option<Self> {
        Some(match event {
            ClientEvent::Signaling(event) => return Self::from_signaling(event),
            ClientEvent::Call(CallEvent::Incoming { from, call }) => Self::Incoming { from: from.clone(), call: *call },
            ClientEvent::Call(CallEvent::Changed(now)) => Self::CallChanged(now.clone()),
            ClientEvent::Call(CallEvent::Ended { with, call, reason }) => {
                Self::CallEnded { with: with.clone(), call: *call, reason: *reason }
            }
            ClientEvent::Call(CallEvent::NoPathYet(search)) => Self::NoPathYet(search.why()),
            ClientEvent::Missing { kind, why } => Self::Missing { kind: *kind, why: *why },
            ClientEvent::Stats(stats) => Self::Measured { call: stats.call, lines: statistics::lines(stats) },
            ClientEvent::Quality(quality) => Self::Quality(*quality),
            ClientEvent::Camera(settings) => Self::CameraOpened(settings.facing),
            ClientEvent::DeviceFailed { device, why } => Self::DeviceFailed { device: *device, why: why.into() },
            ClientEvent::Verification(verification) => Self::Verification(*verification),
            ClientEvent::Remember(person) => Self::Remember(person.clone()),
            ClientEvent::Dtmf(tone) => Self::Dtmf(*tone),
            ClientEvent::Text(event) => Self::Text(event.clone()),
            // What apps decide has one call: their clients know no call waiting.
            ClientEvent::Call(CallEvent::Waiting { .. }) | ClientEvent::Behind { .. } => return None,
            ClientEvent::Data(_) | ClientEvent::File(_) | ClientEvent::ScreenShareEnded { .. } => return None,
        })
    }

    fn from_signaling(event: &SignalingEvent) -> Option<Self> {
        Some(match event {
            SignalingEvent::LoggedIn { name, push, .. } => {
                Self::LoggedIn { name: name.clone(), push: push.as_deref().map(Into::into) }
            }
            SignalingEvent::Renamed { wanted, name } => Self::Renamed { wanted: wanted.clone(), name: name.clone() },
            SignalingEvent::Away(names) => Self::Away(names.clone()),
            SignalingEvent::Users(names) => Self::Users(names.clone()),
            SignalingEvent::Chat { from, text, date, .. } => {
                Self::Chat { from: from.clone(), text: text.clone(), sent_ms: *date }
            }
            SignalingEvent::Refused(error) => Self::Refused(error.into()),
            SignalingEvent::Reconnecting { .. } => Self::Reconnecting,
            SignalingEvent::Closed { why } => Self::Closed(why.as_ref().map(Into::into)),
            SignalingEvent::IceServers(_)
            | SignalingEvent::PushRegistered(_)
            | SignalingEvent::Call(_)
            | SignalingEvent::Malformed { .. }
            | SignalingEvent::Dropped { .. } => return None,
        })
    }
}
