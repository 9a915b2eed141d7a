//! What is offered: Opus and its redundancy (RFC 2198), telephone events (RFC 4733), and VP8 and H.264 each with retransmission (RFC 4588).

use crate::media::video::codec::{VIDEO_CLOCK_RATE, VideoCodec};
use crate::sdp::{
    self, DTMF, DTMF_8K, DTMF_8K_PARAMETERS, DTMF_PARAMETERS, H264_FMTP, Numbers, OPUS, OPUS_FMTP, RED, VideoNumber,
};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_TELEPHONE_EVENT};
use rtc::rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters};

/// Redundant sound (RFC 2198), for which the crate has no name.
const MIME_TYPE_RED: &str = "audio/red";

/// RTP clock rate of Opus (RFC 7587 section 4.1), in Hz.
pub(super) const AUDIO_CLOCK_RATE: u32 = 48_000;
/// That of telephone events where the other side takes no other, in Hz.
pub(super) const OLD_CLOCK_RATE: u32 = 8_000;

/// What is known of sound.
pub(super) fn audio() -> [RTCRtpCodecParameters; 4] {
    [opus(OPUS), red(RED), dtmf(DTMF), dtmf_8k(DTMF_8K)]
}

/// Opus with in-band forward error correction (RFC 7587 section 6.1).
pub(super) fn opus(payload_type: u8) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_OPUS, AUDIO_CLOCK_RATE, 2, OPUS_FMTP, vec![], payload_type)
}

fn red(payload_type: u8) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_RED, AUDIO_CLOCK_RATE, 2, &format!("{OPUS}/{OPUS}"), vec![], payload_type)
}

/// Telephone events (RFC 4733) in the clock of Opus.
fn dtmf(payload_type: u8) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_TELEPHONE_EVENT, AUDIO_CLOCK_RATE, 0, DTMF_PARAMETERS, vec![], payload_type)
}

fn dtmf_8k(payload_type: u8) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_TELEPHONE_EVENT, OLD_CLOCK_RATE, 0, DTMF_8K_PARAMETERS, vec![], payload_type)
}

/// Sound under the numbers of either side.
pub(super) fn audio_as(sides: &[Numbers]) -> Vec<RTCRtpCodecParameters> {
    let mut all = Vec::new();
    for numbers in sides {
        add(&mut all, numbers.opus.map(opus));
        add(&mut all, numbers.red.map(red));
        add(&mut all, numbers.dtmf.map(dtmf));
        add(&mut all, numbers.dtmf_8k.map(dtmf_8k));
    }
    all
}

/// Video under the numbers of either side, with those retransmissions that the crate knows.
pub(super) fn video_as(sides: &[Numbers], known: &[VideoNumber]) -> Vec<RTCRtpCodecParameters> {
    let mut all = Vec::new();
    for number in sides.iter().flat_map(|numbers| &numbers.video) {
        let same = |known: &&VideoNumber| (known.payload_type, known.rtx) == (number.payload_type, number.rtx);
        add(&mut all, Some(video_codec(number.codec, number.payload_type)));
        add(
            &mut all,
            known.iter().find(same).and_then(|known| known.rtx).map(|rtx| retransmission(rtx, number.payload_type)),
        );
    }
    all
}

fn add(all: &mut Vec<RTCRtpCodecParameters>, codec: Option<RTCRtpCodecParameters>) {
    all.extend(codec.filter(|codec| all.iter().all(|other| other.payload_type != codec.payload_type)));
}

/// The codecs, in this order, each followed by its retransmission format.
pub(super) fn video(codecs: &[VideoCodec]) -> Vec<RTCRtpCodecParameters> {
    let mut all = Vec::new();
    for (n, &wanted) in codecs.iter().enumerate() {
        if codecs[..n].contains(&wanted) {
            continue;
        }
        let (main, rtx) = sdp::usual(wanted);
        all.push(video_codec(wanted, main));
        all.push(retransmission(rtx, main));
    }
    all
}

fn video_codec(wanted: VideoCodec, payload_type: u8) -> RTCRtpCodecParameters {
    let fmtp = match wanted {
        VideoCodec::Vp8 => "",
        VideoCodec::H264 => H264_FMTP,
    };
    codec(wanted.mime_type(), VIDEO_CLOCK_RATE, 0, fmtp, video_feedback(), payload_type)
}

fn retransmission(payload_type: u8, original: u8) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_RTX, VIDEO_CLOCK_RATE, 0, &format!("apt={original}"), vec![], payload_type)
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
