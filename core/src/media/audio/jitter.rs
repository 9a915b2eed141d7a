//! Which packet is to be heard next, and when: the buffer between an uneven network and an even speaker.

use super::delay::{DelayEstimator, MS, in_samples};
use crate::media::capture::SAMPLE_RATE;
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Most packets held: 3 s at 20 ms each.
const MAX_PACKETS: usize = 150;
/// A timestamp further than this from the newest does not continue the stream.
const MAX_LEAP: i64 = 3000 * MS;
/// A sequence number further than this from the newest does not continue the stream.
const MAX_DROPOUT: i64 = 500;
/// What is concealed at a time, so that a packet that is a little late is played soon after it comes.
const CONCEAL: usize = 480;
/// After so much concealment only silence is left.
const CONCEAL_AT_MOST: i64 = 200 * MS;
/// How long a pause announced by DTX may last before it counts as concealment.
const DTX_AT_MOST: i64 = 1000 * MS;
/// Sound this much later than it should be is thrown away to be live again, e.g. when the speaker paused.
const SKIP: i64 = 250 * MS;
/// How much shorter than the target the delay may be.
const SLACK: i64 = 5 * MS;
/// How much longer than the target the delay may be.
const SURPLUS: i64 = 15 * MS;
/// Plays over which the smallest delay decides about the speed.
const RECENT: usize = 12;
/// Above this share of loss we wait for one more packet, because it can repair the one before.
const LOSS_FOR_FEC: f64 = 0.01;

/// A packet that waits in a [`JitterBuffer`].
#[derive(Debug, Clone)]
pub struct BufferedPacket {
    /// One Opus packet (RFC 6716), its framing checked.
    pub payload: Bytes,
    /// How long it sounds, in 48 kHz samples.
    pub samples: usize,
    /// What went before has no connection to it: skipped, or another stream.
    pub discontinuity: bool,
    sequence: i64,
}

/// What is to be heard next.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Decode and play it.
    Play(BufferedPacket),
    /// A packet is lost; its repair is in the next one, `from`, which will be played after that.
    Fec {
        /// The next Opus packet.
        from: Bytes,
        /// How many samples to take from its in-band FEC.
        samples: usize,
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
    /// Streams that began after the first: new SSRC, or numbers that do not continue.
    pub restarts: u64,
}

/// Orders packets, and decides what is heard when. Sans-IO: times come with each call.
///
/// The delay kept is that of the fastest packets (of the last three seconds): a packet that took the network's shortest time waits for the
/// *target*, 20 to 200 ms, before it is played; slower ones wait less. The target covers 97% of packets, and one packet more while some are lost, so
/// that in-band FEC can be used. [`adjustment`](Self::adjustment) tells when the delay strays from it.
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
    /// Smoothed share of lost packets.
    loss: f64,
    /// Delays at the last plays, in samples.
    recent: VecDeque<i64>,
    stats: JitterStats,
    /// Expected and received in streams that have ended.
    ended: (u64, u64),
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    packets: BTreeMap<i64, BufferedPacket>,
    first_sequence: i64,
    newest_sequence: i64,
    newest_timestamp: i64,
    /// Bit n: `newest_sequence - n` was received.
    seen: u128,
    received: u64,
    /// Timestamp of what comes next.
    position: i64,
    last_sequence: i64,
    /// Samples made up since `position` stands still.
    made_up: i64,
    /// Waiting for the target to be reached.
    priming: bool,
    /// The last packet was a DTX one.
    pausing: bool,
    discontinuity: bool,
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
            loss: 0.0,
            recent: VecDeque::with_capacity(RECENT),
            stats: JitterStats::default(),
            ended: (0, 0),
        }
    }

    /// Takes a packet that arrived when it says.
    pub fn insert(&mut self, packet: RtpPacket) {
        let Some(samples) = opus_samples(&packet.payload) else {
            self.stats.invalid += 1;
            return;
        };
        let Some(stream) = &self.stream else {
            self.restart(&packet);
            return self.accept(packet, samples);
        };
        if packet.ssrc != stream.ssrc {
            self.restart(&packet);
            return self.accept(packet, samples);
        }
        if stream.is_continued_by(&packet) {
            self.suspect = None;
            return self.accept(packet, samples);
        }
        match self.suspect.take() {
            Some(first) if packet.sequence_number == first.sequence_number.wrapping_add(1) => {
                self.stats.invalid = self.stats.invalid.saturating_sub(1);
                self.restart(&first);
                if let Some(samples) = opus_samples(&first.payload) {
                    self.accept(first, samples);
                }
                self.insert(packet);
            }
            _ => {
                self.stats.invalid += 1;
                self.suspect = Some(packet);
            }
        }
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
        self.recent.clear();
        let sequence = i64::from(first.sequence_number);
        let timestamp = i64::from(first.timestamp);
        self.stream = Some(Stream {
            ssrc: first.ssrc,
            packets: BTreeMap::new(),
            first_sequence: sequence,
            newest_sequence: sequence,
            newest_timestamp: timestamp,
            seen: 0,
            received: 0,
            position: i64::MIN,
            last_sequence: sequence - 1,
            made_up: 0,
            priming: true,
            pausing: false,
            discontinuity: true,
        });
    }

    fn accept(&mut self, packet: RtpPacket, samples: usize) {
        let arrival = self.time(packet.arrived_at);
        let Some(stream) = &mut self.stream else { return };
        let (sequence, timestamp) = stream.unwrap(&packet);
        if !stream.note(sequence) {
            self.stats.duplicate += 1;
            return;
        }
        self.stats.packets += 1;
        stream.newest_timestamp = stream.newest_timestamp.max(timestamp);
        self.delay.arrived(arrival, timestamp);
        if timestamp < stream.position || stream.packets.contains_key(&timestamp) {
            self.stats.late += 1;
        } else {
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
        let target = self.target();
        let Some(stream) = &mut self.stream else { return Decision::Silence(CONCEAL) };
        let waited = |timestamp| self.delay.waited(now, timestamp).unwrap_or(0);
        if stream.packets.first_key_value().is_some_and(|(&timestamp, _)| waited(timestamp) > target + SKIP) {
            while stream.packets.len() > 1
                && stream.packets.first_key_value().is_some_and(|(&timestamp, _)| waited(timestamp) > target + SURPLUS)
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
        let Some((&timestamp, first)) = stream.packets.first_key_value() else { return stream.fill(CONCEAL as i64) };
        let silent = stream.made_up > CONCEAL_AT_MOST || stream.pausing && stream.made_up > 0;
        if (stream.priming || silent) && waited(timestamp) + SLACK < target {
            return stream.fill(CONCEAL as i64);
        }
        let gap = if stream.priming { 0 } else { timestamp - stream.position - stream.made_up };
        if gap > 0 && !silent {
            let lost = first.sequence > stream.last_sequence + 1;
            if lost && gap == first.samples as i64 && has_fec(&first.payload) {
                let (from, samples) = (first.payload.clone(), first.samples);
                // The lost packet has been heard by this: should it still come, it is late.
                stream.position = timestamp;
                stream.made_up = 0;
                return Decision::Fec { from, samples };
            }
            return stream.fill(gap.min(CONCEAL as i64));
        }
        let Some((_, mut packet)) = stream.packets.pop_first() else { return stream.fill(CONCEAL as i64) };
        let gone = (packet.sequence - stream.last_sequence - 1).clamp(0, 50);
        for lost in (0..=gone).map(|n| if n < gone && !stream.priming { 1.0 } else { 0.0 }) {
            self.loss += (lost - self.loss) * 0.01;
        }
        packet.discontinuity = std::mem::take(&mut stream.discontinuity);
        stream.priming = false;
        stream.made_up = 0;
        stream.pausing = packet.payload.len() <= 2;
        stream.position = timestamp + packet.samples as i64;
        stream.last_sequence = packet.sequence;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(self.delay.waited(now, timestamp).unwrap_or(target));
        Decision::Play(packet)
    }

    /// Whether what was last played should be made shorter or longer; say with [`adjusted`](Self::adjusted) by how much it was.
    pub fn adjustment(&self) -> Adjustment {
        let (target, Some(&shortest)) = (self.target(), self.recent.iter().min()) else { return Adjustment::Keep };
        if self.recent.len() == RECENT && shortest > target + SURPLUS {
            Adjustment::Accelerate { urgent: shortest > target + 4 * SURPLUS }
        } else if shortest < target - SLACK {
            Adjustment::Expand
        } else {
            Adjustment::Keep
        }
    }

    /// What was last played was made longer by so many samples, or shorter if negative.
    pub fn adjusted(&mut self, samples: i64) {
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
        (self.recent.back().map_or(0.0, |&delay| ms(delay.max(0))), ms(self.target()))
    }

    /// Whether anything has been played yet.
    pub fn has_started(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| !stream.priming) || self.stats.restarts > 0
    }

    fn target(&self) -> i64 {
        let for_fec = if self.loss > LOSS_FOR_FEC { 20 * MS } else { 0 };
        (self.delay.target() + for_fec).min(DelayEstimator::MAX)
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

impl Stream {
    fn unwrap(&self, packet: &RtpPacket) -> (i64, i64) {
        let sequence = i64::from(packet.sequence_number.wrapping_sub(self.newest_sequence as u16) as i16);
        let timestamp = i64::from(packet.timestamp.wrapping_sub(self.newest_timestamp as u32) as i32);
        (self.newest_sequence + sequence, self.newest_timestamp + timestamp)
    }

    fn is_continued_by(&self, packet: &RtpPacket) -> bool {
        let (sequence, timestamp) = self.unwrap(packet);
        let (ahead, later) = (sequence - self.newest_sequence, timestamp - self.newest_timestamp);
        match ahead {
            0 => later == 0,
            1.. => ahead <= MAX_DROPOUT && (1..=MAX_LEAP).contains(&later),
            _ => ahead >= -MAX_DROPOUT && (-MAX_LEAP..0).contains(&later),
        }
    }

    /// Notes a sequence number; `false` if it was here before, or is too old to tell.
    fn note(&mut self, sequence: i64) -> bool {
        let ahead = sequence - self.newest_sequence;
        if ahead > 0 {
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

    fn expected(&self) -> u64 {
        u64::try_from(self.newest_sequence - self.first_sequence + 1).unwrap_or(0)
    }

    /// Something for `samples` samples for which there is no packet.
    fn fill(&mut self, samples: i64) -> Decision {
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

/// How many samples a packet sounds, if it is one: 2.5 to 120 ms (RFC 6716, section 3).
fn opus_samples(payload: &[u8]) -> Option<usize> {
    if payload.is_empty() {
        return None;
    }
    opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok().filter(|samples| (120..=5760).contains(samples))
}

/// Whether a packet carries its predecessor again, at a lower rate: the LBRR flag of RFC 6716, sections 4.2.3 and 4.2.4. It stands right after the voice activity
/// flags, one for each 20 ms, of which the packet's first byte begins with one set a channel.
pub(super) fn has_fec(payload: &[u8]) -> bool {
    let Ok(packet) = opus::packet::parse(payload) else { return false };
    // Configurations from 16 on are CELT alone, which has no such thing.
    let (configuration, stereo) = (packet.toc >> 3, packet.toc & 4 != 0);
    let Some(&head) = packet.frames.first().and_then(|frame| frame.first()).filter(|_| configuration < 16) else {
        return false;
    };
    let voice_flags = match opus::packet::get_samples_per_frame(payload, SAMPLE_RATE) {
        Ok(samples) => (samples / 960).max(1),
        Err(_) => return false,
    };
    let set = |bit: usize| bit < 8 && head >> (7 - bit) & 1 == 1;
    set(voice_flags) || stereo && set(2 * voice_flags + 1)
}

#[cfg(test)]
#[path = "jitter_tests.rs"]
mod tests;
