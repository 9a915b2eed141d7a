//! Telephone events of any bytes, at any time.

use super::DtmfReceiver;
use crate::fuzz::Input;
use std::time::{Duration, Instant};

/// Longest sequence.
const MAX_STEPS: usize = 1_024;

/// Packets of one stream or another.
pub(crate) fn events(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (mut receiver, began) = (DtmfReceiver::default(), Instant::now());
    let (mut now, mut timestamp, mut told) = (began, 0u32, 0u32);
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let step = input.u8();
        now += Duration::from_millis(u64::from(step >> 2));
        timestamp = if step & 1 == 0 { timestamp.wrapping_add(u32::from(input.u16())) } else { input.u32() };
        let length = usize::from(input.u8() & 7);
        let tone = receiver.receive(now, u32::from(step & 2), timestamp, input.bytes(length));
        told += u32::from(tone.is_some());
    }
    assert!(f64::from(told) <= 41.0 + 20.0 * (now - began).as_secs_f64(), "{told} tones");
}
