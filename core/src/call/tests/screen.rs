//! A screen in place of the camera: who sees it, and through what it lasts.

use super::sim::{ANA, RUI, World, id, in_a_call, offers};
use crate::call::{CallError, CallState, Command};
use crate::signaling::message::{MediaState, MediaStateMessage, Message};

fn share(world: &mut World, phone: usize, on: bool) {
    world.command(phone, Command::SetScreen(on)).unwrap();
}

#[test]
fn the_other_side_sees_that_it_is_a_screen_and_the_camera_again_afterwards() {
    let mut world = in_a_call();
    share(&mut world, ANA, true);
    world.run(1_000);
    assert_eq!(world.phones[RUI].snapshot().remote, MediaState { screen: true, ..MediaState::default() });
    share(&mut world, ANA, false);
    world.run(1_000);
    assert_eq!(world.phones[RUI].snapshot().remote, MediaState::default());
    assert_eq!(offers(&world, ANA), 1, "without renegotiation");
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_screen_is_a_picture_also_while_the_camera_is_off() {
    let mut world = in_a_call();
    world.command(ANA, Command::SetCamera(false)).unwrap();
    share(&mut world, ANA, true);
    world.run(1_000);
    let remote = world.phones[RUI].snapshot().remote;
    assert!(remote.video && remote.screen, "those who know no screens show it: {remote:?}");
    assert!(!world.phones[ANA].snapshot().local.video, "the camera is off as before");
    share(&mut world, ANA, false);
    world.run(1_000);
    assert!(!world.phones[RUI].snapshot().remote.video);
}

#[test]
fn a_hold_hides_the_screen_and_its_end_shows_it_again() {
    let mut world = in_a_call();
    share(&mut world, ANA, true);
    world.command(ANA, Command::SetHeld(true)).unwrap();
    world.run(1_000);
    let remote = world.phones[RUI].snapshot().remote;
    assert!(remote.held && !remote.screen && !remote.video, "{remote:?}");
    world.command(ANA, Command::SetHeld(false)).unwrap();
    world.run(1_000);
    let remote = world.phones[RUI].snapshot().remote;
    assert!(!remote.held && remote.screen && remote.video, "{remote:?}");
}

#[test]
fn a_share_that_ends_during_a_hold_is_over_after_it() {
    let mut world = in_a_call();
    share(&mut world, ANA, true);
    world.command(ANA, Command::SetHeld(true)).unwrap();
    share(&mut world, ANA, false);
    world.command(ANA, Command::SetHeld(false)).unwrap();
    world.run(1_000);
    assert_eq!(world.phones[RUI].snapshot().remote, MediaState::default());
}

#[test]
fn a_connection_that_is_replaced_sends_the_screen_from_its_start() {
    let mut world = in_a_call();
    share(&mut world, ANA, true);
    world.kill_peer(ANA);
    world.run(10_000);
    world.assert_connected(ANA, RUI);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.media.screen));
    assert!(world.phones[RUI].snapshot().remote.screen);
}

#[test]
fn before_a_call_is_accepted_nothing_is_shared_in_it() {
    let mut world = World::of(&["ana", "rui"]);
    world.call(ANA, RUI);
    world.run(1_000);
    let refused = world.command(RUI, Command::SetScreen(true));
    assert_eq!(refused, Err(CallError::WrongState(CallState::RingingLocally)));
    world.accept(RUI);
    world.run(1_000);
    assert_eq!(world.command(RUI, Command::SetScreen(true)), Ok(()));
}

#[test]
fn somebody_who_claims_a_screen_without_a_picture_shows_none() {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.tell(ANA, super::sim::offer("rui", "v=0", Some(id(5))));
    let state = MediaState { video: false, screen: true, ..MediaState::default() };
    let name = Some("rui".to_owned());
    world.tell(ANA, Message::MediaState(MediaStateMessage { name, target: None, call: Some(id(5)), state }));
    let remote = world.phones[ANA].snapshot().remote;
    assert!(!remote.screen && !remote.video, "{remote:?}");
}
