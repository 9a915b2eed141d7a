//! A clock that runs while the device sleeps.
//!
//! Timers and [`Instant`] stop with the processor: on Android and Linux they follow `CLOCK_MONOTONIC`, on Apple's systems
//! `CLOCK_UPTIME_RAW`. A connection that was silent through a night would seem to have been silent for a minute.

use std::time::Duration;
use tokio::time::Instant;

/// Time since its start, sleep included. The rest of it is that of Tokio's timers, so that virtual time applies to it.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    awake: std::time::Instant,
    /// [`since_boot`] at the start.
    boot: Option<Duration>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), awake: std::time::Instant::now(), boot: since_boot() }
    }

    /// Since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed() + self.asleep()
    }

    /// When it will be so long since the start, if the device does not sleep until then.
    pub(super) fn instant(&self, elapsed: Duration) -> Instant {
        self.start + elapsed.saturating_sub(self.asleep())
    }

    fn asleep(&self) -> Duration {
        // In this order: what passes between the two readings is not taken for sleep.
        let boot = since_boot();
        let awake = self.awake.elapsed();
        boot.zip(self.boot).map_or(Duration::ZERO, |(now, start)| slept(now.saturating_sub(start), awake))
    }
}

/// How much longer than a processor was awake a time lasted; differences below a second are those of two clocks.
fn slept(lasted: Duration, awake: Duration) -> Duration {
    let slept = lasted.saturating_sub(awake);
    if slept < Duration::from_secs(1) { Duration::ZERO } else { slept }
}

/// Time since the device was started, sleep included; `None` where no such clock is known.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> Option<Duration> {
    read(rustix::time::ClockId::Boottime)
}

/// Time since the device was started, sleep included: what Darwin calls monotonic goes on, other than elsewhere.
#[cfg(target_vendor = "apple")]
fn since_boot() -> Option<Duration> {
    read(rustix::time::ClockId::Monotonic)
}

/// Time since the device was started, sleep included; `None` where no such clock is known.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn since_boot() -> Option<Duration> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn read(clock: rustix::time::ClockId) -> Option<Duration> {
    let time = rustix::time::clock_gettime(clock);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_time_although_the_processor_slept() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        assert_eq!(slept(hours(9), hours(1)), hours(8));
        assert_eq!(slept(hours(1), hours(1) + Duration::from_millis(3)), Duration::ZERO);
        assert_eq!(slept(Duration::from_millis(10_400), Duration::from_secs(10)), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_follows_the_timers_while_the_device_is_awake() {
        let clock = Clock::start();
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(clock.elapsed(), Duration::from_secs(20));
        assert_eq!(clock.instant(Duration::from_secs(25)), Instant::now() + Duration::from_secs(5));
    }
}
