//! The peer over the `webrtc` crate.
