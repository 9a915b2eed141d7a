//! How far apart in memory a library may be laid: the smallest alignment of what is loaded (`PT_LOAD`, ELF specification).

/// In bytes; `None` if this is no little-endian ELF file with something to load.
pub(crate) fn load_alignment(file: &[u8]) -> Option<u64> {
    let &[0x7f, b'E', b'L', b'F', class, 1] = file.first_chunk()? else { return None };
    let wide = match class {
        1 => false,
        2 => true,
        _ => return None,
    };
    let (table, size, count) = if wide {
        (number(file, 32, 8)?, number(file, 54, 2)?, number(file, 56, 2)?)
    } else {
        (number(file, 28, 4)?, number(file, 42, 2)?, number(file, 44, 2)?)
    };
    let headers = (0..count).map(|n| {
        let at = usize::try_from(table.checked_add(n * size)?).ok()?;
        let header = file.get(at..)?;
        let align = if wide { number(header, 48, 8)? } else { number(header, 28, 4)? };
        Some((number(header, 0, 4)?, align))
    });
    let headers: Option<Vec<_>> = headers.collect();
    headers?.into_iter().filter(|(kind, _)| *kind == 1).map(|(_, align)| align).min()
}

fn number(file: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let field = file.get(at..)?.get(..bytes)?;
    Some(field.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header and one program header each for a note and for two parts to load.
    fn file(wide: bool, aligns: [u64; 2]) -> Vec<u8> {
        let (head, size) = if wide { (64, 56) } else { (52, 32) };
        let mut file = vec![0; head + 3 * size];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, 1]);
        let at = if wide { [32, 54, 56] } else { [28, 42, 44] };
        file[at[0]] = head as u8;
        file[at[1]] = size as u8;
        file[at[2]] = 3;
        for (n, (kind, align)) in [(4, 4), (1, aligns[0]), (1, aligns[1])].into_iter().enumerate() {
            let header = head + n * size;
            file[header] = kind;
            let (from, bytes) = if wide { (48, 8) } else { (28, 4) };
            file[header + from..][..bytes].copy_from_slice(&align.to_le_bytes()[..bytes]);
        }
        file
    }

    #[test]
    fn the_smallest_alignment_of_what_is_loaded_counts() {
        for wide in [false, true] {
            assert_eq!(load_alignment(&file(wide, [0x4000, 0x4000])), Some(0x4000));
            assert_eq!(load_alignment(&file(wide, [0x4000, 0x1000])), Some(0x1000));
        }
    }

    #[test]
    fn a_file_cut_short_and_one_of_another_kind_have_none() {
        let whole = file(true, [0x4000, 0x4000]);
        for length in 0..whole.len() {
            assert!(load_alignment(&whole[..length]).is_none(), "{length}");
        }
        assert_eq!(load_alignment(b"MZ and so on"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_very_program_is_aligned_to_pages() {
        let align = load_alignment(&std::fs::read("/proc/self/exe").unwrap()).unwrap();
        assert!(align >= 4096 && align.is_power_of_two(), "{align}");
    }
}
