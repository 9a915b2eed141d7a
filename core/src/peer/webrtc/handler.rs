//! What the crate tells, made into events. Its calls come from the driver of the connection and must not wait.

use super::events::Events;
use super::search::Search;
use super::tasks::Tasks;
use super::{candidates, data, incoming};
use crate::call::ConnectionState;
use crate::media::video::codec::VideoCodec;
use crate::peer::{HANDSHAKE_TIMEOUT, PeerEvent};
use crate::sdp::{Kind, RED, usual};
use crate::security::Role;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, mpsc, watch};
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState,
};

/// What handler and connection share.
pub(super) struct State {
    pub(super) events: Events,
    pub(super) tasks: Tasks,
    /// Whether media may be sent: connected once, and not failed since.
    pub(super) ready: AtomicBool,
    /// Notified when the connection is up, for the first time or again.
    pub(super) connected: Arc<Notify>,
    /// The remote video, for keyframe requests.
    pub(super) remote_video: watch::Sender<Option<Arc<dyn TrackRemote>>>,
    pub(super) handshake: Arc<HandshakeWatch>,
    pub(super) search: Arc<Search>,
    /// What arrives as what.
    pub(super) received: Arc<Mutex<incoming::Received>>,
    /// The m-line that candidates are told with: mid and index.
    pub(super) candidate_line: Mutex<(Option<String>, u16)>,
    /// Packets that the receiver pipelines were too slow for.
    pub(super) dropped: Arc<AtomicU64>,
    /// What to send on the data channels, once they are open.
    pub(super) channels: data::Channels,
    /// Which side this is, once an offer was answered.
    pub(super) role: OnceLock<Role>,
}

pub(super) struct Handler(pub(super) Arc<State>);

/// Watches for a handshake that does not come to its end.
#[derive(Default)]
pub(super) struct HandshakeWatch {
    /// A path is found.
    path: AtomicBool,
    /// The handshake on it is done.
    done: AtomicBool,
    /// Somebody looks whether it will be.
    watched: AtomicBool,
}

impl HandshakeWatch {
    /// The crate tells nobody that a handshake failed: it only does not succeed.
    async fn watch(self: Arc<Self>, events: Events) {
        tokio::time::sleep(HANDSHAKE_TIMEOUT).await;
        self.watched.store(false, Ordering::Release);
        if self.path.load(Ordering::Acquire) && !self.done.load(Ordering::Acquire) {
            events.emit(PeerEvent::HandshakeFailed);
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            // The end is told by the gathering state.
            Ok(candidate) if candidate.candidate.is_empty() => {}
            // The crate binds the wildcard address where a family has no interface, for relays. Nobody can send to it.
            Ok(candidate) if candidates::is_wildcard(&candidate.candidate) => {}
            Ok(candidate) => {
                self.0.search.local_candidate(Instant::now(), &event.candidate.typ.to_string());
                let line = self.0.candidate_line.lock().unwrap_or_else(PoisonError::into_inner).clone();
                self.0.events.candidate(Some(candidates::from_crate(candidate, line)));
            }
            Err(_) => log::warn!("a local candidate cannot be written down"),
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.0.search.local_complete();
            self.0.events.candidate(None);
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        let path = matches!(state, RTCIceConnectionState::Connected | RTCIceConnectionState::Completed);
        self.0.search.checking(Instant::now(), state == RTCIceConnectionState::Checking);
        let handshake = &self.0.handshake;
        handshake.path.store(path, Ordering::Release);
        if path && !handshake.done.load(Ordering::Acquire) && !handshake.watched.swap(true, Ordering::AcqRel) {
            self.0.tasks.spawn(Arc::clone(handshake).watch(self.0.events.clone()));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let state = match state {
            RTCPeerConnectionState::Connecting => ConnectionState::Connecting,
            RTCPeerConnectionState::Connected => ConnectionState::Connected,
            RTCPeerConnectionState::Disconnected => ConnectionState::Disconnected,
            RTCPeerConnectionState::Failed => ConnectionState::Failed,
            // Closed by this side is not told any more.
            RTCPeerConnectionState::Closed => ConnectionState::Closed,
            _ => return,
        };
        match state {
            ConnectionState::Connected => {
                self.0.handshake.done.store(true, Ordering::Release);
                self.0.ready.store(true, Ordering::Release);
                self.0.connected.notify_one();
            }
            ConnectionState::Failed | ConnectionState::Closed => self.0.ready.store(false, Ordering::Release),
            _ => {}
        }
        self.0.events.emit(PeerEvent::Connection(state));
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let state = &self.0;
        let (events, channels) = (state.events.clone(), state.channels.clone());
        state.tasks.spawn(async move {
            let label = channel.label().await.unwrap_or_default();
            data::run(channel, events, channels.named(&label).clone()).await;
        });
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let audio = track.kind().await == RtpCodecKind::Audio;
        let (packets, receiver) = mpsc::channel(if audio { incoming::AUDIO_QUEUE } else { incoming::VIDEO_QUEUE });
        let (received, dropped) = (Arc::clone(&self.0.received), Arc::clone(&self.0.dropped));
        if audio {
            let events = self.0.events.clone();
            self.0.tasks.spawn(incoming::drain(track, Kind::Audio, received, packets, dropped, events));
            self.0.events.emit(PeerEvent::AudioTrack { packets: receiver, red: Some(RED) });
        } else {
            let (drained, events) = (Arc::clone(&track), self.0.events.clone());
            self.0.tasks.spawn(incoming::drain(drained, Kind::Video, received, packets, dropped, events));
            self.0.remote_video.send_replace(Some(track));
            let payload_types = [VideoCodec::Vp8, VideoCodec::H264].map(|codec| (usual(codec).0, codec)).into();
            self.0.events.emit(PeerEvent::VideoTrack { packets: receiver, payload_types });
        }
    }
}
