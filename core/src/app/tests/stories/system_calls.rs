//! One call for app and system.

use super::{HIDDEN, call, system_call};
use crate::app::tests::World;
use crate::app::tests::world::GRANTED;
use crate::app::{
    CallPhase, ClientCommand, PermissionStatus, Permissions, Screen, SystemAction, SystemCallNews, TextKey, UserAction,
};
use std::time::Duration;

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
