use super::*;
use crate::media::audio::quality_tests::tone;
use std::time::Duration;

fn packet(start: Instant, n: usize) -> RtpPacket {
    RtpPacket {
        ssrc: 3,
        payload_type: 111,
        sequence_number: n as u16,
        timestamp: n as u32 * 960,
        marker: false,
        payload: tone()[n % tone().len()].clone(),
        arrived_at: start + Duration::from_millis(20) * n as u32,
    }
}

fn past(ms: u64) -> Instant {
    Instant::now().checked_sub(Duration::from_millis(ms)).unwrap()
}

#[test]
fn a_speaker_gets_silence_before_the_first_packet_and_after_the_peer_has_gone() {
    let (tx, rx) = mpsc::channel::<RtpPacket>(8);
    let receiver = AudioReceiver::start(rx, None).unwrap();
    let mut out = [1; 777];
    receiver.source().pull(&mut out);
    assert!(out.iter().all(|&s| s == 0));
    assert_eq!(receiver.stats().total_samples, 0, "nothing was received, so nothing was concealed");
    assert_eq!(receiver.stats().concealed_ratio(), 0.0);
    drop(tx);
    out.fill(1);
    receiver.source().pull(&mut out);
    assert!(out.iter().all(|&s| s == 0));
    receiver.source().pull(&mut []);
}

#[test]
fn sound_that_has_come_is_heard_in_the_next_pull() {
    let (tx, rx) = mpsc::channel(32);
    let receiver = AudioReceiver::start(rx, None).unwrap();
    let start = past(100);
    for n in 0..6 {
        tx.try_send(packet(start, n)).unwrap();
    }
    let mut out = [0; 1920];
    receiver.source().pull(&mut out);
    let stats = receiver.stats();
    assert_eq!((stats.packets, stats.total_samples, stats.concealed_samples), (6, 1920, 0));
    assert!(stats.energy > 0.0001 && stats.level > 0.01, "{stats:?}");
}

#[test]
fn statistics_take_the_packets_when_no_speaker_does_and_the_speaker_then_begins_live() {
    let (tx, rx) = mpsc::channel(16);
    let receiver = AudioReceiver::start(rx, None).unwrap();
    let start = past(10_000);
    for n in 0..500 {
        if tx.try_send(packet(start, n)).is_err() {
            assert_eq!(receiver.stats().packets, n as u64);
            tx.try_send(packet(start, n)).unwrap();
        }
    }
    receiver.source().pull(&mut [0; 480]);
    let stats = receiver.stats();
    assert_eq!((stats.packets, stats.lost), (500, 0));
    assert!(stats.skipped >= 490, "{stats:?}");
    assert!(stats.total_samples > 0, "{stats:?}");
}
