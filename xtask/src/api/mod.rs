//! `cargo xtask api`: what each package offers to others, kept in `docs/api`. Whoever changes it sees so, and says so in the changelog.

mod kotlin;
mod rust;
mod swift;

pub(crate) use kotlin::{android, kotlin};
pub(crate) use rust::rust;
pub(crate) use swift::swift;

use crate::run::{program, root, say};
use crate::steps::{Outcome, Steps};
use crate::{android_check, bindings, swift as swift_bindings};
use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

const FOLDER: &str = "docs/api";
const CHANGELOG: &str = "CHANGELOG.md";
/// How many lines of a difference are shown.
const SHOWN: usize = 60;

/// What is done with what a package offers now.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// It has to be what is kept.
    Check,
    /// It is kept.
    Write,
}

/// What is listed together, since it is built together.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum Language {
    Rust,
    Kotlin,
    Swift,
}

/// Those of these languages, or of all where none is named, after building what they are read from.
pub(crate) fn alone(steps: &mut Steps, mode: Mode, only: &[Language]) {
    let asked_for = |language| only.is_empty() || only.contains(&language);
    if asked_for(Language::Rust) {
        rust(steps, mode);
    }
    if asked_for(Language::Kotlin) {
        bindings::kotlin_compiled(steps);
        kotlin(steps, mode);
        android_check::compiled(steps);
        android(steps, mode);
    }
    if asked_for(Language::Swift) {
        steps.step("Swift: library and command", bindings::build);
        steps.step("Swift: bindings", swift_bindings::generate);
        swift(steps, mode);
    }
    changelog(steps);
}

/// The last change of what is kept has to have come with one of the changelog.
pub(crate) fn changelog(steps: &mut Steps) {
    steps.step("public interfaces: changes are in the changelog", || {
        let git = |args: &[&str]| program("git").args(args).dir(root()).printed();
        let Ok(commits) = git(&["log", "-2", "--no-merges", "--format=%H", "--", FOLDER]) else {
            return Ok(Outcome::Skipped("this is no checkout of git's".to_owned()));
        };
        let [last, before] = commits.split_whitespace().collect::<Vec<_>>()[..] else {
            return Ok(Outcome::Skipped("the history at hand has no change of them".to_owned()));
        };
        if git(&["diff", "--name-only", before, last, "--", CHANGELOG])?.is_empty() {
            bail!("{last} changes {FOLDER} and nothing in {CHANGELOG} since {before}: users need a line about it");
        }
        Ok(Outcome::Passed)
    });
}

fn path(name: &str) -> PathBuf {
    root().join(FOLDER).join(name)
}

/// Compares or keeps one listing. Both end in a line break.
fn settle(name: &str, now: &str, mode: Mode) -> Result<Outcome> {
    let path = path(name);
    let kept = fs::read_to_string(&path);
    match mode {
        Mode::Write => {
            if kept.is_ok_and(|kept| kept == now) {
                return Ok(Outcome::Passed);
            }
            fs::write(&path, now).with_context(|| path.display().to_string())?;
            say(&format!("{FOLDER}/{name} is written anew: {CHANGELOG} needs a line about what changed"));
            Ok(Outcome::Passed)
        }
        Mode::Check => {
            let kept = kept.with_context(|| format!("{FOLDER}/{name}: `cargo xtask api --write` makes it"))?;
            if kept != now {
                say(&difference(&kept, now));
                bail!(
                    "{FOLDER}/{name} is not what is public now. If that is meant, `cargo xtask api --write` writes it anew, and {CHANGELOG} needs a line about it"
                );
            }
            Ok(Outcome::Passed)
        }
    }
}

/// Lines that went and lines that came; the order alone may have changed as well.
fn difference(kept: &str, now: &str) -> String {
    let (old, new): (HashSet<&str>, HashSet<&str>) = (kept.lines().collect(), now.lines().collect());
    let gone = kept.lines().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = now.lines().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = gone.chain(come).collect();
    if lines.is_empty() {
        return "the same lines are in another order, or more often".to_owned();
    }
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_went_and_what_came() {
        assert_eq!(difference("a\nb\nc\n", "a\nd\nc\n"), "- b\n+ d");
        assert!(difference("a\nb\n", "b\na\n").contains("order"));
        let many: String = (0..SHOWN + 5).map(|line| format!("{line}\n")).collect();
        assert!(difference("", &many).ends_with("and 5 more"));
    }

    #[test]
    fn a_changed_interface_is_an_error_that_says_what_to_do() {
        let error = settle("README.md", "something else\n", Mode::Check).err().unwrap().to_string();
        assert!(error.contains("cargo xtask api --write") && error.contains(CHANGELOG), "{error}");
        let kept = fs::read_to_string(path("README.md")).unwrap();
        assert!(settle("README.md", &kept, Mode::Check).is_ok());
    }
}
