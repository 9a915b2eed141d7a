//! Whether the camera is on: what the person wishes, and what has a say in it besides.

/// Why the system's camera gives no pictures while a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraTrouble {
    /// Another app has it, or took it.
    InUse,
    /// The person, or whoever administers the device, does not allow it.
    NotAllowed,
    /// There is none, or not this one any more.
    Gone,
    /// It is there and does not work.
    Broken,
    /// The system paused it and will give it back.
    Paused,
    /// The device is too hot for it.
    Hot,
}

/// Whether cameras may be used, as far as the app's visibility decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// A person sees the app.
    Foreground,
    /// Nobody does.
    Background {
        /// A small picture over other apps is seen, and the system lets the camera run for it.
        camera_allowed: bool,
    },
}

impl Visibility {
    pub(super) fn is_foreground(self) -> bool {
        self == Self::Foreground
    }

    fn allows_camera(self) -> bool {
        matches!(self, Self::Foreground | Self::Background { camera_allowed: true })
    }
}

/// The wish for the camera in this call.
#[derive(Debug, Default)]
pub(super) struct CameraWish {
    /// The person's wish.
    wanted: bool,
    /// The next command is to open the device anew, even if it is thought to be open.
    reopen: bool,
}

impl CameraWish {
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(super) fn set(&mut self, wanted: bool) {
        self.wanted = wanted;
        self.reopen = false;
    }

    /// The person wants it again after it failed.
    pub(super) fn again(&mut self) {
        (self.wanted, self.reopen) = (true, true);
    }

    /// It could not be opened: coming back to the foreground is not to try again what the person was told of.
    pub(super) fn failed(&mut self) {
        self.set(false);
    }

    /// Whether the device is to be open: on hold nothing is sent, and in the background phones allow no camera.
    pub(super) fn is_on(&self, allowed: bool, visibility: Visibility, held: bool) -> bool {
        self.wanted && allowed && visibility.allows_camera() && !held
    }

    /// Whether to switch it off before it is switched on: the client takes one that failed for one that is on.
    pub(super) fn take_reopen(&mut self) -> bool {
        std::mem::take(&mut self.reopen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: Visibility = Visibility::Background { camera_allowed: false };
    const SMALL: Visibility = Visibility::Background { camera_allowed: true };

    #[test]
    fn it_is_on_where_the_person_wants_it_and_nothing_speaks_against_it() {
        let mut wish = CameraWish::default();
        assert!(!wish.is_on(true, Visibility::Foreground, false));
        wish.set(true);
        assert!(wish.is_on(true, Visibility::Foreground, false) && wish.is_on(true, SMALL, false));
        assert!(!wish.is_on(true, HIDDEN, false) && !wish.is_on(false, SMALL, false));
        assert!(!wish.is_on(true, Visibility::Foreground, true), "on hold nothing is sent");
        assert!(wish.is_wanted(), "and the wish stays");
    }

    #[test]
    fn what_failed_is_opened_anew_only_when_the_person_says_so() {
        let mut wish = CameraWish::default();
        wish.set(true);
        wish.failed();
        assert!(!wish.is_on(true, Visibility::Foreground, false));
        wish.again();
        assert!(wish.is_on(true, Visibility::Foreground, false) && wish.take_reopen() && !wish.take_reopen());
    }
}
