//! H.264 as a byte stream with start codes (ITU-T H.264 annex B), which is what WebRTC's packetizer and our traits speak,
//! and with lengths before each unit (ISO/IEC 14496-15, "AVCC"), which is what VideoToolbox speaks.

use bytes::Bytes;
use std::borrow::Cow;

const START_CODE: [u8; 4] = [0, 0, 0, 1];
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const NAL_DELIMITER: u8 = 9;

fn nal_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1f)
}

/// The units between start codes, without these and without zeros after a unit; bytes before the first start code are skipped.
pub(super) fn nal_units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(data);
    std::iter::from_fn(move || {
        let from = rest?;
        let next = find_start_code(from);
        rest = next.map(|at| &from[at + 3..]);
        let unit = &from[..next.unwrap_or(from.len())];
        let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Some(&unit[..end])
    })
    .filter(|unit| !unit.is_empty())
}

fn find_start_code(data: &[u8]) -> Option<usize> {
    data.windows(3).position(|three| three == [0, 0, 1])
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    find_start_code(data).map(|at| &data[at + 3..])
}

/// The sequence and the picture parameter set that a decoder needs before the first picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ParameterSets {
    pub(super) sps: Vec<u8>,
    pub(super) pps: Vec<u8>,
}

impl ParameterSets {
    /// Takes over those that a byte stream carries; whether there is now another pair than before.
    pub(super) fn update(&mut self, data: &[u8]) -> bool {
        let mut changed = false;
        for unit in nal_units(data) {
            let kept = match nal_type(unit) {
                NAL_SPS => &mut self.sps,
                NAL_PPS => &mut self.pps,
                _ => continue,
            };
            if kept != unit {
                kept.clear();
                kept.extend_from_slice(unit);
                changed = true;
            }
        }
        changed
    }

    pub(super) fn complete(&self) -> bool {
        !self.sps.is_empty() && !self.pps.is_empty()
    }
}

/// A byte stream in which parameter sets stand before an IDR picture: those that it has, else those given.
pub(super) fn with_parameter_sets<'a>(data: &'a [u8], sets: &ParameterSets) -> Cow<'a, [u8]> {
    let (mut idr, mut own) = (false, false);
    for unit in nal_units(data) {
        idr |= nal_type(unit) == NAL_IDR;
        own |= nal_type(unit) == NAL_SPS;
    }
    if !idr || own || !sets.complete() {
        return Cow::Borrowed(data);
    }
    let mut out = Vec::with_capacity(data.len() + sets.sps.len() + sets.pps.len() + 2 * START_CODE.len());
    for unit in [&sets.sps, &sets.pps] {
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(unit);
    }
    out.extend_from_slice(data);
    Cow::Owned(out)
}

/// The same for what is to be sent on.
pub(super) fn keep_parameter_sets(data: Vec<u8>, sets: &ParameterSets) -> Bytes {
    let whole = match with_parameter_sets(&data, sets) {
        Cow::Owned(whole) => Some(whole),
        Cow::Borrowed(_) => None,
    };
    whole.unwrap_or(data).into()
}

/// Lengths of four bytes instead of start codes; parameter sets and delimiters, which have no place there, are left out.
pub(super) fn to_avcc(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 16);
    for unit in nal_units(data) {
        if let (false, Ok(length)) =
            (matches!(nal_type(unit), NAL_SPS | NAL_PPS | NAL_DELIMITER), u32::try_from(unit.len()))
        {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(unit);
        }
    }
    out
}

/// Start codes instead of lengths of `length_bytes` (1 to 4); `None` if a length points beyond the end.
pub(super) fn from_avcc(data: &[u8], length_bytes: usize) -> Option<Vec<u8>> {
    if !(1..=4).contains(&length_bytes) {
        return None;
    }
    let mut out = Vec::with_capacity(data.len() + 16);
    let mut rest = data;
    while !rest.is_empty() {
        let (length, after) = rest.split_at_checked(length_bytes)?;
        let length = length.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let (unit, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(unit);
        rest = after;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1f];
    const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
    const IDR: &[u8] = &[0x65, 0x88, 0x84];
    const DELTA: &[u8] = &[0x41, 0x9a];

    fn stream(units: &[&[u8]]) -> Vec<u8> {
        units.iter().flat_map(|unit| START_CODE.iter().chain(*unit).copied()).collect()
    }

    fn sets() -> ParameterSets {
        ParameterSets { sps: SPS.to_vec(), pps: PPS.to_vec() }
    }

    #[test]
    fn units_are_found_behind_start_codes_of_three_and_of_four_bytes_and_trailing_zeros_belong_to_none() {
        let data = [&[9, 9, 0, 0, 1][..], IDR, &[0, 0, 0, 1], DELTA, &[0, 0]].concat();
        assert_eq!(nal_units(&data).collect::<Vec<_>>(), [IDR, DELTA]);
        assert_eq!(nal_units(&[]).count() + nal_units(&[0, 0, 1]).count() + nal_units(&[1, 2, 3]).count(), 0);
    }

    #[test]
    fn parameter_sets_are_put_before_an_idr_picture_that_lacks_them_and_before_no_other() {
        let sets = sets();
        assert_eq!(with_parameter_sets(&stream(&[IDR]), &sets), stream(&[SPS, PPS, IDR]));
        let whole = stream(&[SPS, PPS, IDR]);
        assert_eq!(with_parameter_sets(&whole, &sets), whole);
        assert_eq!(with_parameter_sets(&stream(&[DELTA]), &sets), stream(&[DELTA]));
        assert_eq!(keep_parameter_sets(stream(&[IDR]), &sets), stream(&[SPS, PPS, IDR]));
        assert_eq!(keep_parameter_sets(stream(&[DELTA]), &sets), stream(&[DELTA]));
    }

    #[test]
    fn a_change_of_parameter_sets_is_seen_once() {
        let mut kept = ParameterSets::default();
        assert!(!kept.update(&stream(&[DELTA])) && !kept.complete());
        assert!(kept.update(&stream(&[SPS, PPS, IDR])) && kept.complete());
        assert!(!kept.update(&stream(&[SPS, PPS, IDR])));
        assert!(kept.update(&stream(&[&[0x67, 0x42, 0xc0, 0x28]])));
    }

    #[test]
    fn lengths_replace_start_codes_and_leave_parameter_sets_and_delimiters_out() {
        let avcc = to_avcc(&stream(&[&[0x09, 0x10], SPS, PPS, IDR]));
        assert_eq!(avcc, [&[0, 0, 0, 3][..], IDR].concat());
        assert_eq!(from_avcc(&avcc, 4).unwrap(), stream(&[IDR]));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        assert_eq!(from_avcc(&[0, 0, 0, 4, 1, 2, 3], 4), None);
        assert_eq!(from_avcc(&[0xff, 0xff, 0xff, 0xff], 4), None);
        assert_eq!(from_avcc(&[0, 0, 1], 4), None);
        assert_eq!(from_avcc(&[1, 7], 0), None);
        assert_eq!(from_avcc(&[1, 7], 1).unwrap(), [0, 0, 0, 1, 7]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_panic_and_what_is_found_survives_the_way_through_lengths(
            data in proptest::collection::vec(prop_oneof![3 => 0_u8..2, 1 => any::<u8>()], 0..200)
        ) {
            let pictures: Vec<_> = nal_units(&data).filter(|unit| !matches!(nal_type(unit), 7..=9)).collect();
            let there_and_back = from_avcc(&to_avcc(&data), 4).unwrap();
            prop_assert_eq!(nal_units(&there_and_back).collect::<Vec<_>>(), pictures);
            let _ = (from_avcc(&data, 4), with_parameter_sets(&data, &sets()));
        }
    }
}
