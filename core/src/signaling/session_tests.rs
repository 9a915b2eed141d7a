//! The session's rules, with every moment given by the test.

use super::*;
use serde_json::{Value, json};

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn session() -> Session {
    Session::new("ana", true, Box::new(|| 1.0)).unwrap()
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

fn sent(outputs: &[Output]) -> Vec<Value> {
    let text = |output: &Output| match output {
        Output::Send(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    };
    outputs.iter().filter_map(text).collect()
}

fn said(outputs: &[Output]) -> Vec<String> {
    sent(outputs).iter().filter_map(|frame| frame["text"].as_str().map(str::to_owned)).collect()
}

fn log_in(session: &mut Session, now: Duration) -> Vec<Output> {
    session.connected(now);
    session.frame(r#"{"type":"id","id":7,"resume":"tok"}"#, now, 1);
    session.frame(r#"{"type":"userlist","users":["ana"]}"#, now, 1);
    outputs(session)
}

fn chat(text: &str) -> Message {
    Message::Chat(Chat { text: text.into(), id: 0, date: 1, name: None })
}

fn lost() -> SignalingError {
    SignalingError::ServerClosed { code: 1006, reason: String::new() }
}

fn closed_by(outputs: &[Output]) -> Option<&SignalingError> {
    outputs.iter().find_map(|output| match output {
        Output::Event(SignalingEvent::Closed { why }) => why.as_ref(),
        _ => None,
    })
}

#[test]
fn a_server_without_an_id_or_a_list_is_given_up_after_ten_seconds() {
    let mut session = session();
    session.connected(at(1));
    assert_eq!(session.next_timeout(), Some(at(11)));
    session.timeout(at(10));
    assert!(outputs(&mut session).is_empty());
    session.frame(r#"{"type":"id","id":7}"#, at(10), 1);
    outputs(&mut session);
    assert_eq!(session.next_timeout(), Some(at(20)));
    // Chatter is no login.
    session.frame(r#"{"type":"userlist","users":["bia"]}"#, at(19), 1);
    outputs(&mut session);
    session.timeout(at(20));
    assert!(matches!(closed_by(&outputs(&mut session)), Some(SignalingError::Protocol(_))));
    assert_eq!(session.next_timeout(), None);
}

#[test]
fn silence_is_broken_by_pings_and_ends_after_35_seconds() {
    let mut session = session();
    log_in(&mut session, at(0));
    assert_eq!(session.next_timeout(), Some(at(20)));
    session.timeout(at(20));
    assert_eq!(outputs(&mut session), [Output::Ping]);
    // Any sign of life will do.
    session.heard(at(21));
    assert_eq!(session.next_timeout(), Some(at(41)));
    session.timeout(at(41));
    assert_eq!(outputs(&mut session), [Output::Ping]);
    session.timeout(at(55));
    assert!(outputs(&mut session).is_empty());
    session.timeout(at(56));
    let out = outputs(&mut session);
    assert!(
        matches!(
            &out[..],
            [
                Output::Disconnect,
                Output::Event(SignalingEvent::Reconnecting { why: SignalingError::Silent, .. }),
                Output::ConnectAt(_)
            ]
        ),
        "{out:?}"
    );
}

#[test]
fn failed_attempts_wait_longer_and_longer_and_a_login_starts_over() {
    let mut session = session();
    log_in(&mut session, at(0));
    let mut waits = Vec::new();
    for _ in 0..8 {
        session.disconnected(lost(), at(100));
        let out = outputs(&mut session);
        let Some(Output::ConnectAt(when)) = out.last() else { panic!("{out:?}") };
        waits.push((*when - at(100)).as_millis());
    }
    assert_eq!(waits, [400, 800, 1_600, 3_200, 6_400, 12_000, 12_000, 12_000]);
    log_in(&mut session, at(200));
    session.disconnected(lost(), at(200));
    assert!(outputs(&mut session).contains(&Output::ConnectAt(at(200) + Duration::from_millis(400))));
}

#[test]
fn before_the_first_login_and_after_a_final_error_nothing_is_tried_again() {
    let mut session = session();
    session.connected(at(0));
    session.disconnected(lost(), at(1));
    assert_eq!(closed_by(&outputs(&mut session)), Some(&lost()));
    let mut session = self::session();
    log_in(&mut session, at(0));
    session.disconnected(SignalingError::LoginRefused("no".into()), at(1));
    let out = outputs(&mut session);
    assert_eq!((out.len(), &out[0]), (2, &Output::Close));
    // The end is the end.
    session.disconnected(lost(), at(2));
    session.reconnect_now(at(2));
    session.logout();
    session.send(chat("x"));
    session.frame(r#"{"type":"id","id":1}"#, at(2), 1);
    session.timeout(at(1_000));
    assert!(outputs(&mut session).is_empty());
}

#[test]
fn what_a_lost_connection_did_not_take_goes_first_over_the_next_one() {
    let mut session = session();
    log_in(&mut session, at(0));
    for text in ["a", "b", "c"] {
        session.send(chat(text));
    }
    session.rename("zoë".into(), 1);
    let Some(Output::Send(first)) = session.poll_output() else { panic!() };
    assert!(first.contains("\"a\""));
    // It was written only in part.
    session.not_sent(first);
    session.disconnected(lost(), at(1));
    session.send(chat("d"));
    assert!(sent(&outputs(&mut session)).is_empty());
    session.connected(at(2));
    session.frame(r#"{"type":"id","id":8}"#, at(2), 1);
    session.frame(r#"{"type":"userlist","users":["zoë"]}"#, at(2), 1);
    let out = outputs(&mut session);
    assert_eq!(said(&out), ["a", "b", "c", "d"]);
    // A change of name is part of the next login and no message of its own.
    let logins = sent(&out).iter().filter(|frame| frame["type"] == "username").count();
    assert_eq!((logins, &sent(&out)[0]["name"]), (1, &json!("zoë")));
    assert!(sent(&out)[1..].iter().all(|frame| frame["id"] == 8));
}

#[test]
fn what_waits_is_bounded_and_the_oldest_goes_first() {
    let mut session = session();
    log_in(&mut session, at(0));
    for n in 0..QUEUE_LEN {
        session.send(chat(&format!("before {n}")));
    }
    session.disconnected(lost(), at(1));
    for n in 0..3 {
        session.send(chat(&n.to_string()));
    }
    let out = outputs(&mut session);
    let dropped = |output: &&Output| matches!(output, Output::Event(SignalingEvent::Dropped { .. }));
    assert_eq!(out.iter().filter(dropped).count(), 3);
    let said = said(&log_in(&mut session, at(2)));
    assert_eq!((said.len(), said[0].as_str(), said[QUEUE_LEN - 1].as_str()), (QUEUE_LEN, "before 3", "2"));
}

#[test]
fn going_away_for_a_while_is_no_log_out() {
    let mut session = session();
    log_in(&mut session, at(0));
    session.reconnect_now(at(5));
    assert_eq!(outputs(&mut session), [Output::Disconnect, Output::ConnectAt(at(5))]);
    log_in(&mut session, at(6));
    session.logout();
    assert_eq!(outputs(&mut session), [Output::Close, Output::Event(SignalingEvent::Closed { why: None })]);
}

/// What the last event about users named.
fn users(outputs: &[Output]) -> Option<Vec<String>> {
    outputs.iter().rev().find_map(|output| match output {
        Output::Event(SignalingEvent::Users(users)) => Some(users.clone()),
        _ => None,
    })
}

#[test]
fn changes_of_the_list_are_told_as_lists_and_a_gap_asks_for_one() {
    let mut session = session();
    session.connected(at(1));
    session.frame(r#"{"type":"id","id":7}"#, at(1), 1);
    assert_eq!(sent(&outputs(&mut session))[0]["features"], json!(["user-delta", "push"]));
    session.frame(r#"{"type":"userlist","users":["bia","ana"],"seq":4}"#, at(1), 1);
    outputs(&mut session);
    session.frame(r#"{"type":"userlist-delta","seq":5,"left":["bia"],"joined":["eva"]}"#, at(2), 1);
    assert_eq!(users(&outputs(&mut session)), Some(vec!["ana".into(), "eva".into()]));
    session.frame(r#"{"type":"userlist-delta","seq":7,"joined":["zoe"]}"#, at(2), 1);
    let out = outputs(&mut session);
    assert_eq!((sent(&out), users(&out)), (vec![json!({"type": "userlist-request"})], None));
    session.frame(r#"{"type":"userlist","users":["ana","eva","zoe"],"seq":7}"#, at(3), 1);
    assert_eq!(users(&outputs(&mut session)).map(|users| users.len()), Some(3));
}

#[test]
fn who_is_blocked_is_not_heard_and_only_a_server_that_keeps_it_is_told_again_after_a_loss() {
    let line = r#"{"type":"message","name":"eva","text":"x","id":3}"#;
    let offer = r#"{"type":"video-offer","name":"eva","sdp":{"type":"offer","sdp":"v=0"}}"#;
    for (features, told) in [("[]", 0), (r#"["block"]"#, 1)] {
        let mut session = session();
        let hello = format!(r#"{{"type":"id","id":7,"features":{features}}}"#);
        for start in [1, 100] {
            session.connected(at(start));
            session.frame(&hello, at(start), 1);
            session.frame(r#"{"type":"userlist","users":["ana"]}"#, at(start), 1);
            session.set_blocked("eva".into(), true);
            let blocks = sent(&outputs(&mut session)).iter().filter(|frame| frame["type"] == "block").count();
            assert_eq!(blocks, told, "{features}");
            session.frame(line, at(start), 1);
            session.frame(offer, at(start), 1);
            assert!(outputs(&mut session).is_empty());
            session.disconnected(lost(), at(start + 1));
            outputs(&mut session);
        }
        session.connected(at(200));
        session.frame(&hello, at(200), 1);
        session.frame(r#"{"type":"userlist","users":["ana"]}"#, at(200), 1);
        session.set_blocked("eva".into(), false);
        outputs(&mut session);
        session.frame(line, at(200), 1);
        assert_eq!(outputs(&mut session).len(), 1);
    }
}

#[test]
fn a_first_login_whose_token_is_refused_is_the_end_and_says_whether_a_fresh_one_would_do() {
    for (code, expired) in [("unauthorized", false), ("token-expired", true)] {
        let mut session = session().with_token(Some("first".into()));
        session.connected(at(1));
        session.frame(r#"{"type":"id","id":7,"auth":"required"}"#, at(1), 1);
        assert_eq!(sent(&outputs(&mut session))[0]["token"], "first");
        session.frame(&format!(r#"{{"type":"error","code":"{code}","message":"no","for":"username"}}"#), at(1), 1);
        let why = SignalingError::TokenRefused { expired, reason: "no".into() };
        let closed = Output::Event(SignalingEvent::Closed { why: Some(why) });
        assert_eq!(outputs(&mut session).last(), Some(&closed));
    }
}

#[test]
fn an_expired_token_makes_room_for_another_and_neither_place_nor_name_is_lost_with_it() {
    const EXPIRED: &str = r#"{"type":"error","code":"token-expired","message":"old","for":"username"}"#;
    let refused = |outputs: &[Output]| outputs.iter().any(|o| matches!(o, Output::Event(SignalingEvent::Refused(_))));
    let mut session = session().with_token(Some("first".into()));
    session.connected(at(1));
    session.frame(r#"{"type":"id","id":7,"resume":"place"}"#, at(1), 1);
    session.frame(r#"{"type":"userlist","users":["ana"]}"#, at(1), 1);
    outputs(&mut session);
    session.frame(EXPIRED, at(2), 1);
    assert!(refused(&outputs(&mut session)));
    session.set_token("second".into(), at(2), 1);
    let shown = sent(&outputs(&mut session));
    assert_eq!((&shown[0]["token"], &shown[0]["resume"]), (&json!("second"), &Value::Null));
    session.disconnected(lost(), at(3));
    outputs(&mut session);
    session.connected(at(100));
    session.frame(r#"{"type":"id","id":8,"resume":"next place"}"#, at(100), 1);
    assert_eq!(sent(&outputs(&mut session))[0]["resume"], "place");
    session.frame(EXPIRED, at(100), 1);
    assert!(refused(&outputs(&mut session)));
    session.set_token("third".into(), at(105), 1);
    let shown = sent(&outputs(&mut session));
    assert_eq!((&shown[0]["token"], &shown[0]["resume"]), (&json!("third"), &json!("place")));
    session.timeout(at(114));
    session.frame(r#"{"type":"userlist","users":["ana"]}"#, at(114), 1);
    assert!(outputs(&mut session).iter().any(|o| matches!(o, Output::Event(SignalingEvent::LoggedIn { .. }))));
}

#[test]
fn frames_of_a_connection_that_is_gone_are_not_heard() {
    let mut session = session();
    log_in(&mut session, at(0));
    session.disconnected(lost(), at(1));
    outputs(&mut session);
    session.frame(r#"{"type":"message","text":"late"}"#, at(1), 1);
    session.frame("nonsense", at(1), 1);
    session.timeout(at(500));
    assert!(outputs(&mut session).is_empty());
}

mod any_input {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Input {
        Connected,
        Disconnected,
        Frame(String),
        Send,
        Rename,
        ReconnectNow,
        Timeout,
        Written,
    }

    fn input() -> impl Strategy<Value = Input> {
        let frame = prop_oneof![
            Just(r#"{"type":"id","id":7,"resume":"t"}"#.to_owned()),
            Just(r#"{"type":"id","id":8}"#.to_owned()),
            Just(r#"{"type":"userlist","users":["ana",null]}"#.to_owned()),
            Just(r#"{"type":"userlist","users":["ana1","zoë"]}"#.to_owned()),
            Just(r#"{"type":"rejectusername","id":7,"name":"ana1"}"#.to_owned()),
            Just(r#"{"type":"message","text":"x"}"#.to_owned()),
            Just(r#"{"type":"error","code":"rate-limited","message":"m"}"#.to_owned()),
            ".{0,20}",
        ];
        prop_oneof![
            2 => Just(Input::Connected),
            1 => Just(Input::Disconnected),
            8 => frame.prop_map(Input::Frame),
            3 => Just(Input::Send),
            1 => Just(Input::Rename),
            1 => Just(Input::ReconnectNow),
            2 => Just(Input::Timeout),
            3 => Just(Input::Written),
        ]
    }

    proptest! {
        #[test]
        fn each_chat_line_is_written_at_most_once_and_in_order_or_its_loss_is_told(
            inputs in proptest::collection::vec((input(), 0_u64..30), 0..120)
        ) {
            let mut session = session();
            let (mut now, mut next, mut written, mut dropped, mut open) = (at(0), 0, Vec::new(), 0, false);
            let mut take = |session: &mut Session, open: &mut bool| {
                for output in outputs(session) {
                    match output {
                        Output::Send(text) => {
                            assert!(*open, "written without a connection: {text}");
                            let frame: Value = serde_json::from_str(&text).unwrap();
                            if let Some(text) = frame["text"].as_str() {
                                written.push(text.parse::<u32>().unwrap());
                            }
                        }
                        Output::Disconnect | Output::Close => *open = false,
                        Output::Event(SignalingEvent::Dropped { .. }) => dropped += 1,
                        _ => {}
                    }
                }
            };
            for (input, wait) in inputs {
                now += at(wait);
                match input {
                    Input::Connected => {
                        // As the driver does it: first what there is to do, and only one connection at a time.
                        take(&mut session, &mut open);
                        if !open {
                            session.connected(now);
                            open = session.state != State::Closed;
                        }
                    }
                    Input::Disconnected => session.disconnected(lost(), now),
                    Input::Frame(text) if open => session.frame(&text, now, 1),
                    Input::Frame(_) => {}
                    Input::Send => {
                        session.send(chat(&next.to_string()));
                        next += 1;
                    }
                    Input::Rename => session.rename("zoë".into(), 1),
                    Input::ReconnectNow => session.reconnect_now(now),
                    Input::Timeout => session.timeout(now),
                    Input::Written => take(&mut session, &mut open),
                }
                prop_assert!(session.queue.len() <= QUEUE_LEN);
            }
            take(&mut session, &mut open);
            prop_assert!(written.is_sorted_by(|a, b| a < b), "{written:?}");
            let waiting = session.queue.len();
            let ended = session.state == State::Closed;
            prop_assert!(ended || written.len() + waiting + dropped == next as usize);
        }
    }
}

fn pings(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Ping)).count()
}

/// When to connect next.
fn connects(outputs: &[Output]) -> Option<Duration> {
    outputs.iter().find_map(|output| match output {
        Output::ConnectAt(at) => Some(*at),
        _ => None,
    })
}

#[test]
fn a_server_that_is_looked_at_has_two_seconds_to_answer() {
    let mut session = session();
    log_in(&mut session, at(0));
    session.probe(at(5));
    session.probe(at(6));
    assert_eq!(pings(&outputs(&mut session)), 1, "one ping is enough");
    assert_eq!(session.next_timeout(), Some(at(7)));
    session.heard(at(6));
    session.timeout(at(7));
    assert!(outputs(&mut session).is_empty(), "it has answered");
    session.probe(at(8));
    session.timeout(at(10));
    let outputs = outputs(&mut session);
    assert!(outputs.iter().any(|output| matches!(
        output,
        Output::Event(SignalingEvent::Reconnecting { why: SignalingError::Silent, .. })
    )));
    assert!(connects(&outputs).is_some_and(|connect| connect < at(11)));
}

#[test]
fn after_a_night_asleep_the_connection_is_given_up_without_a_ping() {
    let mut session = session();
    log_in(&mut session, at(0));
    session.probe(at(30_000));
    let outputs = outputs(&mut session);
    assert_eq!(pings(&outputs), 0);
    assert!(connects(&outputs).is_some());
}

#[test]
fn looking_for_a_server_that_is_lost_begins_the_next_attempt_at_once() {
    let mut session = session();
    log_in(&mut session, at(0));
    for n in 0..8 {
        session.disconnected(lost(), at(n));
    }
    assert!(connects(&outputs(&mut session)).is_some());
    session.probe(at(9));
    assert_eq!(connects(&outputs(&mut session)), Some(at(9)));
}

#[test]
fn while_there_is_hurry_attempts_follow_each_other_within_a_second() {
    let mut session = session();
    log_in(&mut session, at(0));
    for n in 0..8 {
        session.disconnected(lost(), at(n));
    }
    outputs(&mut session);
    session.set_hurry(true, at(8));
    assert_eq!(connects(&outputs(&mut session)), Some(at(9)), "the one that waits is brought forward");
    session.disconnected(lost(), at(9));
    assert_eq!(connects(&outputs(&mut session)), Some(at(10)));
    session.set_hurry(false, at(10));
    session.disconnected(lost(), at(10));
    assert!(connects(&outputs(&mut session)).is_some_and(|connect| connect > at(12)));
}

#[test]
fn a_login_that_was_cut_off_halfway_is_repeated_with_the_token_of_the_place() {
    let mut session = session();
    log_in(&mut session, at(0));
    session.disconnected(lost(), at(1));
    for (second, next) in [(2, "second"), (3, "third")] {
        session.connected(at(second));
        session.frame(&format!(r#"{{"type":"id","id":8,"resume":"{next}"}}"#), at(second), 1);
        assert_eq!(sent(&outputs(&mut session)).last().unwrap()["resume"], "tok", "nobody knows whether it was seen");
        session.reconnect_now(at(second));
        outputs(&mut session);
    }
    log_in(&mut session, at(4));
    session.reconnect_now(at(5));
    session.connected(at(5));
    session.frame(r#"{"type":"id","id":9,"resume":"fourth"}"#, at(5), 1);
    assert_eq!(sent(&outputs(&mut session))[0]["resume"], "tok", "the one of the login before");
}

#[test]
fn a_device_is_registered_for_push_at_each_login_where_the_server_can_and_taken_back_for_good() {
    let registration =
        PushRegister { platform: PushPlatform::Fcm, token: Some("t".into()), endpoint: None, keys: None, locale: None };
    let log_in = |session: &mut Session, now: Duration, platforms: &str| {
        session.connected(now);
        session.frame(&format!(r#"{{"type":"id","id":7,"push":{{"platforms":{platforms}}}}}"#), now, 1);
        session.frame(r#"{"type":"userlist","users":["ana"]}"#, now, 1);
        sent(&outputs(session))
    };
    let mut session = session().with_device(Some("installation".into()));
    session.set_push(Some(registration));
    let first = log_in(&mut session, at(1), r#"["fcm"]"#);
    assert_eq!((&first[0]["device"], &first[0]["features"]), (&json!("installation"), &json!(["user-delta", "push"])));
    assert_eq!(first[1], json!({"type": "push-register", "platform": "fcm", "token": "t"}));
    session.frame(r#"{"type":"push-registered","platform":"fcm"}"#, at(1), 1);
    let told = Output::Event(SignalingEvent::PushRegistered(Some(PushPlatform::Fcm)));
    assert_eq!(outputs(&mut session), [told]);
    session.disconnected(lost(), at(2));
    outputs(&mut session);
    assert_eq!(log_in(&mut session, at(100), r#"["apns"]"#).len(), 1, "such a server has no use for it");
    session.set_push(None);
    assert_eq!(sent(&outputs(&mut session)), [json!({"type": "push-unregister"})]);
    session.disconnected(lost(), at(101));
    outputs(&mut session);
    session.connected(at(200));
    session.frame(r#"{"type":"id","id":7}"#, at(200), 1);
    session.frame(r#"{"type":"userlist","users":["ana"]}"#, at(200), 1);
    assert_eq!(sent(&outputs(&mut session)).len(), 1, "a server without push hears nothing of it");
}

#[test]
fn who_is_away_is_told_before_the_users_and_only_when_it_changes() {
    let mut session = session();
    log_in(&mut session, at(1));
    let lists = [
        r#"{"type":"userlist","users":["ana"],"away":["bia"],"seq":1}"#,
        r#"{"type":"userlist-delta","joined":["eva"],"seq":2}"#,
        r#"{"type":"userlist-delta","joined":["bia"],"seq":3}"#,
    ];
    for (list, away) in lists.into_iter().zip([Some(vec!["bia".to_owned()]), None, Some(Vec::new())]) {
        session.frame(list, at(2), 1);
        let outputs = outputs(&mut session);
        let first = outputs.first();
        match away {
            Some(away) => assert_eq!(first, Some(&Output::Event(SignalingEvent::Away(away)))),
            None => assert!(matches!(first, Some(Output::Event(SignalingEvent::Users(_))))),
        }
        assert!(matches!(outputs.last(), Some(Output::Event(SignalingEvent::Users(_)))));
    }
}
