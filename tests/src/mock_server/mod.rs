//! A signaling server that does what a test tells it to, over real sockets, and whose every event can be awaited.
//!
//! ```no_run
//! # use chamada_tests::mock_server::{Faults, MockServer, Script};
//! # async fn example() {
//! let server = MockServer::start(Script::mute().hello(r#"{"type":"id","id":7}"#)).await;
//! // … a client connects to server.url() …
//! let connection = server.connection(1).await;
//! assert_eq!(connection.received("username").await["name"], "ana");
//! connection.send(r#"{"type":"userlist","users":["ana"]}"#);
//! connection.reset();
//!
//! // An old server on which every message of a call takes a rough way.
//! let faults = Faults::seeded(1).duplicate(0.3).reorder(4).only(&["new-ice-candidate"]);
//! let old = MockServer::start(Script::old_server().faults(faults)).await;
//! # }
//! ```
//!
//! What each connection meets is its [`Script`]; what happens to frames on their way to a client is its [`Faults`]; the rest is done by
//! hand on a [`Connection`]. Waits end with a panic that tells what was seen when nothing comes within [`PATIENCE`].

mod bad;
mod connection;
mod faults;
mod line;
mod old;
mod record;
mod script;

pub use bad::{huge_frame, malformed_frames};
pub use connection::Connection;
pub use faults::Faults;
pub use script::Script;

use record::{Record, State};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

/// How long anything may take before a test fails: a bound of failure, not a pace.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A mock server. Dropping it ends all connections.
pub struct MockServer {
    address: SocketAddr,
    record: Arc<Record>,
    /// Bound and never listening: nobody else gets the port while the server is away.
    _port: TcpSocket,
    listening: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl MockServer {
    /// Listens on a free port of the loopback interface and meets each connection with this script.
    pub async fn start(script: Script) -> Self {
        let port = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = match port.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("no free port: {error}"),
        };
        let record = Arc::new(Record::new(script));
        let server = Self { address, record, _port: port, listening: std::sync::Mutex::default() };
        server.start_again();
        server
    }

    /// An old server with its habits: `null` in the user list for who has no name yet; the list goes to everyone, at once and each time; a
    /// chat line gets the name of the session whose `id` it claims; complete tags are removed from it and nothing else is; a taken name, one's
    /// own included, gets a number from 1; a message with a target goes there as it is, with the name that it claims or none; one without goes
    /// to everyone, its sender too, whatever its type; there are no errors, tokens or limits.
    pub async fn old_server() -> Self {
        Self::start(Script::old_server()).await
    }

    /// Its WebSocket URL.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Meets later connections with this script.
    pub fn set_script(&self, script: Script) {
        self.record.change(|state| state.script = script);
    }

    /// Meets one later connection with this script; those given before come first.
    pub fn next_script(&self, script: Script) {
        self.record.change(|state| state.next_scripts.push_back(script));
    }

    /// Waits until so many TCP connections have come since the start, refused ones included.
    pub async fn attempts(&self, count: usize) {
        self.record.wait(&format!("{count} attempts"), |state| (state.lines.len() >= count).then_some(())).await;
    }

    /// Waits until so many WebSockets have been opened since the start.
    pub async fn connections(&self, count: usize) {
        self.record.wait(&format!("{count} connections"), |state| (state.opened.len() >= count).then_some(())).await;
    }

    /// Waits for the WebSocket that is opened as number `nth` since the start, from 1.
    pub async fn connection(&self, nth: usize) -> Connection {
        let what = format!("connection {nth}");
        let line = self.record.wait(&what, |state| state.opened.get(nth.saturating_sub(1)).copied()).await;
        Connection::new(self.record.clone(), line)
    }

    /// Waits for the next frame of this type that anybody sends and nobody has been given yet.
    pub async fn received(&self, kind: &str) -> Value {
        self.record.wait(kind, |state| state.take(None, Some(kind))).await
    }

    /// All readable frames so far in the order in which they came, taken or not.
    pub fn frames(&self) -> Vec<Value> {
        self.record.look(|state| state.frames.iter().map(|frame| frame.value.clone()).collect())
    }

    /// Sends a frame to everyone.
    pub fn send(&self, frame: impl ToString) {
        let frame = frame.to_string();
        self.record.look(|state| state.tell_everyone(&frame));
    }

    /// Who has a name at an old server.
    pub fn users(&self) -> Vec<String> {
        self.record.look(|state| state.old.names().flatten().collect())
    }

    /// Ends all connections without a word and refuses new ones, until [`MockServer::start_again`]. An old server forgets everyone.
    pub async fn stop(&self) {
        let listening = self.listening.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(listening) = listening {
            listening.abort();
            // Cancelled, which is what was asked for; its sockets are closed by then.
            let _ = listening.await;
        }
        self.record.change(State::forget_lines);
    }

    /// Listens on the same port again.
    pub fn start_again(&self) {
        let listener = match socket(self.address).listen(128) {
            Ok(listener) => listener,
            Err(error) => panic!("cannot listen on {}: {error}", self.address),
        };
        let task = tokio::spawn(listen(listener, self.record.clone()));
        let before = self.listening.lock().unwrap_or_else(std::sync::PoisonError::into_inner).replace(task);
        assert!(before.is_none(), "it listens already");
    }

    /// Goes away and comes back on the same port.
    pub async fn restart(&self) {
        self.stop().await;
        self.start_again();
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            listening.abort();
        }
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let bound = TcpSocket::new_v4().and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    match bound {
        Ok(socket) => socket,
        Err(error) => panic!("cannot bind {address}: {error}"),
    }
}

async fn listen(listener: TcpListener, record: Arc<Record>) {
    // Its drop ends the connections.
    let mut lines = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    lines.spawn(line::run(tcp, record.clone()));
                }
                Err(error) => panic!("cannot accept: {error}"),
            },
            Some(ended) = lines.join_next() => {
                if let Err(error) = ended {
                    panic!("a connection's task failed: {error}");
                }
            }
        }
    }
}
