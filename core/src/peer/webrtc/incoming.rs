//! What arrives: each remote track is drained by a task of its own, so that nothing waits in the crate's queues.

use crate::media::rtp::RtpPacket;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// Video packets that may wait for the receiver pipeline: half a second of a fast stream.
pub(super) const VIDEO_QUEUE: usize = 1024;
/// Audio packets that may wait.
pub(super) const AUDIO_QUEUE: usize = 256;

/// Hands the packets of a track on until it ends, padding included: a number that is left out would look like a loss. What finds
/// the queue full is dropped and counted.
pub(super) async fn drain(track: Arc<dyn TrackRemote>, packets: mpsc::Sender<RtpPacket>, dropped: Arc<AtomicU64>) {
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                match packets.try_send(convert(packet)) {
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
