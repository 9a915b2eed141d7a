//! The AAR, as `cargo xtask android` and Gradle make it.

use super::{VERSION, copied};
use crate::android;
use crate::run::root;
use crate::steps::Outcome;
use anyhow::Result;
use std::path::Path;

pub(super) fn pack(out: &Path) -> Result<Outcome> {
    let mut missing = android::missing();
    if !root().join("android/gradlew").exists() {
        missing.push("android/gradlew: open android/ in Android Studio, or `gradle wrapper`".to_owned());
    }
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(format!("the AAR needs {}", missing.join("; "))));
    }
    android::run(false)?;
    let made = root().join("android/chamada/build/outputs/aar/chamada-release.aar");
    copied(&made, &out.join("android").join(format!("chamada-android-{VERSION}.aar")))?;
    Ok(Outcome::Passed)
}
