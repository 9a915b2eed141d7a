//! Video: codecs behind one trait each, and the pipelines from camera to peer and from peer to renderer.
//!
//! ```text
//! camera or screen → FrameSink → newest-wins slot → gate → encoder thread (upright, scaled to the bitrate, VP8 or H.264) → EncodedFrame → peer
//!              └→ preview
//! RtpPackets from the peer → decoder thread (FrameAssembler → VP8 or H.264 → playout → freeze meter) → renderer
//! ```
//!
//! [`FrameAssembler`] puts packets in order, waits for those that are repaired and decides what may be decoded; `playout` shows pictures
//! evenly, as much later than they were captured as the path's jitter makes necessary. Like `adaptation` and `freeze` they are told the time
//! and do no input or output, so that tests run them through bad networks in a moment.

mod adaptation;
mod assembler;
mod buffer;
pub mod codec;
mod decoders;
mod depacketize;
mod encoding;
mod factory;
pub(crate) mod fec;
mod freeze;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(feature = "h264")]
#[allow(unsafe_code, reason = "the quantiser of openh264 can be changed by its C interface only")]
mod h264;
mod jitter;
mod playout;
#[cfg(any(feature = "vp8", feature = "h264"))]
mod rate_control;
#[cfg(any(feature = "vp8", feature = "h264"))]
mod rate_controlled;
mod receiver;
mod repair_wait;
mod running;
mod search;
mod sender;
mod sender_stats;
mod system;
#[cfg(feature = "vp8")]
#[allow(unsafe_code, reason = "libvpx is C")]
mod vp8;

#[cfg(test)]
mod codec_tests;
#[cfg(test)]
mod receive_path_tests;
#[cfg(test)]
mod test_packets;
#[cfg(test)]
mod test_pictures;

pub use adaptation::{DegradationPreference, QualityLimitation, ThermalState, UnknownPreference, VideoBounds};
pub use assembler::{AssembledFrame, AssemblerStats, Event, FrameAssembler};
pub use factory::{make_decoder, make_encoder};
pub use receiver::{VideoReceiver, VideoReceiverStats};
pub use sender::{VideoGate, VideoOutput, VideoSender, VideoSenderConfig, VideoSource};
pub use sender_stats::VideoSenderStats;
