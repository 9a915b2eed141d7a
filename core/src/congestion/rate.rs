//! The delay-based rate: additive increase near the capacity that is known, multiplicative far from it, multiplicative decrease
//! (draft-ietf-rmcat-gcc-02, section 5.5), bound by what arrives.

use super::delay::Usage;

/// A cut goes to this part of what arrives, where the queue is empty and where it is full: a false alarm costs little.
const CUT_EMPTY: f64 = 0.95;
const CUT_FULL: f64 = 0.85;
/// Where hardly anything waits a cut goes no lower than to this part of the rate itself.
const CUT_LIGHT: f64 = 0.92;
/// The queue from which on it begins to be full, and over how much more it becomes so, in ms.
const QUEUE_EMPTY: f64 = 10.0;
const QUEUE_RANGE: f64 = 40.0;
/// A cut takes so much more, in bits per second.
const CUT_EXTRA: f64 = 5_000.0;
/// Far from a known capacity: growth per second.
const GROWTH: f64 = 1.08;
/// Near it: one packet of this size per response time, but at least so much per second. Bits, and bits per second.
const PACKET: f64 = 9_600.0;
const LEAST_GROWTH: f64 = 4_000.0;
/// The longer ago the last cut is, in seconds, the faster, as long as no queue is seen: it was a false alarm, or the path is another.
const CALM: f64 = 3.0;
const MOST_HASTE: f64 = 10.0;
/// What was cut for within this time, in microseconds, was so of late: what the path carries now may be another matter.
/// The shorter time is for what is hardly enough for sound alone, which is worth a longer queue to come out of.
const FULL_OF_LATE: i64 = 10_000_000;
const NARROW: f64 = 150_000.0;
const NARROW_OF_LATE: i64 = 4_000_000;
/// Growth stops at this multiple of what arrives, and so much more.
const ABOVE_ACKED: f64 = 1.5;
const ABOVE_ACKED_EXTRA: f64 = 10_000.0;
/// Back towards a capacity that is known and not used: growth per second, up to this part of it, while the queue is at most so long.
const RETURN: f64 = 0.25;
const RETURN_TO: f64 = 0.92;
const RETURN_QUEUE: f64 = 15.0;
/// A queue that is this long tells that what arrived last counts, not what arrived for half a second. Ms.
const LONG_QUEUE: f64 = 60.0;
/// While it gets shorter, by at least so much in that time, nothing is cut: what arrives of the little that is sent meanwhile is less
/// than what the path carries. Ms, microseconds.
const SHORTER: f64 = 15.0;
const SHORTER_WITHIN: i64 = 300_000;
/// A queue that was cut for so long and stays is perhaps another flow's, which takes what we leave: cuts are then no deeper than to this
/// part and no sooner after one another. Microseconds.
const FREE_CUTS: i64 = 400_000;
const LATER_CUT: f64 = 0.7;
const LATER_CUT_AFTER: i64 = 300_000;
/// Until the queue was this short again, in ms.
const SHORT_QUEUE: f64 = 30.0;

/// Beside a flow that fills the queue the rate grows by so many packets a round trip, and goes to this part when something is lost: as
/// that flow does, a little less shy.
const COMPETING_PACKETS: f64 = 3.0;
const COMPETING_CUT: f64 = 0.85;

/// What the rate is told with each feedback. Rates in bits per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs {
    pub(super) usage: Usage,
    /// Above what is usual on the path.
    pub(super) queue_ms: f64,
    /// The same without jitter, and later.
    pub(super) settled_ms: f64,
    pub(super) acked: Option<f64>,
    pub(super) recent: Option<f64>,
    pub(super) rtt_ms: f64,
    /// The application sends less than it may.
    pub(super) application_limited: bool,
    pub(super) may_grow: bool,
    /// Another flow keeps the queue long, whatever we do: its length says nothing of us.
    pub(super) competing: bool,
    /// Something was lost of late.
    pub(super) lost: bool,
}

/// The rate, in bits per second.
#[derive(Debug)]
pub(super) struct RateControl {
    rate: f64,
    bounds: (f64, f64),
    capacity: LinkCapacity,
    updated: Option<i64>,
    cut_at: Option<i64>,
    /// More arrives than the capacity that was known.
    outgrown: bool,
    /// Since when a queue that is long has been cut for.
    long_since: Option<i64>,
    /// The least queue since the last cut, and when it became that.
    least_queue: (f64, i64),
    /// Before the last row of cuts.
    before_cuts: Option<f64>,
}

impl RateControl {
    pub(super) fn new(start: f64, bounds: (f64, f64)) -> Self {
        Self {
            rate: start.clamp(bounds.0, bounds.1),
            bounds,
            capacity: LinkCapacity::default(),
            updated: None,
            cut_at: None,
            outgrown: false,
            long_since: None,
            least_queue: (0.0, i64::MIN / 4),
            before_cuts: None,
        }
    }

    pub(super) fn bps(&self) -> f64 {
        self.rate
    }

    /// The capacity that is known, if the path was full of late.
    pub(super) fn capacity(&self, now: i64) -> Option<f64> {
        let of_late = |bps: f64| if bps < NARROW { NARROW_OF_LATE } else { FULL_OF_LATE };
        self.capacity.bps.filter(|bps| self.cut_at.is_some_and(|at| now - at < of_late(*bps)))
    }

    pub(super) fn set(&mut self, bps: f64) {
        self.rate = bps.clamp(self.bounds.0, self.bounds.1);
    }

    pub(super) fn forget_capacity(&mut self) {
        self.capacity = LinkCapacity::default();
        self.cut_at = None;
    }

    /// The path carries this and no more, which no queue has shown.
    pub(super) fn full_at(&mut self, acked: f64) {
        self.capacity = LinkCapacity::default();
        self.capacity.add(acked, 1.0);
    }

    /// A probe found so much. More than a tenth above what was known makes that void.
    pub(super) fn probed(&mut self, bps: f64) {
        if bps > 1.1 * self.rate {
            self.capacity = LinkCapacity::default();
        } else {
            self.capacity.add(bps, 0.5);
        }
        self.set(bps);
    }

    /// Whether more arrives than the capacity that was known; told once.
    pub(super) fn take_outgrown(&mut self) -> bool {
        std::mem::take(&mut self.outgrown)
    }

    /// The rate before the last row of cuts; told once.
    pub(super) fn take_before_cuts(&mut self) -> Option<f64> {
        self.before_cuts.take()
    }

    pub(super) fn update(&mut self, now: i64, inputs: &Inputs) {
        if inputs.queue_ms < self.least_queue.0 - SHORTER {
            self.least_queue = (inputs.queue_ms, now);
        }
        if inputs.queue_ms < SHORT_QUEUE {
            self.long_since = None;
        }
        let since = self.updated.replace(now).map_or(0.0, |at| ((now - at) as f64 / 1e6).clamp(0.0, 1.0));
        match inputs.usage {
            _ if inputs.competing => self.compete(now, since, inputs),
            Usage::Over => self.cut(now, inputs),
            Usage::Under => {}
            Usage::Normal if inputs.may_grow => self.grow(now, since, inputs),
            Usage::Normal => {}
        }
        self.set(self.rate);
    }

    fn cut(&mut self, now: i64, inputs: &Inputs) {
        let response = (inputs.rtt_ms.clamp(10.0, 200.0) * 1e3) as i64;
        // With a queue on the way what arrived last is what the path carries, whatever was sent in the half second before.
        let acked = inputs.acked.map(|acked| match inputs.recent {
            Some(recent) if inputs.queue_ms > SHORT_QUEUE => recent.max(acked * 0.1),
            Some(recent) => acked.max(recent),
            None => acked,
        });
        let Some(acked) = acked else {
            if self.cut_at.is_none_or(|at| now - at >= 200_000) {
                self.cut_to(now, self.rate / 2.0);
            }
            return;
        };
        if self.cut_at.is_some_and(|at| now - at < response && acked >= self.rate / 2.0) {
            return;
        }
        if inputs.queue_ms > LONG_QUEUE && now - self.least_queue.1 < SHORTER_WITHIN {
            return;
        }
        // What an application that sends little has arrive says nothing about the path.
        if inputs.application_limited && acked < 0.5 * self.rate {
            self.cut_to(now, self.rate * CUT_EMPTY);
            return;
        }
        let full = ((inputs.queue_ms - QUEUE_EMPTY) / QUEUE_RANGE).clamp(0.0, 1.0);
        let factor = CUT_EMPTY - (CUT_EMPTY - CUT_FULL) * full;
        if self.capacity.is_far_above(acked) {
            self.capacity = LinkCapacity::default();
        }
        self.capacity.add(acked, 0.05);
        self.least_queue = (inputs.queue_ms, i64::MIN / 4);
        let mut cut = factor * acked - CUT_EXTRA;
        // Where hardly anything waits, less arrives because less is sent.
        if inputs.settled_ms < QUEUE_EMPTY && acked >= self.rate / 2.0 {
            cut = cut.max((1.0 - full) * CUT_LIGHT * self.rate);
        }
        if inputs.queue_ms > LONG_QUEUE && now - *self.long_since.get_or_insert(now) > FREE_CUTS {
            if self.cut_at.is_some_and(|at| now - at < LATER_CUT_AFTER) {
                return;
            }
            cut = cut.max(LATER_CUT * self.rate);
        }
        self.cut_to(now, cut);
    }

    fn compete(&mut self, now: i64, since: f64, inputs: &Inputs) {
        let response = (inputs.rtt_ms.clamp(10.0, 2_000.0) * 1e3) as i64;
        if inputs.lost {
            if self.cut_at.is_none_or(|at| now - at >= response) {
                self.cut_to(now, COMPETING_CUT * self.rate);
            }
            return;
        }
        let grown = self.rate + COMPETING_PACKETS * PACKET / inputs.rtt_ms.max(10.0) * 1e3 * since;
        let most = inputs.acked.map_or(grown, |acked| ABOVE_ACKED * acked + ABOVE_ACKED_EXTRA);
        self.rate = self.rate.max(grown.min(most));
    }

    fn cut_to(&mut self, now: i64, bps: f64) {
        let first_of_row = self.cut_at.is_none_or(|at| now - at > 1_000_000);
        if first_of_row || self.before_cuts.is_none() {
            self.before_cuts = Some(self.rate);
        }
        self.cut_at = Some(now);
        self.rate = self.rate.min(bps.max(self.bounds.0));
    }

    fn grow(&mut self, now: i64, since: f64, inputs: &Inputs) {
        let near = match (self.capacity.bps, inputs.acked) {
            (Some(capacity), Some(acked)) => {
                if self.capacity.is_left_behind_by(acked) {
                    self.capacity = LinkCapacity::default();
                    self.outgrown = true;
                    None
                } else {
                    Some(capacity)
                }
            }
            (capacity, _) => capacity,
        };
        let mut grown = match near {
            None => self.rate * GROWTH.powf(since),
            Some(capacity) if inputs.settled_ms < RETURN_QUEUE && self.rate < RETURN_TO * capacity => {
                (self.rate * (1.0 + RETURN * since)).min(RETURN_TO * capacity)
            }
            Some(_) => {
                let response = (inputs.rtt_ms + 100.0).max(1.0) / 1e3 * 2.0;
                self.rate + (PACKET / response).max(LEAST_GROWTH) * self.haste(now, inputs) * since
            }
        };
        if let Some(acked) = inputs.acked {
            grown = grown.min((ABOVE_ACKED * acked + ABOVE_ACKED_EXTRA).max(self.rate));
        }
        self.rate = self.rate.max(grown);
    }

    /// By what growth near the capacity is multiplied.
    fn haste(&self, now: i64, inputs: &Inputs) -> f64 {
        let calm = self.cut_at.map_or(0.0, |at| (now - at) as f64 / 1e6);
        if inputs.settled_ms < RETURN_QUEUE { (1.0 + (calm / CALM).powi(2)).min(MOST_HASTE) } else { 1.0 }
    }
}

/// What the path was seen to carry when it was full.
#[derive(Debug, Default)]
struct LinkCapacity {
    bps: Option<f64>,
    /// Variance divided by the mean, in kbit/s.
    spread: f64,
}

impl LinkCapacity {
    const SPREAD: (f64, f64) = (0.4, 2.5);

    fn add(&mut self, bps: f64, weight: f64) {
        let kbps = bps / 1e3;
        let Some(before) = self.bps.map(|before| before / 1e3) else {
            (self.bps, self.spread) = (Some(bps), Self::SPREAD.0);
            return;
        };
        let mean = before + weight * (kbps - before);
        let error = kbps - mean;
        self.spread = (1.0 - weight) * self.spread + weight * error * error / mean.max(1.0);
        self.spread = self.spread.clamp(Self::SPREAD.0, Self::SPREAD.1);
        self.bps = Some(mean * 1e3);
    }

    fn is_far_above(&self, acked: f64) -> bool {
        let Some(kbps) = self.bps.map(|bps| bps / 1e3) else { return false };
        acked / 1e3 < kbps - 3.0 * (self.spread * kbps).sqrt()
    }

    fn is_left_behind_by(&self, acked: f64) -> bool {
        let Some(kbps) = self.bps.map(|bps| bps / 1e3) else { return false };
        acked / 1e3 > kbps + 3.0 * (self.spread * kbps).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: (f64, f64) = (24_000.0, 3_000_000.0);

    fn inputs(usage: Usage, queue_ms: f64, acked: f64) -> Inputs {
        Inputs {
            usage,
            queue_ms,
            settled_ms: queue_ms,
            acked: Some(acked),
            recent: Some(acked),
            rtt_ms: 50.0,
            application_limited: false,
            may_grow: true,
            competing: false,
            lost: false,
        }
    }

    #[test]
    fn a_false_alarm_at_an_empty_queue_costs_little_and_a_full_queue_costs_more() {
        let after = |queue| {
            let mut rate = RateControl::new(1e6, BOUNDS);
            rate.update(0, &inputs(Usage::Over, queue, 1e6));
            rate.bps()
        };
        assert_eq!((after(10.0), after(50.0), after(500.0)), (945_000.0, 845_000.0, 845_000.0));
    }

    #[test]
    fn a_false_alarm_while_the_encoder_sends_less_than_it_may_is_not_taken_for_a_slow_path() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 0.0, 0.6e6));
        assert_eq!(rate.bps(), 920_000.0);
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 30.0, 0.6e6));
        assert_eq!(rate.bps(), 0.9 * 0.6e6 - CUT_EXTRA, "a queue says that it is");
    }

    #[test]
    fn near_the_capacity_growth_gets_faster_the_longer_no_queue_is_seen() {
        let grown = |queue: f64| {
            let mut rate = RateControl::new(1e6, BOUNDS);
            rate.update(0, &inputs(Usage::Over, 0.0, 1e6));
            let mut at = |ms: i64| {
                rate.update(ms * 1000, &inputs(Usage::Normal, queue, 1e6));
                rate.bps()
            };
            let rates: Vec<_> = (1..=40).map(|n| at(n * 100)).collect();
            (rates[9] - rates[0], rates[39] - rates[30])
        };
        let (soon, later) = grown(0.0);
        assert!(later > 2.0 * soon, "{soon} bit/s in the first second, {later} in the fourth");
        let (soon, later) = grown(RETURN_QUEUE);
        assert!((later - soon).abs() < 1.0, "{soon} and {later} with a queue");
    }

    #[test]
    fn a_cut_is_not_repeated_before_it_can_have_shown_unless_far_less_arrives() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 0.0, 1e6));
        let once = rate.bps();
        rate.update(49_000, &inputs(Usage::Over, 0.0, 0.9e6));
        assert_eq!(rate.bps(), once);
        rate.update(49_500, &inputs(Usage::Over, 0.0, 0.2e6));
        assert!(rate.bps() < 0.2e6);
    }

    #[test]
    fn nothing_is_cut_while_the_queue_gets_shorter() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 300.0, 0.25e6));
        let once = rate.bps();
        assert_eq!(once, 0.85 * 0.25e6 - 5_000.0);
        for n in 1..12 {
            // Less is sent than the path carries, so that less arrives.
            rate.update(n * 100_000, &inputs(Usage::Over, 300.0 - 20.0 * n as f64, 0.18e6));
        }
        assert_eq!(rate.bps(), once);
        rate.update(2_500_000, &inputs(Usage::Over, 72.0, 0.18e6));
        assert!(rate.bps() < once, "it stays");
    }

    #[test]
    fn a_queue_that_stays_is_cut_for_less_and_less_often() {
        let mut rate = RateControl::new(2e6, BOUNDS);
        let mut at = |ms: i64, acked| {
            rate.update(ms * 1000, &inputs(Usage::Over, 200.0, acked));
            rate.bps()
        };
        let first = at(0, 1e6);
        assert_eq!(at(300, 0.5e6), 0.85 * 0.5e6 - 5_000.0, "at first as deep as what arrives says");
        let then = at(350, 0.5e6);
        assert!(first > then);
        let (near, later) = (|a: f64, b: f64| (a - b).abs() < 1.0, 0.7 * then);
        assert!(near(at(650, 0.1e6), later) && near(at(900, 0.1e6), later) && near(at(960, 0.1e6), 0.7 * later));
    }

    #[test]
    fn beside_a_flow_that_fills_the_queue_the_rate_grows_until_something_is_lost() {
        let mut rate = RateControl::new(5e5, BOUNDS);
        let beside = Inputs { competing: true, rtt_ms: 100.0, ..inputs(Usage::Over, 200.0, 5e5) };
        rate.update(0, &beside);
        rate.update(500_000, &beside);
        assert_eq!(rate.bps(), 5e5 + 3.0 * PACKET / 0.1 * 0.5);
        let before = rate.bps();
        let lost = Inputs { lost: true, ..beside };
        rate.update(550_000, &lost);
        rate.update(600_000, &lost);
        assert_eq!(rate.bps(), 0.85 * before, "once a round trip");
    }

    #[test]
    fn a_capacity_far_above_what_arrives_now_is_forgotten() {
        let mut rate = RateControl::new(3e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 50.0, 2.5e6));
        rate.update(1_000_000, &inputs(Usage::Over, 50.0, 0.5e6));
        assert_eq!(rate.capacity(1_000_000), Some(0.5e6));
        assert_eq!(rate.capacity(11_000_000), None);
    }

    #[test]
    fn an_overuse_never_raises_the_rate() {
        let mut rate = RateControl::new(5e5, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 0.0, 2e6));
        assert_eq!(rate.bps(), 5e5);
    }

    #[test]
    fn growth_is_bound_by_what_arrives() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        for n in 0..1_000 {
            rate.update(n * 100_000, &inputs(Usage::Normal, 0.0, 7e5));
        }
        assert!((rate.bps() - 1.06e6).abs() < 1.0, "{}", rate.bps());
        let mut rate = RateControl::new(2e6, BOUNDS);
        rate.update(0, &inputs(Usage::Normal, 0.0, 1e5));
        rate.update(100_000, &inputs(Usage::Normal, 0.0, 1e5));
        assert_eq!(rate.bps(), 2e6, "but never cut by it");
    }

    #[test]
    fn near_a_known_capacity_it_creeps_and_below_it_it_returns_fast() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 50.0, 1e6));
        let low = rate.bps();
        rate.update(1_000_000, &inputs(Usage::Normal, 0.0, 1e6));
        assert!(rate.bps() <= 0.92e6 + 1.0 && rate.bps() > low + 50_000.0, "{}", rate.bps());
        let near = rate.bps();
        rate.update(2_000_000, &inputs(Usage::Normal, RETURN_QUEUE, 1e6));
        rate.update(3_000_000, &inputs(Usage::Normal, RETURN_QUEUE, 1e6));
        assert!(rate.bps() > near && rate.bps() < near + 70_000.0, "{}", rate.bps());
    }

    #[test]
    fn a_probe_that_found_more_makes_the_known_capacity_void() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 50.0, 1e6));
        rate.probed(2e6);
        assert_eq!((rate.bps(), rate.capacity(0)), (2e6, None));
    }

    #[test]
    fn a_capacity_that_is_outgrown_is_void_and_told_once() {
        let mut rate = RateControl::new(1e6, BOUNDS);
        rate.update(0, &inputs(Usage::Over, 50.0, 1e6));
        rate.update(100_000, &inputs(Usage::Normal, 0.0, 1.05e6));
        assert!(!rate.take_outgrown());
        rate.update(200_000, &inputs(Usage::Normal, 0.0, 1.1e6));
        assert!(rate.take_outgrown() && !rate.take_outgrown());
        assert_eq!(rate.capacity(200_000), None);
    }
}
