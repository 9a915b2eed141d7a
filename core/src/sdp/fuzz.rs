//! What a peer may describe.

use super::{Description, Session};
use crate::media::video::codec::VideoCodec;
use webrtc::peer_connection::RTCSessionDescription;

/// A text as an offer, first and later, and as the answer to an offer of this side's.
pub(crate) fn descriptions(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(description) = Description::read(&text) else { return };
    let fresh = Session::new(&[VideoCodec::Vp8, VideoCodec::H264]);
    // What has nothing that a call could use goes no further.
    if let Some(session) = fresh.offered(&description).ok().filter(|session| !session.plain.is_empty()) {
        answered(&session, &description);
        if let Ok(again) = session.offered(&description) {
            answered(&again, &description);
        }
        let own = for_the_crate(&session);
        let asked = session.offering(&own);
        if let Ok(session) = asked.answered(&description) {
            for_the_crate(&session);
        }
        is_read(&asked.write_offer(&own));
    }
    let asked = fresh.offering(&own_offer());
    if let Ok(session) = asked.answered(&description) {
        for_the_crate(&session);
    }
}

fn answered(session: &Session, offer: &Description) {
    let own = for_the_crate(session);
    let answer = is_read(&session.write_answer(offer, &own));
    assert_eq!(answer.sections.len(), offer.sections.len(), "RFC 3264 section 6");
    for (_, candidate) in session.candidates(offer) {
        assert!(!candidate.contains(['\r', '\n']));
    }
}

/// What the crate is given it takes. What it would answer has the same sections.
fn for_the_crate(session: &Session) -> Description {
    let plain = session.plain(2);
    if let Err(error) = RTCSessionDescription::offer(plain.clone()) {
        panic!("{error}: {plain}");
    }
    is_read(&plain)
}

fn is_read(text: &str) -> Description {
    Description::read(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// As the crate writes it: sound, video, data.
fn own_offer() -> Description {
    let transport = format!("a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 {}\r\n", ["0A"; 32].join(":"));
    let section = |line: &str, rest: &str| format!("m={line}\r\nc=IN IP4 0.0.0.0\r\n{transport}{rest}");
    let audio = section("audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0\r\na=rtpmap:111 opus/48000/2\r\n");
    let video = section("video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1\r\na=rtpmap:96 VP8/90000\r\n");
    let data = section("application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:2\r\na=sctp-port:5000\r\n");
    is_read(&format!("v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n{audio}{video}{data}"))
}
