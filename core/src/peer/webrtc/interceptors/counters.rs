//! Counting what the crate does not: incoming RTCP never reaches its `getStats`, so remote loss, round-trip time from
//! reports, NACKs and keyframe requests stay 0 there.

use super::keyframe::is_request;
use super::{Queue, chain_link};
use crate::media::sync::SenderReport as RemoteReport;
use crate::peer::StreamStats;
use rtc::interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the link for RTCP and for what is sent lies: next to the wire, so that what the pacer dropped does not count.
pub(in super::super) const WIRE: usize = 500;
/// Where the link for what is received lies: after retransmissions have been unwrapped, and all that reports on arrivals has seen them.
pub(in super::super) const REPAIRED: usize = 13_500;

/// Sender reports whose sending time is remembered, to find the round-trip time from what is said about them.
const REPORTS: usize = 16;
/// How far back a packet may come and still be told from a duplicate.
const WINDOW: u64 = 1024;
/// Most streams that are counted for one direction; a call has two.
const MAX_STREAMS: usize = 16;

/// What is counted.
#[derive(Default)]
pub(in super::super) struct Counts {
    /// By SSRC of the original stream.
    sent: HashMap<u32, Sent>,
    received: HashMap<u32, Received>,
    /// Retransmission SSRC → original SSRC, both directions.
    repairs: HashMap<u32, u32>,
    reports: VecDeque<(u32, Instant)>,
    rtt: Option<Duration>,
    /// The last report of each stream of the other side's.
    remote_reports: HashMap<u32, RemoteReport>,
}

#[derive(Default)]
struct Sent {
    audio: bool,
    stats: StreamStats,
}

#[derive(Default)]
struct Received {
    audio: bool,
    stats: StreamStats,
    arrived: Arrived,
}

/// Shared by the links and the connection.
#[derive(Clone, Default)]
pub(in super::super) struct Counters(Arc<Mutex<Counts>>);

/// Audio sent, video sent, audio received, video received.
pub(in super::super) struct Totals {
    pub(in super::super) audio_sent: StreamStats,
    pub(in super::super) video_sent: StreamStats,
    pub(in super::super) audio_received: StreamStats,
    pub(in super::super) video_received: StreamStats,
}

impl Counters {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the last receiver report (RFC 3550 section 6.4.1).
    pub(in super::super) fn rtt(&self) -> Option<Duration> {
        self.lock().rtt
    }

    /// The last sender report about this stream of the other side's.
    pub(in super::super) fn sender_report(&self, ssrc: u32) -> Option<RemoteReport> {
        self.lock().remote_reports.get(&ssrc).copied()
    }

    pub(in super::super) fn totals(&self) -> Totals {
        let counts = self.lock();
        let sent = |audio| sum(counts.sent.values().filter(|s| s.audio == audio).map(|s| s.stats));
        let received = |audio| {
            let lost = |r: &Received| StreamStats { lost: r.arrived.missing(), ..r.stats };
            sum(counts.received.values().filter(|r| r.audio == audio).map(lost))
        };
        Totals {
            audio_sent: sent(true),
            video_sent: sent(false),
            audio_received: received(true),
            video_received: received(false),
        }
    }

    /// The link next to the wire.
    pub(in super::super) fn wire(&self) -> WireCounter {
        WireCounter { counters: self.clone(), reads: Queue::new(), writes: Queue::new() }
    }

    /// The link behind the unwrapping of retransmissions.
    pub(in super::super) fn repaired(&self) -> RepairedCounter {
        RepairedCounter { counters: self.clone(), reads: Queue::new(), writes: Queue::new() }
    }
}

fn sum(streams: impl Iterator<Item = StreamStats>) -> StreamStats {
    streams.fold(StreamStats::default(), |a, b| StreamStats {
        packets: a.packets + b.packets,
        bytes: a.bytes + b.bytes,
        lost: a.lost + b.lost,
        retransmitted: a.retransmitted + b.retransmitted,
        nacks: a.nacks + b.nacks,
        keyframe_requests: a.keyframe_requests + b.keyframe_requests,
    })
}

/// The middle 32 bits of now, as an NTP short format, are not needed: only differences of our own reports are.
fn short_ntp(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

fn nacked(nack: &TransportLayerNack) -> u64 {
    nack.nacks.iter().map(|pair| 1 + u64::from(pair.lost_packets.count_ones())).sum()
}

impl Counts {
    fn rtcp_arrived(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if let Some(nack) = any.downcast_ref::<TransportLayerNack>()
            && let Some(stream) = self.sent.get_mut(&nack.media_ssrc)
        {
            stream.stats.nacks += nacked(nack);
        }
        if let Some(report) = any.downcast_ref::<SenderReport>()
            && self.received.contains_key(&report.ssrc)
        {
            let told = RemoteReport { ntp: report.ntp_time, rtp: report.rtp_time, arrived_at: now };
            self.remote_reports.insert(report.ssrc, told);
        }
        let reports = any.downcast_ref::<ReceiverReport>().map(|r| &r.reports);
        for report in reports.or(any.downcast_ref::<SenderReport>().map(|r| &r.reports)).into_iter().flatten() {
            let Some(stream) = self.sent.get_mut(&report.ssrc) else { continue };
            // A signed 24-bit number: duplicates can make it negative.
            stream.stats.lost = if report.total_lost >= 0x80_0000 { 0 } else { u64::from(report.total_lost) };
            let Some(&(_, sent_at)) = self.reports.iter().find(|r| r.0 == report.last_sender_report) else { continue };
            let held = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
            self.rtt = now.saturating_duration_since(sent_at).checked_sub(held).or(self.rtt);
        }
        for (&ssrc, stream) in &mut self.sent {
            stream.stats.keyframe_requests += u64::from(is_request(packet, ssrc));
        }
    }

    fn rtcp_leaves(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if let Some(nack) = any.downcast_ref::<TransportLayerNack>()
            && let Some(stream) = self.received.get_mut(&nack.media_ssrc)
        {
            stream.stats.nacks += nacked(nack);
        }
        if let Some(report) = any.downcast_ref::<SenderReport>() {
            self.reports.push_back((short_ntp(report.ntp_time), now));
            self.reports.drain(..self.reports.len().saturating_sub(REPORTS));
        }
        for (&ssrc, stream) in &mut self.received {
            stream.stats.keyframe_requests += u64::from(is_request(packet, ssrc));
        }
    }

    fn rtp_leaves(&mut self, packet: &rtc::rtp::Packet, again: bool) {
        let ssrc = packet.header.ssrc;
        let original = self.repairs.get(&ssrc);
        if original.is_some() && !again {
            // Padding of a probe, which nobody asked for.
            return;
        }
        let Some(stream) = self.sent.get_mut(original.unwrap_or(&ssrc)) else { return };
        if again {
            stream.stats.retransmitted += 1;
        } else {
            stream.stats.packets += 1;
            stream.stats.bytes += packet.payload.len() as u64;
        }
    }

    /// Whether the packet is of use: what is sent again though it had arrived only fills a probe for bandwidth.
    fn rtp_arrived(&mut self, packet: &rtc::rtp::Packet, again: bool) -> bool {
        let Some(stream) = self.received.get_mut(&packet.header.ssrc) else { return true };
        let fresh = stream.arrived.note(packet.header.sequence_number);
        if fresh {
            stream.stats.retransmitted += u64::from(again);
            stream.stats.packets += 1;
            stream.stats.bytes += packet.payload.len() as u64;
        }
        fresh || !again
    }
}

/// Which sequence numbers of a stream have arrived.
#[derive(Default)]
struct Arrived {
    /// Sequence numbers made 64 bits wide, starting at 65,536 plus the first one.
    first: u64,
    highest: u64,
    unique: u64,
    seen: VecDeque<bool>,
}

impl Arrived {
    /// Whether it is the first time.
    fn note(&mut self, sequence_number: u16) -> bool {
        if self.unique == 0 {
            self.highest = 65_536 + u64::from(sequence_number);
            self.first = self.highest;
            self.unique = 1;
            self.seen.push_back(true);
            return true;
        }
        let step = sequence_number.wrapping_sub(self.highest as u16) as i16;
        if step > 0 {
            let step = step.unsigned_abs();
            self.highest += u64::from(step);
            for n in 0..step {
                self.seen.push_back(n + 1 == step);
            }
            let excess = self.seen.len().saturating_sub(WINDOW as usize);
            self.seen.drain(..excess);
            self.unique += 1;
            return true;
        }
        // What is older than the window is counted as a duplicate: nothing can be done with it any more.
        let back = usize::from(step.unsigned_abs());
        let Some(place) = (self.seen.len().checked_sub(back + 1)).and_then(|at| self.seen.get_mut(at)) else {
            return false;
        };
        let fresh = !std::mem::replace(place, true);
        self.unique += u64::from(fresh);
        fresh
    }

    fn missing(&self) -> u64 {
        if self.unique == 0 { 0 } else { (self.highest - self.first + 1).saturating_sub(self.unique) }
    }
}

/// See [`Counters::wire`].
pub(in super::super) struct WireCounter {
    counters: Counters,
    reads: Queue,
    writes: Queue,
}

impl WireCounter {
    fn read(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        if let Packet::Rtcp(packets) = &tagged.message.packet {
            let mut counts = self.counters.lock();
            packets.iter().for_each(|p| counts.rtcp_arrived(p.as_ref(), tagged.now));
        }
        tagged
    }

    fn write(&mut self, tagged: TaggedPacket) -> TaggedPacket {
        let mut counts = self.counters.lock();
        match &tagged.message.packet {
            Packet::Rtcp(packets) => packets.iter().for_each(|p| counts.rtcp_leaves(p.as_ref(), tagged.now)),
            Packet::Rtp(packet) => counts.rtp_leaves(packet, tagged.message.has(&Attribute::Retransmission)),
            _ => {}
        }
        drop(counts);
        tagged
    }
}

chain_link!(WireCounter);

impl Interceptor for WireCounter {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let mut counts = self.counters.lock();
        if counts.sent.len() < MAX_STREAMS {
            counts.sent.entry(info.ssrc).or_default().audio = is_audio(info);
            counts.repairs.extend(info.ssrc_rtx.map(|rtx| (rtx, info.ssrc)));
        }
    }

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        let mut counts = self.counters.lock();
        if counts.received.len() < MAX_STREAMS {
            counts.received.entry(info.ssrc).or_default().audio = is_audio(info);
        }
    }

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

fn is_audio(info: &StreamInfo) -> bool {
    info.mime_type.to_ascii_lowercase().starts_with("audio/")
}

/// See [`Counters::repaired`].
pub(in super::super) struct RepairedCounter {
    counters: Counters,
    reads: Queue,
    writes: Queue,
}

impl RepairedCounter {
    /// Repetitions of what came already go no further: a probe's would fill the receiver's queue.
    fn read(&mut self, tagged: TaggedPacket) -> Option<TaggedPacket> {
        if let Packet::Rtp(packet) = &tagged.message.packet {
            let again = tagged.message.has(&Attribute::Retransmission);
            return self.counters.lock().rtp_arrived(packet, again).then_some(tagged);
        }
        Some(tagged)
    }

    fn write(&mut self, packet: TaggedPacket) -> TaggedPacket {
        packet
    }
}

chain_link!(RepairedCounter);

impl Interceptor for RepairedCounter {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_late_packets_are_told_apart_across_the_wrap() {
        let mut arrived = Arrived::default();
        assert!(arrived.note(65_533));
        assert!(arrived.note(65_534));
        assert!(arrived.note(1));
        assert_eq!(arrived.missing(), 2);
        assert!(!arrived.note(65_534), "a duplicate");
        assert!(arrived.note(0), "late, but new");
        assert!(!arrived.note(0));
        assert_eq!(arrived.missing(), 1);
    }

    #[test]
    fn what_is_sent_again_though_it_had_arrived_neither_counts_nor_goes_on() {
        let (mut counts, video) = (Counts::default(), 7);
        counts.received.insert(video, Received::default());
        let packet = |sequence_number| rtc::rtp::Packet {
            header: rtc::rtp::Header { version: 2, ssrc: video, sequence_number, ..Default::default() },
            payload: vec![0; 10].into(),
        };
        assert!(counts.rtp_arrived(&packet(1), false));
        assert!(!counts.rtp_arrived(&packet(1), true), "padding");
        assert!(counts.rtp_arrived(&packet(1), false), "what the network doubles is the receiver's own affair");
        assert!(counts.rtp_arrived(&packet(3), false));
        assert!(counts.rtp_arrived(&packet(2), true), "a repair");
        let stats = counts.received[&video].stats;
        assert_eq!((stats.packets, stats.bytes, stats.retransmitted), (3, 30, 1));
    }

    #[test]
    fn sender_reports_are_kept_as_they_came_for_streams_that_are_known() {
        let (mut counts, now) = (Counts::default(), Instant::now());
        counts.received.insert(7, Received::default());
        for (ssrc, ntp_time) in [(7, 1), (8, 2), (7, u64::MAX)] {
            let report = SenderReport { ssrc, ntp_time, rtp_time: u32::MAX, ..Default::default() };
            counts.rtcp_arrived(&report, now);
        }
        assert_eq!(counts.remote_reports.len(), 1);
        assert_eq!(counts.remote_reports[&7], RemoteReport { ntp: u64::MAX, rtp: u32::MAX, arrived_at: now });
    }

    #[test]
    fn what_is_older_than_the_window_stays_lost() {
        let mut arrived = Arrived::default();
        arrived.note(0);
        arrived.note(2);
        for n in 3..2_000 {
            arrived.note(n);
        }
        assert!(!arrived.note(1));
        assert_eq!(arrived.missing(), 1);
    }
}
