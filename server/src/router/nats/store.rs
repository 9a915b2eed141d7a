//! Buckets of JetStream's key-value store.

use crate::router::{Entry, KeyChange, KeyChanges, KeyValue, Unavailable};
use async_nats::jetstream::{
    self,
    kv::{self, CreateErrorKind, Operation, UpdateErrorKind},
    stream::{Config, DiscardPolicy, StorageType},
};
use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use std::{
    fmt::Display,
    time::{Duration, SystemTime},
};
use tokio::sync::watch;

/// Largest value, in bytes.
const MAX_VALUE_BYTES: i32 = 64 * 1024;

/// How long NATS recognises a value that is sent twice.
const DUPLICATES: Duration = Duration::from_secs(120);

pub(super) fn unavailable(why: impl Display) -> Unavailable {
    Unavailable(why.to_string())
}

/// Whether there is a connection, and how many were lost.
pub(super) type Connections = watch::Receiver<(bool, u64)>;

/// What a bucket is like.
#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    /// How long a value stays that is not put again.
    max_age: Duration,
    storage: StorageType,
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const SESSIONS: Kind = Kind { name: "chamada-sessions", max_age: HOUR.saturating_mul(2), storage: StorageType::Memory };
/// For longer than places are kept: a new node with the number of one that is gone would be taken for that one.
const NODES: Kind = Kind { name: "chamada-nodes", max_age: HOUR, storage: StorageType::File };
const NAMES: Kind = Kind { name: "chamada-names", max_age: HOUR.saturating_mul(24 * 90), storage: StorageType::File };
const PUSH: Kind = Kind { name: "chamada-push", max_age: HOUR.saturating_mul(24 * 365), storage: StorageType::File };

/// All that the nodes share.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) sessions: kv::Store,
    pub(super) nodes: kv::Store,
    pub(super) names: kv::Store,
    pub(super) push: kv::Store,
}

/// Opens all buckets, and makes those that are not there.
pub(super) async fn open_all(context: &jetstream::Context, replicas: usize) -> Result<Buckets, Unavailable> {
    Ok(Buckets {
        sessions: open(context, SESSIONS, replicas).await?,
        nodes: open(context, NODES, replicas).await?,
        names: open(context, NAMES, replicas).await?,
        push: open(context, PUSH, replicas).await?,
    })
}

/// Opens a bucket, and makes it if it is not there. The crate's own way asks first what the account may use, in words that a NATS server before
/// 2.10 does not know; what makes a stream a bucket stands in NATS' ADR-8.
async fn open(
    context: &jetstream::Context,
    Kind { name, max_age, storage }: Kind,
    replicas: usize,
) -> Result<kv::Store, Unavailable> {
    let config = Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        max_age,
        max_message_size: MAX_VALUE_BYTES,
        storage,
        num_replicas: replicas,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        duplicate_window: max_age.min(DUPLICATES),
        ..Default::default()
    };
    context.create_stream(config).await.map_err(unavailable)?;
    context.get_key_value(name).await.map_err(unavailable)
}

/// A bucket as the rest of the server sees it.
#[derive(Debug)]
pub(super) struct Store {
    bucket: kv::Store,
    connections: Connections,
}

impl Store {
    pub(super) fn new(bucket: kv::Store, connections: &Connections) -> Self {
        Self { bucket, connections: connections.clone() }
    }
}

#[async_trait]
impl KeyValue for Store {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Unavailable> {
        let entry = self.bucket.entry(key).await.map_err(unavailable)?;
        Ok(entry.filter(|entry| entry.operation == Operation::Put).map(|entry| {
            let created: SystemTime = entry.created.into();
            let age = SystemTime::now().duration_since(created).unwrap_or_default().as_secs();
            Entry { value: entry.value.to_vec(), revision: entry.revision, age }
        }))
    }

    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Option<u64>, Unavailable> {
        match self.bucket.create(key, value.into()).await {
            Ok(revision) => Ok(Some(revision)),
            Err(e) if e.kind() == CreateErrorKind::AlreadyExists => Ok(None),
            Err(e) => Err(unavailable(e)),
        }
    }

    async fn update(&self, key: &str, value: Vec<u8>, revision: u64) -> Result<Option<u64>, Unavailable> {
        match self.bucket.update(key, value.into(), revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(e) if e.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(e) => Err(unavailable(e)),
        }
    }

    async fn put(&self, key: &str, value: Vec<u8>) -> Result<u64, Unavailable> {
        self.bucket.put(key, value.into()).await.map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.bucket.delete(key).await.map_err(unavailable)
    }

    async fn watch(&self) -> Result<KeyChanges, Unavailable> {
        let mut connections = self.connections.clone();
        let connection = *connections.borrow_and_update();
        let is_empty = self.bucket.status().await.map_err(unavailable)?.values() == 0;
        let entries = self.bucket.watch_with_history(">").await.map_err(unavailable)?;
        let mut is_whole = is_empty;
        let changes = entries.flat_map(move |entry| {
            let is_last = entry.as_ref().is_ok_and(|entry| entry.delta == 0 && !is_whole);
            is_whole |= is_last;
            let change = entry.map_err(unavailable).map(|entry| match entry.operation {
                Operation::Put => {
                    KeyChange::Put { key: entry.key, value: entry.value.to_vec(), revision: entry.revision }
                }
                Operation::Delete | Operation::Purge => KeyChange::Deleted { key: entry.key },
            });
            stream::iter([Some(change), is_last.then_some(Ok(KeyChange::Whole))].into_iter().flatten())
        });
        let beginning = stream::iter(is_empty.then_some(Ok(KeyChange::Whole)));
        // The crate would go on from where it was, in a bucket that may be another one by then.
        let is_lost = async move {
            let _ = connections.wait_for(|state| *state != connection).await;
        };
        let end = stream::iter([Err(Unavailable("the connection was lost".into()))]);
        Ok(beginning.chain(changes).take_until(Box::pin(is_lost)).chain(end).boxed())
    }
}
