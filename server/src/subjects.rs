//! Whose name is whose where people come with tokens: a name stays with its person after a logout.

use std::{collections::HashMap, sync::Arc};

/// More people than that are not remembered when they are away.
const MAX_SUBJECTS: usize = 100_000;

/// Names by what they look like, and the persons (claim `sub`) that they belong to.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    looks: HashMap<Arc<str>, String>,
    owners: HashMap<String, Arc<str>>,
}

impl Subjects {
    /// Whether a name with this look may be had by this person.
    pub(crate) fn may_have(&self, subject: &str, look: &str) -> bool {
        self.owners.get(look).is_none_or(|owner| **owner == *subject)
    }

    /// The look of this person's name.
    pub(crate) fn look(&self, subject: &str) -> Option<&str> {
        self.looks.get(subject).map(String::as_str)
    }

    /// From now on the name is this person's, and an earlier one is free; whoever is not `here` makes room where there are too many.
    pub(crate) fn give(&mut self, subject: &Arc<str>, look: &str, here: impl Fn(&str) -> bool) {
        if self.looks.len() >= MAX_SUBJECTS && !self.looks.contains_key(subject) {
            self.looks.retain(|_, look| here(look));
            self.owners.retain(|look, _| here(look));
        }
        if let Some(old) = self.looks.insert(subject.clone(), look.to_owned()) {
            self.owners.remove(&old);
        }
        self.owners.insert(look.to_owned(), subject.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_with_its_person_until_that_one_has_another() {
        let mut subjects = Subjects::default();
        subjects.give(&"1".into(), "ana", |_| true);
        assert!(subjects.may_have("1", "ana") && !subjects.may_have("2", "ana"));
        subjects.give(&"1".into(), "bia", |_| true);
        assert!(subjects.may_have("2", "ana") && !subjects.may_have("2", "bia"));
        assert_eq!(subjects.look("1"), Some("bia"));
    }

    #[test]
    fn who_is_not_here_makes_room() {
        let mut subjects = Subjects::default();
        for n in 0..=MAX_SUBJECTS {
            subjects.give(&n.to_string().into(), &format!("look {n}"), |look| look == "look 7");
        }
        assert_eq!((subjects.looks.len(), subjects.owners.len()), (2, 2));
        assert!(!subjects.may_have("8", "look 7"));
    }
}
