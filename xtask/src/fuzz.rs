//! `cargo xtask fuzz`: the fuzz targets, guided by the coverage of all code that they reach, by libFuzzer on a stable toolchain.
//! See docs/decisions/0008-fuzzing.md.

use crate::run::{cargo, program, root, target};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

/// Coverage as libFuzzer wants it (LLVM's SanitizerCoverage), overflow and debug assertions on, and none of the sanitizers, which would
/// need a nightly toolchain and look for what safe Rust does not have.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks";
/// So long one input may take, in seconds.
const TIMEOUT: u32 = 10;
/// Most memory, in MiB, and longest input, in bytes.
const MEMORY: u32 = 1024;
const LONGEST: u32 = 16_384;

#[derive(clap::Args)]
pub(crate) struct FuzzArgs {
    /// This target alone; all by default. The folders in tests/fuzz/seeds are named after them
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// So many inputs for each
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    runs: u64,
    /// The seed of the chances taken; another one goes other ways
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
}

pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    let seeds = root().join("tests/fuzz/seeds");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&seeds)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if let Some(wanted) = &args.target {
        if !names.contains(wanted) {
            bail!("no target '{wanted}': there are {}", names.join(", "));
        }
        names.retain(|name| name == wanted);
    }
    let host = program("rustc").args(["--print", "host-tuple"]).printed()?;
    let host = host.trim();
    cargo(&["build", "--package", "chamada-fuzz", "--features", "libfuzzer", "--release", "--target", host])
        .env("RUSTFLAGS", FLAGS)
        .done()?;
    let binary = target().join(host).join("release/fuzz");
    let mut findings = 0;
    for name in &names {
        let start = Instant::now();
        let found = fuzz(&binary, &seeds, name, args)?;
        let result = if found { "A FINDING, see above" } else { "no findings" };
        println!("{name}: {} inputs in {:.0} s, {result}", args.runs, start.elapsed().as_secs_f64());
        findings += u32::from(found);
    }
    if findings > 0 {
        bail!("{findings} of {} targets have findings; their inputs are in target/fuzz", names.len());
    }
    Ok(())
}

/// Whether an input was found that goes wrong. What is new to the coverage is kept in target/fuzz for the next time.
fn fuzz(binary: &Path, seeds: &Path, name: &str, args: &FuzzArgs) -> Result<bool> {
    let kept = target().join("fuzz").join(name);
    std::fs::create_dir_all(&kept).context("target/fuzz cannot be made")?;
    let mut findings = OsString::from("-artifact_prefix=");
    findings.push(target().join("fuzz").join(format!("{name}-")));
    let run = program(binary).env("CHAMADA_FUZZ_TARGET", name).args([
        kept.into_os_string(),
        seeds.join(name).into_os_string(),
        format!("-runs={}", args.runs).into(),
        format!("-seed={}", args.seed).into(),
        format!("-timeout={TIMEOUT}").into(),
        format!("-rss_limit_mb={MEMORY}").into(),
        format!("-max_len={LONGEST}").into(),
        "-print_final_stats=1".into(),
        "-verbosity=0".into(),
        findings,
    ]);
    let Err(ended) = run.done() else { return Ok(false) };
    // Without an input that was kept, it was stopped from outside.
    let prefix = format!("{name}-");
    for entry in std::fs::read_dir(target().join("fuzz"))? {
        if entry?.file_name().to_string_lossy().starts_with(&prefix) {
            return Ok(true);
        }
    }
    Err(ended)
}
