//! The way out for everything a connection has to tell, with three promises: no candidate before its description, nothing
//! after the close, and no more in memory than the channel holds.

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
    events: Option<mpsc::Sender<PeerEvent>>,
    held: Vec<Option<IceCandidate>>,
    holders: u32,
}

impl Gate {
    fn tell(&self, event: PeerEvent) {
        let Some(events) = &self.events else { return };
        if event.is_minor() && events.capacity() * 2 < events.max_capacity() {
            return log::debug!("an event was dropped: the app does not read");
        }
        if let Err(mpsc::error::TrySendError::Full(event)) = events.try_send(event) {
            log::warn!("an event was lost, half of the queue is not enough: {event:?}");
        }
    }
}

impl Events {
    pub(super) fn new(events: mpsc::Sender<PeerEvent>) -> Self {
        Self(Arc::new(Mutex::new(Gate { events: Some(events), held: Vec::new(), holders: 0 })))
    }

    /// Tells it, unless closed.
    pub(super) fn emit(&self, event: PeerEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tell(event);
    }

    /// Tells a local candidate, or keeps it while a description is being made.
    pub(super) fn candidate(&self, candidate: Option<IceCandidate>) {
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gate.holders == 0 {
            gate.tell(PeerEvent::Candidate(candidate));
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
        for candidate in std::mem::take(&mut gate.held) {
            gate.tell(PeerEvent::Candidate(candidate));
        }
    }
}
