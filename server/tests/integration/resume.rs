//! Lost connections and their return.

use crate::support::{config, start};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_lost_client_keeps_its_place_and_gets_what_it_missed() {
    let server = start(config()).await;
    let (ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    let token = ana.token.clone();
    bia.send(json!({"type": "video-offer", "target": "ana", "sdp": {"type": "offer", "sdp": "v=0"}})).await;
    // Waits until the offer is on its way before the connection breaks without a close frame.
    bia.heard_nothing().await;
    let mut ana = ana;
    assert_eq!(ana.heard().await["type"], "video-offer");
    drop(ana);
    bia.send(json!({"type": "wave", "target": "ana", "n": 1})).await;
    bia.heard_nothing().await;

    let mut back = server.connect().await;
    back.log_in("ana", Some(&token)).await;
    assert_eq!(back.name, "ana");
    assert_ne!(back.token, token);
    // The call peer came along too.
    back.send(json!({"type": "hang-up", "target": null})).await;
    assert_eq!(bia.heard().await["target"], "bia");
    bia.send(json!({"type": "wave", "target": "ana", "n": 3})).await;
    assert_eq!(back.next_of(&["wave"]).await["n"], 3);
}

#[tokio::test]
async fn what_came_while_away_is_delivered_once() {
    let mut config = config();
    config.ping_interval = Duration::from_secs(60);
    let server = start(config).await;
    let mut bia = server.log_in("bia").await;
    let ana = server.log_in("ana").await;
    let token = ana.token.clone();
    drop(ana);
    // The server sees the end when a message shows it; that one may be lost, so the health page tells.
    loop {
        let health = crate::support::http(server.address, "GET /healthz HTTP/1.1").await;
        if health.contains(r#""connections":1"#) {
            assert!(health.contains(r#""users":2"#), "{health}");
            break;
        }
    }
    bia.send(json!({"type": "wave", "target": "ana", "n": 1})).await;
    bia.heard_nothing().await;
    let mut back = server.connect().await;
    back.send(json!({"type": "username", "name": "other", "id": back.id, "resume": token})).await;
    assert_eq!(back.heard().await["name"], "ana");
    assert_eq!(back.heard().await["n"], 1);
    assert_eq!(back.heard().await["type"], "message");
    back.heard_nothing().await;
}

#[tokio::test]
async fn the_token_takes_over_a_connection_that_seems_open() {
    let server = start(config()).await;
    let mut half_dead = server.log_in("ana").await;
    let mut back = server.connect().await;
    let token = half_dead.token.clone();
    back.log_in("ana", Some(&token)).await;
    assert_eq!(back.name, "ana");
    assert_eq!(half_dead.close_code().await, Some(1000));
    back.heard_nothing().await;
    // Once the client has shown that it knows of its return, neither an old token nor an invented one is worth anything.
    back.send(json!({"type": "message", "text": "here"})).await;
    assert_eq!(back.heard().await["type"], "message");
    for token in [token.as_str(), "x"] {
        let mut thief = server.connect().await;
        thief.log_in("ana", Some(token)).await;
        assert_ne!(thief.name, "ana");
    }
}

#[tokio::test]
async fn a_return_that_breaks_off_before_the_client_knows_of_it_can_be_repeated_with_the_same_token() {
    let server = start(config()).await;
    let ana = server.log_in("ana").await;
    let token = ana.token.clone();
    drop(ana);
    for _ in 0..3 {
        let mut back = server.connect().await;
        back.log_in("ana", Some(&token)).await;
        assert_eq!(back.name, "ana");
        drop(back);
    }
}

#[tokio::test]
async fn a_clean_close_frees_the_name_at_once() {
    let server = start(config()).await;
    let mut bia = server.log_in("bia").await;
    server.log_in("ana").await.close(1000).await;
    bia.list_where(|list| list.len() == 2).await;
    bia.list_where(|list| list == ["bia"]).await;
    assert_eq!(server.log_in("ana").await.name, "ana");
}

#[tokio::test]
async fn after_the_grace_time_the_place_is_gone_and_nobody_is_hung_up() {
    let mut config = config();
    config.resume_grace = Duration::from_millis(100);
    let server = start(config).await;
    let (mut bia, ana) = (server.log_in("bia").await, server.log_in("ana").await);
    bia.send(json!({"type": "video-offer", "target": "ana", "sdp": {"type": "offer", "sdp": "v=0"}})).await;
    bia.list_where(|list| list.len() == 2).await;
    drop(ana);
    bia.list_where(|list| list == ["bia"]).await;
    bia.heard_nothing().await;
}

/// The two have a call; gives the token of the first one's session, whose page is then loaded anew.
async fn reloading_in_a_call(server: &crate::support::Running, bia: &mut crate::support::Client) -> String {
    const CALL: &str = "00000000-0000-4000-8000-000000000001";
    let mut ana = server.log_in("ana").await;
    ana.send(json!({"type": "video-offer", "target": "bia", "call": CALL, "sdp": {"type": "offer", "sdp": "v=0"}}))
        .await;
    assert_eq!(bia.next_of(&["video-offer"]).await["name"], "ana");
    bia.send(json!({"type": "video-answer", "target": "ana", "call": CALL, "sdp": {"type": "answer", "sdp": "v=0"}}))
        .await;
    assert_eq!(ana.next_of(&["video-answer"]).await["name"], "bia");
    let token = ana.token.clone();
    ana.close(4001).await;
    token
}

#[tokio::test]
async fn a_page_that_is_loaded_anew_in_a_call_comes_back_into_it() {
    let server = start(config()).await;
    let mut bia = server.log_in("bia").await;
    let token = reloading_in_a_call(&server, &mut bia).await;
    let mut back = server.connect().await;
    back.log_in("ana", Some(&token)).await;
    assert_eq!(back.name, "ana");
    back.send(json!({"type": "media-state", "target": "bia", "audio": false, "video": true})).await;
    assert_eq!(bia.next_of(&["media-state", "hang-up"]).await["type"], "media-state");
}

#[tokio::test]
async fn the_peer_of_a_page_that_was_closed_is_hung_up_soon_and_the_name_is_free() {
    let mut config = config();
    config.reload_grace = Duration::from_millis(100);
    let server = start(config).await;
    // One that is lost waits longer, and holds nobody up.
    drop(server.log_in("eva").await);
    let mut bia = server.log_in("bia").await;
    reloading_in_a_call(&server, &mut bia).await;
    let hang_up = bia.next_of(&["hang-up"]).await;
    assert_eq!((&hang_up["name"], &hang_up["reason"]), (&json!("ana"), &json!("ended")));
    assert_eq!(hang_up["call"], "00000000-0000-4000-8000-000000000001");
    bia.list_where(|list| !list.contains(&"ana".to_owned())).await;
}
