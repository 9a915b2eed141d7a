//! How a call begins, is answered, missed and kept.

use super::{HIDDEN, call, system_call};
use crate::app::tests::World;
use crate::app::tests::world::{GRANTED, PEER};
use crate::app::{
    AppConfig, AudioRoute, AudioRouteKind, CallPhase, ClientCommand, Effect, HistoryKind, Permission, PermissionStatus,
    Permissions, Recovery, RingerMode, Screen, SettingsPage, SystemAction, SystemCallNews, Tab, TextKey, UserAction,
    Visibility,
};
use crate::call::{CallState, EndReason};
use std::time::Duration;

#[test]
fn a_call_rings_there_with_a_ringback_tone_and_connects() {
    let mut world = World::online();
    call(&mut world, true);
    world.deliver();
    assert!(world.audio && !world.ringback);
    world.peer(CallState::RingingRemotely);
    world.deliver();
    assert!(world.ringback);
    world.peer(CallState::Connecting);
    world.deliver();
    assert!(!world.ringback);
    world.peer(CallState::Connected);
    world.deliver();
    let view = world.app.state().call.clone().unwrap();
    assert_eq!((view.since_ms, view.status, view.shows_remote), (Some(world.now.unix_ms), None, true));
    world.comes_to_rest();
}

#[test]
fn a_call_can_begin_without_video_and_is_held_at_the_ear() {
    let mut world = World::online();
    call(&mut world, false);
    let commands: Vec<_> = world.commands().into_iter().cloned().collect();
    let to = PEER.to_owned();
    assert_eq!(commands, [ClientCommand::SetCamera(false), ClientCommand::Call { to }], "off before it begins");
    let earpiece = AudioRoute { id: "e".to_owned(), kind: AudioRouteKind::Earpiece, name: None };
    let speaker = AudioRoute { id: "s".to_owned(), kind: AudioRouteKind::Speaker, name: None };
    let routes = vec![earpiece, speaker];
    world.system(SystemAction::AudioRoutesChanged { routes: routes.clone(), current: Some("e".to_owned()) });
    assert!(world.proximity && !world.screen_on);
    world.user(UserAction::SetCamera(true));
    assert_eq!(world.commands(), [&ClientCommand::SetCamera(true)]);
    assert!(world.effects.contains(&Effect::SelectAudioRoute("s".to_owned())));
    world.system(SystemAction::AudioRoutesChanged { routes, current: Some("s".to_owned()) });
    assert!(!world.proximity && world.screen_on);
}

#[test]
fn permissions_are_asked_for_on_the_way_to_a_call_and_a_camera_refused_means_one_without() {
    let mut world = World::online();
    let asked = Permissions { camera: PermissionStatus::Undecided, microphone: PermissionStatus::Undecided, ..GRANTED };
    world.system(SystemAction::PermissionsChanged(asked));
    call(&mut world, true);
    assert!(matches!(&world.effects[..], [Effect::AskPermissions { permissions, .. }]
        if *permissions == [Permission::Microphone, Permission::Camera]));
    world.answer(Permissions { camera: PermissionStatus::Denied, ..GRANTED });
    world.deliver();
    assert_eq!(world.told(), [TextKey::ErrorNoCameraPermission]);
    assert!(!world.camera && world.phase() == Some(CallPhase::Calling));
    world.recover(TextKey::ErrorNoCameraPermission, Recovery::OpenSettings);
    assert_eq!(world.effects, [Effect::OpenSettings(SettingsPage::App)]);
}

#[test]
fn without_a_microphone_there_is_no_call() {
    let mut world = World::online();
    world.system(SystemAction::PermissionsChanged(Permissions { microphone: PermissionStatus::Undecided, ..GRANTED }));
    call(&mut world, true);
    world.answer(Permissions { microphone: PermissionStatus::Denied, ..GRANTED });
    assert_eq!((world.phase(), world.told()), (None, vec![TextKey::ErrorNoMicrophonePermission]));
}

#[test]
fn an_answer_that_comes_after_the_session_begins_no_call() {
    let mut world = World::online();
    world.system(SystemAction::PermissionsChanged(Permissions::default()));
    call(&mut world, true);
    world.user(UserAction::SignOut);
    world.answer(GRANTED);
    assert_eq!((world.phase(), world.commands().len()), (None, 0));
}

#[test]
fn a_call_that_rings_is_answered_without_video() {
    let mut world = World::ringing();
    assert!(world.ring && world.vibrate);
    world.user(UserAction::Accept { video: false });
    world.deliver();
    assert!(!world.ring && !world.camera && world.audio);
    assert_eq!(world.phase(), Some(CallPhase::Connecting));
    world.comes_to_rest();
}

#[test]
fn a_phone_that_is_not_to_ring_vibrates_or_does_neither() {
    let mut world = World::ringing();
    world.system(SystemAction::RingerModeChanged(RingerMode::Vibrate));
    assert!(!world.ring && world.vibrate);
    world.system(SystemAction::RingerModeChanged(RingerMode::Silent));
    assert!(!world.vibrate);
    let mut silenced = World::ringing();
    system_call(&mut silenced, SystemCallNews::Silenced);
    assert!(!silenced.ring && silenced.app.state().screen == Screen::Incoming);
}

#[test]
fn a_missed_call_says_so_notifies_and_is_in_the_history() {
    let mut world = World::ringing();
    world.system(SystemAction::VisibilityChanged(HIDDEN));
    world.ends(EndReason::Timeout);
    world.deliver();
    let notified = |effect: &Effect| matches!(effect, Effect::NotifyMissedCall { from, .. } if from == PEER);
    assert!(world.effects.iter().any(notified), "{:?}", world.effects);
    assert_eq!((world.told(), world.app.state().missed_calls), (vec![TextKey::EndMissed], 1));
    assert_eq!(world.app.history()[0].kind, HistoryKind::Missed);
    world.system(SystemAction::VisibilityChanged(Visibility::Foreground));
    world.user(UserAction::ShowTab(Tab::Recents));
    assert_eq!((world.effects.clone(), world.app.state().missed_calls), (vec![Effect::ClearMissedCalls], 0));
    world.recover(TextKey::EndMissed, Recovery::CallAgain);
    world.deliver();
    assert_eq!(world.phase(), Some(CallPhase::Calling));
}

#[test]
fn the_history_is_kept_with_how_long_it_was() {
    let mut world = World::connected();
    world.wait(Duration::from_secs(75));
    world.ends(EndReason::HungUpRemotely);
    world.deliver();
    let entry = &world.app.history()[0];
    assert_eq!((entry.kind, entry.seconds, entry.with.as_str()), (HistoryKind::Outgoing, 75, PEER));
    let kept = world.effects.iter().find_map(|effect| match effect {
        Effect::SaveHistory(json) => Some(json.clone()),
        _ => None,
    });
    let mut next = World::new(AppConfig::default());
    next.system(SystemAction::Started {
        saved: None,
        history: kept,
        blocked: None,
        remembered: None,
        permissions: GRANTED,
    });
    assert_eq!(next.app.history(), world.app.history());
}
