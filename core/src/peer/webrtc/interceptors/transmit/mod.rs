//! Everything that is sent leaves through here: paced, numbered for transport-wide feedback, and written down, so that the
//! controller learns from what comes back and lost packets can be repeated. It stands in the place of the crate's pacer, and does
//! what its transport-wide numbering, its congestion control and its responder to negative acknowledgements would: those size
//! packets without the headers below RTP, number no retransmissions, and refuse what is newest.

mod feedback;
mod protection;
mod stream;
#[cfg(test)]
mod tests;

use super::super::events::Events;
use super::super::sending::{Sending, Shared};
use super::counters::Counters;
use super::fec::FecFormats;
use super::rtx::PayloadTypes;
use super::{Queue, chain_link};
use crate::congestion::{
    Class, Feedback, MAX_VIDEO_BACKLOG, Pacer, Released, RetransmissionBudget, RetransmissionHistory, Sent,
};
use crate::peer::PeerEvent;
use bytes::Bytes;
use feedback::FeedbackReader;
use rtc::interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::shared::TransportContext;
use rtc::shared::marshal::MarshalSize;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use stream::LocalStream;

/// Most streams; a call has two.
const MAX_STREAMS: usize = 16;
/// The first transport-wide number, as the sum of many wraps, so that numbers below it are above zero. It leaves as 1.
const FIRST_NUMBER: u64 = (1 << 32) + 1;
/// Bytes of the extension with the number: its header, itself, and the block around it.
const EXTENSION: usize = 8;
/// The repeated packet's number before a retransmission's payload (RFC 4588 section 4).
const ORIGINAL_NUMBER: u32 = 2;

/// The link.
pub(in super::super) struct Transmit {
    events: Events,
    sending: Arc<Sending>,
    counters: Counters,
    payload_types: PayloadTypes,
    fec: Arc<FecFormats>,
    /// Whether the plan wants pictures protected.
    protects: bool,
    pacer: Pacer<Outbound>,
    budget: RetransmissionBudget,
    /// By SSRC.
    streams: HashMap<u32, LocalStream>,
    feedback: FeedbackReader,
    next_number: u64,
    reads: Queue,
    writes: Queue,
}

/// What waits to leave.
enum Outbound {
    Media(TaggedPacket),
    /// A packet of this stream, once more; without use to the other side if it is padding.
    Again {
        ssrc: u32,
        packet: rtp::Packet,
        padding: bool,
    },
    /// Forward error correction of this stream.
    Repair {
        ssrc: u32,
        packet: rtp::Packet,
    },
}

impl Transmit {
    pub(in super::super) fn new(now: Instant, shared: &Shared, events: Events) -> Self {
        let plan = shared.sending.controller().plan();
        Self {
            events,
            sending: Arc::clone(&shared.sending),
            counters: shared.counters.clone(),
            payload_types: Arc::clone(&shared.payload_types),
            fec: Arc::clone(&shared.fec),
            protects: false,
            pacer: Pacer::new(now, plan.pace_bps),
            budget: RetransmissionBudget::new(now, plan.target_bps),
            streams: HashMap::new(),
            feedback: FeedbackReader::default(),
            next_number: FIRST_NUMBER,
            reads: Queue::new(),
            writes: Queue::new(),
        }
    }

    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtcp(packets) = &tagged.message.packet {
            for packet in packets {
                self.on_rtcp(packet.as_ref(), tagged.now);
            }
            self.release(tagged.now);
        }
        tagged
    }

    fn write(&mut self, tagged: TaggedPacket) -> Option<TaggedPacket> {
        let Packet::Rtp(packet) = &tagged.message.packet else { return Some(tagged) };
        let Some(stream) = self.streams.get(&packet.header.ssrc) else { return Some(tagged) };
        let (now, class, wire_bytes) = (tagged.now, stream.class, self.wire_bytes(packet));
        if class == Class::Video {
            self.sending.controller().on_encoded(now, u32::try_from(packet.payload.len()).unwrap_or(u32::MAX));
        }
        self.pacer.push(now, class, None, wire_bytes, Outbound::Media(tagged));
        self.release(now);
        None
    }

    fn timeout(&mut self, now: Instant) {
        self.sending.controller().handle_timeout(now);
        self.release(now);
    }

    fn next_timeout(&self) -> Option<Instant> {
        let histories = self.streams.values().filter_map(|s| s.history.as_ref()?.next_wake(&self.budget));
        let controller = self.sending.controller().next_wake();
        histories.chain(self.pacer.next_wake()).chain(controller).min()
    }

    fn on_rtcp(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if let Some(feedback) = any.downcast_ref::<TransportLayerCc>() {
            if let Some((base, arrivals)) = self.feedback.read(now, feedback, self.next_number) {
                self.sending.controller().on_feedback(now, &Feedback { base, arrivals: &arrivals });
            }
        } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            self.on_nack(nack, now);
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            self.on_reports(&report.reports, now);
        } else if let Some(report) = any.downcast_ref::<SenderReport>() {
            self.on_reports(&report.reports, now);
        }
    }

    fn on_nack(&mut self, nack: &TransportLayerNack, now: Instant) {
        let rtt = self.sending.controller().rtt();
        let Some(history) = self.streams.get_mut(&nack.media_ssrc).and_then(|s| s.history.as_mut()) else { return };
        for pair in &nack.nacks {
            history.on_nack(now, pair.packet_id, rtt);
            for bit in (0..16).filter(|bit| pair.lost_packets & (1 << bit) != 0) {
                history.on_nack(now, pair.packet_id.wrapping_add(bit + 1), rtt);
            }
        }
        if history.gives_up(&self.budget) {
            self.give_up_waiting_video();
        }
    }

    /// What waits builds on pictures that will not arrive in time: the next keyframe takes its place.
    fn give_up_waiting_video(&mut self) {
        let keyframe = self.sending.last_keyframe();
        let is_keyframe = |outbound: &Outbound| match outbound {
            Outbound::Media(tagged) => match &tagged.message.packet {
                Packet::Rtp(packet) => keyframe == Some(packet.header.timestamp),
                _ => false,
            },
            Outbound::Again { .. } | Outbound::Repair { .. } => false,
        };
        if self.pacer.next_video().is_some_and(is_keyframe) {
            return;
        }
        for stream in self.streams.values_mut().filter(|stream| stream.class == Class::Video) {
            stream.history.iter_mut().for_each(RetransmissionHistory::give_up);
        }
        if !self.pacer.give_up_video(is_keyframe) {
            self.sending.skip_to_keyframe();
            self.events.emit(PeerEvent::KeyframeWanted);
        }
    }

    fn on_reports(&mut self, reports: &[ReceptionReport], now: Instant) {
        let own = reports.iter().filter(|report| self.streams.contains_key(&report.ssrc));
        // The counters lie nearer to the wire and have read the same reports already.
        let rtt = self.counters.rtt();
        let mut controller = self.sending.controller();
        for report in own {
            controller.on_remote_loss(now, f64::from(report.fraction_lost) / 256.0);
            if let Some(rtt) = rtt {
                controller.on_rtt(now, rtt);
            }
        }
    }

    /// Lets leave what may by now.
    fn release(&mut self, now: Instant) {
        let sending = Arc::clone(&self.sending);
        let mut controller = sending.controller();
        let plan = controller.plan();
        self.protects = plan.protected;
        self.pacer.set_pace(now, plan.pace_bps);
        self.budget.set_target(now, plan.target_bps);
        while let Some(probe) = controller.take_probe(now) {
            self.pacer.start_probe(now, probe);
        }
        self.repeat(now);
        loop {
            while let Some(released) = self.pacer.pop(now) {
                if let Some(sent) = self.emit(released, now) {
                    controller.on_sent(now, sent);
                }
            }
            let Some(padding) = self.pacer.wants_padding(now).and_then(|size| self.padding(size)) else { break };
            let (wire_bytes, padding) = padding;
            self.pacer.push(now, Class::Padding, None, wire_bytes, padding);
        }
        if self.pacer.video_backlog() > MAX_VIDEO_BACKLOG {
            self.give_up_waiting_video();
        }
        let backlog = self.pacer.video_backlog();
        controller.on_backlog(now, backlog);
        sending.set_backlog(backlog);
        sending.publish(plan);
    }

    /// Queues what the other side asked for, as far as the budget allows.
    fn repeat(&mut self, now: Instant) {
        for (&ssrc, stream) in &mut self.streams {
            let class = if stream.class == Class::Audio { Class::Audio } else { Class::VideoRtx };
            let Some(history) = &mut stream.history else { continue };
            while let Some(repeat) = history.poll(now, &mut self.budget) {
                let again = Outbound::Again { ssrc, packet: repeat.packet.clone(), padding: false };
                self.pacer.push(now, class, Some(repeat.deadline), repeat.bytes + ORIGINAL_NUMBER, again);
            }
        }
    }

    fn padding(&self, size: u32) -> Option<(u32, Outbound)> {
        self.streams.iter().find_map(|(&ssrc, stream)| {
            let (packet, bytes) = stream.padding(size)?;
            Some((bytes + ORIGINAL_NUMBER, Outbound::Again { ssrc, packet, padding: true }))
        })
    }

    /// Hands a packet down to the wire, with its number where that was agreed on.
    fn emit(&mut self, released: Released<Outbound>, now: Instant) -> Option<Sent> {
        let (ssrc, mut tagged, first) = match released.handle {
            Outbound::Media(tagged) => (None, TaggedPacket { now, ..tagged }, true),
            Outbound::Again { ssrc, packet, padding } => {
                let types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
                let packet = self.streams.get_mut(&ssrc)?.again(&packet, &types);
                drop(types);
                let message = AttributedPacket::new(Packet::Rtp(packet));
                let message = if padding { message } else { message.with(Attribute::Retransmission) };
                (Some(ssrc), TaggedPacket { now, transport: TransportContext::default(), message }, false)
            }
            Outbound::Repair { ssrc, packet } => {
                let message = AttributedPacket::new(Packet::Rtp(packet));
                (Some(ssrc), TaggedPacket { now, transport: TransportContext::default(), message }, false)
            }
        };
        let Packet::Rtp(packet) = &mut tagged.message.packet else { return None };
        let mut stream = self.streams.get_mut(&ssrc.unwrap_or(packet.header.ssrc));
        if first && let Some(stream) = &mut stream {
            stream.number(&mut packet.header);
        }
        let mut sent = None;
        if let Some(extension) = stream.as_ref().and_then(|s| s.extension) {
            // The low 16 bits are what the wire carries.
            let number = (self.next_number as u16).to_be_bytes();
            if packet.header.set_extension(extension, Bytes::copy_from_slice(&number)).is_ok() {
                let Released { class, wire_bytes, probe, .. } = released;
                sent = Some(Sent { number: self.next_number, class, wire_bytes, probe });
                self.next_number += 1;
            }
        }
        let (ssrc, mut repairs) = (packet.header.ssrc, Vec::new());
        if first && let Some(stream) = stream {
            if let Some(history) = &mut stream.history {
                history.on_sent(now, packet.header.sequence_number, packet.clone(), released.wire_bytes);
            }
            if self.protects
                && stream.class == Class::Video
                && let Some(payload_type) = self.fec.sent()
            {
                repairs = stream.protection.add(packet, stream.extension, payload_type);
            }
        }
        self.writes.push_back(tagged);
        for packet in repairs {
            self.pacer.push(now, Class::Fec, None, self.wire_bytes(&packet), Outbound::Repair { ssrc, packet });
        }
        sent
    }

    fn wire_bytes(&self, packet: &rtp::Packet) -> u32 {
        let rtp = packet.header.marshal_size() + packet.payload.len() + EXTENSION;
        u32::try_from(rtp).unwrap_or(u32::MAX).saturating_add(self.sending.overhead())
    }
}

chain_link!(Transmit, timed);

impl Interceptor for Transmit {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        if self.streams.len() < MAX_STREAMS || self.streams.contains_key(&info.ssrc) {
            self.streams.insert(info.ssrc, LocalStream::new(info));
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
