//! What the hub does with what comes from other nodes.

use crate::{
    hub::{Hub, State},
    outbox::Source,
    router::{Claim, Event, Line, ToNode},
    sanitise,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{MAX_FRAME_BYTES, Message, Username};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Between two names that are claimed again: logins go on meanwhile.
const RECLAIM_PAUSE: Duration = Duration::from_millis(1);
/// After a claim that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Sessions of this node, by origin, whose names have to be claimed again.
#[derive(Debug, Default)]
pub(crate) struct Renewals {
    origins: Mutex<BTreeSet<u64>>,
    some: Notify,
}

impl Renewals {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, origins: impl IntoIterator<Item = u64>) {
        self.lock().extend(origins);
        self.some.notify_one();
    }

    fn next(&self) -> Option<u64> {
        self.lock().pop_first()
    }

    fn clear(&self) {
        self.lock().clear();
    }

    /// Waits until there are some.
    pub(crate) async fn wait(&self) {
        self.some.notified().await;
    }
}

impl Hub {
    /// Takes in one event.
    pub(crate) fn hear(&self, event: Event) {
        let now = Instant::now();
        let mut state = self.lock();
        match event {
            Event::Joined(all) => {
                state.learn_all(all, now);
                let own = state.sessions.values().filter(|one| one.remote.is_none() && one.name.is_some());
                self.renewals.add(own.map(|one| one.origin));
            }
            Event::CutOff => state.cut_off(),
            Event::Session(_, Some(record)) => state.learn(record),
            Event::Session(origin, None) => {
                if state.forget(origin) {
                    self.renewals.add([origin]);
                }
            }
            Event::Message(node, ToNode::Parcel(parcel)) => state.receive_parcel(node, parcel),
            Event::Message(_, ToNode::Taken(all)) => {
                for (origin, seq) in all {
                    state.taken(origin, seq);
                }
            }
            Event::Message(_, ToNode::Missing(origin)) => {
                state.fill_gap(origin, now);
            }
            Event::Message(_, ToNode::Refused(from, by, error)) => {
                if state.note_refusal(from, by, error.call) {
                    drop(state);
                    self.refuse(from, Message::Error(error));
                    return;
                }
            }
            Event::Line(line) => state.hear_line(line),
            Event::HandOver(what, reply) => {
                let _ = reply.send(state.hand_over(&what, now));
            }
            Event::NodeGone(node) => state.node_gone(node, now),
            Event::NodeBack(node) => state.node_back(node),
        }
        let lists_changed = std::mem::take(&mut state.lists_changed);
        drop(state);
        if lists_changed {
            self.notify_changed();
        }
    }

    /// Claims names of this node's people once more, as far as their claims may be lost. Whose name is somebody else's by now gets another one.
    pub(crate) async fn renew_claims(&self) {
        while let Some(origin) = self.renewals.next() {
            let (number, room, name, claim) = {
                let state = self.lock();
                let Some(number) = state.origins.get(&origin).copied() else { continue };
                let Some(session) = state.sessions.get(&number).filter(|one| one.remote.is_none()) else { continue };
                let Some(name) = session.name.clone() else { continue };
                (number, session.room.clone(), name, Claim { place: session.place, subject: session.subject.clone() })
            };
            let look = sanitise::look(&name);
            match self.router.claim(&room, &look, &claim, &|place| self.knows_place(place)).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::info!(connection = number, "its name is somebody else's by now");
                    let wanted = Username {
                        name: name.to_string(),
                        id: number,
                        date: 0,
                        resume: None,
                        features: Vec::new(),
                        token: None,
                        device: None,
                    };
                    if let Err(e) = self.log_in_but(number, &wanted, None, HashSet::from([look])).await {
                        tracing::warn!(connection = number, reason = ?e.code, "it has no name of its own");
                    }
                }
                // All are renewed when the other nodes can be reached again.
                Err(_) if !self.router.is_joined() => return self.renewals.clear(),
                Err(e) => {
                    tracing::debug!(connection = number, reason = %e, "its name could not be claimed again");
                    self.renewals.add([origin]);
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
            tokio::time::sleep(RECLAIM_PAUSE).await;
        }
        self.lock().seat();
        self.notify_changed();
    }

    /// Tells the other nodes which parcels have been taken.
    pub(crate) fn tell_taken(&self) {
        for (node, message) in self.taken.take() {
            self.router.send(node, message);
        }
    }

    pub(crate) fn announce_all(&self) {
        let mut state = self.lock();
        let numbers: Vec<u64> = state.sessions.keys().copied().collect();
        for number in numbers {
            state.announce(number);
        }
    }

    /// What has to be looked after from time to time: who is gone, and what was sent in vain.
    pub(crate) fn look_after_nodes(&self, now: Instant) {
        let mut state = self.lock();
        state.forget_gone(now, self.config.resume_grace);
        state.send_overdue_again(now);
        let lists_changed = std::mem::take(&mut state.lists_changed);
        drop(state);
        if lists_changed {
            self.notify_changed();
        }
    }

    pub(crate) fn knows_place(&self, place: u64) -> bool {
        self.lock().sessions.values().any(|session| session.place == place && session.name.is_some())
    }
}

impl State {
    /// Gives a line from another node to the people of its room here.
    fn hear_line(&mut self, Line { room, from, frame }: Line) {
        if frame.len() > MAX_FRAME_BYTES {
            return;
        }
        let frame = Utf8Bytes::from(frame);
        let Some(members) = self.rooms.get(&room).map(|room| room.members().collect::<Vec<_>>()) else { return };
        for number in members {
            if let Some(session) = self.sessions.get(&number).filter(|one| one.remote.is_none() && !one.blocks(from)) {
                session.outbox.push_line(Source::Stranger(from), frame.clone());
            }
        }
    }
}
