//! How connections end, and whose place is kept for how long.

use crate::{
    addresses::AddressKey,
    hub::{Hub, State},
    outbox::{Closing, code},
};
use std::{
    cmp::Reverse,
    collections::HashMap,
    time::{Duration, Instant},
};

/// No grace time is longer: a sum with the clock must not overflow.
const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How a connection ended, as far as its session is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Logged out, or thrown out: the name is free at once.
    Left,
    /// The network took it: name and place are kept for the grace time.
    Lost,
    /// Its page is loaded anew, or closed, which it cannot tell apart: both are kept for a shorter time, and then its call ends.
    Reloading,
}

impl Hub {
    /// The connection of this session is gone.
    pub(crate) fn disconnect(&self, number: u64, departure: Departure) {
        self.metrics.ended(if departure == Departure::Left { "left" } else { "lost" });
        let mut state = self.lock();
        state.connections = state.connections.saturating_sub(1);
        // With other nodes a place outlives this one: its client comes back there.
        let is_going = state.shut_down || state.draining;
        let keeps_place = departure != Departure::Left && (!state.shut_down || self.router.node() > 0);
        let named = match state.sessions.get_mut(&number) {
            // Its client has come to another node.
            Some(session) if session.remote.is_some() => {
                drop(state);
                self.left.notify_waiters();
                return;
            }
            Some(session) => {
                session.attached = false;
                session.hangs_up = departure == Departure::Reloading;
                session.name.is_some()
            }
            None => false,
        };
        if named && keeps_place && self.config.limits.lost_sessions > 0 {
            if !is_going
                && state.lost.len() >= self.config.limits.lost_sessions
                && let Some(first) = state.most_dispensable_lost(number)
            {
                state.remove(first);
                self.notify_changed();
            }
            let is_reloading = departure == Departure::Reloading;
            let grace = if is_reloading { self.config.reload_grace } else { self.config.resume_grace };
            let until = Instant::now() + grace.min(MAX_GRACE);
            let place = state.lost.partition_point(|(at, _)| *at <= until);
            state.lost.insert(place, (until, number));
            state.announce(number);
            self.session_lost.notify_one();
        } else if state.remove(number) {
            self.notify_changed();
        }
        drop(state);
        self.left.notify_waiters();
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.lock().lost.front().map(|(at, _)| *at)
    }

    /// Forgets the sessions whose grace time is over.
    pub(crate) fn forget_lost(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        while let Some((_, number)) = state.lost.pop_front_if(|(at, _)| *at <= now) {
            if state.sessions.get(&number).is_some_and(|session| session.hangs_up) {
                state.hang_up_for(number);
            }
            state.remove(number);
            self.notify_changed();
        }
    }

    /// Whether who comes now is let in.
    pub(crate) fn takes_newcomers(&self) -> bool {
        let state = self.lock();
        !state.draining && !state.shut_down
    }

    /// Lets nobody in any more, and ends with close code 1001 the connections of all who are in no call. `true`: nobody is left.
    pub(crate) fn drain(&self) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.draining = true;
        state.end_all_rings();
        let mut idle = true;
        for (number, session) in state.sessions.iter().filter(|(_, session)| session.remote.is_none()) {
            if session.attached && state.has_call(*number) {
                idle = false;
            } else {
                session.outbox.close(Closing { code: code::GOING_AWAY, reason: "this server is going; come again" });
            }
        }
        idle
    }

    /// Ends every connection with close code 1001 and lets nobody in any more.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.shut_down = true;
        state.end_all_rings();
        for session in state.sessions.values().filter(|session| session.remote.is_none()) {
            session.outbox.close(Closing { code: code::GOING_AWAY, reason: "the server is shutting down" });
        }
    }

    pub(crate) async fn everyone_left(&self) {
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            left.as_mut().enable();
            if self.lock().connections == 0 {
                return;
            }
            left.await;
        }
    }
}

impl State {
    /// The lost session to forget when there are too many: the first of the address that has most of them, `newest` counted.
    fn most_dispensable_lost(&self, newest: u64) -> Option<u64> {
        let address = |number: u64| self.sessions.get(&number).and_then(|session| session.address);
        let mut counts: HashMap<Option<AddressKey>, usize> = HashMap::from([(address(newest), 1)]);
        for (_, number) in &self.lost {
            *counts.entry(address(*number)).or_default() += 1;
        }
        let lost = self.lost.iter().map(|(_, number)| *number);
        // Of several with as many, `min_by_key` takes the first.
        lost.min_by_key(|number| Reverse(counts.get(&address(*number)).copied()))
    }
}
