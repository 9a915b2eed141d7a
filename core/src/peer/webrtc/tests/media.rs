use super::support::*;
use crate::media::video::codec::VideoCodec;
use crate::peer::{DataError, PeerEvent};
use crate::signaling::message::SessionDescription;
use bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[tokio::test]
async fn pictures_and_sound_arrive_both_ways_with_vp8() {
    let begin = Instant::now();
    let (mut a, mut b) = connect(config(true), config(false)).await;
    println!("set up in {:?}", begin.elapsed());
    assert_eq!(a.agreed_codec().await, VideoCodec::Vp8);
    assert_eq!(b.agreed_codec().await, VideoCodec::Vp8);
    let sent = picture(5_000, 7);
    assert!(a.send(VideoCodec::Vp8, &sent) && b.send(VideoCodec::Vp8, &sent));
    assert!(!a.send(VideoCodec::H264, &access_unit(10)), "not the codec agreed on");
    for n in 0..3 {
        assert!(a.send_sound(n * 960));
        assert!(b.send_sound(n * 960));
    }
    for peer in [&mut a, &mut b] {
        let (mut packets, types) = peer.video_track().await;
        assert_eq!(types.iter().map(|t| t.1).collect::<Vec<_>>(), [VideoCodec::Vp8, VideoCodec::H264]);
        assert_eq!(next_picture(&mut packets).await, sent);
        let mut sound = peer.audio_track().await;
        let (first, second) = (sound.recv().await.unwrap(), sound.recv().await.unwrap());
        assert_eq!(&first.payload[..], b"opus");
        assert!(first.marker && !second.marker, "a talkspurt begins once");
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 960);
    }
    close([a, b]).await;
}

#[tokio::test]
async fn the_first_codec_of_the_offer_is_used_whatever_the_answerer_prefers() {
    let (mut caller, callee) = (config(true), config(false));
    caller.video_codecs = vec![VideoCodec::H264, VideoCodec::Vp8];
    let (mut a, mut b) = connect(caller, callee).await;
    for peer in [&mut a, &mut b] {
        assert_eq!(peer.agreed_codec().await, VideoCodec::H264);
        assert!(peer.send(VideoCodec::H264, &access_unit(4_000)));
    }
    for peer in [&mut a, &mut b] {
        let (mut packets, types) = peer.video_track().await;
        let mut received = 0;
        loop {
            let packet = packets.recv().await.unwrap();
            assert!(types.contains(&(packet.payload_type, VideoCodec::H264)));
            assert!(packet.payload.len() <= 1_200);
            received += packet.payload.len();
            if packet.marker {
                break;
            }
        }
        assert!(received > 4_000);
    }
    close([a, b]).await;
}

/// Who has one codec only, as phones with the codec of their system, talks to everybody who has it, whichever that one prefers.
#[tokio::test]
async fn one_codec_in_common_is_enough() {
    let all = [VideoCodec::Vp8, VideoCodec::H264];
    for (codec, other) in [(VideoCodec::Vp8, VideoCodec::H264), (VideoCodec::H264, VideoCodec::Vp8)] {
        for order in [vec![codec, other], vec![other, codec], vec![codec]] {
            for only_caller in [true, false] {
                let (mut caller, mut callee) = (config(true), config(false));
                let (one, many) = if only_caller { (&mut caller, &mut callee) } else { (&mut callee, &mut caller) };
                one.video_codecs = vec![codec];
                many.video_codecs.clone_from(&order);
                let (mut a, mut b) = connect(caller, callee).await;
                for peer in [&mut a, &mut b] {
                    assert_eq!(peer.agreed_codec().await, codec, "{order:?}");
                    assert!(peer.send(codec, &access_unit(500)));
                }
                for peer in [&mut a, &mut b] {
                    let (mut packets, types) = peer.video_track().await;
                    assert!(types.contains(&(packets.recv().await.unwrap().payload_type, codec)));
                    assert!(types.iter().all(|of| all.contains(&of.1)));
                }
                close([a, b]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_later_description_changes_the_codec() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    assert_eq!((a.agreed_codec().await, b.agreed_codec().await), (VideoCodec::Vp8, VideoCodec::Vp8));
    assert!(a.send(VideoCodec::Vp8, &picture(100, 1)));
    let (mut packets, types) = b.video_track().await;
    packets.recv().await.unwrap();
    let without_vp8 = |sdp: &str| sdp.replace("SAVPF 96 97 106 107", "SAVPF 106 107").replace(" VP8/", " VP99/");
    let offer = without_vp8(&b.connection.offer(false).await.unwrap().sdp);
    let answer = a.connection.answer(SessionDescription::offer(offer), false).await.unwrap();
    b.connection.apply_answer(answer).await.unwrap();
    assert_eq!((a.agreed_codec().await, b.agreed_codec().await), (VideoCodec::H264, VideoCodec::H264));
    assert!(a.send(VideoCodec::H264, &access_unit(100)));
    assert!(types.contains(&(packets.recv().await.unwrap().payload_type, VideoCodec::H264)));
    close([a, b]).await;
}

#[tokio::test]
async fn a_call_without_video_has_sound() {
    let mut caller = config(true);
    caller.video_codecs = vec![];
    let (a, mut b) = connect(caller, config(false)).await;
    assert!(!b.send(VideoCodec::Vp8, &picture(100, 1)));
    assert!(a.send_sound(0));
    assert_eq!(&b.audio_track().await.recv().await.unwrap().payload[..], b"opus");
    close([a, b]).await;
}

#[tokio::test]
async fn a_keyframe_request_reaches_the_sender() {
    let (a, mut b) = connect(config(true), config(false)).await;
    a.send(VideoCodec::Vp8, &picture(2_000, 1));
    let (mut packets, _) = b.video_track().await;
    next_picture(&mut packets).await;
    let mut a = a;
    assert!(!a.kept.iter().any(|e| matches!(e, PeerEvent::KeyframeWanted)));
    b.connection.request_keyframe();
    let wanted = |event| match event {
        PeerEvent::KeyframeWanted => Ok(()),
        other => Err(other),
    };
    a.wait("keyframe request", wanted).await;
    assert_eq!(a.connection.stats().await.video_sent.keyframe_requests, 1);
    assert_eq!(b.connection.stats().await.video_received.keyframe_requests, 1);
    close([a, b]).await;
}

#[tokio::test]
async fn messages_cross_the_data_channel_both_ways() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    for (from, to) in [(0, 1), (1, 0)] {
        let opened = async {
            let sender = [&a, &b][from];
            while let Err(refused) = sender.connection.send_data(Bytes::from_static(b"ol\xc3\xa1")) {
                assert_eq!(refused, DataError::NotOpen);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("the channel opens");
        let receiver = if to == 0 { &mut a } else { &mut b };
        let message = receiver.wait("message", |event| match event {
            PeerEvent::Data(data) => Ok(data),
            other => Err(other),
        });
        assert_eq!(&message.await[..], "olá".as_bytes());
    }
    assert_eq!(a.connection.send_data(vec![0; 16 * 1024 + 1].into()), Err(DataError::TooLong(16 * 1024 + 1)));
    close([a, b]).await;
}

/// Messages of 16 KiB that both sides read before they stop: several times what all buffers on the way hold.
const FLOOD: usize = 600;

/// Sends whatever the channel takes, and reads, until both sides have read enough.
async fn floods(peer: &mut Peer, read: &AtomicUsize, read_there: &AtomicUsize) {
    let message = Bytes::from(vec![7; 16 * 1024]);
    while read.load(Ordering::Relaxed) < FLOOD || read_there.load(Ordering::Relaxed) < FLOOD {
        let refused = loop {
            if let Err(refused) = peer.connection.send_data(message.clone()) {
                break refused;
            }
        };
        assert_eq!(refused, DataError::QueueFull);
        match tokio::time::timeout(PATIENCE, peer.events.recv()).await {
            Ok(Some(PeerEvent::Data(_))) => drop(read.fetch_add(1, Ordering::Relaxed)),
            Ok(Some(_)) => {}
            _ => panic!("the channel stands still after {read:?} messages"),
        }
    }
}

#[tokio::test]
async fn two_who_fill_the_data_channel_at_once_do_not_block_each_other() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    for peer in [&a, &b] {
        let opened = async {
            while peer.connection.send_data(Bytes::new()).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("the channel opens");
    }
    let (read_by_a, read_by_b) = (AtomicUsize::new(0), AtomicUsize::new(0));
    tokio::join!(floods(&mut a, &read_by_a, &read_by_b), floods(&mut b, &read_by_b, &read_by_a));
    close([a, b]).await;
}

#[tokio::test]
async fn statistics_say_what_went_over_the_path() {
    let (a, mut b) = connect(config(true), config(false)).await;
    let sent = picture(11_000, 3);
    a.send(VideoCodec::Vp8, &sent);
    a.send_sound(0);
    let (mut packets, _) = b.video_track().await;
    next_picture(&mut packets).await;
    b.audio_track().await.recv().await.unwrap();
    let (here, there) = (a.connection.stats().await, b.connection.stats().await);
    assert_eq!(here.video_sent.packets, there.video_received.packets);
    assert_eq!(here.video_sent.bytes, there.video_received.bytes);
    assert!((11_000..11_200).contains(&here.video_sent.bytes), "{here:?}");
    assert_eq!((here.audio_sent.packets, here.audio_sent.bytes), (1, 4));
    assert_eq!(there.audio_received.packets, 1);
    assert_eq!((there.video_received.lost, here.video_sent.lost, here.video_sent.nacks), (0, 0, 0));
    let pair = here.pair.unwrap();
    assert_eq!((pair.local.as_str(), pair.protocol.as_str()), ("host", "udp"));
    assert!(here.rtt.unwrap() < Duration::from_secs(1));
    assert!(here.estimate_bps.unwrap() >= 100_000);
    close([a, b]).await;
}

#[tokio::test]
async fn a_picture_that_finds_the_way_full_is_dropped_and_said_so() {
    let (a, b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    assert!(!a.send(VideoCodec::Vp8, &picture(10, 1)), "nothing is agreed on yet");
    close([a, b]).await;
    let (a, b) = connect(config(true), config(false)).await;
    // Nothing is awaited here, so nothing is taken out of the queue.
    let taken = (0..20).filter(|_| a.send(VideoCodec::Vp8, &picture(10, 1))).count();
    assert_eq!(taken, 16);
    close([a, b]).await;
}

#[tokio::test]
async fn the_plan_follows_what_the_path_carries() {
    let (a, b) = connect(config(true), config(false)).await;
    let mut plans = a.connection.plan();
    assert_eq!(plans.borrow().target_bps, 300_000);
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let grown = async {
        while plans.borrow_and_update().target_bps < 1_100_000 {
            tokio::select! {
                _ = pace.tick() => { a.send(VideoCodec::Vp8, &picture(1_100, 1)); }
                changed = plans.changed() => changed.unwrap(),
            }
        }
    };
    tokio::time::timeout(PATIENCE, grown).await.expect("the path carries more");
    let stats = a.connection.stats().await;
    assert!((1_000_000..=2_900_000).contains(&stats.estimate_bps.unwrap()), "{stats:?}");
    close([a, b]).await;
}
