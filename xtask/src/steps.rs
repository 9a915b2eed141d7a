//! A list of steps that are all run, each passed, failed or skipped with its reason.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

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
        println!("\n── {name}");
        let start = Instant::now();
        let result = work();
        if let Err(error) = &result {
            println!("{name} failed: {error:#}");
        }
        self.done.push((name.to_owned(), start.elapsed(), result));
    }

    /// Prints the list; an error if a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!("\n── steps");
        for (name, time, result) in &self.done {
            let verdict = match result {
                Ok(Outcome::Passed) => {
                    passed += 1;
                    "passed".to_owned()
                }
                Ok(Outcome::Skipped(why)) => {
                    skipped += 1;
                    format!("skipped: {why}")
                }
                Err(error) => {
                    failed += 1;
                    format!("FAILED: {error}")
                }
            };
            println!("{:>6.1} s  {name}: {verdict}", time.as_secs_f64());
        }
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.done.len());
        }
        Ok(())
    }
}
