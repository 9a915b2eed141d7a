//! What people who are not in the call can do to it: nothing.

use super::sim::{ANA, RUI, World, answer, cases, hang_up, id, offer};
use crate::call::CallState;
use crate::signaling::message::{
    CallId, CallRinging, ErrorCode, ErrorMessage, HangUpReason, IceCandidate, MediaState, MediaStateMessage, Message,
    NewIceCandidate,
};
use proptest::prelude::*;

/// Anything that a stranger can send, with call identifiers that are guesses.
fn anything() -> impl Strategy<Value = Message> {
    let call = prop::option::of((0_u128..40).prop_map(|number| id(0xdead_0000 + number)));
    let name = prop_oneof![Just("eva"), Just("ivo"), Just("ANA"), Just("Rui"), Just("rui ")];
    let reason = prop::option::of(prop_oneof![
        Just(HangUpReason::Busy),
        Just(HangUpReason::Ended),
        Just(HangUpReason::MediaError)
    ]);
    (name, call, reason, 0_u64..1_000, 0_u8..7).prop_map(|(name, call, reason, n, kind)| {
        let state = MediaState { video: n % 2 == 0, ..MediaState::default() };
        let named = Some(name.to_owned());
        match kind {
            0 => offer(name, &format!("v=0\r\no=- {n} 1 IN IP4 0\r\n"), call),
            1 => answer(name, &format!("v=0\r\no=- {n} 1 IN IP4 0\r\n"), call),
            2 => hang_up(Some(name), call, reason),
            3 => hang_up(None, call, reason),
            4 => Message::CallRinging(CallRinging { name: named, target: None, call }),
            5 => Message::MediaState(MediaStateMessage { name: named, target: None, call, state }),
            _ => candidate(named, call),
        }
    })
}

fn candidate(name: Option<String>, call: Option<CallId>) -> Message {
    let candidate = IceCandidate {
        candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host 1 1".into(),
        sdp_mid: None,
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    Message::NewIceCandidate(NewIceCandidate { name, target: None, candidate: Some(candidate), call })
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn strangers_change_nothing_in_a_call_and_fill_no_memory(flood in prop::collection::vec(anything(), 1..400)) {
        let mut world = World::of(&["ana", "rui"]);
        world.pages = vec!["eva", "ivo", "ANA", "Rui", "rui "];
        world.connect(ANA, RUI);
        let (heard, sent) = (world.phones[ANA].heard.len(), world.phones[ANA].sent.len());
        let messages = flood.len();
        for message in flood {
            world.tell(ANA, message);
        }
        world.run(1_000);
        world.assert_connected(ANA, RUI);
        prop_assert_eq!(world.phones[ANA].heard.len(), heard, "the app hears of nothing");
        let said = &world.phones[ANA].sent[sent..];
        prop_assert!(said.len() <= messages, "at most one answer for each message");
        prop_assert!(said.iter().all(|message| matches!(message, Message::HangUp(h) if h.target.as_deref() != Some("rui"))));
        prop_assert!(world.phones[ANA].engine.history.len() <= 200);
    }
}

#[test]
fn a_stranger_cannot_spoil_the_name_of_a_call_that_somebody_else_is_about_to_make() {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.tell(ANA, hang_up(Some("eva"), Some(id(5)), None));
    world.tell(ANA, offer("rui", "v=0", Some(id(5))));
    assert_eq!(world.phones[ANA].state(), CallState::RingingLocally);
}

#[test]
fn a_flood_of_hang_ups_does_not_make_us_forget_our_own_calls() {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.tell(ANA, offer("rui", "v=0", Some(id(5))));
    world.hang_up(ANA);
    for number in 100..1_000 {
        world.tell(ANA, hang_up(Some("eva"), Some(id(number)), None));
        world.tell(ANA, candidate(Some("eva".into()), Some(id(number))));
    }
    world.tell(ANA, offer("rui", "v=0", Some(id(5))));
    assert_eq!(world.phones[ANA].rings(), 1);
    assert!(world.phones[ANA].engine.history.len() <= 200);
}

#[test]
fn candidates_of_a_flood_leave_room_for_those_of_the_one_who_calls() {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.tell(ANA, candidate(Some("rui".into()), Some(id(5))));
    for number in 100..1_000 {
        world.tell(ANA, candidate(Some("eva".into()), Some(id(number))));
    }
    let rui = super::sim_peer::Generation { connection: 1, restart: 1 };
    world.tell(ANA, offer("rui", &rui.sdp(1), Some(id(5))));
    world.accept(ANA);
    world.run(100);
    assert!(world.phones[ANA].open_peers().all(|peer| peer.has_candidates()));
}

#[test]
fn a_call_with_a_number_that_another_call_has_is_still_another_call() {
    let mut world = World::of(&["ana", "rui"]);
    world.connect(ANA, RUI);
    let call = world.phones[ANA].snapshot().call;
    world.hang_up(ANA);
    world.run(1_000);
    world.pages = vec!["eva"];
    world.tell(ANA, offer("eva", "v=0", call));
    assert_eq!(world.phones[ANA].state(), CallState::Idle, "an identifier is good for one call");
}

#[test]
fn errors_about_other_messages_and_other_calls_end_nothing() {
    let mut world = World::of(&["ana", "rui"]);
    world.call(ANA, RUI);
    world.run(1_000);
    let call = world.phones[ANA].snapshot().call;
    let mut refused = ErrorMessage {
        code: ErrorCode::NoSuchUser,
        message: "no".into(),
        regarding: Some("new-ice-candidate".into()),
        target: Some("rui".into()),
        call,
    };
    world.tell(ANA, Message::Error(refused.clone()));
    refused.regarding = Some("video-offer".into());
    refused.call = Some(id(77));
    world.tell(ANA, Message::Error(refused.clone()));
    refused.call = None;
    refused.target = Some("eva".into());
    world.tell(ANA, Message::Error(refused.clone()));
    refused.target = None;
    world.tell(ANA, Message::Error(refused));
    assert_eq!(world.phones[ANA].state(), CallState::RingingRemotely);
}

#[test]
fn who_knows_the_identifier_of_a_call_can_neither_end_nor_change_it_under_another_name() {
    for phone in [ANA, RUI] {
        let mut world = World::of(&["ana", "rui"]);
        world.pages = vec!["eva"];
        world.connect(ANA, RUI);
        world.tell_users();
        let call = world.phones[phone].engine.call_in_messages();
        let (heard, sent) = (world.phones[phone].heard.len(), world.phones[phone].sent.len());
        let before = world.phones[phone].snapshot();
        let eva = super::sim_peer::Generation { connection: 900, restart: 0 };
        let named = Some("eva".to_owned());
        let off = MediaState { video: false, ..MediaState::default() };
        for message in [
            offer("eva", &eva.sdp(1), call),
            answer("eva", &eva.sdp(2), call),
            candidate(named.clone(), call),
            candidate(None, call),
            hang_up(Some("eva"), call, None),
            hang_up(Some("eva"), call, Some(HangUpReason::MediaError)),
            hang_up(None, call, None),
            Message::CallRinging(CallRinging { name: named.clone(), target: None, call }),
            Message::MediaState(MediaStateMessage { name: named, target: None, call, state: off }),
        ] {
            world.tell(phone, message);
        }
        world.tell_users();
        world.run(1_000);
        world.assert_connected(ANA, RUI);
        assert_eq!(world.phones[phone].snapshot(), before);
        assert_eq!(world.phones[phone].heard.len(), heard, "the app hears of nothing");
        assert_eq!(world.phones[phone].sent.len(), sent, "and nobody gets an answer");
    }
}

#[test]
fn a_peer_that_is_renamed_is_known_again_once_its_old_name_is_gone() {
    let mut world = World::of(&["ana"]);
    world.pages = vec!["rui"];
    world.tell(ANA, offer("rui", "v=0", Some(id(5))));
    world.tell_users();
    let state = MediaState { audio: false, ..MediaState::default() };
    let renamed = |name: &str, state| {
        Message::MediaState(MediaStateMessage { name: Some(name.into()), target: None, call: Some(id(5)), state })
    };
    world.tell(ANA, renamed("rui2", state));
    assert_eq!(world.phones[ANA].snapshot().with.as_deref(), Some("rui"), "rui may still be there");
    world.pages = vec!["rui2"];
    world.tell_users();
    let now = world.phones[ANA].snapshot();
    assert_eq!((now.with.as_deref(), now.remote.audio), (Some("rui2"), false));
    world.tell(ANA, hang_up(Some("rui2"), Some(id(5)), None));
    assert_eq!(world.phones[ANA].state(), CallState::Idle);
}
