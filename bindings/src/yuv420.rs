//! Android's flexible YUV into a picture of the core's: safe for whatever strides and buffers a device hands over.

use chamada::media::frame::{FrameBuffer, FrameError, FramePool, Plane};

/// U and V as Android's `Image.Plane`s are: rows `row_stride` bytes apart, samples `pixel_stride` bytes apart.
#[derive(Clone, Copy)]
pub(crate) struct Chroma<'a> {
    pub(crate) u: &'a [u8],
    pub(crate) v: &'a [u8],
    pub(crate) row_stride: usize,
    pub(crate) pixel_stride: usize,
}

/// Copies the picture into pooled memory, one pass.
pub(crate) fn copy_yuv420(
    pool: &FramePool,
    width: u32,
    height: u32,
    y: Plane<'_>,
    chroma: Chroma<'_>,
) -> Result<FrameBuffer, FrameError> {
    let mut buffer = pool.take(width, height)?;
    let (width, height) = (width as usize, height as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let (to_y, to_u, to_v) = buffer.planes_mut();
    copy_plane(0, y, 1, width, height, to_y)?;
    let Chroma { u, v, row_stride: stride, pixel_stride } = chroma;
    copy_plane(1, Plane { data: u, stride }, pixel_stride, half_width, half_height, to_u)?;
    copy_plane(2, Plane { data: v, stride }, pixel_stride, half_width, half_height, to_v)?;
    Ok(buffer)
}

fn copy_plane(
    index: usize,
    from: Plane<'_>,
    step: usize,
    width: usize,
    height: usize,
    to: &mut [u8],
) -> Result<(), FrameError> {
    let Plane { data, stride } = from;
    // The last sample of a row is not followed by the rest of its step.
    let row = (width - 1).saturating_mul(step).saturating_add(1);
    if step == 0 || stride < row {
        return Err(FrameError::Stride { plane: index, stride, row });
    }
    let need = stride.saturating_mul(height - 1).saturating_add(row);
    if data.len() < need {
        return Err(FrameError::TooShort { plane: index, have: data.len(), need });
    }
    let rows = data.chunks(stride).map(|chunk| &chunk[..row]).zip(to.chunks_exact_mut(width));
    match step {
        1 => rows.for_each(|(from, to)| to.copy_from_slice(from)),
        // The usual one, in a form that compilers turn into vector instructions.
        2 => rows.for_each(|(from, to)| {
            if let Some((last, body)) = to.split_last_mut() {
                from.chunks_exact(2).zip(body).for_each(|(pair, to)| *to = pair[0]);
                *last = from[row - 1];
            }
        }),
        _ => rows.for_each(|(from, to)| from.iter().step_by(step).zip(to).for_each(|(from, to)| *to = *from)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chamada::media::frame::Rotation;
    use std::time::Instant;

    /// Numbers that say where they come from.
    fn plane(width: usize, height: usize, stride: usize, step: usize, base: u8) -> Vec<u8> {
        let mut data = vec![255; stride * (height - 1) + (width - 1) * step + 1];
        for row in 0..height {
            for column in 0..width {
                data[row * stride + column * step] = base + (row * width + column) as u8;
            }
        }
        data
    }

    fn numbers(count: usize, base: u8) -> Vec<u8> {
        (0..count).map(|index| base + index as u8).collect()
    }

    #[test]
    fn every_pixel_stride_gives_the_same_picture() {
        for (width, height) in [(4, 4), (5, 3), (1, 1), (2, 6)] {
            let (w, h) = (width as usize, height as usize);
            let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
            for (step, padding) in [(1, 0), (1, 3), (2, 0), (2, 5), (3, 1)] {
                let row_stride = cw * step + padding;
                let (y, u) = (plane(w, h, w + padding, 1, 0), plane(cw, ch, row_stride, step, 100));
                let v = plane(cw, ch, row_stride, step, 150);
                let chroma = Chroma { u: &u, v: &v, row_stride, pixel_stride: step };
                let luma = Plane { data: &y, stride: w + padding };
                let buffer = copy_yuv420(&FramePool::default(), width, height, luma, chroma).unwrap();
                let frame = buffer.freeze(Rotation::None, Instant::now());
                assert_eq!(frame.y(), numbers(w * h, 0), "{width}×{height} step {step}");
                assert_eq!(frame.u(), numbers(cw * ch, 100), "{width}×{height} step {step}");
                assert_eq!(frame.v(), numbers(cw * ch, 150), "{width}×{height} step {step}");
            }
        }
    }

    #[test]
    fn strides_and_buffers_that_cannot_be_are_refused_whatever_their_size() {
        let y = [0; 16];
        let take = |row_stride, pixel_stride, u: &[u8]| {
            let chroma = Chroma { u, v: &[0; 64], row_stride, pixel_stride };
            copy_yuv420(&FramePool::default(), 4, 4, Plane { data: &y, stride: 4 }, chroma).map(drop)
        };
        assert!(take(4, 2, &[0; 7]).is_ok(), "4 + 3 bytes hold two rows of two");
        assert_eq!(take(4, 2, &[0; 6]), Err(FrameError::TooShort { plane: 1, have: 6, need: 7 }));
        assert_eq!(take(2, 2, &[0; 64]), Err(FrameError::Stride { plane: 1, stride: 2, row: 3 }));
        assert!(matches!(take(4, 0, &[0; 64]), Err(FrameError::Stride { .. })));
        assert!(matches!(take(usize::MAX, 1, &[0; 64]), Err(FrameError::TooShort { .. })));
        assert!(matches!(take(usize::MAX, usize::MAX, &[0; 64]), Err(FrameError::TooShort { .. })));
    }
}
