//! Our own call: the command `chamada` at both ends, and what it prints as JSON.

use super::call::{CLOSE, Call, SET_UP};
use super::namespaces::Side;
use super::observed::{Observed, Sample};
use super::process::Processes;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Port of the signaling server in its namespace.
const PORT: u16 = 6503;

/// The command that was built together with this bench.
pub(crate) fn program() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("chamada");
    if !path.exists() {
        bail!("{} is not built: cargo build -p chamada-cli, in the same profile", path.display());
    }
    Ok(path)
}

/// Makes one call and says how it was.
pub(crate) fn call(call: &Call<'_>) -> Result<Observed> {
    let program = program()?;
    let mut ends = Processes::new(call.stop);
    let mut serve = call.namespaces.command(Side::Server, &program);
    serve.args(["serve", "--listen", &format!("0.0.0.0:{PORT}")]);
    ends.start(Side::Server, &mut serve, &call.errors("server"))?;
    let ready = Instant::now() + SET_UP;
    ends.wait_for("Signaling on", ready).context("the server")?;
    ends.start(Side::Callee, &mut end(call, &program, Side::Callee), &call.errors("callee"))?;
    ends.wait_for("logged-in", ready).context("the callee")?;
    ends.start(Side::Caller, &mut end(call, &program, Side::Caller), &call.errors("caller"))?;

    let mut story = Story::default();
    let mut deadline = ready;
    while !story.is_over() {
        let said = match ends.next(deadline) {
            Ok(said) => said,
            // An end that hangs: what the other one told counts.
            Err(error) if story.connected.is_none() => return Err(error.context("for the call to connect")),
            Err(error) => {
                log::warn!("{}: {error}", call.label);
                break;
            }
        };
        let was_connected = story.connected.is_some();
        story.hear(said.by, said.at, said.line.as_deref());
        if !was_connected && story.connected.is_some() {
            call.relay.begin();
            deadline = said.at + Duration::from_secs(call.seconds.into()) + CLOSE;
        }
    }
    if call.stop.load(std::sync::atomic::Ordering::Relaxed) {
        bail!("stopped");
    }
    story.told(call)
}

fn end(call: &Call<'_>, program: &Path, side: Side) -> std::process::Command {
    let mut command = call.namespaces.command(side, program);
    let seconds = call.seconds.to_string();
    match side {
        Side::Caller => command.args(["call", "b", "--name", "a", "--seconds", &seconds, "--video"]).arg(&call.video),
        Side::Callee | Side::Server => command.args(["answer", "--name", "b", "--video", "none"]),
    };
    command.args(["--server", &format!("ws://{}:{PORT}", side.server_address()), "--allow-insecure", "--json"]);
    command.args(["--codec", call.codec.name(), "--audio"]).arg(&call.audio);
    command
}

/// What both ends have said so far.
#[derive(Default)]
struct Story {
    connected: Option<Instant>,
    ended: Option<Instant>,
    closed: [bool; 2],
    observed: Observed,
    summaries: [Value; 2],
}

impl Story {
    fn is_over(&self) -> bool {
        self.closed == [true, true]
    }

    fn hear(&mut self, by: Side, at: Instant, line: Option<&str>) {
        let end = match by {
            Side::Caller => 0,
            Side::Callee => 1,
            Side::Server => return,
        };
        let Some(line) = line else {
            self.closed[end] = true;
            return;
        };
        let Ok(event) = serde_json::from_str::<Value>(line) else { return };
        match event["event"].as_str() {
            Some("state") if end == 0 && event["state"] == "connected" => {
                self.connected.get_or_insert(at);
            }
            Some("ended") => {
                self.ended.get_or_insert(at);
            }
            Some("summary") => self.summaries[end] = event,
            Some("stats") if self.ended.is_none() => {
                let Some(connected) = self.connected else { return };
                let at = at.saturating_duration_since(connected).as_secs_f64();
                if end == 0 {
                    self.observed.targets.extend(target_kbps(&event).map(|kbps| (at, kbps)));
                } else {
                    self.observed.samples.push(sample(at, &event));
                }
                if says_sound_alone(&event) {
                    self.observed.sound_alone.push(at);
                }
            }
            Some(_) if says_sound_alone(&event) => {
                let at = self.connected.map(|connected| at.saturating_duration_since(connected).as_secs_f64());
                self.observed.sound_alone.extend(at);
            }
            _ => {}
        }
    }

    fn told(self, call: &Call<'_>) -> Result<Observed> {
        let connected = self.connected.with_context(|| {
            format!("the call was never connected; the ends said {:#} and {:#}", self.summaries[0], self.summaries[1])
        })?;
        let [caller, callee] = self.summaries;
        let mut observed = self.observed;
        let asked = f64::from(call.seconds);
        let lasted = self.ended.map_or(asked, |ended| ended.saturating_duration_since(connected).as_secs_f64());
        observed.lasted_s = lasted.min(asked);
        let video = &callee["video_received"];
        observed.freezes = video["freezes"].as_u64().unwrap_or(0);
        observed.frozen_s = video["freeze_ms"].as_f64().unwrap_or(0.0) / 1e3;
        observed.concealed = callee["audio_received"]["concealed_ratio"].as_f64();
        observed.av_offset_p95_ms = video["av_offset_ms_p95"].as_f64();
        let never = observed.samples.last().is_none_or(|last| last.frames == 0);
        if never {
            observed.frozen_s = observed.lasted_s;
        } else if observed.samples.last().is_some_and(|last| last.frozen_s.is_none()) {
            // A build whose freezes are counted when they end.
            observed.frozen_s += observed.still_at_end();
        }
        observed.raw = json!({ "caller": caller, "callee": callee });
        Ok(observed)
    }
}

fn sample(at: f64, stats: &Value) -> Sample {
    let received = &stats["received"];
    Sample {
        at,
        frames: received["frames"].as_u64().unwrap_or(0),
        width: received["width"].as_u64().unwrap_or(0) as u32,
        frozen_s: received["freeze_ms"].as_f64().map(|ms| ms / 1e3),
        concealed_s: stats["audio"]["concealed_ratio"].as_f64().map(|share| share * at),
        jitter_buffer_ms: received["jitter_buffer_ms"].as_f64(),
        av_offset_ms: received["av_offset_ms"].as_f64(),
    }
}

fn target_kbps(stats: &Value) -> Option<f64> {
    stats["sent"]["target_kbps"].as_f64().or_else(|| Some(stats["estimate_bps"].as_f64()? / 1e3))
}

/// Whether an event says that video is suspended for want of bandwidth.
fn says_sound_alone(event: &Value) -> bool {
    [&event["video_suspended"], &event["sent"]["suspended"], &event["audio_only"]].contains(&&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_samples_counted_from_the_connection_on() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut story = Story::default();
        story.hear(Side::Callee, at(0), Some(r#"{"event":"stats","received":{"frames":1}}"#));
        story.hear(Side::Caller, at(1), Some(r#"{"event":"state","state":"connected"}"#));
        story.hear(Side::Callee, at(3), Some(r#"{"event":"stats","received":{"frames":40,"width":640}}"#));
        story.hear(Side::Caller, at(3), Some(r#"{"event":"stats","estimate_bps":500000}"#));
        story.hear(Side::Caller, at(4), Some("not JSON"));
        story.hear(Side::Caller, at(5), None);
        assert!(!story.is_over());
        story.hear(Side::Callee, at(5), None);
        assert!(story.is_over());
        assert_eq!(story.observed.samples, [Sample { at: 2.0, frames: 40, width: 640, ..Sample::default() }]);
        assert_eq!(story.observed.targets, [(2.0, 500.0)]);
    }
}
