//! Media: pictures and sound from the app's devices to the peer and back.

pub mod audio;
pub mod capture;
pub mod constraints;
pub mod convert;
pub mod dtmf;
pub mod file;
pub mod frame;
pub mod loopback;
mod pace;
pub mod photo;
pub mod rtp;
pub mod sync;
pub mod synthetic;
#[cfg(test)]
mod test_dir;
pub mod video;
pub mod wav;
pub mod y4m;
