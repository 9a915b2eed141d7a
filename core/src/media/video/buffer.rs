//! Packets of one RTP stream in the order of their sequence numbers, however they came.

use super::codec::VideoCodec;
use super::depacketize::PayloadInfo;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Instant;

/// Most packets that are kept: more than ten times a large keyframe.
pub(super) const MAX_PACKETS: usize = 4096;
/// Most payload that is kept, in bytes.
pub(super) const MAX_BYTES: usize = 6 << 20;
/// A sequence number so far from the others belongs to a stream that began anew, if another one confirms it.
const MAX_JUMP: u16 = 4096;

/// A packet that waits.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    /// `None`: no picture in it, but it has a sequence number (padding).
    pub(super) picture: Option<(VideoCodec, PayloadInfo)>,
    pub(super) payload: Bytes,
    pub(super) arrived_at: Instant,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It waits.
    Yes,
    /// It was there already.
    Duplicate,
    /// Its picture was delivered or dropped before.
    Late,
    /// The stream began anew with it; what waited is gone.
    Restart,
    /// It may be the first of a stream that began anew.
    Suspect,
    /// There is no room; nothing was changed.
    Full,
}

#[derive(Debug, Default)]
pub(super) struct PacketBuffer {
    packets: BTreeMap<i64, Entry>,
    bytes: usize,
    /// Highest number seen, counted on where 16 bits wrap.
    highest: Option<i64>,
    /// Nothing below is taken.
    floor: i64,
    /// The number that would confirm that the stream began anew.
    suspect: Option<u16>,
}

impl PacketBuffer {
    pub(super) fn insert(&mut self, sequence_number: u16, entry: Entry) -> Inserted {
        let Some(highest) = self.highest else {
            self.restart(sequence_number, entry);
            return Inserted::Restart;
        };
        let distance = sequence_number.wrapping_sub(highest as u16) as i16;
        if distance.unsigned_abs() > MAX_JUMP {
            if self.suspect == Some(sequence_number) {
                self.restart(sequence_number, entry);
                return Inserted::Restart;
            }
            self.suspect = Some(sequence_number.wrapping_add(1));
            return Inserted::Suspect;
        }
        self.suspect = None;
        let number = highest + i64::from(distance);
        if number < self.floor {
            return Inserted::Late;
        }
        if self.packets.contains_key(&number) {
            return Inserted::Duplicate;
        }
        if self.packets.len() >= MAX_PACKETS || self.bytes + entry.payload.len() > MAX_BYTES {
            return Inserted::Full;
        }
        self.highest = Some(highest.max(number));
        self.bytes += entry.payload.len();
        self.packets.insert(number, entry);
        Inserted::Yes
    }

    /// Forgets everything and begins with this packet.
    pub(super) fn restart(&mut self, sequence_number: u16, entry: Entry) {
        // Far from zero, so that packets which were overtaken at the start have numbers, too.
        let number = (1 << 32) + i64::from(sequence_number);
        let bytes = entry.payload.len();
        *self = Self {
            packets: BTreeMap::from([(number, entry)]),
            bytes,
            highest: Some(number),
            floor: i64::MIN,
            suspect: None,
        };
    }

    pub(super) fn get(&self, number: i64) -> Option<&Entry> {
        self.packets.get(&number)
    }

    /// Packets from this number on, gaps left out.
    pub(super) fn from(&self, number: i64) -> impl DoubleEndedIterator<Item = (i64, &Entry)> {
        self.packets.range(number..).map(|(number, entry)| (*number, entry))
    }

    /// Packets below this number, the highest first, gaps left out.
    pub(super) fn below(&self, number: i64) -> impl Iterator<Item = (i64, &Entry)> {
        self.packets.range(..number).rev().map(|(number, entry)| (*number, entry))
    }

    /// Lets go of all packets below this number and takes no more of them.
    pub(super) fn drop_below(&mut self, number: i64, mut dropped: impl FnMut(&Entry)) {
        self.floor = self.floor.max(number);
        while let Some(first) = self.packets.first_entry() {
            if *first.key() >= number {
                break;
            }
            let entry = first.remove();
            self.bytes -= entry.payload.len();
            dropped(&entry);
        }
    }

    /// One more than the highest number seen.
    pub(super) fn end(&self) -> i64 {
        self.highest.map_or(self.floor, |highest| highest + 1)
    }
}

#[cfg(test)]
#[path = "buffer_tests.rs"]
mod tests;
