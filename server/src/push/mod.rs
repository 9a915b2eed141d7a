//! Rings devices that are not connected, by push: who can be reached, and how.
//!
//! `registration` says what a device may register. `registrations` has all of it, by name in `registry`, and writes it down by a `store`: on
//! disk, or in `shared_store` for all nodes. `ringing` holds calls until somebody comes, `delivery` sends to a push service by its `provider`:
//! `apns`, `fcm`, `web`, `webhook`. A push carries who calls in which room, and no more: the device logs in and gets the offer.

mod apns;
mod config;
mod delivery;
mod encryption;
mod error;
mod fcm;
mod http;
mod keys;
mod metrics;
mod provider;
mod providers;
mod registration;
mod registrations;
mod registry;
mod ringing;
mod shared_store;
mod store;
mod url_check;
mod web;
mod webhook;

pub(crate) use delivery::PushedRing;
pub(crate) use metrics::PushMetrics;
pub(crate) use registration::{DeviceId, check_device};
pub(crate) use ringing::{Callee, Caller, Reached, Ring, Ringing};

pub use config::{ApnsConfig, FcmConfig, PushConfig, WebhookConfig};
pub use error::{PushError, StoreError};

use crate::router::KeyValue;
use chamada::signaling::message::{PushInfo, PushPlatform, PushRegister, PushedCall};
use delivery::Delivery;
use providers::{VAPID_KEY, providers};
use registration::{Details, Registration, RegistrationFault, check_address};
use registrations::Registrations;
use registry::{Change, Registry};
use shared_store::{Following, share_key};
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use store::{RedbStore, Writer};
use tokio::time::Instant;

/// A device that says the same again is written down so often.
const FRESH_SECONDS: u64 = 24 * 60 * 60;
/// A device that was not heard of for so long is forgotten.
const SILENT_SECONDS: u64 = 90 * 24 * 60 * 60;

/// Why a device was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error("{0}")]
    Fault(#[from] RegistrationFault),
    #[error("no more devices can be registered")]
    Full,
    /// What was registered before still is.
    #[error("it could not be written down; try again later")]
    Store,
}

#[derive(Debug)]
pub(crate) struct Push {
    registrations: Arc<Registrations>,
    /// None: the server is alone.
    following: Option<Following>,
    delivery: Arc<Delivery>,
    info: PushInfo,
    allow_private: bool,
    ring_time: Duration,
}

impl Push {
    /// Whether this could be opened, as far as that can be known without taking the store.
    pub(crate) fn check(config: &PushConfig, authorities: Option<&Path>) -> Result<(), PushError> {
        providers(config, authorities, false).map(drop)
    }

    /// Takes over what all nodes have to have in common; to be called before [`Push::open`] with that bucket, and once a day or so.
    pub(crate) async fn share(config: &PushConfig, bucket: &dyn KeyValue) -> Result<(), PushError> {
        if config.contact.is_none() {
            return Ok(());
        }
        make_directory(&config.data).map_err(|source| PushError::File { file: config.data.clone(), source })?;
        share_key(bucket, &config.data.join(VAPID_KEY)).await
    }

    /// With `bucket` registrations are shared with other nodes; [`Push::follow`] then has to run.
    pub(crate) async fn open(
        config: &PushConfig,
        authorities: Option<&Path>,
        metrics: PushMetrics,
        bucket: Option<Arc<dyn KeyValue>>,
    ) -> Result<Self, PushError> {
        make_directory(&config.data).map_err(|source| PushError::File { file: config.data.clone(), source })?;
        let (providers, application_server_key) = providers(config, authorities, true)?;
        let mut platforms: Vec<PushPlatform> = providers.keys().copied().collect();
        platforms.sort_by_key(|platform| platform.name());
        let mut registry = Registry::default();
        let following = bucket.map(Following::new);
        let writer = match &following {
            Some(following) => Writer::start(following.store())?,
            None => {
                let mut store = RedbStore::open(&config.data.join("registrations.redb"))?;
                store.load()?.into_iter().for_each(|registration| registry.apply(Change::Put(registration)));
                Writer::start(store)?
            }
        };
        let registrations = Arc::new(Registrations::new(registry, writer, following.is_some(), metrics.clone()));
        if let Some(following) = &following {
            following.begin(&registrations).await.map_err(|e| StoreError(e.to_string()))?;
        }
        let for_gone = registrations.clone();
        let delivery = Delivery::new(providers, metrics, move |device| {
            // It may have registered anew in the meantime.
            if for_gone.lock().get(&device.id).is_some_and(|now| now.address == device.details.address) {
                for_gone.submit(vec![Change::Remove(device.id.clone())], |_| {});
            }
        });
        Ok(Self {
            registrations,
            following,
            delivery: Arc::new(delivery),
            info: PushInfo { platforms, application_server_key },
            allow_private: config.allow_private,
            ring_time: config.ring_time,
        })
    }

    /// Takes in what devices register at other nodes. Ends only where there are none.
    pub(crate) async fn follow(&self) {
        if let Some(following) = &self.following {
            following.go_on(&self.registrations).await;
        }
    }

    /// Calls this whenever people become reachable or cease to be; only the first one counts.
    pub(crate) fn on_change(&self, call: impl Fn(Vec<(Arc<str>, String)>) + Send + Sync + 'static) {
        self.registrations.on_change(call);
    }

    /// Waits until every device has been told what there is to tell. While calls ring that does not come to pass.
    pub(crate) async fn idle(&self) {
        self.delivery.idle().await;
    }

    /// Waits until everything is written down and the store is closed. Blocks.
    pub(crate) fn close(&self) {
        self.registrations.close();
    }

    /// What clients are told.
    pub(crate) fn info(&self) -> PushInfo {
        self.info.clone()
    }

    pub(crate) fn ring_time(&self) -> Duration {
        self.ring_time
    }

    /// Registers a device under its person's name; `done` is called when that is safe, or has failed.
    pub(crate) fn register(
        &self,
        id: DeviceId,
        name: &str,
        wanted: PushRegister,
        done: impl FnOnce(Result<(), RegisterError>) + Send + 'static,
    ) -> Result<(), RegisterError> {
        if !self.info.platforms.contains(&wanted.platform) {
            return Err(RegistrationFault::Platform.into());
        }
        let address = check_address(wanted, self.allow_private)?;
        let registry = self.registrations.lock();
        let blocked = registry.get(&id).map_or_else(Vec::new, |known| known.blocked.clone());
        let details = Details { name: name.into(), address, refreshed: seconds_now(), blocked };
        let changes = registry.changes_for(Registration { id, details }, FRESH_SECONDS);
        drop(registry);
        let changes = changes.map_err(|_| RegisterError::Full)?;
        if changes.is_empty() {
            done(Ok(()));
        } else {
            self.registrations.submit(changes, |result| done(result.map_err(|_| RegisterError::Store)));
        }
        Ok(())
    }

    pub(crate) fn unregister(&self, id: DeviceId, done: impl FnOnce(Result<(), RegisterError>) + Send + 'static) {
        self.registrations.submit(vec![Change::Remove(id)], |result| done(result.map_err(|_| RegisterError::Store)));
    }

    /// This person has another name in the room now. Until it is written, the old one holds.
    pub(crate) fn rename(&self, room: &str, subject: &str, name: &str) {
        let changes = self.registrations.lock().changes_for_name(room, subject, name);
        if !changes.is_empty() {
            self.registrations.submit(changes, |_| {});
        }
    }

    /// This person wants nothing from people whose names look like that. Until it is written, what was said before holds.
    pub(crate) fn block(&self, callee: &Callee, blocked: &[String]) {
        let changes = self.registrations.lock().changes_for_blocked(&callee.room, &callee.subject, blocked);
        if !changes.is_empty() {
            self.registrations.submit(changes, |_| {});
        }
    }

    /// Whether this person wants nothing from anybody whose name looks like that.
    pub(crate) fn is_blocked(&self, callee: &Callee, look: &str) -> bool {
        self.registrations.lock().is_blocked(&callee.room, &callee.subject, look)
    }

    /// Forgets devices that were not heard of for long; to be called once a day or so.
    pub(crate) fn forget_silent(&self) {
        let silent = self.registrations.lock().silent_since(seconds_now().saturating_sub(SILENT_SECONDS));
        if !silent.is_empty() {
            self.registrations.submit(silent, |_| {});
        }
    }

    /// Who in the room has this name and can be reached.
    pub(crate) fn subject(&self, room: &str, name: &str) -> Option<Arc<str>> {
        self.registrations.lock().subject(room, name).cloned()
    }

    /// A person's name, if it can be reached.
    pub(crate) fn name(&self, room: &str, subject: &str) -> Option<String> {
        self.registrations.lock().devices(room, subject).into_iter().next().map(|device| device.details.name)
    }

    /// Names of everybody in the room who can be reached.
    pub(crate) fn names(&self, room: &str) -> Vec<String> {
        self.registrations.lock().names(room).map(str::to_owned).collect()
    }

    /// A call that waited for somebody waits no more.
    pub(crate) fn ring_ended(&self, how: &'static str) {
        self.registrations.ring_ended(how);
    }

    /// Room, subject and name of everybody who can be reached.
    pub(crate) fn people(&self) -> Vec<(Arc<str>, Arc<str>, String)> {
        let registry = self.registrations.lock();
        registry.people().map(|(room, subject, name)| (room.clone(), subject.clone(), name.to_owned())).collect()
    }

    /// Whether this person has a device besides these.
    pub(crate) fn has_device_besides(&self, callee: &Callee, devices: &[Arc<str>]) -> bool {
        let registered = self.registrations.lock().devices(&callee.room, &callee.subject);
        registered.iter().any(|device| !devices.contains(&device.id.device))
    }

    /// Rings those of a person's devices that are wanted, until `deadline`.
    pub(crate) fn ring(
        &self,
        callee: &Callee,
        call: &PushedCall,
        deadline: Instant,
        is_wanted: impl Fn(&Arc<str>) -> bool,
    ) -> PushedRing {
        let mut devices = self.registrations.lock().devices(&callee.room, &callee.subject);
        devices.retain(|device| is_wanted(&device.id.device));
        self.delivery.ring(devices, call, deadline, false)
    }

    /// A person's devices ring because of another node, which leaves it to this one to take that back.
    pub(crate) fn take_over(&self, callee: &Callee, call: &PushedCall, deadline: Instant) -> PushedRing {
        let devices = self.registrations.lock().devices(&callee.room, &callee.subject);
        self.delivery.ring(devices, call, deadline, true)
    }
}

fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
