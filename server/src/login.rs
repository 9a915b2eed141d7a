//! Logins, changes of name and returns: who gets which name.

use crate::{
    auth::Person,
    hub::{State, hash_of, now_ms},
    outbox::{Closing, code},
    push::{self, Callee},
    relay,
    rooms::{self, Room},
    router::{Claim, HandOver, HandedOver, NodeId},
    sanitise,
    session::{Session, TokenEnd},
};
use chamada::signaling::message::{
    ErrorCode, ErrorMessage, MAX_NAME_CHARS, Message, PUSH, RejectUsername, USER_DELTA, Username,
};
use std::{collections::HashSet, sync::Arc};

/// How many devices one person may have here at a time.
const MAX_DEVICES: usize = 8;
/// A name with more bytes is long.
const LONG_NAME_BYTES: usize = 32;

/// Which name a login gets, as far as this node knows.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) name: String,
    /// What it looks like.
    pub(crate) look: String,
    /// As whom to claim it at the router; none if the session has it already.
    pub(crate) claim: Option<Claim>,
}

/// What a `username` leads to.
#[derive(Debug)]
pub(crate) enum LogIn {
    /// A lost client is back.
    Resumed,
    /// A client is back whose session is on that node, which is to be asked for it, or, as far as is known, gone.
    Elsewhere(NodeId, HandOver, bool),
    Wish(Wish),
}

impl State {
    /// `username`: a login, a change of name, a fresh token, or the return of a lost client. With a token it is the token that says the name.
    /// Resumes, or says which name is free here; looks that are `taken` belong to people elsewhere.
    pub(crate) fn log_in(
        &mut self,
        number: u64,
        wanted: &Username,
        person: Option<&Person>,
        taken: &HashSet<String>,
    ) -> Result<LogIn, ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Err(gone()) };
        let subject = person.map(|person| &person.subject);
        let refuse = |why| Err(relay::refusal(ErrorCode::Unauthorized, "username", why));
        if session.name.is_some() && session.subject.as_ref() != subject {
            return refuse("the token is somebody else's");
        }
        if let Some(room) = person.and_then(|person| person.room.as_deref())
            && rooms::key(room).as_ref() != Some(&session.room)
        {
            return refuse("the token is for another room");
        }
        if session.name.is_none()
            && let Some(token) = wanted.resume.as_deref().map(hash_of)
            && let Some(old) = self.tokens.get(&token).copied()
            && let Some(from) = self.sessions.get(&old)
            && from.subject.as_ref() == subject
            && from.room == session.room
        {
            if let Some(remote) = from.remote {
                let what = HandOver { origin: from.origin, token, to: self.router.node() };
                return Ok(LogIn::Elsewhere(remote.node, what, self.nodes.is_gone(remote.node)));
            }
            self.note_token(number, person);
            self.resume(number, old, wanted);
            return Ok(LogIn::Resumed);
        }
        let asked = person.map_or(wanted.name.as_str(), |person| person.name.as_str());
        let clean = sanitise::name(asked).map_err(|fault| relay::refusal_of_name(&fault))?;
        let look = sanitise::look(&clean);
        // Very many may want the same name: what is the same for all candidates is looked up once.
        let room = self.rooms.get(&session.room);
        let is_free = |look: &str| !taken.contains(look) && self.is_free_in(room, session, number, subject, look);
        let (name, look) = match subject {
            // A number that a name got once stays with it.
            Some(subject) if !is_free(&look) => {
                self.number_of(number, subject, &clean).unwrap_or_else(|| free_name(&clean, is_free))
            }
            _ if is_free(&look) => (clean, look),
            _ => free_name(&clean, is_free),
        };
        let has_it = session.name.as_deref() == Some(name.as_str());
        let claim = Claim { place: session.place, subject: subject.cloned() };
        Ok(LogIn::Wish(Wish { name, look, claim: (!has_it).then_some(claim) }))
    }

    fn is_free(&self, number: u64, subject: Option<&Arc<str>>, look: &str) -> bool {
        let Some(session) = self.sessions.get(&number) else { return false };
        self.is_free_in(self.rooms.get(&session.room), session, number, subject, look)
    }

    fn is_free_in(
        &self,
        room: Option<&Room>,
        session: &Session,
        number: u64,
        subject: Option<&Arc<str>>,
        look: &str,
    ) -> bool {
        let owner = room.and_then(|room| Some((room, room.looks.get(look)?)));
        owner.is_none_or(|(room, owner)| self.belongs_to(room, owner, number, subject))
            && subject.is_none_or(|subject| self.subjects.may_have(&session.room, subject, look))
    }

    /// Takes up a session that was on another node, which has `handed` it over or is gone. `false`: it has been forgotten meanwhile.
    pub(crate) fn resume_from_elsewhere(
        &mut self,
        number: u64,
        what: &HandOver,
        handed: Option<HandedOver>,
        wanted: &Username,
        person: Option<&Person>,
    ) -> bool {
        let old = self.origins.get(&what.origin).copied();
        let Some(old) = old.filter(|old| self.sessions.get(old).is_some_and(|one| one.token == what.token)) else {
            return false;
        };
        if !self.is_local(old) {
            self.take_over(old, handed);
        }
        self.note_token(number, person);
        self.resume(number, old, wanted);
        true
    }

    /// Gives a session the name that is claimed for it. `false`: somebody here was faster.
    pub(crate) fn finish_login(
        &mut self,
        number: u64,
        wanted: &Username,
        person: Option<&Person>,
        Wish { name, look, .. }: Wish,
    ) -> Result<bool, ErrorMessage> {
        let subject = person.map(|person| &person.subject);
        if !self.is_free(number, subject, &look) {
            return Ok(false);
        }
        self.open_room(number)?;
        let is_new = self.sessions.get(&number).is_some_and(|session| session.name.is_none());
        if is_new {
            self.join_devices(number, subject)?;
        }
        if self.sessions.get(&number).and_then(|session| session.name.as_deref()) != Some(name.as_str()) {
            self.give_name(number, &name, look, subject)?;
        }
        self.note_token(number, person);
        if let Some(session) = self.sessions.get_mut(&number) {
            session.wants_list = true;
            session.has_foreign_token |= wanted.resume.is_some();
            session.reads_deltas |= wanted.features.iter().any(|feature| feature == USER_DELTA);
            session.note_device(wanted);
            session.awaits_calls |= is_new && self.away.is_open();
            if name != wanted.name {
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        self.announce(number);
        Ok(true)
    }

    /// Opens the room of this session, if this is its first login.
    fn open_room(&mut self, number: u64) -> Result<(), ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Err(gone()) };
        let full = |why| Err(relay::refusal(ErrorCode::Full, "username", why));
        let max_people = self.limits.people_per_room;
        let named_rooms = self.rooms.keys().filter(|room| &***room != rooms::DEFAULT).count();
        match self.rooms.get(&session.room) {
            Some(room) if session.name.is_none() && room.names.len() >= max_people => full("this room is full"),
            Some(_) => Ok(()),
            None if &*session.room != rooms::DEFAULT && named_rooms >= self.limits.rooms => {
                full("there are too many rooms")
            }
            None => {
                let key = session.room.clone();
                self.room_at(&key);
                Ok(())
            }
        }
    }

    fn note_token(&mut self, number: u64, person: Option<&Person>) {
        if let (Some(session), Some(person)) = (self.sessions.get_mut(&number), person) {
            session.subject = Some(person.subject.clone());
            session.token_ends = Some(TokenEnd { at: person.expires, told: false });
        }
    }

    /// Whether this name is that of this session, or of its person on another device.
    fn belongs_to(&self, room: &Room, name: &Arc<str>, number: u64, subject: Option<&Arc<str>>) -> bool {
        let devices = room.names.get(name).map_or(&[][..], Vec::as_slice);
        devices.contains(&number)
            || subject.is_some_and(|subject| {
                devices
                    .iter()
                    .any(|one| self.sessions.get(one).is_some_and(|one| one.subject.as_ref() == Some(subject)))
            })
    }

    /// The name that this person has on another device, if it is `wanted` with a number.
    fn number_of(&self, number: u64, subject: &str, wanted: &str) -> Option<(String, String)> {
        let look = self.subjects.look(&self.sessions.get(&number)?.room, subject)?;
        let name = self.room_of(number)?.looks.get(look)?;
        let digits = name.strip_prefix(wanted)?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| (name.to_string(), look.to_owned()))
    }

    /// Makes this session another device of its person, if that one is here already.
    fn join_devices(&mut self, number: u64, subject: Option<&Arc<str>>) -> Result<(), ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Ok(()) };
        let look = subject.and_then(|subject| self.subjects.look(&session.room, subject));
        let here = look.and_then(|look| self.room_of(number)?.looks.get(look)).cloned();
        let Some(room) = self.room_of(number) else { return Ok(()) };
        let Some(name) = here.filter(|name| self.belongs_to(room, name, number, subject)) else { return Ok(()) };
        let Some(devices) = self.room_of_mut(number).and_then(|room| room.names.get_mut(&name)) else { return Ok(()) };
        if devices.len() >= MAX_DEVICES {
            return Err(relay::refusal(ErrorCode::Full, "username", "you are here on too many devices"));
        }
        devices.push(number);
        let first = devices.first().copied().unwrap_or(number);
        let place = self.sessions.get(&first).map(|first| first.place);
        if let Some(session) = self.sessions.get_mut(&number) {
            session.place = place.unwrap_or(session.place);
            session.name = Some(name.clone());
            session.named_at = now_ms();
            self.tokens.insert(session.token.clone(), number);
        }
        self.apply_blocks(number, &sanitise::look(&name));
        Ok(())
    }

    fn give_name(
        &mut self,
        number: u64,
        name: &str,
        look: String,
        subject: Option<&Arc<str>>,
    ) -> Result<(), ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Err(gone()) };
        let Some(room) = self.rooms.get_mut(&session.room) else { return Err(gone()) };
        let full = || relay::refusal(ErrorCode::Full, "username", "the user list has no room for such a name");
        // The last quarter is kept for newcomers whose names are not long.
        if session.name.is_none() && name.len() > LONG_NAME_BYTES && room.roster.fullness() > 0.75 {
            return Err(full());
        }
        let name: Arc<str> = name.into();
        if !room.roster.set(session.place, &name) {
            return Err(full());
        }
        self.tokens.insert(session.token.clone(), number);
        let (own, place, key) = (session.name.clone(), session.place, session.room.clone());
        let devices = own.as_ref().and_then(|own| room.names.remove(own)).unwrap_or_else(|| vec![number]);
        if let Some(own) = own {
            let old = sanitise::look(&own);
            room.looks.remove(&old);
            if subject.is_none() && old != look {
                self.router.release(&key, &old, &Claim { place, subject: None });
            }
        }
        for device in &devices {
            let Some(session) = self.sessions.get_mut(device) else { continue };
            session.name = Some(name.clone());
            session.named_at = now_ms();
            // A list has the own name as it was.
            session.wants_list = true;
            if *device != number {
                let told = RejectUsername { id: *device, name: name.to_string() };
                self.tell(*device, &Message::RejectUsername(told));
                self.announce(*device);
            }
            self.apply_blocks(*device, &look);
        }
        if let Some(subject) = subject {
            let is_here =
                |room: &str, look: &str| self.rooms.get(room).is_some_and(|room| room.looks.contains_key(look));
            if let Some(old) = self.subjects.give(&key, subject, &look, is_here) {
                self.router.release(&key, &old, &Claim { place, subject: Some(subject.clone()) });
            }
        }
        if let Some(room) = self.rooms.get_mut(&key) {
            room.looks.insert(look, name.clone());
            room.names.insert(name.clone(), devices);
        }
        if let Some(subject) = subject {
            self.name_given(&key, subject, &name);
        }
        Ok(())
    }

    /// The token that a session came back with is good no more.
    pub(crate) fn forget_shown(&mut self, shown: Option<String>) {
        if let Some(shown) = shown {
            self.tokens.remove(&shown);
        }
    }

    /// Gives the new connection what belonged to the session `old`, whose own connection is lost or about to be found so.
    fn resume(&mut self, number: u64, old: u64, wanted: &Username) {
        let Some(mut from) = self.sessions.remove(&old) else { return };
        self.tokens.remove(&from.token);
        self.forget_shown(from.shown.take());
        self.lost.retain(|(_, lost)| *lost != old);
        let waiting = from.outbox.take();
        from.outbox.close(Closing { code: code::NORMAL, reason: "resumed by another connection" });
        self.renumber(old, number);
        let Some(session) = self.sessions.get_mut(&number) else { return };
        session.name = from.name.take();
        session.call_peers = from.call_peers;
        session.place = from.place;
        self.origins.remove(&session.origin);
        self.origins.insert(from.origin, number);
        session.origin = from.origin;
        session.version = from.version;
        session.named_at = from.named_at;
        session.heard = from.heard;
        session.heard_unknown = from.heard_unknown;
        session.has_foreign_token = from.has_foreign_token;
        session.wants_list = true;
        session.reads_deltas = wanted.features.iter().any(|feature| feature == USER_DELTA);
        session.note_device(wanted);
        session.awaits_calls = self.away.is_open();
        // A new connection is no new budget.
        (session.renames, session.lines, session.fan_out) = (from.renames, from.lines, from.fan_out);
        session.nuisance = from.nuisance;
        self.tokens.insert(session.token.clone(), number);
        session.shown = wanted.resume.as_deref().map(hash_of);
        if let Some(shown) = &session.shown {
            self.tokens.insert(shown.clone(), number);
        }
        if let Some(name) = &session.name {
            if let Some(room) = self.rooms.get_mut(&session.room) {
                for device in room.names.get_mut(name).into_iter().flatten().filter(|device| **device == old) {
                    *device = number;
                }
            }
            if **name != *wanted.name {
                let name = name.to_string();
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        session.outbox.restore(waiting);
        self.note_blocker(number);
        self.announce(number);
    }

    /// A session has another number now.
    pub(crate) fn renumber(&mut self, old: u64, new: u64) {
        let session = self.sessions.get(&new);
        let person =
            session.and_then(|session| Some(Callee { room: session.room.clone(), subject: session.subject.clone()? }));
        self.away.renumber(old, new, person.as_ref());
        let roommates: Vec<u64> = self.roommates(new).map(|(number, _)| number).collect();
        for number in roommates {
            if let Some(session) = self.sessions.get_mut(&number) {
                session.call_peers.renumber(old, new);
                session.nuisance.renumber(old, new);
            }
        }
    }
}

impl Session {
    /// What a login says of the installation and of what it reads.
    fn note_device(&mut self, wanted: &Username) {
        self.device = push::check_device(wanted.device.as_deref()).ok();
        self.reads_pushed = wanted.features.iter().any(|feature| feature == PUSH);
    }
}

/// The connection ended while its login waited.
fn gone() -> ErrorMessage {
    relay::refusal(ErrorCode::NotLoggedIn, "username", "the connection has ended")
}

/// The wanted name and the first number from 2 that makes it free, with its look; shortened where the two together are too long.
fn free_name(wanted: &str, is_free: impl Fn(&str) -> bool) -> (String, String) {
    // What a name looks like ends with what its digits look like, one by one: only a shorter beginning has to be looked at anew.
    let digit_looks: Vec<String> = ('0'..='9').map(|digit| sanitise::look(digit.encode_utf8(&mut [0; 4]))).collect();
    let mut beginning = (usize::MAX, String::new(), String::new());
    let mut look = String::new();
    let mut suffix = 2_u64;
    loop {
        let digits = suffix.to_string();
        let room = MAX_NAME_CHARS.saturating_sub(digits.len());
        if beginning.0 != room {
            let name: String = wanted.chars().take(room).collect();
            let look = sanitise::look(&name);
            beginning = (room, name, look);
        }
        look.clone_from(&beginning.2);
        look.extend(digits.bytes().filter_map(|digit| digit_looks.get(usize::from(digit - b'0'))).map(String::as_str));
        // Ends: there are fewer sessions than numbers.
        if is_free(&look) {
            return (format!("{}{digits}", beginning.1), look);
        }
        suffix += 1;
    }
}
