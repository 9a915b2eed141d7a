//! The check of the other end: whether a call's two devices are connected with each other and with nobody between them.
//!
//! DTLS proves that the other end has the certificate that the descriptions name, and the descriptions came by way of a server. A server
//! in the middle can name its own. So both ends make a few words of the certificates that each of them really sees, and the two people
//! compare them. A third one cannot choose certificates or numbers so that the words fit, for one side commits before it sees what the
//! other has (as in ZRTP, RFC 6189 section 4.3).
//!
//! Sans-IO: [`Check`] takes frames and gives frames. [docs/protocol.md](../../../docs/protocol.md) has the frames, and
//! [docs/security.md](../../../docs/security.md) what is protected from whom.

mod check;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod keys;
#[cfg(test)]
mod tests;
mod words;

pub use check::{Check, CheckFailure, CheckResult};
pub use keys::{Fingerprint, Nonce, RememberedPerson, Secret};
pub use words::{WORDS, Word};

#[cfg(any(test, fuzzing))]
use frame::MAX_FRAME;
pub(crate) use keys::sha256;

/// Which side this is: whoever made the offer of the call that was answered first, or whoever answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Commits.
    Offerer,
    /// Begins, and reveals its number first.
    Answerer,
}

impl Role {
    fn other(self) -> Self {
        match self {
            Self::Offerer => Self::Answerer,
            Self::Answerer => Self::Offerer,
        }
    }
}

/// The certificates of a connection, and whose is whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// This side's role.
    pub role: Role,
    /// Of this side's certificate.
    pub own: Fingerprint,
    /// Of the certificate that the other end has proven by DTLS.
    pub peer: Fingerprint,
}
