//! Rings devices that are not connected, by push: who can be reached, and how.
//!
//! `registration` says what a device may register, `registry` holds all of it in memory, `store` on disk. `ringing` holds calls until somebody comes, `delivery` sends to a push service by
//! its `provider`: `apns`, `fcm`, `web`, `webhook`. A push carries who calls in which room, and no more: the device logs in and gets the offer.

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
mod registration;
mod registry;
mod ringing;
mod store;
mod url_check;
mod web;
mod webhook;

pub(crate) use delivery::PushedRing;
pub(crate) use metrics::PushMetrics;
pub(crate) use registration::{DeviceId, check_device};
pub(crate) use ringing::{Callee, Caller, Ring, Ringing};

pub use config::{ApnsConfig, FcmConfig, PushConfig, WebhookConfig};
pub use error::{PushError, StoreError};

use apns::Apns;
use chamada::signaling::message::{PushInfo, PushPlatform, PushRegister, PushedCall};
use delivery::Delivery;
use fcm::Fcm;
use http::Http;
use provider::Provider;
use registration::{Details, Registration, RegistrationFault, check_address};
use registry::{Change, Registry};
use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use store::{Batch, RedbStore, Store, Writer};
use tokio::time::Instant;
use web::WebPush;
use webhook::Webhook;

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

/// Called when people may have become reachable or have ceased to be, with their rooms and names, the old ones included.
type OnChange = Box<dyn Fn(Vec<(Arc<str>, String)>) + Send + Sync>;

#[derive(Debug)]
pub(crate) struct Push {
    shared: Arc<Shared>,
    delivery: Arc<Delivery>,
    info: PushInfo,
    allow_private: bool,
    ring_time: Duration,
}

struct Shared {
    registry: Mutex<Registry>,
    writer: Writer,
    metrics: PushMetrics,
    on_change: OnceLock<OnChange>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the changes down; only then they hold, and `done` is called.
    fn submit(self: &Arc<Self>, changes: Vec<Change>, done: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        let shared = self.clone();
        let to_apply = changes.clone();
        let done = move |result: Result<(), StoreError>| {
            match &result {
                Ok(()) => shared.apply(to_apply),
                Err(e) => {
                    shared.metrics.store_errors.inc();
                    tracing::error!(reason = %e, "registrations for push could not be written");
                }
            }
            done(result);
        };
        self.writer.submit(Batch { changes, done: Box::new(done) });
    }

    fn apply(&self, changes: Vec<Change>) {
        let mut registry = self.registry();
        let mut names = Vec::new();
        for change in changes {
            let id = match &change {
                Change::Put(registration) => {
                    names.push((registration.id.room.clone(), registration.details.name.clone()));
                    &registration.id
                }
                Change::Remove(id) => id,
            };
            names.extend(registry.get(id).map(|details| (id.room.clone(), details.name.clone())));
            registry.apply(change);
        }
        self.metrics.registrations.set(i64::try_from(registry.len()).unwrap_or(i64::MAX));
        drop(registry);
        if let Some(on_change) = self.on_change.get() {
            on_change(names);
        }
    }
}

/// Providers by platform, and the public key for Web Push.
type Providers = (HashMap<PushPlatform, Arc<dyn Provider>>, Option<String>);

/// `make_key`: the key for Web Push is made if there is none.
fn providers(config: &PushConfig, make_key: bool) -> Result<Providers, PushError> {
    let http = Http::new(config)?;
    let mut all: HashMap<PushPlatform, Arc<dyn Provider>> = HashMap::new();
    let mut key = None;
    if let Some(apns) = &config.apns {
        let apns: Arc<dyn Provider> = Arc::new(Apns::new(apns.clone(), http.clone())?);
        all.insert(PushPlatform::Apns, apns.clone());
        all.insert(PushPlatform::ApnsDev, apns);
    }
    if let Some(fcm) = &config.fcm {
        all.insert(PushPlatform::Fcm, Arc::new(Fcm::new(fcm, http.clone())?));
    }
    if let Some(webhook) = &config.webhook {
        all.insert(PushPlatform::Webhook, Arc::new(Webhook::new(webhook, http.clone())?));
    }
    if let Some(contact) = &config.contact {
        web::check_contact(contact)?;
        let file = config.data.join("vapid.key");
        if make_key || file.exists() {
            let web = Arc::new(WebPush::new(contact, &file, http)?);
            key = Some(web.public_key().to_owned());
            all.insert(PushPlatform::WebPush, web.clone());
            all.insert(PushPlatform::UnifiedPush, web);
        }
    } else if all.is_empty() {
        let why = "nothing is told about any push service, though there is a directory for registrations";
        return Err(PushError::BadOption(why.into()));
    }
    Ok((all, key))
}

impl Push {
    /// Whether this could be opened, as far as that can be known without taking the store.
    pub(crate) fn check(config: &PushConfig) -> Result<(), PushError> {
        providers(config, false).map(drop)
    }

    pub(crate) fn open(config: &PushConfig, metrics: PushMetrics) -> Result<Self, PushError> {
        make_directory(&config.data).map_err(|source| PushError::File { file: config.data.clone(), source })?;
        let (providers, application_server_key) = providers(config, true)?;
        let mut platforms: Vec<PushPlatform> = providers.keys().copied().collect();
        platforms.sort_by_key(|platform| platform.name());
        let mut store = RedbStore::open(&config.data.join("registrations.redb"))?;
        let mut registry = Registry::default();
        store.load()?.into_iter().for_each(|registration| registry.apply(Change::Put(registration)));
        metrics.registrations.set(i64::try_from(registry.len()).unwrap_or(i64::MAX));
        let shared = Arc::new(Shared {
            registry: Mutex::new(registry),
            writer: Writer::start(store)?,
            metrics: metrics.clone(),
            on_change: OnceLock::new(),
        });
        let for_gone = shared.clone();
        let delivery = Delivery::new(providers, metrics, move |device| {
            // It may have registered anew in the meantime.
            if for_gone.registry().get(&device.id).is_some_and(|now| now.address == device.details.address) {
                for_gone.submit(vec![Change::Remove(device.id.clone())], |_| {});
            }
        });
        Ok(Self {
            shared,
            delivery: Arc::new(delivery),
            info: PushInfo { platforms, application_server_key },
            allow_private: config.allow_private,
            ring_time: config.ring_time,
        })
    }

    /// Calls this whenever people become reachable or cease to be; only the first one counts.
    pub(crate) fn on_change(&self, call: impl Fn(Vec<(Arc<str>, String)>) + Send + Sync + 'static) {
        let _ = self.shared.on_change.set(Box::new(call));
    }

    /// Waits until every device has been told what there is to tell. While calls ring that does not come to pass.
    pub(crate) async fn idle(&self) {
        self.delivery.idle().await;
    }

    /// Waits until everything is written down and the store is closed. Blocks.
    pub(crate) fn close(&self) {
        self.shared.writer.close();
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
        let details = Details { name: name.into(), address, refreshed: seconds_now() };
        let registration = Registration { id, details };
        let changes = self.shared.registry().changes_for(registration, FRESH_SECONDS);
        let changes = changes.map_err(|_| RegisterError::Full)?;
        if changes.is_empty() {
            done(Ok(()));
        } else {
            self.shared.submit(changes, |result| done(result.map_err(|_| RegisterError::Store)));
        }
        Ok(())
    }

    pub(crate) fn unregister(&self, id: DeviceId, done: impl FnOnce(Result<(), RegisterError>) + Send + 'static) {
        self.shared.submit(vec![Change::Remove(id)], |result| done(result.map_err(|_| RegisterError::Store)));
    }

    /// This person has another name in the room now. Until it is written, the old one holds.
    pub(crate) fn rename(&self, room: &str, subject: &str, name: &str) {
        let changes = self.shared.registry().changes_for_name(room, subject, name);
        if !changes.is_empty() {
            self.shared.submit(changes, |_| {});
        }
    }

    /// Forgets devices that were not heard of for long; to be called once a day or so.
    pub(crate) fn forget_silent(&self) {
        let silent = self.shared.registry().silent_since(seconds_now().saturating_sub(SILENT_SECONDS));
        if !silent.is_empty() {
            self.shared.submit(silent, |_| {});
        }
    }

    /// Who in the room has this name and can be reached.
    pub(crate) fn subject(&self, room: &str, name: &str) -> Option<Arc<str>> {
        self.shared.registry().subject(room, name).cloned()
    }

    /// A person's name, if it can be reached.
    pub(crate) fn name(&self, room: &str, subject: &str) -> Option<String> {
        self.shared.registry().devices(room, subject).into_iter().next().map(|device| device.details.name)
    }

    /// Names of everybody in the room who can be reached.
    pub(crate) fn names(&self, room: &str) -> Vec<String> {
        self.shared.registry().names(room).map(str::to_owned).collect()
    }

    /// A call that waited for somebody waits no more.
    pub(crate) fn ring_ended(&self, how: &'static str) {
        self.shared.metrics.ring_ended(how);
    }

    /// Room, subject and name of everybody who can be reached.
    pub(crate) fn people(&self) -> Vec<(Arc<str>, Arc<str>, String)> {
        let registry = self.shared.registry();
        registry.people().map(|(room, subject, name)| (room.clone(), subject.clone(), name.to_owned())).collect()
    }

    /// Rings a person's devices until `deadline`.
    pub(crate) fn ring(&self, room: &str, subject: &str, call: &PushedCall, deadline: Instant) -> PushedRing {
        let devices = self.shared.registry().devices(room, subject);
        self.delivery.ring(devices, call, deadline)
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
