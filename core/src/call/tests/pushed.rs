//! Calls to somebody who is away, and is rung by push.

use super::sim::{answer, hang_up};
use crate::call::{CallEngine, CallEvent, CallState, Command, EndReason, Output, PeerAction, PeerId, PeerReport};
use crate::signaling::message::{CallPushed, CallRinging, HangUpReason, MediaState, Message, SessionDescription};
use std::time::Instant;

/// The engine of somebody who calls rui, with what it wants.
struct Caller {
    engine: CallEngine,
    now: Instant,
}

fn caller(away: bool) -> Caller {
    let now = Instant::now();
    let mut caller = Caller { engine: CallEngine::new(), now };
    caller.engine.logged_in(now, "ana");
    if away {
        caller.engine.away(&["rui".into()]);
    }
    caller.engine.command(now, Command::Call { to: "rui".into(), media: MediaState::default() }).unwrap();
    let peer = caller.outputs().into_iter().find_map(|output| match output {
        Output::Peer { peer, action: PeerAction::Create { .. } } => Some(peer),
        _ => None,
    });
    let offer = PeerReport::LocalDescription(SessionDescription::offer("ours"));
    caller.engine.report(now, peer.unwrap_or(PeerId(0)), offer);
    assert_eq!(caller.offers(), 1);
    caller
}

impl Caller {
    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.engine.poll_output()).collect()
    }

    fn offers(&mut self) -> usize {
        self.outputs().iter().filter(|output| matches!(output, Output::Send(Message::VideoOffer(_)))).count()
    }

    fn end(&mut self) -> Option<EndReason> {
        self.outputs().into_iter().find_map(|output| match output {
            Output::Event(CallEvent::Ended { reason, .. }) => Some(reason),
            _ => None,
        })
    }

    fn pushed(&mut self) {
        let call = self.engine.snapshot().call;
        let pushed = CallPushed { target: Some("rui".into()), call };
        self.engine.message(self.now, Message::CallPushed(pushed));
    }

    fn users(&mut self, users: &[&str]) {
        let users: Vec<String> = users.iter().map(|user| (*user).to_owned()).collect();
        self.engine.users(self.now, &users);
    }
}

#[test]
fn who_is_rung_by_push_may_be_absent_and_is_offered_the_call_by_the_server_alone() {
    let mut ana = caller(false);
    ana.pushed();
    assert_eq!(ana.engine.snapshot().state, CallState::RingingByPush);
    ana.users(&["ana", "eva"]);
    ana.users(&["ana", "eva", "rui"]);
    assert_eq!((ana.engine.snapshot().state, ana.offers()), (CallState::RingingByPush, 0));
    let call = ana.engine.snapshot().call;
    ana.engine.message(ana.now, Message::CallRinging(CallRinging { name: Some("rui".into()), target: None, call }));
    assert_eq!(ana.engine.snapshot().state, CallState::RingingRemotely);
    ana.engine.message(ana.now, answer("rui", "theirs", call));
    assert_eq!(ana.engine.snapshot().state, CallState::Connecting);
}

#[test]
fn a_call_to_somebody_away_goes_on_until_the_server_has_said_what_it_does() {
    let mut ana = caller(true);
    ana.users(&["ana", "eva"]);
    assert_eq!(ana.engine.snapshot().state, CallState::Calling);
    ana.pushed();
    assert_eq!(ana.engine.snapshot().state, CallState::RingingByPush);
    // A push of another call is none of ours.
    let mut other = caller(false);
    let pushed = CallPushed { target: Some("rui".into()), call: Some(super::sim::id(99)) };
    other.engine.message(other.now, Message::CallPushed(pushed));
    assert_eq!(other.engine.snapshot().state, CallState::Calling);
    other.users(&["ana"]);
    assert_eq!(other.end(), Some(EndReason::Unreachable));
}

#[test]
fn a_device_that_nobody_takes_up_ends_the_call_as_one_that_was_not_answered() {
    let mut ana = caller(false);
    ana.pushed();
    let call = ana.engine.snapshot().call;
    ana.engine.message(ana.now, hang_up(Some("rui"), call, Some(HangUpReason::Timeout)));
    assert_eq!(ana.end(), Some(EndReason::Timeout));
}
