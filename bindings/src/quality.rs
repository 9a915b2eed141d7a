//! How good a call is, and how pictures are sent.

use chamada::client as core;
use chamada::media::video as core_video;

/// How good one direction of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum QualityLevel {
    /// Nothing to notice.
    Good,
    /// Noticeably impaired, the conversation goes on.
    Poor,
    /// Hard to hold a conversation with.
    Bad,
}

/// What impairs a direction most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum QualityReason {
    /// The path carries too little.
    Bandwidth,
    /// Packets are lost on the path.
    Loss,
    /// The path takes too long or varies too much.
    Delay,
    /// This device does not encode or decode fast enough, or is too hot.
    Device,
}

/// One direction of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct DirectionQuality {
    /// How good it is.
    pub level: QualityLevel,
    /// Why it is not good; none exactly while it is.
    pub reason: Option<QualityReason>,
    /// The camera is on, but the path carries sound alone.
    pub audio_only: bool,
}

/// What gives way where path or device do not carry the camera's pictures as they are (W3C `RTCDegradationPreference`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum DegradationPreference {
    /// First the size; at the smallest size the frame rate, too.
    Balanced,
    /// The size alone.
    MaintainFramerate,
    /// The frame rate alone: for text on a screen.
    MaintainResolution,
}

/// How hot the device is: `ProcessInfo.thermalState` on iOS, `PowerManager.getCurrentThermalStatus` on Android (light: `FAIR`, moderate:
/// `SERIOUS`, severe and above: `CRITICAL`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ThermalState {
    /// Nothing to do.
    Nominal,
    /// Warm: the load does not grow.
    Fair,
    /// Hot: half of what can be saved is saved.
    Serious,
    /// So hot that the system may stop the app: all is saved that can be.
    Critical,
}

/// Upper bounds of the pictures that are sent. Without one of them there is no such bound.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct VideoBounds {
    /// Pixels of the longer side, or of the shorter one if `max_height` is larger: a turned phone changes nothing.
    #[uniffi(default = None)]
    pub max_width: Option<u32>,
    /// Pixels of the other side.
    #[uniffi(default = None)]
    pub max_height: Option<u32>,
    /// Pictures per second; below 1 it counts as 1.
    #[uniffi(default = None)]
    pub max_fps: Option<f64>,
    /// Bits per second of compressed pictures.
    #[uniffi(default = None)]
    pub max_bitrate: Option<u32>,
}

same_cases!(core::QualityLevel => QualityLevel { Good, Poor, Bad });
same_cases!(core::QualityReason => QualityReason { Bandwidth, Loss, Delay, Device });
same_cases!(DegradationPreference => core_video::DegradationPreference { Balanced, MaintainFramerate, MaintainResolution });
same_cases!(ThermalState => core_video::ThermalState { Nominal, Fair, Serious, Critical });

impl From<core::DirectionQuality> for DirectionQuality {
    fn from(core::DirectionQuality { level, reason, audio_only }: core::DirectionQuality) -> Self {
        Self { level: level.into(), reason: reason.map(Into::into), audio_only }
    }
}

impl From<VideoBounds> for core_video::VideoBounds {
    fn from(VideoBounds { max_width, max_height, max_fps, max_bitrate }: VideoBounds) -> Self {
        let none = Self::default();
        Self {
            max_width: max_width.unwrap_or(none.max_width),
            max_height: max_height.unwrap_or(none.max_height),
            // Nothing that is no number bounds anything.
            max_fps: max_fps.filter(|fps| !fps.is_nan()).unwrap_or(none.max_fps),
            max_bitrate_bps: max_bitrate.unwrap_or(none.max_bitrate_bps),
        }
    }
}
