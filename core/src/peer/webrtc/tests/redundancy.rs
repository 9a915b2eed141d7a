//! Redundant sound (RED, RFC 2198): what is offered, answered and sent.

use super::support::*;
use crate::media::audio::{AudioPacket, EarlierBlock, red};
use crate::peer::PeerEvent;
use crate::signaling::message::SessionDescription;
use bytes::Bytes;

const OFFERED: [&str; 2] = ["a=rtpmap:63 red/48000/2\r\n", "a=fmtp:63 111/111\r\n"];

fn redundant(timestamp: u32) -> AudioPacket {
    let earlier = vec![EarlierBlock { offset: 960, payload: Bytes::from_static(b"earlier") }];
    AudioPacket { timestamp, payload: Bytes::from_static(b"newest"), earlier }
}

fn without_red(sdp: &str) -> String {
    OFFERED.iter().fold(sdp.replace("SAVPF 111 63", "SAVPF 111"), |sdp, line| sdp.replace(line, ""))
}

async fn told(peer: &mut Peer) -> bool {
    peer.wait("redundancy", |event| match event {
        PeerEvent::AudioRedundancy(taken) => Ok(taken),
        other => Err(other),
    })
    .await
}

/// Connects with offer and answer changed on the way.
async fn connect_with(offer: impl Fn(&str) -> String, answer: impl Fn(&str) -> String) -> (Peer, Peer, String) {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offered = SessionDescription::offer(offer(&a.connection.offer(false).await.unwrap().sdp));
    let answered = b.connection.answer(offered, false).await.unwrap().sdp;
    a.connection.apply_answer(SessionDescription::answer(answer(&answered))).await.unwrap();
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    (a, b, answered)
}

/// Sends a packet that repeats another, and tells the payload types it can come under and what came.
async fn heard(from: &Peer, to: &mut Peer) -> (Option<u8>, u8, Bytes) {
    assert!(from.connection.send_audio(redundant(960)));
    let (mut packets, red) = to.audio_track_and_red().await;
    let packet = packets.recv().await.unwrap();
    (red, packet.payload_type, packet.payload)
}

#[tokio::test]
async fn between_two_of_us_packets_that_repeat_others_go_out_in_red_and_others_as_opus() {
    let (mut a, mut b, answer) = connect_with(str::to_owned, str::to_owned).await;
    assert!(answer.contains("SAVPF 111 63"), "Opus comes first: {answer}");
    assert!(OFFERED.iter().all(|line| answer.contains(line)), "{answer}");
    assert!(!answer.contains(":110 "), "{answer}");
    assert!(told(&mut a).await && told(&mut b).await);
    let packed = red::pack(&redundant(960), 111, 1200).unwrap();
    assert_eq!(heard(&a, &mut b).await, (Some(63), 63, packed.clone()));
    assert_eq!(heard(&b, &mut a).await, (Some(63), 63, packed));
    close([a, b]).await;

    let (a, mut b, _) = connect_with(str::to_owned, str::to_owned).await;
    assert!(a.send_sound(0));
    let (mut packets, _) = b.audio_track_and_red().await;
    assert_eq!(packets.recv().await.unwrap().payload_type, 111);
    // From packet to packet, on one track and with numbers that follow.
    assert!(a.connection.send_audio(redundant(960)) && a.send_sound(1920));
    let (second, third) = (packets.recv().await.unwrap(), packets.recv().await.unwrap());
    assert_eq!((second.payload_type, third.payload_type), (63, 111));
    assert_eq!(third.sequence_number.wrapping_sub(second.sequence_number), 1);
    close([a, b]).await;
}

#[tokio::test]
async fn who_does_not_know_red_gets_plain_opus() {
    // As the callee of one that does not offer it, and as the caller of one that does not answer with it.
    let (mut a, mut b, answer) = connect_with(without_red, str::to_owned).await;
    assert!(!answer.contains("red/48000"), "{answer}");
    assert_eq!(heard(&b, &mut a).await.1, 111);
    assert_eq!(heard(&a, &mut b).await.1, 111);
    close([a, b]).await;
    let (a, mut b, _) = connect_with(str::to_owned, without_red).await;
    assert_eq!(heard(&a, &mut b).await, (Some(63), 111, Bytes::from_static(b"newest")));
    assert!(!a.kept.iter().any(|event| matches!(event, PeerEvent::AudioRedundancy(_))));
    b.kept.clear();
    close([a, b]).await;
}

#[tokio::test]
async fn the_answer_keeps_the_numbers_and_parameters_of_the_offer() {
    let renumber = |sdp: &str| {
        sdp.replace("SAVPF 111 63", "SAVPF 109 121")
            .replace(":111 ", ":109 ")
            .replace(":63 ", ":121 ")
            .replace("111/111", "109/109")
            .replace("useinbandfec=1", "useinbandfec=0")
    };
    let (a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offer = SessionDescription::offer(renumber(&a.connection.offer(false).await.unwrap().sdp));
    let answer = b.connection.answer(offer, false).await.unwrap().sdp;
    // Opus with other parameters than ours is Opus all the same.
    for line in ["a=rtpmap:109 opus/48000/2\r\n", "a=rtpmap:121 red/48000/2\r\n", "a=fmtp:121 109/109\r\n"] {
        assert!(answer.contains(line), "{answer}");
    }
    assert!(told(&mut b).await);
    close([a, b]).await;
}

#[tokio::test]
async fn red_of_something_else_than_opus_is_not_sent() {
    for blocks in ["111/96", "8/8", "111", "x", ""] {
        let (a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
        let offer = a.connection.offer(false).await.unwrap().sdp.replace("111/111", blocks);
        b.connection.answer(SessionDescription::offer(offer), false).await.unwrap();
        let expected = blocks == "111";
        let told = b.events.try_recv().is_ok_and(|event| matches!(event, PeerEvent::AudioRedundancy(true)));
        b.kept.clear();
        assert!(expected || !told, "{blocks}");
        close([a, b]).await;
    }
}
