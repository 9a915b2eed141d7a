//! Frames as old peers write them, and what becomes of them.

use super::*;
use serde_json::json;

/// Reads the frame, and shows that writing it and reading it again changes nothing.
fn round_trip(frame: Value) -> Message {
    let message = Message::parse(&frame.to_string()).unwrap();
    assert_eq!(Message::parse(&message.to_json()).unwrap(), message);
    assert_eq!(message.kind(), frame["type"]);
    message
}

#[test]
fn the_frames_of_old_peers_are_read() {
    for frame in [
        json!({"type": "id", "id": 1}),
        json!({"name": "ana", "date": 1_500_000_000_000_u64, "id": 1, "type": "username"}),
        json!({"type": "rejectusername", "id": 1, "name": "ana1"}),
        json!({"type": "userlist", "users": ["ana", null, "bia"]}),
        json!({"text": "olá", "type": "message", "id": 1, "date": 1_500_000_000_000_u64, "name": "ana"}),
        json!({"name": "ana", "target": "bia", "type": "video-offer", "sdp": {"type": "offer", "sdp": "v=0\r\n"}}),
        json!({"name": "bia", "target": "ana", "type": "video-answer", "sdp": {"type": "answer", "sdp": "v=0\r\n"}}),
        json!({"type": "new-ice-candidate", "target": "bia", "candidate":
            {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "audio", "sdpMLineIndex": 0}}),
        json!({"type": "new-ice-candidate", "target": "bia", "candidate": null}),
        json!({"name": "ana", "target": null, "type": "hang-up"}),
    ] {
        round_trip(frame);
    }
}

#[test]
fn numbers_may_be_floats_but_not_negative_ones() {
    let Message::Id(id) = round_trip(json!({"type": "id", "id": 7.0})) else { panic!() };
    assert_eq!(id.id, 7);
    assert!(Message::parse(r#"{"type":"id","id":-1}"#).is_err());
    assert!(Message::parse(r#"{"type":"id","id":"1"}"#).is_err());
}

#[test]
fn a_hang_up_keeps_a_reason_of_the_future_as_unrecognised() {
    let Message::HangUp(old) = round_trip(json!({"type": "hang-up", "target": null})) else { panic!() };
    assert_eq!((old.target, old.reason), (None, None));
    let Message::HangUp(new) = round_trip(json!({"type": "hang-up", "reason": "bored"})) else { panic!() };
    assert_eq!(new.reason, Some(HangUpReason::Unrecognised));
}

#[test]
fn the_frames_that_chamada_adds_are_read() {
    let Message::Id(id) = round_trip(json!({"type": "id", "id": 1, "resume": "t", "iceServers": [{"urls": "stun:a"}],
        "server": {"name": "chamada", "version": "1", "limits":
            {"frameBytes": 1, "nameChars": 2, "textChars": 3, "messagesPerSecond": 4}}}))
    else {
        panic!()
    };
    assert_eq!(id.ice_servers[0].urls, ["stun:a"]);
    let Message::MediaState(media) = round_trip(json!({"type": "media-state", "target": "a", "video": false})) else {
        panic!()
    };
    assert_eq!(media.state, MediaState { video: false, ..MediaState::default() });
    round_trip(json!({"type": "call-ringing", "target": "a", "call": "67e55044-10b1-426f-9247-bb680e5fe0c8"}));
    round_trip(json!({"type": "error", "code": "no-such-user", "message": "m", "for": "video-offer", "target": "a"}));
}

#[test]
fn an_unknown_type_is_kept_whole() {
    let frame = json!({"type": "wave", "target": "a", "n": [1, {"b": null}]});
    let Message::Unknown(object) = round_trip(frame.clone()) else { panic!() };
    assert_eq!(Value::Object(object), frame);
}

#[test]
fn what_is_no_message_says_why() {
    for frame in ["", "1", "[]", "{}", r#"{"type":null}"#, "{\"type\":"] {
        assert!(matches!(Message::parse(frame), Err(ParseError::NotAnObject(_))), "{frame}");
    }
    let wrong = Message::parse(r#"{"type":"video-offer","sdp":"v=0"}"#);
    assert!(matches!(wrong, Err(ParseError::BadField { kind, .. }) if kind == "video-offer"));
    assert_eq!(Message::parse(&" ".repeat(MAX_FRAME_BYTES + 1)), Err(ParseError::TooLarge(MAX_FRAME_BYTES + 1)));
}

#[test]
fn nothing_private_is_printed() {
    let offer = round_trip(json!({"type": "video-offer", "sdp": {"type": "offer", "sdp": "SECRET"}}));
    let candidate = round_trip(json!({"type": "new-ice-candidate", "candidate": {"candidate": "SECRET"}}));
    let id = round_trip(json!({"type": "id", "id": 1, "iceServers": [{"urls": ["turn:a"], "credential": "SECRET"}]}));
    assert!(!format!("{offer:?}{candidate:?}{id:?}").contains("SECRET"));
}
