//! What is made of certificates and nonces: the words, a secret to remember, and the codes that show that it is.

use super::words::{WORDS, Word};
use super::{Ends, Role};
use ring::{digest, hkdf, hmac};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// SHA-256 over a certificate in DER, as in RFC 8122.
pub type Fingerprint = [u8; 32];
/// A random number that is used once.
pub type Nonce = [u8; 32];

/// How many secrets are remembered of one person, who may have several devices.
pub(crate) const MAX_SECRETS: usize = 4;

const SALT: &[u8] = b"chamada verification 1";
const COMMITMENT: &[u8] = b"chamada verification 1 commitment";

/// What two devices remember of each other once both people said that the words are the same. It is worth as much as that comparison: an
/// app keeps it where no other app can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// As 64 hexadecimal digits.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let is_hexadecimal = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
        let secret = bytes.filter(|_| is_hexadecimal).and_then(|bytes| bytes.try_into().ok());
        // Says nothing of what it is instead: it may be half a secret.
        secret.map(Self).ok_or_else(|| de::Error::custom("a secret has 64 hexadecimal digits"))
    }
}

/// The devices of one person that were checked, for an app to keep: in JSON an object with `name` and `secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedPerson {
    /// The name at the server.
    pub name: String,
    /// One for each device, the newest first; four at most are used.
    pub secrets: Vec<Secret>,
}

impl RememberedPerson {
    /// Adds one more device, in the place of the oldest if there are too many.
    pub(crate) fn add(&mut self, secret: Secret) {
        self.secrets.retain(|known| *known != secret);
        self.secrets.insert(0, secret);
        self.secrets.truncate(MAX_SECRETS);
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Fingerprint {
    hash(&[bytes])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

pub(super) fn commitment(nonce: &Nonce) -> [u8; 32] {
    hash(&[COMMITMENT, nonce])
}

/// All that both sides have seen, in an order that says whose is whose.
pub(super) struct Transcript {
    key: hkdf::Prk,
    hash: [u8; 32],
}

impl Transcript {
    pub(super) fn new(ends: &Ends, own: &Nonce, peer: &Nonce) -> Self {
        let (mine, theirs) = ((ends.own, *own), (ends.peer, *peer));
        let (offerer, answerer) = match ends.role {
            Role::Offerer => (mine, theirs),
            Role::Answerer => (theirs, mine),
        };
        let all = [offerer.0, answerer.0, offerer.1, answerer.1];
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(all.as_flattened());
        Self { key, hash: hash(&[SALT, all.as_flattened()]) }
    }

    /// Four words: 32 bits.
    pub(super) fn words(&self) -> [Word; 4] {
        let bytes = self.expand(b"words");
        [0, 1, 2, 3].map(|n: usize| WORDS[usize::from(bytes[n])])
    }

    pub(super) fn secret(&self) -> Secret {
        Secret(self.expand(b"secret"))
    }

    /// What shows that this side remembers the secret.
    pub(super) fn code(&self, secret: &Secret, by: Role) -> [u8; 32] {
        let mut code = [0; 32];
        code.copy_from_slice(hmac::sign(&key(secret), &self.coded(by)).as_ref());
        code
    }

    /// Whether that side remembers the secret. Takes as long wherever the code differs.
    pub(super) fn is_code(&self, code: &[u8; 32], secret: &Secret, by: Role) -> bool {
        hmac::verify(&key(secret), &self.coded(by), code).is_ok()
    }

    /// A code of one side must not be good as one of the other's.
    fn coded(&self, by: Role) -> Vec<u8> {
        let by: &[u8] = if by == Role::Offerer { b"offerer" } else { b"answerer" };
        [by, &self.hash].concat()
    }

    fn expand(&self, info: &[u8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        let info = [info];
        let expanded = self.key.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut bytes));
        // Fails for other lengths alone, and 32 bytes are the algorithm's own.
        debug_assert!(expanded.is_ok());
        bytes
    }
}

fn key(secret: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &secret.0)
}
