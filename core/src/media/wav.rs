//! Sound files (`.wav`): a microphone that plays one, and a writer for what a speaker is given.

mod read;
mod resample;

use super::capture::{
    AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle, SAMPLE_RATE, SAMPLES_PER_10_MS,
};
use super::file::{FileError, PlaybackFailure, check_output, open_input};
use super::pace::{Pace, PacedThread};
use super::synthetic::tone::{PacedSpeaker, SpeakerSink};
use hound::{SampleFormat, WavSpec};
use read::WavStream;
use resample::Resampler;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Most samples of a file: its header counts bytes in 32 bits.
const MAX_SAMPLES: u64 = (u32::MAX as u64 - 1024) / 2;

fn failed(path: &Path, error: hound::Error) -> FileError {
    match error {
        hound::Error::IoError(source) => FileError::io(path, source),
        error => FileError::format(path, error),
    }
}

/// Plays a file over and over as the microphone; its speaker hands on what it is given.
///
/// Any rate from 4 to 384 kHz and up to 32 channels become mono at 48 kHz; integers of 1 to 32 bits and floats of 32 and 64.
#[derive(Debug, Clone)]
pub struct WavMicrophone {
    path: PathBuf,
    speaker: PacedSpeaker,
    failure: PlaybackFailure,
}

impl WavMicrophone {
    /// Checks the header and the length of the file.
    ///
    /// # Errors
    /// [`FileError`]: it cannot be read, is no WAV file, has a format that is not supported, no sound, or less than it says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        Player::open(path)?;
        Ok(Self { path: path.to_owned(), speaker: PacedSpeaker::default(), failure: PlaybackFailure::default() })
    }

    /// Why the sound stopped before its handle was dropped, if it did: the file was changed or taken away while it played.
    pub fn failure(&self) -> PlaybackFailure {
        self.failure.clone()
    }

    /// The speaker hands its sound to `sink`.
    #[must_use]
    pub fn with_speaker(mut self, sink: SpeakerSink) -> Self {
        self.speaker = PacedSpeaker::new(sink);
        self
    }
}

impl AudioProvider for WavMicrophone {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let mut player = Player::open(&self.path).map_err(|error| CaptureError::NotReadable(error.to_string()))?;
        let failure = self.failure.clone();
        let thread = PacedThread::spawn("wav", Pace::SOUND, move || {
            let mut block = [0; SAMPLES_PER_10_MS];
            match player.fill(&mut block) {
                Ok(()) => {
                    sink.push(&block);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    log::error!("the sound stopped: {error}");
                    failure.set(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        Ok(Box::new(thread))
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        self.speaker.open(source)
    }
}

/// A file as endless mono sound at 48 kHz.
struct Player {
    stream: WavStream<BufReader<File>>,
    resampler: Resampler,
}

impl Player {
    fn open(path: &Path) -> Result<Self, FileError> {
        let (file, length) = open_input(path)?;
        let stream = WavStream::new(path, BufReader::new(file), length)?;
        let resampler = Resampler::new(stream.format.rate);
        Ok(Self { stream, resampler })
    }

    fn fill(&mut self, out: &mut [i16]) -> Result<(), FileError> {
        for sample in out {
            let value = self.resampler.next(|| self.stream.next())?;
            // `as` holds values beyond the range at its ends.
            *sample = (value * 32_768.0).round() as i16;
        }
        Ok(())
    }
}

/// Writes mono 48 kHz sound, 16 bits a sample.
///
/// The header is made right once a second of sound and at the end, so that a program that dies leaves a readable file. The file is
/// made, or what it held before replaced, with the first sample.
#[derive(Debug)]
pub struct WavWriter {
    path: PathBuf,
    state: Mutex<WriterState>,
}

struct WriterState {
    /// From the first sample on.
    writer: Option<hound::WavWriter<BufWriter<File>>>,
    samples: u64,
    unflushed: usize,
    error: Option<FileError>,
    finished: bool,
}

impl std::fmt::Debug for WriterState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterState").field("samples", &self.samples).field("error", &self.error).finish()
    }
}

impl WavWriter {
    /// A writer to this file.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be written: see [`check_output`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        check_output(path)?;
        let state = Mutex::new(WriterState { writer: None, samples: 0, unflushed: 0, error: None, finished: false });
        Ok(Self { path: path.to_owned(), state })
    }

    /// Appends samples. After an error, which [`WavWriter::finish`] tells, nothing more is written.
    pub fn write(&self, samples: &[i16]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.finished
            && state.error.is_none()
            && !samples.is_empty()
            && let Err(error) = state.append(&self.path, samples)
        {
            log::error!("sound is no longer saved: {error}");
            state.error = Some(error);
        }
    }

    /// Makes the header right and says how many samples are written. What is pushed from then on is left out.
    ///
    /// # Errors
    /// [`FileError`], the first one that was met.
    pub fn finish(&self) -> Result<u64, FileError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.finished = true;
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        if let Some(writer) = state.writer.take() {
            writer.finalize().map_err(|error| failed(&self.path, error))?;
        }
        Ok(state.samples)
    }
}

impl WriterState {
    fn append(&mut self, path: &Path, samples: &[i16]) -> Result<(), FileError> {
        if self.samples + samples.len() as u64 > MAX_SAMPLES {
            return Err(FileError::format(path, "a WAV file cannot be longer"));
        }
        if self.writer.is_none() {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
            let file = file.map_err(|error| FileError::io(path, error))?;
            let spec = WavSpec {
                channels: 1,
                sample_rate: SAMPLE_RATE,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            };
            let writer = hound::WavWriter::new(BufWriter::new(file), spec).map_err(|error| failed(path, error))?;
            self.writer = Some(writer);
        }
        if let Some(writer) = &mut self.writer {
            for sample in samples {
                writer.write_sample(*sample).map_err(|error| failed(path, error))?;
            }
            self.samples += samples.len() as u64;
            self.unflushed += samples.len();
            if self.unflushed >= SAMPLE_RATE as usize {
                self.unflushed = 0;
                writer.flush().map_err(|error| failed(path, error))?;
            }
        }
        Ok(())
    }
}

/// A file of these bytes, looked through as before a call, and its first samples.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(input: &[u8]) {
    let file = std::io::Cursor::new(input);
    let Ok(mut stream) = WavStream::new(Path::new("fuzz.wav"), file, input.len() as u64) else { return };
    // What was found good before the call is played in it.
    for _ in 0..1_000 {
        assert!(stream.next().is_ok_and(f32::is_finite));
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod format_tests;
