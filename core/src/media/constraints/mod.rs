//! What an app asks of its cameras, in the words of W3C's Media Capture and Streams, and which camera and format answer it.
//!
//! ```
//! use chamada::media::constraints::MediaStreamConstraints;
//! let asked: MediaStreamConstraints =
//!     serde_json::from_str(r#"{"audio": true, "video": {"width": {"min": 640, "ideal": 1280}, "facingMode": "user"}}"#)?;
//! assert_eq!(asked.video.unwrap().basic.width.min, Some(640.0));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Known are `width`, `height`, `aspectRatio`, `frameRate`, `facingMode` and `deviceId`; other members are ignored, as the
//! specification says. Sizes are those of the sensor, whichever way the device is held; nothing is scaled or cropped to fit
//! (`resizeMode` is `none`).

mod parse;
mod select;

use crate::facing::FacingMode;

pub use select::{flip, select_settings};

/// Which tracks are wanted and how (`MediaStreamConstraints`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaStreamConstraints {
    /// Whether there is to be sound. Constraints on it are accepted and ignored.
    pub audio: bool,
    /// What is asked of the camera; `None` for no video.
    pub video: Option<VideoConstraints>,
}

/// What is asked of a camera (`MediaTrackConstraints`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoConstraints {
    /// All of its `min`, `max` and `exact` must be met; its `ideal` values decide between what meets them.
    pub basic: ConstraintSet,
    /// Each is met as a whole if that is possible after those before it, and else passed over.
    pub advanced: Vec<ConstraintSet>,
}

/// One set of constraints (`MediaTrackConstraintSet`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConstraintSet {
    /// In pixels.
    pub width: NumberConstraint,
    /// In pixels.
    pub height: NumberConstraint,
    /// Width divided by height; compared to a thousandth, since nobody can write 16/9 in decimals.
    pub aspect_ratio: NumberConstraint,
    /// In frames per second.
    pub frame_rate: NumberConstraint,
    /// `user`, `environment`, `left`, `right`.
    pub facing_mode: StringConstraint,
    /// [`crate::media::capture::CameraInfo::device_id`].
    pub device_id: StringConstraint,
}

/// A constraint on a number (`ConstrainULong`, `ConstrainDouble`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NumberConstraint {
    /// At least.
    pub min: Option<f64>,
    /// At most.
    pub max: Option<f64>,
    /// Exactly.
    pub exact: Option<f64>,
    /// Preferably.
    pub ideal: Option<f64>,
}

/// A constraint on a word (`ConstrainDOMString`). Empty lists ask nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StringConstraint {
    /// One of these.
    pub exact: Vec<String>,
    /// Preferably one of these.
    pub ideal: Vec<String>,
}

impl NumberConstraint {
    /// Preferably this.
    pub fn ideal(value: f64) -> Self {
        Self { ideal: Some(value), ..Self::default() }
    }

    /// Exactly this.
    pub fn exact(value: f64) -> Self {
        Self { exact: Some(value), ..Self::default() }
    }

    /// At least this.
    pub fn min(value: f64) -> Self {
        Self { min: Some(value), ..Self::default() }
    }

    /// At most this.
    pub fn max(value: f64) -> Self {
        Self { max: Some(value), ..Self::default() }
    }
}

impl StringConstraint {
    /// Preferably this.
    pub fn ideal(value: impl Into<String>) -> Self {
        Self { ideal: vec![value.into()], ..Self::default() }
    }

    /// Exactly this.
    pub fn exact(value: impl Into<String>) -> Self {
        Self { exact: vec![value.into()], ..Self::default() }
    }
}

impl VideoConstraints {
    /// Nothing in particular: the camera that looks at the user, as near to 1280×720 at 30 frames per second as it can.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a width in pixels.
    #[must_use]
    pub fn width(mut self, width: NumberConstraint) -> Self {
        self.basic.width = width;
        self
    }

    /// Asks for a height in pixels.
    #[must_use]
    pub fn height(mut self, height: NumberConstraint) -> Self {
        self.basic.height = height;
        self
    }

    /// Asks for a ratio of width to height.
    #[must_use]
    pub fn aspect_ratio(mut self, ratio: NumberConstraint) -> Self {
        self.basic.aspect_ratio = ratio;
        self
    }

    /// Asks for frames per second.
    #[must_use]
    pub fn frame_rate(mut self, fps: NumberConstraint) -> Self {
        self.basic.frame_rate = fps;
        self
    }

    /// Prefers a camera that looks there.
    #[must_use]
    pub fn facing(mut self, facing: FacingMode) -> Self {
        self.basic.facing_mode = StringConstraint::ideal(facing.as_str());
        self
    }

    /// Insists on a camera that looks there.
    #[must_use]
    pub fn facing_exact(mut self, facing: FacingMode) -> Self {
        self.basic.facing_mode = StringConstraint::exact(facing.as_str());
        self
    }

    /// Asks for a certain camera.
    #[must_use]
    pub fn device(mut self, device: StringConstraint) -> Self {
        self.basic.device_id = device;
        self
    }

    /// Which way the camera should look, as far as these constraints say.
    pub fn wanted_facing(&self) -> Option<FacingMode> {
        let wish = &self.basic.facing_mode;
        wish.exact.iter().chain(&wish.ideal).find_map(|word| word.parse().ok())
    }

    /// The same, but for this camera: what a person chose by a flip outlives the call. Where it is known which way it looks,
    /// that is kept and not the device, so that the choice holds for another front or rear camera too.
    #[must_use]
    pub fn preferring(&self, device_id: &str, facing: Option<FacingMode>) -> Self {
        let mut chosen = self.clone();
        let (facing_mode, device) = (&mut chosen.basic.facing_mode, &mut chosen.basic.device_id);
        match facing {
            Some(facing) => {
                let insists = !facing_mode.exact.is_empty();
                let word = facing.as_str();
                *facing_mode = if insists { StringConstraint::exact(word) } else { StringConstraint::ideal(word) };
                *device = StringConstraint::default();
            }
            None => {
                *facing_mode = StringConstraint::default();
                *device = StringConstraint::ideal(device_id);
            }
        }
        chosen
    }

    /// Adds a set to be met if that is possible.
    #[must_use]
    pub fn advanced(mut self, set: ConstraintSet) -> Self {
        self.advanced.push(set);
        self
    }
}

/// A constraint that no camera meets (`OverconstrainedError`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("OverconstrainedError: {constraint}: {message}")]
pub struct OverconstrainedError {
    /// Its name, e.g. `facingMode`.
    pub constraint: &'static str,
    /// For people.
    pub message: String,
}

/// Why no camera and format can be chosen. The names are those of W3C's `getUserMedia`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// There is no camera at all.
    #[error("NotFoundError: there is no camera")]
    NotFound,
    /// There are cameras, but none is as asked.
    #[error(transparent)]
    Overconstrained(#[from] OverconstrainedError),
    /// What was asked has not the shape of constraints.
    #[error("TypeError: {member}: {message}")]
    Type {
        /// Where, e.g. `video.width.min`.
        member: String,
        /// What is wrong there.
        message: String,
    },
}

#[cfg(test)]
mod tests;
