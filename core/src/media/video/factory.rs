//! Which implementation of a codec is used: on phones the system's, elsewhere, or if that fails, the built-in one.

use super::codec::{CodecError, EncoderConfig, VideoCodec, VideoDecoder, VideoEncoder};
use super::system;

/// Which of the two implementations to try first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Choice {
    /// The better one on this system.
    #[default]
    Preferred,
    /// The other one, because the preferred one was created and does not work, as on some phones.
    Fallback,
}

impl Choice {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Preferred => Self::Fallback,
            Self::Fallback => Self::Preferred,
        }
    }
}

/// The choice per codec: a failure with one codec does not affect the other.
#[derive(Debug, Default)]
pub(super) struct Choices {
    vp8: Choice,
    h264: Choice,
}

impl Choices {
    pub(super) fn of(&self, codec: VideoCodec) -> Choice {
        match codec {
            VideoCodec::Vp8 => self.vp8,
            VideoCodec::H264 => self.h264,
        }
    }

    /// From now on the other implementation is tried first.
    pub(super) fn change(&mut self, codec: VideoCodec) {
        let choice = match codec {
            VideoCodec::Vp8 => &mut self.vp8,
            VideoCodec::H264 => &mut self.h264,
        };
        *choice = choice.other();
    }
}

/// An encoder for pictures of one size.
///
/// # Errors
/// [`CodecError::NotBuilt`] if this build has none, [`CodecError::Setup`] if the codec refuses the configuration.
pub fn make_encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
    encoder(codec, config, Choice::Preferred)
}

/// The same by this choice.
pub(super) fn encoder(
    codec: VideoCodec,
    config: EncoderConfig,
    choice: Choice,
) -> Result<Box<dyn VideoEncoder>, CodecError> {
    system::encoder_or(codec, config, choice, || built_in_encoder(codec, config))
}

fn built_in_encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
    match codec {
        #[cfg(feature = "vp8")]
        VideoCodec::Vp8 => Ok(Box::new(super::vp8::encoder(config)?)),
        #[cfg(feature = "h264")]
        VideoCodec::H264 => Ok(Box::new(super::h264::encoder(config)?)),
        #[cfg(not(all(feature = "vp8", feature = "h264")))]
        other => Err(unavailable(other, config)),
    }
}

/// A decoder, for pictures of any size.
///
/// # Errors
/// [`CodecError::NotBuilt`] if this build has none, [`CodecError::Setup`] if the codec cannot be set up.
pub fn make_decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
    decoder(codec, Choice::Preferred)
}

pub(super) fn decoder(codec: VideoCodec, choice: Choice) -> Result<Box<dyn VideoDecoder>, CodecError> {
    system::decoder_or(codec, choice, || built_in_decoder(codec))
}

fn built_in_decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
    match codec {
        #[cfg(feature = "vp8")]
        VideoCodec::Vp8 => Ok(Box::new(super::vp8::Vp8Decoder::new()?)),
        #[cfg(feature = "h264")]
        VideoCodec::H264 => Ok(Box::new(super::h264::H264Decoder::new()?)),
        #[cfg(not(all(feature = "vp8", feature = "h264")))]
        other => Err(CodecError::NotBuilt(other)),
    }
}

#[cfg(not(all(feature = "vp8", feature = "h264")))]
fn unavailable(codec: VideoCodec, _: EncoderConfig) -> CodecError {
    CodecError::NotBuilt(codec)
}
