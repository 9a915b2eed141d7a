//! RTP packets to the renderer.

use super::assembler::{AssembledFrame, Event, FrameAssembler};
use super::codec::{CodecError, VideoCodec, VideoDecoder};
use super::factory::{self, Choice, Choices};
use super::freeze::{FreezeMeter, RateMeter};
use crate::media::capture::VideoRenderer;
use crate::media::frame::{FramePool, VideoFrame};
use crate::media::rtp::RtpPacket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Packets taken from the channel before pictures are looked for.
const AT_A_TIME: usize = 256;
/// Keyframes in a row of which a decoder makes nothing before another one takes its place, and the shortest time for which one stays:
/// what the other side sends may be at fault as well.
const MAX_FAILURES: u32 = 2;
const REPLACE_AFTER: Duration = Duration::from_secs(1);
/// Pictures from a keyframe on that a decoder may take without giving one back: some need the next one, or long for the first.
const MAX_UNANSWERED: u32 = 3;
/// Buffers for pictures: the newest, which is kept for photos, and those that the renderer holds.
const POOL: usize = 4;

/// What a [`VideoReceiver`] did so far. Names in brackets are those of W3C's webrtc-stats.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VideoReceiverStats {
    /// Codec of the picture decoded last.
    pub codec: Option<VideoCodec>,
    /// Packets received, duplicates and late ones left out (`packetsReceived`).
    pub packets: u64,
    /// Payload bytes of them (`bytesReceived`).
    pub bytes: u64,
    /// Pictures decoded (`framesDecoded`).
    pub frames_decoded: u64,
    /// Pictures that came at least in part and were not shown (`framesDropped`).
    pub frames_dropped: u64,
    /// Keyframes decoded (`keyFramesDecoded`).
    pub keyframes: u64,
    /// Of the picture shown last, in pixels (`frameWidth`).
    pub width: u32,
    /// Of the picture shown last, in pixels (`frameHeight`).
    pub height: u32,
    /// Pictures shown per second, over the last second (`framesPerSecond`).
    pub fps: f64,
    /// Times that a picture stood too long, one that still stands included (`freezeCount`).
    pub freezes: u64,
    /// For how long in all, up to now (`totalFreezesDuration`).
    pub freeze_duration: Duration,
    /// To decode a picture, on average (`totalDecodeTime` per picture).
    pub decode_ms: f64,
    /// Keyframes asked for (`pliCount`).
    pub keyframe_requests: u64,
    /// Frames that no decoder could make sense of.
    pub decode_errors: u64,
    /// From a picture's first packet to its decoding, on average (`jitterBufferDelay` per picture).
    pub jitter_buffer_ms: f64,
}

/// Shows what the peer sends: puts packets in order, decodes on a thread of its own, hands pictures to the renderer.
///
/// Pictures are never mirrored. Dropping it stops and joins the thread; the renderer is not called after that.
pub struct VideoReceiver {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stats: VideoReceiverStats,
    decode_time: Duration,
    freezes: FreezeMeter,
    rate: RateMeter,
    latest: Option<VideoFrame>,
}

impl VideoReceiver {
    /// Receives `packets` of which `payload_types` are video. `want_keyframe` is called on the decoder's thread, at most
    /// about three times a second; it must not block.
    pub fn start(
        payload_types: Vec<(u8, VideoCodec)>,
        packets: mpsc::Receiver<RtpPacket>,
        want_keyframe: Arc<dyn Fn() + Send + Sync>,
        renderer: Arc<dyn VideoRenderer>,
    ) -> Self {
        Self::start_with(factory::decoder, payload_types, packets, want_keyframe, renderer)
    }

    fn start_with(
        make: MakeDecoder,
        payload_types: Vec<(u8, VideoCodec)>,
        packets: mpsc::Receiver<RtpPacket>,
        want_keyframe: Arc<dyn Fn() + Send + Sync>,
        renderer: Arc<dyn VideoRenderer>,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let assembler = FrameAssembler::new(payload_types);
        let theirs = Arc::clone(&shared);
        let run = move || {
            let pool = FramePool::new(POOL);
            Decoding { shared: theirs, assembler, decoders: Decoders::new(make), pool, want_keyframe, renderer }
                .run(packets);
        };
        let thread = std::thread::Builder::new().name("chamada-decoder".into()).spawn(run);
        // Without a thread there are no pictures; the call goes on with sound.
        let thread = thread.inspect_err(|error| log::error!("no thread to decode video: {error}")).ok();
        Self { shared, thread }
    }

    /// The picture shown last.
    pub fn latest_frame(&self) -> Option<VideoFrame> {
        self.shared.lock().latest.clone()
    }

    /// Whether pictures are to come. While the other side has its camera off, or said that it sends none, nothing counts as a freeze.
    pub fn set_expected(&self, expected: bool) {
        self.shared.lock().freezes.set_expected(Instant::now(), expected);
    }

    /// What was done so far.
    pub fn stats(&self) -> VideoReceiverStats {
        let (state, now) = (self.shared.lock(), Instant::now());
        let decode_ms = per_frame(state.decode_time, state.stats.frames_decoded);
        VideoReceiverStats {
            fps: state.rate.per_second(now),
            freezes: state.freezes.count(now),
            freeze_duration: state.freezes.total(now),
            decode_ms,
            ..state.stats
        }
    }
}

impl Drop for VideoReceiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A renderer may drop the receiver on its thread, which cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                log::error!("a video decoder's thread ended by a panic");
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

fn per_frame(total: Duration, frames: u64) -> f64 {
    if frames == 0 { 0.0 } else { total.as_secs_f64() * 1e3 / frames as f64 }
}

/// Lets a channel of the async runtime wake a plain thread: the thread can then wait for packets, the assembler's deadline
/// and the end all at once.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

type MakeDecoder = fn(VideoCodec, Choice) -> Result<Box<dyn VideoDecoder>, CodecError>;

/// The decoder in use, and when another one is worth a try.
struct Decoders {
    make: MakeDecoder,
    running: Option<(VideoCodec, Box<dyn VideoDecoder>)>,
    choices: Choices,
    /// What was made last, and when.
    made: Option<(VideoCodec, Instant)>,
    failures: u32,
    /// Pictures given to it since a keyframe, as long as it has given none back.
    unanswered: u32,
}

impl Decoders {
    fn new(make: MakeDecoder) -> Self {
        Self { make, running: None, choices: Choices::default(), made: None, failures: 0, unanswered: 0 }
    }

    fn of(&mut self, codec: VideoCodec, now: Instant) -> Result<&mut Box<dyn VideoDecoder>, CodecError> {
        let running = match self.running.take() {
            Some(running) if running.0 == codec => running,
            _ => {
                if self.made.is_none_or(|(made, _)| made != codec) {
                    (self.failures, self.unanswered) = (0, 0);
                }
                self.made = Some((codec, now));
                (codec, (self.make)(codec, self.choices.of(codec))?)
            }
        };
        Ok(&mut self.running.insert(running).1)
    }

    fn shown(&mut self) {
        (self.failures, self.unanswered) = (0, 0);
    }

    /// It took a picture and gave none back. Whether it has had enough of them: who makes nothing of a keyframe makes nothing of
    /// what follows.
    fn is_overdue(&mut self, keyframe: bool) -> bool {
        if keyframe || self.unanswered > 0 {
            self.unanswered += 1;
        }
        self.unanswered > MAX_UNANSWERED
    }

    fn failed_at_a_keyframe(&mut self, now: Instant) {
        self.failures += 1;
        self.unanswered = 0;
        let Some((codec, at)) = self.made else { return };
        if self.failures >= MAX_FAILURES && now.saturating_duration_since(at) >= REPLACE_AFTER {
            log::warn!("a video decoder makes nothing of keyframes; another one takes its place");
            self.choices.change(codec);
            (self.running, self.failures) = (None, 0);
        }
    }
}

/// What lives on the decoder's thread.
struct Decoding {
    shared: Arc<Shared>,
    assembler: FrameAssembler,
    decoders: Decoders,
    pool: FramePool,
    want_keyframe: Arc<dyn Fn() + Send + Sync>,
    renderer: Arc<dyn VideoRenderer>,
}

impl Decoding {
    fn run(mut self, mut packets: mpsc::Receiver<RtpPacket>) {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut data = Vec::new();
        while !self.shared.stopped() {
            let (more, open) = self.take_packets(&mut packets, &mut context);
            self.work(&mut data);
            if !open {
                return;
            }
            if more || self.shared.stopped() {
                continue;
            }
            match self.assembler.deadline() {
                None => std::thread::park(),
                Some(deadline) => std::thread::park_timeout(deadline.saturating_duration_since(Instant::now())),
            }
        }
    }

    /// Whether there may be more packets, and whether the channel is open.
    fn take_packets(&mut self, packets: &mut mpsc::Receiver<RtpPacket>, context: &mut Context<'_>) -> (bool, bool) {
        for _ in 0..AT_A_TIME {
            match packets.poll_recv(context) {
                Poll::Ready(Some(packet)) => self.assembler.insert(packet, Instant::now()),
                Poll::Ready(None) => return (false, false),
                Poll::Pending => return (false, true),
            }
        }
        (true, true)
    }

    /// Decodes and shows what is whole.
    fn work(&mut self, data: &mut Vec<u8>) {
        while !self.shared.stopped() {
            let event = self.assembler.poll(Instant::now(), data);
            self.copy_stats();
            match event {
                Some(Event::WantKeyframe) => (self.want_keyframe)(),
                Some(Event::Frame(frame)) => self.decode(&frame, data),
                None => break,
            }
        }
    }

    fn decode(&mut self, frame: &AssembledFrame, data: &[u8]) {
        let start = Instant::now();
        let result = self.decoders.of(frame.codec, start).and_then(|decoder| decoder.decode(data, &self.pool));
        let took = start.elapsed();
        match result {
            Ok(picture) => {
                let mut state = self.shared.lock();
                state.decode_time += took;
                state.stats.codec = Some(frame.codec);
                state.stats.frames_decoded += 1;
                state.stats.keyframes += u64::from(frame.keyframe);
                drop(state);
                match picture {
                    Some(picture) => {
                        self.decoders.shown();
                        self.show(picture);
                    }
                    None if self.decoders.is_overdue(frame.keyframe) => self.failed(true),
                    None => {}
                }
            }
            Err(error) => {
                log::debug!("a picture could not be decoded: {error}");
                self.shared.lock().stats.decode_errors += 1;
                self.failed(frame.keyframe || self.decoders.unanswered > 0);
            }
        }
    }

    fn failed(&mut self, at_a_keyframe: bool) {
        let now = Instant::now();
        self.assembler.decoding_failed(now);
        if at_a_keyframe {
            self.decoders.failed_at_a_keyframe(now);
        }
    }

    fn show(&mut self, picture: VideoFrame) {
        let now = Instant::now();
        let mut state = self.shared.lock();
        (state.stats.width, state.stats.height) = (picture.width(), picture.height());
        state.freezes.shown(now);
        state.rate.add(now);
        state.latest = Some(picture.clone());
        drop(state);
        self.renderer.render(picture);
    }

    fn copy_stats(&self) {
        let of = self.assembler.stats();
        let mut state = self.shared.lock();
        let stats = &mut state.stats;
        stats.packets = of.packets;
        stats.bytes = of.bytes;
        stats.frames_dropped = of.frames_dropped + stats.decode_errors;
        stats.keyframe_requests = of.keyframe_requests;
        stats.jitter_buffer_ms = per_frame(of.delay, of.frames);
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
