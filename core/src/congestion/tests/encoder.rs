//! A video encoder by its sizes alone, hard content: it always uses what it may, as far as a real one does. What a real one does was
//! measured of libvpx with the settings and the adaptation of `media::video`: each size has a least number of bits, a keyframe many times
//! that; more bits are used only bit by bit; the rate is met in the mean of some seconds, not in each.

use super::ladder::{Ladder, SIZES};
use super::link::SECOND;
use super::random::{Random, exp};
use crate::congestion::VideoPlan;

const FPS: u64 = 30;
const SCENE_EVERY: u64 = 17 * SECOND;
/// A keyframe has so many times the bits of another picture, and at the coarsest quantiser so many times the least of one.
const KEYFRAME: (f64, f64) = (5.0, 10.0);
const LEAST_KEYFRAME: f64 = 7.5;
/// More bits are used bit by bit: so much more of them each second.
const RISE: f64 = 0.8;
/// What is made of the rate that is asked for: the mean, and how it wavers, over this time in microseconds.
const MADE: f64 = 0.97;
const WAVERS: f64 = 0.08;
const WAVERS_OVER: f64 = 2e6;
/// A keyframe of more than so many times its budget is paid for by pictures that are left out, at most so long.
const TOO_LARGE: f64 = 2.0;
const MAX_DEBT: f64 = 2e6;
const LEAST_FRAME: f64 = 150.0 * 8.0;

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
    ladder: Ladder,
    size: usize,
    /// Bits per second that it has come to use.
    used: Option<f64>,
    /// Logarithm of what it makes over what it is to make.
    off: f64,
    /// Bits produced beyond what was asked for: paid back over about a second.
    debt: f64,
    /// Until then a keyframe that was too large is paid for.
    resting_until: u64,
    last: u64,
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
        let ladder = Ladder::new(next, f64::from(plan.bitrate_bps));
        Self {
            random,
            next,
            plan,
            demand_bps,
            size: ladder.size(),
            ladder,
            used: None,
            off: 0.0,
            debt: 0.0,
            resting_until: 0,
            last: next,
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
        if gate == Gate::Skip {
            self.skipped += 1;
            return None;
        }
        let rate = f64::from(obeyed.bitrate_bps.min(self.demand_bps));
        let may_key = self.last_key.is_none_or(|last| now >= last + 300_000.max(rtt + 100_000));
        self.ladder.follow(now, rate, self.key_wanted && may_key);
        self.slow_turn = SIZES[self.ladder.size()].fps < FPS && !self.slow_turn;
        if self.slow_turn {
            return None;
        }
        if now < self.resting_until {
            self.skipped += 1;
            return None;
        }
        let before = std::mem::replace(&mut self.size, self.ladder.size());
        // Of one size with another pace the coarsest quantiser makes the same.
        let resized = SIZES[before].floor != SIZES[self.size].floor;
        let key = self.key_wanted && may_key || resized;
        let asked = rate * if gate == Gate::Narrow { 0.7 } else { 1.0 };
        let bits = if key { self.keyframe(now, asked, plan) } else { self.picture(now, asked) };
        Some(Picture { bytes: (bits.max(LEAST_FRAME) / 8.0) as u32, key, captured })
    }

    /// Bits of a keyframe.
    fn keyframe(&mut self, now: u64, asked: f64, plan: VideoPlan) -> f64 {
        let least = SIZES[self.size].floor * LEAST_KEYFRAME;
        let budget = f64::from(plan.keyframe_bytes) * 8.0;
        let times = KEYFRAME.0 + (KEYFRAME.1 - KEYFRAME.0) * self.random.unit();
        let bits = (asked / FPS as f64 * times).min(budget).max(least);
        if bits > TOO_LARGE * budget {
            let rest = ((bits - budget) / asked.max(1.0) * 1e6).min(MAX_DEBT);
            self.resting_until = now + rest as u64;
        }
        (self.key_wanted, self.last_key, self.last) = (false, Some(now), now);
        self.keyframes += 1;
        bits
    }

    /// Bits of a picture that leans on the one before.
    fn picture(&mut self, now: u64, asked: f64) -> f64 {
        let since = (now - std::mem::replace(&mut self.last, now)) as f64;
        let fps = SIZES[self.size].fps as f64;
        let keep = exp(-since / WAVERS_OVER);
        self.off = self.off * keep + WAVERS * (1.0 - keep * keep).sqrt() * self.random.normal();
        let before = self.used.unwrap_or(asked);
        let used = asked.min(before.max(SIZES[self.size].floor * fps) * (1.0 + RISE * since / 1e6));
        self.used = Some(used);
        let each = used / fps;
        let mut bits = (each - self.debt / fps).clamp(each * 0.3, each * 1.5);
        bits *= MADE * exp(self.off) * self.random.lognormal(0.25);
        if now >= self.next_scene {
            self.next_scene = now + SCENE_EVERY;
            bits *= 3.0;
        }
        self.ladder.encoded(bits);
        let bits = bits.max(SIZES[self.size].floor);
        self.debt = (self.debt + bits - each).clamp(-each * fps * 0.1, used);
        bits
    }
}
