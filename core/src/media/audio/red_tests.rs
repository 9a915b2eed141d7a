use super::*;
use proptest::prelude::*;

const OPUS: u8 = 111;

fn earlier(offset: u16, len: usize) -> EarlierBlock {
    EarlierBlock { offset, payload: Bytes::from(vec![offset as u8; len]) }
}

fn packet(earlier: Vec<EarlierBlock>) -> AudioPacket {
    AudioPacket { timestamp: 9, payload: Bytes::from_static(b"newest"), earlier }
}

#[test]
fn a_packet_has_the_bits_that_rfc_2198_draws() {
    let packed = pack(&packet(vec![earlier(1920, 2), earlier(960, 3)]), OPUS, 1200).unwrap();
    let header = |offset: u32, len: u32| (0x8000_0000 | 111 << 24 | offset << 10 | len).to_be_bytes().to_vec();
    let expected =
        [header(1920, 2), header(960, 3), vec![111], vec![128; 2], vec![192; 3], b"newest".to_vec()].concat();
    assert_eq!(packed, expected);
}

#[test]
fn what_red_cannot_express_or_a_datagram_cannot_hold_is_left_out_and_the_oldest_goes_first() {
    let kept = |blocks: Vec<EarlierBlock>, max| {
        pack(&packet(blocks), OPUS, max).map(|packed| {
            assert!(packed.len() <= max);
            unpack(&packed).unwrap().earlier.iter().map(|block| block.offset).collect::<Vec<u16>>()
        })
    };
    assert_eq!(kept(vec![], 1200), None);
    assert_eq!(kept(vec![earlier(0, 5)], 1200), None, "no offset");
    assert_eq!(kept(vec![earlier(960, 0)], 1200), None, "no bytes");
    assert_eq!(kept(vec![earlier(MAX_OFFSET + 1, 5), earlier(960, 5)], 1200), Some(vec![960]));
    assert_eq!(kept(vec![earlier(1920, MAX_BLOCK + 1), earlier(960, MAX_BLOCK)], 1200), Some(vec![960]));
    assert_eq!(kept(vec![earlier(1920, 50), earlier(960, 50)], 70), Some(vec![960]));
    assert_eq!(kept(vec![earlier(1920, 50), earlier(960, 50)], 60), None);
}

#[test]
fn nested_empty_and_overrunning_blocks_are_told_apart() {
    let unpack = |bytes: &[u8]| unpack(&Bytes::copy_from_slice(bytes));
    let header =
        |kind: u8, offset: u32, len: u32| (0x8000_0000 | u32::from(kind) << 24 | offset << 10 | len).to_be_bytes();
    // A block that is RED itself, one without bytes, one without an offset, and a good one.
    let mixed = [
        &header(63, 960, 1)[..],
        &header(111, 960, 0),
        &header(111, 0, 1),
        &header(111, 960, 1),
        &[111, 1, 2, 3, 4, 5],
    ]
    .concat();
    let unpacked = unpack(&mixed).unwrap();
    assert_eq!((unpacked.useless, unpacked.earlier.len(), &unpacked.newest[..]), (3, 1, &[4, 5][..]));
    assert_eq!(&unpacked.earlier[0].payload[..], &[3]);
    assert_eq!(unpack(&[]), None);
    assert_eq!(unpack(&[111]), None, "no newest block");
    assert_eq!(unpack(&[0x80 | 111, 0, 0]), None, "half a header");
    assert_eq!(unpack(&header(111, 960, 4)), None, "no last header");
    assert_eq!(unpack(&[&header(111, 960, 4)[..], &[111, 1, 2, 3]].concat()), None, "a block longer than the packet");
    assert_eq!(unpack(&[&header(111, 960, 3)[..], &[111, 1, 2, 3]].concat()), None, "nothing left for the newest");
    assert_eq!(unpack(&[header(111, 960, 0).repeat(9), vec![111, 1]].concat()), None, "too many");
    assert!(unpack(&[header(111, 960, 0).repeat(8), vec![111, 1]].concat()).is_some());
}

proptest! {
    #[test]
    fn whatever_comes_blocks_are_parts_of_the_packet(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        if let Some(unpacked) = unpack(&bytes) {
            let sum: usize = unpacked.earlier.iter().map(|block| block.payload.len()).sum();
            prop_assert!(sum + unpacked.newest.len() < bytes.len());
            prop_assert!(unpacked.earlier.iter().all(|block| (1..=MAX_OFFSET).contains(&block.offset)));
        }
    }

    #[test]
    fn what_is_packed_comes_out_again(blocks in prop::collection::vec((1..=MAX_OFFSET, 1..300_usize), 0..3)) {
        let packet = packet(blocks.into_iter().map(|(offset, len)| earlier(offset, len)).collect());
        match pack(&packet, OPUS, 1200) {
            None => prop_assert!(packet.earlier.is_empty()),
            Some(packed) => prop_assert_eq!(unpack(&packed), Some(Unpacked {
                newest: packet.payload, earlier: packet.earlier, useless: 0, block_type: OPUS,
            })),
        }
    }
}
