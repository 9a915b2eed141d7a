//! The receiving half of an endpoint's video: what arrived, what to ask for, which pictures are whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::link::MILLI;
use super::packet::{RepairPacket, VideoPacket, instant, micros};
use crate::congestion::repair::{NackGenerator, repair_wait};

/// Transport-wide arrivals, told again if something comes late (draft-holmer-rmcat-transport-wide-cc).
#[derive(Default)]
pub(super) struct Arrivals {
    times: BTreeMap<u64, i64>,
    /// The next report starts here; `None`: nothing new.
    from: Option<u64>,
    next: u64,
}

impl Arrivals {
    pub(super) fn record(&mut self, number: u64, at: i64) {
        if self.times.contains_key(&number) {
            return;
        }
        // 250 µs is what the format can tell.
        self.times.insert(number, at.div_euclid(250) * 250);
        let start = number.min(self.next);
        let start = if self.next == 0 { number } else { start };
        self.from = Some(self.from.map_or(start, |from| from.min(start)));
        while self.times.len() > 2_000 {
            self.times.pop_first();
        }
    }

    pub(super) fn report(&mut self) -> Option<(u64, Vec<Option<i64>>)> {
        let from = self.from.take()?;
        let last = *self.times.last_key_value()?.0;
        let from = from.max(last.saturating_sub(4_000));
        let arrivals = (from..=last).map(|number| self.times.get(&number).copied()).collect();
        self.next = last + 1;
        Some((from, arrivals))
    }
}

struct Frame {
    captured: u64,
    key: bool,
    got: BTreeSet<u32>,
    count: u32,
    first_sequence: u64,
}

impl Frame {
    fn whole(&self) -> bool {
        self.got.len() as u32 == self.count
    }
}

/// A picture that can be decoded: when it was captured, and whether it is a keyframe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoded {
    pub(super) captured: u64,
}

pub(super) struct VideoReceiver {
    nack: NackGenerator,
    frames: BTreeMap<u64, Frame>,
    repairs: Vec<RepairPacket>,
    recovered: Vec<VideoPacket>,
    next_frame: u64,
    needs_key: bool,
    highest_sequence: Option<u64>,
    /// Since when the next picture has a hole with something behind it.
    gap_since: Option<u64>,
    started: Option<u64>,
    last_picture_loss: Option<u64>,
    /// A keyframe has begun to come: no need to ask again.
    key_on_its_way: bool,
    pub(super) gave_up: u32,
}

impl VideoReceiver {
    pub(super) fn new() -> Self {
        Self {
            nack: NackGenerator::new(),
            frames: BTreeMap::new(),
            repairs: Vec::new(),
            recovered: Vec::new(),
            next_frame: 0,
            needs_key: true,
            highest_sequence: None,
            gap_since: None,
            started: None,
            last_picture_loss: None,
            key_on_its_way: false,
            gave_up: 0,
        }
    }

    pub(super) fn next_wake(&self, rtt: u64) -> u64 {
        let nack = self.nack.next_wake().map_or(u64::MAX, micros);
        let wait = self.gap_since.map_or(u64::MAX, |since| since + repair_wait_us(rtt));
        let ask = match (self.started, self.needs_key && !self.key_on_its_way) {
            (Some(started), true) => {
                self.last_picture_loss.map_or(started + 200 * MILLI, |last| last + picture_loss_interval(rtt))
            }
            _ => u64::MAX,
        };
        nack.min(wait).min(ask)
    }

    pub(super) fn packet(&mut self, now: u64, packet: &VideoPacket, repeated: bool, decoded: &mut Vec<Decoded>) {
        self.started.get_or_insert(now);
        self.nack.on_packet(instant(now), packet.sequence as u16, repeated);
        self.highest_sequence = Some(self.highest_sequence.map_or(packet.sequence, |high| high.max(packet.sequence)));
        if packet.frame < self.next_frame {
            return;
        }
        self.key_on_its_way |= packet.key;
        let frame = self.frames.entry(packet.frame).or_insert_with(|| Frame {
            captured: packet.captured,
            key: packet.key,
            got: BTreeSet::new(),
            count: packet.count,
            first_sequence: packet.sequence - u64::from(packet.index),
        });
        frame.got.insert(packet.index);
        self.decode(now, decoded);
        self.recover(now, decoded);
    }

    /// What forward error correction has brought back since this was last asked.
    pub(super) fn take_recovered(&mut self) -> Vec<VideoPacket> {
        std::mem::take(&mut self.recovered)
    }

    /// Forward error correction came.
    pub(super) fn repair(&mut self, now: u64, repair: RepairPacket, decoded: &mut Vec<Decoded>) {
        self.repairs.push(repair);
        self.recover(now, decoded);
    }

    fn recover(&mut self, now: u64, decoded: &mut Vec<Decoded>) {
        let next = self.next_frame;
        self.repairs.retain(|repair| repair.first.frame >= next);
        let found = self.repairs.iter().enumerate().find_map(|(n, repair)| {
            let got = |index: &u32| self.frames.get(&repair.first.frame).is_some_and(|frame| frame.got.contains(index));
            let mut lacks = (repair.set..repair.first.count).step_by(repair.sets as usize).filter(|index| !got(index));
            let lacks = (lacks.next(), lacks.next());
            match lacks {
                (None, _) => Some((n, None)),
                (Some(index), None) => {
                    let sequence = repair.first.sequence + u64::from(index);
                    Some((n, Some(VideoPacket { sequence, index, ..repair.first })))
                }
                _ => None,
            }
        });
        let Some((n, recovered)) = found else { return };
        self.repairs.remove(n);
        match recovered {
            Some(packet) => {
                self.recovered.push(packet);
                self.packet(now, &packet, true, decoded);
            }
            None => self.recover(now, decoded),
        }
    }

    fn decode(&mut self, now: u64, decoded: &mut Vec<Decoded>) {
        loop {
            let next = self.frames.get(&self.next_frame);
            if next.is_some_and(|frame| frame.whole() && (frame.key || !self.needs_key)) {
                self.take(self.next_frame, decoded);
                continue;
            }
            // A newer keyframe that is whole ends the wait for what is before it.
            let newer = self.frames.iter().find(|(_, frame)| frame.key && frame.whole()).map(|(id, _)| *id);
            if let Some(newer) = newer {
                self.take(newer, decoded);
                continue;
            }
            if self.needs_key {
                // Pictures that lean on one that is lost are of no use.
                let key = self.frames.iter().find(|(_, frame)| frame.key).map(|(id, _)| *id);
                let keep = key.unwrap_or(u64::MAX);
                self.frames.retain(|id, _| *id >= keep);
                if let Some(key) = key {
                    self.next_frame = key;
                }
            }
            break;
        }
        self.gap_since = if self.has_gap() { self.gap_since.or(Some(now)) } else { None };
    }

    fn take(&mut self, id: u64, decoded: &mut Vec<Decoded>) {
        let Some(frame) = self.frames.remove(&id) else { return };
        decoded.push(Decoded { captured: frame.captured });
        self.next_frame = id + 1;
        self.needs_key = false;
        self.key_on_its_way = false;
        self.gap_since = None;
        self.frames.retain(|other, _| *other > id);
        self.nack.forget_before(frame.first_sequence as u16);
    }

    /// Whether the picture that is due lacks something although later packets are here.
    fn has_gap(&self) -> bool {
        let Some(highest) = self.highest_sequence else { return false };
        match self.frames.get(&self.next_frame) {
            Some(frame) => {
                let last = frame.first_sequence + u64::from(frame.count) - 1;
                let missing_within = frame.got.last().is_some_and(|last| *last as usize >= frame.got.len());
                missing_within || (highest > last && !frame.whole())
            }
            None => !self.needs_key && !self.frames.is_empty(),
        }
    }

    /// What to ask for now: numbers (NACK), and whether a keyframe (PLI).
    pub(super) fn poll(&mut self, now: u64, rtt: u64, measured: Option<Duration>) -> (Vec<u16>, bool) {
        if self.gap_since.is_some_and(|since| now >= since + repair_wait_us(rtt)) {
            self.gap_since = None;
            self.gave_up += 1;
            self.needs_key = true;
            self.key_on_its_way = false;
            self.frames.remove(&self.next_frame);
            self.frames.retain(|_, frame| frame.key);
            if let Some(first) = self.frames.keys().next() {
                self.next_frame = *first;
                self.key_on_its_way = true;
            }
            if let Some(highest) = self.highest_sequence {
                self.nack.forget_before(highest.wrapping_add(1) as u16);
            }
        }
        if let Some(rtt) = measured {
            self.nack.set_rtt(rtt);
        }
        let numbers = self.nack.poll(instant(now));
        if self.nack.take_keyframe_request() && !self.needs_key {
            self.needs_key = true;
            self.key_on_its_way = false;
            self.gave_up += 1;
        }
        let ask = self.needs_key
            && !self.key_on_its_way
            && self.started.is_some_and(|started| {
                self.last_picture_loss.map_or(self.gave_up > 0 || now >= started + 200 * MILLI, |last| {
                    now >= last + picture_loss_interval(rtt)
                })
            });
        if ask {
            self.last_picture_loss = Some(now);
        }
        (numbers, ask)
    }
}

/// After a picture's first gap, until it is given up.
fn repair_wait_us(rtt: u64) -> u64 {
    repair_wait(Duration::from_micros(rtt)).as_micros() as u64
}

fn picture_loss_interval(rtt: u64) -> u64 {
    (300 * MILLI).max(rtt + 100 * MILLI)
}
