//! Messages of calls.

use super::Client;
use serde_json::{Value, json};

pub const CALL: &str = "5a0e1b8c-4d5f-4c57-8f0a-0d3c8ac1a001";

pub fn sdp(kind: &str) -> Value {
    json!({"type": kind, "sdp": "v=0"})
}

pub fn offer(target: &str) -> Value {
    json!({"type": "video-offer", "target": target, "sdp": sdp("offer"), "call": CALL})
}

pub fn answer(target: &str) -> Value {
    json!({"type": "video-answer", "target": target, "sdp": sdp("answer"), "call": CALL})
}

/// The next message but for other people's lines.
pub async fn hears(client: &mut Client, kind: &str, from: &str) -> Value {
    let message = loop {
        let message = client.heard().await;
        if kind == "message" || message["type"] != "message" {
            break message;
        }
    };
    assert_eq!((&message["type"], &message["name"]), (&json!(kind), &json!(from)), "{message}");
    message
}
