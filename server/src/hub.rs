//! Everything that the clients share: sessions, names, who is in a call with whom. One lock, never held over an await.

use crate::{
    ServerError,
    addresses::{AddressKey, Addresses},
    auth::{Authority, Person, TokenError},
    away::Away,
    calls::CallPeers,
    config::{Limits, ServerConfig},
    login::LogIn,
    metrics::Metrics,
    nuisance::Nuisance,
    outbox::{Closing, Outbox, Source, code},
    push::{Callee, Push, PushError},
    rate::Budget,
    relay,
    rooms::{Room, Turn as ListTurn},
    roster::TooMany,
    router::{Alone, Claim, Router},
    sanitise,
    subjects::Subjects,
    tls::Tls,
    turn::Turn,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{
    AUTH_REQUIRED, BLOCK, ErrorCode, ErrorMessage, IceServer, IceServers, Id, Limits as WireLimits, MAX_FRAME_BYTES,
    MAX_NAME_CHARS, MAX_TEXT_CHARS, Message, PUSH, ServerInfo, USER_DELTA, Username,
};
use serde_json::{Map, Value};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::Notify;
use uuid::Uuid;

/// No grace time is longer: a sum with the clock must not overflow.
const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// In seconds; however many people there are, lists are not older than this.
const MAX_LIST_PAUSE: f64 = 30.0;

/// How many names that turn out to be taken elsewhere are tried for one login.
const MAX_CLAIMS: usize = 32;

/// An address that has no more of them may take the last places.
const MODEST_CONNECTIONS: usize = 4;

/// How a connection ended, as far as its session is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Logged out, or thrown out: the name is free at once.
    Left,
    /// The network took it: name and place are kept for the grace time.
    Lost,
    /// Its page is loaded anew, or closed, which it cannot tell apart: both are kept for a shorter time, and then its call ends.
    Reloading,
}

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
    /// The whole list may be out of date at clients that read no deltas.
    pub(crate) list_changed: Notify,
    /// There is something for newcomers or for clients that read deltas.
    pub(crate) changed: Notify,
    pub(crate) session_lost: Notify,
    left: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) router: Arc<dyn Router>,
    pub(crate) sessions: HashMap<u64, Session>,
    /// Rooms where anybody is logged in.
    pub(crate) rooms: HashMap<Arc<str>, Room>,
    /// Whose names are whose, where there are tokens.
    pub(crate) subjects: Subjects,
    /// Tokens of sessions that have a name.
    pub(crate) tokens: HashMap<String, u64>,
    pub(crate) lost: VecDeque<(Instant, u64)>,
    pub(crate) away: Away,
    last_number: u64,
    connections: usize,
    /// Nobody new is let in, and only calls are waited for.
    draining: bool,
    shut_down: bool,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) outbox: Arc<Outbox>,
    /// The key of its room.
    pub(crate) room: Arc<str>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) attached: bool,
    /// Its call ends if it does not come back.
    hangs_up: bool,
    /// None on this machine itself.
    address: Option<AddressKey>,
    pub(crate) call_peers: CallPeers,
    pub(crate) token: String,
    /// The token that it came back with, good for as long as nothing shows that the client knows of its return: a connection that breaks
    /// just then leaves it with this one.
    pub(crate) shown: Option<String>,
    /// Its place in the user list: the number that it had first.
    pub(crate) place: u64,
    pub(crate) wants_list: bool,
    /// It came with a token that this server does not know: mostly one of before a restart.
    pub(crate) has_foreign_token: bool,
    /// Who it is by its token.
    pub(crate) subject: Option<Arc<str>>,
    pub(crate) token_ends: Option<TokenEnd>,
    /// When it gets new TURN credentials; none if it has got none so far.
    turn_renewal: Option<Instant>,
    /// Names its installation.
    pub(crate) device: Option<Arc<str>>,
    /// It gets the calls that wait for its person as soon as it has the list, by which clients know that they are logged in.
    pub(crate) awaits_calls: bool,
    /// It reads `call-pushed`.
    pub(crate) reads_pushed: bool,
    /// It reads `userlist-delta`.
    pub(crate) reads_deltas: bool,
    /// What it was told last, if that was a whole list.
    told: u64,
    /// Changes of name, and lists asked for.
    pub(crate) renames: Budget,
    pub(crate) nuisance: Nuisance,
    pub(crate) lines: Budget,
    /// Bytes that its public lines may make the server send.
    pub(crate) fan_out: Budget,
}

/// Until when somebody's token is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenEnd {
    pub(crate) at: SystemTime,
    /// The client has been asked for another one.
    pub(crate) told: bool,
}

impl Session {
    pub(crate) fn send_message(&self, message: &Message) -> bool {
        self.outbox.push(Source::Server, message.to_json().into())
    }
}

impl Hub {
    pub(crate) fn new(config: ServerConfig) -> Result<Self, ServerError> {
        let authority = config.auth.clone().map(Authority::new).transpose()?;
        let tls = config.tls.clone().map(Tls::new).transpose()?;
        let turn = config.turn.clone().map(Turn::new).transpose()?;
        if let Some(push) = &config.push {
            Push::check(push)?;
            if authority.is_none() {
                let why = "only people who come with tokens can be rung, and none are asked for";
                return Err(PushError::BadOption(why.into()).into());
            }
        }
        let router: Arc<dyn Router> = Arc::new(Alone);
        let state = Mutex::new(State::new(config.limits, router.clone()));
        let addresses = Arc::new(Addresses::new(config.limits, config.trusted_proxies.clone()));
        Ok(Self {
            config,
            addresses,
            authority,
            turn,
            tls,
            metrics: Metrics::new(),
            router,
            push: OnceLock::new(),
            list_changed: Notify::new(),
            changed: Notify::new(),
            session_lost: Notify::new(),
            left: Notify::new(),
            state,
        })
    }

    /// Opens what rings devices that are not connected, if that is wanted.
    pub(crate) fn open_push(self: &Arc<Self>) -> Result<(), ServerError> {
        let Some(config) = &self.config.push else { return Ok(()) };
        let push = Arc::new(Push::open(config, self.metrics.push.clone())?);
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session in this room and puts its `id` message into the outbox; without room, an error and the end.
    pub(crate) fn connect(&self, room: Arc<str>, address: Option<AddressKey>) -> (u64, Arc<Outbox>) {
        let limits = &self.config.limits;
        let outbox = Arc::new(Outbox::new(limits.queue_frames.max(2), limits.queue_bytes));
        let mut state = self.lock();
        state.connections += 1;
        state.last_number += 1;
        let number = state.last_number;
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
            let now = Instant::now();
            outbox.push(Source::Server, self.greeting(number, &token).to_json().into());
            let session = Session {
                outbox: outbox.clone(),
                room,
                name: None,
                attached: true,
                hangs_up: false,
                address,
                call_peers: CallPeers::default(),
                token,
                shown: None,
                place: number,
                wants_list: false,
                has_foreign_token: false,
                subject: None,
                token_ends: None,
                turn_renewal: self.early_turn().map(|turn| now + turn.renew_after()),
                device: None,
                awaits_calls: false,
                reads_pushed: false,
                reads_deltas: false,
                told: 0,
                nuisance: Nuisance::new(now),
                renames: Budget::new(limits.renames_per_minute as f64 / 60.0, limits.renames_burst as f64, now),
                lines: Budget::new(limits.lines_per_second as f64, limits.lines_burst as f64, now),
                fan_out: Budget::new(limits.fan_out_per_second as f64, limits.fan_out_burst as f64, now),
            };
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

    fn renew_turn_credentials_of(&self, number: u64, session: &mut Session, now: Instant) {
        let Some(turn) = &self.turn else { return };
        let has_some = session.turn_renewal.is_some_and(|at| now < at);
        if has_some || session.name.is_none() || !session.attached {
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
        let person = self.admit(number, &kind, &object)?;
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

    async fn log_in(&self, number: u64, wanted: &Username, person: Option<&Person>) -> Result<(), ErrorMessage> {
        let mut taken = HashSet::new();
        for _ in 0..MAX_CLAIMS {
            let (wish, room, was_nameless) = {
                let mut state = self.lock();
                let Some(session) = state.sessions.get(&number) else { return Ok(()) };
                let (room, was_nameless) = (session.room.clone(), session.name.is_none());
                match state.log_in(number, wanted, person, &taken)? {
                    LogIn::Resumed => {
                        self.logged_in(state, number, &room, true, person.is_some());
                        return Ok(());
                    }
                    LogIn::Wish(wish) => (wish, room, was_nameless),
                }
            };
            let (claim, look) = (wish.claim.clone(), wish.look.clone());
            if let Some(claim) = &claim {
                match self.router.claim(&room, &look, claim).await {
                    Ok(true) => {}
                    Ok(false) => {
                        taken.insert(look);
                        continue;
                    }
                    Err(e) => {
                        tracing::warn!(connection = number, reason = %e, "nobody can log in");
                        self.send_away(number);
                        return Err(relay::refusal(ErrorCode::Unavailable, "username", "try again in a moment"));
                    }
                }
            }
            let mut state = self.lock();
            let finished = state.finish_login(number, wanted, person, wish);
            if let Ok(true) = finished {
                self.logged_in(state, number, &room, was_nameless, person.is_some());
                return Ok(());
            }
            if let Some(claim) = &claim {
                self.router.release(&room, &look, claim);
            }
            finished?;
        }
        Err(relay::refusal(ErrorCode::Unavailable, "username", "too many want this name; try again in a moment"))
    }

    /// Ends the connection of somebody who cannot log in now: clients come again after a while.
    fn send_away(&self, number: u64) {
        let state = self.lock();
        if let Some(session) = state.sessions.get(&number).filter(|session| session.name.is_none()) {
            session.outbox.close(Closing { code: code::TRY_AGAIN_LATER, reason: "the other nodes cannot be reached" });
        }
    }

    /// What follows a login, a return, a change of name or a fresh token.
    fn logged_in(
        &self,
        mut state: MutexGuard<'_, State>,
        number: u64,
        room: &str,
        is_new: bool,
        has_shown_token: bool,
    ) {
        if is_new {
            self.metrics.logins.inc();
            tracing::info!(connection = number, "logged in");
        }
        if is_new && let Some(session) = state.sessions.get_mut(&number) {
            session.awaits_calls = self.push.get().is_some();
        }
        if has_shown_token && let Some(session) = state.sessions.get_mut(&number) {
            self.renew_turn_credentials_of(number, session, Instant::now());
        }
        // Also when it is the same list as before: who asked has to be told.
        state.mark_changed(room);
        drop(state);
        self.notify_changed();
    }

    /// Whether this session may send a message of this kind now; with `username`, who shows a token in it, if that is needed here. What costs
    /// something to check is paid for before.
    fn admit(&self, number: u64, kind: &str, object: &Map<String, Value>) -> Result<Option<Person>, ErrorMessage> {
        if !matches!(kind, "username" | "userlist-request") {
            return Ok(None);
        }
        let address = {
            let mut state = self.lock();
            let Some(session) = state.sessions.get_mut(&number) else { return Ok(None) };
            if session.name.is_none() {
                session.address
            } else if session.renames.take(1.0, Instant::now()) {
                None
            } else {
                return Err(relay::refusal(ErrorCode::RateLimited, kind, "that was too often; wait a little"));
            }
        };
        if kind != "username" {
            return Ok(None);
        }
        if !address.is_none_or(|key| self.addresses.log_in(key)) {
            let why = "too many logins from there; wait a little";
            return Err(relay::refusal(ErrorCode::RateLimited, kind, why));
        }
        let Some(authority) = &self.authority else { return Ok(None) };
        let person = authority.check(object.get("token").and_then(Value::as_str));
        person.map(Some).map_err(|e| {
            let code = if e == TokenError::Expired { ErrorCode::TokenExpired } else { ErrorCode::Unauthorized };
            relay::refusal(code, kind, &e.to_string())
        })
    }

    fn notify_changed(&self) {
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

    /// The connection of this session is gone.
    pub(crate) fn disconnect(&self, number: u64, departure: Departure) {
        self.metrics.ended(if departure == Departure::Left { "left" } else { "lost" });
        let mut state = self.lock();
        state.connections = state.connections.saturating_sub(1);
        let keeps_place = departure != Departure::Left && !state.shut_down;
        let named = match state.sessions.get_mut(&number) {
            Some(session) => {
                session.attached = false;
                session.hangs_up = departure == Departure::Reloading;
                session.name.is_some()
            }
            None => false,
        };
        if named && keeps_place && self.config.limits.lost_sessions > 0 {
            if state.lost.len() >= self.config.limits.lost_sessions
                && let Some(first) = state.most_dispensable_lost(number)
            {
                state.remove(first);
                self.notify_changed();
            }
            let is_reloading = departure == Departure::Reloading;
            let grace = if is_reloading { self.config.reload_grace } else { self.config.resume_grace };
            let until = Instant::now() + grace.min(MAX_GRACE);
            let place = state.lost.partition_point(|(at, _)| *at <= until);
            state.lost.insert(place, (until, number));
            self.session_lost.notify_one();
        } else if state.remove(number) {
            self.notify_changed();
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
            if state.sessions.get(&number).is_some_and(|session| session.hangs_up) {
                state.hang_up_for(number);
            }
            state.remove(number);
            self.notify_changed();
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

    /// Does in each room whose turn it is what `tell` does, which says how many bytes that was; the room's next turn is the later the more it
    /// was, so that no coming and going costs more than a fixed rate, of which each room has its people's share. Says when the next turn is.
    fn take_turns(
        &self,
        now: Instant,
        turn_of: impl Fn(&mut Room) -> &mut ListTurn,
        tell: impl Fn(&mut State, &Arc<str>) -> usize,
    ) -> Option<Instant> {
        let mut state = self.lock();
        let all: usize = state.rooms.values().map(|room| room.names.len()).sum();
        let (mut due, mut next) = (Vec::new(), None);
        for (key, room) in &mut state.rooms {
            let people = room.names.len();
            let turn = turn_of(room);
            if turn.wanted && turn.not_before <= now {
                due.push((key.clone(), people as f64 / all.max(1) as f64));
            } else if turn.wanted {
                next = Some(next.map_or(turn.not_before, |next: Instant| next.min(turn.not_before)));
            }
        }
        for (key, share) in due {
            let bytes = tell(&mut state, &key);
            self.metrics.list_bytes.inc_by(bytes as u64);
            let rate = f64::from(self.config.limits.list_bytes_per_second.max(1)) * share;
            let pause = Duration::from_secs_f64((bytes as f64 / rate.max(1.0)).min(MAX_LIST_PAUSE));
            if let Some(room) = state.rooms.get_mut(&key) {
                *turn_of(room) = ListTurn { wanted: false, not_before: now + pause.max(self.config.userlist_interval) };
            }
        }
        next
    }

    /// Gives newcomers the whole list, and those who read them the changes since the last call. Says when to call again at the latest.
    pub(crate) fn send_changes(&self, now: Instant) -> Option<Instant> {
        self.take_turns(now, |room| &mut room.changes, State::send_changes)
    }

    /// Tells those who read no deltas who is there, if that has changed. Says when to call again at the latest.
    pub(crate) fn send_user_lists(&self, now: Instant) -> Option<Instant> {
        self.take_turns(now, |room| &mut room.lists, State::send_user_list)
    }
    /// Whether who comes now is let in.
    pub(crate) fn takes_newcomers(&self) -> bool {
        let state = self.lock();
        !state.draining && !state.shut_down
    }

    /// Lets nobody in any more, and ends with close code 1001 the connections of all who are in no call. `true`: nobody is left.
    pub(crate) fn drain(&self) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.draining = true;
        state.end_all_rings();
        let mut idle = true;
        for (number, session) in &state.sessions {
            if session.attached && state.has_call(*number) {
                idle = false;
            } else {
                session.outbox.close(Closing { code: code::GOING_AWAY, reason: "this server is going; come again" });
            }
        }
        idle
    }

    /// Ends every connection with close code 1001 and lets nobody in any more.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.shut_down = true;
        state.end_all_rings();
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

/// Distinguishes lists; never 0.
fn hash(list: &Utf8Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    list.as_str().hash(&mut hasher);
    hasher.finish() | 1
}

impl State {
    fn new(limits: Limits, router: Arc<dyn Router>) -> Self {
        Self {
            limits,
            router,
            sessions: HashMap::new(),
            rooms: HashMap::new(),
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

    /// Says how many bytes the changes were.
    fn send_changes(&mut self, key: &Arc<str>) -> usize {
        let Self { sessions, rooms, .. } = self;
        let Some(room) = rooms.get_mut(key) else { return 0 };
        let changes = room.roster.take_changes();
        let (mut plain, mut numbered) = (None, None);
        let mut bytes = 0;
        for number in room.members() {
            let Some(session) = sessions.get_mut(&number).filter(|session| session.attached) else { continue };
            match &changes {
                Some(Ok(delta)) if session.reads_deltas && !session.wants_list => {
                    bytes += delta.len();
                    session.wants_list = !session.outbox.push(Source::Server, delta.clone());
                }
                Some(Err(TooMany)) if session.reads_deltas => session.wants_list = true,
                _ => {}
            }
            if session.wants_list {
                let (list, _) =
                    if session.reads_deltas { &mut numbered } else { &mut plain }.get_or_insert_with(|| {
                        let list = room.roster.list(session.reads_deltas);
                        let hash = hash(&list);
                        (list, hash)
                    });
                session.wants_list = !session.outbox.push_list(list.clone());
                if !session.reads_deltas {
                    session.told = plain.as_ref().map_or(0, |(_, hash)| *hash);
                }
            }
        }
        let awaits = |session: &Session| session.awaits_calls && !session.wants_list;
        let newcomers: Vec<u64> = room.members().filter(|number| sessions.get(number).is_some_and(awaits)).collect();
        for number in newcomers {
            self.hand_out_calls(number);
        }
        bytes
    }

    /// Says how many bytes that was.
    fn send_user_list(&mut self, key: &Arc<str>) -> usize {
        let Self { sessions, rooms, .. } = self;
        let Some(room) = rooms.get(key) else { return 0 };
        let frame = room.roster.list(false);
        let hash = hash(&frame);
        let mut bytes = 0;
        for number in room.members() {
            let Some(session) = sessions.get_mut(&number) else { continue };
            if session.attached
                && !session.reads_deltas
                && session.told != hash
                && session.outbox.push_list(frame.clone())
            {
                session.wants_list = false;
                session.told = hash;
                bytes += frame.len();
            }
        }
        bytes
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

    /// The lost session to forget when there are too many: the first of the address that has most of them, `newest` counted.
    fn most_dispensable_lost(&self, newest: u64) -> Option<u64> {
        let address = |number: u64| self.sessions.get(&number).and_then(|session| session.address);
        let mut counts: HashMap<Option<AddressKey>, usize> = HashMap::from([(address(newest), 1)]);
        for (_, number) in &self.lost {
            *counts.entry(address(*number)).or_default() += 1;
        }
        let lost = self.lost.iter().map(|(_, number)| *number);
        // Of several with as many, `min_by_key` takes the first.
        lost.min_by_key(|number| Reverse(counts.get(&address(*number)).copied()))
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
        self.lost.retain(|(_, lost)| *lost != number);
        self.end_rings_of(number, "left");
        let Some(name) = session.name else { return false };
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
            None => self.router.release(&session.room, &look, &Claim { place: session.place, subject: None }),
            Some(subject) => {
                self.went_away(Callee { room: session.room.clone(), subject }, session.nuisance);
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

/// 244 random bits: nobody guesses it.
fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
