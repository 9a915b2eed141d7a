//! The links between the ends, what is on its way, and what is noted of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::link::{Fate, Link};
use super::packet::{Body, Packet};
use super::report::Report;

/// Links are two: 0 for the even ends (callers), 1 for the odd ones.
pub(super) struct Network {
    pub(super) links: [Link; 2],
    /// By sender.
    pub(super) reports: Vec<Report>,
    on_the_way: BinaryHeap<Reverse<Arrival>>,
    order: u64,
}

struct Arrival {
    at: u64,
    order: u64,
    packet: Packet,
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Arrival {}
impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl Network {
    pub(super) fn new(links: [Link; 2], reports: Vec<Report>) -> Self {
        Self { links, reports, on_the_way: BinaryHeap::new(), order: 0 }
    }

    pub(super) fn send(&mut self, now: u64, from: usize, packet: Packet) {
        let link = from % 2;
        let media = matches!(packet.body, Body::Rtp { .. });
        match self.links[link].send(now, packet.wire_bytes) {
            Fate::Arrives { at, waited, twice } => {
                if media {
                    self.reports[from].queued(now, waited);
                }
                if twice {
                    self.put(at, packet.clone());
                }
                self.put(at, packet);
            }
            fate => {
                if media {
                    self.reports[from].dropped(now, fate == Fate::QueueFull);
                }
            }
        }
    }

    pub(super) fn put(&mut self, at: u64, packet: Packet) {
        self.order += 1;
        self.on_the_way.push(Reverse(Arrival { at, order: self.order, packet }));
    }

    pub(super) fn next_arrival(&self) -> u64 {
        self.on_the_way.peek().map_or(u64::MAX, |arrival| arrival.0.at)
    }

    pub(super) fn take(&mut self) -> Option<Packet> {
        self.on_the_way.pop().map(|arrival| arrival.0.packet)
    }
}
