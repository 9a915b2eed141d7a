//! The keys that tokens are checked with.

use crate::{config::AuthKeys, outgoing::ClientError};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Fewer bytes are guessed too easily: HS256 wants 256 bits (RFC 7518 section 3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Longest file of keys, in bytes.
pub(super) const MAX_FILE_BYTES: u64 = 256 * 1024;
/// Each costs a try for a token that names none.
const MAX_KEYS: usize = 32;

/// Why a file of keys is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than any such file.
    #[error("{} has more than 256 KiB and is no file of keys", .0.display())]
    TooLarge(PathBuf),
    /// No secret in it.
    #[error("the file has no secret in it")]
    NoSecret,
    /// A secret is too short.
    #[error("{}, line {line}: a secret has at least 32 bytes, as from 'openssl rand -hex 32'", file.display())]
    ShortSecret {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: usize,
    },
    /// No JWK Set.
    #[error("{} is no JWK Set (RFC 7517): {detail}", file.display())]
    NotJwks {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A URL that no keys may come from.
    #[error("{url:.200}: {why}")]
    BadUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The keys could not be fetched.
    #[error("cannot fetch {url:.200}: {why}")]
    Unreachable {
        /// Where they should be.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// No requests can be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A JWK Set without a key of use.
    #[error("{} has no key for RS256, ES256 or EdDSA signatures", .0.display())]
    NoKey(PathBuf),
}

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Keys that are good at the moment; several while one is being replaced by the next.
pub(crate) struct Keys(Vec<Key>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

impl Keys {
    pub(crate) fn read(keys: &AuthKeys) -> Result<Self, KeyError> {
        match keys {
            AuthKeys::Secret(file) => {
                let secrets = read_secrets(file)?;
                let key = |secret: &String| DecodingKey::from_secret(secret.as_bytes());
                Ok(Self(secrets.iter().map(|s| Key { id: None, algorithm: Algorithm::HS256, key: key(s) }).collect()))
            }
            AuthKeys::Jwks(file) => parse_jwks(&read(file)?, file),
            // They are fetched before anybody is let in.
            AuthKeys::JwksUrl(_) => Ok(Self(Vec::new())),
        }
    }

    /// Whether there is a key of that identifier.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// The keys that a token with this header may be signed with. The algorithm is the key's own: a token does not choose how it is checked.
    pub(crate) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = (&DecodingKey, Algorithm)> {
        let fits = move |key: &&Key| {
            key.algorithm == algorithm && (id.is_none() || key.id.is_none() || key.id.as_deref() == id)
        };
        self.0.iter().filter(fits).map(|key| (&key.key, key.algorithm))
    }
}

fn read(file: &Path) -> Result<String, KeyError> {
    let unreadable = |source| KeyError::Unreadable { file: file.to_owned(), source };
    if fs::metadata(file).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(KeyError::TooLarge(file.to_owned()));
    }
    fs::read_to_string(file).map_err(unreadable)
}

/// One secret a line: all are good for checking, the first one signs.
pub(crate) fn read_secrets(file: &Path) -> Result<Vec<String>, KeyError> {
    let mut secrets = Vec::new();
    for (index, line) in read(file)?.lines().enumerate() {
        let secret = line.trim();
        match secret.len() {
            0 => {}
            MIN_SECRET_BYTES.. => secrets.push(secret.to_owned()),
            _ => return Err(KeyError::ShortSecret { file: file.to_owned(), line: index + 1 }),
        }
    }
    secrets.truncate(MAX_KEYS);
    if secrets.is_empty() { Err(KeyError::NoSecret) } else { Ok(secrets) }
}

/// `file` is where it is from: a file, or a URL.
pub(super) fn parse_jwks(text: &str, file: &Path) -> Result<Keys, KeyError> {
    let set: JwkSet =
        serde_json::from_str(text).map_err(|e| KeyError::NotJwks { file: file.to_owned(), detail: e.to_string() })?;
    let mut keys = Vec::new();
    for jwk in set.keys.iter().filter(|jwk| is_for_signatures(jwk)).take(MAX_KEYS) {
        let Some(algorithm) = algorithm(jwk) else { continue };
        match DecodingKey::from_jwk(jwk) {
            Ok(key) => keys.push(Key { id: jwk.common.key_id.clone(), algorithm, key }),
            Err(e) => return Err(KeyError::NotJwks { file: file.to_owned(), detail: e.to_string() }),
        }
    }
    if keys.is_empty() { Err(KeyError::NoKey(file.to_owned())) } else { Ok(Keys(keys)) }
}

fn is_for_signatures(jwk: &Jwk) -> bool {
    matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature))
}

/// Symmetric keys are none of these: whoever may read the set could sign.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Some(Algorithm::ES256),
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Some(Algorithm::EdDSA),
        _ => None,
    }
}
