//! What the link that sends shares with the rest of the connection: the controller, its plan, and what waits to leave.

use super::early_checks::EarlyChecks;
use super::interceptors::counters::Counters;
use super::interceptors::fec::FecFormats;
use super::interceptors::rtx::PayloadTypes;
use super::interceptors::unsignaled::Streams;
use super::nomination::Nominations;
use super::rebinding::RemotePassword;
use super::route::MediaTo;
use crate::congestion::{Config, Controller, Demand, Plan};
use crate::peer::BitrateBounds;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// A picture gets its RTP numbers only while less than this of the ones before waits to leave: what has numbers cannot be given up.
const ROOM: Duration = Duration::from_millis(30);
/// How long to wait for room before looking again: a connection that ends tells nothing more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// UDP header, in bytes.
const UDP: u32 = 8;

/// What the links of the packet chain share with the connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) counters: Counters,
    pub(super) payload_types: PayloadTypes,
    pub(super) fec: Arc<FecFormats>,
    pub(super) sending: Arc<Sending>,
    pub(super) streams: Arc<Streams>,
    pub(super) media_to: Arc<MediaTo>,
    pub(super) remote_password: RemotePassword,
    pub(super) nominations: Nominations,
    pub(super) early_checks: EarlyChecks,
}

impl Shared {
    pub(super) fn new(bounds: BitrateBounds) -> Self {
        let sending = Arc::new(Sending::new(Instant::now(), bounds));
        Self {
            counters: Counters::default(),
            payload_types: PayloadTypes::default(),
            fec: Arc::default(),
            sending,
            streams: Arc::default(),
            media_to: Arc::default(),
            remote_password: RemotePassword::default(),
            nominations: Nominations::default(),
            early_checks: EarlyChecks::default(),
        }
    }
}

/// See the module.
pub(super) struct Sending {
    controller: Mutex<Controller>,
    plan: watch::Sender<Plan>,
    /// Microseconds that the waiting video takes to leave.
    backlog: AtomicU64,
    /// Bytes of compressed pictures that have no RTP numbers yet, and the pace at which they will leave.
    unnumbered: AtomicU64,
    pace: AtomicU32,
    drained: Notify,
    overhead: AtomicU32,
    /// RTP timestamp of the last keyframe that has its packets; more than 32 bits: there was none.
    keyframe: AtomicU64,
    /// Pictures get no packets until there is a keyframe: they build on what was given up.
    skips_to_keyframe: AtomicBool,
}

impl Sending {
    pub(super) fn new(now: Instant, bounds: BitrateBounds) -> Self {
        let BitrateBounds { start, min, max } = bounds;
        let controller = Controller::new(now, Config { start_bps: start, min_bps: min, max_bps: max });
        let pace = controller.plan().pace_bps;
        let (plan, _) = watch::channel(controller.plan());
        Self {
            controller: Mutex::new(controller),
            plan,
            backlog: AtomicU64::new(0),
            unnumbered: AtomicU64::new(0),
            pace: AtomicU32::new(pace),
            drained: Notify::new(),
            overhead: AtomicU32::new(Overhead::default().bytes()),
            keyframe: AtomicU64::new(u64::MAX),
            skips_to_keyframe: AtomicBool::new(false),
        }
    }

    /// The controller. The lock is held for microseconds, so that the path of packets never waits.
    pub(super) fn controller(&self) -> MutexGuard<'_, Controller> {
        self.controller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plan(&self) -> watch::Receiver<Plan> {
        self.plan.subscribe()
    }

    pub(super) fn set_demand(&self, now: Instant, demand: Demand) {
        let mut controller = self.controller();
        controller.set_demand(now, demand);
        self.publish(controller.plan());
    }

    /// Tells the plan to those who follow it, if it is another one.
    pub(super) fn publish(&self, plan: Plan) {
        self.pace.store(plan.pace_bps, Ordering::Relaxed);
        self.plan.send_if_modified(|before| std::mem::replace(before, plan) != plan);
    }

    /// How long what has RTP numbers takes to leave.
    pub(super) fn backlog(&self) -> Duration {
        Duration::from_micros(self.backlog.load(Ordering::Relaxed))
    }

    /// How long everything that was compressed takes to leave.
    pub(super) fn whole_backlog(&self) -> Duration {
        let bits = self.unnumbered.load(Ordering::Relaxed).saturating_mul(8);
        let pace = u64::from(self.pace.load(Ordering::Relaxed).max(1));
        self.backlog() + Duration::from_micros(bits.saturating_mul(1_000_000) / pace)
    }

    /// A picture of this size waits for its RTP numbers, or does no longer.
    pub(super) fn add_unnumbered(&self, bytes: usize) {
        self.unnumbered.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn remove_unnumbered(&self, bytes: usize) {
        // Only what was added is taken away.
        self.unnumbered.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn set_backlog(&self, backlog: Duration) {
        self.backlog.store(u64::try_from(backlog.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if backlog < ROOM {
            self.drained.notify_waiters();
        }
    }

    /// Waits until the next picture may have its RTP numbers.
    pub(super) async fn room(&self) {
        while self.backlog() >= ROOM {
            let drained = self.drained.notified();
            if self.backlog() >= ROOM {
                let _ = tokio::time::timeout(LOOK_AGAIN, drained).await;
            }
        }
    }

    /// RTP timestamp of the last keyframe that has its packets.
    pub(super) fn last_keyframe(&self) -> Option<u32> {
        u32::try_from(self.keyframe.load(Ordering::Relaxed)).ok()
    }

    /// What the next pictures build on was given up: the next one to be sent is a keyframe.
    pub(super) fn skip_to_keyframe(&self) {
        self.skips_to_keyframe.store(true, Ordering::Relaxed);
    }

    /// A picture with this RTP timestamp is about to get its packets; whether it may.
    pub(super) fn admits(&self, keyframe: bool, timestamp: u32) -> bool {
        if keyframe {
            self.keyframe.store(timestamp.into(), Ordering::Relaxed);
            self.skips_to_keyframe.store(false, Ordering::Relaxed);
        }
        !self.skips_to_keyframe.load(Ordering::Relaxed)
    }

    /// Bytes that an RTP packet gains on its way to the wire.
    pub(super) fn overhead(&self) -> u32 {
        self.overhead.load(Ordering::Relaxed)
    }

    pub(super) fn set_overhead(&self, overhead: Overhead) {
        self.overhead.store(overhead.bytes(), Ordering::Relaxed);
    }
}

/// What a path adds to each RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overhead {
    /// Whether addresses are IPv6: 40 bytes of header, else 20 (RFC 8200, RFC 791).
    pub(super) ipv6: bool,
    /// Whether it goes through a relay of ours: 4 bytes of ChannelData (RFC 8656 section 12.4).
    pub(super) relayed: bool,
    /// Bytes of SRTP's authentication tag: 16 with GCM (RFC 7714), 10 with HMAC-SHA1-80 (RFC 3711).
    pub(super) tag: u32,
}

impl Default for Overhead {
    fn default() -> Self {
        Self { ipv6: false, relayed: false, tag: 16 }
    }
}

impl Overhead {
    fn bytes(self) -> u32 {
        self.tag + UDP + if self.ipv6 { 40 } else { 20 } + if self.relayed { 4 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_adds_headers_tag_and_what_a_relay_needs() {
        let overhead = Overhead { ipv6: false, relayed: false, tag: 10 };
        assert_eq!(overhead.bytes(), 38);
        assert_eq!(Overhead { ipv6: true, ..overhead }.bytes(), 58);
        assert_eq!(Overhead { relayed: true, tag: 16, ..overhead }.bytes(), 48);
    }

    #[test]
    fn after_pictures_were_given_up_the_next_one_is_a_keyframe() {
        let sending = Sending::new(Instant::now(), BitrateBounds::default());
        assert!(sending.admits(false, 1) && sending.last_keyframe().is_none());
        sending.skip_to_keyframe();
        assert!(!sending.admits(false, 2));
        assert!(sending.admits(true, 3) && sending.admits(false, 4));
        assert_eq!(sending.last_keyframe(), Some(3));
    }

    #[tokio::test]
    async fn a_picture_waits_for_room() {
        let sending = Arc::new(Sending::new(Instant::now(), BitrateBounds::default()));
        sending.room().await;
        sending.set_backlog(ROOM);
        let waits = tokio::spawn({
            let sending = Arc::clone(&sending);
            async move { sending.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        sending.set_backlog(ROOM - Duration::from_micros(1));
        waits.await.unwrap();
    }
}
