//! Microphone to Opus packets.

use super::meter::Meter;
use super::{AudioError, SAMPLES_PER_FRAME};
use crate::media::capture::{self, AudioSink, SAMPLE_RATE};
use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Encoder, Signal};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Takes one Opus packet and its RTP timestamp, in 48 kHz samples since the sender's start. `false`: dropped downstream.
///
/// Called on the encoder's thread; must not block.
pub type AudioOutput = Arc<dyn Fn(Bytes, u32) -> bool + Send + Sync>;

/// Bits per second of Opus, in-band FEC included.
const BITRATE: i32 = 32_000;
/// What in-band FEC is tuned to until the other side has reported.
const EXPECTED_LOSS: u8 = 5;
/// Frames that wait for the encoder: 200 ms.
const QUEUE: usize = 10;
/// Largest packet taken from the encoder; RFC 6716 has frames of at most 1275 bytes.
const MAX_PACKET: usize = 1276;
/// A packet this short says only that nothing follows for now (DTX).
const DTX_PACKET: usize = 2;
/// A microphone that gave nothing for this long has been away, and the timestamps skip the time it missed.
const ABSENCE: Duration = Duration::from_millis(500);

/// What an [`AudioSender`] did so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AudioSenderStats {
    /// Packets handed to the output and taken by it.
    pub packets: u64,
    /// Bytes of Opus in them.
    pub bytes: u64,
    /// 20 ms frames lost on the way: the encoder's queue was full, or the output gave `false`.
    pub dropped: u64,
    /// W3C `totalAudioEnergy` of what the other side may hear (nothing while muted): Σ (sample / 32768)² × duration in seconds.
    pub energy: f64,
    /// W3C `audioLevel`: root mean square of the last 20 ms, 0 to 1.
    pub level: f64,
}

/// Encodes a microphone's sound: Opus, mono, 20 ms, 32 kbit/s, in-band FEC (RFC 7587).
///
/// Encoding takes about 0.2 ms a frame on a thread of its own, so that the device's thread, which often is a real-time one, only copies samples.
/// At most 200 ms wait for the encoder; then the oldest frame goes, and the timestamps show the gap.
///
/// While muted, silence goes out in the manner of Opus DTX: a first short packet that says so, then one every 400 ms. While not muted every frame is
/// sent, quiet or not: 32 kbit/s are small beside video, and an other side that counts lost packets then sees each gap at once.
///
/// Dropping it stops the encoder: after that the output is not called again.
pub struct AudioSender {
    shared: Arc<Shared>,
    encoder: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    queue: VecDeque<Frame>,
    partial: Vec<i16>,
    /// Whether `partial` has a sample that was not muted.
    audible: bool,
    /// Timestamp of `partial`'s first sample.
    position: u32,
    last_push: Option<Instant>,
    muted: bool,
    packet_loss: u8,
    closed: bool,
    meter: Meter,
    stats: AudioSenderStats,
}

struct Frame {
    samples: Vec<i16>,
    timestamp: u32,
    audible: bool,
}

impl AudioSender {
    /// Starts the encoder.
    ///
    /// # Errors
    /// [`AudioError`] if libopus or the system refuses.
    pub fn start(output: AudioOutput) -> Result<Self, AudioError> {
        let encoder = voice_encoder()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: VecDeque::with_capacity(QUEUE),
                partial: Vec::with_capacity(SAMPLES_PER_FRAME),
                audible: false,
                position: 0,
                last_push: None,
                muted: false,
                packet_loss: EXPECTED_LOSS,
                closed: false,
                meter: Meter::default(),
                stats: AudioSenderStats::default(),
            }),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("chamada-opus".into())
            .spawn(move || encode_until_closed(&theirs, encoder, &output))?;
        Ok(Self { shared, encoder: Some(thread) })
    }

    /// Where the microphone puts its sound. Stays usable, without effect, after the sender is dropped.
    pub fn sink(&self) -> AudioSink {
        AudioSink::new(Arc::clone(&self.shared) as Arc<dyn capture::AudioReceiver>)
    }

    /// Sends silence instead of what is pushed from now on, or sound again.
    pub fn set_muted(&self, muted: bool) {
        self.shared.lock().muted = muted;
    }

    /// Tells how many percent of packets the other side loses, so that in-band FEC takes a fitting part of the bitrate. Above 100 counts as 100.
    pub fn set_packet_loss(&self, percent: u8) {
        self.shared.lock().packet_loss = percent.min(100);
    }

    /// What was done so far.
    pub fn stats(&self) -> AudioSenderStats {
        let state = self.shared.lock();
        AudioSenderStats { energy: state.meter.energy(), level: state.meter.level(), ..state.stats }
    }
}

impl Drop for AudioSender {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.encoder.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // It can only have panicked in the output; that is the output's to report.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl capture::AudioReceiver for Shared {
    fn push(&self, samples: &[i16]) {
        if self.lock().push(samples, Instant::now()) {
            self.changed.notify_one();
        }
    }
}

impl State {
    /// Takes samples that came at `now`; tells whether the encoder has something to do.
    fn push(&mut self, mut samples: &[i16], now: Instant) -> bool {
        if self.closed || samples.is_empty() {
            return false;
        }
        self.skip_absence(samples.len(), now);
        while !samples.is_empty() {
            let (head, tail) = samples.split_at(samples.len().min(SAMPLES_PER_FRAME - self.partial.len()));
            samples = tail;
            if self.muted {
                self.partial.resize(self.partial.len() + head.len(), 0);
            } else {
                self.partial.extend_from_slice(head);
                self.audible = true;
            }
            if self.partial.len() == SAMPLES_PER_FRAME {
                self.finish_frame();
            }
        }
        !self.queue.is_empty()
    }

    fn skip_absence(&mut self, samples: usize, now: Instant) {
        let length = Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE));
        if let Some(last) = self.last_push.replace(now) {
            let missing = now.saturating_duration_since(last).saturating_sub(length);
            if missing > ABSENCE {
                let frames = missing.as_millis() / 20;
                self.position = self.position.wrapping_add((frames * SAMPLES_PER_FRAME as u128) as u32);
            }
        }
    }

    fn finish_frame(&mut self) {
        self.meter.add(&self.partial);
        if self.queue.len() == QUEUE {
            self.queue.pop_front();
            self.stats.dropped += 1;
        }
        self.queue.push_back(Frame {
            samples: std::mem::replace(&mut self.partial, Vec::with_capacity(SAMPLES_PER_FRAME)),
            timestamp: self.position,
            audible: std::mem::take(&mut self.audible),
        });
        self.position = self.position.wrapping_add(SAMPLES_PER_FRAME as u32);
    }
}

/// An encoder for one side of a call.
pub(super) fn voice_encoder() -> Result<Encoder, AudioError> {
    let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
    encoder.set_complexity(5)?;
    encoder.set_signal(Signal::Voice)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(i32::from(EXPECTED_LOSS))?;
    Ok(encoder)
}

fn encode_until_closed(shared: &Shared, mut encoder: Encoder, output: &AudioOutput) {
    let mut packet_loss = EXPECTED_LOSS;
    let mut dtx = false;
    let mut quiet = false;
    let mut failing = false;
    let mut buffer = [0; MAX_PACKET];
    loop {
        let (frame, wanted_loss) = {
            let mut state = shared.lock();
            loop {
                if state.closed {
                    return;
                }
                if let Some(frame) = state.queue.pop_front() {
                    break (frame, state.packet_loss);
                }
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // Options in range are never refused; if one were, the encoder would go on as before, and it is tried again with the next frame.
        if packet_loss != wanted_loss && encoder.set_packet_loss_perc(i32::from(wanted_loss)).is_ok() {
            packet_loss = wanted_loss;
        }
        if dtx == frame.audible && encoder.set_dtx(!frame.audible).is_ok() {
            dtx = !frame.audible;
        }
        let encoded = encoder.encode(&frame.samples, &mut buffer);
        let taken = match encoded {
            Ok(len) => {
                failing = false;
                let was_quiet = std::mem::replace(&mut quiet, len <= DTX_PACKET);
                if quiet && was_quiet {
                    continue;
                }
                output(Bytes::copy_from_slice(&buffer[..len]), frame.timestamp).then_some(len)
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    log::warn!("Opus refuses what the microphone says");
                    log::debug!("which is: {error}");
                }
                None
            }
        };
        let mut state = shared.lock();
        match taken {
            Some(len) => {
                state.stats.packets += 1;
                state.stats.bytes += len as u64;
            }
            None => state.stats.dropped += 1,
        }
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
