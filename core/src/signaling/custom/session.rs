//! What waits, what is dropped and what is told, without a transport: sans-IO.

use super::TransportError;
use crate::signaling::SignalingError;
use crate::signaling::message::{CallId, ErrorCode, ErrorMessage, IceServer, Message};
use crate::signaling::session::{MAX_BLOCKED, QUEUE_LEN, SignalingEvent, check_given, check_name};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// What the session wants done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// Carry this message to this person; a refusal comes back by [`CustomSession::refused`].
    Carry { to: String, message: Message },
    /// Tell the app.
    Event(SignalingEvent),
}

/// One person's session over a transport of the app's.
pub(in crate::signaling) struct CustomSession {
    name: String,
    open: bool,
    ever_open: bool,
    closed: bool,
    ice_servers: Vec<IceServer>,
    attempt: u32,
    malformed: u64,
    blocked: BTreeSet<String>,
    /// What waits for the transport to open.
    queue: VecDeque<Message>,
    outputs: VecDeque<Output>,
}

impl CustomSession {
    /// # Errors
    /// [`SignalingError::BadName`].
    pub(in crate::signaling) fn new(name: &str) -> Result<Self, SignalingError> {
        Ok(Self {
            name: check_name(name)?,
            open: false,
            ever_open: false,
            closed: false,
            ice_servers: Vec::new(),
            attempt: 0,
            malformed: 0,
            blocked: BTreeSet::new(),
            queue: VecDeque::new(),
            outputs: VecDeque::new(),
        })
    }

    pub(in crate::signaling) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The transport carries messages. While it did so before, only the ICE servers are new.
    pub(super) fn opened(&mut self, ice_servers: Vec<IceServer>) {
        if self.closed {
            return;
        }
        if self.open {
            if self.ice_servers != ice_servers {
                self.ice_servers.clone_from(&ice_servers);
                self.event(SignalingEvent::IceServers(ice_servers));
            }
            return;
        }
        self.ice_servers.clone_from(&ice_servers);
        let resumed = self.ever_open;
        (self.open, self.ever_open, self.attempt) = (true, true, 0);
        let name = self.name.clone();
        self.event(SignalingEvent::LoggedIn { name, id: 0, ice_servers, server: None, resumed, push: None });
        for message in std::mem::take(&mut self.queue) {
            self.carry(message);
        }
    }

    /// The transport carries nothing any more. Before it has carried anything, this is the end.
    pub(super) fn lost(&mut self, reason: String) {
        let why = SignalingError::TransportLost(reason);
        if self.closed {
            return;
        }
        if !self.ever_open {
            self.closed = true;
            self.event(SignalingEvent::Closed { why: Some(why) });
            return;
        }
        if std::mem::replace(&mut self.open, false) {
            self.attempt = self.attempt.saturating_add(1);
            self.event(SignalingEvent::Reconnecting { attempt: self.attempt, after: Duration::ZERO, why });
        }
    }

    /// A message of a call to send, or to keep until the transport is open.
    pub(super) fn send(&mut self, message: Message) {
        if self.open {
            self.carry(message);
        } else if !self.closed {
            self.keep(message);
        }
    }

    /// The transport did not take what [`Output::Carry`] gave it.
    pub(super) fn refused(&mut self, message: Message, why: TransportError) {
        match why {
            TransportError::NotOpen(reason) => {
                // What was to follow it waits behind it.
                let (rest, others) = std::mem::take(&mut self.outputs)
                    .into_iter()
                    .partition::<VecDeque<_>, _>(|output| matches!(output, Output::Carry { .. }));
                self.outputs = others;
                self.lost(reason);
                self.keep(message);
                for output in rest {
                    if let Output::Carry { message, .. } = output {
                        self.keep(message);
                    }
                }
            }
            TransportError::NoSuchUser => {
                let (to, call) = (message.target().map(str::to_owned), message.of_call().1);
                self.no_such_user(to, Some(message.kind().to_owned()), call);
            }
        }
    }

    /// A text came from this person.
    pub(super) fn received(&mut self, from: &str, text: &str) {
        if !self.ever_open || self.closed {
            return;
        }
        let Some(from) = check_given(from) else { return self.count_malformed() };
        match Message::parse(text) {
            Ok(mut message) if message.is_of_call() => {
                if self.blocked.contains(&from) && matches!(message, Message::VideoOffer(_)) {
                    return;
                }
                message.set_sender(&from);
                self.event(SignalingEvent::Call(message));
            }
            // A type of a later version.
            Ok(Message::Unknown(_)) => {}
            Ok(_) => self.count_malformed(),
            Err(error) => {
                log::debug!("unreadable message of {} bytes: {error}", text.len());
                self.count_malformed();
            }
        }
    }

    /// Nobody of this name is there to take a message.
    pub(super) fn unknown(&mut self, name: String) {
        self.no_such_user(Some(name), Some("video-offer".into()), None);
    }

    pub(super) fn set_blocked(&mut self, name: String, block: bool) {
        if !block {
            self.blocked.remove(&name);
        } else if self.blocked.len() < MAX_BLOCKED {
            self.blocked.insert(name);
        }
    }

    /// The app is done.
    pub(super) fn logout(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.event(SignalingEvent::Closed { why: None });
        }
    }

    fn carry(&mut self, mut message: Message) {
        message.set_sender(&self.name);
        // The engine names somebody in each message.
        if let Some(to) = message.target().map(str::to_owned) {
            self.outputs.push_back(Output::Carry { to, message });
        }
    }

    fn keep(&mut self, message: Message) {
        if self.queue.len() >= QUEUE_LEN
            && let Some(oldest) = self.queue.pop_front()
        {
            self.event(SignalingEvent::Dropped { kind: oldest.kind().to_owned() });
        }
        self.queue.push_back(message);
    }

    fn no_such_user(&mut self, target: Option<String>, regarding: Option<String>, call: Option<CallId>) {
        let message = "there is nobody of this name".to_owned();
        let error = ErrorMessage { code: ErrorCode::NoSuchUser, message, regarding, target, call };
        self.event(SignalingEvent::Call(Message::Error(error)));
    }

    fn count_malformed(&mut self) {
        self.malformed = self.malformed.saturating_add(1);
        self.event(SignalingEvent::Malformed { total: self.malformed });
    }

    fn event(&mut self, event: SignalingEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
