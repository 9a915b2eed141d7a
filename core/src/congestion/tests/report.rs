//! What is noted of one sender's way: by the second for those who read a failing plan, and in full for the marks.

use std::time::Duration;

use super::encoder::{Encoder, Picture};
use super::link::{MILLI, Path, SECOND};
use super::playout::Shown;
use super::rate_control::Seen;
use crate::congestion::{Class, Plan};

const SAMPLE_EVERY: u64 = 100 * MILLI;

/// One second. Bytes are on the wire; times in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Second {
    pub(super) target: u64,
    pub(super) video: u64,
    pub(super) samples: u64,
    pub(super) seen: Seen,
    pub(super) sent: u64,
    pub(super) repeated: u64,
    pub(super) padding: u64,
    pub(super) delivered: u64,
    pub(super) queue_sum: u64,
    pub(super) queue_count: u64,
    pub(super) queue_most: u64,
    pub(super) queue_drops: u64,
    pub(super) lost: u64,
    pub(super) backlog_most: u64,
    pub(super) skipped: u32,
    pub(super) frames: u64,
    pub(super) frozen: u64,
    pub(super) played: u64,
    pub(super) concealed: u64,
    pub(super) sound_delay: u64,
    pub(super) keyframes: u64,
    pub(super) probes: u64,
    pub(super) suspended: bool,
}

pub(super) struct Report {
    pub(super) seconds: Vec<Second>,
    /// When each of our packets met the queue, and how long it waited.
    pub(super) queue: Vec<(u64, u32)>,
    /// Time and target, ten times a second.
    pub(super) targets: Vec<(u64, u32)>,
    /// Pictures shown: when, and how long after their capture.
    pub(super) shown: Vec<(u64, u32)>,
    pub(super) encoded: Vec<(u64, Picture)>,
    /// Each sound packet's time of coming and bytes, each new video packet's.
    pub(super) arrived: Vec<(u64, u32)>,
    pub(super) freezes: u32,
    pub(super) gave_up: u32,
    pub(super) sound_packets: u64,
    pub(super) picture_losses: u64,
    pub(super) video_repeats: u64,
    pub(super) needless_repeats: u64,
    pub(super) cross_bytes: u64,
    /// Whether forward error correction was sent.
    pub(super) protected: bool,
    /// What no controller may do: told, to be asserted on.
    pub(super) violations: Vec<String>,
    pub(super) path: Option<Path>,
    got: Vec<bool>,
    playout_delay: u64,
    last_sample: Option<u64>,
    skipped_before: u32,
}

impl Report {
    pub(super) fn new(seconds: u64) -> Self {
        Self {
            seconds: vec![Second::default(); seconds as usize + 1],
            queue: Vec::new(),
            targets: Vec::new(),
            shown: Vec::new(),
            encoded: Vec::new(),
            arrived: Vec::new(),
            freezes: 0,
            gave_up: 0,
            sound_packets: 0,
            picture_losses: 0,
            video_repeats: 0,
            needless_repeats: 0,
            cross_bytes: 0,
            protected: false,
            violations: Vec::new(),
            path: None,
            got: Vec::new(),
            playout_delay: 0,
            last_sample: None,
            skipped_before: 0,
        }
    }

    fn at(&mut self, now: u64) -> &mut Second {
        let last = self.seconds.len() - 1;
        &mut self.seconds[((now / SECOND) as usize).min(last)]
    }

    pub(super) fn sent(&mut self, now: u64, class: Class, bytes: u32) {
        let second = self.at(now);
        second.sent += u64::from(bytes);
        match class {
            Class::VideoRtx => second.repeated += u64::from(bytes),
            Class::Padding => second.padding += u64::from(bytes),
            Class::Fec => self.protected = true,
            Class::Audio | Class::Video => {}
        }
        self.video_repeats += u64::from(class == Class::VideoRtx);
    }

    pub(super) fn queued(&mut self, now: u64, waited: u64) {
        let second = self.at(now);
        second.queue_sum += waited;
        second.queue_count += 1;
        second.queue_most = second.queue_most.max(waited);
        self.queue.push((now, waited as u32));
    }

    pub(super) fn dropped(&mut self, now: u64, queue_full: bool) {
        let second = self.at(now);
        if queue_full { second.queue_drops += 1 } else { second.lost += 1 }
    }

    /// Media came; of video what came before is not counted again.
    pub(super) fn delivered(&mut self, now: u64, bytes: u32, sequence: Option<u64>) {
        if let Some(sequence) = sequence {
            let index = sequence as usize;
            if self.got.len() <= index {
                self.got.resize(index + 1000, false);
            }
            if std::mem::replace(&mut self.got[index], true) {
                self.needless_repeats += 1;
                return;
            }
        }
        self.at(now).delivered += u64::from(bytes);
        self.arrived.push((now, bytes));
    }

    pub(super) fn sound_sent(&mut self) {
        self.sound_packets += 1;
    }

    pub(super) fn count_picture_loss(&mut self) {
        self.picture_losses += 1;
    }

    pub(super) fn encoded(&mut self, now: u64, picture: &Picture) {
        self.at(now).keyframes += u64::from(picture.key);
        self.encoded.push((now, *picture));
    }

    pub(super) fn probed(&mut self, now: u64) {
        self.at(now).probes += 1;
    }

    pub(super) fn shown(&mut self, captured: u64, shown: Shown) {
        self.at(shown.at).frames += 1;
        self.shown.push((shown.at, (shown.at - captured) as u32));
        if let Some((from, to)) = shown.froze {
            self.froze(from, to);
        }
    }

    pub(super) fn froze(&mut self, from: u64, to: u64) {
        let mut now = from;
        while now < to {
            let next = ((now / SECOND + 1) * SECOND).min(to);
            self.at(now).frozen += next - now;
            now = next;
        }
    }

    pub(super) fn heard(&mut self, now: u64, played: u64, concealed: u64, delay: u64) {
        let second = self.at(now);
        second.played += played;
        second.concealed += concealed;
        second.sound_delay = second.sound_delay.max(delay);
    }

    /// What holds at each moment, whatever the path does.
    pub(super) fn check(&mut self, now: u64, plan: &Plan, (min, max): (u32, u32), wake: Option<u64>) {
        if self.violations.len() > 5 {
            return;
        }
        if !(min..=max).contains(&plan.target_bps) {
            self.violations.push(format!("{now} µs: the target of {} is not from {min} to {max}", plan.target_bps));
        }
        if wake.is_some_and(|wake| wake <= now) {
            self.violations.push(format!("{now} µs: next wake at {wake:?} lies in the past"));
        }
        let audio = plan.audio;
        let sound = audio.bitrate_bps >= 6_000 && (20..=60).contains(&audio.frame.as_millis());
        if !sound || audio.redundancy > 2 || audio.loss_percent > 100 {
            self.violations.push(format!("{now} µs: sound is starved: {audio:?}"));
        }
        if plan.pace_bps < 24_000 {
            self.violations.push(format!("{now} µs: the pace is {} bit/s", plan.pace_bps));
        }
    }

    pub(super) fn violations(&mut self, wrong: Option<String>) {
        if self.violations.len() <= 5 {
            self.violations.extend(wrong);
        }
    }

    pub(super) fn sample(
        &mut self,
        now: u64,
        plan: &Plan,
        backlog: Duration,
        seen: impl FnOnce() -> Seen,
        encoder: &Encoder,
    ) {
        let skipped = encoder.skipped - self.skipped_before;
        self.skipped_before = encoder.skipped;
        let second = self.at(now);
        second.backlog_most = second.backlog_most.max(backlog.as_micros() as u64);
        second.skipped += skipped;
        if self.last_sample.is_some_and(|last| now < last + SAMPLE_EVERY) {
            return;
        }
        self.last_sample = Some(now / SAMPLE_EVERY * SAMPLE_EVERY);
        let second = self.at(now);
        second.target += u64::from(plan.target_bps);
        second.video += u64::from(plan.video.bitrate_bps);
        second.samples += 1;
        second.suspended = plan.video.suspended;
        second.seen = seen();
        self.targets.push((now, plan.target_bps));
    }

    pub(super) fn finish(&mut self, freezes: u32, gave_up: u32, playout_delay: u64) {
        (self.freezes, self.gave_up, self.playout_delay) = (freezes, gave_up, playout_delay);
    }

    /// The series by the second, to be read by people.
    pub(super) fn series(&self) -> String {
        let mut out = String::from(
            "  s   cap target  video  acked   sent deliv   rtx   pad | queue mean  most drop lost  q^ loss% | backlog skip key prb | fps frozen concealed sound-delay\n",
        );
        for (at, s) in self.seconds.iter().enumerate() {
            let from = at as u64 * SECOND;
            let capacity = self.path.as_ref().map_or(0.0, |path| path.carries(from, from + SECOND));
            let n = s.samples.max(1);
            out += &format!(
                "{at:3} {:5} {:6} {:6}{}{:6} {:6} {:5} {:5} {:5} | {:10.1} {:5} {:4} {:4} {:3} {:5.1} | {:7} {:4} {:3} {:3} | {:3} {:6} {:9} {:5}\n",
                capacity as u64 / 1000,
                s.target / n / 1000,
                s.video / n / 1000,
                if s.suspended { '!' } else { ' ' },
                s.seen.acked_bps as u64 / 1000,
                s.sent * 8 / 1000,
                s.delivered * 8 / 1000,
                s.repeated * 8 / 1000,
                s.padding * 8 / 1000,
                s.queue_sum as f64 / s.queue_count.max(1) as f64 / 1000.0,
                s.queue_most / 1000,
                s.queue_drops,
                s.lost,
                s.seen.queue_us / 1000,
                s.seen.loss * 100.0,
                s.backlog_most / 1000,
                s.skipped,
                s.keyframes,
                s.probes,
                s.frames,
                s.frozen / 1000,
                format!("{}/{}", s.concealed, s.played + s.concealed),
                s.sound_delay / 1000,
            );
        }
        out += &format!(
            "freezes {}, given up {}, PLI {}, RTX {} ({} needless), playout delay {} ms\n",
            self.freezes,
            self.gave_up,
            self.picture_losses,
            self.video_repeats,
            self.needless_repeats,
            self.playout_delay / 1000
        );
        out
    }
}
