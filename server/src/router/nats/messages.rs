//! What nodes send each other over subjects, and how it is written.

use super::{Shared, number::other_node};
use crate::router::{Event, HandedOver, NodeId};
use async_nats::{Client, Subscriber};
use chamada::signaling::message::MAX_FRAME_BYTES;
use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::{mpsc, oneshot};

/// Longest message from another node that is read, in bytes: a frame, as text in JSON, and what goes with it.
pub(super) const MAX_MESSAGE_BYTES: usize = 2 * MAX_FRAME_BYTES + 16 * 1024;
/// A session's waiting frames.
const MAX_HANDED_OVER_BYTES: usize = 1024 * 1024;

pub(super) const LINES: &str = "chamada.line";

/// Where a node hears what one of the others, or any of them, has for it.
pub(super) fn to_node(node: NodeId, from: Option<NodeId>) -> String {
    format!("chamada.node.{node}.{}", from.map_or("*".to_owned(), |from| from.to_string()))
}

/// Where a node is asked for sessions.
pub(super) fn hand_overs(node: NodeId) -> String {
    format!("chamada.hand-over.{node}")
}

pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // Maps with integers as keys, texts and numbers: nothing of that can fail.
    serde_json::to_vec(value).unwrap_or_default()
}

/// What another node sent, if it is not too long and is what it has to be.
pub(super) fn read<T: DeserializeOwned>(what: &str, bytes: &[u8], most: usize) -> Option<T> {
    if bytes.len() > most {
        tracing::warn!(bytes = bytes.len(), "{what} of another node is too long");
        return None;
    }
    // An error's text may quote what people write.
    serde_json::from_slice(bytes)
        .map_err(|e| tracing::warn!(reason = ?e.classify(), "{what} of another node cannot be read"))
        .ok()
}

/// The answer to a request for a session.
pub(super) fn read_handed_over(bytes: &[u8]) -> Option<HandedOver> {
    read::<Option<HandedOver>>("a session", bytes, 2 * MAX_HANDED_OVER_BYTES).flatten()
}

/// Sends what has been put out.
pub(super) async fn publish(client: Client, mut outgoing: mpsc::Receiver<(String, Vec<u8>)>, shared: Arc<Shared>) {
    while let Some((subject, payload)) = outgoing.recv().await {
        let left = shared.queued_bytes.fetch_sub(payload.len(), Ordering::Relaxed);
        if left == payload.len() && shared.overflowed.swap(false, Ordering::Relaxed) {
            tracing::info!("all that waited for other nodes is on its way");
        }
        if let Err(e) = client.publish(subject, payload.into()).await {
            tracing::warn!(reason = %e, "a message to other nodes could not be sent");
        }
    }
}

pub(super) async fn hear_messages(mut messages: Subscriber, shared: Arc<Shared>) {
    while let Some(message) = messages.next().await {
        let from = message.subject.rsplit('.').next().and_then(|number| other_node(number, shared.node));
        if let (Some(from), Some(message)) = (from, read("a message", &message.payload, MAX_MESSAGE_BYTES)) {
            shared.tell(Event::Message(from, message)).await;
        }
    }
}

pub(super) async fn hear_lines(mut lines: Subscriber, shared: Arc<Shared>) {
    while let Some(line) = lines.next().await {
        if let Some(line) = read("a line", &line.payload, MAX_MESSAGE_BYTES) {
            shared.tell(Event::Line(line)).await;
        }
    }
}

/// Answers nodes that ask for sessions.
pub(super) async fn hear_hand_overs(mut requests: Subscriber, client: Client, shared: Arc<Shared>) {
    while let Some(request) = requests.next().await {
        let (Some(reply), Some(what)) = (request.reply, read("a request", &request.payload, MAX_MESSAGE_BYTES)) else {
            continue;
        };
        let (answer, answered) = oneshot::channel();
        shared.tell(Event::HandOver(what, answer)).await;
        let answer = answered.await.unwrap_or_default();
        let _ = client.publish(reply, json(&answer).into()).await;
    }
}
