//! What a VP8 frame says before it is decoded (RFC 6386 section 9.1).

use super::sps::PictureSize;

/// The frame is too short to be one, or not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no VP8 frame")]
pub(super) struct NoFrame;

/// The size if it is a keyframe, without the scaling that nobody uses.
pub(super) fn keyframe_size(data: &[u8]) -> Result<Option<PictureSize>, NoFrame> {
    let first = *data.first().ok_or(NoFrame)?;
    if first & 1 != 0 {
        return Ok(None);
    }
    let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = data.first_chunk().ok_or(NoFrame)? else { return Err(NoFrame) };
    let size = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Ok(Some(PictureSize { width: size(w0, w1), height: size(h0, h1) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyframe_says_its_size_and_another_frame_says_none() {
        let keyframe = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x42, 9, 9];
        assert_eq!(keyframe_size(&keyframe), Ok(Some(PictureSize { width: 1280, height: 720 })));
        assert_eq!(keyframe_size(&[0x11, 1, 2]), Ok(None));
    }

    #[test]
    fn a_frame_cut_short_or_without_the_start_code_is_none() {
        assert_eq!(keyframe_size(&[]), Err(NoFrame));
        assert_eq!(keyframe_size(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0, 5, 0xd0]), Err(NoFrame));
        assert_eq!(keyframe_size(&[0x10, 0, 0, 1, 2, 3, 0, 5, 0xd0, 2, 9]), Err(NoFrame));
    }
}
