//! The path between caller and callee: two TUN devices, between which packets are carried as the two
//! [`Shaper`]s say, one for each direction.
//!
//! A thread for each direction reads and decides, another one waits until a packet is due and writes it. Packets keep their
//! order, so the second one needs no other queue than a channel, and sleeps to within some 0.1 ms, where the timers of an async
//! runtime would round to 1 ms, which is as long as what a delay-based estimator looks at.

use super::namespaces::{Namespaces, Side};
use super::scenario::Leg;
use super::shaper::{Bucket, Shaper, Verdict};
use anyhow::{Context, Result};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tun_rs::{DeviceBuilder, SyncDevice};

/// Larger than any packet of a device whose MTU is 1400.
const PACKET: usize = 2048;

/// A path that exists until its namespaces are removed.
pub(crate) struct Relay {
    made: Instant,
    forth: Arc<Mutex<Shaper>>,
    back: Arc<Mutex<Shaper>>,
}

impl Relay {
    /// Joins the namespaces of caller and callee: `forth` is from the caller to the callee.
    pub(crate) fn start(namespaces: &Namespaces, forth: Vec<Leg>, back: Vec<Leg>, seed: u64) -> Result<Self> {
        let caller = Arc::new(open(namespaces, Side::Caller)?);
        let callee = Arc::new(open(namespaces, Side::Callee)?);
        let made = Instant::now();
        let forth = Arc::new(Mutex::new(Shaper::new(forth, seed)));
        let back = Arc::new(Mutex::new(Shaper::new(back, seed.wrapping_add(1))));
        for (from, to, shaper) in [(&caller, &callee, &forth), (&callee, &caller, &back)] {
            let (out, due) = channel();
            let (from, to, shaper) = (Arc::clone(from), Arc::clone(to), Arc::clone(shaper));
            thread::Builder::new().name("relay-in".into()).spawn(move || read(&from, &shaper, made, &out))?;
            thread::Builder::new().name("relay-out".into()).spawn(move || write(&to, made, &due))?;
        }
        Ok(Self { made, forth, back })
    }

    /// The call is connected: schedule and log begin.
    pub(crate) fn begin(&self) {
        let now = self.made.elapsed();
        lock(&self.forth).begin(now);
        lock(&self.back).begin(now);
    }

    /// What happened so far from the caller to the callee, and back.
    pub(crate) fn logs(&self) -> (Vec<Bucket>, Vec<Bucket>) {
        (lock(&self.forth).log().to_vec(), lock(&self.back).log().to_vec())
    }
}

fn lock(shaper: &Mutex<Shaper>) -> MutexGuard<'_, Shaper> {
    shaper.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(namespaces: &Namespaces, side: Side) -> Result<SyncDevice> {
    let name = namespaces.device_name(side);
    let device = DeviceBuilder::new().name(&name).enable(false).build_sync();
    let device = device.with_context(|| format!("the TUN device {name} cannot be made"))?;
    namespaces.take_device(side, &name)?;
    Ok(device)
}

/// Until the device is removed with its namespace.
fn read(from: &SyncDevice, shaper: &Mutex<Shaper>, made: Instant, out: &Sender<(Duration, Vec<u8>)>) {
    hurry();
    let mut packet = [0; PACKET];
    while let Ok(size) = from.recv(&mut packet) {
        let verdict = lock(shaper).offer(made.elapsed(), size);
        if let Verdict::Arrives(at) = verdict
            && out.send((at, packet[..size].to_vec())).is_err()
        {
            return;
        }
    }
}

fn write(to: &SyncDevice, made: Instant, due: &Receiver<(Duration, Vec<u8>)>) {
    hurry();
    for (at, packet) in due {
        thread::sleep(at.saturating_sub(made.elapsed()));
        // A device that is not up yet, or no more, takes nothing: lost, as on any path.
        let _ = to.send(&packet);
    }
}

/// Has this thread run before the calls that it carries, also on a machine that those keep busy. Best effort.
fn hurry() {
    let Ok(link) = std::fs::read_link("/proc/thread-self") else { return };
    if let Some(thread) = link.file_name() {
        let _ = Command::new("renice").args(["-n", "-10", "-p"]).arg(thread).output();
    }
}
