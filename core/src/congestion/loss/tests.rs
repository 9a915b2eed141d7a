use super::*;

/// Sends at a rate for so long through a path that loses a part of it and all above a capacity; gives the next time.
fn run(
    loss: &mut LossEstimator,
    from: i64,
    seconds: f64,
    rate: impl Fn(&LossEstimator, i64) -> f64,
    part: f64,
    capacity: f64,
) -> i64 {
    let (mut at, mut tokens, mut dice) = (from, 0.0, 7_u64 + from as u64);
    let (mut fed, mut first) = (from, true);
    while at < from + (seconds * 1e6) as i64 {
        let bps = rate(loss, at);
        at += (1200.0 * 8e6 / bps) as i64;
        tokens = f64::min(tokens + 1200.0 * capacity / bps, 6_000.0);
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unlucky = (dice >> 33) as f64 / f64::from(1_u32 << 31) < part;
        if tokens < 1200.0 || unlucky {
            loss.lost(
                &Lost { sent_at: at, wire_bytes: 1200, class: Class::Video, in_a_row: part == 1.0 && !first },
                false,
            );
            first = false;
        } else {
            tokens -= 1200.0;
            loss.acked(at, 1200, false);
        }
        if at - fed >= 50_000 {
            fed = at;
            let acked = (bps * (1.0 - part)).min(capacity);
            let inputs = Inputs {
                acked: Some(acked),
                delay_rate: 2.5e6,
                queue_ms: 0.0,
                overuse: false,
                competing: false,
                application_limited: false,
            };
            loss.update(at, &inputs);
        }
    }
    at
}

fn following(loss: &LossEstimator, now: i64) -> f64 {
    loss.bps().unwrap_or(2.5e6).clamp(50e3, 2.5e6) * loss.test_factor(now)
}

#[test]
fn without_loss_there_is_no_bound() {
    let mut loss = LossEstimator::new();
    run(&mut loss, 0, 10.0, |_, _| 1e6, 0.0, 1e9);
    assert_eq!(loss.bps(), None);
    assert_eq!(loss.smoothed(), 0.0);
}

#[test]
fn random_loss_of_a_tenth_is_told_from_congestion() {
    let mut loss = LossEstimator::new();
    let at = run(&mut loss, 0, 20.0, following, 0.10, 1e9);
    assert!(loss.test.is_random(at, loss.smoothed()));
    assert!(following(&loss, at) > 1.5e6, "{:?}", loss.bps());
}

#[test]
fn a_policer_is_found_to_be_our_own_loss_and_kept_below() {
    let mut loss = LossEstimator::new();
    let at = run(&mut loss, 0, 20.0, following, 0.0, 1e6);
    assert!(!loss.test.is_random(at, loss.smoothed()));
    assert!(following(&loss, at) < 1.25e6, "{:?}", loss.bps());
}

#[test]
fn loss_that_grows_is_no_longer_the_random_one_that_was_measured() {
    let mut loss = LossEstimator::new();
    let at = run(&mut loss, 0, 20.0, following, 0.06, 1e9);
    assert!(loss.test.is_random(at, loss.smoothed()));
    assert!(!loss.test.is_random(at, 0.2));
}

#[test]
fn a_limit_that_is_known_is_met_without_a_test_and_stays_known() {
    let mut loss = LossEstimator::new();
    let at = run(&mut loss, 0, 3.0, |_, _| 9e5, 0.0, 1e6);
    let at = run(&mut loss, at, 5.0, following, 0.0, 1e6);
    assert!(loss.has_limit(at), "{:?} {:?} {at}", loss.limit, loss.rate);
    let at = run(&mut loss, at, 0.5, |_, _| 1.3e6, 0.0, 1e6);
    assert!(loss.is_own(at) && !loss.is_testing(at));
    assert!(following(&loss, at) < 1e6, "{:?}", loss.bps());
    run(&mut loss, at, 30.0, following, 0.0, 1e6);
    let at = run(&mut loss, at + 30_000_000, 65.0, |_, _| 5e5, 0.0, 1e6);
    assert!(!loss.has_limit(at), "not met for a minute");
}

#[test]
fn one_hole_is_neither_random_nor_ours() {
    let mut loss = LossEstimator::new();
    let at = run(&mut loss, 0, 10.0, |_, _| 2e6, 0.0, 1e9);
    let at = run(&mut loss, at, 0.6, |_, _| 2e6, 1.0, 1e9);
    let at = run(&mut loss, at, 5.0, following, 0.0, 1e9);
    assert!(!loss.is_own(at) && !loss.has_limit(at) && loss.random_part(at) == 0.0);
}

#[test]
fn what_a_long_queue_dropped_is_no_reason_to_repeat_sound() {
    for (congested, part) in [(true, 0.0), (false, 0.1)] {
        let mut loss = LossEstimator::new();
        for n in 0..20 {
            loss.lost(&Lost { sent_at: n, wire_bytes: 150, class: Class::Audio, in_a_row: true }, congested);
        }
        assert!((part..=2.0 * part).contains(&loss.of_audio()), "{}", loss.of_audio());
    }
}

#[test]
fn random_loss_does_not_silence_a_call_before_the_path_was_asked() {
    let mut loss = LossEstimator::new();
    let slow = |loss: &LossEstimator, at| following(loss, at).min(7e5);
    run(&mut loss, 0, 1.5, slow, 0.30, 1e9);
    assert_eq!(loss.bps(), Some(UNASKED));
}

#[test]
fn a_low_limit_is_soon_tried_again() {
    let mut loss = LossEstimator::new();
    let mut at = run(&mut loss, 0, 3.0, |_, _| 2.8e5, 0.0, 3e5);
    while !loss.has_limit(at) && at < 20_000_000 {
        at = run(&mut loss, at, 0.1, |loss, at| 4e5 * loss.test_factor(at), 0.0, 3e5);
    }
    assert!(loss.has_limit(at) && loss.is_own(at) && loss.passes_bursts(at));
    let at = run(&mut loss, at, 10.0, following, 0.0, 1e9);
    assert!(!loss.passes_bursts(at));
    assert!(following(&loss, at) > 3e5, "{:?}", loss.bps());
}
