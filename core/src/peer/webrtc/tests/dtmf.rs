//! Telephone events (RFC 4733): what is offered, answered, sent and told.

use super::support::*;
use crate::media::dtmf::{DtmfError, DtmfTone, DtmfTones};
use crate::peer::PeerEvent;
use crate::signaling::message::SessionDescription;
use std::time::Duration;

fn tones(keys: &str) -> DtmfTones {
    DtmfTones::new(keys, Duration::from_millis(40), Duration::from_millis(30)).unwrap()
}

async fn told(peer: &mut Peer, count: usize) -> String {
    let mut keys = String::new();
    for _ in 0..count {
        let tone = peer.wait("tone", |event| match event {
            PeerEvent::Dtmf(tone) => Ok(tone),
            other => Err(other),
        });
        keys.push(DtmfTone::key(tone.await));
    }
    keys
}

/// Connects with the offer changed on its way; the answer.
async fn connect_with(offer: impl Fn(&str) -> String) -> (Peer, Peer, String) {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let offered = SessionDescription::offer(offer(&a.connection.offer(false).await.unwrap().sdp));
    let answered = b.connection.answer(offered, false).await.unwrap();
    a.connection.apply_answer(answered.clone()).await.unwrap();
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    (a, b, answered.sdp)
}

/// The description without the lines that have this.
fn without(sdp: &str, text: &str) -> String {
    sdp.lines().filter(|line| !line.contains(text)).map(|line| format!("{line}\r\n")).collect()
}

#[tokio::test]
async fn tones_go_both_ways_with_and_without_sound_and_the_sound_after_them_comes() {
    let (mut a, mut b, answer) = connect_with(str::to_owned).await;
    assert!(answer.contains("a=rtpmap:101 telephone-event/48000\r\na=fmtp:101 0-15\r\n"), "{answer}");
    assert!(!answer.contains("telephone-event/8000"), "one is enough: {answer}");
    assert!(a.send_sound(960));
    let mut sound = b.audio_track().await;
    assert_eq!(&sound.recv().await.unwrap().payload[..], b"opus");
    a.connection.send_dtmf(&tones("12#")).unwrap();
    b.connection.send_dtmf(&tones("0*D")).unwrap();
    assert_eq!((told(&mut b, 3).await, told(&mut a, 3).await), ("12#".into(), "0*D".into()));
    let mut packets = 0;
    // What was a tone comes as padding, so that it does not look like a loss; then sound again.
    let next = loop {
        assert!(a.send_sound(480_000 + 960 * packets));
        packets += 1;
        let packet = tokio::time::timeout(PATIENCE, sound.recv()).await.unwrap().unwrap();
        if !packet.payload.is_empty() {
            break packet;
        }
    };
    assert_eq!(&next.payload[..], b"opus");
    close([a, b]).await;
}

#[tokio::test]
async fn where_only_the_old_clock_is_offered_it_is_taken_and_where_none_is_tones_are_refused() {
    let (a, mut b, answer) = connect_with(|sdp| without(sdp, ":101 ").replace(" 101 126", " 126")).await;
    assert!(
        answer.contains("a=rtpmap:126 telephone-event/8000\r\n") && !answer.contains("/48000\r\na=fmtp:101"),
        "{answer}"
    );
    a.connection.send_dtmf(&tones("9")).unwrap();
    assert_eq!(told(&mut b, 1).await, "9");
    close([a, b]).await;

    let neither = |sdp: &str| without(&without(sdp, ":101 "), ":126 ").replace(" 101 126", "");
    let (a, b, answer) = connect_with(neither).await;
    assert!(!answer.contains("telephone-event"), "{answer}");
    for peer in [&a, &b] {
        assert_eq!(peer.connection.send_dtmf(&tones("9")), Err(DtmfError::NotAgreed));
    }
    close([a, b]).await;
}

#[tokio::test]
async fn before_the_call_is_connected_there_are_no_tones_and_beyond_a_number_none_wait() {
    let a = Peer::new(config(true)).await;
    assert_eq!(a.connection.send_dtmf(&tones("1")), Err(DtmfError::NotAgreed));
    let (c, d) = connect(config(true), config(false)).await;
    let sent = (0..1_000).find_map(|_| c.connection.send_dtmf(&tones("1234567890")).err());
    assert_eq!(sent, Some(DtmfError::TooMany));
    close([c, d]).await;
    a.connection.close().await;
}
