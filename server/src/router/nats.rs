//! The nodes of one service over NATS: what is addressed to one node, and public lines, go over its subjects; who is where, and whose a name
//! is, stand in its key-value store (JetStream).

use super::{
    Bucket, Claim, Event, HandOver, HandOverError, HandedOver, KeyValue, Line, NODE_IDS, NodeId, Record, Router,
    ToNode, Unavailable, nats_login,
    nats_store::{self, Kind, Store, unavailable},
    presence::{BEAT, Presence},
};
use crate::config::ClusterConfig;
use async_nats::{
    Client,
    client::RequestErrorKind,
    jetstream::{
        self,
        kv::{self, Operation},
        stream::StorageType,
    },
};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chamada::signaling::message::MAX_FRAME_BYTES;
use futures_util::{StreamExt, future::join_all};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot, watch},
    task::JoinSet,
    time,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const SESSIONS: Kind = Kind { name: "chamada-sessions", max_age: HOUR.saturating_mul(2), storage: StorageType::Memory };
/// For longer than places are kept: a new node with the number of one that is gone would be taken for that one.
const NODES: Kind = Kind { name: "chamada-nodes", max_age: HOUR, storage: StorageType::File };
const NAMES: Kind = Kind { name: "chamada-names", max_age: HOUR.saturating_mul(24 * 90), storage: StorageType::File };
const PUSH: Kind = Kind { name: "chamada-push", max_age: HOUR.saturating_mul(24 * 365), storage: StorageType::File };

/// How often a node renews its number, which is free again after [`NODES`]' time.
const RENEW_NUMBER: Duration = Duration::from_secs(60);
/// How long a request to NATS, or to another node, may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// A claim that no session has is an aborted login's after so many seconds.
const STALE_CLAIM: u64 = 60;
/// Longest message from another node that is read, in bytes: a frame, as text in JSON, and what goes with it.
const MAX_MESSAGE_BYTES: usize = 2 * MAX_FRAME_BYTES + 16 * 1024;
/// A session's waiting frames.
const MAX_HANDED_OVER_BYTES: usize = 1024 * 1024;
/// Messages on their way out, and events on their way in.
const QUEUE: usize = 16 * 1024;
/// All messages that are on their way out together.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// How many keys are written at a time.
const WRITES: usize = 64;
/// How long a goodbye may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);
/// Behind a node's number in its last beat.
const BYE: &str = " bye";

#[derive(Debug)]
pub(crate) struct Nats {
    node: NodeId,
    client: Client,
    names: Arc<dyn KeyValue>,
    push: Arc<dyn KeyValue>,
    shared: Arc<Shared>,
    events: AsyncMutex<mpsc::Receiver<Event>>,
    /// Ends with this.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    node: NodeId,
    joined: watch::Sender<bool>,
    out: mpsc::Sender<(String, Vec<u8>)>,
    queued_bytes: AtomicUsize,
    /// Something did not fit there since it was empty.
    overflowed: AtomicBool,
    events: mpsc::Sender<Event>,
    /// Sessions that have to be written; only the newest counts.
    changed: Mutex<HashMap<u64, Option<Record>>>,
    released: Mutex<Vec<(String, Claim)>>,
    to_write: Notify,
    written: Notify,
    presence: Mutex<Presence>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name_key(room: &str, look: &str) -> String {
    format!("{}.{}", format_args!("_{}", URL_SAFE_NO_PAD.encode(room)), URL_SAFE_NO_PAD.encode(look))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Maps with integers as keys, texts and numbers: nothing of that can fail.
    serde_json::to_vec(value).unwrap_or_default()
}

/// What another node sent, if it is not too long and is what it has to be.
fn read<T: DeserializeOwned>(what: &str, bytes: &[u8], most: usize) -> Option<T> {
    if bytes.len() > most {
        tracing::warn!(bytes = bytes.len(), "{what} of another node is too long");
        return None;
    }
    // An error's text may quote what people write.
    serde_json::from_slice(bytes)
        .map_err(|e| tracing::warn!(reason = ?e.classify(), "{what} of another node cannot be read"))
        .ok()
}

impl Nats {
    /// Joins the service.
    ///
    /// # Errors
    /// [`Unavailable`]: no NATS there, it refuses, or it has no JetStream.
    /// Whether the configuration can be meant, without asking anybody.
    pub(crate) fn check(config: &ClusterConfig) -> Result<(), Unavailable> {
        nats_login::options(&config.servers).map(drop)
    }

    pub(crate) async fn join(config: &ClusterConfig) -> Result<Self, Unavailable> {
        let (connected, connections) = watch::channel((true, 0_u64));
        let (events, received) = mpsc::channel(QUEUE);
        let client = nats_login::options(&config.servers)?
            .name("chamada")
            .no_echo()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .connection_timeout(REQUEST_TIMEOUT)
            .ping_interval(Duration::from_secs(2))
            .max_reconnects(None)
            .reconnect_delay_callback(|attempts| Duration::from_millis(50 * (attempts as u64).min(20)))
            .event_callback(move |event| {
                match event {
                    async_nats::Event::Connected => connected.send_modify(|state| state.0 = true),
                    async_nats::Event::Disconnected | async_nats::Event::Closed => {
                        connected.send_modify(|state| *state = (false, state.1 + 1));
                    }
                    async_nats::Event::SlowConsumer(_) => {
                        // Their nodes send them again.
                        tracing::error!("messages of other nodes came faster than they could be read");
                    }
                    other => tracing::debug!(event = %other, "NATS"),
                }
                std::future::ready(())
            })
            .connect(&config.servers)
            .await
            .map_err(nats_login::refused)?;
        let context = jetstream::ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let buckets = Buckets::open(&context, config.replicas).await?;
        let names: Arc<dyn KeyValue> = Arc::new(Store(nats_store::open(&context, NAMES, config.replicas).await?));
        let push: Arc<dyn KeyValue> = Arc::new(Store(nats_store::open(&context, PUSH, config.replicas).await?));
        let node = take_number(&Store(buckets.nodes.clone())).await?;
        tracing::info!(node, "joined the other nodes");

        let (out, outgoing) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared {
            node,
            joined: watch::Sender::new(false),
            out,
            queued_bytes: AtomicUsize::new(0),
            overflowed: AtomicBool::new(false),
            events,
            changed: Mutex::default(),
            released: Mutex::default(),
            to_write: Notify::new(),
            written: Notify::new(),
            presence: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(publish(client.clone(), outgoing, shared.clone()));
        tasks.spawn(beat(client.clone(), shared.clone()));
        tasks.spawn(renew_number(node, buckets.nodes.clone()));
        tasks.spawn(write(buckets.sessions.clone(), names.clone(), shared.clone()));
        listen(&mut tasks, &client, node, &shared).await.map_err(unavailable)?;
        tasks.spawn(follow(context, config.clone(), connections, shared.clone()));
        let mut joined = shared.joined.subscribe();
        match time::timeout(2 * REQUEST_TIMEOUT, joined.wait_for(|joined| *joined)).await {
            Ok(Ok(_)) => {}
            _ => return Err(unavailable("the list of sessions does not come")),
        }
        Ok(Self { node, client, names, push, shared, events: AsyncMutex::new(received), _tasks: tasks })
    }
}

#[derive(Debug, Clone)]
struct Buckets {
    sessions: kv::Store,
    nodes: kv::Store,
}

impl Buckets {
    async fn open(context: &jetstream::Context, replicas: usize) -> Result<Self, Unavailable> {
        let sessions = nats_store::open(context, SESSIONS, replicas).await?;
        let nodes = nats_store::open(context, NODES, replicas).await?;
        Ok(Self { sessions, nodes })
    }
}

async fn take_number(nodes: &Store) -> Result<NodeId, Unavailable> {
    let span = NODE_IDS.end() - NODE_IDS.start() + 1;
    for _ in 0..span {
        let random = uuid::Uuid::new_v4().as_u128() % u128::from(span);
        let node = NODE_IDS.start() + NodeId::try_from(random).unwrap_or_default();
        if nodes.create(&node.to_string(), Vec::new()).await?.is_some() {
            return Ok(node);
        }
    }
    Err(unavailable("there are too many nodes"))
}

async fn publish(client: Client, mut outgoing: mpsc::Receiver<(String, Vec<u8>)>, shared: Arc<Shared>) {
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

/// Says that this node is there, and finds out which others are not any more.
async fn beat(client: Client, shared: Arc<Shared>) {
    let mut every = time::interval(BEAT);
    // A beat that comes late is none.
    every.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if !shared.is_joined() {
            continue;
        }
        // Past what else waits.
        let _ = time::timeout(BEAT, client.publish("chamada.beat", shared.node.to_string().into())).await;
        let silent = lock(&shared.presence).silent(Instant::now());
        for node in silent {
            tracing::warn!(node, "a node is gone");
            shared.tell(Event::NodeGone(node)).await;
        }
    }
}

async fn renew_number(node: NodeId, nodes: kv::Store) {
    loop {
        time::sleep(RENEW_NUMBER).await;
        if let Err(e) = nodes.put(node.to_string(), Vec::new().into()).await {
            tracing::debug!(reason = %e, "this node's number could not be renewed");
        }
    }
}

/// The node of that number, if it can be one, and another than this one.
fn other_node(number: &str, own: NodeId) -> Option<NodeId> {
    number.parse().ok().filter(|node| NODE_IDS.contains(node) && *node != own)
}

/// Takes in what others send.
async fn listen(
    tasks: &mut JoinSet<()>,
    client: &Client,
    node: NodeId,
    shared: &Arc<Shared>,
) -> Result<(), async_nats::SubscribeError> {
    let mut beats = client.subscribe("chamada.beat").await?;
    let mut messages = client.subscribe(format!("chamada.node.{node}.*")).await?;
    let mut lines = client.subscribe("chamada.line").await?;
    let mut requests = client.subscribe(format!("chamada.hand-over.{node}")).await?;
    let here = shared.clone();
    tasks.spawn(async move {
        while let Some(beat) = beats.next().await {
            let Ok(text) = std::str::from_utf8(&beat.payload) else { continue };
            let (number, bye) = match text.strip_suffix(BYE) {
                Some(number) => (number, true),
                None => (text, false),
            };
            let Some(node) = other_node(number, node) else { continue };
            let now = Instant::now();
            if bye {
                if lock(&here.presence).left(node, now) {
                    here.tell(Event::NodeGone(node)).await;
                }
            } else if lock(&here.presence).heard(node, now) {
                tracing::info!(node, "a node is back");
                here.tell(Event::NodeBack(node)).await;
            }
        }
    });
    let here = shared.clone();
    tasks.spawn(async move {
        while let Some(message) = messages.next().await {
            let from = message.subject.rsplit('.').next().and_then(|number| other_node(number, node));
            if let (Some(from), Some(message)) = (from, read("a message", &message.payload, MAX_MESSAGE_BYTES)) {
                here.tell(Event::Message(from, message)).await;
            }
        }
    });
    let here = shared.clone();
    tasks.spawn(async move {
        while let Some(line) = lines.next().await {
            if let Some(line) = read("a line", &line.payload, MAX_MESSAGE_BYTES) {
                here.tell(Event::Line(line)).await;
            }
        }
    });
    let (here, client) = (shared.clone(), client.clone());
    tasks.spawn(async move {
        while let Some(request) = requests.next().await {
            let (Some(reply), Some(what)) = (request.reply, read("a request", &request.payload, MAX_MESSAGE_BYTES))
            else {
                continue;
            };
            let (answer, answered) = oneshot::channel();
            here.tell(Event::HandOver(what, answer)).await;
            let answer = answered.await.unwrap_or_default();
            let _ = client.publish(reply, json(&answer).into()).await;
        }
    });
    Ok(())
}

/// Follows which sessions there are, from the beginning whenever the connection was away.
async fn follow(
    context: jetstream::Context,
    config: ClusterConfig,
    mut connections: watch::Receiver<(bool, u64)>,
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
    let buckets = Buckets::open(context, config.replicas).await?;
    nats_store::open(context, NAMES, config.replicas).await?;
    nats_store::open(context, PUSH, config.replicas).await?;
    let is_empty = buckets.sessions.status().await.map_err(unavailable)?.values() == 0;
    let mut entries = buckets.sessions.watch_with_history(">").await.map_err(unavailable)?;
    let mut sessions = HashMap::new();
    let mut is_whole = is_empty;
    while !is_whole {
        let entry = match time::timeout(REQUEST_TIMEOUT, entries.next()).await {
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
async fn write(sessions: kv::Store, names: Arc<dyn KeyValue>, shared: Arc<Shared>) {
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
            let releases = join_all(
                released
                    .into_iter()
                    .map(async |(key, claim)| give_back(&*names, &key, &claim).await.map_err(|e| (e, key, claim))),
            );
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

async fn give_back(names: &dyn KeyValue, key: &str, claim: &Claim) -> Result<(), Unavailable> {
    let Some(entry) = names.get(key).await? else { return Ok(()) };
    if serde_json::from_slice::<Claim>(&entry.value).is_ok_and(|held| held == *claim) {
        names.delete(key).await?;
    }
    Ok(())
}

impl Shared {
    fn is_joined(&self) -> bool {
        *self.joined.borrow()
    }

    fn put_out(&self, subject: String, payload: Vec<u8>) {
        if !self.is_joined() {
            return;
        }
        let bytes = payload.len();
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if queued.saturating_add(bytes) > MAX_QUEUED_BYTES || self.out.try_send((subject, payload)).is_err() {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            // What has to arrive is sent again.
            if !self.overflowed.swap(true, Ordering::Relaxed) {
                tracing::error!("more than can be sent is on its way to other nodes");
            }
        }
    }

    async fn tell(&self, event: Event) {
        // The receiver lives as long as these tasks.
        let _ = self.events.send(event).await;
    }
}

#[async_trait]
impl Router for Nats {
    fn node(&self) -> NodeId {
        self.node
    }

    fn is_joined(&self) -> bool {
        self.shared.is_joined()
    }

    fn nodes(&self) -> usize {
        lock(&self.shared.presence).count() + 1
    }

    async fn claim(
        &self,
        room: &str,
        look: &str,
        claim: &Claim,
        is_known: &(dyn Fn(u64) -> bool + Send + Sync),
    ) -> Result<bool, Unavailable> {
        if !self.is_joined() {
            return Err(unavailable("this node is cut off"));
        }
        let (key, value) = (name_key(room, look), json(claim));
        loop {
            if self.names.create(&key, value.clone()).await?.is_some() {
                return Ok(true);
            }
            // Given back in between.
            let Some(entry) = self.names.get(&key).await? else { continue };
            let held: Option<Claim> = serde_json::from_slice(&entry.value).ok();
            let is_own = held.as_ref().is_some_and(|held| match (&held.subject, &claim.subject) {
                (None, None) => held.place == claim.place,
                (held, own) => held == own,
            });
            let is_stale = held.is_none_or(|held| held.subject.is_none() && !is_known(held.place));
            let may_have = is_own || (is_stale && entry.age >= STALE_CLAIM);
            if !may_have {
                return Ok(false);
            }
            if self.names.update(&key, value.clone(), entry.revision).await?.is_some() {
                return Ok(true);
            }
        }
    }

    fn release(&self, room: &str, look: &str, claim: &Claim) {
        lock(&self.shared.released).push((name_key(room, look), claim.clone()));
        self.shared.to_write.notify_one();
    }

    fn announce(&self, origin: u64, record: Option<Record>) {
        lock(&self.shared.changed).insert(origin, record);
        self.shared.to_write.notify_one();
    }

    fn send(&self, node: NodeId, message: ToNode) {
        self.shared.put_out(format!("chamada.node.{node}.{}", self.node), json(&message));
    }

    fn publish(&self, line: Line) {
        self.shared.put_out("chamada.line".into(), json(&line));
    }

    async fn hand_over(&self, node: NodeId, what: HandOver) -> Result<Option<HandedOver>, HandOverError> {
        if !self.is_joined() {
            return Err(unavailable("this node is cut off").into());
        }
        match self.client.request(format!("chamada.hand-over.{node}"), json(&what).into()).await {
            Ok(answer) => {
                let answer = read::<Option<HandedOver>>("a session", &answer.payload, 2 * MAX_HANDED_OVER_BYTES);
                Ok(answer.flatten())
            }
            Err(e) if e.kind() == RequestErrorKind::NoResponders => Err(HandOverError::Gone),
            Err(e) => Err(unavailable(e).into()),
        }
    }

    fn bucket(&self, bucket: Bucket) -> Option<Arc<dyn KeyValue>> {
        Some(match bucket {
            Bucket::Push => self.push.clone(),
        })
    }

    async fn next(&self) -> Event {
        match self.events.lock().await.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    async fn leave(&self) {
        let leaving = async {
            loop {
                let written = self.shared.written.notified();
                if lock(&self.shared.changed).is_empty() && lock(&self.shared.released).is_empty() {
                    break;
                }
                written.await;
            }
            let _ = self.client.publish("chamada.beat", format!("{}{BYE}", self.node).into()).await;
            let _ = self.client.flush().await;
        };
        if self.is_joined() {
            let _ = time::timeout(LEAVE_TIMEOUT, leaving).await;
        }
    }
}
