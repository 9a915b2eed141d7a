//! Two calls of one person, over real sockets: one that waits, one on hold, and back.

use super::hold::{CountedAudio, seconds, sees};
use chamada::call::{CallEvent, CallState, EndReason};
use chamada::client::ClientEvent;
use chamada::text::TextEvent;
use chamada_tests::phone::{Phone, PhoneSetup, must};
use chamada_tests::real_server::RealServer;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Ana, who knows call waiting, talks with Rui, and Eva calls her.
async fn eva_waits(server: &RealServer) -> (Phone, Phone, Phone, Arc<CountedAudio>) {
    let audio = CountedAudio::new();
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.audio = Some(audio.clone());
    setup.config.call_waiting = true;
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    let mut eva = Phone::login(server.url(), "eva").await;
    eva.sees(&["ana"]).await;
    must(eva.client.call("ana").await);
    let from = ana
        .until("a call that waits", |event| match event {
            ClientEvent::Call(CallEvent::Waiting { from, .. }) => Some(from.clone()),
            _ => None,
        })
        .await;
    assert_eq!(from, "eva");
    eva.reaches(CallState::RingingRemotely).await;
    (ana, rui, eva, audio)
}

async fn sees_and_is_seen(one: &Phone, other: &Phone) {
    tokio::join!(one.view.frames(20), other.view.frames(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_and_accept_and_swap_change_who_is_heard_and_seen_and_no_call_is_lost() {
    let server = RealServer::start().await;
    let (mut ana, mut rui, mut eva, audio) = eva_waits(&server).await;
    must(ana.client.hold_and_accept().await);
    eva.reaches(CallState::Connected).await;
    sees(&mut rui, "the hold", |now| now.remote.held).await;
    sees_and_is_seen(&ana, &eva).await;
    eva.hears().await;
    ana.hears().await;
    let other = must(ana.client.snapshot().await).other.expect("a call on hold");
    assert_eq!((other.with.as_str(), other.state), ("rui", CallState::Connected));
    must(rui.client.send_text("are you there?").await);
    let from = ana
        .until("the text of the one on hold", |event| match event {
            ClientEvent::Behind { call, event } => match &**event {
                ClientEvent::Text(TextEvent::Received { .. }) => Some(*call),
                _ => None,
            },
            ClientEvent::Text(TextEvent::Received { .. }) => panic!("that is not Eva's"),
            _ => None,
        })
        .await;
    assert_eq!(from, other.call);

    must(ana.client.swap_calls().await);
    sees(&mut eva, "the hold", |now| now.remote.held).await;
    sees(&mut rui, "the end of the hold", |now| !now.remote.held && now.remote.video).await;
    sees_and_is_seen(&ana, &rui).await;
    let open = [&audio.microphones, &audio.speakers].map(|open| open.load(Ordering::SeqCst));
    assert_eq!(open, [1, 1], "one call has the devices");

    must(ana.client.hang_up().await);
    assert_eq!(rui.ends().await, EndReason::HungUpRemotely);
    let left =
        sees(&mut ana, "the call on hold", |now| now.with.as_deref() == Some("eva") && now.other.is_none()).await;
    assert!(left.local.held, "nobody is taken up by itself");
    must(ana.client.set_held(false).await);
    sees(&mut eva, "the end of the hold", |now| !now.remote.held && now.remote.video).await;
    sees_and_is_seen(&ana, &eva).await;
    must(eva.client.hang_up().await);
    ana.until("idle", |event| match event {
        ClientEvent::Call(CallEvent::Changed(now)) if now.state == CallState::Idle => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn swapping_as_fast_as_it_goes_leaves_one_call_with_the_devices_and_both_connected() {
    let server = RealServer::start().await;
    let (mut ana, mut rui, mut eva, audio) = eva_waits(&server).await;
    must(ana.client.hold_and_accept().await);
    eva.reaches(CallState::Connected).await;
    for _ in 0..21 {
        must(ana.client.swap_calls().await);
    }
    // Each open and close is counted by the devices themselves, which allow one at a time.
    sees(&mut rui, "the end of the hold", |now| !now.remote.held && now.remote.video).await;
    sees_and_is_seen(&ana, &rui).await;
    seconds(&mut ana, 1).await;
    let open = [&audio.microphones, &audio.speakers].map(|open| open.load(Ordering::SeqCst));
    assert_eq!(open, [1, 1]);
    must(ana.client.hang_up().await);
    rui.ends().await;
    must(ana.client.hang_up().await);
    eva.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn end_and_accept_ends_one_call_and_has_the_devices_for_the_other() {
    let server = RealServer::start().await;
    let (mut ana, mut rui, mut eva, audio) = eva_waits(&server).await;
    must(ana.client.end_and_accept().await);
    assert_eq!(rui.ends().await, EndReason::HungUpRemotely);
    eva.reaches(CallState::Connected).await;
    sees_and_is_seen(&ana, &eva).await;
    assert_eq!(ana.ends().await, EndReason::HungUpLocally);
    ana.hears().await;
    assert_eq!(audio.microphones.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn declining_the_one_who_waits_by_its_handle_leaves_the_call_alone() {
    let server = RealServer::start().await;
    let (ana, rui, mut eva, _) = eva_waits(&server).await;
    let other = must(ana.client.snapshot().await).other.expect("a call that waits");
    must(ana.client.handle(other.call).decline().await);
    assert_eq!(eva.ends().await, EndReason::DeclinedRemotely);
    sees_and_is_seen(&ana, &rui).await;
}
