use super::*;
use crate::media::video::test_pictures::Packetizer;
use bytes::Bytes;
use proptest::prelude::*;
use std::time::Instant;

fn payloads(codec: VideoCodec, data: &[u8]) -> Vec<Bytes> {
    let packets = Packetizer::new(0).packets(codec, &Bytes::copy_from_slice(data), Instant::now());
    packets.into_iter().map(|packet| packet.payload).collect()
}

fn put_together(codec: VideoCodec, payloads: &[Bytes]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    assemble(codec, payloads.iter().map(|payload| &payload[..]), &mut data).then_some(data)
}

/// An access unit of these types and lengths, without bytes that look like a start code.
fn access_unit(units: &[(u8, usize)]) -> Vec<u8> {
    let unit = |(kind, length): &(u8, usize)| [&START_CODE[..], &[0x60 | kind], &vec![0xaa; *length]].concat();
    units.iter().flat_map(unit).collect()
}

#[test]
fn a_vp8_frame_of_any_length_comes_together_again() {
    for length in [1, 2, 10, 1156, 1157, 1158, 5000] {
        let frame = vec![0x42; length];
        let payloads = payloads(VideoCodec::Vp8, &frame);
        assert_eq!(put_together(VideoCodec::Vp8, &payloads).unwrap(), frame);
        let infos: Vec<PayloadInfo> = payloads.iter().map(|p| inspect(VideoCodec::Vp8, p).unwrap()).collect();
        assert!(infos[0].begins && infos[0].keyframe && infos[1..].iter().all(|info| !info.may_begin));
    }
}

#[test]
fn a_vp8_frame_without_its_first_packet_or_with_that_of_another_is_none() {
    let frame = payloads(VideoCodec::Vp8, &[1; 3000]);
    assert!(put_together(VideoCodec::Vp8, &frame[1..]).is_none());
    assert!(put_together(VideoCodec::Vp8, &[&frame[..], &frame[..1]].concat()).is_none());
    assert!(put_together(VideoCodec::Vp8, &[]).is_none());
}

#[test]
fn every_vp8_descriptor_is_skipped_to_its_end() {
    let cases: [(&[u8], Option<u16>); 6] = [
        (&[0x10], None),
        (&[0x90, 0x00], None),
        (&[0x90, 0x80, 0x11], Some(0x11)),
        (&[0x90, 0x80, 0x91, 0x22], Some(0x1122)),
        (&[0x90, 0xf0, 0x91, 0x22, 0x33, 0x44], Some(0x1122)),
        (&[0x90, 0x20, 0x44], None),
    ];
    for (descriptor, picture_id) in cases {
        let payload = Bytes::from([descriptor, &[0x01, 0x55]].concat());
        let info = inspect(VideoCodec::Vp8, &payload).unwrap();
        assert_eq!((info.begins, info.keyframe, info.picture_id.map(|id| id.value)), (true, false, picture_id));
        assert_eq!(put_together(VideoCodec::Vp8, &[payload]).unwrap(), [0x01, 0x55]);
        assert_eq!(inspect(VideoCodec::Vp8, descriptor), None, "a descriptor and nothing else");
    }
}

#[test]
fn picture_identifiers_follow_each_other_over_both_ends_of_their_range() {
    let id = |value, mask| PictureId { value, mask };
    assert!(id(0, 0x7f).follows(id(0x7f, 0x7f)) && id(0, 0x7fff).follows(id(0x7fff, 0x7fff)));
    assert!(id(128, 0x7fff).follows(id(127, 0x7f)), "a sender that takes the longer form from 128 on");
    assert!(!id(2, 0x7f).follows(id(0, 0x7f)) && !id(0, 0x7f).follows(id(0, 0x7f)));
}

#[test]
fn an_h264_access_unit_comes_together_again_with_its_parameter_sets() {
    for length in [2, 500, 1159, 1160, 1161, 4000] {
        let unit = access_unit(&[(nal::SPS, 10), (nal::PPS, 5), (nal::IDR, length)]);
        let payloads = payloads(VideoCodec::H264, &unit);
        assert_eq!(put_together(VideoCodec::H264, &payloads).unwrap(), unit);
        let infos: Vec<PayloadInfo> = payloads.iter().map(|p| inspect(VideoCodec::H264, p).unwrap()).collect();
        assert!(infos[0].begins && infos[1..].iter().all(|info| info.keyframe));
    }
}

#[test]
fn fragments_in_a_wrong_order_make_no_frame() {
    let fragments = payloads(VideoCodec::H264, &access_unit(&[(nal::SLICE, 4000)]));
    assert!(fragments.len() > 3);
    let none = |order: &[usize]| {
        let chosen: Vec<Bytes> = order.iter().map(|n| fragments[*n].clone()).collect();
        assert!(put_together(VideoCodec::H264, &chosen).is_none(), "{order:?}");
    };
    none(&[1, 2, 3]);
    none(&[0, 1, 2]);
    none(&[0, 0, 1, 2, 3]);
    let single = Bytes::from_static(&[0x61, 1, 2]);
    assert!(put_together(VideoCodec::H264, &[fragments[0].clone(), single, fragments[1].clone()]).is_none());
}

#[test]
fn an_aggregate_whose_sizes_do_not_fit_is_not_valid() {
    for bad in [&[24][..], &[24, 0], &[24, 0, 0], &[24, 0, 2, 0x65], &[24, 0, 1, 0x65, 7], &[24, 255, 255, 0x65]] {
        assert_eq!(inspect(VideoCodec::H264, bad), None, "{bad:?}");
        assert!(put_together(VideoCodec::H264, &[Bytes::copy_from_slice(bad)]).is_none());
    }
    let good = [24, 0, 2, 0x67, 1, 0, 2, 0x65, 0x88];
    let info = inspect(VideoCodec::H264, &good).unwrap();
    assert!(info.begins && info.keyframe);
}

#[test]
fn kinds_of_packets_that_mode_1_does_not_have_are_not_valid() {
    for kind in [0, 25, 26, 27, 29, 30, 31] {
        assert_eq!(inspect(VideoCodec::H264, &[kind, 0, 2, 0x65, 1]), None);
    }
}

#[test]
fn idr_is_told_by_the_first_slice() {
    assert!(has_idr(&access_unit(&[(nal::DELIMITER, 1), (nal::SPS, 3), (nal::PPS, 3), (nal::IDR, 9)])));
    assert!(!has_idr(&access_unit(&[(nal::SPS, 3), (nal::SLICE, 9)])));
    assert!(has_idr(&[0, 0, 1, 0x65, 1]) && !has_idr(&[0, 0, 1]) && !has_idr(&[]));
}

proptest! {
    #[test]
    fn no_bytes_make_a_depacketizer_panic(payloads: Vec<Vec<u8>>, first in proptest::sample::select(vec![0x10u8, 0x90, 24, 28, 0x7c])) {
        for codec in [VideoCodec::Vp8, VideoCodec::H264] {
            let mut data = Vec::new();
            for payload in &payloads {
                let started = [&[first], &payload[..]].concat();
                let _ = (inspect(codec, payload), inspect(codec, &started));
                let _ = assemble(codec, [&started[..], &payload[..]].into_iter(), &mut data);
            }
            let _ = assemble(codec, payloads.iter().map(|payload| &payload[..]), &mut data);
            let _ = has_idr(&data);
            let most: usize = payloads.iter().map(|payload| 5 * (payload.len() + 4)).sum();
            prop_assert!(data.len() <= 4 * most, "no more is written than the packets can hold");
        }
    }
}
