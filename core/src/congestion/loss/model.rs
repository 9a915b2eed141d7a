//! A model of the path: it loses a part of all packets whatever is sent (the inherent loss), and all that is sent above a rate. The
//! rate that makes what was observed most likely is the estimate.

use super::Observation;
use std::collections::VecDeque;

/// Observations kept, and the weight of each that is one older.
const KEPT: usize = 15;
const AGE: f64 = 0.9;
/// Inherent loss: the least, where it starts, and the most: this and so many bits per second over the rate.
const LEAST_INHERENT: f64 = 0.001;
const FIRST_INHERENT: f64 = 0.01;
const MOST_INHERENT: f64 = 0.05;
const MOST_INHERENT_RANDOM: f64 = 0.30;
const INHERENT_BALANCE: f64 = 100_000.0;
/// Part of a Newton step that is taken.
const DAMPING: f64 = 0.75;
/// Candidates beside what arrives and what the delay allows, as parts of the estimate before.
const CANDIDATES: [f64; 3] = [1.02, 1.0, 0.95];
/// Of candidates that explain as much the higher one wins, up to this mean loss; beyond it the lower one.
const BIAS_LINEAR: f64 = 0.0002;
const BIAS_LOGARITHMIC: f64 = 0.02;
const BIAS_TURNS: f64 = 0.20;
const BIAS_TURNS_RANDOM: f64 = 0.40;
const BIAS_OFFSET: f64 = 0.02;

#[derive(Debug)]
pub(super) struct Model {
    observations: VecDeque<Observation>,
    inherent: f64,
}

impl Model {
    pub(super) fn new() -> Self {
        Self { observations: VecDeque::with_capacity(KEPT), inherent: FIRST_INHERENT }
    }

    pub(super) fn observe(&mut self, observation: Observation) {
        if self.observations.len() == KEPT {
            self.observations.pop_front();
        }
        self.observations.push_back(observation);
    }

    pub(super) fn len(&self) -> usize {
        self.observations.len()
    }

    /// Part of packets that is lost whatever is sent.
    pub(super) fn inherent(&self) -> f64 {
        self.inherent
    }

    /// Packets in all observations, weighted by age.
    pub(super) fn packets(&self) -> f64 {
        self.weighted().map(|(weight, observation)| weight * observation.packets).sum()
    }

    /// Mean loss, by age, without the best and the worst observation.
    pub(super) fn mean_loss(&self) -> f64 {
        let part = |observation: &Observation| observation.lost / observation.packets.max(1.0);
        let mut parts: Vec<(f64, f64, f64)> = self
            .weighted()
            .map(|(weight, observation)| (part(observation), weight * observation.lost, weight * observation.packets))
            .collect();
        if parts.len() > 4 {
            parts.sort_by(|a, b| a.0.total_cmp(&b.0));
            parts.pop();
            parts.remove(0);
        }
        let (lost, packets) = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.1, sum.1 + part.2));
        if packets > 0.0 { lost / packets } else { 0.0 }
    }

    /// The most likely of the candidate rates, in bits per second.
    pub(super) fn best(&mut self, before: f64, acked: Option<f64>, delay_rate: f64, random: bool) -> f64 {
        let mean = self.mean_loss();
        let turns = if random { BIAS_TURNS_RANDOM } else { BIAS_TURNS };
        let candidates = CANDIDATES.iter().map(|factor| factor * before).chain(acked).chain([delay_rate]);
        let mut best: Option<(f64, f64, f64)> = None;
        for rate in candidates {
            let inherent = self.inherent_at(rate, random);
            let bias = (BIAS_LINEAR * rate / 1e3 + BIAS_LOGARITHMIC * (rate / 1e3).ln_1p())
                * ((turns - mean) / (BIAS_OFFSET + (turns - mean).abs()));
            let likelihood = self.likelihood(rate, inherent) + bias * self.packets() / 100.0;
            if best.is_none_or(|(_, _, other)| likelihood > other) {
                best = Some((rate, inherent, likelihood));
            }
        }
        let Some((rate, inherent, _)) = best else { return before };
        self.inherent = inherent;
        rate
    }

    fn weighted(&self) -> impl Iterator<Item = (f64, &Observation)> {
        let mut weight = 1.0 / AGE;
        self.observations.iter().rev().map(move |observation| {
            weight *= AGE;
            (weight, observation)
        })
    }

    /// One damped Newton step from the last inherent loss towards that which fits this rate best.
    fn inherent_at(&self, rate: f64, random: bool) -> f64 {
        let (mut first, mut second) = (0.0, 0.0);
        for (weight, observation) in self.weighted() {
            let above = above(rate, observation);
            let loss = probability(self.inherent, above);
            let kept = observation.packets - observation.lost;
            let slope = 1.0 - above;
            first += weight * (observation.lost * slope / loss - kept * slope / (1.0 - loss));
            second -= weight
                * (observation.lost * slope * slope / (loss * loss)
                    + kept * slope * slope / ((1.0 - loss) * (1.0 - loss)));
        }
        let most = if random { MOST_INHERENT_RANDOM } else { MOST_INHERENT } + INHERENT_BALANCE / rate.max(1.0);
        let step = if second < 0.0 { DAMPING * first / second } else { 0.0 };
        (self.inherent - step).clamp(LEAST_INHERENT, most.min(0.9))
    }

    fn likelihood(&self, rate: f64, inherent: f64) -> f64 {
        self.weighted()
            .map(|(weight, observation)| {
                let loss = probability(inherent, above(rate, observation));
                let kept = observation.packets - observation.lost;
                weight * (observation.lost * loss.ln() + kept * (1.0 - loss).ln())
            })
            .sum()
    }
}

/// Part of what was sent that a path of this rate has no room for.
fn above(rate: f64, observation: &Observation) -> f64 {
    ((observation.rate - rate) / observation.rate.max(1.0)).clamp(0.0, 0.999)
}

fn probability(inherent: f64, above: f64) -> f64 {
    (inherent + (1.0 - inherent) * above).clamp(1e-6, 1.0 - 1e-6)
}
