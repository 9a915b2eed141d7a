//! The one word that signaling, call state and media share: which way a camera looks.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Which way a camera looks, seen from the person who holds the device.
///
/// Source: Media Capture and Streams, `VideoFacingModeEnum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FacingMode {
    /// Towards the user: the front camera of a phone.
    User,
    /// Away from the user: the rear camera of a phone.
    Environment,
    /// To the left of the user.
    Left,
    /// To the right of the user.
    Right,
}

impl FacingMode {
    /// The name that W3C gives it, e.g. `environment`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Environment => "environment",
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// The other camera of a phone: rear for front, and front for any other.
    pub fn flipped(self) -> Self {
        match self {
            Self::User => Self::Environment,
            _ => Self::User,
        }
    }

    /// Whether a preview of this camera is shown mirrored, as in a looking glass. What is sent never is.
    pub fn mirrors_preview(self) -> bool {
        matches!(self, Self::User)
    }
}

impl fmt::Display for FacingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FacingMode {
    type Err = UnknownFacingMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::User, Self::Environment, Self::Left, Self::Right]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| UnknownFacingMode(text.to_owned()))
    }
}

/// The text named no facing mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no facing mode: use user, environment, left or right")]
pub struct UnknownFacingMode(pub String);
