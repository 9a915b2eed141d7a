//! What is measured in a call, less what only a developer of the library wants to know.

use crate::config::VideoCodec;
use chamada::client::CallStats as CoreStats;
use chamada::media::audio::{AudioReceiverStats, AudioSenderStats};
use chamada::media::video::{QualityLimitation as CoreLimitation, VideoReceiverStats, VideoSenderStats};
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
    /// Part of the received packets that did not come, 0 to 1, since the measurement before.
    pub loss: Option<f64>,
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
    /// Since the measurement before, in bits per second.
    pub bps: Option<f64>,
    /// What the encoder aims at, in bits per second.
    pub target_bps: u32,
    /// Why pictures are sent smaller or fewer than the camera gives them, where that is known.
    pub limited_by: Option<QualityLimitation>,
    /// Whether the path carries no picture, so that sound alone is sent.
    pub suspended: bool,
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
    /// Since the measurement before, in bits per second.
    pub bps: Option<f64>,
    /// From a picture's first packet until it is decoded or shown, on average, in milliseconds.
    pub jitter_buffer_ms: f64,
    /// How much later pictures are shown than the sound that was captured with them is heard, in milliseconds, where that is known.
    pub av_offset_ms: Option<f64>,
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
    /// How long sound is held to be played evenly, in milliseconds, where that is known.
    pub jitter_buffer_ms: Option<f64>,
}

/// Why pictures are sent smaller or fewer than the camera gives them (W3C `RTCQualityLimitationReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum QualityLimitation {
    /// They are not.
    None,
    /// The path does not carry more.
    Bandwidth,
    /// The device does not encode more, or is too hot to.
    Cpu,
    /// Something else: the codec takes none that large.
    Other,
}

same_cases!(CoreLimitation => QualityLimitation { None, Bandwidth, Cpu, Other });

impl From<CoreStats> for CallStats {
    fn from(from: CoreStats) -> Self {
        let sent_video = from.video_sent.as_ref().map(|video| sent_video(video, &from));
        let received_video = from.video_received.as_ref().map(|video| received_video(video, &from));
        let received_audio = from.audio_received.as_ref().map(received_audio);
        let peer = from.peer;
        let (local_candidate, remote_candidate) = peer.pair.map(|pair| (pair.local, pair.remote)).unzip();
        Self {
            call_id: from.call.map(|call| call.to_string()),
            rtt_ms: peer.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            estimate_bps: peer.estimate_bps,
            local_candidate,
            remote_candidate,
            sent_video,
            received_video,
            sent_audio: from.audio_sent.map(|audio| sent_audio(audio, peer.audio_sent)),
            received_audio,
            loss: from.rates.loss,
        }
    }
}

fn sent_video(video: &VideoSenderStats, stats: &CoreStats) -> SentVideo {
    SentVideo {
        codec: video.codec.map(Into::into),
        width: video.width,
        height: video.height,
        fps: video.fps,
        captured: video.captured,
        frames: video.sent,
        bytes: video.bytes,
        bps: stats.rates.video_sent_bps,
        target_bps: video.bitrate_bps,
        limited_by: Some(video.limited_by.into()),
        suspended: video.suspended,
        encode_ms: video.encode_ms,
        packets_lost: stats.peer.video_sent.lost,
    }
}

fn received_video(video: &VideoReceiverStats, stats: &CoreStats) -> ReceivedVideo {
    ReceivedVideo {
        codec: video.codec.map(Into::into),
        width: video.width,
        height: video.height,
        fps: video.fps,
        frames: video.frames_decoded,
        bytes: video.bytes,
        bps: stats.rates.video_received_bps,
        jitter_buffer_ms: video.jitter_buffer_ms,
        av_offset_ms: stats.av_offset_ms,
        freezes: video.freezes,
        freeze_ms: u64::try_from(video.freeze_duration.as_millis()).unwrap_or(u64::MAX),
        decode_ms: video.decode_ms,
        packets_lost: stats.peer.video_received.lost,
    }
}

fn sent_audio(audio: AudioSenderStats, stream: StreamStats) -> SentAudio {
    SentAudio { packets: audio.packets, bytes: audio.bytes, level: audio.level, packets_lost: stream.lost }
}

fn received_audio(audio: &AudioReceiverStats) -> ReceivedAudio {
    ReceivedAudio {
        packets: audio.packets,
        packets_lost: audio.lost,
        level: audio.level,
        energy: audio.energy,
        concealed_ratio: audio.concealed_ratio(),
        jitter_buffer_ms: Some(audio.jitter_buffer_ms),
    }
}
