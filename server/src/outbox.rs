//! The bounded way from everyone to one socket. Putting something in never waits: what does not fit is refused to whoever sent it, and nobody
//! can take another's room. That a client does not read is found out by its writer, which makes no headway.

use crate::{
    cluster::Receipt,
    router::{NodeId, Waiting},
};
use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::Notify,
    time::{self, Duration, Instant},
};

/// How long after a write a line of the chat waits for others, and how many wait at most.
const GATHER: Duration = Duration::from_millis(10);
const GATHERED: usize = 32;

/// Close codes of RFC 6455 section 7.4.1 and the registry that it founded.
pub(crate) mod code {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GOING_AWAY: u16 = 1001;
    pub(crate) const NO_STATUS: u16 = 1005;
    pub(crate) const POLICY: u16 = 1008;
    pub(crate) const TOO_BIG: u16 = 1009;
    pub(crate) const TRY_AGAIN_LATER: u16 = 1013;
    /// A client's own: its page is being loaded anew, or closed.
    pub(crate) const RELOADING: u16 = 4001;
}

/// How the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

/// What the socket has to send next.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(Utf8Bytes),
    Ping,
    Close(Closing),
}

/// Whose frame it is, which says how much of the room it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// The server itself: a few small frames, each caused by the client that they are for.
    Server,
    /// The session that the client is in an answered call with, or calls: half of the room.
    Peer(u64),
    /// Any other session: an eighth of the room each, half of it together with all other strangers and with chat.
    Stranger(u64),
}

impl Source {
    pub(crate) fn session(self) -> Option<u64> {
        match self {
            Self::Server => None,
            Self::Peer(session) | Self::Stranger(session) => Some(session),
        }
    }
}

/// A frame that waits.
#[derive(Debug)]
pub(crate) struct Entry {
    frame: Utf8Bytes,
    source: Source,
    is_list: bool,
    /// A line of the chat, which may wait for others.
    is_line: bool,
    /// For the node that it came from.
    receipt: Option<Receipt>,
}

impl Entry {
    pub(crate) fn into_waiting(self) -> Waiting {
        let parcel = self.receipt.map(|receipt| (receipt.node, receipt.seq));
        Waiting { source: self.source, frame: self.frame.to_string(), parcel }
    }
}

/// What some of the entries take up.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    frames: usize,
    bytes: usize,
}

impl Load {
    fn add(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, bytes: usize) {
        self.frames = self.frames.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    all: Load,
    strangers: Load,
    by_session: HashMap<u64, Load>,
    ping: bool,
    closing: Option<Closing>,
    /// So many of the entries are lines of the chat.
    lines: usize,
    /// The writer waits for more of them.
    gathers: bool,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    max_frames: usize,
    max_bytes: usize,
    queue: Mutex<Queue>,
    /// For the one task that writes.
    filled: Notify,
    /// For the one task that watches over the connection.
    ended: Notify,
}

impl Outbox {
    pub(crate) fn new(max_frames: usize, max_bytes: usize) -> Self {
        Self { max_frames, max_bytes, queue: Mutex::default(), filled: Notify::new(), ended: Notify::new() }
    }

    /// A panic elsewhere leaves a queue that is still whole: every change below is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame. `false`: its source has no room left here, or the connection is closing.
    pub(crate) fn push(&self, source: Source, frame: Utf8Bytes) -> bool {
        self.push_with(source, frame, None)
    }

    /// Adds a frame that came from another node; it is taken when it goes to the client, or if there is no room for it.
    pub(crate) fn push_with(&self, source: Source, frame: Utf8Bytes, receipt: Option<Receipt>) -> bool {
        self.add(Entry { frame, source, is_list: false, is_line: false, receipt })
    }

    /// Adds a line of the chat. `false` as above.
    pub(crate) fn push_line(&self, source: Source, frame: Utf8Bytes) -> bool {
        self.add(Entry { frame, source, is_list: false, is_line: true, receipt: None })
    }

    /// A frame that came from another node is dropped: it counts as taken with those that wait before it.
    pub(crate) fn settle(&self, receipt: Receipt) {
        self.lock().settle(receipt);
    }

    /// What waits, in order.
    pub(crate) fn waiting(&self) -> Vec<(Source, Utf8Bytes)> {
        self.lock().entries.iter().map(|entry| (entry.source, entry.frame.clone())).collect()
    }

    /// The first parcel of that node that waits.
    pub(crate) fn first_receipt(&self, node: NodeId) -> Option<u64> {
        let queue = self.lock();
        let receipts = queue.entries.iter().filter_map(|entry| entry.receipt.as_ref());
        receipts.filter(|receipt| receipt.node == node).map(|receipt| receipt.seq).next()
    }

    /// Adds a user list in place of one that still waits: only the newest counts.
    pub(crate) fn push_list(&self, frame: Utf8Bytes) -> bool {
        {
            let mut queue = self.lock();
            if let Some(waiting) = queue.entries.iter().position(|entry| entry.is_list) {
                queue.remove(waiting);
            }
        }
        self.add(Entry { frame, source: Source::Server, is_list: true, is_line: false, receipt: None })
    }

    /// Adds what waited for a client that is back, as far as it fits.
    pub(crate) fn restore(&self, entries: Vec<Entry>) {
        for entry in entries {
            self.add(entry);
        }
    }

    fn add(&self, entry: Entry) -> bool {
        let mut queue = self.lock();
        // If it is this server that goes, another one may hand out what comes now.
        let is_over = queue.closing.is_some_and(|closing| closing.code != code::GOING_AWAY);
        if is_over || !self.fits(&queue, &entry) {
            if let Some(receipt) = entry.receipt {
                queue.settle(receipt);
            }
            return false;
        }
        queue.add(entry);
        if !queue.gathers || queue.is_urgent() {
            drop(queue);
            self.filled.notify_one();
        }
        true
    }

    fn fits(&self, queue: &Queue, entry: &Entry) -> bool {
        let fits = |load: Load, share: usize| {
            load.frames < (self.max_frames / share).max(1)
                && load.bytes.saturating_add(entry.frame.len()) <= self.max_bytes / share
        };
        let own = |session| queue.by_session.get(&session).copied().unwrap_or_default();
        fits(queue.all, 1)
            && match entry.source {
                Source::Server => true,
                Source::Peer(session) => fits(own(session), 2),
                Source::Stranger(session) => fits(queue.strangers, 2) && fits(own(session), 8),
            }
    }

    /// Takes what waits, without user lists: they are out of date by the time anybody comes back.
    pub(crate) fn take(&self) -> Vec<Entry> {
        let mut queue = self.lock();
        (queue.all, queue.strangers, queue.lines) = Default::default();
        queue.by_session.clear();
        queue.entries.drain(..).filter(|entry| !entry.is_list).collect()
    }

    /// Asks for a ping; several at a time become one.
    pub(crate) fn ping(&self) {
        self.lock().ping = true;
        self.filled.notify_one();
    }

    /// Ends the connection after what already waits; the first reason given stays.
    pub(crate) fn close(&self, closing: Closing) {
        self.lock().closing.get_or_insert(closing);
        self.filled.notify_one();
        self.ended.notify_one();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing.is_some()
    }

    /// How the server ends the connection, if it does.
    pub(crate) fn closing(&self) -> Option<Closing> {
        self.lock().closing
    }

    /// What to send next; `None` when nothing waits at the moment.
    pub(crate) fn try_next(&self) -> Option<Outgoing> {
        let mut queue = self.lock();
        if std::mem::take(&mut queue.ping) {
            return Some(Outgoing::Ping);
        }
        if let Some(entry) = queue.remove(0) {
            if let Some(receipt) = entry.receipt {
                receipt.note();
            }
            return Some(Outgoing::Frame(entry.frame));
        }
        queue.closing.map(Outgoing::Close)
    }

    /// Waits for something to send.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            if let Some(outgoing) = self.try_next() {
                return outgoing;
            }
            self.filled.notified().await;
        }
    }

    /// Waits until something else than lines of the chat is to be sent, or very many lines, or [`GATHER`] has passed. Where many talk, each write
    /// to a socket costs more than the line in it.
    pub(crate) async fn gather(&self) {
        let until = Instant::now() + GATHER;
        self.lock().gathers = true;
        while !self.lock().is_urgent() {
            if time::timeout_at(until, self.filled.notified()).await.is_err() {
                break;
            }
        }
        self.lock().gathers = false;
    }

    /// Waits until the server closes the connection.
    pub(crate) async fn ended(&self) {
        while !self.is_closing() {
            self.ended.notified().await;
        }
    }
}

impl Queue {
    fn is_urgent(&self) -> bool {
        self.ping || self.closing.is_some() || self.entries.len() > self.lines || self.lines >= GATHERED
    }

    fn settle(&mut self, receipt: Receipt) {
        let mut waiting = self.entries.iter_mut().rev().filter_map(|entry| entry.receipt.as_mut());
        match waiting.find(|before| before.node == receipt.node) {
            Some(before) => before.covers = receipt.covers.max(before.covers),
            None => receipt.note(),
        }
    }

    fn add(&mut self, entry: Entry) {
        let bytes = entry.frame.len();
        self.all.add(bytes);
        self.lines += usize::from(entry.is_line);
        if matches!(entry.source, Source::Stranger(_)) {
            self.strangers.add(bytes);
        }
        if let Some(session) = entry.source.session() {
            self.by_session.entry(session).or_default().add(bytes);
        }
        self.entries.push_back(entry);
    }

    fn remove(&mut self, index: usize) -> Option<Entry> {
        let entry = self.entries.remove(index)?;
        let bytes = entry.frame.len();
        self.all.remove(bytes);
        self.lines = self.lines.saturating_sub(usize::from(entry.is_line));
        if matches!(entry.source, Source::Stranger(_)) {
            self.strangers.remove(bytes);
        }
        if let Some(session) = entry.source.session()
            && let Some(load) = self.by_session.get_mut(&session)
        {
            load.remove(bytes);
            if load.frames == 0 {
                self.by_session.remove(&session);
            }
        }
        Some(entry)
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
