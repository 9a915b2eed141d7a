//! From the network to the screen in virtual time: a lossy path, a sender that repeats what was lost and answers requests for keyframes,
//! and what the viewer sees of it.

use super::assembler::{Event, FrameAssembler};
use super::freeze::FreezeMeter;
use super::playout::{Playout, Timing};
use super::test_packets::{Stream, TYPES};
use crate::media::rtp::RtpPacket;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn capture_time(picture: u32) -> Duration {
    Duration::from_secs(1) * picture / 30
}

/// What is lost.
#[derive(Clone, Copy)]
enum Loss {
    None,
    Random(f64),
    /// A part of all packets, in bursts of this mean length (Gilbert).
    Bursts(f64, f64),
    /// Everything in this time, in ms from the start.
    Hole(u64, u64),
}

struct Path {
    rtt: Duration,
    loss: Loss,
    jitter_ms: u64,
    /// Packets per picture and per keyframe.
    packets: (usize, usize),
    seconds: u64,
    seed: u64,
}

const CLEAN: Path =
    Path { rtt: Duration::from_millis(50), loss: Loss::None, jitter_ms: 0, packets: (9, 64), seconds: 60, seed: 1 };

/// What the viewer saw.
#[derive(Debug)]
struct Seen {
    pictures: u64,
    freezes: u64,
    frozen: Duration,
    keyframe_requests: u64,
    /// From capture to screen; half of the pictures took at most this long.
    delay_p50: Duration,
}

/// A packet that was lost and is repeated.
struct Lost {
    packet: RtpPacket,
    tries: u32,
}

/// Runs a call of 30 pictures a second in steps of a millisecond.
fn run(path: &Path) -> Seen {
    let (mut random, start) = (StdRng::seed_from_u64(path.seed), Instant::now());
    let mut stream = Stream { picture_ids: true, ..Stream::new(start) };
    let (mut assembler, mut playout, mut freezes) =
        (FrameAssembler::new(TYPES.to_vec()), Playout::<()>::new(), FreezeMeter::default());
    assembler.set_rtt(path.rtt);
    playout.set_rtt(path.rtt);
    let mut burst = false;
    let mut lose = |random: &mut StdRng, at: Duration| match path.loss {
        Loss::None => false,
        Loss::Random(part) => random.random_bool(part),
        Loss::Bursts(part, length) => {
            burst = random.random_bool(if burst { 1.0 - 1.0 / length } else { part / (1.0 - part) / length });
            burst
        }
        Loss::Hole(from, to) => (ms(from)..ms(to)).contains(&at),
    };
    let mut ordinal = 0;
    let mut wire: BTreeMap<(Duration, u64), RtpPacket> = BTreeMap::new();
    let mut repairs: BTreeMap<(Duration, u64), Lost> = BTreeMap::new();
    // Repairs have half of the bandwidth: so long from one to the next.
    let (repair_gap, mut repair_free) = (Duration::from_secs(1) / (15 * path.packets.0 as u32), Duration::ZERO);
    let (mut keyframe_at, mut last_keyframe, mut last_arrival) =
        (Some(Duration::ZERO), None::<Duration>, Duration::ZERO);
    let (mut data, mut delays, mut pictures) = (Vec::new(), Vec::new(), 0);
    for now in (0..path.seconds * 1_000).map(ms) {
        if now >= capture_time(stream.picture) {
            let keyframe =
                keyframe_at.is_some_and(|at| at <= now) && last_keyframe.is_none_or(|last| now >= last + ms(300));
            if keyframe {
                (keyframe_at, last_keyframe) = (None, Some(now));
            }
            let count = if keyframe { path.packets.1 } else { path.packets.0 };
            let jitter = ms(if path.jitter_ms > 0 { random.random_range(0..path.jitter_ms) } else { 0 });
            for (n, packet) in stream.next(keyframe, count).into_iter().enumerate() {
                ordinal += 1;
                let sent = now + Duration::from_millis(2) * n as u32;
                let arrives = (sent + path.rtt / 2 + jitter).max(last_arrival);
                if lose(&mut random, sent) {
                    // Missed when the next packet arrives; in a hole, when it ends.
                    let missed = match path.loss {
                        Loss::Hole(_, to) => arrives.max(ms(to) + path.rtt / 2),
                        _ => arrives,
                    };
                    repairs.insert((missed + path.rtt, ordinal), Lost { packet, tries: 1 });
                } else {
                    last_arrival = arrives;
                    wire.insert((arrives, ordinal), packet);
                }
            }
        }
        while let Some(next) = repairs.first_entry().filter(|next| next.key().0 <= now) {
            let (at, order) = *next.key();
            let Lost { packet, tries } = next.remove();
            if repair_free > now {
                repairs.insert((repair_free.max(at + ms(1)), order), Lost { packet, tries });
                continue;
            }
            repair_free = now + repair_gap;
            if !lose(&mut random, now) {
                wire.insert((now, order), packet);
            } else if tries < 10 {
                repairs.insert((at + path.rtt + ms(10), order), Lost { packet, tries: tries + 1 });
            }
        }
        let local = start + now;
        let mut busy = assembler.deadline().is_some_and(|due| due <= local);
        while let Some(next) = wire.first_entry().filter(|next| next.key().0 <= now) {
            assembler.insert(RtpPacket { arrived_at: local, ..next.remove() }, local);
            busy = true;
        }
        while let Some(event) = busy.then(|| assembler.poll(local, &mut data)).flatten() {
            match event {
                Event::WantKeyframe => keyframe_at = keyframe_at.or(Some(now + path.rtt)),
                Event::Frame(frame) => {
                    let (ssrc, rtp_timestamp) = (frame.ssrc, frame.timestamp);
                    playout.push(local, Timing { ssrc, rtp_timestamp, arrived_at: frame.arrived_at }, 1, ());
                }
            }
        }
        while let Some((timing, ())) = playout.pop(local) {
            freezes.shown(local);
            pictures += 1;
            delays.push(now.saturating_sub(capture_time(timing.rtp_timestamp / 3_000)));
        }
    }
    let end = start + ms(path.seconds * 1_000);
    delays.sort();
    Seen {
        pictures,
        freezes: freezes.count(end),
        frozen: freezes.total(end),
        keyframe_requests: assembler.stats().keyframe_requests,
        delay_p50: delays.get(delays.len() / 2).copied().unwrap_or_default(),
    }
}

/// The same with 6 seeds: what the worst of them saw.
fn worst(path: Path) -> Seen {
    let all = (0..6).map(|seed| run(&Path { seed, ..path }));
    all.max_by_key(|seen| (seen.frozen, seen.keyframe_requests)).unwrap()
}

#[test]
fn a_clean_path_shows_every_picture_at_once() {
    let seen = run(&CLEAN);
    assert!(seen.pictures >= 1_798 && seen.freezes == 0 && seen.keyframe_requests == 0, "{seen:?}");
    assert!(seen.delay_p50 <= ms(25 + 18), "{seen:?}");
}

/// With a fixed wait of 300 ms this path had a freeze at each second loss of the same packet. The third is later than any delay covers.
#[test]
fn a_round_trip_of_150_ms_and_3_percent_of_loss_gives_hardly_a_freeze() {
    let seen = worst(Path { rtt: ms(150), loss: Loss::Random(0.03), ..CLEAN });
    assert!(seen.frozen <= ms(700) && seen.keyframe_requests == 0, "{seen:?}");
}

#[test]
fn loss_of_5_percent_in_bursts_is_repaired_without_keyframes() {
    let seen = worst(Path { loss: Loss::Bursts(0.05, 4.0), ..CLEAN });
    assert!(seen.frozen <= ms(500) && seen.keyframe_requests == 0, "{seen:?}");
}

#[test]
fn random_loss_up_to_20_percent_is_lived_with() {
    for (part, frozen) in [(0.05, 200), (0.10, 1_000), (0.20, 4_000)] {
        let seen = worst(Path { loss: Loss::Random(part), packets: (4, 40), ..CLEAN });
        assert!(seen.frozen <= ms(frozen) && seen.keyframe_requests <= 2, "{part}: {seen:?}");
    }
}

#[test]
fn a_hole_freezes_the_picture_for_the_hole_and_a_keyframe() {
    for hole in [300, 600, 1_500] {
        let seen = run(&Path { loss: Loss::Hole(10_000, 10_000 + hole), seconds: 30, ..CLEAN });
        assert!(seen.freezes == 1 && seen.frozen <= ms(hole + 400), "{hole}: {seen:?}");
        assert!(seen.keyframe_requests <= 1, "{hole}: {seen:?}");
    }
}

#[test]
fn a_large_keyframe_on_a_lossy_path_is_repaired_and_asked_for_once() {
    let seen = worst(Path { loss: Loss::Random(0.05), packets: (9, 120), seconds: 10, ..CLEAN });
    assert!(seen.keyframe_requests <= 1 && seen.frozen <= ms(500), "{seen:?}");
}

#[test]
fn jitter_of_60_ms_gives_no_freeze() {
    let seen = worst(Path { jitter_ms: 60, ..CLEAN });
    assert!(seen.freezes == 0 && seen.keyframe_requests == 0, "{seen:?}");
    assert!(seen.delay_p50 <= ms(25 + 18 + 65), "{seen:?}");
}
