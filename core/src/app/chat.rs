//! The public chat, as much of it as is kept.

use super::text::{Message, TextKey};
use crate::signaling::message::MAX_TEXT_CHARS;
use std::collections::{BTreeSet, VecDeque};

/// Lines that are kept, the newest ones: more than anybody scrolls back.
pub const CHAT_LIMIT: usize = 500;

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    /// Different from all others while the app runs.
    pub id: u64,
    /// Milliseconds since 1970: the sender's clock for what was said, this device's for the rest.
    pub at_ms: u64,
    /// What it is.
    pub content: ChatContent,
}

/// What a line of the chat is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatContent {
    /// Somebody said this: to be shown as it is, never as markup.
    Said {
        /// Who; none if the server does not know.
        from: Option<String>,
        /// The words.
        text: String,
        /// Whether it was this person.
        own: bool,
    },
    /// Something happened.
    Event(Message),
}

/// The newest lines, oldest first.
#[derive(Debug, Default)]
pub(super) struct ChatStore {
    lines: VecDeque<ChatLine>,
    next_id: u64,
    /// Who was there when the list was told last; none before the first, which is no news.
    present: Option<BTreeSet<String>>,
}

impl ChatStore {
    pub(super) fn lines(&self) -> &VecDeque<ChatLine> {
        &self.lines
    }

    pub(super) fn said(&mut self, from: Option<String>, text: String, own: bool, at_ms: u64) {
        self.push(ChatContent::Said { from, text, own }, at_ms);
    }

    pub(super) fn event(&mut self, message: Message, at_ms: u64) {
        self.push(ChatContent::Event(message), at_ms);
    }

    /// Who is there now: those who came and went get a line, oneself never.
    pub(super) fn people(&mut self, names: &[String], me: Option<&str>, at_ms: u64) {
        let others: BTreeSet<_> = names.iter().filter(|name| Some(name.as_str()) != me).cloned().collect();
        let Some(before) = self.present.replace(others.clone()) else {
            return self.event(TextKey::ChatWelcome.into(), at_ms);
        };
        for name in others.difference(&before) {
            self.event(Message::about(TextKey::ChatArrived, name), at_ms);
        }
        for name in before.difference(&others) {
            self.event(Message::about(TextKey::ChatLeft, name), at_ms);
        }
    }

    /// After a logout: another session shows nothing of this one.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.present = None;
    }

    fn push(&mut self, content: ChatContent, at_ms: u64) {
        if self.lines.len() == CHAT_LIMIT {
            self.lines.pop_front();
        }
        self.lines.push_back(ChatLine { id: self.next_id, at_ms, content });
        self.next_id = self.next_id.wrapping_add(1);
    }
}

/// What is sent of what was typed: without white space at its ends, cut between characters; none if nothing is left.
pub(super) fn outgoing(typed: &str) -> Option<String> {
    let text: String = typed.trim().chars().take(MAX_TEXT_CHARS).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn events(chat: &ChatStore) -> Vec<TextKey> {
        let key = |line: &ChatLine| match &line.content {
            ChatContent::Event(message) => message.key,
            ChatContent::Said { .. } => panic!("nobody said anything"),
        };
        chat.lines().iter().map(key).collect()
    }

    #[test]
    fn the_first_list_is_a_welcome_and_later_ones_say_who_came_and_who_went() {
        let mut chat = ChatStore::default();
        chat.people(&names(&["ana"]), Some("ana"), 0);
        assert_eq!(events(&chat), [TextKey::ChatWelcome]);
        chat.people(&names(&["ana", "bia"]), Some("ana"), 1);
        chat.people(&names(&["ana", "caio"]), Some("ana"), 2);
        let came_and_went = [TextKey::ChatArrived, TextKey::ChatArrived, TextKey::ChatLeft];
        assert_eq!(events(&chat)[1..], came_and_went);
        chat.clear();
        chat.people(&names(&["bia"]), Some("ana"), 3);
        assert_eq!(events(&chat), [TextKey::ChatWelcome], "another session begins anew");
    }

    #[test]
    fn the_oldest_lines_go_and_no_two_have_one_id() {
        let mut chat = ChatStore::default();
        for number in 0..CHAT_LIMIT + 7 {
            chat.said(None, number.to_string(), false, 0);
        }
        assert_eq!(chat.lines().len(), CHAT_LIMIT);
        assert_eq!(chat.lines().front().map(|line| line.id), Some(7));
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters_and_nothing_is_not_said() {
        let long = "👋🏽".repeat(MAX_TEXT_CHARS);
        assert_eq!(outgoing(&long).map(|text| text.chars().count()), Some(MAX_TEXT_CHARS));
        assert_eq!(outgoing(" oi \n").as_deref(), Some("oi"));
        assert_eq!(outgoing(" \n"), None);
    }
}
