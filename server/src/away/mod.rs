//! People who are away, but can be rung by push: who that is, and what they have said about others.

mod calls;

use crate::{
    hub::State,
    nuisance::Nuisance,
    outbox::Source,
    push::{Callee, DeviceId, Push, RegisterError, Ringing, check_device},
    relay::{refusal, refusal_of},
    sanitise,
};
use calls::Pushed;
use chamada::signaling::message::{ErrorCode, ErrorMessage, Message, PushRegistered};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// People who are away and of whom is remembered who may not ring them.
const MAX_NUISANCE: usize = 10_000;
/// How many are left after some had to be forgotten.
const KEPT_NUISANCE: usize = MAX_NUISANCE / 4 * 3;

/// What there is about people who are away.
#[derive(Debug)]
pub(crate) struct Away {
    /// None: nobody is rung by push.
    push: Option<Arc<Push>>,
    ringing: Ringing<Pushed>,
    /// What those who left had to say about others who call them.
    nuisance: HashMap<Callee, Nuisance>,
    /// Another call waits.
    pub(crate) changed: Arc<Notify>,
}

impl Default for Away {
    fn default() -> Self {
        Self { push: None, ringing: Ringing::new(Duration::ZERO), nuisance: HashMap::new(), changed: Arc::default() }
    }
}

impl Away {
    pub(crate) fn new(push: Arc<Push>) -> Self {
        Self { ringing: Ringing::new(push.ring_time()), push: Some(push), ..Self::default() }
    }

    /// Whether people are rung by push at all.
    pub(crate) fn is_open(&self) -> bool {
        self.push.is_some()
    }

    /// When [`State::expire_rings`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.ringing.next_deadline()
    }

    /// A session has another number now; `person` is whose it is.
    pub(crate) fn renumber(&mut self, old: u64, new: u64, person: Option<&Callee>) {
        self.ringing.renumber(old, new, person);
        for nuisance in self.nuisance.values_mut() {
            nuisance.renumber(old, new);
        }
    }

    /// What somebody who is away has to say about others. With too many of them, those who have nothing to say are forgotten first.
    fn nuisance_of(&mut self, callee: &Callee, now: Instant) -> &mut Nuisance {
        if self.nuisance.len() >= MAX_NUISANCE && !self.nuisance.contains_key(callee) {
            self.nuisance.retain(|_, nuisance| !nuisance.is_idle(now));
            let most = self.nuisance.len().saturating_sub(KEPT_NUISANCE);
            let forgotten: Vec<Callee> = self.nuisance.keys().take(most).cloned().collect();
            forgotten.iter().for_each(|callee| drop(self.nuisance.remove(callee)));
        }
        self.nuisance.entry(callee.clone()).or_insert_with(|| Nuisance::new(now))
    }
}

impl State {
    /// `push-register` and `push-unregister`; the answer comes when it is safe.
    pub(crate) fn register_push(&mut self, number: u64, object: Map<String, Value>) -> Result<(), ErrorMessage> {
        let (kind, wanted) = match Message::from_object(object) {
            Ok(Message::PushRegister(wanted)) => ("push-register", Some(wanted)),
            Ok(_) => ("push-unregister", None),
            Err(e) => return Err(refusal_of(&e)),
        };
        let Some(push) = self.away.push.clone() else {
            return Err(refusal(ErrorCode::BadMessage, kind, "this server sends no pushes"));
        };
        if !self.router.is_joined() {
            return Err(refusal(ErrorCode::Unavailable, kind, "what all servers keep cannot be written now"));
        }
        let Some(session) = self.sessions.get_mut(&number) else { return Ok(()) };
        let (Some(subject), Some(name)) = (session.subject.clone(), session.name.clone()) else {
            return Err(refusal(ErrorCode::Unauthorized, kind, "that takes a login with a token"));
        };
        if !session.renames.take(1.0, Instant::now()) {
            return Err(refusal(ErrorCode::RateLimited, kind, "that was too often; wait a little"));
        }
        let refuse = |error: RegisterError| {
            let code = match error {
                RegisterError::Fault(_) => ErrorCode::BadMessage,
                RegisterError::Full => ErrorCode::Full,
                RegisterError::Store => ErrorCode::Unavailable,
            };
            refusal(code, kind, &error.to_string())
        };
        let device = check_device(session.device.as_deref()).map_err(|fault| refuse(fault.into()))?;
        let id = DeviceId { room: session.room.clone(), subject, device };
        let outbox = session.outbox.clone();
        let platform = wanted.as_ref().map(|wanted| wanted.platform);
        let done = move |result: Result<(), RegisterError>| {
            let answer = match result {
                Ok(()) => Message::PushRegistered(PushRegistered { platform }),
                Err(error) => Message::Error(refuse(error)),
            };
            outbox.push(Source::Server, answer.to_json().into());
        };
        match wanted {
            Some(wanted) => push.register(id, &name, wanted, done).map_err(refuse),
            None => {
                push.unregister(id, done);
                Ok(())
            }
        }
    }

    /// Somebody's last session is gone for good: `nuisance` is what it had to say about others. `is_here`: it was one of this node.
    pub(crate) fn went_away(&mut self, callee: Callee, mut nuisance: Nuisance, is_here: bool) {
        let Some(push) = self.away.push.as_ref().filter(|push| push.name(&callee.room, &callee.subject).is_some())
        else {
            return;
        };
        let now = Instant::now();
        if is_here {
            // On other nodes and after a restart, too.
            push.block(&callee, &nuisance.blocked());
        }
        if !nuisance.is_idle(now) {
            *self.away.nuisance_of(&callee, now) = nuisance;
        }
    }

    /// Devices can be rung from now on: names of those who are known stay theirs.
    pub(crate) fn open_push(&mut self, push: Arc<Push>) {
        for (room, subject, name) in push.people() {
            self.subjects.give(&room, &subject, &sanitise::look(&name), |_, _| true);
        }
        self.away = Away::new(push);
    }

    /// Somebody has this name now.
    pub(crate) fn name_given(&mut self, room: &str, subject: &str, name: &str) {
        if let Some(push) = &self.away.push {
            push.rename(room, subject, name);
        }
        self.update_away(room, name);
    }

    /// Looks anew whether the list of this room has to tell that somebody of this name is away, but reachable.
    pub(crate) fn update_away(&mut self, room: &str, name: &str) {
        let is_here = self.rooms.get(room).is_some_and(|room| room.names.contains_key(name));
        let is_away = !is_here && self.away.push.as_ref().is_some_and(|push| push.subject(room, name).is_some());
        if self.rooms.get_mut(room).is_some_and(|room| room.roster.set_away(name, is_away)) {
            self.mark_changed(room);
        }
    }

    /// Names of all in the room who can be rung by push, here or not.
    pub(crate) fn reachable_names(&self, room: &str) -> Vec<String> {
        self.away.push.as_ref().map_or_else(Vec::new, |push| push.names(room))
    }
}
