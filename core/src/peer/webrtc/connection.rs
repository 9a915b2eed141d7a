//! One connection: the methods of the trait, but for offer and answer, which are in `jsep.rs`.

use super::handler::State;
use super::jsep::{JsepState, failed};
use super::outgoing::{AudioFormat, Outgoing, Tones, VideoFormat};
use super::sending::Shared;
use super::{candidates, data, mdns, stats, verification};
use crate::congestion::{ControllerStats, Demand, PathLimit, Plan};
use crate::files::pace::PathLoad;
use crate::media::audio::AudioPacket;
use crate::media::dtmf::{DtmfError, DtmfTones};
use crate::media::sync::SenderReport;
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::peer::{DataError, PeerConnection, PeerError, PeerStats};
use crate::sdp::{CandidateLine, Description};
use crate::security::Ends;
use crate::signaling::message::{IceCandidate, SdpType, SessionDescription};
use async_trait::async_trait;
use bytes::Bytes;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::peer_connection::PeerConnection as Crate;

/// Candidates of the other side's that may come before its description.
const MAX_EARLY: usize = 64;

/// A connection of the crate with everything around it.
pub(super) struct Connection {
    pub(super) inner: Arc<dyn Crate>,
    pub(super) state: Arc<State>,
    pub(super) shared: Shared,
    pub(super) jsep: tokio::sync::Mutex<JsepState>,
    pub(super) lookups: mdns::Lookups,
    pub(super) video_codecs: Vec<VideoCodec>,
    pub(super) audio: Outgoing,
    pub(super) video: Option<Outgoing>,
    pub(super) senders: Mutex<Option<Senders>>,
    pub(super) tones: Arc<Tones>,
    pub(super) audio_format: watch::Sender<Option<AudioFormat>>,
    pub(super) video_format: watch::Sender<VideoFormat>,
    pub(super) keyframe_requests: mpsc::Sender<()>,
    /// Where it was made: a connection may be dropped outside of it.
    pub(super) runtime: tokio::runtime::Handle,
}

/// The ways into the sending tasks.
pub(super) struct Senders {
    pub(super) audio: mpsc::Sender<AudioPacket>,
    pub(super) video: mpsc::Sender<EncodedFrame>,
}

impl Connection {
    pub(super) async fn open(&self) -> Result<tokio::sync::MutexGuard<'_, JsepState>, PeerError> {
        let jsep = self.jsep.lock().await;
        if jsep.closed { Err(PeerError::Closed) } else { Ok(jsep) }
    }

    /// Adds the candidates that came before the description, and those in it: first those of the m-line whose transport it is.
    pub(super) async fn add_remote_candidates(&self, jsep: &mut JsepState, description: &Description) {
        let within = jsep.lines().candidates(description).into_iter().map(|(line, candidate)| IceCandidate {
            candidate,
            sdp_mid: None,
            sdp_m_line_index: Some(line),
            username_fragment: None,
        });
        if description.ends_candidates() {
            self.state.search.remote_complete();
        }
        let mut candidates = std::mem::take(&mut jsep.early);
        candidates.extend(within);
        candidates.sort_by_key(|candidate| jsep.line_of(candidate) == Some(CandidateLine::Bundled));
        for candidate in candidates {
            if let Err(error) = self.add_known(jsep, candidate).await {
                log::debug!("a candidate was passed over: {error}");
            }
        }
    }

    /// Gives a candidate of the other side's to the crate: at once, or when its name is resolved.
    async fn give(&self, candidate: IceCandidate) -> Result<(), PeerError> {
        if mdns::name(&candidate.candidate).is_some() {
            self.lookups.start(&self.state.tasks, &self.inner, candidate);
            return Ok(());
        }
        let candidate = candidates::to_crate(candidate);
        self.inner.add_ice_candidate(candidate).await.map_err(|e| PeerError::Candidate(e.to_string()))
    }

    /// Adds a candidate whose description is there.
    async fn add_known(&self, jsep: &mut JsepState, candidate: IceCandidate) -> Result<(), PeerError> {
        candidates::check(&candidate)?;
        match jsep.line_of(&candidate) {
            None => Err(PeerError::Candidate("it names an unknown m-line".into())),
            Some(CandidateLine::Unused) => Ok(()),
            Some(line) => {
                let now = Instant::now();
                if !jsep.admit(now, line, &candidate.candidate)? {
                    return Ok(());
                }
                self.state.search.remote_candidate(now, &candidate.candidate);
                self.shared.early_checks.named(&candidate.candidate);
                self.give(candidate).await
            }
        }
    }
}

#[async_trait]
impl PeerConnection for Connection {
    async fn offer(&self, ice_restart: bool) -> Result<SessionDescription, PeerError> {
        let mut jsep = self.open().await?;
        let _hold = self.state.events.hold_candidates();
        if !jsep.channel && !jsep.has_remote {
            let channel = self.inner.create_data_channel(data::LABEL, None).await.map_err(failed)?;
            jsep.channel = true;
            self.state.tasks.spawn(data::run(channel, self.state.events.clone(), self.state.channels.app.clone()));
            self.state.tasks.spawn(data::open_others(Arc::clone(&self.inner), Arc::downgrade(&self.state)));
        }
        self.make_offer(&mut jsep, ice_restart).await.map(SessionDescription::offer)
    }

    async fn answer(&self, offer: SessionDescription, rollback: bool) -> Result<SessionDescription, PeerError> {
        let mut jsep = self.open().await?;
        if offer.kind != SdpType::Offer {
            return Err(PeerError::Negotiation("this is no offer".into()));
        }
        if jsep.is_offering() && !rollback {
            return Err(PeerError::Negotiation("an own offer waits for its answer".into()));
        }
        let _hold = self.state.events.hold_candidates();
        self.make_answer(&mut jsep, &offer.sdp).await.map(SessionDescription::answer)
    }

    async fn apply_answer(&self, answer: SessionDescription) -> Result<(), PeerError> {
        let mut jsep = self.open().await?;
        if answer.kind != SdpType::Answer {
            return Err(PeerError::Negotiation("this is no answer".into()));
        }
        self.take_answer(&mut jsep, &answer.sdp).await
    }

    async fn add_candidate(&self, candidate: Option<IceCandidate>) -> Result<(), PeerError> {
        let mut jsep = self.open().await?;
        // The agent does not wait for the end of candidates.
        let Some(candidate) = candidate.filter(|c| !c.is_end()) else {
            self.state.search.remote_complete();
            return Ok(());
        };
        if !jsep.has_remote {
            candidates::check(&candidate)?;
            if jsep.early.len() >= MAX_EARLY {
                return Err(PeerError::Candidate("too many before a description".into()));
            }
            jsep.early.push(candidate);
            return Ok(());
        }
        self.add_known(&mut jsep, candidate).await
    }

    fn send_video(&self, frame: EncodedFrame) -> bool {
        let agreed = self.video_format.borrow().is_some_and(|(_, codec)| codec == frame.codec);
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(senders) = senders.as_ref().filter(|_| agreed && self.state.ready.load(Ordering::Acquire)) else {
            return false;
        };
        let (sending, bytes) = (&self.shared.sending, frame.data.len());
        sending.add_unnumbered(bytes);
        let taken = senders.video.try_send(frame).is_ok();
        if !taken {
            sending.remove_unnumbered(bytes);
        }
        taken
    }

    fn send_audio(&self, packet: AudioPacket) -> bool {
        let agreed = self.audio_format.borrow().is_some();
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        agreed
            && self.state.ready.load(Ordering::Acquire)
            && senders.as_ref().is_some_and(|s| s.audio.try_send(packet).is_ok())
    }

    fn send_dtmf(&self, tones: &DtmfTones) -> Result<(), DtmfError> {
        let agreed = self.audio_format.borrow().is_some_and(|format| format.dtmf.is_some());
        if !agreed || !self.state.ready.load(Ordering::Acquire) {
            return Err(DtmfError::NotAgreed);
        }
        self.tones.insert(tones)
    }

    fn request_keyframe(&self) {
        // One that is still waiting is as good as another.
        let _ = self.keyframe_requests.try_send(());
    }

    fn plan(&self) -> watch::Receiver<Plan> {
        self.shared.sending.plan()
    }

    fn video_backlog(&self) -> Duration {
        self.shared.sending.whole_backlog()
    }

    fn set_demand(&self, demand: Demand) {
        self.shared.sending.set_demand(Instant::now(), demand);
    }

    fn sender_report(&self, ssrc: u32) -> Option<SenderReport> {
        self.shared.counters.sender_report(ssrc)
    }

    fn send_data(&self, data: Bytes) -> Result<(), DataError> {
        self.state.channels.app.send(data)
    }

    async fn ends(&self) -> Option<Ends> {
        verification::ends(self.inner.as_ref(), *self.state.role.get()?).await
    }

    fn send_verification(&self, frame: Bytes) -> Result<(), DataError> {
        self.state.channels.verification.queue(frame)
    }

    fn file_messages(&self) -> mpsc::Sender<Bytes> {
        self.state.channels.files.sender()
    }

    fn path_load(&self) -> PathLoad {
        let controller = self.shared.sending.controller();
        let (stats, plan) = (controller.stats(), controller.plan());
        PathLoad {
            queue: stats.queue,
            loss: stats.loss,
            media_waits: plan.limit != PathLimit::None && uses_all(&stats),
            target_bps: stats.target_bps,
        }
    }

    fn send_text(&self, frame: String) -> Result<(), DataError> {
        self.state.channels.text.queue(frame.into())
    }

    async fn stats(&self) -> PeerStats {
        stats::read(self.inner.as_ref(), &self.shared).await
    }

    async fn close(&self) {
        self.state.events.close();
        self.state.ready.store(false, Ordering::Release);
        drop(self.senders.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut jsep = self.jsep.lock().await;
        if jsep.closed {
            return;
        }
        jsep.closed = true;
        if self.inner.close().await.is_err() {
            log::debug!("the connection did not close in order");
        }
        self.state.tasks.stop().await;
        self.state.remote_video.send_replace(None);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.events.close();
        self.state.tasks.abort();
        // The crate's driver and its sockets outlive the last handle unless the connection is closed.
        let inner = Arc::clone(&self.inner);
        self.runtime.spawn(async move {
            let _ = inner.close().await;
        });
    }
}

/// Whether media uses what the path is reckoned to carry: a camera that shows little leaves much of it, whatever it might want.
fn uses_all(stats: &ControllerStats) -> bool {
    stats.acked_bps.is_some_and(|acked| f64::from(acked) >= 0.8 * f64::from(stats.target_bps))
}

/// The track's first codec, which only matters until the descriptions have met.
pub(super) fn video_track(codecs: &[VideoCodec]) -> Option<Outgoing> {
    let first = super::codecs::video(codecs).into_iter().next()?;
    Some(Outgoing::new(RtpCodecKind::Video, first.rtp_codec))
}
