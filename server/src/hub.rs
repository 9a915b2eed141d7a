//! Everything that the clients share: sessions, names, who is in a call with whom. One lock, never held over an await.

use crate::{
    ServerError,
    addresses::{AddressKey, Addresses},
    auth::{Authority, TokenError},
    away::Away,
    cluster::{Nodes, Renewals, Taken},
    config::{Limits, ServerConfig},
    metrics::Metrics,
    outbox::{Closing, Outbox, Source, code},
    push::{Callee, Push, PushError},
    relay,
    rooms::Room,
    router::{Bucket, Claim, Router},
    sanitise,
    session::Session,
    subjects::Subjects,
    tls::Tls,
    turn::Turn,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chamada::signaling::message::{
    AUTH_REQUIRED, BLOCK, ErrorCode, ErrorMessage, IceServer, IceServers, Id, Limits as WireLimits, MAX_FRAME_BYTES,
    MAX_NAME_CHARS, MAX_TEXT_CHARS, Message, PUSH, ServerInfo, USER_DELTA,
};
use ring::digest;
use serde_json::{Map, Value};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;
use uuid::Uuid;

/// What numbers of sessions are counted from where there are several nodes, and how they are made up.
const EPOCH_MS: u64 = 1_767_225_600_000;
const NODE_BITS: u32 = 10;
const COUNT_BITS: u32 = 3;

/// An address that has no more of them may take the last places.
const MODEST_CONNECTIONS: usize = 4;

#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: ServerConfig,
    pub(crate) addresses: Arc<Addresses>,
    /// Who says whether a token is good; none if nobody needs one.
    pub(crate) authority: Option<Authority>,
    pub(crate) turn: Option<Turn>,
    pub(crate) tls: Option<Tls>,
    pub(crate) metrics: Metrics,
    pub(crate) router: Arc<dyn Router>,
    /// Rings devices that are not connected; none before [`Hub::open_push`], or at all.
    pub(crate) push: OnceLock<Arc<Push>>,
    /// What other nodes have to be told.
    pub(crate) taken: Arc<Taken>,
    pub(crate) renewals: Renewals,
    /// The whole list may be out of date at clients that read no deltas.
    pub(crate) list_changed: Notify,
    /// There is something for newcomers or for clients that read deltas.
    pub(crate) changed: Notify,
    pub(crate) session_lost: Notify,
    /// A connection has ended.
    pub(crate) left: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) router: Arc<dyn Router>,
    pub(crate) sessions: HashMap<u64, Session>,
    /// Rooms where anybody is logged in.
    pub(crate) rooms: HashMap<Arc<str>, Room>,
    /// Numbers of sessions by those that they had first.
    pub(crate) origins: HashMap<u64, u64>,
    pub(crate) nodes: Nodes,
    pub(crate) taken: Arc<Taken>,
    /// Some room's list has changed since this was taken back.
    pub(crate) lists_changed: bool,
    /// Whose names are whose, where there are tokens.
    pub(crate) subjects: Subjects,
    /// Hashes of the resume tokens of sessions that have a name.
    pub(crate) tokens: HashMap<String, u64>,
    pub(crate) lost: VecDeque<(Instant, u64)>,
    pub(crate) away: Away,
    last_number: u64,
    pub(crate) connections: usize,
    /// Nobody new is let in, and only calls are waited for.
    pub(crate) draining: bool,
    pub(crate) shut_down: bool,
}

impl Hub {
    pub(crate) fn new(config: ServerConfig, router: Arc<dyn Router>) -> Result<Self, ServerError> {
        let metrics = Metrics::new();
        let authorities = config.authorities.as_deref();
        let authority = |auth| Authority::new(auth, authorities, metrics.key_fetches.clone());
        let authority = config.auth.clone().map(authority).transpose()?;
        let tls = config.tls.clone().map(Tls::new).transpose()?;
        let turn = config.turn.clone().map(Turn::new).transpose()?;
        if let Some(push) = &config.push {
            Push::check(push, authorities)?;
            if authority.is_none() {
                let why = "only people who come with tokens can be rung, and none are asked for";
                return Err(PushError::BadOption(why.into()).into());
            }
        }
        let state = State::new(config.limits, router.clone());
        let (taken, state) = (state.taken.clone(), Mutex::new(state));
        let addresses = Arc::new(Addresses::new(config.limits, config.trusted_proxies.clone()));
        Ok(Self {
            config,
            addresses,
            authority,
            turn,
            tls,
            metrics,
            router,
            push: OnceLock::new(),
            taken,
            renewals: Renewals::default(),
            list_changed: Notify::new(),
            changed: Notify::new(),
            session_lost: Notify::new(),
            left: Notify::new(),
            state,
        })
    }

    /// Takes over, and keeps up, what all nodes have to have for pushes.
    pub(crate) async fn share_push(&self) -> Result<(), PushError> {
        match (&self.config.push, self.router.bucket(Bucket::Push)) {
            (Some(config), Some(bucket)) => Push::share(config, &*bucket).await,
            _ => Ok(()),
        }
    }

    /// Opens what rings devices that are not connected, if that is wanted.
    pub(crate) async fn open_push(self: &Arc<Self>) -> Result<(), ServerError> {
        let Some(config) = &self.config.push else { return Ok(()) };
        self.share_push().await?;
        let bucket = self.router.bucket(Bucket::Push);
        let authorities = self.config.authorities.as_deref();
        let push = Arc::new(Push::open(config, authorities, self.metrics.push.clone(), bucket).await?);
        let hub = Arc::downgrade(self);
        push.on_change(move |names| {
            if let Some(hub) = hub.upgrade() {
                let mut state = hub.lock();
                names.iter().for_each(|(room, name)| state.update_away(room, name));
                drop(state);
                hub.notify_changed();
            }
        });
        self.lock().open_push(push.clone());
        let _ = self.push.set(push);
        Ok(())
    }

    /// Ends calls that have waited for too long; says when to call again.
    pub(crate) fn expire_rings(&self, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        state.expire_rings(now);
        state.away.next_deadline()
    }

    /// Told when another call waits.
    pub(crate) fn rings_changed(&self) -> Arc<Notify> {
        self.lock().away.changed.clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session in this room and puts its `id` message into the outbox; without room, an error and the end.
    pub(crate) fn connect(&self, room: Arc<str>, address: Option<AddressKey>) -> (u64, Arc<Outbox>) {
        let limits = &self.config.limits;
        let outbox = Arc::new(Outbox::new(limits.queue_frames.max(2), limits.queue_bytes));
        let mut state = self.lock();
        state.connections += 1;
        let number = state.next_number();
        // The last tenth is for addresses that have few.
        let is_modest = address.is_none_or(|key| self.addresses.connections(key) <= MODEST_CONNECTIONS);
        let most = if is_modest { limits.connections } else { limits.connections - limits.connections / 10 };
        if state.shut_down || state.draining {
            outbox.close(Closing { code: code::GOING_AWAY, reason: "the server is shutting down" });
        } else if state.connections > most && !(is_modest && state.make_room()) {
            outbox.push(
                Source::Server,
                error(ErrorCode::Full, "the server has no room for another connection").to_json().into(),
            );
            outbox.close(Closing { code: code::TRY_AGAIN_LATER, reason: "full" });
            self.metrics.turned_away("full");
        } else {
            let token = new_token();
            outbox.push(Source::Server, self.greeting(number, &token).to_json().into());
            let mut session = Session::new(outbox.clone(), room, number, address, hash_of(&token), limits);
            session.turn_renewal = self.early_turn().map(|turn| Instant::now() + turn.renew_after());
            state.origins.insert(number, number);
            state.sessions.insert(number, session);
        }
        (number, outbox)
    }

    fn greeting(&self, number: u64, token: &str) -> Message {
        Message::Id(Id {
            id: number,
            ice_servers: self.ice_servers(number, self.early_turn()),
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
            features: [USER_DELTA, BLOCK].into_iter().chain(self.push.get().map(|_| PUSH)).map(Into::into).collect(),
            auth: self.authority.as_ref().map(|_| AUTH_REQUIRED.into()),
            push: self.push.get().map(|push| Box::new(push.info())),
        })
    }

    /// TURN for everybody who connects: where tokens are needed it is only for those who have shown one.
    fn early_turn(&self) -> Option<&Turn> {
        self.turn.as_ref().filter(|_| self.authority.is_none())
    }

    fn ice_servers(&self, number: u64, turn: Option<&Turn>) -> Vec<IceServer> {
        let turn = turn.map(|turn| turn.credentials(number, SystemTime::now()));
        self.config.ice_servers.iter().cloned().chain(turn).collect()
    }

    /// Sends TURN credentials to everybody logged in who has none, or whose own are half used up.
    pub(crate) fn renew_turn_credentials(&self, now: Instant) {
        for (number, session) in &mut self.lock().sessions {
            self.renew_turn_credentials_of(*number, session, now);
        }
    }

    pub(crate) fn renew_turn_credentials_of(&self, number: u64, session: &mut Session, now: Instant) {
        let Some(turn) = &self.turn else { return };
        let has_some = session.turn_renewal.is_some_and(|at| now < at);
        if has_some || session.remote.is_some() || session.name.is_none() || !session.attached {
            return;
        }
        let ice_servers = self.ice_servers(number, Some(turn));
        // Who has no room for it now gets it the next time.
        if session.send_message(&Message::IceServers(IceServers { ice_servers })) {
            session.turn_renewal = Some(now + turn.renew_after());
        }
    }

    /// Whether so many connections wait to be turned away that another one is refused before the upgrade.
    pub(crate) fn is_crowded(&self) -> bool {
        self.lock().connections >= self.config.limits.connections.saturating_add(64)
    }

    /// Connections, and people logged in.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.connections, state.rooms.values().map(|room| room.names.len()).sum())
    }

    pub(crate) fn is_logged_in(&self, number: u64) -> bool {
        self.lock().sessions.get(&number).is_some_and(|session| session.name.is_some())
    }

    /// Acts on one text frame of a client.
    pub(crate) async fn receive(&self, number: u64, frame: &str) {
        let reply = match Message::parse_object(frame) {
            Err(e) => Err(relay::refusal_of(&e)),
            Ok(object) => self.act(number, object).await,
        };
        if let Err(error) = reply {
            tracing::debug!(connection = number, reason = ?error.code, "refused a message");
            self.refuse(number, Message::Error(error));
        }
    }

    async fn act(&self, number: u64, object: Map<String, Value>) -> Result<(), ErrorMessage> {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let person = self.admit(number, &kind, &object).await?;
        if kind == "username" {
            relay::check_id(number, &kind, &object)?;
            match Message::from_object(object) {
                Ok(Message::Username(wanted)) => self.log_in(number, &wanted, person.as_ref()).await?,
                Ok(_) => {}
                Err(e) => return Err(relay::refusal_of(&e)),
            }
        } else {
            let mut state = self.lock();
            // Only who knows that it is logged in sends anything else.
            let shown = state.sessions.get_mut(&number).and_then(|session| session.shown.take());
            state.forget_shown(shown);
            let changed = state.act(number, object)?;
            drop(state);
            if changed {
                self.notify_changed();
            }
        }
        self.metrics.message(&kind);
        Ok(())
    }

    pub(crate) fn notify_changed(&self) {
        self.changed.notify_one();
        self.list_changed.notify_one();
    }

    /// Sends an error to one client, which pays for it with its own room.
    pub(crate) fn refuse(&self, number: u64, error: Message) {
        if let Message::Error(error) = &error {
            self.metrics.refused(error.code);
        }
        if let Some(session) = self.lock().sessions.get(&number) {
            session.outbox.push(Source::Stranger(number), error.to_json().into());
        }
    }

    /// Asks those whose token has expired for another one, and ends the connections of those who were asked in vain.
    pub(crate) fn check_tokens(&self, now: SystemTime) {
        let mut state = self.lock();
        for (number, session) in &mut state.sessions {
            let Some(ends) = session.token_ends.as_mut().filter(|ends| now >= ends.at) else { continue };
            let (at, told) = (ends.at, std::mem::replace(&mut ends.told, true));
            if !told {
                session.send_message(&Message::Error(relay::refusal(
                    ErrorCode::TokenExpired,
                    "username",
                    &TokenError::Expired.to_string(),
                )));
            }
            let since = now.duration_since(at).unwrap_or_default();
            if since >= self.config.token_grace && session.attached && !session.outbox.is_closing() {
                tracing::info!(connection = number, "its token has expired");
                session.outbox.close(Closing { code: code::POLICY, reason: "the token has expired" });
            }
        }
    }
}

impl State {
    fn new(limits: Limits, router: Arc<dyn Router>) -> Self {
        Self {
            limits,
            router,
            sessions: HashMap::new(),
            rooms: HashMap::new(),
            origins: HashMap::new(),
            nodes: Nodes::default(),
            taken: Arc::default(),
            lists_changed: false,
            subjects: Subjects::default(),
            tokens: HashMap::new(),
            lost: VecDeque::new(),
            away: Away::default(),
            last_number: 0,
            connections: 0,
            draining: false,
            shut_down: false,
        }
    }

    /// Numbers count from 1; with several nodes they consist of the time in milliseconds, the node, and a count, so that they are in the order of
    /// arrival everywhere, and below 2^53, as JavaScript wants it.
    fn next_number(&mut self) -> u64 {
        let node = u64::from(self.router.node());
        self.last_number += 1;
        if node > 0 {
            let (tick, own) = (now_ms().saturating_sub(EPOCH_MS), node << COUNT_BITS);
            let is_full = self.last_number & ((1 << COUNT_BITS) - 1) == 0;
            let last = (self.last_number - u64::from(is_full)) >> (COUNT_BITS + NODE_BITS);
            if tick > last || is_full {
                self.last_number = (tick.max(last + 1) << (COUNT_BITS + NODE_BITS)) | own;
            }
        }
        self.last_number
    }

    /// Ends the connection that has been without a name the longest, for a newcomer's. `false`: all have names.
    fn make_room(&self) -> bool {
        let nameless = |session: &Session| session.name.is_none() && !session.outbox.is_closing();
        let oldest = self.sessions.iter().filter(|(_, session)| nameless(session)).min_by_key(|(number, _)| **number);
        if let Some((_, session)) = oldest {
            session.outbox.close(Closing { code: code::TRY_AGAIN_LATER, reason: "full, and no login so far" });
        }
        oldest.is_some()
    }

    /// All devices of the person that this one belongs to.
    pub(crate) fn devices_of(&self, number: u64) -> Vec<u64> {
        let name = self.sessions.get(&number).and_then(|session| session.name.as_ref());
        name.and_then(|name| self.named(number, name)).cloned().unwrap_or_default()
    }

    /// Forgets a session. `true`: its room's list has changed.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let Some(session) = self.sessions.remove(&number) else { return false };
        self.tokens.remove(&session.token);
        self.forget_shown(session.shown);
        self.origins.remove(&session.origin);
        self.nodes.forget(session.origin);
        self.lost.retain(|(_, lost)| *lost != number);
        self.end_rings_of(number, "left");
        let Some(name) = session.name else { return false };
        if session.remote.is_none() {
            self.router.announce(session.origin, None);
        }
        let Some(room) = self.rooms.get_mut(&session.room) else { return false };
        if let Some(devices) = room.names.get_mut(&name) {
            devices.retain(|device| *device != number);
            if !devices.is_empty() {
                return false;
            }
        }
        let look = sanitise::look(&name);
        room.names.remove(&name);
        room.looks.remove(&look);
        room.roster.remove(session.place);
        if room.names.is_empty() {
            self.rooms.remove(&session.room);
        }
        match session.subject {
            None if session.remote.is_none() => {
                self.router.release(&session.room, &look, &Claim { place: session.place, subject: None });
            }
            None => {}
            Some(subject) => {
                self.went_away(
                    Callee { room: session.room.clone(), subject },
                    session.nuisance,
                    session.remote.is_none(),
                );
                self.update_away(&session.room, &name);
            }
        }
        self.mark_changed(&session.room);
        true
    }
}

/// An error that is about no message in particular.
pub(crate) fn error(code: ErrorCode, message: &str) -> Message {
    Message::Error(ErrorMessage { code, message: message.into(), regarding: None, target: None, call: None })
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What is kept of a resume token.
pub(crate) fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// 244 random bits: nobody guesses it.
fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
