//! What one client makes the server send to others, in bytes out per byte in.

use crate::support::{Client, PATIENCE, Running, config, start, users};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::Message;

async fn log_in_new(server: &Running, name: &str) -> (Client, Value) {
    let mut client = server.connect().await;
    client
        .send(json!({"type": "username", "name": name, "id": client.id, "date": 1, "features": ["user-delta", "x"]}))
        .await;
    let list = client.next_of(&["userlist"]).await;
    client.name = name.into();
    (client, list)
}

#[tokio::test]
async fn clients_that_read_changes_get_those_and_old_ones_lists() {
    let server = start(config()).await;
    let mut old = server.log_in("old").await;
    let (mut ana, list) = log_in_new(&server, "ana").await;
    assert_eq!(users(&list), ["old", "ana"]);
    let mut seq = list["seq"].as_u64().unwrap();
    let mut next = async |ana: &mut Client| {
        let delta = ana.next().await;
        seq += 1;
        assert_eq!((&delta["type"], &delta["seq"]), (&json!("userlist-delta"), &json!(seq)), "{delta}");
        delta
    };
    let mut bia = server.log_in("bia").await;
    assert_eq!(next(&mut ana).await["joined"], json!(["bia"]));
    bia.send(json!({"type": "username", "name": "zoë", "id": bia.id})).await;
    assert_eq!(next(&mut ana).await["renamed"], json!([["bia", "zoë"]]));
    bia.close(1000).await;
    assert_eq!(next(&mut ana).await["left"], json!(["zoë"]));
    // A gap is mended by a list with the number of the last change.
    ana.send(json!({"type": "userlist-request"})).await;
    let list = ana.next().await;
    assert_eq!((users(&list), &list["seq"]), (vec!["old".to_owned(), "ana".into()], &json!(seq)));
    let list = old.list_where(|list| list == ["old", "ana"]).await;
    assert_eq!(list.len(), 2);
    old.send(json!({"type": "userlist-delta", "target": "ana", "joined": ["x"], "seq": 99})).await;
    assert_eq!(old.next_of(&["error", "userlist-delta"]).await["code"], "bad-message");
}

/// People who read all that comes.
struct Audience {
    size: usize,
    /// Bytes.
    heard: Arc<AtomicUsize>,
    /// Who got which user list.
    lists: mpsc::UnboundedReceiver<(usize, String)>,
}

impl Audience {
    /// They are all there, and each has been told so.
    async fn new(server: &Running, size: usize) -> Self {
        let heard = Arc::new(AtomicUsize::new(0));
        let (told, lists) = mpsc::unbounded_channel();
        let mut clients = Vec::new();
        for n in 0..size {
            let mut client = server.connect().await;
            client.send(json!({"type": "username", "name": format!("listener {n}"), "id": client.id})).await;
            clients.push(client);
        }
        for (n, mut client) in clients.into_iter().enumerate() {
            client.list_where(|list| list.len() == size).await;
            let (heard, told) = (heard.clone(), told.clone());
            tokio::spawn(async move {
                while let Some(Ok(frame)) = client.socket.next().await {
                    heard.fetch_add(frame.len(), Ordering::Relaxed);
                    if let Ok(text) = frame.to_text()
                        && text.starts_with(r#"{"type":"userlist""#)
                    {
                        let _ = told.send((n, text.to_owned()));
                    }
                }
            });
        }
        Self { size, heard, lists }
    }

    /// Waits until each has a list with this name.
    async fn know(&mut self, name: &str) {
        let mut told = HashSet::new();
        while told.len() < self.size {
            let (who, list) = timeout(PATIENCE, self.lists.recv()).await.unwrap().unwrap();
            if list.contains(name) {
                told.insert(who);
            }
        }
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}

/// Sends what `frame` makes, as fast as the server reads, for two seconds. Bytes sent.
async fn flood(attacker: &mut Client, mut frame: impl FnMut(usize) -> Value) -> usize {
    let (start, mut sent) = (Instant::now(), 0);
    for n in 0.. {
        if start.elapsed() > Duration::from_secs(2) {
            break;
        }
        let text = frame(n).to_string();
        sent += text.len();
        if attacker.socket.send(Message::text(text)).await.is_err() {
            break;
        }
        // Its own answers are read, so that nothing but the server's limits holds it up.
        while let Ok(Some(Ok(_))) = timeout(Duration::from_micros(200), attacker.socket.next()).await {}
    }
    sent
}

#[tokio::test]
async fn renaming_costs_the_others_a_bounded_number_of_bytes() {
    let mut config = config();
    config.limits.list_bytes_per_second = 100_000;
    config.limits.strikes = u32::MAX;
    let server = start(config).await;
    let mut audience = Audience::new(&server, 50).await;
    let mut attacker = server.log_in("attacker").await;
    audience.know("attacker").await;
    let before = audience.heard();
    let (id, started) = (attacker.id, Instant::now());
    let sent = flood(&mut attacker, |n| json!({"type": "username", "name": format!("attacker {n}"), "id": id})).await;
    let bytes = audience.heard() - before;
    // A list is 1 kB for each of 50: what is under way when the flood begins, and the rate after it.
    let most = 2 * 50 * 1_100 + (started.elapsed().as_secs_f64() * 100_000.0) as usize;
    println!("renaming: {sent} bytes in, {bytes} out");
    assert!(bytes <= most, "{bytes} bytes for {sent}; {most} at most");
}

#[tokio::test]
async fn coming_and_going_costs_the_others_a_bounded_number_of_bytes() {
    let mut config = config();
    config.limits.list_bytes_per_second = 100_000;
    let server = start(config).await;
    let audience = Audience::new(&server, 50).await;
    let (before, started) = (audience.heard(), Instant::now());
    while started.elapsed() < Duration::from_secs(2) {
        server.log_in("here and gone").await.close(1000).await;
    }
    let bytes = audience.heard() - before;
    let most = 2 * 50 * 1_100 + (started.elapsed().as_secs_f64() * 100_000.0) as usize;
    println!("coming and going: {bytes} out");
    assert!(bytes <= most, "{bytes}; {most} at most");
}

#[tokio::test]
async fn public_lines_cost_the_others_a_bounded_number_of_bytes() {
    let mut config = config();
    config.limits.fan_out_per_second = 50_000;
    config.limits.fan_out_burst = 200_000;
    config.limits.lines_per_second = 1_000;
    config.limits.lines_burst = 1_000;
    config.limits.strikes = u32::MAX;
    let server = start(config).await;
    let mut audience = Audience::new(&server, 50).await;
    let mut attacker = server.log_in("attacker").await;
    audience.know("attacker").await;
    let (before, started) = (audience.heard(), Instant::now());
    let sent = flood(&mut attacker, |_| json!({"type": "message", "text": "x".repeat(256)})).await;
    let bytes = audience.heard() - before;
    let most = 200_000 + (started.elapsed().as_secs_f64() * 50_000.0) as usize;
    println!("public lines: {sent} bytes in, {bytes} out");
    assert!(bytes <= most && bytes > 50_000, "{bytes}; {most} at most");
}

#[tokio::test]
async fn who_renames_too_often_is_refused_and_keeps_the_last_name() {
    let server = start(config()).await;
    let mut ana = server.log_in("ana").await;
    let mut refused = 0;
    for n in 0..10 {
        ana.send(json!({"type": "username", "name": format!("name {n}"), "id": ana.id})).await;
    }
    ana.send(json!({"type": "wave", "target": "nobody at all"})).await;
    loop {
        let error = ana.next_of(&["error"]).await;
        match error["code"].as_str() {
            Some("rate-limited") => refused += 1,
            _ => break,
        }
    }
    assert_eq!(refused, 5);
    assert_eq!(server.log_in("name 4").await.name, "name 42");
    assert_eq!(server.log_in("name 5").await.name, "name 5");
}
