//! A microphone that hears a gentle tone, and a speaker that hands on what it is given.

use crate::media::capture::{
    AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle, SAMPLE_RATE, SAMPLES_PER_10_MS,
};
use crate::media::pace::{Pace, PacedThread};
use std::f64::consts::{PI, TAU};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// Peak of the tone, as a share of full scale.
const VOLUME: f64 = 0.15;
/// Samples from one tone to the next.
const PERIOD: u64 = SAMPLE_RATE as u64;
/// Samples that a tone lasts, rising and falling softly.
const LENGTH: u64 = PERIOD * 2 / 5;

/// Takes the sound of a speaker: mono 48 kHz, 10 ms at a time.
pub type SpeakerSink = Box<dyn FnMut(&[i16]) + Send>;

/// 0.4 s of tone each second, without clicks; silence between.
#[derive(Debug, Clone)]
pub struct ToneGenerator {
    hertz: f64,
    position: u64,
}

impl ToneGenerator {
    /// A tone of this pitch in Hz; silence unless it lies between 0 and 24,000.
    pub fn new(hertz: f64) -> Self {
        Self { hertz, position: 0 }
    }

    /// The next samples, mono at 48 kHz.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.sample();
            self.position = (self.position + 1) % PERIOD;
        }
    }

    fn sample(&self) -> i16 {
        let audible = self.hertz > 0.0 && self.hertz < f64::from(SAMPLE_RATE) / 2.0;
        if !audible || self.position >= LENGTH {
            return 0;
        }
        let envelope = (PI * self.position as f64 / LENGTH as f64).sin();
        let wave = (TAU * self.hertz * self.position as f64 / f64::from(SAMPLE_RATE)).sin();
        (VOLUME * f64::from(i16::MAX) * envelope * wave) as i16
    }
}

/// A microphone that hears a tone or nothing, and a speaker.
#[derive(Debug, Clone)]
pub struct SyntheticAudio {
    tone_hz: Option<f64>,
    speaker: PacedSpeaker,
}

impl SyntheticAudio {
    /// The microphone hears a tone of this pitch, in Hz.
    pub fn new(tone_hz: f64) -> Self {
        Self { tone_hz: Some(tone_hz), speaker: PacedSpeaker::default() }
    }

    /// The microphone hears nothing.
    pub fn silent() -> Self {
        Self { tone_hz: None, speaker: PacedSpeaker::default() }
    }

    /// The speaker hands its sound to `sink`.
    #[must_use]
    pub fn with_speaker(mut self, sink: SpeakerSink) -> Self {
        self.speaker = PacedSpeaker::new(sink);
        self
    }
}

impl AudioProvider for SyntheticAudio {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let mut tone = ToneGenerator::new(self.tone_hz.unwrap_or(0.0));
        let thread = PacedThread::spawn("microphone", Pace::SOUND, move || {
            let mut block = [0; SAMPLES_PER_10_MS];
            tone.fill(&mut block);
            sink.push(&block);
            ControlFlow::Continue(())
        })?;
        Ok(Box::new(thread))
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        self.speaker.open(source)
    }
}

/// A speaker without a device: pulls 10 ms at a time at the pace of time and hands it on.
#[derive(Clone, Default)]
pub(crate) struct PacedSpeaker {
    sink: Option<Arc<Mutex<SpeakerSink>>>,
}

impl PacedSpeaker {
    pub(crate) fn new(sink: SpeakerSink) -> Self {
        Self { sink: Some(Arc::new(Mutex::new(sink))) }
    }

    pub(crate) fn open(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let sink = self.sink.clone();
        let thread = PacedThread::spawn("speaker", Pace::SOUND, move || {
            let mut block = [0; SAMPLES_PER_10_MS];
            source.pull(&mut block);
            if let Some(sink) = &sink {
                sink.lock().unwrap_or_else(PoisonError::into_inner)(&block);
            }
            ControlFlow::Continue(())
        })?;
        Ok(Box::new(thread))
    }
}

impl fmt::Debug for PacedSpeaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacedSpeaker").field("sink", &self.sink.is_some()).finish()
    }
}
