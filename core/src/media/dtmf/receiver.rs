//! Packets to tones, each once.

use super::DtmfTone;
use super::event::Event;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Tones whose packets are known when they come again. As many come in two seconds at most.
const KNOWN: usize = 32;
/// A tone that began so much before the newest, in units of the RTP timestamp, comes too late to be told: two seconds at 48 kHz.
const TOO_LATE: i32 = 96_000;
/// How far from the longest duration that a packet can say the next segment of the same tone may begin: a packet and a half.
const SEGMENT_SLACK: u32 = 1_500;
/// Nobody presses more keys: the shortest tone and gap make 14 a second.
const PER_SECOND: f64 = 20.0;
const AT_ONCE: f64 = 40.0;

#[derive(Debug, Clone, Copy)]
struct Known {
    timestamp: u32,
    event: Event,
}

/// What comes in one stream.
#[derive(Debug, Default)]
pub struct DtmfReceiver {
    ssrc: Option<u32>,
    /// By time of arrival, the newest last.
    known: VecDeque<Known>,
    newest: Option<Known>,
    /// How many were told lately, and when that was counted.
    recent: (f64, Option<Instant>),
}

impl DtmfReceiver {
    /// Takes the payload of a packet: any bytes. The tone, if this is the first packet of one that arrives.
    pub fn receive(&mut self, now: Instant, ssrc: u32, timestamp: u32, payload: &[u8]) -> Option<DtmfTone> {
        let event = Event::read(payload)?;
        if self.ssrc.replace(ssrc) != Some(ssrc) {
            self.known.clear();
            self.newest = None;
        }
        if let Some(known) = self.known.iter_mut().find(|known| known.timestamp == timestamp) {
            known.event.end |= event.end;
            if let Some(newest) = self.newest.as_mut().filter(|newest| newest.timestamp == timestamp) {
                newest.event.end |= event.end;
            }
            return None;
        }
        let since = |newest: Known| timestamp.wrapping_sub(newest.timestamp);
        let goes_on = self.newest.is_some_and(|newest| {
            let is_segment = since(newest).abs_diff(u32::from(u16::MAX)) <= SEGMENT_SLACK;
            newest.event.tone == event.tone && !newest.event.end && is_segment
        });
        let later = self.newest.map_or(1, |newest| since(newest) as i32);
        if later < -TOO_LATE {
            return None;
        }
        let known = Known { timestamp, event };
        if self.known.len() == KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(known);
        if later > 0 {
            self.newest = Some(known);
        }
        (!goes_on && self.admit(now)).then_some(event.tone)
    }

    fn admit(&mut self, now: Instant) -> bool {
        let (recent, counted) = self.recent;
        let passed = counted.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let recent = (recent - passed.as_secs_f64() * PER_SECOND).max(0.0) + 1.0;
        if recent > AT_ONCE {
            return false;
        }
        self.recent = (recent, Some(now));
        true
    }
}
