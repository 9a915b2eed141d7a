//! What came too early or too late: candidates before their offer, and the names of calls that are over.

use super::exchange::keep;
use super::state::SdpSession;
use crate::signaling::message::{CallId, HangUpReason, IceCandidate};
use std::collections::VecDeque;

/// Candidates kept of calls whose offer has not come yet.
const MAX_EARLY: usize = 64;
/// How many of those may be one person's.
const MAX_EARLY_OF_ONE: usize = 32;
/// Calls that ended and are remembered, so that their late messages are recognised.
const MAX_ENDED: usize = 64;

/// A call of ours that is over.
#[derive(Debug)]
struct Ended {
    with: String,
    call: Option<CallId>,
    session: Option<SdpSession>,
    reason: HangUpReason,
}

/// Memory of bounded size. Everything in it is bound to the person it came from: nobody changes what is known of
/// another's calls. What strangers can fill is apart from our own calls.
#[derive(Debug, Default)]
pub(super) struct Strays {
    early: VecDeque<(String, CallId, Option<IceCandidate>)>,
    ended: VecDeque<Ended>,
    /// Calls that were hung up before their offer came.
    cancelled: VecDeque<(String, CallId)>,
}

impl Strays {
    /// Remembers that a call of ours is over, and what to tell whoever still speaks of it.
    pub(super) fn ended(
        &mut self,
        with: String,
        call: Option<CallId>,
        session: Option<SdpSession>,
        reason: HangUpReason,
    ) {
        self.early.retain(|(_, of, _)| Some(*of) != call);
        keep(&mut self.ended, Ended { with, call, session, reason }, MAX_ENDED);
    }

    /// The call may come back.
    pub(super) fn forget(&mut self, call: CallId) {
        self.ended.retain(|ended| ended.call != Some(call));
    }

    /// Somebody hung up a call that is not known: its offer, should it come yet, is not to ring.
    pub(super) fn cancelled(&mut self, from: &str, call: CallId) {
        self.early.retain(|(f, of, _)| f != from || *of != call);
        if !self.is_cancelled(from, call) {
            keep(&mut self.cancelled, (from.to_owned(), call), MAX_ENDED);
        }
    }

    /// Whether this person hung that call up before its offer came.
    pub(super) fn is_cancelled(&self, from: &str, call: CallId) -> bool {
        self.cancelled.iter().any(|(f, of)| f == from && *of == call)
    }

    /// Why the call ended, if it was one of ours.
    pub(super) fn why_ended(&self, call: CallId) -> Option<HangUpReason> {
        self.ended.iter().rev().find(|ended| ended.call == Some(call)).map(|ended| ended.reason)
    }

    /// Whether a call with this peer connection of that person is over.
    pub(super) fn is_session_over(&self, with: &str, session: SdpSession) -> bool {
        self.ended.iter().any(|ended| ended.with == with && ended.session == Some(session))
    }

    /// Keeps a candidate of a call whose offer may still come.
    pub(super) fn early(&mut self, from: String, call: CallId, candidate: Option<IceCandidate>) {
        if self.why_ended(call).is_some() || self.is_cancelled(&from, call) {
            return;
        }
        if self.early.iter().filter(|(f, _, _)| *f == from).count() >= MAX_EARLY_OF_ONE
            && let Some(oldest) = self.early.iter().position(|(f, _, _)| *f == from)
        {
            self.early.remove(oldest);
        }
        keep(&mut self.early, (from, call, candidate), MAX_EARLY);
    }

    /// The candidates that were kept for this call.
    pub(super) fn take_early(&mut self, from: &str, call: CallId) -> Vec<Option<IceCandidate>> {
        let (taken, left) =
            std::mem::take(&mut self.early).into_iter().partition::<Vec<_>, _>(|(f, of, _)| f == from && *of == call);
        self.early = left.into();
        taken.into_iter().map(|(_, _, candidate)| candidate).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.early.len() + self.ended.len() + self.cancelled.len()
    }
}
