//! What a client is made of.

use crate::constraints::VideoConstraints;
use crate::devices::{AudioDevices, Cameras, VideoRenderer};
use chamada::client::ClientConfig;
use chamada::media::video::codec::VideoCodec as CoreCodec;
use chamada::peer::BitrateBounds;
use chamada::signaling::message::IceServer as CoreIceServer;
use std::sync::Arc;
use std::time::Duration;

/// How a client logs in and calls.
#[derive(Clone, uniffi::Record)]
pub struct Config {
    /// The server: `wss://host[:port]/path`; `https`, `http` and a bare `host[:port]` are understood too.
    pub server: String,
    /// The wanted name: 1 to 32 characters.
    pub name: String,
    /// What the camera has to satisfy; the default gets 720p at 30 frames per second of the front camera, or what is nearest.
    #[uniffi(default = None)]
    pub video: Option<VideoConstraints>,
    /// Video codecs to offer, the preferred one first; empty for all that this build has.
    #[uniffi(default = [])]
    pub codecs: Vec<VideoCodec>,
    /// STUN and TURN servers in addition to those that the signaling server names.
    #[uniffi(default = [])]
    pub ice_servers: Vec<IceServer>,
    /// Use relayed paths only, so that the other side does not learn this device's address.
    #[uniffi(default = false)]
    pub relay_only: bool,
    /// Allow an unencrypted connection (`ws://`) to a server on another machine.
    #[uniffi(default = false)]
    pub allow_insecure: bool,
    /// Whether to connect again when the server is lost after the first login.
    #[uniffi(default = true)]
    pub reconnect: bool,
    /// How long a call rings, here or there, before it ends with `TIMEOUT`, in seconds.
    #[uniffi(default = 60)]
    pub ring_seconds: u32,
    /// Most that is sent, in bits per second, sound and video together.
    #[uniffi(default = 2500000)]
    pub max_bitrate: u32,
    /// Says who this is, where the server lets in only who shows a token (JWT); `Client.set_token` takes the next one. Never written to a log.
    #[uniffi(default = None)]
    pub token: Option<String>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("server", &self.server).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether this address is of this machine or of its local network, where `Config.allow_insecure` gives little away and a developer's
/// server has no certificate.
#[uniffi::export]
pub fn is_local_network(address: String) -> bool {
    chamada::signaling::is_local_network(&address)
}

/// A STUN or TURN server (W3C `RTCIceServer`).
#[derive(Clone, uniffi::Record)]
pub struct IceServer {
    /// `stun:host:port` and `turn:host:port` addresses of it.
    pub urls: Vec<String>,
    /// TURN user name.
    #[uniffi(default = None)]
    pub username: Option<String>,
    /// TURN password; never written to a log.
    #[uniffi(default = None)]
    pub credential: Option<String>,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// A video codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum VideoCodec {
    /// RFC 6386.
    Vp8,
    /// H.264 constrained baseline.
    H264,
}

/// The app's devices. All are optional: a client without cameras makes calls with sound only, one without any can still
/// receive.
#[derive(Clone, Default, uniffi::Record)]
pub struct Devices {
    /// Cameras.
    #[uniffi(default = None)]
    pub cameras: Option<Arc<dyn Cameras>>,
    /// Microphone and speaker.
    #[uniffi(default = None)]
    pub audio: Option<Arc<dyn AudioDevices>>,
    /// Shows what the other side sends.
    #[uniffi(default = None)]
    pub remote: Option<Arc<dyn VideoRenderer>>,
    /// Shows what the own camera sees.
    #[uniffi(default = None)]
    pub preview: Option<Arc<dyn VideoRenderer>>,
}

same_cases!(CoreCodec => VideoCodec { Vp8, H264 });
same_cases!(VideoCodec => CoreCodec { Vp8, H264 });
same_fields!(IceServer => CoreIceServer { urls, username, credential });

impl From<Config> for ClientConfig {
    fn from(config: Config) -> Self {
        let mut core = Self::new(config.server, config.name);
        core.signaling.allow_insecure = config.allow_insecure;
        core.signaling.reconnect = config.reconnect;
        core.signaling.token = config.token;
        core.video = config.video.map(Into::into).unwrap_or_default();
        core.codecs = config.codecs.into_iter().map(Into::into).collect();
        core.ice_servers = config.ice_servers.into_iter().map(Into::into).collect();
        core.relay_only = config.relay_only;
        core.ring_timeout = Duration::from_secs(config.ring_seconds.into());
        core.bitrate = bounds(config.max_bitrate);
        core
    }
}

/// The usual bounds with another upper one, which the others then keep to.
fn bounds(max: u32) -> BitrateBounds {
    let usual = BitrateBounds::default();
    BitrateBounds { start: usual.start.min(max), min: usual.min.min(max), max }
}
