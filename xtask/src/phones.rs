//! The core, and the bindings once they are there, type-checked for phones: every line behind `cfg(target_os)` is compiled.
//!
//! Neither an NDK nor Xcode is needed: `check` links nothing, so the C code of dependencies is replaced by empty archives, which
//! stub tools in `target/phone-check` write. What links is made by `cargo xtask android` and `cargo xtask ios`.

use crate::run::{Run, cargo, program, root};
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

const TARGETS: [&str; 2] = ["aarch64-linux-android", "aarch64-apple-ios"];

/// Apart from real builds, which must never find an empty archive of the stubs.
const TARGET_DIR: &str = "target/phone-check";

/// What a phone build has, as features of the library: the system's codecs, neither libvpx nor openh264.
pub(crate) const FEATURES: &str = "chamada/system-codecs";

/// The same with the demonstration of the sample apps, which brings the server along.
pub(crate) const FEATURES_WITH_DEMO: &str = "chamada/system-codecs,demo";

/// What is checked: package, its folder, its features.
const PACKAGES: [(&str, &str, &str); 2] =
    [("chamada", "core", "system-codecs"), ("chamada-ffi", "bindings", FEATURES_WITH_DEMO)];

/// One step for each target and package that there is.
pub(crate) fn steps(steps: &mut Steps) {
    for target in TARGETS {
        for (package, folder, features) in PACKAGES {
            if root().join(folder).join("Cargo.toml").exists() {
                steps.step(&format!("{package} for {target}, type-checked"), || check(target, package, features));
            }
        }
    }
}

fn check(target: &str, package: &str, features: &str) -> Result<Outcome> {
    if cfg!(windows) {
        return Ok(Outcome::Skipped("the stub tools are shell scripts".into()));
    }
    if let Err(why) = have_target(target) {
        return Ok(Outcome::Skipped(format!("no standard library for {target}: {why}")));
    }
    let stubs = write_stubs(&root().join(TARGET_DIR).join("stubs"))?;
    let run = cargo(&["clippy", "--locked", "--target", target, "--target-dir", TARGET_DIR]);
    let run = run.args(["--package", package, "--no-default-features"]);
    let run = run.args(["--features", features]);
    with_stubs(run, target, &stubs)?.args(["--", "--deny", "warnings"]).passes()
}

/// Whether the target's standard library is there, after an attempt to install it.
pub(crate) fn have_target(target: &str) -> Result<(), &'static str> {
    let installed = || {
        let printed = program("rustc").args(["--print", "target-libdir", "--target", target]).printed();
        printed.is_ok_and(|folder| Path::new(folder.trim()).exists())
    };
    if installed() {
        return Ok(());
    }
    if !program("rustup").args(["--version"]).succeeds() {
        return Err("rustup is not here to install it");
    }
    println!("set-up: rustup installs the standard library for {target}");
    if program("rustup").args(["target", "add", target]).done().is_err() || !installed() {
        return Err("rustup could not install it");
    }
    Ok(())
}

/// Writes an empty file wherever it is told to put its output.
const COMPILER: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -o) : > "$2"; shift ;;
    --version) echo "clang version 18.0.0 (stub)" ;;
  esac
  shift
done
"#;

/// `ar FLAGS ARCHIVE OBJECTS…`
const ARCHIVER: &str = r#"#!/bin/sh
[ $# -lt 2 ] || : > "$2"
"#;

const CMAKE: &str = "#!/bin/sh\nexit 0\n";

const XCRUN: &str = r#"#!/bin/sh
for word in "$@"; do
  case "$word" in
    --show-sdk-path) echo "$(dirname "$0")" ;;
    --show-sdk-version) echo 17.0 ;;
    --find|-find|-f) echo "$(dirname "$0")/cc" ;;
  esac
done
"#;

fn write_stubs(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in [("cc", COMPILER), ("ar", ARCHIVER), ("cmake", CMAKE), ("xcrun", XCRUN)] {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(folder.to_path_buf())
}

/// The stubs stand in for this target's tools alone: build scripts and macros are made for this machine with its own.
fn with_stubs(run: Run, target: &str, stubs: &Path) -> Result<Run> {
    let tool = |name: &str| stubs.join(name).to_string_lossy().into_owned();
    let suffix = target.replace('-', "_");
    let mut run = run;
    for (variable, name) in [("CC", "cc"), ("CXX", "cc"), ("AR", "ar"), ("RANLIB", "ar"), ("CMAKE", "cmake")] {
        run = run.env(&format!("{variable}_{suffix}"), &tool(name));
    }
    if target.contains("apple") {
        run = run.env("SDKROOT", &stubs.to_string_lossy());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // `xcrun` is looked for in PATH; behind it, so that a real one and the machine's own compiler come first.
    let path = std::env::join_paths(std::env::split_paths(&path).chain([stubs.to_path_buf()]))?;
    Ok(run.env("PATH", &path.to_string_lossy()))
}
