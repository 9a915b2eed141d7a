//! The check of the other end ([`crate::security`]): what is shown of it, and what is told.

use super::banner::{Notice, Recovery, Topic};
use super::effect::{ClientCommand, Effect};
use super::reducer::App;
use super::state::{Trust, VerificationView};
use super::text::{Message, TextKey};
use crate::client::Verification;
use crate::security::{CheckResult, RememberedPerson};

/// How far the check of a call's connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallCheck {
    verification: Verification,
    /// What the person said of these words.
    answer: Option<bool>,
    /// Whether a device of whom is called was checked before.
    known: bool,
}

impl CallCheck {
    /// There are words, and nobody here has said yet whether they are the same.
    fn can_answer(&self) -> bool {
        let Verification { words, result } = self.verification;
        words.is_some() && self.answer.is_none() && matches!(result, CheckResult::Compare | CheckResult::Changed)
    }

    /// What is known, and what that means.
    fn verdict(&self) -> (TextKey, Trust) {
        let Verification { words, result } = self.verification;
        match result {
            CheckResult::Compare | CheckResult::Changed if self.answer.is_some() => {
                (TextKey::VerificationWaiting, Trust::Unknown)
            }
            CheckResult::Checking => (TextKey::VerificationChecking, Trust::Unknown),
            CheckResult::Unsupported => (TextKey::VerificationUnsupported, Trust::Unknown),
            CheckResult::Compare => (TextKey::VerificationCompare, Trust::Unknown),
            // A device that was checked comes to the end of it.
            CheckResult::Failed(_) if self.known => (TextKey::VerificationGone, Trust::Doubtful),
            CheckResult::Failed(_) => (TextKey::VerificationFailed, Trust::Unknown),
            CheckResult::Remembered => (TextKey::VerificationRemembered, Trust::Verified),
            CheckResult::Confirmed => (TextKey::VerificationConfirmed, Trust::Verified),
            CheckResult::Changed if words.is_none() => (TextKey::VerificationGone, Trust::Doubtful),
            CheckResult::Changed => (TextKey::VerificationChanged, Trust::Doubtful),
            CheckResult::Differs => (TextKey::VerificationDiffers, Trust::Doubtful),
        }
    }

    pub(super) fn view(&self, with: &str) -> VerificationView {
        let (key, trust) = self.verdict();
        VerificationView {
            title: TextKey::Verification,
            words: self.verification.words.map(Vec::from).unwrap_or_default(),
            message: Message::about(key, with),
            trust,
            can_answer: self.can_answer(),
            same: TextKey::VerificationSame,
            different: TextKey::VerificationDifferent,
        }
    }
}

impl App {
    /// How far the check is changed. What may mean that somebody is between the two is told at once, wherever the person looks.
    pub(super) fn verification_changed(&mut self, verification: Verification) {
        let Some(with) = self.call.as_ref().map(|call| call.with.clone()) else { return };
        let known = self.remembers(&with);
        let Some(call) = &mut self.call else { return };
        // What was said of other words was said of another connection.
        let same_words = |check: &CallCheck| check.verification.words == verification.words;
        let answer = call.check.filter(same_words).and_then(|check| check.answer);
        let check = CallCheck { verification, answer, known };
        call.check = Some(check);
        match check.verdict() {
            (key, Trust::Doubtful) => {
                let notice = Notice::new(Message::about(key, &with), &[Recovery::Dismiss]);
                self.tell(Topic::Verification, notice, None);
            }
            _ => self.banners.clear(Topic::Verification),
        }
    }

    /// The person has compared the words.
    pub(super) fn confirm_verification(&mut self, same: bool) {
        let check = self.call.as_mut().and_then(|call| call.check.as_mut());
        let Some(check) = check.filter(|check| check.can_answer()) else { return };
        check.answer = Some(same);
        self.banners.clear(Topic::Verification);
        self.in_call(|call| ClientCommand::ConfirmVerification { call, same });
    }

    /// Both people said that the words are the same. Nobody in the demonstration is to be known again.
    pub(super) fn remember(&mut self, person: RememberedPerson) {
        let Some((address, _)) = self.address.as_ref().filter(|_| !self.demo) else { return };
        self.remembered.set(&address.server, person);
        let json = self.remembered.to_json();
        self.push(Effect::SaveRemembered(json));
    }

    fn remembers(&self, name: &str) -> bool {
        let server = self.address.as_ref().filter(|_| !self.demo).map(|(address, _)| &address.server);
        server.is_some_and(|server| self.remembered.knows(server, name))
    }
}
