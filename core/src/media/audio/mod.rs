//! Sound to the peer and back: Opus (RFC 6716) over RTP (RFC 7587), mono 48 kHz inside the core.
//!
//! ```text
//! microphone → AudioSink → AudioSender (20 ms frames → Opus, 20 to 60 ms a packet) → AudioPackets for the peer
//! RtpPackets from the peer → AudioReceiver ( RED → JitterBuffer → Opus → stretch ) → AudioSource → speaker
//! ```
//!
//! [`JitterBuffer`] decides what is to be heard next and [`Playout`] makes it sound; both are told the time and do no input or
//! output, so tests run them through minutes of bad network in a moment. [`AudioReceiver`] puts them behind the speaker.
//!
//! # Why the jitter buffer is our own
//! The one crate that does this, `neteq` 0.9.1, calls itself an early preview. It does not know Opus in-band FEC, its loss
//! concealment works on samples without asking the decoder (Opus's own concealment knows pitch and spectrum and joins without a
//! seam), it reads the clock itself, so that no test can be repeated exactly, and it has no notion of a speaker that paused.
//! Delay, loss and how they sound are what a call is; a few hundred lines that we can test to the sample are worth more here than a dependency
//! that we would have to work around.

mod delay;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod jitter;
mod meter;
mod opus_packet;
mod playout;
mod receiver;
pub mod red;
mod repair;
mod sender;
mod stream;
mod stretch;

#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod quality_tests;

pub use jitter::{Adjustment, BufferedPacket, Decision, JitterBuffer, JitterStats};
pub use playout::Playout;
pub use receiver::{AudioReceiver, AudioReceiverStats};
pub use red::{AudioPacket, EarlierBlock};
pub use sender::{AudioOutput, AudioSender, AudioSenderStats};

/// Samples in the 20 ms frames that are sent.
pub const SAMPLES_PER_FRAME: usize = 960;

/// Why sound cannot be sent or received.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// libopus could not be set up.
    #[error("Opus: {0}")]
    Codec(#[from] opus::Error),
    /// The system gave no thread.
    #[error("audio thread: {0}")]
    Thread(#[from] std::io::Error),
}
