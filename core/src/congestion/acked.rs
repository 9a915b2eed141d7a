//! How much arrives: the acknowledged rate.

use std::collections::VecDeque;

/// The rate is that of at least so many packets and so long, in microseconds,
const ENOUGH: usize = 20;
const WINDOW: i64 = 500_000;
/// and of at most these.
const AT_MOST: usize = 500;
const WINDOW_AT_MOST: i64 = 5_000_000;
/// From fewer packets none is told.
const LEAST: usize = 10;
/// What arrived of late tells sooner that the path has become slower.
const RECENT: i64 = 250_000;
const RECENT_LEAST: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Arrival {
    sent_at: i64,
    arrived_at: i64,
    bytes: u32,
}

/// Of the packets that arrived last, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct AckedRate {
    arrivals: VecDeque<Arrival>,
}

impl AckedRate {
    pub(super) fn arrived(&mut self, sent_at: i64, arrived_at: i64, bytes: u32) {
        if self.arrivals.back().is_some_and(|last| (arrived_at - last.arrived_at).abs() > WINDOW_AT_MOST) {
            self.arrivals.clear();
        }
        self.arrivals.push_back(Arrival { sent_at, arrived_at, bytes });
        while self.arrivals.len() > AT_MOST
            || self.arrivals.front().is_some_and(|first| {
                let age = arrived_at - first.arrived_at;
                age > WINDOW_AT_MOST || self.arrivals.len() > ENOUGH && age > WINDOW
            })
        {
            self.arrivals.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.arrivals.clear();
    }

    /// Bits per second on the wire; `None` while too little has arrived.
    pub(super) fn bps(&self) -> Option<f64> {
        if self.arrivals.len() < LEAST {
            return None;
        }
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let (mut first_sent, mut last_sent, mut last_sent_bytes) = (i64::MAX, i64::MIN, 0);
        let (mut gap, mut second_gap, mut before) = (0, 0, None);
        let mut total = 0.0;
        for arrival in &self.arrivals {
            total += f64::from(arrival.bytes);
            first = first.min(arrival.arrived_at);
            last = last.max(arrival.arrived_at);
            first_sent = first_sent.min(arrival.sent_at);
            if arrival.sent_at > last_sent {
                (last_sent, last_sent_bytes) = (arrival.sent_at, arrival.bytes);
            }
            if let Some(before) = before.replace(arrival.arrived_at) {
                let between = arrival.arrived_at - before;
                if between > gap {
                    (gap, second_gap) = (between, gap);
                } else if between > second_gap {
                    second_gap = between;
                }
            }
        }
        // A pause of the radio is no sign of a slow path: the longest gap counts as the second one.
        let received_for = (last - first - gap + second_gap).max(1_000) as f64;
        let sent_for = (last_sent - first_sent).max(1_000) as f64;
        let first_bytes = self.arrivals.front().map_or(0.0, |arrival| f64::from(arrival.bytes));
        let received = (total - first_bytes) / received_for;
        let sent = (total - f64::from(last_sent_bytes)) / sent_for;
        Some(received.min(sent) * 8e6)
    }

    /// The same of the last quarter of a second, by the receiver's clock alone.
    pub(super) fn recent_bps(&self) -> Option<f64> {
        let last = self.arrivals.back()?.arrived_at;
        let recent = self.arrivals.iter().rev().take_while(|arrival| last - arrival.arrived_at <= RECENT);
        let (mut count, mut bytes, mut first, mut first_bytes) = (0, 0.0, last, 0.0);
        for arrival in recent {
            count += 1;
            bytes += f64::from(arrival.bytes);
            (first, first_bytes) = (arrival.arrived_at, f64::from(arrival.bytes));
        }
        let time = (last - first) as f64;
        (count >= RECENT_LEAST && time > 50_000.0).then(|| (bytes - first_bytes) / time * 8e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(rate: &mut AckedRate, count: i64, from: i64, each: i64) -> i64 {
        for n in 0..count {
            rate.arrived(from + n * each, from + n * each + 30_000, 1250);
        }
        from + count * each
    }

    #[test]
    fn a_megabit_is_a_megabit() {
        let mut rate = AckedRate::default();
        feed(&mut rate, 9, 0, 10_000);
        assert_eq!(rate.bps(), None);
        feed(&mut rate, 100, 90_000, 10_000);
        let bps = rate.bps().unwrap();
        assert!((bps - 1e6).abs() < 1e4, "{bps}");
    }

    #[test]
    fn a_burst_of_arrivals_is_not_more_than_was_sent() {
        let mut rate = AckedRate::default();
        for n in 0..60 {
            rate.arrived(n * 10_000, 600_000 + n * 100, 1250);
        }
        assert!(rate.bps().unwrap() < 1.05e6);
    }

    #[test]
    fn one_pause_does_not_lower_it() {
        let mut rate = AckedRate::default();
        let at = feed(&mut rate, 40, 0, 10_000);
        for n in 0..20 {
            let sent = at + n * 10_000;
            rate.arrived(sent, sent.max(at + 150_000) + 30_000, 1250);
        }
        assert!(rate.bps().unwrap() > 0.85e6);
    }

    #[test]
    fn the_last_quarter_of_a_second_shows_a_fall_at_once() {
        let mut rate = AckedRate::default();
        let at = feed(&mut rate, 100, 0, 10_000);
        for n in 0..6 {
            rate.arrived(at + n * 10_000, at + n * 50_000 + 30_000, 1250);
        }
        assert!(rate.recent_bps().unwrap() < 0.3e6);
        assert!(rate.bps().unwrap() > 0.4e6);
    }
}
