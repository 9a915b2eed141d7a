//! What is offered: Opus and its redundancy (RFC 2198), and VP8 and H.264 each with retransmission (RFC 4588).

use crate::media::video::codec::{VIDEO_CLOCK_RATE, VideoCodec};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX};
use rtc::rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters};

/// Payload types of the offers made here. An answer uses those of the offer it answers.
const OPUS: u8 = 111;
const RED: u8 = 63;
/// Of an entry that is never offered: see [`audio`].
const ANY_OPUS: u8 = 110;
const VP8: (u8, u8) = (96, 97);
const H264: (u8, u8) = (106, 107);

/// Redundant sound (RFC 2198), for which the crate has no name.
pub(super) const MIME_TYPE_RED: &str = "audio/red";

/// RTP clock rate of Opus (RFC 7587 section 4.1), in Hz.
pub(super) const AUDIO_CLOCK_RATE: u32 = 48_000;

/// Constrained baseline (RFC 7742 section 6.2), packetization mode 1 (RFC 6184 section 5.4). Level 3.1 is the floor of
/// RFC 7742; `level-asymmetry-allowed` lets each side send more if the other takes more.
const H264_FMTP: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

/// Opus with in-band forward error correction (RFC 7587 section 6.1).
pub(super) fn opus() -> RTCRtpCodecParameters {
    codec(MIME_TYPE_OPUS, AUDIO_CLOCK_RATE, 2, "minptime=10;useinbandfec=1", vec![], OPUS)
}

/// What is known of sound: Opus before RED, so that browsers, which take both, send plain Opus. Of an offer the crate takes the
/// formats whose parameters contradict none of ours, and if there are any, only these: beside RED, Opus with other parameters
/// would be left out. Hence the Opus without any.
pub(super) fn audio() -> [RTCRtpCodecParameters; 3] {
    let any_opus = codec(MIME_TYPE_OPUS, AUDIO_CLOCK_RATE, 2, "", vec![], ANY_OPUS);
    let red = codec(MIME_TYPE_RED, AUDIO_CLOCK_RATE, 2, &format!("{OPUS}/{OPUS}"), vec![], RED);
    [opus(), any_opus, red]
}

/// The payload type under which a sender may send this kind of sound.
pub(super) fn audio_payload_type(negotiated: &[RTCRtpCodecParameters], mime_type: &str) -> Option<u8> {
    negotiated.iter().find(|c| c.rtp_codec.mime_type.eq_ignore_ascii_case(mime_type)).map(|c| c.payload_type)
}

/// The codecs, in this order, each followed by its retransmission format.
pub(super) fn video(codecs: &[VideoCodec]) -> Vec<RTCRtpCodecParameters> {
    let mut all = Vec::new();
    for (n, &wanted) in codecs.iter().enumerate() {
        if codecs[..n].contains(&wanted) {
            continue;
        }
        let (fmtp, (main, rtx)) = match wanted {
            VideoCodec::Vp8 => ("", VP8),
            VideoCodec::H264 => (H264_FMTP, H264),
        };
        all.push(codec(wanted.mime_type(), VIDEO_CLOCK_RATE, 0, fmtp, video_feedback(), main));
        all.push(codec(MIME_TYPE_RTX, VIDEO_CLOCK_RATE, 0, &format!("apt={main}"), vec![], rtx));
    }
    all
}

/// Puts negotiated codecs into the order of `wanted`, each followed by its retransmission format; the payload types stay
/// those that were negotiated. What is not wanted is left out.
pub(super) fn reorder(negotiated: &[RTCRtpCodecParameters], wanted: &[VideoCodec]) -> Vec<RTCRtpCodecParameters> {
    let mut ordered: Vec<RTCRtpCodecParameters> = Vec::new();
    for &codec in wanted {
        let Some(main) = find(negotiated, codec) else { continue };
        if ordered.iter().any(|c| c.payload_type == main.payload_type) {
            continue;
        }
        let apt = format!("apt={}", main.payload_type);
        ordered.push(main.clone());
        let is_rtx = |c: &&RTCRtpCodecParameters| {
            c.rtp_codec.mime_type.eq_ignore_ascii_case(MIME_TYPE_RTX) && c.rtp_codec.sdp_fmtp_line == apt
        };
        ordered.extend(negotiated.iter().find(is_rtx).cloned());
    }
    ordered
}

/// The first of the negotiated formats that is this codec.
pub(super) fn find(negotiated: &[RTCRtpCodecParameters], codec: VideoCodec) -> Option<&RTCRtpCodecParameters> {
    negotiated.iter().find(|c| c.rtp_codec.mime_type.eq_ignore_ascii_case(codec.mime_type()))
}

fn codec(
    mime: &str,
    rate: u32,
    channels: u16,
    fmtp: &str,
    feedback: Vec<RTCPFeedback>,
    pt: u8,
) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: mime.to_owned(),
            clock_rate: rate,
            channels,
            sdp_fmtp_line: fmtp.to_owned(),
            rtcp_feedback: feedback,
        },
        payload_type: pt,
    }
}

/// FIR (RFC 5104), NACK and PLI (RFC 4585). Transport-wide feedback is added together with its header extension.
fn video_feedback() -> Vec<RTCPFeedback> {
    [("ccm", "fir"), ("nack", ""), ("nack", "pli")]
        .map(|(kind, parameter)| RTCPFeedback { typ: kind.to_owned(), parameter: parameter.to_owned() })
        .into()
}
