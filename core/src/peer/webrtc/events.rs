//! The way out for everything a connection has to tell, with two promises: no candidate before its description, and
//! nothing after the close.

use crate::peer::PeerEvent;
use crate::signaling::message::IceCandidate;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Most candidates that wait for their description. An agent gathers a handful per interface; what is beyond is dropped.
const MAX_HELD: usize = 256;

/// Shared by everything that reports. Cheap to clone.
#[derive(Clone)]
pub(super) struct Events(Arc<Mutex<Gate>>);

struct Gate {
    events: Option<mpsc::UnboundedSender<PeerEvent>>,
    held: Vec<Option<IceCandidate>>,
    holders: u32,
}

impl Events {
    pub(super) fn new(events: mpsc::UnboundedSender<PeerEvent>) -> Self {
        Self(Arc::new(Mutex::new(Gate { events: Some(events), held: Vec::new(), holders: 0 })))
    }

    /// Tells it, unless closed.
    pub(super) fn emit(&self, event: PeerEvent) {
        let gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = &gate.events {
            // Nobody listens any more: the connection is about to be closed.
            let _ = events.send(event);
        }
    }

    /// Tells a local candidate, or keeps it while a description is being made.
    pub(super) fn candidate(&self, candidate: Option<IceCandidate>) {
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gate.holders == 0 {
            if let Some(events) = &gate.events {
                let _ = events.send(PeerEvent::Candidate(candidate));
            }
        } else if gate.held.len() < MAX_HELD {
            gate.held.push(candidate);
        }
    }

    /// Keeps candidates back until the result is dropped: the crate gathers them while the local description is being set.
    pub(super) fn hold_candidates(&self) -> Hold {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).holders += 1;
        Hold(self.clone())
    }

    /// From here on nothing is told.
    pub(super) fn close(&self) {
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gate.events = None;
        gate.held.clear();
    }
}

/// See [`Events::hold_candidates`].
pub(super) struct Hold(Events);

impl Drop for Hold {
    fn drop(&mut self) {
        let mut gate = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        gate.holders -= 1;
        if gate.holders > 0 {
            return;
        }
        let held = std::mem::take(&mut gate.held);
        if let Some(events) = &gate.events {
            for candidate in held {
                let _ = events.send(PeerEvent::Candidate(candidate));
            }
        }
    }
}
