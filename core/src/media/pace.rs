//! A thread that does something at an even pace until its handle is dropped: the clockwork of cameras and sound that no device drives.

use super::capture::{CaptureError, CaptureHandle};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a thread is paced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Beats per second; positive and finite.
    pub(crate) per_second: f64,
    /// How many beats it may be behind and still do them all; beyond that they are left out.
    pub(crate) catch_up: u64,
}

impl Pace {
    /// One beat for 10 ms of sound. After a hiccup sound is made up for, as a device's own buffer would, up to 200 ms.
    pub(crate) const SOUND: Self = Self { per_second: 100.0, catch_up: 20 };

    /// One beat for a picture. Late pictures are left out, as a camera does.
    pub(crate) fn pictures(fps: f64) -> Self {
        Self { per_second: fps, catch_up: 0 }
    }

    /// When a beat is due, counted from the start: absolute, so that errors do not add up.
    fn due(self, beat: u64) -> Duration {
        Duration::try_from_secs_f64(beat as f64 / self.per_second).unwrap_or(Duration::MAX)
    }

    /// Which beat is next, after `beat` was done and `elapsed` has passed since the start.
    fn after(self, beat: u64, elapsed: Duration) -> u64 {
        let now = (elapsed.as_secs_f64() * self.per_second) as u64;
        if now > (beat + 1).saturating_add(self.catch_up) { now } else { beat + 1 }
    }
}

/// Ends the thread and waits for it when dropped.
#[derive(Debug)]
pub(crate) struct PacedThread {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl PacedThread {
    /// Calls `beat` at once and then at the pace until it breaks or the handle is dropped.
    pub(crate) fn spawn(
        name: &str,
        pace: Pace,
        mut beat: impl FnMut() -> ControlFlow<()> + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let stopped = Arc::clone(&stop);
        let run = move || {
            let start = Instant::now();
            let mut number = 0;
            while !wait_until(&stopped, start.checked_add(pace.due(number))) {
                if beat().is_break() {
                    break;
                }
                number = pace.after(number, start.elapsed());
            }
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(|error| CaptureError::NotReadable(format!("no thread for {name}: {error}")))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

/// Waits for the time (for ever if there is none) or the end; whether it is the end.
fn wait_until(stop: &(Mutex<bool>, Condvar), due: Option<Instant>) -> bool {
    let mut stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if *stopped {
            return true;
        }
        stopped = match due {
            None => stop.1.wait(stopped).unwrap_or_else(PoisonError::into_inner),
            Some(due) => {
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                stop.1.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}

impl CaptureHandle for PacedThread {}

impl Drop for PacedThread {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // A sink may drop the handle from within the thread, which cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                log::error!("a capture thread ended by a panic");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn beats_are_due_at_absolute_times_and_do_not_drift() {
        let pace = Pace::pictures(30.0);
        assert_eq!(pace.due(0), Duration::ZERO);
        assert_eq!(pace.due(30 * 3600), Duration::from_secs(3600));
        assert_eq!(pace.after(4, Duration::from_millis(150)), 5);
    }

    #[test]
    fn late_pictures_are_left_out_and_late_sound_is_made_up_for() {
        assert_eq!(Pace::pictures(10.0).after(0, Duration::from_secs(1)), 10);
        assert_eq!(Pace::SOUND.after(0, Duration::from_millis(150)), 1);
        assert_eq!(Pace::SOUND.after(0, Duration::from_secs(1)), 100);
    }

    #[test]
    fn dropping_the_handle_ends_a_thread_that_waits_for_a_far_beat() {
        let (sender, receiver) = mpsc::channel();
        let beat = move || {
            sender.send(()).unwrap();
            ControlFlow::Continue(())
        };
        let handle = PacedThread::spawn("test", Pace::pictures(1e-6), beat).unwrap();
        receiver.recv().unwrap();
        let start = Instant::now();
        drop(handle);
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(receiver.recv().is_err(), "the thread is gone");
    }

    #[test]
    fn a_handle_may_be_dropped_by_the_thread_that_it_keeps() {
        let slot: Arc<Mutex<Option<PacedThread>>> = Arc::default();
        let (sender, receiver) = mpsc::channel();
        let own = Arc::clone(&slot);
        let beat = move || {
            if let Some(handle) = own.lock().unwrap().take() {
                drop(handle);
                sender.send(()).unwrap();
            }
            ControlFlow::Continue(())
        };
        *slot.lock().unwrap() = Some(PacedThread::spawn("test", Pace::SOUND, beat).unwrap());
        receiver.recv().unwrap();
        assert!(receiver.recv().is_err(), "the thread is gone");
    }
}
