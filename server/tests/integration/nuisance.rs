//! Ringing as a nuisance.

use crate::support::{config, start};
use serde_json::{Value, json};

fn offer(to: &str) -> Value {
    json!({"type": "video-offer", "target": to, "sdp": {"type": "offer", "sdp": "v=0"}})
}

fn hang_up(to: &str, reason: &str) -> Value {
    json!({"type": "hang-up", "target": to, "reason": reason})
}

#[tokio::test]
async fn nobody_can_ring_somebody_all_the_time() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    for _ in 0..6 {
        ana.send(offer("bia")).await;
        assert_eq!(bia.heard().await["type"], "video-offer");
        ana.send(hang_up("bia", "cancelled")).await;
        assert_eq!(bia.heard().await["type"], "hang-up");
    }
    let error = ana.refused(offer("bia"), "rate-limited").await;
    assert_eq!((&error["target"], &error["for"]), (&json!("bia"), &json!("video-offer")));
    // The other way round it is another matter, and who calls may be called back.
    bia.send(offer("ana")).await;
    assert_eq!(ana.heard().await["name"], "bia");
    bia.send(hang_up("ana", "cancelled")).await;
    ana.heard().await;
    ana.send(offer("bia")).await;
    assert_eq!(bia.heard().await["type"], "video-offer");
}

#[tokio::test]
async fn offers_over_an_open_one_count_too() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    for _ in 0..6 {
        ana.send(offer("bia")).await;
        assert_eq!(bia.heard().await["type"], "video-offer");
    }
    ana.refused(offer("bia"), "rate-limited").await;
    bia.send(json!({"type": "video-answer", "target": "ana", "sdp": {"type": "answer", "sdp": "v=0"}})).await;
    ana.heard().await;
    // In a call, renegotiation is nobody's nuisance.
    for _ in 0..20 {
        ana.send(offer("bia")).await;
        assert_eq!(bia.heard().await["type"], "video-offer");
    }
}

#[tokio::test]
async fn a_decline_quiets_the_caller_for_a_while() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    ana.send(offer("bia")).await;
    bia.heard().await;
    bia.send(hang_up("ana", "declined")).await;
    assert_eq!(ana.heard().await["reason"], "declined");
    ana.refused(offer("bia"), "rate-limited").await;
    bia.heard_nothing().await;
}

#[tokio::test]
async fn who_is_blocked_neither_calls_nor_is_heard_under_any_name() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    bia.send(json!({"type": "block", "name": "ana"})).await;
    bia.heard_nothing().await;
    assert_eq!(ana.heard().await["name"], "bia");
    ana.refused(offer("bia"), "blocked").await;
    ana.refused(json!({"type": "wave", "target": "bia"}), "blocked").await;
    ana.send(json!({"type": "username", "name": "somebody else", "id": ana.id})).await;
    ana.list_where(|list| list.contains(&"somebody else".to_owned())).await;
    ana.refused(offer("bia"), "blocked").await;
    ana.heard_nothing().await;
    bia.heard_nothing().await;
    ana.heard().await;
    // Another session under the name is blocked too.
    let mut again = server.log_in("Ana").await;
    again.refused(offer("bia"), "blocked").await;
    bia.send(json!({"type": "unblock", "name": "ana"})).await;
    bia.heard_nothing().await;
    again.heard().await;
    again.send(offer("bia")).await;
    assert_eq!(bia.heard().await["name"], "Ana");
}

#[tokio::test]
async fn who_was_blocked_stays_so_for_those_who_come_back_after_a_break_and_under_the_name_for_newcomers() {
    let server = start(config()).await;
    let mut bia = server.log_in("bia").await;
    bia.send(json!({"type": "block", "name": "ana"})).await;
    bia.heard_nothing().await;
    let place = bia.token.clone();
    bia.close(4000).await;
    let mut bia = server.connect().await;
    bia.log_in("bia", Some(&place)).await;
    let mut ana = server.log_in("ana").await;
    ana.refused(offer("bia"), "blocked").await;
    ana.send(json!({"type": "message", "text": "hello", "id": ana.id})).await;
    assert_eq!(ana.heard().await["text"], "hello");
    bia.heard_nothing().await;
}
