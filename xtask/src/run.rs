//! Running other programs.

use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The exit code of a program that cannot do on this machine what it was asked to, as in GNU Automake's test protocol.
const SKIPPED: i32 = 77;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds: Maven's and Gradle's files look for it there, so that no other place may be asked for.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// A program about to be run.
pub(crate) struct Run(Command);

/// The `cargo` that runs this tool.
pub(crate) fn cargo(args: &[&str]) -> Run {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells this tool about itself is not meant for its child: ring's build script would see a change and build
    // everything on top of it anew.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env_remove("CARGO_TARGET_DIR");
    Run(command).args(args)
}

/// Any other program.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Run {
    Run(Command::new(name))
}

impl Run {
    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.0.current_dir(dir);
        self
    }

    /// Runs it, its output shown; an error if it fails.
    pub(crate) fn done(mut self) -> Result<()> {
        let shown = shown(&self.0);
        let status = self.0.status().with_context(|| format!("cannot run {shown}"))?;
        if !status.success() {
            bail!("{shown} ended with {status}");
        }
        Ok(())
    }

    /// Runs it as a step of its own.
    pub(crate) fn passes(self) -> Result<Outcome> {
        self.done().map(|()| Outcome::Passed)
    }

    /// The same for a program that may find that this machine lacks something: then the last line that it prints says what.
    pub(crate) fn passes_or_skips(mut self) -> Result<Outcome> {
        let shown = shown(&self.0);
        let mut child = self.0.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {shown}"))?;
        let mut last = String::new();
        for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            last = line?;
            println!("{last}");
        }
        let status = child.wait()?;
        match status.code() {
            Some(0) => Ok(Outcome::Passed),
            Some(SKIPPED) => Ok(Outcome::Skipped(last.trim_start_matches("skipped: ").to_owned())),
            _ => bail!("{shown} ended with {status}"),
        }
    }

    /// Runs it with its output shown only if it fails.
    pub(crate) fn quietly(mut self) -> Result<()> {
        let shown = shown(&self.0);
        let output = self.0.output().with_context(|| format!("cannot run {shown}"))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("{shown} ended with {}:\n{}", output.status, String::from_utf8_lossy(&said));
        }
        Ok(())
    }

    /// Runs it for what it prints.
    pub(crate) fn printed(mut self) -> Result<String> {
        let shown = shown(&self.0);
        let output = self.0.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {shown}"))?;
        if !output.status.success() {
            bail!("{shown} ended with {}", output.status);
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Whether it can be run and succeeds, its output hidden.
    pub(crate) fn succeeds(mut self) -> bool {
        let silent = self.0.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
