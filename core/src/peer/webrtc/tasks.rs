//! The tasks of one connection: all of them end with it.

use std::sync::{Mutex, PoisonError};
use tokio::task::JoinSet;

/// A set of tasks; dropping it aborts them.
#[derive(Default)]
pub(super) struct Tasks(Mutex<Option<JoinSet<()>>>);

impl Tasks {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Some(JoinSet::new())))
    }

    /// Starts one, unless the set is closed.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tasks) = tasks.as_mut() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    /// Aborts them all, without waiting. No more can be started.
    pub(super) fn abort(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Aborts them all and waits until they are gone. No more can be started.
    pub(super) async fn stop(&self) {
        let tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }
}
