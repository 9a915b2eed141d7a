//! Registrations and calls that wait on several nodes.

use super::*;

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

#[tokio::test]
async fn a_caller_who_comes_back_on_another_node_goes_on_ringing_and_ends_it_from_there() {
    let Some(mut world) = World::cluster(RING_TIME).await else { return };
    world.asleep("bia", &["phone", "tablet"]).await;
    let ana = world.log_in_at(0, "ana", json!({})).await;
    let mut sees_ana = world.log_in_at(1, "eva", json!({})).await;
    let mut calls = ana;
    calls.send(offer("bia")).await;
    assert_eq!(calls.next_of(&OF_CALLS).await["type"], "call-pushed");
    assert_eq!(
        (world.pushed().await.1["kind"].clone(), world.pushed().await.1["kind"].clone()),
        (json!("ring"), json!("ring"))
    );
    sees(&mut sees_ana, "users", "ana").await;
    let place = calls.token.clone();
    calls.close(4000).await;
    let mut ana = world.log_in_at(1, "ana", json!({"resume": place})).await;
    ana.send(candidate("bia", "candidate:1")).await;
    let mut phone = world.log_in_at(2, "bia", json!({"device": "phone"})).await;
    assert_eq!(phone.next_of(&OF_CALLS).await["type"], "video-offer");
    assert_eq!(phone.next_of(&OF_CALLS).await["candidate"]["candidate"], "candidate:1");
    ana.send(hang_up("bia", "cancelled")).await;
    assert_eq!(phone.next_of(&OF_CALLS).await["reason"], "cancelled");
    let (token, data) = world.pushed().await;
    assert_eq!((&*token, &data["kind"]), ("tablet", &json!("cancel")));
    let mut tablet = world.log_in_at(0, "bia", json!({"device": "tablet"})).await;
    hears_of_no_call(&mut tablet, &mut ana).await;
    assert!(world.services.is_quiet());
}
