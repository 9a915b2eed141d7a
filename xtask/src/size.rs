//! `cargo xtask size`: what the library adds to an app, by what it is built with.

use crate::phones::{FEATURES, FEATURES_WITH_DEMO, PACKED};
use crate::run::{cargo, program, target};
use anyhow::{Context, Result};
use std::path::Path;

/// What is built in, with which features of `chamada-ffi`, and how many MiB it may have.
const SETS: [(&str, &str, f64); 3] = [
    ("all software codecs", "vp8,h264,system-codecs", 8.0),
    ("the system's codecs only", FEATURES, 5.0),
    ("the same and the demo", FEATURES_WITH_DEMO, 6.0),
];

/// The library for this machine, stripped as an app store does. A phone's is as large to within its instructions. On x86-64 Linux it
/// is also linked as Android's is: this machine could not load it, and need not.
pub(crate) fn run() -> Result<()> {
    let mut rows = Vec::new();
    for (name, features, aim) in SETS {
        let build = cargo(&["rustc", "--locked", "--profile", "phone", "--package", "chamada-ffi", "--lib"]).args([
            "--no-default-features",
            "--features",
            features,
            "--crate-type",
            "cdylib",
        ]);
        let packed: &[&str] =
            if cfg!(all(target_os = "linux", target_arch = "x86_64")) { &["--", PACKED] } else { &[] };
        build.args(packed).done()?;
        rows.push((name, stripped_mib(&target().join("phone"))?, aim));
    }
    println!("\n{:<28} {:>9} {:>9}", "built with", "MiB", "aim");
    for (name, mib, aim) in &rows {
        println!("{name:<28} {mib:>9.2} {aim:>9.1}{}", if mib > aim { "  MISSED" } else { "" });
    }
    Ok(())
}

fn stripped_mib(folder: &Path) -> Result<f64> {
    let (name, options): (_, &[&str]) = if cfg!(target_os = "macos") {
        ("libchamada_ffi.dylib", &["-x"])
    } else {
        ("libchamada_ffi.so", &["--strip-unneeded"])
    };
    let stripped = folder.join(name).with_extension("stripped");
    program("strip").args(options).args(["-o"]).args([&stripped, &folder.join(name)]).done()?;
    let bytes = std::fs::metadata(&stripped).context("strip wrote nothing")?.len();
    Ok(bytes as f64 / f64::from(1 << 20))
}
