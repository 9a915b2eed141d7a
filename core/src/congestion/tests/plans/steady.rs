//! Paths that stay as they are, and lose nothing but what their queue refuses.

use super::{Scenario, scenarios};
use crate::congestion::tests::call::Setup;
use crate::congestion::tests::endpoint::Flaws;
use crate::congestion::tests::link::{MILLI, Path, SECOND};
use crate::congestion::tests::measure::Measure::*;

scenarios![
    clean_3m,
    steady_1m,
    steady_250k,
    steady_150k,
    sound_alone_at_80k,
    sound_alone_at_60k,
    short_queue_1m,
    long_queue_1m,
    policer_with_a_small_bucket,
    policer_with_a_large_bucket,
    clock_drift_and_sleep,
    keyframe_requests_without_end,
    late_timers,
];

fn clean_3m() -> Scenario {
    Scenario::new(Setup::new(60, Path::new(3_000, 25)))
        .at_least(Use((10, 60)), 0.82)
        .at_most(QueueMean((10, 60)), 12.0)
        .at_most(QueueP95((10, 60)), 25.0)
        .at_most(Frozen((0, 60)), 0.0)
        .at_most(Reaches(0, 2_000), 4.0)
        .at_most(Reaches(0, 2_050), 4.0)
}

fn steady_1m() -> Scenario {
    Scenario::new(Setup::new(75, Path::new(1_000, 25)))
        .at_least(Use((5, 75)), 0.90)
        .at_most(QueueMean((5, 75)), 15.0)
        .at_most(QueueP95((5, 75)), 40.0)
        .at_most(Frozen((0, 75)), 0.0)
        .at_most(QueueDrops((3, 75)), 0.0)
        .at_most(Concealed((3, 75)), 0.2)
        .at_most(Spread((10, 75)), 1.35)
}

fn steady_250k() -> Scenario {
    let path = Path::new(250, 50).with(|step| step.queue = 500 * MILLI);
    Scenario::new(Setup::new(60, path))
        .at_least(Use((5, 60)), 0.90)
        .at_most(QueueMean((5, 60)), 30.0)
        .at_most(QueueP95((5, 60)), 110.0)
        .at_most(Frozen((0, 60)), 0.5)
        .at_least(FrameRate((5, 60)), 12.0)
        .at_most(Concealed((5, 60)), 0.5)
}

fn steady_150k() -> Scenario {
    Scenario::new(Setup::new(60, Path::new(150, 50)))
        .at_least(Use((10, 60)), 0.85)
        .at_most(Frozen((5, 60)), 1.5)
        .at_most(Concealed((5, 60)), 1.0)
}

fn sound_alone_at_80k() -> Scenario {
    Scenario::new(Setup::new(60, Path::new(80, 50)))
        .at_least(Suspended((10, 60)), 0.95)
        .at_most(Concealed((10, 60)), 2.0)
        .at_most(QueueMean((10, 60)), 40.0)
}

fn sound_alone_at_60k() -> Scenario {
    Scenario::new(Setup::new(60, Path::new(60, 50)))
        .at_least(Suspended((10, 60)), 0.95)
        .at_most(Concealed((10, 60)), 1.0)
        .at_most(QueueMean((10, 60)), 40.0)
}

fn short_queue_1m() -> Scenario {
    Scenario::new(Setup::new(60, Path::new(1_000, 25).with(|step| step.queue = 20 * MILLI)))
        .at_least(Use((5, 60)), 0.85)
        .at_most(Loss((5, 60)), 4.0)
        .at_most(Concealed((5, 60)), 4.0)
        .at_most(Frozen((5, 60)), 1.0)
}

fn long_queue_1m() -> Scenario {
    Scenario::new(Setup::new(60, Path::new(1_000, 25).with(|step| step.queue = SECOND)))
        .at_least(Use((5, 60)), 0.85)
        .at_most(QueueMean((5, 60)), 25.0)
        .at_most(Frozen((0, 60)), 0.0)
}

fn policed(bucket: u64) -> Scenario {
    let path = Path::new(20_000, 25).with(|step| step.policer = Some((1_000_000, bucket)));
    Scenario::new(Setup::new(60, path))
        .at_least(Use((10, 60)), 0.85)
        .at_most(Loss((10, 60)), 3.0)
        .at_most(Frozen((0, 60)), 3.0)
        .at_most(Concealed((10, 60)), 2.0)
}

fn policer_with_a_small_bucket() -> Scenario {
    policed(6_000)
}

fn policer_with_a_large_bucket() -> Scenario {
    policed(30_000)
}

fn clock_drift_and_sleep() -> Scenario {
    let mut setup = Setup::new(75, Path::new(1_000, 25));
    setup.flaws.0 = Flaws { sleeps: vec![(40 * SECOND, 40 * SECOND + 500 * MILLI)], ..Flaws::default() };
    setup.flaws.1 = Flaws { clock_offset: -3_000_000_000, clock_drift_ppm: 200, ..Flaws::default() };
    Scenario::new(setup)
        .at_least(Use((5, 75)), 0.88)
        .at_most(QueueMean((5, 75)), 15.0)
        .at_most(Frozen((0, 75)), 0.7)
        .at_most(Spread((10, 39)), 1.35)
}

fn keyframe_requests_without_end() -> Scenario {
    let mut setup = Setup::new(40, Path::new(500, 25));
    setup.picture_loss = Some((15_000, 25_000, 100));
    Scenario::new(setup)
        .at_least(KeyframeGap((15, 25)), 300.0)
        .at_most(QueueMean((15, 25)), 60.0)
        .at_most(Concealed((10, 40)), 0.2)
        .at_most(Frozen((26, 40)), 0.0)
}

fn late_timers() -> Scenario {
    let mut setup = Setup::new(60, Path::new(3_000, 25));
    setup.flaws.0 = Flaws { late_timers: vec![(0.01, 100 * MILLI), (0.10, 20 * MILLI)], ..Flaws::default() };
    Scenario::new(setup)
        .at_least(Use((10, 60)), 0.79)
        .at_most(QueueMean((10, 60)), 15.0)
        .at_most(Frozen((0, 60)), 0.0)
        .at_most(Reaches(0, 2_000), 4.0)
}
