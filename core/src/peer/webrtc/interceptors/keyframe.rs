//! PLI (RFC 4585 section 6.3.1) and FIR (RFC 5104 section 4.3.1) from the other side become an event. The crate
//! acts on neither, and hands RTCP to the application only where a link asks for it; the link itself is the shortest way.

use super::super::events::Events;
use super::{Queue, chain_link};
use crate::peer::PeerEvent;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;

/// Where it lies: the last link before the application.
pub(in super::super) const POSITION: usize = 14_000;

/// The link.
pub(in super::super) struct KeyframeRequests {
    events: Events,
    video: u32,
    reads: Queue,
    writes: Queue,
}

impl KeyframeRequests {
    /// Reports the requests that are about the video SSRC that this side sends.
    pub(in super::super) fn new(events: Events, video: u32) -> Self {
        Self { events, video, reads: Queue::new(), writes: Queue::new() }
    }

    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtcp(packets) = &tagged.message.packet {
            let wanted = packets.iter().any(|p| is_request(p.as_ref(), self.video));
            if wanted {
                self.events.emit(PeerEvent::KeyframeWanted);
            }
        }
        tagged
    }

    fn write(&mut self, packet: TaggedPacket) -> TaggedPacket {
        packet
    }
}

/// Whether this packet asks for a keyframe of that stream.
pub(in super::super) fn is_request(packet: &dyn rtc::rtcp::Packet, ssrc: u32) -> bool {
    let any = packet.as_any();
    if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
        return pli.media_ssrc == ssrc;
    }
    any.downcast_ref::<FullIntraRequest>().is_some_and(|fir| fir.fir.iter().any(|entry| entry.ssrc == ssrc))
}

chain_link!(KeyframeRequests);

impl Interceptor for KeyframeRequests {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
