//! Logging in, people and chat, and what is told of them.

use super::{call, network, saved};
use crate::app::tests::World;
use crate::app::tests::world::{GRANTED, ME, PEER};
use crate::app::{
    AppConfig, CallPhase, ClientCommand, ClientNews, CommandKind, Effect, Failure, Field, PermissionStatus,
    Permissions, PhotoOutcome, Recovery, SavedSignIn, Screen, SettingsPage, SystemAction, Tab, TextKey, UserAction,
};
use crate::call::EndReason;
use crate::signaling::session::MAX_BLOCKED;
use std::time::Duration;

#[test]
fn who_logged_in_once_stays_so_until_the_logout() {
    let mut world = World::new(AppConfig::default());
    world.sign_in();
    assert!(world.app.state().sign_in.busy);
    world.deliver();
    assert!(world.effects.contains(&Effect::SaveSignIn(saved())));

    let mut next = World::new(AppConfig::default());
    next.system(SystemAction::Started {
        saved: Some(saved()),
        history: None,
        blocked: None,
        remembered: None,
        permissions: GRANTED,
    });
    next.deliver();
    assert_eq!((next.app.state().screen, next.app.state().me.as_deref()), (Screen::Home, Some(ME)));
    next.user(UserAction::SignOut);
    assert!(next.effects.contains(&Effect::SaveSignIn(SavedSignIn { stay: false, ..saved() })));
    assert_eq!(next.app.state().sign_in.name, ME, "the name is there for the next time");
}

#[test]
fn a_login_that_fails_says_why_and_can_be_tried_again() {
    let mut world = World::new(AppConfig::default());
    world.fails = Some(Failure::Unreachable);
    world.sign_in();
    world.deliver();
    assert_eq!(world.told(), [TextKey::LoginUnreachable]);
    world.recover(TextKey::LoginUnreachable, Recovery::TryAgain);
    world.deliver();
    assert_eq!((world.app.state().screen, world.told()), (Screen::Home, vec![]));
}

#[test]
fn a_saved_login_that_found_no_server_is_tried_again_on_another_network() {
    let mut world = World::new(AppConfig::default());
    world.system(network("wifi", false));
    world.fails = Some(Failure::Unreachable);
    world.system(SystemAction::Started {
        saved: Some(saved()),
        history: None,
        blocked: None,
        remembered: None,
        permissions: GRANTED,
    });
    world.deliver();
    assert_eq!(world.told(), [TextKey::LoginUnreachable]);
    world.system(network("mobile", true));
    world.deliver();
    assert_eq!(world.app.state().screen, Screen::Home);
}

#[test]
fn a_name_that_is_none_is_told_without_asking_the_server() {
    let mut world = World::new(AppConfig::default());
    world.user(UserAction::SignIn { server: "a".to_owned(), name: " ".to_owned(), token: None });
    assert_eq!((world.told(), world.commands().len()), (vec![TextKey::LoginBadName], 0));
    world.recover(TextKey::LoginBadName, Recovery::ChangeName);
    assert_eq!(world.effects, [Effect::Focus(Field::Name)]);
}

#[test]
fn a_logout_while_logging_in_leaves_nothing_behind() {
    let mut world = World::new(AppConfig::default());
    world.sign_in();
    let late = world.news.clone();
    world.user(UserAction::SignOut);
    world.news = late;
    world.deliver();
    assert_eq!(world.app.state().screen, Screen::SignIn, "news of a session that was left");
}

#[test]
fn the_demonstration_needs_no_permission() {
    let mut world = World::new(AppConfig { demo: true, ..AppConfig::default() });
    world.system(SystemAction::PermissionsChanged(Permissions::default()));
    world.user(UserAction::StartDemo { name: String::new() });
    world.deliver();
    assert!(world.app.state().demo);
    call(&mut world, true);
    world.deliver();
    assert_eq!((world.phase(), world.question), (Some(CallPhase::Calling), None));
}

#[test]
fn a_lost_server_is_told_and_its_return_for_a_moment() {
    let mut world = World::connected();
    world.client(ClientNews::Reconnecting);
    assert_eq!(world.told(), [TextKey::ServerLostInCall]);
    world.ends(EndReason::HungUpRemotely);
    world.deliver();
    assert_eq!(world.told(), [TextKey::ServerLost, TextKey::EndHungUpThere]);
    world.client(ClientNews::LoggedIn { name: ME.to_owned(), push: None });
    assert_eq!(world.told(), [TextKey::ServerBack, TextKey::EndHungUpThere]);
    world.wait(Duration::from_secs(5));
    assert_eq!(world.told(), [TextKey::EndHungUpThere]);
}

#[test]
fn people_are_searched_in_any_case_and_the_list_says_why_it_is_empty() {
    let mut world = World::online();
    world.user(UserAction::Search(" BI".to_owned()));
    assert_eq!(world.app.state().people.people[0].name, PEER);
    world.user(UserAction::Search("x".to_owned()));
    assert_eq!(world.app.state().people.empty.as_ref().unwrap().key, TextKey::PeopleNoMatch);
    world.client(ClientNews::Users(vec![ME.to_owned()]));
    assert_eq!(world.app.state().people.empty.as_ref().unwrap().key, TextKey::PeopleNobody);
}

#[test]
fn people_who_are_away_stand_behind_those_who_are_here_and_their_devices_are_rung() {
    let mut world = World::online();
    world.client(ClientNews::Away(vec!["rui".to_owned()]));
    let people = world.app.state().people.people.clone();
    let rows: Vec<_> = people.iter().map(|person| (person.name.as_str(), person.away)).collect();
    assert_eq!(rows, [(PEER, false), ("rui", true)]);
    world.user(UserAction::SignOut);
    assert!(world.app.state().people.people.is_empty());
}

#[test]
fn chat_that_nobody_looked_at_is_counted_and_ones_own_is_not() {
    let mut world = World::online();
    for from in [PEER, ME] {
        world.client(ClientNews::Chat { from: Some(from.to_owned()), text: "oi".to_owned(), sent_ms: 1 });
    }
    assert_eq!(world.app.state().unread_chat, 1);
    world.user(UserAction::ShowTab(Tab::Chat));
    assert_eq!(world.app.state().unread_chat, 0);
}

#[test]
fn who_can_be_called_is_asked_what_a_locked_screen_cannot_ask_and_told_what_is_missing() {
    let mut world = World::new(AppConfig::default());
    world.system(SystemAction::PermissionsChanged(Permissions {
        microphone: PermissionStatus::Undecided,
        notifications: PermissionStatus::Undecided,
        ..GRANTED
    }));
    world.sign_in();
    world.deliver();
    world.answer(Permissions { notifications: PermissionStatus::Denied, ..GRANTED });
    assert_eq!(world.told(), [TextKey::ErrorNoNotificationPermission]);
    let mut other = World::new(AppConfig::default());
    other.system(SystemAction::PermissionsChanged(Permissions {
        full_screen_intent: PermissionStatus::Denied,
        ..GRANTED
    }));
    other.sign_in();
    other.deliver();
    other.recover(TextKey::ErrorNoFullScreenPermission, Recovery::OpenSettings);
    assert_eq!(other.effects, [Effect::OpenSettings(SettingsPage::FullScreenIntent)]);
}

#[test]
fn where_the_system_rings_nobody_is_told_that_calls_need_notifications() {
    let mut world = World::new(AppConfig { system_rings: true, ..AppConfig::default() });
    world.system(SystemAction::PermissionsChanged(Permissions { notifications: PermissionStatus::Denied, ..GRANTED }));
    world.sign_in();
    world.deliver();
    assert_eq!(world.told(), []);
}

#[test]
fn a_photo_says_what_became_of_it() {
    let mut world = World::connected();
    world.user(UserAction::TakePhoto);
    assert!(matches!(world.commands()[..], [ClientCommand::TakePhoto(_)]));
    world.client(ClientNews::PhotoTaken(vec![1]));
    assert_eq!(world.effects, [Effect::SavePhoto(vec![1])]);
    world.system(SystemAction::PhotoSaved(PhotoOutcome::Saved));
    assert_eq!(world.told(), [TextKey::PhotoTaken]);
    world.client(ClientNews::CommandFailed { command: CommandKind::TakePhoto, why: Failure::NoPicture });
    assert_eq!(world.told(), [TextKey::PhotoFailed]);
}

#[test]
fn where_there_is_no_other_camera_the_button_goes() {
    let mut world = World::connected();
    assert!(world.app.state().call.as_ref().unwrap().can_flip);
    world.client(ClientNews::CommandFailed { command: CommandKind::FlipCamera, why: Failure::Overconstrained });
    assert!(!world.app.state().call.as_ref().unwrap().can_flip);
    assert_eq!(world.told(), [TextKey::MediaFlipFailed]);
}

#[test]
fn what_is_declined_leads_to_the_chat() {
    let mut world = World::online();
    call(&mut world, true);
    world.deliver();
    world.ends(EndReason::DeclinedRemotely);
    world.deliver();
    world.recover(TextKey::EndDeclinedThere, Recovery::Write);
    assert_eq!((world.app.state().tab, world.effects.clone()), (Tab::Chat, vec![Effect::Focus(Field::Chat)]));
}

#[test]
fn who_is_blocked_stays_so_at_the_next_start_and_is_refused_while_it_rings() {
    let mut world = World::online();
    world.user(UserAction::SetBlocked { name: PEER.to_owned(), block: true });
    let blocked = ClientCommand::SetBlocked { name: PEER.to_owned(), block: true };
    assert_eq!(world.commands(), [&blocked]);
    assert!(world.app.state().people.people[0].blocked);
    let kept = world.effects.iter().find_map(|effect| match effect {
        Effect::SaveBlocked(json) => Some(json.clone()),
        _ => None,
    });
    world.user(UserAction::SetBlocked { name: PEER.to_owned(), block: true });
    assert_eq!(world.effects, [], "once is enough");

    let mut next = World::new(AppConfig::default());
    next.system(SystemAction::Started {
        saved: Some(saved()),
        history: None,
        blocked: kept,
        remembered: None,
        permissions: GRANTED,
    });
    next.deliver();
    assert!(next.blocked.contains(PEER));
    next.user(UserAction::SetBlocked { name: PEER.to_owned(), block: false });
    assert!(next.blocked.is_empty());

    let mut world = World::ringing();
    world.user(UserAction::SetBlocked { name: PEER.to_owned(), block: true });
    assert!(world.commands().iter().any(|command| matches!(command, ClientCommand::Decline(_))));
}

#[test]
fn who_has_blocked_as_many_as_can_be_kept_is_told_and_can_unblock() {
    let mut world = World::online();
    for n in 0..MAX_BLOCKED {
        world.user(UserAction::SetBlocked { name: format!("stranger {n}"), block: true });
    }
    world.user(UserAction::SetBlocked { name: "stranger 0".to_owned(), block: true });
    assert!(!world.told().contains(&TextKey::PeopleBlockedFull), "that one is blocked already");
    world.user(UserAction::SetBlocked { name: PEER.to_owned(), block: true });
    assert!(world.told().contains(&TextKey::PeopleBlockedFull));
    assert!(!world.app.state().people.people[0].blocked);
    world.user(UserAction::SetBlocked { name: "stranger 0".to_owned(), block: false });
    assert_eq!(world.told(), [], "there is room again");
    world.user(UserAction::SetBlocked { name: PEER.to_owned(), block: true });
    assert!(world.app.state().people.people[0].blocked);
}
