//! What a call does with the app's camera and preview, and what becomes of the client when something below it breaks.

use chamada::FacingMode;
use chamada::call::{CallState, EndReason};
use chamada::client::{ClientError, ClientEvent, DeviceKind};
use chamada::media::capture::{
    AudioProvider, AudioSink, AudioSource, CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle,
    FrameSink, VideoRenderer,
};
use chamada::media::frame::VideoFrame;
use chamada::media::synthetic::{SyntheticAudio, marker};
use chamada::peer::{PeerConfig, PeerConnection, PeerError, PeerEvent, PeerFactory};
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use chamada_tests::real_server::RealServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
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

/// Devices that take their time, hang, or refuse, each as a test says.
struct Stubborn {
    cameras: Arc<dyn CameraProvider>,
    audio: SyntheticAudio,
    open_takes: Duration,
    close_takes: Duration,
    /// Never to return while it is set.
    camera_hangs: Arc<AtomicBool>,
    microphone_fails: AtomicBool,
    speaker_fails: bool,
    open: Arc<AtomicUsize>,
}

impl Stubborn {
    fn new() -> Self {
        Self {
            cameras: synthetic(320, 240),
            audio: SyntheticAudio::new(440.0),
            open_takes: Duration::ZERO,
            close_takes: Duration::ZERO,
            camera_hangs: Arc::default(),
            microphone_fails: AtomicBool::new(false),
            speaker_fails: false,
            open: Arc::default(),
        }
    }

    async fn login(self: &Arc<Self>, server: &RealServer, name: &str) -> Phone {
        let mut setup = PhoneSetup::new(server.url(), name);
        setup.cameras = Some(Arc::clone(self) as Arc<dyn CameraProvider>);
        setup.audio = Some(Arc::clone(self) as Arc<dyn AudioProvider>);
        setup.login().await
    }
}

/// Waits as a driver does that hangs: without giving its thread back.
fn hang(while_set: &AtomicBool) {
    while while_set.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

struct Slow {
    _handle: Box<dyn CaptureHandle>,
    takes: Duration,
    hangs: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
}

impl CaptureHandle for Slow {}

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(self.takes);
        hang(&self.hangs);
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl CameraProvider for Stubborn {
    fn cameras(&self) -> Vec<CameraInfo> {
        self.cameras.cameras()
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        std::thread::sleep(self.open_takes);
        hang(&self.camera_hangs);
        let handle = self.cameras.open(settings, sink)?;
        assert_eq!(self.open.fetch_add(1, Ordering::SeqCst), 0, "phones open one camera at a time");
        let (takes, hangs, open) = (self.close_takes, Arc::clone(&self.camera_hangs), Arc::clone(&self.open));
        Ok(Box::new(Slow { _handle: handle, takes, hangs, open }))
    }
}

impl AudioProvider for Stubborn {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        if self.microphone_fails.load(Ordering::SeqCst) {
            return Err(CaptureError::NotAllowed("the person said no".into()));
        }
        self.audio.open_microphone(sink)
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        if self.speaker_fails {
            return Err(CaptureError::NotReadable("it is dead".into()));
        }
        self.audio.open_speaker(source)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_hangs_while_it_opens_or_closes_delays_neither_the_call_nor_its_end_nor_the_next_one() {
    let server = RealServer::start().await;
    let devices = Arc::new(Stubborn::new());
    let mut ana = devices.login(&server, "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    // It hangs while it opens: the call connects with sound all the same, and the person is told.
    devices.camera_hangs.store(true, Ordering::SeqCst);
    let start = Instant::now();
    ana.talks_with(&mut rui, "rui").await;
    assert!(start.elapsed() < Duration::from_secs(4), "connected after {:?}", start.elapsed());
    rui.hears().await;
    let why = ana.loses(DeviceKind::Camera).await;
    assert!(matches!(why, ClientError::Capture(CaptureError::NotReadable(_))), "{why}");
    let start = Instant::now();
    must(ana.client.hang_up().await);
    ana.ends().await;
    assert!(start.elapsed() < Duration::from_secs(4), "ended after {:?}", start.elapsed());
    rui.ends().await;
    // It returns: the next call has it again.
    devices.camera_hangs.store(false, Ordering::SeqCst);
    must(ana.client.set_camera(true).await);
    ana.talks_with_known(&mut rui, "rui").await;
    rui.view.until("front camera", |seen| seen.facing == Some(FacingMode::User)).await;
    // It hangs while it closes: the end of the call does not wait for it.
    devices.camera_hangs.store(true, Ordering::SeqCst);
    let start = Instant::now();
    must(ana.client.hang_up().await);
    ana.ends().await;
    assert!(start.elapsed() < Duration::from_secs(4), "ended after {:?}", start.elapsed());
    rui.ends().await;
    must(ana.client.snapshot().await);
    devices.camera_hangs.store(false, Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_after_each_other_with_slow_devices_both_have_their_camera() {
    let server = RealServer::start().await;
    let slow = Duration::from_millis(800);
    let devices = Arc::new(Stubborn { open_takes: slow, close_takes: slow, ..Stubborn::new() });
    let mut ana = devices.login(&server, "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    for _ in 0..2 {
        let before = rui.view.look(|seen| seen.delay.report().frames);
        ana.talks_with_known(&mut rui, "rui").await;
        // Black has no mark.
        rui.view.until("camera", |seen| seen.delay.report().frames > before + 10).await;
        must(ana.client.hang_up().await);
        tokio::join!(ana.ends(), rui.ends());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_microphone_one_can_listen_and_it_is_tried_again_when_it_is_switched_on() {
    let server = RealServer::start().await;
    let devices = Arc::new(Stubborn::new());
    devices.microphone_fails.store(true, Ordering::SeqCst);
    let mut ana = devices.login(&server, "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.sees(&["rui"]).await;
    must(ana.client.call("rui").await);
    let why = ana.loses(DeviceKind::Microphone).await;
    assert!(matches!(why, ClientError::Capture(CaptureError::NotAllowed(_))), "{why}");
    rui.rings().await;
    must(rui.client.accept().await);
    ana.hears().await;
    assert!(!must(ana.client.snapshot().await).local.audio, "the other side is told");
    devices.microphone_fails.store(false, Ordering::SeqCst);
    must(ana.client.set_microphone(true).await);
    rui.hears().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_speaker_is_told_and_the_other_side_still_hears() {
    let server = RealServer::start().await;
    let devices = Arc::new(Stubborn { speaker_fails: true, ..Stubborn::new() });
    let mut ana = devices.login(&server, "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    ana.loses(DeviceKind::Speaker).await;
    rui.hears().await;
}
