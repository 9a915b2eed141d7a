//! PLI (RFC 4585 section 6.3.1) and FIR (RFC 5104 section 4.3.1) from the other side become an event. The crate
//! acts on neither, and hands RTCP to the application only where a link asks for it; the link itself is the shortest way.

use super::super::events::Events;
use super::{Queue, chain_link};
use crate::peer::PeerEvent;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use std::time::{Duration, Instant};

/// Where it lies: the last link before the application.
pub(in super::super) const POSITION: usize = 14_000;

/// Requests that come closer together than this become one: of a flood of them only so many reach the encoder. None is lost.
const MERGED: Duration = Duration::from_millis(100);

/// The link.
pub(in super::super) struct KeyframeRequests {
    events: Events,
    video: u32,
    told: Option<Instant>,
    waiting: bool,
    reads: Queue,
    writes: Queue,
}

impl KeyframeRequests {
    /// Reports the requests that are about the video SSRC that this side sends.
    pub(in super::super) fn new(events: Events, video: u32) -> Self {
        Self { events, video, told: None, waiting: false, reads: Queue::new(), writes: Queue::new() }
    }

    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtcp(packets) = &tagged.message.packet {
            self.waiting |= packets.iter().any(|p| is_request(p.as_ref(), self.video));
            self.tell(tagged.now);
        }
        tagged
    }

    fn tell(&mut self, now: Instant) {
        let soon = self.told.is_some_and(|at| now.saturating_duration_since(at) < MERGED);
        if self.waiting && !soon {
            self.waiting = false;
            self.told = Some(now);
            self.events.emit(PeerEvent::KeyframeWanted);
        }
    }

    fn timeout(&mut self, now: Instant) {
        self.tell(now);
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.told.filter(|_| self.waiting).map(|at| at + MERGED)
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

chain_link!(KeyframeRequests, timed);

impl Interceptor for KeyframeRequests {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::interceptor::AttributedPacket;
    use rtc::sansio::Protocol;
    use rtc::shared::TransportContext;
    use tokio::sync::mpsc;

    #[test]
    fn a_flood_of_requests_becomes_a_few_and_the_last_is_not_lost() {
        let (events, mut told) = mpsc::channel(100);
        let (mut link, t) = (KeyframeRequests::new(Events::new(events), 7), Instant::now());
        let mut last = t;
        for n in 0..1_050 {
            last = t + Duration::from_millis(n);
            let pli = PictureLossIndication { sender_ssrc: 1, media_ssrc: 7 };
            let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(pli)]));
            link.handle_read(TaggedPacket { now: last, transport: TransportContext::default(), message }).unwrap();
        }
        let mut count = || std::iter::from_fn(|| told.try_recv().ok()).count();
        assert_eq!(count(), 11);
        let due = link.poll_timeout().unwrap();
        assert_eq!(due, t + Duration::from_millis(1_100));
        link.handle_timeout(last).unwrap();
        assert_eq!(count(), 0);
        link.handle_timeout(due).unwrap();
        assert_eq!((count(), link.poll_timeout()), (1, None));
    }
}
