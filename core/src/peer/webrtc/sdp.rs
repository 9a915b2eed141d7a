//! What must be known of a description (RFC 8866, RFC 9429) before the crate may have it.
//!
//! The crate changes its signaling state before it has read the whole description, so a bad one would leave it half
//! applied. Everything that can be refused by looking at the text is refused here.

use crate::media::video::codec::VideoCodec;
use crate::peer::PeerError;
use crate::signaling::message::MAX_FRAME_BYTES;
use std::collections::HashSet;

/// Most m-lines that are looked at; a call has three.
const MAX_SECTIONS: usize = 32;

/// The parts of a description that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) sections: Vec<Section>,
}

/// One m-line and what belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) kind: String,
    pub(super) mid: String,
    /// Port 0 and not bundle-only: refused (RFC 8843 section 6).
    pub(super) rejected: bool,
    /// In order of preference.
    pub(super) formats: Vec<u8>,
    pub(super) direction: Direction,
    rtpmaps: Vec<(u8, String)>,
    fmtps: Vec<(u8, String)>,
    fingerprint: bool,
    credentials: (bool, bool),
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
    pub(super) fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub(super) fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

impl Description {
    /// Reads and checks a remote description.
    ///
    /// # Errors
    /// [`PeerError::Negotiation`] with what is missing.
    pub(super) fn check(sdp: &str) -> Result<Self, PeerError> {
        let refuse = |why: &str| Err(PeerError::Negotiation(why.to_owned()));
        if sdp.len() > MAX_FRAME_BYTES {
            return refuse("the description is too long");
        }
        let (description, session) = Self::scan(sdp);
        if !sdp.starts_with("v=0") {
            return refuse("this is no description: it does not start with v=0");
        }
        if description.sections.is_empty() {
            return refuse("the description has no m-line");
        }
        if description.sections.len() > MAX_SECTIONS {
            return refuse("the description has too many m-lines");
        }
        let mut mids = HashSet::new();
        for section in &description.sections {
            if section.mid.is_empty() {
                return refuse("an m-line has no mid");
            }
            if !mids.insert(section.mid.as_str()) {
                return refuse("two m-lines have the same mid");
            }
        }
        let live = || description.sections.iter().filter(|s| !s.rejected);
        if !session.fingerprint && !live().any(|s| s.fingerprint) {
            return refuse("the description has no certificate fingerprint");
        }
        if !(session.credentials.0 || live().any(|s| s.credentials.0))
            || !(session.credentials.1 || live().any(|s| s.credentials.1))
        {
            return refuse("the description has no ICE credentials");
        }
        Ok(description)
    }

    /// Reads a description made here.
    pub(super) fn read(sdp: &str) -> Self {
        Self::scan(sdp).0
    }

    /// Whether this may be the answer to `offer` (RFC 9429 section 5.10): the same m-lines in the same order.
    pub(super) fn answers(&self, offer: &Self) -> bool {
        self.sections.len() == offer.sections.len()
            && self.sections.iter().zip(&offer.sections).all(|(a, o)| a.mid == o.mid && a.kind == o.kind)
    }

    /// The first m-line of this kind that was not refused.
    pub(super) fn section(&self, kind: &str) -> Option<&Section> {
        self.sections.iter().find(|s| s.kind == kind && !s.rejected)
    }

    fn scan(sdp: &str) -> (Self, Section) {
        let mut session = Section::default();
        let mut sections: Vec<Section> = Vec::new();
        for line in sdp.lines() {
            let line = line.trim_end();
            if let Some(media) = line.strip_prefix("m=") {
                let mut words = media.split_ascii_whitespace();
                let kind = words.next().unwrap_or_default().to_owned();
                let rejected = words.next() == Some("0");
                let formats = words.skip(1).filter_map(|f| f.parse().ok()).collect();
                sections.push(Section { kind, rejected, formats, direction: session.direction, ..Section::default() });
                if sections.len() > MAX_SECTIONS {
                    break;
                }
                continue;
            }
            let section = sections.last_mut().unwrap_or(&mut session);
            section.attribute(line);
        }
        (Self { sections }, session)
    }
}

impl Section {
    fn attribute(&mut self, line: &str) {
        let numbered = |text: &str| {
            let (number, rest) = text.split_once(' ')?;
            Some((number.parse::<u8>().ok()?, rest.trim().to_owned()))
        };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            self.mid = mid.to_owned();
        } else if line == "a=bundle-only" {
            self.rejected = false;
        } else if let Some(direction) = match line {
            "a=sendrecv" => Some(Direction::SendRecv),
            "a=sendonly" => Some(Direction::SendOnly),
            "a=recvonly" => Some(Direction::RecvOnly),
            "a=inactive" => Some(Direction::Inactive),
            _ => None,
        } {
            self.direction = direction;
        } else if let Some(map) = line.strip_prefix("a=rtpmap:") {
            self.rtpmaps.extend(numbered(map));
        } else if let Some(fmtp) = line.strip_prefix("a=fmtp:") {
            self.fmtps.extend(numbered(fmtp));
        } else if let Some(fingerprint) = line.strip_prefix("a=fingerprint:") {
            self.fingerprint |= is_fingerprint(fingerprint);
        } else if line.starts_with("a=ice-ufrag:") {
            self.credentials.0 = true;
        } else if line.starts_with("a=ice-pwd:") {
            self.credentials.1 = true;
        }
    }

    /// The payload types that carry video which this core knows, in order of preference.
    pub(super) fn video_formats(&self) -> Vec<(u8, VideoCodec)> {
        self.formats.iter().filter_map(|&pt| Some((pt, self.codec(pt)?))).collect()
    }

    /// Which payload type retransmits which (RFC 4588 section 8.6): (retransmission, original).
    pub(super) fn retransmissions(&self) -> Vec<(u8, u8)> {
        let is_rtx = |pt: u8| self.rtpmap(pt).is_some_and(|m| m.to_ascii_lowercase().starts_with("rtx/"));
        let original = |pt: u8| self.fmtp(pt)?.split(';').find_map(|p| p.trim().strip_prefix("apt=")?.parse().ok());
        self.formats.iter().filter(|&&pt| is_rtx(pt)).filter_map(|&pt| Some((pt, original(pt)?))).collect()
    }

    /// The payload type of RED (RFC 2198) whose blocks are all Opus, if there is one.
    pub(super) fn redundancy(&self) -> Option<u8> {
        let is = |pt: u8, name: &str| self.rtpmap(pt).is_some_and(|m| m.to_ascii_lowercase().starts_with(name));
        let is_opus = |pt: &str| pt.trim().parse().is_ok_and(|pt| is(pt, "opus/48000"));
        let of_opus = |pt: u8| self.fmtp(pt).is_some_and(|blocks| blocks.split('/').all(is_opus));
        self.formats.iter().copied().find(|&pt| is(pt, "red/48000") && of_opus(pt))
    }

    fn codec(&self, pt: u8) -> Option<VideoCodec> {
        let name = self.rtpmap(pt)?.split('/').next()?.to_ascii_uppercase();
        match name.as_str() {
            "VP8" => Some(VideoCodec::Vp8),
            // Single NAL unit mode is another format: large pictures do not fit into it.
            "H264" if self.fmtp(pt)?.split(';').any(|p| p.trim() == "packetization-mode=1") => Some(VideoCodec::H264),
            _ => None,
        }
    }

    fn rtpmap(&self, pt: u8) -> Option<&str> {
        self.rtpmaps.iter().find(|m| m.0 == pt).map(|m| m.1.as_str())
    }

    fn fmtp(&self, pt: u8) -> Option<&str> {
        self.fmtps.iter().find(|m| m.0 == pt).map(|m| m.1.as_str())
    }
}

/// A hash's name and its bytes (RFC 8122 section 5).
fn is_fingerprint(text: &str) -> bool {
    let is_byte = |b: &str| b.len() == 2 && b.bytes().all(|c| c.is_ascii_hexdigit());
    text.split_once(' ').is_some_and(|(hash, bytes)| {
        hash.len() >= 3 && bytes.trim().split(':').count() >= 16 && bytes.trim().split(':').all(is_byte)
    })
}
