//! Chamada: everything that a 1:1 video call is, without a user interface.

mod facing;
pub use facing::{FacingMode, UnknownFacingMode};

pub mod platform;
pub mod signaling;

#[cfg(feature = "client")]
pub mod call;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod media;
#[cfg(feature = "client")]
pub mod peer;
