//! Both call each other, or both offer at once.

use super::sim::{ANA, Network, RUI, World, cases, offer};
use super::sim_peer::Generation;
use crate::call::{CallState, EndReason, is_polite};
use crate::signaling::message::Message;
use proptest::prelude::*;

fn ana_and_rui() -> World {
    World::of(&["ana", "rui"])
}

#[test]
fn the_smaller_name_in_bytes_is_polite_and_never_both_are() {
    for (one, other) in [("ana", "rui"), ("Z", "a"), ("a", "aa"), ("z", "é"), ("\u{ffff}", "\u{10000}")] {
        assert!(is_polite(one, other) && !is_polite(other, one), "{one} {other}");
    }
}

#[test]
fn two_who_call_each_other_at_once_are_in_one_call_without_any_ringing() {
    for first in [ANA, RUI] {
        let mut world = ana_and_rui();
        world.net.wire = 100;
        world.call(first, 1 - first);
        world.run(5);
        world.call(1 - first, first);
        world.run(2_000);
        world.assert_connected(ANA, RUI);
        for phone in &world.phones {
            assert!(phone.kinds_sent().contains(&"video-offer"), "both had called");
            assert_eq!(phone.rings(), 0, "{}", phone.name);
            assert_eq!(phone.ends(), [], "{}", phone.name);
        }
        for phone in &world.phones {
            assert_eq!(
                phone.snapshot().call,
                phone.heard.iter().find_map(first_call),
                "the app of {} knows one call",
                phone.name
            );
        }
        let impolite = world.phones[RUI].heard.iter().find_map(first_call);
        assert_eq!(world.phones[ANA].engine.call_in_messages(), impolite, "the call of the impolite one");
        world.hang_up(ANA);
        world.run(1_000);
        assert_eq!(world.phones[RUI].ends(), [EndReason::HungUpRemotely]);
        assert!(world.phones.iter().all(|phone| phone.state() == CallState::Idle));
    }
}

fn first_call(event: &crate::call::CallEvent) -> Option<crate::signaling::message::CallId> {
    match event {
        crate::call::CallEvent::Changed(now) => now.call,
        _ => None,
    }
}

#[test]
fn a_call_that_is_not_sent_yet_gives_way_to_the_one_that_comes() {
    for (early, late) in [(ANA, RUI), (RUI, ANA)] {
        let mut world = ana_and_rui();
        world.call(early, late);
        world.run(15);
        // The other person's offer takes long to be made.
        world.net.delay = 1_000_000;
        world.call(late, early);
        world.net.delay = 20;
        world.run(3_000);
        world.assert_connected(early, late);
        assert_eq!(world.phones[late].kinds_sent().iter().filter(|kind| **kind == "video-offer").count(), 0);
    }
}

#[test]
fn the_offer_of_the_call_that_gave_way_disturbs_no_more_when_it_comes_again() {
    let mut world = ana_and_rui();
    world.net.wire = 100;
    world.call(ANA, RUI);
    world.call(RUI, ANA);
    world.run(2_000);
    world.assert_connected(ANA, RUI);
    let mut late = world.phones[ANA].sent.iter().find(|message| message.kind() == "video-offer").unwrap().clone();
    if let Message::VideoOffer(description) = &mut late {
        description.name = Some("ana".into());
    }
    world.tell(RUI, late);
    world.run(1_000);
    world.assert_connected(ANA, RUI);
}

#[test]
fn an_impolite_offer_that_was_lost_is_sent_again_when_the_polite_one_asks_again() {
    let mut lost = ana_and_rui();
    lost.call(RUI, ANA);
    lost.net.lost = 100;
    lost.run(1_000);
    lost.net.lost = 0;
    lost.call(ANA, RUI);
    lost.run(1_000);
    assert_eq!(lost.phones[ANA].state(), CallState::Calling, "rui ignores the offer, and ana has none of rui's");
    lost.go_offline(ANA);
    lost.come_back(ANA, "ana");
    lost.run(2_000);
    lost.assert_connected(ANA, RUI);
}

#[test]
fn somebody_who_rang_and_calls_instead_has_lost_our_call_and_is_answered() {
    // Rui is impolite, and would ignore the offer if both had only called at once.
    let mut world = ana_and_rui();
    world.call(RUI, ANA);
    world.run(1_000);
    assert_eq!(world.phones[RUI].state(), CallState::RingingRemotely);
    world.phones[ANA] = World::of(&["nobody", "x", "ana"]).phones.remove(2);
    world.phones[ANA].name = "ana".into();
    world.call(ANA, RUI);
    world.run(2_000);
    world.assert_connected(ANA, RUI);
}

/// The other side renegotiates as perfect negotiation allows, by hand, while an ICE restart of ours is being made or is out.
fn collide(polite: bool, while_made: bool) -> World {
    let mut world = World::of(&[if polite { "ana" } else { "zoe" }]);
    world.pages = vec!["rui"];
    world.command(0, crate::call::Command::Call { to: "rui".into(), media: Default::default() }).unwrap();
    world.run(100);
    let call = world.phones[0].snapshot().call;
    let page = Generation { connection: 500, restart: 0 };
    world.tell(0, super::sim::answer("rui", &page.sdp(1), call));
    world.run(100);
    for state in [crate::call::ConnectionState::Connected, crate::call::ConnectionState::Failed] {
        world.report(0, crate::call::PeerReport::Connection(state));
    }
    if !while_made {
        world.run(100);
    }
    world.to_pages.clear();
    world.tell(0, offer("rui", &page.sdp(2), call));
    world.tell(0, offer("rui", &page.sdp(3), call));
    world.run(100);
    world
}

fn kinds(world: &World) -> Vec<&str> {
    world.to_pages.iter().map(Message::kind).filter(|kind| kind.starts_with("video")).collect()
}

#[test]
fn a_polite_side_takes_back_the_offer_that_it_has_sent_and_answers() {
    let world = collide(true, false);
    assert_eq!(kinds(&world), ["video-answer", "video-answer"]);
    assert_eq!(world.phones[0].open_peers().map(|peer| peer.rollbacks).sum::<usize>(), 1, "rolled back once");
    assert_eq!(world.phones[0].state(), CallState::Reconnecting);
}

#[test]
fn a_polite_side_does_not_send_the_offer_that_was_being_made() {
    let world = collide(true, true);
    assert_eq!(kinds(&world), ["video-answer"], "and of two offers that waited it answers the newer");
    assert_eq!(world.phones[0].open_peers().map(|peer| peer.rollbacks).sum::<usize>(), 1);
}

#[test]
fn an_impolite_side_ignores_the_offer_and_repeats_its_own_or_waits_for_its_answer() {
    let world = collide(false, false);
    assert_eq!(kinds(&world), ["video-offer"; 2], "its own may have been lost");
    let mut world = collide(false, true);
    assert_eq!(kinds(&world), ["video-offer"]);
    let call = world.phones[0].snapshot().call;
    let page = Generation { connection: 500, restart: 1 };
    world.tell(0, super::sim::answer("rui", &page.sdp(4), call));
    world.run(100);
    assert!(world.phones[0].open_peers().all(|peer| peer.agreed.is_some_and(|(_, theirs)| theirs == page)));
}

proptest! {
    #![proptest_config(cases(128))]

    /// On a network that keeps the order of messages, as TCP does, calling each other at any moment always ends in one call.
    #[test]
    fn whoever_calls_first_and_however_long_it_takes_both_end_in_one_call(
        seed in any::<u64>(), apart in 0_u64..1_500, first in 0_usize..2, delay in 1_u64..600,
    ) {
        let mut world = ana_and_rui();
        world.seed(seed);
        world.net = Network { delay, ..Network::GOOD };
        world.call(first, 1 - first);
        world.run(apart);
        if world.phones[1 - first].state() == CallState::RingingLocally {
            world.accept(1 - first);
        } else {
            world.call(1 - first, first);
        }
        world.run(10_000);
        world.assert_connected(ANA, RUI);
        prop_assert_eq!(world.phones[ANA].ends().len() + world.phones[RUI].ends().len(), 0);
    }
}
