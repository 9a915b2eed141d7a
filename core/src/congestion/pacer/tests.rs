use super::*;
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn ms(count: u32) -> Duration {
    MS * count
}

/// Pops all that may leave, by handle.
fn drain(pacer: &mut Pacer<u32>, now: Instant) -> Vec<u32> {
    std::iter::from_fn(|| pacer.pop(now)).map(|p| p.handle).collect()
}

/// Follows the pacer's own wake-ups until `end`; tells what left, and when.
fn run(pacer: &mut Pacer<u32>, from: Instant, end: Instant) -> Vec<(Instant, Released<u32>)> {
    let (mut now, mut left) = (from, Vec::new());
    loop {
        left.extend(std::iter::from_fn(|| pacer.pop(now)).map(|p| (now, p)));
        match pacer.next_wake() {
            Some(wake) if wake <= end => {
                assert!(wake > now, "all was popped, and yet it wants to be woken at once");
                now = wake;
            }
            _ => return left,
        }
    }
}

fn probe(id: u32, rate_bps: u32, min_packets: u32, min_bytes: u32) -> Probe {
    Probe { id: ProbeId(id), rate_bps, min_packets, min_bytes }
}

#[test]
fn classes_leave_in_their_order_and_each_in_the_order_it_came() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 8_000_000);
    // The first takes the burst, so that the others wait.
    pacer.push(t, Class::Video, None, 5_000, 0);
    assert_eq!(drain(&mut pacer, t), [0]);
    for (handle, class) in [(1, Class::Fec), (2, Class::Video), (3, Class::Video), (4, Class::VideoRtx)] {
        pacer.push(t, class, None, 1_000, handle);
    }
    pacer.push(t, Class::Audio, None, 100, 5);
    assert_eq!(drain(&mut pacer, t), [5], "sound waits for nothing");
    let order: Vec<u32> = run(&mut pacer, t, t + ms(100)).into_iter().map(|(_, p)| p.handle).collect();
    assert_eq!(order, [4, 1, 2, 3]);
}

#[test]
fn sound_leaves_at_once_through_a_full_queue_and_past_a_probe() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 30_000);
    for n in 0..200 {
        pacer.push(t, Class::Video, None, 1_200, n);
    }
    drain(&mut pacer, t);
    pacer.start_probe(t, probe(1, 100_000, 5, 3_000));
    drain(&mut pacer, t);
    for n in 0..50 {
        let now = t + ms(n);
        pacer.push(now, Class::Audio, None, 160, 1_000 + n);
        assert_eq!(pacer.next_wake(), Some(now));
        assert_eq!(pacer.pop(now).map(|p| p.handle), Some(1_000 + n));
    }
}

#[test]
fn sound_costs_the_others_nothing_as_their_pace_is_without_it() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 80_000);
    for n in 0..100 {
        pacer.push(t, Class::Audio, None, 160, n);
    }
    drain(&mut pacer, t);
    pacer.push(t, Class::Video, None, 100, 100);
    assert_eq!(drain(&mut pacer, t), [100]);
}

#[test]
fn a_burst_is_five_milliseconds_of_the_pace_or_one_packet() {
    // Pace, size of each packet, packets at once.
    for (pace_bps, size, burst) in
        [(8_000_000, 1_000, 5), (8_000_000, 1_001, 4), (1_600_000, 1_000, 1), (1_600_000, 500, 2), (30_000, 1_400, 1)]
    {
        let t = Instant::now();
        let mut pacer = Pacer::new(t, pace_bps);
        for n in 0..20 {
            pacer.push(t, Class::Video, None, size, n);
        }
        assert_eq!(drain(&mut pacer, t).len(), burst, "{size} bytes at {pace_bps} bit/s");
        let paid = Duration::from_secs_f64(f64::from(size) * 8.0 * burst as f64 / f64::from(pace_bps));
        let wake = pacer.next_wake().unwrap();
        assert!((wake - t).abs_diff(paid) < Duration::from_micros(1));
        assert!(pacer.pop(wake - Duration::from_micros(1)).is_none());
        assert!(pacer.pop(wake).is_some());
    }
}

#[test]
fn a_late_timer_is_paid_for_up_to_twenty_milliseconds() {
    // After so long, so many packets of a millisecond each; a burst of five may follow what was paid for.
    for (late, packets) in [(5, 5), (12, 12), (25, 25), (26, 25), (500, 25)] {
        let t = Instant::now();
        let mut pacer = Pacer::new(t, 8_000_000);
        for n in 0..100 {
            pacer.push(t, Class::Video, None, 1_000, n);
        }
        assert_eq!(drain(&mut pacer, t).len(), 5);
        assert_eq!(drain(&mut pacer, t + ms(late)).len(), packets, "{late} ms late");
    }
}

#[test]
fn time_in_which_nothing_waits_is_not_saved_up() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 8_000_000);
    let t = t + Duration::from_secs(10);
    for n in 0..100 {
        pacer.push(t, Class::Video, None, 1_000, n);
    }
    assert_eq!(drain(&mut pacer, t).len(), 5);
}

#[test]
fn the_backlog_is_told_in_time_at_the_present_pace() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 800_000);
    assert_eq!(pacer.video_backlog(), Duration::ZERO);
    for n in 0..11 {
        pacer.push(t, Class::Video, None, 1_000, n);
    }
    drain(&mut pacer, t);
    assert_eq!(pacer.video_backlog(), ms(100));
    pacer.push(t, Class::VideoRtx, None, 1_000, 11);
    assert_eq!(pacer.video_backlog(), ms(110));
    pacer.set_pace(t, 400_000);
    assert_eq!(pacer.video_backlog(), ms(220));
}

#[test]
fn repairs_leave_by_deadline_and_not_past_it() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 800_000);
    pacer.push(t, Class::Video, None, 1_000, 0);
    drain(&mut pacer, t);
    for (handle, deadline) in [(1, None), (2, Some(50)), (3, Some(9)), (4, Some(40)), (5, None)] {
        pacer.push(t, Class::VideoRtx, deadline.map(|d| t + ms(d)), 1_000, handle);
    }
    let left: Vec<u32> = run(&mut pacer, t, t + ms(200)).into_iter().map(|(_, p)| p.handle).collect();
    assert_eq!(left, [4, 2, 1, 5], "the next turn comes after 10 ms, and one had 9 ms");
    assert_eq!(pacer.given_up(), 1);
}

#[test]
fn media_that_has_its_number_leaves_however_late() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 30_000);
    for n in 0..5 {
        pacer.push(t, Class::Video, Some(t), 1_000, n);
        pacer.push(t, Class::Audio, Some(t), 100, 100 + n);
    }
    let late = t + Duration::from_secs(3_600);
    let left = run(&mut pacer, late, late + Duration::from_secs(10));
    assert_eq!((left.len(), pacer.given_up()), (10, 0));
}

#[test]
fn what_is_sent_again_has_a_bound_in_time() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 160_000);
    for n in 0..100 {
        pacer.push(t, Class::VideoRtx, None, 1_000, n);
        pacer.push(t, Class::Fec, None, 1_000, n);
    }
    assert_eq!(pacer.video_backlog(), 2 * MAX_REPAIR_BACKLOG);
    assert_eq!(pacer.given_up(), 180);
}

#[test]
fn a_probe_runs_at_its_own_pace_with_media_first_and_padding_after() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 800_000);
    for n in 0..4 {
        pacer.push(t, Class::Video, None, 1_000, n);
    }
    pacer.start_probe(t, probe(7, 4_000_000, 5, 7_500));
    let (mut now, mut left) = (t, Vec::new());
    for _ in 0..100 {
        while let Some(p) = pacer.pop(now) {
            left.push((now, p));
        }
        if let Some(size) = pacer.wants_padding(now) {
            pacer.push(now, Class::Padding, None, size, 99);
            continue;
        }
        let Some(wake) = pacer.next_wake() else { break };
        now = wake;
    }
    assert!(left.iter().all(|(_, p)| p.probe == Some(ProbeId(7))));
    let classes: Vec<Class> = left.iter().map(|(_, p)| p.class).collect();
    assert_eq!(classes[..4], [Class::Video; 4]);
    assert!(classes[4..].iter().all(|c| *c == Class::Padding) && classes.len() >= 7);
    let bytes: u32 = left.iter().map(|(_, p)| p.wire_bytes).sum();
    assert!((7_500..8_700).contains(&bytes), "{bytes}");
    // Each packet leaves when those before it have taken their time at 4 Mbit/s.
    let mut before = 0;
    for (at, p) in &left {
        assert_eq!(*at - t, Duration::from_nanos(before * 2_000));
        before += u64::from(p.wire_bytes);
    }
}

#[test]
fn a_probe_needs_its_packets_and_its_bytes() {
    for (min_packets, min_bytes, size, packets) in [(5, 1_000, 1_000, 5), (5, 6_000, 1_000, 6), (1, 1, 1_000, 1)] {
        let t = Instant::now();
        let mut pacer = Pacer::new(t, 8_000_000);
        pacer.start_probe(t, probe(1, 8_000_000, min_packets, min_bytes));
        for n in 0..20 {
            pacer.push(t, Class::Video, None, size, n);
        }
        let left = run(&mut pacer, t, t + ms(100));
        assert_eq!(left.iter().filter(|(_, p)| p.probe.is_some()).count(), packets);
        assert_eq!(left.len(), 20);
    }
}

#[test]
fn what_a_probe_spent_is_paid_back_before_video_goes_on() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 800_000);
    pacer.start_probe(t, probe(1, 8_000_000, 5, 5_000));
    for n in 0..6 {
        pacer.push(t, Class::Video, None, 1_000, n);
    }
    let left = run(&mut pacer, t, t + ms(100));
    let times: Vec<Duration> = left.iter().map(|(at, _)| *at - t).collect();
    assert_eq!(times, [0, 1, 2, 3, 4, 50].map(ms));
}

#[test]
fn a_probe_is_given_up_once_it_is_ten_milliseconds_late() {
    for (late, probes) in [(10, true), (11, false)] {
        let t = Instant::now();
        let mut pacer = Pacer::new(t, 80_000);
        pacer.start_probe(t, probe(1, 8_000_000, 5, 5_000));
        pacer.push(t, Class::Video, None, 1_000, 0);
        assert!(pacer.pop(t).unwrap().probe.is_some());
        // The second was due after 1 ms.
        let now = t + ms(late);
        pacer.push(now, Class::Padding, None, 1_000, 1);
        assert_eq!(pacer.pop(now).is_some(), probes, "{late} ms");
        assert_eq!(pacer.wants_padding(now).is_some(), probes);
        assert_eq!(pacer.given_up(), u64::from(!probes));
    }
}

#[test]
fn a_probe_without_anything_to_send_waits_for_a_second() {
    let t = Instant::now();
    let mut pacer = Pacer::<u32>::new(t, 800_000);
    pacer.start_probe(t, probe(1, 8_000_000, 5, 5_000));
    assert_eq!(pacer.next_wake(), Some(t + Duration::from_secs(1)), "padding was asked for and there was none");
    pacer.push(t + ms(500), Class::Audio, None, 100, 0);
    assert_eq!(pacer.pop(t + ms(500)).unwrap().probe, None, "sound does not begin one");
    pacer.push(t + ms(999), Class::Video, None, 1_000, 1);
    assert!(pacer.pop(t + ms(999)).unwrap().probe.is_some());
    let mut pacer = Pacer::<u32>::new(t, 800_000);
    pacer.start_probe(t, probe(1, 8_000_000, 5, 5_000));
    pacer.push(t + ms(1_001), Class::Video, None, 1_000, 1);
    assert!(pacer.pop(t + ms(1_001)).unwrap().probe.is_none());
}

#[test]
fn probes_run_one_after_the_other() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 800_000);
    for id in 0..6 {
        pacer.start_probe(t, probe(id, 8_000_000, 2, 2_000));
    }
    for n in 0..12 {
        pacer.push(t, Class::Video, None, 1_000, n);
    }
    let left = run(&mut pacer, t, t + Duration::from_secs(1));
    let ids: Vec<Option<u32>> = left.iter().map(|(_, p)| p.probe.map(|id| id.0)).collect();
    let first = [0, 0, 1, 1, 2, 2, 3, 3].map(Some);
    assert_eq!((&ids[..8], &ids[8..]), (&first[..], &[None; 4][..]), "a fifth finds no room");
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let t = Instant::now() + Duration::from_secs(100);
    let mut pacer = Pacer::new(t, 800_000);
    for n in 0..3 {
        pacer.push(t, Class::Video, None, 1_000, n);
    }
    assert_eq!(drain(&mut pacer, t), [0]);
    assert_eq!(drain(&mut pacer, t - Duration::from_secs(99)), [0; 0]);
    assert_eq!(pacer.next_wake(), Some(t + ms(10)));
    assert_eq!(drain(&mut pacer, t + ms(10)), [1]);
}

#[test]
fn sound_that_joins_a_probe_of_hardly_any_rate_does_not_hold_up_the_rest_for_seconds() {
    let t = Instant::now();
    let mut pacer = Pacer::new(t, 500_000);
    pacer.start_probe(t, probe(0, 1, 5, 0));
    pacer.push(t, Class::VideoRtx, None, 0, 0);
    pacer.push(t, Class::Audio, None, 100, 1);
    assert_eq!(drain(&mut pacer, t), [1, 0]);
    pacer.push(t, Class::Video, None, 100, 2);
    assert!(pacer.next_wake().is_some_and(|wake| wake <= t + ms(100)), "{:?}", pacer.next_wake());
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Push(Class, u32),
    Pace(u32),
    Probe(u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![
        Just(Class::Audio),
        Just(Class::VideoRtx),
        Just(Class::Video),
        Just(Class::Fec),
        Just(Class::Padding)
    ];
    prop_oneof![
        3 => (0u64..30_000).prop_map(Step::Wait),
        6 => (class, 0u32..1_500).prop_map(|(class, size)| Step::Push(class, size)),
        1 => any::<u32>().prop_map(Step::Pace),
        1 => (any::<u32>(), 0u32..20_000).prop_map(|(rate, bytes)| Step::Probe(rate, bytes)),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_nothing_numbered_is_lost_sound_never_waits_and_no_wake_up_is_in_the_past(
        steps in proptest::collection::vec(step(), 1..300)
    ) {
        let start = Instant::now();
        let (mut now, mut pacer) = (start, Pacer::new(start, 500_000));
        let (mut pushed, mut popped, mut last_video) = (0, 0, None);
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Wait(us) => now += Duration::from_micros(us),
                Step::Push(class, size) => {
                    pushed += u32::from(class == Class::Video);
                    pacer.push(now, class, None, size, n as u32);
                    if class == Class::Audio {
                        prop_assert_eq!(pacer.pop(now).map(|p| p.handle), Some(n as u32));
                    }
                }
                Step::Pace(bps) => pacer.set_pace(now, bps),
                Step::Probe(rate, bytes) => pacer.start_probe(now, probe(n as u32, rate, 5, bytes)),
            }
            while let Some(p) = pacer.pop(now) {
                prop_assert!(p.class != Class::Audio);
                if p.class == Class::Video {
                    prop_assert!(last_video < Some(p.handle));
                    last_video = Some(p.handle);
                    popped += 1;
                }
            }
            if let Some(wake) = pacer.next_wake() {
                prop_assert!(wake >= now);
                prop_assert!(wake <= now + Duration::from_secs(5), "{:?}", wake - now);
            }
        }
        let rest = run(&mut pacer, now + Duration::from_secs(5), now + Duration::from_secs(3_600));
        popped += rest.iter().filter(|(_, p)| p.class == Class::Video).count() as u32;
        prop_assert_eq!(popped, pushed);
    }

    #[test]
    fn no_stretch_of_time_carries_more_than_its_pace_and_one_burst(
        sizes in proptest::collection::vec(40u32..1_500, 2..200), pace_bps in 30_000u32..20_000_000
    ) {
        let t = Instant::now();
        let mut pacer = Pacer::new(t, pace_bps);
        for (n, &size) in sizes.iter().enumerate() {
            pacer.push(t, Class::Video, None, size, n as u32);
        }
        let left = run(&mut pacer, t, t + Duration::from_secs(3_600));
        prop_assert_eq!(left.len(), sizes.len());
        let pace = f64::from(pace_bps) / 8.0;
        for from in 0..left.len() {
            let mut bytes = 0.0;
            for (at, p) in &left[from..] {
                bytes += f64::from(p.wire_bytes);
                let time = (*at - left[from].0).as_secs_f64();
                prop_assert!(bytes <= pace * time + (pace * 0.005).max(1_500.0) + 1.0);
            }
        }
        let all = f64::from(sizes.iter().sum::<u32>());
        let took = (left.last().unwrap().0 - t).as_secs_f64();
        prop_assert!(pace * took + (pace * 0.005).max(1_500.0) + 1.0 >= all, "no slower than its pace");
        prop_assert!(all >= pace * took, "no faster either");
    }
}
