//! The devices of a peer without a phone: synthetic cameras, files, a tone.

use crate::args::{AudioSourceArg, PeerArgs, VideoSource};
use crate::exit::Failure;
use crate::view::{RemoteView, saving_listener};
use chamada::client::{ClientConfig, Devices};
use chamada::media::capture::{AudioProvider, CameraProvider};
use chamada::media::constraints::VideoConstraints;
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
use chamada::media::wav::WavAudio;
use chamada::media::y4m::Y4mCameras;
use chamada::signaling::SignalingConfig;
use std::sync::Arc;

/// Cameras, microphone and speaker as the arguments say, with `view` for what comes in.
pub(crate) fn devices(args: &PeerArgs, view: Arc<RemoteView>) -> Result<Devices, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::BadArgument(error.to_string());
    let cameras: Option<Arc<dyn CameraProvider>> = match &args.video {
        VideoSource::None => None,
        VideoSource::Test(format) => Some(Arc::new(SyntheticCameras::new(*format).map_err(|error| bad(&error))?)),
        VideoSource::File(path) => Some(Arc::new(Y4mCameras::open(path).map_err(|error| bad(&error))?)),
    };
    let listener = args.save_audio.as_deref().map(saving_listener).transpose()?;
    let synthetic = |audio: SyntheticAudio, listener| match listener {
        Some(listener) => audio.with_speaker(listener),
        None => audio,
    };
    let audio: Arc<dyn AudioProvider> = match &args.audio {
        AudioSourceArg::None => Arc::new(synthetic(SyntheticAudio::silent(), listener)),
        AudioSourceArg::Tone => Arc::new(synthetic(SyntheticAudio::new(440.0), listener)),
        AudioSourceArg::File(path) => Arc::new(WavAudio::open(path, listener).map_err(|error| bad(&error))?),
    };
    Ok(Devices { cameras, audio: Some(audio), remote: Some(view), preview: None })
}

/// The client's configuration as the arguments say.
pub(crate) fn config(args: &PeerArgs) -> ClientConfig {
    let video = VideoConstraints::default();
    ClientConfig {
        signaling: SignalingConfig {
            url: args.server.clone(),
            name: args.name.clone(),
            allow_insecure: args.allow_insecure,
            ..SignalingConfig::default()
        },
        video: video.ideal_facing(args.facing),
        codecs: args.codec.0.clone(),
        ice_servers: args.ice_server.clone(),
        relay_only: args.relay_only,
        loopback: true,
        ..ClientConfig::default()
    }
}
