//! The SelectSettings algorithm (Media Capture and Streams, section "Constrainable Pattern", SelectSettings and fitness distance).
//!
//! A candidate is a camera with one of its sizes and a range of rates. A range stands for all rates in it: what is required
//! narrows it, and the rate chosen at the end is the one in it that is nearest to the ideal, which is the one with the
//! smallest distance. Where distances are equal the specification leaves the choice open; here the camera that looks at the
//! user wins, then what is nearest to 1280×720 at 30, then what comes first in the list.

use super::{
    ConstraintError, ConstraintSet, NumberConstraint, OverconstrainedError, StringConstraint, VideoConstraints,
};
use crate::facing::FacingMode;
use crate::media::capture::{CameraFormat, CameraInfo, CameraSettings};

const DEFAULT_WIDTH: f64 = 1280.0;
const DEFAULT_HEIGHT: f64 = 720.0;
const DEFAULT_FPS: f64 = 30.0;
/// Ratios of width and height that differ by less, relatively, count as equal.
const RATIO_TOLERANCE: f64 = 1e-3;

/// The camera and format that answer the constraints best.
///
/// # Errors
/// [`ConstraintError::NotFound`] if there is no camera with a usable format, [`ConstraintError::Overconstrained`] if none meets
/// what is required; it names the first constraint, in the order of `deviceId`, `facingMode`, `width`, `height`,
/// `aspectRatio`, `frameRate`, that left no candidate.
pub fn select_settings(
    constraints: &VideoConstraints,
    cameras: &[CameraInfo],
) -> Result<CameraSettings, ConstraintError> {
    let all = Candidate::all(cameras);
    if all.is_empty() {
        return Err(ConstraintError::NotFound);
    }
    let mut candidates = meeting(&constraints.basic, all)?;
    for set in &constraints.advanced {
        if let Ok(narrowed) = meeting(set, candidates.clone()) {
            candidates = narrowed;
        }
    }
    let basic = &constraints.basic;
    let rated = candidates.iter().map(|candidate| (candidate, candidate.distance(basic), candidate.strangeness(basic)));
    // The first of those that are equal.
    let best = rated.min_by(|(_, left, left_tie), (_, right, right_tie)| {
        left.total_cmp(right).then(left_tie.0.total_cmp(&right_tie.0)).then(left_tie.1.total_cmp(&right_tie.1))
    });
    best.map(|(candidate, ..)| candidate.settings(basic)).ok_or(ConstraintError::NotFound)
}

/// The settings for the camera on the other side, with size and rate as near to the present ones as it can.
///
/// Where it is not known which way cameras look, it is the next one in the list.
///
/// # Errors
/// [`ConstraintError::NotFound`] if there is no camera at all, [`ConstraintError::Overconstrained`] with `facingMode` if there is
/// none on the other side.
pub fn flip(current: &CameraSettings, cameras: &[CameraInfo]) -> Result<CameraSettings, ConstraintError> {
    if cameras.is_empty() {
        return Err(ConstraintError::NotFound);
    }
    let here = cameras.iter().position(|camera| camera.device_id == current.device_id);
    let facing = current.facing.or(here.and_then(|here| cameras[here].facing));
    // From the one after the present camera round to the one before it.
    let start = here.map_or(0, |here| here + 1);
    let others: Vec<_> = cameras.iter().cycle().skip(start).take(cameras.len()).collect();
    let others = others.into_iter().filter(|camera| camera.device_id != current.device_id && has_formats(camera));
    let opposite = |camera: &CameraInfo| facing.is_none() || camera.facing == facing.map(FacingMode::flipped);
    let target = others.clone().find(|camera| opposite(camera)).or_else(|| {
        let mut unknown = others.filter(|camera| camera.facing.is_none());
        unknown.next()
    });
    let target = target.ok_or_else(|| OverconstrainedError {
        constraint: "facingMode",
        message: "there is no camera on the other side".to_owned(),
    })?;
    let wish = VideoConstraints::new()
        .width(NumberConstraint::ideal(f64::from(current.width)))
        .height(NumberConstraint::ideal(f64::from(current.height)))
        .frame_rate(NumberConstraint::ideal(current.fps));
    select_settings(&wish, std::slice::from_ref(target))
}

fn has_formats(camera: &CameraInfo) -> bool {
    camera.formats.iter().any(usable)
}

/// Whether an app's format makes sense.
fn usable(format: &CameraFormat) -> bool {
    let rates = format.min_fps >= 0.0 && format.min_fps <= format.max_fps && format.max_fps > 0.0;
    format.width > 0 && format.height > 0 && rates && format.max_fps.is_finite()
}

#[derive(Clone)]
struct Candidate<'a> {
    camera: &'a CameraInfo,
    width: f64,
    height: f64,
    size: (u32, u32),
    min_fps: f64,
    max_fps: f64,
}

impl<'a> Candidate<'a> {
    fn all(cameras: &'a [CameraInfo]) -> Vec<Self> {
        let of = |camera: &'a CameraInfo| {
            camera.formats.iter().filter(|format| usable(format)).map(move |format| Self {
                camera,
                width: f64::from(format.width),
                height: f64::from(format.height),
                size: (format.width, format.height),
                // A rate of zero is no picture at all.
                min_fps: format.min_fps.max(f64::MIN_POSITIVE),
                max_fps: format.max_fps,
            })
        };
        cameras.iter().flat_map(of).collect()
    }

    fn facing(&self) -> Option<&'static str> {
        self.camera.facing.map(FacingMode::as_str)
    }

    fn ratio(&self) -> f64 {
        self.width / self.height
    }

    /// The rate nearest to what is preferred.
    fn fps(&self, wish: &ConstraintSet) -> f64 {
        // No `clamp`, which panics on bounds that cannot be compared.
        wish.frame_rate.ideal.unwrap_or(DEFAULT_FPS).min(self.max_fps).max(self.min_fps)
    }

    /// The fitness distance of the best settings in it, given that what is required is met.
    fn distance(&self, wish: &ConstraintSet) -> f64 {
        word_distance(&wish.device_id, Some(&self.camera.device_id))
            + word_distance(&wish.facing_mode, self.facing())
            + wish.width.ideal.map_or(0.0, |ideal| apart(self.width, ideal))
            + wish.height.ideal.map_or(0.0, |ideal| apart(self.height, ideal))
            + wish.aspect_ratio.ideal.map_or(0.0, |ideal| apart(self.ratio(), ideal))
            + wish.frame_rate.ideal.map_or(0.0, |ideal| apart(self.fps(wish), ideal))
    }

    /// How far it is from what is usual where nothing is preferred: in facing, then in size and rate.
    fn strangeness(&self, wish: &ConstraintSet) -> (f64, f64) {
        let asked = wish.facing_mode != StringConstraint::default() || wish.device_id != StringConstraint::default();
        let facing = match self.camera.facing {
            _ if asked => 0.0,
            Some(FacingMode::User) => 0.0,
            None => 1.0,
            Some(_) => 2.0,
        };
        let unless = |asked: Option<f64>, distance| if asked.is_some() { 0.0 } else { distance };
        let size = unless(wish.width.ideal, apart(self.width, DEFAULT_WIDTH))
            + unless(wish.height.ideal, apart(self.height, DEFAULT_HEIGHT));
        (facing, size + unless(wish.frame_rate.ideal, apart(self.fps(wish), DEFAULT_FPS)))
    }

    fn settings(&self, wish: &ConstraintSet) -> CameraSettings {
        CameraSettings {
            device_id: self.camera.device_id.clone(),
            facing: self.camera.facing,
            width: self.size.0,
            height: self.size.1,
            fps: self.fps(wish),
        }
    }
}

/// The candidates that meet all that the set requires; an error names what the first failed at.
fn meeting<'a>(
    set: &ConstraintSet,
    mut candidates: Vec<Candidate<'a>>,
) -> Result<Vec<Candidate<'a>>, OverconstrainedError> {
    let mut keep = |constraint, asked: String, meets: &dyn Fn(&mut Candidate<'a>) -> bool| {
        candidates.retain_mut(|candidate| meets(candidate));
        if candidates.is_empty() {
            return Err(OverconstrainedError { constraint, message: format!("no camera has {asked}") });
        }
        Ok(())
    };
    let words = |wish: &StringConstraint| wish.exact.join(" or ");
    keep("deviceId", words(&set.device_id), &|candidate| {
        word_meets(&set.device_id, Some(&candidate.camera.device_id))
    })?;
    keep("facingMode", words(&set.facing_mode), &|candidate| word_meets(&set.facing_mode, candidate.facing()))?;
    keep("width", required(set.width), &|candidate| meets(set.width, candidate.width, 0.0))?;
    keep("height", required(set.height), &|candidate| meets(set.height, candidate.height, 0.0))?;
    keep("aspectRatio", required(set.aspect_ratio), &|candidate| {
        meets(set.aspect_ratio, candidate.ratio(), RATIO_TOLERANCE)
    })?;
    keep("frameRate", required(set.frame_rate), &|candidate| narrow(set.frame_rate, candidate))?;
    Ok(candidates)
}

fn meets(wish: NumberConstraint, value: f64, tolerance: f64) -> bool {
    let slack = value * tolerance;
    wish.min.is_none_or(|min| value >= min - slack)
        && wish.max.is_none_or(|max| value <= max + slack)
        && wish.exact.is_none_or(|exact| (value - exact).abs() <= slack)
}

/// Narrows the rates to those that are allowed; whether any is left.
fn narrow(wish: NumberConstraint, candidate: &mut Candidate<'_>) -> bool {
    for at_least in [wish.min, wish.exact].into_iter().flatten() {
        candidate.min_fps = candidate.min_fps.max(at_least);
        // `max` passes over what is no number, which no rate can meet.
        if at_least.is_nan() {
            return false;
        }
    }
    for at_most in [wish.max, wish.exact].into_iter().flatten() {
        candidate.max_fps = candidate.max_fps.min(at_most);
        if at_most.is_nan() {
            return false;
        }
    }
    candidate.min_fps <= candidate.max_fps
}

fn word_meets(wish: &StringConstraint, value: Option<&str>) -> bool {
    wish.exact.is_empty() || value.is_some_and(|value| wish.exact.iter().any(|exact| exact == value))
}

fn word_distance(wish: &StringConstraint, value: Option<&str>) -> f64 {
    let good = wish.ideal.is_empty() || value.is_some_and(|value| wish.ideal.iter().any(|ideal| ideal == value));
    if good { 0.0 } else { 1.0 }
}

/// The distance of two numbers, from 0 to 1; greatest from what is no number.
fn apart(actual: f64, ideal: f64) -> f64 {
    let distance = (actual - ideal).abs() / actual.abs().max(ideal.abs());
    if actual == ideal {
        0.0
    } else if distance.is_nan() {
        1.0
    } else {
        distance
    }
}

fn required(wish: NumberConstraint) -> String {
    let part = |word: &str, value: Option<f64>| value.map(|value| format!("{word} {value}"));
    let parts = [part("exactly", wish.exact), part("at least", wish.min), part("at most", wish.max)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
