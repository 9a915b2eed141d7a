use super::*;
use crate::media::capture::FrameReceiver;
use crate::media::frame::{FrameError, RawFrame};
use crate::media::test_dir::TestDir;
use proptest::prelude::*;
use std::sync::{Arc, mpsc};

fn flat(width: u32, height: u32, luma: u8, rotation: Rotation) -> VideoFrame {
    flat_at(Instant::now(), width, height, luma, rotation)
}

fn flat_at(now: Instant, width: u32, height: u32, luma: u8, rotation: Rotation) -> VideoFrame {
    let mut buffer = FramePool::default().take(width, height).unwrap();
    let (y, u, v) = buffer.planes_mut();
    y.fill(luma);
    u.fill(90);
    v.fill(160);
    buffer.freeze(rotation, now)
}

struct Pictures(Mutex<mpsc::Sender<VideoFrame>>);

impl FrameReceiver for Pictures {
    fn push_raw(&self, _: &RawFrame<'_>) -> Result<(), FrameError> {
        unreachable!("files give pooled frames")
    }
    fn push(&self, frame: VideoFrame) {
        let _ = self.0.lock().unwrap().send(frame);
    }
}

#[test]
fn what_was_written_is_played_in_a_loop() {
    let dir = TestDir::new();
    let writer = Y4mWriter::create(dir.path("a.y4m")).unwrap();
    let start = Instant::now();
    for luma in [10, 20, 30] {
        writer.render(flat_at(start + Duration::from_millis(luma), 5, 3, luma as u8, Rotation::None));
    }
    assert_eq!(writer.finish().unwrap(), 3);
    let camera = Y4mCamera::open(dir.path("a.y4m")).unwrap();
    let info = camera.cameras().remove(0);
    assert_eq!(info.formats, [CameraFormat { width: 5, height: 3, min_fps: 100.0, max_fps: 100.0 }]);
    assert_eq!(info.label, "a.y4m");
    let (sender, receiver) = mpsc::channel();
    let settings = CameraSettings { device_id: info.device_id, facing: None, width: 5, height: 3, fps: 100.0 };
    let handle = camera.open(&settings, FrameSink::new(Arc::new(Pictures(Mutex::new(sender))))).unwrap();
    let frames: Vec<_> = receiver.iter().take(5).collect();
    drop(handle);
    let lumas: Vec<_> = frames.iter().map(|frame| frame.y()[14]).collect();
    assert_eq!(lumas, [10, 20, 30, 10, 20]);
    assert!(frames.iter().all(|frame| frame.u() == [90; 6] && frame.v() == [160; 6]));
}

#[test]
fn pictures_are_readable_before_the_writer_ends_and_other_sizes_are_fitted_in() {
    let dir = TestDir::new();
    let writer = Y4mWriter::create(dir.path("a.y4m")).unwrap();
    writer.render(flat(4, 8, 100, Rotation::Cw90));
    Y4mCamera::open(dir.path("a.y4m")).unwrap();
    writer.render(flat(4, 4, 200, Rotation::None));
    let mut reader = Y4mReader::open(&dir.path("a.y4m")).unwrap();
    assert_eq!((reader.header.width, reader.header.height), (8, 4));
    let pool = FramePool::default();
    reader.next_frame(&pool).unwrap();
    assert_eq!(reader.next_frame(&pool).unwrap().y()[..8], [16, 16, 200, 200, 200, 200, 16, 16]);
}

#[test]
fn the_rate_is_that_of_the_pictures_also_while_it_is_being_written() {
    let dir = TestDir::new();
    let file = dir.path("a.y4m");
    let writer = Y4mWriter::create(&file).unwrap();
    let start = Instant::now();
    let fps = || Y4mReader::open(&file).unwrap().header.fps;
    let picture = |ms| writer.render(flat_at(start + Duration::from_millis(ms), 2, 2, 1, Rotation::None));
    picture(0);
    assert_eq!(fps(), 30.0, "one picture has no rate");
    picture(100);
    assert_eq!(fps(), 10.0);
    (2..=30).for_each(|number| picture(number * 50));
    let rate = fps();
    assert!((19.0..=21.0).contains(&rate), "{rate}");
    // A picture that stood for long: the file lasts as long as the call did.
    picture(61_000);
    assert_eq!(writer.finish().unwrap(), 32);
    assert!((fps() - 31.0 / 61.0).abs() < 0.001, "{}", fps());
    Y4mCamera::open(&file).unwrap();
}

#[test]
fn pictures_that_come_all_at_once_have_a_rate_that_can_be_played() {
    let dir = TestDir::new();
    let writer = Y4mWriter::create(dir.path("a.y4m")).unwrap();
    let start = Instant::now();
    for microsecond in [0, 1, 2, 3] {
        writer.render(flat_at(start + Duration::from_micros(microsecond), 2, 2, 1, Rotation::None));
    }
    writer.finish().unwrap();
    assert_eq!(Y4mReader::open(&dir.path("a.y4m")).unwrap().header.fps, 240.0);
}

#[test]
fn an_earlier_recording_is_kept_until_the_first_picture() {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.y4m"), "kept").unwrap();
    let writer = Y4mWriter::create(dir.path("a.y4m")).unwrap();
    assert_eq!(std::fs::read(dir.path("a.y4m")).unwrap(), b"kept");
    writer.render(flat(2, 2, 1, Rotation::None));
    assert!(std::fs::read(dir.path("a.y4m")).unwrap().starts_with(b"YUV4MPEG2 W2 H2 F30:1 "));
    assert!(Y4mWriter::create(dir.path("no/a.y4m")).is_err());
    assert_eq!(dir.names(), ["a.y4m"]);
}

#[test]
fn a_film_that_is_cut_off_while_it_plays_says_so() {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.y4m"), b"YUV4MPEG2 W2 H2 F100:1\nFRAME\n123456").unwrap();
    let camera = Y4mCamera::open(dir.path("a.y4m")).unwrap();
    let (sender, receiver) = mpsc::channel();
    let settings = CameraSettings { device_id: "y4m".into(), facing: None, width: 2, height: 2, fps: 100.0 };
    let _handle = camera.open(&settings, FrameSink::new(Arc::new(Pictures(Mutex::new(sender))))).unwrap();
    receiver.recv().unwrap();
    assert!(camera.failure().take().is_none());
    std::fs::write(dir.path("a.y4m"), b"YUV4MPEG2 W2 H2 F100:1\nFRAME\n123").unwrap();
    receiver.iter().for_each(drop);
    let error = camera.failure().take().unwrap().to_string();
    assert!(error.contains("a.y4m"), "{error}");
}

fn open(bytes: &[u8]) -> Result<Y4mCamera, FileError> {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.y4m"), bytes).unwrap();
    Y4mCamera::open(dir.path("a.y4m"))
}

#[test]
fn bad_files_are_refused_with_what_is_wrong() {
    let says = |bytes: &[u8], words: &str| {
        let error = open(bytes).unwrap_err().to_string();
        assert!(error.contains("a.y4m") && error.contains(words), "{error}");
    };
    says(b"", "no YUV4MPEG2 file");
    says(b"RIFF....\n", "no YUV4MPEG2 file");
    says(&[b'Y'; 5000], "no YUV4MPEG2 file");
    says(b"YUV4MPEG2 H2 F30:1\n", "no width");
    says(b"YUV4MPEG2 W99999999999 H2 F30:1\n", "no width");
    says(b"YUV4MPEG2 W8192 H9000 F30:1\n", "no height");
    says(b"YUV4MPEG2 W2 H2 F30:0\n", "no frame rate");
    says(b"YUV4MPEG2 W2 H2 F0:0\n", "no frame rate");
    says(b"YUV4MPEG2 W2 H2\n", "no frame rate");
    says(b"YUV4MPEG2 W2 H2 F30:1\n", "no frame");
    says(b"YUV4MPEG2 W2 H2 F30:1 C444\n", "chroma format 444 is not supported");
    says(b"YUV4MPEG2 W2 H2 F30:1 C420p10\n", "chroma format 420p10 is not supported");
    says(b"YUV4MPEG2 W2 H2 F30:1\nFRAME\n123456FRAME\n12345", "frame 1: 5 of 6 bytes are there");
    says(b"YUV4MPEG2 W2 H2 F30:1\nFRAME\n123456frame\n123456", "frame 1: it does not begin with FRAME");
    assert!(matches!(Y4mCamera::open("/there/is/no/such.y4m"), Err(FileError::Io { .. })));
    open(b"YUV4MPEG2 W2 H2 F30000:1001 Ip A1:1 C420mpeg2 XYZ\nFRAME Ip\n123456").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_file_makes_it_panic(fields in prop::collection::vec("[WHFCAIX][0-9:]{0,12}", 0..6), rest in "(\nFRAME)?\n?.{0,40}") {
        let _ = open(format!("YUV4MPEG2 {}{rest}", fields.join(" ")).as_bytes());
    }
}
