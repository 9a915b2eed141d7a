//! Media: pictures and sound from the app's devices to the peer and back.

pub mod capture;
pub mod constraints;
pub mod convert;
pub mod frame;
mod pace;
pub mod rtp;
pub mod synthetic;
pub mod video;
