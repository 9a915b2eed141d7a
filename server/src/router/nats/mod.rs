//! The nodes of one service over NATS: what is addressed to one node, and public lines, go over its subjects; who is where, and whose a name
//! is, stand in its key-value store (JetStream).

mod login;
mod messages;
mod names;
mod number;
mod sessions;
mod store;

use super::{
    Bucket, Claim, Event, HandOver, HandOverError, HandedOver, KeyValue, Line, NodeId, Record, Router, ToNode,
    Unavailable, presence::Presence,
};
use crate::config::ClusterConfig;
use async_nats::{Client, client::RequestErrorKind, jetstream};
use async_trait::async_trait;
use messages::json;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::{Store, unavailable};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, mpsc, watch},
    task::JoinSet,
    time,
};

/// How long a request to NATS, or to another node, may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Messages on their way out, and events on their way in.
const QUEUE: usize = 16 * 1024;
/// All messages that are on their way out together.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// How long a goodbye may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

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

impl Nats {
    /// Whether the configuration can be meant, without asking anybody.
    ///
    /// # Errors
    /// A URL that is none of NATS's.
    pub(crate) fn check(config: &ClusterConfig) -> Result<(), Unavailable> {
        login::options(&config.servers).map(drop)
    }

    /// Joins the service.
    ///
    /// # Errors
    /// [`Unavailable`]: no NATS there, it refuses, or it has no JetStream.
    pub(crate) async fn join(config: &ClusterConfig) -> Result<Self, Unavailable> {
        let (connected, connections) = watch::channel((true, 0_u64));
        let (events, received) = mpsc::channel(QUEUE);
        let last_error = Mutex::new(String::new());
        let client = login::options(&config.servers)?
            .name("chamada")
            .no_echo()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .connection_timeout(REQUEST_TIMEOUT)
            .ping_interval(Duration::from_secs(2))
            .max_reconnects(None)
            .reconnect_delay_callback(|attempts| Duration::from_millis(50 * (attempts as u64).min(20)))
            .event_callback(move |event| {
                match event {
                    async_nats::Event::Connected => {
                        lock(&last_error).clear();
                        connected.send_modify(|state| state.0 = true);
                    }
                    async_nats::Event::Disconnected | async_nats::Event::Closed => {
                        connected.send_modify(|state| *state = (false, state.1 + 1));
                    }
                    async_nats::Event::SlowConsumer(_) => {
                        // Their nodes send them again.
                        tracing::error!("messages of other nodes came faster than they could be read");
                    }
                    async_nats::Event::ServerError(_) | async_nats::Event::ClientError(_) => {
                        let said = event.to_string();
                        if std::mem::replace(&mut *lock(&last_error), said.clone()) != said {
                            tracing::warn!(reason = %said, "NATS refuses");
                        }
                    }
                    other => tracing::debug!(event = %other, "NATS"),
                }
                std::future::ready(())
            })
            .connect(&config.servers)
            .await
            .map_err(login::refused)?;
        let context = jetstream::ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let buckets = store::open_all(&context, config.replicas).await?;
        let names: Arc<dyn KeyValue> = Arc::new(Store::new(buckets.names, &connections));
        let push: Arc<dyn KeyValue> = Arc::new(Store::new(buckets.push, &connections));
        let node = number::take_number(&Store::new(buckets.nodes.clone(), &connections)).await?;
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
        tasks.spawn(messages::publish(client.clone(), outgoing, shared.clone()));
        tasks.spawn(number::beat(client.clone(), shared.clone()));
        tasks.spawn(number::renew_number(node, buckets.nodes));
        tasks.spawn(sessions::write(buckets.sessions, names.clone(), shared.clone()));
        let subscribe = async |subject: String| client.subscribe(subject).await.map_err(unavailable);
        tasks.spawn(number::hear_beats(subscribe(number::BEATS.into()).await?, shared.clone()));
        tasks.spawn(messages::hear_messages(subscribe(messages::to_node(node, None)).await?, shared.clone()));
        tasks.spawn(messages::hear_lines(subscribe(messages::LINES.into()).await?, shared.clone()));
        let requests = subscribe(messages::hand_overs(node)).await?;
        tasks.spawn(messages::hear_hand_overs(requests, client.clone(), shared.clone()));
        tasks.spawn(sessions::follow(context, config.clone(), connections, shared.clone()));
        let mut joined = shared.joined.subscribe();
        match time::timeout(2 * REQUEST_TIMEOUT, joined.wait_for(|joined| *joined)).await {
            Ok(Ok(_)) => {}
            _ => return Err(unavailable("the list of sessions does not come")),
        }
        Ok(Self { node, client, names, push, shared, events: AsyncMutex::new(received), _tasks: tasks })
    }
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
        names::claim(&*self.names, &names::key(room, look), claim, is_known).await
    }

    fn release(&self, room: &str, look: &str, claim: &Claim) {
        lock(&self.shared.released).push((names::key(room, look), claim.clone()));
        self.shared.to_write.notify_one();
    }

    fn announce(&self, origin: u64, record: Option<Record>) {
        lock(&self.shared.changed).insert(origin, record);
        self.shared.to_write.notify_one();
    }

    fn send(&self, node: NodeId, message: ToNode) {
        self.shared.put_out(messages::to_node(node, Some(self.node)), json(&message));
    }

    fn publish(&self, line: Line) {
        self.shared.put_out(messages::LINES.into(), json(&line));
    }

    async fn hand_over(&self, node: NodeId, what: HandOver) -> Result<Option<HandedOver>, HandOverError> {
        if !self.is_joined() {
            return Err(unavailable("this node is cut off").into());
        }
        match self.client.request(messages::hand_overs(node), json(&what).into()).await {
            Ok(answer) => Ok(messages::read_handed_over(&answer.payload)),
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
            number::say_goodbye(&self.client, self.node).await;
        };
        if self.is_joined() {
            let _ = time::timeout(LEAVE_TIMEOUT, leaving).await;
        }
    }
}
