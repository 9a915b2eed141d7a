//! What an app can do wrong with memory, and that nothing comes of it but a typed error.

use super::support::kind;
use crate::audio::{AudioBlock, MicrophoneSink, SpeakerSource};
use crate::camera::CameraSink;
use crate::devices::VideoRenderer;
use crate::error::{AppError, ErrorKind};
use crate::frame::{Frame, FrameLayout, PhotoKind};
use crate::renderer::{MAX_HELD, RendererAdapter};
use chamada::media::capture::{
    AudioProducer, AudioReceiver, AudioSink, AudioSource, FrameReceiver, FrameSink, VideoRenderer as _,
};
use chamada::media::frame::{FrameError, FramePool, RawFrame, Rotation, VideoFrame};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Keeps the picture that was pushed last.
#[derive(Default)]
struct Receiver {
    pool: FramePool,
    last: Mutex<Option<VideoFrame>>,
}

impl FrameReceiver for Receiver {
    fn push_raw(&self, frame: &RawFrame<'_>) -> Result<(), FrameError> {
        self.push(self.pool.copy_from(frame)?);
        Ok(())
    }

    fn push(&self, frame: VideoFrame) {
        *self.last.lock().unwrap() = Some(frame);
    }
}

impl Receiver {
    /// Y, U and V of the picture that came last.
    fn pixels(&self) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        let frame = self.last.lock().unwrap().take()?;
        Some((frame.y().to_vec(), frame.u().to_vec(), frame.v().to_vec()))
    }
}

fn camera() -> (Arc<Receiver>, CameraSink) {
    let receiver = Arc::new(Receiver::default());
    (Arc::clone(&receiver), CameraSink::new(FrameSink::new(receiver)))
}

fn numbers(from: u8, count: usize) -> Vec<u8> {
    (0..count).map(|index| from.wrapping_add(index as u8)).collect()
}

/// Planes without padding of a picture of 6 × 4.
fn planes() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    (numbers(0, 24), numbers(100, 6), numbers(200, 6))
}

#[test]
fn a_picture_arrives_the_same_in_every_layout() {
    let (y, u, v) = planes();
    let interleave = |a: &[u8], b: &[u8]| a.iter().zip(b).flat_map(|(a, b)| [*a, *b]).collect::<Vec<u8>>();
    let (uv, vu) = (interleave(&u, &v), interleave(&v, &u));
    let (receiver, sink) = camera();
    let arrives = |how: &str| assert_eq!(receiver.pixels(), Some(planes()), "{how}");

    sink.push_i420(6, 4, 0, 0, &y, 6, &u, 3, &v, 3).unwrap();
    arrives("I420");
    sink.push_nv12(6, 4, 90, 0, &y, 6, &uv, 6).unwrap();
    arrives("NV12");
    sink.push_nv21(6, 4, 180, 0, &y, 6, &vu, 6).unwrap();
    arrives("NV21");
    sink.push_yuv_420_888(6, 4, 270, 0, &y, 6, &u, &v, 3, 1).unwrap();
    arrives("YUV_420_888 with planes of their own");
    sink.push_yuv_420_888(6, 4, 0, 0, &y, 6, &uv[..11], &uv[1..], 6, 2).unwrap();
    arrives("YUV_420_888 over NV12");
    sink.push_yuv_420_888(6, 4, 0, 0, &y, 6, &vu[1..], &vu[..11], 6, 2).unwrap();
    arrives("YUV_420_888 over NV21");
}

#[test]
fn rows_with_padding_and_a_short_last_row_are_read_where_they_are() {
    let pad = |plane: &[u8], row: usize, stride: usize| {
        let mut padded: Vec<u8> =
            plane.chunks(row).flat_map(|row| [row, &vec![255; stride - row.len()]].concat()).collect();
        padded.truncate(padded.len() - (stride - row));
        padded
    };
    let (y, u, v) = planes();
    let (receiver, sink) = camera();
    sink.push_i420(6, 4, 0, 0, &pad(&y, 6, 64), 64, &pad(&u, 3, 32), 32, &pad(&v, 3, 5), 5).unwrap();
    assert_eq!(receiver.pixels(), Some(planes()));
}

#[test]
fn what_cannot_be_a_picture_is_refused_and_the_next_good_one_is_taken() {
    let (y, u, v) = planes();
    let (receiver, sink) = camera();
    let invalid = ErrorKind::InvalidArgument;
    let i420 = |width, height, y: &[u8], y_stride| sink.push_i420(width, height, 0, 0, y, y_stride, &u, 3, &v, 3);
    assert_eq!(kind(i420(6, 4, &y, 5)), invalid, "stride shorter than a row");
    assert_eq!(kind(i420(6, 4, &y[..23], 6)), invalid, "a byte is missing");
    assert_eq!(kind(i420(6, 4, &[], 6)), invalid, "nothing at all");
    assert_eq!(kind(i420(6, 4, &y, u32::MAX)), invalid, "a stride beyond all memory");
    assert_eq!(kind(i420(0, 4, &y, 6)), invalid, "no width");
    assert_eq!(kind(i420(6, 100_000, &y, 6)), invalid, "too high");
    assert_eq!(kind(i420(u32::MAX, u32::MAX, &y, 6)), invalid, "beyond all memory");
    assert_eq!(kind(sink.push_i420(6, 4, 45, 0, &y, 6, &u, 3, &v, 3)), invalid, "a rotation of 45°");
    assert_eq!(kind(sink.push_i420(6, 4, 0, u64::MAX, &y, 6, &u, 3, &v, 3)), invalid, "older than the universe");
    assert_eq!(kind(sink.push_nv12(6, 4, 0, 0, &y, 6, &u, 6)), invalid, "half the chroma");
    assert_eq!(kind(sink.push_bgra(6, 4, 0, 0, &y, 24)), invalid, "a quarter of the pixels");
    assert_eq!(kind(sink.push_yuv_420_888(6, 4, 0, 0, &y, 6, &u, &v, 3, 2)), invalid, "rows that overlap");
    assert_eq!(kind(sink.push_yuv_420_888(6, 4, 0, 0, &y, 6, &u, &v, 3, u32::MAX)), invalid, "steps beyond a row");
    assert_eq!(receiver.pixels(), None, "none of them got through");
    i420(6, 4, &y, 6).unwrap();
    assert_eq!(receiver.pixels(), Some(planes()));
}

#[test]
fn the_capture_time_is_taken_from_the_age() {
    let (y, u, v) = planes();
    let (receiver, sink) = camera();
    let before = Instant::now();
    sink.push_i420(6, 4, 0, 250_000_000, &y, 6, &u, 3, &v, 3).unwrap();
    let captured_at = receiver.last.lock().unwrap().take().unwrap().captured_at();
    assert!(captured_at < before && before - captured_at <= Duration::from_millis(250));
}

#[test]
fn pushing_after_the_end_and_ending_twice_are_harmless() {
    let (y, u, v) = planes();
    let (receiver, sink) = camera();
    sink.end();
    sink.end();
    assert_eq!(kind(sink.push_i420(6, 4, 0, 0, &y, 6, &u, 3, &v, 3)), ErrorKind::Closed);
    assert_eq!(kind(sink.push_yuv_420_888(6, 4, 0, 0, &y, 6, &u, &v, 3, 1)), ErrorKind::Closed);
    assert_eq!(kind(sink.push_bgra(1, 1, 0, 0, &[], 0)), ErrorKind::Closed, "whatever is pushed");
    assert_eq!(receiver.pixels(), None);
    let (_, sink) = microphone();
    sink.end();
    sink.end();
    assert_eq!(kind(sink.push(&[0; 960])), ErrorKind::Closed);
}

#[test]
fn a_camera_that_pushes_while_it_is_closed_gets_ok_or_closed_and_nothing_else() {
    let (y, u, v) = planes();
    for _ in 0..50 {
        let (_, sink) = camera();
        let pushed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    match sink.push_i420(6, 4, 0, 0, &y, 6, &u, 3, &v, 3) {
                        Ok(()) => pushed.store(true, Ordering::Release),
                        Err(error) => return assert_eq!(error.kind(), ErrorKind::Closed),
                    }
                }
            });
            while !pushed.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            sink.end();
        });
    }
}

fn picture(width: u32, height: u32, luma: u8) -> VideoFrame {
    picture_of(&FramePool::default(), width, height, luma)
}

fn picture_of(pool: &FramePool, width: u32, height: u32, luma: u8) -> VideoFrame {
    let mut buffer = pool.take(width, height).unwrap();
    let (y, u, v) = buffer.planes_mut();
    y.fill(luma);
    u.fill(110);
    v.fill(120);
    buffer.freeze(Rotation::Cw90, Instant::now())
}

#[allow(unsafe_code, reason = "reads what the app would read")]
fn read(address: u64, bytes: usize) -> Vec<u8> {
    // SAFETY: the callers hold the frame or block that says that so many bytes are there.
    unsafe { std::slice::from_raw_parts(address as *const u8, bytes) }.to_vec()
}

#[test]
fn a_frame_says_where_its_planes_are() {
    let frame = Frame::of(picture(7, 5, 42).mirrored(true));
    let FrameLayout { width, height, rotation_degrees, mirror, y, u, v, y_stride, uv_stride, .. } =
        frame.layout().unwrap();
    assert_eq!((width, height, rotation_degrees, mirror), (7, 5, 90, true));
    assert_eq!((y_stride, uv_stride), (7, 4));
    assert_eq!(read(y, 35), [42; 35]);
    assert_eq!((read(u, 12), read(v, 12)), (vec![110; 12], vec![120; 12]));
    assert!(frame.photo(PhotoKind::Png).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_frame_that_is_released_gives_its_memory_back_once_and_answers_closed() {
    let pool = FramePool::new(4);
    let frame = Frame::of(picture_of(&pool, 64, 48, 1));
    let address = frame.layout().unwrap().y;
    frame.release();
    frame.release();
    assert_eq!(kind(frame.layout()), ErrorKind::Closed);
    assert_eq!(kind(frame.photo(PhotoKind::Jpeg)), ErrorKind::Closed);
    let (second, third) = (picture_of(&pool, 64, 48, 2), picture_of(&pool, 64, 48, 3));
    assert_eq!(second.y().as_ptr() as u64, address, "the next picture uses it again");
    assert_ne!(third.y().as_ptr() as u64, address, "and only one");
}

/// Keeps what it is handed, or lets go of it at once.
#[derive(Default)]
struct App {
    kept: Mutex<Vec<Arc<Frame>>>,
    fails: bool,
}

impl VideoRenderer for App {
    fn render(&self, frame: Arc<Frame>) -> Result<(), AppError> {
        if self.fails {
            return Err(AppError::NotReadable { reason: "no window".into() });
        }
        self.kept.lock().unwrap().push(frame);
        Ok(())
    }
}

#[test]
fn an_app_that_never_releases_gets_no_more_than_sixteen_frames_until_it_does() {
    let app = Arc::new(App::default());
    let renderer = RendererAdapter::new(app.clone());
    (0..40).for_each(|_| renderer.render(picture(16, 16, 9)));
    assert_eq!(app.kept.lock().unwrap().len(), MAX_HELD);
    app.kept.lock().unwrap()[0].release();
    renderer.render(picture(16, 16, 9));
    renderer.render(picture(16, 16, 9));
    assert_eq!(app.kept.lock().unwrap().len(), MAX_HELD + 1, "one was released, one more came");
    app.kept.lock().unwrap().clear();
    renderer.render(picture(16, 16, 9));
    assert_eq!(app.kept.lock().unwrap().len(), 1, "letting go counts as releasing");
}

#[test]
fn a_renderer_that_throws_loses_its_picture_and_no_other() {
    let app = Arc::new(App { fails: true, ..App::default() });
    let renderer = RendererAdapter::new(app);
    // More than could be held, were they not given back.
    (0..40).for_each(|_| renderer.render(picture(16, 16, 9)));
}

#[test]
fn shown_pictures_use_the_same_memory_again_and_again() {
    let pool = FramePool::new(2);
    let app = Arc::new(App::default());
    let renderer = RendererAdapter::new(app.clone());
    let mut addresses = std::collections::HashSet::new();
    for luma in 0..100 {
        renderer.render(picture_of(&pool, 320, 240, luma));
        let shown = app.kept.lock().unwrap().pop().unwrap();
        let layout = shown.layout().unwrap();
        assert_eq!(read(layout.y, 1), [luma]);
        addresses.insert(layout.y);
        shown.release();
    }
    assert_eq!(addresses.len(), 1);
}

#[derive(Default)]
struct Ear(Mutex<Vec<i16>>);

impl AudioReceiver for Ear {
    fn push(&self, samples: &[i16]) {
        self.0.lock().unwrap().extend(samples);
    }
}

fn microphone() -> (Arc<Ear>, MicrophoneSink) {
    let ear = Arc::new(Ear::default());
    (Arc::clone(&ear), MicrophoneSink::new(AudioSink::new(ear)))
}

#[test]
fn sound_goes_in_unchanged_in_blocks_of_any_even_size() {
    let (ear, sink) = microphone();
    for samples in [480, 960, 441, 4800, 0] {
        ear.0.lock().unwrap().clear();
        let sound: Vec<i16> = (0..samples).map(|index| (index * 7 - 15_000) as i16).collect();
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| sample.to_ne_bytes()).collect();
        // From an odd address, as a buffer with a position may have.
        let mut shifted = vec![0];
        shifted.extend(bytes);
        sink.push(&shifted[1..]).unwrap();
        assert_eq!(*ear.0.lock().unwrap(), sound);
    }
    assert_eq!(kind(sink.push(&[0; 961])), ErrorKind::InvalidArgument, "half a sample");
    assert_eq!(kind(sink.push(&[0; 9602])), ErrorKind::InvalidArgument, "more than 100 ms");
}

struct Voice;

impl AudioProducer for Voice {
    fn pull(&self, out: &mut [i16]) {
        out.iter_mut().zip(1000..).for_each(|(sample, value)| *sample = value);
    }
}

#[test]
fn sound_comes_out_where_the_block_says_and_is_silent_after_the_end() {
    let source = SpeakerSource::new(AudioSource::new(Arc::new(Voice)));
    let block = AudioBlock::new(480).unwrap();
    let (address, bytes) = (block.address(), block.bytes() as usize);
    assert_eq!(bytes, 960);
    source.pull(&block).unwrap();
    let heard = read(address, bytes);
    assert_eq!(
        (heard[..2].to_vec(), heard[958..].to_vec()),
        (1000_i16.to_ne_bytes().into(), 1479_i16.to_ne_bytes().into())
    );
    source.end();
    source.end();
    assert_eq!(kind(source.pull(&block)), ErrorKind::Closed);
    assert_eq!(read(address, bytes), vec![0; 960]);
    assert_eq!(block.address(), address, "it never moves");
}

#[test]
fn blocks_of_no_or_too_many_samples_are_refused() {
    for samples in [0, 4801, u32::MAX] {
        assert_eq!(kind(AudioBlock::new(samples)), ErrorKind::InvalidArgument);
    }
}
