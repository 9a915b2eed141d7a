//! Logins, changes of name and returns: who gets which name.

use crate::{
    hub::State,
    outbox::{Closing, code},
    relay, sanitise,
};
use chamada::signaling::message::{
    ErrorCode, ErrorMessage, MAX_NAME_CHARS, Message, RejectUsername, USER_DELTA, Username,
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Instant};

/// A name with more bytes is long.
const LONG_NAME_BYTES: usize = 32;

impl State {
    /// Whether this message is a login, and not a change of name.
    pub(crate) fn is_login(&self, number: u64, object: &Map<String, Value>) -> bool {
        let nameless = self.sessions.get(&number).is_some_and(|session| session.name.is_none());
        nameless && object.get("type").and_then(Value::as_str) == Some("username")
    }

    /// `username`: a login, a change of name, or the return of a lost client. Says whether the user list changed.
    pub(crate) fn log_in(&mut self, number: u64, wanted: &Username) -> Result<bool, ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Ok(false) };
        if session.name.is_none()
            && let Some(old) = wanted.resume.as_ref().and_then(|token| self.tokens.get(token)).copied()
        {
            return Ok(self.resume(number, old, wanted));
        }
        let own = session.name.clone();
        if own.is_some() {
            self.spend_rename(number, "username")?;
        }
        let clean = sanitise::name(&wanted.name).map_err(|fault| relay::refusal_of_name(&fault))?;
        let look = sanitise::look(&clean);
        let is_free = |look: &str| self.looks.get(look).is_none_or(|owner| *owner == number);
        let (name, look) = if is_free(&look) { (clean, look) } else { free_name(&clean, is_free) };
        if own.as_deref() != Some(name.as_str()) {
            self.give_name(number, &name, look)?;
        }
        if let Some(session) = self.sessions.get_mut(&number) {
            session.wants_list = true;
            session.has_foreign_token |= own.is_none() && wanted.resume.is_some();
            session.reads_deltas |= wanted.features.iter().any(|feature| feature == USER_DELTA);
            if name != wanted.name {
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        // Also when it is the same list as before: who asked has to be told.
        Ok(true)
    }

    /// For what makes the server send lists to a session or to all.
    pub(crate) fn spend_rename(&mut self, number: u64, kind: &str) -> Result<(), ErrorMessage> {
        let may = self.sessions.get_mut(&number).is_some_and(|session| session.renames.take(1.0, Instant::now()));
        match may {
            true => Ok(()),
            false => Err(relay::refusal(ErrorCode::RateLimited, kind, "that was too often; wait a little")),
        }
    }

    fn give_name(&mut self, number: u64, name: &str, look: String) -> Result<(), ErrorMessage> {
        let Some(session) = self.sessions.get_mut(&number) else { return Ok(()) };
        let full = || relay::refusal(ErrorCode::Full, "username", "the user list has no room for such a name");
        // The last quarter is kept for newcomers whose names are not long.
        if session.name.is_none() && name.len() > LONG_NAME_BYTES && self.roster.fullness() > 0.75 {
            return Err(full());
        }
        let name: Arc<str> = name.into();
        if !self.roster.set(session.place, &name) {
            return Err(full());
        }
        if let Some(own) = session.name.replace(name.clone()) {
            self.names.remove(&own);
            let look_before = sanitise::look(&own);
            self.looks.remove(&look_before);
        }
        let token = session.token.clone();
        self.tokens.insert(token, number);
        self.apply_blocks(number, &look);
        self.looks.insert(look, number);
        self.names.insert(name, number);
        Ok(())
    }

    /// Gives the new connection what belonged to the session `old`, whose own connection is lost or about to be found so.
    fn resume(&mut self, number: u64, old: u64, wanted: &Username) -> bool {
        let Some(mut from) = self.sessions.remove(&old) else { return false };
        self.tokens.remove(&from.token);
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
        if let Some(name) = &session.name {
            self.names.insert(name.clone(), number);
            self.looks.insert(sanitise::look(name), number);
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
