//! What travels, and what is known of it without a byte being written.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::congestion::Class;

/// Above the payload: RTP 12, its extensions 8, SRTP's tag 10, UDP 8, IPv4 20.
pub(super) const HEADERS: u32 = 58;
/// The payload descriptor of video.
pub(super) const DESCRIPTOR: u32 = 6;
/// Most payload in a packet of video, and least where a slow path makes it smaller.
const MAX_PAYLOAD: u32 = 1160;
const MIN_PAYLOAD: u32 = 300;
const SLOW_PATH_BPS: u32 = 400_000;
/// RTP's and the repair's own header, less the protected packet's, of which it has the fields.
pub(super) const REPAIR_HEADER: u32 = 20;
/// The original sequence number in a repeated packet (RFC 4588).
pub(super) const RTX_HEADER: u32 = 2;
/// The least of an RTCP compound: IP, UDP, SRTCP's tag and index, a header with two SSRCs.
pub(super) const RTCP_HEADERS: u32 = 20 + 8 + 14 + 12;

/// Most payload in a packet of video at a target: on a slow path one packet takes no longer than 20 ms.
pub(super) fn max_payload(target_bps: u32) -> u32 {
    if target_bps >= SLOW_PATH_BPS { MAX_PAYLOAD } else { (target_bps / 400).clamp(MIN_PAYLOAD, MAX_PAYLOAD) }
}

static EPOCH: OnceLock<Instant> = OnceLock::new();

/// Virtual time, in microseconds since the call began, as the `Instant` that the parts under test want.
pub(super) fn instant(micros: u64) -> Instant {
    *EPOCH.get_or_init(Instant::now) + Duration::from_micros(micros)
}

/// The other way, rounded up: never before the instant.
pub(super) fn micros(instant: Instant) -> u64 {
    let since = instant.saturating_duration_since(*EPOCH.get_or_init(Instant::now));
    u64::try_from(since.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// A piece of sound: which 20 ms since the call began, and how many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) first: u64,
    pub(super) units: u64,
}

/// A packet of sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct SoundPacket {
    pub(super) piece: Piece,
    /// The copies of earlier ones in it (RFC 2198).
    pub(super) copies: [Option<Piece>; 2],
    /// What in-band FEC repeats in low quality: the one before.
    pub(super) fec: Option<Piece>,
}

/// A packet of video.
#[derive(Debug, Clone, Copy)]
pub(super) struct VideoPacket {
    /// RTP's sequence number, not wrapped.
    pub(super) sequence: u64,
    /// Pictures that were sent, counted.
    pub(super) frame: u64,
    pub(super) captured: u64,
    pub(super) key: bool,
    /// Which one of how many of its picture.
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) wire_bytes: u32,
}

/// Forward error correction: every so many packets of a picture XORed, so that one that is lost comes back.
#[derive(Debug, Clone, Copy)]
pub(super) struct RepairPacket {
    /// The picture's first packet.
    pub(super) first: VideoPacket,
    /// Which of how many sets it is of: packets are dealt out by turns.
    pub(super) set: u32,
    pub(super) sets: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Media {
    Sound(SoundPacket),
    Video(VideoPacket),
    Repair(RepairPacket),
    /// Repeats a packet for its bytes alone.
    Padding,
}

/// What an RTCP packet says.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// First number, then when each one arrived by the receiver's clock.
    pub(super) feedback: Option<(u64, Vec<Option<i64>>)>,
    pub(super) nack: Vec<u16>,
    pub(super) picture_loss: bool,
    /// When this was sent, and the last such time heard from the other side with how long it lay here (LSR and DLSR, RFC 3550).
    pub(super) sent: u64,
    pub(super) echo: Option<(u64, u64)>,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    Rtp { number: u64, class: Class, repeated: bool, media: Media },
    Rtcp(Control),
}

/// On its way to the endpoint `to`.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) to: usize,
    pub(super) wire_bytes: u32,
    pub(super) sent: u64,
    pub(super) body: Body,
}
