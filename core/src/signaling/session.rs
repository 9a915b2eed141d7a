//! The login session, without sockets and without a clock: connection events, frames and the time go in, [`Output`]s come out.
//!
//! A login counts as done when, after our `username`, the server's `userlist` holds our name, be it the wanted one or the one that a
//! `rejectusername` gave: the one sign that old servers give too. Should that list be older than our `username` and the
//! name another person's, the `rejectusername` comes later and is told as [`SignalingEvent::Renamed`].
//!
//! Times are [`Duration`]s since any fixed start; they must not go backwards.

use super::backoff;
use super::error::SignalingError;
use super::message::{
    BLOCK, Block, Chat, ErrorCode, ErrorMessage, IceServer, IceServers, Id, MAX_FRAME_BYTES, MAX_NAME_CHARS,
    MAX_TEXT_CHARS, Message, PUSH, PushInfo, PushPlatform, PushRegister, ServerInfo, USER_DELTA, Username,
};
use super::user_list::{Applied, UserNames};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// How many messages wait while the connection is down.
pub const QUEUE_LEN: usize = 64;
/// How long the server may take to log us in.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the server is pinged.
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// How long the server may be silent before it is given up.
pub const SILENCE: Duration = Duration::from_secs(35);
/// How long the server may take to answer when it is looked at ([`Session::probe`]): a round trip to the other side of the
/// world, and one packet lost.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait between two attempts to connect while there is hurry ([`Session::set_hurry`]).
pub const HURRIED_WAIT: Duration = Duration::from_secs(1);

/// How many people can be blocked.
pub const MAX_BLOCKED: usize = 256;

fn features() -> Vec<String> {
    vec![USER_DELTA.into(), PUSH.into()]
}

/// What happens on the signaling connection.
#[derive(Debug, Clone, PartialEq)]
pub enum SignalingEvent {
    /// Logged in, for the first time or again.
    LoggedIn {
        /// The name we have.
        name: String,
        /// The session's number.
        id: u64,
        /// STUN and TURN servers to use.
        ice_servers: Vec<IceServer>,
        /// Who the server is; none from an old one.
        server: Option<ServerInfo>,
        /// Whether a token was shown to a server that knows tokens and the name is still ours.
        resumed: bool,
        /// How the server can ring a device that is not connected; none if it cannot.
        push: Option<Box<PushInfo>>,
    },
    /// Our name is now `name`.
    Renamed {
        /// The name we asked for.
        wanted: String,
        /// The name we have.
        name: String,
    },
    /// Who is logged in, each once, ourselves included.
    Users(Vec<String>),
    /// Who is not logged in, but can be called: the server rings a device of theirs by push. Told when it changes, before
    /// [`SignalingEvent::Users`].
    Away(Vec<String>),
    /// What the server keeps for this device from now on, so that it can be rung while it is not connected; none: nothing.
    PushRegistered(Option<PushPlatform>),
    /// STUN and TURN servers in place of those that the login brought.
    IceServers(Vec<IceServer>),
    /// A chat line.
    Chat {
        /// Who said it.
        from: Option<String>,
        /// What was said; not to be shown as markup.
        text: String,
        /// Milliseconds since 1970, by the sender's clock.
        date: u64,
        /// The sender's session number.
        id: u64,
    },
    /// A message of the call engine's, an `error` about one included.
    Call(Message),
    /// The server refused something that has nothing to do with a call.
    Refused(ErrorMessage),
    /// A frame could not be read; how many so far.
    Malformed {
        /// Count since the start.
        total: u64,
    },
    /// A message that waited for the connection was dropped to make room; its type.
    Dropped {
        /// The `type` on the wire.
        kind: String,
    },
    /// The connection is lost and will be tried again.
    Reconnecting {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// Wait before it.
        after: Duration,
        /// Why the last one ended.
        why: SignalingError,
    },
    /// The end; nothing follows.
    Closed {
        /// None after a logout.
        why: Option<SignalingError>,
    },
}

/// What the session wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this text frame.
    Send(String),
    /// Send a ping (RFC 6455 section 5.5.2).
    Ping,
    /// Tell the app.
    Event(SignalingEvent),
    /// Drop the connection, if there is one, without a close frame: that would be a log-out, and the server is to keep our place.
    Disconnect,
    /// Close the connection, if there is one, with code 1000 (RFC 6455 section 7.4.1).
    Close,
    /// Connect at this time.
    ConnectAt(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Down,
    AwaitId { since: Duration },
    AwaitList { since: Duration },
    LoggedIn,
    Closed,
}

/// One person's session with a signaling server, over as many connections as it takes.
pub struct Session {
    state: State,
    name: String,
    wanted: Option<String>,
    id: u64,
    hello: Option<Id>,
    /// Gives back our place at the server. It changes only with a login that has succeeded: of one that was cut off nobody knows
    /// whether the server has seen it.
    token: Option<String>,
    reconnect: bool,
    ever_in: bool,
    attempt: u32,
    heard: Duration,
    pinged: Duration,
    /// Since when an answer is waited for that tells whether the server is still there.
    probed: Option<Duration>,
    hurry: bool,
    /// When the next attempt to connect begins, or the last one began.
    next_attempt: Duration,
    malformed: u64,
    users: UserNames,
    /// Names from which we want nothing.
    blocked: BTreeSet<String>,
    /// Whether the server does the same: an old one would tell everybody whom we block.
    knows_block: bool,
    auth_token: Option<String>,
    /// Names the installation.
    device: Option<String>,
    /// What is to be registered for push at each login; `Some(None)`: nothing, and what was is to be taken back.
    push: Option<Option<PushRegister>>,
    /// What the server can send pushes by.
    push_platforms: Vec<PushPlatform>,
    told_away: Vec<String>,
    /// The server has refused it: nothing goes on before there is another one.
    token_refused: bool,
    queue: VecDeque<Message>,
    outputs: VecDeque<Output>,
    jitter: Box<dyn FnMut() -> f64 + Send>,
}

/// The trimmed name, if it is one.
///
/// # Errors
/// [`SignalingError::BadName`].
pub fn check_name(name: &str) -> Result<String, SignalingError> {
    let name = name.trim();
    let fits = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) { Ok(name.to_owned()) } else { Err(SignalingError::BadName) }
}

/// Whether an app may send this message, and whether it keeps the limits.
///
/// # Errors
/// [`SignalingError::NotSendable`], [`SignalingError::BadText`] or [`SignalingError::TooLarge`].
pub fn check_message(message: &Message) -> Result<(), SignalingError> {
    match message {
        Message::Chat(chat) if !(1..=MAX_TEXT_CHARS).contains(&chat.text.chars().count()) => {
            return Err(SignalingError::BadText);
        }
        Message::Chat(_) => {}
        message if message.is_of_call() => {}
        message => return Err(SignalingError::NotSendable(message.kind().to_owned())),
    }
    let bytes = message.to_json().len();
    // The server adds or rewrites the name and may escape it: leave room for that.
    if bytes + 512 > MAX_FRAME_BYTES { Err(SignalingError::TooLarge(bytes)) } else { Ok(()) }
}

impl Session {
    /// A session that is not connected yet. `jitter` gives numbers from 0 to 1; `reconnect` is about the time after the first login.
    ///
    /// # Errors
    /// [`SignalingError::BadName`].
    pub fn new(name: &str, reconnect: bool, jitter: Box<dyn FnMut() -> f64 + Send>) -> Result<Self, SignalingError> {
        Ok(Self {
            state: State::Down,
            name: check_name(name)?,
            wanted: None,
            id: 0,
            hello: None,
            token: None,
            reconnect,
            ever_in: false,
            attempt: 0,
            heard: Duration::ZERO,
            pinged: Duration::ZERO,
            probed: None,
            hurry: false,
            next_attempt: Duration::ZERO,
            malformed: 0,
            users: UserNames::default(),
            blocked: BTreeSet::new(),
            knows_block: false,
            auth_token: None,
            device: None,
            push: None,
            push_platforms: Vec::new(),
            told_away: Vec::new(),
            token_refused: false,
            queue: VecDeque::new(),
            outputs: VecDeque::new(),
            jitter,
        })
    }

    /// Logs in with this token (a JWT, RFC 7519), where the server wants one.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.auth_token = token;
        self
    }

    /// Names this installation at each login: 1 to 64 printable ASCII characters, chosen at random once and kept. Without it the device
    /// cannot be registered for push.
    #[must_use]
    pub fn with_device(mut self, device: Option<String>) -> Self {
        self.device = device;
        self
    }

    /// From now on, also after the connection was lost, the server is to ring this device by push while it is not connected: at once, if it can
    /// and we are logged in. `None` takes it back. [`SignalingEvent::PushRegistered`] tells what came of it.
    pub fn set_push(&mut self, register: Option<PushRegister>) {
        self.push = Some(register);
        if self.state == State::LoggedIn {
            self.send_push();
        }
    }

    fn send_push(&mut self) {
        let message = match &self.push {
            Some(Some(register)) if self.push_platforms.contains(&register.platform) => {
                Message::PushRegister(register.clone())
            }
            Some(None) if !self.push_platforms.is_empty() => Message::PushUnregister,
            // An old server would tell everybody.
            _ => return,
        };
        self.outputs.push_back(Output::Send(message.to_json()));
    }

    /// Another token in place of one that has expired or will soon; `date` in milliseconds since 1970.
    pub fn set_token(&mut self, token: String, now: Duration, date: u64) {
        self.auth_token = Some(token);
        match self.state {
            State::LoggedIn => {
                let name = self.wanted.clone().unwrap_or_else(|| self.name.clone());
                self.send_username(name, None, date);
            }
            State::AwaitList { .. } if self.token_refused => self.ask_to_come_in(now, date),
            _ => {}
        }
    }

    /// The name we have, or ask for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Session::timeout`] next, if nothing else happens.
    pub fn next_timeout(&self) -> Option<Duration> {
        match self.state {
            State::Down | State::Closed => None,
            State::AwaitId { since } | State::AwaitList { since } => Some(since + LOGIN_TIMEOUT),
            State::LoggedIn => {
                let silent = (self.pinged.max(self.heard) + PING_EVERY).min(self.heard + SILENCE);
                Some(self.probed.map_or(silent, |since| silent.min(since + PROBE_TIMEOUT)))
            }
        }
    }

    /// The WebSocket is open.
    pub fn connected(&mut self, now: Duration) {
        if self.state == State::Down {
            self.state = State::AwaitId { since: now };
            (self.heard, self.pinged, self.probed) = (now, now, None);
        }
    }

    /// Something other than a text frame came: a pong, say.
    pub fn heard(&mut self, now: Duration) {
        (self.heard, self.probed) = (now, None);
    }

    /// Looks whether the server is still there, after a pause in which the network or the whole device may have been away: it has
    /// [`PROBE_TIMEOUT`] to answer a ping. Without a login the next attempt begins now.
    pub fn probe(&mut self, now: Duration) {
        match self.state {
            State::LoggedIn => {
                self.timeout(now);
                if self.state == State::LoggedIn && self.probed.is_none() {
                    (self.probed, self.pinged) = (Some(now), now);
                    self.outputs.push_back(Output::Ping);
                }
            }
            _ => self.reconnect_now(now),
        }
    }

    /// Whether something waits for the server, such as a call that has lost its path: attempts to connect then follow each other
    /// within [`HURRIED_WAIT`].
    pub fn set_hurry(&mut self, hurry: bool, now: Duration) {
        self.hurry = hurry;
        if hurry && self.state == State::Down && self.next_attempt > now + HURRIED_WAIT {
            self.connect_at(now + HURRIED_WAIT);
        }
    }

    /// See [`Session::set_hurry`].
    pub fn is_hurried(&self) -> bool {
        self.hurry
    }

    fn connect_at(&mut self, at: Duration) {
        self.next_attempt = at;
        self.outputs.push_back(Output::ConnectAt(at));
    }

    /// The time has come that [`Session::next_timeout`] named.
    pub fn timeout(&mut self, now: Duration) {
        match self.state {
            State::AwaitId { since } if now >= since + LOGIN_TIMEOUT => {
                self.disconnected(SignalingError::Protocol("it sent no id".into()), now);
            }
            State::AwaitList { since } if now >= since + LOGIN_TIMEOUT => {
                self.disconnected(SignalingError::Protocol("it did not list us".into()), now);
            }
            State::LoggedIn if now >= self.heard + SILENCE => self.disconnected(SignalingError::Silent, now),
            State::LoggedIn if self.probed.is_some_and(|since| now >= since + PROBE_TIMEOUT) => {
                self.disconnected(SignalingError::Silent, now);
            }
            State::LoggedIn if now >= self.pinged.max(self.heard) + PING_EVERY => {
                self.pinged = now;
                self.outputs.push_back(Output::Ping);
            }
            _ => {}
        }
    }

    /// The connection is lost, or an attempt failed.
    pub fn disconnected(&mut self, why: SignalingError, now: Duration) {
        if self.state == State::Closed {
            return;
        }
        self.take_back_unsent();
        if !self.reconnect || !self.ever_in || why.is_final() {
            self.state = State::Closed;
            self.outputs.push_back(Output::Close);
            self.event(SignalingEvent::Closed { why: Some(why) });
            return;
        }
        self.state = State::Down;
        self.outputs.push_back(Output::Disconnect);
        self.attempt = self.attempt.saturating_add(1);
        let mut after = backoff::delay(self.attempt, (self.jitter)());
        if self.hurry {
            after = after.min(HURRIED_WAIT);
        }
        self.event(SignalingEvent::Reconnecting { attempt: self.attempt, after, why });
        self.connect_at(now + after);
    }

    /// The network changed: what we have is not worth waiting for.
    pub fn reconnect_now(&mut self, now: Duration) {
        if self.state != State::Closed && self.ever_in {
            self.take_back_unsent();
            self.state = State::Down;
            self.attempt = 0;
            self.outputs.push_back(Output::Disconnect);
            self.connect_at(now);
        }
    }

    /// The app is done.
    pub fn logout(&mut self) {
        if self.state != State::Closed {
            self.state = State::Closed;
            self.outputs.push_back(Output::Close);
            self.event(SignalingEvent::Closed { why: None });
        }
    }

    /// This [`Output::Send`] could not be written whole, so that the server does not have it. [`Session::disconnected`] has to follow.
    pub fn not_sent(&mut self, text: String) {
        self.outputs.push_front(Output::Send(text));
    }

    /// What the lost connection did not take any more waits for the next one, before what already waits.
    fn take_back_unsent(&mut self) {
        let (unsent, rest): (VecDeque<_>, _) =
            self.outputs.drain(..).partition(|output| matches!(output, Output::Send(_) | Output::Ping));
        self.outputs = rest;
        for output in unsent.into_iter().rev() {
            if let Output::Send(text) = output
                && let Ok(message) = Message::parse(&text)
                && (message.is_of_call() || matches!(message, Message::Chat(_)))
            {
                self.queue.push_front(message);
            }
        }
        while self.queue.len() > QUEUE_LEN {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.queue.pop_front() {
            self.event(SignalingEvent::Dropped { kind: oldest.kind().to_owned() });
        }
    }

    /// Sends a message that [`check_message`] passed, or keeps it until we are logged in again.
    pub fn send(&mut self, message: Message) {
        match self.state {
            State::Closed => {}
            State::LoggedIn => self.transmit(message),
            _ => {
                if self.queue.len() >= QUEUE_LEN {
                    self.drop_oldest();
                }
                self.queue.push_back(message);
            }
        }
    }

    /// Asks for another name, which [`check_name`] passed; `date` in milliseconds since 1970. While down, it is the name of the next login.
    pub fn rename(&mut self, name: String, date: u64) {
        if self.state == State::LoggedIn {
            self.wanted = Some(name.clone());
            self.send_username(name, None, date);
        } else {
            self.wanted = Some(name);
        }
    }

    /// From now on, or no longer, offers and chat lines under this name, which [`check_name`] passed, are dropped: here and, where it can, by
    /// the server. Also after the connection was lost. Of more than [`MAX_BLOCKED`] the rest is ignored.
    pub fn set_blocked(&mut self, name: String, block: bool) {
        if block && self.blocked.len() >= MAX_BLOCKED && !self.blocked.contains(&name) {
            log::warn!("no more than {MAX_BLOCKED} people can be blocked");
            return;
        }
        let changed = if block { self.blocked.insert(name.clone()) } else { self.blocked.remove(&name) };
        if changed && self.knows_block && self.state == State::LoggedIn {
            let named = Block { name };
            let message = if block { Message::Block(named) } else { Message::Unblock(named) };
            self.outputs.push_back(Output::Send(message.to_json()));
        }
    }

    /// A text frame came; `date` in milliseconds since 1970.
    pub fn frame(&mut self, text: &str, now: Duration, date: u64) {
        if matches!(self.state, State::Down | State::Closed) {
            return;
        }
        self.heard(now);
        let message = match Message::parse(text) {
            Ok(message) => message,
            Err(e) => {
                log::debug!("unreadable frame of {} bytes: {e}", text.len());
                return self.malformed();
            }
        };
        match message {
            Message::Id(id) => self.hello(id, now, date),
            Message::RejectUsername(reject) if reject.id == self.id => match check_given(&reject.name) {
                Some(name) => self.renamed(name),
                None => self.malformed(),
            },
            Message::UserList(list) => {
                self.users.replace(list);
                self.listed();
            }
            Message::UserListDelta(delta) => match self.users.apply(delta) {
                Applied::Yes => self.listed(),
                Applied::Missing => self.outputs.push_back(Output::Send(Message::UserListRequest.to_json())),
                Applied::No => {}
            },
            Message::IceServers(IceServers { ice_servers }) => match &mut self.hello {
                // Not told yet: it is with the login that the app hears of them.
                Some(hello) => hello.ice_servers = ice_servers,
                None => self.event(SignalingEvent::IceServers(ice_servers)),
            },
            Message::Chat(Chat { name: Some(name), .. }) if self.blocked.contains(&name) => {}
            Message::VideoOffer(offer) if offer.name.as_ref().is_some_and(|name| self.blocked.contains(name)) => {}
            Message::Chat(Chat { text, id, date, name }) => {
                self.event(SignalingEvent::Chat { from: name, text, date, id })
            }
            Message::Error(error) => self.refused(error, now),
            Message::PushRegistered(registered) => self.event(SignalingEvent::PushRegistered(registered.platform)),
            message if message.is_of_call() || matches!(message, Message::CallPushed(_)) => {
                self.event(SignalingEvent::Call(message));
            }
            other => log::debug!("ignored a message of type '{}'", other.kind().escape_debug()),
        }
    }

    fn hello(&mut self, hello: Id, now: Duration, date: u64) {
        self.id = hello.id;
        self.knows_block = hello.features.iter().any(|feature| feature == BLOCK);
        self.hello = Some(hello);
        if matches!(self.state, State::AwaitId { .. }) {
            self.ask_to_come_in(now, date);
        }
    }

    fn ask_to_come_in(&mut self, now: Duration, date: u64) {
        self.token_refused = false;
        let name = self.wanted.clone().unwrap_or_else(|| self.name.clone());
        self.send_username(name, self.token.clone(), date);
        self.state = State::AwaitList { since: now };
    }

    fn send_username(&mut self, name: String, resume: Option<String>, date: u64) {
        let token = self.auth_token.clone();
        let username =
            Username { name, id: self.id, date, resume, features: features(), token, device: self.device.clone() };
        self.outputs.push_back(Output::Send(Message::Username(username).to_json()));
    }

    fn renamed(&mut self, name: String) {
        let wanted = self.wanted.take().unwrap_or_else(|| self.name.clone());
        self.name.clone_from(&name);
        self.event(SignalingEvent::Renamed { wanted, name });
    }

    fn listed(&mut self) {
        let users = self.users.names().to_vec();
        if let Some(wanted) = self.wanted.clone()
            && matches!(self.state, State::AwaitList { .. } | State::LoggedIn)
            && users.contains(&wanted)
        {
            self.renamed(wanted);
        }
        if matches!(self.state, State::AwaitList { .. }) && users.contains(&self.name) {
            self.logged_in();
        }
        if self.told_away != self.users.away() {
            self.told_away = self.users.away().to_vec();
            self.event(SignalingEvent::Away(self.told_away.clone()));
        }
        self.event(SignalingEvent::Users(users));
    }

    fn logged_in(&mut self) {
        self.state = State::LoggedIn;
        self.ever_in = true;
        self.attempt = 0;
        let (ice_servers, server, next, push) =
            self.hello.take().map_or((Vec::new(), None, None, None), |h| (h.ice_servers, h.server, h.resume, h.push));
        let knows_tokens = next.is_some();
        let resumed = std::mem::replace(&mut self.token, next).is_some() && knows_tokens;
        self.push_platforms = push.as_ref().map_or_else(Vec::new, |push| push.platforms.clone());
        let name = self.name.clone();
        self.event(SignalingEvent::LoggedIn { name, id: self.id, ice_servers, server, resumed, push });
        self.send_push();
        for name in self.blocked.iter().filter(|_| self.knows_block) {
            self.outputs.push_back(Output::Send(Message::Block(Block { name: name.clone() }).to_json()));
        }
        for message in std::mem::take(&mut self.queue) {
            self.transmit(message);
        }
    }

    fn refused(&mut self, error: ErrorMessage, now: Duration) {
        let logging_in = matches!(self.state, State::AwaitId { .. } | State::AwaitList { .. });
        let name_refused = match error.code {
            ErrorCode::BadName => true,
            ErrorCode::TooLarge | ErrorCode::BadMessage => error.regarding.as_deref() == Some("username"),
            _ => false,
        };
        match (logging_in, error.code) {
            (true, _) if name_refused => self.disconnected(SignalingError::LoginRefused(error.message), now),
            (true, ErrorCode::Unauthorized | ErrorCode::TokenExpired) if !self.ever_in => {
                let expired = error.code == ErrorCode::TokenExpired;
                self.disconnected(SignalingError::TokenRefused { expired, reason: error.message }, now)
            }
            (true, ErrorCode::Unauthorized | ErrorCode::TokenExpired) => {
                self.token_refused = true;
                self.event(SignalingEvent::Refused(error));
            }
            (true, ErrorCode::Full) => {
                self.disconnected(SignalingError::ServerClosed { code: 1013, reason: error.message }, now)
            }
            _ => {
                if error.regarding.as_deref() == Some("username") {
                    // Else somebody else's later login under that name would be taken for ours.
                    self.wanted = None;
                }
                let about_call = !matches!(
                    error.regarding.as_deref(),
                    None | Some("username" | "message" | "push-register" | "push-unregister")
                );
                let about_call = about_call || error.call.is_some();
                self.event(if about_call {
                    SignalingEvent::Call(Message::Error(error))
                } else {
                    SignalingEvent::Refused(error)
                });
            }
        }
    }

    /// Writes our number and name of this moment into a message, since both may have changed while it waited.
    fn transmit(&mut self, mut message: Message) {
        match &mut message {
            Message::Chat(m) => (m.id, m.name) = (self.id, None),
            message => message.set_sender(&self.name),
        }
        self.outputs.push_back(Output::Send(message.to_json()));
    }

    fn malformed(&mut self) {
        self.malformed = self.malformed.saturating_add(1);
        self.event(SignalingEvent::Malformed { total: self.malformed });
    }

    fn event(&mut self, event: SignalingEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// A name that a server gave us: an old one appends a number to what we wanted, so it may be longer than what we may ask for.
pub(super) fn check_given(name: &str) -> Option<String> {
    let fits = (1..=2 * MAX_NAME_CHARS).contains(&name.chars().count());
    (fits && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
