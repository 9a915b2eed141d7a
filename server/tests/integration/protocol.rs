//! The protocol as clients see it: login, chat, relaying, and who may say what.

use crate::support::{config, http, start, users};
use serde_json::{Value, json};

#[tokio::test]
async fn an_old_page_logs_in_chats_calls_and_hangs_up() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    let mut bia = server.log_in("bia").await;
    ana.list_where(|list| list == ["ana", "bia"]).await;

    ana.send(json!({"text": "olá", "type": "message", "id": ana.id, "date": 1})).await;
    for client in [&mut ana, &mut bia] {
        let line = client.heard().await;
        assert_eq!((&line["name"], &line["text"]), (&json!("ana"), &json!("olá")));
    }
    let offer =
        json!({"name": "ana", "target": "bia", "type": "video-offer", "sdp": {"type": "offer", "sdp": "v=0\r\n"}});
    ana.send(offer.clone()).await;
    assert_eq!(bia.heard().await, offer);
    ana.send(json!({"type": "new-ice-candidate", "target": "bia",
        "candidate": {"candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0}}))
        .await;
    let candidate = bia.heard().await;
    assert_eq!((&candidate["name"], &candidate["candidate"]["sdpMLineIndex"]), (&json!("ana"), &json!(0)));
    bia.send(
        json!({"name": "bia", "target": "ana", "type": "video-answer", "sdp": {"type": "answer", "sdp": "v=0\r\n"}}),
    )
    .await;
    assert_eq!(ana.heard().await["type"], "video-answer");

    let mut stranger = server.log_in("eva").await;
    // The old page clears its target first.
    bia.send(json!({"name": "bia", "target": null, "type": "hang-up"})).await;
    assert_eq!(ana.heard().await, json!({"name": "bia", "target": "ana", "type": "hang-up"}));
    // The call is over: there is nobody left to hang up on.
    ana.send(json!({"name": "ana", "target": null, "type": "hang-up"})).await;
    bia.heard_nothing().await;
    assert_eq!(stranger.heard().await["type"], "message", "the hang-up was not for everyone");
}

#[tokio::test]
async fn an_offer_of_a_stranger_does_not_take_over_a_hang_up_without_target() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) =
        (server.log_in("ana").await, server.log_in("bia").await, server.log_in("eva").await);
    let describe = |kind: &str, to: &str| json!({"type": format!("video-{kind}"), "target": to, "sdp": {"type": kind, "sdp": "v=0"}});
    ana.send(describe("offer", "bia")).await;
    bia.heard().await;
    bia.send(describe("answer", "ana")).await;
    ana.heard().await;
    eva.send(describe("offer", "bia")).await;
    bia.heard().await;
    bia.send(json!({"type": "hang-up"})).await;
    assert_eq!(ana.heard().await["type"], "hang-up");
    eva.heard_nothing().await;
}

#[tokio::test]
async fn a_taken_name_gets_a_number_and_a_changed_one_is_told() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    assert_eq!(server.log_in("ana").await.name, "ana2");
    ana.send(json!({"type": "username", "name": "  <b>Ana</b> < ", "id": ana.id})).await;
    assert_eq!(ana.next_of(&["rejectusername"]).await["name"], "Ana ＜");
    ana.list_where(|list| list.first().is_some_and(|name| name == "Ana ＜")).await;
    let long = "ã".repeat(32);
    server.log_in(&long).await.close(1001).await;
    let first = server.log_in(&long).await;
    let second = server.log_in(&long).await;
    assert_eq!(second.name.chars().count(), 32);
    assert_ne!(second.name, first.name);
}

#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    let server = start(config()).await;
    let mut client = server.connect().await;
    for (name, code) in [("", "bad-name"), (" <b></b> ", "bad-name"), ("a\u{7}", "bad-name")] {
        client.refused(json!({"type": "username", "name": name, "id": client.id}), code).await;
    }
    client.refused(json!({"type": "username", "name": "x".repeat(33), "id": client.id}), "too-large").await;
    client.refused(json!({"type": "username", "id": client.id}), "bad-message").await;
    client.refused(json!({"type": "message", "text": "x", "id": client.id}), "not-logged-in").await;
}

#[tokio::test]
async fn nobody_speaks_as_somebody_else() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    ana.refused(json!({"type": "message", "text": "x", "id": bia.id}), "bad-message").await;
    for kind in ["id", "rejectusername", "userlist", "error"] {
        ana.refused(json!({"type": kind, "target": "bia", "users": []}), "bad-message").await;
    }
    ana.send(json!({"type": "greeting", "name": "eva", "target": "bia", "extra": [1, {"a": null}]})).await;
    assert_eq!(
        bia.heard().await,
        json!({"type": "greeting", "name": "ana", "target": "bia", "extra": [1, {"a": null}]})
    );
    ana.send(json!({"type": "wave", "name": 7, "target": "bia"})).await;
    assert_eq!(bia.heard().await, json!({"type": "wave", "name": "ana", "target": "bia"}));
    ana.refused(json!({"type": "wave"}), "bad-message").await;
    ana.refused(json!({"type": "wave", "target": "ana"}), "bad-message").await;
    ana.refused(json!({"type": "wave", "target": 5}), "bad-message").await;
}

#[tokio::test]
async fn what_is_malformed_or_for_nobody_is_refused_and_the_connection_lives_on() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    let _bia = server.log_in("bia").await;
    for frame in ["", "nonsense", "[]", "{}", r#"{"type":1}"#, r#"{"type":"video-offer","target":"bia","sdp":"v=0"}"#] {
        ana.send_text(frame).await;
        assert_eq!(ana.heard().await["code"], "bad-message", "{frame}");
    }
    let call = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let error = ana
        .refused(
            json!({"type": "video-offer", "target": "zé", "call": call, "sdp": {"type": "offer", "sdp": ""}}),
            "no-such-user",
        )
        .await;
    assert_eq!((&error["target"], &error["call"], &error["for"]), (&json!("zé"), &json!(call), &json!("video-offer")));
    ana.heard_nothing().await;
}

#[tokio::test]
async fn nothing_that_is_said_is_markup() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    for (said, heard) in [
        ("<img src=x onerror=alert(1)", "＜img src=x onerror=alert(1)"),
        ("<<b>script>alert(1)", "script>alert(1)"),
        ("a <i>b</i>", "a b"),
    ] {
        ana.send(json!({"type": "message", "text": said, "id": ana.id, "date": 1e300_f64.min(5.0)})).await;
        let line = ana.heard().await;
        assert_eq!(line["text"], heard);
        assert!(line["date"].as_u64().unwrap() > 1_600_000_000_000, "a date of long ago is replaced");
    }
    ana.refused(json!({"type": "message", "text": "<b>"}), "bad-message").await;
}

#[tokio::test]
async fn the_page_and_health_are_served_with_protection() {
    let server = start(config()).await;
    let page = http(server.address, "GET / HTTP/1.1").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for header in ["frame-ancestors 'none'", "nosniff", "no-referrer", "no-cache", "camera=(self)", "text/html"] {
        assert!(page.contains(header), "{header} is missing: {page}");
    }
    let _ana = server.log_in("ana").await;
    let health = http(server.address, "GET /healthz HTTP/1.1").await;
    let body: Value = serde_json::from_str(health.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((&body["connections"], &body["users"]), (&json!(1), &json!(1)));
    assert!(http(server.address, "GET /../etc/passwd HTTP/1.1").await.starts_with("HTTP/1.1 404"));
    assert!(http(server.address, "POST / HTTP/1.1").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn many_logins_are_told_in_few_lists() {
    let mut config = config();
    config.userlist_interval = std::time::Duration::from_millis(200);
    let server = start(config).await;
    let mut watcher = server.log_in("watcher").await;
    let started = std::time::Instant::now();
    let mut clients = Vec::new();
    for n in 0..100 {
        let mut client = server.connect().await;
        client.send(json!({"type": "username", "name": format!("user {n}"), "id": client.id})).await;
        clients.push(client);
    }
    let (mut lists, mut last) = (0, Vec::new());
    while last.len() < 101 {
        let list = users(&watcher.next_of(&["userlist"]).await);
        assert_ne!(list, last, "an identical list was repeated");
        last = list;
        lists += 1;
    }
    let most = started.elapsed().as_millis() / 200 + 2;
    assert!(lists as u128 <= most, "{lists} lists, at most {most} expected");
}
