//! The sender's half: a picture's packets to repair payloads.

use super::{HEADERS, MASKED, MAX_PROTECTED, RTP_HEADER};

/// The payloads of so many repair packets for these packets, which have to be of one stream, numbered one after the other.
/// None where they are not, or more than [`MAX_PROTECTED`].
pub(crate) fn encode(packets: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
    let Some(first) = packets.first() else { return Vec::new() };
    let follows = |(n, packet): (usize, &Vec<u8>)| {
        // At most as many as the masks have bits.
        packet.len() >= RTP_HEADER
            && packet[8..12] == first[8..12]
            && number(packet) == number(first).wrapping_add(n as u16)
    };
    if packets.len() > MAX_PROTECTED || !packets.iter().enumerate().all(follows) {
        return Vec::new();
    }
    let count = count.min(packets.len());
    (0..count).map(|set| repair(packets, set, count)).collect()
}

fn number(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

/// Protects each `count`-th packet, from the one with the index `set` on.
fn repair(packets: &[Vec<u8>], set: usize, count: usize) -> Vec<u8> {
    let masks = MASKED.iter().position(|most| packets.len() <= *most).unwrap_or(MASKED.len() - 1);
    let header = HEADERS[masks];
    let longest = packets.iter().skip(set).step_by(count).map(Vec::len).max().unwrap_or(RTP_HEADER);
    let mut payload = vec![0; header + longest - RTP_HEADER];
    for packet in packets.iter().skip(set).step_by(count) {
        xor_header(&mut payload, packet);
        payload[header..].iter_mut().zip(&packet[RTP_HEADER..]).for_each(|(to, from)| *to ^= from);
    }
    // Neither a retransmission nor a fixed pattern: the version's two bits.
    payload[0] &= 0x3f;
    payload[8] = 1;
    payload[12..16].copy_from_slice(&packets[0][8..12]);
    payload[16..18].copy_from_slice(&packets[0][2..4]);
    for index in (set..packets.len()).step_by(count) {
        let (at, bit) = bit(index);
        payload[at] |= bit;
    }
    payload[[18, 20, 24][masks]] |= 0x80;
    payload
}

/// XORs the fields of a packet's header that are recovered: flags, payload type, length and timestamp.
pub(super) fn xor_header(fields: &mut [u8], packet: &[u8]) {
    // No UDP datagram is longer.
    let length = ((packet.len() - RTP_HEADER) as u16).to_be_bytes();
    let recovered = [&packet[..2], &length[..], &packet[4..8]].concat();
    fields.iter_mut().zip(recovered).for_each(|(to, from)| *to ^= from);
}

/// Where in the header the bit of a packet is.
fn bit(index: usize) -> (usize, u8) {
    // The first bit of each mask is k.
    let (mask, bit) = match index {
        0..15 => (18, index + 1),
        15..46 => (20, index - 15 + 1),
        _ => (24, index - 46 + 1),
    };
    (mask + bit / 8, 0x80 >> (bit % 8))
}
