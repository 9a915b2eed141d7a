//! What of the bytes that leave is repair, what the encoder makes of its orders, and what headers add to it.

/// Weight of the time before, in microseconds.
const SECOND: f64 = 1e6;

/// The part of video that repair takes: of the last second, or of the last quarter of it where that is more, so that a burst of it is paid
/// for at once.
#[derive(Debug)]
pub(super) struct RepairPart {
    long: Part,
    short: Part,
}

impl RepairPart {
    pub(super) fn new() -> Self {
        Self { long: Part::over(SECOND), short: Part::over(SECOND / 4.0) }
    }

    /// Of `all` bytes these are repair.
    pub(super) fn add(&mut self, now: i64, repair: f64, all: f64) {
        self.long.add(now, repair, all);
        self.short.add(now, repair, all);
    }

    /// 0 to 1.
    pub(super) fn part(&self) -> f64 {
        self.long.part().max(self.short.part())
    }
}

/// A part of bytes, over about the last so many microseconds.
#[derive(Debug)]
struct Part {
    over: f64,
    part: f64,
    all: f64,
    at: Option<i64>,
}

impl Part {
    fn over(micros: f64) -> Self {
        Self { over: micros, part: 0.0, all: 0.0, at: None }
    }

    fn add(&mut self, now: i64, part: f64, all: f64) {
        let since = self.at.replace(now).map_or(0, |at| (now - at).max(0)) as f64;
        let keep = (-since / self.over).exp();
        self.part = self.part * keep + part;
        self.all = self.all * keep + all;
    }

    fn part(&self) -> f64 {
        if self.all > 0.0 { self.part / self.all } else { 0.0 }
    }
}

/// What the encoder makes of its orders, and what headers add to it. Over about two seconds.
#[derive(Debug, Default)]
pub(super) struct Produced {
    payload: f64,
    wire: f64,
    asked: f64,
    asked_bps: f64,
    at: Option<i64>,
}

impl Produced {
    pub(super) const FIRST_OVERHEAD: f64 = 1.08;
    /// Payload bytes from which on the measure is one.
    const ENOUGH: f64 = 4_000.0;

    pub(super) fn decay(&mut self, now: i64) {
        let since = self.at.replace(now).map_or(0, |at| (now - at).clamp(0, 2_000_000)) as f64;
        let keep = (-since / (2.0 * SECOND)).exp();
        self.payload *= keep;
        self.wire *= keep;
        self.asked = self.asked * keep + self.asked_bps / 8e6 * since;
    }

    pub(super) fn encoded(&mut self, now: i64, bytes: f64) {
        self.decay(now);
        self.payload += bytes;
    }

    pub(super) fn on_wire(&mut self, now: i64, bytes: f64) {
        self.decay(now);
        self.wire += bytes;
    }

    pub(super) fn asked(&mut self, now: i64, bps: f64) {
        self.decay(now);
        self.asked_bps = bps;
    }

    pub(super) fn overhead(&self) -> f64 {
        if self.payload < Self::ENOUGH { Self::FIRST_OVERHEAD } else { (self.wire / self.payload).clamp(1.03, 1.6) }
    }

    pub(super) fn overshoot(&self) -> f64 {
        if self.payload < Self::ENOUGH || self.asked <= 0.0 {
            return 1.05;
        }
        (self.payload / self.asked).clamp(1.0, 1.3)
    }
}
