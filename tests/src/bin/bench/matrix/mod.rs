//! `cargo xtask bench matrix`: a call on each kind of network that a phone meets, with real NATs, relays and resolvers, in network
//! namespaces. `cells.rs` has the kinds, `site.rs` makes them; `paths.rs` has long and lossy paths to begin a call on.

mod cells;
mod paths;
mod site;

use crate::network::{Outcome, chamada, namespaces};
use anyhow::{Context, Result, bail};
use cells::{CELLS, Cell, Expected};
use chamada_tests::proxy::HttpProxy;
use paths::PATHS;
use serde_json::Value;
use site::Site;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// From the call to the connection.
const SET_UP_MS: f64 = 3000.0;
/// From the state `connecting` to the word that there is no path yet, where there is none.
const TOLD: Duration = Duration::from_secs(3);
/// How long such a call may take in all: nothing is given up before a STUN server has had its eleven seconds.
const FAILS: Duration = Duration::from_secs(16);
/// Longest time for one call, with everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Calls on every kind of network that a phone meets: NATs, firewalls, IPv6 alone, proxies
#[derive(clap::Args)]
pub(crate) struct MatrixArgs {
    /// Only these kinds; all by default
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = names())]
    cell: Vec<String>,
    /// How many calls on each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
}

/// Runs an HTTP proxy until it is killed
#[derive(clap::Args)]
pub(crate) struct ProxyArgs {
    #[arg(long)]
    listen: SocketAddr,
}

fn names() -> Vec<&'static str> {
    CELLS.iter().map(|cell| cell.name).chain(PATHS.iter().map(|path| path.name)).collect()
}

/// Runs the proxy that a cell needs.
pub(crate) async fn proxy(args: ProxyArgs) -> Result<()> {
    let _proxy = HttpProxy::listen(args.listen).await?;
    std::future::pending().await
}

/// Makes a call on each network, until `stop` is set.
pub(crate) fn run(args: &MatrixArgs, stop: &AtomicBool) -> Result<Outcome> {
    let mut missing = namespaces::missing();
    for (program, package) in
        [("nft", "nftables"), ("turnserver", "coturn"), ("tayga", "tayga"), ("unbound", "unbound"), ("ss", "iproute2")]
    {
        if !Command::new("sh").args(["-c", &format!("command -v {program}")]).output()?.status.success() {
            missing.push(format!("{program} is not installed (Debian: {package})"));
        }
    }
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(missing.join("; ")));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-matrix");
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let programs = [chamada::program()?, std::env::current_exe()?];
    println!("{:<16}{:>9}{:>9}  {:<22}", "network", "set-up", "picture", "path");
    let mut failed = Vec::new();
    let wanted = |name: &str| args.cell.is_empty() || args.cell.iter().any(|wanted| wanted == name);
    for cell in CELLS.iter().filter(|cell| wanted(cell.name)) {
        for _ in 0..args.runs {
            let said = call(cell, &folder, &programs, stop);
            if stop.load(Ordering::Relaxed) {
                bail!("stopped");
            }
            let wrong = match said {
                Ok(ends) => {
                    println!("{}", row(cell, &ends));
                    fault(cell, &ends)
                }
                Err(error) => Some(format!("{error:#}")),
            };
            if let Some(wrong) = wrong {
                println!("{:<16}WRONG: {wrong} ({})", cell.name, cell.networks);
                failed.push(cell.name);
            }
        }
    }
    for path in PATHS.iter().filter(|path| wanted(path.name)) {
        for seed in 1..=path.seeds {
            let wrong = match path.call(seed, &folder, stop) {
                Ok((set_up, picture)) => {
                    println!("{:<16}{set_up:>6.0} ms{picture:>6.0} ms  from the callee's answer on", path.name);
                    (picture > path.picture_ms).then(|| format!("later than {} ms", path.picture_ms))
                }
                Err(error) => Some(format!("{error:#}")),
            };
            if stop.load(Ordering::Relaxed) {
                bail!("stopped");
            }
            if let Some(wrong) = wrong {
                println!("{:<16}WRONG: {wrong}", path.name);
                failed.push(path.name);
            }
        }
    }
    if failed.is_empty() {
        Ok(Outcome::Done)
    } else {
        bail!("wrong on {}; logs in target/bench-matrix", failed.join(", "))
    }
}

/// What caller and callee said at their ends, and how long it took in all.
struct Ends {
    caller: Value,
    callee: Value,
    took: Duration,
    /// From the caller's state `connecting` to its word that there is no path yet, and that word.
    no_path: Option<(Duration, String)>,
}

fn call(cell: &Cell, folder: &Path, [chamada, bench]: &[PathBuf; 2], stop: &AtomicBool) -> Result<Ends> {
    let (mut site, caller, callee) = cell.build(folder, [chamada, bench], stop)?;
    let deadline = Instant::now() + PATIENCE;
    start(&mut site, 'b', chamada, &["answer", "--name", "b"], &callee)?;
    site.processes().wait_for("logged-in", deadline).context("the callee")?;
    let began = Instant::now();
    start(&mut site, 'a', chamada, &["call", "b", "--name", "a", "--seconds", "2"], &caller)?;
    let mut ends = [None, None];
    let (mut connecting, mut no_path) = (None, None);
    while ends.contains(&None) {
        let said = site.processes().next(deadline).with_context(|| format!("the ends said {ends:?}"))?;
        let end = match said.by {
            'a' => 0,
            'b' => 1,
            _ => continue,
        };
        let event = said.line.as_deref().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
        match event {
            Some(event) if event["event"] == "summary" => ends[end] = Some(event),
            Some(event) if end == 0 && event["state"] == "connecting" => {
                connecting.get_or_insert(said.at);
            }
            Some(event) if end == 0 && event["event"] == "no-path-yet" => {
                let after = connecting.map(|since| said.at.duration_since(since)).unwrap_or_default();
                no_path.get_or_insert((after, event["why"].as_str().unwrap_or_default().to_owned()));
            }
            // It ended without a summary, as after bad arguments.
            None => ends[end] = ends[end].take().or(Some(Value::Null)),
            Some(_) => {}
        }
    }
    let [caller, callee] = ends.map(Option::unwrap_or_default);
    Ok(Ends { caller, callee, took: began.elapsed(), no_path })
}

fn start(site: &mut Site<'_>, letter: char, program: &Path, args: &[&str], more: &[String]) -> Result<()> {
    let mut args = args.to_vec();
    args.extend(["--allow-insecure", "--json", "--video", "test:320x240@30"]);
    args.extend(more.iter().map(String::as_str));
    site.start(letter, if letter == 'a' { "caller" } else { "callee" }, program, &args)
}

fn row(cell: &Cell, ends: &Ends) -> String {
    let ms = |value: &Value| value.as_f64().map_or("-".to_owned(), |ms| format!("{ms:.0} ms"));
    let pair = &ends.caller["candidate_pair"];
    let word = |key: &str| pair[key].as_str().unwrap_or_default().to_owned();
    let path = match ends.caller["error"].as_str() {
        Some(error) => error.to_owned(),
        None => format!("{} {} - {}", word("local"), word("relay_protocol"), word("remote")),
    };
    format!("{:<16}{:>9}{:>9}  {path}", cell.name, ms(&ends.caller["setup_ms"]), ms(&ends.caller["first_frame_ms"]))
}

/// What is not as it has to be, if anything is.
fn fault(cell: &Cell, ends: &Ends) -> Option<String> {
    if let Expected::Fails { why, end } = cell.expected {
        let said = ends.caller["error"].as_str().unwrap_or_default();
        let told = ends.no_path.as_ref().is_some_and(|(after, word)| *after <= TOLD && word == why);
        let wrong = !told || !said.contains(end) || ends.took > FAILS;
        return wrong.then(|| {
            format!("it said {:?}, and {said:?} after {:?}, and not {why} in 3 s and {end}", ends.no_path, ends.took)
        });
    }
    let set_up = ends.caller["setup_ms"].as_f64();
    if !set_up.is_some_and(|ms| ms <= SET_UP_MS) {
        return Some(format!("not connected in 3 s: {} and {}", ends.caller, ends.callee));
    }
    for end in [&ends.caller, &ends.callee] {
        if end["video_received"]["frames_decoded"].as_u64().unwrap_or(0) < 15 {
            return Some(format!("no pictures: {end}"));
        }
    }
    let pair = &ends.caller["candidate_pair"];
    let relayed = [&pair["local"], &pair["remote"]].iter().any(|kind| **kind == "relay");
    let as_expected = match cell.expected {
        Expected::Direct => !relayed,
        Expected::Relayed(None) => relayed,
        Expected::Relayed(Some(protocol)) => pair["relay_protocol"] == protocol,
        Expected::Any | Expected::Fails { .. } => true,
    };
    (!as_expected).then(|| format!("the path is {pair}, and not {:?}", cell.expected))
}
