//! The decoder in use, and its replacement by another one where it does not work.

use super::codec::{CodecError, VideoCodec, VideoDecoder};
use super::factory::{Choice, Choices};
use std::time::{Duration, Instant};

/// Keyframes in a row of which a decoder makes nothing before another one takes its place, and the shortest time for which one stays:
/// what the other side sends may be at fault as well.
pub(super) const MAX_FAILURES: u32 = 2;
pub(super) const REPLACE_AFTER: Duration = Duration::from_secs(1);
/// Pictures from a keyframe on that a decoder may take without giving one back: some need the next one, or long for the first.
const MAX_UNANSWERED: u32 = 3;
pub(super) type MakeDecoder = fn(VideoCodec, Choice) -> Result<Box<dyn VideoDecoder>, CodecError>;

/// The decoder in use, and when another one is worth a try.
pub(super) struct Decoders {
    make: MakeDecoder,
    running: Option<(VideoCodec, Box<dyn VideoDecoder>)>,
    pub(super) choices: Choices,
    /// What was made last, and when.
    made: Option<(VideoCodec, Instant)>,
    failures: u32,
    /// Pictures given to it since a keyframe, as long as it has given none back.
    unanswered: u32,
}

impl Decoders {
    pub(super) fn new(make: MakeDecoder) -> Self {
        Self { make, running: None, choices: Choices::default(), made: None, failures: 0, unanswered: 0 }
    }

    pub(super) fn of(&mut self, codec: VideoCodec, now: Instant) -> Result<&mut Box<dyn VideoDecoder>, CodecError> {
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

    pub(super) fn shown(&mut self) {
        (self.failures, self.unanswered) = (0, 0);
    }

    /// It took a picture and gave none back. Whether it has had enough of them: who makes nothing of a keyframe makes nothing of
    /// what follows.
    pub(super) fn is_overdue(&mut self, keyframe: bool) -> bool {
        if keyframe || self.unanswered > 0 {
            self.unanswered += 1;
        }
        self.unanswered > MAX_UNANSWERED
    }

    pub(super) fn failed_at_a_keyframe(&mut self, now: Instant) {
        self.failures += 1;
        self.unanswered = 0;
        let Some((codec, at)) = self.made else { return };
        if self.failures >= MAX_FAILURES && now.saturating_duration_since(at) >= REPLACE_AFTER {
            log::warn!("a video decoder makes nothing of keyframes; another one takes its place");
            self.choices.change(codec);
            (self.running, self.failures) = (None, 0);
        }
    }

    /// Whether it has given no picture back since a keyframe.
    pub(super) fn is_waiting(&self) -> bool {
        self.unanswered > 0
    }
}
