//! Microphone to Opus packets.

use super::meter::Meter;
use super::red::{AudioPacket, EarlierBlock, MAX_BLOCK, MAX_OFFSET};
use super::{AudioError, SAMPLES_PER_FRAME};
use crate::congestion::AudioPlan;
use crate::media::capture::{self, AudioSink, SAMPLE_RATE};
use bytes::Bytes;
use opus::{Application, Bandwidth, Bitrate, Channels, Encoder, Signal};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Takes one packet. `false`: dropped downstream.
///
/// Called on the encoder's thread; must not block.
pub type AudioOutput = Arc<dyn Fn(AudioPacket) -> bool + Send + Sync>;

/// 20 ms frames that wait for the encoder: 200 ms.
const QUEUE: usize = 10;
/// Largest packet taken from the encoder; RFC 6716 has frames of at most 1275 bytes.
const MAX_PACKET: usize = 1276;
/// A packet this short says only that nothing follows for now (DTX).
const DTX_PACKET: usize = 2;
/// A microphone that gave nothing for this long has been away, and the timestamps skip the time it missed.
const ABSENCE: Duration = Duration::from_millis(500);
/// Bounds of Opus, in bits per second (RFC 6716, section 2.1.1, as far as one channel of voice gains by it).
const BITRATES: std::ops::RangeInclusive<u32> = 6_000..=128_000;
/// What libopus is told of loss in percent, if there is any. Up to 5 % it would rather leave FEC out than take it from the bandwidth, and above 25 %
/// it knows no more.
const FEC_LOSS: std::ops::RangeInclusive<u8> = 6..=25;
/// Which of the packets before are repeated, by distance, for 1 and 2 generations of RED. The second one is not the neighbour of
/// the first: together with in-band FEC, which every copy carries for the packet before it, a burst of four is repaired.
const DISTANCES: [usize; 2] = [1, 3];

/// What an [`AudioSender`] did so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AudioSenderStats {
    /// Packets handed to the output and taken by it.
    pub packets: u64,
    /// Bytes of Opus in them, repeated packets (RED) counted once.
    pub bytes: u64,
    /// 20 ms frames lost on the way: the encoder's queue was full, or the output gave `false`.
    pub dropped: u64,
    /// W3C `totalAudioEnergy` of what the other side may hear (nothing while muted): Σ (sample / 32768)² × duration in seconds.
    pub energy: f64,
    /// W3C `audioLevel`: root mean square of the last 20 ms, 0 to 1.
    pub level: f64,
}

/// Encodes a microphone's sound: Opus, mono, in-band FEC (RFC 7587), repeated earlier packets for RED (RFC 2198).
///
/// Bitrate, packet time, redundancy, FEC and DTX follow an [`AudioPlan`], from one packet to the next, without a gap in sound or timestamps.
///
/// Encoding takes about 0.2 ms a frame on a thread of its own, so that the device's thread, which often is a real-time one, only copies samples.
/// At most 200 ms wait for the encoder; then the oldest frame goes, and the timestamps show the gap.
///
/// While muted, and whenever the plan allows it, silence goes out in the manner of Opus DTX: a first short packet that says so, then one every
/// 400 ms. Otherwise every frame is sent, quiet or not, and an other side that counts lost packets sees each gap at once.
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
    plan: AudioPlan,
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
    /// What is sent until [`follow`](Self::follow) says otherwise: 32 kbit/s in packets of 20 ms, tuned to 5 % loss, no redundancy, no DTX.
    pub const FIRST_PLAN: AudioPlan =
        AudioPlan { bitrate_bps: 32_000, frame: Duration::from_millis(20), redundancy: 0, loss_percent: 5, dtx: false };

    /// Starts the encoder.
    ///
    /// # Errors
    /// [`AudioError`] if libopus or the system refuses.
    pub fn start(output: AudioOutput) -> Result<Self, AudioError> {
        let encoder = VoiceEncoder::new()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: VecDeque::with_capacity(QUEUE),
                partial: Vec::with_capacity(SAMPLES_PER_FRAME),
                audible: false,
                position: 0,
                last_push: None,
                muted: false,
                plan: Self::FIRST_PLAN,
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

    /// Sends as `plan` says from the next packet on. What Opus cannot do is brought to the next thing that it can: packets of 20, 40 or
    /// 60 ms, 6 to 128 kbit/s, one generation of redundancy in packets of 60 ms and two in shorter ones.
    pub fn follow(&self, plan: AudioPlan) {
        self.shared.lock().plan = plan;
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

/// 20 ms frames in one packet of this plan.
fn frames_per_packet(plan: &AudioPlan) -> usize {
    usize::try_from(plan.frame.as_millis() / 20).unwrap_or(3).clamp(1, 3)
}

/// Opus with the options that a plan asks for.
pub(super) struct VoiceEncoder {
    encoder: Encoder,
    /// What the encoder was told last.
    bitrate: u32,
    loss: u8,
    wide: bool,
    dtx: bool,
    buffer: [u8; MAX_PACKET],
}

impl VoiceEncoder {
    pub(super) fn new() -> Result<Self, AudioError> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_complexity(5)?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_inband_fec(true)?;
        Ok(Self { encoder, bitrate: 0, loss: 0, wide: false, dtx: false, buffer: [0; MAX_PACKET] })
    }

    /// Options in range are never refused; if one were, the encoder would go on as before, and it is tried again with the next packet.
    pub(super) fn follow(&mut self, plan: &AudioPlan, audible: bool) {
        let bitrate = plan.bitrate_bps.clamp(*BITRATES.start(), *BITRATES.end());
        if self.bitrate != bitrate && self.encoder.set_bitrate(Bitrate::Bits(bitrate as i32)).is_ok() {
            self.bitrate = bitrate;
        }
        let loss = if plan.loss_percent == 0 { 0 } else { plan.loss_percent.clamp(*FEC_LOSS.start(), *FEC_LOSS.end()) };
        if self.loss != loss && self.encoder.set_packet_loss_perc(i32::from(loss)).is_ok() {
            self.loss = loss;
        }
        // Above wideband a packet of 40 or 60 ms is made of 20 ms frames (RFC 6716, section 3.2), and its in-band FEC is worth only the last of them.
        let wide = frames_per_packet(plan) > 1;
        let most = if wide { Bandwidth::Wideband } else { Bandwidth::Fullband };
        if self.wide != wide && self.encoder.set_max_bandwidth(most).is_ok() {
            self.wide = wide;
        }
        let dtx = plan.dtx || !audible;
        if self.dtx != dtx && self.encoder.set_dtx(dtx).is_ok() {
            self.dtx = dtx;
        }
    }

    /// One packet of 20, 40 or 60 ms.
    pub(super) fn encode(&mut self, samples: &[i16]) -> Result<Bytes, opus::Error> {
        let len = self.encoder.encode(samples, &mut self.buffer)?;
        Ok(Bytes::copy_from_slice(&self.buffer[..len.min(MAX_PACKET)]))
    }
}

/// The packets sent last, to be repeated (RFC 2198).
#[derive(Default)]
pub(super) struct History(VecDeque<(u32, Bytes)>);

impl History {
    /// The blocks to go with the packet at `timestamp`, the oldest first.
    pub(super) fn earlier(&self, timestamp: u32, plan: &AudioPlan) -> Vec<EarlierBlock> {
        let most = if frames_per_packet(plan) > 2 { 1 } else { DISTANCES.len() };
        let distances = &DISTANCES[..usize::from(plan.redundancy).min(most)];
        let block = |&distance: &usize| {
            let (before, payload) = self.0.get(self.0.len().checked_sub(distance)?)?;
            let offset =
                u16::try_from(timestamp.wrapping_sub(*before)).ok().filter(|o| (1..=MAX_OFFSET).contains(o))?;
            (payload.len() <= MAX_BLOCK).then(|| EarlierBlock { offset, payload: payload.clone() })
        };
        distances.iter().rev().filter_map(block).collect()
    }

    pub(super) fn push(&mut self, timestamp: u32, payload: Bytes) {
        if self.0.len() == DISTANCES[1] {
            self.0.pop_front();
        }
        self.0.push_back((timestamp, payload));
    }
}

impl State {
    /// How many frames at the front of the queue are the next packet; 0: wait for more. One after which sound is missing is a packet
    /// by itself, however short.
    fn ready(&self) -> usize {
        let wanted = frames_per_packet(&self.plan);
        let Some(first) = self.queue.front() else { return 0 };
        let follows = |n: usize| first.timestamp.wrapping_add((n * SAMPLES_PER_FRAME) as u32);
        let whole = self.queue.iter().take(wanted).enumerate().take_while(|(n, f)| f.timestamp == follows(*n)).count();
        if whole == wanted || whole < self.queue.len() { whole } else { 0 }
    }

    /// Takes the next packet's sound: timestamp, samples, whether any of it is to be heard.
    fn take(&mut self, frames: usize) -> Option<Frame> {
        let mut packet = self.queue.pop_front()?;
        for frame in self.queue.drain(..(frames.saturating_sub(1)).min(self.queue.len())) {
            packet.samples.extend_from_slice(&frame.samples);
            packet.audible |= frame.audible;
        }
        Some(packet)
    }
}

fn encode_until_closed(shared: &Shared, mut encoder: VoiceEncoder, output: &AudioOutput) {
    let mut history = History::default();
    let mut quiet = false;
    let mut failing = false;
    loop {
        let (frame, plan) = {
            let mut state = shared.lock();
            loop {
                if state.closed {
                    return;
                }
                let ready = state.ready();
                if ready > 0
                    && let Some(frame) = state.take(ready)
                {
                    break (frame, state.plan);
                }
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        encoder.follow(&plan, frame.audible);
        let taken = match encoder.encode(&frame.samples) {
            Ok(payload) => {
                failing = false;
                let was_quiet = std::mem::replace(&mut quiet, payload.len() <= DTX_PACKET);
                if quiet && was_quiet {
                    continue;
                }
                let earlier = history.earlier(frame.timestamp, &plan);
                history.push(frame.timestamp, payload.clone());
                let len = payload.len();
                output(AudioPacket { timestamp: frame.timestamp, payload, earlier }).then_some(len)
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
            None => state.stats.dropped += (frame.samples.len() / SAMPLES_PER_FRAME) as u64,
        }
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
