//! The order of the frames, and what comes of them.

use super::frame::{BadFrame, Frame};
use super::keys::{MAX_SECRETS, Nonce, Secret, Transcript, commitment};
use super::{Ends, Role, Word};
use std::collections::VecDeque;

/// Frames that one check takes: a person may change their mind a few times.
const MAX_FRAMES: u32 = 32;

/// Whether the other end is who it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    /// The connection is new, and its check goes on: nothing is known, whatever was known of another one.
    Checking,
    /// The other side does not know the check: an old version, or another implementation. Nothing is known.
    Unsupported,
    /// The words are to be compared.
    Compare,
    /// It is a device that was checked before; there is no need to compare.
    Remembered,
    /// This person was checked before, and this is none of the devices that were. The words, if there are any, are to be compared.
    Changed,
    /// Both people said that the words are the same.
    Confirmed,
    /// One of them said that they are not: somebody is between the two.
    Differs,
    /// The check came to no end.
    Failed(CheckFailure),
}

impl CheckResult {
    /// A name for programs, e.g. `compare`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Unsupported => "unsupported",
            Self::Compare => "compare",
            Self::Remembered => "remembered",
            Self::Changed => "changed",
            Self::Confirmed => "confirmed",
            Self::Differs => "differs",
            Self::Failed(_) => "failed",
        }
    }
}

/// Why a check came to no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckFailure {
    /// The other side sent something else than it had committed to.
    #[error("the other side changed what it had committed to")]
    Commitment,
    /// A frame came that does not belong there.
    #[error("the other side did not keep to the order")]
    Order,
    /// It is none.
    #[error("the other side sent a frame that cannot be read")]
    Malformed,
    /// Of a version that this side does not know.
    #[error("the other side checks in another way")]
    Version,
    /// More than a check has.
    #[error("the other side sent too many frames")]
    TooMany,
    /// It stopped in the middle.
    #[error("the other side stopped answering")]
    Timeout,
}

enum Step {
    /// The offerer waits for the answerer.
    Hello,
    /// The answerer waits for the commitment.
    Commitment,
    /// The offerer waits for the answerer's nonce.
    AnswererNonce,
    /// The answerer waits for the nonce that belongs to this commitment.
    OffererNonce([u8; 32]),
    /// The words are there; the codes of what the other side remembers are not.
    Codes(Box<Transcript>),
    /// People compare.
    Compared(Box<Transcript>),
    /// Nothing more is taken.
    Over,
}

/// One check, on one side. A new connection begins a new one.
pub struct Check {
    ends: Ends,
    nonce: Nonce,
    secrets: Vec<Secret>,
    step: Step,
    frames: u32,
    begun: bool,
    matched: bool,
    own_word: Option<bool>,
    their_word: Option<bool>,
    words: Option<[Word; 4]>,
    result: Option<CheckResult>,
    outgoing: VecDeque<Frame>,
}

impl Check {
    /// Of this connection. `nonce` must be random and of this check alone; `secrets` are those remembered of the person who should be at
    /// the other end.
    pub fn new(ends: Ends, nonce: Nonce, mut secrets: Vec<Secret>) -> Self {
        secrets.truncate(MAX_SECRETS);
        let (step, first) = match ends.role {
            Role::Offerer => (Step::Hello, None),
            Role::Answerer => (Step::Commitment, Some(Frame::Hello)),
        };
        Self {
            ends,
            nonce,
            secrets,
            step,
            frames: 0,
            begun: false,
            matched: false,
            own_word: None,
            their_word: None,
            words: None,
            result: None,
            outgoing: first.into_iter().collect(),
        }
    }

    /// The next frame to send.
    pub fn poll_frame(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front().map(|frame| frame.write())
    }

    /// What has come of it so far.
    pub fn result(&self) -> Option<CheckResult> {
        self.result
    }

    /// The words to compare, once there are any. Those of a failed check are gone.
    pub fn words(&self) -> Option<[Word; 4]> {
        self.words
    }

    /// Takes what the other side sent: any bytes.
    pub fn receive(&mut self, bytes: &[u8]) {
        if matches!(self.step, Step::Over) {
            return;
        }
        self.begun = true;
        self.frames += 1;
        if self.frames > MAX_FRAMES {
            return self.fail(CheckFailure::TooMany);
        }
        match Frame::read(bytes) {
            Ok(frame) => self.advance(frame),
            Err(BadFrame::Version) => self.fail(CheckFailure::Version),
            Err(BadFrame::Malformed) => self.fail(CheckFailure::Malformed),
        }
    }

    fn advance(&mut self, frame: Frame) {
        match (std::mem::replace(&mut self.step, Step::Over), frame) {
            (Step::Hello, Frame::Hello) => {
                self.outgoing.push_back(Frame::Commit(commitment(&self.nonce)));
                self.step = Step::AnswererNonce;
            }
            (Step::Commitment, Frame::Commit(commitment)) => {
                self.outgoing.push_back(Frame::Nonce(self.nonce));
                self.step = Step::OffererNonce(commitment);
            }
            (Step::AnswererNonce, Frame::Nonce(nonce)) => {
                self.outgoing.push_back(Frame::Nonce(self.nonce));
                self.agree(&nonce);
            }
            (Step::OffererNonce(committed), Frame::Nonce(nonce)) => {
                if commitment(&nonce) != committed {
                    return self.fail(CheckFailure::Commitment);
                }
                self.agree(&nonce);
            }
            (Step::Codes(transcript), Frame::Codes(codes)) => self.look_up(transcript, &codes),
            (Step::Compared(transcript), Frame::Same(same)) => {
                self.their_word = Some(same);
                self.step = Step::Compared(transcript);
                self.judge();
            }
            _ => self.fail(CheckFailure::Order),
        }
    }

    fn agree(&mut self, nonce: &Nonce) {
        let transcript = Transcript::new(&self.ends, &self.nonce, nonce);
        let code = |secret| transcript.code(secret, self.ends.role);
        self.outgoing.push_back(Frame::Codes(self.secrets.iter().map(code).collect()));
        self.step = Step::Codes(Box::new(transcript));
    }

    fn look_up(&mut self, transcript: Box<Transcript>, codes: &[[u8; 32]]) {
        let by = self.ends.role.other();
        let is = |secret| codes.iter().any(|code| transcript.is_code(code, secret, by));
        self.matched = self.secrets.iter().any(is);
        self.words = Some(transcript.words());
        self.step = Step::Compared(transcript);
        self.judge();
    }

    /// The person has compared the words. False if there are none.
    pub fn confirm(&mut self, same: bool) -> bool {
        if !matches!(self.step, Step::Compared(_)) {
            return false;
        }
        if self.own_word.replace(same) != Some(same) {
            self.outgoing.push_back(Frame::Same(same));
        }
        self.judge();
        true
    }

    fn judge(&mut self) {
        self.result = Some(match (self.own_word, self.their_word) {
            (Some(false), _) | (_, Some(false)) => CheckResult::Differs,
            (Some(true), Some(true)) => CheckResult::Confirmed,
            _ if self.matched => CheckResult::Remembered,
            _ if self.secrets.is_empty() => CheckResult::Compare,
            _ => CheckResult::Changed,
        });
    }

    /// What to remember, once both people said that the words are the same; nothing if the two devices know each other already.
    pub fn secret(&self) -> Option<Secret> {
        match &self.step {
            Step::Compared(transcript) if self.result == Some(CheckResult::Confirmed) && !self.matched => {
                Some(transcript.secret())
            }
            _ => None,
        }
    }

    /// The other side has had its time. One that has not even begun does not know the check, but somebody whose device was checked before
    /// does: then it is another one.
    pub fn give_up(&mut self) {
        if self.result.is_some() {
            return;
        }
        if self.begun {
            return self.fail(CheckFailure::Timeout);
        }
        self.step = Step::Over;
        self.result = Some(if self.secrets.is_empty() { CheckResult::Unsupported } else { CheckResult::Changed });
    }

    fn fail(&mut self, why: CheckFailure) {
        self.step = Step::Over;
        self.words = None;
        self.outgoing.clear();
        self.result = Some(CheckResult::Failed(why));
    }
}
