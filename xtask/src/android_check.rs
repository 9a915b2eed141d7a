//! `cargo xtask android-check`: the library and the app for Android without an Android SDK. Compiled against the real framework,
//! resources and manifest linked, unit tests run; nothing of it is run on Android.

use crate::android_api;
use crate::android_shrink;
use crate::bindings::{build, generate};
use crate::run::{Run, program, root, say, target};
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// As in android/gradle/libs.versions.toml.
const MIN_SDK: &str = "26";
const TARGET_SDK: &str = "36";
const PACKAGE: &str = "chamada.app";

/// After `bindings::kotlin`, which builds the library and generates its Kotlin.
pub(crate) fn steps(steps: &mut Steps) {
    steps.step("Android: resources and manifest", resources);
    steps.step("Android: library and app, compiled against the framework, and their tests", || {
        if let Some(missing) = missing_maven().or_else(missing_aapt2) {
            // Without aapt2 there is no R to compile the app with.
            return Ok(Outcome::Skipped(missing));
        }
        let outcome = maven("pom.xml", &["test"]).passes()?;
        pack()?;
        Ok(outcome)
    });
    steps.step("Android: public interfaces alone, and none too new", android_api::run);
    steps.step("Android: screens on Robolectric", screens);
    steps.step("Android: a call by classes that R8 shrank", android_shrink::run);
}

/// The same on its own.
pub(crate) fn alone(all: &mut Steps) {
    all.step("Android: library and command", build);
    all.step("Android: bindings", || generate("kotlin"));
    steps(all);
}

fn missing_aapt2() -> Option<String> {
    // Prints its version to standard error and succeeds.
    let there = program("aapt2").args(["version"]).succeeds();
    (!there).then(|| "aapt2 is not here (Debian: package aapt)".to_owned())
}

pub(crate) fn missing_maven() -> Option<String> {
    (!program("mvn").args(["--version"]).succeeds()).then(|| "Maven is not here".to_owned())
}

pub(crate) fn maven(project: &str, goals: &[&str]) -> Run {
    let project = root().join("android").join(project);
    program("mvn").args(["--batch-mode", "--no-transfer-progress", "--file"]).args([project]).args(goals)
}

pub(crate) fn folder() -> PathBuf {
    target().join("android")
}

/// Compiles and links them as a build does, which finds wrong names, types and attributes, and writes R.java for the compiler.
fn resources() -> Result<Outcome> {
    if let Some(missing) = missing_maven().or_else(missing_aapt2) {
        return Ok(Outcome::Skipped(missing));
    }
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let framework = framework(&folder)?;
    let app = root().join("android/app/src/main");
    let (compiled, java, manifest) = (folder.join("res.zip"), folder.join("r"), folder.join("AndroidManifest.xml"));
    fs::write(&manifest, merged(&app.join("AndroidManifest.xml"))?)?;
    if java.exists() {
        fs::remove_dir_all(&java)?;
    }
    program("aapt2").args(["compile", "--dir"]).args([app.join("res")]).args(["-o"]).args([&compiled]).quietly()?;
    program("aapt2")
        .args(["link", "-I"])
        .args([&framework])
        .args(["--manifest"])
        .args([&manifest])
        .args(["--min-sdk-version", MIN_SDK, "--target-sdk-version", TARGET_SDK])
        .args(["--version-code", "1", "--version-name", env!("CARGO_PKG_VERSION"), "--java"])
        .args([&java])
        .args(["-o"])
        .args([folder.join("resources.apk"), compiled])
        .quietly()?;
    say(&format!("resources and manifest are linked: {}", folder.join("resources.apk").display()));
    Ok(Outcome::Passed)
}

/// The framework's own resources, as a jar from Maven Central; fetched once.
fn framework(folder: &Path) -> Result<PathBuf> {
    let jar = folder.join("framework/framework.jar");
    if !jar.exists() {
        maven("pom.xml", &["--quiet", "--non-recursive", "dependency:copy@framework-resources"]).done()?;
    }
    Ok(jar)
}

/// Library and app as jars, which the steps after this one take.
fn pack() -> Result<()> {
    for module in ["chamada", "app"] {
        let classes = folder().join(module).join("classes");
        let jar = folder().join(module).with_extension("jar");
        program("jar").args(["--create", "--file"]).args([jar]).args(["-C"]).args([classes]).args(["."]).quietly()?;
    }
    Ok(())
}

/// The app's own activities, drawn: `target/android/pictures`.
fn screens() -> Result<Outcome> {
    let folder = folder();
    if !folder.join("resources.apk").exists() || !folder.join("app.jar").exists() {
        return Ok(Outcome::Skipped("resources and app have to be there first".to_owned()));
    }
    let monitor = folder.join("monitor");
    if !monitor.join("classes.jar").exists() {
        let project = "screens/pom.xml";
        if maven(project, &["--quiet", "dependency:copy@monitor"]).done().is_err() {
            return Ok(Outcome::Skipped("no Maven repository in reach has androidx.test:monitor".to_owned()));
        }
        program("jar").args(["xf", "monitor.aar", "classes.jar"]).dir(&monitor).quietly()?;
    }
    maven("screens/pom.xml", &["test"]).passes()
}

/// The app's manifest with what the library's brings, as Gradle merges them, and with the package's name, which Gradle knows from
/// elsewhere.
fn merged(app: &Path) -> Result<String> {
    let app = read(app)?;
    let library = read(&root().join("android/chamada/src/main/AndroidManifest.xml"))?;
    let (_, inner) = root_element(&library).context("the library's manifest has no root")?;
    let inner = inner.strip_suffix("</manifest>").context("the library's manifest ends in something else")?;
    let (head, rest) = root_element(&app).context("the app's manifest has no root")?;
    // Newer than Debian's aapt2, which has no name for it.
    let inner = match (inner.find("<queries>"), inner.find("</queries>")) {
        (Some(start), Some(end)) => format!("{}{}", &inner[..start], &inner[end + "</queries>".len()..]),
        _ => inner.to_owned(),
    };
    Ok(format!("{head} package=\"{PACKAGE}\">{inner}{rest}"))
}

fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim_end().to_owned())
}

/// What is before the end of the root's opening tag, and what is after it.
fn root_element(manifest: &str) -> Option<(&str, &str)> {
    let start = manifest.find("<manifest")?;
    let end = start + manifest[start..].find('>')?;
    Some((&manifest[..end], &manifest[end + 1..]))
}
