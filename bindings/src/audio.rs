//! Sound in and out: the app's microphone and speaker behind the core's trait. Mono, 48 kHz, 16 bits everywhere.

use crate::devices::AudioDevices;
use crate::error::ChamadaError;
use chamada::media::capture::{self, AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest block taken or given at once, in samples: 100 ms.
const MAX_SAMPLES: usize = 10 * capture::SAMPLES_PER_10_MS;
/// Converted at a time, in samples.
const CHUNK: usize = capture::SAMPLES_PER_10_MS;

/// Where a microphone puts its sound. May be called from any thread.
#[derive(uniffi::Object)]
pub struct MicrophoneSink(Mutex<Option<AudioSink>>);

#[uniffi::export]
impl MicrophoneSink {
    /// Takes 16-bit samples in the machine's byte order, best 10 or 20 ms (960 or 1920 bytes) at a time, at most 100 ms.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for half a sample or too many; `CLOSED` once the microphone was closed.
    pub fn push(&self, samples: &[u8]) -> Result<(), ChamadaError> {
        let sink = self.sink()?;
        if !samples.len().is_multiple_of(2) || samples.len() > 2 * MAX_SAMPLES {
            let (have, most) = (samples.len(), 2 * MAX_SAMPLES);
            return Err(ChamadaError::invalid(format!("{have} bytes are no block of sound (even, at most {most})")));
        }
        let mut block = [0; CHUNK];
        for bytes in samples.chunks(2 * CHUNK) {
            for (to, pair) in block.iter_mut().zip(bytes.chunks_exact(2)) {
                *to = i16::from_ne_bytes([pair[0], pair[1]]);
            }
            sink.push(&block[..bytes.len() / 2]);
        }
        Ok(())
    }
}

impl MicrophoneSink {
    pub(crate) fn new(to: AudioSink) -> Self {
        Self(Mutex::new(Some(to)))
    }

    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn sink(&self) -> Result<AudioSink, ChamadaError> {
        let sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sink.clone().ok_or_else(|| ChamadaError::closed("microphone"))
    }
}

/// Where a speaker gets its sound, at its own pace. May be called from any thread.
#[derive(uniffi::Object)]
pub struct SpeakerSource(Mutex<Option<AudioSource>>);

#[uniffi::export]
impl SpeakerSource {
    /// Fills the block: sound, concealment or silence, never less than its length.
    ///
    /// # Errors
    /// `CLOSED` once the speaker was closed; the block is then silent.
    pub fn pull(&self, block: &AudioBlock) -> Result<(), ChamadaError> {
        let mut samples = block.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let source = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match source {
            Some(source) => source.pull(&mut samples),
            None => {
                samples.fill(0);
                return Err(ChamadaError::closed("speaker"));
            }
        }
        Ok(())
    }
}

impl SpeakerSource {
    pub(crate) fn new(from: AudioSource) -> Self {
        Self(Mutex::new(Some(from)))
    }

    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Memory for a block of sound, made once and filled again and again by `SpeakerSource.pull`.
#[derive(uniffi::Object)]
pub struct AudioBlock {
    samples: Mutex<Box<[i16]>>,
}

#[uniffi::export]
impl AudioBlock {
    /// A silent block of so many samples: 480 for 10 ms, 960 for 20 ms, at most 4800.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for none or too many.
    #[uniffi::constructor]
    pub fn new(samples: u32) -> Result<Arc<Self>, ChamadaError> {
        let count = samples as usize;
        if count == 0 || count > MAX_SAMPLES {
            return Err(ChamadaError::invalid(format!("a block of {count} samples (1 to {MAX_SAMPLES})")));
        }
        Ok(Arc::new(Self { samples: Mutex::new(vec![0; count].into_boxed_slice()) }))
    }

    /// Where its samples are, 16 bits each in the machine's byte order: the same for as long as the block lives. To be read
    /// between two pulls, not during one.
    pub fn address(&self) -> u64 {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).as_ptr() as u64
    }

    /// Its length, in bytes.
    pub fn bytes(&self) -> u32 {
        (2 * self.samples.lock().unwrap_or_else(PoisonError::into_inner).len()) as u32
    }
}

/// The app's microphone and speaker, as the core wants them.
pub(crate) struct AudioAdapter(pub(crate) Arc<dyn AudioDevices>);

struct OpenMicrophone {
    app: Arc<dyn AudioDevices>,
    sink: Arc<MicrophoneSink>,
}

impl CaptureHandle for OpenMicrophone {}

impl Drop for OpenMicrophone {
    fn drop(&mut self) {
        self.sink.end();
        if let Err(error) = self.app.close_microphone() {
            log::warn!("the app's microphone did not close: {error}");
        }
    }
}

struct OpenSpeaker {
    app: Arc<dyn AudioDevices>,
    source: Arc<SpeakerSource>,
}

impl CaptureHandle for OpenSpeaker {}

impl Drop for OpenSpeaker {
    fn drop(&mut self) {
        self.source.end();
        if let Err(error) = self.app.close_speaker() {
            log::warn!("the app's speaker did not close: {error}");
        }
    }
}

impl AudioProvider for AudioAdapter {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let sink = Arc::new(MicrophoneSink::new(sink));
        if let Err(error) = self.0.open_microphone(Arc::clone(&sink)) {
            sink.end();
            return Err(error.into());
        }
        Ok(Box::new(OpenMicrophone { app: Arc::clone(&self.0), sink }))
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let source = Arc::new(SpeakerSource::new(source));
        if let Err(error) = self.0.open_speaker(Arc::clone(&source)) {
            source.end();
            return Err(error.into());
        }
        Ok(Box::new(OpenSpeaker { app: Arc::clone(&self.0), source }))
    }
}
