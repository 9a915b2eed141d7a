//! How long a receiver waits for lost packets to come again, and how often it asks for a keyframe.

use std::time::{Duration, Instant};

/// Round trip before one was measured, and the longest that is believed.
const DEFAULT_RTT: Duration = Duration::from_millis(100);
const MAX_RTT: Duration = Duration::from_secs(5);
/// Bounds of the wait for missing packets. With six round trips it is enough for as many retransmissions (RFC 4588) of the same packet.
const MIN_WAIT: Duration = Duration::from_millis(400);
const MAX_WAIT: Duration = Duration::from_millis(1200);
/// Shortest time between two requests for a keyframe: senders answer no faster.
const MIN_INTERVAL: Duration = Duration::from_millis(300);

/// When to ask for a keyframe by a PLI (RFC 4585 section 6.3.1): at most one request is on its way at a time, whatever the reasons.
#[derive(Debug)]
pub(super) struct KeyframeRequests {
    rtt: Duration,
    /// When to ask next, while a keyframe is needed.
    due: Option<Instant>,
    asked_at: Option<Instant>,
}

impl KeyframeRequests {
    pub(super) fn new() -> Self {
        Self { rtt: DEFAULT_RTT, due: None, asked_at: None }
    }

    /// The round trip, time in queues included.
    pub(super) fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt.min(MAX_RTT);
    }

    /// How long a missing packet is waited for, from the first packet behind it on.
    pub(super) fn wait(&self) -> Duration {
        (6 * self.rtt + Duration::from_millis(200)).clamp(MIN_WAIT, MAX_WAIT)
    }

    /// From one request to the next: no sooner than its keyframe can have begun to arrive.
    pub(super) fn interval(&self) -> Duration {
        MIN_INTERVAL.max(self.rtt + Duration::from_millis(100))
    }

    /// A keyframe is needed, to be asked for at `at`, unless it was before or an earlier request is on its way.
    pub(super) fn need(&mut self, at: Instant) {
        let earliest = self.asked_at.map_or(at, |asked_at| at.max(asked_at + self.interval()));
        self.due = Some(self.due.map_or(earliest, |due| due.min(earliest)));
    }

    /// A keyframe is arriving: if one is needed, it is not asked for before `until`.
    pub(super) fn put_off(&mut self, until: Instant) {
        self.due = self.due.map(|due| due.max(until));
    }

    /// Nothing is needed any more.
    pub(super) fn satisfied(&mut self) {
        self.due = None;
    }

    /// Whether a keyframe is needed.
    pub(super) fn is_needed(&self) -> bool {
        self.due.is_some()
    }

    /// Whether to ask now; the next time is set by that.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let ask = self.due.is_some_and(|due| due <= now);
        if ask {
            self.asked_at = Some(now);
            self.due = Some(now + self.interval());
        }
        ask
    }

    /// When to poll.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_wait_and_the_interval_follow_the_round_trip_within_bounds() {
        let mut requests = KeyframeRequests::new();
        for (rtt, wait, interval) in
            [(0, 400, 300), (50, 500, 300), (150, 1100, 300), (250, 1200, 350), (60_000, 1200, 5100)]
        {
            requests.set_rtt(ms(rtt));
            assert_eq!((requests.wait(), requests.interval()), (ms(wait), ms(interval)), "{rtt}");
        }
    }

    #[test]
    fn reasons_do_not_pile_up_requests() {
        let (mut requests, start) = (KeyframeRequests::new(), Instant::now());
        assert!(!requests.poll(start));
        let mut asked = Vec::new();
        for at in 0..1000 {
            requests.need(start + ms(at));
            if requests.poll(start + ms(at)) {
                asked.push(at);
            }
            if at % 7 == 0 {
                requests.satisfied();
            }
        }
        assert_eq!(asked, [0, 300, 600, 900]);
    }

    #[test]
    fn a_keyframe_that_is_arriving_puts_the_request_off_but_makes_none() {
        let (mut requests, start) = (KeyframeRequests::new(), Instant::now());
        requests.put_off(start + ms(500));
        assert_eq!(requests.due(), None);
        requests.need(start);
        requests.put_off(start + ms(500));
        assert!(!requests.poll(start + ms(499)) && requests.poll(start + ms(500)));
    }
}
