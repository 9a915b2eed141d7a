use super::*;

fn entry(length: usize) -> Entry {
    let payload = Bytes::from(vec![0; length]);
    Entry { timestamp: 0, marker: false, picture: None, payload, arrived_at: Instant::now() }
}

fn numbers(buffer: &PacketBuffer) -> Vec<u16> {
    buffer.from(i64::MIN).map(|(number, _)| number as u16).collect()
}

#[test]
fn packets_are_in_order_over_the_end_of_the_range() {
    let mut buffer = PacketBuffer::default();
    assert_eq!(buffer.insert(65_534, entry(1)), Inserted::Restart);
    for number in [1, 65_535, 0, 65_533] {
        assert_eq!(buffer.insert(number, entry(1)), Inserted::Yes);
    }
    assert_eq!(numbers(&buffer), [65_533, 65_534, 65_535, 0, 1]);
    assert_eq!(buffer.insert(0, entry(1)), Inserted::Duplicate);
}

#[test]
fn what_was_let_go_of_is_late() {
    let mut buffer = PacketBuffer::default();
    for number in 10..20 {
        buffer.insert(number, entry(1));
    }
    let (from, mut dropped) = (buffer.end() - 3, 0);
    buffer.drop_below(from, |_| dropped += 1);
    assert_eq!((dropped, numbers(&buffer)), (7, vec![17, 18, 19]));
    assert_eq!(buffer.insert(16, entry(1)), Inserted::Late);
}

#[test]
fn one_stray_number_changes_nothing_and_two_in_a_row_begin_anew() {
    let mut buffer = PacketBuffer::default();
    buffer.insert(100, entry(1));
    assert_eq!(buffer.insert(40_000, entry(1)), Inserted::Suspect);
    assert_eq!(buffer.insert(101, entry(1)), Inserted::Yes);
    assert_eq!(buffer.insert(40_001, entry(1)), Inserted::Suspect, "what came between has proved the old stream");
    assert_eq!(buffer.insert(40_002, entry(1)), Inserted::Restart);
    assert_eq!(numbers(&buffer), [40_002]);
}

#[test]
fn packets_and_bytes_are_bounded() {
    let mut buffer = PacketBuffer::default();
    for number in 0..MAX_PACKETS as u16 {
        buffer.insert(number, entry(1));
    }
    assert_eq!(buffer.insert(MAX_PACKETS as u16, entry(1)), Inserted::Full);
    let mut buffer = PacketBuffer::default();
    let taken = (0..200).take_while(|number| buffer.insert(*number, entry(65_000)) != Inserted::Full).count();
    assert_eq!(taken, MAX_BYTES / 65_000);
    let end = buffer.end();
    buffer.drop_below(end, |_| {});
    assert_eq!(buffer.insert(200, entry(65_000)), Inserted::Yes);
}
