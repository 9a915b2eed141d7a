//! What goes over the channel: JSON objects that control, and binary chunks.

use super::{FileId, MAX_MESSAGE};
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The only version so far.
const VERSION: u8 = 1;
/// Version, identifier and offset of a chunk, in bytes.
const CHUNK_HEADER: usize = 1 + 16 + 8;
/// Most bytes of a file in one chunk.
pub(super) const MAX_CHUNK: usize = MAX_MESSAGE - CHUNK_HEADER;

/// A message that controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Control {
    /// The sender knows files. The first frame of each side on a connection.
    Hello,
    Offer {
        id: FileId,
        name: String,
        size: u64,
        #[serde(rename = "mediaType", default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
    Accept {
        id: FileId,
        offset: u64,
        limit: u64,
    },
    Progress {
        id: FileId,
        offset: u64,
        limit: u64,
    },
    Pause {
        id: FileId,
    },
    Resume {
        id: FileId,
    },
    End {
        id: FileId,
        sha256: String,
    },
    Done {
        id: FileId,
    },
    Cancel {
        id: FileId,
        why: FileEnd,
    },
}

/// Why a file does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileEnd {
    /// The receiver said no.
    Declined,
    /// Nobody takes files there.
    NotTaken,
    /// Too many files are under way.
    TooMany,
    /// The offer makes no sense.
    BadOffer,
    /// Somebody cancelled it.
    Cancelled,
    /// It has another size than the offer said.
    Size,
    /// What arrived is not what was sent.
    Checksum,
    /// A frame came that does not belong there.
    Protocol,
    /// The sender cannot read it.
    Source,
    /// The receiver cannot write it: its disk may be full.
    Storage,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

impl FileEnd {
    /// A name for programs, e.g. `checksum`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::NotTaken => "not-taken",
            Self::TooMany => "too-many",
            Self::BadOffer => "bad-offer",
            Self::Cancelled => "cancelled",
            Self::Size => "size",
            Self::Checksum => "checksum",
            Self::Protocol => "protocol",
            Self::Source => "source",
            Self::Storage => "storage",
            Self::Other => "other",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    v: u8,
    #[serde(flatten)]
    control: Control,
}

impl Control {
    pub(super) fn write(self) -> Bytes {
        // Its keys are strings and its values have no way to fail.
        serde_json::to_vec(&Versioned { v: VERSION, control: self }).unwrap_or_default().into()
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Received {
    Control(Control),
    Chunk { id: FileId, offset: u64, bytes: Bytes },
}

/// None for what is no frame, or one of a later version: it is passed over.
pub(super) fn read(message: Bytes) -> Option<Received> {
    if message.len() > MAX_MESSAGE {
        return None;
    }
    if message.first() == Some(&b'{') {
        let Versioned { v, control } = serde_json::from_slice(&message).ok()?;
        return (v == VERSION).then_some(Received::Control(control));
    }
    let (header, bytes) = message.split_first_chunk::<CHUNK_HEADER>()?;
    let [version, rest @ ..] = header;
    let (id, offset) = rest.split_first_chunk::<16>()?;
    let offset = u64::from_be_bytes(offset.try_into().ok()?);
    let id = FileId(Uuid::from_bytes(*id));
    (*version == VERSION && !bytes.is_empty()).then(|| Received::Chunk {
        id,
        offset,
        bytes: message.slice(CHUNK_HEADER..),
    })
}

pub(super) fn chunk(id: FileId, offset: u64, bytes: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(CHUNK_HEADER + bytes.len());
    message.put_u8(VERSION);
    message.put_slice(id.0.as_bytes());
    message.put_u64(offset);
    message.put_slice(bytes);
    message.freeze()
}

pub(super) fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes that 64 hexadecimal digits stand for.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok()
}
