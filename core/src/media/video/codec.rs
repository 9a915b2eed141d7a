//! One trait for every video encoder and one for every decoder.

use super::system;
use crate::media::frame::{FramePool, VideoFrame};
use bytes::Bytes;
use std::{fmt, str::FromStr, time::Instant};

/// RTP clock rate of all video (RFC 6184, RFC 7741), in Hz.
pub const VIDEO_CLOCK_RATE: u32 = 90_000;

/// Largest picture that is decoded, in pixels: H.264 level 5.2. Bounds what a peer can make this side allocate.
#[cfg(any(
    test,
    feature = "vp8",
    feature = "h264",
    all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))
))]
pub(super) const MAX_DECODED_PIXELS: u32 = 36_864 * 256;

/// A video codec that this build may offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// RFC 6386, on RTP by RFC 7741.
    Vp8,
    /// Constrained baseline, packetization mode 1, on RTP by RFC 6184.
    H264,
}

impl VideoCodec {
    /// Those that this build has an encoder and a decoder for, its own or the system's, VP8 first.
    pub fn available() -> Vec<Self> {
        [Self::Vp8, Self::H264].into_iter().filter(|codec| codec.is_built_in() || system::has(*codec)).collect()
    }

    fn is_built_in(self) -> bool {
        match self {
            Self::Vp8 => cfg!(feature = "vp8"),
            Self::H264 => cfg!(feature = "h264"),
        }
    }

    /// The MIME type, as SDP and W3C's `RTCRtpCodec` write it.
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Vp8 => "video/VP8",
            Self::H264 => "video/H264",
        }
    }
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vp8 => "vp8",
            Self::H264 => "h264",
        })
    }
}

impl FromStr for VideoCodec {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "vp8" => Ok(Self::Vp8),
            "h264" => Ok(Self::H264),
            _ => Err(CodecError::Unknown(text.to_owned())),
        }
    }
}

/// What an encoder is made for. Width and height may be anything a frame may be; an encoder that needs even sizes crops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames per second to expect.
    pub fps: f64,
    /// Target, in bits per second.
    pub bitrate_bps: u32,
}

/// One compressed picture.
#[derive(Debug, Clone)]
pub struct EncodedFrame {
    /// Its codec.
    pub codec: VideoCodec,
    /// A VP8 frame, or an H.264 access unit in Annex B form with its parameter sets before each IDR.
    pub data: Bytes,
    /// Whether it can be decoded by itself.
    pub keyframe: bool,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// When the camera took it.
    pub captured_at: Instant,
}

/// Compresses pictures. Blocking: lives on a thread of its own, never on the async runtime.
pub trait VideoEncoder: Send {
    /// Compresses one picture; `None` where the rate control skipped it. The size must be that of the configuration.
    ///
    /// # Errors
    /// [`CodecError`]; the encoder should then be made anew.
    fn encode(&mut self, frame: &VideoFrame, keyframe: bool) -> Result<Option<EncodedFrame>, CodecError>;

    /// Follows a new target, from the next picture on.
    ///
    /// # Errors
    /// [`CodecError`] if the codec refuses it; the old target stays.
    fn set_bitrate(&mut self, bps: u32) -> Result<(), CodecError>;

    /// Follows the pace of the camera, from the next picture on.
    ///
    /// # Errors
    /// [`CodecError`] if the codec refuses it; the old pace stays.
    fn set_fps(&mut self, fps: f64) -> Result<(), CodecError>;

    /// Encodes pictures of another size, in pixels, from the next one on, which becomes a keyframe: `true`. `false`: it cannot,
    /// nothing has changed, and another encoder is needed.
    ///
    /// # Errors
    /// [`CodecError`] if the codec failed; the encoder should then be made anew.
    fn set_size(&mut self, width: u32, height: u32) -> Result<bool, CodecError> {
        let _ = (width, height);
        Ok(false)
    }

    /// How many bytes keyframes may have from the next one on. A codec obeys as far as it can.
    ///
    /// # Errors
    /// [`CodecError`] if the codec refuses it; the old budget stays.
    fn set_keyframe_budget(&mut self, bytes: u32) -> Result<(), CodecError> {
        let _ = bytes;
        Ok(())
    }

    /// The quantiser of the picture compressed last, if the codec tells: 0 to 127 of VP8 (RFC 6386 section 9.6), 0 to 51 of
    /// H.264 (section 7.4.3).
    fn quantizer(&mut self) -> Option<u32> {
        None
    }
}

/// Decompresses pictures. Blocking: lives on a thread of its own, never on the async runtime.
pub trait VideoDecoder: Send {
    /// Decompresses one frame into memory of the pool; `None` where it gave no picture.
    ///
    /// # Errors
    /// [`CodecError`] if the bytes are damaged; the decoder then needs a keyframe and goes on from there.
    fn decode(&mut self, data: &[u8], pool: &FramePool) -> Result<Option<VideoFrame>, CodecError>;
}

/// What can go wrong with a codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// No codec of this name is known.
    #[error("'{0}' is no video codec: use vp8 or h264")]
    Unknown(String),
    /// This build was made without it.
    #[error("this build has no {0}")]
    NotBuilt(VideoCodec),
    /// It could not be set up.
    #[error("{codec} cannot be set up: {detail}")]
    Setup {
        /// Which one.
        codec: VideoCodec,
        /// The codec's own words.
        detail: String,
    },
    /// It could not compress the picture.
    #[error("{codec} cannot encode: {detail}")]
    Encode {
        /// Which one.
        codec: VideoCodec,
        /// The codec's own words.
        detail: String,
    },
    /// The bytes were no valid frame.
    #[error("{codec} cannot decode: {detail}")]
    Decode {
        /// Which one.
        codec: VideoCodec,
        /// The codec's own words.
        detail: String,
    },
}
