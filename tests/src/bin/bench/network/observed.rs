//! What the ends of a call tell of it, in one form for both products.

use serde_json::Value;

/// What the callee told at one time. All counts are since the call was connected.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    /// Seconds since the call was connected.
    pub(crate) at: f64,
    /// Pictures decoded.
    pub(crate) frames: u64,
    /// Width of the last picture, in pixels.
    pub(crate) width: u32,
    /// How long the picture stood still, in seconds; where that is told while the call lasts.
    pub(crate) frozen_s: Option<f64>,
    /// How much of the heard sound was made up, in seconds; where that is told while the call lasts.
    pub(crate) concealed_s: Option<f64>,
    /// What waits in the video's jitter buffer, in ms.
    pub(crate) jitter_buffer_ms: Option<f64>,
    /// By how much pictures were later than the sound that belongs to them, in ms; negative: earlier.
    pub(crate) av_offset_ms: Option<f64>,
}

/// One call, as both of its ends saw it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    /// The callee's samples, about one a second.
    pub(crate) samples: Vec<Sample>,
    /// What the caller's bandwidth estimate was: seconds since the call was connected, kbit/s.
    pub(crate) targets: Vec<(f64, f64)>,
    /// Times at which an end told that video is suspended and sound goes on alone, in seconds.
    pub(crate) sound_alone: Vec<f64>,
    pub(crate) freezes: u64,
    /// How long the picture stood still, in seconds, a freeze that has not ended included.
    pub(crate) frozen_s: f64,
    /// Share of the heard sound that was made up, from 0 to 1.
    pub(crate) concealed: Option<f64>,
    /// The size of the offset between sound and pictures that 95 % of the measurements did not exceed, in ms.
    pub(crate) av_offset_p95_ms: Option<f64>,
    /// How long the call lasted, in seconds; less than asked if it broke.
    pub(crate) lasted_s: f64,
    /// The ends' own last words.
    pub(crate) raw: Value,
}

impl Observed {
    /// A call that broke stands still and is silent for what is left of it.
    pub(crate) fn count_what_is_missing(&mut self, seconds: f64) {
        let missing = (seconds - self.lasted_s).max(0.0);
        // A second more or less is how long hanging up takes, and how often samples come.
        if missing > 1.5 {
            self.frozen_s += missing;
            self.concealed = self.concealed.map(|share| ((share * self.lasted_s + missing) / seconds).min(1.0));
        }
    }

    /// How long no new picture has come at the end, in seconds: samples come once a second, so one without is no freeze yet.
    pub(crate) fn still_at_end(&self) -> f64 {
        let Some(last) = self.samples.last() else { return 0.0 };
        let since = self.samples.iter().rev().take_while(|sample| sample.frames == last.frames).last();
        let still = last.at - since.map_or(last.at, |sample| sample.at);
        if still > 1.5 { still } else { 0.0 }
    }

    /// Stretches of time and which share of each the picture stood still, for a drawing.
    pub(crate) fn frozen_spans(&self) -> Vec<(f64, f64, f64)> {
        let mut spans = Vec::new();
        let mut before = Sample { frozen_s: Some(0.0), ..Sample::default() };
        for sample in &self.samples {
            let length = sample.at - before.at;
            if length > 0.0 {
                let share = match (before.frozen_s, sample.frozen_s) {
                    (Some(before), Some(now)) => (now - before) / length,
                    _ => f64::from(u8::from(sample.frames == before.frames)),
                };
                spans.push((before.at, sample.at, share.clamp(0.0, 1.0)));
            }
            before = sample.clone();
        }
        spans
    }

    /// Stretches of time and which share of the sound of each was made up, for a drawing.
    pub(crate) fn concealed_spans(&self) -> Vec<(f64, f64, f64)> {
        let mut spans = Vec::new();
        let (mut at, mut concealed) = (0.0, 0.0);
        for sample in &self.samples {
            let Some(now) = sample.concealed_s else { continue };
            if sample.at > at {
                spans.push((at, sample.at, ((now - concealed) / (sample.at - at)).clamp(0.0, 1.0)));
            }
            (at, concealed) = (sample.at, now);
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frames: &[u64]) -> Observed {
        let sample = |(n, frames): (usize, &u64)| Sample { at: n as f64 + 1.0, frames: *frames, ..Sample::default() };
        Observed { samples: frames.iter().enumerate().map(sample).collect(), ..Observed::default() }
    }

    #[test]
    fn a_freeze_that_never_ends_is_counted() {
        assert_eq!(seen(&[30, 60, 90]).still_at_end(), 0.0);
        assert_eq!(seen(&[30, 60, 60]).still_at_end(), 0.0, "one sample without a picture may be a slow second");
        assert_eq!(seen(&[30, 60, 60, 60, 60]).still_at_end(), 3.0);
        assert_eq!(seen(&[]).still_at_end(), 0.0);
    }

    #[test]
    fn a_call_that_broke_is_frozen_and_silent_until_its_end() {
        let mut call = Observed { lasted_s: 40.0, frozen_s: 2.0, concealed: Some(0.05), ..Observed::default() };
        call.count_what_is_missing(60.0);
        assert_eq!(call.frozen_s, 22.0);
        assert!((call.concealed.unwrap() - 22.0 / 60.0).abs() < 1e-9);
        let mut whole = Observed { lasted_s: 59.5, ..Observed::default() };
        whole.count_what_is_missing(60.0);
        assert_eq!(whole.frozen_s, 0.0);
    }

    #[test]
    fn frozen_time_is_told_or_read_from_pictures_that_do_not_come() {
        assert_eq!(seen(&[30, 30, 60]).frozen_spans(), [(0.0, 1.0, 0.0), (1.0, 2.0, 1.0), (2.0, 3.0, 0.0)]);
        let mut told = seen(&[30, 45]);
        told.samples[0].frozen_s = Some(0.0);
        told.samples[1].frozen_s = Some(0.5);
        assert_eq!(told.frozen_spans(), [(0.0, 1.0, 0.0), (1.0, 2.0, 0.5)]);
    }
}
