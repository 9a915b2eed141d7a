//! The pacer: which waiting packet leaves next, and when.
//!
//! Sound leaves at once, past every queue and past a probe. The rest leaves at the plan's pace: video sent again, forward error
//! correction, which belongs to the picture that has just left, and video, first in, first out in each. Only packets that get their RTP number on release may be given up here: a
//! number that never leaves looks like loss to the other side.

mod cluster;
#[cfg(test)]
mod tests;

use super::{Class, Probe, ProbeId};
use cluster::Clusters;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What may leave at once: so much of the pace, or one packet if that is more. Fewer wake-ups than a timer per packet, and
/// still no burst that fills a short queue on the path.
pub const BURST: Duration = Duration::from_millis(5);
/// A late timer is paid for up to here. What a sleep of the machine left undone is not sent as one burst.
pub const MAX_LATENESS: Duration = Duration::from_millis(20);
/// Most that the queues of video sent again and of forward error correction hold, each, at the present pace.
pub const MAX_REPAIR_BACKLOG: Duration = Duration::from_millis(500);
/// Waiting video that takes longer than this to leave is worth less than a keyframe in its place: the path has become slower at once,
/// and most of what the waiting pictures build on is lost in its queue.
pub const MAX_VIDEO_BACKLOG: Duration = Duration::from_millis(600);
/// Most debt that a probe may leave behind, at the present pace.
const MAX_DEBT: Duration = Duration::from_millis(250);
/// Bytes of the largest packet that is usual.
const MTU: u32 = 1_500;
/// The pace is never slower, in bits per second.
const MIN_PACE_BPS: u32 = 30_000;
/// No IP packet is larger.
const MAX_PACKET: u32 = 65_535;
/// Bits are counted in billionths, so that a pace times nanoseconds needs no division.
const BIT: i64 = 1_000_000_000;

/// A packet that has to leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released<H> {
    /// The packet, as given to [`Pacer::push`].
    pub handle: H,
    /// What it carries.
    pub class: Class,
    /// Its size with all headers down to IP.
    pub wire_bytes: u32,
    /// The probe that it is a part of.
    pub probe: Option<ProbeId>,
}

struct Queued<H> {
    handle: H,
    wire_bytes: u32,
    deadline: Option<Instant>,
}

impl<H> Queued<H> {
    fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline < now)
    }
}

/// Packets of one class that wait.
struct Waiting<H> {
    packets: VecDeque<Queued<H>>,
    bytes: u64,
}

impl<H> Waiting<H> {
    fn new() -> Self {
        Self { packets: VecDeque::new(), bytes: 0 }
    }

    fn push(&mut self, packet: Queued<H>) {
        self.bytes += u64::from(packet.wire_bytes);
        self.packets.push_back(packet);
    }

    /// Before the first that has more time.
    fn push_by_deadline(&mut self, packet: Queued<H>) {
        self.bytes += u64::from(packet.wire_bytes);
        let sooner = |q: &Queued<H>| match (q.deadline, packet.deadline) {
            (Some(theirs), Some(ours)) => theirs <= ours,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        let at = self.packets.partition_point(sooner);
        self.packets.insert(at, packet);
    }

    fn pop(&mut self) -> Option<Queued<H>> {
        let packet = self.packets.pop_front()?;
        self.bytes = self.bytes.saturating_sub(u64::from(packet.wire_bytes));
        Some(packet)
    }

    /// Gives up those at the front that are past their time; tells how many.
    fn expire(&mut self, now: Instant) -> u64 {
        let mut expired = 0;
        while self.packets.front().is_some_and(|p| p.is_late(now)) {
            self.pop();
            expired += 1;
        }
        expired
    }
}

/// See the module. `H` is the packet, or what finds it.
pub struct Pacer<H> {
    pace_bps: u32,
    audio: Waiting<H>,
    rtx: Waiting<H>,
    video: Waiting<H>,
    fec: Waiting<H>,
    padding: Waiting<H>,
    /// What may leave, in billionths of a bit; below zero: what left too early and has to be waited for.
    credit: i64,
    /// A burst has begun and is not over.
    bursting: bool,
    clusters: Clusters,
    now: Instant,
    given_up: u64,
}

impl<H> Pacer<H> {
    /// An empty one. `pace_bps` is as in [`Pacer::set_pace`].
    pub fn new(now: Instant, pace_bps: u32) -> Self {
        Self {
            pace_bps: pace_bps.max(MIN_PACE_BPS),
            audio: Waiting::new(),
            rtx: Waiting::new(),
            video: Waiting::new(),
            fec: Waiting::new(),
            padding: Waiting::new(),
            credit: 0,
            bursting: false,
            clusters: Clusters::default(),
            now,
            given_up: 0,
        }
    }

    /// Sets the pace of everything but sound, in bits per second on the wire; at least 30,000.
    pub fn set_pace(&mut self, now: Instant, pace_bps: u32) {
        self.advance(now);
        self.pace_bps = pace_bps.max(MIN_PACE_BPS);
        self.credit = self.credit.max(self.least_credit());
    }

    /// Lets a packet wait for its turn.
    ///
    /// `deadline` is for those that have no RTP number yet (video sent again, forward error correction, padding): past it they
    /// are given up. Sound and video sent for the first time leave however late. `wire_bytes` is the size with all headers
    /// down to IP. More than [`MAX_REPAIR_BACKLOG`] of video sent again, or of forward error correction, is given up at once;
    /// video has no bound here: whoever numbers pictures looks at [`Pacer::video_backlog`] before.
    pub fn push(&mut self, now: Instant, class: Class, deadline: Option<Instant>, wire_bytes: u32, handle: H) {
        self.advance(now);
        let packet = Queued { handle, wire_bytes: wire_bytes.min(MAX_PACKET), deadline };
        match class {
            Class::Audio => self.audio.push(packet),
            Class::Video => self.video.push(packet),
            Class::VideoRtx if !self.is_full(&self.rtx) => self.rtx.push_by_deadline(packet),
            Class::Fec if !self.is_full(&self.fec) => self.fec.push(packet),
            Class::Padding if self.clusters.is_probing() => self.padding.push(packet),
            Class::VideoRtx | Class::Fec | Class::Padding => self.given_up += 1,
        }
    }

    /// The next packet that may leave by now. To be called until there is none: after each push and at [`Pacer::next_wake`].
    pub fn pop(&mut self, now: Instant) -> Option<Released<H>> {
        self.advance(now);
        if let Some(packet) = self.audio.pop() {
            let probe = self.clusters.joined(self.now, packet.wire_bytes);
            return Some(Released { handle: packet.handle, class: Class::Audio, wire_bytes: packet.wire_bytes, probe });
        }
        self.give_up_late();
        let (class, wire_bytes) = self.next()?;
        let probing = self.clusters.is_probing();
        let may = if probing { self.clusters.is_due(self.now) } else { self.has_credit(wire_bytes) };
        if !may {
            return None;
        }
        let packet = self.queue(class).pop()?;
        let bits = i64::from(wire_bytes) * 8 * BIT;
        self.credit = self.credit.saturating_sub(bits);
        if probing {
            self.credit = self.credit.max(self.least_credit());
        }
        let probe = self.clusters.spent(self.now, wire_bytes);
        Some(Released { handle: packet.handle, class, wire_bytes, probe })
    }

    /// Starts a cluster of packets at a pace of its own, behind those that were started before; at most four wait.
    ///
    /// Whatever leaves while it runs is a part of it. A cluster that finds nothing to send within a second, or that once begun
    /// falls 10 ms behind, is given up: its packets would no longer show the rate that it asks about. No cluster is slower than the
    /// slowest pace.
    pub fn start_probe(&mut self, now: Instant, probe: Probe) {
        self.advance(now);
        self.clusters.start(now, Probe { rate_bps: probe.rate_bps.max(MIN_PACE_BPS), ..probe });
    }

    /// Size on the wire of the next packet of padding that the running probe needs, because its time has come and no media
    /// waits. To be asked again after each one that was pushed and popped.
    pub fn wants_padding(&self, now: Instant) -> Option<u32> {
        let now = now.max(self.now);
        let waits = [&self.audio, &self.rtx, &self.video, &self.fec, &self.padding];
        if waits.iter().any(|w| !w.packets.is_empty()) {
            return None;
        }
        self.clusters.lacks(now)
    }

    /// When [`Pacer::pop`] has something to do. Never before the latest `now` that was given.
    pub fn next_wake(&self) -> Option<Instant> {
        if !self.audio.packets.is_empty() {
            return Some(self.now);
        }
        let next = self.next();
        if self.clusters.is_probing() {
            return self.clusters.next_wake(self.now, next.is_some());
        }
        let (_, wire_bytes) = next?;
        if self.fits(wire_bytes) {
            return Some(self.now);
        }
        // Rounded up, so that the debt is paid by then. The pace is never zero.
        let nanos = self.credit.min(0).unsigned_abs().div_ceil(u64::from(self.pace_bps));
        Some(self.now + Duration::from_nanos(nanos))
    }

    /// How long the waiting video, first time, again and for its protection, takes to leave at the present pace.
    pub fn video_backlog(&self) -> Duration {
        self.takes(self.video.bytes + self.rtx.bytes + self.fec.bytes)
    }

    /// The next packet of video to leave for the first time.
    pub fn next_video(&self) -> Option<&H> {
        self.video.packets.front().map(|packet| &packet.handle)
    }

    /// Gives up waiting video, first time and again, up to the first packet of a picture that needs none of it. Tells whether there is
    /// such a packet. Whoever calls this numbers packets when they are released.
    pub fn give_up_video(&mut self, needs_nothing: impl Fn(&H) -> bool) -> bool {
        while self.video.packets.front().is_some_and(|packet| !needs_nothing(&packet.handle)) {
            self.video.pop();
            self.given_up += 1;
        }
        self.given_up += self.rtx.packets.len() as u64;
        self.rtx = Waiting::new();
        !self.video.packets.is_empty()
    }

    /// Packets that were given up so far: past their deadline, without room, or padding after its probe.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    fn queue(&mut self, class: Class) -> &mut Waiting<H> {
        match class {
            Class::Audio => &mut self.audio,
            Class::VideoRtx => &mut self.rtx,
            Class::Video => &mut self.video,
            Class::Fec => &mut self.fec,
            Class::Padding => &mut self.padding,
        }
    }

    /// The first of those that are paced.
    fn next(&self) -> Option<(Class, u32)> {
        let queues = [
            (Class::VideoRtx, &self.rtx),
            (Class::Fec, &self.fec),
            (Class::Video, &self.video),
            (Class::Padding, &self.padding),
        ];
        queues.into_iter().find_map(|(class, queue)| queue.packets.front().map(|p| (class, p.wire_bytes)))
    }

    fn is_full(&self, queue: &Waiting<H>) -> bool {
        self.takes(queue.bytes) >= MAX_REPAIR_BACKLOG
    }

    fn takes(&self, bytes: u64) -> Duration {
        Duration::from_micros(bytes.saturating_mul(8_000_000) / u64::from(self.pace_bps))
    }

    /// The most debt there is: a packet larger than what [`MAX_DEBT`] pays has to be paid whole.
    fn least_credit(&self) -> i64 {
        -self.paid_in(MAX_DEBT).max(i64::from(MTU) * 8 * BIT)
    }

    /// What the pace pays in that time, in billionths of a bit.
    fn paid_in(&self, time: Duration) -> i64 {
        i64::from(self.pace_bps).saturating_mul(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
    }

    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.now);
        self.now = self.now.max(now);
        // Time in which nothing waited is lost, not saved up.
        let most = if self.next().is_some() { self.paid_in(MAX_LATENESS) } else { 0 };
        self.credit = self.credit.saturating_add(self.paid_in(passed)).min(most);
        if self.clusters.give_up_late(self.now) {
            self.given_up += self.padding.packets.len() as u64;
            self.padding = Waiting::new();
        }
    }

    fn give_up_late(&mut self) {
        let now = self.now;
        self.given_up += self.rtx.expire(now) + self.fec.expire(now);
        if !self.clusters.is_probing() {
            self.given_up += self.padding.packets.len() as u64;
            self.padding = Waiting::new();
        }
    }

    /// Whether a packet may leave without a probe; begins and ends bursts.
    fn has_credit(&mut self, wire_bytes: u32) -> bool {
        self.bursting = self.fits(wire_bytes);
        self.bursting
    }

    /// A burst begins once all debt is paid, and may then run up as much debt as a burst is long.
    fn fits(&self, wire_bytes: u32) -> bool {
        let left = self.credit.saturating_sub(i64::from(wire_bytes) * 8 * BIT);
        self.credit >= 0 || (self.bursting && left >= -self.paid_in(BURST))
    }
}
