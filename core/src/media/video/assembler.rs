//! Packets to whole pictures, in order, and nothing that could not be decoded.

use super::buffer::{Entry, Inserted, PacketBuffer};
use super::codec::VideoCodec;
use super::depacketize::{self, PictureId};
use crate::media::rtp::RtpPacket;
use std::time::{Duration, Instant};

/// How long a missing packet is waited for: a round trip of 200 ms and then some.
pub(super) const MAX_WAIT: Duration = Duration::from_millis(300);
/// Shortest time between two requests for a keyframe.
pub(super) const REQUEST_INTERVAL: Duration = Duration::from_millis(300);
/// A request that brought no keyframe is repeated after this time.
pub(super) const REPEAT_AFTER: Duration = Duration::from_millis(500);
/// A whole picture that could not be taken for so long is the past: on with the next keyframe.
pub(super) const MAX_BEHIND: Duration = Duration::from_secs(1);

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
    /// W3C `jitterBufferDelay`: from a picture's first packet to its delivery, over all.
    pub delay: Duration,
}

/// Orders packets, waits a bounded time for missing ones, and gives whole pictures of which all predecessors were given.
///
/// Where a picture cannot be completed in time, it asks for a keyframe until one comes, and drops everything before. It is
/// told the time and does no input or output: [`insert`](Self::insert) what came, then [`poll`](Self::poll) until there is
/// nothing more, and again at the [`deadline`](Self::deadline).
#[derive(Debug)]
pub struct FrameAssembler {
    payload_types: Vec<(u8, VideoCodec)>,
    ssrc: Option<u32>,
    buffer: PacketBuffer,
    /// Where the next picture begins; `None` while a keyframe is needed.
    next: Option<i64>,
    codec: Option<VideoCodec>,
    picture_id: Option<PictureId>,
    /// A missing packet and when it was first missed.
    blocked: Option<(i64, Instant)>,
    /// When to ask for a keyframe next, while one is needed.
    request_at: Option<Instant>,
    requested_at: Option<Instant>,
    dropped_timestamp: Option<u32>,
    stats: AssemblerStats,
}

/// How far a picture is.
enum Scan {
    /// All of it is there; its last number.
    Whole(i64),
    /// This number is the first that is not there.
    Missing(i64),
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
            request_at: None,
            requested_at: None,
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
            Inserted::Restart => self.need_keyframe(now),
            Inserted::Duplicate => return self.stats.duplicate += 1,
            Inserted::Late | Inserted::Suspect => return self.stats.late += 1,
            Inserted::Full => {
                let end = self.buffer.end();
                self.drop_below(end);
                return self.need_keyframe(now);
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
                None if self.next.is_none() => return self.request(now),
                None => return None,
            }
        }
    }

    /// When to poll again though nothing comes.
    pub fn deadline(&self) -> Option<Instant> {
        let missing = self.blocked.map(|(_, since)| since + MAX_WAIT);
        missing.into_iter().chain(self.request_at).min()
    }

    /// The frame delivered last could not be decoded: a keyframe is needed.
    pub fn decoding_failed(&mut self, now: Instant) {
        self.need_keyframe(now);
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
                match self.scan(next, timestamp) {
                    _ if !info.may_begin => {
                        self.need_keyframe(now);
                        return self.next_keyframe(now);
                    }
                    Scan::Whole(_) if self.codec != Some(codec) && !self.is_keyframe(next, timestamp) => {
                        self.need_keyframe(now);
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
        // A keyframe that is there already makes it needless to wait.
        if let Some(since) = self.missed_since(missing) {
            if let Some((first, last)) = self.whole_keyframe(missing) {
                self.blocked = None;
                return Some((first, last));
            }
            if now.saturating_duration_since(since) >= MAX_WAIT {
                self.need_keyframe(now);
                return self.next_keyframe(now);
            }
        }
        None
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

    /// How far the picture that begins here has come.
    fn scan(&self, first: i64, timestamp: u32) -> Scan {
        let mut expected = first;
        for (number, entry) in self.buffer.from(first) {
            if number != expected {
                return Scan::Missing(expected);
            }
            if entry.picture.is_some() {
                if entry.timestamp != timestamp {
                    return Scan::Whole(number - 1);
                }
                if entry.marker {
                    return Scan::Whole(number);
                }
            }
            expected += 1;
        }
        Scan::Missing(expected)
    }

    /// Whether any packet of this picture says that it is a keyframe.
    fn is_keyframe(&self, first: i64, timestamp: u32) -> bool {
        let same = self.buffer.from(first).take_while(|(_, e)| e.picture.is_none() || e.timestamp == timestamp);
        same.filter_map(|(_, entry)| entry.picture).any(|(_, info)| info.keyframe)
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

    /// Where keyframes begin, or what looks as if it will be one, from this number on.
    fn keyframe_starts(&self, from: i64) -> Vec<(i64, u32)> {
        let mut starts = Vec::new();
        // Once for each picture: its other packets know no more of where it begins, and there may be thousands of them.
        let mut looked_at = None;
        for (number, entry) in self.buffer.from(from) {
            let Some((_, info)) = entry.picture else { continue };
            if !info.announces_keyframe || looked_at == Some(entry.timestamp) {
                continue;
            }
            looked_at = Some(entry.timestamp);
            starts.extend(self.start_of(number, entry).map(|start| (start, entry.timestamp)));
        }
        starts
    }

    /// Where the picture of this packet begins, if that is certain.
    fn start_of(&self, number: i64, entry: &Entry) -> Option<i64> {
        let mut start = (number, entry);
        for (before, other) in self.buffer.below(number) {
            if before != start.0 - 1 || start.1.picture.is_some_and(|(_, info)| info.begins) {
                break;
            }
            if other.picture.is_some() && (other.timestamp != entry.timestamp || other.marker) {
                return start.1.picture?.1.may_begin.then_some(start.0);
            }
            start = (before, other);
        }
        let info = start.1.picture?.1;
        (info.begins || info.may_begin && self.next == Some(start.0)).then_some(start.0)
    }

    /// The newest keyframe from this number on that is whole.
    fn whole_keyframe(&self, from: i64) -> Option<(i64, i64)> {
        self.keyframe_starts(from).into_iter().rev().find_map(|(start, timestamp)| match self.scan(start, timestamp) {
            Scan::Whole(last) if self.is_keyframe(start, timestamp) => Some((start, last)),
            _ => None,
        })
    }

    /// A whole keyframe, while one is needed. Waits for one that is coming and lets go of everything else.
    fn next_keyframe(&mut self, now: Instant) -> Option<(i64, i64)> {
        if let Some(found) = self.whole_keyframe(i64::MIN) {
            self.blocked = None;
            return Some(found);
        }
        while let Some(&(start, timestamp)) = self.keyframe_starts(i64::MIN).first() {
            self.drop_below(start);
            let end = match self.scan(start, timestamp) {
                // It only looked like one.
                Scan::Whole(last) => last + 1,
                Scan::Missing(missing) => {
                    let since = self.missed_since(missing);
                    if since.is_none_or(|since| now.saturating_duration_since(since) < MAX_WAIT) {
                        // It is coming; another one would only be in its way. But it must not stand still.
                        if let (Some(newest), Some(due)) = (self.newest_arrival(start, timestamp), self.request_at) {
                            self.request_at = Some(due.max(newest + REPEAT_AFTER));
                        }
                        return None;
                    }
                    let mut after = self.buffer.from(missing).filter(|(_, entry)| entry.picture.is_some());
                    let next = after.find(|(_, entry)| entry.timestamp != timestamp);
                    next.map_or(self.buffer.end(), |(number, _)| number)
                }
            };
            self.drop_below(end);
            self.request_at = Some(self.earliest_request(now));
        }
        self.blocked = None;
        // What is left may belong to a keyframe whose first packet was overtaken.
        let young = |entry: &Entry| now.saturating_duration_since(entry.arrived_at) < MAX_WAIT;
        let keep = self.buffer.from(i64::MIN).find(|(_, entry)| young(entry)).map(|(number, _)| number);
        self.drop_below(keep.unwrap_or(self.buffer.end()));
        None
    }

    fn newest_arrival(&self, first: i64, timestamp: u32) -> Option<Instant> {
        let same = self.buffer.from(first).filter(|(_, entry)| entry.timestamp == timestamp);
        same.map(|(_, entry)| entry.arrived_at).max()
    }

    /// Puts a whole picture together and goes on behind it. `None` if that was not possible; a keyframe is needed then.
    fn deliver(&mut self, first: i64, last: i64, now: Instant, data: &mut Vec<u8>) -> Option<AssembledFrame> {
        self.drop_below(first);
        let entry = self.buffer.get(first)?;
        let (timestamp, codec, info) = (entry.timestamp, entry.picture?.0, entry.picture?.1);
        let keyframe = self.is_keyframe(first, timestamp);
        let packets = || self.buffer.from(first).take_while(|(number, _)| *number <= last).map(|(_, entry)| entry);
        let arrived_at = packets().map(|entry| entry.arrived_at).min()?;
        let whole_at = packets().map(|entry| entry.arrived_at).max()?;
        let pictures = || packets().filter(|entry| entry.picture.is_some());
        let one_codec = pictures().all(|entry| entry.picture.is_some_and(|(other, _)| other == codec));
        data.clear();
        // Decoders want a frame in one piece, which it is not on the wire: one copy.
        let valid = one_codec && depacketize::assemble(codec, pictures().map(|entry| &entry.payload[..]), data);
        if !valid || now.saturating_duration_since(whole_at) > MAX_BEHIND {
            self.drop_below(last + 1);
            self.need_keyframe(now);
            return None;
        }
        self.buffer.drop_below(last + 1, |_| {});
        self.next = Some(last + 1);
        self.codec = Some(codec);
        self.picture_id = info.picture_id;
        self.blocked = None;
        self.request_at = None;
        self.stats.frames += 1;
        self.stats.keyframes += u64::from(keyframe);
        self.stats.delay += now.saturating_duration_since(arrived_at);
        Some(AssembledFrame { codec, keyframe, timestamp, arrived_at })
    }

    fn drop_below(&mut self, number: i64) {
        let Self { buffer, dropped_timestamp, stats, .. } = self;
        buffer.drop_below(number, |entry| {
            if entry.picture.is_some() && dropped_timestamp.replace(entry.timestamp) != Some(entry.timestamp) {
                stats.frames_dropped += 1;
            }
        });
    }

    fn need_keyframe(&mut self, now: Instant) {
        self.next = None;
        self.blocked = None;
        self.picture_id = None;
        if self.request_at.is_none() {
            self.request_at = Some(self.earliest_request(now));
        }
    }

    fn earliest_request(&self, now: Instant) -> Instant {
        self.requested_at.map_or(now, |at| now.max(at + REQUEST_INTERVAL))
    }

    fn request(&mut self, now: Instant) -> Option<Event> {
        if self.request_at.is_none_or(|due| due > now) {
            return None;
        }
        self.request_at = Some(now + REPEAT_AFTER);
        self.requested_at = Some(now);
        self.stats.keyframe_requests += 1;
        Some(Event::WantKeyframe)
    }
}

#[cfg(test)]
#[path = "assembler_tests.rs"]
mod tests;
