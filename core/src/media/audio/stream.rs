//! One stream of sound (one SSRC) in a jitter buffer: its numbers, and the packets that wait.

use super::delay::MS;
use super::jitter::{BufferedPacket, Decision};
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Most packets held: 3 s at 20 ms each.
pub(super) const MAX_PACKETS: usize = 150;
/// A timestamp further than this from the newest does not continue the stream.
const MAX_LEAP: i64 = 3000 * MS;
/// A sequence number further than this from the newest does not continue the stream.
const MAX_DROPOUT: i64 = 500;
/// So many numbers behind the newest, a packet that has not come counts as lost, and not as out of order, when it comes to how much we wait for repair.
const SETTLED: i64 = 8;
/// What is concealed at a time, so that a packet that is a little late is played soon after it comes.
pub(super) const CONCEAL: usize = 480;
/// After so much concealment only silence is left.
pub(super) const CONCEAL_AT_MOST: i64 = 200 * MS;
/// How long a pause announced by DTX may last before it counts as concealment.
const DTX_AT_MOST: i64 = 1000 * MS;

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    /// By timestamp.
    pub(super) packets: BTreeMap<i64, BufferedPacket>,
    first_sequence: i64,
    newest_sequence: i64,
    first_timestamp: i64,
    pub(super) newest_timestamp: i64,
    /// Bit n: `newest_sequence - n` was received.
    seen: u128,
    pub(super) received: u64,
    /// Timestamp of what comes next.
    pub(super) position: i64,
    pub(super) last_sequence: i64,
    /// Samples made up since `position` stands still.
    pub(super) made_up: i64,
    /// Waiting for the target to be reached.
    pub(super) priming: bool,
    /// The last packet was a DTX one.
    pub(super) pausing: bool,
    pub(super) discontinuity: bool,
}

impl Stream {
    pub(super) fn new(first: &RtpPacket) -> Self {
        let (sequence, timestamp) = (i64::from(first.sequence_number), i64::from(first.timestamp));
        Self {
            ssrc: first.ssrc,
            packets: BTreeMap::new(),
            first_sequence: sequence,
            newest_sequence: sequence,
            first_timestamp: timestamp,
            newest_timestamp: timestamp,
            seen: 0,
            received: 0,
            position: i64::MIN,
            last_sequence: sequence - 1,
            made_up: 0,
            priming: true,
            pausing: false,
            discontinuity: true,
        }
    }

    fn unwrap_timestamp(&self, timestamp: u32) -> i64 {
        self.newest_timestamp + i64::from(timestamp.wrapping_sub(self.newest_timestamp as u32) as i32)
    }

    /// Sequence number and timestamp, made 64 bits wide.
    pub(super) fn unwrap(&self, packet: &RtpPacket) -> (i64, i64) {
        let sequence = i64::from(packet.sequence_number.wrapping_sub(self.newest_sequence as u16) as i16);
        (self.newest_sequence + sequence, self.unwrap_timestamp(packet.timestamp))
    }

    /// Whether a packet with this number can be of this stream.
    pub(super) fn is_near(&self, sequence: i64) -> bool {
        (sequence - self.newest_sequence).abs() <= MAX_DROPOUT
    }

    pub(super) fn is_continued_by(&self, packet: &RtpPacket) -> bool {
        let (sequence, timestamp) = self.unwrap(packet);
        let (ahead, later) = (sequence - self.newest_sequence, timestamp - self.newest_timestamp);
        match ahead {
            0 => later == 0,
            1.. => ahead <= MAX_DROPOUT && (1..=MAX_LEAP).contains(&later),
            _ => ahead >= -MAX_DROPOUT && (-MAX_LEAP..0).contains(&later),
        }
    }

    /// Notes a sequence number; `false` if it was here before, or is too old to tell. `settled` is told of each number that became
    /// old enough by it to say whether it was lost.
    pub(super) fn note(&mut self, sequence: i64, mut settled: impl FnMut(bool)) -> bool {
        let ahead = sequence - self.newest_sequence;
        if ahead > 0 {
            for behind in (0..ahead).map(|n| SETTLED - 1 - n) {
                if self.newest_sequence - behind >= self.first_sequence {
                    settled(behind < 0 || self.seen >> behind & 1 == 0);
                }
            }
            self.seen = if ahead < 128 { self.seen << ahead } else { 0 };
            self.newest_sequence = sequence;
        }
        let bit = match u32::try_from(self.newest_sequence - sequence) {
            Ok(behind) if behind < 128 => 1_u128 << behind,
            _ => return false,
        };
        let new = self.seen & bit == 0;
        if new {
            self.seen |= bit;
            self.received += 1;
            self.first_sequence = self.first_sequence.min(sequence);
        }
        new
    }

    pub(super) fn expected(&self) -> u64 {
        u64::try_from(self.newest_sequence - self.first_sequence + 1).unwrap_or(0)
    }

    /// Puts a copy (RFC 2198) where no packet is: not before the stream's first packet, not before what is heard next, and not over
    /// another packet.
    pub(super) fn fill_in(&mut self, timestamp: u32, payload: Bytes, samples: usize) {
        let at = self.unwrap_timestamp(timestamp);
        if at < self.first_timestamp.max(self.position) || at >= self.newest_timestamp {
            return;
        }
        let end = at + samples as i64;
        let before_is_free =
            self.packets.range(..=at).next_back().is_none_or(|(from, packet)| from + packet.samples as i64 <= at);
        let after_is_free = self.packets.range(at..).next().is_none_or(|(from, _)| *from >= end);
        if before_is_free && after_is_free && self.packets.len() < MAX_PACKETS {
            self.packets.insert(at, BufferedPacket { payload, samples, discontinuity: false, sequence: None });
        }
    }

    /// Something for `samples` samples for which there is no packet.
    pub(super) fn make_up(&mut self, samples: i64) -> Decision {
        let len = usize::try_from(samples).unwrap_or(CONCEAL).clamp(1, CONCEAL);
        if self.priming {
            return Decision::Silence(len);
        }
        self.made_up += len as i64;
        if self.pausing && self.made_up <= DTX_AT_MOST {
            Decision::Noise(len)
        } else if self.made_up <= CONCEAL_AT_MOST {
            Decision::Conceal(len)
        } else {
            Decision::Silence(len)
        }
    }
}
