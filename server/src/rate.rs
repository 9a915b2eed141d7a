//! A token bucket with a memory for abuse.

use std::time::Instant;

/// What to do with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Refuse,
    /// Refused too often: end the connection.
    Disconnect,
}

#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Instant,
    strikes: u32,
    max_strikes: u32,
}

impl Rate {
    pub(crate) fn new(per_second: u32, burst: u32, max_strikes: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self { per_second: f64::from(per_second), burst, tokens: burst, at: now, strikes: 0, max_strikes }
    }

    pub(crate) fn take(&mut self, now: Instant) -> Verdict {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        if self.tokens >= self.burst {
            self.strikes = 0;
        }
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Verdict::Pass;
        }
        self.strikes = self.strikes.saturating_add(1);
        if self.strikes > self.max_strikes { Verdict::Disconnect } else { Verdict::Refuse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_then_the_sustained_rate_holds() {
        let t0 = Instant::now();
        let mut rate = Rate::new(10, 3, 100, t0);
        let burst: Vec<_> = (0..4).map(|_| rate.take(t0)).collect();
        assert_eq!(burst, [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Refuse]);
        assert_eq!(rate.take(t0 + Duration::from_millis(99)), Verdict::Refuse);
        assert_eq!(rate.take(t0 + Duration::from_millis(101)), Verdict::Pass);
    }

    #[test]
    fn who_goes_on_is_disconnected_and_who_pauses_is_forgiven() {
        let t0 = Instant::now();
        let mut rate = Rate::new(10, 1, 2, t0);
        let all: Vec<_> = (0..4).map(|_| rate.take(t0)).collect();
        assert_eq!(all, [Verdict::Pass, Verdict::Refuse, Verdict::Refuse, Verdict::Disconnect]);
        assert_eq!(rate.take(t0 + Duration::from_secs(1)), Verdict::Pass);
        assert_eq!(rate.take(t0 + Duration::from_secs(1)), Verdict::Refuse);
    }
}
