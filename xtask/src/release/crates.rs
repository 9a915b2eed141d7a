//! The crates, as `cargo publish` would upload them.

use super::{VERSION, copied};
use crate::run::{cargo, target};
use crate::steps::Outcome;
use anyhow::Result;
use std::path::Path;

/// Each after those that it stands on.
const CRATES: [&str; 3] = ["chamada", "chamada-server", "chamada-cli"];

/// With `verify` each is built from what was packed, which compiles all that it stands on.
pub(super) fn pack(out: &Path, verify: bool, allow_dirty: bool) -> Result<Outcome> {
    let mut run = cargo(&["package", "--locked"]);
    if !verify {
        run = run.args(["--no-verify"]);
    }
    if allow_dirty {
        run = run.args(["--allow-dirty"]);
    }
    for name in CRATES {
        run = run.args(["--package", name]);
    }
    run.done()?;
    for name in CRATES {
        let file = format!("{name}-{VERSION}.crate");
        copied(&target().join("package").join(&file), &out.join("crates").join(&file))?;
    }
    Ok(Outcome::Passed)
}
