//! Rooms: whoever is in one sees, hears and calls nobody in another.

use crate::support::{config, http, start};
use chamada_server::{AuthConfig, AuthKeys, issue_token};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::{connect_async, tungstenite};

#[tokio::test]
async fn each_room_has_its_own_people_names_and_chat() {
    let server = start(config()).await;
    let mut hall = server.log_in("ana").await;
    let mut red = server.log_in_at("/room/red", "ana").await;
    let mut blue = server.log_in_at("/room/blue", "ana").await;
    assert_eq!((red.name.as_str(), blue.name.as_str()), ("ana", "ana"), "a name is free in another room");
    let mut bia = server.log_in_at("/room/Red", "bia").await;
    assert_eq!(server.log_in_at("/room/red", "ana").await.name, "ana2");
    red.list_where(|list| list == ["ana", "bia", "ana2"]).await;

    bia.send(json!({"type": "message", "text": "in red only"})).await;
    assert_eq!(red.heard().await["text"], "in red only");
    assert_eq!(bia.heard().await["text"], "in red only");
    hall.heard_nothing().await;
    blue.heard_nothing().await;

    hall.refused(
        json!({"type": "video-offer", "target": "bia", "sdp": {"type": "offer", "sdp": "v=0"}}),
        "no-such-user",
    )
    .await;
    bia.send(json!({"type": "video-offer", "target": "ana", "sdp": {"type": "offer", "sdp": "v=0"}})).await;
    assert_eq!(red.heard().await["name"], "bia");
    blue.heard_nothing().await;
}

#[tokio::test]
async fn a_place_is_resumed_in_its_own_room_only() {
    let server = start(config()).await;
    let red = server.log_in_at("/room/red", "ana").await;
    let token = red.token.clone();
    drop(red.socket);
    let mut elsewhere = server.connect_at("/room/blue").await;
    elsewhere.log_in("somebody", Some(&token)).await;
    assert_eq!(elsewhere.name, "somebody");
    let mut back = server.connect_at("/room/red").await;
    back.send(json!({"type": "username", "name": "other", "id": back.id, "resume": token})).await;
    assert_eq!(back.next_of(&["rejectusername"]).await["name"], "ana");
}

#[tokio::test]
async fn there_are_only_so_many_rooms_and_people_in_one_and_empty_rooms_go() {
    let mut config = config();
    config.limits.rooms = 2;
    config.limits.people_per_room = 2;
    let server = start(config).await;
    let one = server.log_in_at("/room/1", "ana").await;
    let _two = server.log_in_at("/room/2", "ana").await;
    let mut third = server.connect_at("/room/3").await;
    let login = json!({"type": "username", "name": "ana", "id": third.id});
    third.refused(login.clone(), "full").await;
    let _also_one = server.log_in_at("/room/1", "bia").await;
    let mut crowd = server.connect_at("/room/1").await;
    let id = crowd.id;
    crowd.refused(json!({"type": "username", "name": "eva", "id": id}), "full").await;
    server.log_in("who knows no rooms").await;

    one.close(1000).await;
    _also_one.close(1000).await;
    // The server learns of it a moment later.
    for _ in 0..100 {
        third.send(login.clone()).await;
        if third.next_of(&["userlist", "error"]).await["type"] == "userlist" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the empty room stays");
}

#[tokio::test]
async fn a_room_has_a_name_as_people_have() {
    let server = start(config()).await;
    for bad in ["/room/", "/room/%20%20", "/room/a/b", "/room/%ff", &format!("/room/{}", "x".repeat(65))] {
        let refused = connect_async(format!("ws://{}{bad}", server.address)).await.unwrap_err();
        assert!(matches!(&refused, tungstenite::Error::Http(answer) if answer.status() == 404), "{bad}: {refused}");
    }
}

#[tokio::test]
async fn the_page_of_a_room_finds_its_files_beside_it() {
    let server = start(config()).await;
    for (path, kind) in [
        ("/room/caf%C3%A9", "text/html"),
        ("/room/app.js", "text/javascript"),
        ("/room/view/stage.js", "text/javascript"),
    ] {
        let answer = http(server.address, &format!("GET {path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(kind), "{path}: {answer:.200}");
    }
    for path in ["/room/", "/room/a/b"] {
        assert!(http(server.address, &format!("GET {path} HTTP/1.1")).await.starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test]
async fn a_token_with_a_room_is_good_there_and_nowhere_else() {
    let secret = std::env::temp_dir().join(format!("chamada-rooms-{}", std::process::id()));
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef").unwrap();
    let mut config = config();
    config.auth = Some(AuthConfig { keys: AuthKeys::Secret(secret.clone()), audience: None, issuer: None });
    let server = start(config).await;
    let token = issue_token(&secret, "1", "ana", Some("Red"), Duration::from_secs(600), None, None).unwrap();
    std::fs::remove_file(secret).unwrap();
    let mut red = server.connect_at("/room/red").await;
    red.log_in_with("ana", json!({"token": token})).await;
    for path in ["/", "/room/blue"] {
        let mut other = server.connect_at(path).await;
        let login = json!({"type": "username", "name": "ana", "id": other.id, "token": token});
        let error = other.refused(login, "unauthorized").await;
        assert!(error["message"].as_str().unwrap().contains("room"), "{error}");
    }
}
