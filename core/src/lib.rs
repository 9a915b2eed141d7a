//! Chamada: everything that a 1:1 video call is, without a user interface.

// The README's code compiles, or the tests fail.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../README.md")]
struct Readme;

mod facing;
#[cfg(all(any(test, fuzzing), feature = "client"))]
pub mod fuzz;
pub use facing::{FacingMode, UnknownFacingMode};

pub mod platform;
pub mod signaling;

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "client")]
mod budget;
#[cfg(feature = "client")]
pub mod call;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod congestion;
#[cfg(feature = "client")]
pub mod files;
#[cfg(feature = "client")]
pub mod media;
#[cfg(feature = "client")]
pub mod net;
#[cfg(feature = "client")]
pub mod outage;
#[cfg(feature = "client")]
pub mod peer;
#[cfg(feature = "tls")]
pub mod roots;
#[cfg(feature = "client")]
mod sdp;
#[cfg(feature = "client")]
pub mod security;
#[cfg(feature = "client")]
pub mod text;
