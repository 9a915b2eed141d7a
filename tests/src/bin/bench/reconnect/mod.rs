//! `cargo xtask bench reconnect`: one call whose ends change their network again and again, and how long it takes until both see new
//! pictures.
//!
//! | file | has |
//! | --- | --- |
//! | `links.rs` | two links at each end, of which one has an address |
//! | `end.rs` | one end of the call: a client with synthetic devices in a process of its own |
//! | `mod.rs` | the switches and what they took |

mod end;
mod links;

pub(crate) use end::{EndArgs, run as end};

use crate::network::namespaces::{self, Side};
use crate::network::process::Processes;
use crate::network::{Outcome, chamada, target};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use links::Links;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ChildStdin;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the call may take to connect, and to come back after a switch before that counts as lost.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the call goes on between two switches.
const CALM: Duration = Duration::from_millis(1_500);
/// How long there is no network where the old one goes before the new one comes.
const HOLE: Duration = Duration::from_millis(300);
/// How long the same network is gone where it comes back.
const LONG_HOLE: Duration = Duration::from_secs(4);
/// What half of the switches may take, and 95 of 100.
const MARKS: [f64; 2] = [600.0, 1_500.0];

/// Measures how long a call takes to follow its ends from network to network
#[derive(clap::Args)]
pub(crate) struct ReconnectArgs {
    /// How many switches
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    switches: u32,
    /// Fail where an aim is missed
    #[arg(long)]
    gate: bool,
    /// Only these kinds, by turns; all but `hole`, `rebinding` and `families` by default
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<Kind>,
    /// Through a relay (coturn) alone
    #[arg(long)]
    relayed: bool,
    /// Delay of each link in each direction, in milliseconds; needs the kernel's netem
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    delay: u32,
}

/// What happens to the network of one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Kind {
    /// The new one is there before the old one goes, and the app is told
    Handover,
    /// The old one goes, 300 ms later the new one comes, and the app is told then
    Told,
    /// The same, and nobody tells the app
    Untold,
    /// The same network is gone for 4 s, and nobody tells the app
    Hole,
    /// A NAT on the way gives the end another address: nothing changes at the end itself, and what is sent to it is lost. Needs nftables;
    /// not with other kinds, and not relayed
    Rebinding,
    /// The caller goes from a network of IPv4 alone to one of IPv6 alone, or back: the old one goes, 300 ms later the new one comes, and
    /// nobody tells the app. Not with other kinds
    Families,
}

/// One switch.
struct Switch {
    kind: Kind,
    side: Side,
    /// From the moment at which the new network was there until both ends saw a picture that was taken after it.
    took: Option<Duration>,
}

/// Measures, until `stop` is set.
pub(crate) fn run(args: &ReconnectArgs, stop: &AtomicBool) -> Result<Outcome> {
    let missing = namespaces::missing();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(missing.join("; ")));
    }
    let folder = target().join("bench-reconnect");
    std::fs::create_dir_all(&folder)?;
    let mut call = Call::begin(args, &folder, stop)?;
    let kinds = match args.kind.as_slice() {
        [] => &[Kind::Handover, Kind::Told, Kind::Untold],
        kinds => kinds,
    };
    let mut switches = Vec::new();
    for (number, kind) in (0..args.switches).zip(kinds.iter().cycle()) {
        // Each kind at either end by turns.
        let stays = *kind == Kind::Families || (number as usize / kinds.len()).is_multiple_of(2);
        let side = if stays { Side::Caller } else { Side::Callee };
        let took = call.switch(*kind, side)?;
        println!(
            "{number:>4} {kind:?} at the {side:?}: {}",
            took.map_or("lost".into(), |t| format!("{} ms", t.as_millis()))
        );
        let lost = took.is_none();
        switches.push(Switch { kind: *kind, side, took });
        if lost {
            break;
        }
    }
    let (report, holds) = report(&switches);
    std::fs::write(target().join("bench-reconnect.json"), format!("{report:#}\n"))?;
    println!("written to target/bench-reconnect.json");
    if switches.iter().any(|switch| switch.took.is_none()) {
        bail!("the call did not come back");
    }
    if args.gate && !holds {
        bail!("the call came back too late");
    }
    Ok(Outcome::Done)
}

/// Prints a table, and returns the same as JSON, and whether the aims hold.
fn report(switches: &[Switch]) -> (serde_json::Value, bool) {
    let mut holds = true;
    let mut kinds: BTreeMap<Option<Kind>, Vec<f64>> = BTreeMap::new();
    for switch in switches {
        let Some(took) = switch.took else { continue };
        kinds.entry(None).or_default().push(took.as_secs_f64() * 1e3);
        kinds.entry(Some(switch.kind)).or_default().push(took.as_secs_f64() * 1e3);
    }
    println!("{:<12} {:>8} {:>10} {:>10} {:>10}", "kind", "switches", "p50 ms", "p95 ms", "max ms");
    let mut rows = Vec::new();
    for (kind, mut took) in kinds {
        took.sort_by(f64::total_cmp);
        let [p50, p95, max] = [0.5, 0.95, 1.0].map(|share| quantile(&took, share));
        let name = kind.map_or("all".to_owned(), |kind| format!("{kind:?}").to_lowercase());
        let is_late = kind.is_none() && (p50 > MARKS[0] || p95 > MARKS[1]);
        holds &= !is_late;
        let missed = if is_late { "   MISSED" } else { "" };
        println!("{name:<12} {:>8} {p50:>10.0} {p95:>10.0} {max:>10.0}{missed}", took.len());
        rows.push(json!({ "kind": name, "switches": took.len(), "p50_ms": p50, "p95_ms": p95, "max_ms": max }));
    }
    let lost = switches.iter().filter(|switch| switch.took.is_none()).count();
    println!("aims: p50 ≤ {} ms, p95 ≤ {} ms, none lost; lost: {lost}", MARKS[0], MARKS[1]);
    let each = |switch: &Switch| {
        let took = switch.took.map(|took| took.as_secs_f64() * 1e3);
        json!({ "kind": format!("{:?}", switch.kind), "side": format!("{:?}", switch.side), "took_ms": took })
    };
    (json!({ "kinds": rows, "lost": lost, "each": switches.iter().map(each).collect::<Vec<_>>() }), holds)
}

/// Of values in their order, the smallest that such a share of them does not exceed.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// A call that goes on.
struct Call<'a> {
    // In this order: the processes end before their namespaces go.
    ends: Processes<'a, Side>,
    inputs: [ChildStdin; 2],
    links: Links,
    /// Whether the caller is on a network of IPv6.
    has_v6: bool,
}

impl<'a> Call<'a> {
    fn begin(args: &ReconnectArgs, folder: &Path, stop: &'a AtomicBool) -> Result<Self> {
        let mut links = Links::create(args.delay)?;
        if args.kind.contains(&Kind::Families) {
            links.add_next_v6(Side::Callee)?;
        }
        let mut ends = Processes::new(stop);
        let ready = Instant::now() + PATIENCE;
        let errors = |who: &str| folder.join(format!("{who}.log"));
        let mut serve = links.command(Side::Server, &chamada::program()?);
        serve.args(["serve", "--listen", &format!("[::]:{}", links::PORT)]);
        ends.start(Side::Server, &mut serve, &errors("server"))?;
        ends.wait_for("Signaling on", ready).context("the server")?;
        if args.relayed {
            ends.start(Side::Server, &mut links.relay(), &errors("relay"))?;
        }
        let program = std::env::current_exe()?;
        let mut start = |side, name: &str, rest: &[&str]| {
            let mut command = links.command(side, &program);
            command.args(["end", "--name", name, "--server", &links::server_url()]).args(rest);
            if args.relayed {
                command.args(["--relay", &links::relay_url()]);
            }
            let input = ends.start_listening(side, &mut command, &errors(name))?;
            ends.wait_for("logged-in", ready).context(name.to_owned())?;
            anyhow::Ok(input)
        };
        let callee = start(Side::Callee, "b", &[])?;
        let caller = start(Side::Caller, "a", &["--call", "b"])?;
        let mut call = Self { ends, inputs: [caller, callee], links, has_v6: false };
        call.pictures_since(now_us(), PATIENCE)?.context("no pictures")?;
        Ok(call)
    }

    /// One switch; how long it took until both ends saw a new picture.
    fn switch(&mut self, kind: Kind, side: Side) -> Result<Option<Duration>> {
        self.calm()?;
        match kind {
            Kind::Handover => self.links.add_next(side)?,
            Kind::Told | Kind::Untold => {
                self.links.remove_old(side)?;
                std::thread::sleep(HOLE);
                self.links.add_next(side)?;
            }
            Kind::Rebinding => self.links.rebind(side)?,
            Kind::Families => {
                self.links.remove_family(side, self.has_v6)?;
                std::thread::sleep(HOLE);
                self.has_v6 = !self.has_v6;
                if self.has_v6 {
                    self.links.add_next_v6(side)?;
                } else {
                    self.links.add_next(side)?;
                }
            }
            Kind::Hole => {
                self.links.set_up(side, false)?;
                std::thread::sleep(LONG_HOLE);
                self.links.set_up(side, true)?;
            }
        }
        let since = now_us();
        if kind == Kind::Handover {
            self.links.remove_old(side)?;
        }
        if matches!(kind, Kind::Handover | Kind::Told) {
            let input = if side == Side::Caller { 0 } else { 1 };
            writeln!(self.inputs[input], "network-changed")?;
        }
        let seen = self.pictures_since(since, PATIENCE)?;
        Ok(seen.map(|at| Duration::from_micros(at.saturating_sub(since))))
    }

    /// Lets the call go on for a while.
    fn calm(&mut self) -> Result<()> {
        let until = Instant::now() + CALM;
        while Instant::now() < until {
            self.hear(until)?;
        }
        Ok(())
    }

    /// When both ends have seen a picture that was taken after this moment; nothing if that takes too long. Times are microseconds
    /// since 1970.
    fn pictures_since(&mut self, since: u64, patience: Duration) -> Result<Option<u64>> {
        let deadline = Instant::now() + patience;
        let mut seen = [None, None];
        while let [None, _] | [_, None] = seen {
            if Instant::now() >= deadline {
                return Ok(None);
            }
            if let Some((end, taken)) = self.hear(deadline)?
                && taken > since
            {
                let now = now_us();
                if seen[end].is_none() {
                    seen[end] = Some(now);
                    log::info!("after {} ms at end {end}", now.saturating_sub(since) / 1_000);
                }
            }
        }
        Ok(seen.into_iter().flatten().max())
    }

    /// Waits for a picture; which end saw it and when it was taken.
    fn hear(&mut self, deadline: Instant) -> Result<Option<(usize, u64)>> {
        let said = match self.ends.next(deadline) {
            Ok(said) => said,
            Err(_) if Instant::now() >= deadline => return Ok(None),
            Err(error) => return Err(error),
        };
        let end = match said.by {
            Side::Caller => 0,
            Side::Callee => 1,
            Side::Server => return Ok(None),
        };
        let Some(line) = said.line else { bail!("the {:?} ended", said.by) };
        if let Some(taken) = line.strip_prefix("picture ") {
            return Ok(Some((end, taken.parse()?)));
        }
        log::info!("{:?}: {line}", said.by);
        if line.starts_with("ended") {
            bail!("the call ended at the {:?}: {line}", said.by);
        }
        Ok(None)
    }
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.95, 1.0].map(|share| quantile(&values, share)), [50.0, 95.0, 100.0]);
        assert_eq!(quantile(&[7.0], 0.5), 7.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
