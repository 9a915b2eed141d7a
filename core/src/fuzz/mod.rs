//! Fuzz targets: everything that reads what strangers send, or files. Each takes any bytes and does what a call does with them; what it
//! finds is a panic, an integer that overflows, an invariant that does not hold, or something that takes for ever.
//!
//! The same targets run in two ways, see `docs/decisions/0008-fuzzing.md`: guided by coverage in `tests/fuzz` (`cargo xtask fuzz`), and with
//! seeded mutations of the same seeds in the tests of this module. An input that was a finding becomes a seed.

mod input;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod tests;

pub(crate) use input::Input;

/// One kind of input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As on the command line; its seeds are in the folder of this name in `tests/fuzz/seeds`.
    pub name: &'static str,
    /// Takes any bytes. Panics where something is wrong.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 14] = [
    Target { name: "signaling", run: crate::signaling::fuzz::frames },
    Target { name: "sdp", run: crate::sdp::fuzz::descriptions },
    Target { name: "candidates", run: crate::peer::webrtc::fuzz::candidates },
    Target { name: "rtp", run: crate::peer::webrtc::fuzz::rtp },
    Target { name: "video", run: crate::media::video::fuzz::packets },
    Target { name: "fec", run: crate::media::video::fec::fuzz::repair },
    Target { name: "rtcp", run: crate::peer::webrtc::fuzz::rtcp },
    Target { name: "jitter", run: crate::media::audio::fuzz::jitter_buffer },
    Target { name: "y4m", run: crate::media::y4m::fuzz },
    Target { name: "wav", run: crate::media::wav::fuzz },
    Target { name: "dtmf", run: crate::media::dtmf::fuzz::events },
    Target { name: "verification", run: crate::security::fuzz::frames },
    Target { name: "text", run: crate::text::fuzz::frames },
    Target { name: "files", run: crate::files::fuzz::messages },
];
