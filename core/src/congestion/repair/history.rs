//! The sender's half of repair: what was sent, and what of it is sent again.

use super::super::sequence::nearest;
use super::budget::RetransmissionBudget;
use super::{COPY_DISTANCE, FIRST_RTT, LONG_RTT, repair_wait};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How long packets are kept at least; three round trips if that is more.
const MIN_AGE: Duration = Duration::from_secs(1);
/// Bytes of packets that are kept, headers included.
const MAX_BYTES: u64 = 2_000_000;
/// Packets that are kept.
const MAX_PACKETS: usize = 8_192;
/// Repair that would take longer than this makes way for a keyframe.
const MAX_REPAIR_TIME: Duration = Duration::from_millis(300);
/// Requests that are looked at in [`FLOOD_WINDOW`]: three times what a wide gap brings.
const MAX_REQUESTS: u32 = 1_000;
const FLOOD_WINDOW: Duration = Duration::from_millis(100);
/// Bounds of the round-trip time that is reckoned with.
const RTT_BOUNDS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(2));
/// Where 64-bit numbers begin, so that numbers below the first one are above zero.
const BASE: u64 = 1 << 32;

/// A packet that has to be sent again now.
#[derive(Debug)]
pub struct Repeat<'a, P> {
    /// Its number in the original stream.
    pub sequence_number: u16,
    /// The packet, as given to [`RetransmissionHistory::on_sent`].
    pub packet: &'a P,
    /// Its size on the wire.
    pub bytes: u32,
    /// After this the other side has no more use for it.
    pub deadline: Instant,
}

/// What became of the requests of the other side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RepairCounts {
    /// Packets asked for.
    pub asked: u64,
    /// Packets sent again, second copies included.
    pub repeated: u64,
    /// Never sent, or not kept any more.
    pub unknown: u64,
    /// Asked for again before the last answer can have arrived.
    pub too_soon: u64,
    /// Past the time at which the other side has a use for it, when asked for or while it waited for its turn.
    pub too_late: u64,
    /// More at once than are looked at.
    pub flood: u64,
}

/// What one stream sent, for as long as it may be asked for again.
pub struct RetransmissionHistory<P> {
    kept: VecDeque<Kept<P>>,
    bytes: u64,
    /// What has to be sent again, and from when on.
    wanted: BTreeMap<u64, Wanted>,
    rtt: Duration,
    /// Without queues: what is long by a queue becomes longer by copies.
    least_rtt: Option<Duration>,
    window: Option<(Instant, u32)>,
    counts: RepairCounts,
    /// Packets below this number are not repeated any more: a keyframe takes their place.
    given_up_below: u64,
}

struct Kept<P> {
    number: u64,
    packet: P,
    bytes: u32,
    sent: Instant,
    asked: Option<Instant>,
    repeated: Option<Instant>,
}

struct Wanted {
    copies: u8,
    due: Instant,
    deadline: Instant,
}

impl<P> Default for RetransmissionHistory<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> RetransmissionHistory<P> {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            wanted: BTreeMap::new(),
            rtt: FIRST_RTT,
            least_rtt: None,
            window: None,
            counts: RepairCounts::default(),
            given_up_below: 0,
        }
    }

    /// A packet left for the first time; `bytes` is its size on the wire. Numbers go up; one that does not begins anew.
    pub fn on_sent(&mut self, now: Instant, sequence_number: u16, packet: P, bytes: u32) {
        let number = match self.kept.back().map(|last| last.number) {
            None => BASE + u64::from(sequence_number),
            Some(last) => match nearest(last, sequence_number).filter(|&number| number > last) {
                Some(number) => number,
                None => {
                    self.clear();
                    BASE + u64::from(sequence_number)
                }
            },
        };
        self.bytes += u64::from(bytes);
        self.kept.push_back(Kept { number, packet, bytes, sent: now, asked: None, repeated: None });
        self.forget(now);
    }

    /// The other side asks for a packet. `rtt` is the smoothed round-trip time of now, queues included, once one was measured.
    pub fn on_nack(&mut self, now: Instant, sequence_number: u16, rtt: Option<Duration>) {
        self.counts.asked += 1;
        if self.is_flood(now) {
            self.counts.flood += 1;
            return;
        }
        if let Some(rtt) = rtt {
            self.rtt = rtt.clamp(RTT_BOUNDS.0, RTT_BOUNDS.1);
            self.least_rtt = Some(self.least_rtt.map_or(self.rtt, |least| least.min(self.rtt)));
        }
        let Some(number) = self.kept.back().and_then(|last| nearest(last.number, sequence_number)) else {
            self.counts.unknown += 1;
            return;
        };
        let found = self.kept.binary_search_by_key(&number, |k| k.number).ok();
        let Some(kept) = found.and_then(|at| self.kept.get_mut(at)) else {
            self.counts.unknown += 1;
            return;
        };
        let since = |at: Instant| now.saturating_duration_since(at);
        // The other side saw the gap half a round trip before it could first ask, and waits from then on.
        let first = *kept.asked.get_or_insert(now);
        let deadline = (first + repair_wait(self.rtt)).checked_sub(self.rtt).unwrap_or(first);
        if number < self.given_up_below || now > deadline || since(kept.sent) > max_age(self.rtt) {
            self.counts.too_late += 1;
            return;
        }
        if self.wanted.contains_key(&number) || kept.repeated.is_some_and(|at| since(at) * 5 < self.rtt * 4) {
            self.counts.too_soon += 1;
            return;
        }
        let copies = if kept.repeated.is_some() || self.least_rtt >= Some(LONG_RTT) { 2 } else { 1 };
        self.wanted.insert(number, Wanted { copies, due: now, deadline });
    }

    /// The next packet that has to be sent again by now, as far as the budget allows. To be called until there is none: after
    /// requests and at [`RetransmissionHistory::next_wake`].
    pub fn poll(&mut self, now: Instant, budget: &mut RetransmissionBudget) -> Option<Repeat<'_, P>> {
        let before = self.wanted.len();
        self.wanted.retain(|_, w| w.deadline >= now);
        self.counts.too_late += (before - self.wanted.len()) as u64;
        let (number, at) = self.first()?;
        let kept = self.kept.get_mut(at)?;
        if self.wanted.get(&number)?.due > now {
            return None;
        }
        if !budget.take(now, kept.bytes) {
            return None;
        }
        let wanted = self.wanted.get_mut(&number)?;
        let deadline = wanted.deadline;
        wanted.copies -= 1;
        wanted.due = now + COPY_DISTANCE;
        if wanted.copies == 0 {
            self.wanted.remove(&number);
        }
        kept.repeated = Some(now);
        self.counts.repeated += 1;
        // The low 16 bits are what the wire carries.
        Some(Repeat { sequence_number: number as u16, packet: &kept.packet, bytes: kept.bytes, deadline })
    }

    /// When [`RetransmissionHistory::poll`] has something to do.
    pub fn next_wake(&self, budget: &RetransmissionBudget) -> Option<Instant> {
        let (number, at) = self.first()?;
        Some(self.wanted.get(&number)?.due.max(budget.ready(self.kept.get(at)?.bytes)))
    }

    /// What was sent last, the newest first, with sizes on the wire: for padding, which has to be something that a receiver
    /// takes without harm.
    pub fn recent(&self) -> impl Iterator<Item = (&P, u32)> {
        self.kept.iter().rev().map(|k| (&k.packet, k.bytes))
    }

    /// Whether more is asked for than can be repeated before it is too late: then none of it is repeated, and the caller makes a
    /// keyframe, which mends the picture sooner. What was sent before is not repeated after that.
    pub fn gives_up(&mut self, budget: &RetransmissionBudget) -> bool {
        let kept = |number: &u64| self.kept.binary_search_by_key(number, |k| k.number).ok();
        let bytes = self.wanted.keys().filter_map(|number| Some(u64::from(self.kept.get(kept(number)?)?.bytes))).sum();
        if budget.time_for(bytes) <= MAX_REPAIR_TIME {
            return false;
        }
        self.give_up();
        true
    }

    /// A keyframe takes the place of all that was sent so far: none of it is repeated any more.
    pub fn give_up(&mut self) {
        self.counts.too_late += self.wanted.len() as u64;
        self.wanted.clear();
        self.given_up_below = self.kept.back().map_or(0, |last| last.number + 1);
    }

    /// What became of the requests so far.
    pub fn counts(&self) -> RepairCounts {
        self.counts
    }

    /// What is due first, and where it is kept. Nothing is wanted that is not kept.
    fn first(&self) -> Option<(u64, usize)> {
        let (&number, _) = self.wanted.iter().min_by_key(|&(&number, w)| (w.due, number))?;
        Some((number, self.kept.binary_search_by_key(&number, |k| k.number).ok()?))
    }

    fn is_flood(&mut self, now: Instant) -> bool {
        let (since, requests) = self.window.get_or_insert((now, 0));
        if now.saturating_duration_since(*since) >= FLOOD_WINDOW {
            (*since, *requests) = (now, 0);
        }
        *requests = requests.saturating_add(1);
        *requests > MAX_REQUESTS
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.wanted.clear();
        self.bytes = 0;
    }

    fn forget(&mut self, now: Instant) {
        let age = max_age(self.rtt);
        while let Some(first) = self.kept.front() {
            let old = now.saturating_duration_since(first.sent) > age;
            if !old && self.bytes <= MAX_BYTES && self.kept.len() <= MAX_PACKETS {
                return;
            }
            self.bytes = self.bytes.saturating_sub(u64::from(first.bytes));
            self.wanted.remove(&first.number);
            self.kept.pop_front();
        }
    }
}

fn max_age(rtt: Duration) -> Duration {
    MIN_AGE.max(rtt.saturating_mul(3))
}
