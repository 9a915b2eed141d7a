//! Which packet is to be heard next, and when: the buffer between an uneven network and an even speaker.

use super::delay::{DelayEstimator, MS, in_samples};
use super::opus_packet;
use super::repair::RepairWait;
use super::stream::{CONCEAL, CONCEAL_AT_MOST, MAX_PACKETS, Stream};
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When so much more waits than should, the oldest is thrown away to be live again, e.g. when the speaker paused.
const SKIP: i64 = 250 * MS;
/// How much shorter than the target the delay may be.
const SLACK: i64 = 5 * MS;
/// How much longer than the target the delay may be.
const SURPLUS: i64 = 15 * MS;
/// Plays over which the smallest delay decides about the speed.
const RECENT: usize = 12;
/// The delay shrinks by at most one part in so many of what is played, as does a delay that is asked for.
const SPEED: i64 = 10;
/// Longest delay that can be asked for on top of what the network needs.
const MAX_EXTRA: i64 = 300 * MS;
/// The least that is worth taking from in-band FEC: what the seam takes.
const LEAST_FEC: i64 = 5 * MS;

/// A packet that waits in a [`JitterBuffer`].
#[derive(Debug, Clone)]
pub struct BufferedPacket {
    /// One Opus packet (RFC 6716), its framing checked.
    pub payload: Bytes,
    /// How long it sounds, in 48 kHz samples.
    pub samples: usize,
    /// What went before has no connection to it: skipped, or another stream.
    pub discontinuity: bool,
    /// Of a copy (RFC 2198) it is not known.
    pub(super) sequence: Option<i64>,
}

/// What is to be heard next.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Decode and play it.
    Play {
        /// The packet.
        packet: BufferedPacket,
        /// Its SSRC.
        ssrc: u32,
        /// Its RTP timestamp.
        rtp_timestamp: u32,
    },
    /// A packet is lost; its repair is in the next one, `from`, which will be played after that.
    Fec {
        /// The next Opus packet.
        from: Bytes,
        /// How many samples its in-band FEC has.
        samples: usize,
        /// How many of them, at the end, are still to be heard; the others have been concealed.
        wanted: usize,
    },
    /// Nothing is there that should be: the decoder conceals so many samples.
    Conceal(usize),
    /// The other side said that it sends nothing for now: the decoder makes so many samples of background noise.
    Noise(usize),
    /// Nothing was heard for long, or not yet ever: so many samples of silence.
    Silence(usize),
}

/// Whether to play slower or faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// The delay is as wanted.
    Keep,
    /// The delay is too long: take something out.
    Accelerate {
        /// So much too long that quality comes second.
        urgent: bool,
    },
    /// The delay is too short: put something in.
    Expand,
}

/// Counted since the start, over all streams (SSRCs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterStats {
    /// Packets received, duplicates left out.
    pub packets: u64,
    /// Expected by sequence numbers but not received so far.
    pub lost: u64,
    /// Came after their time.
    pub late: u64,
    /// Came more than once.
    pub duplicate: u64,
    /// Not Opus, or not in line with the stream.
    pub invalid: u64,
    /// In time but thrown away to catch up.
    pub skipped: u64,
    /// Repaired by in-band FEC.
    pub fec_recovered: u64,
    /// Played from a copy in a later packet (RED, RFC 2198).
    pub red_recovered: u64,
    /// Streams that began after the first: new SSRC, or numbers that do not continue.
    pub restarts: u64,
}

/// Orders packets, and decides what is heard when. Sans-IO: times come with each call.
///
/// The delay kept is that of the fastest packets (of the last three seconds): a packet that took the network's shortest time waits for the
/// *target* before it is played; slower ones wait less. The target is what jitter asks for, 20 to 600 ms, and, while packets are lost, as much more as
/// their repair by later packets takes. It grows at once and shrinks by a tenth of what is played. On top comes what was asked for by
/// [`set_extra_delay`](Self::set_extra_delay). [`adjustment`](Self::adjustment) tells when the delay strays from it.
///
/// When nothing is there to play, time stands still: what comes late is played late, and the delay grown by that shrinks again. When packets after a gap
/// are there, the gap is repaired or concealed for its length and no longer. A pause (DTX) is a gap without missing sequence numbers.
#[derive(Debug)]
pub struct JitterBuffer {
    epoch: Option<Instant>,
    stream: Option<Stream>,
    /// Does not continue the stream. If the next packet continues this one, a new stream has begun (RFC 3550, A.1).
    suspect: Option<RtpPacket>,
    delay: DelayEstimator,
    repair: RepairWait,
    /// What the network asks for, in samples, falling slowly.
    target: i64,
    /// What was asked for on top, in samples, and how much of it has been reached.
    extra_wanted: i64,
    extra: i64,
    /// Samples to be played before the delay may shrink any further.
    shrink_after: i64,
    /// Delays at the last plays, in samples.
    recent: VecDeque<i64>,
    /// Σ over played packets of delay × length, and of length, in samples.
    waited: (u64, u64),
    stats: JitterStats,
    /// Expected and received in streams that have ended.
    ended: (u64, u64),
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl JitterBuffer {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            epoch: None,
            stream: None,
            suspect: None,
            delay: DelayEstimator::new(),
            repair: RepairWait::default(),
            target: 0,
            extra_wanted: 0,
            extra: 0,
            shrink_after: 0,
            waited: (0, 0),
            recent: VecDeque::with_capacity(RECENT),
            stats: JitterStats::default(),
            ended: (0, 0),
        }
    }

    /// A packet without sound, such as one in which a telephone event was: nothing is lost by it.
    fn pass_over(&mut self, packet: &RtpPacket) {
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.ssrc == packet.ssrc) else { return };
        let (sequence, _) = stream.unwrap(packet);
        if stream.is_near(sequence) {
            stream.note(sequence, |lost| self.repair.settled(lost));
        }
    }

    /// Takes a packet that arrived when it says. `false`: it is not Opus, or not in line with the stream.
    pub fn insert(&mut self, packet: RtpPacket) -> bool {
        if packet.payload.is_empty() {
            self.pass_over(&packet);
            return false;
        }
        let Some(samples) = opus_packet::samples(&packet.payload) else {
            self.stats.invalid += 1;
            return false;
        };
        let Some(stream) = self.stream.as_ref().filter(|stream| stream.ssrc == packet.ssrc) else {
            self.restart(&packet);
            self.accept(packet, samples);
            return true;
        };
        if stream.is_continued_by(&packet) {
            self.suspect = None;
            self.accept(packet, samples);
            return true;
        }
        match self.suspect.take() {
            Some(first) if packet.sequence_number == first.sequence_number.wrapping_add(1) => {
                self.stats.invalid = self.stats.invalid.saturating_sub(1);
                self.restart(&first);
                if let Some(samples) = opus_packet::samples(&first.payload) {
                    self.accept(first, samples);
                }
                self.insert(packet)
            }
            _ => {
                self.stats.invalid += 1;
                self.suspect = Some(packet);
                false
            }
        }
    }

    /// Takes a copy of the packet with this timestamp, which came in a later one that was just [inserted](Self::insert) (RED, RFC 2198). It fills
    /// a gap only, and counts neither as received nor for the jitter. `false`: it is not Opus.
    pub fn insert_copy(&mut self, ssrc: u32, timestamp: u32, payload: Bytes) -> bool {
        let Some(samples) = opus_packet::samples(&payload) else { return false };
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.ssrc == ssrc) {
            let newest = stream.newest_timestamp;
            self.repair.copy(
                newest,
                i64::from((newest as u32).wrapping_sub(timestamp).min(u32::from(super::red::MAX_OFFSET))),
            );
            stream.fill_in(timestamp, payload, samples);
        }
        true
    }

    /// Adds to the delay, smoothly, for the sake of pictures that come later than the sound. At most 300 ms.
    pub fn set_extra_delay(&mut self, extra: Duration) {
        self.extra_wanted = in_samples(extra).min(MAX_EXTRA);
    }

    fn restart(&mut self, first: &RtpPacket) {
        if let Some(old) = self.stream.take() {
            self.stats.restarts += 1;
            self.stats.skipped += old.packets.len() as u64;
            self.ended.0 += old.expected();
            self.ended.1 += old.received;
        }
        self.suspect = None;
        self.delay.restart();
        self.repair.restart(i64::from(first.timestamp));
        self.recent.clear();
        self.stream = Some(Stream::new(first));
    }

    fn accept(&mut self, packet: RtpPacket, samples: usize) {
        let arrival = self.time(packet.arrived_at);
        let Some(stream) = &mut self.stream else { return };
        let (sequence, timestamp) = stream.unwrap(&packet);
        if !stream.note(sequence, |lost| self.repair.settled(lost)) {
            self.stats.duplicate += 1;
            return;
        }
        self.stats.packets += 1;
        stream.newest_timestamp = stream.newest_timestamp.max(timestamp);
        let longer = self.delay.arrived(arrival, timestamp);
        if longer > 0 {
            self.target -= longer;
            self.recent.iter_mut().for_each(|delay| *delay -= longer);
        }
        self.repair.packet(stream.newest_timestamp, samples as i64);
        // A copy gives way to the packet itself.
        let taken = stream.packets.get(&timestamp).is_some_and(|there| there.sequence.is_some());
        if timestamp < stream.position || taken {
            self.stats.late += 1;
        } else {
            let sequence = Some(sequence);
            let packet = BufferedPacket { payload: packet.payload, samples, discontinuity: false, sequence };
            stream.packets.insert(timestamp, packet);
            if stream.packets.len() > MAX_PACKETS {
                stream.packets.pop_first();
                self.stats.skipped += 1;
                stream.discontinuity = true;
            }
        }
        let (expected, received) = (self.ended.0 + stream.expected(), self.ended.1 + stream.received);
        self.stats.lost = expected.saturating_sub(received);
    }

    /// Decides what is heard next if it is heard `now`, and takes it as heard.
    pub fn next(&mut self, now: Instant) -> Decision {
        let now = self.time(now);
        self.target = self.target.max(self.needed());
        let target = self.target + self.extra;
        let Some(stream) = &mut self.stream else { return Decision::Silence(CONCEAL) };
        let waited = |timestamp| self.delay.waited(now, timestamp).unwrap_or(0);
        // Where the newest packet is late itself, there is no nearer to live.
        let live = target + self.delay.newest();
        if stream.packets.first_key_value().is_some_and(|(&timestamp, _)| waited(timestamp) > live + SKIP) {
            while stream.packets.len() > 1
                && stream.packets.first_key_value().is_some_and(|(&timestamp, _)| waited(timestamp) > live + SURPLUS)
            {
                stream.packets.pop_first();
                self.stats.skipped += 1;
            }
            stream.discontinuity = true;
            self.recent.clear();
            if let Some((&timestamp, _)) = stream.packets.first_key_value() {
                stream.position = timestamp;
            }
        }
        while !stream.priming
            && stream.packets.first_key_value().is_some_and(|(&timestamp, _)| timestamp < stream.position)
        {
            stream.packets.pop_first();
            self.stats.late += 1;
        }
        let Some((&timestamp, first)) = stream.packets.first_key_value() else { return stream.make_up(CONCEAL as i64) };
        let silent = stream.made_up > CONCEAL_AT_MOST || stream.pausing && stream.made_up > 0;
        if (stream.priming || silent) && waited(timestamp) + SLACK < target {
            return stream.make_up(CONCEAL as i64);
        }
        let gap = if stream.priming { 0 } else { timestamp - stream.position - stream.made_up };
        if gap > 0 && !silent {
            let lost = first.sequence.is_none_or(|sequence| sequence > stream.last_sequence + 1);
            let Some(samples) = opus_packet::fec_samples(&first.payload).filter(|_| lost) else {
                return stream.make_up(gap);
            };
            let before = gap - samples as i64;
            if before > 0 {
                return stream.make_up(before);
            }
            if gap < LEAST_FEC {
                return stream.make_up(gap);
            }
            let from = first.payload.clone();
            // The lost packet has been heard by this: should it still come, it is late.
            stream.position = timestamp;
            stream.made_up = 0;
            return Decision::Fec { from, samples, wanted: usize::try_from(gap).unwrap_or(samples) };
        }
        let Some((_, mut packet)) = stream.packets.pop_first() else { return stream.make_up(CONCEAL as i64) };
        let (samples, delay) = (packet.samples as i64, waited(timestamp));
        packet.discontinuity = std::mem::take(&mut stream.discontinuity);
        stream.priming = false;
        stream.made_up = 0;
        stream.pausing = packet.payload.len() <= 2;
        stream.position = timestamp + samples;
        stream.last_sequence = packet.sequence.unwrap_or(stream.last_sequence + 1);
        self.stats.red_recovered += u64::from(packet.sequence.is_none());
        let ssrc = stream.ssrc;
        self.played(delay, samples);
        Decision::Play { packet, ssrc, rtp_timestamp: timestamp as u32 }
    }

    /// A packet of so many samples is played after such a delay.
    fn played(&mut self, delay: i64, samples: i64) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(delay);
        let (delay, length) = (delay.max(0) as u64, samples.max(0) as u64);
        self.waited =
            (self.waited.0.saturating_add(delay.saturating_mul(length)), self.waited.1.saturating_add(length));
        let step = samples / SPEED;
        self.shrink_after = (self.shrink_after - samples).max(0);
        self.target = self.needed().max(self.target - step);
        self.extra += (self.extra_wanted - self.extra).clamp(-step, step);
    }

    /// Whether what was last played should be made shorter or longer; say with [`adjusted`](Self::adjusted) by how much it was.
    pub fn adjustment(&self) -> Adjustment {
        let Some(&shortest) = self.recent.iter().min() else { return Adjustment::Keep };
        let target = self.target + self.extra;
        if self.recent.len() == RECENT && shortest > target + SURPLUS && self.shrink_after == 0 {
            Adjustment::Accelerate { urgent: shortest > target + 4 * SURPLUS }
        } else if shortest < target - SLACK {
            Adjustment::Expand
        } else {
            Adjustment::Keep
        }
    }

    /// What was last played was made longer by so many samples, or shorter if negative.
    pub fn adjusted(&mut self, samples: i64) {
        self.shrink_after += (-samples).max(0) * SPEED;
        for delay in &mut self.recent {
            *delay += samples;
        }
    }

    /// A packet was repaired by in-band FEC.
    pub(super) fn repaired(&mut self) {
        self.stats.fec_recovered += 1;
    }

    /// Counted so far.
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    /// The delay at the last play and the delay aimed at, in milliseconds.
    pub fn delay_ms(&self) -> (f64, f64) {
        let ms = |samples: i64| samples as f64 / MS as f64;
        let target = self.target.max(self.needed());
        (self.recent.back().map_or(0.0, |&delay| ms(delay.max(0))), ms(target + self.extra))
    }

    /// The mean delay of all that was played, in milliseconds.
    pub fn mean_delay_ms(&self) -> f64 {
        if self.waited.1 == 0 { 0.0 } else { self.waited.0 as f64 / self.waited.1 as f64 / MS as f64 }
    }

    /// Whether anything has been played yet.
    pub fn has_started(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| !stream.priming) || self.stats.restarts > 0
    }

    /// The delay that the network asks for, in samples.
    fn needed(&self) -> i64 {
        (self.delay.target() + self.repair.samples()).min(DelayEstimator::MAX)
    }

    /// In samples since the first time we were told.
    fn time(&mut self, at: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(at);
        match at.checked_duration_since(epoch) {
            Some(since) => in_samples(since),
            None => -in_samples(epoch.saturating_duration_since(at)),
        }
    }
}

#[cfg(test)]
#[path = "jitter_tests.rs"]
mod tests;
