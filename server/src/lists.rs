//! Tells people who is in their room.

use crate::{
    hub::{Hub, State},
    outbox::Source,
    rooms::{Room, Turn},
    roster::TooMany,
    session::Session,
};
use axum::extract::ws::Utf8Bytes;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

/// In seconds; however many people there are, lists are not older than this.
const MAX_LIST_PAUSE: f64 = 30.0;

impl Hub {
    /// Does in each room whose turn it is what `tell` does, which says how many bytes that was; the room's next turn is the later the more it
    /// was, so that no coming and going costs more than a fixed rate, of which each room has its people's share. Says when the next turn is.
    fn take_turns(
        &self,
        now: Instant,
        turn_of: impl Fn(&mut Room) -> &mut Turn,
        tell: impl Fn(&mut State, &Arc<str>) -> usize,
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
            let bytes = tell(&mut state, &key);
            self.metrics.list_bytes.inc_by(bytes as u64);
            let rate = f64::from(self.config.limits.list_bytes_per_second.max(1)) * share;
            let pause = Duration::from_secs_f64((bytes as f64 / rate.max(1.0)).min(MAX_LIST_PAUSE));
            if let Some(room) = state.rooms.get_mut(&key) {
                *turn_of(room) = Turn { wanted: false, not_before: now + pause.max(self.config.userlist_interval) };
            }
        }
        next
    }

    /// Gives newcomers the whole list, and those who read them the changes since the last call. Says when to call again at the latest.
    pub(crate) fn send_changes(&self, now: Instant) -> Option<Instant> {
        self.take_turns(now, |room| &mut room.changes, State::send_changes)
    }

    /// Tells those who read no deltas who is there, if that has changed. Says when to call again at the latest.
    pub(crate) fn send_user_lists(&self, now: Instant) -> Option<Instant> {
        self.take_turns(now, |room| &mut room.lists, State::send_user_list)
    }
}

impl State {
    /// Says how many bytes the changes were.
    fn send_changes(&mut self, key: &Arc<str>) -> usize {
        let Self { sessions, rooms, .. } = self;
        let Some(room) = rooms.get_mut(key) else { return 0 };
        let changes = room.roster.take_changes();
        let (mut plain, mut numbered) = (None, None);
        let mut bytes = 0;
        for number in room.members() {
            let Some(session) = sessions.get_mut(&number).filter(|one| one.attached && one.remote.is_none()) else {
                continue;
            };
            match &changes {
                Some(Ok(delta)) if session.reads_deltas && !session.wants_list => {
                    bytes += delta.len();
                    session.wants_list = !session.outbox.push(Source::Server, delta.clone());
                }
                Some(Err(TooMany)) if session.reads_deltas => session.wants_list = true,
                _ => {}
            }
            if session.wants_list {
                let (list, _) =
                    if session.reads_deltas { &mut numbered } else { &mut plain }.get_or_insert_with(|| {
                        let list = room.roster.list(session.reads_deltas);
                        let hash = hash(&list);
                        (list, hash)
                    });
                session.wants_list = !session.outbox.push_list(list.clone());
                if !session.reads_deltas {
                    session.told = plain.as_ref().map_or(0, |(_, hash)| *hash);
                }
            }
        }
        let awaits = |session: &Session| session.awaits_calls && !session.wants_list && session.remote.is_none();
        let newcomers: Vec<u64> = room.members().filter(|number| sessions.get(number).is_some_and(awaits)).collect();
        for number in newcomers {
            self.hand_out_calls(number);
        }
        bytes
    }

    /// Says how many bytes that was.
    fn send_user_list(&mut self, key: &Arc<str>) -> usize {
        let Self { sessions, rooms, .. } = self;
        let Some(room) = rooms.get(key) else { return 0 };
        let frame = room.roster.list(false);
        let hash = hash(&frame);
        let mut bytes = 0;
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
                bytes += frame.len();
            }
        }
        bytes
    }
}

/// Distinguishes lists; never 0.
fn hash(list: &Utf8Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    list.as_str().hash(&mut hasher);
    hasher.finish() | 1
}
