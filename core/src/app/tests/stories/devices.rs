//! Camera, microphone, sound, network and heat in a call.

use super::{HIDDEN, network, system_call};
use crate::app::tests::World;
use crate::app::tests::world::PEER;
use crate::app::{
    AppConfig, AudioInterruption, CameraTrouble, ClientCommand, ClientNews, Effect, Failure, Recovery, SystemAction,
    SystemCallEffect, SystemCallNews, TextKey, UserAction, Visibility,
};
use crate::call::{CallSnapshot, CallState};
use crate::media::video::ThermalState;
use crate::signaling::message::MediaState;

#[test]
fn hold_closes_camera_and_microphone_and_whoever_muted_it_stays_muted() {
    let mut world = World::connected();
    world.system(SystemAction::AudioInterrupted(AudioInterruption::Began));
    assert!(!world.camera && !world.microphone && world.silent);
    assert_eq!(world.app.state().call.as_ref().unwrap().status.as_ref().unwrap().key, TextKey::CallSoundElsewhere);
    world.user(UserAction::SetMicrophone(false));
    world.system(SystemAction::AudioInterrupted(AudioInterruption::Ended));
    assert!(world.camera && !world.microphone && !world.silent);
    assert!(world.effects.contains(&Effect::ReclaimAudio));
}

#[test]
fn the_client_is_told_of_a_hold_once_the_call_is_accepted() {
    let mut world = World::connected();
    let call = world.call.as_ref().unwrap().id;
    world.user(UserAction::SetHold(true));
    assert!(world.commands().contains(&&ClientCommand::SetHeld { call, on: true }));
    world.user(UserAction::SetHold(true));
    assert_eq!(world.effects, [], "once");
    world.user(UserAction::SetHold(false));
    assert!(world.commands().contains(&&ClientCommand::SetHeld { call, on: false }));

    let mut world = World::online();
    world.user(UserAction::Call { to: PEER.to_owned(), video: true });
    world.deliver();
    world.system(SystemAction::AudioInterrupted(AudioInterruption::Began));
    let holds = |world: &World| world.commands().iter().any(|one| matches!(one, ClientCommand::SetHeld { .. }));
    assert!(!world.microphone && !holds(&world), "a call that is not accepted cannot be put on hold");
    world.peer(CallState::Connecting);
    world.deliver();
    assert!(holds(&world));
}

#[test]
fn a_hold_of_the_other_side_is_shown_with_its_name() {
    let mut world = World::connected();
    let call = world.call.clone().unwrap();
    let remote = MediaState { held: true, ..MediaState::default() }.sent();
    let (state, with, local) = (call.state, Some(call.with), MediaState::default());
    let snapshot = CallSnapshot { state, with, call: Some(call.id), local, remote, other: None };
    world.client(ClientNews::CallChanged(snapshot));
    let shown = world.app.state().call.clone().unwrap();
    assert_eq!(shown.status.unwrap().key, TextKey::CallHeldThere);
    assert!(!shown.held && !shown.shows_remote);
}

#[test]
fn a_call_that_the_system_holds_is_taken_up_again_from_the_app() {
    let mut world = World::connected();
    system_call(&mut world, SystemCallNews::Taken);
    system_call(&mut world, SystemCallNews::Held(true));
    assert!(world.app.state().call.as_ref().unwrap().held && !world.microphone);
    world.user(UserAction::SetHold(false));
    let call = world.reported.unwrap();
    assert_eq!(world.effects, [Effect::SystemCall(SystemCallEffect::RequestHold { call, held: false })]);
    system_call(&mut world, SystemCallNews::Held(false));
    assert!(world.microphone && world.camera);
}

#[test]
fn sound_that_another_app_took_for_good_is_asked_for_again() {
    let mut world = World::connected();
    world.system(SystemAction::AudioInterrupted(AudioInterruption::Lost));
    assert!(world.silent);
    world.user(UserAction::SetHold(false));
    assert!(world.effects.contains(&Effect::ReclaimAudio));
    world.system(SystemAction::AudioInterrupted(AudioInterruption::Ended));
    assert!(!world.silent && world.microphone);
    world.system(SystemAction::AudioInterrupted(AudioInterruption::Ended));
    assert_eq!(world.effects, [], "what asking for it brought is no reason to ask again");
}

#[test]
fn mute_counts_on_either_side_and_is_told_once() {
    let mut world = World::connected();
    let call = world.reported.unwrap();
    world.user(UserAction::SetMicrophone(false));
    assert!(world.effects.contains(&Effect::SystemCall(SystemCallEffect::Muted { call, muted: true })));
    system_call(&mut world, SystemCallNews::Muted(false));
    assert_eq!(world.effects, [Effect::Client(ClientCommand::SetMicrophone(true))]);
}

#[test]
fn the_camera_is_closed_in_the_background_unless_a_small_picture_may_have_it() {
    let mut world = World::connected();
    world.system(SystemAction::VisibilityChanged(HIDDEN));
    assert!(!world.camera && world.app.state().call.as_ref().unwrap().camera_on, "the wish stays");
    world.system(SystemAction::VisibilityChanged(Visibility::Foreground));
    assert_eq!(world.commands(), [&ClientCommand::CheckServer, &ClientCommand::SetCamera(true)]);
    world.system(SystemAction::VisibilityChanged(Visibility::Background { camera_allowed: true }));
    assert!(world.camera);
}

#[test]
fn a_camera_that_fails_is_told_and_opened_anew_by_its_button() {
    let mut world = World::connected();
    world.client(ClientNews::DeviceFailed {
        device: crate::client::DeviceKind::Camera,
        why: Failure::DeviceNotReadable,
    });
    assert_eq!(world.told(), [TextKey::ErrorCameraInUse]);
    assert!(!world.camera, "the other side is told that there is no picture");
    world.recover(TextKey::ErrorCameraInUse, Recovery::CameraAgain);
    assert!(world.camera && world.told().is_empty());
    world.system(SystemAction::CameraTrouble(Some(CameraTrouble::Paused)));
    assert_eq!(world.told(), [TextKey::MediaCameraPaused]);
    world.system(SystemAction::CameraTrouble(None));
    assert_eq!(world.told(), []);
}

#[test]
fn a_camera_that_the_system_broke_is_closed_before_it_is_opened_again() {
    let mut world = World::connected();
    world.system(SystemAction::CameraTrouble(Some(CameraTrouble::Broken)));
    world.recover(TextKey::ErrorCameraFailed, Recovery::CameraAgain);
    assert_eq!(world.commands(), [&ClientCommand::SetCamera(false), &ClientCommand::SetCamera(true)]);
}

#[test]
fn what_does_not_come_of_the_other_side_is_told_until_it_comes_or_the_call_ends() {
    use crate::client::{MediaKind, MissingMedia};
    let mut world = World::connected();
    let missing = |kind, why| ClientNews::Missing { kind, why };
    world.client(missing(MediaKind::Video, Some(MissingMedia::NoPackets)));
    world.client(missing(MediaKind::Audio, Some(MissingMedia::NotDecodable)));
    assert_eq!(world.told(), [TextKey::MediaUnreadableThere, TextKey::MediaNoPictureThere]);
    world.client(missing(MediaKind::Audio, None));
    assert_eq!(world.told(), [TextKey::MediaNoPictureThere]);
    world.user(UserAction::HangUp);
    world.deliver();
    assert_eq!(world.told(), []);
}

#[test]
fn why_an_accepted_call_is_not_connected_yet_is_told_until_it_is() {
    use crate::call::{CallState, NoPath};
    let mut world = World::connected();
    world.client(ClientNews::NoPathYet(NoPath::NoRelay));
    assert_eq!(world.told(), [], "there is a path");
    let mut world = World::online();
    super::call(&mut world, true);
    world.deliver();
    world.peer(CallState::Connecting);
    world.deliver();
    world.client(ClientNews::NoPathYet(NoPath::NothingFromThere));
    assert_eq!(world.told(), [TextKey::PathNothingFromThere]);
    world.peer(CallState::Connected);
    world.deliver();
    assert_eq!(world.told(), []);
}

#[test]
fn a_hot_device_is_told_to_client_and_person_and_cools_down() {
    let mut world = World::connected();
    world.system(SystemAction::ThermalStateChanged(ThermalState::Serious));
    assert_eq!(world.commands(), [&ClientCommand::SetThermalState(ThermalState::Serious)]);
    assert_eq!(world.told(), [TextKey::MediaHot]);
    world.system(SystemAction::ThermalStateChanged(ThermalState::Fair));
    assert_eq!(world.told(), []);
}

#[test]
fn a_client_that_logs_in_on_a_hot_device_hears_of_it() {
    let mut world = World::new(AppConfig::default());
    world.system(SystemAction::ThermalStateChanged(ThermalState::Critical));
    world.sign_in();
    world.deliver_one();
    assert!(world.commands().contains(&&ClientCommand::SetThermalState(ThermalState::Critical)));
}

#[test]
fn a_metered_network_gets_small_pictures_until_the_person_lifts_it() {
    let mut world = World::connected();
    world.system(network("wifi", false));
    world.system(network("mobile", true));
    assert_eq!(world.commands(), [&ClientCommand::NetworkChanged, &ClientCommand::SetLowData(true)]);
    world.recover(TextKey::NetworkMetered, Recovery::FullQuality);
    assert_eq!(world.commands(), [&ClientCommand::SetLowData(false)]);
    assert!(world.app.state().call.as_ref().unwrap().full_quality);
}
