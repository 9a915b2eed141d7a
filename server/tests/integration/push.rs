//! Calls that ring devices which are not connected, against push services of our own.

use crate::support::{
    Client, PATIENCE, Running, config, free_address, http, nats::NatsServer, push_services::PushServices, start,
};
use chamada_server::{AuthConfig, AuthKeys, FcmConfig, PushConfig, ServerConfig, issue_token};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::time::timeout;

const CALL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// A service that asks for tokens and rings by push, and the push services.
struct World {
    /// Clients come to one after the other, so that with several nodes caller and callee are on different ones.
    nodes: Vec<Running>,
    /// Where each tells how it is.
    operators: Vec<SocketAddr>,
    next: usize,
    nats: Option<NatsServer>,
    services: PushServices,
    /// What all nodes have in common.
    config: ServerConfig,
}

impl World {
    async fn alone(ring_time: Duration) -> Self {
        let services = PushServices::start().await;
        let config = config_with(&services, ring_time);
        let mut world = Self { nodes: Vec::new(), operators: Vec::new(), next: 0, nats: None, services, config };
        world.add_node("data").await;
        world
    }

    /// Three nodes.
    async fn cluster(ring_time: Duration) -> Option<Self> {
        let nats = NatsServer::start().await?;
        let services = PushServices::start().await;
        let config = ServerConfig { cluster: nats.node().cluster, ..config_with(&services, ring_time) };
        let mut world = Self { nodes: Vec::new(), operators: Vec::new(), next: 0, nats: Some(nats), services, config };
        for node in ["first", "second", "third"] {
            world.add_node(node).await;
        }
        Some(world)
    }

    async fn add_node(&mut self, name: &str) {
        let push = PushConfig { data: self.services.folder.join(name), ..self.config.push.clone().unwrap() };
        let metrics = free_address();
        self.nodes.push(start(ServerConfig { push: Some(push), metrics: Some(metrics), ..self.config.clone() }).await);
        self.operators.push(metrics);
    }

    /// Waits until each node says that it has the others, and that there are so many of both.
    async fn settled(&self, people: usize, registrations: usize) {
        let people = format!("chamada_users {people}\n");
        let wanted = [people, format!("chamada_push_registrations {registrations}\n"), "chamada_joined 1\n".into()];
        for operator in &self.operators {
            let settled = async {
                loop {
                    let metrics = http(*operator, "GET /metrics HTTP/1.1").await;
                    if wanted.iter().all(|line| metrics.contains(line)) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            timeout(PATIENCE, settled).await.expect("the nodes do not agree");
        }
    }

    async fn log_in(&mut self, person: &str, more: Value) -> Client {
        let at = self.next;
        self.next += 1;
        self.log_in_at(at, person, more).await
    }

    async fn log_in_at(&self, node: usize, person: &str, more: Value) -> Client {
        let mut client = self.nodes[node % self.nodes.len()].connect().await;
        let secret = self.services.folder.join("auth-secret");
        let token = issue_token(&secret, person, person, None, Duration::from_secs(600), None, None).unwrap();
        let mut login = json!({"token": token, "features": ["push", "user-delta"]});
        for (field, value) in more.as_object().unwrap() {
            login[field] = value.clone();
        }
        client.log_in_with(person, login).await;
        client
    }

    /// These devices of somebody's register and go.
    async fn asleep(&mut self, person: &str, devices: &[&str]) {
        for device in devices {
            let mut client = self.log_in(person, json!({"device": device})).await;
            client.send(register(device)).await;
            assert_eq!(client.next_of(&["push-registered"]).await["platform"], "fcm");
            client.close(1000).await;
        }
        self.settled(0, devices.len()).await;
    }

    /// Has this person among those who are away in its list.
    async fn ana_who_sees_away(&mut self, person: &str) -> Client {
        let mut ana = self.log_in("ana", json!({})).await;
        sees(&mut ana, "away", person).await;
        ana
    }

    async fn stop_node(&mut self, node: usize) {
        let _ = self.nodes[node].stop.take().unwrap().send(());
        (&mut self.nodes[node].task).await.unwrap();
    }

    /// The next push: the device's token and its data.
    async fn pushed(&mut self) -> (String, Value) {
        let message = self.services.next().await.json()["message"].clone();
        (message["token"].as_str().unwrap().to_owned(), message["data"].clone())
    }
}

const RING_TIME: Duration = Duration::from_secs(45);

fn config_with(services: &PushServices, ring_time: Duration) -> ServerConfig {
    let secret = services.folder.join("auth-secret");
    std::fs::write(&secret, "a secret that has more than 32 bytes").unwrap();
    let push = PushConfig {
        data: services.folder.join("data"),
        contact: Some("mailto:operator@call.example".into()),
        fcm: Some(FcmConfig { account: services.google_account(), server: Some(services.url.clone()) }),
        ring_time,
        ..PushConfig::default()
    };
    let auth = AuthConfig { keys: AuthKeys::Secret(secret), audience: None, issuer: None };
    ServerConfig { authorities: Some(services.authorities()), auth: Some(auth), push: Some(push), ..config() }
}

/// The same story on a server that is alone, and on three nodes.
macro_rules! on_both_routers {
    ($($story:ident($ring_time:expr);)*) => {
        mod alone {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::World::alone($ring_time).await).await;
            })*
        }
        mod cluster {
            $(#[tokio::test]
            async fn $story() {
                if let Some(world) = super::World::cluster($ring_time).await {
                    super::$story(world).await;
                }
            })*
        }
    };
}

on_both_routers! {
    a_call_to_somebody_away_wakes_the_phone_which_gets_offer_and_candidates_and_answers(super::RING_TIME);
    a_caller_who_gives_up_takes_the_ringing_back_and_no_ghost_rings_at_the_login(super::RING_TIME);
    a_call_that_nobody_wakes_up_for_ends_for_the_caller_and_on_the_device(std::time::Duration::from_millis(500));
    every_device_rings_and_the_answer_of_one_stops_those_that_still_sleep(super::RING_TIME);
    a_decline_on_one_device_ends_it_for_all(super::RING_TIME);
    a_server_that_goes_takes_back_what_rings_and_says_so_to_the_caller(super::RING_TIME);
    lists_tell_who_is_away_to_those_who_read_deltas(super::RING_TIME);
    an_older_caller_hears_that_it_rings(super::RING_TIME);
    nobody_rings_too_often(super::RING_TIME);
    a_service_that_is_down_does_not_hold_the_call_up(super::RING_TIME);
}

/// Waits until a list of this client's has this person among its `users`, or those who are `away`.
async fn sees(client: &mut Client, among: &str, person: &str) {
    client.send(json!({"type": "userlist-request"})).await;
    let joined = if among == "users" { "joined" } else { among };
    loop {
        let list = client.next_of(&["userlist", "userlist-delta"]).await;
        let has = |field: &str| list[field].as_array().is_some_and(|people| people.contains(&json!(person)));
        if has(among) || has(joined) {
            return;
        }
    }
}

fn register(token: &str) -> Value {
    json!({"type": "push-register", "platform": "fcm", "token": token})
}

fn offer(to: &str) -> Value {
    json!({"type": "video-offer", "target": to, "call": CALL, "sdp": {"type": "offer", "sdp": "v=0"}})
}

fn candidate(to: &str, which: &str) -> Value {
    let candidate = json!({"candidate": which, "sdpMid": "0", "sdpMLineIndex": 0});
    json!({"type": "new-ice-candidate", "target": to, "call": CALL, "candidate": candidate})
}

fn answer(to: &str) -> Value {
    json!({"type": "video-answer", "target": to, "call": CALL, "sdp": {"type": "answer", "sdp": "v=0"}})
}

fn hang_up(to: &str, reason: &str) -> Value {
    json!({"type": "hang-up", "target": to, "call": CALL, "reason": reason})
}

const OF_CALLS: [&str; 6] = ["video-offer", "video-answer", "new-ice-candidate", "hang-up", "call-pushed", "error"];

/// Shows that nothing of a call of hers comes to somebody: something else that she sends later comes first.
async fn hears_of_no_call(client: &mut Client, ana: &mut Client) {
    sees(ana, "users", &client.name).await;
    ana.send(json!({"type": "marker", "target": client.name})).await;
    loop {
        let message = client.next().await;
        if message["type"] == "marker" {
            return;
        }
        assert!(!OF_CALLS.iter().any(|kind| message["type"] == *kind), "{message}");
    }
}

async fn a_call_to_somebody_away_wakes_the_phone_which_gets_offer_and_candidates_and_answers(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    let pushed = ana.next_of(&OF_CALLS).await;
    assert_eq!(pushed, json!({"type": "call-pushed", "target": "bia", "call": CALL}));
    let (token, data) = world.pushed().await;
    assert_eq!(token, "phone");
    assert_eq!(
        (&data["kind"], &data["call"], &data["from"], &data["room"]),
        (&json!("ring"), &json!(CALL), &json!("ana"), &json!(""))
    );
    ana.send(candidate("bia", "candidate:1")).await;
    ana.send(candidate("bia", "candidate:2")).await;
    ana.send(json!({"type": "userlist-request"})).await;
    ana.next_of(&["userlist"]).await;
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    let got = bia.next_of(&OF_CALLS).await;
    assert_eq!((&got["type"], &got["name"], &got["call"]), (&json!("video-offer"), &json!("ana"), &json!(CALL)));
    for which in ["candidate:1", "candidate:2"] {
        assert_eq!(bia.next_of(&OF_CALLS).await["candidate"]["candidate"], which);
    }
    ana.send(candidate("bia", "candidate:3")).await;
    assert_eq!(bia.next_of(&OF_CALLS).await["candidate"]["candidate"], "candidate:3");
    bia.send(answer("ana")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "video-answer");
    // Nothing rings a second time, and the device that answered is not told to stop.
    bia.send(hang_up("ana", "ended")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["reason"], "ended");
    assert!(world.services.is_quiet());
}

#[tokio::test]
async fn from_offer_to_push_it_takes_less_than_half_a_second() {
    let mut world = World::alone(RING_TIME).await;
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let since = Instant::now();
        ana.send(offer("bia")).await;
        assert_eq!(world.pushed().await.1["kind"], "ring");
        fastest = fastest.min(since.elapsed());
        ana.send(hang_up("bia", "cancelled")).await;
        assert_eq!(world.pushed().await.1["kind"], "cancel");
    }
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
}

async fn a_caller_who_gives_up_takes_the_ringing_back_and_no_ghost_rings_at_the_login(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    for end in ["hang-up", "hang-up without a target", "leaving"] {
        ana.send(offer("bia")).await;
        assert_eq!(world.pushed().await.1["kind"], "ring");
        match end {
            "hang-up" => ana.send(hang_up("bia", "cancelled")).await,
            "leaving" => {
                ana.close(1000).await;
                ana = world.ana_who_sees_away("bia").await;
            }
            _ => ana.send(json!({"type": "hang-up", "target": null})).await,
        }
        let (token, data) = world.pushed().await;
        assert_eq!((&*token, &data["kind"], &data["call"]), ("phone", &json!("cancel"), &json!(CALL)), "{end}");
    }
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    hears_of_no_call(&mut bia, &mut ana).await;
}

async fn a_call_that_nobody_wakes_up_for_ends_for_the_caller_and_on_the_device(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    let end = ana.next_of(&OF_CALLS).await;
    assert_eq!(
        (&end["type"], &end["name"], &end["reason"], &end["call"]),
        (&json!("hang-up"), &json!("bia"), &json!("timeout"), &json!(CALL))
    );
    assert_eq!(world.pushed().await.1["kind"], "ring");
    assert_eq!(world.pushed().await.1["kind"], "cancel");
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    hears_of_no_call(&mut bia, &mut ana).await;
}

async fn every_device_rings_and_the_answer_of_one_stops_those_that_still_sleep(mut world: World) {
    world.asleep("bia", &["phone", "tablet", "watch"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    for _ in 0..3 {
        assert_eq!(world.pushed().await.1["kind"], "ring");
    }
    let mut phone = world.log_in("bia", json!({"device": "phone"})).await;
    assert_eq!(phone.next_of(&OF_CALLS).await["type"], "video-offer");
    let mut tablet = world.log_in("bia", json!({"device": "tablet"})).await;
    assert_eq!(tablet.next_of(&OF_CALLS).await["type"], "video-offer");
    phone.send(answer("ana")).await;
    assert_eq!(tablet.next_of(&OF_CALLS).await["reason"], "elsewhere");
    let (token, data) = world.pushed().await;
    assert_eq!((&*token, &data["kind"]), ("watch", &json!("cancel")));
    let mut watch = world.log_in("bia", json!({"device": "watch"})).await;
    // What is for a person in a call goes to the device that has it.
    phone.send(hang_up("ana", "ended")).await;
    assert_eq!(ana.next_of(&["hang-up"]).await["reason"], "ended");
    hears_of_no_call(&mut watch, &mut ana).await;
    assert!(world.services.is_quiet());
}

async fn a_decline_on_one_device_ends_it_for_all(mut world: World) {
    world.asleep("bia", &["phone", "tablet"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    world.pushed().await;
    world.pushed().await;
    let mut phone = world.log_in("bia", json!({"device": "phone"})).await;
    assert_eq!(phone.next_of(&OF_CALLS).await["type"], "video-offer");
    phone.send(hang_up("ana", "declined")).await;
    assert_eq!(ana.next_of(&["hang-up"]).await["reason"], "declined");
    let (token, data) = world.pushed().await;
    assert_eq!((&*token, &data["kind"]), ("tablet", &json!("cancel")));
}

#[tokio::test]
async fn a_device_whose_connection_broke_is_rung_too_and_gets_the_call_once_when_it_returns() {
    let mut world = World::alone(RING_TIME).await;
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    bia.send(register("phone")).await;
    bia.next_of(&["push-registered"]).await;
    let place = bia.token.clone();
    bia.close(4000).await;
    let mut ana = world.log_in("ana", json!({})).await;
    // Its place is kept, and until its connection is seen to be broken the offer may go there.
    let is_asleep = async {
        loop {
            ana.send(offer("bia")).await;
            ana.send(json!({"type": "userlist-request"})).await;
            if ana.next_of(&["call-pushed", "userlist"]).await["type"] == "call-pushed" {
                break;
            }
        }
    };
    timeout(PATIENCE, is_asleep).await.unwrap();
    assert_eq!(world.pushed().await.1["kind"], "ring");
    let mut back = world.log_in("bia", json!({"device": "phone", "resume": place})).await;
    assert_eq!(back.next_of(&OF_CALLS).await["type"], "video-offer");
    back.send(answer("ana")).await;
    assert_eq!(ana.next_of(&["video-answer"]).await["name"], "bia");
    assert!(world.services.is_quiet());
}

#[tokio::test]
async fn after_a_restart_the_same_people_can_be_rung_and_nobody_else_has_their_names() {
    let mut world = World::alone(RING_TIME).await;
    world.asleep("bia", &["phone"]).await;
    world.stop_node(0).await;
    world.nodes.clear();
    world.operators.clear();
    world.add_node("data").await;
    let mut thief = world.nodes[0].connect().await;
    let secret = world.services.folder.join("auth-secret");
    let token = issue_token(&secret, "another", "bia", None, Duration::from_secs(600), None, None).unwrap();
    thief.log_in_with("bia", json!({"token": token})).await;
    assert_ne!(thief.name, "bia");
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    assert_eq!(world.pushed().await.0, "phone");
}

async fn a_server_that_goes_takes_back_what_rings_and_says_so_to_the_caller(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(world.pushed().await.1["kind"], "ring");
    let callers = (world.next - 1) % world.nodes.len();
    world.stop_node(callers).await;
    let (token, data) = world.pushed().await;
    assert_eq!((&*token, &data["kind"]), ("phone", &json!("cancel")));
    let end = ana.next_of(&["hang-up"]).await;
    assert_eq!((&end["name"], &end["reason"], &end["call"]), (&json!("bia"), &json!("failed"), &json!(CALL)));
}

async fn lists_tell_who_is_away_to_those_who_read_deltas(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    let came = ana.next_of(&["userlist-delta"]).await;
    assert_eq!((&came["joined"], &came["away"]), (&json!(["bia"]), &Value::Null));
    bia.send(json!({"type": "push-unregister"})).await;
    assert_eq!(bia.next_of(&["push-registered"]).await["platform"], Value::Null);
    world.settled(2, 0).await;
    bia.send(register("phone")).await;
    bia.next_of(&["push-registered"]).await;
    world.settled(2, 1).await;
    bia.close(1000).await;
    let gone = ana.next_of(&["userlist-delta"]).await;
    assert_eq!((&gone["left"], &gone["away"]), (&json!(["bia"]), &json!(["bia"])));
    let mut old = world.log_in("eva", json!({"features": []})).await;
    old.send(json!({"type": "userlist-request"})).await;
    assert_eq!(old.next_of(&["userlist"]).await["away"], Value::Null);
}

async fn an_older_caller_hears_that_it_rings(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.log_in("ana", json!({"features": []})).await;
    ana.send(json!({"type": "video-offer", "target": "bia", "sdp": {"type": "offer", "sdp": "v=0"}})).await;
    let ringing = ana.next_of(&["call-ringing", "call-pushed", "error"]).await;
    assert_eq!(ringing, json!({"type": "call-ringing", "name": "bia", "target": "ana"}));
    let (_, data) = world.pushed().await;
    assert_eq!(data["call"].as_str().unwrap().len(), CALL.len());
}

#[tokio::test]
async fn who_was_blocked_rings_nobody() {
    let mut world = World::alone(RING_TIME).await;
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    bia.send(register("phone")).await;
    bia.next_of(&["push-registered"]).await;
    bia.send(json!({"type": "block", "name": "eva"})).await;
    bia.close(1000).await;
    world.settled(0, 1).await;
    let mut eva = world.log_in("eva", json!({})).await;
    eva.send(offer("bia")).await;
    assert_eq!(eva.next_of(&OF_CALLS).await["code"], "blocked");
    assert!(world.services.is_quiet());
}

async fn nobody_rings_too_often(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.log_in("ana", json!({})).await;
    let mut rings = 0;
    loop {
        ana.send(offer("bia")).await;
        let told = ana.next_of(&OF_CALLS).await;
        if told["code"] == "rate-limited" {
            break;
        }
        assert_eq!(told["type"], "call-pushed");
        ana.send(hang_up("bia", "cancelled")).await;
        rings += 1;
    }
    assert_eq!(rings, 6);
    for _ in 0..2 * rings {
        assert_eq!(world.pushed().await.1["from"], "ana");
    }
    assert!(world.services.is_quiet());
}

#[tokio::test]
async fn what_cannot_be_registered_is_said() {
    let mut world = World::alone(RING_TIME).await;
    let mut nameless = world.log_in("bia", json!({})).await;
    nameless.send(register("phone")).await;
    let error = nameless.next_of(&["error"]).await;
    assert_eq!((&error["code"], &error["for"]), (&json!("bad-message"), &json!("push-register")));
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    bia.send(json!({"type": "push-register", "platform": "apns", "token": "00"})).await;
    assert!(bia.next_of(&["error"]).await["message"].as_str().unwrap().contains("no pushes of that kind"));
    bia.send(json!({"type": "push-register", "platform": "fcm", "token": ""})).await;
    assert!(bia.next_of(&["error"]).await["message"].as_str().unwrap().contains("token"));
    for _ in 0..10 {
        bia.send(register("phone")).await;
    }
    assert_eq!(bia.next_of(&["error"]).await["code"], "rate-limited");

    let without = start(config()).await;
    let mut ana = without.log_in("ana").await;
    ana.refused(register("phone"), "bad-message").await;
    ana.refused(offer("bia"), "no-such-user").await;
}

async fn a_service_that_is_down_does_not_hold_the_call_up(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    world.services.reply(503, Some(1), json!({}));
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    assert_eq!(bia.next_of(&OF_CALLS).await["type"], "video-offer");
    bia.send(answer("ana")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "video-answer");
}

#[tokio::test]
async fn a_device_that_registered_at_one_node_is_rung_from_another_and_gets_the_call_at_a_third() {
    let Some(mut world) = World::cluster(RING_TIME).await else { return };
    let key = |name: &str| std::fs::read(world.services.folder.join(name).join("vapid.key")).unwrap();
    assert_eq!(key("first"), key("second"), "a browser's subscription is good for every node");
    world.asleep("bia", &["phone"]).await;
    // It stands in the store even if the node that it registered at is gone.
    world.stop_node(0).await;
    let mut ana = world.log_in_at(1, "ana", json!({})).await;
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    let (device, call) = world.pushed().await;
    assert_eq!((device.as_str(), &call["from"]), ("phone", &json!("ana")));
    ana.send(candidate("bia", "one")).await;
    let mut bia = world.log_in_at(2, "bia", json!({"device": "phone"})).await;
    assert_eq!(bia.next_of(&OF_CALLS).await["type"], "video-offer");
    assert_eq!(bia.next_of(&OF_CALLS).await["candidate"]["candidate"], "one");
    bia.send(answer("ana")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "video-answer");
    ana.send(hang_up("bia", "ended")).await;
    assert_eq!(bia.next_of(&OF_CALLS).await["type"], "hang-up");
}

#[tokio::test]
async fn a_node_that_comes_later_knows_whom_to_ring_from_its_first_moment() {
    let Some(mut world) = World::cluster(RING_TIME).await else { return };
    world.asleep("bia", &["phone"]).await;
    for node in 0..3 {
        world.stop_node(node).await;
    }
    world.add_node("fourth").await;
    let mut ana = world.log_in_at(3, "ana", json!({})).await;
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    assert_eq!(world.pushed().await.0, "phone");
}

#[tokio::test]
async fn without_nats_nobody_is_registered_or_rung_and_what_it_forgot_is_written_again() {
    let Some(mut world) = World::cluster(RING_TIME).await else { return };
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.log_in_at(0, "ana", json!({"device": "laptop"})).await;
    let mut nats = world.nats.take().unwrap();
    nats.stop();
    while !http(world.operators[0], "GET /metrics HTTP/1.1").await.contains("chamada_joined 0\n") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for message in [register("laptop"), offer("bia")] {
        ana.send(message).await;
        assert_eq!(ana.next_of(&["push-registered", "call-pushed", "error"]).await["code"], "unavailable");
    }
    assert!(world.services.is_quiet(), "a phone that cannot log in does not ring");
    // Another one in its place, which has never heard of any of this.
    nats.forget();
    nats.run().await;
    world.settled(1, 1).await;
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    assert_eq!(world.pushed().await.0, "phone");
    world.add_node("fourth").await;
    world.settled(1, 1).await;
}
