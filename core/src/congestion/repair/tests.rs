use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Instant;

const NOTHING: [u16; 0] = [];

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Of which these came in this order, at once.
fn generator(t: Instant, came: impl IntoIterator<Item = u16>) -> NackGenerator {
    let mut generator = NackGenerator::new();
    generator.set_rtt(ms(50));
    came.into_iter().for_each(|n| generator.on_packet(t, n, false));
    generator
}

fn history(t: Instant, sent: impl IntoIterator<Item = u16>) -> (RetransmissionHistory<u16>, RetransmissionBudget) {
    let mut history = RetransmissionHistory::new();
    sent.into_iter().for_each(|n| history.on_sent(t, n, n, 1_000));
    (history, RetransmissionBudget::new(t, 10_000_000))
}

fn repeats(history: &mut RetransmissionHistory<u16>, budget: &mut RetransmissionBudget, now: Instant) -> Vec<u16> {
    std::iter::from_fn(|| history.poll(now, budget).map(|r| r.sequence_number)).collect()
}

#[test]
fn a_gap_is_asked_for_at_once_and_again_after_a_round_trip_and_ten_milliseconds() {
    let t = Instant::now();
    let mut generator = generator(t, [65_533, 65_534, 2]);
    assert_eq!(generator.poll(t), [65_535, 0, 1]);
    assert_eq!(generator.next_wake(), Some(t + ms(60)));
    assert_eq!(generator.poll(t + ms(59)), NOTHING);
    assert_eq!(generator.poll(t + ms(60)), [65_535, 0, 1]);
    generator.on_packet(t + ms(61), 0, true);
    assert_eq!(generator.poll(t + ms(120)), [65_535, 1], "what was repaired is not asked for");
    assert!(!generator.take_keyframe_request());
}

#[test]
fn a_packet_is_asked_for_ten_times_at_most() {
    let t = Instant::now();
    let mut generator = generator(t, [1, 3]);
    let asked = (0..10_000).filter(|&n| generator.poll(t + ms(n)) == [2]).count();
    assert_eq!(asked, 10);
    assert_eq!(generator.next_wake(), None);
}

#[test]
fn where_round_trips_are_long_each_request_is_made_twice() {
    let t = Instant::now();
    let mut far = NackGenerator::new();
    far.set_rtt(ms(250));
    [1, 3].into_iter().for_each(|n| far.on_packet(t, n, false));
    let asked: Vec<u64> = (0..600).filter(|&n| far.poll(t + ms(n)) == [2]).collect();
    assert_eq!(asked, [0, 15, 275, 290, 550, 565]);
    // A queue makes a round trip no longer than it was without.
    let mut queued = generator(t, [1]);
    queued.set_rtt(ms(250));
    queued.on_packet(t, 3, false);
    let asked: Vec<u64> = (0..600).filter(|&n| queued.poll(t + ms(n)) == [2]).collect();
    assert_eq!(asked, [0, 260, 520]);
}

#[test]
fn where_round_trips_are_long_the_first_answer_is_sent_twice() {
    let t = Instant::now();
    for (before, copies) in [(250, 2), (50, 1)] {
        let (mut history, mut budget) = history(t, 1..10);
        history.on_nack(t, 1, Some(ms(before)));
        repeats(&mut history, &mut budget, t + ms(20));
        history.on_nack(t, 5, Some(ms(250)));
        let sent: usize =
            (20..300).map(|n| repeats(&mut history, &mut budget, t + ms(n)).iter().filter(|&&n| n == 5).count()).sum();
        assert_eq!(sent, copies, "after a round trip of {before} ms");
    }
}

#[test]
fn packets_that_come_late_teach_how_long_to_wait() {
    // Milliseconds late, milliseconds that the next gap waits.
    for (late, waits) in [(4, 4), (10, 10), (35, 10)] {
        let t = Instant::now();
        let mut generator = generator(t, [1, 3]);
        generator.poll(t);
        generator.on_packet(t + ms(late), 2, false);
        let t = t + ms(100);
        generator.on_packet(t, 5, false);
        assert_eq!(generator.poll(t), NOTHING);
        assert_eq!(generator.next_wake(), Some(t + ms(waits)));
        assert_eq!(generator.poll(t + ms(waits)), [4]);
    }
}

#[test]
fn an_answer_on_the_original_stream_is_not_taken_for_a_late_packet() {
    let t = Instant::now();
    let mut generator = generator(t, [1, 3]);
    generator.poll(t);
    generator.on_packet(t + ms(50), 2, false);
    generator.on_packet(t + ms(51), 5, false);
    assert_eq!(generator.poll(t + ms(51)), [4], "at once, as before");
}

#[test]
fn the_tolerance_is_forgotten_with_the_path() {
    let t = Instant::now();
    let mut generator = generator(t, [1, 3]);
    generator.poll(t);
    generator.on_packet(t + ms(8), 2, false);
    let mut later = t;
    for n in 4..70 {
        later = t + ms(1_000 * (n - 3));
        generator.on_packet(later, n as u16, false);
    }
    generator.on_packet(later, 71, false);
    assert_eq!(generator.poll(later), [70]);
}

#[test]
fn a_gap_too_wide_brings_a_keyframe_instead_of_a_list() {
    // Packets missing, requests, keyframe.
    for (missing, list, keyframe) in [(300, 300, false), (301, 0, true), (5_000, 0, true)] {
        let t = Instant::now();
        let mut generator = generator(t, [65_000, 65_001]);
        let next = 65_002u16.wrapping_add(missing);
        generator.on_packet(t, next, false);
        generator.on_packet(t, next.wrapping_add(1), false);
        assert_eq!((generator.poll(t).len(), generator.take_keyframe_request()), (list, keyframe));
        assert!(!generator.take_keyframe_request(), "once");
        generator.on_packet(t, next.wrapping_add(3), false);
        assert_eq!(generator.poll(t), [next.wrapping_add(2)], "the stream goes on from there");
    }
}

#[test]
fn one_number_far_off_changes_nothing() {
    let t = Instant::now();
    let mut generator = generator(t, [100, 101]);
    for far in [40_000, 20_000, 60_000, 35_000] {
        generator.on_packet(t, far, false);
    }
    generator.on_packet(t, 30_000, true);
    generator.on_packet(t, 30_001, true);
    generator.on_packet(t, 103, false);
    assert_eq!((generator.poll(t), generator.take_keyframe_request()), (vec![102], false));
}

#[test]
fn a_gap_around_a_long_silence_brings_a_keyframe() {
    for (silence, list, keyframe) in [(300, 1, false), (301, 0, true)] {
        let t = Instant::now();
        let mut generator = generator(t, [1]);
        generator.on_packet(t + ms(silence), 3, false);
        assert_eq!((generator.poll(t + ms(silence)).len(), generator.take_keyframe_request()), (list, keyframe));
    }
    let t = Instant::now();
    let mut generator = generator(t, [1]);
    generator.on_packet(t + ms(5_000), 2, false);
    assert!(!generator.take_keyframe_request(), "nothing was lost");
}

#[test]
fn many_gaps_together_are_bounded_like_a_wide_one() {
    let t = Instant::now();
    let mut generator = generator(t, (0..800).map(|n| n * 2));
    assert!(generator.take_keyframe_request());
    assert_eq!(generator.poll(t).len(), 300);
}

#[test]
fn what_is_not_needed_any_more_is_not_asked_for() {
    let t = Instant::now();
    let mut generator = generator(t, [65_530, 65_532, 0, 2]);
    generator.forget_before(0);
    assert_eq!(generator.poll(t), [1]);
    generator.reset();
    generator.on_packet(t, 500, false);
    assert_eq!((generator.poll(t), generator.take_keyframe_request()), (vec![], false));
}

#[test]
fn of_packets_that_are_only_late_one_in_a_hundred_is_asked_for_at_most() {
    // 2 Mbit/s in packets of 1,200 bytes, for a minute; two in a hundred come 5 to 20 ms late.
    let t = Instant::now();
    let mut packets: Vec<(u64, u16)> = (0..12_500u64)
        .map(|n| {
            let random = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33;
            let late = if random % 50 == 0 { 5_000 + (random / 50) % 15_000 } else { 0 };
            (n * 4_800 + late, n as u16)
        })
        .collect();
    packets.sort_unstable();
    let mut generator = generator(t, []);
    let mut needless = 0;
    for (at, number) in packets {
        let now = t + Duration::from_micros(at);
        while let Some(wake) = generator.next_wake().filter(|wake| *wake < now) {
            needless += generator.poll(wake).len();
        }
        generator.on_packet(now, number, false);
        needless += generator.poll(now).len();
    }
    assert!(needless <= 125, "{needless} of 12,500");
}

#[test]
fn a_packet_is_repeated_when_asked_for_and_not_again_within_most_of_a_round_trip() {
    let t = Instant::now();
    let (mut history, mut budget) = history(t, 65_530..=65_535);
    history.on_nack(t + ms(20), 65_533, Some(ms(50)));
    history.on_nack(t + ms(20), 65_533, Some(ms(50)));
    assert_eq!(repeats(&mut history, &mut budget, t + ms(20)), [65_533]);
    history.on_nack(t + ms(59), 65_533, Some(ms(50)));
    assert_eq!(repeats(&mut history, &mut budget, t + ms(59)), NOTHING);
    history.on_nack(t + ms(60), 65_533, Some(ms(50)));
    assert_eq!(repeats(&mut history, &mut budget, t + ms(60)), [65_533]);
    assert_eq!(history.counts().too_soon, 2);
}

#[test]
fn from_the_second_request_on_two_copies_leave_apart() {
    let t = Instant::now();
    let (mut history, mut budget) = history(t, 0..10);
    history.on_nack(t, 4, Some(ms(50)));
    assert_eq!(repeats(&mut history, &mut budget, t), [4]);
    assert_eq!(history.next_wake(&budget), None);
    let again = t + ms(60);
    history.on_nack(again, 4, Some(ms(50)));
    assert_eq!(repeats(&mut history, &mut budget, again), [4]);
    assert_eq!(history.next_wake(&budget), Some(again + ms(15)));
    assert_eq!(repeats(&mut history, &mut budget, again + ms(14)), NOTHING);
    assert_eq!(repeats(&mut history, &mut budget, again + ms(15)), [4]);
    assert_eq!(history.next_wake(&budget), None);
}

#[test]
fn repeats_take_half_of_the_target_and_a_fifth_of_a_second_of_that_at_once() {
    let t = Instant::now();
    let (mut history, _) = history(t, 0..100);
    let mut budget = RetransmissionBudget::new(t, 800_000);
    (0..100).for_each(|n| history.on_nack(t, n, Some(ms(50))));
    assert_eq!(repeats(&mut history, &mut budget, t).len(), 10);
    assert_eq!(history.next_wake(&budget), Some(t + ms(20)));
    assert_eq!(repeats(&mut history, &mut budget, t + ms(19)), NOTHING);
    let later: Vec<u16> = (20..=100).flat_map(|n| repeats(&mut history, &mut budget, t + ms(n))).collect();
    assert_eq!(later, [10, 11, 12, 13, 14]);
}

#[test]
fn one_packet_fits_the_narrowest_budget() {
    let t = Instant::now();
    let mut budget = RetransmissionBudget::new(t, 0);
    assert!(budget.take(t, 1_500));
    budget.set_target(t, 30_000);
    assert_eq!(budget.ready(1_500), t + ms(800));
    assert!(!budget.take(t + ms(799), 1_500));
    assert!(budget.take(t + ms(800), 9_000), "an impossible size counts as the largest one");
}

#[test]
fn a_packet_past_its_time_is_not_repeated() {
    let rtt = ms(50);
    let last = repair_wait(rtt) - rtt;
    for (after, repeated) in [(last, true), (last + ms(1), false)] {
        let t = Instant::now();
        let (mut history, mut budget) = history(t, 0..10);
        history.on_nack(t, 4, Some(rtt));
        assert_eq!(repeats(&mut history, &mut budget, t), [4]);
        history.on_nack(t + after, 4, Some(rtt));
        assert_eq!(!repeats(&mut history, &mut budget, t + after).is_empty(), repeated);
        assert_eq!(history.counts().too_late, u64::from(!repeated));
    }
}

#[test]
fn the_wait_for_repair_grows_with_the_round_trip_within_bounds() {
    for (rtt, wait) in [(0, 400), (33, 400), (34, 404), (50, 500), (166, 1_196), (167, 1_200), (60_000, 1_200)] {
        assert_eq!(repair_wait(ms(rtt)), ms(wait));
    }
}

#[test]
fn packets_are_kept_for_a_second_or_three_round_trips() {
    for (rtt, age, kept) in [(50, 1_000, true), (50, 1_001, false), (400, 1_200, true), (400, 1_201, false)] {
        let t = Instant::now();
        let (mut history, mut budget) = history(t, 0..10);
        history.on_nack(t + ms(age), 4, Some(ms(rtt)));
        assert_eq!(repeats(&mut history, &mut budget, t + ms(age)).len(), usize::from(kept), "{rtt} {age}");
    }
}

#[test]
fn what_was_never_sent_or_is_not_kept_is_counted_and_that_is_all() {
    let t = Instant::now();
    let (mut history, mut budget) = history(t, 10..20);
    for number in [9, 20, 30_000, 65_535] {
        history.on_nack(t, number, Some(ms(50)));
    }
    assert_eq!(repeats(&mut history, &mut budget, t), NOTHING);
    assert_eq!(history.counts().unknown, 4);
}

#[test]
fn the_history_is_bounded_in_bytes() {
    let t = Instant::now();
    let (history, _) = history(t, 0..3_000);
    assert_eq!(history.recent().count(), 2_000);
    assert_eq!(history.recent().next(), Some((&2_999, 1_000)));
}

#[test]
fn a_flood_of_requests_is_bounded_and_counted() {
    let t = Instant::now();
    let (mut history, mut budget) = history(t, 0..100);
    (0..50_000).for_each(|n| history.on_nack(t, n % 100, Some(ms(50))));
    let counts = history.counts();
    assert_eq!((counts.asked, counts.flood, counts.too_soon), (50_000, 49_000, 900));
    assert_eq!(repeats(&mut history, &mut budget, t).len(), 100);
    history.on_nack(t + ms(100), 5, Some(ms(50)));
    assert_eq!(repeats(&mut history, &mut budget, t + ms(100)), [5], "afterwards all is as before");
}

proptest! {
    #[test]
    fn hostile_numbers_leave_a_generator_bounded_and_of_use(
        numbers in proptest::collection::vec((any::<u16>(), any::<bool>(), 0u64..50), 0..2_000)
    ) {
        let (mut now, mut generator) = (Instant::now(), NackGenerator::new());
        for (number, repaired, wait) in numbers {
            now += ms(wait);
            generator.on_packet(now, number, repaired);
            prop_assert!(generator.poll(now).len() <= 300);
            prop_assert!(generator.next_wake().is_none_or(|wake| wake > now));
        }
        // A stream that goes on is followed again, at the latest when it has passed what a number may be late.
        for n in 20_000..21_500 {
            generator.on_packet(now, n, false);
        }
        generator.on_packet(now, 21_501, false);
        prop_assert!(generator.poll(now + ms(20)).contains(&21_500));
    }

    #[test]
    fn no_packet_is_repeated_within_most_of_a_round_trip_but_for_its_second_copy(
        asks in proptest::collection::vec((0u16..20, 0u64..30), 1..500), rtt in 20u64..400
    ) {
        let (mut now, mut history, mut budget) = {
            let t = Instant::now();
            let (history, budget) = history(t, 0..20);
            (t, history, budget)
        };
        let mut times: HashMap<u16, Vec<Instant>> = HashMap::new();
        for (number, wait) in asks {
            for _ in 0..wait {
                now += ms(1);
                for number in repeats(&mut history, &mut budget, now) {
                    times.entry(number).or_default().push(now);
                }
            }
            history.on_nack(now, number, Some(ms(rtt)));
        }
        for times in times.values() {
            for pair in times.windows(2) {
                let apart = pair[1] - pair[0];
                prop_assert!(apart >= ms(15), "{apart:?}");
            }
            for three in times.windows(3) {
                prop_assert!(three[2] - three[0] >= ms(rtt) * 4 / 5);
            }
        }
    }

    #[test]
    fn repeats_never_take_more_than_their_part(
        asks in proptest::collection::vec((0u16..200, 0u64..10), 1..500), target in 50_000u32..2_000_000
    ) {
        let t = Instant::now();
        let (mut history, _) = history(t, 0..200);
        let mut budget = RetransmissionBudget::new(t, target);
        let (mut now, mut bytes) = (t, 0u64);
        for (number, wait) in asks {
            now += ms(wait);
            history.on_nack(now, number, Some(ms(20)));
            bytes += 1_000 * repeats(&mut history, &mut budget, now).len() as u64;
        }
        let half = u64::from(target / 2);
        let most = half * (now - t).as_millis() as u64 / 8_000 + (half / 40).max(1_500) + 1;
        prop_assert!(bytes <= most, "{bytes} > {most}");
    }
}
