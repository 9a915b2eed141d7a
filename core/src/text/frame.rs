//! What goes over the channel: small JSON objects.

use super::{MAX_FRAME, TextId};
use serde::{Deserialize, Serialize};

/// The only version so far.
const VERSION: u8 = 1;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Frame {
    /// The sender knows private text. The first frame of each side on a connection.
    Hello,
    Text {
        id: TextId,
        text: String,
    },
    Delivered {
        id: TextId,
    },
    Refused {
        id: TextId,
        why: Refusal,
    },
    Typing {
        on: bool,
    },
}

/// Why the other side did not take a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Nothing is left of it without spaces and controls.
    Empty,
    /// It is longer than [`super::MAX_CHARS`].
    TooLong,
    /// Texts came faster than people write.
    TooFast,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

impl Refusal {
    /// A name for programs, e.g. `too-long`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::TooFast => "too-fast",
            Self::Other => "other",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    v: u8,
    #[serde(flatten)]
    frame: Frame,
}

impl Frame {
    pub(super) fn write(self) -> String {
        // Its keys are strings and its values have no way to fail.
        serde_json::to_string(&Versioned { v: VERSION, frame: self }).unwrap_or_default()
    }

    /// None for what is no frame, or one of a later version: it is passed over.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_FRAME {
            return None;
        }
        let Versioned { v, frame } = serde_json::from_slice(bytes).ok()?;
        (v == VERSION).then_some(frame)
    }
}
