use super::*;
use crate::media::capture::FrameReceiver;
use crate::media::frame::{FrameError, RawFrame};
use crate::media::test_dir::TestDir;
use proptest::prelude::*;
use std::sync::{Arc, mpsc};

fn flat(width: u32, height: u32, luma: u8, rotation: Rotation) -> VideoFrame {
    let mut buffer = FramePool::default().take(width, height).unwrap();
    let (y, u, v) = buffer.planes_mut();
    y.fill(luma);
    u.fill(90);
    v.fill(160);
    buffer.freeze(rotation, Instant::now())
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
    let writer = Y4mWriter::create(dir.path("a.y4m"), 120.0).unwrap();
    for luma in [10, 20, 30] {
        writer.render(flat(5, 3, luma, Rotation::None));
    }
    assert_eq!(writer.finish().unwrap(), 3);
    let camera = Y4mCamera::open(dir.path("a.y4m")).unwrap();
    let info = camera.cameras().remove(0);
    assert_eq!(info.formats, [CameraFormat { width: 5, height: 3, min_fps: 120.0, max_fps: 120.0 }]);
    assert_eq!(info.label, "a.y4m");
    let (sender, receiver) = mpsc::channel();
    let settings = CameraSettings { device_id: info.device_id, facing: None, width: 5, height: 3, fps: 120.0 };
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
    let writer = Y4mWriter::create(dir.path("a.y4m"), 29.97).unwrap();
    writer.render(flat(4, 8, 100, Rotation::Cw90));
    let mut reader = Y4mReader::open(&dir.path("a.y4m")).unwrap();
    assert_eq!(reader.header, Header { width: 8, height: 4, fps: 29.97 });
    reader.check().unwrap();
    writer.render(flat(4, 4, 200, Rotation::None));
    let pool = FramePool::default();
    reader.next_frame(&pool).unwrap();
    assert_eq!(reader.next_frame(&pool).unwrap().y()[..8], [16, 16, 200, 200, 200, 200, 16, 16]);
}

#[test]
fn an_earlier_recording_is_kept_until_the_first_picture() {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.y4m"), "kept").unwrap();
    let writer = Y4mWriter::create(dir.path("a.y4m"), 30.0).unwrap();
    assert_eq!(std::fs::read(dir.path("a.y4m")).unwrap(), b"kept");
    writer.render(flat(2, 2, 1, Rotation::None));
    assert!(std::fs::read(dir.path("a.y4m")).unwrap().starts_with(b"YUV4MPEG2 W2 H2 F30:1 "));
    assert!(Y4mWriter::create(dir.path("no/a.y4m"), 30.0).is_err());
    for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
        assert!(Y4mWriter::create(dir.path("b.y4m"), fps).is_err());
    }
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
