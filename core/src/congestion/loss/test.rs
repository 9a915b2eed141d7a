//! Asks the path whether loss is ours: sends less for a second and compares what is lost then. Random loss stays, loss of a full
//! policer or a tiny queue goes.

use super::Inputs;
use std::collections::VecDeque;

/// Asked above this loss, at a queue of at most so many ms,
const ABOVE: f64 = 0.05;
const QUEUE: f64 = 20.0;
/// no sooner than so long after the last time, and after a verdict of "random" even later. Microseconds.
const AGAIN: i64 = 8_000_000;
const AGAIN_RANDOM: i64 = 25_000_000;
/// At this part of the rate for so long; the first part of it does not count.
const FACTOR: f64 = 0.7;
const LENGTH: i64 = 1_000_000;
const SETTLE: i64 = 150_000;
/// Compared with so long before.
const BEFORE: i64 = 1_500_000;
/// Answers come this much later at most.
const ANSWER: i64 = 600_000;
/// Random where at least this much is lost, and this part of what was lost before, less its spread,
const RANDOM_LEAST: f64 = 0.03;
const RANDOM_PART: f64 = 0.6;
/// and before not more than this.
const RANDOM_MOST: f64 = 0.40;
/// "Random" holds until more than this multiple and so much more is lost, or for so long.
const VALID_FACTOR: f64 = 1.5;
const VALID_MORE: f64 = 0.03;
const VALID_FOR: i64 = 40_000_000;
/// "Own" holds for so long.
const OWN_FOR: i64 = 8_000_000;
/// Packets remembered.
const KEPT: usize = 4_096;

/// What the path answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same is lost whatever is sent.
    Random,
    /// Less is lost when less is sent.
    Own,
}

#[derive(Debug, Default)]
pub(super) struct LossTest {
    /// (sent, lost), in the order of acknowledgement.
    packets: VecDeque<(i64, bool)>,
    began: Option<i64>,
    not_before: i64,
    /// Loss that was found to be random, and since when.
    random: Option<(f64, i64)>,
    own_until: i64,
}

impl LossTest {
    pub(super) fn count(&mut self, sent_at: i64, lost: bool) {
        if self.packets.len() == KEPT {
            self.packets.pop_front();
        }
        self.packets.push_back((sent_at, lost));
    }

    pub(super) fn is_random(&self, now: i64, loss: f64) -> bool {
        self.random.is_some_and(|(measured, at)| now - at < VALID_FOR && loss <= VALID_FACTOR * measured + VALID_MORE)
    }

    pub(super) fn is_own(&self, now: i64) -> bool {
        now < self.own_until
    }

    pub(super) fn factor(&self, now: i64) -> f64 {
        if self.began.is_some_and(|began| now - began < LENGTH) { FACTOR } else { 1.0 }
    }

    pub(super) fn update(&mut self, now: i64, loss: f64, inputs: &Inputs) -> Option<Verdict> {
        if let Some(began) = self.began {
            if inputs.overuse || inputs.queue_ms > 2.0 * QUEUE {
                // A queue comes and goes: the comparison says nothing.
                self.began = None;
                self.not_before = now + AGAIN / 2;
            } else if now - began >= LENGTH + ANSWER {
                self.began = None;
                return self.judge(now, began);
            }
            return None;
        }
        let wanted = loss > ABOVE && inputs.queue_ms < QUEUE && !inputs.overuse && !inputs.application_limited;
        if wanted && now >= self.not_before && self.packets.len() > 50 {
            self.began = Some(now);
        }
        None
    }

    fn judge(&mut self, now: i64, began: i64) -> Option<Verdict> {
        let (before, count) = self.loss_between(began - BEFORE, began);
        let (during, tested) = self.loss_between(began + SETTLE, began + LENGTH);
        if count < 30.0 || tested < 20.0 {
            self.not_before = now + AGAIN / 2;
            return None;
        }
        let spread = (before * (1.0 - before) / tested).sqrt();
        if during > RANDOM_LEAST.max(RANDOM_PART * before - spread) && before < RANDOM_MOST {
            self.random = Some(((before * count + during * tested) / (count + tested), now));
            self.not_before = now + AGAIN_RANDOM;
            Some(Verdict::Random)
        } else {
            self.random = None;
            self.own_until = now + OWN_FOR;
            self.not_before = now + AGAIN;
            Some(Verdict::Own)
        }
    }

    fn loss_between(&self, from: i64, to: i64) -> (f64, f64) {
        let sent = self.packets.iter().filter(|(at, _)| (from..to).contains(at));
        let (count, lost) = sent.fold((0.0, 0.0), |sum, (_, lost)| (sum.0 + 1.0, sum.1 + f64::from(u8::from(*lost))));
        (if count > 0.0 { lost / count } else { 0.0 }, count)
    }
}
