//! What holds on any path: random schedules, one seed each.

use super::call::{Setup, run};
use super::cross::Cross;
use super::link::{MILLI, Path, SECOND};
use super::measure::Measure;
use super::random::Random;
use super::report::Report;

const CALLS: u64 = 40;
const SECONDS: u64 = 40;

/// Steps of capacity, delay, queue, loss and jitter, and a clean end.
fn random_setup(random: &mut Random) -> Setup {
    let kbps = |random: &mut Random| [150, 300, 600, 1_000, 2_000, 4_000, 8_000][random.between(0, 7) as usize];
    let mut path = Path::new(kbps(random), random.between(5, 120));
    let mut at = 0;
    loop {
        at += random.between(1_500, 9_000);
        if at >= 25_000 {
            break;
        }
        let capacity = kbps(random) * 1000;
        let queue = random.between(50, 600) * MILLI;
        let loss = if random.chance(0.4) { random.unit() * 0.15 } else { 0.0 };
        let jitter = if random.chance(0.3) { random.between(5, 60) * MILLI } else { 0 };
        let burst = if random.chance(0.3) { 4.0 } else { 1.0 };
        let outage = random.chance(0.08);
        path = path.then(at, |step| {
            (step.capacity_bps, step.queue, step.loss, step.jitter) = (capacity, queue, loss, jitter);
            (step.burst, step.outage) = (burst, outage);
        });
    }
    let path = path.then(25_000, |step| {
        (step.capacity_bps, step.queue, step.loss, step.jitter) = (2_000_000, 300 * MILLI, 0.0, 0);
        step.outage = false;
    });
    let mut setup = Setup::new(SECONDS, path);
    if random.chance(0.25) {
        setup.cross = vec![Cross::Constant { from: 5 * SECOND, to: 15 * SECOND, bps: 100_000 }];
    }
    setup
}

/// What sound takes, which goes on where nothing passes.
const SOUND: f64 = 66_000.0;

/// The longest time in which more than 1.2 times the capacity was sent, in whole seconds.
fn longest_excess(setup: &Setup, report: &Report) -> u64 {
    let mut longest = 0;
    let mut running = 0;
    for (second, noted) in report.seconds.iter().enumerate().take(SECONDS as usize) {
        let from = second as u64 * SECOND;
        let carried = setup.forward.carries(from, from + SECOND);
        running = if noted.sent as f64 * 8.0 > (1.2 * carried).max(SOUND) { running + 1 } else { 0 };
        longest = longest.max(running);
    }
    longest
}

#[test]
fn no_random_path_starves_sound_floods_the_path_or_leaves_the_rate_at_its_floor() {
    let mut random = Random::new(8);
    let (mut floods, mut stuck, mut starved) = (Vec::new(), Vec::new(), Vec::new());
    for call in 0..CALLS {
        let setup = random_setup(&mut random);
        let reports = run(&setup, call);
        let caller = &reports[0];
        let told = || format!("call {call}, {:?}\n{}", setup.forward, caller.series());
        for report in &reports {
            assert!(report.violations.is_empty(), "{:#?}\n{}", report.violations, told());
        }
        if longest_excess(&setup, caller) > 2 {
            floods.push(told());
        }
        if Measure::LeastTarget((SECONDS - 4, SECONDS)).of(&setup, &reports) < 300.0 {
            stuck.push(told());
        }
        if Measure::Concealed((SECONDS - 8, SECONDS)).of(&setup, &reports) > 2.0 {
            starved.push(told());
        }
    }
    println!(
        "of {CALLS} calls {} flood, {} are stuck, {} have sound starved",
        floods.len(),
        stuck.len(),
        starved.len()
    );
    assert!(floods.is_empty(), "more than 1.2 times the capacity for more than 2 s:\n{}", floods.join("\n"));
    assert!(stuck.is_empty(), "below 300 kbit/s on a path that has been clean for 11 s:\n{}", stuck.join("\n"));
    assert!(starved.is_empty(), "sound made up on a clean path:\n{}", starved.join("\n"));
}
