//! Packets of video in any order.

use super::assembler::{Event, FrameAssembler};
use super::codec::VideoCodec;
use super::depacketize;
use crate::fuzz::Input;
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// Longest sequence.
const MAX_STEPS: usize = 512;

/// A sequence of operations on an assembler: mostly packets.
pub(crate) fn packets(input: &[u8]) {
    let mut input = Input::new(input);
    let mut assembler = FrameAssembler::new(vec![(96, VideoCodec::Vp8), (102, VideoCodec::H264)]);
    let (mut now, mut data) = (Instant::now(), Vec::new());
    let (mut sequence_number, mut timestamp, mut ssrc) = (65_530u16, u32::MAX - 9_000, 1);
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let step = input.u8();
        match step & 7 {
            0 => now += Duration::from_millis(input.u8().into()),
            1 => now = assembler.deadline().unwrap_or(now).max(now),
            2 => assembler.set_rtt(Duration::from_millis(input.u16().into())),
            3 if step & 0x80 != 0 => assembler.decoding_failed(now),
            3 => (sequence_number, timestamp) = (input.u16(), input.u32()),
            4 if step & 0x80 != 0 => ssrc = u32::from(input.u8() & 3),
            _ => {
                let payload_type = if step & 0x10 == 0 { 96 } else { 102 };
                if step & 0x20 != 0 {
                    timestamp = timestamp.wrapping_add(3_000);
                }
                sequence_number =
                    sequence_number.wrapping_add(if step & 8 == 0 { 1 } else { u16::from(input.u8() & 7) });
                let payload = Bytes::copy_from_slice(input.counted());
                let marker = step & 0x40 != 0;
                let _ = depacketize::has_idr(&payload);
                let packet =
                    RtpPacket { ssrc, payload_type, sequence_number, timestamp, marker, payload, arrived_at: now };
                assembler.insert(packet, now);
            }
        }
        poll(&mut assembler, now, &mut data);
    }
    // A peer that begins anew is seen, whatever was before.
    let payload = Bytes::from_static(&[0x10, 0, 0, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0]);
    let packet =
        RtpPacket { ssrc: 99, payload_type: 96, sequence_number, timestamp, marker: true, payload, arrived_at: now };
    assembler.insert(packet, now);
    assert!(poll(&mut assembler, now, &mut data), "{assembler:?}");
}

/// Whether there was a picture.
fn poll(assembler: &mut FrameAssembler, now: Instant, data: &mut Vec<u8>) -> bool {
    let mut shown = false;
    for _ in 0..10_000 {
        data.clear();
        match assembler.poll(now, data) {
            Some(Event::Frame(_)) => {
                assert!(!data.is_empty());
                shown = true;
            }
            Some(Event::WantKeyframe) => {}
            None => return shown,
        }
    }
    panic!("it never ends: {assembler:?}");
}
