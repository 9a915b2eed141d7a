//! `cargo xtask ios-check`: what of the iOS app can be proven without a Mac. ChamadaKit is built and tested, with a real call
//! through the native library, by Swift on Linux, where what needs Apple's frameworks is left out; every file is then parsed.

use crate::bindings;
use crate::run::{Run, program, root};
use crate::steps::{Outcome, Steps};
use crate::swift::{self, Toolchain};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the sources are inside the folder of Debian's Swift, apart from those of `cargo xtask swift`.
const INSIDE: &str = "chamada-ios";
const KIT: &str = "ios/ChamadaKit";

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("iOS: library and command", bindings::build);
    steps.step("iOS: bindings", swift::generate);
    let toolchain = swift::toolchain_here();
    for (name, check) in
        [("iOS: ChamadaKit, tests", test as fn(&Toolchain) -> Result<Outcome>), ("iOS: every file parsed", parse)]
    {
        steps.step(name, || match &toolchain {
            Ok(Toolchain::Missing(why)) => Ok(Outcome::Skipped(why.clone())),
            Ok(found) => check(found),
            Err(error) => bail!("{error:#}"),
        });
    }
}

fn test(found: &Toolchain) -> Result<Outcome> {
    match found {
        Toolchain::Debian(folder) => {
            bring(folder)?;
            swift::test_brought(folder, INSIDE, KIT, &[]).passes()
        }
        _ => swift::test_installed(&root().join(KIT)).passes(),
    }
}

/// The app, the kit and the bindings, side by side as they are here.
fn bring(folder: &Path) -> Result<()> {
    let kit = swift::PARTS.iter().map(|part| PathBuf::from(KIT).join(part));
    let bindings = swift::PARTS.iter().map(|part| PathBuf::from("bindings/swift").join(part));
    let parts: Vec<_> = kit.chain(bindings).chain(["ios/App".into()]).map(|part| (root().join(&part), part)).collect();
    swift::bring(folder, INSIDE, &parts)
}

/// For what imports Apple's frameworks it is all that can be done here; a planted mistake shows that it would be seen.
fn parse(found: &Toolchain) -> Result<Outcome> {
    let swiftc = || -> Run {
        match found {
            Toolchain::Debian(folder) => swift::inside(folder).args(["swiftc"]),
            _ => program("swiftc"),
        }
    };
    let here = match found {
        Toolchain::Debian(folder) => {
            bring(folder)?;
            folder.join(INSIDE)
        }
        _ => root(),
    };
    let seen_from = |path: &Path| -> Result<PathBuf> {
        Ok(match found {
            Toolchain::Debian(folder) => Path::new("/").join(path.strip_prefix(folder)?),
            _ => path.to_path_buf(),
        })
    };
    let planted = here.join("planted.swift");
    fs::write(&planted, "#if canImport(UIKit)\nfunc planted( {\n#endif\n")?;
    let options = ["-frontend", "-parse", "-parse-as-library", "-swift-version", "6"];
    let missed = swiftc().args(options).args([seen_from(&planted)?]).succeeds();
    fs::remove_file(&planted)?;
    if missed {
        bail!("the parser does not see mistakes");
    }
    let mut sources = Vec::new();
    for folder in ["ios/App", KIT] {
        swift_files(&here.join(folder), &mut sources)?;
    }
    let sources = sources.iter().map(|path| seen_from(path)).collect::<Result<Vec<_>>>()?;
    println!("{} files", sources.len());
    swiftc().args(options).args(sources).passes()
}

fn swift_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
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
