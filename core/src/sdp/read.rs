//! A description's text into its parts (RFC 8866). Lines may end in CRLF, LF or CR, and attributes that are not known are passed over.

use crate::signaling::message::MAX_FRAME_BYTES;
use std::collections::HashSet;

/// Most m-lines; a call has three, and each that was stopped leaves one behind.
const MAX_SECTIONS: usize = 64;
/// Most lines of a kind that are kept of a section.
const MAX_LINES: usize = 128;

/// Why a description is refused. Nothing was changed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpError {
    #[error("the description is too long")]
    TooLong,
    #[error("this is no description: it does not start with v=0")]
    NoVersion,
    #[error("the description has no m-line")]
    NoSections,
    #[error("the description has too many m-lines")]
    TooManySections,
    #[error("an m-line cannot be read")]
    BadMediaLine,
    #[error("two m-lines have the same mid")]
    DuplicateMid,
    #[error("the description has no certificate fingerprint")]
    NoFingerprint,
    #[error("the description has no certificate fingerprint by SHA-256")]
    UnsupportedFingerprint,
    #[error("the description has no ICE credentials")]
    NoCredentials,
    #[error("the answer's m-lines are not those of the offer")]
    OtherSections,
}

/// A description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Description {
    /// What stands before the first m-line.
    pub(super) session: Section,
    pub(super) sections: Vec<Section>,
    /// The mids of the first BUNDLE group (RFC 9143); `None` if there is none.
    pub(super) bundle: Option<Vec<String>>,
    /// The value of `o=`.
    pub(super) origin: String,
    pub(super) ice_lite: bool,
    pub(super) extmap_allow_mixed: bool,
}

impl Description {
    /// The certificate's fingerprint by SHA-256: the same on every m-line, for they are bundled.
    pub(crate) fn sha256(&self) -> Option<&str> {
        self.sections.iter().chain([&self.session]).find_map(Section::sha256)
    }
}

/// One m-line and what belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) kind: String,
    pub(super) protocol: String,
    pub(super) formats: Vec<String>,
    pub(super) port: u16,
    /// Takes part in the bundle although its port is 0 (RFC 9143 section 6).
    pub(super) bundle_only: bool,
    pub(super) mid: Option<String>,
    pub(super) direction: Option<Direction>,
    pub(super) rtpmaps: Vec<(u8, String)>,
    pub(super) fmtps: Vec<(u8, String)>,
    /// `None` stands for all formats.
    pub(super) feedback: Vec<(Option<u8>, String)>,
    /// Header extensions (RFC 8285): identifier and URI.
    pub(super) extensions: Vec<(u16, String)>,
    /// Sources (RFC 5576), in order of appearance.
    pub(super) ssrcs: Vec<u32>,
    /// Which source repairs which by retransmission (group FID): (original, retransmission).
    pub(super) repairs: Vec<(u32, u32)>,
    /// The lines about sources as they stand, for descriptions of our own.
    pub(super) source_lines: Vec<String>,
    /// Hash and value, as they stand.
    pub(super) fingerprints: Vec<(String, String)>,
    pub(super) ufrag: Option<String>,
    pub(super) pwd: Option<String>,
    pub(super) setup: Option<String>,
    pub(super) candidates: Vec<String>,
    /// There will be no more candidates (RFC 8840 section 8.2).
    pub(super) ends_candidates: bool,
    pub(super) sctp_port: Option<u16>,
    pub(super) max_message_size: Option<u64>,
}

/// Which way media goes, as seen by the side that wrote the description (RFC 8866 section 6.7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub(super) fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub(super) fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub(super) fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|d| d.as_str() == word)
    }
}

impl Description {
    /// Whether it has all the candidates of the side that wrote it.
    pub(crate) fn ends_candidates(&self) -> bool {
        std::iter::once(&self.session).chain(&self.sections).any(|section| section.ends_candidates)
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`SdpError`] for a text that is none, and for one in which m-lines cannot be told apart.
    pub(crate) fn read(text: &str) -> Result<Self, SdpError> {
        if text.len() > MAX_FRAME_BYTES {
            return Err(SdpError::TooLong);
        }
        let mut lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
        if lines.next() != Some("v=0") {
            return Err(SdpError::NoVersion);
        }
        let mut description = Self::default();
        for line in lines {
            description.line(line)?;
        }
        if description.sections.is_empty() {
            return Err(SdpError::NoSections);
        }
        description.name_sections()?;
        Ok(description)
    }

    fn line(&mut self, line: &str) -> Result<(), SdpError> {
        if let Some(media) = line.strip_prefix("m=") {
            if self.sections.len() >= MAX_SECTIONS {
                return Err(SdpError::TooManySections);
            }
            self.sections.push(Section::new(media)?);
        } else if let Some(attribute) = line.strip_prefix("a=") {
            match self.sections.last_mut() {
                Some(section) => section.attribute(attribute),
                None => self.session_attribute(attribute),
            }
        } else if let Some(origin) = line.strip_prefix("o=") {
            origin.clone_into(&mut self.origin);
        }
        Ok(())
    }

    fn session_attribute(&mut self, attribute: &str) {
        match attribute.split_once(':') {
            Some(("group", group)) => {
                let mut words = group.split_ascii_whitespace();
                if self.bundle.is_none() && words.next() == Some("BUNDLE") {
                    self.bundle = Some(words.map(str::to_owned).collect());
                }
            }
            None if attribute == "ice-lite" => self.ice_lite = true,
            None if attribute == "extmap-allow-mixed" => self.extmap_allow_mixed = true,
            _ => self.session.attribute(attribute),
        }
    }

    /// Sections without a mid get that which the group has for them, if it names as many as there are sections.
    fn name_sections(&mut self) -> Result<(), SdpError> {
        if self.sections.iter().all(|section| section.mid.is_none())
            && let Some(bundle) = &self.bundle
            && bundle.len() == self.sections.len()
        {
            for (section, mid) in self.sections.iter_mut().zip(bundle) {
                section.mid = Some(mid.clone());
            }
        }
        let mut mids = HashSet::new();
        let repeated = |section: &Section| section.mid.as_deref().is_some_and(|mid| !mids.insert(mid.to_owned()));
        if self.sections.iter().any(repeated) { Err(SdpError::DuplicateMid) } else { Ok(()) }
    }

    /// The direction of a section: its own, or that of the session, or both ways (RFC 8866 section 6.7).
    pub(super) fn direction(&self, section: &Section) -> Direction {
        section.direction.or(self.session.direction).unwrap_or_default()
    }
}

impl Section {
    fn new(media: &str) -> Result<Self, SdpError> {
        let mut words = media.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
            return Err(SdpError::BadMediaLine);
        };
        // A number of ports may follow.
        let port = port.split('/').next().and_then(|port| port.parse().ok()).ok_or(SdpError::BadMediaLine)?;
        let formats = words.take(MAX_LINES).map(str::to_owned).collect();
        Ok(Self { kind: kind.to_owned(), protocol: protocol.to_owned(), port, formats, ..Self::default() })
    }

    fn attribute(&mut self, attribute: &str) {
        let (name, value) = attribute.split_once(':').map_or((attribute, ""), |(name, value)| (name, value.trim()));
        match name {
            "mid" if !value.is_empty() => self.mid = Some(value.to_owned()),
            "bundle-only" => self.bundle_only = true,
            "rtpmap" => push(&mut self.rtpmaps, numbered(value)),
            "fmtp" => push(&mut self.fmtps, numbered(value)),
            "rtcp-fb" => push(&mut self.feedback, feedback(value)),
            "extmap" => push(&mut self.extensions, extension(value)),
            "ssrc" => {
                push(&mut self.source_lines, Some(attribute.to_owned()));
                let ssrc = value.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
                let new = ssrc.filter(|ssrc| !self.ssrcs.contains(ssrc));
                push(&mut self.ssrcs, new);
            }
            "ssrc-group" => {
                push(&mut self.source_lines, Some(attribute.to_owned()));
                push(&mut self.repairs, repair(value));
            }
            "msid" => push(&mut self.source_lines, Some(attribute.to_owned())),
            "fingerprint" => push(&mut self.fingerprints, fingerprint(value)),
            "ice-ufrag" if !value.is_empty() => self.ufrag = Some(value.to_owned()),
            "ice-pwd" if !value.is_empty() => self.pwd = Some(value.to_owned()),
            "setup" => self.setup = Some(value.to_ascii_lowercase()),
            "candidate" => push(&mut self.candidates, Some(attribute.to_owned())),
            "end-of-candidates" => self.ends_candidates = true,
            "sctp-port" => self.sctp_port = value.parse().ok(),
            "max-message-size" => self.max_message_size = value.parse().ok(),
            _ => self.direction = Direction::parse(attribute).or(self.direction),
        }
    }

    /// Whether the port says that it was refused or stopped (RFC 3264 section 8.2, RFC 9143 section 6).
    pub(super) fn is_refused(&self) -> bool {
        self.port == 0 && !self.bundle_only
    }

    pub(super) fn rtpmap(&self, payload_type: u8) -> Option<&str> {
        self.rtpmaps.iter().find(|map| map.0 == payload_type).map(|map| map.1.as_str())
    }

    pub(super) fn fmtp(&self, payload_type: u8) -> Option<&str> {
        self.fmtps.iter().find(|fmtp| fmtp.0 == payload_type).map(|fmtp| fmtp.1.as_str())
    }

    /// The value of the fingerprint that can be checked.
    pub(super) fn sha256(&self) -> Option<&str> {
        let is = |(hash, value): &&(String, String)| hash.eq_ignore_ascii_case("sha-256") && value.len() == 95;
        self.fingerprints.iter().find(is).map(|(_, value)| value.as_str())
    }
}

fn push<T>(list: &mut Vec<T>, item: Option<T>) {
    if list.len() < MAX_LINES {
        list.extend(item);
    }
}

fn numbered(value: &str) -> Option<(u8, String)> {
    let (number, rest) = value.split_once(' ')?;
    Some((payload_type(number)?, rest.trim().to_owned()))
}

/// A payload type has seven bits (RFC 3550 section 5.1).
pub(super) fn payload_type(word: &str) -> Option<u8> {
    word.parse().ok().filter(|number| *number < 128)
}

fn feedback(value: &str) -> Option<(Option<u8>, String)> {
    let (number, kind) = value.split_once(' ')?;
    let number = if number == "*" { None } else { Some(payload_type(number)?) };
    Some((number, kind.trim().to_owned()))
}

fn extension(value: &str) -> Option<(u16, String)> {
    let mut words = value.split_ascii_whitespace();
    let number = words.next()?.split('/').next()?.parse().ok()?;
    Some((number, words.next()?.to_owned()))
}

fn repair(value: &str) -> Option<(u32, u32)> {
    let mut words = value.split_ascii_whitespace();
    let fid = words.next() == Some("FID");
    let (original, retransmission) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    fid.then_some((original, retransmission))
}

/// A hash's name and its bytes (RFC 8122 section 5), in any case.
fn fingerprint(value: &str) -> Option<(String, String)> {
    let (hash, bytes) = value.split_once(' ')?;
    let is_byte = |byte: &str| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes = bytes.trim();
    bytes.split(':').all(is_byte).then(|| (hash.to_owned(), bytes.to_ascii_uppercase()))
}
