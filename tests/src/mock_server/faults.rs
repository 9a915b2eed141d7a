//! What may happen to frames on their way from the mock server to a client.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// A hostile way for frames, the same for the same seed and the same frames. The default passes everything on at once.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    seed: u64,
    drop: f64,
    duplicate: f64,
    window: usize,
    delay: Duration,
    kinds: Option<Vec<String>>,
}

impl Faults {
    /// No fault yet; all chance comes from this seed and the connection's number.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Loses this share of the frames (0 to 1).
    #[must_use]
    pub fn drop(mut self, share: f64) -> Self {
        self.drop = share;
        self
    }

    /// Sends this share of the frames twice (0 to 1).
    #[must_use]
    pub fn duplicate(mut self, share: f64) -> Self {
        self.duplicate = share;
        self
    }

    /// Shuffles: gathers frames until there are `window` of them, or until none has come for [`Faults::QUIET`].
    #[must_use]
    pub fn reorder(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// Holds the line up for this long before each frame, so that order stays.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Only frames of these types are touched; the others pass at once.
    #[must_use]
    pub fn only(mut self, kinds: &[&str]) -> Self {
        self.kinds = Some(kinds.iter().map(|kind| (*kind).to_owned()).collect());
        self
    }

    /// After so much quiet a window that is not full is shuffled and sent as it is.
    pub const QUIET: Duration = Duration::from_millis(40);

    pub(super) fn way(&self, connection: usize) -> Way {
        let seed = self.seed.wrapping_add((connection as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Way { faults: self.clone(), rng: StdRng::seed_from_u64(seed), held: Vec::new() }
    }

    fn touch(&self, kind: Option<&str>) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kind.is_some_and(|kind| kinds.iter().any(|one| one == kind)))
    }
}

/// The way to one client.
pub(super) struct Way {
    faults: Faults,
    rng: StdRng,
    held: Vec<String>,
}

impl Way {
    /// Takes a frame in; gives those that go out now, each with the wait before it.
    pub(super) fn pass(&mut self, frame: String, kind: Option<&str>) -> Vec<(Duration, String)> {
        if !self.faults.touch(kind) {
            return vec![(Duration::ZERO, frame)];
        }
        // Both drawn for each frame, so that one setting does not change what the other one hits.
        let (lost, twice) = (self.rng.random_bool(self.faults.drop), self.rng.random_bool(self.faults.duplicate));
        if lost {
            return Vec::new();
        }
        if twice {
            self.held.push(frame.clone());
        }
        self.held.push(frame);
        if self.held.len() < self.faults.window { Vec::new() } else { self.flush() }
    }

    /// Whether a window waits to be filled.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// What is held, shuffled.
    pub(super) fn flush(&mut self) -> Vec<(Duration, String)> {
        let mut frames = std::mem::take(&mut self.held);
        if self.faults.window > 1 {
            frames.shuffle(&mut self.rng);
        }
        frames.into_iter().map(|frame| (self.faults.delay, frame)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(faults: &Faults, connection: usize) -> Vec<String> {
        let mut way = faults.way(connection);
        let mut out: Vec<_> = (0..40).flat_map(|n| way.pass(n.to_string(), Some("x"))).map(|(_, f)| f).collect();
        out.extend(way.flush().into_iter().map(|(_, frame)| frame));
        out
    }

    #[test]
    fn the_same_seed_does_the_same_and_another_one_something_else() {
        let hostile = |seed| Faults::seeded(seed).drop(0.2).duplicate(0.2).reorder(5);
        assert_eq!(run(&hostile(1), 0), run(&hostile(1), 0));
        assert_ne!(run(&hostile(1), 0), run(&hostile(2), 0));
        assert_ne!(run(&hostile(1), 0), run(&hostile(1), 1));
    }

    #[test]
    fn shuffling_loses_nothing_and_duplicating_doubles() {
        let mut shuffled = run(&Faults::seeded(3).reorder(7), 0);
        assert_ne!(shuffled, run(&Faults::default(), 0));
        shuffled.sort_by_key(|n| n.parse::<u32>().unwrap());
        assert_eq!(shuffled, run(&Faults::default(), 0));
        assert_eq!(run(&Faults::default().duplicate(1.0), 0).len(), 80);
        assert_eq!(run(&Faults::default().drop(1.0), 0).len(), 0);
    }

    #[test]
    fn what_is_not_meant_passes_untouched() {
        let mut way = Faults::default().drop(1.0).only(&["message"]).way(0);
        assert!(way.pass("a".into(), Some("message")).is_empty());
        assert_eq!(way.pass("b".into(), Some("id")).len(), 1);
        assert_eq!(way.pass("c".into(), None).len(), 1);
    }
}
