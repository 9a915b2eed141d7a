//! What is measured in a call.

use crate::media::audio::{AudioReceiverStats, AudioSenderStats};
use crate::media::video::{VideoReceiverStats, VideoSenderStats};
use crate::peer::PeerStats;
use crate::signaling::message::CallId;

/// Counters since the start of the call and measurements of the moment.
#[derive(Debug, Clone)]
pub struct CallStats {
    /// Which call.
    pub call: Option<CallId>,
    /// The peer connection's: packets, loss, round-trip time, estimate, path.
    pub peer: PeerStats,
    /// From camera to packets; none without a camera.
    pub video_sent: Option<VideoSenderStats>,
    /// From packets to pictures; none before the first packet.
    pub video_received: Option<VideoReceiverStats>,
    /// From microphone to packets; none without one.
    pub audio_sent: Option<AudioSenderStats>,
    /// From packets to speaker; none before the first packet.
    pub audio_received: Option<AudioReceiverStats>,
}
