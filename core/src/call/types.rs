//! What goes into the call engine and what comes out of it.

use super::path_search::PathSearch;
use crate::facing::FacingMode;
use crate::signaling::message::{CallId, HangUpReason, IceCandidate, MediaState, Message, SessionDescription};
use std::time::Duration;

/// How long a call may ring before it ends with [`EndReason::Timeout`], unless the engine is told otherwise.
pub const RING_TIMEOUT: Duration = Duration::from_secs(60);

/// How long ICE and DTLS may take after the call was accepted.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection that was lost is repaired before the call ends: longer than half a minute in a lift or a tunnel.
pub const REPAIR_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection may be `disconnected` before the side that called restarts ICE: short losses mend themselves.
pub const RESTART_AFTER: Duration = Duration::from_millis(500);
/// How much longer the other side waits, so that both do not restart at once. It has to restart where it alone notices
/// the loss: behind a NAT that changed its mapping, one side still gets answers to its checks.
pub const ANSWERER_RESTARTS_LATER: Duration = Duration::from_secs(1);
/// How long the first ICE restart may take before the next one; each later one may take half as long again, up to
/// [`MAX_RESTART_WAIT`].
pub const FIRST_RESTART_WAIT: Duration = Duration::from_secs(2);
/// The longest time between two ICE restarts.
pub const MAX_RESTART_WAIT: Duration = Duration::from_secs(8);
/// How long the checks of a restart may take after its descriptions have been exchanged, however late that was.
pub const RESTART_CHECKS: Duration = Duration::from_millis(2_500);
/// The shortest time between two `media-state` about changes here: those that come sooner are told together, as they are then.
pub const MEDIA_STATE_GAP: Duration = Duration::from_millis(100);
/// How many new peer connections one call may get: each of them opens the devices anew.
pub const MAX_REPLACEMENTS: u32 = 8;

/// Names one peer connection for as long as the engine lives; reports about an earlier one are dropped by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// What the app wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Call somebody.
    Call {
        /// The user's name, as in the user list.
        to: String,
        /// What to send from the start.
        media: MediaState,
    },
    /// Take the call that rings here.
    Accept {
        /// What to send from the start.
        media: MediaState,
    },
    /// Refuse the call that rings here, or waits.
    Decline,
    /// End the call in whatever state it is: cancels one that still rings there, declines one that rings here.
    HangUp,
    /// Microphone on or off.
    SetMicrophone(bool),
    /// Camera on or off.
    SetCamera(bool),
    /// The camera in use now looks this way.
    SetFacing(FacingMode),
    /// Take the call that waits, and put the other one on hold.
    HoldAndAccept {
        /// What to send from the start.
        media: MediaState,
    },
    /// Take the call that waits, and end the other one.
    EndAndAccept {
        /// What to send from the start.
        media: MediaState,
    },
    /// Put the call in front on hold, and take up the one behind it.
    Swap,
    /// Put the call on hold, or take it up again: nothing is sent and nothing played meanwhile, the connection stays, and the other side is told.
    SetHeld(bool),
    /// The screen is sent in place of the camera, or no longer. As with [`Command::SetHeld`] the call has to be accepted.
    SetScreen(bool),
}

/// What the peer connection reports.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerReport {
    /// The offer or the answer that was asked for has been made and set as the local description.
    LocalDescription(SessionDescription),
    /// The remote answer has been applied.
    AnswerApplied,
    /// The peer connection could not be made, or what was asked of it last failed; the text says why.
    NegotiationFailed(String),
    /// A local candidate was gathered; `None` at the end of gathering.
    Candidate(Option<IceCandidate>),
    /// The two sides have no codec in common.
    NoCommonCodec,
    /// W3C `connectionState` changed.
    Connection(ConnectionState),
    /// The search for a path has found none so far. Told again when what is known of it changes.
    NoPath(PathSearch),
    /// A path was found, and then the DTLS handshake (RFC 5764) failed: another certificate than the description said, or none.
    HandshakeFailed,
    /// Camera or microphone cannot be used, so the call cannot go on.
    MediaFailed(String),
}

/// W3C `RTCPeerConnectionState`, less what the engine does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// ICE and DTLS are at work.
    Connecting,
    /// Media can flow.
    Connected,
    /// Nothing has been heard for a while; it may come back.
    Disconnected,
    /// It will not come back by itself.
    Failed,
    /// It is gone, and no restart brings it back: only a new peer connection can take its place.
    Closed,
}

/// What the engine wants to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this to the signaling server.
    Send(Message),
    /// Do this with a peer connection.
    Peer {
        /// Which one.
        peer: PeerId,
        /// What.
        action: PeerAction,
    },
    /// Tell the app.
    Event(CallEvent),
}

/// What to do with a peer connection. Actions for one peer are done in the order in which they come.
///
/// `Offer`, `Answer` and `ApplyAnswer` are each answered by one report: [`PeerReport::LocalDescription`],
/// [`PeerReport::AnswerApplied`] or [`PeerReport::NegotiationFailed`]. Until it comes none of the three is asked for again.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerAction {
    /// Make it, with tracks for `media`, as the side that offers first or the one that answers first.
    Create {
        /// Whether this side makes the first offer.
        offerer: bool,
        /// What is on from the start.
        media: MediaState,
        /// It takes part in ICE by the credentials of this local description, of the connection that it replaces.
        keeps_ice_of: Option<SessionDescription>,
    },
    /// Make an offer, set it locally, and report [`PeerReport::LocalDescription`].
    Offer {
        /// Whether to restart ICE (RFC 8445 section 2.4).
        ice_restart: bool,
    },
    /// Apply the other side's offer (rolling an own one back first where `rollback` says so), make an answer, set it
    /// locally, and report [`PeerReport::LocalDescription`].
    Answer {
        /// The other side's offer.
        offer: SessionDescription,
        /// Whether an own offer is set locally and must be taken back first (JSEP section 4.1.10.2). After an answer that
        /// failed it may be gone already.
        rollback: bool,
    },
    /// Apply the other side's answer and report [`PeerReport::AnswerApplied`].
    ApplyAnswer(SessionDescription),
    /// Add a candidate of the other side's; `None` at the end of them.
    AddCandidate(Option<IceCandidate>),
    /// What is on changed.
    SetMedia(MediaState),
    /// Close it and release camera and microphone. Nothing more is reported of it.
    Close,
}

/// What the app is told.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// State, peer or media of the call changed. Sent for every change, with the whole picture.
    Changed(CallSnapshot),
    /// Somebody calls, told before the change of state: the app shows it and answers with [`Command::Accept`] or [`Command::Decline`].
    Incoming {
        /// Who calls.
        from: String,
        /// The call's identifier.
        call: CallId,
    },
    /// Somebody calls while a call goes on, told before the change of state: the app answers with [`Command::HoldAndAccept`],
    /// [`Command::EndAndAccept`] or [`Command::Decline`]. Only with [`super::CallEngine::set_call_waiting`].
    Waiting {
        /// Who calls.
        from: String,
        /// The call's identifier.
        call: CallId,
    },
    /// The call is accepted, and no path between the two networks was found yet. The search goes on. Told again when what is known of it
    /// changes.
    NoPathYet(PathSearch),
    /// A call is over. The engine is idle again, unless there is another call, which is in front from now on: ringing, or on hold until it is
    /// taken up ([`Command::SetHeld`]).
    Ended {
        /// Who was at the other end.
        with: String,
        /// The call's identifier.
        call: CallId,
        /// Why it is over.
        reason: EndReason,
    },
}

/// The call behind the one in front.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherCall {
    /// Its identifier.
    pub call: CallId,
    /// The person at the other end.
    pub with: String,
    /// [`CallState::RingingLocally`]: it waits. In all other states it is on hold.
    pub state: CallState,
    /// What the other side says it sends, and whether it has put the call on hold.
    pub remote: MediaState,
}

/// The whole picture of the call at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSnapshot {
    /// Where the call stands.
    pub state: CallState,
    /// The person at the other end, unless idle.
    pub with: Option<String>,
    /// The call's identifier, unless idle. It is the same from beginning to end, also where both called each other and messages
    /// name the other side's call.
    pub call: Option<CallId>,
    /// What this side sends, or will send again after a hold ([`MediaState::held`]).
    pub local: MediaState,
    /// What the other side says it sends, and whether it has put the call on hold.
    pub remote: MediaState,
    /// The second call, which waits or is on hold.
    pub other: Option<OtherCall>,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallState {
    /// No call.
    Idle,
    /// We call: the offer is being made or is on its way.
    Calling,
    /// We call, and the other side says that it rings there.
    RingingRemotely,
    /// We call somebody who is away, and the server rings a device of theirs by push.
    RingingByPush,
    /// Somebody calls us and nobody has answered yet.
    RingingLocally,
    /// Accepted by both; ICE and DTLS are at work.
    Connecting,
    /// Media flows.
    Connected,
    /// Media flowed and stopped; being repaired.
    Reconnecting,
}

impl CallState {
    /// A name for programs, e.g. `ringing-there`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Calling => "calling",
            Self::RingingRemotely => "ringing-there",
            Self::RingingByPush => "ringing-by-push",
            Self::RingingLocally => "ringing-here",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
        }
    }
}

/// Why a call ended. Not an error: every call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// The descriptions could not be agreed on.
    NegotiationFailed,
    /// The two sides have no codec in common.
    NoCommonCodec,
    /// The other side could not prove that it is who the descriptions say, or did not try: the DTLS handshake failed.
    HandshakeFailed,
    /// This side could not use its camera or microphone.
    MediaFailedLocally,
    /// The other side could not use its camera or microphone.
    MediaFailedRemotely,
    /// Another device of this person took the call.
    AnsweredElsewhere,
}

impl EndReason {
    /// A name for programs, e.g. `hung-up-here`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HungUpLocally => "hung-up-here",
            Self::HungUpRemotely => "hung-up-there",
            Self::DeclinedLocally => "declined-here",
            Self::DeclinedRemotely => "declined-there",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::CancelledLocally => "cancelled-here",
            Self::CancelledRemotely => "cancelled-there",
            Self::Unreachable => "unreachable",
            Self::NoPath => "no-path",
            Self::ConnectionFailed => "connection-failed",
            Self::NegotiationFailed => "negotiation-failed",
            Self::NoCommonCodec => "no-common-codec",
            Self::HandshakeFailed => "handshake-failed",
            Self::MediaFailedLocally => "media-failed-here",
            Self::MediaFailedRemotely => "media-failed-there",
            Self::AnsweredElsewhere => "answered-elsewhere",
        }
    }

    /// What the other side is told in `hang-up`, where this side ends the call.
    pub fn to_wire(self) -> HangUpReason {
        match self {
            Self::DeclinedLocally | Self::DeclinedRemotely => HangUpReason::Declined,
            Self::Busy => HangUpReason::Busy,
            Self::Timeout => HangUpReason::Timeout,
            Self::CancelledLocally | Self::CancelledRemotely => HangUpReason::Cancelled,
            Self::HungUpLocally | Self::HungUpRemotely => HangUpReason::Ended,
            Self::NoPath | Self::ConnectionFailed | Self::Unreachable => HangUpReason::Failed,
            Self::NegotiationFailed => HangUpReason::NegotiationFailed,
            Self::NoCommonCodec => HangUpReason::NoCommonCodec,
            Self::HandshakeFailed => HangUpReason::HandshakeFailed,
            Self::MediaFailedLocally | Self::MediaFailedRemotely => HangUpReason::MediaError,
            Self::AnsweredElsewhere => HangUpReason::Elsewhere,
        }
    }
}

/// Why a command was refused. The call, if there is one, goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The session has no name yet.
    #[error("not logged in")]
    NotLoggedIn,
    /// One cannot call oneself.
    #[error("you cannot call yourself")]
    SelfCall,
    /// The name to call is empty.
    #[error("there is no name to call")]
    Nobody,
    /// One call at a time, or no third one; or it has to be said what becomes of the other one.
    #[error("already in a call with {with}")]
    InCall {
        /// The person at the other end.
        with: String,
    },
    /// There is no call for this command.
    #[error("there is no call")]
    NoCall,
    /// There is no second call.
    #[error("there is no second call")]
    NoOtherCall,
    /// The call is in a state in which the command makes no sense, such as accepting one's own call.
    #[error("not possible while the call is {0:?}")]
    WrongState(CallState),
}
