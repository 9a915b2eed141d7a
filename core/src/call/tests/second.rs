//! A second call: the table of the module doc cell by cell, stories of three phones, and any order of what people do.

use super::sim::{ANA, RUI, World, answer, cases, hang_up, id, offer};
use crate::call::{
    CallEngine, CallError, CallEvent, CallState, Command, ConnectionState, EndReason, Output, PeerId, PeerReport,
};
use crate::signaling::message::{HangUpReason, MediaState, Message, SessionDescription};
use proptest::prelude::*;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const TABLE: &str = include_str!("../second.md");
const EVA: usize = 2;
const PEER: &str = "rui";
const OTHER: &str = "eva";
const MEDIA: MediaState = MediaState { audio: true, video: true, facing: None, screen: false, held: false };

struct Cell {
    engine: CallEngine,
    now: Instant,
    peers: Vec<PeerId>,
}

impl Cell {
    fn in_state(column: &str) -> Self {
        let mut engine = CallEngine::new();
        engine.set_call_waiting(true);
        let now = Instant::now();
        engine.logged_in(now, "ana");
        let mut cell = Self { engine, now, peers: Vec::new() };
        let (front, behind) = column.split_once('/').map_or((column, None), |(front, behind)| (front, Some(behind)));
        if front == "calling" {
            // The one behind was there first.
            cell.accepted(OTHER, 2);
            cell.command(Command::SetHeld(true)).unwrap();
            cell.command(Command::Call { to: PEER.into(), media: MEDIA }).unwrap();
            cell.report(PeerReport::LocalDescription(SessionDescription::offer("ours")));
        } else if behind == Some("held") {
            cell.accepted(OTHER, 2);
            cell.message(offer(PEER, "theirs", Some(id(1))));
            cell.command(Command::HoldAndAccept { media: MEDIA }).unwrap();
            cell.connect();
        } else {
            cell.accepted(PEER, 1);
            if front == "held" {
                cell.command(Command::SetHeld(true)).unwrap();
            }
            if behind == Some("waiting") {
                cell.message(offer(OTHER, "theirs", Some(id(2))));
            }
        }
        assert_eq!(cell.name(), column);
        cell
    }

    fn accepted(&mut self, with: &str, call: u128) {
        self.message(offer(with, "theirs", Some(id(call))));
        self.command(Command::Accept { media: MEDIA }).unwrap();
        self.connect();
    }

    fn connect(&mut self) {
        self.report(PeerReport::LocalDescription(SessionDescription::answer("ours")));
        self.report(PeerReport::Connection(ConnectionState::Connected));
    }

    /// As the table names it.
    fn name(&self) -> String {
        let now = self.engine.snapshot();
        let front = match now.state {
            CallState::Idle => "idle",
            CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush => "calling",
            CallState::RingingLocally => "waiting",
            _ if now.local.held => "held",
            _ => "active",
        };
        match now.other.map(|other| other.state) {
            None => front.to_owned(),
            Some(CallState::RingingLocally) => format!("{front}/waiting"),
            Some(_) => {
                assert!(self.engine.behind.as_ref().is_some_and(|behind| behind.local.held), "it is on hold");
                format!("{front}/held")
            }
        }
    }

    fn command(&mut self, command: Command) -> Result<(), CallError> {
        let result = self.engine.command(self.now, command);
        self.drain();
        result
    }

    fn message(&mut self, message: Message) {
        self.engine.message(self.now, message);
        self.drain();
    }

    fn report(&mut self, report: PeerReport) {
        let peer = *self.peers.last().unwrap();
        self.engine.report(self.now, peer, report);
        self.drain();
    }

    fn drain(&mut self) -> Vec<EndReason> {
        let mut ends = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Peer { peer, .. } if !self.peers.contains(&peer) => self.peers.push(peer),
                Output::Event(CallEvent::Ended { reason, .. }) => ends.push(reason),
                _ => {}
            }
        }
        ends
    }

    /// Does what the row says; whether it was refused, and the calls that ended.
    fn apply(&mut self, input: &str) -> (bool, Vec<EndReason>) {
        let (now, other) = (self.now, self.engine.snapshot().other.map_or(id(77), |other| other.call));
        let front = self.engine.call.as_ref().map(|call| call.id);
        let behind_peer = self.engine.behind.as_ref().and_then(|behind| behind.peer);
        let engine = &mut self.engine;
        let mut refused = false;
        let mut command = |result: Result<(), CallError>| refused = result.is_err();
        match input {
            "command: call somebody" => command(engine.command(now, Command::Call { to: "ivo".into(), media: MEDIA })),
            "command: call the person on hold" => {
                command(engine.command(now, Command::Call { to: PEER.into(), media: MEDIA }));
            }
            "command: accept" => command(engine.command(now, Command::Accept { media: MEDIA })),
            "command: hold and accept" => command(engine.command(now, Command::HoldAndAccept { media: MEDIA })),
            "command: end and accept" => command(engine.command(now, Command::EndAndAccept { media: MEDIA })),
            "command: decline" => command(engine.command(now, Command::Decline)),
            "command: decline, in the other one" => command(engine.command_in(now, other, Command::Decline)),
            "command: hang up" => command(engine.command(now, Command::HangUp)),
            "command: hang up, in the other one" => command(engine.command_in(now, other, Command::HangUp)),
            "command: hold" => command(engine.command(now, Command::SetHeld(true))),
            "command: resume" => command(engine.command(now, Command::SetHeld(false))),
            "command: resume, in the other one" => command(engine.command_in(now, other, Command::SetHeld(false))),
            "command: swap" => command(engine.command(now, Command::Swap)),
            "command: microphone off" => command(engine.command(now, Command::SetMicrophone(false))),
            "offer of a stranger" => engine.message(now, offer("ivo", "a stranger's", Some(id(99)))),
            "offer of a new call by the other person" => engine.message(now, offer(OTHER, "new", Some(id(8)))),
            "hang-up of the peer" => engine.message(now, hang_up(Some(PEER), front, None)),
            "hang-up of the other person" => engine.message(now, hang_up(Some(OTHER), Some(other), None)),
            "hang-up of a stranger" => engine.message(now, hang_up(Some("ivo"), None, None)),
            "the other person leaves the user list" => engine.users(now, &["ana".into(), PEER.into()]),
            "connection of the other call: failed" | "camera or microphone of the other call failed" => {
                let report = match input.ends_with(": failed") {
                    true => PeerReport::Connection(ConnectionState::Failed),
                    false => PeerReport::MediaFailed("as the table wants".into()),
                };
                if let Some(peer) = behind_peer {
                    engine.report(now, peer, report);
                }
            }
            "time runs out" => engine.handle_timeout(now + Duration::from_secs(3_600)),
            unknown => panic!("the table has a row that this test does not know: {unknown}"),
        }
        (refused, self.drain())
    }
}

fn row(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn every_cell_of_the_table_of_two_calls_is_what_the_engine_does() {
    let mut lines = TABLE.lines();
    let columns = row(lines.next().unwrap());
    assert!(lines.next().unwrap().starts_with("| ---"));
    let mut inputs = HashSet::new();
    for line in lines {
        let fields = row(line);
        let input = fields[0];
        assert!(inputs.insert(input) && fields.len() == columns.len(), "{input}");
        for (column, expected) in columns.iter().zip(&fields).skip(1) {
            let what = format!("{input}, {column}: {expected}");
            let mut cell = Cell::in_state(column);
            let before = cell.engine.snapshot();
            let (refused, ends) = cell.apply(input);
            assert_eq!(refused, *expected == "refused", "{what}");
            if matches!(*expected, "refused" | "=") {
                let after = cell.engine.snapshot();
                assert_eq!((cell.name().as_str(), after.call, ends.len()), (*column, before.call, 0), "{what}");
                continue;
            }
            let (state, reason) = expected.split_once(' ').map_or((*expected, None), |(s, r)| (s, Some(r)));
            assert_eq!(cell.name(), state, "{what}");
            let ended: Vec<String> = ends.iter().map(|reason| format!("{reason:?}")).collect();
            assert_eq!(ended.iter().map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(reason), "{what}");
        }
    }
    assert!(inputs.len() > 20, "the whole table was walked");
}

/// Three phones of which the first two talk, and the third calls the first, who knows call waiting.
fn waiting() -> World {
    let mut world = World::of(&["ana", "rui", "eva"]);
    world.phones[ANA].engine.set_call_waiting(true);
    world.connect(ANA, RUI);
    world.call(EVA, ANA);
    world.run(1_000);
    world
}

fn with(world: &World, phone: usize) -> Option<String> {
    world.phones[phone].snapshot().with
}

fn behind(world: &World, phone: usize) -> Option<String> {
    world.phones[phone].snapshot().other.map(|other| other.with)
}

#[test]
fn a_second_caller_is_told_of_by_name_and_hears_it_ring() {
    let world = waiting();
    let waits = |event: &CallEvent| matches!(event, CallEvent::Waiting { from, .. } if from == "eva");
    assert_eq!(world.phones[ANA].heard.iter().filter(|event| waits(event)).count(), 1);
    assert_eq!(world.phones[EVA].state(), CallState::RingingRemotely);
    world.assert_connected(ANA, RUI);
    let other = world.phones[ANA].snapshot().other.unwrap();
    assert_eq!((other.with.as_str(), other.state), ("eva", CallState::RingingLocally));
    assert_eq!(world.phones[ANA].rings(), 0, "it does not ring as if nobody talked");
}

#[test]
fn without_call_waiting_a_second_caller_is_told_busy() {
    let mut world = World::of(&["ana", "rui", "eva"]);
    world.connect(ANA, RUI);
    world.call(EVA, ANA);
    world.run(1_000);
    assert_eq!(world.phones[EVA].ends(), [EndReason::Busy]);
    world.command(ANA, Command::SetHeld(true)).unwrap();
    let refused = world.command(ANA, Command::Call { to: "eva".into(), media: MEDIA });
    assert!(matches!(refused, Err(CallError::InCall { with }) if with == "rui"));
}

#[test]
fn hold_and_accept_swap_and_back_keeps_both_calls_and_tells_each_person() {
    let mut world = waiting();
    world.command(ANA, Command::HoldAndAccept { media: MEDIA }).unwrap();
    world.run(2_000);
    world.assert_connected(ANA, EVA);
    assert_eq!(behind(&world, ANA).as_deref(), Some("rui"));
    assert!(world.phones[RUI].snapshot().remote.held && !world.phones[EVA].snapshot().remote.held);
    world.command(ANA, Command::Swap).unwrap();
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert!(!world.phones[RUI].snapshot().remote.held && world.phones[EVA].snapshot().remote.held);
    let made: usize = world.phones.iter().map(|phone| phone.peers.len()).sum();
    assert_eq!(made, 4, "each connection stays");
}

#[test]
fn end_and_accept_ends_one_call_and_takes_the_other() {
    let mut world = waiting();
    world.command(ANA, Command::EndAndAccept { media: MEDIA }).unwrap();
    world.run(2_000);
    world.assert_connected(ANA, EVA);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely]);
    assert_eq!(behind(&world, ANA), None);
}

#[test]
fn declining_the_one_who_waits_leaves_the_call_as_it_is() {
    let mut world = waiting();
    world.command(ANA, Command::Decline).unwrap();
    world.run(1_000);
    assert_eq!(world.phones[EVA].ends(), [EndReason::DeclinedRemotely]);
    world.assert_connected(ANA, RUI);
}

#[test]
fn the_end_of_the_active_call_takes_nobody_up_but_shows_who_is_on_hold() {
    let mut world = waiting();
    world.command(ANA, Command::HoldAndAccept { media: MEDIA }).unwrap();
    world.run(2_000);
    world.hang_up(EVA);
    world.run(1_000);
    let now = world.phones[ANA].snapshot();
    assert!(now.local.held && now.other.is_none() && now.with.as_deref() == Some("rui"), "{now:?}");
    assert!(world.phones[RUI].snapshot().remote.held, "the other side is still told so");
    world.command(ANA, Command::SetHeld(false)).unwrap();
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert!(!world.phones[RUI].snapshot().remote.held);
}

#[test]
fn a_call_that_waits_while_the_other_one_ends_rings_on_and_can_be_taken() {
    let mut world = waiting();
    world.hang_up(RUI);
    world.run(1_000);
    assert_eq!((world.phones[ANA].state(), with(&world, ANA).as_deref()), (CallState::RingingLocally, Some("eva")));
    // The person may press the button that was there a moment ago.
    world.command(ANA, Command::HoldAndAccept { media: MEDIA }).unwrap();
    world.run(2_000);
    world.assert_connected(ANA, EVA);
}

#[test]
fn a_third_caller_is_told_busy() {
    let mut world = waiting();
    world.pages = vec!["ivo"];
    world.tell(ANA, offer("ivo", "v=0", Some(id(99))));
    let last = world.to_pages.last();
    assert!(matches!(last, Some(Message::HangUp(hang_up)) if hang_up.reason == Some(HangUpReason::Busy)), "{last:?}");
}

#[test]
fn somebody_can_be_called_while_a_call_is_on_hold() {
    let mut world = World::of(&["ana", "rui", "eva"]);
    world.phones[ANA].engine.set_call_waiting(true);
    world.connect(ANA, RUI);
    world.command(ANA, Command::SetHeld(true)).unwrap();
    world.call(ANA, EVA);
    world.run(1_000);
    assert_eq!(behind(&world, ANA).as_deref(), Some("rui"));
    world.accept(EVA);
    world.run(1_000);
    world.assert_connected(ANA, EVA);
    world.hang_up(ANA);
    world.run(1_000);
    assert_eq!((with(&world, ANA).as_deref(), world.phones[ANA].snapshot().local.held), (Some("rui"), true));
}

#[test]
fn the_connection_of_a_call_on_hold_is_repaired_on_hold() {
    let mut world = waiting();
    world.command(ANA, Command::HoldAndAccept { media: MEDIA }).unwrap();
    world.run(2_000);
    world.net.media = false;
    world.run(4_000);
    world.net.media = true;
    world.run(15_000);
    world.assert_connected(ANA, EVA);
    let other = world.phones[ANA].snapshot().other.unwrap();
    assert_eq!((other.state, other.with.as_str()), (CallState::Connected, "rui"));
    assert_eq!(world.phones[RUI].state(), CallState::Connected);
}

#[test]
fn a_microphone_that_is_switched_off_is_off_in_whichever_call_is_taken_up() {
    let mut world = waiting();
    world.command(ANA, Command::HoldAndAccept { media: MEDIA }).unwrap();
    world.run(2_000);
    world.command(ANA, Command::SetMicrophone(false)).unwrap();
    world.command(ANA, Command::Swap).unwrap();
    world.run(1_000);
    let remote = world.phones[RUI].snapshot().remote;
    assert!(!remote.audio && remote.video && !remote.held, "{remote:?}");
}

#[test]
fn an_answer_and_candidates_reach_the_call_that_they_are_of() {
    let mut world = waiting();
    let call = world.phones[ANA].engine.call_in_messages();
    world.tell(ANA, answer("eva", "v=0", call));
    world.tell(ANA, hang_up(Some("eva"), call, None));
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert_eq!(behind(&world, ANA).as_deref(), Some("eva"), "under another name it is nobody's");
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    Call(usize, usize),
    Accept(usize),
    HoldAndAccept(usize),
    EndAndAccept(usize),
    Decline(usize),
    HangUp(usize),
    HangUpOther(usize),
    Hold(usize, bool),
    TakeUpOther(usize),
    Swap(usize),
    Microphone(usize, bool),
    Lose(usize),
    Return(usize),
    KillPeer(usize),
    Wait(u64),
}

fn doing() -> impl Strategy<Value = Doing> {
    let who = || 0_usize..4;
    prop_oneof![
        4 => (who(), who()).prop_map(|(from, to)| Doing::Call(from, to)),
        3 => who().prop_map(Doing::Accept),
        3 => who().prop_map(Doing::HoldAndAccept),
        1 => who().prop_map(Doing::EndAndAccept),
        1 => who().prop_map(Doing::Decline),
        1 => who().prop_map(Doing::HangUp),
        1 => who().prop_map(Doing::HangUpOther),
        2 => (who(), any::<bool>()).prop_map(|(phone, on)| Doing::Hold(phone, on)),
        1 => who().prop_map(Doing::TakeUpOther),
        2 => who().prop_map(Doing::Swap),
        1 => (who(), any::<bool>()).prop_map(|(phone, on)| Doing::Microphone(phone, on)),
        1 => who().prop_map(Doing::Lose),
        2 => who().prop_map(Doing::Return),
        1 => who().prop_map(Doing::KillPeer),
        6 => (1_u64..3_000).prop_map(Doing::Wait),
    ]
}

/// What holds of two calls, whatever people do. That at most one of them has the devices the world looks at itself.
fn check(world: &World) {
    for phone in &world.phones {
        let (engine, now) = (&phone.engine, phone.snapshot());
        assert!(!engine.swapped && (engine.call.is_some() || engine.behind.is_none()), "a call behind none: {now:?}");
        let Some(behind) = &engine.behind else { continue };
        let front = engine.call.as_ref().unwrap();
        match behind.state {
            CallState::RingingLocally => {
                assert!(front.is_answered(), "it waits behind one that is not accepted: {now:?}")
            }
            _ => assert!(behind.is_answered() && behind.local.held, "the call behind is on hold: {now:?}"),
        }
        assert_ne!(front.id, behind.id);
        assert!(phone.engine.poll_timeout().is_some() || behind.is_answered(), "it waits for ever");
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn whatever_people_do_no_two_calls_are_active_and_all_of_them_can_be_ended(
        seed in any::<u64>(), lost in 0_u64..20, doings in prop::collection::vec(doing(), 1..60)
    ) {
        let mut world = World::of(&["ana", "rui", "eva", "ivo"]);
        world.seed(seed);
        world.net.lost = lost;
        // One of them is of the old kind.
        for phone in [ANA, RUI, EVA] {
            world.phones[phone].engine.set_call_waiting(true);
        }
        for doing in doings {
            // What is refused changes nothing, which is looked at below.
            let _ = match doing {
                Doing::Call(from, to) => {
                    let to = world.phones[to].name.clone();
                    world.command(from, Command::Call { to, media: MEDIA })
                }
                Doing::Accept(phone) => world.command(phone, Command::Accept { media: MEDIA }),
                Doing::HoldAndAccept(phone) => world.command(phone, Command::HoldAndAccept { media: MEDIA }),
                Doing::EndAndAccept(phone) => world.command(phone, Command::EndAndAccept { media: MEDIA }),
                Doing::Decline(phone) => world.command(phone, Command::Decline),
                Doing::HangUp(phone) => world.command(phone, Command::HangUp),
                Doing::HangUpOther(phone) => world.command_in_other(phone, Command::HangUp),
                Doing::Hold(phone, on) => world.command(phone, Command::SetHeld(on)),
                Doing::TakeUpOther(phone) => world.command_in_other(phone, Command::SetHeld(false)),
                Doing::Swap(phone) => world.command(phone, Command::Swap),
                Doing::Microphone(phone, on) => world.command(phone, Command::SetMicrophone(on)),
                Doing::Lose(phone) => {
                    world.go_offline(phone);
                    Ok(())
                }
                Doing::Return(phone) => {
                    let name = world.phones[phone].name.clone();
                    world.come_back(phone, &name);
                    Ok(())
                }
                Doing::KillPeer(phone) => {
                    world.kill_peer(phone);
                    Ok(())
                }
                Doing::Wait(millis) => {
                    world.run(millis);
                    Ok(())
                }
            };
            check(&world);
        }
        world.net.lost = 0;
        for phone in 0..world.phones.len() {
            let name = world.phones[phone].name.clone();
            world.come_back(phone, &name);
        }
        for _ in 0..2 {
            for phone in 0..world.phones.len() {
                // Refused where there is none, which is what is wanted.
                let _ = world.command(phone, Command::HangUp);
            }
            world.run(1_000);
        }
        world.run(120_000);
        for phone in 0..world.phones.len() {
            let _ = world.command(phone, Command::HangUp);
            let _ = world.command(phone, Command::HangUp);
        }
        world.run(120_000);
        world.assert_all_idle();
    }
}
