//! Loudness as WebRTC statistics count it.

use crate::media::capture::SAMPLE_RATE;

/// `totalAudioEnergy` and `audioLevel` of W3C's webrtc-stats.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meter {
    energy: f64,
    level: f64,
}

impl Meter {
    /// Adds samples that were sent or played.
    pub(super) fn add(&mut self, samples: &[i16]) {
        if samples.is_empty() {
            return;
        }
        let squares: f64 = samples.iter().map(|&sample| (f64::from(sample) / 32_768.0).powi(2)).sum();
        self.energy += squares / f64::from(SAMPLE_RATE);
        self.level = (squares / samples.len() as f64).sqrt();
    }

    /// Sum over all samples of (sample / 32768)² × the sample's duration in seconds.
    pub(super) fn energy(&self) -> f64 {
        self.energy
    }

    /// Root mean square of what was added last, 0 to 1.
    pub(super) fn level(&self) -> f64 {
        self.level
    }
}
