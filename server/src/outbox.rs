//! The bounded way from everyone to one socket. Putting something in never waits; who does not empty it is dropped.

use axum::extract::ws::Utf8Bytes;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Close codes of RFC 6455 section 7.4.1 and the registry that it founded.
pub(crate) mod code {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GOING_AWAY: u16 = 1001;
    pub(crate) const NO_STATUS: u16 = 1005;
    pub(crate) const POLICY: u16 = 1008;
    pub(crate) const TOO_BIG: u16 = 1009;
    pub(crate) const TRY_AGAIN_LATER: u16 = 1013;
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

#[derive(Debug)]
struct Entry {
    frame: Utf8Bytes,
    is_list: bool,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    ping: bool,
    closing: Option<Closing>,
    overflowed: bool,
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

    /// Adds a frame; one too many marks the connection as too slow and says so with `false`.
    pub(crate) fn push(&self, frame: Utf8Bytes) -> bool {
        self.push_into(self.lock(), frame, false)
    }

    /// Adds a user list in place of one that still waits: only the newest counts.
    pub(crate) fn push_list(&self, frame: Utf8Bytes) -> bool {
        let mut queue = self.lock();
        if let Some(waiting) = queue.entries.iter().position(|entry| entry.is_list)
            && let Some(old) = queue.entries.remove(waiting)
        {
            queue.bytes -= old.frame.len();
        }
        self.push_into(queue, frame, true)
    }

    fn push_into(&self, mut queue: MutexGuard<'_, Queue>, frame: Utf8Bytes, is_list: bool) -> bool {
        if queue.closing.is_some() || queue.overflowed {
            return false;
        }
        if !self.fits(&queue, frame.len(), 1) {
            queue.overflowed = true;
            queue.entries.clear();
            queue.bytes = 0;
            drop(queue);
            self.ended.notify_one();
            return false;
        }
        queue.add(frame, is_list);
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// Adds a frame for a client that is or was disconnected, if at most `1 / share` of the limits is used afterwards. Unlike [`Self::push`],
    /// a frame that does not fit is dropped and does not end the connection.
    pub(crate) fn try_push(&self, frame: Utf8Bytes, share: usize) -> bool {
        let mut queue = self.lock();
        if !self.fits(&queue, frame.len(), share) {
            return false;
        }
        queue.add(frame, false);
        drop(queue);
        self.filled.notify_one();
        true
    }

    fn fits(&self, queue: &Queue, bytes: usize, share: usize) -> bool {
        queue.entries.len() < self.max_frames / share && queue.bytes + bytes <= self.max_bytes / share
    }

    /// Takes what waits, without user lists: they are out of date by the time anybody comes back.
    pub(crate) fn take(&self) -> Vec<Utf8Bytes> {
        let mut queue = self.lock();
        queue.bytes = 0;
        queue.entries.drain(..).filter(|entry| !entry.is_list).map(|entry| entry.frame).collect()
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
        let queue = self.lock();
        queue.closing.is_some() || queue.overflowed
    }

    /// What to send next; `None` when nothing waits at the moment.
    pub(crate) fn try_next(&self) -> Option<Outgoing> {
        let mut queue = self.lock();
        if std::mem::take(&mut queue.ping) {
            return Some(Outgoing::Ping);
        }
        if let Some(entry) = queue.entries.pop_front() {
            queue.bytes -= entry.frame.len();
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

    /// Waits for the end: `true` when the client was too slow, `false` when the server closes.
    pub(crate) async fn ended(&self) -> bool {
        loop {
            {
                let queue = self.lock();
                if queue.overflowed {
                    return true;
                }
                if queue.closing.is_some() {
                    return false;
                }
            }
            self.ended.notified().await;
        }
    }
}

impl Queue {
    fn add(&mut self, frame: Utf8Bytes, is_list: bool) {
        self.bytes += frame.len();
        self.entries.push_back(Entry { frame, is_list });
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
