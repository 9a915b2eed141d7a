//! The simulator itself: a known path and a known source have a known outcome.

use super::call::{Setup, run, run_with};
use super::link::{Fate, Link, MILLI, Path, SECOND};
use super::measure::Measure;
use super::packet::instant;
use super::random::Random;
use super::rate_control::{Blind, ours};
use super::report::Report;
use super::sound::{JitterBuffer, Microphone, UNIT};
use crate::congestion::{AudioPlan, Config};

/// Sends a packet of 1250 bytes each `every` microseconds; returns what became of them.
fn offer(path: Path, every: u64, count: u64) -> Vec<(u64, Fate)> {
    let mut link = Link::new(path, Random::new(7));
    (0..count).map(|n| (n * every, link.send(n * every, 1250))).collect()
}

fn share(fates: &[(u64, Fate)], what: impl Fn(&Fate) -> bool) -> f64 {
    fates.iter().filter(|(_, fate)| what(fate)).count() as f64 / fates.len() as f64
}

fn arrivals(fates: &[(u64, Fate)]) -> Vec<(u64, u64, u64)> {
    let arrives = |(sent, fate): &(u64, Fate)| match fate {
        Fate::Arrives { at, waited, .. } => Some((*sent, *at, *waited)),
        _ => None,
    };
    fates.iter().filter_map(arrives).collect()
}

#[test]
fn a_link_that_is_not_full_adds_its_delay_and_the_time_to_send_alone() {
    // 1 Mbit/s sends 1250 bytes in 10 ms; half of that is offered.
    for (sent, at, waited) in arrivals(&offer(Path::new(1_000, 25), 20 * MILLI, 500)) {
        assert_eq!((at - sent, waited), (35 * MILLI, 0));
    }
}

#[test]
fn a_link_that_is_offered_twice_its_capacity_fills_its_queue_and_drops_the_other_half() {
    let fates = offer(Path::new(1_000, 25), 5 * MILLI, 4_000);
    let late = &fates[1_000..];
    let dropped = share(late, |fate| *fate == Fate::QueueFull);
    assert!((dropped - 0.5).abs() < 0.01, "{dropped}");
    for (_, _, waited) in arrivals(late) {
        assert!((285 * MILLI..=311 * MILLI).contains(&waited), "{waited}");
    }
    let came = arrivals(late);
    let (first, last) = (came[0].1, came[came.len() - 1].1);
    let bps = (came.len() as u64 - 1) * 1250 * 8 * SECOND / (last - first);
    assert!(bps.abs_diff(1_000_000) < 10_000, "{bps}");
}

#[test]
fn what_is_in_the_queue_when_the_capacity_falls_leaves_at_the_new_one() {
    let path = Path::new(1_000, 0).then(1_000, |step| step.capacity_bps = 100_000);
    let mut link = Link::new(path, Random::new(1));
    // 50 ms before the fall: five packets leave, the sixth takes ten times as long.
    let fates: Vec<Fate> = (0..6).map(|_| link.send(950 * MILLI, 1250)).collect();
    let at =
        |n: usize| matches!(fates[n], Fate::Arrives { at, .. } if at == [960, 970, 980, 990, 1000, 1100][n] * MILLI);
    assert!((0..6).all(at), "{fates:?}");
}

#[test]
fn loss_duplicates_and_disorder_come_as_often_as_was_asked_for() {
    let fates = offer(Path::new(100_000, 10).with(|step| step.loss = 0.1), MILLI, 50_000);
    assert!((share(&fates, |fate| *fate == Fate::Lost) - 0.1).abs() < 0.005);
    let fates = offer(Path::new(100_000, 10).with(|step| step.duplicate = 0.05), MILLI, 50_000);
    assert!((share(&fates, |fate| matches!(fate, Fate::Arrives { twice: true, .. })) - 0.05).abs() < 0.005);
    let came = arrivals(&offer(Path::new(100_000, 10).with(|step| step.reorder = 0.02), MILLI, 50_000));
    let overtaken = came.windows(2).filter(|pair| pair[0].1 > pair[1].1).count() as f64 / came.len() as f64;
    assert!((overtaken - 0.02).abs() < 0.004, "{overtaken}");
    let shaken = arrivals(&offer(Path::new(100_000, 10).with(|step| step.jitter = 30 * MILLI), 50 * MILLI, 5_000));
    let mean = shaken.iter().map(|(sent, at, _)| at - sent).sum::<u64>() / shaken.len() as u64;
    assert!(mean.abs_diff(25 * MILLI + 100) < MILLI, "{mean}");
}

#[test]
fn bursts_of_loss_are_as_long_as_was_asked_for() {
    let lossy = Path::new(100_000, 10).with(|step| {
        step.loss = 0.05;
        step.burst = 4.0;
    });
    let fates = offer(lossy, MILLI, 200_000);
    let lost = share(&fates, |fate| *fate == Fate::Lost);
    let begins = fates.windows(2).filter(|pair| pair[0].1 != Fate::Lost && pair[1].1 == Fate::Lost).count();
    let burst = lost * fates.len() as f64 / begins as f64;
    assert!((lost - 0.05).abs() < 0.005 && (burst - 4.0).abs() < 0.2, "{lost} {burst}");
}

#[test]
fn a_policer_lets_its_rate_through_and_delays_nothing() {
    let fates = offer(Path::new(100_000, 10).with(|step| step.policer = Some((1_000_000, 6_000))), 5 * MILLI, 10_000);
    assert!((share(&fates, |fate| *fate == Fate::Lost) - 0.5).abs() < 0.01);
    assert!(arrivals(&fates).iter().all(|(sent, at, _)| at - sent == 10_100));
}

#[test]
fn nothing_passes_an_outage() {
    let path = Path::new(1_000, 25).then(1_000, |step| step.outage = true).then(2_000, |step| step.outage = false);
    assert!((path.carries(0, 3 * SECOND) - 2_000_000.0).abs() < 1.0);
    for (sent, fate) in offer(path, 20 * MILLI, 150) {
        assert_eq!(fate == Fate::Lost, (SECOND..2 * SECOND).contains(&sent));
    }
}

fn heard(loss: f64, plan: &AudioPlan) -> f64 {
    let (mut microphone, mut jitter, mut random) = (Microphone::new(0), JitterBuffer::new(), Random::new(3));
    let units = plan.frame.as_micros() as u64 / UNIT;
    for tick in 0..30_000 {
        let now = tick * UNIT * units;
        if let Some((packet, _)) = microphone.packet(now, plan)
            && !random.chance(loss)
        {
            jitter.arrived(now + units * UNIT, &packet);
        }
        for unit in 0..units {
            jitter.play(now + units * UNIT + unit * UNIT);
        }
    }
    jitter.concealed as f64 / (jitter.concealed + jitter.played) as f64
}

#[test]
fn sound_that_is_lost_is_concealed_but_for_what_copies_bring_back() {
    let frame = std::time::Duration::from_millis(20);
    let mut plan = AudioPlan { bitrate_bps: 32_000, frame, redundancy: 0, loss_percent: 0, dtx: false };
    let bare = heard(0.10, &plan);
    assert!((bare - 0.10).abs() < 0.01, "{bare}");
    plan.loss_percent = 10;
    let fec = heard(0.10, &plan);
    assert!((0.005..0.02).contains(&fec), "{fec}");
    plan.redundancy = 2;
    let copies = heard(0.10, &plan);
    assert!(copies < 0.005, "{copies}");
    assert!(heard(0.0, &plan) == 0.0);
}

fn blind(setup: &Setup, control: Blind) -> Vec<Report> {
    let config = Config { start_bps: 300_000, min_bps: 24_000, max_bps: 200_000 };
    run_with(setup, 1, (Box::new(control), ours(instant(0), config)))
}

#[test]
fn a_source_below_the_capacity_is_delivered_to_the_percent_with_no_queue() {
    let setup = Setup::new(30, Path::new(1_000, 25));
    let reports = blind(&setup, Blind::steady(500_000));
    let used = Measure::Use((5, 30)).of(&setup, &reports);
    // The encoder makes a little less of it than it may.
    assert!((0.46..0.51).contains(&used), "{used}");
    assert!(Measure::QueueMean((5, 30)).of(&setup, &reports) < 5.0);
    assert!(Measure::Frozen((5, 30)).of(&setup, &reports) == 0.0);
    assert!(Measure::Concealed((0, 30)).of(&setup, &reports) < 0.1);
    let delay = Measure::FrameDelayP95((5, 30)).of(&setup, &reports);
    assert!((40.0..250.0).contains(&delay), "{delay}");
}

#[test]
fn a_sender_that_hears_neither_delay_nor_loss_keeps_the_queue_full() {
    let setup = Setup::new(60, Path::new(1_000, 25));
    let reports = blind(&setup, Blind::growing(500_000));
    let queue = Measure::QueueMean((20, 60)).of(&setup, &reports);
    let drops = Measure::QueueDrops((20, 60)).of(&setup, &reports);
    let frozen = Measure::Frozen((20, 60)).of(&setup, &reports);
    assert!(queue > 200.0 && drops > 100.0 && frozen > 5.0, "{queue} {drops} {frozen}");
}

#[test]
fn the_same_seed_gives_the_same_call_and_another_one_another() {
    let setup = Setup::new(20, Path::new(1_000, 25).with(|step| step.loss = 0.02));
    let series = |seed| run(&setup, seed)[0].series();
    assert_eq!(series(1), series(1));
    assert_ne!(series(1), series(2));
}
