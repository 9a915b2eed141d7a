//! Session descriptions (SDP, RFC 8866; JSEP, RFC 9429): what another WebRTC implementation wrote, and what this side writes. Sans-IO.
//!
//! A peer writes its descriptions in many ways: sections in any order, stopped ones in between, several tracks of a kind, lines left out
//! that have a default. The WebRTC crate takes few of them. So it never sees one: [`read`] takes a description apart, [`session`] says
//! what it means for a call, which has at most one audio, one video and one data section, and [`plain`] writes that for the crate, always
//! in the same form. What the crate answers is read for its transport parameters only; [`mod@write`] composes what the peer gets, with a
//! section for each of the peer's in their order (RFC 3264 section 8).
//!
//! Nothing here is ever refused because a part of it is odd, as long as there is one way to understand it; what is refused is refused
//! before anything was changed.

mod formats;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod plain;
mod read;
mod select;
mod session;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use formats::{DTMF, DTMF_8K, H264_FMTP, Numbers, OPUS, OPUS_FMTP, RED, VideoNumber, usual};
pub(crate) use plain::{DTMF_8K_PARAMETERS, DTMF_PARAMETERS};
pub(crate) use read::{Description, SdpError};
pub(crate) use select::ice_credentials;
pub(crate) use session::{CandidateLine, Kind, SDES_MID, Session, TRANSPORT_CC};
