//! `cargo xtask bench`: what a call costs, in numbers. A benchmark, not a test: it fails only if something does not work.
#![allow(clippy::print_stdout, missing_docs, reason = "a benchmark talks to the person who runs it")]

mod attacks;
mod calls;
mod codecs;
mod files;
mod load;
mod matrix;
mod network;
mod reconnect;
mod server;
mod soak;
mod usage;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code that says that this machine cannot do what was asked, as in GNU Automake's test protocol. The last line printed
/// says why.
const SKIPPED: u8 = 77;

/// One measured figure.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// Not more than this is what we aim at.
    aim: Option<f64>,
}

impl Figure {
    fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, aim: None }
    }

    fn aim(mut self, most: f64) -> Self {
        self.aim = Some(most);
        self
    }
}

/// Measures what a call costs.
#[derive(Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    /// Only these parts; all by default
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Calls in a row over which memory is watched
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(3..))]
    calls: u32,
    /// Size of the file that is sent, in MiB
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1_048_576))]
    mib: u64,
}

#[derive(Subcommand)]
enum Task {
    Network(network::NetworkArgs),
    Server(load::LoadArgs),
    /// What strangers can do to others at the server, and what it costs them
    Attacks,
    Reconnect(reconnect::ReconnectArgs),
    Soak(soak::SoakArgs),
    #[command(hide = true)]
    End(reconnect::EndArgs),
    Matrix(matrix::MatrixArgs),
    #[command(hide = true)]
    Proxy(matrix::ProxyArgs),
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// Encoders and decoders alone
    Codecs,
    /// From call to connected and to the first picture
    SetUp,
    /// Delay, CPU and memory of one call
    Talk,
    /// Memory over many calls
    Row,
    /// Speed and memory of a file beside a call
    Files,
    /// The server with 1,000 people
    Server,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    env_logger::builder().format_timestamp_millis().init();
    let args = Args::parse();
    match args.task {
        Some(Task::Network(args)) => until_stopped(move |stop| network::run(&args, stop)).await,
        Some(Task::Reconnect(args)) => until_stopped(move |stop| reconnect::run(&args, stop)).await,
        Some(Task::End(args)) => reconnect::end(args).await.map(|()| ExitCode::SUCCESS),
        Some(Task::Server(args)) => load::run(&args).await.map(|()| ExitCode::SUCCESS),
        Some(Task::Attacks) => {
            show(attacks::measure().await?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Task::Soak(args)) => soak::run(&args).await,
        Some(Task::Matrix(args)) => until_stopped(move |stop| matrix::run(&args, stop)).await,
        Some(Task::Proxy(args)) => matrix::proxy(args).await.map(|()| ExitCode::SUCCESS),
        None => here(&args).await.map(|()| ExitCode::SUCCESS),
    }
}

/// Work that takes down what it set up at Ctrl-C.
async fn until_stopped(
    work: impl FnOnce(&AtomicBool) -> Result<network::Outcome> + Send + 'static,
) -> Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let mut work = tokio::task::spawn_blocking(move || work(&seen));
    let outcome = tokio::select! {
        outcome = &mut work => outcome,
        () = stop_signal() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    match outcome?? {
        network::Outcome::Done => Ok(ExitCode::SUCCESS),
        network::Outcome::Skipped(why) => {
            println!("skipped: {why}");
            Ok(ExitCode::from(SKIPPED))
        }
    }
}

/// Completes at Ctrl-C or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            log::warn!("SIGTERM cannot be awaited: {error}");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Everything that needs no path.
async fn here(args: &Args) -> Result<()> {
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let mut figures = Vec::new();
    if wanted(Part::Codecs) {
        figures.extend(show(codecs::measure()?));
    }
    if wanted(Part::SetUp) {
        figures.extend(show(calls::set_up().await?));
    }
    if wanted(Part::Talk) {
        figures.extend(show(calls::talk().await?));
    }
    if wanted(Part::Row) {
        figures.extend(show(calls::in_a_row(args.calls).await?));
    }
    if wanted(Part::Files) {
        figures.extend(show(files::measure(args.mib).await?));
    }
    if wanted(Part::Server) {
        figures.extend(show(server::measure().await?));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench.json");
    std::fs::write(&path, format!("{:#}\n", to_json(&figures)))?;
    println!("written to target/bench.json");
    Ok(())
}

fn show(figures: Vec<Figure>) -> Vec<Figure> {
    for Figure { name, value, unit, aim } in &figures {
        let aim = aim
            .map_or_else(String::new, |aim| format!("   aim ≤ {aim}{}", if *value <= aim { "" } else { "   MISSED" }));
        println!("{name:<52} {value:>10.2} {unit:<8}{aim}");
    }
    figures
}

fn to_json(figures: &[Figure]) -> Value {
    figures
        .iter()
        .map(|figure| json!({ "name": figure.name, "value": figure.value, "unit": figure.unit, "aim": figure.aim }))
        .collect()
}
