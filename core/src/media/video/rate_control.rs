//! Rate control for an encoder that takes one quantiser for each picture: which quantiser keeps the bitrate, which pictures are left
//! out, and when a keyframe has to be made again because it is larger than it may be.
//!
//! Sans-IO: it is told sizes and the time. A picture's size is taken to halve where the quantiser's step size doubles. What a picture needs
//! is measured as the size that it would have at a step size of one.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The step size falls by at most this part of a halving from one picture to the next: what a finer quantiser costs shows only once it is
/// used. It rises at once.
const FINER_BY: f64 = 1.0 / 3.0;
/// How far the latest picture moves what pictures are taken to need, where it needed more, and where it needed less.
const MORE: f64 = 0.6;
const LESS: f64 = 0.4;
/// What is ahead of the bitrate is paid back within this time,
const PAY_BACK: Duration = Duration::from_millis(500);
/// by pictures of at least, and what is left over is used by pictures of at most, so much of their share of the bitrate.
const SHARE: (f64, f64) = (0.3, 1.4);
/// Pictures are left out while more than what leaves in this time is ahead.
const TOO_FAR_AHEAD: Duration = Duration::from_millis(350);
/// Pictures that are smaller than their share leave at most so many shares to later ones,
const CREDIT: f64 = 4.0;
/// and the time between two of them gives no more than this: a pause is no credit.
const LONGEST_INTERVAL: Duration = Duration::from_millis(200);
/// What a keyframe may have if nothing is told, in pictures' shares of the bitrate.
const KEYFRAME_SHARES: f64 = 4.0;
/// A keyframe of more than so many times its budget is made again.
const KEYFRAME_TOLERANCE: f64 = 1.1;
/// Before the first other picture: what it needs, beside a keyframe, as a binary logarithm.
const FIRST_DIFFERENCE: f64 = -2.5;
/// A picture of more than so many shares that is also larger than a keyframe may be is one of another scene, and better made as a keyframe.
const SCENE_CUT: f64 = 4.0;
/// Keyframes for new scenes are at least so far apart.
const SCENES: Duration = Duration::from_secs(1);

/// A codec's quantisers.
#[derive(Debug, Clone)]
pub(super) struct Quantizers {
    /// Those that may be used, the finest first.
    pub(super) range: RangeInclusive<i32>,
    /// The binary logarithm of a quantiser's step size, in any unit; rises with the quantiser.
    pub(super) step: fn(i32) -> f64,
}

/// Which quantiser comes next.
#[derive(Debug)]
pub(super) struct RateControl {
    quantizers: Quantizers,
    bitrate_bps: u32,
    fps: f64,
    keyframe_budget: Option<u32>,
    /// Bytes that keyframes and other pictures need at a step size of one, as binary logarithms.
    keyframe_needs: Option<f64>,
    difference_needs: Option<f64>,
    last_quantizer: Option<i32>,
    /// Bytes that were made and have not left by the bitrate; negative by what smaller pictures left over.
    ahead: f64,
    last_picture: Option<Instant>,
    last_keyframe: Option<Instant>,
}

impl RateControl {
    /// By these quantisers; bits per second; pictures per second.
    pub(super) fn new(quantizers: Quantizers, bitrate_bps: u32, fps: f64) -> Self {
        Self {
            quantizers,
            bitrate_bps,
            fps,
            keyframe_budget: None,
            keyframe_needs: None,
            difference_needs: None,
            last_quantizer: None,
            ahead: 0.0,
            last_picture: None,
            last_keyframe: None,
        }
    }

    /// In bits per second. What is ahead was on its way at the bitrate until now, and takes no longer at a lower one: the pacer knows what
    /// really waits.
    pub(super) fn set_bitrate(&mut self, bps: u32) {
        if bps < self.bitrate_bps {
            self.ahead *= f64::from(bps) / f64::from(self.bitrate_bps);
        }
        self.bitrate_bps = bps;
    }

    /// Pictures per second to expect.
    pub(super) fn set_fps(&mut self, fps: f64) {
        self.fps = fps;
    }

    /// In bytes.
    pub(super) fn set_keyframe_budget(&mut self, bytes: u32) {
        self.keyframe_budget = Some(bytes.max(1));
    }

    /// Pictures are of another size from now on: nothing is known of what they need.
    pub(super) fn forget_pictures(&mut self) {
        (self.keyframe_needs, self.difference_needs, self.last_quantizer) = (None, None, None);
    }

    /// The quantiser of the last picture.
    pub(super) fn last_quantizer(&self) -> Option<i32> {
        self.last_quantizer
    }

    /// A picture was captured at this time. Whether it is to be left out, if it need not be a keyframe.
    pub(super) fn begin(&mut self, captured_at: Instant) -> bool {
        let since = self
            .last_picture
            .replace(captured_at)
            .map_or(Duration::ZERO, |last| captured_at.saturating_duration_since(last));
        let left = self.bytes_in(since.min(LONGEST_INTERVAL));
        self.ahead = (self.ahead - left).max(-(1.0 + CREDIT) * self.share());
        self.ahead > self.bytes_in(TOO_FAR_AHEAD)
    }

    /// For the next keyframe; `first` if nothing is known of what keyframes need.
    pub(super) fn for_keyframe(&self, first: i32) -> i32 {
        self.keyframe_needs.map_or(first, |needs| self.fitting(needs, self.keyframe_bytes()))
    }

    /// For the next picture that is no keyframe.
    pub(super) fn for_difference(&self) -> i32 {
        let needs = self.difference_needs.or(self.keyframe_needs.map(|needs| needs + FIRST_DIFFERENCE));
        let Some(needs) = needs else { return self.possible(self.last_quantizer.unwrap_or(i32::MAX)) };
        // As it would be after a picture that had its share.
        let debt = self.ahead + self.share();
        let pictures = (self.fps * PAY_BACK.as_secs_f64()).max(1.0);
        let bytes = (self.share() - debt / pictures).clamp(SHARE.0 * self.share(), SHARE.1 * self.share());
        let fitting = self.fitting(needs, bytes);
        self.last_quantizer.map_or(fitting, |last| fitting.max(self.with_step((self.quantizers.step)(last) - FINER_BY)))
    }

    /// A keyframe took so many bytes: the quantiser by which to make it again, if it is too large and one is left that helps.
    pub(super) fn keyframe_again(&mut self, quantizer: i32, bytes: usize) -> Option<i32> {
        self.keyframe_needs = Some(self.needs(quantizer, bytes));
        let too_large = bytes as f64 > KEYFRAME_TOLERANCE * self.keyframe_bytes();
        let next = self.possible(self.for_keyframe(quantizer).max(quantizer + 1));
        (too_large && next > quantizer).then_some(next)
    }

    /// Whether this picture, no keyframe, is so large that it shows another scene, and should be a keyframe instead.
    pub(super) fn is_scene_cut(&self, bytes: usize, captured_at: Instant) -> bool {
        let recent = self.last_keyframe.is_some_and(|last| captured_at.saturating_duration_since(last) < SCENES);
        !recent && bytes as f64 > (SCENE_CUT * self.share()).max(self.keyframe_bytes())
    }

    /// This picture, no keyframe, took so many bytes, and is to be made again as the keyframe of a new scene: that will need as much.
    pub(super) fn scene_cut(&mut self, quantizer: i32, bytes: usize) {
        self.keyframe_needs = Some(self.needs(quantizer, bytes));
    }

    /// A picture is going out.
    pub(super) fn encoded(&mut self, keyframe: bool, quantizer: i32, bytes: usize, captured_at: Instant) {
        self.ahead += bytes as f64;
        self.last_quantizer = Some(quantizer);
        let needs = self.needs(quantizer, bytes);
        if keyframe {
            (self.keyframe_needs, self.last_keyframe) = (Some(needs), Some(captured_at));
        } else {
            let before = self.difference_needs.unwrap_or(needs);
            let gain = if needs > before { MORE } else { LESS };
            self.difference_needs = Some(before + gain * (needs - before));
        }
    }

    /// One picture's part of the bitrate, in bytes.
    fn share(&self) -> f64 {
        (f64::from(self.bitrate_bps) / 8.0 / self.fps.max(1.0)).max(1.0)
    }

    fn bytes_in(&self, time: Duration) -> f64 {
        f64::from(self.bitrate_bps) / 8.0 * time.as_secs_f64()
    }

    fn keyframe_bytes(&self) -> f64 {
        self.keyframe_budget.map_or(KEYFRAME_SHARES * self.share(), f64::from)
    }

    /// The finest quantiser by which a picture that needs so much has no more than so many bytes.
    fn fitting(&self, needs: f64, bytes: f64) -> i32 {
        self.with_step(needs - bytes.max(1.0).log2())
    }

    /// The finest quantiser of at least this step size, the coarsest one if there is none.
    fn with_step(&self, step: f64) -> i32 {
        let Quantizers { range, step: of } = &self.quantizers;
        range.clone().find(|quantizer| of(*quantizer) >= step).unwrap_or(*range.end())
    }

    fn possible(&self, quantizer: i32) -> i32 {
        quantizer.clamp(*self.quantizers.range.start(), *self.quantizers.range.end())
    }

    /// The size at a step size of one of a picture that has so many bytes at this quantiser, as a binary logarithm.
    fn needs(&self, quantizer: i32, bytes: usize) -> f64 {
        (bytes.max(1) as f64).log2() + (self.quantizers.step)(quantizer)
    }
}

#[cfg(test)]
#[path = "rate_control_tests.rs"]
mod tests;
