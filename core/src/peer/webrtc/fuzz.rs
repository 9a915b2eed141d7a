//! What comes from the other side of a connection, behind DTLS: it is one peer, and as hostile as any.

use super::events::Events;
use super::interceptors::fec::{FecFormats, Recover};
use super::interceptors::rtx::{PayloadTypes, Unwrap};
use super::interceptors::transmit::Transmit;
use super::sending::Shared;
use super::{candidates, interceptors};
use crate::fuzz::Input;
use crate::media::rtp::RtpPacket;
use crate::media::video::codec::VideoCodec;
use crate::media::video::{Event, FrameAssembler};
use crate::peer::BitrateBounds;
use crate::sdp::TRANSPORT_CC;
use crate::signaling::message::IceCandidate;
use bytes::Bytes;
use interceptors::nack::Nack;
use rtc::interceptor::{
    AttributedPacket, Interceptor, Packet, RTCPFeedback, RTPHeaderExtension, StreamInfo, TaggedPacket,
};
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::marshal::Unmarshal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest sequence of operations on the link that sends.
const MAX_STEPS: usize = 256;
/// Longest sequence of datagrams. Each may leave a gap of 300 packets to ask for, so that an input takes as long as so many steps cost.
const MAX_DATAGRAMS: usize = 48;
const VIDEO: u32 = 7;
const RTX: u32 = 8;
const BOUNDS: BitrateBounds = BitrateBounds { start: 300_000, min: 24_000, max: 2_000_000 };

/// Lines are candidates.
pub(crate) fn candidates(input: &[u8]) {
    for line in String::from_utf8_lossy(input).lines().take(64) {
        let candidate = IceCandidate {
            candidate: line.to_owned(),
            sdp_mid: None,
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        let _ = candidates::is_wildcard(line);
        if candidates::check(&candidate).is_ok() {
            let given = candidates::to_crate(candidate);
            // As the crate reads what it is given.
            let text = given.candidate.strip_prefix("candidate:").unwrap_or(&given.candidate);
            assert!(rtc::ice::candidate::unmarshal_candidate(text).is_ok());
        }
    }
}

fn video() -> StreamInfo {
    StreamInfo {
        ssrc: VIDEO,
        ssrc_rtx: Some(RTX),
        payload_type: 96,
        payload_type_rtx: Some(97),
        mime_type: "video/VP8".into(),
        rtp_header_extensions: vec![RTPHeaderExtension { uri: TRANSPORT_CC.into(), id: 5 }],
        rtcp_feedback: vec![RTCPFeedback { typ: "nack".into(), parameter: String::new() }],
        ..Default::default()
    }
}

fn tagged(now: Instant, packet: Packet) -> TaggedPacket {
    TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(packet) }
}

/// A sequence of datagrams, each with its length in front: through the links for retransmissions and lost packets to the pictures.
pub(crate) fn rtp(input: &[u8]) {
    let mut input = Input::new(input);
    let mut now = Instant::now();
    let types: PayloadTypes = Arc::new(Mutex::new(vec![(97, 96), (103, 102)]));
    let mut unwrap = Unwrap::new(types);
    let mut nack = Nack::new(Shared::new(BOUNDS).sending, 1);
    let formats = Arc::new(FecFormats::default());
    formats.set(Some(118), Some(118));
    let mut recover = Recover::new(formats);
    recover.bind_remote_stream(&video());
    unwrap.bind_remote_stream(&video());
    nack.bind_remote_stream(&video());
    let mut assembler = FrameAssembler::new(vec![(96, VideoCodec::Vp8), (102, VideoCodec::H264)]);
    let mut data = Vec::new();
    for _ in 0..MAX_DATAGRAMS {
        if input.is_empty() {
            break;
        }
        now += Duration::from_millis(u64::from(input.u8()) >> 2);
        let mut datagram = Bytes::copy_from_slice(input.counted());
        let Ok(packet) = rtp::Packet::unmarshal(&mut datagram) else { continue };
        let Ok(()) = unwrap.handle_read(tagged(now, Packet::Rtp(packet))) else { continue };
        while let Some(packet) = unwrap.poll_read() {
            let Ok(()) = recover.handle_read(packet) else { continue };
        }
        while let Some(packet) = recover.poll_read() {
            let Ok(()) = nack.handle_read(packet) else { continue };
        }
        while let Some(TaggedPacket { message, .. }) = nack.poll_read() {
            let Packet::Rtp(packet) = message.packet else { continue };
            assembler.insert(received(packet, now), now);
            while let Some(event) = assembler.poll(now, &mut data) {
                assert!(event == Event::WantKeyframe || !data.is_empty());
            }
        }
        asked(&mut nack, now);
    }
}

/// What is asked for again is no more than what one window can miss.
fn asked(nack: &mut Nack, now: Instant) {
    for _ in 0..4 {
        if nack.poll_timeout().is_some_and(|due| due <= now) {
            assert!(nack.handle_timeout(now).is_ok());
        }
    }
    let mut count = 0;
    while nack.poll_write().is_some() {
        count += 1;
        assert!(count < 100);
    }
}

fn received(packet: rtp::Packet, now: Instant) -> RtpPacket {
    let rtp::Header { ssrc, payload_type, sequence_number, timestamp, marker, .. } = packet.header;
    RtpPacket { ssrc, payload_type, sequence_number, timestamp, marker, payload: packet.payload, arrived_at: now }
}

/// A sequence of operations on the link that sends: packets that leave, time that passes, and datagrams of RTCP (RFC 3550 section 6).
pub(crate) fn rtcp(input: &[u8]) {
    let mut input = Input::new(input);
    let shared = Shared::new(BOUNDS);
    let mut now = Instant::now();
    let mut link = Transmit::new(now, &shared, Events::new(tokio::sync::mpsc::channel(8).0));
    link.bind_local_stream(&video());
    let mut sequence_number = 65_530u16;
    let mut send = |link: &mut Transmit, now, size: usize| {
        sequence_number = sequence_number.wrapping_add(1);
        let header = rtp::Header { version: 2, ssrc: VIDEO, sequence_number, ..Default::default() };
        let packet = rtp::Packet { header, payload: vec![0; size].into() };
        assert!(link.handle_write(tagged(now, Packet::Rtp(packet))).is_ok());
    };
    (0..4).for_each(|_| send(&mut link, now, 500));
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let step = input.u8();
        match step & 3 {
            0 => (0..step >> 4).for_each(|_| send(&mut link, now, 40 + 4 * usize::from(step))),
            1 => {
                let until = now + Duration::from_millis(input.u8().into());
                for _ in 0..64 {
                    let Some(due) = link.poll_timeout().filter(|due| *due <= until) else { break };
                    now = due.max(now + Duration::from_millis(1));
                    assert!(link.handle_timeout(now).is_ok());
                }
                now = now.max(until);
            }
            _ => {
                let mut datagram = Bytes::copy_from_slice(input.counted());
                if let Ok(packets) = rtc::rtcp::packet::unmarshal(&mut datagram) {
                    assert!(link.handle_read(tagged(now, Packet::Rtcp(packets))).is_ok());
                }
            }
        }
        while link.poll_read().is_some() {}
        let mut left = 0;
        while link.poll_write().is_some() {
            left += 1;
            assert!(left < 10_000, "one step makes a flood");
        }
        let plan = shared.sending.controller().plan();
        assert!((BOUNDS.min..=BOUNDS.max).contains(&plan.target_bps) && plan.pace_bps > 0, "{plan:?}");
    }
}
