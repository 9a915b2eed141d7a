//! Which codec is made by whom: on phones by the system, else, and on a desk, by what is built in.

use super::codec::{CodecError, EncoderConfig, VideoCodec, VideoDecoder, VideoEncoder};
use super::system;

/// An encoder for pictures of one size.
///
/// # Errors
/// [`CodecError::NotBuilt`] if this build has none, [`CodecError::Setup`] if the codec refuses the configuration.
pub fn make_encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
    system::encoder_or(codec, config, || built_in_encoder(codec, config))
}

fn built_in_encoder(codec: VideoCodec, config: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
    match codec {
        #[cfg(feature = "vp8")]
        VideoCodec::Vp8 => Ok(Box::new(super::vp8::Vp8Encoder::new(config)?)),
        #[cfg(feature = "h264")]
        VideoCodec::H264 => Ok(Box::new(super::h264::H264Encoder::new(config)?)),
        #[cfg(not(all(feature = "vp8", feature = "h264")))]
        other => Err(unavailable(other, config)),
    }
}

/// A decoder, for pictures of any size.
///
/// # Errors
/// [`CodecError::NotBuilt`] if this build has none, [`CodecError::Setup`] if the codec cannot be set up.
pub fn make_decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
    system::decoder_or(codec, || built_in_decoder(codec))
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
