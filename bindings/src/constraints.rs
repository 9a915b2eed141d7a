//! What is asked of cameras, in W3C's words: `MediaStreamConstraints` as records and from JSON.

use crate::devices::{CameraInfo, CameraSettings};
use crate::error::ChamadaError;
use chamada::media::constraints as core;

/// Which tracks are wanted and how (W3C `MediaStreamConstraints`).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Constraints {
    /// Whether there is to be sound.
    pub audio: bool,
    /// What is asked of the camera; none for no video.
    pub video: Option<VideoConstraints>,
}

/// What is asked of a camera (W3C `MediaTrackConstraints`).
#[derive(Debug, Clone, PartialEq, Default, uniffi::Record)]
pub struct VideoConstraints {
    /// All of its `min`, `max` and `exact` must be met; its `ideal` values decide between what meets them.
    pub basic: VideoConstraintSet,
    /// Each is met as a whole if that is possible after those before it, and else passed over.
    #[uniffi(default = [])]
    pub advanced: Vec<VideoConstraintSet>,
}

/// One set of constraints (W3C `MediaTrackConstraintSet`).
#[derive(Debug, Clone, PartialEq, Default, uniffi::Record)]
pub struct VideoConstraintSet {
    /// In pixels.
    #[uniffi(default = None)]
    pub width: Option<NumberConstraint>,
    /// In pixels.
    #[uniffi(default = None)]
    pub height: Option<NumberConstraint>,
    /// Width divided by height.
    #[uniffi(default = None)]
    pub aspect_ratio: Option<NumberConstraint>,
    /// In frames per second.
    #[uniffi(default = None)]
    pub frame_rate: Option<NumberConstraint>,
    /// `user`, `environment`, `left`, `right`.
    #[uniffi(default = None)]
    pub facing_mode: Option<StringConstraint>,
    /// The camera's identifier.
    #[uniffi(default = None)]
    pub device_id: Option<StringConstraint>,
}

/// A constraint on a number (W3C `ConstrainDouble`).
#[derive(Debug, Clone, Copy, PartialEq, Default, uniffi::Record)]
pub struct NumberConstraint {
    /// At least.
    #[uniffi(default = None)]
    pub min: Option<f64>,
    /// At most.
    #[uniffi(default = None)]
    pub max: Option<f64>,
    /// Exactly.
    #[uniffi(default = None)]
    pub exact: Option<f64>,
    /// Preferably.
    #[uniffi(default = None)]
    pub ideal: Option<f64>,
}

/// A constraint on a word (W3C `ConstrainDOMString`). Empty lists ask nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, uniffi::Record)]
pub struct StringConstraint {
    /// One of these.
    #[uniffi(default = [])]
    pub exact: Vec<String>,
    /// Preferably one of these.
    #[uniffi(default = [])]
    pub ideal: Vec<String>,
}

/// Reads the JSON that a page would hand to `getUserMedia`, e.g.
/// `{"audio": true, "video": {"width": {"min": 640, "ideal": 1280}, "facingMode": "user"}}`.
///
/// # Errors
/// `INVALID_ARGUMENT`, with the member that is wrong as detail.
#[uniffi::export]
pub fn parse_constraints(json: &str) -> Result<Constraints, ChamadaError> {
    let core::MediaStreamConstraints { audio, video } = core::MediaStreamConstraints::from_json(json)?;
    Ok(Constraints { audio, video: video.map(Into::into) })
}

/// Which camera and format these constraints choose (W3C SelectSettings), without opening it.
///
/// # Errors
/// `OVERCONSTRAINED`, with the constraint's name as detail, or `DEVICE_NOT_FOUND` if there is no camera.
#[uniffi::export]
pub fn select_camera(constraints: VideoConstraints, cameras: Vec<CameraInfo>) -> Result<CameraSettings, ChamadaError> {
    let cameras: Vec<_> = cameras.into_iter().map(Into::into).collect();
    Ok(core::select_settings(&constraints.into(), &cameras)?.into())
}

impl From<VideoConstraints> for core::VideoConstraints {
    fn from(from: VideoConstraints) -> Self {
        Self { basic: from.basic.into(), advanced: from.advanced.into_iter().map(Into::into).collect() }
    }
}

impl From<core::VideoConstraints> for VideoConstraints {
    fn from(from: core::VideoConstraints) -> Self {
        Self { basic: from.basic.into(), advanced: from.advanced.into_iter().map(Into::into).collect() }
    }
}

impl From<VideoConstraintSet> for core::ConstraintSet {
    fn from(from: VideoConstraintSet) -> Self {
        let number = |number: Option<NumberConstraint>| number.unwrap_or_default().into();
        let string = |string: Option<StringConstraint>| string.unwrap_or_default().into();
        Self {
            width: number(from.width),
            height: number(from.height),
            aspect_ratio: number(from.aspect_ratio),
            frame_rate: number(from.frame_rate),
            facing_mode: string(from.facing_mode),
            device_id: string(from.device_id),
        }
    }
}

impl From<core::ConstraintSet> for VideoConstraintSet {
    fn from(from: core::ConstraintSet) -> Self {
        let number = |it: core::NumberConstraint| (it != core::NumberConstraint::default()).then(|| it.into());
        let string = |it: core::StringConstraint| (it != core::StringConstraint::default()).then(|| it.into());
        Self {
            width: number(from.width),
            height: number(from.height),
            aspect_ratio: number(from.aspect_ratio),
            frame_rate: number(from.frame_rate),
            facing_mode: string(from.facing_mode),
            device_id: string(from.device_id),
        }
    }
}

same_fields!(NumberConstraint, core::NumberConstraint { min, max, exact, ideal });
same_fields!(StringConstraint, core::StringConstraint { exact, ideal });
