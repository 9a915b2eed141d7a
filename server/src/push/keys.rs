//! Private keys that push services know us by, and the JWTs (RFC 7519) signed with them.

use super::error::PushError;
use crate::auth::crypto;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair},
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

const MAX_FILE_BYTES: u64 = 16 * 1024;

/// A private key for ES256 or RS256.
#[derive(Clone)]
pub(crate) struct SigningKey {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A key of P-256 from a file (PKCS#8 in PEM).
    pub(crate) fn read_es256(file: &Path) -> Result<Self, PushError> {
        let text = read(file)?;
        let bad =
            || PushError::BadFile { file: file.into(), what: "a private key of P-256 in PEM is expected (PKCS#8)" };
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| bad())?;
        Self::es256(der.secret_pkcs8_der()).ok_or_else(bad)
    }

    fn es256(der: &[u8]) -> Option<Self> {
        crypto::install();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new()).ok()?;
        Some(Self { algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(der) })
    }

    /// An RSA key (PKCS#8 in PEM).
    pub(crate) fn rs256(pem: &str) -> Option<Self> {
        crypto::install();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()?;
        Some(Self { algorithm: Algorithm::RS256, key: EncodingKey::from_rsa_der(der.secret_pkcs8_der()) })
    }

    /// A JWT with these claims. `None` if they cannot be signed, which no key that was read does.
    pub(crate) fn sign(&self, key_id: Option<&str>, claims: &impl Serialize) -> Option<String> {
        let header = Header { kid: key_id.map(str::to_owned), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.key).ok()
    }
}

/// The key for Web Push (VAPID, RFC 8292), which subscriptions are bound to: made once, and kept in this file.
pub(crate) fn vapid_key(file: &Path) -> Result<(SigningKey, String), PushError> {
    let failed = |source| PushError::File { file: file.into(), source };
    let bad = || PushError::BadFile { file: file.into(), what: "the key for Web Push is expected" };
    let der = match fs::read(file) {
        Ok(der) => der,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let new = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
            let new = new.map_err(|_| failed(io::Error::other("no random numbers")))?;
            write_secret(file, new.as_ref()).map_err(failed)?;
            new.as_ref().to_vec()
        }
        Err(e) => return Err(failed(e)),
    };
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new());
    let public = URL_SAFE_NO_PAD.encode(pair.map_err(|_| bad())?.public_key());
    Ok((SigningKey::es256(&der).ok_or_else(bad)?, public))
}

/// Writes a file that only this user can read, as a whole or not at all.
pub(crate) fn write_secret(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let draft: PathBuf = file.with_extension("new");
    let mut written = options.open(&draft)?;
    written.write_all(bytes)?;
    written.sync_all()?;
    fs::rename(draft, file)
}

/// The text of a small file.
pub(crate) fn read(file: &Path) -> Result<String, PushError> {
    let failed = |source| PushError::File { file: file.into(), source };
    if fs::metadata(file).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(PushError::BadFile { file: file.into(), what: "a key is expected, and it is longer than any" });
    }
    fs::read_to_string(file).map_err(failed)
}
