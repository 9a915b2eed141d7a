//! Leaves out pictures of a camera that gives more than are to be sent.

use std::time::{Duration, Instant};

/// A camera that is faster than wanted by less than this part is taken as it is: leaving out one picture in ten stutters.
const NEAR: f64 = 1.1;

/// Chooses pictures as evenly as their times allow.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    due: Option<Instant>,
}

impl Thinning {
    /// Whether to send a picture that was captured then by a camera of this pace, where at most `fps` are to be sent.
    pub(super) fn takes(&mut self, captured_at: Instant, camera_fps: f64, fps: f64) -> bool {
        if fps.is_nan() || camera_fps <= fps * NEAR || fps < 0.1 {
            self.due = None;
            return true;
        }
        let interval = Duration::from_secs_f64(1.0 / fps);
        // A quarter of the distance may be missing: cameras are not exact.
        let early = self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(captured_at));
        if early > interval * 2 {
            // The camera's clock went back.
            self.due = None;
        } else if early > interval / 4 {
            return false;
        }
        let late = self.due.map(|due| (due, captured_at.saturating_duration_since(due)));
        let next = match late {
            Some((due, late)) if late < interval => due.checked_add(interval),
            _ => captured_at.checked_add(interval),
        };
        self.due = next;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of so many pictures of a camera of this pace are sent.
    fn taken(camera_fps: f64, fps: f64, pictures: u32) -> Vec<u32> {
        let (mut thinning, start) = (Thinning::default(), Instant::now());
        let at = |n: u32| start + Duration::from_secs_f64(f64::from(n) / camera_fps);
        (0..pictures).filter(|n| thinning.takes(at(*n), camera_fps, fps)).collect()
    }

    #[test]
    fn half_and_a_third_of_the_pictures_are_chosen_evenly() {
        assert_eq!(taken(30.0, 15.0, 8), [0, 2, 4, 6]);
        assert_eq!(taken(30.0, 10.0, 9), [0, 3, 6]);
        assert_eq!(taken(30.0, 30.0, 5), [0, 1, 2, 3, 4]);
        assert_eq!(taken(30.0, f64::INFINITY, 3), [0, 1, 2]);
    }

    #[test]
    fn any_pace_is_met_on_average() {
        for (camera, fps) in [(30.0, 20.0), (24.0, 15.0), (60.0, 24.0), (30.0, 7.0), (30.0, 5.0)] {
            let count = taken(camera, fps, 600).len() as f64;
            let sent = count / (600.0 / camera);
            assert!((sent / fps - 1.0).abs() < 0.03, "{camera} to {fps}: {sent}");
        }
    }

    #[test]
    fn a_gap_or_a_clock_that_goes_back_starts_anew() {
        let (mut thinning, start) = (Thinning::default(), Instant::now());
        let mut takes = |ms| thinning.takes(start + Duration::from_millis(ms), 30.0, 15.0);
        assert!(takes(10_000) && !takes(10_033) && takes(10_067));
        assert!(takes(20_000) && !takes(20_033), "nothing is made up for");
        assert!(takes(0) && !takes(33) && takes(67));
    }
}
