//! Video: codecs behind one trait each, and the pipelines from camera to peer and from peer to renderer.
//!
//! ```text
//! camera → FrameSink → newest-wins slot → encoder thread (upright, scaled to the bitrate, VP8 or H.264) → EncodedFrame → peer
//!              └→ preview
//! RtpPackets from the peer → decoder thread (FrameAssembler → VP8 or H.264 → freeze meter) → renderer
//! ```
//!
//! [`FrameAssembler`] puts packets in order and decides what may be decoded; like `adapt` and `freeze` it is told the time and
//! does no input or output, so that tests run it through bad networks in a moment. There is no playout buffer: a picture is
//! shown as soon as it is whole and its predecessors were shown.

mod adapt;
mod adaptation;
mod assembler;
mod buffer;
pub mod codec;
mod depacketize;
mod encoding;
mod factory;
mod freeze;
#[cfg(feature = "h264")]
#[allow(unsafe_code, reason = "bitrate and pace of openh264 can be changed by its C interface only")]
mod h264;
mod receiver;
mod sender;
mod system;
#[cfg(feature = "vp8")]
#[allow(unsafe_code, reason = "libvpx is C")]
mod vp8;

#[cfg(test)]
mod codec_tests;
#[cfg(test)]
mod test_pictures;

pub use adaptation::{DegradationPreference, QualityLimitation, ThermalState, UnknownPreference, VideoBounds};
pub use assembler::{AssembledFrame, AssemblerStats, Event, FrameAssembler};
pub use factory::{make_decoder, make_encoder};
pub use receiver::{VideoReceiver, VideoReceiverStats};
pub use sender::{VideoOutput, VideoSender, VideoSenderConfig, VideoSenderStats};
