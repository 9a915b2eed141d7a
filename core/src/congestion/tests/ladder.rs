//! Which size the model encoder's pictures have: rungs by bitrate with hysteresis, and left where the quantiser is at its coarsest, as
//! in `media::video::adaptation`. A change of size costs a keyframe.

use super::link::SECOND;

/// A picture's size, by what it needs.
pub(super) struct Size {
    /// Bits per second from which it is taken, and down to which it is kept.
    enter: f64,
    keep: f64,
    pub(super) fps: u64,
    /// Bits of a picture of hard content at the coarsest quantiser.
    pub(super) floor: f64,
}

/// From 1280×720 to 320×180, and that at half the pace.
pub(super) const SIZES: [Size; 6] = [
    Size { enter: 900_000.0, keep: 600_000.0, fps: 30, floor: 36_000.0 },
    Size { enter: 500_000.0, keep: 350_000.0, fps: 30, floor: 24_000.0 },
    Size { enter: 300_000.0, keep: 200_000.0, fps: 30, floor: 16_000.0 },
    Size { enter: 180_000.0, keep: 120_000.0, fps: 30, floor: 11_000.0 },
    Size { enter: 116_000.0, keep: 77_000.0, fps: 30, floor: 8_500.0 },
    Size { enter: 90_000.0, keep: 60_000.0, fps: 15, floor: 8_500.0 },
];
const LAST: usize = SIZES.len() - 1;
const FALL_AT_ONCE: f64 = 0.6;
const FALL_AFTER: u64 = SECOND;
/// From this multiple of what it needs on, after so long; from that one on, sooner; in the first seconds sooner still.
const RISE_FROM: f64 = 1.25;
const RISE_AFTER: u64 = 4 * SECOND;
const RISE_SOON_FROM: f64 = 2.5;
const RISE_SOON_AFTER: u64 = SECOND;
const START: u64 = 5 * SECOND;
const RISE_AT_START_AFTER: u64 = SECOND / 2;
/// Quantisers are looked at over this time; a rung that was left for them is tried again at so much more.
const WINDOW: u64 = 2 * SECOND;
const RETRY_FROM: f64 = 1.5;
const RETRY_SOON_FROM: f64 = 2.25;
const RETRY_SOON_AFTER: u64 = SECOND / 2;
const RETRY_ALL_FROM: f64 = 4.5;
/// Pictures of so many times the least bits have fine quantisers: they are worth more pixels.
const FINE: f64 = 3.0;

pub(super) struct Ladder {
    began: u64,
    rung: usize,
    low: Option<u64>,
    high: Option<u64>,
    very_high: Option<u64>,
    /// Rungs above this one are left, each with the rate then.
    left: Vec<(usize, f64)>,
    retry: Option<u64>,
    retry_soon: Option<u64>,
    /// Since when pictures are counted: all, those at the coarsest quantiser, and those at a fine one.
    window: (u64, u32, u32, u32),
    /// The sum of the rates in that time, and of how many.
    rates: (f64, f64),
    coarse: bool,
}

fn held(since: &mut Option<u64>, now: u64, is: bool) -> Option<u64> {
    if !is {
        *since = None;
        return None;
    }
    Some(now - *since.get_or_insert(now))
}

impl Ladder {
    pub(super) fn new(now: u64, rate: f64) -> Self {
        let rung = (0..LAST).find(|rung| rate >= SIZES[*rung].enter).unwrap_or(LAST);
        Self {
            began: now,
            rung,
            low: None,
            high: None,
            very_high: None,
            left: Vec::new(),
            retry: None,
            retry_soon: None,
            rates: (0.0, 0.0),
            window: (now, 0, 0, 0),
            coarse: false,
        }
    }

    /// The lower one of what rate and quantisers allow.
    pub(super) fn size(&self) -> usize {
        self.rung.max(self.left.last().map_or(0, |(rung, _)| rung + 1)).min(LAST)
    }

    /// A picture of so many bits was compressed.
    pub(super) fn encoded(&mut self, bits: f64) {
        let floor = SIZES[self.size()].floor;
        self.window.1 += 1;
        self.window.2 += u32::from(bits < floor);
        self.window.3 += u32::from(bits > FINE * floor);
    }

    pub(super) fn follow(&mut self, now: u64, rate: f64, keyframe_due: bool) {
        let before = self.size();
        self.by_rate(now, rate, keyframe_due);
        self.by_quantiser(now, rate);
        if self.size() != before {
            self.begin_window(now);
        }
    }

    fn begin_window(&mut self, now: u64) {
        (self.window, self.rates) = ((now, 0, 0, 0), (0.0, 0.0));
    }

    fn by_rate(&mut self, now: u64, rate: f64, keyframe_due: bool) {
        let first = |from: usize, does: &dyn Fn(&Size) -> bool| (from..LAST).find(|r| does(&SIZES[*r])).unwrap_or(LAST);
        let keep = SIZES[self.rung].keep;
        let low = held(&mut self.low, now, rate < keep && self.rung < LAST);
        if rate < FALL_AT_ONCE * keep && self.rung < LAST {
            self.set(first(self.rung + 1, &|size| rate >= size.enter));
        } else if low.is_some_and(|time| time >= FALL_AFTER || keyframe_due) {
            self.set(first(self.rung + 1, &|size| rate >= size.keep));
        } else if self.rung > 0 {
            let enter = SIZES[self.rung - 1].enter;
            let high = held(&mut self.high, now, !self.coarse && rate >= RISE_FROM * enter);
            let very_high = held(&mut self.very_high, now, !self.coarse && rate >= RISE_SOON_FROM * enter);
            let after = if now < self.began + START { RISE_AT_START_AFTER } else { RISE_AFTER };
            if high.is_some_and(|time| time >= after) || very_high.is_some_and(|time| time >= RISE_SOON_AFTER) {
                self.set(first(0, &|size| rate >= RISE_FROM * size.enter).min(self.rung - 1));
            }
        }
    }

    fn set(&mut self, rung: usize) {
        self.rung = rung;
        (self.low, self.high, self.very_high) = (None, None, None);
    }

    fn by_quantiser(&mut self, now: u64, rate: f64) {
        let (since, pictures, coarsest, fine) = self.window;
        self.rates = (self.rates.0 + rate, self.rates.1 + 1.0);
        if now >= since + WINDOW && pictures >= 30 {
            self.coarse = 2 * coarsest > pictures;
            let mean = self.rates.0 / self.rates.1;
            self.begin_window(now);
            if 2 * fine > pictures {
                self.left.pop();
            } else if self.coarse && self.size() < LAST {
                self.left.push((self.size(), mean));
                (self.retry, self.retry_soon) = (None, None);
            }
        }
        let then = self.left.last().map_or(f64::INFINITY, |(_, then)| *then);
        let soon = held(&mut self.retry_soon, now, rate >= RETRY_SOON_FROM * then);
        let waited = held(&mut self.retry, now, rate >= RETRY_FROM * then);
        if soon.is_some_and(|time| time >= RETRY_SOON_AFTER) {
            self.left.pop();
            while self.left.last().is_some_and(|(_, then)| rate >= RETRY_ALL_FROM * then) {
                self.left.pop();
            }
            (self.retry, self.retry_soon) = (None, None);
        } else if waited.is_some_and(|time| time >= RISE_AFTER) {
            self.left.pop();
            (self.retry, self.retry_soon) = (None, None);
        }
    }
}
