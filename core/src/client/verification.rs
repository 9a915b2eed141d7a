//! The check of the other end in one connection: carries its frames, looks at the clock, and says when something changed.

use super::ClientError;
use crate::peer::PeerConnection;
use crate::security::{Check, CheckResult, Secret, Word};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

/// How long the other side may take for its first frame: two round trips, and what its channels take to open.
const FIRST_FRAME: Duration = Duration::from_secs(5);
/// How long it may take for each of the next ones, but for the people's answers.
const NEXT_FRAME: Duration = Duration::from_secs(5);

/// How far the check of the other end is ([`crate::security`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// What both people see, to compare by voice; none where there is nothing to compare.
    pub words: Option<[Word; 4]>,
    /// What is known of the other end.
    pub result: CheckResult,
}

/// What changed.
pub(super) struct Change {
    pub(super) verification: Verification,
    /// To be remembered of this person.
    pub(super) secret: Option<Secret>,
}

/// None of a connection that is not connected yet.
#[derive(Default)]
pub(super) struct CallCheck {
    check: Option<Check>,
    /// When the other side has had its time.
    deadline: Option<Instant>,
    told: Option<CheckResult>,
    /// Frames that came before this side had its certificates read.
    early: Vec<Bytes>,
}

impl CallCheck {
    /// Begins, once; a connection that comes back has its check already.
    pub(super) async fn start(&mut self, connection: &dyn PeerConnection, secrets: &[Secret]) -> Option<Change> {
        if self.check.is_some() || self.told.is_some() {
            return None;
        }
        let Some(ends) = connection.ends().await else {
            // Without a section for data channels there is no certificate to be had, and no check: an old peer.
            let is_new = secrets.is_empty();
            return self.tell(if is_new { CheckResult::Unsupported } else { CheckResult::Changed }, None);
        };
        self.check = Some(Check::new(ends, rand::random(), secrets.to_vec()));
        self.deadline = Some(Instant::now() + FIRST_FRAME);
        let early = std::mem::take(&mut self.early);
        early.iter().for_each(|frame| self.take(frame));
        // What an earlier connection of the call came to is not said of this one.
        self.go_on(connection).or_else(|| self.tell(CheckResult::Checking, None))
    }

    pub(super) fn receive(&mut self, connection: &dyn PeerConnection, frame: Bytes) -> Option<Change> {
        if self.check.is_none() {
            // DTLS is there before this side has looked: a few frames of the beginning.
            if self.early.len() < 4 {
                self.early.push(frame);
            }
            return None;
        }
        self.take(&frame);
        self.go_on(connection)
    }

    fn take(&mut self, frame: &[u8]) {
        if let Some(check) = &mut self.check {
            check.receive(frame);
            self.deadline = self.deadline.map(|at| at.max(Instant::now() + NEXT_FRAME));
        }
    }

    /// The person has compared the words.
    ///
    /// # Errors
    /// [`ClientError::NoWords`].
    pub(super) fn confirm(
        &mut self,
        connection: &dyn PeerConnection,
        same: bool,
    ) -> Result<Option<Change>, ClientError> {
        let confirmed = self.check.as_mut().is_some_and(|check| check.confirm(same));
        if confirmed { Ok(self.go_on(connection)) } else { Err(ClientError::NoWords) }
    }

    /// Completes when the other side has had its time.
    pub(super) async fn timeout(deadline: Option<Instant>) {
        match deadline {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) fn give_up(&mut self, connection: &dyn PeerConnection) -> Option<Change> {
        self.deadline = None;
        self.check.as_mut()?.give_up();
        self.go_on(connection)
    }

    fn go_on(&mut self, connection: &dyn PeerConnection) -> Option<Change> {
        let check = self.check.as_mut()?;
        while let Some(frame) = check.poll_frame() {
            // Where the channel is gone the other side's time runs out.
            if let Err(error) = connection.send_verification(frame.into()) {
                log::debug!("a frame of the check was not sent: {error}");
            }
        }
        let result = check.result()?;
        let words = check.words();
        self.deadline = None;
        self.tell(result, words)
    }

    fn tell(&mut self, result: CheckResult, words: Option<[Word; 4]>) -> Option<Change> {
        if self.told.replace(result) == Some(result) {
            return None;
        }
        let secret = self.check.as_ref().and_then(Check::secret);
        Some(Change { verification: Verification { words, result }, secret })
    }
}
