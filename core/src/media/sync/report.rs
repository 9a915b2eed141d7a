//! One stream's RTP clock and the sender's NTP clock, by its sender reports, which may lie.

use std::time::{Duration, Instant};

/// The timestamps of a sender report (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    /// The sender's NTP clock: seconds since 1900 in the upper 32 bits, fractions of one in the lower. 0: it has none.
    pub ntp: u64,
    /// The same time by the stream's RTP clock.
    pub rtp: u32,
    /// When it came here.
    pub arrived_at: Instant,
}

/// What of a stream is played at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Playing {
    /// The stream.
    pub ssrc: u32,
    /// Of what is played.
    pub rtp_timestamp: u32,
    /// When it is.
    pub at: Instant,
}

/// A report of so long ago says nothing of now: clocks drift.
const MAX_AGE: Duration = Duration::from_secs(60);
/// From one report to the next, both clocks must move on by as much: to this part of the time between them, and this many seconds.
const MAX_DRIFT: f64 = 0.02;
const MAX_SLIP: f64 = 0.1;

/// One second in a 64-bit NTP timestamp.
const NTP_SECOND: f64 = (1u64 << 32) as f64;

/// From `b` to `a`, negative if `a` is earlier. Both kinds of timestamps wrap: NTP's next in 2036.
pub(super) fn ntp_seconds(a: u64, b: u64) -> f64 {
    a.wrapping_sub(b).cast_signed() as f64 / NTP_SECOND
}

fn rtp_seconds(a: u32, b: u32, clock_rate: f64) -> f64 {
    f64::from(a.wrapping_sub(b).cast_signed()) / clock_rate
}

/// From `b` to `a`, negative if `a` is earlier.
pub(super) fn seconds(a: Instant, b: Instant) -> f64 {
    a.saturating_duration_since(b).as_secs_f64() - b.saturating_duration_since(a).as_secs_f64()
}

/// Tells capture times in the sender's NTP clock.
#[derive(Debug)]
pub(super) struct Mapping {
    clock_rate: f64,
    ssrc: Option<u32>,
    used: Option<SenderReport>,
    /// The last report that did not fit. One more that fits to it, and not to the one in use, takes its place: clocks are set, too.
    doubtful: Option<SenderReport>,
    ignored: u64,
}

impl Mapping {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self { clock_rate: f64::from(clock_rate), ssrc: None, used: None, doubtful: None, ignored: 0 }
    }

    pub(super) fn ignored(&self) -> u64 {
        self.ignored
    }

    /// When what is played was captured, by the sender's NTP clock. `None` without a report that can be believed.
    pub(super) fn captured(&mut self, now: Instant, report: Option<SenderReport>, playing: &Playing) -> Option<u64> {
        if self.ssrc.replace(playing.ssrc) != Some(playing.ssrc) {
            (self.used, self.doubtful) = (None, None);
        }
        if let Some(report) = report {
            self.learn(report);
        }
        let used = self.used.filter(|used| now.saturating_duration_since(used.arrived_at) < MAX_AGE)?;
        let since = rtp_seconds(playing.rtp_timestamp, used.rtp, self.clock_rate);
        let in_reach = since.abs() <= MAX_AGE.as_secs_f64();
        in_reach.then(|| used.ntp.wrapping_add_signed((since * NTP_SECOND) as i64))
    }

    fn learn(&mut self, report: SenderReport) {
        if [self.used, self.doubtful]
            .into_iter()
            .flatten()
            .any(|known| (known.ntp, known.rtp) == (report.ntp, report.rtp))
        {
            return;
        }
        let has_clock = report.ntp != 0;
        let fits =
            |before: Option<SenderReport>| has_clock && before.is_some_and(|before| self.follows(&before, &report));
        let first = has_clock && self.used.is_none();
        let (in_order, confirmed) = (fits(self.used), fits(self.doubtful));
        if !first && !in_order {
            self.ignored = self.ignored.saturating_add(u64::from(!confirmed));
        }
        if first || in_order || confirmed {
            (self.used, self.doubtful) = (Some(report), None);
        } else {
            self.doubtful = has_clock.then_some(report);
        }
    }

    /// Whether NTP clock, RTP clock and time itself went on alike from one report to the other.
    fn follows(&self, before: &SenderReport, report: &SenderReport) -> bool {
        let ntp = ntp_seconds(report.ntp, before.ntp);
        let rtp = rtp_seconds(report.rtp, before.rtp, self.clock_rate);
        let here = seconds(report.arrived_at, before.arrived_at);
        let slip = MAX_SLIP + MAX_DRIFT * here.abs();
        // Reports are held up on their way; the clocks in them are not.
        ntp > 0.0 && (ntp - rtp).abs() <= slip && (ntp - here).abs() <= 1.0 + slip
    }
}
