use super::*;
use crate::media::capture::{AudioProducer, AudioProvider, AudioReceiver, AudioSink, AudioSource, FrameReceiver};
use crate::media::frame::RawFrame;
use std::sync::{Arc, Mutex, mpsc};

struct Pictures(Mutex<mpsc::Sender<VideoFrame>>);

impl FrameReceiver for Pictures {
    fn push_raw(&self, _: &RawFrame<'_>) -> Result<(), FrameError> {
        unreachable!("synthetic cameras push pooled frames")
    }
    fn push(&self, frame: VideoFrame) {
        let _ = self.0.lock().unwrap().send(frame);
    }
}

fn sink() -> (FrameSink, mpsc::Receiver<VideoFrame>) {
    let (sender, receiver) = mpsc::channel();
    (FrameSink::new(Arc::new(Pictures(Mutex::new(sender)))), receiver)
}

fn settings(device_id: &str, width: u32, height: u32, fps: f64) -> CameraSettings {
    CameraSettings { device_id: device_id.to_owned(), facing: None, width, height, fps }
}

#[test]
fn an_open_camera_gives_numbered_pictures_of_the_size_and_facing_asked_for() {
    for (device, facing) in [(FRONT, FacingMode::User), (REAR, FacingMode::Environment)] {
        let (sink, pictures) = sink();
        let handle = SyntheticCameras::default().open(&settings(device, 320, 240, 60.0), sink).unwrap();
        let mut meter = DelayMeter::new();
        for want in 0..5 {
            let frame = pictures.recv().unwrap();
            assert_eq!((frame.width(), frame.height()), (320, 240));
            let marker = meter.frame(&frame).expect("a mark");
            assert_eq!(marker.facing, facing);
            assert!(marker.number >= want, "{} after {want} pictures", marker.number);
        }
        drop(handle);
        while let Ok(frame) = pictures.try_recv() {
            drop(frame);
        }
        assert!(pictures.recv().is_err(), "nothing comes from a closed camera");
        assert_eq!((meter.report().duplicates, meter.report().frames_lost), (0, 0));
    }
}

#[test]
fn a_camera_that_is_not_there_or_cannot_do_the_size_is_refused_by_name() {
    let cameras = SyntheticCameras::default();
    let error = cameras.open(&settings("other", 320, 240, 30.0), sink().0).err().unwrap();
    assert!(matches!(error, CaptureError::NotFound(_)), "{error}");
    for (width, height, fps) in [(0, 240, 30.0), (320, 9000, 30.0), (320, 240, f64::NAN), (320, 240, -1.0)] {
        let error = cameras.open(&settings(FRONT, width, height, fps), sink().0).err().unwrap();
        assert!(matches!(error, CaptureError::NotReadable(_)), "{error}");
    }
}

#[test]
fn a_format_asked_for_is_the_only_one_there() {
    let config: SyntheticConfig = "642x362@12.5".parse().unwrap();
    let cameras = SyntheticCameras::new(config).unwrap().cameras();
    let only = CameraFormat { width: 642, height: 362, min_fps: 12.5, max_fps: 12.5 };
    assert!(cameras.iter().all(|camera| camera.formats == [only]));
    assert_eq!("640x480".parse::<SyntheticConfig>().unwrap().fps, 30.0);
    for bad in ["", "x", "640", "640x", "640x480@", "640x480@0", "1x1@30", "640x480@NaN", "99999x480@30", "-4x480"] {
        assert_eq!(bad.parse::<SyntheticConfig>(), Err(BadFormat(bad.to_owned())));
    }
}

#[test]
fn the_two_cameras_can_be_told_apart_by_their_colours() {
    let redness = |facing| {
        let frame = Painter::new(facing, 640, 360).unwrap().next_frame().unwrap();
        let upper = &frame.to_rgb8().unwrap()[..640 * 3 * 200];
        upper.chunks_exact(3).map(|rgb| i64::from(rgb[0]) - i64::from(rgb[2])).sum::<i64>() / (640 * 200)
    };
    assert!(redness(FacingMode::User) > 40);
    assert!(redness(FacingMode::Environment) < -20);
}

#[test]
fn pictures_can_be_drawn_in_any_size_even_odd_and_extreme_ones() {
    for (width, height) in [(160, 120), (161, 121), (1, 1), (8192, 2), (2, 8192), (120, 160), (853, 479)] {
        for facing in [FacingMode::User, FacingMode::Environment] {
            let mut painter = Painter::new(facing, width, height).unwrap();
            let frame = painter.next_frame().unwrap();
            assert_eq!(marker::read(&frame).is_some(), width >= 120 && height >= 120, "{width}×{height}");
        }
    }
    assert!(Painter::new(FacingMode::User, 0, 1).is_err());
}

#[test]
fn the_picture_moves() {
    let pool = FramePool::default();
    let scene = Scene::new(FacingMode::User, 320, 240, &pool).unwrap();
    let draw = |micros| {
        let mut buffer = pool.take(320, 240).unwrap();
        scene.draw(&mut buffer, 7, micros);
        buffer.freeze(Rotation::None, Instant::now())
    };
    let (first, second) = (draw(0), draw(100_000));
    let changed = first.y().iter().zip(second.y()).filter(|(a, b)| a.abs_diff(**b) > 16).count();
    assert!(changed > 320 * 240 / 200, "{changed} pixels changed");
}

struct Sounds(Mutex<mpsc::Sender<Vec<i16>>>);

impl AudioReceiver for Sounds {
    fn push(&self, samples: &[i16]) {
        let _ = self.0.lock().unwrap().send(samples.to_vec());
    }
}

#[test]
fn the_microphone_hears_its_tone_in_blocks_of_ten_milliseconds() {
    let (sender, receiver) = mpsc::channel();
    let sink = AudioSink::new(Arc::new(Sounds(Mutex::new(sender))));
    let handle = SyntheticAudio::new(440.0).open_microphone(sink).unwrap();
    let blocks: Vec<_> = receiver.iter().take(20).collect();
    drop(handle);
    assert!(blocks.iter().all(|block| block.len() == 480));
    let peak = blocks.iter().flatten().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!((3000..6000).contains(&peak), "{peak}");
}

#[test]
fn the_tone_has_its_pitch_and_pauses_and_no_clicks() {
    let mut second = vec![0; 48_000];
    ToneGenerator::new(440.0).fill(&mut second);
    let crossings = second.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    assert!((174..=177).contains(&crossings), "{crossings} waves in 0.4 s of 440 Hz");
    assert!(second[19_200..].iter().all(|sample| *sample == 0));
    assert!(second.windows(2).all(|pair| pair[0].abs_diff(pair[1]) < 400));
    for impossible in [0.0, -5.0, f64::NAN, f64::INFINITY, 24_000.0] {
        ToneGenerator::new(impossible).fill(&mut second);
        assert!(second.iter().all(|sample| *sample == 0));
    }
}

struct Ones;

impl AudioProducer for Ones {
    fn pull(&self, out: &mut [i16]) {
        out.fill(1);
    }
}

#[test]
fn the_speaker_pulls_sound_at_the_pace_of_time_and_hands_it_on() {
    let (sender, receiver) = mpsc::channel();
    let speaker = Box::new(move |samples: &[i16]| {
        let _ = sender.send((samples.to_vec(), Instant::now()));
    });
    let audio = SyntheticAudio::silent().with_speaker(speaker);
    let start = Instant::now();
    let handle = audio.open_speaker(AudioSource::new(Arc::new(Ones))).unwrap();
    let blocks: Vec<_> = receiver.iter().take(11).collect();
    drop(handle);
    assert!(blocks.iter().all(|(samples, _)| *samples == [1; 480]));
    assert!(blocks[10].1 - start >= std::time::Duration::from_millis(100), "not faster than time");
}
