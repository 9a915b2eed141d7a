//! The signaling client against the mock server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chamada::signaling::{SignalingClient, SignalingConfig, SignalingError, SignalingEvent as Event};
use chamada_tests::mock_server::MockServer;
use tokio::sync::mpsc::{Receiver, channel};

fn config(url: &str) -> SignalingConfig {
    SignalingConfig { url: url.into(), name: "ana".into(), ..Default::default() }
}

async fn failure(url: &str) -> SignalingError {
    SignalingClient::connect(config(url), channel(16).0).await.err().expect("must fail")
}

async fn until(events: &mut Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events.recv().await.expect("events go on");
        if wanted(&event) {
            return event;
        }
    }
}

const ID: &str = r#"{"type":"id","id":7,"resume":"tok"}"#;

#[tokio::test]
async fn a_lost_connection_is_taken_up_again_with_its_token_and_what_was_said_meanwhile() {
    let server = MockServer::start().await.unwrap();
    let (sender, mut events) = channel(16);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let mut connection = server.accept(Some("json")).await.unwrap();
        assert!(connection.log_in(ID, r#"[null,"ana","ana"]"#).await.unwrap().get("resume").is_none());
        connection
    });
    let client = client.unwrap();
    assert_eq!(until(&mut events, |e| matches!(e, Event::Users(_))).await, Event::Users(vec!["ana".into()]));
    connection.cut();
    until(&mut events, |e| matches!(e, Event::Reconnecting { attempt: 1, .. })).await;
    client.chat("still here").unwrap();
    let mut connection = server.accept(Some("json")).await.unwrap();
    assert_eq!(connection.log_in(ID, r#"["ana"]"#).await.unwrap()["resume"], "tok");
    until(&mut events, |e| matches!(e, Event::LoggedIn { resumed: true, .. })).await;
    assert_eq!(connection.next_frame().await.unwrap()["text"], "still here");
    connection.inject("{").await.unwrap();
    until(&mut events, |e| matches!(e, Event::Malformed { total: 1 })).await;
    let (closed, ()) = tokio::join!(connection.next_frame(), client.logout());
    assert!(closed.unwrap_err().to_string().contains("1000"));
    until(&mut events, |e| matches!(e, Event::Closed { why: None })).await;
}

#[tokio::test]
async fn a_taken_name_is_replaced_by_the_one_the_server_gives() {
    let server = MockServer::start().await.unwrap();
    let (sender, _events) = channel(16);
    let (client, ()) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let mut connection = server.accept(Some("json")).await.unwrap();
        connection.inject(r#"{"type":"id","id":7}"#).await.unwrap();
        connection.next_frame().await.unwrap();
        connection.inject(r#"{"type":"rejectusername","id":7,"name":"ana1"}"#).await.unwrap();
        connection.inject(r#"{"type":"userlist","users":["ana","ana1"]}"#).await.unwrap();
    });
    assert_eq!(client.unwrap().name(), "ana1");
}

#[tokio::test]
async fn a_wrong_server_is_a_typed_error() {
    let server = MockServer::start().await.unwrap();
    let (error, _) =
        tokio::join!(failure(server.url()), server.answer_raw(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
    assert_eq!(error, SignalingError::NotWebSocket { status: Some(404) });
    let (error, _) = tokio::join!(failure(server.url()), server.accept(None));
    assert_eq!(error, SignalingError::WrongSubprotocol(None));
    let (error, _) =
        tokio::join!(failure(server.url()), async { server.accept(Some("json")).await.unwrap().close(1013).await });
    assert!(matches!(error, SignalingError::ServerClosed { code: 1013, .. }), "{error}");
    let url = server.url().to_owned();
    drop(server);
    assert!(matches!(failure(&url).await, SignalingError::Unreachable { .. }));
    assert!(matches!(failure("ftp://x").await, SignalingError::BadUrl(_)));
    assert!(matches!(failure("ws://example.org").await, SignalingError::Insecure(_)));
}
