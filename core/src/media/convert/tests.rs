use super::*;
use crate::media::frame::{MAX_DIMENSION, Rotation};
use proptest::prelude::*;
use std::time::Instant;

const NONE: Plane<'static> = Plane { data: &[], stride: 0 };

fn raw<'a>(format: PixelFormat, width: u32, height: u32, planes: [Plane<'a>; 3]) -> RawFrame<'a> {
    RawFrame { format, planes, width, height, rotation: Rotation::None, captured_at: Instant::now() }
}

/// A picture whose samples count up from 0 (luma), 100 and 200 (chroma), wrapping.
fn picture(pool: &FramePool, width: u32, height: u32, rotation: Rotation) -> VideoFrame {
    let mut buffer = pool.take(width, height).unwrap();
    let (y, u, v) = buffer.planes_mut();
    for (plane, start) in [(y, 0), (u, 100), (v, 200)] {
        plane.iter_mut().enumerate().for_each(|(index, sample)| *sample = (start + index) as u8);
    }
    buffer.freeze(rotation, Instant::now())
}

#[test]
fn i420_with_padding_between_rows_and_a_short_last_row_is_copied_without_the_padding() {
    let y = [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9];
    let u = [10, 11, 0, 0, 0, 12, 13];
    let v = [20, 21, 22, 23];
    let planes = [Plane { data: &y, stride: 4 }, Plane { data: &u, stride: 5 }, Plane { data: &v, stride: 2 }];
    let frame = FramePool::default().copy_from(&raw(PixelFormat::I420, 3, 3, planes)).unwrap();
    assert_eq!(frame.y(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(frame.u(), [10, 11, 12, 13]);
    assert_eq!(frame.v(), [20, 21, 22, 23]);
}

#[test]
fn nv12_and_nv21_differ_in_which_colour_comes_first() {
    let (y, uv) = ([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 99, 99]);
    let planes = [Plane { data: &y, stride: 4 }, Plane { data: &uv, stride: 6 }, NONE];
    let pool = FramePool::default();
    let nv12 = pool.copy_from(&raw(PixelFormat::Nv12, 4, 2, planes)).unwrap();
    assert_eq!((nv12.y(), nv12.u(), nv12.v()), (&y[..], &[1, 3][..], &[2, 4][..]));
    let nv21 = pool.copy_from(&raw(PixelFormat::Nv21, 4, 2, planes)).unwrap();
    assert_eq!((nv21.u(), nv21.v()), (&[2, 4][..], &[1, 3][..]));
}

#[test]
fn pure_colours_in_bgra_become_their_bt601_limited_values_and_come_back() {
    // Y = 16 + 65.481 R + 128.553 G + 24.966 B, and so on (ITU-R BT.601, 8 bits).
    let colours: [([u8; 4], [u8; 3]); 5] = [
        ([0, 0, 0, 255], [16, 128, 128]),
        ([255, 255, 255, 255], [235, 128, 128]),
        ([0, 0, 255, 255], [81, 90, 240]),
        ([0, 255, 0, 255], [145, 54, 34]),
        ([255, 0, 0, 255], [41, 240, 110]),
    ];
    let pool = FramePool::default();
    for (bgra, [y, u, v]) in colours {
        for (width, height) in [(1u32, 1u32), (2, 2), (5, 3), (64, 4), (33, 7)] {
            // One pixel of padding in each row but the last.
            let stride = 4 * (width as usize + 1);
            let mut data = bgra.repeat((width as usize + 1) * height as usize);
            data.truncate(stride * height as usize - 4);
            let planes = [Plane { data: &data, stride }, NONE, NONE];
            let frame = pool.copy_from(&raw(PixelFormat::Bgra, width, height, planes)).unwrap();
            let near = |plane: &[u8], want: u8| plane.iter().all(|have| have.abs_diff(want) <= 1);
            assert!(near(frame.y(), y), "{bgra:?} {width}×{height}: Y {:?}", frame.y());
            assert!(near(frame.u(), u), "{bgra:?} {width}×{height}: U {:?}", frame.u());
            assert!(near(frame.v(), v), "{bgra:?} {width}×{height}: V {:?}", frame.v());
            for pixel in frame.to_bgra8().unwrap().chunks_exact(4) {
                assert!(pixel.iter().zip(bgra).all(|(have, want)| have.abs_diff(want) <= 3), "{pixel:?} {bgra:?}");
            }
            for pixel in frame.to_rgb8().unwrap().chunks_exact(3) {
                let bgr = pixel.iter().rev();
                assert!(bgr.zip(bgra).all(|(have, want)| have.abs_diff(want) <= 3), "{pixel:?} {bgra:?}");
            }
        }
    }
}

#[test]
fn the_short_last_row_of_a_bgra_picture_is_converted_too() {
    let pool = FramePool::default();
    for height in 1..6u32 {
        let mut data = vec![0u8; 8 * 4 * height as usize];
        let last = data.len() - 32;
        data[last..].fill(255);
        data.truncate(last + 24);
        let frame = pool
            .copy_from(&raw(PixelFormat::Bgra, 6, height, [Plane { data: &data, stride: 32 }, NONE, NONE]))
            .unwrap();
        assert!(frame.y()[6 * (height as usize - 1)..].iter().all(|y| *y == 235), "{height} rows: {:?}", frame.y());
        assert!(frame.y()[..6 * (height as usize - 1)].iter().all(|y| *y == 16), "{height} rows: {:?}", frame.y());
    }
}

#[test]
fn a_frame_written_as_nv12_and_read_back_is_the_same() {
    let pool = FramePool::default();
    let frame = picture(&pool, 5, 3, Rotation::None);
    let (mut y, mut uv) = ([0; 8 * 2 + 5], [0; 7 + 6]);
    frame.write_nv12(&mut y, 8, &mut uv, 7).unwrap();
    let planes = [Plane { data: &y, stride: 8 }, Plane { data: &uv, stride: 7 }, NONE];
    let back = pool.copy_from(&raw(PixelFormat::Nv12, 5, 3, planes)).unwrap();
    assert_eq!((back.y(), back.u(), back.v()), (frame.y(), frame.u(), frame.v()));
    assert_eq!(y[5..8], [0, 0, 0], "padding is left alone");
    let short = frame.write_nv12(&mut y[..20], 8, &mut uv, 7);
    assert_eq!(short, Err(FrameError::TooShort { plane: 0, have: 20, need: 21 }));
    let narrow = frame.write_nv12(&mut y, 8, &mut uv, 5);
    assert_eq!(narrow, Err(FrameError::Stride { plane: 1, stride: 5, row: 6 }));
}

#[test]
fn each_rotation_brings_the_picture_upright() {
    let pool = FramePool::default();
    // 0 1 2
    // 3 4 5
    let turned = |rotation| picture(&pool, 3, 2, rotation).rotated(&pool).unwrap();
    let clockwise = turned(Rotation::Cw90);
    assert_eq!((clockwise.width(), clockwise.height()), (2, 3));
    assert_eq!(clockwise.y(), [3, 0, 4, 1, 5, 2]);
    assert_eq!((clockwise.u(), clockwise.v()), (&[100, 101][..], &[200, 201][..]));
    assert_eq!(clockwise.rotation(), Rotation::None);
    assert_eq!(turned(Rotation::Cw180).y(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(turned(Rotation::Cw180).u(), [101, 100]);
    assert_eq!(turned(Rotation::Cw270).y(), [2, 5, 1, 4, 0, 3]);
    assert_eq!(turned(Rotation::None).y(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn turning_larger_pictures_four_times_gives_the_first_one_again() {
    let pool = FramePool::default();
    let first = picture(&pool, 71, 45, Rotation::Cw90);
    let mut frame = first.clone();
    for _ in 0..4 {
        let mut again = pool.take(frame.width(), frame.height()).unwrap();
        let (y, u, v) = again.planes_mut();
        y.copy_from_slice(frame.y());
        u.copy_from_slice(frame.u());
        v.copy_from_slice(frame.v());
        frame = again.freeze(Rotation::Cw90, Instant::now()).rotated(&pool).unwrap();
    }
    assert_eq!((frame.y(), frame.u(), frame.v()), (first.y(), first.u(), first.v()));
}

#[test]
fn mirrored_pixels_exchange_left_and_right_of_the_upright_picture() {
    let pool = FramePool::default();
    let frame = picture(&pool, 3, 2, Rotation::None).mirrored(true).mirrored_pixels(&pool).unwrap();
    assert_eq!(frame.y(), [2, 1, 0, 5, 4, 3]);
    assert!(!frame.mirror());
    let turned = picture(&pool, 3, 2, Rotation::Cw90).mirrored_pixels(&pool).unwrap();
    assert_eq!(turned.y(), [0, 3, 1, 4, 2, 5]);
}

#[test]
fn scaling_averages_areas_and_keeps_flat_pictures_flat() {
    let pool = FramePool::default();
    let half = picture(&pool, 4, 2, Rotation::Cw90).mirrored(true).scaled(&pool, 2, 1).unwrap();
    assert_eq!(half.y(), [3, 5], "(0+1+4+5)/4 rounded, (2+3+6+7)/4 rounded");
    assert_eq!((half.rotation(), half.mirror()), (Rotation::Cw90, true));
    let mut flat = pool.take(31, 17).unwrap();
    let (y, u, v) = flat.planes_mut();
    y.fill(255);
    u.fill(77);
    v.fill(1);
    let flat = flat.freeze(Rotation::None, Instant::now());
    for (width, height) in [(1, 1), (30, 18), (64, 36), (7, 100)] {
        let frame = flat.scaled(&pool, width, height).unwrap();
        assert!(frame.y().iter().all(|y| *y == 255));
        assert!(frame.u().iter().all(|u| *u == 77) && frame.v().iter().all(|v| *v == 1));
    }
    assert!(flat.scaled(&pool, 0, 4).is_err());
}

#[test]
fn letterboxing_puts_black_bars_beside_a_tall_picture() {
    let pool = FramePool::default();
    let mut white = pool.take(4, 8).unwrap();
    white.planes_mut().0.fill(235);
    let frame = white.freeze(Rotation::None, Instant::now()).letterboxed(&pool, 16, 8).unwrap();
    for row in frame.y().chunks_exact(16) {
        assert_eq!(row, [16, 16, 16, 16, 16, 16, 235, 235, 235, 235, 16, 16, 16, 16, 16, 16]);
    }
}

#[test]
fn impossible_sizes_strides_and_lengths_are_named() {
    let pool = FramePool::default();
    let data = [0; 64];
    let plane = |length: usize, stride| Plane { data: &data[..length], stride };
    let i420 = |width, height, planes| pool.copy_from(&raw(PixelFormat::I420, width, height, planes)).unwrap_err();
    assert_eq!(i420(0, 2, [NONE; 3]), FrameError::Size { width: 0, height: 2 });
    let over = MAX_DIMENSION + 1;
    assert_eq!(i420(2, over, [NONE; 3]), FrameError::Size { width: 2, height: over });
    let stride = i420(4, 4, [plane(16, 3), NONE, NONE]);
    assert_eq!(stride, FrameError::Stride { plane: 0, stride: 3, row: 4 });
    let short = i420(4, 4, [plane(16, 4), plane(3, 2), NONE]);
    assert_eq!(short, FrameError::TooShort { plane: 1, have: 3, need: 4 });
    let huge = i420(4, 4, [plane(16, usize::MAX), NONE, NONE]);
    assert_eq!(huge, FrameError::TooShort { plane: 0, have: 16, need: usize::MAX });
}

fn any_format() -> impl Strategy<Value = PixelFormat> {
    use PixelFormat::*;
    prop_oneof![Just(I420), Just(Nv12), Just(Nv21), Just(Bgra)]
}

proptest! {
    #[test]
    fn no_lent_picture_makes_it_panic_and_what_is_accepted_has_the_size_it_says(
        format in any_format(),
        (width, height) in prop_oneof![(0u32..40, 0u32..40), (any::<u32>(), any::<u32>()), (0u32..9000, 0u32..3)],
        strides in prop::array::uniform3(prop_oneof![0usize..200, Just(usize::MAX), Just(usize::MAX / 2), any::<usize>()]),
        lengths in prop::array::uniform3(0usize..6000),
    ) {
        let data = vec![7u8; 6000];
        let mut planes = [NONE; 3];
        for (plane, (stride, length)) in planes.iter_mut().zip(strides.into_iter().zip(lengths)) {
            *plane = Plane { data: &data[..length], stride };
        }
        if let Ok(frame) = FramePool::default().copy_from(&raw(format, width, height, planes)) {
            prop_assert_eq!((frame.width(), frame.height()), (width, height));
            prop_assert_eq!(frame.y().len(), width as usize * height as usize);
            let row = width as usize * if format == PixelFormat::Bgra { 4 } else { 1 };
            prop_assert!(lengths[0] >= row, "{} bytes", lengths[0]);
        }
    }

    #[test]
    fn what_fits_is_always_accepted(format in any_format(), width in 1u32..70, height in 1u32..20, pad in 0usize..9) {
        let row = width as usize * if format == PixelFormat::Bgra { 4 } else { 1 };
        let data = vec![128u8; (2 * row + 2 + pad) * height as usize];
        let plane = |row: usize, rows: usize| Plane { data: &data[..(row + pad) * (rows - 1) + row], stride: row + pad };
        let (half, rows) = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
        let second = if format == PixelFormat::I420 { half } else { 2 * half };
        let planes = [plane(row, height as usize), plane(second, rows), plane(half, rows)];
        let pool = FramePool::default();
        let frame = pool.copy_from(&raw(format, width, height, planes)).unwrap();
        prop_assert_eq!(frame.to_rgb8().unwrap().len(), 3 * width as usize * height as usize);
        prop_assert_eq!(frame.to_bgra8().unwrap().len(), 4 * width as usize * height as usize);
        prop_assert!(frame.write_bgra(&mut [0; 3], 3).is_err());
    }
}
