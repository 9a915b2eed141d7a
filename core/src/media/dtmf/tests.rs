use super::*;
use proptest::prelude::*;
use std::time::Instant;

const RATE: u32 = 48_000;

fn tones(keys: &str) -> DtmfTones {
    DtmfTones::new(keys, DtmfTones::DURATION, DtmfTones::GAP).unwrap()
}

/// A packet and when it leaves, in milliseconds since the start.
type Sent = (u64, EventPacket);

/// Sends this to its end, polled just when it wants to be.
fn sent(keys: &str, duration: u64, gap: u64, rate: u32) -> Vec<Sent> {
    let (duration, gap) = (Duration::from_millis(duration), Duration::from_millis(gap));
    let (mut sender, start) = (DtmfSender::default(), Instant::now());
    sender.insert(&DtmfTones::new(keys, duration, gap).unwrap()).unwrap();
    let (mut packets, mut now) = (Vec::new(), start);
    while let Some(at) = sender.next_at(now) {
        now = now.max(at);
        let elapsed = u64::try_from((now - start).as_millis()).unwrap();
        let timestamp = u32::try_from(elapsed * 48).unwrap();
        while let Some(packet) = sender.poll(now, rate, timestamp) {
            packets.push((elapsed, packet));
        }
    }
    packets
}

fn heard<'a>(packets: impl IntoIterator<Item = &'a Sent>) -> String {
    let (mut receiver, start) = (DtmfReceiver::default(), Instant::now());
    let receive = |(at, packet): &Sent| {
        receiver.receive(start + Duration::from_millis(*at), 1, packet.timestamp, &packet.payload)
    };
    packets.into_iter().filter_map(receive).map(DtmfTone::key).collect()
}

fn flags(packet: &EventPacket) -> (bool, u16) {
    (packet.payload[1] & 0x80 != 0, u16::from_be_bytes([packet.payload[2], packet.payload[3]]))
}

#[test]
fn a_tone_is_told_every_20_ms_and_its_end_three_times() {
    let packets = sent("5", 100, 70, RATE);
    let times: Vec<u64> = packets.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 20, 40, 60, 80, 90, 100]);
    let said: Vec<_> = packets.iter().map(|(_, packet)| flags(packet)).collect();
    let expected =
        [(false, 960), (false, 1_920), (false, 2_880), (false, 3_840), (true, 4_800), (true, 4_800), (true, 4_800)];
    assert_eq!(said, expected);
    assert!(packets.iter().all(|(_, packet)| packet.timestamp == 0 && packet.payload[0] == 5));
    let marked: Vec<bool> = packets.iter().map(|(_, packet)| packet.marker).collect();
    assert_eq!(marked, [true, false, false, false, false, false, false], "the first one alone");
    assert_eq!(flags(&sent("5", 100, 70, 8_000)[0].1), (false, 160), "in the events' own clock");
}

#[test]
fn tones_follow_one_another_after_the_gap_and_a_comma_waits_two_seconds() {
    let begins = |packets: &[Sent]| -> Vec<(u64, u32)> {
        packets.iter().filter(|(_, packet)| packet.marker).map(|(at, packet)| (*at, packet.timestamp)).collect()
    };
    assert_eq!(begins(&sent("1#", 100, 70, RATE)), [(0, 0), (170, 8_160)]);
    assert_eq!(begins(&sent("1,2", 100, 70, RATE)), [(0, 0), (2_170, 104_160)]);
    assert_eq!(begins(&sent(",2", 100, 70, RATE)), [(2_000, 96_000)]);
    assert_eq!(begins(&sent("12", 1, 1, RATE)), [(0, 0), (70, 3_360)], "no shorter than 40 ms and 30 ms");
}

#[test]
fn a_tone_longer_than_a_packet_can_say_goes_on_in_segments_and_is_one_tone() {
    let packets = sent("9", 6_000, 70, RATE);
    let starts: std::collections::BTreeSet<u32> = packets.iter().map(|(_, packet)| packet.timestamp).collect();
    assert_eq!(starts.into_iter().collect::<Vec<_>>(), [0, 65_535, 131_070, 196_605, 262_140]);
    let ends = packets.iter().filter(|(_, packet)| flags(packet).0).count();
    assert_eq!((ends, flags(&packets.last().unwrap().1).1), (3, 25_860), "288,000 units in all");
    assert_eq!(heard(&packets), "9");
}

#[test]
fn keys_are_those_of_a_phone_and_as_many_as_may_wait() {
    for wrong in ["12 3", "x", "é", "1-2"] {
        assert!(matches!(
            DtmfTones::new(wrong, DtmfTones::DURATION, DtmfTones::GAP),
            Err(DtmfError::InvalidCharacter(_))
        ));
    }
    assert_eq!(heard(&sent("0123456789*#ABCDabcd", 40, 30, RATE)), "0123456789*#ABCDABCD");
    let many = "1".repeat(MAX_TONES);
    assert_eq!(DtmfTones::new(&(many.clone() + "1"), DtmfTones::DURATION, DtmfTones::GAP), Err(DtmfError::TooMany));
    let mut sender = DtmfSender::default();
    sender.insert(&tones(&many)).unwrap();
    assert_eq!(sender.insert(&tones("1")), Err(DtmfError::TooMany));
    assert!(!sender.is_sounding(), "nothing was sent yet");
    sender.clear();
    assert_eq!(sender.next_at(Instant::now()), None);
}

#[test]
fn packets_that_come_twice_late_or_out_of_order_are_no_other_tones() {
    let packets = sent("11", 100, 70, RATE);
    let twice = packets.iter().flat_map(|packet| [packet, packet]);
    assert_eq!(heard(twice), "11", "the same key twice is two tones");
    let mut mixed: Vec<&Sent> = packets.iter().collect();
    mixed.swap(0, 3);
    mixed.swap(6, 8);
    assert_eq!(heard(mixed), "11");
    let old = sent("1,,2", 100, 70, RATE);
    let late: Vec<&Sent> = old.iter().skip(7).chain(&old[..7]).collect();
    assert_eq!(heard(late), "2", "what comes seconds late is not told any more");
}

#[test]
fn what_is_no_key_is_no_tone() {
    let mut receiver = DtmfReceiver::default();
    for payload in [&[][..], &[1], &[1, 2, 3], &[16, 0, 0, 1], &[255, 255, 255, 255]] {
        assert_eq!(receiver.receive(Instant::now(), 1, 1, payload), None, "{payload:?}");
    }
}

#[test]
fn tones_by_the_thousand_are_told_no_faster_than_anybody_presses_keys() {
    let (mut receiver, now) = (DtmfReceiver::default(), Instant::now());
    let mut told = 0;
    for n in 0..10_000u32 {
        // A second in all, each a tone of its own.
        let at = now + Duration::from_micros(100) * n;
        told += u32::from(receiver.receive(at, 1, n * 10, &[1, 0, 0, 1]).is_some());
    }
    assert!((55..=61).contains(&told), "{told}");
}

proptest! {
    #[test]
    fn each_tone_is_heard_once_whatever_is_lost_as_long_as_one_packet_of_it_comes(
        keys in "[0-9*#A-D]{1,20}",
        lost in prop::collection::vec(any::<bool>(), 200),
        kept in prop::collection::vec(0..7usize, 20),
    ) {
        let packets = sent(&keys, 100, 70, RATE);
        let comes = |n: usize| !lost[n % lost.len()] || n % 7 == kept[n / 7 % kept.len()];
        let arrived: Vec<&Sent> = packets.iter().enumerate().filter(|(n, _)| comes(*n)).map(|(_, packet)| packet).collect();
        prop_assert_eq!(heard(arrived), keys);
    }
}
