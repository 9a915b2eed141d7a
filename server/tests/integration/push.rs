//! Calls that ring devices which are not connected, against push services of our own.

use crate::support::push_services::PushServices;
use crate::support::{Client, Running, config, start};
use chamada_server::{AuthConfig, AuthKeys, FcmConfig, PushConfig, ServerConfig, issue_token};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CALL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// A server that asks for tokens and rings by push, and the push services.
struct World {
    server: Running,
    services: PushServices,
    config: ServerConfig,
}

async fn world_with(ring_time: Duration) -> World {
    let services = PushServices::start().await;
    let secret = services.folder.join("auth-secret");
    std::fs::write(&secret, "a secret that has more than 32 bytes").unwrap();
    let push = PushConfig {
        data: services.folder.join("data"),
        fcm: Some(FcmConfig { account: services.google_account(), server: Some(services.url.clone()) }),
        authorities: Some(services.authorities()),
        ring_time,
        ..PushConfig::default()
    };
    let auth = AuthConfig { keys: AuthKeys::Secret(secret), audience: None, issuer: None };
    let config = ServerConfig { auth: Some(auth), push: Some(push), ..config() };
    World { server: start(config.clone()).await, services, config }
}

async fn world() -> World {
    world_with(Duration::from_secs(45)).await
}

impl World {
    async fn log_in(&self, person: &str, more: Value) -> Client {
        let mut client = self.server.connect().await;
        let secret = self.services.folder.join("auth-secret");
        let token = issue_token(&secret, person, person, None, Duration::from_secs(600), None, None).unwrap();
        let mut login = json!({"token": token, "features": ["push", "user-delta"]});
        for (field, value) in more.as_object().unwrap() {
            login[field] = value.clone();
        }
        client.log_in_with(person, login).await;
        client
    }

    /// Somebody's device registers and goes.
    async fn asleep(&self, person: &str, device: &str) {
        let mut client = self.log_in(person, json!({"device": device})).await;
        client.send(register(device)).await;
        assert_eq!(client.next_of(&["push-registered"]).await["platform"], "fcm");
        client.close(1000).await;
    }

    /// Waits until the list of `watcher` has this person among those who are away.
    async fn ana_who_sees_away(&self, person: &str) -> Client {
        let mut ana = self.log_in("ana", json!({})).await;
        ana.send(json!({"type": "userlist-request"})).await;
        loop {
            let list = ana.next_of(&["userlist", "userlist-delta"]).await;
            if list["away"].as_array().is_some_and(|away| away.contains(&json!(person))) {
                return ana;
            }
        }
    }

    /// The next push: the device's token and its data.
    async fn pushed(&mut self) -> (String, Value) {
        let message = self.services.next().await.json()["message"].clone();
        (message["token"].as_str().unwrap().to_owned(), message["data"].clone())
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

/// Shows that nothing of a call was waiting: an own line comes before any.
async fn hears_of_no_call(client: &mut Client) {
    client.send(json!({"type": "message", "text": "marker", "id": client.id, "date": 1})).await;
    loop {
        let message = client.next().await;
        if message["type"] == "message" {
            return;
        }
        assert!(!OF_CALLS.iter().any(|kind| message["type"] == *kind), "{message}");
    }
}

#[tokio::test]
async fn a_call_to_somebody_away_wakes_the_phone_which_gets_offer_and_candidates_and_answers() {
    let mut world = world().await;
    world.asleep("bia", "phone").await;
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
    let mut world = world().await;
    world.asleep("bia", "phone").await;
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

#[tokio::test]
async fn a_caller_who_gives_up_takes_the_ringing_back_and_no_ghost_rings_at_the_login() {
    let mut world = world().await;
    world.asleep("bia", "phone").await;
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
    hears_of_no_call(&mut bia).await;
}

#[tokio::test]
async fn a_call_that_nobody_wakes_up_for_ends_for_the_caller_and_on_the_device() {
    let mut world = world_with(Duration::from_millis(300)).await;
    world.asleep("bia", "phone").await;
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
    hears_of_no_call(&mut bia).await;
}

#[tokio::test]
async fn every_device_rings_and_the_answer_of_one_stops_those_that_still_sleep() {
    let mut world = world().await;
    for device in ["phone", "tablet", "watch"] {
        world.asleep("bia", device).await;
    }
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
    hears_of_no_call(&mut watch).await;
    assert!(world.services.is_quiet());
}

#[tokio::test]
async fn a_decline_on_one_device_ends_it_for_all() {
    let mut world = world().await;
    world.asleep("bia", "phone").await;
    world.asleep("bia", "tablet").await;
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
    let mut world = world().await;
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
    tokio::time::timeout(crate::support::PATIENCE, is_asleep).await.unwrap();
    assert_eq!(world.pushed().await.1["kind"], "ring");
    let mut back = world.log_in("bia", json!({"device": "phone", "resume": place})).await;
    assert_eq!(back.next_of(&OF_CALLS).await["type"], "video-offer");
    back.send(answer("ana")).await;
    assert_eq!(ana.next_of(&["video-answer"]).await["name"], "bia");
    assert!(world.services.is_quiet());
}

#[tokio::test]
async fn after_a_restart_the_same_people_can_be_rung_and_nobody_else_has_their_names() {
    let mut world = world().await;
    world.asleep("bia", "phone").await;
    let _ = world.server.stop.take().unwrap().send(());
    (&mut world.server.task).await.unwrap();
    world.server = start(world.config.clone()).await;
    let mut thief = world.server.connect().await;
    let secret = world.services.folder.join("auth-secret");
    let token = issue_token(&secret, "another", "bia", None, Duration::from_secs(600), None, None).unwrap();
    thief.log_in_with("bia", json!({"token": token})).await;
    assert_ne!(thief.name, "bia");
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    assert_eq!(world.pushed().await.0, "phone");
}

#[tokio::test]
async fn a_server_that_goes_takes_back_what_rings() {
    let mut world = world().await;
    world.asleep("bia", "phone").await;
    let mut ana = world.ana_who_sees_away("bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(world.pushed().await.1["kind"], "ring");
    let _ = world.server.stop.take().unwrap().send(());
    (&mut world.server.task).await.unwrap();
    let (token, data) = world.pushed().await;
    assert_eq!((&*token, &data["kind"]), ("phone", &json!("cancel")));
}

#[tokio::test]
async fn lists_tell_who_is_away_to_those_who_read_deltas() {
    let world = world().await;
    world.asleep("bia", "phone").await;
    let mut ana = world.ana_who_sees_away("bia").await;
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    let came = ana.next_of(&["userlist-delta"]).await;
    assert_eq!((&came["joined"], &came["away"]), (&json!(["bia"]), &Value::Null));
    bia.send(json!({"type": "push-unregister"})).await;
    assert_eq!(bia.next_of(&["push-registered"]).await["platform"], Value::Null);
    bia.send(register("phone")).await;
    bia.next_of(&["push-registered"]).await;
    bia.close(1000).await;
    let gone = ana.next_of(&["userlist-delta"]).await;
    assert_eq!((&gone["left"], &gone["away"]), (&json!(["bia"]), &json!(["bia"])));
    let mut old = world.log_in("eva", json!({"features": []})).await;
    old.send(json!({"type": "userlist-request"})).await;
    assert_eq!(old.next_of(&["userlist"]).await["away"], Value::Null);
}

#[tokio::test]
async fn an_older_caller_hears_that_it_rings() {
    let mut world = world().await;
    world.asleep("bia", "phone").await;
    let mut ana = world.log_in("ana", json!({"features": []})).await;
    ana.send(json!({"type": "video-offer", "target": "bia", "sdp": {"type": "offer", "sdp": "v=0"}})).await;
    let ringing = ana.next_of(&["call-ringing", "call-pushed", "error"]).await;
    assert_eq!(ringing, json!({"type": "call-ringing", "name": "bia", "target": "ana"}));
    let (_, data) = world.pushed().await;
    assert_eq!(data["call"].as_str().unwrap().len(), CALL.len());
}

#[tokio::test]
async fn who_was_blocked_rings_nobody_and_nobody_rings_too_often() {
    let mut world = world().await;
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    bia.send(register("phone")).await;
    bia.next_of(&["push-registered"]).await;
    bia.send(json!({"type": "block", "name": "eva"})).await;
    bia.close(1000).await;
    let mut ana = world.ana_who_sees_away("bia").await;
    let mut eva = world.log_in("eva", json!({})).await;
    eva.send(offer("bia")).await;
    assert_eq!(eva.next_of(&OF_CALLS).await["code"], "blocked");
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
    let world = world().await;
    let mut nameless = world.log_in("bia", json!({})).await;
    nameless.send(register("phone")).await;
    let error = nameless.next_of(&["error"]).await;
    assert_eq!((&error["code"], &error["for"]), (&json!("bad-message"), &json!("push-register")));
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    bia.send(json!({"type": "push-register", "platform": "webpush", "endpoint": "https://push.example/1"})).await;
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

#[tokio::test]
async fn a_service_that_is_down_does_not_hold_the_call_up() {
    let world = world().await;
    world.asleep("bia", "phone").await;
    let mut ana = world.ana_who_sees_away("bia").await;
    world.services.reply(503, Some(1), json!({}));
    ana.send(offer("bia")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "call-pushed");
    let mut bia = world.log_in("bia", json!({"device": "phone"})).await;
    assert_eq!(bia.next_of(&OF_CALLS).await["type"], "video-offer");
    bia.send(answer("ana")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "video-answer");
}
