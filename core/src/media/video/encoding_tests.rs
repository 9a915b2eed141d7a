use super::*;
use crate::media::synthetic::marker;
use crate::media::video::codec::VideoEncoder;
use crate::media::video::factory::Choice;
use crate::media::video::make_decoder;
use crate::media::video::test_pictures::{Camera, to_be_turned};

fn wanted(codec: VideoCodec) -> Wanted {
    let plan = VideoPlan { bitrate_bps: 2_000_000, keyframe_bytes: 37_500, suspended: false };
    Wanted { codec, plan, reduced: false, keyframe: false, wishes: Wishes::default() }
}

fn first_codec() -> VideoCodec {
    VideoCodec::available()[0]
}

fn decoded(frame: &EncodedFrame) -> VideoFrame {
    make_decoder(frame.codec).unwrap().decode(&frame.data, &FramePool::default()).unwrap().expect("a picture")
}

#[test]
fn a_picture_from_a_turned_phone_is_sent_upright() {
    let mut encoding = Encoding::new(30.0);
    // Lying on its side, this is how a camera would give a picture that stands upright.
    let upright = Camera::new(320, 240).picture();
    let turned = to_be_turned(&upright, Rotation::Cw270).rotated(&FramePool::default()).unwrap();
    let lying = to_be_turned(&turned, Rotation::Cw90);
    assert_eq!((lying.width(), lying.height()), (240, 320));
    let frame = encoding.picture(&lying, wanted(first_codec()), Instant::now()).unwrap().unwrap();
    assert_eq!((frame.width, frame.height), (320, 240));
    assert_eq!(marker::read(&decoded(&frame)).expect("readable, so upright").number, 0);
}

#[test]
fn another_size_or_codec_gives_a_keyframe() {
    let mut encoding = Encoding::new(30.0);
    let (mut wide, mut high, now) = (Camera::new(320, 240), Camera::new(240, 320), Instant::now());
    for codec in VideoCodec::available() {
        let mut keyframe = |camera: &mut Camera| {
            let frame = encoding.picture(&camera.picture(), wanted(codec), now).unwrap().unwrap();
            assert_eq!(frame.codec, codec);
            frame.keyframe
        };
        assert!(keyframe(&mut wide) && !keyframe(&mut wide));
        assert!(keyframe(&mut high) && !keyframe(&mut high));
        assert!(keyframe(&mut wide));
    }
}

#[test]
fn a_low_bitrate_makes_the_picture_smaller_and_still_readable() {
    let mut encoding = Encoding::new(30.0);
    let mut low = wanted(first_codec());
    low.plan.bitrate_bps = 100_000;
    let frame = encoding.picture(&Camera::new(1280, 720).picture(), low, Instant::now()).unwrap().unwrap();
    assert_eq!((frame.width, frame.height), (320, 180));
    assert!(marker::read(&decoded(&frame)).is_some());
}

#[test]
fn what_is_sent_is_never_mirrored_even_if_the_camera_marks_it_so() {
    let mut encoding = Encoding::new(30.0);
    let picture = Camera::new(320, 240).picture().mirrored(true);
    let frame = encoding.picture(&picture, wanted(first_codec()), Instant::now()).unwrap().unwrap();
    assert!(marker::read(&decoded(&frame)).is_some() && !decoded(&frame).mirror());
}

#[test]
fn black_pictures_are_small_black_and_of_the_cameras_proportions() {
    for codec in VideoCodec::available() {
        let mut encoding = Encoding::new(30.0);
        let now = Instant::now();
        encoding.picture(&Camera::new(480, 640).picture(), wanted(codec), now).unwrap();
        let frame = encoding.black(wanted(codec), now).unwrap().unwrap();
        assert_eq!((frame.width, frame.height, frame.keyframe), (240, 320, true));
        assert!(decoded(&frame).y().iter().all(|luma| luma.abs_diff(16) <= 2));
        let next = encoding.black(wanted(codec), now + STILL_INTERVAL).unwrap().unwrap();
        assert!(!next.keyframe && next.data.len() < 400, "{codec}: {} bytes", next.data.len());
    }
}

#[test]
#[cfg(feature = "h264")]
fn an_encoder_that_cannot_be_made_is_tried_again_but_not_all_the_time() {
    let mut encoding = Encoding::new(30.0);
    let start = Instant::now();
    // openh264 takes nothing smaller than 16 pixels.
    let tiny = FramePool::default().take(8, 8).unwrap().freeze(Rotation::None, start);
    let failures = (0..300u32)
        .filter(|n| encoding.picture(&tiny, wanted(VideoCodec::H264), start + Duration::from_millis(10) * *n).is_err());
    assert_eq!(failures.count(), 3 + 2, "three at once, then one a second");
    let picture = Camera::new(320, 240).picture();
    let frame = encoding.picture(&picture, wanted(VideoCodec::H264), start + Duration::from_secs(5)).unwrap().unwrap();
    assert!(frame.keyframe);
}

#[test]
fn keyframes_are_not_made_more_often_than_they_may() {
    let mut encoding = Encoding::new(30.0);
    let (mut camera, start) = (Camera::new(320, 240), Instant::now());
    assert!(encoding.may_make_keyframe(start));
    encoding.picture(&camera.picture(), wanted(first_codec()), start).unwrap();
    assert!(!encoding.may_make_keyframe(start + Duration::from_millis(299)));
    assert!(encoding.may_make_keyframe(start + KEYFRAME_INTERVAL));
}

/// Can be made and does nothing, as a phone's own can.
struct Broken;

impl VideoEncoder for Broken {
    fn encode(&mut self, _: &VideoFrame, _: bool) -> Result<Option<EncodedFrame>, CodecError> {
        Err(CodecError::Encode { codec: first_codec(), detail: "broken".into() })
    }

    fn set_bitrate(&mut self, _: u32) -> Result<(), CodecError> {
        Ok(())
    }

    fn set_fps(&mut self, _: f64) -> Result<(), CodecError> {
        Ok(())
    }
}

/// Makes frames of nothing, keyframes of 30 000 bytes, and cannot change its size, as a phone's own cannot.
struct Fixed(VideoCodec, u32, u32, bool);

impl VideoEncoder for Fixed {
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        let Self(codec, width, height, started) = *self;
        assert_eq!((frame.width(), frame.height()), (width, height));
        let keyframe = keyframe || !started;
        self.3 = true;
        let data = vec![0; if keyframe { 30_000 } else { 100 }].into();
        Ok(Some(EncodedFrame { codec, data, keyframe, width, height, captured_at: frame.captured_at() }))
    }

    fn set_bitrate(&mut self, _: u32) -> Result<(), CodecError> {
        Ok(())
    }

    fn set_fps(&mut self, _: f64) -> Result<(), CodecError> {
        Ok(())
    }
}

fn fixed() -> Encoding {
    let make: MakeEncoder =
        |codec, EncoderConfig { width, height, .. }, _| Ok(Box::new(Fixed(codec, width, height, false)));
    Encoding::with(make, 30.0)
}

#[test]
fn while_an_encoder_of_another_size_is_being_made_the_one_until_now_goes_on() {
    let (mut encoding, mut camera, now) = (fixed(), Camera::new(640, 360), Instant::now());
    let mut wanted = wanted(first_codec());
    assert!(encoding.picture(&camera.picture(), wanted, now).unwrap().unwrap().keyframe);
    wanted.plan.bitrate_bps = 100_000;
    let picture = camera.picture();
    let next = encoding.picture(&picture, wanted, now).unwrap().unwrap();
    assert_eq!((next.width, next.keyframe), (640, false), "nothing waits");
    let start = Instant::now();
    let changed = loop {
        let frame = encoding.picture(&camera.picture(), wanted, now).unwrap();
        if let Some(frame) = frame.filter(|frame| frame.width != 640) {
            break frame;
        }
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::yield_now();
    };
    assert_eq!((changed.width, changed.height, changed.keyframe), (320, 180, true));
    assert_eq!(encoding.report().size_changes, 1);
}

#[test]
fn a_turned_camera_is_not_sent_in_the_proportions_of_before() {
    let (mut encoding, now) = (fixed(), Instant::now());
    for size in [(320, 240), (240, 320), (320, 240)] {
        let picture = Camera::new(size.0, size.1).picture();
        let frame = encoding.picture(&picture, wanted(first_codec()), now).unwrap().unwrap();
        assert_eq!((frame.width, frame.height, frame.keyframe), (size.0, size.1, true));
    }
}

#[test]
fn a_keyframe_of_more_than_twice_its_budget_is_paid_for_by_pictures_left_out() {
    let (mut encoding, mut camera, start) = (fixed(), Camera::new(320, 240), Instant::now());
    let mut wanted = wanted(first_codec());
    for (budget, left_out) in [(15_000, 0), (14_000, 3)] {
        wanted.plan.keyframe_bytes = budget;
        encoding.debt_until = None;
        (wanted.keyframe, wanted.plan.bitrate_bps) = (true, 1_280_000);
        assert!(encoding.picture(&camera.picture(), wanted, start).unwrap().unwrap().keyframe);
        wanted.keyframe = false;
        // The budget lasts 250 ms; 16 000 bytes too many are 286 ms.
        for (ms, sent) in [(33, left_out == 0), (150, left_out == 0), (284, left_out == 0), (287, true)] {
            let frame = encoding.picture(&camera.picture(), wanted, start + Duration::from_millis(ms)).unwrap();
            assert_eq!(frame.is_some(), sent, "{budget} bytes, {ms} ms");
        }
        assert_eq!(encoding.report().in_debt, left_out);
    }
}

#[test]
fn the_size_follows_the_bitrate_by_the_same_encoder() {
    for codec in VideoCodec::available() {
        let (mut encoding, mut camera, start) = (Encoding::new(30.0), Camera::new(640, 360), Instant::now());
        let mut wanted = wanted(codec);
        let mut sizes = Vec::new();
        for n in 0..120 {
            wanted.plan.bitrate_bps = if n < 40 {
                1_000_000
            } else if n < 80 {
                100_000
            } else {
                1_000_000
            };
            let at = start + Duration::from_millis(33) * n;
            if let Some(frame) = encoding.picture(&camera.picture(), wanted, at).unwrap() {
                assert_eq!(frame.keyframe, sizes.last() != Some(&frame.width), "{codec}, picture {n}");
                if frame.keyframe {
                    sizes.push(frame.width);
                }
            }
        }
        assert_eq!(sizes, [640, 320, 640], "{codec}");
        assert_eq!(encoding.report().size_changes, 2);
    }
}

#[test]
fn an_encoder_that_keeps_failing_is_replaced_by_the_spare_one() {
    let mut encoding = Encoding::with(
        |codec, config, choice| match choice {
            Choice::Preferred => Ok(Box::new(Broken)),
            Choice::Fallback => factory::make_encoder(codec, config),
        },
        30.0,
    );
    let (mut camera, start) = (Camera::new(320, 240), Instant::now());
    let mut encode = |at| encoding.picture(&camera.picture(), wanted(first_codec()), at);
    for _ in 0..MAX_FAILURES {
        assert!(encode(start).is_err());
    }
    assert!(encode(start).unwrap().is_none(), "it rests");
    let frame = encode(start + FAILURE_PAUSE).unwrap().expect("a picture");
    assert!(frame.keyframe);
    assert!(encode(start + FAILURE_PAUSE).is_ok(), "the spare one stays");
}

#[test]
fn that_one_codecs_usual_encoder_fails_says_nothing_of_the_others() {
    let [broken, other] = VideoCodec::available()[..] else { return };
    let mut encoding = Encoding::with(
        |codec, config, choice| match (codec == VideoCodec::available()[0], choice) {
            (true, _) => Ok(Box::new(Broken)),
            (false, Choice::Preferred) => factory::make_encoder(codec, config),
            (false, Choice::Fallback) => Err(CodecError::NotBuilt(codec)),
        },
        30.0,
    );
    let (mut camera, start) = (Camera::new(320, 240), Instant::now());
    for _ in 0..MAX_FAILURES {
        assert!(encoding.picture(&camera.picture(), wanted(broken), start).is_err());
    }
    let frame = encoding.picture(&camera.picture(), wanted(other), start).unwrap();
    assert!(frame.is_some_and(|frame| frame.keyframe), "by its usual one, and without a rest");
}
