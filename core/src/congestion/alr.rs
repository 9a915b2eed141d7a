//! Whether the application sends less than it may (application-limited region): then what arrives says nothing about the path.

/// Part of the target that counts as using it,
const SHARE: f64 = 0.65;
/// over so long, in microseconds.
const WINDOW: f64 = 500_000.0;
/// It begins where more than this part of the budget is left, and ends where less than that is.
const BEGIN: f64 = 0.80;
const END: f64 = 0.50;

/// A budget that fills at a part of the target and is spent by what is sent.
#[derive(Debug)]
pub(super) struct ApplicationLimit {
    /// Bytes, from minus to plus the size of the window.
    budget: f64,
    updated: Option<i64>,
    since: Option<i64>,
}

impl ApplicationLimit {
    pub(super) fn new() -> Self {
        Self { budget: 0.0, updated: None, since: None }
    }

    pub(super) fn sent(&mut self, now: i64, wire_bytes: u32, target_bps: f64) {
        self.update(now, target_bps);
        let window = Self::window(target_bps);
        self.budget = (self.budget - f64::from(wire_bytes)).max(-window);
        self.judge(now, window);
    }

    pub(super) fn update(&mut self, now: i64, target_bps: f64) {
        let since = self.updated.replace(now).map_or(0, |at| (now - at).max(0)) as f64;
        let window = Self::window(target_bps);
        self.budget = (self.budget + SHARE * target_bps / 8e6 * since).min(window);
        self.judge(now, window);
    }

    fn window(target_bps: f64) -> f64 {
        SHARE * target_bps / 8e6 * WINDOW
    }

    fn judge(&mut self, now: i64, window: f64) {
        let left = self.budget / window.max(1.0);
        match self.since {
            None if left > BEGIN => self.since = Some(now),
            Some(_) if left < END => self.since = None,
            _ => {}
        }
    }

    /// Since when, in microseconds.
    pub(super) fn since(&self) -> Option<i64> {
        self.since
    }

    pub(super) fn is_on(&self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(limit: &mut ApplicationLimit, from: i64, ms: i64, share: f64) -> i64 {
        for n in 0..ms / 10 {
            limit.sent(from + n * 10_000, (1e6 / 8.0 / 100.0 * share) as u32, 1e6);
        }
        from + ms * 1000
    }

    #[test]
    fn who_sends_half_of_what_it_may_is_limited_by_itself_and_who_sends_most_of_it_is_not() {
        let mut limit = ApplicationLimit::new();
        let at = run(&mut limit, 0, 3_000, 0.9);
        assert!(!limit.is_on());
        let at = run(&mut limit, at, 6_000, 0.3);
        assert!(limit.is_on());
        run(&mut limit, at, 3_000, 0.9);
        assert!(!limit.is_on());
    }

    #[test]
    fn who_sends_nothing_is_limited_within_a_second() {
        let mut limit = ApplicationLimit::new();
        limit.update(0, 1e6);
        limit.update(1_000_000, 1e6);
        assert!(limit.is_on());
    }
}
