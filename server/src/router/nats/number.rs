//! The number that a node has while it runs, and how nodes know of each other that they are there.

use super::{Shared, lock, store::Store};
use crate::router::{Event, KeyValue, NODE_IDS, NodeId, Unavailable, presence::BEAT};
use async_nats::{Client, Subscriber, jetstream::kv};
use futures_util::StreamExt;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time;

/// How often a node renews its number, which is free again after the time of its bucket.
const RENEW_NUMBER: Duration = Duration::from_secs(60);
/// Behind a node's number in its last beat.
const BYE: &str = " bye";
pub(super) const BEATS: &str = "chamada.beat";

pub(super) async fn take_number(nodes: &Store) -> Result<NodeId, Unavailable> {
    let span = NODE_IDS.end() - NODE_IDS.start() + 1;
    for _ in 0..span {
        let random = uuid::Uuid::new_v4().as_u128() % u128::from(span);
        let node = NODE_IDS.start() + NodeId::try_from(random).unwrap_or_default();
        if nodes.create(&node.to_string(), Vec::new()).await?.is_some() {
            return Ok(node);
        }
    }
    Err(Unavailable("there are too many nodes".into()))
}

pub(super) async fn renew_number(node: NodeId, nodes: kv::Store) {
    loop {
        time::sleep(RENEW_NUMBER).await;
        if let Err(e) = nodes.put(node.to_string(), Vec::new().into()).await {
            tracing::debug!(reason = %e, "this node's number could not be renewed");
        }
    }
}

/// The node of that number, if it can be one, and another than this one.
pub(super) fn other_node(number: &str, own: NodeId) -> Option<NodeId> {
    number.parse().ok().filter(|node| NODE_IDS.contains(node) && *node != own)
}

/// Says that this node is there, and finds out which others are not any more.
pub(super) async fn beat(client: Client, shared: Arc<Shared>) {
    let mut every = time::interval(BEAT);
    // A beat that comes late is none.
    every.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if !shared.is_joined() {
            continue;
        }
        // Past what else waits.
        let _ = time::timeout(BEAT, client.publish(BEATS, shared.node.to_string().into())).await;
        let silent = lock(&shared.presence).silent(Instant::now());
        for node in silent {
            tracing::warn!(node, "a node is gone");
            shared.tell(Event::NodeGone(node)).await;
        }
    }
}

/// The last beat of a node that goes.
pub(super) async fn say_goodbye(client: &Client, node: NodeId) {
    let _ = client.publish(BEATS, format!("{node}{BYE}").into()).await;
    let _ = client.flush().await;
}

/// Hears which nodes are there.
pub(super) async fn hear_beats(mut beats: Subscriber, shared: Arc<Shared>) {
    while let Some(beat) = beats.next().await {
        let Ok(text) = std::str::from_utf8(&beat.payload) else { continue };
        let (number, bye) = match text.strip_suffix(BYE) {
            Some(number) => (number, true),
            None => (text, false),
        };
        let Some(node) = other_node(number, shared.node) else { continue };
        let now = Instant::now();
        if bye {
            if lock(&shared.presence).left(node, now) {
                shared.tell(Event::NodeGone(node)).await;
            }
        } else if lock(&shared.presence).heard(node, now) {
            tracing::info!(node, "a node is back");
            shared.tell(Event::NodeBack(node)).await;
        }
    }
}
