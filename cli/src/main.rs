//! `chamada`: a demo, the server, and a phone-less peer that calls and answers.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to the person who runs it")]

mod args;
mod call;
mod demo;
mod exit;
mod files;
mod output;
mod resources;
mod serve;
mod settings;
mod sources;
mod summary;
mod table;
mod texts;
mod typed;
mod verify;
mod view;

use args::{Args, Task};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use settings::LogFormat;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Warnings, but of the WebRTC crates only errors: they warn of what is replaced or retried on purpose.
const QUIET: &str = "warn,rtc=error,rtc_dtls=error,rtc_ice=error,rtc_interceptor=error,rtc_sctp=error,webrtc=error";

/// The server alone, whose log its operator reads.
const SERVING: &str = "info";

/// Standard error hears what `CHAMADA_LOG` asks for, or what is usual for the task.
fn start_log(args: &Args) {
    let (usual, format) = match &args.task {
        Some(Task::Serve(serve)) => (SERVING, serve.log_format),
        _ => (QUIET, LogFormat::Text),
    };
    let usual = if args.verbose { "debug" } else { usual };
    let filter = EnvFilter::try_from_env("CHAMADA_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a second call could fail.
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if args.task.is_some() && (args.demo.seconds.is_some() || args.demo.json) {
        // Without a command they are the demo's. Ends the process with code 2.
        let said = "--json and --seconds stand behind the command that they are for: chamada call --json …";
        Args::command().error(ErrorKind::ArgumentConflict, said).exit();
    }
    start_log(&args);
    let ended = match args.task.unwrap_or(Task::Demo(args.demo)) {
        Task::Demo(args) => demo::run(args).await,
        Task::Serve(args) => serve::run(*args).await,
        Task::Call(args) => call::call(args).await,
        Task::Answer(args) => call::answer(args).await,
        Task::Token(args) => serve::token(&args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("chamada: {failure}");
            failure.code()
        }
    }
}
