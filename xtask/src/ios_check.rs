//! `cargo xtask ios-check`: what of the iOS app can be proven without a Mac. ChamadaKit is built and tested, with a real call
//! through the native library, by Swift on Linux, where what needs Apple's frameworks is left out; every file is then parsed, and
//! what was left out is type-checked against declarations of those frameworks, and these against what Apple's headers have.

use crate::api::{self, Mode};
use crate::bindings;
use crate::ios_metadata;
use crate::ios_types;
use crate::run::{Run, program, root, say, target};
use crate::steps::{Outcome, Steps};
use crate::swift::{self, Toolchain};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const KIT: &str = "ios/ChamadaKit";
pub(crate) const APP: &str = "ios/App";
pub(crate) const DECLARATIONS: &str = "ios/stubs";

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("iOS: library and command", bindings::build);
    steps.step("iOS: bindings", swift::generate);
    let toolchain = swift::toolchain_here();
    let mut step = |name: &str, check: fn(&Place) -> Result<Outcome>| {
        steps.step(name, || match &toolchain {
            Ok(Toolchain::Missing(why)) => Ok(Outcome::Skipped(why.clone())),
            Ok(found) => check(&Place::of(found)),
            Err(error) => bail!("{error:#}"),
        });
    };
    step("iOS: ChamadaKit, tests", test);
    step("iOS: every file parsed", parse);
    step("iOS: type-checked against declarations", ios_types::check);
    api::swift(steps, Mode::Check);
    steps.step("iOS: declarations as in Apple's headers", ios_metadata::check);
}

/// Where the sources are for the compiler: here, or inside the folder of Debian's Swift.
pub(crate) struct Place {
    debian: Option<(PathBuf, String)>,
}

impl Place {
    pub(crate) fn of(found: &Toolchain) -> Self {
        let debian = match found {
            Toolchain::Debian(folder) => Some((folder.clone(), swift::place("chamada-ios"))),
            _ => None,
        };
        Self { debian }
    }

    /// The app, the kit, the bindings and the declarations, side by side as they are here; where that is.
    pub(crate) fn bring(&self) -> Result<PathBuf> {
        let Some((folder, place)) = &self.debian else { return Ok(root()) };
        let kit = swift::PARTS.iter().map(|part| PathBuf::from(KIT).join(part));
        let bindings = swift::PARTS.iter().map(|part| PathBuf::from("bindings/swift").join(part));
        let parts = kit.chain(bindings).chain([APP.into(), DECLARATIONS.into()]);
        let parts: Vec<_> = parts.map(|part| (root().join(&part), part)).collect();
        swift::bring(folder, place, &parts)?;
        Ok(folder.join(place))
    }

    /// Where the compiler may write.
    pub(crate) fn scratch(&self) -> PathBuf {
        match &self.debian {
            Some((folder, place)) => folder.join(place).join("types"),
            None => target().join("ios-types"),
        }
    }

    pub(crate) fn swiftc(&self) -> Run {
        match &self.debian {
            Some((folder, _)) => swift::inside(folder).args(["swiftc"]),
            None => program("swiftc"),
        }
    }

    /// A file or folder as the compiler sees it.
    pub(crate) fn seen(&self, path: &Path) -> Result<PathBuf> {
        Ok(match &self.debian {
            Some((folder, _)) => Path::new("/").join(path.strip_prefix(folder)?),
            None => path.to_path_buf(),
        })
    }

    pub(crate) fn all_seen(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
        paths.iter().map(|path| self.seen(path)).collect()
    }
}

fn test(place: &Place) -> Result<Outcome> {
    place.bring()?;
    match &place.debian {
        Some((folder, inside)) => swift::test_brought(folder, inside, KIT, &[]).passes(),
        None => swift::test_installed(&root().join(KIT)).passes(),
    }
}

/// A planted mistake shows that others would be seen.
fn parse(place: &Place) -> Result<Outcome> {
    let here = place.bring()?;
    let planted = here.join("planted.swift");
    fs::write(&planted, "#if canImport(UIKit)\nfunc planted( {\n#endif\n")?;
    let options = ["-frontend", "-parse", "-parse-as-library", "-swift-version", "6"];
    let missed = place.swiftc().args(options).args([place.seen(&planted)?]).succeeds();
    fs::remove_file(&planted)?;
    if missed {
        bail!("the parser does not see mistakes");
    }
    let mut sources = Vec::new();
    for folder in [APP, KIT] {
        swift_files(&here.join(folder), &mut sources)?;
    }
    say(&format!("{} files", sources.len()));
    place.swiftc().args(options).args(place.all_seen(&sources)?).passes()
}

pub(crate) fn swift_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != ".build") {
                swift_files(&path, found)?;
            }
        } else if path.extension().is_some_and(|it| it == "swift") {
            found.push(path);
        }
    }
    Ok(())
}
