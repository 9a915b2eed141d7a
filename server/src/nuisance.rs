//! Ringing as a nuisance: how often one may call another, what a decline does, and whom somebody has blocked.

use crate::{
    hub::State,
    rate::Budget,
    relay::{refusal, refusal_of},
    session::Session,
};
use chamada::signaling::message::{ErrorCode, ErrorMessage, Message};
use serde_json::{Map, Value};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

/// How many bytes of blocked names are kept for somebody who is away.
const MAX_KEPT_BYTES: usize = 16 * 1024;
/// How many people one may block.
const MAX_BLOCKED: usize = 256;
/// How many sessions are remembered of each blocked name.
const MAX_SESSIONS_OF_NAME: usize = 16;
/// How many callers a session remembers; those of whom there is least to remember go first.
const MAX_CALLERS: usize = 256;
/// Calls from one to the same other: so many at once, and one more in so many seconds.
const OFFERS_AT_ONCE: f64 = 6.0;
const OFFERS_EVERY: f64 = 10.0;
/// Calls of one to anybody.
const ALL_OFFERS_AT_ONCE: f64 = 30.0;
const ALL_OFFERS_EVERY: f64 = 2.0;
/// How long the first decline quiets the caller; each further one twice as long as the one before.
const FIRST_QUIET: Duration = Duration::from_secs(5);
const LONGEST_QUIET: Duration = Duration::from_secs(640);

/// What a session remembers of one who calls it.
#[derive(Debug)]
struct Caller {
    offers: Budget,
    declines: u32,
    quiet_until: Instant,
}

impl Caller {
    /// Whether it has called so often, or was turned down so lately, that there is something to remember.
    fn has_to_wait(&mut self, now: Instant) -> bool {
        self.quiet_until > now || !self.offers.is_full(now)
    }
}

/// What a session has to say about others who call it, and what it may call itself.
#[derive(Debug)]
pub(crate) struct Nuisance {
    callers: HashMap<u64, Caller>,
    own_offers: Budget,
    /// What blocked names look like, and the last sessions that had them: a new name does not help.
    blocked: HashMap<String, VecDeque<u64>>,
    /// All of those sessions.
    blocked_sessions: HashSet<u64>,
}

impl Nuisance {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            callers: HashMap::new(),
            own_offers: Budget::new(1.0 / ALL_OFFERS_EVERY, ALL_OFFERS_AT_ONCE, now),
            blocked: HashMap::new(),
            blocked_sessions: HashSet::new(),
        }
    }

    /// A session has another number now.
    pub(crate) fn renumber(&mut self, old: u64, new: u64) {
        if let Some(caller) = self.callers.remove(&old) {
            self.callers.insert(new, caller);
        }
        if self.blocked_sessions.remove(&old) {
            self.blocked_sessions.insert(new);
        }
        for session in self.blocked.values_mut().flatten().filter(|session| **session == old) {
            *session = new;
        }
    }

    fn block_session(&mut self, look: &str, session: u64) {
        let sessions = self.blocked.entry(look.to_owned()).or_default();
        if sessions.len() >= MAX_SESSIONS_OF_NAME
            && let Some(oldest) = sessions.pop_front()
        {
            self.blocked_sessions.remove(&oldest);
        }
        sessions.push_back(session);
        self.blocked_sessions.insert(session);
    }

    fn caller(&mut self, from: u64, now: Instant) -> &mut Caller {
        if self.callers.len() >= MAX_CALLERS {
            self.callers.retain(|_, caller| caller.has_to_wait(now));
        }
        if self.callers.len() >= MAX_CALLERS
            && let Some(least) = self.callers.iter().min_by_key(|(_, caller)| caller.quiet_until).map(|(from, _)| *from)
        {
            self.callers.remove(&least);
        }
        self.callers.entry(from).or_insert_with(|| Caller {
            offers: Budget::new(1.0 / OFFERS_EVERY, OFFERS_AT_ONCE, now),
            declines: 0,
            quiet_until: now,
        })
    }

    /// Whether there is nothing to remember: nobody is blocked, and no caller has to wait.
    pub(crate) fn is_idle(&mut self, now: Instant) -> bool {
        self.blocked.is_empty() && !self.callers.values_mut().any(|caller| caller.has_to_wait(now))
    }

    /// Whether nothing is wanted from this session, whose name looks like that.
    pub(crate) fn is_blocked(&self, from: u64, look: &str) -> bool {
        self.blocked_sessions.contains(&from) || self.blocked.contains_key(look)
    }

    /// What blocked names look like, in an order of their own, as many as are kept for somebody who is away.
    pub(crate) fn blocked(&self) -> Vec<String> {
        let mut looks: Vec<String> = self.blocked.keys().cloned().collect();
        looks.sort_unstable();
        let mut bytes = 0_usize;
        looks.retain(|look| {
            bytes = bytes.saturating_add(look.len());
            bytes <= MAX_KEPT_BYTES
        });
        looks
    }

    pub(crate) fn takes_offer(&mut self, from: u64, now: Instant) -> bool {
        let caller = self.caller(from, now);
        caller.quiet_until <= now && caller.offers.take(1.0, now)
    }

    fn decline(&mut self, from: u64, now: Instant) {
        let caller = self.caller(from, now);
        let quiet = FIRST_QUIET.saturating_mul(1 << caller.declines.min(16)).min(LONGEST_QUIET);
        caller.declines = caller.declines.saturating_add(1);
        caller.quiet_until = now + quiet;
    }
}

impl Session {
    /// Whether it wants nothing from that session.
    pub(crate) fn blocks(&self, other: u64) -> bool {
        self.nuisance.blocked_sessions.contains(&other)
    }
}

impl State {
    /// Counts a call of this session to a person with these devices. `false`: it has called too often.
    pub(crate) fn may_call(&mut self, from: u64, to: &[u64]) -> bool {
        let Some(session) = self.sessions.get_mut(&from) else { return false };
        // Whoever calls does not mind being called back.
        for device in to {
            session.nuisance.callers.remove(device);
        }
        session.nuisance.own_offers.take(1.0, Instant::now())
    }

    /// Whether the call may ring at this device.
    pub(crate) fn takes_offer(&mut self, from: u64, to: u64) -> bool {
        self.sessions.get_mut(&to).is_some_and(|session| session.nuisance.takes_offer(from, Instant::now()))
    }

    /// A call that was answered was no nuisance.
    pub(crate) fn forgive_call(&mut self, by: u64, caller: u64) {
        if self.is_calling(caller, by) {
            for device in self.devices_of(by) {
                if let Some(session) = self.sessions.get_mut(&device) {
                    session.nuisance.callers.remove(&caller);
                }
            }
            if let Some(session) = self.sessions.get_mut(&caller) {
                session.nuisance.own_offers.give_back(1.0);
            }
        }
    }

    pub(crate) fn note_decline(&mut self, by: u64, caller: u64) {
        // The callee of an offer declines; what ends an answered call under that name is none.
        if self.is_calling(caller, by) {
            for device in self.devices_of(by) {
                if let Some(session) = self.sessions.get_mut(&device) {
                    session.nuisance.decline(caller, Instant::now());
                }
            }
        }
    }

    /// `block` and `unblock`. A name that nobody has is kept: whoever takes it is blocked.
    pub(crate) fn set_blocked(&mut self, number: u64, object: Map<String, Value>) -> Result<(), ErrorMessage> {
        let (name, block) = match Message::from_object(object) {
            Ok(Message::Block(block)) => (block.name, true),
            Ok(Message::Unblock(block)) => (block.name, false),
            Ok(_) => return Ok(()),
            Err(e) => return Err(refusal_of(&e)),
        };
        let Ok(name) = crate::sanitise::name(&name) else {
            return Err(refusal(ErrorCode::BadName, if block { "block" } else { "unblock" }, "nobody has such a name"));
        };
        let look = crate::sanitise::look(&name);
        let owners = self.room_of(number).and_then(|room| room.names.get(room.looks.get(&look)?)).cloned();
        let owners = owners.unwrap_or_default();
        let owners = owners.into_iter().filter(|owner| *owner != number);
        let Some(session) = self.sessions.get_mut(&number) else { return Ok(()) };
        let nuisance = &mut session.nuisance;
        if block {
            if nuisance.blocked.len() >= MAX_BLOCKED && !nuisance.blocked.contains_key(&look) {
                return Err(refusal(ErrorCode::Full, "block", "no more people can be blocked"));
            }
            nuisance.blocked.entry(look.clone()).or_default();
            for owner in owners {
                nuisance.block_session(&look, owner);
            }
            self.note_blocker(number);
        } else {
            for session in nuisance.blocked.remove(&look).into_iter().flatten().chain(owners) {
                nuisance.blocked_sessions.remove(&session);
            }
        }
        Ok(())
    }

    /// A session has this name now: those in its room who blocked the name want nothing from it.
    pub(crate) fn apply_blocks(&mut self, number: u64, look: &str) {
        let Some(key) = self.sessions.get(&number).map(|session| session.room.clone()) else { return };
        let Self { sessions, rooms, .. } = self;
        let Some(room) = rooms.get_mut(&key) else { return };
        room.blockers.retain(|blocker| {
            let Some(session) = sessions.get_mut(blocker).filter(|one| !one.nuisance.blocked.is_empty()) else {
                return false;
            };
            if *blocker != number && session.nuisance.blocked.contains_key(look) {
                session.nuisance.block_session(look, number);
            }
            true
        });
    }

    /// Remembers a session that has blocked somebody.
    pub(crate) fn note_blocker(&mut self, number: u64) {
        let Some(session) = self.sessions.get(&number).filter(|one| !one.nuisance.blocked.is_empty()) else { return };
        if let Some(room) = self.rooms.get_mut(&session.room) {
            room.blockers.insert(number);
        }
    }
}
