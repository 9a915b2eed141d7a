//! A budget of deeds that fills again with time (a token bucket).

use std::time::Instant;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Option<Instant>,
}

impl Budget {
    /// So many at once, and then so many a second.
    pub(crate) fn new(burst: f64, per_second: f64) -> Self {
        Self { per_second, burst, left: burst, at: None }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = self.at.replace(now).map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.left = (self.left + passed * self.per_second).min(self.burst);
        let taken = self.left >= 1.0;
        if taken {
            self.left -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_budget_gives_its_burst_and_then_its_rate() {
        let (mut budget, start) = (Budget::new(3.0, 2.0), Instant::now());
        let mut taken = |ms, asked: u32| (0..asked).filter(|_| budget.take(start + Duration::from_millis(ms))).count();
        assert_eq!((taken(0, 10), taken(499, 10), taken(500, 10), taken(60_000, 10)), (3, 0, 1, 3));
    }
}
