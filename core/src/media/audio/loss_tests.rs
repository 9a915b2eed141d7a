//! Minutes of virtual calls over paths that lose packets: how much of the sound is made up, with real Opus, in-band FEC and RED.

use super::quality_tests::{Call, Dice, Heard, report, voice};
use super::sender::{History, VoiceEncoder};
use super::{AudioPacket, AudioSender, red};
use crate::congestion::AudioPlan;
use bytes::Bytes;
use std::time::Duration;

const SECONDS: usize = 40;

/// A voice as a sender that follows `plan` encodes it.
fn encoded(plan: &AudioPlan) -> Vec<(u32, Bytes)> {
    let mut encoder = VoiceEncoder::new().unwrap();
    encoder.follow(plan, true);
    let frame = plan.frame.as_millis() as usize * 48;
    (0..SECONDS * 48_000 / frame)
        .map(|n| {
            let samples: Vec<i16> =
                (n * frame..(n + 1) * frame).map(|i| (voice(i as f64 / 48_000.0) * 32_767.0) as i16).collect();
            ((n * frame) as u32, encoder.encode(&samples).unwrap())
        })
        .collect()
}

/// What it puts into its RTP packets.
fn packed(encoded: &[(u32, Bytes)], plan: &AudioPlan) -> Vec<Bytes> {
    let mut history = History::default();
    encoded
        .iter()
        .map(|(timestamp, payload)| {
            let earlier = history.earlier(*timestamp, plan);
            history.push(*timestamp, payload.clone());
            let packet = AudioPacket { timestamp: *timestamp, payload: payload.clone(), earlier };
            red::pack(&packet, 111, 1160).unwrap_or(packet.payload)
        })
        .collect()
}

/// Loses packets alone or, by a Gilbert model, in bursts of a mean length.
struct Loss {
    dice: Dice,
    share: f64,
    burst: f64,
    losing: bool,
}

impl Loss {
    fn new(seed: u64, share: f64, burst: f64) -> Self {
        Self { dice: Dice(seed), share, burst, losing: false }
    }

    fn loses(&mut self) -> bool {
        let roll = self.dice.roll();
        self.losing = if self.burst <= 1.0 {
            roll < self.share
        } else if self.losing {
            roll >= 1.0 / self.burst
        } else {
            roll < self.share / (1.0 - self.share) / self.burst
        };
        self.losing
    }
}

fn plan(loss_percent: u8, redundancy: u8) -> AudioPlan {
    AudioPlan { redundancy, loss_percent, ..AudioSender::FIRST_PLAN }
}

fn hear(encoded: &[(u32, Bytes)], plan: &AudioPlan, seed: u64, share: f64, burst: f64) -> Heard {
    let packets = packed(encoded, plan);
    let mut loss = Loss::new(seed, share, burst);
    let mut jitter = Dice(seed + 1);
    let red_from = if plan.redundancy > 0 { 1 } else { usize::MAX };
    let call = Call { red_from, frame: plan.frame.as_millis() as usize * 48, ..Call::of(&packets) };
    call.hear(|_| if loss.loses() { vec![] } else { vec![25.0 + 5.0 * jitter.roll()] })
}

/// The share made up after the first ten seconds, in percent, with 0, 1 and 2 generations of RED: the mean of some calls.
fn concealed(percent: u8, burst: f64) -> [f64; 3] {
    const CALLS: u64 = 3;
    let encoded = encoded(&plan(percent, 0));
    [0, 1, 2].map(|redundancy| {
        let call = |seed| {
            let heard = hear(&encoded, &plan(percent, redundancy), 100 + seed, f64::from(percent) / 100.0, burst);
            if seed == 0 {
                report(&format!("{percent}% in bursts of {burst}, RED {redundancy}"), &heard);
            }
            100.0 * heard.concealed(10, SECONDS - 1)
        };
        (0..CALLS).map(call).sum::<f64>() / CALLS as f64
    })
}

#[test]
fn of_random_loss_little_is_left_to_be_made_up() {
    println!("| loss % | FEC alone | RED 1 | RED 2 |");
    for (percent, redundancy, most) in [(5, 1, 0.5), (10, 1, 1.2), (20, 2, 2.0), (30, 2, 5.0)] {
        let made_up = concealed(percent, 1.0);
        println!("| {percent} | {:.2} | {:.2} | {:.2} |", made_up[0], made_up[1], made_up[2]);
        assert!(made_up[redundancy] <= most, "{percent}%: {made_up:?}");
    }
}

#[test]
fn of_loss_in_bursts_of_four_more_than_half_is_repaired() {
    let made_up = concealed(5, 4.0);
    println!("| 5 in bursts of 4 | {:.2} | {:.2} | {:.2} |", made_up[0], made_up[1], made_up[2]);
    assert!(made_up[2] <= 2.5, "{made_up:?}");
}

#[test]
fn packets_of_40_and_60_ms_are_repaired_by_the_next_one_as_well() {
    for (ms, bitrate_bps) in [(40, 20_000), (60, 24_000)] {
        let frame = Duration::from_millis(ms);
        let plan = AudioPlan { bitrate_bps, frame, ..plan(10, 0) };
        let heard = hear(&encoded(&plan), &plan, 7, 0.1, 1.0);
        report(&format!("10%, {ms} ms, {bitrate_bps} bit/s"), &heard);
        let s = heard.last();
        assert!(s.fec_recovered as f64 > 0.5 * s.lost as f64, "{ms} ms: {} of {}", s.fec_recovered, s.lost);
        assert!(heard.concealed(10, SECONDS - 1) < 0.05);
    }
}

#[test]
fn copies_are_waited_for_only_while_packets_are_lost() {
    let packets = packed(&encoded(&plan(10, 2)), &plan(10, 2));
    let mut loss = Loss::new(3, 0.1, 1.0);
    let call = Call { red_from: 1, ..Call::of(&packets) };
    let heard = call.hear(|n| if (500..1000).contains(&n) && loss.loses() { vec![] } else { vec![25.0] });
    report("none, 10%, none", &heard);
    let delay = |second: usize| heard.seconds[second].jitter_buffer_ms;
    assert!(delay(9) < 40.0, "{}", delay(9));
    assert!((80.0..140.0).contains(&delay(19)), "{}", delay(19));
    assert!(delay(39) < 40.0, "{}", delay(39));
}

#[test]
fn copies_never_count_as_received_and_a_clean_path_uses_none() {
    let (plan, packets) = (plan(5, 2), SECONDS as u64 * 50);
    let encoded = encoded(&plan);
    let clean = hear(&encoded, &plan, 1, 0.0, 1.0).last();
    assert_eq!((clean.red_recovered, clean.lost, clean.concealed_samples, clean.invalid_copies), (0, 0, 0, 0));
    let lossy = hear(&encoded, &plan, 1, 0.2, 1.0).last();
    // Of packets lost at the very end nothing is known.
    assert!((packets - 5..=packets).contains(&(lossy.packets + lossy.lost)), "{lossy:?}");
    assert!(lossy.red_recovered + lossy.fec_recovered <= lossy.lost && lossy.red_recovered > 250, "{lossy:?}");
}
