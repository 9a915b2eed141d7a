//! Swift: its bindings, and XCTest with real calls. Where no Swift is installed on Linux, Debian's is used in a folder of the
//! user's cache.

use crate::bindings;
use crate::run::{Run, program, root, say, target};
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The Debian release that has a Swift: 6.0.3.
const RELEASE: &str = "trixie";
/// Swift, what it links with, and what XCTest needs.
const PACKAGES: [&str; 3] = ["swiftlang", "libc6-dev", "libstdc++-14-dev"];

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("Swift: library and command", bindings::build);
    steps.step("Swift: bindings", generate);
    let mut toolchain = None;
    steps.step("Swift: toolchain", || {
        let found = toolchain_here()?;
        let outcome = match &found {
            Toolchain::Missing(why) => Outcome::Skipped(why.clone()),
            _ => Outcome::Passed,
        };
        toolchain = Some(found);
        Ok(outcome)
    });
    steps.step("Swift: tests", || match &toolchain {
        Some(Toolchain::Installed) => test_here(),
        Some(Toolchain::Debian(folder)) => test_in(folder),
        Some(Toolchain::Missing(why)) => Ok(Outcome::Skipped(why.clone())),
        None => Ok(Outcome::Skipped("there is no toolchain".into())),
    });
}

/// Where Swift comes from.
pub(crate) enum Toolchain {
    Installed,
    Debian(PathBuf),
    Missing(String),
}

pub(crate) fn package() -> PathBuf {
    root().join("bindings/swift")
}

/// Puts the generated Swift and C where the package wants them; neither is committed.
pub(crate) fn generate() -> Result<Outcome> {
    bindings::generate("swift")?;
    let (from, sources) = (target().join("generated/swift"), package().join("Sources"));
    fs::create_dir_all(sources.join("Chamada/Generated"))?;
    copy(&from.join("Chamada.swift"), &sources.join("Chamada/Generated/Chamada.swift"))?;
    copy(&from.join("ChamadaFFI.h"), &sources.join("ChamadaFFI/ChamadaFFI.h"))?;
    Ok(Outcome::Passed)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} → {}", from.display(), to.display())).map(drop)
}

pub(crate) fn toolchain_here() -> Result<Toolchain> {
    let missing = |why: &str| Ok(Toolchain::Missing(format!("no Swift is installed, and {why}")));
    if program("swift").args(["--version"]).succeeds() {
        return Ok(Toolchain::Installed);
    }
    if !cfg!(target_os = "linux") {
        return missing("only on Linux this tool can set one up: install Xcode's");
    }
    if !program("unshare").args(["--mount", "true"]).succeeds() {
        return missing("setting Debian's up needs root and mount namespaces");
    }
    let folder = cache().join(format!("swift-{RELEASE}"));
    if folder.exists() {
        return Ok(Toolchain::Debian(folder));
    }
    if !program("debootstrap").args(["--version"]).succeeds() {
        return missing("debootstrap is not installed either");
    }
    match fetch_debian(&folder) {
        Ok(part) => set_up(&part, &folder).map(|()| Toolchain::Debian(folder)),
        Err(why) => missing(&format!("Debian's packages cannot be fetched from here: {why:#}")),
    }
}

/// Kept from run to run, outside the source tree.
fn cache() -> PathBuf {
    let from_env = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache");
    from_env.unwrap_or_else(home).join("chamada")
}

/// A folder with a minimal Debian in it, from debootstrap's own choice of mirror.
fn fetch_debian(folder: &Path) -> Result<PathBuf> {
    say(&format!("set-up: Debian {RELEASE} with Swift goes to {} (3.2 GiB, some minutes)", folder.display()));
    let part = folder.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir_all(&part)?;
    program("debootstrap").args(["--variant=minbase", RELEASE]).args([&part]).quietly()?;
    Ok(part)
}

/// Puts Swift into it. It gets its name only when it is whole.
fn set_up(part: &Path, folder: &Path) -> Result<()> {
    let install =
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-unsafe-io"];
    inside(part).args(install).args(PACKAGES).env("DEBIAN_FRONTEND", "noninteractive").quietly()?;
    // What was downloaded is unpacked and not needed again.
    inside(part).args(["apt-get", "clean"]).quietly()?;
    fs::rename(part, folder)?;
    Ok(())
}

/// A program inside the folder, in a mount namespace of its own: its /dev and /proc go with it, whatever happens.
pub(crate) fn inside(folder: &Path) -> Run {
    const ENTER: &str = r#"mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@""#;
    program("unshare").args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER]).args([folder])
}

fn test_here() -> Result<Outcome> {
    test_installed(&package()).env("CHAMADA_README", &root().join("README.md").to_string_lossy()).passes()
}

/// `swift test` of a package by the machine's own Swift.
pub(crate) fn test_installed(package: &Path) -> Run {
    let built = target().join("debug");
    let search = format!("-L{}", built.display());
    let runpath = format!("-rpath={}", built.display());
    program("swift")
        .args(["test", "--package-path"])
        .args([package])
        .args(["-Xlinker", &search, "-Xlinker", &runpath])
        .env("CHAMADA_COMMAND", &built.join("chamada").to_string_lossy())
}

/// A place inside the folder that no other checkout uses, which may be tested at the same time.
pub(crate) fn place(name: &str) -> String {
    let mut hasher = DefaultHasher::new();
    root().hash(&mut hasher);
    format!("{name}-{:08x}", hasher.finish() >> 32)
}

fn test_in(folder: &Path) -> Result<Outcome> {
    let place = place("chamada");
    let mut parts: Vec<_> = PARTS.iter().map(|part| (package().join(part), PathBuf::from(part))).collect();
    parts.push((root().join("README.md"), "README.md".into()));
    bring(folder, &place, &parts)?;
    let readme = format!("CHAMADA_README=/{place}/README.md");
    test_brought(folder, &place, "", &[readme]).passes()
}

/// What the package is made of.
pub(crate) const PARTS: [&str; 3] = ["Package.swift", "Sources", "Tests"];

/// Copies sources to a place inside the folder, and the library and the command into its `lib`.
pub(crate) fn bring(folder: &Path, place: &str, parts: &[(PathBuf, PathBuf)]) -> Result<()> {
    let home = folder.join(place);
    let libraries = home.join("lib");
    fs::create_dir_all(&libraries)?;
    for (from, to) in parts {
        let to = home.join(to);
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        program("cp").args(["--recursive", "--preserve=timestamps"]).args([from, &to]).done()?;
    }
    let built = target().join("debug");
    for file in ["libchamada_ffi.so", "chamada"] {
        copy(&built.join(file), &libraries.join(file))?;
    }
    for library in codecs_of(&built.join("libchamada_ffi.so"))? {
        let name = library.file_name().context("a library without a name")?;
        copy(&library, &libraries.join(name))?;
    }
    Ok(())
}

/// `swift test` of a package that was brought there, `package` being its path in the place.
pub(crate) fn test_brought(folder: &Path, place: &str, package: &str, env: &[String]) -> Run {
    inside(folder)
        .args(["env", "HOME=/root", "LANG=C.UTF-8"])
        .args([format!("LD_LIBRARY_PATH=/{place}/lib"), format!("CHAMADA_COMMAND=/{place}/lib/chamada")])
        .args(env)
        .args(["swift", "test", "--package-path"])
        .args([format!("/{place}/{package}"), "-Xlinker".into(), format!("-L/{place}/lib")])
}

/// Libraries of this machine's that the other Debian has in another version: libvpx.
fn codecs_of(library: &Path) -> Result<Vec<PathBuf>> {
    let said = program("ldd").args([library]).printed()?;
    let paths =
        said.lines().filter_map(|line| line.split_once("=> ")).filter_map(|(_, rest)| rest.split_whitespace().next());
    Ok(paths.filter(|path| path.contains("libvpx")).map(PathBuf::from).collect())
}
