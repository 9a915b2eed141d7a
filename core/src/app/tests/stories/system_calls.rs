//! One call for app, system and push.

use super::{HIDDEN, call, saved, system_call};
use crate::app::tests::World;
use crate::app::tests::world::{GRANTED, PEER};
use crate::app::{
    AppConfig, CallPhase, ClientCommand, ClientNews, Effect, PermissionStatus, Permissions, Screen, SystemAction,
    SystemCallEffect, SystemCallNews, SystemEndReason, TextKey, UserAction,
};
use crate::signaling::message::CallId;
use std::time::Duration;

#[test]
fn a_push_rings_before_the_client_knows_the_call_and_is_answered_when_it_does() {
    let mut world = World::new(AppConfig { reports_every_push: true, ..AppConfig::default() });
    world.system(SystemAction::VisibilityChanged(HIDDEN));
    world.system(SystemAction::Started { saved: Some(saved()), history: None, permissions: GRANTED });
    let id = CallId::random();
    world.system(SystemAction::PushReceived { call: Some(id), from: Some(PEER.to_owned()) });
    assert_eq!((world.reported, world.app.state().screen), (Some(id), Screen::Incoming));
    system_call(&mut world, SystemCallNews::Answered { video: false });
    assert!(!world.ring, "nobody is waited for any more");
    world.deliver();
    world.client(ClientNews::Incoming { from: PEER.to_owned(), call: id });
    assert!(world.commands().contains(&&ClientCommand::Accept(id)), "{:?}", world.effects);
}

#[test]
fn a_push_refused_before_the_client_knows_its_call_refuses_it() {
    let mut world = World::online();
    let id = CallId::random();
    world.system(SystemAction::PushReceived { call: Some(id), from: Some(PEER.to_owned()) });
    world.user(UserAction::Decline);
    assert_eq!((world.phase(), world.reported, world.ring), (None, None, false));
    let ended = SystemCallEffect::Ended { call: id, reason: SystemEndReason::Rejected };
    assert!(world.effects.contains(&Effect::SystemCall(ended)));
    world.client(ClientNews::Incoming { from: PEER.to_owned(), call: id });
    assert!(world.commands().contains(&&ClientCommand::Decline(id)) && !world.ring);
}

#[test]
fn a_push_without_a_call_behind_it_was_missed() {
    let mut world = World::online();
    world.system(SystemAction::PushReceived { call: None, from: Some(PEER.to_owned()) });
    assert!(world.ring);
    world.wait(Duration::from_secs(20));
    assert_eq!((world.phase(), world.reported, world.ring), (None, None, false));
    assert_eq!((world.told(), world.app.history().len()), (vec![TextKey::EndMissed], 1));
}

#[test]
fn a_push_without_an_identifier_is_the_call_of_its_caller_and_the_system_knows_it_by_one_name() {
    let mut world = World::online();
    world.system(SystemAction::PushReceived { call: None, from: Some(PEER.to_owned()) });
    let known = world.reported;
    world.rings(PEER);
    world.deliver();
    assert_eq!((world.reported, world.phase()), (known, Some(CallPhase::Ringing)));
    system_call(&mut world, SystemCallNews::Answered { video: true });
    world.deliver();
    assert_eq!(world.phase(), Some(CallPhase::Connecting));
    world.comes_to_rest();
}

#[test]
fn a_push_in_a_call_or_after_one_is_reported_where_the_system_insists_and_over_at_once() {
    let mut world = World::new(AppConfig { reports_every_push: true, ..AppConfig::default() });
    world.sign_in();
    world.deliver();
    world.rings(PEER);
    world.deliver();
    let ours = world.call.clone().unwrap().id;
    world.system(SystemAction::PushReceived { call: Some(ours), from: Some(PEER.to_owned()) });
    assert!(
        matches!(&world.effects[1..], [Effect::SystemCall(SystemCallEffect::Incoming { call, .. })] if *call == ours)
    );
    let other = CallId::random();
    world.system(SystemAction::PushReceived { call: Some(other), from: None });
    let over = SystemCallEffect::Ended { call: other, reason: SystemEndReason::Failed };
    assert_eq!(world.effects.last(), Some(&Effect::SystemCall(over)));
    world.user(UserAction::Decline);
    world.deliver();
    world.system(SystemAction::PushReceived { call: Some(ours), from: Some(PEER.to_owned()) });
    assert_eq!((world.phase(), world.reported), (None, None), "late news of a call that is over");
}

#[test]
fn answered_by_the_system_without_a_microphone_the_call_is_refused() {
    let mut world = World::ringing();
    world.system(SystemAction::VisibilityChanged(HIDDEN));
    world.system(SystemAction::PermissionsChanged(Permissions { microphone: PermissionStatus::Denied, ..GRANTED }));
    system_call(&mut world, SystemCallNews::Answered { video: true });
    assert!(matches!(world.commands()[..], [ClientCommand::Decline(_)]), "{:?}", world.effects);
}

#[test]
fn a_call_that_the_system_refuses_is_ended_and_told() {
    let mut world = World::online();
    call(&mut world, true);
    world.deliver();
    system_call(&mut world, SystemCallNews::Refused);
    world.deliver();
    assert_eq!((world.phase(), world.told()), (None, vec![TextKey::RefusedBySystem]));
}

#[test]
fn a_client_that_never_says_that_the_call_is_over_does_not_keep_it_on_the_screen() {
    let mut world = World::connected();
    world.user(UserAction::HangUp);
    world.news.clear();
    assert_eq!(world.phase(), Some(CallPhase::Ending));
    world.wait(Duration::from_secs(10));
    assert_eq!(world.app.state().screen, Screen::Home);
}

#[test]
fn a_call_given_up_before_it_had_a_name_is_ended() {
    let mut world = World::online();
    call(&mut world, true);
    world.user(UserAction::HangUp);
    world.deliver();
    assert_eq!((world.phase(), world.call.clone()), (None, None));
    world.comes_to_rest();
}
