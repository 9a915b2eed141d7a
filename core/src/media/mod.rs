//! Media: pictures and sound from the app's devices to the peer and back.

pub mod audio;
pub mod capture;
pub mod convert;
pub mod echo;
pub mod frame;
mod pace;
pub mod rtp;
pub mod synthetic;
pub mod video;
