use super::*;
use std::sync::mpsc;

type Sent = (Bytes, u32);

fn sender() -> (AudioSender, mpsc::Receiver<Sent>) {
    let (tx, rx) = mpsc::channel();
    let tx = Mutex::new(tx);
    let output: AudioOutput =
        Arc::new(move |packet| tx.lock().unwrap().send((packet.payload, packet.timestamp)).is_ok());
    (AudioSender::start(output).unwrap(), rx)
}

fn next(sent: &mpsc::Receiver<Sent>) -> Sent {
    sent.recv_timeout(Duration::from_secs(10)).unwrap()
}

/// A 440 Hz tone at half of full scale.
fn tone(from: usize, len: usize) -> Vec<i16> {
    (from..from + len)
        .map(|i| ((i as f64 * 440.0 * std::f64::consts::TAU / 48_000.0).sin() * 16_384.0) as i16)
        .collect()
}

/// As the sink does, but at a fixed time: a busy machine must not look like a microphone that was away.
fn push(sender: &AudioSender, samples: &[i16], at: Instant) {
    if sender.shared.lock().push(samples, at) {
        sender.shared.changed.notify_one();
    }
}

#[test]
fn sound_in_blocks_of_any_size_becomes_20_ms_packets_with_steady_timestamps() {
    let (sender, sent) = sender();
    let start = Instant::now();
    let (mut pushed, mut packets) = (0, 0);
    for block in [1, 479, 480, 960, 441, 1024, 0, 2000, 335].iter().cycle().take(90) {
        push(&sender, &tone(pushed, *block), start);
        pushed += block;
        while packets < pushed / SAMPLES_PER_FRAME {
            let (packet, timestamp) = next(&sent);
            assert_eq!(timestamp as usize, packets * SAMPLES_PER_FRAME);
            assert_eq!(opus::packet::get_nb_samples(&packet, SAMPLE_RATE).unwrap(), SAMPLES_PER_FRAME);
            packets += 1;
        }
    }
    drop(sent);
    let stats = sender.stats();
    assert_eq!(stats.dropped, 0);
    let kbits = stats.bytes as f64 * 8.0 / (packets as f64 * 0.02) / 1000.0;
    assert!((20.0..45.0).contains(&kbits), "{kbits} kbit/s");
    // Half of full scale: mean square 1/8.
    assert!((stats.energy / (packets as f64 * 0.02) - 0.125).abs() < 0.002);
    assert!((stats.level - 0.125_f64.sqrt()).abs() < 0.005);
}

#[test]
fn muted_sends_next_to_nothing_while_the_timestamps_go_on_and_sound_comes_back_at_once() {
    let (sender, sent) = sender();
    let start = Instant::now();
    let feed = |frames: std::ops::Range<usize>| {
        for n in frames {
            push(&sender, &tone(n * 960, 960), start);
            // The encoder has taken all frames once it wants the next one; only then is none dropped.
            while !sender.shared.lock().queue.is_empty() {
                std::thread::yield_now();
            }
        }
    };
    feed(0..10);
    sender.set_muted(true);
    feed(10..210);
    let muted_energy = sender.stats().energy;
    assert_eq!(sender.stats().level, 0.0);
    sender.set_muted(false);
    feed(210..220);
    let packets: Vec<Sent> = std::iter::from_fn(|| Some(next(&sent))).take_while_inclusive(219 * 960);
    let muted: Vec<&Sent> = packets.iter().filter(|(_, t)| (10 * 960..210 * 960).contains(&(*t as usize))).collect();
    assert!((9..=40).contains(&muted.len()), "{} packets in 4 s", muted.len());
    assert!(muted.windows(2).all(|w| w[1].1 - w[0].1 <= 480 * 48), "a gap of more than 480 ms");
    assert!(muted[12..].iter().all(|(packet, _)| packet.len() < 40), "silence is small");
    assert_eq!(packets.iter().filter(|(_, t)| *t as usize >= 210 * 960).count(), 10);
    assert!(sender.stats().energy > muted_energy);
    assert_eq!(sender.stats().dropped, 0);
    assert_heard_with_a_pause(&packets, 10..210);
}

/// Plays what was sent over a clean path: sound, nothing while muted, sound again, and none of it concealed.
fn assert_heard_with_a_pause(packets: &[Sent], muted: std::ops::Range<u32>) {
    let start = Instant::now();
    let at = |samples: u32| start + Duration::from_secs_f64(f64::from(samples) / 48_000.0);
    let mut playout = crate::media::audio::Playout::new().unwrap();
    let mut waiting = packets.iter().enumerate().peekable();
    let mut block = [0; 480];
    for now in (0..220 * 960).step_by(480) {
        while let Some((n, (payload, timestamp))) = waiting.next_if(|(_, (_, timestamp))| *timestamp <= now) {
            playout.insert(crate::media::rtp::RtpPacket {
                ssrc: 1,
                payload_type: 111,
                sequence_number: n as u16,
                timestamp: *timestamp,
                marker: false,
                payload: payload.clone(),
                arrived_at: at(*timestamp),
            });
        }
        playout.pull(&mut block, at(now));
        let level = playout.stats().level;
        // A frame of the past and 100 ms of delay either way are neither here nor there.
        let frame = now / 960;
        if (muted.start + 15..muted.end).contains(&frame) {
            assert!(level < 0.001, "frame {frame}: level {level}");
        } else if (5..muted.start).contains(&frame) || frame >= muted.end + 6 {
            assert!(level > 0.2, "frame {frame}: level {level}");
        }
    }
    let stats = playout.stats();
    assert_eq!((stats.lost, stats.late, stats.concealed_samples), (0, 0, 0));
}

trait TakeWhileInclusive {
    fn take_while_inclusive(self, last: u32) -> Vec<Sent>;
}

impl<I: Iterator<Item = Sent>> TakeWhileInclusive for I {
    fn take_while_inclusive(self, last: u32) -> Vec<Sent> {
        let mut taken = Vec::new();
        for sent in self {
            let timestamp = sent.1;
            taken.push(sent);
            if timestamp >= last {
                break;
            }
        }
        taken
    }
}

#[test]
fn an_output_that_hangs_costs_the_oldest_sound_and_leaves_a_gap_in_the_timestamps() {
    let (entered_tx, entered) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let (entered_tx, wait) = (Mutex::new(entered_tx), Mutex::new(wait));
    let sender = AudioSender::start(Arc::new(move |packet| {
        let told = entered_tx.lock().unwrap().send(packet.timestamp).is_ok();
        // Until the test lets go of it.
        let _ = wait.lock().unwrap().recv();
        told
    }))
    .unwrap();
    sender.sink().push(&tone(0, 960));
    assert_eq!(entered.recv_timeout(Duration::from_secs(10)), Ok(0));
    sender.sink().push(&tone(960, 960 * 30));
    assert_eq!(sender.stats().dropped, 20);
    drop(go);
    let timestamps: Vec<u32> = (0..10).map(|_| entered.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
    assert_eq!(timestamps, (21..31).map(|n| n * 960).collect::<Vec<u32>>());
}

#[test]
fn packets_that_the_output_does_not_take_are_counted_as_dropped_and_a_dropped_sender_sends_no_more() {
    let (tx, rx) = mpsc::channel();
    let tx = Mutex::new(tx);
    let sender = AudioSender::start(Arc::new(move |packet| {
        let _ = tx.lock().unwrap().send(packet.timestamp);
        false
    }))
    .unwrap();
    let sink = sender.sink();
    sink.push(&tone(0, 960 * 2));
    assert_eq!(rx.recv_timeout(Duration::from_secs(10)), Ok(0));
    assert_eq!(rx.recv_timeout(Duration::from_secs(10)), Ok(960));
    let shared = Arc::clone(&sender.shared);
    drop(sender);
    let stats = shared.lock().stats;
    assert_eq!((stats.packets, stats.dropped), (0, 2));
    sink.push(&tone(0, 960 * 2));
    // The encoder's thread is gone and its output with it.
    assert_eq!(rx.recv_timeout(Duration::from_secs(10)), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn after_a_microphone_was_away_timestamps_have_moved_on_by_the_time_it_missed() {
    let (sender, _sent) = sender();
    let start = Instant::now();
    let mut state = sender.shared.lock();
    state.push(&[1; 960], start);
    state.push(&[1; 960], start + Duration::from_millis(300));
    assert_eq!(state.position, 2 * 960, "late is not away");
    state.push(&[1; 960], start + Duration::from_millis(2320));
    assert_eq!(state.position, 2 * 960 + 100 * 960 + 960);
}

#[test]
fn packets_repair_their_predecessors_when_loss_is_expected_and_not_when_none_is() {
    // A buzz of 130 Hz, which Opus takes for a voice.
    let voice = |n: usize| -> Vec<i16> { (n * 960..n * 960 + 960).map(|i| (i % 369) as i16 * 40 - 7000).collect() };
    let with_fec = |percent| {
        let (sender, sent) = sender();
        sender.follow(AudioPlan { loss_percent: percent, ..AudioSender::FIRST_PLAN });
        let start = Instant::now();
        (0..50)
            .filter(|&n| {
                push(&sender, &voice(n), start);
                crate::media::audio::opus_packet::fec_samples(&next(&sent).0).is_some()
            })
            .count()
    };
    assert_eq!(with_fec(0), 0);
    for percent in [10, 20, 255] {
        // libopus spends bits on repair only for the frames that it takes for voice.
        let repairing = with_fec(percent);
        println!("{percent}% expected loss: {repairing} of 50 packets repair");
        assert!(repairing >= 20, "{percent}%: {repairing} of 50");
    }
}

#[test]
fn a_plan_is_followed_from_one_packet_to_the_next_without_a_gap_in_timestamps_or_a_click() {
    let (tx, sent) = mpsc::channel();
    let tx = Mutex::new(tx);
    let sender = AudioSender::start(Arc::new(move |packet| tx.lock().unwrap().send(packet).is_ok())).unwrap();
    let start = Instant::now();
    let mut pushed = 0;
    let mut packets: Vec<AudioPacket> = Vec::new();
    for (ms, bitrate_bps, redundancy) in [(20, 32_000, 2), (60, 16_000, 2), (40, 20_000, 0), (20, 24_000, 1)] {
        sender.follow(AudioPlan {
            bitrate_bps,
            frame: Duration::from_millis(ms),
            redundancy,
            loss_percent: 10,
            dtx: false,
        });
        for _ in 0..20 {
            let samples = ms as usize * 48;
            push(&sender, &tone(pushed, samples), start);
            pushed += samples;
            let packet = sent.recv_timeout(Duration::from_secs(10)).unwrap();
            assert_eq!(opus::packet::get_nb_samples(&packet.payload, SAMPLE_RATE).unwrap(), samples);
            packets.push(packet);
        }
        let offsets: Vec<u16> = packets.last().unwrap().earlier.iter().map(|block| block.offset).collect();
        match (ms, redundancy) {
            (20, 2) => assert_eq!(offsets, [2880, 960]),
            // One generation at most: two would be 120 ms old.
            (60, 2) => assert_eq!(offsets, [2880]),
            (20, 1) => assert_eq!(offsets, [960]),
            _ => assert_eq!(offsets, [0_u16; 0]),
        }
    }
    assert_eq!(sender.stats().dropped, 0);
    let mut decoder = opus::Decoder::new(SAMPLE_RATE, Channels::Mono).unwrap();
    let mut heard = Vec::new();
    for packet in &packets {
        assert_eq!(packet.timestamp as usize, heard.len(), "timestamps go on where the packet before ended");
        for block in &packet.earlier {
            let before = packet.timestamp - u32::from(block.offset);
            assert!(packets.iter().any(|p| p.timestamp == before && p.payload == block.payload));
        }
        let mut out = vec![0; 2880];
        let len = decoder.decode(&packet.payload, &mut out, false).unwrap();
        heard.extend_from_slice(&out[..len]);
    }
    let step = |samples: &[i16]| samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap();
    assert!(step(&heard) < 2 * step(&tone(0, 48_000)), "{} {}", step(&heard), step(&tone(0, 48_000)));
}

#[test]
fn sound_before_a_gap_is_sent_as_a_shorter_packet() {
    let (sender, _sent) = sender();
    let mut state = sender.shared.lock();
    state.plan.frame = Duration::from_millis(60);
    let start = Instant::now();
    state.push(&[1; 960], start);
    assert_eq!(state.ready(), 0, "more may come");
    state.push(&[1; 960], start + Duration::from_secs(3));
    assert_eq!(state.ready(), 1);
    assert_eq!(state.take(1).map(|frame| frame.samples.len()), Some(960));
    assert_eq!(state.ready(), 0);
}

#[test]
fn with_dtx_allowed_silence_goes_unsent_although_nothing_is_muted() {
    for ms in [20, 40, 60] {
        let (sender, sent) = sender();
        sender.follow(AudioPlan { dtx: true, frame: Duration::from_millis(ms), ..AudioSender::FIRST_PLAN });
        let start = Instant::now();
        for _ in 0..100 {
            push(&sender, &[0; 2880], start);
            while sender.shared.lock().ready() > 0 {
                std::thread::yield_now();
            }
        }
        drop(sender);
        let packets = sent.iter().count();
        // Of 6 s, all in 0.4 s steps but the first half second.
        assert!((10..60).contains(&packets), "{packets} packets of {ms} ms");
    }
}
