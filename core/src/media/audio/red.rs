//! Redundant sound (RFC 2198): packets that repeat earlier ones, so that a lost one is heard all the same.
//!
//! ```text
//! header of an earlier block:  1 | block PT (7) | timestamp offset (14) | block length (10)
//! header of the newest block:  0 | block PT (7)
//! ```
//! All headers come first, then the blocks in the same order; the newest one takes what is left.

use bytes::{BufMut, Bytes, BytesMut};

/// Largest timestamp offset that fits into a header: 341 ms at 48 kHz.
pub const MAX_OFFSET: u16 = (1 << 14) - 1;
/// Longest earlier block whose length fits into a header, in bytes.
pub const MAX_BLOCK: usize = (1 << 10) - 1;
/// Most blocks that are looked at in one packet. No sender has a reason for more than three.
const MAX_BLOCKS: usize = 8;
/// "Another header follows this one."
const FOLLOWED: u8 = 0x80;
const EARLIER_HEADER: usize = 4;
const NEWEST_HEADER: usize = 1;

/// What one RTP packet of sound carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    /// RTP timestamp in 48 kHz samples since the sender's start: where `payload` begins. Wraps at 2³².
    pub timestamp: u32,
    /// One Opus packet.
    pub payload: Bytes,
    /// Opus packets sent before, the oldest first. They go out where the other side takes RED, and are left out otherwise.
    pub earlier: Vec<EarlierBlock>,
}

/// An Opus packet that is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierBlock {
    /// By how much its RTP timestamp is less than that of the packet it travels in: 1 to [`MAX_OFFSET`].
    pub offset: u16,
    /// One Opus packet, of 1 to [`MAX_BLOCK`] bytes.
    pub payload: Bytes,
}

impl AudioPacket {
    /// One that repeats nothing.
    pub fn new(timestamp: u32, payload: Bytes) -> Self {
        Self { timestamp, payload, earlier: Vec::new() }
    }
}

/// Writes a packet in RED, all blocks with the payload type `block`. At most `max` bytes: the oldest blocks that do not fit are left
/// out, as are those that RED cannot express. `None` if no earlier block is left: then RED is of no use.
pub fn pack(packet: &AudioPacket, block: u8, max: usize) -> Option<Bytes> {
    let fits = |earlier: &&EarlierBlock| {
        (1..=MAX_OFFSET).contains(&earlier.offset) && (1..=MAX_BLOCK).contains(&earlier.payload.len())
    };
    let mut len = NEWEST_HEADER + packet.payload.len();
    let mut first = packet.earlier.len();
    for (n, earlier) in packet.earlier.iter().enumerate().rev().filter(|(_, e)| fits(e)) {
        if len + EARLIER_HEADER + earlier.payload.len() > max {
            break;
        }
        len += EARLIER_HEADER + earlier.payload.len();
        first = n;
    }
    let earlier = || packet.earlier[first..].iter().filter(fits);
    earlier().next()?;
    let mut out = BytesMut::with_capacity(len);
    for block_before in earlier() {
        out.put_u8(FOLLOWED | block & !FOLLOWED);
        out.put_uint(u64::from(block_before.offset) << 10 | block_before.payload.len() as u64, 3);
    }
    out.put_u8(block & !FOLLOWED);
    for block_before in earlier() {
        out.put_slice(&block_before.payload);
    }
    out.put_slice(&packet.payload);
    Some(out.freeze())
}

/// A received RED packet, taken apart without a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub(super) newest: Bytes,
    /// In the order of the packet.
    pub(super) earlier: Vec<EarlierBlock>,
    /// Earlier blocks that are of no use: empty, without an offset, or of another payload type than the newest one.
    pub(super) useless: u64,
    /// Payload type of the newest block.
    pub(super) block_type: u8,
}

/// Takes a RED packet apart. `None` if headers or blocks overrun it, if there are more than eight blocks, or if the newest is empty.
pub(super) fn unpack(payload: &Bytes) -> Option<Unpacked> {
    let mut headers: [(u8, u16, usize); MAX_BLOCKS] = [(0, 0, 0); MAX_BLOCKS];
    let mut count = 0;
    let mut rest = &payload[..];
    let block_type = loop {
        let &first = rest.first()?;
        if first & FOLLOWED == 0 {
            rest = &rest[NEWEST_HEADER..];
            break first;
        }
        let header = rest.get(..EARLIER_HEADER)?;
        let word = u32::from_be_bytes([0, header[1], header[2], header[3]]);
        // 14 and 10 bits.
        *headers.get_mut(count)? = (first & !FOLLOWED, (word >> 10) as u16, (word & 0x3FF) as usize);
        count += 1;
        rest = &rest[EARLIER_HEADER..];
    };
    let mut at = payload.len() - rest.len();
    let (mut earlier, mut useless) = (Vec::with_capacity(count), 0);
    for &(kind, offset, len) in &headers[..count] {
        let end = at.checked_add(len).filter(|&end| end <= payload.len())?;
        if kind == block_type && offset > 0 && len > 0 {
            earlier.push(EarlierBlock { offset, payload: payload.slice(at..end) });
        } else {
            useless += 1;
        }
        at = end;
    }
    let newest = payload.slice(at..);
    (!newest.is_empty()).then_some(Unpacked { newest, earlier, useless, block_type })
}

#[cfg(test)]
#[path = "red_tests.rs"]
mod tests;
