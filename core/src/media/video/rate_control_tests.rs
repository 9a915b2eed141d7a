use super::*;

const FPS: f64 = 30.0;
const QUANTIZERS: Quantizers = Quantizers { range: 12..=51, step: |quantizer| quantizer as f64 / 6.0 };

/// An encoder whose pictures follow the model with a factor of their own.
struct Model {
    control: RateControl,
    now: Instant,
    keyframe: f64,
    difference: f64,
    sizes: Vec<usize>,
    left_out: usize,
}

impl Model {
    /// `keyframe` and `difference`: bytes at quantiser 30.
    fn new(bitrate_bps: u32, keyframe: f64, difference: f64) -> Self {
        let control = RateControl::new(QUANTIZERS, bitrate_bps, FPS);
        Self { control, now: Instant::now(), keyframe, difference, sizes: Vec::new(), left_out: 0 }
    }

    fn bytes(at_30: f64, quantizer: i32) -> usize {
        (at_30 * (f64::from(30 - quantizer) / 6.0).exp2()) as usize
    }

    /// Bytes of the picture, and whether it became a keyframe.
    fn picture(&mut self, keyframe: bool) -> (usize, bool) {
        self.now += Duration::from_secs_f64(1.0 / FPS);
        if self.control.begin(self.now) && !keyframe {
            self.left_out += 1;
            self.sizes.push(0);
            return (0, false);
        }
        let mut is_keyframe = keyframe;
        let (mut quantizer, mut bytes) = (0, 0);
        if !keyframe {
            quantizer = self.control.for_difference();
            bytes = Self::bytes(self.difference, quantizer);
            is_keyframe = self.control.is_scene_cut(bytes, self.now);
            if is_keyframe {
                self.control.scene_cut(quantizer, bytes);
            }
        }
        if is_keyframe {
            quantizer = self.control.for_keyframe(26);
            bytes = Self::bytes(self.keyframe, quantizer);
            while let Some(next) = self.control.keyframe_again(quantizer, bytes) {
                (quantizer, bytes) = (next, Self::bytes(self.keyframe, next));
            }
        }
        self.control.encoded(is_keyframe, quantizer, bytes, self.now);
        self.sizes.push(bytes);
        (bytes, is_keyframe)
    }

    fn bps(&self, pictures: usize) -> f64 {
        let sum: usize = self.sizes.iter().rev().take(pictures).sum();
        sum as f64 * 8.0 * FPS / pictures as f64
    }
}

#[test]
fn the_bitrate_is_kept_whatever_pictures_need() {
    for at_30 in [300.0, 3_000.0, 20_000.0] {
        for bitrate in [200_000, 1_000_000, 2_500_000] {
            let mut model = Model::new(bitrate, 10.0 * at_30, at_30);
            model.picture(true);
            for _ in 0..120 {
                model.picture(false);
            }
            let ratio = model.bps(60) / f64::from(bitrate);
            // The finest and the coarsest quantiser are ends.
            let (finest, coarsest) = (Model::bytes(at_30, 12), Model::bytes(at_30, 51));
            let share = f64::from(bitrate) / 8.0 / FPS;
            if (finest as f64) > share && (coarsest as f64) < share {
                assert!((0.85..1.1).contains(&ratio), "{at_30} at {bitrate}: {ratio}");
            }
        }
    }
}

#[test]
fn a_keyframe_is_within_its_budget_after_a_second_try() {
    let mut model = Model::new(750_000, 40_000.0, 4_000.0);
    model.control.set_keyframe_budget(14_000);
    assert!(model.picture(true).0 <= 15_400);
    for _ in 0..30 {
        model.picture(false);
    }
    // By now it is known what keyframes need.
    let quantizer = model.control.for_keyframe(26);
    let bytes = Model::bytes(model.keyframe, quantizer);
    assert!(bytes <= 14_000, "{bytes}");
    assert_eq!(model.control.keyframe_again(quantizer, bytes), None);
}

#[test]
fn a_keyframe_that_no_quantizer_makes_small_goes_out_all_the_same() {
    let mut model = Model::new(100_000, 1e7, 4_000.0);
    let (bytes, keyframe) = model.picture(true);
    assert_eq!((bytes, keyframe), (Model::bytes(1e7, 51), true));
    assert_eq!(model.control.last_quantizer(), Some(51));
}

#[test]
fn what_a_keyframe_took_is_paid_back_by_smaller_pictures_and_not_by_missing_ones() {
    let mut model = Model::new(1_000_000, 60_000.0, 5_000.0);
    model.control.set_keyframe_budget(18_750);
    for n in 0..180 {
        model.picture(n % 60 == 0);
    }
    assert_eq!(model.left_out, 0);
    assert!((0.85..1.1).contains(&(model.bps(60) / 1e6)), "{}", model.bps(60));
}

#[test]
fn a_lower_bitrate_is_kept_from_the_first_pictures_on() {
    let mut model = Model::new(2_000_000, 60_000.0, 8_000.0);
    model.picture(true);
    for _ in 0..60 {
        model.picture(false);
    }
    model.control.set_bitrate(300_000);
    for _ in 0..6 {
        model.picture(false);
    }
    assert!(model.bps(6) < 450_000.0, "{}", model.bps(6));
}

#[test]
fn a_much_lower_bitrate_leaves_no_picture_out_for_what_was_made_before() {
    let mut model = Model::new(1_000_000, 60_000.0, 3_000.0);
    model.control.set_keyframe_budget(30_000);
    model.picture(true);
    model.control.set_bitrate(100_000);
    for _ in 0..30 {
        model.picture(false);
    }
    assert_eq!(model.left_out, 0);
}

#[test]
fn a_new_scene_is_a_keyframe_within_its_budget_and_not_a_picture_many_times_its_share() {
    let mut model = Model::new(1_000_000, 60_000.0, 2_000.0);
    model.control.set_keyframe_budget(18_750);
    model.picture(true);
    for _ in 0..60 {
        assert!(!model.picture(false).1);
    }
    model.difference = 60_000.0;
    let (bytes, keyframe) = model.picture(false);
    assert!(keyframe && bytes < 20_700, "{bytes}");
    // What goes on like this is no other scene.
    assert!((0..20).all(|_| !model.picture(false).1));
}

#[test]
fn pictures_are_left_out_only_while_the_coarsest_quantizer_is_too_fine() {
    let mut model = Model::new(100_000, 100_000.0, 12_000.0);
    for n in 0..150 {
        model.picture(n == 0);
    }
    assert!((0.9..1.2).contains(&(model.bps(90) / 1e5)), "{}", model.bps(90));
    assert!(model.left_out > 20);
    let longest = model.sizes.split(|size| *size > 0).map(<[usize]>::len).max();
    // The first keyframe is paid for first.
    assert!(longest <= Some(12), "{longest:?}");
}

#[test]
fn a_pause_is_no_credit() {
    let mut model = Model::new(500_000, 20_000.0, 3_000.0);
    for n in 0..60 {
        model.picture(n == 0);
    }
    let before = model.bps(30);
    model.now += Duration::from_secs(20);
    for _ in 0..6 {
        model.picture(false);
    }
    assert!(model.bps(6) < 1.8 * before, "{} after {before}", model.bps(6));
}
