//! Reads transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): numbers of 16 bits and times of 24 bits
//! become continuous. What makes no sense is left out and counted.

use crate::congestion::sequence::nearest;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};
use std::time::Instant;

/// Most numbers of one feedback.
const MAX_NUMBERS: u16 = 8_192;
/// The reference time counts this, in 24 bits.
const TICK_US: i64 = 64_000;
const WRAP: i64 = 1 << 24;
/// The receiver's clock may differ so much from ours since the last feedback. More is a clock that was set, or a lie;
const MAX_JUMP_US: i64 = 3_000_000;
/// after so many in a row that agree it is believed to be a new clock.
const NEW_CLOCK: u32 = 5;

/// One peer's feedback, as it comes.
#[derive(Default)]
pub(super) struct FeedbackReader {
    clock: Option<Clock>,
    refused: u64,
}

struct Clock {
    /// Reference time of the newest feedback, as it came, and when.
    reference: i64,
    at: Instant,
    /// To be added to what comes, so that times go on where they were.
    offset_us: i64,
    doubtful: u32,
}

impl FeedbackReader {
    /// The first number, made 64 bits wide, and for each from there on when it arrived, in microseconds of the receiver's clock.
    /// `next` is the number that no packet has had yet. `None` if it makes no sense.
    pub(super) fn read(
        &mut self,
        now: Instant,
        feedback: &TransportLayerCc,
        next: u64,
    ) -> Option<(u64, Vec<Option<i64>>)> {
        let read = self.try_read(now, feedback, next);
        self.refused += u64::from(read.is_none());
        read
    }

    /// Feedback that made no sense so far.
    #[cfg(test)]
    fn refused(&self) -> u64 {
        self.refused
    }

    fn try_read(&mut self, now: Instant, feedback: &TransportLayerCc, next: u64) -> Option<(u64, Vec<Option<i64>>)> {
        let count = feedback.packet_status_count;
        let base = nearest(next.checked_sub(1)?, feedback.base_sequence_number)?;
        if count == 0 || count > MAX_NUMBERS || base + u64::from(count) > next {
            return None;
        }
        let mut symbols = Vec::with_capacity(usize::from(count));
        for chunk in &feedback.packet_chunks {
            let room = usize::from(count) - symbols.len();
            match chunk {
                PacketStatusChunk::RunLengthChunk(run) => {
                    let length = usize::from(run.run_length).min(room);
                    symbols.extend(std::iter::repeat_n(run.packet_status_symbol, length));
                }
                PacketStatusChunk::StatusVectorChunk(list) => symbols.extend(list.symbol_list.iter().take(room)),
            }
        }
        if symbols.len() != usize::from(count) {
            return None;
        }
        let mut deltas = feedback.recv_deltas.iter();
        let mut time = 0i64;
        let mut arrivals = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            arrivals.push(match symbol {
                SymbolTypeTcc::PacketNotReceived => None,
                SymbolTypeTcc::PacketReceivedWithoutDelta => Some(time),
                _ => {
                    time = time.saturating_add(deltas.next()?.delta);
                    Some(time)
                }
            });
        }
        let reference = self.reference_us(now, i64::from(feedback.reference_time))?;
        for arrival in arrivals.iter_mut().flatten() {
            *arrival = arrival.saturating_add(reference);
        }
        Some((base, arrivals))
    }

    /// The reference time in microseconds, continuous; `None` if it jumps.
    fn reference_us(&mut self, now: Instant, reference: i64) -> Option<i64> {
        let reference = reference.rem_euclid(WRAP);
        let Some(clock) = &mut self.clock else {
            self.clock = Some(Clock { reference, at: now, offset_us: 0, doubtful: 0 });
            return Some(reference * TICK_US);
        };
        // To the nearest of the times that have these 24 bits.
        let half = WRAP / 2;
        let step = (reference - clock.reference + half).rem_euclid(WRAP) - half;
        let passed = i64::try_from(now.saturating_duration_since(clock.at).as_micros()).unwrap_or(i64::MAX);
        let unwrapped = clock.reference + step;
        let jumps = (step * TICK_US).saturating_sub(passed).abs() > MAX_JUMP_US;
        if jumps {
            clock.doubtful += 1;
            if clock.doubtful < NEW_CLOCK {
                return None;
            }
            // From here on in the new clock, but with times that go on.
            clock.offset_us += clock.reference * TICK_US + passed - unwrapped * TICK_US;
        }
        clock.doubtful = 0;
        // Feedback may be overtaken: the newest one is what the next is held against.
        if step > 0 || jumps {
            (clock.reference, clock.at) = (unwrapped, now);
        }
        Some(unwrapped * TICK_US + clock.offset_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{RecvDelta, RunLengthChunk, StatusVectorChunk};
    use std::time::Duration;

    fn run(symbol: SymbolTypeTcc, run_length: u16) -> PacketStatusChunk {
        PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            packet_status_symbol: symbol,
            run_length,
            ..Default::default()
        })
    }

    /// All arrived, 1 ms apart.
    fn feedback(base: u16, count: u16, reference_time: u32) -> TransportLayerCc {
        TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: count,
            reference_time,
            packet_chunks: vec![run(SymbolTypeTcc::PacketReceivedSmallDelta, count)],
            recv_deltas: (0..count).map(|_| RecvDelta { delta: 1_000, ..Default::default() }).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn numbers_and_times_go_on_where_they_wrap() {
        let (mut reader, t) = (FeedbackReader::default(), Instant::now());
        let (base, arrivals) = reader.read(t, &feedback(65_534, 2, 0xff_ffff), 65_536).unwrap();
        let last = 0xff_ffff * TICK_US;
        assert_eq!((base, arrivals), (65_534, vec![Some(last + 1_000), Some(last + 2_000)]));
        let later = t + Duration::from_millis(64);
        let (base, arrivals) = reader.read(later, &feedback(0, 1, 0), 65_537).unwrap();
        assert_eq!((base, arrivals), (65_536, vec![Some(last + TICK_US + 1_000)]));
    }

    #[test]
    fn what_did_not_arrive_has_no_time_and_a_chunk_may_be_longer_than_needed() {
        use SymbolTypeTcc::{PacketNotReceived as Lost, PacketReceivedLargeDelta as Late};
        let list = StatusVectorChunk { symbol_list: vec![Late, Lost, Late, Lost, Lost], ..Default::default() };
        let mut two = feedback(100, 3, 1);
        two.packet_chunks = vec![PacketStatusChunk::StatusVectorChunk(list)];
        two.recv_deltas = [5_000, -2_000].map(|delta| RecvDelta { delta, ..Default::default() }).to_vec();
        let (_, arrivals) = FeedbackReader::default().read(Instant::now(), &two, 200).unwrap();
        assert_eq!(arrivals, [Some(69_000), None, Some(67_000)]);
    }

    #[test]
    fn feedback_that_lies_is_left_out_and_counted() {
        let (mut reader, t) = (FeedbackReader::default(), Instant::now());
        let mut without_times = feedback(0, 3, 0);
        without_times.recv_deltas.pop();
        let mut without_chunks = feedback(0, 3, 0);
        without_chunks.packet_chunks.clear();
        let lies = [
            feedback(90, 11, 0),
            feedback(101, 1, 0),
            feedback(0, 0, 0),
            feedback(0, 8_193, 0),
            feedback(65_000, 1, 0),
        ];
        for lie in lies.into_iter().chain([without_times, without_chunks]) {
            assert!(reader.read(t, &lie, 100).is_none());
        }
        assert_eq!(reader.refused(), 7);
        assert!(reader.read(t, &feedback(0, 1, 0), 0).is_none(), "nothing was sent yet");
        assert!(reader.read(t, &feedback(90, 10, 0), 100).is_some());
    }

    #[test]
    fn times_that_jump_are_left_out_until_they_stay() {
        let (mut reader, t) = (FeedbackReader::default(), Instant::now());
        let ms = Duration::from_millis;
        reader.read(t, &feedback(0, 1, 1_000), 100).unwrap();
        let overtaken = reader.read(t + ms(10), &feedback(1, 1, 999), 100).unwrap();
        assert_eq!(overtaken.1, [Some(999 * TICK_US + 1_000)]);
        for n in 2..6 {
            assert!(reader.read(t + ms(64), &feedback(n, 1, 500), 100).is_none());
        }
        let (_, arrivals) = reader.read(t + ms(64), &feedback(6, 1, 500), 100).unwrap();
        assert_eq!(arrivals, [Some(1_001 * TICK_US + 1_000)], "another clock: times go on where they were");
        let (_, arrivals) = reader.read(t + ms(128), &feedback(7, 1, 501), 100).unwrap();
        assert_eq!(arrivals, [Some(1_002 * TICK_US + 1_000)]);
    }

    #[test]
    fn a_long_silence_is_no_jump() {
        let (mut reader, t) = (FeedbackReader::default(), Instant::now());
        reader.read(t, &feedback(0, 1, 1_000), 100).unwrap();
        let hour = Duration::from_secs(3_600);
        let ticks = (hour.as_micros() as i64 / TICK_US) as u32;
        assert!(reader.read(t + hour, &feedback(1, 1, 1_000 + ticks), 100).is_some());
    }
}
