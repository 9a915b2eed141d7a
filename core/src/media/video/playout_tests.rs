use super::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const INTERVAL: u32 = 3_000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A sender of 30 pictures per second, a path, and a screen, in virtual time.
struct Path {
    playout: Playout<u32>,
    start: Instant,
    ssrc: u32,
    first_timestamp: u32,
    /// The sender's clock runs faster than this side's by this part.
    drift: f64,
    /// Number and time of what was shown.
    shown: Vec<(u32, Instant)>,
    last_ready: Instant,
}

impl Path {
    fn new() -> Self {
        let start = Instant::now();
        Self {
            playout: Playout::new(),
            start,
            ssrc: 1,
            first_timestamp: 77,
            drift: 0.0,
            shown: vec![],
            last_ready: start,
        }
    }

    fn captured(&self, number: u32) -> Instant {
        self.start + (Duration::from_secs(1) * number / 30).mul_f64(1.0 - self.drift)
    }

    fn show_until(&mut self, until: Instant) {
        while let Some(due) = self.playout.next_due().filter(|due| *due <= until) {
            let (_, number) = self.playout.pop(due).unwrap();
            self.shown.push((number, due));
        }
    }

    /// The picture is ready so long after its capture, but not before the one before it.
    fn ready(&mut self, number: u32, delay: Duration) {
        let at = (self.captured(number) + delay).max(self.last_ready);
        self.last_ready = at;
        self.show_until(at);
        let rtp_timestamp = self.first_timestamp.wrapping_add(number * INTERVAL);
        self.playout.push(at, Timing { ssrc: self.ssrc, rtp_timestamp, arrived_at: at }, 1, number);
        while let Some((_, number)) = self.playout.pop(at) {
            self.shown.push((number, at));
        }
    }

    fn finish(&mut self) {
        self.show_until(self.last_ready + ms(2_000));
    }

    /// From capture to screen, in ms, of the pictures from this number on.
    fn delays(&self, from: u32) -> Vec<f64> {
        let shown = self.shown.iter().filter(|(number, _)| *number >= from);
        shown.map(|(number, at)| at.duration_since(self.captured(*number)).as_secs_f64() * 1e3).collect()
    }

    /// Between pictures from this number on, in ms.
    fn gaps(&self, from: u32) -> Vec<f64> {
        let shown: Vec<_> = self.shown.iter().filter(|(number, _)| *number >= from).collect();
        shown.windows(2).map(|pair| pair[1].1.duration_since(pair[0].1).as_secs_f64() * 1e3).collect()
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

#[test]
fn on_a_path_without_jitter_pictures_are_shown_at_once() {
    let mut path = Path::new();
    // The decoder starts with the first picture, and the machine does other things now and then.
    for number in 0..300 {
        let delay = if number == 0 { 80 } else { 4 + u64::from(number * 7_919 % 6) };
        path.ready(number, ms(delay));
        if number > 60 {
            assert!(path.playout.waiting.is_empty(), "nothing is held");
        }
    }
    assert!(largest(&path.delays(60)) < 10.0, "{:?}", path.delays(60));
    assert_eq!(path.shown.len(), 300);
}

#[test]
fn jitter_of_60_ms_gives_no_freeze_and_an_even_pace() {
    let (mut path, mut random) = (Path::new(), StdRng::seed_from_u64(5));
    path.playout.set_rtt(ms(50));
    for number in 0..900 {
        path.ready(number, ms(20 + random.random_range(0..60)));
    }
    path.finish();
    assert_eq!(path.shown.len(), 900, "all are shown");
    let gaps = path.gaps(60);
    let even = gaps.iter().filter(|gap| (**gap - 33.3).abs() < 5.0).count();
    assert!(even * 100 >= gaps.len() * 90, "{even} of {}", gaps.len());
    assert!(largest(&gaps) < 60.0 && smallest(&gaps) > 15.0, "{} {}", smallest(&gaps), largest(&gaps));
    assert!(largest(&path.delays(60)) < 100.0, "not later than the jitter asks for");
}

#[test]
fn repaired_pictures_are_waited_for_up_to_the_bound_that_the_round_trip_sets() {
    let mut path = Path::new();
    path.playout.set_rtt(ms(50));
    for number in 0..600 {
        path.ready(number, ms(if number % 10 == 0 { 145 } else { 25 }));
    }
    assert!((115.0..=125.0).contains(&largest(&path.gaps(300)).max(120.0)));
    assert!(largest(&path.gaps(300)) < 45.0, "{}", largest(&path.gaps(300)));
    let mut path = Path::new();
    path.playout.set_rtt(ms(0));
    for number in 0..600 {
        path.ready(number, ms(if number % 10 == 0 { 145 } else { 25 }));
        assert!(path.playout.target_delay() <= MIN_LIMIT);
    }
}

#[test]
fn clocks_that_drift_apart_neither_pile_pictures_up_nor_starve_the_screen() {
    for drift in [-0.0005, 0.0005] {
        let mut path = Path { drift, ..Path::new() };
        let mut random = StdRng::seed_from_u64(9);
        for number in 0..10_000 {
            path.ready(number, ms(20 + random.random_range(0..40)));
        }
        let late: Vec<f64> = path.delays(9_000);
        assert!(largest(&late) < 80.0 && smallest(&late) > 40.0, "{drift}: {} {}", smallest(&late), largest(&late));
        assert!(largest(&path.gaps(60)) < 60.0);
    }
}

#[test]
fn after_a_pause_the_first_picture_is_shown_without_delay() {
    let mut path = Path::new();
    for number in (0..300).chain(1_200..1_500) {
        path.ready(number, ms(10));
    }
    assert!(largest(&path.delays(60)) < 11.0);
}

#[test]
fn a_clock_that_stood_still_or_leapt_in_a_pause_is_followed_at_once() {
    for leap in [-900_000_000_i32, -90_000 * 10, 90_000 * 10, 900_000_000] {
        let mut path = Path::new();
        for number in 0..300 {
            if number == 150 {
                path.first_timestamp = path.first_timestamp.wrapping_add_signed(leap);
            }
            path.ready(number, ms(10));
        }
        assert!(largest(&path.delays(1)) < 11.0, "{leap}: {}", largest(&path.delays(1)));
        assert_eq!(path.shown.len(), 300);
    }
}

#[test]
fn timestamps_that_wrap_are_no_leap() {
    let (mut path, mut random) =
        (Path { first_timestamp: u32::MAX - 450_000, ..Path::new() }, StdRng::seed_from_u64(2));
    for number in 0..300 {
        path.ready(number, ms(20 + random.random_range(0..60)));
    }
    assert!(largest(&path.gaps(60)) < 60.0 && smallest(&path.gaps(60)) > 15.0);
}

#[test]
fn a_sender_that_begins_anew_is_followed_from_its_first_picture_on() {
    let mut path = Path::new();
    for number in 0..300 {
        if number == 150 {
            (path.ssrc, path.first_timestamp) = (2, 4_000_000_000);
        }
        path.ready(number, ms(30));
    }
    assert_eq!(largest(&path.delays(0)) as u64, 30);
}

#[test]
fn a_burst_after_a_stall_is_shown_one_after_the_other_and_a_long_one_at_once() {
    for (stall, spread) in [(200, true), (800, false)] {
        let mut path = Path::new();
        for number in 0..300 {
            path.ready(number, ms(10));
        }
        let stall = path.captured(300) + ms(stall);
        for number in 300..400 {
            let delay = stall.saturating_duration_since(path.captured(number)).max(ms(10));
            path.ready(number, delay);
        }
        path.finish();
        let gaps = path.gaps(300);
        assert_eq!(path.shown.len(), 400);
        assert_eq!(smallest(&gaps) > 10.0, spread, "{gaps:?}");
        assert!(largest(&path.delays(380)) < 60.0, "it has caught up");
    }
}

#[test]
fn pictures_that_wait_are_bounded_in_number_and_bytes_and_none_is_lost() {
    for bytes in [1, 3 << 20, 100 << 20] {
        let mut path = Path::new();
        path.playout.set_rtt(ms(1_000));
        path.playout.set_extra_delay(ms(10_000));
        let mut shown = 0;
        for number in 0..500u32 {
            let at = path.captured(number * 30 / 240);
            let timing = Timing { ssrc: 1, rtp_timestamp: number * 375, arrived_at: at };
            path.playout.push(at, timing, bytes, number);
            while let Some((_, next)) = path.playout.pop(at) {
                assert_eq!(next, shown);
                shown += 1;
            }
            let held = path.playout.waiting.len();
            assert!(held <= MAX_WAITING && (held <= 1 || held * bytes <= MAX_WAITING_BYTES), "{held}");
        }
        assert!(shown + MAX_WAITING as u32 >= 500);
    }
}

#[test]
fn the_delay_for_the_sake_of_sound_comes_and_goes_without_a_jump() {
    let mut path = Path::new();
    for number in 0..300 {
        match number {
            100 => path.playout.set_extra_delay(ms(80)),
            200 => path.playout.set_extra_delay(ms(0)),
            _ => {}
        }
        path.ready(number, ms(10));
    }
    path.finish();
    let delays = path.delays(0);
    assert!((89.0..91.0).contains(&delays[190]) && delays[299] < 11.0, "{} {}", delays[190], delays[299]);
    assert!(largest(&path.gaps(1)) < 60.0 && smallest(&path.gaps(1)) > 10.0);
}
