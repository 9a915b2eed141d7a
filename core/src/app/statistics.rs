//! What is measured in a call, as lines of text.

use super::text::TextKey;
use crate::client::CallStats;
use crate::media::video::codec::VideoCodec;

/// One line: a label, and numbers that read the same in every language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsLine {
    /// What it is about.
    pub label: TextKey,
    /// How much.
    pub value: String,
}

/// What is known; the rest is left out.
pub(super) fn lines(stats: &CallStats) -> Vec<StatisticsLine> {
    let (sent, received) = (stats.video_sent.as_ref(), stats.video_received.as_ref());
    let picture = |codec, width, height, fps, bps| Some(picture(codec, width, height, fps, bps));
    let rates = &stats.rates;
    [
        (
            TextKey::StatsReceived,
            received.and_then(|v| picture(v.codec, v.width, v.height, v.fps, rates.video_received_bps)),
        ),
        (TextKey::StatsSent, sent.and_then(|v| picture(v.codec, v.width, v.height, v.fps, rates.video_sent_bps))),
        (
            TextKey::StatsConcealed,
            stats.audio_received.as_ref().map(|audio| format!("{:.1} %", 100.0 * audio.concealed_ratio())),
        ),
        (TextKey::StatsRtt, stats.peer.rtt.map(|rtt| format!("{} ms", rtt.as_millis()))),
        (TextKey::StatsPacketsLost, received.map(|_| lost(stats).to_string())),
        (
            TextKey::StatsPath,
            stats.peer.pair.as_ref().map(|pair| path(&pair.local, &pair.remote, pair.relay_protocol.as_deref())),
        ),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some(StatisticsLine { label, value: value? }))
    .collect()
}

fn lost(stats: &CallStats) -> u64 {
    stats.peer.video_received.lost.saturating_add(stats.peer.audio_received.lost)
}

fn picture(codec: Option<VideoCodec>, width: u32, height: u32, fps: f64, bps: Option<f64>) -> String {
    let name = codec.map(|codec| format!("{codec} ")).unwrap_or_default();
    let rate = bps.filter(|bps| bps.is_finite()).map(|bps| format!(", {:.0} kbit/s", bps / 1000.0)).unwrap_or_default();
    let fps = if fps.is_finite() { fps } else { 0.0 };
    format!("{name}{width} × {height}, {fps:.0} fps{rate}")
}

fn path(local: &str, remote: &str, relay: Option<&str>) -> String {
    let relay = relay.map(|relay| format!(" ({relay})")).unwrap_or_default();
    format!("{local}{relay} – {remote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_said_by_size_rate_and_codec_and_what_is_unknown_is_left_out() {
        let said = picture(Some(VideoCodec::Vp8), 1280, 720, 29.97, Some(1_234_567.0));
        assert!(said.ends_with("1280 × 720, 30 fps, 1235 kbit/s"), "{said}");
        assert_eq!(picture(None, 640, 480, f64::NAN, Some(f64::INFINITY)), "640 × 480, 0 fps");
        assert_eq!(path("host", "srflx", None), "host – srflx");
        assert_eq!(path("relay", "host", Some("tls")), "relay (tls) – host");
    }
}
