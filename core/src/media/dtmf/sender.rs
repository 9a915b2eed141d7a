//! Tones to packets, one after the other.

use super::event::Event;
use super::{DtmfError, DtmfTone, DtmfTones, MAX_TONES, PAUSE};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often a tone that lasts is told.
const INTERVAL: Duration = Duration::from_millis(20);
/// How often its end is told (RFC 4733 section 2.5.1.4), and how soon again: all of it within the shortest gap.
const ENDS: u8 = 3;
const END_INTERVAL: Duration = Duration::from_millis(10);
/// Longest duration that fits into a packet. A longer tone goes on as another segment (RFC 4733 section 2.5.1.3).
const SEGMENT: u32 = u16::MAX as u32;

/// What goes into one RTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPacket {
    /// When the tone, or this segment of it, began: in units of the stream's clock.
    pub timestamp: u32,
    /// The first one of a tone.
    pub marker: bool,
    /// The event.
    pub payload: Bytes,
}

struct Key {
    tone: Option<DtmfTone>,
    duration: Duration,
    gap: Duration,
}

/// The tone that sounds.
struct Sounding {
    tone: DtmfTone,
    began: Instant,
    duration: Duration,
    gap: Duration,
    /// Where this segment of it began: RTP timestamp, and units since the tone began.
    timestamp: u32,
    segment: u32,
    next: Instant,
    first: bool,
    ends: u8,
}

/// The tones of one stream that wait or sound.
#[derive(Default)]
pub struct DtmfSender {
    waiting: VecDeque<Key>,
    sounding: Option<Sounding>,
    /// When the gap or pause before the next tone is over.
    quiet_until: Option<Instant>,
}

impl DtmfSender {
    /// Sends these after those that wait.
    ///
    /// # Errors
    /// [`DtmfError::TooMany`]: none of them will be sent.
    pub fn insert(&mut self, tones: &DtmfTones) -> Result<(), DtmfError> {
        if self.waiting.len() + tones.keys.len() > MAX_TONES {
            return Err(DtmfError::TooMany);
        }
        let (duration, gap) = (tones.duration, tones.gap);
        self.waiting.extend(tones.keys.iter().map(|&tone| Key { tone, duration, gap }));
        Ok(())
    }

    /// Forgets what waits or sounds: the other side takes it no more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether a tone goes out at the moment, in place of sound.
    pub fn is_sounding(&self) -> bool {
        self.sounding.is_some()
    }

    /// When to poll next; none if there is nothing to send.
    pub fn next_at(&self, now: Instant) -> Option<Instant> {
        match &self.sounding {
            Some(sounding) => Some(sounding.next),
            None if self.waiting.is_empty() => None,
            None => Some(self.quiet_until.unwrap_or(now)),
        }
    }

    /// The next packet that is due, to be asked for until there is none. `clock_rate` is that of the events, in Hz; `timestamp` is the
    /// stream's of now.
    pub fn poll(&mut self, now: Instant, clock_rate: u32, timestamp: u32) -> Option<EventPacket> {
        if self.sounding.is_none() {
            self.begin(now, timestamp);
        }
        let sounding = self.sounding.as_mut().filter(|sounding| sounding.next <= now)?;
        let packet = sounding.packet(now, clock_rate);
        if sounding.ends == ENDS {
            self.quiet_until = sounding.began.checked_add(sounding.duration + sounding.gap);
            self.sounding = None;
        }
        Some(packet)
    }

    fn begin(&mut self, now: Instant, timestamp: u32) {
        while self.sounding.is_none() && self.quiet_until.is_none_or(|until| until <= now) {
            let Some(Key { tone, duration, gap }) = self.waiting.pop_front() else { return };
            match tone {
                None => self.quiet_until = now.checked_add(PAUSE),
                Some(tone) => {
                    let (began, next) = (now, now);
                    let sounding =
                        Sounding { tone, began, duration, gap, timestamp, segment: 0, next, first: true, ends: 0 };
                    self.sounding = Some(sounding);
                }
            }
        }
    }
}

impl Sounding {
    fn packet(&mut self, now: Instant, clock_rate: u32) -> EventPacket {
        // Each packet speaks for the time until the next one, so that the last one comes when the tone ends.
        let lasted = (now.saturating_duration_since(self.began) + INTERVAL).min(self.duration);
        let units = u32::try_from(lasted.as_micros() * u128::from(clock_rate) / 1_000_000).unwrap_or(u32::MAX);
        let marker = std::mem::take(&mut self.first);
        if units - self.segment > SEGMENT {
            let event = Event { tone: self.tone, end: false, duration: u16::MAX };
            let packet = EventPacket { timestamp: self.timestamp, marker, payload: event.write() };
            self.timestamp = self.timestamp.wrapping_add(SEGMENT);
            self.segment += SEGMENT;
            return packet;
        }
        let end = self.ends > 0 || lasted >= self.duration;
        self.next = if end {
            self.ends += 1;
            now + END_INTERVAL
        } else {
            now + INTERVAL
        };
        let duration = u16::try_from(units - self.segment).unwrap_or(u16::MAX);
        let event = Event { tone: self.tone, end, duration };
        EventPacket { timestamp: self.timestamp, marker, payload: event.write() }
    }
}
