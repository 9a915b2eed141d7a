//! What two people with two phones live through.

use super::sim::{ANA, RUI, World};
use crate::call::{CallError, CallEvent, CallState, Command, EndReason, RING_TIMEOUT};
use crate::facing::FacingMode;
use crate::signaling::message::{HangUpReason, MediaState, Message};

const EVA: usize = 2;

fn ana_and_rui() -> World {
    World::of(&["ana", "rui"])
}

#[test]
fn a_call_rings_is_accepted_connects_and_is_hung_up() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    assert_eq!(world.phones[ANA].state(), CallState::RingingRemotely);
    assert_eq!(world.phones[RUI].state(), CallState::RingingLocally);
    world.accept(RUI);
    assert_eq!(world.phones[RUI].state(), CallState::Connecting);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    world.hang_up(RUI);
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::HungUpRemotely]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpLocally]);
    world.assert_all_idle();
}

#[test]
fn the_app_hears_of_an_incoming_call_before_its_state_and_of_the_end_before_idle() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.hang_up(ANA);
    world.run(1_000);
    let heard = &world.phones[RUI].heard;
    assert!(matches!(&heard[0], CallEvent::Incoming { from, .. } if from == "ana"), "{heard:?}");
    assert!(matches!(&heard[1], CallEvent::Changed(now) if now.state == CallState::RingingLocally), "{heard:?}");
    assert!(matches!(&heard[2], CallEvent::Ended { with, reason: EndReason::CancelledRemotely, .. } if with == "ana"));
    assert!(matches!(&heard[3], CallEvent::Changed(now) if now.state == CallState::Idle && now.with.is_none()));
    assert_eq!(heard.len(), 4);
}

#[test]
fn a_call_is_declined() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.command(RUI, Command::Decline).unwrap();
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::DeclinedRemotely]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::DeclinedLocally]);
    world.assert_all_idle();
}

#[test]
fn hanging_up_what_rings_here_declines_it() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.hang_up(RUI);
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::DeclinedRemotely]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::DeclinedLocally]);
}

#[test]
fn a_third_person_hears_that_the_phone_is_busy_and_disturbs_nobody() {
    let mut world = World::of(&["ana", "rui", "eva"]);
    world.connect(ANA, RUI);
    let before = (world.phones[ANA].heard.len(), world.phones[RUI].heard.len());
    world.call(EVA, RUI);
    world.run(1_000);
    world.call(EVA, ANA);
    world.run(1_000);
    assert_eq!(world.phones[EVA].ends(), [EndReason::Busy, EndReason::Busy]);
    assert_eq!((world.phones[ANA].heard.len(), world.phones[RUI].heard.len()), before, "the two notice nothing");
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_phone_is_busy_while_it_rings_and_while_it_calls() {
    let mut world = World::of(&["ana", "rui", "eva"]);
    world.call(ANA, RUI);
    world.run(1_000);
    world.call(EVA, RUI);
    world.run(1_000);
    world.call(EVA, ANA);
    world.run(1_000);
    assert_eq!(world.phones[EVA].ends(), [EndReason::Busy, EndReason::Busy]);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.hang_up(ANA);
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::CancelledLocally]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::CancelledRemotely]);
    world.assert_all_idle();
}

#[test]
fn a_call_that_is_given_up_before_its_offer_is_made_is_heard_of_by_nobody() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.hang_up(ANA);
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::CancelledLocally]);
    assert_eq!(world.phones[ANA].kinds_sent(), [""; 0]);
    assert_eq!(world.phones[RUI].heard, []);
}

#[test]
fn a_call_that_nobody_answers_times_out_at_both_ends() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(RING_TIMEOUT.as_millis() as u64 - 1_000);
    assert_eq!(world.phones[RUI].state(), CallState::RingingLocally, "it rings for the whole time");
    world.run(2_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::Timeout]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::Timeout]);
    world.assert_all_idle();
}

#[test]
fn each_end_times_out_by_itself_when_the_other_says_nothing() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.net.lost = 100;
    world.run(RING_TIMEOUT.as_millis() as u64 + 1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::Timeout]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::Timeout]);
    world.assert_all_idle();
}

#[test]
fn nobody_calls_oneself_or_nobody_or_before_the_login() {
    let mut world = ana_and_rui();
    let call = |to: &str| Command::Call { to: to.into(), media: MediaState::default() };
    assert_eq!(world.command(ANA, call("ana")), Err(CallError::SelfCall));
    assert_eq!(world.command(ANA, call("")), Err(CallError::Nobody));
    world.go_offline(ANA);
    assert_eq!(world.command(ANA, call("rui")), Err(CallError::NotLoggedIn));
    assert_eq!(world.phones[ANA].heard, []);
    assert_eq!(world.phones[ANA].peers.len(), 0);
}

#[test]
fn there_is_one_call_at_a_time() {
    let mut world = World::of(&["ana", "rui", "eva"]);
    world.call(ANA, RUI);
    let second = Command::Call { to: "eva".into(), media: MediaState::default() };
    assert_eq!(world.command(ANA, second.clone()), Err(CallError::InCall { with: "rui".into() }));
    world.run(1_000);
    let refused = world.command(RUI, second);
    assert_eq!(refused, Err(CallError::InCall { with: "ana".into() }), "also while it rings");
}

#[test]
fn a_call_to_somebody_who_is_not_there_ends_at_once() {
    let mut world = ana_and_rui();
    world.command(ANA, Command::Call { to: "ivo".into(), media: MediaState::default() }).unwrap();
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::Unreachable]);
    world.assert_all_idle();
}

#[test]
fn one_calls_again_right_after_the_end() {
    let mut world = ana_and_rui();
    world.connect(ANA, RUI);
    world.hang_up(ANA);
    world.call(ANA, RUI);
    world.run(1_000);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    world.hang_up(RUI);
    world.call(RUI, ANA);
    world.run(1_000);
    world.accept(ANA);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert_eq!(world.phones[ANA].ends(), [EndReason::HungUpLocally, EndReason::HungUpRemotely]);
}

#[test]
fn a_caller_whose_phone_restarted_calls_anew_and_the_dead_call_ends() {
    let mut world = ana_and_rui();
    world.connect(ANA, RUI);
    let dead = world.phones[RUI].snapshot().call;
    let fresh = World::of(&["nobody", "ana"]).phones.remove(1);
    world.phones[ANA] = fresh;
    world.call(ANA, RUI);
    world.run(1_000);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely]);
    assert_ne!(world.phones[RUI].snapshot().call, dead);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn an_answer_that_crosses_the_cancel_leaves_no_half_of_a_call() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.net.delay = 400;
    world.accept(RUI);
    world.hang_up(ANA);
    world.run(3_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::CancelledLocally]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely]);
    world.assert_all_idle();
}

#[test]
fn whoever_takes_a_call_whose_cancel_was_lost_is_told_at_once() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    world.net.lost = 100;
    world.hang_up(ANA);
    world.run(1_000);
    world.net.lost = 0;
    world.accept(RUI);
    world.run(1_000);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely], "not after thirty seconds of connecting");
    world.assert_all_idle();
}

#[test]
fn a_cancel_that_overtakes_its_offer_keeps_the_phone_from_ringing() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    let ana = &world.phones[ANA];
    let mut late = ana.sent.iter().find(|message| message.kind() == "video-offer").unwrap().clone();
    let mut world = World::of(&["ana", "rui"]);
    let Message::VideoOffer(description) = &mut late else { panic!() };
    description.name = Some("ana".into());
    let call = description.call;
    world.tell(RUI, super::sim::hang_up(Some("ana"), call, Some(HangUpReason::Cancelled)));
    world.tell(RUI, late);
    assert_eq!(world.phones[RUI].heard, []);
}

#[test]
fn candidates_wait_for_the_call_to_be_accepted_and_are_not_lost() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(5_000);
    let candidates = world.phones[ANA].kinds_sent().iter().filter(|kind| **kind == "new-ice-candidate").count();
    assert!(candidates > 0, "they were sent long before the answer");
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn candidates_that_overtake_their_offer_wait_for_it() {
    let mut world = ana_and_rui();
    world.call(ANA, RUI);
    world.run(1_000);
    let mut sent = world.phones[ANA].sent.clone();
    sent.reverse();
    // Whoever sends it is nobody's simulated phone here, which would answer that it knows of no such call.
    let mut late = World::of(&["eva", "rui"]);
    late.pages.push("ana");
    for mut message in sent {
        match &mut message {
            Message::VideoOffer(offer) => offer.name = Some("ana".into()),
            Message::NewIceCandidate(candidate) => candidate.name = Some("ana".into()),
            other => panic!("{other:?}"),
        }
        late.tell(RUI, message);
    }
    late.accept(RUI);
    late.run(1_000);
    let peers: Vec<bool> = late.phones[RUI].open_peers().map(|peer| peer.has_candidates()).collect();
    assert_eq!(peers, [true]);
}

#[test]
fn microphone_camera_and_facing_are_told_to_the_other_side_without_renegotiation() {
    let mut world = ana_and_rui();
    let media = MediaState { facing: Some(FacingMode::User), audio: false, ..MediaState::default() };
    world.command(ANA, Command::Call { to: "rui".into(), media }).unwrap();
    world.run(1_000);
    world.accept(RUI);
    world.run(1_000);
    assert_eq!(world.phones[RUI].snapshot().remote, media, "what was on at the start");
    let offers = world.phones[ANA].open_peers().map(|peer| peer.offers_made).sum::<usize>();
    world.command(ANA, Command::SetFacing(FacingMode::Environment)).unwrap();
    world.command(ANA, Command::SetMicrophone(true)).unwrap();
    world.command(ANA, Command::SetCamera(false)).unwrap();
    world.run(1_000);
    let remote = world.phones[RUI].snapshot().remote;
    assert_eq!((remote.audio, remote.video, remote.facing), (true, false, Some(FacingMode::Environment)));
    assert_eq!(world.phones[ANA].snapshot().local, remote);
    assert_eq!(world.phones[ANA].open_peers().map(|peer| peer.offers_made).sum::<usize>(), offers);
    let said = world.phones[ANA].sent.len();
    world.command(ANA, Command::SetCamera(false)).unwrap();
    assert_eq!(world.phones[ANA].sent.len(), said, "what does not change is not told");
}

#[test]
fn a_camera_that_fails_ends_the_call_and_both_know_why() {
    let mut world = ana_and_rui();
    world.connect(ANA, RUI);
    world.report(ANA, crate::call::PeerReport::MediaFailed("taken by another app".into()));
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::MediaFailedLocally]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::MediaFailedRemotely]);
    world.assert_all_idle();
}

#[test]
fn an_offer_that_is_too_long_to_send_ends_the_call_at_once() {
    let mut world = ana_and_rui();
    world.net.lost = 100;
    world.call(ANA, RUI);
    world.run(1_000);
    let offer = world.phones[ANA].sent[0].clone();
    world.not_sent(ANA, &offer);
    assert_eq!(world.phones[ANA].ends(), [EndReason::NegotiationFailed]);
    world.assert_all_idle();
}
