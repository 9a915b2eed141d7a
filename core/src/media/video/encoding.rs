//! What the encoder's thread does with one picture: upright, in the size that the path and the device carry, compressed.

use super::adaptation::{Adaptation, Decision, Input, QualityLimitation, QuantizerRange, Wishes};
use super::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec};
use super::factory::{self, Choices};
use super::freeze::RateMeter;
use super::running::{MakeEncoder, Opening, Running, Told};
use crate::congestion::VideoPlan;
use crate::media::frame::{FramePool, Rotation, VideoFrame};
use std::time::{Duration, Instant};

/// Between black pictures while the camera is off, and repetitions of one that stands on a shared screen. Short enough that the far end, used to a camera's pace, counts no freeze.
pub(super) const STILL_INTERVAL: Duration = Duration::from_millis(150);
/// A keyframe follows another one not sooner than this, unless nothing else can be encoded.
pub(super) const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);
/// After so many failures in a row the encoder is made anew only once a pause, and as the other one each time.
const MAX_FAILURES: u32 = 3;
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// Longest side of black pictures, in pixels.
const BLACK_SIDE: u32 = 320;
/// What the encoder is told of the bitrate while the pacer still holds much of what it made before.
const REDUCED: f64 = 0.7;
/// A keyframe of more than so many times its budget is paid for by pictures that are left out, for at most this long.
const TOO_LARGE: u64 = 2;
const MAX_DEBT: Duration = Duration::from_secs(2);
/// The part of a keyframe's budget that one has which only another size asks for: nobody waits for it, and nobody should for what follows.
const SIZE_CHANGE: f64 = 0.5;
/// What a keyframe's budget is worth on a slow path.
const BUDGET_LASTS: Duration = Duration::from_millis(250);
/// Quantisers between which pictures are worth their pixels. Source: libwebrtc, `quality_scaler` and its codecs' settings.
const VP8_QUANTIZERS: QuantizerRange = QuantizerRange { low: 29, high: 95 };
const H264_QUANTIZERS: QuantizerRange = QuantizerRange { low: 24, high: 37 };

/// What is wanted of the encoder for one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) codec: VideoCodec,
    pub(super) plan: VideoPlan,
    /// The pacer still holds much: the next pictures are to be smaller.
    pub(super) reduced: bool,
    pub(super) keyframe: bool,
    pub(super) wishes: Wishes,
}

impl Wanted {
    fn bitrate(&self) -> u32 {
        self.plan.bitrate_bps.min(self.wishes.bounds.max_bitrate_bps)
    }

    fn told(&self, fps: f64) -> Told {
        let bitrate = self.bitrate();
        let bitrate_bps = if self.reduced { (f64::from(bitrate) * REDUCED) as u32 } else { bitrate };
        Told { bitrate_bps, reduced: self.reduced, fps, keyframe_bytes: self.plan.keyframe_bytes }
    }
}

fn quantizers(codec: VideoCodec) -> QuantizerRange {
    match codec {
        VideoCodec::Vp8 => VP8_QUANTIZERS,
        VideoCodec::H264 => H264_QUANTIZERS,
    }
}

/// What became of pictures, for the stats.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Report {
    pub(super) limited_by: QualityLimitation,
    /// Pictures per second to be sent.
    pub(super) fps: f64,
    /// Sum of the quantisers of pictures by the present codec, and of how many.
    pub(super) quantizers: (u64, u64),
    /// Changes of the size.
    pub(super) size_changes: u64,
    /// Pictures left out by the encoder's rate control,
    pub(super) left_out: u64,
    /// and after a keyframe that was too large.
    pub(super) in_debt: u64,
}

/// Turns, scales and compresses pictures; makes encoders as they are needed.
pub(super) struct Encoding {
    make: MakeEncoder,
    choices: Choices,
    encoder: Option<Running>,
    /// An encoder for the next size, which is being made.
    opening: Option<Opening>,
    /// Frames per second to expect of a camera that has not shown yet.
    fps: f64,
    pace: RateMeter,
    adaptation: Adaptation,
    pool: FramePool,
    /// Size of the last picture of a camera, upright.
    camera_size: Option<(u32, u32)>,
    last_keyframe: Option<Instant>,
    /// Until then a keyframe that was too large is paid for.
    debt_until: Option<Instant>,
    /// The codec of the last picture, and failures in a row of it.
    codec: Option<VideoCodec>,
    failures: u32,
    failed_at: Option<Instant>,
    report: Report,
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
            opening: None,
            fps,
            pace: RateMeter::default(),
            adaptation: Adaptation::default(),
            pool: FramePool::default(),
            camera_size: None,
            last_keyframe: None,
            debt_until: None,
            codec: None,
            failures: 0,
            failed_at: None,
            report: Report::default(),
        }
    }

    pub(super) fn report(&self) -> Report {
        self.report
    }

    /// A camera's picture is not going to be compressed.
    pub(super) fn skipped(&mut self, frame: &VideoFrame) {
        self.pace.add(frame.captured_at());
    }

    /// Compresses a camera's picture. `None`: nothing came of it, as pictures are to be fewer, by the codec's choice, or while it
    /// is given a rest.
    pub(super) fn picture(
        &mut self,
        frame: &VideoFrame,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        self.pace.add(frame.captured_at());
        let size = frame.upright_size();
        self.camera_size = Some(size);
        let input = Input {
            size,
            fps: self.pace.steady().unwrap_or(self.fps),
            captured_at: frame.captured_at(),
            bitrate_bps: wanted.plan.bitrate_bps,
            keyframe_due: wanted.keyframe,
            quantizers: quantizers(wanted.codec),
            wishes: wanted.wishes,
        };
        let decision = self.adaptation.decide(&input, now);
        (self.report.limited_by, self.report.fps) = (decision.limited_by, decision.fps);
        if !decision.taken || self.is_in_debt(now) {
            return Ok(None);
        }
        let started = Instant::now();
        let turn_and_scale = |pool: &FramePool, (width, height): (u32, u32)| {
            let scaled = frame.rotated(pool).and_then(|upright| upright.scaled(pool, width, height));
            scaled.map(|scaled| scaled.mirrored(false)).map_err(|error| error.to_string())
        };
        let left_out = self.report.left_out;
        let encoded = self.compress(turn_and_scale, decision, wanted, now)?;
        let took = started.elapsed();
        match &encoded {
            Some(encoded) => {
                let quantizer = self.encoder.as_mut().and_then(|running| running.encoder.quantizer());
                self.adaptation.encoded(took, quantizer, encoded.data.len());
                if let Some(quantizer) = quantizer {
                    self.report.quantizers.0 += u64::from(quantizer);
                    self.report.quantizers.1 += 1;
                }
                self.check_keyframe(encoded, wanted, now);
            }
            None if self.report.left_out > left_out => self.adaptation.left_out(took),
            None => {}
        }
        Ok(encoded)
    }

    /// Compresses a small black picture of the camera's proportions.
    pub(super) fn black(&mut self, wanted: Wanted, now: Instant) -> Result<Option<EncodedFrame>, CodecError> {
        let (width, height) = self.camera_size.unwrap_or((16, 9));
        let longest = width.max(height);
        let side = |side: u32| (u64::from(side) * u64::from(BLACK_SIDE) / u64::from(longest)).max(16) as u32 & !1;
        let size = (side(width), side(height));
        let fps = 1.0 / STILL_INTERVAL.as_secs_f64();
        (self.report.limited_by, self.report.fps) = (QualityLimitation::None, fps);
        let decision = Decision { size, fps, limited_by: QualityLimitation::None, taken: true };
        self.compress(|pool, size| black_frame(pool, size, now), decision, wanted, now)
    }

    fn compress(
        &mut self,
        render: impl FnOnce(&FramePool, (u32, u32)) -> Result<VideoFrame, String>,
        decision: Decision,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        if self.codec.replace(wanted.codec) != Some(wanted.codec) {
            (self.failures, self.failed_at, self.opening) = (0, None, None);
            self.report.quantizers = (0, 0);
        }
        let resting = self.failed_at.is_some_and(|at| now.saturating_duration_since(at) < FAILURE_PAUSE);
        if self.failures >= MAX_FAILURES && resting {
            return Ok(None);
        }
        let result = self.try_compress(render, decision, wanted, now);
        match &result {
            Ok(encoded) => {
                self.failures = 0;
                if encoded.as_ref().is_some_and(|encoded| encoded.keyframe) {
                    self.last_keyframe = Some(now);
                }
                self.report.left_out += u64::from(encoded.is_none());
            }
            Err(_) => {
                (self.encoder, self.opening) = (None, None);
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
        render: impl FnOnce(&FramePool, (u32, u32)) -> Result<VideoFrame, String>,
        decision: Decision,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Option<EncodedFrame>, CodecError> {
        let told = wanted.told(decision.fps);
        let (mut running, is_new) = self.fitting(decision, wanted.codec, told, now)?;
        let keyframe = wanted.keyframe || is_new;
        let frame =
            render(&self.pool, running.size).map_err(|detail| CodecError::Encode { codec: wanted.codec, detail })?;
        running.follow(told, now)?;
        if keyframe {
            let share = if wanted.keyframe || self.last_keyframe.is_none() { 1.0 } else { SIZE_CHANGE };
            running.encoder.set_keyframe_budget((f64::from(told.keyframe_bytes) * share) as u32)?;
        }
        let encoded = running.encoder.encode(&frame, keyframe)?;
        self.encoder = Some(running);
        Ok(encoded)
    }

    /// The encoder for this size, or the one until now while that for this size is being made; and whether its next picture is
    /// its first one of a size.
    fn fitting(
        &mut self,
        decision: Decision,
        codec: VideoCodec,
        told: Told,
        now: Instant,
    ) -> Result<(Running, bool), CodecError> {
        let size = decision.size;
        let Some(mut running) = self.encoder.take().filter(|running| running.codec == codec) else {
            return Ok((self.start(size, codec, told, now)?, true));
        };
        if let Some(opening) = self.opening.take_if(Opening::is_done) {
            match opening.finish() {
                // Another size is wanted by now.
                Some(Ok(next)) if next.size != size => next.retire(),
                Some(Ok(next)) => {
                    running.retire();
                    self.report.size_changes += 1;
                    return Ok((next, true));
                }
                // A device that has one encoder only gives another one when the first is gone.
                Some(Err(error)) => {
                    log::debug!("no second encoder beside the first: {error}");
                    drop(running);
                    self.report.size_changes += 1;
                    return Ok((self.start(size, codec, told, now)?, true));
                }
                None => {}
            }
        }
        let similar = running.has_proportions_of(size);
        if running.size == size || similar && self.opening.is_some() {
            return Ok((running, false));
        }
        self.opening = None;
        if running.set_size(size)? {
            self.report.size_changes += 1;
            return Ok((running, true));
        }
        if similar {
            let config = config(size, told);
            self.opening = Opening::start(self.make, codec, config, self.choices.of(codec), now);
            if self.opening.is_some() {
                return Ok((running, false));
            }
        }
        drop(running);
        self.report.size_changes += 1;
        Ok((self.start(size, codec, told, now)?, true))
    }

    fn start(&self, size: (u32, u32), codec: VideoCodec, told: Told, now: Instant) -> Result<Running, CodecError> {
        let encoder = (self.make)(codec, config(size, told), self.choices.of(codec))?;
        log::debug!("{codec} encoder for {}×{}, {:.0} fps, {} bit/s", size.0, size.1, told.fps, told.bitrate_bps);
        Ok(Running::new(encoder, codec, size, told, now))
    }

    fn check_keyframe(&mut self, encoded: &EncodedFrame, wanted: Wanted, now: Instant) {
        let (bytes, budget) = (encoded.data.len() as u64, u64::from(wanted.plan.keyframe_bytes));
        if encoded.keyframe && budget > 0 && bytes > TOO_LARGE * budget {
            // The budget knows what the path carries; the bitrate of the moment may be one that lets a queue run empty.
            let seconds = BUDGET_LASTS.as_secs_f64() * (bytes - budget) as f64 / budget as f64;
            self.debt_until = now.checked_add(Duration::from_secs_f64(seconds.min(MAX_DEBT.as_secs_f64())));
            self.adaptation.keyframe_was_too_large();
        }
    }

    fn is_in_debt(&mut self, now: Instant) -> bool {
        let is = self.debt_until.is_some_and(|until| now < until);
        self.report.in_debt += u64::from(is);
        is
    }

    /// Whether a keyframe that is asked for may be made by now.
    pub(super) fn may_make_keyframe(&self, now: Instant) -> bool {
        self.last_keyframe.is_none_or(|at| now.saturating_duration_since(at) >= KEYFRAME_INTERVAL)
    }
}

fn config((width, height): (u32, u32), told: Told) -> EncoderConfig {
    EncoderConfig { width, height, fps: told.fps, bitrate_bps: told.bitrate_bps }
}

fn black_frame(pool: &FramePool, (width, height): (u32, u32), now: Instant) -> Result<VideoFrame, String> {
    let mut buffer = pool.take(width, height).map_err(|error| error.to_string())?;
    let (y, u, v) = buffer.planes_mut();
    y.fill(16);
    u.fill(128);
    v.fill(128);
    Ok(buffer.freeze(Rotation::None, now))
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
