//! The check of the other end: four words that two people compare, and what is remembered of devices that were checked.

use crate::error::ChamadaError;
use chamada::client::Verification as CoreVerification;
use chamada::security::{self as core, CheckResult, Secret};

/// How far the check of the other end is.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Verification {
    /// Four pictures with names, the same at both ends unless somebody is between them: to be compared by voice. Empty where there is
    /// nothing to compare.
    pub words: Vec<VerificationWord>,
    /// What is known.
    pub result: VerificationResult,
    /// Why it failed, for a developer.
    pub why: Option<String>,
}

/// A picture and how it is said.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VerificationWord {
    /// One emoji.
    pub emoji: String,
    /// In English.
    pub en: String,
    /// In Brazilian Portuguese.
    pub pt_br: String,
}

/// Whether the other end is who it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum VerificationResult {
    /// The connection is new, and its check goes on.
    Checking,
    /// The other side does not know the check. Nothing is known.
    Unsupported,
    /// The words are to be compared.
    Compare,
    /// It is a device that was checked before; there is no need to compare.
    Remembered,
    /// This person was checked before, and this is none of the devices that were. The words, if there are any, are to be compared.
    Changed,
    /// Both people said that the words are the same.
    Confirmed,
    /// One of them said that they are not: somebody is between the two.
    Differs,
    /// The check came to no end.
    Failed,
}

/// The devices of one person that were checked: `Event.Remember` has what to keep, where no other app can read it, and
/// `Config.remembered` takes it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct RememberedPerson {
    /// The name at the server.
    pub name: String,
    /// One of 32 bytes for each device, the newest first; four at most are used.
    pub secrets: Vec<Vec<u8>>,
}

impl std::fmt::Debug for RememberedPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RememberedPerson").field("name", &self.name).finish_non_exhaustive()
    }
}

impl From<core::Word> for VerificationWord {
    fn from(core::Word { emoji, en, pt_br }: core::Word) -> Self {
        Self { emoji: emoji.to_owned(), en: en.to_owned(), pt_br: pt_br.to_owned() }
    }
}

impl From<CoreVerification> for Verification {
    fn from(CoreVerification { words, result }: CoreVerification) -> Self {
        let words = words.into_iter().flatten().map(Into::into).collect();
        let (result, why) = match result {
            CheckResult::Checking => (VerificationResult::Checking, None),
            CheckResult::Unsupported => (VerificationResult::Unsupported, None),
            CheckResult::Compare => (VerificationResult::Compare, None),
            CheckResult::Remembered => (VerificationResult::Remembered, None),
            CheckResult::Changed => (VerificationResult::Changed, None),
            CheckResult::Confirmed => (VerificationResult::Confirmed, None),
            CheckResult::Differs => (VerificationResult::Differs, None),
            CheckResult::Failed(why) => (VerificationResult::Failed, Some(why.to_string())),
        };
        Self { words, result, why }
    }
}

impl From<core::RememberedPerson> for RememberedPerson {
    fn from(core::RememberedPerson { name, secrets }: core::RememberedPerson) -> Self {
        Self { name, secrets: secrets.iter().map(|secret| secret.0.to_vec()).collect() }
    }
}

impl TryFrom<RememberedPerson> for core::RememberedPerson {
    type Error = ChamadaError;

    /// `INVALID_ARGUMENT` for a secret of another length.
    fn try_from(RememberedPerson { name, secrets }: RememberedPerson) -> Result<Self, ChamadaError> {
        let secret = |bytes: Vec<u8>| {
            let bytes = bytes.try_into().map_err(|_| ChamadaError::invalid("a secret that is remembered has 32 bytes"));
            bytes.map(Secret)
        };
        Ok(Self { name, secrets: secrets.into_iter().map(secret).collect::<Result<_, _>>()? })
    }
}
