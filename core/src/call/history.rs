//! Calls other than the current one: those that ended, those cancelled before their offer arrived, and candidates that arrived
//! before their offer.

use super::offer_answer::push_bounded;
use super::state::SdpSession;
use crate::signaling::message::{CallId, HangUpReason, IceCandidate};
use std::collections::VecDeque;

/// Limit of buffered candidates whose offer has not arrived yet.
const MAX_EARLY: usize = 64;
/// Limit of those per sender.
const MAX_EARLY_PER_SENDER: usize = 32;
/// Limit of remembered ended calls, and of remembered cancelled calls.
const MAX_ENDED: usize = 64;

/// A call of this user that ended.
#[derive(Debug)]
struct EndedCall {
    with: String,
    call: Option<CallId>,
    session: Option<SdpSession>,
    reason: HangUpReason,
}

/// Bounded memory of other calls. Every entry is bound to its sender, so that nobody can change what is known of another
/// user's calls. What strangers can fill is stored apart from this user's own calls.
#[derive(Debug, Default)]
pub(super) struct CallHistory {
    early_candidates: VecDeque<(String, CallId, Option<IceCandidate>)>,
    ended: VecDeque<EndedCall>,
    /// Calls whose `hang-up` arrived before their offer.
    cancelled: VecDeque<(String, CallId)>,
}

impl CallHistory {
    /// Records that a call of this user ended, and which reason to answer to late messages about it.
    pub(super) fn record_ended(
        &mut self,
        with: String,
        call: Option<CallId>,
        session: Option<SdpSession>,
        reason: HangUpReason,
    ) {
        self.early_candidates.retain(|(_, id, _)| Some(*id) != call);
        push_bounded(&mut self.ended, EndedCall { with, call, session, reason }, MAX_ENDED);
    }

    /// Removes an ended call, which may be offered again.
    pub(super) fn remove_ended(&mut self, call: CallId) {
        self.ended.retain(|ended| ended.call != Some(call));
    }

    /// Records a `hang-up` of an unknown call: if its offer arrives later, it does not ring.
    pub(super) fn record_cancelled(&mut self, from: &str, call: CallId) {
        self.early_candidates.retain(|(sender, id, _)| sender != from || *id != call);
        if !self.is_cancelled(from, call) {
            push_bounded(&mut self.cancelled, (from.to_owned(), call), MAX_ENDED);
        }
    }

    /// Whether this sender cancelled that call before its offer arrived.
    pub(super) fn is_cancelled(&self, from: &str, call: CallId) -> bool {
        self.cancelled.iter().any(|(sender, id)| sender == from && *id == call)
    }

    /// Why the call ended, if it was one of this user's.
    pub(super) fn end_reason(&self, call: CallId) -> Option<HangUpReason> {
        self.ended.iter().rev().find(|ended| ended.call == Some(call)).map(|ended| ended.reason)
    }

    /// Whether a call with this remote peer connection ended.
    pub(super) fn is_session_ended(&self, with: &str, session: SdpSession) -> bool {
        self.ended.iter().any(|ended| ended.with == with && ended.session == Some(session))
    }

    /// Buffers a candidate of a call whose offer may still arrive.
    pub(super) fn buffer_candidate(&mut self, from: String, call: CallId, candidate: Option<IceCandidate>) {
        if self.end_reason(call).is_some() || self.is_cancelled(&from, call) {
            return;
        }
        if self.early_candidates.iter().filter(|(sender, _, _)| *sender == from).count() >= MAX_EARLY_PER_SENDER
            && let Some(oldest) = self.early_candidates.iter().position(|(sender, _, _)| *sender == from)
        {
            self.early_candidates.remove(oldest);
        }
        push_bounded(&mut self.early_candidates, (from, call, candidate), MAX_EARLY);
    }

    /// Takes the candidates that were buffered for this call.
    pub(super) fn take_candidates(&mut self, from: &str, call: CallId) -> Vec<Option<IceCandidate>> {
        let (taken, rest) = std::mem::take(&mut self.early_candidates)
            .into_iter()
            .partition::<Vec<_>, _>(|(sender, id, _)| sender == from && *id == call);
        self.early_candidates = rest.into();
        taken.into_iter().map(|(_, _, candidate)| candidate).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.early_candidates.len() + self.ended.len() + self.cancelled.len()
    }
}
