//! A server that is broken, or means ill.

use super::*;
use chamada_tests::mock_server::{Faults, Script, huge_frame, malformed_frames};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn malformed_frames_are_counted_and_the_client_lives_on() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    let mut total = 0;
    for frame in malformed_frames() {
        connection.send(&frame);
        total += 1;
        assert_eq!(next(&mut events).await, Event::Malformed { total }, "{}", &frame[..frame.len().min(80)]);
    }
    for _ in 0..2 {
        connection.send_binary(br#"{"type":"message","text":"binary"}"#);
        total += 1;
        assert_eq!(next(&mut events).await, Event::Malformed { total });
    }
    // A name that cannot be one is malformed too.
    for name in ["", "a\nb", &"x".repeat(65)] {
        connection.send(json!({"type": "rejectusername", "id": 7, "name": name}));
        total += 1;
        assert_eq!(next(&mut events).await, Event::Malformed { total });
    }
    connection.send(json!({"type": "message", "text": "still here"}));
    until_chat(&mut events, "still here").await;
    client.chat("so am I").unwrap();
    assert_eq!(connection.received("message").await["text"], "so am I");
    assert_eq!(client.name(), "ana");
}

#[tokio::test]
async fn malformed_frames_before_the_login_do_not_keep_it_from_happening() {
    let script = malformed_frames().iter().fold(Script::mute(), |script, frame| script.hello(frame)).hello(ID);
    let server = MockServer::start(script).await;
    // Fewer places than frames: what the app cannot read before it has its client is not waited for.
    let (sender, mut events) = channel(4);
    let (client, _connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.received("username").await;
        connection.send_users(&["ana"]);
        connection
    });
    client.unwrap();
    assert_eq!(next(&mut events).await, Event::Malformed { total: 1 });
}

#[tokio::test]
async fn types_of_the_future_are_passed_over() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, connection) = logged_in(&server).await;
    connection.send(json!({"type": "wave", "target": "ana", "n": [1, {"a": null}]}));
    connection.send(json!({"type": "username", "name": "eva", "id": 7, "date": 1}));
    connection.send(json!({"type": "", "x": 1}));
    connection.send(json!({"type": "hang-up", "name": "bia", "reason": "of the future", "more": 1}));
    let Event::Call(Message::HangUp(hang_up)) = next(&mut events).await else { panic!() };
    assert_eq!(hang_up.reason, Some(HangUpReason::Unrecognised));
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_connection_and_the_client_comes_back() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, connection) = logged_in(&server).await;
    connection.send(huge_frame());
    assert!(matches!(until_reconnecting(&mut events).await, SignalingError::Protocol(_)));
    server.connection(2).await.log_in(ID, &["ana"]).await;
    until_logged_in(&mut events).await;
    // A length of 2^62 bytes is not waited for, nor is room made for it.
    server.connection(2).await.send_raw(&[0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(until_reconnecting(&mut events).await, SignalingError::Protocol(_)));
}

#[tokio::test]
async fn broken_websocket_frames_end_the_connection_and_the_client_comes_back() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, _) = logged_in(&server).await;
    let not_utf8 = [0x81, 2, 0xFF, 0xFE];
    let masked = [0x81, 0x82, 1, 2, 3, 4, 5, 6];
    let stray_continuation = [0x80, 1, b'x'];
    let long_ping = [&[0x89, 126, 0, 200][..], &[b'x'; 200]].concat();
    for (nth, bytes) in [&not_utf8[..], &masked, &stray_continuation, &long_ping].into_iter().enumerate() {
        server.connection(nth + 1).await.send_raw(bytes);
        let why = until_reconnecting(&mut events).await;
        assert!(matches!(why, SignalingError::Protocol(_)), "{bytes:x?}: {why:?}");
        server.connection(nth + 2).await.log_in(ID, &["ana"]).await;
        until_logged_in(&mut events).await;
    }
}

#[tokio::test]
async fn a_flood_meets_flow_control_and_not_our_memory_and_nothing_of_it_is_lost() {
    const FRAMES: usize = 1_500;
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    let before = connection.written();
    let load = "x".repeat(60_000);
    for n in 0..FRAMES {
        connection.send(json!({"type": "message", "text": load, "id": n}));
    }
    // The system's buffers and 64 events fill up; then the server cannot write any more. That nothing happens has no event.
    let mut written = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        match connection.written() - before {
            same if same == written && same > 0 => break,
            more => written = more,
        }
    }
    assert!(written < FRAMES / 2, "{written} frames of 60 kB were taken from the server while nobody read them");
    // Meanwhile the app's calls neither wait nor pile up.
    let refused = (0..10_000).find_map(|_| client.chat("x").err());
    assert_eq!(refused, Some(SignalingError::QueueFull));
    for n in 0..FRAMES {
        let Event::Chat { id, .. } = next(&mut events).await else { panic!() };
        assert_eq!(id, n as u64);
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_is_given_up_and_the_app_never_waits() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    connection.freeze();
    connection.send(json!({"type": "message", "text": "frozen"}));
    until_chat(&mut events, "frozen").await;
    let text = "\u{1F600}".repeat(256);
    // Fills the system's buffers, then the queue.
    let full = async {
        loop {
            match client.chat(&text) {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    };
    assert_eq!(timeout(PATIENCE, full).await.unwrap(), SignalingError::QueueFull);
    tokio::time::pause();
    assert_eq!(until_reconnecting(&mut events).await, SignalingError::Silent);
    tokio::time::resume();
    connection.cut();
    // More waited than may be kept, so that there is much to tell the app: it has to read on.
    let connection = server.connection(2).await;
    tokio::join!(connection.log_in(ID, &["ana"]), until_logged_in(&mut events));
    assert_eq!(connection.received("message").await["text"], text);
}

#[tokio::test]
async fn a_slow_reader_gets_everything_in_order() {
    let server = MockServer::start(Script::mute().slow_reader(Duration::from_millis(5))).await;
    let (client, _events, connection) = logged_in(&server).await;
    for n in 0..50 {
        client.chat(&n.to_string()).unwrap();
    }
    for n in 0..50 {
        assert_eq!(connection.received("message").await["text"], n.to_string());
    }
}

#[tokio::test]
async fn a_repeated_id_list_or_rejection_changes_nothing() {
    let everything_twice = Script::mute().hello(r#"{"type":"id","id":7}"#).faults(Faults::seeded(1).duplicate(1.0));
    let server = MockServer::start(everything_twice).await;
    let (sender, mut events) = channel(32);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.received("username").await;
        connection.send(r#"{"type":"rejectusername","id":7,"name":"ana1"}"#);
        connection.send_users(&["ana", "ana1"]);
        connection
    });
    let client = client.unwrap();
    assert_eq!(client.name(), "ana1");
    let mut logins = 0;
    connection.send(json!({"type": "message", "text": "end"}));
    loop {
        match next(&mut events).await {
            Event::LoggedIn { .. } => logins += 1,
            Event::Chat { .. } => break,
            Event::Renamed { name, .. } => assert_eq!(name, "ana1"),
            Event::Users(users) => assert_eq!(users, ["ana", "ana1"]),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(logins, 1);
    client.chat("x").unwrap();
    connection.received("message").await;
    assert_eq!(server.frames().iter().filter(|frame| frame["type"] == "username").count(), 1);
}

#[tokio::test]
async fn a_login_whose_frames_come_in_any_order_still_happens_or_fails_in_words() {
    // The list before the id, the rejection after the list: a later list or the rejection puts it right.
    let server = MockServer::start(Script::mute()).await;
    let (sender, mut events) = channel(32);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.send_users(&["ana"]);
        connection.send(r#"{"type":"rejectusername","id":7,"name":"too early"}"#);
        connection.send(r#"{"type":"id","id":7}"#);
        connection.received("username").await;
        connection.send_users(&["ana", "ana1"]);
        connection.send(r#"{"type":"rejectusername","id":7,"name":"ana1"}"#);
        connection
    });
    let client = client.unwrap();
    until(&mut events, |e| *e == Event::Renamed { wanted: "ana".into(), name: "ana1".into() }).await;
    client.send(hang_up(Some("bia"))).unwrap();
    assert_eq!(connection.received("hang-up").await["name"], "ana1");
}

#[tokio::test]
async fn a_rough_way_for_frames_breaks_nothing() {
    let rough = Faults::seeded(11).drop(0.2).duplicate(0.2).reorder(6).delay(Duration::from_millis(1));
    let server = MockServer::start(Script::mute().faults(rough.only(&["message", "hang-up", "userlist"]))).await;
    let (sender, mut events) = channel(32);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.send(ID);
        connection.received("username").await;
        // Some of them will get through.
        for _ in 0..10 {
            connection.send_users(&["ana"]);
        }
        connection
    });
    let client = client.unwrap();
    let read = tokio::spawn(async move {
        let mut heard = Vec::new();
        loop {
            match next(&mut events).await {
                Event::Chat { id, .. } => heard.push(id),
                Event::Refused(_) => return heard,
                Event::Malformed { .. } | Event::Reconnecting { .. } | Event::Closed { .. } => panic!("it broke"),
                _ => {}
            }
        }
    });
    for n in 0..200 {
        connection.send(json!({"type": "message", "text": "x", "id": n}));
    }
    connection.wrote(150).await;
    connection.send(json!({"type": "message", "text": "x", "id": 200}));
    tokio::time::sleep(Faults::QUIET * 2).await;
    connection.send(json!({"type": "error", "code": "rate-limited", "message": "the end"}));
    let heard = read.await.unwrap();
    assert!((120..240).contains(&heard.len()) && !heard.is_sorted(), "{heard:?}");
    client.logout().await;
    assert_eq!(connection.closed().await, Some(1000));
}
