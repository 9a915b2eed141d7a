//! In which size and at which pace a camera's pictures are sent.

mod settings;

pub use settings::{DegradationPreference, QualityLimitation, ThermalState, UnknownPreference, VideoBounds};
