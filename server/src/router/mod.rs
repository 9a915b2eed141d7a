//! The way from this node to the others of one service. The hub knows people of other nodes only through a [`Router`]; a server that is alone
//! has [`Alone`], which needs nothing.

use async_trait::async_trait;
use std::{fmt::Debug, sync::Arc};

/// The other nodes, or what they share, cannot be reached at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the other nodes cannot be reached: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

/// Who has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(dead_code, reason = "a server that is alone needs not look into it")]
pub(crate) struct Claim {
    /// The place of the session, which it keeps when it comes back under another number.
    pub(crate) place: u64,
    /// The person (claim `sub`), where there are tokens: then the name stays theirs.
    pub(crate) subject: Option<Arc<str>>,
}

/// A bucket of keys and values that all nodes share. Keys consist of `-/_=.a-zA-Z0-9`, values have at most 64 KiB.
#[allow(dead_code, reason = "for what is kept about people who are away")]
#[async_trait]
pub(crate) trait KeyValue: Debug + Send + Sync {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Unavailable>;
    /// Puts a value where none is. `None`: there is one.
    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Option<u64>, Unavailable>;
    /// Replaces the value of that revision. `None`: it is another one by now.
    async fn update(&self, key: &str, value: Vec<u8>, revision: u64) -> Result<Option<u64>, Unavailable>;
    /// Puts a value; gives its revision.
    async fn put(&self, key: &str, value: Vec<u8>) -> Result<u64, Unavailable>;
    async fn delete(&self, key: &str) -> Result<(), Unavailable>;
    /// All keys that have a value.
    async fn keys(&self) -> Result<Vec<String>, Unavailable>;
}

/// A value in a [`KeyValue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Vec<u8>,
    pub(crate) revision: u64,
    /// How long ago it was put, in seconds.
    pub(crate) age: u64,
}

/// What is kept in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(dead_code, reason = "for what is kept about people who are away")]
pub(crate) enum Bucket {
    /// Devices that can be rung while they are away.
    Push,
}

/// Joins the nodes of one service.
#[async_trait]
pub(crate) trait Router: Debug + Send + Sync {
    /// Claims the name with this look in this room for a session. `false`: it is somebody else's on another node. A claim that the caller
    /// has already is good again.
    async fn claim(&self, room: &str, look: &str, claim: &Claim) -> Result<bool, Unavailable>;

    /// Gives a claim back; does not wait.
    fn release(&self, room: &str, look: &str, claim: &Claim);

    /// What is shared; none if the server is alone.
    #[allow(dead_code, reason = "for what is kept about people who are away")]
    fn bucket(&self, bucket: Bucket) -> Option<Arc<dyn KeyValue>>;
}

/// The router of a server without others: all names are its own to give.
#[derive(Debug)]
pub(crate) struct Alone;

#[async_trait]
impl Router for Alone {
    async fn claim(&self, _: &str, _: &str, _: &Claim) -> Result<bool, Unavailable> {
        Ok(true)
    }

    fn release(&self, _: &str, _: &str, _: &Claim) {}

    fn bucket(&self, _: Bucket) -> Option<Arc<dyn KeyValue>> {
        None
    }
}
