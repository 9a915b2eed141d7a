//! What the encoder's thread does with one picture: upright, in the size that the bitrate carries, compressed.

use super::adapt::Adaptation;
use super::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec, VideoEncoder};
use super::factory::{self, Choice, Choices};
use super::freeze::RateMeter;
use crate::media::frame::{FramePool, Rotation, VideoFrame};
use std::time::{Duration, Instant};

/// Between black pictures while the camera is off. Short enough that the far end, used to a camera's pace, counts no freeze.
pub(super) const BLACK_INTERVAL: Duration = Duration::from_millis(150);
/// A keyframe follows another one not sooner than this, unless nothing else can be encoded.
pub(super) const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);
/// Changes of the bitrate by less than these parts are not worth telling the encoder.
const RISE: f64 = 0.05;
const FALL: f64 = 0.03;
/// Rises are told no more often than this. Falls are told at once: what is sent too much stands in a queue.
const RISE_AFTER: Duration = Duration::from_millis(500);
/// The encoder is told the camera's pace when it is off by more than this part, and not more often than this.
const PACE: f64 = 0.2;
const PACE_AFTER: Duration = Duration::from_secs(1);
/// After so many failures in a row the encoder is made anew only once a pause, and as the other one each time.
const MAX_FAILURES: u32 = 3;
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// Longest side of black pictures, in pixels.
const BLACK_SIDE: u32 = 320;

/// What is wanted of the encoder for one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) codec: VideoCodec,
    pub(super) bitrate_bps: u32,
    pub(super) keyframe: bool,
}

type MakeEncoder = fn(VideoCodec, EncoderConfig, Choice) -> Result<Box<dyn VideoEncoder>, CodecError>;

/// Turns, scales and compresses pictures; makes encoders as they are needed.
pub(super) struct Encoding {
    make: MakeEncoder,
    choices: Choices,
    encoder: Option<Running>,
    /// Frames per second to expect of a camera that has not shown yet.
    fps: f64,
    pace: RateMeter,
    adaptation: Adaptation,
    pool: FramePool,
    /// Size of the last picture of a camera, upright.
    camera_size: Option<(u32, u32)>,
    last_keyframe: Option<Instant>,
    /// The codec of the last picture, and failures in a row of it.
    codec: Option<VideoCodec>,
    failures: u32,
    failed_at: Option<Instant>,
}

struct Running {
    encoder: Box<dyn VideoEncoder>,
    codec: VideoCodec,
    size: (u32, u32),
    bitrate: u32,
    bitrate_at: Instant,
    fps: f64,
    fps_at: Instant,
}

/// Whether a new target is worth telling an encoder that has had this one for so long.
fn worth_telling(current: u32, wanted: u32, since: Duration) -> bool {
    let change = f64::from(wanted) / f64::from(current.max(1)) - 1.0;
    change < -FALL || change > RISE && since >= RISE_AFTER
}

impl Encoding {
    pub(super) fn new(fps: f64) -> Self {
        Self::with(factory::encoder, fps)
    }

    fn with(make: MakeEncoder, fps: f64) -> Self {
        Self {
            make,
            choices: Choices::default(),
            encoder: None,
            fps,
            pace: RateMeter::default(),
            adaptation: Adaptation::default(),
            pool: FramePool::default(),
            camera_size: None,
            last_keyframe: None,
            codec: None,
            failures: 0,
            failed_at: None,
        }
    }

    /// Compresses a camera's picture. `None`: nothing came of it, by the codec's choice or while it is given a rest.
    pub(super) fn picture(
        &mut self,
        frame: &VideoFrame,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        self.pace.add(frame.captured_at());
        let fps = self.pace.steady().unwrap_or(self.fps);
        let size = frame.upright_size();
        self.camera_size = Some(size);
        let (width, height) = self.adaptation.size(size, fps, wanted.bitrate_bps, now);
        let scaled = frame.rotated(&self.pool).and_then(|upright| upright.scaled(&self.pool, width, height));
        let scaled = scaled
            .map_err(|error| CodecError::Encode { codec: wanted.codec, detail: error.to_string() })?
            .mirrored(false);
        self.compress(&scaled, wanted, fps, now)
    }

    /// Compresses a small black picture of the camera's proportions.
    pub(super) fn black(&mut self, wanted: Wanted, now: Instant) -> Result<Option<EncodedFrame>, CodecError> {
        let frame = self.black_frame(now).map_err(|detail| CodecError::Encode { codec: wanted.codec, detail })?;
        self.compress(&frame, wanted, 1.0 / BLACK_INTERVAL.as_secs_f64(), now)
    }

    fn black_frame(&mut self, now: Instant) -> Result<VideoFrame, String> {
        let (width, height) = self.camera_size.unwrap_or((16, 9));
        let longest = width.max(height);
        let side = |side: u32| (u64::from(side) * u64::from(BLACK_SIDE) / u64::from(longest)).max(16) as u32 & !1;
        let mut buffer = self.pool.take(side(width), side(height)).map_err(|error| error.to_string())?;
        let (y, u, v) = buffer.planes_mut();
        y.fill(16);
        u.fill(128);
        v.fill(128);
        Ok(buffer.freeze(Rotation::None, now))
    }

    fn compress(
        &mut self,
        frame: &VideoFrame,
        wanted: Wanted,
        fps: f64,
        now: Instant,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        if self.codec.replace(wanted.codec) != Some(wanted.codec) {
            (self.failures, self.failed_at) = (0, None);
        }
        let resting = self.failed_at.is_some_and(|at| now.saturating_duration_since(at) < FAILURE_PAUSE);
        if self.failures >= MAX_FAILURES && resting {
            return Ok(None);
        }
        let result = self.try_compress(frame, wanted, fps, now);
        match &result {
            Ok(encoded) => {
                self.failures = 0;
                if encoded.as_ref().is_some_and(|encoded| encoded.keyframe) {
                    self.last_keyframe = Some(now);
                }
            }
            Err(_) => {
                self.encoder = None;
                self.failures = self.failures.saturating_add(1);
                if self.failures >= MAX_FAILURES {
                    self.choices.change(wanted.codec);
                }
                self.failed_at = Some(now);
            }
        }
        result
    }

    fn try_compress(
        &mut self,
        frame: &VideoFrame,
        wanted: Wanted,
        fps: f64,
        now: Instant,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        let size = (frame.width(), frame.height());
        let fitting = self.encoder.take().filter(|running| running.codec == wanted.codec && running.size == size);
        let (mut running, keyframe) = match fitting {
            Some(running) => (running, wanted.keyframe),
            None => (self.start(size, wanted, fps, now)?, true),
        };
        running.follow(wanted.bitrate_bps, fps, now)?;
        let encoded = running.encoder.encode(frame, keyframe)?;
        self.encoder = Some(running);
        Ok(encoded)
    }

    fn start(&self, size: (u32, u32), wanted: Wanted, fps: f64, now: Instant) -> Result<Running, CodecError> {
        let ((width, height), Wanted { codec, bitrate_bps, .. }) = (size, wanted);
        let encoder = (self.make)(codec, EncoderConfig { width, height, fps, bitrate_bps }, self.choices.of(codec))?;
        log::debug!("{codec} encoder for {width}×{height}, {fps:.0} fps, {bitrate_bps} bit/s");
        Ok(Running { encoder, codec, size, bitrate: bitrate_bps, bitrate_at: now, fps, fps_at: now })
    }

    /// Whether a keyframe that is asked for may be made by now.
    pub(super) fn may_make_keyframe(&self, now: Instant) -> bool {
        self.last_keyframe.is_none_or(|at| now.saturating_duration_since(at) >= KEYFRAME_INTERVAL)
    }
}

impl Running {
    fn follow(&mut self, bitrate: u32, fps: f64, now: Instant) -> Result<(), CodecError> {
        if worth_telling(self.bitrate, bitrate, now.saturating_duration_since(self.bitrate_at)) {
            self.encoder.set_bitrate(bitrate)?;
            (self.bitrate, self.bitrate_at) = (bitrate, now);
        }
        let off = (fps / self.fps.max(1.0) - 1.0).abs() > PACE;
        if off && now.saturating_duration_since(self.fps_at) >= PACE_AFTER {
            self.encoder.set_fps(fps)?;
            (self.fps, self.fps_at) = (fps, now);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
