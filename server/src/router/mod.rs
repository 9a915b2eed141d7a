//! The way from this node to the others of one service. The hub knows people of other nodes only through a [`Router`]; a server that is alone
//! has [`Alone`], which needs nothing.

mod nats;
mod presence;
mod shared_text;

pub(crate) use nats::Nats;

use crate::{calls::CallPeers, outbox::Source};
use async_trait::async_trait;
use chamada::signaling::message::{CallId, ErrorMessage, PushedCall};
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt::Debug, future::pending, sync::Arc};
use tokio::sync::oneshot;

/// Tells nodes apart while they run: from 1, and 0 for a server that is alone.
pub(crate) type NodeId = u16;

/// Those of nodes that are not alone; they fit into ten bits of a session's number.
pub(crate) const NODE_IDS: std::ops::RangeInclusive<NodeId> = 1..=1023;

/// The other nodes, or what they share, cannot be reached at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the other nodes cannot be reached: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

/// Why a session is not handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandOverError {
    /// Its node does not listen any more.
    #[error("that node is gone")]
    Gone,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Who has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The place of the session, which it keeps when it comes back under another number.
    pub(crate) place: u64,
    /// The person (claim `sub`), where there are tokens: then the name stays theirs.
    #[serde(default, with = "shared_text::option")]
    pub(crate) subject: Option<Arc<str>>,
}

/// What the other nodes have to know of a session; the newest version counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The number that the session had first; it keeps this one when it comes back.
    pub(crate) origin: u64,
    pub(crate) number: u64,
    pub(crate) node: NodeId,
    pub(crate) version: u64,
    /// The key of its room.
    #[serde(with = "shared_text")]
    pub(crate) room: Arc<str>,
    #[serde(with = "shared_text")]
    pub(crate) name: Arc<str>,
    /// When it got its name, in milliseconds since 1970: of two names of one person the newer one counts.
    pub(crate) named_at: u64,
    pub(crate) place: u64,
    #[serde(default, with = "shared_text::option")]
    pub(crate) subject: Option<Arc<str>>,
    /// The hash of its resume token.
    pub(crate) token: String,
    /// Whether its connection is there.
    pub(crate) attached: bool,
    /// It has its list, after which it gets calls that wait for it.
    #[serde(default)]
    pub(crate) takes_calls: bool,
    /// Names its installation.
    #[serde(default, with = "shared_text::option")]
    pub(crate) device: Option<Arc<str>>,
    pub(crate) call_peers: CallPeers,
}

/// A frame on its way from one session to another, or from the server itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parcel {
    /// The recipient's origin.
    pub(crate) to: u64,
    /// Counts the frames from one node to one session, from 1: what comes twice is dropped.
    pub(crate) seq: u64,
    pub(crate) source: Source,
    pub(crate) frame: String,
    /// The sender as it was when it sent this: news of it may take another way.
    pub(crate) sender: Option<Record>,
}

/// What one node tells another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToNode {
    Parcel(Parcel),
    /// Origins of sessions, and up to which parcel each has taken what was sent to it.
    Taken(Vec<(u64, u64)>),
    /// A parcel to this origin has come, and one before it has not.
    Missing(u64),
    /// A parcel was refused to its sender: the sender's number, the recipient's, and why.
    Refused(u64, u64, ErrorMessage),
}

/// A line of public chat, for the people of its room on other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(with = "shared_text")]
    pub(crate) room: Arc<str>,
    /// The sender's number.
    pub(crate) from: u64,
    pub(crate) frame: String,
}

/// A node asks for a session whose client has come to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandOver {
    pub(crate) origin: u64,
    /// The hash of the resume token that the client has shown.
    pub(crate) token: String,
    /// The node that asks.
    pub(crate) to: NodeId,
}

/// A frame that waits for a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) source: Source,
    pub(crate) frame: String,
    /// From which node it has come, and as which parcel.
    pub(crate) parcel: Option<(NodeId, u64)>,
}

/// A call that waits for somebody who is away, and goes with its caller to another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandedRing {
    #[serde(with = "shared_text")]
    pub(crate) room: Arc<str>,
    #[serde(with = "shared_text")]
    pub(crate) subject: Arc<str>,
    pub(crate) name: String,
    pub(crate) call: Option<CallId>,
    pub(crate) frames: Vec<String>,
    /// Sessions that have got the offer, and their installations.
    pub(crate) reached: Vec<(u64, Option<String>)>,
    /// What devices were sent; none if none were rung.
    pub(crate) pushed: Option<PushedCall>,
    /// How much longer it waits, in milliseconds.
    pub(crate) left: u64,
}

/// What goes with a session to another node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandedOver {
    /// What waits for its client.
    pub(crate) waiting: Vec<Waiting>,
    /// Up to which parcel it has got those of each node.
    pub(crate) heard: HashMap<NodeId, u64>,
    pub(crate) version: u64,
    pub(crate) call_peers: CallPeers,
    /// Its calls to people who are away.
    #[serde(default)]
    pub(crate) rings: Vec<HandedRing>,
}

/// What comes from other nodes.
#[derive(Debug)]
pub(crate) enum Event {
    /// The way is there, for the first time or again: all sessions of all nodes by origin.
    Joined(HashMap<u64, Record>),
    /// A session has changed, or is gone.
    Session(u64, Option<Record>),
    Message(NodeId, ToNode),
    Line(Line),
    HandOver(HandOver, oneshot::Sender<Option<HandedOver>>),
    /// That node has been silent for too long, or has said that it goes.
    NodeGone(NodeId),
    /// It is there after all.
    NodeBack(NodeId),
    /// The other nodes cannot be reached; [`Event::Joined`] follows when they can.
    CutOff,
}

/// A bucket of keys and values that all nodes share. Keys consist of `-/_=.a-zA-Z0-9`, values have at most 64 KiB.
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
    /// All that is there, then that this was all, and then every change, until the way breaks.
    async fn watch(&self) -> Result<KeyChanges, Unavailable>;
}

/// What a watch of a bucket tells.
pub(crate) type KeyChanges = BoxStream<'static, Result<KeyChange, Unavailable>>;

/// What has happened to a key, in the order of revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyChange {
    Put {
        key: String,
        value: Vec<u8>,
        revision: u64,
    },
    Deleted {
        key: String,
    },
    /// All that was there has been told.
    Whole,
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
pub(crate) enum Bucket {
    /// Devices that can be rung while they are away.
    Push,
}

/// Joins the nodes of one service. What does not wait is put on its way in order: two messages to one node arrive in the order in which they
/// were sent, or are lost.
#[async_trait]
pub(crate) trait Router: Debug + Send + Sync {
    fn node(&self) -> NodeId;

    /// Whether the other nodes can be reached at the moment.
    fn is_joined(&self) -> bool;

    /// How many nodes there are, this one counted.
    fn nodes(&self) -> usize;

    /// Claims the name with this look in this room. `false`: it is somebody else's, of whose place `is_known` says that a session has it. A
    /// claim that the caller has already is good again.
    async fn claim(
        &self,
        room: &str,
        look: &str,
        claim: &Claim,
        is_known: &(dyn Fn(u64) -> bool + Send + Sync),
    ) -> Result<bool, Unavailable>;

    /// Gives a claim back.
    fn release(&self, room: &str, look: &str, claim: &Claim);

    /// Tells what a session of this node is now; none if it is gone.
    fn announce(&self, origin: u64, record: Option<Record>);

    fn send(&self, node: NodeId, message: ToNode);

    fn publish(&self, line: Line);

    /// Asks a node for a session. `None`: it has none of that origin and token.
    async fn hand_over(&self, node: NodeId, what: HandOver) -> Result<Option<HandedOver>, HandOverError>;

    /// What is shared; none if the server is alone.
    fn bucket(&self, bucket: Bucket) -> Option<Arc<dyn KeyValue>>;

    /// Waits for what comes from other nodes.
    async fn next(&self) -> Event;

    /// Says goodbye once everything is on its way.
    async fn leave(&self);
}

/// The router of a server without others: all names are its own to give.
#[derive(Debug)]
pub(crate) struct Alone;

#[async_trait]
impl Router for Alone {
    fn node(&self) -> NodeId {
        0
    }

    fn is_joined(&self) -> bool {
        true
    }

    fn nodes(&self) -> usize {
        1
    }

    async fn claim(
        &self,
        _: &str,
        _: &str,
        _: &Claim,
        _: &(dyn Fn(u64) -> bool + Send + Sync),
    ) -> Result<bool, Unavailable> {
        Ok(true)
    }

    fn release(&self, _: &str, _: &str, _: &Claim) {}

    fn announce(&self, _: u64, _: Option<Record>) {}

    fn send(&self, _: NodeId, _: ToNode) {}

    fn publish(&self, _: Line) {}

    async fn hand_over(&self, _: NodeId, _: HandOver) -> Result<Option<HandedOver>, HandOverError> {
        Err(HandOverError::Gone)
    }

    fn bucket(&self, _: Bucket) -> Option<Arc<dyn KeyValue>> {
        None
    }

    async fn next(&self) -> Event {
        pending().await
    }

    async fn leave(&self) {}
}
