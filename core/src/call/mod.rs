//! The call engine: one call, or one and a second beside it, from ringing to hang-up. Sans-IO: it has no clock, never waits, and knows no socket.
//!
//! Inputs are the commands of the app ([`CallEngine::command`]), what the server sends ([`CallEngine::message`],
//! [`CallEngine::users`], [`CallEngine::logged_in`], [`CallEngine::signaling_lost`]), what the peer connection reports
//! ([`CallEngine::report`]), and the time ([`CallEngine::handle_timeout`]). After each of them, take every output with
//! [`CallEngine::poll_output`] and ask [`CallEngine::poll_timeout`] when to call [`CallEngine::handle_timeout`].
//!
//! # States and inputs
//!
//! `=` keeps the state, `refused` is a [`CallError`], a second word is the [`EndReason`] of the call that ended. A test reads this very
//! table and checks every cell.
//!
#![doc = include_str!("table.md")]
//!
//! Notes on the table: "in this call" means with this call's identifier; "error for the offer" is about this call; a failed
//! negotiation in `Connecting` ends the call only if it is the first one, since what was negotiated before still applies.
//!
//! # A second call
//!
//! One call at a time, unless [`CallEngine::set_call_waiting`] says otherwise. Then somebody who calls during an accepted call waits
//! ([`CallEvent::Waiting`]), and somebody can be called while the call that goes on is on hold. There are two calls at most: one in front, which
//! [`CallSnapshot`] describes, and one behind it ([`CallSnapshot::other`]), which waits or is on hold. A third caller is told `busy`. When the call in
//! front ends, the one behind comes to the front as it is: it rings on, or stays on hold until it is taken up. A call on hold keeps its connection,
//! and is repaired as any other; no two calls send or play at the same time.
//!
#![doc = include_str!("second.md")]
//!
//! The columns say the call in front `/` the one behind: `active` and `held` are accepted calls, `waiting` is one that rings here.
//!
//! # Which call a message belongs to
//!
//! A message belongs to the call if its `name`, which the server sets, is the remote user and its `call` is this call's or missing. A
//! call identifier alone is no proof: what names the call under another name waits for the next user list. If the remote user's name
//! is no longer in it, the other one is the remote user's new name; if it still is, the message is somebody else's and forgotten. After
//! each change of the local name and each login the engine sends a message in the call so that the remote peer learns the name.
//! Candidates of old peers have neither name nor call: they belong to the current call, unless its remote peer is known to send call
//! identifiers. A `hang-up` without a name is ignored, because old pages broadcast theirs.
//!
//! An offer without `call` belongs to the call if the session identifier in its `o=` line (RFC 8866 section 5.2) is that of the
//! remote peer's earlier descriptions. So an old page that was reloaded and calls again rings again, and one that still
//! offers a track after the call was declined does not.
//!
//! An offer, an answer or `call-ringing` for a call that ended shows that its sender missed the `hang-up`, which is sent again.
//! Messages of other users change nothing: during a call their offers are answered with `busy`. What is stored about ended calls,
//! about candidates whose offer has not arrived, and about candidates and offers that wait for a peer connection is
//! bounded, and strangers cannot displace entries of this user's own calls.
//!
//! # Glare
//!
//! When both sides offer at once, the peer whose name is smaller (compared as UTF-8 bytes, [`is_polite`]; the names at the start of
//! the call count) is the polite one, at both ends alike. At the start of a call the polite peer gives up its own call and answers the
//! remote one at once, on a new peer connection, since its user wanted this call. The impolite peer ignores the offer, and repeats
//! its own if the remote one is repeated. Later in the call the polite peer rolls its offer back (perfect negotiation, W3C WebRTC section
//! 10.7), and the impolite peer repeats its own, which may have been lost, and waits for the answer.
//!
//! It is not glare, and politeness does not matter, if the local offer has not been sent yet, or if the remote peer already rang
//! for it: then the remote offer is answered.
//!
//! Old pages cannot resolve glare: they drop the peer connection that made their offer, or roll the offer back without answering the local
//! one. The engine hangs up, which resets them, and repeats its offer, which they then answer.
//!
//! # Repair
//!
//! A connection that finds no path at first says so once [`PeerReport::NoPath`] does ([`CallEvent::NoPathYet`]), and goes on. The
//! call ends when nothing more is to be hoped for, or after [`CONNECT_TIMEOUT`].
//!
//! A device whose network changed ([`CallEngine::network_changed`]) restarts ICE at once, whichever side called. If the call is not
//! answered yet, it does so when it is.
//!
//! A connection that is `disconnected` for [`RESTART_AFTER`], or `failed`, gets an ICE restart by the caller, and
//! [`ANSWERER_RESTARTS_LATER`] by the other side. A restart that does not help is tried again, first after [`FIRST_RESTART_WAIT`] and then
//! ever later, and at once when the server is reachable again. After [`REPAIR_TIMEOUT`] the call ends. The side that has lost nothing
//! is [`CallState::Reconnecting`], too, while the other one restarts.
//!
//! DTLS binds a connection to the certificates in its descriptions (RFC 8842). A remote peer that offers or answers with another one
//! has a new peer connection, because its page was reloaded, say. Then, and where this side's own is `closed` or cannot
//! offer, the call goes on with a new peer connection on this side. So it does where an offer or an answer stops the m-line that the transport of
//! the bundle belongs to (RFC 9143 section 7.3) and another one goes on: browsers make a new transport for that.
//! Where they keep their ICE credentials for it, as Firefox does, so does this side. A call gets [`MAX_REPLACEMENTS`] of them at most.
//!
//! Losing only the server does not end
//! a call: media continues, and messages wait in the signaling client. After the next login the engine repeats what may
//! have been lost: an offer without an answer, an answer, candidates, `call-ringing`, `media-state`. Duplicate descriptions
//! are detected: the same answer is sent again, without a new negotiation.

mod ending;
mod engine;
mod history;
mod ice_restart;
mod incoming;
mod negotiation;
mod offer_answer;
mod path_search;
mod second;
mod state;
mod types;

pub use engine::{CallEngine, is_polite};
pub use path_search::{CandidateTypes, NoPath, PathSearch};
pub use types::*;

#[cfg(test)]
mod tests;
