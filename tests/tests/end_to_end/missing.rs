//! Sound and video that a call goes on without: both sides are told what is missing, and why.

use chamada::call::{CallEvent, CallState, NoPath};
use chamada::client::{ClientEvent, MediaKind, MissingMedia};
use chamada::media::capture::{CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink};
use chamada::media::video::codec::VideoCodec;
use chamada_tests::mock_server::MockServer;
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a phone is told of missing media first.
async fn misses(phone: &mut Phone) -> (MediaKind, Option<MissingMedia>) {
    phone
        .until("word of missing media", |event| match event {
            ClientEvent::Missing { kind, why } => Some((*kind, *why)),
            _ => None,
        })
        .await
}

/// A camera that opens and delivers nothing.
struct Dark(Arc<dyn CameraProvider>);

impl CameraProvider for Dark {
    fn cameras(&self) -> Vec<CameraInfo> {
        self.0.cameras()
    }

    fn open(&self, _: &CameraSettings, _: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        struct Open;
        impl CaptureHandle for Open {}
        Ok(Box::new(Open))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_were_agreed_on_and_never_come_are_told_within_three_seconds() {
    let server = MockServer::old_server().await;
    let mut setup = PhoneSetup::new(&server.url(), "rui");
    setup.cameras = Some(Arc::new(Dark(synthetic(320, 240))));
    let mut rui = setup.login().await;
    let mut ana = Phone::login(&server.url(), "ana").await;
    ana.talks_with(&mut rui, "rui").await;
    let connected = Instant::now();
    assert_eq!(misses(&mut ana).await, (MediaKind::Video, Some(MissingMedia::NoPackets)));
    assert!(connected.elapsed() < Duration::from_millis(3_500), "told after {:?}", connected.elapsed());
    ana.hears().await;
    rui.view.frames(10).await;
    // Without its camera the other side sends none, and says so.
    must(rui.client.set_camera(false).await);
    assert_eq!(misses(&mut ana).await, (MediaKind::Video, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_common_codec_for_video_both_sides_are_told_that_sound_alone_goes_on() {
    let server = MockServer::old_server().await;
    let with = |name: &str, codec| {
        let mut setup = PhoneSetup::new(&server.url(), name);
        setup.config.codecs = vec![codec];
        setup.login()
    };
    let (mut ana, mut rui) = tokio::join!(with("ana", VideoCodec::Vp8), with("rui", VideoCodec::H264));
    ana.sees(&["rui"]).await;
    must(ana.client.call("rui").await);
    rui.rings().await;
    must(rui.client.accept().await);
    for phone in [&mut ana, &mut rui] {
        assert_eq!(misses(phone).await, (MediaKind::Video, Some(MissingMedia::NoCommonCodec)));
        phone.hears().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_finds_no_path_says_why_within_three_seconds_and_connects_when_there_is_one() {
    let server = MockServer::old_server().await;
    let mut ana = Phone::login(&server.url(), "ana").await;
    let mut rui = Phone::login(&server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    ana.client.drop_media(true);
    must(ana.client.call("rui").await);
    rui.rings().await;
    must(rui.client.accept().await);
    for phone in [&mut ana, &mut rui] {
        phone.reaches(CallState::Connecting).await;
    }
    let connecting = Instant::now();
    for phone in [&mut ana, &mut rui] {
        let search = phone
            .until("word of the missing path", |event| match event {
                ClientEvent::Call(CallEvent::NoPathYet(search)) => Some(*search),
                _ => None,
            })
            .await;
        assert_eq!(search.why(), NoPath::NoRelay, "{search}");
        assert!(connecting.elapsed() < Duration::from_millis(3_500), "told after {:?}", connecting.elapsed());
    }
    ana.client.drop_media(false);
    tokio::join!(ana.reaches(CallState::Connected), rui.reaches(CallState::Connected));
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
}
