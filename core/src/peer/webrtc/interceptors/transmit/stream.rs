//! One stream that this side sends.

use super::super::fec::transport_cc;
use super::protection::Protection;
use crate::congestion::{Class, RetransmissionHistory};
use rtc::interceptor::StreamInfo;
use rtc::rtp;

/// Packets that are looked at for one of the right size.
const CHOICE: usize = 16;

/// What is known of it.
pub(super) struct LocalStream {
    /// Sound or video.
    pub(super) class: Class,
    /// Identifier of the header extension with the transport-wide number, where that was agreed on (RFC 8285: 1 to 14).
    pub(super) extension: Option<u8>,
    /// What was sent, where it may be asked for again.
    pub(super) history: Option<RetransmissionHistory<rtp::Packet>>,
    /// What makes its forward error correction.
    pub(super) protection: Protection,
    /// SSRC and payload type of its retransmissions (RFC 4588).
    rtx: Option<(u32, u8)>,
    rtx_sequence_number: u16,
    sequence_number: Option<u16>,
}

impl LocalStream {
    pub(super) fn new(info: &StreamInfo) -> Self {
        let audio = info.mime_type.to_ascii_lowercase().starts_with("audio/");
        let asked_again = info.rtcp_feedback.iter().any(|f| f.typ == "nack" && f.parameter.is_empty());
        Self {
            class: if audio { Class::Audio } else { Class::Video },
            extension: transport_cc(info),
            history: asked_again.then(RetransmissionHistory::new),
            protection: Protection::new(),
            rtx: info.ssrc_rtx.zip(info.payload_type_rtx),
            rtx_sequence_number: rand::random(),
            sequence_number: None,
        }
    }

    /// Numbers a packet that leaves for the first time. What was given up before it could leave makes no gap, which the other side would
    /// take for loss.
    pub(super) fn number(&mut self, header: &mut rtp::Header) {
        let number = self.sequence_number.map_or(header.sequence_number, |last| last.wrapping_add(1));
        self.sequence_number = Some(number);
        header.sequence_number = number;
    }

    /// The packet as it goes out again. `types` says which retransmission payload type repeats which.
    pub(super) fn again(&mut self, original: &rtp::Packet, types: &[(u8, u8)]) -> rtp::Packet {
        let Some((ssrc, bound)) = self.rtx else { return original.clone() };
        // The stream was bound to one codec; the one in use may be another of those agreed on.
        let payload_type = types.iter().find(|t| t.1 == original.header.payload_type).map_or(bound, |t| t.0);
        let mut payload = Vec::with_capacity(2 + original.payload.len());
        payload.extend_from_slice(&original.header.sequence_number.to_be_bytes());
        payload.extend_from_slice(&original.payload);
        self.rtx_sequence_number = self.rtx_sequence_number.wrapping_add(1);
        rtp::Packet {
            header: rtp::Header {
                version: 2,
                ssrc,
                payload_type,
                sequence_number: self.rtx_sequence_number,
                timestamp: original.header.timestamp,
                marker: original.header.marker,
                ..Default::default()
            },
            payload: payload.into(),
        }
    }

    /// Of what was sent last, that whose size on the wire is nearest to `size`: sent again it is padding that every receiver of
    /// retransmissions takes. `None` where none are.
    pub(super) fn padding(&self, size: u32) -> Option<(rtp::Packet, u32)> {
        self.rtx?;
        let recent = self.history.as_ref()?.recent().take(CHOICE);
        recent.min_by_key(|(_, bytes)| bytes.abs_diff(size)).map(|(packet, bytes)| (packet.clone(), bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn packet(sequence_number: u16, size: usize) -> rtp::Packet {
        let header = rtp::Header { version: 2, ssrc: 1, sequence_number, payload_type: 96, ..Default::default() };
        rtp::Packet { header, payload: vec![sequence_number as u8; size].into() }
    }

    fn stream(rtx: Option<(u32, u8)>) -> LocalStream {
        LocalStream {
            class: Class::Video,
            extension: Some(3),
            history: Some(RetransmissionHistory::new()),
            protection: Protection::new(),
            rtx,
            rtx_sequence_number: 7,
            sequence_number: None,
        }
    }

    #[test]
    fn with_retransmission_agreed_on_the_original_number_leads_the_payload() {
        let again = stream(Some((9, 97))).again(&packet(258, 3), &[]);
        assert_eq!((again.header.ssrc, again.header.payload_type, again.header.sequence_number), (9, 97, 8));
        assert_eq!(&again.payload[..], [1, 2, 2, 2, 2]);
        let again = stream(Some((9, 97))).again(&packet(258, 3), &[(107, 106), (99, 96)]);
        assert_eq!(again.header.payload_type, 99);
        assert_eq!(stream(None).again(&packet(258, 3), &[]), packet(258, 3));
    }

    #[test]
    fn padding_is_a_recent_packet_of_about_the_size_wanted() {
        let mut stream = stream(Some((9, 97)));
        assert!(stream.padding(500).is_none(), "nothing was sent yet");
        let history = stream.history.as_mut().unwrap();
        for (number, size) in [(1, 100), (2, 600), (3, 1_200)] {
            history.on_sent(Instant::now(), number, packet(number, size), size as u32);
        }
        assert_eq!(stream.padding(500).unwrap().0.header.sequence_number, 2);
        assert_eq!(stream.padding(5_000).unwrap().1, 1_200);
        stream.rtx = None;
        assert!(stream.padding(500).is_none());
    }
}
