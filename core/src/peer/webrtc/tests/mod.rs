//! Whole connections over real loopback sockets. Times are bounds of failure, never waited for.

mod dtmf;
mod hose;
mod link;
mod mangled;
mod media;
mod negotiation;
mod nomination;
mod nonsense;
mod rebinding;
mod redundancy;
pub(super) mod support;
mod text;
mod unreliable;
mod verification;
