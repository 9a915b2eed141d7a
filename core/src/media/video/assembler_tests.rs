use super::*;
use crate::media::video::test_packets::{Stream, TYPES};
use bytes::Bytes;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

fn assembler() -> FrameAssembler {
    FrameAssembler::new(TYPES.to_vec())
}

/// Everything that is to be done now: pictures by number, −1 for a request.
fn all(assembler: &mut FrameAssembler, now: Instant) -> Vec<i64> {
    let mut data = Vec::new();
    let mut events = Vec::new();
    while let Some(event) = assembler.poll(now, &mut data) {
        events.push(match event {
            Event::Frame(_) => i64::from(u32::from_be_bytes(*data[1..].first_chunk().unwrap())),
            Event::WantKeyframe => -1,
        });
    }
    events
}

fn give(assembler: &mut FrameAssembler, packets: impl IntoIterator<Item = RtpPacket>) {
    for packet in packets {
        let now = packet.arrived_at;
        assembler.insert(packet, now);
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_whole_picture_is_given_at_once() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    for n in 0..20 {
        let packets = stream.next(n == 0, 1 + n % 4);
        let (last, first) = packets.split_last().unwrap();
        give(&mut assembler, first.to_vec());
        assert_eq!(all(&mut assembler, last.arrived_at), [] as [i64; 0]);
        give(&mut assembler, [last.clone()]);
        assert_eq!(all(&mut assembler, last.arrived_at), [n as i64]);
        assert_eq!(assembler.deadline(), None, "a clean path is not waited for");
    }
    let stats = assembler.stats();
    assert_eq!((stats.frames, stats.keyframes, stats.frames_dropped, stats.keyframe_requests), (20, 1, 0, 0));
}

#[test]
fn overtaken_and_repeated_packets_change_nothing() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    let mut packets: Vec<RtpPacket> = (0..6).flat_map(|n| stream.next(n == 0, 3)).collect();
    let again = packets.clone();
    packets.reverse();
    give(&mut assembler, packets);
    assert_eq!(all(&mut assembler, start + ms(200)), [0, 1, 2, 3, 4, 5]);
    give(&mut assembler, again);
    assert_eq!(all(&mut assembler, start + ms(200)), [] as [i64; 0]);
    assert_eq!(assembler.stats().late, 18);
}

#[test]
fn a_retransmission_in_time_is_waited_for_and_no_keyframe_is_needed() {
    for (rtt, wait) in [(0, 400), (50, 500), (150, 1100), (2_000, 1200)] {
        let (start, mut assembler) = (Instant::now(), assembler());
        let mut stream = Stream::new(start);
        give(&mut assembler, stream.next(true, 3));
        let mut lost = stream.next(false, 3);
        let missing = lost.remove(1);
        give(&mut assembler, lost);
        give(&mut assembler, (0..3).flat_map(|_| stream.next(false, 2)).collect::<Vec<_>>());
        assert_eq!(all(&mut assembler, start + ms(140)), [0]);
        assembler.set_rtt(ms(rtt));
        assert_eq!(assembler.deadline(), Some(start + ms(33 + wait)));
        let now = start + ms(32 + wait);
        assert_eq!(all(&mut assembler, now), [] as [i64; 0]);
        assembler.insert(RtpPacket { arrived_at: now, ..missing }, now);
        assert_eq!(all(&mut assembler, now), [1, 2, 3, 4]);
    }
}

#[test]
fn what_never_comes_is_given_up_and_a_keyframe_asked_for_until_one_comes() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    stream.next(false, 1);
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + ms(66)), [0]);
    let given_up = assembler.deadline().unwrap();
    assert_eq!(given_up, start + ms(66 + 800));
    assert_eq!(all(&mut assembler, given_up - ms(1)), [] as [i64; 0]);
    assert_eq!(all(&mut assembler, given_up), [-1]);
    assert_eq!(all(&mut assembler, given_up + ms(1)), [] as [i64; 0]);
    give(&mut assembler, (0..25).flat_map(|_| stream.next(false, 2)).collect::<Vec<_>>());
    assert_eq!(assembler.deadline(), Some(given_up + ms(300)));
    assert_eq!(all(&mut assembler, given_up + ms(300)), [-1]);
    stream.picture = 40;
    give(&mut assembler, stream.next(true, 5));
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + ms(1353)), [40, 41]);
    assert_eq!(assembler.deadline(), None);
    assert_eq!(assembler.stats().frames_dropped, 26);
}

#[test]
fn a_gap_that_is_repaired_after_the_request_still_saves_what_came_behind_it() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    let lost = stream.next(false, 1);
    give(&mut assembler, (0..29).flat_map(|_| stream.next(false, 1)).collect::<Vec<_>>());
    assert_eq!(all(&mut assembler, start + ms(900)), [0, -1]);
    let now = start + ms(1000);
    assembler.insert(RtpPacket { arrived_at: now, ..lost[0].clone() }, now);
    assert_eq!(all(&mut assembler, now), (1..=30).collect::<Vec<_>>());
    assert_eq!(assembler.deadline(), None, "the keyframe is not needed any more");
}

#[test]
fn a_gap_that_stays_for_two_seconds_is_the_past() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    let lost = stream.next(false, 1);
    for _ in 0..100 {
        give(&mut assembler, stream.next(false, 1));
        all(&mut assembler, start + ms(33) * (stream.picture - 1));
    }
    let now = start + ms(33) * stream.picture;
    assembler.insert(RtpPacket { arrived_at: now, ..lost[0].clone() }, now);
    assert!(all(&mut assembler, now).iter().all(|event| *event == -1));
    assert!(assembler.buffer.from(i64::MIN).count() < 30, "what is only waiting for a keyframe is let go of");
}

#[test]
fn a_long_gap_brings_a_request_at_once_and_a_short_one_or_a_slow_stream_does_not() {
    // Packets in a picture, pictures lost, whether asked at once.
    for (packets, lost, at_once) in [(6, 18, true), (6, 4, false), (1, 7, false), (310, 1, true)] {
        let (start, mut assembler) = (Instant::now(), assembler());
        let mut stream = Stream::new(start);
        give(&mut assembler, stream.next(true, 1));
        all(&mut assembler, start);
        (0..lost).for_each(|_| drop(stream.next(false, packets)));
        give(&mut assembler, stream.next(false, 1));
        let now = start + ms(33) * (stream.picture - 1);
        assert_eq!(all(&mut assembler, now), if at_once { vec![-1] } else { vec![] }, "{packets} {lost}");
        let later: Vec<_> = (0..5).flat_map(|_| stream.next(false, 1)).collect();
        give(&mut assembler, later);
        assert_eq!(all(&mut assembler, now + ms(170)), [] as [i64; 0], "once");
    }
}

/// Its first packet, above all: one that came behind what was kept was refused as late.
#[test]
fn a_keyframe_that_lost_packets_is_repaired_and_not_asked_for_anew() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    let keyframe = stream.next(true, 80);
    let (lost, arrived): (Vec<_>, Vec<_>) = keyframe.into_iter().enumerate().partition(|(n, _)| n % 9 == 0);
    give(&mut assembler, arrived.into_iter().map(|(_, packet)| packet));
    // One comes again each 150 ms while other pictures go on: longer than any packet is waited for, but it goes on.
    for (n, packet) in lost.into_iter().map(|(_, packet)| packet).enumerate() {
        let now = start + ms(150) * (n as u32 + 1);
        give(&mut assembler, stream.next(false, 2));
        assert_eq!(all(&mut assembler, now), [] as [i64; 0]);
        assembler.insert(RtpPacket { arrived_at: now, ..packet }, now);
    }
    assert_eq!(all(&mut assembler, start + ms(1_350)), (0..=9).collect::<Vec<_>>());
    assert_eq!(assembler.stats().keyframe_requests, 0);
}

#[test]
fn a_keyframe_behind_a_gap_ends_the_wait() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    assert_eq!(all(&mut assembler, start), [0]);
    stream.next(false, 2);
    give(&mut assembler, stream.next(false, 1));
    give(&mut assembler, stream.next(true, 3));
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + ms(132)), [3, 4]);
}

#[test]
fn nothing_comes_before_the_first_keyframe() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + START_WAIT - ms(1)), [] as [i64; 0], "one may be on its way");
    assert_eq!(all(&mut assembler, start + START_WAIT), [-1]);
    stream.picture = 9;
    give(&mut assembler, stream.next(false, 1));
    give(&mut assembler, stream.next(true, 4));
    assert_eq!(all(&mut assembler, start + ms(330)), [10]);
}

#[test]
fn no_keyframe_is_asked_for_while_one_is_coming_but_one_that_stands_still_is_given_up() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    let mut slow = stream.next(true, 20);
    for (n, packet) in slow.iter_mut().enumerate() {
        packet.arrived_at = start + ms(100) * n as u32;
    }
    let last = slow.pop().unwrap();
    for packet in slow {
        let now = packet.arrived_at;
        give(&mut assembler, [packet]);
        assert_eq!(all(&mut assembler, now), [] as [i64; 0]);
    }
    let newest = last.arrived_at - ms(100);
    assert_eq!(assembler.deadline(), Some(newest + ms(800)));
    assert_eq!(all(&mut assembler, newest + ms(800)), [-1]);
    give(&mut assembler, [RtpPacket { arrived_at: newest + ms(900), ..last }]);
    assert_eq!(all(&mut assembler, newest + ms(900)), [0]);
}

#[test]
fn after_a_decoders_failure_only_a_keyframe_helps_and_requests_are_not_more_frequent_than_allowed() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    assert_eq!(all(&mut assembler, start), [0]);
    assembler.decoding_failed(start + ms(10));
    assert_eq!(all(&mut assembler, start + ms(10)), [-1]);
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + ms(33)), [] as [i64; 0]);
    give(&mut assembler, stream.next(true, 1));
    assert_eq!(all(&mut assembler, start + ms(66)), [2]);
    assembler.decoding_failed(start + ms(70));
    assert_eq!(all(&mut assembler, start + ms(70)), [] as [i64; 0]);
    assert_eq!(assembler.deadline(), Some(start + ms(10) + ms(300)));
    assert_eq!(all(&mut assembler, start + ms(10) + ms(300)), [-1]);
}

#[test]
fn padding_between_pictures_is_no_loss() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 2));
    let padding = stream.next(false, 3).into_iter().map(|packet| RtpPacket { payload: Bytes::new(), ..packet });
    give(&mut assembler, padding.collect::<Vec<_>>());
    let unknown = stream.next(false, 1).into_iter().map(|packet| RtpPacket { payload_type: 99, ..packet });
    give(&mut assembler, unknown.collect::<Vec<_>>());
    give(&mut assembler, stream.next(false, 2));
    assert_eq!(all(&mut assembler, start + ms(99)), [0, 3]);
}

#[test]
fn padding_that_never_got_here_is_told_from_loss_by_the_picture_identifiers() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream { picture_ids: true, picture: 126, ..Stream::new(start) };
    give(&mut assembler, stream.next(true, 2));
    stream.sequence_number = stream.sequence_number.wrapping_add(7);
    give(&mut assembler, stream.next(false, 2));
    assert_eq!(all(&mut assembler, start + ms(4200)), [126, 127]);
    stream.next(false, 1);
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + ms(4260)), [] as [i64; 0], "here a picture is missing");
}

#[test]
fn a_picture_ends_where_the_next_begins_if_its_marker_is_not_set() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(
        &mut assembler,
        stream.next(true, 3).into_iter().map(|p| RtpPacket { marker: false, ..p }).collect::<Vec<_>>(),
    );
    assert_eq!(all(&mut assembler, start), [] as [i64; 0]);
    give(&mut assembler, stream.next(false, 1));
    assert_eq!(all(&mut assembler, start + ms(33)), [0, 1]);
}

#[test]
fn a_stream_that_begins_anew_is_followed_from_its_keyframe_on() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    assert_eq!(all(&mut assembler, start), [0]);
    let other = |packets: Vec<RtpPacket>| packets.into_iter().map(|p| RtpPacket { ssrc: 2, ..p }).collect::<Vec<_>>();
    stream.sequence_number = 77;
    give(&mut assembler, other(stream.next(true, 2)));
    give(&mut assembler, other(stream.next(false, 1)));
    assert_eq!(all(&mut assembler, start + ms(66)), [1, 2]);
}

#[test]
fn after_a_standstill_of_the_app_old_pictures_are_skipped() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, (0..30).flat_map(|n| stream.next(n == 0, 2)).collect::<Vec<_>>());
    assert_eq!(all(&mut assembler, start + ms(10_000)), [-1]);
    stream.picture = 304;
    give(&mut assembler, stream.next(true, 2));
    assert_eq!(all(&mut assembler, start + ms(10_040)), [304]);
    assert_eq!(assembler.stats().frames_dropped, 30);
}

#[test]
fn a_flood_without_a_whole_picture_is_bounded() {
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    give(&mut assembler, stream.next(true, 1));
    assert_eq!(all(&mut assembler, start), [0]);
    stream.next(false, 1);
    for packet in stream.next(false, 20_000) {
        assembler.insert(packet, start);
        assert!(assembler.buffer.from(i64::MIN).count() <= super::super::buffer::MAX_PACKETS);
    }
    assert_eq!(all(&mut assembler, start + ms(70)), [-1]);
    give(&mut assembler, stream.next(true, 2));
    assert_eq!(all(&mut assembler, start + ms(99)), [3]);
}

/// Where each packet looked at all before it, this took a minute.
#[test]
fn a_keyframe_of_thousands_of_fragments_without_a_beginning_is_no_work() {
    let (mut assembler, now) = (assembler(), Instant::now());
    let (payload_type, _) = TYPES.into_iter().find(|(_, codec)| *codec == VideoCodec::H264).unwrap();
    // FU-A, neither the first nor the last, of an IDR slice (RFC 6184 section 5.8).
    let payload = Bytes::from_static(&[0x7c, 0x05, 1, 2]);
    let mut wanted = Vec::new();
    for sequence_number in 0..4000 {
        let payload = payload.clone();
        let packet =
            RtpPacket { ssrc: 1, payload_type, sequence_number, timestamp: 7, marker: false, payload, arrived_at: now };
        give(&mut assembler, [packet]);
        wanted.extend(all(&mut assembler, now));
    }
    assert_eq!(wanted, [] as [i64; 0], "nothing to show");
    assert_eq!(all(&mut assembler, now + ms(800)), [-1], "no more of it came");
    assert_eq!(assembler.stats().packets, 4000);
}

/// Ten seconds of a path that loses, repeats and reorders; lost packets are sent again after a round trip if the path is kind. Two
/// seconds without loss follow.
fn run(seed: u64, loss: f64, again: f64) -> (FrameAssembler, u32, u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let (start, mut assembler) = (Instant::now(), assembler());
    let mut stream = Stream::new(start);
    stream.picture_ids = seed.is_multiple_of(2);
    // What arrives, by time and an ordinal.
    let mut path: BTreeMap<(Instant, usize), RtpPacket> = BTreeMap::new();
    let (mut ordinal, mut keyframe_due, mut keyframes) = (0, Some(start), vec![]);
    let (mut last, mut delivered, mut data) = (None::<i64>, 0u64, Vec::new());
    for step in 0..2_400u64 {
        let now = start + ms(5) * step as u32;
        let loss = if step < 2_000 { loss } else { 0.0 };
        if step % 7 == 0 {
            let keyframe = keyframe_due.is_some_and(|due| due <= now);
            if keyframe {
                keyframe_due = None;
                keyframes.push(i64::from(stream.picture));
            }
            for packet in stream.next(keyframe, random.random_range(1..8)) {
                let mut send = |delay: Duration| {
                    ordinal += 1;
                    let at = now + delay;
                    path.insert((at, ordinal), RtpPacket { arrived_at: at, ..packet.clone() });
                };
                if !random.random_bool(loss) {
                    send(ms(20 + random.random_range(0..15)));
                } else if random.random_bool(again) {
                    send(ms(100 + random.random_range(0..100)));
                }
                if random.random_bool(0.05) {
                    send(ms(random.random_range(20..400)));
                }
            }
        }
        while let Some(next) = path.first_entry().filter(|next| next.key().0 <= now) {
            assembler.insert(next.remove(), now);
        }
        while let Some(event) = assembler.poll(now, &mut data) {
            match event {
                Event::WantKeyframe => keyframe_due = keyframe_due.or(Some(now + ms(50))),
                Event::Frame(frame) => {
                    let number = i64::from(u32::from_be_bytes(*data[1..].first_chunk().unwrap()));
                    assert_eq!(frame.keyframe, keyframes.contains(&number));
                    let follows = last.is_some_and(|last| last + 1 == number);
                    assert!(follows || frame.keyframe, "{number} builds on one that was not given after {last:?}");
                    assert!(last.is_none_or(|last| last < number), "in order");
                    last = Some(number);
                    delivered += 1;
                }
            }
        }
    }
    assert!(last.is_some_and(|last| last > i64::from(stream.picture) - 20), "it never stands still for good: {last:?}");
    (assembler, stream.picture, delivered)
}

#[test]
fn with_retransmission_nearly_everything_is_seen_and_no_keyframe_needed() {
    let (assembler, sent, delivered) = run(7, 0.05, 1.0);
    assert!(delivered + 12 > u64::from(sent), "{delivered} of {sent}, {:?}", assembler.stats());
    assert_eq!(assembler.stats().keyframe_requests, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn on_any_path_pictures_are_whole_in_order_and_never_build_on_what_is_missing(seed: u64, loss in 0.0..0.15, again in 0.0..1.0) {
        let (assembler, ..) = run(seed, loss, again);
        // At most one request in 300 ms of the twelve seconds.
        prop_assert!(assembler.stats().keyframe_requests <= 40);
    }

    #[test]
    fn no_packets_make_it_panic_or_grow(packets in proptest::collection::vec(
        (any::<u16>(), 0u32..4, any::<bool>(), 95u8..108, proptest::collection::vec(any::<u8>(), 0..12), 0u64..50), 0..300)
    ) {
        let (start, mut assembler, mut data) = (Instant::now(), assembler(), Vec::new());
        let mut now = start;
        for (sequence_number, timestamp, marker, payload_type, payload, wait) in packets {
            now += ms(wait);
            let packet = RtpPacket {
                ssrc: 1, payload_type, sequence_number: sequence_number % 64, timestamp, marker,
                payload: Bytes::from(payload), arrived_at: now,
            };
            assembler.insert(packet, now);
            for _ in 0..100 {
                if assembler.poll(now, &mut data).is_none() {
                    break;
                }
            }
            prop_assert_eq!(assembler.poll(now, &mut data), None, "it comes to rest");
            prop_assert!(assembler.deadline().is_none_or(|due| due > now), "a deadline lies ahead");
        }
    }
}
