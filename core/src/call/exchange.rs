//! Where offer and answer stand between this side's peer connection and the other side (JSEP, RFC 9429).

use crate::signaling::message::{IceCandidate, SdpType, SessionDescription};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Candidates kept until the description that they belong to is there, and those taken for one description.
const MAX_CANDIDATES: usize = 256;
/// Descriptions of the other side's that are recognised when they come again.
const MAX_SEEN: usize = 16;

/// What the peer connection was asked for and has not reported yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Offer,
    Answer,
    ApplyAnswer,
}

/// What to ask the peer connection for next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Offer { ice_restart: bool },
    Answer { offer: SessionDescription, rollback: bool },
}

/// What to make of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    New,
    /// It came before, and was the last that was answered.
    Repeated,
    /// It came before, and was left behind since.
    Stale,
}

/// Where offer and answer stand. The peer connection is asked for one description at a time, and offers that come meanwhile
/// replace each other, so that nobody's flood fills a queue.
#[derive(Debug, Default)]
pub(super) struct Negotiation {
    doing: Option<Doing>,
    /// The offer being made was overtaken by the other side's and is not sent.
    discard: bool,
    /// The peer connection has an offer of ours set (W3C `have-local-offer`), be it sent or not.
    offer_set: bool,
    /// An offer of ours was sent and not answered.
    out: bool,
    /// An offer is to be made as soon as nothing else is done; whether with an ICE restart.
    wanted: Option<bool>,
    /// The other side's offer that waits until nothing else is done.
    next_offer: Option<SessionDescription>,
    /// One exchange of offer and answer was completed.
    agreed: bool,
    /// Offers of ours that were replaced before they were answered.
    replaced: usize,
    seen: VecDeque<u64>,
    /// The other side's offer that is being answered, or was answered last.
    answering: Option<u64>,
    /// Our last description that was sent, with the candidates that followed it.
    said: Option<SessionDescription>,
    said_candidates: VecDeque<Option<IceCandidate>>,
    from_here: VecDeque<Option<IceCandidate>>,
    /// A description of the other side's was handed to the peer connection, so candidates may follow it.
    described_there: bool,
    taken: usize,
    from_there: VecDeque<Option<IceCandidate>>,
}

impl Negotiation {
    /// Whether an offer of ours was sent and waits for its answer.
    pub(super) fn waits_for_answer(&self) -> bool {
        self.out
    }

    /// Whether one exchange of offer and answer was completed.
    pub(super) fn is_agreed(&self) -> bool {
        self.agreed
    }

    /// Whether an offer of the other side's collides with one of ours.
    pub(super) fn collides(&self) -> bool {
        self.out || (self.doing == Some(Doing::Offer) && !self.discard)
    }

    /// An offer is wanted, in place of one that nobody has answered; not if one is being made.
    pub(super) fn want_offer(&mut self, ice_restart: bool) {
        if self.doing == Some(Doing::Offer) && !self.discard {
            return;
        }
        if std::mem::take(&mut self.out) {
            self.replaced += 1;
        }
        self.wanted = Some(ice_restart);
    }

    /// The connection is good: nothing has to be repaired.
    pub(super) fn repaired(&mut self) {
        self.wanted = None;
        self.replaced = 0;
    }

    /// An offer of the other side's came.
    pub(super) fn hear(&mut self, description: &SessionDescription) -> Heard {
        let hash = fingerprint(description);
        if !self.seen.contains(&hash) {
            keep(&mut self.seen, hash, MAX_SEEN);
            return Heard::New;
        }
        if self.answering == Some(hash) { Heard::Repeated } else { Heard::Stale }
    }

    /// Takes the other side's offer instead of an own one.
    pub(super) fn take_offer(&mut self, offer: SessionDescription) {
        self.discard = self.doing == Some(Doing::Offer);
        self.out = false;
        self.next_offer = Some(offer);
    }

    /// Takes the other side's answer, if it is one that is waited for.
    pub(super) fn take_answer(&mut self) -> bool {
        if !std::mem::take(&mut self.out) {
            return false;
        }
        self.doing = Some(Doing::ApplyAnswer);
        true
    }

    /// An answer came that is not waited for: whether it was to an offer that was replaced. The other side has then moved on
    /// to what it answered, and only one more exchange brings both together.
    pub(super) fn was_replaced(&mut self) -> bool {
        let was = self.replaced > 0;
        self.replaced = self.replaced.saturating_sub(1);
        was
    }

    /// What to ask the peer connection for now.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        if self.doing.is_some() {
            return None;
        }
        if let Some(offer) = self.next_offer.take() {
            self.doing = Some(Doing::Answer);
            self.answering = Some(fingerprint(&offer));
            return Some(Step::Answer { offer, rollback: self.offer_set });
        }
        let ice_restart = self.wanted.take()?;
        self.doing = Some(Doing::Offer);
        Some(Step::Offer { ice_restart })
    }

    /// The peer connection has made what it was asked for: whether to send it.
    pub(super) fn described_here(&mut self, description: &SessionDescription) -> bool {
        match (self.doing, description.kind) {
            (Some(Doing::Offer), SdpType::Offer) => {
                self.doing = None;
                self.offer_set = true;
                self.out = !std::mem::take(&mut self.discard);
                self.out
            }
            (Some(Doing::Answer), SdpType::Answer) => {
                self.doing = None;
                self.offer_set = false;
                self.agreed = true;
                true
            }
            _ => false,
        }
    }

    /// The other side's answer was applied.
    pub(super) fn applied(&mut self) {
        if self.doing == Some(Doing::ApplyAnswer) {
            self.doing = None;
            self.offer_set = false;
            self.agreed = true;
        }
    }

    /// What the peer connection was asked for failed. An own offer stays set, as far as is known here.
    pub(super) fn failed(&mut self) {
        if self.doing.take() == Some(Doing::Answer) {
            self.answering = None;
        }
        self.discard = false;
    }

    /// Our description was sent: the candidates that waited for it.
    pub(super) fn said(&mut self, description: SessionDescription) -> VecDeque<Option<IceCandidate>> {
        self.said = Some(description);
        self.said_candidates.clear();
        std::mem::take(&mut self.from_here)
    }

    /// Our last description that was sent.
    pub(super) fn last_said(&self) -> Option<SessionDescription> {
        self.said.clone()
    }

    /// The candidates that followed it.
    pub(super) fn candidates_said(&self) -> Vec<Option<IceCandidate>> {
        self.said_candidates.iter().cloned().collect()
    }

    /// A candidate of ours: whether it can be sent now.
    pub(super) fn candidate_here(&mut self, candidate: &Option<IceCandidate>) -> bool {
        let now = self.said.is_some();
        let queue = if now { &mut self.said_candidates } else { &mut self.from_here };
        keep(queue, candidate.clone(), MAX_CANDIDATES);
        now
    }

    /// A candidate that waited was sent.
    pub(super) fn candidate_said(&mut self, candidate: Option<IceCandidate>) {
        keep(&mut self.said_candidates, candidate, MAX_CANDIDATES);
    }

    /// The other side's description is with the peer connection: the candidates that waited for it.
    pub(super) fn described_there(&mut self) -> VecDeque<Option<IceCandidate>> {
        self.described_there = true;
        let waited = std::mem::take(&mut self.from_there);
        self.taken = waited.len();
        waited
    }

    /// A candidate of the other side's: handed back if the peer connection can take it now. No honest peer has so many that one
    /// is dropped.
    pub(super) fn candidate_there(&mut self, candidate: Option<IceCandidate>) -> Option<Option<IceCandidate>> {
        if !self.described_there || self.next_offer.is_some() {
            keep(&mut self.from_there, candidate, MAX_CANDIDATES);
            return None;
        }
        self.taken += 1;
        (self.taken <= MAX_CANDIDATES).then_some(candidate)
    }

    /// What came of the other side's candidates belongs to nothing any more.
    pub(super) fn forget_candidates_there(&mut self) {
        self.from_there.clear();
    }
}

fn fingerprint(description: &SessionDescription) -> u64 {
    let mut hasher = DefaultHasher::new();
    (description.kind, &description.sdp).hash(&mut hasher);
    hasher.finish()
}

/// Adds to a queue of bounded length, whose oldest goes.
pub(super) fn keep<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() >= most {
        queue.pop_front();
    }
    queue.push_back(item);
}
