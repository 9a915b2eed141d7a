//! RTP packets to the renderer.

use super::assembler::{AssembledFrame, Event, FrameAssembler};
use super::codec::VideoCodec;
use super::decoders::{Decoders, MakeDecoder};
use super::factory;
use super::freeze::{FreezeMeter, RateMeter};
use super::playout::{self, Playout, Timing};
use crate::media::capture::VideoRenderer;
use crate::media::frame::{FramePool, VideoFrame};
use crate::media::rtp::RtpPacket;
use crate::media::sync::Playing;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Packets taken from the channel before pictures are looked for.
const AT_A_TIME: usize = 256;
/// Buffers for pictures that are kept while nobody uses them: the newest, which is kept for photos, those that the renderer holds, and
/// some of those that wait to be shown.
const POOL: usize = 4 + playout::MAX_WAITING / 2;
/// Pictures over which the time in the jitter buffer is averaged.
const AVERAGED: f64 = 16.0;

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
    /// From a picture's first packet to the renderer, on average over the last pictures (`jitterBufferDelay` per
    /// `jitterBufferEmittedCount`). Pictures wait for repair before they are decoded and for their time after it, so decoding is in it.
    pub jitter_buffer_ms: f64,
    /// For how long pictures are held beyond what the path takes at least, to be shown evenly and together with sound
    /// (`jitterBufferTargetDelay` per `jitterBufferEmittedCount`, as it is now).
    pub playout_delay_ms: f64,
}

/// Shows what the peer sends: puts packets in order, decodes on a thread of its own, hands pictures to the renderer when they are due.
///
/// Pictures are never mirrored. Dropping it stops and joins the thread; the renderer is not called after that.
pub struct VideoReceiver {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// The round trip, 0 while unknown, and the delay for the sake of sound; in microseconds.
    rtt: AtomicU64,
    extra_delay: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stats: VideoReceiverStats,
    decode_time: Duration,
    freezes: FreezeMeter,
    rate: RateMeter,
    latest: Option<VideoFrame>,
    playing: Option<Playing>,
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
            let (decoders, playout, pool) = (Decoders::new(make), Playout::new(), FramePool::new(POOL));
            Decoding { shared: theirs, assembler, decoders, playout, pool, want_keyframe, renderer }.run(packets);
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

    /// The round trip, smoothed, time in queues included: how long repair is waited for follows from it. 100 ms until it is told.
    pub fn set_rtt(&self, rtt: Duration) {
        self.shared.rtt.store(micros(rtt), Ordering::Relaxed);
    }

    /// Shows all pictures so much later than video alone asks for, at most 400 ms: for sound that plays later than its pictures.
    pub fn set_extra_delay(&self, extra: Duration) {
        self.shared.extra_delay.store(micros(extra), Ordering::Relaxed);
    }

    /// Whether pictures are to come. While the other side has its camera off, or said that it sends none, nothing counts as a freeze.
    pub fn set_expected(&self, expected: bool) {
        self.shared.lock().freezes.set_expected(Instant::now(), expected);
    }

    /// The picture that was shown last: its RTP timestamp and when it went to the renderer. `None` before the first.
    pub fn playing(&self) -> Option<Playing> {
        self.shared.lock().playing
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

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
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

/// What lives on the decoder's thread.
struct Decoding {
    shared: Arc<Shared>,
    assembler: FrameAssembler,
    decoders: Decoders,
    playout: Playout<VideoFrame>,
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
            self.follow_settings();
            let (more, open) = self.take_packets(&mut packets, &mut context);
            self.work(&mut data);
            let next = self.assembler.deadline().filter(|_| open).into_iter().chain(self.playout.next_due()).min();
            if more || self.shared.stopped() {
                continue;
            }
            match next {
                // The last pictures of a stream that ended are shown in their time, too.
                None if !open => return,
                None => std::thread::park(),
                Some(next) => std::thread::park_timeout(next.saturating_duration_since(Instant::now())),
            }
        }
    }

    fn follow_settings(&mut self) {
        let rtt = self.shared.rtt.load(Ordering::Relaxed);
        if rtt > 0 {
            self.assembler.set_rtt(Duration::from_micros(rtt));
            self.playout.set_rtt(Duration::from_micros(rtt));
        }
        self.playout.set_extra_delay(Duration::from_micros(self.shared.extra_delay.load(Ordering::Relaxed)));
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

    /// Decodes what is whole and shows what is due. Decoding never waits for a picture's time.
    fn work(&mut self, data: &mut Vec<u8>) {
        while !self.shared.stopped() {
            let event = self.assembler.poll(Instant::now(), data);
            self.copy_stats();
            match &event {
                Some(Event::WantKeyframe) => (self.want_keyframe)(),
                Some(Event::Frame(frame)) => self.decode(frame, data),
                None => {}
            }
            self.show_due();
            if event.is_none() {
                break;
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
                        self.schedule(frame, picture);
                    }
                    None if self.decoders.is_overdue(frame.keyframe) => self.failed(true),
                    None => {}
                }
            }
            Err(error) => {
                log::debug!("a picture could not be decoded: {error}");
                self.shared.lock().stats.decode_errors += 1;
                self.failed(frame.keyframe || self.decoders.is_waiting());
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

    /// Where a decoder gives its pictures one late, each has the timing of the one after it, always: the pace is the same.
    fn schedule(&mut self, frame: &AssembledFrame, picture: VideoFrame) {
        let timing = Timing { ssrc: frame.ssrc, rtp_timestamp: frame.timestamp, arrived_at: frame.arrived_at };
        let bytes = picture.y().len() + picture.u().len() + picture.v().len();
        self.playout.push(Instant::now(), timing, bytes, picture);
    }

    fn show_due(&mut self) {
        while !self.shared.stopped()
            && let Some((timing, picture)) = self.playout.pop(Instant::now())
        {
            self.show(timing, picture);
        }
    }

    fn show(&mut self, timing: Timing, picture: VideoFrame) {
        let now = Instant::now();
        let held = now.saturating_duration_since(timing.arrived_at).as_secs_f64() * 1e3;
        let mut state = self.shared.lock();
        (state.stats.width, state.stats.height) = (picture.width(), picture.height());
        let first = state.playing.is_none();
        let step = if first { 1.0 } else { 1.0 / AVERAGED };
        state.stats.jitter_buffer_ms += (held - state.stats.jitter_buffer_ms) * step;
        state.stats.playout_delay_ms = self.playout.target_delay().as_secs_f64() * 1e3;
        state.playing = Some(Playing { ssrc: timing.ssrc, rtp_timestamp: timing.rtp_timestamp, at: now });
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
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
