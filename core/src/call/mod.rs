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
//! What the table leaves open: "in this call" means with this call's identifier; "error for the offer" is about this call; a negotiation
//! that fails in `Connecting` ends the call only if it is the first, since what was agreed on before still holds.
//!
//! # Who is meant
//!
//! A message belongs to the call if its `call` is this call's, or, where it names none, if its `name`, which the server stamps, is the person at
//! the other end. The identifier is known to the two alone, so a message that has it comes from the other side, even under a
//! name that it took in the meantime; from then on this is its name. After a change of our own name, and after each login, we say something
//! in the call so that the other side learns it. Candidates of old peers have neither name nor call: they belong to the call
//! there is, unless its other side is known to name calls. A `hang-up` without a name ends nothing, because old pages broadcast theirs.
//!
//! An offer without `call` belongs to the call if the session identifier in its `o=` line (RFC 8866 section 5.2) is that of the other side's
//! earlier descriptions: so an old page that was loaded anew and calls again rings anew, and one that still offers a track after we
//! declined does not.
//!
//! Whoever speaks of a call that is over, in an offer, an answer or `call-ringing`, has missed its end and is told by a `hang-up`.
//! Anybody else's messages change nothing: an offer is answered with `busy` while there is a call. What is remembered of calls that are
//! over, of candidates whose offer has not come, and of candidates and offers for a peer connection that is at work is bounded, and
//! strangers cannot push out what is ours.
//!
//! # Glare
//!
//! When both sides offer at once, the one whose name is smaller (compared as UTF-8 bytes, [`is_polite`]; the names at the start of the call count)
//! is polite, at both ends alike. At the start of a call the polite side gives its own call up and answers the other's at once, on a new peer connection; its
//! user wanted this call. The impolite side ignores the offer, and sends its own again if the other's comes again. Later the polite
//! side rolls its offer back (perfect negotiation, W3C WebRTC section 10.7), and the impolite one waits for its answer.
//!
//! It is no glare, and politeness does not matter, if our offer has not been sent yet, or if the other side's phone already rang for
//! us: then theirs is answered.
//!
//! An old page does not survive glare: it throws away the peer connection that made its offer, or takes the offer back without answering ours. It is
//! hung up, which makes it start afresh, and our offer is sent again, which it answers at once.
//!
//! # Repair
//!
//! A device that has another network ([`CallEngine::network_changed`]) restarts ICE at once, whoever called.
//!
//! A connection that is `disconnected` for [`RESTART_AFTER`], or `failed`, gets an ICE restart by the side that called, again each [`RESTART_EVERY`],
//! and at once when the server is back. After [`REPAIR_TIMEOUT`] the call ends. Losing the server alone ends nothing: media goes on, and
//! what has to be said waits in the signaling client. After the next login the engine says again what may have been lost on
//! its way: an offer that nobody has answered, an answer, candidates, `call-ringing`, `media-state`. Descriptions that come twice are
//! recognised: the same answer is given again, without a new negotiation.

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
