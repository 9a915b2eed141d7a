//! Kotlin's jar with the library for this machine in it, its sources and its documentation, in a Maven repository that is a folder; and a
//! program that is built from that repository and makes a call.

use super::{VERSION, built, copied, emptied_folder, files};
use crate::android_check::missing_maven;
use crate::android_libraries::pack as jar;
use crate::bindings::maven;
use crate::run::{program, root, target};
use crate::steps::Outcome;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

const ARTIFACT: &str = "chamada-kotlin";

/// Where JNA looks for a library inside of jars, and under which name.
fn native() -> (String, &'static str) {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let machine = if cfg!(target_arch = "x86_64") { "x86-64" } else { std::env::consts::ARCH };
    let library = if cfg!(target_os = "macos") { "libchamada_ffi.dylib" } else { "libchamada_ffi.so" };
    (format!("{system}-{machine}"), library)
}

fn repository(out: &Path) -> PathBuf {
    out.join("maven")
}

/// After `bindings::kotlin` or `bindings::kotlin_compiled`.
pub(super) fn publish(out: &Path, quick: bool) -> Result<Outcome> {
    if let Some(missing) = missing_maven() {
        return Ok(Outcome::Skipped(missing));
    }
    if !target().join("kotlin/classes/chamada").exists() {
        return Ok(Outcome::Skipped("Kotlin's classes have to be compiled first".to_owned()));
    }
    let natives = target().join("kotlin/natives");
    emptied_folder(&natives)?;
    let (folder, library) = native();
    let packed = natives.join(folder).join(library);
    copied(&built(quick).join(library), &packed)?;
    // What it needs to be debugged is no part of it.
    let options: &[&str] = if cfg!(target_os = "macos") { &["-x"] } else { &["--strip-unneeded"] };
    program("strip").args(options).args([&packed]).quietly()?;
    // This goal alone: what it packs was compiled before, which the others would do again.
    maven(&["jar:jar"]).quietly()?;
    let made = target().join("kotlin");
    let part = |kind: &str| made.join(format!("{ARTIFACT}-{VERSION}{kind}.jar"));
    program("jar").args(["--update", "--file"]).args([part("")]).args(["-C"]).args([&natives]).args(["."]).quietly()?;
    let sources = made.join("sources");
    emptied_folder(&sources)?;
    for folder in [root().join("bindings/kotlin/src/main/kotlin"), target().join("generated/kotlin")] {
        for file in files(&folder)? {
            copied(&folder.join(&file), &sources.join(&file))?;
        }
    }
    jar(&sources, &part("-sources"))?;
    let given = |option: &str, path: &Path| format!("-D{option}={}", path.display());
    let mut deploy = maven(&["deploy:deploy-file", "-DrepositoryId=folder"]).args([
        format!("-Durl=file://{}", repository(out).display()),
        given("pomFile", &root().join("bindings/kotlin/pom.xml")),
        given("file", &part("")),
        given("sources", &part("-sources")),
    ]);
    if !quick {
        maven(&["dokka:dokka"]).quietly()?;
        jar(&made.join("dokka"), &part("-javadoc"))?;
        deploy = deploy.args([given("javadoc", &part("-javadoc"))]);
    }
    deploy.quietly()?;
    Ok(Outcome::Passed)
}

/// Compiled and run with nothing but what the repository has.
pub(super) fn sample(out: &Path) -> Result<Outcome> {
    if !repository(out).exists() {
        return Ok(Outcome::Skipped("the repository has to be there first".to_owned()));
    }
    // Maven keeps what it has fetched once, and a version is for ever: it would go on with the one of the last time.
    let home = std::env::var_os("HOME").context("there is no HOME")?;
    let kept = Path::new(&home).join(".m2/repository/chamada").join(ARTIFACT).join(VERSION);
    if kept.exists() {
        std::fs::remove_dir_all(&kept)?;
    }
    let made = target().join("kotlin-sample");
    program("mvn")
        .args(["--batch-mode", "--no-transfer-progress", "--file", "bindings/kotlin/sample/pom.xml"])
        .args([format!("-Dchamada.repository=file://{}", repository(out).display())])
        .args(["compile", "dependency:copy-dependencies"])
        .quietly()?;
    let classes = std::env::join_paths([made.join("classes"), made.join("dependency/*")])?;
    program("java").args(["-cp"]).args([classes]).args(["MainKt"]).passes()
}
