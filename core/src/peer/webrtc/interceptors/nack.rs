//! Asks for packets that are missing (NACK, RFC 4585 section 6.2.1), and sees to it that requests for keyframes do not pile up.
//!
//! The crate's generator asks on common ticks of 100 ms, so that a packet that needs a second request is a fifth of a second late.

use super::super::sending::Sending;
use super::{Queue, chain_link};
use crate::congestion::NackGenerator;
use rtc::interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::shared::TransportContext;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most streams of the other side's; a call has two.
const MAX_STREAMS: usize = 16;
/// Between two requests for a keyframe of one stream: whoever still needs one asks again.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(200);

/// The link, in the place of the crate's generator.
pub(in super::super) struct Nack {
    sending: Arc<Sending>,
    sender_ssrc: u32,
    /// By SSRC, retransmissions not among them.
    streams: HashMap<u32, Remote>,
    retransmissions: HashSet<u32>,
    reads: Queue,
    writes: Queue,
}

#[derive(Default)]
struct Remote {
    generator: NackGenerator,
    keyframe_asked: Option<Instant>,
}

impl Remote {
    /// Whether a request for a keyframe may go out; it does then.
    fn may_ask(&mut self, now: Instant) -> bool {
        let soon = self.keyframe_asked.is_some_and(|at| now.saturating_duration_since(at) < KEYFRAME_INTERVAL);
        if !soon {
            self.keyframe_asked = Some(now);
        }
        !soon
    }
}

impl Nack {
    /// `sender_ssrc` is what this side calls itself in requests.
    pub(in super::super) fn new(sending: Arc<Sending>, sender_ssrc: u32) -> Self {
        Self {
            sending,
            sender_ssrc,
            streams: HashMap::new(),
            retransmissions: HashSet::new(),
            reads: Queue::new(),
            writes: Queue::new(),
        }
    }

    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        let Packet::Rtp(packet) = &tagged.message.packet else { return tagged };
        if let Some(stream) = self.streams.get_mut(&packet.header.ssrc) {
            let repaired = [Attribute::Retransmission, Attribute::RecoveredByFec];
            let repaired = repaired.iter().any(|repaired| tagged.message.has(repaired));
            stream.generator.on_packet(tagged.now, packet.header.sequence_number, repaired);
            self.ask(packet.header.ssrc, tagged.now);
        }
        tagged
    }

    fn write(&mut self, mut tagged: TaggedPacket) -> Option<TaggedPacket> {
        let Packet::Rtcp(packets) = &mut tagged.message.packet else { return Some(tagged) };
        if packets.is_empty() {
            return Some(tagged);
        }
        packets.retain(|packet| {
            let Some(pli) = packet.as_any().downcast_ref::<PictureLossIndication>() else { return true };
            self.streams.get_mut(&pli.media_ssrc).is_none_or(|stream| stream.may_ask(tagged.now))
        });
        // An empty one means something else to the crate.
        (!packets.is_empty()).then_some(tagged)
    }

    fn timeout(&mut self, now: Instant) {
        let streams: Vec<u32> = self.streams.keys().copied().collect();
        streams.into_iter().for_each(|ssrc| self.ask(ssrc, now));
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.streams.values().filter_map(|s| s.generator.next_wake()).min()
    }

    fn ask(&mut self, media_ssrc: u32, now: Instant) {
        let Some(stream) = self.streams.get_mut(&media_ssrc) else { return };
        let sender_ssrc = self.sender_ssrc;
        let mut requests: Vec<Box<dyn rtc::rtcp::Packet>> = Vec::new();
        if stream.generator.next_wake().is_some_and(|wake| wake <= now) {
            if let Some(rtt) = self.sending.controller().rtt() {
                stream.generator.set_rtt(rtt);
            }
            let missing = stream.generator.poll(now);
            if !missing.is_empty() {
                let nacks = nack_pairs_from_sequence_numbers(&missing);
                requests.push(Box::new(TransportLayerNack { sender_ssrc, media_ssrc, nacks }));
            }
        }
        if stream.generator.take_keyframe_request() && stream.may_ask(now) {
            requests.push(Box::new(PictureLossIndication { sender_ssrc, media_ssrc }));
        }
        if !requests.is_empty() {
            let message = AttributedPacket::new(Packet::Rtcp(requests));
            self.writes.push_back(TaggedPacket { now, transport: TransportContext::default(), message });
        }
    }
}

chain_link!(Nack, timed);

impl Interceptor for Nack {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(rtx) = info.ssrc_rtx
            && self.retransmissions.len() < MAX_STREAMS
        {
            self.retransmissions.insert(rtx);
            self.streams.remove(&rtx);
        }
        let asked_again = info.rtcp_feedback.iter().any(|f| f.typ == "nack" && f.parameter.is_empty());
        if asked_again && !self.retransmissions.contains(&info.ssrc) && self.streams.len() < MAX_STREAMS {
            self.streams.entry(info.ssrc).or_default();
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
        self.retransmissions.remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::BitrateBounds;
    use rtc::interceptor::RTCPFeedback;
    use rtc::rtp;
    use rtc::sansio::Protocol;

    const ENOUGH: usize = 1_000;

    fn link(now: Instant) -> Nack {
        let mut link = Nack::new(Arc::new(Sending::new(now, BitrateBounds::default())), 1);
        let nack = RTCPFeedback { typ: "nack".into(), parameter: String::new() };
        let video = StreamInfo { ssrc: 7, ssrc_rtx: Some(8), rtcp_feedback: vec![nack], ..Default::default() };
        link.bind_remote_stream(&video);
        link.bind_remote_stream(&StreamInfo { ssrc: 8, ssrc_rtx: None, ..video });
        link
    }

    fn arrives(link: &mut Nack, now: Instant, ssrc: u32, sequence_number: u16) {
        let header = rtp::Header { version: 2, ssrc, sequence_number, ..Default::default() };
        let message = AttributedPacket::new(Packet::Rtp(rtp::Packet { header, payload: Default::default() }));
        link.handle_read(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
        assert!(link.poll_read().is_some());
    }

    fn leaves(link: &mut Nack) -> Vec<Box<dyn rtc::rtcp::Packet>> {
        let all = std::iter::from_fn(|| link.poll_write()).take(ENOUGH);
        all.flat_map(|tagged| match tagged.message.packet {
            Packet::Rtcp(packets) => packets,
            _ => vec![],
        })
        .collect()
    }

    #[test]
    fn a_gap_is_asked_for_in_the_same_moment_and_padding_is_no_media() {
        let t = Instant::now();
        let mut link = link(t);
        arrives(&mut link, t, 7, 1);
        arrives(&mut link, t, 8, 100);
        arrives(&mut link, t, 8, 109);
        arrives(&mut link, t, 7, 4);
        let asked = leaves(&mut link);
        let nack = asked[0].as_any().downcast_ref::<TransportLayerNack>().unwrap();
        assert_eq!((asked.len(), nack.media_ssrc), (1, 7));
        assert_eq!(nack.nacks.iter().flat_map(|p| p.packet_list()).collect::<Vec<_>>(), [2, 3]);
        let again = link.poll_timeout().unwrap();
        assert_eq!(again, t + Duration::from_millis(110));
        link.handle_timeout(again).unwrap();
        assert_eq!(leaves(&mut link).len(), 1);
    }

    #[test]
    fn requests_for_a_keyframe_do_not_pile_up() {
        let t = Instant::now();
        let mut link = link(t);
        let mut sent = 0;
        for n in 0..100 {
            let now = t + Duration::from_millis(10 * n);
            let pli = PictureLossIndication { sender_ssrc: 1, media_ssrc: 7 };
            let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(pli)]));
            link.handle_write(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
            sent += leaves(&mut link).len();
        }
        assert_eq!(sent, 5, "one in 200 ms");
    }

    #[test]
    fn a_gap_too_wide_asks_for_a_keyframe() {
        let t = Instant::now();
        let mut link = link(t);
        for n in [1, 2_000, 2_001] {
            arrives(&mut link, t, 7, n);
        }
        let asked = leaves(&mut link);
        assert!(asked.len() == 1 && asked[0].as_any().is::<PictureLossIndication>());
    }
}
