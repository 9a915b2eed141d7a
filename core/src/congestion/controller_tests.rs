use super::*;

const CONFIG: Config = Config { start_bps: 300_000, min_bps: 24_000, max_bps: 3_000_000 };

/// Sends at the target over a path of one capacity, and answers each 50 ms.
struct Path {
    now: Instant,
    controller: Controller,
    number: u64,
    free_at: f64,
    arrivals: Vec<Option<i64>>,
    base: u64,
    elapsed: f64,
}

impl Path {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            controller: Controller::new(now, CONFIG),
            number: 0,
            free_at: 0.0,
            arrivals: Vec::new(),
            base: 0,
            elapsed: 0.0,
        }
    }

    fn run(&mut self, seconds: f64, capacity: f64) {
        let end = self.elapsed + seconds;
        let mut answer_at = self.elapsed + 0.05;
        while self.elapsed < end {
            let bps = f64::from(self.controller.plan().target_bps);
            let probe = self.controller.take_probe(self.now);
            let packets = probe.map_or(1, |probe| probe.min_packets);
            for _ in 0..packets {
                let bytes = probe.map_or(1200, |probe| probe.min_bytes / probe.min_packets + 1);
                let sent =
                    Sent { number: self.number, class: Class::Video, wire_bytes: bytes, probe: probe.map(|p| p.id) };
                self.controller.on_sent(self.now, sent);
                self.controller.on_encoded(self.now, bytes - 60);
                self.number += 1;
                self.free_at = self.free_at.max(self.elapsed) + f64::from(bytes) * 8.0 / capacity;
                self.arrivals.push(Some(((self.free_at + 0.02) * 1e6) as i64));
                let rate = probe.map_or(bps, |probe| f64::from(probe.rate_bps));
                let step = f64::from(bytes) * 8.0 / rate;
                self.elapsed += step;
                self.now += Duration::from_secs_f64(step);
            }
            self.controller.handle_timeout(self.now);
            if self.elapsed >= answer_at {
                answer_at = self.elapsed + 0.05;
                let arrived = self.arrivals.iter().take_while(|at| at.is_some_and(|at| at as f64 / 1e6 < self.elapsed));
                let arrived: Vec<_> = arrived.copied().collect();
                let feedback = Feedback { base: self.base, arrivals: &arrived };
                self.controller.on_feedback(self.now, &feedback);
                self.base += arrived.len() as u64;
                self.arrivals.drain(..arrived.len());
            }
        }
    }

    fn target(&self) -> f64 {
        f64::from(self.controller.plan().target_bps)
    }
}

#[test]
fn a_wide_path_is_found_within_seconds() {
    let mut path = Path::new();
    path.run(3.0, 20e6);
    assert!(path.target() > 2e6, "{}", path.target());
}

#[test]
fn a_narrow_path_is_kept_full_without_a_standing_queue() {
    let mut path = Path::new();
    path.run(10.0, 1e6);
    for _ in 0..20 {
        path.run(1.0, 1e6);
        assert!((0.6e6..1.3e6).contains(&path.target()), "{}", path.target());
        assert!(path.controller.stats().queue < Duration::from_millis(150));
    }
}

#[test]
fn feedback_that_lies_stays_within_bounds_and_is_counted() {
    let mut path = Path::new();
    path.run(1.0, 1e6);
    let now = path.now;
    let lie = vec![Some(i64::MAX / 8); 100];
    path.controller.on_feedback(now, &Feedback { base: 1_000_000, arrivals: &lie });
    path.controller.on_feedback(now, &Feedback { base: u64::MAX - 3, arrivals: &lie });
    assert_eq!(path.controller.stats().refused_feedback, 2);
    for n in 0..100_i64 {
        let base = path.number.saturating_sub(20);
        let arrivals: Vec<_> = (0..20).map(|i| Some((n - 50) * i * 1_000_000_007)).collect();
        path.controller.on_feedback(now, &Feedback { base, arrivals: &arrivals });
        path.run(0.05, 1e6);
        let target = path.controller.plan().target_bps;
        assert!((CONFIG.min_bps..=CONFIG.max_bps).contains(&target));
    }
}

#[test]
fn a_path_that_answers_no_more_carries_sound_alone_and_comes_back_by_halves() {
    let mut path = Path::new();
    path.run(5.0, 2e6);
    let before = path.target();
    for n in 0..60 {
        path.now += Duration::from_millis(25);
        path.elapsed += 0.025;
        let sent = Sent { number: path.number, class: Class::Audio, wire_bytes: 120, probe: None };
        path.controller.on_sent(path.now, sent);
        path.number += 1;
        path.arrivals.push(Some(((path.elapsed + 0.02) * 1e6) as i64));
        path.controller.handle_timeout(path.now);
        assert!(n < 50 || path.controller.plan().video.suspended, "{n}");
    }
    let arrived = std::mem::take(&mut path.arrivals);
    path.controller.on_feedback(path.now, &Feedback { base: path.base, arrivals: &arrived });
    path.base += arrived.len() as u64;
    assert!(!path.controller.plan().video.suspended);
    assert!((0.4 * before..0.6 * before).contains(&path.target()), "{} {before}", path.target());
    path.run(2.0, 2e6);
    assert!(path.target() > 0.75 * before, "and the old rate is asked for: {} {before}", path.target());
}

#[test]
fn a_new_route_starts_low_and_asks_for_the_old_rate_soon() {
    let mut path = Path::new();
    path.run(5.0, 20e6);
    let before = path.target();
    path.controller.on_route(path.now);
    assert!(path.target() <= before);
    path.run(1.5, 20e6);
    assert!(path.target() > 0.8 * before, "{} {before}", path.target());
}
