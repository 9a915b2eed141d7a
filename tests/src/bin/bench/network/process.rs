//! A child process, read line by line.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often a wait looks whether the bench is to stop.
const LOOK: Duration = Duration::from_millis(200);

/// Something that a child wrote, or its end.
pub(crate) struct Said<T> {
    pub(crate) by: T,
    pub(crate) at: Instant,
    /// A line of standard output; `None` when that is closed.
    pub(crate) line: Option<String>,
}

/// Starts children and hears all of them.
pub(crate) struct Processes<'a, T> {
    stop: &'a AtomicBool,
    sender: Sender<Said<T>>,
    receiver: Receiver<Said<T>>,
    children: Vec<Child>,
}

impl<'a, T: Copy + Send + 'static> Processes<'a, T> {
    /// `stop` ends every wait.
    pub(crate) fn new(stop: &'a AtomicBool) -> Self {
        let (sender, receiver) = channel();
        Self { stop, sender, receiver, children: Vec::new() }
    }

    /// Starts one; what it writes to standard error goes to a file.
    pub(crate) fn start(&mut self, by: T, command: &mut Command, errors: &Path) -> Result<()> {
        self.spawn(by, command.stdin(Stdio::null()), errors).map(drop)
    }

    /// Starts one that listens to its standard input.
    pub(crate) fn start_listening(&mut self, by: T, command: &mut Command, errors: &Path) -> Result<ChildStdin> {
        self.spawn(by, command.stdin(Stdio::piped()), errors)?.context("no standard input")
    }

    fn spawn(&mut self, by: T, command: &mut Command, errors: &Path) -> Result<Option<ChildStdin>> {
        let file = File::create(errors).with_context(|| errors.display().to_string())?;
        command.stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().with_context(|| format!("cannot run {:?}", command.get_program()))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("no standard output")?;
        self.children.push(child);
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(Said { by, at: Instant::now(), line: Some(line) }).is_err() {
                    return;
                }
            }
            let _ = sender.send(Said { by, at: Instant::now(), line: None });
        });
        Ok(input)
    }

    /// The next thing that one of them says.
    pub(crate) fn next(&self, deadline: Instant) -> Result<Said<T>> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                bail!("stopped");
            }
            match self.receiver.recv_timeout(LOOK.min(deadline.saturating_duration_since(Instant::now()))) {
                Ok(said) => return Ok(said),
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
                Err(_) => bail!("waited in vain"),
            }
        }
    }

    /// Waits for a line that contains a text.
    pub(crate) fn wait_for(&self, text: &str, deadline: Instant) -> Result<()> {
        loop {
            match self.next(deadline).with_context(|| format!("for {text}"))?.line {
                Some(line) if line.contains(text) => return Ok(()),
                Some(_) => {}
                None => bail!("a program ended before it said {text}"),
            }
        }
    }
}

impl<T> Drop for Processes<'_, T> {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
