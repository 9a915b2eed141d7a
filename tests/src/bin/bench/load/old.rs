//! An old server, written for Node.js.

use super::Served;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;

pub(super) async fn serve(folder: &Path, script: &str, port: u16) -> Result<Served> {
    let mut command = Command::new("node");
    command.arg(script).current_dir(folder).env("PORT", port.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = command.spawn().context("node cannot be started")?;
    let served = Served { process, url: format!("ws://127.0.0.1:{port}") };
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(served);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the old server does not listen on port {port}")
}
