//! The loss-based rate: tells loss that our own rate makes from loss that comes whatever we send.
//!
//! [`model`] finds the rate that explains best what was lost; [`rate_step`] asks the path itself, by sending less for a second, where
//! much is lost at an empty queue.

mod model;
mod rate_step;

use super::Class;
use super::sent::Lost;
use model::Model;
use rate_step::{LossTest, Verdict};

/// An observation is at least so long, in microseconds.
const OBSERVE: i64 = 250_000;
/// Observations before the rate means anything.
const ENOUGH: usize = 3;
/// Loss up to this part limits nothing by itself.
const HARMLESS: f64 = 0.05;
/// Above it the rate is capped: by this many bits per second over what is lost above it.
const CAP: f64 = 100_000.0;
/// The same where the loss was found to be random.
const RANDOM_HARMLESS: f64 = 0.35;
/// No path loses so much at random and carries a call: the rate is what arrives.
const FLOOD: f64 = 0.5;
/// Growth of the loss-based rate while something is lost, per observation.
const RISE: f64 = 1.3;
/// Growth stops at this multiple of what arrives.
const ABOVE_ACKED: f64 = 1.5;
/// After a cut nothing grows for so long, doubling with each cut that follows soon, up to the longest. Microseconds.
const HOLD: i64 = 300_000;
const HOLD_AT_MOST: i64 = 10_000_000;
/// Where less than this part is lost, nothing is held.
const NO_LOSS: f64 = 0.01;
/// Own loss keeps the rate at this part of what arrives.
const OWN: f64 = 0.92;
/// A rate at which the path was seen to drop what is above it is remembered for so long, in microseconds. Loss of more than this part at
/// no less than this part of the rate is the same again, and needs no test; at less than that it is another loss, and the rate is forgotten.
const OWN_MEMORY: i64 = 60_000_000;
const OWN_AGAIN: f64 = 0.03;
const OWN_FROM: f64 = 0.95;
const OWN_BELOW: f64 = 0.80;
const OWN_SETTLES: i64 = 3_000_000;
/// The rate stays at this multiple of it, and after some time may rise by this factor each second: what is lost says at once if the limit
/// is still there. Microseconds.
const OWN_RISE: f64 = 1.02;
const OWN_RISE_AFTER: i64 = 8_000_000;
const OWN_RISE_LATER: f64 = 1.04;
/// A limit as low as where nothing was asked yet is rather a path that has changed meanwhile: it is tried sooner.
const LOW_RISE_AFTER: i64 = 3_000_000;
const LOW_RISE_LATER: f64 = 1.10;
/// Bursts, and so probes, pass what remembers how much it let through of late: none is believed for so long after the limit was met,
/// twice as long each time that it is met again soon. Microseconds.
const OWN_PROBES: i64 = 12_000_000;
const OWN_SOON: i64 = 90_000_000;
/// Where more than so many are lost in a row it has to be seen twice within this time, in microseconds.
const SINGLE: f64 = 2.0;
const OWN_TWICE: i64 = 30_000_000;
/// Packets that such an observation has at least.
const OWN_PACKETS: f64 = 15.0;
/// Standard deviations by which the mean loss has to exceed the inherent one to stop growth.
const DEVIATIONS: f64 = 1.64;
/// The smoothed loss, for those who repair: weight of an observation.
const SMOOTHING: f64 = 0.3;

/// A queue from which on loss may be what it dropped, in ms.
pub(super) const CONGESTED: f64 = 60.0;

/// Loss at an empty queue, up to so many ms, takes the rate no lower than this before the path was asked. Bits per second.
const EMPTY: f64 = 20.0;
const UNASKED: f64 = 600_000.0;

/// What the rate is told with each feedback. Rates in bits per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs {
    pub(super) acked: Option<f64>,
    pub(super) delay_rate: f64,
    pub(super) queue_ms: f64,
    pub(super) overuse: bool,
    /// Another flow keeps the queue long.
    pub(super) competing: bool,
    pub(super) application_limited: bool,
}

/// One span of sending. Counts of packets; rate in bits per second.
#[derive(Debug, Clone, Copy)]
struct Observation {
    packets: f64,
    lost: f64,
    rate: f64,
}

#[derive(Debug, Default)]
struct Partial {
    packets: f64,
    lost: f64,
    bytes: f64,
    first_sent: Option<i64>,
    last_sent: i64,
}

/// Sans-IO. Times in microseconds.
#[derive(Debug)]
pub(super) struct LossEstimator {
    partial: Partial,
    model: Model,
    test: LossTest,
    rate: Option<f64>,
    /// The rate at which the path drops what is above it, and when it did that last.
    limit: Option<(f64, i64)>,
    /// When a limit was met last, and how long no probe is believed after that.
    met: Option<(i64, i64)>,
    /// When loss was found to be our own last.
    own_at: Option<i64>,
    /// The rate after the last cut, until when nothing grows, and how long that was.
    held_until: i64,
    hold: i64,
    bursts: Bursts,
    smoothed: f64,
    /// The same without what a full queue dropped; and of sound's packets, by packets.
    uncongested: f64,
    audio: f64,
}

/// How many packets are lost in a row, on average, of late.
#[derive(Debug, Default)]
struct Bursts {
    lost: f64,
    rows: f64,
}

impl LossEstimator {
    pub(super) fn new() -> Self {
        Self {
            partial: Partial::default(),
            model: Model::new(),
            test: LossTest::default(),
            rate: None,
            limit: None,
            met: None,
            own_at: None,
            held_until: i64::MIN / 4,
            hold: HOLD,
            bursts: Bursts::default(),
            smoothed: 0.0,
            uncongested: 0.0,
            audio: 0.0,
        }
    }

    /// Another path: forget what was lost on this one.
    pub(super) fn route_changed(&mut self) {
        *self = Self { smoothed: self.smoothed, uncongested: self.uncongested, audio: self.audio, ..Self::new() };
    }

    pub(super) fn acked(&mut self, sent_at: i64, wire_bytes: u32, audio: bool) {
        self.partial.add(sent_at, wire_bytes, false);
        self.test.count(sent_at, wire_bytes, false, false);
        if audio {
            self.audio *= 1.0 - 1.0 / 100.0;
        }
    }

    /// `congested`: with a long queue on the way. What that dropped says nothing of how sound is to be protected.
    pub(super) fn lost(&mut self, packet: &Lost, congested: bool) {
        self.partial.add(packet.sent_at, packet.wire_bytes, true);
        self.test.count(packet.sent_at, packet.wire_bytes, true, !packet.in_a_row);
        self.bursts.lost(packet.in_a_row);
        if packet.class == Class::Audio && !congested {
            self.audio += (1.0 - self.audio) / 100.0;
        }
    }

    /// It was counted as lost and came after all.
    pub(super) fn found(&mut self) {
        self.partial.lost = (self.partial.lost - 1.0).max(0.0);
    }

    /// The bound that loss sets, in bits per second; none while it sets none.
    pub(super) fn bps(&self) -> Option<f64> {
        self.rate
    }

    /// Part of all packets lost of late, 0 to 1, before any repair.
    pub(super) fn smoothed(&self) -> f64 {
        self.smoothed
    }

    /// The same of sound alone, whose packets are few and evenly spread, or of everything where that is more; without what a long
    /// queue dropped, which copies of sound would only make longer.
    pub(super) fn of_audio(&self) -> f64 {
        self.audio.max(self.uncongested)
    }

    /// Whether no more is to be probed, since the loss is our own.
    pub(super) fn is_own(&self, now: i64) -> bool {
        self.test.is_own(now)
    }

    /// Whether the path is known to drop, without a queue, what is above a rate.
    pub(super) fn has_limit(&self, now: i64) -> bool {
        self.limit.is_some_and(|(_, at)| now - at < OWN_MEMORY)
    }

    /// Whether probes say nothing of the path.
    pub(super) fn passes_bursts(&self, now: i64) -> bool {
        self.has_limit(now) && self.met.is_some_and(|(at, wait)| now - at < wait)
    }

    /// The part that is lost whatever is sent, 0 to 1, where the path was asked and said so.
    pub(super) fn random_part(&self, now: i64) -> f64 {
        if self.smoothed < FLOOD && self.test.is_random(now, self.smoothed) { self.smoothed } else { 0.0 }
    }

    /// Part of the target to send at: less than one for a moment, to see what is lost then.
    pub(super) fn test_factor(&self, now: i64) -> f64 {
        self.test.factor(now)
    }

    pub(super) fn is_testing(&self, now: i64) -> bool {
        self.test.factor(now) < 1.0
    }

    /// Whether the path has just said that the loss is our own: what arrives is what it carries.
    pub(super) fn update(&mut self, now: i64, inputs: &Inputs) -> bool {
        let mut own = false;
        if let Some(verdict) = self.test.update(now, self.smoothed, self.bursts.mean(), inputs) {
            log::debug!("loss of {:.0} % is {verdict:?}", self.smoothed * 100.0);
            let known = self.limit.take().is_some();
            if let Verdict::Own(arrived) = verdict {
                own = true;
                self.stop_at(now, arrived);
                // Loss in bursts is less easily told: once is not enough to remember it by.
                let twice = self.own_at.replace(now).is_some_and(|at| now - at < OWN_TWICE);
                if !known && !twice && self.bursts.mean() > SINGLE {
                    self.limit = None;
                }
            } else {
                self.own_at = None;
            }
        }
        let Some(observation) = self.partial.take() else { return own };
        let part = observation.lost / observation.packets.max(1.0);
        own |= self.meets_limit(now, &observation, inputs);
        self.smoothed += SMOOTHING * (part - self.smoothed);
        if inputs.queue_ms < CONGESTED || part < self.uncongested {
            self.uncongested += SMOOTHING * (part - self.uncongested);
        }
        if inputs.competing {
            self.rate = None;
            return false;
        }
        if inputs.queue_ms > CONGESTED {
            // The delay has shown that this is too much, and has cut; once the queue is gone its losses hold nothing.
            return own;
        }
        self.model.observe(observation);
        if self.model.len() >= ENOUGH {
            self.decide(now, inputs);
        }
        own
    }

    /// What arrives is what the path carries.
    fn stop_at(&mut self, now: i64, arrives: f64) {
        let bound = OWN * arrives;
        self.rate = Some(self.rate.unwrap_or(bound).min(bound));
        self.limit = Some((arrives, now));
        if arrives < UNASKED {
            self.test.hold(now, LOW_RISE_AFTER);
            self.met = Some((now, LOW_RISE_AFTER));
            return;
        }
        self.test.hold(now, OWN_RISE_AFTER);
        let soon = self.met.is_some_and(|(at, _)| now - at < OWN_SOON);
        let wait = self.met.filter(|_| soon).map_or(OWN_PROBES, |(_, wait)| (2 * wait).min(OWN_MEMORY));
        self.met = Some((now, wait));
    }

    /// The rate at which the path drops what is above it, and the rate that may be tried by now.
    fn known_limit(&self, now: i64) -> Option<(f64, f64)> {
        let (limit, at) = self.limit.filter(|(_, at)| now - at < OWN_MEMORY)?;
        let after = if limit < UNASKED { LOW_RISE_AFTER } else { OWN_RISE_AFTER };
        let factor = if limit < UNASKED { LOW_RISE_LATER } else { OWN_RISE_LATER };
        let later = (now - at - after).max(0) as f64 / 1e6;
        Some((limit, limit * OWN_RISE * factor.powf(later)))
    }

    /// Whether this is the loss of a limit that is known.
    fn meets_limit(&mut self, now: i64, observation: &Observation, inputs: &Inputs) -> bool {
        let (Some((limit, most)), Some((_, at))) = (self.known_limit(now), self.limit) else {
            return false;
        };
        let much = observation.lost > OWN_AGAIN * observation.packets && observation.packets >= OWN_PACKETS;
        if much && observation.rate >= OWN_FROM * limit && inputs.queue_ms < CONGESTED {
            self.stop_at(now, inputs.acked.map_or(limit, |acked| acked.min(most)));
            return true;
        }
        if much && observation.rate < OWN_BELOW * limit && now - at > OWN_SETTLES {
            self.limit = None;
        }
        false
    }

    fn decide(&mut self, now: i64, inputs: &Inputs) {
        let random = self.test.is_random(now, self.smoothed);
        let before = self.rate.unwrap_or(inputs.delay_rate).min(inputs.delay_rate * 1.05);
        let mean = self.model.mean_loss();
        let acked = inputs.acked.filter(|_| !inputs.application_limited);
        let mut best = self.model.best(before, acked, inputs.delay_rate, random);
        if best > before {
            let inherent = self.model.inherent();
            // Packets that are lost in a row are one event.
            let events = self.model.packets().max(1.0) / self.bursts.mean();
            let spread = (inherent.max(0.005) * (1.0 - inherent) / events).sqrt();
            if mean > inherent + DEVIATIONS * spread || now < self.held_until && mean > NO_LOSS || self.is_own(now) {
                best = before;
            }
            best = best.min(before * RISE);
            if let Some(acked) = acked
                && mean > NO_LOSS
            {
                best = best.min((ABOVE_ACKED * acked).max(before));
            }
        }
        let harmless = if random { RANDOM_HARMLESS } else { HARMLESS };
        if mean > harmless {
            best = best.min(CAP / (mean - harmless));
        }
        if let Some((_, most)) = self.known_limit(now) {
            best = best.min(most);
        }
        // On a path without a queue little is lost by a rate like this, unless the path says so when it is asked; and the less is sent
        // the less there is to ask with.
        if self.limit.is_none() && inputs.queue_ms < EMPTY && self.test.is_calm(now) {
            best = best.max(UNASKED);
        }
        if self.smoothed > FLOOD
            && let Some(acked) = inputs.acked
        {
            best = best.min(acked);
        }
        // What arrives is carried: there is no reason to go below it.
        if let Some(acked) = inputs.acked {
            best = best.max(acked.min(before));
        }
        if best < before * 0.99 {
            let soon = now - self.held_until < 2 * self.hold;
            self.hold = if soon { (self.hold * 2).min(HOLD_AT_MOST) } else { HOLD };
            self.held_until = self.held_until.max(now + self.hold);
        }
        // Nothing is lost and the delay-based rate is the lower one: loss sets no bound.
        self.rate = if best >= inputs.delay_rate && mean < NO_LOSS && !self.has_limit(now) { None } else { Some(best) };
    }
}

impl Bursts {
    /// Weight of the past, with each loss.
    const KEEP: f64 = 0.97;

    fn lost(&mut self, in_a_row: bool) {
        self.lost = self.lost * Self::KEEP + 1.0;
        self.rows = self.rows * Self::KEEP + f64::from(u8::from(!in_a_row));
    }

    fn mean(&self) -> f64 {
        if self.rows > 0.5 { (self.lost / self.rows).clamp(1.0, 10.0) } else { 1.0 }
    }
}

impl Partial {
    fn add(&mut self, sent_at: i64, wire_bytes: u32, lost: bool) {
        self.packets += 1.0;
        self.lost += f64::from(u8::from(lost));
        self.bytes += f64::from(wire_bytes);
        self.first_sent = Some(self.first_sent.map_or(sent_at, |first| first.min(sent_at)));
        self.last_sent = self.last_sent.max(sent_at);
    }

    fn take(&mut self) -> Option<Observation> {
        let span = self.last_sent - self.first_sent?;
        if span < OBSERVE {
            return None;
        }
        let Self { packets, lost, bytes, .. } = std::mem::take(self);
        Some(Observation { packets, lost: lost.min(packets), rate: bytes * 8e6 / span as f64 })
    }
}

#[cfg(test)]
mod tests;
