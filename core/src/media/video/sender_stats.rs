//! What a sender of video tells of itself.

use super::adaptation::QualityLimitation;
use super::codec::VideoCodec;

/// What a [`VideoSender`](super::VideoSender) did so far. Names in brackets are those of W3C's webrtc-stats.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VideoSenderStats {
    /// Codec of the picture sent last.
    pub codec: Option<VideoCodec>,
    /// Pictures that the camera gave.
    pub captured: u64,
    /// Pictures compressed (`framesEncoded`).
    pub encoded: u64,
    /// Pictures handed to the output and taken by it (`framesSent`).
    pub sent: u64,
    /// Pictures not compressed because too much waited in the pacer, or because a keyframe before took more than twice its
    /// budget.
    pub skipped: u64,
    /// Pictures that the encoder's rate control left out.
    pub left_out: u64,
    /// Pictures that a newer one replaced before they were compressed, that the output did not take, or that would have
    /// built on such a one.
    pub dropped: u64,
    /// Keyframes compressed (`keyFramesEncoded`).
    pub keyframes: u64,
    /// Bytes of the pictures sent (`bytesSent`).
    pub bytes: u64,
    /// Of the picture sent last, in pixels (`frameWidth`).
    pub width: u32,
    /// Of the picture sent last, in pixels (`frameHeight`).
    pub height: u32,
    /// Pictures sent per second, over the last second (`framesPerSecond`).
    pub fps: f64,
    /// Pictures per second that are to be sent, as far as the camera gives them.
    pub target_fps: f64,
    /// What keeps pictures smaller or fewer than the camera gives them (`qualityLimitationReason`).
    pub limited_by: QualityLimitation,
    /// Changes of the size (`qualityLimitationResolutionChanges`).
    pub size_changes: u64,
    /// The path carries sound alone: nothing is compressed.
    pub suspended: bool,
    /// Mean quantiser of the pictures by the present codec, if it tells (`qpSum` per picture): 0 to 127 for VP8, 0 to 51 for
    /// H.264.
    pub qp_mean: Option<f64>,
    /// To turn, scale and compress a picture, on average (`totalEncodeTime` per picture).
    pub encode_ms: f64,
    /// Target that the encoder follows, in bits per second (`targetBitrate`).
    pub bitrate_bps: u32,
    /// Pictures that could not be compressed.
    pub errors: u64,
}
