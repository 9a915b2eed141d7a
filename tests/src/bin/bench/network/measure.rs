//! From a path's log and what the ends told to the measures of a scenario.

use super::observed::Observed;
use super::scenario::{Measure, Scenario, Span};
use super::shaper::{BUCKET, Bucket};
use std::time::Duration;

/// One call on one path.
pub(crate) struct Run {
    /// How long the call was to last, in seconds.
    pub(crate) seconds: f64,
    /// The path from the caller to the callee, per 100 ms.
    pub(crate) log: Vec<Bucket>,
    pub(crate) observed: Observed,
}

impl Run {
    /// The value of a measure; `None` where this call has none.
    pub(crate) fn measure(&self, scenario: &Scenario, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Frozen => Some(self.observed.frozen_s),
            Measure::Concealed => self.observed.concealed.map(|share| share * 100.0),
            Measure::ConcealedSeconds => self.observed.concealed.map(|share| share * self.seconds),
            Measure::Queue(leg) => {
                let (from, to) = match leg {
                    Some(leg) => scenario.span_of_leg(leg, self.seconds)?,
                    None => (0.0, self.seconds),
                };
                self.mean_queue_ms(from, to)
            }
            Measure::Use(span) => {
                let (from, to) = match span {
                    Span::Leg(leg) => scenario.span_of_leg(leg, self.seconds)?,
                    Span::Last(last) => ((self.seconds - last).max(0.0), self.seconds),
                };
                self.share_of_capacity(scenario, from, to)
            }
            Measure::Reach { from_s, kbps } => self.time_to_reach(from_s, kbps.into()),
            Measure::FullPicture => {
                let full = self.observed.samples.iter().find(|sample| sample.width >= 1280)?.at;
                Some(full.max(self.time_to_reach(0.0, 2000.0)?))
            }
            Measure::FrameRate => Some(self.observed.samples.last()?.frames as f64 / self.seconds),
            Measure::AvOffset => self.observed.av_offset_p95_ms,
            Measure::SoundAlone => Some(f64::from(u8::from(!self.observed.sound_alone.is_empty()))),
        }
    }

    /// kbit/s out of the path per entry of the log, averaged over so many entries around it.
    pub(crate) fn delivered_kbps(&self, width: usize) -> Vec<f64> {
        let length = (self.seconds / BUCKET.as_secs_f64()).round() as usize;
        let out = |index: usize| self.log.get(index).map_or(0, |bucket| bucket.bytes_out);
        let mean = |index: usize| {
            let (from, to) = (index.saturating_sub(width / 2), (index + width / 2 + 1).min(length));
            kbps((from..to).map(out).sum(), (to - from) as f64 * BUCKET.as_secs_f64())
        };
        (0..length).map(mean).collect()
    }

    fn between(&self, from: f64, to: f64) -> &[Bucket] {
        let index = |at: f64| ((at / BUCKET.as_secs_f64()).round() as usize).min(self.log.len());
        self.log.get(index(from)..index(to)).unwrap_or_default()
    }

    fn mean_queue_ms(&self, from: f64, to: f64) -> Option<f64> {
        let buckets = self.between(from, to);
        let packets: u32 = buckets.iter().map(|bucket| bucket.queued).sum();
        let waited: Duration = buckets.iter().map(|bucket| bucket.waited).sum();
        (packets > 0).then(|| waited.as_secs_f64() * 1e3 / f64::from(packets))
    }

    fn share_of_capacity(&self, scenario: &Scenario, from: f64, to: f64) -> Option<f64> {
        let bytes: u64 = self.between(from, to).iter().map(|bucket| bucket.bytes_out).sum();
        let steps = ((to - from) / BUCKET.as_secs_f64()).round() as u32;
        let middle = |step| from + (f64::from(step) + 0.5) * BUCKET.as_secs_f64();
        let capacity: f64 = (0..steps).map(|step| f64::from(scenario.leg_at(middle(step)).kbps)).sum();
        let mean = capacity / f64::from(steps);
        (steps > 0).then(|| kbps(bytes, to - from) / mean)
    }

    /// Seconds from a time to the end of the first second during which so much came out of the path.
    fn time_to_reach(&self, from: f64, wanted_kbps: f64) -> Option<f64> {
        let second = (1.0 / BUCKET.as_secs_f64()).round() as usize;
        let windows = self.between(from, self.seconds).windows(second).enumerate();
        let reached = windows.map(|(index, window)| (index, window.iter().map(|bucket| bucket.bytes_out).sum()));
        let (index, _) = reached.into_iter().find(|(_, bytes)| kbps(*bytes, 1.0) >= wanted_kbps)?;
        Some((index + second) as f64 * BUCKET.as_secs_f64())
    }
}

fn kbps(bytes: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { bytes as f64 * 8.0 / 1e3 / seconds } else { 0.0 }
}

/// The median of what is there; the mean of the middle two of an even number.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = values.get(half).copied()?;
    Some(if values.len() % 2 == 1 { upper } else { (values[half - 1] + upper) / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::super::observed::Sample;
    use super::super::scenario::Leg;
    use super::*;

    const STEPS: Scenario = Scenario {
        name: "steps",
        path: "1, then 2 Mbit/s",
        seconds: 10,
        legs: &[Leg { kbps: 1000, ..Leg::PLAIN }, Leg { from_s: 5.0, kbps: 2000, ..Leg::PLAIN }],
        marks: &[],
    };

    /// So many kbit/s out of the path in each of ten seconds.
    fn delivered(kbps: [u64; 10]) -> Run {
        let bucket = |kbps: u64| Bucket { bytes_out: kbps * 1000 / 80, ..Bucket::default() };
        let log = kbps.into_iter().flat_map(|kbps| std::iter::repeat_n(bucket(kbps), 10)).collect();
        Run { seconds: 10.0, log, observed: Observed::default() }
    }

    fn near(value: Option<f64>, wanted: f64) -> bool {
        value.is_some_and(|value| (value - wanted).abs() < 1e-6)
    }

    #[test]
    fn use_is_measured_against_the_capacity_of_its_time() {
        let run = delivered([1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000]);
        assert!(near(run.measure(&STEPS, Measure::Use(Span::Leg(0))), 1.0));
        assert!(near(run.measure(&STEPS, Measure::Use(Span::Leg(1))), 0.5));
        assert!(near(run.measure(&STEPS, Measure::Use(Span::Last(10.0))), 2.0 / 3.0));
        assert_eq!(run.measure(&STEPS, Measure::Use(Span::Leg(2))), None);
    }

    #[test]
    fn a_rate_is_reached_when_it_held_for_a_second() {
        let run = delivered([100, 200, 900, 900, 900, 900, 1500, 1900, 1900, 1900]);
        assert!(near(run.measure(&STEPS, Measure::Reach { from_s: 0.0, kbps: 900 }), 3.0));
        assert!(near(run.measure(&STEPS, Measure::Reach { from_s: 5.0, kbps: 1600 }), 2.3));
        assert_eq!(run.measure(&STEPS, Measure::Reach { from_s: 0.0, kbps: 2000 }), None);
    }

    #[test]
    fn the_full_picture_needs_both_its_size_and_its_rate() {
        let mut run = delivered([500, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000]);
        assert_eq!(run.measure(&STEPS, Measure::FullPicture), None);
        run.observed.samples =
            [(1.0, 640), (3.0, 1280)].map(|(at, width)| Sample { at, width, ..Sample::default() }).to_vec();
        assert!(near(run.measure(&STEPS, Measure::FullPicture), 3.0));
    }

    #[test]
    fn the_queue_is_the_mean_over_packets_not_over_time() {
        let mut run = delivered([0; 10]);
        run.log[3] = Bucket { queued: 9, waited: Duration::from_millis(9), ..Bucket::default() };
        run.log[60] = Bucket { queued: 1, waited: Duration::from_millis(101), ..Bucket::default() };
        assert!(near(run.measure(&STEPS, Measure::Queue(None)), 11.0));
        assert!(near(run.measure(&STEPS, Measure::Queue(Some(0))), 1.0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
