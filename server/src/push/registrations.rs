//! The registrations that hold: all of them in memory, each written down before it does.

use super::{
    error::StoreError,
    metrics::PushMetrics,
    registration::Registration,
    registry::{Change, Registry},
    store::{Batch, Writer},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Called when people may have become reachable or have ceased to be, with their rooms and names, the old ones included.
type OnChange = Box<dyn Fn(Vec<(Arc<str>, String)>) + Send + Sync>;

pub(crate) struct Registrations {
    registry: Mutex<Registry>,
    writer: Writer,
    /// What is written comes back by way of a [`Following`](super::shared_store::Following), in one order with what other nodes write.
    is_followed: bool,
    pub(super) metrics: PushMetrics,
    on_change: OnceLock<OnChange>,
}

impl fmt::Debug for Registrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registrations")
    }
}

impl Registrations {
    pub(crate) fn new(registry: Registry, writer: Writer, is_followed: bool, metrics: PushMetrics) -> Self {
        let registrations =
            Self { registry: Mutex::new(registry), writer, is_followed, metrics, on_change: OnceLock::new() };
        registrations.count(&registrations.lock());
        registrations
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, registry: &Registry) {
        self.metrics.registrations.set(i64::try_from(registry.len()).unwrap_or(i64::MAX));
    }

    /// Only the first one counts.
    pub(crate) fn on_change(&self, call: impl Fn(Vec<(Arc<str>, String)>) + Send + Sync + 'static) {
        let _ = self.on_change.set(Box::new(call));
    }

    /// Writes the changes down; only then they hold, and `done` is called.
    pub(crate) fn submit(
        self: &Arc<Self>,
        changes: Vec<Change>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let registrations = self.clone();
        let to_apply = if self.is_followed { Vec::new() } else { changes.clone() };
        let done = move |result: Result<(), StoreError>| {
            match &result {
                Ok(()) => registrations.apply(to_apply),
                Err(e) => {
                    registrations.metrics.store_errors.inc();
                    tracing::error!(reason = %e, "registrations for push could not be written");
                }
            }
            done(result);
        };
        self.writer.submit(Batch { changes, done: Box::new(done) });
    }

    /// Takes in what is written.
    pub(crate) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut registry = self.lock();
        let mut names = Vec::new();
        for change in changes {
            let id = change.id();
            if let Change::Put(Registration { details, .. }) = &change {
                names.push((id.room.clone(), details.name.clone()));
            }
            names.extend(registry.get(id).map(|details| (id.room.clone(), details.name.clone())));
            registry.apply(change);
        }
        self.count(&registry);
        drop(registry);
        if let Some(on_change) = self.on_change.get() {
            on_change(names);
        }
    }

    /// A call that waited for somebody waits no more.
    pub(crate) fn ring_ended(&self, how: &'static str) {
        self.metrics.ring_ended(how);
    }

    /// Waits until all is written and the store is closed.
    pub(crate) fn close(&self) {
        self.writer.close();
    }
}
