//! What an application sets of how pictures are sent, and what it is told of that.

use std::{fmt, str::FromStr};

/// What gives way when the path or the device does not carry a camera's pictures as they are.
///
/// Source: W3C mst-content-hint, `RTCDegradationPreference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DegradationPreference {
    /// First the size; at the smallest size the frame rate, too.
    #[default]
    Balanced,
    /// The size alone.
    MaintainFramerate,
    /// The frame rate alone: for text on a screen.
    MaintainResolution,
}

impl DegradationPreference {
    const ALL: [Self; 3] = [Self::Balanced, Self::MaintainFramerate, Self::MaintainResolution];
}

impl fmt::Display for DegradationPreference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Balanced => "balanced",
            Self::MaintainFramerate => "maintain-framerate",
            Self::MaintainResolution => "maintain-resolution",
        })
    }
}

/// No degradation preference has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no degradation preference: use balanced, maintain-framerate or maintain-resolution")]
pub struct UnknownPreference(pub String);

impl FromStr for DegradationPreference {
    type Err = UnknownPreference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|preference| preference.to_string() == text);
        found.ok_or_else(|| UnknownPreference(text.to_owned()))
    }
}

/// How hot the device is, as its system says: `ProcessInfo.thermalState` on iOS, `PowerManager.getCurrentThermalStatus` on
/// Android (light: fair, moderate: serious, severe and above: critical).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum ThermalState {
    /// Nothing to do.
    #[default]
    Nominal,
    /// Warm: the load does not grow.
    Fair,
    /// Hot: half of what can be saved is saved.
    Serious,
    /// So hot that the system may stop the app: all is saved that can be.
    Critical,
}

/// Why pictures are sent smaller or fewer than the camera gives them.
///
/// Source: W3C webrtc-stats, `RTCQualityLimitationReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum QualityLimitation {
    /// They are not.
    #[default]
    None,
    /// The path does not carry more.
    Bandwidth,
    /// The device does not encode more, or is too hot to.
    Cpu,
    /// Something else: the codec takes none that large.
    Other,
}

impl fmt::Display for QualityLimitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Bandwidth => "bandwidth",
            Self::Cpu => "cpu",
            Self::Other => "other",
        })
    }
}

/// Upper bounds that the application sets. What is within them is not called limited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoBounds {
    /// Pixels of the longer side, or of the shorter one if `max_height` is larger: a turned phone changes nothing.
    pub max_width: u32,
    /// Pixels of the other side.
    pub max_height: u32,
    /// Pictures per second; below 1 it counts as 1.
    pub max_fps: f64,
    /// Bits per second of compressed pictures.
    pub max_bitrate_bps: u32,
}

impl Default for VideoBounds {
    /// None.
    fn default() -> Self {
        Self { max_width: u32::MAX, max_height: u32::MAX, max_fps: f64::INFINITY, max_bitrate_bps: u32::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_and_written_in_the_words_of_w3c() {
        for preference in DegradationPreference::ALL {
            assert_eq!(preference.to_string().parse(), Ok(preference));
        }
        assert_eq!("maintain-framerate".parse(), Ok(DegradationPreference::MaintainFramerate));
        let error = "sharp".parse::<DegradationPreference>().unwrap_err();
        assert!(error.to_string().contains("sharp"));
    }
}
