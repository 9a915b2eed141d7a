//! What the marks of received pictures say about the way that they came: delay, loss, repetition.

use super::marker::{self, Marker};
use super::micros_since_1970;
use crate::media::frame::VideoFrame;
use std::time::SystemTime;

/// Width of a class of the histogram, in microseconds.
const CLASS_US: u64 = 250;
/// Classes; the last takes all delays of five seconds and more.
const CLASSES: usize = 20_000;
/// A longer gap in the numbers is another camera session, not loss.
const MAX_GAP: u32 = 100_000;

/// Reads the marks of pictures and keeps the account. Memory is bounded however long the call is.
///
/// Delay is right only if both ends run on one clock, e.g. on one machine, or where a peer echoes our own pictures.
#[derive(Debug, Clone)]
pub struct DelayMeter {
    last: Option<Marker>,
    classes: Vec<u32>,
    frames: u64,
    lost: u64,
    duplicates: u64,
}

/// The account so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DelayReport {
    /// Different marked pictures seen.
    pub frames: u64,
    /// Numbers left out between them.
    pub frames_lost: u64,
    /// Pictures that repeated the one before.
    pub duplicates: u64,
    /// Half of the pictures had at most this delay, in milliseconds (to a quarter of one, at most 5,000); `None` before the first.
    pub delay_ms_p50: Option<f64>,
    /// 95% of the pictures had at most this delay.
    pub delay_ms_p95: Option<f64>,
}

impl Default for DelayMeter {
    fn default() -> Self {
        Self::new()
    }
}

impl DelayMeter {
    /// A meter that has seen nothing.
    pub fn new() -> Self {
        Self { last: None, classes: vec![0; CLASSES], frames: 0, lost: 0, duplicates: 0 }
    }

    /// Takes a picture that is shown now; returns its mark if it has one. Pictures without are passed over.
    pub fn frame(&mut self, frame: &VideoFrame) -> Option<Marker> {
        let marker = marker::read(frame)?;
        self.mark(marker, micros_since_1970(SystemTime::now()));
        Some(marker)
    }

    /// Takes a mark that was seen at this time, in microseconds since 1970.
    pub fn mark(&mut self, marker: Marker, now_us: u64) {
        // Numbers start again when a camera is opened anew or the other one is taken: nothing was lost then.
        if let Some(last) = self.last.filter(|last| last.facing == marker.facing) {
            match marker.number.wrapping_sub(last.number) {
                0 if marker.captured_us == last.captured_us => {
                    self.duplicates += 1;
                    return;
                }
                0 => {}
                gap if gap <= MAX_GAP => self.lost += u64::from(gap - 1),
                _ => {}
            }
        }
        self.last = Some(marker);
        self.frames += 1;
        let class = now_us.saturating_sub(marker.captured_us) / CLASS_US;
        let class = usize::try_from(class).map_or(CLASSES - 1, |class| class.min(CLASSES - 1));
        self.classes[class] = self.classes[class].saturating_add(1);
    }

    /// The account so far.
    pub fn report(&self) -> DelayReport {
        DelayReport {
            frames: self.frames,
            frames_lost: self.lost,
            duplicates: self.duplicates,
            delay_ms_p50: self.quantile(0.5),
            delay_ms_p95: self.quantile(0.95),
        }
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.classes.iter().copied().map(u64::from).sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let class = self.classes.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        })?;
        Some((class as u64 * CLASS_US) as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facing::FacingMode;

    fn mark(number: u32, captured_us: u64, facing: FacingMode) -> Marker {
        Marker { number, captured_us, facing }
    }

    #[test]
    fn before_the_first_picture_there_is_no_delay() {
        let report = DelayMeter::new().report();
        assert_eq!((report.delay_ms_p50, report.delay_ms_p95, report.frames), (None, None, 0));
    }

    #[test]
    fn delays_are_ranked() {
        let mut meter = DelayMeter::new();
        for number in 0..100 {
            let delay = if number < 90 { 20_000 } else { 80_000 };
            meter.mark(mark(number, 1_000_000, FacingMode::User), 1_000_000 + delay);
        }
        let report = meter.report();
        assert_eq!((report.delay_ms_p50, report.delay_ms_p95), (Some(20.0), Some(80.0)));
        assert_eq!((report.frames, report.frames_lost, report.duplicates), (100, 0, 0));
    }

    #[test]
    fn gaps_are_loss_and_repeated_pictures_are_counted_once() {
        let mut meter = DelayMeter::new();
        for number in [4, 5, 5, 8, 9] {
            meter.mark(mark(number, u64::from(number), FacingMode::User), 1000);
        }
        let report = meter.report();
        assert_eq!((report.frames, report.frames_lost, report.duplicates), (4, 2, 1));
    }

    #[test]
    fn numbers_that_start_again_are_no_loss() {
        let mut meter = DelayMeter::new();
        meter.mark(mark(500, 1, FacingMode::User), 1000);
        meter.mark(mark(2, 2, FacingMode::Environment), 1000);
        meter.mark(mark(900, 3, FacingMode::User), 1000);
        meter.mark(mark(0, 4, FacingMode::User), 1000);
        meter.mark(mark(0, 5, FacingMode::User), 1000);
        let report = meter.report();
        assert_eq!((report.frames, report.frames_lost, report.duplicates), (5, 0, 0));
    }

    #[test]
    fn clocks_that_disagree_and_endless_delays_stay_in_bounds() {
        let mut meter = DelayMeter::new();
        meter.mark(mark(u32::MAX, 5_000, FacingMode::User), 0);
        assert_eq!(meter.report().delay_ms_p50, Some(0.0));
        meter.mark(mark(0, 0, FacingMode::User), u64::MAX);
        assert_eq!(meter.report().delay_ms_p95, Some(4_999.75));
        assert_eq!(meter.report().frames_lost, 0, "the number wrapped");
    }
}
