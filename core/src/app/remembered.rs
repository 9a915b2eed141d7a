//! Whose devices were checked, and at which server: a name is somebody else's at another one.

use crate::security::RememberedPerson;
use serde::{Deserialize, Serialize};

/// As many as a person will ever compare words with.
const MAX_REMEMBERED: usize = 1000;

/// The people, who was checked last first.
#[derive(Debug, Default)]
pub(super) struct Remembered(Vec<Entry>);

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// The address as it was typed.
    server: String,
    #[serde(flatten)]
    person: RememberedPerson,
}

impl Remembered {
    /// Those that were kept; what cannot be read is nobody.
    pub(super) fn restored(json: &str) -> Self {
        let entries: Vec<Entry> = serde_json::from_str(json).unwrap_or_default();
        Self(entries.into_iter().take(MAX_REMEMBERED).collect())
    }

    /// To be kept.
    pub(super) fn to_json(&self) -> String {
        // Strings and lists have nothing that JSON cannot say.
        serde_json::to_string(&self.0).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Those of this server, for a client.
    pub(super) fn at(&self, server: &str) -> Vec<RememberedPerson> {
        self.0.iter().filter(|entry| entry.server == server).map(|entry| entry.person.clone()).collect()
    }

    pub(super) fn knows(&self, server: &str, name: &str) -> bool {
        self.0.iter().any(|entry| entry.server == server && entry.person.name == name)
    }

    /// All that is known of this person now.
    pub(super) fn set(&mut self, server: &str, person: RememberedPerson) {
        self.0.retain(|entry| entry.server != server || entry.person.name != person.name);
        self.0.insert(0, Entry { server: server.to_owned(), person });
        self.0.truncate(MAX_REMEMBERED);
    }
}
