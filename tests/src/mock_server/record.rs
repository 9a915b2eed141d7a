//! What a mock server has seen, and the way to wait for more of it.

use super::PATIENCE;
use super::old::Old;
use super::script::{Reads, Script};
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// One readable frame.
pub(super) struct Seen {
    pub(super) line: usize,
    pub(super) value: Value,
    taken: bool,
}

/// What a connection is told to do, in this order.
pub(super) enum Order {
    Text(String),
    Binary(Vec<u8>),
    Raw(Vec<u8>),
    Ping,
    Close(u16, String),
    Read(Reads),
}

/// How a connection ends at once, even in the middle of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Cut,
    Reset,
}

/// One connection as the test sees it.
pub(super) struct Line {
    pub(super) orders: mpsc::UnboundedSender<Order>,
    pub(super) end: mpsc::UnboundedSender<End>,
    /// The code of the client's close frame; 1005 if it named none.
    pub(super) close_code: Option<u16>,
    pub(super) over: bool,
    pub(super) pings: usize,
    pub(super) pongs: usize,
    pub(super) written: usize,
}

pub(super) struct State {
    pub(super) script: Script,
    pub(super) next_scripts: VecDeque<Script>,
    pub(super) lines: Vec<Line>,
    /// Lines that became WebSockets, in that order.
    pub(super) opened: Vec<usize>,
    pub(super) frames: Vec<Seen>,
    /// Frames that were no JSON object with a type.
    pub(super) unreadable: usize,
    pub(super) old: Old,
}

impl State {
    /// The first frame that fits and that nobody has been given.
    pub(super) fn take(&mut self, line: Option<usize>, kind: Option<&str>) -> Option<Value> {
        let frame = self.frames.iter_mut().find(|frame| {
            !frame.taken
                && line.is_none_or(|line| frame.line == line)
                && kind.is_none_or(|kind| frame.value["type"] == kind)
        })?;
        frame.taken = true;
        Some(frame.value.clone())
    }

    /// Keeps a frame; gives it back if it is a JSON object with a type.
    pub(super) fn keep(&mut self, line: usize, text: &str) -> Option<Value> {
        let value = serde_json::from_str::<Value>(text).ok().filter(|value| value["type"].is_string());
        match &value {
            Some(value) => self.frames.push(Seen { line, value: value.clone(), taken: false }),
            None => self.unreadable += 1,
        }
        value
    }

    pub(super) fn tell(&self, line: usize, frame: &str) {
        // A line that is over needs no frames.
        let _ = self.lines[line].orders.send(Order::Text(frame.to_owned()));
    }

    pub(super) fn tell_everyone(&self, frame: &str) {
        for line in &self.opened {
            self.tell(*line, frame);
        }
    }

    /// The line has ended.
    pub(super) fn over(&mut self, line: usize) {
        self.lines[line].over = true;
        if let Some(list) = self.old.leave(line) {
            self.tell_everyone(&list);
        }
    }

    pub(super) fn forget_lines(&mut self) {
        self.lines.iter_mut().for_each(|line| line.over = true);
        self.old = Old::default();
    }
}

pub(super) struct Record {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

impl Record {
    pub(super) fn new(script: Script) -> Self {
        let state = State {
            script,
            next_scripts: VecDeque::new(),
            lines: Vec::new(),
            opened: Vec::new(),
            frames: Vec::new(),
            unreadable: 0,
            old: Old::default(),
        };
        Self { state: Mutex::new(state), changed: watch::Sender::new(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let out = change(&mut self.lock());
        self.changed.send_replace(());
        out
    }

    /// Waits until `find` finds it.
    pub(super) async fn wait<T>(&self, what: &str, mut find: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        let found = async {
            loop {
                if let Some(found) = find(&mut self.lock()) {
                    return found;
                }
                // The sender lives as long as we do.
                let _ = changes.changed().await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("waited in vain for {what}; seen: {}", self.story()),
        }
    }

    fn story(&self) -> String {
        let state = self.lock();
        let mut story = format!(
            "{} attempts, {} WebSockets, {} unreadable frames",
            state.lines.len(),
            state.opened.len(),
            state.unreadable
        );
        for frame in &state.frames {
            let taken = if frame.taken { "" } else { " (not taken)" };
            let mut text = frame.value.to_string();
            if let Some((end, _)) = text.char_indices().nth(160) {
                text.replace_range(end.., "…");
            }
            let _ = write!(story, "\n  {}{taken}: {text}", frame.line);
        }
        story
    }
}
