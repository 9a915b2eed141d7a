//! What the hub does with each message.

use crate::{
    cluster::Receipt,
    hub::State,
    outbox::Source,
    router::Line,
    sanitise::{self, NameFault},
    session::Session,
};
use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::{
    CallId, Chat, ErrorCode, ErrorMessage, MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_TEXT_CHARS, Message, ParseError,
};
use serde_json::{Map, Value};
use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// How far a sender's clock may be off before the server's own time is used, in milliseconds: a day.
const MAX_CLOCK_ERROR_MS: u64 = 24 * 60 * 60 * 1000;

type Object = Map<String, Value>;

/// A message to one person, checked.
struct Passing<'a> {
    /// Its sender.
    number: u64,
    kind: &'a str,
    call: Option<CallId>,
    reason: &'a str,
    target: Option<&'a str>,
    frame: Utf8Bytes,
}

impl State {
    /// Acts on one message that is no `username`. `Ok(true)`: the user list has to be told.
    pub(crate) fn act(&mut self, number: u64, mut object: Object) -> Result<bool, ErrorMessage> {
        let Some(session) = self.sessions.get(&number) else { return Ok(false) };
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let bad = |why: &str| refusal(ErrorCode::BadMessage, &kind, why);
        check_id(number, &kind, &object)?;
        match kind.as_str() {
            "id" | "rejectusername" | "userlist" | "userlist-delta" | "ice-servers" | "push-registered"
            | "call-pushed" | "error" => {
                return Err(bad("only a server sends this"));
            }
            _ => {}
        }
        let Some(name) = session.name.clone() else {
            return Err(refusal(ErrorCode::NotLoggedIn, &kind, "send a username first"));
        };
        match kind.as_str() {
            "userlist-request" => {
                if let Some(session) = self.sessions.get_mut(&number) {
                    session.wants_list = true;
                    let room = session.room.clone();
                    self.mark_wanted(&room);
                }
                return Ok(true);
            }
            "push-register" | "push-unregister" => return self.register_push(number, object).map(|()| false),
            "block" | "unblock" => return self.set_blocked(number, object).map(|()| false),
            _ => {}
        }
        object.insert("name".into(), Value::from(&*name));
        if kind == "message" {
            return match Message::from_object(object) {
                Ok(Message::Chat(chat)) => self.chat(number, &name, chat).map(|()| false),
                Ok(_) => Ok(false),
                Err(e) => Err(refusal_of(&e)),
            };
        }
        self.relay(number, &kind, object).map(|()| false)
    }

    fn chat(&mut self, number: u64, name: &Arc<str>, chat: Chat) -> Result<(), ErrorMessage> {
        if chat.text.chars().count() > MAX_TEXT_CHARS {
            return Err(refusal(ErrorCode::TooLarge, "message", "the text is too long"));
        }
        let text = sanitise::line(&chat.text);
        if text.trim().is_empty() {
            return Err(refusal(ErrorCode::BadMessage, "message", "the text is empty"));
        }
        let date = sane_date(chat.date);
        let line = Message::Chat(Chat { text, id: number, date, name: Some(name.to_string()) });
        let frame = Utf8Bytes::from(line.to_json());
        let cost = frame.len() as f64 * self.roommates(number).count() as f64;
        let now = Instant::now();
        let pays = |session: &mut Session| session.lines.take(1.0, now) && session.fan_out.take(cost, now);
        if !self.sessions.get_mut(&number).is_some_and(pays) {
            return Err(refusal(ErrorCode::RateLimited, "message", "too many lines for so many people"));
        }
        let hearers = self.roommates(number).filter(|(_, one)| one.remote.is_none() && !one.blocks(number));
        for (_, session) in hearers {
            // Who reads so slowly that there is no room misses it.
            session.outbox.push_line(Source::Stranger(number), frame.clone());
        }
        if let Some(session) = self.sessions.get(&number).filter(|_| self.router.node() > 0) {
            let line = Line { room: session.room.clone(), from: number, frame: frame.to_string() };
            self.router.publish(line);
        }
        Ok(())
    }

    /// Passes a message of a call, or of a type that this version does not know, to the one it is for.
    fn relay(&mut self, number: u64, kind: &str, mut object: Object) -> Result<(), ErrorMessage> {
        let call = call_of(&object);
        let refuse = |code, why: &str, target: Option<&str>| ErrorMessage {
            target: target.map(|target| target.chars().take(MAX_NAME_CHARS).collect()),
            call,
            ..refusal(code, kind, why)
        };
        let target = match object.get("target") {
            // To an old server an empty one is none.
            Some(Value::String(target)) if !target.is_empty() => Some(target.clone()),
            None | Some(Value::Null | Value::String(_)) => None,
            Some(_) => return Err(refuse(ErrorCode::BadMessage, "the target is no name", None)),
        };
        let devices = match &target {
            // None: nobody of that name is here.
            Some(target) => self.named(number, target).cloned().unwrap_or_default(),
            None if kind == "hang-up" => {
                let others = self.other_side(number);
                let Some(name) = others.iter().find_map(|other| self.sessions.get(other)?.name.clone()) else {
                    self.end_rings_of(number, "cancelled");
                    return Ok(());
                };
                object.insert("target".into(), Value::from(&*name));
                others
            }
            None => return Err(refuse(ErrorCode::BadMessage, "it needs a target", None)),
        };
        if devices.contains(&number) {
            return Err(refuse(ErrorCode::BadMessage, "it is for yourself", target.as_deref()));
        }
        let reason = object.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        let frame = Utf8Bytes::from(Value::Object(object.clone()).to_string());
        if let Err(e) = Message::from_object(object) {
            return Err(ErrorMessage { call, ..refusal_of(&e) });
        }
        if frame.len() > MAX_FRAME_BYTES {
            return Err(refuse(ErrorCode::TooLarge, "with the sender's name it is too long", target.as_deref()));
        }
        if let Some(target) = target.as_deref()
            && (devices.is_empty() || self.is_for_sleeper(number, kind, target, &devices))
        {
            return self.relay_to_absent(number, kind, call, target, frame);
        }
        let passing = Passing { number, kind, call, reason: &reason, target: target.as_deref(), frame };
        self.pass_on(&passing, devices, &mut None)
    }

    /// Passes on what another node's session sends to one of this node.
    pub(crate) fn pass_in(
        &mut self,
        from: u64,
        to: u64,
        frame: Utf8Bytes,
        receipt: Receipt,
    ) -> Result<(), ErrorMessage> {
        let mut receipt = Some(receipt);
        let passed = match Message::parse_object(&frame) {
            Err(e) => Err(refusal_of(&e)),
            Ok(object) => {
                let text = |field| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
                let (kind, reason, target, call) = (text("type"), text("reason"), text("target"), call_of(&object));
                let passing =
                    Passing { number: from, kind: &kind, call, reason: &reason, target: Some(&target), frame };
                self.pass_on(&passing, vec![to], &mut receipt)
            }
        };
        if let (Some(dropped), Some(session)) = (receipt, self.sessions.get(&to)) {
            session.outbox.settle(dropped);
        }
        passed
    }

    /// Passes a checked message on to those of these devices of one person that may have it; with `receipt`, which is taken if it goes into an
    /// outbox, to a single one.
    fn pass_on(
        &mut self,
        passing: &Passing<'_>,
        devices: Vec<u64>,
        receipt: &mut Option<Receipt>,
    ) -> Result<(), ErrorMessage> {
        let Passing { number, kind, call, reason, target, ref frame } = *passing;
        let refuse = |code, why: &str| {
            let target = target.map(|target| target.chars().take(MAX_NAME_CHARS).collect());
            Err(ErrorMessage { target, call, ..refusal(code, kind, why) })
        };
        // There is nothing to tell about what has nowhere to go.
        let quiet = matches!(kind, "hang-up" | "new-ice-candidate" | "call-ringing" | "media-state");
        let is_here = self.is_local(number);
        let mut recipients = self.recipients(number, devices, kind, call.is_some());
        if recipients.is_empty() {
            // Often it has only crossed the end of a call: nothing to bother its sender with.
            tracing::debug!(connection = number, kind = %kind.escape_debug(), "a message outside a call was dropped");
            return Ok(());
        }
        if !self.router.is_joined() {
            recipients.retain(|to| self.is_local(*to));
            if recipients.is_empty() {
                return if quiet {
                    Ok(())
                } else {
                    refuse(ErrorCode::Unavailable, "this person cannot be reached now")
                };
            }
        }
        // What follows is for each recipient's own node to decide.
        recipients.retain(|to| self.sessions.get(to).is_some_and(|one| one.remote.is_some() || !one.blocks(number)));
        if recipients.is_empty() {
            return if quiet { Ok(()) } else { refuse(ErrorCode::Blocked, "this person wants nothing from you") };
        }
        let calls = kind == "video-offer" && !recipients.iter().any(|to| self.are_in_call(number, *to));
        if calls {
            let may_call = !is_here || self.may_call(number, &recipients);
            recipients.retain(|to| may_call && (!self.is_local(*to) || self.takes_offer(number, *to)));
            if recipients.is_empty() {
                return refuse(ErrorCode::RateLimited, "too many calls; wait a little");
            }
        }
        if kind == "hang-up" && matches!(reason, "busy" | "timeout" | "failed" | "media-error") {
            recipients.retain(|caller| !self.is_local(*caller) || !self.leave_to_others(number, *caller, call));
        }
        let wanted = recipients.len();
        let source = |to: u64, state: &Self| {
            // A caller is a stranger until it is answered: anybody can call.
            let is_peer = state.are_in_call(number, to) || state.is_calling(to, number);
            if is_peer { Source::Peer(number) } else { Source::Stranger(number) }
        };
        let mut posted = Vec::new();
        recipients.retain(|to| {
            let source = source(*to, self);
            if let (Some(receipt), Some(session)) = (receipt.take(), self.sessions.get(to)) {
                return session.outbox.push_with(source, frame.clone(), Some(receipt));
            }
            let fits = self.put(*to, source, frame.clone());
            if fits && !self.is_local(*to) {
                posted.push((*to, source));
            }
            fits
        });
        if recipients.is_empty() && wanted > 0 {
            return refuse(ErrorCode::RateLimited, "too much of yours waits there already");
        }
        if kind == "new-ice-candidate"
            && is_here
            && let Some(target) = target
        {
            self.keep_for_later(number, target, call, frame);
        }
        let before = self.record_of(number);
        let rung = if calls && is_here { recipients.clone() } else { Vec::new() };
        self.note(number, kind, call, reason, calls, recipients);
        // The callee's node has to know of the call before anything else comes, and of its end after the message that ends it.
        let sender = if matches!(kind, "video-offer" | "video-answer") { self.record_of(number) } else { before };
        for (to, source) in posted {
            self.post(to, source, frame, sender.clone());
        }
        if let Some(target) = target
            && !rung.is_empty()
        {
            self.ring_further_devices(number, target, call, frame, &rung);
        }
        Ok(())
    }

    /// The devices of one person that a message is for: the one in a call with its sender, else all that may hear it.
    fn recipients(&self, number: u64, devices: Vec<u64>, kind: &str, named: bool) -> Vec<u64> {
        let in_call = devices.iter().copied().find(|to| self.are_in_call(number, *to));
        let all = in_call.map_or(devices, |to| vec![to]);
        let mut may_hear: Vec<u64> = all.into_iter().filter(|to| self.may_pass(number, *to, kind, named)).collect();
        if kind == "video-answer" {
            // Only one can have the call, should several devices of one person have called.
            may_hear.truncate(1);
        }
        may_hear
    }

    /// Remembers of a message that has gone out what it says about calls.
    fn note(&mut self, from: u64, kind: &str, call: Option<CallId>, reason: &str, calls: bool, to: Vec<u64>) {
        match kind {
            "video-offer" if calls => self.note_offer(from, to, call),
            "call-ringing" => to.into_iter().for_each(|caller| self.note_ringing(from, caller)),
            "video-answer" => {
                for to in to {
                    self.note_ringing(from, to);
                    self.forgive_call(from, to);
                    self.note_answer(from, to, call);
                }
            }
            "hang-up" => {
                for to in to {
                    if reason == "declined" {
                        self.note_decline(from, to);
                    }
                    self.note_hang_up(from, to, call);
                }
            }
            _ => {}
        }
    }
}

/// An `id` that is there has to be the session's own.
pub(crate) fn check_id(number: u64, kind: &str, object: &Object) -> Result<(), ErrorMessage> {
    match object.get("id") {
        None | Some(Value::Null) => Ok(()),
        Some(id) if is_number(id, number) => Ok(()),
        Some(_) => Err(refusal(ErrorCode::BadMessage, kind, "the id is not yours")),
    }
}

fn is_number(value: &Value, number: u64) -> bool {
    // An old peer may write a float; session numbers are far below where that loses digits.
    value.as_u64() == Some(number) || value.as_f64().is_some_and(|id| id == number as f64)
}

fn call_of(object: &Object) -> Option<CallId> {
    object.get("call").and_then(Value::as_str).and_then(|call| Uuid::parse_str(call).ok()).map(CallId)
}

fn sane_date(date: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    if date.abs_diff(now) > MAX_CLOCK_ERROR_MS { now } else { date }
}

/// The `error` for a message of this type.
pub(crate) fn refusal(code: ErrorCode, kind: &str, why: &str) -> ErrorMessage {
    let regarding = (!kind.is_empty()).then(|| kind.chars().take(64).collect());
    ErrorMessage { code, message: why.into(), regarding, target: None, call: None }
}

/// The `error` for a frame that is no message.
pub(crate) fn refusal_of(error: &ParseError) -> ErrorMessage {
    match error {
        ParseError::TooLarge(_) => refusal(ErrorCode::TooLarge, "", &error.to_string()),
        ParseError::NotAnObject(_) => refusal(ErrorCode::BadMessage, "", "the frame is no JSON object with a type"),
        // The detail may quote what was sent, at any length.
        ParseError::BadField { kind, .. } => refusal(ErrorCode::BadMessage, kind, "a field is missing or wrong"),
    }
}

pub(crate) fn refusal_of_name(fault: &NameFault) -> ErrorMessage {
    let (code, why) = match fault {
        NameFault::Empty => (ErrorCode::BadName, "the name is empty"),
        NameFault::Characters => (ErrorCode::BadName, "the name has characters that cannot be seen"),
        NameFault::TooLong => (ErrorCode::TooLarge, "the name is too long"),
    };
    refusal(code, "username", why)
}
