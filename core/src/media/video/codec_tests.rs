//! Both codecs, by their traits.

use super::codec::{CodecError, EncodedFrame, EncoderConfig, VideoCodec, VideoEncoder};
use super::test_pictures::{Camera, psnr};
use super::{make_decoder, make_encoder};
use crate::FacingMode;
use crate::media::frame::FramePool;
use crate::media::synthetic::marker;
use proptest::prelude::*;

fn config(width: u32, height: u32, bitrate_bps: u32) -> EncoderConfig {
    EncoderConfig { width, height, fps: 30.0, bitrate_bps }
}

fn encode(encoder: &mut dyn VideoEncoder, camera: &mut Camera, keyframe: bool) -> EncodedFrame {
    encoder.encode(&camera.picture(), keyframe).unwrap().expect("no picture is skipped")
}

/// Bytes of the next picture, none if it is left out.
fn size(encoder: &mut dyn VideoEncoder, camera: &mut Camera) -> usize {
    encoder.encode(&camera.picture(), false).unwrap().map_or(0, |frame| frame.data.len())
}

fn stream(codec: VideoCodec, pictures: usize) -> Vec<EncodedFrame> {
    let (mut camera, mut encoder) = (Camera::new(320, 240), make_encoder(codec, config(320, 240, 500_000)).unwrap());
    (0..pictures).map(|n| encode(&mut *encoder, &mut camera, n == pictures / 2)).collect()
}

#[test]
fn pictures_of_every_size_come_back_as_they_were() {
    for codec in VideoCodec::available() {
        for (width, height) in [(160, 120), (161, 121), (176, 239), (640, 360), (1280, 720)] {
            let bitrate = width * height * 6;
            let mut encoder = make_encoder(codec, config(width, height, bitrate)).unwrap();
            let (mut decoder, pool, mut camera) =
                (make_decoder(codec).unwrap(), FramePool::default(), Camera::new(width, height));
            for n in 0..10 {
                let picture = camera.picture();
                let encoded = encoder.encode(&picture, false).unwrap().expect("no picture is skipped");
                assert_eq!((encoded.codec, encoded.keyframe), (codec, n == 0));
                assert_eq!(encoded.captured_at, picture.captured_at());
                let decoded = decoder.decode(&encoded.data, &pool).unwrap().expect("a picture each");
                assert_eq!((decoded.width(), decoded.height()), (encoded.width, encoded.height));
                let cropped = if codec == VideoCodec::H264 { 1 } else { 0 };
                assert_eq!((encoded.width, encoded.height), (width & !cropped, height & !cropped));
                assert_eq!(marker::read(&decoded).expect("a mark").number, n);
                let psnr = psnr(&picture, &decoded);
                assert!(psnr > 30.0, "{codec} {width}×{height} picture {n}: {psnr:.1} dB");
            }
        }
    }
}

#[test]
fn a_pause_is_no_credit_for_the_picture_after_it() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(320, 240, 300_000)).unwrap();
        let mut camera = Camera::noisy(320, 240);
        let sizes: Vec<usize> = (0..90).map(|_| size(&mut *encoder, &mut camera)).collect();
        let mean = sizes[60..].iter().sum::<usize>() / 30;
        camera.pause(60);
        let after: usize = (0..3).map(|_| size(&mut *encoder, &mut camera)).sum();
        assert!(after < 9 * mean, "{codec}: {after} bytes in three pictures, {mean} in one before");
    }
}

#[test]
fn a_scene_cut_and_a_bitrate_that_swings_cost_hardly_any_picture() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, EncoderConfig { fps: 15.0, ..config(320, 180, 160_000) }).unwrap();
        let mut camera = Camera::noisy(320, 180);
        let mut gaps = Vec::new();
        let mut left_out = 0;
        for n in 0..600 {
            encoder.set_bitrate(120_000 + 800 * (n % 75)).unwrap();
            if n % 75 == 0 {
                camera.cut_to(if n % 150 == 0 { FacingMode::User } else { FacingMode::Environment });
            }
            camera.pause(1);
            left_out = if size(&mut *encoder, &mut camera) == 0 { left_out + 1 } else { 0 };
            gaps.push(left_out);
        }
        let longest = gaps.iter().max();
        println!("{codec}: {gaps:?}");
        assert!(longest <= Some(&1), "{codec}: {longest:?} pictures in a row");
    }
}

#[test]
fn the_rate_follows_its_target_down_and_up() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(640, 360, 1_000_000)).unwrap();
        let mut camera = Camera::noisy(640, 360);
        for target in [1_000_000, 600_000, 1_500_000] {
            encoder.set_bitrate(target).unwrap();
            let sizes: Vec<usize> = (0..90).map(|_| size(&mut *encoder, &mut camera)).collect();
            // The first second is for the encoder to settle in.
            let rate = sizes[30..].iter().sum::<usize>() as f64 * 8.0 / 2.0;
            let ratio = rate / f64::from(target);
            assert!((0.75..1.2).contains(&ratio), "{codec}: {rate:.0} instead of {target} bit/s");
        }
    }
}

#[test]
fn at_half_the_pace_each_picture_may_take_twice_the_bits() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(640, 360, 1_000_000)).unwrap();
        let mut camera = Camera::noisy(640, 360);
        encode(&mut *encoder, &mut camera, false);
        encoder.set_fps(15.0).unwrap();
        let mut bytes = 0;
        for n in 0..60 {
            let picture = camera.picture();
            camera.picture();
            let size = encoder.encode(&picture, false).unwrap().map_or(0, |frame| frame.data.len());
            bytes += if n < 15 { 0 } else { size };
        }
        let rate = bytes as f64 * 8.0 / 3.0;
        assert!((0.7..1.25).contains(&(rate / 1e6)), "{codec}: {rate:.0} bit/s");
    }
}

#[test]
fn keyframes_come_on_demand_and_only_then() {
    for codec in VideoCodec::available() {
        let (mut camera, mut encoder) =
            (Camera::new(320, 240), make_encoder(codec, config(320, 240, 300_000)).unwrap());
        let mut is_keyframe = |n: usize| {
            let encoded = encoder.encode(&camera.picture(), n == 50 || n == 51).unwrap();
            encoded.is_some_and(|frame| frame.keyframe)
        };
        let keyframes: Vec<usize> = (0..200).filter(|n| is_keyframe(*n)).collect();
        assert_eq!(keyframes, [0, 50, 51], "{codec}");
    }
}

#[test]
fn a_keyframe_takes_no_more_than_a_part_of_a_second() {
    for codec in VideoCodec::available() {
        let (mut camera, mut encoder) =
            (Camera::new(1280, 720), make_encoder(codec, config(1280, 720, 1_000_000)).unwrap());
        for _ in 0..15 {
            encode(&mut *encoder, &mut camera, false);
        }
        let bits = encode(&mut *encoder, &mut camera, true).data.len() * 8;
        assert!(bits < 500_000, "{codec}: {bits} bits");
    }
}

#[test]
fn the_size_changes_down_and_up_without_another_encoder_and_with_one_keyframe() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(640, 360, 1_000_000)).unwrap();
        let (mut decoder, pool) = (make_decoder(codec).unwrap(), FramePool::default());
        for (n, (width, height)) in
            [(640, 360), (320, 180), (1280, 720), (480, 270), (1280, 720)].into_iter().enumerate()
        {
            if n > 0 {
                assert_eq!(encoder.set_size(width, height), Ok(true), "{codec} {width}×{height}");
            }
            let mut camera = Camera::new(width, height);
            for m in 0..3 {
                let encoded = encode(&mut *encoder, &mut camera, false);
                assert_eq!((encoded.keyframe, encoded.width, encoded.height), (m == 0, width, height));
                let decoded = decoder.decode(&encoded.data, &pool).unwrap().expect("a picture each");
                assert_eq!((decoded.width(), decoded.height()), (width, height));
                assert_eq!(marker::read(&decoded).expect("a mark").number, m);
            }
        }
    }
}

#[test]
#[cfg(feature = "vp8")]
fn a_larger_size_on_a_faster_path_uses_its_bits_soon_however_coarse_all_pictures_before_were() {
    let mut encoder = make_encoder(VideoCodec::Vp8, config(320, 180, 150_000)).unwrap();
    let mut camera = Camera::noisy(320, 180);
    for _ in 0..300 {
        encoder.encode(&camera.picture(), false).unwrap();
    }
    encoder.set_bitrate(1_500_000).unwrap();
    assert_eq!(encoder.set_size(640, 360), Ok(true));
    // Whose clock is ten seconds behind that of the one before.
    let mut camera = Camera::noisy(640, 360);
    let half_a_second = |encoder: &mut dyn VideoEncoder, camera: &mut Camera| -> usize {
        let encoded = (0..15).filter_map(|_| encoder.encode(&camera.picture(), false).unwrap());
        encoded.map(|encoded| encoded.data.len() * 8).sum()
    };
    half_a_second(&mut *encoder, &mut camera);
    let next = half_a_second(&mut *encoder, &mut camera);
    assert!(next > 600_000, "{next} bits in the second half second");
}

#[test]
fn an_impossible_size_is_refused_and_the_encoder_goes_on() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(320, 240, 300_000)).unwrap();
        let mut camera = Camera::new(320, 240);
        encode(&mut *encoder, &mut camera, false);
        for (width, height) in [(0, 240), (320, 0), (8193, 240)] {
            assert_eq!(encoder.set_size(width, height), Ok(false));
        }
        assert!(!encode(&mut *encoder, &mut camera, false).keyframe);
    }
}

#[test]
fn a_keyframe_of_a_hard_picture_is_near_its_budget() {
    for codec in VideoCodec::available() {
        for (bitrate, fps) in [(600_000, 30.0), (1_200_000, 30.0), (600_000, 15.0)] {
            let budget = bitrate * 3 / 160;
            let mut encoder = make_encoder(codec, EncoderConfig { fps, ..config(640, 360, bitrate) }).unwrap();
            let mut camera = Camera::noisy(640, 360);
            for n in 0..40 {
                encoder.set_keyframe_budget(budget).unwrap();
                let picture = camera.picture();
                if fps < 20.0 {
                    camera.picture();
                }
                let encoded = encoder.encode(&picture, n == 39).unwrap();
                if let Some(keyframe) = encoded.filter(|encoded| encoded.keyframe) {
                    let (bytes, most) = (keyframe.data.len(), budget as usize * 3 / 2);
                    assert!(bytes <= most, "{codec} at {bitrate} bit/s and {fps} fps: {bytes} of {budget} bytes");
                }
            }
        }
    }
}

#[test]
fn a_keyframe_of_a_very_hard_picture_is_within_its_budget_and_what_follows_builds_on_it() {
    let budget = 8_000;
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(640, 360, 400_000)).unwrap();
        let (mut decoder, pool) = (make_decoder(codec).unwrap(), FramePool::default());
        let mut camera = Camera::very_noisy(640, 360);
        for n in 0..90 {
            encoder.set_keyframe_budget(budget).unwrap();
            let picture = camera.picture();
            let Some(encoded) = encoder.encode(&picture, n == 60).unwrap() else { continue };
            assert_eq!(encoded.keyframe, n == 0 || n == 60, "{codec} {n}");
            if encoded.keyframe {
                assert!(encoded.data.len() <= budget as usize * 3 / 2, "{codec} {n}: {} bytes", encoded.data.len());
            }
            assert_eq!(encoded.captured_at, picture.captured_at());
            let decoded = decoder.decode(&encoded.data, &pool).unwrap().expect("a picture each");
            assert_eq!((decoded.width(), decoded.height()), (640, 360));
        }
    }
}

#[test]
fn the_quantizer_is_told_and_is_coarser_at_a_lower_bitrate() {
    for codec in VideoCodec::available() {
        let coarseness = |bitrate| {
            let mut encoder = make_encoder(codec, config(640, 360, bitrate)).unwrap();
            let mut camera = Camera::noisy(640, 360);
            for _ in 0..30 {
                encoder.encode(&camera.picture(), false).unwrap();
            }
            encoder.quantizer().expect("both codecs tell")
        };
        let (low, high) = (coarseness(400_000), coarseness(3_000_000));
        let most = if codec == VideoCodec::Vp8 { 127 } else { 51 };
        assert!(high > 0 && high < low && low <= most, "{codec}: {high} and {low}");
    }
}

#[test]
fn a_picture_of_another_size_is_refused_and_the_encoder_goes_on() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(320, 240, 300_000)).unwrap();
        let error = encoder.encode(&Camera::new(240, 320).picture(), false).unwrap_err();
        assert!(matches!(error, CodecError::Encode { .. }), "{error}");
        assert!(encoder.encode(&Camera::new(320, 240).picture(), false).unwrap().unwrap().keyframe);
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for codec in VideoCodec::available() {
        for (width, height) in [(0, 240), (320, 0), (8193, 16)] {
            let error = make_encoder(codec, config(width, height, 300_000)).err().expect("refused");
            assert!(matches!(error, CodecError::Setup { .. }), "{error}");
        }
    }
}

#[test]
fn a_clock_that_stands_still_or_goes_back_does_not_stop_the_encoder() {
    for codec in VideoCodec::available() {
        let mut encoder = make_encoder(codec, config(320, 240, 300_000)).unwrap();
        let mut camera = Camera::new(320, 240);
        let (first, second) = (camera.picture(), camera.picture());
        for picture in [&second, &second, &first, &first, &second] {
            assert!(encoder.encode(picture, false).unwrap().is_some(), "{codec}");
        }
    }
}

#[test]
fn nothing_is_decoded_before_the_first_keyframe() {
    for codec in VideoCodec::available() {
        let (stream, mut decoder, pool) = (stream(codec, 6), make_decoder(codec).unwrap(), FramePool::default());
        let decoded: Vec<bool> =
            stream[1..].iter().map(|frame| decoder.decode(&frame.data, &pool).unwrap().is_some()).collect();
        assert_eq!(decoded, [false, false, true, true, true], "{codec}");
    }
}

#[test]
fn a_damaged_frame_is_an_error_and_the_next_keyframe_repairs_it() {
    for codec in VideoCodec::available() {
        let (stream, mut decoder, pool) = (stream(codec, 8), make_decoder(codec).unwrap(), FramePool::default());
        assert!(decoder.decode(&stream[0].data, &pool).unwrap().is_some());
        assert!(decoder.decode(&stream[4].data[..stream[4].data.len() / 3], &pool).is_err(), "{codec}");
        assert!(decoder.decode(&[], &pool).is_err());
        assert!(decoder.decode(&stream[3].data, &pool).unwrap().is_none(), "what it builds on is gone");
        let picture = decoder.decode(&stream[4].data, &pool).unwrap().expect("a keyframe");
        assert_eq!(marker::read(&picture).unwrap().number, 4);
        assert!(decoder.decode(&stream[5].data, &pool).unwrap().is_some());
    }
}

#[test]
#[cfg(feature = "vp8")]
fn a_keyframe_that_claims_to_be_huge_is_refused_before_memory_is_taken_for_it() {
    let (stream, pool) = (stream(VideoCodec::Vp8, 1), FramePool::default());
    for (width, height) in [(0x3fff_u16, 0x3fff_u16), (8192, 8192), (0, 240)] {
        let mut data = stream[0].data.to_vec();
        data[6..8].copy_from_slice(&width.to_le_bytes());
        data[8..10].copy_from_slice(&height.to_le_bytes());
        assert!(make_decoder(VideoCodec::Vp8).unwrap().decode(&data, &pool).is_err());
    }
}

#[test]
#[cfg(feature = "h264")]
fn h264_is_constrained_baseline_of_a_fitting_level_with_parameter_sets_in_each_keyframe() {
    for ((width, height), level) in [((1280, 720), 31), ((640, 480), 30)] {
        let mut encoder = make_encoder(VideoCodec::H264, config(width, height, 1_500_000)).unwrap();
        let mut camera = Camera::new(width, height);
        for n in 0..4 {
            let frame = encode(&mut *encoder, &mut camera, n == 2);
            let units: Vec<&[u8]> = units(&frame.data);
            let kinds: Vec<u8> = units.iter().map(|unit| unit[0] & 0x1f).collect();
            if n % 2 == 1 {
                assert_eq!(kinds, [1], "one slice a picture");
                continue;
            }
            assert_eq!(kinds, [7, 8, 5]);
            // profile_idc, constraint flags (set 1: constrained baseline), level_idc (H.264 section 7.3.2.1.1).
            assert_eq!((units[0][1], units[0][2] & 0x40, units[0][3]), (66, 0x40, level));
        }
    }
}

#[cfg(feature = "h264")]
fn units(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = data.windows(4).enumerate().filter(|(_, w)| *w == [0, 0, 0, 1]).map(|(n, _)| n).collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    starts.iter().zip(ends).map(|(start, end)| &data[start + 4..end]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_make_a_decoder_panic(
        changes in proptest::collection::vec((0usize..4000, any::<u8>()), 1..20),
        cut in 1usize..4000,
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        for codec in VideoCodec::available() {
            let (stream, mut decoder, pool) = (stream(codec, 4), make_decoder(codec).unwrap(), FramePool::default());
            for frame in &stream {
                let mut data = frame.data.to_vec();
                for (at, value) in &changes {
                    let at = at % data.len();
                    data[at] = *value;
                }
                data.truncate(cut.max(10));
                // Whatever comes of it.
                let _ = decoder.decode(&data, &pool);
                let _ = decoder.decode(&noise, &pool);
            }
            prop_assert!(decoder.decode(&stream[0].data, &pool).unwrap().is_some(), "it goes on");
        }
    }
}
