//! Encoders and decoders alone, 720p of a synthetic camera.

use crate::Figure;
use anyhow::Result;
use chamada::FacingMode;
use chamada::media::frame::{FrameError, FramePool, VideoFrame};
use chamada::media::synthetic::Painter;
use chamada::media::video::codec::{EncoderConfig, VideoCodec};
use chamada::media::video::{make_decoder, make_encoder};
use std::time::{Duration, Instant};

const FRAMES: usize = 150;

/// Pictures of a moving scene, drawn before anything is measured.
fn pictures() -> Result<Vec<VideoFrame>, FrameError> {
    let mut painter = Painter::new(FacingMode::User, 1280, 720)?;
    (0..FRAMES).map(|_| painter.next_frame()).collect()
}

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let pictures = pictures()?;
    let mut figures = Vec::new();
    for codec in VideoCodec::available() {
        let config = EncoderConfig { width: 1280, height: 720, fps: 30.0, bitrate_bps: 1_500_000 };
        let (mut encoder, mut decoder) = (make_encoder(codec, config)?, make_decoder(codec)?);
        let pool = FramePool::default();
        let (mut encoding, mut decoding, mut most) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let (mut bytes, mut decoded) = (0, 0);
        for picture in &pictures {
            let start = Instant::now();
            let encoded = encoder.encode(picture, false)?;
            let took = start.elapsed();
            encoding += took;
            most = most.max(took);
            let Some(encoded) = encoded else { continue };
            bytes += encoded.data.len();
            let start = Instant::now();
            decoder.decode(&encoded.data, &pool)?;
            decoding += start.elapsed();
            decoded += 1;
        }
        // What the rate control left out was looked at and not made.
        let per_frame = |total: Duration, frames: usize| total.as_secs_f64() * 1e3 / frames.max(1) as f64;
        figures.push(Figure::new(
            format!("{codec}: encode a 720p picture, mean"),
            per_frame(encoding, pictures.len()),
            "ms",
        ));
        figures.push(Figure::new(format!("{codec}: encode a 720p picture, most"), most.as_secs_f64() * 1e3, "ms"));
        figures.push(Figure::new(format!("{codec}: decode a 720p picture, mean"), per_frame(decoding, decoded), "ms"));
        let kbps = bytes as f64 * 8.0 * 30.0 / pictures.len() as f64 / 1e3;
        figures.push(Figure::new(format!("{codec}: rate at 30 fps, asked for 1500"), kbps, "kbit/s"));
    }
    Ok(figures)
}
