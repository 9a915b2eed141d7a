//! Files that are played as a camera or a microphone.

use super::{FileError, kind};
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens a file to be read, and says how many bytes it has. Folders, pipes and devices are refused: they cannot be played in a loop.
pub(crate) fn open_input(path: &Path) -> Result<(File, u64), FileError> {
    // Before it is opened, which waits for ever at a pipe that nobody writes to.
    let found = fs::metadata(path).map_err(|error| FileError::io(path, error))?;
    if !found.is_file() {
        return Err(FileError::format(path, kind(&found)));
    }
    let file = File::open(path).map_err(|error| FileError::io(path, error))?;
    let length = file.metadata().map_err(|error| FileError::io(path, error))?.len();
    Ok((file, length))
}

/// Why a file that is played as a camera or a microphone stopped in the middle of it. Clones share what is found.
#[derive(Debug, Clone, Default)]
pub struct PlaybackFailure(Arc<Mutex<Option<FileError>>>);

impl PlaybackFailure {
    pub(crate) fn set(&self, error: FileError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// The first failure, once.
    pub fn take(&self) -> Option<FileError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
