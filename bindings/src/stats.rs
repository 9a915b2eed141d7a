//! What is measured in a call, less what only a developer of the library wants to know.

use crate::config::VideoCodec;
use chamada::client::CallStats as CoreStats;
use chamada::media::audio::{AudioReceiverStats, AudioSenderStats};
use chamada::media::video::{VideoReceiverStats, VideoSenderStats};
use chamada::peer::StreamStats;

/// Counters since the start of the call and measurements of the moment, in the terms of W3C's webrtc-stats.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CallStats {
    /// The call's identifier.
    pub call_id: Option<String>,
    /// Round-trip time of the path, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// What the path is thought to carry, in bits per second.
    pub estimate_bps: Option<u32>,
    /// Kind of this side's end of the path: `host`, `srflx`, `prflx` or `relay`.
    pub local_candidate: Option<String>,
    /// Kind of the other side's end.
    pub remote_candidate: Option<String>,
    /// From camera to packets; none before a codec was agreed on.
    pub sent_video: Option<SentVideo>,
    /// From packets to pictures; none before the first packet.
    pub received_video: Option<ReceivedVideo>,
    /// From microphone to packets.
    pub sent_audio: Option<SentAudio>,
    /// From packets to speaker; none before the first packet.
    pub received_audio: Option<ReceivedAudio>,
}

/// Video that this side sends.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct SentVideo {
    /// Codec of the last picture.
    pub codec: Option<VideoCodec>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures per second, over the last second.
    pub fps: f64,
    /// Pictures that the camera gave.
    pub captured: u64,
    /// Pictures sent.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// What the encoder aims at, in bits per second.
    pub target_bps: u32,
    /// To compress a picture, on average, in milliseconds.
    pub encode_ms: f64,
    /// Packets that the other side says it never got.
    pub packets_lost: u64,
}

/// Video that the other side sends.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct ReceivedVideo {
    /// Codec of the last picture.
    pub codec: Option<VideoCodec>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures per second, over the last second.
    pub fps: f64,
    /// Pictures decoded.
    pub frames: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Times that a picture stood too long.
    pub freezes: u64,
    /// For how long in all, in milliseconds.
    pub freeze_ms: u64,
    /// To decode a picture, on average, in milliseconds.
    pub decode_ms: f64,
    /// Packets that never came.
    pub packets_lost: u64,
}

/// Sound that this side sends.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct SentAudio {
    /// Packets sent.
    pub packets: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Loudness of the last 20 ms, 0 to 1; nothing while muted.
    pub level: f64,
    /// Packets that the other side says it never got.
    pub packets_lost: u64,
}

/// Sound that the other side sends.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct ReceivedAudio {
    /// Packets received.
    pub packets: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Loudness of what the speaker pulled last, 0 to 1.
    pub level: f64,
    /// W3C `totalAudioEnergy` of what the speaker pulled.
    pub energy: f64,
    /// Share of the sound that was made up for want of packets, 0 to 1.
    pub concealed_ratio: f64,
}

impl From<CoreStats> for CallStats {
    fn from(from: CoreStats) -> Self {
        let peer = from.peer;
        let (local_candidate, remote_candidate) = peer.pair.map(|pair| (pair.local, pair.remote)).unzip();
        Self {
            call_id: from.call.map(|call| call.to_string()),
            rtt_ms: peer.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            estimate_bps: peer.estimate_bps,
            local_candidate,
            remote_candidate,
            sent_video: from.video_sent.map(|video| sent_video(video, peer.video_sent)),
            received_video: from.video_received.map(|video| received_video(video, peer.video_received)),
            sent_audio: from.audio_sent.map(|audio| sent_audio(audio, peer.audio_sent)),
            received_audio: from.audio_received.map(received_audio),
        }
    }
}

fn sent_video(video: VideoSenderStats, stream: StreamStats) -> SentVideo {
    SentVideo {
        codec: video.codec.map(Into::into),
        width: video.width,
        height: video.height,
        fps: video.fps,
        captured: video.captured,
        frames: video.sent,
        bytes: video.bytes,
        target_bps: video.bitrate_bps,
        encode_ms: video.encode_ms,
        packets_lost: stream.lost,
    }
}

fn received_video(video: VideoReceiverStats, stream: StreamStats) -> ReceivedVideo {
    ReceivedVideo {
        codec: video.codec.map(Into::into),
        width: video.width,
        height: video.height,
        fps: video.fps,
        frames: video.frames_decoded,
        bytes: video.bytes,
        freezes: video.freezes,
        freeze_ms: u64::try_from(video.freeze_duration.as_millis()).unwrap_or(u64::MAX),
        decode_ms: video.decode_ms,
        packets_lost: stream.lost,
    }
}

fn sent_audio(audio: AudioSenderStats, stream: StreamStats) -> SentAudio {
    SentAudio { packets: audio.packets, bytes: audio.bytes, level: audio.level, packets_lost: stream.lost }
}

fn received_audio(audio: AudioReceiverStats) -> ReceivedAudio {
    ReceivedAudio {
        packets: audio.packets,
        packets_lost: audio.lost,
        level: audio.level,
        energy: audio.energy,
        concealed_ratio: audio.concealed_ratio(),
    }
}
