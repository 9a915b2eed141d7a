//! The link as the crate's chain drives it, in a time of its own.

use super::super::fec::Recover;
use super::*;
use crate::peer::BitrateBounds;
use crate::sdp::TRANSPORT_CC;
use proptest::prelude::*;
use rtc::interceptor::{RTCPFeedback, RTPHeaderExtension};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, RecvDelta, RunLengthChunk, SymbolTypeTcc};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::nack_pairs_from_sequence_numbers;
use rtc::sansio::Protocol;
use std::time::Duration;

const AUDIO: u32 = 1;
const VIDEO: u32 = 2;
const RTX: u32 = 3;
const EXTENSION_ID: u8 = 5;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

struct Bench {
    link: Transmit,
    sending: Arc<Sending>,
    fec: Arc<FecFormats>,
    sequence_number: u16,
    /// What reached the wire, and when.
    wire: Vec<(Instant, rtp::Packet)>,
}

impl Bench {
    fn new(now: Instant, bps: u32) -> Self {
        Self::with_events(now, bps, Events::new(tokio::sync::mpsc::channel(8).0))
    }

    fn with_events(now: Instant, bps: u32, events: Events) -> Self {
        let shared = Shared::new(BitrateBounds { start: bps, min: 24_000, max: bps.max(1_000_000) });
        let mut link = Transmit::new(now, &shared, events);
        let extension = RTPHeaderExtension { uri: TRANSPORT_CC.into(), id: EXTENSION_ID.into() };
        let audio = StreamInfo {
            ssrc: AUDIO,
            mime_type: "audio/opus".into(),
            rtp_header_extensions: vec![extension.clone()],
            ..Default::default()
        };
        let nack = RTCPFeedback { typ: "nack".into(), parameter: String::new() };
        let video = StreamInfo {
            ssrc: VIDEO,
            ssrc_rtx: Some(RTX),
            payload_type_rtx: Some(97),
            mime_type: "video/VP8".into(),
            rtp_header_extensions: vec![extension],
            rtcp_feedback: vec![nack],
            ..Default::default()
        };
        link.bind_local_stream(&audio);
        link.bind_local_stream(&video);
        Self { link, sending: shared.sending, fec: shared.fec, sequence_number: 0, wire: vec![] }
    }

    fn send(&mut self, now: Instant, ssrc: u32, size: usize) {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let header = rtp::Header { version: 2, ssrc, sequence_number: self.sequence_number, ..Default::default() };
        let packet = Packet::Rtp(rtp::Packet { header, payload: vec![0; size].into() });
        let message = AttributedPacket::new(packet);
        self.link.handle_write(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
        self.collect(now);
    }

    /// Sound leaves first of all, in the moment that it comes.
    fn send_sound(&mut self, now: Instant) {
        let before = self.wire.len();
        self.send(now, AUDIO, 80);
        assert_eq!(self.wire.get(before).map(|(at, p)| (*at, p.header.ssrc)), Some((now, AUDIO)));
    }

    fn receive(&mut self, now: Instant, packet: impl rtc::rtcp::Packet + 'static) {
        let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(packet)]));
        self.link.handle_read(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
        assert!(self.link.poll_read().is_some(), "others read it, too");
        self.collect(now);
    }

    fn nack(&mut self, now: Instant, numbers: &[u16]) {
        let nacks = nack_pairs_from_sequence_numbers(numbers);
        self.receive(now, TransportLayerNack { sender_ssrc: 9, media_ssrc: VIDEO, nacks });
    }

    /// Lets time pass as the driver would.
    fn run(&mut self, from: Instant, to: Instant) {
        let mut now = from;
        while let Some(wake) = self.link.poll_timeout().filter(|wake| *wake <= to) {
            // The driver wakes at steps of a millisecond at best.
            now = wake.max(now + ms(1));
            self.link.handle_timeout(now).unwrap();
            self.collect(now);
        }
    }

    fn collect(&mut self, now: Instant) {
        while let Some(tagged) = self.link.poll_write() {
            if let Packet::Rtp(packet) = tagged.message.packet {
                self.wire.push((now, packet));
            }
        }
    }

    /// What a receiver says, 20 ms away, of all packets from the `first` on.
    fn true_feedback(&self, epoch: Instant, first: usize) -> TransportLayerCc {
        let times: Vec<i64> =
            self.wire[first..].iter().map(|(at, _)| (*at - epoch).as_micros() as i64 + 20_000).collect();
        let mut feedback = all_arrived(self.numbers()[first], times.len() as u16, (times[0] / 64_000) as u32);
        let mut before = times[0] / 64_000 * 64_000;
        for (delta, time) in feedback.recv_deltas.iter_mut().zip(times) {
            delta.delta = (time - before) / 250 * 250;
            before += delta.delta;
        }
        feedback
    }

    fn numbers(&self) -> Vec<u16> {
        let number = |p: &rtp::Packet| p.header.get_extension(EXTENSION_ID).map(|e| u16::from_be_bytes([e[0], e[1]]));
        self.wire.iter().map(|(_, p)| number(p).unwrap()).collect()
    }

    fn of(&self, ssrc: u32) -> Vec<(Instant, &rtp::Packet)> {
        self.wire.iter().filter(|(_, p)| p.header.ssrc == ssrc).map(|(at, p)| (*at, p)).collect()
    }
}

/// What the receiver says of these packets, of which the first has this transport-wide number, where each tenth is lost.
fn lossy_feedback(wire: &[(Instant, rtp::Packet)], number: u16, epoch: Instant) -> TransportLayerCc {
    let reference = |at: Instant| (at - epoch).as_micros() as i64;
    let start = reference(wire[0].0) / 64_000;
    let (mut before, mut chunks, mut deltas) = (start * 64_000, vec![], vec![]);
    for (n, (at, _)) in wire.iter().enumerate() {
        let lost = number.wrapping_add(n as u16).is_multiple_of(10);
        if !lost {
            let delta = (reference(*at) - before) / 250 * 250;
            before += delta;
            deltas.push(RecvDelta { delta, type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta });
        }
        let symbol = if lost { SymbolTypeTcc::PacketNotReceived } else { SymbolTypeTcc::PacketReceivedSmallDelta };
        let run = RunLengthChunk { packet_status_symbol: symbol, run_length: 1, ..Default::default() };
        chunks.push(PacketStatusChunk::RunLengthChunk(run));
    }
    TransportLayerCc {
        base_sequence_number: number,
        packet_status_count: wire.len() as u16,
        reference_time: start as u32,
        packet_chunks: chunks,
        recv_deltas: deltas,
        ..Default::default()
    }
}

/// Pictures for so many seconds over a lossy path with this round trip, in ms.
fn lossy_call(bench: &mut Bench, t: Instant, seconds: u64, rtt: u64) {
    let mut told = bench.wire.len();
    for n in 0..seconds * 30 {
        let now = t + ms(33 * n);
        for index in 0..6u32 {
            let timestamp = 3_000 * n as u32 + 1;
            bench.sequence_number = bench.sequence_number.wrapping_add(1);
            let (sequence_number, marker) = (bench.sequence_number, index == 5);
            let header = rtp::Header {
                version: 2,
                ssrc: VIDEO,
                payload_type: 96,
                sequence_number,
                timestamp,
                marker,
                ..Default::default()
            };
            let payload = vec![n as u8 ^ index as u8; 100 + 10 * index as usize].into();
            let message = AttributedPacket::new(Packet::Rtp(rtp::Packet { header, payload }));
            bench.link.handle_write(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
            bench.collect(now);
        }
        bench.run(now, now + ms(32));
        let came = bench.wire.partition_point(|(at, _)| *at + ms(rtt) <= now + ms(32));
        if came > told {
            let feedback = lossy_feedback(&bench.wire[told..came], bench.numbers()[told], t);
            bench.receive(now + ms(32), feedback);
            told = came;
        }
    }
}

fn repairs(bench: &Bench) -> usize {
    bench.wire.iter().filter(|(_, packet)| packet.header.payload_type == 118).count()
}

#[test]
fn pictures_on_a_long_and_lossy_path_are_followed_by_what_repairs_them_where_the_other_side_takes_it() {
    for (rtt, agreed, protected) in [(250, true, true), (250, false, false), (150, true, false)] {
        let t = Instant::now();
        let mut bench = Bench::new(t, 1_000_000);
        bench.fec.set(agreed.then_some(118), agreed.then_some(118));
        lossy_call(&mut bench, t, 6, rtt);
        assert_eq!(repairs(&bench) > 60, protected, "{rtt} ms, {agreed}: {}", repairs(&bench));
        let before: Vec<_> = bench
            .wire
            .windows(2)
            .filter(|pair| pair[0].1.header.payload_type != 118 && pair[1].1.header.payload_type == 118)
            .map(|pair| pair[0].1.header.marker)
            .collect();
        assert!(before.iter().all(|marker| *marker), "right behind the last packet of a picture");
    }
}

#[test]
fn what_is_lost_of_a_protected_picture_comes_back_with_its_number_and_payload() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 1_000_000);
    bench.fec.set(Some(118), Some(118));
    lossy_call(&mut bench, t, 8, 250);
    let mut recover = Recover::new(Arc::clone(&bench.fec));
    let extension = RTPHeaderExtension { uri: TRANSPORT_CC.into(), id: EXTENSION_ID.into() };
    let info = StreamInfo {
        ssrc: VIDEO,
        mime_type: "video/VP8".into(),
        rtp_header_extensions: vec![extension],
        ..Default::default()
    };
    recover.bind_remote_stream(&info);
    let from = bench.wire.iter().position(|(_, packet)| packet.header.payload_type == 118).unwrap();
    let (mut lost, mut back, mut came) = (vec![], vec![], 0);
    for (n, (now, packet)) in bench.wire[from..].iter().enumerate() {
        if packet.header.ssrc == VIDEO && n % 40 == 20 {
            lost.push(packet.clone());
            continue;
        }
        came += 1;
        let message = AttributedPacket::new(Packet::Rtp(packet.clone()));
        recover.handle_read(TaggedPacket { now: *now, transport: TransportContext::default(), message }).unwrap();
        while let Some(tagged) = recover.poll_read() {
            let is_recovered = tagged.message.has(&Attribute::RecoveredByFec);
            let Packet::Rtp(packet) = tagged.message.packet else { continue };
            if is_recovered { back.push(packet) } else { came -= 1 }
        }
    }
    assert_eq!(came, 0, "all that came goes on, what repairs too");
    assert!(lost.len() > 5 && back.len() + 2 >= lost.len(), "{} of {}", back.len(), lost.len());
    for packet in &back {
        let original = lost.iter().find(|lost| lost.header.sequence_number == packet.header.sequence_number).unwrap();
        assert_eq!((&packet.payload, packet.header.marker), (&original.payload, original.header.marker));
        assert_eq!(packet.header.timestamp, original.header.timestamp);
        assert!(packet.header.extensions.is_empty(), "it must not be told as one that arrived");
    }
}

fn all_arrived(base: u16, count: u16, reference_time: u32) -> TransportLayerCc {
    let run = RunLengthChunk {
        packet_status_symbol: SymbolTypeTcc::PacketReceivedSmallDelta,
        run_length: count,
        ..Default::default()
    };
    TransportLayerCc {
        base_sequence_number: base,
        packet_status_count: count,
        reference_time,
        packet_chunks: vec![PacketStatusChunk::RunLengthChunk(run)],
        recv_deltas: (0..count).map(|_| RecvDelta { delta: 1_000, ..Default::default() }).collect(),
        ..Default::default()
    }
}

#[test]
fn sound_leaves_before_the_video_that_waits_and_at_once() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 900_000);
    for _ in 0..50 {
        bench.send(t, VIDEO, 1_000);
    }
    assert!(bench.of(VIDEO).len() < 3);
    assert!(bench.sending.backlog() > ms(300));
    for n in 0..20 {
        let now = t + ms(20 * n);
        bench.run(now, now);
        bench.send_sound(now);
    }
    bench.run(t + ms(400), t + ms(5_000));
    let video: Vec<u16> = bench.of(VIDEO).iter().map(|(_, p)| p.header.sequence_number).collect();
    assert_eq!(video, (1..=50).collect::<Vec<u16>>(), "nothing that had its number was given up");
    assert_eq!(bench.sending.backlog(), Duration::ZERO);
}

/// Video of so many packets, each with this RTP timestamp.
fn picture(bench: &mut Bench, now: Instant, packets: usize, timestamp: u32) {
    for _ in 0..packets {
        bench.sequence_number = bench.sequence_number.wrapping_add(1);
        let sequence_number = bench.sequence_number;
        let header = rtp::Header { version: 2, ssrc: VIDEO, sequence_number, timestamp, ..Default::default() };
        let packet = Packet::Rtp(rtp::Packet { header, payload: vec![0; 1_000].into() });
        let message = AttributedPacket::new(packet);
        bench.link.handle_write(TaggedPacket { now, transport: TransportContext::default(), message }).unwrap();
        bench.collect(now);
    }
}

#[test]
fn pictures_that_would_leave_too_late_make_way_for_a_keyframe_and_leave_no_gap_in_the_numbers() {
    let t = Instant::now();
    let (events, mut told) = tokio::sync::mpsc::channel(8);
    let mut bench = Bench::with_events(t, 300_000, Events::new(events));
    picture(&mut bench, t, 50, 1);
    assert!(bench.sending.backlog() < ms(600), "the path cannot carry them in time");
    assert!(matches!(told.try_recv(), Ok(PeerEvent::KeyframeWanted)));
    assert!(!bench.sending.admits(false, 2), "pictures that build on them are not sent");
    assert!(bench.sending.admits(true, 3));
    picture(&mut bench, t + ms(10), 15, 3);
    bench.run(t + ms(10), t + ms(5_000));
    let of_keyframe = bench.of(VIDEO).iter().filter(|(_, p)| p.header.timestamp == 3).count();
    assert_eq!(of_keyframe, 15, "the keyframe itself is not given up");
    let numbers: Vec<u16> = bench.of(VIDEO).iter().map(|(_, p)| p.header.sequence_number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u16).collect::<Vec<u16>>());
    bench.nack(t + ms(5_000), &[1]);
    bench.run(t + ms(5_000), t + ms(5_200));
    let repeated = |(_, p): &(Instant, &rtp::Packet)| p.payload[..2] == [0, 1];
    assert!(!bench.of(RTX).iter().any(repeated), "what was before the keyframe is not repeated");
}

#[test]
fn whatever_leaves_has_its_transport_wide_number_one_after_the_other() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 1_000_000);
    bench.send(t, AUDIO, 80);
    bench.send(t, VIDEO, 500);
    bench.run(t, t + ms(50));
    bench.nack(t + ms(50), &[2]);
    bench.run(t + ms(50), t + ms(100));
    assert!(bench.of(RTX).iter().any(|(_, p)| p.payload[..2] == [0, 2]));
    let numbers = bench.numbers();
    assert_eq!(numbers, (1..=numbers.len() as u16).collect::<Vec<_>>());
}

#[test]
fn a_packet_asked_for_goes_out_again_in_the_same_moment_and_once() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 1_000_000);
    for _ in 0..5 {
        bench.send(t, VIDEO, 400);
    }
    bench.run(t, t + ms(100));
    bench.wire.clear();
    let asked = t + ms(100);
    bench.nack(asked, &[3]);
    bench.nack(asked, &[3]);
    bench.run(asked, asked + ms(200));
    let again: Vec<_> = bench.of(RTX);
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].0, &again[0].1.payload[..2]), (asked, &3u16.to_be_bytes()[..]));
}

#[test]
fn a_flood_of_requests_takes_no_more_than_its_part_and_nothing_from_sound() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 400_000);
    let everything: Vec<u16> = (1..=200).collect();
    for n in 0..2_000u64 {
        let now = t + ms(n);
        bench.run(now, now);
        if n % 20 == 0 {
            bench.send_sound(now);
        }
        if n % 33 == 0 {
            bench.send(now, VIDEO, 700);
        }
        bench.nack(now, &everything);
    }
    let again: usize = bench.of(RTX).iter().map(|(_, p)| p.payload.len() + 60).sum();
    assert!(again > 5_000 && again < 2 * 400_000 / 8 / 2 + 12_000, "{again}");
}

#[test]
fn probes_are_filled_with_packets_that_were_sent_before() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 300_000);
    for n in 0..15 {
        bench.send(t + ms(33 * n), VIDEO, 1_000);
        bench.run(t + ms(33 * n), t + ms(33 * n + 32));
    }
    // The controller begins to probe with the first picture.
    let padding = bench.of(RTX);
    assert!(!padding.is_empty(), "no probe");
    assert!(padding.iter().all(|(_, p)| p.payload.len() == 1_002), "each repeats a packet");
}

#[test]
fn feedback_raises_the_plan_and_feedback_that_lies_does_not() {
    let t = Instant::now();
    let mut bench = Bench::new(t, 300_000);
    let start = bench.sending.plan().borrow().target_bps;
    for n in 0..200u64 {
        let now = t + ms(10 * n);
        bench.send(now, VIDEO, 400);
        bench.run(now, now + ms(9));
        // Numbers that were never sent, in times that go back.
        bench.receive(now, all_arrived(30_000 + n as u16, 500, 1_000 - n as u32));
        bench.receive(now, all_arrived(0, 0, n as u32));
    }
    assert_eq!(bench.sending.plan().borrow().target_bps, start);
    let mut told = bench.wire.len();
    for n in 200..600u64 {
        let now = t + ms(10 * n);
        bench.send(now, VIDEO, 400);
        bench.run(now, now + ms(9));
        if n % 5 == 0 {
            let feedback = bench.true_feedback(t, told);
            told = bench.wire.len();
            bench.receive(now + ms(9), feedback);
        }
    }
    assert!(bench.sending.plan().borrow().target_bps > start);
}

proptest! {
    #[test]
    fn hostile_feedback_and_requests_leave_the_plan_within_its_bounds(
        steps in proptest::collection::vec((any::<u16>(), any::<u16>(), any::<u32>(), any::<u16>(), 0u64..40), 1..200)
    ) {
        let t = Instant::now();
        let (mut now, mut bench) = (t, Bench::new(t, 500_000));
        for (base, count, reference_time, number, wait) in steps {
            bench.run(now, now + ms(wait));
            now += ms(wait);
            bench.send(now, VIDEO, 600);
            bench.send_sound(now);
            bench.receive(now, all_arrived(base, count % 600, reference_time & 0xff_ffff));
            bench.receive(now, all_arrived(1, count % 20 + 1, reference_time & 0xff_ffff));
            bench.nack(now, &[number, number.wrapping_add(count), base % 300]);
            let target = bench.sending.plan().borrow().target_bps;
            prop_assert!((24_000..=1_000_000).contains(&target));
        }
    }
}
