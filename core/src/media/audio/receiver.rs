//! Opus packets to the speaker.

use super::{AudioError, Playout};
use crate::media::capture::{AudioProducer, AudioSource};
use crate::media::rtp::RtpPacket;
use crate::media::sync::Playing;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Most packets taken from the channel at a time, so that a flood cannot hold the speaker up.
const AT_A_TIME: usize = 1024;

/// What an [`AudioReceiver`] heard and played so far. Samples are at 48 kHz. Names in brackets are those of W3C's webrtc-stats.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AudioReceiverStats {
    /// Packets received, duplicates left out (`packetsReceived`).
    pub packets: u64,
    /// Expected by sequence numbers but not received so far (`packetsLost`).
    pub lost: u64,
    /// Came too late to be played (part of `packetsDiscarded`).
    pub late: u64,
    /// Came more than once.
    pub duplicate: u64,
    /// Not Opus, or not in line with the stream.
    pub invalid: u64,
    /// Thrown away to be live again after a pause or a standstill (part of `packetsDiscarded`).
    pub skipped: u64,
    /// Samples made up for want of packets (`concealedSamples`).
    pub concealed_samples: u64,
    /// Of these, silence (`silentConcealedSamples`).
    pub silent_concealed_samples: u64,
    /// All samples made since the first packet was played (`totalSamplesReceived`).
    pub total_samples: u64,
    /// Times that concealment began (`concealmentEvents`).
    pub concealment_events: u64,
    /// Lost packets repaired by in-band FEC of their successors; not concealed.
    pub fec_recovered: u64,
    /// Lost packets played from their copies in later ones (RED, RFC 2198); neither concealed nor counted as received.
    pub red_recovered: u64,
    /// Copies (RED) that were nested, empty, without an offset, or not Opus.
    pub invalid_copies: u64,
    /// Put in to let the delay grow (`insertedSamplesForDeceleration`).
    pub inserted_samples: u64,
    /// Taken out to let the delay shrink (`removedSamplesForAcceleration`).
    pub removed_samples: u64,
    /// Σ (sample / 32768)² × duration in seconds, over what the speaker pulled (`totalAudioEnergy`).
    pub energy: f64,
    /// Root mean square of what the speaker pulled last, 0 to 1 (`audioLevel`).
    pub level: f64,
    /// How long the packet played last has waited, counted as if it had been as fast as the fastest.
    pub jitter_buffer_ms: f64,
    /// How long it should have waited (`jitterBufferTargetDelay` per sample).
    pub jitter_buffer_target_ms: f64,
    /// The mean over all packets played of `jitter_buffer_ms` (`jitterBufferDelay` / `jitterBufferEmittedCount`, but counted from when the fastest
    /// packet came and not from each packet's own arrival: so it says how much later than possible the sound is heard).
    pub jitter_buffer_mean_ms: f64,
}

impl AudioReceiverStats {
    /// Share of samples that were made up, 0 to 1.
    pub fn concealed_ratio(&self) -> f64 {
        if self.total_samples == 0 { 0.0 } else { self.concealed_samples as f64 / self.total_samples as f64 }
    }
}

/// Plays what the peer sends: jitter buffer, Opus decoder, loss concealment.
///
/// It has no thread. The speaker's pull takes the packets that have come, decodes (about 0.03 ms for 20 ms of sound) and stretches. While no speaker pulls,
/// packets wait in the channel, whose bound is the peer's; [`stats`](Self::stats) takes them out as well, and at most 150 are kept. When pulling begins
/// again, what became too old is thrown away and playing goes on live.
pub struct AudioReceiver {
    shared: Arc<Shared>,
}

struct Shared(Mutex<Inner>);

struct Inner {
    packets: mpsc::Receiver<RtpPacket>,
    playout: Playout,
}

impl AudioReceiver {
    /// Plays `packets`. Those with the payload type `red` are taken for RED (RFC 2198), all others for Opus at 48 kHz.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus cannot be set up.
    pub fn start(packets: mpsc::Receiver<RtpPacket>, red: Option<u8>) -> Result<Self, AudioError> {
        let mut playout = Playout::new()?;
        playout.set_red(red);
        let inner = Inner { packets, playout };
        Ok(Self { shared: Arc::new(Shared(Mutex::new(inner))) })
    }

    /// What the speaker pulls from, in blocks of any size. After the receiver is dropped it gives what is left, then silence.
    pub fn source(&self) -> AudioSource {
        AudioSource::new(Arc::clone(&self.shared) as Arc<dyn AudioProducer>)
    }

    /// Delays the sound by so much more than the network asks for, so that pictures that come later fit it. At most 300 ms, reached smoothly: it
    /// takes ten times as long as the change.
    pub fn set_extra_delay(&self, extra: Duration) {
        self.shared.with(|inner| inner.playout.set_extra_delay(extra));
    }

    /// Which RTP timestamp is, was or will be heard at which instant: that of the packet played last. While nothing is played the instant stays behind.
    pub fn playing(&self) -> Option<Playing> {
        self.shared.with(|inner| inner.playout.playing())
    }

    /// What was heard and played so far.
    pub fn stats(&self) -> AudioReceiverStats {
        self.shared.with(|inner| {
            inner.take_packets();
            inner.playout.stats()
        })
    }
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn take_packets(&mut self) {
        for _ in 0..AT_A_TIME {
            match self.packets.try_recv() {
                Ok(packet) => self.playout.insert(packet),
                Err(_) => break,
            }
        }
    }
}

impl AudioProducer for Shared {
    fn pull(&self, out: &mut [i16]) {
        self.with(|inner| {
            inner.take_packets();
            inner.playout.pull(out, Instant::now());
        });
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
