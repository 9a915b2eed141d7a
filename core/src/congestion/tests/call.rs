//! Whole calls in virtual time: ends, links and other traffic, until the time is over.

use super::cross::{Cross, Flow};
use super::endpoint::{Endpoint, Flaws};
use super::link::{Link, MILLI, Path, SECOND};
use super::network::Network;
use super::packet::instant;
use super::random::Random;
use super::rate_control::{RateControl, ours};
use super::report::Report;
use crate::congestion::Config;

/// A call and the path that it takes, as data.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) seconds: u64,
    pub(super) forward: Path,
    pub(super) back: Path,
    /// Most bits per second of the caller's camera; that of the callee's.
    pub(super) video_bps: u32,
    pub(super) answer_video_bps: u32,
    pub(super) cross: Vec<Cross>,
    /// A second call of ours over the same links, from that second on.
    pub(super) second_call: Option<u64>,
    /// From then on (ms) the caller's camera may use so much; 0: it is off.
    pub(super) cameras: Vec<(u64, u32)>,
    /// When media takes another path (ms).
    pub(super) route_changes: Vec<u64>,
    /// The viewer asks for a keyframe: from, to, every (ms).
    pub(super) picture_loss: Option<(u64, u64, u64)>,
    /// Of the caller, and of the callee.
    pub(super) flaws: (Flaws, Flaws),
}

impl Setup {
    /// Video and sound one way, sound alone the other, over a path that is wide on the way back.
    pub(super) fn new(seconds: u64, forward: Path) -> Self {
        let back = Path(
            forward
                .0
                .iter()
                .map(|step| {
                    let clean = Path::new(10_000, 0).0[0];
                    super::link::Step { from: step.from, delay: step.delay, outage: step.outage, ..clean }
                })
                .collect(),
        );
        Self {
            seconds,
            forward,
            back,
            video_bps: 2_500_000,
            answer_video_bps: 0,
            cross: Vec::new(),
            second_call: None,
            cameras: Vec::new(),
            route_changes: Vec::new(),
            picture_loss: None,
            flaws: (Flaws::default(), Flaws::default()),
        }
    }

    /// Most that a controller may take, on the wire.
    fn config(video_bps: u32) -> Config {
        let max_bps = video_bps + video_bps / 10 + 200_000;
        Config { start_bps: 300_000, min_bps: 24_000, max_bps }
    }
}

/// What was noted, by sender: the caller, the callee, then the second call's.
pub(super) fn run(setup: &Setup, seed: u64) -> Vec<Report> {
    let control = |video_bps| ours(instant(0), Setup::config(video_bps));
    let pair = (control(setup.video_bps), control(setup.answer_video_bps));
    run_with(setup, seed, pair)
}

/// The same with rates decided by others.
pub(super) fn run_with(setup: &Setup, seed: u64, pair: (Box<dyn RateControl>, Box<dyn RateControl>)) -> Vec<Report> {
    let mut random = Random::new(seed);
    let links = [Link::new(setup.forward.clone(), random.fork()), Link::new(setup.back.clone(), random.fork())];
    let mut ends = vec![
        Endpoint::new((0, 1), 0, pair.0, setup.video_bps, setup.flaws.0.clone(), random.fork()),
        Endpoint::new((1, 0), 0, pair.1, setup.answer_video_bps, setup.flaws.1.clone(), random.fork()),
    ];
    if let Some(second) = setup.second_call {
        let start = second * SECOND + 7 * MILLI;
        for (me, video_bps) in [(2, setup.video_bps), (3, setup.answer_video_bps)] {
            let control = ours(instant(start), Setup::config(video_bps));
            let peer = me ^ 1;
            ends.push(Endpoint::new((me, peer), start, control, video_bps, Flaws::default(), random.fork()));
        }
    }
    let reports = (0..ends.len()).map(|_| Report::new(setup.seconds)).collect();
    let mut network = Network::new(links, reports);
    let return_delay = setup.back.at(0).delay;
    let mut flows: Vec<Flow> = setup.cross.iter().map(|kind| Flow::new(*kind, return_delay)).collect();
    let mut events = events(setup);
    let end = setup.seconds * SECOND;
    loop {
        let wake = ends.iter().map(Endpoint::next_wake).min().unwrap_or(u64::MAX);
        let cross = flows.iter().map(Flow::next_wake).min().unwrap_or(u64::MAX);
        let event = events.last().map_or(u64::MAX, |event| event.0);
        let arrival = network.next_arrival();
        let now = wake.min(cross).min(event).min(arrival);
        if now >= end {
            break;
        }
        if event == now {
            let Some((_, what)) = events.pop() else { continue };
            match what {
                Event::Camera(bps) => ends[0].set_video(now, bps),
                Event::Route => ends.iter_mut().for_each(|end| end.change_route(now)),
                Event::PictureLoss => ends[1].ask_for_keyframe(now),
            }
        } else if arrival == now {
            let Some(packet) = network.take() else { continue };
            let at = ends[packet.to].awake(now);
            if at > now {
                network.put(at, packet);
            } else {
                ends[packet.to].receive(now, packet, &mut network);
            }
        } else if cross == now {
            for flow in flows.iter_mut().filter(|flow| flow.next_wake() == now) {
                flow.wake(now, &mut network.links[0]);
            }
        } else {
            for end in ends.iter_mut().filter(|end| end.next_wake() == now) {
                end.run(now, &mut network);
            }
        }
    }
    ends.iter().for_each(|one| one.end(end, &mut network));
    network.reports[0].cross_bytes = flows.iter().map(|flow| flow.delivered_bytes).sum();
    network.reports.iter_mut().for_each(|report| report.path = Some(setup.forward.clone()));
    network.reports
}

enum Event {
    Camera(u32),
    Route,
    PictureLoss,
}

/// The last one comes first.
fn events(setup: &Setup) -> Vec<(u64, Event)> {
    let mut events: Vec<(u64, Event)> = Vec::new();
    events.extend(setup.cameras.iter().map(|(ms, bps)| (ms * MILLI, Event::Camera(*bps))));
    events.extend(setup.route_changes.iter().map(|ms| (ms * MILLI, Event::Route)));
    if let Some((from, to, every)) = setup.picture_loss {
        let times = (from..to).step_by(usize::try_from(every).unwrap_or(1));
        events.extend(times.map(|ms| (ms * MILLI, Event::PictureLoss)));
    }
    events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    events
}
