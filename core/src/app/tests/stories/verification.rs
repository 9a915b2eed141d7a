//! The check of the other end.

use super::saved;
use crate::app::tests::World;
use crate::app::tests::world::{GRANTED, PEER};
use crate::app::{
    AppConfig, ClientCommand, ClientNews, Effect, Recovery, SystemAction, TextKey, Trust, UserAction, VerificationView,
};
use crate::call::CallState;
use crate::client::Verification;
use crate::security::{CheckFailure, CheckResult, RememberedPerson, Secret, WORDS, Word};

const FIRST: [Word; 4] = [WORDS[0], WORDS[1], WORDS[2], WORDS[3]];
const OTHER: [Word; 4] = [WORDS[4], WORDS[5], WORDS[6], WORDS[7]];

fn checked(world: &mut World, words: Option<[Word; 4]>, result: CheckResult) {
    world.client(ClientNews::Verification(Verification { words, result }));
}

fn view(world: &World) -> VerificationView {
    world.app.state().call.as_ref().and_then(|call| call.verification.clone()).unwrap()
}

fn seen(world: &World) -> (TextKey, Trust, bool) {
    let VerificationView { message, trust, can_answer, .. } = view(world);
    (message.key, trust, can_answer)
}

fn confirm(world: &mut World, same: bool) {
    world.user(UserAction::ConfirmVerification { same });
}

fn bia() -> RememberedPerson {
    RememberedPerson { name: PEER.to_owned(), secrets: vec![Secret([7; 32])] }
}

/// What is kept of a device of [`PEER`]'s that was checked.
fn kept() -> String {
    let mut world = World::connected();
    world.client(ClientNews::Remember(bia()));
    match world.effects.pop() {
        Some(Effect::SaveRemembered(json)) => json,
        other => panic!("{other:?}"),
    }
}

/// A call with [`PEER`], of whom that is kept.
fn known() -> World {
    let mut world = World::new(AppConfig::default());
    let (saved, remembered) = (Some(saved()), Some(kept()));
    world.system(SystemAction::Started { saved, history: None, blocked: None, remembered, permissions: GRANTED });
    world.deliver();
    world.user(UserAction::Call { to: PEER.to_owned(), video: true });
    world.deliver();
    world.peer(CallState::Connected);
    world.deliver();
    world
}

#[test]
fn words_are_shown_until_both_people_said_that_they_are_the_same() {
    let mut world = World::connected();
    assert_eq!(world.app.state().call.as_ref().unwrap().verification, None);
    checked(&mut world, None, CheckResult::Checking);
    assert_eq!(seen(&world), (TextKey::VerificationChecking, Trust::Unknown, false));
    confirm(&mut world, true);
    assert!(world.commands().is_empty(), "there is nothing to compare yet");

    checked(&mut world, Some(FIRST), CheckResult::Compare);
    assert_eq!(seen(&world), (TextKey::VerificationCompare, Trust::Unknown, true));
    assert_eq!(view(&world).words, FIRST);
    confirm(&mut world, true);
    let call = world.call.as_ref().unwrap().id;
    assert_eq!(world.commands(), [&ClientCommand::ConfirmVerification { call, same: true }]);
    assert_eq!(seen(&world), (TextKey::VerificationWaiting, Trust::Unknown, false));
    confirm(&mut world, true);
    assert!(world.commands().is_empty(), "once is enough");

    checked(&mut world, Some(FIRST), CheckResult::Confirmed);
    assert_eq!(seen(&world), (TextKey::VerificationConfirmed, Trust::Verified, false));
    assert!(world.told().is_empty());
}

#[test]
fn a_connection_that_takes_anothers_place_is_not_taken_for_checked() {
    let mut world = World::connected();
    checked(&mut world, Some(FIRST), CheckResult::Compare);
    confirm(&mut world, true);
    checked(&mut world, Some(FIRST), CheckResult::Confirmed);
    checked(&mut world, None, CheckResult::Checking);
    assert_eq!(seen(&world), (TextKey::VerificationChecking, Trust::Unknown, false));
    checked(&mut world, Some(OTHER), CheckResult::Compare);
    assert_eq!(seen(&world), (TextKey::VerificationCompare, Trust::Unknown, true), "other words are other words");
}

#[test]
fn words_that_differ_are_told_whatever_the_person_looks_at_until_the_call_is_over() {
    let mut world = World::connected();
    checked(&mut world, Some(FIRST), CheckResult::Differs);
    assert_eq!((seen(&world).1, world.told()), (Trust::Doubtful, vec![TextKey::VerificationDiffers]));
    world.recover(TextKey::VerificationDiffers, Recovery::Dismiss);
    assert_eq!(seen(&world).0, TextKey::VerificationDiffers, "the call shows it all the same");
    checked(&mut world, Some(FIRST), CheckResult::Differs);
    world.user(UserAction::HangUp);
    world.deliver();
    assert!(world.told().is_empty());
}

#[test]
fn an_old_peer_cannot_be_checked_and_that_is_no_warning() {
    let mut world = World::connected();
    for result in [CheckResult::Unsupported, CheckResult::Failed(CheckFailure::Version)] {
        checked(&mut world, None, result);
        assert_eq!((seen(&world).1, world.told()), (Trust::Unknown, vec![]), "{result:?}");
    }
}

#[test]
fn a_device_that_was_checked_is_known_at_the_next_start_and_another_one_is_told() {
    let mut world = known();
    assert_eq!(world.remembered, [bia()], "the client knows it");
    checked(&mut world, Some(FIRST), CheckResult::Remembered);
    assert_eq!(seen(&world), (TextKey::VerificationRemembered, Trust::Verified, false));
    checked(&mut world, Some(OTHER), CheckResult::Changed);
    assert_eq!(seen(&world), (TextKey::VerificationChanged, Trust::Doubtful, true));
    assert_eq!(world.told(), [TextKey::VerificationChanged]);
    confirm(&mut world, true);
    assert!(world.told().is_empty(), "the person is looking after it");
    // One that hides that it knows the check, or that breaks it off.
    for (words, result) in [(None, CheckResult::Changed), (None, CheckResult::Failed(CheckFailure::Timeout))] {
        checked(&mut world, words, result);
        assert_eq!(seen(&world), (TextKey::VerificationGone, Trust::Doubtful, false), "{result:?}");
        assert_eq!(world.told(), [TextKey::VerificationGone]);
    }
}

#[test]
fn a_person_of_the_same_name_at_another_server_is_somebody_else() {
    let mut world = World::new(AppConfig { demo: true, ..AppConfig::default() });
    let remembered = Some(kept());
    world.system(SystemAction::Started { saved: None, history: None, blocked: None, remembered, permissions: GRANTED });
    let (server, name) = ("wss://other.example.org".to_owned(), "ana".to_owned());
    world.user(UserAction::SignIn { server, name, token: None });
    world.deliver();
    assert!(world.remembered.is_empty());
    world.user(UserAction::SignOut);
    world.user(UserAction::StartDemo { name: String::new() });
    world.deliver();
    world.client(ClientNews::Remember(bia()));
    assert_eq!((world.effects.len(), world.remembered.len()), (0, 0), "nobody in the demonstration is remembered");
}

#[test]
fn nonsense_in_the_place_of_what_was_kept_is_nobody() {
    for json in ["", "{}", "[{\"server\":\"a\",\"name\":\"b\",\"secrets\":[\"zz\"]}]"] {
        let mut world = World::new(AppConfig::default());
        let (saved, remembered) = (Some(saved()), Some(json.to_owned()));
        world.system(SystemAction::Started { saved, history: None, blocked: None, remembered, permissions: GRANTED });
        world.deliver();
        assert!(world.remembered.is_empty(), "{json}");
    }
}
