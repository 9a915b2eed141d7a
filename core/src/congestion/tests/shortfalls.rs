//! Marks that do not hold yet, with what was measured in their place. None may get worse; one that holds again can go.

use super::measure::Measure;

/// The median of the seeds and the worst one, where the plan falls short of its aim.
pub(super) struct Shortfall {
    pub(super) plan: &'static str,
    pub(super) measure: Measure,
    pub(super) recorded: (f64, f64),
}

pub(super) const SHORTFALLS: &[Shortfall] = &[];
