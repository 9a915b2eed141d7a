//! Sound by its packets alone: what the microphone sends, and what the jitter buffer at the other end makes of it.

use std::collections::{BTreeMap, VecDeque};

use super::link::{MILLI, SECOND};
use super::packet::{Piece, SoundPacket};
use crate::congestion::AudioPlan;

/// Sound is counted in pieces of 20 ms.
pub(super) const UNIT: u64 = 20 * MILLI;

/// Sends without a pause: silence would hide what is lost.
pub(super) struct Microphone {
    next: u64,
    sent: VecDeque<Piece>,
}

impl Microphone {
    pub(super) fn new(first: u64) -> Self {
        Self { next: first, sent: VecDeque::new() }
    }

    pub(super) fn next_wake(&self) -> u64 {
        self.next
    }

    /// The packet that is due, and the bytes of its payload.
    pub(super) fn packet(&mut self, now: u64, plan: &AudioPlan) -> Option<(SoundPacket, u32)> {
        let units = (plan.frame.as_micros() as u64 / UNIT).clamp(1, 3);
        if now < self.next {
            return None;
        }
        let piece = Piece { first: self.next / UNIT, units };
        self.next += units * UNIT;
        let bytes = u64::from(plan.bitrate_bps) * units * UNIT / 8 / SECOND;
        let mut payload = bytes as u32;
        let mut copies = [None; 2];
        for (slot, earlier) in copies.iter_mut().zip(&self.sent).take(usize::from(plan.redundancy)) {
            *slot = Some(*earlier);
            payload += bytes as u32 + 4;
        }
        if plan.redundancy > 0 {
            payload += 1;
        }
        // libopus gives up the copy of low quality where the rate is too small for both.
        let least = 16_000 * (125 - u32::from(plan.loss_percent.min(25))) / 100;
        let fec = (plan.loss_percent > 0 && plan.bitrate_bps >= least).then(|| self.sent.front().copied()).flatten();
        self.sent.push_front(piece);
        self.sent.truncate(2);
        Some((SoundPacket { piece, copies, fec }, payload))
    }
}

/// How good a piece is that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Quality {
    /// From in-band FEC.
    Low,
    Full,
}

/// A jitter buffer in the manner of NetEq: the delay follows a quantile of what was seen, grows by stretching and by concealment, shrinks by a tenth.
pub(super) struct JitterBuffer {
    pieces: BTreeMap<u64, Quality>,
    /// The piece to play next; nothing plays before the first packet.
    next: Option<u64>,
    tick: u64,
    /// Pieces concealed since one was played, without moving on.
    held: u64,
    /// Arrival minus capture, of late.
    transits: VecDeque<u64>,
    sorted: Vec<u64>,
    target: u64,
    pub(super) played: u64,
    pub(super) concealed: u64,
    /// Those that came, but too late.
    pub(super) late: u64,
    turn: u32,
}

/// The most that sound waits.
const MOST: u64 = 600 * MILLI;
const WINDOW: usize = 250;

impl JitterBuffer {
    pub(super) fn new() -> Self {
        Self {
            pieces: BTreeMap::new(),
            next: None,
            tick: u64::MAX,
            held: 0,
            transits: VecDeque::new(),
            sorted: Vec::new(),
            target: UNIT,
            played: 0,
            concealed: 0,
            late: 0,
            turn: 0,
        }
    }

    pub(super) fn next_wake(&self) -> u64 {
        self.tick
    }

    pub(super) fn delay(&self, now: u64) -> u64 {
        self.next.map_or(0, |next| now.saturating_sub(next * UNIT))
    }

    pub(super) fn arrived(&mut self, now: u64, packet: &SoundPacket) {
        let end = (packet.piece.first + packet.piece.units) * UNIT;
        let transit = now.saturating_sub(end);
        self.transits.push_back(transit);
        self.sorted.insert(self.sorted.partition_point(|other| *other < transit), transit);
        if self.transits.len() > WINDOW
            && let Some(old) = self.transits.pop_front()
        {
            self.sorted.remove(self.sorted.partition_point(|other| *other < old));
        }
        self.aim(packet.piece.units * UNIT);
        if self.next.is_none() {
            self.next = Some(packet.piece.first);
            self.tick = now + self.target.min(2 * UNIT);
        }
        let next = self.next.unwrap_or(0);
        if packet.piece.first + packet.piece.units <= next {
            self.late += 1;
        }
        let extra = packet.copies.iter().flatten().map(|piece| (*piece, Quality::Full));
        let fec = packet.fec.iter().map(|piece| (*piece, Quality::Low));
        for (piece, quality) in [(packet.piece, Quality::Full)].into_iter().chain(extra).chain(fec) {
            for unit in piece.first..piece.first + piece.units {
                if unit >= next {
                    let known = self.pieces.entry(unit).or_insert(quality);
                    *known = (*known).max(quality);
                }
            }
        }
    }

    /// The delay that 97 of 100 packets keep, over that of the quickest.
    fn aim(&mut self, frame: u64) {
        let least = self.sorted[0];
        let high = self.sorted[(self.sorted.len() * 97 / 100).min(self.sorted.len() - 1)];
        self.target = (high - least + UNIT.max(frame / 2)).min(MOST);
    }

    /// Plays what is due. Returns pieces played and concealed.
    pub(super) fn play(&mut self, now: u64) -> (u64, u64) {
        let before = (self.played, self.concealed);
        while self.tick <= now {
            self.tick += UNIT;
            self.step(now);
        }
        (self.played - before.0, self.concealed - before.1)
    }

    fn step(&mut self, now: u64) {
        let Some(next) = self.next else { return };
        self.turn = self.turn.wrapping_add(1);
        let first = self.pieces.keys().next().copied();
        // Those that were waited for with concealed sound need no second concealment.
        let next = match first {
            Some(first) if first > next && first - next <= self.held => first,
            _ => next,
        };
        self.next = Some(next);
        let least = self.sorted.first().copied().unwrap_or(0);
        let waits = now.saturating_sub(next * UNIT + UNIT).saturating_sub(least);
        if waits + UNIT / 2 < self.target && self.turn.is_multiple_of(4) && first == Some(next) {
            // Stretched: what is there lasts longer.
            self.played += 1;
            return;
        }
        if self.pieces.remove(&next).is_some() {
            self.played += 1;
            self.held = 0;
            self.next = Some(next + 1);
            if waits > self.target + UNIT && self.turn.is_multiple_of(10) && self.pieces.remove(&(next + 1)).is_some() {
                // Compressed by a tenth.
                self.next = Some(next + 2);
            }
            return;
        }
        self.concealed += 1;
        if first.is_some() {
            // What comes after it is here: this one is given up.
            self.next = Some(next + 1);
        } else if waits < MOST {
            self.held += 1;
        } else {
            self.next = Some(next + 1);
        }
    }
}
