//! Rooms: each has its own names, its own list of people and its own public chat. A room begins with the first login and ends with the last
//! person; the one of the path `/` is that of clients that know of no rooms.

use crate::{hub::State, roster::Roster, sanitise, session::Session};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

/// The room of every path but `/room/NAME`.
pub(crate) const DEFAULT: &str = "";
const PREFIX: &str = "/room/";
/// Longest name of a room, in Unicode characters.
pub(crate) const MAX_ROOM_CHARS: usize = 64;

/// What the people of a room share.
#[derive(Debug)]
pub(crate) struct Room {
    /// The sessions that have a name: the devices of one person, in the order of their logins. Without tokens each person has one.
    pub(crate) names: HashMap<Arc<str>, Vec<u64>>,
    /// Names by what they look like: two that look alike are one name.
    pub(crate) looks: HashMap<String, Arc<str>>,
    pub(crate) roster: Roster,
    /// Sessions that have blocked somebody, and some that are gone: few, of whom each newcomer's name is looked for.
    pub(crate) blockers: HashSet<u64>,
    /// For clients that read deltas.
    pub(crate) changes: Turn,
    /// For those who have no list, or have asked for one.
    pub(crate) newcomers: Turn,
    /// For clients that read no deltas.
    pub(crate) lists: Turn,
}

/// When something is told that may be told only so often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) wanted: bool,
    pub(crate) not_before: Instant,
}

impl Room {
    pub(crate) fn new(now: Instant) -> Self {
        let turn = Turn { wanted: false, not_before: now };
        Self {
            names: HashMap::new(),
            looks: HashMap::new(),
            roster: Roster::default(),
            blockers: HashSet::new(),
            changes: turn,
            newcomers: turn,
            lists: turn,
        }
    }

    /// Everybody who has a name, on all devices.
    pub(crate) fn members(&self) -> impl Iterator<Item = u64> {
        self.names.values().flatten().copied()
    }
}

impl State {
    /// The room that this session is in, if anybody is logged in there.
    pub(crate) fn room_of(&self, number: u64) -> Option<&Room> {
        self.rooms.get(&self.sessions.get(&number)?.room)
    }

    pub(crate) fn room_of_mut(&mut self, number: u64) -> Option<&mut Room> {
        self.rooms.get_mut(&self.sessions.get(&number)?.room)
    }

    /// The sessions of the person of that name in the room of this session.
    pub(crate) fn named(&self, number: u64, name: &str) -> Option<&Vec<u64>> {
        self.room_of(number)?.names.get(name)
    }

    /// Whoever is logged in in the room of this session.
    pub(crate) fn roommates(&self, number: u64) -> impl Iterator<Item = (u64, &Session)> {
        let members = self.room_of(number).into_iter().flat_map(Room::members);
        members.filter_map(|member| Some((member, self.sessions.get(&member)?)))
    }

    /// The room of this key, made if nobody is there.
    pub(crate) fn room_at(&mut self, key: &Arc<str>) -> &mut Room {
        let away = if self.rooms.contains_key(key) { Vec::new() } else { self.reachable_names(key) };
        let room = self.rooms.entry(key.clone()).or_insert_with(|| Room::new(Instant::now()));
        for name in away {
            room.roster.set_away(&name, true);
        }
        room
    }

    /// Somebody in this room wants the list.
    pub(crate) fn mark_wanted(&mut self, room: &str) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.newcomers.wanted = true;
        }
    }

    /// The list of this room has to be told.
    pub(crate) fn mark_changed(&mut self, room: &str) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.changes.wanted = true;
            room.lists.wanted = true;
            self.lists_changed = true;
        }
    }
}

/// The room that a path leads to: what its name looks like, as two names that look alike are one room. `None`: the path names a room, but not
/// as a name may be.
pub(crate) fn of_path(path: &str) -> Option<Arc<str>> {
    match path.strip_prefix(PREFIX) {
        None => Some(DEFAULT.into()),
        Some(name) => key(&percent_decoded(name)?),
    }
}

/// What tells the room of this name from others.
pub(crate) fn key(name: &str) -> Option<Arc<str>> {
    Some(sanitise::look(&sanitise::clean(name, MAX_ROOM_CHARS).ok()?).into())
}

/// RFC 3986 section 2.1. `None`: no UTF-8, an unfinished escape, or a further segment of the path.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    if text.contains('/') || text.len() > 3 * 4 * MAX_ROOM_CHARS {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let (hex, after) = after.split_at_checked(2)?;
                rest = after;
                let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
                u8::try_from(digit(hex.first())? * 16 + digit(hex.get(1))?).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_room_as_people_are_named() {
        let key = |path: &str| of_path(path).map(|room| room.to_string());
        assert_eq!(key("/"), Some(String::new()));
        assert_eq!(key("/any/other"), Some(String::new()));
        assert_eq!(key("/room/Team"), key("/room/team"));
        assert_eq!(key("/room/caf%C3%A9"), key("/room/cafe%CC%81"), "NFC and NFD are one room");
        assert_ne!(key("/room/one"), key("/room/two"));
        for bad in ["/room/", "/room/%20", "/room/a/b", "/room/%", "/room/%4", "/room/%ff", "/room/a%E2%80%8B"] {
            assert_eq!(key(bad), None, "{bad}");
        }
        assert!(key(&format!("/room/{}", "x".repeat(64))).is_some());
        assert_eq!(key(&format!("/room/{}", "x".repeat(65))), None);
    }
}
