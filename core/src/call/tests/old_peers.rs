//! Old pages: they name no call, answer at once, offer once for each track, hang up into the blue, and forget their offers.

use super::sim::{ANA, World, answer, hang_up, id, offer};
use super::sim_peer::Generation;
use crate::call::{CallState, Command, ConnectionState, EndReason, PeerReport};
use crate::signaling::message::{IceCandidate, MediaState, Message, NewIceCandidate};

/// The page's peer connections, one after the other.
fn page(connection: u64) -> Generation {
    Generation { connection, restart: 0 }
}

fn ana_and_a_page() -> World {
    let mut world = World::of(&["ana", "eva"]);
    world.pages = vec!["page"];
    world
}

fn call_page(world: &mut World) {
    world.command(ANA, Command::Call { to: "page".into(), media: MediaState::default() }).unwrap();
    world.run(100);
}

fn connected(world: &mut World) {
    world.report(ANA, PeerReport::Connection(ConnectionState::Connected));
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
}

fn candidate(name: Option<&str>) -> Message {
    let candidate = IceCandidate {
        candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host 900 0".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    let message = NewIceCandidate { name: name.map(Into::into), target: None, candidate: Some(candidate), call: None };
    Message::NewIceCandidate(message)
}

#[test]
fn a_page_that_answers_at_once_is_in_the_call() {
    let mut world = ana_and_a_page();
    call_page(&mut world);
    world.tell(ANA, answer("page", &page(900).sdp(1), None));
    world.tell(ANA, candidate(None));
    world.run(100);
    assert_eq!(world.phones[ANA].state(), CallState::Connecting);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.has_candidates()), "its candidates have no name");
    connected(&mut world);
}

#[test]
fn a_page_is_never_sent_the_end_of_candidates() {
    let mut world = ana_and_a_page();
    call_page(&mut world);
    world.tell(ANA, answer("page", &page(900).sdp(1), None));
    world.run(100);
    let ends = world.to_pages.iter().filter(|m| matches!(m, Message::NewIceCandidate(c) if c.candidate.is_none()));
    assert_eq!(ends.count(), 0);
}

#[test]
fn candidates_without_a_name_are_not_taken_for_those_of_somebody_who_names_calls() {
    let mut world = World::of(&["ana", "rui"]);
    world.connect(0, 1);
    let heard = world.phones[ANA].open_peers().map(|peer| peer.candidates()).sum::<usize>();
    world.tell(ANA, candidate(None));
    assert_eq!(world.phones[ANA].open_peers().map(|peer| peer.candidates()).sum::<usize>(), heard);
}

#[test]
fn a_second_offer_before_the_call_is_accepted_replaces_the_first() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.tell(ANA, offer("page", &page(900).sdp(2), None));
    assert_eq!(world.phones[ANA].rings(), 1, "it rings once");
    world.accept(ANA);
    world.run(100);
    assert_eq!(world.phones[ANA].state(), CallState::Connecting);
    assert_eq!(world.to_pages.iter().filter(|message| message.kind() == "video-answer").count(), 1);
}

#[test]
fn an_offer_for_another_track_in_the_call_is_answered_in_the_call() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.accept(ANA);
    world.tell(ANA, offer("page", &page(900).sdp(2), None));
    world.run(200);
    connected(&mut world);
    world.tell(ANA, offer("page", &page(900).sdp(3), None));
    world.run(200);
    assert_eq!(world.to_pages.iter().filter(|message| message.kind() == "video-answer").count(), 3);
    assert_eq!(world.phones[ANA].rings(), 1);
    assert_eq!(world.phones[ANA].peers.len(), 1, "on one peer connection");
}

#[test]
fn nonsense_in_a_running_call_is_survived_and_nonsense_at_its_start_ends_it() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.accept(ANA);
    world.run(100);
    world.tell(ANA, offer("page", "v=0", None));
    world.run(100);
    assert_eq!(world.phones[ANA].state(), CallState::Connecting, "what was agreed on before still holds");
    connected(&mut world);
    world.tell(ANA, offer("page", "v=1", None));
    world.run(100);
    world.tell(ANA, offer("page", &page(900).sdp(2), None));
    world.run(100);
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
    assert_eq!(world.to_pages.iter().filter(|message| message.kind() == "video-answer").count(), 2);

    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", "v=0", None));
    world.accept(ANA);
    world.run(100);
    assert_eq!(world.phones[ANA].ends(), [EndReason::NegotiationFailed]);
    world.assert_all_idle();
}

#[test]
fn a_second_offer_that_crosses_the_decline_does_not_ring_again() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.command(ANA, Command::Decline).unwrap();
    world.to_pages.clear();
    world.tell(ANA, offer("page", &page(900).sdp(2), None));
    assert_eq!(world.phones[ANA].state(), CallState::Idle);
    assert_eq!(world.to_pages.len(), 0, "and no hang-up meets what the page may do next");
    world.tell(ANA, offer("page", &page(901).sdp(1), None));
    assert_eq!(world.phones[ANA].state(), CallState::RingingLocally, "a new call of the page's does ring");
}

#[test]
fn a_page_that_was_loaded_anew_and_calls_again_ends_the_dead_call_and_rings() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.accept(ANA);
    world.run(100);
    connected(&mut world);
    world.to_pages.clear();
    world.tell(ANA, offer("page", &page(901).sdp(1), None));
    assert_eq!(world.phones[ANA].ends(), [EndReason::HungUpRemotely]);
    assert_eq!(world.phones[ANA].state(), CallState::RingingLocally);
    let hang_ups = world.to_pages.iter().filter(|message| message.kind() == "hang-up").count();
    assert_eq!(hang_ups, 0, "the page would take it for its new call");
}

#[test]
fn a_page_hangs_up_without_a_target_and_only_its_own_call_ends() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.accept(ANA);
    world.run(100);
    connected(&mut world);
    world.tell(ANA, hang_up(Some("another page"), None, None));
    world.tell(ANA, hang_up(Some("ana"), None, None));
    world.tell(ANA, hang_up(None, None, None));
    assert_eq!(world.phones[ANA].state(), CallState::Connected);
    world.tell(ANA, hang_up(Some("page"), None, None));
    assert_eq!(world.phones[ANA].ends(), [EndReason::HungUpRemotely]);
    world.assert_all_idle();
}

#[test]
fn a_page_that_calls_while_our_offer_is_being_made_is_answered() {
    let mut world = ana_and_a_page();
    world.command(ANA, Command::Call { to: "page".into(), media: MediaState::default() }).unwrap();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.run(200);
    assert_eq!(world.phones[ANA].state(), CallState::Connecting);
    let kinds: Vec<_> = world.to_pages.iter().map(Message::kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "video-answer").count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&"video-offer"), "{kinds:?}");
}

#[test]
fn a_page_that_called_at_the_same_time_is_hung_up_and_called_again_since_it_forgets_its_offer() {
    // The names decide nothing: the page knows no politeness.
    for name in ["ana", "zoe"] {
        let mut world = World::of(&[name]);
        world.pages = vec!["page"];
        call_page(&mut world);
        world.to_pages.clear();
        world.tell(ANA, candidate(None));
        world.tell(ANA, offer("page", &page(900).sdp(1), None));
        // For another track, sent before the hang-up reached it.
        world.tell(ANA, offer("page", &page(900).sdp(2), None));
        let kinds: Vec<_> = world.to_pages.iter().map(Message::kind).collect();
        assert_eq!(kinds, ["hang-up", "video-offer", "new-ice-candidate"]);
        assert_eq!(world.phones[ANA].state(), CallState::Calling);
        world.tell(ANA, answer("page", &page(901).sdp(1), None));
        world.run(100);
        assert_eq!(world.phones[ANA].state(), CallState::Connecting);
        assert!(!world.phones[ANA].open_peers().any(|peer| peer.has_candidates()), "of the page's first try");
        connected(&mut world);
    }
}

#[test]
fn a_page_whose_offers_cannot_be_told_apart_is_called_again_only_once() {
    let mut world = ana_and_a_page();
    call_page(&mut world);
    world.to_pages.clear();
    for n in 0..10 {
        world.tell(ANA, offer("page", &format!("v=0\r\no=- 0 {n} IN IP4 0.0.0.0\r\n"), None));
    }
    assert_eq!(world.to_pages.iter().filter(|message| message.kind() == "hang-up").count(), 1);
}

#[test]
fn a_page_that_answers_a_call_which_is_over_is_told_so() {
    let mut world = ana_and_a_page();
    call_page(&mut world);
    world.hang_up(ANA);
    world.to_pages.clear();
    world.tell(ANA, answer("page", &page(900).sdp(1), None));
    assert_eq!(world.to_pages.iter().map(Message::kind).collect::<Vec<_>>(), ["hang-up"]);
    world.assert_all_idle();
}

#[test]
fn a_flood_of_offers_in_a_call_is_answered_one_at_a_time() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), None));
    world.accept(ANA);
    world.run(100);
    connected(&mut world);
    world.to_pages.clear();
    for version in 2..1_000 {
        world.tell(ANA, offer("page", &page(900).sdp(version), None));
    }
    world.run(200);
    assert_eq!(world.to_pages.iter().filter(|message| message.kind() == "video-answer").count(), 2);
    for _ in 0..10_000 {
        world.tell(ANA, candidate(None));
    }
    let taken = world.phones[ANA].open_peers().map(|peer| peer.candidates()).sum::<usize>();
    assert!(taken <= 600, "{taken} candidates were passed on");
}

#[test]
fn an_offer_that_names_an_earlier_call_is_told_that_it_is_over() {
    let mut world = ana_and_a_page();
    world.tell(ANA, offer("page", &page(900).sdp(1), Some(id(5))));
    world.command(ANA, Command::Decline).unwrap();
    world.to_pages.clear();
    world.tell(ANA, offer("page", &page(900).sdp(2), Some(id(5))));
    assert_eq!(world.phones[ANA].rings(), 1);
    let [Message::HangUp(told)] = &world.to_pages[..] else { panic!("{:?}", world.to_pages) };
    assert_eq!(told.reason, Some(crate::signaling::message::HangUpReason::Declined));
}
