//! Notices the end of the crate's task of a connection. A connection whose task ended, by an error or a panic, answers nothing and
//! reports nothing; the crate tells nobody.

use super::events::Events;
use crate::call::ConnectionState;
use crate::peer::PeerEvent;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Watches the first task that a connection spawns, which is its driver; the others belong to single TCP candidates.
#[derive(Clone)]
pub(super) struct DriverTask(Arc<Inner>);

struct Inner {
    events: Events,
    /// The driver has been spawned.
    spawned: AtomicBool,
    /// The connection exists. A driver that ends before has made none, which the crate does tell.
    running: AtomicBool,
}

impl std::fmt::Debug for DriverTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverTask").finish_non_exhaustive()
    }
}

impl DriverTask {
    pub(super) fn new(events: Events) -> Self {
        Self(Arc::new(Inner { events, spawned: AtomicBool::new(false), running: AtomicBool::new(false) }))
    }

    /// The connection exists: from here on the end of its task is told.
    pub(super) fn is_running(&self) {
        self.0.running.store(true, Ordering::Release);
    }

    /// The same task, watched if it is the driver.
    pub(super) fn watch(&self, task: Task) -> Task {
        if self.0.spawned.swap(true, Ordering::AcqRel) {
            return task;
        }
        let end = End(Arc::clone(&self.0));
        Box::pin(async move {
            // Dropped with the task, however it ends.
            let _end = end;
            task.await;
        })
    }
}

struct End(Arc<Inner>);

impl Drop for End {
    fn drop(&mut self) {
        // After the connection was closed by this side nothing is told any more.
        if self.0.running.load(Ordering::Acquire) {
            self.0.events.emit(PeerEvent::Connection(ConnectionState::Closed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    fn closed(events: &mut mpsc::Receiver<PeerEvent>) -> bool {
        matches!(events.try_recv(), Ok(PeerEvent::Connection(ConnectionState::Closed)))
    }

    #[tokio::test]
    async fn a_driver_that_panics_is_told_and_other_tasks_that_end_are_not() {
        let (sender, mut events) = mpsc::channel(8);
        let driver = DriverTask::new(Events::new(sender));
        let task = driver.watch(Box::pin(async { panic!("on purpose") }));
        driver.is_running();
        driver.watch(Box::pin(async {})).await;
        assert!(!closed(&mut events));
        assert!(tokio::spawn(task).await.is_err());
        assert!(closed(&mut events));
    }

    #[tokio::test]
    async fn a_driver_that_never_ran_or_was_closed_is_not_told() {
        let (sender, mut events) = mpsc::channel(8);
        let gate = Events::new(sender);
        DriverTask::new(gate.clone()).watch(Box::pin(async {})).await;
        let driver = DriverTask::new(gate.clone());
        driver.is_running();
        gate.close();
        driver.watch(Box::pin(async {})).await;
        assert!(!closed(&mut events));
    }
}
