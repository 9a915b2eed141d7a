//! Names that deceive, as somebody would try them.

use crate::support::{config, start};
use serde_json::json;

#[tokio::test]
async fn names_that_cannot_be_seen_are_refused() {
    let server = start(config()).await;
    let mut client = server.connect().await;
    for name in [
        "\u{AD}",
        "a\u{AD}na",
        "\u{3164}",
        "\u{2800}\u{2800}",
        "ana\u{E0041}",
        "a\u{202E}na",
        "\u{115F}x",
        "ana\u{200D}",
        "\u{301}",
    ] {
        client.refused(json!({"type": "username", "name": name, "id": client.id}), "bad-name").await;
    }
    let painted = format!("a{}", "\u{30D}".repeat(31));
    client.refused(json!({"type": "username", "name": painted, "id": client.id}), "bad-name").await;
}

#[tokio::test]
async fn who_looks_like_somebody_gets_a_number() {
    let server = start(config()).await;
    let _people = [server.log_in("ana").await, server.log_in("Zoë").await, server.log_in("paypal").await];
    for (wanted, given) in [("аnа", "аnа2"), ("Ana", "Ana3"), ("Zoe\u{308}", "Zoë2"), ("paypaI", "paypaI2")] {
        let client = server.log_in(wanted).await;
        assert_eq!(client.name, given);
        std::mem::forget(client);
    }
    // Who changes the look of the own name is nobody else.
    let mut bia = server.log_in("bia").await;
    bia.send(json!({"type": "username", "name": "Bia", "id": bia.id})).await;
    bia.list_where(|list| list.contains(&"Bia".to_owned())).await;
}

#[tokio::test]
async fn a_line_turns_nobodys_reading_direction() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    ana.send(json!({"type": "message", "text": "a\u{202E}b\u{7}c\u{2067}"})).await;
    assert_eq!(ana.heard().await["text"], "abc");
    ana.refused(json!({"type": "message", "text": "\u{202E}\u{0}"}), "bad-message").await;
}
