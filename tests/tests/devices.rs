//! What a call does with the app's camera and preview, and what becomes of the client when something below it breaks.

use chamada::FacingMode;
use chamada::call::{CallState, EndReason};
use chamada::client::ClientEvent;
use chamada::media::capture::{
    CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink, VideoRenderer,
};
use chamada::media::frame::VideoFrame;
use chamada::media::synthetic::marker;
use chamada::peer::{PeerConfig, PeerConnection, PeerError, PeerEvent, PeerFactory};
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use chamada_tests::real_server::RealServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, watch};

/// Cameras of which it is known how many are open and how often one was opened.
struct Watched {
    cameras: Arc<dyn CameraProvider>,
    open: Arc<AtomicUsize>,
    opened: AtomicUsize,
}

/// One of them.
struct Open {
    _handle: Box<dyn CaptureHandle>,
    open: Arc<AtomicUsize>,
}

impl CaptureHandle for Open {}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl CameraProvider for Watched {
    fn cameras(&self) -> Vec<CameraInfo> {
        self.cameras.cameras()
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let handle = self.cameras.open(settings, sink)?;
        assert_eq!(self.open.fetch_add(1, Ordering::SeqCst), 0, "phones open one camera at a time");
        self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Open { _handle: handle, open: Arc::clone(&self.open) }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flip_while_the_camera_is_off_does_not_switch_it_on_and_holds_for_later() {
    let server = RealServer::start().await;
    let cameras = Arc::new(Watched { cameras: synthetic(320, 240), open: Arc::default(), opened: AtomicUsize::new(0) });
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.cameras = Some(cameras.clone());
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    rui.view.until("front camera", |seen| seen.facing == Some(FacingMode::User)).await;
    must(ana.client.set_camera(false).await);
    assert_eq!(cameras.open.load(Ordering::SeqCst), 0);
    assert_eq!(must(ana.client.flip_camera().await), Some(FacingMode::Environment));
    assert_eq!(cameras.open.load(Ordering::SeqCst), 0, "the person has switched it off");
    assert_eq!(cameras.opened.load(Ordering::SeqCst), 1, "not even for a moment");
    must(ana.client.set_camera(true).await);
    rui.view.until("rear camera", |seen| seen.facing == Some(FacingMode::Environment)).await;
    assert_eq!(must(ana.client.snapshot().await).local.facing, Some(FacingMode::Environment));
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
    assert_eq!(cameras.open.load(Ordering::SeqCst), 0, "closed before the end is told");
}

/// Remembers of the newest picture of the own camera which camera took it and whether it is to be mirrored.
struct Mirror(watch::Sender<Option<(FacingMode, bool)>>);

impl VideoRenderer for Mirror {
    fn render(&self, frame: VideoFrame) {
        if let Some(marker) = marker::read(&frame) {
            self.0.send_replace(Some((marker.facing, frame.mirror())));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_cameras_preview_is_mirrored_and_the_rear_ones_and_what_is_sent_are_not() {
    let server = RealServer::start().await;
    let preview = Arc::new(Mirror(watch::Sender::new(None)));
    let mut shown = preview.0.subscribe();
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.preview = Some(preview);
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    shown.wait_for(|now| *now == Some((FacingMode::User, true))).await.unwrap();
    rui.view.until("picture", |seen| seen.newest.as_ref().is_some_and(|frame| !frame.mirror())).await;
    must(ana.client.flip_camera().await);
    let settings = ana
        .until("the rear camera", |event| match event {
            ClientEvent::Camera(settings) if settings.facing == Some(FacingMode::Environment) => Some(settings.clone()),
            _ => None,
        })
        .await;
    assert!(!settings.mirrors_preview());
    shown.wait_for(|now| *now == Some((FacingMode::Environment, false))).await.unwrap();
}

/// Breaks instead of making a connection.
struct Broken;

#[async_trait::async_trait]
impl PeerFactory for Broken {
    async fn create(&self, _: PeerConfig, _: mpsc::Sender<PeerEvent>) -> Result<Arc<dyn PeerConnection>, PeerError> {
        panic!("broken on purpose")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_panics_below_a_call_ends_that_call_and_not_the_client() {
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.peers = Arc::new(Broken);
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    for _ in 0..2 {
        must(rui.client.call("ana").await);
        ana.rings().await;
        must(ana.client.accept().await);
        assert_eq!(ana.ends().await, EndReason::MediaFailedLocally);
        assert_eq!(rui.ends().await, EndReason::MediaFailedRemotely);
        assert_eq!(must(ana.client.snapshot().await).state, CallState::Idle);
    }
    tokio::time::timeout(chamada_tests::phone::PATIENCE, ana.client.logout())
        .await
        .expect("the logout comes to its end");
}
