//! One connection: offer and answer (JSEP, RFC 9429) and the other methods of the trait.

use super::handler::State;
use super::outgoing::{AudioFormat, Outgoing, VideoFormat};
use super::sdp::{Description, Section};
use super::sending::Shared;
use super::{candidates, codecs, data, mdns, stats};
use crate::congestion::{Demand, Plan};
use crate::media::audio::AudioPacket;
use crate::media::sync::SenderReport;
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::peer::{DataError, PeerConnection, PeerError, PeerEvent, PeerStats};
use crate::signaling::message::{IceCandidate, SdpType, SessionDescription};
use async_trait::async_trait;
use bytes::Bytes;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::peer_connection::configuration::media_engine::MIME_TYPE_OPUS;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodecParameters, RtpCodecKind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::{PeerConnection as Crate, RTCSessionDescription};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RtpSender, RtpTransceiver};

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

/// The offer/answer state (JSEP, RFC 9429) and what is created with it.
#[derive(Default)]
pub(super) struct JsepState {
    closed: bool,
    audio_sender: Option<Arc<dyn RtpSender>>,
    video_sender: Option<Arc<dyn RtpSender>>,
    /// The own offer that waits for its answer.
    offered: Option<Description>,
    /// The last remote description that was applied.
    remote: Option<Description>,
    early: Vec<IceCandidate>,
    channel: bool,
}

fn failed(error: impl std::fmt::Display) -> PeerError {
    PeerError::Negotiation(error.to_string())
}

impl Connection {
    async fn open(&self) -> Result<tokio::sync::MutexGuard<'_, JsepState>, PeerError> {
        let jsep = self.jsep.lock().await;
        if jsep.closed { Err(PeerError::Closed) } else { Ok(jsep) }
    }

    /// Adds the tracks for a first offer: the m-line is offered with every codec, not only with that of the track.
    async fn add_offered_tracks(&self, jsep: &mut JsepState) -> Result<(), PeerError> {
        let audio = Arc::clone(&self.audio.track) as Arc<dyn TrackLocal>;
        jsep.audio_sender = Some(self.inner.add_track(audio).await.map_err(failed)?);
        if let Some(video) = &self.video {
            let track = Arc::clone(&video.track) as Arc<dyn TrackLocal>;
            let sender = self.inner.add_track(track).await.map_err(failed)?;
            let transceiver = self.transceiver(&sender).await?;
            transceiver.set_codec_preferences(codecs::video(&self.video_codecs)).await.map_err(failed)?;
            jsep.video_sender = Some(sender);
        }
        Ok(())
    }

    /// Adds the tracks that the offer has room for.
    async fn add_answered_tracks(&self, jsep: &mut JsepState, offer: &Description) -> Result<(), PeerError> {
        if jsep.audio_sender.is_none() && offer.section("audio").is_some() {
            let audio = Arc::clone(&self.audio.track) as Arc<dyn TrackLocal>;
            jsep.audio_sender = Some(self.inner.add_track(audio).await.map_err(failed)?);
        }
        let Some(video) = &self.video else { return Ok(()) };
        let Some(section) = offer.section("video") else { return Ok(()) };
        if !section.video_formats().iter().any(|(_, codec)| self.video_codecs.contains(codec)) {
            return Ok(());
        }
        if jsep.video_sender.is_none() {
            let track = Arc::clone(&video.track) as Arc<dyn TrackLocal>;
            jsep.video_sender = Some(self.inner.add_track(track).await.map_err(failed)?);
        }
        Ok(())
    }

    /// Puts the offer's video codecs into our order, under its payload types. On hold there is nothing to order.
    async fn order_codecs(&self, jsep: &JsepState) -> Result<(), PeerError> {
        let Some(sender) = &jsep.video_sender else { return Ok(()) };
        let preferred = codecs::reorder(&sent_as(Some(sender)).await, &self.video_codecs);
        if !preferred.is_empty() {
            self.transceiver(sender).await?.set_codec_preferences(preferred).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Gives each of our tracks the direction that the offer allows (RFC 3264 section 6.1): the crate answers an offer that
    /// only sends with "both ways" where a track was added, and never returns to both ways after a hold.
    async fn follow_directions(&self, jsep: &JsepState, offer: &Description) -> Result<(), PeerError> {
        for sender in jsep.audio_sender.iter().chain(&jsep.video_sender) {
            let transceiver = self.transceiver(sender).await?;
            let Some(mid) = transceiver.mid().await.map_err(failed)? else { continue };
            let Some(section) = offer.sections.iter().find(|s| s.mid == mid) else { continue };
            let direction = match (section.direction.receives(), section.direction.sends()) {
                (true, true) => RTCRtpTransceiverDirection::Sendrecv,
                (true, false) => RTCRtpTransceiverDirection::Sendonly,
                (false, true) => RTCRtpTransceiverDirection::Recvonly,
                (false, false) => RTCRtpTransceiverDirection::Inactive,
            };
            if transceiver.direction().await.map_err(failed)? != direction {
                transceiver.set_direction(direction).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn transceiver(&self, sender: &Arc<dyn RtpSender>) -> Result<Arc<dyn RtpTransceiver>, PeerError> {
        for transceiver in self.inner.get_transceivers().await {
            if transceiver.sender().await.ok().flatten().is_some_and(|s| s.id() == sender.id()) {
                return Ok(transceiver);
            }
        }
        Err(PeerError::Negotiation("the track has no transceiver".into()))
    }

    async fn signaling_rollback(&self, local: bool) {
        let Ok(rollback) = RTCSessionDescription::rollback(None) else { return };
        let done = if local {
            self.inner.set_local_description(rollback).await
        } else {
            self.inner.set_remote_description(rollback).await
        };
        if done.is_err() {
            log::debug!("a description could not be rolled back");
        }
    }

    /// After an offer and its answer have met: what to send as, and what arrives as what.
    async fn agreed(&self, jsep: &JsepState, local: &Description, answer: &Description, own_answer: bool) {
        let may_send = |s: &&Section| if own_answer { s.direction.sends() } else { s.direction.receives() };
        if let Some(section) = local.section("video") {
            *self.state.payload_types.lock().unwrap_or_else(PoisonError::into_inner) = section.video_formats();
            let mut types = section.retransmissions();
            if let Some(remote) = jsep.remote.as_ref().and_then(|r| r.section("video")) {
                types.extend(remote.retransmissions());
            }
            *self.shared.payload_types.lock().unwrap_or_else(PoisonError::into_inner) = types;
        }
        if let Some(section) = local.section("audio") {
            *self.state.red.lock().unwrap_or_else(PoisonError::into_inner) = section.redundancy();
        }
        let numbers = sent_as(jsep.audio_sender.as_ref()).await;
        let takes_red = |d: &Description| d.section("audio").is_some_and(|s| s.redundancy().is_some());
        let redundancy = takes_red(answer) && jsep.remote.as_ref().is_some_and(takes_red);
        let red = codecs::audio_payload_type(&numbers, codecs::MIME_TYPE_RED).filter(|_| redundancy);
        let wanted = answer.section("audio").filter(may_send).is_some();
        let opus = codecs::audio_payload_type(&numbers, MIME_TYPE_OPUS).filter(|_| wanted);
        let before = self.audio_format.send_replace(opus.map(|opus| AudioFormat { opus, red }));
        let redundancy = opus.is_some() && red.is_some();
        if redundancy != before.is_some_and(|before| before.red.is_some()) {
            self.state.events.emit(PeerEvent::AudioRedundancy(redundancy));
        }

        // The answer's first format is the one to send (RFC 3264 section 7); its number is what the sender was given.
        let wanted = answer.section("video").filter(may_send).map(Section::video_formats).unwrap_or_default();
        let numbers = sent_as(jsep.video_sender.as_ref()).await;
        let format = wanted.iter().find_map(|&(_, codec)| {
            let found = codecs::find(&numbers, codec)?;
            self.video_codecs.contains(&codec).then_some((found.payload_type, codec))
        });
        let before = self.video_format.send_replace(format);
        if let Some((_, codec)) = format
            && before.map(|b| b.1) != Some(codec)
        {
            self.state.events.emit(PeerEvent::VideoCodec(codec));
        }
    }

    async fn add_early(&self, jsep: &mut JsepState) {
        for candidate in std::mem::take(&mut jsep.early) {
            let known = jsep.remote.as_ref().is_some_and(|r| candidates::check_section(&candidate, r).is_ok());
            if !known || self.give(candidate).await.is_err() {
                log::debug!("an early candidate was of no use");
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

    /// Gives those candidates of a description to the crate that it passes over.
    fn give_named(&self, sdp: &str) {
        for candidate in mdns::in_description(sdp) {
            self.lookups.start(&self.state.tasks, &self.inner, candidate);
        }
    }

    async fn make_answer(&self, jsep: &mut JsepState, text: String, offer: &Description) -> Result<String, PeerError> {
        let description = RTCSessionDescription::offer(text.clone()).map_err(failed)?;
        self.inner.set_remote_description(description).await.map_err(failed)?;
        self.give_named(&text);
        self.add_answered_tracks(jsep, offer).await?;
        self.follow_directions(jsep, offer).await?;
        self.order_codecs(jsep).await?;
        let answer = self.inner.create_answer(None).await.map_err(failed)?;
        let text = answer.sdp.clone();
        self.inner.set_local_description(answer).await.map_err(failed)?;
        Ok(text)
    }
}

/// What a sender may send as. A sender that is on hold has no parameters, and one that is not there sends nothing.
async fn sent_as(sender: Option<&Arc<dyn RtpSender>>) -> Vec<RTCRtpCodecParameters> {
    match sender {
        Some(sender) => sender.get_parameters().await.map(|p| p.rtp_parameters.codecs).unwrap_or_default(),
        None => Vec::new(),
    }
}

#[async_trait]
impl PeerConnection for Connection {
    async fn offer(&self, ice_restart: bool) -> Result<SessionDescription, PeerError> {
        let mut jsep = self.open().await?;
        let _hold = self.state.events.hold_candidates();
        if jsep.audio_sender.is_none() && jsep.remote.is_none() {
            self.add_offered_tracks(&mut jsep).await?;
        }
        if !jsep.channel && jsep.remote.is_none() {
            let channel = self.inner.create_data_channel(data::LABEL, None).await.map_err(failed)?;
            jsep.channel = true;
            self.state.tasks.spawn(data::run(channel, self.state.events.clone(), self.state.data.clone()));
        }
        let offer = self.inner.create_offer(Some(RTCOfferOptions { ice_restart })).await.map_err(failed)?;
        let text = offer.sdp.clone();
        self.inner.set_local_description(offer).await.map_err(failed)?;
        let offered = Description::read(&text);
        if let Some(video) = offered.section("video") {
            // Media may overtake the answer.
            *self.state.payload_types.lock().unwrap_or_else(PoisonError::into_inner) = video.video_formats();
        }
        if let Some(audio) = offered.section("audio") {
            *self.state.red.lock().unwrap_or_else(PoisonError::into_inner) = audio.redundancy();
        }
        jsep.offered = Some(offered);
        Ok(SessionDescription::offer(text))
    }

    async fn answer(&self, offer: SessionDescription, rollback: bool) -> Result<SessionDescription, PeerError> {
        let mut jsep = self.open().await?;
        if offer.kind != SdpType::Offer {
            return Err(PeerError::Negotiation("this is no offer".into()));
        }
        let remote = Description::check(&offer.sdp)?;
        RTCSessionDescription::offer(offer.sdp.clone()).map_err(failed)?;
        if jsep.offered.is_some() {
            if !rollback {
                return Err(PeerError::Negotiation("an own offer waits for its answer".into()));
            }
            self.signaling_rollback(true).await;
            jsep.offered = None;
        }
        let _hold = self.state.events.hold_candidates();
        let answer = match self.make_answer(&mut jsep, offer.sdp, &remote).await {
            Ok(answer) => answer,
            Err(error) => {
                self.signaling_rollback(false).await;
                return Err(error);
            }
        };
        jsep.remote = Some(remote);
        self.add_early(&mut jsep).await;
        let local = Description::read(&answer);
        self.agreed(&jsep, &local, &local, true).await;
        Ok(SessionDescription::answer(answer))
    }

    async fn apply_answer(&self, answer: SessionDescription) -> Result<(), PeerError> {
        let mut jsep = self.open().await?;
        if answer.kind != SdpType::Answer {
            return Err(PeerError::Negotiation("this is no answer".into()));
        }
        let remote = Description::check(&answer.sdp)?;
        let Some(offered) = jsep.offered.clone() else {
            return Err(PeerError::Negotiation("no own offer waits for an answer".into()));
        };
        if !remote.answers(&offered) {
            return Err(PeerError::Negotiation("the answer's m-lines are not those of the offer".into()));
        }
        let description = RTCSessionDescription::answer(answer.sdp.clone()).map_err(failed)?;
        self.inner.set_remote_description(description).await.map_err(failed)?;
        self.give_named(&answer.sdp);
        jsep.offered = None;
        jsep.remote = Some(remote.clone());
        self.add_early(&mut jsep).await;
        self.agreed(&jsep, &offered, &remote, false).await;
        Ok(())
    }

    async fn add_candidate(&self, candidate: Option<IceCandidate>) -> Result<(), PeerError> {
        let mut jsep = self.open().await?;
        // The agent does not wait for the end of candidates.
        let Some(candidate) = candidate.filter(|c| !c.is_end()) else { return Ok(()) };
        candidates::check(&candidate)?;
        let Some(remote) = &jsep.remote else {
            if jsep.early.len() >= MAX_EARLY {
                return Err(PeerError::Candidate("too many before a description".into()));
            }
            jsep.early.push(candidate);
            return Ok(());
        };
        candidates::check_section(&candidate, remote)?;
        self.give(candidate).await
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
        self.state.data.send(data)
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

/// The track's first codec, which only matters until the descriptions have met.
pub(super) fn video_track(codecs: &[VideoCodec]) -> Option<Outgoing> {
    let first = super::codecs::video(codecs).into_iter().next()?;
    Some(Outgoing::new(RtpCodecKind::Video, first.rtp_codec))
}
