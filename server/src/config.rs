use crate::push::PushConfig;
use chamada::signaling::message::{DEFAULT_PORT, IceServer};
use serde::Deserialize;
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where to listen for the operator: `/metrics`, `/readyz` and `/healthz`.
    pub metrics: Option<SocketAddr>,
    /// How long calls that go on keep their signaling at the end; everybody else is sent away at once.
    pub drain: Duration,
    /// Certificate and key, for `https` and `wss`; none speaks plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Origins (RFC 6454, e.g. `https://call.example`) whose pages may connect, or `*` for all; empty allows those of the host that the request
    /// is for. A client that names no origin is no browser page and is always let in.
    pub allowed_origins: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Certificates (PEM) of authorities that push services and who publishes keys may have beside those that the system trusts.
    pub authorities: Option<PathBuf>,
    /// Who may come in; none lets everybody in, under any name that is free.
    pub auth: Option<AuthConfig>,
    /// How devices that are not connected are rung; none rings none. Needs `auth`.
    pub push: Option<PushConfig>,
    /// How long somebody whose token has expired has time to show another one.
    pub token_grace: Duration,
    /// TURN servers, with credentials made for each client; where tokens are needed, only who has shown one gets them.
    pub turn: Option<TurnConfig>,
    /// The other nodes of the same service; none if this server is alone.
    pub cluster: Option<ClusterConfig>,
    /// STUN and TURN servers told to every client.
    pub ice_servers: Vec<IceServer>,
    /// What one client, and all of them, may use.
    pub limits: Limits,
    /// Pause before each ping to a client; counted from the end of the wait for the sign of life that the last one called for.
    pub ping_interval: Duration,
    /// How long after a ping a client may stay silent before it counts as lost.
    pub ping_timeout: Duration,
    /// How long a client may take nothing of what it is sent before it counts as lost.
    pub write_timeout: Duration,
    /// How long a request's head may take, and how long a connection may wait for the next request.
    pub request_timeout: Duration,
    /// How long a connection may stay without a name.
    pub login_timeout: Duration,
    /// How long a lost client keeps its name and place; a week at most.
    pub resume_grace: Duration,
    /// How long that of a page keeps them which is being loaded anew, and whose peer is hung up when it does not come back.
    pub reload_grace: Duration,
    /// Least time between two user lists.
    pub userlist_interval: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)),
            metrics: None,
            drain: Duration::ZERO,
            tls: None,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            authorities: None,
            auth: None,
            push: None,
            token_grace: Duration::from_secs(60),
            turn: None,
            cluster: None,
            ice_servers: Vec::new(),
            limits: Limits::default(),
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(10),
            resume_grace: Duration::from_secs(30),
            reload_grace: Duration::from_secs(5),
            userlist_interval: Duration::from_millis(50),
        }
    }
}

/// Lets in only who shows a token: a JWT (RFC 7519) with the claims `sub`, `name` and `exp`.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// What tokens are checked with.
    pub keys: AuthKeys,
    /// The claim `aud` that every token must have; without it a token with one is for somebody else.
    pub audience: Option<String>,
    /// The claim `iss` that every token must have.
    pub issuer: Option<String>,
}

/// Where keys are; files are read again when they change.
#[derive(Debug, Clone)]
pub enum AuthKeys {
    /// One secret of at least 32 bytes a line, for HS256; the first one signs.
    Secret(PathBuf),
    /// A JWK Set (RFC 7517) with public keys for RS256, ES256 or EdDSA.
    Jwks(PathBuf),
    /// The URL of a JWK Set: `https`, or `http` on this machine. It is fetched again every five minutes, and when a token names a key that is not
    /// among those of the last time.
    JwksUrl(String),
}

impl AuthKeys {
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Secret(file) | Self::Jwks(file) => Some(file),
            Self::JwksUrl(_) => None,
        }
    }
}

/// Files in PEM (RFC 7468); they are read again when they change.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// The certificate, and those up to the one that clients know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// TURN servers that share a secret with this one, as coturn does with `use-auth-secret`.
#[derive(Debug, Clone)]
pub struct TurnConfig {
    /// The file with the secret; it is read again when it changes.
    pub secret: PathBuf,
    /// `turn:host:port` and `turns:host:port`, with `?transport=` where that matters (RFC 7065).
    pub urls: Vec<String>,
    /// How long credentials are good, a minute at least; clients get new ones after half of that.
    pub lifetime: Duration,
}

/// How this server joins others to one service.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// NATS servers, with JetStream: `nats://[USER:PASSWORD@]HOST[:PORT]` or `tls://…`. One of them is enough to find the others of theirs.
    pub servers: Vec<String>,
    /// How many of them keep what the nodes share: 1 to 5, and no more than there are.
    pub replicas: usize,
}

/// Bounds on what clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Sustained messages per second of one client.
    pub messages_per_second: u32,
    /// Messages that one client may send at once after a pause: candidates come in bursts.
    pub burst: u32,
    /// Sustained bytes per second of one client; who sends more is read more slowly.
    pub bytes_per_second: u32,
    /// Bytes that one client may send at once after a pause.
    pub bytes_burst: u32,
    /// Changes of name, and lists asked for, per minute of one client.
    pub renames_per_minute: u32,
    /// The same, at once after a pause.
    pub renames_burst: u32,
    /// Public lines per second of one client.
    pub lines_per_second: u32,
    /// Public lines at once after a pause.
    pub lines_burst: u32,
    /// Bytes per second that the server sends for one client's public lines: each costs its length times the people there.
    pub fan_out_per_second: u32,
    /// The same, at once after a pause.
    pub fan_out_burst: u32,
    /// Bytes per second of all user lists together, and the same of all `userlist-delta`s, each with 256 bytes more for the work; fewer are sent
    /// if there are more people. The lists that newcomers get do not count.
    pub list_bytes_per_second: u32,
    /// Refused messages without a full recovery in between after which the client is disconnected.
    pub strikes: u32,
    /// Connections at a time.
    pub connections: usize,
    /// Rooms at a time, beside that of clients which know of none.
    pub rooms: usize,
    /// People in one room; all their names have to fit into one frame, too.
    pub people_per_room: usize,
    /// Connections at a time of one address; a network of IPv6 with 64 bits counts as one, and this machine itself has no such limit.
    pub connections_per_address: usize,
    /// Logins per minute of one address.
    pub logins_per_minute: u32,
    /// Logins of one address at once after a pause.
    pub logins_burst: u32,
    /// Lost clients whose place is kept; beyond that one of the address that has most of them is forgotten.
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
            bytes_per_second: 64 * 1024,
            bytes_burst: 256 * 1024,
            renames_per_minute: 12,
            renames_burst: 5,
            lines_per_second: 4,
            lines_burst: 20,
            fan_out_per_second: 256 * 1024,
            fan_out_burst: 1024 * 1024,
            list_bytes_per_second: 4 * 1024 * 1024,
            strikes: 400,
            connections: 2_000,
            rooms: 1_000,
            people_per_room: 2_000,
            connections_per_address: 100,
            logins_per_minute: 60,
            logins_burst: 60,
            lost_sessions: 500,
            queue_frames: 512,
            queue_bytes: 1024 * 1024,
        }
    }
}
