//! The Swift package: its sources with what is generated, and for Apple's systems the XCFramework as an asset of its own, which the package
//! names by URL and checksum.

use super::{VERSION, copied, emptied_folder, files, licences, zip};
use crate::ios;
use crate::run::{program, root, say, target};
use crate::steps::Outcome;
use crate::swift::{self, Toolchain, package};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

const FRAMEWORK: &str = "ChamadaFFI.xcframework";
/// The manifest's lines for machines that find the framework beside it, and what they are in a release.
const BESIDE: &str = ".binaryTarget(name: \"ChamadaFFI\", path: framework)";
const CONDITION: &str =
    "let isForPhones = FileManager.default.fileExists(atPath: \"\\(Context.packageDirectory)/\\(framework)\")";

fn archive(out: &Path) -> PathBuf {
    out.join("swift").join(format!("Chamada-{VERSION}.zip"))
}

pub(super) fn pack(out: &Path) -> Result<Outcome> {
    pack_with(out, fs::read_to_string(package().join("Package.swift"))?)
}

fn pack_with(out: &Path, manifest: String) -> Result<Outcome> {
    swift::generate()?;
    let inside = target().join("swift-package");
    emptied_folder(&inside)?;
    for file in files(&package().join("Sources"))? {
        copied(&package().join("Sources").join(&file), &inside.join("Sources").join(&file))?;
    }
    licences(&inside)?;
    copied(&root().join("README.md"), &inside.join("README.md"))?;
    fs::write(inside.join("Package.swift"), without_tests(&manifest)?)?;
    zip(&inside, &archive(out))?;
    Ok(Outcome::Passed)
}

/// The framework, and the package again with where it is found. `assets` is the URL of the folder that it will be in.
pub(super) fn framework(out: &Path, assets: Option<&str>) -> Result<Outcome> {
    let missing = ios::missing();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(format!(
            "the XCFramework needs {}; the Swift package is for Linux alone",
            missing.join("; ")
        )));
    }
    let Some(assets) = assets else { bail!("--assets has to say where the XCFramework's archive will be found") };
    ios::run(false)?;
    let zipped = out.join("swift").join(format!("{FRAMEWORK}.zip"));
    // Xcode's own tool: it keeps the links inside of frameworks.
    program("ditto").args(["-c", "-k", "--keepParent"]).args([&package().join(FRAMEWORK), &zipped]).done()?;
    let checksum = program("swift").args(["package", "compute-checksum"]).args([&zipped]).printed()?;
    let manifest = fs::read_to_string(package().join("Package.swift"))?;
    pack_with(out, by_url(&manifest, &format!("{assets}/{FRAMEWORK}.zip"), checksum.trim())?)
}

fn by_url(manifest: &str, url: &str, checksum: &str) -> Result<String> {
    if !manifest.contains(BESIDE) || !manifest.contains(CONDITION) {
        bail!("Package.swift has changed: the release does not find what it replaces");
    }
    let by_url = format!(".binaryTarget(name: \"ChamadaFFI\", url: \"{url}\", checksum: \"{checksum}\")");
    let apple = "#if os(Linux)\nlet isForPhones = false\n#else\nlet isForPhones = true\n#endif";
    Ok(manifest.replace(BESIDE, &by_url).replace(CONDITION, apple))
}

/// The tests need what only this repository has.
fn without_tests(manifest: &str) -> Result<String> {
    let line = manifest.lines().find(|line| line.contains(".testTarget(")).context("Package.swift has no tests")?;
    Ok(manifest.replace(&format!("{line}\n"), ""))
}

/// Unpacked somewhere else, and built there.
pub(super) fn build(out: &Path) -> Result<Outcome> {
    let archive = archive(out);
    if !archive.exists() {
        return Ok(Outcome::Skipped("the archive has to be there first".to_owned()));
    }
    let unpack = |to: &Path| {
        emptied_folder(to)?;
        program("unzip").args(["-q"]).args([&archive]).args(["-d"]).args([to]).quietly()
    };
    match swift::toolchain_here()? {
        Toolchain::Missing(why) => Ok(Outcome::Skipped(why)),
        Toolchain::Installed => {
            let at = target().join("swift-release");
            unpack(&at)?;
            program("swift").args(["build", "--package-path"]).args([&at]).passes()
        }
        Toolchain::Debian(folder) => {
            let place = swift::place("chamada-release");
            unpack(&folder.join(&place))?;
            say("built inside of Debian's Swift");
            swift::inside(&folder)
                .args(["env", "HOME=/root", "LANG=C.UTF-8", "swift", "build", "--package-path"])
                .args([format!("/{place}")])
                .passes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_manifest_has_what_a_release_replaces() {
        let manifest = fs::read_to_string(package().join("Package.swift")).unwrap();
        let released = by_url(&manifest, "https://example.org/v1/ChamadaFFI.xcframework.zip", "abc").unwrap();
        let released = without_tests(&released).unwrap();
        assert!(released.contains("checksum: \"abc\"") && !released.contains("fileExists"), "{released}");
        assert!(!released.contains("testTarget"), "{released}");
    }
}
