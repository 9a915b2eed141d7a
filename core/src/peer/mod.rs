//! The WebRTC peer behind a trait of our own: descriptions, candidates, media in and out, feedback, the plan for what is sent,
//! statistics.
//!
//! Everything that knows the `webrtc` crate is in [`webrtc`]; the rest of the core sees the types here.

pub mod webrtc;

use crate::call::{ConnectionState, PathSearch};
use crate::congestion::{ControllerStats, Demand, Plan};
use crate::files::pace::PathLoad;
use crate::media::audio::AudioPacket;
use crate::media::dtmf::{DtmfError, DtmfTone, DtmfTones};
use crate::media::rtp::RtpPacket;
use crate::media::sync::SenderReport;
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::net::ConnectConfig;
use crate::outage::Outage;
use crate::security::Ends;
use crate::signaling::message::{IceCandidate, IceServer, SessionDescription};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How a peer connection is made.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Whether this side makes the first offer.
    pub offerer: bool,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// How TURN servers are reached that go over TCP or TLS.
    pub connect: ConnectConfig,
    /// Use relayed candidates only (W3C `iceTransportPolicy` `relay`).
    pub relay_only: bool,
    /// Local UDP addresses to bind; empty for every interface.
    pub bind: Vec<std::net::SocketAddr>,
    /// Gather loopback candidates too: for calls inside one machine.
    pub loopback: bool,
    /// Video codecs to offer, the preferred one first. None of them: no video.
    pub video_codecs: Vec<VideoCodec>,
    /// Bounds of the bandwidth estimate, in bits per second: where it starts, how low and how high it may go.
    pub bitrate: BitrateBounds,
    /// While it is on, no packet leaves or arrives.
    pub outage: Outage,
    /// A local description of the connection that this one replaces, for a remote peer that takes no other ICE credentials. They stay the
    /// same for good, also where ICE restarts.
    pub keeps_ice_of: Option<SessionDescription>,
}

/// Bounds of the bandwidth estimate, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitrateBounds {
    /// Where it starts.
    pub start: u32,
    /// Never below.
    pub min: u32,
    /// Never above.
    pub max: u32,
}

impl Default for BitrateBounds {
    fn default() -> Self {
        Self { start: 300_000, min: 30_000, max: 2_900_000 }
    }
}

impl BitrateBounds {
    /// The usual bounds with another upper one, which the others then keep to.
    #[must_use]
    pub fn up_to(max: u32) -> Self {
        let usual = Self::default();
        Self { start: usual.start.min(max), min: usual.min.min(max), max }
    }
}

/// What a peer connection tells. Sent on the channel given to [`PeerFactory::create`].
#[derive(Debug)]
pub enum PeerEvent {
    /// A local candidate; `None` at the end. Never before the description it belongs to was returned.
    Candidate(Option<IceCandidate>),
    /// W3C `connectionState` changed.
    Connection(ConnectionState),
    /// The search for a path has found none so far. Told again when what is known of it changes.
    NoPath(PathSearch),
    /// A path was found, but for [`HANDSHAKE_TIMEOUT`] no DTLS handshake (RFC 5764) succeeded on it.
    HandshakeFailed,
    /// Sound arrives.
    AudioTrack {
        /// Packets in order of arrival, not of sequence: Opus, or Opus in RED.
        packets: mpsc::Receiver<RtpPacket>,
        /// Payload type of RED (RFC 2198), where it was agreed on; all others are Opus.
        red: Option<u8>,
    },
    /// Pictures arrive.
    VideoTrack {
        /// Packets in order of arrival, retransmissions unwrapped. Codecs may change: see each packet's payload type.
        packets: mpsc::Receiver<RtpPacket>,
        /// Payload types of this session that carry video, and what they mean.
        payload_types: Vec<(u8, VideoCodec)>,
    },
    /// The other side needs a keyframe (PLI, RFC 4585; FIR, RFC 5104).
    KeyframeWanted,
    /// What was agreed on for what the other side sends, after the first descriptions and whenever later ones change it.
    Agreed(AgreedMedia),
    /// Which codec was agreed on for the video that this side sends.
    VideoCodec(VideoCodec),
    /// Whether the other side takes redundant sound (RED, RFC 2198). Until it is told, it does not.
    AudioRedundancy(bool),
    /// The other side pressed a key of its phone (RFC 4733): told when it begins, each once.
    Dtmf(DtmfTone),
    /// A message on the data channel.
    Data(Bytes),
    /// A frame of the check of the other end ([`crate::security`]), which has a channel of its own.
    Verification(Bytes),
    /// A frame of private text ([`crate::text`]), which has a channel of its own.
    Text(Bytes),
    /// A message of the channel for files ([`crate::files`]).
    File(Bytes),
}

/// What the descriptions say of the media of the other side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgreedMedia {
    /// Its sound.
    pub audio: AgreedSection,
    /// Its video.
    pub video: AgreedSection,
}

/// What the descriptions say of one kind of media of the other side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgreedSection {
    /// It sends none.
    #[default]
    NotSent,
    /// It may send.
    Sent,
    /// The two sides have no codec for it in common.
    NoCommonCodec,
}

/// How long a DTLS handshake may take once a path is found. It takes two or three round trips, and lost packets are repeated.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_millis(2_500);

/// Events of a peer connection that may wait to be read: what [`PeerFactory::create`] is best given.
pub const PEER_EVENTS: usize = 512;

impl PeerEvent {
    /// Whether it may be dropped for want of room: a measurement that the next one replaces, a request that will be repeated,
    /// a message of a channel that promises nothing to an app that does not read, whose sender repeats
    /// what was not answered, or whose receiver has granted less than there is room for.
    pub fn is_minor(&self) -> bool {
        matches!(
            self,
            Self::KeyframeWanted
                | Self::Data(_)
                | Self::Verification(_)
                | Self::Dtmf(_)
                | Self::Text(_)
                | Self::File(_)
        )
    }
}

/// Makes peer connections.
#[async_trait]
pub trait PeerFactory: Send + Sync {
    /// Makes one. What it has to tell goes to `events` until it is closed. While more than half of that channel is full,
    /// what repeats itself or may get lost ([`PeerEvent::is_minor`]) is dropped, so that the other side cannot fill our memory.
    ///
    /// # Errors
    /// [`PeerError::Setup`] if sockets cannot be bound or the configuration is nonsense.
    async fn create(
        &self,
        config: PeerConfig,
        events: mpsc::Sender<PeerEvent>,
    ) -> Result<Arc<dyn PeerConnection>, PeerError>;
}

/// One peer connection.
#[async_trait]
pub trait PeerConnection: Send + Sync {
    /// Makes an offer and sets it as the local description.
    ///
    /// # Errors
    /// [`PeerError::Negotiation`].
    async fn offer(&self, ice_restart: bool) -> Result<SessionDescription, PeerError>;

    /// Applies a remote offer, rolling an own one back first where asked, makes an answer and sets it locally.
    ///
    /// # Errors
    /// [`PeerError::Negotiation`]; the connection keeps what was agreed before.
    async fn answer(&self, offer: SessionDescription, rollback: bool) -> Result<SessionDescription, PeerError>;

    /// Applies the answer to this side's offer.
    ///
    /// # Errors
    /// [`PeerError::Negotiation`].
    async fn apply_answer(&self, answer: SessionDescription) -> Result<(), PeerError>;

    /// Adds a candidate of the other side's, or the end of them.
    ///
    /// # Errors
    /// [`PeerError::Candidate`] if it does not parse or names an unknown m-line; nothing is lost by it.
    async fn add_candidate(&self, candidate: Option<IceCandidate>) -> Result<(), PeerError>;

    /// Sends one compressed picture. Never waits: a picture that finds the way full is dropped and reported by `false`.
    fn send_video(&self, frame: EncodedFrame) -> bool;

    /// Sends one packet of sound: in RED (RFC 2198) if it repeats earlier ones and the other side takes that, else as Opus alone. Never waits: one
    /// that finds the way full is dropped and reported by `false`.
    fn send_audio(&self, packet: AudioPacket) -> bool;

    /// Sends tones in place of sound (RFC 4733), after those that wait. Never waits.
    ///
    /// # Errors
    /// [`DtmfError::NotAgreed`], [`DtmfError::TooMany`].
    fn send_dtmf(&self, tones: &DtmfTones) -> Result<(), DtmfError>;

    /// Asks the other side for a keyframe (PLI).
    fn request_keyframe(&self);

    /// How this side is to send. Changes as the path does.
    fn plan(&self) -> watch::Receiver<Plan>;

    /// How long the video that waits to leave, first time and again, takes at the present pace. Reads one number without a lock.
    fn video_backlog(&self) -> Duration;

    /// What this side would send if the path carried it.
    fn set_demand(&self, demand: Demand);

    /// The last sender report about a stream that arrives, by its SSRC.
    fn sender_report(&self, ssrc: u32) -> Option<SenderReport>;

    /// Sends a message on the data channel. Never waits.
    ///
    /// # Errors
    /// [`DataError`].
    fn send_data(&self, data: Bytes) -> Result<(), DataError>;

    /// Whose certificates the DTLS handshake has proven, and which side this is. None before it is done.
    async fn ends(&self) -> Option<Ends>;

    /// Sends a frame of the check of the other end, at the latest when its channel opens. Never waits.
    ///
    /// # Errors
    /// [`DataError`].
    fn send_verification(&self, frame: Bytes) -> Result<(), DataError>;

    /// Sends a frame of private text, at the latest when its channel opens. Never waits.
    ///
    /// # Errors
    /// [`DataError`].
    fn send_text(&self, frame: String) -> Result<(), DataError>;

    /// The way to the channel for files: takes messages of at most 16 KiB, has room for a few, and goes on once the channel is open.
    fn file_messages(&self) -> mpsc::Sender<Bytes>;

    /// What is known of the path, for those who send beside sound and pictures. Takes microseconds.
    fn path_load(&self) -> PathLoad;

    /// Counters and measurements of this moment.
    async fn stats(&self) -> PeerStats;

    /// Closes it and waits until sockets and tasks are gone. Closing twice is fine.
    async fn close(&self);
}

/// Counters since the start and measurements of the moment, in W3C's terms (`RTCStats`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerStats {
    /// When they were read.
    pub at: Option<Instant>,
    /// What this side sends.
    pub audio_sent: StreamStats,
    /// What this side sends.
    pub video_sent: StreamStats,
    /// What arrives.
    pub audio_received: StreamStats,
    /// What arrives.
    pub video_received: StreamStats,
    /// Round-trip time of the selected candidate pair.
    pub rtt: Option<Duration>,
    /// The bandwidth estimate, in bits per second on the wire.
    pub estimate_bps: Option<u32>,
    /// What congestion control knows of the path.
    pub congestion: ControllerStats,
    /// The selected candidate pair.
    pub pair: Option<CandidatePair>,
}

/// One stream, one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StreamStats {
    /// Media packets, retransmissions not counted.
    pub packets: u64,
    /// Payload bytes of them.
    pub bytes: u64,
    /// Packets that never came (for sent streams: as the other side reports it).
    pub lost: u64,
    /// Packets sent or received again.
    pub retransmitted: u64,
    /// Negative acknowledgements (RFC 4585) received for sent streams, sent for received ones: packets asked for.
    pub nacks: u64,
    /// Keyframe requests received for sent streams, sent for received ones.
    pub keyframe_requests: u64,
}

/// The path that media takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidatePair {
    /// Kind of the local candidate: `host`, `srflx`, `prflx` or `relay`.
    pub local: String,
    /// Kind of the remote candidate.
    pub remote: String,
    /// `udp` or `tcp`.
    pub protocol: String,
    /// Where the local candidate is relayed: how this side reaches its TURN server, `udp`, `tcp` or `tls`.
    pub relay_protocol: Option<String>,
}

/// Why a message was not put on the data channel: what W3C's `RTCDataChannel.send` calls `InvalidStateError`, `TypeError` and
/// `OperationError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// There is none, or it is not open yet or any more.
    #[error("the data channel is not open")]
    NotOpen,
    /// More than 16 KiB.
    #[error("{0} bytes are too many for one message")]
    TooLong(usize),
    /// As many as may wait to be sent do.
    #[error("too many messages wait to be sent")]
    QueueFull,
}

/// What can go wrong with a peer connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// It could not be made.
    #[error("peer connection cannot be set up: {0}")]
    Setup(String),
    /// A description could not be made or applied.
    #[error("negotiation failed: {0}")]
    Negotiation(String),
    /// The two sides have no codec in common.
    #[error("there is no codec in common")]
    NoCommonCodec,
    /// A candidate was nonsense.
    #[error("bad candidate: {0}")]
    Candidate(String),
    /// It is closed.
    #[error("the peer connection is closed")]
    Closed,
}
