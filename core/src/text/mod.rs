//! Private text between the two people of a call: over a data channel of its own, and not by way of the server.
//!
//! The frames are in `docs/protocol.md`. [`Conversation`] is sans-IO: it knows no clock and no channel. After each of its inputs take every frame
//! ([`Conversation::poll_frame`]) and every event ([`Conversation::poll_event`]), and ask [`Conversation::poll_timeout`] when to call
//! [`Conversation::handle_timeout`].
//!
//! A text counts as delivered when the other side has said so. What has no such mark is sent again after [`RESEND_AFTER`] and on a new
//! peer connection of the same call; the receiver knows it by its identifier, so that it is shown once.

mod clean;
mod conversation;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

pub use clean::clean;
pub use conversation::Conversation;
pub use frame::Refusal;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// Longest text, in Unicode scalar values.
pub const MAX_CHARS: usize = 2_000;
/// Texts that may wait for their delivery mark.
pub const MAX_WAITING: usize = 64;
/// How long a text waits for its mark before it is sent again.
pub const RESEND_AFTER: Duration = Duration::from_secs(10);
/// How long `typing` counts without being said again.
pub const TYPING_LASTS: Duration = Duration::from_secs(6);
/// Longest frame, in bytes: what goes in one message of every browser (RFC 8831 section 6.6).
pub const MAX_FRAME: usize = 16 * 1024;

/// Which text of a call: chosen by its sender (UUID version 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextId(pub Uuid);

impl TextId {
    /// A new random identifier.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for TextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What changed in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextEvent {
    /// The other side takes private text. One that does not never says so, and what is sent to it stays undelivered.
    Available,
    /// A text of the other side's: plain text, never markup.
    Received {
        /// Its identifier.
        id: TextId,
        /// What it says, without controls and what turns the reading direction.
        text: String,
    },
    /// A text of this side's has arrived there.
    Delivered {
        /// Its identifier.
        id: TextId,
    },
    /// The other side did not take a text of this side's; it is not sent again.
    Refused {
        /// Its identifier.
        id: TextId,
        /// Why.
        why: Refusal,
    },
    /// Whether somebody types there.
    Typing(bool),
}

/// Why a text was not taken for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// No call is connected, or has been.
    #[error("there is no connected call to send text in")]
    NoCall,
    /// Nothing is left of it without spaces and controls.
    #[error("the text is empty")]
    Empty,
    /// It has this many characters, more than [`MAX_CHARS`].
    #[error("{0} characters are too many for one text")]
    TooLong(usize),
    /// Faster than people write: 32 at once, then 4 a second.
    #[error("texts follow each other too fast")]
    TooFast,
    /// [`MAX_WAITING`] wait for their delivery mark.
    #[error("too many texts wait to be delivered")]
    TooManyWaiting,
}
