//! The state of the current call.

use super::engine::is_polite;
use super::offer_answer::OfferAnswer;
use super::path_search::PathSearch;
use super::types::{ANSWERER_RESTARTS_LATER, CallError, CallState, EndReason, PeerId, RESTART_AFTER};
use crate::sdp::Description;
use crate::signaling::message::{CallId, MediaState, Message, SessionDescription};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// Most messages that wait until it is known whose they are.
pub(super) const MAX_DEFERRED: usize = 16;

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
    /// Restarts of ICE since the connection was last up.
    pub(super) restarts: u32,
    /// Whether no restart can bring the peer connection back, so that the next attempt makes a new one.
    pub(super) peer_unusable: bool,
    /// What was told last of a search that has found no path.
    pub(super) path_search: Option<PathSearch>,
    /// New peer connections that this call got.
    pub(super) replacements: u32,
    /// The certificates of the remote peer connection.
    pub(super) certificates: Certificates,
    /// Whom the remote peer connection's ICE checks come from.
    pub(super) ice_users: IceUsers,
    /// The mid of the m-line that the transport belongs to, as the last answer of either side had it.
    pub(super) bundle_owner: Option<String>,
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
    /// Messages in this call under another name than the remote user's: the next user list shows whether it is a new one.
    pub(super) deferred: VecDeque<Message>,
    pub(super) local: MediaState,
    /// When a change of `local` was told last, and when the next one is to be.
    pub(super) media_told: Option<Instant>,
    pub(super) tell_media_at: Option<Instant>,
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
            restarts: 0,
            peer_unusable: false,
            path_search: None,
            replacements: 0,
            certificates: Certificates::default(),
            ice_users: IceUsers::default(),
            bundle_owner: None,
            sends_call_ids: false,
            session: None,
            colliding_call: None,
            old_peer_restarted: false,
            peer_offline: false,
            deferred: VecDeque::new(),
            local: MediaState::default(),
            media_told: None,
            tell_media_at: None,
            remote: MediaState::default(),
            peer: None,
            offer: None,
            offer_answer: OfferAnswer::default(),
            sent_online: false,
            deadline,
            restart_at: None,
        }
    }

    /// The remote peer's connection is the one that this description comes from.
    pub(super) fn recognize(&mut self, description: &SessionDescription) {
        self.certificates = Certificates::of(description);
        self.ice_users = IceUsers::of(description);
    }

    /// An answer of either side was given.
    pub(super) fn on_answered(&mut self, answer: &SessionDescription) {
        let answer = Description::read(&answer.sdp).ok();
        // Where everything is stopped, what comes next has another transport, too.
        if let Some(owner) = answer.as_ref().and_then(Description::bundle_owner) {
            self.bundle_owner = Some(owner.to_owned());
        }
    }

    /// Whether the remote peer gives up the transport with this description. Browsers do where the m-line that it belongs to is stopped: for those
    /// that go on they make another one, with a DTLS handshake of its own, which no peer connection of this side can join.
    pub(super) fn gives_up_transport(&self, description: &SessionDescription) -> bool {
        let Some(owner) = &self.bundle_owner else { return false };
        Description::read(&description.sdp).is_ok_and(|description| description.goes_on_without(owner))
    }

    /// How long this side waits before it restarts ICE: the caller and the side whose network changed come first.
    pub(super) fn restart_after(&self) -> Duration {
        if self.offerer || self.new_network { RESTART_AFTER } else { RESTART_AFTER + ANSWERER_RESTARTS_LATER }
    }

    /// Whether it cannot be known yet whose message this is: it names the call, and is under another name than the remote user's,
    /// who is still there as far as is known.
    pub(super) fn defers(&self, me: Option<&str>, message: &Message) -> bool {
        let (Some(name), Some(call)) = message.of_call() else { return false };
        call == self.id && !self.peer_offline && name != self.with && Some(name) != me
    }

    /// Why a call ends whose connection cannot be made, or not again.
    pub(super) fn connection_failure(&self) -> EndReason {
        if self.state == CallState::Connecting { EndReason::NoPath } else { EndReason::ConnectionFailed }
    }

    /// An outgoing call that was not answered yet.
    pub(super) fn is_calling(&self) -> bool {
        matches!(self.state, CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush)
    }

    /// The call was accepted.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.state, CallState::Connecting | CallState::Connected | CallState::Reconnecting)
    }

    /// # Errors
    /// [`CallError::WrongState`] before the call was accepted.
    pub(super) fn check_answered(&self) -> Result<(), CallError> {
        if self.is_answered() { Ok(()) } else { Err(CallError::WrongState(self.state)) }
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

/// Most certificates, and most names for ICE, of one description that are looked at.
const MAX_CERTIFICATES: usize = 16;

/// The certificates that a description names in `a=fingerprint` (RFC 8122 section 5), as hashes of hash function and value. DTLS
/// binds a connection to them: a description without any of those that were agreed on comes from another peer connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Certificates(Vec<u64>);

impl Certificates {
    pub(super) fn of(description: &SessionDescription) -> Self {
        let hash = |value: &str| {
            let mut hasher = DefaultHasher::new();
            for word in value.split_ascii_whitespace().take(2) {
                word.to_ascii_lowercase().hash(&mut hasher);
            }
            hasher.finish()
        };
        Self(values(description, "a=fingerprint:").take(MAX_CERTIFICATES).map(hash).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a later description with `other` is of another peer connection. Unknown ones prove nothing.
    pub(super) fn exclude(&self, other: &Self) -> bool {
        !self.is_empty() && !other.is_empty() && !other.0.iter().any(|certificate| self.0.contains(certificate))
    }
}

/// The names that a description's ICE checks are made with (`a=ice-ufrag`, RFC 8839 section 5.4), as hashes. An offer that has none of those
/// before restarts ICE; to one that has, the answer must keep its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IceUsers(Vec<u64>);

impl IceUsers {
    pub(super) fn of(description: &SessionDescription) -> Self {
        let hash = |value: &str| {
            let mut hasher = DefaultHasher::new();
            value.trim().hash(&mut hasher);
            hasher.finish()
        };
        Self(values(description, "a=ice-ufrag:").take(MAX_CERTIFICATES).map(hash).collect())
    }

    pub(super) fn go_on_in(&self, other: &Self) -> bool {
        other.0.iter().any(|user| self.0.contains(user))
    }
}

/// What these lines of a description say.
fn values<'a>(description: &'a SessionDescription, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    description.sdp.lines().filter_map(move |line| line.trim_end().strip_prefix(attribute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificates(lines: &str) -> Certificates {
        Certificates::of(&SessionDescription::offer(format!("v=0\r\n{lines}")))
    }

    #[test]
    fn one_common_fingerprint_is_the_same_peer_in_whatever_case() {
        let ours = certificates("a=fingerprint:sha-256 AB:CD\r\n");
        assert!(!ours.exclude(&certificates("a=fingerprint:SHA-256 ab:cd\r\n")));
        assert!(!ours.exclude(&certificates("a=fingerprint:sha-512 01\r\na=fingerprint:sha-256 AB:CD\r\n")));
        assert!(ours.exclude(&certificates("a=fingerprint:sha-256 AB:CE\r\n")));
        let none = certificates("");
        assert!(!ours.exclude(&none) && !none.exclude(&ours));
    }
}
