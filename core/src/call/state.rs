//! What the engine remembers of the call there is.

use super::engine::is_polite;
use super::exchange::Negotiation;
use super::types::{CallState, PeerId};
use crate::signaling::message::{CallId, MediaState, SessionDescription};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

/// The call there is.
#[derive(Debug)]
pub(super) struct Call {
    /// What messages call it; another one once the other side's call was taken instead of ours.
    pub(super) id: CallId,
    /// What the app calls it, from its beginning to its end.
    pub(super) known_as: CallId,
    pub(super) with: String,
    pub(super) state: CallState,
    /// Whether this side made the first offer.
    pub(super) offerer: bool,
    /// Whether this device has another network since and the connection has not been made good for it.
    pub(super) new_network: bool,
    /// Whether this side gives way when both offer at once: by the names at the start, so that no later name changes it.
    pub(super) polite: bool,
    /// Whether the other side has named the call, and so understands what old peers do not.
    pub(super) names_calls: bool,
    /// The other side's peer connection, by what it wrote into its first description.
    pub(super) session: Option<SdpSession>,
    /// The other side's call that gave way to this one when both called.
    pub(super) rival: Option<CallId>,
    /// Whether an old page that called at the same time was hung up and called again.
    pub(super) called_again: bool,
    /// Whether the person is missing from the user list: what is sent now does not arrive.
    pub(super) away: bool,
    pub(super) local: MediaState,
    pub(super) remote: MediaState,
    /// None before an incoming call is accepted.
    pub(super) peer: Option<PeerId>,
    /// The offer that rings here.
    pub(super) offer: Option<SessionDescription>,
    pub(super) negotiation: Negotiation,
    /// Whether the server was in reach when the last description was given to it: what was said in its absence waits
    /// in the signaling client and is not lost.
    pub(super) said_online: bool,
    /// When the state it is in has lasted too long.
    pub(super) deadline: Option<Instant>,
    /// When to restart ICE.
    pub(super) restart_at: Option<Instant>,
}

impl Call {
    pub(super) fn new(id: CallId, me: &str, with: String, state: CallState, deadline: Option<Instant>) -> Self {
        Self {
            id,
            known_as: id,
            polite: is_polite(me, &with),
            with,
            state,
            offerer: false,
            new_network: false,
            names_calls: false,
            session: None,
            rival: None,
            called_again: false,
            away: false,
            local: MediaState::default(),
            remote: MediaState::default(),
            peer: None,
            offer: None,
            negotiation: Negotiation::default(),
            said_online: false,
            deadline,
            restart_at: None,
        }
    }

    /// Whether it is this side's to restart ICE: the caller's, and that of whoever knows that the old path cannot come back.
    pub(super) fn restarts_ice(&self) -> bool {
        self.offerer || self.new_network
    }

    /// We call and nobody has answered yet.
    pub(super) fn is_calling(&self) -> bool {
        matches!(self.state, CallState::Calling | CallState::RingingThere)
    }

    /// Both have taken the call.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.state, CallState::Connecting | CallState::Connected | CallState::Reconnecting)
    }

    /// Whether an offer without a call's identifier comes from the peer connection that this call is with.
    pub(super) fn is_of_session(&self, session: Option<SdpSession>) -> bool {
        self.session.is_none() || session.is_none() || self.session == session
    }
}

/// Names one peer connection of the other side's: the session identifier in `o=` (RFC 8866 section 5.2), which stays the same in
/// all its descriptions (RFC 9429 section 5.2.1). It tells the calls of old peers apart, which do not name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SdpSession(u64);

impl SdpSession {
    /// None if the description has no such line, or one that says nothing.
    pub(super) fn of(description: &SessionDescription) -> Option<Self> {
        let origin = description.sdp.lines().take(4).find_map(|line| line.strip_prefix("o="))?;
        let mut words = origin.split_ascii_whitespace();
        let (user, session) = (words.next()?, words.next()?);
        if session.bytes().all(|digit| digit == b'0') {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (user, session).hash(&mut hasher);
        Some(Self(hasher.finish()))
    }
}
