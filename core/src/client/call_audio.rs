//! Microphone and speaker of a call, each as a task of its own: one that hangs holds up neither the call nor its end.

use super::DeviceKind;
use super::call_task::FromTask;
use super::device_thread::DeviceThread;
use crate::media::capture::{AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Opens the device, as often as it is asked to until that works, and closes it when it is told to or this is dropped.
pub(super) struct CallAudioDevice {
    /// Filled by what a person does, and by the tracks of the other side.
    orders: mpsc::UnboundedSender<Order>,
    failed: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

type Open = Box<dyn FnOnce() -> Result<Box<dyn CaptureHandle>, CaptureError> + Send>;

enum Order {
    Open(Open),
    /// Another call may have it.
    Release,
}

impl CallAudioDevice {
    pub(super) fn start(device: DeviceKind, thread: DeviceThread, to_driver: mpsc::Sender<FromTask>) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let failed = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(run(device, thread, to_driver, inbox, Arc::clone(&failed)));
        Self { orders, failed, task }
    }

    /// Whether it could not be opened last.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn open_microphone(&self, provider: Arc<dyn AudioProvider>, sink: AudioSink) {
        // The task ends when this is dropped.
        let _ = self.orders.send(Order::Open(Box::new(move || provider.open_microphone(sink))));
    }

    pub(super) fn open_speaker(&self, provider: Arc<dyn AudioProvider>, source: AudioSource) {
        // As above.
        let _ = self.orders.send(Order::Open(Box::new(move || provider.open_speaker(source))));
    }

    /// Closes it until it is opened again.
    pub(super) fn release(&self) {
        // As above.
        let _ = self.orders.send(Order::Release);
    }

    /// Closes it; the result ends when it is closed or given up.
    pub(super) fn close(self) -> JoinHandle<()> {
        self.task
    }
}

async fn run(
    device: DeviceKind,
    thread: DeviceThread,
    to_driver: mpsc::Sender<FromTask>,
    mut inbox: mpsc::UnboundedReceiver<Order>,
    failed: Arc<AtomicBool>,
) {
    let (mut turn, mut open): (_, Option<Box<dyn CaptureHandle>>) = (None, None);
    let mut next = None;
    loop {
        let Some(order) = (match next.take() {
            Some(order) => Some(order),
            None => inbox.recv().await,
        }) else {
            break;
        };
        let Order::Open(order) = order else {
            close(device, &thread, open.take()).await;
            // One that could not be opened has its next try when it is opened again.
            failed.store(false, Ordering::Release);
            turn = None;
            continue;
        };
        if turn.is_none() {
            // The device of the call before may still be closing. What is asked for meanwhile takes the place of this.
            tokio::select! {
                taken = thread.turn() => turn = taken.ok(),
                newer = inbox.recv() => match newer {
                    Some(newer) => {
                        next = Some(newer);
                        continue;
                    }
                    None => break,
                },
            }
        }
        // Most devices are one, so the one that is open goes first.
        let before = open.take();
        let opened = thread.run(move || {
            drop(before);
            order()
        });
        let opened = opened.await.and_then(|opened| opened.map_err(Into::into));
        failed.store(opened.is_err(), Ordering::Release);
        match opened {
            Ok(handle) => open = Some(handle),
            Err(why) => {
                log::warn!("{device:?}: {why}");
                // The driver is gone only when the whole client is.
                let _ = to_driver.send(FromTask::DeviceFailed { device, why }).await;
            }
        }
    }
    close(device, &thread, open).await;
    drop(turn);
}

async fn close(device: DeviceKind, thread: &DeviceThread, open: Option<Box<dyn CaptureHandle>>) {
    if let Err(why) = thread.run(move || drop(open)).await {
        log::warn!("{device:?} did not close: {why}");
    }
}
