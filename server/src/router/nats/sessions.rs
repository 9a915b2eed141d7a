//! The list of all sessions of all nodes, as NATS keeps it.

use super::{
    Shared, lock,
    messages::{MAX_MESSAGE_BYTES, json, read},
    names,
    store::{self, Connections, unavailable},
};
use crate::{
    config::ClusterConfig,
    router::{Event, KeyValue, NODE_IDS, NodeId, Record, Unavailable, presence::BEAT},
};
use async_nats::jetstream::{
    self,
    kv::{self, Operation},
};
use futures_util::{StreamExt, future::join_all};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};
use tokio::time;

/// How many keys are written at a time.
const WRITES: usize = 64;

/// Follows which sessions there are, from the beginning whenever the connection was away.
pub(super) async fn follow(
    context: jetstream::Context,
    config: ClusterConfig,
    mut connections: Connections,
    shared: Arc<Shared>,
) {
    loop {
        let connection = *connections.borrow_and_update();
        if connection.0 {
            let until_lost = async {
                let _ = connections.wait_for(|state| *state != connection).await;
            };
            tokio::select! {
                result = follow_once(&context, &config, &shared) => if let Err(e) = result {
                    tracing::warn!(reason = %e, "the list of sessions");
                },
                () = until_lost => {}
            }
            if shared.joined.send_replace(false) {
                tracing::warn!("the other nodes cannot be reached");
                shared.tell(Event::CutOff).await;
            }
            time::sleep(BEAT / 5).await;
        } else if connections.changed().await.is_err() {
            return;
        }
    }
}

async fn follow_once(context: &jetstream::Context, config: &ClusterConfig, shared: &Shared) -> Result<(), Unavailable> {
    // A NATS that has forgotten them has none of the others either.
    let sessions = store::open_all(context, config.replicas).await?.sessions;
    let is_empty = sessions.status().await.map_err(unavailable)?.values() == 0;
    let mut entries = sessions.watch_with_history(">").await.map_err(unavailable)?;
    let mut sessions = HashMap::new();
    let mut is_whole = is_empty;
    while !is_whole {
        let entry = match time::timeout(super::REQUEST_TIMEOUT, entries.next()).await {
            Ok(Some(entry)) => entry.map_err(unavailable)?,
            _ => return Err(unavailable("it does not come")),
        };
        is_whole = entry.delta == 0;
        if let Some((origin, record)) = session_of(&entry) {
            match record {
                Some(record) => sessions.insert(origin, record),
                None => sessions.remove(&origin),
            };
        }
    }
    let back: Vec<NodeId> = {
        let (mut presence, now) = (lock(&shared.presence), Instant::now());
        presence.listen_again(now);
        let nodes: BTreeSet<NodeId> = sessions.values().map(|record| record.node).collect();
        let others = nodes.into_iter().filter(|node| NODE_IDS.contains(node) && *node != shared.node);
        // Those that count as gone are shown to be so anew.
        others.filter(|node| presence.heard(*node, now)).collect()
    };
    shared.joined.send_replace(true);
    shared.tell(Event::Joined(sessions)).await;
    for node in back {
        shared.tell(Event::NodeBack(node)).await;
    }
    shared.to_write.notify_one();
    while let Some(entry) = entries.next().await {
        if let Some((origin, record)) = session_of(&entry.map_err(unavailable)?) {
            let node = record.as_ref().map(|record| record.node);
            if let Some(node) = node.filter(|node| NODE_IDS.contains(node) && *node != shared.node) {
                lock(&shared.presence).expect(node, Instant::now());
            }
            shared.tell(Event::Session(origin, record)).await;
        }
    }
    Err(unavailable("it ended"))
}

fn session_of(entry: &kv::Entry) -> Option<(u64, Option<Record>)> {
    let origin = entry.key.parse().ok()?;
    if entry.operation != Operation::Put {
        return Some((origin, None));
    }
    let record: Record = read("a session", &entry.value, MAX_MESSAGE_BYTES)?;
    (record.origin == origin).then_some((origin, Some(record)))
}

/// Writes sessions and takes claims back, as soon as that is possible.
pub(super) async fn write(sessions: kv::Store, names: Arc<dyn KeyValue>, shared: Arc<Shared>) {
    loop {
        shared.to_write.notified().await;
        while shared.is_joined() {
            let changed: Vec<_> = {
                let mut all = lock(&shared.changed);
                let origins: Vec<u64> = all.keys().take(WRITES).copied().collect();
                origins.into_iter().filter_map(|origin| all.remove_entry(&origin)).collect()
            };
            let released: Vec<_> = {
                let mut all = lock(&shared.released);
                let rest = all.len().min(WRITES);
                all.drain(..rest).collect()
            };
            if changed.is_empty() && released.is_empty() {
                shared.written.notify_waiters();
                break;
            }
            let writes = join_all(changed.into_iter().map(async |(origin, record)| {
                let result = match &record {
                    Some(record) => {
                        sessions.put(origin.to_string(), json(record).into()).await.map(drop).map_err(unavailable)
                    }
                    None => sessions.delete(origin.to_string()).await.map_err(unavailable),
                };
                result.map_err(|e| (e, origin, record))
            }));
            let releases =
                join_all(released.into_iter().map(async |(key, claim)| {
                    names::give_back(&*names, &key, &claim).await.map_err(|e| (e, key, claim))
                }));
            let (written, given_back) = tokio::join!(writes, releases);
            let mut failed = false;
            for (e, origin, record) in written.into_iter().filter_map(Result::err) {
                tracing::debug!(reason = %e, "a session could not be written");
                failed = true;
                lock(&shared.changed).entry(origin).or_insert(record);
            }
            for (e, key, claim) in given_back.into_iter().filter_map(Result::err) {
                tracing::debug!(reason = %e, "a name could not be given back");
                failed = true;
                lock(&shared.released).push((key, claim));
            }
            if failed {
                time::sleep(BEAT).await;
            }
        }
    }
}
