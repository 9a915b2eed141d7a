//! The demo's live table.

use crate::view::Seen;
use chamada::call::CallState;
use chamada::client::CallStats;
use std::io::{IsTerminal, Write};
use std::time::Instant;

/// One peer's line.
pub(crate) struct Row {
    name: String,
    state: CallState,
    fps: f64,
    size: (u32, u32),
    kbps: f64,
    rtt_ms: Option<f64>,
    delay_ms: Option<f64>,
    before: Option<(Instant, u64)>,
}

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: CallState::Idle,
            fps: 0.0,
            size: (0, 0),
            kbps: 0.0,
            rtt_ms: None,
            delay_ms: None,
            before: None,
        }
    }

    pub(crate) fn state(&mut self, state: CallState) {
        self.state = state;
    }

    pub(crate) fn stats(&mut self, stats: &CallStats, seen: &Seen) {
        let now = Instant::now();
        let bytes = stats.peer.video_received.bytes + stats.peer.audio_received.bytes;
        if let Some((at, before)) = self.before {
            let seconds = now.duration_since(at).as_secs_f64();
            if seconds > 0.1 {
                self.kbps = bytes.saturating_sub(before) as f64 * 8.0 / 1e3 / seconds;
            }
        }
        self.before = Some((now, bytes));
        self.fps = stats.video_received.as_ref().map_or(0.0, |received| received.fps);
        self.size = (seen.width, seen.height);
        self.rtt_ms = stats.peer.rtt.map(|rtt| rtt.as_secs_f64() * 1e3);
        self.delay_ms = seen.delay.and_then(|delay| delay.delay_ms_p50);
    }

    fn line(&self) -> String {
        let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
        format!(
            "{:<12} {:<12} {:>5.1} fps {:>9} {:>7.0} kbit/s {:>9} {:>9}",
            self.name,
            self.state.as_str(),
            self.fps,
            format!("{}x{}", self.size.0, self.size.1),
            self.kbps,
            ms(self.rtt_ms),
            ms(self.delay_ms)
        )
    }
}

/// Draws rows in place on a terminal, and one block after the other elsewhere.
pub(crate) struct Table {
    shown: bool,
    in_place: bool,
    drawn: usize,
}

impl Table {
    pub(crate) fn new(shown: bool) -> Self {
        Self { shown, in_place: std::io::stdout().is_terminal(), drawn: 0 }
    }

    pub(crate) fn draw(&mut self, rows: &[&Row]) {
        if !self.shown {
            return;
        }
        let mut text = String::new();
        if self.drawn == 0 {
            text.push_str(&format!(
                "{:<12} {:<12} {:>9} {:>9} {:>14} {:>9} {:>9}\n",
                "peer", "state", "pictures", "size", "received", "RTT", "delay"
            ));
        } else if self.in_place {
            // Back up over the rows drawn before, and write over them.
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        for row in rows {
            if self.in_place {
                text.push_str("\x1b[2K");
            }
            text.push_str(&row.line());
            text.push('\n');
        }
        self.drawn = rows.len();
        let mut out = std::io::stdout().lock();
        // A reader that is gone must not end the call.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
