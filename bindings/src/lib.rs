//! Chamada for Kotlin and Swift: what the core does, in words that both languages can say.
//!
//! Nothing is decided here. Objects wrap the core's ([`Client`], [`Call`], [`Frame`]), records carry values across, and the
//! app implements the traits of [`devices`] and [`observer`].
//!
//! # Threads
//! * Functions that wait are `async`. They run on the library's own threads (`chamada-rt`), whatever thread polls them, and
//!   are carried out even if the caller stops waiting. All others return at once.
//! * Events come on one thread of each client, `chamada-events`, one after another. An observer may call anything of the
//!   library, wait for it (other than for another event), and let go of the client.
//! * Cameras, microphone and speaker are opened and closed on threads that may wait; pictures are shown on a decoder's or a
//!   camera's thread. What the app does there must be quick: a renderer that waits holds its pictures up.
//!
//! # Memory
//! Pictures go in as borrowed planes and are copied once, into pooled memory. They come out as [`Frame`], which owns pooled
//! memory and says where it is. An address that a frame gave is good until the frame is released or dropped.

#[macro_use]
mod mirror;

mod app;
mod audio;
mod call;
mod camera;
mod client;
mod config;
mod constraints;
#[cfg_attr(not(feature = "demo"), path = "demo_absent.rs")]
mod demo;
pub mod devices;
mod error;
mod event;
mod frame;
mod logging;
mod messages;
pub mod observer;
mod push;
mod quality;
mod renderer;
mod runtime;
mod signaling;
mod stats;
#[cfg(test)]
mod tests;
mod verification;
mod yuv420;

pub use app::{
    AppAction, AppAudioInterruption, AppAudioRoute, AppAudioRouteKind, AppAudioRouteView, AppBanner, AppButton,
    AppCallPhase, AppCallService, AppCallView, AppCameraTrouble, AppChatLine, AppConfig, AppCore, AppEffect, AppField,
    AppHistoryEntry, AppHistoryKind, AppKeypad, AppMessage, AppNetwork, AppObserver, AppOutage, AppPermission,
    AppPermissionStatus, AppPermissions, AppPerson, AppPhotoOutcome, AppPrivateLine, AppPrivateText, AppRecovery,
    AppRingerMode, AppSavedSignIn, AppScreen, AppSettingsPage, AppState, AppStatisticsLine, AppSystemCall,
    AppSystemCallNews, AppSystemEnd, AppTab, AppTopic, AppTrust, AppUpdate, AppVerification, AppVisibility,
};
pub use audio::{AudioBlock, MicrophoneSink, SpeakerSource};
pub use call::{Call, PhotoOf};
pub use camera::CameraSink;
pub use client::Client;
pub use config::{Config, Devices, IceServer, VideoCodec, is_local_network};
pub use constraints::{
    Constraints, NumberConstraint, StringConstraint, VideoConstraintSet, VideoConstraints, parse_constraints,
    select_camera,
};
pub use demo::{Demo, demo_available};
pub use error::{AppError, ChamadaError, ErrorKind};
pub use event::{CallSnapshot, CallState, EndReason, Event, MediaState, OtherCall};
pub use frame::{Frame, FrameLayout, PhotoKind};
pub use logging::{LogLevel, LogSink, set_log_level, start_logging};
pub use messages::{FileEnd, FileEvent, TextEvent};
pub use push::{PushKeys, PushPlatform, PushRegistration};
pub use quality::{DegradationPreference, DirectionQuality, QualityLevel, QualityReason, ThermalState, VideoBounds};
pub use signaling::{CallOptions, SignalingReceiver, SignalingTransport, TransportError};
pub use stats::{CallStats, QualityLimitation, ReceivedAudio, ReceivedVideo, SentAudio, SentVideo};
pub use verification::{RememberedPerson, Verification, VerificationResult, VerificationWord};

uniffi::setup_scaffolding!();

/// The library's version, e.g. `0.1.0`.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The video codecs that this build has, the preferred one first.
#[uniffi::export]
pub fn available_codecs() -> Vec<VideoCodec> {
    chamada::media::video::codec::VideoCodec::available().into_iter().map(Into::into).collect()
}
