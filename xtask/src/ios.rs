//! `cargo xtask ios`: the XCFramework. Needs a Mac with Xcode; not run yet.

use crate::bindings;
use crate::phones::{FEATURES, FEATURES_WITH_DEMO, have_target};
use crate::run::{cargo, program, root, target};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Slices of the framework, and the targets that each is made of.
const SLICES: [(&str, &[&str]); 3] = [
    ("device", &["aarch64-apple-ios"]),
    ("simulator", &["aarch64-apple-ios-sim", "x86_64-apple-ios"]),
    ("macos", &["aarch64-apple-darwin", "x86_64-apple-darwin"]),
];
const LIBRARY: &str = "libchamada_ffi.a";

/// With `demo`, the sample app can be tried without a server, and the library is larger by one.
pub(crate) fn run(demo: bool) -> Result<()> {
    let missing = missing();
    if !missing.is_empty() {
        bail!("the XCFramework needs:\n  - {}", missing.join("\n  - "));
    }
    let folder = target().join("ios");
    let headers = headers(&folder.join("headers"))?;
    let framework = folder.join("ChamadaFFI.xcframework");
    if framework.exists() {
        std::fs::remove_dir_all(&framework)?;
    }
    let mut create = program("xcodebuild").args(["-create-xcframework"]);
    for (slice, targets) in SLICES {
        for triple in targets {
            cargo(&["build", "--locked", "--profile", "phone", "--package", "chamada-ffi", "--no-default-features"])
                .args(["--features", if demo { FEATURES_WITH_DEMO } else { FEATURES }, "--target", triple])
                // As the Swift package says.
                .env("IPHONEOS_DEPLOYMENT_TARGET", "16.0")
                .env("MACOSX_DEPLOYMENT_TARGET", "13.0")
                .done()?;
        }
        let joined = folder.join(slice);
        std::fs::create_dir_all(&joined)?;
        let joined = joined.join(LIBRARY);
        let parts = targets.iter().map(|triple| target().join(triple).join("phone").join(LIBRARY));
        program("lipo").args(["-create", "-output"]).args([&joined]).args(parts).done()?;
        create = create.args(["-library"]).args([&joined]).args(["-headers"]).args([&headers]);
    }
    create.args(["-output"]).args([&framework]).done()?;
    // Where the Swift package looks for it.
    let beside = root().join("bindings/swift/ChamadaFFI.xcframework");
    if beside.exists() {
        std::fs::remove_dir_all(&beside)?;
    }
    program("cp").args(["-R"]).args([&framework, &beside]).done()?;
    println!("ios: the framework is {}, and a copy of it is in the Swift package", framework.display());
    Ok(())
}

/// Everything that the framework needs and this machine does not have.
pub(crate) fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if !cfg!(target_os = "macos") {
        missing.push(format!("a Mac: this is {}", std::env::consts::OS));
    }
    if !program("xcodebuild").args(["-version"]).succeeds() {
        missing.push("Xcode, from the App Store, and its command line: xcode-select --install".to_owned());
    }
    // Elsewhere nothing could be done with them.
    let targets = SLICES.iter().flat_map(|(_, targets)| *targets).filter(|_| missing.is_empty());
    let targets: Vec<_> = targets.filter_map(|target| Some((target, have_target(target).err()?))).collect();
    missing.extend(targets.iter().map(|(target, why)| format!("Rust's standard library for {target}: {why}")));
    missing
}

/// The generated header, and its module map under the name that compilers look for: in a folder of the module's own, since Xcode puts those
/// of all frameworks together.
fn headers(folder: &Path) -> Result<PathBuf> {
    bindings::build()?;
    bindings::generate("swift")?;
    let generated = target().join("generated/swift");
    let module = folder.join("ChamadaFFI");
    std::fs::create_dir_all(&module)?;
    for (from, to) in [("ChamadaFFI.h", "ChamadaFFI.h"), ("ChamadaFFI.modulemap", "module.modulemap")] {
        std::fs::copy(generated.join(from), module.join(to)).with_context(|| format!("{from} was not generated"))?;
    }
    Ok(folder.to_path_buf())
}

#[cfg(test)]
mod tests {
    use crate::run::root;

    #[test]
    fn the_swift_package_links_every_framework_that_the_library_calls() {
        let manifest = std::fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
        let package = std::fs::read_to_string(root().join("bindings/swift/Package.swift")).unwrap();
        let names =
            manifest.lines().filter_map(|line| line.strip_prefix("objc2-")?.split_once(" = ")).map(|(name, _)| name);
        let frameworks: Vec<String> =
            names.map(|name| name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()).collect();
        assert!(frameworks.contains(&"VideoToolbox".to_owned()), "{frameworks:?}");
        for framework in frameworks {
            assert!(package.contains(&format!("\"{framework}\"")), "{framework} is not linked");
        }
    }
}
