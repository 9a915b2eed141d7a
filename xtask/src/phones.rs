//! The core and the bindings, type-checked for phones: every line behind `cfg(target_os)` is compiled.
//!
//! Neither an NDK nor Xcode is needed: `check` links nothing, so the C code of dependencies is replaced by empty archives, which
//! stub tools in `target/phone-check` write. What links is made by `cargo xtask android` and `cargo xtask ios`.

use crate::run::{self, Run, cargo, program, say};
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// One with the demonstration of the sample apps and one without it, so that both faces of it are compiled.
const TARGETS: [(&str, &str); 2] = [("aarch64-linux-android", FEATURES_WITH_DEMO), ("aarch64-apple-ios", FEATURES)];

/// What a phone build has, as features of the library: the system's codecs, neither libvpx nor openh264.
pub(crate) const FEATURES: &str = "system-codecs";

/// The same with the demo of the sample apps, which brings the server along.
pub(crate) const FEATURES_WITH_DEMO: &str = "system-codecs,demo";

/// Tables of addresses that the loader fills in, packed: a fifth of a megabyte less. Android's loader knows them from 6.0 on, and
/// its linker is the one that knows the option: LLVM's, which is Rust's own on x86-64 Linux too.
pub(crate) const PACKED: &str = "-Clink-arg=-Wl,--pack-dyn-relocs=android";

/// One step for each target.
pub(crate) fn steps(steps: &mut Steps) {
    for (target, features) in TARGETS {
        steps.step(&format!("core and bindings for {target}, type-checked"), || check(target, features));
    }
}

fn check(target: &str, features: &str) -> Result<Outcome> {
    if cfg!(windows) {
        return Ok(Outcome::Skipped("the stub tools are shell scripts".into()));
    }
    if let Err(why) = have_target(target) {
        return Ok(Outcome::Skipped(format!("no standard library for {target}: {why}")));
    }
    // What runs on this machine while building (macros, build scripts) is that of all other builds and not made again. Real builds for
    // phones have a profile of their own, and so a folder of their own: they never find an empty archive of the stubs.
    let stubs = write_stubs(&run::target().join("phone-check/stubs"))?;
    let run = cargo(&["clippy", "--locked", "--target", target]);
    // Together, since apart they would give what they depend on other features, and build it twice.
    let run = run.args(["--package", "chamada", "--package", "chamada-ffi", "--no-default-features", "--features"]);
    let features: Vec<_> = features.split(',').map(|feature| format!("chamada-ffi/{feature}")).collect();
    let run = run.args([features.join(",")]);
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
    say(&format!("set-up: rustup installs the standard library for {target}"));
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
