//! Buckets of JetStream's key-value store.

use super::{Entry, KeyValue, Unavailable};
use async_nats::jetstream::{
    self,
    kv::{self, CreateErrorKind, Operation, UpdateErrorKind},
    stream::{self, DiscardPolicy, StorageType},
};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use std::{
    fmt::Display,
    time::{Duration, SystemTime},
};

/// Largest value, in bytes.
const MAX_VALUE_BYTES: i32 = 64 * 1024;

/// How long NATS recognises a value that is sent twice.
const DUPLICATES: Duration = Duration::from_secs(120);

pub(super) fn unavailable(why: impl Display) -> Unavailable {
    Unavailable(why.to_string())
}

/// What a bucket is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// How long a value stays that is not put again.
    pub(super) max_age: Duration,
    pub(super) storage: StorageType,
}

/// Opens a bucket, and makes it if it is not there. The crate's own way asks first what the account may use, in words that a NATS server before
/// 2.10 does not know; what makes a stream a bucket stands in NATS' ADR-8.
pub(super) async fn open(
    context: &jetstream::Context,
    Kind { name, max_age, storage }: Kind,
    replicas: usize,
) -> Result<kv::Store, Unavailable> {
    let config = stream::Config {
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
pub(super) struct Store(pub(super) kv::Store);

#[async_trait]
impl KeyValue for Store {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Unavailable> {
        let entry = self.0.entry(key).await.map_err(unavailable)?;
        Ok(entry.filter(|entry| entry.operation == Operation::Put).map(|entry| {
            let created: SystemTime = entry.created.into();
            let age = SystemTime::now().duration_since(created).unwrap_or_default().as_secs();
            Entry { value: entry.value.to_vec(), revision: entry.revision, age }
        }))
    }

    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Option<u64>, Unavailable> {
        match self.0.create(key, value.into()).await {
            Ok(revision) => Ok(Some(revision)),
            Err(e) if e.kind() == CreateErrorKind::AlreadyExists => Ok(None),
            Err(e) => Err(unavailable(e)),
        }
    }

    async fn update(&self, key: &str, value: Vec<u8>, revision: u64) -> Result<Option<u64>, Unavailable> {
        match self.0.update(key, value.into(), revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(e) if e.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(e) => Err(unavailable(e)),
        }
    }

    async fn put(&self, key: &str, value: Vec<u8>) -> Result<u64, Unavailable> {
        self.0.put(key, value.into()).await.map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.delete(key).await.map_err(unavailable)
    }

    async fn keys(&self) -> Result<Vec<String>, Unavailable> {
        self.0.keys().await.map_err(unavailable)?.try_collect().await.map_err(unavailable)
    }
}
