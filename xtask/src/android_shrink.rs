//! What R8 makes of the library and the app: shrunk and renamed by the rules that the AAR brings, they hold a call on this machine.
//! JNA and the bindings find classes, methods and fields by name, and no compiler sees what a rule forgets.

use crate::android_check::{MODULES, folder, maven};
use crate::android_libraries::Libraries;
use crate::run::{program, root, target};
use crate::steps::Outcome;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The program that holds the call, of the app's tests.
const MAIN: &str = "chamada.app.ShrunkCallKt";

pub(crate) fn run() -> Result<Outcome> {
    let folder = folder();
    let tests = folder.join("app/test-classes/chamada/app");
    if !folder.join("app.jar").exists() || !tests.exists() {
        return Ok(Outcome::Skipped("library and app have to be compiled first".to_owned()));
    }
    let own = folder.join("shrink");
    let r8 = own.join("r8.jar");
    if !r8.exists() && maven("pom.xml", &["--quiet", "--non-recursive", "dependency:copy@shrinker"]).done().is_err() {
        return Ok(Outcome::Skipped("no Maven repository in reach has com.android.tools:r8".to_owned()));
    }
    let (rules, shrunk) = (own.join("keep.pro"), own.join("shrunk.jar"));
    // The second line is of the rules that every Android build begins with (proguard-android-optimize.txt).
    let own_rules =
        format!("-keep class {MAIN} {{ public static void main(java.lang.String[]); }}\n-dontwarn androidx.**\n");
    fs::write(&rules, own_rules)?;
    let androidx = Libraries::have()?;
    let (frameworks, libraries) = dependencies(&own)?;
    let mut r8 =
        program("java").args(["-cp"]).args([&r8]).args(["com.android.tools.r8.R8", "--release", "--classfile"]);
    for library in frameworks.iter().chain([&java_home()?]) {
        r8 = r8.args(["--lib"]).args([library]);
    }
    let consumer = root().join("android/chamada/consumer-rules.pro");
    for rules in [consumer, rules].into_iter().chain(androidx.rules()?) {
        r8 = r8.args(["--pg-conf"]).args([rules]);
    }
    r8.args(["--output"])
        .args([&shrunk])
        .args(MODULES.map(|module| folder.join(module).with_extension("jar")))
        .args([folder.join("r.jar"), androidx.jar()])
        .args(helpers(&tests)?)
        .args(libraries)
        .quietly()?;
    let natives = format!("-Djna.library.path={}", target().join("debug").display());
    program("java").args(["-cp"]).args([&shrunk]).args([&natives, MAIN]).passes()
}

/// What the framework is, and what an app has to bring along.
fn dependencies(own: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let list = own.join("classpath");
    let to = format!("-Dmdep.outputFile={}", list.display());
    maven("chamada/pom.xml", &["--quiet", "dependency:build-classpath", "-Dmdep.includeScope=compile", &to]).done()?;
    let list = fs::read_to_string(list).context("Maven wrote no class path")?;
    let paths: Vec<PathBuf> = std::env::split_paths(list.trim()).collect();
    Ok(paths.into_iter().partition(|path| path.components().any(|part| part.as_os_str() == "android-all")))
}

/// The tests' classes but for the tests: their names are sentences, which Android could not have.
fn helpers(tests: &Path) -> Result<Vec<PathBuf>> {
    let mut classes = Vec::new();
    for entry in fs::read_dir(tests)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let outermost = name.split(['$', '.']).next().unwrap_or_default();
        if !outermost.ends_with("Test") {
            classes.push(path.clone());
        }
    }
    Ok(classes)
}

/// Where Java's own classes are.
fn java_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("JAVA_HOME") {
        return Ok(home.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let java = std::env::split_paths(&path).map(|folder| folder.join("java")).find(|java| java.is_file());
    let java = java.context("Java is not here")?.canonicalize()?;
    java.ancestors().nth(2).map(Path::to_path_buf).context("Java has no home")
}
