//! What the controller decides, for those who carry it out: pacer, encoders, responder.

use std::time::Duration;

/// What a packet carries. The order is that in which waiting packets leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Sound, sent for the first time or again: never waits behind anything.
    Audio,
    /// Video, sent again (RFC 4588).
    VideoRtx,
    /// Forward error correction of the picture before those that wait.
    Fec,
    /// Video, sent for the first time.
    Video,
    /// Nothing: fills up a probe for bandwidth.
    Padding,
}

/// How this connection is to send, from now until the next plan. Rates are bits per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// What the path is reckoned to carry, headers down to IP included, everything that is sent together.
    pub target_bps: u32,
    /// The pace of everything but sound, on the wire.
    pub pace_bps: u32,
    /// For the microphone's encoder.
    pub audio: AudioPlan,
    /// For the camera's encoder.
    pub video: VideoPlan,
    /// Whether pictures are to be protected by forward error correction (RFC 8854), where the other side takes it.
    pub protected: bool,
    /// What keeps video from being better, as far as the path knows.
    pub limit: PathLimit,
}

/// How sound is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioPlan {
    /// Bits per second of Opus, in-band FEC included, redundant copies (RFC 2198) and headers not.
    pub bitrate_bps: u32,
    /// Sound in one packet: 20, 40 or 60 ms.
    pub frame: Duration,
    /// Earlier frames repeated in each packet (RFC 2198), 0 to 2; 0 where the peer takes none.
    pub redundancy: u8,
    /// What in-band FEC is tuned to: loss before any repair, in percent, 0 to 100.
    pub loss_percent: u8,
    /// Whether silence may go unsent (DTX).
    pub dtx: bool,
}

impl AudioPlan {
    /// What RED (RFC 2198) adds to a packet for each earlier block and for the newest one, in bytes.
    const RED_OVERHEAD: (u32, u32) = (4, 1);

    /// Mean bits per second on the wire while there is sound: payload, repeated payloads, and headers. `overhead` is what a packet has
    /// beside its payload, in bytes: RTP 12, header extensions 8, SRTP tag 10 (HMAC-SHA1-80) or 16 (AES-GCM), UDP 8 and IP 20 or 40 make
    /// 58 to 84; a relay adds 4.
    pub fn wire_bps(&self, overhead: u32) -> u32 {
        let frame_ms = u64::try_from(self.frame.as_millis()).unwrap_or(u64::MAX).max(1);
        let copies = u64::from(self.redundancy);
        let red =
            if copies == 0 { 0 } else { copies * u64::from(Self::RED_OVERHEAD.0) + u64::from(Self::RED_OVERHEAD.1) };
        let payload = u64::from(self.bitrate_bps).saturating_mul(copies + 1);
        let headers = (u64::from(overhead) + red) * 8 * 1000 / frame_ms;
        u32::try_from(payload.saturating_add(headers)).unwrap_or(u32::MAX)
    }
}

/// How video is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoPlan {
    /// For the encoder: bits per second of compressed pictures, headers not included.
    pub bitrate_bps: u32,
    /// Bytes that one keyframe may have, so that it fits through the pacer in time.
    pub keyframe_bytes: u32,
    /// The path carries sound alone: no picture is to be encoded.
    pub suspended: bool,
}

/// What of the path keeps a call from being better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathLimit {
    /// Nothing: all that was asked for is sent.
    #[default]
    None,
    /// The path carries less than was asked for.
    Bandwidth,
    /// Too much is lost on the way.
    Loss,
}

/// What the application would send if the path carried it. Bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Most bits per second of compressed pictures; 0 while no camera sends.
    pub video_bps: u32,
    /// Most bits per second of Opus.
    pub audio_bps: u32,
    /// Whether the other side takes redundant sound (RFC 2198).
    pub redundancy: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_on_the_wire_is_payload_copies_and_headers() {
        let plan = |bitrate_bps, ms, redundancy| AudioPlan {
            bitrate_bps,
            frame: Duration::from_millis(ms),
            redundancy,
            loss_percent: 0,
            dtx: false,
        };
        assert_eq!(plan(32_000, 20, 0).wire_bps(58), 55_200);
        assert_eq!(plan(20_000, 40, 0).wire_bps(58), 31_600);
        assert_eq!(plan(12_000, 60, 0).wire_bps(58), 19_733);
        // 80 bytes of Opus, twice 4 + 80, and 1.
        assert_eq!(plan(32_000, 20, 2).wire_bps(58), (58 + 80 + 2 * 84 + 1) * 400);
        assert_eq!(plan(u32::MAX, 0, 255).wire_bps(58), u32::MAX);
    }
}
