//! What an app implements so that the core can see, hear and speak: cameras, microphone, speaker, renderer.
//!
//! Every method is synchronous and quick: it is called from the core's own threads, never from the app's.

use super::frame::{FrameError, RawFrame, VideoFrame};
use crate::facing::FacingMode;
use std::sync::Arc;

/// Samples per second of all sound inside the core.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples in 10 ms of mono sound: what speakers pull and microphones push at a time.
pub const SAMPLES_PER_10_MS: usize = 480;

/// A camera that the app has.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// What the core chose: the camera to open and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraSettings {
    /// [`CameraInfo::device_id`] of the camera.
    pub device_id: String,
    /// Which way it looks.
    pub facing: Option<FacingMode>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames per second to deliver.
    pub fps: f64,
}

impl CameraSettings {
    /// Whether the preview of this camera is shown mirrored, as in a looking glass. What is sent never is.
    pub fn mirrors_preview(&self) -> bool {
        self.facing.is_some_and(FacingMode::mirrors_preview)
    }
}

/// Why a camera, microphone or speaker cannot be used. The names are those of W3C's `getUserMedia`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// There is no such device.
    #[error("NotFoundError: {0}")]
    NotFound(String),
    /// The person or the system does not allow it.
    #[error("NotAllowedError: {0}")]
    NotAllowed(String),
    /// It is there and allowed but cannot be opened, e.g. because another app has it.
    #[error("NotReadableError: {0}")]
    NotReadable(String),
}

/// The app's cameras.
pub trait CameraProvider: Send + Sync {
    /// All cameras, the one to prefer first.
    fn cameras(&self) -> Vec<CameraInfo>;

    /// Opens a camera; pictures go to `sink` until the returned handle is dropped.
    ///
    /// # Errors
    /// [`CaptureError`] if it cannot be opened.
    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError>;
}

/// The app's microphone and speaker.
pub trait AudioProvider: Send + Sync {
    /// Opens the microphone; mono 48 kHz sound goes to `sink` until the handle is dropped.
    ///
    /// # Errors
    /// [`CaptureError`] if it cannot be opened.
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError>;

    /// Opens the speaker, which pulls mono 48 kHz sound from `source` until the handle is dropped.
    ///
    /// # Errors
    /// [`CaptureError`] if it cannot be opened.
    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError>;
}

/// Keeps a device open; dropping it closes the device.
pub trait CaptureHandle: Send {}

/// Shows pictures.
pub trait VideoRenderer: Send + Sync {
    /// Shows this one. Called on a decoder thread, at most once a picture.
    fn render(&self, frame: VideoFrame);
}

/// Where a camera puts its pictures. Cheap to clone; may be called from any thread.
#[derive(Clone)]
pub struct FrameSink(Arc<dyn FrameReceiver>);

/// Takes pictures in; implemented by the core's video sender and by tests.
pub trait FrameReceiver: Send + Sync {
    /// Takes a picture that the camera lends, copying it once.
    ///
    /// # Errors
    /// [`FrameError`] if size, stride or length cannot be right.
    fn push_raw(&self, frame: &RawFrame<'_>) -> Result<(), FrameError>;

    /// Takes a picture that is in the core's own memory already, without a copy.
    fn push(&self, frame: VideoFrame);
}

impl FrameSink {
    /// A sink that hands on to `receiver`.
    pub fn new(receiver: Arc<dyn FrameReceiver>) -> Self {
        Self(receiver)
    }

    /// Takes a picture that the camera lends, copying it once. Replaces one that nobody has taken yet.
    ///
    /// # Errors
    /// [`FrameError`] if size, stride or length cannot be right; the frame is dropped and the camera may go on.
    pub fn push_raw(&self, frame: &RawFrame<'_>) -> Result<(), FrameError> {
        self.0.push_raw(frame)
    }

    /// Takes a picture that is in the core's own memory already, without a copy.
    pub fn push(&self, frame: VideoFrame) {
        self.0.push(frame);
    }
}

/// Where a microphone puts its sound. Cheap to clone; may be called from any thread.
#[derive(Clone)]
pub struct AudioSink(Arc<dyn AudioReceiver>);

/// Takes sound in; implemented by the core's audio sender and by tests.
pub trait AudioReceiver: Send + Sync {
    /// Mono 48 kHz samples, any number of them.
    fn push(&self, samples: &[i16]);
}

impl AudioSink {
    /// A sink that hands on to `receiver`.
    pub fn new(receiver: Arc<dyn AudioReceiver>) -> Self {
        Self(receiver)
    }

    /// Mono 48 kHz samples, best 480 or 960 at a time.
    pub fn push(&self, samples: &[i16]) {
        self.0.push(samples);
    }
}

/// Where a speaker gets its sound. Cheap to clone; may be called from any thread, at the speaker's own pace.
#[derive(Clone)]
pub struct AudioSource(Arc<dyn AudioProducer>);

/// Gives sound out; implemented by the core's audio receiver and by tests.
pub trait AudioProducer: Send + Sync {
    /// Fills `out` with mono 48 kHz samples: sound, concealment or silence, never less than asked for.
    fn pull(&self, out: &mut [i16]);
}

impl AudioSource {
    /// A source that asks `producer`.
    pub fn new(producer: Arc<dyn AudioProducer>) -> Self {
        Self(producer)
    }

    /// Fills `out` with mono 48 kHz samples: sound, concealment or silence, never less than asked for.
    pub fn pull(&self, out: &mut [i16]) {
        self.0.pull(out);
    }
}
