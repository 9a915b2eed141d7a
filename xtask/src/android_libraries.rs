//! AndroidX (Jetpack Compose, Material 3 and what they stand on) without Gradle: archives from a Maven repository, made into what the
//! other steps take. Done again only when `android/androidx/pom.xml` changes.

use crate::android_check::{folder, maven};
use crate::run::{program, root};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const LIST: &str = "androidx/pom.xml";

/// What was made of the archives.
pub(crate) struct Libraries(PathBuf);

impl Libraries {
    /// Fetches and unpacks them, unless that was done.
    pub(crate) fn have() -> Result<Self> {
        let own = folder().join("androidx");
        let list = fs::read_to_string(root().join("android").join(LIST)).context(LIST)?;
        let made_of = own.join("made-of.xml");
        if fs::read_to_string(&made_of).is_ok_and(|old| old == list) {
            return Ok(Self(own));
        }
        if own.exists() {
            fs::remove_dir_all(&own)?;
        }
        maven(LIST, &["--quiet", "dependency:copy@archives"]).done()?;
        let this = Self(own);
        this.unpack()?;
        fs::write(made_of, list)?;
        Ok(this)
    }

    fn unpack(&self) -> Result<()> {
        let classes = self.0.join("classes");
        for made in ["resources", "unpacked"] {
            fs::create_dir_all(self.0.join(made))?;
        }
        for archive in entries(&self.0.join("archives"))? {
            let name = archive.file_stem().context("an archive without a name")?;
            if archive.extension().is_some_and(|kind| kind == "jar") {
                unzip(&archive, &classes)?;
                continue;
            }
            let unpacked = self.0.join("unpacked").join(name);
            unzip(&archive, &unpacked)?;
            unzip(&unpacked.join("classes.jar"), &classes)?;
            if unpacked.join("res").exists() {
                let compiled = self.0.join("resources").join(name).with_extension("zip");
                program("aapt2")
                    .args(["compile", "--dir"])
                    .args([unpacked.join("res")])
                    .args(["-o"])
                    .args([compiled])
                    .quietly()?;
            }
        }
        pack(&classes, &self.0.join("androidx.jar"))?;
        unzip(&self.0.join("tests/monitor.aar"), &self.0.join("tests"))
    }

    /// All classes.
    pub(crate) fn jar(&self) -> PathBuf {
        self.0.join("androidx.jar")
    }

    /// Compiled resources, for `aapt2 link`.
    pub(crate) fn resources(&self) -> Result<Vec<PathBuf>> {
        entries(&self.0.join("resources"))
    }

    /// The rules for R8 that the archives bring beside their classes.
    pub(crate) fn rules(&self) -> Result<Vec<PathBuf>> {
        let files = entries(&self.0.join("unpacked"))?.into_iter().map(|archive| archive.join("proguard.txt"));
        Ok(files.filter(|rules| rules.exists()).collect())
    }

    /// Whose resources there are: each library calls an `R` of its own.
    pub(crate) fn packages(&self) -> Result<Vec<String>> {
        let manifests =
            entries(&self.0.join("unpacked"))?.into_iter().map(|archive| archive.join("AndroidManifest.xml"));
        manifests.map(|manifest| package(&fs::read_to_string(manifest)?)).collect()
    }
}

fn package(manifest: &str) -> Result<String> {
    let after = manifest.split_once("package=\"").context("a manifest without a package")?.1;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}

/// What is in a folder, in an order that is the same everywhere.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn unzip(archive: &Path, into: &Path) -> Result<()> {
    program("unzip").args(["-qo"]).args([archive]).args(["-d"]).args([into]).quietly()
}

/// A jar of a folder of classes.
pub(crate) fn pack(classes: &Path, jar: &Path) -> Result<()> {
    program("jar").args(["--create", "--file"]).args([jar]).args(["-C"]).args([classes]).args(["."]).quietly()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_librarys_package_is_read_from_its_manifest() {
        assert_eq!(package("<manifest\n  package=\"androidx.core\" >").unwrap(), "androidx.core");
        assert!(package("<manifest/>").is_err());
    }
}
