//! Calls to people who are away.

use super::*;

on_both_routers! {
    a_call_to_somebody_away_wakes_the_phone_which_gets_offer_and_candidates_and_answers(super::RING_TIME);
    from_offer_to_push_it_takes_less_than_half_a_second(super::RING_TIME);
    a_caller_who_gives_up_takes_the_ringing_back_and_no_ghost_rings_at_the_login(super::RING_TIME);
    a_call_that_nobody_wakes_up_for_ends_for_the_caller_and_on_the_device(std::time::Duration::from_millis(500));
    a_server_that_goes_takes_back_what_rings_and_says_so_to_the_caller(super::RING_TIME);
    an_older_caller_hears_that_it_rings(super::RING_TIME);
    nobody_rings_too_often(super::RING_TIME);
    a_service_that_is_down_does_not_hold_the_call_up(super::RING_TIME);
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

/// Prints the figure that `docs/operating.md` speaks of.
async fn from_offer_to_push_it_takes_less_than_half_a_second(mut world: World) {
    // More than six calls in a row to one person, or thirty of one, are refused.
    let callees: Vec<String> = (0..10).map(|callee| format!("callee-{callee}")).collect();
    for callee in &callees {
        world.asleep(callee, &[callee]).await;
    }
    let mut took = Vec::new();
    for (caller, callees) in callees.chunks(5).enumerate() {
        let mut caller = world.log_in(&format!("caller-{caller}"), json!({})).await;
        for callee in callees.iter().flat_map(|callee| [callee; 6]) {
            let since = Instant::now();
            caller.send(offer(callee)).await;
            let (device, data) = world.pushed().await;
            took.push(since.elapsed());
            assert_eq!((&device, &data["kind"]), (callee, &json!("ring")));
            caller.send(hang_up(callee, "cancelled")).await;
            assert_eq!(world.pushed().await.1["kind"], "cancel");
        }
    }
    took.sort_unstable();
    let share = |percent: usize| took[(took.len() * percent).div_ceil(100) - 1];
    let (half, most) = (share(50), share(95));
    println!("from offer to push, {} calls, nodes: {}: p50 {half:.1?}, p95 {most:.1?}", took.len(), world.nodes.len());
    assert!(most < Duration::from_millis(500), "{most:?}");
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

async fn an_older_caller_hears_that_it_rings(mut world: World) {
    world.asleep("bia", &["phone"]).await;
    let mut ana = world.log_in("ana", json!({"features": []})).await;
    ana.send(json!({"type": "video-offer", "target": "bia", "sdp": {"type": "offer", "sdp": "v=0"}})).await;
    let ringing = ana.next_of(&["call-ringing", "call-pushed", "error"]).await;
    assert_eq!(ringing, json!({"type": "call-ringing", "name": "bia", "target": "ana"}));
    let (_, data) = world.pushed().await;
    assert_eq!(data["call"].as_str().unwrap().len(), CALL.len());
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
