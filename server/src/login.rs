//! Logins, changes of name and returns: who gets which name.

use crate::{
    auth::Person,
    hub::{State, TokenEnd},
    outbox::{Closing, code},
    relay, sanitise,
};
use chamada::signaling::message::{
    ErrorCode, ErrorMessage, MAX_NAME_CHARS, Message, RejectUsername, USER_DELTA, Username,
};
use std::sync::Arc;

/// How many devices one person may have here at a time.
const MAX_DEVICES: usize = 8;
/// A name with more bytes is long.
const LONG_NAME_BYTES: usize = 32;

impl State {
    /// `username`: a login, a change of name, a fresh token, or the return of a lost client. With a token it is the token that says the name.
    /// Says whether the user list changed.
    pub(crate) fn log_in(
        &mut self,
        number: u64,
        wanted: &Username,
        person: Option<Person>,
    ) -> Result<bool, ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Ok(false) };
        let subject = person.as_ref().map(|person| person.subject.clone());
        if session.name.is_some() && session.subject != subject {
            return Err(relay::refusal(ErrorCode::Unauthorized, "username", "the token is somebody else's"));
        }
        if session.name.is_none()
            && let Some(old) = wanted.resume.as_ref().and_then(|token| self.tokens.get(token)).copied()
            && self.sessions.get(&old).is_some_and(|old| old.subject == subject)
        {
            self.note_token(number, person.as_ref());
            return Ok(self.resume(number, old, wanted));
        }
        let asked = person.as_ref().map_or(wanted.name.as_str(), |person| person.name.as_str());
        let clean = sanitise::name(asked).map_err(|fault| relay::refusal_of_name(&fault))?;
        let look = sanitise::look(&clean);
        let is_own = |owner: &Arc<str>| self.belongs_to(owner, number, subject.as_ref());
        let is_free = |look: &str| {
            self.looks.get(look).is_none_or(is_own)
                && subject.as_ref().is_none_or(|subject| self.subjects.may_have(subject, look))
        };
        let (name, look) = match &subject {
            // A number that a name got once stays with it.
            Some(subject) if !is_free(&look) => {
                self.number_of(subject, &clean).unwrap_or_else(|| free_name(&clean, is_free))
            }
            _ if is_free(&look) => (clean, look),
            _ => free_name(&clean, is_free),
        };
        if self.sessions.get(&number).is_some_and(|session| session.name.is_none()) {
            self.join_devices(number, subject.as_ref())?;
        }
        if self.sessions.get(&number).and_then(|session| session.name.as_deref()) != Some(name.as_str()) {
            self.give_name(number, &name, look, subject.as_ref())?;
        }
        self.note_token(number, person.as_ref());
        if let Some(session) = self.sessions.get_mut(&number) {
            session.wants_list = true;
            session.has_foreign_token |= wanted.resume.is_some();
            session.reads_deltas |= wanted.features.iter().any(|feature| feature == USER_DELTA);
            if name != wanted.name {
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        // Also when it is the same list as before: who asked has to be told.
        Ok(true)
    }

    fn note_token(&mut self, number: u64, person: Option<&Person>) {
        if let (Some(session), Some(person)) = (self.sessions.get_mut(&number), person) {
            session.subject = Some(person.subject.clone());
            session.token_ends = Some(TokenEnd { at: person.expires, told: false });
        }
    }

    /// Whether this name is that of this session, or of its person on another device.
    fn belongs_to(&self, name: &Arc<str>, number: u64, subject: Option<&Arc<str>>) -> bool {
        let devices = self.names.get(name).map_or(&[][..], Vec::as_slice);
        devices.contains(&number)
            || subject.is_some_and(|subject| {
                devices
                    .iter()
                    .any(|one| self.sessions.get(one).is_some_and(|one| one.subject.as_ref() == Some(subject)))
            })
    }

    /// The name that this person has on another device, if it is `wanted` with a number.
    fn number_of(&self, subject: &str, wanted: &str) -> Option<(String, String)> {
        let look = self.subjects.look(subject)?;
        let name = self.looks.get(look)?;
        let digits = name.strip_prefix(wanted)?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| (name.to_string(), look.to_owned()))
    }

    /// Makes this session another device of its person, if that one is here already.
    fn join_devices(&mut self, number: u64, subject: Option<&Arc<str>>) -> Result<(), ErrorMessage> {
        let here = subject.and_then(|subject| self.looks.get(self.subjects.look(subject)?)).cloned();
        let Some(name) = here.filter(|name| self.belongs_to(name, number, subject)) else { return Ok(()) };
        let Some(devices) = self.names.get_mut(&name) else { return Ok(()) };
        if devices.len() >= MAX_DEVICES {
            return Err(relay::refusal(ErrorCode::Full, "username", "you are here on too many devices"));
        }
        let place = devices.first().and_then(|first| self.sessions.get(first)).map(|first| first.place);
        devices.push(number);
        if let Some(session) = self.sessions.get_mut(&number) {
            session.place = place.unwrap_or(session.place);
            session.name = Some(name.clone());
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
        let Some(session) = self.sessions.get(&number) else { return Ok(()) };
        let full = || relay::refusal(ErrorCode::Full, "username", "the user list has no room for such a name");
        // The last quarter is kept for newcomers whose names are not long.
        if session.name.is_none() && name.len() > LONG_NAME_BYTES && self.roster.fullness() > 0.75 {
            return Err(full());
        }
        let name: Arc<str> = name.into();
        if !self.roster.set(session.place, &name) {
            return Err(full());
        }
        self.tokens.insert(session.token.clone(), number);
        let own = session.name.clone();
        let devices = own.as_ref().and_then(|own| self.names.remove(own)).unwrap_or_else(|| vec![number]);
        if let Some(own) = own {
            self.looks.remove(&sanitise::look(&own));
        }
        for device in &devices {
            let Some(session) = self.sessions.get_mut(device) else { continue };
            session.name = Some(name.clone());
            if *device != number {
                let told = RejectUsername { id: *device, name: name.to_string() };
                session.send_message(&Message::RejectUsername(told));
            }
            self.apply_blocks(*device, &look);
        }
        if let Some(subject) = subject {
            self.subjects.give(subject, &look, |look| self.looks.contains_key(look));
        }
        self.looks.insert(look, name.clone());
        self.names.insert(name, devices);
        Ok(())
    }

    /// The token that a session came back with is good no more.
    pub(crate) fn forget_shown(&mut self, shown: Option<String>) {
        if let Some(shown) = shown {
            self.tokens.remove(&shown);
        }
    }

    /// Gives the new connection what belonged to the session `old`, whose own connection is lost or about to be found so.
    fn resume(&mut self, number: u64, old: u64, wanted: &Username) -> bool {
        let Some(mut from) = self.sessions.remove(&old) else { return false };
        self.tokens.remove(&from.token);
        self.forget_shown(from.shown.take());
        self.lost.retain(|(_, lost)| *lost != old);
        let waiting = from.outbox.take();
        from.outbox.close(Closing { code: code::NORMAL, reason: "resumed by another connection" });
        for session in self.sessions.values_mut() {
            session.call_peers.renumber(old, number);
            session.nuisance.renumber(old, number);
        }
        let Some(session) = self.sessions.get_mut(&number) else { return false };
        session.name = from.name.take();
        session.call_peers = from.call_peers;
        session.place = from.place;
        session.has_foreign_token = from.has_foreign_token;
        session.wants_list = true;
        session.reads_deltas = wanted.features.iter().any(|feature| feature == USER_DELTA);
        // A new connection is no new budget.
        (session.renames, session.lines, session.fan_out) = (from.renames, from.lines, from.fan_out);
        session.nuisance = from.nuisance;
        self.tokens.insert(session.token.clone(), number);
        session.shown.clone_from(&wanted.resume);
        if let Some(shown) = &session.shown {
            self.tokens.insert(shown.clone(), number);
        }
        if let Some(name) = &session.name {
            for device in self.names.get_mut(name).into_iter().flatten().filter(|device| **device == old) {
                *device = number;
            }
            if **name != *wanted.name {
                let name = name.to_string();
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        session.outbox.restore(waiting);
        true
    }
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
