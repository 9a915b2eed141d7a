//! The description of the other side that the crate gets: a section for each kind that the call has ever had, in the order in which they
//! came, both ways, with every codec of this side. What is held, stopped or renamed at the other side's end does not show in it.

use super::formats::{self, Numbers};
use super::session::{Kind, Media, Session, TRANSPORT_CC};
use crate::media::video::codec::VideoCodec;
use std::fmt::Write;

/// What everybody uses (RFC 8841 section 5), and more than is ever sent in one message.
const SCTP_PORT: u16 = 5_000;
const MAX_MESSAGE_SIZE: u32 = 262_144;

/// The crate tells formats apart by names and parameters alone, not by their clocks.
pub(crate) const DTMF_PARAMETERS: &str = "rate=48000";
pub(crate) const DTMF_8K_PARAMETERS: &str = "rate=8000";

impl Session {
    /// What the other side has described, for the crate. `version` has to be another one each time.
    pub(crate) fn plain(&self, version: u64) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_plain(&mut text, version);
        text
    }

    /// The payload types under which the crate is to know what goes out and comes in: those agreed on, and others for the rest.
    pub(crate) fn plain_numbers(&self) -> Numbers {
        self.send.completed(&self.codecs)
    }

    fn write_plain(&self, text: &mut String, version: u64) -> std::fmt::Result {
        write!(text, "v=0\r\no=- 1 {version} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE")?;
        for (_, mid) in &self.plain {
            write!(text, " {mid}")?;
        }
        write!(text, "\r\na=fingerprint:sha-256 {}\r\na=ice-options:trickle\r\n", self.remote.fingerprint)?;
        if self.remote.ice_lite {
            text.push_str("a=ice-lite\r\n");
        }
        let numbers = self.plain_numbers();
        for (kind, mid) in &self.plain {
            match kind {
                Kind::Audio => audio(text, &self.audio, &numbers)?,
                Kind::Video => video(text, &self.video, &numbers)?,
                Kind::Data => data(text, self.sctp_port.unwrap_or(SCTP_PORT))?,
            }
            let is_role = |role: &&str| ["active", "passive"].contains(role);
            let setup = self.remote.setup.as_deref().filter(is_role).unwrap_or("actpass");
            let (ufrag, pwd) = (&self.remote.ufrag, &self.remote.pwd);
            write!(text, "a=mid:{mid}\r\na=setup:{setup}\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\na=sendrecv\r\n")?;
        }
        Ok(())
    }
}

fn data(text: &mut String, port: u16) -> std::fmt::Result {
    text.push_str("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n");
    write!(text, "a=sctp-port:{port}\r\na=max-message-size:{MAX_MESSAGE_SIZE}\r\n")
}

fn audio(text: &mut String, media: &Media, numbers: &Numbers) -> std::fmt::Result {
    let (Some(opus), Some(red)) = (numbers.opus, numbers.red) else { return Ok(()) };
    let (Some(dtmf), Some(dtmf_8k)) = (numbers.dtmf, numbers.dtmf_8k) else { return Ok(()) };
    write!(text, "m=audio 9 UDP/TLS/RTP/SAVPF {opus} {red} {dtmf} {dtmf_8k}\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n")?;
    write!(text, "a=rtpmap:{opus} opus/48000/2\r\na=fmtp:{opus} {}\r\n", formats::OPUS_FMTP)?;
    // The crate does not look into it; it only has to be what was registered.
    write!(text, "a=rtpmap:{red} red/48000/2\r\na=fmtp:{red} {0}/{0}\r\n", formats::OPUS)?;
    for (number, rate, parameters) in [(dtmf, 48_000, DTMF_PARAMETERS), (dtmf_8k, 8_000, DTMF_8K_PARAMETERS)] {
        write!(text, "a=rtpmap:{number} telephone-event/{rate}\r\na=fmtp:{number} {parameters}\r\n")?;
    }
    feedback(text, media, &[opus, red])?;
    stream(text, media, Kind::Audio)
}

fn video(text: &mut String, media: &Media, numbers: &Numbers) -> std::fmt::Result {
    text.push_str("m=video 9 UDP/TLS/RTP/SAVPF");
    for number in &numbers.video {
        write!(text, " {}", number.payload_type)?;
        if let Some(rtx) = number.rtx {
            write!(text, " {rtx}")?;
        }
    }
    text.push_str("\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
    for number in &numbers.video {
        let main = number.payload_type;
        write!(text, "a=rtpmap:{main} {}/90000\r\n", formats::name(number.codec))?;
        if number.codec == VideoCodec::H264 {
            write!(text, "a=fmtp:{main} {}\r\n", formats::H264_FMTP)?;
        }
        if let Some(rtx) = number.rtx {
            write!(text, "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={main}\r\n")?;
        }
        feedback(text, media, &[main])?;
    }
    stream(text, media, Kind::Video)
}

fn feedback(text: &mut String, media: &Media, numbers: &[u8]) -> std::fmt::Result {
    for number in numbers {
        for kind in &media.feedback {
            write!(text, "a=rtcp-fb:{number} {kind}\r\n")?;
        }
    }
    Ok(())
}

/// What arrives. Each stream is a track of its own, so that one which takes the place of another is told of.
fn stream(text: &mut String, media: &Media, kind: Kind) -> std::fmt::Result {
    if let Some(id) = media.transport_cc {
        write!(text, "a=extmap:{id} {TRANSPORT_CC}\r\n")?;
    }
    let Some(source) = media.source.filter(|_| media.receive.is_some()) else { return Ok(()) };
    let (ssrc, name) = (source.ssrc, kind.as_str());
    write!(text, "a=msid:remote {name}-{ssrc}\r\n")?;
    if let Some(rtx) = source.rtx {
        write!(text, "a=ssrc-group:FID {ssrc} {rtx}\r\n")?;
    }
    for ssrc in [Some(ssrc), source.rtx].into_iter().flatten() {
        write!(text, "a=ssrc:{ssrc} cname:remote\r\n")?;
    }
    Ok(())
}
