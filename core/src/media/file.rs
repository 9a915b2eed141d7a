//! What can be wrong with files of pictures and sound.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file cannot be read or written; names the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// It is not of the kind that its use needs, or damaged before its first picture or sample.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// It is valid but of a sort that is not supported.
    #[error("{}: {what} is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Which sort.
        what: String,
    },
    /// One of its frames is damaged.
    #[error("{}: frame {frame}: {problem}", path.display())]
    Frame {
        /// The file.
        path: PathBuf,
        /// Counted from 0.
        frame: u64,
        /// What is wrong.
        problem: String,
    },
}

impl FileError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, problem: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), problem: problem.to_string() }
    }
}
