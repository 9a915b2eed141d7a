//! What a client is made of.

use crate::constraints::VideoConstraints;
use crate::devices::{AudioDevices, Cameras, VideoRenderer};
use crate::error::ChamadaError;
use crate::signaling::{SignalingTransport, TransportAdapter};
use crate::verification::RememberedPerson;
use chamada::client::ClientConfig;
use chamada::media::video::codec::VideoCodec as CoreCodec;
use chamada::net::BadProxy;
use chamada::peer::BitrateBounds;
use chamada::roots::RootCertificates;
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
    /// Certificate authorities in PEM form that are trusted besides the system's: for the server and for TURN over TLS.
    #[uniffi(default = None)]
    pub extra_roots: Option<String>,
    /// `http://[user:password@]host[:port]`: an HTTP proxy by way of which the server and TURN over TCP and TLS are reached.
    #[uniffi(default = None)]
    pub proxy: Option<String>,
    /// Most that is sent, in bits per second, sound and video together.
    #[uniffi(default = 2500000)]
    pub max_bitrate: u32,
    /// Says who this is, where the server lets in only who shows a token (JWT); `Client.set_token` takes the next one. Never written to a log.
    #[uniffi(default = None)]
    pub token: Option<String>,
    /// Names this installation, so that the server can ring it by push: 1 to 64 printable ASCII characters, made at random once and kept.
    #[uniffi(default = None)]
    pub device: Option<String>,
    /// The people whose devices were checked, as `Event.Remember` told them.
    #[uniffi(default = [])]
    pub remembered: Vec<RememberedPerson>,
    /// Private text is sent and taken: for apps that show `Event.Text`. The other side sees whether it is.
    #[uniffi(default = false)]
    pub texts: bool,
    /// Files are sent and taken: for apps that answer `FileEvent.Offered`. The other side sees whether they are.
    #[uniffi(default = false)]
    pub files: bool,
    /// Somebody who calls during a call is told of (`Event.CallWaiting`) and not refused as busy, and somebody can be called while a call is on
    /// hold: for apps that have a place for a second call.
    #[uniffi(default = false)]
    pub call_waiting: bool,
    /// Carries the messages of calls to the app's own server, in place of a connection to a Chamada server. `server` only says then whether the
    /// app's is on this machine and may be empty; there is no user list, no chat, no renaming and no push, and `allow_insecure`, `reconnect`, `token` and
    /// `device` have no meaning.
    #[uniffi(default = None)]
    pub signaling: Option<Arc<dyn SignalingTransport>>,
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
    /// Its addresses: `stun:host:port`, `turn:host:port` with `?transport=udp` or `tcp`, `turns:host:port` for TLS.
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

impl TryFrom<Config> for ClientConfig {
    type Error = ChamadaError;

    /// `INVALID_ARGUMENT` for certificates that cannot be read, an address that is no proxy's, and secrets that are none.
    fn try_from(config: Config) -> Result<Self, ChamadaError> {
        let mut core = Self::new(config.server, config.name);
        if let Some(pem) = config.extra_roots {
            core.signaling.connect.extra_roots =
                RootCertificates::from_pem(pem.as_bytes()).map_err(ChamadaError::invalid)?;
        }
        if let Some(proxy) = config.proxy {
            core.signaling.connect.proxy = Some(proxy.parse().map_err(|error: BadProxy| ChamadaError::invalid(error))?);
        }
        core.signaling.allow_insecure = config.allow_insecure;
        core.signaling.reconnect = config.reconnect;
        core.signaling.token = config.token;
        core.signaling.device = config.device;
        core.video = config.video.map(Into::into).unwrap_or_default();
        core.codecs = config.codecs.into_iter().map(Into::into).collect();
        core.ice_servers = config.ice_servers.into_iter().map(Into::into).collect();
        core.relay_only = config.relay_only;
        (core.texts, core.files, core.call_waiting) = (config.texts, config.files, config.call_waiting);
        core.ring_timeout = Duration::from_secs(config.ring_seconds.into());
        core.bitrate = BitrateBounds::up_to(config.max_bitrate);
        core.signaling.transport = config.signaling.map(|app| Arc::new(TransportAdapter(app)) as Arc<_>);
        core.remembered = config.remembered.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::tests::support;

    #[test]
    fn certificates_a_proxy_and_secrets_that_are_none_are_refused_before_anything_is_sent() {
        let short = RememberedPerson { name: "rui".into(), secrets: vec![vec![7; 31]] };
        let wrong = [
            Config { extra_roots: Some("no certificate".into()), ..support::config("ws://localhost:1", "ana") },
            Config { proxy: Some("socks5://proxy.example".into()), ..support::config("ws://localhost:1", "ana") },
            Config { remembered: vec![short], ..support::config("ws://localhost:1", "ana") },
        ];
        for config in wrong {
            assert_eq!(ClientConfig::try_from(config).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        let proxied = Config { proxy: Some("proxy.example:3128".into()), ..support::config("ws://localhost:1", "ana") };
        assert!(ClientConfig::try_from(proxied).unwrap().signaling.connect.proxy.is_some());
    }
}
