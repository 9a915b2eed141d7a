//! Repair packets for the pictures of one stream, made as their packets leave.

use super::super::fec::protected_bytes;
use crate::congestion::repair::repair_packets;
use crate::media::video::fec::{MAX_PROTECTED, encode};
use rtc::rtp;

/// The packets of the picture that is leaving.
pub(super) struct Protection {
    /// Of the repair packets.
    ssrc: u32,
    sequence_number: u16,
    timestamp: u32,
    picture: Vec<Vec<u8>>,
}

impl Protection {
    pub(super) fn new() -> Self {
        Self { ssrc: rand::random(), sequence_number: rand::random(), timestamp: 0, picture: Vec::new() }
    }

    /// A packet leaves. After the last one of a picture: its repair packets, of this payload type. Pictures of more packets than one repair
    /// packet can protect have none.
    pub(super) fn add(&mut self, packet: &rtp::Packet, transport_cc: Option<u8>, payload_type: u8) -> Vec<rtp::Packet> {
        let timestamp = packet.header.timestamp;
        if timestamp != self.timestamp {
            self.timestamp = timestamp;
            self.picture.clear();
        }
        if self.picture.len() <= MAX_PROTECTED {
            self.picture.extend(protected_bytes(packet, transport_cc));
        }
        if !packet.header.marker {
            return Vec::new();
        }
        let picture = std::mem::take(&mut self.picture);
        let payloads = encode(&picture, repair_packets(picture.len()));
        payloads.into_iter().map(|payload| self.packet(payload_type, timestamp, payload)).collect()
    }

    fn packet(&mut self, payload_type: u8, timestamp: u32, payload: Vec<u8>) -> rtp::Packet {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let header = rtp::Header {
            version: 2,
            payload_type,
            sequence_number: self.sequence_number,
            timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        rtp::Packet { header, payload: payload.into() }
    }
}
