//! Loopback devices: camera and microphone that deliver the received video and audio, so that the remote user sees and hears
//! themselves. This has nothing to do with echo cancellation.

use super::capture::{
    AudioProvider, AudioSink, AudioSource, CameraFormat, CameraInfo, CameraProvider, CameraSettings, CaptureError,
    CaptureHandle, FrameSink, VideoRenderer,
};
use super::frame::VideoFrame;
use super::synthetic::SyntheticAudio;
use std::sync::{Arc, Mutex, PoisonError};

/// Camera, microphone, speaker and renderer in one: what is rendered or played is captured. For one call at a time.
#[derive(Clone, Default)]
pub struct Loopback {
    slots: Arc<Slots>,
}

#[derive(Default)]
struct Slots {
    camera: Mutex<Option<FrameSink>>,
    microphone: Mutex<Option<AudioSink>>,
}

impl Loopback {
    /// Devices that are not open yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl VideoRenderer for Loopback {
    fn render(&self, frame: VideoFrame) {
        let sink = self.slots.camera.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sink) = sink {
            sink.push(frame);
        }
    }
}

impl CameraProvider for Loopback {
    fn cameras(&self) -> Vec<CameraInfo> {
        // The real size is that of the received frames; this one is what constraints are checked against.
        let formats = vec![CameraFormat { width: 1280, height: 720, min_fps: 1.0, max_fps: 60.0 }];
        vec![CameraInfo { device_id: "loopback".into(), label: "Loopback".into(), facing: None, formats }]
    }

    fn open(&self, _: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        *self.slots.camera.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
        Ok(Box::new(OpenSlot { slots: Arc::clone(&self.slots), clear: |slots| clear(&slots.camera) }))
    }
}

impl AudioProvider for Loopback {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        *self.slots.microphone.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
        Ok(Box::new(OpenSlot { slots: Arc::clone(&self.slots), clear: |slots| clear(&slots.microphone) }))
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let slots = Arc::clone(&self.slots);
        let send_back = move |samples: &[i16]| {
            let sink = slots.microphone.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(sink) = sink {
                sink.push(samples);
            }
        };
        SyntheticAudio::silent().with_speaker(Box::new(send_back)).open_speaker(source)
    }
}

fn clear<T>(slot: &Mutex<Option<T>>) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

struct OpenSlot {
    slots: Arc<Slots>,
    clear: fn(&Slots),
}

impl CaptureHandle for OpenSlot {}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        (self.clear)(&self.slots);
    }
}
