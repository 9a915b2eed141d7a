//! Screens that are shared, between two cores over real sockets.

use crate::hold::sees;
use chamada::FacingMode;
use chamada::call::{CallError, CallState, EndReason};
use chamada::client::{ClientError, ClientEvent};
use chamada::media::capture::{CameraSettings, CaptureError, CaptureHandle, FrameSink};
use chamada::media::frame::{FramePool, Rotation};
use chamada::media::screen::{ContentHint, ScreenEnd, ScreenError, ScreenSource};
use chamada::media::synthetic::{Painter, REAR};
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use chamada_tests::real_server::RealServer;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What a test has of a share that is open.
#[derive(Default)]
struct Captured {
    open: AtomicUsize,
    sink: Mutex<Option<(FrameSink, ScreenEnd)>>,
}

impl Captured {
    fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) == 1
    }

    fn sink(&self) -> (FrameSink, ScreenEnd) {
        self.sink.lock().unwrap().clone().expect("it was opened")
    }
}

/// A screen that looks as the rear camera does, so that it is told from the front one, which is open otherwise.
struct TestScreen {
    captured: Arc<Captured>,
    /// Pictures come all the time; else only one, as of a page that somebody reads.
    moves: bool,
    size: (u32, u32),
}

impl TestScreen {
    fn new(moves: bool) -> (Arc<Self>, Arc<Captured>) {
        let captured = Arc::<Captured>::default();
        (Arc::new(Self { captured: Arc::clone(&captured), moves, size: (640, 480) }), captured)
    }
}

struct Open {
    _camera: Option<Box<dyn CaptureHandle>>,
    captured: Arc<Captured>,
}

impl CaptureHandle for Open {}

impl Drop for Open {
    fn drop(&mut self) {
        self.captured.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ScreenSource for TestScreen {
    fn capture(&self, sink: FrameSink, end: ScreenEnd) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let (width, height) = self.size;
        let mut camera = None;
        if self.moves {
            let facing = Some(FacingMode::Environment);
            let settings = CameraSettings { device_id: REAR.into(), facing, width, height, fps: 30.0 };
            camera = Some(synthetic(width, height).open(&settings, sink.clone())?);
        } else {
            let mut painter = Painter::new(FacingMode::Environment, width, height).expect("a size");
            sink.push(painter.next_frame().expect("a picture"));
        }
        assert_eq!(self.captured.open.fetch_add(1, Ordering::SeqCst), 0, "a screen is captured once");
        *self.captured.sink.lock().unwrap() = Some((sink, end));
        Ok(Box::new(Open { _camera: camera, captured: Arc::clone(&self.captured) }))
    }

    fn size(&self) -> Option<(u32, u32)> {
        Some(self.size)
    }
}

async fn in_a_call(server: &RealServer) -> (Phone, Phone) {
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    rui.view.until("front camera", |seen| seen.facing == Some(FacingMode::User)).await;
    (ana, rui)
}

async fn sees_screen(rui: &Phone) {
    rui.view
        .until("the screen", |seen| {
            seen.facing == Some(FacingMode::Environment)
                && seen.newest.as_ref().is_some_and(|frame| frame.width() == 640)
        })
        .await;
}

async fn sees_camera(rui: &Phone) {
    rui.view.until("the camera", |seen| seen.facing == Some(FacingMode::User)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_takes_the_cameras_place_and_gives_it_back() {
    let server = RealServer::start().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    let (screen, captured) = TestScreen::new(true);
    must(ana.client.start_screen_share(screen.clone(), ContentHint::Motion).await);
    assert!(captured.is_open());
    sees(&mut rui, "a screen", |now| now.remote.screen && now.remote.video).await;
    // In whatever size: that gives way to the pace.
    rui.view.until("the screen", |seen| seen.facing == Some(FacingMode::Environment)).await;
    assert!(must(ana.client.snapshot().await).local.screen);
    let again = ana.client.start_screen_share(screen, ContentHint::Detail).await;
    assert!(matches!(again, Err(ClientError::Screen(ScreenError::AlreadyShared))), "{again:?}");

    must(ana.client.stop_screen_share().await);
    must(ana.client.stop_screen_share().await);
    sees(&mut rui, "a camera", |now| !now.remote.screen && now.remote.video).await;
    sees_camera(&rui).await;
    must(ana.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::HungUpLocally);
    assert!(!captured.is_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_somebody_reads_lasts_through_a_hold_and_goes_with_the_call() {
    let server = RealServer::start().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    let (screen, captured) = TestScreen::new(false);
    must(ana.client.start_screen_share(screen, ContentHint::Detail).await);
    sees_screen(&rui).await;
    // It stands, and is told from one that has stopped coming.
    let seen = rui.view.clone();
    seen.frames(10).await;
    must(ana.client.set_held(true).await);
    sees(&mut rui, "the hold", |now| now.remote.held && !now.remote.screen).await;
    rui.view
        .until("black", |seen| seen.newest.as_ref().is_some_and(|frame| frame.y().iter().all(|luma| *luma < 24)))
        .await;
    assert!(captured.is_open(), "the person is not asked again");
    must(ana.client.set_held(false).await);
    sees(&mut rui, "the screen again", |now| !now.remote.held && now.remote.screen).await;
    sees_screen(&rui).await;
    must(ana.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::HungUpLocally);
    assert!(!captured.is_open(), "closed before the end is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_it_in_the_systems_own_controls_shows_the_camera_again() {
    let server = RealServer::start().await;
    let (mut ana, mut rui) = in_a_call(&server).await;
    let (screen, captured) = TestScreen::new(true);
    must(ana.client.start_screen_share(screen, ContentHint::Detail).await);
    sees_screen(&rui).await;
    let (_, end) = captured.sink();
    end.end();
    end.end();
    let why = ana
        .until("the end of the share", |event| match event {
            ClientEvent::ScreenShareEnded { why } => Some(*why),
            _ => None,
        })
        .await;
    assert_eq!(why, None);
    sees(&mut rui, "a camera", |now| !now.remote.screen && now.remote.video).await;
    sees_camera(&rui).await;
    let (screen, _) = TestScreen::new(true);
    must(ana.client.start_screen_share(screen, ContentHint::Detail).await);
    sees_screen(&rui).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_of_8k_is_refused_with_its_size_before_it_begins_and_while_it_grows() {
    let server = RealServer::start().await;
    let (mut ana, rui) = in_a_call(&server).await;
    let too_large = ScreenError::TooLarge { width: 7680, height: 4320 };
    let captured = Arc::<Captured>::default();
    let huge = TestScreen { captured: Arc::clone(&captured), moves: false, size: (7680, 4320) };
    let refused = ana.client.start_screen_share(Arc::new(huge), ContentHint::Detail).await;
    assert!(matches!(refused, Err(ClientError::Screen(why)) if why == too_large), "{refused:?}");
    assert!(!captured.is_open());

    let (screen, captured) = TestScreen::new(true);
    must(ana.client.start_screen_share(screen, ContentHint::Detail).await);
    sees_screen(&rui).await;
    let (sink, _) = captured.sink();
    sink.push(FramePool::default().take(7680, 4320).unwrap().freeze(Rotation::None, Instant::now()));
    let why = ana
        .until("the end of the share", |event| match event {
            ClientEvent::ScreenShareEnded { why } => Some(*why),
            _ => None,
        })
        .await;
    assert_eq!(why, Some(too_large));
    sees_camera(&rui).await;
    assert_eq!(must(ana.client.snapshot().await).state, CallState::Connected, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_a_camera_shares_a_screen_and_sends_nothing_else() {
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.cameras = None;
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    let (screen, captured) = TestScreen::new(true);
    let early = ana.client.start_screen_share(screen.clone(), ContentHint::Detail).await;
    assert!(matches!(early, Err(ClientError::Call(CallError::NoCall))), "{early:?}");
    ana.talks_with(&mut rui, "rui").await;
    let stats = ana.measures("statistics", |_| true).await;
    assert!(stats.video_sent.is_none(), "there is nothing to send");
    must(ana.client.start_screen_share(screen, ContentHint::Detail).await);
    sees(&mut rui, "a screen", |now| now.remote.screen && now.remote.video).await;
    sees_screen(&rui).await;
    must(ana.client.stop_screen_share().await);
    sees(&mut rui, "nothing", |now| !now.remote.screen && !now.remote.video).await;
    ana.measures("the end of the capture", |_| !captured.is_open()).await;
}
