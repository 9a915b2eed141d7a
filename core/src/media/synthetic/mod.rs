//! Devices that need no hardware: two cameras whose pictures say when they were taken, a microphone with a gentle tone,
//! and a speaker that hands on what it is given.

pub mod delay;
mod draw;
mod font;
pub mod marker;
mod scene;
pub mod tone;

use super::capture::{
    CameraFormat, CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink,
};
use super::frame::{FrameError, FramePool, MAX_DIMENSION, Rotation, VideoFrame};
use super::pace::{Pace, PacedThread};
use crate::facing::FacingMode;
use marker::Marker;
use scene::Scene;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub use delay::{DelayMeter, DelayReport};
pub use tone::{SpeakerSink, SyntheticAudio, ToneGenerator};

/// [`CameraInfo::device_id`] of the camera that looks at the user.
pub const FRONT: &str = "synthetic-front";
/// [`CameraInfo::device_id`] of the camera that looks away from the user.
pub const REAR: &str = "synthetic-rear";

/// Sizes offered when none is asked for.
const SIZES: [(u32, u32); 8] =
    [(1280, 720), (160, 120), (320, 180), (320, 240), (640, 360), (640, 480), (960, 540), (1920, 1080)];
/// Smallest picture whose marker can be read, in pixels.
const MIN_SIZE: (u32, u32) = (160, 120);
/// Fastest, in frames per second.
const MAX_FPS: f64 = 240.0;

/// The one format that synthetic cameras are to have; written `640x480@15`, or `640x480` for 30 frames per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SyntheticConfig {
    /// In pixels, 160 to [`MAX_DIMENSION`].
    pub width: u32,
    /// In pixels, 120 to [`MAX_DIMENSION`].
    pub height: u32,
    /// Frames per second, more than 0 and up to 240.
    pub fps: f64,
}

/// A format that synthetic cameras cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no picture format: use WIDTHxHEIGHT@FPS, from 160x120 to 8192x8192 and up to 240 frames per second")]
pub struct BadFormat(pub String);

impl SyntheticConfig {
    fn check(self) -> Result<Self, BadFormat> {
        let width = (MIN_SIZE.0..=MAX_DIMENSION).contains(&self.width);
        let height = (MIN_SIZE.1..=MAX_DIMENSION).contains(&self.height);
        if width && height && self.fps > 0.0 && self.fps <= MAX_FPS {
            Ok(self)
        } else {
            Err(BadFormat(format!("{}x{}@{}", self.width, self.height, self.fps)))
        }
    }
}

impl FromStr for SyntheticConfig {
    type Err = BadFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadFormat(text.to_owned());
        let (size, fps) = text.split_once('@').unwrap_or((text, "30"));
        let (width, height) = size.split_once('x').ok_or_else(bad)?;
        let width = width.parse().map_err(|_| bad())?;
        let height = height.parse().map_err(|_| bad())?;
        Self { width, height, fps: fps.parse().map_err(|_| bad())? }.check().map_err(|_| bad())
    }
}

/// A front and a rear camera that draw their pictures.
///
/// The front camera shows a person in warm colours and the rear one a cool landscape, each with its name, the time of
/// day (UTC) and a frame number to read, something that moves, and a [`Marker`] for machines.
#[derive(Debug, Clone)]
pub struct SyntheticCameras {
    formats: Vec<CameraFormat>,
}

impl Default for SyntheticCameras {
    /// Cameras with the usual sizes from 160×120 to 1920×1080, each at 1 to 60 frames per second.
    fn default() -> Self {
        let formats = SIZES
            .map(|(width, height)| CameraFormat { width, height, min_fps: 1.0, max_fps: 60.0 })
            .into_iter()
            .collect();
        Self { formats }
    }
}

impl SyntheticCameras {
    /// Cameras with this format and no other, so that no constraint but an impossible one can lead away from it.
    ///
    /// # Errors
    /// [`BadFormat`] for a size or rate out of range.
    pub fn new(config: SyntheticConfig) -> Result<Self, BadFormat> {
        let SyntheticConfig { width, height, fps } = config.check()?;
        Ok(Self { formats: vec![CameraFormat { width, height, min_fps: fps, max_fps: fps }] })
    }
}

impl CameraProvider for SyntheticCameras {
    fn cameras(&self) -> Vec<CameraInfo> {
        let camera = |device_id: &str, label: &str, facing| CameraInfo {
            device_id: device_id.to_owned(),
            label: label.to_owned(),
            facing: Some(facing),
            formats: self.formats.clone(),
        };
        vec![
            camera(FRONT, "Synthetic front camera", FacingMode::User),
            camera(REAR, "Synthetic rear camera", FacingMode::Environment),
        ]
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let facing = match settings.device_id.as_str() {
            FRONT => FacingMode::User,
            REAR => FacingMode::Environment,
            other => return Err(CaptureError::NotFound(format!("no camera '{other}'"))),
        };
        let config = SyntheticConfig { width: settings.width, height: settings.height, fps: settings.fps }
            .check()
            .map_err(|error| CaptureError::NotReadable(error.to_string()))?;
        let not_readable = |error: FrameError| CaptureError::NotReadable(error.to_string());
        let mut painter = Painter::new(facing, config.width, config.height).map_err(not_readable)?;
        let thread = PacedThread::spawn("camera", Pace::pictures(config.fps), move || match painter.next_frame() {
            Ok(frame) => {
                sink.push(frame);
                ControlFlow::Continue(())
            }
            Err(error) => {
                log::error!("the synthetic camera stopped: {error}");
                ControlFlow::Break(())
            }
        })?;
        Ok(Box::new(thread))
    }
}

/// Makes the pictures of one camera, one after another.
pub struct Painter {
    scene: Scene,
    pool: FramePool,
    facing: FacingMode,
    number: u32,
}

impl Painter {
    /// For a camera that looks there and has pictures of this size, in pixels. The first has number 0.
    ///
    /// # Errors
    /// [`FrameError::Size`] for an impossible size.
    pub fn new(facing: FacingMode, width: u32, height: u32) -> Result<Self, FrameError> {
        let pool = FramePool::default();
        Ok(Self { scene: Scene::new(facing, width, height, &pool)?, pool, facing, number: 0 })
    }

    /// The next picture, taken now.
    ///
    /// # Errors
    /// None for a size that [`Painter::new`] took.
    pub fn next_frame(&mut self) -> Result<VideoFrame, FrameError> {
        let captured_at = Instant::now();
        let micros = micros_since_1970(SystemTime::now());
        let mut buffer = self.pool.take(self.scene.width(), self.scene.height())?;
        self.scene.draw(&mut buffer, self.number, micros);
        marker::write(&mut buffer, Marker { number: self.number, captured_us: micros, facing: self.facing });
        self.number = self.number.wrapping_add(1);
        Ok(buffer.freeze(Rotation::None, captured_at))
    }
}

fn micros_since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
