//! Packets to whole pictures, in order, and nothing that could not be decoded.

use super::buffer::{Entry, Inserted, PacketBuffer};
use super::codec::{VIDEO_CLOCK_RATE, VideoCodec};
use super::depacketize::{self, PictureId};
use super::repair_wait::KeyframeRequests;
use super::search::Scan;
use crate::media::rtp::RtpPacket;
use std::time::{Duration, Instant};

/// A stream that begins without a keyframe has so long to bring one by itself.
pub(super) const START_WAIT: Duration = Duration::from_millis(200);
/// A picture that could be decoded and was not for so long is the past: the decoder is too slow, or the app stood still.
pub(super) const MAX_BEHIND: Duration = Duration::from_secs(1);
/// So old, pictures are not shown even if what they build on has come at last; nor is it waited for any longer.
pub(super) const MAX_AGE: Duration = Duration::from_secs(2);
/// A gap of so many packets, or of so much time with at least a few packets, takes longer to repair than a keyframe takes to come.
const LONG_GAP_PACKETS: i64 = 300;
const LONG_GAP_TICKS: i32 = VIDEO_CLOCK_RATE as i32 * 2 / 5;
const FEW_PACKETS: i64 = 8;

/// What an assembler wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Decode this one.
    Frame(AssembledFrame),
    /// Ask the other side for a keyframe.
    WantKeyframe,
}

/// A whole picture, the next one to decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembledFrame {
    /// Its codec.
    pub codec: VideoCodec,
    /// Whether it can be decoded by itself.
    pub keyframe: bool,
    /// Synchronization source of its packets.
    pub ssrc: u32,
    /// RTP timestamp.
    pub timestamp: u32,
    /// When its first packet came.
    pub arrived_at: Instant,
}

/// What an assembler did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AssemblerStats {
    /// Packets taken, duplicates and late ones left out.
    pub packets: u64,
    /// Payload bytes of them.
    pub bytes: u64,
    /// Came more than once.
    pub duplicate: u64,
    /// Came after their picture was delivered or given up.
    pub late: u64,
    /// Were no valid payload of their codec.
    pub invalid: u64,
    /// Pictures delivered.
    pub frames: u64,
    /// Of these, keyframes.
    pub keyframes: u64,
    /// Pictures of which packets came but that were not delivered.
    pub frames_dropped: u64,
    /// Times that a keyframe was asked for.
    pub keyframe_requests: u64,
}

/// Orders packets, waits a bounded time for missing ones, and gives whole pictures of which all predecessors were given.
///
/// Where a picture cannot be completed in time, it asks for a keyframe until one arrives. What came behind the gap is kept: whichever
/// is whole first, the gap or the keyframe, is what it goes on with. It is told the time and does no input or output:
/// [`insert`](Self::insert) what came, then [`poll`](Self::poll) until there is nothing more, and again at the
/// [`deadline`](Self::deadline).
#[derive(Debug)]
pub struct FrameAssembler {
    payload_types: Vec<(u8, VideoCodec)>,
    ssrc: Option<u32>,
    buffer: PacketBuffer,
    /// Where the next picture begins; `None` where nothing but a keyframe can be decoded.
    next: Option<i64>,
    codec: Option<VideoCodec>,
    picture_id: Option<PictureId>,
    /// A missing packet and when it was first missed.
    blocked: Option<(i64, Instant)>,
    requests: KeyframeRequests,
    /// RTP timestamp of the picture delivered last.
    timestamp: Option<u32>,
    /// When everything up to the picture delivered last was there.
    ready_at: Option<Instant>,
    dropped_timestamp: Option<u32>,
    stats: AssemblerStats,
}

impl FrameAssembler {
    /// For a session in which these payload types are video of these codecs; other types count as padding.
    pub fn new(payload_types: Vec<(u8, VideoCodec)>) -> Self {
        Self {
            payload_types,
            ssrc: None,
            buffer: PacketBuffer::default(),
            next: None,
            codec: None,
            picture_id: None,
            blocked: None,
            requests: KeyframeRequests::new(),
            timestamp: None,
            ready_at: None,
            dropped_timestamp: None,
            stats: AssemblerStats::default(),
        }
    }

    /// Takes a packet.
    pub fn insert(&mut self, packet: RtpPacket, now: Instant) {
        let codec =
            self.payload_types.iter().find(|(number, _)| *number == packet.payload_type).map(|(_, codec)| *codec);
        if codec.is_none() && self.ssrc != Some(packet.ssrc) {
            return;
        }
        let picture = match codec.filter(|_| !packet.payload.is_empty()) {
            None => None,
            Some(codec) => match depacketize::inspect(codec, &packet.payload) {
                Some(info) => Some((codec, info)),
                // The sequence number stays missing, so that its picture is never put together without it.
                None => return self.stats.invalid += 1,
            },
        };
        let RtpPacket { sequence_number, timestamp, marker, payload, arrived_at, .. } = packet;
        let bytes = payload.len() as u64;
        let entry = Entry { timestamp, marker, picture, payload, arrived_at };
        let inserted = if self.ssrc == Some(packet.ssrc) {
            self.buffer.insert(sequence_number, entry)
        } else {
            self.ssrc = Some(packet.ssrc);
            self.buffer.restart(sequence_number, entry);
            Inserted::Restart
        };
        match inserted {
            Inserted::Yes => {}
            Inserted::Restart => {
                self.ready_at = None;
                self.only_a_keyframe_helps(now + START_WAIT);
            }
            Inserted::Duplicate => return self.stats.duplicate += 1,
            Inserted::Late | Inserted::Suspect => return self.stats.late += 1,
            Inserted::Full => {
                let end = self.buffer.end();
                self.drop_below(end);
                return self.only_a_keyframe_helps(now);
            }
        }
        self.stats.packets += 1;
        self.stats.bytes += bytes;
    }

    /// What is to be done now, one thing at a time. The bytes of a frame replace the contents of `data`: a VP8 frame, or an
    /// H.264 access unit in Annex B form.
    pub fn poll(&mut self, now: Instant, data: &mut Vec<u8>) -> Option<Event> {
        loop {
            let found = match self.next {
                Some(next) => self.next_frame(next, now),
                None => self.next_keyframe(now),
            };
            match found {
                Some((first, last)) => {
                    if let Some(frame) = self.deliver(first, last, now, data) {
                        return Some(Event::Frame(frame));
                    }
                }
                None if self.requests.poll(now) => {
                    self.stats.keyframe_requests += 1;
                    return Some(Event::WantKeyframe);
                }
                None => return None,
            }
        }
    }

    /// When to poll again though nothing comes.
    pub fn deadline(&self) -> Option<Instant> {
        self.requests.due().or(self.blocked.map(|(_, since)| since + self.requests.wait()))
    }

    /// What repair takes, and so how long it is waited for, follows from the round trip, which may change while it runs.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.requests.set_rtt(rtt);
    }

    /// The frame delivered last could not be decoded: a keyframe is needed.
    pub fn decoding_failed(&mut self, now: Instant) {
        self.only_a_keyframe_helps(now);
    }

    /// What was done so far.
    pub fn stats(&self) -> AssemblerStats {
        self.stats
    }

    /// The next picture in order, if it is whole; gives up what has been missing for too long.
    fn next_frame(&mut self, next: i64, now: Instant) -> Option<(i64, i64)> {
        let next = self.skip_padding(next);
        let missing = match self.buffer.get(next) {
            Some(entry) => {
                let (codec, info) = entry.picture?;
                let timestamp = entry.timestamp;
                match self.buffer.scan(next, timestamp) {
                    _ if !info.may_begin => {
                        self.only_a_keyframe_helps(now);
                        return self.next_keyframe(now);
                    }
                    Scan::Whole(_) if self.codec != Some(codec) && !self.buffer.is_keyframe(next, timestamp) => {
                        self.only_a_keyframe_helps(now);
                        return self.next_keyframe(now);
                    }
                    Scan::Whole(last) => {
                        self.blocked = None;
                        return Some((next, last));
                    }
                    Scan::Missing(missing) => missing,
                }
            }
            None => next,
        };
        let since = self.missed_since(missing)?;
        // A keyframe that is there already makes it needless to wait.
        if let Some(found) = self.buffer.whole_keyframe(missing, self.next) {
            self.blocked = None;
            return Some(found);
        }
        let waited = now.saturating_duration_since(since);
        if waited >= MAX_AGE {
            self.only_a_keyframe_helps(now);
            return self.next_keyframe(now);
        }
        if waited >= self.requests.wait() || self.is_long_gap(missing) {
            self.requests.need(now);
            self.put_off_for_what_arrives(next, now);
        }
        None
    }

    /// Whether a keyframe will be here before all of this gap is repaired.
    fn is_long_gap(&self, missing: i64) -> bool {
        let Some((number, behind)) = self.buffer.from(missing).next() else { return false };
        let before = self.buffer.get(missing - 1).map(|entry| entry.timestamp).or(self.timestamp);
        let ticks = before.map_or(0, |before| behind.timestamp.wrapping_sub(before) as i32);
        let packets = number - missing;
        packets > LONG_GAP_PACKETS || packets >= FEW_PACKETS && ticks >= LONG_GAP_TICKS
    }

    /// While a keyframe is arriving, another one would only be in its way. But it must not stand still.
    fn put_off_for_what_arrives(&mut self, from: i64, now: Instant) {
        if !self.requests.is_needed() {
            return;
        }
        let newest = self.buffer.from(from).rev().find(|(_, e)| e.picture.is_some_and(|(_, i)| i.announces_keyframe));
        let Some(timestamp) = newest.map(|(_, entry)| entry.timestamp) else { return };
        let packets = self.buffer.from(from).filter(|(_, entry)| entry.timestamp == timestamp);
        if let Some(until) =
            packets.map(|(_, entry)| entry.arrived_at + self.requests.wait()).max().filter(|t| *t > now)
        {
            self.requests.put_off(until);
        }
    }

    /// Goes past packets without a picture, and past numbers that only such packets can have had.
    fn skip_padding(&mut self, mut next: i64) -> i64 {
        let from = next;
        loop {
            match self.buffer.from(next).next() {
                Some((number, entry)) if number == next && entry.picture.is_none() => next += 1,
                // VP8's picture identifiers tell that no picture lies between.
                Some((number, entry)) if number > next => match (self.picture_id, entry.picture) {
                    (Some(before), Some((VideoCodec::Vp8, info)))
                        if info.begins && info.picture_id.is_some_and(|id| id.follows(before)) =>
                    {
                        next = number;
                    }
                    _ => break,
                },
                _ => break,
            }
        }
        if next != from {
            self.drop_below(next);
            self.next = Some(next);
        }
        next
    }

    /// Since when a packet is known to be missing: since one after it came. Remembers it for the deadline.
    fn missed_since(&mut self, missing: i64) -> Option<Instant> {
        match self.blocked {
            Some((number, since)) if number == missing => Some(since),
            _ => {
                let since = self.buffer.from(missing).map(|(_, entry)| entry.arrived_at).min();
                self.blocked = since.map(|since| (missing, since));
                since
            }
        }
    }

    /// The newest whole keyframe, where nothing else helps. Keeps what may become one and lets go of everything else.
    fn next_keyframe(&mut self, now: Instant) -> Option<(i64, i64)> {
        if let Some(found) = self.buffer.whole_keyframe(i64::MIN, self.next) {
            return Some(found);
        }
        for (start, timestamp) in self.buffer.keyframe_starts(i64::MIN, self.next) {
            self.drop_below(start);
            let end = match self.buffer.scan(start, timestamp) {
                // It only looked like one.
                Scan::Whole(last) => last + 1,
                Scan::Missing(missing) if self.stands_still(start, timestamp, now) => {
                    let mut after = self.buffer.from(missing).filter(|(_, entry)| entry.picture.is_some());
                    let next = after.find(|(_, entry)| entry.timestamp != timestamp);
                    next.map_or(self.buffer.end(), |(number, _)| number)
                }
                Scan::Missing(_) => {
                    self.put_off_for_what_arrives(start, now);
                    return None;
                }
            };
            self.drop_below(end);
        }
        // What is left may belong to a keyframe whose first packet was overtaken or is still to be repaired: what lies before what is
        // kept has to be taken when it comes.
        let wait = self.requests.wait();
        let young = |entry: &Entry| now.saturating_duration_since(entry.arrived_at) < wait;
        let old = self.buffer.from(i64::MIN).take_while(|(_, entry)| !young(entry)).map(|(number, _)| number);
        if let Some(last) = old.last() {
            self.drop_below(last + 1);
        }
        self.put_off_for_what_arrives(i64::MIN, now);
        None
    }

    /// Whether no packet of this picture has come for so long that no more are to be expected.
    fn stands_still(&self, first: i64, timestamp: u32, now: Instant) -> bool {
        let same = self.buffer.from(first).filter(|(_, entry)| entry.timestamp == timestamp);
        same.map(|(_, entry)| entry.arrived_at).max().is_none_or(|at| now.saturating_duration_since(at) >= MAX_AGE)
    }

    /// Puts a whole picture together and goes on behind it. `None` if that was not possible; a keyframe is needed then.
    fn deliver(&mut self, first: i64, last: i64, now: Instant, data: &mut Vec<u8>) -> Option<AssembledFrame> {
        self.drop_below(first);
        let entry = self.buffer.get(first)?;
        let (timestamp, codec, info) = (entry.timestamp, entry.picture?.0, entry.picture?.1);
        let keyframe = self.buffer.is_keyframe(first, timestamp);
        let packets = || self.buffer.from(first).take_while(|(number, _)| *number <= last).map(|(_, entry)| entry);
        let arrived_at = packets().map(|entry| entry.arrived_at).min()?;
        let whole_at = packets().map(|entry| entry.arrived_at).max()?;
        let pictures = || packets().filter(|entry| entry.picture.is_some());
        let one_codec = pictures().all(|entry| entry.picture.is_some_and(|(other, _)| other == codec));
        data.clear();
        // Decoders want a frame in one piece, which it is not on the wire: one copy.
        let valid = one_codec && depacketize::assemble(codec, pictures().map(|entry| &entry.payload[..]), data);
        // What waited for a gap to be repaired could not be decoded sooner.
        let ready_at = self.ready_at.map_or(whole_at, |before| before.max(whole_at));
        let too_late = now.saturating_duration_since(ready_at) > MAX_BEHIND;
        if !valid || too_late || now.saturating_duration_since(whole_at) > MAX_AGE {
            self.drop_below(last + 1);
            self.only_a_keyframe_helps(now);
            return None;
        }
        self.buffer.drop_below(last + 1, |_| {});
        self.next = Some(last + 1);
        self.codec = Some(codec);
        self.picture_id = info.picture_id;
        self.timestamp = Some(timestamp);
        self.ready_at = Some(ready_at);
        self.blocked = None;
        self.requests.satisfied();
        self.stats.frames += 1;
        self.stats.keyframes += u64::from(keyframe);
        Some(AssembledFrame { codec, keyframe, ssrc: self.ssrc.unwrap_or_default(), timestamp, arrived_at })
    }

    fn drop_below(&mut self, number: i64) {
        let Self { buffer, dropped_timestamp, stats, .. } = self;
        buffer.drop_below(number, |entry| {
            if entry.picture.is_some() && dropped_timestamp.replace(entry.timestamp) != Some(entry.timestamp) {
                stats.frames_dropped += 1;
            }
        });
    }

    /// Nothing that builds on earlier pictures can be decoded: a keyframe is to be asked for at `at`.
    fn only_a_keyframe_helps(&mut self, at: Instant) {
        self.next = None;
        self.blocked = None;
        self.picture_id = None;
        self.requests.need(at);
    }
}

#[cfg(test)]
#[path = "assembler_tests.rs"]
mod tests;
