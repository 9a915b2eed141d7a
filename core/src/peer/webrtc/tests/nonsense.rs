use super::support::*;
use crate::media::video::codec::VideoCodec;
use crate::peer::PeerError;
use crate::signaling::message::{IceCandidate, SessionDescription};

fn nonsense(good: &str) -> Vec<String> {
    let without = |prefix: &str| good.lines().filter(|l| !l.starts_with(prefix)).map(|l| format!("{l}\r\n")).collect();
    let noise = |seed: u32| -> String {
        let mut x = seed;
        let next = move |_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from((x >> 24) as u8 & 0x7f)
        };
        (0..64 * 1024).map(next).collect()
    };
    let mut all = vec![
        String::new(),
        "v=0".into(),
        "hello".into(),
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n".into(),
        noise(1),
        format!("v=0\r\n{}", &noise(2)[..60_000]),
        good.repeat(40),
        without("a=fingerprint"),
        without("a=ice-ufrag"),
        without("a=ice-pwd"),
        without("m="),
        good.replace("m=audio 9", "m=audio x"),
        good.replace("a=mid:1", "a=mid:0"),
        good.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        good.replace("a=fingerprint:", "a=fingerprint:sha-256 zz "),
        good.replace("a=fingerprint:sha-256 ", "a=fingerprint:"),
        good.replace("a=rtpmap:", "a=rtpmap:x"),
        good.replace("UDP/TLS", "\u{fe0f}"),
    ];
    // Every cut through the text.
    all.extend((1..good.len()).step_by(97).map(|n| good[..n].to_owned()));
    all
}

/// Whatever happens, the connection still closes in order, and it says what went wrong.
#[tokio::test]
async fn nonsense_for_an_offer_leaves_the_connection_usable() {
    let a = Peer::new(config(true)).await;
    let b = Peer::new(config(false)).await;
    let good = a.connection.offer(false).await.unwrap();
    let mut refused = 0;
    for sdp in nonsense(&good.sdp) {
        match b.connection.answer(SessionDescription::offer(sdp), false).await {
            Ok(_) => {}
            Err(PeerError::Negotiation(_) | PeerError::NoCommonCodec) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 18);
    close([a, b]).await;
}

#[tokio::test]
async fn nonsense_in_a_call_leaves_what_was_agreed() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    let good = b.connection.offer(false).await.unwrap();
    let nonsense: Vec<String> = nonsense(&good.sdp).into_iter().take(15).collect();
    for sdp in nonsense {
        assert!(a.connection.answer(SessionDescription::offer(sdp.clone()), false).await.is_err(), "{sdp}");
        assert!(b.connection.apply_answer(SessionDescription::answer(sdp)).await.is_err());
    }
    let answer = a.connection.answer(good, false).await.unwrap();
    b.connection.apply_answer(answer).await.unwrap();
    let sent = picture(3_000, 1);
    assert!(a.send(VideoCodec::Vp8, &sent) && b.send(VideoCodec::Vp8, &sent));
    assert_eq!(next_picture(&mut b.video_track().await.0).await, sent);
    assert_eq!(next_picture(&mut a.video_track().await.0).await, sent);
    close([a, b]).await;
}

#[tokio::test]
async fn a_refused_first_offer_does_not_spoil_the_next() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap();
    // The crate finds this one out only after it has changed its state.
    let bad = offer.sdp.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256");
    assert!(b.connection.answer(SessionDescription::offer(bad), false).await.is_err());
    let answer = b.connection.answer(offer, false).await.unwrap();
    a.connection.apply_answer(answer).await.unwrap();
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    let sent = picture(3_000, 1);
    assert!(b.send(VideoCodec::Vp8, &sent));
    assert_eq!(next_picture(&mut a.video_track().await.0).await, sent);
    close([a, b]).await;
}

#[tokio::test]
async fn an_offer_of_a_data_channel_alone_is_answered() {
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let sdp = a.connection.offer(false).await.unwrap().sdp;
    let (session, media) = sdp.split_at(sdp.find("m=audio").unwrap());
    let data = &media[media.find("m=application").unwrap()..];
    let group = session.lines().find(|l| l.starts_with("a=group")).unwrap();
    let mid = data.lines().find_map(|l| l.strip_prefix("a=mid:")).unwrap();
    let alone = format!("{}{data}", session.replace(group, &format!("a=group:BUNDLE {mid}")));
    let answer = b.connection.answer(SessionDescription::offer(alone), false).await.unwrap();
    assert!(answer.sdp.contains("m=application") && !answer.sdp.contains("m=audio"));
    assert!(!b.send(VideoCodec::Vp8, &picture(10, 1)));
    close([a, b]).await;
}

#[tokio::test]
async fn of_very_many_candidates_few_are_checked() {
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap().sdp;
    let candidate = |n: u16| format!("candidate:1 1 udp 1 127.0.0.1 {} typ host", 20_000 + n);
    let within: String = (0..20).map(|n| format!("a={}\r\n", candidate(n))).collect();
    let offer = offer.replacen("a=sendrecv\r\n", &format!("a=sendrecv\r\n{within}"), 1);
    b.connection.answer(SessionDescription::offer(offer), false).await.unwrap();
    let mut taken = 0;
    for n in 0..300 {
        let candidate = IceCandidate {
            candidate: candidate(n),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: None,
            username_fragment: None,
        };
        taken += usize::from(b.connection.add_candidate(Some(candidate)).await.is_ok());
    }
    // Those that came again are no more than they were.
    assert_eq!(taken, 20 + 12);
    close([a, b]).await;
}

#[tokio::test]
async fn bad_candidates_are_refused_and_odd_ones_do_no_harm() {
    let (a, b) = connect(config(true), config(false)).await;
    let candidate = |text: &str| IceCandidate {
        candidate: text.into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    let add = |c: IceCandidate| a.connection.add_candidate(Some(c));
    for bad in [
        "nonsense",
        "candidate:",
        "candidate:1 1 udp x 1.2.3.4 5 typ host",
        "candidate:1 1 udp 1 1.2.3.4 99999 typ host",
    ] {
        assert!(matches!(add(candidate(bad)).await, Err(PeerError::Candidate(_))), "{bad}");
    }
    assert!(matches!(add(candidate(&"x".repeat(100_000))).await, Err(PeerError::Candidate(_))));
    let good = "candidate:1 1 udp 2130706431 10.255.255.1 9 typ host";
    for (mid, index) in [(Some("nine"), Some(0)), (None, Some(9))] {
        let unknown = IceCandidate { sdp_mid: mid.map(Into::into), sdp_m_line_index: index, ..candidate(good) };
        assert!(matches!(add(unknown).await, Err(PeerError::Candidate(_))));
    }
    for odd in [
        good,
        "candidate:1 1 udp 2130706431 fd00::1 9 typ host",
        "candidate:1 1 tcp 2105458943 10.255.255.1 9 typ host tcptype active",
        "candidate:1 1 udp 2130706431 3b6f2c1e-0000-4000-8000-000000000000.local 9 typ host",
        "candidate:1 1 udp 1 10.255.255.1 9 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999",
        "",
    ] {
        add(candidate(odd)).await.unwrap_or_else(|e| panic!("{odd}: {e}"));
    }
    a.connection.add_candidate(None).await.unwrap();
    assert!(a.send(VideoCodec::Vp8, &picture(10, 1)));
    close([a, b]).await;
}
