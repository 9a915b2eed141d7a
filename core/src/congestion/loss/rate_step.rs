//! Asks the path whether loss is ours: sends less for a second and compares what is lost then. Random loss stays, loss of a full
//! policer or a tiny queue goes.

use super::Inputs;
use std::collections::VecDeque;

/// Asked above this loss, at a queue of at most so many ms,
const ABOVE: f64 = 0.05;
const QUEUE: f64 = 20.0;
/// that has been so for this long,
const CALM: i64 = 2_000_000;
/// no sooner than so long after the last time, and after a verdict of "random" even later. Microseconds.
const AGAIN: i64 = 8_000_000;
const AGAIN_RANDOM: i64 = 25_000_000;
/// At this part of the rate for so long; the first part of it does not count.
const FACTOR: f64 = 0.7;
const LENGTH: i64 = 1_250_000;
const SETTLE: i64 = 350_000;
/// Compared with so long before.
const BEFORE: i64 = 1_500_000;
/// Answers come this much later at most.
const ANSWER: i64 = 600_000;
/// Random where at least this much is lost, and this part of the way from what would be our own loss to what was lost before, less its
/// spread,
const RANDOM_LEAST: f64 = 0.03;
const RANDOM_PART: f64 = 0.6;
/// and before not more than this.
const RANDOM_MOST: f64 = 0.40;
/// "Random" holds until more than this multiple and so much more is lost, or for so long.
const VALID_FACTOR: f64 = 1.5;
const VALID_MORE: f64 = 0.03;
const VALID_FOR: i64 = 40_000_000;
/// Losses to expect in the test, those in a row counted as one, for an answer to mean anything.
const EVENTS: f64 = 4.0;
/// before it came in so many places at least: one hole is neither random nor ours,
const PLACES: f64 = 3.0;
/// and packets have to have been sent at this part of the pace before, or less.
const SLOWER: f64 = 0.88;
/// Packets remembered.
const KEPT: usize = 4_096;

/// What the path answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// The same is lost whatever is sent.
    Random,
    /// Less is lost when less is sent. Before, so many bits per second arrived.
    Own(f64),
}

#[derive(Debug, Clone, Copy)]
struct Packet {
    sent_at: i64,
    wire_bytes: u32,
    lost: bool,
    begins: bool,
}

#[derive(Debug, Default)]
pub(super) struct LossTest {
    /// In the order of acknowledgement.
    packets: VecDeque<Packet>,
    began: Option<i64>,
    not_before: i64,
    /// When a queue was seen last.
    queue_at: Option<i64>,
    /// Loss that was found to be random, and since when.
    random: Option<(f64, i64)>,
    own_until: i64,
}

impl LossTest {
    /// `begins`: it was lost, and the one before was not.
    pub(super) fn count(&mut self, sent_at: i64, wire_bytes: u32, lost: bool, begins: bool) {
        if self.packets.len() == KEPT {
            self.packets.pop_front();
        }
        self.packets.push_back(Packet { sent_at, wire_bytes, lost, begins });
    }

    pub(super) fn is_random(&self, now: i64, loss: f64) -> bool {
        self.random.is_some_and(|(measured, at)| now - at < VALID_FOR && loss <= VALID_FACTOR * measured + VALID_MORE)
    }

    /// Whether no queue was seen of late.
    pub(super) fn is_calm(&self, now: i64) -> bool {
        self.queue_at.is_none_or(|at| now - at > CALM)
    }

    /// The loss is ours: nothing is to grow for so long.
    pub(super) fn hold(&mut self, now: i64, time: i64) {
        (self.began, self.random) = (None, None);
        self.own_until = now + time;
        self.not_before = self.not_before.max(now + AGAIN);
    }

    pub(super) fn is_own(&self, now: i64) -> bool {
        now < self.own_until
    }

    pub(super) fn factor(&self, now: i64) -> f64 {
        if self.began.is_some_and(|began| now - began < LENGTH) { FACTOR } else { 1.0 }
    }

    pub(super) fn update(&mut self, now: i64, loss: f64, burst: f64, inputs: &Inputs) -> Option<Verdict> {
        if inputs.overuse || inputs.queue_ms > 2.0 * QUEUE {
            self.queue_at = Some(now);
        }
        if let Some(began) = self.began {
            if inputs.overuse || inputs.queue_ms > 2.0 * QUEUE {
                // A queue comes and goes: the comparison says nothing.
                self.began = None;
                self.not_before = now + AGAIN / 2;
            } else if now - began >= LENGTH + ANSWER {
                self.began = None;
                return self.judge(now, began, burst);
            }
            return None;
        }
        // What a full queue dropped is known to be our own.
        let wanted = loss > ABOVE && self.is_calm(now) && inputs.queue_ms < QUEUE && !inputs.application_limited;
        if wanted && now >= self.not_before && self.packets.len() > 50 {
            self.began = Some(now);
        }
        None
    }

    fn judge(&mut self, now: i64, began: i64, burst: f64) -> Option<Verdict> {
        let before = self.span(began - BEFORE, began);
        let during = self.span(began + SETTLE, began + LENGTH);
        // What is repaired may have kept the path as full as before.
        let slower = during.bytes / (LENGTH - SETTLE) as f64 <= SLOWER * before.bytes / BEFORE as f64;
        let enough = before.loss() * during.packets >= EVENTS * burst && before.places >= PLACES;
        if !enough || !slower {
            self.not_before = now + AGAIN / 4;
            return None;
        }
        let arrived = before.arrived * 8e6 / BEFORE as f64;
        // What would be lost if the path carried no more than what arrived before.
        let sent = during.bytes * 8e6 / (LENGTH - SETTLE) as f64;
        let ours = (1.0 - arrived / sent.max(1.0)).max(0.0);
        let (tested, packets) = (during.packets, before.packets);
        let (before, during) = (before.loss(), during.loss());
        let spread = (before * (1.0 - before) / tested * burst).sqrt();
        let random = ours + RANDOM_PART * (before - ours) - spread;
        if during > RANDOM_LEAST.max(random) && before < RANDOM_MOST {
            self.random = Some(((before * packets + during * tested) / (packets + tested), now));
            self.not_before = now + AGAIN_RANDOM;
            Some(Verdict::Random)
        } else {
            self.random = None;
            self.not_before = now + AGAIN;
            Some(Verdict::Own(arrived))
        }
    }

    fn span(&self, from: i64, to: i64) -> Span {
        let sent = self.packets.iter().filter(|packet| (from..to).contains(&packet.sent_at));
        sent.fold(Span::default(), |span, packet| Span {
            packets: span.packets + 1.0,
            bytes: span.bytes + f64::from(packet.wire_bytes),
            arrived: span.arrived + if packet.lost { 0.0 } else { f64::from(packet.wire_bytes) },
            lost: span.lost + f64::from(u8::from(packet.lost)),
            places: span.places + f64::from(u8::from(packet.begins)),
        })
    }
}

/// What was sent in a span of time.
#[derive(Debug, Default)]
struct Span {
    packets: f64,
    bytes: f64,
    arrived: f64,
    lost: f64,
    places: f64,
}

impl Span {
    fn loss(&self) -> f64 {
        self.lost / self.packets.max(1.0)
    }
}
