//! Camera to compressed pictures.

use super::adaptation::{DegradationPreference, QualityLimitation, ThermalState, VideoBounds, Wishes};
use super::codec::{CodecError, EncodedFrame, VideoCodec};
use super::encoding::{Encoding, Report, STILL_INTERVAL, Wanted};
use super::freeze::RateMeter;
use super::sender_stats::VideoSenderStats;
use crate::congestion::VideoPlan;
use crate::media::capture::{FrameReceiver, FrameSink, VideoRenderer};
use crate::media::frame::{FrameError, FramePool, RawFrame, VideoFrame};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Takes one compressed picture. `false`: dropped downstream.
///
/// Called on the encoder's thread; must not block.
pub type VideoOutput = Arc<dyn Fn(EncodedFrame) -> bool + Send + Sync>;

/// How long the pictures that wait in the pacer take to leave.
///
/// Asked before each picture, on the encoder's thread; must not block.
pub type VideoGate = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Bits per second: what any sender may send.
const MIN_BITRATE: u32 = 10_000;
/// With so much waiting in the pacer, pictures are made smaller,
const REDUCE_FROM: Duration = Duration::from_millis(100);
/// and with more than this they are not made at all: what gives way is what has cost nothing yet and leaves no gap.
const SKIP_ABOVE: Duration = Duration::from_millis(250);
/// After a pause the camera's newest picture is sent at once if it is younger than this; an older one is from before the pause.
const FRESH: Duration = Duration::from_millis(100);
/// Until a plan is there, a keyframe may have so much of a second of the bitrate.
const KEYFRAME_SHARE: Duration = Duration::from_millis(150);

/// How a [`VideoSender`] begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoSenderConfig {
    /// Codec, until another one is agreed on.
    pub codec: VideoCodec,
    /// Frames per second to expect of the camera.
    pub fps: f64,
    /// Target, in bits per second, until an estimate is there.
    pub bitrate_bps: u32,
}

/// Whose pictures a [`VideoSender`] sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoSource {
    /// Pictures come all the time, and the preview may be mirrored.
    Camera,
    /// Pictures come where something has changed: one that stands is repeated, so that it becomes sharp and whoever joins or has lost
    /// something sees it.
    Screen,
}

/// Compresses the pictures of a camera or a screen on a thread of its own and shows them in the preview.
///
/// Between camera and encoder there is a slot for one picture: a newer one takes the place of one that still waits, so that
/// nothing old is ever sent. Dropping it stops and joins the thread; the output is not called after that.
pub struct VideoSender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    pool: FramePool,
}

struct State {
    slot: Option<VideoFrame>,
    paused: bool,
    enabled: bool,
    closed: bool,
    wanted: Wanted,
    report: Report,
    /// A picture was compressed that did not go out. The far end cannot see that, so nothing that builds on it may go out.
    broken: bool,
    source: VideoSource,
    /// What stands on the screen.
    screen: Option<VideoFrame>,
    /// Later than the screen's last picture that was compressed: one that was repeated may be younger than the next one.
    not_before: Instant,
    /// When the next black picture, or the one that stands on the screen, is due.
    still_at: Instant,
    preview: Option<Arc<dyn VideoRenderer>>,
    mirror: bool,
    latest: Option<VideoFrame>,
    stats: VideoSenderStats,
    encode_time: Duration,
    rate: RateMeter,
}

impl VideoSender {
    /// Starts the encoder's thread; the encoder itself is made with the first picture. The gate says how much waits in the pacer.
    ///
    /// # Errors
    /// [`CodecError::NotBuilt`] if this build has no such codec, [`CodecError::Setup`] if the system gives no thread.
    pub fn start(config: VideoSenderConfig, gate: VideoGate, output: VideoOutput) -> Result<Self, CodecError> {
        let VideoSenderConfig { codec, fps, bitrate_bps } = config;
        if !VideoCodec::available().contains(&codec) {
            return Err(CodecError::NotBuilt(codec));
        }
        let bitrate_bps = bitrate_bps.max(MIN_BITRATE);
        let keyframe_bytes = (f64::from(bitrate_bps) / 8.0 * KEYFRAME_SHARE.as_secs_f64()) as u32;
        let plan = VideoPlan { bitrate_bps, keyframe_bytes, suspended: false };
        let wanted = Wanted { codec, plan, reduced: false, keyframe: false, wishes: Wishes::default() };
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                slot: None,
                paused: false,
                enabled: true,
                closed: false,
                wanted,
                report: Report::default(),
                broken: false,
                source: VideoSource::Camera,
                screen: None,
                not_before: Instant::now(),
                still_at: Instant::now(),
                preview: None,
                mirror: false,
                latest: None,
                stats: VideoSenderStats::default(),
                encode_time: Duration::ZERO,
                rate: RateMeter::default(),
            }),
            changed: Condvar::new(),
            pool: FramePool::default(),
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("chamada-encoder".into())
            .spawn(move || theirs.encode_until_closed(Encoding::new(fps), &gate, &output))
            .map_err(|error| CodecError::Setup { codec, detail: format!("no thread: {error}") })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Where the camera puts its pictures. Stays usable, without effect, after the sender is dropped.
    pub fn sink(&self) -> FrameSink {
        FrameSink::new(Arc::clone(&self.shared) as Arc<dyn FrameReceiver>)
    }

    /// Where a screen puts its pictures. Of the two sinks the one that does not belong to the source is without effect.
    pub fn screen_sink(&self) -> FrameSink {
        FrameSink::new(Arc::new(ScreenReceiver(Arc::clone(&self.shared))))
    }

    /// Sends the pictures of this source from now on, from a keyframe on.
    pub fn set_source(&self, source: VideoSource) {
        self.change(|state| {
            if state.source != source {
                (state.source, state.wanted.keyframe) = (source, true);
                (state.slot, state.latest, state.screen) = (None, None, None);
            }
        });
    }

    /// While paused nothing is compressed and nothing sent; the preview goes on. Afterwards the camera's newest picture is the first, so
    /// that nobody waits for the next one.
    pub fn set_paused(&self, paused: bool) {
        self.change(|state| {
            let now = Instant::now();
            let fresh = |frame: &&VideoFrame| now.saturating_duration_since(frame.captured_at()) < FRESH;
            let resumes = state.paused && !paused;
            state.paused = paused;
            state.slot = state.latest.as_ref().filter(fresh).filter(|_| resumes && !state.is_silent()).cloned();
        });
    }

    /// While not enabled, black pictures are sent instead of the camera's, so that the far end does not stand still on the
    /// last one.
    pub fn set_enabled(&self, enabled: bool) {
        self.change(|state| {
            if state.enabled != enabled {
                state.enabled = enabled;
                state.slot = None;
                state.latest = None;
                state.still_at = Instant::now();
            }
        });
    }

    /// Shows every picture of the camera there, on the camera's thread. A picture on its way may still reach the old one.
    pub fn set_preview(&self, preview: Option<Arc<dyn VideoRenderer>>) {
        self.change(|state| state.preview = preview);
    }

    /// Marks the pictures of the preview to be shown mirrored; what is sent never is.
    pub fn set_mirror_preview(&self, mirror: bool) {
        self.change(|state| state.mirror = mirror);
    }

    /// Compresses by this codec from the next picture on, which will be a keyframe if that is a change.
    pub fn set_codec(&self, codec: VideoCodec) {
        self.change(|state| state.wanted.codec = codec);
    }

    /// Follows the plan for the path. While it says that video is suspended nothing is compressed and the preview goes on; what
    /// comes after begins with a keyframe.
    pub fn follow(&self, plan: VideoPlan) {
        self.change(|state| {
            if plan.suspended {
                state.slot = None;
            } else if state.wanted.plan.suspended {
                state.wanted.keyframe = true;
            }
            state.wanted.plan = VideoPlan { bitrate_bps: plan.bitrate_bps.max(MIN_BITRATE), ..plan };
        });
    }

    /// What gives way first, from the next picture on.
    pub fn set_degradation(&self, preference: DegradationPreference) {
        self.change(|state| state.wanted.wishes.preference = preference);
    }

    /// How hot the device is: hot ones are spared.
    pub fn set_thermal(&self, thermal: ThermalState) {
        self.change(|state| state.wanted.wishes.thermal = thermal);
    }

    /// Upper bounds, from the next picture on.
    pub fn set_bounds(&self, bounds: VideoBounds) {
        // A bound that is no number is none.
        let max_fps = if bounds.max_fps.is_nan() { f64::INFINITY } else { bounds.max_fps };
        self.change(|state| state.wanted.wishes.bounds = VideoBounds { max_fps, ..bounds });
    }

    /// The next picture will be a keyframe, or the first one that is 300 ms after the last keyframe.
    pub fn request_keyframe(&self) {
        self.change(|state| state.wanted.keyframe = true);
    }

    /// The camera's last picture, not mirrored.
    pub fn latest_frame(&self) -> Option<VideoFrame> {
        self.shared.lock().latest.clone()
    }

    /// What was done so far.
    pub fn stats(&self) -> VideoSenderStats {
        let state = self.shared.lock();
        let encoded = state.stats.encoded.max(1) as f64;
        let (report, Wanted { plan, wishes, .. }) = (state.report, state.wanted);
        let (quantizers, told) = report.quantizers;
        VideoSenderStats {
            fps: state.rate.per_second(Instant::now()),
            target_fps: if plan.suspended { 0.0 } else { report.fps },
            limited_by: if plan.suspended { QualityLimitation::Bandwidth } else { report.limited_by },
            size_changes: report.size_changes,
            suspended: plan.suspended,
            skipped: state.stats.skipped + report.in_debt,
            left_out: report.left_out,
            qp_mean: (told > 0).then(|| quantizers as f64 / told as f64),
            encode_ms: state.encode_time.as_secs_f64() * 1e3 / encoded,
            bitrate_bps: plan.bitrate_bps.min(wishes.bounds.max_bitrate_bps),
            ..state.stats
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_one();
    }
}

impl Drop for VideoSender {
    fn drop(&mut self) {
        self.change(|state| {
            state.closed = true;
            state.slot = None;
            state.preview = None;
            (state.latest, state.screen) = (None, None);
        });
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            log::error!("a video encoder's thread ended by a panic");
        }
    }
}

impl State {
    /// A picture that is compressed next. Those of a screen may have been captured before the last one was repeated.
    fn in_order(&mut self, frame: VideoFrame) -> VideoFrame {
        if self.source == VideoSource::Camera {
            return frame;
        }
        let captured_at = frame.captured_at().max(self.not_before);
        self.not_before = captured_at + Duration::from_millis(1);
        self.still_at = Instant::now() + STILL_INTERVAL;
        frame.recaptured(captured_at)
    }

    /// Whether nothing is to be compressed.
    fn is_silent(&self) -> bool {
        self.paused || self.wanted.plan.suspended
    }
}

impl FrameReceiver for Shared {
    fn push_raw(&self, frame: &RawFrame<'_>) -> Result<(), FrameError> {
        self.push(self.pool.copy_from(frame)?);
        Ok(())
    }

    fn push(&self, frame: VideoFrame) {
        self.push_from(VideoSource::Camera, frame);
    }
}

/// Takes the pictures of a screen.
struct ScreenReceiver(Arc<Shared>);

impl FrameReceiver for ScreenReceiver {
    fn push_raw(&self, frame: &RawFrame<'_>) -> Result<(), FrameError> {
        self.push(self.0.pool.copy_from(frame)?);
        Ok(())
    }

    fn push(&self, frame: VideoFrame) {
        self.0.push_from(VideoSource::Screen, frame);
    }
}

impl Shared {
    fn push_from(&self, source: VideoSource, frame: VideoFrame) {
        let mut state = self.lock();
        if state.closed || state.source != source {
            return;
        }
        state.stats.captured += 1;
        if source == VideoSource::Screen {
            // Also while nothing is sent: it may stand for long afterwards.
            state.screen = Some(frame.clone());
        }
        if state.enabled {
            state.latest = Some(frame.clone());
            if !state.is_silent() && state.slot.replace(frame.clone()).is_some() {
                state.stats.dropped += 1;
            }
        }
        let (preview, mirror) = (state.preview.clone(), state.mirror && source == VideoSource::Camera);
        drop(state);
        self.changed.notify_one();
        if let Some(preview) = preview {
            preview.render(frame.mirrored(mirror));
        }
    }
}

/// What the encoder's thread does next.
enum Work {
    Picture(VideoFrame),
    Black,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encode_until_closed(&self, mut encoding: Encoding, gate: &VideoGate, output: &VideoOutput) {
        while let Some((work, mut wanted)) = self.next() {
            let start = Instant::now();
            let may_make_keyframe = encoding.may_make_keyframe(start);
            let backlog = gate();
            if self.skips(may_make_keyframe, backlog) {
                if let Work::Picture(frame) = &work {
                    encoding.skipped(frame);
                }
                continue;
            }
            wanted.reduced = backlog >= REDUCE_FROM;
            wanted.keyframe &= may_make_keyframe;
            let result = match &work {
                Work::Picture(frame) => encoding.picture(frame, wanted, start),
                Work::Black => encoding.black(wanted, start),
            };
            // The camera's memory is free again before anything else is done.
            drop(work);
            let took = start.elapsed();
            self.lock().report = encoding.report();
            match result {
                Ok(Some(frame)) => self.send(frame, took, output),
                Ok(None) => {}
                Err(error) => {
                    log::warn!("a picture was not sent");
                    log::debug!("which is: {error}");
                    self.lock().stats.errors += 1;
                }
            }
        }
    }

    /// Waits for something to do; `None` at the end.
    fn next(&self) -> Option<(Work, Wanted)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if state.is_silent() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if let Some(frame) = state.slot.take() {
                let frame = state.in_order(frame);
                return Some((Work::Picture(frame), state.wanted));
            } else if state.enabled && state.screen.is_none() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                let now = Instant::now();
                let left = state.still_at.saturating_duration_since(now);
                if left.is_zero() {
                    state.still_at = now + STILL_INTERVAL;
                    let screen = state.screen.clone().filter(|_| state.enabled);
                    let still = screen.map(|frame| Work::Picture(state.in_order(frame.recaptured(now))));
                    return Some((still.unwrap_or(Work::Black), state.wanted));
                }
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Whether too much waits in the pacer, or the next picture would build on one that did not go out, and cannot be a keyframe
    /// yet.
    fn skips(&self, may_make_keyframe: bool, backlog: Duration) -> bool {
        let mut state = self.lock();
        let broken = state.broken && !may_make_keyframe;
        let full = backlog > SKIP_ABOVE;
        state.stats.dropped += u64::from(broken && !full);
        state.stats.skipped += u64::from(full);
        broken || full
    }

    fn send(&self, frame: EncodedFrame, took: Duration, output: &VideoOutput) {
        let (codec, keyframe, bytes) = (frame.codec, frame.keyframe, frame.data.len() as u64);
        let (width, height) = (frame.width, frame.height);
        let mut state = self.lock();
        state.encode_time += took;
        state.stats.encoded += 1;
        state.stats.keyframes += u64::from(keyframe);
        if keyframe {
            state.wanted.keyframe = false;
        }
        // Paused, suspended or at an end meanwhile: whoever asked for that wants nothing more to go out.
        let unwanted = state.closed || state.is_silent();
        drop(state);
        let taken = !unwanted && output(frame);
        let mut state = self.lock();
        state.broken = !taken;
        if !taken {
            state.stats.dropped += 1;
            state.wanted.keyframe = true;
            return;
        }
        state.stats.sent += 1;
        state.stats.bytes += bytes;
        state.stats.codec = Some(codec);
        (state.stats.width, state.stats.height) = (width, height);
        state.rate.add(Instant::now());
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
