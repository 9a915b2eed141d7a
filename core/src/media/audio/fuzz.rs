//! Sound in any packets at any time.

use super::jitter::{Adjustment, Decision, JitterBuffer};
use super::red;
use crate::fuzz::Input;
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// Longest sequence.
const MAX_STEPS: usize = 512;
/// The most that is decoded or concealed at once: 120 ms.
const MAX_SAMPLES: usize = 5_760;

/// A sequence of operations on a jitter buffer, with packets as they are and in RED (RFC 2198).
pub(crate) fn jitter_buffer(input: &[u8]) {
    let mut input = Input::new(input);
    let mut buffer = JitterBuffer::new();
    let mut now = Instant::now();
    let (mut sequence_number, mut timestamp, mut ssrc) = (65_530u16, u32::MAX - 9_600, 1);
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let step = input.u8();
        match step & 7 {
            0 => now += Duration::from_millis(input.u8().into()),
            1 => now += Duration::from_millis(input.u16().into()),
            2 | 3 => decided(&buffer.next(now)),
            4 if step & 0x80 != 0 => buffer.set_extra_delay(Duration::from_millis(input.u16().into())),
            4 if step & 0x40 != 0 => ssrc = u32::from(input.u8() & 3),
            4 => (sequence_number, timestamp) = (input.u16(), input.u32()),
            5 => match buffer.adjustment() {
                Adjustment::Keep => {}
                Adjustment::Accelerate { .. } => buffer.adjusted(-i64::from(input.u8()) * 4),
                Adjustment::Expand => buffer.adjusted(i64::from(input.u8()) * 4),
            },
            _ => {
                sequence_number =
                    sequence_number.wrapping_add(if step & 8 == 0 { 1 } else { u16::from(input.u8() & 7) });
                timestamp = timestamp.wrapping_add(if step & 0x10 == 0 { 960 } else { u32::from(input.u16()) });
                let payload = Bytes::copy_from_slice(input.counted());
                let packet = |payload| RtpPacket {
                    ssrc,
                    payload_type: 111,
                    sequence_number,
                    timestamp,
                    marker: false,
                    payload,
                    arrived_at: now,
                };
                match red::unpack(&payload).filter(|_| step & 0x20 != 0) {
                    Some(unpacked) => {
                        assert!(unpacked.earlier.iter().all(|earlier| earlier.offset <= red::MAX_OFFSET));
                        buffer.insert(packet(unpacked.newest));
                        for earlier in unpacked.earlier {
                            buffer.insert_copy(ssrc, timestamp.wrapping_sub(earlier.offset.into()), earlier.payload);
                        }
                    }
                    None => drop(buffer.insert(packet(payload))),
                }
            }
        }
        assert!(buffer.mean_delay_ms().is_finite());
        let (delay, target) = buffer.delay_ms();
        assert!(delay.is_finite() && target.is_finite());
    }
}

fn decided(decision: &Decision) {
    let samples = match decision {
        Decision::Play { packet, .. } => packet.samples,
        Decision::Fec { samples, wanted, .. } => {
            assert!(wanted <= samples);
            *samples
        }
        Decision::Conceal(samples) | Decision::Noise(samples) | Decision::Silence(samples) => *samples,
    };
    assert!((1..=MAX_SAMPLES).contains(&samples), "{decision:?}");
}
