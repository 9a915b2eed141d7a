//! What can be wrong with files of pictures and sound, and what is seen of it before a call.

#[cfg(any(test, feature = "synthetic"))]
mod playback;

#[cfg(any(test, feature = "synthetic"))]
pub use playback::PlaybackFailure;
#[cfg(any(test, feature = "synthetic"))]
pub(crate) use playback::open_input;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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

fn kind(found: &fs::Metadata) -> &'static str {
    if found.is_dir() { "it is a folder" } else { "it is a pipe or a device, not a file" }
}

/// Whether a file can be written: its folder is there and lets files be made, and the file, if it is there, is a file that can be
/// written to. Changes nothing; what is found can be otherwise when the file is written.
///
/// # Errors
/// [`FileError`] with what is in the way.
pub fn check_output(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(FileError::format(path, kind(&found))),
        Ok(_) => File::options().write(true).open(path).map(drop).map_err(|error| FileError::io(path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_folder(path),
        Err(error) => Err(FileError::io(path, error)),
    }
}

/// Whether files can be made in the folder of this one.
pub(crate) fn check_folder(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::metadata(parent) {
        Ok(found) if !found.is_dir() => {
            return Err(FileError::format(path, format!("{} is no folder", parent.display())));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FileError::format(path, format!("the folder {} is not there", parent.display())));
        }
        _ => {}
    }
    // Permissions do not say what a file system that is read-only or full does: only an attempt does.
    let attempt = beside(path);
    let made = File::options().write(true).create_new(true).open(&attempt).and_then(|_| fs::remove_file(&attempt));
    made.map_err(|error| FileError::format(path, format!("no file can be made in {}: {error}", parent.display())))
}

/// A name that is not taken, in the same folder.
pub(crate) fn beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
