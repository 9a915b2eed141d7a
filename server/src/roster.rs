//! Who is here, in the order of arrival, as the whole list and as what has changed since it was last told.

use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{MAX_FRAME_BYTES, MAX_NAME_CHARS, Message, UserListDelta};
use serde_json::Value;
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const HEAD: &str = r#"{"type":"userlist","users":["#;
/// With the longest `seq`.
const FRAME_BYTES: usize = HEAD.len() + r#"],"seq":18446744073709551615}"#.len();
/// The longest name as JSON, with the comma before it.
const NAME_BYTES: usize = 4 * MAX_NAME_CHARS + 3;
/// A change with more than this is told as a list.
const MAX_DELTA_BYTES: usize = 16 * 1024;

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    /// The name as a JSON string.
    encoded: String,
}

/// The names of everybody by their place, which says the order.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    entries: BTreeMap<u64, Arc<Entry>>,
    /// Of the encoded names and the commas behind them.
    bytes: usize,
    /// The same as the last delta left them.
    told: BTreeMap<u64, Arc<Entry>>,
    changed: BTreeSet<u64>,
    /// Who is not here, but can be rung, and whether the last delta left clients with that.
    away: BTreeMap<Arc<str>, Away>,
    away_changed: bool,
    seq: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Away {
    now: bool,
    told: bool,
}

impl Roster {
    /// Puts a name in its place. `false`, and nothing changed: all names together would not fit into one frame, which nobody would read then.
    pub(crate) fn set(&mut self, place: u64, name: &Arc<str>) -> bool {
        let encoded = Value::from(&**name).to_string();
        let freed = self.entries.get(&place).map_or(0, |old| old.encoded.len() + 1);
        let bytes = self.bytes.saturating_sub(freed) + encoded.len() + 1;
        if bytes + FRAME_BYTES > MAX_FRAME_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.entries.insert(place, Arc::new(Entry { name: name.clone(), encoded }));
        self.changed.insert(place);
        true
    }

    pub(crate) fn remove(&mut self, place: u64) {
        if let Some(entry) = self.entries.remove(&place) {
            self.bytes = self.bytes.saturating_sub(entry.encoded.len() + 1);
            self.changed.insert(place);
        }
    }

    /// Whether somebody is away, but can be rung. `true`: that is new.
    pub(crate) fn set_away(&mut self, name: &str, is_away: bool) -> bool {
        let is_new = match self.away.get_mut(name) {
            Some(away) => std::mem::replace(&mut away.now, is_away) != is_away,
            None if is_away => self.away.insert(name.into(), Away { now: true, told: false }).is_none(),
            None => false,
        };
        self.away_changed |= is_new;
        is_new
    }

    /// How much of the frame that all names have to fit into is taken, from 0 to 1.
    pub(crate) fn fullness(&self) -> f64 {
        self.bytes as f64 / MAX_FRAME_BYTES as f64
    }

    /// The `userlist` frame for those who read no deltas.
    pub(crate) fn list(&self) -> Utf8Bytes {
        let mut frame = self.begin_list(&self.entries, self.bytes);
        frame.push_str("]}");
        frame.into()
    }

    /// The `userlist` frames for those who read deltas.
    pub(crate) fn numbered_list(&self) -> NumberedList<'_> {
        let bytes = self.told.values().map(|entry| entry.encoded.len() + 1).sum();
        let head = self.begin_list(&self.told, bytes);
        let mut tail = "]".to_owned();
        self.push_away(&mut tail, head.len());
        tail.push_str(r#","seq":"#);
        tail.push_str(&self.seq.to_string());
        tail.push('}');
        NumberedList { roster: self, head, tail, for_told: OnceCell::new() }
    }

    fn begin_list(&self, entries: &BTreeMap<u64, Arc<Entry>>, bytes: usize) -> String {
        let mut frame = String::with_capacity(bytes + FRAME_BYTES);
        frame.push_str(HEAD);
        for (index, entry) in entries.values().enumerate() {
            if index > 0 {
                frame.push(',');
            }
            frame.push_str(&entry.encoded);
        }
        frame
    }

    /// As many of those who are away as there is room for behind `before` bytes and one more name.
    fn push_away(&self, tail: &mut String, before: usize) {
        let mut separator = r#","away":["#;
        for name in self.away.iter().filter(|(_, away)| away.told).map(|(name, _)| name) {
            let encoded = Value::from(&**name).to_string();
            let bytes = before + tail.len() + separator.len() + encoded.len();
            if bytes + NAME_BYTES + FRAME_BYTES > MAX_FRAME_BYTES {
                break;
            }
            tail.push_str(separator);
            tail.push_str(&encoded);
            separator = ",";
        }
        if separator == "," {
            tail.push(']');
        }
    }

    /// The changes since the last call as a `userlist-delta`; `None` if there are none. `Err`: so many that a list says it better.
    pub(crate) fn take_changes(&mut self) -> Option<Result<Utf8Bytes, TooMany>> {
        let mut delta = UserListDelta::default();
        for place in std::mem::take(&mut self.changed) {
            let now = self.entries.get(&place).cloned();
            let before = match &now {
                Some(entry) => self.told.insert(place, entry.clone()),
                None => self.told.remove(&place),
            };
            let name = |entry: Arc<Entry>| entry.name.to_string();
            match (before, now) {
                (None, Some(entry)) => delta.joined.push(name(entry)),
                (Some(entry), None) => delta.left.push(name(entry)),
                (Some(old), Some(new)) if old.name != new.name => delta.renamed.push((name(old), name(new))),
                _ => {}
            }
        }
        if std::mem::take(&mut self.away_changed) {
            self.away.retain(|name, away| {
                let has_come = || delta.joined.iter().any(|joined| **joined == **name);
                match (std::mem::replace(&mut away.told, away.now), away.now) {
                    (false, true) => delta.away.push(name.to_string()),
                    // Who has come is not away any more without a word.
                    (true, false) if !has_come() => delta.left.push(name.to_string()),
                    _ => {}
                }
                away.now
            });
        }
        let is_empty = delta.joined.is_empty() && delta.left.is_empty() && delta.renamed.is_empty();
        if is_empty && delta.away.is_empty() {
            return None;
        }
        self.seq += 1;
        delta.seq = self.seq;
        let frame = Message::UserListDelta(delta).to_json();
        Some(if frame.len() > MAX_DELTA_BYTES { Err(TooMany) } else { Ok(frame.into()) })
    }
}

/// What those who read deltas get as a list: who was there at the last delta, as the next one tells what has changed since, and they themselves.
#[derive(Debug)]
pub(crate) struct NumberedList<'a> {
    roster: &'a Roster,
    /// The frame up to the end of the names, and the rest.
    head: String,
    tail: String,
    /// The frame for those who were there at the last delta.
    for_told: OnceCell<Utf8Bytes>,
}

impl NumberedList<'_> {
    /// The list for somebody of this place and name. `None`: it is too long; the one after the next delta is not.
    pub(crate) fn of(&self, place: u64, name: &str) -> Option<Utf8Bytes> {
        let told = &self.roster.told;
        let is = |entry: &Arc<Entry>| *entry.name == *name;
        if told.get(&place).is_some_and(is) || told.values().any(is) {
            let frame = || [&*self.head, &*self.tail].concat().into();
            return Some(self.for_told.get_or_init(frame).clone());
        }
        let own = Value::from(name).to_string();
        let separator = if told.is_empty() { "" } else { "," };
        let frame = [&*self.head, separator, &*own, &*self.tail].concat();
        (frame.len() <= MAX_FRAME_BYTES).then(|| frame.into())
    }
}

/// There are too many changes for a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn numbered(roster: &Roster, place: u64, name: &str) -> Utf8Bytes {
        roster.numbered_list().of(place, name).unwrap()
    }

    fn change(roster: &mut Roster) -> Value {
        roster.take_changes().map_or(Value::Null, |frame| serde_json::from_str(&frame.unwrap()).unwrap())
    }

    fn too_many_changes(roster: &mut Roster) {
        assert_eq!(roster.take_changes(), Some(Err(TooMany)));
    }

    #[test]
    fn changes_are_told_once_and_those_that_cancel_out_not_at_all() {
        let mut roster = Roster::default();
        assert!(roster.set(1, &"ana".into()) && roster.set(2, &"bia".into()));
        assert_eq!(change(&mut roster), json!({"type": "userlist-delta", "joined": ["ana", "bia"], "seq": 1}));
        assert_eq!(change(&mut roster), Value::Null);
        roster.set(3, &"eva".into());
        roster.remove(3);
        roster.set(1, &"zoe".into());
        roster.set(1, &"ana".into());
        assert_eq!(change(&mut roster), Value::Null);
        roster.remove(2);
        roster.set(1, &"bia".into());
        roster.set(4, &"ana".into());
        assert_eq!(
            change(&mut roster),
            json!({"type": "userlist-delta", "joined": ["ana"], "left": ["bia"], "renamed": [["ana", "bia"]], "seq": 2})
        );
        assert_eq!(roster.list(), r#"{"type":"userlist","users":["bia","ana"]}"#);
        assert_eq!(numbered(&roster, 1, "bia"), r#"{"type":"userlist","users":["bia","ana"],"seq":2}"#);
    }

    #[test]
    fn between_two_changes_newcomers_get_those_who_were_told_and_themselves() {
        let mut roster = Roster::default();
        roster.set(1, &"ana".into());
        assert_eq!(numbered(&roster, 1, "ana"), r#"{"type":"userlist","users":["ana"],"seq":0}"#);
        roster.set(2, &"bia".into());
        change(&mut roster);
        // What a list with the last state would make of this change: nobody of the name "bia".
        roster.remove(2);
        roster.set(1, &"bia".into());
        roster.set(3, &"eva".into());
        assert_eq!(numbered(&roster, 3, "eva"), r#"{"type":"userlist","users":["ana","bia","eva"],"seq":1}"#);
        assert_eq!(numbered(&roster, 1, "bia"), r#"{"type":"userlist","users":["ana","bia"],"seq":1}"#);
        let next = json!({"type": "userlist-delta", "joined": ["eva"], "left": ["bia"], "renamed": [["ana", "bia"]], "seq": 2});
        assert_eq!(change(&mut roster), next);
        assert_eq!(roster.list(), r#"{"type":"userlist","users":["bia","eva"]}"#);
    }

    #[test]
    fn who_is_away_is_told_to_those_who_read_deltas_and_only_as_far_as_the_frame_goes() {
        let mut roster = Roster::default();
        roster.set(1, &"ana".into());
        assert!(roster.set_away("bia", true) && !roster.set_away("bia", true) && !roster.set_away("eva", false));
        let first = json!({"type": "userlist-delta", "joined": ["ana"], "away": ["bia"], "seq": 1});
        assert_eq!(change(&mut roster), first);
        assert_eq!(roster.list(), r#"{"type":"userlist","users":["ana"]}"#);
        let list = r#"{"type":"userlist","users":["ana"],"away":["bia"],"seq":1}"#;
        assert_eq!(numbered(&roster, 1, "ana"), list);
        roster.set(2, &"bia".into());
        roster.set_away("bia", false);
        assert_eq!(change(&mut roster), json!({"type": "userlist-delta", "joined": ["bia"], "seq": 2}));
        roster.remove(2);
        roster.set_away("bia", true);
        assert_eq!(change(&mut roster), json!({"type": "userlist-delta", "left": ["bia"], "away": ["bia"], "seq": 3}));
        roster.set_away("bia", false);
        assert_eq!(change(&mut roster), json!({"type": "userlist-delta", "left": ["bia"], "seq": 4}));
        for n in 0..10_000 {
            roster.set_away(&format!("somebody {n}"), true);
        }
        too_many_changes(&mut roster);
        let list = numbered(&roster, 1, "ana");
        assert!((60_000..=MAX_FRAME_BYTES).contains(&list.len()), "{}", list.len());
        assert!(serde_json::from_str::<Value>(&list).unwrap()["away"].as_array().unwrap().len() > 1000);
    }

    #[test]
    fn very_many_changes_are_told_as_a_list() {
        let mut roster = Roster::default();
        for place in 0..1_500 {
            assert!(roster.set(place, &format!("a name like any other {place}").into()));
        }
        too_many_changes(&mut roster);
        assert!(roster.take_changes().is_none());
    }
}
