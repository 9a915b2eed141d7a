//! All registrations in memory: who can be reached, and by which devices.

use super::registration::{Details, DeviceId, Registration};
use chamada::signaling::message::PushPlatform;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Devices that one person may have registered in a room; the one that has been silent for the longest makes room for another.
pub(crate) const MAX_DEVICES: usize = 8;
/// Devices that one person may have registered in all rooms together.
const MAX_OF_PERSON: usize = 32;
/// Registrations of all people together.
pub(crate) const MAX_REGISTRATIONS: usize = 100_000;

/// There are [`MAX_REGISTRATIONS`] already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// One change, to the store and then here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Put(Registration),
    Remove(DeviceId),
}

impl Change {
    pub(crate) fn id(&self) -> &DeviceId {
        match self {
            Self::Put(registration) => &registration.id,
            Self::Remove(id) => id,
        }
    }
}

#[derive(Debug, Default)]
struct Room {
    /// By subject.
    people: HashMap<Arc<str>, Person>,
    /// Subjects by name.
    names: HashMap<String, Arc<str>>,
}

#[derive(Debug, Default)]
struct Person {
    name: String,
    devices: BTreeMap<Arc<str>, Details>,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    rooms: HashMap<Arc<str>, Room>,
    /// Which registrations a token or endpoint has.
    by_address: HashMap<String, BTreeSet<DeviceId>>,
    /// All registrations of a person.
    by_subject: HashMap<Arc<str>, BTreeSet<DeviceId>>,
    count: usize,
}

fn address_key(details: &Details) -> String {
    let address = details.address.endpoint.as_ref().or(details.address.token.as_ref());
    format!("{}:{}", details.address.platform.name(), address.map_or("", String::as_str))
}

/// Whether a device that registers an address ends what another one has registered with the same.
fn takes_over(new: &Registration, old: &DeviceId) -> bool {
    if new.id.subject == old.subject {
        // Installed anew.
        return new.id.room == old.room && new.id.device != old.device;
    }
    // A device whose user has changed rings for the new one alone. What the webhook gets is no secret, so that anybody could claim another's.
    new.details.address.platform != PushPlatform::Webhook
}

/// Takes one registration out of an index, and a set that is empty then.
fn forget<K: Eq + std::hash::Hash>(index: &mut HashMap<K, BTreeSet<DeviceId>>, key: &K, id: &DeviceId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

impl Registry {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn person(&self, room: &str, subject: &str) -> Option<&Person> {
        self.rooms.get(room)?.people.get(subject)
    }

    pub(crate) fn get(&self, id: &DeviceId) -> Option<&Details> {
        self.person(&id.room, &id.subject)?.devices.get(&id.device)
    }

    /// Who in the room has this name and a device that can be reached.
    pub(crate) fn subject(&self, room: &str, name: &str) -> Option<&Arc<str>> {
        self.rooms.get(room)?.names.get(name)
    }

    pub(crate) fn names(&self, room: &str) -> impl Iterator<Item = &str> {
        self.rooms.get(room).into_iter().flat_map(|room| room.names.keys().map(String::as_str))
    }

    /// This person's devices in the room.
    pub(crate) fn devices(&self, room: &str, subject: &str) -> Vec<Registration> {
        let Some((room, at)) = self.rooms.get_key_value(room) else { return Vec::new() };
        let Some((subject, person)) = at.people.get_key_value(subject) else { return Vec::new() };
        let registration = |(device, details): (&Arc<str>, &Details)| Registration {
            id: DeviceId { room: room.clone(), subject: subject.clone(), device: device.clone() },
            details: details.clone(),
        };
        person.devices.iter().map(registration).collect()
    }

    /// All registrations but these.
    pub(crate) fn besides(&self, known: &HashSet<DeviceId>) -> Vec<Registration> {
        let others = self.by_subject.values().flatten().filter(|id| !known.contains(*id));
        others.filter_map(|id| Some(Registration { id: id.clone(), details: self.get(id)?.clone() })).collect()
    }

    /// Subject and name of everybody in every room, for those who keep names for them.
    pub(crate) fn people(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, &str)> {
        self.rooms
            .iter()
            .flat_map(|(room, at)| at.people.iter().map(move |(subject, person)| (room, subject, person.name.as_str())))
    }

    /// What has to change for this registration to hold; nothing if all of it is known and was refreshed `fresh_for` seconds ago at most.
    pub(crate) fn changes_for(&self, new: Registration, fresh_for: u64) -> Result<Vec<Change>, Full> {
        let known = self.get(&new.id);
        if known.is_some_and(|old| {
            (&old.name, &old.address) == (&new.details.name, &new.details.address)
                && new.details.refreshed.saturating_sub(old.refreshed) < fresh_for
        }) {
            return Ok(Vec::new());
        }
        let same_address = self.by_address.get(&address_key(&new.details)).into_iter().flatten();
        let mut removed: BTreeSet<&DeviceId> = same_address.filter(|old| takes_over(&new, old)).collect();
        if known.is_none() {
            let of_person = || self.by_subject.get(&new.id.subject).into_iter().flatten();
            let in_room: Vec<&DeviceId> = of_person().filter(|old| old.room == new.id.room).collect();
            for (others, most) in [(in_room, MAX_DEVICES), (of_person().collect(), MAX_OF_PERSON)] {
                let others = others.into_iter().filter(|old| !removed.contains(*old));
                if others.clone().count() >= most {
                    removed.extend(others.min_by_key(|id| self.get(id).map(|details| details.refreshed)));
                }
            }
            if self.count - removed.len() >= MAX_REGISTRATIONS {
                return Err(Full);
            }
        }
        let mut changes: Vec<Change> = removed.into_iter().cloned().map(Change::Remove).collect();
        changes.push(Change::Put(new));
        Ok(changes)
    }

    /// All devices of a person under the name that it has now.
    pub(crate) fn changes_for_name(&self, room: &str, subject: &str, name: &str) -> Vec<Change> {
        self.changes_to(room, subject, |details| {
            let is_new = details.name != name;
            name.clone_into(&mut details.name);
            is_new
        })
    }

    /// All devices of a person with those whom it wants nothing from now.
    pub(crate) fn changes_for_blocked(&self, room: &str, subject: &str, blocked: &[String]) -> Vec<Change> {
        self.changes_to(room, subject, |details| {
            let is_new = details.blocked != blocked;
            blocked.clone_into(&mut details.blocked);
            is_new
        })
    }

    /// `change` says whether it has changed anything.
    fn changes_to(&self, room: &str, subject: &str, change: impl Fn(&mut Details) -> bool) -> Vec<Change> {
        let devices = self.devices(room, subject).into_iter();
        devices.filter_map(|mut device| change(&mut device.details).then_some(Change::Put(device))).collect()
    }

    /// Whether this person wants nothing from anybody whose name looks like that.
    pub(crate) fn is_blocked(&self, room: &str, subject: &str, look: &str) -> bool {
        let mut devices = self.person(room, subject).into_iter().flat_map(|person| person.devices.values());
        devices.any(|details| details.blocked.iter().any(|blocked| blocked == look))
    }

    /// Registrations that nobody has refreshed since then.
    pub(crate) fn silent_since(&self, refreshed: u64) -> Vec<Change> {
        let all = self.rooms.iter().flat_map(|(room, at)| {
            at.people.iter().flat_map(move |(subject, person)| {
                let silent = person.devices.iter().filter(move |(_, details)| details.refreshed < refreshed);
                silent.map(|(device, _)| {
                    Change::Remove(DeviceId { room: room.clone(), subject: subject.clone(), device: device.clone() })
                })
            })
        });
        all.collect()
    }

    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Put(registration) => self.put(registration),
            Change::Remove(id) => self.remove(&id),
        }
    }

    fn put(&mut self, Registration { id, details }: Registration) {
        self.forget(&id);
        self.by_address.entry(address_key(&details)).or_default().insert(id.clone());
        self.by_subject.entry(id.subject.clone()).or_default().insert(id.clone());
        let room = self.rooms.entry(id.room).or_default();
        let person = room.people.entry(id.subject.clone()).or_default();
        if person.name != details.name {
            if room.names.get(&person.name) == Some(&id.subject) {
                room.names.remove(&person.name);
            }
            person.name.clone_from(&details.name);
        }
        room.names.insert(details.name.clone(), id.subject);
        if person.devices.insert(id.device, details).is_none() {
            self.count += 1;
        }
    }

    fn remove(&mut self, id: &DeviceId) {
        self.forget(id);
        let Some(room) = self.rooms.get_mut(&id.room) else { return };
        let Some(person) = room.people.get_mut(&id.subject) else { return };
        if person.devices.remove(&id.device).is_some() {
            self.count = self.count.saturating_sub(1);
        }
        if person.devices.is_empty() {
            if room.names.get(&person.name) == Some(&id.subject) {
                room.names.remove(&person.name);
            }
            room.people.remove(&id.subject);
        }
        if room.people.is_empty() {
            self.rooms.remove(&id.room);
        }
    }

    /// Takes a registration out of both indexes.
    fn forget(&mut self, id: &DeviceId) {
        if let Some(key) = self.get(id).map(address_key) {
            forget(&mut self.by_address, &key, id);
            forget(&mut self.by_subject, &id.subject, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chamada::signaling::message::PushRegister;

    const DAY: u64 = 24 * 60 * 60;

    fn registration(subject: &str, device: &str, token: &str, refreshed: u64) -> Registration {
        let id = DeviceId { room: "".into(), subject: subject.into(), device: device.into() };
        let address = PushRegister {
            platform: PushPlatform::Fcm,
            token: Some(token.into()),
            endpoint: None,
            keys: None,
            locale: None,
        };
        let details = Details { name: format!("name of {subject}"), address, refreshed, blocked: Vec::new() };
        Registration { id, details }
    }

    fn register(registry: &mut Registry, new: Registration) -> usize {
        let changes = registry.changes_for(new, DAY).unwrap();
        let count = changes.len();
        changes.into_iter().for_each(|change| registry.apply(change));
        count
    }

    #[test]
    fn a_device_is_written_down_once_a_day_unless_something_changes() {
        let mut registry = Registry::default();
        assert_eq!(register(&mut registry, registration("1", "a", "t", 0)), 1);
        assert_eq!(register(&mut registry, registration("1", "a", "t", DAY - 1)), 0);
        assert_eq!(register(&mut registry, registration("1", "a", "t", DAY)), 1);
        assert_eq!(register(&mut registry, registration("1", "a", "t2", DAY + 1)), 1);
        assert_eq!(registry.len(), 1);
        assert_eq!(registry.subject("", "name of 1").map(|subject| &**subject), Some("1"));
    }

    #[test]
    fn a_device_that_changes_hands_rings_for_its_new_user_alone() {
        let mut registry = Registry::default();
        register(&mut registry, registration("1", "a", "t", 0));
        register(&mut registry, registration("2", "a", "t", 1));
        assert!(registry.devices("", "1").is_empty());
        assert_eq!(registry.subject("", "name of 1"), None);
        assert_eq!(registry.devices("", "2").len(), 1);
    }

    #[test]
    fn nobody_takes_over_what_is_no_secret_and_a_device_in_two_rooms_changes_hands_in_both() {
        let mut registry = Registry::default();
        let webhook = |subject: &str, device: &str| {
            let mut registration = registration(subject, device, "+5511", 0);
            registration.details.address.platform = PushPlatform::Webhook;
            registration
        };
        assert_eq!(register(&mut registry, webhook("1", "a")), 1);
        assert_eq!(register(&mut registry, webhook("2", "b")), 1);
        assert_eq!(register(&mut registry, webhook("1", "a, installed anew")), 2);
        assert_eq!((registry.devices("", "1").len(), registry.devices("", "2").len()), (1, 1));
        for room in ["", "lobby"] {
            let mut in_room = registration("3", "c", "t", 0);
            in_room.id.room = room.into();
            assert_eq!(register(&mut registry, in_room), 1);
        }
        assert_eq!(register(&mut registry, registration("4", "c", "t", 0)), 3);
        assert!(registry.devices("", "3").is_empty() && registry.devices("lobby", "3").is_empty());
    }

    #[test]
    fn one_person_does_not_fill_the_store_from_many_rooms() {
        let mut registry = Registry::default();
        for n in 0..=MAX_OF_PERSON as u64 {
            let mut in_room = registration("1", "a", &format!("t{n}"), 100 + n);
            in_room.id.room = n.to_string().into();
            register(&mut registry, in_room);
        }
        assert_eq!(registry.len(), MAX_OF_PERSON);
        assert!(registry.devices("0", "1").is_empty());
        registry.silent_since(u64::MAX).into_iter().for_each(|change| registry.apply(change));
        assert!(registry.by_address.is_empty() && registry.by_subject.is_empty() && registry.rooms.is_empty());
    }

    #[test]
    fn of_too_many_devices_the_most_silent_goes() {
        let mut registry = Registry::default();
        for n in 0..=MAX_DEVICES as u64 {
            register(&mut registry, registration("1", &n.to_string(), &format!("t{n}"), 100 + n));
        }
        let devices = registry.devices("", "1");
        assert_eq!(devices.len(), MAX_DEVICES);
        assert!(devices.iter().all(|device| &*device.id.device != "0"));
    }

    #[test]
    fn a_new_name_and_who_is_blocked_go_to_all_devices_and_silent_ones_are_found() {
        let mut registry = Registry::default();
        register(&mut registry, registration("1", "a", "ta", 5));
        register(&mut registry, registration("1", "b", "tb", 9));
        for change in registry.changes_for_name("", "1", "ana") {
            registry.apply(change);
        }
        assert_eq!(registry.subject("", "name of 1"), None);
        assert!(registry.subject("", "ana").is_some() && registry.changes_for_name("", "1", "ana").is_empty());
        let blocked = ["eva".to_owned()];
        let changes = registry.changes_for_blocked("", "1", &blocked);
        assert_eq!(changes.len(), 2);
        changes.into_iter().for_each(|change| registry.apply(change));
        assert!(registry.is_blocked("", "1", "eva") && !registry.is_blocked("", "1", "rui"));
        assert!(registry.changes_for_blocked("", "1", &blocked).is_empty());
        let silent = registry.silent_since(9);
        assert_eq!(silent.len(), 1);
        silent.into_iter().for_each(|change| registry.apply(change));
        assert_eq!(registry.devices("", "1").len(), 1);
    }
}
