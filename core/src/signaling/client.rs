//! The signaling client: one task that owns the socket and drives the [`Session`].
//!
//! Events go through a bounded channel. While it is full the task does not read its socket, so a server that floods us meets TCP's flow control
//! and not our memory; an app must keep reading its events.

use super::clock::Clock;
use super::custom::CustomSession;
use super::custom::SignalingTransport;
use super::custom::task::CustomDriver;
use super::error::SignalingError;
use super::events::Events;
use super::message::{Chat, Message, PushRegister};
use super::session::{self, Output, Session, SignalingEvent};
use super::transport::{self, Socket};
use crate::net::ConnectConfig;
use crate::outage::Outage;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use url::Url;

const COMMANDS: usize = 128;
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one attempt to connect may take while there is hurry: TCP sends its first packet after 0, 1 and 3 seconds, so that a
/// longer one would not find a network sooner that has come back.
const HURRIED_CONNECT: Duration = Duration::from_secs(4);

/// Where to log in and how.
#[derive(Clone)]
pub struct SignalingConfig {
    /// `wss://host[:port]/path`; `https`, `http` and a bare `host[:port]` are understood too.
    pub url: String,
    /// The wanted name: 1 to 32 characters after trimming.
    pub name: String,
    /// Says who we are, where the server wants to know: a JWT (RFC 7519). When it has expired, [`SignalingEvent::Refused`] has
    /// [`ErrorCode::TokenExpired`](super::message::ErrorCode::TokenExpired), and [`SignalingClient::set_token`] takes the next one.
    pub token: Option<String>,
    /// Names this installation, the same at each login: 1 to 64 printable ASCII characters, chosen at random once. Only with it the server
    /// can ring this device by push.
    pub device: Option<String>,
    /// Allow `ws://` to another machine. Off by default.
    pub allow_insecure: bool,
    /// Whom TLS trusts, and by way of which proxy to connect.
    pub connect: ConnectConfig,
    /// How long to wait for TCP, TLS and the opening handshake together.
    pub connect_timeout: Duration,
    /// Whether to connect again when the connection is lost after the first login.
    pub reconnect: bool,
    /// While it is on, there is no connection to the server and none can be made.
    pub outage: Outage,
    /// Carries the messages of calls in place of a connection of ours, to the app's own server. Then [`SignalingConfig::url`] only says whether that
    /// server is on this machine and may be empty, and token, device, `connect`, `reconnect` and `outage` have no meaning.
    pub transport: Option<Arc<dyn SignalingTransport>>,
}

impl std::fmt::Debug for SignalingConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("SignalingConfig").field("url", &self.url).field("token", &token).finish_non_exhaustive()
    }
}

impl SignalingConfig {
    /// Whether the server is on this machine, so that the other peer may be on it, too.
    pub(crate) fn is_local(&self) -> bool {
        transport::is_loopback_address(&self.url)
    }
}

impl Default for SignalingConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: String::new(),
            token: None,
            device: None,
            allow_insecure: false,
            connect: ConnectConfig::default(),
            connect_timeout: Duration::from_secs(10),
            reconnect: true,
            outage: Outage::default(),
            transport: None,
        }
    }
}

pub(super) enum Command {
    Send(Message),
    Rename(String),
    SetBlocked(String, bool),
    SetToken(String),
    SetPush(Option<PushRegister>),
    ReconnectNow,
    Probe,
    Hurry(bool),
    Logout,
}

/// A login at a signaling server that is kept up until [`SignalingClient::logout`] or until this is dropped.
pub struct SignalingClient {
    commands: mpsc::Sender<Command>,
    name: Arc<Mutex<String>>,
    leaving: Arc<Notify>,
    task: JoinHandle<()>,
    /// The app's own transport carries the messages of calls and nothing else.
    calls_alone: bool,
}

impl SignalingClient {
    /// Connects and logs in. The events until then, [`SignalingEvent::LoggedIn`] included, are in `events` when this returns, as far as they fit.
    ///
    /// # Errors
    /// What kept us from logging in; nothing is tried again before the first login.
    pub async fn connect(
        config: SignalingConfig,
        events: mpsc::Sender<SignalingEvent>,
    ) -> Result<Self, SignalingError> {
        if let Some(transport) = config.transport.clone() {
            return Self::connect_by(transport, &config, events).await;
        }
        let url = transport::resolve(&config.url, config.allow_insecure)?;
        let session = Session::new(&config.name, config.reconnect, Box::new(rand::random::<f64>))?
            .with_token(config.token)
            .with_device(config.device);
        let name = Arc::new(Mutex::new(session.name().to_owned()));
        let socket = transport::open(&url, &config.connect, config.connect_timeout, &config.outage).await?;
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let (ready, logged_in) = oneshot::channel();
        let leaving = Arc::new(Notify::new());
        let driver = Driver {
            session,
            url,
            connect: config.connect,
            connect_timeout: config.connect_timeout,
            outage: config.outage,
            clock: Clock::start(),
            socket: None,
            connect_at: None,
            events: Events::new(events, ready, leaving.clone()),
            name: name.clone(),
        };
        let task = tokio::spawn(driver.run(socket, receiver));
        let client = Self { commands, name, leaving, task, calls_alone: false };
        // If this future is dropped, so is the client, and its task ends.
        logged_in.await.unwrap_or(Err(SignalingError::NotConnected))?;
        Ok(client)
    }

    /// The same over the app's own transport.
    async fn connect_by(
        transport: Arc<dyn SignalingTransport>,
        config: &SignalingConfig,
        events: mpsc::Sender<SignalingEvent>,
    ) -> Result<Self, SignalingError> {
        let session = CustomSession::new(&config.name)?;
        let name = Arc::new(Mutex::new(session.name().to_owned()));
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let (ready, opened) = oneshot::channel();
        let leaving = Arc::new(Notify::new());
        let driver = CustomDriver::open(session, transport, Events::new(events, ready, leaving.clone()));
        let client = Self { commands, name, leaving, task: tokio::spawn(driver.run(receiver)), calls_alone: true };
        let opened = timeout(config.connect_timeout, opened).await.map_err(|_| SignalingError::TimedOut)?;
        opened.unwrap_or(Err(SignalingError::NotConnected))?;
        Ok(client)
    }

    /// Sends a chat line or a message of a call; while the connection is down the last 64 wait for it.
    ///
    /// # Errors
    /// [`SignalingError::NotSendable`], [`SignalingError::BadText`], [`SignalingError::TooLarge`], [`SignalingError::QueueFull`] or
    /// [`SignalingError::NotConnected`].
    pub fn send(&self, message: Message) -> Result<(), SignalingError> {
        session::check_message(&message)?;
        self.command(Command::Send(message))
    }

    /// Says something to everyone: 1 to 256 characters.
    ///
    /// # Errors
    /// Those of [`SignalingClient::send`].
    pub fn chat(&self, text: &str) -> Result<(), SignalingError> {
        self.at_a_chamada_server("message")?;
        self.send(Message::Chat(Chat { text: text.to_owned(), id: 0, date: unix_millis(), name: None }))
    }

    /// Asks for another name; [`SignalingEvent::Renamed`] tells what came of it.
    ///
    /// # Errors
    /// [`SignalingError::BadName`], [`SignalingError::QueueFull`] or [`SignalingError::NotConnected`].
    pub fn rename(&self, name: &str) -> Result<(), SignalingError> {
        self.at_a_chamada_server("username")?;
        self.command(Command::Rename(session::check_name(name)?))
    }

    /// Drops offers and chat lines under this name from now on; also after a lost connection.
    ///
    /// # Errors
    /// [`SignalingError::BadName`], [`SignalingError::QueueFull`] or [`SignalingError::NotConnected`].
    pub fn block(&self, name: &str) -> Result<(), SignalingError> {
        self.command(Command::SetBlocked(session::check_name(name)?, true))
    }

    /// Takes [`SignalingClient::block`] back.
    ///
    /// # Errors
    /// As there.
    pub fn unblock(&self, name: &str) -> Result<(), SignalingError> {
        self.command(Command::SetBlocked(session::check_name(name)?, false))
    }

    /// Shows this token from now on, and at once if we are logged in.
    ///
    /// # Errors
    /// [`SignalingError::QueueFull`] or [`SignalingError::NotConnected`].
    pub fn set_token(&self, token: String) -> Result<(), SignalingError> {
        self.at_a_chamada_server("token")?;
        self.command(Command::SetToken(token))
    }

    /// Has the server ring this device by push while it is not connected, from now on and after each login; `None` takes it back.
    /// [`SignalingEvent::PushRegistered`] tells what came of it, [`SignalingEvent::Refused`] what is wrong with it. A server that sends no
    /// pushes of that kind hears nothing of it.
    ///
    /// # Errors
    /// [`SignalingError::QueueFull`] or [`SignalingError::NotConnected`].
    pub fn set_push(&self, register: Option<PushRegister>) -> Result<(), SignalingError> {
        self.at_a_chamada_server("push-register")?;
        self.command(Command::SetPush(register))
    }

    /// The name we have at the moment.
    pub fn name(&self) -> String {
        self.name.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The network changed: connect again at once.
    pub fn reconnect_now(&self) {
        // A full queue means that the task is stuck on its socket or its reader: its own time-outs see to that.
        let _ = self.command(Command::ReconnectNow);
    }

    /// Looks at once whether the server is still there: [`session::PROBE_TIMEOUT`] after the ping that has no answer the connection counts as
    /// lost. While there is none, the next attempt begins now.
    pub fn probe(&self) {
        // As above.
        let _ = self.command(Command::Probe);
    }

    /// Whether a call waits for the server: see [`Session::set_hurry`].
    pub fn set_hurry(&self, hurry: bool) {
        // Without it the connection only takes longer to come back.
        let _ = self.command(Command::Hurry(hurry));
    }

    /// Sends what was to be sent before and closes the connection with code 1000; takes a few seconds at most.
    ///
    /// Events that the app has no room for are dropped from here on, be it the last one, [`SignalingEvent::Closed`]: then the end of the
    /// channel tells it.
    pub async fn logout(mut self) {
        self.leaving.notify_one();
        let asked = timeout(CLOSE_TIMEOUT, self.commands.send(Command::Logout)).await;
        if !matches!(asked, Ok(Ok(()))) || timeout(CLOSE_TIMEOUT * 2, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }

    fn at_a_chamada_server(&self, what: &'static str) -> Result<(), SignalingError> {
        if self.calls_alone { Err(SignalingError::NotCarried(what)) } else { Ok(()) }
    }

    fn command(&self, command: Command) -> Result<(), SignalingError> {
        self.commands.try_send(command).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => SignalingError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => SignalingError::NotConnected,
        })
    }
}

impl Drop for SignalingClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

struct Driver {
    session: Session,
    url: Url,
    connect: ConnectConfig,
    connect_timeout: Duration,
    outage: Outage,
    clock: Clock,
    socket: Option<Socket>,
    connect_at: Option<Duration>,
    events: Events,
    name: Arc<Mutex<String>>,
}

/// What woke the task.
enum Wake {
    Frame(Option<Result<Frame, tokio_tungstenite::tungstenite::Error>>),
    Command(Option<Command>),
    Opened(Result<Box<Socket>, SignalingError>),
    Outage,
    Timeout,
}

impl Driver {
    fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    async fn run(mut self, socket: Socket, mut commands: mpsc::Receiver<Command>) {
        self.socket = Some(socket);
        self.session.connected(self.now());
        while self.carry_out().await {
            let wake = self.wait(&mut commands).await;
            let now = self.now();
            match wake {
                Wake::Frame(frame) => self.frame(frame, now),
                Wake::Command(Some(Command::Send(message))) => {
                    // The device may have slept: a message is better kept than given to a connection that is gone.
                    self.session.timeout(now);
                    self.session.send(message);
                }
                Wake::Command(Some(Command::Rename(name))) => self.session.rename(name, unix_millis()),
                Wake::Command(Some(Command::SetBlocked(name, block))) => self.session.set_blocked(name, block),
                Wake::Command(Some(Command::SetToken(token))) => self.session.set_token(token, now, unix_millis()),
                Wake::Command(Some(Command::SetPush(register))) => self.session.set_push(register),
                Wake::Command(Some(Command::Probe)) => self.session.probe(now),
                Wake::Command(Some(Command::Hurry(hurry))) => self.session.set_hurry(hurry, now),
                Wake::Command(Some(Command::ReconnectNow)) => self.session.reconnect_now(now),
                Wake::Command(Some(Command::Logout) | None) => self.session.logout(),
                Wake::Opened(Ok(socket)) => {
                    self.connect_at = None;
                    self.socket = Some(*socket);
                    self.session.connected(now);
                }
                Wake::Opened(Err(why)) => {
                    self.connect_at = None;
                    self.session.disconnected(why, now);
                }
                Wake::Outage => self.session.disconnected(transport::vanished(), now),
                Wake::Timeout => self.session.timeout(now),
            }
        }
    }

    async fn wait(&mut self, commands: &mut mpsc::Receiver<Command>) -> Wake {
        let wake_at = self.session.next_timeout().map(|at| self.clock.instant(at));
        let connect_at = self.connect_at.map(|at| self.clock.instant(at));
        let hurried = self.session.is_hurried();
        let connect_timeout = if hurried { self.connect_timeout.min(HURRIED_CONNECT) } else { self.connect_timeout };
        let (url, connect, outage) = (&self.url, &self.connect, &self.outage);
        let clock = &self.clock;
        let opening = async {
            match connect_at {
                Some(at) => {
                    sleep_until(at).await;
                    transport::open(url, connect, connect_timeout, outage).await.map(Box::new)
                }
                None => std::future::pending().await,
            }
        };
        tokio::pin!(opening);
        let connected = self.socket.is_some();
        let socket = &mut self.socket;
        let session = &mut self.session;
        loop {
            let wake = tokio::select! {
                frame = async { match socket { Some(s) => s.next().await, None => std::future::pending().await } } => Wake::Frame(frame),
                command = commands.recv() => Wake::Command(command),
                () = outage.begun(), if connected => Wake::Outage,
                opened = &mut opening => Wake::Opened(opened),
                () = async { match wake_at { Some(at) => sleep_until(at).await, None => std::future::pending().await } } => Wake::Timeout,
            };
            match wake {
                // Kept here while down, so that a message to send does not start the attempt to connect anew.
                Wake::Command(Some(Command::Send(message))) if connect_at.is_some() => session.send(message),
                Wake::Command(Some(Command::Rename(name))) if connect_at.is_some() => {
                    session.rename(name, unix_millis())
                }
                Wake::Command(Some(Command::SetToken(token))) if connect_at.is_some() => {
                    session.set_token(token, clock.elapsed(), unix_millis());
                }
                // An attempt that has begun is not given up for it.
                Wake::Command(Some(Command::Hurry(hurry))) if connect_at.is_some_and(|at| at <= Instant::now()) => {
                    session.set_hurry(hurry, clock.elapsed());
                }
                wake => return wake,
            }
        }
    }

    fn frame(&mut self, frame: Option<Result<Frame, tokio_tungstenite::tungstenite::Error>>, now: Duration) {
        match frame {
            Some(Ok(Frame::Text(text))) => self.session.frame(text.as_str(), now, unix_millis()),
            // The protocol has no binary frames: as text that is no JSON it is counted as malformed.
            Some(Ok(Frame::Binary(_))) => self.session.frame("", now, unix_millis()),
            Some(Ok(Frame::Close(close))) => {
                let (code, reason) =
                    close.map_or((1005, String::new()), |c| (c.code.into(), c.reason.as_str().to_owned()));
                self.session.disconnected(SignalingError::ServerClosed { code, reason }, now);
            }
            Some(Ok(_)) => self.session.heard(now),
            Some(Err(e)) => self.session.disconnected(transport::broken(&e), now),
            None => self.session.disconnected(transport::vanished(), now),
        }
    }

    /// Does what the session wants; false when it is over.
    async fn carry_out(&mut self) -> bool {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(text) => {
                    if let Err(why) = self.write(Frame::text(text.clone())).await {
                        self.session.not_sent(text);
                        self.lost(why);
                    }
                }
                Output::Ping => {
                    if let Err(why) = self.write(Frame::Ping(Default::default())).await {
                        self.lost(why);
                    }
                }
                Output::Disconnect => self.drop_socket(),
                Output::Close => self.close().await,
                Output::ConnectAt(at) => self.connect_at = Some(at),
                Output::Event(event) => {
                    if !self.tell(event).await {
                        self.close().await;
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Passes an event on; false after the last one, or when nobody listens any more.
    async fn tell(&mut self, event: SignalingEvent) -> bool {
        self.name.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.session.name().to_owned());
        self.events.tell(event).await
    }

    async fn write(&mut self, frame: Frame) -> Result<(), SignalingError> {
        let Some(socket) = &mut self.socket else { return Err(transport::vanished()) };
        match timeout(WRITE_TIMEOUT, socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(transport::broken(&e)),
            Err(_) => Err(SignalingError::Silent),
        }
    }

    fn lost(&mut self, why: SignalingError) {
        let now = self.now();
        self.session.disconnected(why, now);
    }

    /// Leaves without a close frame of ours, but not without the reply to the server's (RFC 6455 section 5.5.1).
    fn drop_socket(&mut self) {
        if let Some(mut socket) = self.socket.take() {
            // As far as it goes without waiting.
            let _ = socket.flush().now_or_never();
        }
    }

    async fn close(&mut self) {
        let Some(mut socket) = self.socket.take() else { return };
        let bye = CloseFrame { code: CloseCode::Normal, reason: Default::default() };
        let closing = async {
            socket.close(Some(bye)).await?;
            // Bytes that nobody has read would turn the end into a reset, which can overtake our close frame: read up to the reply.
            while !socket.next().await.transpose()?.is_none_or(|frame| frame.is_close()) {}
            Ok::<(), tokio_tungstenite::tungstenite::Error>(())
        };
        // Bounded, and a failure is of no interest: the connection goes either way.
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }
}
