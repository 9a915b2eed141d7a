//! Recovers lost packets of video from repair packets (forward error correction, [`crate::media::video::fec`]), before anybody asks for
//! them again.
//!
//! The crate's own decoder swallows repair packets before its transport-wide feedback sees them, so that the sender takes all of them for
//! lost; and what waits in it when protection ends becomes a false packet when the numbers come round.

use super::{Queue, chain_link};
use crate::media::video::fec::{FecDecoder, protected_ssrc};
use crate::sdp::TRANSPORT_CC;
use bytes::Bytes;
use rtc::interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtp;
use rtc::shared::marshal::{Marshal, MarshalSize, Unmarshal};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// Where it lies: after retransmissions have been unwrapped, before lost packets are asked for.
pub(in super::super) const POSITION: usize = 6_700;

/// Most streams of the other side's; a call has one with pictures.
const MAX_STREAMS: usize = 16;
/// Without a repair packet for so long nothing is kept any more.
const IDLE: Duration = Duration::from_secs(5);

/// The payload types of repair packets, set whenever descriptions are agreed on.
#[derive(Debug, Default)]
pub(in super::super) struct FecFormats {
    /// 0 stands for none: it is that of an old codec of sound (RFC 3551 section 6).
    sent: AtomicU8,
    received: AtomicU8,
}

impl FecFormats {
    pub(in super::super) fn set(&self, sent: Option<u8>, received: Option<u8>) {
        self.sent.store(sent.unwrap_or(0), Ordering::Relaxed);
        self.received.store(received.unwrap_or(0), Ordering::Relaxed);
    }

    /// Where the other side takes repair packets.
    pub(super) fn sent(&self) -> Option<u8> {
        Some(self.sent.load(Ordering::Relaxed)).filter(|number| *number != 0)
    }

    fn received(&self) -> Option<u8> {
        Some(self.received.load(Ordering::Relaxed)).filter(|number| *number != 0)
    }
}

/// A packet as it is protected: with zeros for the transport-wide number, which is another one when it is sent again.
pub(super) fn protected_bytes(packet: &rtp::Packet, transport_cc: Option<u8>) -> Option<Vec<u8>> {
    let mut packet = packet.clone();
    if let Some(id) = transport_cc.filter(|id| packet.header.get_extension(*id).is_some()) {
        packet.header.set_extension(id, Bytes::from_static(&[0, 0])).ok()?;
    }
    let mut bytes = vec![0; packet.marshal_size()];
    packet.marshal_to(&mut bytes).ok()?;
    Some(bytes)
}

/// The link.
pub(in super::super) struct Recover {
    formats: Arc<FecFormats>,
    /// By SSRC.
    streams: HashMap<u32, Stream>,
    reads: Queue,
    writes: Queue,
}

/// A stream that may be protected.
#[derive(Default)]
struct Stream {
    transport_cc: Option<u8>,
    /// While repair packets come, and when the last one did.
    protection: Option<(FecDecoder, Instant)>,
}

impl Stream {
    fn end(&mut self) {
        if let Some((decoder, _)) = self.protection.take() {
            log::debug!("forward error correction ended: {:?}", decoder.counts());
        }
    }
}

impl Recover {
    pub(in super::super) fn new(formats: Arc<FecFormats>) -> Self {
        Self { formats, streams: HashMap::new(), reads: Queue::new(), writes: Queue::new() }
    }

    /// Everything goes on, repair packets too: feedback has to tell that they came. The crate drops them at the end.
    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        let Packet::Rtp(packet) = &tagged.message.packet else { return tagged };
        let (ssrc, recovered) = if self.formats.received() == Some(packet.header.payload_type) {
            self.on_repair(tagged.now, &packet.payload)
        } else {
            (packet.header.ssrc, self.on_packet(tagged.now, packet))
        };
        for bytes in recovered {
            let Ok(mut packet) = rtp::Packet::unmarshal(&mut Bytes::from(bytes)) else { continue };
            if packet.header.ssrc != ssrc {
                continue;
            }
            // They are of no use any more, and the number of a packet that did not arrive must not be told as one that did.
            (packet.header.extension, packet.header.extensions_padding) = (false, 0);
            packet.header.extensions.clear();
            let message = AttributedPacket::new(Packet::Rtp(packet)).with(Attribute::RecoveredByFec);
            self.reads.push_back(TaggedPacket { now: tagged.now, transport: tagged.transport, message });
        }
        tagged
    }

    fn on_repair(&mut self, now: Instant, payload: &[u8]) -> (u32, Vec<Vec<u8>>) {
        let stream = protected_ssrc(payload).and_then(|ssrc| Some((ssrc, self.streams.get_mut(&ssrc)?)));
        let Some((ssrc, stream)) = stream else { return (0, Vec::new()) };
        let (decoder, last) = stream.protection.get_or_insert_with(|| (FecDecoder::default(), now));
        *last = now;
        (ssrc, decoder.on_repair(payload))
    }

    fn on_packet(&mut self, now: Instant, packet: &rtp::Packet) -> Vec<Vec<u8>> {
        let Some(stream) = self.streams.get_mut(&packet.header.ssrc) else { return Vec::new() };
        let Some((decoder, last)) = &mut stream.protection else { return Vec::new() };
        if now.saturating_duration_since(*last) > IDLE {
            stream.end();
            return Vec::new();
        }
        protected_bytes(packet, stream.transport_cc).map(|bytes| decoder.on_packet(bytes)).unwrap_or_default()
    }

    fn write(&mut self, packet: TaggedPacket) -> TaggedPacket {
        packet
    }
}

chain_link!(Recover);

impl Interceptor for Recover {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        let video = info.mime_type.to_ascii_lowercase().starts_with("video/");
        if video && (self.streams.len() < MAX_STREAMS || self.streams.contains_key(&info.ssrc)) {
            self.streams.entry(info.ssrc).or_default().transport_cc = transport_cc(info);
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(mut stream) = self.streams.remove(&info.ssrc) {
            stream.end();
        }
    }
}

/// Identifier of the header extension with the transport-wide number, where that was agreed on (RFC 8285: 1 to 14).
pub(super) fn transport_cc(info: &StreamInfo) -> Option<u8> {
    let extension = info.rtp_header_extensions.iter().find(|extension| extension.uri == TRANSPORT_CC)?;
    u8::try_from(extension.id).ok().filter(|id| (1..=14).contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::video::fec::encode;
    use rtc::sansio::Protocol;
    use rtc::shared::TransportContext;

    const MEDIA: u32 = 7;
    const REPAIR: u8 = 118;
    const EXTENSION: u8 = 5;

    fn link() -> Recover {
        let formats = Arc::new(FecFormats::default());
        formats.set(Some(REPAIR), Some(REPAIR));
        let mut link = Recover::new(formats);
        let extension = rtc::interceptor::RTPHeaderExtension { uri: TRANSPORT_CC.into(), id: EXTENSION.into() };
        let info = StreamInfo {
            ssrc: MEDIA,
            mime_type: "video/VP8".into(),
            rtp_header_extensions: vec![extension],
            ..Default::default()
        };
        link.bind_remote_stream(&info);
        link
    }

    fn media(sequence_number: u16, transport_wide: u16) -> rtp::Packet {
        let mut header =
            rtp::Header { version: 2, ssrc: MEDIA, payload_type: 96, sequence_number, ..Default::default() };
        header.set_extension(EXTENSION, Bytes::copy_from_slice(&transport_wide.to_be_bytes())).unwrap();
        rtp::Packet { header, payload: vec![sequence_number as u8; 50].into() }
    }

    fn repair(of: std::ops::Range<u16>) -> rtp::Packet {
        let packets: Vec<_> = of.filter_map(|n| protected_bytes(&media(n, n), Some(EXTENSION))).collect();
        let header = rtp::Header { version: 2, ssrc: 99, payload_type: REPAIR, ..Default::default() };
        rtp::Packet { header, payload: encode(&packets, 1).remove(0).into() }
    }

    /// The numbers that were recovered by it; it goes on itself.
    fn reads(link: &mut Recover, now: Instant, packet: rtp::Packet) -> Vec<u16> {
        let message = AttributedPacket::new(Packet::Rtp(packet));
        link.handle_read(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
        let all: Vec<_> = std::iter::from_fn(|| link.poll_read()).collect();
        assert_eq!(all.iter().filter(|tagged| !tagged.message.has(&Attribute::RecoveredByFec)).count(), 1);
        all.iter()
            .filter(|tagged| tagged.message.has(&Attribute::RecoveredByFec))
            .filter_map(|tagged| match &tagged.message.packet {
                Packet::Rtp(packet) => Some(packet.header.sequence_number),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_packet_that_came_by_retransmission_under_another_transport_wide_number_helps_to_recover_the_rest() {
        let (now, mut link) = (Instant::now(), link());
        // The first repair packet says that there is protection.
        reads(&mut link, now, repair(0..5));
        [10, 12, 13].into_iter().for_each(|n| assert!(reads(&mut link, now, media(n, n)).is_empty()));
        assert!(reads(&mut link, now, repair(10..15)).is_empty(), "two are lacking");
        assert_eq!(reads(&mut link, now, media(11, 4_000)), [14]);
    }

    #[test]
    fn what_protects_no_stream_or_was_not_agreed_on_recovers_nothing() {
        let (now, mut link) = (Instant::now(), link());
        reads(&mut link, now, repair(0..5));
        let without_one =
            |link: &mut Recover| [10, 11, 13, 14].into_iter().for_each(|n| drop(reads(link, now, media(n, n))));
        without_one(&mut link);
        let mut strange = repair(10..15);
        strange.payload = [&strange.payload[..12], &[0, 0, 0, 8], &strange.payload[16..]].concat().into();
        assert!(reads(&mut link, now, strange).is_empty());
        link.formats.set(None, None);
        assert!(reads(&mut link, now, repair(10..15)).is_empty());
        link.formats.set(Some(REPAIR), Some(REPAIR));
        assert_eq!(reads(&mut link, now, repair(10..15)), [12]);
    }

    #[test]
    fn nothing_is_kept_of_a_stream_that_is_not_protected() {
        let (now, mut link) = (Instant::now(), link());
        reads(&mut link, now, media(1, 1));
        assert!(link.streams[&MEDIA].protection.is_none());
        reads(&mut link, now, repair(1..3));
        assert!(link.streams[&MEDIA].protection.is_some());
        reads(&mut link, now + IDLE, media(2, 2));
        assert!(link.streams[&MEDIA].protection.is_some());
        reads(&mut link, now + IDLE + Duration::from_millis(1), media(3, 3));
        assert!(link.streams[&MEDIA].protection.is_none());
    }
}
