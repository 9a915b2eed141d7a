//! The payload of a telephone event (RFC 4733 section 2.3).
//!
//! ```text
//! event (8) | end (1) | reserved (1) | volume (6) | duration (16)
//! ```

use super::DtmfTone;
use bytes::Bytes;

const END: u8 = 0x80;
/// In −dBm0: as loud as browsers send it.
const VOLUME: u8 = 10;

/// What one packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) tone: DtmfTone,
    pub(super) end: bool,
    /// How long it has lasted so far, in units of the RTP timestamp.
    pub(super) duration: u16,
}

impl Event {
    pub(super) fn write(self) -> Bytes {
        let [high, low] = self.duration.to_be_bytes();
        let end = if self.end { END } else { 0 };
        Bytes::copy_from_slice(&[self.tone.event(), end | VOLUME, high, low])
    }

    /// None for what is no event, and for events that are no keys. What follows the first one is of no use.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low, ..] = payload else { return None };
        let tone = DtmfTone::of_event(event)?;
        Some(Self { tone, end: flags & END != 0, duration: u16::from_be_bytes([high, low]) })
    }
}
