//! One client's connection, in the hands of a test.

use super::record::{End, Line, Order, Record};
use super::script::Reads;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A WebSocket that a client has opened. What is asked of it is done in order and in the background; the handle may be dropped.
#[derive(Clone)]
pub struct Connection {
    record: Arc<Record>,
    line: usize,
}

impl Connection {
    pub(super) fn new(record: Arc<Record>, line: usize) -> Self {
        Self { record, line }
    }

    fn line<T>(&self, look: impl FnOnce(&Line) -> T) -> T {
        self.record.look(|state| look(&state.lines[self.line]))
    }

    fn order(&self, order: Order) {
        // A connection that is over does nothing any more.
        self.line(|line| {
            let _ = line.orders.send(order);
        });
    }

    fn end(&self, end: End) {
        self.line(|line| {
            let _ = line.end.send(end);
        });
    }

    /// Sends a text frame: JSON or anything else.
    pub fn send(&self, frame: impl ToString) {
        self.order(Order::Text(frame.to_string()));
    }

    /// Sends a binary frame.
    pub fn send_binary(&self, bytes: &[u8]) {
        self.order(Order::Binary(bytes.to_vec()));
    }

    /// Writes bytes to the TCP stream as they are.
    pub fn send_raw(&self, bytes: &[u8]) {
        self.order(Order::Raw(bytes.to_vec()));
    }

    /// Sends a ping.
    pub fn ping(&self) {
        self.order(Order::Ping);
    }

    /// Sends a close frame, after what was sent before.
    pub fn close(&self, code: u16, reason: &str) {
        self.order(Order::Close(code, reason.to_owned()));
    }

    /// Ends the TCP connection without a close frame.
    pub fn cut(&self) {
        self.end(End::Cut);
    }

    /// Resets the TCP connection (RST).
    pub fn reset(&self) {
        self.end(End::Reset);
    }

    /// Stops reading: no ping is answered any more, no close frame seen. The TCP connection stays.
    pub fn freeze(&self) {
        self.order(Order::Read(Reads::Never));
    }

    /// Reads again.
    pub fn thaw(&self) {
        self.order(Order::Read(Reads::AtOnce));
    }

    /// Waits so long after each frame that it reads.
    pub fn read_slowly(&self, pause: Duration) {
        self.order(Order::Read(Reads::Slowly(pause)));
    }

    /// Waits for the client's next frame of this type that nobody has been given yet.
    pub async fn received(&self, kind: &str) -> Value {
        self.record.wait(kind, |state| state.take(Some(self.line), Some(kind))).await
    }

    /// Waits for the client's next frame of any type.
    pub async fn next(&self) -> Value {
        self.record.wait("a frame", |state| state.take(Some(self.line), None)).await
    }

    /// Lets the client in: sends `id`, waits for `username`, lists `users`. Gives the `username`.
    pub async fn log_in(&self, id: impl ToString, users: &[&str]) -> Value {
        self.send(id);
        let username = self.received("username").await;
        self.send_users(users);
        username
    }

    /// Sends a user list.
    pub fn send_users(&self, users: &[&str]) {
        self.send(serde_json::json!({"type": "userlist", "users": users}));
    }

    /// Waits for the end; gives the code of the client's close frame, if there was one (1005 if it named no code).
    pub async fn closed(&self) -> Option<u16> {
        let end = |line: &Line| line.over.then_some(line.close_code);
        self.record.wait("the end of the connection", |state| end(&state.lines[self.line])).await
    }

    /// Waits until the client has answered so many pings.
    pub async fn pongs(&self, count: usize) {
        self.record.wait("pongs", |state| (state.lines[self.line].pongs >= count).then_some(())).await;
    }

    /// Waits until the client has sent so many pings.
    pub async fn pings(&self, count: usize) {
        self.record.wait("pings", |state| (state.lines[self.line].pings >= count).then_some(())).await;
    }

    /// How many frames the system has taken from us so far; those that wait because the client does not read are not among them.
    pub fn written(&self) -> usize {
        self.line(|line| line.written)
    }

    /// Waits until the system has taken so many frames.
    pub async fn wrote(&self, count: usize) {
        self.record.wait("frames to be written", |state| (state.lines[self.line].written >= count).then_some(())).await;
    }
}
