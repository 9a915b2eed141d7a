//! The size of the pictures that an H.264 sequence parameter set announces (ITU-T H.264 section 7.3.2.1.1).
//!
//! A system's decoder gives pictures in buffers that are larger than what is to be seen, and allocates what the peer announces:
//! so the size is read here, before the decoder sees it.

use crate::media::frame::{FrameError, MAX_DIMENSION};
use crate::media::video::codec::MAX_DECODED_PIXELS;

/// Reads bits of a unit, past its emulation prevention bytes (section 7.4.1).
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    bit: u8,
    zeros: u8,
}

impl<'a> Bits<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, bit: 0, zeros: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        if self.bit == 0 && self.zeros >= 2 && self.data.get(self.at) == Some(&3) {
            self.at += 1;
            self.zeros = 0;
        }
        let byte = *self.data.get(self.at)?;
        let value = byte >> (7 - self.bit) & 1;
        self.bit += 1;
        if self.bit == 8 {
            self.bit = 0;
            self.at += 1;
            self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        }
        Some(u32::from(value))
    }

    fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | self.bit()?))
    }

    /// `ue(v)`: section 9.1.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.bits(zeros)?;
        Some((1_u32 << zeros) - 1 + rest)
    }

    /// `se(v)`: section 9.1.1.
    fn signed(&mut self) -> Option<i64> {
        let code = i64::from(self.unsigned()?);
        Some(if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) })
    }
}

/// What is to be seen of the pictures to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PictureSize {
    /// In pixels.
    pub(super) width: u32,
    /// In pixels.
    pub(super) height: u32,
}

impl PictureSize {
    /// Whether it may be decoded.
    ///
    /// # Errors
    /// [`FrameError::Size`] if nothing is to be seen, or more than this side allocates for a peer.
    pub(super) fn check(self) -> Result<(), FrameError> {
        let Self { width, height } = self;
        let possible = (1..=MAX_DIMENSION).contains(&width) && (1..=MAX_DIMENSION).contains(&height);
        if possible && width * height <= MAX_DECODED_PIXELS { Ok(()) } else { Err(FrameError::Size { width, height }) }
    }
}

/// Profiles whose sets say more about colour and scaling.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Reads a whole unit, its header byte first; `None` for anything but 8-bit 4:2:0 frames that show their upper left corner.
pub(super) fn picture_size(sps: &[u8]) -> Option<PictureSize> {
    let (header, payload) = sps.split_first()?;
    if header & 0x1f != 7 {
        return None;
    }
    let mut bits = Bits::new(payload);
    let profile = bits.bits(8)?;
    bits.bits(16)?;
    bits.unsigned()?;
    if HIGH_PROFILES.contains(&profile) {
        let (chroma_format, luma_depth, chroma_depth) = (bits.unsigned()?, bits.unsigned()?, bits.unsigned()?);
        if (chroma_format, luma_depth, chroma_depth) != (1, 0, 0) {
            return None;
        }
        bits.bit()?;
        if bits.bit()? == 1 {
            scaling_lists(&mut bits)?;
        }
    }
    bits.unsigned()?;
    picture_order_count(&mut bits)?;
    bits.unsigned()?;
    bits.bit()?;
    let (columns, rows) = (bits.unsigned()?.checked_add(1)?, bits.unsigned()?.checked_add(1)?);
    let frames_only = bits.bit()?;
    if frames_only == 0 {
        bits.bit()?;
    }
    bits.bit()?;
    let (mut right, mut bottom) = (0, 0);
    if bits.bit()? == 1 {
        let left = bits.unsigned()?;
        right = bits.unsigned()?;
        let top = bits.unsigned()?;
        bottom = bits.unsigned()?;
        if left != 0 || top != 0 {
            return None;
        }
    }
    // Map units are two macroblocks high, and crop units four rows, where fields may come.
    let fields = 2 - frames_only;
    let width = columns.checked_mul(16)?.checked_sub(right.checked_mul(2)?)?;
    let height = rows.checked_mul(16 * fields)?.checked_sub(bottom.checked_mul(2 * fields)?)?;
    (width > 0 && height > 0).then_some(PictureSize { width, height })
}

fn scaling_lists(bits: &mut Bits<'_>) -> Option<()> {
    for list in 0..8 {
        if bits.bit()? == 0 {
            continue;
        }
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.signed()?).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

fn picture_order_count(bits: &mut Bits<'_>) -> Option<()> {
    match bits.unsigned()? {
        0 => {
            bits.unsigned()?;
        }
        1 => {
            bits.bit()?;
            bits.signed()?;
            bits.signed()?;
            // At most 255 by section 7.4.2.1.1.
            for _ in 0..bits.unsigned().filter(|count| *count < 256)? {
                bits.signed()?;
            }
        }
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes what [`Bits`] reads.
    #[derive(Default)]
    struct Writer(Vec<bool>);

    impl Writer {
        fn bits(&mut self, count: u32, value: u32) -> &mut Self {
            self.0.extend((0..count).rev().map(|at| value >> at & 1 == 1));
            self
        }
        fn unsigned(&mut self, value: u32) -> &mut Self {
            let length = (value + 1).ilog2();
            self.bits(length, 0).bits(length + 1, value + 1)
        }
        /// A unit with header and emulation prevention.
        fn unit(&self) -> Vec<u8> {
            let mut padded = self.0.clone();
            padded.push(true);
            padded.resize(padded.len().next_multiple_of(8), false);
            let mut out = vec![0x67];
            for byte in padded.chunks(8).map(|bits| bits.iter().fold(0_u8, |sum, bit| sum << 1 | u8::from(*bit))) {
                if out.ends_with(&[0, 0]) && byte <= 3 {
                    out.push(3);
                }
                out.push(byte);
            }
            out
        }
    }

    fn sps(profile: u32, columns: u32, rows: u32, frames_only: u32, crop: Option<[u32; 4]>) -> Vec<u8> {
        let mut set = Writer::default();
        set.bits(8, profile).bits(16, 0x00_001f).unsigned(0);
        if profile == 100 {
            set.unsigned(1).unsigned(0).unsigned(0).bits(1, 0).bits(1, 0);
        }
        set.unsigned(0).unsigned(2).unsigned(1).bits(1, 0).unsigned(columns - 1).unsigned(rows - 1);
        set.bits(1, frames_only);
        if frames_only == 0 {
            set.bits(1, 0);
        }
        set.bits(1, 1);
        match crop {
            Some(edges) => edges.iter().fold(set.bits(1, 1), |set, edge| set.unsigned(*edge)),
            None => set.bits(1, 0),
        };
        set.bits(1, 0).unit()
    }

    fn size(width: u32, height: u32) -> Option<PictureSize> {
        Some(PictureSize { width, height })
    }

    #[test]
    fn a_size_of_whole_macroblocks_is_read_for_baseline_and_high() {
        assert_eq!(picture_size(&sps(66, 80, 45, 1, None)), size(1280, 720));
        assert_eq!(picture_size(&sps(100, 40, 30, 1, None)), size(640, 480));
    }

    #[test]
    fn what_is_cropped_right_and_below_is_not_shown() {
        assert_eq!(picture_size(&sps(66, 120, 68, 1, Some([0, 0, 0, 4]))), size(1920, 1080));
        assert_eq!(picture_size(&sps(66, 23, 12, 1, Some([0, 3, 0, 6]))), size(362, 180));
        assert_eq!(picture_size(&sps(66, 120, 34, 0, Some([0, 0, 0, 2]))), size(1920, 1080));
    }

    #[test]
    fn a_crop_on_the_left_a_crop_to_nothing_and_other_units_are_refused() {
        assert_eq!(picture_size(&sps(66, 20, 15, 1, Some([1, 0, 0, 0]))), None);
        assert_eq!(picture_size(&sps(66, 1, 1, 1, Some([0, 8, 0, 0]))), None);
        assert_eq!(picture_size(&[0x68, 0xce, 0x3c, 0x80]), None);
        assert_eq!(picture_size(&[]), None);
    }

    #[test]
    fn a_peer_cannot_make_this_side_allocate_pictures_without_bound() {
        let check = |width, height| PictureSize { width, height }.check();
        assert!(check(4096, 2304).is_ok() && check(1, 1).is_ok());
        for (width, height) in [(0, 16), (16, 0), (4096, 2306), (8192, 8192), (u32::MAX, u32::MAX), (16, 8193)] {
            assert_eq!(check(width, height), Err(FrameError::Size { width, height }));
        }
    }

    #[cfg(feature = "h264")]
    #[test]
    fn the_sets_of_a_real_encoder_say_the_size_that_it_was_given() {
        use super::super::annexb::nal_units;
        for (width, height) in [(1280, 720), (1920, 1080), (322, 182), (16, 16)] {
            let mut encoder = openh264::encoder::Encoder::new().unwrap();
            let stream = encoder.encode(&openh264::formats::YUVBuffer::new(width, height)).unwrap().to_vec();
            let sets: Vec<_> = nal_units(&stream).filter_map(picture_size).collect();
            assert_eq!(sets, [PictureSize { width: width as u32, height: height as u32 }]);
        }
    }

    proptest! {
        #[test]
        fn any_size_is_read_back_whatever_emulation_bytes_it_takes(columns in 1_u32..9000, rows in 1_u32..9000) {
            prop_assert_eq!(picture_size(&sps(66, columns, rows, 1, None)), size(columns * 16, rows * 16));
        }

        #[test]
        fn any_bytes_are_taken_without_panic(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = picture_size(&data);
        }
    }
}
