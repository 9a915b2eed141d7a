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
    let login = round_trip(json!({"type": "username", "name": "ana", "id": 1, "resume": "SECRET", "token": "SECRET"}));
    let keys = json!({"p256dh": "SECRET", "auth": "SECRET"});
    let push = round_trip(json!({"type": "push-register", "platform": "webpush", "endpoint": "SECRET", "keys": keys}));
    assert!(!format!("{offer:?}{candidate:?}{id:?}{login:?}{push:?}").contains("SECRET"));
}

#[test]
fn pushes_are_written_as_the_protocol_says() {
    for platform in ["apns", "apns-dev", "fcm", "unifiedpush", "webpush", "webhook"] {
        let read = round_trip(json!({"type": "push-register", "platform": platform, "token": "x"}));
        let Message::PushRegister(register) = read else { panic!("{read:?}") };
        assert_eq!(register.platform.name(), platform);
        round_trip(json!({"type": "push-registered", "platform": platform}));
    }
    round_trip(json!({"type": "push-registered"}));
    round_trip(json!({"type": "push-unregister"}));
    round_trip(json!({"type": "call-pushed", "target": "bia", "call": Uuid::nil()}));
    let push = json!({"platforms": ["fcm", "webpush"], "applicationServerKey": "BP4z9"});
    round_trip(json!({"type": "id", "id": 1, "push": push}));
    round_trip(json!({"type": "userlist", "users": ["ana"], "away": ["bia"], "seq": 1}));
    round_trip(json!({"type": "userlist-delta", "away": ["bia"], "left": ["bia"], "seq": 2}));
    let unknown = Message::parse(r#"{"type":"push-register","platform":"pigeon"}"#).unwrap();
    assert!(matches!(unknown, Message::PushRegister(PushRegister { platform: PushPlatform::Unrecognised, .. })));
}

/// Frames letter by letter as old pages and old servers write them.
#[test]
fn an_old_peers_frame_is_understood_field_by_field() {
    let read = |frame: &str| Message::parse(frame).unwrap();
    let id = Id {
        id: 1_500_000_000_001,
        ice_servers: Vec::new(),
        resume: None,
        server: None,
        features: Vec::new(),
        auth: None,
        push: None,
    };
    assert_eq!(read(r#"{"type":"id","id":1500000000001}"#), Message::Id(id));
    assert_eq!(
        read(r#"{"name":"Zoë","date":1500000000999,"id":1500000000001,"type":"username"}"#),
        Message::Username(Username {
            name: "Zoë".into(),
            id: 1_500_000_000_001,
            date: 1_500_000_000_999,
            resume: None,
            features: Vec::new(),
            token: None,
            device: None,
        })
    );
    assert_eq!(
        read(r#"{"type":"rejectusername","id":1500000000001,"name":"Zo\u00eb1"}"#),
        Message::RejectUsername(RejectUsername { id: 1_500_000_000_001, name: "Zoë1".into() })
    );
    assert_eq!(
        read(r#"{"type":"userlist","users":["ana",null,"Zoë1"]}"#),
        Message::UserList(UserList {
            users: vec![Some("ana".into()), None, Some("Zoë1".into())],
            away: Vec::new(),
            seq: None
        })
    );
    assert_eq!(
        read(r#"{"text":"olá <b","type":"message","id":3,"date":1500000001000,"name":"ana"}"#),
        Message::Chat(Chat { text: "olá <b".into(), id: 3, date: 1_500_000_001_000, name: Some("ana".into()) })
    );
    let (name, target) = (Some("ana".to_owned()), Some("bia".to_owned()));
    assert_eq!(
        read(
            r#"{"name":"ana","target":"bia","type":"video-offer","sdp":{"type":"offer","sdp":"v=0\r\no=- 4 2 IN IP4 0\r\n"}}"#
        ),
        Message::VideoOffer(Description {
            name: name.clone(),
            target: target.clone(),
            sdp: SessionDescription::offer("v=0\r\no=- 4 2 IN IP4 0\r\n"),
            call: None,
        })
    );
    assert_eq!(
        read(r#"{"name":"ana","target":"bia","type":"video-answer","sdp":{"type":"answer","sdp":""}}"#),
        Message::VideoAnswer(Description {
            name: name.clone(),
            target: target.clone(),
            sdp: SessionDescription::answer(""),
            call: None,
        })
    );
    let candidate = |username_fragment| {
        Some(IceCandidate {
            candidate: "candidate:0 1 UDP 2122252543 192.0.2.1 51000 typ host".into(),
            sdp_mid: Some("sdparta_0".into()),
            sdp_m_line_index: Some(0),
            username_fragment,
        })
    };
    for (fragment, more) in [(None, ""), (Some("5f1e".to_owned()), r#","usernameFragment":"5f1e""#)] {
        let frame = format!(
            r#"{{"type":"new-ice-candidate","target":"bia","candidate":{{"candidate":
                "candidate:0 1 UDP 2122252543 192.0.2.1 51000 typ host","sdpMid":"sdparta_0","sdpMLineIndex":0{more}}}}}"#
        );
        let candidate = candidate(fragment);
        let expected = NewIceCandidate { name: None, target: target.clone(), candidate, call: None };
        assert_eq!(read(&frame), Message::NewIceCandidate(expected));
    }
    // The end of candidates has three forms.
    for (end, candidate) in [
        (r#""candidate":null"#, None),
        (r#""sdpMid":"ignored here""#, None),
        (
            r#""candidate":{"candidate":"","sdpMid":null,"sdpMLineIndex":null}"#,
            Some(IceCandidate {
                candidate: String::new(),
                sdp_mid: None,
                sdp_m_line_index: None,
                username_fragment: None,
            }),
        ),
    ] {
        let frame = format!(r#"{{"type":"new-ice-candidate","target":"bia",{end}}}"#);
        let Message::NewIceCandidate(read) = read(&frame) else { panic!() };
        assert!(read.candidate.as_ref().is_none_or(IceCandidate::is_end));
        assert_eq!(read.candidate, candidate);
    }
    assert_eq!(
        read(r#"{"name":"ana","target":null,"type":"hang-up"}"#),
        Message::HangUp(HangUp { name, target: None, reason: None, call: None })
    );
}

/// An old page reads fields and knows no `null` where it expects a text: what we do not say is not there.
#[test]
fn what_an_old_peer_reads_of_ours_has_its_fields_and_nothing_empty() {
    let written = |message: Message| serde_json::from_str::<Value>(&message.to_json()).unwrap();
    let (name, target) = (Some("ana".to_owned()), Some("bia".to_owned()));
    assert_eq!(
        written(Message::Username(Username {
            name: "ana".into(),
            id: 7,
            date: 1,
            resume: None,
            features: Vec::new(),
            token: None,
            device: None,
        })),
        json!({"type": "username", "name": "ana", "id": 7, "date": 1})
    );
    assert_eq!(
        written(Message::Chat(Chat { text: "x".into(), id: 7, date: 1, name: None })),
        json!({"type": "message", "text": "x", "id": 7, "date": 1})
    );
    let description =
        Description { name: name.clone(), target: target.clone(), sdp: SessionDescription::offer("v=0"), call: None };
    assert_eq!(
        written(Message::VideoOffer(description)),
        json!({"type": "video-offer", "name": "ana", "target": "bia", "sdp": {"type": "offer", "sdp": "v=0"}})
    );
    let candidate = IceCandidate {
        candidate: "c".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(1),
        username_fragment: None,
    };
    let message =
        NewIceCandidate { name: name.clone(), target: target.clone(), candidate: Some(candidate), call: None };
    assert_eq!(
        written(Message::NewIceCandidate(message)),
        json!({"type": "new-ice-candidate", "name": "ana", "target": "bia",
            "candidate": {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 1}})
    );
    let end = NewIceCandidate { name: name.clone(), target: target.clone(), candidate: None, call: None };
    assert_eq!(written(Message::NewIceCandidate(end))["candidate"], Value::Null);
    assert_eq!(
        written(Message::HangUp(HangUp { name, target, reason: Some(HangUpReason::MediaError), call: None })),
        json!({"type": "hang-up", "name": "ana", "target": "bia", "reason": "media-error"})
    );
}

#[test]
fn a_known_type_with_a_wrong_field_is_refused_by_name() {
    let sdp = |sdp: Value| json!({"type": "video-offer", "sdp": sdp});
    let candidate = |candidate: Value| json!({"type": "new-ice-candidate", "candidate": candidate});
    for frame in [
        json!({"type": "id"}),
        json!({"type": "id", "id": null}),
        json!({"type": "id", "id": 1e300}),
        json!({"type": "id", "id": 1, "iceServers": {}}),
        json!({"type": "id", "id": 1, "iceServers": [{"username": "no urls"}]}),
        json!({"type": "username", "id": 1}),
        json!({"type": "username", "name": 1, "id": 1}),
        json!({"type": "username", "name": "a", "id": 1, "date": "now"}),
        json!({"type": "rejectusername", "name": "a"}),
        json!({"type": "userlist"}),
        json!({"type": "userlist", "users": [1]}),
        json!({"type": "message"}),
        json!({"type": "message", "text": null}),
        json!({"type": "video-offer"}),
        sdp(json!("v=0")),
        sdp(json!(null)),
        sdp(json!({"type": "offer"})),
        sdp(json!({"sdp": "v=0"})),
        sdp(json!({"type": "Offer", "sdp": "v=0"})),
        sdp(json!({"type": "offer", "sdp": 1})),
        json!({"type": "video-answer", "target": 1, "sdp": {"type": "answer", "sdp": ""}}),
        json!({"type": "video-answer", "call": "1", "sdp": {"type": "answer", "sdp": ""}}),
        candidate(json!("candidate:1")),
        candidate(json!({})),
        candidate(json!({"candidate": 1})),
        candidate(json!({"candidate": "", "sdpMLineIndex": 65_536})),
        candidate(json!({"candidate": "", "sdpMLineIndex": 0.5})),
        candidate(json!({"candidate": "", "sdpMid": 0})),
        json!({"type": "hang-up", "target": []}),
        json!({"type": "hang-up", "reason": 1}),
        json!({"type": "call-ringing", "call": {}}),
        json!({"type": "media-state", "video": "yes"}),
        json!({"type": "error", "message": "no code"}),
        json!({"type": "error", "code": "full"}),
    ] {
        let kind = frame["type"].as_str().unwrap();
        match Message::parse(&frame.to_string()) {
            Err(ParseError::BadField { kind: told, .. }) => assert_eq!(told, kind),
            other => panic!("{frame}: {other:?}"),
        }
    }
}

#[test]
fn depth_and_length_do_no_harm() {
    let deep = format!(r#"{{"type":"wave","a":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    assert!(matches!(Message::parse(&deep), Err(ParseError::NotAnObject(_))));
    let longest = format!(r#"{{"type":"message","text":"{}"}}"#, "x".repeat(MAX_FRAME_BYTES - 28));
    assert_eq!(longest.len(), MAX_FRAME_BYTES);
    assert!(Message::parse(&longest).is_ok());
    assert_eq!(Message::parse(&format!("{longest} ")), Err(ParseError::TooLarge(MAX_FRAME_BYTES + 1)));
}

#[path = "message_properties.rs"]
mod any_input;
