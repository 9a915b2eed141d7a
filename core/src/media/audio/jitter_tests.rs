use super::*;
use proptest::prelude::*;
use std::time::Duration;

/// A 20 ms packet of Opus (SILK, wideband, mono), telling apart packets by its last byte.
fn packet(start: Instant, n: u32, ssrc: u32) -> RtpPacket {
    RtpPacket {
        ssrc,
        payload_type: 111,
        sequence_number: n as u16,
        timestamp: n.wrapping_mul(960),
        marker: false,
        payload: Bytes::from(vec![9 << 3, 0, 0, n as u8]),
        arrived_at: start + Duration::from_millis(20 * u64::from(n)),
    }
}

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

/// Which packets are played when asked every 20 ms, beginning at `from` ms.
fn played(buffer: &mut JitterBuffer, start: Instant, from: u64, times: u64) -> Vec<Option<u8>> {
    let mut out = Vec::new();
    for n in 0..times {
        out.push(match buffer.next(at(start, from + 20 * n)) {
            Decision::Play { packet, .. } => packet.payload.last().copied(),
            _ => None,
        });
    }
    out
}

#[test]
fn playing_begins_when_the_first_packet_has_waited_for_the_target() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new();
    assert!(matches!(buffer.next(start), Decision::Silence(480)));
    buffer.insert(packet(start, 0, 1));
    buffer.insert(packet(start, 1, 1));
    assert!(matches!(buffer.next(at(start, 2)), Decision::Silence(480)));
    assert!(!buffer.has_started());
    assert!(
        matches!(buffer.next(at(start, 50)), Decision::Play { packet: p, .. } if p.discontinuity && p.samples == 960)
    );
    assert!(buffer.has_started());
    assert!(matches!(buffer.next(at(start, 70)), Decision::Play { packet: p, .. } if !p.discontinuity));
    assert!(matches!(buffer.next(at(start, 90)), Decision::Conceal(480)));
}

#[test]
fn a_new_ssrc_begins_a_new_stream_at_once() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new();
    for n in 0..5 {
        buffer.insert(packet(start, n, 1));
    }
    assert_eq!(played(&mut buffer, start, 60, 3), [Some(0), Some(1), Some(2)]);
    for n in 6..12 {
        buffer.insert(RtpPacket { timestamp: n * 960 + 7_000_000, ..packet(start, n, 2) });
    }
    assert_eq!(played(&mut buffer, start, 200, 4), [Some(6), Some(7), Some(8), Some(9)]);
    let stats = buffer.stats();
    assert_eq!((stats.restarts, stats.lost, stats.skipped, stats.packets), (1, 0, 2, 11));
}

#[test]
fn one_packet_out_of_line_is_ignored_and_two_in_a_row_begin_a_new_stream() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new();
    for n in 0..3 {
        buffer.insert(packet(start, n, 1));
    }
    let far = |n: u32| RtpPacket { timestamp: 0x8000_0000 + n * 960, ..packet(start, n, 1) };
    buffer.insert(far(3));
    buffer.insert(packet(start, 4, 1));
    assert_eq!((buffer.stats().restarts, buffer.stats().invalid), (0, 1));
    buffer.insert(far(5));
    buffer.insert(far(6));
    assert_eq!((buffer.stats().restarts, buffer.stats().invalid), (1, 1));
    assert_eq!(played(&mut buffer, start, 160, 2), [Some(5), Some(6)]);
}

#[test]
fn a_pause_is_noise_for_its_length_and_counts_no_loss() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new();
    for n in 0..10 {
        buffer.insert(packet(start, n, 1));
    }
    buffer.insert(RtpPacket { payload: Bytes::from_static(&[9 << 3]), ..packet(start, 10, 1) });
    played(&mut buffer, start, 40, 11);
    let mut noise = 0;
    let mut ms = 260;
    loop {
        if ms >= 620 {
            // Sent 400 ms later, the sequence number is the next one.
            buffer.insert(RtpPacket { sequence_number: 11, ..packet(start, 31, 1) });
        }
        match buffer.next(at(start, ms)) {
            Decision::Noise(len) => noise += len,
            Decision::Play { packet: p, .. } => break assert_eq!(p.payload.last(), Some(&31)),
            other => panic!("{other:?}"),
        }
        ms += 10;
        assert!(ms < 1000);
    }
    assert!((18_000..21_000).contains(&noise), "{noise}");
    assert_eq!(buffer.stats().lost, 0);
}

#[test]
fn after_the_speaker_paused_old_sound_is_skipped() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new();
    for n in 0..400 {
        buffer.insert(packet(start, n, 1));
        if n < 50 {
            buffer.next(at(start, 40 + 20 * u64::from(n)));
        }
    }
    // 400 packets are 8 s.
    match buffer.next(at(start, 7990)) {
        Decision::Play { packet: p, .. } => {
            assert!(p.discontinuity);
            assert!((396..400).map(|n: u32| n as u8).any(|n| p.payload.last() == Some(&n)), "{:?}", p.payload);
        }
        other => panic!("{other:?}"),
    }
    assert!(buffer.delay_ms().0 < 80.0);
    assert_eq!(buffer.stats().lost, 0);
}

#[test]
fn a_packet_repaired_by_its_successor_is_not_played_again_when_it_comes_after_all() {
    let start = Instant::now();
    let mut buffer = JitterBuffer::new();
    // Activity and LBRR flags set.
    let with_fec = |n: u32| RtpPacket { payload: Bytes::from(vec![9 << 3, 0xC0, 0, n as u8]), ..packet(start, n, 1) };
    for n in [0, 1, 3, 4] {
        buffer.insert(with_fec(n));
    }
    assert_eq!(played(&mut buffer, start, 60, 2), [Some(0), Some(1)]);
    assert!(matches!(buffer.next(at(start, 100)), Decision::Fec { samples: 960, .. }));
    buffer.insert(with_fec(2));
    assert_eq!(played(&mut buffer, start, 120, 2), [Some(3), Some(4)]);
    assert_eq!((buffer.stats().late, buffer.stats().lost), (1, 0));
}

proptest! {
    #[test]
    fn whatever_comes_every_decision_has_a_length_and_memory_is_bounded(
        steps in prop::collection::vec(
            (0_u32..3, any::<u16>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..8), 0_u64..3000, 0_u8..4), 1..300)
    ) {
        let start = Instant::now();
        let mut buffer = JitterBuffer::new();
        let mut playout = crate::media::audio::Playout::new().unwrap();
        let mut now = start;
        let mut out = [0; 333];
        for (n, (ssrc, sequence_number, timestamp, payload, ms, kind)) in steps.into_iter().enumerate() {
            let wild = RtpPacket {
                ssrc, payload_type: 0, sequence_number, timestamp, marker: false,
                payload: Bytes::from(payload), arrived_at: at(start, ms),
            };
            let packet = match kind {
                0 => wild,
                1 => RtpPacket { arrived_at: now, ..packet(start, n as u32, 1) },
                2 => RtpPacket { payload: wild.payload, ..packet(start, n as u32, 1) },
                _ => packet(start, n as u32 + u32::from(sequence_number % 4), 1),
            };
            buffer.insert(packet.clone());
            playout.insert(packet);
            now += Duration::from_millis(ms % 40);
            let len = match buffer.next(now) {
                Decision::Play { packet, .. } => packet.samples,
                Decision::Fec { wanted, .. } => wanted,
                Decision::Conceal(len) | Decision::Noise(len) | Decision::Silence(len) => len,
            };
            prop_assert!((1..=5760).contains(&len));
            prop_assert!(buffer.stream.as_ref().is_none_or(|stream| stream.packets.len() <= MAX_PACKETS));
            prop_assert!((20.0..=600.0).contains(&buffer.delay_ms().1));
            playout.pull(&mut out, now);
        }
        prop_assert!(playout.stats().energy.is_finite());
    }
}

proptest! {
    #[test]
    fn whatever_red_comes_nothing_is_received_twice_and_memory_is_bounded(
        steps in prop::collection::vec(
            (prop::collection::vec((any::<u16>(), 0..40_usize, any::<bool>()), 0..10), any::<bool>(), 0_u32..3), 1..200)
    ) {
        let start = Instant::now();
        let mut playout = crate::media::audio::Playout::new().unwrap();
        playout.set_red(Some(63));
        let mut out = [0; 960];
        for (n, (blocks, nested, skip)) in steps.into_iter().enumerate() {
            let n = n as u32 * 3 + skip;
            let mut payload = Vec::new();
            for &(offset, len, opus) in &blocks {
                let kind = if opus { 111_u32 } else { 63 };
                let offset = if opus { 960 } else { u32::from(offset >> 2) };
                payload.extend((0x8000_0000 | kind << 24 | offset << 10 | len as u32).to_be_bytes());
            }
            payload.push(if nested { 63 } else { 111 });
            payload.extend((0..blocks.iter().map(|block| block.1).sum::<usize>()).map(|i| [9 << 3, 0, 0, 5][i % 4]));
            payload.extend([9 << 3, 0, 0, n as u8]);
            playout.insert(RtpPacket { payload_type: 63, payload: Bytes::from(payload), ..packet(start, n, 1) });
            playout.pull(&mut out, at(start, 20 * u64::from(n)));
            let stats = playout.stats();
            prop_assert!(stats.packets <= u64::from(n) + 1);
            prop_assert!((20.0..=600.0).contains(&stats.jitter_buffer_target_ms));
        }
    }
}
