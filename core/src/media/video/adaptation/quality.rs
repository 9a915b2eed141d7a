//! Quantisers tell what a bitrate does not: whether these pictures, hard or easy as they are, are worth their pixels.

use super::backoff::{Backoff, Held};
use std::time::{Duration, Instant};

/// Pictures are looked at over this time, and not fewer than so many.
const WINDOW: Duration = Duration::from_secs(2);
const ENOUGH: u32 = 30;
/// The first time of a stream is looked at longer: estimate and encoder find their levels.
const FIRST_WINDOW: Duration = Duration::from_secs(5);
/// So large a part of pictures left out by the encoder's rate control is as bad as the quantiser.
const TOO_MANY_LEFT_OUT: f64 = 0.6;
/// A coarse quantiser tells of too few bits only where the encoder uses this part of them: after a change of size, or a rise of the
/// bitrate, it takes a while to.
const USED: f64 = 0.8;
/// A rung that was left for its quantiser is tried again at so much more than the bitrate then.
const RETRY_FROM: f64 = 1.5;
const RETRY_AFTER: Duration = Duration::from_secs(4);
const RETRY_AFTER_AT_MOST: Duration = Duration::from_secs(60);
/// The same where there is so much more that what was seen then says nothing of now: the path is another.
const RETRY_SOON_FROM: f64 = 2.25;
const RETRY_SOON_AFTER: Duration = Duration::from_millis(500);
/// From this multiple on all such rungs at once: each size on the way would cost a keyframe.
const RETRY_ALL_FROM: f64 = 4.5;
const RELAPSE: Duration = Duration::from_secs(10);

/// The quantisers of a codec between which pictures stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct QuantizerRange {
    /// A mean below this is worth more pixels.
    pub(in super::super) low: u32,
    /// A mean above this asks for fewer.
    pub(in super::super) high: u32,
}

/// Goes down while pictures are bad and up while they are good.
#[derive(Debug)]
pub(super) struct QualityLimit {
    /// Rungs left, each with the bitrate at which it was too coarse, from the best one down. No rung above the last one's successor.
    left: Vec<(usize, f64)>,
    window: Window,
    first: bool,
    retry: Held,
    retry_soon: Held,
    backoff: Backoff,
    high: bool,
    keyframe_was_too_large: bool,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Instant,
    pictures: u32,
    quantizers: u64,
    told: u32,
    left_out: u32,
    bytes: u64,
    /// The sum of the bitrates that there were, and of how many: one that fell and came back within the time is not the last one's.
    bitrates: u64,
    bitrates_told: u32,
}

impl Window {
    fn new(since: Instant) -> Self {
        Self { since, pictures: 0, quantizers: 0, told: 0, left_out: 0, bytes: 0, bitrates: 0, bitrates_told: 0 }
    }

    fn mean_bitrate(&self) -> f64 {
        self.bitrates as f64 / f64::from(self.bitrates_told.max(1))
    }

    fn mean(&self) -> Option<f64> {
        (self.told > 0).then(|| self.quantizers as f64 / f64::from(self.told))
    }
}

impl QualityLimit {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: Vec::new(),
            window: Window::new(now),
            first: true,
            retry: Held::default(),
            retry_soon: Held::default(),
            backoff: Backoff::new(RETRY_AFTER, RETRY_AFTER_AT_MOST, RELAPSE),
            high: false,
            keyframe_was_too_large: false,
        }
    }

    /// Another ladder, or another size: what was seen says nothing of it.
    pub(super) fn clear_window(&mut self, now: Instant) {
        self.window = Window::new(now);
        self.high = false;
    }

    /// Another ladder: its rungs are others.
    pub(super) fn forget(&mut self, now: Instant) {
        self.left.clear();
        self.clear_window(now);
    }

    /// A picture was compressed to so many bytes, by this quantiser if the codec tells.
    pub(super) fn encoded(&mut self, quantizer: Option<u32>, bytes: usize) {
        self.window.pictures = self.window.pictures.saturating_add(1);
        self.window.bytes = self.window.bytes.saturating_add(bytes as u64);
        if let Some(quantizer) = quantizer {
            self.window.quantizers = self.window.quantizers.saturating_add(u64::from(quantizer));
            self.window.told = self.window.told.saturating_add(1);
        }
    }

    /// The encoder's rate control left a picture out.
    pub(super) fn left_out(&mut self) {
        self.window.pictures = self.window.pictures.saturating_add(1);
        self.window.left_out = self.window.left_out.saturating_add(1);
    }

    /// A keyframe took more than twice its budget: the next one is to have fewer pixels.
    pub(super) fn keyframe_was_too_large(&mut self) {
        self.keyframe_was_too_large = true;
    }

    /// Whether the pictures of the last window were good enough to be worth more pixels.
    pub(super) fn may_rise(&self) -> bool {
        !self.high
    }

    /// The best rung allowed. `used`: the one that pictures are sent at; `last`: the lowest there is.
    pub(super) fn follow(
        &mut self,
        range: QuantizerRange,
        (used, last): (usize, usize),
        bitrate_bps: u32,
        keyframe_due: bool,
        now: Instant,
    ) -> usize {
        if keyframe_due && std::mem::take(&mut self.keyframe_was_too_large) {
            self.fall((used, last), f64::from(bitrate_bps), now);
            return self.rung();
        }
        self.window.bitrates = self.window.bitrates.saturating_add(u64::from(bitrate_bps));
        self.window.bitrates_told = self.window.bitrates_told.saturating_add(1);
        let wait = if self.first { FIRST_WINDOW } else { WINDOW };
        let looked = now.saturating_duration_since(self.window.since) >= wait && self.window.pictures >= ENOUGH;
        if looked {
            let (mean, window) = (self.window.mean(), self.window);
            self.first = false;
            self.clear_window(now);
            let left_out = f64::from(window.left_out) >= TOO_MANY_LEFT_OUT * f64::from(window.pictures);
            let bits = window.bytes as f64 * 8.0;
            let bitrate = window.mean_bitrate();
            let share = bitrate * now.saturating_duration_since(window.since).as_secs_f64();
            let high = mean.is_some_and(|mean| mean > f64::from(range.high));
            self.high = left_out || high && bits >= USED * share;
            if self.high {
                self.fall((used, last), bitrate, now);
            } else if mean.is_some_and(|mean| mean < f64::from(range.low)) {
                self.rise(now);
            }
        }
        let bitrate = f64::from(bitrate_bps);
        let enough = self.left.last().is_some_and(|(_, then)| bitrate >= RETRY_FROM * then);
        let plenty = self.left.last().is_some_and(|(_, then)| bitrate >= RETRY_SOON_FROM * then);
        let waited = self.retry.update(now, enough).is_some_and(|time| time >= self.backoff.wait());
        if self.retry_soon.update(now, plenty).is_some_and(|time| time >= RETRY_SOON_AFTER) {
            self.rise(now);
            while self.left.last().is_some_and(|(_, then)| bitrate >= RETRY_ALL_FROM * then) {
                self.rise(now);
            }
        } else if waited {
            self.rise(now);
        }
        self.rung()
    }

    fn rung(&self) -> usize {
        self.left.last().map_or(0, |(rung, _)| rung + 1)
    }

    fn fall(&mut self, (used, last): (usize, usize), bitrate: f64, now: Instant) {
        if used < last && used >= self.rung() {
            self.left.push((used, bitrate));
            self.backoff.fell(now);
            self.begin_anew(now);
        }
    }

    fn rise(&mut self, now: Instant) {
        if self.left.pop().is_some() {
            self.backoff.rose(now);
            self.begin_anew(now);
        }
    }

    fn begin_anew(&mut self, now: Instant) {
        self.retry.clear();
        self.retry_soon.clear();
        self.clear_window(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: QuantizerRange = QuantizerRange { low: 29, high: 95 };

    struct Run {
        limit: QualityLimit,
        now: Instant,
        bitrate: u32,
        /// Of a picture.
        bytes: usize,
    }

    impl Run {
        fn new() -> Self {
            let now = Instant::now();
            Self { limit: QualityLimit::new(now), now, bitrate: 500_000, bytes: 6_000 }
        }

        /// So many seconds of pictures by this quantiser at the rung that is allowed; the rung then.
        fn seconds(&mut self, seconds: f64, quantizer: Option<u32>) -> usize {
            for _ in 0..(seconds * 30.0).round() as u32 {
                self.now += Duration::from_secs(1) / 30;
                match quantizer {
                    Some(_) => self.limit.encoded(quantizer, self.bytes),
                    None => self.limit.left_out(),
                }
                let rung = self.limit.rung();
                self.limit.follow(RANGE, (rung, 4), self.bitrate, false, self.now);
            }
            self.limit.rung()
        }
    }

    #[test]
    fn a_mean_above_the_range_leaves_the_rung_and_one_in_it_keeps_it() {
        for (quantizer, rung) in [(95, 0), (96, 1)] {
            let mut run = Run::new();
            assert_eq!(run.seconds(4.9, Some(quantizer)), 0, "the first window is longer");
            assert_eq!(run.seconds(0.2, Some(quantizer)), rung);
            assert_eq!(run.seconds(1.9, Some(quantizer)), rung);
            assert_eq!(run.seconds(0.2, Some(quantizer)), 2 * rung);
        }
        assert_eq!(Run::new().seconds(60.0, Some(127)), 4, "the lowest rung is the end");
    }

    #[test]
    fn a_coarse_quantiser_of_an_encoder_that_does_not_use_its_bits_yet_leaves_no_rung() {
        let mut run = Run::new();
        run.bytes = 1_600;
        assert_eq!(run.seconds(20.0, Some(120)), 0, "three quarters of the bitrate");
        run.bytes = 1_750;
        assert_eq!(run.seconds(3.0, Some(120)), 1);
    }

    #[test]
    fn a_mean_below_the_range_leads_back() {
        for (quantizer, rung) in [(29, 1), (28, 0)] {
            let mut run = Run::new();
            run.seconds(5.1, Some(120));
            assert_eq!(run.seconds(4.2, Some(quantizer)), rung);
        }
    }

    #[test]
    fn pictures_left_out_by_the_encoder_count_as_bad_ones() {
        for (kept, rung) in [(3, 0), (1, 1)] {
            let mut run = Run::new();
            for n in 0..160 {
                run.seconds(1.0 / 30.0, (n % 5 < kept).then_some(60));
            }
            assert_eq!(run.limit.rung(), rung, "{kept} of 5 kept");
        }
    }

    #[test]
    fn a_bitrate_half_as_high_again_is_worth_another_try_and_a_relapse_a_longer_wait() {
        let mut run = Run::new();
        run.seconds(5.1, Some(120));
        run.bitrate = 749_999;
        assert_eq!(run.seconds(10.0, Some(60)), 1);
        run.bitrate = 750_000;
        assert_eq!(run.seconds(3.9, Some(60)), 1);
        assert_eq!(run.seconds(0.2, Some(60)), 0);
        assert_eq!(run.seconds(2.1, Some(120)), 1, "no better than before");
        run.bitrate = 1_200_000;
        assert_eq!(run.seconds(7.8, Some(60)), 1);
        assert_eq!(run.seconds(0.4, Some(60)), 0);
    }

    #[test]
    fn a_path_that_became_another_is_believed_soon() {
        for (bitrate, rung) in [(1_124_999, 2), (1_125_000, 1), (2_250_000, 0)] {
            let mut run = Run::new();
            assert_eq!(run.seconds(7.2, Some(120)), 2);
            run.bitrate = bitrate;
            assert_eq!(run.seconds(0.4, Some(60)), 2);
            assert_eq!(run.seconds(0.2, Some(60)), rung, "{bitrate} bit/s, though the wait is four seconds");
        }
    }

    #[test]
    fn a_rung_left_while_the_bitrate_was_down_for_a_moment_is_held_against_that_moment_alone() {
        let mut run = Run::new();
        run.bytes = 1_000;
        run.bitrate = 200_000;
        run.seconds(4.8, Some(120));
        run.bitrate = 400_000;
        assert_eq!(run.seconds(0.3, Some(120)), 1, "for a mean of 206 kbit/s");
        assert_eq!(run.seconds(4.2, Some(60)), 0, "at 400 kbit/s that says little");
    }

    #[test]
    fn after_a_keyframe_that_was_too_large_the_next_one_is_smaller() {
        let mut run = Run::new();
        run.limit.keyframe_was_too_large();
        assert_eq!(run.seconds(1.0, Some(60)), 0, "not before one is due");
        assert_eq!(run.limit.follow(RANGE, (0, 4), 500_000, true, run.now), 1);
        assert_eq!(run.limit.follow(RANGE, (1, 4), 500_000, true, run.now), 1, "once");
    }

    #[test]
    fn a_codec_that_tells_no_quantizer_is_left_alone() {
        let mut run = Run::new();
        for _ in 0..300 {
            run.limit.encoded(None, 6_000);
            run.now += Duration::from_millis(33);
            assert_eq!(run.limit.follow(RANGE, (0, 4), 1, false, run.now), 0);
        }
    }
}
