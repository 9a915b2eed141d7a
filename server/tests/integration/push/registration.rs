//! Devices that register, who is known to be away by that, and whom they block.

use super::*;

on_both_routers! {
    lists_tell_who_is_away_to_those_who_read_deltas(super::RING_TIME);
    who_was_blocked_rings_nobody(super::RING_TIME);
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

async fn who_was_blocked_rings_nobody(mut world: World) {
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
