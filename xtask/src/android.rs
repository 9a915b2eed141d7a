//! `cargo xtask android`: the library for Android, and the AAR around it. Needs an NDK; not run yet.

use crate::elf;
use crate::phones::{FEATURES, FEATURES_WITH_DEMO, PACKED, have_target};
use crate::run::{cargo, program, root};
use crate::size;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The oldest system that runs it: Android 8.0.
const API_LEVEL: &str = "26";
/// Devices of 16 KB pages load nothing that is aligned to less; Google's shop takes nothing else.
const PAGE: u64 = 16 * 1024;
const CARGO_NDK: &str = "4.1.2";
/// Android's names of the architectures, and Rust's.
const ABIS: [(&str, &str); 3] = [
    ("arm64-v8a", "aarch64-linux-android"),
    ("armeabi-v7a", "armv7-linux-androideabi"),
    ("x86_64", "x86_64-linux-android"),
];

/// With `demo`, the sample app can be tried without a server, and the library is larger by one.
pub(crate) fn run(demo: bool) -> Result<()> {
    let libraries = root().join("android/chamada/src/main/jniLibs");
    let missing = missing();
    if !missing.is_empty() {
        bail!("the Android library needs:\n  - {}", missing.join("\n  - "));
    }
    let mut build = cargo(&["ndk", "--platform", API_LEVEL, "--output-dir"]).args([&libraries]);
    for (abi, target) in ABIS {
        build = build.args(["--target", abi]);
        // By target and not for all, so that build scripts and macros are linked as ever.
        let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", target.replace('-', "_").to_uppercase());
        build = build.env(&variable, &format!("-C link-arg=-Wl,-z,max-page-size={PAGE} {PACKED}"));
    }
    build
        .args(["build", "--locked", "--profile", "phone", "--package", "chamada-ffi", "--no-default-features"])
        .args(["--features", if demo { FEATURES_WITH_DEMO } else { FEATURES }])
        .done()?;
    let strip = strip()?;
    for (abi, _) in ABIS {
        let library = libraries.join(abi).join("libchamada_ffi.so");
        check_alignment(&library)?;
        let size = size::weighed(&library, &strip)?;
        println!("android: {abi}: {size}");
        // With the demo nobody ships it.
        if !demo && size.outweighs(size::FOR_PHONES) {
            bail!("the library for {abi} is larger than {}", size::FOR_PHONES);
        }
    }
    println!("android: libraries are in {}", libraries.display());
    assemble()
}

/// Everything that the library for Android needs and this machine does not have.
pub(crate) fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if ndk().is_none() {
        missing.push("an Android NDK (r27 or newer): install it by Android Studio, or set ANDROID_NDK_HOME".to_owned());
    }
    if !cargo(&["ndk", "--version"]).succeeds() {
        missing.push(format!("cargo-ndk: cargo install --locked cargo-ndk --version {CARGO_NDK}"));
    }
    // Without the rest nothing could be done with them.
    let targets = ABIS.iter().filter(|_| missing.is_empty());
    let targets: Vec<_> = targets.filter_map(|(_, target)| Some((target, have_target(target).err()?))).collect();
    missing.extend(targets.iter().map(|(target, why)| format!("Rust's standard library for {target}: {why}")));
    missing
}

fn ndk() -> Option<PathBuf> {
    let named = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT", "NDK_HOME"].into_iter().filter_map(std::env::var_os);
    let in_sdk = ["ANDROID_HOME", "ANDROID_SDK_ROOT"].into_iter().filter_map(std::env::var_os);
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let usual = [home.join("Android/Sdk"), home.join("Library/Android/sdk")];
    let in_sdk = in_sdk.map(PathBuf::from).chain(usual).map(|sdk| sdk.join("ndk"));
    named.map(PathBuf::from).chain(in_sdk).find(|folder| folder.is_dir())
}

/// The NDK's own: the machine's knows other processors.
fn strip() -> Result<PathBuf> {
    let prebuilt = ndk().context("there is no NDK")?.join("toolchains/llvm/prebuilt");
    let hosts = std::fs::read_dir(&prebuilt).with_context(|| prebuilt.display().to_string())?;
    let tools = hosts.flatten().map(|host| host.path().join("bin/llvm-strip"));
    tools.into_iter().find(|tool| tool.exists()).with_context(|| format!("no llvm-strip in {}", prebuilt.display()))
}

fn check_alignment(library: &Path) -> Result<()> {
    let bytes = std::fs::read(library).with_context(|| format!("{} was not built", library.display()))?;
    let align = elf::load_alignment(&bytes).with_context(|| format!("{} is no ELF library", library.display()))?;
    if align < PAGE {
        bail!("{} is aligned to {align} bytes; devices with pages of 16 KB cannot load it", library.display());
    }
    Ok(())
}

/// Gradle makes the AAR, since it compiles the Kotlin half too.
fn assemble() -> Result<()> {
    if !root().join("android/gradlew").exists() {
        println!(
            "android: no AAR is made, since there is no android/gradlew: open android/ in Android Studio, or `gradle wrapper`"
        );
        return Ok(());
    }
    program(root().join("android/gradlew")).args([":chamada:assembleRelease"]).dir(root().join("android")).done()
}
