//! The shaping of a path in virtual time.

use super::*;

/// 1000 bytes take 8 ms, and 25 ms to the other side.
const MEGABIT: Leg = Leg { kbps: 1000, ..Leg::PLAIN };

fn begun(legs: &[Leg]) -> Shaper {
    let mut shaper = Shaper::new(legs.to_vec(), 1);
    shaper.begin(Duration::ZERO);
    shaper
}

/// One packet of 1000 bytes each so many ms; what became of them.
fn stream(shaper: &mut Shaper, from_ms: u64, every_ms: f64, count: u32) -> Vec<(Duration, Verdict)> {
    let at = |n: u32| ms(from_ms as f64 + every_ms * f64::from(n));
    (0..count).map(|n| (at(n), shaper.offer(at(n), 1000))).collect()
}

fn share(verdicts: &[(Duration, Verdict)], wanted: Verdict) -> f64 {
    verdicts.iter().filter(|(_, verdict)| *verdict == wanted).count() as f64 / verdicts.len() as f64
}

#[test]
fn a_packet_takes_its_time_on_the_link_and_the_delay() {
    let mut path = begun(&[MEGABIT]);
    assert_eq!(path.offer(ms(10.0), 1000), Verdict::Arrives(ms(10.0 + 8.0 + 25.0)));
    assert_eq!(path.offer(ms(100.0), 500), Verdict::Arrives(ms(100.0 + 4.0 + 25.0)), "an idle link keeps no credit");
}

#[test]
fn packets_wait_for_those_before_them_until_the_queue_is_full() {
    let mut path = begun(&[Leg { queue_ms: 20.0, ..MEGABIT }]);
    let verdicts: Vec<_> = (0..5).map(|_| path.offer(Duration::ZERO, 1000)).collect();
    let arrives = |n: f64| Verdict::Arrives(ms(8.0 * n + 25.0));
    assert_eq!(verdicts, [arrives(1.0), arrives(2.0), arrives(3.0), Verdict::Dropped, Verdict::Dropped]);
    let bucket = path.log()[0];
    assert_eq!((bucket.bytes_in, bucket.bytes_out, bucket.dropped, bucket.queued), (5000, 3000, 2, 3));
    assert_eq!((bucket.waited, bucket.longest_wait), (ms(24.0), ms(16.0)));
}

#[test]
fn never_more_comes_out_than_the_capacity() {
    let mut path = begun(&[MEGABIT]);
    stream(&mut path, 0, 4.0, 1000);
    let out: u64 = path.log()[..40].iter().map(|bucket| bucket.bytes_out).sum();
    assert!((496_000..=500_000).contains(&out), "{out} bytes in 4 s of 1 Mbit/s");
    assert!(path.log().iter().all(|bucket| bucket.longest_wait <= ms(300.0)));
}

#[test]
fn a_packet_on_the_link_meets_the_capacity_that_comes() {
    let mut path = begun(&[MEGABIT, Leg { from_s: 1.0, kbps: 100, ..Leg::PLAIN }]);
    // 4 of its 8 ms before the change, and what is left ten times as long.
    assert_eq!(path.offer(ms(996.0), 1000), Verdict::Arrives(ms(996.0 + 4.0 + 40.0 + 25.0)));
    let mut path = begun(&[Leg { kbps: 100, ..Leg::PLAIN }, Leg { from_s: 1.0, ..MEGABIT }]);
    assert_eq!(path.offer(ms(980.0), 1000), Verdict::Arrives(ms(980.0 + 20.0 + 6.0 + 25.0)));
}

#[test]
fn the_schedule_begins_with_the_call() {
    let mut path = Shaper::new(vec![MEGABIT, Leg { from_s: 1.0, kbps: 100, ..Leg::PLAIN }], 1);
    assert_eq!(path.offer(ms(5000.0), 1000), Verdict::Arrives(ms(5033.0)));
    assert!(path.log().is_empty(), "nothing is logged before");
    path.begin(ms(6000.0));
    assert_eq!(path.offer(ms(6100.0), 1000), Verdict::Arrives(ms(6133.0)));
    assert_eq!(path.offer(ms(7000.0), 1000), Verdict::Arrives(ms(7105.0)));
    assert_eq!(path.log()[1].bytes_in, 1000);
    assert_eq!(path.log()[10].bytes_in, 1000);
}

#[test]
fn independent_loss_is_as_asked() {
    let mut path = begun(&[Leg { loss: 0.05, ..Leg::PLAIN }]);
    let verdicts = stream(&mut path, 0, 10.0, 20_000);
    let lost = share(&verdicts, Verdict::Lost);
    assert!((lost - 0.05).abs() < 0.006, "{lost}");
    let logged: u32 = path.log().iter().map(|bucket| bucket.lost).sum();
    assert_eq!(f64::from(logged), lost * 20_000.0);
}

#[test]
fn loss_in_bursts_has_the_share_and_the_length_that_were_asked() {
    let mut path = begun(&[Leg { loss: 0.05, mean_burst: 4.0, ..Leg::PLAIN }]);
    let verdicts = stream(&mut path, 0, 10.0, 50_000);
    let lost: Vec<bool> = verdicts.iter().map(|(_, verdict)| *verdict == Verdict::Lost).collect();
    let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
    let count = lost.iter().filter(|lost| **lost).count();
    assert!((count as f64 / 50_000.0 - 0.05).abs() < 0.008, "{count}");
    assert!((count as f64 / bursts as f64 - 4.0).abs() < 0.5, "{count} in {bursts}");
}

#[test]
fn nothing_passes_a_hole_and_everything_after_it() {
    let whole = Leg { kbps: 8000, ..Leg::PLAIN };
    let mut path = begun(&[whole, Leg { from_s: 1.0, loss: 1.0, ..whole }, Leg { from_s: 1.6, ..whole }]);
    let verdicts = stream(&mut path, 0, 10.0, 300);
    for (at, verdict) in verdicts {
        let in_hole = (ms(1000.0)..ms(1600.0)).contains(&at);
        assert_eq!(verdict == Verdict::Lost, in_hole, "{at:?}");
    }
}

#[test]
fn jitter_delays_and_keeps_the_order() {
    let mut path = begun(&[Leg { jitter_ms: 60.0, ..Leg::PLAIN }]);
    let verdicts = stream(&mut path, 0, 5.0, 2000);
    let mut last = Duration::ZERO;
    let mut extra = Vec::new();
    for (at, verdict) in verdicts {
        let Verdict::Arrives(arrival) = verdict else { panic!("{verdict:?}") };
        assert!(arrival >= last, "out of order at {at:?}");
        last = arrival;
        extra.push((arrival - at).as_secs_f64() * 1e3 - 25.0 - 8.0 / 3.0);
    }
    assert!(extra.iter().all(|extra| (-0.01..=60.01).contains(extra)));
    assert!(extra.iter().any(|extra| *extra > 50.0) && extra.iter().any(|extra| *extra < 15.0));
}

#[test]
fn a_policer_lets_a_bucket_through_at_once_and_then_its_rate() {
    let mut path = begun(&[Leg { policer_bytes: Some(10_000), ..MEGABIT }]);
    let burst: Vec<_> = (0..12).map(|_| path.offer(Duration::ZERO, 1000)).collect();
    assert_eq!(burst.iter().filter(|verdict| **verdict == Verdict::Arrives(ms(25.0))).count(), 10);
    assert_eq!(burst[10..], [Verdict::Dropped; 2]);
    let verdicts = stream(&mut path, 8, 4.0, 1000);
    assert!((share(&verdicts, Verdict::Dropped) - 0.5).abs() < 0.01);
    let silent = 60_000;
    assert_eq!(path.offer(ms(silent.into()), 10_001), Verdict::Dropped, "tokens do not pile up beyond the bucket");
    assert_eq!(path.offer(ms(silent.into()), 10_000), Verdict::Arrives(ms(60_025.0)));
}

#[test]
fn the_same_seed_has_the_same_fate() {
    let leg = Leg { loss: 0.1, jitter_ms: 20.0, ..Leg::PLAIN };
    let fate = |seed| stream(&mut Shaper::new(vec![leg], seed), 0, 5.0, 500);
    assert_eq!(fate(7), fate(7));
    assert_ne!(fate(7), fate(8));
}
