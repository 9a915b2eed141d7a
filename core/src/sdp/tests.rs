use super::*;
use crate::media::video::codec::VideoCodec;

const BOTH: [VideoCodec; 2] = [VideoCodec::Vp8, VideoCodec::H264];
const HEAD: &str = "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

fn fingerprint() -> String {
    format!("a=fingerprint:sha-256 {}\r\n", ["0A"; 32].join(":"))
}

fn transport() -> String {
    format!("a=ice-ufrag:u\r\na=ice-pwd:p\r\n{}", fingerprint())
}

fn section(line: &str, attributes: &[&str]) -> String {
    let attributes: String = attributes.iter().map(|attribute| format!("a={attribute}\r\n")).collect();
    format!("m={line}\r\nc=IN IP4 0.0.0.0\r\n{}{attributes}", transport())
}

fn audio(mid: &str) -> String {
    section("audio 9 UDP/TLS/RTP/SAVPF 111", &[&format!("mid:{mid}"), "rtpmap:111 opus/48000/2", "ssrc:1 cname:x"])
}

fn video(formats: &str, attributes: &[&str]) -> String {
    section(&format!("video 9 UDP/TLS/RTP/SAVPF {formats}"), attributes)
}

fn session(offer: &str) -> Session {
    Session::new(&BOTH).offered(&Description::read(offer).unwrap()).unwrap()
}

/// What the crate would answer, as far as it is read.
fn own() -> Description {
    Description::read(&format!("{HEAD}{}{}", audio("0"), video("96", &["mid:1", "ssrc:5 cname:y"]))).unwrap()
}

fn answer(offer: &str) -> String {
    session(offer).write_answer(&Description::read(offer).unwrap(), &own())
}

fn lines<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(prefix)).collect()
}

#[test]
fn forward_error_correction_is_offered_and_used_where_both_sides_know_it() {
    let plain = video("96 118", &["mid:1", "rtpmap:96 VP8/90000", "rtpmap:118 ulpfec/90000"]);
    let fec = plain.replace("ulpfec", "FlexFEC-03");
    let with = format!("{HEAD}{}{fec}", audio("0"));
    let without = format!("{HEAD}{}{plain}", audio("0"));
    assert_eq!(lines(&answer(&with), "m=video"), ["m=video 9 UDP/TLS/RTP/SAVPF 96 118"]);
    let written = ["a=rtpmap:118 flexfec-03/90000", "a=fmtp:118 repair-window=10000000"];
    assert!(written.iter().all(|line| answer(&with).contains(line)));
    assert_eq!(session(&with).send.flexfec, Some(118));
    assert_eq!(lines(&answer(&without), "m=video"), ["m=video 9 UDP/TLS/RTP/SAVPF 96"]);
    assert_eq!(session(&without).send.flexfec, None);
    let asked = Session::new(&BOTH).offering(&own());
    assert!(written.iter().all(|line| asked.write_offer(&own()).contains(line)));
    let answered = |text: &str| asked.answered(&Description::read(text).unwrap()).unwrap().send.flexfec;
    assert_eq!((answered(&with), answered(&without)), (Some(118), None));
    let alone = format!("{HEAD}{}{}", audio("0"), fec.replace("VP8", "AV1"));
    assert_eq!(session(&alone).send.flexfec, None, "nothing to protect");
}

#[test]
fn what_cannot_be_understood_is_refused_by_its_reason() {
    let good = format!("{HEAD}{}", audio("0"));
    for (text, error) in [
        (String::new(), SdpError::NoVersion),
        (HEAD.to_owned(), SdpError::NoSections),
        (good.replace("audio 9", "audio"), SdpError::BadMediaLine),
        (format!("{good}{}", audio("0")), SdpError::DuplicateMid),
        (format!("{HEAD}{}", "m=audio 9 x 0\r\n".repeat(65)), SdpError::TooManySections),
        ("v=0\r\n".repeat(20_000), SdpError::TooLong),
    ] {
        assert_eq!(Description::read(&text).unwrap_err(), error);
    }
    for (text, error) in [
        (good.replace("a=ice-pwd", "a=x"), SdpError::NoCredentials),
        (good.replace("a=fingerprint", "a=x"), SdpError::NoFingerprint),
        (good.replace("sha-256", "sha-512"), SdpError::UnsupportedFingerprint),
        (good.replace("0A:0A", "0A"), SdpError::UnsupportedFingerprint),
    ] {
        assert_eq!(Session::new(&BOTH).offered(&Description::read(&text).unwrap()).unwrap_err(), error, "{text}");
    }
}

#[test]
fn the_answer_has_the_codecs_of_the_offer_in_its_order() {
    let h264 = "packetization-mode=1;profile-level-id";
    for (formats, attributes, expected) in [
        ("96 97", vec!["rtpmap:96 VP8/90000".into(), "rtpmap:97 rtx/90000".into(), "fmtp:97 apt=96".into()], "96 97"),
        (
            "100 96",
            vec!["rtpmap:96 VP8/90000".into(), "rtpmap:100 H264/90000".into(), format!("fmtp:100 {h264}=42e01f")],
            "100 96",
        ),
        // Of several formats of H.264 that which everybody has.
        (
            "98 99",
            vec![
                "rtpmap:98 H264/90000".into(),
                format!("fmtp:98 {h264}=640c1f"),
                "rtpmap:99 H264/90000".into(),
                format!("fmtp:99 {h264}=42e034"),
            ],
            "99",
        ),
        ("98", vec!["rtpmap:98 H264/90000".into(), format!("fmtp:98 {h264}=640c34")], "98"),
        // Single NAL unit mode, AV1 and numbers that mean nothing.
        (
            "98 45 96 300 x",
            vec!["rtpmap:98 H264/90000".into(), "rtpmap:45 AV1/90000".into(), "rtpmap:96 vp8/90000".into()],
            "96",
        ),
    ] {
        let attributes: Vec<&str> = attributes.iter().map(String::as_str).collect();
        let offer = format!("{HEAD}{}", video(formats, &[&["mid:v"], &attributes[..]].concat()));
        assert_eq!(lines(&answer(&offer), "m="), [format!("m=video 9 UDP/TLS/RTP/SAVPF {expected}")]);
    }
    let offer = format!("{HEAD}{}", video("98", &["mid:v", "rtpmap:98 H264/90000", &format!("fmtp:98 {h264}=640c34")]));
    assert!(answer(&offer).contains("profile-level-id=640c1f"), "the profile of the offer at our level");
}

#[test]
fn what_has_no_codec_in_common_is_refused_and_said() {
    let offer = format!("{HEAD}{}{}", audio("a"), video("45", &["mid:v", "rtpmap:45 AV1/90000"]));
    assert!(session(&offer).video.no_common_codec && !session(&offer).audio.no_common_codec);
    assert_eq!(lines(&answer(&offer), "m="), ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=video 0 UDP/TLS/RTP/SAVPF 45"]);
}

#[test]
fn sections_of_other_transports_are_refused() {
    let group = "a=group:BUNDLE v\r\n";
    let video = video("96", &["mid:v", "rtpmap:96 VP8/90000"]);
    let apart = video.replace("ufrag:u", "ufrag:other");
    for (offer, ports) in [
        (format!("{HEAD}{group}{}{video}", audio("a")), [0, 9]),
        (format!("{HEAD}{}{apart}", audio("a")), [9, 0]),
        // On the same transport without saying so.
        (format!("{HEAD}{}{video}", audio("a")), [9, 9]),
        (format!("{HEAD}{group}{}{}", audio("a").replace("a=mid:a\r\n", ""), video), [0, 9]),
    ] {
        let answer = answer(&offer);
        let found: Vec<u32> =
            lines(&answer, "m=").iter().map(|l| l.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(found, ports, "{offer}");
    }
}

#[test]
fn a_port_of_zero_is_a_refusal_unless_it_is_one_of_the_bundle() {
    let group = "a=group:BUNDLE a v\r\n";
    let zero =
        |more: &[&str]| video("96", &[&["mid:v", "rtpmap:96 VP8/90000"], more].concat()).replace("video 9", "video 0");
    for (more, used) in [(&[][..], false), (&["bundle-only"], true)] {
        let offer = format!("{HEAD}{group}{}{}", audio("a"), zero(more));
        assert_eq!(session(&offer).has(Kind::Video), used);
        assert_eq!(lines(&answer(&offer), "a=group"), [if used { "a=group:BUNDLE a v" } else { "a=group:BUNDLE a" }]);
    }
}

#[test]
fn the_transport_is_that_of_the_first_section_of_the_bundle_that_goes_on() {
    let stopped = audio("a").replace("audio 9", "audio 0").replace("ufrag:u", "ufrag:old");
    let offer = format!("{HEAD}a=group:BUNDLE v\r\n{stopped}{}", video("96", &["mid:v", "rtpmap:96 VP8/90000"]));
    let plain = session(&offer).plain(1);
    assert!(plain.contains("a=ice-ufrag:u\r\n") && !plain.contains("old"), "{plain}");
}

#[test]
fn the_bundle_belongs_to_its_first_section_until_that_is_stopped_while_another_goes_on() {
    let read = |group: &str, ports: [u16; 2]| {
        let sections = [("audio", "a"), ("video", "v")].into_iter().zip(ports);
        let sections: String = sections
            .map(|((kind, mid), port)| format!("m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n"))
            .collect();
        Description::read(&format!("{HEAD}a=group:BUNDLE{group}\r\n{sections}")).unwrap()
    };
    assert_eq!(read(" a v", [9, 9]).bundle_owner(), Some("a"));
    assert_eq!(read(" v a", [9, 9]).bundle_owner(), Some("v"), "the order of the group counts");
    assert_eq!(read(" a v", [0, 9]).bundle_owner(), Some("v"));
    assert_eq!(read("", [0, 0]).bundle_owner(), None);
    for (group, ports, mid, without) in [
        (" v", [0, 9], "a", true),
        (" a", [9, 0], "a", false),
        (" a v", [9, 9], "a", false),
        ("", [0, 0], "a", false),
        (" a v", [9, 9], "stopped before", true),
    ] {
        assert_eq!(read(group, ports).goes_on_without(mid), without, "{group} {ports:?}");
    }
    let bundled = Description::read(&format!(
        "{HEAD}a=group:BUNDLE a\r\n{}",
        audio("a").replace("audio 9", "audio 0") + "a=bundle-only\r\n"
    ));
    assert_eq!(bundled.unwrap().bundle_owner(), Some("a"), "it takes part though its port is 0");
}

#[test]
fn a_direction_of_the_session_counts_where_a_section_has_none() {
    let offer =
        format!("{HEAD}a=recvonly\r\n{}{}", audio("a"), video("96", &["mid:v", "rtpmap:96 VP8/90000", "sendrecv"]));
    assert_eq!(lines(&answer(&format!("{offer}a=x\r\n")), "a=send"), ["a=sendonly", "a=sendrecv"]);
    let silent = offer.replace("a=recvonly\r\n", "");
    assert_eq!(lines(&answer(&silent), "a=send"), ["a=sendrecv", "a=sendrecv"]);
}

#[test]
fn the_crate_sees_the_same_sections_whatever_the_peer_renames_or_stops() {
    let first = session(&format!("{HEAD}{}{}", audio("a"), video("96", &["mid:v", "rtpmap:96 VP8/90000"])));
    let renamed = format!(
        "{HEAD}{}{}{}",
        audio("a").replace("audio 9", "audio 0"),
        video("96", &["mid:w", "rtpmap:96 VP8/90000", "ssrc:9 cname:x"]),
        audio("b"),
    );
    let second = first.offered(&Description::read(&renamed).unwrap()).unwrap();
    let names =
        |session: &Session| lines(&session.plain(1), "m=").iter().map(|l| l[..7].to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    assert!(second.plain(2).contains("a=ssrc:9 "));
    let everything_stopped = renamed.replace("audio 9", "audio 0").replace("video 9", "video 0");
    let third = second.offered(&Description::read(&everything_stopped).unwrap()).unwrap();
    assert_eq!(names(&third), names(&second));
    assert!(!third.sends(Kind::Audio) && !third.sends(Kind::Video));
}

#[test]
fn of_layers_one_is_taken_and_none_is_answered() {
    let layers = [
        "mid:v",
        "rtpmap:96 VP8/90000",
        "rid:h send",
        "rid:l send",
        "simulcast:send h;l",
        "ssrc-group:SIM 5 6 7",
        "ssrc:5 cname:x",
        "ssrc:6 cname:x",
        "ssrc:7 cname:x",
    ];
    let offer = format!("{HEAD}{}", video("96", &layers));
    assert_eq!(session(&offer).video.source.map(|source| source.ssrc), Some(5));
    assert!(!answer(&offer).contains("rid") && !answer(&offer).contains("simulcast"));
}

#[test]
fn a_stream_that_no_description_told_of_stays_known_until_one_does() {
    let offer = format!("{HEAD}{}", video("96", &["mid:v", "rtpmap:96 VP8/90000"]));
    let learnt = session(&offer).with_source(Kind::Video, 4).unwrap();
    assert!(learnt.with_source(Kind::Video, 4).is_none() && learnt.with_source(Kind::Audio, 4).is_none());
    let later = learnt.offered(&Description::read(&offer).unwrap()).unwrap();
    assert!(later.plain(1).contains("a=ssrc:4 "));
    let told = later.offered(&Description::read(&format!("{offer}a=ssrc:8 cname:x\r\n")).unwrap()).unwrap();
    assert!(told.plain(1).contains("a=ssrc:8 ") && !told.plain(1).contains("a=ssrc:4 "));
}

#[test]
fn numbers_never_collide() {
    let offer = format!(
        "{HEAD}{}{}",
        audio("a").replace("111", "96"),
        video("106 111", &["mid:v", "rtpmap:106 VP8/90000", "rtpmap:111 rtx/90000", "fmtp:111 apt=106"])
    );
    let numbers = session(&offer).plain_numbers();
    let mut all: Vec<u8> = numbers
        .video
        .iter()
        .flat_map(|n| [Some(n.payload_type), n.rtx])
        .chain([numbers.opus, numbers.red])
        .flatten()
        .collect();
    assert_eq!((numbers.opus, numbers.video[0].payload_type, all.len()), (Some(96), 106, 6));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}
