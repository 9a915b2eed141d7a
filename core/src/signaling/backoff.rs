//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: f64 = 0.4;
const CAP: f64 = 12.0;

/// The wait before attempt number `attempt` (from 1): doubles from 0.4 s up to 12 s, of which `jitter` (0 to 1) decides the upper half.
pub(crate) fn delay(attempt: u32, jitter: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let ceiling = (FIRST * f64::from(1_u32 << doublings)).min(CAP);
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    Duration::from_secs_f64(ceiling * (0.5 + 0.5 * jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_quick_and_no_later_one_exceeds_the_cap() {
        assert_eq!(delay(1, 0.0), Duration::from_millis(200));
        assert_eq!(delay(1, 1.0), Duration::from_millis(400));
        assert_eq!(delay(u32::MAX, 1.0), Duration::from_secs(12));
        assert!(delay(3, f64::NAN) > delay(1, 1.0));
    }
}
