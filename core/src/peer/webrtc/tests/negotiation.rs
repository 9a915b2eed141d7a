use super::support::*;
use crate::call::ConnectionState;
use crate::media::video::codec::VideoCodec;
use crate::peer::webrtc::WebrtcPeers;
use crate::peer::{DataError, PEER_EVENTS, PeerError, PeerEvent, PeerFactory};
use crate::signaling::message::{IceCandidate, IceServer, SdpType, SessionDescription};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::mpsc;

async fn sees_a_picture(from: &Peer, to: &mut Peer) {
    let sent = picture(3_000, 9);
    assert!(from.send(VideoCodec::Vp8, &sent));
    // The track is told of when its first packet comes.
    assert_eq!(next_picture(&mut to.video_track().await.0).await, sent);
}

fn setup_of(sdp: &str) -> &str {
    sdp.lines().find_map(|l| l.strip_prefix("a=setup:")).unwrap()
}

#[tokio::test]
async fn sound_and_video_are_numbered_for_transport_wide_feedback() {
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap();
    let answer = b.connection.answer(offer.clone(), false).await.unwrap();
    for sdp in [&offer.sdp, &answer.sdp] {
        for kind in ["m=audio", "m=video"] {
            let section = &sdp[sdp.find(kind).unwrap()..];
            let section = &section[..section[1..].find("m=").map_or(section.len(), |end| end + 1)];
            assert!(section.contains("transport-wide-cc-extensions-01"), "{section}");
            assert!(section.contains("transport-cc\r\n"), "{section}");
        }
    }
    close([a, b]).await;
}

#[tokio::test]
async fn candidates_wait_for_their_description() {
    let mut a = Peer::new(config(true)).await;
    let mut b = Peer::new(config(false)).await;
    {
        let offer = a.connection.offer(false);
        tokio::pin!(offer);
        // Polled by hand, so that whatever was told before the description would be seen.
        let description = std::future::poll_fn(|context| {
            let ready = offer.as_mut().poll(context);
            if ready.is_pending() {
                assert!(a.events.is_empty(), "told before the description");
            }
            ready
        })
        .await
        .unwrap();
        b.connection.answer(description, false).await.unwrap();
    }
    assert!(!a.candidates().await.is_empty());
    assert!(!b.candidates().await.is_empty());
    close([a, b]).await;
}

#[tokio::test]
async fn candidates_that_come_before_the_description_are_used() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap();
    for candidate in a.candidates().await {
        b.connection.add_candidate(Some(candidate)).await.unwrap();
    }
    let answer = b.connection.answer(offer, false).await.unwrap();
    a.connection.apply_answer(answer).await.unwrap();
    b.connected().await;
    a.connected().await;
    close([a, b]).await;
}

#[tokio::test]
async fn when_the_callee_offers_later_the_dtls_roles_stay_and_media_goes_on() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    sees_a_picture(&a, &mut b).await;
    let offer = b.connection.offer(false).await.unwrap();
    let answer = a.connection.answer(offer, false).await.unwrap();
    assert_eq!(setup_of(&answer.sdp), "passive", "the callee was the DTLS client and stays it");
    b.connection.apply_answer(answer).await.unwrap();
    sees_a_picture(&b, &mut a).await;
    // And the other way round: the caller offers again.
    negotiate(&mut a, &mut b, false).await;
    assert!(a.send(VideoCodec::Vp8, &picture(100, 1)) && b.send(VideoCodec::Vp8, &picture(100, 1)));
    for peer in [&a, &b] {
        assert!(!peer.kept.iter().any(|e| matches!(e, PeerEvent::Connection(ConnectionState::Failed))));
    }
    close([a, b]).await;
}

#[tokio::test]
async fn after_a_hold_by_the_other_side_media_goes_both_ways_again() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    sees_a_picture(&a, &mut b).await;
    let mut hold = b.connection.offer(false).await.unwrap();
    hold.sdp = hold.sdp.replace("a=sendrecv", "a=sendonly");
    let answer = a.connection.answer(hold, false).await.unwrap();
    assert!(media(&answer.sdp, "video").contains("a=recvonly"));
    b.connection.apply_answer(answer).await.unwrap();
    assert!(!a.send(VideoCodec::Vp8, &picture(10, 1)), "the other side does not want to receive");
    negotiate(&mut b, &mut a, false).await;
    assert!(a.send(VideoCodec::Vp8, &picture(10, 1)));
    sees_a_picture(&b, &mut a).await;
    close([a, b]).await;
}

#[tokio::test]
async fn of_two_offers_at_once_one_is_rolled_back_and_the_call_connects() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(true)).await);
    let (offer, lost) = (a.connection.offer(false).await.unwrap(), b.connection.offer(false).await.unwrap());
    let refused = a.connection.answer(lost, false).await;
    assert!(matches!(refused, Err(PeerError::Negotiation(_))), "not without being asked to roll back");
    let answer = b.connection.answer(offer, true).await.unwrap();
    a.connection.apply_answer(answer).await.unwrap();
    // Those of the offer that lost are told as well and do no harm.
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    sees_a_picture(&a, &mut b).await;
    sees_a_picture(&b, &mut a).await;
    close([a, b]).await;
}

#[tokio::test]
async fn an_ice_restart_by_either_side_keeps_media_going() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    let mut at_b = b.video_track_after(&a).await;
    let mut at_a = a.video_track_after(&b).await;
    negotiate(&mut a, &mut b, true).await;
    exchange_candidates(&mut a, &mut b).await;
    until_a_picture_passes(&a, &mut at_b).await;
    negotiate(&mut b, &mut a, true).await;
    exchange_candidates(&mut b, &mut a).await;
    until_a_picture_passes(&b, &mut at_a).await;
    close([a, b]).await;
}

impl Peer {
    async fn video_track_after(&mut self, other: &Peer) -> mpsc::Receiver<crate::media::rtp::RtpPacket> {
        other.send(VideoCodec::Vp8, &picture(10, 0));
        let mut packets = self.video_track().await.0;
        next_picture(&mut packets).await;
        packets
    }
}

/// While ICE restarts, packets may be lost: sends until one arrives.
async fn until_a_picture_passes(from: &Peer, to: &mut mpsc::Receiver<crate::media::rtp::RtpPacket>) {
    while to.try_recv().is_ok() {}
    let attempt = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            tokio::select! {
                _ = pace.tick() => { from.send(VideoCodec::Vp8, &picture(50, 5)); }
                packet = to.recv() => return assert!(packet.is_some()),
            }
        }
    };
    tokio::time::timeout(PATIENCE, attempt).await.expect("no picture after the restart");
}

#[tokio::test]
async fn without_a_relay_a_relay_only_connection_is_refused() {
    let mut relay_only = config(true);
    relay_only.relay_only = true;
    let server =
        |url: &str| IceServer { urls: vec![url.into()], username: Some("u".into()), credential: Some("p".into()) };
    for servers in [vec![], vec![server("stun:127.0.0.1:9")], vec![server("turns:127.0.0.1:9?transport=udp")]] {
        relay_only.ice_servers = servers;
        let (sender, _events) = mpsc::channel(PEER_EVENTS);
        assert!(matches!(WebrtcPeers.create(relay_only.clone(), sender).await, Err(PeerError::Setup(_))));
    }
}

#[tokio::test]
async fn relay_only_with_a_dead_relay_gathers_nothing() {
    let mut caller = config(true);
    caller.relay_only = true;
    caller.ice_servers = vec![IceServer {
        urls: vec!["turn:127.0.0.1:9?transport=udp".into()],
        username: Some("u".into()),
        credential: Some("p".into()),
    }];
    let (mut a, mut b) = (Peer::new(caller).await, Peer::new(config(false)).await);
    negotiate(&mut a, &mut b, false).await;
    for candidate in b.candidates().await {
        a.connection.add_candidate(Some(candidate)).await.unwrap();
    }
    let told = tokio::time::timeout(
        Duration::from_millis(700),
        a.wait("host candidate", |event| match event {
            PeerEvent::Candidate(Some(_)) | PeerEvent::Connection(ConnectionState::Connected) => Ok(()),
            other => Err(other),
        }),
    );
    assert!(told.await.is_err(), "a candidate that is no relay's, or a connection without one");
    close([a, b]).await;
}

/// `b` answers an offer of `a` that was changed on the way.
async fn answer_to(change: impl Fn(String) -> String) -> (Peer, Peer, Result<SessionDescription, PeerError>) {
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap();
    let answer = b.connection.answer(SessionDescription::offer(change(offer.sdp)), false).await;
    (a, b, answer)
}

fn media<'a>(sdp: &'a str, kind: &str) -> &'a str {
    let at = sdp.find(&format!("m={kind}")).unwrap();
    let end = sdp[at + 2..].find("\r\nm=").map_or(sdp.len(), |n| at + 2 + n + 2);
    &sdp[at..end]
}

#[tokio::test]
async fn the_answer_uses_the_payload_types_of_the_offer() {
    let (a, mut b, answer) = answer_to(|sdp| {
        let video = media(&sdp, "video");
        let renumbered = [("96", "120"), ("97", "121"), ("106", "122"), ("107", "123")].iter().fold(
            video.to_owned(),
            |text, (old, new)| {
                text.replace(&format!(":{old} "), &format!(":{new} "))
                    .replace(&format!("apt={old}"), &format!("apt={new}"))
                    .replace(&format!("SAVPF {old}"), &format!("SAVPF {new}"))
                    .replacen(&format!(" {old}"), &format!(" {new}"), 1)
            },
        );
        sdp.replace(video, &renumbered)
    })
    .await;
    let sdp = answer.unwrap().sdp;
    assert!(media(&sdp, "video").contains("a=rtpmap:120 VP8/90000"), "{sdp}");
    assert!(media(&sdp, "video").contains("a=rtpmap:122 H264/90000"), "{sdp}");
    assert_eq!(b.agreed_codec().await, VideoCodec::Vp8);
    close([a, b]).await;
}

#[tokio::test]
async fn an_offer_that_only_wants_to_receive_is_sent_to() {
    let (mut a, mut b, answer) = answer_to(|sdp| sdp.replace("a=sendrecv", "a=recvonly")).await;
    let answer = answer.unwrap();
    assert!(media(&answer.sdp, "video").contains("a=sendonly"));
    a.connection.apply_answer(answer).await.unwrap();
    exchange_candidates(&mut a, &mut b).await;
    b.connected().await;
    a.connected().await;
    assert!(b.send_sound(0));
    assert_eq!(&a.audio_track().await.recv().await.unwrap().payload[..], b"opus");
    sees_a_picture(&b, &mut a).await;
    close([a, b]).await;
}

#[tokio::test]
async fn of_an_offer_with_unknown_video_codecs_the_sound_is_taken() {
    let (a, b, answer) = answer_to(|sdp| sdp.replace(" VP8/", " VP99/").replace(" H264/", " H299/")).await;
    let sdp = answer.unwrap().sdp;
    assert!(media(&sdp, "audio").contains("opus"));
    assert!(!sdp.contains("VP8") && !sdp.contains("H264"), "{sdp}");
    assert!(!b.send(VideoCodec::Vp8, &picture(10, 1)));
    close([a, b]).await;
}

#[tokio::test]
async fn a_description_of_the_wrong_kind_is_refused() {
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = a.connection.offer(false).await.unwrap();
    for kind in [SdpType::Answer, SdpType::Pranswer, SdpType::Rollback] {
        let wrong = SessionDescription { kind, sdp: offer.sdp.clone() };
        assert!(matches!(b.connection.answer(wrong, false).await, Err(PeerError::Negotiation(_))));
    }
    assert!(matches!(a.connection.apply_answer(offer.clone()).await, Err(PeerError::Negotiation(_))));
    let early = SessionDescription::answer(offer.sdp.clone());
    assert!(matches!(b.connection.apply_answer(early).await, Err(PeerError::Negotiation(_))));
    let answer = b.connection.answer(offer, false).await.unwrap();
    a.connection.apply_answer(answer).await.unwrap();
    close([a, b]).await;
}

#[tokio::test]
async fn after_the_close_nothing_is_told_and_nothing_works() {
    let (mut a, b) = connect(config(true), config(false)).await;
    while a.events.try_recv().is_ok() {}
    a.connection.close().await;
    a.connection.close().await;
    assert!(a.events.recv().await.is_none(), "the channel is closed, with nothing in it");
    assert!(!a.send(VideoCodec::Vp8, &picture(10, 1)));
    assert_eq!(a.connection.send_data(Bytes::from_static(b"x")), Err(DataError::NotOpen));
    assert_eq!(a.connection.offer(false).await, Err(PeerError::Closed));
    assert_eq!(a.connection.add_candidate(None).await, Err(PeerError::Closed));
    a.connection.stats().await;
    b.connection.close().await;
}

#[tokio::test]
async fn an_offer_with_video_first_and_only_to_send_is_answered() {
    let (mut a, mut b, answer) = answer_to(|sdp| {
        let (audio, video) = (media(&sdp, "audio").to_owned(), media(&sdp, "video").to_owned());
        let session = &sdp[..sdp.find("m=audio").unwrap()];
        let data = media(&sdp, "application").to_owned();
        let sendonly = |text: String| text.replace("a=sendrecv", "a=sendonly");
        format!("{}{}{}{data}", session.replace("BUNDLE 0 1", "BUNDLE 1 0"), sendonly(video), sendonly(audio))
    })
    .await;
    let sdp = answer.unwrap().sdp;
    assert!(sdp.find("m=video").unwrap() < sdp.find("m=audio").unwrap());
    assert!(media(&sdp, "video").contains("a=recvonly") && media(&sdp, "audio").contains("a=recvonly"), "{sdp}");
    let swapped = a.connection.apply_answer(SessionDescription::answer(sdp)).await;
    assert!(matches!(swapped, Err(PeerError::Negotiation(_))), "the offer had them in another order");
    a.kept.clear();
    b.kept.clear();
    close([a, b]).await;
}

#[tokio::test]
async fn when_the_other_side_goes_without_a_word_it_is_told() {
    let (mut a, b) = connect(config(true), config(false)).await;
    b.connection.close().await;
    let gone = |event| match event {
        PeerEvent::Connection(s @ (ConnectionState::Disconnected | ConnectionState::Failed)) => Ok(s),
        other => Err(other),
    };
    let state = a.wait("loss", gone).await;
    println!("told {state:?}");
    a.connection.close().await;
}

/// Firefox gathers ports for each m-line, all under one ICE user name. Those of m-lines that have joined the transport of another one answer checks,
/// and nothing else.
#[tokio::test]
async fn candidates_of_a_bundled_line_are_not_checked_once_the_transport_has_named_its_own() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let mut offer = a.connection.offer(false).await.unwrap();
    let left = tokio::net::UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let of_left = format!("candidate:7 1 udp 2130706431 127.0.0.1 {} typ host", left.local_addr().unwrap().port());
    offer.sdp = without_candidates(&offer.sdp);
    assert_eq!(
        offer.sdp.lines().rfind(|line| line.starts_with("m=")),
        Some("m=application 9 UDP/DTLS/SCTP webrtc-datachannel")
    );
    let candidate = |sdp_m_line_index| IceCandidate {
        candidate: of_left.clone(),
        sdp_mid: None,
        sdp_m_line_index: Some(sdp_m_line_index),
        username_fragment: None,
    };
    // Before the description, and after it.
    b.connection.add_candidate(Some(candidate(2))).await.unwrap();
    for named in a.candidates().await {
        b.connection.add_candidate(Some(named)).await.unwrap();
    }
    let answer = b.connection.answer(offer, false).await.unwrap();
    b.connection.add_candidate(Some(candidate(1))).await.unwrap();
    a.connection.apply_answer(answer).await.unwrap();
    a.connected().await;
    b.connected().await;
    assert_eq!(left.try_recv(&mut [0; 1500]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    close([a, b]).await;
}

#[tokio::test]
async fn a_peer_that_names_any_line_of_the_bundle_in_its_candidates_is_reached() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let mut offer = a.connection.offer(false).await.unwrap();
    offer.sdp = without_candidates(&offer.sdp);
    let mut answer = b.connection.answer(offer, false).await.unwrap();
    answer.sdp = without_candidates(&answer.sdp);
    a.connection.apply_answer(answer).await.unwrap();
    for mut candidate in b.candidates().await {
        (candidate.sdp_mid, candidate.sdp_m_line_index) = (None, Some(2));
        a.connection.add_candidate(Some(candidate)).await.unwrap();
    }
    a.connected().await;
    b.connected().await;
    close([a, b]).await;
}
