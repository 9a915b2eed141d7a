//! Streams that no description told of: what they are is told by the mid in their packets or by the payload type (RFC 9143 section 9.2).
//! The crate drops them. They are reported here, so that it can be told.

use super::{Queue, chain_link};
use crate::sdp::{Kind, Session};
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Where it lies: after retransmissions have been unwrapped.
pub(in super::super) const POSITION: usize = 6_600;

/// A stream that its payload type alone gives away takes the place of another one only when that has been silent for so long.
const SILENCE: Duration = Duration::from_secs(1);

/// What may arrive, and what has.
#[derive(Default)]
pub(in super::super) struct Streams {
    state: Mutex<State>,
    seen: Notify,
}

#[derive(Default)]
struct State {
    expected: Vec<Expected>,
    seen: Option<(Kind, u32)>,
}

/// Sound or video that the other side sends, as far as its description says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    kind: Kind,
    payload_types: Vec<u8>,
    mid: Option<String>,
    mid_extension: Option<u8>,
    /// The description names the stream: another one is this one only if it says so.
    signaled: bool,
}

impl Streams {
    /// From here on streams are taken for what the session says.
    pub(in super::super) fn expect(&self, session: &Session) {
        let sound = [session.receive.opus, session.receive.red].into_iter().flatten().collect();
        let video = session.receive.video.iter().map(|number| number.payload_type).collect();
        let expected = [(Kind::Audio, &session.audio, sound), (Kind::Video, &session.video, video)].into_iter();
        let expected =
            expected.filter(|(kind, _, _)| session.receives(*kind)).map(|(kind, media, payload_types)| Expected {
                kind,
                payload_types,
                mid: session.receive_mid(kind).map(str::to_owned),
                mid_extension: media.mid_extension.and_then(|id| u8::try_from(id).ok()),
                signaled: media.signaled,
            });
        self.lock().expected = expected.collect();
    }

    /// Waits for a stream that no description told of.
    pub(in super::super) async fn next(&self) -> (Kind, u32) {
        loop {
            let seen = self.lock().seen.take();
            match seen {
                Some(seen) => return seen,
                None => self.seen.notified().await,
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `heard` are the payload types of the streams that are known and not silent.
    fn look_at(&self, header: &rtc::rtp::Header, heard: impl Fn(&[u8]) -> bool) {
        let mut state = self.lock();
        let Some(kind) =
            state.expected.iter().find(|expected| expected.is(header, &heard)).map(|expected| expected.kind)
        else {
            return;
        };
        state.seen = Some((kind, header.ssrc));
        self.seen.notify_one();
    }
}

impl Expected {
    fn is(&self, header: &rtc::rtp::Header, heard: impl Fn(&[u8]) -> bool) -> bool {
        if !self.payload_types.contains(&header.payload_type) {
            return false;
        }
        match (self.mid_extension.and_then(|id| header.get_extension(id)), &self.mid) {
            (Some(named), Some(mid)) => &named[..] == mid.as_bytes(),
            _ => !self.signaled && !heard(&self.payload_types),
        }
    }
}

/// The link.
pub(in super::super) struct Unsignaled {
    streams: Arc<Streams>,
    /// The streams that are known: under which payload type and when the last packet came.
    bound: HashMap<u32, Option<(u8, Instant)>>,
    reads: Queue,
    writes: Queue,
}

impl Unsignaled {
    pub(in super::super) fn new(streams: Arc<Streams>) -> Self {
        Self { streams, bound: HashMap::new(), reads: Queue::new(), writes: Queue::new() }
    }

    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        let Packet::Rtp(packet) = &tagged.message.packet else { return tagged };
        let header = &packet.header;
        if let Some(last) = self.bound.get_mut(&header.ssrc) {
            *last = Some((header.payload_type, tagged.now));
            return tagged;
        }
        let is_recent = |at: Instant| tagged.now.saturating_duration_since(at) < SILENCE;
        let last = self.bound.values().flatten();
        let heard = |types: &[u8]| last.clone().any(|(number, at)| types.contains(number) && is_recent(*at));
        self.streams.look_at(header, heard);
        tagged
    }

    fn write(&mut self, packet: TaggedPacket) -> TaggedPacket {
        packet
    }
}

chain_link!(Unsignaled);

impl Interceptor for Unsignaled {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.bound.entry(info.ssrc).or_default();
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.bound.remove(&info.ssrc);
    }
}
