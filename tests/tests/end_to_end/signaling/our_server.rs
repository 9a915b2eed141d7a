//! The client against our own server: what only the two together can show.

use super::*;
use chamada::signaling::message::{Description, SessionDescription};
use chamada_tests::real_server::RealServer;

#[tokio::test]
async fn a_log_out_frees_the_name_at_once() {
    let server = RealServer::start().await;
    for _ in 0..5 {
        let (ana, mut events) = log_in_as("ana", server.url()).await;
        until_logged_in(&mut events).await;
        for n in 0..20 {
            ana.chat(&n.to_string()).unwrap();
        }
        ana.logout().await;
        let (again, _events) = log_in_as("ana", server.url()).await;
        assert_eq!(again.name(), "ana");
        again.logout().await;
    }
}

#[tokio::test]
async fn a_change_of_network_keeps_the_name_and_nobody_sees_it() {
    let server = RealServer::start().await;
    let (ana, mut to_ana) = log_in_as("ana", server.url()).await;
    let (bia, mut to_bia) = log_in_as("bia", server.url()).await;
    until_logged_in(&mut to_ana).await;
    until(&mut to_bia, |e| *e == both()).await;
    for _ in 0..5 {
        ana.reconnect_now();
        let back = until(&mut to_ana, |e| matches!(e, Event::LoggedIn { .. })).await;
        assert!(matches!(&back, Event::LoggedIn { name, resumed: true, .. } if name == "ana"), "{back:?}");
        // Her place is hers too: what is meant for her arrives.
        bia.send(offer("ana")).unwrap();
        until(&mut to_ana, |e| matches!(e, Event::Call(_))).await;
    }
    bia.chat("marker").unwrap();
    loop {
        match next(&mut to_bia).await {
            Event::Chat { .. } => break,
            other => assert_eq!(other, both()),
        }
    }
}

fn offer(to: &str) -> Message {
    let sdp = SessionDescription::offer("v=0");
    Message::VideoOffer(Description { name: None, target: Some(to.into()), sdp, call: None })
}

fn both() -> Event {
    Event::Users(vec!["ana".into(), "bia".into()])
}

#[tokio::test]
async fn a_server_that_shuts_down_is_told_with_its_code() {
    let server = RealServer::start().await;
    let (_ana, mut events) = log_in_as("ana", server.url()).await;
    server.stop().await;
    assert!(matches!(until_reconnecting(&mut events).await, SignalingError::ServerClosed { code: 1001, .. }));
}

#[tokio::test]
async fn a_name_that_the_server_refuses_is_a_refused_login() {
    let server = RealServer::start().await;
    for name in ["<b></b>", "a\u{202E}b"] {
        let bad = SignalingConfig { name: name.into(), ..config(server.url()) };
        let error = SignalingClient::connect(bad, channel(8).0).await.err();
        assert!(matches!(error, Some(SignalingError::LoginRefused(_))), "{error:?}");
    }
    let (marked, _events) = log_in_as("<i>zoë</i>", server.url()).await;
    assert_eq!(marked.name(), "zoë");
}
