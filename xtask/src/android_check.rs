//! `cargo xtask android-check`: the library and the app for Android without an Android SDK. Compiled against the real framework,
//! resources and manifest linked, unit tests run; nothing of it is run on Android.

use crate::android_api;
use crate::android_libraries::{Libraries, pack};
use crate::android_shrink;
use crate::api::{self, Mode};
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
/// The modules, each after those that it stands on.
pub(crate) const MODULES: [&str; 3] = ["chamada", "ui", "app"];

/// After `bindings::kotlin`, which builds the library and generates its Kotlin.
pub(crate) fn steps(steps: &mut Steps) {
    steps.step("Android: resources and manifest", resources);
    steps.step("Android: library and app, compiled against the framework, and their tests", || {
        if let Some(missing) = missing_maven().or_else(missing_aapt2) {
            // Without aapt2 there is no R to compile the app with.
            return Ok(Outcome::Skipped(missing));
        }
        let outcome = maven("pom.xml", &["test"]).passes()?;
        for module in MODULES {
            pack(&folder().join(module).join("classes"), &folder().join(module).with_extension("jar"))?;
        }
        Ok(outcome)
    });
    steps.step("Android: public interfaces alone, and none too new", android_api::run);
    api::android(steps, Mode::Check);
    steps.step("Android: screens on Robolectric", screens);
    steps.step("Android: a call by classes that R8 shrank", android_shrink::run);
}

/// Compiled alone. After `bindings::kotlin_compiled`.
pub(crate) fn compiled(steps: &mut Steps) {
    steps.step("Android: resources and manifest", resources);
    steps.step("Android: libraries, compiled", || match missing_maven().or_else(missing_aapt2) {
        Some(missing) => Ok(Outcome::Skipped(missing)),
        None => maven("pom.xml", &["compile", "--projects", "chamada,ui", "--also-make"]).passes(),
    });
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

/// Compiles and links them as a build does, which finds wrong names, types and attributes, and makes each package's R for the compiler.
fn resources() -> Result<Outcome> {
    if let Some(missing) = missing_maven().or_else(missing_aapt2) {
        return Ok(Outcome::Skipped(missing));
    }
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let framework = framework(&folder)?;
    let libraries = Libraries::have()?;
    let (java, manifest) = (folder.join("r"), folder.join("AndroidManifest.xml"));
    fs::write(&manifest, merged(&root().join("android/app/src/main/AndroidManifest.xml"))?)?;
    if java.exists() {
        fs::remove_dir_all(&java)?;
    }
    let mut compiled = libraries.resources()?;
    for module in ["ui", "app"] {
        let own = folder.join(format!("{module}-res.zip"));
        let res = root().join("android").join(module).join("src/main/res");
        program("aapt2").args(["compile", "--dir"]).args([res]).args(["-o"]).args([&own]).quietly()?;
        compiled.push(own);
    }
    program("aapt2")
        .args(["link", "--auto-add-overlay", "-I"])
        .args([&framework])
        .args(["--manifest"])
        .args([&manifest])
        .args(["--min-sdk-version", MIN_SDK, "--target-sdk-version", TARGET_SDK])
        .args(["--version-code", "1", "--version-name", env!("CARGO_PKG_VERSION")])
        .args(["--extra-packages", &format!("chamada.ui:{}", libraries.packages()?.join(":")), "--java"])
        .args([&java])
        .args(["-o"])
        .args([folder.join("resources.apk")])
        .args(compiled)
        .quietly()?;
    compile_r(&java, &folder)?;
    say(&format!("resources and manifest are linked: {}", folder.join("resources.apk").display()));
    Ok(Outcome::Passed)
}

/// R of the app, of its library of screens, and of each library.
fn compile_r(java: &Path, folder: &Path) -> Result<()> {
    let classes = folder.join("r-classes");
    if classes.exists() {
        fs::remove_dir_all(&classes)?;
    }
    let sources = java_files(java)?;
    program("javac").args(["--release", "17", "-nowarn", "-d"]).args([&classes]).args(sources).quietly()?;
    pack(&classes, &folder.join("r.jar"))
}

fn java_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(java_files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// The framework's own resources, as a jar from Maven Central; fetched once.
fn framework(folder: &Path) -> Result<PathBuf> {
    let jar = folder.join("framework/framework.jar");
    if !jar.exists() {
        maven("pom.xml", &["--quiet", "--non-recursive", "dependency:copy@framework-resources"]).done()?;
    }
    Ok(jar)
}

/// The app's screens, drawn and pressed: `target/android/pictures`.
fn screens() -> Result<Outcome> {
    let folder = folder();
    if !folder.join("resources.apk").exists() || !folder.join("app.jar").exists() {
        return Ok(Outcome::Skipped("resources and app have to be there first".to_owned()));
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
