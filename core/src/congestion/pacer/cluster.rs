//! Clusters of packets at a pace of their own, that show whether the path carries it.

use super::super::{Probe, ProbeId};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Clusters that wait for their turn, the running one included.
const MAX_CLUSTERS: usize = 4;
/// A cluster that is so late is given up.
const MAX_BEHIND: Duration = Duration::from_millis(10);
/// How long a cluster waits for its first packet.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Sizes of padding, in bytes on the wire: smaller ones cost the machine too much, larger ones do not fit every path.
const PADDING: (u32, u32) = (200, 1_200);

/// One cluster.
struct Cluster {
    probe: Probe,
    /// When its turn came; when its first packet left.
    ready: Option<Instant>,
    begun: Option<Instant>,
    packets: u32,
    bytes: u64,
}

impl Cluster {
    /// When its next packet has to leave.
    fn due(&self) -> Option<Instant> {
        let nanos = (self.bytes * 8).saturating_mul(1_000_000_000) / u64::from(self.probe.rate_bps.max(1));
        Some(self.begun? + Duration::from_nanos(nanos))
    }

    fn is_done(&self) -> bool {
        self.packets >= self.probe.min_packets && self.bytes >= u64::from(self.probe.min_bytes)
    }

    /// When it is given up if nothing more leaves.
    fn end(&self) -> Option<Instant> {
        match self.due() {
            Some(due) => Some(due + MAX_BEHIND),
            None => self.ready.map(|ready| ready + MAX_WAIT),
        }
    }
}

/// The running cluster and those behind it.
#[derive(Default)]
pub(super) struct Clusters(VecDeque<Cluster>);

impl Clusters {
    pub(super) fn start(&mut self, now: Instant, probe: Probe) {
        if self.0.len() < MAX_CLUSTERS && probe.rate_bps > 0 {
            let ready = self.0.is_empty().then_some(now);
            self.0.push_back(Cluster { probe, ready, begun: None, packets: 0, bytes: 0 });
        }
    }

    pub(super) fn is_probing(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a packet may leave for the running one.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.0.front().is_some_and(|c| c.due().is_none_or(|due| due <= now))
    }

    /// Counts sound that leaves in the middle of the running one. Sound never begins one: before there is video there may be no
    /// padding to go on with.
    pub(super) fn joined(&mut self, now: Instant, wire_bytes: u32) -> Option<ProbeId> {
        self.0.front()?.begun?;
        self.spent(now, wire_bytes)
    }

    /// Counts a packet that leaves, and says of which probe it is a part.
    pub(super) fn spent(&mut self, now: Instant, wire_bytes: u32) -> Option<ProbeId> {
        let cluster = self.0.front_mut()?;
        cluster.begun.get_or_insert(now);
        cluster.packets = cluster.packets.saturating_add(1);
        cluster.bytes = cluster.bytes.saturating_add(u64::from(wire_bytes));
        let id = cluster.probe.id;
        if cluster.is_done() {
            self.next(now);
        }
        Some(id)
    }

    /// Size of the next packet, where one is due.
    pub(super) fn lacks(&self, now: Instant) -> Option<u32> {
        let cluster = self.0.front().filter(|_| self.is_due(now))?;
        let bytes = u64::from(cluster.probe.min_bytes).saturating_sub(cluster.bytes);
        let packets = cluster.probe.min_packets.saturating_sub(cluster.packets).max(1);
        let size = u32::try_from(bytes / u64::from(packets)).unwrap_or(u32::MAX);
        Some(size.clamp(PADDING.0, PADDING.1))
    }

    /// When the running one has something to do: its next packet if one `waits`, or padding; else its end.
    pub(super) fn next_wake(&self, now: Instant, waits: bool) -> Option<Instant> {
        let cluster = self.0.front()?;
        let due = cluster.due().unwrap_or(now);
        // Where it is time and nothing waits, padding was asked for already and there was none.
        if waits || due > now { Some(due.max(now)) } else { cluster.end().map(|end| end.max(now)) }
    }

    /// Gives up the running one if it is late; says whether it was.
    pub(super) fn give_up_late(&mut self, now: Instant) -> bool {
        let late = self.0.front().and_then(Cluster::end).is_some_and(|end| end <= now);
        if late {
            self.next(now);
        }
        late
    }

    fn next(&mut self, now: Instant) {
        self.0.pop_front();
        if let Some(next) = self.0.front_mut() {
            next.ready = Some(now);
        }
    }
}
