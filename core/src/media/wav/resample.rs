//! Any rate to 48 kHz by a windowed sinc, sample by sample.

use crate::media::capture::SAMPLE_RATE;
use std::collections::VecDeque;
use std::f64::consts::PI;

/// Zero crossings of the filter on each side.
const CROSSINGS: usize = 16;
/// Points of the filter's table from one crossing to the next.
const STEPS: usize = 512;

pub(super) struct Resampler {
    /// Old samples from one new one to the next.
    step: f64,
    /// How much wider the filter is than at equal rates, so that what the new rate cannot carry is taken out.
    stretch: f64,
    /// Old samples on each side that a new one depends on.
    reach: usize,
    /// Where in `history` the next new sample lies.
    position: f64,
    history: VecDeque<f32>,
    table: Vec<f32>,
}

impl Resampler {
    /// From this rate in Hz.
    pub(super) fn new(rate: u32) -> Self {
        let step = f64::from(rate) / f64::from(SAMPLE_RATE);
        let stretch = step.max(1.0);
        let reach = (CROSSINGS as f64 * stretch).ceil() as usize;
        let point = |index: usize| {
            let x = index as f64 / STEPS as f64;
            let window =
                0.42 + 0.5 * (PI * x / CROSSINGS as f64).cos() + 0.08 * (2.0 * PI * x / CROSSINGS as f64).cos();
            let sinc = if index == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
            (window * sinc) as f32
        };
        // Two points more, so that the one after the last can be looked up.
        let table = (0..CROSSINGS * STEPS).map(point).chain([0.0, 0.0]).collect();
        Self { step, stretch, reach, position: reach as f64, history: vec![0.0; reach].into(), table }
    }

    /// The next new sample; takes as many old ones from `pull` as it needs.
    pub(super) fn next<E>(&mut self, mut pull: impl FnMut() -> Result<f32, E>) -> Result<f32, E> {
        if self.step == 1.0 {
            return pull();
        }
        // The position stays just above `reach`: what lies further back is forgotten.
        while self.position >= (self.reach + 1) as f64 {
            if self.history.pop_front().is_none() {
                self.history.push_back(pull()?);
                continue;
            }
            self.position -= 1.0;
        }
        while self.history.len() <= 2 * self.reach + 1 {
            self.history.push_back(pull()?);
        }
        let mut sum = 0.0;
        for (index, sample) in self.history.iter().take(2 * self.reach + 1).enumerate() {
            sum += sample * self.weight((self.position - index as f64).abs() / self.stretch);
        }
        self.position += self.step;
        Ok(sum / self.stretch as f32)
    }

    fn weight(&self, distance: f64) -> f32 {
        let at = distance * STEPS as f64;
        let index = at as usize;
        match self.table.get(index..index + 2) {
            Some(&[left, right]) => left + (right - left) * (at - index as f64) as f32,
            _ => 0.0,
        }
    }
}
