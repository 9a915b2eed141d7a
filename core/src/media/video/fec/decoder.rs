//! The receiver's half: repair payloads and the packets that came to those that did not.

use super::encoder::xor_header;
use super::{HEADERS, RTP_HEADER};
use crate::congestion::sequence::nearest;
use std::collections::{BTreeMap, VecDeque};

/// Packets are kept so far behind the newest one: a second, and with it a round trip, of a fast stream.
const WINDOW: u64 = 512;
/// A number that is further behind, or so far ahead, begins anew.
const MAX_AHEAD: u64 = 2_000;
/// Repair packets that wait for more of what they protect. More push out the oldest.
const MAX_WAITING: usize = 64;
/// Longest packet that is kept: what fits into a datagram on any usual path.
const MAX_PACKET: usize = 1_600;
/// Where 64-bit numbers begin, so that numbers below the first one are above zero.
const BASE: u64 = 1 << 32;

/// What became of repair packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FecCounts {
    /// That came.
    pub(crate) received: u64,
    /// Packets recovered by them.
    pub(crate) recovered: u64,
    /// That cannot be what they say: cut off, without an end, of lengths that do not fit, far from what came.
    pub(crate) refused: u64,
}

/// One stream's packets of late, and the repair packets that are of use as soon as they lack one packet.
#[derive(Debug, Default)]
pub(crate) struct FecDecoder {
    highest: Option<u64>,
    /// By number.
    packets: BTreeMap<u64, Vec<u8>>,
    waiting: VecDeque<Repair>,
    counts: FecCounts,
}

#[derive(Debug)]
struct Repair {
    base: u64,
    /// Bit n stands for the packet `base` + n.
    mask: u128,
    /// How many of them have not come.
    lacks: u32,
    /// The fields of the header, and the XOR.
    fields: [u8; 8],
    body: Vec<u8>,
}

impl Repair {
    fn protects(&self, number: u64) -> bool {
        number.checked_sub(self.base).is_some_and(|bit| bit < 128 && self.mask >> bit & 1 == 1)
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        (0..128).filter(|bit| self.mask >> bit & 1 == 1).map(|bit| self.base + bit)
    }
}

/// The stream that a repair payload protects, if it says so and protects just one.
pub(crate) fn protected_ssrc(payload: &[u8]) -> Option<u32> {
    // Neither R, a retransmission, nor F, a fixed pattern.
    let one = payload.len() >= HEADERS[0] && payload[0] & 0xc0 == 0 && payload[8] == 1;
    one.then(|| u32::from_be_bytes([payload[12], payload[13], payload[14], payload[15]]))
}

impl FecDecoder {
    /// A packet came, as it left, or was repaired otherwise. Says what can be recovered by it.
    pub(crate) fn on_packet(&mut self, packet: Vec<u8>) -> Vec<Vec<u8>> {
        if !(RTP_HEADER..=MAX_PACKET).contains(&packet.len()) {
            return Vec::new();
        }
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        let highest = self.highest.unwrap_or(BASE + u64::from(number));
        let number = nearest(highest, number).unwrap_or_default();
        if number > highest + MAX_AHEAD || number + WINDOW < highest {
            *self = Self { counts: self.counts, ..Self::default() };
        }
        self.highest = Some(self.highest.map_or(number, |highest| highest.max(number)));
        self.keep(number, packet);
        self.forget();
        self.recover()
    }

    /// The payload of a repair packet for this stream came. Says what can be recovered by it.
    pub(crate) fn on_repair(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        self.counts.received += 1;
        let Some(repair) = self.read(payload) else {
            self.counts.refused += 1;
            return Vec::new();
        };
        if repair.lacks > 0 {
            self.waiting.push_back(repair);
        }
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
        }
        self.recover()
    }

    pub(crate) fn counts(&self) -> FecCounts {
        self.counts
    }

    fn read(&self, payload: &[u8]) -> Option<Repair> {
        protected_ssrc(payload)?;
        let word = |at: usize| Some(u32::from_be_bytes(payload.get(at..at + 4)?.try_into().ok()?));
        // Shifted up so that the first packet's bit is the highest of 128; each k is left out.
        let mut mask = u128::from(word(16)? & 0x7fff) << 113;
        let mut header = HEADERS[0];
        if word(16)? & 0x8000 == 0 {
            mask |= u128::from(word(20)? & 0x7fff_ffff) << 82;
            header = HEADERS[1];
            if word(20)? >> 31 == 0 {
                let long = u64::from(word(24)?) << 32 | u64::from(word(28)?);
                mask |= u128::from(long & (u64::MAX >> 1)) << 19;
                header = HEADERS[2];
                // No fourth mask is known.
                if long >> 63 == 0 {
                    return None;
                }
            }
        }
        let mask = mask.reverse_bits();
        let body = payload.get(header..).filter(|body| body.len() <= MAX_PACKET - RTP_HEADER)?;
        // Of a stream of which nothing has come nothing can be recovered.
        let highest = self.highest?;
        let base = nearest(highest, u16::from_be_bytes([payload[16], payload[17]]))?;
        let near = base + WINDOW >= highest && base <= highest + WINDOW;
        if mask == 0 || !near {
            return None;
        }
        let fields = payload.get(..8)?.try_into().ok()?;
        let mut repair = Repair { base, mask, lacks: 0, fields, body: body.to_vec() };
        repair.lacks = repair.numbers().filter(|number| !self.packets.contains_key(number)).count() as u32;
        Some(repair)
    }

    /// Keeps a packet, once, and tells those who wait for it.
    fn keep(&mut self, number: u64, packet: Vec<u8>) {
        if self.packets.contains_key(&number) {
            return;
        }
        self.packets.insert(number, packet);
        self.waiting.iter_mut().filter(|repair| repair.protects(number)).for_each(|repair| repair.lacks -= 1);
    }

    fn forget(&mut self) {
        let oldest = self.highest.unwrap_or_default().saturating_sub(WINDOW);
        while self.packets.first_key_value().is_some_and(|(number, _)| *number < oldest) {
            self.packets.pop_first();
        }
        // What lost a packet that it knew would count wrong.
        self.waiting.retain(|repair| repair.base >= oldest);
    }

    fn recover(&mut self) -> Vec<Vec<u8>> {
        let mut recovered = Vec::new();
        self.waiting.retain(|repair| repair.lacks > 0);
        // Each turn takes one out.
        while let Some(at) = self.waiting.iter().position(|repair| repair.lacks == 1)
            && let Some(repair) = self.waiting.remove(at)
        {
            let Some((number, packet)) = self.rebuild(repair) else {
                self.counts.refused += 1;
                continue;
            };
            self.counts.recovered += 1;
            recovered.push(packet.clone());
            self.keep(number, packet);
            self.waiting.retain(|repair| repair.lacks > 0);
        }
        recovered
    }

    /// The one packet that is lacking.
    fn rebuild(&self, repair: Repair) -> Option<(u64, Vec<u8>)> {
        let lacking = repair.numbers().find(|number| !self.packets.contains_key(number))?;
        let (mut fields, mut body) = (repair.fields, repair.body.clone());
        let mut ssrc = None;
        for packet in repair.numbers().filter_map(|number| self.packets.get(&number)) {
            let payload = packet.get(RTP_HEADER..).filter(|payload| payload.len() <= body.len())?;
            xor_header(&mut fields, packet);
            body.iter_mut().zip(payload).for_each(|(to, from)| *to ^= from);
            ssrc = packet.get(8..RTP_HEADER);
        }
        // A picture of one packet is repeated as it was; its stream is that of all.
        let ssrc = ssrc.or_else(|| self.packets.first_key_value()?.1.get(8..RTP_HEADER))?;
        let length = usize::from(u16::from_be_bytes([fields[2], fields[3]]));
        let body = body.get(..length)?;
        // The low 16 bits are what the wire carries.
        let number = (lacking as u16).to_be_bytes();
        let version = 0x80 | fields[0] & 0x3f;
        let packet = [&[version, fields[1]], &number[..], &fields[4..8], ssrc, body].concat();
        Some((lacking, packet))
    }
}
