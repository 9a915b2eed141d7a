//! The devices of a peer without a phone: synthetic cameras, files, a tone.

use crate::args::{AudioSourceArg, PeerArgs, VideoSource};
use crate::exit::Failure;
use crate::verify;
use crate::view::{RemoteView, saving_listener};
use chamada::client::{ClientConfig, Devices, SendParameters};
use chamada::media::capture::{AudioProvider, CameraProvider};
use chamada::media::constraints::VideoConstraints;
use chamada::media::file::PlaybackFailure;
use chamada::media::screen::check_screen_size;
use chamada::media::synthetic::{SpeakerSink, SyntheticAudio, SyntheticCameras};
use chamada::media::wav::{WavMicrophone, WavWriter};
use chamada::media::y4m::Y4mCamera;
use chamada::net::ConnectConfig;
use chamada::signaling::SignalingConfig;
use std::path::Path;
use std::sync::Arc;

/// Cameras, microphone and speaker as the arguments say, with `view` and `sound` for what comes in; and what files that are played have
/// to say in the call.
pub(crate) fn devices(
    args: &PeerArgs,
    view: Arc<RemoteView>,
    sound: Option<Arc<WavWriter>>,
) -> Result<(Devices, Vec<PlaybackFailure>), Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::BadArgument(error.to_string());
    let mut failures = Vec::new();
    let cameras: Option<Arc<dyn CameraProvider>> = match &args.video {
        VideoSource::None => None,
        VideoSource::Test(format) => Some(Arc::new(SyntheticCameras::new(*format).map_err(|error| bad(&error))?)),
        VideoSource::File(path) => {
            let film = Y4mCamera::open(path).map_err(|error| bad(&error))?;
            failures.push(film.failure());
            Some(Arc::new(film))
        }
    };
    let listener: SpeakerSink = match sound {
        Some(writer) => saving_listener(writer),
        None => Box::new(|_| {}),
    };
    let audio: Arc<dyn AudioProvider> = match &args.audio {
        AudioSourceArg::None => Arc::new(SyntheticAudio::silent().with_speaker(listener)),
        AudioSourceArg::Tone => Arc::new(SyntheticAudio::new(440.0).with_speaker(listener)),
        AudioSourceArg::File(path) => {
            let file = WavMicrophone::open(path).map_err(|error| bad(&error))?;
            failures.push(file.failure());
            Arc::new(file.with_speaker(listener))
        }
    };
    Ok((Devices { cameras, audio: Some(audio), remote: Some(view), preview: None }, failures))
}

/// A film that is shared as a screen.
pub(crate) fn screen(path: &Path) -> Result<Arc<Y4mCamera>, Failure> {
    let film = Y4mCamera::open(path).map_err(|error| Failure::BadArgument(error.to_string()))?;
    let (width, height) = film.size();
    check_screen_size(width, height).map_err(|error| Failure::BadArgument(format!("{}: {error}", path.display())))?;
    Ok(Arc::new(film))
}

/// The token in this file, which is a secret and so stands in no argument.
pub(crate) fn token(file: &Path) -> Result<String, Failure> {
    let read = std::fs::read_to_string(file);
    let token = read.map_err(|error| Failure::BadArgument(format!("{}: {error}", file.display())))?;
    Ok(token.trim().to_owned())
}

/// The client's configuration as the arguments say.
pub(crate) fn config(args: &PeerArgs) -> Result<ClientConfig, Failure> {
    let video = VideoConstraints::default();
    let remembered = args.remember.as_deref().map(verify::read).transpose()?.unwrap_or_default();
    Ok(ClientConfig {
        signaling: SignalingConfig {
            url: args.server.clone(),
            name: args.name.clone(),
            token: args.token_file.as_deref().map(token).transpose()?,
            allow_insecure: args.allow_insecure,
            connect: ConnectConfig { extra_roots: args.ca.clone().unwrap_or_default(), proxy: args.proxy.clone() },
            ..SignalingConfig::default()
        },
        video: video.facing(args.facing),
        codecs: args.codec.0.clone(),
        ice_servers: args.ice_server.clone(),
        relay_only: args.relay_only,
        sending: SendParameters { degradation: args.degradation, ..SendParameters::default() },
        remembered,
        texts: true,
        files: true,
        call_waiting: args.call_waiting,
        ..ClientConfig::default()
    })
}
