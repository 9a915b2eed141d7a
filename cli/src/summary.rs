//! The last line of a call: what happened, in numbers.

use crate::exit::Failure;
use crate::output::Output;
use crate::resources;
use crate::view::Seen;
use chamada::call::EndReason;
use chamada::client::CallStats;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Collects what the summary needs while the call goes on.
pub(crate) struct Summary {
    cpu_at_start: Option<f64>,
    asked: Option<Instant>,
    connected: Option<Instant>,
    ended: Option<Instant>,
    reason: Option<EndReason>,
    stats: Option<Box<CallStats>>,
}

impl Summary {
    pub(crate) fn new() -> Self {
        Self {
            cpu_at_start: resources::cpu_seconds(),
            asked: None,
            connected: None,
            ended: None,
            reason: None,
            stats: None,
        }
    }

    /// The call was placed or accepted.
    pub(crate) fn asked(&mut self) {
        self.asked = Some(Instant::now());
    }

    pub(crate) fn connected(&mut self) {
        self.connected.get_or_insert_with(Instant::now);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.is_some()
    }

    pub(crate) fn stats(&mut self, stats: &CallStats) {
        self.stats = Some(Box::new(stats.clone()));
    }

    pub(crate) fn ended(&mut self, reason: EndReason) {
        self.ended = Some(Instant::now());
        self.reason = Some(reason);
    }

    pub(crate) fn setup(&self) -> Option<Duration> {
        Some(self.connected?.duration_since(self.asked?))
    }

    /// The last line of a call: for people only where there was one.
    pub(crate) fn print(&self, output: Output, seen: &Seen, failure: Option<&Failure>) {
        let mut numbers = self.to_json(seen);
        if let Some(failure) = failure {
            numbers["error"] = failure.to_string().into();
        }
        let text = self.is_connected().then(|| format!("{numbers:#}"));
        output.event("summary", numbers, text);
    }

    /// The JSON summary: see the README for its fields.
    pub(crate) fn to_json(&self, seen: &Seen) -> Value {
        let ms = |duration: Duration| round(duration.as_secs_f64() * 1e3);
        let first_frame = self.asked.zip(seen.first).map(|(asked, first)| ms(first.saturating_duration_since(asked)));
        let talked = self.connected.map(|at| self.ended.unwrap_or_else(Instant::now).duration_since(at).as_secs_f64());
        let stats = self.stats.as_deref();
        let mut summary = json!({
            "ended": self.reason.map(EndReason::as_str),
            "setup_ms": self.setup().map(ms),
            "first_frame_ms": first_frame,
            "video_sent": stats.and_then(|stats| stats.video_sent.as_ref()).map(|sent| json!({
                "codec": sent.codec.map(|codec| codec.to_string()),
                "frames": sent.sent,
                "width": sent.width,
                "height": sent.height,
                "kbps": talked.filter(|t| *t > 0.0).map(|t| round(sent.bytes as f64 * 8.0 / t / 1e3)),
            })),
            "audio_received": stats.and_then(|stats| stats.audio_received.as_ref()).map(|audio| json!({
                "packets": audio.packets,
                "energy": audio.energy,
                "concealed_ratio": audio.concealed_ratio(),
                "delay_ms": round(audio.jitter_buffer_mean_ms),
            })),
            "rtt_ms": stats.and_then(|stats| stats.peer.rtt).map(ms),
            "candidate_pair": stats.and_then(|stats| stats.peer.pair.as_ref()).map(|pair| json!({
                "local": pair.local, "remote": pair.remote, "protocol": pair.protocol, "relay_protocol": pair.relay_protocol,
            })),
            "cpu_s": resources::cpu_seconds().zip(self.cpu_at_start).map(|(now, start)| round(now - start)),
            "peak_rss_mib": resources::peak_rss_mib(),
        });
        summary["video_received"] = self.video_received(seen);
        summary
    }

    fn video_received(&self, seen: &Seen) -> Value {
        let Some((stats, received)) = self.stats.as_deref().and_then(|s| Some((s, s.video_received.as_ref()?))) else {
            return Value::Null;
        };
        let mut video = json!({
            "codec": received.codec.map(|codec| codec.to_string()),
            "frames_decoded": received.frames_decoded,
            "width": seen.width,
            "height": seen.height,
            "fps": round(seen.fps),
            "freezes": received.freezes,
            "freeze_ms": round(received.freeze_duration.as_secs_f64() * 1e3),
            "av_offset_ms_p95": stats.av_offset_ms_p95.map(round),
        });
        if let Some(delay) = seen.delay {
            video["delay_ms_p50"] = delay.delay_ms_p50.map(round).into();
            video["delay_ms_p95"] = delay.delay_ms_p95.map(round).into();
            video["frames_lost"] = delay.frames_lost.into();
        }
        video
    }
}

/// To a tenth: more would be noise.
pub(crate) fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
