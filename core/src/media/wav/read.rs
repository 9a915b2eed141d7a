//! Reads WAV files: the chunks of a RIFF file (Multimedia Programming Interface and Data Specifications 1.0, 1991), the formats
//! `WAVEFORMATEX` and `WAVEFORMATEXTENSIBLE`, and files of more than 4 GiB (RF64, EBU Tech 3306).
//!
//! Parsed here and not by a library, because a file is as hostile as the network, and because what is wrong with it is told before a call.

use crate::media::file::FileError;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const RATES: RangeInclusive<u32> = 4_000..=384_000;
const CHANNELS: RangeInclusive<u16> = 1..=32;
/// Longest `fmt ` chunk that is read, in bytes; the longest known has 40.
const MAX_FORMAT: u64 = 4096;
/// From this size on a program that writes to a pipe may mean "to the end": 7ffff000, 7fffffff, 80000000 and ffffffff are in use.
const SMALLEST_UNKNOWN: u64 = 0x7fff_0000;
/// Chunks that may follow a chunk of odd size whose writer forgot the pad byte.
const KNOWN_CHUNKS: [&[u8; 4]; 10] =
    [b"fmt ", b"data", b"fact", b"LIST", b"bext", b"id3 ", b"cue ", b"smpl", b"PEAK", b"JUNK"];
/// The end of the GUID of each format that has a tag (`KSDATAFORMAT_SUBTYPE_WAVEFORMATEX`).
const SUBFORMAT: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// How a sample is stored, little-endian.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    /// One byte, 128 is silence.
    Unsigned,
    /// Two's complement.
    Signed,
    Float,
}

/// The `fmt ` chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Format {
    encoding: Encoding,
    /// Bytes of a sample. Samples with fewer valid bits stand in the upper ones, so that full scale is the container's.
    container: usize,
    channels: u16,
    /// Samples per second.
    pub(super) rate: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl Format {
    fn parse(path: &Path, chunk: &[u8]) -> Result<Self, FileError> {
        let bad = |problem: String| FileError::format(path, problem);
        let unsupported = |what: String| FileError::Unsupported { path: path.to_owned(), what };
        if chunk.len() < 16 {
            return Err(bad(format!("its format has {} bytes and needs 16", chunk.len())));
        }
        let (channels, rate) = (u16_at(chunk, 2), u32_at(chunk, 4));
        let (block, bits) = (u16_at(chunk, 12), u16_at(chunk, 14));
        let mut tag = u16_at(chunk, 0);
        if tag == 0xfffe {
            let guid = chunk.get(24..40).ok_or_else(|| bad("its extensible format is cut off".to_owned()))?;
            if guid.get(2..) != Some(&SUBFORMAT[..]) {
                return Err(unsupported("sound in a format of its own maker".to_owned()));
            }
            let valid = u16_at(chunk, 18);
            if valid > bits {
                return Err(bad(format!("{valid} valid bits do not fit into samples of {bits}")));
            }
            tag = u16_at(guid, 0);
        }
        let encoding = match tag {
            1 if bits <= 8 => Encoding::Unsigned,
            1 => Encoding::Signed,
            3 => Encoding::Float,
            _ => return Err(unsupported(name_of(tag))),
        };
        if !RATES.contains(&rate) || !CHANNELS.contains(&channels) {
            return Err(unsupported(format!("sound of {bits} bits, {rate} Hz, {channels} channels")));
        }
        let container = block / channels;
        if block % channels != 0 || bits == 0 || u32::from(bits) > u32::from(container) * 8 {
            return Err(bad(format!("{channels} channels of {bits} bits do not make blocks of {block} bytes")));
        }
        let fits = match encoding {
            Encoding::Unsigned => container == 1,
            Encoding::Signed => (2..=4).contains(&container),
            Encoding::Float => matches!((container, bits), (4, 32) | (8, 64)),
        };
        if !fits {
            return Err(unsupported(format!("sound of {bits} bits in {container} bytes")));
        }
        Ok(Self { encoding, container: container.into(), channels, rate })
    }

    fn block(self) -> usize {
        self.container * usize::from(self.channels)
    }

    /// A sample from −1 to 1; its bytes are as many as the container has.
    fn sample(self, bytes: &[u8]) -> f32 {
        let mut wide = [0; 8];
        for (to, from) in wide.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
        let raw = i64::from_le_bytes(wide);
        match self.encoding {
            Encoding::Unsigned => (f32::from(bytes.first().copied().unwrap_or(128)) - 128.0) / 128.0,
            Encoding::Signed => (raw as f64 / 2f64.powi(63)) as f32,
            Encoding::Float if self.container == 4 => f32::from_bits((raw as u64 >> 32) as u32),
            Encoding::Float => f64::from_bits(raw as u64) as f32,
        }
    }
}

/// What the registered tags of other formats mean (RFC 2361).
fn name_of(tag: u16) -> String {
    match tag {
        0x0002 | 0x0011 => "sound in ADPCM".to_owned(),
        0x0006 => "sound in A-law".to_owned(),
        0x0007 => "sound in µ-law".to_owned(),
        0x0050 | 0x0055 => "sound in MPEG audio".to_owned(),
        0x00ff | 0x1600 | 0x1610 => "sound in AAC".to_owned(),
        _ => format!("sound in the format 0x{tag:04x}"),
    }
}

/// A file that is open at one of its samples.
pub(super) struct WavStream<R> {
    path: PathBuf,
    reader: R,
    pub(super) format: Format,
    /// The first byte of the sound.
    start: u64,
    /// The byte after the last whole sample.
    end: u64,
    position: u64,
    block: Vec<u8>,
}

impl<R: Read + Seek> WavStream<R> {
    /// Of a file with this many bytes, with its path for errors.
    pub(super) fn new(path: &Path, reader: R, length: u64) -> Result<Self, FileError> {
        let mut header = Header { path, reader, length, riff: 0, data_size: None, format: None };
        let (start, size) = header.find_sound()?;
        let format = header.format.ok_or_else(|| FileError::format(path, "its sound comes before its format"))?;
        let block = format.block();
        let blocks = size / block as u64;
        if blocks == 0 {
            return Err(FileError::format(path, "it has no sound"));
        }
        let end = start + blocks * block as u64;
        let mut stream = Self {
            path: path.to_owned(),
            reader: header.reader,
            format,
            start,
            end,
            position: start,
            block: vec![0; block],
        };
        stream.rewind()?;
        Ok(stream)
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.position = self.start;
        self.reader.seek(SeekFrom::Start(self.start)).map(drop).map_err(|error| FileError::io(&self.path, error))
    }

    /// The next sample, all channels in one, from −1 to 1; the first again after the last.
    pub(super) fn next(&mut self) -> Result<f32, FileError> {
        if self.position >= self.end {
            self.rewind()?;
        }
        self.reader.read_exact(&mut self.block).map_err(|error| cut_off(&self.path, error))?;
        self.position += self.block.len() as u64;
        let sum: f32 = self.block.chunks_exact(self.format.container).map(|sample| self.format.sample(sample)).sum();
        // What is no number would spoil every sample after it.
        let mono = sum / f32::from(self.format.channels);
        Ok(if mono.is_finite() { mono } else { 0.0 })
    }
}

fn cut_off(path: &Path, error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => FileError::format(path, "it ends too early for a WAV file"),
        _ => FileError::io(path, error),
    }
}

struct Header<'a, R> {
    path: &'a Path,
    reader: R,
    /// Of the file.
    length: u64,
    /// Bytes that the file should have, by its first chunk.
    riff: u64,
    /// Of an RF64 file, whose `data` chunk has ffffffff.
    data_size: Option<u64>,
    format: Option<Format>,
}

impl<R: Read + Seek> Header<'_, R> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|error| cut_off(self.path, error))?;
        Ok(bytes)
    }

    fn skip(&mut self, to: u64) -> Result<(), FileError> {
        self.reader.seek(SeekFrom::Start(to)).map(drop).map_err(|error| FileError::io(self.path, error))
    }

    /// Where the sound begins, and its bytes.
    fn find_sound(&mut self) -> Result<(u64, u64), FileError> {
        let bad = |problem: &str| FileError::format(self.path, problem);
        let first: [u8; 12] = if self.length < 12 { return Err(bad("no WAV file")) } else { self.bytes()? };
        match (&first[..4], &first[8..]) {
            (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => {}
            (b"RIFX", b"WAVE") => {
                let what = "a big-endian WAV (RIFX)".to_owned();
                return Err(FileError::Unsupported { path: self.path.to_owned(), what });
            }
            _ => return Err(bad("no WAV file")),
        }
        self.riff = u64::from(u32_at(&first, 4)) + 8;
        let mut at = 12;
        while self.length.saturating_sub(at) >= 8 {
            self.skip(at)?;
            let head: [u8; 8] = self.bytes()?;
            let (name, size) = (&head[..4], u64::from(u32_at(&head, 4)));
            let body = at + 8;
            let there = self.length - body;
            match name {
                b"data" => return self.sound(body, size).map(|size| (body, size)),
                _ if size > there => {
                    let name = String::from_utf8_lossy(name).escape_debug().to_string();
                    return Err(FileError::format(
                        self.path,
                        format!("its chunk '{name}' has {there} of {size} bytes, and none with sound came before"),
                    ));
                }
                b"fmt " => {
                    let mut chunk = Vec::new();
                    let read = (&mut self.reader).take(size.min(MAX_FORMAT)).read_to_end(&mut chunk);
                    read.map_err(|error| FileError::io(self.path, error))?;
                    self.format = Some(Format::parse(self.path, &chunk)?);
                }
                b"ds64" if size >= 16 => {
                    let sizes: [u8; 16] = self.bytes()?;
                    self.riff = (u64::from(u32_at(&sizes, 4)) << 32 | u64::from(u32_at(&sizes, 0))).saturating_add(8);
                    self.data_size = Some(u64::from(u32_at(&sizes, 12)) << 32 | u64::from(u32_at(&sizes, 8)));
                }
                _ => {}
            }
            at = self.after(body + size, size)?;
        }
        Err(FileError::format(self.path, if self.format.is_some() { "it has no sound" } else { "it has no format" }))
    }

    /// Where the next chunk begins: a chunk of odd size is followed by a pad byte, unless its writer forgot.
    fn after(&mut self, end: u64, size: u64) -> Result<u64, FileError> {
        if size.is_multiple_of(2) {
            return Ok(end);
        }
        if self.length.saturating_sub(end) >= 4 {
            self.skip(end)?;
            let next: [u8; 4] = self.bytes()?;
            if KNOWN_CHUNKS.contains(&&next) {
                return Ok(end);
            }
        }
        Ok(end + 1)
    }

    /// The bytes of sound that a `data` chunk really has. A program that writes to a pipe cannot come back to say how many.
    fn sound(&self, body: u64, size: u64) -> Result<u64, FileError> {
        let there = self.length - body;
        let size = match (size, self.data_size) {
            (0xffff_ffff, Some(size)) => size,
            _ => size,
        };
        let unknown = match size {
            0 => self.riff != self.length,
            _ => size > there && size >= SMALLEST_UNKNOWN && self.data_size.is_none_or(|size| size == 0),
        };
        if unknown {
            return Ok(there);
        }
        if size > there {
            let problem = format!("{size} bytes of sound are announced, {there} are there");
            return Err(FileError::format(self.path, problem));
        }
        Ok(size)
    }
}
