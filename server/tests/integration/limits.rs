//! What clients may not do, and how the server ends.

use crate::support::{PATIENCE, config, start};
use futures_util::SinkExt;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};

fn status(result: Result<impl Sized, tungstenite::Error>) -> u16 {
    match result {
        Ok(_) => 101,
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        Err(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn origins_and_subprotocols_are_checked_at_the_door() {
    let mut config = config();
    config.allowed_origins = vec!["https://call.example/".into()];
    let server = start(config).await;
    assert_eq!(status(server.try_connect(&[("origin", "https://call.example")]).await), 101);
    assert_eq!(status(server.try_connect(&[]).await), 101);
    assert_eq!(status(server.try_connect(&[("origin", "https://evil.example")]).await), 403);
    assert_eq!(status(server.try_connect(&[("sec-websocket-protocol", "xml, json")]).await), 101);
    assert_eq!(status(server.try_connect(&[("sec-websocket-protocol", "xml")]).await), 400);
}

#[tokio::test]
async fn frames_and_texts_that_are_too_long_are_refused_and_the_connection_lives_on() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    ana.refused(json!({"type": "message", "text": "é".repeat(257)}), "too-large").await;
    ana.send(json!({"type": "message", "text": "é".repeat(256)})).await;
    assert_eq!(ana.heard().await["type"], "message");
    ana.refused(json!({"type": "message", "text": "x".repeat(70_000)}), "too-large").await;
    ana.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(ana.heard().await["code"], "bad-message");
    ana.heard_nothing().await;
}

#[tokio::test]
async fn a_frame_that_is_far_too_long_ends_the_connection() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    // The server may be gone before all of it is written.
    let _ = ana.socket.send(Message::text("x".repeat(300 * 1024))).await;
    assert!(matches!(ana.close_code().await, Some(1009) | None));
    let mut bia = server.log_in("bia").await;
    bia.list_where(|list| !list.contains(&"ana".to_owned())).await;
}

#[tokio::test]
async fn who_sends_too_fast_is_refused_and_in_the_end_disconnected() {
    let mut config = config();
    config.limits.messages_per_second = 1;
    config.limits.burst = 3;
    config.limits.strikes = 3;
    let server = start(config).await;
    let mut ana = server.log_in("ana").await;
    for _ in 0..2 {
        ana.send(json!({"type": "message", "text": "x"})).await;
        assert_eq!(ana.heard().await["type"], "message");
    }
    for _ in 0..3 {
        ana.refused(json!({"type": "message", "text": "x"}), "rate-limited").await;
    }
    ana.send(json!({"type": "message", "text": "x"})).await;
    assert_eq!(ana.close_code().await, Some(1008));
}

#[tokio::test]
async fn pings_count_as_messages_and_too_many_end_the_connection() {
    let mut config = config();
    config.limits.messages_per_second = 1;
    config.limits.burst = 10;
    config.limits.strikes = 10;
    let server = start(config).await;
    let mut ana = server.log_in("ana").await;
    let mut bia = server.log_in("bia").await;
    for _ in 0..5 {
        ana.socket.send(Message::Ping(Default::default())).await.unwrap();
    }
    ana.heard_nothing().await;
    for _ in 0..30 {
        // The server may have closed before all of them are written.
        let _ = ana.socket.send(Message::Ping(Default::default())).await;
    }
    assert_eq!(ana.close_code().await, Some(1008));
    assert_eq!(bia.heard().await["type"], "message");
    bia.heard_nothing().await;
}

#[tokio::test]
async fn an_idle_http_connection_does_not_hold_a_shutdown_up() {
    let mut server = start(config()).await;
    let mut idle = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let half = b"GET / HTTP/1.1\r\nHost: x\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut idle, half).await.unwrap();
    let ana = server.log_in("ana").await;
    server.stop.take().unwrap().send(()).unwrap();
    // Nor does a client that says no goodbye: this one is never read again.
    timeout(PATIENCE, server.task).await.expect("the server does not end").unwrap();
    drop(ana);
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let mut config = config();
    config.limits.connections = 1;
    let server = start(config).await;
    let _ana = server.log_in("ana").await;
    let socket = server.try_connect(&[]).await.unwrap();
    let mut late = crate::support::Client { socket, id: 0, token: String::new(), name: String::new() };
    assert_eq!(late.next().await["code"], "full");
    assert_eq!(late.close_code().await, Some(1013));
}

#[tokio::test]
async fn who_does_not_log_in_in_time_is_disconnected() {
    let mut config = config();
    config.login_timeout = Duration::from_millis(100);
    let server = start(config).await;
    let mut ana = server.log_in("ana").await;
    assert_eq!(server.connect().await.close_code().await, Some(1008));
    ana.heard_nothing().await;
}

#[tokio::test]
async fn who_answers_no_ping_is_dropped() {
    let mut config = config();
    config.ping_interval = Duration::from_millis(100);
    config.ping_timeout = Duration::from_millis(300);
    config.resume_grace = Duration::ZERO;
    let server = start(config).await;
    // Nobody reads this socket, so nothing answers its pings.
    let _silent = server.log_in("silent").await;
    let mut ana = server.log_in("ana").await;
    assert_eq!(ana.list_where(|list| list.len() == 1).await, ["ana"]);
}

#[tokio::test]
async fn who_does_not_read_is_lost_in_the_end_and_nobody_waits_for_it() {
    let mut config = config();
    config.limits.queue_bytes = 1024 * 1024;
    config.limits.messages_per_second = 1_000_000;
    config.limits.burst = 1_000_000;
    config.limits.bytes_per_second = u32::MAX;
    config.write_timeout = Duration::from_millis(300);
    config.resume_grace = Duration::ZERO;
    let server = start(config).await;
    let _deaf = server.log_in("deaf").await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    let load = "x".repeat(60_000);
    let flood = async {
        // Fills the system's buffers, then the sender's share of the queue.
        loop {
            ana.send(json!({"type": "load", "target": "deaf", "load": load})).await;
            ana.send(json!({"type": "wave", "target": "bia"})).await;
            bia.heard().await;
            let refused = timeout(Duration::from_millis(1), ana.heard()).await;
            if refused.is_ok_and(|error| error["code"] == "rate-limited") {
                return;
            }
        }
    };
    timeout(PATIENCE, flood).await.expect("the sender was never refused");
    bia.list_where(|list| !list.contains(&"deaf".to_owned())).await;
    bia.send(json!({"type": "wave", "target": "ana"})).await;
    ana.next_of(&["wave"]).await;
}

#[tokio::test]
async fn a_shutdown_says_goodbye_and_ends() {
    let mut server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    let mut nameless = server.connect().await;
    server.stop.take().unwrap().send(()).unwrap();
    assert_eq!(ana.close_code().await, Some(1001));
    assert_eq!(nameless.close_code().await, Some(1001));
    drop((ana, nameless));
    timeout(PATIENCE, server.task).await.expect("the server does not end").unwrap();
}
