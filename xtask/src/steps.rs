//! A list of steps that are all run, each passed, failed or skipped with its reason.

use crate::run;
use anyhow::{Context, Result, anyhow, bail};
use std::fs::File;
use std::io::copy;
use std::time::{Duration, Instant};

/// Where the last run is kept.
const LAST_RUN: &str = "last-run.md";

/// How a step ended, if it did not fail.
pub(crate) enum Outcome {
    Passed,
    /// It cannot run on this machine, and why.
    Skipped(String),
}

#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, Result<Outcome>)>,
}

impl Steps {
    /// Runs a step. Later steps run whether or not it fails.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome>) {
        run::say(&format!("\n── {name}"));
        let start = Instant::now();
        let result = work();
        if let Err(error) = &result {
            run::say(&format!("{name} failed: {error:#}"));
        }
        self.done.push((name.to_owned(), start.elapsed(), result));
    }

    /// Runs two rows of steps at a time, for a first one that waits more than it computes. The second row gives way where there is not
    /// enough of the machine for both, and what it says is shown when both have ended.
    pub(crate) fn side_by_side(&mut self, first: impl FnOnce(&mut Self), second: impl FnOnce(&mut Self) + Send) {
        let path = run::target().join("second-row.log");
        let behind = || {
            let mut steps = Self::default();
            let log = File::create(&path).with_context(|| format!("cannot write {}", path.display()));
            match log {
                Ok(log) => run::in_background(log, || second(&mut steps)),
                Err(error) => steps.step("the second row of steps", || Err(error)),
            }
            steps.done
        };
        let ended = std::thread::scope(|scope| {
            let behind = scope.spawn(behind);
            first(self);
            behind.join()
        });
        let shown = File::open(&path).and_then(|mut log| copy(&mut log, &mut std::io::stdout()));
        if let Err(error) = shown {
            println!("{} cannot be shown: {error}", path.display());
        }
        match ended {
            Ok(done) => self.done.extend(done),
            Err(_) => self.step("the second row of steps", || Err(anyhow!("it panicked"))),
        }
    }

    /// Keeps what was done so far for the site's page of what is proven.
    pub(crate) fn record(&self) -> Result<()> {
        let commit = run::program("git").args(["log", "-1", "--format=%h, of %cs"]).printed().unwrap_or_default();
        let mut kept = format!("Commit {}.\n\n| step | seconds | |\n| --- | --- | --- |\n", commit.trim());
        for (name, time, result) in &self.done {
            let cell = |text: &str| text.lines().next().unwrap_or_default().replace('|', "\\|");
            kept += &format!("| {} | {:.1} | {} |\n", cell(name), time.as_secs_f64(), cell(&verdict(result)));
        }
        let path = run::target().join(LAST_RUN);
        std::fs::write(&path, kept).with_context(|| path.display().to_string())
    }

    /// Prints the list; an error if a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!("\n── steps");
        for (name, time, result) in &self.done {
            match result {
                Ok(Outcome::Passed) => passed += 1,
                Ok(Outcome::Skipped(_)) => skipped += 1,
                Err(_) => failed += 1,
            }
            println!("{:>6.1} s  {name}: {}", time.as_secs_f64(), verdict(result));
        }
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.done.len());
        }
        Ok(())
    }
}

fn verdict(result: &Result<Outcome>) -> String {
    match result {
        Ok(Outcome::Passed) => "passed".to_owned(),
        Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
        Err(error) => format!("FAILED: {error}"),
    }
}

/// What `record` kept of the last run on this machine, as a table.
pub(crate) fn last_run() -> String {
    std::fs::read_to_string(run::target().join(LAST_RUN))
        .unwrap_or_else(|_| "`cargo xtask test` was not run here yet.".to_owned())
}
