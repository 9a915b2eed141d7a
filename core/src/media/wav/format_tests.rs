//! WAV files as other programs write them: each is played as it sounds, or refused with what is wrong.

use super::*;
use crate::media::test_dir::TestDir;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xfffe;

/// A `fmt ` chunk of 16 bytes at 48 kHz.
fn format(tag: u16, channels: u16, block: u16, bits: u16) -> Vec<u8> {
    let rate = 48_000u32;
    let mut chunk = Vec::new();
    for half in [tag, channels] {
        chunk.extend(half.to_le_bytes());
    }
    chunk.extend(rate.to_le_bytes());
    chunk.extend((rate * u32::from(block)).to_le_bytes());
    for half in [block, bits] {
        chunk.extend(half.to_le_bytes());
    }
    chunk
}

/// `WAVEFORMATEXTENSIBLE` around PCM or floats.
fn extensible(sub: u16, block: u16, bits: u16, valid: u16) -> Vec<u8> {
    let mut chunk = format(EXTENSIBLE, 1, block, bits);
    chunk.extend(22u16.to_le_bytes());
    chunk.extend(valid.to_le_bytes());
    chunk.extend(4u32.to_le_bytes());
    chunk.extend(sub.to_le_bytes());
    chunk.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    chunk
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = [&name[..], &(body.len() as u32).to_le_bytes(), body].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"RIFF", &(body.len() as u32 + 4).to_le_bytes()[..], b"WAVE", &body].concat()
}

/// The first samples of a file at 48 kHz, as the call gets them.
fn played(bytes: &[u8], count: usize) -> Result<Vec<i16>, String> {
    let dir = TestDir::new();
    std::fs::write(dir.path("a.wav"), bytes).unwrap();
    let text = |error: FileError| error.to_string();
    WavMicrophone::open(dir.path("a.wav")).map_err(text)?;
    let mut sound = vec![0; count];
    Player::open(&dir.path("a.wav")).map_err(text)?.fill(&mut sound).map_err(text)?;
    Ok(sound)
}

/// A file of this format whose samples are these bytes.
fn file(format: &[u8], sound: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", format), chunk(b"data", sound)])
}

#[test]
fn samples_with_fewer_valid_bits_than_their_container_are_as_loud_as_they_are_meant() {
    // Half of full scale, then a quarter below zero: valid bits stand in the upper ones of the container.
    for (format, sound) in [
        (extensible(PCM, 4, 32, 24), &[0, 0, 0, 0x40, 0, 0, 0, 0xe0][..]),
        (extensible(PCM, 4, 32, 20), &[0, 0, 0, 0x40, 0, 0, 0, 0xe0]),
        (extensible(PCM, 3, 24, 20), &[0, 0, 0x40, 0, 0, 0xe0]),
        (extensible(PCM, 2, 16, 12), &[0, 0x40, 0, 0xe0]),
        (extensible(PCM, 2, 16, 0), &[0, 0x40, 0, 0xe0]),
        (extensible(PCM, 1, 8, 7), &[0xc0, 0x60]),
        (format(PCM, 1, 4, 24), &[0, 0, 0, 0x40, 0, 0, 0, 0xe0]),
        (format(PCM, 1, 2, 12), &[0, 0x40, 0, 0xe0]),
        (format(PCM, 1, 3, 20), &[0, 0, 0x40, 0, 0, 0xe0]),
        (format(PCM, 1, 1, 8), &[0xc0, 0x60]),
        (extensible(FLOAT, 4, 32, 32), &[0, 0, 0, 0x3f, 0, 0, 0x80, 0xbe]),
        (format(FLOAT, 1, 8, 64), &[0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0xd0, 0xbf]),
    ] {
        assert_eq!(played(&file(&format, sound), 4), Ok(vec![16_384, -8_192, 16_384, -8_192]), "{format:?}");
    }
}

#[test]
fn a_format_may_be_longer_than_it_needs_to_be() {
    for more in [2, 4, 24, 1000] {
        let mut long = format(PCM, 1, 2, 16);
        long.resize(16 + more, 0);
        assert_eq!(played(&file(&long, &[1, 0, 2, 0]), 3), Ok(vec![1, 2, 1]), "{} bytes", 16 + more);
    }
    // Bytes per second that are not right change nothing.
    let mut slow = format(PCM, 1, 2, 16);
    slow[8..12].fill(0);
    assert_eq!(played(&file(&slow, &[1, 0, 2, 0]), 3), Ok(vec![1, 2, 1]));
}

#[test]
fn chunks_of_odd_size_are_followed_by_a_byte_that_is_no_sound() {
    let (format, sound) = (chunk(b"fmt ", &format(PCM, 1, 2, 16)), chunk(b"data", &[1, 0, 2, 0]));
    for odd in [&b"x"[..], b"abc", &[0; 4097]] {
        let padded = riff(&[chunk(b"LIST", odd), format.clone(), chunk(b"fact", odd), sound.clone()]);
        assert_eq!(played(&padded, 3), Ok(vec![1, 2, 1]));
        let unpadded = [&b"LIST"[..], &(odd.len() as u32).to_le_bytes(), odd].concat();
        let forgotten = riff(&[format.clone(), unpadded, sound.clone()]);
        assert_eq!(played(&forgotten, 3), Ok(vec![1, 2, 1]), "its writer forgot the byte");
    }
    // What follows the sound is no sound, and half a sample is none.
    let after = riff(&[format.clone(), sound, chunk(b"LIST", &[9; 50])]);
    assert_eq!(played(&after, 5), Ok(vec![1, 2, 1, 2, 1]));
    let half = riff(&[format, chunk(b"data", &[1, 0, 2, 0, 7]), chunk(b"LIST", &[9; 50])]);
    assert_eq!(played(&half, 5), Ok(vec![1, 2, 1, 2, 1]));
}

#[test]
fn what_was_written_to_a_pipe_is_played_to_its_end() {
    let good = file(&format(PCM, 1, 2, 16), &[1, 0, 2, 0, 3, 0]);
    for size in [0u32, u32::MAX, u32::MAX - 36, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000] {
        for whole in [0u32, u32::MAX, 0x7fff_f024, 36] {
            let mut piped = good.clone();
            piped[4..8].copy_from_slice(&whole.to_le_bytes());
            piped[40..44].copy_from_slice(&size.to_le_bytes());
            assert_eq!(played(&piped, 4), Ok(vec![1, 2, 3, 1]), "{size:x} in {whole:x}");
        }
    }
    // Not a pipe's: a file that says truly that it has no sound, though something follows.
    let silent = riff(&[chunk(b"fmt ", &format(PCM, 1, 2, 16)), chunk(b"data", &[]), chunk(b"LIST", &[9; 50])]);
    assert!(played(&silent, 1).unwrap_err().contains("no sound"));
    // Nor one that a download has cut off.
    let mut cut = good;
    cut[40..44].copy_from_slice(&9_000u32.to_le_bytes());
    assert!(played(&cut, 1).unwrap_err().contains("9000 bytes of sound are announced, 6 are there"));
}

#[test]
fn files_for_more_than_4_gib_say_their_size_elsewhere() {
    let mut sizes = Vec::new();
    for size in [90u64, 4, 2] {
        sizes.extend(size.to_le_bytes());
    }
    sizes.extend([0; 4]);
    let mut sound = chunk(b"data", &[1, 0, 2, 0]);
    sound[4..8].fill(0xff);
    let chunks = [chunk(b"ds64", &sizes), chunk(b"fmt ", &format(PCM, 1, 2, 16)), sound, chunk(b"LIST", &[9; 20])];
    for name in [b"RF64", b"BW64"] {
        let mut large = riff(&chunks);
        large[..4].copy_from_slice(name);
        large[4..8].fill(0xff);
        assert_eq!(played(&large, 3), Ok(vec![1, 2, 1]));
    }
}

#[test]
fn what_cannot_be_played_is_refused_with_the_true_reason() {
    let of = |tag, bits| file(&format(tag, 1, 2, bits), &[0; 8]);
    let mut big_endian = of(PCM, 16);
    big_endian[..4].copy_from_slice(b"RIFX");
    let mut maker = extensible(PCM, 2, 16, 16);
    maker[30] = 7;
    for (bytes, said) in [
        (of(2, 4), "sound in ADPCM is not supported"),
        (of(6, 8), "sound in A-law is not supported"),
        (of(7, 8), "sound in µ-law is not supported"),
        (of(0x55, 0), "sound in MPEG audio is not supported"),
        (of(0x1234, 16), "sound in the format 0x1234 is not supported"),
        (of(FLOAT, 16), "sound of 16 bits in 2 bytes is not supported"),
        (big_endian, "a big-endian WAV (RIFX) is not supported"),
        (file(&maker, &[0; 8]), "a format of its own maker is not supported"),
        (file(&extensible(PCM, 2, 16, 24), &[0; 8]), "24 valid bits do not fit into samples of 16"),
        (file(&extensible(PCM, 2, 16, 16)[..30], &[0; 8]), "its extensible format is cut off"),
        (file(&format(PCM, 1, 2, 16)[..14], &[0; 8]), "its format has 14 bytes and needs 16"),
        (file(&format(PCM, 0, 2, 16), &[0; 8]), "0 channels is not supported"),
        (file(&format(PCM, 1, 0, 16), &[0; 8]), "1 channels of 16 bits do not make blocks of 0 bytes"),
        (file(&format(PCM, 2, 3, 8), &[0; 8]), "do not make blocks of 3 bytes"),
        (file(&format(FLOAT, 1, 60_000, 32), &[0; 8]), "sound of 32 bits in 60000 bytes is not supported"),
        (file(&format(PCM, 1, 8, 64), &[0; 8]), "sound of 64 bits in 8 bytes is not supported"),
        (riff(&[chunk(b"data", &[0; 8])]), "its sound comes before its format"),
        (riff(&[chunk(b"LIST", &[0; 8])]), "it has no format"),
        (riff(&[chunk(b"fmt ", &format(PCM, 1, 2, 16))]), "it has no sound"),
    ] {
        let error = played(&bytes, 1).unwrap_err();
        assert!(error.contains(said), "{error}, not {said}");
    }
}

#[test]
fn sound_that_is_cut_off_while_it_plays_says_so() {
    let dir = TestDir::new();
    let path = dir.path("a.wav");
    std::fs::write(&path, file(&format(PCM, 1, 2, 16), &vec![0; 48_000])).unwrap();
    let microphone = WavMicrophone::open(&path).unwrap();
    struct Counted(std::sync::mpsc::Sender<usize>);
    impl crate::media::capture::AudioReceiver for Counted {
        fn push(&self, samples: &[i16]) {
            let _ = self.0.send(samples.len());
        }
    }
    let (sender, heard) = std::sync::mpsc::channel();
    let _handle = microphone.open_microphone(AudioSink::new(std::sync::Arc::new(Counted(sender)))).unwrap();
    heard.recv().unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
    heard.iter().for_each(drop);
    let error = microphone.failure().take().unwrap().to_string();
    assert!(error.contains("it ends too early"), "{error}");
}
