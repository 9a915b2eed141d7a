//! What is measured of a call (RFC 8868 section 3), and the marks that it is held to.

use super::call::Setup;
use super::link::{MILLI, SECOND};
use super::report::{Report, Second};

/// Seconds from – to, the end not included.
pub(super) type Span = (u64, u64);

/// One figure of the caller's way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// What was of use to the other side, as a part of what the path could carry. Retransmissions count once, padding never.
    Use(Span),
    /// How long our packets waited in the path's queue, in ms.
    QueueMean(Span),
    QueueP95(Span),
    QueueMost(Span),
    /// Packets that the queue refused.
    QueueDrops(Span),
    /// Seconds that the picture stood still by W3C's rule, one that has not ended included.
    Frozen(Span),
    /// Sound that was made up, in percent of what was heard.
    Concealed(Span),
    /// The same in seconds.
    ConcealedSeconds(Span),
    /// 95th over 5th percentile of the target.
    Spread(Span),
    /// Seconds from the first one on until that rate (kbit/s) has come through for half a second.
    Reaches(u64, u64),
    /// From capture to screen, in ms.
    FrameDelayP95(Span),
    /// Falls of the target by more than 4 % within 100 ms, per minute.
    Cuts(Span),
    /// Packets that the path lost or its queue refused, in percent.
    Loss(Span),
    /// Video repeated for nothing, in percent of what was sent.
    NeedlessRepeats,
    /// Least ms between two keyframes.
    KeyframeGap(Span),
    /// How far the caller's part of what two calls deliver is from one half.
    Unfair(Span),
    /// Both calls' use of the path.
    SumUse(Span),
    /// The least target in kbit/s.
    LeastTarget(Span),
    /// Pictures a second.
    FrameRate(Span),
    /// Part of the time in which sound goes alone.
    Suspended(Span),
}

use Measure::*;

impl Measure {
    pub(super) fn of(self, setup: &Setup, reports: &[Report]) -> f64 {
        let caller = &reports[0];
        let sum = |span: Span, what: fn(&Second) -> u64| seconds(caller, span).map(what).sum::<u64>() as f64;
        let micros = |span: Span| (span.0 * SECOND, span.1 * SECOND);
        match self {
            Use(span) => {
                let (from, to) = micros(span);
                8.0 * sum(span, |s| s.delivered) / setup.forward.carries(from, to).max(1.0)
            }
            QueueMean(span) => sum(span, |s| s.queue_sum) / sum(span, |s| s.queue_count).max(1.0) / MILLI as f64,
            QueueP95(span) => percentile(&values(&caller.queue, micros(span)), 95) / MILLI as f64,
            QueueMost(span) => seconds(caller, span).map(|s| s.queue_most).max().unwrap_or(0) as f64 / MILLI as f64,
            QueueDrops(span) => sum(span, |s| s.queue_drops),
            Frozen(span) => sum(span, |s| s.frozen) / SECOND as f64,
            Concealed(span) => {
                let concealed = sum(span, |s| s.concealed);
                100.0 * concealed / (concealed + sum(span, |s| s.played)).max(1.0)
            }
            ConcealedSeconds(span) => sum(span, |s| s.concealed) * 0.02,
            Spread(span) => {
                let targets = values(&caller.targets, micros(span));
                percentile(&targets, 95) / percentile(&targets, 5).max(1.0)
            }
            Reaches(from, kbps) => reaches(caller, from * SECOND, kbps * 1000),
            FrameDelayP95(span) => percentile(&values(&caller.shown, micros(span)), 95) / MILLI as f64,
            Cuts(span) => {
                let targets = values(&caller.targets, micros(span));
                let cuts = targets.windows(2).filter(|pair| f64::from(pair[1]) < 0.96 * f64::from(pair[0])).count();
                60.0 * cuts as f64 / (span.1 - span.0) as f64
            }
            Loss(span) => {
                let lost = sum(span, |s| s.lost + s.queue_drops);
                100.0 * lost / (lost + sum(span, |s| s.queue_count)).max(1.0)
            }
            NeedlessRepeats => 100.0 * caller.needless_repeats as f64 / caller.queue.len().max(1) as f64,
            KeyframeGap(span) => {
                let (from, to) = micros(span);
                let within = caller.encoded.iter().filter(|(at, p)| p.key && (from..to).contains(at));
                let times: Vec<u64> = within.map(|(at, _)| *at).collect();
                times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(to - from) as f64 / MILLI as f64
            }
            Unfair(span) => {
                let ours = sum(span, |s| s.delivered);
                let theirs = seconds(&reports[2], span).map(|s| s.delivered).sum::<u64>() as f64;
                (ours / (ours + theirs).max(1.0) - 0.5).abs()
            }
            SumUse(span) => {
                let (from, to) = micros(span);
                let all = reports.iter().step_by(2).flat_map(|report| seconds(report, span));
                8.0 * all.map(|s| s.delivered).sum::<u64>() as f64 / setup.forward.carries(from, to).max(1.0)
            }
            LeastTarget(span) => {
                f64::from(values(&caller.targets, micros(span)).into_iter().min().unwrap_or(0)) / 1000.0
            }
            FrameRate(span) => sum(span, |s| s.frames) / (span.1 - span.0) as f64,
            Suspended(span) => sum(span, |s| u64::from(s.suspended)) / (span.1 - span.0) as f64,
        }
    }

    /// What the worst seed may be off, where the aim is `aim`.
    fn slack(self, aim: f64) -> f64 {
        match self {
            Use(_) | SumUse(_) => 0.08,
            Frozen(_) | Reaches(..) => 1.0,
            Concealed(_) => aim + 0.3,
            ConcealedSeconds(_) => 0.2,
            QueueMean(_) | QueueP95(_) | QueueMost(_) => 0.5 * aim + 5.0,
            Unfair(_) | Suspended(_) => 0.1,
            FrameRate(_) => 3.0,
            QueueDrops(_) | KeyframeGap(_) => 0.0,
            _ => 0.5 * aim,
        }
    }
}

fn seconds(report: &Report, span: Span) -> impl Iterator<Item = &Second> {
    report.seconds[span.0 as usize..(span.1 as usize).min(report.seconds.len())].iter()
}

fn values(noted: &[(u64, u32)], (from, to): (u64, u64)) -> Vec<u32> {
    noted.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, value)| *value).collect()
}

fn percentile(values: &[u32], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .map_or(0.0, |value| f64::from(*value))
}

fn reaches(report: &Report, from: u64, bps: u64) -> f64 {
    const WINDOW: u64 = 500 * MILLI;
    let mut first = report.arrived.partition_point(|(at, _)| *at < from);
    let mut bytes = 0;
    for (at, size) in report.arrived.iter().skip(first) {
        bytes += u64::from(*size);
        while report.arrived[first].0 + WINDOW <= *at {
            bytes -= u64::from(report.arrived[first].1);
            first += 1;
        }
        if bytes * 8 * SECOND >= bps * WINDOW {
            return (*at - from) as f64 / SECOND as f64;
        }
    }
    999.0
}

/// What a figure is to keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Aim {
    AtMost(f64),
    AtLeast(f64),
}

use Aim::{AtLeast, AtMost};

impl Aim {
    pub(super) fn of(self) -> f64 {
        match self {
            AtMost(aim) | AtLeast(aim) => aim,
        }
    }

    pub(super) fn holds(self, value: f64) -> bool {
        match self {
            AtMost(most) => value <= most,
            AtLeast(least) => value >= least,
        }
    }

    fn eased(self, by: f64) -> Self {
        match self {
            AtMost(most) => AtMost(most + by),
            AtLeast(least) => AtLeast(least - by),
        }
    }

    /// The median of the seeds, and the worst one.
    pub(super) fn median_and_worst(self, mut values: Vec<f64>) -> (f64, f64) {
        values.sort_by(f64::total_cmp);
        let median = values[values.len() / 2];
        let worst = match self {
            AtMost(_) => values[values.len() - 1],
            AtLeast(_) => values[0],
        };
        (median, worst)
    }
}

/// A figure and what it is held to, in the median of the seeds; the worst one may be off by some slack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark {
    pub(super) measure: Measure,
    pub(super) aim: Aim,
}

impl Mark {
    pub(super) fn holds(&self, median: f64, worst: f64) -> bool {
        self.aim.holds(median) && self.worst_aim().holds(worst)
    }

    pub(super) fn worst_aim(&self) -> Aim {
        self.aim.eased(self.measure.slack(self.aim.of()))
    }

    /// The same, held to what was measured, with a margin for what differs between machines in the last bit.
    pub(super) fn holds_recorded(&self, (median, worst): (f64, f64), recorded: (f64, f64)) -> bool {
        let margin = |value: f64| 0.1 * value.abs() + self.measure.slack(0.0).min(0.1);
        let held = |value: f64, recorded: f64| match self.aim {
            AtMost(_) => value <= recorded + margin(recorded),
            AtLeast(_) => value >= recorded - margin(recorded),
        };
        held(median, recorded.0) && held(worst, recorded.1)
    }
}
