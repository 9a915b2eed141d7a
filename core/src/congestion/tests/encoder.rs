//! A video encoder by its sizes alone, hard content: it always uses what it may.

use super::link::SECOND;
use super::random::Random;
use crate::congestion::VideoPlan;

const FPS: u64 = 30;
/// Below this an encoder has few bits for 30 pictures a second.
const SLOW_BELOW_BPS: u32 = 90_000;
const SCENE_EVERY: u64 = 17 * SECOND;
/// It misses its rate by this much over time.
const OVERSHOOT: f64 = 1.05;
const LEAST_FRAME: u32 = 150;
const LEAST_KEYFRAME: u32 = 1_500;

#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    pub(super) bytes: u32,
    pub(super) key: bool,
    pub(super) captured: u64,
}

/// What the gate before the encoder says, by what waits in the pacer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Narrow,
    Skip,
}

pub(super) fn gate(backlog_us: u64) -> Gate {
    match backlog_us {
        0..100_000 => Gate::Open,
        100_000..=250_000 => Gate::Narrow,
        _ => Gate::Skip,
    }
}

pub(super) struct Encoder {
    random: Random,
    next: u64,
    /// It obeys the plan of one picture ago.
    plan: VideoPlan,
    demand_bps: u32,
    /// Produced beyond what was asked for: paid back over about a second.
    debt: f64,
    key_wanted: bool,
    last_key: Option<u64>,
    next_scene: u64,
    slow_turn: bool,
    pub(super) keyframes: u32,
    pub(super) skipped: u32,
}

impl Encoder {
    pub(super) fn new(first: u64, plan: VideoPlan, demand_bps: u32, mut random: Random) -> Self {
        let next_scene = first + SCENE_EVERY;
        let next = first + random.between(0, 1000);
        Self {
            random,
            next,
            plan,
            demand_bps,
            debt: 0.0,
            key_wanted: true,
            last_key: None,
            next_scene,
            slow_turn: false,
            keyframes: 0,
            skipped: 0,
        }
    }

    pub(super) fn next_wake(&self) -> u64 {
        self.next
    }

    pub(super) fn set_demand(&mut self, bps: u32) {
        if self.demand_bps == 0 && bps > 0 {
            self.key_wanted = true;
            self.debt = 0.0;
        }
        self.demand_bps = bps;
    }

    /// Requests (PLI) in between are merged, never lost.
    pub(super) fn want_keyframe(&mut self) {
        self.key_wanted = true;
    }

    /// The camera's picture of now, if one is due and may be encoded.
    pub(super) fn encode(&mut self, now: u64, plan: VideoPlan, gate: Gate, rtt: u64) -> Option<Picture> {
        if now < self.next {
            return None;
        }
        let captured = self.next;
        while self.next <= now {
            self.next += SECOND / FPS;
        }
        let obeyed = std::mem::replace(&mut self.plan, plan);
        if self.demand_bps == 0 || plan.suspended {
            self.key_wanted = true;
            return None;
        }
        let rate = obeyed.bitrate_bps.min(self.demand_bps);
        self.slow_turn = rate < SLOW_BELOW_BPS && !self.slow_turn;
        if self.slow_turn {
            return None;
        }
        if gate == Gate::Skip {
            self.skipped += 1;
            return None;
        }
        let fps = if rate < SLOW_BELOW_BPS { FPS / 2 } else { FPS } as f64;
        let share = if gate == Gate::Narrow { 0.7 } else { 1.0 };
        let asked = f64::from(rate) * share / 8.0 / fps;
        let may_key = self.last_key.is_none_or(|last| now >= last + 300_000.max(rtt + 100_000));
        let key = self.key_wanted && may_key;
        let mut bytes = (asked - self.debt / fps).clamp(asked * 0.3, asked * 1.5) * OVERSHOOT;
        bytes *= self.random.lognormal(0.25);
        if now >= self.next_scene {
            self.next_scene = now + SCENE_EVERY;
            bytes *= 3.0;
        }
        if key {
            let times = 4.0 + 2.0 * self.random.unit();
            bytes = (asked * times).min(f64::from(plan.keyframe_bytes)).max(f64::from(LEAST_KEYFRAME));
            self.key_wanted = false;
            self.last_key = Some(now);
            self.keyframes += 1;
        }
        let bytes = (bytes as u32).max(LEAST_FRAME);
        self.debt = (self.debt + f64::from(bytes) - asked * OVERSHOOT).max(-asked * fps * 0.1);
        Some(Picture { bytes, key, captured })
    }
}
