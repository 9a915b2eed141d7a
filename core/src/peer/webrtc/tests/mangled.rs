//! Descriptions as other implementations write them, and as they are written when a call has been through something.

use super::support::*;
use crate::call::ConnectionState;
use crate::media::video::codec::VideoCodec;
use crate::peer::{PeerError, PeerEvent};
use crate::signaling::message::SessionDescription;
use std::time::Duration;

type Change = fn(&str) -> String;

fn without(sdp: &str, prefixes: &[&str]) -> String {
    let kept = |line: &&str| !prefixes.iter().any(|prefix| line.starts_with(prefix));
    sdp.lines().filter(kept).map(|line| format!("{line}\r\n")).collect()
}

fn as_it_is(sdp: &str) -> String {
    sdp.to_owned()
}

/// What an implementation may do to a description without changing what it means.
const WAYS: [(&str, Change); 14] = [
    ("no direction", |sdp| without(sdp, &["a=sendrecv"])),
    ("hash and digits in the other case", |sdp| {
        let lower = |line: &str| match line.strip_prefix("a=fingerprint:") {
            Some(value) => format!("a=fingerprint:SHA-256 {}\r\n", value.split(' ').nth(1).unwrap().to_lowercase()),
            None => format!("{line}\r\n"),
        };
        sdp.lines().map(lower).collect()
    }),
    ("several hashes", |sdp| {
        let sha512 = ["AB"; 64].join(":");
        sdp.replacen(
            "a=fingerprint",
            &format!("a=fingerprint:sha-512 {sha512}\r\na=fingerprint:sha-1 AB:CD\r\na=fingerprint"),
            1,
        )
    }),
    ("candidates that nobody understands", |sdp| {
        let odd = [
            "a=candidate:nonsense",
            "a=candidate:1 1 udp 1 fe80::1%eth0 9 typ host",
            "a=candidate:1 1 ssltcp 1 10.255.255.1 443 typ host",
            "a=candidate:1 1 udp 1 host.example 9 typ host",
            "a=candidate:1 1 udp 1 10.255.255.1 9 typ pigeon",
        ];
        sdp.replace("a=sendrecv\r\n", &format!("a=sendrecv\r\n{}\r\n", odd.join("\r\n")))
    }),
    ("no sources", |sdp| without(sdp, &["a=ssrc"])),
    ("no stream identifiers", |sdp| {
        let ssrc = |line: &str| if line.contains(" msid:") { String::new() } else { format!("{line}\r\n") };
        without(sdp, &["a=msid"]).lines().map(ssrc).collect()
    }),
    ("neither", |sdp| without(sdp, &["a=ssrc", "a=msid"])),
    ("LF", |sdp| sdp.replace("\r\n", "\n")),
    ("no mid", |sdp| without(sdp, &["a=mid"])),
    ("no mid and no group", |sdp| without(sdp, &["a=mid", "a=group"])),
    ("mid in packets but not their extension", |sdp| without(sdp, &["a=extmap:1 urn", "a=extmap:2 urn", "a=ssrc"])),
    ("layers", |sdp| {
        let layers = "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n";
        let video = sdp.find("m=video").unwrap();
        let (before, video) = sdp.split_at(video);
        format!(
            "{before}{}",
            without(&video.replacen("a=sendrecv\r\n", &format!("a=sendrecv\r\n{layers}"), 1), &["a=ssrc"])
        )
    }),
    ("transport in every section", |sdp| {
        let fingerprint = sdp.lines().find(|line| line.starts_with("a=fingerprint")).unwrap();
        let rest = without(sdp, &["a=fingerprint"]);
        rest.replace("a=setup:", &format!("{fingerprint}\r\na=setup:"))
    }),
    ("ports of a bundle", |sdp| {
        sdp.replace("m=video 9 ", "m=video 0 ").replace("a=mid:1\r\n", "a=mid:1\r\na=bundle-only\r\n")
    }),
];

/// Connects with offer and answer changed on the way, candidates apart.
async fn connect_with(offer: Change, answer: Change) -> (Peer, Peer) {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    agree(&a, &b, offer, answer).await;
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    (a, b)
}

async fn agree(a: &Peer, b: &Peer, offer: impl Fn(&str) -> String, answer: impl Fn(&str) -> String) -> String {
    let offered = offer(&a.connection.offer(false).await.unwrap().sdp);
    let answered = b.connection.answer(SessionDescription::offer(offered), false).await.unwrap().sdp;
    a.connection.apply_answer(SessionDescription::answer(answer(&answered))).await.unwrap();
    answered
}

/// Sends until something comes: the first packets may come before it is known what they are.
async fn sees_and_hears(from: &Peer, to: &mut Peer, what: &str) {
    let sending = async {
        for n in 0u32.. {
            from.send(VideoCodec::Vp8, &picture(200, 3));
            from.send_sound(n * 960);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let arriving = async {
        let (mut packets, _) = to.video_track().await;
        assert_eq!(next_picture(&mut packets).await, picture(200, 3), "{what}");
        assert_eq!(&to.audio_track().await.recv().await.unwrap().payload[..], b"opus", "{what}");
    };
    tokio::select! {
        () = sending => {}
        () = arriving => {}
    }
}

#[tokio::test]
async fn every_way_to_write_an_offer_is_understood() {
    for (what, way) in WAYS {
        println!("{what}");
        let (mut a, mut b) = connect_with(way, as_it_is).await;
        sees_and_hears(&a, &mut b, what).await;
        sees_and_hears(&b, &mut a, what).await;
        // And later: the other side offers the same way, when media goes on.
        agree(&b, &a, way, as_it_is).await;
        assert!(b.send(VideoCodec::Vp8, &picture(10, 1)) && b.send_sound(0), "{what}");
        close([a, b]).await;
    }
}

#[tokio::test]
async fn every_way_to_write_an_answer_is_understood() {
    for (what, way) in WAYS {
        println!("{what}");
        let (mut a, mut b) = connect_with(as_it_is, way).await;
        sees_and_hears(&a, &mut b, what).await;
        sees_and_hears(&b, &mut a, what).await;
        agree(&b, &a, as_it_is, way).await;
        assert!(a.send(VideoCodec::Vp8, &picture(10, 1)) && a.send_sound(0), "{what}");
        close([a, b]).await;
    }
}

#[tokio::test]
async fn who_offers_to_begin_the_handshake_is_answered_with_passive() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let answer = agree(&a, &b, |sdp| sdp.replace("a=setup:actpass", "a=setup:active"), as_it_is).await;
    assert!(answer.contains("a=setup:passive") && !answer.contains("a=setup:active"), "{answer}");
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    sees_and_hears(&b, &mut a, "active").await;
    close([a, b]).await;
}

#[tokio::test]
async fn stopped_sections_keep_their_place_and_harm_nobody() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let refused = "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:gone\r\na=inactive\r\n";
    let unknown = "m=text 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=mid:t\r\na=rtpmap:98 t140/1000\r\n";
    let more = |sdp: &str| sdp.replacen("m=audio 9", &format!("{refused}{unknown}m=audio 9"), 1);
    let less = |sdp: &str| {
        let begin = sdp.find("m=audio 0").unwrap();
        let end = sdp.find("m=audio 9").unwrap();
        assert!(sdp[begin..end].contains("m=text 0") && sdp[begin..end].contains("a=mid:t"), "{sdp}");
        format!("{}{}", &sdp[..begin], &sdp[end..])
    };
    agree(&a, &b, more, less).await;
    // What stands in the first section is no candidate's: those of the answer name one that goes on.
    for candidate in b.candidates().await {
        assert_eq!((candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index), (Some("0"), Some(2)));
        a.connection.add_candidate(Some(candidate)).await.unwrap();
    }
    a.connected().await;
    sees_and_hears(&a, &mut b, "stopped").await;
    // An own offer has them, too.
    let offer = b.connection.offer(false).await.unwrap();
    assert!(offer.sdp.contains("m=audio 0") && offer.sdp.contains("m=text 0"), "{}", offer.sdp);
    let less_of_offer = less(&offer.sdp);
    let answer = a.connection.answer(SessionDescription::offer(less_of_offer), false).await.unwrap();
    b.connection
        .apply_answer(SessionDescription::answer(more(&answer.sdp).replace("m=text 9", "m=text 0")))
        .await
        .unwrap();
    sees_and_hears(&b, &mut a, "stopped").await;
    close([a, b]).await;
}

/// What the other side offers is given to one side only: the other goes on as it was.
#[tokio::test]
async fn when_a_section_is_stopped_the_other_goes_on_and_it_can_come_back_under_another_name() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    sees_and_hears(&a, &mut b, "before").await;
    sees_and_hears(&b, &mut a, "before").await;
    let good = b.connection.offer(false).await.unwrap().sdp;
    for (kind, mid, group, new) in
        [("audio", "a=mid:0", "BUNDLE 0 1 2", "BUNDLE new 1 2"), ("video", "a=mid:1", "1 2", "new 2")]
    {
        let sends = |a: &Peer| (a.send_sound(0), a.send(VideoCodec::Vp8, &picture(10, 1)));
        let stopped =
            good.replace(&format!("m={kind} 9"), &format!("m={kind} 0")).replace(group, &new.replace("new ", ""));
        let answer = a.connection.answer(SessionDescription::offer(stopped), false).await.unwrap().sdp;
        assert!(answer.contains(&format!("m={kind} 0")), "{answer}");
        assert_eq!(sends(&a), (kind == "video", kind == "audio"));
        let renamed = good.replace(mid, "a=mid:new").replace(group, new);
        let answer = a.connection.answer(SessionDescription::offer(renamed), false).await.unwrap().sdp;
        assert!(
            answer.contains("a=mid:new") && answer.contains(new) && !answer.contains(&format!("m={kind} 0")),
            "{answer}"
        );
        assert_eq!(sends(&a), (true, true));
        // What comes from there goes on to arrive.
        assert!(b.send(VideoCodec::Vp8, &picture(10, 1)) && b.send_sound(0));
    }
    close([a, b]).await;
}

#[tokio::test]
async fn of_two_videos_the_newer_is_received_and_the_other_is_not_asked_for() {
    let (a, mut b) = connect(config(true), config(false)).await;
    sees_and_hears(&a, &mut b, "one").await;
    let screen = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:s\r\na=rtpmap:96 VP8/90000\r\na=sendonly\r\na=ssrc:77 cname:x\r\n";
    let more = |sdp: &str| format!("{}{screen}", sdp.replace("BUNDLE 0 1 2", "BUNDLE 0 1 2 s"));
    let less = |sdp: &str| sdp[..sdp.rfind("m=video").unwrap()].to_owned();
    let answer = agree(&a, &b, more, less).await;
    let (first, second) = (answer.find("a=mid:1").unwrap(), answer.find("a=mid:s").unwrap());
    assert!(answer[first..second].contains("a=sendonly"), "{answer}");
    assert!(answer[second..].contains("a=recvonly"), "{answer}");
    assert!(b.send(VideoCodec::Vp8, &picture(10, 1)), "this side's goes on");
    // The screen is taken away.
    agree(&a, &b, as_it_is, as_it_is).await;
    assert!(a.send(VideoCodec::Vp8, &picture(10, 1)) && b.send(VideoCodec::Vp8, &picture(10, 1)));
    close([a, b]).await;
}

#[tokio::test]
async fn a_certificate_that_is_not_the_described_one_is_told_of_within_three_seconds() {
    for forged_offer in [true, false] {
        let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
        let forge = |sdp: &str| {
            let value = sdp.lines().find_map(|line| line.strip_prefix("a=fingerprint:sha-256 ")).unwrap();
            sdp.replace(value, &["AB"; 32].join(":"))
        };
        let begin = std::time::Instant::now();
        if forged_offer {
            agree(&a, &b, forge, as_it_is).await;
        } else {
            agree(&a, &b, as_it_is, forge).await;
        }
        exchange_candidates(&mut a, &mut b).await;
        let deceived = if forged_offer { &mut b } else { &mut a };
        deceived
            .wait("failure", |event| match event {
                PeerEvent::HandshakeFailed => Ok(()),
                other => Err(other),
            })
            .await;
        println!("told after {:?}", begin.elapsed());
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
        a.kept.append(&mut b.kept);
        assert!(!a.kept.iter().any(|event| matches!(event, PeerEvent::Connection(ConnectionState::Connected))));
        a.kept.clear();
        close([a, b]).await;
    }
}

#[tokio::test]
async fn without_a_codec_in_common_there_is_no_call_and_a_reason() {
    let strange = |sdp: &str| sdp.replace("opus/", "speex/").replace("VP8/", "VP99/").replace("H264/", "H299/");
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap();
    let refused = b.connection.answer(SessionDescription::offer(strange(&offer.sdp)), false).await;
    assert_eq!(refused, Err(PeerError::NoCommonCodec));
    let nothing = offer.sdp.replace("m=audio 9", "m=audio 0").replace("m=video 9", "m=video 0");
    let refused = a.connection.apply_answer(SessionDescription::answer(nothing)).await;
    assert_eq!(refused, Err(PeerError::NoCommonCodec));
    close([a, b]).await;
}
