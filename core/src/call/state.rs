//! The state of the current call.

use super::engine::is_polite;
use super::offer_answer::OfferAnswer;
use super::types::{CallState, PeerId};
use crate::signaling::message::{CallId, MediaState, SessionDescription};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

/// The current call.
#[derive(Debug)]
pub(super) struct Call {
    /// The identifier in messages. It changes if the remote call is accepted in place of the local one after glare.
    pub(super) id: CallId,
    /// The identifier towards the app: the same from the start of the call to its end.
    pub(super) app_id: CallId,
    pub(super) with: String,
    pub(super) state: CallState,
    /// Whether this side made the first offer.
    pub(super) offerer: bool,
    /// Whether this device's network changed and ICE has not been restarted successfully since.
    pub(super) new_network: bool,
    /// Whether this side is the polite peer of perfect negotiation. Set from the names at the start; later renames do not change it.
    pub(super) polite: bool,
    /// Whether the remote peer sends call identifiers, which old peers do not.
    pub(super) sends_call_ids: bool,
    /// The remote peer connection, identified by its first description.
    pub(super) session: Option<SdpSession>,
    /// The remote call that lost the glare against this one.
    pub(super) colliding_call: Option<CallId>,
    /// Whether an old page was hung up and offered again because of glare.
    pub(super) old_peer_restarted: bool,
    /// Whether the remote user is missing from the user list, so that messages do not arrive.
    pub(super) peer_offline: bool,
    pub(super) local: MediaState,
    pub(super) remote: MediaState,
    /// `None` before an incoming call is accepted.
    pub(super) peer: Option<PeerId>,
    /// The offer of an incoming call that was not accepted yet.
    pub(super) offer: Option<SessionDescription>,
    pub(super) offer_answer: OfferAnswer,
    /// Whether the server was reachable when the last description was sent. Messages sent while it is not wait in the
    /// signaling client and are not lost.
    pub(super) sent_online: bool,
    /// When the current state times out.
    pub(super) deadline: Option<Instant>,
    /// When to restart ICE.
    pub(super) restart_at: Option<Instant>,
}

impl Call {
    pub(super) fn new(id: CallId, me: &str, with: String, state: CallState, deadline: Option<Instant>) -> Self {
        Self {
            id,
            app_id: id,
            polite: is_polite(me, &with),
            with,
            state,
            offerer: false,
            new_network: false,
            sends_call_ids: false,
            session: None,
            colliding_call: None,
            old_peer_restarted: false,
            peer_offline: false,
            local: MediaState::default(),
            remote: MediaState::default(),
            peer: None,
            offer: None,
            offer_answer: OfferAnswer::default(),
            sent_online: false,
            deadline,
            restart_at: None,
        }
    }

    /// Whether this side restarts ICE: the caller does, and the side whose network changed.
    pub(super) fn restarts_ice(&self) -> bool {
        self.offerer || self.new_network
    }

    /// An outgoing call that was not answered yet.
    pub(super) fn is_calling(&self) -> bool {
        matches!(self.state, CallState::Calling | CallState::RingingRemotely)
    }

    /// The call was accepted.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.state, CallState::Connecting | CallState::Connected | CallState::Reconnecting)
    }

    /// Whether an offer without a call identifier can be from the remote peer connection of this call.
    pub(super) fn is_of_session(&self, session: Option<SdpSession>) -> bool {
        self.session.is_none() || session.is_none() || self.session == session
    }
}

/// Identifies one remote peer connection: a hash of user and session identifier in `o=` (RFC 8866 section 5.2), which are the same
/// in all its descriptions (RFC 9429 section 5.2.1). It distinguishes the calls of old peers, which send no call identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SdpSession(u64);

impl SdpSession {
    /// `None` if the description has no such line, or only zeros in it.
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
