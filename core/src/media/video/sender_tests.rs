use super::*;
use crate::media::frame::Rotation;
use crate::media::synthetic::marker;
use crate::media::video::codec::VideoDecoder;
use crate::media::video::make_decoder;
use crate::media::video::test_pictures::{Camera, Screen};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

const LONG: Duration = Duration::from_secs(10);

fn config() -> VideoSenderConfig {
    VideoSenderConfig { codec: VideoCodec::available()[0], fps: 30.0, bitrate_bps: 2_000_000 }
}

fn open_gate() -> VideoGate {
    Arc::new(|| Duration::ZERO)
}

/// A sender whose frames come out of the channel.
fn sender() -> (VideoSender, mpsc::Receiver<EncodedFrame>) {
    let (frames, out) = mpsc::channel();
    (VideoSender::start(config(), open_gate(), Arc::new(move |frame| frames.send(frame).is_ok())).unwrap(), out)
}

/// The far end.
struct FarEnd(Option<(VideoCodec, Box<dyn VideoDecoder>)>);

impl FarEnd {
    fn see(&mut self, frame: &EncodedFrame) -> VideoFrame {
        if self.0.as_ref().is_none_or(|(codec, _)| *codec != frame.codec) {
            self.0 = Some((frame.codec, make_decoder(frame.codec).unwrap()));
        }
        let (_, decoder) = self.0.as_mut().unwrap();
        decoder.decode(&frame.data, &FramePool::default()).unwrap().expect("a picture")
    }

    fn number(&mut self, frame: &EncodedFrame) -> u32 {
        marker::read(&self.see(frame)).expect("a mark").number
    }
}

#[test]
fn pictures_of_the_camera_come_out_in_order() {
    let (sender, out) = sender();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    for n in 0..10 {
        sink.push(camera.picture());
        let frame = out.recv_timeout(LONG).unwrap();
        assert_eq!((far.number(&frame), frame.keyframe), (n, n == 0));
    }
    let stats = sender.stats();
    assert_eq!((stats.captured, stats.encoded, stats.dropped, stats.keyframes), (10, 10, 0, 1));
    assert!(stats.encode_ms > 0.0 && stats.errors == 0);
}

#[test]
fn the_newest_picture_wins_while_the_encoder_is_busy() {
    let ((frames, out), (go, gate)) = (mpsc::channel(), mpsc::channel::<()>());
    let gate = Mutex::new(gate);
    let output = move |frame| {
        let sent = frames.send(frame).is_ok();
        sent && gate.lock().unwrap().recv().is_ok()
    };
    let sender = VideoSender::start(config(), open_gate(), Arc::new(output)).unwrap();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    sink.push(camera.picture());
    assert_eq!(far.number(&out.recv_timeout(LONG).unwrap()), 0);
    for _ in 0..5 {
        sink.push(camera.picture());
    }
    go.send(()).unwrap();
    assert_eq!(far.number(&out.recv_timeout(LONG).unwrap()), 5);
    assert_eq!(sender.stats().dropped, 4);
    go.send(()).unwrap();
}

#[test]
fn while_paused_nothing_is_sent_and_the_preview_goes_on() {
    let (sender, out) = sender();
    let (shown, screen) = mpsc::channel();
    sender.set_preview(Some(Arc::new(Screen(shown))));
    sender.set_mirror_preview(true);
    sender.set_paused(true);
    let (sink, mut camera) = (sender.sink(), Camera::new(320, 240));
    for n in 0..3 {
        sink.push(camera.picture());
        let preview = screen.try_recv().expect("shown at once");
        assert!(preview.mirror());
        assert_eq!(marker::read(&preview).unwrap().number, n);
    }
    assert_eq!(marker::read(&sender.latest_frame().unwrap()).unwrap().number, 2);
    assert!(!sender.latest_frame().unwrap().mirror());
    sender.set_paused(false);
    assert_eq!(
        FarEnd(None).number(&out.recv_timeout(LONG).unwrap()),
        2,
        "the newest one, without waiting for the next"
    );
}

#[test]
fn a_picture_from_before_a_long_pause_is_not_sent_after_it() {
    let (sender, out) = sender();
    let (sink, mut camera) = (sender.sink(), Camera::new(320, 240).begun(FRESH));
    sender.set_paused(true);
    sink.push(camera.picture());
    sender.set_paused(false);
    sink.push(camera.picture());
    assert_eq!(FarEnd(None).number(&out.recv_timeout(LONG).unwrap()), 1);
}

#[test]
fn a_camera_that_is_off_is_black_until_it_is_on_again() {
    let (sender, out) = sender();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    sink.push(camera.picture());
    far.number(&out.recv_timeout(LONG).unwrap());
    sender.set_enabled(false);
    sink.push(camera.picture());
    for _ in 0..3 {
        let black = far.see(&out.recv_timeout(LONG).unwrap());
        assert!(black.y().iter().all(|luma| luma.abs_diff(16) <= 2), "nothing but black, without a camera's push");
    }
    assert!(sender.latest_frame().is_none());
    sender.set_enabled(true);
    sink.push(camera.picture());
    let last = out.iter().map(|frame| far.see(&frame)).find_map(|picture| marker::read(&picture)).unwrap();
    assert_eq!(last.number, 2);
}

#[test]
fn while_much_waits_in_the_pacer_pictures_are_skipped_before_they_are_compressed() {
    let (waiting, (frames, out)) = (Arc::new(AtomicU64::new(0)), mpsc::channel());
    let gate = Arc::clone(&waiting);
    let gate: VideoGate = Arc::new(move || Duration::from_millis(gate.load(Ordering::SeqCst)));
    let sender = VideoSender::start(config(), gate, Arc::new(move |frame| frames.send(frame).is_ok())).unwrap();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    for (n, ms) in [0, 99, 250].into_iter().enumerate() {
        waiting.store(ms, Ordering::SeqCst);
        sink.push(camera.picture());
        assert_eq!(far.number(&out.recv_timeout(LONG).unwrap()), n as u32, "{ms} ms");
    }
    waiting.store(251, Ordering::SeqCst);
    sink.push(camera.picture());
    let start = Instant::now();
    while sender.stats().skipped == 0 {
        assert!(start.elapsed() < LONG);
        std::thread::yield_now();
    }
    waiting.store(0, Ordering::SeqCst);
    sink.push(camera.picture());
    let next = out.recv_timeout(LONG).unwrap();
    assert_eq!((far.number(&next), next.keyframe), (4, false), "nothing is missing for whoever decodes it");
    let stats = sender.stats();
    assert_eq!((stats.skipped, stats.dropped, stats.encoded), (1, 0, 4));
}

#[test]
fn while_video_is_suspended_nothing_is_compressed_and_after_it_comes_a_keyframe() {
    let (sender, out) = sender();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    sink.push(camera.picture());
    far.see(&out.recv_timeout(LONG).unwrap());
    let plan = VideoPlan { bitrate_bps: 500_000, keyframe_bytes: 9_000, suspended: true };
    sender.follow(plan);
    sink.push(camera.picture());
    let stats = sender.stats();
    assert_eq!((stats.suspended, stats.limited_by), (true, QualityLimitation::Bandwidth));
    assert!(sender.latest_frame().is_some(), "the preview goes on");
    sender.follow(VideoPlan { suspended: false, ..plan });
    // The first one may come too soon after the last keyframe: the request stays.
    let start = Instant::now();
    let mut numbers = Vec::new();
    loop {
        assert!(start.elapsed() < LONG);
        sink.push(camera.picture());
        let frame = out.recv_timeout(LONG).unwrap();
        numbers.push(far.number(&frame));
        if frame.keyframe {
            break;
        }
    }
    assert!(!numbers.contains(&1), "what was taken meanwhile is gone");
    let stats = sender.stats();
    assert_eq!((stats.suspended, stats.limited_by, stats.bitrate_bps), (false, QualityLimitation::None, 500_000));
    assert!(stats.qp_mean.is_some_and(|mean| mean > 0.0) && stats.target_fps > 0.0);
}

#[test]
fn wishes_of_the_application_are_followed_in_a_call() {
    let (sender, out) = sender();
    let (sink, mut camera) = (sender.sink(), Camera::new(640, 360));
    let mut width = || {
        sink.push(camera.picture());
        out.recv_timeout(LONG).unwrap().width
    };
    assert_eq!(width(), 640);
    sender.set_bounds(VideoBounds { max_width: 320, max_height: 240, ..VideoBounds::default() });
    assert_eq!(width(), 320);
    sender.set_bounds(VideoBounds::default());
    assert_eq!(width(), 640);
    sender.set_thermal(ThermalState::Serious);
    assert_eq!(width(), 480);
    assert_eq!(sender.stats().limited_by, QualityLimitation::Cpu);
    sender.set_degradation(DegradationPreference::MaintainResolution);
    assert_eq!(width(), 640);
}

#[test]
fn a_request_gives_one_keyframe() {
    let (sender, out) = sender();
    let (sink, mut camera) = (sender.sink(), Camera::new(320, 240));
    let mut next = || {
        sink.push(camera.picture());
        out.recv_timeout(LONG).unwrap().keyframe
    };
    assert!(next() && !next());
    sender.request_keyframe();
    sender.request_keyframe();
    let asked = Instant::now();
    while !next() {
        assert!(asked.elapsed() < LONG);
    }
    assert!(!next() && !next());
    assert_eq!(sender.stats().keyframes, 2);
}

#[test]
fn after_a_picture_that_was_not_taken_only_a_keyframe_goes_out() {
    let (refuse, (frames, out)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
    let refused = Arc::clone(&refuse);
    let output = move |frame: EncodedFrame| {
        // Before the test can see the frame and ask for the next one to be refused.
        let taken = !refused.swap(false, Ordering::SeqCst);
        frames.send(frame).is_ok() && taken
    };
    let sender = VideoSender::start(config(), open_gate(), Arc::new(output)).unwrap();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    for _ in 0..2 {
        sink.push(camera.picture());
        far.see(&out.recv_timeout(LONG).unwrap());
    }
    refuse.store(true, Ordering::SeqCst);
    sink.push(camera.picture());
    assert!(!out.recv_timeout(LONG).unwrap().keyframe, "not taken");
    let start = Instant::now();
    let next = loop {
        sink.push(camera.picture());
        match out.recv_timeout(Duration::from_millis(20)) {
            Ok(frame) => break frame,
            Err(_) => assert!(start.elapsed() < LONG),
        }
    };
    assert!(next.keyframe, "what builds on the lost one is not even sent");
    assert!(far.number(&next) > 2);
    let stats = sender.stats();
    assert!(stats.dropped >= 1 && stats.sent <= 3, "{stats:?}");
}

#[test]
fn an_agreed_codec_is_followed_with_a_keyframe() {
    let (sender, out) = sender();
    let (sink, mut camera, mut far) = (sender.sink(), Camera::new(320, 240), FarEnd(None));
    for (n, codec) in VideoCodec::available().into_iter().enumerate() {
        sender.set_codec(codec);
        sink.push(camera.picture());
        let frame = out.recv_timeout(LONG).unwrap();
        assert_eq!((frame.codec, frame.keyframe, far.number(&frame)), (codec, true, n as u32));
    }
}

#[test]
fn the_output_is_never_called_after_the_sender_is_gone_and_the_sink_does_no_harm() {
    let (sender, out) = sender();
    let (sink, mut camera) = (sender.sink(), Camera::new(320, 240));
    for _ in 0..20 {
        sink.push(camera.picture());
    }
    drop(sender);
    let before = out.try_iter().count();
    assert!(before <= 20);
    sink.push(camera.picture());
    assert!(out.try_recv().is_err());
    assert!(matches!(out.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected)), "the thread let go of it");
}

#[test]
fn a_camera_may_lend_its_pictures() {
    let (sender, out) = sender();
    let picture = Camera::new(320, 240).picture();
    let plane = |data, stride| crate::media::frame::Plane { data, stride };
    let raw = RawFrame {
        format: crate::media::frame::PixelFormat::I420,
        planes: [plane(picture.y(), 320), plane(picture.u(), 160), plane(picture.v(), 160)],
        width: 320,
        height: 240,
        rotation: Rotation::None,
        captured_at: picture.captured_at(),
    };
    sender.sink().push_raw(&raw).unwrap();
    assert_eq!(FarEnd(None).number(&out.recv_timeout(LONG).unwrap()), 0);
    assert!(sender.sink().push_raw(&RawFrame { height: 2400, ..raw }).is_err());
}

#[test]
fn what_stands_on_a_screen_is_repeated_and_what_comes_next_is_younger() {
    let (sender, out) = sender();
    sender.set_source(VideoSource::Screen);
    let (sink, mut screen, mut far) = (sender.screen_sink(), Camera::new(320, 240), FarEnd(None));
    let (first, second) = (screen.picture(), screen.picture());
    sink.push(first);
    let frames: Vec<_> = (0..3).map(|_| out.recv_timeout(LONG).unwrap()).collect();
    assert_eq!(
        frames.iter().map(|frame| (far.number(frame), frame.keyframe)).collect::<Vec<_>>(),
        [(0, true), (0, false), (0, false)]
    );
    // It was captured before the first one was repeated.
    sink.push(second);
    let mut last = frames[2].captured_at;
    loop {
        let frame = out.recv_timeout(LONG).unwrap();
        assert!(frame.captured_at > last, "the far end shows pictures by their time");
        last = frame.captured_at;
        if far.number(&frame) == 1 {
            break;
        }
    }
}

/// A screen of one grey, on which there is no mark.
fn grey() -> VideoFrame {
    let mut buffer = FramePool::default().take(320, 240).unwrap();
    let (y, u, v) = buffer.planes_mut();
    y.fill(150);
    u.fill(128);
    v.fill(128);
    buffer.freeze(Rotation::None, Instant::now())
}

#[test]
fn another_source_begins_with_a_keyframe_and_nothing_of_the_one_before_follows() {
    let (sender, out) = sender();
    let mut camera = Camera::new(320, 240);
    sender.sink().push(camera.picture());
    assert!(out.recv_timeout(LONG).unwrap().keyframe);
    sender.set_source(VideoSource::Screen);
    sender.sink().push(camera.picture());
    sender.screen_sink().push(grey());
    let is_camera = |frame: &EncodedFrame| marker::read(&FarEnd(None).see(frame)).is_some();
    // A keyframe is due 300 ms after the last one.
    let keyframe = std::iter::repeat_with(|| out.recv_timeout(LONG).unwrap()).find(|frame| frame.keyframe).unwrap();
    assert!(!is_camera(&keyframe));
    sender.set_source(VideoSource::Camera);
    sender.screen_sink().push(grey());
    let keyframe = std::iter::repeat_with(|| {
        sender.sink().push(camera.picture());
        out.recv_timeout(LONG).unwrap()
    });
    assert!(is_camera(&keyframe.into_iter().find(|frame| frame.keyframe).unwrap()));
}

#[test]
fn a_screen_that_stood_while_nothing_was_sent_is_sent_again_and_never_mirrored() {
    let (sender, out) = sender();
    let (shown, preview) = mpsc::channel();
    sender.set_preview(Some(Arc::new(Screen(shown))));
    sender.set_mirror_preview(true);
    sender.set_source(VideoSource::Screen);
    sender.set_enabled(false);
    let mut screen = Camera::new(320, 240);
    sender.screen_sink().push(screen.picture());
    assert!(!preview.try_recv().unwrap().mirror());
    let black = out.recv_timeout(LONG).unwrap();
    assert!(marker::read(&FarEnd(None).see(&black)).is_none());
    sender.set_enabled(true);
    let (mut far, mut number) = (FarEnd(None), None);
    far.see(&black);
    while number.is_none() {
        number = marker::read(&far.see(&out.recv_timeout(LONG).unwrap()));
    }
    assert_eq!(number.unwrap().number, 0);
}
