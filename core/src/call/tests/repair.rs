//! Media is lost and comes back, the server is lost and comes back, names change.

use super::sim::{ANA, Network, RUI, World, answer, in_a_call, offers};
use super::sim_peer::Generation;
use crate::call::{CallEvent, CallState, CandidateTypes, Command, ConnectionState, EndReason, PathSearch, PeerReport};
use crate::facing::FacingMode;
use crate::signaling::message::{MediaState, Message};

#[test]
fn a_short_loss_of_media_mends_itself_without_a_restart() {
    let mut world = in_a_call();
    world.net.media = false;
    world.run(2_300);
    assert_eq!(world.phones[ANA].state(), CallState::Reconnecting);
    world.net.media = true;
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert_eq!((offers(&world, ANA), offers(&world, RUI)), (1, 0));
}

#[test]
fn a_longer_loss_is_repaired_by_an_ice_restart_of_the_side_that_called() {
    let mut world = in_a_call();
    world.net.media = false;
    world.run(4_000);
    assert_eq!((offers(&world, ANA), offers(&world, RUI)), (2, 0));
    world.net.media = true;
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.agreed.is_some_and(|(ours, _)| ours.restart == 1)));
    world.run(60_000);
    assert_eq!(offers(&world, ANA), 2, "and no more once it is good");
}

#[test]
fn a_loss_that_nothing_repairs_ends_the_call_at_both_ends() {
    let mut world = in_a_call();
    world.net.media = false;
    world.run(70_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::ConnectionFailed]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::ConnectionFailed]);
    let tried = offers(&world, ANA) + offers(&world, RUI) - 1;
    assert!((8..=20).contains(&tried), "restarted {tried} times");
    world.assert_all_idle();
}

#[test]
fn an_accepted_call_that_never_connects_ends() {
    let mut world = World::of(&["ana", "rui"]);
    world.net.media = false;
    world.call(ANA, RUI);
    world.run(1_000);
    world.accept(RUI);
    world.run(31_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::NoPath]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::NoPath]);
    world.assert_all_idle();
}

#[test]
fn losing_the_server_alone_ends_nothing_and_what_changed_meanwhile_is_told_afterwards() {
    let mut world = in_a_call();
    world.go_offline(ANA);
    world.go_offline(RUI);
    world.command(ANA, Command::SetFacing(FacingMode::Environment)).unwrap();
    world.run(120_000);
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
    world.come_back(RUI, "rui");
    world.come_back(ANA, "ana");
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert_eq!(world.phones[RUI].snapshot().remote.facing, Some(FacingMode::Environment));
}

#[test]
fn with_media_and_server_both_gone_the_restart_comes_when_the_server_does() {
    let mut world = in_a_call();
    world.net.media = false;
    world.go_offline(ANA);
    world.go_offline(RUI);
    world.run(17_000);
    assert_eq!(offers(&world, ANA), 1, "there is nobody to tell");
    world.net.media = true;
    world.come_back(RUI, "rui");
    world.come_back(ANA, "ana");
    world.run(1_000);
    assert_eq!(offers(&world, ANA), 2);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_new_network_gets_an_ice_restart_at_once_whoever_called() {
    for (phone, name, restarts) in [(ANA, "ana", (2, 0)), (RUI, "rui", (1, 1))] {
        let mut world = in_a_call();
        world.network_changes(phone);
        world.run(1_000);
        assert_eq!((offers(&world, ANA), offers(&world, RUI)), restarts, "{name} moved");
        world.assert_connected(ANA, RUI);
        world.run(60_000);
        assert_eq!((offers(&world, ANA), offers(&world, RUI)), restarts, "{name} moved once, and once is enough");
    }
}

#[test]
fn a_callee_whose_network_changed_repairs_the_call_without_waiting_for_the_caller() {
    let mut world = in_a_call();
    world.net.media = false;
    world.run(2_200);
    assert_eq!(world.phones[RUI].state(), CallState::Reconnecting);
    world.network_changes(RUI);
    world.net.media = true;
    world.run(1_000);
    assert_eq!(offers(&world, RUI), 1);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_new_network_outside_a_call_changes_nothing() {
    let mut world = World::of(&["ana", "rui"]);
    world.network_changes(ANA);
    world.connect(ANA, RUI);
    world.run(60_000);
    assert_eq!((offers(&world, ANA), offers(&world, RUI)), (1, 0));
}

#[test]
fn a_peer_that_has_hung_up_unheard_says_so_to_the_next_restart() {
    let mut world = in_a_call();
    world.net.lost = 100;
    world.hang_up(RUI);
    world.run(500);
    world.net.lost = 0;
    world.run(6_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::HungUpRemotely], "long before the repair is given up");
    world.assert_all_idle();
}

#[test]
fn an_offer_that_was_lost_with_the_connection_is_sent_again() {
    let mut world = World::of(&["ana", "rui"]);
    world.net.lost = 100;
    world.call(ANA, RUI);
    world.run(1_000);
    world.net.lost = 0;
    world.go_offline(ANA);
    world.run(3_000);
    world.come_back(ANA, "ana");
    world.run(1_000);
    assert_eq!(world.phones[ANA].state(), CallState::RingingRemotely);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn an_offer_that_waits_for_the_server_is_not_sent_twice() {
    let mut world = World::of(&["ana", "rui"]);
    world.call(ANA, RUI);
    world.go_offline(ANA);
    world.run(1_000);
    world.come_back(ANA, "ana");
    world.run(1_000);
    assert_eq!(offers(&world, ANA), 1);
    assert_eq!(world.phones[RUI].rings(), 1);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn an_answer_that_was_lost_with_either_connection_is_given_again() {
    for loser in [ANA, RUI] {
        let mut world = World::of(&["ana", "rui"]);
        world.call(ANA, RUI);
        world.run(1_000);
        world.accept(RUI);
        world.net.lost = 100;
        world.run(1_000);
        world.net.lost = 0;
        assert_eq!(world.phones[ANA].state(), CallState::RingingRemotely);
        world.go_offline(loser);
        world.run(3_000);
        world.come_back(loser, if loser == ANA { "ana" } else { "rui" });
        world.run(1_000);
        world.assert_connected(ANA, RUI);
        assert!(world.phones[RUI].open_peers().all(|peer| peer.rollbacks == 0));
    }
}

#[test]
fn a_caller_who_leaves_the_list_and_comes_back_rings_again() {
    let mut world = World::of(&["ana", "rui"]);
    world.call(ANA, RUI);
    world.run(1_000);
    world.go_offline(ANA);
    let now = world.time();
    world.phones[RUI].engine.users(now, &["rui".into()]);
    world.pump(RUI);
    assert_eq!(world.phones[RUI].ends(), [EndReason::CancelledRemotely]);
    world.come_back(ANA, "ana");
    world.run(1_000);
    assert_eq!(world.phones[RUI].state(), CallState::RingingLocally);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_connected_peer_who_leaves_the_user_list_stays_in_the_call() {
    let mut world = in_a_call();
    let now = world.time();
    world.phones[ANA].engine.users(now, &["ana".into()]);
    world.pump(ANA);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn who_comes_back_to_the_user_list_hears_again_what_is_on_here() {
    let mut world = in_a_call();
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let told = |world: &World| world.phones[ANA].kinds_sent().iter().filter(|kind| **kind == "media-state").count();
    let now = world.time();
    // What is said while the other side is away from the server is refused there, and nobody repeats it for us.
    world.phones[ANA].engine.users(now, &list(&["ana"]));
    world.command(ANA, Command::SetMicrophone(false)).unwrap();
    let before = told(&world);
    world.phones[ANA].engine.users(now, &list(&["ana", "rui"]));
    world.pump(ANA);
    assert_eq!(told(&world), before + 1);
    world.phones[ANA].engine.users(now, &list(&["ana", "eva", "rui"]));
    world.pump(ANA);
    assert_eq!(told(&world), before + 1, "once is enough");
}

#[test]
fn a_hang_up_that_was_said_while_the_other_side_was_away_is_said_again_when_it_is_back() {
    let mut world = in_a_call();
    world.go_offline(RUI);
    world.command(ANA, Command::HangUp).unwrap();
    world.run(100);
    assert_eq!(world.phones[RUI].state(), CallState::Connected, "nobody told");
    world.come_back(RUI, "rui");
    world.run(1_000);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely]);
    world.assert_all_idle();
}

#[test]
fn a_new_name_in_the_call_is_learnt_and_both_still_reach_each_other() {
    let mut world = in_a_call();
    // An old server gives a second name to whoever comes back while the first still seems to be there.
    world.go_offline(ANA);
    world.come_back(ANA, "zoe");
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    assert_eq!(world.phones[RUI].snapshot().with.as_deref(), Some("zoe"));
    world.net.media = false;
    world.run(5_000);
    world.net.media = true;
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    world.hang_up(ANA);
    world.run(1_000);
    assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely]);
    world.assert_all_idle();
}

#[test]
fn a_new_name_while_it_rings_is_learnt_by_the_caller() {
    let mut world = World::of(&["ana", "rui"]);
    world.call(ANA, RUI);
    world.run(1_000);
    let now = world.time();
    world.phones[RUI].name = "rui2".into();
    world.phones[RUI].engine.logged_in(now, "rui2");
    world.pump(RUI);
    world.run(100);
    world.tell_users();
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_late_answer_to_a_restart_that_was_replaced_is_made_good_by_another_at_once() {
    // Rui's answers are given by hand: both restarts reach rui late, and both are answered.
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.command(ANA, Command::Call { to: "rui".into(), media: MediaState::default() }).unwrap();
    world.run(100);
    let call = world.phones[ANA].snapshot().call;
    let rui = |restart| Generation { connection: 700, restart };
    world.tell(ANA, answer("rui", &rui(0).sdp(1), call));
    world.run(100);
    for state in [ConnectionState::Connected, ConnectionState::Disconnected] {
        world.report(ANA, PeerReport::Connection(state));
    }
    world.run(2_700);
    assert_eq!(offers(&world, ANA), 3, "the first restart was not answered in time");
    world.tell(ANA, answer("rui", &rui(1).sdp(2), call));
    world.tell(ANA, answer("rui", &rui(2).sdp(3), call));
    world.run(100);
    assert_eq!(offers(&world, ANA), 4);
    world.tell(ANA, answer("rui", &rui(3).sdp(4), call));
    world.run(100);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.agreed.is_some_and(|(_, theirs)| theirs == rui(3))));
}

#[test]
fn an_answer_that_comes_twice_is_taken_once() {
    let mut world = World::of(&["ana", "rui"]);
    world.net = Network { twice: 100, ..Network::GOOD };
    world.call(ANA, RUI);
    world.run(1_000);
    world.accept(RUI);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    world.net.media = false;
    world.run(5_000);
    world.net.media = true;
    world.run(2_000);
    world.assert_connected(ANA, RUI);
    assert_eq!(world.phones[ANA].ends().len() + world.phones[RUI].ends().len(), 0);
    assert!(world.phones[RUI].kinds_sent().contains(&"video-answer"));
    assert!(world.phones[RUI].sent.iter().all(|message| !matches!(message, Message::HangUp(_))));
}

#[test]
fn a_restart_that_waited_for_its_turn_is_dropped_when_the_connection_is_back() {
    let mut world = World::of(&["zoe"]);
    world.pages = vec!["rui"];
    world.command(ANA, Command::Call { to: "rui".into(), media: MediaState::default() }).unwrap();
    world.run(100);
    let call = world.phones[ANA].snapshot().call;
    let rui = Generation { connection: 700, restart: 0 };
    world.tell(ANA, answer("rui", &rui.sdp(1), call));
    world.run(100);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    world.tell(ANA, super::sim::offer("rui", &rui.sdp(2), call));
    world.report(ANA, PeerReport::Connection(ConnectionState::Failed));
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    world.run(60_000);
    assert_eq!(offers(&world, ANA), 1);
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
}

#[test]
fn a_call_that_finds_no_path_says_why_and_ends_with_that_when_nothing_more_is_to_be_hoped_for() {
    let mut world = World::of(&["ana", "rui"]);
    world.net.media = false;
    world.call(ANA, RUI);
    world.run(1_000);
    world.accept(RUI);
    world.run(500);
    let host = CandidateTypes { host: true, ..CandidateTypes::default() };
    let search = PathSearch { local: host, remote: host, ..PathSearch::default() };
    for _ in 0..2 {
        world.report(ANA, PeerReport::NoPath(search));
    }
    let told = |world: &World| world.phones[ANA].heard.iter().filter(|e| matches!(e, CallEvent::NoPathYet(_))).count();
    assert_eq!(told(&world), 1, "the same is told once");
    assert_eq!(world.phones[ANA].heard.last(), Some(&CallEvent::NoPathYet(search)));
    world.report(ANA, PeerReport::NoPath(PathSearch { is_over: true, ..search }));
    world.run(1_000);
    assert_eq!(world.phones[ANA].ends(), [EndReason::NoPath]);
    assert_eq!(world.phones[RUI].ends(), [EndReason::NoPath]);
    world.assert_all_idle();
}

#[test]
fn a_search_for_another_path_ends_no_call_that_was_connected() {
    let mut world = in_a_call();
    world.report(ANA, PeerReport::Connection(ConnectionState::Disconnected));
    world.report(ANA, PeerReport::NoPath(PathSearch { is_over: true, ..PathSearch::default() }));
    assert_eq!(world.phones[ANA].state(), CallState::Reconnecting);
}
