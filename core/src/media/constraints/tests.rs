use super::*;
use crate::media::capture::{CameraFormat, CameraInfo, CameraSettings};
use proptest::prelude::*;

fn camera(device_id: &str, facing: Option<FacingMode>, formats: &[(u32, u32, f64, f64)]) -> CameraInfo {
    let format = |&(width, height, min_fps, max_fps)| CameraFormat { width, height, min_fps, max_fps };
    let formats = formats.iter().map(format).collect();
    CameraInfo { device_id: device_id.to_owned(), label: device_id.to_owned(), facing, formats }
}

const USUAL: &[(u32, u32, f64, f64)] = &[
    (320, 240, 1.0, 60.0),
    (640, 360, 1.0, 60.0),
    (640, 480, 1.0, 60.0),
    (1024, 768, 1.0, 30.0),
    (1280, 720, 1.0, 30.0),
    (1920, 1080, 1.0, 30.0),
    (1920, 1280, 1.0, 15.0),
];

fn phone() -> Vec<CameraInfo> {
    vec![camera("rear", Some(FacingMode::Environment), USUAL), camera("front", Some(FacingMode::User), USUAL)]
}

fn select(video: &str) -> Result<CameraSettings, ConstraintError> {
    let asked = MediaStreamConstraints::from_json(&format!(r#"{{"video": {video}}}"#))?;
    select_settings(&asked.video.unwrap(), &phone())
}

fn size(video: &str) -> (u32, u32, f64) {
    let settings = select(video).unwrap();
    (settings.width, settings.height, settings.fps)
}

fn overconstrained(video: &str) -> &'static str {
    match select(video) {
        Err(ConstraintError::Overconstrained(error)) => error.constraint,
        other => panic!("{other:?}"),
    }
}

#[test]
fn video_true_is_the_front_camera_at_720p30() {
    let settings = select("true").unwrap();
    assert_eq!((settings.device_id.as_str(), settings.facing), ("front", Some(FacingMode::User)));
    assert_eq!((settings.width, settings.height, settings.fps), (1280, 720, 30.0));
    assert_eq!(select("{}"), Ok(settings));
}

#[test]
fn bare_values_are_wishes() {
    assert_eq!(size(r#"{"width": 641, "height": 481, "frameRate": 24}"#), (640, 480, 24.0));
    assert_eq!(size(r#"{"width": 4000, "height": 3000}"#).0, 1920);
    assert_eq!(size(r#"{"frameRate": 1000, "width": 640, "height": 360}"#), (640, 360, 60.0));
}

#[test]
fn the_specifications_example_takes_the_first_advanced_set_that_can_be_met() {
    let example = |advanced: &str| {
        size(&format!(r#"{{"width": {{"min": 640}}, "height": {{"min": 480}}, "advanced": {advanced}}}"#))
    };
    assert_eq!(example(r#"[{"width": 1920, "height": 1280}, {"aspectRatio": 1.3333333333}]"#), (1920, 1280, 15.0));
    assert_eq!(example(r#"[{"width": 1921, "height": 1280}, {"aspectRatio": 1.3333333333}]"#), (1024, 768, 30.0));
    assert_eq!(
        example(r#"[{"width": 650}, {"width": {"min": 651}}, {"frameRate": 60}, {"width": {"max": 800}}]"#).0,
        1280
    );
    assert_eq!(example(r#"[{"frameRate": 60}]"#), (640, 480, 60.0));
}

#[test]
fn an_ideal_below_its_own_minimum_pulls_towards_the_minimum() {
    let asked =
        r#"{"width": {"min": 1024, "ideal": 1280, "max": 1920}, "height": {"min": 776, "ideal": 720, "max": 1080}}"#;
    assert_eq!(size(asked), (1920, 1080, 30.0));
    let asked =
        r#"{"width": {"min": 1024, "ideal": 1280, "max": 1920}, "height": {"min": 720, "ideal": 720, "max": 1080}}"#;
    assert_eq!(size(asked), (1280, 720, 30.0));
}

#[test]
fn facing_mode_may_be_wished_for_or_insisted_on() {
    let device = |video: &str| select(video).unwrap().device_id;
    assert_eq!(device(r#"{"facingMode": "user"}"#), "front");
    assert_eq!(device(r#"{"facingMode": "environment"}"#), "rear");
    assert_eq!(device(r#"{"facingMode": {"ideal": "environment"}}"#), "rear");
    assert_eq!(device(r#"{"facingMode": {"exact": "environment"}}"#), "rear");
    assert_eq!(device(r#"{"facingMode": ["left", "environment"]}"#), "rear");
    assert_eq!(device(r#"{"facingMode": "left", "deviceId": "front"}"#), "front");
    assert_eq!(overconstrained(r#"{"facingMode": {"exact": "left"}}"#), "facingMode");
    assert_eq!(overconstrained(r#"{"facingMode": {"exact": ["left", "right"]}}"#), "facingMode");
    assert_eq!(device(r#"{"deviceId": {"exact": "rear"}}"#), "rear");
    assert_eq!(overconstrained(r#"{"deviceId": {"exact": "usb"}}"#), "deviceId");
}

#[test]
fn what_cannot_be_met_is_named() {
    assert_eq!(overconstrained(r#"{"width": {"min": 4000}}"#), "width");
    assert_eq!(overconstrained(r#"{"width": {"min": 800, "max": 700}}"#), "width");
    assert_eq!(overconstrained(r#"{"width": {"min": 800, "exact": 640}}"#), "width");
    assert_eq!(overconstrained(r#"{"height": {"exact": 777}}"#), "height");
    assert_eq!(overconstrained(r#"{"aspectRatio": {"exact": 1}}"#), "aspectRatio");
    assert_eq!(overconstrained(r#"{"width": {"exact": 1280}, "frameRate": {"min": 60}}"#), "frameRate");
    let text = select(r#"{"frameRate": {"exact": 61}}"#).unwrap_err().to_string();
    assert_eq!(text, "OverconstrainedError: frameRate: no camera has exactly 61");
}

#[test]
fn a_ratio_written_in_decimals_is_near_enough() {
    assert_eq!(size(r#"{"aspectRatio": {"exact": 1.7778}}"#), (1280, 720, 30.0));
    assert_eq!(size(r#"{"aspectRatio": {"exact": 1.5}}"#), (1920, 1280, 15.0));
}

#[test]
fn without_a_usable_camera_none_is_found() {
    assert_eq!(select_settings(&VideoConstraints::new(), &[]), Err(ConstraintError::NotFound));
    let broken =
        [(0, 480, 1.0, 30.0), (640, 480, f64::NAN, 30.0), (640, 480, 31.0, 30.0), (640, 480, 0.0, f64::INFINITY)];
    let cameras = [camera("broken", None, &broken)];
    assert_eq!(select_settings(&VideoConstraints::new(), &cameras), Err(ConstraintError::NotFound));
}

#[test]
fn what_is_no_constraint_is_a_type_error_that_says_where() {
    let at = |json: &str| match MediaStreamConstraints::from_json(json) {
        Err(ConstraintError::Type { member, .. }) => member,
        other => panic!("{json}: {other:?}"),
    };
    assert_eq!(at("nonsense"), "constraints");
    assert_eq!(at("[]"), "constraints");
    assert_eq!(at("{}"), "constraints");
    assert_eq!(at(r#"{"audio": false, "video": false}"#), "constraints");
    assert_eq!(at(r#"{"audio": 1}"#), "audio");
    assert_eq!(at(r#"{"video": "yes"}"#), "video");
    assert_eq!(at(r#"{"video": {"width": -1}}"#), "video.width");
    assert_eq!(at(r#"{"video": {"width": {"min": "640"}}}"#), "video.width.min");
    assert_eq!(at(r#"{"video": {"facingMode": {"exact": 3}}}"#), "video.facingMode.exact");
    assert_eq!(at(r#"{"video": {"advanced": {}}}"#), "video.advanced");
    assert_eq!(at(r#"{"video": {"advanced": [{"height": []}]}}"#), "video.advanced[0].height");
}

#[test]
fn unknown_members_are_ignored_and_sound_may_have_constraints() {
    let json =
        r#"{"audio": {"echoCancellation": true}, "video": {"zoom": 3, "torch": {"exact": true}}, "peerIdentity": 1}"#;
    let asked: MediaStreamConstraints = serde_json::from_str(json).unwrap();
    assert_eq!(asked, MediaStreamConstraints { audio: true, video: Some(VideoConstraints::new()) });
    let asked = MediaStreamConstraints::from_json(r#"{"audio": true, "video": null}"#).unwrap();
    assert_eq!(asked.video, None);
}

#[test]
fn builder_and_json_say_the_same() {
    let built = VideoConstraints::new()
        .width(NumberConstraint { ideal: Some(1280.0), ..NumberConstraint::min(640.0) })
        .frame_rate(NumberConstraint::max(30.0))
        .facing_exact(FacingMode::User)
        .advanced(ConstraintSet { height: NumberConstraint::exact(720.0), ..ConstraintSet::default() });
    let json = r#"{"width": {"min": 640, "ideal": 1280}, "frameRate": {"max": 30}, "facingMode": {"exact": "user"},
        "advanced": [{"height": 720}]}"#;
    assert_eq!(serde_json::from_str::<VideoConstraints>(json).unwrap(), built);
}

#[test]
fn flipping_keeps_size_and_rate_and_comes_back() {
    let front = select(r#"{"width": 640, "height": 480, "frameRate": 24}"#).unwrap();
    let rear = flip(&front, &phone()).unwrap();
    assert_eq!((rear.device_id.as_str(), rear.width, rear.height, rear.fps), ("rear", 640, 480, 24.0));
    assert_eq!(flip(&rear, &phone()), Ok(front));
}

#[test]
fn flipping_takes_the_nearest_that_the_other_camera_has() {
    let cameras = [
        camera("front", Some(FacingMode::User), USUAL),
        camera("rear", Some(FacingMode::Environment), &[(800, 600, 5.0, 15.0)]),
    ];
    let front = select_settings(&VideoConstraints::new(), &cameras).unwrap();
    let rear = flip(&front, &cameras).unwrap();
    assert_eq!((rear.width, rear.height, rear.fps), (800, 600, 15.0));
}

#[test]
fn flipping_with_nothing_on_the_other_side_is_overconstrained() {
    for others in [vec![], vec![camera("second", Some(FacingMode::User), USUAL)], vec![camera("dead", None, &[])]] {
        let mut cameras = vec![camera("front", Some(FacingMode::User), USUAL)];
        cameras.extend(others);
        let front = select_settings(&VideoConstraints::new(), &cameras).unwrap();
        match flip(&front, &cameras) {
            Err(ConstraintError::Overconstrained(error)) => assert_eq!(error.constraint, "facingMode"),
            other => panic!("{other:?}"),
        }
        assert_eq!(flip(&front, &[]), Err(ConstraintError::NotFound));
    }
}

#[test]
fn flipping_goes_to_the_next_device_where_facings_are_unknown() {
    let cameras = ["a", "b", "c"].map(|name| camera(name, None, USUAL));
    let mut current = select_settings(&VideoConstraints::new(), &cameras).unwrap();
    let mut order = vec![current.device_id.clone()];
    for _ in 0..3 {
        current = flip(&current, &cameras).unwrap();
        order.push(current.device_id.clone());
    }
    assert_eq!(order, ["a", "b", "c", "a"]);
}

mod properties {
    use super::*;

    /// Settings as plain numbers, and what the specification says of them, written down a second time.
    fn required(set: &ConstraintSet, camera: &CameraInfo, (width, height, fps): (u32, u32, f64)) -> bool {
        let number = |wish: NumberConstraint, value: f64| {
            let near = |a: f64, b: f64| (a - b).abs() <= if wish == set.aspect_ratio { value * 1e-3 } else { 0.0 };
            wish.min.is_none_or(|min| value >= min || near(value, min))
                && wish.max.is_none_or(|max| value <= max || near(value, max))
                && wish.exact.is_none_or(|exact| near(value, exact))
        };
        let facing = camera.facing.map_or("", |facing| facing.as_str());
        number(set.width, f64::from(width))
            && number(set.height, f64::from(height))
            && number(set.aspect_ratio, f64::from(width) / f64::from(height))
            && number(set.frame_rate, fps)
            && (set.facing_mode.exact.is_empty() || set.facing_mode.exact.iter().any(|exact| exact == facing))
            && (set.device_id.exact.is_empty() || set.device_id.exact.contains(&camera.device_id))
    }

    fn distance(set: &ConstraintSet, camera: &CameraInfo, (width, height, fps): (u32, u32, f64)) -> f64 {
        let (width, height) = (f64::from(width), f64::from(height));
        let mut sum = 0.0;
        for (wish, value) in
            [(set.width, width), (set.height, height), (set.aspect_ratio, width / height), (set.frame_rate, fps)]
        {
            if let Some(ideal) = wish.ideal.filter(|ideal| *ideal != value) {
                sum += (value - ideal).abs() / value.max(ideal);
            }
        }
        let facing = camera.facing.map_or("", |facing| facing.as_str()).to_owned();
        for (wish, value) in [(&set.facing_mode, &facing), (&set.device_id, &camera.device_id)] {
            sum += if wish.ideal.is_empty() || wish.ideal.contains(value) { 0.0 } else { 1.0 };
        }
        sum
    }

    /// Few values, so that they meet often.
    fn number(values: &'static [f64]) -> impl Strategy<Value = NumberConstraint> {
        let one = move || prop::option::weighted(0.25, prop::sample::select(values));
        (one(), one(), one(), one()).prop_map(|(min, max, exact, ideal)| NumberConstraint { min, max, exact, ideal })
    }

    fn words(values: &'static [&'static str]) -> impl Strategy<Value = StringConstraint> {
        let list = move || prop::collection::vec(prop::sample::select(values).prop_map(str::to_owned), 0..2);
        (prop::bool::weighted(0.3), list(), list()).prop_map(|(insist, exact, ideal)| StringConstraint {
            exact: if insist { exact } else { Vec::new() },
            ideal,
        })
    }

    prop_compose! {
        fn any_set()(
            width in number(&[320.0, 640.0, 1000.0, 1280.0, 1920.0]),
            height in number(&[240.0, 480.0, 720.0, 1000.0]),
            aspect_ratio in number(&[4.0 / 3.0, 1.7778, 1.5, 1.0]),
            frame_rate in number(&[0.0, 5.0, 15.0, 24.0, 30.0, 60.0]),
            facing_mode in words(&["user", "environment", "left"]),
            device_id in words(&["0", "1", "9"]),
        ) -> ConstraintSet {
            ConstraintSet { width, height, aspect_ratio, frame_rate, facing_mode, device_id }
        }
    }

    type Formats = Vec<(u32, u32, f64, f64)>;

    fn any_cameras() -> impl Strategy<Value = Vec<CameraInfo>> {
        let format = (
            prop::sample::select(&[320, 640, 1280, 1920][..]),
            prop::sample::select(&[240, 360, 480, 720, 1080][..]),
            prop::sample::select(&[1.0, 15.0, 30.0][..]),
            prop::sample::select(&[0.0, 15.0, 30.0][..]),
        );
        let facing = prop::option::of(prop::sample::select(&[FacingMode::User, FacingMode::Environment][..]));
        prop::collection::vec((facing, prop::collection::vec(format, 0..5)), 0..4).prop_map(|cameras| {
            let build = |(index, (facing, formats)): (usize, (_, Formats))| {
                let formats: Vec<_> = formats.into_iter().map(|(w, h, min, more)| (w, h, min, min + more)).collect();
                camera(&index.to_string(), facing, &formats)
            };
            cameras.into_iter().enumerate().map(build).collect()
        })
    }

    type Settings = (u32, u32, f64);

    /// Every camera and size at every rate where anything can change.
    fn candidates<'a>(cameras: &'a [CameraInfo], asked: &VideoConstraints) -> Vec<(&'a CameraInfo, Settings)> {
        let sets = asked.advanced.iter().chain([&asked.basic]);
        let rates: Vec<f64> = sets
            .flat_map(|set| [set.frame_rate.min, set.frame_rate.max, set.frame_rate.exact, set.frame_rate.ideal])
            .flatten()
            .collect();
        let mut found = Vec::new();
        for camera in cameras {
            for format in &camera.formats {
                let inside = rates.iter().copied().filter(|fps| (format.min_fps..=format.max_fps).contains(fps));
                for fps in inside.chain([format.min_fps, format.max_fps]) {
                    found.push((camera, (format.width, format.height, fps)));
                }
            }
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_selected_meets_all_that_is_required_and_nothing_else_is_nearer(
            basic in any_set(), advanced in prop::collection::vec(any_set(), 0..3), cameras in any_cameras(),
        ) {
            let asked = VideoConstraints { basic, advanced };
            let mut left = candidates(&cameras, &asked);
            let none = left.is_empty();
            left.retain(|(camera, settings)| required(&asked.basic, camera, *settings));
            match select_settings(&asked, &cameras) {
                Ok(chosen) => {
                    let camera = cameras.iter().find(|camera| camera.device_id == chosen.device_id).unwrap();
                    let settings = (chosen.width, chosen.height, chosen.fps);
                    prop_assert!(camera.formats.iter().any(|format| (format.width, format.height) == (settings.0, settings.1)
                        && (format.min_fps..=format.max_fps).contains(&chosen.fps)));
                    prop_assert!(required(&asked.basic, camera, settings));
                    for set in &asked.advanced {
                        let met = |(camera, settings): &(&CameraInfo, _)| required(set, camera, *settings);
                        if left.iter().any(met) {
                            left.retain(met);
                            prop_assert!(required(set, camera, settings), "an advanced set that could be met");
                        }
                    }
                    let mine = distance(&asked.basic, camera, settings);
                    for (camera, other) in left {
                        prop_assert!(mine <= distance(&asked.basic, camera, other) + 1e-9, "{other:?} is nearer");
                    }
                }
                Err(ConstraintError::NotFound) => prop_assert!(none),
                Err(error) => {
                    prop_assert!(matches!(error, ConstraintError::Overconstrained(_)));
                    prop_assert!(!none && left.is_empty(), "{error}, but {left:?}");
                }
            }
        }

        #[test]
        fn a_flip_never_stays_on_the_same_camera(cameras in any_cameras()) {
            if let Ok(current) = select_settings(&VideoConstraints::new(), &cameras)
                && let Ok(other) = flip(&current, &cameras)
            {
                prop_assert_ne!(&other.device_id, &current.device_id);
                prop_assert!(other.facing.is_none() || other.facing != current.facing);
            }
        }

        #[test]
        fn no_json_makes_it_panic(json in r#"\{"video": ?[\{\[]?"?(width|advanced|facingMode)?"?:?[\{\[]?("min"|"exact")?:?-?[0-9e.]{0,9}[\}\]]{0,3}"#) {
            let _ = MediaStreamConstraints::from_json(&json);
        }
    }
}
