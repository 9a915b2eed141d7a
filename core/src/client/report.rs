//! What is measured in a call.

use crate::media::audio::{AudioReceiverStats, AudioSenderStats};
use crate::media::capture::CameraSettings;
use crate::media::video::{VideoReceiverStats, VideoSenderStats};
use crate::peer::{PeerStats, StreamStats};
use crate::signaling::message::CallId;
use std::time::Duration;

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
    /// Of the time since the report before.
    pub rates: MediaRates,
    /// The camera that is open (W3C `RTCVideoSourceStats`); none while it is off.
    pub camera: Option<CameraSettings>,
    /// Most bits per second that the application lets video have; `u32::MAX` without a bound.
    pub max_video_bps: u32,
    /// How much later pictures are shown than the sound that was captured with them is heard, in ms; negative where sound is late.
    /// `None` without sender reports (RFC 3550 section 6.4.1) of both streams.
    pub av_offset_ms: Option<f64>,
    /// The 95th percentile of its absolute value since the start of the call, in ms.
    pub av_offset_ms_p95: Option<f64>,
}

/// Rates and loss since the report before; `None` in the first one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MediaRates {
    /// Bits per second of RTP payload.
    pub video_sent_bps: Option<f64>,
    /// Bits per second of RTP payload.
    pub video_received_bps: Option<f64>,
    /// Bits per second of RTP payload.
    pub audio_sent_bps: Option<f64>,
    /// Bits per second of RTP payload.
    pub audio_received_bps: Option<f64>,
    /// Part of the received streams' packets that did not come, 0 to 1; `None` also where none were to come.
    pub loss: Option<f64>,
}

/// Makes rates of counters.
#[derive(Debug, Default)]
pub(super) struct RateMeter {
    before: Option<PeerStats>,
}

impl RateMeter {
    pub(super) fn update(&mut self, now: &PeerStats) -> MediaRates {
        let rates = self.before.as_ref().map_or_else(MediaRates::default, |before| between(before, now));
        self.before = Some(now.clone());
        rates
    }
}

fn between(before: &PeerStats, now: &PeerStats) -> MediaRates {
    let Some(span) = now.at.zip(before.at).map(|(now, before)| now.saturating_duration_since(before)) else {
        return MediaRates::default();
    };
    let rate = |before: StreamStats, now: StreamStats| bits_per_second(now.bytes.saturating_sub(before.bytes), span);
    let counts = |stats: &PeerStats| {
        let (audio, video) = (stats.audio_received, stats.video_received);
        (audio.packets.saturating_add(video.packets), audio.lost.saturating_add(video.lost))
    };
    let ((packets, lost), (packets_before, lost_before)) = (counts(now), counts(before));
    let packets = packets.saturating_sub(packets_before);
    // Packets that came late after all are taken off the count.
    let lost = lost.saturating_sub(lost_before);
    let expected = packets.saturating_add(lost);
    MediaRates {
        video_sent_bps: rate(before.video_sent, now.video_sent),
        video_received_bps: rate(before.video_received, now.video_received),
        audio_sent_bps: rate(before.audio_sent, now.audio_sent),
        audio_received_bps: rate(before.audio_received, now.audio_received),
        loss: (expected > 0).then(|| lost as f64 / expected as f64),
    }
}

fn bits_per_second(bytes: u64, span: Duration) -> Option<f64> {
    (!span.is_zero()).then(|| bytes as f64 * 8.0 / span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn rates_are_of_the_time_since_the_report_before_and_late_packets_make_no_negative_loss() {
        let (mut meter, start) = (RateMeter::default(), Instant::now());
        let at = |seconds: u64, bytes, packets, lost| PeerStats {
            at: Some(start + Duration::from_secs(seconds)),
            video_received: StreamStats { bytes, packets, lost, ..StreamStats::default() },
            ..PeerStats::default()
        };
        assert_eq!(meter.update(&at(0, 1000, 10, 0)), MediaRates::default());
        let rates = meter.update(&at(2, 251_000, 100, 10));
        assert_eq!((rates.video_received_bps, rates.loss), (Some(1_000_000.0), Some(0.1)));
        assert_eq!(rates.video_sent_bps, Some(0.0));
        assert_eq!(meter.update(&at(3, 251_000, 110, 2)).loss, Some(0.0));
        assert_eq!(meter.update(&at(3, 251_000, 110, 2)), MediaRates::default(), "no time, no packets");
    }
}
