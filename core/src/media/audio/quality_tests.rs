//! Minutes of virtual calls over bad networks: what is heard at the far end.

use super::sender::VoiceEncoder;
use super::{AudioReceiverStats, AudioSender, Playout};
use crate::congestion::AudioPlan;
use crate::media::rtp::RtpPacket;
use bytes::Bytes;
use std::f64::consts::TAU;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A seeded generator (splitmix64), the same on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// Uniform, from 0 below 1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn encode(signal: impl Fn(f64) -> f64, frames: usize, loss_percent: u8) -> Vec<Bytes> {
    let mut encoder = VoiceEncoder::new().unwrap();
    encoder.follow(&AudioPlan { loss_percent, ..AudioSender::FIRST_PLAN }, true);
    let mut phase = 0;
    (0..frames)
        .map(|_| {
            let samples: Vec<i16> =
                (0..960).map(|i| (signal(f64::from(phase + i) / 48_000.0) * 32_767.0) as i16).collect();
            phase += 960;
            encoder.encode(&samples).unwrap()
        })
        .collect()
}

/// 0.3 × full scale.
pub(super) fn tone() -> &'static [Bytes] {
    static TONE: OnceLock<Vec<Bytes>> = OnceLock::new();
    TONE.get_or_init(|| encode(|t| 0.3 * (TAU * 440.0 * t).sin(), 3000, 5))
}

/// Something like speech: harmonics of a pitch that glides about 130 Hz, four syllables a second.
pub(super) fn voice(t: f64) -> f64 {
    let phase = TAU * 130.0 * t - 20.0 * (TAU * 0.5 * t).cos();
    let voice: f64 = (1..20).map(|n| (phase * f64::from(n)).sin() / f64::from(n)).sum();
    0.2 * voice * (0.55 - 0.45 * (TAU * 4.0 * t).cos())
}

fn speech() -> &'static [Bytes] {
    static SPEECH: OnceLock<Vec<Bytes>> = OnceLock::new();
    SPEECH.get_or_init(|| encode(voice, 3000, 10))
}

/// How the packets of one virtual call arrive, and where their numbers start.
pub(super) struct Call<'a> {
    pub(super) packets: &'a [Bytes],
    /// From this packet on they are RED.
    pub(super) red_from: usize,
    pub(super) first_sequence: u16,
    pub(super) first_timestamp: u32,
    /// The sender's clock against ours, in parts per million.
    pub(super) drift: f64,
    /// Samples that the speaker pulls at a time.
    pub(super) block: usize,
    /// Samples in each packet.
    pub(super) frame: usize,
}

pub(super) struct Heard {
    samples: Vec<i16>,
    /// Every second.
    pub(super) seconds: Vec<AudioReceiverStats>,
}

impl Heard {
    pub(super) fn last(&self) -> AudioReceiverStats {
        *self.seconds.last().unwrap()
    }

    /// Concealed share between two seconds of the call.
    pub(super) fn concealed(&self, from: usize, to: usize) -> f64 {
        let (a, b) = (self.seconds[from], self.seconds[to]);
        (b.concealed_samples - a.concealed_samples) as f64 / (b.total_samples - a.total_samples) as f64
    }

    pub(super) fn largest_step(&self) -> i32 {
        self.samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap()
    }
}

impl<'a> Call<'a> {
    pub(super) fn of(packets: &'a [Bytes]) -> Self {
        Self {
            packets,
            first_sequence: 100,
            first_timestamp: 5000,
            drift: 0.0,
            block: 480,
            frame: 960,
            red_from: usize::MAX,
        }
    }

    /// `network`: for packet n, when each of its copies arrives, in ms after it was sent.
    pub(super) fn hear(&self, mut network: impl FnMut(usize) -> Vec<f64>) -> Heard {
        let start = Instant::now();
        let mut arrivals: Vec<(Duration, RtpPacket)> = Vec::new();
        for (n, payload) in self.packets.iter().enumerate() {
            for delay in network(n) {
                let sent = (n * self.frame) as f64 / 48_000.0 / (1.0 + self.drift / 1e6);
                let at = Duration::from_secs_f64(sent + delay / 1000.0);
                let packet = RtpPacket {
                    ssrc: 7,
                    payload_type: if n < self.red_from { 111 } else { 63 },
                    sequence_number: self.first_sequence.wrapping_add(n as u16),
                    timestamp: self.first_timestamp.wrapping_add((n * self.frame) as u32),
                    marker: false,
                    payload: payload.clone(),
                    arrived_at: start + at,
                };
                arrivals.push((at, packet));
            }
        }
        arrivals.sort_by_key(|(at, _)| *at);
        let mut arrivals = arrivals.into_iter().peekable();
        let mut playout = Playout::new().unwrap();
        playout.set_red(Some(63));
        let mut heard = Heard { samples: Vec::new(), seconds: vec![AudioReceiverStats::default()] };
        let total = self.packets.len() * self.frame;
        let mut block = vec![0; self.block];
        while heard.samples.len() < total {
            let now = Duration::from_secs_f64(heard.samples.len() as f64 / 48_000.0 + 0.0031);
            while let Some((_, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
                playout.insert(packet);
            }
            playout.pull(&mut block, start + now);
            heard.samples.extend_from_slice(&block);
            if heard.samples.len() / 48_000 >= heard.seconds.len() {
                heard.seconds.push(playout.stats());
            }
        }
        heard
    }
}

pub(super) fn report(name: &str, heard: &Heard) {
    let s = heard.last();
    println!(
        "| {name} | {:.2}% | {} | {} | {} | {:.0}/{:.0} ms | +{} −{} | {} |",
        100.0 * s.concealed_ratio(),
        s.lost,
        s.fec_recovered,
        s.late,
        s.jitter_buffer_ms,
        s.jitter_buffer_target_ms,
        s.inserted_samples,
        s.removed_samples,
        heard.largest_step()
    );
}

fn pitch(samples: &[i16]) -> f64 {
    let rises = samples.windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
    rises as f64 * 48_000.0 / samples.len() as f64
}

#[test]
fn on_a_clean_path_nothing_is_concealed_and_a_tone_keeps_its_pitch_and_energy() {
    for block in [480, 441, 960, 1920] {
        let heard = Call { block, ..Call::of(&tone()[..500]) }.hear(|_| vec![20.0]);
        report(&format!("clean, blocks of {block}"), &heard);
        let s = heard.last();
        assert_eq!((s.concealed_samples, s.lost, s.late, s.fec_recovered), (0, 0, 0, 0));
        assert!(s.packets >= 497, "{}", s.packets);
        assert!((pitch(&heard.samples[48_000..]) - 440.0).abs() < 1.5, "{}", pitch(&heard.samples[48_000..]));
        // A sine of amplitude 0.3 has mean square 0.045.
        let energy = s.energy - heard.seconds[2].energy;
        let seconds = (heard.seconds.len() - 3) as f64;
        assert!((energy / seconds / 0.045 - 1.0).abs() < 0.1, "{}", energy / seconds);
        assert!((20.0..=75.0).contains(&s.jitter_buffer_ms), "{}", s.jitter_buffer_ms);
    }
}

#[test]
fn lost_packets_are_repaired_or_concealed_without_clicks_and_for_no_longer_than_they_lasted() {
    let clean = Call::of(speech()).hear(|_| vec![20.0]);
    report("speech, clean", &clean);
    for (loss, least_repaired) in [(0.05, 0.5), (0.2, 0.4)] {
        let mut dice = Dice(5);
        let heard = Call::of(speech()).hear(|_| if dice.roll() < loss { vec![] } else { vec![20.0] });
        report(&format!("speech, {:.0}% loss", loss * 100.0), &heard);
        let s = heard.last();
        let lost = s.lost as f64 / 3000.0;
        let repaired = s.fec_recovered as f64 / 3000.0;
        assert!((lost - loss).abs() < 0.02);
        assert!(repaired > least_repaired * lost, "repaired {repaired} of {lost}");
        assert!((s.concealed_ratio() - (lost - repaired)).abs() < 0.01, "{} of {lost}", s.concealed_ratio());
        assert!(
            heard.largest_step() < clean.largest_step() * 3 / 2,
            "{} {}",
            heard.largest_step(),
            clean.largest_step()
        );
    }
}

#[test]
fn a_burst_of_losses_fades_out_and_comes_back_with_the_delay_it_had() {
    let clean = Call::of(&speech()[..500]).hear(|_| vec![20.0]);
    let heard = Call::of(&speech()[..500]).hear(|n| if (200..225).contains(&n) { vec![] } else { vec![20.0] });
    report("speech, one burst of 500 ms", &heard);
    let s = heard.last();
    assert_eq!((s.lost, s.concealment_events), (25, 1));
    assert!(s.silent_concealed_samples > 0 && s.silent_concealed_samples < s.concealed_samples);
    assert!((24_000 - 1920..=24_000 + 1920).contains(&s.concealed_samples), "{}", s.concealed_samples);
    assert!(heard.largest_step() < clean.largest_step() * 3 / 2);
    assert!(s.jitter_buffer_ms < 80.0);
}

#[test]
fn jitter_is_absorbed_within_seconds_and_the_delay_shrinks_when_it_ends() {
    let mut dice = Dice(9);
    let heard = Call::of(speech()).hear(|n| vec![20.0 + if n < 1500 { dice.roll() * 60.0 } else { 0.0 }]);
    report("speech, 0–60 ms jitter for 30 s, then none", &heard);
    let (jittery, calm) = (heard.seconds[29], heard.last());
    println!(
        "  jitter: {:.2}% concealed after 5 s, {:.0} ms",
        100.0 * heard.concealed(5, 29),
        jittery.jitter_buffer_ms
    );
    assert!(heard.concealed(5, 29) < 0.01, "{}", heard.concealed(5, 29));
    assert!((55.0..110.0).contains(&jittery.jitter_buffer_ms), "{}", jittery.jitter_buffer_ms);
    assert!(calm.jitter_buffer_ms < 50.0, "{}", calm.jitter_buffer_ms);
    assert!(heard.concealed(30, 60) < 0.001);
}

#[test]
fn jitter_and_loss_together_stay_bearable() {
    let mut dice = Dice(11);
    let heard = Call::of(speech()).hear(|_| if dice.roll() < 0.05 { vec![] } else { vec![20.0 + dice.roll() * 40.0] });
    report("speech, 5% loss and 0–40 ms jitter", &heard);
    assert!(heard.concealed(5, 60) < 0.04);
    assert!(heard.last().jitter_buffer_ms < 130.0);
}

#[test]
fn packets_out_of_order_and_twice_are_heard_once_and_in_order() {
    let heard = Call::of(&tone()[..1000]).hear(|n| if n % 5 == 0 { vec![45.0, 46.0] } else { vec![20.0, 95.0] });
    report("tone, reordered, all twice", &heard);
    let s = heard.last();
    assert_eq!(s.lost, 0);
    assert!(s.packets >= 998, "{}", s.packets);
    assert!(s.duplicate > 980);
    assert!(heard.concealed(3, 20) < 0.002, "{}", heard.concealed(3, 20));
    assert!((pitch(&heard.samples[96_000..]) - 440.0).abs() < 1.5);
}

#[test]
fn clocks_that_drift_apart_change_neither_the_delay_nor_the_pitch_for_long() {
    for drift in [-200.0, 200.0] {
        let heard = Call { drift, ..Call::of(tone()) }.hear(|_| vec![20.0]);
        report(&format!("tone, {drift} ppm"), &heard);
        assert!(heard.concealed(3, 60) < 0.001, "{}", heard.concealed(3, 60));
        for s in &heard.seconds[3..] {
            assert!((15.0..60.0).contains(&s.jitter_buffer_ms), "{}", s.jitter_buffer_ms);
        }
        assert!((pitch(&heard.samples[96_000..]) - 440.0).abs() < 1.5);
    }
}

#[test]
fn numbers_may_wrap() {
    let call = Call { first_sequence: 65_500, first_timestamp: u32::MAX - 50_000, ..Call::of(&tone()[..300]) };
    let s = call.hear(|_| vec![20.0]).last();
    assert_eq!((s.concealed_samples, s.lost, s.late, s.invalid), (0, 0, 0, 0));
}

#[test]
fn a_standstill_of_the_network_is_caught_up_with() {
    let heard = Call::of(speech()).hear(|n| {
        // All packets of the tenth second come at its end.
        vec![20.0 + if (500..550).contains(&n) { (550 - n) as f64 * 20.0 } else { 0.0 }]
    });
    report("speech, standstill of 1 s", &heard);
    assert!(heard.last().jitter_buffer_ms < 60.0, "{}", heard.last().jitter_buffer_ms);
    assert!(heard.concealed(13, 60) < 0.001);
    assert!(heard.last().skipped > 20);
}

#[test]
fn what_is_not_opus_is_concealed_and_counted() {
    let mut packets = tone()[..500].to_vec();
    for n in (50..500).step_by(10) {
        packets[n] = match n % 30 {
            // Padding, or a telephone event: no packet that is broken, and yet its sound is missing here.
            0 => Bytes::new(),
            // 20 ms by its header, but more padding than there are bytes: only the decoder finds out.
            10 => Bytes::from_static(&[0xFB, 0x41, 200, 1, 2]),
            _ => Bytes::from_static(&[0xFF; 40]),
        };
    }
    let heard = Call::of(&packets).hear(|_| vec![20.0]);
    report("tone, every tenth packet garbage", &heard);
    let s = heard.last();
    assert_eq!(s.invalid, 30);
    assert!((s.concealed_ratio() - 0.09).abs() < 0.01, "{}", s.concealed_ratio());
}

#[test]
fn stereo_from_a_browser_in_packets_of_any_length_is_heard_in_mono() {
    for frame in [120, 480, 1920, 2880, 5760] {
        let mut encoder = opus::Encoder::new(48_000, opus::Channels::Stereo, opus::Application::Audio).unwrap();
        let packets: Vec<Bytes> = (0..240_000 / frame)
            .map(|n| {
                let at = |i: usize| (0.3 * 32_767.0 * (TAU * 440.0 * (n * frame + i) as f64 / 48_000.0).sin()) as i16;
                let samples: Vec<i16> = (0..frame).flat_map(|i| [at(i), at(i)]).collect();
                Bytes::from(encoder.encode_vec(&samples, 4000).unwrap())
            })
            .collect();
        let heard = Call { frame, ..Call::of(&packets) }.hear(|_| vec![20.0]);
        report(&format!("stereo tone, packets of {frame}"), &heard);
        let s = heard.last();
        assert_eq!((s.concealed_samples, s.lost, s.invalid), (0, 0, 0));
        assert!((pitch(&heard.samples[96_000..]) - 440.0).abs() < 2.0, "{}", pitch(&heard.samples[96_000..]));
        let energy = (s.energy - heard.seconds[2].energy) / (heard.seconds.len() - 3) as f64;
        assert!((energy / 0.045 - 1.0).abs() < 0.1, "{energy}");
    }
}

#[test]
fn even_of_noise_that_is_like_nothing_the_delay_shrinks_when_jitter_ends() {
    let dice = std::cell::RefCell::new(Dice(3));
    let packets = encode(|_| 0.2 * (dice.borrow_mut().roll() - 0.5), 2000, 5);
    let mut dice = Dice(4);
    let heard = Call::of(&packets).hear(|n| vec![20.0 + if n < 500 { dice.roll() * 150.0 } else { 0.0 }]);
    report("noise, 0–150 ms jitter for 10 s, then none", &heard);
    assert!(heard.seconds[9].jitter_buffer_ms > 130.0);
    assert!(heard.last().jitter_buffer_ms < 100.0, "{}", heard.last().jitter_buffer_ms);
}

#[test]
fn jitter_that_keeps_the_order_conceals_next_to_nothing_from_the_first_second_on() {
    let mut dice = Dice(21);
    let mut last = 0.0_f64;
    // As on a path where each packet waits for up to 60 ms and none overtakes another.
    let heard = Call::of(speech()).hear(|n| {
        let sent = n as f64 * 20.0;
        last = last.max(sent + 25.0 + dice.roll() * 60.0);
        vec![last - sent]
    });
    report("speech, 0–60 ms jitter in order", &heard);
    assert!(heard.last().concealed_ratio() <= 0.005, "{}", heard.last().concealed_ratio());
    assert!(heard.last().jitter_buffer_ms < 110.0);
}

#[test]
fn after_a_hole_or_a_longer_path_the_delay_is_small_again() {
    for (name, hole) in [("hole of 300 ms, all late", true), ("path longer by 300 ms", false)] {
        let heard = Call::of(speech()).hear(|n| {
            let late = match n {
                1000..1015 if hole => (1015 - n) as f64 * 20.0,
                1000.. if !hole => 300.0,
                _ => 0.0,
            };
            vec![25.0 + late]
        });
        report(&format!("speech, {name}"), &heard);
        assert!(heard.seconds[19].jitter_buffer_ms < 45.0);
        assert!(heard.concealed(19, 59) < 0.4 / 40.0, "{}", heard.concealed(19, 59));
        assert!(heard.seconds[30].jitter_buffer_ms < 45.0, "{name}: {}", heard.seconds[30].jitter_buffer_ms);
        // What is put in has to be taken out again.
        assert!(heard.last().inserted_samples < 4_800, "{name}: {}", heard.last().inserted_samples);
    }
}

#[test]
fn jitter_of_half_a_second_is_waited_for() {
    let mut dice = Dice(31);
    let heard = Call::of(speech()).hear(|n| vec![25.0 + if n < 2000 { dice.roll() * 500.0 } else { 0.0 }]);
    report("speech, 0–500 ms jitter for 40 s, then none", &heard);
    assert!(heard.concealed(10, 39) < 0.005, "{}", heard.concealed(10, 39));
    assert!(heard.seconds[38].jitter_buffer_ms > 450.0);
    assert!(heard.last().jitter_buffer_ms < 250.0, "{}", heard.last().jitter_buffer_ms);
    // No faster than a tenth.
    for (a, b) in heard.seconds[39..].iter().zip(&heard.seconds[40..]) {
        let removed = b.removed_samples - a.removed_samples;
        assert!(removed < 5_600 && b.skipped == a.skipped, "{removed}");
    }
}

#[test]
fn a_delay_for_the_sake_of_pictures_comes_and_goes_smoothly() {
    let start = Instant::now();
    let mut playout = Playout::new().unwrap();
    let mut block = [0; 480];
    let mut delays = Vec::new();
    for n in 0..1500_usize {
        let at = start + Duration::from_millis(20) * n as u32;
        playout.insert(RtpPacket {
            ssrc: 7,
            payload_type: 111,
            sequence_number: n as u16,
            timestamp: (n * 960) as u32,
            marker: false,
            payload: speech()[n].clone(),
            arrived_at: at,
        });
        match n {
            250 => playout.set_extra_delay(Duration::from_secs(5)),
            750 => playout.set_extra_delay(Duration::ZERO),
            _ => {}
        }
        for half in 0..2 {
            playout.pull(&mut block, at + Duration::from_millis(1 + 10 * half));
        }
        if n > 50 {
            // What is heard at an instant was said so long before.
            let playing = playout.playing().unwrap();
            let said = start + Duration::from_secs_f64(f64::from(playing.rtp_timestamp) / 48_000.0);
            assert_eq!(playing.ssrc, 7);
            delays.push((playing.at - said).as_secs_f64() * 1000.0);
        }
    }
    let stats = playout.stats();
    assert_eq!((stats.concealed_samples, stats.skipped, stats.late), (0, 0, 0));
    let delay = |n: usize| delays[n - 51];
    assert!((15.0..50.0).contains(&delay(249)), "{}", delay(249));
    assert!((310.0..360.0).contains(&delay(749)), "{}", delay(749));
    assert!(delay(1499) < 60.0, "{}", delay(1499));
    assert!(stats.jitter_buffer_mean_ms > 60.0 && stats.jitter_buffer_mean_ms < 250.0);
}
