//! What was sent, and what the other side says of it.

use super::{Class, Feedback, ProbeId, Sent};
use std::collections::VecDeque;

/// Packets are remembered for so long, in microseconds, or so many of them, whichever is more,
const KEPT_FOR: i64 = 10_000_000;
const KEPT: usize = 2_000;
/// but never more than this.
const KEPT_AT_MOST: usize = 32_768;
/// Most numbers in one feedback that make sense: half a second of the fastest call.
const MAX_FEEDBACK: usize = 8_192;
/// Arrivals further than this from zero, in microseconds, are no times: 35 years.
const MAX_TIME: u64 = 1 << 50;
/// A number that a feedback names as missing counts as lost if it is still missing after this time, in microseconds: packets that were
/// overtaken arrive with the next feedback.
const REORDER: i64 = 80_000;

/// A packet of which something new is known. Times are microseconds: `sent_at` of our clock, `arrived_at` of the receiver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acked {
    pub(super) sent_at: i64,
    pub(super) arrived_at: i64,
    pub(super) wire_bytes: u32,
    pub(super) class: Class,
    pub(super) probe: Option<ProbeId>,
}

/// A packet that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) sent_at: i64,
    pub(super) wire_bytes: u32,
    pub(super) class: Class,
    /// The packet before did not arrive either.
    pub(super) in_a_row: bool,
}

/// What one feedback taught.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// In the order of their arrival.
    pub(super) acked: Vec<Acked>,
    pub(super) lost: Vec<Lost>,
    /// Were counted as lost before and have arrived after all.
    pub(super) found: Vec<Lost>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// No feedback named it so far, which is no loss.
    Unknown,
    /// A feedback named it as missing at this time.
    Missing(i64),
    Lost,
    Received,
}

#[derive(Debug)]
struct Entry {
    at: i64,
    wire_bytes: u32,
    class: Class,
    probe: Option<ProbeId>,
    fate: Fate,
}

/// Sent packets by their transport-wide numbers.
#[derive(Debug, Default)]
pub(super) struct SentLog {
    /// Of the first entry.
    first: u64,
    entries: VecDeque<Entry>,
    /// Numbers named as missing that do not count as lost yet, the oldest first.
    missing: VecDeque<u64>,
    /// One more than the highest number that a feedback named. What is older and was never named travelled with a feedback that
    /// was lost: it is on its way no longer.
    answered: u64,
    in_flight: u64,
    /// Feedbacks that made no sense.
    pub(super) refused: u64,
}

impl SentLog {
    pub(super) fn sent(&mut self, at: i64, sent: Sent) {
        let next = self.first + self.entries.len() as u64;
        if self.entries.is_empty() || sent.number != next {
            // Numbers that do not follow would make every later feedback mean something else.
            self.entries.clear();
            self.missing.clear();
            self.in_flight = 0;
            (self.first, self.answered) = (sent.number, sent.number);
        }
        let Sent { class, wire_bytes, probe, .. } = sent;
        self.entries.push_back(Entry { at, wire_bytes, class, probe, fate: Fate::Unknown });
        self.in_flight += u64::from(wire_bytes);
        while self.entries.len() > KEPT_AT_MOST
            || self.entries.len() > KEPT && self.entries.front().is_some_and(|e| at - e.at > KEPT_FOR)
        {
            if let Some(old) = self.entries.pop_front()
                && self.first >= self.answered
            {
                self.in_flight = self.in_flight.saturating_sub(u64::from(old.wire_bytes));
            }
            self.first += 1;
            self.answered = self.answered.max(self.first);
        }
    }

    /// Wire bytes that left after the last packet that a feedback named.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Nothing that is on its way counts any more: it went another way.
    pub(super) fn forget_flight(&mut self) {
        for entry in &mut self.entries {
            if matches!(entry.fate, Fate::Unknown | Fate::Missing(_)) {
                entry.fate = Fate::Received;
            }
        }
        self.missing.clear();
        self.answered = self.first + self.entries.len() as u64;
        self.in_flight = 0;
    }

    /// `None`: it speaks of packets that were never sent, or of too many.
    pub(super) fn feedback(&mut self, now: i64, feedback: &Feedback<'_>) -> Option<Learned> {
        let end = feedback.base.checked_add(feedback.arrivals.len() as u64);
        let sent_end = self.first + self.entries.len() as u64;
        let absurd = feedback.arrivals.iter().flatten().any(|at| at.unsigned_abs() > MAX_TIME);
        if feedback.arrivals.len() > MAX_FEEDBACK || absurd || end.is_none_or(|end| end > sent_end) {
            self.refused += 1;
            return None;
        }
        self.land(end.unwrap_or(0));
        let mut learned = Learned::default();
        for (offset, arrival) in feedback.arrivals.iter().enumerate() {
            let number = feedback.base + offset as u64;
            let Some(entry) =
                number.checked_sub(self.first).and_then(|at| self.entries.get_mut(usize::try_from(at).ok()?))
            else {
                continue;
            };
            match (*arrival, entry.fate) {
                (Some(arrived_at), Fate::Unknown | Fate::Missing(_) | Fate::Lost) => {
                    if entry.fate == Fate::Lost {
                        learned.found.push(entry.lost(false));
                    }
                    entry.fate = Fate::Received;
                    let Entry { at, wire_bytes, class, probe, .. } = *entry;
                    learned.acked.push(Acked { sent_at: at, arrived_at, wire_bytes, class, probe });
                }
                (None, Fate::Unknown) => {
                    entry.fate = Fate::Missing(now);
                    self.missing.push_back(number);
                }
                _ => {}
            }
        }
        self.give_up_missing(now, &mut learned);
        learned.acked.sort_by_key(|packet| (packet.arrived_at, packet.sent_at));
        Some(learned)
    }

    /// Everything below this number is on its way no longer.
    fn land(&mut self, end: u64) {
        while self.answered < end {
            let at = self.answered.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
            let bytes = at.and_then(|at| self.entries.get(at)).map_or(0, |entry| u64::from(entry.wire_bytes));
            self.in_flight = self.in_flight.saturating_sub(bytes);
            self.answered += 1;
        }
    }

    fn give_up_missing(&mut self, now: i64, learned: &mut Learned) {
        while let Some(&number) = self.missing.front() {
            let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
            let before = at.and_then(|at| self.entries.get(at.checked_sub(1)?)).map(|entry| entry.fate);
            let in_a_row = matches!(before, Some(Fate::Missing(_) | Fate::Lost));
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
                match entry.fate {
                    Fate::Missing(since) if now - since < REORDER => return,
                    Fate::Missing(_) => {
                        entry.fate = Fate::Lost;
                        learned.lost.push(entry.lost(in_a_row));
                    }
                    _ => {}
                }
            }
            self.missing.pop_front();
        }
    }
}

impl Entry {
    fn lost(&self, in_a_row: bool) -> Lost {
        Lost { sent_at: self.at, wire_bytes: self.wire_bytes, class: self.class, in_a_row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(packets: u64) -> SentLog {
        let mut log = SentLog::default();
        for number in 0..packets {
            let sent = Sent { number: 100 + number, class: Class::Video, wire_bytes: 1000, probe: None };
            log.sent(number as i64 * 1000, sent);
        }
        log
    }

    #[test]
    fn what_no_feedback_named_is_on_its_way_and_not_lost() {
        let mut log = log(10);
        let learned = log.feedback(50_000, &Feedback { base: 100, arrivals: &[Some(1), Some(2)] }).unwrap();
        assert_eq!((learned.acked.len(), learned.lost.len(), log.in_flight()), (2, 0, 8_000));
    }

    #[test]
    fn a_missing_packet_is_lost_only_if_it_stays_missing() {
        let mut log = log(4);
        let learned = log.feedback(50_000, &Feedback { base: 100, arrivals: &[Some(1), None, None, Some(4)] }).unwrap();
        assert!(learned.lost.is_empty());
        let learned = log.feedback(100_000, &Feedback { base: 101, arrivals: &[Some(5)] }).unwrap();
        assert_eq!((learned.acked.len(), learned.lost.len()), (1, 0), "it was overtaken");
        let learned = log.feedback(130_000, &Feedback { base: 104, arrivals: &[] }).unwrap();
        assert_eq!(learned.lost.len(), 1);
        let learned = log.feedback(200_000, &Feedback { base: 102, arrivals: &[Some(9)] }).unwrap();
        assert_eq!((learned.acked.len(), learned.found.len()), (1, 1), "very late, and taken back");
    }

    #[test]
    fn a_feedback_about_packets_that_were_never_sent_is_refused_as_a_whole() {
        let mut log = log(2);
        assert!(log.feedback(0, &Feedback { base: 100, arrivals: &[Some(1), Some(1), Some(1)] }).is_none());
        assert!(log.feedback(0, &Feedback { base: u64::MAX, arrivals: &[Some(1)] }).is_none());
        assert!(log.feedback(0, &Feedback { base: 0, arrivals: &vec![None; MAX_FEEDBACK + 1] }).is_none());
        assert_eq!((log.refused, log.in_flight()), (3, 2_000));
    }

    #[test]
    fn the_same_arrival_told_twice_counts_once() {
        let mut log = log(1);
        assert_eq!(log.feedback(0, &Feedback { base: 100, arrivals: &[Some(1)] }).unwrap().acked.len(), 1);
        assert_eq!(log.feedback(0, &Feedback { base: 100, arrivals: &[Some(1)] }).unwrap().acked.len(), 0);
    }

    #[test]
    fn packets_whose_feedback_was_lost_are_on_their_way_no_longer_and_count_as_nothing() {
        let mut log = log(10);
        let learned = log.feedback(50_000, &Feedback { base: 108, arrivals: &[Some(1)] }).unwrap();
        assert_eq!((learned.acked.len(), learned.lost.len(), log.in_flight()), (1, 0, 1_000));
    }

    #[test]
    fn memory_is_bounded_whatever_is_sent() {
        let log = log(KEPT_AT_MOST as u64 * 2);
        assert!(log.entries.len() <= KEPT_AT_MOST);
    }
}
