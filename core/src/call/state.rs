//! What the engine remembers of the call, and of calls that ended.

use super::types::{CallState, PeerId};
use crate::signaling::message::{CallId, IceCandidate, MediaState, SessionDescription};
use std::collections::VecDeque;
use std::time::Instant;

/// Candidates kept until the description that they belong to is there.
const MAX_WAITING_CANDIDATES: usize = 256;
/// Candidates kept of calls whose offer has not come yet.
const MAX_EARLY_CANDIDATES: usize = 64;
/// Calls that ended and are remembered, so that their late messages are recognised.
const MAX_ENDED: usize = 64;

/// The call there is.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) with: String,
    pub(super) state: CallState,
    /// Whether this side made the first offer: it is the one that restarts ICE.
    pub(super) offerer: bool,
    /// Whether the other side has named the call, and so understands what old peers do not.
    pub(super) names_calls: bool,
    pub(super) local: MediaState,
    pub(super) remote: MediaState,
    /// None before an incoming call is accepted.
    pub(super) peer: Option<PeerId>,
    /// The offer that rings here.
    pub(super) offer: Option<SessionDescription>,
    pub(super) negotiation: Negotiation,
    /// When the state it is in has lasted too long.
    pub(super) deadline: Option<Instant>,
    /// When to restart ICE.
    pub(super) restart_at: Option<Instant>,
}

/// Where offer and answer stand.
#[derive(Debug, Default)]
pub(super) struct Negotiation {
    /// The peer connection is making an offer.
    pub(super) making_offer: bool,
    /// The offer being made was overtaken by the other side's and is not sent.
    pub(super) discard_offer: bool,
    /// An offer of ours was sent and not answered.
    pub(super) offer_out: bool,
    /// A description of ours was sent, so candidates may follow it.
    described_here: bool,
    /// A description of the other side's was handed to the peer connection, so candidates may follow it.
    described_there: bool,
    from_here: VecDeque<Option<IceCandidate>>,
    from_there: VecDeque<Option<IceCandidate>>,
}

impl Negotiation {
    /// Whether an offer of the other side's collides with one of ours.
    pub(super) fn collides(&self) -> bool {
        self.making_offer || self.offer_out
    }

    /// Our description was sent: the candidates that waited for it.
    pub(super) fn described_here(&mut self) -> VecDeque<Option<IceCandidate>> {
        self.described_here = true;
        std::mem::take(&mut self.from_here)
    }

    /// The other side's description is with the peer connection: the candidates that waited for it.
    pub(super) fn described_there(&mut self) -> VecDeque<Option<IceCandidate>> {
        self.described_there = true;
        std::mem::take(&mut self.from_there)
    }

    /// A candidate of ours: handed back if it can be sent now.
    pub(super) fn candidate_here(&mut self, candidate: Option<IceCandidate>) -> Option<Option<IceCandidate>> {
        if self.described_here {
            return Some(candidate);
        }
        keep(&mut self.from_here, candidate, MAX_WAITING_CANDIDATES);
        None
    }

    /// A candidate of the other side's: handed back if the peer connection can take it now.
    pub(super) fn candidate_there(&mut self, candidate: Option<IceCandidate>) -> Option<Option<IceCandidate>> {
        if self.described_there {
            return Some(candidate);
        }
        keep(&mut self.from_there, candidate, MAX_WAITING_CANDIDATES);
        None
    }
}

/// What came too early or too late: candidates before their offer, and the names of calls that are over.
#[derive(Debug, Default)]
pub(super) struct Strays {
    early: VecDeque<(String, CallId, Option<IceCandidate>)>,
    ended: VecDeque<CallId>,
}

impl Strays {
    /// Remembers that this call is over.
    pub(super) fn ended(&mut self, call: CallId) {
        self.early.retain(|(_, of, _)| *of != call);
        if !self.is_ended(call) {
            keep(&mut self.ended, call, MAX_ENDED);
        }
    }

    pub(super) fn is_ended(&self, call: CallId) -> bool {
        self.ended.contains(&call)
    }

    /// Keeps a candidate of a call whose offer may still come.
    pub(super) fn early(&mut self, from: String, call: CallId, candidate: Option<IceCandidate>) {
        if !self.is_ended(call) {
            keep(&mut self.early, (from, call, candidate), MAX_EARLY_CANDIDATES);
        }
    }

    /// The candidates that were kept for this call.
    pub(super) fn take_early(&mut self, from: &str, call: CallId) -> Vec<Option<IceCandidate>> {
        let (taken, left) =
            std::mem::take(&mut self.early).into_iter().partition::<Vec<_>, _>(|(f, of, _)| f == from && *of == call);
        self.early = left.into();
        taken.into_iter().map(|(_, _, candidate)| candidate).collect()
    }
}

fn keep<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() >= most {
        queue.pop_front();
    }
    queue.push_back(item);
}
