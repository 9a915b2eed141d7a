//! Retransmissions (RFC 4588) become the packets that they repeat, before the NACK generator looks.
//!
//! The crate unwraps them only after the whole chain, so its generator never learns that a packet was repaired and asks
//! for it again at each interval.

use super::{Queue, chain_link};
use rtc::interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Where it lies: after the FEC decoder, before the NACK generator.
pub(in super::super) const POSITION: usize = 6_500;

/// Bytes before the repeated payload: the original sequence number.
const OSN_BYTES: usize = 2;

/// Which retransmission payload type repeats which; set whenever descriptions are agreed on.
pub(in super::super) type PayloadTypes = Arc<Mutex<Vec<(u8, u8)>>>;

/// The link.
pub(in super::super) struct Unwrap {
    payload_types: PayloadTypes,
    /// Retransmission SSRC → original SSRC and payload type.
    streams: HashMap<u32, (u32, u8)>,
    /// The stream of video that was bound last: where no description says what a retransmission repeats, it is this one.
    last: Option<u32>,
    reads: Queue,
    writes: Queue,
}

impl Unwrap {
    pub(in super::super) fn new(payload_types: PayloadTypes) -> Self {
        Self { payload_types, streams: HashMap::new(), last: None, reads: Queue::new(), writes: Queue::new() }
    }

    fn read(&mut self, mut tagged: TaggedPacket) -> TaggedPacket {
        let Packet::Rtp(packet) = &mut tagged.message.packet else { return tagged };
        let Some((ssrc, bound)) = self.original(&packet.header) else { return tagged };
        // An empty one is a probe for bandwidth: it repeats nothing.
        if packet.payload.len() <= OSN_BYTES {
            return tagged;
        }
        let types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
        let original = types.iter().find(|t| t.0 == packet.header.payload_type).map_or(bound, |t| t.1);
        drop(types);
        packet.header.sequence_number = u16::from_be_bytes([packet.payload[0], packet.payload[1]]);
        packet.header.ssrc = ssrc;
        packet.header.payload_type = original;
        packet.payload = packet.payload.slice(OSN_BYTES..);
        tagged.message.add(Attribute::Retransmission);
        tagged
    }

    /// The stream that a packet repeats, and its payload type when it began.
    fn original(&self, header: &rtc::rtp::Header) -> Option<(u32, u8)> {
        if let Some(known) = self.streams.get(&header.ssrc) {
            return Some(*known);
        }
        let types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
        let original = types.iter().find(|repeated| repeated.0 == header.payload_type)?.1;
        Some((self.last?, original))
    }

    fn write(&mut self, packet: TaggedPacket) -> TaggedPacket {
        packet
    }
}

chain_link!(Unwrap);

impl Interceptor for Unwrap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(rtx) = info.ssrc_rtx {
            self.streams.insert(rtx, (info.ssrc, info.payload_type));
        }
        let types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
        if types.iter().any(|repeated| repeated.1 == info.payload_type) {
            self.last = Some(info.ssrc);
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(rtx) = info.ssrc_rtx {
            self.streams.remove(&rtx);
        }
    }
}
