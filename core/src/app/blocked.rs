//! Whom this person has blocked: their calls do not ring here, and what they say in the chat is not shown.

use super::banner::{Notice, Recovery, Topic};
use super::effect::{ClientCommand, Effect};
use super::reducer::{App, Now};
use super::text::TextKey;
use crate::signaling::session::MAX_BLOCKED;
use std::collections::BTreeSet;

/// The names that are blocked, at every server.
#[derive(Debug, Default)]
pub(super) struct Blocked(BTreeSet<String>);

impl Blocked {
    /// Those that were kept; what cannot be read is nobody.
    pub(super) fn restored(json: &str) -> Self {
        let names: Vec<String> = serde_json::from_str(json).unwrap_or_default();
        Self(names.into_iter().take(MAX_BLOCKED).collect())
    }

    /// To be kept.
    fn to_json(&self) -> String {
        // A list of strings has nothing that JSON cannot say.
        serde_json::to_string(&self.0).unwrap_or_else(|_| "[]".to_owned())
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether that changed anything.
    fn set(&mut self, name: &str, block: bool) -> bool {
        if block { self.0.insert(name.to_owned()) } else { self.0.remove(name) }
    }

    /// As many as the client can keep are blocked, and no more.
    fn is_full(&self) -> bool {
        self.0.len() >= MAX_BLOCKED
    }
}

impl App {
    /// Who calls at the moment is refused with it.
    pub(super) fn set_blocked(&mut self, now: Now, name: String, block: bool) {
        if block && self.blocked.is_full() && !self.blocked.contains(&name) {
            self.tell(Topic::Other, Notice::new(TextKey::PeopleBlockedFull, &[Recovery::Dismiss]), None);
        } else if self.blocked.set(&name, block) {
            if self.banners.says(TextKey::PeopleBlockedFull) {
                self.banners.clear(Topic::Other);
            }
            let json = self.blocked.to_json();
            self.push(Effect::SaveBlocked(json));
            if self.session.is_logged_in() {
                self.command(ClientCommand::SetBlocked { name: name.clone(), block });
            }
        }
        if block && self.rings_from(&name) {
            self.decline(now);
        }
    }

    /// A client that is new knows of nobody yet.
    pub(super) fn block_all(&mut self) {
        let names: Vec<String> = self.blocked.0.iter().cloned().collect();
        for name in names {
            self.command(ClientCommand::SetBlocked { name, block: true });
        }
    }

    fn rings_from(&self, name: &str) -> bool {
        let here = self.call.as_ref().is_some_and(|call| call.rings() && call.with == name);
        here || self.announced.as_ref().is_some_and(|announced| announced.answered.is_none() && announced.from == name)
    }
}
