//! Which sections of a peer's description a call uses, and the transport that carries them: one for all (RFC 9143).

use super::read::{Description, SdpError, Section};
use super::session::Kind;

impl Description {
    /// The mid of the section whose transport all of the bundle use: of an answer, the first in its group (RFC 9143 section 7.3).
    pub(crate) fn bundle_owner(&self) -> Option<&str> {
        self.bundle.iter().flatten().map(String::as_str).find(|mid| self.named(mid).is_some_and(|s| !s.is_refused()))
    }

    /// Whether the section with this mid was stopped, or its place is taken, while another one goes on.
    pub(crate) fn goes_on_without(&self, mid: &str) -> bool {
        self.named(mid).is_none_or(Section::is_refused) && self.bundle_owner().is_some()
    }

    fn named(&self, mid: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.mid.as_deref() == Some(mid))
    }
}

/// A peer's end of the transport.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Transport {
    pub(super) ufrag: String,
    pub(super) pwd: String,
    /// Of the certificate, by SHA-256.
    pub(super) fingerprint: String,
    pub(super) setup: Option<String>,
    pub(super) ice_lite: bool,
}

/// The ICE credentials (ufrag and password, RFC 8839 section 5.4) of a description's transport.
pub(crate) fn ice_credentials(sdp: &str) -> Option<(String, String)> {
    let description = Description::read(sdp).ok()?;
    let uses = uses(&description);
    let transport = transport(&description, &uses).ok()?;
    Some((transport.ufrag, transport.pwd))
}

/// What a section is for, if it is one that a call can use.
fn kind(section: &Section) -> Option<Kind> {
    if section.is_refused() {
        return None;
    }
    let secure = section.protocol.contains("SAVP");
    match section.kind.as_str() {
        "audio" if secure => Some(Kind::Audio),
        "video" if secure => Some(Kind::Video),
        "application" if section.protocol.ends_with("DTLS/SCTP") => Some(Kind::Data),
        _ => None,
    }
}

/// What each section is for: of those that can be used, those on the transport of the call.
pub(super) fn uses(description: &Description) -> Vec<Option<Kind>> {
    let kinds: Vec<Option<Kind>> = description.sections.iter().map(kind).collect();
    let Some(first) = tagged(description, &kinds) else { return kinds };
    let shares = |section: &Section| match &description.bundle {
        Some(bundle) if is_in(bundle, first) => is_in(bundle, section),
        // Without a group, those with the same ICE credentials are on the same transport all the same.
        _ => {
            (&section.ufrag, &section.pwd) == (&first.ufrag, &first.pwd)
                && (section.ufrag.is_some() || has_session_credentials(description))
        }
    };
    let is_used = |section: &Section| std::ptr::eq(section, first) || shares(section);
    kinds.into_iter().zip(&description.sections).map(|(kind, section)| kind.filter(|_| is_used(section))).collect()
}

/// The transport of a description.
///
/// # Errors
/// [`SdpError`] if it has no ICE credentials or no certificate fingerprint that can be checked.
pub(super) fn transport(description: &Description, uses: &[Option<Kind>]) -> Result<Transport, SdpError> {
    let used = || description.sections.iter().zip(uses).filter(|(_, used)| used.is_some()).map(|(section, _)| section);
    // The section with the BUNDLE tag has what counts (RFC 9143 section 9.2); others may have it where it has not.
    let all = || tagged(description, uses).into_iter().chain(used()).chain([&description.session]);
    let credentials = all().find_map(|section| Some((section.ufrag.clone()?, section.pwd.clone()?)));
    let (ufrag, pwd) = credentials.ok_or(SdpError::NoCredentials)?;
    let fingerprint = all().find_map(Section::sha256);
    let missing = match all().any(|section| !section.fingerprints.is_empty()) {
        true => SdpError::UnsupportedFingerprint,
        false => SdpError::NoFingerprint,
    };
    Ok(Transport {
        ufrag,
        pwd,
        fingerprint: fingerprint.ok_or(missing)?.to_owned(),
        setup: all().find_map(|section| section.setup.clone()),
        ice_lite: description.ice_lite,
    })
}

/// Candidates that stand in the description, with the section that they stand in.
pub(super) fn candidates<'a>(
    description: &'a Description,
    uses: &'a [Option<Kind>],
) -> impl Iterator<Item = (usize, &'a str)> {
    let sections = description.sections.iter().zip(uses).enumerate().filter(|(_, (_, used))| used.is_some());
    sections.flat_map(|(n, (section, _))| section.candidates.iter().map(move |candidate| (n, candidate.as_str())))
}

/// The section whose transport it is: the first one of the group that is used (RFC 9143 section 7.2), or without a group the first
/// with sound, or the first.
fn tagged<'a>(description: &'a Description, kinds: &[Option<Kind>]) -> Option<&'a Section> {
    let used = || description.sections.iter().zip(kinds).filter_map(|(section, kind)| Some((section, (*kind)?)));
    let named = |mid: &String| used().find(|(section, _)| section.mid.as_ref() == Some(mid));
    let in_group = description.bundle.iter().flatten().find_map(named);
    let found = in_group.or_else(|| used().find(|(_, kind)| *kind == Kind::Audio)).or_else(|| used().next());
    found.map(|(section, _)| section)
}

/// Its place among all sections.
pub(super) fn tagged_index(description: &Description, uses: &[Option<Kind>]) -> Option<usize> {
    let tagged = tagged(description, uses)?;
    description.sections.iter().position(|section| std::ptr::eq(section, tagged))
}

fn is_in(bundle: &[String], section: &Section) -> bool {
    section.mid.as_ref().is_some_and(|mid| bundle.contains(mid))
}

fn has_session_credentials(description: &Description) -> bool {
    description.session.ufrag.is_some()
}
