//! Who may come in: tokens (JWT, RFC 7519) that somebody else has signed.

pub(crate) mod crypto;
mod keys;

pub use keys::KeyError;
pub(crate) use keys::Keys;

use crate::{config::AuthConfig, rooms::MAX_ROOM_CHARS, watch_file::WatchedFiles};
use chamada::signaling::message::MAX_NAME_CHARS;
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Longest `sub`, in bytes.
const MAX_SUBJECT_BYTES: usize = 255;
/// How far the clocks of the issuer and this machine may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

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

/// Checks tokens against keys that are read again when their file changes.
#[derive(Debug)]
pub(crate) struct Authority {
    config: AuthConfig,
    keys: RwLock<Keys>,
    files: WatchedFiles,
}

impl Authority {
    pub(crate) fn new(config: AuthConfig) -> Result<Self, KeyError> {
        crypto::install();
        let files = WatchedFiles::new(&[config.keys.file()]);
        let keys = RwLock::new(Keys::read(&config.keys)?);
        Ok(Self { config, keys, files })
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
