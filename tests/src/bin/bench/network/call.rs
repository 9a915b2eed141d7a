//! What both products need to make a call.

use super::namespaces::Namespaces;
use super::relay::Relay;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How long an end may take until the call is connected.
pub(crate) const SET_UP: Duration = Duration::from_secs(45);
/// How long an end may take to close what it has, after the call.
pub(crate) const CLOSE: Duration = Duration::from_secs(15);

/// A call to be made: one side sends 720p30 and sound, the other one sound.
pub(crate) struct Call<'a> {
    pub(crate) namespaces: &'a Namespaces,
    pub(crate) relay: &'a Relay,
    pub(crate) codec: Codec,
    pub(crate) seconds: u32,
    /// Pictures and sound that are played in a loop.
    pub(crate) video: PathBuf,
    pub(crate) audio: PathBuf,
    /// Where standard error goes: a folder, and the first word of the files' names.
    pub(crate) folder: PathBuf,
    pub(crate) label: String,
    /// The bench is to stop.
    pub(crate) stop: &'a AtomicBool,
}

impl Call<'_> {
    /// The file for what one of the programs writes to standard error.
    pub(crate) fn errors(&self, who: &str) -> PathBuf {
        self.folder.join(format!("{}-{who}.log", self.label))
    }
}

/// A video codec.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Codec {
    Vp8,
    H264,
}

impl Codec {
    /// As `chamada --codec` takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vp8 => "vp8",
            Self::H264 => "h264",
        }
    }

    /// The subtype of its media type.
    pub(crate) fn media_subtype(self) -> &'static str {
        match self {
            Self::Vp8 => "VP8",
            Self::H264 => "H264",
        }
    }
}
