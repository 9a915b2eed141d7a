//! Screens that an app captures: what it implements, and how large they may be.

use super::capture::{CaptureError, CaptureHandle, FrameSink};
use super::video::DegradationPreference;
use std::sync::Arc;
use std::{fmt, str::FromStr};

/// Longer and shorter side of the largest picture of a screen that is taken, in pixels (the largest frame of H.264 level 5.1).
/// A source has larger ones scaled down, which systems do by the way while they capture.
pub const MAX_SCREEN_SIDES: (u32, u32) = (3840, 2160);

/// What is to be seen in a screen that is shared, and so what gives way where path or device do not carry it.
///
/// Source: W3C mst-content-hint, `MediaStreamTrack.contentHint` of video and the degradation preferences that follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ContentHint {
    /// Text and lines, which must be sharp: the frame rate gives way.
    #[default]
    Detail,
    /// A film or a game, which must be smooth: the size gives way.
    Motion,
}

impl ContentHint {
    /// What gives way.
    pub fn degradation(self) -> DegradationPreference {
        match self {
            Self::Detail => DegradationPreference::MaintainResolution,
            Self::Motion => DegradationPreference::MaintainFramerate,
        }
    }
}

impl fmt::Display for ContentHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detail => "detail",
            Self::Motion => "motion",
        })
    }
}

/// No content hint has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no content hint: use detail or motion")]
pub struct UnknownContentHint(pub String);

impl FromStr for ContentHint {
    type Err = UnknownContentHint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = [Self::Detail, Self::Motion].into_iter().find(|hint| hint.to_string() == text);
        found.ok_or_else(|| UnknownContentHint(text.to_owned()))
    }
}

/// Why a screen is not shared, or not any more. The call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// A picture is larger than [`MAX_SCREEN_SIDES`], whichever way up.
    #[error(
        "a screen of {width}×{height} is too large: at most {}×{} is taken, so have it scaled down",
        MAX_SCREEN_SIDES.0,
        MAX_SCREEN_SIDES.1
    )]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A screen is shared in this call already, or about to be.
    #[error("a screen is shared already")]
    AlreadyShared,
    /// It was stopped before it had begun.
    #[error("the screen share was stopped before it had begun")]
    Stopped,
}

/// Checks the size of a screen's pictures, in pixels.
///
/// # Errors
/// [`ScreenError::TooLarge`] beyond [`MAX_SCREEN_SIDES`].
pub fn check_screen_size(width: u32, height: u32) -> Result<(), ScreenError> {
    let (long, short) = MAX_SCREEN_SIDES;
    if width.max(height) <= long && width.min(height) <= short {
        Ok(())
    } else {
        Err(ScreenError::TooLarge { width, height })
    }
}

/// A screen, a window or the like, which the person has chosen and allowed to be captured before this is handed over.
pub trait ScreenSource: Send + Sync {
    /// Begins to capture; pictures go to `sink` until the returned handle is dropped. A picture is needed where something has
    /// changed only: the core repeats the last one. It is called once for each share, and the handle stays through a hold and through new
    /// connections of the call, as most systems would ask the person again.
    ///
    /// # Errors
    /// [`CaptureError`] if it cannot be captured.
    fn capture(&self, sink: FrameSink, end: ScreenEnd) -> Result<Box<dyn CaptureHandle>, CaptureError>;

    /// The size of its pictures in pixels, where it is known before. One that is too large is refused without being opened.
    fn size(&self) -> Option<(u32, u32)> {
        None
    }
}

/// By which a source says that it gives no more pictures: the person has stopped the share in the system's own controls, or what
/// was captured is gone. Cheap to clone; may be called from any thread.
#[derive(Clone)]
pub struct ScreenEnd(Arc<dyn Fn() + Send + Sync>);

impl ScreenEnd {
    /// One that calls this.
    pub fn new(end: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self(end)
    }

    /// The share ends, and the camera is sent again. Without effect after the first time.
    pub fn end(&self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_hints_are_read_and_written_in_the_words_of_w3c() {
        for hint in [ContentHint::Detail, ContentHint::Motion] {
            assert_eq!(hint.to_string().parse(), Ok(hint));
        }
        assert!("text ".parse::<ContentHint>().unwrap_err().to_string().contains("'text '"));
    }

    #[test]
    fn text_keeps_its_size_and_a_film_its_pace() {
        assert_eq!(ContentHint::Detail.degradation(), DegradationPreference::MaintainResolution);
        assert_eq!(ContentHint::Motion.degradation(), DegradationPreference::MaintainFramerate);
    }

    #[test]
    fn a_screen_of_4k_is_taken_either_way_up_and_one_of_8k_is_not() {
        assert_eq!(check_screen_size(3840, 2160), Ok(()));
        assert_eq!(check_screen_size(2160, 3840), Ok(()));
        for (width, height) in [(7680, 4320), (3841, 100), (2162, 2162), (u32::MAX, 1)] {
            assert_eq!(check_screen_size(width, height), Err(ScreenError::TooLarge { width, height }));
        }
    }
}
