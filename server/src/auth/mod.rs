//! Who may come in: tokens (JWT, RFC 7519) that somebody else has signed.

pub(crate) mod crypto;
mod keys;
mod published;

pub use keys::KeyError;
pub(crate) use keys::Keys;

use crate::{
    config::{AuthConfig, AuthKeys},
    rate::Budget,
    rooms::MAX_ROOM_CHARS,
    watch_file::WatchedFiles,
};
use chamada::signaling::message::MAX_NAME_CHARS;
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, errors::ErrorKind};
use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use published::Published;
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{Notify, watch},
    time,
};

/// Longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Longest `sub`, in bytes.
const MAX_SUBJECT_BYTES: usize = 255;
/// How far the clocks of the issuer and this machine may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// How often published keys are fetched without a reason: one that its issuer has withdrawn is good for that much longer.
const FETCH_EVERY: Duration = Duration::from_secs(5 * 60);
/// Fetches because somebody named an unknown key: so many at once, and one more in so many seconds. Anybody can name one.
const FETCHES_AT_ONCE: f64 = 3.0;
const FETCHES_EVERY: Duration = Duration::from_secs(10);
/// How long a login waits for such a fetch.
const KEY_WAIT: Duration = Duration::from_secs(5);

/// How often published keys were fetched, by outcome; copies count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct FetchMetrics(Family<[(&'static str, &'static str); 1], Counter>);

impl FetchMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("key_fetches", "Tries to fetch the keys for tokens from their URL", self.0.clone());
    }
}

/// What a token says of who shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The claim `sub`: the same for all devices of one person, and for nobody else.
    pub(crate) subject: Arc<str>,
    /// The claim `name`.
    pub(crate) name: String,
    /// The claim `room`: the token is good in this one only.
    pub(crate) room: Option<String>,
    pub(crate) expires: SystemTime,
}

/// Why a token lets nobody in. The words are for the client that showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("a token is needed here")]
    Missing,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid here: {0}")]
    Refused(&'static str),
}

/// Claims of RFC 7519 section 4.1, and two of our own.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    name: String,
    /// The only room where it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    exp: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aud: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
}

/// Checks tokens against keys that are read again when their file changes, or fetched again when their issuer has others.
#[derive(Debug)]
pub(crate) struct Authority {
    config: AuthConfig,
    keys: RwLock<Keys>,
    files: WatchedFiles,
    published: Option<Published>,
    /// Somebody waits for a key that is not among them.
    wanted: Notify,
    /// How often they were fetched, or that was tried.
    fetched: watch::Sender<u64>,
    metrics: FetchMetrics,
}

impl Authority {
    /// `authorities` are trusted beside the system's own, where keys come from a URL; [`Self::fetch`] has to be called before anybody is let in.
    pub(crate) fn new(config: AuthConfig, authorities: Option<&Path>, metrics: FetchMetrics) -> Result<Self, KeyError> {
        crypto::install();
        let files = WatchedFiles::new(config.keys.file().as_slice());
        let keys = RwLock::new(Keys::read(&config.keys)?);
        let published = match &config.keys {
            AuthKeys::JwksUrl(url) => Some(Published::new(url, authorities)?),
            AuthKeys::Secret(_) | AuthKeys::Jwks(_) => None,
        };
        let (wanted, fetched) = (Notify::new(), watch::Sender::new(0));
        Ok(Self { config, keys, files, published, wanted, fetched, metrics })
    }

    /// Takes the keys that their issuer publishes now; if those are of no use, the old ones stay.
    pub(crate) async fn fetch(&self) -> Result<(), KeyError> {
        let Some(published) = &self.published else { return Ok(()) };
        let fetched = published.fetch().await;
        let outcome = if fetched.is_ok() { "fetched" } else { "failed" };
        self.metrics.0.get_or_create(&[("outcome", outcome)]).inc();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = fetched?;
        Ok(())
    }

    /// Fetches published keys every now and then, and when somebody shows a token with a key that is not among them; without end, if there are any.
    pub(crate) async fn keep_fetching(&self) {
        let mut budget = Budget::new(1.0 / FETCHES_EVERY.as_secs_f64(), FETCHES_AT_ONCE, Instant::now());
        while self.published.is_some() {
            let is_asked = time::timeout(FETCH_EVERY, self.wanted.notified()).await.is_ok();
            if is_asked && !budget.take(1.0, Instant::now()) {
                time::sleep(FETCHES_EVERY).await;
                budget.take(1.0, Instant::now());
            }
            match self.fetch().await {
                Ok(()) => tracing::debug!("the keys for tokens were fetched"),
                Err(e) => tracing::error!(reason = %e, "the keys for tokens stay as they were"),
            }
            self.fetched.send_modify(|fetches| *fetches = fetches.wrapping_add(1));
        }
    }

    /// Waits a little for published keys if this token names one that is not among them: its issuer may have begun to sign with another.
    pub(crate) async fn look_for_key_of(&self, token: Option<&str>) {
        let Some(token) = token.filter(|token| token.len() <= MAX_TOKEN_BYTES && self.published.is_some()) else {
            return;
        };
        let Some(id) = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid) else { return };
        let mut fetched = self.fetched.subscribe();
        if !self.has_key(&id) {
            self.wanted.notify_one();
            let _ = time::timeout(KEY_WAIT, fetched.changed()).await;
        }
    }

    fn has_key(&self, id: &str) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).has(id)
    }

    pub(crate) fn files(&self) -> WatchedFiles {
        self.files.clone()
    }

    /// Takes the keys that are in the file now; if those are of no use, the old ones stay.
    pub(crate) fn reload(&self) -> Result<(), KeyError> {
        let keys = Keys::read(&self.config.keys)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Who shows this token. A signature takes up to 0.1 ms to check, so not under a lock that others wait for.
    pub(crate) fn check(&self, token: Option<&str>) -> Result<Person, TokenError> {
        let token = token.ok_or(TokenError::Missing)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Refused("it is too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|e| refusal(e.kind()))?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut error = TokenError::Refused("it is signed with a key that is not known here");
        for (key, algorithm) in keys.candidates(header.kid.as_deref(), header.alg) {
            match jsonwebtoken::decode::<Claims>(token, key, &self.validation(algorithm)) {
                Ok(data) => return person(data.claims),
                // Another key may be the right one.
                Err(e) if matches!(e.kind(), ErrorKind::InvalidSignature) => error = refusal(e.kind()),
                Err(e) => return Err(refusal(e.kind())),
            }
        }
        Err(error)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        if let Some(audience) = &self.config.audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".into());
        }
        if let Some(issuer) = &self.config.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".into());
        }
        validation
    }
}

fn person(claims: Claims) -> Result<Person, TokenError> {
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT_BYTES {
        return Err(TokenError::Refused("its 'sub' has 1 to 255 bytes"));
    }
    // A week beyond any use; a sum with the clock must not overflow.
    let expires = Duration::try_from_secs_f64(claims.exp).unwrap_or_default().min(Duration::from_secs(1 << 40));
    let room = claims.room.filter(|room| !room.is_empty());
    Ok(Person { subject: claims.sub.into(), name: claims.name, room, expires: UNIX_EPOCH + expires })
}

fn refusal(kind: &ErrorKind) -> TokenError {
    TokenError::Refused(match kind {
        ErrorKind::ExpiredSignature => return TokenError::Expired,
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::ImmatureSignature => "it holds only later",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::InvalidIssuer => "it is by another issuer",
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => {
            "it is signed in another way than is asked for here"
        }
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => "a claim is missing or wrong",
        ErrorKind::Json(_) => "it lacks 'sub', 'name' or 'exp'",
        _ => "it is no token",
    })
}

/// A token for trying out a server that was started with the same secret file.
///
/// # Errors
/// [`KeyError`] if the file holds no secret.
pub fn issue_token(
    secret: &Path,
    subject: &str,
    name: &str,
    room: Option<&str>,
    lifetime: Duration,
    audience: Option<&str>,
    issuer: Option<&str>,
) -> Result<String, KeyError> {
    crypto::install();
    let secret = keys::read_secrets(secret)?.into_iter().next().ok_or(KeyError::NoSecret)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let claims = Claims {
        sub: subject.chars().take(MAX_SUBJECT_BYTES / 4).collect(),
        name: name.chars().take(MAX_NAME_CHARS).collect(),
        room: room.map(|room| room.chars().take(MAX_ROOM_CHARS).collect()),
        exp: now.saturating_add(lifetime).as_secs() as f64,
        aud: audience.map(Into::into),
        iss: issuer.map(str::to_owned),
    };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes()))
        .map_err(|_| KeyError::NoSecret)
}

#[cfg(test)]
#[path = "../auth_tests.rs"]
mod tests;
