use super::*;
use std::sync::mpsc;

type Sent = (Bytes, u32);

fn sender() -> (AudioSender, mpsc::Receiver<Sent>) {
    let (tx, rx) = mpsc::channel();
    let tx = Mutex::new(tx);
    let output: AudioOutput = Arc::new(move |packet, timestamp| tx.lock().unwrap().send((packet, timestamp)).is_ok());
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

#[test]
fn sound_in_blocks_of_any_size_becomes_20_ms_packets_with_steady_timestamps() {
    let (sender, sent) = sender();
    let (mut pushed, mut packets) = (0, 0);
    for block in [1, 479, 480, 960, 441, 1024, 0, 2000, 335].iter().cycle().take(90) {
        sender.sink().push(&tone(pushed, *block));
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
    let sink = sender.sink();
    let feed = |frames: std::ops::Range<usize>| {
        for n in frames {
            sink.push(&tone(n * 960, 960));
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
    let sender = AudioSender::start(Arc::new(move |_, timestamp| {
        let told = entered_tx.lock().unwrap().send(timestamp).is_ok();
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
    let sender = AudioSender::start(Arc::new(move |_, timestamp| {
        let _ = tx.lock().unwrap().send(timestamp);
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
fn in_band_fec_is_there_when_loss_is_expected_and_any_percentage_is_taken() {
    let (sender, sent) = sender();
    for (n, percent) in [0, 20, 100, 255].into_iter().enumerate() {
        sender.set_packet_loss(percent);
        sender.sink().push(&tone(n * 960, 960));
        next(&sent);
    }
    assert_eq!(sender.shared.lock().packet_loss, 100);
    assert_eq!(sender.stats().dropped, 0);
}
