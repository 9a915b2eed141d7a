//! What an app implements so that the library can see, hear and speak.
//!
//! Every method is synchronous and must be quick, except where it says that it may wait. All are called on the library's
//! threads, but for the preview's renderer, which is called by the camera's thread while it pushes. An exception that is none of
//! [`AppError`] is taken for [`AppError::NotReadable`].

use crate::audio::{MicrophoneSink, SpeakerSource};
use crate::camera::CameraSink;
use crate::error::AppError;
use crate::frame::Frame;
use chamada::FacingMode as CoreFacing;
use chamada::media::capture as core;
use std::sync::Arc;

/// The app's cameras.
#[uniffi::export(foreign)]
pub trait Cameras: Send + Sync {
    /// All cameras, the one to prefer first.
    ///
    /// # Errors
    /// Counts as having none.
    fn list_cameras(&self) -> Result<Vec<CameraInfo>, AppError>;

    /// Opens a camera as told; its pictures go to `sink` until `close_camera`. May wait for the device.
    ///
    /// # Errors
    /// `AppError`, which the call that wanted the camera reports.
    fn open_camera(&self, settings: CameraSettings, sink: Arc<CameraSink>) -> Result<(), AppError>;

    /// Closes the camera that was opened last; called once for each that `open_camera` opened, before the next is
    /// opened. May wait for the device. What is pushed from then on is refused with `CLOSED`.
    ///
    /// # Errors
    /// Is logged.
    fn close_camera(&self, device_id: String) -> Result<(), AppError>;
}

/// The app's microphone and speaker. All sound is mono, 48,000 samples per second, 16 bits.
#[uniffi::export(foreign)]
pub trait AudioDevices: Send + Sync {
    /// Opens the microphone; its sound goes to `sink` until `close_microphone`. May wait for the device.
    ///
    /// # Errors
    /// `AppError`, which ends the call that wanted the microphone.
    fn open_microphone(&self, sink: Arc<MicrophoneSink>) -> Result<(), AppError>;

    /// Closes it. What is pushed from then on is refused with `CLOSED`.
    ///
    /// # Errors
    /// Is logged.
    fn close_microphone(&self) -> Result<(), AppError>;

    /// Opens the speaker, which pulls its sound from `source` at its own pace until `close_speaker`. May
    /// wait for the device.
    ///
    /// # Errors
    /// Is logged; the call goes on without being heard.
    fn open_speaker(&self, source: Arc<SpeakerSource>) -> Result<(), AppError>;

    /// Closes it. What is pulled from then on is refused with `CLOSED`.
    ///
    /// # Errors
    /// Is logged.
    fn close_speaker(&self) -> Result<(), AppError>;
}

/// Shows pictures.
#[uniffi::export(foreign)]
pub trait VideoRenderer: Send + Sync {
    /// Shows this one. Called on a decoder's thread or, for the preview, on a camera's. Whoever keeps the frame releases it:
    /// while 16 are held no more are handed over.
    ///
    /// # Errors
    /// Is logged.
    fn render(&self, frame: Arc<Frame>) -> Result<(), AppError>;
}

/// A camera that the app has.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CameraInfo {
    /// The app's own name for it, stable while the app is installed.
    pub device_id: String,
    /// A name for people.
    pub label: String,
    /// Which way it looks, where that is known.
    pub facing: Option<FacingMode>,
    /// What it can deliver.
    pub formats: Vec<CameraFormat>,
}

/// One size that a camera can deliver, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct CameraFormat {
    /// In pixels, in the sensor's orientation.
    pub width: u32,
    /// In pixels, in the sensor's orientation.
    pub height: u32,
    /// Slowest, in frames per second.
    pub min_fps: f64,
    /// Fastest, in frames per second.
    pub max_fps: f64,
}

/// What was chosen: the camera to open and how.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CameraSettings {
    /// The identifier that `list_cameras` gave it.
    pub device_id: String,
    /// Which way it looks, where that is known.
    pub facing: Option<FacingMode>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames per second to deliver.
    pub fps: f64,
}

/// Which way a camera looks, seen from the person who holds the device (W3C `VideoFacingModeEnum`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
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

same_cases!(CoreFacing => FacingMode { User, Environment, Left, Right });
same_cases!(FacingMode => CoreFacing { User, Environment, Left, Right });

impl From<CameraInfo> for core::CameraInfo {
    fn from(from: CameraInfo) -> Self {
        let format =
            |CameraFormat { width, height, min_fps, max_fps }| core::CameraFormat { width, height, min_fps, max_fps };
        Self {
            device_id: from.device_id,
            label: from.label,
            facing: from.facing.map(Into::into),
            formats: from.formats.into_iter().map(format).collect(),
        }
    }
}

impl From<core::CameraSettings> for CameraSettings {
    fn from(from: core::CameraSettings) -> Self {
        let core::CameraSettings { device_id, facing, width, height, fps } = from;
        Self { device_id, facing: facing.map(Into::into), width, height, fps }
    }
}
