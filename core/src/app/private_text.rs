//! Private text in a call ([`crate::text`]): what was written, what became of it, and whether somebody writes.

use super::chat::CHAT_LIMIT;
use super::effect::ClientCommand;
use super::reducer::{App, Now};
use super::state::PrivateTextView;
use super::text::{Message, TextKey};
use crate::text::{MAX_CHARS, MAX_WAITING, TextEvent, TextId};
use std::collections::VecDeque;

/// A line of the private text of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateLine {
    /// Different from all others of the call.
    pub id: u64,
    /// When it was written here or came here, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it says: to be shown as it is, never as markup.
    pub text: String,
    /// What became of it; none for what the other side wrote.
    pub delivery: Option<TextDelivery>,
}

/// What became of a text of this side's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextDelivery {
    /// It is on its way.
    Sending,
    /// It arrived.
    Delivered,
    /// It was not taken, here or there.
    Refused,
}

impl TextDelivery {
    /// What is shown of it.
    pub fn label(self) -> TextKey {
        match self {
            Self::Sending => TextKey::PrivateSending,
            Self::Delivered => TextKey::PrivateDelivered,
            Self::Refused => TextKey::PrivateRefused,
        }
    }
}

/// The private text of one call. It is kept no longer than the call.
#[derive(Debug, Default)]
pub(super) struct PrivateText {
    open: bool,
    /// The other side takes private text.
    available: bool,
    unread: u32,
    /// Whether somebody writes there, and whether it was told that somebody writes here.
    typing: bool,
    told: bool,
    lines: VecDeque<PrivateLine>,
    next_id: u64,
    /// Those that are under way: the line, and what the client calls it, once that is known.
    waiting: Vec<(u64, Option<TextId>)>,
    /// What became of texts that are not known by their names yet.
    early: VecDeque<(TextId, TextDelivery)>,
}

impl PrivateText {
    pub(super) fn lines(&self) -> &VecDeque<PrivateLine> {
        &self.lines
    }

    pub(super) fn view(&self, with: &str, connected: bool) -> Option<PrivateTextView> {
        self.available.then(|| PrivateTextView {
            title: Message::about(TextKey::PrivateTitle, with),
            hint: Message::about(TextKey::PrivateHint, with),
            open: self.open,
            unread: self.unread,
            typing: (self.typing && connected).then(|| Message::about(TextKey::PrivateTyping, with)),
            max_chars: MAX_CHARS,
        })
    }

    fn add(&mut self, now: Now, text: String, delivery: Option<TextDelivery>) -> u64 {
        if self.lines.len() == CHAT_LIMIT {
            self.lines.pop_front();
        }
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.lines.push_back(PrivateLine { id, at_ms: now.unix_ms, text, delivery });
        id
    }

    fn set(&mut self, id: u64, delivery: TextDelivery) {
        self.waiting.retain(|(line, _)| *line != id);
        // The oldest are not kept for ever.
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            line.delivery = Some(delivery);
        }
    }

    /// The client has taken a line, and calls it so from now on.
    fn taken(&mut self, line: u64, text: TextId) {
        match self.early.iter().position(|(early, _)| *early == text) {
            Some(at) => {
                if let Some((_, delivery)) = self.early.remove(at) {
                    self.set(line, delivery);
                }
            }
            None => {
                if let Some(waiting) = self.waiting.iter_mut().find(|(waiting, _)| *waiting == line) {
                    waiting.1 = Some(text);
                }
            }
        }
    }

    fn ended(&mut self, text: TextId, delivery: TextDelivery) {
        match self.waiting.iter().find(|(_, known)| *known == Some(text)) {
            Some(&(line, _)) => self.set(line, delivery),
            None => {
                if self.early.len() == MAX_WAITING {
                    self.early.pop_front();
                }
                self.early.push_back((text, delivery));
            }
        }
    }
}

impl App {
    pub(super) fn show_private_text(&mut self, on: bool) {
        if let Some(call) = self.call.as_mut().filter(|call| call.uses_devices()) {
            call.private.open = on && call.private.available;
            if call.private.open {
                call.private.unread = 0;
            } else {
                self.tell_typing(false);
            }
        }
    }

    /// What is empty, or more than may wait, is not sent; what is too long is cut between characters.
    pub(super) fn send_private_text(&mut self, now: Now, typed: &str) {
        let text: String = typed.trim().chars().take(MAX_CHARS).collect();
        let able = |call: &&mut super::calls::Call| call.uses_devices() && call.id.is_some() && call.private.available;
        let Some(call) = self.call.as_mut().filter(able) else { return };
        if text.is_empty() {
            return;
        }
        let full = call.private.waiting.len() >= MAX_WAITING;
        let delivery = if full { TextDelivery::Refused } else { TextDelivery::Sending };
        let line = call.private.add(now, text.clone(), Some(delivery));
        call.private.told = false;
        if full {
            return;
        }
        call.private.waiting.push((line, None));
        self.in_call(|call| ClientCommand::SendText { call, line, text });
    }

    /// Somebody writes here, or stopped. The client ends what is not said again.
    pub(super) fn tell_typing(&mut self, on: bool) {
        let Some(call) = self.call.as_mut().filter(|call| call.uses_devices() && call.private.available) else {
            return;
        };
        // That it goes on is said again and again: the client knows how often the other side is to hear of it.
        if on || call.private.told {
            call.private.told = on;
            self.in_call(|call| ClientCommand::SetTyping { call, on });
        }
    }

    pub(super) fn on_text(&mut self, now: Now, event: TextEvent) {
        let Some(call) = &mut self.call else { return };
        let private = &mut call.private;
        match event {
            TextEvent::Available => private.available = true,
            TextEvent::Received { text, .. } => {
                private.typing = false;
                private.add(now, text, None);
                if !private.open {
                    private.unread = private.unread.saturating_add(1);
                }
            }
            TextEvent::Delivered { id } => private.ended(id, TextDelivery::Delivered),
            TextEvent::Refused { id, .. } => private.ended(id, TextDelivery::Refused),
            TextEvent::Typing(on) => private.typing = on,
        }
    }

    /// The client has taken a line, or (none) has not.
    pub(super) fn text_taken(&mut self, line: u64, text: Option<TextId>) {
        let Some(call) = &mut self.call else { return };
        match text {
            Some(text) => call.private.taken(line, text),
            None => call.private.set(line, TextDelivery::Refused),
        }
    }
}
