//! Threads on which devices are opened and closed. An app's device may take long, and a broken one may never return: it holds up
//! its own thread and nothing else.

use super::ClientError;
use crate::media::capture::CaptureError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::time::timeout;

/// How long a device may take to open or to close until it counts as broken.
pub(super) const DEVICE_TIMEOUT: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

/// The threads of a client, one for each kind of device. What one call closes is closed before the next one opens it.
#[derive(Clone)]
pub(super) struct DeviceThreads {
    pub(super) camera: DeviceThread,
    pub(super) microphone: DeviceThread,
    pub(super) speaker: DeviceThread,
    pub(super) screen: DeviceThread,
}

impl DeviceThreads {
    pub(super) fn new() -> Self {
        let new = DeviceThread::new;
        Self { camera: new("camera"), microphone: new("microphone"), speaker: new("speaker"), screen: new("screen") }
    }
}

/// One of them. It ends with its last clone, once its device has returned.
#[derive(Clone)]
pub(super) struct DeviceThread {
    device: &'static str,
    /// Filled with the first job.
    jobs: Arc<OnceLock<mpsc::Sender<Job>>>,
    turn: Arc<Mutex<()>>,
}

impl DeviceThread {
    /// One that is started when it is needed.
    fn new(device: &'static str) -> Self {
        Self { device, jobs: Arc::default(), turn: Arc::default() }
    }

    fn start(device: &str) -> mpsc::Sender<Job> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let spawned = std::thread::Builder::new().name(format!("chamada-{device}")).spawn(move || {
            for job in inbox {
                job();
            }
        });
        if let Err(error) = spawned {
            // Every job is refused then, as if the device were broken.
            log::error!("no thread for the {device}: {error}");
        }
        jobs
    }

    /// Waits until no other call has the device.
    ///
    /// # Errors
    /// [`CaptureError::NotReadable`] after [`DEVICE_TIMEOUT`].
    pub(super) async fn turn(&self) -> Result<OwnedMutexGuard<()>, ClientError> {
        timeout(DEVICE_TIMEOUT, Arc::clone(&self.turn).lock_owned()).await.map_err(|_| silent())
    }

    /// Does something that may block. What comes of it after the time is over is dropped on the thread: a device that opens late is
    /// closed again.
    ///
    /// # Errors
    /// [`CaptureError::NotReadable`] after [`DEVICE_TIMEOUT`], or if `work` panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ClientError> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            if !reply.is_closed() {
                // Whoever waited may be gone: then the result goes here.
                let _ = reply.send(catch_unwind(AssertUnwindSafe(work)));
            }
        };
        let broken = || ClientError::from(CaptureError::NotReadable("the device's driver failed".into()));
        let jobs = self.jobs.get_or_init(|| Self::start(self.device));
        jobs.send(Box::new(job)).map_err(|_| broken())?;
        match timeout(DEVICE_TIMEOUT, answer).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(_)) | Err(_)) => Err(broken()),
            Err(_) => Err(silent()),
        }
    }
}

fn silent() -> ClientError {
    CaptureError::NotReadable("the device does not answer".into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Device(Arc<AtomicUsize>);

    impl Drop for Device {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_opens_too_late_is_given_up_and_closed_again() {
        let thread = DeviceThread::new("test");
        let closed = Arc::new(AtomicUsize::new(0));
        let (release, hang) = mpsc::channel::<()>();
        let device = Device(Arc::clone(&closed));
        let opened = thread.run(move || {
            let _ = hang.recv();
            device
        });
        assert!(opened.await.is_err_and(|error| error.to_string().contains("does not answer")));
        assert_eq!(closed.load(Ordering::SeqCst), 0);
        drop(release);
        tokio::time::resume();
        // The thread does one thing after the other: when this is done, the device was closed.
        thread.run(|| ()).await.unwrap();
        assert_eq!(closed.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_device_that_panics_is_broken_for_once() {
        let thread = DeviceThread::new("test");
        assert!(thread.run(|| panic!("on purpose")).await.is_err());
        assert_eq!(thread.run(|| 7).await.unwrap(), 7);
    }
}
