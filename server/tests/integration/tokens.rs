//! Logins by token, and people with several devices.

use crate::support::{Client, PATIENCE, Running, config, start};
use chamada_server::{AuthConfig, AuthKeys, ServerConfig, issue_token};
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};
use tokio::time::timeout;

const CALL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// A server with a file of secrets that goes with it.
struct Guarded {
    server: Running,
    secret: PathBuf,
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.secret);
    }
}

async fn guarded_with(config: ServerConfig) -> Guarded {
    let name: u64 = rand_number();
    let secret = std::env::temp_dir().join(format!("chamada-secret-{}-{name}", std::process::id()));
    std::fs::write(&secret, "a secret that has more than 32 bytes").unwrap();
    let auth = AuthConfig { keys: AuthKeys::Secret(secret.clone()), audience: None, issuer: None };
    Guarded { server: start(ServerConfig { auth: Some(auth), ..config }).await, secret }
}

async fn guarded() -> Guarded {
    guarded_with(config()).await
}

fn rand_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Guarded {
    fn token(&self, subject: &str, name: &str, seconds: u64) -> String {
        issue_token(&self.secret, subject, name, None, Duration::from_secs(seconds), None, None).unwrap()
    }

    async fn log_in(&self, subject: &str, name: &str) -> Client {
        let mut client = self.server.connect().await;
        let token = self.token(subject, name, 600);
        client.log_in_with("whatever", json!({"token": token})).await;
        client
    }
}

fn offer(to: &str) -> Value {
    json!({"type": "video-offer", "target": to, "call": CALL, "sdp": {"type": "offer", "sdp": "v=0"}})
}

fn answer(to: &str) -> Value {
    json!({"type": "video-answer", "target": to, "call": CALL, "sdp": {"type": "answer", "sdp": "v=0"}})
}

fn hang_up(to: &str, reason: &str) -> Value {
    json!({"type": "hang-up", "target": to, "call": CALL, "reason": reason})
}

#[tokio::test]
async fn without_a_good_token_nobody_comes_in_and_the_token_says_the_name() {
    let guarded = guarded().await;
    let mut client = guarded.server.connect().await;
    let id = client.id;
    client.refused(json!({"type": "username", "name": "ana", "id": id}), "unauthorized").await;
    client.refused(json!({"type": "username", "name": "ana", "id": id, "token": "x.y.z"}), "unauthorized").await;
    let foreign = {
        let other = guarded_with(config()).await;
        std::fs::write(&other.secret, "another secret that has more than 32 bytes").unwrap();
        other.token("1", "ana", 600)
    };
    client.refused(json!({"type": "username", "name": "ana", "id": id, "token": foreign}), "unauthorized").await;
    client.refused(json!({"type": "message", "text": "let me in"}), "not-logged-in").await;
    client.log_in_with("boss", json!({"token": guarded.token("1", "ana", 600)})).await;
    assert_eq!(client.name, "ana");
    // Nor does a change of name make somebody else of anybody.
    client.refused(json!({"type": "username", "name": "boss", "id": id}), "unauthorized").await;
    let others = guarded.token("2", "boss", 600);
    client.refused(json!({"type": "username", "name": "boss", "id": id, "token": others}), "unauthorized").await;
}

#[tokio::test]
async fn the_greeting_says_that_a_token_is_needed() {
    let guarded = guarded().await;
    let socket = guarded.server.try_connect(&[]).await.unwrap();
    let mut client = Client { socket, id: 0, token: String::new(), name: String::new() };
    assert_eq!(client.next().await["auth"], "required");
    let open = start(config()).await;
    let socket = open.try_connect(&[]).await.unwrap();
    let mut client = Client { socket, id: 0, token: String::new(), name: String::new() };
    assert_eq!(client.next().await["auth"], Value::Null);
}

#[tokio::test]
async fn a_name_stays_with_its_person_and_others_of_that_name_get_numbers() {
    let guarded = guarded().await;
    let ana = guarded.log_in("1", "ana").await;
    let second = guarded.log_in("2", "ana").await;
    assert_eq!((ana.name.as_str(), second.name.as_str()), ("ana", "ana2"));
    ana.close(1000).await;
    second.close(1000).await;
    let mut third = guarded.log_in("3", "Ana").await;
    assert_eq!(third.name, "Ana3");
    third.send(json!({"type": "userlist-request"})).await;
    third.list_where(|list| list == ["Ana3"]).await;
    assert_eq!(guarded.log_in("2", "ana").await.name, "ana2");
    assert_eq!(guarded.log_in("1", "ana").await.name, "ana");
}

#[tokio::test]
async fn devices_of_one_person_ring_together_and_the_first_answer_wins() {
    let guarded = guarded().await;
    let (mut phone, mut laptop) = (guarded.log_in("1", "ana").await, guarded.log_in("1", "ana").await);
    assert_eq!((phone.name.as_str(), laptop.name.as_str()), ("ana", "ana"));
    let mut bia = guarded.log_in("2", "bia").await;
    bia.send(json!({"type": "userlist-request"})).await;
    assert_eq!(bia.list_where(|list| list.len() > 1).await, ["ana", "bia"], "a person is one");
    bia.send(offer("ana")).await;
    for device in [&mut phone, &mut laptop] {
        assert_eq!(device.heard().await["type"], "video-offer");
        device.send(json!({"type": "call-ringing", "target": "bia", "call": CALL})).await;
        assert_eq!(bia.heard().await["type"], "call-ringing");
    }
    laptop.send(answer("bia")).await;
    assert_eq!(bia.heard().await["type"], "video-answer");
    let elsewhere = phone.heard().await;
    assert_eq!((&elsewhere["type"], &elsewhere["reason"]), (&json!("hang-up"), &json!("elsewhere")));
    assert_eq!((&elsewhere["name"], &elsewhere["call"]), (&json!("bia"), &json!(CALL)));
    // From here on the call is the laptop's alone, in both directions.
    phone.send(answer("bia")).await;
    phone.send(hang_up("bia", "ended")).await;
    phone.heard_nothing().await;
    laptop.heard().await;
    assert_eq!(bia.heard().await["type"], "message");
    bia.send(json!({"type": "new-ice-candidate", "target": "ana", "call": CALL, "candidate": null})).await;
    assert_eq!(laptop.heard().await["type"], "new-ice-candidate");
    bia.send(offer("ana")).await;
    assert_eq!(laptop.heard().await["type"], "video-offer", "a renegotiation");
    bia.send(hang_up("ana", "ended")).await;
    assert_eq!(laptop.heard().await["type"], "hang-up");
    phone.heard_nothing().await;
}

#[tokio::test]
async fn one_device_declines_for_all_and_is_busy_for_itself() {
    let guarded = guarded().await;
    let (mut phone, mut laptop) = (guarded.log_in("1", "ana").await, guarded.log_in("1", "ana").await);
    let mut bia = guarded.log_in("2", "bia").await;
    let ring = async |bia: &mut Client, devices: [&mut Client; 2]| {
        bia.send(offer("ana")).await;
        for device in devices {
            assert_eq!(device.heard().await["type"], "video-offer");
        }
    };
    ring(&mut bia, [&mut phone, &mut laptop]).await;
    phone.send(hang_up("bia", "busy")).await;
    phone.heard_nothing().await;
    laptop.heard().await;
    assert_eq!(bia.heard().await["type"], "message", "the laptop still rings");
    laptop.send(hang_up("bia", "busy")).await;
    assert_eq!(bia.heard().await["reason"], "busy");
    ring(&mut bia, [&mut phone, &mut laptop]).await;
    bia.send(hang_up("ana", "cancelled")).await;
    for device in [&mut phone, &mut laptop] {
        assert_eq!(device.heard().await["reason"], "cancelled");
    }
    ring(&mut bia, [&mut phone, &mut laptop]).await;
    phone.send(hang_up("bia", "declined")).await;
    assert_eq!(bia.heard().await["reason"], "declined");
    assert_eq!(laptop.heard().await["reason"], "elsewhere");
    // And has quieted the caller on all of them.
    bia.refused(offer("ana"), "rate-limited").await;
}

#[tokio::test]
async fn who_leaves_on_one_device_is_still_here_on_the_other() {
    let guarded = guarded().await;
    let (phone, mut laptop) = (guarded.log_in("1", "ana").await, guarded.log_in("1", "ana").await);
    phone.close(1000).await;
    let mut bia = guarded.log_in("2", "bia").await;
    bia.send(offer("ana")).await;
    assert_eq!(laptop.heard().await["type"], "video-offer");
    laptop.refused(offer("ana"), "bad-message").await;
    laptop.close(1000).await;
    bia.list_where(|list| list == ["bia"]).await;
    bia.refused(offer("ana"), "no-such-user").await;
}

#[tokio::test]
async fn a_resume_token_is_good_only_for_the_same_person() {
    let guarded = guarded().await;
    let ana = guarded.log_in("1", "ana").await;
    let resume = ana.token.clone();
    drop(ana);
    let mut eva = guarded.server.connect().await;
    eva.log_in_with("ana", json!({"resume": resume, "token": guarded.token("2", "eva", 600)})).await;
    assert_eq!(eva.name, "eva");
    let mut back = guarded.server.connect().await;
    back.log_in_with("ana", json!({"resume": resume, "token": guarded.token("1", "ana", 600)})).await;
    assert_eq!(back.name, "ana");
}

#[tokio::test]
async fn whose_token_expires_is_asked_for_another_and_stays_with_one() {
    let guarded = guarded_with(ServerConfig { token_grace: Duration::from_secs(2), ..config() }).await;
    let (mut renews, mut stays) = (guarded.server.connect().await, guarded.server.connect().await);
    renews.log_in_with("x", json!({"token": guarded.token("1", "ana", 1)})).await;
    stays.log_in_with("x", json!({"token": guarded.token("2", "bia", 1)})).await;
    for client in [&mut renews, &mut stays] {
        assert_eq!(client.next_of(&["error"]).await["code"], "token-expired");
    }
    let fresh =
        json!({"type": "username", "name": "x", "id": renews.id, "token": guarded.token("1", "Ana Maria", 600)});
    renews.send(fresh).await;
    assert_eq!(renews.next_of(&["rejectusername"]).await["name"], "Ana Maria", "what the fresh one says holds");
    assert_eq!(stays.close_code().await, Some(1008));
    let mut late = guarded.server.connect().await;
    let id = late.id;
    let stale = json!({"type": "username", "name": "x", "id": id, "token": expired(&guarded)});
    late.refused(stale, "token-expired").await;
    renews.list_where(|list| list == ["Ana Maria"]).await;
}

/// A token of more than the leeway ago.
fn expired(guarded: &Guarded) -> String {
    use jsonwebtoken::{EncodingKey, Header};
    let secret = std::fs::read(&guarded.secret).unwrap();
    let claims = json!({"sub": "1", "name": "ana", "exp": 1_000_000_000});
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(&secret)).unwrap()
}

#[tokio::test]
async fn a_new_file_of_secrets_is_read_while_the_server_runs() {
    let guarded = guarded().await;
    std::fs::write(&guarded.secret, "the next secret, which also has more than 32 bytes").unwrap();
    let comes_in = async {
        loop {
            let mut client = guarded.server.connect().await;
            let token = guarded.token("1", "ana", 600);
            client.send(json!({"type": "username", "name": "ana", "id": client.id, "token": token})).await;
            if client.next_of(&["error", "userlist"]).await["type"] == "userlist" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, comes_in).await.expect("the new secret never holds");
}
