use super::*;
use crate::media::video::adaptation::{DegradationPreference, VideoBounds};
use proptest::prelude::*;

const FPS: f64 = 30.0;

fn ladder() -> Ladder {
    Ladder::new((1280, 720), &VideoBounds::default(), DegradationPreference::Balanced)
}

/// A limit that has got over its start, and the time.
struct Run {
    ladder: Ladder,
    limit: RateLimit,
    now: Instant,
}

impl Run {
    fn at(bitrate: u32) -> Self {
        let (ladder, now) = (ladder(), Instant::now());
        let limit = RateLimit::new(&ladder, bitrate, FPS, now);
        Self { ladder, limit, now: now + START }
    }

    fn follow(&mut self, bitrate: u32) -> usize {
        self.limit.follow(&self.ladder, bitrate, FPS, (false, true), self.now)
    }

    /// Milliseconds until it leaves its rung, and the rung then.
    fn until_change(&mut self, bitrate: u32) -> Option<(u64, usize)> {
        let before = self.limit.rung;
        for ms in 0..70_000 {
            let rung = self.follow(bitrate);
            if rung != before {
                return Some((ms, rung));
            }
            self.now += Duration::from_millis(1);
        }
        None
    }
}

#[test]
fn it_begins_with_what_the_bitrate_carries() {
    let table =
        [(900, 0), (899, 1), (500, 1), (499, 2), (300, 2), (299, 3), (180, 3), (179, 4), (116, 4), (115, 5), (0, 5)];
    for (kbps, rung) in table {
        assert_eq!(Run::at(kbps * 1000).limit.rung, rung, "{kbps} kbit/s");
    }
}

#[test]
fn it_keeps_a_rung_down_to_its_edge_and_leaves_it_after_a_second_below() {
    // Rung, the bitrate that still keeps it, and the rung that the next lower one falls to.
    for (enter, keep, falls_to) in [(900, 600, 1), (500, 350, 2), (300, 200, 3), (180, 120, 4)] {
        assert_eq!(Run::at(enter * 1000).until_change(keep * 1000), None, "{keep} kbit/s");
        assert_eq!(Run::at(enter * 1000).until_change(keep * 1000 - 1), Some((1000, falls_to)), "{keep} kbit/s");
    }
    assert_eq!(Run::at(90_000).until_change(0), None, "there is nothing below the lowest");
}

#[test]
fn a_deep_fall_is_followed_at_once_to_the_rung_that_fits() {
    assert_eq!(Run::at(900_000).until_change(360_000), Some((1000, 1)), "0.6 of what keeps it");
    assert_eq!(Run::at(900_000).until_change(359_999), Some((0, 2)));
    assert_eq!(Run::at(900_000).until_change(100_000), Some((0, 5)));
}

#[test]
fn a_rise_needs_a_margin_and_time_and_leads_as_far_as_the_bitrate_does() {
    assert_eq!(Run::at(500_000).until_change(1_124_999), None);
    assert_eq!(Run::at(500_000).until_change(1_125_000), Some((4000, 0)));
    assert_eq!(Run::at(120_000).until_change(374_999), Some((4000, 3)));
    assert_eq!(Run::at(120_000).until_change(449_999), Some((4000, 2)));
    assert_eq!(Run::at(120_000).until_change(450_000), Some((1000, 2)), "twice the margin leaves no doubt");
    assert_eq!(Run::at(120_000).until_change(2_000_000), Some((1000, 0)));
}

#[test]
fn at_the_start_of_a_stream_the_estimate_is_followed_up_soon() {
    let mut run = Run::at(200_000);
    run.now -= START;
    assert_eq!(run.until_change(1_200_000), Some((500, 0)));
}

#[test]
fn pictures_that_are_bad_as_they_are_get_no_more_pixels() {
    let mut run = Run::at(500_000);
    for _ in 0..600 {
        run.now += Duration::from_millis(100);
        assert_eq!(run.limit.follow(&run.ladder, 1_200_000, FPS, (false, false), run.now), 1);
    }
}

#[test]
fn a_keyframe_that_is_due_anyway_takes_the_change_along() {
    let mut run = Run::at(900_000);
    let mut at = |ms, bitrate, due| {
        let now = run.now + Duration::from_millis(ms);
        run.limit.follow(&run.ladder, bitrate, FPS, (due, true), now)
    };
    assert_eq!(at(0, 590_000, false), 0);
    assert_eq!(at(10, 590_000, true), 1);
    assert_eq!(at(20, 1_200_000, true), 1, "it may be gone again in a moment");
    assert_eq!(at(519, 1_200_000, true), 1);
    assert_eq!(at(520, 1_200_000, false), 1);
    assert_eq!(at(521, 1_200_000, true), 0);
}

#[test]
fn a_bitrate_that_goes_up_and_down_is_followed_up_ever_later() {
    let mut run = Run::at(500_000);
    for wait in [4000, 8000, 16_000, 32_000, 60_000, 60_000] {
        assert_eq!(run.until_change(1_130_000), Some((wait, 0)));
        assert_eq!(run.until_change(599_000), Some((1000, 1)));
    }
}

proptest! {
    #[test]
    fn it_stays_on_the_ladder_and_a_steady_bitrate_ends_in_one_rung(
        bitrates in proptest::collection::vec((0u32..3_000_000, 1u64..3000), 1..60), last in 0u32..3_000_000,
    ) {
        let mut run = Run::at(300_000);
        for (bitrate, ms) in bitrates {
            run.now += Duration::from_millis(ms);
            prop_assert!(run.follow(bitrate) <= run.ladder.last());
        }
        let mut rung = 0;
        for _ in 0..400 {
            run.now += Duration::from_millis(500);
            rung = run.follow(last);
        }
        for _ in 0..200 {
            run.now += Duration::from_millis(500);
            prop_assert_eq!(run.follow(last), rung);
        }
        let (enter, keep) = run.ladder.needs(rung, FPS);
        prop_assert!(rung == run.ladder.last() || f64::from(last) >= keep, "{} {}", last, enter);
        prop_assert!(rung == 0 || f64::from(last) < RISE_FROM * run.ladder.needs(rung - 1, FPS).0);
    }
}
