//! Any encoder that takes one quantiser for each picture, under our rate control.

use super::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec, VideoEncoder};
use super::rate_control::{Quantizers, RateControl};
use crate::media::frame::VideoFrame;

/// How often a keyframe is made before it goes out as it is.
const KEYFRAME_TRIES: usize = 4;
/// Bits per second and frames per second that make sense to an encoder, and the pace of a camera that gives none.
const BITRATE: (u32, u32) = (10_000, 100_000_000);
const FPS: (f64, f64) = (1.0, 240.0);
const USUAL_FPS: f64 = 30.0;

/// Compresses each picture by the quantiser that it is told.
pub(super) trait QuantizedEncoder: Send {
    /// Its codec.
    const CODEC: VideoCodec;
    /// What it may be told.
    const QUANTIZERS: Quantizers;
    /// The quantiser of the first keyframe of a size, before anything is known of what pictures need.
    const FIRST_QUANTIZER: i32;

    /// Compresses one picture, the first one of a size as a keyframe whatever is asked for; `None` if the codec made nothing of it.
    fn encode(
        &mut self,
        frame: &VideoFrame,
        keyframe: bool,
        quantizer: i32,
    ) -> Result<Option<EncodedFrame>, CodecError>;

    /// Another size from the next picture on. `false`: it cannot be, and nothing has changed.
    fn set_size(&mut self, config: EncoderConfig) -> Result<bool, CodecError>;

    /// As the stream has it, where the codec is told in other numbers.
    fn in_stream(quantizer: i32) -> i32 {
        quantizer
    }
}

/// An encoder whose quantisers follow the bitrate.
pub(super) struct RateControlled<E> {
    encoder: E,
    config: EncoderConfig,
    control: RateControl,
    /// Nothing has been compressed at this size.
    first: bool,
}

impl<E: QuantizedEncoder> RateControlled<E> {
    /// `open` makes the encoder for this configuration.
    pub(super) fn new(
        open: impl FnOnce(EncoderConfig) -> Result<E, CodecError>,
        config: EncoderConfig,
    ) -> Result<Self, CodecError> {
        let config = EncoderConfig {
            fps: possible_fps(config.fps),
            bitrate_bps: possible_bitrate(config.bitrate_bps),
            ..config
        };
        let control = RateControl::new(E::QUANTIZERS, config.bitrate_bps, config.fps);
        Ok(Self { encoder: open(config)?, config, control, first: true })
    }

    /// One that is larger than it may be is made again: a keyframe builds on nothing, so that the far end does not miss the ones before.
    fn keyframe(&mut self, frame: &VideoFrame) -> Result<Option<EncodedFrame>, CodecError> {
        let mut quantizer = self.control.for_keyframe(E::FIRST_QUANTIZER);
        for tries in 1.. {
            let encoded = self.encoder.encode(frame, true, quantizer)?;
            self.first = false;
            let Some(encoded) = encoded else { break };
            match self.control.keyframe_again(quantizer, encoded.data.len()) {
                Some(next) if tries < KEYFRAME_TRIES => quantizer = next,
                _ => return Ok(Some(self.done(encoded, quantizer))),
            }
        }
        Ok(None)
    }

    fn done(&mut self, encoded: EncodedFrame, quantizer: i32) -> EncodedFrame {
        self.control.encoded(encoded.keyframe, quantizer, encoded.data.len(), encoded.captured_at);
        encoded
    }
}

impl<E: QuantizedEncoder> VideoEncoder for RateControlled<E> {
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError> {
        let EncoderConfig { width, height, .. } = self.config;
        if (frame.width(), frame.height()) != (width, height) {
            let detail = format!("made for {width}×{height}, got {}×{}", frame.width(), frame.height());
            return Err(CodecError::Encode { codec: E::CODEC, detail });
        }
        let captured_at = frame.captured_at();
        let leave_out = self.control.begin(captured_at);
        if keyframe || self.first {
            return self.keyframe(frame);
        }
        if leave_out {
            return Ok(None);
        }
        let quantizer = self.control.for_difference();
        let Some(encoded) = self.encoder.encode(frame, false, quantizer)? else { return Ok(None) };
        let bytes = encoded.data.len();
        if !encoded.keyframe && self.control.is_scene_cut(bytes, captured_at) {
            self.control.scene_cut(quantizer, bytes);
            return self.keyframe(frame);
        }
        Ok(Some(self.done(encoded, quantizer)))
    }

    fn set_bitrate(&mut self, bps: u32) -> Result<(), CodecError> {
        self.config.bitrate_bps = possible_bitrate(bps);
        self.control.set_bitrate(self.config.bitrate_bps);
        Ok(())
    }

    fn set_fps(&mut self, fps: f64) -> Result<(), CodecError> {
        self.config.fps = possible_fps(fps);
        self.control.set_fps(self.config.fps);
        Ok(())
    }

    fn set_size(&mut self, width: u32, height: u32) -> Result<bool, CodecError> {
        let config = EncoderConfig { width, height, ..self.config };
        let can = self.encoder.set_size(config)?;
        if can {
            (self.config, self.first) = (config, true);
            self.control.forget_pictures();
        }
        Ok(can)
    }

    fn set_keyframe_budget(&mut self, bytes: u32) -> Result<(), CodecError> {
        self.control.set_keyframe_budget(bytes);
        Ok(())
    }

    fn quantizer(&mut self) -> Option<u32> {
        self.control.last_quantizer().map(E::in_stream).and_then(|quantizer| u32::try_from(quantizer).ok())
    }
}

fn possible_bitrate(bps: u32) -> u32 {
    bps.clamp(BITRATE.0, BITRATE.1)
}

fn possible_fps(fps: f64) -> f64 {
    if fps.is_finite() { fps.clamp(FPS.0, FPS.1) } else { USUAL_FPS }
}
