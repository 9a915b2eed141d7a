//! What all nodes of a cluster share: the registrations, and the key for Web Push, which subscriptions are bound to.

use super::{
    error::{PushError, StoreError},
    keys,
    registration::{Details, DeviceId, Registration},
    registrations::Registrations,
    registry::{Change, MAX_REGISTRATIONS},
    store::Store,
};
use crate::router::{KeyChange, KeyChanges, KeyValue, Unavailable};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, future::join_all};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, watch},
    time,
};

/// Before the key of a device: base64url of the JSON of room, subject and device.
const DEVICE: &str = "device.";
/// The key of the private key for Web Push.
const VAPID: &str = "vapid";
/// How long the next of what is in the bucket may take to come, or what was written to come back.
const PATIENCE: Duration = Duration::from_secs(2);
/// After the way to the bucket has broken.
const FOLLOW_PAUSE: Duration = Duration::from_secs(1);

/// Writes registrations to the bucket. Of changes that belong together some may hold after an error; every node hears which.
pub(crate) struct SharedStore {
    bucket: Arc<dyn KeyValue>,
    heard: watch::Receiver<u64>,
    runtime: Handle,
}

impl SharedStore {
    async fn write(&self, batches: &[Vec<Change>]) -> Vec<Result<(), StoreError>> {
        let mut newest = HashMap::new();
        for change in batches.iter().flatten() {
            newest.insert(key(change.id()), change);
        }
        let written = join_all(newest.into_iter().map(async |(key, change)| {
            let written = match change {
                Change::Put(Registration { details, .. }) => match serde_json::to_vec(details) {
                    Ok(details) => self.bucket.put(&key, details).await.map_err(|e| StoreError(e.to_string())),
                    Err(e) => Err(StoreError(e.to_string())),
                },
                Change::Remove(_) => self.bucket.delete(&key).await.map(|()| 0).map_err(|e| StoreError(e.to_string())),
            };
            (change.id(), written)
        }));
        let written: HashMap<&DeviceId, Result<u64, StoreError>> = written.await.into_iter().collect();
        // Who has registered can be rung, here too. If that does not come back now, it does with all of them.
        let last = written.values().flatten().copied().max().unwrap_or_default();
        let _ = time::timeout(PATIENCE, self.heard.clone().wait_for(|heard| *heard >= last)).await;
        let result = |change: &Change| match written.get(change.id()) {
            Some(Err(e)) => Err(e.clone()),
            Some(Ok(_)) | None => Ok(()),
        };
        batches.iter().map(|changes| changes.iter().try_for_each(result)).collect()
    }
}

impl Store for SharedStore {
    fn apply(&mut self, batches: &[Vec<Change>]) -> Vec<Result<(), StoreError>> {
        self.runtime.block_on(self.write(batches))
    }
}

/// Takes in what devices register at any node.
pub(crate) struct Following {
    bucket: Arc<dyn KeyValue>,
    /// Up to which revision.
    heard: watch::Sender<u64>,
    /// What is still to come.
    changes: Mutex<Option<KeyChanges>>,
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl Following {
    pub(crate) fn new(bucket: Arc<dyn KeyValue>) -> Self {
        Self { bucket, heard: watch::Sender::new(0), changes: Mutex::default() }
    }

    /// Writes there; what is written comes back here. To be called on the runtime that the bucket belongs to.
    pub(crate) fn store(&self) -> SharedStore {
        SharedStore { bucket: self.bucket.clone(), heard: self.heard.subscribe(), runtime: Handle::current() }
    }

    /// Takes in all that there is.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub(crate) async fn begin(&self, registrations: &Registrations) -> Result<(), Unavailable> {
        // A bucket that was made anew counts from the beginning.
        self.heard.send_replace(0);
        let mut changes = self.bucket.watch().await?;
        let mut told = HashSet::new();
        loop {
            match time::timeout(PATIENCE, changes.next()).await {
                Ok(Some(Ok(KeyChange::Whole))) => break,
                Ok(Some(change)) => told.extend(self.take_in(registrations, change?)),
                Ok(None) | Err(_) => return Err(Unavailable("the registrations do not come".into())),
            }
        }
        // What was accepted and is not even known as deleted, the store has lost.
        let lost = registrations.lock().besides(&told);
        for Registration { id, details } in lost {
            tracing::info!("a registration that the other nodes do not know is written again");
            let details = serde_json::to_vec(&details).map_err(|e| Unavailable(e.to_string()))?;
            self.bucket.create(&key(&id), details).await?;
        }
        *self.changes.lock().await = Some(changes);
        Ok(())
    }

    /// Takes in every change, and everything anew whenever the way has broken. Ends never.
    pub(crate) async fn go_on(&self, registrations: &Registrations) {
        let mut is_told = false;
        loop {
            let begun = if self.changes.lock().await.is_some() { Ok(()) } else { self.begin(registrations).await };
            is_told &= begun.is_err();
            let result = match begun {
                Ok(()) => self.until_it_breaks(registrations).await,
                Err(e) => Err(e),
            };
            if let Err(e) = result
                && !std::mem::replace(&mut is_told, true)
            {
                tracing::warn!(reason = %e, "registrations at other nodes are not heard of");
            }
            time::sleep(FOLLOW_PAUSE).await;
        }
    }

    async fn until_it_breaks(&self, registrations: &Registrations) -> Result<(), Unavailable> {
        let Some(mut changes) = self.changes.lock().await.take() else { return Ok(()) };
        while let Some(change) = changes.next().await {
            self.take_in(registrations, change?);
        }
        Err(Unavailable("it ended".into()))
    }

    /// Says of which device that was.
    fn take_in(&self, registrations: &Registrations, change: KeyChange) -> Option<DeviceId> {
        let (id, revision) = match change {
            KeyChange::Put { key, value, revision } => {
                let id = device_of(&key);
                let known = |id: &DeviceId| {
                    let registry = registrations.lock();
                    registry.len() < MAX_REGISTRATIONS || registry.get(id).is_some()
                };
                if let Some(id) = id.clone().filter(known) {
                    match serde_json::from_slice::<Details>(&value) {
                        Ok(details) => registrations.apply(vec![Change::Put(Registration { id, details })]),
                        Err(_) => tracing::warn!("a registration that this version cannot read is passed over"),
                    }
                }
                (id, revision)
            }
            KeyChange::Deleted { key } => {
                let id = device_of(&key);
                registrations.apply(id.clone().into_iter().map(Change::Remove).collect());
                (id, 0)
            }
            KeyChange::Whole => (None, 0),
        };
        self.heard.send_if_modified(|heard| std::mem::replace(heard, revision.max(*heard)) < revision);
        id
    }
}

fn key(DeviceId { room, subject, device }: &DeviceId) -> String {
    let id = serde_json::json!([&**room, &**subject, &**device]).to_string();
    format!("{DEVICE}{}", URL_SAFE_NO_PAD.encode(id))
}

/// Whose device a key stands for; none if it is another kind of key.
fn device_of(key: &str) -> Option<DeviceId> {
    let id = URL_SAFE_NO_PAD.decode(key.strip_prefix(DEVICE)?).ok()?;
    let [room, subject, device] = serde_json::from_slice::<[String; 3]>(&id).ok()?;
    Some(DeviceId { room: room.into(), subject: subject.into(), device: device.into() })
}

/// Makes the key of the first node that of all, by putting it into `file`. To be called again from time to time: the bucket forgets what nobody
/// puts there for a year.
pub(crate) async fn share_key(bucket: &dyn KeyValue, file: &Path) -> Result<(), PushError> {
    let failed = |source| PushError::File { file: file.into(), source };
    let unavailable = |e: Unavailable| StoreError(e.to_string());
    keys::vapid_key(file)?;
    let own = std::fs::read(file).map_err(failed)?;
    if bucket.create(VAPID, own.clone()).await.map_err(unavailable)?.is_some() {
        return Ok(());
    }
    match bucket.get(VAPID).await.map_err(unavailable)? {
        Some(shared) if shared.value == own => {
            bucket.put(VAPID, own).await.map_err(unavailable)?;
        }
        Some(shared) => {
            tracing::warn!("the other nodes have another key for Web Push, which takes the place of this one's");
            keys::write_secret(file, &shared.value).map_err(failed)?;
        }
        None => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_only_characters_that_nats_takes_and_says_whose_device_it_is() {
        let id = DeviceId { room: "a room".into(), subject: "zoë|1".into(), device: "d/1*>".into() };
        let key = key(&id);
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{key}");
        assert_eq!(device_of(&key), Some(id));
        for other in [VAPID, "device.", "device.%", "device.bnVsbA"] {
            assert_eq!(device_of(other), None, "{other}");
        }
    }
}
