//! Packets and repair packets as a hostile peer sends them.

use super::{FecDecoder, encode, protected_ssrc};
use crate::fuzz::Input;

/// Longest sequence.
const MAX_STEPS: usize = 256;

fn packet(number: u16, payload: &[u8]) -> Vec<u8> {
    [&[0x80, 96], &number.to_be_bytes()[..], &[0, 0, 0, 9], &[0, 0, 0, 7], payload].concat()
}

/// A sequence of packets, of repair packets made of the bytes, and of true ones with a byte changed.
pub(crate) fn repair(input: &[u8]) {
    let mut input = Input::new(input);
    let mut decoder = FecDecoder::default();
    let mut number = 65_530u16;
    let mut picture: Vec<Vec<u8>> = Vec::new();
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let step = input.u8();
        let recovered = match step & 7 {
            0 => {
                let payload = input.counted();
                let _ = protected_ssrc(payload);
                decoder.on_repair(payload)
            }
            1 => {
                number = input.u16();
                picture.clear();
                Vec::new()
            }
            2 => {
                let mut all = Vec::new();
                for mut payload in encode(&picture, usize::from(step >> 4)) {
                    let (at, value) = (usize::from(input.u8()), input.u8());
                    if let Some(byte) = payload.get_mut(at) {
                        *byte ^= value;
                    }
                    all.extend(decoder.on_repair(&payload));
                }
                picture.clear();
                all
            }
            _ => {
                number = number.wrapping_add(1);
                let packet = packet(number, input.counted());
                picture.push(packet.clone());
                if step & 0x80 == 0 { decoder.on_packet(packet) } else { Vec::new() }
            }
        };
        assert!(recovered.len() <= 80, "one step recovers {}", recovered.len());
        assert!(recovered.iter().all(|packet| packet.len() >= 12 && packet[0] >> 6 == 2));
    }
    // A stream that goes on is protected again, whatever was before.
    // One of two numbers that are so far apart begins anew.
    for far in [0, 10_000] {
        decoder.on_packet(packet(number.wrapping_add(far), &[1]));
    }
    let first = number.wrapping_add(10_001);
    let picture: Vec<Vec<u8>> = (0..5).map(|n| packet(first.wrapping_add(n), &[n as u8; 9])).collect();
    picture.iter().enumerate().filter(|(n, _)| *n != 3).for_each(|(_, packet)| {
        decoder.on_packet(packet.clone());
    });
    let recovered: Vec<Vec<u8>> = encode(&picture, 1).iter().flat_map(|payload| decoder.on_repair(payload)).collect();
    assert_eq!(recovered, [picture[3].clone()]);
}
