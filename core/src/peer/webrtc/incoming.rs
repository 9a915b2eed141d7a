//! What arrives: each remote track is drained by a task of its own, so that nothing waits in the crate's queues.

use super::events::Events;
use crate::media::dtmf::DtmfReceiver;
use crate::media::rtp::RtpPacket;
use crate::peer::PeerEvent;
use crate::sdp::{DTMF, DTMF_8K, Kind, OPUS, RED, Session, usual};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// Video packets that may wait for the receiver pipeline: half a second of a fast stream.
pub(super) const VIDEO_QUEUE: usize = 1024;
/// Audio packets that may wait.
pub(super) const AUDIO_QUEUE: usize = 256;

/// Payload types of what arrives, and those that this side uses for the same in its own offers: whatever was agreed on, and however often,
/// a decoder gets its packets under one number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Received {
    audio: Vec<(u8, u8)>,
    video: Vec<(u8, u8)>,
}

impl Received {
    /// The number under which this side knows what has this one; `None` if nothing was agreed on for it.
    fn usual(&self, kind: Kind, payload_type: u8) -> Option<u8> {
        let numbers = if kind == Kind::Audio { &self.audio } else { &self.video };
        numbers.iter().find(|number| number.0 == payload_type).map(|number| number.1)
    }
}

impl From<&Session> for Received {
    /// What comes has the numbers of this side's description (RFC 3264 section 5.1). Some send by their own, which do no harm where they
    /// mean nothing else.
    fn from(session: &Session) -> Self {
        let mut received = Self::default();
        for numbers in [&session.receive, &session.send] {
            let sound = [(numbers.opus, OPUS), (numbers.red, RED), (numbers.dtmf, DTMF), (numbers.dtmf_8k, DTMF_8K)];
            let audio = sound.map(|(number, usual)| Some((number?, usual)));
            let video = numbers.video.iter().map(|number| (number.payload_type, usual(number.codec).0));
            add(&mut received.audio, audio.into_iter().flatten());
            add(&mut received.video, video);
        }
        received
    }
}

fn add(numbers: &mut Vec<(u8, u8)>, more: impl Iterator<Item = (u8, u8)>) {
    for number in more {
        if numbers.iter().all(|known| known.0 != number.0) {
            numbers.push(number);
        }
    }
}

/// Hands the packets of a track on until it ends, padding included: a number that is left out would look like a loss. What finds
/// the queue full is dropped and counted; what no format was agreed on for is dropped. Telephone events become events, and their packets
/// are handed on as padding.
pub(super) async fn drain(
    track: Arc<dyn TrackRemote>,
    kind: Kind,
    received: Arc<Mutex<Received>>,
    packets: mpsc::Sender<RtpPacket>,
    dropped: Arc<AtomicU64>,
    events: Events,
) {
    let mut dtmf = DtmfReceiver::default();
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                let received = received.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(payload_type) = received.usual(kind, packet.header.payload_type) else { continue };
                drop(received);
                let mut packet = RtpPacket { payload_type, ..convert(packet) };
                if kind == Kind::Audio && [DTMF, DTMF_8K].contains(&payload_type) {
                    let event = std::mem::take(&mut packet.payload);
                    packet.payload_type = OPUS;
                    if let Some(tone) = dtmf.receive(packet.arrived_at, packet.ssrc, packet.timestamp, &event) {
                        events.emit(PeerEvent::Dtmf(tone));
                    }
                }
                match packets.try_send(packet) {
                    Ok(()) => {}
                    Err(mpsc::error::TrySendError::Full(_)) => {
                        dropped.fetch_add(1, Ordering::Relaxed);
                    }
                    // The pipeline is gone; the track still has to be drained.
                    Err(mpsc::error::TrySendError::Closed(_)) => {}
                }
            }
            TrackRemoteEvent::OnEnded => break,
            _ => {}
        }
    }
}

fn convert(packet: rtc::rtp::Packet) -> RtpPacket {
    RtpPacket {
        ssrc: packet.header.ssrc,
        payload_type: packet.header.payload_type,
        sequence_number: packet.header.sequence_number,
        timestamp: packet.header.timestamp,
        marker: packet.header.marker,
        payload: packet.payload,
        arrived_at: Instant::now(),
    }
}

/// Asks for a keyframe of every stream of this track (PLI, RFC 4585 section 6.3.1).
pub(super) async fn ask_for_keyframe(track: &Arc<dyn TrackRemote>, sender_ssrc: u32) {
    for media_ssrc in track.ssrcs().await {
        let pli = PictureLossIndication { sender_ssrc, media_ssrc };
        if track.write_rtcp(vec![Box::new(pli)]).await.is_err() {
            log::debug!("a keyframe request could not be handed over");
        }
    }
}
