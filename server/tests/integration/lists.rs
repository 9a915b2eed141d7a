//! When the list of users is told, and when it is not.

use crate::support::{config, start, users};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_first_change_is_told_at_once_and_those_that_follow_together() {
    let mut config = config();
    config.userlist_interval = Duration::from_millis(1_500);
    let server = start(config).await;
    let started = Instant::now();
    let mut ana = server.log_in("ana").await;
    assert!(started.elapsed() < Duration::from_millis(1_000), "{:?}", started.elapsed());
    let mut others = Vec::new();
    for name in ["bia", "eva", "zoë"] {
        let mut client = server.connect().await;
        client.send(json!({"type": "username", "name": name, "id": client.id})).await;
        others.push(client);
    }
    assert_eq!(users(&ana.next_of(&["userlist"]).await), ["ana", "bia", "eva", "zoë"]);
    assert!(started.elapsed() >= Duration::from_millis(1_400), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_list_that_is_the_same_is_told_only_to_who_asks() {
    let mut config = config();
    config.userlist_interval = Duration::from_millis(100);
    let server = start(config).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    ana.list_where(|list| list.len() == 2).await;
    for _ in 0..3 {
        // An old page logs in again under the name that it has.
        bia.send(json!({"type": "username", "name": "bia", "id": bia.id, "date": 1})).await;
        assert_eq!(users(&bia.next_of(&["userlist"]).await), ["ana", "bia"]);
    }
    ana.send(json!({"type": "message", "text": "next"})).await;
    assert_eq!(ana.next().await["text"], "next");
}

#[tokio::test]
async fn who_has_no_name_is_told_nothing_and_is_in_no_list() {
    let server = start(config()).await;
    let mut nameless = server.connect().await;
    let mut ana = server.log_in("ana").await;
    ana.send(json!({"type": "message", "text": "hello"})).await;
    ana.heard().await;
    nameless.send(json!({"type": "wave", "target": "ana"})).await;
    assert_eq!(nameless.next().await["code"], "not-logged-in");
}

/// Client and server together, over real sockets; the hub's own test has the thousand that would need more sockets than a process may have.
#[tokio::test]
async fn hundreds_of_logins_at_once_are_told_soon_and_to_everyone() {
    const USERS: usize = 300;
    let server = start(config()).await;
    let mut clients = Vec::new();
    for _ in 0..USERS {
        clients.push(server.connect().await);
    }
    for (n, client) in clients.iter_mut().enumerate() {
        client.send(json!({"type": "username", "name": format!("user {n}"), "id": client.id})).await;
    }
    for client in &mut clients {
        let list = client.list_where(|list| list.len() == USERS).await;
        assert!(list.contains(&"user 0".to_owned()) && list.contains(&format!("user {}", USERS - 1)));
    }
}
