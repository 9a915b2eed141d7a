//! RTP packets (RFC 3550) as the media pipelines see them: decrypted, with header extensions already dealt with.

use bytes::Bytes;
use std::time::Instant;

/// One received media packet.
#[derive(Debug, Clone)]
pub struct RtpPacket {
    /// Synchronization source.
    pub ssrc: u32,
    /// Payload type of this session.
    pub payload_type: u8,
    /// Wraps at 65,536.
    pub sequence_number: u16,
    /// In units of the codec's clock rate; wraps at 2³².
    pub timestamp: u32,
    /// Video: the last packet of a picture.
    pub marker: bool,
    /// What the codec's payload format defines.
    pub payload: Bytes,
    /// When it arrived here.
    pub arrived_at: Instant,
}
