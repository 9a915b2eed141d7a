//! Paths that change under a call, and calls that change on a path.

use super::{Scenario, scenarios};
use crate::congestion::tests::call::Setup;
use crate::congestion::tests::link::{MILLI, Path};
use crate::congestion::tests::measure::Measure::*;
use crate::congestion::tests::random::Random;

scenarios![
    rfc8867_variable_capacity,
    fall_to_250k_and_back,
    lte_trace,
    wifi_steps,
    handover,
    outage_of_3_s,
    hole_of_600_ms,
    camera_off_and_on,
    smaller_track_and_back,
];

/// RFC 8867 section 5.1.
fn rfc8867_variable_capacity() -> Scenario {
    let path = Path::new(1_000, 50)
        .then(40_000, |step| step.capacity_bps = 2_500_000)
        .then(60_000, |step| step.capacity_bps = 600_000)
        .then(80_000, |step| step.capacity_bps = 1_000_000);
    Scenario::new(Setup::new(105, path))
        .at_least(Use((5, 40)), 0.88)
        .at_least(Use((45, 60)), 0.85)
        .at_least(Use((65, 80)), 0.88)
        .at_least(Use((84, 105)), 0.86)
        .at_most(QueueMean((5, 40)), 20.0)
        .at_most(QueueMean((63, 80)), 30.0)
        .at_most(QueueMean((81, 105)), 20.0)
        .at_most(Frozen((0, 105)), 1.0)
        .at_most(Concealed((0, 105)), 0.5)
        .at_most(Reaches(40, 2_000), 4.0)
        .at_most(QueueMost((63, 75)), 100.0)
}

fn fall_to_250k_and_back() -> Scenario {
    let path = Path::new(3_000, 25)
        .then(30_000, |step| step.capacity_bps = 250_000)
        .then(60_000, |step| step.capacity_bps = 3_000_000);
    Scenario::new(Setup::new(90, path))
        .at_least(Use((8, 30)), 0.80)
        .at_least(Use((34, 60)), 0.80)
        .at_least(Use((60, 90)), 0.70)
        .at_most(Frozen((0, 90)), 2.0)
        .at_most(Concealed((0, 90)), 1.0)
        .at_most(QueueMost((33, 60)), 150.0)
        .at_most(QueueMean((33, 60)), 30.0)
        .at_most(Reaches(60, 2_000), 6.0)
}

/// A walk of a cell's capacity, from 0.4 to 6 Mbit/s, another value each 500 ms.
fn lte_trace() -> Scenario {
    let mut random = Random::new(20_260_711);
    let mut kbps = 2_000.0_f64;
    let mut path = Path::new(2_000, 35);
    for at in 1..180 {
        kbps = (kbps * random.lognormal(0.25)).clamp(400.0, 6_000.0);
        kbps += (2_000.0 - kbps) * 0.05;
        path = path.then(at * 500, |step| step.capacity_bps = kbps as u64 * 1000);
    }
    Scenario::new(Setup::new(90, path))
        .at_least(Use((5, 90)), 0.60)
        .at_most(Frozen((0, 90)), 0.6)
        .at_most(QueueP95((5, 90)), 120.0)
        .at_most(Concealed((5, 90)), 1.0)
}

/// Steps from 0.3 to 4 Mbit/s, every 200 ms another (after RFC 8869 section 3).
fn wifi_steps() -> Scenario {
    let mut random = Random::new(8_869);
    let mut path = Path::new(4_000, 25);
    for at in 1..300 {
        let kbps = 300.0 + 3_700.0 * random.unit();
        path = path.then(at * 200, |step| step.capacity_bps = kbps as u64 * 1000);
    }
    Scenario::new(Setup::new(60, path))
        .at_least(Use((5, 60)), 0.55)
        .at_most(Frozen((0, 60)), 0.6)
        .at_most(QueueP95((5, 60)), 120.0)
        .at_most(Concealed((5, 60)), 1.0)
}

fn handover() -> Scenario {
    let path = Path::new(3_000, 25).then(30_000, |step| {
        step.capacity_bps = 800_000;
        step.delay = 60 * MILLI;
    });
    let mut setup = Setup::new(60, path);
    setup.route_changes = vec![30_000];
    Scenario::new(setup)
        .at_most(Frozen((29, 60)), 1.2)
        .at_most(QueueMost((32, 60)), 100.0)
        .at_least(Use((35, 60)), 0.85)
        .at_most(Concealed((29, 60)), 1.0)
}

fn outage_of_3_s() -> Scenario {
    let path = Path::new(3_000, 25).then(30_000, |step| step.outage = true).then(33_000, |step| step.outage = false);
    Scenario::new(Setup::new(60, path))
        .at_most(ConcealedSeconds((33, 60)), 0.3)
        .at_most(Frozen((33, 60)), 0.8)
        .at_most(QueueMost((33, 60)), 120.0)
        .at_most(Reaches(33, 2_000), 6.0)
}

fn hole_of_600_ms() -> Scenario {
    let path = Path::new(8_000, 25).then(30_000, |step| step.outage = true).then(30_600, |step| step.outage = false);
    Scenario::new(Setup::new(60, path))
        .at_most(Frozen((0, 60)), 1.0)
        .at_most(ConcealedSeconds((5, 60)), 0.8)
        .at_most(Reaches(31, 2_000), 4.0)
}

fn camera_off_and_on() -> Scenario {
    let mut setup = Setup::new(70, Path::new(3_000, 25));
    setup.cameras = vec![(20_000, 0), (40_000, 2_500_000)];
    Scenario::new(setup)
        .at_most(Reaches(40, 2_000), 2.0)
        .at_most(QueueMost((40, 45)), 60.0)
        .at_least(Use((45, 70)), 0.82)
        .at_most(Concealed((5, 70)), 0.2)
}

/// 720p to 360p and back.
fn smaller_track_and_back() -> Scenario {
    let mut setup = Setup::new(70, Path::new(3_000, 25));
    setup.cameras = vec![(20_000, 600_000), (40_000, 2_500_000)];
    Scenario::new(setup)
        .at_most(Reaches(40, 2_000), 2.0)
        .at_most(QueueMost((40, 45)), 60.0)
        .at_most(Frozen((0, 70)), 0.0)
}
