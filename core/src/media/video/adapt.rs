//! Which size a bitrate can carry: rather a smaller picture than a smeared one.

use std::time::{Duration, Instant};

/// Bits per pixel from which a size is worth its pixels.
const WANTED: f64 = 0.03;
/// A size is kept down to this part of it, and a larger one taken from this part on, so that an estimate that wavers changes
/// nothing: each change costs a keyframe.
const KEEP: f64 = 0.75;
const GROW: f64 = 1.35;
/// Sides above this are never encoded, in pixels: the longer and the shorter.
const MAX_SIDES: (u32, u32) = (3840, 2160);
/// The shorter side is never made smaller than this, in pixels.
const MIN_SIDE: u32 = 90;
/// Between changes to a smaller size, and to a larger one.
const SHRINK_AFTER: Duration = Duration::from_secs(1);
const GROW_AFTER: Duration = Duration::from_secs(4);

/// Share of each side, in quarters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step(u32);

impl Step {
    /// From the largest to the smallest.
    const ALL: [Self; 4] = [Self(4), Self(3), Self(2), Self(1)];

    /// The size of a picture at this step: even numbers, except at full size, which stays as it is.
    pub(super) fn apply(self, (width, height): (u32, u32)) -> (u32, u32) {
        let part = |side: u32| ((side * self.0 / 4) & !1).max(2);
        if self.0 == 4 { (width, height) } else { (part(width), part(height)) }
    }
}

/// The step for a camera's size, its pace, and a bitrate. `before`: the step until now for the same camera size.
pub(super) fn step(size: (u32, u32), fps: f64, bitrate_bps: u32, before: Option<Step>) -> Step {
    let enough = |step: &Step, factor: f64| {
        let (width, height) = step.apply(size);
        f64::from(bitrate_bps) >= WANTED * factor * fps.max(1.0) * f64::from(width) * f64::from(height)
    };
    let possible = |step: &&Step| {
        let (width, height) = step.apply(size);
        width.max(height) <= MAX_SIDES.0 && width.min(height) <= MAX_SIDES.1
    };
    let sensible = |step: &&Step| {
        let (width, height) = step.apply(size);
        step.0 == 4 || width.min(height) >= MIN_SIDE
    };
    let steps = || Step::ALL.iter().filter(possible).filter(sensible);
    let factor = |step: &Step| match before {
        Some(before) if *step == before => KEEP,
        Some(before) if *step > before => GROW,
        _ => 1.0,
    };
    let smallest = || steps().next_back().copied().unwrap_or(Step(1));
    steps().find(|step| enough(step, factor(step))).copied().unwrap_or_else(smallest)
}

/// Follows bitrate and camera, not too often.
#[derive(Debug, Default)]
pub(super) struct Adaptation {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    size: (u32, u32),
    step: Step,
    since: Instant,
}

impl Adaptation {
    /// The size to send a picture of this size in.
    pub(super) fn size(&mut self, size: (u32, u32), fps: f64, bitrate_bps: u32, now: Instant) -> (u32, u32) {
        let chosen = match &self.current {
            Some(current) if current.size == size => {
                let wanted = step(size, fps, bitrate_bps, Some(current.step));
                let after = if wanted > current.step { GROW_AFTER } else { SHRINK_AFTER };
                if wanted == current.step || now.saturating_duration_since(current.since) < after {
                    return current.step.apply(size);
                }
                wanted
            }
            _ => step(size, fps, bitrate_bps, None),
        };
        self.current = Some(Current { size, step: chosen, since: now });
        chosen.apply(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HD: (u32, u32) = (1280, 720);

    fn sent(bitrate: u32) -> (u32, u32) {
        step(HD, 30.0, bitrate, None).apply(HD)
    }

    #[test]
    fn a_low_bitrate_gets_a_smaller_picture() {
        assert_eq!(sent(1_500_000), (1280, 720));
        assert_eq!(sent(600_000), (960, 540));
        assert_eq!(sent(300_000), (640, 360));
        assert_eq!(sent(150_000), (320, 180));
        assert_eq!(sent(0), (320, 180));
    }

    #[test]
    fn a_slow_camera_keeps_its_size_longer() {
        assert_eq!(step(HD, 10.0, 300_000, None).apply(HD), HD);
    }

    #[test]
    fn small_pictures_are_not_made_tiny_and_huge_ones_never_kept() {
        assert_eq!(step((160, 120), 30.0, 1_000, None).apply((160, 120)), (120, 90));
        assert_eq!(step((160, 100), 30.0, 1_000, None).apply((160, 100)), (160, 100));
        assert_eq!(step((7680, 4320), 30.0, u32::MAX, None).apply((7680, 4320)), (3840, 2160));
    }

    #[test]
    fn a_wavering_estimate_changes_nothing() {
        // 829 kbit/s is where 720p at 30 pictures per second begins to be worth it.
        for before in Step::ALL.into_iter().take(2) {
            for bitrate in [750_000, 829_000, 900_000] {
                assert_eq!(step(HD, 30.0, bitrate, Some(before)), before);
            }
        }
        assert_eq!(step(HD, 30.0, 1_200_000, Some(Step(3))), Step(4));
        assert_eq!(step(HD, 30.0, 600_000, Some(Step(4))), Step(3));
    }

    #[test]
    fn it_shrinks_soon_grows_later_and_starts_anew_with_another_camera() {
        let (mut adaptation, start) = (Adaptation::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(adaptation.size(HD, 30.0, 1_500_000, at(0)), HD);
        assert_eq!(adaptation.size(HD, 30.0, 300_000, at(999)), HD);
        assert_eq!(adaptation.size(HD, 30.0, 300_000, at(1000)), (640, 360));
        assert_eq!(adaptation.size(HD, 30.0, 1_500_000, at(4999)), (640, 360));
        assert_eq!(adaptation.size(HD, 30.0, 1_500_000, at(5000)), HD);
        assert_eq!(adaptation.size((640, 480), 30.0, 1_500_000, at(5001)), (640, 480));
    }

    proptest! {
        #[test]
        fn any_size_gives_one_that_can_be_encoded(w in 1u32..8192, h in 1u32..8192, fps in 0.0..240.0, bps: u32) {
            let (width, height) = step((w, h), fps, bps, None).apply((w, h));
            prop_assert!(width > 0 && height > 0 && width <= w.max(2) && height <= h.max(2));
        }

        #[test]
        fn more_bitrate_never_gives_a_smaller_picture(low: u32, more in 0u32..1_000_000) {
            prop_assert!(step(HD, 30.0, low.saturating_add(more), None) >= step(HD, 30.0, low, None));
        }
    }
}
