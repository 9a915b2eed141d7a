//! What a mock server does to a connection.

use super::faults::Faults;
use std::time::Duration;

/// How a connection is met, from the door to what is done with its frames. The default lets a WebSocket in and says nothing.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(super) door: Door,
    pub(super) manner: Manner,
    pub(super) faults: Faults,
    pub(super) reads: Reads,
    pub(super) hello: Vec<String>,
}

/// What a client finds when it connects.
#[derive(Debug, Clone)]
pub(super) enum Door {
    /// A WebSocket that names this subprotocol, or none.
    WebSocket(Option<String>),
    /// An HTTP answer with this status instead of an upgrade.
    Http(u16),
    /// These bytes, then the end of the stream.
    Raw(Vec<u8>),
    /// The connection is taken, and that is all.
    Silent,
    /// The connection is taken and reset at once.
    Reset,
}

impl Default for Door {
    fn default() -> Self {
        Self::WebSocket(Some("json".into()))
    }
}

/// Who stands behind the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Manner {
    /// Nobody: only what the test sends is sent.
    #[default]
    Mute,
    /// An old server with all its habits.
    Old,
}

/// How the server reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Reads {
    #[default]
    AtOnce,
    /// With this pause after each frame.
    Slowly(Duration),
    /// Not at all: what a half-open connection looks like from the client's side, pings without an answer included.
    Never,
}

impl Script {
    /// Lets a WebSocket in and says nothing but what the test sends.
    pub fn mute() -> Self {
        Self::default()
    }

    /// An old server: see [`super::MockServer::old_server`].
    pub fn old_server() -> Self {
        Self { manner: Manner::Old, ..Self::default() }
    }

    /// Answers the upgrade without naming a subprotocol.
    pub fn no_subprotocol() -> Self {
        Self { door: Door::WebSocket(None), ..Self::default() }
    }

    /// Answers the upgrade with this subprotocol.
    pub fn subprotocol(name: &str) -> Self {
        Self { door: Door::WebSocket(Some(name.to_owned())), ..Self::default() }
    }

    /// Answers every request with this HTTP status and a short text.
    pub fn http(status: u16) -> Self {
        Self { door: Door::Http(status), ..Self::default() }
    }

    /// Writes these bytes unasked and closes: a server of something else.
    pub fn raw(bytes: &[u8]) -> Self {
        Self { door: Door::Raw(bytes.to_vec()), ..Self::default() }
    }

    /// Takes the TCP connection and never says a word, not even of HTTP.
    pub fn silent() -> Self {
        Self { door: Door::Silent, ..Self::default() }
    }

    /// Takes the TCP connection and resets it.
    pub fn reset() -> Self {
        Self { door: Door::Reset, ..Self::default() }
    }

    /// Sends this frame first thing on each connection; more calls, more frames. `{n}` stands for the connection's number.
    #[must_use]
    pub fn hello(mut self, frame: impl ToString) -> Self {
        self.hello.push(frame.to_string());
        self
    }

    /// Does this to the frames on their way to the client.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Waits this long after each frame that it reads.
    #[must_use]
    pub fn slow_reader(mut self, pause: Duration) -> Self {
        self.reads = Reads::Slowly(pause);
        self
    }

    /// Never reads a frame and answers no ping: see also [`super::Connection::freeze`].
    #[must_use]
    pub fn half_open(mut self) -> Self {
        self.reads = Reads::Never;
        self
    }
}
