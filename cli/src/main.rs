//! `chamada`: a demo, the server, and a phone-less peer that calls and answers.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to the person who runs it")]

mod args;
mod call;
mod demo;
mod exit;
mod output;
mod resources;
mod serve;
mod settings;
mod sources;
mod summary;
mod table;
mod texts;
mod view;

use args::{Args, Task};
use clap::Parser;
use std::process::ExitCode;

/// Warnings, but of the WebRTC crates only errors: they warn of what is replaced or retried on purpose.
const QUIET: &str = "warn,rtc=error,rtc_dtls=error,rtc_ice=error,rtc_interceptor=error,rtc_sctp=error,webrtc=error";

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let level = if args.verbose { "debug" } else { QUIET };
    env_logger::Builder::from_env(env_logger::Env::new().filter_or("CHAMADA_LOG", level)).init();
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
