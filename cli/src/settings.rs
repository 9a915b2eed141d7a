//! What `chamada serve` is told: by arguments, by environment variables, and by a file; the first of these that says something holds.

#![allow(rustdoc::bare_urls, reason = "what is said here is read in a terminal")]

use crate::args::ice_server;
use crate::exit::Failure;
use chamada::signaling::message::{DEFAULT_PORT, IceServer};
use chamada_server::{AuthConfig, AuthKeys, Limits, ServerConfig, TlsConfig, TurnConfig};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Credentials for half a day: longer than any call.
const TURN_SECONDS: u32 = 12 * 60 * 60;

#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    /// A file with these options, without the dashes (TOML; docs/chamada.toml is a sample); arguments and environment variables go before it
    #[arg(long, value_name = "FILE", env = "CHAMADA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Say whether the configuration can be used, and end
    #[arg(long)]
    pub(crate) check: bool,
    /// How the log is written, on standard error
    #[arg(long, value_enum, value_name = "FORMAT", env = "CHAMADA_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

// Everything that the file may say, too. In environment variables a space separates several values.
// A doc comment here would become that of the command.
#[derive(clap::Args, Deserialize, Default, Debug)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// Address and port to listen on; a port alone is one of this machine (localhost), 0.0.0.0:PORT is for others too [default:
    /// 127.0.0.1:6503]
    #[arg(long, value_name = "[ADDR:]PORT", env = "CHAMADA_LISTEN", allow_negative_numbers = true)]
    listen: Option<ListenAddress>,
    /// Address and port for /metrics (Prometheus), /readyz and /healthz; for the operator alone
    #[arg(long, value_name = "[ADDR:]PORT", env = "CHAMADA_METRICS", allow_negative_numbers = true)]
    metrics: Option<ListenAddress>,
    /// Speak TLS with this certificate (PEM, with those up to the one that clients know); read again when it changes
    #[arg(long, value_name = "FILE", env = "CHAMADA_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", env = "CHAMADA_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Accept browsers from this origin only, e.g. https://call.example.org; may be given more than once; '*' accepts all. Without it:
    /// pages of the host that they connect to
    #[arg(long, value_name = "URL", env = "CHAMADA_ALLOW_ORIGIN", value_delimiter = ' ')]
    allow_origin: Vec<String>,
    /// Believe this reverse proxy's X-Forwarded-For, so that limits per address hold for its clients; may be given more than once
    #[arg(long, value_name = "ADDR", env = "CHAMADA_TRUSTED_PROXY", value_delimiter = ' ')]
    trusted_proxy: Vec<IpAddr>,
    /// Let in only who shows a token (JWT, HS256) signed with a secret of this file: one of at least 32 bytes a line
    #[arg(long, value_name = "FILE", env = "CHAMADA_AUTH_SECRET")]
    auth_secret: Option<PathBuf>,
    /// Let in only who shows a token signed with a key of this JWK Set (RS256, ES256, EdDSA)
    #[arg(long, value_name = "FILE", env = "CHAMADA_AUTH_JWKS")]
    auth_jwks: Option<PathBuf>,
    /// The claim 'aud' that every token must have
    #[arg(long, value_name = "NAME", env = "CHAMADA_AUTH_AUDIENCE")]
    auth_audience: Option<String>,
    /// The claim 'iss' that every token must have
    #[arg(long, value_name = "NAME", env = "CHAMADA_AUTH_ISSUER")]
    auth_issuer: Option<String>,
    /// TURN server that shares the secret of --turn-secret, to tell clients of with credentials that expire; may be given more than once
    #[arg(long, value_name = "URL", env = "CHAMADA_TURN_URL", value_delimiter = ' ')]
    turn_url: Vec<String>,
    /// The file with the secret that coturn has as 'static-auth-secret', with 'use-auth-secret'
    #[arg(long, value_name = "FILE", env = "CHAMADA_TURN_SECRET")]
    turn_secret: Option<PathBuf>,
    /// How many seconds TURN credentials are good for [default: 43200]
    #[arg(long, value_name = "N", env = "CHAMADA_TURN_SECONDS")]
    turn_seconds: Option<u32>,
    /// STUN or TURN server to tell clients of; may be given more than once
    #[arg(
        long,
        value_name = "URL[,USER,PASSWORD]",
        env = "CHAMADA_ICE_SERVER",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    ice_server: Vec<NamedIceServer>,
    /// At SIGTERM let calls that go on have their signaling for so many seconds more, and send everybody else away at once [default: 0]
    #[arg(long, value_name = "N", env = "CHAMADA_DRAIN_SECONDS")]
    drain_seconds: Option<u32>,
    /// Bounds on what clients may use; only in the file.
    #[arg(skip)]
    limits: Option<Limits>,
}

/// `ADDR:PORT`, `localhost:PORT` or `PORT`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct ListenAddress(SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        let local = port.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        local.or_else(|| text.parse().ok()).map(Self).ok_or_else(|| {
            "use ADDRESS:PORT (0.0.0.0:6503 for everybody, [::]:6503 by IPv6 too), localhost:PORT, or PORT up to 65535".into()
        })
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// `URL[,USER,PASSWORD]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct NamedIceServer(IceServer);

impl FromStr for NamedIceServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ice_server(text).map(Self)
    }
}

impl TryFrom<String> for NamedIceServer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl ServeArgs {
    /// What all of these say together.
    pub(crate) fn server_config(self) -> Result<ServerConfig, Failure> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        self.settings.or(file).into_config()
    }
}

fn read(file: &Path) -> Result<Settings, Failure> {
    let bad = |why: &dyn std::fmt::Display| Failure::BadArgument(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| bad(&error))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        bad(&format_args!("line {}: {}", before.matches('\n').count() + 1, error.message()))
    })
}

/// The first list that has something.
fn first<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
    if one.is_empty() { other } else { one }
}

impl Settings {
    fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            metrics: self.metrics.or(file.metrics),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            allow_origin: first(self.allow_origin, file.allow_origin),
            trusted_proxy: first(self.trusted_proxy, file.trusted_proxy),
            auth_secret: self.auth_secret.or(file.auth_secret),
            auth_jwks: self.auth_jwks.or(file.auth_jwks),
            auth_audience: self.auth_audience.or(file.auth_audience),
            auth_issuer: self.auth_issuer.or(file.auth_issuer),
            turn_url: first(self.turn_url, file.turn_url),
            turn_secret: self.turn_secret.or(file.turn_secret),
            turn_seconds: self.turn_seconds.or(file.turn_seconds),
            ice_server: first(self.ice_server, file.ice_server),
            drain_seconds: self.drain_seconds.or(file.drain_seconds),
            limits: self.limits.or(file.limits),
        }
    }

    fn into_config(self) -> Result<ServerConfig, Failure> {
        let bad = |text: &str| Err(Failure::BadArgument(text.into()));
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsConfig { certificate, key }),
            (None, None) => None,
            _ => return bad("TLS needs both tls-cert and tls-key"),
        };
        let keys = match (self.auth_secret, self.auth_jwks) {
            (Some(_), Some(_)) => return bad("tokens are checked with auth-secret or auth-jwks, not with both"),
            (secret, jwks) => secret.map(AuthKeys::Secret).or(jwks.map(AuthKeys::Jwks)),
        };
        let auth = match keys {
            Some(keys) => Some(AuthConfig { keys, audience: self.auth_audience, issuer: self.auth_issuer }),
            None if self.auth_audience.is_some() || self.auth_issuer.is_some() => {
                return bad("auth-audience and auth-issuer need auth-secret or auth-jwks");
            }
            None => None,
        };
        let lifetime = Duration::from_secs(self.turn_seconds.unwrap_or(TURN_SECONDS).into());
        let turn = match (self.turn_secret, self.turn_url) {
            (Some(secret), urls) if !urls.is_empty() => Some(TurnConfig { secret, urls, lifetime }),
            (None, urls) if urls.is_empty() => None,
            _ => return bad("TURN credentials need both turn-secret and turn-url"),
        };
        Ok(ServerConfig {
            listen: self.listen.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)), |listen| listen.0),
            metrics: self.metrics.map(|metrics| metrics.0),
            tls,
            allowed_origins: self.allow_origin,
            trusted_proxies: self.trusted_proxy,
            auth,
            turn,
            ice_servers: self.ice_server.into_iter().map(|server| server.0).collect(),
            limits: self.limits.unwrap_or_default(),
            drain: Duration::from_secs(self.drain_seconds.unwrap_or(0).into()),
            ..ServerConfig::default()
        })
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
