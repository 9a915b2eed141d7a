//! Round-trip times, of feedback and of reports.

/// The round-trip time to reckon with before any was measured, in ms.
const FIRST_RTT: f64 = 100.0;

/// Round-trip times in ms.
#[derive(Debug, Default)]
pub(super) struct Rtt {
    smoothed: Option<f64>,
    least: Option<f64>,
    reported: Option<f64>,
}

impl Rtt {
    pub(super) fn measured(&mut self, ms: f64) {
        let ms = ms.clamp(0.0, 10_000.0);
        self.smoothed = Some(self.smoothed.map_or(ms, |before| before + (ms - before) / 8.0));
        self.least = Some(self.least.map_or(ms, |least| least.min(ms)));
    }

    pub(super) fn reported(&mut self, ms: f64) {
        if ms.is_finite() {
            let ms = ms.clamp(0.0, 10_000.0);
            self.reported = Some(self.reported.map_or(ms, |before| before + (ms - before) / 8.0));
        }
    }

    pub(super) fn known(&self) -> Option<f64> {
        match (self.smoothed, self.reported) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub(super) fn smoothed(&self) -> f64 {
        self.known().unwrap_or(FIRST_RTT)
    }

    pub(super) fn least(&self) -> f64 {
        self.least.unwrap_or(FIRST_RTT)
    }
}
