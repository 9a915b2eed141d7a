//! `cargo xtask …`: the one tool for working on Chamada. CI calls it too.
#![allow(clippy::print_stdout, reason = "a tool talks to the person who runs it")]

mod android;
mod android_api;
mod android_check;
mod android_libraries;
mod android_shrink;
mod api;
mod bindings;
mod browser;
mod deny;
mod elf;
mod fuzz;
mod interop;
mod ios;
mod ios_check;
mod ios_metadata;
mod ios_types;
mod phones;
mod release;
mod run;
mod setup;
mod site;
mod size;
mod steps;
mod swift;
mod texts;

use anyhow::Result;
use clap::{Parser, Subcommand};
use steps::{Outcome, Steps};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and measures Chamada")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the build needs (libvpx, nasm, cmake, clang); with --tests also what the tests need (Chromium, …)
    Setup {
        /// Also what the tests need
        #[arg(long)]
        tests: bool,
    },
    /// Set up, then run the demo: `cargo run --release`
    Demo {
        /// Passed on to `chamada`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything CI checks: formatting, lint, licences, tests, page and browsers
    Test,
    /// Formatting and lint only
    Lint,
    /// The page's own tests in Chromium, and those of its modules in Node.js
    Browser,
    /// Calls with other implementations of WebRTC, as far as they can be brought along
    Interop,
    /// Type-check the core and the bindings for Android and iOS; needs neither NDK nor Xcode
    CheckPhones,
    /// The library for Android and the AAR around it; needs an NDK and cargo-ndk
    Android {
        /// With the demonstration that the sample app offers: a server and a synthetic peer in the library
        #[arg(long)]
        demo: bool,
    },
    /// The library and the app for Android: compiled against the framework, resources linked, tested, screens drawn, and a call
    /// held by classes that R8 shrank; needs no Android SDK
    AndroidCheck,
    /// The XCFramework for iPhones, their simulator and Macs; needs a Mac with Xcode
    Ios {
        /// With the demo that the sample app offers: a server and a synthetic peer in the library
        #[arg(long)]
        demo: bool,
    },
    /// Everything that a release has, in target/release-artifacts: crates, a Maven repository, the AAR, the Swift package, bills of
    /// materials, checksums, and what is new. Nothing is uploaded
    Release(release::ReleaseArgs),
    /// The documentation as pages of HTML, in target/site: links and code are checked
    Site,
    /// How large the library for apps is, stripped and compressed; fails where it is larger than it may be
    Size {
        /// Also with the demo, and with all software codecs
        #[arg(long)]
        all: bool,
    },
    /// The Kotlin bindings: generated, compiled, and tested in real calls with the Rust peer
    Kotlin {
        /// Then measure: µs per picture in and out
        #[arg(long)]
        bench: bool,
    },
    /// The Swift bindings: generated, compiled, and tested in real calls with the Rust peer; brings a Swift along where
    /// none is installed
    Swift,
    /// ChamadaKit's logic, built and tested on Linux too, and every Swift file of the app, parsed and type-checked against
    /// declarations of Apple's frameworks
    IosCheck,
    /// What each package offers to others, compared with docs/api
    Api {
        /// Write docs/api anew instead
        #[arg(long)]
        write: bool,
        /// That of these languages alone; Kotlin is both Android libraries too
        #[arg(long, value_delimiter = ',')]
        only: Vec<api::Language>,
    },
    /// What people read: each platform's files, written from docs/texts.json
    Texts,
    /// The bindings' memory tests under valgrind
    Valgrind,
    /// The fuzz targets, guided by coverage; what they find is kept in target/fuzz
    Fuzz(fuzz::FuzzArgs),
    /// Measure: set-up time, codecs, delay, CPU and memory, the server; prints a table and writes target/bench.json. `bench network`
    /// measures calls on narrow, long and lossy paths beside Chromium, `bench reconnect` calls whose ends change their network; both
    /// need root, and write target/bench-network.json and target/bench-reconnect.json. `bench soak` makes many calls with faults and sees
    /// whether memory, descriptors and threads stay flat. `bench server` measures the server with 10,000 people, and three nodes of which
    /// one after the other is killed
    Bench {
        /// Passed on to the bench
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> Result<()> {
    let args = Args::parse();
    std::env::set_current_dir(run::root())?;
    match args.task {
        Task::Setup { tests } => setup::run(tests),
        Task::Demo { args } => {
            setup::run(false)?;
            run::cargo(&["run", "--release", "--package", "chamada-cli", "--"]).args(args).done()
        }
        Task::Lint => {
            let mut steps = Steps::default();
            lint(&mut steps);
            steps.finish()
        }
        Task::Browser => {
            setup::run(true)?;
            let mut steps = Steps::default();
            browser::steps(&mut steps);
            steps.finish()
        }
        Task::Interop => {
            setup::run(true)?;
            let mut steps = Steps::default();
            interop::steps(&mut steps);
            steps.finish()
        }
        Task::CheckPhones => {
            let mut steps = Steps::default();
            phones::steps(&mut steps);
            steps.finish()
        }
        Task::Android { demo } => android::run(demo),
        Task::AndroidCheck => {
            setup::run(true)?;
            let mut steps = Steps::default();
            texts::steps(&mut steps);
            android_check::alone(&mut steps);
            steps.finish()
        }
        Task::Ios { demo } => ios::run(demo),
        Task::Release(args) => release::run(&args),
        Task::Site => {
            let mut steps = Steps::default();
            site::steps(&mut steps);
            steps.finish()
        }
        Task::Size { all } => size::run(all),
        Task::Kotlin { bench } => {
            setup::run(true)?;
            if bench {
                return bindings::kotlin_bench();
            }
            let mut steps = Steps::default();
            bindings::kotlin(&mut steps);
            steps.finish()
        }
        Task::Swift => {
            setup::run(true)?;
            let mut steps = Steps::default();
            swift::steps(&mut steps);
            steps.finish()
        }
        Task::IosCheck => {
            setup::run(true)?;
            let mut steps = Steps::default();
            texts::steps(&mut steps);
            ios_check::steps(&mut steps);
            steps.finish()
        }
        Task::Texts => texts::write(),
        Task::Api { write, only } => {
            setup::run(true)?;
            let mut steps = Steps::default();
            api::alone(&mut steps, if write { api::Mode::Write } else { api::Mode::Check }, &only);
            steps.finish()
        }
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Valgrind => {
            setup::run(true)?;
            let mut steps = Steps::default();
            bindings::valgrind(&mut steps);
            steps.finish()
        }
        Task::Bench { args }
            if args.first().is_some_and(|first| ["network", "matrix", "reconnect"].contains(&first.as_str())) =>
        {
            setup::run(false)?;
            let mut steps = Steps::default();
            steps.step("calls in namespaces", || {
                run::cargo(&["build", "--release", "--workspace", "--bins"]).done()?;
                run::program(run::target().join("release/bench")).args(args).passes_or_skips()
            });
            steps.finish()
        }
        Task::Bench { args }
            if args.first().is_some_and(|first| ["attacks", "server", "soak"].contains(&first.as_str())) =>
        {
            run::cargo(&["build", "--release", "--workspace", "--bins"]).done()?;
            let bench = run::program(run::target().join("release/bench")).args(&args);
            // With an arena for each thread, as glibc has it, memory that was freed looks like memory that leaks.
            let soak = args.first().is_some_and(|first| first == "soak");
            if soak { bench.env("MALLOC_ARENA_MAX", "1").done() } else { bench.done() }
        }
        Task::Bench { args } => {
            setup::run(false)?;
            run::cargo(&["build", "--release", "--workspace", "--bins"]).done()?;
            run::program(run::target().join("release/bench")).args(args).done()
        }
        Task::Test => {
            let mut steps = Steps::default();
            steps.step("set-up", || setup::run(true).map(|()| Outcome::Passed));
            lint(&mut steps);
            api::rust(&mut steps, api::Mode::Check);
            api::changelog(&mut steps);
            deny::steps(&mut steps);
            texts::steps(&mut steps);
            steps.step("the core without its client builds", || {
                run::cargo(&["check", "--package", "chamada-server"]).passes()
            });
            steps.step("tests", || run::cargo(&["test", "--workspace"]).passes());
            steps.step("relayed calls by coturn", relayed_calls);
            steps.step("calls on a narrow and on a lossy path", calls_on_paths);
            steps.step("calls on every kind of network", calls_on_networks);
            steps.step("a call whose ends change their network", || calls_on_the_move(&[]));
            steps.step("a call between networks of IPv4 and of IPv6 alone", || {
                calls_on_the_move(&["--kind", "families"])
            });
            let calls = |steps: &mut Steps| {
                browser::steps(steps);
                interop::steps(steps);
            };
            let bindings_and_apps = |steps: &mut Steps| {
                phones::steps(steps);
                bindings::valgrind(steps);
                bindings::kotlin(steps);
                android_check::steps(steps);
                swift::steps(steps);
                ios_check::steps(steps);
                release::quick(steps);
            };
            // Calls with browsers wait most of their time.
            steps.side_by_side(calls, bindings_and_apps);
            steps.record()?;
            site::steps(&mut steps);
            steps.finish()
        }
    }
}

fn lint(steps: &mut Steps) {
    steps.step("formatting", || run::cargo(&["fmt", "--all", "--check"]).passes());
    steps.step("clippy", || {
        run::cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]).passes()
    });
    steps.step("documentation", || {
        run::cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "--deny warnings")
            .passes()
    });
}

/// Two calls of 20 s, one on 1 Mbit/s and one with 5 % loss.
fn calls_on_paths() -> Result<Outcome> {
    run::build_debug().done()?;
    run::program(run::target().join("debug/bench")).args(["network", "--gate"]).passes_or_skips()
}

/// A call through each kind of NAT, firewall, relay and proxy.
fn calls_on_networks() -> Result<Outcome> {
    run::build_debug().done()?;
    run::program(run::target().join("debug/bench")).args(["matrix"]).passes_or_skips()
}

/// Six switches from one network to another, and how soon both sides see new pictures.
fn calls_on_the_move(args: &[&str]) -> Result<Outcome> {
    run::build_debug().done()?;
    run::program(run::target().join("debug/bench"))
        .args(["reconnect", "--gate", "--switches", "6"])
        .args(args)
        .passes_or_skips()
}

fn relayed_calls() -> Result<Outcome> {
    if !setup::has_turn() {
        return Ok(Outcome::Skipped("coturn is not installed".into()));
    }
    run::cargo(&[
        "test",
        "--workspace",
        "--test",
        "end_to_end",
        "--test",
        "integration",
        "--",
        "--ignored",
        "paths::",
        "turn::",
    ])
    .passes()
}
