//! `cargo xtask release --dry-run`: everything that a release has, in `target/release-artifacts`. Nothing is uploaded. What cannot be made on
//! this machine is a step that is skipped and says why.

mod android;
mod changes;
mod crates;
mod maven;
mod sbom;
mod swift;

use crate::bindings;
use crate::run::{cargo, program, root, say, target};
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's, which is every package's.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const SUMS: &str = "SHA256SUMS";

#[derive(clap::Args)]
pub(crate) struct ReleaseArgs {
    /// Make everything and upload nothing. There is no other way yet: what was made is uploaded by hand
    #[arg(long)]
    dry_run: bool,
    /// Not for uploading: the library is the one for tests, Kotlin's documentation is left out, and neither crates nor the Swift package
    /// are built from what was packed
    #[arg(long)]
    quick: bool,
    /// Also with changes that are not committed
    #[arg(long)]
    allow_dirty: bool,
    /// The URL of the folder where the XCFramework's archive will be, which the Swift package names
    #[arg(long, value_name = "URL")]
    assets: Option<String>,
}

pub(crate) fn run(args: &ReleaseArgs) -> Result<()> {
    if !args.dry_run {
        bail!(
            "this makes what a release has and uploads nothing: say --dry-run, and upload what is in target/release-artifacts"
        );
    }
    if args.assets.as_ref().is_some_and(|url| !url.starts_with("https://")) {
        bail!("--assets has to be an https URL");
    }
    crate::setup::run(true)?;
    let mut steps = Steps::default();
    // With the library for tests, which is what the bindings are written from.
    bindings::kotlin_compiled(&mut steps);
    if !args.quick {
        steps.step("release: library", || cargo(&["build", "--locked", "--release", "--workspace", "--lib"]).passes());
    }
    all(&mut steps, args);
    steps.finish()
}

/// The same after the steps of `cargo xtask test`, which built what it is made of.
pub(crate) fn quick(steps: &mut Steps) {
    all(steps, &ReleaseArgs { dry_run: true, quick: true, allow_dirty: true, assets: None });
}

fn all(steps: &mut Steps, args: &ReleaseArgs) {
    let out = artifacts();
    steps.step("release: versions, and the changelog's section", || {
        emptied_folder(&out)?;
        changes::write(&out)
    });
    steps.step("release: crates", || crates::pack(&out, !args.quick, args.allow_dirty));
    steps.step("release: Maven repository", || maven::publish(&out, args.quick));
    steps.step("release: a program built from that repository", || maven::sample(&out));
    steps.step("release: Swift package", || swift::pack(&out));
    if !args.quick {
        steps.step("release: XCFramework", || swift::framework(&out, args.assets.as_deref()));
        steps.step("release: Swift package, built from its archive", || swift::build(&out));
        steps.step("release: AAR", || android::pack(&out));
    }
    steps.step("release: bills of materials", || sbom::write(&out));
    steps.step("release: checksums", || checksums(&out));
}

fn artifacts() -> PathBuf {
    target().join("release-artifacts")
}

fn emptied_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// Where the library for this machine is.
fn built(quick: bool) -> PathBuf {
    target().join(if quick { "debug" } else { "release" })
}

/// A zip of what is in a folder.
fn zip(folder: &Path, archive: &Path) -> Result<()> {
    if let Some(parent) = archive.parent() {
        fs::create_dir_all(parent)?;
    }
    // The JDK's, which is needed anyway; without the manifest it writes no jar but a zip.
    program("jar")
        .args(["--create", "--no-manifest", "--file"])
        .args([archive])
        .args(["-C"])
        .args([folder])
        .args(["."])
        .quietly()
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to).with_context(|| format!("{} → {}", from.display(), to.display())).map(drop)
}

fn licences(to: &Path) -> Result<()> {
    ["LICENSE-APACHE", "LICENSE-MIT"].iter().try_for_each(|name| copied(&root().join(name), &to.join(name)))
}

/// All files below, from there on, in an order that is the same everywhere.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder)?.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn checksums(out: &Path) -> Result<Outcome> {
    let files = files(out)?;
    let (tool, options): (&str, &[&str]) =
        if cfg!(target_os = "macos") { ("shasum", &["--algorithm", "256"]) } else { ("sha256sum", &[]) };
    let sums = program(tool).args(options).args(&files).dir(out).printed()?;
    fs::write(out.join(SUMS), &sums)?;
    say(&format!("{} files are in {}:\n{sums}", files.len(), out.display()));
    Ok(Outcome::Passed)
}
