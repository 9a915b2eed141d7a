//! Who is logged in, from whole lists and from changes.

use super::message::{UserList, UserListDelta};
use std::collections::{HashMap, HashSet};

/// What became of a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    Yes,
    /// It does not fit, and a list is on its way or was never promised.
    No,
    /// One before it is missing: a list has to be asked for. Said once.
    Missing,
}

/// The names, each once, in the server's order.
#[derive(Debug, Default)]
pub(super) struct UserNames {
    names: Vec<String>,
    /// Who is not here, but can be rung by push.
    away: Vec<String>,
    /// The number of the last delta in it; none from a server that sends no deltas, and while a list is awaited.
    seq: Option<u64>,
}

impl UserNames {
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn away(&self) -> &[String] {
        &self.away
    }

    pub(super) fn replace(&mut self, list: UserList) {
        self.names = list.users.into_iter().flatten().collect();
        self.away = list.away;
        self.seq = list.seq;
        self.clean();
    }

    pub(super) fn apply(&mut self, delta: UserListDelta) -> Applied {
        let Some(seq) = self.seq else { return Applied::No };
        if seq.checked_add(1) != Some(delta.seq) {
            // What the list had already is no gap.
            if delta.seq <= seq {
                return Applied::No;
            }
            self.seq = None;
            return Applied::Missing;
        }
        self.seq = Some(delta.seq);
        let left: HashSet<String> = delta.left.into_iter().collect();
        let mut renamed: HashMap<String, String> = delta.renamed.into_iter().collect();
        self.names.retain(|name| !left.contains(name));
        self.away.retain(|name| !left.contains(name));
        self.away.extend(delta.away);
        for name in &mut self.names {
            if let Some(new) = renamed.remove(name) {
                *name = new;
            }
        }
        self.names.extend(delta.joined);
        self.clean();
        Applied::Yes
    }

    fn clean(&mut self) {
        let mut seen = HashSet::new();
        self.names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
        // Whoever is here is not away.
        self.away.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str], seq: Option<u64>) -> UserNames {
        let mut all = UserNames::default();
        all.replace(UserList {
            users: names.iter().map(|name| Some((*name).to_owned())).collect(),
            away: Vec::new(),
            seq,
        });
        all
    }

    fn delta(seq: u64, left: &[&str], renamed: &[(&str, &str)], joined: &[&str]) -> UserListDelta {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let renamed = renamed.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect();
        UserListDelta { joined: own(joined), left: own(left), away: Vec::new(), renamed, seq }
    }

    #[test]
    fn names_leave_change_all_at_once_and_join_in_that_order() {
        let mut all = list(&["ana", "bia", "eva"], Some(4));
        assert_eq!(all.apply(delta(5, &["bia"], &[("ana", "bia"), ("eva", "ana")], &["eva", "eva"])), Applied::Yes);
        assert_eq!(all.names(), ["bia", "ana", "eva"]);
    }

    #[test]
    fn who_is_away_is_so_until_they_come_or_cannot_be_reached_any_more() {
        let mut all = list(&["ana", "bia"], Some(1));
        let away = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let gone = UserListDelta { away: away(&["bia", "eva", "ana"]), ..delta(2, &["bia"], &[], &[]) };
        assert_eq!(all.apply(gone), Applied::Yes);
        assert_eq!((all.names(), all.away()), (&["ana".to_owned()][..], &["bia".to_owned(), "eva".to_owned()][..]));
        assert_eq!(all.apply(delta(3, &["eva"], &[], &["bia"])), Applied::Yes);
        assert!(all.away().is_empty());
    }

    #[test]
    fn after_a_gap_a_list_is_asked_for_once_and_mends_it() {
        let mut all = list(&["ana"], Some(1));
        assert_eq!(all.apply(delta(3, &[], &[], &["eva"])), Applied::Missing);
        assert_eq!(all.apply(delta(4, &[], &[], &["zoe"])), Applied::No);
        assert_eq!(all.names(), ["ana"]);
        all.replace(UserList { users: vec![Some("ana".into()), None], away: Vec::new(), seq: Some(4) });
        assert_eq!(all.apply(delta(4, &[], &[], &["zoe"])), Applied::No);
        assert_eq!(all.apply(delta(5, &[], &[], &["zoe"])), Applied::Yes);
        assert_eq!(all.names(), ["ana", "zoe"]);
        assert_eq!(list(&["ana"], None).apply(delta(1, &["ana"], &[], &[])), Applied::No);
    }
}
