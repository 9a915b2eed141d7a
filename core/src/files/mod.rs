//! Files from one person of a call to the other: over a data channel of its own, and not by way of the server.
//!
//! The frames are in `docs/protocol.md`. [`Transfers`] decides and is sans-IO: it knows no clock, no channel and no disk. After each of its inputs take every
//! frame ([`Transfers::poll_frame`]), every event ([`Transfers::poll_event`]) and every job ([`Transfers::poll_job`]), and ask
//! [`Transfers::poll_timeout`] when to call [`Transfers::handle_timeout`]. [`storage`] does the jobs, on a thread of its own; [`disk`] has files on a disk.
//!
//! Nothing is received before somebody has said yes. What is in memory does not depend on the size of a file: a sender reads [`READ_AHEAD`] ahead, and has on
//! its way what the receiver has granted, at most [`WINDOW`] a file. Sound and pictures go first: [`pace`] has the rules.

pub mod disk;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod incoming;
mod name;
mod outgoing;
pub mod pace;
mod speed;
pub mod storage;
#[cfg(test)]
mod tests;
mod transfers;

pub use frame::FileEnd;
pub use name::safe_name;
pub use transfers::Transfers;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Longest message of the channel, in bytes: what every browser takes in one piece (RFC 8831 section 6.6).
pub const MAX_MESSAGE: usize = 16 * 1024;
/// What a receiver grants a sender beyond what it has written, in bytes.
pub const WINDOW: u64 = 1 << 20;
/// Files at a time that the receiver grants a window; the others wait their turn.
pub const MAX_WINDOWS: usize = 2;
/// What a sender reads ahead of what it sends, in bytes.
pub const READ_AHEAD: u64 = 256 * 1024;
/// Files that may be offered, wait or be under way in each direction.
pub const MAX_FILES: usize = 16;
/// Largest file, in bytes: what a number of JavaScript holds exactly.
pub const MAX_SIZE: u64 = (1 << 53) - 1;

/// Which file of a call: chosen by its sender (UUID version 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId(pub Uuid);

impl FileId {
    /// A new random identifier.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A file that one side wants to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOffer {
    /// Its identifier.
    pub id: FileId,
    /// Its name, as [`safe_name`] makes it of the one that the sender has: without a path, and usable on every system.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its media type (RFC 6838), as the sender says, e.g. `image/png`.
    pub media_type: Option<String>,
}

/// A file and what is told of it.
pub struct FileToSend {
    /// Its name; a path in front of it is left out.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its media type (RFC 6838), where it is known.
    pub media_type: Option<String>,
    /// Where it is read from.
    pub source: Box<dyn storage::FileSource>,
}

impl FileToSend {
    /// One on a disk. Its media type follows from its name, for the most usual ones.
    ///
    /// # Errors
    /// [`TransferError::Unusable`].
    pub fn open(path: &Path) -> Result<Self, TransferError> {
        let source = disk::DiskSource::open(path).map_err(|error| TransferError::Unusable(error.to_string()))?;
        let (name, size) = (source.name().to_owned(), source.size());
        let media_type = name::media_type(&name).map(str::to_owned);
        Ok(Self { name, size, media_type, source: Box::new(source) })
    }
}

/// What happened to a file. Progress is told at most four times a second for each file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileEvent {
    /// The other side knows files. One that does not never says so, and nothing is sent to it.
    Available,
    /// The other side wants to send a file: somebody has to say yes or no.
    Offered(FileOffer),
    /// The other side wants the file.
    Accepted {
        /// Which one.
        id: FileId,
    },
    /// How much of it has arrived and is kept there.
    Progress {
        /// Which one.
        id: FileId,
        /// So many bytes.
        bytes: u64,
        /// Of so many.
        size: u64,
        /// The speed of the last two seconds.
        bytes_per_second: u64,
    },
    /// It waits for one of the two people, or for none of them any more.
    Paused {
        /// Which one.
        id: FileId,
        /// It was paused here.
        here: bool,
        /// It was paused there.
        there: bool,
    },
    /// It has arrived whole, and its checksum is right.
    Done {
        /// Which one.
        id: FileId,
        /// Where it is, if it was received and has a place.
        path: Option<PathBuf>,
    },
    /// It does not arrive. Nothing of it is kept.
    Ended {
        /// Which one.
        id: FileId,
        /// Why.
        why: FileEnd,
        /// Whether this side ended it.
        here: bool,
    },
}

/// Why something about a file was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// No call is connected, or has been.
    #[error("there is no connected call to send files in")]
    NoCall,
    /// There is no such file, or not any more, or it is not in a state for this.
    #[error("there is no such file under way")]
    NoFile,
    /// [`MAX_FILES`] are under way.
    #[error("too many files are under way")]
    TooMany,
    /// It is larger than [`MAX_SIZE`].
    #[error("the file is too large")]
    TooLarge,
    /// It cannot be read or written.
    #[error("the file cannot be used: {0}")]
    Unusable(String),
}
