//! Keys of a phone (DTMF) as telephone events (RFC 4733), which go in the stream of sound and in its place. Sans-IO: time comes in as an
//! argument.
//!
//! ```text
//! tones ─► DtmfSender ─► payloads for RTP: every 20 ms while a tone lasts, its end three times
//! payloads from the peer, some lost, in any order ─► DtmfReceiver ─► each tone once
//! ```
//!
//! Durations and gaps are those of W3C's `RTCDTMFSender`.

mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub use receiver::DtmfReceiver;
pub use sender::{DtmfSender, EventPacket};

use std::time::Duration;

/// Tones and pauses that may wait to be sent.
pub const MAX_TONES: usize = 256;
/// How long a `,` waits.
pub const PAUSE: Duration = Duration::from_secs(2);
/// How long a tone may last.
const TONE: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(6_000));
/// How long the gap after a tone may last.
const GAP: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(6_000));

/// The characters of the events 0 to 15 (RFC 4733 section 3.2).
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// A key: `0` to `9`, `*`, `#`, `A` to `D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DtmfTone(u8);

impl DtmfTone {
    /// Of this key, in either case.
    pub fn new(key: char) -> Option<Self> {
        let place = KEYS.iter().position(|known| *known == key.to_ascii_uppercase())?;
        u8::try_from(place).ok().map(Self)
    }

    /// Its key.
    pub fn key(self) -> char {
        KEYS[usize::from(self.0) % KEYS.len()]
    }

    /// The event's number.
    fn event(self) -> u8 {
        self.0
    }

    fn of_event(event: u8) -> Option<Self> {
        (usize::from(event) < KEYS.len()).then_some(Self(event))
    }
}

impl std::fmt::Display for DtmfTone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key().fmt(f)
    }
}

/// What to send: keys, with `,` for a pause of two seconds; how long each sounds, and how long it is quiet after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtmfTones {
    /// A pause is none.
    keys: Vec<Option<DtmfTone>>,
    duration: Duration,
    gap: Duration,
}

impl DtmfTones {
    /// How long a tone sounds unless somebody says otherwise.
    pub const DURATION: Duration = Duration::from_millis(100);
    /// How long it is quiet after it.
    pub const GAP: Duration = Duration::from_millis(70);

    /// Reads keys. `duration` is brought to 40 ms to 6 s, `gap` to 30 ms to 6 s.
    ///
    /// # Errors
    /// [`DtmfError::InvalidCharacter`], [`DtmfError::TooMany`].
    pub fn new(keys: &str, duration: Duration, gap: Duration) -> Result<Self, DtmfError> {
        let key = |key: char| match key {
            ',' => Ok(None),
            key => DtmfTone::new(key).map(Some).ok_or(DtmfError::InvalidCharacter(key)),
        };
        let keys: Vec<_> = keys.chars().take(MAX_TONES + 1).map(key).collect::<Result<_, _>>()?;
        if keys.len() > MAX_TONES {
            return Err(DtmfError::TooMany);
        }
        Ok(Self { keys, duration: duration.clamp(TONE.0, TONE.1), gap: gap.clamp(GAP.0, GAP.1) })
    }
}

/// One key, as long as usual.
impl From<DtmfTone> for DtmfTones {
    fn from(tone: DtmfTone) -> Self {
        Self { keys: vec![Some(tone)], duration: Self::DURATION, gap: Self::GAP }
    }
}

/// Why tones are not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DtmfError {
    /// W3C's `InvalidCharacterError`.
    #[error("'{0}' is no key of a phone")]
    InvalidCharacter(char),
    /// With those that wait, more than [`MAX_TONES`].
    #[error("too many tones wait to be sent")]
    TooMany,
    /// The call is not connected, or the other side takes no telephone events (W3C's `InvalidStateError`).
    #[error("the other side takes no tones")]
    NotAgreed,
}
