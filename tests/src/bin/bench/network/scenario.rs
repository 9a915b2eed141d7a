//! A network path as data, and what a call on it has to reach.

/// Of how many legs it is shown what part of each one's capacity was used.
const MOST_SHOWN_LEGS: usize = 8;

/// How the path is from one second on, until the next leg begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leg {
    /// In seconds since the call was connected.
    pub(crate) from_s: f64,
    /// Capacity from the caller to the callee, in kbit/s of IP packets.
    pub(crate) kbps: u32,
    /// Delay in each direction without any queue, in ms.
    pub(crate) delay_ms: f64,
    /// Share of the packets that are lost in each direction, from 0 to 1.
    pub(crate) loss: f64,
    /// How many packets in a row are lost on the average (Gilbert model); 1 means independently of each other.
    pub(crate) mean_burst: f64,
    /// How long a packet may wait for those before it, in ms; one that would wait longer is dropped (drop-tail).
    pub(crate) queue_ms: f64,
    /// Additional delay, uniform from 0 to this many ms; packets keep their order.
    pub(crate) jitter_ms: f64,
    /// Instead of a queue: a token bucket of so many bytes, and what finds too few tokens is dropped.
    pub(crate) policer_bytes: Option<u32>,
}

impl Leg {
    /// 3 Mbit/s, a round trip of 50 ms, a queue of 300 ms, no loss.
    pub(crate) const PLAIN: Self = Self {
        from_s: 0.0,
        kbps: 3000,
        delay_ms: 25.0,
        loss: 0.0,
        mean_burst: 1.0,
        queue_ms: 300.0,
        jitter_ms: 0.0,
        policer_bytes: None,
    };
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Measure {
    /// How long the picture stood still, in seconds, a freeze that has not ended included.
    Frozen,
    /// Share of the heard sound that the decoder made up, in percent.
    Concealed,
    /// The same, in seconds.
    ConcealedSeconds,
    /// How long packets waited in the path's queue on the average, in ms: during the whole call, or one leg.
    Queue(Option<usize>),
    /// What came out of the path, as a share of its capacity, from a time on until the call's end, or during one leg.
    Use(Span),
    /// Seconds from a time until so many kbit/s came out of the path during a whole second.
    Reach {
        /// In seconds since the call was connected.
        from_s: f64,
        /// What has to come out.
        kbps: u32,
    },
    /// Seconds until the picture had its full size and 2 Mbit/s came out of the path.
    FullPicture,
    /// Pictures decoded per second.
    FrameRate,
    /// The size of the offset between sound and pictures that 95 % of the measurements do not exceed, in ms.
    AvOffset,
    /// Whether an end told that video is suspended and sound goes on alone: 1 or 0.
    SoundAlone,
}

/// A stretch of the call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Span {
    /// One leg of the path.
    Leg(usize),
    /// The last seconds of the call.
    Last(f64),
}

/// What a measure has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    /// False also for what could not be measured.
    pub(crate) fn holds(self, value: Option<f64>) -> bool {
        match (self, value) {
            (Self::AtMost(most), Some(value)) => value <= most,
            (Self::AtLeast(least), Some(value)) => value >= least,
            (_, None) => false,
        }
    }
}

/// A measure with the bound that it has to keep.
pub(crate) type Mark = (Measure, Bound);

/// A path and its marks.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The path in words.
    pub(crate) path: &'static str,
    /// How long the call lasts, in seconds.
    pub(crate) seconds: u32,
    pub(crate) legs: &'static [Leg],
    pub(crate) marks: &'static [Mark],
}

impl Scenario {
    /// The leg at a time, in seconds since the call was connected.
    pub(crate) fn leg_at(&self, at: f64) -> &Leg {
        let begun = self.legs.iter().rev().find(|leg| leg.from_s <= at);
        begun.or(self.legs.first()).unwrap_or(&Leg::PLAIN)
    }

    /// From when until when a leg holds in a call of so many seconds; `None` if the call does not get there.
    pub(crate) fn span_of_leg(&self, leg: usize, seconds: f64) -> Option<(f64, f64)> {
        let from = self.legs.get(leg)?.from_s;
        let to = self.legs.get(leg + 1).map_or(seconds, |next| next.from_s.min(seconds));
        (from < to).then_some((from, to))
    }

    /// What is shown of this scenario: its marks, and what is of interest on every path.
    pub(crate) fn rows(&self) -> Vec<(Measure, Option<Bound>)> {
        let mut rows: Vec<_> = self.marks.iter().map(|(measure, bound)| (*measure, Some(*bound))).collect();
        let mut usual = vec![Measure::Frozen, Measure::Concealed, Measure::FrameRate, Measure::Queue(None)];
        // Many short legs say nothing each.
        let of_legs = self.legs.len() <= MOST_SHOWN_LEGS;
        let spans = (0..self.legs.len()).map(Span::Leg).filter(|_| of_legs);
        usual.extend(spans.map(Measure::Use));
        for measure in usual {
            if !rows.iter().any(|(shown, _)| *shown == measure) {
                rows.push((measure, None));
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenarios::{ALL, GATES};

    #[test]
    fn legs_follow_each_other_and_are_possible() {
        for scenario in ALL.iter().chain(GATES) {
            assert_eq!(scenario.legs[0].from_s, 0.0, "{}", scenario.name);
            assert!(scenario.legs.windows(2).all(|legs| legs[0].from_s < legs[1].from_s), "{}", scenario.name);
            for leg in scenario.legs {
                assert!(leg.from_s < f64::from(scenario.seconds), "{}", scenario.name);
                assert!(leg.kbps > 0 && leg.mean_burst >= 1.0 && (0.0..=1.0).contains(&leg.loss), "{}", scenario.name);
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ALL.iter().chain(GATES).map(|scenario| scenario.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_leg_ends_where_the_next_begins_or_with_the_call() {
        let drop = ALL.iter().find(|scenario| scenario.name == "drop").unwrap();
        assert_eq!(drop.span_of_leg(0, 90.0), Some((0.0, 30.0)));
        assert_eq!(drop.span_of_leg(1, 45.0), Some((30.0, 45.0)));
        assert_eq!(drop.span_of_leg(2, 45.0), None);
        assert_eq!(drop.span_of_leg(3, 90.0), None);
    }
}
