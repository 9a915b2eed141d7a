//! What differs from system to system.

pub mod logging;
