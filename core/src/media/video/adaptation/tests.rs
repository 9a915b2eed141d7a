use super::*;
use proptest::prelude::*;

const QUANTIZERS: QuantizerRange = QuantizerRange { low: 29, high: 95 };

/// A 720p camera of 30 pictures per second that a path is told for, picture by picture.
struct Stream {
    adaptation: Adaptation,
    input: Input,
    now: Instant,
    took: Duration,
    quantizer: u32,
}

impl Stream {
    fn new(bitrate_bps: u32) -> Self {
        let now = Instant::now();
        let input = Input {
            size: (1280, 720),
            fps: 30.0,
            captured_at: now,
            bitrate_bps,
            keyframe_due: false,
            quantizers: QUANTIZERS,
            wishes: Wishes::default(),
        };
        Self { adaptation: Adaptation::default(), input, now, took: Duration::from_millis(5), quantizer: 60 }
    }

    /// The last decision after so many seconds, and how many pictures were sent.
    fn seconds(&mut self, seconds: f64) -> (Decision, u32) {
        let mut sent = 0;
        let mut decision = None;
        for _ in 0..((seconds * 30.0).round() as u32).max(1) {
            self.input.captured_at = self.now;
            let decided = self.adaptation.decide(&self.input, self.now);
            if decided.taken {
                sent += 1;
                let bytes = (f64::from(self.input.bitrate_bps) / 8.0 / decided.fps) as usize;
                self.adaptation.encoded(self.took, Some(self.quantizer), bytes);
            }
            decision = Some(decided);
            self.now += Duration::from_secs(1) / 30;
        }
        (decision.unwrap(), sent)
    }

    fn after(&mut self, seconds: f64) -> Decision {
        self.seconds(seconds).0
    }
}

#[test]
fn enough_of_everything_sends_the_camera_as_it_is() {
    let decision = Stream::new(1_500_000).after(60.0);
    assert_eq!((decision.size, decision.fps, decision.taken), ((1280, 720), 30.0, true));
    assert_eq!(decision.limited_by, QualityLimitation::None);
}

#[test]
fn each_preference_gives_way_in_its_own_manner() {
    use DegradationPreference::{Balanced, MaintainFramerate, MaintainResolution};
    let table = [
        (Balanced, 200_000, (480, 270), 30),
        (MaintainFramerate, 200_000, (480, 270), 30),
        (MaintainResolution, 200_000, (1280, 720), 5),
        (MaintainResolution, 470_000, (1280, 720), 15),
        (Balanced, 70_000, (320, 180), 15),
        (MaintainFramerate, 70_000, (320, 180), 30),
    ];
    for (preference, bitrate, size, fps) in table {
        let mut stream = Stream::new(bitrate);
        stream.input.wishes.preference = preference;
        let (decision, sent) = stream.seconds(1.0);
        assert_eq!(decision.size, size, "{preference} at {bitrate}");
        assert!((fps..=fps + 1).contains(&sent), "{preference} at {bitrate}: {sent}");
        assert_eq!(decision.limited_by, QualityLimitation::Bandwidth);
    }
}

#[test]
fn from_the_start_at_300_kbps_full_size_is_reached_soon_after_the_estimate_has_grown() {
    let mut stream = Stream::new(200_000);
    assert_eq!(stream.after(0.5).size, (480, 270));
    stream.input.bitrate_bps = 900_000;
    assert_eq!(stream.after(0.6).size, (960, 540));
    stream.input.bitrate_bps = 2_000_000;
    assert_eq!(stream.after(0.6).size, (1280, 720));
}

#[test]
fn a_slow_device_gives_way_and_says_so() {
    let mut stream = Stream::new(2_500_000);
    stream.took = Duration::from_millis(31);
    let decision = stream.after(12.0);
    assert_eq!((decision.size, decision.limited_by), ((960, 540), QualityLimitation::Cpu));
    stream.took = Duration::from_millis(5);
    let decision = stream.after(14.0);
    assert_eq!((decision.size, decision.limited_by), ((1280, 720), QualityLimitation::None));
}

#[test]
fn a_hot_device_gives_way_at_once_and_the_lower_of_two_limits_is_named() {
    let mut stream = Stream::new(2_500_000);
    stream.input.wishes.thermal = ThermalState::Serious;
    let decision = stream.after(0.1);
    assert_eq!((decision.size, decision.limited_by), ((640, 360), QualityLimitation::Cpu));
    stream.input.bitrate_bps = 130_000;
    let decision = stream.after(0.1);
    assert_eq!((decision.size, decision.limited_by), ((320, 180), QualityLimitation::Bandwidth));
}

#[test]
fn blocks_instead_of_a_picture_are_shrunk_though_the_bitrate_would_do() {
    let mut stream = Stream::new(1_000_000);
    stream.quantizer = 120;
    let decision = stream.after(5.2);
    assert_eq!((decision.size, decision.limited_by), ((960, 540), QualityLimitation::Bandwidth));
}

#[test]
fn bounds_may_change_while_it_runs_and_are_not_called_a_limitation() {
    let mut stream = Stream::new(2_500_000);
    stream.after(1.0);
    stream.input.wishes.bounds =
        VideoBounds { max_width: 640, max_height: 360, max_fps: 15.0, ..VideoBounds::default() };
    let (decision, sent) = stream.seconds(2.0);
    assert_eq!((decision.size, sent, decision.limited_by), ((640, 360), 30, QualityLimitation::None));
    stream.input.wishes.bounds = VideoBounds { max_bitrate_bps: 200_000, ..VideoBounds::default() };
    assert_eq!(stream.after(1.0).size, (480, 270));
    stream.input.wishes.bounds = VideoBounds::default();
    assert_eq!(stream.after(0.1).size, (1280, 720));
}

#[test]
fn a_turned_or_another_camera_starts_anew() {
    let mut stream = Stream::new(600_000);
    assert_eq!(stream.after(1.0).size, (960, 540));
    stream.input.size = (720, 1280);
    assert_eq!(stream.after(0.1).size, (540, 960));
    stream.input.size = (640, 480);
    assert_eq!(stream.after(0.1).size, (640, 480));
}

#[test]
fn a_wavering_estimate_changes_nothing() {
    let mut stream = Stream::new(700_000);
    let before = stream.after(1.0).size;
    for n in 0..60 {
        stream.input.bitrate_bps = if n % 2 == 0 { 600_000 } else { 800_000 };
        assert_eq!(stream.after(1.0).size, before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_the_decision_can_be_encoded_and_is_named(
        steps in proptest::collection::vec(
            (1u32..8193, 1u32..8193, any::<f64>(), any::<u32>(), any::<bool>(), 0u32..128, 0u64..200, 0u64..9000, 0u8..4, 0u8..3),
            1..60,
        ),
    ) {
        let mut stream = Stream::new(300_000);
        for (width, height, fps, bitrate, keyframe_due, quantizer, took, ms, thermal, preference) in steps {
            stream.now += Duration::from_millis(ms);
            stream.input = Input { size: (width, height), fps, bitrate_bps: bitrate, keyframe_due, ..stream.input };
            stream.input.wishes.thermal = [ThermalState::Nominal, ThermalState::Fair, ThermalState::Serious,
                ThermalState::Critical][usize::from(thermal)];
            stream.input.wishes.preference = [DegradationPreference::Balanced, DegradationPreference::MaintainFramerate,
                DegradationPreference::MaintainResolution][usize::from(preference)];
            (stream.took, stream.quantizer) = (Duration::from_millis(took), quantizer);
            let decision = stream.after(0.0);
            let (w, h) = decision.size;
            // Sides are even, so that one pixel becomes two.
            prop_assert!(w > 0 && h > 0 && w <= width.max(2) && h <= height.max(2), "{w}x{h} of {width}x{height}");
            prop_assert!(w <= 3840 && h <= 3840);
            prop_assert!(decision.fps.is_finite() && decision.fps >= 1.0);
        }
    }

    #[test]
    fn a_steady_path_ends_in_one_size(bitrate in 0u32..3_000_000, quantizer in 30u32..95) {
        let mut stream = Stream::new(bitrate);
        stream.quantizer = quantizer;
        let size = stream.after(70.0).size;
        for _ in 0..30 {
            prop_assert_eq!(stream.after(2.0).size, size);
        }
    }
}
