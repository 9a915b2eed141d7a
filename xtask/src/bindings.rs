//! Kotlin and Swift: their generated halves, their tests, and the library's memory tests under valgrind.

use crate::api::{self, Mode};
use crate::run::{build_debug, cargo, program, root, target};
use crate::steps::{Outcome, Steps};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// Where tests find the library and the command.
fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The library for this machine, the program that writes its bindings, and the command that its tests call. The whole workspace at
/// once, as everywhere in this tool: other choices of packages give dependencies other features, and each builds them anew.
pub(crate) fn build() -> Result<Outcome> {
    build_debug().passes()
}

/// Writes the bindings into `target/generated`; they are never committed.
pub(crate) fn generate(language: &str) -> Result<Outcome> {
    let library = if cfg!(target_os = "macos") { "libchamada_ffi.dylib" } else { "libchamada_ffi.so" };
    let folder = target().join("generated").join(language);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    program(built("uniffi-bindgen"))
        .args(["generate", "--no-format", "--language", language, "--out-dir"])
        .args([&folder, &built(library)])
        // Read from the crate's own folder, where its uniffi.toml is found.
        .dir(root().join("bindings"))
        .passes()
}

/// Kotlin on the JVM: real calls with the Rust peer.
pub(crate) fn kotlin(steps: &mut Steps) {
    steps.step("Kotlin: library and command", build);
    steps.step("Kotlin: bindings", || generate("kotlin"));
    steps.step("Kotlin: tests", || maven(&["test"]).passes());
    api::kotlin(steps, Mode::Check);
}

/// The package's classes alone.
pub(crate) fn kotlin_compiled(steps: &mut Steps) {
    steps.step("Kotlin: library and command", build);
    steps.step("Kotlin: bindings", || generate("kotlin"));
    steps.step("Kotlin: compiled", || maven(&["compile"]).passes());
}

/// µs per picture in and out, printed as a table.
pub(crate) fn kotlin_bench() -> Result<()> {
    cargo(&["build", "--release", "--workspace"]).done()?;
    let mut steps = Steps::default();
    kotlin(&mut steps);
    steps.finish()?;
    let native = target().join("release");
    maven(&["test", "-Dtest=Bench", "-Dchamada.bench=true"])
        .args([format!("-Dnative.folder={}", native.display())])
        .done()
}

pub(crate) fn maven(goals: &[&str]) -> crate::run::Run {
    program("mvn").args(["--batch-mode", "--no-transfer-progress", "--file", "bindings/kotlin/pom.xml"]).args(goals)
}

/// What an app can do wrong with memory, watched byte by byte.
pub(crate) fn valgrind(steps: &mut Steps) {
    steps.step("memory tests under valgrind", || {
        let binary = test_binary()?;
        program("valgrind")
            .args([
                "--error-exitcode=99",
                // Its threads take turns: by default one that never blocks can keep the others from running for ever.
                "--fair-sched=yes",
                "--leak-check=full",
                "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite",
                "--quiet",
            ])
            .args([&binary])
            .args(["tests::memory", "--test-threads=1"])
            .passes()
    });
}

/// The unit tests of the bindings, as cargo names the program.
fn test_binary() -> Result<PathBuf> {
    let said = cargo(&["test", "--workspace", "--lib", "--no-run", "--message-format=json"]).printed()?;
    for line in said.lines().filter(|line| line.contains(r#""name":"chamada_ffi""#)) {
        let Some((_, rest)) = line.split_once(r#""executable":""#) else { continue };
        if let Some((path, _)) = rest.split_once('"') {
            return Ok(path.into());
        }
    }
    bail!("cargo named no test program")
}
