//! Makes a [`JitterBuffer`]'s decisions sound.

use super::jitter::{Adjustment, Decision, JitterBuffer};
use super::meter::Meter;
use super::receiver::AudioReceiverStats;
use super::{AudioError, red, stretch};
use crate::media::capture::SAMPLE_RATE;
use crate::media::rtp::RtpPacket;
use crate::media::sync::Playing;
use opus::{Channels, Decoder};
use std::time::{Duration, Instant};

/// Longest Opus packet: 120 ms.
const MAX_SAMPLES: usize = 5760;
/// Over which sound without connection to what went before is faded in: 5 ms.
const FADE: usize = 240;
/// How alike neighbouring periods must be (normalised correlation) to take one out or put one in unheard.
const ALIKE: f64 = 0.85;
/// The same when it must be fast.
const ALIKE_ENOUGH: f64 = 0.2;

/// Jitter buffer, Opus decoder and time stretching in one, without input or output: packets and times in, samples out.
///
/// Senders of stereo are mixed down to mono by the decoder.
pub struct Playout {
    buffer: JitterBuffer,
    decoder: Decoder,
    /// Made but not yet pulled, from `pulled` on.
    samples: Vec<i16>,
    pulled: usize,
    concealing: bool,
    silent: bool,
    meter: Meter,
    playing: Option<Playing>,
    /// Payload type of RED (RFC 2198), if it was agreed on.
    red: Option<u8>,
    stats: AudioReceiverStats,
}

impl Playout {
    /// An empty one, which gives silence.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus cannot be set up.
    pub fn new() -> Result<Self, AudioError> {
        Ok(Self {
            buffer: JitterBuffer::new(),
            decoder: Decoder::new(SAMPLE_RATE, Channels::Mono)?,
            samples: Vec::with_capacity(2 * MAX_SAMPLES),
            pulled: 0,
            concealing: false,
            silent: true,
            meter: Meter::default(),
            playing: None,
            red: None,
            stats: AudioReceiverStats::default(),
        })
    }

    /// Takes packets with this payload type for RED (RFC 2198), all others for Opus.
    pub fn set_red(&mut self, payload_type: Option<u8>) {
        self.red = payload_type;
    }

    /// Takes a packet that arrived when it says.
    pub fn insert(&mut self, packet: RtpPacket) {
        if self.red != Some(packet.payload_type) {
            self.buffer.insert(packet);
            return;
        }
        // RED in RED has no meaning.
        let Some(unpacked) = red::unpack(&packet.payload).filter(|red| red.block_type != packet.payload_type) else {
            self.stats.invalid += 1;
            return;
        };
        self.stats.invalid_copies += unpacked.useless;
        let (ssrc, timestamp) = (packet.ssrc, packet.timestamp);
        let newest = RtpPacket { payload_type: unpacked.block_type, payload: unpacked.newest, ..packet };
        if !self.buffer.insert(newest) {
            return;
        }
        for earlier in unpacked.earlier {
            let timestamp = timestamp.wrapping_sub(u32::from(earlier.offset));
            let taken = self.buffer.insert_copy(ssrc, timestamp, earlier.payload);
            self.stats.invalid_copies += u64::from(!taken);
        }
    }

    /// Adds to the delay, smoothly, for the sake of pictures that come later than the sound. At most 300 ms.
    pub fn set_extra_delay(&mut self, extra: Duration) {
        self.buffer.set_extra_delay(extra);
    }

    /// What was played last, if anything was.
    pub fn playing(&self) -> Option<Playing> {
        self.playing
    }

    /// Fills `out` with what is to be heard from `now` on.
    pub fn pull(&mut self, out: &mut [i16], now: Instant) {
        let mut filled = 0;
        while filled < out.len() {
            if self.pulled == self.samples.len() {
                self.samples.clear();
                self.pulled = 0;
                self.make(now, filled);
            }
            let len = (out.len() - filled).min(self.samples.len() - self.pulled);
            out[filled..filled + len].copy_from_slice(&self.samples[self.pulled..self.pulled + len]);
            filled += len;
            self.pulled += len;
        }
        self.meter.add(out);
    }

    /// Counted so far.
    pub fn stats(&self) -> AudioReceiverStats {
        let counted = self.buffer.stats();
        let (delay, target) = self.buffer.delay_ms();
        AudioReceiverStats {
            packets: counted.packets,
            lost: counted.lost,
            late: counted.late,
            duplicate: counted.duplicate,
            invalid: self.stats.invalid + counted.invalid,
            skipped: counted.skipped,
            fec_recovered: counted.fec_recovered,
            red_recovered: counted.red_recovered,
            energy: self.meter.energy(),
            level: self.meter.level(),
            jitter_buffer_ms: delay,
            jitter_buffer_target_ms: target,
            jitter_buffer_mean_ms: self.buffer.mean_delay_ms(),
            ..self.stats
        }
    }

    /// Makes at least one sample, for the speaker that has `ahead` samples from `now` on.
    fn make(&mut self, now: Instant, ahead: usize) {
        let started = self.buffer.has_started();
        match self.buffer.next(now) {
            Decision::Play { packet, ssrc, rtp_timestamp } => {
                let at = now + Duration::from_secs_f64(ahead as f64 / f64::from(SAMPLE_RATE));
                self.playing = Some(Playing { ssrc, rtp_timestamp, at });
                // Concealment runs on for a moment under sound that does not follow from what went before.
                let tail = if packet.discontinuity || self.silent { self.tail() } else { Vec::new() };
                if self.decode(&packet.payload, packet.samples, false) {
                    stretch::crossfade(&tail, &mut self.samples);
                    self.adjust();
                    self.concealing = false;
                } else {
                    self.stats.invalid += 1;
                    self.conceal(packet.samples);
                }
                self.silent = false;
            }
            Decision::Fec { from, samples, wanted } => {
                // What has been concealed of it runs on for a moment under the rest.
                let tail = if wanted < samples { self.tail() } else { Vec::new() };
                if self.decode(&from, samples, true) {
                    self.samples.drain(..self.samples.len().saturating_sub(wanted));
                    stretch::crossfade(&tail, &mut self.samples);
                    self.buffer.repaired();
                    self.concealing = false;
                } else {
                    self.conceal(wanted);
                }
            }
            Decision::Conceal(samples) => self.conceal(samples),
            Decision::Noise(samples) => {
                if !self.decode(&[], samples, false) {
                    self.samples.resize(samples, 0);
                }
            }
            Decision::Silence(samples) => self.silence(samples, started),
        }
        if self.samples.is_empty() {
            // Cannot be, as every decision has a length; but a speaker must never wait.
            self.samples.resize(FADE, 0);
        }
        if started || !self.silent {
            self.stats.total_samples += self.samples.len() as u64;
        }
    }

    /// Decodes to the end of `samples`. With an empty payload the decoder conceals.
    fn decode(&mut self, payload: &[u8], samples: usize, fec: bool) -> bool {
        let start = self.samples.len();
        self.samples.resize(start + samples.clamp(1, MAX_SAMPLES), 0);
        match self.decoder.decode(payload, &mut self.samples[start..], fec) {
            Ok(len) if len > 0 => {
                self.samples.truncate(start + len);
                true
            }
            _ => {
                self.samples.truncate(start);
                false
            }
        }
    }

    fn conceal(&mut self, samples: usize) {
        // Opus conceals whole multiples of 2.5 ms only.
        let whole = samples.clamp(1, MAX_SAMPLES).next_multiple_of(120);
        if !self.decode(&[], whole, false) {
            self.samples.resize(samples.max(1), 0);
        }
        self.samples.truncate(samples.max(1));
        self.count_concealed(false);
    }

    fn silence(&mut self, samples: usize, started: bool) {
        let tail = if self.silent { Vec::new() } else { self.tail() };
        self.samples.resize(samples, 0);
        stretch::crossfade(&tail, &mut self.samples);
        self.silent = true;
        if started {
            self.count_concealed(true);
        }
    }

    fn count_concealed(&mut self, silent: bool) {
        let len = self.samples.len() as u64;
        self.stats.concealed_samples += len;
        if silent {
            self.stats.silent_concealed_samples += len;
        }
        self.stats.concealment_events += u64::from(!self.concealing);
        self.concealing = true;
    }

    /// How the sound so far would go on for 5 ms.
    fn tail(&mut self) -> Vec<i16> {
        let mut tail = vec![0; FADE];
        if self.silent || self.decoder.decode(&[], &mut tail, false).is_err() {
            tail.fill(0);
        }
        tail
    }

    fn adjust(&mut self) {
        match self.buffer.adjustment() {
            Adjustment::Keep => {}
            Adjustment::Accelerate { urgent } => {
                let removed = stretch::accelerate(&mut self.samples, if urgent { ALIKE_ENOUGH } else { ALIKE });
                self.buffer.adjusted(-(removed as i64));
                self.stats.removed_samples += removed as u64;
            }
            Adjustment::Expand => {
                let inserted = stretch::expand(&mut self.samples, ALIKE);
                self.buffer.adjusted(inserted as i64);
                self.stats.inserted_samples += inserted as u64;
            }
        }
    }
}
