//! The call to compare with: two Chromium, driven by `tests/browser/network/pair.js`.

use super::call::{CLOSE, Call, SET_UP};
use super::namespaces::Side;
use super::observed::{Observed, Sample};
use super::process::Processes;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where Chromium may be.
const PROGRAMS: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|path| Path::new(path).exists())
}

/// What this machine lacks for a call of Chromium's.
pub(crate) fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if program().is_none() {
        missing.push(format!("no Chromium at {}", PROGRAMS.join(" or ")));
    }
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        missing.push("Node.js is not installed".into());
    }
    if !folder().join("node_modules/playwright-core").exists() {
        missing.push("tests/browser/node_modules lacks playwright-core (cargo xtask setup --tests)".into());
    }
    missing
}

/// Makes one call and says how it was.
pub(crate) fn call(call: &Call<'_>) -> Result<Observed> {
    let mut pair = Command::new("node");
    pair.current_dir(folder()).arg("network/pair.js");
    for side in [Side::Caller, Side::Callee] {
        pair.arg(wrapper(call, side)?);
    }
    pair.args([call.seconds.to_string().as_str(), call.codec.media_subtype()]).arg(&call.video).arg(&call.audio);
    let mut processes = Processes::new(call.stop);
    processes.start((), &mut pair, &call.errors("chromium"))?;
    let mut observed = Observed::default();
    let mut deadline = Instant::now() + SET_UP;
    let mut connected = None;
    while let Some(line) = processes.next(deadline).context("for Chromium")?.line {
        let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
        match event["event"].as_str() {
            Some("connected") => {
                call.relay.begin();
                connected = Some(Instant::now());
                deadline = Instant::now() + Duration::from_secs(call.seconds.into()) + CLOSE;
            }
            Some("stats") => hear(&mut observed, &event),
            Some("end") => {
                observed.lasted_s = event["t"].as_f64().unwrap_or(0.0).min(call.seconds.into());
                let still = event["still_ms"].as_f64().unwrap_or(0.0) / 1e3;
                // A freeze that has not ended is in no statistics.
                observed.frozen_s += if still > 1.0 { still } else { 0.0 };
                observed.raw = event;
            }
            _ => {}
        }
    }
    if connected.is_none() || observed.samples.is_empty() {
        bail!("Chromium's call did not come about; see {}", call.errors("chromium").display());
    }
    if observed.samples.last().is_some_and(|last| last.frames == 0) {
        observed.frozen_s = observed.lasted_s;
    }
    Ok(observed)
}

fn hear(observed: &mut Observed, event: &Value) {
    let at = event["t"].as_f64().unwrap_or(0.0);
    let number = |name: &str| event[name].as_f64();
    let made_up = number("concealed").map(|all| (all - number("silent_concealed").unwrap_or(0.0)).max(0.0));
    observed.concealed = made_up.zip(number("samples")).map(|(made_up, all)| made_up / all.max(1.0));
    observed.frozen_s = number("freeze_s").unwrap_or(observed.frozen_s);
    observed.freezes = event["freezes"].as_u64().unwrap_or(observed.freezes);
    observed.targets.extend(number("target").map(|bps| (at, bps / 1e3)));
    observed.samples.push(Sample {
        at,
        frames: event["frames"].as_u64().unwrap_or(0),
        width: event["width"].as_u64().unwrap_or(0) as u32,
        frozen_s: number("freeze_s"),
        // Opus is decoded at 48 kHz.
        concealed_s: made_up.map(|samples| samples / 48_000.0),
        jitter_buffer_ms: number("jitter_buffer_ms"),
        // Chromium tells none.
        av_offset_ms: None,
    });
}

/// A script that runs Chromium in a namespace: what drives it takes one file.
fn wrapper(call: &Call<'_>, side: Side) -> Result<PathBuf> {
    let name = call.namespaces.name(side);
    let path = call.folder.join(format!("{name}.sh"));
    let program = program().context("no Chromium")?;
    std::fs::write(&path, format!("#!/bin/sh\nexec ip netns exec {name} {program} \"$@\"\n"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn silence_that_is_made_up_is_no_concealment() {
        let mut observed = Observed::default();
        let stats = json!({
            "event": "stats", "t": 10.0, "frames": 290, "freeze_s": 1.5, "concealed": 5000, "silent_concealed": 200,
            "samples": 480_000, "target": 900_000,
        });
        hear(&mut observed, &stats);
        assert_eq!(observed.concealed, Some(0.01));
        assert_eq!((observed.samples[0].concealed_s, observed.frozen_s), (Some(0.1), 1.5));
        assert_eq!(observed.targets, [(10.0, 900.0)]);
    }
}
