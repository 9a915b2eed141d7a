//! The call engine.

mod types;

pub use types::*;
