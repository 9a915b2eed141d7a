//! Where registrations are kept between two runs of the server: `registrations.redb` in the data directory.

use super::{
    error::StoreError,
    registration::{Details, DeviceId, Registration},
    registry::Change,
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, backends::FileBackend};
use std::{
    fmt,
    fs::{File, OpenOptions},
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// Keys are the JSON of room, subject and device, values that of [`Details`].
const TABLE: TableDefinition<'_, &str, &str> = TableDefinition::new("registrations");
/// What one transaction takes at most: each waits for the disk once, however much is in it.
const MAX_BATCH: usize = 256;
/// Batches that may wait; whoever comes later is told to come again.
const QUEUE: usize = 1024;

/// Keeps registrations. Calls block until what was done is safe.
pub(crate) trait Store: Send + 'static {
    /// Says of each batch whether it is written.
    fn apply(&mut self, batches: &[Vec<Change>]) -> Vec<Result<(), StoreError>>;
}

/// One file of `redb`.
pub(crate) struct RedbStore<O> {
    open: O,
    /// None after a failure: a database that has failed once takes nothing more until it is opened again.
    database: Option<Database>,
}

impl RedbStore<()> {
    /// Opens the file, or makes it.
    pub(crate) fn open(
        file: &Path,
    ) -> Result<RedbStore<impl Fn() -> Result<Database, StoreError> + Send + 'static + use<>>, StoreError> {
        let file = file.to_owned();
        RedbStore::with(move || {
            // Unchecked, a file that something else has changed could end the server with a panic.
            Ok(Database::builder()
                .set_check_integrity_on_open(true)
                .create_with_backend(FileBackend::new(open_private(&file)?)?)?)
        })
    }
}

/// Opens the file, or makes it, for this user alone: whoever reads it can ring everybody in it.
fn open_private(file: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(|e| StoreError(e.to_string()))
}

impl<O: Fn() -> Result<Database, StoreError>> RedbStore<O> {
    fn with(open: O) -> Result<Self, StoreError> {
        let database = open()?;
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(Self { open, database: Some(database) })
    }

    fn database(&mut self) -> Result<&Database, StoreError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => (self.open)()?,
        };
        Ok(self.database.insert(database))
    }

    /// Everything in it.
    pub(crate) fn load(&mut self) -> Result<Vec<Registration>, StoreError> {
        let table = self.database()?.begin_read()?.open_table(TABLE)?;
        let mut all = Vec::new();
        for entry in table.iter()? {
            let (key, value) = entry?;
            let id = serde_json::from_str::<[String; 3]>(key.value());
            let details = serde_json::from_str::<Details>(value.value());
            if let (Ok([room, subject, device]), Ok(details)) = (id, details) {
                let id = DeviceId { room: room.into(), subject: subject.into(), device: device.into() };
                all.push(Registration { id, details });
            } else {
                tracing::warn!("a registration that this version cannot read is passed over");
            }
        }
        Ok(all)
    }

    /// All of these, or none: after an error everything is as before.
    fn write<'a>(&mut self, changes: impl IntoIterator<Item = &'a Change>) -> Result<(), StoreError> {
        let result = write(self.database()?, changes);
        if result.is_err() {
            self.database = None;
        }
        result
    }
}

impl<O: Fn() -> Result<Database, StoreError> + Send + 'static> Store for RedbStore<O> {
    fn apply(&mut self, batches: &[Vec<Change>]) -> Vec<Result<(), StoreError>> {
        if self.write(batches.iter().flatten()).is_ok() {
            return batches.iter().map(|_| Ok(())).collect();
        }
        // One that cannot be written must not take the others with it.
        batches.iter().map(|changes| self.write(changes)).collect()
    }
}

fn write<'a>(database: &Database, changes: impl IntoIterator<Item = &'a Change>) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        for change in changes {
            match change {
                Change::Put(Registration { id, details }) => {
                    let details = serde_json::to_string(details).map_err(|e| StoreError(e.to_string()))?;
                    table.insert(key(id).as_str(), details.as_str())?;
                }
                Change::Remove(id) => drop(table.remove(key(id).as_str())?),
            }
        }
    }
    Ok(transaction.commit()?)
}

fn key(DeviceId { room, subject, device }: &DeviceId) -> String {
    serde_json::json!([&**room, &**subject, &**device]).to_string()
}

/// What is called when changes are safe, or have failed.
pub(crate) type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Changes that belong together: all of them hold or none.
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    pub(crate) done: Done,
}

/// The thread that writes, with a bounded queue before it.
pub(crate) struct Writer {
    /// None after [`Writer::close`].
    queue: Mutex<Option<SyncSender<Batch>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn start(store: impl Store) -> Result<Self, StoreError> {
        let (sender, receiver) = sync_channel(QUEUE);
        let writer = thread::Builder::new().name("push-store".into()).spawn(move || serve(store, &receiver));
        let thread = writer.map_err(|e| StoreError(e.to_string()))?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Waits until all that was given to it is written and the store is closed.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A thread that has panicked has closed it, too.
            let _ = thread.join();
        }
    }

    /// Takes the batch, or gives it back to be reported as failed.
    pub(crate) fn submit(&self, batch: Batch) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sent = match queue {
            Some(queue) => queue.try_send(batch),
            None => Err(TrySendError::Disconnected(batch)),
        };
        let (batch, why) = match sent {
            Ok(()) => return,
            Err(TrySendError::Full(batch)) => (batch, "too much is waiting to be written"),
            Err(TrySendError::Disconnected(batch)) => (batch, "nothing is written any more"),
        };
        (batch.done)(Err(StoreError(why.into())));
    }
}

fn serve(mut store: impl Store, queue: &Receiver<Batch>) {
    while let Ok(first) = queue.recv() {
        let batches = std::iter::once(first).chain(queue.try_iter().take(MAX_BATCH));
        let (changes, done): (Vec<_>, Vec<_>) = batches.map(|batch| (batch.changes, batch.done)).unzip();
        for (done, result) in done.into_iter().zip(store.apply(&changes)) {
            done(result);
        }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
