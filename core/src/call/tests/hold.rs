//! A call on hold: who sees it, and how much is said of it.

use super::sim::{ANA, RUI, World, id, in_a_call, offers};
use crate::call::{CallState, Command, MEDIA_STATE_GAP};
use crate::signaling::message::{MediaState, MediaStateMessage, Message};

fn hold(world: &mut World, phone: usize, on: bool) {
    world.command(phone, Command::SetHeld(on)).unwrap();
}

fn media_states(world: &World, phone: usize) -> usize {
    world.phones[phone].kinds_sent().iter().filter(|kind| **kind == "media-state").count()
}

#[test]
fn both_see_who_holds_and_what_is_sent_again_afterwards() {
    let mut world = in_a_call();
    world.command(ANA, Command::SetMicrophone(false)).unwrap();
    hold(&mut world, ANA, true);
    world.run(1_000);
    let held = world.phones[RUI].snapshot().remote;
    assert!(held.held && !held.audio && !held.video, "also for those who know no holds: {held:?}");
    assert!(!world.phones[RUI].snapshot().local.held, "it is not this side that holds");
    let local = world.phones[ANA].snapshot().local;
    assert!(local.held && local.video && !local.audio, "what the person wants is kept: {local:?}");
    world.command(ANA, Command::SetMicrophone(true)).unwrap();
    hold(&mut world, ANA, false);
    world.run(1_000);
    assert_eq!(world.phones[RUI].snapshot().remote, MediaState::default());
    assert_eq!(offers(&world, ANA), 1, "without renegotiation");
    world.assert_connected(ANA, RUI);
}

#[test]
fn each_side_can_hold_and_one_hold_does_not_end_the_other() {
    let mut world = in_a_call();
    hold(&mut world, ANA, true);
    hold(&mut world, RUI, true);
    world.run(1_000);
    hold(&mut world, ANA, false);
    world.run(1_000);
    let (ana, rui) = (world.phones[ANA].snapshot(), world.phones[RUI].snapshot());
    assert_eq!((ana.local.held, ana.remote.held), (false, true));
    assert_eq!((rui.local.held, rui.remote.held), (true, false));
}

#[test]
fn what_is_switched_in_a_call_on_hold_is_told_after_it() {
    let mut world = in_a_call();
    hold(&mut world, ANA, true);
    world.run(1_000);
    let told = media_states(&world, ANA);
    world.command(ANA, Command::SetCamera(false)).unwrap();
    world.command(ANA, Command::SetMicrophone(false)).unwrap();
    world.run(1_000);
    assert_eq!(media_states(&world, ANA), told, "nothing that is sent has changed");
    hold(&mut world, ANA, false);
    world.run(1_000);
    let remote = world.phones[RUI].snapshot().remote;
    assert!(!remote.audio && !remote.video && !remote.held, "{remote:?}");
}

#[test]
fn whoever_holds_and_resumes_a_thousand_times_a_second_says_little_and_the_last_word_arrives() {
    let mut world = in_a_call();
    world.run(1_000);
    let told = media_states(&world, ANA);
    for round in 0..1_000 {
        hold(&mut world, ANA, round % 2 == 0);
        hold(&mut world, RUI, round % 2 == 0);
        if round % 10 == 0 {
            world.run(10);
        }
    }
    hold(&mut world, ANA, true);
    world.run(1_000);
    let gap = u64::try_from(MEDIA_STATE_GAP.as_millis()).unwrap();
    let said = media_states(&world, ANA) - told;
    assert!(said as u64 <= 1_000 / gap + 3, "{said} messages in a second");
    assert!(world.phones[RUI].snapshot().remote.held, "the last word has arrived");
    assert!(!world.phones[ANA].snapshot().remote.held);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_connection_that_is_replaced_in_a_call_on_hold_is_made_on_hold() {
    let mut world = in_a_call();
    hold(&mut world, ANA, true);
    world.kill_peer(ANA);
    world.run(10_000);
    world.assert_connected(ANA, RUI);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.media.held), "no device opens");
    assert!(world.phones[RUI].snapshot().remote.held);
}

#[test]
fn somebody_who_claims_to_send_in_a_call_that_they_hold_is_not_waited_for() {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.tell(ANA, super::sim::offer("rui", "v=0", Some(id(5))));
    let state = MediaState { held: true, ..MediaState::default() };
    let name = Some("rui".to_owned());
    world.tell(ANA, Message::MediaState(MediaStateMessage { name, target: None, call: Some(id(5)), state }));
    let remote = world.phones[ANA].snapshot().remote;
    assert!(remote.held && !remote.audio && !remote.video);
    assert_eq!(world.phones[ANA].state(), CallState::RingingLocally);
}
