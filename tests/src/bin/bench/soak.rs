//! `bench soak`: many calls with faults in one process, by way of the real server over loopback. What a call leaves behind shows after a
//! thousand of them: memory, descriptors and threads have to stay where they were after the first ones.

use crate::usage::resident_mib;
use anyhow::Result;
use chamada::call::{CallEvent, CallState};
use chamada::client::{ClientEvent, DeviceKind};
use chamada::media::capture::{
    AudioProvider, AudioSink, AudioSource, CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle,
    FrameSink,
};
use chamada::media::synthetic::SyntheticAudio;
use chamada::signaling::SignalingEvent;
use chamada::signaling::message::CallId;
use chamada_tests::phone::{Phone, PhoneSetup, must, synthetic};
use chamada_tests::real_server::RealServer;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Calls of one round, between two phones and a server that are new in each: as many as a server lets two people make without a pause.
const CALLS: u32 = 11;
/// Rounds after which caches and pools are full, as a part of all.
const WARM_UP: f64 = 0.2;
/// What is still closing when a round is over has so long.
const SETTLE: Duration = Duration::from_secs(5);
/// Bounds: of the growth of memory a call, by a line through all rounds after the first ones, and of descriptors and threads more at the
/// end than after those. An allocator that keeps what it has freed makes up the first, tasks that come and go the others. glibc's has to be
/// told to have one arena (`MALLOC_ARENA_MAX=1`, as `cargo xtask` does): with one for each of many short-lived threads it keeps 50 MiB more,
/// and takes hundreds of calls to get there.
const MOST_KIB: f64 = 4.0;
const MOST_MORE: f64 = 2.0;

/// Many calls with faults in one process: whether memory, descriptors and threads stay flat. Writes target/bench-soak.json
#[derive(clap::Args)]
pub(crate) struct SoakArgs {
    /// How many calls, rounded up to whole rounds
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
}

/// What the process has when nothing goes on.
struct Sample {
    calls: u32,
    kib: f64,
    descriptors: usize,
    threads: usize,
}

impl Sample {
    /// Once nothing is closing any more.
    async fn settled(calls: u32) -> Result<Self> {
        let start = Instant::now();
        let (mut before, mut since) = (counted()?, Instant::now());
        while since.elapsed() < Duration::from_millis(300) && start.elapsed() < SETTLE {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = counted()?;
            if now != before {
                (before, since) = (now, Instant::now());
            }
        }
        let (descriptors, threads) = before;
        Ok(Self { calls, kib: resident_mib("self")? * 1024.0, descriptors, threads })
    }

    fn to_json(&self) -> Value {
        json!({ "calls": self.calls, "rss_kib": self.kib, "descriptors": self.descriptors, "threads": self.threads })
    }
}

fn counted() -> Result<(usize, usize)> {
    Ok((std::fs::read_dir("/proc/self/fd")?.count(), std::fs::read_dir("/proc/self/task")?.count()))
}

pub(crate) async fn run(args: &SoakArgs) -> Result<ExitCode> {
    let rounds = args.calls.div_ceil(CALLS);
    let start = Instant::now();
    let mut samples = vec![Sample::settled(0).await?];
    for round in 0..rounds {
        // As an app would: a runtime's task, so that nothing of it is left on this one.
        tokio::spawn(Round::run(round)).await?;
        samples.push(Sample::settled((round + 1) * CALLS).await?);
    }
    let seconds = start.elapsed().as_secs_f64();
    let from = (f64::from(rounds) * WARM_UP).ceil() as usize;
    let flat = samples.get(from..).unwrap_or_default();
    let (Some(first), Some(last)) = (flat.first(), flat.last()) else { return Ok(ExitCode::FAILURE) };
    let kib = slope(flat);
    let more = |now: usize, then: usize| now as f64 - then as f64;
    let (descriptors, threads) = (more(last.descriptors, first.descriptors), more(last.threads, first.threads));
    let holds = kib <= MOST_KIB && descriptors <= MOST_MORE && threads <= MOST_MORE;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-soak.json");
    let result = json!({
        "calls": last.calls, "seconds": seconds, "flat": holds,
        "kib_a_call": kib, "most_kib_a_call": MOST_KIB,
        "more_descriptors": descriptors, "more_threads": threads, "most_more": MOST_MORE,
        "samples": samples.iter().map(Sample::to_json).collect::<Vec<_>>(),
    });
    std::fs::write(path, format!("{result:#}\n"))?;
    println!(
        "{} calls in {seconds:.0} s: {:.1} MiB, {} descriptors and {} threads after {} calls, {:.1} MiB, {} and {} at the end; {kib:+.2} KiB a call \
         (at most {MOST_KIB}): {}",
        last.calls,
        first.kib / 1024.0,
        first.descriptors,
        first.threads,
        first.calls,
        last.kib / 1024.0,
        last.descriptors,
        last.threads,
        if holds { "flat" } else { "NOT flat" }
    );
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// KiB a call, by the least squares.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (calls, kib) = (mean(|sample| sample.calls.into()), mean(|sample| sample.kib));
    let (mut up, mut along) = (0.0, 0.0);
    for sample in samples {
        let distance = f64::from(sample.calls) - calls;
        up += distance * (sample.kib - kib);
        along += distance * distance;
    }
    if along > 0.0 { up / along } else { 0.0 }
}

/// Devices that fail while they are told to.
struct Moody {
    cameras: Arc<dyn CameraProvider>,
    audio: SyntheticAudio,
    camera_fails: AtomicBool,
    microphone_fails: AtomicBool,
}

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cameras: synthetic(160, 120),
            audio: SyntheticAudio::new(440.0),
            camera_fails: AtomicBool::new(false),
            microphone_fails: AtomicBool::new(false),
        })
    }

    fn fails(flag: &AtomicBool) -> Result<(), CaptureError> {
        if flag.load(Ordering::Relaxed) { Err(CaptureError::NotReadable("it fails on purpose".into())) } else { Ok(()) }
    }
}

impl CameraProvider for Moody {
    fn cameras(&self) -> Vec<CameraInfo> {
        self.cameras.cameras()
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        Self::fails(&self.camera_fails)?;
        self.cameras.open(settings, sink)
    }
}

impl AudioProvider for Moody {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        Self::fails(&self.microphone_fails)?;
        self.audio.open_microphone(sink)
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        self.audio.open_speaker(source)
    }
}

struct Side {
    phone: Phone,
    devices: Arc<Moody>,
}

impl Side {
    async fn new(url: &str, name: &str) -> Self {
        let devices = Moody::new();
        let mut setup = PhoneSetup::new(url, name);
        setup.cameras = Some(devices.clone());
        setup.audio = Some(devices.clone());
        Self { phone: setup.login().await, devices }
    }

    async fn rings_for(&mut self, wanted: CallId) {
        let is_it = |event: &ClientEvent| match event {
            ClientEvent::Call(CallEvent::Incoming { call, .. }) => (*call == wanted).then_some(()),
            _ => None,
        };
        self.phone.until("the call", is_it).await;
    }

    /// Not with the end of a call before.
    async fn is_rid_of(&mut self, wanted: Option<CallId>) {
        let is_it = |event: &ClientEvent| match event {
            ClientEvent::Call(CallEvent::Ended { call, .. }) => (Some(*call) == wanted).then_some(()),
            _ => None,
        };
        self.phone.until("the end of the call", is_it).await;
    }

    async fn is_in(&mut self, state: CallState) {
        // What is told may be of a call before.
        while must(self.phone.client.snapshot().await).state != state {
            self.phone.until("a change", |event| matches!(event, ClientEvent::Call(_)).then_some(())).await;
        }
    }

    async fn hang_up(&self) {
        must(self.phone.client.hang_up().await);
    }
}

/// Two phones at a server of their own. Each call ends in another state, or with another fault.
struct Round {
    caller: Side,
    callee: Side,
    /// The callee's name.
    name: &'static str,
    /// The call at each side.
    calls: (Option<CallId>, Option<CallId>),
}

impl Round {
    async fn run(number: u32) {
        let server = RealServer::start().await;
        let (caller, callee) = (Side::new(server.url(), "ana").await, Side::new(server.url(), "rui").await);
        let mut round = Self { caller, callee, name: "rui", calls: (None, None) };
        round.caller.phone.sees(&["rui"]).await;
        round.callee.phone.sees(&["ana"]).await;
        round.both_call().await;
        round.ends_well().await;
        round.cancelled_while_ringing().await;
        round.server_lost().await;
        round.new_network().await;
        // A decline is the caller's last call for a while.
        if number.is_multiple_of(2) {
            round.given_up_at_once().await
        } else {
            round.declined().await
        }
        let Self { caller, callee, .. } = round;
        let mut round = Self { caller: callee, callee: caller, name: "ana", calls: (None, None) };
        round.left_while_connecting().await;
        round.path_lost().await;
        round.devices_fail().await;
        round.hung_up_without_server().await;
        round.logged_out_in_a_call().await;
        server.stop().await;
    }

    async fn rings(&mut self) {
        let call = must(self.caller.phone.client.call(self.name).await);
        self.calls = (Some(call), Some(call));
        self.callee.rings_for(call).await;
    }

    async fn connects(&mut self) {
        self.rings().await;
        must(self.callee.phone.client.accept().await);
        tokio::join!(self.caller.is_in(CallState::Connected), self.callee.is_in(CallState::Connected));
    }

    async fn pictures(&self) {
        tokio::join!(self.caller.phone.view.frames(2), self.callee.phone.view.frames(2));
    }

    async fn is_over(&mut self) {
        let (here, there) = self.calls;
        tokio::join!(self.caller.is_rid_of(here), self.callee.is_rid_of(there));
    }

    async fn both_call(&mut self) {
        let (caller, callee) = (&self.caller.phone.client, &self.callee.phone.client);
        let (one, other) = tokio::join!(caller.call(self.name), callee.call("ana"));
        // One of the two may ring before it has called.
        if one.is_err() {
            must(caller.accept().await);
        } else if other.is_err() {
            must(callee.accept().await);
        }
        tokio::join!(self.caller.is_in(CallState::Connected), self.callee.is_in(CallState::Connected));
        let (caller, callee) = (&self.caller.phone.client, &self.callee.phone.client);
        self.calls = (must(caller.snapshot().await).call, must(callee.snapshot().await).call);
        self.caller.hang_up().await;
        self.is_over().await;
    }

    async fn ends_well(&mut self) {
        self.connects().await;
        self.pictures().await;
        self.callee.hang_up().await;
        self.is_over().await;
    }

    async fn cancelled_while_ringing(&mut self) {
        self.rings().await;
        self.caller.hang_up().await;
        self.is_over().await;
    }

    async fn given_up_at_once(&mut self) {
        let call = must(self.caller.phone.client.call(self.name).await);
        self.caller.hang_up().await;
        self.caller.is_rid_of(Some(call)).await;
        // Of this call it may have heard, or not; what comes after it tells.
        must(self.caller.phone.client.say("never mind").await);
        let said =
            |event: &ClientEvent| matches!(event, ClientEvent::Signaling(SignalingEvent::Chat { .. })).then_some(());
        self.callee.phone.until("a line", said).await;
        self.callee.is_in(CallState::Idle).await;
    }

    async fn declined(&mut self) {
        self.rings().await;
        must(self.callee.phone.client.decline().await);
        self.is_over().await;
    }

    async fn left_while_connecting(&mut self) {
        self.rings().await;
        must(self.callee.phone.client.accept().await);
        self.callee.hang_up().await;
        self.is_over().await;
    }

    async fn server_lost(&mut self) {
        self.connects().await;
        self.caller.phone.client.drop_signaling(true);
        self.caller.phone.loses_server().await;
        self.caller.phone.client.drop_signaling(false);
        self.caller.phone.sees(&[self.name]).await;
        self.pictures().await;
        self.caller.hang_up().await;
        self.is_over().await;
    }

    async fn new_network(&mut self) {
        self.connects().await;
        must(self.caller.phone.client.network_changed().await);
        self.pictures().await;
        must(self.callee.phone.client.network_changed().await);
        self.pictures().await;
        self.caller.hang_up().await;
        self.is_over().await;
    }

    async fn path_lost(&mut self) {
        self.connects().await;
        self.callee.phone.client.drop_media(true);
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.callee.phone.client.drop_media(false);
        self.pictures().await;
        self.callee.hang_up().await;
        self.is_over().await;
    }

    async fn devices_fail(&mut self) {
        self.callee.devices.camera_fails.store(true, Ordering::Relaxed);
        self.caller.devices.microphone_fails.store(true, Ordering::Relaxed);
        self.rings().await;
        must(self.callee.phone.client.accept().await);
        self.callee.phone.loses(DeviceKind::Camera).await;
        self.callee.is_in(CallState::Connected).await;
        self.callee.phone.view.frames(2).await;
        self.callee.devices.camera_fails.store(false, Ordering::Relaxed);
        must(self.callee.phone.client.set_camera(true).await);
        self.caller.phone.view.frames(2).await;
        self.caller.devices.camera_fails.store(true, Ordering::Relaxed);
        assert!(self.caller.phone.client.flip_camera().await.is_err());
        self.caller.devices.camera_fails.store(false, Ordering::Relaxed);
        self.caller.devices.microphone_fails.store(false, Ordering::Relaxed);
        self.caller.hang_up().await;
        self.is_over().await;
    }

    async fn hung_up_without_server(&mut self) {
        self.connects().await;
        self.caller.phone.client.drop_signaling(true);
        self.caller.phone.loses_server().await;
        self.caller.hang_up().await;
        self.caller.is_rid_of(self.calls.0).await;
        self.caller.phone.client.drop_signaling(false);
        self.callee.is_rid_of(self.calls.1).await;
        self.caller.phone.sees(&[self.name]).await;
    }

    async fn logged_out_in_a_call(mut self) {
        self.connects().await;
        self.pictures().await;
        self.caller.phone.client.logout().await;
        self.callee.is_rid_of(self.calls.1).await;
        self.callee.phone.client.logout().await;
    }
}
