//! What this side sends: compressed pictures and sound into RTP packets (RFC 3550), each kind on a task of its own.

use super::codecs::AUDIO_CLOCK_RATE;
use super::sending::Sending;
use crate::media::audio::{AudioPacket, SAMPLES_PER_FRAME, red};
use crate::media::dtmf::{DtmfError, DtmfSender, DtmfTones, EventPacket};
use crate::media::video::codec::{EncodedFrame, VIDEO_CLOCK_RATE, VideoCodec};
use bytes::Bytes;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp::codec::{h264::H264Payloader, vp8::Vp8Payloader};
use rtc::rtp::packetizer::Payloader;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, mpsc, watch};
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};

/// Pictures that may wait for their RTP numbers. What bounds them is time, at the gate before the encoder; this is for an encoder that
/// does not ask.
const VIDEO_QUEUE: usize = 16;
/// Sound packets that may wait: 200 ms of the shortest.
const AUDIO_QUEUE: usize = 10;
/// Most bytes of payload in a packet: leaves room for headers, extensions, SRTP and a relay within 1,280 bytes of IPv6.
const MAX_PAYLOAD: usize = 1_160;
/// Least bytes of payload that a packet of video is cut to: smaller ones are little but headers.
const MIN_PAYLOAD: usize = 300;
/// On a path slower than this, in bits per second, packets of video are smaller: one of them takes no longer than 20 ms.
const SLOW_PATH_BPS: u32 = 400_000;
/// Longest Opus packet, in samples: 120 ms (RFC 6716 section 2.1.4).
const LONGEST_OPUS: u32 = AUDIO_CLOCK_RATE * 120 / 1_000;

/// What to send pictures as: payload type and codec.
pub(super) type VideoFormat = Option<(u8, VideoCodec)>;

/// What to send sound as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AudioFormat {
    /// Payload type of Opus.
    pub(super) opus: u8,
    /// Payload type of RED (RFC 2198), if the other side takes it.
    pub(super) red: Option<u8>,
    /// Payload type and clock rate of telephone events (RFC 4733), if the other side takes them.
    pub(super) dtmf: Option<(u8, u32)>,
}

impl AudioFormat {
    /// The payload type and payload of a packet.
    fn payload(self, packet: AudioPacket) -> (u8, Bytes) {
        let redundant = self.red.and_then(|red| Some((red, red::pack(&packet, self.opus, MAX_PAYLOAD)?)));
        redundant.unwrap_or((self.opus, packet.payload))
    }
}

/// The tones that wait to go out in the stream of sound.
#[derive(Default)]
pub(super) struct Tones {
    sender: Mutex<DtmfSender>,
    changed: Notify,
}

impl Tones {
    pub(super) fn insert(&self, tones: &DtmfTones) -> Result<(), DtmfError> {
        self.lock().insert(tones)?;
        self.changed.notify_one();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, DtmfSender> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when a packet is due, or something was inserted.
    async fn due(&self) {
        let next = self.lock().next_at(Instant::now());
        let is_due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = is_due => {}
            () = self.changed.notified() => {}
        }
    }
}

/// The clock of the stream of sound: that of the packets, as far as there are any.
struct SoundClock(u32, Instant);

impl SoundClock {
    /// Behind the last packet, which is not longer ago than its sound.
    fn now(&self) -> u32 {
        let passed = self.1.elapsed().as_micros() * u128::from(AUDIO_CLOCK_RATE) / 1_000_000;
        self.0.wrapping_add(SAMPLES_PER_FRAME as u32).wrapping_add(passed as u32)
    }
}

/// A stream that this side sends: its track for the crate and its SSRC.
pub(super) struct Outgoing {
    pub(super) track: Arc<TrackLocalStaticRTP>,
    pub(super) ssrc: u32,
}

impl Outgoing {
    pub(super) fn new(kind: RtpCodecKind, codec: RTCRtpCodec) -> Self {
        let name = if kind == RtpCodecKind::Audio { "audio" } else { "video" };
        let ssrc = rand::random();
        let coding = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
        let encoding = RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec, ..Default::default() };
        let track = MediaStreamTrack::new("chamada".into(), name.into(), name.into(), kind, vec![encoding]);
        Self { track: Arc::new(TrackLocalStaticRTP::new(track)), ssrc }
    }
}

/// Numbers the packets of one stream.
struct Numbering {
    ssrc: u32,
    sequence_number: u16,
    /// Random, as RFC 3550 section 5.1 asks for.
    offset: u32,
}

impl Numbering {
    fn new(ssrc: u32) -> Self {
        Self { ssrc, sequence_number: rand::random(), offset: rand::random() }
    }

    fn packet(&mut self, payload_type: u8, timestamp: u32, marker: bool, payload: Bytes) -> rtc::rtp::Packet {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let header = rtc::rtp::Header {
            version: 2,
            marker,
            payload_type,
            sequence_number: self.sequence_number,
            timestamp: self.offset.wrapping_add(timestamp),
            ssrc: self.ssrc,
            ..Default::default()
        };
        rtc::rtp::Packet { header, payload }
    }
}

/// Starts the task that sends pictures. It ends when the sender is dropped.
pub(super) fn video(
    stream: &Outgoing,
    format: watch::Receiver<VideoFormat>,
    sending: Arc<Sending>,
) -> (mpsc::Sender<EncodedFrame>, impl Future<Output = ()> + Send + 'static) {
    let (frames, mut queue) = mpsc::channel::<EncodedFrame>(VIDEO_QUEUE);
    let (track, mut numbering, origin) = (Arc::clone(&stream.track), Numbering::new(stream.ssrc), Instant::now());
    let mut payloader = VideoPayloader::new();
    let plan = sending.plan();
    let task = async move {
        loop {
            sending.room().await;
            let Some(frame) = queue.recv().await else { break };
            sending.remove_unnumbered(frame.data.len());
            let Some((payload_type, codec)) = *format.borrow() else { continue };
            if codec != frame.codec {
                continue;
            }
            let timestamp = ticks(origin, frame.captured_at);
            if !sending.admits(frame.keyframe, numbering.offset.wrapping_add(timestamp)) {
                continue;
            }
            let payloads = payloader.payloads(codec, &frame.data, max_payload(plan.borrow().target_bps));
            let last = payloads.len().saturating_sub(1);
            for (n, payload) in payloads.into_iter().enumerate() {
                let packet = numbering.packet(payload_type, timestamp, n == last, payload);
                // The error would print the whole packet; all it can say is that the connection is closing.
                if track.write_rtp(packet).await.is_err() {
                    log::debug!("a video packet could not be handed over");
                    break;
                }
            }
        }
    };
    (frames, task)
}

/// Starts the task that sends sound. It ends when the sender is dropped.
pub(super) fn audio(
    stream: &Outgoing,
    format: watch::Receiver<Option<AudioFormat>>,
    tones: Arc<Tones>,
) -> (mpsc::Sender<AudioPacket>, impl Future<Output = ()> + Send + 'static) {
    let (packets, mut queue) = mpsc::channel::<AudioPacket>(AUDIO_QUEUE);
    let (track, mut numbering) = (Arc::clone(&stream.track), Numbering::new(stream.ssrc));
    let task = async move {
        let mut previous: Option<u32> = None;
        let mut clock = SoundClock(0, Instant::now());
        loop {
            let packet = tokio::select! {
                packet = queue.recv() => match packet {
                    Some(packet) => packet,
                    None => break,
                },
                () = tones.due() => {
                    let format = *format.borrow();
                    send_tones(&track, &mut numbering, format, &tones, clock.now()).await;
                    continue;
                }
            };
            clock = SoundClock(packet.timestamp, Instant::now());
            let Some(format) = *format.borrow() else { continue };
            if tones.lock().is_sounding() {
                // A tone takes the place of sound, and the first sound after it begins anew.
                previous = None;
                continue;
            }
            let timestamp = packet.timestamp;
            // The first packet after a silence carries the marker (RFC 3551 section 4.1).
            let marker = previous.is_none_or(|before| timestamp.wrapping_sub(before) > LONGEST_OPUS);
            previous = Some(timestamp);
            let (payload_type, payload) = format.payload(packet);
            if track.write_rtp(numbering.packet(payload_type, timestamp, marker, payload)).await.is_err() {
                log::debug!("an audio packet could not be handed over");
            }
        }
    };
    (packets, task)
}

/// Sends what is due of the tones.
async fn send_tones(
    track: &TrackLocalStaticRTP,
    numbering: &mut Numbering,
    format: Option<AudioFormat>,
    tones: &Tones,
    timestamp: u32,
) {
    let Some((payload_type, clock_rate)) = format.and_then(|format| format.dtmf) else {
        return tones.lock().clear();
    };
    loop {
        let next = tones.lock().poll(Instant::now(), clock_rate, timestamp);
        let Some(EventPacket { timestamp, marker, payload }) = next else { return };
        if track.write_rtp(numbering.packet(payload_type, timestamp, marker, payload)).await.is_err() {
            log::debug!("a telephone event could not be handed over");
        }
    }
}

/// Ticks of the video clock between two instants; wraps, and goes below zero for pictures older than the connection.
fn ticks(origin: Instant, at: Instant) -> u32 {
    let count = |d: std::time::Duration| (d.as_nanos() * u128::from(VIDEO_CLOCK_RATE) / 1_000_000_000) as u32;
    match at.checked_duration_since(origin) {
        Some(after) => count(after),
        None => 0u32.wrapping_sub(count(origin.saturating_duration_since(at))),
    }
}

/// Most bytes of payload of a packet of video on a path of this rate.
fn max_payload(target_bps: u32) -> usize {
    if target_bps >= SLOW_PATH_BPS {
        return MAX_PAYLOAD;
    }
    // 20 ms, in bytes.
    (target_bps as usize / 400).clamp(MIN_PAYLOAD, MAX_PAYLOAD)
}

/// Splits pictures into payloads.
#[derive(Default)]
struct VideoPayloader {
    vp8: Vp8Payloader,
    h264: H264Payloader,
}

impl VideoPayloader {
    fn new() -> Self {
        let mut payloader = Self::default();
        // Picture identifiers let a receiver see which pictures it misses (RFC 7741 section 4.2).
        payloader.vp8.enable_picture_id = true;
        payloader
    }

    fn payloads(&mut self, codec: VideoCodec, data: &Bytes, most: usize) -> Vec<Bytes> {
        let payloads = match codec {
            VideoCodec::Vp8 => self.vp8.payload(most, data),
            VideoCodec::H264 => self.h264.payload(most, data),
        };
        payloads.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn timestamps_do_not_drift_by_rounding() {
        let origin = Instant::now();
        let frame = |n: u64| ticks(origin, origin + Duration::from_nanos(n * 1_000_000_000 / 30));
        assert!((0..3_000).all(|n| u64::from(frame(n)).abs_diff(n * 3_000) <= 1));
    }

    #[test]
    fn packets_are_smaller_on_a_slow_path() {
        for (bps, most) in
            [(0, 300), (100_000, 300), (200_000, 500), (399_999, 999), (400_000, 1_160), (u32::MAX, 1_160)]
        {
            assert_eq!(max_payload(bps), most, "{bps}");
        }
    }

    #[test]
    fn a_picture_taken_before_the_connection_was_made_has_an_earlier_timestamp() {
        let origin = Instant::now() + Duration::from_secs(1);
        assert_eq!(ticks(origin, origin - Duration::from_millis(100)), 0u32.wrapping_sub(9_000));
    }
}
