//! The codecs that the system itself has, and whether they come before those that are built in.
//!
//! On phones they do: they are made of silicon, and spare the battery. On a desk the built-in ones come first, since they are the
//! ones that are tested there.

use crate::media::video::codec::{CodecError, EncoderConfig, VideoCodec, VideoDecoder, VideoEncoder};
use crate::media::video::factory::Choice;

// What the system's codecs need and every machine can test.
#[cfg(any(test, all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))))]
#[cfg_attr(not(test), allow(dead_code, reason = "each system needs a part of it"))]
mod annexb;
#[cfg(any(test, all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))))]
#[cfg_attr(not(test), allow(dead_code, reason = "each system needs a part of it"))]
mod layout;
#[cfg(any(test, all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))))]
mod pending;
#[cfg(any(test, all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))))]
mod sps;
#[cfg(any(test, all(feature = "system-codecs", target_os = "android")))]
mod vp8_header;

#[cfg(all(feature = "system-codecs", target_os = "android"))]
mod mediacodec;
#[cfg(all(feature = "system-codecs", target_vendor = "apple"))]
#[allow(unsafe_code, reason = "VideoToolbox is C")]
mod videotoolbox;

#[cfg(all(feature = "system-codecs", target_os = "android"))]
use mediacodec as codecs;
#[cfg(all(feature = "system-codecs", target_vendor = "apple"))]
use videotoolbox as codecs;

/// Systems whose own codecs come first.
const FIRST: bool = cfg!(any(target_os = "android", target_os = "ios"));

/// Systems that bring no codec of their own.
#[cfg(not(all(feature = "system-codecs", any(target_os = "android", target_vendor = "apple"))))]
mod codecs {
    use super::*;

    pub(super) fn encoder(codec: VideoCodec, _: EncoderConfig) -> Result<Box<dyn VideoEncoder>, CodecError> {
        Err(CodecError::NotBuilt(codec))
    }

    pub(super) fn decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, CodecError> {
        Err(CodecError::NotBuilt(codec))
    }
}

/// Whether this build uses the system's encoder and decoder for this codec.
pub(super) const fn has(codec: VideoCodec) -> bool {
    let android = cfg!(all(feature = "system-codecs", target_os = "android"));
    let apple = cfg!(all(feature = "system-codecs", target_vendor = "apple"));
    match codec {
        VideoCodec::Vp8 => android,
        VideoCodec::H264 => android || apple,
    }
}

/// The system's encoder or the built-in one: the preferred one of this system or its fallback, whichever can be set up.
///
/// # Errors
/// That of the first choice, unless the second has one that says more.
pub(super) fn encoder_or(
    codec: VideoCodec,
    config: EncoderConfig,
    choice: Choice,
    built_in: impl FnOnce() -> Result<Box<dyn VideoEncoder>, CodecError>,
) -> Result<Box<dyn VideoEncoder>, CodecError> {
    either(FIRST == (choice == Choice::Preferred), || codecs::encoder(codec, config), built_in)
}

/// The system's decoder or the built-in one: the preferred one of this system or its fallback, whichever can be set up.
///
/// # Errors
/// That of the first choice, unless the second has one that says more.
pub(super) fn decoder_or(
    codec: VideoCodec,
    choice: Choice,
    built_in: impl FnOnce() -> Result<Box<dyn VideoDecoder>, CodecError>,
) -> Result<Box<dyn VideoDecoder>, CodecError> {
    either(FIRST == (choice == Choice::Preferred), || codecs::decoder(codec), built_in)
}

fn either<T>(
    system_first: bool,
    system: impl FnOnce() -> Result<T, CodecError>,
    built_in: impl FnOnce() -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    if system_first { one_or_other(system, built_in) } else { one_or_other(built_in, system) }
}

fn one_or_other<T>(
    first: impl FnOnce() -> Result<T, CodecError>,
    second: impl FnOnce() -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    let error = match first() {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    match second() {
        Ok(made) => {
            if !matches!(error, CodecError::NotBuilt(_)) {
                log::warn!("a codec could not be made; another one takes its place");
                log::debug!("which is: {error}");
            }
            Ok(made)
        }
        // That there is no other is no news.
        Err(CodecError::NotBuilt(_)) => Err(error),
        Err(other) if matches!(error, CodecError::NotBuilt(_)) => Err(other),
        Err(_) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_BUILT: CodecError = CodecError::NotBuilt(VideoCodec::H264);

    fn refused(detail: &str) -> CodecError {
        CodecError::Setup { codec: VideoCodec::H264, detail: detail.into() }
    }

    #[test]
    fn a_phone_takes_its_own_codec_and_a_desk_the_built_in_one() {
        assert_eq!(either(true, || Ok("system"), || panic!("not asked")), Ok("system"));
        assert_eq!(either(false, || panic!("not asked"), || Ok("built in")), Ok("built in"));
    }

    #[test]
    fn a_codec_that_the_system_refuses_is_replaced_by_the_built_in_one() {
        assert_eq!(either(true, || Err(refused("none to spare")), || Ok("built in")), Ok("built in"));
        assert_eq!(either(false, || Ok("system"), || Err(NOT_BUILT)), Ok("system"));
    }

    #[test]
    fn where_both_fail_the_error_is_the_one_that_says_more() {
        let both =
            |first: CodecError, second: CodecError| one_or_other::<()>(|| Err(first), || Err(second)).unwrap_err();
        assert_eq!(both(refused("none to spare"), NOT_BUILT), refused("none to spare"));
        assert_eq!(both(NOT_BUILT, refused("too large")), refused("too large"));
        assert_eq!(both(refused("one"), refused("two")), refused("one"));
        assert_eq!(both(NOT_BUILT, NOT_BUILT), NOT_BUILT);
    }

    #[test]
    fn linux_has_no_codec_of_its_own() {
        if cfg!(target_os = "linux") {
            assert!(!has(VideoCodec::Vp8) && !has(VideoCodec::H264));
            assert_eq!(decoder_or(VideoCodec::H264, Choice::Fallback, || Err(NOT_BUILT)).err(), Some(NOT_BUILT));
        }
    }
}
