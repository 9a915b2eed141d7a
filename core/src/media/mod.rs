//! Media: pictures and sound from the app's devices to the peer and back.
//!
//! Devices that are none (synthetic, loopback, files in Y4M and WAV) come with the feature `synthetic`, which phones' builds do not take.

pub mod audio;
pub mod capture;
pub mod constraints;
pub mod convert;
pub mod dtmf;
pub mod file;
pub mod frame;
#[cfg(any(test, feature = "synthetic"))]
pub mod loopback;
#[cfg(any(test, feature = "synthetic"))]
mod pace;
pub mod photo;
pub mod rtp;
pub mod screen;
pub mod sync;
#[cfg(any(test, feature = "synthetic"))]
pub mod synthetic;
#[cfg(test)]
mod test_dir;
pub mod video;
#[cfg(any(test, feature = "synthetic"))]
pub mod wav;
#[cfg(any(test, feature = "synthetic"))]
pub mod y4m;
