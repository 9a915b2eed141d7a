//! One call for app, system and push: whoever tells of it first, and in whatever order the others follow.
//!
//! What the system's calls (CallKit, Telecom) are told follows from what the app shows: [`SystemCalls::follow`] compares the call of the
//! moment with the one that they have, so that they have one at most and never one that is over.

use super::effect::{SystemCallEffect, SystemEndReason};
use super::state::CallPhase;
use crate::call::EndReason;
use crate::signaling::message::CallId;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A push without a call behind it rings no longer than this.
pub(super) const PUSH_TIMEOUT: Duration = Duration::from_secs(20);
/// Calls that are over and whose late news is to mean nothing.
const REMEMBERED: usize = 16;

/// A call that a push told of and the client does not know yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) id: CallId,
    pub(super) from: String,
    /// Answered already, with the camera or without.
    pub(super) answered: Option<bool>,
    /// Refused already: it rings no more, and is refused when the client knows it.
    pub(super) refused: bool,
    pub(super) silenced: bool,
    pub(super) since: Instant,
    pub(super) since_ms: u64,
}

impl Announced {
    pub(super) fn rings(&self) -> bool {
        self.answered.is_none() && !self.refused
    }
}

/// The call of the moment, as the system's calls are to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) id: CallId,
    pub(super) with: Option<String>,
    pub(super) outgoing: bool,
    pub(super) phase: CallPhase,
    pub(super) muted: bool,
    /// Answered in the app, so that the system is to know.
    pub(super) answered: bool,
}

#[derive(Debug)]
struct Reported {
    id: CallId,
    with: Option<String>,
    outgoing: bool,
    muted: bool,
    answered: bool,
    connecting: bool,
    connected: bool,
    /// The system ended it itself.
    gone: bool,
}

/// What the system's calls know.
#[derive(Debug, Default)]
pub(super) struct SystemCalls {
    reported: Option<Reported>,
    over: VecDeque<CallId>,
    made: u128,
}

impl SystemCalls {
    /// A name for what a push is reported as that tells of no call.
    pub(super) fn make_id(&mut self) -> CallId {
        self.made = self.made.wrapping_add(1);
        // Of UUID version 8 (RFC 9562 section 5.8), and so of no call of the client's, whose are random.
        CallId(Uuid::from_u128(0x6368_616d_6164_8000_8000_0000_0000_0000 | (self.made & 0xffff_ffff)))
    }

    pub(super) fn record_over(&mut self, call: CallId) {
        if self.over.len() == REMEMBERED {
            self.over.pop_front();
        }
        self.over.push_back(call);
    }

    pub(super) fn is_over(&self, call: CallId) -> bool {
        self.over.contains(&call)
    }

    /// The system answered, muted or ended it itself: it is not to be told again.
    pub(super) fn answered_there(&mut self, call: CallId) {
        if let Some(reported) = self.of(call) {
            reported.answered = true;
        }
    }

    pub(super) fn muted_there(&mut self, call: CallId, muted: bool) {
        if let Some(reported) = self.of(call) {
            reported.muted = muted;
        }
    }

    pub(super) fn ended_there(&mut self, call: CallId) {
        if let Some(reported) = self.of(call) {
            reported.gone = true;
        }
    }

    /// The system forgot everything.
    pub(super) fn reset(&mut self) {
        if let Some(reported) = &mut self.reported {
            reported.gone = true;
        }
    }

    fn of(&mut self, call: CallId) -> Option<&mut Reported> {
        self.reported.as_mut().filter(|reported| reported.id == call)
    }

    /// What to tell the system's calls so that they see what the app does. `reason` is why the last call ended.
    pub(super) fn follow(&mut self, wanted: Option<Wanted>, reason: SystemEndReason) -> Vec<SystemCallEffect> {
        let mut effects = Vec::new();
        if let Some(reported) = &self.reported
            && wanted.as_ref().map(|wanted| wanted.id) != Some(reported.id)
        {
            if !reported.gone {
                effects.push(SystemCallEffect::Ended { call: reported.id, reason });
            }
            self.reported = None;
        }
        let Some(wanted) = wanted else { return effects };
        let call = wanted.id;
        let reported = self.reported.get_or_insert_with(|| {
            effects.push(match (&wanted.with, wanted.outgoing) {
                (Some(with), true) => SystemCallEffect::Outgoing { call, to: with.clone() },
                (from, _) => SystemCallEffect::Incoming { call, from: from.clone() },
            });
            Reported {
                id: call,
                with: wanted.with.clone(),
                outgoing: wanted.outgoing,
                muted: false,
                answered: false,
                connecting: false,
                connected: false,
                gone: false,
            }
        });
        if reported.gone {
            return effects;
        }
        if let Some(from) = &wanted.with
            && reported.with.as_ref() != Some(from)
        {
            reported.with = Some(from.clone());
            effects.push(SystemCallEffect::Renamed { call, from: from.clone() });
        }
        if wanted.answered && !std::mem::replace(&mut reported.answered, true) {
            effects.push(SystemCallEffect::Answered(call));
        }
        let connects = matches!(wanted.phase, CallPhase::Connecting | CallPhase::Connected);
        if reported.outgoing && connects && !std::mem::replace(&mut reported.connecting, true) {
            effects.push(SystemCallEffect::Connecting(call));
        }
        if wanted.phase == CallPhase::Connected && !std::mem::replace(&mut reported.connected, true) {
            effects.push(SystemCallEffect::Connected(call));
        }
        if std::mem::replace(&mut reported.muted, wanted.muted) != wanted.muted {
            effects.push(SystemCallEffect::Muted { call, muted: wanted.muted });
        }
        effects
    }
}

/// How a call ended, as the system's calls see it.
pub(super) fn end_reason(reason: EndReason, outgoing: bool, missed: bool) -> SystemEndReason {
    match reason {
        _ if missed => SystemEndReason::Missed,
        EndReason::HungUpLocally | EndReason::CancelledLocally => SystemEndReason::Local,
        EndReason::DeclinedLocally => SystemEndReason::Rejected,
        EndReason::HungUpRemotely | EndReason::CancelledRemotely => SystemEndReason::Remote,
        EndReason::Busy | EndReason::DeclinedRemotely => SystemEndReason::Busy,
        EndReason::Timeout | EndReason::Unreachable if outgoing => SystemEndReason::Unanswered,
        EndReason::AnsweredElsewhere => SystemEndReason::AnsweredElsewhere,
        _ => SystemEndReason::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(id: CallId, outgoing: bool, phase: CallPhase) -> Option<Wanted> {
        Some(Wanted { id, with: Some("bia".to_owned()), outgoing, phase, muted: false, answered: false })
    }

    #[test]
    fn an_outgoing_call_is_told_step_by_step_each_once() {
        let (mut calls, call) = (SystemCalls::default(), CallId::random());
        let mut told = Vec::new();
        for phase in [
            CallPhase::Calling,
            CallPhase::Connecting,
            CallPhase::Connected,
            CallPhase::Reconnecting,
            CallPhase::Connected,
        ] {
            told.extend(calls.follow(wanted(call, true, phase), SystemEndReason::Local));
        }
        told.extend(calls.follow(None, SystemEndReason::Remote));
        told.extend(calls.follow(None, SystemEndReason::Remote));
        let to = "bia".to_owned();
        let expected = [
            SystemCallEffect::Outgoing { call, to },
            SystemCallEffect::Connecting(call),
            SystemCallEffect::Connected(call),
            SystemCallEffect::Ended { call, reason: SystemEndReason::Remote },
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_the_system_did_itself_it_is_not_told() {
        let (mut calls, call) = (SystemCalls::default(), CallId::random());
        calls.follow(wanted(call, false, CallPhase::Ringing), SystemEndReason::Local);
        calls.answered_there(call);
        calls.muted_there(call, true);
        let mut now = wanted(call, false, CallPhase::Ringing).unwrap();
        (now.muted, now.answered) = (true, true);
        assert_eq!(calls.follow(Some(now), SystemEndReason::Local), []);
        calls.ended_there(call);
        assert_eq!(calls.follow(None, SystemEndReason::Local), []);
    }

    #[test]
    fn another_call_takes_the_place_of_the_one_before() {
        let (mut calls, one, other) = (SystemCalls::default(), CallId::random(), CallId::random());
        calls.follow(wanted(one, false, CallPhase::Ringing), SystemEndReason::Local);
        let told = calls.follow(wanted(other, false, CallPhase::Ringing), SystemEndReason::Missed);
        assert_eq!(told[0], SystemCallEffect::Ended { call: one, reason: SystemEndReason::Missed });
        assert!(matches!(&told[1], SystemCallEffect::Incoming { call, .. } if *call == other));
    }

    #[test]
    fn names_that_are_made_up_are_no_calls_and_each_anothers() {
        let mut calls = SystemCalls::default();
        assert_ne!(calls.make_id(), calls.make_id());
        assert_ne!(calls.make_id().0.get_version_num(), CallId::random().0.get_version_num());
    }
}
