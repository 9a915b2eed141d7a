//! The Kotlin libraries, by the Kotlin project's own listing of binary interfaces: what a new version may not change without breaking
//! apps that were compiled with an old one.

use super::{Mode, settle};
use crate::android_check::{folder, missing_maven};
use crate::bindings::maven;
use crate::run::{program, root, target};
use crate::steps::{Outcome, Steps};
use anyhow::Result;
use std::path::Path;

/// After `bindings::kotlin`.
pub(crate) fn kotlin(steps: &mut Steps, mode: Mode) {
    steps.step("public interface: Kotlin", || list("kotlin.txt", &target().join("kotlin/classes"), mode));
}

/// After `android_check::steps`. The library's classes for Android alone: those beside them are Kotlin's.
pub(crate) fn android(steps: &mut Steps, mode: Mode) {
    let listings = [("android.txt", "chamada/classes/chamada/android"), ("android-ui.txt", "ui/classes")];
    for (name, classes) in listings {
        steps.step(&format!("public interface: {}", name.trim_end_matches(".txt")), || {
            list(name, &folder().join(classes), mode)
        });
    }
}

fn list(name: &str, classes: &Path, mode: Mode) -> Result<Outcome> {
    if let Some(missing) = missing_maven() {
        return Ok(Outcome::Skipped(missing));
    }
    if !classes.exists() {
        return Ok(Outcome::Skipped(format!("{} has to be compiled first", classes.display())));
    }
    let tools = target().join("api/kotlin");
    if !tools.join("abi-tools.jar").exists() && maven(&["--quiet", "dependency:copy@abi-tools"]).done().is_err() {
        return Ok(Outcome::Skipped("no Maven repository in reach has Kotlin's abi-tools".to_owned()));
    }
    let printed = program("java")
        .args(["-cp"])
        .args([tools.join("*")])
        .args([root().join("bindings/kotlin/PrintApi.java").as_path(), classes])
        .printed()?;
    settle(name, &printed, mode)
}
