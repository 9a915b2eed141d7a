//! How calls begin on paths that are long or lose packets from the first one on.

use crate::network::call::{Call, Codec};
use crate::network::namespaces::Namespaces;
use crate::network::relay::Relay;
use crate::network::scenario::Leg;
use crate::network::{chamada, scene};
use anyhow::Result;
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A path, and how long the callee may take from its answer to the first picture.
pub(super) struct LongPath {
    pub(super) name: &'static str,
    leg: Leg,
    /// Each loses other packets.
    pub(super) seeds: u64,
    pub(super) picture_ms: f64,
}

const WIDE: Leg = Leg { kbps: 10_000, ..Leg::PLAIN };

pub(super) const PATHS: &[LongPath] = &[
    // Six round trips, and time to make the answer and to pace the first picture.
    LongPath { name: "rtt-100", leg: Leg { delay_ms: 50.0, ..WIDE }, seeds: 3, picture_ms: 700.0 },
    LongPath { name: "loss-5", leg: Leg { loss: 0.05, ..WIDE }, seeds: 5, picture_ms: 3000.0 },
    LongPath { name: "loss-10", leg: Leg { loss: 0.1, ..WIDE }, seeds: 5, picture_ms: 3000.0 },
];

impl LongPath {
    /// Makes a call, and says in ms how long the callee took to connect and to see something.
    ///
    /// # Errors
    /// It did not connect, or nothing was seen.
    pub(super) fn call(&self, seed: u64, folder: &Path, stop: &AtomicBool) -> Result<(f64, f64)> {
        let (video, audio) = (folder.join("scene.y4m"), folder.join("scene.wav"));
        scene::write_video(&video)?;
        scene::write_audio(&audio)?;
        let namespaces = Namespaces::create()?;
        let relay = Relay::start(&namespaces, vec![self.leg], vec![self.leg], seed)?;
        let call = Call {
            namespaces: &namespaces,
            relay: &relay,
            codec: Codec::Vp8,
            seconds: 2,
            video,
            audio,
            folder: folder.to_owned(),
            label: format!("{}-{seed}", self.name),
            stop,
        };
        let callee = chamada::call(&call)?.raw["callee"].take();
        let ms = |value: &Value, what: &str| value.as_f64().ok_or_else(|| anyhow::anyhow!("no {what}: {callee}"));
        Ok((ms(&callee["setup_ms"], "connection")?, ms(&callee["first_frame_ms"], "picture")?))
    }
}
