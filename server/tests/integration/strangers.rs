//! What one client can do to another: attacks over real sockets, and that they fail.

use crate::support::{Client, PATIENCE, config, http, start};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const CALL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn describe(kind: &str, to: &str) -> Value {
    json!({"type": format!("video-{kind}"), "target": to, "sdp": {"type": kind, "sdp": "v=0\r\n"}})
}

fn named(mut message: Value) -> Value {
    message["call"] = CALL.into();
    message
}

async fn call(from: &mut Client, to: &mut Client, change: impl Fn(Value) -> Value) {
    from.send(change(describe("offer", &to.name))).await;
    assert_eq!(to.heard().await["type"], "video-offer");
    to.send(change(describe("answer", &from.name))).await;
    assert_eq!(from.heard().await["type"], "video-answer");
}

/// The victim does not read while others send it all that they may: that costs it neither connection nor name nor call.
#[tokio::test]
async fn three_who_flood_a_fourth_take_neither_its_name_nor_its_call() {
    let mut config = config();
    config.limits.bytes_per_second = u32::MAX;
    config.limits.messages_per_second = 1_000_000;
    config.limits.burst = 1_000_000;
    let server = start(config).await;
    let (mut victim, mut friend) = (server.log_in("victim").await, server.log_in("friend").await);
    call(&mut friend, &mut victim, named).await;
    let load = "x".repeat(60_000);
    let mut attackers = Vec::new();
    for name in ["a", "b", "c"] {
        attackers.push(server.log_in(name).await);
    }
    let mut refused = 0;
    for _ in 0..100 {
        for attacker in &mut attackers {
            attacker.send(json!({"type": "load", "target": "victim", "load": load})).await;
        }
    }
    for attacker in &mut attackers {
        attacker.send(json!({"type": "end", "target": "friend"})).await;
        while let Ok(message) = timeout(Duration::from_millis(200), attacker.next()).await {
            refused += usize::from(message["code"] == "rate-limited");
        }
    }
    assert!(refused > 100, "{refused} of 300 loads were refused");
    // The name is not to be had, and the friend's words still arrive.
    assert_eq!(server.log_in("victim").await.name, "victim2");
    friend.send(named(json!({"type": "media-state", "target": "victim", "audio": false}))).await;
    let heard = async { while victim.heard().await["type"] != "media-state" {} };
    timeout(PATIENCE, heard).await.expect("the friend's message came");
    victim.send(named(json!({"type": "hang-up", "target": "friend"}))).await;
    assert_eq!(friend.next_of(&["hang-up"]).await["name"], "victim");
}

/// Whoever is thrown out because it read nothing has a token that is still good.
#[tokio::test]
async fn a_client_that_could_not_read_keeps_name_and_token() {
    let mut config = config();
    config.limits.bytes_per_second = u32::MAX;
    config.write_timeout = Duration::from_millis(200);
    let server = start(config).await;
    let victim = server.log_in("victim").await;
    let mut attacker = server.log_in("attacker").await;
    let load = "x".repeat(60_000);
    let end = Instant::now() + PATIENCE;
    while !http(server.address, "GET /healthz HTTP/1.1").await.contains(r#""connections":1"#) {
        assert!(Instant::now() < end, "the server still believes in a client that reads nothing");
        attacker.send(json!({"type": "load", "target": "victim", "load": load})).await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(server.log_in("victim").await.name, "victim2");
    let mut back = server.connect().await;
    back.log_in("victim", Some(&victim.token)).await;
    assert_eq!(back.name, "victim");
}

/// 20 Mbit/s are 2.5 MB/s; the rate that a client may send at is a fraction of that, and TCP tells it.
#[tokio::test]
async fn a_sender_is_slowed_down_to_its_rate() {
    let mut config = config();
    config.limits.bytes_per_second = 500_000;
    config.limits.bytes_burst = 100_000;
    let server = start(config).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    let started = Instant::now();
    for n in 0..20 {
        ana.send(json!({"type": "load", "target": "bia", "n": n, "load": "x".repeat(30_000)})).await;
    }
    for n in 0..20 {
        assert_eq!(bia.heard().await["n"], n);
    }
    assert!(started.elapsed() > Duration::from_millis(900), "600 kB in {:?}", started.elapsed());
}

#[tokio::test]
async fn messages_of_calls_do_not_reach_people_without_one() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) =
        (server.log_in("ana").await, server.log_in("bia").await, server.log_in("eva").await);
    let attempts = || {
        [
            json!({"type": "hang-up", "target": "bia"}),
            named(json!({"type": "hang-up", "target": "bia", "reason": "ended"})),
            describe("answer", "bia"),
            named(describe("answer", "bia")),
            json!({"type": "new-ice-candidate", "target": "bia", "candidate": null}),
            named(json!({"type": "call-ringing", "target": "bia"})),
            named(json!({"type": "media-state", "target": "bia", "audio": true})),
        ]
    };
    for message in attempts() {
        eva.send(message).await;
    }
    eva.heard_nothing().await;
    // The marker is all that the other heard, in a call or not.
    assert_eq!(bia.heard().await["type"], "message");
    ana.heard().await;
    call(&mut ana, &mut bia, |message| message).await;
    for message in attempts() {
        eva.send(message).await;
    }
    eva.heard_nothing().await;
    assert_eq!(bia.heard().await["type"], "message");
    ana.heard().await;
    // Not by way of an offer either: an old page ends its call at any hang-up.
    eva.send(describe("offer", "bia")).await;
    assert_eq!(bia.heard().await["name"], "eva");
    eva.send(json!({"type": "hang-up", "target": "bia"})).await;
    eva.heard_nothing().await;
    assert_eq!(bia.heard().await["type"], "message");
    ana.heard().await;
    bia.send(json!({"type": "hang-up", "target": null})).await;
    assert_eq!(ana.heard().await["name"], "bia");
}

#[tokio::test]
async fn a_hang_up_that_names_no_call_ends_none_of_those_who_name_theirs() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    call(&mut ana, &mut bia, named).await;
    for target in [json!(null), json!("bia")] {
        ana.send(json!({"type": "hang-up", "target": target})).await;
    }
    ana.heard_nothing().await;
    assert_eq!(bia.heard().await["type"], "message");
    ana.send(named(json!({"type": "hang-up", "target": "bia"}))).await;
    assert_eq!(bia.heard().await["call"], CALL);
    // An old page calls somebody new: it names none and may.
    ana.send(describe("offer", "bia")).await;
    bia.heard().await;
    bia.send(named(describe("answer", "ana"))).await;
    ana.heard().await;
    ana.send(json!({"type": "hang-up", "target": null})).await;
    assert_eq!(bia.heard().await["type"], "hang-up");
}

/// Perfect negotiation over two calls that crossed: the one that gives way says so, and then answers.
#[tokio::test]
async fn of_two_calls_that_crossed_one_can_end_and_the_other_be_answered() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    let of = |mut message: Value, call: &str| {
        message["call"] = call.into();
        message
    };
    let (hers, his) = (CALL, "0e37df36-f698-11e6-8dd4-cb9ced3df976");
    ana.send(of(describe("offer", "bia"), hers)).await;
    bia.send(of(describe("offer", "ana"), his)).await;
    ana.heard().await;
    bia.heard().await;
    ana.send(of(json!({"type": "hang-up", "target": "bia", "reason": "cancelled"}), hers)).await;
    ana.send(of(describe("answer", "bia"), his)).await;
    assert_eq!(bia.heard().await["type"], "hang-up");
    assert_eq!(bia.heard().await["type"], "video-answer");
    bia.send(of(json!({"type": "new-ice-candidate", "target": "ana", "candidate": null}), his)).await;
    assert_eq!(ana.heard().await["type"], "new-ice-candidate");
}

#[tokio::test]
async fn a_call_from_before_a_restart_goes_on_and_is_open_to_nobody_else() {
    let server = start(config()).await;
    let (mut ana, mut bia) = (server.connect().await, server.connect().await);
    ana.log_in("ana", Some("of an earlier life")).await;
    bia.log_in("bia", Some("of an earlier life, too")).await;
    let mut eva = server.log_in("eva").await;
    ana.send(named(json!({"type": "media-state", "target": "bia", "audio": false}))).await;
    assert_eq!(bia.heard().await["name"], "ana");
    eva.send(named(json!({"type": "hang-up", "target": "bia"}))).await;
    eva.heard_nothing().await;
    assert_eq!(bia.heard().await["type"], "message");
    bia.send(named(json!({"type": "hang-up", "target": "ana"}))).await;
    ana.heard().await;
    assert_eq!(ana.heard().await["type"], "hang-up");
}
