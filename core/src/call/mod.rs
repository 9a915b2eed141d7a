//! The call engine: one call at a time, from the first ring to the hang-up. Sans-IO: it never reads a clock, never waits, and knows no socket.
//!
//! Inputs are what the app commands ([`CallEngine::command`]), what comes by way of the server ([`CallEngine::message`],
//! [`CallEngine::users`], [`CallEngine::logged_in`], [`CallEngine::signaling_lost`]), what the peer connection reports
//! ([`CallEngine::report`]), and the time ([`CallEngine::handle_timeout`]). After each of them, take every output with
//! [`CallEngine::poll_output`] and ask [`CallEngine::poll_timeout`] when to come back.
//!
//! # States and inputs
//!
//! `=` keeps the state, `refused` is a [`CallError`], a second word is the [`EndReason`] of the call that ended. A test reads this very table and walks
//! every cell.
//!
#![doc = include_str!("table.md")]
//!
//! # Who is meant
//!
//! A message belongs to the call if its `name`, which the server stamps, is the person at the other end, and its `call`, where it has one, is this
//! call's. Candidates of old peers have no name: they belong to the call there is. A `hang-up` without a name ends nothing, because old pages
//! broadcast theirs.
//!
//! # Glare
//!
//! When both sides offer at once, the one whose name is smaller (compared as UTF-8 bytes, [`is_polite`]) is polite, at both ends alike. At the start of a call the
//! polite side gives its own call up and answers the other's at once, on a new peer connection; its user wanted this call. Later it rolls its offer back
//! (perfect negotiation, W3C WebRTC section 10.7). The impolite side ignores the offer and waits for its answer.
//!
//! # Repair
//!
//! A connection that is `disconnected` for [`RESTART_AFTER`], or `failed`, gets an ICE restart by the side that called, again each [`RESTART_EVERY`],
//! and at once when the server is back. After [`REPAIR_TIMEOUT`] the call ends. Losing the server alone ends nothing: media goes on, and
//! what has to be said waits in the signaling client.

mod ending;
mod engine;
mod exchange;
mod incoming;
mod negotiation;
mod state;
mod strays;
mod types;

pub use engine::{CallEngine, is_polite};
pub use types::*;

#[cfg(test)]
mod tests;
