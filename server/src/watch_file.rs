//! Files that an operator or a certificate tool replaces while the server runs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tokio::time;

/// Looked at so often: whoever replaces a file waits that long before the new one holds.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What tells two versions of a file apart.
type Version = Option<(SystemTime, u64)>;

fn version(file: &Path) -> Version {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Files, and which versions of them are known.
#[derive(Debug, Clone)]
pub(crate) struct WatchedFiles(Vec<(PathBuf, Version)>);

impl WatchedFiles {
    /// To be made before the files are read, so that no change in between is missed.
    pub(crate) fn new(files: &[&Path]) -> Self {
        Self(files.iter().map(|file| (file.to_path_buf(), version(file))).collect())
    }

    /// Returns when one of the files is another one than before. One that is missing for a moment, as while it is replaced, is no change.
    pub(crate) async fn changed(&mut self) {
        loop {
            time::sleep(LOOK_EVERY).await;
            let mut any = false;
            for (file, known) in &mut self.0 {
                let now = version(file);
                if now.is_some() && *known != now {
                    (*known, any) = (now, true);
                }
            }
            if any {
                return;
            }
        }
    }
}
