//! What goes over the data channel: a version, a kind, and what belongs to it.

use super::keys::{MAX_SECRETS, Nonce};

/// The only version so far.
const VERSION: u8 = 1;
/// The longest frame, in bytes.
#[cfg(any(test, fuzzing))]
pub(super) const MAX_FRAME: usize = 2 + 32 * MAX_SECRETS;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// The answerer is there.
    Hello,
    /// SHA-256 over the offerer's nonce.
    Commit([u8; 32]),
    /// The answerer's nonce; then the offerer's.
    Nonce(Nonce),
    /// Codes over the transcript, one by each secret that is remembered.
    Codes(Vec<[u8; 32]>),
    /// Whether the words are the same, as the person says.
    Same(bool),
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadFrame {
    Version,
    Malformed,
}

impl Frame {
    pub(super) fn write(&self) -> Vec<u8> {
        let (kind, body): (u8, &[u8]) = match self {
            Self::Hello => (0, &[]),
            Self::Commit(commitment) => (1, commitment),
            Self::Nonce(nonce) => (2, nonce),
            Self::Codes(codes) => (3, codes.as_flattened()),
            Self::Same(same) => (4, if *same { &[1] } else { &[0] }),
        };
        let mut bytes = vec![VERSION, kind];
        bytes.extend_from_slice(body);
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadFrame> {
        let [version, kind, body @ ..] = bytes else { return Err(BadFrame::Malformed) };
        if *version != VERSION {
            return Err(BadFrame::Version);
        }
        let whole = || <[u8; 32]>::try_from(body).map_err(|_| BadFrame::Malformed);
        match (kind, body) {
            (0, []) => Ok(Self::Hello),
            (1, _) => whole().map(Self::Commit),
            (2, _) => whole().map(Self::Nonce),
            (3, _) => match body.as_chunks::<32>() {
                (codes, []) if codes.len() <= MAX_SECRETS => Ok(Self::Codes(codes.to_vec())),
                _ => Err(BadFrame::Malformed),
            },
            (4, [same @ (0 | 1)]) => Ok(Self::Same(*same == 1)),
            _ => Err(BadFrame::Malformed),
        }
    }
}
