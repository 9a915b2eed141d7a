//! Calls with other implementations of WebRTC. Each is brought along where it can be, or the step says why not.

use crate::run::{cargo, program, root, target};
use crate::steps::{Outcome, Steps};
use anyhow::Result;

/// Python packages of the aiortc peer, at the versions that were tried.
const AIORTC: [&str; 2] = ["aiortc==1.16.0", "websockets==17.4"];

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("calls with aiortc", aiortc);
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
    cargo(&["build", "--package", "chamada-cli"]).done()?;
    let script = root().join("tests/interop/aiortc_peer.py");
    program(&python).args([script, target().join("debug/chamada")]).passes()
}
