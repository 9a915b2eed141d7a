//! Pictures, packets and measures for the tests of this module.

use super::codec::{EncodedFrame, VideoCodec};
use super::test_packets::TYPES;
use crate::FacingMode;
use crate::media::capture::VideoRenderer;
use crate::media::frame::{FramePool, PixelFormat, Plane, RawFrame, Rotation, VideoFrame};
use crate::media::rtp::RtpPacket;
use crate::media::synthetic::Painter;
use bytes::Bytes;
use rtc::rtp::codec::{h264::H264Payloader, vp8::Vp8Payloader};
use rtc::rtp::packetizer::Payloader;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A camera whose pictures are taken 30 times a second, whatever the time is.
pub(super) struct Camera {
    painter: Painter,
    pool: FramePool,
    start: Instant,
    number: u32,
    noise: Option<u32>,
    /// Bits of it.
    mask: u32,
}

impl Camera {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let painter = Painter::new(FacingMode::User, width, height).unwrap();
        Self { painter, pool: FramePool::default(), start: Instant::now(), number: 0, noise: None, mask: 15 }
    }

    /// The same with noise, which no codec can foresee.
    pub(super) fn noisy(width: u32, height: u32) -> Self {
        Self { noise: Some(12_345), ..Self::new(width, height) }
    }

    /// With so much of it that no quantiser makes a small keyframe of it.
    pub(super) fn very_noisy(width: u32, height: u32) -> Self {
        Self { mask: 127, ..Self::noisy(width, height) }
    }

    /// Its first picture was taken so long ago.
    pub(super) fn begun(mut self, ago: Duration) -> Self {
        self.start = self.start.checked_sub(ago).unwrap();
        self
    }

    /// The next pictures show something else.
    pub(super) fn cut_to(&mut self, facing: FacingMode) {
        let frame = self.painter.next_frame().unwrap();
        self.painter = Painter::new(facing, frame.width(), frame.height()).unwrap();
    }

    /// The next picture is so many later.
    pub(super) fn pause(&mut self, pictures: u32) {
        self.number += pictures;
    }

    pub(super) fn picture(&mut self) -> VideoFrame {
        let frame = self.painter.next_frame().unwrap();
        let captured_at = self.start + Duration::from_secs(1) * self.number / 30;
        self.number += 1;
        let mut luma = frame.y().to_vec();
        if let Some(state) = &mut self.noise {
            for pixel in &mut luma {
                *state ^= *state << 13;
                *state ^= *state >> 17;
                *state ^= *state << 5;
                *pixel = pixel.saturating_add((*state & self.mask) as u8).clamp(16, 235);
            }
        }
        copied(&self.pool, &frame, &luma, Rotation::None, captured_at)
    }
}

fn copied(pool: &FramePool, frame: &VideoFrame, luma: &[u8], rotation: Rotation, captured_at: Instant) -> VideoFrame {
    let raw = RawFrame {
        format: PixelFormat::I420,
        planes: [
            Plane { data: luma, stride: frame.stride_y() },
            Plane { data: frame.u(), stride: frame.stride_uv() },
            Plane { data: frame.v(), stride: frame.stride_uv() },
        ],
        width: frame.width(),
        height: frame.height(),
        rotation,
        captured_at,
    };
    pool.copy_from(&raw).unwrap()
}

/// The same pixels, marked to be turned.
pub(super) fn to_be_turned(frame: &VideoFrame, rotation: Rotation) -> VideoFrame {
    copied(&FramePool::default(), frame, frame.y(), rotation, frame.captured_at())
}

/// Peak signal-to-noise ratio of the luma of the part that both have, in dB.
pub(super) fn psnr(a: &VideoFrame, b: &VideoFrame) -> f64 {
    let (width, height) = (a.width().min(b.width()) as usize, a.height().min(b.height()) as usize);
    let rows = a.y().chunks(a.stride_y()).zip(b.y().chunks(b.stride_y())).take(height);
    let squares = rows.flat_map(|(a, b)| a[..width].iter().zip(&b[..width]));
    let sum: f64 = squares.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (sum / (width * height) as f64)).log10()
}

/// The other side's packetizer.
pub(super) struct Packetizer {
    vp8: Vp8Payloader,
    h264: H264Payloader,
    pub(super) sequence_number: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Packetizer {
    pub(super) fn new(sequence_number: u16) -> Self {
        let mut vp8 = Vp8Payloader::default();
        vp8.enable_picture_id = true;
        Self { vp8, h264: H264Payloader::default(), sequence_number, timestamp: 0xffff_0000, ssrc: 7 }
    }

    pub(super) fn packets(&mut self, codec: VideoCodec, data: &Bytes, at: Instant) -> Vec<RtpPacket> {
        let payloads = match codec {
            VideoCodec::Vp8 => self.vp8.payload(1160, data),
            VideoCodec::H264 => self.h264.payload(1160, data),
        };
        let payloads = payloads.unwrap();
        self.timestamp = self.timestamp.wrapping_add(3000);
        let count = payloads.len();
        let packets = payloads.into_iter().enumerate().map(|(n, payload)| {
            let sequence_number = self.sequence_number;
            self.sequence_number = sequence_number.wrapping_add(1);
            RtpPacket {
                ssrc: self.ssrc,
                payload_type: TYPES.iter().find(|(_, of)| *of == codec).unwrap().0,
                sequence_number,
                timestamp: self.timestamp,
                marker: n + 1 == count,
                payload,
                arrived_at: at,
            }
        });
        packets.collect()
    }

    pub(super) fn of_frame(&mut self, frame: &EncodedFrame) -> Vec<RtpPacket> {
        self.packets(frame.codec, &frame.data, Instant::now())
    }
}

/// Shows pictures to the test.
pub(super) struct Screen(pub(super) mpsc::Sender<VideoFrame>);

impl VideoRenderer for Screen {
    fn render(&self, frame: VideoFrame) {
        let _ = self.0.send(frame);
    }
}
