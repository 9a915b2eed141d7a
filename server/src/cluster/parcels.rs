//! Frames between nodes: kept until they are taken, sent again when one may be lost, dropped when they come twice.

use super::PARCELS;
use crate::{
    calls::CallPeers,
    hub::State,
    outbox::Source,
    router::{NodeId, Parcel, Record, ToNode},
    session::Session,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{MAX_FRAME_BYTES, Message};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How many sessions' news go into one message.
const TAKEN_AT_A_TIME: usize = 1024;
/// A gap is told, and answered, only so often: each parcel that comes after one shows it anew.
const GAP_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause before what is not taken is sent once more; each is twice as long as the one before.
const MAX_RESEND_PAUSE: Duration = Duration::from_secs(60);

/// Up to which parcel each session has taken what each node sent to it, as far as those nodes have not been told.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    untold: Mutex<HashMap<(NodeId, u64), u64>>,
    pub(crate) some: Notify,
}

/// Notes that a parcel is taken, once it is: given to the client, or dropped for good.
#[derive(Debug)]
pub(crate) struct Receipt {
    taken: Arc<Taken>,
    pub(crate) node: NodeId,
    origin: u64,
    pub(crate) seq: u64,
    /// Parcels up to this one are over with it: those behind it were dropped.
    pub(crate) covers: u64,
}

impl Taken {
    pub(crate) fn receipt(self: &Arc<Self>, node: NodeId, origin: u64, seq: u64) -> Receipt {
        Receipt { taken: self.clone(), node, origin, seq, covers: seq }
    }

    pub(crate) fn note(&self, node: NodeId, origin: u64, seq: u64) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let last = untold.entry((node, origin)).or_default();
        *last = seq.max(*last);
        drop(untold);
        self.some.notify_one();
    }

    /// What there is to tell each node.
    pub(crate) fn take(&self) -> Vec<(NodeId, ToNode)> {
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        let mut by_node: BTreeMap<NodeId, Vec<(u64, u64)>> = BTreeMap::new();
        for ((node, origin), seq) in untold {
            by_node.entry(node).or_default().push((origin, seq));
        }
        let messages = |(node, all): (NodeId, Vec<(u64, u64)>)| {
            all.chunks(TAKEN_AT_A_TIME).map(|some| (node, ToNode::Taken(some.to_vec()))).collect::<Vec<_>>()
        };
        by_node.into_iter().flat_map(messages).collect()
    }
}

impl Receipt {
    pub(crate) fn note(&self) {
        self.taken.note(self.node, self.origin, self.covers);
    }
}

impl State {
    /// Puts a frame into a session's outbox; that of a session of another node keeps it until it is taken. `false`: no room for its source.
    pub(crate) fn put(&mut self, to: u64, source: Source, frame: Utf8Bytes) -> bool {
        let Some(session) = self.sessions.get_mut(&to) else { return false };
        let fits = session.outbox.push(source, frame);
        if let (true, Some(remote)) = (fits, &mut session.remote) {
            if remote.sent == remote.taken {
                remote.wait_from(Instant::now());
            }
            remote.sent = remote.sent.saturating_add(1);
        }
        fits
    }

    /// Sends the last of what was put into the outbox of a session of another node on its way.
    pub(crate) fn post(&self, to: u64, source: Source, frame: &Utf8Bytes, sender: Option<Record>) {
        let Some(session) = self.sessions.get(&to) else { return };
        let Some(remote) = session.remote else { return };
        self.router.send(
            remote.node,
            ToNode::Parcel(Parcel { to: session.origin, seq: remote.sent, source, frame: frame.to_string(), sender }),
        );
    }

    /// Tells a session something as the server.
    pub(crate) fn tell(&mut self, to: u64, message: &Message) {
        let frame = Utf8Bytes::from(message.to_json());
        if self.put(to, Source::Server, frame.clone()) {
            self.post(to, Source::Server, &frame, None);
        }
    }

    /// Sends what a session of another node has not taken once more.
    pub(crate) fn send_again(&mut self, number: u64, now: Instant) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let Some(remote) = &mut session.remote else { return };
        (remote.waiting_since, remote.sent_again) = (now, Some(now));
        remote.pause = (remote.pause * 2).min(MAX_RESEND_PAUSE);
        let (node, first) = (remote.node, remote.taken.saturating_add(1));
        let Some(session) = self.sessions.get(&number) else { return };
        for (seq, (source, frame)) in (first..).zip(session.outbox.waiting()) {
            let sender = source.session().and_then(|sender| self.record_of(sender));
            let parcel = Parcel { to: session.origin, seq, source, frame: frame.to_string(), sender };
            self.router.send(node, ToNode::Parcel(parcel));
        }
    }

    /// A session of another node has got a parcel, and lacks one before it.
    pub(crate) fn fill_gap(&mut self, origin: u64, now: Instant) {
        let Some(number) = self.origins.get(&origin).copied() else { return };
        let remote = self.sessions.get(&number).and_then(|session| session.remote);
        let is_new = |at: Instant| now.saturating_duration_since(at) >= GAP_PAUSE;
        if remote.is_some_and(|remote| remote.sent_again.is_none_or(is_new)) {
            self.send_again(number, now);
        }
    }

    /// Sends once more what has not been taken for so long that it, or the news of it, may be lost.
    pub(crate) fn send_overdue_again(&mut self, now: Instant) {
        let overdue = |session: &Session| {
            session.remote.is_some_and(|remote| {
                remote.taken < remote.sent
                    && now.saturating_duration_since(remote.waiting_since) >= remote.pause
                    && !self.nodes.is_gone(remote.node)
            })
        };
        let numbers: Vec<u64> =
            self.sessions.iter().filter(|(_, one)| overdue(one)).map(|(number, _)| *number).collect();
        for number in numbers {
            self.send_again(number, now);
        }
    }

    pub(crate) fn send_all_again(&mut self, now: Instant) {
        let numbers: Vec<u64> = self.remote_sessions().map(|(number, _)| number).collect();
        for number in numbers {
            self.send_again(number, now);
        }
    }

    /// A session of another node has taken the parcels up to this one.
    pub(crate) fn taken(&mut self, origin: u64, seq: u64) {
        let Some(session) = self.origins.get(&origin).and_then(|number| self.sessions.get_mut(number)) else { return };
        let Some(remote) = &mut session.remote else { return };
        let before = remote.taken;
        while remote.taken < seq.min(remote.sent) && session.outbox.try_next().is_some() {
            remote.taken = remote.taken.saturating_add(1);
        }
        if remote.taken > before {
            remote.wait_from(Instant::now());
        }
    }

    fn set_call_peers(&mut self, number: u64, call_peers: CallPeers) -> Option<CallPeers> {
        Some(std::mem::replace(&mut self.sessions.get_mut(&number)?.call_peers, call_peers))
    }

    /// A frame from another node for a session of this one.
    pub(crate) fn receive_parcel(&mut self, node: NodeId, parcel: Parcel) {
        let Parcel { to, seq, source, frame, sender } = parcel;
        if frame.len() > MAX_FRAME_BYTES {
            tracing::warn!(node, bytes = frame.len(), "a frame of another node is too long");
            return;
        }
        let as_sent = sender.as_ref().map(|sender| sender.call_peers.clone());
        if let Some(sender) = sender {
            self.learn(sender);
        }
        let Some(number) = self.origins.get(&to).copied().filter(|number| self.is_local(*number)) else { return };
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let last = session.heard.get(&node).copied();
        let is_beginning = seq % PARCELS == 1;
        let expected = match last {
            Some(last) if seq <= last => {
                // It has come before. What waits of it will be taken; the rest has been, and that news may be lost.
                let waits = session.outbox.first_receipt(node);
                self.taken.note(node, to, waits.map_or(last, |first| first.saturating_sub(1)));
                return;
            }
            Some(last) => last.checked_add(1) == Some(seq) || is_beginning,
            None => session.heard_unknown || is_beginning,
        };
        if !expected {
            // One before it is lost.
            self.router.send(node, ToNode::Missing(to));
            return;
        }
        session.heard.insert(node, seq);
        let outbox = session.outbox.clone();
        let receipt = self.taken.receipt(node, to, seq);
        let frame = Utf8Bytes::from(frame);
        match source.session() {
            None => {
                outbox.push_with(Source::Server, frame, Some(receipt));
            }
            Some(from) if self.sessions.contains_key(&from) && !self.is_local(from) => {
                // What is known of the sender may be newer than the message: it counts as it was when it sent it.
                let newest = as_sent.and_then(|as_sent| self.set_call_peers(from, as_sent));
                let passed = self.pass_in(from, number, frame, receipt);
                if let Some(newest) = newest {
                    self.set_call_peers(from, newest);
                }
                if let Err(error) = passed {
                    self.router.send(node, ToNode::Refused(from, number, error));
                }
            }
            Some(_) => outbox.settle(receipt),
        }
    }
}
