//! Messages and frames of any kind, by chance.

use super::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z<>\"\\\\ ]{0,8}", "\\PC{0,12}", any::<String>().prop_map(|s| s.chars().take(20).collect())]
}

/// Any JSON; of floats only those that survive a decimal form.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 4.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((text(), inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn call() -> impl Strategy<Value = Option<CallId>> {
    of(any::<u128>().prop_map(|n| CallId(Uuid::from_u128(n))))
}

fn description() -> impl Strategy<Value = Description> {
    let kind =
        prop_oneof![Just(SdpType::Offer), Just(SdpType::Answer), Just(SdpType::Pranswer), Just(SdpType::Rollback)];
    (of(text()), of(text()), kind, text(), call()).prop_map(|(name, target, kind, sdp, call)| Description {
        name,
        target,
        sdp: SessionDescription { kind, sdp },
        call,
    })
}

fn candidate() -> impl Strategy<Value = IceCandidate> {
    (text(), of(text()), of(any::<u16>()), of(text())).prop_map(|(candidate, mid, index, fragment)| IceCandidate {
        candidate,
        sdp_mid: mid,
        sdp_m_line_index: index,
        username_fragment: fragment,
    })
}

fn reason() -> impl Strategy<Value = HangUpReason> {
    use HangUpReason as R;
    proptest::sample::select(vec![
        R::Declined,
        R::Busy,
        R::Timeout,
        R::Cancelled,
        R::Ended,
        R::Failed,
        R::NegotiationFailed,
        R::NoCommonCodec,
        R::HandshakeFailed,
        R::MediaError,
        R::Elsewhere,
        R::Unrecognised,
    ])
}

fn code() -> impl Strategy<Value = ErrorCode> {
    use ErrorCode as C;
    proptest::sample::select(vec![
        C::RateLimited,
        C::TooLarge,
        C::NotLoggedIn,
        C::NoSuchUser,
        C::BadMessage,
        C::BadName,
        C::Full,
        C::Blocked,
        C::Unauthorized,
        C::TokenExpired,
        C::Unavailable,
        C::Unrecognised,
    ])
}

fn id() -> impl Strategy<Value = Id> {
    let ice = (vec(text(), 0..3), of(text()), of(text())).prop_map(|(urls, username, credential)| IceServer {
        urls,
        username,
        credential,
    });
    let limits = of(any::<(u16, u16, u16, u32)>().prop_map(|(frame, name, text, rate)| Limits {
        frame_bytes: frame.into(),
        name_chars: name.into(),
        text_chars: text.into(),
        messages_per_second: rate,
    }));
    let server = of((text(), text(), limits).prop_map(|(name, version, limits)| ServerInfo { name, version, limits }));
    (any::<u64>(), vec(ice, 0..3), of(text()), server).prop_map(|(id, ice_servers, resume, server)| Id {
        id,
        ice_servers,
        resume,
        server,
        features: Vec::new(),
        auth: None,
        push: None,
    })
}

fn message() -> impl Strategy<Value = Message> {
    let facing = of(proptest::sample::select(vec![FacingMode::User, FacingMode::Environment]));
    let media = (of(text()), of(text()), call(), any::<(bool, bool, bool, bool)>(), facing).prop_map(
        |(name, target, call, (audio, video, screen, held), facing)| MediaStateMessage {
            name,
            target,
            call,
            state: MediaState { audio, video, facing, screen, held },
        },
    );
    let error = (code(), text(), of(text()), of(text()), call())
        .prop_map(|(code, message, regarding, target, call)| ErrorMessage { code, message, regarding, target, call });
    let unknown = (text(), vec((text(), json_value()), 0..5)).prop_filter_map("a known type", |(kind, fields)| {
        let mut object: Map<String, Value> = fields.into_iter().collect();
        object.insert("type".into(), Value::from(kind.as_str()));
        (!KNOWN_TYPES.contains(&kind.as_str())).then_some(Message::Unknown(object))
    });
    let username =
        (text(), any::<u64>(), any::<u64>(), of(text()), of(text())).prop_map(|(name, id, date, resume, token)| {
            Message::Username(Username { name, id, date, resume, features: Vec::new(), token, device: None })
        });
    let chat = (text(), any::<u64>(), any::<u64>(), of(text()))
        .prop_map(|(text, id, date, name)| Message::Chat(Chat { text, id, date, name }));
    let trickle = (of(text()), of(text()), of(candidate()), call()).prop_map(|(name, target, candidate, call)| {
        Message::NewIceCandidate(NewIceCandidate { name, target, candidate, call })
    });
    let hang_up = (of(text()), of(text()), of(reason()), call())
        .prop_map(|(name, target, reason, call)| Message::HangUp(HangUp { name, target, reason, call }));
    let ringing = (of(text()), of(text()), call())
        .prop_map(|(name, target, call)| Message::CallRinging(CallRinging { name, target, call }));
    prop_oneof![
        id().prop_map(Message::Id),
        username,
        (any::<u64>(), text()).prop_map(|(id, name)| Message::RejectUsername(RejectUsername { id, name })),
        vec(of(text()), 0..5).prop_map(|users| Message::UserList(UserList { users, away: Vec::new(), seq: None })),
        chat,
        description().prop_map(Message::VideoOffer),
        description().prop_map(Message::VideoAnswer),
        trickle,
        hang_up,
        ringing,
        media.prop_map(Message::MediaState),
        error.prop_map(Message::Error),
        unknown,
    ]
}

/// An object with the names that messages use, and anything behind them.
fn near_miss() -> impl Strategy<Value = Value> {
    let names = [
        "id",
        "iceServers",
        "resume",
        "server",
        "name",
        "date",
        "users",
        "text",
        "target",
        "sdp",
        "call",
        "candidate",
        "reason",
        "audio",
        "video",
        "facing",
        "screen",
        "code",
        "message",
        "for",
    ];
    let sdp = (text(), text()).prop_map(|(kind, sdp)| json!({"type": kind, "sdp": sdp}));
    let value = prop_oneof![4 => json_value(), 1 => sdp];
    (proptest::sample::select(KNOWN_TYPES.to_vec()), vec((proptest::sample::select(names.to_vec()), value), 0..6))
        .prop_map(|(kind, fields)| {
            let mut object: Map<String, Value> = fields.into_iter().map(|(name, v)| (name.to_owned(), v)).collect();
            object.insert("type".into(), kind.into());
            Value::Object(object)
        })
}

/// What can be read is written so that it reads as the same.
fn is_stable(frame: &str) {
    if let Ok(message) = Message::parse(frame) {
        assert_eq!(Message::parse(&message.to_json()).as_ref(), Ok(&message), "{frame}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(message in message()) {
        prop_assert_eq!(Message::parse(&message.to_json()), Ok(message.clone()));
        prop_assert!(KNOWN_TYPES.contains(&message.kind()) != matches!(message, Message::Unknown(_)));
        // Nor do the forms for logs and people fall over.
        let _ = format!("{message:?}");
    }

    #[test]
    fn bytes_never_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        is_stable(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn json_of_any_kind_never_makes_it_panic(value in json_value()) {
        is_stable(&value.to_string());
    }

    #[test]
    fn a_message_with_anything_in_its_fields_never_makes_it_panic(value in near_miss()) {
        is_stable(&value.to_string());
    }

    #[test]
    fn a_cut_or_damaged_frame_never_makes_it_panic(message in message(), at in any::<usize>(), with in any::<char>()) {
        let frame = message.to_json();
        let mut chars: Vec<char> = frame.chars().collect();
        let at = at % chars.len();
        is_stable(&chars[..at].iter().collect::<String>());
        chars[at] = with;
        is_stable(&chars.iter().collect::<String>());
    }
}
