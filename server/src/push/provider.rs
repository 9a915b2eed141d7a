//! What every push service has in common.

use super::registration::Details;
use async_trait::async_trait;
use chamada::signaling::message::PushedCall;
use std::{fmt::Debug, time::Duration};

/// One push to one device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notification<'a> {
    /// The person's claim `sub`.
    pub(crate) subject: &'a str,
    pub(crate) to: &'a Details,
    pub(crate) call: &'a PushedCall,
    /// How long the service may keep it for a device that it cannot reach.
    pub(crate) ttl: Duration,
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The service has taken it.
    Accepted,
    /// The device does not exist there any more.
    Gone,
    /// Not now: the service is busy or away; it may have said for how long.
    Later(Option<Duration>),
    /// There was no answer: it may have come there or not.
    Unanswered,
    /// Never in this form. Why, in words for a log: no tokens, no URLs.
    Refused(String),
}

/// A push service.
#[async_trait]
pub(crate) trait Provider: Debug + Send + Sync {
    /// Hands one push over, once. It takes as long as a request may take at most.
    async fn send(&self, push: Notification<'_>) -> Outcome;
}
