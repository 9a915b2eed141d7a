//! Tells people who is in their room.

use crate::{
    hub::{Hub, State},
    outbox::Source,
    rooms::{Room, Turn},
    roster::TooMany,
};
use axum::extract::ws::Utf8Bytes;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

/// In seconds; however many people there are, lists are not older than this.
const MAX_LIST_PAUSE: f64 = 30.0;
/// What a list or delta costs beside its bytes: a short one is mostly the work of sending it, which would else grow with the square of a
/// room's people when they all come at once.
const FRAME_OVERHEAD: usize = 256;

/// What was sent.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    frames: usize,
    bytes: usize,
}

impl Sent {
    fn add(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes;
    }
}

impl Hub {
    /// Does in each room whose turn it is what `tell` does, which says what that was; the room's next turn is the later the more it
    /// was, so that no coming and going costs more than a fixed rate, of which each room has its people's share. Says when the next turn is.
    fn take_turns(
        &self,
        now: Instant,
        turn_of: impl Fn(&mut Room) -> &mut Turn,
        tell: impl Fn(&mut State, &Arc<str>) -> Sent,
    ) -> Option<Instant> {
        let mut state = self.lock();
        let all: usize = state.rooms.values().map(|room| room.names.len()).sum();
        let (mut due, mut next) = (Vec::new(), None);
        for (key, room) in &mut state.rooms {
            let people = room.names.len();
            let turn = turn_of(room);
            if turn.wanted && turn.not_before <= now {
                due.push((key.clone(), people as f64 / all.max(1) as f64));
            } else if turn.wanted {
                next = Some(next.map_or(turn.not_before, |next: Instant| next.min(turn.not_before)));
            }
        }
        for (key, share) in due {
            let Sent { frames, bytes } = tell(&mut state, &key);
            self.metrics.list_bytes.inc_by(bytes as u64);
            let rate = f64::from(self.config.limits.list_bytes_per_second.max(1)) * share;
            let cost = (bytes + frames * FRAME_OVERHEAD) as f64;
            let pause = Duration::from_secs_f64((cost / rate.max(1.0)).min(MAX_LIST_PAUSE));
            if let Some(room) = state.rooms.get_mut(&key) {
                *turn_of(room) = Turn { wanted: false, not_before: now + pause.max(self.config.userlist_interval) };
            }
        }
        next
    }

    /// Gives those who read them the changes since the last call, and newcomers the whole list, who do not wait for the turn of the changes.
    /// Says when to call again at the latest.
    pub(crate) fn send_changes(&self, now: Instant) -> Option<Instant> {
        let next = self.take_turns(now, |room| &mut room.changes, State::send_changes);
        let newcomers = self.take_turns(now, |room| &mut room.newcomers, State::welcome);
        next.into_iter().chain(newcomers).min()
    }

    /// Tells those who read no deltas who is there, if that has changed. Says when to call again at the latest.
    pub(crate) fn send_user_lists(&self, now: Instant) -> Option<Instant> {
        self.take_turns(now, |room| &mut room.lists, State::send_user_list)
    }
}

impl State {
    fn send_changes(&mut self, key: &Arc<str>) -> Sent {
        let Self { sessions, rooms, .. } = self;
        let mut sent = Sent::default();
        let Some(room) = rooms.get_mut(key) else { return sent };
        let changes = room.roster.take_changes();
        for number in room.members() {
            let Some(session) = sessions.get_mut(&number).filter(|one| one.attached && one.remote.is_none()) else {
                continue;
            };
            match &changes {
                Some(Ok(delta)) if session.reads_deltas && !session.wants_list => {
                    sent.add(delta.len());
                    session.wants_list = !session.outbox.push(Source::Server, delta.clone());
                }
                Some(Err(TooMany)) if session.reads_deltas => session.wants_list = true,
                _ => {}
            }
        }
        let lists = self.send_wanted_lists(key);
        if changes == Some(Err(TooMany)) { lists } else { sent }
    }

    /// Costs the room nothing: logins and requests have limits of their own.
    fn welcome(&mut self, key: &Arc<str>) -> Sent {
        self.send_wanted_lists(key);
        Sent::default()
    }

    /// Gives those the list who have none or have asked for it, and then the calls that wait for them.
    fn send_wanted_lists(&mut self, key: &Arc<str>) -> Sent {
        let Self { sessions, rooms, .. } = self;
        let mut sent = Sent::default();
        let Some(room) = rooms.get(key) else { return sent };
        let (mut plain, mut numbered) = (None, None);
        let mut called = Vec::new();
        for number in room.members() {
            let Some(session) = sessions.get_mut(&number).filter(|one| one.attached && one.remote.is_none()) else {
                continue;
            };
            if session.wants_list && session.reads_deltas {
                let lists = numbered.get_or_insert_with(|| room.roster.numbered_list());
                if let Some(list) = lists.of(session.place, session.name.as_deref().unwrap_or_default()) {
                    sent.add(list.len());
                    session.wants_list = !session.outbox.push_list(list);
                }
            } else if session.wants_list {
                let (list, hash) = plain.get_or_insert_with(|| {
                    let list = room.roster.list();
                    let hash = hash(&list);
                    (list, hash)
                });
                sent.add(list.len());
                session.wants_list = !session.outbox.push_list(list.clone());
                session.told = *hash;
            }
            if session.awaits_calls && !session.wants_list {
                called.push(number);
            }
        }
        for number in called {
            self.hand_out_calls(number);
        }
        sent
    }

    fn send_user_list(&mut self, key: &Arc<str>) -> Sent {
        let Self { sessions, rooms, .. } = self;
        let mut sent = Sent::default();
        let Some(room) = rooms.get(key) else { return sent };
        let frame = room.roster.list();
        let hash = hash(&frame);
        for number in room.members() {
            let Some(session) = sessions.get_mut(&number) else { continue };
            if session.attached
                && session.remote.is_none()
                && !session.reads_deltas
                && session.told != hash
                && session.outbox.push_list(frame.clone())
            {
                session.wants_list = false;
                session.told = hash;
                sent.add(frame.len());
            }
        }
        sent
    }
}

/// Distinguishes lists; never 0.
fn hash(list: &Utf8Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    list.as_str().hash(&mut hasher);
    hasher.finish() | 1
}
