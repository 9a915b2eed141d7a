//! The receiver's half of repair: which packets to ask for, and when.

use super::super::sequence::nearest;
use super::reorder::ReorderTolerance;
use super::{COPY_DISTANCE, FIRST_RTT, LONG_RTT};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Gaps wider than this are not asked for: repeating them takes longer than a keyframe.
const MAX_GAP: u64 = 300;
/// Nor are gaps around a silence that is longer than this: whole pictures are missing, and one keyframe is sooner here than all
/// packets of them.
const MAX_SILENCE: Duration = Duration::from_millis(300);
/// How often a packet is asked for.
const MAX_TRIES: u8 = 10;
/// What an answer may take beyond the round-trip time.
const SLACK: Duration = Duration::from_millis(10);
/// Bounds of the round-trip time that is reckoned with.
const RTT_BOUNDS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// A number too far off is believed if one of the next so many follows.
const NEIGHBOURS: u16 = 16;
/// How far back a number may be and still be one of this stream's; one beyond, like one too far ahead, has to be followed by
/// its neighbour before it is believed (as in RFC 3550 appendix A.1).
const MAX_MISORDER: u64 = 1_000;
/// Where 64-bit numbers begin, so that numbers below the first one are above zero.
const BASE: u64 = 1 << 32;

/// One stream's missing packets. Asks for a packet once it is seen to be missing, or after as long as overtaken packets take to
/// come on this path; again after a round trip, at most ten times. Where round trips are long each request is made twice.
pub struct NackGenerator {
    highest: Option<u64>,
    /// When the last packet came that was sent for the first time.
    last: Option<Instant>,
    /// The number that would follow one that was too far off.
    restart: Option<u16>,
    missing: BTreeMap<u64, Missing>,
    tolerance: ReorderTolerance,
    rtt: Duration,
    /// Without queues: what is long by a queue becomes longer by copies.
    least_rtt: Option<Duration>,
    keyframe: bool,
}

struct Missing {
    seen: Instant,
    due: Instant,
    tries: u8,
    /// The last request has its copy.
    copied: bool,
}

impl Default for NackGenerator {
    fn default() -> Self {
        Self::new()
    }
}

impl NackGenerator {
    /// Of a stream of which nothing has come yet.
    pub fn new() -> Self {
        Self {
            highest: None,
            last: None,
            restart: None,
            missing: BTreeMap::new(),
            tolerance: ReorderTolerance::default(),
            rtt: FIRST_RTT,
            least_rtt: None,
            keyframe: false,
        }
    }

    /// The smoothed round-trip time of now, queues included: with less each packet would be asked for twice.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt.clamp(RTT_BOUNDS.0, RTT_BOUNDS.1);
        self.least_rtt = Some(self.least_rtt.map_or(self.rtt, |least| least.min(self.rtt)));
    }

    /// A packet came; `repaired` if it was sent again, with the number of the packet that it repeats. Padding is none.
    pub fn on_packet(&mut self, now: Instant, sequence_number: u16, repaired: bool) {
        let Some(highest) = self.highest else {
            self.highest = Some(BASE + u64::from(sequence_number));
            self.last = Some(now);
            return;
        };
        let number = nearest(highest, sequence_number).unwrap_or_default();
        if number > highest + MAX_GAP + 1 || number + MAX_MISORDER < highest {
            self.on_far_off(now, sequence_number, repaired);
            return;
        }
        self.restart = None;
        let silent = self.last.is_some_and(|last| now.saturating_duration_since(last) > MAX_SILENCE);
        if !repaired {
            self.last = Some(now);
        }
        if number <= highest {
            self.on_late(now, number, repaired);
        } else {
            self.highest = Some(number);
            self.on_gap(now, highest + 1..number, silent);
        }
    }

    /// The numbers to ask for now. To be called after each packet and at [`NackGenerator::next_wake`].
    pub fn poll(&mut self, now: Instant) -> Vec<u16> {
        if self.next_wake().is_none_or(|wake| wake > now) {
            return Vec::new();
        }
        let again = now + self.rtt + SLACK;
        let long = self.least_rtt >= Some(LONG_RTT);
        let mut wanted = Vec::new();
        self.missing.retain(|&number, missing| {
            let copy = missing.tries > 0 && !missing.copied;
            if missing.due <= now && (copy || missing.tries < MAX_TRIES) {
                missing.tries += u8::from(!copy);
                missing.copied = copy || !long;
                missing.due = if missing.copied { again } else { now + COPY_DISTANCE };
                // The low 16 bits are what the wire carries.
                wanted.push(number as u16);
                return true;
            }
            missing.due > now
        });
        wanted
    }

    /// When [`NackGenerator::poll`] has something to do.
    pub fn next_wake(&self) -> Option<Instant> {
        self.missing.values().map(|m| m.due).min()
    }

    /// Whether so much was lost at once that only a keyframe helps; tells it once.
    pub fn take_keyframe_request(&mut self) -> bool {
        std::mem::take(&mut self.keyframe)
    }

    /// Nothing before this number is needed any more: it was given up, or a newer keyframe is whole.
    pub fn forget_before(&mut self, sequence_number: u16) {
        let Some(number) = self.highest.and_then(|highest| nearest(highest, sequence_number)) else { return };
        self.missing = self.missing.split_off(&number);
    }

    /// Forgets the stream, as if nothing had come yet. What is known of the path stays.
    pub fn reset(&mut self) {
        let tolerance = std::mem::take(&mut self.tolerance);
        *self = Self { tolerance, rtt: self.rtt, least_rtt: self.least_rtt, ..Self::new() };
    }

    fn on_far_off(&mut self, now: Instant, sequence_number: u16, repaired: bool) {
        if repaired {
            return;
        }
        let believed = self.restart.is_some_and(|next| sequence_number.wrapping_sub(next) < NEIGHBOURS);
        self.restart = Some(sequence_number.wrapping_add(1));
        if believed {
            self.missing.clear();
            self.highest = Some(BASE + u64::from(sequence_number));
            self.last = Some(now);
            self.restart = None;
            self.keyframe = true;
        }
    }

    fn on_late(&mut self, now: Instant, number: u64, repaired: bool) {
        let Some(missing) = self.missing.remove(&number) else { return };
        let late = now.saturating_duration_since(missing.seen);
        // Where no retransmission stream was agreed on (RFC 4588), what comes a round trip after it was asked for is the answer.
        let answered = missing.tries > 0 && late * 5 >= self.rtt * 4;
        if !repaired && !answered {
            self.tolerance.learn(now, late);
        }
    }

    fn on_gap(&mut self, now: Instant, gap: std::ops::Range<u64>, silent: bool) {
        if gap.is_empty() {
            return;
        }
        if silent {
            self.missing.clear();
            self.keyframe = true;
            return;
        }
        let due = now + self.tolerance.get(now);
        self.missing.extend(gap.map(|number| (number, Missing { seen: now, due, tries: 0, copied: false })));
        while self.missing.len() > MAX_GAP as usize {
            self.missing.pop_first();
            self.keyframe = true;
        }
    }
}
