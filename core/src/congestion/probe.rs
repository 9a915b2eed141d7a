//! Probing: when to send a cluster of packets faster than the target, and what its arrival says.

use super::sent::{Acked, Lost};
use super::{Probe, ProbeId};
use std::collections::VecDeque;

/// A cluster lasts so long at its rate, in microseconds, and has so many packets at least.
const LENGTH: f64 = 15_000.0;
const PACKETS: u32 = 5;
/// It is read when this part of it has been acknowledged,
const ENOUGH: f64 = 0.8;
/// and given up after this time, in microseconds.
const TIMEOUT: i64 = 1_000_000;
/// Clusters that may be under way at once.
const MAX_CLUSTERS: usize = 8;
/// Received this much faster than sent, the clocks are not to be trusted.
const MAX_RATIO: f64 = 2.0;
/// Received slower than this part of the rate sent, the path was full: it carries what arrived, less a little.
const FULL: f64 = 0.9;
const WHEN_FULL: f64 = 0.95;
/// The first probes, as multiples of the starting rate; each that found this part of its rate is followed by one of twice the rate.
const FIRST: [f64; 2] = [3.0, 6.0];
const GOES_ON: f64 = 0.7;
/// Probes for growth: the first after this time, in microseconds, then each 1.5 times as late, up to the longest.
const GROWTH_AFTER: i64 = 2_000_000;
const GROWTH_AT_MOST: i64 = 5_000_000;
/// A growth probe that gained more than this part shows that there is more.
const GAINED: f64 = 1.1;
/// After a large drop, within this time, one probe at this part of the rate before, not more often than each.
const DROP: f64 = 0.66;
const DROP_PROBE: f64 = 0.85;
const DROP_INTERVAL: i64 = 2_000_000;
/// While the application is limited, one probe per.
const LIMITED_INTERVAL: i64 = 5_000_000;
/// Once the target is all that is wanted: probes at these multiples of it, which show how fast one picture's packets may follow each
/// other. Short ones: the path may carry hardly more than the target. The first after this time, in microseconds, each that found less
/// four times as late, up to the longest.
pub(super) const ROOM: [f64; 2] = [3.0, 6.0];
const ROOM_FOUND: f64 = 0.8;
const ROOM_LENGTH: f64 = 6_000.0;
const ROOM_AFTER: i64 = 3_000_000;
const ROOM_AT_MOST: i64 = 120_000_000;
/// A queue from which on nothing is probed, and the queue that a probe may add, in ms.
const QUEUE: f64 = 15.0;
const ADDED_QUEUE: f64 = 40.0;

/// What the decision to probe is made from. Rates in bits per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) target: f64,
    /// What would be used if the path carried it.
    pub(super) demand: f64,
    pub(super) most: f64,
    pub(super) queue_ms: f64,
    pub(super) capacity: Option<f64>,
    /// What the path was seen to carry, at least.
    pub(super) proven: Option<f64>,
    /// Without loss, jitter, queue and cuts for a while.
    pub(super) steady: bool,
    /// The detector says "normal".
    pub(super) normal: bool,
    /// Loss holds the rate, and is not known to be random.
    pub(super) held_by_loss: bool,
    pub(super) limited_since: Option<i64>,
    /// Growth probes are off until then, after one that did harm.
    pub(super) no_growth_until: i64,
}

impl Situation {
    /// No probe is faster.
    fn highest(&self) -> f64 {
        (1.2 * self.demand).min(self.most)
    }
}

#[derive(Debug)]
struct Cluster {
    probe: Probe,
    begun: i64,
    first_sent: i64,
    last_sent: i64,
    last_sent_bytes: f64,
    first_arrived: i64,
    first_bytes: f64,
    last_arrived: i64,
    bytes: f64,
    packets: u32,
    /// Of packets that left in between and are no part of it, such as sound: the path carries them too.
    between: f64,
    lost_bytes: f64,
}

/// Starts probes and reads them.
#[derive(Debug)]
pub(super) struct Prober {
    next_id: u32,
    wanted: VecDeque<f64>,
    clusters: Vec<Cluster>,
    started: bool,
    /// The series of doubling probes goes on up to this time.
    series_until: i64,
    growth_at: i64,
    growth_wait: i64,
    limited_at: i64,
    room_at: i64,
    room_wait: i64,
    /// A recovery is due: the rate before the drop, and until when.
    recover: Option<(f64, i64)>,
    recovered_at: i64,
    demand: f64,
}

impl Prober {
    pub(super) fn new() -> Self {
        Self {
            next_id: 0,
            wanted: VecDeque::new(),
            clusters: Vec::new(),
            started: false,
            series_until: i64::MIN / 4,
            growth_at: i64::MIN / 4,
            growth_wait: GROWTH_AFTER,
            limited_at: i64::MIN / 4,
            room_at: i64::MIN / 4,
            room_wait: ROOM_AFTER,
            recover: None,
            recovered_at: i64::MIN / 4,
            demand: 0.0,
        }
    }

    /// The first media leaves.
    pub(super) fn start(&mut self, now: i64, start: f64) {
        if !std::mem::replace(&mut self.started, true) {
            self.wanted.extend(FIRST.map(|factor| factor * start));
            self.series_until = now + 2_000_000;
            self.growth_at = now + GROWTH_AFTER;
            self.room_at = now + ROOM_AFTER;
        }
    }

    /// The path is another one: what was found before holds no more.
    pub(super) fn route_changed(&mut self, now: i64, before: f64) {
        self.clusters.clear();
        self.wanted.clear();
        self.wanted.push_back(before * DROP_PROBE);
        self.series_until = now + 2_000_000;
        (self.growth_at, self.growth_wait) = (now + GROWTH_AFTER, GROWTH_AFTER);
        (self.room_at, self.room_wait) = (now + ROOM_AFTER, ROOM_AFTER);
        self.recover = None;
    }

    /// The rate was cut from this one.
    pub(super) fn cut(&mut self, now: i64, before: f64, after: f64) {
        let highest = self.recover.map_or(before, |(rate, _)| rate.max(before));
        if after < DROP * highest {
            self.recover = Some((highest, now + 5_000_000));
            self.growth_wait = GROWTH_AFTER;
            self.growth_at = self.growth_at.min(now + GROWTH_AFTER);
        }
    }

    /// The path carries more than was known: a probe for growth is due.
    pub(super) fn hurry(&mut self, now: i64) {
        self.growth_at = self.growth_at.min(now);
        self.growth_wait = GROWTH_AFTER;
    }

    /// The feedback is there again after a silence: the rate before it is worth a try.
    pub(super) fn recover(&mut self, now: i64, before: f64) {
        self.recover = Some((before, now + 5_000_000));
    }

    /// The next cluster to send, if there is one.
    pub(super) fn next(&mut self, now: i64, at: &Situation) -> Option<Probe> {
        self.clusters.retain(|cluster| now - cluster.begun < TIMEOUT);
        if !self.started || self.clusters.len() >= MAX_CLUSTERS {
            return None;
        }
        if at.held_by_loss || !at.normal {
            self.wanted.clear();
            self.growth_at = self.growth_at.max(now + 1_000_000);
            return None;
        }
        if self.clusters.is_empty() {
            self.want(now, at);
        }
        let (rate, length) = match self.wanted.pop_front() {
            Some(wanted) => (wanted.min(at.highest()), LENGTH),
            None => (self.room(now, at)?, ROOM_LENGTH),
        };
        if rate < 1.05 * at.target {
            return None;
        }
        let bytes = rate / 8e6 * length;
        let bytes = bytes.max(f64::from(PACKETS) * 200.0);
        if let Some(capacity) = at.capacity
            && (bytes * 8.0 / capacity - bytes * 8.0 / rate) * 1e3 > ADDED_QUEUE
        {
            return None;
        }
        let id = ProbeId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let probe = Probe { id, rate_bps: rate as u32, min_packets: PACKETS, min_bytes: bytes as u32 };
        self.clusters.push(Cluster {
            probe,
            begun: now,
            first_sent: i64::MAX,
            last_sent: i64::MIN,
            last_sent_bytes: 0.0,
            first_arrived: i64::MAX,
            first_bytes: 0.0,
            last_arrived: i64::MIN,
            bytes: 0.0,
            packets: 0,
            between: 0.0,
            lost_bytes: 0.0,
        });
        Some(probe)
    }

    fn want(&mut self, now: i64, at: &Situation) {
        if !self.wanted.is_empty() {
            return;
        }
        if at.demand > 1.2 * self.demand.max(1.0) && at.target < at.demand && self.demand > 0.0 {
            self.wanted.push_back(at.demand.min(2.0 * at.target));
            self.series_until = now + 2_000_000;
            self.demand = at.demand;
            return;
        }
        self.demand = at.demand;
        if let Some((before, until)) = self.recover {
            if now > until || at.target > DROP_PROBE * before {
                self.recover = None;
            } else if at.queue_ms < QUEUE && now - self.recovered_at >= DROP_INTERVAL {
                self.recovered_at = now;
                self.series_until = now + 2_000_000;
                self.wanted.push_back(DROP_PROBE * before);
                return;
            }
        }
        if at.target >= 0.95 * at.demand || at.queue_ms >= QUEUE || now < at.no_growth_until {
            return;
        }
        let limited = at.limited_since.is_some_and(|since| now - since >= LIMITED_INTERVAL);
        if now >= self.growth_at || limited && now - self.limited_at >= LIMITED_INTERVAL {
            self.wanted.push_back(2.0 * at.target);
            self.series_until = now + 2_000_000;
            self.limited_at = now;
            // Unless the result says otherwise.
            self.growth_wait = (self.growth_wait * 3 / 2).min(GROWTH_AT_MOST);
            self.growth_at = now + self.growth_wait;
        }
    }

    /// Where the path carries all that is wanted, the rate at which to look whether it carries much more.
    fn room(&mut self, now: i64, at: &Situation) -> Option<f64> {
        let is_all = at.target >= 0.95 * at.demand;
        if !is_all || !at.steady || now < self.room_at || !self.clusters.is_empty() {
            return None;
        }
        let proven = at.proven.unwrap_or(0.0);
        let factor = ROOM.into_iter().find(|factor| proven < ROOM_FOUND * factor * at.target)?;
        self.room_at = now + self.room_wait;
        self.room_wait = (self.room_wait * 4).min(ROOM_AT_MOST);
        Some(factor * at.target)
    }

    pub(super) fn lost(&mut self, packet: &Lost) {
        for cluster in &mut self.clusters {
            if (cluster.first_sent..=cluster.last_sent).contains(&packet.sent_at) {
                cluster.lost_bytes += f64::from(packet.wire_bytes);
            }
        }
    }

    /// A packet arrived. Gives the rate that was found when that decides it.
    pub(super) fn acked(&mut self, now: i64, packet: &Acked, at: &Situation) -> Option<f64> {
        let Some(id) = packet.probe else {
            for cluster in self.clusters.iter_mut().filter(|cluster| cluster.first_sent <= packet.sent_at) {
                cluster.between += f64::from(packet.wire_bytes);
            }
            return None;
        };
        let index = self.clusters.iter().position(|cluster| cluster.probe.id == id)?;
        let cluster = &mut self.clusters[index];
        cluster.add(packet);
        let found = cluster.result()?;
        let probe = cluster.probe;
        self.clusters.remove(index);
        let found = found?;
        let rate = f64::from(probe.rate_bps);
        let more = 1.05 * rate < at.highest();
        if now < self.series_until && found > GOES_ON * rate && more && 2.0 * rate <= 2.4 * at.demand {
            self.wanted.push_back(2.0 * rate);
        }
        if found > ROOM_FOUND * ROOM[0] * at.target {
            (self.room_at, self.room_wait) = (now, ROOM_AFTER);
        }
        if found > GAINED * at.target {
            self.growth_wait = GROWTH_AFTER;
            self.growth_at = now + GROWTH_AFTER;
        }
        Some(found)
    }
}

impl Cluster {
    fn add(&mut self, packet: &Acked) {
        let bytes = f64::from(packet.wire_bytes);
        self.first_sent = self.first_sent.min(packet.sent_at);
        if packet.sent_at >= self.last_sent {
            (self.last_sent, self.last_sent_bytes) = (packet.sent_at, bytes);
        }
        if packet.arrived_at < self.first_arrived {
            (self.first_arrived, self.first_bytes) = (packet.arrived_at, bytes);
        }
        self.last_arrived = self.last_arrived.max(packet.arrived_at);
        self.bytes += bytes + std::mem::take(&mut self.between);
        self.packets += 1;
    }

    /// Nothing as long as too little is there; then the rate, or that it says nothing.
    fn result(&self) -> Option<Option<f64>> {
        let kept = (self.bytes / (self.bytes + self.lost_bytes).max(1.0)).max(0.5);
        let packets = f64::from(self.probe.min_packets) * ENOUGH * kept;
        let bytes = f64::from(self.probe.min_bytes) * ENOUGH * kept;
        if f64::from(self.packets) < packets || self.bytes < bytes {
            return None;
        }
        let (sent_for, received_for) = (self.last_sent - self.first_sent, self.last_arrived - self.first_arrived);
        if sent_for <= 0 || received_for <= 0 {
            return Some(None);
        }
        let sent = (self.bytes - self.last_sent_bytes) * 8e6 / sent_for as f64;
        let received = (self.bytes - self.first_bytes) * 8e6 / received_for as f64;
        if sent <= 0.0 || received / sent > MAX_RATIO {
            return Some(None);
        }
        let found = if received < FULL * sent { WHEN_FULL * received } else { sent.min(received) };
        Some(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::congestion::Class;

    const AT: Situation = Situation {
        target: 300_000.0,
        demand: 2_500_000.0,
        most: 3_000_000.0,
        queue_ms: 0.0,
        capacity: None,
        proven: None,
        steady: true,
        normal: true,
        held_by_loss: false,
        limited_since: None,
        no_growth_until: 0,
    };

    /// What is found by up to so many probes at a target that is all that is wanted, within five minutes.
    fn rooms(capacity: f64) -> Vec<(f64, f64)> {
        let mut prober = Prober::new();
        prober.start(0, 300_000.0);
        prober.wanted.clear();
        let mut at = Situation { target: 2_500_000.0, ..AT };
        let mut found = Vec::new();
        for now in (0..300_000_000).step_by(100_000) {
            if let Some(probe) = prober.next(now, &at) {
                let rate = answer(&mut prober, probe, capacity, &at).unwrap();
                at.proven = Some(at.proven.map_or(rate, |most| most.max(rate)));
                found.push((now as f64 / 1e6, rate));
            }
        }
        found
    }

    #[test]
    fn a_wide_path_is_found_to_be_one_by_two_short_probes() {
        let found = rooms(100e6);
        let rates: Vec<f64> = found.iter().map(|(_, rate)| (rate / 1e6).round()).collect();
        assert_eq!(rates, [8.0, 15.0], "{found:?}");
        assert!(found[1].0 < 5.0, "{found:?}");
    }

    #[test]
    fn a_path_that_carries_hardly_more_than_is_wanted_is_seldom_asked() {
        let found = rooms(3e6);
        assert!((3..=6).contains(&found.len()), "{found:?}");
    }

    fn answer(prober: &mut Prober, probe: Probe, capacity: f64, at: &Situation) -> Option<f64> {
        let bytes = (probe.min_bytes / probe.min_packets + 1).max(200);
        let (mut sent_at, mut arrived_at) = (1_000_000.0, 1_020_000.0_f64);
        let mut found = None;
        for _ in 0..probe.min_packets {
            let each = f64::from(bytes) * 8e6;
            arrived_at = f64::max(arrived_at, sent_at + 20_000.0) + each / capacity;
            let packet = Acked {
                sent_at: sent_at as i64,
                arrived_at: arrived_at as i64,
                wire_bytes: bytes,
                class: Class::Video,
                probe: Some(probe.id),
            };
            sent_at += each / f64::from(probe.rate_bps);
            found = found.or(prober.acked(1_100_000, &packet, at));
        }
        found
    }

    #[test]
    fn the_series_ends_with_the_fastest_probe_there_is() {
        let mut prober = Prober::new();
        prober.start(0, 2_500_000.0);
        let fast = Situation { target: 2_500_000.0, ..AT };
        let mut probes = 0;
        while let Some(probe) = prober.next(0, &fast) {
            assert_eq!(probe.rate_bps, 3_000_000);
            answer(&mut prober, probe, 100e6, &AT);
            probes += 1;
            assert!(probes <= FIRST.len(), "it would go on for two seconds");
        }
    }

    #[test]
    fn the_first_probes_are_three_and_six_times_the_start() {
        let mut prober = Prober::new();
        assert_eq!(prober.next(0, &AT), None, "nothing is sent yet");
        prober.start(0, 300_000.0);
        let rates: Vec<u32> = std::iter::from_fn(|| prober.next(0, &AT)).map(|probe| probe.rate_bps).collect();
        assert_eq!(rates, [900_000, 1_800_000]);
    }

    #[test]
    fn a_wide_path_gives_the_rate_probed_and_a_full_one_a_little_less_than_it_carries() {
        let mut prober = Prober::new();
        prober.start(0, 300_000.0);
        let wide = prober.next(0, &AT).unwrap();
        let found = answer(&mut prober, wide, 20e6, &AT).unwrap();
        assert!((found / 900_000.0 - 1.0).abs() < 0.1, "{found}");
        let full = prober.next(0, &AT).unwrap();
        let found = answer(&mut prober, full, 1e6, &AT).unwrap();
        assert!((found / 950_000.0 - 1.0).abs() < 0.05, "{found}");
    }

    #[test]
    fn nothing_is_probed_into_a_queue_or_while_loss_holds() {
        for at in [
            Situation { queue_ms: 15.0, ..AT },
            Situation { normal: false, ..AT },
            Situation { held_by_loss: true, ..AT },
            Situation { target: 2_400_000.0, steady: false, ..AT },
            Situation { no_growth_until: 20_000_000, ..AT },
        ] {
            let mut prober = Prober::new();
            prober.start(0, 300_000.0);
            prober.wanted.clear();
            assert_eq!(prober.next(10_000_000, &at), None, "{at:?}");
        }
    }

    #[test]
    fn growth_is_probed_ever_later_while_it_gains_nothing() {
        let mut prober = Prober::new();
        prober.start(0, 300_000.0);
        prober.wanted.clear();
        let times: Vec<i64> = (0..30_000).filter(|ms| prober.next(ms * 1000, &AT).is_some()).collect();
        assert_eq!(times, [2_000, 5_000, 9_500, 14_500, 19_500, 24_500, 29_500]);
    }

    #[test]
    fn growth_is_probed_at_once_where_more_arrives_than_was_known() {
        let mut prober = Prober::new();
        prober.start(0, 300_000.0);
        prober.wanted.clear();
        assert!(prober.next(2_000_000, &AT).is_some());
        assert_eq!(prober.next(3_500_000, &AT), None);
        prober.hurry(3_500_000);
        assert!(prober.next(3_500_000, &AT).is_some());
    }

    #[test]
    fn after_a_large_drop_the_old_rate_is_tried_soon() {
        let mut prober = Prober::new();
        prober.start(0, 300_000.0);
        prober.wanted.clear();
        prober.cut(1_000_000, 2_000_000.0, 250_000.0);
        let at = Situation { target: 250_000.0, ..AT };
        assert_eq!(prober.next(1_100_000, &Situation { queue_ms: 90.0, ..at }), None);
        assert_eq!(prober.next(1_200_000, &at).unwrap().rate_bps, 1_700_000);
    }
}
