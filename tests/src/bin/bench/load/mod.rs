//! `bench server`: how many people one server has room for, what a public line costs beside the old server, and three nodes of which one
//! after the other is killed.

mod client;
mod kills;
mod old;
mod people;

use crate::{Figure, show, to_json};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Measures the server alone: many people, many lines, and nodes that die.
#[derive(clap::Args)]
pub(crate) struct LoadArgs {
    /// People on one server
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    people: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 50, value_name = "N")]
    rooms: usize,
    /// How often one of three nodes is killed; 0 leaves the cluster out
    #[arg(long, default_value_t = 100, value_name = "N")]
    kills: usize,
    /// The folder of an old server to compare with: `node FILE` in it, and `npm install` done
    #[arg(long, value_name = "FOLDER")]
    old: Option<PathBuf>,
    /// The old server's script in that folder
    #[arg(long, value_name = "FILE", default_value = "server.js")]
    old_script: String,
    /// Where the old server listens
    #[arg(long, value_name = "PORT", default_value_t = 6503)]
    old_port: u16,
}

/// A server in a process of its own; killed when this is dropped.
struct Served {
    process: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What lets one machine play so many people; `docs/operating.md` tells an operator the same.
const SETTINGS: &str = "[limits]\nconnections = 12000\nlines-per-second = 100000\nlines-burst = 100000\nfan-out-per-second = 4000000000\n\
                        fan-out-burst = 4000000000\nbytes-per-second = 100000000\nbytes-burst = 100000000\nmessages-per-second = 100000\n\
                        burst = 100000\nrenames-per-minute = 100000\n";

/// `chamada serve` on a free port with these further arguments; it says on its first line where it listens.
fn serve(more: &[&str]) -> Result<Served> {
    let settings = std::env::temp_dir().join(format!("chamada-bench-{}.toml", std::process::id()));
    std::fs::write(&settings, SETTINGS)?;
    let binary = std::env::current_exe()?.with_file_name("chamada");
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(settings).args(more);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    let stdout = process.stdout.take().context("no standard output")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let url = line.split_whitespace().find(|word| word.starts_with("ws://")).context("the server said no URL")?;
    Ok(Served { process, url: url.to_owned() })
}

pub(crate) async fn run(args: &LoadArgs) -> Result<()> {
    client::raise_file_limit();
    let mut figures = people::measure(args.people, args.rooms).await?;
    let ours = people::lines_per_cpu_second(&serve(&[])?, Duration::from_secs(8)).await?;
    figures.extend(show(vec![Figure::new("public lines to 200 people, per CPU second", ours, "lines")]));
    if let Some(folder) = &args.old {
        let old = old::serve(folder, &args.old_script, args.old_port).await?;
        let theirs = people::lines_per_cpu_second(&old, Duration::from_secs(8)).await?;
        figures.extend(show(vec![
            Figure::new("public lines to 200 people, per CPU second, old server", theirs, "lines"),
            Figure::new("public lines, times the old server's", ours / theirs, ""),
        ]));
    } else {
        println!("skipped: without --old FOLDER there is no old server to compare with");
    }
    if args.kills > 0 {
        match kills::measure(args.kills).await? {
            Some(measured) => figures.extend(show(measured)),
            None => println!("skipped: there is no nats-server (Debian: apt install nats-server)"),
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-server.json");
    std::fs::write(&path, format!("{:#}\n", to_json(&figures)))?;
    println!("written to target/bench-server.json");
    Ok(())
}

/// The value that `share` of all are not above.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
