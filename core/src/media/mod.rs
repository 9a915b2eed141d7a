//! Media: pictures and sound from the app's devices to the peer and back.

pub mod audio;
pub mod capture;
pub mod frame;
pub mod rtp;
pub mod video;
