//! Samples of the last seconds, and the level of each measurement that is made of them.

use super::{DirectionQuality, QualityLevel, QualityReason, ReceivedSample, Sample, SentSample};
use crate::media::video::QualityLimitation;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Measurements are taken over this time.
const SPAN: Duration = Duration::from_secs(5);
/// Samples kept; one that comes much more often than once a second replaces the one before.
const MAX_SAMPLES: usize = 8;
/// A level is left for a better one only where the measurement is below this part of its threshold.
pub(super) const RECOVERY: f64 = 0.7;

/// Where a measurement is poor, and where it is bad. All grow as things get worse.
#[derive(Debug, Clone, Copy)]
struct Thresholds {
    poor: f64,
    bad: f64,
}

/// Part of the time that the picture stood still.
const FROZEN: Thresholds = Thresholds { poor: 0.05, bad: 0.30 };
/// Time from one picture to the next, in ms: 12 and 6 per second.
const INTERVAL_MS: Thresholds = Thresholds { poor: 1000.0 / 12.0, bad: 1000.0 / 6.0 };
/// Part of the sound that was made up.
const CONCEALED: Thresholds = Thresholds { poor: 0.02, bad: 0.10 };
/// From mouth to ear on the path and in the buffer, in ms: ITU-T G.114 has 150 as good and 400 as the limit.
const DELAY_MS: Thresholds = Thresholds { poor: 250.0, bad: 400.0 };
/// Round trip for what is sent: what the other side buffers is not known.
const RTT_MS: Thresholds = Thresholds { poor: 400.0, bad: 700.0 };
/// Part of what was sent that the other side reports as lost, before repair.
const SENT_LOSS: Thresholds = Thresholds { poor: 0.05, bad: 0.15 };
/// What the encoder's target lacks of what the camera's pictures need.
const SHORTAGE: Thresholds = Thresholds { poor: 0.50, bad: 0.85 };
/// Part of the time between two pictures that it takes to compress or decompress one.
const LOAD: Thresholds = Thresholds { poor: 0.85, bad: 1.30 };

/// Loss among what is received that explains frozen pictures and made-up sound.
const LOSS_EXPLAINS: f64 = 0.02;
/// Fewer packets than this say nothing of loss.
const MIN_PACKETS: u64 = 20;
/// Video of a camera that is on stayed away for so long, while so many packets of sound came.
const VIDEO_AWAY: Duration = Duration::from_secs(3);
const AUDIO_FLOWS: u64 = 10;

impl Thresholds {
    fn level(self, value: f64, factor: f64) -> QualityLevel {
        if value >= self.bad * factor {
            QualityLevel::Bad
        } else if value >= self.poor * factor {
            QualityLevel::Poor
        } else {
            QualityLevel::Good
        }
    }
}

/// What all measurements together say of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Verdict {
    pub(super) level: QualityLevel,
    pub(super) reason: Option<QualityReason>,
    pub(super) audio_only: bool,
}

impl Verdict {
    const AUDIO_ONLY: Self =
        Self { level: QualityLevel::Bad, reason: Some(QualityReason::Bandwidth), audio_only: true };

    /// The worst counts; among equals the first.
    fn worst(levels: impl IntoIterator<Item = (QualityLevel, QualityReason)>) -> Self {
        let mut worst = Self::default();
        for (level, reason) in levels {
            if level > worst.level {
                (worst.level, worst.reason) = (level, Some(reason));
            }
        }
        worst
    }

    pub(super) fn quality(self) -> DirectionQuality {
        let reason = self.reason.filter(|_| self.level != QualityLevel::Good);
        DirectionQuality { level: self.level, reason, audio_only: self.audio_only }
    }
}

/// The samples of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Window {
    samples: VecDeque<(Instant, Sample)>,
    /// When the last packet of video came, and how many of sound had come by then.
    video_at: Option<(Instant, u64)>,
}

impl Window {
    pub(super) fn newest(&self) -> Option<Instant> {
        self.samples.back().map(|(at, _)| *at)
    }

    pub(super) fn push(&mut self, now: Instant, sample: Sample) {
        let before = self.samples.back().map_or(0, |(_, before)| before.received.video_packets);
        let came = sample.received.video_packets != before;
        if came || self.video_at.is_none() || !sample.received.video {
            self.video_at = Some((now, sample.received.audio_packets));
        }
        if self.samples.len() >= MAX_SAMPLES {
            self.samples.pop_back();
        }
        // One is kept that is as old as the span, for the differences.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= SPAN) {
            self.samples.pop_front();
        }
        self.samples.push_back((now, sample));
    }

    /// `None` before there are two samples.
    pub(super) fn measure(&self) -> Option<Measured> {
        let ((start, first), (end, last)) = (self.samples.front()?, self.samples.back()?);
        let span = end.saturating_duration_since(*start);
        if span.is_zero() {
            return None;
        }
        let video_away = self.video_at.is_some_and(|(at, sound)| {
            end.saturating_duration_since(at) >= VIDEO_AWAY
                && last.received.audio_packets.saturating_sub(sound) >= AUDIO_FLOWS
        });
        Some(Measured { span, first: *first, last: *last, video_away })
    }
}

/// Two samples and the time between them.
#[derive(Debug)]
pub(super) struct Measured {
    span: Duration,
    first: Sample,
    last: Sample,
    video_away: bool,
}

impl Measured {
    /// What this side sends; `factor` multiplies the thresholds.
    pub(super) fn sent(&self, factor: f64) -> Verdict {
        let (first, last): (SentSample, SentSample) = (self.first.sent, self.last.sent);
        if last.video && last.suspended {
            return Verdict::AUDIO_ONLY;
        }
        let loss = part(last.lost.saturating_sub(first.lost), last.packets.saturating_sub(first.packets), MIN_PACKETS);
        let rtt = self.last.rtt.map_or(0.0, |rtt| rtt.as_secs_f64() * 1e3);
        let (mut device, mut bandwidth) = (QualityLevel::Good, QualityLevel::Good);
        if last.video {
            device = LOAD.level(last.encode_ms * last.fps / 1e3, factor);
            let slow = last.limited_by == Some(QualityLimitation::Cpu);
            if slow {
                // It keeps up because it was given less to do.
                device = device.max(INTERVAL_MS.level(interval_ms(last.fps), factor)).max(QualityLevel::Poor);
            } else if last.needed_bps > 0.0 {
                bandwidth = SHORTAGE.level(1.0 - last.target_bps / last.needed_bps, factor);
            }
        }
        Verdict::worst([
            (device, QualityReason::Device),
            (SENT_LOSS.level(loss, factor), QualityReason::Loss),
            (bandwidth, QualityReason::Bandwidth),
            (RTT_MS.level(rtt, factor), QualityReason::Delay),
        ])
    }

    /// What the other side sends; `factor` multiplies the thresholds.
    pub(super) fn received(&self, factor: f64) -> Verdict {
        let (first, last): (ReceivedSample, ReceivedSample) = (self.first.received, self.last.received);
        if last.camera && self.video_away {
            return Verdict::AUDIO_ONLY;
        }
        let lost = last.lost.saturating_sub(first.lost);
        let packets = |sample: ReceivedSample| sample.video_packets.saturating_add(sample.audio_packets);
        let expected = packets(last).saturating_sub(packets(first)).saturating_add(lost);
        let loss = part(lost, expected, MIN_PACKETS);
        let concealed =
            part(last.concealed.saturating_sub(first.concealed), last.samples.saturating_sub(first.samples), 1);
        let mut pictures = QualityLevel::Good;
        let mut device = QualityLevel::Good;
        if last.video {
            let frozen = last.frozen.saturating_sub(first.frozen).as_secs_f64() / self.span.as_secs_f64();
            // What stands on a screen is no picture that is late.
            if last.camera {
                pictures = FROZEN.level(frozen, factor);
            }
            // Both ends of the window, so that a camera that was just switched on is not called slow.
            if let (true, true, Some(_), Some(fps)) = (first.camera, last.camera, first.fps, last.fps) {
                pictures = pictures.max(INTERVAL_MS.level(interval_ms(fps), factor));
            }
            device = LOAD.level(last.decode_ms * last.fps.unwrap_or_default() / 1e3, factor);
        }
        let sound = CONCEALED.level(concealed, factor);
        let lossy = loss >= LOSS_EXPLAINS;
        let one_way = self.last.rtt.map_or(0.0, |rtt| rtt.as_secs_f64() * 500.0);
        let delay = one_way + last.playout_delay.as_secs_f64() * 1e3;
        Verdict::worst([
            (device, QualityReason::Device),
            // Sound that is made up without loss came too late.
            (sound, if lossy { QualityReason::Loss } else { QualityReason::Delay }),
            (pictures, if lossy { QualityReason::Loss } else { QualityReason::Bandwidth }),
            (DELAY_MS.level(delay, factor), QualityReason::Delay),
        ])
    }
}

/// 0 where the whole is too small to say.
fn part(part: u64, whole: u64, least: u64) -> f64 {
    if whole < least.max(1) { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

fn interval_ms(fps: f64) -> f64 {
    1000.0 / fps.max(0.1)
}
