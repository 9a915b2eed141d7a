use super::decoder::FecCounts;
use super::*;
use proptest::prelude::*;

/// RTP packets of one picture, from this number on, with payloads of these lengths.
fn picture(first: u16, lengths: &[usize]) -> Vec<Vec<u8>> {
    let last = lengths.len() - 1;
    let packet = |(n, length): (usize, &usize)| {
        let number = first.wrapping_add(n as u16).to_be_bytes();
        let marker = if n == last { 0x80 } else { 0 };
        let payload: Vec<u8> = (0..*length).map(|at| (at * 31 + n * 7 + 1) as u8).collect();
        [&[0x90, 96 | marker], &number[..], &[1, 2, 3, n as u8], &[0, 0, 0, 42], &payload].concat()
    };
    lengths.iter().enumerate().map(packet).collect()
}

/// What comes back of a picture of which these indices are lost, when its repair packets come after it.
fn recovered(picture: &[Vec<u8>], repairs: &[Vec<u8>], lost: &[usize]) -> Vec<Vec<u8>> {
    let mut decoder = FecDecoder::default();
    let first = u16::from_be_bytes([picture[0][2], picture[0][3]]);
    decoder.on_packet(super::tests::picture(first.wrapping_sub(1), &[5]).remove(0));
    for (_, packet) in picture.iter().enumerate().filter(|(n, _)| !lost.contains(n)) {
        assert!(decoder.on_packet(packet.clone()).is_empty());
    }
    repairs.iter().flat_map(|repair| decoder.on_repair(repair)).collect()
}

#[test]
fn any_one_packet_of_each_share_comes_back_byte_by_byte_across_the_wrap() {
    for count in [1, 2, 6, 15, 16, 46, 47, 109] {
        let lengths: Vec<usize> = (0..count).map(|n| 200 + n * 13 % 90).collect();
        let picture = picture(65_530, &lengths);
        for sets in [1, 2, 5] {
            let repairs = encode(&picture, sets);
            assert_eq!(repairs.len(), sets.min(count));
            for lost in 0..count {
                assert_eq!(recovered(&picture, &repairs, &[lost]), [picture[lost].clone()], "{count} {sets} {lost}");
            }
        }
    }
}

#[test]
fn a_burst_as_long_as_there_are_repair_packets_comes_back_and_a_longer_one_does_not() {
    let picture = picture(10, &[100; 10]);
    let repairs = encode(&picture, 2);
    assert_eq!(recovered(&picture, &repairs, &[4, 5]), [picture[4].clone(), picture[5].clone()]);
    assert_eq!(recovered(&picture, &repairs, &[4, 5, 6]), [picture[5].clone()]);
}

#[test]
fn a_repair_packet_waits_until_a_retransmission_leaves_one_packet_lacking() {
    let picture = picture(10, &[100; 5]);
    let mut decoder = FecDecoder::default();
    picture[..3].iter().for_each(|packet| drop(decoder.on_packet(packet.clone())));
    assert!(decoder.on_repair(&encode(&picture, 1)[0]).is_empty());
    assert_eq!(decoder.on_packet(picture[4].clone()), [picture[3].clone()]);
    assert!(decoder.on_packet(picture[3].clone()).is_empty(), "once");
    assert!(decoder.on_repair(&encode(&picture, 1)[0]).is_empty(), "once");
    assert_eq!(decoder.counts(), FecCounts { received: 2, recovered: 1, refused: 0 });
}

#[test]
fn packets_that_do_not_follow_one_another_are_not_protected() {
    let mut broken = picture(10, &[100; 5]);
    broken.remove(2);
    assert!(encode(&broken, 1).is_empty());
    assert!(encode(&picture(0, &[10; 110]), 1).is_empty());
    assert!(encode(&[], 1).is_empty() && encode(&[vec![0; 11]], 1).is_empty());
}

/// The bytes of the crate's encoder, which others are tested with.
#[test]
fn repair_packets_are_those_that_others_make_and_take() {
    let packets = picture(100, &[40, 60, 50, 30, 20, 44, 10]);
    let theirs: Vec<rtc::rtp::Packet> = packets
        .iter()
        .map(|packet| {
            // Without extensions, which the test's packets have none of.
            let mut plain = packet.clone();
            plain[0] = 0x80;
            rtc::shared::marshal::Unmarshal::unmarshal(&mut bytes::Bytes::from(plain)).unwrap()
        })
        .collect();
    let ours: Vec<Vec<u8>> = packets
        .into_iter()
        .map(|mut packet| {
            packet[0] = 0x80;
            packet
        })
        .collect();
    let repairs = rtc::interceptor::FlexFec03Encoder::new(118, 9).encode(&theirs, 2);
    assert_eq!(encode(&ours, 2), repairs.iter().map(|repair| repair.payload.to_vec()).collect::<Vec<_>>());
    let mut decoder = rtc::interceptor::FlexFec03Decoder::new(9, 42);
    theirs.iter().enumerate().filter(|(n, _)| *n != 3).for_each(|(_, packet)| drop(decoder.decode(packet.clone())));
    let recovered: Vec<_> = repairs.into_iter().flat_map(|repair| decoder.decode(repair)).collect();
    assert_eq!(recovered, [theirs[3].clone()]);
}

#[test]
fn lying_repair_packets_are_refused_and_counted() {
    let packets = picture(100, &[50; 5]);
    let good = encode(&packets, 1).remove(0);
    let with = |at: usize, value: u8| {
        let mut bad = good.clone();
        bad[at] = value;
        bad
    };
    for (what, bad) in [
        ("cut off", good[..19].to_vec()),
        ("a retransmission", with(0, 0x80)),
        ("a fixed pattern", with(0, 0x40)),
        ("two streams", with(8, 2)),
        ("far away", with(16, 0x70)),
        ("masks without an end", [&good[..18], &[0; 14]].concat()),
        ("masks cut off", [&good[..18], &[0; 4]].concat()),
        ("nothing", [&good[..18], &[0x80, 0], &good[20..]].concat()),
        ("shorter than what it protects", good[..60].to_vec()),
        ("longer than a datagram", [&good[..], &[0; 2_000]].concat()),
        ("a lost packet longer than itself", with(2, 0xff)),
    ] {
        let mut decoder = FecDecoder::default();
        packets[..4].iter().for_each(|packet| drop(decoder.on_packet(packet.clone())));
        assert!(decoder.on_repair(&bad).is_empty(), "{what}");
        assert_eq!(decoder.counts(), FecCounts { received: 1, recovered: 0, refused: 1 }, "{what}");
        assert_eq!(decoder.on_repair(&good), [packets[4].clone()], "after {what}");
    }
}

#[test]
fn a_flood_is_bounded_in_memory_and_the_stream_goes_on() {
    let mut decoder = FecDecoder::default();
    decoder.on_packet(picture(0, &[100])[0].clone());
    for n in 0..10_000u16 {
        let first = n % 200;
        let picture = picture(first, &[1_000; 20]);
        decoder.on_repair(&encode(&picture, 1)[0]);
    }
    let packets = picture(400, &[100; 5]);
    packets[1..].iter().for_each(|packet| drop(decoder.on_packet(packet.clone())));
    assert_eq!(decoder.on_repair(&encode(&packets, 1)[0]), [packets[0].clone()]);
}

#[test]
fn what_waited_for_a_stream_that_jumped_recovers_nothing_when_its_numbers_come_round() {
    let old = picture(100, &[50; 5]);
    let mut decoder = FecDecoder::default();
    old[..3].iter().for_each(|packet| drop(decoder.on_packet(packet.clone())));
    decoder.on_repair(&encode(&old, 1)[0]);
    for n in 0..=u32::from(u16::MAX) {
        let packet = picture((n + 105) as u16, &[5]).remove(0);
        assert!(decoder.on_packet(packet).is_empty());
    }
}

proptest! {
    #[test]
    fn whatever_is_lost_only_true_packets_come_back(
        lengths in proptest::collection::vec(0usize..300, 1..60), sets in 1usize..10,
        fates in proptest::collection::vec(any::<bool>(), 60), first in any::<u16>()
    ) {
        let picture = picture(first, &lengths);
        let lost: Vec<usize> = (0..picture.len()).filter(|n| fates[*n]).collect();
        for packet in recovered(&picture, &encode(&picture, sets), &lost) {
            prop_assert!(lost.iter().any(|n| picture[*n] == packet));
        }
    }
}
