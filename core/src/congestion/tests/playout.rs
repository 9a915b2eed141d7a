//! When pictures are shown, and the freezes that a viewer sees.

use std::collections::VecDeque;

use super::link::MILLI;

/// Pictures over which the delay is learned.
const WINDOW: usize = 300;

/// Shows pictures at capture plus a delay that follows the 97th percentile of how late they come.
pub(super) struct Playout {
    lateness: VecDeque<u64>,
    sorted: Vec<u64>,
    delay: f64,
    last_shown: Option<u64>,
    intervals: VecDeque<u64>,
    pub(super) freezes: u32,
}

/// A picture on the screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) at: u64,
    /// The time that stood still before it, from – to, if the viewer saw a freeze.
    pub(super) froze: Option<(u64, u64)>,
}

impl Playout {
    pub(super) fn new() -> Self {
        Self {
            lateness: VecDeque::new(),
            sorted: Vec::new(),
            delay: 0.0,
            last_shown: None,
            intervals: VecDeque::new(),
            freezes: 0,
        }
    }

    pub(super) fn delay(&self) -> u64 {
        self.delay as u64
    }

    /// A picture that was captured then can be decoded now.
    pub(super) fn complete(&mut self, now: u64, captured: u64, rtt: u64) -> Shown {
        let late = now.saturating_sub(captured);
        self.lateness.push_back(late);
        self.sorted.insert(self.sorted.partition_point(|other| *other < late), late);
        if self.lateness.len() > WINDOW
            && let Some(old) = self.lateness.pop_front()
        {
            self.sorted.remove(self.sorted.partition_point(|other| *other < old));
        }
        let high = self.sorted[(self.sorted.len() * 97 / 100).min(self.sorted.len() - 1)];
        let least = self.sorted[0];
        let wanted = high.min(least + (400 * MILLI).min(60 * MILLI + rtt * 16 / 5)) as f64;
        if self.delay == 0.0 {
            self.delay = wanted;
        }
        self.delay += (wanted - self.delay) * if wanted > self.delay { 0.10 } else { 0.004 };
        let due = captured + self.delay as u64;
        let at = now.max(due).max(self.last_shown.unwrap_or(0));
        self.show(at)
    }

    fn show(&mut self, at: u64) -> Shown {
        let Some(last) = self.last_shown.replace(at) else { return Shown { at, froze: None } };
        let interval = at - last;
        let froze = self.is_freeze(interval).then_some((last, at));
        self.freezes += u32::from(froze.is_some());
        self.intervals.push_back(interval);
        if self.intervals.len() > 30 {
            self.intervals.pop_front();
        }
        Shown { at, froze }
    }

    /// `freezeCount` of W3C's webrtc-stats: longer than three times the mean of the last 30, and than that mean and 150 ms.
    fn is_freeze(&self, interval: u64) -> bool {
        let count = self.intervals.len() as u64;
        if count == 0 {
            return interval > 150 * MILLI;
        }
        let mean = self.intervals.iter().sum::<u64>() / count;
        interval > (3 * mean).max(mean + 150 * MILLI)
    }

    /// The freeze that has not ended yet.
    pub(super) fn unfinished(&self, now: u64) -> Option<(u64, u64)> {
        let last = self.last_shown?;
        self.is_freeze(now.saturating_sub(last)).then_some((last, now))
    }
}
