//! Congestion control, pacing and repair of one peer connection: as much as the path carries, with no standing queue, and sound
//! that never waits for video.
//!
//! Sans-IO: every entry takes `now`; there is no clock, socket, task, source of chance or type of the WebRTC crate in here, so that
//! the same inputs give the same outputs and whole calls run in virtual time. The adapters to the crate are in
//! `peer/webrtc/interceptors`.

mod acked;
mod alr;
mod competing;
mod controller;
mod delay;
mod loss;
pub mod pacer;
mod plan;
mod probe;
mod produced;
mod rate;
pub mod repair;
mod rtt;
mod sent;
pub(crate) mod sequence;
mod share;
mod swings;
#[cfg(test)]
mod tests;
mod usual;

pub use controller::{Config, Controller, ControllerStats};
pub use pacer::{MAX_VIDEO_BACKLOG, Pacer, Released};
pub use plan::{AudioPlan, Class, Demand, PathLimit, Plan, VideoPlan};
pub use repair::{NackGenerator, RetransmissionBudget, RetransmissionHistory};

/// A probe for bandwidth: packets sent at a pace of their own, to see whether the path carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProbeId(pub u32);

/// One cluster of packets to send at a pace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Which one: to be told with each packet that was sent as a part of it.
    pub id: ProbeId,
    /// Bits per second on the wire.
    pub rate_bps: u32,
    /// It needs at least so many packets,
    pub min_packets: u32,
    /// and at least so many bytes on the wire.
    pub min_bytes: u32,
}

/// A packet that left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its transport-wide number (TWCC), made 64 bits wide; each one is one more than that before.
    pub number: u64,
    /// What it carries.
    pub class: Class,
    /// Its size with all headers down to IP.
    pub wire_bytes: u32,
    /// The probe that it is a part of.
    pub probe: Option<ProbeId>,
}

/// What the other side says of what arrived (transport-wide congestion control feedback, draft-holmer-rmcat-transport-wide-cc).
#[derive(Debug, Clone, Copy)]
pub struct Feedback<'a> {
    /// The first number that it is about, made 64 bits wide by the adapter.
    pub base: u64,
    /// For `base`, `base + 1`, …: when it arrived, in microseconds of the receiver's clock, made continuous where it wraps; `None`: not so far.
    pub arrivals: &'a [Option<i64>],
}
