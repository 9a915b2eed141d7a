//! The peer over the `webrtc` crate.
//!
//! One audio and one video transceiver: Opus with redundancy (RFC 2198), and VP8 and H.264 each with retransmission, both offered, the configured
//! order being the preference. An answer takes the offer's payload types, and of its codecs the first one that this side knows.
//! What the crate lacks or does wrong is dealt with here, each in a file of its own:
//!
//! | What | Where |
//! | --- | --- |
//! | It takes few of the descriptions that peers write, and those that fail leave it half changed | `jsep.rs` gives it plain ones (`crate::sdp`) |
//! | A stream that no description told of is dropped | `interceptors/unsignaled.rs` reports it, `jsep.rs` tells the crate |
//! | Candidates come before their description | `events.rs` holds them |
//! | Every answer takes the DTLS client's role | `jsep.rs` writes the answers itself |
//! | A DTLS handshake that fails is told to nobody | `handler.rs` looks at the clock |
//! | Retransmissions never satisfy the NACK generator | `interceptors/rtx.rs` unwraps them below it |
//! | The NACK generator asks on common ticks | `interceptors/nack.rs` replaces it |
//! | The pacer refuses the newest, sound waits behind video, retransmissions have no transport-wide number | `interceptors/transmit` replaces pacer, numbering, congestion control and NACK responder |
//! | Every pair is checked 20 times a second, however many there are | `checks.rs` lets them share a rate |
//! | A search for a path that finds none goes on for 27 s without a word | `search.rs` judges it by the clock |
//! | A change of the selected candidate pair is told to nobody | `route.rs` looks for it in the statistics |
//! | A check from a host candidate that is not named yet counts as one from a peer-reflexive one, and pairs are nominated every 50 ms | `early_checks.rs` lets the candidates come first, and the last check again |
//! | A pair is nominated once, though a peer that restarts ICE may not have the answer yet | `nomination.rs` holds nominations back until it has |
//! | The selected pair stays that until ICE restarts, though the peer's NAT has given it another address | `rebinding.rs` follows it below the crate |
//! | PLI and FIR are not acted on | `interceptors/keyframe.rs` reports them |
//! | Incoming RTCP is missing from statistics | `interceptors/counters.rs` counts |
//! | A connection that is dropped goes on living | `connection.rs` closes it |
//! | The end of a connection's task is told to nobody | `driver_task.rs` watches it |
//! | No connection where mDNS's multicast socket cannot be made | `mdns.rs` resolves names instead, or does without |
//! | A handshake that loses packets may stop for good | `handshake.rs` repeats what was sent |
//! | What goes through a relay waits for the driver's next round | `relaying.rs` makes it come |
//! | TURN over TCP or TLS yields no candidate and no error | `relay` carries it below the crate's sockets |

mod addresses;
mod candidates;
mod checks;
mod codecs;
mod connection;
mod data;
mod driver_task;
mod early_checks;
mod events;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod handler;
mod handshake;
mod incoming;
mod interceptors;
mod jsep;
mod mdns;
mod nomination;
mod outgoing;
mod rebinding;
mod relay;
mod relaying;
mod route;
mod search;
mod sending;
mod setup;
mod sockets;
mod stats;
mod tasks;
#[cfg(test)]
mod tests;
mod verification;

pub use addresses::local_addresses;

use crate::peer::{PeerConfig, PeerConnection, PeerError, PeerEvent, PeerFactory};
use crate::sdp::OPUS;
use async_trait::async_trait;
use connection::{Connection, Senders};
use interceptors::unsignaled::Streams;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Between two streams that are learnt from their packets.
const LEARN_INTERVAL: Duration = Duration::from_millis(50);

/// Makes peer connections over the `webrtc` crate. Needs a Tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebrtcPeers;

#[async_trait]
impl PeerFactory for WebrtcPeers {
    async fn create(
        &self,
        config: PeerConfig,
        events: mpsc::Sender<PeerEvent>,
    ) -> Result<Arc<dyn PeerConnection>, PeerError> {
        let events = events::Events::new(events);
        let shared = sending::Shared::new(config.bitrate);
        let (remote_video, watched_video) = watch::channel(None);
        let state = Arc::new(handler::State {
            events: events.clone(),
            tasks: tasks::Tasks::new(),
            ready: Default::default(),
            connected: Default::default(),
            remote_video,
            handshake: Default::default(),
            search: Arc::new(search::Search::new(config.relay_only)),
            received: Default::default(),
            candidate_line: Default::default(),
            dropped: Default::default(),
            channels: data::Channels::new(),
            role: Default::default(),
        });
        let audio = outgoing::Outgoing::new(RtpCodecKind::Audio, codecs::opus(OPUS).rtp_codec);
        let video = connection::video_track(&config.video_codecs);
        let video_ssrc = video.as_ref().map_or(0, |v| v.ssrc);
        let handler = Arc::new(handler::Handler(Arc::clone(&state)));
        let inner = setup::build(&config, &events, &shared, handler, video_ssrc).await?;

        let (audio_format, audio_formats) = watch::channel(None);
        let (video_format, video_formats) = watch::channel(None);
        let tones = Arc::<outgoing::Tones>::default();
        let (audio_queue, sending) = outgoing::audio(&audio, audio_formats, Arc::clone(&tones));
        state.tasks.spawn(sending);
        let (video_queue, sending) =
            outgoing::video(video.as_ref().unwrap_or(&audio), video_formats, Arc::clone(&shared.sending));
        state.tasks.spawn(sending);
        let (sending, media_to) = (Arc::clone(&shared.sending), Arc::clone(&shared.media_to));
        state.tasks.spawn(route::watch(Arc::clone(&inner), sending, media_to, Arc::clone(&state.connected)));
        state.tasks.spawn(search::watch(Arc::clone(&state.search), events));
        let (keyframe_requests, mut requests) = mpsc::channel(1);
        state.tasks.spawn(async move {
            while requests.recv().await.is_some() {
                let track = watched_video.borrow().clone();
                if let Some(track) = track {
                    incoming::ask_for_keyframe(&track, video_ssrc).await;
                }
            }
        });
        let connection = Arc::new(Connection {
            inner,
            state,
            shared,
            jsep: tokio::sync::Mutex::new(jsep::JsepState::new(&config.video_codecs)),
            lookups: Default::default(),
            video_codecs: config.video_codecs,
            audio,
            video,
            senders: std::sync::Mutex::new(Some(Senders { audio: audio_queue, video: video_queue })),
            tones,
            audio_format,
            video_format,
            keyframe_requests,
            runtime: tokio::runtime::Handle::current(),
        });
        connection
            .state
            .tasks
            .spawn(learn_sources(Arc::clone(&connection.shared.streams), Arc::downgrade(&connection)));
        Ok(connection)
    }
}

/// Takes the streams in that no description told of, for as long as the connection lives.
async fn learn_sources(streams: Arc<Streams>, connection: Weak<Connection>) {
    loop {
        let (kind, ssrc) = streams.next().await;
        let Some(connection) = connection.upgrade() else { return };
        connection.learn_source(kind, ssrc).await;
        drop(connection);
        tokio::time::sleep(LEARN_INTERVAL).await;
    }
}
