//! `cargo xtask bench network`: calls over paths that are narrow, long and lossy, in real time over real sockets, beside Chromium
//! on the same paths.
//!
//! | file | has |
//! | --- | --- |
//! | `scenario.rs`, `scenarios.rs` | what a path and its marks are; the paths |
//! | `shaper.rs` | what happens to a packet on a path, in virtual time |
//! | `relay.rs`, `namespaces.rs` | the path itself: TUN devices in network namespaces |
//! | `scene.rs` | what is sent |
//! | `call.rs`, `chamada.rs`, `chromium.rs`, `process.rs` | a call, ours and Chromium's |
//! | `observed.rs`, `measure.rs` | what the ends told, and what follows from it and the path's log |
//! | `report.rs`, `picture.rs` | table, JSON, drawings |

pub(crate) mod call;
pub(crate) mod chamada;
mod chromium;
mod measure;
pub(crate) mod namespaces;
mod observed;
mod picture;
pub(crate) mod process;
pub(crate) mod relay;
mod report;
pub(crate) mod scenario;
mod scenarios;
pub(crate) mod scene;
mod shaper;

use anyhow::{Context, Result, bail};
use call::{Call, Codec};
use clap::ValueEnum;
use measure::Run;
use namespaces::Namespaces;
use relay::Relay;
use scenario::{Leg, Scenario};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Capacity of the direction back to the caller, at least, in kbit/s.
const BACK_KBPS: u32 = 10_000;

/// Measures calls on narrow, long and lossy paths
#[derive(clap::Args)]
pub(crate) struct NetworkArgs {
    /// Only these paths; all by default
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = names())]
    scenario: Vec<String>,
    /// Whose calls
    #[arg(long, value_enum, value_name = "PEER", default_value = "both")]
    peer: Peers,
    /// Which video codec
    #[arg(long, value_enum, value_name = "CODEC", default_value = "both")]
    codec: Codecs,
    /// How many calls of each kind; the medians count
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// End each call after so many seconds instead of the path's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=3600))]
    seconds: Option<u32>,
    /// As narrow from the callee to the caller as the other way, instead of 10 Mbit/s
    #[arg(long)]
    symmetric: bool,
    /// Two short calls of ours alone, on a narrow and on a lossy path; fails where a mark is missed
    #[arg(long, conflicts_with_all = ["scenario", "peer", "codec", "runs", "seconds", "symmetric"])]
    gate: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Peers {
    Chamada,
    Chromium,
    Both,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Codecs {
    Vp8,
    H264,
    Both,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Peer {
    Chamada,
    Chromium,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Chamada => "chamada",
            Self::Chromium => "chromium",
        }
    }
}

/// How it went, if nothing failed.
pub(crate) enum Outcome {
    Done,
    /// This machine cannot do it, and why.
    Skipped(String),
}

fn names() -> Vec<&'static str> {
    scenarios::ALL.iter().chain(scenarios::GATES).map(|scenario| scenario.name).collect()
}

/// Measures, until `stop` is set.
pub(crate) fn run(args: &NetworkArgs, stop: &AtomicBool) -> Result<Outcome> {
    let missing = namespaces::missing();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(missing.join("; ")));
    }
    let mut peers = match args.peer {
        _ if args.gate => vec![Peer::Chamada],
        Peers::Chamada => vec![Peer::Chamada],
        Peers::Chromium => vec![Peer::Chromium],
        Peers::Both => vec![Peer::Chamada, Peer::Chromium],
    };
    if peers.contains(&Peer::Chromium) {
        let missing = chromium::missing();
        if !missing.is_empty() {
            println!("without Chromium: {}", missing.join("; "));
            peers.retain(|peer| *peer != Peer::Chromium);
        }
        if peers.is_empty() {
            return Ok(Outcome::Skipped(missing.join("; ")));
        }
    }
    let bench = Bench::prepare(args, peers, stop)?;
    bench.measure()
}

struct Bench<'a> {
    args: &'a NetworkArgs,
    peers: Vec<Peer>,
    stop: &'a AtomicBool,
    /// Where pictures, drawings and logs go.
    folder: PathBuf,
}

impl<'a> Bench<'a> {
    fn prepare(args: &'a NetworkArgs, peers: Vec<Peer>, stop: &'a AtomicBool) -> Result<Self> {
        let folder = target().join("bench-network");
        std::fs::create_dir_all(&folder)?;
        let bench = Self { args, peers, stop, folder: folder.canonicalize()? };
        scene::write_video(&bench.video())?;
        scene::write_audio(&bench.audio())?;
        Ok(bench)
    }

    fn video(&self) -> PathBuf {
        self.folder.join("scene.y4m")
    }

    fn audio(&self) -> PathBuf {
        self.folder.join("scene.wav")
    }

    fn scenarios(&self) -> Vec<&'static Scenario> {
        if self.args.gate {
            return scenarios::GATES.iter().collect();
        }
        let wanted = &self.args.scenario;
        if wanted.is_empty() {
            return scenarios::ALL.iter().collect();
        }
        let known = scenarios::ALL.iter().chain(scenarios::GATES);
        known.filter(|scenario| wanted.iter().any(|name| name == scenario.name)).collect()
    }

    fn codecs(&self) -> &'static [Codec] {
        match self.args.codec {
            _ if self.args.gate => &[Codec::Vp8],
            Codecs::Vp8 => &[Codec::Vp8],
            Codecs::H264 => &[Codec::H264],
            Codecs::Both => &[Codec::Vp8, Codec::H264],
        }
    }

    fn measure(&self) -> Result<Outcome> {
        let (mut results, mut failed, mut missed) = (Vec::new(), 0, 0);
        for scenario in self.scenarios() {
            for codec in self.codecs() {
                let (result, failures) = self.calls(scenario, *codec)?;
                failed += failures;
                missed += result.missed();
                println!("{}", result.table());
                self.draw(&result)?;
                results.push(result.to_json());
                // After each, so that what was measured is there if the rest is stopped.
                let all = json!({ "results": results });
                std::fs::write(target().join("bench-network.json"), format!("{all:#}\n"))?;
            }
        }
        println!("written to target/bench-network.json, drawn to target/bench-network/*.svg");
        if failed > 0 {
            bail!("{failed} calls did not come about");
        }
        if self.args.gate && missed > 0 {
            bail!("{missed} marks missed");
        }
        Ok(Outcome::Done)
    }

    /// The calls on one path with one codec, the products by turns; how many failed as well.
    fn calls<'s>(&self, scenario: &'s Scenario, codec: Codec) -> Result<(report::Result<'s>, usize)> {
        let (mut runs, mut failed) = (Vec::new(), 0);
        let wanted = if self.args.gate { 1 } else { self.args.runs };
        for number in 0..wanted {
            for peer in &self.peers {
                match self.call(scenario, codec, *peer, number) {
                    Ok(run) => runs.push((*peer, run)),
                    Err(error) if self.stop.load(Ordering::Relaxed) => return Err(error),
                    Err(error) => {
                        println!("{}, {}: {error:#}", scenario.name, peer.name());
                        failed += 1;
                    }
                }
            }
        }
        Ok((report::Result { scenario, codec, runs }, failed))
    }

    fn call(&self, scenario: &Scenario, codec: Codec, peer: Peer, number: u32) -> Result<Run> {
        let seconds = self.args.seconds.unwrap_or(scenario.seconds);
        let forth = scenario.legs.to_vec();
        let back = if self.args.symmetric { forth.clone() } else { forth.iter().map(wide).collect() };
        let namespaces = Namespaces::create()?;
        let relay = Relay::start(&namespaces, forth, back, u64::from(number) + 1)?;
        let call = Call {
            namespaces: &namespaces,
            relay: &relay,
            codec,
            seconds,
            video: self.video(),
            audio: self.audio(),
            folder: self.folder.clone(),
            label: label(scenario, peer, codec),
            stop: self.stop,
        };
        let mut observed = match peer {
            Peer::Chamada => chamada::call(&call),
            Peer::Chromium => chromium::call(&call),
        }?;
        observed.count_what_is_missing(seconds.into());
        Ok(Run { seconds: seconds.into(), log: relay.logs().0, observed })
    }

    /// Of the calls of each product the one whose picture stood still for the median time.
    fn draw(&self, result: &report::Result<'_>) -> Result<()> {
        for peer in &self.peers {
            let mut runs: Vec<&Run> = result.of(*peer).collect();
            runs.sort_by(|a, b| a.observed.frozen_s.total_cmp(&b.observed.frozen_s));
            let Some(run) = runs.get(runs.len() / 2) else { continue };
            let (scenario, codec) = (result.scenario, result.codec);
            let title = format!("{}, {}: {}", peer.name(), codec.media_subtype(), scenario.path);
            let path = self.folder.join(format!("{}.svg", label(scenario, *peer, codec)));
            std::fs::write(&path, picture::draw(&title, scenario, run)).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn label(scenario: &Scenario, peer: Peer, codec: Codec) -> String {
    format!("{}-{}-{}", scenario.name, peer.name(), codec.name())
}

/// The same way back, but wide.
fn wide(leg: &Leg) -> Leg {
    Leg { kbps: leg.kbps.max(BACK_KBPS), policer_bytes: None, ..*leg }
}

pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}
