//! Calls with other implementations of WebRTC. Each is brought along where it can be, or its step says why not.

mod table;

use crate::run::{Run, build_debug, program, root, target};
use crate::setup;
use crate::steps::{Outcome, Steps};
use anyhow::Result;
use std::path::PathBuf;

/// Python packages of the aiortc peer, at the versions that were tried.
const AIORTC: [&str; 2] = ["aiortc==1.16.0", "websockets==17.4"];

/// Debian's packages of the webrtcbin peer: the elements, Python's way to them, and WebSockets for it.
const WEBRTCBIN: [&str; 7] = [
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-ugly",
    "gstreamer1.0-nice",
    "gir1.2-gst-plugins-bad-1.0",
    "python3-gi",
    "python3-websockets",
];

/// Where the peers' programs write what they have tried, a line each: see [`table::Cell`].
const CELLS: &str = "CHAMADA_INTEROP_CELLS";

pub(crate) fn steps(steps: &mut Steps) {
    let _ = std::fs::create_dir_all(target().join("interop"));
    // What an earlier run left.
    let _ = std::fs::remove_file(cells());
    steps.step("calls with Chromium", || browser("interop/chromium.test.js"));
    steps.step("calls with Firefox", firefox);
    steps.step("calls with aiortc", aiortc);
    steps.step("calls with Pion", pion);
    steps.step("calls with GStreamer's webrtcbin", webrtcbin);
    steps.step("table of other implementations", table);
}

fn table() -> Result<Outcome> {
    if !cells().exists() {
        return Ok(Outcome::Skipped("none of them could be brought along".into()));
    }
    table::write(&cells(), &target()).map(|()| Outcome::Passed)
}

fn cells() -> PathBuf {
    target().join("interop/cells.jsonl")
}

/// Runs the program of a peer, which calls the command line that is in the target folder.
fn peer(run: Run) -> Result<Outcome> {
    build_debug().done()?;
    run.env(CELLS, &cells().to_string_lossy()).passes()
}

fn browser(stories: &str) -> Result<Outcome> {
    let folder = root().join("tests/browser");
    peer(program("npm").args(["run", "--silent", "interop", "--", stories]).dir(folder))
}

fn firefox() -> Result<Outcome> {
    let there = || program("firefox-esr").args(["--version"]).succeeds();
    if !there()
        && let Err(error) = setup::packages(&["firefox-esr"])
    {
        return Ok(Outcome::Skipped(format!("Firefox ESR cannot be installed: {error}")));
    }
    browser("interop/firefox.test.js")
}

fn aiortc() -> Result<Outcome> {
    let venv = target().join("interop/aiortc");
    let python = venv.join("bin/python");
    if !program(&python).args(["-c", "import aiortc, websockets"]).succeeds() {
        if let Err(error) = program("python3").args(["-m", "venv"]).args([&venv]).quietly() {
            return Ok(Outcome::Skipped(format!("no Python environment can be made: {error}")));
        }
        let install = program(&python).args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"]).args(AIORTC);
        if let Err(error) = install.quietly() {
            return Ok(Outcome::Skipped(format!("aiortc cannot be installed: {error}")));
        }
    }
    let script = root().join("tests/interop/aiortc_peer.py");
    peer(program(&python).args([script, target().join("debug/chamada")]))
}

fn pion() -> Result<Outcome> {
    let folder = root().join("tests/interop/pion");
    let built = target().join("interop/pion");
    if !program("go").args(["version"]).succeeds() {
        return Ok(Outcome::Skipped("Go is not installed".into()));
    }
    if let Err(error) = program("go").args(["mod", "download"]).dir(&folder).quietly() {
        return Ok(Outcome::Skipped(format!("Pion cannot be downloaded: {error}")));
    }
    program("go").args(["build", "-o"]).args([&built]).dir(folder).done()?;
    peer(program(built).args([target().join("debug/chamada")]))
}

fn webrtcbin() -> Result<Outcome> {
    // The Python that Debian's packages are for.
    let python = "/usr/bin/python3";
    let script = root().join("tests/interop/webrtcbin_peer.py");
    let there = || program(python).args([&script]).args(["--check"]).succeeds();
    if !there() {
        if let Err(error) = setup::packages(&WEBRTCBIN) {
            return Ok(Outcome::Skipped(format!("webrtcbin cannot be installed: {error}")));
        }
        if !there() {
            return Ok(Outcome::Skipped("webrtcbin is installed and does not load".into()));
        }
    }
    peer(program(python).args([script, target().join("debug/chamada")]))
}
