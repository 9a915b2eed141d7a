//! Whose name is whose where people come with tokens: a name stays with its person after a logout.

use std::{collections::HashMap, sync::Arc};

/// More people than that are not remembered when they are away.
const MAX_SUBJECTS: usize = 100_000;

/// What a name in a room looks like, or who somebody is in a room.
type InRoom = (Arc<str>, Arc<str>);

/// Names by what they look like, and the persons (claim `sub`) that they belong to; in each room on its own.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    looks: HashMap<InRoom, Arc<str>>,
    owners: HashMap<InRoom, Arc<str>>,
}

impl Subjects {
    /// Whose name has this look in this room, here or not.
    pub(crate) fn owner(&self, room: &Arc<str>, look: &str) -> Option<&Arc<str>> {
        self.owners.get(&(room.clone(), look.into()))
    }

    /// Whether a name with this look may be had by this person.
    pub(crate) fn may_have(&self, room: &Arc<str>, subject: &str, look: &str) -> bool {
        self.owner(room, look).is_none_or(|owner| **owner == *subject)
    }

    /// The look of this person's name.
    pub(crate) fn look(&self, room: &Arc<str>, subject: &str) -> Option<&str> {
        self.looks.get(&(room.clone(), subject.into())).map(|look| &**look)
    }

    /// From now on the name is this person's, and an earlier one is free, which is given back; whoever is not `here` makes room where there are
    /// too many.
    pub(crate) fn give(
        &mut self,
        room: &Arc<str>,
        subject: &Arc<str>,
        look: &str,
        here: impl Fn(&str, &str) -> bool,
    ) -> Option<Arc<str>> {
        let person = (room.clone(), subject.clone());
        if self.looks.len() >= MAX_SUBJECTS && !self.looks.contains_key(&person) {
            self.looks.retain(|(room, _), look| here(room, look));
            self.owners.retain(|(room, look), _| here(room, look));
        }
        let look: Arc<str> = look.into();
        let old = self.looks.insert(person, look.clone()).filter(|old| *old != look);
        if let Some(old) = &old {
            self.owners.remove(&(room.clone(), old.clone()));
        }
        self.owners.insert((room.clone(), look), subject.clone());
        old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_with_its_person_until_that_one_has_another() {
        let (room, other): (Arc<str>, Arc<str>) = ("".into(), "other".into());
        let mut subjects = Subjects::default();
        subjects.give(&room, &"1".into(), "ana", |_, _| true);
        assert!(subjects.may_have(&room, "1", "ana") && !subjects.may_have(&room, "2", "ana"));
        assert!(subjects.may_have(&other, "2", "ana"), "another room has its own names");
        assert_eq!(subjects.give(&room, &"1".into(), "bia", |_, _| true).as_deref(), Some("ana"));
        assert!(subjects.may_have(&room, "2", "ana") && !subjects.may_have(&room, "2", "bia"));
        assert_eq!(subjects.look(&room, "1"), Some("bia"));
    }

    #[test]
    fn who_is_not_here_makes_room() {
        let room: Arc<str> = "".into();
        let mut subjects = Subjects::default();
        for n in 0..=MAX_SUBJECTS {
            subjects.give(&room, &n.to_string().into(), &format!("look {n}"), |_, look| look == "look 7");
        }
        assert_eq!((subjects.looks.len(), subjects.owners.len()), (2, 2));
        assert!(!subjects.may_have(&room, "8", "look 7"));
    }
}
