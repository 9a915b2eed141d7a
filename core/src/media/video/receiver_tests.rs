use super::*;
use crate::media::synthetic::marker;
use crate::media::video::codec::{CodecError, EncoderConfig, VideoDecoder, VideoEncoder};
use crate::media::video::decoders::{MAX_FAILURES, REPLACE_AFTER};
use crate::media::video::factory::Choice;
use crate::media::video::make_encoder;
use crate::media::video::test_packets::TYPES;
use crate::media::video::test_pictures::{Camera, Packetizer, Screen};
use std::sync::mpsc as std_mpsc;

const LONG: Duration = Duration::from_secs(10);

/// The other side, and what this side shows and asks for.
struct Call {
    receiver: VideoReceiver,
    packets: mpsc::Sender<RtpPacket>,
    screen: std_mpsc::Receiver<VideoFrame>,
    requests: std_mpsc::Receiver<()>,
    camera: Camera,
    encoder: Box<dyn VideoEncoder>,
    packetizer: Packetizer,
}

fn encoder(codec: VideoCodec) -> Box<dyn VideoEncoder> {
    make_encoder(codec, EncoderConfig { width: 320, height: 240, fps: 30.0, bitrate_bps: 600_000 }).unwrap()
}

impl Call {
    fn new(codec: VideoCodec) -> Self {
        Self::decoded_by(factory::decoder, codec)
    }

    fn decoded_by(make: MakeDecoder, codec: VideoCodec) -> Self {
        let ((shown, screen), (asked, requests)) = (std_mpsc::channel(), std_mpsc::channel());
        let (packets, inbox) = mpsc::channel(1024);
        let want_keyframe = Arc::new(move || asked.send(()).unwrap_or_default());
        Self {
            receiver: VideoReceiver::start_with(make, TYPES.to_vec(), inbox, want_keyframe, Arc::new(Screen(shown))),
            packets,
            screen,
            requests,
            camera: Camera::new(320, 240),
            encoder: encoder(codec),
            packetizer: Packetizer::new(65_000),
        }
    }

    fn encode(&mut self, keyframe: bool) -> Vec<RtpPacket> {
        let frame = self.encoder.encode(&self.camera.picture(), keyframe).unwrap().unwrap();
        self.packetizer.of_frame(&frame)
    }

    fn send(&mut self, packets: Vec<RtpPacket>) {
        for packet in packets {
            self.packets.try_send(packet).unwrap();
        }
    }

    fn shown(&self) -> u32 {
        let picture = self.screen.recv_timeout(LONG).expect("a picture");
        assert!(!picture.mirror());
        marker::read(&picture).expect("a mark").number
    }
}

#[test]
fn pictures_are_shown_as_they_come() {
    for codec in VideoCodec::available() {
        let mut call = Call::new(codec);
        for n in 0..10 {
            let packets = call.encode(false);
            call.send(packets);
            assert_eq!(call.shown(), n);
        }
        let stats = call.receiver.stats();
        assert_eq!((stats.codec, stats.frames_decoded, stats.keyframes), (Some(codec), 10, 1));
        assert_eq!((stats.width, stats.height, stats.frames_dropped, stats.keyframe_requests), (320, 240, 0, 0));
        assert!(stats.decode_ms > 0.0 && stats.fps > 0.0 && stats.packets >= 10 && stats.bytes > 0);
        assert_eq!(marker::read(&call.receiver.latest_frame().unwrap()).unwrap().number, 9);
        let playing = call.receiver.playing().unwrap();
        assert_eq!((playing.ssrc, playing.rtp_timestamp), (7, 0xffff_0000_u32.wrapping_add(10 * 3000)));
        assert!(stats.jitter_buffer_ms > 0.0 && playing.at.elapsed() < LONG, "{stats:?}");
    }
}

#[test]
fn after_a_loss_it_stands_still_asks_and_goes_on_with_the_keyframe() {
    for codec in VideoCodec::available() {
        let mut call = Call::new(codec);
        for n in 0..8 {
            let packets = call.encode(false);
            call.send(packets);
            assert_eq!(call.shown(), n);
        }
        call.encode(false);
        let after = call.encode(false);
        call.send(after);
        call.requests.recv_timeout(LONG).expect("a request for a keyframe");
        assert!(call.screen.try_recv().is_err(), "nothing that builds on the lost picture is shown");
        let keyframe = call.encode(true);
        call.send(keyframe);
        assert_eq!(call.shown(), 10);
        let stats = call.receiver.stats();
        assert_eq!((stats.keyframes, stats.frames_dropped), (2, 1), "{stats:?}");
        assert!(stats.freezes >= 1 && stats.freeze_duration >= Duration::from_millis(250), "{stats:?}");
    }
}

#[test]
fn a_frame_that_cannot_be_decoded_leads_to_a_request_and_not_to_the_end() {
    for codec in VideoCodec::available() {
        let mut call = Call::new(codec);
        let first = call.encode(false);
        call.send(first);
        assert_eq!(call.shown(), 0);
        let frame = call.encoder.encode(&call.camera.picture(), true).unwrap().unwrap();
        let cut = frame.data.slice(..frame.data.len() / 3);
        let damaged = call.packetizer.packets(codec, &cut, Instant::now());
        call.send(damaged);
        call.requests.recv_timeout(LONG).expect("a request for a keyframe");
        let keyframe = call.encode(true);
        call.send(keyframe);
        assert_eq!(call.shown(), 2);
        assert_eq!(call.receiver.stats().decode_errors, 1);
    }
}

#[test]
fn the_codec_may_change_in_the_middle() {
    let mut call = Call::new(VideoCodec::available()[0]);
    let mut number = 0;
    for codec in VideoCodec::available().into_iter().chain(VideoCodec::available()) {
        call.encoder = encoder(codec);
        for _ in 0..3 {
            let packets = call.encode(false);
            call.send(packets);
            assert_eq!(call.shown(), number);
            number += 1;
        }
        assert_eq!(call.receiver.stats().codec, Some(codec));
    }
    assert_eq!(call.receiver.stats().keyframe_requests, 0);
}

#[test]
fn a_picture_that_still_stands_is_frozen_unless_none_is_expected() {
    let mut call = Call::new(VideoCodec::available()[0]);
    for n in 0..8 {
        let packets = call.encode(false);
        call.send(packets);
        assert_eq!(call.shown(), n);
    }
    let shown = call.receiver.stats().frames_decoded;
    let start = Instant::now();
    while call.receiver.stats().freezes == 0 {
        assert!(start.elapsed() < LONG, "it stands and is not counted");
        std::thread::yield_now();
    }
    call.receiver.set_expected(false);
    let frozen = call.receiver.stats().freeze_duration;
    assert_eq!((call.receiver.stats().freeze_duration, call.receiver.stats().frames_decoded), (frozen, shown));
}

#[test]
fn dropping_it_ends_at_once_though_nothing_comes() {
    let call = Call::new(VideoCodec::available()[0]);
    let start = Instant::now();
    drop(call.receiver);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(matches!(call.screen.recv(), Err(std_mpsc::RecvError)), "the renderer was let go of");
    assert!(call.packets.is_closed());
}

#[test]
fn dropping_it_in_a_flood_ends_at_once_and_shows_nothing_more() {
    let mut call = Call::new(VideoCodec::available()[0]);
    for _ in 0..40 {
        let packets = call.encode(false);
        call.send(packets);
    }
    let start = Instant::now();
    drop(call.receiver);
    assert!(start.elapsed() < Duration::from_secs(5));
    call.screen.try_iter().for_each(drop);
    assert!(matches!(call.screen.recv(), Err(std_mpsc::RecvError)), "the renderer was let go of");
}

#[test]
fn when_the_peer_is_gone_the_last_picture_and_the_figures_stay() {
    let mut call = Call::new(VideoCodec::available()[0]);
    let packets = call.encode(false);
    call.send(packets);
    drop(call.packets);
    assert!(call.screen.recv_timeout(LONG).is_ok());
    assert!(matches!(call.screen.recv_timeout(LONG), Err(std_mpsc::RecvTimeoutError::Disconnected)));
    assert!(call.receiver.latest_frame().is_some());
    assert_eq!(call.receiver.stats().frames_decoded, 1);
}

/// Can be made and shows nothing, as a phone's own can.
struct Blind;

impl VideoDecoder for Blind {
    fn decode(&mut self, _: &[u8], _: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        Ok(None)
    }
}

#[test]
fn a_decoder_that_makes_nothing_of_keyframes_is_replaced_by_the_spare_one() {
    let make: MakeDecoder = |codec, choice| match choice {
        Choice::Preferred => Ok(Box::new(Blind)),
        Choice::Fallback => factory::make_decoder(codec),
    };
    let mut call = Call::decoded_by(make, VideoCodec::available()[0]);
    let start = Instant::now();
    // The other side sends on at its own pace, whatever becomes of it here.
    while call.screen.recv_timeout(Duration::from_millis(30)).is_err() {
        assert!(start.elapsed() < LONG, "no picture");
        let packets = call.encode(true);
        call.send(packets);
    }
    let asked = call.requests.try_iter().count();
    assert!(asked >= MAX_FAILURES as usize, "one failure may be the other side's fault");
}

#[test]
fn decoders_are_not_replaced_at_the_pace_of_what_a_peer_sends() {
    let start = Instant::now();
    let mut decoders = Decoders::new(|_, _| Ok(Box::new(Blind)));
    for ms in 0..999 {
        assert!(decoders.of(VideoCodec::Vp8, start).is_ok());
        decoders.failed_at_a_keyframe(start + Duration::from_millis(ms));
        assert_eq!(decoders.choices.of(VideoCodec::Vp8), Choice::Preferred);
    }
    decoders.failed_at_a_keyframe(start + REPLACE_AFTER);
    assert_eq!(decoders.choices.of(VideoCodec::Vp8), Choice::Fallback);
    assert_eq!(decoders.choices.of(VideoCodec::H264), Choice::Preferred, "that one's may work");
}

/// Gives each picture back with the next one, as some phones' own do.
struct Late {
    decoder: Box<dyn VideoDecoder>,
    before: Option<VideoFrame>,
}

impl VideoDecoder for Late {
    fn decode(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError> {
        let now = self.decoder.decode(data, pool)?;
        Ok(std::mem::replace(&mut self.before, now))
    }
}

#[test]
fn a_decoder_that_is_one_picture_late_shows_all_but_the_last_and_asks_for_nothing() {
    let make: MakeDecoder =
        |codec, _| factory::make_decoder(codec).map(|decoder| Box::new(Late { decoder, before: None }) as Box<_>);
    let mut call = Call::decoded_by(make, VideoCodec::available()[0]);
    for number in 0..10 {
        let packets = call.encode(false);
        call.send(packets);
        if number > 0 {
            assert_eq!(call.shown(), number - 1);
        }
    }
    assert!(call.requests.try_iter().next().is_none());
}
