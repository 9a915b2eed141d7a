//! Messages of calls: where they go, where they do not, and what old pages may expect.

use crate::support::{Client, Running, config, start};
use chamada_server::ServerConfig;
use serde_json::{Value, json};
use std::time::Duration;

fn describe(kind: &str, to: &str) -> Value {
    json!({"type": format!("video-{kind}"), "target": to, "sdp": {"type": kind, "sdp": "v=0\r\n"}})
}

async fn three(server: &Running) -> (Client, Client, Client) {
    (server.log_in("ana").await, server.log_in("bia").await, server.log_in("eva").await)
}

/// One calls the other, who answers.
async fn call(from: &mut Client, to: &mut Client) {
    from.send(describe("offer", &to.name.clone())).await;
    assert_eq!(to.heard().await["type"], "video-offer");
    to.send(describe("answer", &from.name.clone())).await;
    assert_eq!(from.heard().await["type"], "video-answer");
}

#[tokio::test]
async fn nobody_can_broadcast_by_accident_or_for_fun() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) = three(&server).await;
    call(&mut ana, &mut bia).await;
    let sdp = json!({"type": "offer", "sdp": "v=0"});
    for kind in
        ["video-offer", "video-answer", "new-ice-candidate", "call-ringing", "media-state", "wave", "", "Message"]
    {
        for target in [None, Some(Value::Null), Some(json!(""))] {
            let mut message = json!({"type": kind, "sdp": sdp, "candidate": null});
            if let Some(target) = target {
                message["target"] = target;
            }
            let error = ana.refused(message.clone(), "bad-message").await;
            assert_eq!(error.get("for").and_then(Value::as_str).unwrap_or_default(), kind, "{message}");
        }
        ana.refused(json!({"type": kind, "target": ["bia", "eva"], "sdp": sdp}), "bad-message").await;
        ana.refused(json!({"type": kind, "target": "*", "sdp": sdp}), "no-such-user").await;
    }
    ana.send(json!({"type": "message", "text": "only this"})).await;
    for client in [&mut bia, &mut eva] {
        assert_eq!(client.heard().await["text"], "only this");
    }
}

#[tokio::test]
async fn an_old_pages_frames_pass_with_the_senders_true_name() {
    let server = start(config()).await;
    let (mut ana, mut bia, _eva) = three(&server).await;
    // A float for a number, a false name, fields of its own.
    let mut offer = describe("offer", "bia");
    (offer["name"], offer["id"], offer["more"]) = (json!("eva"), json!(ana.id as f64), json!({"x": [null]}));
    ana.send(offer.clone()).await;
    let heard = bia.heard().await;
    assert_eq!((&heard["name"], &heard["sdp"], &heard["more"]), (&json!("ana"), &offer["sdp"], &offer["more"]));
    // One offer per added track.
    ana.send(describe("offer", "bia")).await;
    assert_eq!(bia.heard().await["type"], "video-offer");
    for candidate in [json!(null), json!({"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "f"})]
    {
        ana.send(json!({"type": "new-ice-candidate", "target": "bia", "candidate": candidate})).await;
        let heard = bia.heard().await;
        assert_eq!((&heard["name"], &heard["candidate"]), (&json!("ana"), &candidate));
    }
    bia.send(describe("answer", "ana")).await;
    assert_eq!(ana.heard().await["name"], "bia");
}

#[tokio::test]
async fn another_sessions_number_is_refused_in_every_message() {
    let server = start(config()).await;
    let (mut ana, mut bia, _eva) = three(&server).await;
    for id in [json!(bia.id), json!(ana.id.to_string()), json!(-1), json!(ana.id as f64 + 0.5), json!([ana.id])] {
        for mut message in [
            json!({"type": "message", "text": "x"}),
            json!({"type": "username", "name": "zoë", "date": 1}),
            json!({"type": "hang-up", "target": "bia"}),
            json!({"type": "wave", "target": "bia"}),
            describe("offer", "bia"),
        ] {
            message["id"] = id.clone();
            ana.refused(message, "bad-message").await;
        }
    }
    bia.heard_nothing().await;
}

#[tokio::test]
async fn a_hang_up_without_target_goes_to_whom_one_calls_and_is_called_by_and_to_nobody_else() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) = three(&server).await;
    let hang_up = json!({"type": "hang-up", "target": null});
    // Nobody is in a call.
    ana.send(hang_up.clone()).await;
    ana.heard_nothing().await;
    bia.heard().await;
    eva.heard().await;
    // Given up before it was answered.
    ana.send(describe("offer", "bia")).await;
    bia.heard().await;
    ana.send(hang_up.clone()).await;
    assert_eq!(bia.heard().await, json!({"type": "hang-up", "name": "ana", "target": "bia"}));
    // Refused before it was answered; an empty target is none, as it was to old servers.
    ana.send(describe("offer", "bia")).await;
    bia.heard().await;
    bia.send(json!({"type": "hang-up", "target": "", "reason": "busy"})).await;
    assert_eq!(ana.heard().await["reason"], "busy");
    // Both at once: either one may answer.
    ana.send(describe("offer", "bia")).await;
    bia.send(describe("offer", "ana")).await;
    bia.heard().await;
    ana.heard().await;
    bia.send(describe("answer", "ana")).await;
    ana.heard().await;
    bia.send(hang_up).await;
    assert_eq!(ana.heard().await["name"], "bia");
    eva.heard_nothing().await;
}

#[tokio::test]
async fn a_call_that_was_lost_without_a_word_does_not_take_the_next_ones_hang_up() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) = three(&server).await;
    call(&mut ana, &mut bia).await;
    // The connection between the two breaks: old pages close the call and tell nobody. Then one of them calls somebody else.
    call(&mut ana, &mut eva).await;
    ana.send(json!({"type": "hang-up", "target": null})).await;
    assert_eq!(eva.heard().await["name"], "ana");
    // The other one, who may still believe in the old call, hangs up on nobody.
    bia.send(json!({"type": "hang-up", "target": null})).await;
    ana.heard_nothing().await;
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_makes_no_call() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) = three(&server).await;
    call(&mut ana, &mut bia).await;
    eva.send(describe("answer", "bia")).await;
    eva.heard_nothing().await;
    bia.heard().await;
    ana.heard().await;
    bia.heard_nothing().await;
    ana.heard().await;
    eva.heard().await;
    bia.send(json!({"type": "hang-up", "target": null})).await;
    assert_eq!(ana.heard().await["name"], "bia");
    eva.heard_nothing().await;
}

#[tokio::test]
async fn a_hang_up_reaches_a_peer_by_the_name_it_has_now() {
    let server = start(config()).await;
    let (mut ana, mut bia, _eva) = three(&server).await;
    call(&mut ana, &mut bia).await;
    bia.send(json!({"type": "username", "name": "zoë", "id": bia.id})).await;
    ana.list_where(|list| list.contains(&"zoë".to_owned())).await;
    ana.send(json!({"type": "hang-up", "name": "ana", "target": null})).await;
    assert_eq!(bia.heard().await["target"], "zoë");
}

const FIRST: &str = "00000000-0000-4000-8000-000000000001";
const SECOND: &str = "00000000-0000-4000-8000-000000000002";

fn describe_in(call: &str, kind: &str, to: &str) -> Value {
    let mut message = describe(kind, to);
    message["call"] = call.into();
    message
}

/// Ana is in a call with Bia, and then answers Eva.
async fn two_calls_of_ana(server: &Running) -> (Client, Client, Client) {
    let (mut ana, mut bia, mut eva) = three(server).await;
    for (caller, call) in [(&mut bia, FIRST), (&mut eva, SECOND)] {
        caller.send(describe_in(call, "offer", "ana")).await;
        assert_eq!(ana.heard().await["type"], "video-offer");
        ana.send(describe_in(call, "answer", &caller.name.clone())).await;
        assert_eq!(caller.heard().await["call"], call);
    }
    (ana, bia, eva)
}

#[tokio::test]
async fn of_somebody_with_two_calls_the_messages_of_each_pass() {
    let server = start(config()).await;
    let (mut ana, mut bia, mut eva) = two_calls_of_ana(&server).await;
    ana.send(json!({"type": "media-state", "target": "bia", "call": FIRST, "audio": false, "held": true})).await;
    let told = bia.heard().await;
    assert_eq!((&told["type"], &told["held"]), (&json!("media-state"), &json!(true)), "an added field stays");
    // The call on hold is repaired, by either side, and the other one is not disturbed.
    for _ in 0..2 {
        bia.send(describe_in(FIRST, "offer", "ana")).await;
        assert_eq!(ana.heard().await["name"], "bia");
        ana.send(describe_in(FIRST, "answer", "bia")).await;
        assert_eq!(bia.heard().await["type"], "video-answer");
        ana.send(describe_in(FIRST, "offer", "bia")).await;
        assert_eq!(bia.heard().await["type"], "video-offer");
        bia.send(describe_in(FIRST, "answer", "ana")).await;
        assert_eq!(ana.heard().await["type"], "video-answer");
    }
    eva.send(describe_in(SECOND, "offer", "ana")).await;
    assert_eq!(ana.heard().await["name"], "eva");
    ana.send(describe_in(SECOND, "answer", "eva")).await;
    assert_eq!(eva.heard().await["type"], "video-answer");
    // Each is ended by itself.
    eva.send(json!({"type": "hang-up", "target": "ana", "call": SECOND})).await;
    assert_eq!(ana.heard().await["name"], "eva");
    ana.send(describe_in(FIRST, "offer", "bia")).await;
    assert_eq!(bia.heard().await["type"], "video-offer");
    bia.send(describe_in(FIRST, "answer", "ana")).await;
    assert_eq!(ana.heard().await["type"], "video-answer");
    ana.send(json!({"type": "hang-up", "target": "bia", "call": FIRST})).await;
    assert_eq!(bia.heard().await["call"], FIRST);
    eva.heard_nothing().await;
}

#[tokio::test]
async fn who_is_gone_for_good_is_taken_out_of_both_calls() {
    let server = start(ServerConfig { reload_grace: Duration::from_millis(100), ..config() }).await;
    let (ana, mut bia, mut eva) = two_calls_of_ana(&server).await;
    ana.close(4001).await;
    for (peer, call) in [(&mut bia, FIRST), (&mut eva, SECOND)] {
        let ended = peer.next_of(&["hang-up"]).await;
        assert_eq!((&ended["name"], &ended["call"]), (&json!("ana"), &json!(call)));
    }
}
