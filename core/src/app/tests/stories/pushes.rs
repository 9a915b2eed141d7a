//! Calls that come by push, and where this device is registered for them.

use super::{HIDDEN, saved, system_call};
use crate::app::tests::World;
use crate::app::tests::world::{GRANTED, ME, PEER, server_push};
use crate::app::{
    AppConfig, CallPhase, ClientCommand, ClientNews, Effect, Screen, SystemAction, SystemCallEffect, SystemCallNews,
    SystemEndReason, TextKey, UserAction,
};
use crate::signaling::message::{CallId, PushPlatform, PushRegister, PushedCall, PushedKind};
use PushedKind::{Cancel, Ring};
use std::time::Duration;

/// An app that the push service woke, and that has to report each push.
fn woken() -> World {
    let mut world = World::new(AppConfig { reports_every_push: true, ..AppConfig::default() });
    world.system(SystemAction::VisibilityChanged(HIDDEN));
    world.system(SystemAction::Started {
        saved: Some(saved()),
        history: None,
        blocked: None,
        remembered: None,
        permissions: GRANTED,
    });
    world
}

fn incoming(call: CallId) -> Effect {
    Effect::SystemCall(SystemCallEffect::Incoming { call, from: Some(PEER.to_owned()) })
}

fn ended(call: CallId, reason: SystemEndReason) -> Effect {
    Effect::SystemCall(SystemCallEffect::Ended { call, reason })
}

fn registration(token: &str) -> PushRegister {
    let token = Some(token.to_owned());
    PushRegister { platform: PushPlatform::Fcm, token, endpoint: None, keys: None, locale: None }
}

/// What the last action registered.
fn registered(world: &World) -> Vec<Option<PushRegister>> {
    let registers = world.commands().into_iter().filter_map(|command| match command {
        ClientCommand::RegisterPush(register) => Some(register.as_deref().cloned()),
        _ => None,
    });
    registers.collect()
}

#[test]
fn a_push_rings_before_the_client_knows_the_call_and_is_answered_when_it_does() {
    let (mut world, id) = (woken(), CallId::random());
    world.pushed(Ring, id);
    assert_eq!((world.reported, world.app.state().screen), (Some(id), Screen::Incoming));
    system_call(&mut world, SystemCallNews::Answered { video: false });
    assert!(!world.ring, "nobody is waited for any more");
    world.deliver();
    world.client(ClientNews::Incoming { from: PEER.to_owned(), call: id });
    assert!(world.commands().contains(&&ClientCommand::Accept(id)), "{:?}", world.effects);
}

#[test]
fn a_push_refused_before_the_client_knows_its_call_refuses_it_however_late_it_comes() {
    for late in [Duration::ZERO, Duration::from_secs(21)] {
        let (mut world, id) = (World::online(), CallId::random());
        world.pushed(Ring, id);
        world.user(UserAction::Decline);
        assert_eq!((world.phase(), world.reported, world.ring), (None, None, false));
        assert!(world.effects.contains(&ended(id, SystemEndReason::Rejected)));
        world.wait(late);
        world.client(ClientNews::Incoming { from: PEER.to_owned(), call: id });
        assert!(world.commands().contains(&&ClientCommand::Decline(id)) && !world.ring);
    }
}

#[test]
fn a_push_without_a_call_behind_it_was_missed_until_the_call_comes_after_all() {
    let (mut world, id) = (World::online(), CallId::random());
    world.pushed(Ring, id);
    assert!(world.ring);
    world.wait(Duration::from_secs(20));
    assert_eq!((world.phase(), world.reported, world.ring), (None, None, false));
    assert_eq!((world.told(), world.app.history().len()), (vec![TextKey::EndMissed], 1));
    world.client(ClientNews::Incoming { from: PEER.to_owned(), call: id });
    assert_eq!((world.phase(), world.ring), (Some(CallPhase::Ringing), true), "a slow network is no refusal");
}

#[test]
fn a_push_that_takes_the_call_back_stops_the_ringing_and_tells_of_the_call_that_was_missed() {
    let (mut world, id) = (woken(), CallId::random());
    world.pushed(Ring, id);
    world.pushed(Cancel, id);
    assert_eq!((world.phase(), world.reported, world.ring), (None, None, false));
    assert!(world.effects.contains(&incoming(id)), "the system is told of a call with each push");
    assert!(world.effects.contains(&ended(id, SystemEndReason::Missed)), "{:?}", world.effects);
    assert!(world.effects.iter().any(|effect| matches!(effect, Effect::NotifyMissedCall { call, .. } if *call == id)));
    assert_eq!((world.told(), world.app.history().len()), (vec![TextKey::EndMissed], 1));
}

#[test]
fn a_call_taken_back_while_its_answer_waits_for_the_server_is_told_as_one_that_the_caller_ended() {
    let (mut world, id) = (woken(), CallId::random());
    world.pushed(Ring, id);
    system_call(&mut world, SystemCallNews::Answered { video: true });
    world.pushed(Cancel, id);
    assert!(world.effects.contains(&ended(id, SystemEndReason::Remote)), "{:?}", world.effects);
    assert_eq!((world.phase(), world.told()), (None, vec![TextKey::EndHungUpThere]));
}

#[test]
fn a_ring_that_comes_after_its_cancel_does_not_ring_nor_does_the_call_itself() {
    let (mut world, id) = (World::online(), CallId::random());
    world.pushed(Cancel, id);
    world.pushed(Ring, id);
    assert_eq!((world.phase(), world.ring), (None, false));
    world.client(ClientNews::Incoming { from: PEER.to_owned(), call: id });
    assert!(world.commands().contains(&&ClientCommand::Decline(id)), "the client is not to ring on by itself");
    assert_eq!((world.phase(), world.ring), (None, false));
}

#[test]
fn of_a_call_that_the_connection_told_of_the_connections_word_counts() {
    let mut world = World::ringing();
    let id = world.call.clone().unwrap().id;
    world.pushed(Cancel, id);
    assert_eq!((world.phase(), world.reported), (Some(CallPhase::Ringing), Some(id)));
    assert!(world.commands().contains(&&ClientCommand::CheckServer), "which is looked at");
}

#[test]
fn an_old_push_and_one_for_somebody_who_logged_out_do_not_ring() {
    let mut world = World::online();
    let (call, from, room, sent) = (CallId::random(), PEER.to_owned(), String::new(), world.now.unix_ms - 60_001);
    world.system(SystemAction::PushReceived(Some(PushedCall { kind: Ring, call, from, room, sent })));
    assert_eq!((world.phase(), world.ring), (None, false));
    world.user(UserAction::SignOut);
    world.pushed(Ring, CallId::random());
    assert_eq!((world.phase(), world.ring), (None, false));
}

#[test]
fn a_push_that_shows_nothing_is_reported_where_the_system_insists_and_over_at_once() {
    let mut world = World::new(AppConfig { reports_every_push: true, ..AppConfig::default() });
    world.sign_in();
    world.deliver();
    world.rings(PEER);
    world.deliver();
    let ours = world.call.clone().unwrap().id;
    world.pushed(Ring, ours);
    assert_eq!(world.effects[1..], [incoming(ours)], "twice, under one name");
    let other = CallId::random();
    for kind in [Ring, Cancel] {
        world.pushed(kind, other);
        assert_eq!(world.effects[1..], [incoming(other), ended(other, SystemEndReason::Failed)]);
    }
    world.system(SystemAction::PushReceived(None));
    assert!(matches!(&world.effects[1..], [
        Effect::SystemCall(SystemCallEffect::Incoming { call, from: None }),
        Effect::SystemCall(SystemCallEffect::Ended { call: over, .. }),
    ] if call == over));
    world.user(UserAction::Decline);
    world.deliver();
    world.pushed(Ring, ours);
    assert_eq!((world.phase(), world.reported), (None, None), "late news of a call that is over");
}

#[test]
fn a_device_is_registered_after_a_login_by_token_and_each_time_that_its_token_changes() {
    let mut world = World::online_with_token();
    world.client(ClientNews::LoggedIn { name: ME.to_owned(), push: Some(server_push()) });
    world.system(SystemAction::PushRegistrationChanged(Some(registration("one"))));
    assert_eq!(registered(&world), [Some(registration("one"))]);
    world.system(SystemAction::PushRegistrationChanged(Some(registration("one"))));
    assert_eq!(registered(&world), [], "once");
    world.system(SystemAction::PushRegistrationChanged(Some(registration("two"))));
    assert_eq!(registered(&world), [Some(registration("two"))]);
    world.system(SystemAction::PushRegistrationChanged(None));
    assert_eq!(registered(&world), [None]);
}

#[test]
fn the_system_is_asked_for_a_token_where_the_server_can_ring_and_what_it_said_before_is_told_at_login() {
    let mut world = World::new(AppConfig::default());
    world.system(SystemAction::PushRegistrationChanged(Some(registration("one"))));
    let (server, name) = ("wss://call.example.org".to_owned(), ME.to_owned());
    let token = Some(crate::app::Token("token".to_owned()));
    world.user(UserAction::SignIn { server, name, token });
    assert_eq!(registered(&world), [], "there is nobody to be told yet");
    world.deliver();
    assert!(world.effects.contains(&Effect::RequestPushToken(server_push())));
    assert_eq!(registered(&world), [Some(registration("one"))]);
}

#[test]
fn nobody_is_registered_without_a_token_nor_in_the_demonstration() {
    let mut world = World::online();
    world.system(SystemAction::PushRegistrationChanged(Some(registration("one"))));
    assert_eq!(registered(&world), []);
    let mut world = World::new(AppConfig { demo: true, ..AppConfig::default() });
    world.system(SystemAction::PushRegistrationChanged(Some(registration("one"))));
    world.user(UserAction::StartDemo { name: ME.to_owned() });
    while world.deliver_one() {
        assert_eq!(registered(&world), []);
        assert!(!world.effects.iter().any(|effect| matches!(effect, Effect::RequestPushToken(_))));
    }
}

#[test]
fn who_logs_out_is_rung_no_more() {
    let mut world = World::online_with_token();
    world.system(SystemAction::PushRegistrationChanged(Some(registration("one"))));
    world.user(UserAction::SignOut);
    let commands = world.commands();
    assert!(matches!(commands[..], [ClientCommand::RegisterPush(None), ClientCommand::Logout { .. }]), "{commands:?}");
}
