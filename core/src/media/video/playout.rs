//! When received pictures are shown: at an even pace, as they were captured, as late as the path's jitter asks for and no later.
//!
//! A picture is due at its capture time, which its RTP timestamp tells, plus the delay that [`JitterEstimator`] finds worth having. On a
//! path without jitter that is at once. Sans-IO: it is told the time.

use super::codec::VIDEO_CLOCK_RATE;
use super::jitter::JitterEstimator;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The delay above the least one stays below this, whatever the round trip: a conversation suffers from more.
const MAX_DELAY: Duration = Duration::from_millis(400);
/// Below this, and three round trips more, a lost packet is repaired in time twice or three times over.
const MIN_LIMIT: Duration = Duration::from_millis(60);
const ROUND_TRIPS: f64 = 3.2;
/// Round trip before one was measured.
const DEFAULT_RTT: Duration = Duration::from_millis(100);
/// Most that pictures wait for the sake of sound.
const MAX_EXTRA: Duration = Duration::from_millis(400);
/// How much of a change of the extra delay is made with each picture, so that nothing jumps.
const EXTRA_STEP: f64 = 0.25;
/// Pictures that are later than this are shown as fast as they come.
const CATCH_UP: Duration = Duration::from_millis(250);
/// Late pictures are shown half their own interval apart, and not further than one refresh of a 60 Hz display.
const MAX_SPACING: Duration = Duration::from_millis(16);
/// A picture that is due so soon is shown now.
const TIMER: Duration = Duration::from_millis(1);
/// A timestamp that is so far behind, or so far ahead of, what was expected says that the sender's clock began anew.
const MAX_BACK: i64 = 3_000_000;
const MAX_AHEAD: i64 = 500_000;
/// Most pictures, and bytes of them, that wait. One more shows the oldest before its time: memory is bounded, and nothing is lost.
pub(super) const MAX_WAITING: usize = 16;
pub(super) const MAX_WAITING_BYTES: usize = 32 << 20;

/// Where a picture belongs in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) ssrc: u32,
    /// At [`VIDEO_CLOCK_RATE`]; wraps.
    pub(super) rtp_timestamp: u32,
    /// When its first packet came.
    pub(super) arrived_at: Instant,
}

/// Orders decoded pictures `P` in time: [`push`](Self::push) each as soon as it is decoded, [`pop`](Self::pop) until there is none, and
/// again at [`next_due`](Self::next_due).
#[derive(Debug)]
pub(super) struct Playout<P> {
    limit: Duration,
    extra: f64,
    wanted_extra: Duration,
    clock: Option<Clock>,
    jitter: JitterEstimator,
    last_due: Option<Instant>,
    waiting: VecDeque<Waiting<P>>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting<P> {
    due: Instant,
    bytes: usize,
    timing: Timing,
    picture: P,
}

/// A stream's RTP clock, counted on where 32 bits wrap.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ssrc: u32,
    origin: Instant,
    last: u32,
    /// Since the origin.
    ticks: i64,
}

impl Clock {
    fn new(timing: Timing, now: Instant) -> Self {
        Self { ssrc: timing.ssrc, origin: now, last: timing.rtp_timestamp, ticks: 0 }
    }

    /// Ticks since the last picture, which may be negative.
    fn step(&self, timestamp: u32) -> i64 {
        i64::from(timestamp.wrapping_sub(self.last) as i32)
    }

    fn advance(&mut self, timestamp: u32) {
        self.ticks += self.step(timestamp);
        self.last = timestamp;
    }

    /// How much later than its capture something is at `now`, in microseconds, plus a constant.
    fn delay(&self, now: Instant) -> i64 {
        let elapsed = i64::try_from(now.saturating_duration_since(self.origin).as_micros()).unwrap_or(i64::MAX);
        elapsed.saturating_sub(micros(self.ticks))
    }

    /// When the picture that it stands at is to be shown at this delay.
    fn at(&self, delay: i64) -> Instant {
        let micros = micros(self.ticks).saturating_add(delay).max(0).cast_unsigned();
        self.origin.checked_add(Duration::from_micros(micros)).unwrap_or(self.origin)
    }
}

fn micros(ticks: i64) -> i64 {
    ticks.saturating_mul(1_000_000) / i64::from(VIDEO_CLOCK_RATE)
}

impl<P> Playout<P> {
    pub(super) fn new() -> Self {
        let mut playout = Self {
            limit: Duration::ZERO,
            extra: 0.0,
            wanted_extra: Duration::ZERO,
            clock: None,
            jitter: JitterEstimator::default(),
            last_due: None,
            waiting: VecDeque::new(),
            bytes: 0,
        };
        playout.set_rtt(DEFAULT_RTT);
        playout
    }

    /// The delay may be longer where repair takes longer.
    pub(super) fn set_rtt(&mut self, rtt: Duration) {
        self.limit = MIN_LIMIT.saturating_add(rtt.min(MAX_DELAY).mul_f64(ROUND_TRIPS)).min(MAX_DELAY);
    }

    /// Shows all pictures so much later, at most 400 ms: for the sake of sound that plays later.
    pub(super) fn set_extra_delay(&mut self, extra: Duration) {
        self.wanted_extra = extra.min(MAX_EXTRA);
    }

    /// Takes a picture that was decoded just now; `bytes` is the memory that it holds.
    pub(super) fn push(&mut self, now: Instant, timing: Timing, bytes: usize, picture: P) {
        let step = self.advance(now, timing);
        let wanted = self.wanted_extra.as_micros() as f64;
        self.extra += (wanted - self.extra) * EXTRA_STEP;
        let due = self.due(now, step);
        self.last_due = Some(due);
        self.bytes += bytes;
        self.waiting.push_back(Waiting { due, bytes, timing, picture });
    }

    /// A picture that is to be shown now.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Timing, P)> {
        let due = self.waiting.front()?.due <= now;
        if !due && !self.is_full() {
            return None;
        }
        let Waiting { bytes, timing, picture, .. } = self.waiting.pop_front()?;
        self.bytes -= bytes;
        Some((timing, picture))
    }

    /// When the next picture is to be shown.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.front().map(|next| next.due)
    }

    /// For how long pictures are held beyond the least delay of the path, that for sound included.
    pub(super) fn target_delay(&self) -> Duration {
        let jitter =
            self.jitter.delay().zip(self.jitter.least()).map_or(0, |(delay, least)| delay.saturating_sub(least));
        Duration::from_micros(jitter.max(0).cast_unsigned() + self.extra as u64)
    }

    fn is_full(&self) -> bool {
        self.waiting.len() > MAX_WAITING || self.bytes > MAX_WAITING_BYTES && self.waiting.len() > 1
    }

    /// Moves the clock on to this picture and learns from its delay; the time since the picture before it.
    fn advance(&mut self, now: Instant, timing: Timing) -> Duration {
        let mut clock = match self.clock {
            Some(clock) if clock.ssrc == timing.ssrc => clock,
            _ => self.restart(now, timing),
        };
        let mut step = clock.step(timing.rtp_timestamp);
        clock.advance(timing.rtp_timestamp);
        if let Some(least) = self.jitter.least() {
            let late = clock.delay(now).saturating_sub(least);
            if !(-MAX_AHEAD..=MAX_BACK).contains(&late) {
                (clock, step) = (self.restart(now, timing), 0);
            }
        }
        let limit = i64::try_from(self.limit.as_micros()).unwrap_or(i64::MAX);
        self.jitter.add(clock.delay(now), limit);
        self.clock = Some(clock);
        Duration::from_micros(micros(step).max(0).cast_unsigned())
    }

    fn restart(&mut self, now: Instant, timing: Timing) -> Clock {
        self.jitter = JitterEstimator::default();
        Clock::new(timing, now)
    }

    fn due(&self, now: Instant, step: Duration) -> Instant {
        let (Some(clock), Some(delay)) = (self.clock, self.jitter.delay()) else { return now };
        let ideal = clock.at(delay.saturating_add(self.extra as i64));
        let spaced = self.last_due.map_or(now, |last| last + (step / 2).min(MAX_SPACING));
        if now.saturating_duration_since(ideal) > CATCH_UP {
            return self.last_due.map_or(now, |last| last.max(now));
        }
        let due = ideal.max(spaced);
        // Timers are no finer.
        if due.saturating_duration_since(now) < TIMER { now } else { due }
    }
}

#[cfg(test)]
#[path = "playout_tests.rs"]
mod tests;
