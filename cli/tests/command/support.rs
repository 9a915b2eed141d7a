//! The command, run and watched.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of the test's own, gone at its end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chamada-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The command at work; killed when the test ends before it does.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// How the command ended and what it said.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Ended {
    /// The last line, which must be the summary.
    pub(crate) fn summary(&self) -> Value {
        let last = self.stdout.last().unwrap_or_else(|| panic!("no output; standard error: {}", self.stderr));
        let summary: Value = serde_json::from_str(last).unwrap();
        assert_eq!(summary["event"], "summary", "{last}");
        summary
    }
}

pub(crate) fn chamada_in(folder: &Path, args: &[&str]) -> Running {
    start(folder, args, Stdio::null())
}

/// With somebody at the keyboard.
pub(crate) fn chamada_typed(args: &[&str]) -> Running {
    start(Path::new("."), args, Stdio::piped())
}

fn start(folder: &Path, args: &[&str], stdin: Stdio) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chamada"))
        .args(args)
        .current_dir(folder)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Running { child, lines }
}

pub(crate) fn chamada(args: &[&str]) -> Running {
    chamada_in(Path::new("."), args)
}

impl Running {
    /// The next line with this text in it.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        let search = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(text) {
                    return line;
                }
            }
            panic!("it ended without '{text}'");
        };
        timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("no '{text}' in time"))
    }

    pub(crate) async fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn ends(mut self) -> Ended {
        let end = async {
            let mut stdout = Vec::new();
            while let Some(line) = self.lines.next_line().await.unwrap() {
                stdout.push(line);
            }
            let mut stderr = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
            Ended { code: self.child.wait().await.unwrap().code().unwrap(), stdout, stderr }
        };
        timeout(PATIENCE, end).await.expect("it does not end")
    }

    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }
}

/// A server on a free port.
pub(crate) async fn server() -> (Running, String) {
    let mut server = chamada(&["serve", "--listen", "127.0.0.1:0"]);
    let line = server.line_with("ws://").await;
    let url = line.split_whitespace().find(|word| word.starts_with("ws://")).unwrap().to_owned();
    (server, url)
}

pub(crate) const SMALL: &str = "test:320x240@30";
