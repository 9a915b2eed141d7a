//! Where the pixels are in the buffers of a system's codec: rows and planes padded as the hardware likes, chroma apart or
//! interleaved. Nothing that a codec says about its buffers is believed without a check against their length.

use crate::media::frame::{FrameError, FramePool, PixelFormat, Plane, RawFrame, Rotation, VideoFrame};
use std::time::Instant;

/// Formats of Android's `MediaCodecInfo.CodecCapabilities`, as far as they are 8-bit 4:2:0.
mod color {
    pub(super) const PLANAR: i32 = 19;
    pub(super) const PACKED_PLANAR: i32 = 20;
    pub(super) const SEMI_PLANAR: i32 = 21;
    pub(super) const PACKED_SEMI_PLANAR: i32 = 39;
    /// Qualcomm's names for the second.
    pub(super) const QCOM: [i32; 2] = [0x7fa3_0c00, 0x7fa3_0c04];
}

/// Where each plane begins and how far its rows are apart, in bytes; two planes or three, as `format` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BufferLayout {
    pub(super) format: PixelFormat,
    pub(super) offsets: [usize; 3],
    pub(super) strides: [usize; 3],
}

impl BufferLayout {
    /// Three planes behind each other, luma of `stride` × `slice_height` bytes.
    pub(super) fn planar(stride: usize, slice_height: usize) -> Option<Self> {
        let luma = stride.checked_mul(slice_height)?;
        let half = stride.div_ceil(2);
        let red = luma.checked_add(half.checked_mul(slice_height.div_ceil(2))?)?;
        Some(Self { format: PixelFormat::I420, offsets: [0, luma, red], strides: [stride, half, half] })
    }

    /// Luma of `stride` × `slice_height` bytes, behind it U and V interleaved.
    pub(super) fn semi_planar(stride: usize, slice_height: usize) -> Option<Self> {
        let luma = stride.checked_mul(slice_height)?;
        Some(Self { format: PixelFormat::Nv12, offsets: [0, luma, 0], strides: [stride, stride, 0] })
    }

    /// By the number that Android gives the format; `None` for one whose layout it does not fix.
    pub(super) fn of_color_format(color_format: i32, stride: usize, slice_height: usize) -> Option<Self> {
        match color_format {
            color::PLANAR | color::PACKED_PLANAR => Self::planar(stride, slice_height),
            color::SEMI_PLANAR | color::PACKED_SEMI_PLANAR => Self::semi_planar(stride, slice_height),
            other if color::QCOM.contains(&other) => Self::semi_planar(stride, slice_height),
            _ => None,
        }
    }

    /// By the `image-data` that Android's codecs add to a flexible format: native-endian 32-bit words, six about the picture
    /// (kind, planes, width, height, bits, bits allocated), then for each plane offset, bytes from column to column and from
    /// row to row, and subsampling both ways. The structure (`MediaImage2`) has been the same since Android 6, but no
    /// documentation promises it: anything unexpected gives `None`.
    pub(super) fn of_image_data(data: &[u8]) -> Option<Self> {
        let words: Vec<u32> =
            data.chunks_exact(4).filter_map(|word| Some(u32::from_ne_bytes(*word.first_chunk()?))).collect();
        let (about, planes) = words.split_at_checked(6)?;
        let (&[1, 3, _, _, 8, 8], Some([luma, blue, red])) = (about, planes.as_chunks::<5>().0.first_chunk()) else {
            return None;
        };
        let [.., 1, 1] = luma else { return None };
        let ([.., 2, 2], [.., 2, 2]) = (blue, red) else { return None };
        let bytes = |word: u32| usize::try_from(i32::try_from(word).ok()?).ok();
        let (at, stride) = (|plane: &[u32; 5]| bytes(plane[0]), |plane: &[u32; 5]| bytes(plane[2]));
        let offsets = [at(luma)?, at(blue)?, at(red)?];
        let strides = [stride(luma)?, stride(blue)?, stride(red)?];
        let interleaved = |first: usize, second: usize| first.checked_add(1) == Some(second);
        match (luma[1], blue[1], red[1]) {
            (1, 1, 1) => Some(Self { format: PixelFormat::I420, offsets, strides }),
            (1, 2, 2) if strides[1] != strides[2] => None,
            (1, 2, 2) if interleaved(offsets[1], offsets[2]) => {
                Some(Self { format: PixelFormat::Nv12, offsets, strides })
            }
            (1, 2, 2) if interleaved(offsets[2], offsets[1]) => {
                Some(Self { format: PixelFormat::Nv21, offsets: [offsets[0], offsets[2], 0], strides })
            }
            _ => None,
        }
    }

    /// Copies a decoder's buffer into pooled memory.
    ///
    /// # Errors
    /// [`FrameError`] if the buffer is too short for this layout.
    pub(super) fn read(
        &self,
        data: &[u8],
        (width, height): (u32, u32),
        pool: &FramePool,
    ) -> Result<VideoFrame, FrameError> {
        let plane = |index: usize| Plane {
            data: data.get(self.offsets[index]..).unwrap_or_default(),
            stride: self.strides[index],
        };
        pool.copy_from(&RawFrame {
            format: self.format,
            planes: [plane(0), plane(1), plane(2)],
            width,
            height,
            rotation: Rotation::None,
            captured_at: Instant::now(),
        })
    }

    /// How many bytes a buffer of this layout needs for a picture of even size, the last row without padding.
    pub(super) fn bytes(&self, width: usize, height: usize) -> Option<usize> {
        let end = |index: usize, row: usize, rows: usize| {
            let rows = self.strides[index].checked_mul(rows.checked_sub(1)?)?;
            self.offsets[index].checked_add(rows)?.checked_add(row)
        };
        let luma = end(0, width, height)?;
        if self.format == PixelFormat::I420 {
            return Some(luma.max(end(1, width / 2, height / 2)?).max(end(2, width / 2, height / 2)?));
        }
        Some(luma.max(end(1, width, height / 2)?))
    }

    /// Copies the upper left part of a picture, of even `width` and `height`, into an encoder's buffer, and gives how many bytes
    /// of it are in use.
    ///
    /// # Errors
    /// [`FrameError`] if the part is larger than the picture, or the buffer too short for this layout.
    pub(super) fn write(
        &self,
        frame: &VideoFrame,
        (width, height): (u32, u32),
        buffer: &mut [u8],
    ) -> Result<usize, FrameError> {
        check_part(frame, width, height)?;
        let (width, height) = (width as usize, height as usize);
        let planar = self.format == PixelFormat::I420;
        let need = self.bytes(width, height).unwrap_or(usize::MAX);
        if buffer.len() < need {
            return Err(FrameError::TooShort { plane: 0, have: buffer.len(), need });
        }
        let mut plane = |index: usize, work: &dyn Fn(PlaneMut<'_>) -> Result<(), FrameError>| {
            let data = buffer.get_mut(self.offsets[index]..).unwrap_or_default();
            work(PlaneMut { data, stride: self.strides[index] })
        };
        plane(0, &|to| copy_rows(0, to, frame.y(), frame.stride_y(), width, height))?;
        if planar {
            plane(1, &|to| copy_rows(1, to, frame.u(), frame.stride_uv(), width / 2, height / 2))?;
            plane(2, &|to| copy_rows(2, to, frame.v(), frame.stride_uv(), width / 2, height / 2))?;
        } else if self.format == PixelFormat::Nv21 {
            plane(1, &|to| interleave_rows(to, [frame.v(), frame.u()], frame.stride_uv(), width, height / 2))?;
        } else {
            plane(1, &|to| interleave_rows(to, [frame.u(), frame.v()], frame.stride_uv(), width, height / 2))?;
        }
        Ok(need)
    }
}

/// A plane of a codec's buffer, to be written.
#[derive(Debug)]
pub(super) struct PlaneMut<'a> {
    /// The last row may be shorter than `stride`.
    pub(super) data: &'a mut [u8],
    /// From one row to the next, in bytes.
    pub(super) stride: usize,
}

impl PlaneMut<'_> {
    /// Its rows, each of at least `row` bytes.
    fn rows(&mut self, plane: usize, row: usize, rows: usize) -> Result<impl Iterator<Item = &mut [u8]>, FrameError> {
        if self.stride < row.max(1) {
            return Err(FrameError::Stride { plane, stride: self.stride, row });
        }
        let need = self.stride.checked_mul(rows.saturating_sub(1)).and_then(|whole| whole.checked_add(row));
        let (need, have) = (need.unwrap_or(usize::MAX), self.data.len());
        if have < need {
            return Err(FrameError::TooShort { plane, have, need });
        }
        Ok(self.data.chunks_mut(self.stride).take(rows))
    }
}

fn copy_rows(
    plane: usize,
    mut to: PlaneMut<'_>,
    from: &[u8],
    from_stride: usize,
    row: usize,
    rows: usize,
) -> Result<(), FrameError> {
    for (to, from) in to.rows(plane, row, rows)?.zip(from.chunks_exact(from_stride)) {
        to[..row].copy_from_slice(&from[..row]);
    }
    Ok(())
}

/// `row` counts bytes of the outcome.
fn interleave_rows(
    mut to: PlaneMut<'_>,
    [first, second]: [&[u8]; 2],
    from_stride: usize,
    row: usize,
    rows: usize,
) -> Result<(), FrameError> {
    let from = first.chunks_exact(from_stride).zip(second.chunks_exact(from_stride));
    for (to, (first, second)) in to.rows(1, row, rows)?.zip(from) {
        for (pair, (first, second)) in to[..row].chunks_exact_mut(2).zip(first.iter().zip(second)) {
            pair.copy_from_slice(&[*first, *second]);
        }
    }
    Ok(())
}

/// Copies the upper left part of a picture, of even size, into two planes that lie apart.
///
/// # Errors
/// [`FrameError`] if the part is larger than the picture, or a plane too short.
pub(super) fn write_nv12(
    frame: &VideoFrame,
    (width, height): (u32, u32),
    luma: PlaneMut<'_>,
    chroma: PlaneMut<'_>,
) -> Result<(), FrameError> {
    check_part(frame, width, height)?;
    let (width, height) = (width as usize, height as usize);
    copy_rows(0, luma, frame.y(), frame.stride_y(), width, height)?;
    interleave_rows(chroma, [frame.u(), frame.v()], frame.stride_uv(), width, height / 2)
}

fn check_part(frame: &VideoFrame, width: u32, height: u32) -> Result<(), FrameError> {
    let odd = width % 2 + height % 2 > 0;
    if odd || width == 0 || height == 0 || width > frame.width() || height > frame.height() {
        return Err(FrameError::Size { width, height });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(width: u32, height: u32) -> VideoFrame {
        let mut buffer = FramePool::default().take(width, height).unwrap();
        let (y, u, v) = buffer.planes_mut();
        for (plane, step) in [(y, 7_u8), (u, 11), (v, 13)] {
            plane.iter_mut().enumerate().for_each(|(at, byte)| *byte = step.wrapping_mul(at as u8));
        }
        buffer.freeze(Rotation::None, Instant::now())
    }

    fn image_data(kind: u32, planes: [[u32; 5]; 3]) -> Vec<u8> {
        let about = [kind, 3, 64, 48, 8, 8];
        about.iter().chain(planes.as_flattened()).flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn the_layouts_of_android_put_chroma_behind_a_padded_luma_plane() {
        let semi = BufferLayout::of_color_format(21, 1280, 736).unwrap();
        assert_eq!((semi.format, semi.offsets[1], semi.strides[1]), (PixelFormat::Nv12, 1280 * 736, 1280));
        let planar = BufferLayout::of_color_format(19, 1280, 720).unwrap();
        assert_eq!((planar.offsets, planar.strides), ([0, 921_600, 1_152_000], [1280, 640, 640]));
        assert_eq!(BufferLayout::of_color_format(0x7f42_0888, 1280, 720), None, "flexible says nothing");
    }

    #[test]
    fn a_flexible_layout_is_read_from_the_codecs_description_of_its_planes() {
        let nv12 = image_data(1, [[0, 1, 64, 1, 1], [3072, 2, 64, 2, 2], [3073, 2, 64, 2, 2]]);
        assert_eq!(BufferLayout::of_image_data(&nv12).unwrap().format, PixelFormat::Nv12);
        let nv21 = image_data(1, [[0, 1, 64, 1, 1], [3073, 2, 64, 2, 2], [3072, 2, 64, 2, 2]]);
        let nv21 = BufferLayout::of_image_data(&nv21).unwrap();
        assert_eq!((nv21.format, nv21.offsets[1]), (PixelFormat::Nv21, 3072));
        let planar = image_data(1, [[0, 1, 64, 1, 1], [3072, 1, 32, 2, 2], [3840, 1, 32, 2, 2]]);
        assert_eq!(BufferLayout::of_image_data(&planar), BufferLayout::planar(64, 48));
    }

    #[test]
    fn a_description_of_anything_else_is_not_believed() {
        let full_chroma = image_data(1, [[0, 1, 64, 1, 1], [3072, 1, 64, 1, 1], [6144, 1, 64, 1, 1]]);
        let no_yuv = image_data(2, [[0, 1, 64, 1, 1], [3072, 2, 64, 2, 2], [3073, 2, 64, 2, 2]]);
        let upside_down = image_data(1, [[0, 1, -64_i32 as u32, 1, 1], [3072, 2, 64, 2, 2], [3073, 2, 64, 2, 2]]);
        for data in [&full_chroma[..], &no_yuv, &upside_down, &full_chroma[..40], &[]] {
            assert_eq!(BufferLayout::of_image_data(data), None);
        }
    }

    #[test]
    fn a_picture_written_in_each_layout_is_read_back_the_same() {
        let frame = picture(62, 46);
        let mut swapped = BufferLayout::semi_planar(80, 48).unwrap();
        swapped.format = PixelFormat::Nv21;
        for layout in [BufferLayout::planar(80, 48).unwrap(), BufferLayout::semi_planar(64, 46).unwrap(), swapped] {
            let mut buffer = vec![0xaa; layout.bytes(62, 46).unwrap()];
            assert_eq!(layout.write(&frame, (62, 46), &mut buffer).unwrap(), buffer.len());
            let back = layout.read(&buffer, (62, 46), &FramePool::default()).unwrap();
            assert_eq!((back.y(), back.u(), back.v()), (frame.y(), frame.u(), frame.v()), "{layout:?}");
        }
    }

    #[test]
    fn an_odd_picture_is_cropped_to_its_even_part() {
        let frame = picture(5, 5);
        let mut buffer = [0; 24];
        BufferLayout::semi_planar(4, 4).unwrap().write(&frame, (4, 4), &mut buffer).unwrap();
        assert_eq!(&buffer[4..8], &frame.y()[5..9]);
        assert_eq!(&buffer[20..24], &[frame.u()[3], frame.v()[3], frame.u()[4], frame.v()[4]]);
        let odd = BufferLayout::semi_planar(8, 8).unwrap().write(&frame, (5, 4), &mut [0; 96]);
        assert_eq!(odd, Err(FrameError::Size { width: 5, height: 4 }));
    }

    #[test]
    fn planes_that_lie_apart_are_written_each_with_its_own_padding() {
        let frame = picture(4, 4);
        let (mut luma, mut chroma) = ([0xaa; 4 * 6 - 2], [0xaa; 12]);
        fn plane(data: &mut [u8], stride: usize) -> PlaneMut<'_> {
            PlaneMut { data, stride }
        }
        write_nv12(&frame, (4, 4), plane(&mut luma[..], 6), plane(&mut chroma[..], 8)).unwrap();
        assert_eq!((&luma[..4], luma[4], &luma[18..]), (&frame.y()[..4], 0xaa, &frame.y()[12..]));
        assert_eq!(chroma[8..], [frame.u()[2], frame.v()[2], frame.u()[3], frame.v()[3]]);
        let short = write_nv12(&frame, (4, 4), plane(&mut luma[..21], 6), plane(&mut chroma[..], 8));
        assert_eq!(short, Err(FrameError::TooShort { plane: 0, have: 21, need: 22 }));
        let narrow = write_nv12(&frame, (4, 4), plane(&mut luma[..], 6), plane(&mut chroma[..], 3));
        assert_eq!(narrow, Err(FrameError::Stride { plane: 1, stride: 3, row: 4 }));
    }

    #[test]
    fn a_buffer_that_is_a_byte_too_short_is_neither_read_nor_written() {
        let layout = BufferLayout::semi_planar(64, 48).unwrap();
        let mut buffer = vec![0; layout.bytes(64, 48).unwrap() - 1];
        assert!(matches!(layout.write(&picture(64, 48), (64, 48), &mut buffer), Err(FrameError::TooShort { .. })));
        assert!(matches!(layout.read(&buffer, (64, 48), &FramePool::default()), Err(FrameError::TooShort { .. })));
        let narrow = BufferLayout::planar(62, 48).unwrap();
        assert!(matches!(narrow.write(&picture(64, 48), (64, 48), &mut [0; 9000]), Err(FrameError::Stride { .. })));
    }

    proptest! {
        #[test]
        fn whatever_a_codec_says_of_its_buffers_nothing_panics(
            data in proptest::collection::vec(any::<u8>(), 0..4000),
            offsets in any::<[u16; 3]>(), strides in any::<[u8; 3]>(), huge in any::<usize>(),
            width in 0_u32..80, height in 0_u32..80, kind in 0..3_usize,
        ) {
            let format = [PixelFormat::I420, PixelFormat::Nv12, PixelFormat::Nv21][kind];
            let layout = BufferLayout { format, offsets: offsets.map(usize::from), strides: strides.map(usize::from) };
            let mut data = data;
            let _ = layout.read(&data, (width, height), &FramePool::default());
            let _ = layout.write(&picture(64, 64), (width, height), &mut data);
            let extreme = BufferLayout { offsets: [0, huge, huge], strides: [64, huge, huge], ..layout };
            let _ = extreme.read(&data, (width, height), &FramePool::default());
            let _ = extreme.write(&picture(64, 64), (width, height), &mut data);
            let _ = (BufferLayout::planar(huge, huge), BufferLayout::semi_planar(huge, 3), BufferLayout::of_image_data(&data));
        }
    }
}
