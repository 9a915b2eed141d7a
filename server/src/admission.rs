//! Lets people in: who may log in, and under which name, as far as all nodes are concerned.

use crate::{
    auth::{Person, TokenError},
    hub::{Hub, State},
    login::LogIn,
    outbox::{Closing, code},
    relay,
    router::{HandOverError, Unavailable},
};
use chamada::signaling::message::{ErrorCode, ErrorMessage, Message, Username};
use serde_json::{Map, Value};
use std::{collections::HashSet, sync::MutexGuard, time::Instant};

/// How many names that turn out to be taken elsewhere are tried for one login.
const MAX_CLAIMS: usize = 32;

impl Hub {
    pub(crate) async fn log_in(
        &self,
        number: u64,
        wanted: &Username,
        person: Option<&Person>,
    ) -> Result<(), ErrorMessage> {
        self.log_in_but(number, wanted, person, HashSet::new()).await
    }

    /// Logs in under a name whose look is none of those that are `taken` on other nodes.
    pub(crate) async fn log_in_but(
        &self,
        number: u64,
        wanted: &Username,
        person: Option<&Person>,
        mut taken: HashSet<String>,
    ) -> Result<(), ErrorMessage> {
        let mut wanted = wanted.clone();
        for _ in 0..MAX_CLAIMS {
            let (wish, room, was_nameless) = {
                let mut state = self.lock();
                let Some(session) = state.sessions.get(&number) else { return Ok(()) };
                let (room, was_nameless) = (session.room.clone(), session.name.is_none());
                match state.log_in(number, &wanted, person, &taken)? {
                    LogIn::Resumed => {
                        self.logged_in(state, number, &room, true, person.is_some());
                        return Ok(());
                    }
                    LogIn::Wish(wish) => (Ok(wish), room, was_nameless),
                    LogIn::Elsewhere(node, what, is_gone) => (Err((node, what, is_gone)), room, true),
                }
            };
            let wish = match wish {
                Ok(wish) => wish,
                Err((node, what, is_gone)) => {
                    let handed = if is_gone {
                        Err(HandOverError::Gone)
                    } else {
                        self.router.hand_over(node, what.clone()).await
                    };
                    let handed = match handed {
                        Ok(handed @ Some(_)) => Some(handed),
                        Ok(None) => None,
                        Err(HandOverError::Gone) => Some(None),
                        Err(HandOverError::Unavailable(e)) => return Err(self.refuse_login(number, &e)),
                    };
                    let mut state = self.lock();
                    if let Some(handed) = handed
                        && state.resume_from_elsewhere(number, &what, handed, &wanted, person)
                    {
                        self.logged_in(state, number, &room, true, person.is_some());
                        return Ok(());
                    }
                    // It is an ordinary login.
                    wanted.resume = None;
                    continue;
                }
            };
            let (claim, look) = (wish.claim.clone(), wish.look.clone());
            if let Some(claim) = &claim {
                match self.router.claim(&room, &look, claim, &|place| self.knows_place(place)).await {
                    Ok(true) => {}
                    Ok(false) => {
                        taken.insert(look);
                        continue;
                    }
                    Err(e) => return Err(self.refuse_login(number, &e)),
                }
            }
            let mut state = self.lock();
            let finished = state.finish_login(number, &wanted, person, wish);
            if let Ok(true) = finished {
                self.logged_in(state, number, &room, was_nameless, person.is_some());
                return Ok(());
            }
            if let Some(claim) = &claim {
                self.router.release(&room, &look, claim);
            }
            finished?;
        }
        Err(relay::refusal(ErrorCode::Unavailable, "username", "too many want this name; try again in a moment"))
    }

    /// Somebody cannot log in now; a connection without a name ends: clients come again after a while.
    fn refuse_login(&self, number: u64, why: &Unavailable) -> ErrorMessage {
        tracing::warn!(connection = number, reason = %why, "nobody can log in");
        let state = self.lock();
        if let Some(session) = state.sessions.get(&number).filter(|session| session.name.is_none()) {
            let error = relay::refusal(ErrorCode::Unavailable, "username", "try again in a moment");
            session.send_message(&Message::Error(error));
            session.outbox.close(Closing { code: code::TRY_AGAIN_LATER, reason: "the other nodes cannot be reached" });
        }
        relay::refusal(ErrorCode::Unavailable, "username", "try again in a moment")
    }

    /// What follows a login, a return, a change of name or a fresh token.
    fn logged_in(
        &self,
        mut state: MutexGuard<'_, State>,
        number: u64,
        room: &str,
        is_new: bool,
        has_shown_token: bool,
    ) {
        if is_new {
            self.metrics.logins.inc();
            tracing::info!(connection = number, "logged in");
        }
        if has_shown_token && let Some(session) = state.sessions.get_mut(&number) {
            self.renew_turn_credentials_of(number, session, Instant::now());
        }
        // Also when it is the same list as before: who asked has to be told.
        state.mark_wanted(room);
        state.mark_changed(room);
        drop(state);
        self.notify_changed();
    }

    /// Whether this session may send a message of this kind now; with `username`, who shows a token in it, if that is needed here. What costs
    /// something to check is paid for before.
    pub(crate) async fn admit(
        &self,
        number: u64,
        kind: &str,
        object: &Map<String, Value>,
    ) -> Result<Option<Person>, ErrorMessage> {
        if !matches!(kind, "username" | "userlist-request") {
            return Ok(None);
        }
        let address = {
            let mut state = self.lock();
            let Some(session) = state.sessions.get_mut(&number) else { return Ok(None) };
            if session.name.is_none() {
                session.address
            } else if session.renames.take(1.0, Instant::now()) {
                None
            } else {
                return Err(relay::refusal(ErrorCode::RateLimited, kind, "that was too often; wait a little"));
            }
        };
        if kind != "username" {
            return Ok(None);
        }
        if !address.is_none_or(|key| self.addresses.log_in(key)) {
            let why = "too many logins from there; wait a little";
            return Err(relay::refusal(ErrorCode::RateLimited, kind, why));
        }
        let Some(authority) = &self.authority else { return Ok(None) };
        let token = object.get("token").and_then(Value::as_str);
        authority.look_for_key_of(token).await;
        authority.check(token).map(Some).map_err(|e| {
            let code = if e == TokenError::Expired { ErrorCode::TokenExpired } else { ErrorCode::Unauthorized };
            relay::refusal(code, kind, &e.to_string())
        })
    }
}
