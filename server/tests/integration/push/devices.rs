//! Calls to people with several devices, of which some sleep.

use super::*;

on_both_routers! {
    every_device_rings_and_the_answer_of_one_stops_those_that_still_sleep(super::RING_TIME);
    a_decline_on_one_device_ends_it_for_all(super::RING_TIME);
    a_phone_rings_too_while_another_device_is_connected(super::RING_TIME);
    a_call_that_is_answered_where_somebody_is_stops_the_phone(super::RING_TIME);
    a_connected_device_that_does_not_ring_is_rung_by_push_and_one_that_rings_is_not(super::RING_TIME);
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

async fn a_phone_rings_too_while_another_device_is_connected(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut laptop = world.log_in("bia", json!({"device": "laptop"})).await;
    let mut ana = world.log_in("ana", json!({})).await;
    sees(&mut ana, "users", "bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(laptop.next_of(&OF_CALLS).await["type"], "video-offer");
    assert_eq!(world.pushed().await.0, "phone");
    ana.send(candidate("bia", "candidate:1")).await;
    assert_eq!(laptop.next_of(&OF_CALLS).await["candidate"]["candidate"], "candidate:1");
    let mut phone = world.log_in("bia", json!({"device": "phone"})).await;
    assert_eq!(phone.next_of(&OF_CALLS).await["type"], "video-offer");
    assert_eq!(phone.next_of(&OF_CALLS).await["candidate"]["candidate"], "candidate:1");
    phone.send(answer("ana")).await;
    assert_eq!(ana.next_of(&OF_CALLS).await["type"], "video-answer");
    assert_eq!(laptop.next_of(&OF_CALLS).await["reason"], "elsewhere");
    assert!(world.services.is_quiet());
}

async fn a_call_that_is_answered_where_somebody_is_stops_the_phone(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut laptop = world.log_in("bia", json!({"device": "laptop"})).await;
    let mut ana = world.log_in("ana", json!({})).await;
    sees(&mut ana, "users", "bia").await;
    ana.send(offer("bia")).await;
    assert_eq!(laptop.next_of(&OF_CALLS).await["type"], "video-offer");
    assert_eq!(world.pushed().await.1["kind"], "ring");
    laptop.send(answer("ana")).await;
    let (token, data) = world.pushed().await;
    assert_eq!((&*token, &data["kind"]), ("phone", &json!("cancel")));
    // What is for a person in a call goes to the device that has it.
    laptop.send(hang_up("ana", "ended")).await;
    assert_eq!(ana.next_of(&["hang-up"]).await["reason"], "ended");
    let mut phone = world.log_in("bia", json!({"device": "phone"})).await;
    hears_of_no_call(&mut phone, &mut ana).await;
}

async fn a_connected_device_that_does_not_ring_is_rung_by_push_and_one_that_rings_is_not(mut world: World) {
    let mut bia = Vec::new();
    for device in ["phone", "tablet"] {
        let mut client = world.log_in("bia", json!({"device": device})).await;
        client.send(register(device)).await;
        client.next_of(&["push-registered"]).await;
        bia.push(client);
    }
    world.settled(1, 2).await;
    let mut ana = world.log_in("ana", json!({})).await;
    ana.send(offer("bia")).await;
    for client in &mut bia {
        assert_eq!(client.next_of(&OF_CALLS).await["type"], "video-offer");
    }
    bia[1].send(json!({"type": "call-ringing", "target": "ana", "call": CALL})).await;
    assert_eq!(ana.next_of(&["call-ringing"]).await["name"], "bia");
    // As of a connection that has broken unnoticed, nothing comes from the phone.
    assert_eq!(world.pushed().await.0, "phone");
    let mut phone = world.log_in("bia", json!({"device": "phone"})).await;
    assert_eq!(phone.next_of(&OF_CALLS).await["type"], "video-offer");
    phone.send(answer("ana")).await;
    assert_eq!(ana.next_of(&["video-answer"]).await["name"], "bia");
    assert!(world.services.is_quiet());
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
