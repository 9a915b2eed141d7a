//! Sequence numbers of 16 bits, made 64 bits wide.

/// The number nearest to `reference` whose low 16 bits are `number`; `None` if it would be below zero.
pub(crate) fn nearest(reference: u64, number: u16) -> Option<u64> {
    // The cast keeps the low 16 bits on purpose, and a difference beyond half the range is one backwards.
    let step = number.wrapping_sub(reference as u16) as i16;
    reference.checked_add_signed(i64::from(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_number_is_found_across_the_wrap_and_not_below_zero() {
        assert_eq!(nearest(65_535, 0), Some(65_536));
        assert_eq!(nearest(65_536, 65_535), Some(65_535));
        assert_eq!(nearest(200_000, (200_000u64 + 32_767) as u16), Some(232_767));
        assert_eq!(nearest(200_000, (200_000u64 + 32_768) as u16), Some(167_232));
        assert_eq!(nearest(3, 65_535), None);
        assert_eq!(nearest(u64::MAX, 0), None);
    }
}
