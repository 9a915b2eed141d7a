//! A login, from the first frame to the log-out.

use super::*;
use chamada::signaling::message::{CallId, IceCandidate, NewIceCandidate};
use chamada_tests::mock_server::Script;
use serde_json::json;

#[tokio::test]
async fn the_server_tells_its_number_ice_servers_and_kind_and_the_client_asks_for_its_name() {
    let server = MockServer::start(Script::mute().hello(json!({"type": "id", "id": 7.0, "resume": "tok",
        "iceServers": [{"urls": "turn:t.example", "username": "u", "credential": "c"}],
        "server": {"name": "mock", "version": "3"}, "of the future": [1]})))
    .await;
    let (sender, mut events) = channel(16);
    let (client, username) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        let username = connection.received("username").await;
        connection.send_users(&["bia", "ana"]);
        username
    });
    let _client = client.unwrap();
    assert_eq!((&username["name"], &username["id"]), (&json!("ana"), &json!(7)));
    assert!(username["date"].as_u64().unwrap() > 1_600_000_000_000 && username.get("resume").is_none(), "{username}");
    let Event::LoggedIn { name, id, ice_servers, server, resumed, push: None } = next(&mut events).await else {
        panic!()
    };
    assert_eq!((name.as_str(), id, resumed, server.unwrap().name.as_str()), ("ana", 7, false, "mock"));
    assert_eq!((ice_servers[0].urls[0].as_str(), ice_servers[0].credential.as_deref()), ("turn:t.example", Some("c")));
    assert_eq!(next(&mut events).await, Event::Users(vec!["bia".into(), "ana".into()]));
}

#[tokio::test]
async fn a_taken_name_is_replaced_by_the_one_the_server_gives() {
    let server = MockServer::start(Script::mute().hello(r#"{"type":"id","id":7}"#)).await;
    let (sender, mut events) = channel(16);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.received("username").await;
        connection.send(r#"{"type":"rejectusername","id":8,"name":"not for us"}"#);
        connection.send(r#"{"type":"rejectusername","id":7,"name":"ana1"}"#);
        connection.send_users(&["ana", "ana1"]);
        connection
    });
    let client = client.unwrap();
    assert_eq!(client.name(), "ana1");
    assert_eq!(next(&mut events).await, Event::Renamed { wanted: "ana".into(), name: "ana1".into() });
    until_logged_in(&mut events).await;
    client.send(hang_up(Some("bia"))).unwrap();
    assert_eq!(connection.received("hang-up").await["name"], "ana1");
}

#[tokio::test]
async fn a_later_change_of_name_is_told_when_the_list_shows_it_or_the_server_gives_another() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    client.rename(" Zoë ").unwrap();
    assert_eq!(connection.received("username").await["name"], "Zoë");
    assert_eq!(client.name(), "ana");
    connection.send_users(&["Zoë"]);
    assert_eq!(next(&mut events).await, Event::Renamed { wanted: "Zoë".into(), name: "Zoë".into() });
    assert_eq!(client.name(), "Zoë");
    client.rename("bia").unwrap();
    connection.received("username").await;
    connection.send(r#"{"type":"rejectusername","id":7,"name":"bia1"}"#);
    let renamed = until(&mut events, |e| matches!(e, Event::Renamed { .. })).await;
    assert_eq!(renamed, Event::Renamed { wanted: "bia".into(), name: "bia1".into() });
    for bad in ["", "   ", "a\nb", &"x".repeat(33)] {
        assert_eq!(client.rename(bad), Err(SignalingError::BadName));
    }
}

#[tokio::test]
async fn a_refused_change_of_name_is_told_and_the_name_stays() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    client.rename("bia").unwrap();
    connection.received("username").await;
    connection.send(json!({"type": "error", "code": "bad-name", "message": "no", "for": "username"}));
    assert!(matches!(next(&mut events).await, Event::Refused(_)));
    // Somebody else takes it later: that is not us.
    connection.send_users(&["ana", "bia"]);
    assert_eq!(next(&mut events).await, Event::Users(vec!["ana".into(), "bia".into()]));
    assert_eq!(client.name(), "ana");
}

#[tokio::test]
async fn a_user_list_comes_without_nulls_empty_names_and_repetitions() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, connection) = logged_in(&server).await;
    connection.send(r#"{"type":"userlist","users":[null,"ana",null,"","bia","ana"]}"#);
    assert_eq!(next(&mut events).await, Event::Users(vec!["ana".into(), "bia".into()]));
    connection.send(r#"{"type":"userlist","users":[]}"#);
    assert_eq!(next(&mut events).await, Event::Users(vec![]));
}

#[tokio::test]
async fn chat_carries_time_and_name_and_an_empty_or_long_line_is_refused_before_it_is_sent() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    client.chat("olá <b>").unwrap();
    let line = connection.received("message").await;
    assert_eq!((&line["text"], &line["id"]), (&json!("olá <b>"), &json!(7)));
    assert!(line["date"].as_u64().unwrap() > 1_600_000_000_000 && line.get("name").is_none(), "{line}");
    connection.send(json!({"type": "message", "text": "oi", "id": 9, "date": 1_700_000_000_123.0, "name": "bia"}));
    let expected = Event::Chat { from: Some("bia".into()), text: "oi".into(), date: 1_700_000_000_123, id: 9 };
    assert_eq!(next(&mut events).await, expected);
    // A server may leave everything out but the text.
    connection.send(json!({"type": "message", "text": "?"}));
    assert_eq!(next(&mut events).await, Event::Chat { from: None, text: "?".into(), date: 0, id: 0 });
    assert_eq!(client.chat(""), Err(SignalingError::BadText));
    assert_eq!(client.chat(&"é".repeat(257)), Err(SignalingError::BadText));
    client.chat(&"é".repeat(256)).unwrap();
    connection.received("message").await;
}

#[tokio::test]
async fn messages_of_calls_go_both_ways_with_our_name_and_what_only_servers_send_cannot_be_sent() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    let candidate = IceCandidate {
        candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    let message = NewIceCandidate {
        name: Some("somebody else".into()),
        target: Some("bia".into()),
        candidate: Some(candidate),
        call: Some(CallId::random()),
    };
    client.send(Message::NewIceCandidate(message.clone())).unwrap();
    let sent = connection.received("new-ice-candidate").await;
    assert_eq!((&sent["name"], &sent["target"]), (&json!("ana"), &json!("bia")));
    connection.send(&sent);
    let expected = NewIceCandidate { name: Some("ana".into()), ..message };
    assert_eq!(next(&mut events).await, Event::Call(Message::NewIceCandidate(expected)));
    connection.send(json!({"type": "error", "code": "no-such-user", "message": "m", "for": "video-offer"}));
    assert!(matches!(next(&mut events).await, Event::Call(Message::Error(_))));
    for frame in [r#"{"type":"id","id":1}"#, r#"{"type":"userlist","users":[]}"#, r#"{"type":"wave"}"#] {
        let message = Message::parse(frame).unwrap();
        let kind = message.kind().to_owned();
        assert_eq!(client.send(message), Err(SignalingError::NotSendable(kind)));
    }
    let long = Message::VideoOffer(chamada::signaling::message::Description {
        name: None,
        target: Some("bia".into()),
        sdp: chamada::signaling::message::SessionDescription::offer("x".repeat(65_536)),
        call: None,
    });
    assert!(matches!(client.send(long), Err(SignalingError::TooLarge(65_537..))));
}

#[tokio::test]
async fn a_log_out_sends_what_was_said_before_and_closes_with_code_1000() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    // What is under way to us must not turn the end into a reset.
    for n in 0..50 {
        connection.send(json!({"type": "message", "text": n.to_string()}));
    }
    client.chat("bye").unwrap();
    client.logout().await;
    assert_eq!(connection.received("message").await["text"], "bye");
    assert_eq!(connection.closed().await, Some(1000));
    assert_eq!(until(&mut events, |e| matches!(e, Event::Closed { .. })).await, Event::Closed { why: None });
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn a_log_out_does_not_wait_for_an_app_that_has_stopped_reading_its_events() {
    let server = MockServer::start(Script::mute()).await;
    let (sender, mut events) = channel(1);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.log_in(ID, &["ana"]).await;
        for n in 0..100 {
            connection.send(json!({"type": "message", "text": n.to_string()}));
        }
        connection.wrote(102).await;
        connection
    });
    let client = client.unwrap();
    client.chat("bye").unwrap();
    client.logout().await;
    assert_eq!(connection.received("message").await["text"], "bye");
    assert_eq!(connection.closed().await, Some(1000));
    while events.recv().await.is_some() {}
}
