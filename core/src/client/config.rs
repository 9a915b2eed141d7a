//! What a client is made of.

use crate::call::RING_TIMEOUT;
use crate::media::capture::{AudioProvider, CameraProvider, VideoRenderer};
use crate::media::constraints::VideoConstraints;
use crate::media::video::codec::VideoCodec;
use crate::media::video::{DegradationPreference, ThermalState, VideoBounds};
use crate::outage::Outage;
use crate::peer::BitrateBounds;
use crate::security::RememberedPerson;
use crate::signaling::SignalingConfig;
use crate::signaling::message::IceServer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How a client logs in and calls.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Server and name. How it is connected to ([`SignalingConfig::connect`]) goes for TURN servers over TCP and TLS, too.
    pub signaling: SignalingConfig,
    /// What the camera has to satisfy. The default asks for nothing and gets 720p30 of the front camera or what is nearest.
    pub video: VideoConstraints,
    /// Video codecs to offer, the preferred one first; empty for all that this build has.
    pub codecs: Vec<VideoCodec>,
    /// STUN and TURN servers in addition to those that the signaling server names.
    pub ice_servers: Vec<IceServer>,
    /// Use relayed candidates only, so that the other side does not learn this device's address.
    pub relay_only: bool,
    /// Local UDP addresses to bind; empty for every interface.
    pub bind: Vec<SocketAddr>,
    /// Bounds of the bandwidth estimate.
    pub bitrate: BitrateBounds,
    /// How the camera's pictures are sent; can be changed in a call.
    pub sending: SendParameters,
    /// While it is on, no packet of a call leaves or arrives; [`SignalingConfig::outage`] does the same to the server.
    pub outage: Outage,
    /// How long a call rings, here or there, before it ends with [`crate::call::EndReason::Timeout`].
    pub ring_timeout: Duration,
    /// Whether somebody who calls during a call is told of ([`crate::call::CallEvent::Waiting`]) and not refused as busy, and whether somebody can be
    /// called while a call is on hold: for apps that have a place for a second call.
    pub call_waiting: bool,
    /// The people whose devices were checked in earlier calls, as [`super::ClientEvent::Remember`] told them. They are kept here
    /// alone, never at a server.
    pub remembered: Vec<RememberedPerson>,
    /// Whether private text is sent and taken ([`crate::text`]): for apps that show [`super::ClientEvent::Text`]. The other side is told, by saying
    /// nothing, if not.
    pub texts: bool,
    /// Whether files are sent and taken ([`crate::files`]): for apps that answer [`crate::files::FileEvent::Offered`]. The other side is told as well.
    pub files: bool,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            signaling: SignalingConfig::default(),
            video: VideoConstraints::default(),
            codecs: Vec::new(),
            ice_servers: Vec::new(),
            relay_only: false,
            bind: Vec::new(),
            bitrate: BitrateBounds::default(),
            sending: SendParameters::default(),
            outage: Outage::default(),
            ring_timeout: RING_TIMEOUT,
            call_waiting: false,
            remembered: Vec::new(),
            texts: false,
            files: false,
        }
    }
}

impl ClientConfig {
    /// A client of this name at this server, everything else by default.
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            signaling: SignalingConfig { url: url.into(), name: name.into(), ..SignalingConfig::default() },
            ..Self::default()
        }
    }
}

/// How pictures are sent (after W3C `RTCRtpSendParameters`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SendParameters {
    /// What gives way where path or device do not carry the camera's pictures as they are.
    pub degradation: DegradationPreference,
    /// Upper bounds of size, frame rate and bitrate.
    pub bounds: VideoBounds,
    /// How hot the device is, as its system says.
    pub thermal: ThermalState,
}

/// One change of [`SendParameters`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SendParameter {
    Degradation(DegradationPreference),
    Bounds(VideoBounds),
    Thermal(ThermalState),
}

impl SendParameters {
    pub(super) fn set(&mut self, parameter: SendParameter) {
        match parameter {
            SendParameter::Degradation(degradation) => self.degradation = degradation,
            SendParameter::Bounds(bounds) => self.bounds = bounds,
            SendParameter::Thermal(thermal) => self.thermal = thermal,
        }
    }
}

/// The app's devices. All are optional: a client without cameras makes calls with sound only, one without any can still
/// receive.
#[derive(Clone, Default)]
pub struct Devices {
    /// Cameras.
    pub cameras: Option<Arc<dyn CameraProvider>>,
    /// Microphone and speaker.
    pub audio: Option<Arc<dyn AudioProvider>>,
    /// Shows what the other side sends.
    pub remote: Option<Arc<dyn VideoRenderer>>,
    /// Shows what the own camera sees.
    pub preview: Option<Arc<dyn VideoRenderer>>,
}
