//! Whether a call is on hold: its sound is somebody else's, a phone call's say, and nothing of it is heard or sent until it is taken up
//! again.

/// What the system says about the app's sound: audio focus on Android, interruptions of the audio session on iOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioInterruption {
    /// Somebody else sounds for a while; the system gives it back by itself.
    Began,
    /// It is ours again.
    Ended,
    /// Somebody else took it for good: it has to be asked for.
    Lost,
    /// The system's media services died and came back: what the app had set is gone.
    ServicesReset,
}

/// Who has a call's sound.
///
/// Two know of it: the audio session and the system's calls (CallKit, Telecom). While those have the call they take the sound for it,
/// from this very app, too; so what happens to the session means nothing then, and their own word counts.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// The system's calls have the call.
    managed: bool,
    /// They put it on hold.
    on_hold: bool,
    /// What became of the session.
    interrupted: bool,
    lost: bool,
    /// The person put it on hold here, where no system's calls have it.
    by_person: bool,
}

impl Hold {
    pub(super) fn is_held(&self) -> bool {
        if self.managed { self.on_hold } else { self.by_person || self.interrupted || self.lost }
    }

    /// Somebody else has the sound, and the person did not say so.
    pub(super) fn is_taken(&self) -> bool {
        self.is_held() && !self.by_person
    }

    pub(super) fn is_managed(&self) -> bool {
        self.managed
    }

    /// The system's calls have the call from now on, or let it go.
    pub(super) fn set_managed(&mut self, managed: bool) {
        *self = Self { managed, ..Self::default() };
    }

    pub(super) fn set_on_hold(&mut self, on: bool) {
        self.on_hold = on;
    }

    /// The audio session is not ours.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted || self.lost
    }

    pub(super) fn interruption(&mut self, news: AudioInterruption) {
        match news {
            AudioInterruption::Began => self.interrupted = true,
            AudioInterruption::Ended | AudioInterruption::ServicesReset => {
                (self.interrupted, self.lost) = (false, false)
            }
            AudioInterruption::Lost => self.lost = true,
        }
    }

    /// The person wants it so, where no system's calls have it.
    pub(super) fn set_by_person(&mut self, on: bool) {
        self.by_person = on;
    }

    /// A call begins, or is over: the sound is ours until somebody says otherwise.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_the_sound_holds_the_call_until_it_is_given_back() {
        let mut hold = Hold::default();
        hold.interruption(AudioInterruption::Began);
        assert!(hold.is_held() && hold.is_taken());
        hold.interruption(AudioInterruption::Ended);
        assert!(!hold.is_held());
        hold.interruption(AudioInterruption::Lost);
        assert!(hold.is_held());
        hold.reset();
        assert!(!hold.is_held(), "the next call has the sound");
    }

    #[test]
    fn while_the_systems_calls_have_the_call_their_word_alone_counts() {
        let mut hold = Hold::default();
        hold.interruption(AudioInterruption::Began);
        hold.set_managed(true);
        assert!(!hold.is_held(), "it took the sound for this very call");
        hold.interruption(AudioInterruption::Lost);
        assert!(!hold.is_held());
        hold.set_on_hold(true);
        assert!(hold.is_held());
        hold.set_on_hold(false);
        assert!(!hold.is_held());
    }

    #[test]
    fn the_person_holds_and_takes_up_again() {
        let mut hold = Hold::default();
        hold.set_by_person(true);
        assert!(hold.is_held() && !hold.is_taken());
        hold.set_by_person(false);
        assert!(!hold.is_held());
    }
}
