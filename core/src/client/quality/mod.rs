//! How good a call is for those who hold it: `good`, `poor` or `bad` in each direction, with the reason.
//!
//! Sans-IO: fed once a second with what was measured ([`Sample`]), it tells only changes. Three things keep it from flickering:
//! measurements are taken over the last five seconds, a level that was left is entered again only beyond a stricter threshold
//! ([`measures::RECOVERY`]), and a change has to hold: for [`WORSE_AFTER`] to get worse, for [`BETTER_AFTER`] to get better.

mod measures;
mod sample;

pub(super) use sample::{ReceivedSample, Sample, SentSample};

use measures::{Verdict, Window};
use std::fmt;
use std::time::{Duration, Instant};

/// How long a worse level has to hold before it is told.
const WORSE_AFTER: Duration = Duration::from_secs(2);
/// How long a better one has to.
const BETTER_AFTER: Duration = Duration::from_secs(5);
/// How long another reason for the same level has to.
const REASON_AFTER: Duration = Duration::from_secs(5);
/// How long after media starts to flow nothing is judged: the bitrate rises from its start, buffers find their size.
const GRACE: Duration = Duration::from_secs(5);
/// Samples further apart than this are not of one stretch: the connection was lost in between.
const GAP: Duration = Duration::from_secs(4);

/// How good one direction of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum QualityLevel {
    /// Nothing to notice.
    #[default]
    Good,
    /// Noticeably impaired, the conversation goes on.
    Poor,
    /// Hard to hold a conversation with.
    Bad,
}

/// What impairs a direction most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QualityReason {
    /// The path carries too little.
    Bandwidth,
    /// Packets are lost on the path.
    Loss,
    /// The path takes too long or varies too much.
    Delay,
    /// This device does not encode or decode fast enough, or is too hot.
    Device,
}

/// One direction of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirectionQuality {
    /// How good it is.
    pub level: QualityLevel,
    /// Why it is not good; `None` exactly while it is.
    pub reason: Option<QualityReason>,
    /// The camera is on, but the path carries no picture: sound alone goes on. The level is [`QualityLevel::Bad`] then.
    /// For the received direction this is inferred: the other side says that its camera is on, sound arrives, and no packet of
    /// video does.
    pub audio_only: bool,
}

/// Both directions of a call, as seen from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallQuality {
    /// What this side sends.
    pub sent: DirectionQuality,
    /// What the other side sends.
    pub received: DirectionQuality,
}

impl fmt::Display for QualityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Poor => "poor",
            Self::Bad => "bad",
        })
    }
}

impl fmt::Display for QualityReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bandwidth => "bandwidth",
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Device => "device",
        })
    }
}

/// Judges one call. Both directions count as good until told otherwise.
#[derive(Debug, Default)]
pub(super) struct QualityMonitor {
    /// When the present stretch of samples began.
    began: Option<Instant>,
    window: Window,
    sent: Direction,
    received: Direction,
}

impl QualityMonitor {
    /// Takes what was measured; to be called once a second while the call is connected. Gives the quality where it changed.
    pub(super) fn update(&mut self, now: Instant, sample: Sample) -> Option<CallQuality> {
        let before = self.quality();
        if self.window.newest().is_some_and(|newest| now.saturating_duration_since(newest) > GAP) {
            self.restart();
        }
        let began = *self.began.get_or_insert(now);
        self.window.push(now, sample);
        if now.saturating_duration_since(began) < GRACE {
            return None;
        }
        let measured = self.window.measure()?;
        self.sent.update(now, |recovery| measured.sent(recovery));
        self.received.update(now, |recovery| measured.received(recovery));
        Some(self.quality()).filter(|quality| *quality != before)
    }

    fn quality(&self) -> CallQuality {
        CallQuality { sent: self.sent.told, received: self.received.told }
    }

    /// What was told stays until something else is known.
    fn restart(&mut self) {
        (self.began, self.window) = (None, Window::default());
        (self.sent.pending, self.received.pending) = (None, None);
    }
}

/// One direction: what was told, and what is about to be.
#[derive(Debug, Default)]
struct Direction {
    told: DirectionQuality,
    pending: Option<(Pending, Instant)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Worse,
    Better,
    Reason(QualityReason),
}

impl Direction {
    /// `verdict` says how it is, with thresholds multiplied by its argument.
    fn update(&mut self, now: Instant, verdict: impl Fn(f64) -> Verdict) {
        let (plain, strict) = (verdict(1.0), verdict(measures::RECOVERY));
        // A state, not an estimate: the sender has its own hysteresis, and so has the detection at the receiver.
        if plain.audio_only || self.told.audio_only {
            (self.told, self.pending) = (plain.quality(), None);
            return;
        }
        let told = self.told;
        let (next, verdict, after) = if plain.level > told.level {
            (Pending::Worse, plain, WORSE_AFTER)
        } else if strict.level < told.level {
            (Pending::Better, strict, BETTER_AFTER)
        } else {
            match strict.reason {
                Some(reason) if told.reason.is_some_and(|told| told != reason) => {
                    (Pending::Reason(reason), Verdict { level: told.level, ..strict }, REASON_AFTER)
                }
                _ => return self.pending = None,
            }
        };
        let since = match self.pending {
            Some((pending, since)) if pending == next => since,
            _ => now,
        };
        if now.saturating_duration_since(since) >= after {
            (self.told, self.pending) = (verdict.quality(), None);
        } else {
            self.pending = Some((next, since));
        }
    }
}

#[cfg(test)]
mod tests;
