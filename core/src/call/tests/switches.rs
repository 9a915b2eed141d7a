//! Networks that change before a call is connected, on one side alone, or for long; peer connections that are gone, at this end or at
//! the other one.

use super::sim::{ANA, RUI, World, answer, in_a_call, offer, offers};
use super::sim_peer::Generation;
use crate::call::{CallState, Command, ConnectionState, EndReason, MAX_REPLACEMENTS, PeerReport};
use crate::signaling::message::MediaState;

fn restarted(world: &World) -> bool {
    [ANA, RUI].iter().any(|&phone| {
        world.phones[phone].open_peers().any(|peer| peer.agreed.is_some_and(|(ours, _)| ours.restart % 1_000 > 0))
    })
}

#[test]
fn a_network_that_changes_while_it_rings_is_made_good_when_the_call_is_answered() {
    for phone in [ANA, RUI] {
        let mut world = World::of(&["ana", "rui"]);
        world.call(ANA, RUI);
        world.run(1_000);
        world.network_changes(phone);
        world.accept(RUI);
        world.run(2_000);
        world.assert_connected(ANA, RUI);
        // The callee gathers only when the call is accepted: its candidates are of the new network anyway.
        assert_eq!(restarted(&world), phone == ANA, "phone {phone}");
        assert_eq!(world.phones[RUI].rings(), 1);
    }
}

#[test]
fn a_network_that_changes_while_the_call_connects_is_made_good_whoever_called() {
    for phone in [ANA, RUI] {
        let mut world = World::of(&["ana", "rui"]);
        world.net.media = false;
        world.call(ANA, RUI);
        world.run(1_000);
        world.accept(RUI);
        world.run(500);
        assert_eq!(world.phones[ANA].state(), CallState::Connecting);
        world.network_changes(phone);
        world.run(200);
        assert!(restarted(&world), "phone {phone}");
        world.net.media = true;
        world.run(1_000);
        world.assert_connected(ANA, RUI);
    }
}

#[test]
fn the_side_that_has_lost_nothing_says_reconnecting_while_the_other_one_restarts_and_keeps_its_call() {
    let mut world = in_a_call();
    let call = world.phones[RUI].snapshot().call;
    world.network_changes(ANA);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
    let states = world.phones[RUI].states();
    assert_eq!(states[states.len() - 2..], [CallState::Reconnecting, CallState::Connected]);
    assert_eq!(world.phones[RUI].snapshot().call, call);
}

#[test]
fn a_loss_that_only_the_callee_notices_is_repaired_by_the_callee() {
    // As behind a NAT that changed the caller's mapping: the caller's checks are answered, and what is sent to it is lost.
    let mut world = in_a_call();
    world.report(RUI, PeerReport::Connection(ConnectionState::Disconnected));
    world.run(3_000);
    assert_eq!((offers(&world, ANA), offers(&world, RUI)), (1, 1));
    world.assert_connected(ANA, RUI);
}

#[test]
fn an_offer_that_was_lost_with_the_server_does_not_keep_the_one_that_comes_back_waiting() {
    let mut world = in_a_call();
    world.net.media = false;
    world.go_offline(ANA);
    world.run(4_500);
    assert_eq!((offers(&world, ANA), offers(&world, RUI)), (1, 1), "Rui restarts, and Ana does not hear of it");
    world.net.media = true;
    world.come_back(ANA, "ana");
    world.run(500);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_hole_of_half_a_minute_in_media_and_server_ends_no_call() {
    let mut world = in_a_call();
    world.net.media = false;
    world.go_offline(ANA);
    world.go_offline(RUI);
    world.run(30_000);
    world.net.media = true;
    world.come_back(RUI, "rui");
    world.come_back(ANA, "ana");
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_restart_whose_messages_are_lost_is_tried_again_ever_later() {
    let mut world = in_a_call();
    world.net.media = false;
    world.net.lost = 100;
    world.run(2_800);
    assert_eq!(offers(&world, ANA), 2);
    world.run(2_000);
    assert_eq!(offers(&world, ANA), 3);
    world.run(2_000);
    assert_eq!(offers(&world, ANA), 3, "the second one has more time");
    world.run(1_100);
    assert_eq!(offers(&world, ANA), 4);
    world.net.lost = 0;
    world.net.media = true;
    world.run(6_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn a_peer_connection_that_died_is_replaced_within_the_call_at_both_ends() {
    for phone in [ANA, RUI] {
        let mut world = in_a_call();
        let calls = [ANA, RUI].map(|phone| world.phones[phone].snapshot().call);
        world.kill_peer(phone);
        assert_eq!(world.phones[phone].state(), CallState::Reconnecting, "not silence");
        world.run(5_000);
        world.assert_connected(ANA, RUI);
        assert_eq!([ANA, RUI].map(|phone| world.phones[phone].snapshot().call), calls);
        assert_eq!([ANA, RUI].map(|phone| world.phones[phone].peers.len()), [2, 2]);
        world.hang_up(phone);
        world.run(1_000);
        world.assert_all_idle();
    }
}

#[test]
fn both_peer_connections_may_die_at_once() {
    let mut world = in_a_call();
    world.kill_peer(ANA);
    world.kill_peer(RUI);
    world.run(10_000);
    world.assert_connected(ANA, RUI);
}

/// Ana in a call with somebody whose answers are given by hand, after a restart that waits for one.
fn restarting_with_rui() -> (World, impl Fn(u64, u64) -> String) {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.command(ANA, Command::Call { to: "rui".into(), media: MediaState::default() }).unwrap();
    world.run(100);
    let call = world.phones[ANA].snapshot().call;
    let rui = |connection, version| Generation { connection, restart: 0 }.sdp(version);
    world.tell(ANA, answer("rui", &rui(700, 1), call));
    world.run(100);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    world.report(ANA, PeerReport::Connection(ConnectionState::Disconnected));
    world.run(600);
    assert_eq!(offers(&world, ANA), 2);
    (world, rui)
}

#[test]
fn who_answers_a_restart_as_somebody_new_is_offered_a_new_peer_connection_in_the_same_call() {
    let (mut world, rui) = restarting_with_rui();
    let call = world.phones[ANA].snapshot().call;
    world.tell(ANA, answer("rui", &rui(701, 1), call));
    world.run(100);
    assert_eq!(offers(&world, ANA), 3);
    assert_eq!(world.phones[ANA].peers.len(), 2);
    world.tell(ANA, answer("rui", &rui(701, 2), call));
    world.run(100);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
    assert_eq!(world.phones[ANA].snapshot().call, call);
    assert_eq!(world.phones[ANA].peers.len(), 2, "and no third one");
}

#[test]
fn who_offers_in_the_call_as_somebody_new_is_answered_on_a_new_peer_connection() {
    let (mut world, rui) = restarting_with_rui();
    let call = world.phones[ANA].snapshot().call;
    world.tell(ANA, answer("rui", &rui(700, 2), call));
    world.run(100);
    world.tell(ANA, offer("rui", &rui(701, 1), call));
    world.run(100);
    assert_eq!(world.phones[ANA].peers.len(), 2);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.agreed.is_some_and(|(_, theirs)| theirs.connection == 701)));
}

/// Sound and video on these ports, of which those of the group share a transport.
fn bundle(group: &str, [audio, video]: [u16; 2]) -> String {
    let section = |kind, port, mid| format!("m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n");
    format!("a=group:BUNDLE{group}\r\n{}{}", section("audio", audio, 0), section("video", video, 1))
}

#[test]
fn who_stops_that_section_in_an_answer_is_offered_a_new_peer_connection() {
    let (mut world, rui) = restarting_with_rui();
    let call = world.phones[ANA].snapshot().call;
    let rui = |version, group: &str, ports| rui(700, version) + &bundle(group, ports);
    world.tell(ANA, answer("rui", &rui(2, " 0 1", [9, 9]), call));
    world.run(100);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    for (version, group, ports, peers) in [(3, " 0", [9, 0], 1), (4, " 1", [0, 9], 2)] {
        let before = offers(&world, ANA);
        world.report(ANA, PeerReport::Connection(ConnectionState::Disconnected));
        world.run(600);
        assert_eq!(offers(&world, ANA), before + 1);
        world.tell(ANA, answer("rui", &rui(version, group, ports), call));
        world.run(100);
        assert_eq!(world.phones[ANA].peers.len(), peers);
        world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    }
    assert_eq!(world.phones[ANA].snapshot().call, call);
}

#[test]
fn who_stops_the_section_that_its_transport_belongs_to_is_answered_on_a_new_peer_connection() {
    let (mut world, rui) = restarting_with_rui();
    let call = world.phones[ANA].snapshot().call;
    let rui = |version, group: &str, ports| rui(700, version) + &bundle(group, ports);
    world.tell(ANA, answer("rui", &rui(2, " 0 1", [9, 9]), call));
    world.run(100);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    world.tell(ANA, offer("rui", &rui(3, " 0", [9, 0]), call));
    world.run(100);
    world.tell(ANA, offer("rui", &rui(4, "", [0, 0]), call));
    world.run(100);
    assert_eq!(world.phones[ANA].peers.len(), 1, "another section is stopped, then all");
    world.tell(ANA, offer("rui", &rui(5, " 1", [0, 9]), call));
    world.run(100);
    assert_eq!(world.phones[ANA].peers.len(), 2);
    assert_eq!(world.phones[ANA].state(), CallState::Reconnecting);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
    assert_eq!(world.phones[ANA].snapshot().call, call);
    world.tell(ANA, offer("rui", &rui(6, " 1", [0, 9]), call));
    world.run(100);
    assert_eq!(world.phones[ANA].peers.len(), 2, "it belongs to the other one from now on");
}

#[test]
fn who_is_somebody_new_again_and_again_loses_the_call() {
    let (mut world, rui) = restarting_with_rui();
    let call = world.phones[ANA].snapshot().call;
    for connection in 701..=(702 + u64::from(MAX_REPLACEMENTS)) {
        world.tell(ANA, answer("rui", &rui(700, connection), call));
        world.run(100);
        world.tell(ANA, offer("rui", &rui(connection, 1), call));
        world.run(100);
    }
    assert_eq!(world.phones[ANA].ends(), [EndReason::ConnectionFailed]);
    assert!(world.phones[ANA].peers.len() <= 1 + MAX_REPLACEMENTS as usize);
    world.assert_all_idle();
}

#[test]
fn who_makes_a_transport_with_the_old_ice_credentials_is_answered_with_the_old_ones() {
    for (user, keeps) in [("a=ice-ufrag:u\r\n", true), ("a=ice-ufrag:v\r\n", false), ("", false)] {
        let (mut world, rui) = restarting_with_rui();
        let call = world.phones[ANA].snapshot().call;
        let rui = |version, user: &str, ports, group| rui(700, version) + user + &bundle(group, ports);
        world.tell(ANA, answer("rui", &rui(2, "a=ice-ufrag:u\r\n", [9, 9], " 0 1"), call));
        world.run(100);
        world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
        world.tell(ANA, offer("rui", &rui(3, user, [0, 9], " 1"), call));
        world.run(100);
        assert_eq!(world.phones[ANA].peers.len(), 2);
        let kept = kept_ice(&world);
        assert_eq!(kept.map(|generation| generation.restart), keeps.then_some(1), "{user}");
    }
}

/// Whose ICE credentials Ana's newest connection was made with.
fn kept_ice(world: &World) -> Option<Generation> {
    world.phones[ANA].open_peers().find_map(|peer| peer.keeps_ice)
}

#[test]
fn the_old_ice_credentials_are_those_that_both_have_agreed_on_and_not_of_an_offer_that_was_given_up() {
    let (mut world, rui) = restarting_with_rui();
    let call = world.phones[ANA].snapshot().call;
    let rui = |version, ports, group| rui(700, version) + "a=ice-ufrag:u\r\n" + &bundle(group, ports);
    world.tell(ANA, answer("rui", &rui(2, [9, 9], " 0 1"), call));
    world.run(100);
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    world.report(ANA, PeerReport::Connection(ConnectionState::Disconnected));
    world.run(600);
    assert_eq!(offers(&world, ANA), 3, "a second restart, which nobody answers");
    world.tell(ANA, offer("rui", &rui(3, [0, 9], " 1"), call));
    world.run(100);
    assert_eq!(kept_ice(&world).map(|generation| generation.restart), Some(1));
}
