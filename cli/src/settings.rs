//! What `chamada serve` is told: by arguments, by environment variables, and by a file; the first of these that says something holds.

#![allow(rustdoc::bare_urls, reason = "what is said here is read in a terminal")]

use crate::args::ice_server;
use crate::exit::Failure;
use chamada::signaling::message::{DEFAULT_PORT, IceServer};
use chamada_server::{
    ApnsConfig, AuthConfig, AuthKeys, ClusterConfig, FcmConfig, Limits, PushConfig, ServerConfig, TlsConfig,
    TurnConfig, WebhookConfig,
};
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
    /// Let in only who shows a token signed with a key of this JWK Set (RS256, ES256, EdDSA): a file, or the https URL where its issuer has it
    #[arg(long, value_name = "FILE|URL", env = "CHAMADA_AUTH_JWKS")]
    auth_jwks: Option<String>,
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
    /// Be one service with all other nodes at these NATS servers (with JetStream), separated by commas, such as nats://USER:PASSWORD@HOST:4222
    #[arg(long, value_name = "URL", env = "CHAMADA_CLUSTER", hide_env_values = true, value_delimiter = ',')]
    cluster: Vec<String>,
    /// How many NATS servers keep what the nodes share, 1 to 5 [default: 1]
    #[arg(long, value_name = "N", env = "CHAMADA_CLUSTER_REPLICAS")]
    cluster_replicas: Option<u8>,
    /// Certificates (PEM) of authorities that push services, and who publishes keys for tokens, may have beside those that the system trusts
    #[arg(long, value_name = "FILE", env = "CHAMADA_CA")]
    ca: Option<PathBuf>,
    /// Directory for what has to outlive the server: devices that are rung by push, and the key for Web Push
    #[arg(long, value_name = "DIR", env = "CHAMADA_DATA")]
    data: Option<PathBuf>,
    /// Ring browsers and UnifiedPush devices that are not connected; mailto: or https: URI by which push services reach the operator
    #[arg(long, value_name = "URI", env = "CHAMADA_PUSH_CONTACT")]
    push_contact: Option<String>,
    /// Ring iPhones that are not connected, with this key (.p8) for Apple's push service
    #[arg(long, value_name = "FILE", env = "CHAMADA_PUSH_APNS_KEY")]
    push_apns_key: Option<PathBuf>,
    /// The identifier of that key
    #[arg(long, value_name = "ID", env = "CHAMADA_PUSH_APNS_KEY_ID")]
    push_apns_key_id: Option<String>,
    /// The identifier of the team that it belongs to
    #[arg(long, value_name = "ID", env = "CHAMADA_PUSH_APNS_TEAM_ID")]
    push_apns_team_id: Option<String>,
    /// The app's bundle identifier, e.g. org.example.app
    #[arg(long, value_name = "NAME", env = "CHAMADA_PUSH_APNS_BUNDLE_ID")]
    push_apns_bundle_id: Option<String>,
    /// Ring Android devices that are not connected, with this service account's key (JSON) for Firebase Cloud Messaging
    #[arg(long, value_name = "FILE", env = "CHAMADA_PUSH_FCM")]
    push_fcm: Option<PathBuf>,
    /// Ring devices that are not connected by a web service of yours
    #[arg(long, value_name = "URL", env = "CHAMADA_PUSH_WEBHOOK")]
    push_webhook: Option<String>,
    /// The file with the secret that requests to it are signed with: base64 of at least 24 bytes
    #[arg(long, value_name = "FILE", env = "CHAMADA_PUSH_WEBHOOK_SECRET")]
    push_webhook_secret: Option<PathBuf>,
    /// Send pushes also to private addresses and without TLS, where devices register such
    #[arg(long, env = "CHAMADA_PUSH_ALLOW_PRIVATE")]
    push_allow_private: bool,
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

/// Whether a browser could send this as `Origin` (RFC 6454, section 7), but for a slash at its end; or all of them.
fn is_origin(text: &str) -> bool {
    let has_host = |rest: &str| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']);
    text == "*"
        || text
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && has_host(rest.trim_end_matches('/')))
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
            cluster: first(self.cluster, file.cluster),
            cluster_replicas: self.cluster_replicas.or(file.cluster_replicas),
            ca: self.ca.or(file.ca),
            data: self.data.or(file.data),
            push_contact: self.push_contact.or(file.push_contact),
            push_apns_key: self.push_apns_key.or(file.push_apns_key),
            push_apns_key_id: self.push_apns_key_id.or(file.push_apns_key_id),
            push_apns_team_id: self.push_apns_team_id.or(file.push_apns_team_id),
            push_apns_bundle_id: self.push_apns_bundle_id.or(file.push_apns_bundle_id),
            push_fcm: self.push_fcm.or(file.push_fcm),
            push_webhook: self.push_webhook.or(file.push_webhook),
            push_webhook_secret: self.push_webhook_secret.or(file.push_webhook_secret),
            push_allow_private: self.push_allow_private || file.push_allow_private,
            ice_server: first(self.ice_server, file.ice_server),
            drain_seconds: self.drain_seconds.or(file.drain_seconds),
            limits: self.limits.or(file.limits),
        }
    }

    /// The options for push as a whole; none if there are none.
    fn take_push(&mut self) -> Result<Option<PushConfig>, Failure> {
        let bad = |text: &str| Err(Failure::BadArgument(text.into()));
        let apns_ids = (self.push_apns_key_id.take(), self.push_apns_team_id.take(), self.push_apns_bundle_id.take());
        let apns = match (self.push_apns_key.take(), apns_ids) {
            (Some(key), (Some(key_id), Some(team_id), Some(bundle_id))) => {
                Some(ApnsConfig { key, key_id, team_id, bundle_id, server: None })
            }
            (None, (None, None, None)) => None,
            _ => return bad("push-apns-key, push-apns-key-id, push-apns-team-id and push-apns-bundle-id go together"),
        };
        let webhook = match (self.push_webhook.take(), self.push_webhook_secret.take()) {
            (Some(url), Some(secret)) => Some(WebhookConfig { url, secret }),
            (None, None) => None,
            _ => return bad("push-webhook and push-webhook-secret go together"),
        };
        let fcm = self.push_fcm.take().map(|account| FcmConfig { account, server: None });
        let contact = self.push_contact.take();
        let allow_private = self.push_allow_private;
        let is_any = apns.is_some() || webhook.is_some() || fcm.is_some() || contact.is_some();
        match self.data.take() {
            Some(data) if is_any => {
                Ok(Some(PushConfig { data, contact, apns, fcm, webhook, allow_private, ..PushConfig::default() }))
            }
            Some(_) => bad("data is for push: push-contact, push-apns-key, push-fcm or push-webhook has to be there"),
            None if is_any => bad("push needs data, a directory where devices are kept"),
            None if allow_private => bad("push-allow-private needs a push service"),
            None => Ok(None),
        }
    }

    fn into_config(mut self) -> Result<ServerConfig, Failure> {
        let push = self.take_push()?;
        let bad = |text: &str| Err(Failure::BadArgument(text.into()));
        if let Some(origin) = self.allow_origin.iter().find(|origin| !is_origin(origin)) {
            return bad(&format!("allow-origin: '{origin}' is no origin: use https://HOST[:PORT], or * for all"));
        }
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsConfig { certificate, key }),
            (None, None) => None,
            _ => return bad("TLS needs both tls-cert and tls-key"),
        };
        let keys = match (self.auth_secret, self.auth_jwks) {
            (Some(_), Some(_)) => return bad("tokens are checked with auth-secret or auth-jwks, not with both"),
            (secret, jwks) => secret.map(AuthKeys::Secret).or(jwks
                .map(|jwks| if jwks.contains("://") { AuthKeys::JwksUrl(jwks) } else { AuthKeys::Jwks(jwks.into()) })),
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
        let cluster = match (self.cluster, self.cluster_replicas) {
            (servers, None) if servers.is_empty() => None,
            (servers, _) if servers.is_empty() => return bad("cluster-replicas needs cluster"),
            (_, Some(0 | 6..)) => return bad("cluster-replicas is 1 to 5"),
            (servers, replicas) => Some(ClusterConfig { servers, replicas: replicas.unwrap_or(1).into() }),
        };
        Ok(ServerConfig {
            listen: self.listen.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)), |listen| listen.0),
            metrics: self.metrics.map(|metrics| metrics.0),
            tls,
            allowed_origins: self.allow_origin,
            trusted_proxies: self.trusted_proxy,
            authorities: self.ca,
            auth,
            push,
            turn,
            cluster,
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
