//! Running other programs.

use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The exit code of a program that cannot do on this machine what it was asked to, as in GNU Automake's test protocol.
const SKIPPED: i32 = 77;

/// How far programs in the background give way to others.
const BACKGROUND_NICENESS: &str = "10";

thread_local! {
    /// Where what is said on this thread goes, if it is in the background.
    static LOG: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// Does work whose programs give way to others, and write what they say to this file.
pub(crate) fn in_background(log: File, work: impl FnOnce()) {
    LOG.set(Some(log));
    work();
    LOG.set(None);
}

fn log() -> Option<File> {
    LOG.with_borrow(|log| log.as_ref().and_then(|log| log.try_clone().ok()))
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    match log() {
        // There is nowhere to say that it cannot be said.
        Some(mut log) => drop(writeln!(log, "{line}")),
        None => println!("{line}"),
    }
}

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

/// Builds the programs, the library and the tests, whichever of them the next step needs. Without the tests cargo would give the crates
/// that we depend on fewer features, and compile hundreds of them a second time.
pub(crate) fn build_debug() -> Run {
    cargo(&["build", "--workspace", "--all-targets"])
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

    /// As it runs on this thread: in the background, or as it is.
    fn placed(self) -> Self {
        let Some(log) = log() else { return self };
        let mut command = Command::new("nice");
        command.args(["-n", BACKGROUND_NICENESS]).arg(self.0.get_program()).args(self.0.get_args());
        for (name, value) in self.0.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.0.get_current_dir() {
            command.current_dir(folder);
        }
        if let Ok(errors) = log.try_clone() {
            command.stderr(errors);
        }
        command.stdin(Stdio::null()).stdout(log);
        Self(command)
    }

    /// Runs it, its output shown; an error if it fails.
    pub(crate) fn done(self) -> Result<()> {
        let shown = shown(&self.0);
        let mut this = self.placed();
        let status = this.0.status().with_context(|| format!("cannot run {shown}"))?;
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
    pub(crate) fn passes_or_skips(self) -> Result<Outcome> {
        let shown = shown(&self.0);
        let mut child =
            self.placed().0.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {shown}"))?;
        let mut last = String::new();
        for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            last = line?;
            say(&last);
        }
        let status = child.wait()?;
        match status.code() {
            Some(0) => Ok(Outcome::Passed),
            Some(SKIPPED) => Ok(Outcome::Skipped(last.trim_start_matches("skipped: ").to_owned())),
            _ => bail!("{shown} ended with {status}"),
        }
    }

    /// Runs it with its output shown only if it fails.
    pub(crate) fn quietly(self) -> Result<()> {
        let shown = shown(&self.0);
        let mut this = self.placed();
        let output = this
            .0
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .with_context(|| format!("cannot run {shown}"))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("{shown} ended with {}:\n{}", output.status, String::from_utf8_lossy(&said));
        }
        Ok(())
    }

    /// Runs it for what it prints.
    pub(crate) fn printed(self) -> Result<String> {
        let shown = shown(&self.0);
        let mut this = self.placed();
        if log().is_none() {
            this.0.stderr(Stdio::inherit());
        }
        let output = this.0.stdout(Stdio::piped()).output().with_context(|| format!("cannot run {shown}"))?;
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
