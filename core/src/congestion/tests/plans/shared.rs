//! Paths that others use as well.

use super::{Scenario, scenarios};
use crate::congestion::tests::call::Setup;
use crate::congestion::tests::cross::Cross;
use crate::congestion::tests::link::{MILLI, Path, SECOND};
use crate::congestion::tests::measure::Measure::*;

scenarios![
    two_calls_of_ours,
    long_tcp_with_a_short_queue,
    long_tcp_with_a_long_queue,
    short_tcp_flows,
    constant_rate_beside,
    video_both_ways,
];

fn two_calls_of_ours() -> Scenario {
    let mut setup = Setup::new(90, Path::new(2_000, 25));
    setup.second_call = Some(20);
    Scenario::new(setup)
        .at_most(Unfair((50, 90)), 0.15)
        .at_least(SumUse((30, 90)), 0.88)
        .at_most(QueueMean((30, 90)), 40.0)
}

fn beside_tcp(queue_ms: u64, cross: Cross) -> Scenario {
    let mut setup = Setup::new(80, Path::new(2_000, 25).with(|step| step.queue = queue_ms * MILLI));
    setup.cross = vec![cross];
    Scenario::new(setup).at_most(Concealed((15, 80)), 3.0)
}

fn long_tcp_with_a_short_queue() -> Scenario {
    beside_tcp(100, Cross::LongTcp { from: 15 * SECOND, to: 80 * SECOND }).at_least(Use((20, 80)), 0.15)
}

fn long_tcp_with_a_long_queue() -> Scenario {
    beside_tcp(300, Cross::LongTcp { from: 15 * SECOND, to: 80 * SECOND }).at_least(Use((20, 80)), 0.15)
}

fn short_tcp_flows() -> Scenario {
    let cross = Cross::ShortTcp { from: 10 * SECOND, to: 80 * SECOND, bytes: 300_000, every: 5 * SECOND };
    beside_tcp(300, cross).at_least(Use((20, 80)), 0.35).at_most(Frozen((10, 80)), 2.0)
}

fn constant_rate_beside() -> Scenario {
    let cross = Cross::Constant { from: 20 * SECOND, to: 50 * SECOND, bps: 1_000_000 };
    beside_tcp(300, cross)
        .at_least(Use((25, 50)), 0.40)
        .at_most(QueueMean((23, 50)), 30.0)
        .at_least(Use((55, 80)), 0.85)
        .at_most(Frozen((0, 80)), 1.0)
}

/// Both cameras on, a narrow path each way.
fn video_both_ways() -> Scenario {
    let mut setup = Setup::new(60, Path::new(1_000, 25));
    setup.back = Path::new(1_000, 25);
    setup.answer_video_bps = 2_500_000;
    Scenario::new(setup)
        .at_least(Use((10, 60)), 0.85)
        .at_most(QueueMean((10, 60)), 20.0)
        .at_most(Frozen((0, 60)), 0.0)
        .at_most(Concealed((5, 60)), 0.3)
}
