//! Lip sync: which of sound and picture is played later than it was captured together with the other, and what to delay for that.
//!
//! The sender's RTCP sender reports (RFC 3550 section 6.4.1) tie the RTP clocks of both streams to one NTP clock. With them, what is
//! heard and what is seen now have capture times that can be compared. Without such reports of both there is no sync. Sans-IO: it is
//! told the time; to be updated every 200 to 500 ms.

mod report;

use report::{Mapping, ntp_seconds, seconds};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use report::{Playing, SenderReport};

/// Rates of the RTP clocks, in Hz: Opus (RFC 7587) and all video.
const AUDIO_CLOCK_RATE: u32 = 48_000;
const VIDEO_CLOCK_RATE: u32 = 90_000;
/// Offsets up to this are not noticed, in ms: of pictures that are late, and of pictures that are early. ITU-R BT.1359 puts the
/// thresholds at 45 and 125. A conversation suffers from delay as well: on a short path, where sound is late by its own buffer and
/// no more, pictures wait for nothing. Where one of the two waits for the other, which is no longer late, the first limit holds both ways:
/// that is delay for nothing.
const UNNOTICED_LATE_MS: f64 = 30.0;
const UNNOTICED_EARLY_MS: f64 = 60.0;
/// Pictures that wait for sound wait until they are early by this: well within what is not noticed.
const EARLY_AIM_MS: f64 = 20.0;
/// So many measurements after each other tell the offset, by their median: one that is off changes nothing. Pictures are often late for
/// a second at the start and where a path becomes slow, which is over before sound could follow; sound that is late stays so. Pictures
/// that are as late as this, in ms, are believed sooner.
const EARLY_MEASUREMENTS: usize = 3;
const LATE_MEASUREMENTS: usize = 5;
const VERY_LATE_MEASUREMENTS: usize = 4;
const VERY_LATE_MS: f64 = 80.0;
/// Pictures whose lateness has shrunk to this part of what it was over those measurements catch up by themselves: sound that waited for them
/// would have to be brought back a second later.
const CATCHING_UP: f64 = 0.7;
/// How long a correction takes until it is heard and seen whole.
const SETTLES: Duration = Duration::from_millis(500);
/// Most that is corrected at once, in ms.
const MAX_STEP_MS: f64 = 120.0;
/// How much a measurement weighs against those before it, for those who watch.
const WEIGHT: f64 = 0.25;
/// An offset beyond this is no property of a path but of broken reports, in ms.
const MAX_OFFSET_MS: f64 = 2_000.0;
/// Sound is delayed at most so much for the sake of pictures: it carries the conversation. Where lost packets come a long round trip later, pictures
/// wait for them for 250 to 350 ms, and sound would be heard a quarter of a second before the lips move.
const MAX_AUDIO_MS: f64 = 300.0;
/// Pictures are delayed at most so much for the sake of sound.
const MAX_VIDEO_MS: f64 = 400.0;
/// What was played so long ago is not being played.
const STALE: Duration = Duration::from_secs(2);
/// Classes of offsets, in ms, for quantiles; the last takes all that are larger.
const CLASS_MS: f64 = 5.0;
const CLASSES: usize = 200;

/// What is known of both streams at one time.
#[derive(Debug, Clone, Copy, Default)]
pub struct LipSyncInputs {
    /// The last sender report of the stream of sound.
    pub audio_report: Option<SenderReport>,
    /// The last sender report of the stream of pictures.
    pub video_report: Option<SenderReport>,
    /// What is heard.
    pub audio: Option<Playing>,
    /// What is seen.
    pub video: Option<Playing>,
}

/// Delays to set, on top of what each stream needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Adjust {
    /// Of sound, 0 to 300 ms.
    pub audio: Duration,
    /// Of pictures, 0 to 400 ms.
    pub video: Duration,
}

/// Brings sound and pictures together by delaying whichever is early.
#[derive(Debug)]
pub struct LipSync {
    audio: Mapping,
    video: Mapping,
    /// Offsets measured since the last correction was made, the last ones, in ms.
    recent: VecDeque<f64>,
    corrected_at: Option<Instant>,
    /// Smoothed offset for those who watch, in ms.
    offset: Option<f64>,
    audio_ms: f64,
    video_ms: f64,
    classes: [u32; CLASSES],
    ignored: u64,
}

impl Default for LipSync {
    fn default() -> Self {
        Self::new()
    }
}

impl LipSync {
    /// Nothing measured, nothing delayed.
    pub fn new() -> Self {
        Self {
            audio: Mapping::new(AUDIO_CLOCK_RATE),
            video: Mapping::new(VIDEO_CLOCK_RATE),
            recent: VecDeque::new(),
            corrected_at: None,
            offset: None,
            audio_ms: 0.0,
            video_ms: 0.0,
            classes: [0; CLASSES],
            ignored: 0,
        }
    }

    /// Measures; gives the delays to set where they change.
    pub fn update(&mut self, now: Instant, inputs: &LipSyncInputs) -> Option<Adjust> {
        let LipSyncInputs { audio_report, video_report, audio, video } = *inputs;
        let fresh = |playing: &Playing| now.saturating_duration_since(playing.at) < STALE;
        let (audio, video) = (audio.filter(fresh), video.filter(fresh));
        let (Some(audio), Some(video)) = (audio, video) else {
            self.forget();
            return audio.and_then(|_| self.release_sound());
        };
        let heard = self.audio.captured(now, audio_report, &audio);
        let seen = self.video.captured(now, video_report, &video);
        // By how much later pictures were shown, without the time by which they were captured later.
        let offset = heard.zip(seen).map(|(heard, seen)| seconds(video.at, audio.at) - ntp_seconds(seen, heard));
        let Some(offset) = offset.map(|seconds| seconds * 1e3) else {
            self.forget();
            return None;
        };
        if offset.abs() > MAX_OFFSET_MS {
            self.ignored = self.ignored.saturating_add(1);
            return None;
        }
        self.measured(now, offset);
        let lately = self.median(EARLY_MEASUREMENTS)?;
        let long = self.median(LATE_MEASUREMENTS).map(|late| late.min(lately));
        let very = Some(lately).filter(|_| self.all_very_late());
        let late = very.or(long).filter(|late| *late > UNNOTICED_LATE_MS && !self.catches_up());
        let early = Some(lately + EARLY_AIM_MS).filter(|_| lately < -UNNOTICED_EARLY_MS);
        // Pictures that wait for nothing any more are let go at once.
        let released = Some(lately.min(self.video_ms)).filter(|ms| lately > UNNOTICED_LATE_MS && *ms > 0.0);
        let waits = lately < -UNNOTICED_LATE_MS && self.audio_ms > 0.0;
        let sound_released = Some((lately + EARLY_AIM_MS).max(-self.audio_ms)).filter(|_| waits);
        let error = early.or(late).or(released).or(sound_released)?;
        let adjust = self.correct(error.clamp(-MAX_STEP_MS, MAX_STEP_MS));
        // What was measured before it is no reason for the next one.
        self.recent.clear();
        self.corrected_at = adjust.map(|_| now).or(self.corrected_at);
        adjust
    }

    /// By how much pictures are later than the sound that belongs to them, smoothed, in ms; negative: earlier. `None` while it cannot
    /// be measured.
    pub fn offset_ms(&self) -> Option<f64> {
        self.offset
    }

    /// The size of the offset that 95 % of the measurements do not exceed, in ms, to 5; `None` before the first.
    pub fn offset_p95_ms(&self) -> Option<f64> {
        let all: u64 = self.classes.iter().map(|count| u64::from(*count)).sum();
        let rank = (all * 95).div_ceil(100);
        let mut below = 0;
        let class = self.classes.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        })?;
        (all > 0).then_some((class + 1) as f64 * CLASS_MS)
    }

    /// Sender reports and offsets that could not be true and were left out.
    pub fn ignored(&self) -> u64 {
        self.ignored.saturating_add(self.audio.ignored()).saturating_add(self.video.ignored())
    }

    fn forget(&mut self) {
        self.offset = None;
        self.recent.clear();
    }

    /// The median of the last so many measurements, once there are as many.
    fn median(&self, of: usize) -> Option<f64> {
        let mut last: Vec<f64> = self.recent.iter().rev().take(of).copied().collect();
        last.sort_by(f64::total_cmp);
        last.get(of / 2).copied().filter(|_| last.len() == of)
    }

    fn all_very_late(&self) -> bool {
        let last = self.recent.iter().rev().take(VERY_LATE_MEASUREMENTS).filter(|offset| **offset > VERY_LATE_MS);
        last.count() == VERY_LATE_MEASUREMENTS
    }

    fn catches_up(&self) -> bool {
        let ends = self.recent.front().zip(self.recent.back());
        ends.is_some_and(|(oldest, newest)| *newest < *oldest * CATCHING_UP)
    }

    fn measured(&mut self, now: Instant, offset: f64) {
        if self.corrected_at.is_none_or(|at| now.saturating_duration_since(at) >= SETTLES) {
            if self.recent.len() == LATE_MEASUREMENTS {
                self.recent.pop_front();
            }
            self.recent.push_back(offset);
        }
        self.offset = Some(self.offset.map_or(offset, |before| before + (offset - before) * WEIGHT));
        let class = ((offset.abs() / CLASS_MS) as usize).min(CLASSES - 1);
        if let Some(count) = self.classes.get_mut(class) {
            *count = count.saturating_add(1);
        }
    }

    /// Pictures are late by so much, or early where negative: first takes back what the late one was delayed by, then delays the early one.
    fn correct(&mut self, ms: f64) -> Option<Adjust> {
        let before = self.adjust();
        let (late, early, most) = if ms > 0.0 {
            (&mut self.video_ms, &mut self.audio_ms, MAX_AUDIO_MS)
        } else {
            (&mut self.audio_ms, &mut self.video_ms, MAX_VIDEO_MS)
        };
        let back = late.min(ms.abs());
        *late -= back;
        *early = (*early + ms.abs() - back).min(most);
        Some(self.adjust()).filter(|adjust| *adjust != before)
    }

    /// Sound alone waits for no picture.
    fn release_sound(&mut self) -> Option<Adjust> {
        let before = self.adjust();
        self.audio_ms = (self.audio_ms - MAX_STEP_MS).max(0.0);
        Some(self.adjust()).filter(|adjust| *adjust != before)
    }

    fn adjust(&self) -> Adjust {
        let duration = |ms: f64| Duration::from_millis(ms.round() as u64);
        Adjust { audio: duration(self.audio_ms), video: duration(self.video_ms) }
    }
}

#[cfg(test)]
#[path = "sync_tests.rs"]
mod tests;
