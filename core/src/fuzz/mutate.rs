//! Inputs made of seeds, the same ones each time.

/// xorshift64.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to below the bound, which is at least 1.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Longest input.
const MAX_BYTES: usize = 16 * 1024;
const BYTES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b' ', b'"'];
const NUMBERS: [&str; 8] = ["0", "-1", "1", "255", "65536", "4294967295", "18446744073709551616", "1e308"];

/// One of the seeds with one to six changes.
pub(super) fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        change(&mut bytes, seeds, random);
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    if bytes.is_empty() {
        bytes.push(random.below(256) as u8);
    }
    let at = random.below(bytes.len());
    let length = 1 + random.below((bytes.len() - at).min(64));
    match random.below(11) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.below(256) as u8,
        2 => bytes[at] = BYTES[random.below(BYTES.len())],
        3 => bytes[at] = bytes[at].wrapping_add(random.below(7) as u8).wrapping_sub(3),
        4 => drop(bytes.drain(at..at + length)),
        5 => bytes.insert(at, random.below(256) as u8),
        6 => bytes.extend_from_within(at..at + length),
        7 => bytes.truncate(at),
        8 => {
            // The same again at another place.
            let part = bytes[at..at + length].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, part);
        }
        9 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => {
            // Another number in the place of one, in text.
            let digits = bytes[at..].iter().position(u8::is_ascii_digit).map_or(at, |first| at + first);
            let end =
                bytes[digits..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |end| digits + end);
            bytes.splice(digits..end, NUMBERS[random.below(NUMBERS.len())].bytes());
        }
    }
}
