use super::*;
use DegradationPreference::{Balanced, MaintainFramerate, MaintainResolution};
use proptest::prelude::*;

const FREE: f64 = f64::INFINITY;

fn rungs(camera: (u32, u32), preference: DegradationPreference) -> Vec<((u32, u32), f64)> {
    let ladder = Ladder::new(camera, &VideoBounds::default(), preference);
    (0..=ladder.last()).map(|index| (ladder.rung(index).size, ladder.rung(index).fps)).collect()
}

#[test]
fn a_720p_camera_has_five_sizes_and_the_smallest_at_half_the_pace_too() {
    let sizes = [(1280, 720), (960, 540), (640, 360), (480, 270)].map(|size| (size, FREE));
    assert_eq!(rungs((1280, 720), Balanced), [&sizes[..], &[((320, 180), FREE), ((320, 180), 15.0)]].concat());
    assert_eq!(rungs((1280, 720), MaintainFramerate), [&sizes[..], &[((320, 180), FREE)]].concat());
    let rates = [FREE, 15.0, 10.0, 7.0, 5.0].map(|fps| ((1280, 720), fps));
    assert_eq!(rungs((1280, 720), MaintainResolution), rates);
}

#[test]
fn the_ladder_follows_the_cameras_size_and_stays_upright() {
    let portrait: Vec<_> = rungs((1280, 720), Balanced).iter().map(|((w, h), fps)| ((*h, *w), *fps)).collect();
    assert_eq!(rungs((720, 1280), Balanced), portrait);
    let (hd, vga) = (rungs((1920, 1080), Balanced), rungs((640, 480), Balanced));
    assert_eq!((hd.len(), hd[hd.len() - 1]), (8, ((240, 134), 15.0)));
    let sizes = [(640, 480), (480, 360), (320, 240), (240, 180)].map(|size| (size, FREE));
    assert_eq!(vga, [&sizes[..], &[((240, 180), 15.0)]].concat());
    assert_eq!(rungs((160, 120), Balanced), [((160, 120), FREE), ((160, 120), 15.0)]);
    assert_eq!(rungs((160, 120), MaintainFramerate), [((160, 120), FREE)]);
}

#[test]
fn bounds_of_the_application_are_kept_whichever_way_the_phone_is_held() {
    let bounds = VideoBounds { max_width: 640, max_height: 480, max_fps: 24.0, ..VideoBounds::default() };
    let top = |camera| Ladder::new(camera, &bounds, Balanced).rung(0);
    assert_eq!(top((1280, 720)), Rung { size: (640, 360), fps: 24.0 });
    assert_eq!(top((720, 1280)), Rung { size: (360, 640), fps: 24.0 });
    assert_eq!(top((320, 240)), Rung { size: (320, 240), fps: 24.0 });
    assert!(!Ladder::new((1280, 720), &bounds, Balanced).is_cut(), "it is what the application wants");
    let slow = VideoBounds { max_fps: f64::NAN, ..bounds };
    assert_eq!(Ladder::new((1280, 720), &slow, Balanced).rung(0).fps, 1.0);
}

#[test]
fn what_no_codec_takes_is_made_smaller_and_called_so() {
    let ladder = Ladder::new((7680, 4320), &VideoBounds::default(), Balanced);
    assert_eq!((ladder.rung(0).size, ladder.is_cut()), ((3840, 2160), true));
    assert_eq!(Ladder::new((8192, 2), &VideoBounds::default(), Balanced).rung(0).size, (3840, 2));
}

#[test]
fn bitrates_for_720p_are_those_of_the_table_and_others_lie_between_them() {
    let ladder = Ladder::new((1280, 720), &VideoBounds::default(), Balanced);
    let needs: Vec<_> = [0, 1, 2, 3, 5].map(|index| ladder.needs(index, 30.0)).to_vec();
    let table = [(900e3, 600e3), (500e3, 350e3), (300e3, 200e3), (180e3, 120e3), (90e3, 60e3)];
    assert_eq!(needs, table);
    let vga = Ladder::new((640, 480), &VideoBounds::default(), Balanced).needs(0, 30.0).0;
    assert!((350e3..360e3).contains(&vga), "{vga}");
    let slow = ladder.needs(0, 15.0).0;
    assert!((455e3..465e3).contains(&slow), "half the pictures need more than half of the bits: {slow}");
}

proptest! {
    #[test]
    fn every_camera_has_a_ladder_that_falls_in_size_and_in_need(
        width in 1u32..8193, height in 1u32..8193, fps in 0.0..240.0, max_width: u32, max_height: u32, max_fps: f64,
        preference in prop_oneof![Just(Balanced), Just(MaintainFramerate), Just(MaintainResolution)],
    ) {
        let bounds = VideoBounds { max_width, max_height, max_fps, ..VideoBounds::default() };
        let ladder = Ladder::new((width, height), &bounds, preference);
        prop_assert!(ladder.last() <= SHARES.len());
        for index in 0..=ladder.last() {
            let Rung { size: (w, h), fps: limit } = ladder.rung(index);
            prop_assert!(w > 0 && h > 0 && w <= width.max(2) && h <= height.max(2) && limit >= 1.0);
            prop_assert!(w.max(h) <= 3840 && w.min(h) <= 2160);
            let (enter, keep) = ladder.needs(index, fps);
            prop_assert!(enter.is_finite() && keep > 0.0 && keep < enter);
            if index > 0 {
                prop_assert!(ladder.needs(index - 1, fps).0 >= enter);
            }
        }
    }
}
