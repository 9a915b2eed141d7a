//! What must hold after each action, and that there is a way out.

use super::World;
use crate::app::{CallPhase, Screen, UserAction};
use crate::call::CallState;
use std::time::Duration;

impl World {
    /// What holds always.
    pub(super) fn check(&self) {
        let state = self.app.state();
        let call = state.call.as_ref();
        let phase = self.phase();
        assert!(
            !(self.ring || self.vibrate) || call.is_some_and(|call| call.can_answer),
            "rings with nothing to answer"
        );
        assert!(!self.ringback || phase == Some(CallPhase::RingingRemotely), "ringback in {phase:?}");
        assert!(!(self.ring && self.ringback), "rings here and there");
        let in_use = phase.is_some_and(|phase| !matches!(phase, CallPhase::Ringing | CallPhase::Ending));
        for (on, what) in
            [(self.audio, "audio"), (self.proximity, "proximity"), (self.screen_on, "screen"), (self.silent, "silence")]
        {
            assert!(!on || in_use, "{what} in {phase:?}");
        }
        assert!(self.service.is_none() || call.is_some(), "a service without a call");
        assert!(
            self.over_lock == call.is_some_and(|call| call.phase != CallPhase::Ending),
            "over the lock in {phase:?}"
        );
        if self.news.is_empty() {
            let open = self.call.as_ref().is_some_and(|call| call.state != CallState::RingingLocally);
            assert!(!open || call.is_some(), "the microphone is open in a call that nobody sees: {:?}", self.call);
        }
        let films = self.camera && self.call.as_ref().is_some_and(|call| call.state != CallState::RingingLocally);
        let seen = call.is_some_and(|call| (call.camera_on && !call.held) || call.phase == CallPhase::Ending);
        assert!(!films || seen || !self.news.is_empty(), "films unseen in {phase:?}");
        let expected = match (call, phase, &state.me) {
            (Some(_), Some(CallPhase::Ringing), _) => Screen::Incoming,
            (Some(_), ..) => Screen::InCall,
            (None, _, Some(_)) => Screen::Home,
            (None, _, None) => Screen::SignIn,
        };
        assert_eq!(state.screen, expected);
        let asks = call.is_some_and(|call| call.verification.as_ref().is_some_and(|check| check.can_answer));
        assert!(!asks || in_use, "asks for words in {phase:?}");
        let mut topics: Vec<_> = state.banners.iter().map(|banner| banner.topic).collect();
        topics.dedup();
        assert_eq!(topics.len(), state.banners.len(), "two banners of one topic: {:?}", state.banners);
        for banner in &state.banners {
            assert!(!banner.recoveries.is_empty() || self.app.next_wake().is_some(), "no way out of {banner:?}");
        }
        assert!(phase != Some(CallPhase::Ending) || self.app.next_wake().is_some(), "ends for ever");
    }

    /// Lets everything that is on its way arrive, answers what is asked, leaves, and looks that nothing is left.
    pub(super) fn comes_to_rest(mut self) {
        for _ in 0..4 {
            self.deliver();
            if self.question.is_some() {
                self.answer(self.permissions);
            }
            self.user(UserAction::HangUp);
        }
        self.deliver();
        self.wait(Duration::from_secs(60));
        assert_eq!(self.phase(), None, "a call that cannot be ended");
        assert_eq!(self.call, None, "a call of the client that the app does not end");
        self.user(UserAction::SignOut);
        self.deliver();
        self.wait(Duration::from_secs(60));
        let state = self.app.state();
        assert_eq!((state.screen, state.sign_in.busy), (Screen::SignIn, false));
        assert_eq!((self.session, self.reported, self.app.next_wake()), (None, None, None));
        assert!(!(self.ring || self.vibrate || self.ringback || self.audio || self.over_lock));
        self.fails = None;
        self.sign_in();
        self.deliver();
        assert_eq!(self.app.state().screen, Screen::Home, "the door is open again");
    }
}
