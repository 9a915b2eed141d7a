//! The offer/answer state (RFC 3264, JSEP RFC 9429) between this side's peer connection and the remote peer, without I/O.

use crate::signaling::message::{IceCandidate, SdpType, SessionDescription};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Limit of queued candidates in each direction, and of remote candidates added for one remote description.
const MAX_CANDIDATES: usize = 256;
/// How many remote descriptions are remembered to detect duplicates.
const MAX_SEEN: usize = 16;

/// What the peer connection was asked for and has not reported yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    CreateOffer,
    CreateAnswer,
    ApplyAnswer,
}

/// What to ask the peer connection for next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Offer { ice_restart: bool },
    Answer { offer: SessionDescription, rollback: bool },
}

/// How a remote description relates to those received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    New,
    /// Received before, and the offer that was answered last.
    Duplicate,
    /// Received before, and no longer current.
    Superseded,
}

/// The offer/answer state of one peer connection. The peer connection runs one operation at a time. Offers received meanwhile
/// replace each other, so that a flood of them cannot fill a queue.
#[derive(Debug, Default)]
pub(super) struct OfferAnswer {
    pending_operation: Option<Operation>,
    /// The offer being created is not to be sent, because a remote offer was accepted meanwhile.
    discard_offer: bool,
    /// The peer connection is in `have-local-offer` (W3C signaling state), whether or not that offer was sent.
    has_local_offer: bool,
    /// A local offer was sent and has no answer yet.
    awaiting_answer: bool,
    /// An offer is to be created as soon as no operation is pending; the value says whether it restarts ICE.
    negotiation_needed: Option<bool>,
    /// A remote offer that waits until no operation is pending.
    queued_offer: Option<SessionDescription>,
    /// Offer and answer were exchanged at least once.
    negotiated: bool,
    /// Number of local offers that were replaced before they were answered.
    replaced_offers: usize,
    seen_descriptions: VecDeque<u64>,
    /// Fingerprint of the remote offer that is being answered or was answered last.
    answered_offer: Option<u64>,
    /// The local description that was sent last, and the candidates that were sent after it.
    sent_description: Option<SessionDescription>,
    sent_candidates: VecDeque<Option<IceCandidate>>,
    /// The local description that offer and answer have ended with.
    agreed_description: Option<SessionDescription>,
    /// Local candidates that wait for the first local description to be sent.
    pending_local_candidates: VecDeque<Option<IceCandidate>>,
    /// A remote description was given to the peer connection, so that remote candidates may follow.
    has_remote_description: bool,
    added_candidates: usize,
    /// Remote candidates that wait for their description.
    pending_remote_candidates: VecDeque<Option<IceCandidate>>,
}

impl OfferAnswer {
    /// Whether a local offer was sent and has no answer yet.
    pub(super) fn is_awaiting_answer(&self) -> bool {
        self.awaiting_answer
    }

    /// Whether offer and answer were exchanged at least once.
    pub(super) fn is_negotiated(&self) -> bool {
        self.negotiated
    }

    /// Whether a remote offer received now would collide with a local one (W3C WebRTC section 10.7, `offerCollision`).
    pub(super) fn collides(&self) -> bool {
        self.awaiting_answer || self.is_creating_offer()
    }

    fn is_creating_offer(&self) -> bool {
        self.pending_operation == Some(Operation::CreateOffer) && !self.discard_offer
    }

    /// Requests a new offer, which replaces one that has no answer yet. Does nothing while an offer is being created.
    pub(super) fn request_offer(&mut self, ice_restart: bool) {
        if self.is_creating_offer() {
            return;
        }
        if std::mem::take(&mut self.awaiting_answer) {
            self.replaced_offers += 1;
        }
        self.negotiation_needed = Some(ice_restart);
    }

    /// The connection is established (again): a requested ICE restart is no longer needed.
    pub(super) fn on_connected(&mut self) {
        self.negotiation_needed = None;
        self.replaced_offers = 0;
    }

    /// Registers a remote description and says whether it is new.
    pub(super) fn receive(&mut self, description: &SessionDescription) -> Received {
        let hash = fingerprint(description);
        if !self.seen_descriptions.contains(&hash) {
            push_bounded(&mut self.seen_descriptions, hash, MAX_SEEN);
            return Received::New;
        }
        if self.answered_offer == Some(hash) { Received::Duplicate } else { Received::Superseded }
    }

    /// Accepts a remote offer; a local offer that is being created or has no answer yet is given up.
    pub(super) fn accept_offer(&mut self, offer: SessionDescription) {
        self.discard_offer = self.pending_operation == Some(Operation::CreateOffer);
        self.awaiting_answer = false;
        self.queued_offer = Some(offer);
    }

    /// Accepts a remote answer. Returns false if no local offer awaits one.
    pub(super) fn accept_answer(&mut self) -> bool {
        if !std::mem::take(&mut self.awaiting_answer) {
            return false;
        }
        self.pending_operation = Some(Operation::ApplyAnswer);
        true
    }

    /// For an answer that [`Self::accept_answer`] did not accept: whether it answers an offer that was replaced meanwhile. The
    /// remote peer has then applied the replaced offer, and one more offer and answer are needed to bring both sides together.
    pub(super) fn take_replaced_offer(&mut self) -> bool {
        let was_replaced = self.replaced_offers > 0;
        self.replaced_offers = self.replaced_offers.saturating_sub(1);
        was_replaced
    }

    /// The next operation for the peer connection, if none is pending. Remote offers come before local ones.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        if self.pending_operation.is_some() {
            return None;
        }
        if let Some(offer) = self.queued_offer.take() {
            self.pending_operation = Some(Operation::CreateAnswer);
            self.answered_offer = Some(fingerprint(&offer));
            return Some(Step::Answer { offer, rollback: self.has_local_offer });
        }
        let ice_restart = self.negotiation_needed.take()?;
        self.pending_operation = Some(Operation::CreateOffer);
        Some(Step::Offer { ice_restart })
    }

    /// The peer connection has created and set a local description. Returns whether it is to be sent.
    pub(super) fn on_local_description(&mut self, description: &SessionDescription) -> bool {
        match (self.pending_operation, description.kind) {
            (Some(Operation::CreateOffer), SdpType::Offer) => {
                self.pending_operation = None;
                self.has_local_offer = true;
                self.awaiting_answer = !std::mem::take(&mut self.discard_offer);
                self.awaiting_answer
            }
            (Some(Operation::CreateAnswer), SdpType::Answer) => {
                self.pending_operation = None;
                self.has_local_offer = false;
                self.negotiated = true;
                self.agreed_description = Some(description.clone());
                true
            }
            _ => false,
        }
    }

    /// The peer connection has applied the remote answer.
    pub(super) fn on_answer_applied(&mut self) {
        if self.pending_operation == Some(Operation::ApplyAnswer) {
            self.pending_operation = None;
            self.has_local_offer = false;
            self.negotiated = true;
            // Nothing was sent since the offer that this answers.
            self.agreed_description = self.sent_description.clone();
        }
    }

    /// The pending operation failed. A local offer that was set before is assumed to be still set. Returns whether it was part of
    /// this side's own offer.
    pub(super) fn on_operation_failed(&mut self) -> bool {
        let failed = self.pending_operation.take();
        if failed == Some(Operation::CreateAnswer) {
            self.answered_offer = None;
        }
        self.discard_offer = false;
        // Of a first description nothing is left; later ones leave what was agreed on before.
        self.has_remote_description &= self.negotiated;
        matches!(failed, Some(Operation::CreateOffer | Operation::ApplyAnswer))
    }

    /// The state of a peer connection that takes the place of this one: nothing is negotiated. Descriptions that were received are
    /// still known, and so are offers whose answers may still come.
    pub(super) fn for_new_peer(&mut self) -> Self {
        Self {
            replaced_offers: self.replaced_offers + usize::from(self.awaiting_answer),
            seen_descriptions: std::mem::take(&mut self.seen_descriptions),
            ..Self::default()
        }
    }

    /// The local description was sent. Returns the local candidates that waited for it.
    pub(super) fn on_description_sent(&mut self, description: SessionDescription) -> VecDeque<Option<IceCandidate>> {
        self.sent_description = Some(description);
        self.sent_candidates.clear();
        std::mem::take(&mut self.pending_local_candidates)
    }

    /// The local description that was sent last.
    pub(super) fn sent_description(&self) -> Option<SessionDescription> {
        self.sent_description.clone()
    }

    /// The local description that the remote peer and this one have agreed on last: an offer that was rolled back is none.
    pub(super) fn agreed_description(&self) -> Option<SessionDescription> {
        self.agreed_description.clone()
    }

    /// The local candidates that were sent after [`Self::sent_description`].
    pub(super) fn sent_candidates(&self) -> Vec<Option<IceCandidate>> {
        self.sent_candidates.iter().cloned().collect()
    }

    /// A local candidate was gathered. Returns whether it is to be sent now; otherwise it is queued.
    pub(super) fn on_local_candidate(&mut self, candidate: &Option<IceCandidate>) -> bool {
        let send_now = self.sent_description.is_some();
        let queue = if send_now { &mut self.sent_candidates } else { &mut self.pending_local_candidates };
        push_bounded(queue, candidate.clone(), MAX_CANDIDATES);
        send_now
    }

    /// A local candidate that was queued has been sent.
    pub(super) fn on_candidate_sent(&mut self, candidate: Option<IceCandidate>) {
        push_bounded(&mut self.sent_candidates, candidate, MAX_CANDIDATES);
    }

    /// A remote description is being given to the peer connection. Returns the remote candidates that waited for it.
    pub(super) fn on_remote_description(&mut self) -> VecDeque<Option<IceCandidate>> {
        self.has_remote_description = true;
        let waiting = std::mem::take(&mut self.pending_remote_candidates);
        self.added_candidates = waiting.len();
        waiting
    }

    /// A remote candidate was received. Returns it if the peer connection can add it now; otherwise it is queued, or dropped
    /// beyond [`MAX_CANDIDATES`], which is more than any real peer gathers.
    pub(super) fn on_remote_candidate(&mut self, candidate: Option<IceCandidate>) -> Option<Option<IceCandidate>> {
        if !self.has_remote_description || self.queued_offer.is_some() {
            push_bounded(&mut self.pending_remote_candidates, candidate, MAX_CANDIDATES);
            return None;
        }
        self.added_candidates += 1;
        (self.added_candidates <= MAX_CANDIDATES).then_some(candidate)
    }

    /// Drops the queued remote candidates: the peer connection that gathered them is closed.
    pub(super) fn clear_remote_candidates(&mut self) {
        self.pending_remote_candidates.clear();
    }
}

fn fingerprint(description: &SessionDescription) -> u64 {
    let mut hasher = DefaultHasher::new();
    (description.kind, &description.sdp).hash(&mut hasher);
    hasher.finish()
}

/// Appends to a queue of at most `limit` items; the oldest item is dropped when it is full.
pub(super) fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    if queue.len() >= limit {
        queue.pop_front();
    }
    queue.push_back(item);
}
