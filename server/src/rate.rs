//! A token bucket with a memory for abuse.

use std::time::{Duration, Instant};

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

/// A budget of bytes or of deeds that fills again with time.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    pub(crate) fn new(per_second: f64, burst: f64, now: Instant) -> Self {
        Self { per_second, burst, left: burst, at: now }
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + elapsed * self.per_second).min(self.burst);
    }

    /// Takes this much if it is there; what costs more than the burst takes a full budget and leaves a debt.
    pub(crate) fn take(&mut self, cost: f64, now: Instant) -> bool {
        self.fill(now);
        if self.left < cost.min(self.burst) {
            return false;
        }
        self.left -= cost;
        true
    }

    /// Undoes a [`Self::take`].
    pub(crate) fn give_back(&mut self, cost: f64) {
        self.left = (self.left + cost).min(self.burst);
    }

    /// Takes this much in any case and says how long to wait until the debt is paid.
    pub(crate) fn charge(&mut self, cost: f64, now: Instant) -> Duration {
        self.fill(now);
        self.left -= cost;
        if self.left >= 0.0 { Duration::ZERO } else { wait(-self.left, self.per_second) }
    }

    /// Whether it is as full as it gets, so that it may be forgotten.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.left >= self.burst
    }
}

/// A minute at most: a rate of zero is no reason to wait for ever.
fn wait(amount: f64, per_second: f64) -> Duration {
    Duration::try_from_secs_f64((amount / per_second).min(60.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_fills_again_and_a_debt_delays_what_follows() {
        let t0 = Instant::now();
        let mut budget = Budget::new(10.0, 20.0, t0);
        assert!(budget.take(50.0, t0), "one thing may cost more than the burst");
        assert!(!budget.take(1.0, t0 + Duration::from_secs(3)));
        assert!(budget.take(1.0, t0 + Duration::from_millis(3_200)));
        assert!(!budget.take(50.0, t0 + Duration::from_millis(3_300)), "and needs a full budget");
        let mut budget = Budget::new(10.0, 20.0, t0);
        assert_eq!(budget.charge(20.0, t0), Duration::ZERO);
        assert_eq!(budget.charge(5.0, t0), Duration::from_millis(500));
        assert!(!budget.is_full(t0 + Duration::from_secs(2)) && budget.is_full(t0 + Duration::from_secs(3)));
    }

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
