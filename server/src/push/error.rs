use crate::outgoing::ClientError;
use std::{io, path::PathBuf};

/// Why devices cannot be rung by push.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// A file could not be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file or directory.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{}: {what}", file.display())]
    BadFile {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// An option that cannot be used.
    #[error("{0}")]
    BadOption(String),
    /// The store of registrations cannot be used.
    #[error("the store of registrations: {0}")]
    Store(#[from] StoreError),
    /// No requests can be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Why the store did not do what it was asked for. What was in it before is still there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub(crate) String);

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self(error.into().to_string())
    }
}
