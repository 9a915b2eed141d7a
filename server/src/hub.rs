//! Everything that the clients share: sessions, names, who is in a call with whom. One lock, never held over an await.

use crate::{
    calls::CallPeers,
    config::ServerConfig,
    outbox::{Closing, Outbox, code},
    relay, sanitise,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{
    ErrorCode, ErrorMessage, Id, Limits as WireLimits, MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_TEXT_CHARS, Message,
    RejectUsername, ServerInfo, Username,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use uuid::Uuid;

/// No grace time is longer: a sum with the clock must not overflow.
const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How a connection ended, as far as its session is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Logged out, or thrown out: the name is free at once.
    Left,
    /// The network took it: name and place are kept for the grace time.
    Lost,
}

#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: ServerConfig,
    pub(crate) list_changed: Notify,
    pub(crate) session_lost: Notify,
    left: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) sessions: HashMap<u64, Session>,
    pub(crate) names: HashMap<Arc<str>, u64>,
    /// Tokens of sessions that have a name.
    tokens: HashMap<String, u64>,
    /// Names as JSON strings, in the order of arrival.
    roster: BTreeMap<u64, String>,
    roster_bytes: usize,
    last_list: Option<Utf8Bytes>,
    lost: VecDeque<(Instant, u64)>,
    last_number: u64,
    connections: usize,
    shut_down: bool,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) attached: bool,
    pub(crate) call_peers: CallPeers,
    token: String,
    /// Its place in the user list.
    place: u64,
    wants_list: bool,
}

impl Session {
    /// Queues a frame, for now or for the return of a client that is away. `false`: there is no room.
    pub(crate) fn send(&self, frame: Utf8Bytes) -> bool {
        if self.attached { self.outbox.push(frame) } else { self.outbox.try_push(frame, 1) }
    }

    pub(crate) fn send_message(&self, message: &Message) -> bool {
        self.send(message.to_json().into())
    }
}

impl Hub {
    pub(crate) fn new(config: ServerConfig) -> Self {
        let state = Mutex::new(State::default());
        Self { config, list_changed: Notify::new(), session_lost: Notify::new(), left: Notify::new(), state }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session and puts its `id` message into the outbox; without room, an error and the end.
    pub(crate) fn connect(&self) -> (u64, Arc<Outbox>) {
        let limits = &self.config.limits;
        let outbox = Arc::new(Outbox::new(limits.queue_frames.max(2), limits.queue_bytes));
        let mut state = self.lock();
        state.connections += 1;
        state.last_number += 1;
        let number = state.last_number;
        if state.shut_down {
            outbox.close(Closing { code: code::GOING_AWAY, reason: "the server is shutting down" });
        } else if state.connections > limits.connections {
            outbox.push(error(ErrorCode::Full, "the server has no room for another connection").to_json().into());
            outbox.close(Closing { code: code::TRY_AGAIN_LATER, reason: "full" });
        } else {
            let token = new_token();
            outbox.push(self.greeting(number, &token).to_json().into());
            let session = Session {
                outbox: outbox.clone(),
                name: None,
                attached: true,
                call_peers: CallPeers::default(),
                token,
                place: number,
                wants_list: false,
            };
            state.sessions.insert(number, session);
        }
        (number, outbox)
    }

    fn greeting(&self, number: u64, token: &str) -> Message {
        Message::Id(Id {
            id: number,
            ice_servers: self.config.ice_servers.clone(),
            resume: Some(token.to_owned()),
            server: Some(ServerInfo {
                name: "chamada".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                limits: Some(WireLimits {
                    frame_bytes: MAX_FRAME_BYTES,
                    name_chars: MAX_NAME_CHARS,
                    text_chars: MAX_TEXT_CHARS,
                    messages_per_second: self.config.limits.messages_per_second,
                }),
            }),
        })
    }

    /// Whether so many connections wait to be turned away that another one is refused before the upgrade.
    pub(crate) fn is_crowded(&self) -> bool {
        self.lock().connections >= self.config.limits.connections.saturating_add(64)
    }

    /// Connections, and people logged in.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.connections, state.names.len())
    }

    pub(crate) fn is_logged_in(&self, number: u64) -> bool {
        self.lock().sessions.get(&number).is_some_and(|session| session.name.is_some())
    }

    /// Acts on one text frame of a client.
    pub(crate) fn receive(&self, number: u64, frame: &str) {
        let reply = match Message::parse_object(frame) {
            Err(e) => Err(relay::refusal_of(&e)),
            Ok(object) => {
                let mut state = self.lock();
                let changed = state.act(number, object);
                drop(state);
                changed.map(|changed| {
                    if changed {
                        self.list_changed.notify_one();
                    }
                })
            }
        };
        if let Err(error) = reply {
            log::debug!("session {number}: refused a message: {:?}", error.code);
            self.refuse(number, Message::Error(error));
        }
    }

    /// Sends an error to one client.
    pub(crate) fn refuse(&self, number: u64, error: Message) {
        if let Some(session) = self.lock().sessions.get(&number) {
            session.send_message(&error);
        }
    }

    /// The connection of this session is gone.
    pub(crate) fn disconnect(&self, number: u64, departure: Departure) {
        let mut state = self.lock();
        state.connections = state.connections.saturating_sub(1);
        let keeps_place = departure == Departure::Lost && !state.shut_down;
        let named = match state.sessions.get_mut(&number) {
            Some(session) => {
                session.attached = false;
                session.name.is_some()
            }
            None => false,
        };
        if named && keeps_place && self.config.limits.lost_sessions > 0 {
            if state.lost.len() >= self.config.limits.lost_sessions
                && let Some((_, first)) = state.lost.pop_front()
            {
                state.remove(first);
                self.list_changed.notify_one();
            }
            state.lost.push_back((Instant::now() + self.config.resume_grace.min(MAX_GRACE), number));
            self.session_lost.notify_one();
        } else {
            state.remove(number);
            if named {
                self.list_changed.notify_one();
            }
        }
        drop(state);
        self.left.notify_waiters();
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.lock().lost.front().map(|(at, _)| *at)
    }

    /// Forgets the sessions whose grace time is over.
    pub(crate) fn forget_lost(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        while let Some((_, number)) = state.lost.pop_front_if(|(at, _)| *at <= now) {
            state.remove(number);
            self.list_changed.notify_one();
        }
    }

    /// Tells everyone who is there if that has changed, and those who have just come in any case.
    pub(crate) fn send_user_list(&self) {
        let mut state = self.lock();
        let mut frame = String::with_capacity(state.roster_bytes + LIST_FRAME.len());
        frame.push_str(LIST_HEAD);
        for (index, name) in state.roster.values().enumerate() {
            if index > 0 {
                frame.push(',');
            }
            frame.push_str(name);
        }
        frame.push_str("]}");
        let frame = Utf8Bytes::from(frame);
        let changed = state.last_list.as_ref() != Some(&frame);
        for session in state.sessions.values_mut() {
            let wants = std::mem::take(&mut session.wants_list);
            if session.name.is_some() && session.attached && (changed || wants) {
                session.outbox.push_list(frame.clone());
            }
        }
        state.last_list = Some(frame);
    }

    /// Ends every connection with close code 1001 and lets nobody in any more.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.shut_down = true;
        for session in state.sessions.values() {
            session.outbox.close(Closing { code: code::GOING_AWAY, reason: "the server is shutting down" });
        }
    }

    pub(crate) async fn everyone_left(&self) {
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            left.as_mut().enable();
            if self.lock().connections == 0 {
                return;
            }
            left.await;
        }
    }
}

const LIST_HEAD: &str = r#"{"type":"userlist","users":["#;
const LIST_FRAME: &str = r#"{"type":"userlist","users":[]}"#;

impl State {
    /// `username`: a login, a change of name, or the return of a lost client. Says whether the user list changed.
    pub(crate) fn log_in(&mut self, number: u64, wanted: &Username) -> Result<bool, ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Ok(false) };
        if session.name.is_none()
            && let Some(old) = wanted.resume.as_ref().and_then(|token| self.tokens.get(token)).copied()
        {
            return Ok(self.resume(number, old, &wanted.name));
        }
        let own = session.name.clone();
        let clean = sanitise::name(&wanted.name).map_err(|fault| relay::refusal_of_name(&fault))?;
        let name = match self.names.get(clean.as_str()) {
            Some(owner) if *owner != number => self.free_name(&clean, number),
            _ => clean,
        };
        let changed = own.as_deref() != Some(name.as_str());
        if changed {
            self.give_name(number, own, &name)?;
        }
        if let Some(session) = self.sessions.get_mut(&number) {
            session.wants_list = true;
            if name != wanted.name {
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        // Also when it is the same list as before: who asked has to be told.
        Ok(true)
    }

    fn give_name(&mut self, number: u64, own: Option<Arc<str>>, name: &str) -> Result<(), ErrorMessage> {
        let Some(session) = self.sessions.get_mut(&number) else { return Ok(()) };
        let encoded = Value::from(name).to_string();
        let freed = self.roster.get(&session.place).map_or(0, |old| old.len() + 1);
        let bytes = self.roster_bytes - freed + encoded.len() + 1;
        // The user list has to fit into one frame, or no client would read it.
        if bytes + LIST_FRAME.len() > MAX_FRAME_BYTES {
            return Err(relay::refusal(ErrorCode::Full, "username", "the user list has no room for another name"));
        }
        let name: Arc<str> = name.into();
        session.name = Some(name.clone());
        self.tokens.insert(session.token.clone(), number);
        self.roster.insert(session.place, encoded);
        self.roster_bytes = bytes;
        if let Some(own) = own {
            self.names.remove(&own);
        }
        self.names.insert(name, number);
        Ok(())
    }

    /// The wanted name and the first number from 2 that makes it free; shortened where the two together are too long.
    fn free_name(&self, wanted: &str, number: u64) -> String {
        let mut suffix = 2_u64;
        loop {
            let digits = suffix.to_string();
            let room = MAX_NAME_CHARS.saturating_sub(digits.len());
            let mut name: String = wanted.chars().take(room).collect();
            name.push_str(&digits);
            // Ends: there are fewer sessions than numbers.
            if self.names.get(name.as_str()).is_none_or(|owner| *owner == number) {
                return name;
            }
            suffix += 1;
        }
    }

    /// Gives the new connection what belonged to the session `old`, whose own connection is lost or about to be found so.
    fn resume(&mut self, number: u64, old: u64, wanted: &str) -> bool {
        let Some(mut from) = self.sessions.remove(&old) else { return false };
        self.tokens.remove(&from.token);
        self.lost.retain(|(_, lost)| *lost != old);
        let waiting = from.outbox.take();
        from.outbox.close(Closing { code: code::NORMAL, reason: "resumed by another connection" });
        for session in self.sessions.values_mut() {
            session.call_peers.renumber(old, number);
        }
        let Some(session) = self.sessions.get_mut(&number) else { return false };
        session.name = from.name.take();
        session.call_peers = from.call_peers;
        session.place = from.place;
        session.wants_list = true;
        self.tokens.insert(session.token.clone(), number);
        if let Some(name) = &session.name {
            self.names.insert(name.clone(), number);
            if **name != *wanted {
                let name = name.to_string();
                session.send_message(&Message::RejectUsername(RejectUsername { id: number, name }));
            }
        }
        // A full queue of old frames must not end the new connection: what does not fit beside its greeting is left out.
        for frame in waiting {
            session.outbox.try_push(frame, 1);
        }
        true
    }

    fn remove(&mut self, number: u64) {
        let Some(session) = self.sessions.remove(&number) else { return };
        self.tokens.remove(&session.token);
        if let Some(name) = &session.name {
            self.names.remove(name);
        }
        if let Some(encoded) = self.roster.remove(&session.place) {
            self.roster_bytes -= encoded.len() + 1;
        }
        self.lost.retain(|(_, lost)| *lost != number);
    }
}

/// An error that is about no message in particular.
pub(crate) fn error(code: ErrorCode, message: &str) -> Message {
    Message::Error(ErrorMessage { code, message: message.into(), regarding: None, target: None, call: None })
}

/// 244 random bits: nobody guesses it.
fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
