//! A peer's devices that send back whatever arrives: the other person sees and hears themselves.

use super::capture::{
    AudioProvider, AudioSink, AudioSource, CameraFormat, CameraInfo, CameraProvider, CameraSettings, CaptureError,
    CaptureHandle, FrameSink, VideoRenderer,
};
use super::frame::VideoFrame;
use super::synthetic::SyntheticAudio;
use std::sync::{Arc, Mutex, PoisonError};

/// Camera, microphone, speaker and renderer in one, each feeding its counterpart. For one call at a time.
#[derive(Clone, Default)]
pub struct Echo {
    slots: Arc<Slots>,
}

#[derive(Default)]
struct Slots {
    camera: Mutex<Option<FrameSink>>,
    microphone: Mutex<Option<AudioSink>>,
}

impl Echo {
    /// Devices that send back what arrives.
    pub fn new() -> Self {
        Self::default()
    }
}

impl VideoRenderer for Echo {
    fn render(&self, frame: VideoFrame) {
        let sink = self.slots.camera.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sink) = sink {
            sink.push(frame);
        }
    }
}

impl CameraProvider for Echo {
    fn cameras(&self) -> Vec<CameraInfo> {
        // The true size is that of whatever arrives; this one is what constraints are held against.
        let formats = vec![CameraFormat { width: 1280, height: 720, min_fps: 1.0, max_fps: 60.0 }];
        vec![CameraInfo { device_id: "echo".into(), label: "Echo".into(), facing: None, formats }]
    }

    fn open(&self, _: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        *self.slots.camera.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
        Ok(Box::new(OpenSlot { slots: Arc::clone(&self.slots), clear: |slots| clear(&slots.camera) }))
    }
}

impl AudioProvider for Echo {
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
