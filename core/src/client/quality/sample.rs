//! What the quality is judged by: the counters and measurements of one moment.

use crate::client::CallStats;
use crate::media::video::QualityLimitation;
use crate::signaling::message::MediaState;
use std::time::Duration;

/// One moment of a call. Counters are since the start of the call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::client) struct Sample {
    pub(super) sent: SentSample,
    pub(super) received: ReceivedSample,
    /// Round-trip time, time in queues included.
    pub(super) rtt: Option<Duration>,
}

/// What this side sends.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::client) struct SentSample {
    /// Whether a camera is on and its pictures are to be sent.
    pub(super) video: bool,
    /// The path carries no picture.
    pub(super) suspended: bool,
    /// Target of the encoder and what the camera's pictures need to look good, in bits per second.
    pub(super) target_bps: f64,
    pub(super) needed_bps: f64,
    pub(super) limited_by: Option<QualityLimitation>,
    /// Pictures sent per second.
    pub(super) fps: f64,
    /// To compress one, in ms.
    pub(super) encode_ms: f64,
    /// Packets of sound and video, and how many of them the other side reports as lost.
    pub(super) packets: u64,
    pub(super) lost: u64,
}

/// What the other side sends.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::client) struct ReceivedSample {
    /// Whether the other side says that its camera is on; not where it sends its screen, whose pictures change rarely.
    pub(super) camera: bool,
    /// Whether it sends pictures of any kind.
    pub(super) video: bool,
    /// Packets of each, and of both those that never came.
    pub(super) video_packets: u64,
    pub(super) audio_packets: u64,
    pub(super) lost: u64,
    /// How long the picture stood still in all.
    pub(super) frozen: Duration,
    /// Pictures shown per second; `None` before the first.
    pub(super) fps: Option<f64>,
    pub(super) decode_ms: f64,
    /// Samples of sound that were played, and of these those that were made up, silence left out.
    pub(super) samples: u64,
    pub(super) concealed: u64,
    /// Sound is held for so long to be played evenly.
    pub(super) playout_delay: Duration,
}

/// What a camera's picture needs to look good, in bits per pixel: libwebrtc takes 900 kbit/s for 1280×720 at 30 per second as the
/// least for that size (`api/video_codecs/video_encoder.cc`).
const BITS_PER_PIXEL: f64 = 900_000.0 / (1280.0 * 720.0 * 30.0);

impl Sample {
    /// From a call's statistics and what both sides say of their devices.
    pub(in crate::client) fn new(stats: &CallStats, local: MediaState, remote: MediaState) -> Self {
        Self { sent: sent(stats, local), received: received(stats, remote), rtt: stats.peer.rtt }
    }
}

fn sent(stats: &CallStats, local: MediaState) -> SentSample {
    let (audio, video) = (stats.peer.audio_sent, stats.peer.video_sent);
    let camera = stats.camera.as_ref().filter(|_| local.video);
    let sender = stats.video_sent.as_ref();
    let needed_bps = camera.map_or(0.0, |camera| {
        f64::from(camera.width) * f64::from(camera.height) * camera.fps.max(1.0) * BITS_PER_PIXEL
    });
    SentSample {
        video: camera.is_some() && sender.is_some(),
        suspended: sender.is_some_and(|sender| sender.suspended),
        target_bps: sender.map_or(0.0, |sender| f64::from(sender.bitrate_bps)),
        needed_bps: needed_bps.min(f64::from(stats.max_video_bps)),
        limited_by: sender.map(|sender| sender.limited_by),
        fps: sender.map_or(0.0, |sender| sender.fps),
        encode_ms: sender.map_or(0.0, |sender| sender.encode_ms),
        packets: audio.packets.saturating_add(video.packets),
        lost: audio.lost.saturating_add(video.lost),
    }
}

fn received(stats: &CallStats, remote: MediaState) -> ReceivedSample {
    let (audio, video) = (stats.peer.audio_received, stats.peer.video_received);
    let pictures = stats.video_received.as_ref();
    let sound = stats.audio_received.as_ref();
    ReceivedSample {
        camera: remote.video && !remote.screen,
        video: remote.video,
        video_packets: video.packets,
        audio_packets: audio.packets,
        lost: audio.lost.saturating_add(video.lost),
        frozen: pictures.map_or(Duration::ZERO, |pictures| pictures.freeze_duration),
        fps: pictures.filter(|pictures| pictures.frames_decoded > 0).map(|pictures| pictures.fps),
        decode_ms: pictures.map_or(0.0, |pictures| pictures.decode_ms),
        samples: sound.map_or(0, |sound| sound.total_samples),
        concealed: sound.map_or(0, |sound| sound.concealed_samples.saturating_sub(sound.silent_concealed_samples)),
        playout_delay: ms(sound
            .map(|sound| sound.jitter_buffer_ms)
            .or(pictures.map(|pictures| pictures.jitter_buffer_ms))),
    }
}

fn ms(ms: Option<f64>) -> Duration {
    Duration::try_from_secs_f64(ms.unwrap_or_default() / 1e3).unwrap_or_default()
}
