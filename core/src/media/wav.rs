//! Sound files (`.wav`): a microphone that plays one, and a writer for what a speaker is given.

mod resample;

use super::capture::{
    AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle, SAMPLE_RATE, SAMPLES_PER_10_MS,
};
use super::file::FileError;
use super::pace::{Pace, PacedThread};
use super::synthetic::tone::{PacedSpeaker, SpeakerSink};
use hound::{SampleFormat, WavSpec};
use resample::Resampler;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const RATES: RangeInclusive<u32> = 4_000..=384_000;
const CHANNELS: RangeInclusive<u16> = 1..=32;
/// Most samples of a file: its header counts bytes in 32 bits.
const MAX_SAMPLES: u64 = (u32::MAX as u64 - 1024) / 2;

/// A file that is open at one of its samples.
struct WavStream {
    path: PathBuf,
    reader: hound::WavReader<BufReader<File>>,
    spec: WavSpec,
}

impl WavStream {
    fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(|error| FileError::io(path, error))?;
        let length = file.metadata().map_err(|error| FileError::io(path, error))?.len();
        let reader = hound::WavReader::new(BufReader::new(file)).map_err(|error| failed(path, error))?;
        let spec = reader.spec();
        let known = match spec.sample_format {
            SampleFormat::Int => [8, 16, 24, 32].contains(&spec.bits_per_sample),
            SampleFormat::Float => spec.bits_per_sample == 32,
        };
        if !known || !RATES.contains(&spec.sample_rate) || !CHANNELS.contains(&spec.channels) {
            let (bits, rate, channels) = (spec.bits_per_sample, spec.sample_rate, spec.channels);
            let what = format!("sound of {bits} bits, {rate} Hz, {channels} channels");
            return Err(FileError::Unsupported { path: path.to_owned(), what });
        }
        if reader.duration() == 0 {
            return Err(FileError::format(path, "it has no sound"));
        }
        let need = u64::from(reader.len()) * u64::from(spec.bits_per_sample / 8);
        if length < need {
            return Err(FileError::format(
                path,
                format!("{need} bytes of sound are announced, it has {length} in all"),
            ));
        }
        Ok(Self { path: path.to_owned(), reader, spec })
    }

    /// The next sample, all channels in one, from −1 to 1; the first again after the last.
    fn next(&mut self) -> Result<f32, FileError> {
        let mut sum = 0.0;
        for channel in 0..self.spec.channels {
            sum += match self.sample() {
                Some(sample) => sample,
                None if channel == 0 => {
                    self.reader.seek(0).map_err(|error| FileError::io(&self.path, error))?;
                    self.sample().unwrap_or(Err(hound::Error::UnfinishedSample))
                }
                None => Err(hound::Error::UnfinishedSample),
            }
            .map_err(|error| failed(&self.path, error))?;
        }
        // What is no number would spoil every sample after it.
        let mono = sum / f32::from(self.spec.channels);
        Ok(if mono.is_finite() { mono } else { 0.0 })
    }

    fn sample(&mut self) -> Option<Result<f32, hound::Error>> {
        match self.spec.sample_format {
            SampleFormat::Float => self.reader.samples::<f32>().next(),
            SampleFormat::Int => {
                let full = (1u64 << (self.spec.bits_per_sample - 1)) as f32;
                self.reader.samples::<i32>().next().map(|sample| sample.map(|sample| sample as f32 / full))
            }
        }
    }
}

fn failed(path: &Path, error: hound::Error) -> FileError {
    match error {
        hound::Error::IoError(source) if source.raw_os_error().is_some() => FileError::io(path, source),
        hound::Error::Unsupported => {
            FileError::Unsupported { path: path.to_owned(), what: "this kind of WAV".to_owned() }
        }
        // The library reports what is merely too short as trouble of the system.
        hound::Error::IoError(_) => FileError::format(path, "it ends too early for a WAV file"),
        error => FileError::format(path, format!("no WAV file: {error}")),
    }
}

/// Plays a file over and over as the microphone; its speaker hands on what it is given.
///
/// Any rate from 4 to 384 kHz and up to 32 channels become mono at 48 kHz; 8, 16, 24 and 32 bit integers and 32 bit floats.
#[derive(Debug, Clone)]
pub struct WavMicrophone {
    path: PathBuf,
    speaker: PacedSpeaker,
}

impl WavMicrophone {
    /// Checks the header and the length of the file.
    ///
    /// # Errors
    /// [`FileError`]: it cannot be read, is no WAV file, has a format that is not supported, no sound, or less than it says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Ok(Self { path: WavStream::open(path.as_ref())?.path, speaker: PacedSpeaker::default() })
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
        let thread = PacedThread::spawn("wav", Pace::SOUND, move || {
            let mut block = [0; SAMPLES_PER_10_MS];
            match player.fill(&mut block) {
                Ok(()) => {
                    sink.push(&block);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    log::error!("the sound stopped: {error}");
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
    stream: WavStream,
    resampler: Resampler,
}

impl Player {
    fn open(path: &Path) -> Result<Self, FileError> {
        let stream = WavStream::open(path)?;
        let resampler = Resampler::new(stream.spec.sample_rate);
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
/// The header is made right once a second of sound and at the end, so that a program that dies leaves a readable file. What the
/// file held before is kept until the first sample.
#[derive(Debug)]
pub struct WavWriter {
    path: PathBuf,
    state: Mutex<WriterState>,
}

struct WriterState {
    /// Before the first sample, the file that is to be written.
    file: Option<File>,
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
    /// [`FileError`] if it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let file = Some(file.map_err(|error| FileError::io(path, error))?);
        let state =
            Mutex::new(WriterState { file, writer: None, samples: 0, unflushed: 0, error: None, finished: false });
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
        if let Some(file) = self.file.take() {
            file.set_len(0).map_err(|error| FileError::io(path, error))?;
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

#[cfg(test)]
mod tests;
