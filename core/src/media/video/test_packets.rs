//! Packets whose payload is nothing but a picture's number, for the tests of what puts them in order.

use super::codec::VideoCodec;
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// The payload types of all tests.
pub(super) const TYPES: [(u8, VideoCodec); 2] = [(96, VideoCodec::Vp8), (106, VideoCodec::H264)];

/// Makes the packets of VP8 pictures that hold nothing but their own number.
pub(super) struct Stream {
    pub(super) sequence_number: u16,
    pub(super) picture: u32,
    pub(super) start: Instant,
    pub(super) picture_ids: bool,
}

impl Stream {
    pub(super) fn new(start: Instant) -> Self {
        Self { sequence_number: 65_530, picture: 0, start, picture_ids: false }
    }

    /// The next picture in so many packets, taken 33 ms after the last one.
    pub(super) fn next(&mut self, keyframe: bool, packets: usize) -> Vec<RtpPacket> {
        let number = self.picture;
        self.picture += 1;
        let at = self.start + Duration::from_millis(33) * number;
        (0..packets)
            .map(|n| {
                let sequence_number = self.sequence_number;
                self.sequence_number = sequence_number.wrapping_add(1);
                let start = if n == 0 { 0x10 } else { 0 };
                let mut payload = if self.picture_ids {
                    vec![start | 0x80, 0x80, 0x80 | (number >> 8) as u8, number as u8]
                } else {
                    vec![start]
                };
                payload.push(u8::from(!keyframe));
                payload.extend(number.to_be_bytes());
                RtpPacket {
                    ssrc: 1,
                    payload_type: TYPES[0].0,
                    sequence_number,
                    timestamp: number.wrapping_mul(3000),
                    marker: n + 1 == packets,
                    payload: Bytes::from(payload),
                    arrived_at: at,
                }
            })
            .collect()
    }
}
