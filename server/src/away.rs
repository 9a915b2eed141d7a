//! People who are away, but can be rung by push: calls to them wait here, and go on when they log in.

use crate::{
    hub::State,
    nuisance::Nuisance,
    outbox::Source,
    push::{Callee, Caller, DeviceId, Push, PushedRing, RegisterError, Ring, Ringing, check_device},
    relay::{refusal, refusal_of},
    sanitise,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{
    CallId, CallPushed, CallRinging, ErrorCode, ErrorMessage, HangUp, HangUpReason, MAX_NAME_CHARS, Message,
    PushRegistered, PushedCall, PushedKind,
};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
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
    ringing: Ringing<PushedRing>,
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

    /// Ends what a ring has on devices.
    fn finish(&self, ring: Ring<PushedRing>, how: &'static str) {
        tracing::info!(how, "a call by push ended");
        if let Some(push) = &self.push {
            push.ring_ended(how);
        }
        ring.pushed.stop(ring.reached.into_iter().filter_map(|(_, device)| device).collect());
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

    /// The person of this name in the sender's room, if it can be rung by push or the sender's call waits for it already.
    fn callee(&self, number: u64, name: &str) -> Option<Callee> {
        let push = self.away.push.as_ref()?;
        let room = self.sessions.get(&number)?.room.clone();
        if let Some(callee) = self.away.ringing.callee_named(number, name) {
            return Some(callee);
        }
        let subject = push.subject(&room, name)?;
        Some(Callee { room, subject })
    }

    /// Whether a message to a person with these devices is for somebody who sleeps: there is no connection, only places that are kept, and a
    /// call that begins or waits.
    pub(crate) fn is_for_sleeper(&self, number: u64, kind: &str, name: &str, devices: &[u64]) -> bool {
        let sleeps =
            |device: &u64| self.sessions.get(device).is_none_or(|session| !session.attached || session.awaits_calls);
        if !devices.iter().all(sleeps) || devices.iter().any(|device| self.are_in_call(number, *device)) {
            return false;
        }
        self.callee(number, name).is_some_and(|callee| match self.away.ringing.is_reached(number, &callee) {
            Some(is_reached) => !is_reached,
            None => kind == "video-offer",
        })
    }

    /// A message of a call for somebody who is not here.
    pub(crate) fn relay_to_absent(
        &mut self,
        number: u64,
        kind: &str,
        call: Option<CallId>,
        target: &str,
        frame: Utf8Bytes,
    ) -> Result<(), ErrorMessage> {
        let refuse = |code, why: &str| ErrorMessage {
            target: Some(target.chars().take(MAX_NAME_CHARS).collect()),
            call,
            ..refusal(code, kind, why)
        };
        let callee = self.callee(number, target);
        match (kind, callee) {
            // There is nothing left to hang up, or that was all of it.
            ("hang-up", callee) => {
                if let Some(callee) = callee {
                    self.end_ring(number, &callee, call, "cancelled");
                }
                Ok(())
            }
            // Nobody can log in while the other nodes cannot be asked whose name that is.
            ("video-offer", Some(_)) if !self.router.is_joined() => {
                Err(refuse(ErrorCode::Unavailable, "this person cannot be reached now"))
            }
            ("video-offer", Some(callee)) => {
                self.call_away(number, callee, target, call, frame).map_err(|(code, why)| refuse(code, &why))
            }
            ("new-ice-candidate" | "media-state", Some(callee)) if self.away.ringing.has(number, &callee) => {
                self.away.ringing.add(number, &callee, call, frame);
                Ok(())
            }
            _ => Err(refuse(ErrorCode::NoSuchUser, "nobody of that name is here")),
        }
    }

    fn call_away(
        &mut self,
        number: u64,
        callee: Callee,
        name: &str,
        call: Option<CallId>,
        offer: Utf8Bytes,
    ) -> Result<(), (ErrorCode, String)> {
        if self.away.ringing.add(number, &callee, call, offer.clone()) {
            return Ok(());
        }
        let Some(push) = self.away.push.clone() else { return Ok(()) };
        let now = Instant::now();
        self.end_ring(number, &callee, None, "replaced");
        let Some(session) = self.sessions.get(&number) else { return Ok(()) };
        // Without a token nobody has a name here.
        let (Some(from), Some(subject)) = (session.name.clone(), session.subject.clone()) else { return Ok(()) };
        let caller = Caller { session: number, subject };
        let look = sanitise::look(&from);
        let devices = self.rooms.get(&callee.room).and_then(|room| room.names.get(name));
        let sleeper = devices.and_then(|devices| devices.first()).copied();
        let sleeper = sleeper.and_then(|device| self.sessions.get_mut(&device));
        let nuisance = match sleeper {
            Some(session) => &mut session.nuisance,
            None => self.away.nuisance_of(&callee, now),
        };
        if nuisance.is_blocked(number, &look) {
            return Err((ErrorCode::Blocked, "this person wants nothing from you".into()));
        }
        if !nuisance.takes_offer(number, now) || !self.may_call(number, &[]) {
            return Err((ErrorCode::RateLimited, "too many calls; wait a little".into()));
        }
        let pushed = PushedCall {
            kind: PushedKind::Ring,
            call: call.unwrap_or_else(CallId::random),
            from: from.to_string(),
            room: callee.room.to_string(),
            sent: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
        };
        let (room, subject) = (callee.room.clone(), callee.subject.clone());
        let ring = move |deadline: Instant| push.ring(&room, &subject, &pushed, deadline.into());
        let started = self.away.ringing.start(now, (caller, callee, name, call), offer, ring);
        started.map_err(|full| (ErrorCode::RateLimited, full.to_string()))?;
        self.away.changed.notify_one();
        tracing::info!(connection = number, "a call waits and rings by push");
        if let Some(session) = self.sessions.get(&number) {
            session.send_message(&if session.reads_pushed {
                Message::CallPushed(CallPushed { target: Some(name.to_owned()), call })
            } else {
                // An older client knows of no push; for it the phone rings there.
                let target = Some(from.to_string());
                Message::CallRinging(CallRinging { name: Some(name.to_owned()), target, call })
            });
        }
        Ok(())
    }

    /// Somebody has logged in, or come back: gets the calls that wait.
    pub(crate) fn hand_out_calls(&mut self, number: u64) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        session.awaits_calls = false;
        let Some(subject) = session.subject.clone() else { return };
        let device = session.device.clone();
        let callee = Callee { room: session.room.clone(), subject };
        if let Some(nuisance) = self.away.nuisance.remove(&callee) {
            session.nuisance = nuisance;
        }
        // Other nodes may have calls for it, too.
        self.announce(number);
        let waiting = self.away.ringing.arrived(Instant::now(), &callee, number, device.as_ref());
        for call in waiting {
            tracing::info!(connection = number, "a call that waited is handed out");
            self.note_further_offer(call.caller, number, call.call);
            // Its node has to know that it is called before it gets anything.
            let (caller, source) = (self.record_of(call.caller), Source::Stranger(call.caller));
            for frame in call.frames {
                if self.put(number, source, frame.clone()) {
                    self.post(number, source, &frame, caller.clone());
                }
            }
        }
    }

    /// A candidate has gone to the devices that ring: those that wake up later get it too.
    pub(crate) fn keep_for_later(&mut self, number: u64, name: &str, call: Option<CallId>, frame: &Utf8Bytes) {
        if let Some(callee) = self.away.ringing.callee_named(number, name) {
            self.away.ringing.add(number, &callee, call, frame.clone());
        }
    }

    /// A hang-up of the caller's that names nobody.
    pub(crate) fn end_rings_of(&mut self, caller: u64, how: &'static str) {
        for ring in self.away.ringing.caller_left(caller) {
            self.away.finish(ring, how);
        }
    }

    /// This node can wait no longer for those whom this session calls, who hears that unless it rings somewhere.
    pub(crate) fn give_rings_up(&mut self, caller: u64, how: &'static str) {
        for ring in self.away.ringing.caller_left(caller) {
            self.give_up(ring, HangUpReason::Failed, how);
        }
    }

    fn give_up(&mut self, ring: Ring<PushedRing>, reason: HangUpReason, how: &'static str) {
        if ring.reached.is_empty() {
            let target = self.sessions.get(&ring.caller.session).and_then(|caller| caller.name.as_deref());
            let hang_up = HangUp {
                name: Some(ring.name.clone()),
                target: target.map(str::to_owned),
                reason: Some(reason),
                call: ring.call,
            };
            self.tell(ring.caller.session, &Message::HangUp(hang_up));
        }
        self.away.finish(ring, how);
    }

    fn end_ring(&mut self, caller: u64, callee: &Callee, call: Option<CallId>, how: &'static str) {
        if let Some(ring) = self.away.ringing.end(caller, callee, call) {
            self.away.finish(ring, how);
        }
    }

    /// The call between the two was answered, or is over: no other device of the callee's rings any more.
    pub(crate) fn end_ring_between(&mut self, one: u64, other: u64, call: Option<CallId>, how: &'static str) {
        for (caller, callee) in [(one, other), (other, one)] {
            let Some(session) = self.sessions.get(&callee) else { continue };
            let Some(subject) = session.subject.clone() else { continue };
            let callee = Callee { room: session.room.clone(), subject };
            self.end_ring(caller, &callee, call, how);
        }
    }

    /// Somebody's last session is gone for good: `nuisance` is what it had to say about others.
    pub(crate) fn went_away(&mut self, callee: Callee, mut nuisance: Nuisance) {
        let is_reachable =
            self.away.push.as_ref().is_some_and(|push| push.name(&callee.room, &callee.subject).is_some());
        let now = Instant::now();
        if is_reachable && !nuisance.is_idle(now) {
            *self.away.nuisance_of(&callee, now) = nuisance;
        }
    }

    /// Nobody is let in any more, so nobody comes for the calls that wait.
    pub(crate) fn end_all_rings(&mut self) {
        for ring in self.away.ringing.take_all() {
            self.give_up(ring, HangUpReason::Failed, "shutdown");
        }
    }

    /// Ends calls that have waited for too long.
    pub(crate) fn expire_rings(&mut self, now: Instant) {
        for ring in self.away.ringing.expire(now) {
            // Where it rings, or was missed, caller and callee have clocks of their own.
            let how = if ring.reached.is_empty() { "timeout" } else { "unanswered" };
            self.give_up(ring, HangUpReason::Timeout, how);
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
