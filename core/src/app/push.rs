//! Pushes: what one says, where this device is registered for them, and what follows.
//!
//! A push may come late, twice, and after the one that takes it back. What it says is the server's word, but came by a push service: it
//! makes a device ring at most, and the call itself comes over the connection.

use super::calls::Call;
use super::client_news::ServerPush;
use super::effect::{ClientCommand, Effect, SystemCallEffect, SystemEndReason};
use super::reducer::{App, Now, Session};
use super::state::CallPhase;
use super::system_calls::Announced;
use crate::signaling::check_name;
use crate::signaling::message::{CallId, PushRegister, PushedCall, PushedKind};
use serde_json::Value;

/// A push that is older rings no more, in milliseconds: a server lets a call wait for 45 s, and clocks differ.
const STALE_MS: u64 = 60_000;
/// No push service carries more than this.
const MAX_BYTES: usize = 4096;

/// Reads what a push carries, as JSON; none if it is not of Chamada's making. Numbers may be text, as all values are with FCM.
pub fn read_push(json: &str) -> Option<PushedCall> {
    if json.len() > MAX_BYTES {
        return None;
    }
    let push: Value = serde_json::from_str(json).ok()?;
    let text = |field: &str| push.get(field).and_then(Value::as_str);
    let kind = match text("kind")? {
        "ring" => PushedKind::Ring,
        "cancel" => PushedKind::Cancel,
        _ => return None,
    };
    let call = CallId(text("call")?.parse().ok()?);
    let from = check_name(text("from")?).ok()?;
    let room = text("room").unwrap_or_default().to_owned();
    let sent = push.get("sent")?;
    let sent = sent.as_u64().or_else(|| sent.as_str()?.parse().ok())?;
    Some(PushedCall { kind, call, from, room, sent })
}

/// What is registered where.
#[derive(Debug, Default)]
pub(super) struct PushState {
    /// Where the system's push service reaches this device.
    device: Option<PushRegister>,
    /// What the client was told in this session.
    told: Option<PushRegister>,
}

impl App {
    /// The system's push service knows this device by another token, or not any more.
    pub(super) fn push_registration_changed(&mut self, device: Option<PushRegister>) {
        self.push_state.device = device;
    }

    /// Logged in: a device is registered for who shows a token alone, so only then is the system asked for one of its own.
    pub(super) fn ask_for_push(&mut self, server: Option<ServerPush>) {
        if let Some(server) = server.filter(|_| self.may_register()) {
            self.push(Effect::RequestPushToken(server));
        }
    }

    fn may_register(&self) -> bool {
        self.session.is_logged_in() && !self.demo && self.address.as_ref().is_some_and(|(_, token)| token.is_some())
    }

    /// Tells the client what the server is to know of this device.
    pub(super) fn follow_push(&mut self) {
        let wanted = self.push_state.device.as_ref().filter(|_| self.may_register());
        if self.session.is_logged_in() && wanted != self.push_state.told.as_ref() {
            self.push_state.told = wanted.cloned();
            self.command(ClientCommand::RegisterPush(self.push_state.told.clone().map(Box::new)));
        }
    }

    pub(super) fn new_push_session(&mut self) {
        self.push_state.told = None;
    }

    /// Who logs out is not to be rung any more. A client that is out of reach cannot say so; then nothing rings here all the same.
    pub(super) fn unregister_push(&mut self) {
        if self.push_state.told.take().is_some() {
            self.command(ClientCommand::RegisterPush(None));
        }
    }

    /// A push came: none is one that nobody here understands.
    pub(super) fn push_received(&mut self, now: Now, push: Option<PushedCall>) {
        if self.session.is_logged_in() {
            // A connection that the system cut while the app slept is only noticed when it is looked at.
            self.command(ClientCommand::CheckServer);
        } else if push.is_some() {
            self.connect_as_saved();
        }
        match push {
            Some(push) if push.kind == PushedKind::Cancel => self.call_taken_back(now, push),
            Some(push) => self.call_pushed(now, push),
            None => {
                let id = self.system_calls.make_id();
                self.report_nothing(id, None);
            }
        }
    }

    /// Its call is shown at once, and looked for at the server.
    fn call_pushed(&mut self, now: Now, push: PushedCall) {
        let PushedCall { call: id, from, sent, .. } = push;
        if self.shows(id) {
            if self.config.reports_every_push {
                self.push(Effect::SystemCall(SystemCallEffect::Incoming { call: id, from: Some(from) }));
            }
            return;
        }
        let stale = now.unix_ms.saturating_sub(sent) > STALE_MS;
        let busy = self.call.is_some() || self.announced.is_some();
        // Nobody is logged in, nor is about to be: there is nobody to be called.
        if stale || busy || self.session == Session::None || self.system_calls.is_over(id) {
            return self.report_nothing(id, Some(from));
        }
        let (since, since_ms) = (now.at, now.unix_ms);
        let (answered, refused, silenced) = (None, false, false);
        self.announced = Some(Announced { id, from, answered, refused, silenced, since, since_ms });
    }

    /// The caller gave up, somebody else of this person answered, or nobody did in time: a push does not say which. The connection says
    /// more, and its word counts for a call that it told of.
    fn call_taken_back(&mut self, now: Now, push: PushedCall) {
        let PushedCall { call: id, from, .. } = push;
        let known = self.call.as_ref().is_some_and(|call| call.id == Some(id));
        if self.config.reports_every_push {
            match self.shows(id) {
                true => self.push(Effect::SystemCall(SystemCallEffect::Incoming { call: id, from: Some(from) })),
                false => self.report_nothing(id, Some(from)),
            }
        }
        if self.announced.as_ref().is_some_and(|announced| announced.id == id) {
            self.drop_announced(now, true);
        }
        if !known {
            // Its ring may be the slower one.
            self.system_calls.record_over(id);
        }
    }

    /// A push that shows nothing, for a system that insists on a call with each.
    fn report_nothing(&mut self, call: CallId, from: Option<String>) {
        if self.config.reports_every_push {
            let reason = SystemEndReason::Failed;
            self.push(Effect::SystemCall(SystemCallEffect::Incoming { call, from }));
            self.push(Effect::SystemCall(SystemCallEffect::Ended { call, reason }));
        }
    }

    /// Whether the system's calls have this one.
    fn shows(&self, id: CallId) -> bool {
        let goes_on = |call: &&Call| call.id == Some(id) && call.phase != CallPhase::Ending;
        self.call.as_ref().is_some_and(|call| goes_on(&call))
            || self.announced.as_ref().is_some_and(|announced| announced.id == id && !announced.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const CALL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    #[test]
    fn a_push_is_read_as_every_service_writes_it() {
        let push = json!({"kind": "ring", "call": CALL, "from": "Zoë", "room": "", "sent": 1000});
        let call = PushedCall {
            kind: PushedKind::Ring,
            call: CallId(CALL.parse().unwrap()),
            from: "Zoë".to_owned(),
            room: String::new(),
            sent: 1000,
        };
        assert_eq!(read_push(&push.to_string()), Some(call.clone()));
        let fcm = json!({"kind": "cancel", "call": CALL.to_uppercase(), "from": "Zoë", "room": "", "sent": "1000"});
        assert_eq!(read_push(&fcm.to_string()), Some(PushedCall { kind: PushedKind::Cancel, ..call.clone() }));
        let apns = json!({"aps": {}, "kind": "ring", "call": CALL, "from": "Zoë", "room": "", "sent": 1000});
        assert_eq!(read_push(&apns.to_string()), Some(call));
    }

    #[test]
    fn what_is_no_call_is_none() {
        for (field, value) in [
            ("kind", json!("dance")),
            ("call", json!("7")),
            ("call", json!(7)),
            ("from", json!("")),
            ("from", json!("x".repeat(65))),
            ("from", json!("a\nb")),
            ("sent", json!("soon")),
            ("sent", json!(-1)),
            ("room", json!("x".repeat(MAX_BYTES))),
        ] {
            let mut push = json!({"kind": "ring", "call": CALL, "from": "Zoë", "room": "", "sent": 1000});
            push[field] = value;
            assert_eq!(read_push(&push.to_string()), None, "{field}");
        }
        assert_eq!(read_push(""), None);
        assert_eq!(read_push("[]"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panicking(text in ".{0,300}") {
            read_push(&text);
        }
    }
}
