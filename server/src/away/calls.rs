//! Calls to people who are away, or of whom devices sleep.

use super::Away;
use crate::{
    hub::State,
    outbox::Source,
    push::{Callee, Caller, PushedRing, Reached, Ring},
    relay::refusal,
    router::HandedRing,
    sanitise,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{
    CallId, CallPushed, CallRinging, ErrorCode, ErrorMessage, HangUp, HangUpReason, MAX_NAME_CHARS, Message,
    PushedCall, PushedKind,
};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Devices that are rung for one call.
#[derive(Debug)]
pub(crate) struct Pushed {
    call: PushedCall,
    rings: Vec<PushedRing>,
    deadline: Instant,
}

impl Away {
    /// Ends what a ring has on devices.
    fn finish(&self, ring: Ring<Pushed>, how: &'static str) {
        if let Some(push) = self.push.as_ref().filter(|_| !ring.pushed.rings.is_empty()) {
            tracing::info!(how, "a call by push ended");
            push.ring_ended(how);
        }
        let know: Vec<Arc<str>> = ring.reached.into_iter().filter_map(|reached| reached.device).collect();
        for pushed in ring.pushed.rings {
            pushed.stop(know.clone());
        }
    }
}

impl State {
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
        if nuisance.is_blocked(number, &look) || push.is_blocked(&callee, &look) {
            return Err((ErrorCode::Blocked, "this person wants nothing from you".into()));
        }
        if !nuisance.takes_offer(number, now) || !self.may_call(number, &[]) {
            return Err((ErrorCode::RateLimited, "too many calls; wait a little".into()));
        }
        let pushed = new_push(call, &from, &callee);
        let for_ring = callee.clone();
        let ring = move |deadline: Instant| {
            let rings = vec![push.ring(&for_ring, &pushed, deadline.into(), |_| true)];
            Pushed { call: pushed, rings, deadline }
        };
        let started = self.away.ringing.start(now, (caller, callee, name, call), offer, Vec::new(), ring);
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

    /// An offer has gone to those of somebody's devices that are connected: the others are rung by push.
    pub(crate) fn ring_further_devices(
        &mut self,
        number: u64,
        name: &str,
        call: Option<CallId>,
        offer: &Utf8Bytes,
        reached: &[u64],
    ) {
        let Some(push) = self.away.push.clone() else { return };
        let Some(callee) = self.callee(number, name) else { return };
        if self.away.ringing.add(number, &callee, call, offer.clone()) {
            return;
        }
        self.end_ring(number, &callee, None, "replaced");
        let Some(session) = self.sessions.get(&number) else { return };
        let (Some(from), Some(subject)) = (session.name.clone(), session.subject.clone()) else { return };
        if push.is_blocked(&callee, &sanitise::look(&from)) {
            return;
        }
        let device = |session: u64| self.sessions.get(&session).and_then(|session| session.device.clone());
        let connected: Vec<Arc<str>> = reached.iter().filter_map(|session| device(*session)).collect();
        let has_sleepers = push.has_device_besides(&callee, &connected);
        let reached = reached.iter().map(|session| Reached::new(*session, device(*session))).collect();
        let pushed = new_push(call, &from, &callee);
        let for_ring = callee.clone();
        let ring = move |deadline: Instant| {
            let ring = || push.ring(&for_ring, &pushed, deadline.into(), |device| !connected.contains(device));
            let rings = has_sleepers.then(ring).into_iter().collect();
            Pushed { call: pushed, rings, deadline }
        };
        let caller = Caller { session: number, subject };
        // Where too many wait, it rings where it rings.
        let waits = (caller, callee, name, call);
        if self.away.ringing.start(Instant::now(), waits, offer.clone(), reached, ring).is_ok() {
            self.away.changed.notify_one();
        }
    }

    /// It rings at this device.
    pub(crate) fn note_ringing(&mut self, device: u64, caller: u64) {
        let Some(session) = self.sessions.get(&device) else { return };
        let Some(subject) = session.subject.clone() else { return };
        let callee = Callee { room: session.room.clone(), subject };
        self.away.ringing.heard(caller, &callee, device, session.device.as_ref());
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
            self.note_blocker(number);
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

    /// The calls of a session that another node has from now on, as far as they fit into so many bytes; the others are given up.
    pub(crate) fn hand_rings_over(&mut self, caller: u64, room: &mut usize) -> Vec<HandedRing> {
        let mut handed = Vec::new();
        for ring in self.away.ringing.caller_left(caller) {
            // As text in JSON.
            let bytes: usize = ring.frames.iter().map(|frame| frame.len() * 2 + 64).sum();
            let Some(left) = room.checked_sub(bytes + 4096) else {
                self.give_up(ring, HangUpReason::Failed, "moved");
                continue;
            };
            *room = left;
            let left = ring.deadline.saturating_duration_since(Instant::now()).as_millis();
            let is_pushed = !ring.pushed.rings.is_empty();
            ring.pushed.rings.into_iter().for_each(PushedRing::hand_over);
            let reached = |one: Reached| (one.session, one.device.as_deref().map(str::to_owned));
            handed.push(HandedRing {
                room: ring.callee.room,
                subject: ring.callee.subject,
                name: ring.name,
                call: ring.call,
                frames: ring.frames.iter().map(ToString::to_string).collect(),
                reached: ring.reached.into_iter().map(reached).collect(),
                pushed: is_pushed.then_some(ring.pushed.call),
                left: u64::try_from(left).unwrap_or(u64::MAX),
            });
        }
        handed
    }

    /// Calls of a session that was on another node wait here from now on.
    pub(crate) fn take_rings_over(&mut self, caller: u64, rings: Vec<HandedRing>) {
        let Some(push) = self.away.push.clone() else { return };
        let Some(subject) = self.sessions.get(&caller).and_then(|session| session.subject.clone()) else { return };
        let now = Instant::now();
        for HandedRing { room, subject: callee, name, call, frames, reached, pushed, left } in rings {
            let callee = Callee { room, subject: callee };
            let deadline = now + Duration::from_millis(left).min(push.ring_time());
            let reached = reached.into_iter().map(|(session, device)| Reached::heard(session, device.map(Into::into)));
            let waits = (Caller { session: caller, subject: subject.clone() }, callee.clone(), name.as_str(), call);
            let ring = |deadline: Instant| {
                let rings = pushed.iter().map(|pushed| push.take_over(&callee, pushed, deadline.into())).collect();
                let call = pushed.unwrap_or_else(|| new_push(call, "", &callee));
                Pushed { call, rings, deadline }
            };
            let frames = frames.into_iter().map(Utf8Bytes::from).collect();
            if self.away.ringing.go_on(deadline, waits, frames, reached.collect(), ring).is_err() {
                continue;
            }
            self.away.changed.notify_one();
            // Who has come meanwhile was handed out nothing.
            let devices = self.rooms.get(&callee.room).and_then(|room| room.names.get(name.as_str())).cloned();
            for device in devices.unwrap_or_default() {
                if self.sessions.get(&device).is_some_and(|session| session.attached && !session.awaits_calls) {
                    self.hand_out_calls(device);
                }
            }
        }
    }

    fn give_up(&mut self, ring: Ring<Pushed>, reason: HangUpReason, how: &'static str) {
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

    /// Nobody is let in any more, so nobody comes for the calls that wait.
    pub(crate) fn end_all_rings(&mut self) {
        for ring in self.away.ringing.take_all() {
            self.give_up(ring, HangUpReason::Failed, "shutdown");
        }
    }

    /// Rings by push those who have not said that they ring, and ends calls that have waited for too long.
    pub(crate) fn expire_rings(&mut self, now: Instant) {
        let Away { push, ringing, .. } = &mut self.away;
        if let Some(push) = push {
            ringing.take_silent(now, |ring, silent| {
                let Pushed { call, rings, deadline } = &mut ring.pushed;
                rings.push(push.ring(&ring.callee, call, (*deadline).into(), |device| silent.contains(device)));
            });
        }
        for ring in self.away.ringing.expire(now) {
            // Where it rings, or was missed, caller and callee have clocks of their own.
            let how = if ring.reached.is_empty() { "timeout" } else { "unanswered" };
            self.give_up(ring, HangUpReason::Timeout, how);
        }
    }
}

/// What devices are sent for a new call.
fn new_push(call: Option<CallId>, from: &str, callee: &Callee) -> PushedCall {
    PushedCall {
        kind: PushedKind::Ring,
        call: call.unwrap_or_else(CallId::random),
        from: from.to_owned(),
        room: callee.room.to_string(),
        sent: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
    }
}
