//! Offer and answer (JSEP, RFC 9429): what the peer writes goes through [`crate::sdp`] to the crate, and what the crate writes back.

use super::codecs;
use super::connection::Connection;
use super::outgoing::AudioFormat;
use crate::peer::{AgreedMedia, AgreedSection, PeerError, PeerEvent};
use crate::sdp::{CandidateLine, Description, Kind, SdpError, Session, VideoNumber};
use crate::security::Role;
use crate::signaling::message::IceCandidate;
use rtc::peer_connection::configuration::RTCOfferOptions;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::RTCSessionDescription;
use webrtc::rtp_transceiver::{RtpSender, RtpTransceiver};

/// Streams that are learnt from their packets: beyond these a peer that changes them all the time gets no more attention.
const MAX_LEARNT: u32 = 64;

/// Remote candidates of one ICE generation that the crate gets. A real peer has a dozen; each becomes a pair with every local candidate, and
/// each pair up to 200 checks, so that a longer list would make this side flood whomever the peer names.
const MAX_CANDIDATES: usize = 32;
/// Remote candidates of all generations that the crate gets at once after a pause: a peer that restarts ICE again and again names others each time.
const MAX_CANDIDATES_AT_ONCE: f64 = 64.0;
/// How many more it gets each second.
const CANDIDATES_PER_SECOND: f64 = 2.0;

/// The offer/answer state and what is created with it.
#[derive(Default)]
pub(super) struct JsepState {
    pub(super) closed: bool,
    audio_sender: Option<Arc<dyn RtpSender>>,
    video_sender: Option<Arc<dyn RtpSender>>,
    /// What was agreed on last.
    session: Session,
    /// The same with the own offer that waits for its answer.
    offered: Option<Session>,
    /// Whether a description of the other side's was applied.
    pub(super) has_remote: bool,
    pub(super) early: Vec<IceCandidate>,
    pub(super) channel: bool,
    /// Payload types of the first video that the crate was told of: it knows retransmissions under these alone.
    first_video: Vec<VideoNumber>,
    /// What was told last of the media that the other side sends.
    agreed: Option<AgreedMedia>,
    version: u64,
    learnt: u32,
    /// The candidates that the crate got, and the generation that they are of, by its ICE user name.
    candidates: HashSet<String>,
    generation: String,
    /// Whether one of them was of the m-line with the BUNDLE tag.
    tagged: bool,
    /// How many of all generations it has got lately, and when that was counted.
    recent: (f64, Option<Instant>),
}

impl JsepState {
    pub(super) fn new(codecs: &[crate::media::video::codec::VideoCodec]) -> Self {
        Self { session: Session::new(codecs), ..Self::default() }
    }

    /// The m-lines that candidates name.
    pub(super) fn lines(&self) -> &Session {
        self.offered.as_ref().unwrap_or(&self.session)
    }

    /// What the m-line that a candidate names is to the call's transport. `None`: there is no such m-line.
    pub(super) fn line_of(&self, candidate: &IceCandidate) -> Option<CandidateLine> {
        self.lines().line_of_candidate(candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index)
    }

    /// Whether the crate may get this candidate: neither again nor beyond [`MAX_CANDIDATES`], nor one of a bundled m-line when its transport has
    /// named candidates of its own. Firefox gathers for each m-line under the same ICE user name, and the ports of those that have joined
    /// another one still answer checks, but no DTLS. Some peers name any m-line of the
    /// bundle, so those that come first count.
    ///
    /// # Errors
    /// [`PeerError::Candidate`] if there are too many.
    pub(super) fn admit(&mut self, now: Instant, line: CandidateLine, candidate: &str) -> Result<bool, PeerError> {
        let generation = self.lines().remote_ufrag().to_owned();
        if generation != self.generation {
            self.generation = generation;
            self.candidates.clear();
            self.tagged = false;
        }
        self.tagged |= line == CandidateLine::Tagged;
        if self.tagged && line == CandidateLine::Bundled {
            return Ok(false);
        }
        if self.candidates.contains(candidate) {
            return Ok(false);
        }
        let (recent, counted) = self.recent;
        let passed = counted.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let recent = (recent - passed * CANDIDATES_PER_SECOND).max(0.0) + 1.0;
        if self.candidates.len() >= MAX_CANDIDATES || recent > MAX_CANDIDATES_AT_ONCE {
            return Err(PeerError::Candidate("there are too many".into()));
        }
        self.recent = (recent, Some(now));
        Ok(self.candidates.insert(candidate.to_owned()))
    }

    pub(super) fn is_offering(&self) -> bool {
        self.offered.is_some()
    }

    fn plain(&mut self, session: &Session) -> String {
        self.version = self.version.wrapping_add(1);
        if self.first_video.is_empty() && session.has(Kind::Video) {
            self.first_video = session.plain_numbers().video;
        }
        session.plain(self.version)
    }
}

impl From<SdpError> for PeerError {
    fn from(error: SdpError) -> Self {
        Self::Negotiation(error.to_string())
    }
}

pub(super) fn failed(error: impl std::fmt::Display) -> PeerError {
    PeerError::Negotiation(error.to_string())
}

impl Connection {
    /// Makes an offer, sets it locally, and says how the peer gets it.
    pub(super) async fn make_offer(&self, jsep: &mut JsepState, ice_restart: bool) -> Result<String, PeerError> {
        if jsep.audio_sender.is_none() && !jsep.has_remote {
            self.add_track(jsep, Kind::Audio).await?;
            self.add_track(jsep, Kind::Video).await?;
        }
        let offer = self.inner.create_offer(Some(RTCOfferOptions { ice_restart })).await.map_err(failed)?;
        if ice_restart {
            self.state.search.restarted();
        }
        let own = Description::read(&offer.sdp)?;
        let session = jsep.session.offering(&own);
        if ice_restart || !jsep.has_remote {
            self.shared.early_checks.offered();
        }
        self.tell_candidates_with(&session);
        self.inner.set_local_description(offer).await.map_err(failed)?;
        // Media may overtake the answer.
        self.receive_as(&session);
        let text = session.write_offer(&own);
        jsep.offered = Some(session);
        Ok(text)
    }

    /// Applies the peer's offer, in the place of an own one that waits, and says what the peer gets for an answer.
    pub(super) async fn make_answer(&self, jsep: &mut JsepState, text: &str) -> Result<String, PeerError> {
        let offer = Description::read(text)?;
        let session = jsep.session.offered(&offer)?;
        if !jsep.has_remote && session.has_nothing_in_common() {
            return Err(PeerError::NoCommonCodec);
        }
        if jsep.offered.take().is_some() {
            self.roll_back(true).await;
        }
        self.shared.early_checks.release();
        if jsep.has_remote && session.remote_ufrag() != jsep.session.remote_ufrag() {
            self.state.search.restarted();
            if !session.remote_is_lite() {
                self.shared.nominations.hold(session.remote_ufrag());
            }
        }
        let answer = match self.answer_plain(jsep, &session).await {
            Ok(answer) => answer,
            Err(error) => {
                self.shared.nominations.release();
                self.roll_back(false).await;
                return Err(error);
            }
        };
        let answer = session.write_answer(&offer, &answer);
        self.state.role.get_or_init(|| Role::Answerer);
        self.agreed(jsep, session).await;
        self.add_remote_candidates(jsep, &offer).await;
        Ok(answer)
    }

    /// Applies the peer's answer to the own offer.
    pub(super) async fn take_answer(&self, jsep: &mut JsepState, text: &str) -> Result<(), PeerError> {
        let answer = Description::read(text)?;
        let Some(offered) = &jsep.offered else {
            return Err(PeerError::Negotiation("no own offer waits for an answer".into()));
        };
        let session = offered.answered(&answer)?;
        if !jsep.has_remote && session.has_nothing_in_common() {
            return Err(PeerError::NoCommonCodec);
        }
        let plain = RTCSessionDescription::answer(jsep.plain(&session)).map_err(failed)?;
        self.shared.early_checks.answered(Instant::now());
        self.inner.set_remote_description(plain).await.map_err(failed)?;
        jsep.offered = None;
        self.state.role.get_or_init(|| Role::Offerer);
        if session.remote_ufrag() != jsep.session.remote_ufrag() {
            self.shared.nominations.release();
        }
        self.agreed(jsep, session).await;
        self.add_remote_candidates(jsep, &answer).await;
        Ok(())
    }

    /// Takes this stream for the sound or the video that the description said nothing of: the crate has to be told.
    pub(super) async fn learn_source(&self, kind: Kind, ssrc: u32) {
        let Ok(mut jsep) = self.open().await else { return };
        // While an own offer waits the crate takes no other description: the next packet will ask again.
        if jsep.is_offering() || jsep.learnt >= MAX_LEARNT {
            return;
        }
        let Some(session) = jsep.session.with_source(kind, ssrc) else { return };
        jsep.learnt += 1;
        match self.answer_plain(&mut jsep, &session).await {
            Ok(_) => self.agreed(&mut jsep, session).await,
            Err(error) => {
                self.roll_back(false).await;
                log::debug!("a stream that no description told of is not received: {error}");
            }
        }
    }

    /// Gives the crate what the peer offers, and reads what it answers.
    async fn answer_plain(&self, jsep: &mut JsepState, session: &Session) -> Result<Description, PeerError> {
        let plain = RTCSessionDescription::offer(jsep.plain(session)).map_err(failed)?;
        self.inner.set_remote_description(plain).await.map_err(failed)?;
        for kind in [Kind::Audio, Kind::Video] {
            if session.has(kind) {
                self.add_track(jsep, kind).await?;
            }
        }
        let answer = self.inner.create_answer(None).await.map_err(failed)?;
        let own = Description::read(&answer.sdp)?;
        self.tell_candidates_with(session);
        self.inner.set_local_description(answer).await.map_err(failed)?;
        Ok(own)
    }

    /// Adds the own track of a kind, once.
    async fn add_track(&self, jsep: &mut JsepState, kind: Kind) -> Result<(), PeerError> {
        let (sender, track) = match kind {
            Kind::Audio => (&mut jsep.audio_sender, Some(&self.audio)),
            _ => (&mut jsep.video_sender, self.video.as_ref()),
        };
        if let (None, Some(track)) = (&sender, track) {
            let track = Arc::clone(&track.track) as Arc<dyn TrackLocal>;
            let added = self.inner.add_track(track).await.map_err(failed)?;
            if kind == Kind::Video {
                // The m-line has every codec, not only that of the track.
                let all = codecs::video(&self.video_codecs);
                if !jsep.has_remote && jsep.first_video.is_empty() {
                    self.transceiver(&added).await?.set_codec_preferences(all).await.map_err(failed)?;
                }
            }
            *sender = Some(added);
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

    async fn roll_back(&self, local: bool) {
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

    fn tell_candidates_with(&self, session: &Session) {
        *self.state.candidate_line.lock().unwrap_or_else(PoisonError::into_inner) = session.candidate_line();
    }

    /// From here on packets are taken for what the session says.
    fn receive_as(&self, session: &Session) {
        *self.state.received.lock().unwrap_or_else(PoisonError::into_inner) = session.into();
        let types = session.receive.retransmissions().chain(session.send.retransmissions()).collect();
        *self.shared.payload_types.lock().unwrap_or_else(PoisonError::into_inner) = types;
        // What this side offered comes only where the answer took it.
        let sent = session.send.flexfec;
        self.shared.fec.set(sent, sent.and(session.receive.flexfec));
        self.shared.streams.expect(session);
    }

    /// After an offer and its answer have met: what to send as, and what arrives as what.
    async fn agreed(&self, jsep: &mut JsepState, session: Session) {
        let first = !std::mem::replace(&mut jsep.has_remote, true);
        self.receive_as(&session);
        self.shared.remote_password.set(session.remote_password());
        self.tell_agreed(jsep, &session, first);
        self.let_send(jsep, &session).await;
        let sound = session.send.opus.filter(|_| session.sends(Kind::Audio));
        let at_48k = session.send.dtmf.map(|number| (number, codecs::AUDIO_CLOCK_RATE));
        let dtmf = at_48k.or(session.send.dtmf_8k.map(|number| (number, codecs::OLD_CLOCK_RATE)));
        let sound = sound.map(|opus| AudioFormat { opus, red: session.send.red, dtmf });
        let redundancy = |format: Option<AudioFormat>| format.is_some_and(|format| format.red.is_some());
        let before = self.audio_format.send_replace(sound);
        if redundancy(sound) != redundancy(before) {
            self.state.events.emit(PeerEvent::AudioRedundancy(redundancy(sound)));
        }
        // The first format of the answer is the one to send (RFC 3264 section 7). An answer of ours has the order of the offer.
        let video = session.send.video.first().filter(|_| session.sends(Kind::Video));
        let video = video.map(|number| (number.payload_type, number.codec));
        let before = self.video_format.send_replace(video);
        if let Some((_, codec)) = video
            && before.map(|before| before.1) != Some(codec)
        {
            self.state.events.emit(PeerEvent::VideoCodec(codec));
        }
        jsep.session = session;
    }

    fn tell_agreed(&self, jsep: &mut JsepState, session: &Session, first: bool) {
        let before = jsep.agreed.unwrap_or_default();
        let of = |kind, before| match () {
            () if session.receives(kind) => AgreedSection::Sent,
            // That an m-line is refused later says that its track was stopped.
            () if session.lacks_codec(kind) && (first || before == AgreedSection::NoCommonCodec) => {
                AgreedSection::NoCommonCodec
            }
            () => AgreedSection::NotSent,
        };
        let agreed = AgreedMedia { audio: of(Kind::Audio, before.audio), video: of(Kind::Video, before.video) };
        if jsep.agreed.replace(agreed) != Some(agreed) {
            self.state.events.emit(PeerEvent::Agreed(agreed));
        }
    }

    /// Tells the crate's senders and receivers under which numbers packets go out and come in: it drops others.
    async fn let_send(&self, jsep: &JsepState, session: &Session) {
        let numbers = [session.plain_numbers(), session.receive.clone()];
        let audio = codecs::audio_as(&numbers);
        let video = codecs::video_as(&numbers, &jsep.first_video);
        for (sender, codecs) in [(&jsep.audio_sender, audio), (&jsep.video_sender, video)] {
            let Some(sender) = sender else { continue };
            let told = match self.transceiver(sender).await {
                Ok(transceiver) => transceiver.set_codec_preferences(codecs).await.map_err(failed),
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                log::warn!("the payload types that were agreed on cannot be used: {error}");
            }
        }
    }
}
