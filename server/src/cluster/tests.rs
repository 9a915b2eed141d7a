//! What one node does with what others tell it, without NATS.

use crate::{
    calls::CallPeers,
    config::ServerConfig,
    departure::Departure,
    hub::{Hub, hash_of},
    outbox::{Outbox, Outgoing, Source},
    rooms::DEFAULT,
    router::{
        Bucket, Claim, Event, HandOver, HandOverError, HandedOver, KeyValue, Line, NodeId, Parcel, Record, Router,
        ToNode, Unavailable,
    },
};
use async_trait::async_trait;
use futures_util::FutureExt;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Node 1, whose words to others are kept.
#[derive(Debug, Default)]
struct Recorder {
    sent: Mutex<Vec<(NodeId, ToNode)>>,
    ended: Mutex<Vec<u64>>,
}

#[async_trait]
impl Router for Recorder {
    fn node(&self) -> NodeId {
        1
    }

    fn is_joined(&self) -> bool {
        true
    }

    fn nodes(&self) -> usize {
        2
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

    fn announce(&self, origin: u64, record: Option<Record>) {
        if record.is_none() {
            self.ended.lock().unwrap().push(origin);
        }
    }

    fn send(&self, node: NodeId, message: ToNode) {
        self.sent.lock().unwrap().push((node, message));
    }

    fn publish(&self, _: Line) {}

    async fn hand_over(&self, _: NodeId, _: HandOver) -> Result<Option<HandedOver>, HandOverError> {
        Err(HandOverError::Gone)
    }

    fn bucket(&self, _: Bucket) -> Option<Arc<dyn KeyValue>> {
        None
    }

    async fn next(&self) -> Event {
        std::future::pending().await
    }

    async fn leave(&self) {}
}

/// This node, and Eva (origin 7) on node 2.
struct Node {
    router: Arc<Recorder>,
    hub: Hub,
}

const EVA: u64 = 7;
const BEGINNING: u64 = 5 << 20;

fn eva() -> Record {
    Record {
        origin: EVA,
        number: EVA,
        node: 2,
        version: 1,
        room: DEFAULT.into(),
        name: "eva".into(),
        named_at: 1,
        place: EVA,
        subject: None,
        token: "the hash of a token".into(),
        attached: true,
        takes_calls: true,
        device: None,
        call_peers: CallPeers::default(),
    }
}

impl Node {
    fn new() -> Self {
        let router = Arc::new(Recorder::default());
        let hub = Hub::new(ServerConfig::default(), router.clone()).unwrap();
        hub.hear(Event::Session(EVA, Some(eva())));
        Self { router, hub }
    }

    fn log_in(&self, name: &str) -> (u64, Arc<Outbox>, String) {
        let (number, outbox) = self.hub.connect(DEFAULT.into(), None);
        let hello = frames(&outbox).remove(0);
        let login = json!({"type": "username", "name": name, "id": number}).to_string();
        self.hub.receive(number, &login).now_or_never().unwrap();
        (number, outbox, hello["resume"].as_str().unwrap().to_owned())
    }

    fn send(&self, number: u64, message: Value) {
        self.hub.receive(number, &message.to_string()).now_or_never().unwrap();
    }

    /// A parcel of Eva's.
    fn hear_parcel(&self, to: u64, seq: u64, message: Value) {
        let (source, frame) = (Source::Stranger(EVA), message.to_string());
        self.hub.hear(Event::Message(2, ToNode::Parcel(Parcel { to, seq, source, frame, sender: None })));
    }

    fn sent(&self) -> Vec<ToNode> {
        std::mem::take(&mut *self.router.sent.lock().unwrap()).into_iter().map(|(_, message)| message).collect()
    }

    /// Numbers of the parcels sent since the last call.
    fn parcels(&self) -> Vec<u64> {
        let seq = |message| if let ToNode::Parcel(parcel) = message { Some(parcel.seq % (1 << 20)) } else { None };
        self.sent().into_iter().filter_map(seq).collect()
    }

    fn is_known(&self, name: &str) -> bool {
        self.hub.lock().rooms.get(DEFAULT).is_some_and(|room| room.names.contains_key(name))
    }

    fn hand_over(&self, token: &str, to: NodeId, origin: u64) -> Option<HandedOver> {
        let (reply, mut answer) = oneshot::channel();
        self.hub.hear(Event::HandOver(HandOver { origin, token: hash_of(token), to }, reply));
        answer.try_recv().unwrap()
    }
}

fn frames(outbox: &Outbox) -> Vec<Value> {
    let next = || match outbox.try_next() {
        Some(Outgoing::Frame(frame)) => Some(serde_json::from_str(&frame).unwrap()),
        _ => None,
    };
    std::iter::from_fn(next).collect()
}

fn wave(n: u64) -> Value {
    json!({"type": "wave", "target": "ana", "name": "eva", "n": n})
}

/// Numbers of the waves that wait.
fn waves(outbox: &Outbox) -> Vec<u64> {
    frames(outbox).iter().filter_map(|frame| frame["n"].as_u64()).collect()
}

#[test]
fn a_parcel_that_comes_twice_is_given_once_and_one_after_a_gap_not_before_the_gap_is_filled() {
    let node = Node::new();
    let (ana, outbox, _) = node.log_in("ana");
    node.hear_parcel(ana, BEGINNING + 1, wave(1));
    node.hear_parcel(ana, BEGINNING + 1, wave(1));
    node.hear_parcel(ana, BEGINNING + 3, wave(3));
    assert_eq!(node.sent(), [ToNode::Missing(ana)]);
    assert_eq!(waves(&outbox), [1]);
    node.hear_parcel(ana, BEGINNING + 2, wave(2));
    node.hear_parcel(ana, BEGINNING + 3, wave(3));
    assert_eq!(waves(&outbox), [2, 3]);
    node.hub.tell_taken();
    assert_eq!(node.sent(), [ToNode::Taken(vec![(ana, BEGINNING + 3)])]);
}

#[test]
fn what_is_refused_counts_as_taken_so_that_it_takes_no_room_at_its_node() {
    let node = Node::new();
    let (ana, outbox, _) = node.log_in("ana");
    node.send(ana, json!({"type": "block", "name": "eva"}));
    frames(&outbox);
    for n in 1..=3 {
        node.hear_parcel(ana, BEGINNING + n, wave(n));
    }
    assert!(waves(&outbox).is_empty());
    node.hub.tell_taken();
    let taken = node.sent().into_iter().filter(|message| matches!(message, ToNode::Taken(_)));
    assert_eq!(taken.collect::<Vec<_>>(), [ToNode::Taken(vec![(ana, BEGINNING + 3)])]);
}

#[test]
fn what_is_refused_behind_something_that_waits_counts_as_taken_with_that() {
    let node = Node::new();
    let (ana, outbox, _) = node.log_in("ana");
    node.hear_parcel(ana, BEGINNING + 1, wave(1));
    node.send(ana, json!({"type": "block", "name": "eva"}));
    node.hear_parcel(ana, BEGINNING + 2, wave(2));
    node.hub.tell_taken();
    assert!(!node.sent().iter().any(|message| matches!(message, ToNode::Taken(_))), "the first still waits");
    assert_eq!(waves(&outbox), [1]);
    node.hub.tell_taken();
    assert_eq!(node.sent(), [ToNode::Taken(vec![(ana, BEGINNING + 2)])]);
}

#[test]
fn what_is_not_taken_is_sent_again_in_ever_longer_pauses() {
    let node = Node::new();
    let (ana, ..) = node.log_in("ana");
    for n in 1..=2 {
        node.send(ana, json!({"type": "wave", "target": "eva", "n": n}));
    }
    assert_eq!(node.parcels(), [1, 2]);
    let mut now = Instant::now();
    let mut pauses = Vec::new();
    for second in 0..32 {
        now += Duration::from_secs(1);
        node.hub.look_after_nodes(now);
        if node.parcels() == [1, 2] {
            pauses.push(second + 1);
        }
    }
    assert_eq!(pauses, [1, 3, 7, 15, 31]);
    let first = {
        let state = node.hub.lock();
        state.sessions.get(&EVA).and_then(|eva| eva.remote).unwrap().taken + 1
    };
    node.hub.hear(Event::Message(2, ToNode::Taken(vec![(EVA, first)])));
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(1));
    assert_eq!(node.parcels(), [2]);
    node.hub.hear(Event::Message(2, ToNode::Taken(vec![(EVA, u64::MAX)])));
    node.hub.look_after_nodes(now + Duration::from_secs(100));
    assert!(node.parcels().is_empty());
}

#[test]
fn many_who_miss_the_same_parcel_are_answered_once() {
    let node = Node::new();
    let (ana, ..) = node.log_in("ana");
    node.send(ana, json!({"type": "wave", "target": "eva"}));
    node.sent();
    for _ in 0..50 {
        node.hub.hear(Event::Message(2, ToNode::Missing(EVA)));
    }
    assert_eq!(node.parcels(), [1]);
}

#[test]
fn a_session_that_is_asked_for_twice_is_handed_over_twice_but_to_one_node_alone() {
    let node = Node::new();
    let (ana, outbox, token) = node.log_in("ana");
    frames(&outbox);
    node.hear_parcel(ana, BEGINNING + 1, wave(1));
    assert_eq!(node.hand_over("another token", 3, ana), None);
    let first = node.hand_over(&token, 3, ana).unwrap();
    assert_eq!(first.waiting.len(), 1);
    assert_eq!(node.hand_over(&token, 3, ana).as_ref(), Some(&first), "the answer may be lost");
    assert_eq!(node.hand_over(&token, 2, ana), None);
    node.hub.hear(Event::NodeGone(3));
    assert_eq!(node.hand_over(&token, 2, ana).as_ref(), Some(&first), "the one that asked has died");
    let taken_over = Record { origin: ana, number: 99, version: first.version + 1, name: "ana".into(), ..eva() };
    node.hub.hear(Event::Session(ana, Some(taken_over)));
    assert_eq!(node.hand_over(&token, 2, ana), None, "it is another node's now");
}

#[test]
fn a_session_that_was_handed_over_and_turns_up_nowhere_is_forgotten() {
    let node = Node::new();
    let (ana, _, token) = node.log_in("ana");
    node.hand_over(&token, 3, ana).unwrap();
    node.hub.disconnect(ana, Departure::Lost);
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(29));
    assert!(node.is_known("ana"));
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(30));
    assert!(!node.is_known("ana"));
    assert_eq!(*node.router.ended.lock().unwrap(), [ana], "all others are told");
}

#[test]
fn people_whom_nats_has_forgotten_keep_their_names_until_their_node_has_had_time_to_tell_of_them() {
    let node = Node::new();
    node.hub.hear(Event::CutOff);
    node.hub.hear(Event::Joined(HashMap::new()));
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(9));
    assert!(node.is_known("eva"));
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(10));
    assert!(!node.is_known("eva"));

    let node = Node::new();
    node.hub.hear(Event::CutOff);
    node.hub.hear(Event::Joined(HashMap::new()));
    node.hub.hear(Event::Session(EVA, Some(Record { version: 2, ..eva() })));
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(10));
    assert!(node.is_known("eva"));
}

#[test]
fn nobody_is_forgotten_while_the_other_nodes_cannot_be_reached() {
    let node = Node::new();
    node.hub.hear(Event::NodeGone(2));
    node.hub.hear(Event::CutOff);
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(60));
    assert!(node.is_known("eva"));
    node.hub.hear(Event::Joined(HashMap::from([(EVA, eva())])));
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(29));
    assert!(node.is_known("eva"), "the time begins anew");
    node.hub.look_after_nodes(Instant::now() + Duration::from_secs(31));
    assert!(!node.is_known("eva"));
}

#[test]
fn who_had_no_connection_before_a_node_was_missed_has_none_when_it_is_back() {
    let node = Node::new();
    let bia =
        Record { origin: 8, number: 8, place: 8, name: "bia".into(), token: "b".into(), attached: false, ..eva() };
    node.hub.hear(Event::Session(8, Some(bia)));
    node.hub.hear(Event::NodeGone(2));
    node.hub.hear(Event::NodeBack(2));
    let state = node.hub.lock();
    let attached = |number| state.sessions.get(&number).map(|session| session.attached);
    assert_eq!((attached(EVA), attached(8)), (Some(true), Some(false)));
}

#[test]
fn numbers_at_their_ends_do_no_harm() {
    let node = Node::new();
    let (ana, outbox, token) = node.log_in("ana");
    for seq in [0, 1, u64::MAX - 1, u64::MAX, 0] {
        node.hear_parcel(ana, seq, wave(seq));
    }
    node.hub.hear(Event::Message(2, ToNode::Taken(vec![(EVA, u64::MAX), (ana, 0), (u64::MAX, u64::MAX)])));
    node.hub.hear(Event::Message(2, ToNode::Missing(u64::MAX)));
    node.hub
        .hear(Event::Session(EVA, Some(Record { version: u64::MAX, number: u64::MAX, named_at: u64::MAX, ..eva() })));
    node.hub.hear(Event::Session(9, Some(Record { origin: 9, number: ana, name: "zoe".into(), ..eva() })));
    let far =
        Record { origin: ana, number: ana, version: u64::MAX, token: hash_of(&token), name: "ana".into(), ..eva() };
    node.hub.hear(Event::Session(ana, Some(far)));
    node.hub.hear(Event::NodeGone(2));
    let (back, _) = node.hub.connect(DEFAULT.into(), None);
    node.send(back, json!({"type": "username", "name": "ana", "id": back, "resume": token}));
    assert!(node.hub.is_logged_in(back));
    frames(&outbox);
}
