//! Payload types: which a section has for what this side knows, and which are used in a call.

use super::read::{Section, payload_type};
use crate::media::video::codec::VideoCodec;

/// Payload types of the offers made here. An answer uses those of the offer that it answers.
pub(crate) const OPUS: u8 = 111;
pub(crate) const RED: u8 = 63;
/// Telephone events (RFC 4733) in the clock of Opus, and in that of old telephones, which some take alone.
pub(crate) const DTMF: u8 = 101;
pub(crate) const DTMF_8K: u8 = 126;
/// Forward error correction of video.
const FLEXFEC: u8 = 118;
const VP8: (u8, u8) = (96, 97);
const H264: (u8, u8) = (106, 107);
/// What is free for other formats (RFC 3551 section 6, RFC 5761 section 4).
const FREE: [std::ops::RangeInclusive<u8>; 2] = [96..=127, 35..=63];

/// Parameters of Opus: in-band forward error correction (RFC 7587 section 6.1).
pub(crate) const OPUS_FMTP: &str = "minptime=10;useinbandfec=1";
/// The keys of a phone (RFC 4733 section 3.2).
pub(super) const DTMF_FMTP: &str = "0-15";
/// How long, in microseconds, a packet and what repairs it are apart at most: what others write, far more than it is.
pub(super) const FLEXFEC_FMTP: &str = "repair-window=10000000";
/// Constrained baseline (RFC 7742 section 6.2), packetization mode 1 (RFC 6184 section 5.4). Level 3.1 is the floor of
/// RFC 7742; `level-asymmetry-allowed` lets each side send more if the other takes more.
pub(crate) const H264_FMTP: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
/// The level in a profile-level-id.
const H264_LEVEL: &str = "1f";

/// The payload type of a codec in offers of this side, and that of its retransmissions.
pub(crate) fn usual(codec: VideoCodec) -> (u8, u8) {
    match codec {
        VideoCodec::Vp8 => VP8,
        VideoCodec::H264 => H264,
    }
}

/// A codec's name in `a=rtpmap`.
pub(crate) fn name(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::Vp8 => "VP8",
        VideoCodec::H264 => "H264",
    }
}

/// The payload types of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) opus: Option<u8>,
    /// RED (RFC 2198) whose blocks are all Opus.
    pub(crate) red: Option<u8>,
    /// Telephone events (RFC 4733) at 48 kHz, and at 8 kHz.
    pub(crate) dtmf: Option<u8>,
    pub(crate) dtmf_8k: Option<u8>,
    /// Forward error correction of video (draft-ietf-payload-flexible-fec-scheme-03).
    pub(crate) flexfec: Option<u8>,
    /// At most one of each codec, the preferred one first.
    pub(crate) video: Vec<VideoNumber>,
}

/// One video codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VideoNumber {
    pub(crate) codec: VideoCodec,
    pub(crate) payload_type: u8,
    /// Retransmissions (RFC 4588).
    pub(crate) rtx: Option<u8>,
    /// The first four digits of the profile-level-id of H.264: profile and constraints (RFC 6184 section 8.1).
    pub(crate) profile: Option<String>,
}

impl Numbers {
    pub(crate) fn of(&self, codec: VideoCodec) -> Option<&VideoNumber> {
        self.video.iter().find(|number| number.codec == codec)
    }

    fn has(&self, number: u8) -> bool {
        let of_video = |video: &VideoNumber| video.payload_type == number || video.rtx == Some(number);
        let others = [self.opus, self.red, self.dtmf, self.dtmf_8k, self.flexfec];
        others.contains(&Some(number)) || self.video.iter().any(of_video)
    }

    /// The usual number if it is free, or another one.
    fn free(&self, usual: u8) -> u8 {
        let mut others = FREE.into_iter().flatten();
        if !self.has(usual) { usual } else { others.find(|number| !self.has(*number)).unwrap_or(usual) }
    }

    /// The same with numbers for what has none: Opus, RED, telephone events, and these codecs, with retransmissions and forward error
    /// correction.
    pub(crate) fn completed(&self, codecs: &[VideoCodec]) -> Self {
        let mut all = self.clone();
        all.opus = Some(all.opus.unwrap_or_else(|| all.free(OPUS)));
        all.red = Some(all.red.unwrap_or_else(|| all.free(RED)));
        all.dtmf = Some(all.dtmf.unwrap_or_else(|| all.free(DTMF)));
        all.dtmf_8k = Some(all.dtmf_8k.unwrap_or_else(|| all.free(DTMF_8K)));
        for &codec in codecs {
            if all.of(codec).is_none() {
                let payload_type = all.free(usual(codec).0);
                all.video.push(VideoNumber { codec, payload_type, rtx: None, profile: None });
            }
        }
        all.flexfec = Some(all.flexfec.unwrap_or_else(|| all.free(FLEXFEC)));
        for n in 0..all.video.len() {
            if all.video[n].rtx.is_none() {
                all.video[n].rtx = Some(all.free(usual(all.video[n].codec).1));
            }
        }
        all
    }

    /// Which payload type retransmits which: (retransmission, original).
    pub(crate) fn retransmissions(&self) -> impl Iterator<Item = (u8, u8)> {
        self.video.iter().filter_map(|video| Some((video.rtx?, video.payload_type)))
    }
}

impl VideoNumber {
    /// The parameters, if there are any: those of the peer's profile at our level.
    pub(super) fn fmtp(&self) -> Option<String> {
        match (self.codec, &self.profile) {
            (VideoCodec::Vp8, _) => None,
            (VideoCodec::H264, None) => Some(H264_FMTP.to_owned()),
            (VideoCodec::H264, Some(profile)) => {
                Some(H264_FMTP.replace("profile-level-id=42e01f", &format!("profile-level-id={profile}{H264_LEVEL}")))
            }
        }
    }
}

/// The payload type of Opus, if there is one, and of RED with nothing but Opus in it.
pub(super) fn audio(section: &Section) -> (Option<u8>, Option<u8>) {
    let is =
        |number: u8, name: &str| section.rtpmap(number).is_some_and(|map| map.to_ascii_lowercase().starts_with(name));
    let opus = numbers(section).find(|&number| is(number, "opus/48000"));
    let is_opus = |block: &str| payload_type(block.trim()).is_some_and(|number| is(number, "opus/48000"));
    let of_opus = |number: u8| section.fmtp(number).is_some_and(|blocks| blocks.split('/').all(is_opus));
    let red = numbers(section).find(|&number| is(number, "red/48000") && of_opus(number));
    (opus, red.filter(|_| opus.is_some()))
}

/// The payload types of telephone events, at 48 kHz and at 8 kHz: the former where the section has both.
pub(super) fn telephone_events(section: &Section) -> (Option<u8>, Option<u8>) {
    let of = |name: &str| {
        let is = |map: &str| map.eq_ignore_ascii_case(name) || map.eq_ignore_ascii_case(&format!("{name}/1"));
        numbers(section).find(|&number| section.rtpmap(number).is_some_and(is))
    };
    match of("telephone-event/48000") {
        None => (None, of("telephone-event/8000")),
        found => (found, None),
    }
}

/// The codecs of a section that are among these, in the section's order of preference.
pub(super) fn video(section: &Section, codecs: &[VideoCodec]) -> Vec<VideoNumber> {
    let all: Vec<VideoNumber> = numbers(section).filter_map(|number| video_number(section, number)).collect();
    let chosen = |wanted: VideoCodec| {
        let mut of_codec = all.iter().filter(|number| number.codec == wanted);
        let first = of_codec.clone().next();
        of_codec.find(|number| number.is_constrained_baseline()).or(first)
    };
    all.iter()
        .filter(|number| codecs.contains(&number.codec) && chosen(number.codec) == Some(*number))
        .cloned()
        .collect()
}

impl VideoNumber {
    /// Of several formats of H.264 that which RFC 7742 asks of everybody: its encoder makes nothing else.
    fn is_constrained_baseline(&self) -> bool {
        let Some(profile) = &self.profile else { return true };
        let constraints = profile.get(2..4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        profile.starts_with("42") && constraints.is_some_and(|bits| bits & 0x40 != 0)
    }
}

fn video_number(section: &Section, number: u8) -> Option<VideoNumber> {
    let name = section.rtpmap(number)?.split('/').next()?.to_ascii_uppercase();
    let parameters = || section.fmtp(number).unwrap_or_default().split(';').map(str::trim);
    let codec = match name.as_str() {
        "VP8" => VideoCodec::Vp8,
        // Single NAL unit mode is another format: large pictures do not fit into it.
        "H264" if parameters().any(|p| p.eq_ignore_ascii_case("packetization-mode=1")) => VideoCodec::H264,
        _ => return None,
    };
    let level = |p: &str| p.to_ascii_lowercase().strip_prefix("profile-level-id=").map(str::to_owned);
    let profile = parameters().find_map(level).filter(|id| id.len() == 6 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    let profile = profile.map(|id| id[..4].to_owned()).filter(|_| codec == VideoCodec::H264);
    Some(VideoNumber { codec, payload_type: number, rtx: retransmission(section, number), profile })
}

/// The payload type that retransmits this one (RFC 4588 section 8.6).
fn retransmission(section: &Section, original: u8) -> Option<u8> {
    let is_rtx = |number: u8| section.rtpmap(number).is_some_and(|map| map.to_ascii_lowercase().starts_with("rtx/"));
    let repairs = |number: u8| {
        let apt = section.fmtp(number)?.split(';').find_map(|p| payload_type(p.trim().strip_prefix("apt=")?));
        Some(apt? == original)
    };
    numbers(section).find(|&number| is_rtx(number) && repairs(number) == Some(true))
}

/// The payload type of forward error correction.
pub(super) fn flexfec(section: &Section) -> Option<u8> {
    let is = |number: &u8| section.rtpmap(*number).is_some_and(|map| map.eq_ignore_ascii_case("flexfec-03/90000"));
    numbers(section).find(is)
}

fn numbers(section: &Section) -> impl Iterator<Item = u8> {
    section.formats.iter().filter_map(|format| payload_type(format))
}

/// Feedback that this side gives and takes (RFC 4585, RFC 5104, and transport-wide numbers).
pub(super) const AUDIO_FEEDBACK: [&str; 1] = ["transport-cc"];
pub(super) const FLEXFEC_FEEDBACK: [&str; 1] = AUDIO_FEEDBACK;
pub(super) const VIDEO_FEEDBACK: [&str; 4] = ["ccm fir", "nack", "nack pli", "transport-cc"];

/// Of the feedback that this side knows what the section has for a format.
pub(super) fn feedback(section: &Section, number: u8, known: &[&'static str]) -> Vec<&'static str> {
    let has = |kind: &str| {
        let mut lines = section.feedback.iter();
        lines.any(|(format, line)| format.is_none_or(|format| format == number) && line.eq_ignore_ascii_case(kind))
    };
    known.iter().copied().filter(|kind| has(kind)).collect()
}
