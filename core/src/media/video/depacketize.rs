//! What is in a video packet: VP8 by RFC 7741, H.264 by RFC 6184 (single NAL unit, STAP-A, FU-A).
//!
//! Everything here is total: any bytes give a result or `None`, nothing panics, and no more is written than was read plus
//! a start code for each NAL unit.

use super::codec::VideoCodec;

/// Of H.264's Annex B, before each NAL unit.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// NAL unit types of H.264 and its payload format.
mod nal {
    pub(super) const SLICE: u8 = 1;
    pub(super) const IDR: u8 = 5;
    pub(super) const SEI: u8 = 6;
    pub(super) const SPS: u8 = 7;
    pub(super) const PPS: u8 = 8;
    pub(super) const DELIMITER: u8 = 9;
    pub(super) const LAST_SINGLE: u8 = 23;
    pub(super) const STAP_A: u8 = 24;
    pub(super) const FU_A: u8 = 28;
    pub(super) const TYPE: u8 = 0x1f;
}

/// What one packet tells of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PayloadInfo {
    /// A picture may begin with it.
    pub(super) may_begin: bool,
    /// A picture begins with it, whatever came before.
    pub(super) begins: bool,
    /// Its picture is a keyframe. For VP8 the first packet says so, for H.264 any that has a part of an IDR slice.
    pub(super) keyframe: bool,
    /// Its picture is a keyframe, or will turn out to be one: H.264's parameter sets go before an IDR slice.
    pub(super) announces_keyframe: bool,
    /// VP8's picture identifier, if there is one.
    pub(super) picture_id: Option<PictureId>,
}

/// Counts VP8 pictures, in 7 or 15 bits (RFC 7741 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PictureId {
    value: u16,
    mask: u16,
}

impl PictureId {
    /// Whether no picture can be missing between the two.
    pub(super) fn follows(self, before: Self) -> bool {
        before.value.wrapping_add(1) & self.mask == self.value
    }
}

/// What the payload is; `None` if it is not valid.
pub(super) fn inspect(codec: VideoCodec, payload: &[u8]) -> Option<PayloadInfo> {
    match codec {
        VideoCodec::Vp8 => inspect_vp8(payload),
        VideoCodec::H264 => inspect_h264(payload),
    }
}

/// Puts the payloads of one picture, which must be all of them and in order, together at the end of `data`; whether that
/// makes a valid frame.
pub(super) fn assemble<'a>(codec: VideoCodec, payloads: impl Iterator<Item = &'a [u8]>, data: &mut Vec<u8>) -> bool {
    let before = data.len();
    let valid = match codec {
        VideoCodec::Vp8 => assemble_vp8(payloads, data),
        VideoCodec::H264 => assemble_h264(payloads, data),
    };
    valid.is_some() && data.len() > before
}

/// Whether an Annex B access unit has an IDR slice.
#[cfg(any(
    test,
    fuzzing,
    feature = "h264",
    all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))
))]
pub(super) fn has_idr(data: &[u8]) -> bool {
    let after_start_code = data.windows(4).filter(|window| window[..3] == START_CODE[1..]).map(|window| window[3]);
    // All slices of an access unit are IDR slices or none is.
    after_start_code.map(|header| header & nal::TYPE).find(|kind| (nal::SLICE..=nal::IDR).contains(kind))
        == Some(nal::IDR)
}

struct Vp8Descriptor {
    start: bool,
    picture_id: Option<PictureId>,
    length: usize,
}

fn vp8_descriptor(payload: &[u8]) -> Option<Vp8Descriptor> {
    let first = *payload.first()?;
    let mut length = 1;
    let mut picture_id = None;
    if first & 0x80 != 0 {
        let extension = *payload.get(1)?;
        length = 2;
        if extension & 0x80 != 0 {
            let high = *payload.get(length)?;
            length += 1;
            picture_id = Some(if high & 0x80 == 0 {
                PictureId { value: u16::from(high), mask: 0x7f }
            } else {
                let low = *payload.get(length)?;
                length += 1;
                PictureId { value: u16::from_be_bytes([high & 0x7f, low]), mask: 0x7fff }
            });
        }
        // TL0PICIDX, then TID and KEYIDX, which share a byte.
        length += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
    }
    // The start of the first partition is the start of the picture.
    (payload.len() > length).then_some(Vp8Descriptor { start: first & 0x17 == 0x10, picture_id, length })
}

fn inspect_vp8(payload: &[u8]) -> Option<PayloadInfo> {
    let Vp8Descriptor { start, picture_id, length } = vp8_descriptor(payload)?;
    // The lowest bit of the frame header is 0 in keyframes (RFC 6386 section 9.1).
    let keyframe = start && payload.get(length)? & 1 == 0;
    Some(PayloadInfo { may_begin: start, begins: start, keyframe, announces_keyframe: keyframe, picture_id })
}

fn assemble_vp8<'a>(payloads: impl Iterator<Item = &'a [u8]>, data: &mut Vec<u8>) -> Option<()> {
    for (n, payload) in payloads.enumerate() {
        let descriptor = vp8_descriptor(payload)?;
        if descriptor.start != (n == 0) {
            return None;
        }
        data.extend_from_slice(payload.get(descriptor.length..)?);
    }
    Some(())
}

/// The NAL units of a STAP-A without its header byte; ends with `None` where a size does not fit.
fn stap_units(payload: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let unit = rest.split_first_chunk::<2>().and_then(|(size, tail)| {
            let (unit, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
            rest = tail;
            (!unit.is_empty()).then_some(unit)
        });
        if unit.is_none() {
            rest = &[];
        }
        Some(unit)
    })
}

/// What a NAL unit tells, from its type and the byte after its header.
fn inspect_unit(kind: u8, after: Option<u8>) -> PayloadInfo {
    // A slice that begins at macroblock 0 has a 1 as its first bit (section 7.3.3 and 9.1 of H.264).
    let first_slice = matches!(kind, nal::SLICE | nal::IDR) && after.is_some_and(|byte| byte & 0x80 != 0);
    let begins = matches!(kind, nal::SPS | nal::DELIMITER);
    let may_begin = begins || first_slice || matches!(kind, nal::SEI | nal::PPS);
    let keyframe = kind == nal::IDR;
    PayloadInfo { may_begin, begins, keyframe, announces_keyframe: keyframe || kind == nal::SPS, picture_id: None }
}

fn inspect_h264(payload: &[u8]) -> Option<PayloadInfo> {
    let (header, rest) = payload.split_first()?;
    match header & nal::TYPE {
        kind @ 1..=nal::LAST_SINGLE => Some(inspect_unit(kind, rest.first().copied())),
        nal::STAP_A => {
            let mut all: Option<PayloadInfo> = None;
            for unit in stap_units(rest) {
                let (header, rest) = unit?.split_first()?;
                let info = inspect_unit(header & nal::TYPE, rest.first().copied());
                let first = all.get_or_insert(info);
                first.keyframe |= info.keyframe;
                first.announces_keyframe |= info.announces_keyframe;
            }
            all
        }
        nal::FU_A => {
            let (header, rest) = rest.split_first()?;
            let info = inspect_unit(header & nal::TYPE, rest.first().copied());
            let start = header & 0x80 != 0;
            Some(PayloadInfo { may_begin: info.may_begin && start, begins: info.begins && start, ..info })
        }
        _ => None,
    }
}

fn assemble_h264<'a>(payloads: impl Iterator<Item = &'a [u8]>, data: &mut Vec<u8>) -> Option<()> {
    // Type of the NAL unit of which more fragments are to come.
    let mut open: Option<u8> = None;
    for payload in payloads {
        let (header, rest) = payload.split_first()?;
        match header & nal::TYPE {
            1..=nal::LAST_SINGLE if open.is_none() => {
                data.extend_from_slice(&START_CODE);
                data.extend_from_slice(payload);
            }
            nal::STAP_A if open.is_none() => {
                for unit in stap_units(rest) {
                    data.extend_from_slice(&START_CODE);
                    data.extend_from_slice(unit?);
                }
            }
            nal::FU_A => {
                let (fragment, rest) = rest.split_first()?;
                let (start, end, kind) = (fragment & 0x80 != 0, fragment & 0x40 != 0, fragment & nal::TYPE);
                match open {
                    None if start => {
                        data.extend_from_slice(&START_CODE);
                        data.push(header & !nal::TYPE | kind);
                    }
                    Some(before) if !start && before == kind => {}
                    _ => return None,
                }
                data.extend_from_slice(rest);
                open = (!end).then_some(kind);
            }
            _ => return None,
        }
    }
    open.is_none().then_some(())
}

#[cfg(test)]
#[path = "depacketize_tests.rs"]
mod tests;
