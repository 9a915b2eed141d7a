//! Answers negative acknowledgements (RFC 4585 section 6.2.1) with retransmissions (RFC 4588): at most one of a packet
//! per round trip, and none of a packet that is too old to be played.
//!
//! The crate's own responder sends whatever is asked for whenever it is asked. After a burst the path then carries little
//! but repetitions, some half a minute old.

use super::counters::Counters;
use super::rtx::PayloadTypes;
use super::{Queue, chain_link};
use rtc::interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::shared::TransportContext;
use std::collections::{HashMap, VecDeque};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Packets kept per stream.
const KEPT: usize = 1024;
/// Age from which on a picture is past its time at the other side.
const TOO_OLD: Duration = Duration::from_secs(1);
/// Round-trip time to reckon with before the first report.
const FIRST_RTT: Duration = Duration::from_millis(100);
/// Never repeat faster than this, however short the way.
const LEAST_RTT: Duration = Duration::from_millis(10);

/// The link, in the place of the crate's responder.
pub(in super::super) struct Responder {
    counters: Counters,
    payload_types: PayloadTypes,
    streams: HashMap<u32, Stream>,
    reads: Queue,
    writes: Queue,
}

struct Stream {
    rtx: Option<(u32, u8)>,
    rtx_sequence_number: u16,
    kept: VecDeque<Kept>,
}

struct Kept {
    packet: rtp::Packet,
    first_sent: Instant,
    last_sent: Instant,
}

impl Responder {
    pub(in super::super) fn new(counters: Counters, payload_types: PayloadTypes) -> Self {
        Self { counters, payload_types, streams: HashMap::new(), reads: Queue::new(), writes: Queue::new() }
    }

    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtcp(packets) = &tagged.message.packet {
            for nack in packets.iter().filter_map(|p| p.as_any().downcast_ref::<TransportLayerNack>()) {
                self.answer(nack, tagged.now);
            }
        }
        tagged
    }

    fn answer(&mut self, nack: &TransportLayerNack, now: Instant) {
        let Some(stream) = self.streams.get_mut(&nack.media_ssrc) else { return };
        let rtt = self.counters.rtt().unwrap_or(FIRST_RTT).clamp(LEAST_RTT, TOO_OLD);
        let types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
        for pair in &nack.nacks {
            let more = (0..16).filter(|bit| pair.lost_packets & (1 << bit) != 0);
            let wanted = more.map(|bit| pair.packet_id.wrapping_add(bit + 1));
            for sequence_number in std::iter::once(pair.packet_id).chain(wanted) {
                let Some(packet) = stream.again(sequence_number, &types, rtt, now) else { continue };
                self.writes.push_back(TaggedPacket {
                    now,
                    transport: TransportContext::default(),
                    message: AttributedPacket::new(Packet::Rtp(packet)).with(Attribute::Retransmission),
                });
            }
        }
    }

    fn write(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtp(packet) = &tagged.message.packet
            && let Some(stream) = self.streams.get_mut(&packet.header.ssrc)
        {
            if stream.kept.len() == KEPT {
                stream.kept.pop_front();
            }
            stream.kept.push_back(Kept { packet: packet.clone(), first_sent: tagged.now, last_sent: tagged.now });
        }
        tagged
    }
}

impl Stream {
    /// The packet as it goes out again, if it may.
    fn again(&mut self, sequence_number: u16, types: &[(u8, u8)], rtt: Duration, now: Instant) -> Option<rtp::Packet> {
        // Numbers are consecutive, so its place is known from the last one's.
        let back = self.kept.back()?.packet.header.sequence_number.wrapping_sub(sequence_number);
        let at = self.kept.len().checked_sub(usize::from(back) + 1)?;
        let kept = self.kept.get_mut(at).filter(|k| k.packet.header.sequence_number == sequence_number)?;
        let resent = kept.last_sent > kept.first_sent;
        if now.saturating_duration_since(kept.first_sent) > TOO_OLD
            || (resent && now.saturating_duration_since(kept.last_sent) < rtt)
        {
            return None;
        }
        // Two requests in the same instant count as one.
        kept.last_sent = now.max(kept.first_sent + Duration::from_nanos(1));
        let Some((ssrc, bound)) = self.rtx else { return Some(kept.packet.clone()) };
        let original = &kept.packet;
        // The stream was bound to one codec; the one in use may be another of those agreed on.
        let payload_type = types.iter().find(|t| t.1 == original.header.payload_type).map_or(bound, |t| t.0);
        let mut payload = Vec::with_capacity(2 + original.payload.len());
        payload.extend_from_slice(&sequence_number.to_be_bytes());
        payload.extend_from_slice(&original.payload);
        self.rtx_sequence_number = self.rtx_sequence_number.wrapping_add(1);
        Some(rtp::Packet {
            header: rtp::Header {
                version: 2,
                ssrc,
                payload_type,
                sequence_number: self.rtx_sequence_number,
                timestamp: original.header.timestamp,
                marker: original.header.marker,
                ..Default::default()
            },
            payload: payload.into(),
        })
    }
}

chain_link!(Responder);

impl Interceptor for Responder {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        if info.rtcp_feedback.iter().any(|f| f.typ == "nack" && f.parameter.is_empty()) {
            let rtx = info.ssrc_rtx.zip(info.payload_type_rtx);
            let stream = Stream { rtx, rtx_sequence_number: rand::random(), kept: VecDeque::new() };
            self.streams.insert(info.ssrc, stream);
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(rtx: Option<(u32, u8)>, numbers: impl Iterator<Item = u16>, at: Instant) -> Stream {
        let mut stream = Stream { rtx, rtx_sequence_number: 7, kept: VecDeque::new() };
        for sequence_number in numbers {
            let header = rtp::Header { version: 2, ssrc: 1, sequence_number, payload_type: 96, ..Default::default() };
            let packet = rtp::Packet { header, payload: vec![sequence_number as u8; 3].into() };
            stream.kept.push_back(Kept { packet, first_sent: at, last_sent: at });
        }
        stream
    }

    #[test]
    fn a_packet_goes_out_again_once_per_round_trip() {
        let (rtt, t) = (Duration::from_millis(50), Instant::now());
        let mut stream = stream(None, 65_530..=65_535, t);
        let ms = Duration::from_millis;
        assert!(stream.again(65_533, &[], rtt, t + ms(20)).is_some(), "asked for the first time");
        assert!(stream.again(65_533, &[], rtt, t + ms(20)).is_none(), "asked twice at once");
        assert!(stream.again(65_533, &[], rtt, t + ms(69)).is_none(), "asked again before it can have arrived");
        assert!(stream.again(65_533, &[], rtt, t + ms(70)).is_some(), "asked again after a round trip");
    }

    #[test]
    fn a_packet_past_its_time_stays_away() {
        let t = Instant::now();
        let mut stream = stream(None, 0..10, t);
        assert!(stream.again(4, &[], FIRST_RTT, t + TOO_OLD).is_some());
        assert!(stream.again(5, &[], FIRST_RTT, t + TOO_OLD + Duration::from_millis(1)).is_none());
        assert!(stream.again(10, &[], FIRST_RTT, t).is_none(), "it was never sent");
        assert!(stream.again(65_535, &[], FIRST_RTT, t).is_none(), "it is no longer kept");
    }

    #[test]
    fn with_retransmission_agreed_on_the_original_number_leads_the_payload() {
        let t = Instant::now();
        let packet = stream(Some((9, 97)), 256..260, t).again(258, &[], FIRST_RTT, t).unwrap();
        assert_eq!((packet.header.ssrc, packet.header.payload_type, packet.header.sequence_number), (9, 97, 8));
        assert_eq!(&packet.payload[..], [1, 2, 2, 2, 2]);
    }
}
