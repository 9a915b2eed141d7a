//! Pictures under way in an encoder that gives them back later, told apart by their time.

use std::collections::VecDeque;
use std::time::Instant;

/// Times in microseconds since the first picture, strictly increasing whatever the camera's clock does.
#[derive(Debug)]
pub(super) struct Pending {
    under_way: VecDeque<(i64, Instant)>,
    most: usize,
    /// Pictures that the encoder had no room for since it gave one back.
    left_out: usize,
    start: Option<Instant>,
    last: i64,
}

impl Pending {
    /// At most `most` pictures.
    pub(super) fn new(most: usize) -> Self {
        Self { under_way: VecDeque::with_capacity(most), most, left_out: 0, start: None, last: -1 }
    }

    /// Whether as many pictures as may be have come since the encoder gave one back: it hangs.
    #[cfg(any(test, target_os = "android"))]
    pub(super) fn is_stuck(&self) -> bool {
        self.under_way.len() + self.left_out >= self.most
    }

    /// The encoder has no room for a picture.
    #[cfg(any(test, target_os = "android"))]
    pub(super) fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// The time to give the encoder for a picture that was captured then.
    pub(super) fn push(&mut self, captured_at: Instant) -> i64 {
        let start = *self.start.get_or_insert(captured_at);
        let since = i64::try_from(captured_at.saturating_duration_since(start).as_micros()).unwrap_or(i64::MAX / 2);
        self.last = since.max(self.last + 1);
        if self.under_way.len() >= self.most {
            self.under_way.pop_front();
        }
        self.under_way.push_back((self.last, captured_at));
        self.last
    }

    /// The capture time of the picture that the encoder gave back with this time; those before it were skipped.
    pub(super) fn finish(&mut self, time: i64) -> Option<Instant> {
        self.left_out = 0;
        let mut found = None;
        while let Some((_, captured_at)) = self.under_way.pop_front_if(|(at, _)| *at <= time) {
            found = Some(captured_at);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_picture_comes_back_with_the_time_of_its_capture_and_skipped_ones_are_forgotten() {
        let (mut pending, start) = (Pending::new(4), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let times: Vec<_> = [0, 33, 66].map(|ms| pending.push(at(ms))).into();
        assert_eq!(times, [0, 33_000, 66_000]);
        assert_eq!(pending.finish(33_000), Some(at(33)));
        assert_eq!(pending.finish(33_000), None);
        assert_eq!(pending.finish(66_000), Some(at(66)));
    }

    #[test]
    fn times_grow_though_the_cameras_clock_stands_or_goes_back() {
        let (mut pending, start) = (Pending::new(2), Instant::now());
        let times: Vec<_> = [5, 5, 0].map(|ms| pending.push(start + Duration::from_millis(ms))).into();
        assert_eq!(times, [0, 1, 2]);
    }

    #[test]
    fn no_more_pictures_are_kept_than_allowed() {
        let (mut pending, start) = (Pending::new(2), Instant::now());
        assert!(!pending.is_stuck());
        (0..10).for_each(|ms| {
            pending.push(start + Duration::from_millis(ms));
        });
        assert!(pending.is_stuck() && pending.under_way.len() == 2);
    }

    #[test]
    fn an_encoder_that_takes_no_more_pictures_is_stuck_as_one_that_gives_none_back() {
        let (mut pending, start) = (Pending::new(5), Instant::now());
        let times = [0, 33].map(|ms| pending.push(start + Duration::from_millis(ms)));
        (0..2).for_each(|_| pending.leave_out());
        assert!(!pending.is_stuck());
        pending.leave_out();
        assert!(pending.is_stuck());
        assert!(pending.finish(times[0]).is_some());
        assert!(!pending.is_stuck(), "it was only slow");
    }
}
