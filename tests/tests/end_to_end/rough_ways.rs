//! Calls between two cores by way of servers that are old, hostile or gone, and with devices that fail.

use chamada::FacingMode;
use chamada::call::{CallEvent, CallSnapshot, CallState, EndReason};
use chamada::client::{ClientError, ClientEvent, DeviceKind};
use chamada::media::capture::{CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink};
use chamada::signaling::SignalingError;
use chamada_tests::mock_server::{Faults, MockServer, Script};
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Two phones at a mock server, in a call.
async fn in_a_call(server: &MockServer) -> (Phone, Phone) {
    let mut ana = Phone::login(&server.url(), "ana").await;
    let mut rui = Phone::login(&server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    (ana, rui)
}

fn sent(server: &MockServer, kind: &str) -> usize {
    server.frames().iter().filter(|frame| frame["type"] == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cores_call_each_other_through_an_old_server_and_flip_without_a_second_offer() {
    let server = MockServer::old_server().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    assert_eq!(must(ana.client.flip_camera().await), Some(FacingMode::Environment));
    rui.view.until("rear camera", |seen| seen.facing == Some(FacingMode::Environment)).await;
    assert_eq!((sent(&server, "video-offer"), sent(&server, "video-answer")), (1, 1));
    must(rui.client.hang_up().await);
    assert_eq!(rui.ends().await, EndReason::HungUpLocally);
    assert_eq!(ana.ends().await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_twice_and_in_disorder_make_one_call() {
    let faults = Faults::seeded(7).duplicate(0.4).reorder(3);
    let rough = faults.only(&["video-answer", "new-ice-candidate", "call-ringing", "media-state", "hang-up"]);
    let server = MockServer::start(Script::old_server().faults(rough)).await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
    // And again at once, while copies of the first call's messages may still arrive.
    must(rui.client.call("ana").await);
    ana.rings().await;
    must(ana.client.accept().await);
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_cross_on_a_slow_server_end_in_one_call() {
    let slow = Faults::seeded(3).delay(Duration::from_millis(80)).only(&["video-offer"]);
    let server = MockServer::start(Script::old_server().faults(slow)).await;
    let mut ana = Phone::login(&server.url(), "ana").await;
    let mut rui = Phone::login(&server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    rui.sees(&["ana"]).await;
    // Both are in their call before either's offer can arrive.
    let (one, other) = tokio::join!(ana.client.call("rui"), rui.client.call("ana"));
    let (one, other) = (must(one), must(other));
    let (a, b) = tokio::join!(ana.reaches(CallState::Connected), rui.reaches(CallState::Connected));
    assert_eq!((a.with.as_deref(), b.with.as_deref()), (Some("rui"), Some("ana")));
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    // Whoever gave way holds the call by the same handle.
    assert_eq!((a.call, b.call), (Some(one), Some(other)));
    must(ana.client.handle(one).hang_up().await);
    assert_eq!((ana.ends().await, rui.ends().await), (EndReason::HungUpLocally, EndReason::HungUpRemotely));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_of_a_stranger_or_of_nobody_ends_nothing_and_the_peers_own_does() {
    let server = MockServer::old_server().await;
    let (mut ana, rui) = in_a_call(&server).await;
    let to_ana = server.connection(1).await;
    for hang_up in [
        json!({ "type": "hang-up", "name": "eva", "target": null }),
        json!({ "type": "hang-up", "name": "eva", "target": "ana", "reason": "ended" }),
        json!({ "type": "hang-up", "target": "ana" }),
        json!({ "type": "hang-up", "name": 5, "target": "ana" }),
        json!({ "type": "hang-up", "name": "rui", "target": "ana", "call": "8a1c9c4e-1f0c-4a53-a8f2-6f6d8f3f3a11" }),
    ] {
        to_ana.send(hang_up);
    }
    tokio::join!(ana.view.frames(30), rui.view.frames(30));
    assert_eq!(must(ana.client.snapshot().await).state, CallState::Connected);
    // An old page forgets its target first; only the name says whose call it ends.
    to_ana.send(json!({ "type": "hang-up", "name": "rui", "target": null }));
    assert_eq!(ana.ends().await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_for_an_offer_ends_that_call_and_the_next_one_works() {
    let server = MockServer::old_server().await;
    let mut ana = Phone::login(&server.url(), "ana").await;
    let mut rui = Phone::login(&server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    let to_ana = server.connection(1).await;
    let offer = |sdp: &str| json!({ "type": "video-offer", "name": "rui", "target": "ana", "sdp": { "type": "offer", "sdp": sdp } });
    for sdp in ["", "v=0", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "\u{0}\u{0}", &"a=x\r\n".repeat(9_000)] {
        to_ana.send(offer(sdp));
        assert_eq!(ana.rings().await, "rui");
        must(ana.client.accept().await);
        assert_eq!(ana.ends().await, EndReason::NegotiationFailed, "{} bytes", sdp.len());
    }
    ana.talks_with_known(&mut rui, "rui").await;
    for candidate in [
        json!({ "candidate": "candidate:nonsense", "sdpMid": "0", "sdpMLineIndex": 0 }),
        json!({ "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdpMid": "no such", "sdpMLineIndex": 77 }),
        json!({ "candidate": "", "sdpMid": null, "sdpMLineIndex": null }),
        json!(null),
    ] {
        to_ana.send(json!({ "type": "new-ice-candidate", "target": "ana", "candidate": candidate }));
    }
    tokio::join!(ana.view.frames(20), rui.view.frames(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_a_restart_of_the_server_and_what_is_said_meanwhile_arrives() {
    let server = MockServer::old_server().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    server.stop().await;
    tokio::join!(ana.loses_server(), rui.loses_server());
    tokio::join!(ana.view.frames(30), rui.view.frames(30));
    must(ana.client.set_microphone(false).await);
    server.start_again();
    tokio::join!(ana.sees(&["ana", "rui"]), rui.sees(&["ana", "rui"]));
    rui.until("word of the microphone", |event| match event {
        ClientEvent::Call(CallEvent::Changed(now)) => (!now.remote.audio).then_some(()),
        _ => None,
    })
    .await;
    assert_eq!(must(rui.client.snapshot().await).state, CallState::Connected);
    must(ana.client.hang_up().await);
    assert_eq!(rui.ends().await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_network_of_either_side_restarts_ice_and_the_pictures_go_on() {
    let server = MockServer::old_server().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    let first = credentials(&server.received("video-offer").await);
    server.received("video-answer").await;
    for mover in [&ana, &rui] {
        must(mover.client.network_changed().await);
        let restart = credentials(&server.received("video-offer").await);
        assert_ne!(restart, first, "an ICE restart has new credentials");
        server.received("video-answer").await;
        tokio::join!(ana.view.frames(30), rui.view.frames(30));
    }
    assert_eq!(must(ana.client.snapshot().await).state, CallState::Connected);
    must(ana.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::HungUpLocally);
    assert_eq!(rui.ends().await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_path_is_noticed_within_two_and_a_half_seconds_at_both_ends_and_comes_back() {
    let server = MockServer::old_server().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    let call = must(rui.client.snapshot().await).call;
    let cut = Instant::now();
    ana.client.drop_media(true);
    tokio::join!(ana.reaches(CallState::Reconnecting), rui.reaches(CallState::Reconnecting));
    assert!(cut.elapsed() < Duration::from_millis(2_800), "noticed after {:?}", cut.elapsed());
    ana.client.drop_media(false);
    tokio::join!(ana.reaches(CallState::Connected), rui.reaches(CallState::Connected));
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    assert_eq!(must(rui.client.snapshot().await).call, call);
}

fn credentials(description: &Value) -> Option<String> {
    let sdp = description["sdp"]["sdp"].as_str()?;
    sdp.lines().find(|line| line.starts_with("a=ice-ufrag:")).map(str::to_owned)
}

/// Cameras that can be told to fail.
struct Moody {
    cameras: Arc<dyn CameraProvider>,
    fails: AtomicBool,
    /// Fails for this side only.
    fails_at: Mutex<Option<FacingMode>>,
    panics: AtomicBool,
}

impl Moody {
    fn new(fails: bool) -> Arc<Self> {
        Arc::new(Self {
            cameras: synthetic(320, 240),
            fails: AtomicBool::new(fails),
            fails_at: Mutex::default(),
            panics: AtomicBool::new(false),
        })
    }
}

impl CameraProvider for Moody {
    fn cameras(&self) -> Vec<CameraInfo> {
        self.cameras.cameras()
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        assert!(!self.panics.load(Ordering::SeqCst), "this provider panics");
        let at = *self.fails_at.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fails.load(Ordering::SeqCst) || at.is_some() && at == settings.facing {
            return Err(CaptureError::NotReadable("another app has it".into()));
        }
        self.cameras.open(settings, sink)
    }
}

async fn with_cameras(server: &MockServer, cameras: Arc<Moody>) -> Phone {
    let mut setup = PhoneSetup::new(&server.url(), "ana");
    setup.cameras = Some(cameras);
    setup.login().await
}

/// With Rui, who has ordinary ones.
async fn in_a_call_with(server: &MockServer, cameras: &Arc<Moody>) -> (Phone, Phone) {
    let mut ana = with_cameras(server, Arc::clone(cameras)).await;
    let mut rui = Phone::login(&server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    (ana, rui)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_cannot_be_opened_is_told_and_the_call_goes_on_without_it_until_it_is_tried_again() {
    let server = MockServer::old_server().await;
    let cameras = Moody::new(true);
    let mut ana = with_cameras(&server, Arc::clone(&cameras)).await;
    let mut rui = Phone::login(&server.url(), "rui").await;
    rui.sees(&["ana"]).await;
    must(rui.client.call("ana").await);
    ana.rings().await;
    must(ana.client.accept().await);
    let why = ana.loses(DeviceKind::Camera).await;
    assert!(matches!(why, ClientError::Capture(CaptureError::NotReadable(_))), "{why}");
    tokio::join!(ana.reaches(CallState::Connected), rui.reaches(CallState::Connected));
    ana.view.frames(10).await;
    rui.hears().await;
    assert!(!must(ana.client.snapshot().await).local.video);
    cameras.fails.store(false, Ordering::SeqCst);
    must(ana.client.set_camera(true).await);
    rui.view.until("front camera", |seen| seen.facing == Some(FacingMode::User)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_fails_in_a_call_is_an_error_and_the_call_goes_on_without_it() {
    let server = MockServer::old_server().await;
    let cameras = Moody::new(false);
    let (ana, rui) = in_a_call_with(&server, &cameras).await;
    rui.view.frames(10).await;
    must(ana.client.set_camera(false).await);
    cameras.fails.store(true, Ordering::SeqCst);
    let refused = ana.client.set_camera(true).await.unwrap_err();
    assert!(matches!(refused, ClientError::Capture(CaptureError::NotReadable(_))), "{refused}");
    assert!(!must(ana.client.snapshot().await).local.video, "it is off, and the other side is told so");
    cameras.fails.store(false, Ordering::SeqCst);
    must(ana.client.set_camera(true).await);
    assert!(must(ana.client.snapshot().await).local.video);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flip_that_fails_brings_the_old_camera_back() {
    let server = MockServer::old_server().await;
    let cameras = Moody::new(false);
    *cameras.fails_at.lock().unwrap() = Some(FacingMode::Environment);
    let (ana, rui) = in_a_call_with(&server, &cameras).await;
    rui.view.frames(10).await;
    let refused = ana.client.flip_camera().await.unwrap_err();
    assert!(matches!(refused, ClientError::Capture(CaptureError::NotReadable(_))), "{refused}");
    assert!(must(ana.client.snapshot().await).local.video);
    rui.view.frames(10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_lost_on_a_flip_is_off_for_both_until_it_is_switched_on_again() {
    let server = MockServer::old_server().await;
    let cameras = Moody::new(false);
    let (mut ana, mut rui) = in_a_call_with(&server, &cameras).await;
    for mood in [&cameras.fails, &cameras.panics] {
        rui.view.frames(10).await;
        mood.store(true, Ordering::SeqCst);
        ana.client.flip_camera().await.unwrap_err();
        ana.until("no camera", |event| camera(event, |now| !now.local.video)).await;
        rui.until("no camera there", |event| camera(event, |now| !now.remote.video)).await;
        mood.store(false, Ordering::SeqCst);
        must(ana.client.set_camera(true).await);
        rui.until("camera there", |event| camera(event, |now| now.remote.video)).await;
    }
    rui.view.frames(10).await;
}

/// Whether the call changed to this.
fn camera(event: &ClientEvent, so: impl Fn(&CallSnapshot) -> bool) -> Option<()> {
    match event {
        ClientEvent::Call(CallEvent::Changed(now)) if so(now) => Some(()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_an_outage_of_its_packets_and_one_of_the_server() {
    let server = MockServer::old_server().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    ana.client.drop_media(true);
    tokio::join!(ana.reaches(CallState::Reconnecting), rui.reaches(CallState::Reconnecting));
    ana.client.drop_media(false);
    tokio::join!(ana.reaches(CallState::Connected), rui.reaches(CallState::Connected));
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    ana.client.drop_signaling(true);
    let lost = ana.loses_server().await;
    assert!(matches!(lost, Some(SignalingError::ServerClosed { code: 1006, .. })), "{lost:?}");
    // What there was is gone, and what is tried now fails, while the call goes on.
    let refused = ana.loses_server().await;
    assert!(matches!(refused, Some(SignalingError::Unreachable { .. })), "{refused:?}");
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    ana.client.drop_signaling(false);
    ana.sees(&["ana", "rui"]).await;
    must(rui.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_logs_in_during_an_outage_of_the_server() {
    let server = MockServer::old_server().await;
    let setup = PhoneSetup::new(&server.url(), "ana");
    setup.config.signaling.outage.set(true);
    let refused = setup.try_login().await.err();
    assert!(matches!(refused, Some(ClientError::Signaling(SignalingError::Unreachable { .. }))), "{refused:?}");
}
