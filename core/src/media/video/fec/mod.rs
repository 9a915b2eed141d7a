//! Forward error correction of video packets: FlexFEC as `video/flexfec-03`, draft-ietf-payload-flexible-fec-scheme-03, which is what other
//! implementations know; RFC 8627, what became of it, has another header. Sans-IO: packets are bytes as RFC 3550 section 5 has them.
//!
//! ```text
//! a picture's packets ─► encode ─► payloads of repair packets, each the XOR of every so many-th packet
//! packets and repair payloads from the peer, in any order ─► FecDecoder ─► what one of them lost, once
//! ```
//!
//! Packets are dealt out by turns, so that a burst of loss hits each repair packet's share once. A repair packet's payload (section 4.2):
//!
//! ```text
//!  0                   1                   2                   3
//! |R|F|P|X|  CC   |M| PT recovery |        length recovery        |
//! |                          TS recovery                          |
//! |   SSRC count  |                   reserved                    |
//! |                    SSRC of what it protects                   |
//! |        SN base        |k|             mask, 15 bits           |
//! |k|                       mask, 31 bits                         |  unless k was set
//! |k|                       mask, 63 bits, in two words           |  unless k was set
//! |                 XOR of all behind the RTP headers             |
//! ```
//!
//! Header extensions that change on the way have to be the same at both ends: both put zeros in their place.

mod decoder;
mod encoder;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

pub(crate) use decoder::{FecDecoder, protected_ssrc};
pub(crate) use encoder::encode;

/// Bytes of an RTP header without contributing sources and extensions.
const RTP_HEADER: usize = 12;
/// Bytes of a repair payload before the XOR, by how many masks there are.
const HEADERS: [usize; 3] = [20, 24, 32];
/// Packets that each of the masks stands for, those before it included.
const MASKED: [usize; 3] = [15, 46, 109];
/// Most packets that one repair packet can protect.
pub(crate) const MAX_PROTECTED: usize = MASKED[2];
