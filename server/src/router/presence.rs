//! Which nodes are there: each says so twice a second, and is gone after four times without a word.

use super::NodeId;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How often a node says that it is there.
pub(crate) const BEAT: Duration = Duration::from_millis(500);
/// How long a node may be silent.
pub(crate) const SILENCE: Duration = Duration::from_millis(2_000);
/// A node that has been gone for so long is forgotten.
const FORGET: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    gone: bool,
}

/// When each of the other nodes was heard last.
#[derive(Debug, Default)]
pub(crate) struct Presence(HashMap<NodeId, Seen>);

impl Presence {
    /// A node was heard, or is expected to be heard from now on. `true`: it counted as gone.
    pub(crate) fn heard(&mut self, node: NodeId, now: Instant) -> bool {
        self.0.insert(node, Seen { at: now, gone: false }).is_some_and(|seen| seen.gone)
    }

    /// A node has people, so it is there, or was a moment ago, though it may not have been heard so far.
    pub(crate) fn expect(&mut self, node: NodeId, now: Instant) {
        self.0.entry(node).or_insert(Seen { at: now, gone: false });
    }

    /// A node has said that it goes. `true`: it was there so far.
    pub(crate) fn left(&mut self, node: NodeId, now: Instant) -> bool {
        !self.0.insert(node, Seen { at: now, gone: true }).is_some_and(|seen| seen.gone)
    }

    /// How many are there.
    pub(crate) fn count(&self) -> usize {
        self.0.values().filter(|seen| !seen.gone).count()
    }

    /// Nobody could be heard for a while: all have their time from now on.
    pub(crate) fn listen_again(&mut self, now: Instant) {
        for seen in self.0.values_mut() {
            seen.at = now;
        }
    }

    /// The nodes that have become silent since the last call.
    pub(crate) fn silent(&mut self, now: Instant) -> Vec<NodeId> {
        self.0.retain(|_, seen| !seen.gone || now.saturating_duration_since(seen.at) < FORGET);
        let silent =
            self.0.iter_mut().filter(|(_, seen)| !seen.gone && now.saturating_duration_since(seen.at) >= SILENCE);
        silent
            .map(|(node, seen)| {
                seen.gone = true;
                *node
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_node_is_gone_once_and_back_when_it_speaks() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut nodes = Presence::default();
        assert!(!nodes.heard(1, at(0)) && !nodes.heard(2, at(0)));
        nodes.heard(2, at(1_500));
        assert!(nodes.silent(at(1_999)).is_empty());
        assert_eq!((nodes.silent(at(2_000)), nodes.count()), (vec![1], 1));
        assert!(nodes.silent(at(2_250)).is_empty());
        assert!(nodes.heard(1, at(2_500)), "it was only slow");
        nodes.listen_again(at(9_000));
        assert!(nodes.silent(at(10_900)).is_empty());
        assert!(nodes.left(2, at(10_900)) && !nodes.left(2, at(10_901)));
    }

    #[test]
    fn a_node_that_dies_before_it_was_heard_is_missed_all_the_same() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut nodes = Presence::default();
        nodes.expect(3, at(0));
        nodes.expect(3, at(1_000));
        assert!(nodes.silent(at(1_999)).is_empty());
        assert_eq!(nodes.silent(at(2_000)), [3]);
        nodes.expect(3, at(2_100));
        assert_eq!((nodes.silent(at(9_000)), nodes.count()), (vec![], 0), "that it has people does not bring it back");
    }
}
