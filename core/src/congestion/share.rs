//! How the target is shared: sound first, then repair, the rest is video's.

use super::{AudioPlan, Demand, VideoPlan};
use std::time::Duration;

/// RTP header, the extension with the transport-wide number, SRTP's tag, UDP and IPv4, in bytes.
const HEADERS: u32 = 66;
/// Steps of sound: from which target on, Opus' bits per second, ms in a packet, and whether silence goes unsent.
const STEPS: [(f64, u32, u64, bool); 5] = [
    (200_000.0, 32_000, 20, false),
    (100_000.0, 24_000, 20, false),
    (60_000.0, 20_000, 40, false),
    (35_000.0, 16_000, 60, false),
    (0.0, 12_000, 60, true),
];
/// A better step needs this multiple of its edge for so long, in microseconds.
const STEP_MARGIN: f64 = 1.2;
const STEP_AFTER: i64 = 5_000_000;
/// Sound is repeated from this loss on once, from that on twice, not below that; and from this target on.
const ONCE: f64 = 0.05;
const TWICE: f64 = 0.15;
const NOT_BELOW: f64 = 0.03;
const REDUNDANCY_TARGET: f64 = 150_000.0;
/// From this target on sound is cheap: it is repeated from this part of those losses on.
const AMPLE_TARGET: f64 = 500_000.0;
const AMPLE: f64 = 0.6;
/// Video goes on down to this target, and comes back at that one after so long. Bits per second, microseconds.
const VIDEO_STAYS: f64 = 105_000.0;
const VIDEO_RETURNS: f64 = 130_000.0;
const SUSPEND_AFTER: i64 = 3_000_000;
const RETURN_AFTER: i64 = 2_000_000;
/// Video is told at least this much while it runs.
const VIDEO_LEAST: f64 = 40_000.0;
/// Of the target to pace at.
const PACE: f64 = 1.2;
pub(super) const LEAST_PACE: f64 = 30_000.0;
/// A keyframe is worth so many seconds of video; the longer one below that rate.
const KEYFRAME: f64 = 0.15;
const KEYFRAME_SLOW: f64 = 0.25;
const SLOW: f64 = 300_000.0;
/// Repair takes at most this part of video.
const MOST_REPAIR: f64 = 0.45;

/// Sound's step and whether video runs; both change with hysteresis.
#[derive(Debug)]
pub(super) struct Share {
    step: usize,
    better_since: Option<i64>,
    redundancy: u8,
    suspended: bool,
    since: Option<i64>,
}

/// What the share is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs {
    /// Bits per second on the wire.
    pub(super) target: f64,
    pub(super) demand: Demand,
    /// Loss of sound before repair, 0 to 1.
    pub(super) loss: f64,
    /// Part of video's bytes that repair takes.
    pub(super) repair: f64,
    /// Wire bytes per byte of compressed video, at least 1.
    pub(super) overhead: f64,
    /// What the encoder makes of what it is told, 1.0 to 1.3.
    pub(super) overshoot: f64,
    /// Less than one while a queue is to be emptied.
    pub(super) damping: f64,
    /// The path answers nothing: sound alone goes on.
    pub(super) silent: bool,
}

/// Rates in bits per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    pub(super) audio: AudioPlan,
    pub(super) audio_wire: f64,
    pub(super) video: VideoPlan,
}

impl Share {
    pub(super) fn new() -> Self {
        Self { step: 0, better_since: None, redundancy: 0, suspended: false, since: None }
    }

    pub(super) fn update(&mut self, now: i64, inputs: &Inputs) -> Shares {
        self.suspend(now, inputs);
        self.choose_step(now, inputs);
        self.choose_redundancy(inputs);
        let (_, bitrate, frame, dtx) = STEPS[self.step];
        let loss_percent = (inputs.loss * 100.0).ceil().clamp(1.0, 25.0) as u8;
        let audio = AudioPlan {
            bitrate_bps: bitrate.min(inputs.demand.audio_bps.max(6_000)),
            frame: Duration::from_millis(frame),
            redundancy: self.redundancy,
            loss_percent,
            dtx: dtx && inputs.loss < 0.10,
        };
        let audio_wire = if inputs.demand.audio_bps == 0 { 0.0 } else { f64::from(audio.wire_bps(HEADERS)) };
        let wire = (inputs.target - audio_wire).max(0.0) * (1.0 - inputs.repair.clamp(0.0, MOST_REPAIR));
        let payload = wire / inputs.overhead.clamp(1.0, 2.0) / inputs.overshoot.clamp(1.0, 1.3);
        let bps = (payload * inputs.damping).max(VIDEO_LEAST).min(f64::from(inputs.demand.video_bps));
        let seconds = if bps < SLOW { KEYFRAME_SLOW } else { KEYFRAME };
        let video = VideoPlan {
            bitrate_bps: bps as u32,
            keyframe_bytes: (payload.max(VIDEO_LEAST) * seconds / 8.0) as u32,
            suspended: self.suspended || inputs.silent,
        };
        Shares { audio, audio_wire, video }
    }

    /// The pace of everything but sound, at a target.
    pub(super) fn pace(target: f64, audio_wire: f64) -> f64 {
        (PACE * target.max(60_000.0) - audio_wire).max(LEAST_PACE)
    }

    fn suspend(&mut self, now: i64, inputs: &Inputs) {
        let (wrong, after) = if self.suspended {
            (inputs.target >= VIDEO_RETURNS, RETURN_AFTER)
        } else {
            (inputs.target < VIDEO_STAYS, SUSPEND_AFTER)
        };
        if !wrong {
            self.since = None;
        } else if now - *self.since.get_or_insert(now) >= after {
            self.suspended = !self.suspended;
            self.since = None;
        }
    }

    fn choose_step(&mut self, now: i64, inputs: &Inputs) {
        let target = inputs.target;
        let fits = |step: usize| {
            if self.suspended {
                let (_, bitrate, frame, dtx) = STEPS[step];
                let plan = AudioPlan {
                    bitrate_bps: bitrate,
                    frame: Duration::from_millis(frame),
                    redundancy: 0,
                    loss_percent: 0,
                    dtx,
                };
                1.25 * f64::from(plan.wire_bps(HEADERS))
            } else {
                STEPS[step].0
            }
        };
        let last = STEPS.len() - 1;
        while self.step < last && target < fits(self.step) {
            self.step += 1;
            self.better_since = None;
        }
        if self.step == 0 || target < STEP_MARGIN * fits(self.step - 1) {
            self.better_since = None;
        } else if now - *self.better_since.get_or_insert(now) >= STEP_AFTER {
            self.step -= 1;
            self.better_since = None;
        }
    }

    fn choose_redundancy(&mut self, inputs: &Inputs) {
        let possible = inputs.demand.redundancy
            && !inputs.silent
            && inputs.target >= REDUNDANCY_TARGET
            && STEPS[self.step].2 == 20;
        let loss = if inputs.target >= AMPLE_TARGET { inputs.loss / AMPLE } else { inputs.loss };
        let wanted = match loss {
            _ if !possible => 0,
            loss if loss >= TWICE => 2,
            loss if loss >= ONCE => self.redundancy.clamp(1, if loss < 0.8 * TWICE { 1 } else { 2 }),
            loss if loss >= NOT_BELOW => self.redundancy.min(1),
            _ => 0,
        };
        self.redundancy = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: Demand = Demand { video_bps: 2_500_000, audio_bps: 32_000, redundancy: true };

    fn inputs(target: f64, loss: f64) -> Inputs {
        Inputs {
            target,
            demand: DEMAND,
            loss,
            repair: 0.0,
            overhead: 1.06,
            overshoot: 1.0,
            damping: 1.0,
            silent: false,
        }
    }

    #[test]
    fn sound_steps_down_at_once_and_up_after_a_while() {
        let mut share = Share::new();
        assert_eq!(share.update(0, &inputs(1e6, 0.0)).audio.bitrate_bps, 32_000);
        assert_eq!(share.update(1, &inputs(199_999.0, 0.0)).audio.bitrate_bps, 24_000);
        assert_eq!(share.update(2, &inputs(59_000.0, 0.0)).audio.frame, Duration::from_millis(60));
        share.update(10, &inputs(1e6, 0.0));
        assert_eq!(share.update(4_999_000, &inputs(1e6, 0.0)).audio.bitrate_bps, 16_000);
        assert_eq!(share.update(5_000_010, &inputs(1e6, 0.0)).audio.bitrate_bps, 20_000);
    }

    #[test]
    fn video_stops_when_the_path_is_too_narrow_for_long_and_comes_back_when_it_is_wide_for_long() {
        let mut share = Share::new();
        assert!(!share.update(0, &inputs(80_000.0, 0.0)).video.suspended);
        assert!(!share.update(2_999_999, &inputs(80_000.0, 0.0)).video.suspended);
        assert!(share.update(3_000_000, &inputs(80_000.0, 0.0)).video.suspended);
        assert!(share.update(60_000_000, &inputs(129_000.0, 0.0)).video.suspended, "hysteresis");
        share.update(70_000_000, &inputs(130_000.0, 0.0));
        assert!(!share.update(72_000_000, &inputs(130_000.0, 0.0)).video.suspended);
    }

    #[test]
    fn sound_is_repeated_by_what_is_lost_of_it_with_hysteresis() {
        let mut share = Share::new();
        let mut at = |loss| share.update(0, &inputs(4e5, loss)).audio.redundancy;
        assert_eq!([at(0.04), at(0.05), at(0.04), at(0.02), at(0.16), at(0.13), at(0.11)], [0, 1, 1, 0, 2, 2, 1]);
        let mut share = Share::new();
        let mut at = |loss| share.update(0, &inputs(1e6, loss)).audio.redundancy;
        assert_eq!([at(0.02), at(0.03), at(0.02), at(0.01), at(0.09)], [0, 1, 1, 0, 2]);
    }

    #[test]
    fn everything_together_fits_the_target() {
        for target in [110_000.0, 250_000.0, 1e6, 3e6] {
            let mut share = Share::new();
            let shares = share.update(0, &inputs(target, 0.0));
            let all = shares.audio_wire + f64::from(shares.video.bitrate_bps) * 1.06;
            assert!(all <= target + 1.0, "{target}: {all}");
            assert!(shares.video.bitrate_bps == 2_500_000 || all > 0.95 * target, "{target}: {all}");
        }
    }
}
