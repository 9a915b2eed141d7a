//! Paths that lose, shake and reorder, whatever is sent.

use super::{Scenario, scenarios};
use crate::congestion::tests::call::Setup;
use crate::congestion::tests::link::{MILLI, Path};
use crate::congestion::tests::measure::Measure::*;

scenarios![
    loss_5,
    loss_10,
    loss_20,
    loss_30,
    bursts_of_4,
    rtt_150_loss_3,
    rtt_300_loss_5,
    rtt_300_loss_10,
    rtt_300_loss_2,
    rtt_300_loss_5_at_2m,
    jitter_30,
    jitter_60,
    reorder_2,
    lossy_feedback,
    relay_loss_5,
];

/// Random loss both ways.
fn lossy(loss: f64) -> Setup {
    let mut setup = Setup::new(60, Path::new(3_000, 25).with(|step| step.loss = loss));
    setup.back = setup.back.with(|step| step.loss = loss);
    setup
}

fn loss_5() -> Scenario {
    Scenario::new(lossy(0.05))
        .at_least(Use((10, 60)), 0.80)
        .at_most(Frozen((0, 60)), 0.0)
        .at_most(Concealed((10, 60)), 0.5)
}

fn loss_10() -> Scenario {
    Scenario::new(lossy(0.10))
        .at_least(Use((10, 60)), 0.70)
        .at_most(Frozen((0, 60)), 0.3)
        .at_most(Concealed((10, 60)), 1.2)
}

fn loss_20() -> Scenario {
    Scenario::new(lossy(0.20))
        .at_least(Use((10, 60)), 0.40)
        .at_most(Frozen((0, 60)), 1.0)
        .at_most(Concealed((10, 60)), 2.0)
}

fn loss_30() -> Scenario {
    Scenario::new(lossy(0.30))
        .at_least(LeastTarget((5, 60)), 200.0)
        .at_most(Frozen((0, 60)), 8.0)
        .at_most(Concealed((10, 60)), 5.0)
}

fn bursts_of_4() -> Scenario {
    let mut setup = lossy(0.05);
    setup.forward = setup.forward.with(|step| step.burst = 4.0);
    Scenario::new(setup).at_least(Use((10, 60)), 0.75).at_most(Frozen((0, 60)), 0.6).at_most(Concealed((10, 60)), 2.5)
}

fn rtt_150_loss_3() -> Scenario {
    let mut setup = Setup::new(60, Path::new(3_000, 75).with(|step| step.loss = 0.03));
    setup.back = setup.back.with(|step| step.loss = 0.03);
    Scenario::new(setup)
        .at_least(Use((10, 60)), 0.85)
        .at_most(Frozen((0, 60)), 0.5)
        .at_most(Concealed((10, 60)), 1.0)
        .at_most(FrameDelayP95((10, 60)), 350.0)
}

fn rtt_300_loss_5() -> Scenario {
    far(3_000, 0.05).at_most(Frozen((0, 60)), 0.6)
}

/// Too little loss for forward error correction, which would keep pictures from being held long enough for what is sent again.
fn rtt_300_loss_2() -> Scenario {
    far(3_000, 0.02).at_most(Frozen((0, 60)), 0.6)
}

fn rtt_300_loss_10() -> Scenario {
    far(3_000, 0.10).at_most(Frozen((0, 60)), 2.5)
}

/// As on real sockets (`bench network`).
fn rtt_300_loss_5_at_2m() -> Scenario {
    far(2_000, 0.05).at_most(Frozen((0, 60)), 0.6)
}

fn far(kbps: u64, loss: f64) -> Scenario {
    let mut setup = Setup::new(60, Path::new(kbps, 150).with(|step| step.loss = loss));
    setup.back = setup.back.with(|step| step.loss = loss);
    Scenario::new(setup).at_least(Use((10, 60)), 0.5).at_most(Concealed((10, 60)), 1.0)
}

fn jittery(jitter_ms: u64) -> Scenario {
    let path = Path::new(3_000, 25).with(|step| step.jitter = jitter_ms * MILLI);
    Scenario::new(Setup::new(60, path))
        .at_least(Use((10, 60)), 0.80)
        .at_most(Frozen((0, 60)), 0.0)
        .at_most(Cuts((10, 60)), 6.0)
        .at_most(Concealed((5, 60)), 0.5)
}

fn jitter_30() -> Scenario {
    jittery(30)
}

fn jitter_60() -> Scenario {
    jittery(60)
}

fn reorder_2() -> Scenario {
    let path = Path::new(3_000, 25).with(|step| step.reorder = 0.02);
    Scenario::new(Setup::new(60, path))
        .at_least(Use((10, 60)), 0.82)
        .at_most(NeedlessRepeats, 1.0)
        .at_most(Frozen((0, 60)), 0.0)
}

fn lossy_feedback() -> Scenario {
    let mut setup = Setup::new(60, Path::new(1_000, 25));
    setup.back = setup.back.with(|step| {
        step.loss = 0.20;
        step.jitter = 150 * MILLI;
    });
    Scenario::new(setup).at_least(Use((10, 60)), 0.72).at_most(Frozen((0, 60)), 0.0).at_most(QueueMean((10, 60)), 30.0)
}

/// By TURN: 4 bytes of ChannelData and a longer way; the loss is what matters.
fn relay_loss_5() -> Scenario {
    let mut setup = Setup::new(60, Path::new(3_000, 40).with(|step| step.loss = 0.05));
    setup.back = setup.back.with(|step| step.loss = 0.05);
    Scenario::new(setup).at_least(Use((10, 60)), 0.80).at_most(Frozen((0, 60)), 0.3).at_most(Concealed((10, 60)), 0.5)
}
