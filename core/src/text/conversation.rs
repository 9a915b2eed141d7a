//! Which texts wait for their mark, which were seen before, and who types.

use super::frame::{Frame, Refusal};
use super::{MAX_CHARS, MAX_WAITING, RESEND_AFTER, TYPING_LASTS, TextError, TextEvent, TextId, clean};
use crate::budget::Budget;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Identifiers of received texts that are remembered: more than the other side may have without a mark.
const MAX_SEEN: usize = 4 * MAX_WAITING;
/// Frames that wait to be taken. The channel takes them at once; what does not fit is sent again.
const MAX_FRAMES: usize = 4 * MAX_WAITING;
/// How often `typing` is said again while somebody types.
const TYPING_AGAIN: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Waiting {
    id: TextId,
    text: String,
    /// When it was sent last; none on this connection.
    sent: Option<Instant>,
}

/// The private text of one call, on one side.
#[derive(Debug)]
pub struct Conversation {
    waiting: VecDeque<Waiting>,
    seen: VecDeque<TextId>,
    /// The other side has said on this connection that it takes text.
    available: bool,
    was_available: bool,
    sent: Budget,
    /// Twice what the other side may send, for the network brings together what was apart.
    taken: Budget,
    typing_changes: Budget,
    /// When this side said last that somebody types here.
    typing_said: Option<Instant>,
    /// Until when somebody types there.
    typing_until: Option<Instant>,
    frames: VecDeque<Frame>,
    events: VecDeque<TextEvent>,
}

impl Default for Conversation {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            seen: VecDeque::new(),
            available: false,
            was_available: false,
            sent: Budget::new(32.0, 4.0),
            taken: Budget::new(MAX_WAITING as f64 + 64.0, 8.0),
            typing_changes: Budget::new(8.0, 1.0),
            typing_said: None,
            typing_until: None,
            frames: VecDeque::new(),
            events: VecDeque::new(),
        }
    }
}

impl Conversation {
    /// There is a connection, the first one or one in the place of another. An ICE restart makes none.
    pub fn connected(&mut self) {
        self.available = false;
        self.typing_said = None;
        self.frames.clear();
        self.push(Frame::Hello);
        self.waiting.iter_mut().for_each(|waiting| waiting.sent = None);
    }

    /// Takes a text for sending.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn send(&mut self, now: Instant, id: TextId, text: &str) -> Result<(), TextError> {
        let text = clean(text);
        match text.chars().count() {
            0 => return Err(TextError::Empty),
            count if count > MAX_CHARS => return Err(TextError::TooLong(count)),
            _ => {}
        }
        if self.waiting.len() >= MAX_WAITING {
            return Err(TextError::TooManyWaiting);
        }
        if !self.sent.take(now) {
            return Err(TextError::TooFast);
        }
        // Who has written does not type any more; the other side knows that from the text.
        self.typing_said = None;
        self.waiting.push_back(Waiting { id, text, sent: None });
        self.send_waiting(now);
        Ok(())
    }

    /// Whether somebody types here. May be called with every key.
    pub fn set_typing(&mut self, now: Instant, on: bool) {
        if !self.available {
            return;
        }
        let said = self.typing_said.filter(|at| now.saturating_duration_since(*at) < TYPING_AGAIN);
        if on && said.is_none() {
            self.typing_said = Some(now);
            self.push(Frame::Typing { on: true });
        } else if !on && self.typing_said.take().is_some() {
            self.push(Frame::Typing { on: false });
        }
    }

    /// Takes what the other side sent: any bytes.
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) {
        match Frame::read(bytes) {
            None => log::debug!("a frame of the text channel is passed over"),
            Some(Frame::Hello) => self.on_hello(now),
            Some(Frame::Text { id, text }) => self.on_text(now, id, &text),
            Some(Frame::Delivered { id }) => {
                if self.remove(id) {
                    self.events.push_back(TextEvent::Delivered { id });
                }
            }
            Some(Frame::Refused { id, why }) => {
                if self.remove(id) {
                    self.events.push_back(TextEvent::Refused { id, why });
                }
            }
            Some(Frame::Typing { on }) => self.on_typing(now, on),
        }
    }

    /// The next frame to send: UTF-8.
    pub fn poll_frame(&mut self) -> Option<String> {
        self.frames.pop_front().map(Frame::write)
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<TextEvent> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let again = self.waiting.iter().filter_map(|waiting| waiting.sent).min().map(|at| at + RESEND_AFTER);
        again.filter(|_| self.available).into_iter().chain(self.typing_until).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.typing_until.is_some_and(|until| until <= now) {
            self.type_there(None);
        }
        self.send_waiting(now);
    }

    fn on_hello(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.available, true) {
            if !std::mem::replace(&mut self.was_available, true) {
                self.events.push_back(TextEvent::Available);
            }
            self.send_waiting(now);
        }
    }

    fn on_text(&mut self, now: Instant, id: TextId, text: &str) {
        if self.seen.contains(&id) {
            // The mark was lost.
            return self.push(Frame::Delivered { id });
        }
        let refused = match text.chars().count() {
            count if count > MAX_CHARS => Some(Refusal::TooLong),
            _ if !self.taken.take(now) => Some(Refusal::TooFast),
            _ => None,
        };
        let text = clean(text);
        if let Some(why) = refused.or(text.is_empty().then_some(Refusal::Empty)) {
            return self.push(Frame::Refused { id, why });
        }
        if self.seen.len() == MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(id);
        self.push(Frame::Delivered { id });
        self.type_there(None);
        self.events.push_back(TextEvent::Received { id, text });
    }

    fn on_typing(&mut self, now: Instant, on: bool) {
        if on == self.typing_until.is_some() {
            // Said again: it lasts longer, and nobody needs to be told.
            self.typing_until = on.then(|| now + TYPING_LASTS);
        } else if !on || self.typing_changes.take(now) {
            self.type_there(on.then(|| now + TYPING_LASTS));
        }
    }

    fn type_there(&mut self, until: Option<Instant>) {
        let before = std::mem::replace(&mut self.typing_until, until);
        if before.is_some() != until.is_some() {
            self.events.push_back(TextEvent::Typing(until.is_some()));
        }
    }

    fn remove(&mut self, id: TextId) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.id != id);
        self.waiting.len() < before
    }

    /// Sends what was not sent yet, and again what waits too long.
    fn send_waiting(&mut self, now: Instant) {
        if !self.available {
            return;
        }
        let due = |sent: Option<Instant>| sent.is_none_or(|at| now.saturating_duration_since(at) >= RESEND_AFTER);
        for waiting in self.waiting.iter_mut().filter(|waiting| due(waiting.sent)) {
            if self.frames.len() >= MAX_FRAMES {
                break;
            }
            waiting.sent = Some(now);
            self.frames.push_back(Frame::Text { id: waiting.id, text: waiting.text.clone() });
        }
    }

    fn push(&mut self, frame: Frame) {
        if self.frames.len() < MAX_FRAMES {
            self.frames.push_back(frame);
        }
    }
}
