//! An encoder at work, what it was told, and one that is being made to take its place.

use super::codec::{CodecError, EncoderConfig, VideoCodec, VideoEncoder};
use super::factory::Choice;
use std::sync::mpsc::{self, TryRecvError};
use std::time::{Duration, Instant};

/// Changes of the bitrate by less than these parts are not worth telling the encoder.
const RISE: f64 = 0.05;
const FALL: f64 = 0.03;
/// Rises are told no more often than this. Falls are told at once: what is sent too much stands in a queue.
const RISE_AFTER: Duration = Duration::from_millis(500);
/// The encoder is told the camera's pace when it is off by more than this part, and not more often than this.
const PACE: f64 = 0.2;
const PACE_AFTER: Duration = Duration::from_secs(1);

/// Makes an encoder by codec and configuration.
pub(super) type MakeEncoder = fn(VideoCodec, EncoderConfig, Choice) -> Result<Box<dyn VideoEncoder>, CodecError>;

/// What an encoder is to keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Told {
    pub(super) bitrate_bps: u32,
    /// The bitrate is reduced for the moment, which begins and ends at once.
    pub(super) reduced: bool,
    pub(super) fps: f64,
    pub(super) keyframe_bytes: u32,
}

/// An encoder, and what it was told last.
pub(super) struct Running {
    pub(super) encoder: Box<dyn VideoEncoder>,
    pub(super) codec: VideoCodec,
    pub(super) size: (u32, u32),
    told: Told,
    bitrate_at: Instant,
    fps_at: Instant,
}

impl Running {
    pub(super) fn new(
        encoder: Box<dyn VideoEncoder>,
        codec: VideoCodec,
        size: (u32, u32),
        told: Told,
        now: Instant,
    ) -> Self {
        Self { encoder, codec, size, told, bitrate_at: now, fps_at: now }
    }

    /// Another size, if the encoder can do that.
    pub(super) fn set_size(&mut self, size: (u32, u32)) -> Result<bool, CodecError> {
        let can = self.encoder.set_size(size.0, size.1)?;
        if can {
            self.size = size;
        }
        Ok(can)
    }

    /// Tells the encoder what has changed enough.
    pub(super) fn follow(&mut self, wanted: Told, now: Instant) -> Result<(), CodecError> {
        let since = now.saturating_duration_since(self.bitrate_at);
        if wanted.reduced != self.told.reduced || worth_telling(self.told.bitrate_bps, wanted.bitrate_bps, since) {
            self.encoder.set_bitrate(wanted.bitrate_bps)?;
            (self.told.bitrate_bps, self.told.reduced, self.bitrate_at) = (wanted.bitrate_bps, wanted.reduced, now);
        }
        let off = (wanted.fps / self.told.fps.max(1.0) - 1.0).abs() > PACE;
        if off && now.saturating_duration_since(self.fps_at) >= PACE_AFTER {
            self.encoder.set_fps(wanted.fps)?;
            (self.told.fps, self.fps_at) = (wanted.fps, now);
        }
        Ok(())
    }

    /// Whether pictures of this size can be sent in the size of this encoder: turned ones cannot.
    pub(super) fn has_proportions_of(&self, (width, height): (u32, u32)) -> bool {
        let ratio = |width: u32, height: u32| f64::from(width.max(1)) / f64::from(height.max(1));
        (ratio(width, height) / ratio(self.size.0, self.size.1) - 1.0).abs() < 0.03
    }

    /// Lets go of the encoder on a thread of its own: hardware takes its time.
    pub(super) fn retire(self) {
        let name = "chamada-encoder-close".into();
        if let Err(error) = std::thread::Builder::new().name(name).spawn(move || drop(self)) {
            log::debug!("an encoder was closed on the way: {error}");
        }
    }
}

/// Whether a new target is worth telling an encoder that has had this one for so long.
fn worth_telling(current: u32, wanted: u32, since: Duration) -> bool {
    let change = f64::from(wanted) / f64::from(current.max(1)) - 1.0;
    change < -FALL || change > RISE && since >= RISE_AFTER
}

type Opened = Result<Running, CodecError>;

/// An encoder that is being made on a thread of its own, while another one goes on.
pub(super) struct Opening {
    codec: VideoCodec,
    result: mpsc::Receiver<Opened>,
    opened: Option<Opened>,
}

impl Opening {
    /// `None` if the system gives no thread.
    pub(super) fn start(
        make: MakeEncoder,
        codec: VideoCodec,
        config: EncoderConfig,
        choice: Choice,
        now: Instant,
    ) -> Option<Self> {
        let (done, result) = mpsc::sync_channel(1);
        let size = (config.width, config.height);
        let EncoderConfig { fps, bitrate_bps, .. } = config;
        let work = move || {
            let told = Told { bitrate_bps, reduced: false, fps, keyframe_bytes: 0 };
            let made = make(codec, config, choice);
            // Nobody waits for it any more where the sender is at its end.
            let _ = done.send(made.map(|encoder| Running::new(encoder, codec, size, told, now)));
        };
        let spawned = std::thread::Builder::new().name("chamada-encoder-open".into()).spawn(work);
        spawned.ok().map(|_| Self { codec, result, opened: None })
    }

    /// Whether it has been made, or could not be.
    pub(super) fn is_done(&mut self) -> bool {
        if self.opened.is_none() {
            self.opened = match self.result.try_recv() {
                Ok(opened) => Some(opened),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(Err(CodecError::Setup {
                    codec: self.codec,
                    detail: "the thread that makes it has ended".into(),
                })),
            };
        }
        self.opened.is_some()
    }

    /// What came of it; `None` if it is not done: then it is no longer wanted.
    pub(super) fn finish(self) -> Option<Opened> {
        self.opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_of_the_estimate_are_not_told_and_falls_are_told_at_once() {
        let (soon, later) = (Duration::from_millis(10), Duration::from_secs(1));
        assert!(!worth_telling(1_000_000, 1_040_000, later) && !worth_telling(1_000_000, 980_000, later));
        assert!(worth_telling(1_000_000, 900_000, soon));
        assert!(!worth_telling(1_000_000, 1_200_000, soon) && worth_telling(1_000_000, 1_200_000, later));
    }
}
