//! Makes speech shorter or longer by one period of its pitch, without changing the pitch: overlap-add at the lag where the sound is most like itself.
//!
//! Two periods must fit: in 20 ms that is a pitch of 100 Hz or more. Deeper voices are changed by periods of an overtone pattern that is alike enough, or in pauses.

/// Shortest period looked for: 400 Hz.
const MIN_LAG: usize = 120;
/// Longest period looked for: 67 Hz.
const MAX_LAG: usize = 720;
/// Below this mean square (about −66 dBFS) nobody hears a seam.
const QUIET: f64 = 256.0;
/// Below this mean square (about −45 dBFS, the noise of a room) a seam needs no likeness, only a fade.
const FAINT: f64 = 34_000.0;

/// Removes one period. Returns how many samples went, 0 if nothing could be taken out unheard.
/// `likeness`: least normalised correlation (0 to 1) of neighbouring periods.
pub(super) fn accelerate(samples: &mut Vec<i16>, likeness: f64) -> usize {
    let Some(lag) = period(samples, likeness) else { return 0 };
    for i in 0..lag {
        samples[i] = blend(samples[i], samples[i + lag], i, lag);
    }
    samples.drain(lag..2 * lag);
    lag
}

/// Adds one period. Returns how many samples came, 0 if nothing could be put in unheard. `likeness` as in [`accelerate`].
pub(super) fn expand(samples: &mut Vec<i16>, likeness: f64) -> usize {
    let Some(lag) = period(samples, likeness) else { return 0 };
    let bridge: Vec<i16> = (0..lag).map(|i| blend(samples[i + lag], samples[i], i, lag)).collect();
    samples.splice(lag..lag, bridge);
    lag
}

/// Fades from `from` into the start of `into`, over as many samples as both have.
pub(super) fn crossfade(from: &[i16], into: &mut [i16]) {
    let len = from.len().min(into.len());
    for (i, (sample, &old)) in into.iter_mut().zip(from).enumerate() {
        *sample = blend(old, *sample, i, len);
    }
}

fn blend(from: i16, to: i16, i: usize, len: usize) -> i16 {
    let to_part = (i as i64 + 1) * 65_536 / (len as i64 + 1);
    // A mean of two i16 with weights that sum to 1 is an i16.
    ((i64::from(from) * (65_536 - to_part) + i64::from(to) * to_part) / 65_536) as i16
}

/// The lag at which the first `lag` samples are most like the next `lag`.
fn period(samples: &[i16], likeness: f64) -> Option<usize> {
    let max_lag = MAX_LAG.min(samples.len() / 2);
    if max_lag < MIN_LAG {
        return None;
    }
    let energy: f64 = samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len() as f64;
    if energy < QUIET {
        return Some(max_lag);
    }
    let likeness = if energy < FAINT { likeness.min(-0.5) } else { likeness };
    let coarse = best(samples, (MIN_LAG..=max_lag).step_by(4), 2)?;
    let (lag, correlation) = best(samples, coarse.0.saturating_sub(4).max(MIN_LAG)..=(coarse.0 + 4).min(max_lag), 1)?;
    (correlation >= likeness).then_some(lag)
}

fn best(samples: &[i16], lags: impl Iterator<Item = usize>, step: usize) -> Option<(usize, f64)> {
    lags.map(|lag| (lag, correlation(samples, lag, step))).max_by(|a, b| a.1.total_cmp(&b.1))
}

fn correlation(samples: &[i16], lag: usize, step: usize) -> f64 {
    let (mut xy, mut xx, mut yy) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (&x, &y) in samples[..lag].iter().zip(&samples[lag..2 * lag]).step_by(step) {
        let (x, y) = (f64::from(x), f64::from(y));
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    if xx * yy == 0.0 { 0.0 } else { xy / (xx * yy).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, len: usize) -> Vec<i16> {
        (0..len).map(|i| ((i as f64 * hz * std::f64::consts::TAU / 48_000.0).sin() * 10_000.0) as i16).collect()
    }

    fn largest_step(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn a_tone_loses_and_gains_whole_periods_without_a_click() {
        for hz in [110.0, 150.0, 220.0, 330.0, 440.0, 1000.0] {
            let clean = tone(hz, 960);
            let period = 48_000.0 / hz;
            for stretch in [accelerate, expand] {
                let mut samples = clean.clone();
                let changed = stretch(&mut samples, 0.9);
                assert!(changed > 0, "{hz} Hz");
                assert_eq!(samples.len().abs_diff(clean.len()), changed);
                let off = (changed as f64 / period).fract();
                assert!(off.min(1.0 - off) * period <= 2.0, "{hz} Hz: {changed} samples are no whole periods");
                assert!(largest_step(&samples) <= largest_step(&clean) * 5 / 4, "{hz} Hz clicks");
                assert_eq!(samples.last(), clean.last());
                assert_eq!(samples.len(), if samples.len() < 960 { 960 - changed } else { 960 + changed });
            }
        }
    }

    #[test]
    fn noise_is_left_alone_unless_it_must_be_changed() {
        let mut state = 1_u32;
        let noise: Vec<i16> = (0..960)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 18) as i16 - 8192
            })
            .collect();
        assert_eq!(accelerate(&mut noise.clone(), 0.85), 0);
        assert!(accelerate(&mut noise.clone(), -1.0) > 0);
    }

    #[test]
    fn silence_is_cut_as_far_as_possible_and_too_little_sound_not_at_all() {
        assert_eq!(accelerate(&mut vec![0; 960], 0.9), 480);
        for len in [0, 1, 239] {
            assert_eq!(accelerate(&mut vec![0; len], 0.0), 0);
            assert_eq!(expand(&mut vec![0; len], 0.0), 0);
        }
    }
}
