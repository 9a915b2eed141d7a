//! The Rust crates, by what rustdoc says of them.
//!
//! Its JSON is not stable: rustdoc writes it only when told that it may, and each format is read by one version of `public-api`. So the
//! listing is made by the Rust that CI uses, and by no other.

use super::{Mode, settle};
use crate::run::{cargo, program, target};
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// The Rust whose format is read here.
const RUST: &str = "1.95.";
/// The crates, and the names of their libraries.
const CRATES: [(&str, &str); 2] = [("chamada", "chamada"), ("chamada-server", "chamada_server")];
/// rustdoc alone is told so: with the variable in the environment of everything, build scripts would see a change and hundreds of
/// crates would be compiled anew.
const RUSTDOC: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";

pub(crate) fn rust(steps: &mut Steps, mode: Mode) {
    steps.step("public interface: Rust", || {
        let version = program("rustdoc").args(["--version"]).printed().unwrap_or_default();
        if cfg!(windows) || !version.contains(&format!(" {RUST}")) {
            return Ok(Outcome::Skipped(format!("it is read by Rust {RUST}x on Unix, and this is {}", version.trim())));
        }
        // All libraries, since other choices of packages give dependencies other features and build them anew.
        cargo(&["doc", "--workspace", "--lib", "--no-deps"])
            .env("RUSTDOC", &wrapper()?.to_string_lossy())
            .env("RUSTDOCFLAGS", "-Zunstable-options --output-format json")
            .done()?;
        for (name, library) in CRATES {
            settle(&format!("rust-{name}.txt"), &listing(library)?, mode)?;
        }
        Ok(Outcome::Passed)
    });
}

fn wrapper() -> Result<PathBuf> {
    let folder = target().join("api");
    fs::create_dir_all(&folder)?;
    let path = folder.join("rustdoc");
    if fs::read_to_string(&path).is_ok_and(|old| old == RUSTDOC) {
        return Ok(path);
    }
    fs::write(&path, RUSTDOC)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(path)
}

/// Each public item in a line; without what every type has, and what derives say.
fn listing(library: &str) -> Result<String> {
    let json = target().join("doc").join(library).with_extension("json");
    let read = public_api::Builder::from_rustdoc_json(&json)
        .sorted(true)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| json.display().to_string())?;
    Ok(read.items().map(|item| format!("{item}\n")).collect())
}
