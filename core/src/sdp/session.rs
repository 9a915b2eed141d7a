//! What both sides have described so far: every m-line of theirs, and which of them the call uses for what.

use super::formats::{self, Numbers};
use super::read::{Description, Direction, SdpError, Section};
use super::select::{self, Transport};
use crate::media::video::codec::VideoCodec;

/// The transport-wide sequence number in a header extension (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2).
pub(crate) const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// The mid of a packet's m-line in a header extension (RFC 9143 section 15).
pub(crate) const SDES_MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// What an m-line carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Audio,
    Video,
    Data,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Data => "application",
        }
    }
}

/// One m-line, in the order of the descriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: String,
    pub(super) protocol: String,
    pub(super) formats: Vec<String>,
    pub(super) mid: Option<String>,
    /// What the call uses it for; `None` is refused.
    pub(super) used: Option<Kind>,
    /// Whether the other side sends on it.
    sends: bool,
}

/// Sound or video: on which m-lines it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Media {
    /// On which this side sends, and receives, as things stand. The other side may have several of a kind.
    pub(super) send: Option<usize>,
    pub(super) receive: Option<usize>,
    /// On which this side would send.
    pub(super) home: Option<usize>,
    /// What arrives.
    pub(crate) source: Option<Source>,
    /// Whether the description said so, or it was learnt from its packets.
    pub(crate) signaled: bool,
    /// Identifiers of header extensions in packets of the other side's.
    pub(super) transport_cc: Option<u16>,
    pub(crate) mid_extension: Option<u16>,
    /// Feedback for the codecs that were agreed on.
    pub(super) feedback: Vec<&'static str>,
    /// The other side has an m-line for it, but no codec that this side knows.
    pub(crate) no_common_codec: bool,
}

/// What the m-line that a candidate names is to the call's transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CandidateLine {
    /// It belongs to another transport, or to none.
    Unused,
    /// The transport is its own: it has the BUNDLE tag (RFC 9143 section 7.1), or the candidate names no m-line.
    Tagged,
    /// It has joined the transport of another one. What was gathered for it before leads nowhere.
    Bundled,
}

/// A stream (RFC 3550 SSRC) and the one that retransmits for it (RFC 4588).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) ssrc: u32,
    pub(crate) rtx: Option<u32>,
}

/// Who begins the DTLS handshake: for as long as the association lives (RFC 8842 section 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

/// The m-lines of the call and what was agreed on. Descriptions make a new one of it, so that one which fails leaves it as it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(super) codecs: Vec<VideoCodec>,
    pub(super) lines: Vec<Line>,
    /// The one whose transport the other side uses for all.
    tagged: Option<usize>,
    /// The sections that the crate knows: kind and mid.
    pub(super) plain: Vec<(Kind, String)>,
    pub(crate) audio: Media,
    pub(crate) video: Media,
    pub(super) data: Option<usize>,
    /// The other side's (RFC 8841 section 5).
    pub(super) sctp_port: Option<u16>,
    pub(super) remote: Transport,
    pub(super) role: Option<Role>,
    /// Payload types of what this side sends, and of what it receives.
    pub(crate) send: Numbers,
    pub(crate) receive: Numbers,
}

impl Session {
    /// Before the first description. The codecs are those that this side knows, the preferred one first.
    pub(crate) fn new(codecs: &[VideoCodec]) -> Self {
        Self { codecs: codecs.to_vec(), ..Self::default() }
    }

    /// The state with this offer of the other side's answered.
    ///
    /// # Errors
    /// [`SdpError`].
    pub(crate) fn offered(&self, offer: &Description) -> Result<Self, SdpError> {
        let mut next = self.described(offer)?;
        next.role.get_or_insert(match next.remote.setup.as_deref() {
            Some("active") => Role::Server,
            Some("passive") => Role::Client,
            _ if next.remote.ice_lite => Role::Server,
            _ => Role::Client,
        });
        // The answer has the numbers of the offer.
        next.receive = next.send.clone();
        for kind in [Kind::Audio, Kind::Video, Kind::Data] {
            let is_new = next.lines.iter().any(|line| line.used == Some(kind));
            if is_new && !next.plain.iter().any(|line| line.0 == kind) {
                next.plain.push((kind, next.plain.len().to_string()));
            }
        }
        Ok(next)
    }

    /// The state with this answer to the own offer that [`Self::offering`] stands for.
    ///
    /// # Errors
    /// [`SdpError`].
    pub(crate) fn answered(&self, answer: &Description) -> Result<Self, SdpError> {
        let same = |(line, section): (&Line, &Section)| {
            line.kind == section.kind && (section.mid.is_none() || section.mid == line.mid)
        };
        if answer.sections.len() != self.lines.len() || !self.lines.iter().zip(&answer.sections).all(same) {
            return Err(SdpError::OtherSections);
        }
        let mut answer = answer.clone();
        for (line, section) in self.lines.iter().zip(&mut answer.sections) {
            section.mid.clone_from(&line.mid);
            if line.used.is_none() {
                section.port = 0;
                section.bundle_only = false;
            }
        }
        let mut next = self.described(&answer)?;
        next.role.get_or_insert(if next.remote.setup.as_deref() == Some("passive") {
            Role::Client
        } else {
            Role::Server
        });
        Ok(next)
    }

    /// The state with the offer of which the crate made `own`.
    pub(crate) fn offering(&self, own: &Description) -> Self {
        let mut next = self.clone();
        // Those of a peer that names none.
        for n in 0..next.lines.len() {
            let mid = next.free_mid("");
            if let Some(line) = next.lines.get_mut(n) {
                line.mid.get_or_insert(mid);
            }
        }
        for section in own.sections.iter().skip(self.plain.len()) {
            let kind = match section.kind.as_str() {
                "audio" => Kind::Audio,
                "video" => Kind::Video,
                _ => Kind::Data,
            };
            let mid = next.free_mid(section.mid.as_deref().unwrap_or_default());
            next.plain.push((kind, section.mid.clone().unwrap_or_default()));
            let index = next.lines.len();
            next.lines.push(Line {
                kind: section.kind.clone(),
                protocol: section.protocol.clone(),
                formats: section.formats.clone(),
                mid: Some(mid),
                used: Some(kind),
                sends: false,
            });
            match kind {
                Kind::Audio => next.audio.home = Some(index),
                Kind::Video => next.video.home = Some(index),
                Kind::Data => next.data = Some(index),
            }
        }
        next.receive = next.receive.completed(&next.codecs);
        let place = |codec| next.codecs.iter().position(|known| *known == codec);
        next.receive.video.sort_by_key(|number| place(number.codec));
        next
    }

    /// The state in which this stream is known to be the sound or the video that arrives, or `None` if nothing changes by it.
    pub(crate) fn with_source(&self, kind: Kind, ssrc: u32) -> Option<Self> {
        let mut next = self.clone();
        let media = next.media_mut(kind)?;
        if media.receive.is_none() || media.source.is_some_and(|source| source.ssrc == ssrc) {
            return None;
        }
        media.source = Some(Source { ssrc, rtx: None });
        media.signaled = false;
        Some(next)
    }

    /// The candidates that stand in a description of the other side's and belong to the call's transport.
    /// Each with the index of its m-line.
    pub(crate) fn candidates(&self, description: &Description) -> Vec<(u16, String)> {
        let uses: Vec<Option<Kind>> = self.lines.iter().map(|line| line.used).collect();
        let found = select::candidates(description, &uses);
        found.filter_map(|(n, candidate)| Some((u16::try_from(n).ok()?, candidate.to_owned()))).collect()
    }

    /// What the m-line with this mid or else this index is to the call's transport. `None`: there is no such m-line.
    pub(crate) fn line_of_candidate(&self, mid: Option<&str>, index: Option<u16>) -> Option<CandidateLine> {
        // A peer that names no sections in descriptions may do so in candidates.
        let named = self.lines.iter().any(|line| line.mid.is_some());
        let line = match (mid.filter(|mid| named && !mid.is_empty()), index) {
            (Some(mid), _) => self.lines.iter().position(|line| line.mid.as_deref() == Some(mid))?,
            (None, Some(index)) => usize::from(index),
            (None, None) => return Some(CandidateLine::Tagged),
        };
        Some(match self.lines.get(line)?.used {
            None => CandidateLine::Unused,
            Some(_) if self.tagged == Some(line) => CandidateLine::Tagged,
            Some(_) => CandidateLine::Bundled,
        })
    }

    /// The user name of the other side's ICE agent: another one is another generation of candidates.
    pub(crate) fn remote_ufrag(&self) -> &str {
        &self.remote.ufrag
    }

    /// That agent's password.
    pub(crate) fn remote_password(&self) -> &str {
        &self.remote.pwd
    }

    /// Whether that agent only answers checks and makes none (RFC 8445 section 2.5).
    pub(crate) fn remote_is_lite(&self) -> bool {
        self.remote.ice_lite
    }

    /// The m-line that this side's candidates are told with: mid and index.
    pub(crate) fn candidate_line(&self) -> (Option<String>, u16) {
        let used = self.lines.iter().position(|line| line.used.is_some()).unwrap_or_default();
        (self.lines.get(used).and_then(|line| line.mid.clone()), u16::try_from(used).unwrap_or_default())
    }

    /// Whether there is neither sound nor video that both sides know, though one of them was described.
    pub(crate) fn has_nothing_in_common(&self) -> bool {
        let described = self.lines.iter().any(|line| line.kind == "audio" || line.kind == "video");
        described && self.lines.iter().all(|line| !matches!(line.used, Some(Kind::Audio | Kind::Video)))
    }

    /// Whether sound, or video, was described and refused for want of a codec: by this side, or by the answer to its own offer.
    pub(crate) fn lacks_codec(&self, kind: Kind) -> bool {
        let mut lines = self.lines.iter().filter(|line| line.kind == kind.as_str()).peekable();
        self.media(kind).is_some_and(|media| media.no_common_codec)
            || (lines.peek().is_some() && lines.all(|line| line.used.is_none()))
    }

    /// The kinds that the crate has a section for.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.plain.iter().any(|line| line.0 == kind)
    }

    /// Whether this side sends sound, or video.
    pub(crate) fn sends(&self, kind: Kind) -> bool {
        self.media(kind).is_some_and(|media| media.send.is_some())
    }

    /// Whether the other side said that it sends sound, or video.
    pub(crate) fn receives(&self, kind: Kind) -> bool {
        self.media(kind).is_some_and(|media| media.receive.is_some())
    }

    /// The mid under which sound, or video, arrives.
    pub(crate) fn receive_mid(&self, kind: Kind) -> Option<&str> {
        self.lines.get(self.media(kind)?.receive?)?.mid.as_deref()
    }

    pub(super) fn media(&self, kind: Kind) -> Option<&Media> {
        match kind {
            Kind::Audio => Some(&self.audio),
            Kind::Video => Some(&self.video),
            Kind::Data => None,
        }
    }

    fn media_mut(&mut self, kind: Kind) -> Option<&mut Media> {
        match kind {
            Kind::Audio => Some(&mut self.audio),
            Kind::Video => Some(&mut self.video),
            Kind::Data => None,
        }
    }

    fn described(&self, description: &Description) -> Result<Self, SdpError> {
        let mut uses = select::uses(description);
        let remote = match select::transport(description, &uses) {
            // Everything is stopped: the transport stays what it was.
            Err(_) if !self.lines.is_empty() && uses.iter().all(Option::is_none) => self.remote.clone(),
            found => found?,
        };
        let mut next = self.clone();
        next.remote = remote;
        for kind in [Kind::Audio, Kind::Video] {
            let refused = self.refuse_unknown(description, &mut uses, kind);
            let media = self.choose(description, &uses, kind);
            let index = media.send.or(media.home).or(media.receive);
            if let Some(section) = index.and_then(|index| description.sections.get(index)) {
                next.take_numbers(section, kind);
            }
            let no_common_codec = refused && index.is_none();
            if let Some(place) = next.media_mut(kind) {
                *place = Media { no_common_codec, ..media };
            }
        }
        let data = uses.iter().position(|used| *used == Some(Kind::Data));
        uses.iter_mut()
            .enumerate()
            .filter(|(n, used)| **used == Some(Kind::Data) && Some(*n) != data)
            .for_each(|(_, used)| *used = None);
        next.data = data;
        next.sctp_port = data.and_then(|n| description.sections.get(n)?.sctp_port);
        let line = |(section, used): (&Section, &Option<Kind>)| Line {
            kind: section.kind.clone(),
            protocol: section.protocol.clone(),
            formats: section.formats.clone(),
            mid: section.mid.clone(),
            used: *used,
            sends: description.direction(section).sends(),
        };
        next.lines = description.sections.iter().zip(&uses).map(line).collect();
        next.tagged = select::tagged_index(description, &uses);
        Ok(next)
    }

    /// Takes the sections out that have no codec in common with this side, and says whether there was one.
    fn refuse_unknown(&self, description: &Description, uses: &mut [Option<Kind>], kind: Kind) -> bool {
        let mut refused = false;
        for (section, used) in description.sections.iter().zip(uses) {
            let known = match kind {
                Kind::Audio => formats::audio(section).0.is_some(),
                Kind::Video => !formats::video(section, &self.codecs).is_empty(),
                Kind::Data => true,
            };
            if *used == Some(kind) && !known {
                *used = None;
                refused = true;
            }
        }
        refused
    }

    /// Which of the m-lines of a kind are sent and received on.
    fn choose(&self, description: &Description, uses: &[Option<Kind>], kind: Kind) -> Media {
        let before = self.media(kind).cloned().unwrap_or_default();
        let usable: Vec<usize> = (0..uses.len()).filter(|n| uses[*n] == Some(kind)).collect();
        let direction =
            |n: usize| description.sections.get(n).map_or(Direction::Inactive, |s| description.direction(s));
        let is_same = |n: usize| {
            let (line, section) = (self.lines.get(n), description.sections.get(n));
            line.zip(section).is_some_and(|(line, section)| line.used == Some(kind) && line.mid == section.mid)
        };
        let was_sending = |n: usize| is_same(n) && self.lines.get(n).is_some_and(|line| line.sends);
        let sending: Vec<usize> = usable.iter().copied().filter(|n| direction(*n).sends()).collect();
        // Of several the newest is what the person wants to show; the others are not asked for.
        let newest = sending.iter().copied().rfind(|n| !was_sending(*n));
        let kept = before.receive.filter(|n| sending.contains(n) && is_same(*n));
        let receive = newest.or(kept).or(sending.last().copied());
        let receiving: Vec<usize> = usable.iter().copied().filter(|n| direction(*n).receives()).collect();
        let home = before.home.filter(|n| usable.contains(n) && is_same(*n));
        let send = home.filter(|n| receiving.contains(n)).or(receiving.first().copied());
        let section = |n: Option<usize>| description.sections.get(n?);
        let signaled = section(receive).and_then(source);
        let learnt =
            before.source.filter(|_| !before.signaled && before.receive == receive && receive.is_some_and(is_same));
        let home = send.or(home).or(receive).or(usable.first().copied());
        let described = section(send.or(home));
        let extension = |section: Option<&Section>, uri: &str| {
            section?.extensions.iter().find(|extension| extension.1 == uri).map(|extension| extension.0)
        };
        Media {
            send,
            receive,
            home,
            source: signaled.or(learnt),
            signaled: signaled.is_some(),
            transport_cc: extension(described, TRANSPORT_CC),
            mid_extension: extension(section(receive), SDES_MID),
            feedback: described.map(|section| self.feedback(section, kind)).unwrap_or_default(),
            no_common_codec: false,
        }
    }

    fn feedback(&self, section: &Section, kind: Kind) -> Vec<&'static str> {
        match kind {
            Kind::Video => {
                let first = formats::video(section, &self.codecs).into_iter().next();
                first
                    .map(|first| formats::feedback(section, first.payload_type, &formats::VIDEO_FEEDBACK))
                    .unwrap_or_default()
            }
            _ => formats::audio(section)
                .0
                .map(|opus| formats::feedback(section, opus, &formats::AUDIO_FEEDBACK))
                .unwrap_or_default(),
        }
    }

    fn take_numbers(&mut self, section: &Section, kind: Kind) {
        if kind == Kind::Audio {
            (self.send.opus, self.send.red) = formats::audio(section);
            (self.send.dtmf, self.send.dtmf_8k) = formats::telephone_events(section);
        } else {
            self.send.video = formats::video(section, &self.codecs);
            self.send.flexfec = formats::flexfec(section).filter(|_| !self.send.video.is_empty());
        }
    }

    fn free_mid(&self, wanted: &str) -> String {
        let is_free = |mid: &str| !mid.is_empty() && self.lines.iter().all(|line| line.mid.as_deref() != Some(mid));
        let numbered = (0..=self.lines.len()).map(|n| n.to_string()).find(|mid| is_free(mid));
        if is_free(wanted) { wanted.to_owned() } else { numbered.unwrap_or_default() }
    }
}

/// What a section says of the stream that it sends. With layers of simulcast (RFC 8853) there may be several of which one comes.
fn source(section: &Section) -> Option<Source> {
    let repairs = |ssrc: u32| section.repairs.iter().any(|(_, rtx)| *rtx == ssrc);
    let ssrc = section.ssrcs.iter().copied().find(|ssrc| !repairs(*ssrc))?;
    let rtx = section.repairs.iter().find(|(original, _)| *original == ssrc).map(|(_, rtx)| *rtx);
    Some(Source { ssrc, rtx })
}
