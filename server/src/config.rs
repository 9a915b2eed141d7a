use chamada::signaling::message::{DEFAULT_PORT, IceServer};
use std::{net::SocketAddr, time::Duration};

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Origins (RFC 6454, e.g. `https://call.example`) whose pages may connect; empty allows all. A client that names no
    /// origin is no browser page and is always let in.
    pub allowed_origins: Vec<String>,
    /// STUN and TURN servers told to every client.
    pub ice_servers: Vec<IceServer>,
    /// What one client, and all of them, may use.
    pub limits: Limits,
    /// Pause before each ping to a client; counted from the end of the wait for the sign of life that the last one called for.
    pub ping_interval: Duration,
    /// How long after a ping a client may stay silent before it counts as lost.
    pub ping_timeout: Duration,
    /// How long a connection may stay without a name.
    pub login_timeout: Duration,
    /// How long a lost client keeps its name and place; a week at most.
    pub resume_grace: Duration,
    /// Least time between two user lists.
    pub userlist_interval: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)),
            allowed_origins: Vec::new(),
            ice_servers: Vec::new(),
            limits: Limits::default(),
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(30),
            resume_grace: Duration::from_secs(30),
            userlist_interval: Duration::from_millis(50),
        }
    }
}

/// Bounds on what clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sustained messages per second of one client.
    pub messages_per_second: u32,
    /// Messages that one client may send at once after a pause: candidates come in bursts.
    pub burst: u32,
    /// Refused messages without a full recovery in between after which the client is disconnected.
    pub strikes: u32,
    /// Connections at a time.
    pub connections: usize,
    /// Lost clients whose place is kept; beyond that the one lost first is forgotten.
    pub lost_sessions: usize,
    /// Frames that may wait for one client.
    pub queue_frames: usize,
    /// Bytes that may wait for one client.
    pub queue_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            messages_per_second: 50,
            burst: 200,
            strikes: 400,
            connections: 2_000,
            lost_sessions: 500,
            queue_frames: 512,
            queue_bytes: 1024 * 1024,
        }
    }
}
