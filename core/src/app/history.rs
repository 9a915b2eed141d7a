//! The calls that were.

use crate::call::EndReason;
use crate::signaling::message::CallId;
use serde::{Deserialize, Serialize};

/// Calls that are kept, the newest ones.
pub const HISTORY_LIMIT: usize = 100;

/// What kind of call it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryKind {
    /// This person called.
    Outgoing,
    /// This person was called, and answered, refused, or answered elsewhere.
    Incoming,
    /// This person was called and did not hear of it in time.
    Missed,
}

/// One call that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The call's identifier.
    pub id: CallId,
    /// Who was at the other end.
    pub with: String,
    /// Who called whom.
    pub kind: HistoryKind,
    /// When it began, in milliseconds since 1970.
    pub began_ms: u64,
    /// How long it was connected, in seconds; 0 if it never was.
    pub seconds: u64,
    /// Whether it began with video.
    pub video: bool,
}

impl HistoryEntry {
    /// What stands for a picture of who was at the other end.
    pub fn initial(&self) -> String {
        super::name::initial(&self.with)
    }
}

/// The newest calls, newest first.
#[derive(Debug, Default)]
pub(super) struct CallHistory {
    entries: Vec<HistoryEntry>,
}

impl CallHistory {
    /// What was kept; what cannot be read is an empty history.
    pub(super) fn restored(json: &str) -> Self {
        let mut entries: Vec<HistoryEntry> = serde_json::from_str(json).unwrap_or_default();
        entries.truncate(HISTORY_LIMIT);
        Self { entries }
    }

    /// To be kept.
    pub(super) fn to_json(&self) -> String {
        // Such entries have nothing that JSON cannot say.
        serde_json::to_string(&self.entries).unwrap_or_else(|_| "[]".to_owned())
    }

    pub(super) fn entries(&self) -> &[HistoryEntry] {
        &self.entries
    }

    pub(super) fn add(&mut self, entry: HistoryEntry) {
        self.entries.retain(|known| known.id != entry.id);
        self.entries.insert(0, entry);
        self.entries.truncate(HISTORY_LIMIT);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// A call that rang here and was never answered is missed, unless it was refused here or answered on another device.
pub(super) fn kind(outgoing: bool, connected: bool, reason: EndReason) -> HistoryKind {
    let settled = matches!(
        reason,
        EndReason::DeclinedLocally
            | EndReason::HungUpLocally
            | EndReason::AnsweredElsewhere
            | EndReason::MediaFailedLocally
    );
    match (outgoing, connected || settled) {
        (true, _) => HistoryKind::Outgoing,
        (false, true) => HistoryKind::Incoming,
        (false, false) => HistoryKind::Missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signaling::message::CallId;

    fn entry(with: &str) -> HistoryEntry {
        let (id, kind) = (CallId::random(), HistoryKind::Missed);
        HistoryEntry { id, with: with.to_owned(), kind, began_ms: 1, seconds: 0, video: true }
    }

    #[test]
    fn it_is_kept_and_read_again_newest_first_and_bounded() {
        let mut history = CallHistory::default();
        for _ in 0..HISTORY_LIMIT {
            history.add(entry("ana"));
        }
        history.add(entry("bia"));
        let again = CallHistory::restored(&history.to_json());
        assert_eq!(again.entries(), history.entries());
        assert_eq!((again.entries().len(), again.entries()[0].with.as_str()), (HISTORY_LIMIT, "bia"));
    }

    #[test]
    fn a_call_is_in_it_once_and_what_is_no_history_is_none() {
        let (mut history, call) = (CallHistory::default(), entry("ana"));
        history.add(call.clone());
        history.add(HistoryEntry { seconds: 7, ..call });
        assert_eq!(history.entries().iter().map(|entry| entry.seconds).collect::<Vec<_>>(), [7]);
        assert!(CallHistory::restored("{").entries().is_empty());
    }

    #[test]
    fn missed_is_what_rang_here_until_somebody_else_ended_it() {
        for reason in [EndReason::Timeout, EndReason::CancelledRemotely, EndReason::ConnectionFailed] {
            assert_eq!(kind(false, false, reason), HistoryKind::Missed);
            assert_eq!(kind(true, false, reason), HistoryKind::Outgoing);
            assert_eq!(kind(false, true, reason), HistoryKind::Incoming);
        }
        for reason in [EndReason::DeclinedLocally, EndReason::AnsweredElsewhere] {
            assert_eq!(kind(false, false, reason), HistoryKind::Incoming);
        }
    }
}
