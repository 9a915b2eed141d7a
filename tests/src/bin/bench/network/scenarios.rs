//! The paths that calls are measured on, and the marks that they have to reach there.
//!
//! A rate counts as reached when 0.8 of the path's capacity comes out of it during a whole second: the rest is what a sender
//! keeps free so that no queue stands.

use super::scenario::Bound::{AtLeast, AtMost};
use super::scenario::Measure::{
    AvOffset, Concealed, ConcealedSeconds, FrameRate, Frozen, FullPicture, Queue, Reach, SoundAlone, Use,
};
use super::scenario::{Leg, Mark, Scenario, Span};

/// How long the path `hole` carries nothing, in seconds.
const HOLE_S: f64 = 0.6;

/// Sound and pictures that belong together and are further apart are noticed (ITU-R BT.1359: 45 to 125 ms).
const APART: Mark = (AvOffset, AtMost(60.0));

/// All that `bench network` measures without `--scenario`.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "clean3M",
        path: "3 Mbit/s, RTT 50 ms",
        seconds: 60,
        legs: &[Leg::PLAIN],
        marks: &[(FullPicture, AtMost(4.0)), (Frozen, AtMost(0.0)), (Concealed, AtMost(0.3)), APART],
    },
    Scenario {
        name: "steady1M",
        path: "1 Mbit/s, RTT 50 ms, queue 300 ms",
        seconds: 75,
        legs: &[Leg { kbps: 1000, ..Leg::PLAIN }],
        marks: &[
            (Frozen, AtMost(0.0)),
            (Concealed, AtMost(0.3)),
            (Queue(None), AtMost(20.0)),
            (Use(Span::Leg(0)), AtLeast(0.88)),
            APART,
        ],
    },
    Scenario {
        name: "rfc8867",
        path: "RFC 8867 5.1: 1, 2.5, 0.6, 1 Mbit/s, RTT 100 ms",
        seconds: 100,
        legs: &[
            Leg { kbps: 1000, delay_ms: 50.0, ..Leg::PLAIN },
            Leg { from_s: 40.0, kbps: 2500, delay_ms: 50.0, ..Leg::PLAIN },
            Leg { from_s: 60.0, kbps: 600, delay_ms: 50.0, ..Leg::PLAIN },
            Leg { from_s: 80.0, kbps: 1000, delay_ms: 50.0, ..Leg::PLAIN },
        ],
        marks: &[
            (Frozen, AtMost(1.0)),
            (Concealed, AtMost(0.5)),
            (Queue(Some(0)), AtMost(20.0)),
            (Queue(Some(1)), AtMost(20.0)),
            (Queue(Some(2)), AtMost(30.0)),
            (Queue(Some(3)), AtMost(20.0)),
            (Use(Span::Leg(0)), AtLeast(0.85)),
            (Use(Span::Leg(1)), AtLeast(0.85)),
            (Use(Span::Leg(2)), AtLeast(0.85)),
            (Use(Span::Leg(3)), AtLeast(0.85)),
            (Reach { from_s: 40.0, kbps: 2000 }, AtMost(4.0)),
            APART,
        ],
    },
    Scenario {
        name: "drop",
        path: "3, 0.25, 3 Mbit/s, 30 s each, RTT 50 ms",
        seconds: 90,
        legs: &[Leg::PLAIN, Leg { from_s: 30.0, kbps: 250, ..Leg::PLAIN }, Leg { from_s: 60.0, ..Leg::PLAIN }],
        marks: &[
            (Frozen, AtMost(2.0)),
            (Concealed, AtMost(1.0)),
            (Use(Span::Leg(1)), AtLeast(0.8)),
            (Reach { from_s: 60.0, kbps: 2000 }, AtMost(6.0)),
            APART,
        ],
    },
    Scenario {
        name: "steady250k",
        path: "0.25 Mbit/s, RTT 50 ms, queue 300 ms",
        seconds: 60,
        legs: &[Leg { kbps: 250, ..Leg::PLAIN }],
        marks: &[
            (Frozen, AtMost(0.5)),
            (FrameRate, AtLeast(12.0)),
            (Concealed, AtMost(0.5)),
            (Queue(None), AtMost(30.0)),
            (Use(Span::Leg(0)), AtLeast(0.85)),
            APART,
        ],
    },
    Scenario {
        name: "steady80k",
        path: "80 kbit/s, RTT 50 ms: sound alone",
        seconds: 60,
        legs: &[Leg { kbps: 80, ..Leg::PLAIN }],
        marks: &[(Concealed, AtMost(2.0)), (SoundAlone, AtLeast(1.0))],
    },
    Scenario {
        name: "loss5",
        path: "3 Mbit/s, RTT 50 ms, 5 % loss both ways",
        seconds: 60,
        legs: &[Leg { loss: 0.05, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(0.5)), (Concealed, AtMost(1.0)), (Use(Span::Leg(0)), AtLeast(0.6)), APART],
    },
    Scenario {
        name: "loss10",
        path: "3 Mbit/s, RTT 50 ms, 10 % loss both ways",
        seconds: 60,
        legs: &[Leg { loss: 0.10, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(2.0)), (Concealed, AtMost(3.0)), (Use(Span::Leg(0)), AtLeast(0.5)), APART],
    },
    Scenario {
        name: "loss20",
        path: "3 Mbit/s, RTT 50 ms, 20 % loss both ways",
        seconds: 60,
        legs: &[Leg { loss: 0.20, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(6.0)), (Concealed, AtMost(8.0)), (Use(Span::Leg(0)), AtLeast(0.3)), APART],
    },
    Scenario {
        name: "burst5",
        path: "3 Mbit/s, RTT 50 ms, 5 % loss both ways in bursts of 4",
        seconds: 60,
        legs: &[Leg { loss: 0.05, mean_burst: 4.0, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(1.1)), (Concealed, AtMost(2.5)), (Use(Span::Leg(0)), AtLeast(0.6)), APART],
    },
    Scenario {
        name: "hole",
        path: "8 Mbit/s, RTT 50 ms, nothing gets through for 0.6 s after 20 s",
        seconds: 40,
        legs: &[
            Leg { kbps: 8000, ..Leg::PLAIN },
            Leg { from_s: 20.0, kbps: 8000, loss: 1.0, ..Leg::PLAIN },
            Leg { from_s: 20.0 + HOLE_S, kbps: 8000, ..Leg::PLAIN },
        ],
        marks: &[(Frozen, AtMost(HOLE_S + 0.4)), (ConcealedSeconds, AtMost(HOLE_S + 0.2)), APART],
    },
    Scenario {
        name: "rtt150loss3",
        path: "2 Mbit/s, RTT 150 ms, 3 % loss both ways",
        seconds: 60,
        legs: &[Leg { kbps: 2000, delay_ms: 75.0, loss: 0.03, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(1.0)), (Concealed, AtMost(1.0)), (Use(Span::Leg(0)), AtLeast(0.6)), APART],
    },
    Scenario {
        name: "jitter60",
        path: "2 Mbit/s, RTT 50 ms and 0 to 60 ms more each way, in order",
        seconds: 60,
        legs: &[Leg { kbps: 2000, jitter_ms: 60.0, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(0.0)), (Concealed, AtMost(0.5)), (Use(Span::Leg(0)), AtLeast(0.8)), APART],
    },
    Scenario {
        name: "policer1M",
        path: "1 Mbit/s by a token bucket of 30 kB without a queue, RTT 50 ms",
        seconds: 60,
        legs: &[Leg { kbps: 1000, policer_bytes: Some(30_000), ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(3.5)), (Concealed, AtMost(3.0)), (Use(Span::Leg(0)), AtLeast(0.8)), APART],
    },
    Scenario {
        name: "wifi",
        path: "another rate from 0.3 to 4 Mbit/s each 0.2 s, RTT 50 ms",
        seconds: 60,
        legs: &WIFI,
        marks: &[(Frozen, AtMost(1.1)), (Concealed, AtMost(1.0)), (Use(Span::Last(50.0)), AtLeast(0.5)), APART],
    },
    Scenario {
        name: "queue20",
        path: "1 Mbit/s, RTT 50 ms, queue 20 ms",
        seconds: 60,
        legs: &[Leg { kbps: 1000, queue_ms: 20.0, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(1.0)), (Concealed, AtMost(2.0)), (Use(Span::Leg(0)), AtLeast(0.8)), APART],
    },
    Scenario {
        name: "queue1s",
        path: "1 Mbit/s, RTT 50 ms, queue 1 s",
        seconds: 60,
        legs: &[Leg { kbps: 1000, queue_ms: 1000.0, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(0.0)), (Concealed, AtMost(0.3)), (Queue(None), AtMost(35.0)), APART],
    },
    Scenario {
        name: "handover",
        path: "3 Mbit/s, RTT 50 ms, then 0.8 Mbit/s, RTT 120 ms",
        seconds: 60,
        legs: &[Leg::PLAIN, Leg { from_s: 30.0, kbps: 800, delay_ms: 60.0, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(1.7)), (Concealed, AtMost(1.0)), (Use(Span::Last(25.0)), AtLeast(0.8)), APART],
    },
    Scenario {
        name: "rtt300loss5",
        path: "2 Mbit/s, RTT 300 ms, 5 % loss both ways",
        seconds: 60,
        legs: &[Leg { kbps: 2000, delay_ms: 150.0, loss: 0.05, ..Leg::PLAIN }],
        marks: &[(Frozen, AtMost(1.1)), (Concealed, AtMost(1.0)), (Use(Span::Leg(0)), AtLeast(0.5)), APART],
    },
];

/// Steps of 0.2 s, by chance and always the same ones, in the manner of RFC 8869 section 4.2.
static WIFI: [Leg; 300] = {
    let mut legs = [Leg::PLAIN; 300];
    let (mut number, mut random) = (0, 8_869_u32);
    while number < legs.len() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        legs[number].from_s = number as f64 * 0.2;
        legs[number].kbps = 300 + (random >> 16) % 3_701;
        number += 1;
    }
    legs
};

/// The two short ones that are gates: generous, so that a busy machine does not fail them, and far from what a call is like
/// that does not see what its path is like.
pub(crate) const GATES: &[Scenario] = &[
    Scenario {
        name: "narrow",
        path: "1 Mbit/s, RTT 50 ms, queue 300 ms",
        seconds: 20,
        legs: &[Leg { kbps: 1000, ..Leg::PLAIN }],
        marks: GATE,
    },
    Scenario {
        name: "lossy",
        // Connecting while packets are lost is another question: what is lost here is media.
        path: "3 Mbit/s, RTT 50 ms, 5 % loss both ways once connected",
        seconds: 20,
        legs: &[Leg::PLAIN, Leg { from_s: 0.5, loss: 0.05, ..Leg::PLAIN }],
        marks: GATE,
    },
];

const GATE: &[Mark] = &[(Frozen, AtMost(2.0)), (Concealed, AtMost(3.0)), (Use(Span::Last(10.0)), AtLeast(0.5))];
